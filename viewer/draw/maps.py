"""The scalar maps over a picture: their values where its pixels lie, and whether anything of one is painted."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.layout import Layout2D
from viewer.core.oblique import ObliqueLayout
from viewer.core.render import part_of
from viewer.draw.fusion import sampled_map
from viewer.session.heat import is_heat
from viewer.session.shown import ShownMap
from viewer.session.view import ViewState

_COARSE = 8
"""On planes that are interpolated it is looked for with so many times fewer pixels a side."""
_KEPT = 64
_highest: OrderedDict[tuple[object, ...], float] = OrderedDict()


def map_values(state: ViewState, shown: ShownMap) -> NDArray[Any] | None:
    """Values (rows, columns) of a map where the pixels of the slice lie, NaN for pixels outside of it; None where it does not meet the slice."""
    if isinstance(state.layout, Layout2D) and shown.start is not None and state.volume is not None:
        return part_of(state.layout, state.index, state.volume.geometry.shape, shown.start, shown.item.values, np.nan)
    return sampled_map(state, shown.item)


def drawn_heat(state: ViewState) -> tuple[ShownMap, ...]:
    """The heat-maps of which there is colour on the picture; a map that is clear everywhere on this slice is none."""
    return tuple(shown for shown in state.maps if is_heat(shown.item) and _is_drawn(state, shown))


def _is_drawn(state: ViewState, shown: ShownMap) -> bool:
    if state.overlay_opacity <= 0:
        return False
    floor = shown.low + max(state.overlay_threshold, 1e-6) * (shown.high - shown.low)
    return _highest_on(state, shown) >= floor


def _highest_on(state: ViewState, shown: ShownMap) -> float:
    """The largest value on the slice; kept, for corners are written anew with each move of the pointer."""
    key = (shown.item.id, shown.item.values.shape, shown.start, state.cut)
    found = _highest.get(key)
    if found is None:
        coarse = replace(state, layout=state.layout.coarser(_COARSE)) if isinstance(state.layout, ObliqueLayout) else state
        values = map_values(coarse, shown)
        finite = values[np.isfinite(values)] if values is not None else np.empty(0)
        found = _highest[key] = float(finite.max()) if finite.size else -np.inf
        while len(_highest) > _KEPT:
            _highest.popitem(last=False)
    return found
