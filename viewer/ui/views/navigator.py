"""What helps a hand through the slices of one view: the slider at its edge and the magnifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from viewer.ui.views.magnifier import Magnifier
from viewer.ui.views.slider import SliceSlider

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView


class Navigator:
    """Made by its view, which asks it to look when something changed, and to paint over all else."""

    def __init__(self, view: SliceView) -> None:
        self.slider = SliceSlider(view)
        self.magnifier = Magnifier(view)

    def look(self) -> None:
        """The view's state or its document may have changed."""
        self.slider.look()

    def paint(self, painter: QPainter, rect: QRectF) -> None:
        """Paint slider and lens, in logical pixels of the viewport."""
        self.slider.paint(painter, rect)
        self.magnifier.paint(painter)
