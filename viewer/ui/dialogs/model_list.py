"""The list of models: which there are, what they tell and how well, what is wrong with a damaged one; adding and removing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QScrollArea,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from viewer.core import digits
from viewer.core.errors import NegatoscopeError
from viewer.core.sentence import sentence_of
from viewer.core.words import gettext as _
from viewer.session.own_models import remove_model
from viewer.ui.controls import Button, EmptyState, NoteBox, TableCells, divider
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.model_about import line_grid, show_model
from viewer.ui.dialogs.model_entries import Entry, badges, check_files, entries_of
from viewer.ui.dialogs.model_words import SHORT_TASKS, figures_in_short, images_in_short, input_words, said, version_words
from viewer.ui.theme import plain_tip, set_available, sizes

if TYPE_CHECKING:
    from viewer.ui.host import Host

_ROW, _DETAILS = 32, 176


class ModelListDialog(Dialog):
    """A table of the models, and under it what matters about the chosen one.

    Parameters
    ----------
    add : callable
        Asks for a file and opens the dialog that adds it; given this dialog as the parent.
    """

    def __init__(self, host: Host, add: Callable[[QWidget], None], name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(_("Models"), width=1120, height=580, parent=parent)
        self._host = host
        self.entries: tuple[Entry, ...] = ()
        self._damaged: dict[str, str] = {}
        self.table = self._table()
        self.empty = EmptyState(
            _("No model is installed."), _("Add one, or drop an .onnx file on the window."), icon="brain-circuit", parent=self.frame
        )
        self.stack = QStackedWidget(self.frame)
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        self.body.addWidget(self.stack, 1)
        self.failed = NoteBox("err", parent=self.frame)
        self.body.addWidget(self.failed)
        self._shown = QScrollArea(self.frame)
        self._shown.setAccessibleName(_("The chosen model"))
        self._shown.setWidgetResizable(True)
        self._shown.setFrameShape(QFrame.Shape.NoFrame)
        self._shown.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._shown.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._shown.setFixedHeight(_DETAILS)
        self._shown.viewport().setAutoFillBackground(False)
        self._line = divider(self.frame)
        self.body.addWidget(self._line)
        self.body.addWidget(self._shown)
        self.add = self._button(_("Add model…"), lambda: add(self), icon="plus")
        self.remove = self._button(_("Remove"), self._ask_to_remove, icon="trash-2")
        self.about = self._button(_("About"), self._show_about, icon="info")
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        close.setAutoDefault(False)
        self.add_buttons(self.add, self.remove, self.about, close, caption=_("Esc to close"))
        host.models.reload()  # what was put into the folder by hand is seen, too
        host.models.changed.connect(self._fill)
        self._fill(name)
        self._check_files()
        self.table.setFocus()

    @property
    def chosen(self) -> Entry | None:
        """The row in hand."""
        row = self.table.currentRow()
        return self.entries[row] if 0 <= row < len(self.entries) else None

    def choose(self, name: str) -> None:
        """Bring a model's row to hand."""
        at = next((n for n, entry in enumerate(self.entries) if entry.name == name), 0)
        if self.entries:
            self.table.setCurrentCell(at, 0)
        self._show_chosen()

    # --- building ---

    def _button(self, text: str, action: Callable[[], None], *, icon: str) -> Button:
        button = Button(text, icon=icon, parent=self.frame)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: action())
        return button

    def _table(self) -> QTableWidget:
        heads = (_("Model"), _("Version"), _("What it tells"), _("Input"), _("Size"), _("Licence"), _("Kind"))
        table = QTableWidget(0, len(heads), self.frame)
        table.setAccessibleName(_("Models"))
        table.setHorizontalHeaderLabels(list(heads))
        table.setItemDelegate(TableCells(table))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        modes = QHeaderView.ResizeMode
        for column in range(len(heads)):
            head.setSectionResizeMode(column, modes.Stretch if column == 0 else modes.ResizeToContents if column < len(heads) - 1 else modes.Fixed)
        table.currentCellChanged.connect(lambda row, _column, before, _last: row != before and self._show_chosen())
        table.cellDoubleClicked.connect(lambda _row, _column: self._show_about())
        return table

    # --- what there is ---

    def _fill(self, name: str = "") -> None:
        kept = name or (self.chosen.name if self.chosen is not None else "")
        self.entries = entries_of(self._host, self._damaged)
        self.stack.setCurrentWidget(self.table if self.entries else self.empty)
        for part in (self._shown, self._line):
            part.setVisible(bool(self.entries))
        self.table.setRowCount(0)
        self.table.setRowCount(len(self.entries))
        for row, entry in enumerate(self.entries):
            self._fill_row(row, entry)
        last = self.table.columnCount() - 1
        widest = max((self.table.cellWidget(row, last).sizeHint().width() for row in range(len(self.entries))), default=0)
        self.table.setColumnWidth(last, max(widest + 2 * sizes().margin, self.table.horizontalHeader().sectionSizeHint(last)))
        self.choose(kept)

    def _fill_row(self, row: int, entry: Entry) -> None:
        card = entry.card
        texts = [entry.title]
        if card is not None:
            path = card.model_path
            size = digits.file_size(path.stat().st_size) if path.is_file() else "–"
            texts += [version_words(card), _(SHORT_TASKS[card.task]), input_words(card), size, said(card.card.get("training", {}).get("licence"))]
        for column in range(self.table.columnCount() - 1):
            text = texts[column] if column < len(texts) else "–"
            item = QTableWidgetItem(text)
            item.setToolTip(plain_tip(text))
            self.table.setItem(row, column, item)
        item = QTableWidgetItem()
        item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.words)
        item.setToolTip(plain_tip(entry.reason or entry.words))
        self.table.setItem(row, self.table.columnCount() - 1, item)
        self.table.setCellWidget(row, self.table.columnCount() - 1, badges(entry, self.table))

    def _check_files(self) -> None:
        def checked(found: dict[str, str]) -> None:
            if isValid(self) and found != self._damaged:
                self._damaged = found
                self._fill()

        check_files(self._host, checked)

    # --- the chosen one ---

    def _show_chosen(self) -> None:
        entry = self.chosen
        blank = QWidget(self._shown)
        self._shown.setWidget(blank)  # in place of the page of the one before
        blank.setAutoFillBackground(False)
        self.failed.show_note("err", entry.reason if entry is not None else "")
        set_available(self.about, "" if entry is not None and entry.card is not None else _("There is no card to show."))
        reason = _("Choose a model first.") if entry is None else _("It comes with the program.") if entry.is_built_in else ""
        set_available(self.remove, reason)
        if entry is None or entry.card is None:
            return
        text = entry.card.card
        lines = [
            (_("Intended use"), said(text.get("intended_use"))),
            (_("Not for"), said(text.get("not_for"))),
            (_("Images"), images_in_short(entry.card) or _("not said")),
            (_("Figures"), figures_in_short(entry.card) or _("not said")),
            (_("Device"), device_words(self._host.settings.chosen("device"))),
        ]
        if entry.card.is_benchmark:
            lines.append((_("Benchmark"), _("It is there for comparison. It is asked only by name, not by the Classify key.")))
        page = QWidget(self._shown)
        column = QVBoxLayout(page)
        column.setContentsMargins(sizes().margin, sizes().gap, sizes().margin, 0)
        column.addLayout(line_grid(lines, page, width=104))
        column.addStretch(1)
        self._shown.setWidget(page)
        page.setAutoFillBackground(False)

    def _show_about(self) -> None:
        if self.chosen is not None and self.chosen.card is not None:
            show_model(self.chosen.card, self)

    def _ask_to_remove(self) -> None:
        entry = self.chosen
        if entry is None or entry.is_built_in:
            return
        title = _("Remove the model “{title}”?").format(title=entry.title)
        text = _("Its folder is deleted from your own models. Reports that were made with it stay.")
        dialog = Confirm(title, text, keep=_("Keep"), go_on=_("Remove"), parent=self)
        dialog.accepted.connect(lambda: self._remove(entry))
        dialog.open()

    def _remove(self, entry: Entry) -> None:
        try:
            remove_model(entry.name)
        except NegatoscopeError as err:
            self.failed.show_note("err", sentence_of(err))
            return
        self._host.models.reload()
        self._host.say("ok", _("The model “{title}” was removed.").format(title=entry.title))


def device_words(device: str) -> str:
    """The device of the settings in words."""
    return {"auto": _("CUDA where it works, else the CPU"), "cpu": _("CPU"), "cuda": _("CUDA")}.get(device.lower(), device)
