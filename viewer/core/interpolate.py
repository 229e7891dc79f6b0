"""Values between voxels, a block of samples at a time, in buffers that stay in the processor's cache.

Index arithmetic in 32 bits, eight gathers, seven mixtures: as fast as compiled resamplers, without a copy of the volume.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry

BLOCK = 1 << 16
"""Samples to a tile: fewer, and threads get into each other's way; more, and the cache is too small."""
_GAP = 1.5
"""Planes farther apart than this many median distances have others missing between them (D60)."""
_ON_PLANE = 1e-6
_WITHIN = 0.01
_ON_VOXEL = 1e-3
"""Indices in 32 bits are right to less than a thousandth."""
Floats = NDArray[np.float32]


class _Buffers(threading.local):
    """Room for one block, for each thread its own."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, np.dtype[Any]], NDArray[Any]] = {}

    def room(self, name: str, shape: tuple[int, int], dtype: Any = np.float32) -> NDArray[Any]:
        """An array of a shape; what it holds goes when it is asked for again."""
        key, size = (name, np.dtype(dtype)), shape[0] * shape[1]
        kept = self._kept.get(key)
        if kept is None or kept.size < size:
            kept = self._kept[key] = np.empty(max(size, BLOCK), dtype=dtype)
        return kept[:size].reshape(shape)


buffers = _Buffers()


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of a cut, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Where the samples of a tile lie: three fractional indices (rows, columns) within the array."""

    places: tuple[Floats, Floats, Floats]
    outside: NDArray[np.bool_] | None
    """Which of them lie outside of it; None: none does."""
    is_within: bool = False
    """Whether all are known to lie well within the array."""


def tiles_of(shape: tuple[int, int]) -> list[Tile]:
    """A picture in tiles of about :data:`BLOCK` samples: near each other in the picture, they are so in the volume."""
    rows, columns = (math.ceil(n / max(1, round(n / BLOCK**0.5))) for n in shape)
    return [
        Tile(top, min(top + rows, shape[0]), left, min(left + columns, shape[1]))
        for top in range(0, shape[0], rows)
        for left in range(0, shape[1], columns)
    ]


