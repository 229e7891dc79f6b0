"""Grids whose axes are not at right angles (a sheared sform of NIfTI, slanted directions of NRRD): brought onto a rectangular grid.

Stacks of planes that lean or lie unevenly are :mod:`viewer.io.straight`'s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.geometry import Geometry, Index


def rectangular(affine: NDArray[np.float64], shape: Index) -> Geometry:
    """The rectangular grid that holds a sheared one.

    Parameters
    ----------
    affine : (4, 4)
        Takes (column, row, plane, 1) to LPS mm; columns of any angle, but not flat.
    shape : (planes, rows, columns)

    Notes
    -----
    The directions are the nearest orthonormal ones (polar decomposition), the spacing is that of the file's axes.
    """
    steps = affine[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    left, _, right = np.linalg.svd(steps / spacing)
    turn = left @ right
    ends = [(0, n - 1) for n in shape[::-1]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    own = (corners @ steps.T + affine[:3, 3]) @ turn
    low, high = own.min(axis=0), own.max(axis=0)
    counts = np.maximum(1, np.ceil((high - low) / spacing - 1e-6).astype(int) + 1)
    x, y, z = turn @ low
    return Geometry(
        (int(counts[2]), int(counts[1]), int(counts[0])),
        (float(x), float(y), float(z)),
        (float(spacing[2]), float(spacing[1]), float(spacing[0])),
        tuple(float(c) for c in turn.ravel()),
    )


def straighten(values: NDArray[Any], affine: NDArray[np.float64], geometry: Geometry) -> NDArray[Any]:
    """Values (phases, planes, rows, columns[, 3]) of a sheared grid on ``geometry``.

    The nearest voxel is taken, so that no value is invented (labels stay labels); outside is the smallest value.
    """
    shape = (values.shape[0], *geometry.shape, *values.shape[4:])
    result = memory.allocate(shape, values.dtype)
    result[...] = np.nanmin(values) if values.dtype.kind == "f" else values.min()
    planes, rows, columns = values.shape[1:4]
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape[1:]), indexing="ij"), -1).reshape(-1, 2)
    back = np.linalg.inv(affine)
    for plane in range(geometry.shape[0]):
        places = geometry.to_patient(np.column_stack([np.full(len(grid), plane), grid]))
        column, row, k = np.floor(places @ back[:3, :3].T + back[:3, 3] + 0.5).astype(int).T
        inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows) & (k >= 0) & (k < planes)
        to = grid[inside]
        result[:, plane, to[:, 0], to[:, 1]] = values[:, k[inside], row[inside], column[inside]]
    return result
