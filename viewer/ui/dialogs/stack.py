"""Asking for the spacing of a folder of pictures before it is opened as one stack: nothing in such files says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from viewer.core.errors import OperationCancelled
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io import picture_stack
from viewer.io.gate import harmless
from viewer.io.picture_stack import Spacing
from viewer.io.series import Listing
from viewer.ui.controls import Button, Hint, Label
from viewer.ui.controls.number_field import Scale
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.form_rows import AutoNumberRow
from viewer.ui.host import Host

_MILLIMETRES = Scale(0.0001, 10_000.0, step=0.1, decimals=4, unit="mm")
_LABEL_WIDTH = 148
_SHOWN = 3


class StackDialog(Dialog):
    """What the stack would be, in which order, and three distances that may stay empty.

    Parameters
    ----------
    open_stack : callable
        Called with the spacing when Open is pressed.
    """

    def __init__(self, host: Host, folder: Path, open_stack: Callable[[Spacing], None], parent: QWidget | None = None) -> None:
        super().__init__(_("Open pictures as a stack"), width=480, parent=parent)
        self._open_stack = open_stack
        self.found = Label(_("Looking into {name}").format(name=harmless(folder.name)), wrap=True, parent=self.frame)
        self.order = Label("", "secondary", wrap=True, parent=self.frame)
        self.body.addWidget(self.found)
        self.body.addWidget(self.order)
        self.rows = tuple(self._row(name) for name in (_("Between columns"), _("Between rows"), _("Between planes")))
        self.body.addWidget(
            Hint(_("Leave empty what is not known: lengths are then in pixels. Nothing is assumed about the patient."), parent=self.frame)
        )
        cancel = Button(_("Cancel"), parent=self.frame)
        cancel.clicked.connect(self.reject)
        self.go = Button(_("Open as a stack"), variant="primary", parent=self.frame)
        self.go.clicked.connect(self.accept)
        self.add_buttons(cancel, self.go)
        self._set_reason(_("The folder is being looked into."))
        self._count = 0
        self._host = host
        self._task = host.work.run_thread(
            lambda progress: picture_stack.find([folder], (None, None, None), progress=progress),
            _("Reading {name}").format(name=harmless(folder.name)),
            self._show_found,
            self._show_error,
        )

    def spacing(self) -> Spacing:
        """Millimetres between columns, rows, planes; None where the field is empty."""
        columns, rows, planes = (row.value() for row in self.rows)
        return columns, rows, planes

    def accept(self) -> None:
        self._open_stack(self.spacing())
        super().accept()

    def reject(self) -> None:
        self._host.work.cancel(self._task)
        super().reject()

    def _row(self, name: str) -> AutoNumberRow:
        row = AutoNumberRow(name, _MILLIMETRES, parent=self.frame)
        row.set_label_width(_LABEL_WIDTH)
        row.field.setPlaceholderText(_("unknown"))
        for say in (row.field.setToolTip, row.field.setAccessibleDescription):
            say(_("Empty: not known."))
        row.validity_changed.connect(self._refresh)
        row.field.textEdited.connect(self._refresh)
        self.body.addWidget(row)
        return row

    def _show_found(self, listing: Listing) -> None:
        if not listing.series:
            self._show_error(None, listing.refused[0].reason if listing.refused else "")
            return
        (entry,) = listing.series
        self._count = len(entry.files)
        planes, rows, columns = entry.shape
        said = ngettext("{count} picture", "{count} pictures", planes)
        words = _("{said} of {columns} x {rows} pixels, in colour.") if entry.is_color else _("{said} of {columns} x {rows} pixels.")
        text = words.format(said=said, columns=columns, rows=rows)
        if listing.refused:
            left = ngettext("{count} other file is left out.", "{count} other files are left out.", len(listing.refused))
            text = f"{text} {left}"
            self.found.setToolTip("\n".join(refusal.reason for refusal in listing.refused[:20]))
        self.found.setText(text)
        names = [harmless(path.name) for path in entry.files]
        shown = names if len(names) <= _SHOWN + 1 else [*names[:_SHOWN], "…", names[-1]]
        self.order.setText(_("In this order: {names}").format(names=", ".join(shown)))
        self._refresh()
        self.rows[0].field.setFocus()

    def _show_error(self, error: BaseException | None, reason: str = "") -> None:
        if isinstance(error, OperationCancelled):
            return
        self.found.setText(reason or str(error))
        self._set_reason(_("There is no picture for a stack."))
        self.refit()

    def _refresh(self) -> None:
        wrong = next((row.error() for row in self.rows if not row.is_valid()), "")
        self._set_reason(wrong or ("" if self._count else _("There is no picture for a stack.")))
        self.refit()

    def _set_reason(self, reason: str) -> None:
        self.go.setEnabled(not reason)
        self.go.setToolTip(reason)
        self.go.setAccessibleDescription(reason)
