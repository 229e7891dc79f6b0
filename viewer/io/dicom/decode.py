"""Decoding of compressed frames; runs in worker processes, never in the window's.

A fixed table says which decoder serves which transfer syntax, never "the first that works" (RELIABILITY choice 4). What
comes out is checked against the header before it is handed over.
"""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import NegatoscopeError, OperationCancelled, UnreadableFile, UnsupportedFeature
from viewer.core.sentence import part, sentence_of
from viewer.core.words import _
from viewer.io import gate
from viewer.io.beside import open_regular
from viewer.io.dicom import colour, values
from viewer.io.dicom.fragments import Span
from viewer.io.dicom.rle import decode_rle
from viewer.io.dicom.syntaxes import CODECS, Family, unsupported


@dataclass(frozen=True, slots=True)
class FrameTask:
    """One frame: where its bytes are, and what the header says comes out of them."""

    path: Path
    number: int
    spans: tuple[Span, ...]
    syntax: str
    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    planar: int = 0


@dataclass(frozen=True, slots=True)
class Decoded:
    """Samples (rows, columns[, 3]), what their colours are now, and what the stream says of their bits."""

    samples: NDArray[Any]
    photometric: str
    precision: int
    is_signed: bool = False
    is_lossy: bool = False
    by: int = 0
    """Which of the codec's packages it was; -1 where more than one may have taken part."""


Decoder = Callable[[bytes, FrameTask], Decoded]


def decode_frames(
    tasks: Sequence[FrameTask],
    cells: Sequence[tuple[int, int]],
    out: NDArray[Any],
    ledger: NDArray[np.float64],
    progress: Callable[[float], None] | None = None,
) -> tuple[float, list[tuple[int, NegatoscopeError]]]:
    """Decode frames into ``out[cell]``: stored values, or RGB for colour. The worker's entry point.

    A frame is decoded into memory of the worker and copied from there: a decoder that writes past its end never reaches
    the frames beside it. ``ledger[cell]`` is then (2 + decoder, smallest, largest), or 1 first where that failed; if the worker
    dies, it tells which frame it was at.

    Returns
    -------
    CPU seconds that it took, and (position in ``tasks``, error) of each frame that cannot be decoded
    """
    begun = time.process_time()
    problems: list[tuple[int, NegatoscopeError]] = []
    with contextlib.ExitStack() as opened:
        path: Path | None = None
        for number, (task, cell) in enumerate(zip(tasks, cells, strict=True)):
            if progress is not None:
                progress(number / len(tasks))
            try:
                if path != task.path:
                    opened.close()
                    path = None
                    file = opened.enter_context(open_regular(task.path))
                    path = task.path
                result, by = decode_frame(task, file)
                memory.write(out[cell], result)
                ledger[cell] = (2.0 + by, *values.ends_of(result))
            except OperationCancelled:
                raise
            except NegatoscopeError as err:
                problems.append((number, err))
                ledger[cell] = (1.0, 0.0, 0.0)
    return time.process_time() - begun, problems


def decode_frame(task: FrameTask, file: BinaryIO) -> tuple[NDArray[Any], int]:
    """One frame: its stored values, or RGB for colour; and which of the codec's packages decoded it.

    Raises
    ------
    UnreadableFile, UnsupportedFeature
        With a sentence that names file, frame and codec.
    """
    codec = CODECS.get(task.syntax)
    name = f"{gate.harmless(task.path.name)} ({task.number + 1})"
    if codec is None:
        raise UnsupportedFeature(unsupported(task.path, task.syntax))
    try:
        stream = b"".join(_piece(file, span) for span in task.spans)
        decoded = DECODERS[codec.family](stream, task)
        return finished(decoded, task), decoded.by
    except NegatoscopeError as err:
        reason = part(sentence_of(err))
        raise type(err)(_("{name}: a frame in {codec} cannot be decoded: {reason}.").format(name=name, codec=codec.name, reason=reason)) from err
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as err:
        # Decoders of other people throw whatever they like; some of it is no Exception (RELIABILITY choice 2).
        reason = gate.harmless(str(err))[:160] or type(err).__name__
        raise UnreadableFile(_("{name}: a frame in {codec} cannot be decoded: {reason}.").format(name=name, codec=codec.name, reason=reason)) from err


def finished(decoded: Decoded, task: FrameTask) -> NDArray[Any]:
    """Check against the header, then stored values with their sign, or RGB."""
    wanted = (task.rows, task.columns) if task.samples == 1 else (task.rows, task.columns, task.samples)
    samples = decoded.samples
    if samples.shape != wanted:
        text = _("it holds {found}, the header says {wanted}")
        raise UnreadableFile(text.format(found=" x ".join(map(str, samples.shape)), wanted=" x ".join(map(str, wanted))))
    if task.samples == 3:
        return colour.to_rgb(samples, decoded.photometric, max(decoded.precision, 8) if samples.dtype.itemsize > 1 else 8)
    return _stored(decoded, task)


