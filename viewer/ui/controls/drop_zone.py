"""A place to drop files on, with its dashed edge."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.ui.theme import sizes, tokens


class DropZone(QWidget):
    """Dashed edge around what ``body`` holds; accent while something is dragged over it.

    ``dropped`` carries the local paths as a tuple of str; ``dragging_changed`` tells the content to say "Drop to open".
    """

    dropped = Signal(object)
    dragging_changed = Signal(bool)

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setAcceptDrops(True)
        self._dragging = False
        s = sizes()
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(s.section, s.section, s.section, s.section)

    def set_dragging(self, dragging: bool) -> None:
        """Show the hover state; also for a window that takes the drops itself."""
        if dragging != self._dragging:
            self._dragging = dragging
            self.update()
            self.dragging_changed.emit(dragging)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            self.set_dragging(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.set_dragging(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.set_dragging(False)
        paths = tuple(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile())
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.set_dragging(False)

    def paintEvent(self, _event: QPaintEvent) -> None:
        t = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2.0 if self._dragging else 1.0
        pen = QPen(QColor(t.accent if self._dragging else t.line2), width)
        pen.setDashPattern([6 / width, 5 / width])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(box, sizes().radius_dialog, sizes().radius_dialog)