class Places:
    """Where the samples of a cut lie in the array of a grid, in fractional indices.

    An affine map takes places to indices. Of an uneven stack it is that of evenly spaced planes with the same ends; what it is off,
    for each plane, is known by numbers.
    """

    def __init__(self, geometry: Geometry, cut: Cut) -> None:
        self.geometry, self.cut = geometry, cut
        self.last = np.asarray(geometry.shape, dtype=np.float64) - 1
        origin = np.asarray(cut.origin)
        ends = np.stack([origin, origin + cut.down_step * np.asarray(cut.down), origin + cut.step * np.asarray(cut.right), origin + cut.normal])
        index = _affine_index(geometry, ends)
        self._right, self._normal = index[2] - index[0], index[3] - index[0]
        self._rows = index[0] + np.arange(cut.shape[0])[:, None] * (index[1] - index[0])
        self._columns = (np.arange(cut.shape[1]) * self._right[:, None]).astype(np.float32)
        self._off: NDArray[np.float64] | None = None
        """(planes + 2, 3): where the affine map puts the first pixel of each plane, and of one more at either end."""
        if not is_affine(geometry):
            numbers = np.zeros((geometry.shape[geometry.plane_axis] + 2, 3))
            numbers[:, geometry.plane_axis] = np.arange(-1, len(numbers) - 1)
            self._off = _affine_index(geometry, geometry.to_patient(numbers))

    def of(self, tile: Tile, shift: float) -> Part | None:
        """The places of a tile of the cut moved by ``shift`` along its normal; None where all lie outside.

        Gaps of missing planes count as outside, and within half a plane of one as that plane.
        """
        rows = self._rows[tile.top : tile.bottom] + (tile.left * self._right + shift * self._normal)  # (rows, 3)
        across = self._right * (tile.right - tile.left - 1)
        lowest = np.minimum(rows[0], rows[-1]) + np.minimum(across, 0)
        highest = np.maximum(rows[0], rows[-1]) + np.maximum(across, 0)
        if self._off is not None:
            return self._of_uneven(self._sums(rows, tile), self._off)
        if (lowest >= _WITHIN).all() and (highest <= self.last - _WITHIN).all():
            return Part(self._sums(rows, tile), None, is_within=True)
        if (highest < -0.5).any() or (lowest >= self.last + 0.5).any():
            return None
        return self._kept_inside(self._sums(rows, tile), lowest, highest, None)

    def _sums(self, rows: NDArray[np.float64], tile: Tile) -> tuple[Floats, Floats, Floats]:
        columns = self._columns[:, : tile.right - tile.left]
        a, b, c = (
            np.add(rows[:, axis].astype(np.float32)[:, None], columns[axis], out=buffers.room(f"place{axis}", tile.shape)) for axis in range(3)
        )
        return a, b, c

    def _kept_inside(
        self, places: tuple[Floats, Floats, Floats], lowest: NDArray[np.float64], highest: NDArray[np.float64], gap: NDArray[np.bool_] | None
    ) -> Part | None:  # fmt: skip
        outside = gap if gap is not None else np.zeros(places[0].shape, dtype=np.bool_)
        for axis, (place, last) in enumerate(zip(places, self.last, strict=True)):
            if lowest[axis] < -0.5:
                outside |= place < -0.5
            if highest[axis] >= last + 0.5:
                outside |= place >= last + 0.5
            np.clip(place, np.float32(0), np.float32(last), out=place)
        if not outside.any():
            return Part(places, None)
        return None if outside.all() else Part(places, outside)

    def _of_uneven(self, places: tuple[Floats, Floats, Floats], off: NDArray[np.float64]) -> Part | None:
        axis = self.geometry.plane_axis
        even = places[axis].ravel()
        if even.max() <= off[0, axis] or even.min() >= off[-1, axis]:
            return None
        for other in {0, 1, 2} - {axis}:
            if np.abs(off[1:-1, other]).max() > 1e-3:  # shifted sideways, more than an even lean
                places[other].ravel()[...] -= np.interp(even, off[:, axis], off[:, other]).astype(np.float32)
        number = np.interp(even, off[:, axis], np.arange(-1.0, len(off) - 1)).reshape(places[axis].shape)
        gap = snap_to_planes(number, self.geometry)
        np.copyto(places[axis], number, casting="same_kind")
        far = np.full(3, np.inf)
        return self._kept_inside(places, -far, far, gap)


def is_affine(geometry: Geometry) -> bool:
    """Whether index and place differ by an affine map: a rectangular grid, or planes that lean but are even."""
    if geometry.is_rectangular:
        return True
    places = np.asarray(geometry.plane_origins)
    even = places[0] + np.arange(len(places))[:, None] * ((places[-1] - places[0]) / (len(places) - 1))
    return bool(np.abs(places - even).max() < 1e-3 * min(geometry.spacing))


