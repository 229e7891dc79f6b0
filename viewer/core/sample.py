"""Values of a volume where another grid has its points: linear between voxels for images, the nearest voxel for labels (C16)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry
from viewer.core.slab import SlabMode


def sample(values: NDArray[Any], geometry: Geometry, cut: Cut, *, order: Literal[0, 1] = 1, empty: float = np.nan) -> NDArray[Any]:
    """Values on a cut.

    Parameters
    ----------
    values : (planes, rows, columns) or (planes, rows, columns, 3)
        One phase of a volume; it is not copied.
    geometry : Geometry
        Of ``values``.
    cut : Cut
        In the same patient frame.
    order : 1 or 0
        1: linear between the eight voxels around (float32). 0: the nearest voxel (the type of ``values``).
    empty : float
        What lies outside: half a voxel beyond the outermost centres, within that the outermost voxel counts (C05).

    Returns
    -------
    array of ``cut.shape`` (+ (3,) of colour)
    """
    rows, columns = np.meshgrid(np.arange(cut.shape[0]), np.arange(cut.shape[1]), indexing="ij")
    index = geometry.to_index(cut.to_patient(rows, columns))
    last = np.asarray(values.shape[:3]) - 1
    outside = ((index < -0.5) | (index >= last + 0.5)).any(axis=-1)
    index = np.clip(index, 0, last)
    if order == 0:
        near = np.floor(index + 0.5).astype(np.intp)
        found = values[near[..., 0], near[..., 1], near[..., 2]]
        found[outside] = 0 if found.dtype.kind in "iub" and not np.isfinite(empty) else empty
        return found
    low = np.minimum(np.floor(index).astype(np.intp), np.maximum(last - 1, 0))
    high = np.minimum(low + 1, last)
    part = (index - low).astype(np.float32)
    total: NDArray[Any] = np.zeros((*cut.shape, *values.shape[3:]), dtype=np.float32)
    for corner in range(8):
        bits = (corner >> 2 & 1, corner >> 1 & 1, corner & 1)
        weight = np.prod([part[..., n] if bit else 1 - part[..., n] for n, bit in enumerate(bits)], axis=0)
        at = tuple((high if bit else low)[..., n] for n, bit in enumerate(bits))
        total += (weight[..., None] if values.ndim == 4 else weight) * values[at]
    total[outside] = empty
    return total


def slab(values: NDArray[Any], geometry: Geometry, cut: Cut, *, thickness: float, mode: SlabMode, empty: float = np.nan) -> NDArray[Any]:
    """The largest, smallest or mean value across a slab of ``thickness`` (the geometry's unit) with the cut in its middle; float32.

    Sampled at steps of at most the smallest spacing; points outside of the volume do not count.
    """
    count = max(1, round(thickness / min(geometry.spacing)))
    offsets = (np.arange(count) - (count - 1) / 2) * (thickness / count)
    planes = np.stack([sample(values, geometry, cut.shifted(float(d))) for d in offsets])
    seen = np.isfinite(planes)
    if mode == "mip":
        found = np.where(seen, planes, -np.inf).max(axis=0)
    elif mode == "minip":
        found = np.where(seen, planes, np.inf).min(axis=0)
    else:
        found = np.where(seen, planes, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    found[~seen.any(axis=0)] = empty
    return np.asarray(found, dtype=np.float32)
