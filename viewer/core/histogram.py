"""How often each value occurs: counts of a plane or of a volume in equal bins, padding and shutter left out, from a sample where there are many."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.render import PerArray, full_window
from viewer.core.volume import Volume

BINS = 256
_PLANE_SAMPLES, _VOLUME_SAMPLES = 1 << 17, 1 << 19


@dataclass(frozen=True, slots=True)
class Histogram:
    """``counts[i]`` values lie from ``low + i * step`` on, up to the next; whole numbers never fall unevenly into the bins."""

    low: float
    step: float
    counts: NDArray[np.int64] = field(repr=False, compare=False)
    is_sampled: bool = False

    @property
    def high(self) -> float:
        """The end of the last bin."""
        return self.low + self.step * len(self.counts)


def bins_between(low: float, high: float, *, is_whole: bool) -> tuple[float, float, int]:
    """First edge, step and number of about 256 bins over values from ``low`` to ``high``, both included.

    A bin of whole numbers holds equally many of them: else every second or third bin would stand out like a comb.
    """
    if not is_whole:
        return low, max(high - low, 1e-12) / BINS * (1 + 1e-9), BINS
    step = max(1, math.ceil((high - low + 1) / BINS))
    return low - 0.5, float(step), max(1, math.ceil((high - low + 1) / step))


def counted(values: NDArray[Any], edges: tuple[float, float, int], padding: tuple[float, float] | None = None) -> NDArray[np.int64]:
    """Counts of the values of any shape in the bins of :func:`bins_between`; what lies outside, padding and NaN are left out."""
    low, step, bins = edges
    flat = np.asarray(values).ravel()
    if padding is not None:
        flat = flat[(flat < padding[0]) | (flat > padding[1])]
    if flat.dtype.kind == "f":
        flat = flat[np.isfinite(flat)]
    numbers = np.floor((flat.astype(np.float64) - low) / step)
    numbers = numbers[(numbers >= 0) & (numbers < bins)]
    return np.bincount(numbers.astype(np.intp), minlength=bins).astype(np.int64)


def volume_histogram(volume: Volume) -> Histogram:
    """Of all slices and phases of a grey volume, over the full range of its values; looked at once. Takes a moment: not for the window's thread."""
    found: Histogram = _of_volumes.of(volume.data, lambda: _of_volume(volume))
    return found


def known_volume_histogram(volume: Volume) -> Histogram | None:
    """What :func:`volume_histogram` found before, None if it was not asked."""
    found: Histogram | None = _of_volumes.known(volume.data)
    return found


def plane_histogram(volume: Volume, plane: NDArray[Any], covered: NDArray[np.bool_] | None, like: Histogram) -> Histogram:
    """Of one plane, in the bins of its volume's. ``covered``: pixels under the shutter, in the plane's order.

    Takes about a millisecond: large planes are thinned.
    """
    stride = max(1, math.ceil(math.sqrt(plane.size / _PLANE_SAMPLES)))
    values = plane[::stride, ::stride]
    if covered is not None:
        values = values[~covered[::stride, ::stride]]
    return Histogram(like.low, like.step, counted(values, (like.low, like.step, len(like.counts)), volume.padding), stride > 1)


def _of_volume(volume: Volume) -> Histogram:
    full = full_window(volume)
    is_whole = volume.data.dtype.kind in "iu"
    edges = bins_between(full.low, full.high, is_whole=is_whole)
    stride = max(1, math.ceil((volume.data.size / _VOLUME_SAMPLES) ** (1 / 3)))
    seen = ~volume.shutter.covered(*volume.geometry.shape[1:])[::stride, ::stride] if volume.shutter is not None else None
    counts = np.zeros(edges[2], dtype=np.int64)
    planes = volume.data.reshape(-1, *volume.data.shape[-2:])
    for plane in planes[:: stride if len(planes) > stride else 1]:
        thin = plane[::stride, ::stride]
        counts += counted(thin if seen is None else thin[seen], edges, volume.padding)
    return Histogram(edges[0], edges[1], counts, stride > 1)


_of_volumes = PerArray()
