"""Lines where other views cross this one, and the crosshair (CONVENTIONS C14): axial red, sagittal yellow, coronal green."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.core.layout import Placement, Point
from viewer.session.linking import Cross, PlaneKind

COLORS: dict[PlaneKind, str] = {"axial": "#FF5A52", "sagittal": "#FFD54A", "coronal": "#5BD06C"}
PLAIN = "#7CC0FA"
GAP = 14.0
"""Left free round the middle of the crosshair, so that what it points at is seen."""
HANDLE = 5.0
_FAINT = 110
"""Alpha of a crosshair that lies on another slice than the one that is shown."""


def handle_radius(viewport: Point) -> float:
    """How far from the crosshair's middle the handles of its lines are, in pixels of the viewport."""
    return 0.34 * min(viewport)


def handles(cross: Cross, placement: Placement, viewport: Point) -> tuple[tuple[QPointF, int], ...]:
    """Where a line can be taken to turn it: viewport points, and the number of the view whose plane it is."""
    if cross.at is None:
        return ()
    x, y = placement.to_viewport(cross.at)
    far = handle_radius(viewport)
    found = []
    for line in cross.lines:
        dx, dy = line.end[0] - line.start[0], line.end[1] - line.start[1]
        length = math.hypot(dx, dy)
        if length > 0:
            reach = QPointF(far * dx / length, far * dy / length)
            found += [(QPointF(x, y) - reach, line.cell), (QPointF(x, y) + reach, line.cell)]
    return tuple(found)


def draw_cross(painter: QPainter, cross: Cross, placement: Placement, rect: QRectF, scale: float = 1.0, *, with_handles: bool = False) -> None:
    """Paint the lines of other views, and the crosshair where it is set, into a viewport."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(rect)
    center = QPointF(*placement.to_viewport(cross.at)) if cross.at is not None else None
    for line in cross.lines:
        start, end = QPointF(*placement.to_viewport(line.start)), QPointF(*placement.to_viewport(line.end))
        _line(painter, start, end, center, COLORS[line.kind], 255, scale)
    if center is not None and not cross.lines:
        alpha = 255 if cross.is_near else _FAINT
        for start, end in (
            (QPointF(rect.left(), center.y()), QPointF(rect.right(), center.y())),
            (QPointF(center.x(), rect.top()), QPointF(center.x(), rect.bottom())),
        ):
            _line(painter, start, end, center, PLAIN, alpha, scale)
    if with_handles:
        kinds = {line.cell: line.kind for line in cross.lines}
        for spot, cell in handles(cross, placement, (rect.width(), rect.height())):
            painter.setPen(QPen(QColor(0, 0, 0, 200), 3 * scale))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(spot, HANDLE * scale, HANDLE * scale)
            painter.setPen(QPen(QColor(COLORS[kinds[cell]]), 1.5 * scale))
            painter.drawEllipse(spot, HANDLE * scale, HANDLE * scale)
    painter.restore()


def _line(painter: QPainter, start: QPointF, end: QPointF, center: QPointF | None, color: str, alpha: int, scale: float) -> None:
    """A line with a dark rim, interrupted where it passes the middle of the crosshair."""
    parts = [(start, end)]
    if center is not None:
        along = end - start
        length = math.hypot(along.x(), along.y())
        if length > 0:
            unit = along / length
            middle = QPointF.dotProduct(center - start, unit)
            aside = math.hypot(*_pair(center - start - unit * middle))
            if aside < GAP * scale:
                half = math.sqrt((GAP * scale) ** 2 - aside**2)
                parts = [(start, start + unit * max(0.0, min(middle - half, length))), (start + unit * min(length, max(middle + half, 0.0)), end)]
    ink = QColor(color)
    ink.setAlpha(alpha)
    for first, last in parts:
        if first != last:
            painter.setPen(QPen(QColor(0, 0, 0, alpha // 2), 3 * scale))
            painter.drawLine(first, last)
            painter.setPen(QPen(ink, scale))
            painter.drawLine(first, last)


def _pair(point: QPointF) -> tuple[float, float]:
    return point.x(), point.y()
