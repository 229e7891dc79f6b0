"""The page of the settings about models: which device runs them, where the user's own lie, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QWidget
from shiboken6 import isValid

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.sentence import sentence_of
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.session.models import own_folder
from viewer.session.settings import DEFAULTS
from viewer.ui.controls import Badge, Button, ElidedLabel, Hint, NoteBox, SectionTitle
from viewer.ui.dialogs.model_entries import badges, check_files, entries_of
from viewer.ui.dialogs.model_words import SHORT_TASKS, version_words
from viewer.ui.dialogs.settings_pages import Page
from viewer.ui.host import Host
from viewer.ui.theme import set_available, sizes

_SHOWN = 4


class ModelsPage(Page):
    """Device, folder, and the first few models; ``show_list`` opens the whole list."""

    keys = ("device", "model_folder")

    def __init__(self, host: Host, show_list: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(host, _("Models"), parent)
        self.device = self.choice("device", _("Device"), self._choices(()), _("What runs the models. Another one than the CPU has to be installed."))
        self.known = QGridLayout()
        self.known.setHorizontalSpacing(sizes().row_gap)
        self.known.setVerticalSpacing(sizes().tight)
        self.known.setColumnStretch(1, 1)
        self.column.addLayout(self.known)
        self.wrong = NoteBox("warn", parent=self)
        self.column.addWidget(self.wrong)
        self.column.addSpacing(sizes().tight)
        self.column.addWidget(SectionTitle(_("Folder of your own models"), parent=self))
        self.folder = ElidedLabel("", "secondary", mode=Qt.TextElideMode.ElideMiddle, parent=self)
        self.column.addWidget(self.folder)
        self.choose = Button(_("Choose"), icon="folder-open", parent=self)
        self.choose.setAccessibleName(_("Choose the folder of your own models"))
        self.choose.clicked.connect(self._choose_folder)
        self.usual = Button(_("The usual one"), icon="rotate-ccw", parent=self)
        self.usual.clicked.connect(lambda: self.set_folder(""))
        self.open = Button(_("Show"), parent=self)
        self.open.setAccessibleName(_("Show the folder of your own models"))
        self.open.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(own_folder()))))
        self.column.addLayout(_in_a_row(self.choose, self.usual, self.open))
        self.column.addSpacing(sizes().tight)
        self.column.addWidget(SectionTitle(_("Installed models"), parent=self))
        self._models = QGridLayout()
        self._models.setSpacing(sizes().row_gap)
        for column, share in enumerate((3, 2)):
            self._models.setColumnStretch(column, share)
        self.column.addLayout(self._models)
        self.whole = Button(_("Model list"), icon="brain-circuit", parent=self)
        self.whole.clicked.connect(lambda: show_list())
        self.column.addLayout(_in_a_row(self.whole))
        self.column.addStretch(1)
        self._damaged: dict[str, str] = {}
        host.models.changed.connect(self._take_models)
        self._show_folder()
        self._take_models()
        self._ask_for_devices()

    def show_values(self) -> None:
        super().show_values()
        self._show_folder()

    def set_folder(self, path: str) -> None:
        """Look for the user's models there from now on; "" is the usual place."""
        self.settings.set("model_folder", path)
        self._show_folder()

    # --- devices ---

    def _choices(self, found: tuple[Any, ...]) -> list[tuple[object, str]]:
        choices: list[tuple[object, str]] = [("auto", _("CUDA where it works, else the CPU")), ("CPU", _("CPU"))]
        known = [device.name for device in found]
        chosen = str(self.settings.chosen("device"))
        more = [name for name in dict.fromkeys((*known, chosen)) if name.lower() not in ("auto", "cpu", "")]
        return [*choices, *((name, name) for name in more)]

    def _ask_for_devices(self) -> None:
        self.device.combo.setToolTip(_("The devices are being tried."))
        if not self.host.devices.try_all(self._take_devices, self._take_failure):
            self.device.combo.setToolTip("")

    def _take_devices(self, found: tuple[Any, ...]) -> None:
        if not isValid(self):
            return  # closed meanwhile
        now = self.settings.chosen("device")
        self.device.set_choices(self._choices(found), DEFAULTS["device"])
        self.device.set_value(now if now in [value for value, _words in self._choices(found)] else DEFAULTS["device"])
        self.device.combo.setToolTip("")
        for at, device in enumerate(found):
            badge = Badge(_("Works") if not device.reason else _("Not usable"), kind="ok" if not device.reason else "", parent=self)
            words = device.name if not device.reason else _("{device}: {reason}").format(device=device.name, reason=_(device.reason))
            self.known.addWidget(badge, at, 0, Qt.AlignmentFlag.AlignTop)
            self.known.addWidget(Hint(words, parent=self), at, 1)

    def _take_failure(self, error: BaseException) -> None:
        if not isValid(self):
            return
        self.device.combo.setToolTip("")
        if not isinstance(error, OperationCancelled):
            self.wrong.show_note("warn", sentence_of(error) if isinstance(error, NegatoscopeError) else str(error))

    # --- the folder ---

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, _("Folder of your own models"), str(own_folder()))
        if chosen:
            self.set_folder(chosen)

    def _show_folder(self) -> None:
        chosen = str(self.settings.chosen("model_folder"))
        folder = Path(chosen) if chosen else own_folder()
        self.folder.setText(str(folder))
        set_available(self.usual, "" if chosen else _("It is the usual one."))
        set_available(self.open, "" if folder.is_dir() else _("It is made when the first model is added."))

    # --- the models ---

    def _show_models(self) -> None:
        while self._models.count():
            widget = self._models.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        entries = sorted(entries_of(self.host, self._damaged), key=lambda entry: not entry.reason)
        for row, entry in enumerate(entries[:_SHOWN]):
            card = entry.card
            words = entry.reason or (f"{version_words(card)} · {_(SHORT_TASKS[card.task])}" if card is not None else "")
            self._models.addWidget(ElidedLabel(entry.title, "strong", parent=self), row, 0)
            self._models.addWidget(ElidedLabel(words, "small", parent=self), row, 1)
            self._models.addWidget(badges(entry, self), row, 2)
        more = len(entries) - _SHOWN
        hint = ngettext("{count} more", "{count} more", more) if more > 0 else "" if entries else _("No model is installed.")
        if hint:
            self._models.addWidget(Hint(hint, parent=self), len(entries[:_SHOWN]), 0, 1, 3)

    def _take_models(self) -> None:
        """Show them at once, and then which files are not what their cards say."""
        self._show_models()

        def checked(found: dict[str, str]) -> None:
            if isValid(self) and found != self._damaged:
                self._damaged = found
                self._show_models()

        check_files(self.host, checked)


def _in_a_row(*buttons: Button) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(sizes().row_gap)
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row
