"""The list of key images: a small picture, where it is and its note. A click goes there, F2 writes a note, Delete takes the mark off."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from viewer.core.key_image import KeyImage
from viewer.core.words import gettext as _
from viewer.draw.picture import thumbnail
from viewer.session.history import Changes
from viewer.session.key_images import note_key_image, place_words, remove_key_images, shown_key_image, wish_for
from viewer.session.view import ViewWish, resolve
from viewer.ui.controls import Hint, IconButton, SectionTitle
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.panel_host import PanelHost
from viewer.ui.theme import font, set_available, sizes, theme, tokens

_ID, _PLACE, _SHOWN = (int(Qt.ItemDataRole.UserRole) + n for n in range(3))
_SIDE = 40
_MOST_ROWS = 5
_MOST_LETTERS = 200
_Index = QModelIndex | QPersistentModelIndex
_OWN_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter)


def row_height() -> int:
    """For a picture, and for two lines of text at any text size."""
    return sizes().series_row - 10


class KeyImageModel(QAbstractListModel):
    """All key images, in the order in which they were marked."""

    def __init__(self, panels: PanelHost, parent: QWidget) -> None:
        super().__init__(parent)
        self._panels = panels
        self.items: tuple[KeyImage, ...] = ()
        self._pictures: dict[KeyImage, QPixmap] = {}

    def refresh(self) -> None:
        """Read the document anew."""
        items = self._panels.document.items("key_image")
        if items != self.items:
            self.beginResetModel()
            self.items = items
            self._pictures = {item: picture for item, picture in self._pictures.items() if item in items}
            self.endResetModel()

    def refresh_shown(self) -> None:
        """Another image is in view."""
        if self.items:
            self.dataChanged.emit(self.index(0), self.index(len(self.items) - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self.items)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self.items):
            return None
        item = self.items[index.row()]
        volume = self._panels.document.volume(item.volume_id)
        place = place_words(item, volume)
        is_here = item.volume_id == self._panels.root_id
        if role == _ID:
            return item.id
        if role == _PLACE:
            return place
        if role == _SHOWN:
            return is_here and shown_key_image(self._panels.document, self._panels.state) == item
        if role == Qt.ItemDataRole.EditRole:
            return item.note
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            title = "" if is_here else volume.title or volume.identity.series_description
            second = "  ".join(part for part in (item.note, title) if part)
            return ", ".join(part for part in (place, second) if part) if role == Qt.ItemDataRole.AccessibleTextRole else second
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(part for part in (volume.title or volume.identity.series_description, place, item.note, item.origin) if part)
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not 0 <= index.row() < len(self.items):
            return False
        with self._panels.host.reporting():
            return note_key_image(self._panels.document, self.items[index.row()].id, str(value)[:_MOST_LETTERS])
        return False

    def picture(self, item: KeyImage, ratio: float) -> QPixmap:
        """The image as it was marked, small."""
        found = self._pictures.get(item)
        if found is None or found.devicePixelRatio() != ratio:
            document = self._panels.document
            wish = wish_for(item, document.volume(item.volume_id), ViewWish(item.volume_id, text="none"))
            found = QPixmap.fromImage(thumbnail(resolve(wish, document), document, round(_SIDE * ratio)))
            found.setDevicePixelRatio(ratio)
            self._pictures[item] = found
        return found


class _RowPainter(QStyledItemDelegate):
    """Paints picture, place and note; the one in view is marked by a bookmark-coloured edge and a bold place."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(100, row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        t, s = tokens(), sizes()
        rect: QRect = option.rect  # type: ignore[attr-defined]
        flags: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        model = index.model()
        assert isinstance(model, KeyImageModel)
        is_shown = bool(index.data(_SHOWN))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_shown:
            rounded(painter, QRectF(rect), s.radius, fill=t.sel)
        elif flags & QStyle.StateFlag.State_MouseOver:
            rounded(painter, QRectF(rect), s.radius, fill=t.hover)
        if flags & QStyle.StateFlag.State_HasFocus:
            focus_ring(painter, QRectF(rect))
        picture = model.picture(model.items[index.row()], painter.device().devicePixelRatioF())
        painter.drawPixmap(QPoint(rect.left() + s.tight, rect.top() + (rect.height() - _SIDE) // 2), picture)
        left = rect.left() + s.tight + _SIDE + s.row_gap
        room = rect.right() - s.row_gap - left
        face, small = font(bold=is_shown), font("small")
        note = str(index.data() or "")
        height = QFontMetrics(face).height() + (QFontMetrics(small).height() if note else 0)
        top = rect.top() + (rect.height() - height) // 2
        painter.setFont(face)
        painter.setPen(QColor(t.text))
        place = QFontMetrics(face).elidedText(str(index.data(_PLACE)), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRect(left, top, room, QFontMetrics(face).height()), Qt.AlignmentFlag.AlignVCenter, place)
        if note:
            painter.setFont(small)
            painter.setPen(QColor(t.text if is_shown else t.text2))
            words = QFontMetrics(small).elidedText(note, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRect(left, top + QFontMetrics(face).height(), room, QFontMetrics(small).height()), Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: _Index) -> QWidget:
        field = QLineEdit(parent)
        field.setMaxLength(_MOST_LETTERS)
        field.setPlaceholderText(_("Note"))
        field.setAccessibleName(_("Note of the key image"))
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: _Index) -> None:
        rect: QRect = option.rect  # type: ignore[attr-defined]
        left = rect.left() + sizes().tight + _SIDE + sizes().tight
        editor.setGeometry(left, rect.top() + (rect.height() - sizes().field_height) // 2, rect.right() - sizes().tight - left, sizes().field_height)


class _Rows(QListView):
    """Keeps Delete, Enter and F2 for itself while it has the focus."""

    def __init__(self, owner: KeyImageList) -> None:
        super().__init__(owner)
        self._owner = owner

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._owner.remove_current()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._owner.show_current()
        elif event.key() == Qt.Key.Key_F2:
            self._owner.note_current()
        else:
            super().keyPressEvent(event)


class KeyImageList(QWidget):
    """The list with its title and buttons, for a panel."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        s = sizes()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(s.tight)
        head = QHBoxLayout()
        head.setSpacing(s.tight)
        head.addWidget(SectionTitle(_("Key images"), parent=self), 1)
        self.note = IconButton("pencil", _("Note (F2)"), parent=self)
        self.note.clicked.connect(self.note_current)
        self.remove = IconButton("trash-2", _("Take the mark off"), parent=self)
        self.remove.clicked.connect(self.remove_current)
        self.export = IconButton("download", _("Export key images"), parent=self)
        self.export.clicked.connect(lambda: panel_host.export("key_images"))
        for button in (self.note, self.remove, self.export):
            head.addWidget(button)
        column.addLayout(head)
        self.hint = Hint("", parent=self)
        column.addWidget(self.hint)
        self.model = KeyImageModel(panel_host, self)
        self.rows = _Rows(self)
        self.rows.setAccessibleName(_("Key images"))
        self.rows.setModel(self.model)
        self.rows.setItemDelegate(_RowPainter(self.rows))
        self.rows.setMouseTracking(True)
        self.rows.setUniformItemSizes(True)
        self.rows.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.rows.clicked.connect(self._show)
        column.addWidget(self.rows)
        host = panel_host.host
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self.refresh)
        host.view_changed.connect(self._take_view)
        theme().changed.connect(self._repaint)
        panel_host.actions.profile_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the document anew; the keyboard's cursor stays in its row where it can."""
        row = self.rows.currentIndex().row()
        self.model.refresh()
        count = self.model.rowCount()
        if count:
            self.rows.setCurrentIndex(self.model.index(max(0, min(row, count - 1))))
        keys = self._panels.actions.shown_keys("view.key_image")
        words = _("No key images yet. {key} marks the image in view.") if keys else _("No key images yet.")
        self.hint.setText(words.format(key=keys[0]) if keys else words)
        self.hint.setVisible(not count)
        self.rows.setVisible(bool(count))
        # A row more than fits shows half, so that it is seen that the list goes on.
        self.rows.setFixedHeight(round((count if count <= _MOST_ROWS else _MOST_ROWS + 0.5) * row_height()) + 2 * sizes().hair)
        for button in (self.note, self.remove, self.export):
            set_available(button, "" if count else _("No image is marked as a key image."))

    @property
    def current(self) -> KeyImage | None:
        """The key image of the row with the keyboard's cursor."""
        row = self.rows.currentIndex().row()
        return self.model.items[row] if 0 <= row < len(self.model.items) else None

    def show_current(self) -> None:
        """Show it as it was marked."""
        if self.current is not None:
            self._panels.host.show_key_image(self.current)

    def note_current(self) -> None:
        """Write its note, in place."""
        index = self.rows.currentIndex()
        if index.isValid():
            self.rows.setFocus(Qt.FocusReason.OtherFocusReason)
            self.rows.edit(index)

    def remove_current(self) -> None:
        """Take its mark off, as one step."""
        item = self.current
        if item is not None:
            with self._panels.host.reporting():
                remove_key_images(self._panels.document, (item.id,))

    def _show(self, index: QModelIndex) -> None:
        self.rows.setCurrentIndex(index)
        self.show_current()

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("key_image") or changes.sources:
            self.refresh()

    def _take_view(self, _state: object) -> None:
        self.model.refresh_shown()

    def _repaint(self, _tokens: object) -> None:
        self.rows.viewport().update()
