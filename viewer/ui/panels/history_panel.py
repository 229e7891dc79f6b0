"""The History tab: every step in order, the current one marked, those undone below it; a click or Enter goes to a step."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.session.history import Changes
from viewer.ui import icons
from viewer.ui.controls import EmptyState, Hint, IconButton, SectionTitle
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.host import Host
from viewer.ui.panel_host import PanelHost
from viewer.ui.theme import font, set_available, set_property, sizes, theme, tokens

DONE, CURRENT, UNDONE = "done", "current", "undone"
STATE_ROLE, TIME_ROLE = int(Qt.ItemDataRole.UserRole), int(Qt.ItemDataRole.UserRole) + 1
_Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    """Row n is the document after n steps; row 0 is how it was opened."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = host
        self._ids: tuple[str, ...] = ()
        self.position = 0
        self.refresh()

    def refresh(self) -> None:
        """Read the history anew; while it only goes back and forth the rows stay."""
        history = self._host.document.history
        ids = tuple(step.id for step in history)
        if ids != self._ids:
            self.beginResetModel()
            self._ids, self.position = ids, history.position
            self.endResetModel()
        elif history.position != self.position:
            self.position = history.position
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self._ids) + 1

    def state(self, row: int) -> str:
        """done, current or undone."""
        return CURRENT if row == self.position else DONE if row < self.position else UNDONE

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if not 0 <= row < self.rowCount():
            return None
        step = self._host.document.history[row - 1] if row else None
        title = step.title.text() if step is not None else _("Opened")
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        if role == STATE_ROLE:
            return self.state(row)
        at = time.localtime(step.time) if step is not None else None
        if role == TIME_ROLE:
            return time.strftime("%H:%M", at) if at is not None else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            if step is None:
                return _("As it was opened, without any step.")
            return "\n".join((title, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(step.time)), *(_(words) for words in step.origin.warnings)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = {DONE: _("done"), CURRENT: _("current"), UNDONE: _("undone")}[self.state(row)]
            return f"{title}, {words}"
        return None


class _RowPainter(QStyledItemDelegate):
    """Paints a row: sign, title, and the time or the badge at the right."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(100, sizes().list_row)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        t, s, state = tokens(), sizes(), index.data(STATE_ROLE)
        rect: QRect = option.rect  # type: ignore[attr-defined]
        flags: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = bool(flags & QStyle.StateFlag.State_MouseOver)
        if state == CURRENT:
            rounded(painter, QRectF(rect), s.radius, fill=t.sel)
        elif hovered:
            rounded(painter, QRectF(rect), s.radius, fill=t.hover)
        if flags & QStyle.StateFlag.State_HasFocus:
            focus_ring(painter, QRectF(rect))
        sign, color = {DONE: ("check", t.text2), CURRENT: ("circle-dot", t.accent_text), UNDONE: ("circle-dashed", t.text3)}[state]
        if hovered and state == UNDONE:
            color = t.text2  # text3 is too faint on the hover ground
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(rect.left() + s.row_gap, rect.center().y() - s.icon_row // 2 + 1, icons.pixmap(sign, s.icon_row, color, ratio))
        right = self._paint_badge(painter, rect) if state == CURRENT else self._paint_time(painter, rect, str(index.data(TIME_ROLE)), hovered)
        left = rect.left() + s.row_gap + s.icon_row + s.row_gap
        face = font(bold=state == CURRENT)
        painter.setFont(face)
        painter.setPen(QColor(t.text if state != UNDONE or hovered else t.text3))
        room = QRect(left, rect.top(), right - s.row_gap - left, rect.height())
        words = QFontMetrics(face).elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
        painter.restore()

    def _paint_time(self, painter: QPainter, rect: QRect, words: str, hovered: bool) -> int:
        """The time at the right; where it begins."""
        face = font("caption")
        width = QFontMetrics(face).horizontalAdvance(words)
        place = QRect(rect.right() - sizes().row_gap - width, rect.top(), width + 1, rect.height())
        painter.setFont(face)
        painter.setPen(QColor(tokens().text2 if hovered else tokens().text3))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
        return place.left()

    def _paint_badge(self, painter: QPainter, rect: QRect) -> int:
        t, s, face, words = tokens(), sizes(), font("caption", bold=True), _("Current")
        metrics = QFontMetrics(face)
        width, height = metrics.horizontalAdvance(words) + 2 * s.gap, metrics.height() + s.tight
        box = QRectF(rect.right() - s.row_gap - width, rect.center().y() - height / 2 + 1, width, height)
        rounded(painter, box, s.radius_badge, fill=t.raised, edge=t.line)
        painter.setFont(face)
        painter.setPen(QColor(t.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        return int(box.left())


class _Steps(QListView):
    """Enter goes to the step under the keyboard's cursor; so does a click."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(_("Steps"))
        self.setItemDelegate(_RowPainter(self))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(3 * sizes().list_row)

    def fit(self) -> None:
        """Not taller than its rows."""
        model = self.model()
        self.setMaximumHeight(max(3, model.rowCount()) * sizes().list_row + 2 * sizes().hair)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.clicked.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class HistoryPanel(QWidget):
    """Shows the history of the document and asks the host to go to a step."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_property(self, "role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("History"))
        self._host = panel_host.host
        s = sizes()
        column = QVBoxLayout(self)
        column.setContentsMargins(s.margin, s.margin, s.margin, s.margin)
        column.setSpacing(s.row_gap)
        head = QHBoxLayout()
        head.setSpacing(s.tight)
        head.addWidget(SectionTitle(_("History"), parent=self), 1)
        self.undo = IconButton("undo-2", _("Undo"), parent=self)
        self.redo = IconButton("redo-2", _("Redo"), parent=self)
        self.undo.clicked.connect(self._host.undo)
        self.redo.clicked.connect(self._host.redo)
        head.addWidget(self.undo)
        head.addWidget(self.redo)
        column.addLayout(head)
        self.empty = EmptyState(_("No steps yet."), _("What you change is listed here, and can be undone."), parent=self)
        column.addWidget(self.empty)
        self.model = HistoryModel(self._host, self)
        self.steps = _Steps(self)
        self.steps.setModel(self.model)
        self.steps.clicked.connect(self._go)
        column.addWidget(self.steps, 1000)
        self.undone = Hint(parent=self)
        column.addWidget(self.undone)
        column.addStretch(1)
        self._host.document_changed.connect(self._take_changes)
        self._host.document_replaced.connect(self.refresh)
        theme().changed.connect(self._repaint)
        self.refresh()

    def refresh(self) -> None:
        """Read the history anew, with the current step in sight."""
        history = self._host.document.history
        self.model.refresh()
        self.steps.fit()
        has_steps = len(history) > 0
        self.empty.setVisible(not has_steps)
        self.steps.setVisible(has_steps)
        undone = len(history) - history.position
        self.undone.setVisible(undone > 0)
        self.undone.setText(
            ngettext("{count} undone step. A new step will replace it.", "{count} undone steps. A new step will replace them.", undone)
        )
        self._name(self.undo, history.next_undo, _("Undo {step}"), _("Undo"), _("Nothing to undo."))
        self._name(self.redo, history.next_redo, _("Redo {step}"), _("Redo"), _("Nothing to redo."))
        current = self.model.index(history.position)
        self.steps.setCurrentIndex(current)
        self.steps.scrollTo(current)

    def _name(self, button: IconButton, step: Any, words: str, bare: str, reason: str) -> None:
        name = words.format(step=step.title.text()) if step is not None else bare
        set_available(button)
        button.set_name(name)
        set_available(button, "" if step is not None else reason)

    def _go(self, index: QModelIndex) -> None:
        if index.row() != self._host.document.history.position:
            self._host.go_to(index.row())

    def _take_changes(self, changes: Changes) -> None:
        if changes.history or changes.sources:
            self.refresh()

    def _repaint(self, _tokens: object) -> None:
        self.steps.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.steps.fit()


def build_history(panel_host: PanelHost) -> QWidget:
    """The panel, for the dock."""
    return HistoryPanel(panel_host)
