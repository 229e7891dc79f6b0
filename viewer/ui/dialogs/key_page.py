"""The keys in the settings: every action with its keys, to be recorded, taken away and put back; conflicts are shown before anything is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from viewer.core.words import gettext as _
from viewer.session.profile import PROFILES, TITLES
from viewer.ui.action_table import ActionSpec
from viewer.ui.controls import Button, ChoiceRow, ElidedLabel, IconButton, KeyCap, NoteBox, SearchField
from viewer.ui.controls.painting import rounded
from viewer.ui.dialogs.key_recorder import KeyRecorder
from viewer.ui.dialogs.keycaps import paint_caps, scope_title, shown
from viewer.ui.dialogs.settings_pages import Page
from viewer.ui.keyboard import Keyboard
from viewer.ui.theme import font, set_available, sizes, tokens

Index = QModelIndex | QPersistentModelIndex
_SPEC_ROLE = Qt.ItemDataRole.UserRole


class _Model(QAbstractListModel):
    def __init__(self, keyboard: Keyboard, parent: QWidget) -> None:
        super().__init__(parent)
        self._keyboard = keyboard
        self.specs: list[ActionSpec] = []

    def show_specs(self, specs: list[ActionSpec]) -> None:
        self.beginResetModel()
        self.specs = specs
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own form
        return 0 if parent.isValid() else len(self.specs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        spec = self.specs[index.row()]
        if role == _SPEC_ROLE:
            return spec
        if role == Qt.ItemDataRole.DisplayRole:
            return str(_(spec.title))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            keys = ", ".join(self._keyboard.actions.shown_keys(spec.id)) or _("no key")
            return f"{_(spec.title)}, {scope_title(spec.scope)}, {keys}"
        return None


class _Delegate(QStyledItemDelegate):
    def __init__(self, keyboard: Keyboard, parent: QWidget) -> None:
        super().__init__(parent)
        self._keyboard = keyboard

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(100, sizes().list_row)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        spec: ActionSpec = index.data(_SPEC_ROLE)
        t, s = tokens(), sizes()
        rect = QRect(option.rect)  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            rounded(painter, QRectF(rect), s.radius, fill=t.sel)
        elif state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, QRectF(rect), s.radius, fill=t.hover)
        right = float(rect.right() - s.row_gap)
        for keys in reversed(self._keyboard.actions.shown_keys(spec.id)):
            right = paint_caps(painter, right, rect.center().y() + 1, keys) - s.gap
        left = rect.left() + s.row_gap
        own = spec.id in self._keyboard.profile.own
        note = _("reserved") if spec in self._keyboard.actions.coming() else _("changed") if own else ""
        if note:
            painter.setFont(font("caption"))
            painter.setPen(QColor(t.text if chosen else t.text3))
            width = QFontMetrics(font("caption")).horizontalAdvance(note)
            right -= width + s.row_gap
            painter.drawText(QRectF(right, rect.top(), width + s.hair, rect.height()), Qt.AlignmentFlag.AlignVCenter, note)
            right -= s.row_gap
        painter.setFont(font("small"))
        painter.setPen(QColor(t.text))
        words = QFontMetrics(font("small")).elidedText(_(spec.title), Qt.TextElideMode.ElideRight, max(0, int(right) - left))
        painter.drawText(QRect(left, rect.top(), max(0, int(right) - left), rect.height()), Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


class _List(QListView):
    """Keeps the chosen row in sight when it becomes lower."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scrollTo(self.currentIndex())


