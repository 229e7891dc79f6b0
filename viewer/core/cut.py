"""A plane through a volume, however it is turned: a rectangle of samples in millimetres of the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        Distance of neighbouring samples in a row, and of rows where ``row_step`` is 0.
    shape : (rows, columns)
    row_step : float
        Distance of neighbouring rows, where it is another one: the grid of an image whose pixels are not square.
    """

    origin: Triple
    right: Triple
    down: Triple
    step: float
    shape: tuple[int, int]
    row_step: float = 0.0

    def __post_init__(self) -> None:
        right, down = np.asarray(self.right), np.asarray(self.down)
        if abs(np.linalg.norm(right) - 1) > 1e-6 or abs(np.linalg.norm(down) - 1) > 1e-6 or abs(float(right @ down)) > 1e-6:
            raise ValueError(f"{self.right} and {self.down} are not unit vectors at right angles")
        if not self.step > 0 or not self.row_step >= 0 or min(self.shape) < 1:
            raise ValueError(f"a plane of {self.shape} samples, {self.step} apart")

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector away from the viewer's side: right x down."""
        return np.cross(self.right, self.down)

    @property
    def down_step(self) -> float:
        """Distance of neighbouring rows."""
        return self.row_step or self.step

    def to_patient(self, row: ArrayLike, column: ArrayLike) -> NDArray[np.float64]:
        """Places (..., 3) of fractional rows and columns."""
        rows, columns = np.asarray(row, dtype=np.float64)[..., None], np.asarray(column, dtype=np.float64)[..., None]
        return np.asarray(np.asarray(self.origin) + rows * (self.down_step * np.asarray(self.down)) + columns * (self.step * np.asarray(self.right)))

    def shifted(self, distance: float) -> Cut:
        """The same rectangle, moved along its normal."""
        x, y, z = (float(c) for c in np.asarray(self.origin) + distance * self.normal)
        return replace(self, origin=(x, y, z))
