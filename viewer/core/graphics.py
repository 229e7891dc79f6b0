"""What files lay over their pixels: overlay planes of one bit, and shutters that cover what lies outside of the exposed field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

GraphicKind = Literal["graphic", "region"]


@dataclass(frozen=True, slots=True)
class GraphicPlane:
    """One overlay of one plane (PS3.3 C.9.2), already cut to the image."""

    phase: int
    plane: int
    number: int
    """1 for the group 6000, 2 for 6002 and so on."""
    kind: GraphicKind
    """"graphic" is drawn at once, "region" marks an area and is drawn when asked for."""
    name: str = ""
    bits: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0), np.uint8), compare=False, repr=False)
    """(rows, ceil(columns / 8)), packed along the columns, the first in the highest bit."""

    def mask(self, columns: int) -> NDArray[np.bool_]:
        """(rows, columns): True where something is drawn."""
        return np.unpackbits(self.bits, axis=1, count=columns).view(np.bool_)


@dataclass(frozen=True, slots=True)
class Shutter:
    """What covers the pixels outside of a field (PS3.3 C.7.6.11); where several shapes are given, what any of them covers.

    Rows and columns are counted from 0 here; the file counts from 1.
    """

    rectangle: tuple[int, int, int, int] | None = None
    """First and last row, first and last column that are seen."""
    circle: tuple[float, float, float] | None = None
    """Row and column of the centre, radius in pixels."""
    polygon: tuple[tuple[int, int], ...] = ()
    """Corners as (row, column)."""
    bitmap: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    """What is covered, packed as in :class:`GraphicPlane`."""
    level: int = 0
    """Grey from 0 (black) to 255 that covers."""

    def covered(self, rows: int, columns: int) -> NDArray[np.bool_]:
        """(rows, columns): True where the picture is covered."""
        down, across = np.ogrid[:rows, :columns]
        hidden = np.zeros((rows, columns), dtype=np.bool_)
        if self.rectangle is not None:
            top, bottom, left, right = self.rectangle
            hidden |= (down < top) | (down > bottom) | (across < left) | (across > right)
        if self.circle is not None:
            row, column, radius = self.circle
            hidden |= (down - row) ** 2 + (across - column) ** 2 > radius**2
        if self.polygon:
            hidden |= ~_inside(self.polygon, rows, columns)
        if self.bitmap is not None:
            hidden |= np.unpackbits(self.bitmap, axis=1, count=columns)[:rows].view(np.bool_)
        return hidden


def _inside(corners: tuple[tuple[int, int], ...], rows: int, columns: int) -> NDArray[np.bool_]:
    """Pixels whose centre lies in a polygon (even-odd) or on its outline: the corners themselves are seen."""
    inside = np.zeros((rows, columns), dtype=np.bool_)
    across = np.arange(columns)
    for (r0, c0), (r1, c1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        steps = max(abs(r1 - r0), abs(c1 - c0), 1)
        if steps < 1 << 20:
            line = np.rint(np.linspace((r0, c0), (r1, c1), steps + 1)).astype(np.intp)
            line = line[(line[:, 0] >= 0) & (line[:, 0] < rows) & (line[:, 1] >= 0) & (line[:, 1] < columns)]
            inside[line[:, 0], line[:, 1]] = True
    crossings = np.zeros((rows, columns), dtype=np.bool_)
    for (r0, c0), (r1, c1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        for row in range(max(0, min(r0, r1)), min(rows, max(r0, r1))):
            crossings[row] ^= across < c0 + (row - r0) * (c1 - c0) / (r1 - r0)
    return inside | crossings
