"""From a file's affine to a geometry, with the faults that real files have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Geometry, Index

# Headers hold float32, or text with a few digits: rounding, no shear.
RIGHT_ANGLE_TOLERANCE = 2e-4


def from_affine(affine: NDArray[np.float64], shape: Index, *, between_known: bool = True) -> Geometry | None:
    """The geometry of a (4, 4) affine that takes (column, row, plane, 1) to LPS mm; None where it is sheared.

    The affine must be finite and not flat. A left-handed grid stays as stored.
    """
    steps = affine[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    turn = steps / spacing
    if np.abs(turn.T @ turn - np.eye(3)).max() > RIGHT_ANGLE_TOLERANCE:
        return None
    left, _, right = np.linalg.svd(turn)
    turn = left @ right  # rounding off: exactly orthonormal
    turn[np.abs(turn) < 1e-12] = 0.0
    x, y, z = (float(c) + 0.0 for c in affine[:3, 3])
    return Geometry(
        shape,
        (x, y, z),
        (float(spacing[2]), float(spacing[1]), float(spacing[0])),
        tuple(float(c) + 0.0 for c in turn.ravel()),
        between_known=between_known,
    )
