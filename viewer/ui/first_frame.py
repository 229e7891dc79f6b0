"""What stands on the screen while the rest of the program is imported: the window's frame, where the window will be."""

from __future__ import annotations

import time

from PySide6.QtCore import QByteArray, QCoreApplication, QEventLoop, QRect, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from viewer.session.settings import Settings
from viewer.ui import theme

_PATIENCE_S = 0.1
_SIZE = (1280, 800)
_SIDES = (232, 332)
"""Widths of the browser and of the dock in a window that nobody has divided otherwise."""


class FirstFrame(QMainWindow):
    """The window's surfaces without anything on them, in the place and division that are remembered. Imports next to nothing."""

    def __init__(self, settings: Settings, *, restore: bool = True) -> None:
        super().__init__()
        self.setWindowTitle("negatoscope")
        self.resize(*_SIZE)
        self._is_painted = False
        self._left, self._right = _SIDES
        place = settings.get("window", "") if restore else ""
        if place:
            self.restoreGeometry(QByteArray.fromBase64(place.encode()))
        widths = settings.get("splitter", []) if restore else []
        if len(widths) == 3 and all(isinstance(width, int) for width in widths):
            self._left, self._right = widths[0], widths[2]
        hidden = settings.get("hidden", []) if restore else []
        self._left, self._right = 0 if "browser" in hidden else self._left, 0 if "dock" in hidden else self._right

    def show_now(self) -> None:
        """Show it; painted when this returns, if the screen takes it within a moment."""
        self.show()
        end = time.monotonic() + _PATIENCE_S
        while not self._is_painted and time.monotonic() < end:
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, 10)

    def give_way(self, window: QWidget) -> None:
        """Show the window in this place; this goes when that is painted."""
        if not (self.isMaximized() or self.isFullScreen() or window.isMaximized() or window.isFullScreen()):
            window.setGeometry(self.geometry())
        window.show()
        QTimer.singleShot(0, self, self.close)
        self.deleteLater()

    def parts(self) -> tuple[tuple[QRect, str], ...]:
        """The surfaces and the lines between them, each with the name of its colour."""
        s = theme.sizes()
        top, bottom = s.top_bar, self.height() - s.status_line
        middle, right = bottom - top, self.width() - self._right
        return (
            (QRect(0, 0, self.width(), top - 1), "window"),
            (QRect(0, top - 1, self.width(), 1), "line"),
            (QRect(0, top, self._left, middle), "panel"),
            (QRect(self._left, top, right - self._left, middle), "well"),
            (QRect(right, top, self._right, middle), "panel"),
            (QRect(0, bottom, self.width(), 1), "line"),
            (QRect(0, bottom + 1, self.width(), s.status_line - 1), "window"),
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for rect, color in self.parts():
            painter.fillRect(rect, QColor(getattr(theme.tokens(), color)))
        painter.end()
        self._is_painted = True
