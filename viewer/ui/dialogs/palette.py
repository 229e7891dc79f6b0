"""Every command by its name: type a word of it, Enter runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from viewer.core.words import gettext as _
from viewer.core.words import in_all_languages
from viewer.ui import icons
from viewer.ui.action_table import ActionSpec
from viewer.ui.actions import Actions
from viewer.ui.controls import Label, SearchField
from viewer.ui.controls.painting import rounded
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.keycaps import keys_of, paint_caps, title_of
from viewer.ui.dialogs.other_names import OTHER_NAMES
from viewer.ui.theme import font, sizes, tokens

_ROWS_SHOWN = 9
# The palette itself, and what only ends a gesture, are no commands to look for.
_LEFT_OUT = ("help.palette", "gesture.cancel")
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Command:
    """One row."""

    spec: ActionSpec
    title: str
    where: str
    keys: tuple[str, ...]
    reason: str
    """Why it cannot be run now; "" if it can."""
    words: str
    """What a search looks into in the language in use and in English, in small letters."""

    @property
    def all_words(self) -> str:
        """The same in every language."""
        texts = (self.spec.title, self.spec.menu, self.spec.tip)
        return " ".join((self.words, *(said for text in texts if text for said in in_all_languages(text)))).casefold()

    def rank(self, wanted: list[str]) -> int | None:
        """How well it answers the words: 0 best, None not at all."""
        # The other languages' catalogues are read only where what is typed can be of them.
        words = self.words if all(word.isascii() for word in wanted) else self.all_words
        if not all(word in words for word in wanted):
            return None
        if not wanted:
            return 0
        title, first = self.title.casefold(), wanted[0]
        if title.startswith(first):
            return 0
        return 1 if any(part.startswith(first) for part in title.split()) else 2 if first in title else 3


def commands(actions: Actions) -> tuple[Command, ...]:
    """All commands of the action table, the plugins' tools and operations too."""
    found = []
    for spec in actions.specs():
        if spec.id in _LEFT_OUT and actions.keys(spec.id):
            continue
        action = actions[spec.id]
        title = title_of(actions, spec)
        words = " ".join((title, spec.title, _(spec.menu), spec.menu, _(spec.tip), spec.tip, OTHER_NAMES.get(spec.id, ""))).casefold()
        found.append(Command(spec, title, _(spec.menu), keys_of(actions, spec), "" if action.isEnabled() else action.toolTip(), words))
    return tuple(found)


class _Model(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.shown: list[Command] = []

    def show_commands(self, shown: list[Command]) -> None:
        self.beginResetModel()
        self.shown = shown
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own form
        return 0 if parent.isValid() else len(self.shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        command = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return command.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return command.reason or _(command.spec.tip) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (command.title, command.where, " ".join(command.keys), command.reason) if part)
        return None


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(100, sizes().button)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        command: Command = index.model().shown[index.row()]  # type: ignore[attr-defined]
        t, s, live = tokens(), sizes(), not command.reason
        rect = QRect(option.rect)  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            rounded(painter, QRectF(rect), s.radius, fill=t.sel)
        elif state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, QRectF(rect), s.radius, fill=t.hover)
        middle = rect.center().y() + 1
        left, right = rect.left() + s.row_gap, float(rect.right() - s.row_gap)
        color = t.disabled if not live else t.text if chosen else t.text2
        if command.spec.icon in icons.icon_names():
            ratio = painter.device().devicePixelRatio()
            painter.drawPixmap(QPoint(left, middle - s.icon_row // 2), icons.pixmap(command.spec.icon, s.icon_row, color, ratio))
        left += s.icon_row + s.row_gap
        if command.keys:
            right = paint_caps(painter, right, middle, command.keys[0]) - s.row_gap
        # The reason of a disabled command stands where its place in the menus would.
        face, small = font("body"), font("caption")
        note = command.reason.splitlines()[0] if command.reason else command.where
        title_width = min(QFontMetrics(face).horizontalAdvance(command.title) + s.hair, int(right) - left)
        painter.setFont(face)
        painter.setPen(QColor(t.text if live else t.disabled))
        title = QFontMetrics(face).elidedText(command.title, Qt.TextElideMode.ElideRight, title_width)
        line = QRect(left, rect.top(), title_width, rect.height())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        left += title_width + s.row_gap
        painter.setFont(small)
        painter.setPen(QColor(t.text if chosen else t.text3))
        words = QFontMetrics(small).elidedText(note, Qt.TextElideMode.ElideRight, max(0, int(right) - left))
        painter.drawText(QRect(left, rect.top() + 1, max(0, int(right) - left), rect.height()), Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


class Palette(Dialog):
    """The field, the commands that answer it, and a sentence where none does."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(name=_("Find a command"), width=sizes().palette, parent=parent)
        self._actions = actions
        self._commands = commands(actions)
        self.field = SearchField(_("Find a command"), parent=self.frame)
        self.field.setFont(font("title"))
        self.field.setFixedHeight(34)
        self.body.addWidget(self.field)
        self._model = _Model(self)
        self.list = QListView(self.frame)
        self.list.setAccessibleName(_("Commands"))
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.clicked.connect(self._run)
        self.body.addWidget(self.list)
        self.none = Label(_("No command matches."), "secondary", parent=self.frame)
        self.body.addWidget(self.none)
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self._filter("")
        self.field.setFocus()

    def titles(self) -> tuple[str, ...]:
        """The commands that are listed now, best first."""
        return tuple(command.title for command in self._model.shown)

    def place(self) -> QPoint:
        """In the top third of the window."""
        owner = self.parentWidget()
        if owner is None:
            return super().place()
        area = owner.window().frameGeometry()
        return QPoint(area.center().x() - self.width() // 2, area.top() + area.height() // 10)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -_ROWS_SHOWN, Qt.Key.Key_PageDown: _ROWS_SHOWN}
            if event.key() in steps:
                self._choose(self.list.currentIndex().row() + steps[Qt.Key(event.key())])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self.list.currentIndex())
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.reject()
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        wanted = text.casefold().split()
        ranked = [(rank, bool(c.reason), c) for c in self._commands if (rank := c.rank(wanted)) is not None]
        ranked.sort(key=lambda found: found[:2])
        self._model.show_commands([c for _rank, _dim, c in ranked])
        self.none.setVisible(not ranked)
        self.list.setVisible(bool(ranked))
        self.list.setFixedHeight(min(len(ranked), _ROWS_SHOWN) * sizes().button or 1)
        self._choose(0)
        if self.isVisible():
            self.refit()

    def _choose(self, row: int) -> None:
        if self._model.shown:
            self.list.setCurrentIndex(self._model.index(max(0, min(row, len(self._model.shown) - 1))))

    def _run(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        command = self._model.shown[index.row()]
        if command.reason:
            return  # the row says why
        self.accept()
        self._actions[command.spec.id].trigger()
