"""What a badge of a view means, as a tooltip over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from viewer.core.badges import meaning
from viewer.draw.overlay import Extras, shown_badges

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView


def show_meaning(view: SliceView, extras: Extras, event: QHelpEvent) -> None:
    """Show the sentence for the badge under the pointer, and take it away where there is none."""
    rect = QRectF(0, 0, *view.viewport_size)
    for name, box in shown_badges(view.state, rect, view.devicePixelRatioF(), extras=extras):
        if box.contains(QPointF(event.pos())) and meaning(name):
            QToolTip.showText(event.globalPos(), meaning(name), view.viewport(), box.toAlignedRect())
            return
    QToolTip.hideText()
    event.ignore()
