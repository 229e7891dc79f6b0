"""Uncompressed frames: bounds-checked bytes of the file, straight into the series' memory where they need no change."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io import gate
from viewer.io.beside import open_regular
from viewer.io.dicom import colour, values
from viewer.io.dicom.header import Header
from viewer.io.dicom.parse import parse


class NativeFile:
    """The frames of one native file, which stays open until ``close``."""

    def __init__(self, header: Header) -> None:
        assert header.pixels is not None
        self.header = header
        self.place = header.pixels
        # A deflated file was measured under the cap when it was found; it is inflated again, under the same cap.
        self._inflated = parse(header.path).inflated if self.place.inflated else None
        self._file = open_regular(header.path) if self._inflated is None else None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()

    def read_into(self, number: int, target: NDArray[Any]) -> None:
        """Fill ``target`` with one frame's stored values, or its RGB. Raises UnreadableFile with a sentence."""
        header = self.header
        if self._is_direct(target):
            self._readinto(number, target)
            values.mask_and_sign(target, header.bits_stored, header.high_bit, header.is_signed)
            return
        raw = self._bytes(number)
        if header.bits_allocated == 1:
            skip = number * header.frame_bits % 8
            target[...] = values.unpack_bits(raw, skip + header.frame_bits)[skip:].reshape(target.shape)
            return
        stored = self._words(raw)
        if header.samples == 1:
            stored = stored.reshape(header.rows, header.columns)
            if stored.dtype.kind != "f":
                values.mask_and_sign(stored, header.bits_stored, header.high_bit, header.is_signed)
            with np.errstate(over="ignore"):
                target[...] = stored
            return
        if header.is_subsampled:
            if header.columns % 2:
                text = _("{name}: colour in 4:2:2 needs an even number of columns, there are {count}.")
                raise UnreadableFile(text.format(name=header.name, count=header.columns))
            pixels = colour.expand_422(stored, header.rows, header.columns)
        else:
            pixels = colour.interleaved(stored, header.rows, header.columns, header.planar)
        target[...] = colour.to_rgb(pixels, header.photometric, header.bits_stored)

    def words(self, number: int) -> NDArray[Any]:
        """The words (rows, columns) of a grey frame as they lie in the file, nothing masked: overlays may hide in them (D44)."""
        return self._words(self._bytes(number)).reshape(self.header.rows, self.header.columns)

    def _is_direct(self, target: NDArray[Any]) -> bool:
        header = self.header
        same_order = header.is_little_endian == (sys.byteorder == "little") or target.dtype.itemsize == 1
        swapped_bytes = not header.is_little_endian and target.dtype.itemsize == 1
        fits = target.dtype.itemsize * 8 == header.bits_allocated and target.flags.c_contiguous
        return same_order and not swapped_bytes and fits and header.samples == 1 and self._inflated is None and target.dtype.kind != "f"

    def _words(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        """Samples in native byte order, writable."""
        header = self.header
        if self.place.tag != 0x7FE00010:
            kind, size = "f", header.bits_allocated // 8
        else:
            kind, size = ("i" if header.is_signed else "u"), header.bits_allocated // 8
        if size == 1:
            return raw.view(f"{kind}1")
        order = "<" if header.is_little_endian else ">"
        return raw.view(f"{order}{kind}{size}").astype(f"{kind}{size}")

    def _bytes(self, number: int) -> NDArray[np.uint8]:
        """The bytes of one frame, writable; for one-bit data from the byte that its first bit lies in."""
        header = self.header
        start = number * header.frame_bits // 8
        length = math.ceil((number + 1) * header.frame_bits / 8) - start
        swapped = not header.is_little_endian and header.bits_allocated <= 8 and self.place.vr != "OB"
        if swapped:
            # Eight-bit samples in big-endian words are swapped in pairs (PS3.5 8.1.1): read whole words.
            first = start - start % 2
            whole = self._span(first, length + (start - first) + ((length + start - first) % 2))
            pairs = whole[: len(whole) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
            whole = np.concatenate([pairs, whole[len(pairs) :]])
            return np.ascontiguousarray(whole[start - first : start - first + length])
        return self._span(start, length)

    def _span(self, start: int, length: int) -> NDArray[np.uint8]:
        length = min(length, (self.place.length or 0) - start)
        target = np.empty(max(0, length), dtype=np.uint8)
        self._fill(self.place.offset + start, target)
        return target

    def _readinto(self, number: int, target: NDArray[Any]) -> None:
        self._fill(self.place.offset + number * target.nbytes, target)

    def _fill(self, offset: int, target: NDArray[Any]) -> None:
        if self._file is None:
            content = np.frombuffer(self._inflated or b"", dtype=np.uint8)[offset : offset + target.nbytes]
            if content.size != target.nbytes:
                raise UnreadableFile(changed(self.header.path))
            target.reshape(-1).view(np.uint8)[...] = content
            return
        view = memoryview(target.reshape(-1).view(np.uint8).data)
        try:
            self._file.seek(offset)
            # One read goes straight into the target: it is larger than the file's own buffer.
            complete = self._file.readinto(view) == len(view)  # type: ignore[attr-defined]
        except OSError as err:
            text = _("{name} cannot be read: {reason}.")
            raise UnreadableFile(text.format(name=self.header.name, reason=err.strerror or str(err))) from err
        if not complete:
            raise UnreadableFile(changed(self.header.path))


def changed(path: Path) -> str:
    """The sentence for a file that has lost bytes since it was found."""
    return _("{name} is shorter than when it was found: it has changed meanwhile. Open it again.").format(name=gate.harmless(path.name))