def _stored(decoded: Decoded, task: FrameTask) -> NDArray[Any]:
    """Stored values in the header's type. The header decides the sign (D12), whatever the stream says of it."""
    target = values.stored_dtype(task.bits_allocated, task.is_signed)
    samples = np.ascontiguousarray(decoded.samples)
    if decoded.is_signed and task.is_signed:
        return samples.astype(target)
    limit = (1 << task.bits_stored) - 1
    if decoded.is_lossy and not task.is_signed and not decoded.is_signed:
        # Lossy coding may step over the largest value: masked it would turn black.
        return np.asarray(np.minimum(samples, limit).astype(target))
    same = samples.dtype.itemsize == target.itemsize and samples.dtype.kind in "iu" and samples.flags.writeable
    words = samples.view(f"u{target.itemsize}") if same else samples.astype(f"u{target.itemsize}")
    # A stream of fewer bits than the header says carries its sign in its own highest bit (pydicom issue 1149).
    bits = min(task.bits_stored, decoded.precision) if decoded.is_signed != task.is_signed and decoded.precision else task.bits_stored
    shift = task.high_bit + 1 - task.bits_stored if decoded.precision > task.bits_stored else 0
    values.mask_and_sign(words, bits, bits - 1 + shift, task.is_signed)
    return np.asarray(words.view(target))


def _piece(file: BinaryIO, span: Span) -> bytes:
    file.seek(span[0])
    piece = file.read(span[1])
    if len(piece) != span[1]:
        raise UnreadableFile(_("the file ends inside it"))
    return piece


# --- decoders ---------------------------------------------------------------------------------------------------------


def _rle(stream: bytes, task: FrameTask) -> Decoded:
    samples = decode_rle(stream, task.rows, task.columns, task.samples, task.bits_allocated)
    precision = task.bits_stored if task.samples == 3 else task.bits_allocated
    return Decoded(samples, task.photometric, precision, by=-1)


def _deflate(stream: bytes, task: FrameTask) -> Decoded:
    """One frame as it would lie in the file uncompressed, little endian, deflated by itself (PS3.5 A.4.13)."""
    pixels, size = task.rows * task.columns * task.samples, max(1, task.bits_allocated // 8)
    wanted = (pixels + 7) // 8 if task.bits_allocated == 1 else pixels * size
    # A byte more than is wanted tells a frame that is too long; nothing inflates further than that.
    raw = np.frombuffer(zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream, wanted + 2), dtype=np.uint8)
    if not wanted <= len(raw) <= wanted + 1:
        text = _("it holds {found}, the header says {wanted}")
        raise UnreadableFile(text.format(found=gate.amount(len(raw)), wanted=gate.amount(wanted)))
    if task.bits_allocated == 1:
        return Decoded(values.unpack_bits(raw, pixels).reshape(task.rows, task.columns), task.photometric, 1)
    words = raw[:wanted].view(f"<u{size}")
    if task.samples == 3:
        return Decoded(colour.interleaved(words, task.rows, task.columns, task.planar), task.photometric, task.bits_stored)
    return Decoded(words.reshape(task.rows, task.columns), task.photometric, task.bits_allocated)


@dataclass(frozen=True, slots=True)
class _JpegHead:
    precision: int
    rows: int
    columns: int
    components: int
    is_rgb: bool | None
    """What the stream's own marks say: RGB, YCbCr (False), or nothing."""


def _jpeg_head(stream: bytes) -> _JpegHead:
    """The frame header and the colour marks of a JPEG or JPEG-LS stream, without decoding."""
    place, is_rgb = 2, None
    if stream[:2] != b"\xff\xd8":
        raise UnreadableFile(_("it does not begin like a JPEG"))
    while place + 4 <= len(stream):
        if stream[place] != 0xFF:
            place += 1
            continue
        mark = stream[place + 1]
        if mark in (0xFF, 0x00, 0x01) or 0xD0 <= mark <= 0xD8:
            place += 1 if mark == 0xFF else 2
            continue
        length = struct.unpack(">H", stream[place + 2 : place + 4])[0]
        content = stream[place + 4 : place + 2 + length]
        if (0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC)) or mark == 0xF7:
            if len(content) < 6:
                break
            precision, rows, columns, components = struct.unpack(">BHHB", content[:6])
            return _JpegHead(precision, rows, columns, components, is_rgb)
        if mark == 0xE0 and content[:4] == b"JFIF":
            is_rgb = False
        if mark == 0xEE and content[:5] == b"Adobe" and len(content) >= 12:
            is_rgb = content[11] == 0
        if mark in (0xD9, 0xDA):
            break
        place += 2 + length
    raise UnreadableFile(_("its JPEG has no frame header"))


