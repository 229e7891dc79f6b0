"""Taking one plane out of a volume along any array axis, and putting it back. A plane is an image of one plane."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Geometry, Index

_ORDERS: dict[int, Index] = {0: (0, 1, 2), 1: (1, 0, 2), 2: (2, 0, 1)}


def plane_geometry(geometry: Geometry, axis: int, index: int) -> Geometry:
    """The grid of one plane: shape (1, rows, columns) of the plane, in its place."""
    start, shape = [0, 0, 0], list(geometry.shape)
    start[axis], shape[axis] = index, 1
    return geometry.cropped((start[0], start[1], start[2]), (shape[0], shape[1], shape[2])).permuted(_ORDERS[axis])


def take_plane(values: NDArray[Any], axis: int, index: int) -> NDArray[Any]:
    """The plane as (1, rows, columns[, 3]); a view."""
    return np.moveaxis(values, axis, 0)[index : index + 1]


def put_plane(values: NDArray[Any], axis: int, index: int, plane: NDArray[Any]) -> None:
    """Write a plane (1, rows, columns[, 3]) back into the volume."""
    np.moveaxis(values, axis, 0)[index : index + 1] = plane
