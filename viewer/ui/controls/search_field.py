"""A field to filter a list by: magnifier on the left, a button that empties it on the right."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from viewer.core.words import _
from viewer.ui import icons
from viewer.ui.controls.buttons import IconButton
from viewer.ui.theme import sizes, tokens


class SearchField(QLineEdit):
    """A filter. Esc empties it first and is left to the window when it is empty; Down leaves it for the list (``left_downwards``)."""

    left_downwards = Signal()

    def __init__(self, placeholder: str, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name or placeholder)
        self.setFixedHeight(sizes().field_height)
        self.setTextMargins(sizes().icon_field + 8, 0, 0, 0)
        self._clear = IconButton("x", _("Clear"), size=sizes().icon_field, side=22, parent=self)
        self._clear.setFixedSize(22, 22)
        self._clear.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._clear.setCursor(Qt.CursorShape.ArrowCursor)
        self._clear.clicked.connect(self.clear)
        self._clear.hide()
        self.textChanged.connect(self._text_changed)

    def sizeHint(self) -> QSize:
        return QSize(180, sizes().field_height)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, sizes().field_height)

    def _text_changed(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self.setTextMargins(sizes().icon_field + 8, 0, 22 if text else 0, 0)
        self._tell_placeholder()

    def _tell_placeholder(self) -> None:
        room = self.width() - sizes().icon_field - 8 - 2 * sizes().row_gap - 4
        cut = not self.text() and self.fontMetrics().horizontalAdvance(self.placeholderText()) > room
        self.setToolTip(self.placeholderText() if cut else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._clear.move(self.width() - 25, (self.height() - 22) // 2)
        self._tell_placeholder()

    def event(self, event: QEvent) -> bool:
        # The window has a shortcut on Esc; while there is something to empty the key is ours.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape and self.text():
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.left_downwards.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        length = sizes().icon_field
        place = QRect(QPoint(8, (self.height() - length) // 2), QSize(length, length))
        color = tokens().text2 if self.isEnabled() else tokens().disabled
        QPainter(self).drawPixmap(place, icons.pixmap("search", length, color, self.devicePixelRatioF()))
