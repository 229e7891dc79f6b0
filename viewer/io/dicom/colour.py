"""Colour to red, green, blue of eight bits, exactly once (PS3.3 C.7.6.3.1.2, CONVENTIONS D38 to D41)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.io.dicom import elements
from viewer.io.dicom.describe import lookup_table
from viewer.io.dicom.elements import Dataset

YBR_FULL = frozenset({"YBR_FULL", "YBR_FULL_422"})
YBR_PARTIAL = frozenset({"YBR_PARTIAL_422", "YBR_PARTIAL_420"})
# Rows of red, green, blue; columns of Y, Cb - 128, Cr - 128 (ITU-R BT.601, full range).
_FULL = np.array([[1.0, 0.0, 1.402], [1.0, -0.344136, -0.714136], [1.0, 1.772, 0.0]], dtype=np.float32)
# The same for luma of 16 to 235 and chroma of 16 to 240 (C.7.6.3.1.2, YBR_PARTIAL).
_PARTIAL = np.array([[1.1644, 0.0, 1.5960], [1.1644, -0.3917, -0.8130], [1.1644, 2.0173, 0.0]], dtype=np.float32)


def to_rgb(samples: NDArray[Any], photometric: str, bits_stored: int) -> NDArray[np.uint8]:
    """RGB uint8 of pixels (rows, columns, 3) in the photometric interpretation that the samples really have now."""
    eight = to_eight_bits(samples, bits_stored)
    if photometric in YBR_FULL:
        return ybr_to_rgb(eight, _FULL, 0.0)
    if photometric in YBR_PARTIAL:
        return ybr_to_rgb(eight, _PARTIAL, 16.0)
    return eight


def ybr_to_rgb(samples: NDArray[np.uint8], matrix: NDArray[np.float32] = _FULL, black: float = 0.0) -> NDArray[np.uint8]:
    """(..., 3) Y, Cb, Cr to R, G, B, rounded to nearest."""
    shifted = samples.astype(np.float32) - np.array([black, 128.0, 128.0], dtype=np.float32)
    return np.asarray(np.clip(np.rint(shifted @ matrix.T), 0, 255).astype(np.uint8))


def to_eight_bits(samples: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    """The eight highest of the stored bits; fewer bits are kept as they are."""
    if samples.dtype == np.uint8:
        return samples
    words = samples.view(f"u{samples.dtype.itemsize}") if samples.dtype.kind == "i" else samples
    return np.asarray((words >> max(0, bits_stored - 8)).astype(np.uint8))


def interleaved(samples: NDArray[Any], rows: int, columns: int, planar: int) -> NDArray[Any]:
    """One native colour frame, flat, as (rows, columns, 3); planar configuration 1 has the colours one after another."""
    if planar == 1:
        return samples.reshape(3, rows, columns).transpose(1, 2, 0)
    return samples.reshape(rows, columns, 3)


def expand_422(samples: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Native 4:2:2 (Y Y Cb Cr for two pixels) as (rows, columns, 3), chroma repeated (D40)."""
    pairs = samples.reshape(rows, columns // 2, 4)
    full = np.empty((rows, columns // 2, 2, 3), dtype=samples.dtype)
    full[..., 0] = pairs[..., :2]
    full[..., 1] = pairs[..., 2:3]
    full[..., 2] = pairs[..., 3:4]
    return full.reshape(rows, columns, 3)


class Palette:
    """Three tables from stored values to eight-bit colours (PS3.3 C.7.6.3.1.5, C.7.9); clamped outside."""

    def __init__(self, first: int, table: NDArray[np.uint8]) -> None:
        self.first, self.table = first, table

    def apply(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """(rows, columns) stored values to (rows, columns, 3)."""
        if self.first == 0 and stored.dtype.kind == "u" and stored.dtype.itemsize == 1 and len(self.table) >= 256:
            return np.asarray(self.table[stored])
        return np.asarray(self.table[np.clip(stored.astype(np.int64) - self.first, 0, len(self.table) - 1)])


def read_palette(dataset: Dataset, *, signed: bool) -> Palette | None:
    """The palette of a file, None where it is missing or not whole."""
    if elements.raw(dataset, 0x00281201) is None and elements.raw(dataset, 0x00281221) is not None:
        return _segmented(dataset, signed=signed)
    channels = [lookup_table(dataset, 0x00281101 + n, 0x00281201 + n, signed=signed) for n in range(3)]
    return _combined([(c[0], c[1], c[2]) for c in channels if c is not None])


def _combined(channels: list[tuple[int, list[int], int]]) -> Palette | None:
    if len(channels) != 3:
        return None
    first, length = channels[0][0], max(len(c[1]) for c in channels)
    table = np.zeros((length, 3), dtype=np.uint16)
    for n, (_first, entries, _bits) in enumerate(channels):
        table[: len(entries), n] = entries
        table[len(entries) :, n] = entries[-1]
    # Sixteen-bit entries give their high byte (D41), unless the writer used eight of the sixteen only.
    if int(table.max()) > 255:
        table >>= 8
    return Palette(first, table.astype(np.uint8))


def _segmented(dataset: Dataset, *, signed: bool) -> Palette | None:
    channels = []
    for n in range(3):
        descriptor = elements.shorts(dataset, 0x00281101 + n)
        if len(descriptor) != 3:
            return None
        first = elements.shorts(dataset, 0x00281101 + n, signed=signed)[1]
        wide = descriptor[2] > 8
        codes = elements.samples(dataset, 0x00281221 + n, wide=wide)
        entries = _expand(codes, descriptor[0] or 65536, wide=wide)
        if entries is None:
            return None
        channels.append((first, entries, descriptor[2]))
    return _combined(channels)


def _expand(codes: NDArray[np.uint16], count: int, *, wide: bool) -> list[int] | None:
    """Segments of PS3.3 C.7.9.2: discrete (0), linear (1), indirect (2); None where they do not give ``count`` entries."""
    words = [int(c) for c in codes]
    found: list[int] = []
    starts: list[int] = []

    def segment(place: int) -> int:
        """Append the segment at a place; the place after it, -1 where it is damaged."""
        if place + 1 >= len(words):
            return -1
        kind, length = words[place], words[place + 1]
        if kind == 0 and length and place + 2 + length <= len(words):
            found.extend(words[place + 2 : place + 2 + length])
            return place + 2 + length
        if kind == 1 and found and length and place + 2 < len(words):
            begin, end = found[-1], words[place + 2]
            found.extend(round(begin + (end - begin) * (n + 1) / length) for n in range(length))
            return place + 3
        return -1

    place = 0
    while place < len(words) and len(found) < count:
        if words[place] == 2:
            # Byte offset of the first of a number of earlier segments, low word first; never itself indirect.
            parts = words[place + 2 : place + (4 if wide else 6)]
            if len(parts) != (2 if wide else 4):
                return None
            target = sum(part << (16 if wide else 8) * n for n, part in enumerate(parts)) // (2 if wide else 1)
            if target not in starts:
                return None
            again = starts.index(target)
            for start in starts[again : again + words[place + 1]]:
                if len(found) > 2 * 65536 or segment(start) < 0:
                    return None
            place += 2 + len(parts)
            continue
        starts.append(place)
        place = segment(place)
        if place < 0:
            return None
    return found[:count] if len(found) >= count else None
