"""Overlay planes (groups 6000 to 601E) and display shutters of image files (CONVENTIONS D44, D45). Neither touches a voxel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.core.graphics import GraphicKind, GraphicPlane, Shutter
from viewer.core.words import _
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset

MOST_CORNERS = 4096


@dataclass(frozen=True, slots=True)
class Overlay:
    """One overlay group of a file, unpacked only when a frame of it is asked for."""

    group: int
    kind: GraphicKind
    name: str
    rows: int
    columns: int
    row: int
    """Where its first row and column lie on the image, from 0; may be negative or outside."""
    column: int
    frames: int
    first_frame: int
    """The image frame, from 0, that its first frame belongs to."""
    packed: NDArray[np.uint8] | None
    """Bits of all frames, the first in the lowest bit; None where they lie in the pixels (retired)."""
    bit: int = 0
    """Position in the pixels' words, for those."""

    @property
    def number(self) -> int:
        return (self.group - 0x6000) // 2 + 1

    def bits(self, frame: int, words: Callable[[int], NDArray[np.integer]] | None = None) -> NDArray[np.bool_] | None:
        """(rows, columns) of the image's frame, None where the overlay has none for it.

        ``words`` gives the unmasked words (rows, columns) of an image frame, for overlays inside of the pixels.
        """
        number = frame - self.first_frame
        if self.packed is None:
            if words is None:
                return None
            stored = words(frame)
            return ((stored.view(f"u{stored.dtype.itemsize}") >> self.bit) & 1).astype(np.bool_)
        if not 0 <= number < self.frames:
            return None
        size = self.rows * self.columns
        first = number * size
        part = self.packed[first // 8 : -(-(first + size) // 8)]
        bits = np.unpackbits(part, bitorder="little")[first % 8 : first % 8 + size]
        return bits.reshape(self.rows, self.columns).view(np.bool_) if bits.size == size else None


def read_overlays(dataset: Dataset, groups: tuple[int, ...], encodings: tuple[str, ...]) -> tuple[list[Overlay], list[str]]:
    """The overlays of a file that can be drawn, and for each other one why not."""
    found: list[Overlay] = []
    said: list[str] = []
    for group in groups:
        overlay, problem = _read(dataset, group, encodings)
        if overlay is not None:
            found.append(overlay)
        else:
            said.append(f"({group:04X}) {problem}")
    return found, said


def _read(dataset: Dataset, group: int, encodings: tuple[str, ...]) -> tuple[Overlay | None, str]:
    def tag(element: int) -> int:
        return group << 16 | element

    rows, columns = elements.integer(dataset, tag(0x0010)) or 0, elements.integer(dataset, tag(0x0011)) or 0
    frames = max(1, elements.integer(dataset, tag(0x0015)) or 1)
    origin = elements.shorts(dataset, tag(0x0050), signed=True)
    if len(origin) < 2:
        origin = (1, 1)
    allocated, position = elements.integer(dataset, tag(0x0100)) or 1, elements.integer(dataset, tag(0x0102)) or 0
    embedded = elements.raw(dataset, tag(0x3000)) is None
    packed = None
    if not 0 < rows < 65536 or not 0 < columns < 65536:
        return None, _("has no size")
    if embedded:
        if allocated < 8 or position <= 0 or position >= allocated:
            return None, _("has no data")
        if allocated != elements.integer(dataset, 0x00280100):
            return None, _("should lie in the pixels, but in words of another size")
    else:
        packed = np.frombuffer(_bytes(dataset, tag(0x3000)), dtype=np.uint8)
        if packed.size * 8 < rows * columns:
            return None, _("needs {needed} bytes, {found} are there").format(needed=math.ceil(rows * columns / 8), found=packed.size)
        frames = min(frames, packed.size * 8 // (rows * columns))
    kind: GraphicKind = "region" if elements.text(dataset, tag(0x0040)) == "R" else "graphic"
    name = elements.words(dataset, tag(0x1500), encodings) or elements.words(dataset, tag(0x0022), encodings)
    first_frame = max(1, elements.integer(dataset, tag(0x0051)) or 1) - 1
    return Overlay(group, kind, name[:64], rows, columns, origin[0] - 1, origin[1] - 1, frames, first_frame, packed, position), ""


def _bytes(dataset: Dataset, tag: int) -> bytes:
    """Overlay bits in the order of little endian, whatever the file's: words of big-endian files are turned round (PS3.5 8.1.2)."""
    raw = elements.raw(dataset, tag)
    value = elements.raw_bytes(dataset, tag)
    if not getattr(raw, "is_little_endian", True) and (getattr(raw, "VR", "") or "OW") == "OW":
        return np.frombuffer(value[: len(value) // 2 * 2], dtype=">u2").astype("<u2").tobytes()
    return value


def on_image(bits: NDArray[np.bool_], row: int, column: int, rows: int, columns: int) -> NDArray[np.bool_]:
    """(rows, columns): the overlay cut to the image; ``row`` and ``column`` say where its first bit lies, from 0."""
    placed = np.zeros((rows, columns), dtype=np.bool_)
    top, left = max(0, row), max(0, column)
    bottom, right = min(rows, row + bits.shape[0]), min(columns, column + bits.shape[1])
    if top < bottom and left < right:
        placed[top:bottom, left:right] = bits[top - row : bottom - row, left - column : right - column]
    return placed


def graphic(overlay: Overlay, bits: NDArray[np.bool_], phase: int, plane: int, rows: int, columns: int) -> GraphicPlane | None:
    """The record that is drawn; None where nothing of it falls on the image."""
    placed = on_image(bits, overlay.row, overlay.column, rows, columns)
    if not placed.any():
        return None
    return GraphicPlane(phase, plane, overlay.number, overlay.kind, overlay.name, np.packbits(placed, axis=1))


def read_shutter(dataset: Dataset, rows: int, columns: int) -> tuple[Shutter | None, tuple[str, ...]]:
    """The display shutter of an image and the names of its shapes; shapes that are not whole are left out."""
    shapes = elements.texts(dataset, 0x00181600)
    rectangle = circle = bitmap = None
    polygon: tuple[tuple[int, int], ...] = ()
    named: list[str] = []
    if "RECTANGULAR" in shapes:
        edges = [elements.integer(dataset, tag) for tag in (0x00181606, 0x00181608, 0x00181602, 0x00181604)]
        upper, lower, left, right = edges
        if upper is not None and lower is not None and left is not None and right is not None:
            rectangle = (upper - 1, lower - 1, left - 1, right - 1)
            named.append("RECTANGULAR")
    if "CIRCULAR" in shapes:
        center, radius = elements.numbers(dataset, 0x00181610), elements.number(dataset, 0x00181612)
        if len(center) == 2 and radius and radius > 0 and all(math.isfinite(c) for c in center):
            circle = (center[0] - 1, center[1] - 1, radius)
            named.append("CIRCULAR")
    if "POLYGONAL" in shapes:
        numbers = elements.numbers(dataset, 0x00181620)
        if 6 <= len(numbers) <= 2 * MOST_CORNERS and len(numbers) % 2 == 0 and all(math.isfinite(n) and abs(n) < 1e6 for n in numbers):
            polygon = tuple((int(r) - 1, int(c) - 1) for r, c in zip(numbers[::2], numbers[1::2], strict=True))
            named.append("POLYGONAL")
    if "BITMAP" in shapes:
        bitmap = _bitmap(dataset, rows, columns)
        if bitmap is not None:
            named.append("BITMAP")
    if not named:
        return None, ()
    value = elements.shorts(dataset, 0x00181622)
    # A P-value of 16 bits (C.11.6): its high byte is the grey of the screen. Missing: black.
    level = value[0] >> 8 if value else 0
    return Shutter(rectangle, circle, polygon, bitmap, level), tuple(named)


def _bitmap(dataset: Dataset, rows: int, columns: int) -> NDArray[np.uint8] | None:
    """What the overlay named by Shutter Overlay Group covers."""
    group = elements.shorts(dataset, 0x00181623)
    if not group or not 0x6000 <= group[0] <= 0x601E:
        return None
    overlay, _problem = _read(dataset, group[0], ("ascii",))
    bits = overlay.bits(overlay.first_frame) if overlay is not None else None
    if overlay is None or bits is None:
        return None
    return np.packbits(on_image(bits, overlay.row, overlay.column, rows, columns), axis=1)
