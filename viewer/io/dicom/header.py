"""One file's header as a small frozen record: what its pixels are, where they lie in the file, and what its frames are.

No pixel is read here. A file that cannot be used raises UnreadableFile or UnsupportedFeature with a sentence.
"""

from __future__ import annotations

import io
import math
import os
import stat
import struct
import warnings
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from viewer.core.errors import UnreadableFile
from viewer.core.geometry import Triple
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset

# Enough for the header of nearly every single image: parsed from memory, so that a file is opened and read once.
PREFIX_BYTES = 48 << 10
DEFER_BYTES = 512 << 10
HEADER_LIMIT = 256 << 20
# A deflated file may grow to this, or to RATIO times its size, before it is called a bomb (RELIABILITY choice 5).
INFLATE_FREE = 16 << 20
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = frozenset({"", IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, "1.2.840.113619.5.2"})

# What may tell the phases of a stack apart, in the order in which it is tried (CONVENTIONS D54): tag, words, unit.
PHASE_KEYS: tuple[tuple[int, str, str], ...] = (
    (0x00200100, "time", ""), (0x00209128, "time", ""), (0x00180081, "TE", "ms"), (0x00180086, "echo", ""), (0x00180082, "TI", "ms"),
    (0x00189087, "b", "s/mm²"), (0x00181060, "trigger", "ms"), (0x00209153, "trigger", "ms"), (0x00189208, "", ""), (0x00181314, "flip", "°"),
    (0x00540081, "", ""), (0x00541330, "", ""), (0x00200012, "acquisition", ""), (0x00080032, "", ""), (0x00080033, "", ""), (0x00180010, "", ""),
)  # fmt: skip
_IGNORED_KEYS = {0x00540081, 0x00541330}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the file says of one frame (or, in a classic file, of all of them)."""

    position: Triple | None = None
    orientation: tuple[float, ...] | None = None
    spacing: tuple[float, float] | None = None
    """Between rows, between columns; None where unknown."""
    slope: float = 1.0
    intercept: float = 0.0
    rescale_type: str = ""
    keys: tuple[str, ...] = ()
    """Text of the elements of PHASE_KEYS, "" where missing."""
    stack: str = ""


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where the pixel data lie: ``length`` is None for encapsulated data (up to the end of the file)."""

    offset: int
    length: int | None
    element: int
    """7FE00010 integers, 7FE00008 float, 7FE00009 double."""
    inflated: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What is kept of a file between finding and loading."""

    path: Path
    size: int
    modified_ns: int
    sop_class: str
    sop_uid: str
    syntax: str
    series_uid: str
    study_uid: str
    frame_uid: str
    modality: str
    image_type: tuple[str, ...]
    instance: int
    content_time: str
    dataset: Dataset = field(repr=False, compare=False)
    """The parsed elements before the pixels; dropped (None) once the series is known, but for one file of each part."""
    rows: int = 0
    columns: int = 0
    samples: int = 1
    photometric: str = "MONOCHROME2"
    planar: int = 0
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    is_signed: bool = False
    is_little_endian: bool = True
    frame_count: int = 1
    claimed_frames: int = 1
    frames: tuple[Frame, ...] = ()
    """One for all frames of the file, or one each."""
    pixels: PixelPlace | None = None
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return gate.harmless(self.path.name)

    @property
    def is_native(self) -> bool:
        return self.syntax in NATIVE

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame, rounded up for one-bit data."""
        return math.ceil(self.frame_bits / 8)

    @property
    def frame_bits(self) -> int:
        # Native 4:2:2 has two bytes a pixel, not three (PS3.3 C.7.6.3.1.2).
        per_pixel = 2 if self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422") and self.is_native and self.samples == 3 else self.samples
        return self.rows * self.columns * per_pixel * self.bits_allocated

    def frame(self, number: int) -> Frame:
        return self.frames[number if len(self.frames) > 1 else 0]

    def without_dataset(self) -> Header:
        return replace(self, dataset=None)


