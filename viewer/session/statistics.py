"""Facts about a volume's values that many need and that cost a pass over all voxels; computed once per volume."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from viewer.core.volume import Volume

_KEPT = 64
_ranges: OrderedDict[tuple[str, int], tuple[float, float]] = OrderedDict()


def value_range(volume: Volume, phase: int = 0) -> tuple[float, float]:
    """Smallest and largest value of a phase, padding and NaN left out; (0, 0) if nothing is left. Plane by plane: no temporary of the whole size."""
    key = (volume.id, phase)
    if key in _ranges:
        _ranges.move_to_end(key)
        return _ranges[key]
    low, high = np.inf, -np.inf
    for plane in volume.phase(phase):
        values = plane
        if volume.padding is not None:
            values = values[(values < volume.padding[0]) | (values > volume.padding[1])]
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    found = (low, high) if low <= high else (0.0, 0.0)
    _ranges[key] = found
    while len(_ranges) > _KEPT:
        _ranges.popitem(last=False)
    return found
