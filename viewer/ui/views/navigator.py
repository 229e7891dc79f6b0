"""What helps a hand through the slices of one view: the slider at its edge and the magnifier."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from viewer.core.key_image import KeyImage
from viewer.session.document import Document
from viewer.session.key_images import shown_key_image
from viewer.ui.views.magnifier import Magnifier
from viewer.ui.views.slider import SliceSlider

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView


class Navigator:
    """Made by its view, which asks it to look when something changed, and to paint over all else."""

    def __init__(self, view: SliceView) -> None:
        self._view = weakref.proxy(view)  # a view is to go at once, not when cycles are looked for
        self.slider = SliceSlider(view)
        self.magnifier = Magnifier(view)
        self.has_ruler = False
        """Whether rulers stand along the edges."""
        self.key_image: KeyImage | None = None
        """The mark of the image that is shown."""

    def set_ruler(self, is_shown: bool) -> None:
        """Show rulers along the edges, or take them away."""
        if is_shown != self.has_ruler:
            self.has_ruler = is_shown
            self._view.viewport().update()

    def look(self) -> None:
        """The view's state or its document may have changed."""
        self.slider.look()
        document = self._view.document
        found = shown_key_image(document, self._view.state) if isinstance(document, Document) else None
        if found != self.key_image:
            self.key_image = found
            self._view.viewport().update()

    def paint(self, painter: QPainter, rect: QRectF) -> None:
        """Paint slider and lens, in logical pixels of the viewport."""
        self.slider.paint(painter, rect)
        self.magnifier.paint(painter)
