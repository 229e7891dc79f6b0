"""The voxels that a brush covers between two places; computed in their box alone, fast enough for every move of the pointer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.api import Geometry, Triple
from viewer.api.tool import Box


@dataclass(frozen=True, slots=True)
class Stamp:
    """A box of the grid, and which voxels of it are covered."""

    box: Box
    mask: NDArray[np.bool_]


def stamp(geometry: Geometry, start: Triple, end: Triple, axis: int, radius: float, *, ball: bool = False) -> Stamp | None:
    """Voxels whose centres lie within ``radius`` of the line from ``start`` to ``end``, and the voxels under its ends.

    Parameters
    ----------
    geometry : Geometry
        Of the labels.
    start, end : (x, y, z)
        Places in the frame of the geometry. If they lie on different planes across ``axis``, only ``end`` counts.
    axis : int
        Array axis (0 planes, 1 rows, 2 columns) at right angles to the view.
    radius : float
        In the unit of the geometry (mm, or pixels).
    ball : bool
        Planes beside the visible one too; without it only that plane.

    Returns
    -------
    Stamp or None
        None if no voxel of the grid is covered.
    """
    last, first = (geometry.to_index(place) for place in (end, start))
    plane = math.floor(last[axis] + 0.5)
    if math.floor(first[axis] + 0.5) != plane:
        first = last
    reach = [0 if n == axis and not ball else radius / geometry.spacing[n] for n in range(3)]
    slices = []
    for n in range(3):
        ends = (plane, plane) if n == axis else (first[n], last[n])
        # Half a voxel more, so that the voxel under the pointer is always in the box.
        low, high = math.floor(min(ends) - reach[n] + 0.5), math.floor(max(ends) + reach[n] + 0.5)
        box = slice(max(0, low), min(geometry.shape[n], high + 1))
        if box.start >= box.stop:
            return None
        slices.append(box)
    box3: Box = (slices[0], slices[1], slices[2])
    rows, columns = (n for n in range(3) if n != axis)
    spacing = geometry.spacing
    y = _along(box3[rows], first[rows], spacing[rows])[:, None]
    x = _along(box3[columns], first[columns], spacing[columns])[None, :]
    way_y, way_x = float((last[rows] - first[rows]) * spacing[rows]), float((last[columns] - first[columns]) * spacing[columns])
    squared = _squared_distance(y, x, np.float32(way_y), np.float32(way_x))
    # A hair more than the radius: a voxel exactly on the rim is in, whatever float32 makes of it.
    limit = radius * radius * (1 + 1e-5)
    away = (np.arange(box3[axis].start, box3[axis].stop) - plane) * spacing[axis]
    layers = np.empty([s.stop - s.start for s in box3], np.bool_)
    for layer, distance in zip(np.moveaxis(layers, axis, 0), away, strict=True):
        np.less_equal(squared, np.float32(limit - distance * distance), out=layer)
    for place in (first, last):
        index = [plane if n == axis else math.floor(place[n] + 0.5) for n in range(3)]
        if all(s.start <= i < s.stop for i, s in zip(index, box3, strict=True)):
            layers[tuple(i - s.start for i, s in zip(index, box3, strict=True))] = True
    return Stamp(box3, layers) if layers.any() else None


def _along(part: slice, origin: float, spacing: float) -> NDArray[np.float32]:
    """Distances of voxel centres from an origin along one axis."""
    return ((np.arange(part.start, part.stop) - origin) * spacing).astype(np.float32)


def _squared_distance(y: NDArray[np.float32], x: NDArray[np.float32], way_y: np.float32, way_x: np.float32) -> NDArray[np.float32]:
    """Squared distance of places (y, x) from the line between (0, 0) and (way_y, way_x)."""
    length = way_y * way_y + way_x * way_x
    if length == 0:
        return np.asarray(y * y + x * x)
    share = y * (way_y / length) + x * (way_x / length)
    np.clip(share, 0, 1, out=share)
    across, down = x - share * way_x, y - share * way_y
    across *= across
    down *= down
    across += down
    return np.asarray(across)
