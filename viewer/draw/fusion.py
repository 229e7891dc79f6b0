"""The second volume of a fusion: sampled where the pixels of the first lie, blended in, hung beside it or subtracted; and the curtain's line."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTextBoundaryFinder
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from viewer.core.alignment import SAME_PLACE, as_array, degrees_of, moved_cut
from viewer.core.digits import intensity
from viewer.core.geometry import Triple, place_text
from viewer.core.layout import Placement
from viewer.core.overlay import ScalarMap
from viewer.core.refine import refined
from viewer.core.render import Display, Pixels, blend_map, map_colors, paint_graphic, to_rgb32
from viewer.core.sample import sample, slab
from viewer.core.words import _
from viewer.draw.figures import window_figures
from viewer.draw.planes import BLACK
from viewer.draw.text import Style, draw_text, text_width
from viewer.session.fusion import ShownFusion
from viewer.session.heat import is_heat
from viewer.session.view import ViewState

_KEPT, _KEPT_BYTES = 12, 48 << 20
"""Sampled planes that are kept: those of nine views, and some to go back to; fewer of large ones."""
HANDLE = 9.0
"""Half the width of the curtain's handle."""
_HALO, _LINE = QColor(0, 0, 0, 190), QColor("#F2F4F6")

_planes: OrderedDict[tuple[object, ...], NDArray[Any]] = OrderedDict()


def sampled(state: ViewState, fusion: ShownFusion) -> NDArray[Any]:
    """Values (rows, columns) of the second where the pixels of the first lie; float32, NaN outside and where it is padding.

    The last few are kept: windowing, opacity and the curtain sample nothing.
    """
    thick = state.slab
    cut = moved_cut(fusion.back, state.cut)
    key = (fusion.volume.id, fusion.phase, cut, thick)
    found = _planes.get(key)
    if found is not None:
        _planes.move_to_end(key)
        return found
    values, geometry = fusion.volume.phase(fusion.phase), fusion.volume.geometry
    padding = fusion.volume.padding
    if thick is None:
        found = sample(values, geometry, cut, padding=padding)
    else:
        found = slab(values, geometry, cut, thickness=thick.mm, mode=thick.mode, padding=padding)
    return _kept(key, found)


def sampled_map(state: ViewState, item: ScalarMap) -> NDArray[Any]:
    """Values (rows, columns) of a map on another grid where the pixels of the image lie, those of a heat-map smooth; float32, NaN outside."""
    key = (item.id, item.values.shape, state.cut)
    found = _planes.get(key)
    if found is None:
        values, geometry = refined(item.values, item.geometry) if is_heat(item) else (item.values, item.geometry)
        return _kept(key, sample(values, geometry, state.cut))
    _planes.move_to_end(key)
    return found


def _kept(key: tuple[object, ...], plane: NDArray[Any]) -> NDArray[Any]:
    _planes[key] = plane
    while len(_planes) > 1 and (len(_planes) > _KEPT or sum(p.nbytes for p in _planes.values()) > _KEPT_BYTES):
        _planes.popitem(last=False)
    return plane


def forget_planes() -> None:
    """Keep no sampled plane any longer: everything was closed."""
    _planes.clear()


def lay_over(pixels: Pixels, state: ViewState, fusion: ShownFusion, first: Callable[[], NDArray[Any]]) -> None:
    """Lay the second over the picture of the first, in place. ``first``: gives the values of the first, for a difference."""
    values = sampled(state, fusion)
    if fusion.mode == "difference":
        pixels[:] = _colored(difference(values, first(), state), fusion.display)
    elif fusion.mode == "curtain":
        start = round(fusion.curtain * pixels.shape[1])
        if start < pixels.shape[1]:
            pixels[:, start:] = _colored(values[:, start:], fusion.display)
    elif fusion.follows_value:
        window = fusion.display.window
        blend_map(pixels, values, window.low, window.high, fusion.display.color_map, fusion.opacity)
    else:
        _mix(pixels, to_rgb32(values, fusion.display), np.isnan(values), fusion.opacity)


def _colored(values: NDArray[Any], display: Display) -> Pixels:
    """The colours of values; black where there is none, whatever the map: its low end would be a value."""
    found = to_rgb32(values, display)
    paint_graphic(found, np.isnan(values), BLACK)
    return found