def _affine_index(geometry: Geometry, places: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = geometry.affine
    return np.asarray(((places - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T)[:, ::-1])


def snap_to_planes(number: NDArray[np.float64], geometry: Geometry) -> NDArray[np.bool_]:
    """Which fractional plane numbers lie in a gap of missing planes. Those nearer than half a plane to its edge become that plane, in place."""
    heights = np.asarray(geometry.plane_origins) @ geometry.vector(geometry.plane_axis)
    gaps = np.diff(heights)
    empty = np.zeros(number.shape, dtype=np.bool_)
    lowest, highest = float(number.min()), float(number.max())
    wide = [int(n) for n in np.flatnonzero(gaps > _GAP * geometry.spacing[geometry.plane_axis]) if n < highest and n + 1 > lowest]
    limit = geometry.straight().spacing[geometry.plane_axis] * (0.5 - _ON_PLANE) if wide else 0.0
    for first in wide:
        inside = (number > first) & (number < first + 1)
        share = number[inside] - first
        empty[inside] = np.minimum(share, 1 - share) * gaps[first] > limit
        number[inside] = np.rint(number[inside])
    return empty


def linear(values: NDArray[Any], part: Part, out: Floats) -> None:
    """Into ``out`` (n, m) the values of a part, linear between the eight voxels around. Its places are used up.

    ``values`` is C-contiguous (planes, rows, columns).
    """
    shape, places = out.shape, part.places
    flat = _start(values, part, is_nearest=False)
    _planes, rows, columns = values.shape
    steps = [n if extent > 1 else 0 for n, extent in zip((rows * columns, columns, 1), values.shape, strict=True)]
    source = values.reshape(-1)
    corner, spare = buffers.room("corner", shape, values.dtype), buffers.room("spare", shape)
    a, b, c = (buffers.room(name, shape) for name in ("a", "b", "c"))

    def mix_row(offset: int, into: Floats) -> None:
        """The mixture of two neighbours in a row, ``offset`` behind the lower voxel."""
        for behind, room in ((offset, into), (offset + steps[2], spare)):
            # "clip" spares numpy a check of every index; none is outside.
            np.take(source[behind:], flat, out=corner, mode="clip")
            np.copyto(room, corner, casting="unsafe")
        _mix(into, spare, places[2])

    mix_row(0, a)
    mix_row(steps[1], b)
    _mix(a, b, places[1])
    mix_row(steps[0], b)
    mix_row(steps[0] + steps[1], c)
    _mix(b, c, places[1])
    np.subtract(b, a, out=b)
    np.multiply(b, places[0], out=b)
    np.add(a, b, out=out)
    if values.dtype.kind == "f":
        _mend(out, source, flat, places, steps)


def _mend(out: Floats, source: NDArray[Any], flat: NDArray[np.intp], shares: Sequence[Floats], steps: Sequence[int]) -> None:
    """On a voxel its own value counts, though a neighbour that has no share in it is NaN."""
    holes = np.isnan(out)
    if not holes.any():
        return
    at = [share[holes] for share in shares]
    on_voxel = np.all([np.minimum(share, 1 - share) < _ON_VOXEL for share in at], axis=0)
    upper = sum((share > 0.5) * step for share, step in zip(at, steps, strict=True))
    out[holes] = np.where(on_voxel, source[flat[holes] + upper], np.float32(np.nan))


def nearest(values: NDArray[Any], part: Part, out: NDArray[Any]) -> None:
    """Into ``out`` (n, m) the values of the nearest voxels. The places of the part are used up."""
    flat = _start(values, part, is_nearest=True)
    out[...] = np.take(values.reshape(-1), flat, out=buffers.room("corner", out.shape, values.dtype), mode="clip")


def _start(values: NDArray[Any], part: Part, *, is_nearest: bool) -> NDArray[np.intp]:
    """Where the lower (or nearest) voxel of each sample stands in the flattened array; the places become the shares of the upper ones."""
    places, shape = part.places, part.places[0].shape
    kind = np.int32 if values.size < 1 << 31 else np.int64
    whole, sums, spare = buffers.room("whole", shape, kind), buffers.room("sums", shape, kind), buffers.room("spare", shape)
    flat = buffers.room("flat", shape, np.intp)
    for axis in range(3):
        last = values.shape[axis] - 1
        if is_nearest:
            np.add(places[axis], np.float32(0.5), out=places[axis])
        np.copyto(whole, places[axis], casting="unsafe")  # no place is below 0
        if not part.is_within:
            np.minimum(whole, last if is_nearest else max(last - 1, 0), out=whole)
        if not is_nearest:
            np.copyto(spare, whole, casting="unsafe")
            np.subtract(places[axis], spare, out=places[axis])
        if axis == 0:
            np.multiply(whole, values.shape[1], out=sums)
        elif axis == 1:
            np.add(sums, whole, out=sums)
            np.multiply(sums, values.shape[2], out=sums)
        else:
            np.add(sums, whole, out=flat)
    return flat


def _mix(low: Floats, high: Floats, share: Floats) -> None:
    """``low`` becomes the mixture; ``high`` is used up."""
    np.subtract(high, low, out=high)
    np.multiply(high, share, out=high)
    np.add(low, high, out=low)