class KeyPage(Page):
    """A list of all actions, and beneath it what can be done with the keys of the chosen one."""

    def __init__(self, keyboard: Keyboard, parent: QWidget | None = None) -> None:
        super().__init__(keyboard.host, _("Keys"), parent)
        self._keyboard = keyboard
        self._asked = ""
        """The key that waits for a yes, since another action has it."""
        s = sizes()
        self.profile = ChoiceRow(_("Profile"), [(name, _(TITLES[name])) for name in PROFILES], "default", parent=self)
        self.profile.set_label_width(72)
        self.profile.settled.connect(lambda name: self.settings.set("profile", name))
        self.column.addWidget(self.profile)
        self.field = SearchField(_("Filter by command or key"), parent=self)
        self.column.addWidget(self.field)
        self.model = _Model(keyboard, self)
        self.list = _List(self)
        self.list.setAccessibleName(_("Commands"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Delegate(keyboard, self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMinimumHeight(4 * sizes().list_row)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.column.addWidget(self.list, 1)
        self._build_chosen()
        foot = QHBoxLayout()
        foot.setSpacing(s.row_gap)
        self.take_in = Button(_("Import"), icon="folder-open", tooltip=_("Take over the keys of a file."), parent=self)
        self.take_in.clicked.connect(self._import)
        self.take_out = Button(_("Export"), icon="download", tooltip=_("All keys of this profile as a file."), parent=self)
        self.take_out.clicked.connect(self._export)
        foot.addWidget(self.take_in)
        foot.addWidget(self.take_out)
        foot.addStretch(1)
        self.column.addLayout(foot)
        self.field.textChanged.connect(self._filter)
        self.field.left_downwards.connect(self.list.setFocus)
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._show_chosen())
        keyboard.actions.profile_changed.connect(self._refresh)
        self._refresh()

    def _build_chosen(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(sizes().gap)
        self.title = ElidedLabel("", "strong", parent=self)
        line.addWidget(self.title, 1)
        self._caps = QHBoxLayout()
        self._caps.setSpacing(sizes().tight)
        line.addLayout(self._caps)
        self.record = KeyRecorder(self)
        self.record.recorded.connect(self._take_key)
        line.addWidget(self.record)
        self.back = IconButton("rotate-ccw", _("Keys of this command as shipped"), parent=self)
        self.back.clicked.connect(self._reset_one)
        line.addWidget(self.back)
        self.column.addLayout(line)
        self.note = NoteBox("warn", "", parent=self)
        self.note.hide()
        self.keep = Button(_("Cancel"), parent=self)
        self.keep.clicked.connect(self._ask_no_more)
        self.replace = Button(_("Replace"), parent=self)
        self.replace.clicked.connect(self._replace)
        answer = QHBoxLayout()
        answer.setSpacing(sizes().row_gap)
        answer.addWidget(self.note, 1)
        answer.addWidget(self.keep)
        answer.addWidget(self.replace)
        self.column.addLayout(answer)
        self._ask_no_more()

    # --- the list ---

    @property
    def chosen(self) -> ActionSpec | None:
        """The action whose keys can be changed."""
        at = self.list.currentIndex().row()
        return self.model.specs[at] if 0 <= at < len(self.model.specs) else None

    def choose(self, action_id: str) -> None:
        """Go to an action; the filter is emptied if it hides it."""
        if all(spec.id != action_id for spec in self.model.specs):
            self.field.clear()
        at = next(n for n, spec in enumerate(self.model.specs) if spec.id == action_id)
        self.list.setCurrentIndex(self.model.index(at))

    def _refresh(self) -> None:
        self.profile.set_value(self._keyboard.profile.name)
        self._filter(self.field.text())

    def _filter(self, text: str) -> None:
        wanted, actions, kept = text.casefold().split(), self._keyboard.actions, self.chosen
        found = [spec for spec in (*actions.specs(), *actions.coming()) if self._fits(spec, wanted)]
        self.model.show_specs(found)
        at = next((n for n, spec in enumerate(found) if kept is not None and spec.id == kept.id), 0)
        if found:
            self.list.setCurrentIndex(self.model.index(at))
        self._show_chosen()

    def _fits(self, spec: ActionSpec, wanted: list[str]) -> bool:
        keys = self._keyboard.actions.shown_keys(spec.id)
        words = f"{_(spec.title)} {spec.title} {_(spec.menu)} {scope_title(spec.scope)} {' '.join(keys)}".casefold()
        return all(word in words for word in wanted)

    # --- the chosen action ---

    def _show_chosen(self) -> None:
        spec, profile = self.chosen, self._keyboard.profile
        self._ask_no_more()
        while self._caps.count():
            item = self._caps.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.title.setText(f"{_(spec.title)} · {scope_title(spec.scope)}" if spec is not None else _("No command matches."))
        is_coming = spec is not None and spec in self._keyboard.actions.coming()
        reason = _("Choose a command first.") if spec is None else _("Not there yet; its keys are kept for it.") if is_coming else ""
        set_available(self.record, reason)
        set_available(self.back, reason or ("" if spec is not None and spec.id in profile.own else _("The keys are as shipped.")))
        for key in profile.keys.get(spec.id, ()) if spec is not None else ():
            self._caps.addWidget(KeyCap(shown(key), parent=self))
            remove = IconButton("x", _("Take {key} away").format(key=shown(key)), parent=self)
            remove.clicked.connect(lambda _checked=False, key=key: self._remove(key))
            set_available(remove, reason)
            self._caps.addWidget(remove)

    def _take_key(self, key: str) -> None:
        spec, actions = self.chosen, self._keyboard.actions
        if spec is None:
            return
        scopes = actions.scopes()
        holder = actions.profile.holder(key, spec.scope, scopes, besides=spec.id)
        if not holder:
            self._keyboard.change(actions.profile.given(spec.id, key, scopes))
            return
        other = next(s for s in (*actions.specs(), *actions.coming()) if s.id == holder)
        words = _("{key} is kept for “{other}”, which is to come.") if other in actions.coming() else _("{key} is the key of “{other}” ({where}).")
        self._asked = key
        self.note.show_note("warn", words.format(key=shown(key), other=_(other.title), where=scope_title(other.scope)))
        self.keep.show()
        self.replace.show()
        self.replace.setFocus(Qt.FocusReason.OtherFocusReason)

    def _replace(self) -> None:
        spec, key = self.chosen, self._asked
        self._ask_no_more()
        if spec is not None and key:
            self._keyboard.change(self._keyboard.profile.given(spec.id, key, self._keyboard.actions.scopes()))
            self.record.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask_no_more(self) -> None:
        self._asked = ""
        for part in (self.note, self.keep, self.replace):
            part.hide()

    def _remove(self, key: str) -> None:
        spec, profile = self.chosen, self._keyboard.profile
        if spec is not None:
            self._keyboard.change(profile.with_keys(spec.id, (k for k in profile.keys.get(spec.id, ()) if k != key)))

    def _reset_one(self) -> None:
        spec = self.chosen
        if spec is None:
            return
        scopes, made = self._keyboard.actions.scopes(), self._keyboard.profile.with_keys(spec.id, ())
        for key in made.shipped.get(spec.id, ()):
            made = made.given(spec.id, key, scopes)
        self._keyboard.change(made)

    # --- all of them ---

    def reset(self) -> None:
        """The keys of the profile as they are shipped."""
        self._keyboard.change(self._keyboard.profile.with_shipped())

    def show_values(self) -> None:
        self._refresh()

    def _import(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(self, _("Import"), "", _("Key files (*.toml)"))
        if chosen:
            self._keyboard.take_file(Path(chosen))

    def _export(self) -> None:
        name = f"negatoscope-{self._keyboard.profile.name}.toml"
        chosen, _kind = QFileDialog.getSaveFileName(self, _("Export"), name, _("Key files (*.toml)"))
        if chosen:
            try:
                self._keyboard.write_file(Path(chosen))
            except OSError as err:
                self.note.show_note("err", _("The keys could not be written to {file}: {reason}.").format(file=chosen, reason=err.strerror))
