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
    if ball and not geometry.is_rectangular and axis == geometry.plane_axis:
        return _uneven_ball(geometry, start, end, axis, radius)
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


def _uneven_ball(geometry: Geometry, start: Triple, end: Triple, axis: int, radius: float) -> Stamp | None:
    """A ball in a stack whose planes lean or lie unevenly: of each plane the disc that the ball has at its height."""
    normal = geometry.vector(axis)
    plane = math.floor(geometry.to_index(end)[axis] + 0.5)
    if not 0 <= plane < geometry.shape[axis]:
        return None
    heights = np.asarray(geometry.plane_origins) @ normal
    parts: list[Stamp] = []
    for number in np.flatnonzero(np.abs(heights - heights[plane]) <= radius):
        away = float(heights[number] - heights[plane])
        (x0, y0, z0), (x1, y1, z1) = (np.asarray(place) + normal * (heights[number] - float(np.asarray(place) @ normal)) for place in (start, end))
        disc = math.sqrt(max(0.0, radius * radius - away * away))
        made = stamp(geometry, (float(x0), float(y0), float(z0)), (float(x1), float(y1), float(z1)), axis, disc)
        if made is not None:
            parts.append(made)
    if not parts:
        return None
    planes, rows, columns = (slice(min(p.box[n].start for p in parts), max(p.box[n].stop for p in parts)) for n in range(3))
    box: Box = (planes, rows, columns)
    mask = np.zeros([s.stop - s.start for s in box], np.bool_)
    for part in parts:
        mask[tuple(slice(p.start - s.start, p.stop - s.start) for p, s in zip(part.box, box, strict=True))] |= part.mask
    return Stamp(box, mask)


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
