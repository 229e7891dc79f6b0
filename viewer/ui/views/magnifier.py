"""The magnifier of a view: a lens at the pointer, on while its key is held or until it is pressed again."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from viewer.draw.lens import FACTORS, USUAL_FACTOR, lens_rect, paint_lens

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView


class Magnifier:
    """Belongs to one view; not part of what is exported."""

    def __init__(self, view: SliceView) -> None:
        self._view = weakref.proxy(view)  # a view is to go at once, not when cycles are looked for
        self.is_on = False
        self.factor = USUAL_FACTOR

    def set_on(self, is_on: bool) -> None:
        """Show the lens where the pointer is, or take it away."""
        if is_on != self.is_on:
            self.is_on = is_on
            self._view.viewport().update()

    def set_factor(self, factor: float) -> None:
        """How much it enlarges what is on screen: 2, 3 or 4 times; the nearest of these."""
        self.factor = min(FACTORS, key=lambda known: abs(known - factor))
        self._view.viewport().update()

    def rect(self) -> QRectF | None:
        """Where the lens is, None while there is none to be seen."""
        view = self._view
        at = view.lens_source[2]
        if not self.is_on or at is None or view.state.volume is None or view.navigator.slider.is_wide:
            return None
        return lens_rect(at)

    def paint(self, painter: QPainter) -> None:
        """Paint the lens over the view."""
        view = self._view
        picture, contours, at, readout = view.lens_source
        if self.rect() is None or picture is None or at is None:
            return
        placement = view.state.placement(view.viewport_size)
        paint_lens(painter, picture, view.state, placement, at, factor=self.factor, contours=contours, readout=readout)
