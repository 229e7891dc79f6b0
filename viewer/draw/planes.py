"""The values that a view shows: a plane of the array as it is stored, or one that has to be gathered from the volume, kept for windowing."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPainterPath, QTransform

from viewer.core.layout import Layout2D, Placement
from viewer.core.oblique import ObliqueLayout
from viewer.core.render import Pixels, paint_graphic
from viewer.core.sample import gap_of, plane_slab, sample, slab
from viewer.core.slab import reach
from viewer.draw.contours import outline
from viewer.session.view import ViewState

KEPT = 12
"""Gathered planes that are kept: those of nine views, and some to go back to. Windowing gathers nothing anew."""
BLACK, GAP_LINE = 0xFF000000, "#6B717B"

_kept: OrderedDict[tuple[object, ...], tuple[weakref.ref[Any], NDArray[Any]]] = OrderedDict()

_gap = lru_cache(maxsize=KEPT)(gap_of)


def shown_values(state: ViewState, *, coarse: int = 1) -> NDArray[Any]:
    """The values of the plane or slab as they are shown, (rows, columns[, 3]): a view of the volume, or interpolated (float32, NaN outside).

    ``coarse``: of an oblique slab only every so many of its planes.
    """
    volume, layout = state.volume, state.layout
    if volume is None:
        raise ValueError("an empty view has no values")
    values = volume.phase(state.phase)
    if state.slab is None and not isinstance(layout, ObliqueLayout):
        return layout.plane(values, state.index)
    if isinstance(layout, Layout2D) and state.slab is not None and reach(state.slab.mm, volume.geometry.spacing[layout.axis]) == 0:
        return layout.plane(values, state.index)  # thinner than the planes are apart
    key = (id(volume.data), state.phase, layout, state.index, state.slab, coarse)
    known = _kept.get(key)
    if known is not None and known[0]() is volume.data:
        _kept.move_to_end(key)
        return known[1]
    if isinstance(layout, Layout2D):
        assert state.slab is not None
        beside = reach(state.slab.mm, volume.geometry.spacing[layout.axis])
        found = layout.turned(plane_slab(values, layout.axis, state.array_index, beside, state.slab.mode, volume.padding))
    elif state.slab is not None:
        found = slab(values, volume.geometry, state.cut, thickness=state.slab.mm, mode=state.slab.mode, coarse=coarse, padding=volume.padding)
    else:
        found = sample(values, volume.geometry, state.cut, padding=volume.padding)
    _kept[key] = (weakref.ref(volume.data, lambda _gone: _kept.pop(key, None)), found)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return found


def draw_outside(pixels: Pixels, state: ViewState, values: NDArray[Any]) -> QPainterPath | None:
    """Paint black what has no values, whatever the window; the outline (picture units) of where planes are missing inside the volume (D60)."""
    if not isinstance(state.layout, ObliqueLayout) or values.ndim != 2:
        return None
    nothing = np.isnan(values)
    if not nothing.any():
        return None
    paint_graphic(pixels, nothing, BLACK)
    gap = _gap(state.geometry, state.cut) if not state.geometry.is_rectangular else None
    return outline(gap & nothing, state.layout.step) if gap is not None else None


def draw_gap(painter: QPainter, gap: QPainterPath, placement: Placement) -> None:
    """Hatch where planes are missing: in screen space, alike at any zoom and for any shape of pixels."""
    (left, top), zoom = placement.offset, placement.zoom
    painter.fillPath(QTransform(zoom, 0, 0, zoom, left, top).map(gap), QBrush(QColor(GAP_LINE), Qt.BrushStyle.BDiagPattern))
