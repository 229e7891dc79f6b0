"""How a plane of a grid lies on the screen, and where a place on the screen is in the grid and in the patient.

Three kinds of coordinates meet here: indices (plane, row, column) of the array; picture points (x right, y down), where
one unit is the smaller side of a pixel and the picture's upper left corner is (0, 0), so that the centre of the first
pixel lies at half a pixel (CONVENTIONS C05); and points of a viewport, through a :class:`Placement`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry, Plane, Triple, letters

Point = tuple[float, float]
NO_AXIS = 3
"""``axis`` of a plane that is none of the array's (:mod:`viewer.core.oblique`); as an index it is an error."""
OPPOSITE = str.maketrans("LRAPHF", "RLPAFH")

# What lies to the right and to the bottom of a reformat, as a signed patient axis (C07: radiological, head up).
_HANDS: dict[str, tuple[Plane, int, Plane, int]] = {
    "axial": ("sagittal", +1, "coronal", +1),
    "coronal": ("sagittal", +1, "axial", -1),
    "sagittal": ("coronal", +1, "axial", -1),
}
_WORLD: dict[str, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


class SliceLayout(Protocol):
    """What views ask of a layout: :class:`Layout2D`, or :class:`viewer.core.oblique.ObliqueLayout` for planes that are none of the array's."""

    @property
    def axis(self) -> int: ...
    @property
    def flip_axis(self) -> bool: ...
    @property
    def count(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def step(self) -> Point: ...
    @property
    def unit_length(self) -> float: ...
    @property
    def size(self) -> Point: ...
    def array_index(self, index: int) -> int: ...
    def slice_of(self, array_index: float) -> float: ...
    def slice_at(self, geometry: Geometry, position: ArrayLike) -> float: ...
    def cut(self, geometry: Geometry, index: float) -> Cut: ...
    def plane(self, values: NDArray[Any], index: int) -> NDArray[Any]: ...
    def turned(self, plane: NDArray[Any]) -> NDArray[Any]: ...
    def index_at(self, index: float, point: Point) -> Triple: ...
    def point_at(self, index: Triple) -> Point: ...
    def edge_letters(self, geometry: Geometry, patient_orientation: tuple[str, str] | None = None) -> tuple[str, str, str, str]: ...


@dataclass(frozen=True, slots=True)
class Layout2D:
    """Which array axis is scrolled along, which go down and right on the screen, and which of them run backwards."""

    axis: int
    row_axis: int
    column_axis: int
    flip_rows: bool
    flip_columns: bool
    flip_axis: bool
    """Whether the slice numbers shown count against the array (from the patient's right, front and feet)."""
    count: int
    """Number of slices along ``axis``."""
    shape: tuple[int, int]
    """Rows and columns of the picture in pixels."""
    step: Point
    """Height and width of a pixel in picture units; the smaller is 1."""
    unit_length: float
    """Length of a picture unit in the geometry's unit."""

    @property
    def size(self) -> Point:
        """Width and height of the picture in picture units."""
        return self.shape[1] * self.step[1], self.shape[0] * self.step[0]

    def array_index(self, index: int) -> int:
        """Index along ``axis`` of the array for a slice number from 0."""
        return self.count - 1 - index if self.flip_axis else index

    def slice_of(self, array_index: float) -> float:
        """The inverse of :meth:`array_index`; fractions allowed."""
        return self.count - 1 - array_index if self.flip_axis else array_index

    def slice_at(self, geometry: Geometry, position: ArrayLike) -> float:
        """The fractional slice number that a place lies on."""
        return self.slice_of(float(geometry.to_index(position)[self.axis]))

    def cut(self, geometry: Geometry, index: float) -> Cut:
        """Where the pixels of a slice lie, as they are shown."""
        first = self.index_at(index, (self.step[1] / 2, self.step[0] / 2))
        x, y, z = (float(c) for c in geometry.to_patient(first))
        right, down = (
            tuple(float(c) + 0.0 for c in np.asarray(geometry.vector(axis)) * (-1 if is_flipped else 1))
            for axis, is_flipped in ((self.column_axis, self.flip_columns), (self.row_axis, self.flip_rows))
        )
        across, along = geometry.spacing[self.column_axis], geometry.spacing[self.row_axis]
        return Cut((x, y, z), right, down, across, self.shape, 0.0 if along == across else along)  # type: ignore[arg-type]

    def plane(self, values: NDArray[Any], index: int) -> NDArray[Any]:
        """The slice as it is shown: a view (rows, columns[, 3]) of ``values`` (planes, rows, columns[, 3]); no copy."""
        return self.turned(values[(slice(None),) * self.axis + (self.array_index(index),)])

    def turned(self, plane: NDArray[Any]) -> NDArray[Any]:
        """A plane in array order (the axis taken out) as it is shown; a view."""
        shown = plane.swapaxes(0, 1) if self.row_axis > self.column_axis else plane
        return shown[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def index_at(self, index: float, point: Point) -> Triple:
        """Fractional (plane, row, column) of a picture point on a slice; 0 is the centre of the first voxel."""
        across, down = point[0] / self.step[1] - 0.5, point[1] / self.step[0] - 0.5
        found = [0.0, 0.0, 0.0]
        found[self.axis] = self.slice_of(index)
        found[self.row_axis] = self.shape[0] - 1 - down if self.flip_rows else down
        found[self.column_axis] = self.shape[1] - 1 - across if self.flip_columns else across
        return found[0], found[1], found[2]

    def point_at(self, index: Triple) -> Point:
        """The picture point of a fractional (plane, row, column); how far it is from the slice does not matter."""
        down, across = index[self.row_axis], index[self.column_axis]
        down = self.shape[0] - 1 - down if self.flip_rows else down
        across = self.shape[1] - 1 - across if self.flip_columns else across
        return (across + 0.5) * self.step[1], (down + 0.5) * self.step[0]

    def rotated(self, quarter_turns: int = 0, *, flip_horizontal: bool = False, flip_vertical: bool = False) -> Layout2D:
        """The layout after mirroring, then quarter turns clockwise."""
        layout = replace(self, flip_rows=self.flip_rows != flip_vertical, flip_columns=self.flip_columns != flip_horizontal)
        for _ in range(quarter_turns % 4):
            # Clockwise: what went down goes left, what went right goes down.
            layout = replace(
                layout,
                row_axis=layout.column_axis,
                column_axis=layout.row_axis,
                flip_rows=layout.flip_columns,
                flip_columns=not layout.flip_rows,
                shape=layout.shape[::-1],
                step=layout.step[::-1],
            )
        return layout

    def edge_letters(self, geometry: Geometry, patient_orientation: tuple[str, str] | None = None) -> tuple[str, str, str, str]:
        """Letters at the left, top, right and bottom edge; "" where the file does not say (C09 to C11, never assumed)."""
        right = self._letters_along(geometry, self.column_axis, self.flip_columns, patient_orientation)
        bottom = self._letters_along(geometry, self.row_axis, self.flip_rows, patient_orientation)
        return right.translate(OPPOSITE), bottom.translate(OPPOSITE), right, bottom

    def _letters_along(self, geometry: Geometry, axis: int, is_flipped: bool, orientation: tuple[str, str] | None) -> str:
        if geometry.is_patient:
            return letters(geometry.vector(axis) * (-1 if is_flipped else 1))
        known = orientation[0 if axis == 2 else 1] if orientation and axis else ""
        if any(letter not in "LRAPHF" for letter in known):
            return ""  # quadruped terms
        return known.translate(OPPOSITE) if is_flipped else known


def layout_of(geometry: Geometry, plane: Plane = "acquired", *, pixel_aspect: float = 1.0) -> Layout2D:
    """The layout of a display plane.

    Parameters
    ----------
    geometry : Geometry
    plane : "acquired", "axial", "coronal" or "sagittal"
        Acquired is as stored, rows to the right and columns down (C08). The others are radiological (C07), along the
        nearest array axes; without a patient frame they are the array's own axes, as stored.
    pixel_aspect : float
        Height of a stored pixel over its width, where the spacing is not known.
    """
    axis = geometry.axis_of(plane)
    if plane == "acquired" or not geometry.is_patient:
        row_axis, column_axis = sorted({0, 1, 2} - {axis})
        flips = (False, False, False)
    else:
        right, right_sign, down, down_sign = _HANDS[plane]
        column_axis, row_axis = geometry.axis_of(right), geometry.axis_of(down)
        flips = (
            down_sign * _component(geometry, row_axis, down) < 0,
            right_sign * _component(geometry, column_axis, right) < 0,
            _component(geometry, axis, plane) < 0,
        )
    sides = list(geometry.spacing)
    if not geometry.in_plane_known:
        sides[1] = sides[2] * pixel_aspect
    height, width = sides[row_axis], sides[column_axis]
    smaller = min(height, width)
    return Layout2D(
        axis=axis, row_axis=row_axis, column_axis=column_axis, flip_rows=flips[0], flip_columns=flips[1], flip_axis=flips[2],
        count=geometry.shape[axis], shape=(geometry.shape[row_axis], geometry.shape[column_axis]),
        step=(height / smaller, width / smaller), unit_length=smaller,
    )  # fmt: skip


def _component(geometry: Geometry, axis: int, plane: Plane) -> float:
    """Patient component of an array axis along the patient axis that a plane is at right angles to."""
    return float(geometry.vector(axis)[_WORLD[plane]])


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the picture lies in a viewport: viewport = offset + zoom * picture."""

    zoom: float
    """Viewport pixels to a picture unit."""
    offset: Point

    def to_viewport(self, point: Point) -> Point:
        return self.offset[0] + self.zoom * point[0], self.offset[1] + self.zoom * point[1]

    def to_picture(self, point: Point) -> Point:
        return (point[0] - self.offset[0]) / self.zoom, (point[1] - self.offset[1]) / self.zoom


def fit_zoom(size: Point, viewport: Point) -> float:
    """The zoom at which the whole picture is seen."""
    return max(1e-3, min(viewport[0] / size[0], viewport[1] / size[1]))


def place(size: Point, viewport: Point, *, zoom: float | None = None, center: Point | None = None) -> Placement:
    """Put a picture of ``size`` into a viewport: ``center`` (picture point, None: its middle) in the middle, ``zoom`` None to fit."""
    zoom = fit_zoom(size, viewport) if zoom is None else zoom
    x, y = center if center is not None else (size[0] / 2, size[1] / 2)
    return Placement(zoom, (viewport[0] / 2 - zoom * x, viewport[1] / 2 - zoom * y))