def difference(second: NDArray[Any], first: NDArray[Any], state: ViewState) -> NDArray[np.float32]:
    """Second less first, float32; NaN where either has no value."""
    found = second - first.astype(np.float32)
    padding = state.volume.padding if state.volume is not None else None
    if padding is not None:
        found[(first >= padding[0]) & (first <= padding[1])] = np.nan
    return np.asarray(found, dtype=np.float32)


def _mix(pixels: Pixels, over: Pixels, empty: NDArray[np.bool_], opacity: float) -> None:
    """A part of one picture and the rest of the other, channel by channel, rounded; where there is nothing over it, the picture stays."""
    over[empty] = pixels[empty]
    share = round(opacity * 256)
    # Two channels of a pixel at once: red and blue, with room between them for the product, then green.
    for mask, shift in ((np.uint32(0x00FF00FF), 0), (np.uint32(0x0000FF00), 8)):
        half = np.uint32(0x00800080 if shift == 0 else 0x80)
        below, above = (pixels & mask) >> np.uint32(shift), (over & mask) >> np.uint32(shift)
        mixed = ((below * np.uint32(256 - share) + above * np.uint32(share) + half) >> np.uint32(8)) & (mask >> np.uint32(shift))
        pixels &= ~mask
        pixels |= mixed << np.uint32(shift)


# --- words and colours ---


def fusion_colors(fusion: ShownFusion) -> tuple[Pixels, float, float]:
    """256 colours of the second from the low to the high end of its window, and the two ends in the unit of ``fusion.scale``."""
    window, factor = fusion.display.window, fusion.scale[0]
    low, high = window.low, window.high if window.high > window.low else window.low + 1.0
    if fusion.follows_value and fusion.mode == "blend":
        return map_colors(fusion.display.color_map), low * factor, high * factor
    values = np.linspace(low, high, 256, dtype=np.float32)[None]
    return to_rgb32(values, replace(fusion.display, padding=None))[0], low * factor, high * factor


def second_line(state: ViewState, *, identity: bool = True) -> str:
    """What lies over the image, how it is coloured and windowed: ``PET AC  Hot iron 50 %  W 6  L 3``; "" where nothing is drawn."""
    fusion = state.fusion
    if fusion is None or not fusion.is_drawn:
        return ""
    window = fusion.told_window
    width, center = window_figures(window.center, window.width)
    fields = {"name": fusion.label(identity=identity), "map": fusion.map_title(), "width": width, "center": center}
    if fusion.wish.nudge != SAME_PLACE:
        return nudge_text(fusion.wish.nudge, state)
    if fusion.mode == "difference":
        return _("{name} less this  {map}  W {width}  L {center}").format(**fields)
    if fusion.mode == "curtain":
        return _("{name}  {map}  W {width}  L {center}").format(**fields)
    return _("{name}  {map} {percent} %  W {width}  L {center}").format(**fields, percent=round(100 * fusion.opacity))


def nudge_text(nudge: tuple[float, ...], state: ViewState) -> str:
    """How far what is in the hand has been moved: ``Nudged L 3.2  A 1.0  H 0.0 mm``, or turned: ``Turned 4.5°``."""
    angle = degrees_of(nudge)
    if angle > 1e-6:
        return _("Turned {degrees:.1f}°").format(degrees=angle)
    return _("Nudged {place}").format(place=place_text(as_array(nudge)[:3, 3], "mm", state.geometry.is_patient))


def second_text(state: ViewState, position: Triple) -> str:
    """Name and value with unit of the second at a place of the first, its further units too; "" where there is none."""
    fusion = state.fusion
    if fusion is None or not fusion.is_drawn:
        return ""
    value = fusion.value_at(position) if state.slab is None else _slab_value(state, fusion, position)
    if value is None:
        return ""
    said = [intensity(value, fusion.unit, is_statistic=not value.is_integer())]
    said += [intensity(value * scale.factor, scale.unit) for scale in fusion.volume.scales]
    text = " · ".join(said)
    if state.slab is not None:
        text = _("{slab}: {value}").format(slab=state.slab.badge, value=text)
    return _("{name}: {value}").format(name=fusion.title(), value=text)


