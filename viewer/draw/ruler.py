"""Rulers along the left and the lower edge of a view: a round length in the middle of each, with ticks."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.core.layout import Placement
from viewer.core.words import _
from viewer.draw.figures import round_length
from viewer.draw.text import Style, draw_text, text_height
from viewer.session.view import ViewState

_PART = 0.5
"""Of the edge that a ruler may take: the corners are for texts."""
_EDGE, _SHORT, _LONG = 1.5, 3.5, 6.0
_LEAST_STEP = 4.0
_LEAST_LENGTH = 40.0
_STYLE_SIZE = 11.0


def ruler_of(length_px: float, px_per_unit: float) -> tuple[float, int, int]:
    """Length of a ruler that fits into so many pixels, the number of its parts, and after how many of them stands a longer tick.

    The length is 1, 2 or 5 times a power of ten; parts are a tenth of it, or as much coarser as ticks need to be told apart.
    """
    length = round_length(length_px / px_per_unit)
    drawn = length * px_per_unit
    for parts in (50, 20, 10, 5, 2):
        if drawn / parts >= _LEAST_STEP:
            return length, parts, {50: 5, 20: 2, 10: 5, 5: 5, 2: 2}[parts]
    return length, 1, 1


def draw_rulers(painter: QPainter, state: ViewState, placement: Placement, rect: QRectF, scale: float) -> None:
    """Paint both; nothing where the pixel spacing is not known."""
    if not state.geometry.in_plane_known:
        return
    per_mm = placement.zoom / state.layout.unit_length
    for is_upright in (True, False):
        edge = rect.height() if is_upright else rect.width()
        if edge * _PART < _LEAST_LENGTH * scale:
            continue
        length, parts, long_each = ruler_of(edge * _PART, per_mm)
        drawn = length * per_mm
        middle = rect.center().y() if is_upright else rect.center().x()
        start = middle - drawn / 2
        lines = [
            _tick(rect, is_upright, start + drawn * n / parts, (_LONG if n % long_each == 0 else _SHORT) * scale, scale) for n in range(parts + 1)
        ]
        lines.append(_spine(rect, is_upright, start, start + drawn, scale))
        painter.setRenderHint(painter.RenderHint.Antialiasing, False)
        for color, width in ((QColor(0, 0, 0, 215), 3.0), (QColor("#F2F4F6"), 1.0)):
            painter.setPen(QPen(color, width * scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
            painter.drawLines(lines)
        painter.setRenderHint(painter.RenderHint.Antialiasing, True)
        text = _("{length:g} cm").format(length=length / 10) if length >= 10 else _("{length:g} mm").format(length=length)
        style = Style(_STYLE_SIZE * scale)
        if is_upright:
            draw_text(painter, rect.left() + (_EDGE + _LONG + 4) * scale, start + drawn - text_height(style), text, style)
        else:
            draw_text(painter, start + drawn + 5 * scale, rect.bottom() - (_EDGE + 1) * scale - text_height(style), text, style)


def _tick(rect: QRectF, is_upright: bool, at: float, length: float, scale: float) -> QLineF:
    at = round(at) + 0.5
    if is_upright:
        return QLineF(rect.left() + _EDGE * scale, at, rect.left() + _EDGE * scale + length, at)
    return QLineF(at, rect.bottom() - _EDGE * scale, at, rect.bottom() - _EDGE * scale - length)


def _spine(rect: QRectF, is_upright: bool, start: float, stop: float, scale: float) -> QLineF:
    start, stop = round(start) + 0.5, round(stop) + 0.5
    if is_upright:
        return QLineF(rect.left() + _EDGE * scale, start, rect.left() + _EDGE * scale, stop)
    return QLineF(start, rect.bottom() - _EDGE * scale, stop, rect.bottom() - _EDGE * scale)
