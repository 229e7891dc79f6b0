"""Annotations and seeds on the image: lines, ellipses, handles, value chips (LOOK 2d). Sizes are logical pixels times ``scale``."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform
from PySide6.QtWidgets import QWidget

from viewer.core.annotation import Annotation
from viewer.core.layout import Placement
from viewer.draw.contours import Contour
from viewer.draw.figures import chip_text
from viewer.draw.outline_tiles import OutlineTiles
from viewer.draw.text import Style, draw_text, text_height, text_width
from viewer.session.view import ViewState

LINE = "#FFD54A"
SELECTED = "#7CC0FA"
# A picture full of found circles has no room for a chip beside each.
MOST_CHIPS = 8
# Beyond this, outlines are a thin line without a rim: wide smooth ones of noisy segments took half a second a frame.
MOST_FINE_POINTS = 12_000


def draw_contours(painter: QPainter, contours: tuple[Contour, ...], placement: Placement, scale: float) -> None:
    """Segment outlines: 1.6 px in the colour over twice that in black."""
    if not contours:
        return
    if isinstance(painter.device(), QWidget):
        _tiles.draw(painter, contours, placement, scale, lambda where: _stroke_contours(where, contours, placement, scale))
    else:
        _stroke_contours(painter, contours, placement, scale)


_tiles = OutlineTiles()


def _stroke_contours(painter: QPainter, contours: tuple[Contour, ...], placement: Placement, scale: float) -> None:
    painter.save()
    painter.translate(*placement.offset)
    painter.scale(placement.zoom, placement.zoom)
    # Cosmetic pens count device pixels.
    width = 1.6 * scale * painter.device().devicePixelRatio()
    if sum(contour.path.elementCount() for contour in contours) > MOST_FINE_POINTS:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        width = 1.0
    else:
        for contour in contours:
            painter.strokePath(contour.path, _cosmetic(QColor(0, 0, 0, 170), 2 * width))
    for contour in contours:
        pen = _cosmetic(QColor(contour.color), width)
        if contour.is_dashed:
            pen.setDashPattern([6, 5])
        elif contour.label > 12:
            pen.setDashPattern([1, 2])  # colours repeat from the 13th on
        painter.strokePath(contour.path, pen)
    painter.restore()


def draw_annotations(
    painter: QPainter, items: tuple[Annotation, ...], state: ViewState, placement: Placement, rect: QRectF, scale: float, *, handles: bool = True
) -> None:  # fmt: skip
    """Lines with their value chips; the selected one in blue, with handles if asked for."""
    chips = [item for item in items if item.measures and (not item.origin or item.id == state.selected_id)]
    crowded = len(chips) > MOST_CHIPS
    for item in items:
        is_selected = item.id == state.selected_id and bool(item.id)
        points = [QPointF(*placement.to_viewport(state.point_of(p))) for p in item.points]
        path = shape_path(item, points, scale)
        painter.strokePath(path, _pen(QColor(0, 0, 0, 200), 4.2 * scale))
        painter.strokePath(path, _pen(QColor(SELECTED if is_selected else item.color or LINE), 1.8 * scale))
        if is_selected and handles:
            _draw_handles(painter, handle_points(item, points), scale)
    for item in chips:
        if not crowded or item.id == state.selected_id:
            points = [QPointF(*placement.to_viewport(state.point_of(p))) for p in item.points]
            _draw_chip(painter, item, shape_path(item, points, scale).boundingRect(), points, rect, scale)


def shape_path(item: Annotation, points: list[QPointF], scale: float = 1.0) -> QPainterPath:
    """The line of an annotation whose points lie at ``points`` of the viewport."""
    path = QPainterPath()
    if item.shape in ("distance", "line") and len(points) >= 2:
        path.moveTo(points[0])
        path.lineTo(points[1])
        if item.shape == "distance":
            _add_ticks(path, points[0], points[1], 5 * scale)
    elif item.shape in ("ellipse", "circle") and len(points) >= 3:
        first, second = points[1] - points[0], points[2] - points[0]
        path.addEllipse(QPointF(0, 0), 1.0, 1.0)
        path = QTransform(first.x(), first.y(), second.x(), second.y(), points[0].x(), points[0].y()).map(path)
    elif points:
        arm = 6 * scale
        for dx, dy in ((arm, 0.0), (0.0, arm)):
            path.moveTo(points[0] - QPointF(dx, dy))
            path.lineTo(points[0] + QPointF(dx, dy))
    return path


def handle_points(item: Annotation, points: list[QPointF]) -> list[QPointF]:
    """Where the handles of an annotation sit: its ends; of an ellipse the centre and the four ends of its axes."""
    if item.shape in ("ellipse", "circle") and len(points) >= 3:
        center = points[0]
        return [center, points[1], points[2], center * 2 - points[1], center * 2 - points[2]]
    return points


def draw_seeds(painter: QPainter, state: ViewState, placement: Placement, scale: float) -> None:
    """White rings with four ticks and a black rim, for the seeds within half a step of the slice."""
    for seed in state.seeds:
        if abs(state.slice_at(seed) - state.index) > 0.5:
            continue
        center = QPointF(*placement.to_viewport(state.point_of(seed)))
        path = QPainterPath()
        path.addEllipse(center, 5 * scale, 5 * scale)
        for angle in range(0, 360, 90):
            way = QPointF(math.cos(math.radians(angle)), math.sin(math.radians(angle))) * scale
            path.moveTo(center + way * 5)
            path.lineTo(center + way * 9)
        painter.strokePath(path, _pen(QColor(0, 0, 0, 200), 3.6 * scale))
        painter.strokePath(path, _pen(QColor("#FFFFFF"), 1.5 * scale))


def _add_ticks(path: QPainterPath, first: QPointF, second: QPointF, length: float) -> None:
    line = QLineF(first, second)
    if line.length() < 1:
        return
    across = line.normalVector().unitVector()
    way = QPointF(across.dx(), across.dy()) * length
    for end in (first, second):
        path.moveTo(end - way)
        path.lineTo(end + way)


def _draw_handles(painter: QPainter, points: list[QPointF], scale: float) -> None:
    painter.save()
    painter.setPen(_pen(QColor("#000000"), scale))
    painter.setBrush(QColor(SELECTED))
    half = 3 * scale
    for point in points:
        painter.drawRect(QRectF(point.x() - half, point.y() - half, 2 * half, 2 * half))
    painter.restore()


def chip_lines(item: Annotation) -> list[str]:
    """The lines of a value chip: two measures to a line."""
    texts = [chip_text(measure) for measure in item.measures[:6]]
    return ["  ".join(texts[i : i + 2]) for i in range(0, len(texts), 2)]


def _draw_chip(painter: QPainter, item: Annotation, bounds: QRectF, points: list[QPointF], rect: QRectF, scale: float) -> None:
    lines = chip_lines(item)
    style = Style(12 * scale, has_halo=False)
    step = text_height(style)
    pad = 5 * scale
    width = max(text_width(line, style) for line in lines) + 2 * pad
    height = step * len(lines) + pad
    if item.shape in ("distance", "line"):
        # Beside the middle, on the side that is further from both ends.
        line = QLineF(points[0], points[1])
        middle = line.pointAt(0.5)
        across = line.normalVector().unitVector() if line.length() > 0 else QLineF(0, 0, 0, 1)
        way = QPointF(across.dx(), across.dy())
        way = way if way.y() > 0 else -way
        gap = 10 * scale + abs(way.x()) * width / 2 + abs(way.y()) * height / 2
        spot = middle + way * gap
        left, top = spot.x() - width / 2, spot.y() - height / 2
    else:
        left, top = bounds.center().x() - width / 2, bounds.bottom() + 8 * scale
    left = max(rect.left() + 2, min(left, rect.right() - width - 2))
    top = max(rect.top() + 2, min(top, rect.bottom() - height - 2))
    painter.setPen(_pen(QColor(255, 255, 255, 60), scale))
    painter.setBrush(QColor(12, 13, 14, 205))
    painter.drawRoundedRect(QRectF(left, top, width, height), 4 * scale, 4 * scale)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for number, text in enumerate(lines):
        draw_text(painter, left + pad, top + pad / 2 + number * step, text, style)


def _pen(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _cosmetic(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)  # round ones take a third longer; of thin lines nobody sees which they are
    return pen