def _checked_head(stream: bytes, task: FrameTask) -> _JpegHead:
    """Before anything is allocated: the stream's own size must be the header's."""
    head = _jpeg_head(stream)
    if (head.rows or task.rows, head.columns or task.columns, head.components) != (task.rows, task.columns, task.samples):
        text = _("it holds {found}, the header says {wanted}")
        found = f"{head.rows} x {head.columns} x {head.components}"
        raise UnreadableFile(text.format(found=found, wanted=f"{task.rows} x {task.columns} x {task.samples}"))
    return head


def _jpeg_lossy(stream: bytes, task: FrameTask) -> Decoded:
    head = _checked_head(stream, task)
    if head.precision > 8:
        from imagecodecs import jpeg8_decode

        return Decoded(np.asarray(jpeg8_decode(stream)), task.photometric, head.precision, is_lossy=True, by=1)
    from PIL import Image

    with Image.open(io.BytesIO(stream), formats=("JPEG",)) as picture:
        if task.samples == 1:
            return Decoded(np.asarray(picture), task.photometric, 8, is_lossy=True)
        # The stream's marks come first, then the header; libjpeg turns YCbCr into RGB when it thinks that it is YCbCr.
        is_rgb = head.is_rgb if head.is_rgb is not None else task.photometric == "RGB"
        if is_rgb:
            picture.draft("YCbCr" if head.is_rgb is None else "RGB", picture.size)
        return Decoded(np.array(picture), "RGB", 8, is_lossy=True)


def _jpeg_lossless(stream: bytes, task: FrameTask) -> Decoded:
    from imagecodecs import jpegsof3_decode

    head = _checked_head(stream, task)
    return Decoded(np.asarray(jpegsof3_decode(stream)), task.photometric, head.precision)


def _jpeg_ls(stream: bytes, task: FrameTask) -> Decoded:
    from imagecodecs import JpeglsError, jpegls_decode

    head = _checked_head(stream, task)
    by = 0
    try:
        samples = np.asarray(jpegls_decode(stream))
    except JpeglsError:
        # CharLS through pyjpegls takes some streams that imagecodecs refuses.
        from jpeg_ls import decode_buffer

        by = 1
        buffer, _info = decode_buffer(stream)
        kind = "u1" if head.precision <= 8 else "<u2"
        flat = np.frombuffer(bytes(buffer), dtype=kind)
        samples = flat.reshape((task.rows, task.columns) if task.samples == 1 else (task.rows, task.columns, 3))
    if samples.ndim == 3 and samples.shape[0] == 3 and samples.shape[2] != 3:
        samples = samples.transpose(1, 2, 0)
    return Decoded(samples, task.photometric, head.precision, is_lossy=CODECS[task.syntax].is_lossy, by=by)


def _jpeg_2000(stream: bytes, task: FrameTask) -> Decoded:
    from openjpeg.utils import decode, get_parameters

    found = get_parameters(stream)
    if (found["rows"], found["columns"], found["samples_per_pixel"]) != (task.rows, task.columns, task.samples):
        text = _("it holds {found}, the header says {wanted}")
        shown = f"{found['rows']} x {found['columns']} x {found['samples_per_pixel']}"
        raise UnreadableFile(text.format(found=shown, wanted=f"{task.rows} x {task.columns} x {task.samples}"))
    return Decoded(decode(stream), task.photometric, int(found["precision"]), bool(found["is_signed"]), CODECS[task.syntax].is_lossy)


def _htj2k(stream: bytes, task: FrameTask) -> Decoded:
    from openjpeg.utils import get_parameters

    found = get_parameters(stream)
    if (found["rows"], found["columns"], found["samples_per_pixel"]) != (task.rows, task.columns, task.samples):
        return replace(_jpeg_2000(stream, task), by=1)
    from imagecodecs import Htj2kError, htj2k_decode

    try:
        samples = np.asarray(htj2k_decode(stream))
    except Htj2kError:
        return replace(_jpeg_2000(stream, task), by=1)
    if samples.ndim == 3 and samples.shape[0] == 3 and samples.shape[2] != 3:
        samples = samples.transpose(1, 2, 0)
    return Decoded(samples, task.photometric, int(found["precision"]), bool(found["is_signed"]), CODECS[task.syntax].is_lossy)


DECODERS: dict[Family, Decoder] = {
    "rle": _rle,
    "deflate": _deflate,
    "jpeg": _jpeg_lossy,
    "jpeg-lossless": _jpeg_lossless,
    "jpeg-ls": _jpeg_ls,
    "jpeg-2000": _jpeg_2000,
    "htj2k": _htj2k,
}
