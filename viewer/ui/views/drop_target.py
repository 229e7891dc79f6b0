"""What may be dropped on a view: files, and series of the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

SERIES_MIME = "application/x-negatoscope-series"
"""Entry id of a series that is dragged from the browser."""


class DropTarget:
    """The part of a slice view that things are dropped on; mixed into it."""

    activated: Any
    files_dropped: Any
    series_dropped: Any

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(SERIES_MIME) or any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = tuple(Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
        event.acceptProposedAction()
        self.activated.emit()
        if event.mimeData().hasFormat(SERIES_MIME):
            self.series_dropped.emit(bytes(event.mimeData().data(SERIES_MIME).data()).decode())
        elif paths:
            self.files_dropped.emit(paths)
