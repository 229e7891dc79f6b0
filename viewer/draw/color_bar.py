"""The colour bar on the image: what the colours of a map, or of a colour map in place of grey, stand for, in numbers with their unit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from viewer.core.colormaps import GREY, rgb32
from viewer.core.render import Pixels, levels, map_colors
from viewer.core.words import _
from viewer.draw.figures import level as level_text
from viewer.draw.fusion import fusion_colors
from viewer.draw.text import Style, draw_text, text_height
from viewer.session.heat import is_heat
from viewer.session.view import ShownMap, ViewState

# Grey is known to everybody, in both directions.
_PLAIN = frozenset({GREY, "inverted_grey"})
_WIDTH, _LONGEST, _SHORTEST = 10.0, 200.0, 40.0
# From the letter in the middle of the edge up to the bar, and from the bar up to the texts in the corner.
_BELOW, _ABOVE = 22.0, 110.0
_MOST_NUMBERS = 7


def has_color_bar(state: ViewState) -> bool:
    """Whether there are colours on the image whose meaning a bar can tell."""
    return (
        bool(_told_maps(state))
        or (state.fusion is not None and state.fusion.is_drawn)
        or (state.display is not None and state.display.color_map not in _PLAIN)
    )


def draw_color_bar(painter: QPainter, state: ViewState, rect: QRectF, style: Style, scale: float, *, right_inset: float) -> None:
    """Paint the bar of the topmost map, else that of the colour map; nothing where it is switched off or has no room."""
    if not state.show_color_bar or not has_color_bar(state) or rect.width() < 300 * scale or rect.height() < 260 * scale:
        return
    if state.fusion is not None and state.fusion.is_drawn:
        colors, low, high = fusion_colors(state.fusion)
        name, unit = state.fusion.label(identity=False), state.fusion.scale[1]
    elif told := _told_maps(state):
        shown = told[-1]
        colors, name, low, high, unit = map_colors(shown.item.color_map), shown.item.name, shown.low, shown.high, shown.item.unit
    else:
        colors, low, high = window_colors(state)
        name, unit = "", state.volume.unit if state.volume is not None else ""
    height = min(_LONGEST * scale, rect.height() / 2 - (_BELOW + _ABOVE) * scale)
    if height < _SHORTEST * scale:
        return
    right = rect.right() - right_inset
    bar = QRectF(right - _WIDTH * scale, rect.center().y() - _BELOW * scale - height, _WIDTH * scale, height)
    _paint(painter, bar, colors, scale)
    for value, text in numbers(low, high, unit, room=int(height / (text_height(style) * 1.6))):
        y = bar.bottom() - (value - low) / (high - low) * height
        painter.setPen(QPen(QColor(0, 0, 0, 215), 3 * scale))
        painter.drawLine(QLineF(bar.left() - 5 * scale, y, bar.left(), y))
        painter.setPen(QPen(QColor("#F2F4F6"), scale))
        painter.drawLine(QLineF(bar.left() - 4 * scale, y, bar.left(), y))
        top = min(max(y - text_height(style) / 2, bar.top() - 2 * scale), bar.bottom() - text_height(style) + 2 * scale)
        draw_text(painter, bar.left() - 8 * scale, top, text, style, align="right")
    if name:
        draw_text(painter, right, bar.top() - text_height(style) - 6 * scale, _(name), style, align="right")


def _told_maps(state: ViewState) -> tuple[ShownMap, ...]:
    """Maps whose numbers mean something: those of a heat-map are good for low and high alone, which the Classify tab shows."""
    return tuple(shown for shown in state.maps if not is_heat(shown.item))


def window_colors(state: ViewState) -> tuple[Pixels, float, float]:
    """256 colours from the low to the high end of the window, by its function, the file's curve and the inversion; and the two ends."""
    display, window = state.display, state.window
    assert display is not None
    low, high = window.low, window.high
    if not high > low:
        high = low + 1.0
    values = np.linspace(low, high, 256, dtype=np.float32)[None]
    return rgb32(display.color_map)[levels(values, replace(display, padding=None))[0]], low, high


def numbers(low: float, high: float, unit: str, *, room: int) -> list[tuple[float, str]]:
    """Both ends and round numbers between them, as many as there is room for; the unit stands at the upper end."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    wanted = max(2, min(room, _MOST_NUMBERS))
    step = _round_step(span / wanted)
    first = math.ceil(low / step - 1e-9)
    between = [n * step for n in range(first, first + 2 * wanted) if n * step <= high + 1e-9 * span]
    # A number too near to an end would stand on top of it.
    between = [v for v in between if min(v - low, high - v) > 0.7 * span / wanted]
    ends = (low, *between, high)
    return [(value, f"{level_text(_clean(value, step))}{f' {unit}' if unit and value == high else ''}") for value in ends]


def _clean(value: float, step: float) -> float:
    """Without the dust of binary fractions."""
    return round(value, max(0, 2 - math.floor(math.log10(step))))


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(part * power for part in (1.0, 2.0, 5.0, 10.0) if part * power >= least * (1 - 1e-9))


def _paint(painter: QPainter, bar: QRectF, colors: Pixels, scale: float) -> None:
    column = colors[::-1].reshape(256, 1).copy()
    painter.drawImage(bar, QImage(column.data, 1, 256, 4, QImage.Format.Format_RGB32))
    painter.setPen(QPen(QColor(255, 255, 255, 110), scale))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)
