"""What was applied to the series in view: the operations in force, numbered, and the way back to the original."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.session.document import Document
from viewer.session.history import Changes, ItemChange, Step
from viewer.session.view import ViewState
from viewer.ui.controls import ElidedLabel, Label, SectionTitle, SwitchRow
from viewer.ui.panel_host import PanelHost
from viewer.ui.theme import set_available, sizes


def applied_steps(document: Document, root_id: str, menu: str) -> tuple[Step, ...]:
    """The operations of a menu that are in force on an opened volume, in order."""
    # Volumes that were set aside for want of memory are not read back for this: the steps say what was made from what.
    family = {root_id}
    found = []
    for step in document.history.steps[: document.history.position]:
        if step.origin.kind != "operation" or not step.origin.inputs or step.origin.inputs[0] not in family:
            continue
        family |= {change.id for change in step.changes if isinstance(change, ItemChange) and change.kind == "volume"}
        if step.origin.name.partition("/")[0] == menu:
            found.append(step)
    return tuple(found)


class AppliedList(QWidget):
    """The numbered list; hidden while nothing was applied."""

    def __init__(self, panel_host: PanelHost, menu: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels, self._menu = panel_host, menu
        self._shown: tuple[str, ...] = ()
        self._root_id, self._is_original = "", False
        self.rows: list[QWidget] = []
        s = sizes()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(s.gap)
        self.title = SectionTitle(_("Applied to this series"), parent=self)
        column.addWidget(self.title)
        self.original = SwitchRow(_("Show the original"), tooltip=_("The image as it was opened, without enhancement."), parent=self)
        self.original.value_changed.connect(self._show_original)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        column.addLayout(self._list)
        column.addWidget(self.original)
        host = panel_host.host
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self.refresh)
        host.view_changed.connect(self._take_view)
        self.refresh()

    def texts(self) -> list[str]:
        """The rows as they read."""
        return [row.accessibleName() for row in self.rows]

    def refresh(self) -> None:
        host = self._panels.host
        self._root_id = host.state.root_id
        steps = applied_steps(host.document, host.root_id, self._menu) if host.root_id else ()
        ids = tuple(step.id for step in steps)
        if ids != self._shown:
            self._shown = ids
            for row in self.rows:
                self._list.removeWidget(row)
                row.deleteLater()
            self.rows = [self._row(number, step) for number, step in enumerate(steps, start=1)]
            for row in self.rows:
                self._list.addWidget(row)
        self._refresh_original()
        self.setVisible(bool(steps))

    def _refresh_original(self) -> None:
        host = self._panels.host
        is_derived = bool(host.root_id) and host.document.item("shown", host.root_id) is not None
        self.original.setVisible(is_derived)
        self._is_original = host.wish.show_original
        self.original.set_value(self._is_original)
        set_available(self.original.switch, "" if is_derived else _("The original is shown."))

    def _row(self, number: int, step: Step) -> QWidget:
        s = sizes()
        row = QWidget(self)
        row.setFixedHeight(s.list_row)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(s.row_gap)
        values = step.title.values
        name = _(str(values.get("operation", ""))) or step.title.text()
        detail = str(values.get("value", "") or values.get("segment", ""))
        digit = Label(str(number), "caption", parent=row)
        digit.setFixedWidth(s.wide)
        line.addWidget(digit)
        line.addWidget(ElidedLabel(name, parent=row), 1)
        if detail:
            line.addWidget(Label(detail, "small", parent=row))
        row.setAccessibleName(f"{number} {name} {detail}".rstrip())
        return row

    def _show_original(self, on: bool) -> None:
        self._panels.host.change_wish(show_original=on)

    def _take_changes(self, changes: Changes) -> None:
        if changes.history or changes.sources:
            self.refresh()

    def _take_view(self, state: ViewState) -> None:
        # Comes with every slice and every move of a window: only what belongs to the view is looked at.
        if state.root_id != self._root_id:
            self.refresh()
        elif self._is_original != self._panels.host.wish.show_original:
            self._refresh_original()
