"""All keys on one sheet, made from the action table."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui.actions import MENUS, VIEW, Actions, ActionSpec
from viewer.ui.controls import ElidedLabel, KeyCap, Label, SearchField, SectionTitle
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.keycaps import keys_of
from viewer.ui.theme import sizes


class KeyRow(QWidget):
    """What it does, and its keys."""

    def __init__(self, title: str, keys: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self.words = f"{title} {' '.join(keys)}".casefold()
        self.setAccessibleName(f"{title}: {', '.join(keys)}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(sizes().tight)
        self.title = ElidedLabel(title, "small", parent=self)
        row.addWidget(self.title, 1)
        for sequence in keys:
            row.addWidget(KeyCap(sequence, parent=self))
        self.setFixedHeight(sizes().target - sizes().hair)


class KeySheet(Dialog):
    """Columns by where the keys count; a field filters by what a key does or by the key itself."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(_("All keys"), width=960, height=660, parent=parent)
        self.field = SearchField(_("Filter by command or key"), parent=self.frame)
        self.body.addWidget(self.field)
        scroll = QScrollArea(self.frame)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(_("All keys"))
        self._page = QWidget(scroll)
        columns = QHBoxLayout(self._page)
        columns.setContentsMargins(0, sizes().gap, sizes().margin, sizes().gap)
        columns.setSpacing(sizes().section)
        self._parts: list[tuple[SectionTitle, list[KeyRow]]] = []
        for title, specs in self._columns(actions):
            if not specs:
                continue
            columns.addLayout(self._column(title, specs, actions), 1)
        scroll.setWidget(self._page)
        self._page.setAutoFillBackground(False)
        scroll.viewport().setAutoFillBackground(False)
        self.body.addWidget(scroll, 1)
        self.none = Label(_("No key matches."), "secondary", parent=self.frame)
        self.none.hide()
        self.body.addWidget(self.none)
        self.field.textChanged.connect(self._filter)
        self.field.setFocus()

    def shown(self) -> tuple[str, ...]:
        """Names of the rows that the filter lets through."""
        return tuple(row.accessibleName() for _title, rows in self._parts for row in rows if not row.isHidden())

    @staticmethod
    def _columns(actions: Actions) -> list[tuple[str, list[ActionSpec]]]:
        keyed = sorted((s for s in actions.specs() if actions.keys(s.id)), key=lambda s: MENUS.index(s.menu) if s.menu in MENUS else len(MENUS))
        return [
            (_("Everywhere"), [s for s in keyed if s.scope == "G"]),
            (_("In the view: what is shown"), [s for s in keyed if s.scope == "V" and s.menu == VIEW]),
            (_("In the view: window and tools"), [s for s in keyed if s.scope == "V" and s.menu != VIEW]),
            (_("In a list"), [s for s in keyed if s.scope == "S"]),
        ]

    def _column(self, title: str, specs: list[ActionSpec], actions: Actions) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(0)
        head = SectionTitle(title, parent=self._page)
        column.addWidget(head)
        column.addSpacing(sizes().gap)
        rows = [KeyRow(_(spec.title), keys_of(actions, spec), self._page) for spec in specs]
        for row in rows:
            column.addWidget(row)
        column.addStretch(1)
        self._parts.append((head, rows))
        return column

    def _filter(self, text: str) -> None:
        wanted = text.casefold().split()
        any_shown = False
        for head, rows in self._parts:
            for row in rows:
                row.setVisible(all(word in row.words for word in wanted))
            found = any(not row.isHidden() for row in rows)
            head.setVisible(found)
            any_shown = any_shown or found
        self.none.setVisible(not any_shown)
