"""How a plane lies on the screen that runs through a grid at any angle, or through a stack whose planes lean or are uneven.

It answers what :class:`viewer.core.layout.Layout2D` answers for planes of the array, and so stands in its place; but its slices are
no slices of the array: ``axis`` is :data:`NO_AXIS`, which equals the axis of nothing that was drawn or computed, and is no index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry, Plane, Triple, letters, rotation
from viewer.core.layout import NO_AXIS, OPPOSITE, Layout2D, Point, layout_of
from viewer.core.sample import sample

Turn = tuple[float, ...]
"""Nine numbers, row by row: the columns are the unit vectors right, down and normal (the way slices count) in the patient."""
_MOST_SIDE = 2048


@dataclass(frozen=True, slots=True)
class ObliqueLayout:
    """Slices ``distance`` apart along ``normal``; of each the same rectangle of ``shape`` samples."""

    geometry: Geometry
    origin: Triple
    """Centre of the first sample of slice 0."""
    right: Triple
    down: Triple
    normal: Triple
    distance: float
    count: int
    shape: tuple[int, int]
    step: Point
    """Height and width of a sample in picture units."""
    unit_length: float
    """Length of a picture unit in the geometry's unit."""
    is_turned: bool = True
    """Turned by the user; False for a standard plane of a stack that leans or is uneven."""
    axis: int = NO_AXIS
    flip_axis: bool = False

    @property
    def size(self) -> Point:
        """Width and height of the picture in picture units."""
        return self.shape[1] * self.step[1], self.shape[0] * self.step[0]

    def cut(self, geometry: Geometry, index: float) -> Cut:
        """Where the samples of a slice lie."""
        del geometry
        x, y, z = (float(c) for c in np.asarray(self.origin) + index * self.distance * np.asarray(self.normal))
        across, along = self.step[1] * self.unit_length, self.step[0] * self.unit_length
        return Cut((x, y, z), self.right, self.down, across, self.shape, 0.0 if along == across else along)

    def array_index(self, index: int) -> int:
        """The slice number itself: there is no axis that it would be an index along."""
        return index

    def slice_of(self, array_index: float) -> float:
        """The inverse of :meth:`array_index`."""
        return array_index

    def slice_at(self, geometry: Geometry, position: ArrayLike) -> float:
        """The fractional slice number that a place lies on."""
        del geometry
        return float((np.asarray(position, dtype=np.float64) - np.asarray(self.origin)) @ np.asarray(self.normal) / self.distance)

    def plane(self, values: NDArray[Any], index: int) -> NDArray[Any]:
        """Labels (planes, rows, columns) on a slice: those of the nearest voxels, 0 outside."""
        return sample(values, self.geometry, self.cut(self.geometry, index), order=0, empty=0)

    def turned(self, plane: NDArray[Any]) -> NDArray[Any]:
        """A sampled plane is as it is shown."""
        return plane

    def index_at(self, index: float, point: Point) -> Triple:
        """Fractional (plane, row, column) of a picture point on a slice."""
        cut = self.cut(self.geometry, index)
        place = cut.to_patient(point[1] / self.step[0] - 0.5, point[0] / self.step[1] - 0.5)
        plane, row, column = (float(c) for c in self.geometry.to_index(place))
        return plane, row, column

    def point_at(self, index: Triple) -> Point:
        """The picture point of a fractional (plane, row, column); how far it is from the slice does not matter."""
        away = self.geometry.to_patient(index) - np.asarray(self.origin)
        return float(away @ np.asarray(self.right)) / self.unit_length + 0.5 * self.step[1], (
            float(away @ np.asarray(self.down)) / self.unit_length + 0.5 * self.step[0]
        )

    def rotated(self, quarter_turns: int = 0, *, flip_horizontal: bool = False, flip_vertical: bool = False) -> ObliqueLayout:
        """The layout after mirroring, then quarter turns clockwise; slices count as before."""
        layout = self
        if flip_horizontal:
            layout = replace(layout, origin=_along(layout.origin, layout.right, layout._length(1)), right=_negative(layout.right))
        if flip_vertical:
            layout = replace(layout, origin=_along(layout.origin, layout.down, layout._length(0)), down=_negative(layout.down))
        for _ in range(quarter_turns % 4):
            # Clockwise: what went down goes left, what went right goes down.
            layout = replace(
                layout,
                origin=_along(layout.origin, layout.down, layout._length(0)),
                right=_negative(layout.down),
                down=layout.right,
                shape=layout.shape[::-1],
                step=layout.step[::-1],
            )
        return layout

    def coarser(self, factor: int) -> ObliqueLayout:
        """The same rectangles with ``factor`` times fewer samples a side."""
        rows, columns = (max(1, math.ceil(n / factor)) for n in self.shape)
        step = self.step[0] * self.shape[0] / rows, self.step[1] * self.shape[1] / columns
        origin = _along(self.origin, self.right, (step[1] - self.step[1]) / 2 * self.unit_length)
        origin = _along(origin, self.down, (step[0] - self.step[0]) / 2 * self.unit_length)
        return replace(self, origin=origin, shape=(rows, columns), step=step)

    def edge_letters(self, geometry: Geometry, patient_orientation: tuple[str, str] | None = None) -> tuple[str, str, str, str]:
        """Letters at the left, top, right and bottom edge (C10); "" without a patient frame."""
        del patient_orientation
        if not geometry.is_patient:
            return "", "", "", ""
        right, bottom = letters(self.right), letters(self.down)
        return right.translate(OPPOSITE), bottom.translate(OPPOSITE), right, bottom

    def _length(self, side: int) -> float:
        """From the first sample's centre to the last's, down (0) or right (1)."""
        return (self.shape[side] - 1) * self.step[side] * self.unit_length


