"""The list of series in the browser: letters go to the filter, Enter opens, a row can be dragged into a view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QDrag, QImage, QKeyEvent, QMouseEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QApplication, QTreeView, QWidget

from viewer.ui.browser_rows import DATA_ROLE, PICTURE_ROLE
from viewer.ui.opening import Row
from viewer.ui.views.drop_target import SERIES_MIME


class SeriesTree(QTreeView):
    """The list itself. Letters go to the filter, Esc empties it, Enter opens."""

    typed = Signal(str)
    escaped = Signal()
    chosen = Signal(QModelIndex)
    menu_wanted = Signal(QModelIndex, QPoint)

    takes_escape = False
    """Whether there is a filter to empty."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.header().setMinimumSectionSize(24)
        self.header().setStretchLastSection(False)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTreeView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_menu)
        self.clicked.connect(self.chosen)
        self._pressed: tuple[QPoint, QModelIndex] | None = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setColumnWidth(0, self.viewport().width())  # a hidden header does not follow by itself

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        index = self.indexAt(place)
        is_series = event.button() == Qt.MouseButton.LeftButton and isinstance(index.data(DATA_ROLE), Row)
        self._pressed = (place, index) if is_series else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start, index = self._pressed
            if (event.position().toPoint() - start).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                self.drag_of(index).exec(Qt.DropAction.CopyAction)
                return
        super().mouseMoveEvent(event)

    def drag_of(self, index: QModelIndex) -> QDrag:
        """A drag of a series, to be dropped into a view."""
        row: Row = index.data(DATA_ROLE)
        drag = QDrag(self)
        data = QMimeData()
        data.setData(SERIES_MIME, row.entry.id.encode())
        drag.setMimeData(data)
        picture = index.data(PICTURE_ROLE)
        if isinstance(picture, QImage):
            drag.setPixmap(QPixmap.fromImage(picture))
        elif isinstance(picture, QPixmap):
            drag.setPixmap(picture)
        return drag

    def event(self, event: QEvent) -> bool:
        # The window has a shortcut on Esc; here the key empties the filter.
        is_escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if is_escape and event.type() == QEvent.Type.ShortcutOverride and self.takes_escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = event.key(), event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.chosen.emit(self.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif not plain and event.text().isprintable() and event.text().strip():
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    def _ask_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if not index.isValid():  # the menu key
            index = self.currentIndex()
            place = self.visualRect(index).center()
        if index.isValid():
            self.menu_wanted.emit(index, self.viewport().mapToGlobal(place))
