"""The scene's one item: the ready picture of a view."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from viewer.core.layout import Point
from viewer.draw.picture import Picture, draw_picture, is_smooth
from viewer.session.view import EMPTY


class PictureItem(pg.GraphicsObject):  # type: ignore[misc]
    """Hands the ready picture to the painter, pixel for pixel as an export does.

    What is painted a second time unchanged, under another line of text or another contour, is kept as it came out on screen.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[object, ...] = ()
        self._kept: QImage | None = None
        self._picture: Picture | None = None
        self.state = EMPTY
        self.size: Point = (1.0, 1.0)

    @property
    def picture(self) -> Picture | None:
        return self._picture

    @picture.setter
    def picture(self, picture: Picture | None) -> None:
        if picture is not self._picture:
            self._picture, self._last, self._kept = picture, (), None

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, *self.size)

    def resize(self, size: Point) -> None:
        self.prepareGeometryChange()
        self.size = size

    def paint(self, painter: QPainter, _option: Any, _widget: QWidget | None = None) -> None:
        if self._picture is None:
            return
        painter.resetTransform()  # widget coordinates
        key = (self.state.placement(self.size), self.state.layout, self.size, painter.device().devicePixelRatio(), is_smooth())
        if key != self._last:
            self._last, self._kept = key, None
            self._draw(painter, self._picture)
            return
        if self._kept is None:
            self._kept = self._rendered(self._picture, painter.device().devicePixelRatio())
        painter.drawImage(0, 0, self._kept)

    def _rendered(self, picture: Picture, ratio: float) -> QImage:
        width, height = self.size
        image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.black)
        painter = QPainter(image)
        self._draw(painter, picture)
        painter.end()
        return image

    def _draw(self, painter: QPainter, picture: Picture) -> None:
        draw_picture(painter, picture, self.state, self.state.placement(self.size))
