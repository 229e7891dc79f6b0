"""The slice slider at the right edge of a view: where the slice is in the stack, and what lies on which slice."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from viewer.session.marks import Mark, MarkKind, Run

KEY_COLOR, FINDING_COLOR, REPORT_COLOR = "#F6D77A", "#7CC0FA", "#B79CF2"
COLORS: dict[MarkKind, str] = {"key_image": KEY_COLOR, "annotation": FINDING_COLOR, "report": REPORT_COLOR}
_TOP, _THIN, _WIDE = 34.0, 4.0, 8.0
_LEFT = 9.0
_LEAST_HEIGHT, _LEAST_THUMB = 40.0, 18.0
HANDLE_WIDTH = 24.0
"""Width of the strip at the edge that takes the pointer."""
_TICK = 6.0
_MOST_STRIPES = 3


@dataclass(frozen=True, slots=True)
class SliceBar:
    """What the slider shows; numbers from 0, as shown."""

    count: int
    index: int
    marks: tuple[Mark, ...] = ()
    runs: tuple[Run, ...] = ()
    arrived: tuple[tuple[int, int], ...] | None = None
    """Of a series that is being read: the slices (first, one past the last) that are there. None: all."""
    is_wide: bool = False
    """Under the pointer, or held."""


def groove(rect: QRectF, bar: SliceBar, scale: float = 1.0) -> QRectF | None:
    """Where the groove lies in a view; None where the view is too low for one."""
    height = rect.height() - 2 * _TOP * scale
    if height < _LEAST_HEIGHT * scale or bar.count < 2:
        return None
    # It grows towards the edge, so that the ticks beside it stay where they are.
    return QRectF(rect.right() - _LEFT * scale, rect.top() + _TOP * scale, (_WIDE if bar.is_wide else _THIN) * scale, height)


def thumb(rect: QRectF, bar: SliceBar, scale: float = 1.0) -> QRectF | None:
    """Where the thumb lies."""
    place = groove(rect, bar, scale)
    if place is None:
        return None
    height = _thumb_height(place, bar, scale)
    y = place.top() + (place.height() - height) * max(0, min(bar.index, bar.count - 1)) / (bar.count - 1)
    return QRectF(place.left(), y, place.width(), height)


def y_of(rect: QRectF, bar: SliceBar, index: float, scale: float = 1.0) -> float:
    """The height at which a slice is marked: the middle of the thumb when it is there."""
    place = groove(rect, bar, scale)
    if place is None:
        return rect.center().y()
    height = _thumb_height(place, bar, scale)
    return place.top() + height / 2 + (place.height() - height) * index / (bar.count - 1)


def index_at(rect: QRectF, bar: SliceBar, y: float, scale: float = 1.0) -> int:
    """The slice whose mark is nearest to a height; the first and the last beyond the ends."""
    place = groove(rect, bar, scale)
    if place is None:
        return bar.index
    height = _thumb_height(place, bar, scale)
    number = (y - place.top() - height / 2) / max(1e-6, place.height() - height) * (bar.count - 1)
    return max(0, min(round(number), bar.count - 1))


def strip(rect: QRectF, bar: SliceBar, scale: float = 1.0) -> QRectF | None:
    """The part of the view that takes the pointer for the slider."""
    place = groove(rect, bar, scale)
    if place is None:
        return None
    return QRectF(rect.right() - HANDLE_WIDTH * scale, place.top() - 4 * scale, HANDLE_WIDTH * scale, place.height() + 8 * scale)


def paint_slice_bar(painter: QPainter, rect: QRectF, bar: SliceBar, scale: float = 1.0, *, ground: QImage | None = None) -> None:
    """Paint it. What has arrived is brighter than what has not; ticks stand left of the groove, segments in a stripe beside it.

    ``ground``: what :func:`ground_of` made of the same bar; only the thumb is painted anew then.
    """
    held = thumb(rect, bar, scale)
    if held is None:
        return
    if ground is None:
        _paint_ground(painter, rect, bar, scale)
    else:
        ratio = ground.devicePixelRatio()
        painter.drawImage(QPointF(round((rect.right() - HANDLE_WIDTH * scale) * ratio) / ratio, rect.top()), ground)
    painter.fillRect(held.toRect(), QColor(255, 255, 255, 225 if bar.is_wide else 190))


def ground_of(rect: QRectF, bar: SliceBar, ratio: float, scale: float = 1.0) -> QImage:
    """All of it but the thumb, for a device of so many pixels to a logical one: a groove of 4 px is as dear to fill as all texts are to draw."""
    width = HANDLE_WIDTH * scale
    image = QImage(math.ceil(width * ratio), math.ceil(rect.height() * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(-round((rect.right() - width) * ratio) / ratio, -rect.top())
    _paint_ground(painter, rect, bar, scale)
    painter.end()
    return image


def _paint_ground(painter: QPainter, rect: QRectF, bar: SliceBar, scale: float) -> None:
    place = groove(rect, bar, scale)
    if place is None:
        return
    if bar.is_wide:
        painter.fillRect(place.adjusted(-1, -1, 1, 1).toRect(), QColor(0, 0, 0, 120))
    painter.fillRect(place.toRect(), QColor(255, 255, 255, 72 if bar.is_wide else 46))
    for first, stop in bar.arrived or ():
        start, end = (place.top() + place.height() * n / bar.count for n in (first, stop))
        painter.fillRect(QRectF(place.left(), start, place.width(), max(1.0, end - start)).toRect(), QColor(255, 255, 255, 72))
    _paint_runs(painter, rect, bar, place, scale)
    for mark in bar.marks:
        _paint_tick(painter, mark, QPointF(place.left() - 3 * scale, y_of(rect, bar, mark.index, scale)), scale)


def _paint_runs(painter: QPainter, rect: QRectF, bar: SliceBar, place: QRectF, scale: float) -> None:
    """Segments: a stripe in each one's colour, a few beside each other and the rest over the last."""
    columns: dict[str, int] = {}
    half = (place.height() - _thumb_height(place, bar, scale)) / (bar.count - 1) / 2
    for run in bar.runs:
        column = columns.setdefault(run.name + run.color, min(len(columns), _MOST_STRIPES - 1))
        top, bottom = y_of(rect, bar, run.first, scale) - half, y_of(rect, bar, run.last, scale) + half
        x = place.left() - (3 + 2 * column) * scale
        painter.fillRect(QRectF(x, top, 2 * scale, max(2 * scale, bottom - top)), QColor(run.color))


def _paint_tick(painter: QPainter, mark: Mark, tip: QPointF, scale: float) -> None:
    """A key image is a triangle that points at its slice, a finding a bar: told apart without their colours."""
    size = _TICK * scale
    painter.setPen(QPen(QColor(0, 0, 0, 215), scale))
    painter.setBrush(QColor(COLORS[mark.kind]))
    if mark.kind == "key_image":
        painter.drawPolygon(QPolygonF([tip, tip + QPointF(-size, -size * 0.7), tip + QPointF(-size, size * 0.7)]))
    else:
        painter.drawRect(QRectF(tip.x() - size, tip.y() - scale * 1.5, size, scale * 3))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _thumb_height(place: QRectF, bar: SliceBar, scale: float) -> float:
    return float(max(_LEAST_THUMB * scale, place.height() / bar.count))
