"""A splitter with a line of 1 px: double-click on it restores, and arrow keys move it when it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

from viewer.core.words import _

_KEY_STEP = 16


class _Handle(QSplitterHandle):
    def __init__(self, orientation: Qt.Orientation, parent: QSplitter) -> None:
        super().__init__(orientation, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(_("Divider"))
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        owner = self.splitter()
        if isinstance(owner, Splitter):
            owner.restore_default()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        across = self.orientation() == Qt.Orientation.Horizontal
        less, more = (Qt.Key.Key_Left, Qt.Key.Key_Right) if across else (Qt.Key.Key_Up, Qt.Key.Key_Down)
        if event.key() not in (less, more):
            super().keyPressEvent(event)
            return
        step = _KEY_STEP if event.key() == more else -_KEY_STEP
        # The handle's own place starts where its grab area does, a little before the line.
        before = self.splitter().widget(self.splitter().indexOf(self) - 1).geometry()
        self.moveSplitter((before.right() if across else before.bottom()) + 1 + step)


class Splitter(QSplitter):
    """``set_default_sizes`` gives what a double-click on a handle restores; ``resized`` follows a change by the user."""

    resized = Signal()

    def __init__(self, orientation: Qt.Orientation = Qt.Orientation.Horizontal, *, parent: QWidget | None = None) -> None:
        super().__init__(orientation, parent)
        self._default: list[int] = []
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._moved)

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)

    def set_default_sizes(self, default: Sequence[int]) -> None:
        """Sizes of the parts in pixels, taken on now and restored by a double-click."""
        self._default = list(default)
        self.setSizes(self._default)

    def restore_default(self) -> None:
        if self._default:
            self.setSizes(self._default)
            self.resized.emit()

    def _moved(self, _pos: int, _index: int) -> None:
        self.resized.emit()