def _slab_value(state: ViewState, fusion: ShownFusion, position: Triple) -> float | None:
    """What is painted of the second at a place: the value across the slab, not that of one voxel."""
    values, step, point = sampled(state, fusion), state.layout.step, state.point_of(position)
    row, column = math.floor(point[1] / step[0]), math.floor(point[0] / step[1])
    if not (0 <= row < values.shape[0] and 0 <= column < values.shape[1]):
        return None
    value = float(values[row, column])
    return value if math.isfinite(value) else None


# --- the curtain's line ---


def curtain_x(state: ViewState, fusion: ShownFusion, placement: Placement, rect: QRectF) -> float:
    """Where the curtain's line is in the viewport; at its edge where it is beyond."""
    x, _y = placement.to_viewport((fusion.curtain * state.layout.size[0], 0.0))
    return max(rect.left(), min(x, rect.right()))


def curtain_at(state: ViewState, placement: Placement, x: float) -> float:
    """Where the curtain hangs (0 to 1) if its line is at ``x`` of the viewport."""
    across, _down = placement.to_picture((x, 0.0))
    return max(0.0, min(across / state.layout.size[0], 1.0))


def is_on_curtain(state: ViewState, placement: Placement, rect: QRectF, x: float, y: float) -> bool:
    """Whether a point of the viewport is on the handle, or within 4 px of the line."""
    fusion = state.fusion
    if fusion is None or not fusion.is_drawn or fusion.mode != "curtain":
        return False
    line = curtain_x(state, fusion, placement, rect)
    return abs(x - line) <= (HANDLE + 3 if abs(y - rect.center().y()) <= HANDLE + 3 else 4)


def draw_curtain(painter: QPainter, state: ViewState, placement: Placement, rect: QRectF, scale: float, *, with_handle: bool) -> None:
    """The line between the first (left) and the second (right), with a handle where it can be moved."""
    fusion = state.fusion
    if fusion is None or not fusion.is_drawn or fusion.mode != "curtain":
        return
    x = curtain_x(state, fusion, placement, rect)
    for color, width in ((_HALO, 3.0), (_LINE, 1.0)):
        painter.setPen(QPen(color, width * scale))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    if not with_handle:
        return
    size, y = HANDLE * scale, rect.center().y()
    painter.setPen(QPen(_HALO, 3 * scale))
    painter.setBrush(QColor(0x25, 0x27, 0x2B))
    painter.drawEllipse(QPointF(x, y), size, size)
    painter.setPen(QPen(_LINE, scale))
    painter.drawEllipse(QPointF(x, y), size, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_LINE)
    for sign in (-1, 1):
        tip, back, up = x + sign * size * 0.72, x + sign * size * 0.25, size * 0.4
        painter.drawPolygon(QPolygonF([QPointF(tip, y), QPointF(back, y - up), QPointF(back, y + up)]))


def draw_reason(painter: QPainter, state: ViewState, rect: QRectF, scale: float, *, identity: bool = True) -> None:
    """Why the second image is not there, over the first: whoever asked for it must not take its absence for a finding."""
    fusion = state.fusion
    said = "" if fusion is None or not fusion.wish.is_shown else fusion.reason or fusion.note
    if not said or fusion is None or min(rect.width(), rect.height()) / scale < 160:
        return
    style = Style(12 * scale, ink="#E8B04B", has_halo=False)
    if not identity:
        said = _("The second image is not shown.")  # the sentence may name a file
    elif fusion.reason:
        said = _("{name} is not shown. {reason}").format(name=fusion.title(), reason=said)
    lines = _wrapped(said, style, rect.width() * 0.7)
    step, top = 17 * scale, rect.center().y() + 24 * scale
    wide = max(text_width(line, style) for line in lines) + 20 * scale
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0x25, 0x27, 0x2B, 215))
    box = QRectF(rect.center().x() - wide / 2, top - 7 * scale, wide, len(lines) * step + 12 * scale)
    painter.drawRoundedRect(box, 5 * scale, 5 * scale)
    for number, line in enumerate(lines):
        draw_text(painter, rect.center().x(), top + number * step, line, style, align="center")


def _wrapped(text: str, style: Style, width: float) -> list[str]:
    """Lines that fit, broken where the language allows it: between words, in Chinese between characters."""
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Line, text)
    lines, start, end = [], 0, 0
    while (following := finder.toNextBoundary()) != -1:
        if end > start and text_width(text[start:following].strip(), style) > width:
            lines.append(text[start:end].strip())
            start = end
        end = following
    return [*lines, text[start:].strip()]
