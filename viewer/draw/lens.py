"""The magnifier: a round lens over the picture that shows its pixels as squares, with their values where they are large enough."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from viewer.core.digits import intensity
from viewer.core.layout import Placement, Point
from viewer.draw.contours import Contour
from viewer.draw.picture import Picture
from viewer.draw.shapes import draw_contours
from viewer.draw.text import Style, draw_text, text_height, text_width
from viewer.session.view import ViewState

RADIUS = 96.0
FACTORS = (2.0, 3.0, 4.0)
USUAL_FACTOR = 3.0
_CELL_FOR_TEXT = 30.0
_VALUE = Style(10.0)
_READOUT = Style(12.0, is_bold=True)


def lens_placement(placement: Placement, at: Point, factor: float) -> Placement:
    """Where the picture lies seen through the lens: what is under ``at`` (viewport point) stays there."""
    zoom = placement.zoom * factor
    x, y = placement.to_picture(at)
    return Placement(zoom, (at[0] - zoom * x, at[1] - zoom * y))


def lens_rect(at: Point, radius: float = RADIUS) -> QRectF:
    """The square around the lens."""
    return QRectF(at[0] - radius, at[1] - radius, 2 * radius, 2 * radius)


def paint_lens(
    painter: QPainter,
    picture: Picture,
    state: ViewState,
    placement: Placement,
    at: Point,
    *,
    factor: float = USUAL_FACTOR,
    contours: tuple[Contour, ...] = (),
    readout: str = "",
) -> None:
    """Paint the lens around a point of the viewport.

    Parameters
    ----------
    picture : Picture
        What the view shows.
    placement : Placement
        Of the view, without the lens.
    at : (x, y)
        Middle of the lens, in the viewport.
    factor : float
        How much larger than in the view.
    readout : str
        The value in the middle, with unit.
    """
    through, box = lens_placement(placement, at, factor), lens_rect(at)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = QPainterPath()
    edge.addEllipse(box)
    painter.setClipPath(edge, Qt.ClipOperation.IntersectClip)
    painter.fillRect(box, QColor("#000000"))
    _paint_pixels(painter, picture, state, through, box)
    draw_contours(painter, contours, through, 1.0)
    _paint_values(painter, state, through, box, at)
    _paint_aim(painter, state, through, at)
    painter.setClipping(False)
    painter.restore()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((QColor(0, 0, 0, 215), 4.0), (QColor("#F2F4F6"), 1.5)):
        painter.setPen(QPen(color, width))
        painter.drawEllipse(box)
    text = f"{factor:g}×  {readout}" if readout else f"{factor:g}×"
    width = text_width(text, _READOUT) + 16
    chip = QRectF(at[0] - width / 2, box.bottom() - 24, width, text_height(_READOUT) + 4)
    painter.setPen(QPen(QColor(255, 255, 255, 60), 1))
    painter.setBrush(QColor(0x0C, 0x0D, 0x0E, 205))
    painter.drawRoundedRect(chip, 4, 4)
    draw_text(painter, at[0], chip.top() + 2, text, _READOUT, align="center")
    painter.restore()


def _paint_pixels(painter: QPainter, picture: Picture, state: ViewState, through: Placement, box: QRectF) -> None:
    """The pixels as they are: no smoothing, and no more of a large picture than the lens shows."""
    rows, columns = picture.pixels.shape
    across, down = state.layout.size[0] / columns, state.layout.size[1] / rows
    (left, top), (right, bottom) = through.to_picture((box.left(), box.top())), through.to_picture((box.right(), box.bottom()))
    first, stop = max(0, math.floor(left / across)), min(columns, math.ceil(right / across))
    upper, lower = max(0, math.floor(top / down)), min(rows, math.ceil(bottom / down))
    if first >= stop or upper >= lower:
        return
    x, y = through.to_viewport((first * across, upper * down))
    target = QRectF(x, y, (stop - first) * across * through.zoom, (lower - upper) * down * through.zoom)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(target, picture.image, QRectF(first, upper, stop - first, lower - upper))


def _paint_values(painter: QPainter, state: ViewState, through: Placement, box: QRectF, at: Point) -> None:
    """The value in each pixel, where a pixel is large enough to hold it."""
    volume = state.volume
    height, width = (side * through.zoom for side in state.layout.step)
    if volume is None or volume.is_color or state.is_oblique or state.slab is not None or min(height, width) < _CELL_FOR_TEXT:
        return
    values: NDArray[Any] = state.layout.plane(volume.phase(state.phase), state.index)
    rows, columns = values.shape[:2]
    (left, top), (right, bottom) = through.to_picture((box.left(), box.top())), through.to_picture((box.right(), box.bottom()))
    for row in range(max(0, math.floor(top / state.layout.step[0])), min(rows, math.ceil(bottom / state.layout.step[0]))):
        for column in range(max(0, math.floor(left / state.layout.step[1])), min(columns, math.ceil(right / state.layout.step[1]))):
            x, y = through.to_viewport(((column + 0.5) * state.layout.step[1], (row + 0.5) * state.layout.step[0]))
            if math.hypot(x - at[0], y - at[1]) > RADIUS - 8 or y > box.bottom() - 32:
                continue
            value = float(values[row, column])
            text = intensity(value, "", is_statistic=not value.is_integer()) if math.isfinite(value) else ""
            if text_width(text, _VALUE) <= width - 2:
                draw_text(painter, x, y - text_height(_VALUE) / 2, text, _VALUE, align="center")


def _paint_aim(painter: QPainter, state: ViewState, through: Placement, at: Point) -> None:
    """The edge of the pixel under the pointer; a small cross where pixels are small."""
    height, width = (side * through.zoom for side in state.layout.step)
    x, y = through.to_picture(at)
    corner = through.to_viewport(
        (math.floor(x / state.layout.step[1]) * state.layout.step[1], math.floor(y / state.layout.step[0]) * state.layout.step[0])
    )
    box = QRectF(*corner, width, height)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, thick in ((QColor(0, 0, 0, 215), 3.0), (QColor("#FFD54A"), 1.2)):
        painter.setPen(QPen(color, thick))
        if min(height, width) >= 6:
            painter.drawRect(box)
        else:
            painter.drawLine(QPointF(at[0] - 6, at[1]), QPointF(at[0] + 6, at[1]))
            painter.drawLine(QPointF(at[0], at[1] - 6), QPointF(at[0], at[1] + 6))