def looks_like(head: bytes) -> bool:
    """Whether the first bytes are DICOM's: the mark after the preamble, or a data set that starts without one (D01)."""
    if len(head) >= 132 and head[128:132] == b"DICM":
        return True
    if len(head) < 24:
        return False
    for order in "<>":
        group, element, length = struct.unpack(order + "HHI", head[:8])
        if group not in (0x0002, 0x0008) or element > 0x1200:
            continue
        if head[4:6].isalpha() and head[4:6].isupper() and head[4:6] in _VRS:
            return True
        if order == "<" and length < 256 and length % 2 == 0 and len(head) >= 16 + length:
            following = struct.unpack("<HH", head[8 + length : 12 + length])
            if following[0] in (group, 0x0008, 0x0010) and following > (group, element):
                return True
    return False


_VRS = {b"UI", b"UL", b"CS", b"OB", b"DA", b"LO", b"SH", b"TM", b"SQ", b"DT", b"PN", b"US", b"IS", b"ST"}


def read_dataset(path: Path) -> tuple[Any, bytes | None, tuple[str, ...], os.stat_result]:
    """pydicom's data set up to the pixels, the inflated bytes of a deflated file, what the parser complained of, the file's state."""
    try:
        with path.open("rb", buffering=0) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise UnreadableFile(_("{name} is not a regular file and was not read.").format(name=gate.harmless(path.name)))
            prefix = file.read(PREFIX_BYTES) or b""
            if not prefix:
                raise UnreadableFile(_("{name} is empty.").format(name=gate.harmless(path.name)))
            if not looks_like(prefix):
                raise UnreadableFile(_("{name} is not a DICOM file.").format(name=gate.harmless(path.name)))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                dataset, inflated = _parse(prefix, file, state.st_size, path)
    except OSError as err:
        reason = err.strerror or str(err)
        raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=gate.harmless(path.name), reason=reason)) from err
    said = tuple(dict.fromkeys(elements.harmless(str(w.message)).splitlines()[0][:200] for w in caught if str(w.message)))
    return dataset, inflated, said, state


def _parse(prefix: bytes, file: BinaryIO, size: int, path: Path) -> tuple[Any, bytes | None]:
    name = gate.harmless(path.name)
    try:
        if _is_deflated(prefix):
            content = prefix + (file.read(max(0, min(size, HEADER_LIMIT) - len(prefix))) or b"")
            inflated = _inflate(content, path)
            return _dcmread(io.BytesIO(inflated)), inflated
        buffer = io.BytesIO(prefix)
        if size <= len(prefix):
            return _dcmread(buffer), None
        try:
            dataset = _dcmread(buffer)
            if _stopped_at_pixels(dataset, buffer):
                return dataset, None
        except Exception:  # noqa: BLE001 - cut by us, not by the file: the whole file decides
            pass
        return _parse_whole(file, size), None
    except UnreadableFile:
        raise
    except RecursionError as err:
        raise UnreadableFile(_("{name}: its sequences are nested without end. The file is damaged or hostile.").format(name=name)) from err
    except MemoryError as err:
        raise UnreadableFile(_("{name}: its header asks for more memory than there is. The file is damaged.").format(name=name)) from err
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as err:
        # Parsers of hostile bytes fail in every way there is (RELIABILITY choice 4).
        reason = elements.harmless(str(err))[:160] or type(err).__name__
        raise UnreadableFile(_("{name}: its DICOM header cannot be understood ({reason}).").format(name=name, reason=reason)) from err


def _parse_whole(file: BinaryIO, size: int) -> Any:
    """For headers longer than the prefix: from the file, and from memory if something needed is very long."""
    file.seek(0)
    reader = io.BufferedReader(file, 1 << 16)  # type: ignore[type-var]
    try:
        dataset = _dcmread(reader)
        needed = (0x52009229, 0x52009230, *range(0x00281201, 0x00281204), *range(0x00281221, 0x00281224), 0x00283000, 0x00283010)
        present = (elements.raw(dataset, tag) for tag in needed)
        if any(e is not None and e.value is None and getattr(e, "length", 0) for e in present):
            end = dataset_end(dataset) or size
            reader.seek(0)
            dataset = _dcmread(io.BytesIO(reader.read(min(end + 16, HEADER_LIMIT))), defer=None)
        return dataset
    finally:
        reader.detach()


