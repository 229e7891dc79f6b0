"""Which voxels lie between two limits: in the image's own number type, without copies, padding and NaN left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.api import Image, Refused, gettext


def between(image: Image, low: float | None, high: float | None) -> NDArray[np.bool_]:
    """True where a voxel's value lies between the limits, both included; None: no limit on that side.

    Raises
    ------
    Refused
        The lower limit is above the upper one.
    """
    if low is not None and high is not None and low > high:
        raise Refused(gettext("The lower limit {low:g} is above the upper limit {high:g}. Swap them.").format(low=low, high=high))
    values = image.values
    inside = _within(values, low, high)
    if image.padding is not None:
        inside &= ~_within(values, *image.padding)
    if values.dtype.kind == "f" and (low is None or high is None):
        # A comparison is false for NaN but not for an infinity on the open side.
        inside &= np.isfinite(values)
    return inside


def _within(values: NDArray[Any], low: float | None, high: float | None) -> NDArray[np.bool_]:
    if values.dtype.kind in "iu":
        # Whole limits in the array's own type: a float limit would turn the whole volume into float64.
        limits = np.iinfo(values.dtype)
        first = limits.min if low is None else math.ceil(max(low, limits.min - 1))
        last = limits.max if high is None else math.floor(min(high, limits.max + 1))
        if first > limits.max or last < limits.min or first > last:
            return np.zeros(values.shape, np.bool_)
        low, high = max(first, int(limits.min)), min(last, int(limits.max))
        below_is_open, above_is_open = low == limits.min, high == limits.max
    else:
        below_is_open, above_is_open = low is None, high is None
        # Limits rounded like the values: a voxel of 0.1 lies within an upper limit of 0.1, as in SimpleITK.
        low, high = (None if n is None else values.dtype.type(n) for n in (low, high))
    inside = np.ones(values.shape, np.bool_) if below_is_open else values >= low
    if not above_is_open:
        inside &= values <= high
    return inside
