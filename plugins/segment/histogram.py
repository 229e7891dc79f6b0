"""How often each value occurs: exact for 8- and 16-bit integers, in fine bins for everything else. Padding and NaN do not count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.api import Image, Refused, gettext

FLOAT_BINS = 65536


@dataclass(frozen=True, slots=True)
class Histogram:
    """Values that occur, ascending, with their counts."""

    values: NDArray[np.float64]
    """The value itself, or the middle of its bin."""
    counts: NDArray[np.int64]
    half_bin: float
    """Half the width of a bin; 0 where values are exact."""


def histogram(image: Image) -> Histogram:
    """Counts of the values that occur in the image.

    Raises
    ------
    Refused
        No voxel carries a value.
    """
    dtype = image.values.dtype
    found = _of_integers(image) if dtype.kind in "iu" and dtype.itemsize <= 2 else _of_bins(image)
    if not len(found.values):
        raise Refused(gettext("The image holds padding only. Choose another image or plane."))
    return found


def _of_integers(image: Image) -> Histogram:
    dtype = image.values.dtype
    unsigned = np.dtype(f"u{dtype.itemsize}")
    counts = np.zeros(2 ** (8 * dtype.itemsize), np.int64)
    for plane in image.values:
        counts += np.bincount(plane.view(unsigned).ravel(), minlength=len(counts))
    values = np.arange(len(counts)).astype(unsigned).view(dtype).astype(np.float64)
    if image.padding is not None:
        counts[(values >= image.padding[0]) & (values <= image.padding[1])] = 0
    order = np.argsort(values)
    order = order[counts[order] > 0]
    return Histogram(values[order], counts[order], 0.0)


def _of_bins(image: Image) -> Histogram:
    good = image.valid()
    planes = [plane[valid].astype(np.float64) for plane, valid in zip(image.values, good, strict=True) if valid.any()]
    if not planes:
        return Histogram(np.empty(0), np.empty(0, np.int64), 0.0)
    low, high = min(p.min() for p in planes), max(p.max() for p in planes)
    if low == high:
        return Histogram(np.array([low]), np.array([sum(p.size for p in planes)]), 0.0)
    counts = np.zeros(FLOAT_BINS, np.int64)
    for plane in planes:
        counts += np.bincount(np.minimum(((plane - low) * (FLOAT_BINS / (high - low))).astype(np.int64), FLOAT_BINS - 1), minlength=FLOAT_BINS)
    half = (high - low) / FLOAT_BINS / 2
    used = np.flatnonzero(counts)
    return Histogram(low + (2 * used + 1) * half, counts[used], float(half))


def otsu_limit(found: Histogram) -> float:
    """The smallest value of the upper class: the split with the largest variance between the classes (Otsu 1979).

    Raises
    ------
    Refused
        There is one value only.
    """
    if len(found.values) < 2:
        raise Refused(gettext("All voxels have the value {value:g}: there is nothing to separate. Give a lower limit.").format(value=found.values[0]))
    counts, values = found.counts.astype(np.float64), found.values
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * (values - values[0]))
    means = sums[:-1] / below, (sums[-1] - sums[:-1]) / above
    split = int(np.argmax(below * above * (means[1] - means[0]) ** 2))
    return float(values[split + 1] - found.half_bin)