def _dcmread(buffer: Any, *, defer: int | None = DEFER_BYTES) -> Any:
    from pydicom import dcmread

    dataset = dcmread(buffer, stop_before_pixels=True, force=True, defer_size=defer)
    place = buffer.tell()
    tail = buffer.read(12)
    buffer.seek(place)
    dataset.negatoscope_end = (place, tail)
    return dataset


def dataset_end(dataset: Any) -> int:
    """Where parsing stopped: the first byte of the pixel element, or the end of the file."""
    return int(dataset.negatoscope_end[0])


def _stopped_at_pixels(dataset: Any, buffer: io.BytesIO) -> bool:
    return pixel_tag(dataset.negatoscope_end[1], _is_little(dataset)) is not None


def _is_little(dataset: Any) -> bool:
    return bool(dataset.original_encoding[1] is not False)


def pixel_tag(tail: bytes, little: bool) -> int | None:
    """The element that these bytes begin, if it is one of pixel data."""
    if len(tail) < 8:
        return None
    group, element = struct.unpack("<HH" if little else ">HH", tail[:4])
    tag = group << 16 | element
    return tag if tag in (0x7FE00008, 0x7FE00009, 0x7FE00010) else None


def pixel_place(dataset: Any, size: int, *, inflated: bool) -> PixelPlace | None:
    """Offset and length of the pixels' value, clipped to what is there; None without pixels."""
    start, tail = dataset.negatoscope_end
    little, implicit = _is_little(dataset), bool(dataset.original_encoding[0])
    tag = pixel_tag(tail, little)
    if tag is None:
        return None
    order = "<" if little else ">"
    if not implicit and tail[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN", b"OL", b"OV"):
        if len(tail) < 12:
            return None
        length, offset = struct.unpack(order + "I", tail[8:12])[0], start + 12
    elif not implicit and tail[4:6].isalpha():
        length, offset = struct.unpack(order + "H", tail[6:8])[0], start + 8
    else:
        length, offset = struct.unpack(order + "I", tail[4:8])[0], start + 8
    if length == 0xFFFFFFFF:
        return PixelPlace(offset, None, tag, inflated)
    return PixelPlace(offset, max(0, min(length, size - offset)), tag, inflated)


def _is_deflated(prefix: bytes) -> bool:
    return prefix[128:132] == b"DICM" and DEFLATED.encode() in prefix[132:1024]


def _inflate(content: bytes, path: Path) -> bytes:
    """Meta header as it is, data set inflated, never beyond the cap."""
    start = _meta_end(content)
    cap = min(max(INFLATE_FREE, gate.LOSSLESS_RATIO * len(content)), gate.free())
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(content[start:], cap)
        if engine.unconsumed_tail and engine.decompress(engine.unconsumed_tail, 1):
            text = _("{name}: its deflated content grows beyond {limit}. The file is damaged or hostile and was not opened.")
            raise UnreadableFile(text.format(name=gate.harmless(path.name), limit=gate.amount(cap)))
    except zlib.error as err:
        raise UnreadableFile(_("{name}: its deflated content is damaged.").format(name=gate.harmless(path.name))) from err
    # Marked as explicit little endian, which it now is: pydicom would inflate it a second time, without a cap.
    meta = content[:start].replace(DEFLATED.encode() + b"\0" * (len(DEFLATED) % 2), EXPLICIT.encode() + b"\0" * (len(DEFLATED) + len(DEFLATED) % 2 - len(EXPLICIT)))
    return meta + inflated


def _meta_end(content: bytes) -> int:
    """First byte after group 0002, element by element (its length element is often wrong)."""
    place = 132
    while place + 8 <= len(content) and content[place : place + 2] == b"\x02\x00":
        if content[place + 4 : place + 6] in (b"OB", b"UN", b"OW", b"SQ", b"UT"):
            place += 12 + int.from_bytes(content[place + 8 : place + 12], "little")
        else:
            place += 8 + int.from_bytes(content[place + 6 : place + 8], "little")
    return place