def oblique_of(geometry: Geometry, turn: Turn, place: ArrayLike | None = None) -> ObliqueLayout | None:
    """The layout of a plane turned at will; None where ``turn`` is no turn.

    The slices count along the turn's normal through the whole grid, one of them through ``place`` (None: a voxel in the middle), as far
    apart as voxels are that way. Samples are squares of the smallest spacing; the rectangle holds the grid whichever slice is shown,
    so that scrolling moves nothing.
    """
    axes = _orthonormal(turn)
    if axes is None:
        return None
    right, down, normal = axes
    grid = geometry.straight()
    box, centres = grid.corners(), grid.corners(0.0)
    distance = grid.spacing_along(normal)
    anchor = np.asarray(place if place is not None else grid.to_patient([n // 2 for n in grid.shape]), dtype=np.float64)
    if not np.isfinite(anchor).all():
        return None
    along, heights = float(anchor @ normal), centres @ normal
    first, last = math.ceil((heights.min() - along) / distance - 1e-6), math.floor((heights.max() - along) / distance + 1e-6)
    last = max(first, last)
    low, high = (box @ right).min(), (box @ right).max()
    top, bottom = (box @ down).min(), (box @ down).max()
    step = max(min(grid.spacing), (high - low) / _MOST_SIDE, (bottom - top) / _MOST_SIDE)
    columns, rows = (max(1, math.ceil(length / step - 1e-6)) for length in (high - low, bottom - top))
    x, y = (low + high - (columns - 1) * step) / 2, (top + bottom - (rows - 1) * step) / 2
    origin = x * right + y * down + (along + first * distance) * normal
    return ObliqueLayout(
        geometry, _triple(origin), _triple(right), _triple(down), _triple(normal), distance=distance, count=last - first + 1,
        shape=(rows, columns), step=(1.0, 1.0), unit_length=float(step),
    )  # fmt: skip


def straightened_of(geometry: Geometry, plane: Plane, *, pixel_aspect: float = 1.0) -> ObliqueLayout:
    """The layout of a standard plane on the rectangular grid of a stack that leans, is uneven or misses planes (D59, D62)."""
    grid = geometry.straight()
    flat = layout_of(grid, plane, pixel_aspect=pixel_aspect)
    turn = np.asarray(turn_of(grid, plane)).reshape(3, 3)
    origin = grid.to_patient(flat.index_at(0, (flat.step[1] / 2, flat.step[0] / 2)))
    return ObliqueLayout(
        geometry, _triple(origin), _triple(turn[:, 0]), _triple(turn[:, 1]), _triple(turn[:, 2]), distance=grid.spacing[flat.axis],
        count=flat.count, shape=flat.shape, step=flat.step, unit_length=flat.unit_length, is_turned=False,
    )  # fmt: skip


def turn_of(geometry: Geometry, plane: Plane) -> Turn:
    """The turn at which a standard plane lies: where turning it begins."""
    return turn_of_layout(layout_of(geometry, plane), geometry)


def turn_of_layout(layout: Layout2D | ObliqueLayout, geometry: Geometry) -> Turn:
    """The turn at which a layout shows its slices, mirrored and turned in the plane as it is."""
    if isinstance(layout, ObliqueLayout):
        columns = [np.asarray(v) for v in (layout.right, layout.down, layout.normal)]
    else:
        columns = [
            geometry.vector(layout.column_axis) * (-1 if layout.flip_columns else 1),
            geometry.vector(layout.row_axis) * (-1 if layout.flip_rows else 1),
            geometry.vector(layout.axis) * (-1 if layout.flip_axis else 1),
        ]
    return tuple(float(c) + 0.0 for c in np.stack(columns, axis=1).ravel())


def turned_about(turn: Turn, axis: ArrayLike, degrees: float) -> Turn:
    """A turn after turning by an angle about an axis of the patient (right-handed)."""
    return tuple(float(c) for c in (rotation(axis, degrees) @ np.asarray(turn).reshape(3, 3)).ravel())


def _orthonormal(turn: Turn) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    if len(turn) != 9 or not all(math.isfinite(c) for c in turn):
        return None
    right, down, normal = np.asarray(turn, dtype=np.float64).reshape(3, 3).T
    if np.linalg.norm(right) < 1e-6:
        return None
    right = right / np.linalg.norm(right)
    down = down - (down @ right) * right
    if np.linalg.norm(down) < 1e-6:
        return None
    down = down / np.linalg.norm(down)
    across = np.cross(right, down)
    return right, down, across if across @ normal >= 0 else -across


def _along(place: Triple, direction: Triple, length: float) -> Triple:
    return place[0] + length * direction[0], place[1] + length * direction[1], place[2] + length * direction[2]


def _negative(vector: Triple) -> Triple:
    return -vector[0], -vector[1], -vector[2]


def _triple(values: ArrayLike) -> Triple:
    x, y, z = (float(c) + 0.0 for c in np.asarray(values))
    return x, y, z
