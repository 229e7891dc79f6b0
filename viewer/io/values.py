"""Stored numbers to modality values: slope and intercept, then the smallest type that holds them exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from viewer.core import memory
from viewer.io.series import Progress


def settle(stored: NDArray[Any], slope: float = 1.0, intercept: float = 0.0, *, progress: Progress | None = None) -> NDArray[Any]:
    """Modality values of an array (phases, planes, ...), in shareable memory.

    The type is what :func:`viewer.core.volume.smallest_exact` gives for the whole array, but only one plane at a time is
    held in float64. ``stored`` itself is returned where it is already right.
    """
    scaled = (slope, intercept) != (1.0, 0.0)
    kind = _smallest(stored, slope, intercept, scaled)
    if not scaled and stored.dtype == kind and stored.dtype.isnative and stored.flags.c_contiguous and memory.locate(stored):
        return stored
    values = memory.allocate(stored.shape, kind)
    planes = stored.shape[0] * stored.shape[1]
    done = 0
    for phase in range(stored.shape[0]):
        for plane in range(stored.shape[1]):
            part = stored[phase, plane]
            # Values beyond float32 become infinite, as the type has it; NaN stays.
            with np.errstate(over="ignore", invalid="ignore"):
                values[phase, plane] = _scale(part, slope, intercept) if scaled else part
            done += 1
            if progress:
                progress(done, planes)
    return values


def _scale(part: NDArray[Any], slope: float, intercept: float) -> NDArray[np.float64]:
    return np.asarray(part.astype(np.float64) * slope + intercept)


def _smallest(stored: NDArray[Any], slope: float, intercept: float, scaled: bool) -> DTypeLike:
    if stored.dtype == np.bool_:
        return np.uint8
    low, high = np.inf, -np.inf
    for phase in stored:
        for plane in phase:
            with np.errstate(over="ignore", invalid="ignore"):
                part = _scale(plane, slope, intercept) if scaled else plane
            least, most = part.min(), part.max()
            if part.dtype.kind == "f" and (not (np.isfinite(least) and np.isfinite(most)) or not np.array_equal(part, np.rint(part))):
                return np.float32
            low, high = min(low, int(least)), max(high, int(most))
    for kind in (np.uint8, np.int8, np.uint16, np.int16):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return np.dtype(kind)
    return np.dtype(np.float32)
