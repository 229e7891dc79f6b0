"""A coarse grid of values on a finer one, smooth in the plane: what is drawn linearly between few cells has creases that look like edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Geometry

_FACTOR, _COARSE = 8, 64


def refined(values: NDArray[Any], geometry: Geometry) -> tuple[NDArray[np.float32], Geometry]:
    """(planes, rows, columns) on a grid with eight rows and columns for each over the same area; as it is where it is not coarse.

    The values of the cells lie in their middles, between them a cubic (Catmull-Rom) within the range of all; beyond the outermost
    middles the outermost values count.
    """
    planes, rows, columns = values.shape
    if max(rows, columns) > _COARSE or not geometry.is_rectangular:
        return np.asarray(values, dtype=np.float32), geometry
    found = _weights(rows) @ np.asarray(values, dtype=np.float64) @ _weights(columns).T
    found = np.clip(found, values.min(), values.max()).astype(np.float32)
    shift = (1 / _FACTOR - 1) / 2
    x, y, z = (float(c) for c in geometry.to_patient((0, shift, shift)))
    between, down, across = geometry.spacing
    shape = (planes, rows * _FACTOR, columns * _FACTOR)
    return np.ascontiguousarray(found), replace(geometry, shape=shape, origin=(x, y, z), spacing=(between, down / _FACTOR, across / _FACTOR))


def _weights(count: int) -> NDArray[np.float64]:
    """(8 count, count): what each cell is worth at each place of the finer grid."""
    places = (np.arange(count * _FACTOR) + 0.5) / _FACTOR - 0.5
    low = np.floor(places).astype(np.intp)
    t = places - low
    parts = (-t * (1 - t) ** 2 / 2, 1 - t**2 * (5 - 3 * t) / 2, t * (1 + 4 * t - 3 * t**2) / 2, -(t**2) * (1 - t) / 2)
    found = np.zeros((places.size, count))
    for step, part in enumerate(parts):
        np.add.at(found, (np.arange(places.size), np.clip(low + step - 1, 0, count - 1)), part)
    return found
