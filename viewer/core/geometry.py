"""Where the voxels of a grid lie: index (plane, row, column) <-> place (x, y, z).

Places are DICOM patient coordinates (LPS: +x left, +y posterior, +z head) in millimetres where the file says so
(``is_patient``). Where it does not, places are in the image's own frame: x along the columns, y along the rows,
z along the planes, in millimetres if the spacing is known and in pixels if not (``unit``).

Planes are parallel, but real stacks lean (gantry tilt) and have uneven gaps: then every plane has an origin of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.letters import shown_letters

Triple = tuple[float, float, float]
Index = tuple[int, int, int]
Plane = Literal["acquired", "axial", "coronal", "sagittal"]
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

# A component smaller than sin 5 degrees is not worth a letter (CONVENTIONS C10).
LETTER_LIMIT = 0.087


@dataclass(frozen=True, slots=True)
class Geometry:
    """A stack of parallel planes of equal pixels: a rectangular grid, or ``plane_origins`` says where each plane lies.

    Parameters
    ----------
    shape : (planes, rows, columns)
    origin : (x, y, z)
        Centre of voxel (0, 0, 0), in ``unit``.
    spacing : (between planes, between rows, between columns)
        In ``unit``; positive. 1 where it is not known. Of a stack with ``plane_origins``: the median distance of planes along
        their normal.
    direction : nine numbers, row by row
        The 3x3 matrix whose columns are the unit vectors of increasing column, row and plane index, as SimpleITK's
        ``GetDirection()``. Orthonormal; the determinant is +1 or, as NIfTI and NRRD files may have it, -1.
    is_patient : bool
        Whether origin and direction are the patient's (LPS).
    in_plane_known, between_known : bool
        Whether the spacing of rows and columns, and that of planes, is known.
    frame_uid : str
        DICOM's frame of reference UID; "" where there is none.
    plane_origins : one (x, y, z) for each plane, or ()
        Centre of the first voxel of every plane, where the planes do not lie evenly along their normal: a stack that leans,
        has uneven gaps or misses planes. () for a rectangular grid. In ascending order along the normal.
    plane_axis : int
        The array axis along which the file's planes follow each other: 0, unless the axes were ``permuted``. What is said of
        ``between_known`` and ``plane_origins`` is said of this axis.
    """

    shape: Index
    origin: Triple = (0.0, 0.0, 0.0)
    spacing: Triple = (1.0, 1.0, 1.0)
    direction: tuple[float, ...] = IDENTITY
    is_patient: bool = True
    in_plane_known: bool = True
    between_known: bool = True
    frame_uid: str = ""
    plane_origins: tuple[Triple, ...] = ()
    plane_axis: int = 0

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or any(int(n) < 1 for n in self.shape):
            raise ValueError(f"shape {self.shape} is not three positive numbers")
        if len(self.direction) != 9 or not all(math.isfinite(c) for c in (*self.direction, *self.origin)):
            raise ValueError("origin or direction is not finite")
        if not all(math.isfinite(s) and s > 0 for s in self.spacing):
            raise ValueError(f"spacing {self.spacing} is not positive")
        if self.plane_axis not in (0, 1, 2):
            raise ValueError(f"there is no axis {self.plane_axis}")
        if self.plane_origins:
            self._check_planes()

    def _check_planes(self) -> None:
        places = np.asarray(self.plane_origins, dtype=np.float64)
        if places.shape != (self.shape[self.plane_axis], 3) or len(places) < 2 or not np.isfinite(places).all():
            raise ValueError(f"{len(self.plane_origins)} places of planes for {self.shape[self.plane_axis]} planes")
        if np.abs(places[0] - self.origin).max() > 1e-6:
            raise ValueError(f"the first plane lies at {self.plane_origins[0]}, the grid at {self.origin}")
        if np.diff(places @ self.vector(self.plane_axis)).min() <= 0:
            raise ValueError("the planes are not in order along their normal")

    @property
    def is_rectangular(self) -> bool:
        """Whether the planes lie evenly along their normal: index and place differ by a turn, a shift and the spacing."""
        return not self.plane_origins

    def knows(self, axis: int) -> bool:
        """Whether lengths along an array axis are known, in mm."""
        return self.between_known if axis == self.plane_axis else self.in_plane_known

    @property
    def unit(self) -> str:
        """Unit of a length in the plane: ``mm``, or ``px`` where the file gives no pixel spacing."""
        return "mm" if self.in_plane_known else "px"

    @property
    def has_volume(self) -> bool:
        """Whether three-dimensional measures (mL, reformats in mm) make sense."""
        return self.in_plane_known and self.between_known and self.shape[self.plane_axis] > 1

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Direction as (3, 3); columns: increasing column, row, plane index."""
        return np.asarray(self.direction, dtype=np.float64).reshape(3, 3).copy()

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4): takes (column, row, plane, 1) to (x, y, z, 1).

        With ``plane_origins`` the steps between planes are their mean: exact for a stack that leans evenly (the columns are then
        not at right angles), and for the first and last plane of any other.
        """
        affine = np.eye(4)
        affine[:3, :3] = self.matrix * np.asarray(self.spacing[::-1])
        affine[:3, 3] = self.origin
        if self.plane_origins:
            first, last = np.asarray(self.plane_origins[0]), np.asarray(self.plane_origins[-1])
            affine[:3, 2 - self.plane_axis] = (last - first) / (len(self.plane_origins) - 1)
        return affine

    @property
    def voxel_volume_mm3(self) -> float | None:
        """Volume of a voxel, None where a spacing is not known. Leaning planes change nothing: the distance is that along the normal."""
        if not (self.in_plane_known and self.between_known):
            return None
        return float(np.prod(self.spacing))

    def to_patient(self, index: ArrayLike) -> NDArray[np.float64]:
        """Places (..., 3) as (x, y, z) of indices (..., 3) as (plane, row, column); fractions allowed."""
        steps = np.asarray(index, dtype=np.float64) * np.asarray(self.spacing)
        if self.plane_origins:
            steps[..., self.plane_axis] = 0.0
            return np.asarray(steps[..., ::-1] @ self.matrix.T + self._planes.at(np.asarray(index, dtype=np.float64)[..., self.plane_axis]))
        return np.asarray(steps[..., ::-1] @ self.matrix.T + np.asarray(self.origin))

    def to_index(self, position: ArrayLike) -> NDArray[np.float64]:
        """Fractional indices (..., 3) as (plane, row, column) of places (..., 3).

        With ``plane_origins``: between two planes by the distance along the normal, beyond the last by the median distance.
        """
        back = np.linalg.inv(self.matrix).T
        if self.plane_origins:
            place = np.asarray(position, dtype=np.float64)
            number = self._planes.number(place)
            index = np.asarray(((place - self._planes.at(number)) @ back)[..., ::-1] / np.asarray(self.spacing))
            index[..., self.plane_axis] = number
            return index
        offset = np.asarray(position, dtype=np.float64) - np.asarray(self.origin)
        return np.asarray((offset @ back)[..., ::-1] / np.asarray(self.spacing))

    @property
    def _planes(self) -> _Planes:
        return _planes_of(self.plane_origins, self.direction, self.plane_axis, self.spacing[self.plane_axis])

    def nearest(self, position: ArrayLike) -> Index | None:
        """Index of the voxel that holds a place, None outside (voxels reach half a step beyond their centres).

        Where planes are missing there is no voxel: nothing lies farther from a plane than three quarters of the median distance.
        """
        index = np.floor(self.to_index(position) + 0.5).astype(int)
        if not (np.all(index >= 0) and np.all(index < np.asarray(self.shape))):
            return None
        if self.plane_origins:
            away = np.asarray(position, dtype=np.float64) - np.asarray(self.plane_origins[int(index[self.plane_axis])])
            if abs(float(away @ self.vector(self.plane_axis))) > 0.75 * self.spacing[self.plane_axis]:
                return None
        return (int(index[0]), int(index[1]), int(index[2]))

    def contains(self, index: Index) -> bool:
        return all(0 <= i < n for i, n in zip(index, self.shape, strict=True))

    def axis_of(self, plane: Plane) -> int:
        """The array axis (0 planes, 1 rows, 2 columns) that a display plane scrolls along.

        Axial scrolls along the axis nearest to head-feet, coronal nearest to front-back, sagittal nearest to
        right-left; no axis serves two of them. Without a patient frame: axial is the acquired plane, coronal goes
        along rows, sagittal along columns.
        """
        if plane == "acquired":
            return 0
        order: dict[str, int] = {"sagittal": 0, "coronal": 1, "axial": 2}
        if not self.is_patient:
            return {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
        weights = np.abs(self.matrix)
        best: dict[int, int] = {}
        for flat in np.argsort(-weights, axis=None, kind="stable"):
            world, column = divmod(int(flat), 3)
            if world not in best and column not in best.values():
                best[world] = column
        return 2 - best[order[plane]]

    def vector(self, axis: int) -> NDArray[np.float64]:
        """Unit vector (x, y, z) of increasing index along an array axis (0 planes, 1 rows, 2 columns); of planes that lean, their normal."""
        return self.matrix[:, 2 - axis].copy()

    def spacing_along(self, direction: ArrayLike) -> float:
        """How far apart voxels are along a direction: the spacing along an array axis, between axes less than the largest spacing."""
        grid = self.straight()
        away = np.asarray(direction, dtype=np.float64) @ grid.matrix / np.asarray(grid.spacing[::-1])
        return float(1 / np.sqrt((away**2).sum()))

    def corners(self, beyond: float = 0.5) -> NDArray[np.float64]:
        """The eight corners (8, 3) of the grid: ``beyond`` 0.5 those of its voxels, 0 the centres of the outermost ones."""
        ends = [(-beyond, n - 1 + beyond) for n in self.shape]
        return self.to_patient(np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1).T)

    def letters(self, axis: int, sign: int = 1) -> str:
        """Patient letters (L R A P H F) of walking along an array axis; "" without a patient frame."""
        return letters(self.vector(axis) * sign) if self.is_patient else ""

    def same_grid(self, other: Geometry, tolerance: float = 1e-3) -> bool:
        """Whether both put every voxel in the same place, to a fraction of a voxel."""
        if self.shape != other.shape or self.is_patient != other.is_patient:
            return False
        ends: list[tuple[int, int] | range] = [(0, n - 1) for n in self.shape]
        for uneven in (self, other):
            if uneven.plane_origins:
                ends[uneven.plane_axis] = range(self.shape[uneven.plane_axis])
        corners = np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1).T
        apart = np.abs(self.to_patient(corners) - other.to_patient(corners)).max()
        return bool(apart <= tolerance * max(1.0, min(self.spacing)) * 10)

    def cropped(self, start: Index, shape: Index) -> Geometry:
        """The grid of a box of this one."""
        x, y, z = self.to_patient(start)
        origins: tuple[Triple, ...] = ()
        if self.plane_origins and shape[self.plane_axis] > 1:
            index = np.repeat(np.asarray([start], dtype=np.float64), shape[self.plane_axis], axis=0)
            index[:, self.plane_axis] += np.arange(shape[self.plane_axis])
            origins = _triples(self.to_patient(index))
        return replace(self, shape=shape, origin=(float(x), float(y), float(z)), plane_origins=origins)

    def permuted(self, order: Index) -> Geometry:
        """The same grid with its array axes in another order: axis n of the result is axis ``order[n]`` of this one."""
        columns = self.matrix[:, [2 - order[2], 2 - order[1], 2 - order[0]]]
        return replace(
            self,
            shape=(self.shape[order[0]], self.shape[order[1]], self.shape[order[2]]),
            spacing=(self.spacing[order[0]], self.spacing[order[1]], self.spacing[order[2]]),
            direction=tuple(float(c) for c in columns.ravel()),
            plane_axis=order.index(self.plane_axis),
        )

    def flipped(self, axis: int) -> Geometry:
        """The same voxels, counted from the other end of an array axis."""
        last = [0, 0, 0]
        last[axis] = self.shape[axis] - 1
        (origin,) = _triples(self.to_patient([last]))
        matrix = self.matrix
        matrix[:, 2 - axis] *= -1
        origins = self.plane_origins
        if origins:
            shift = np.zeros(3) if axis == self.plane_axis else np.asarray(origin) - np.asarray(self.origin)
            origins = _triples(np.asarray(origins[::-1] if axis == self.plane_axis else origins) + shift)
        return replace(self, origin=origin, direction=tuple(float(c) for c in matrix.ravel()), plane_origins=origins)

    def straight(self) -> Geometry:
        """The rectangular grid of the same directions that holds the centre of every voxel; itself where it is rectangular.

        The planes keep their ends, and lie about the median distance apart; pixels keep their size.
        """
        if not self.plane_origins:
            return self
        axis = self.plane_axis
        offsets = ((np.asarray(self.plane_origins) - np.asarray(self.origin)) @ np.linalg.inv(self.matrix).T)[:, ::-1]
        low, high = offsets.min(axis=0), offsets.max(axis=0)
        steps = max(1, round((high[axis] - low[axis]) / self.spacing[axis]))
        spacing, shape = list(self.spacing), list(self.shape)
        for n in range(3):
            # A twentieth of a pixel is rounding in the file: no reason for another row.
            shape[n] += math.ceil((high[n] - low[n]) / spacing[n] - 0.05)
        spacing[axis], shape[axis] = float(high[axis] - low[axis]) / steps, steps + 1
        x, y, z = (float(c) for c in self.matrix @ low[::-1] + np.asarray(self.origin))
        sides, counts = (spacing[0], spacing[1], spacing[2]), (shape[0], shape[1], shape[2])
        return replace(self, shape=counts, origin=(x, y, z), spacing=sides, between_known=True, plane_origins=())

    def resampled(self, spacing: Triple) -> Geometry:
        """A rectangular grid over the same extent with another spacing (planes, rows, columns)."""
        if self.plane_origins:
            return self.straight().resampled(spacing)
        ratio = np.asarray(self.spacing) / np.asarray(spacing)
        counts = np.maximum(1, np.round(np.asarray(self.shape) * ratio)).astype(int)
        x, y, z = self.to_patient(0.5 / ratio - 0.5)
        return replace(
            self,
            shape=(int(counts[0]), int(counts[1]), int(counts[2])),
            spacing=spacing,
            origin=(float(x), float(y), float(z)),
        )


@dataclass(frozen=True, slots=True)
class _Planes:
    """Places of planes by their number, fractions and numbers beyond the ends too."""

    places: NDArray[np.float64]
    """(planes + 2, 3): one more at either end, the median distance on."""
    heights: NDArray[np.float64]
    normal: NDArray[np.float64]

    def at(self, number: NDArray[np.float64]) -> NDArray[np.float64]:
        segment = np.clip(np.floor(number), -1, len(self.places) - 3).astype(int) + 1
        share = (number - (segment - 1))[..., None]
        return np.asarray(self.places[segment] + share * (self.places[segment + 1] - self.places[segment]))

    def number(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        height = place @ self.normal
        segment = np.clip(np.searchsorted(self.heights, height, side="right") - 1, 0, len(self.heights) - 2)
        return np.asarray(segment - 1 + (height - self.heights[segment]) / (self.heights[segment + 1] - self.heights[segment]))


@lru_cache(maxsize=64)
def _planes_of(origins: tuple[Triple, ...], direction: tuple[float, ...], axis: int, distance: float) -> _Planes:
    normal = np.asarray(direction, dtype=np.float64).reshape(3, 3)[:, 2 - axis]
    places = np.asarray(origins, dtype=np.float64)
    first, last = places[1] - places[0], places[-1] - places[-2]
    ends = places[0] - first * (distance / (first @ normal)), places[-1] + last * (distance / (last @ normal))
    whole = np.vstack([ends[0], places, ends[1]])
    return _Planes(whole, whole @ normal, normal.copy())


def _triples(places: NDArray[np.float64]) -> tuple[Triple, ...]:
    return tuple((float(x), float(y), float(z)) for x, y, z in places)


def rotation(axis: ArrayLike, degrees: float) -> NDArray[np.float64]:
    """The matrix (3, 3) that turns by an angle about an axis of any length, right-handed (Rodrigues)."""
    n = np.asarray(axis, dtype=np.float64)
    x, y, z = n / np.linalg.norm(n)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = math.radians(degrees)
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross))


def letters(vector: ArrayLike) -> str:
    """Up to three patient letters of a direction, largest first (CONVENTIONS C10): (0.866, 0.5, 0) is ``LP``."""
    v = np.asarray(vector, dtype=np.float64)
    names = ("L" if v[0] > 0 else "R", "P" if v[1] > 0 else "A", "H" if v[2] > 0 else "F")
    order = np.argsort(-np.abs(v), kind="stable")
    return "".join(names[i] for i in order if abs(v[i]) >= LETTER_LIMIT)


def place_text(position: ArrayLike, unit: str, is_patient: bool) -> str:
    """A place in words: ``L 12.3  P 45.6  H 78.9 mm`` (letters instead of signs), or ``x 12.3  y 45.6`` without patient."""
    x, y, z = (float(c) for c in np.asarray(position))
    if not is_patient:
        return f"x {x:.1f}  y {y:.1f}  z {z:.1f} {unit}"
    named = (("L" if x >= 0 else "R", x), ("P" if y >= 0 else "A", y), ("H" if z >= 0 else "F", z))
    return "  ".join(f"{shown_letters(letter)} {abs(value):.1f}" for letter, value in named) + f" {unit}"
