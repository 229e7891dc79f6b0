"""The rows of the tag browser: a tree over what was read, worded only where it is looked at."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFontDatabase, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

from viewer.core.words import gettext as _
from viewer.io.dicom.tag_words import haystack, is_identity, line_of, matching, title_of, value_of, whole_value_of
from viewer.io.dicom.tags import Element, Tags, tag_text
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.theme import font, sizes, tokens

TAG, NAME, VR, VALUE = range(4)
BADGE_ROLE = Qt.ItemDataRole.UserRole + 1
_ROOT = QModelIndex()
_TIP = 2000
Place = QModelIndex | QPersistentModelIndex


class TagModel(QAbstractItemModel):
    """A :class:`Tags` as a tree of sequences, items and elements; a filter leaves what matches and what holds it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tags: Tags | None = None
        self._hays: list[str] | None = None
        self._children: dict[int, list[int]] = {}
        self._at: dict[int, int] = {}
        self.matches = 0
        """Elements that are shown, items not counted."""
        face = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        face.setPixelSize(sizes().small)
        self._even = face

    def show(self, tags: Tags | None, text: str = "") -> None:
        """Show another file, filtered."""
        self.beginResetModel()
        if tags is not self.tags:
            self.tags, self._hays = tags, None
        rows = tags.rows if tags is not None else ()
        shown = range(len(rows)) if not text.strip() or tags is None else matching(tags, text, self._haystacks())
        self._children, self._at = {}, {}
        for number in shown:
            siblings = self._children.setdefault(rows[number].parent, [])
            self._at[number] = len(siblings)
            siblings.append(number)
        self.matches = sum(not rows[number].is_item for number in shown)
        self.endResetModel()

    def _haystacks(self) -> list[str]:
        if self._hays is None:
            self._hays = [haystack(row) for row in self.tags.rows] if self.tags is not None else []
        return self._hays

    def element(self, index: Place) -> Element | None:
        """The row of an index."""
        return self.tags.rows[index.internalId()] if index.isValid() and self.tags is not None else None

    def shown_text(self) -> str:
        """All rows that are shown, as text."""
        return "\n".join(line_of(self.tags.rows[number]) for number in sorted(self._at)) if self.tags is not None else ""

    # --- what a view asks ---

    def index(self, row: int, column: int, parent: Place = _ROOT) -> QModelIndex:
        children = self._children.get(parent.internalId() if parent.isValid() else -1, ())
        if 0 <= row < len(children) and 0 <= column <= VALUE:
            return self.createIndex(row, column, children[row])
        return QModelIndex()

    def parent(self, index: Place = _ROOT) -> Any:
        if not index.isValid() or self.tags is None:
            return QModelIndex()
        above = self.tags.rows[index.internalId()].parent
        return self.createIndex(self._at[above], 0, above) if above >= 0 else QModelIndex()

    def rowCount(self, parent: Place = _ROOT) -> int:
        if parent.isValid() and parent.column():
            return 0
        return len(self._children.get(parent.internalId() if parent.isValid() else -1, ()))

    def columnCount(self, _parent: Place = _ROOT) -> int:
        return VALUE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return (_("Tag"), _("Name"), _("VR"), _("Value"))[section]
        return None

    def data(self, index: Place, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        element = self.element(index)
        if element is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._words(element, column)
        if role == Qt.ItemDataRole.FontRole:
            return self._even if column in (TAG, VALUE) and not element.is_item else None
        if role == Qt.ItemDataRole.ToolTipRole:
            if column == VALUE:
                # No markup: a value that looks like HTML must not be taken for it.
                return whole_value_of(element)[:_TIP].replace("<", "‹") or None
            return title_of(element) if column == NAME else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return line_of(element).strip() if column == TAG else self._words(element, column)
        if role == BADGE_ROLE and column == NAME:
            return _("Identity") if is_identity(element) else _("Private") if element.is_private and not element.is_item else ""
        return None

    @staticmethod
    def _words(element: Element, column: int) -> str:
        if column == TAG:
            return title_of(element) if element.is_item else tag_text(element.tag)
        if element.is_item:
            return ""
        return title_of(element) if column == NAME else element.vr if column == VR else value_of(element)


class TagTree(QTreeView):
    """A tree whose focus is a ring round the whole row."""

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Place) -> None:
        super().drawRow(painter, option, index)
        if self.hasFocus() and index.row() == self.currentIndex().row() and index.parent() == self.currentIndex().parent():
            focus_ring(painter, QRectF(option.rect), sizes().radius_badge)


class BadgeDelegate(QStyledItemDelegate):
    """Names with a badge at their right, where there is one. The tree draws the focus."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Place) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Place) -> None:
        badge = index.data(BADGE_ROLE)
        if not badge:
            super().paint(painter, option, index)
            return
        face = font("caption", bold=True)
        width = QFontMetrics(face).horizontalAdvance(badge) + 2 * sizes().gap
        inner = QStyleOptionViewItem(option)
        self.initStyleOption(inner, index)
        words, inner.text = inner.text, ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, inner, painter, option.widget)
        room = option.rect.adjusted(sizes().hair + 1, 0, -width - sizes().row_gap, 0)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setFont(inner.font)
        painter.setPen(QColor(tokens().text))
        elided = QFontMetrics(inner.font).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
        height = QFontMetrics(face).height() + sizes().tight
        used = min(room.width(), QFontMetrics(inner.font).horizontalAdvance(elided))
        box = QRectF(room.left() + used + sizes().row_gap, option.rect.center().y() - height / 2 + 1, width, height)
        rounded(painter, box, sizes().radius_badge, fill=tokens().raised, edge=tokens().line)
        painter.setFont(face)
        painter.setPen(QColor(tokens().text if selected else tokens().text2))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, badge)
        painter.restore()
