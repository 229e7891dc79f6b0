"""What a badge of a view means, as a tooltip over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from viewer.core.badges import meaning
from viewer.draw.overlay import KEY_IMAGE, Extras, shown_badges

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView


def show_meaning(view: SliceView, extras: Extras, event: QHelpEvent) -> None:
    """Show the sentence for the badge under the pointer, and take it away where there is none."""
    rect = QRectF(0, 0, *view.viewport_size)
    for name, box in shown_badges(view.state, rect, view.devicePixelRatioF(), extras=extras):
        if box.contains(QPointF(event.pos())) and (words := _words(view, name)):
            QToolTip.showText(event.globalPos(), words, view.viewport(), box.toAlignedRect())
            return
    QToolTip.hideText()
    event.ignore()


def _words(view: SliceView, badge: str) -> str:
    item = view.navigator.key_image
    return f"{meaning(badge)}\n{item.note}" if badge == KEY_IMAGE and item is not None and item.note else meaning(badge)
