"""Where the voxels of a grid lie: index (plane, row, column) <-> place (x, y, z).

Places are DICOM patient coordinates (LPS: +x left, +y posterior, +z head) in millimetres where the file says so
(``is_patient``). Where it does not, places are in the image's own frame: x along the columns, y along the rows,
z along the planes, in millimetres if the spacing is known and in pixels if not (``unit``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Triple = tuple[float, float, float]
Index = tuple[int, int, int]
Plane = Literal["acquired", "axial", "coronal", "sagittal"]
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

# A component smaller than sin 5 degrees is not worth a letter (CONVENTIONS C10).
LETTER_LIMIT = 0.087


@dataclass(frozen=True, slots=True)
class Geometry:
    """A regular grid.

    Parameters
    ----------
    shape : (planes, rows, columns)
    origin : (x, y, z)
        Centre of voxel (0, 0, 0), in ``unit``.
    spacing : (between planes, between rows, between columns)
        In ``unit``; positive. 1 where it is not known.
    direction : nine numbers, row by row
        The 3x3 matrix whose columns are the unit vectors of increasing column, row and plane index, as SimpleITK's
        ``GetDirection()``. Orthonormal; the determinant is +1 or, as NIfTI and NRRD files may have it, -1.
    is_patient : bool
        Whether origin and direction are the patient's (LPS).
    in_plane_known, between_known : bool
        Whether the spacing of rows and columns, and that of planes, is known.
    frame_uid : str
        DICOM's frame of reference UID; "" where there is none.
    """

    shape: Index
    origin: Triple = (0.0, 0.0, 0.0)
    spacing: Triple = (1.0, 1.0, 1.0)
    direction: tuple[float, ...] = IDENTITY
    is_patient: bool = True
    in_plane_known: bool = True
    between_known: bool = True
    frame_uid: str = ""

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or any(int(n) < 1 for n in self.shape):
            raise ValueError(f"shape {self.shape} is not three positive numbers")
        if len(self.direction) != 9 or not all(math.isfinite(c) for c in (*self.direction, *self.origin)):
            raise ValueError("origin or direction is not finite")
        if not all(math.isfinite(s) and s > 0 for s in self.spacing):
            raise ValueError(f"spacing {self.spacing} is not positive")

    @property
    def unit(self) -> str:
        """Unit of a length in the plane: ``mm``, or ``px`` where the file gives no pixel spacing."""
        return "mm" if self.in_plane_known else "px"

    @property
    def has_volume(self) -> bool:
        """Whether three-dimensional measures (mL, reformats in mm) make sense."""
        return self.in_plane_known and self.between_known and self.shape[0] > 1

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Direction as (3, 3); columns: increasing column, row, plane index."""
        return np.asarray(self.direction, dtype=np.float64).reshape(3, 3)

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4): takes (column, row, plane, 1) to (x, y, z, 1)."""
        affine = np.eye(4)
        affine[:3, :3] = self.matrix * np.asarray(self.spacing[::-1])
        affine[:3, 3] = self.origin
        return affine

    @property
    def voxel_volume_mm3(self) -> float | None:
        """Volume of a voxel, None where a spacing is not known."""
        if not (self.in_plane_known and self.between_known):
            return None
        return float(np.prod(self.spacing))

    def to_patient(self, index: ArrayLike) -> NDArray[np.float64]:
        """Places (..., 3) as (x, y, z) of indices (..., 3) as (plane, row, column); fractions allowed."""
        steps = np.asarray(index, dtype=np.float64) * np.asarray(self.spacing)
        return np.asarray(steps[..., ::-1] @ self.matrix.T + np.asarray(self.origin))

    def to_index(self, position: ArrayLike) -> NDArray[np.float64]:
        """Fractional indices (..., 3) as (plane, row, column) of places (..., 3)."""
        offset = np.asarray(position, dtype=np.float64) - np.asarray(self.origin)
        return np.asarray((offset @ np.linalg.inv(self.matrix).T)[..., ::-1] / np.asarray(self.spacing))

    def nearest(self, position: ArrayLike) -> Index | None:
        """Index of the voxel that holds a place, None outside (voxels reach half a step beyond their centres)."""
        index = np.floor(self.to_index(position) + 0.5).astype(int)
        if np.all(index >= 0) and np.all(index < np.asarray(self.shape)):
            return (int(index[0]), int(index[1]), int(index[2]))
        return None

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
        """Unit vector (x, y, z) of increasing index along an array axis (0 planes, 1 rows, 2 columns)."""
        return self.matrix[:, 2 - axis].copy()

    def letters(self, axis: int, sign: int = 1) -> str:
        """Patient letters (L R A P H F) of walking along an array axis; "" without a patient frame."""
        return letters(self.vector(axis) * sign) if self.is_patient else ""

    def same_grid(self, other: Geometry, tolerance: float = 1e-3) -> bool:
        """Whether both put every voxel in the same place, to a fraction of a voxel."""
        if self.shape != other.shape or self.is_patient != other.is_patient:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij")).reshape(3, -1).T
        apart = np.abs(self.to_patient(corners) - other.to_patient(corners)).max()
        return bool(apart <= tolerance * max(1.0, min(self.spacing)) * 10)

    def cropped(self, start: Index, shape: Index) -> Geometry:
        """The grid of a box of this one."""
        x, y, z = self.to_patient(start)
        return replace(self, shape=shape, origin=(float(x), float(y), float(z)))

    def permuted(self, order: Index) -> Geometry:
        """The same grid with its array axes in another order: axis n of the result is axis ``order[n]`` of this one."""
        columns = self.matrix[:, [2 - order[2], 2 - order[1], 2 - order[0]]]
        return replace(
            self,
            shape=(self.shape[order[0]], self.shape[order[1]], self.shape[order[2]]),
            spacing=(self.spacing[order[0]], self.spacing[order[1]], self.spacing[order[2]]),
            direction=tuple(float(c) for c in columns.ravel()),
        )

    def resampled(self, spacing: Triple) -> Geometry:
        """A grid over the same extent with another spacing (planes, rows, columns)."""
        ratio = np.asarray(self.spacing) / np.asarray(spacing)
        counts = np.maximum(1, np.round(np.asarray(self.shape) * ratio)).astype(int)
        x, y, z = self.to_patient(0.5 / ratio - 0.5)
        return replace(
            self,
            shape=(int(counts[0]), int(counts[1]), int(counts[2])),
            spacing=spacing,
            origin=(float(x), float(y), float(z)),
        )


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
    return "  ".join(f"{letter} {abs(value):.1f}" for letter, value in named) + f" {unit}"
