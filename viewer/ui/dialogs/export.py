"""The export dialog: a picture of the view, a mask, measurements or a recipe, under a name in a folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from viewer.core.errors import NegatoscopeError
from viewer.core.words import gettext as _
from viewer.ui import theme
from viewer.ui.controls import Button, Label, Segmented, TextField
from viewer.ui.dialogs.export_key_images import KeyImagesPage
from viewer.ui.dialogs.export_maps import MapsPage
from viewer.ui.dialogs.export_pages import MaskPage, MeasurementsPage, Page, RecipePage, ScreenshotPage
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.panel_host import PanelHost
from viewer.ui.theme import sizes
from viewer.ui.views.slice_view import SliceView

_FOLDER_WIDTH = 190
_CHECK_AFTER_MS = 120
# What some file system or other does not take in a name.
_BAD = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def start_folder(remembered: str) -> Path:
    """Where exports go: where the last one went, else the documents, else home."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    for folder in (remembered, documents):
        if folder and os.path.isdir(folder):
            return Path(folder)
    return Path.home()


def show_in_folder(path: Path) -> None:
    """Open the folder of a file in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


class ExportDialog(Dialog):
    """Pages with what can be saved; a page with nothing to save says why on its tab."""

    def __init__(self, panels: PanelHost, view: SliceView, tab: str = "screenshot", parent: QWidget | None = None) -> None:
        super().__init__(_("Export"), width=620, parent=parent)
        self._host = panels.host
        self._folder = start_folder(self._host.settings.get("export_folder", ""))
        self._has_own_name = False
        self._taken: bool | None = None
        self._is_waiting = False
        self._check_number = 0
        self.pages: dict[str, Page] = {
            "screenshot": ScreenshotPage(self._host, view, self.frame), "key_images": KeyImagesPage(self._host, self.frame),
            "mask": MaskPage(self._host, self.frame), "maps": MapsPage(self._host, self.frame),
            "measurements": MeasurementsPage(self._host, self.frame), "recipe": RecipePage(self._host, self.frame),
        }  # fmt: skip
        words = (
            ("screenshot", _("Screenshot")),
            ("key_images", _("Key images")),
            ("mask", _("Mask")),
            ("maps", _("Maps")),
            ("measurements", _("Measurements")),
            ("recipe", _("Recipe")),
        )
        fitting = tab if tab in self.pages and not self.pages[tab].reason() else "screenshot"
        self.tabs = Segmented(words, value=fitting, name=_("What to export"), parent=self.frame)
        self.body.addWidget(self.tabs)
        # One under the other and one shown: a stack would be as high as the highest.
        for name, page in self.pages.items():
            self.body.addWidget(page, 1)
            theme.set_available(self.tabs.button(name), page.reason())
            page.changed.connect(self._follow_page)
        self._build_target()
        self.copy = Button(_("Copy to clipboard"), icon="copy", parent=self.frame)
        self.copy.clicked.connect(self._copy)
        cancel = Button(_("Cancel"), parent=self.frame)
        cancel.clicked.connect(self.reject)
        self.export = Button(_("Export"), variant="primary", parent=self.frame)
        self.export.clicked.connect(self._export)
        self.add_buttons(self.copy, cancel, self.export, caption=_("Esc to cancel"))
        self.tabs.value_changed.connect(self._show_page)
        self._check_later = QTimer(self)
        self._check_later.setSingleShot(True)
        self._check_later.setInterval(_CHECK_AFTER_MS)
        self._check_later.timeout.connect(self._check)
        self._show_page(fitting)
        self.name.setFocus(Qt.FocusReason.PopupFocusReason)

    def _build_target(self) -> None:
        self.body.addWidget(Label(_("Save as"), "small", parent=self.frame))
        line = QHBoxLayout()
        line.setSpacing(sizes().row_gap)
        self.name = TextField("", name=_("File name"), parent=self.frame)
        self.name.textEdited.connect(self._name_edited)
        self.name.returnPressed.connect(self._export)
        line.addWidget(self.name, 1)
        self.ending = Label("", "secondary", parent=self.frame)
        self.ending.setMinimumWidth(44)
        line.addWidget(self.ending)
        self.folder = Button("", icon="folder-open", parent=self.frame)
        self.folder.setFixedWidth(_FOLDER_WIDTH)
        self.folder.clicked.connect(self._choose_folder)
        line.addWidget(self.folder)
        self.body.addLayout(line)
        self.note = Label(" ", "warning", wrap=True, parent=self.frame)
        self.body.addWidget(self.note)
        self._show_folder()

    # --- what is chosen ---

    @property
    def page(self) -> Page:
        return self.pages[str(self.tabs.value())]

    @property
    def path(self) -> Path:
        """Where Export would write."""
        name, ending = self.name.text().strip(), self.page.ending()
        if ending and name.lower().endswith(ending):
            ending = ""
        return self._folder / f"{name}{ending}"

    def set_folder(self, folder: Path) -> None:
        """Save somewhere else."""
        self._folder = folder
        self._show_folder()
        self._look_again()

    def _show_page(self, _name: object) -> None:
        for page in self.pages.values():
            page.setVisible(page is self.page)
        if self.isVisible():
            self.refit()
        if not self._has_own_name:
            self.name.setText(self.page.stem())
            self.name.selectAll()
        theme.set_available(self.copy, self.page.copy_reason())
        self._show_ending()
        self._look_again()

    def _follow_page(self) -> None:
        if not self._has_own_name:
            self.name.setText(self.page.stem())
        self._show_ending()
        self._look_again()

    def _show_ending(self) -> None:
        self.ending.setText(self.page.ending() or _("folder"))

    def _show_folder(self) -> None:
        face = self.folder.fontMetrics()
        room = _FOLDER_WIDTH - sizes().icon_row - 3 * sizes().margin
        short = " / ".join(self._folder.parts[-2:]) if len(self._folder.parts) > 2 else str(self._folder)
        self.folder.setText(face.elidedText(short, Qt.TextElideMode.ElideLeft, room))
        self.folder.setToolTip(str(self._folder))
        self.folder.setAccessibleName(_("Folder {path}").format(path=self._folder))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, _("Choose a folder"), str(self._folder))
        if chosen:
            self.set_folder(Path(chosen))

    def _name_edited(self, _text: str) -> None:
        self._has_own_name = True
        self._look_again()

    # --- may it be written there ---

    def _problem(self) -> str:
        name = self.name.text().strip()
        if reason := self.page.reason():
            return reason
        if not name:
            return _("Give the file a name.")
        if found := _BAD.search(name):
            return _("A file name cannot hold {sign}").format(sign=found.group() if found.group().isprintable() else _("control characters"))
        if name.startswith(".") or name.endswith("."):
            return _("A file name should not begin or end with a dot.")
        return ""

    def _look_again(self) -> None:
        """After each change: what is wrong at once, whether there is a file of this name a moment later."""
        self._taken, self._is_waiting = None, False
        self._check_number += 1
        problem = self._problem()
        self.note.set_role("error" if problem else "warning")
        self.note.setText(problem or " ")
        self.name.set_error(bool(problem))
        theme.set_available(self.export, problem)
        if problem:
            self._check_later.stop()
        else:
            self._check_later.start()

    def _check(self) -> None:
        # Beside the window: the folder may be on a share that does not answer.
        number, path = self._check_number, self.path
        self._host.work.run_thread(
            lambda _progress: os.path.lexists(path), _("Looking for {name}").format(name=path.name),
            lambda taken: self._take_check(number, taken), self._host.report, quiet=True,
        )  # fmt: skip

    def _take_check(self, number: int, taken: bool) -> None:
        if number != self._check_number:
            return
        self._taken = taken
        is_waiting, self._is_waiting = self._is_waiting, False
        if not taken:
            if is_waiting:
                self._export()
            return
        if self.page.ending():
            self.note.setText(_("A file with this name exists. It will be replaced."))
        else:
            problem = _("There is something of this name already. Choose a new name for the folder.")
            self.note.set_role("error")
            self.note.setText(problem)
            theme.set_available(self.export, problem)

    # --- doing it ---

    def _copy(self) -> None:
        try:
            self._host.say("ok", self.page.copy())
        except NegatoscopeError as err:
            self._host.report(err)

    def _export(self) -> None:
        if self._problem() or not self.export.isEnabled():
            return
        if self._taken is None:
            # Quicker than the check: what it finds decides, and nothing is replaced unsaid.
            self._is_waiting = True
            self._check_later.stop()
            self._check()
            return
        host, path, overwrite = self._host, self.path, bool(self._taken)
        try:
            write = self.page.writer()
        except NegatoscopeError as err:
            self.note.set_role("error")
            self.note.setText(str(err))
            return
        host.settings.set("export_folder", str(self._folder))

        def saved(_result: object) -> None:
            host.say("ok", _("Saved {name}.").format(name=path.name), ((_("Show in folder"), lambda: show_in_folder(path)),))

        host.work.run_thread(lambda _progress: write(path, overwrite), _("Saving {name}").format(name=path.name), saved, host.report)
        self.accept()

    def done(self, result: int) -> None:
        self._check_number += 1  # what a check still says is about a dialog that has gone
        self._check_later.stop()
        super().done(result)
