"""The scene's one item: the ready picture of a view."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from viewer.core.layout import Point
from viewer.draw.picture import Picture, draw_picture
from viewer.session.view import EMPTY


class PictureItem(pg.GraphicsObject):  # type: ignore[misc]
    """Hands the ready picture to the painter, pixel for pixel as an export does."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: Picture | None = None
        self.state = EMPTY
        self.size: Point = (1.0, 1.0)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, *self.size)

    def resize(self, size: Point) -> None:
        self.prepareGeometryChange()
        self.size = size

    def paint(self, painter: QPainter, _option: Any, _widget: QWidget | None = None) -> None:
        if self.picture is not None:
            painter.resetTransform()  # widget coordinates
            draw_picture(painter, self.picture, self.state, self.state.placement(self.size))
