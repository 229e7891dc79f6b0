"""A box that opens beside its opener and gives the focus back to it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.words import _
from viewer.ui.controls.buttons import IconButton
from viewer.ui.controls.labels import ElidedLabel
from viewer.ui.theme import sizes


class Popover(QWidget):
    """Base of popovers: title, close, ``body``. Esc or a click outside closes it; ``closed`` follows.

    Parameters
    ----------
    title : str
        Also its name; without one there is no head line and ``name`` is wanted.
    width : int
        Logical pixels.
    """

    closed = Signal()

    def __init__(self, title: str = "", *, name: str = "", width: int = 320, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAccessibleName(title or name)
        self._opener: QWidget | None = None
        self._close: IconButton | None = None
        self.setFixedWidth(width)
        s = sizes()
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        self.frame = QFrame(self)
        self.frame.setProperty("role", "popover")
        around.addWidget(self.frame)
        outer = QVBoxLayout(self.frame)
        outer.setContentsMargins(s.margin, s.margin, s.margin, s.margin)
        outer.setSpacing(s.row_gap)
        if title:
            head = QHBoxLayout()
            self.title = ElidedLabel(title, "title", parent=self.frame)
            head.addWidget(self.title, 1)
            self._close = IconButton("x", _("Close"), parent=self.frame)
            self._close.clicked.connect(self.close)
            head.addWidget(self._close)
            outer.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setSpacing(s.row_gap)
        outer.addLayout(self.body)

    def open_at(self, opener: QWidget, *, side: Literal["below", "above"] = "below") -> None:
        """Open beside a control, moved to stay on its screen; its first control gets the focus."""
        self._opener = opener
        self.adjustSize()
        start = opener.mapToGlobal(QPoint(0, opener.height() + sizes().tight))
        if side == "above":
            start = opener.mapToGlobal(QPoint(0, -self.height() - sizes().tight))
        self.move(self._kept_on(opener.screen().availableGeometry(), start))
        self.show()
        self.activateWindow()
        (self._first_control() or self._close or self).setFocus(Qt.FocusReason.PopupFocusReason)

    def _first_control(self) -> QWidget | None:
        tab = Qt.FocusPolicy.TabFocus.value
        for widget in self.frame.findChildren(QWidget):
            if widget is not self._close and widget.focusPolicy().value & tab and widget.isEnabled() and widget.isVisible():
                return widget
        return None

    def _kept_on(self, screen: QRect, start: QPoint) -> QPoint:
        gap = sizes().tight
        left = min(max(start.x(), screen.left() + gap), max(screen.left() + gap, screen.right() - self.width() - gap))
        top = min(max(start.y(), screen.top() + gap), max(screen.top() + gap, screen.bottom() - self.height() - gap))
        return QPoint(left, top)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        opener, self._opener = self._opener, None
        if opener is not None and opener.isVisible():
            opener.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()
