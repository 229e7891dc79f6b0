"""A plane through a volume, however it is turned: a rectangle of square samples in millimetres of the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.geometry import Triple


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the samples of a picture lie.

    Parameters
    ----------
    origin : (x, y, z)
        Centre of the first sample (row 0, column 0), in the geometry's unit.
    right, down : (x, y, z)
        Unit vectors of increasing column and row; at right angles.
    step : float
        Distance of neighbouring samples, both ways.
    shape : (rows, columns)
    """

    origin: Triple
    right: Triple
    down: Triple
    step: float
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        right, down = np.asarray(self.right), np.asarray(self.down)
        if abs(np.linalg.norm(right) - 1) > 1e-6 or abs(np.linalg.norm(down) - 1) > 1e-6 or abs(float(right @ down)) > 1e-6:
            raise ValueError(f"{self.right} and {self.down} are not unit vectors at right angles")
        if not self.step > 0 or min(self.shape) < 1:
            raise ValueError(f"a plane of {self.shape} samples, {self.step} apart")

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector away from the viewer's side: right x down."""
        return np.cross(self.right, self.down)

    def to_patient(self, row: ArrayLike, column: ArrayLike) -> NDArray[np.float64]:
        """Places (..., 3) of fractional rows and columns."""
        rows, columns = np.asarray(row, dtype=np.float64)[..., None], np.asarray(column, dtype=np.float64)[..., None]
        return np.asarray(np.asarray(self.origin) + self.step * (rows * np.asarray(self.down) + columns * np.asarray(self.right)))

    def shifted(self, distance: float) -> Cut:
        """The same rectangle, moved along its normal."""
        x, y, z = (float(c) for c in np.asarray(self.origin) + distance * self.normal)
        return Cut((x, y, z), self.right, self.down, self.step, self.shape)
