"""Keeping the window in use as a preset of the user's own, and looking after those that are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.volume import Volume
from viewer.core.window import FUNCTIONS, Window
from viewer.core.words import gettext as _
from viewer.draw.figures import window_figures
from viewer.session.own_presets import FILE_NAME, OwnPresets
from viewer.ui.controls import Button, ElidedLabel, Hint, IconButton, Label, SectionTitle, TextRow
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.host import Host
from viewer.ui.theme import sizes


def window_words(window: Window) -> str:
    """``W 400  L 40``, with the function where it is not the usual one."""
    width, center = window_figures(window.center, window.width)
    words = _("W {width}  L {center}").format(width=width, center=center)
    return words if window.function == "LINEAR" else f"{words}  {_(FUNCTIONS[window.function])}"


class PresetsDialog(Dialog):
    """A name for the window in use; below it the presets kept for images of this kind, each to be removed.

    Parameters
    ----------
    changed : callable
        Called after every change of what is kept.
    """

    def __init__(
        self, host: Host, presets: OwnPresets, volume: Volume, window: Window, changed: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(_("Save window as a preset"), width=440, parent=parent)
        self._host, self._presets, self._volume, self._window, self._changed = host, presets, volume, window, changed
        kind = " · ".join(part for part in (volume.identity.modality, volume.unit) if part) or _("without modality")
        self.body.addWidget(Label(_("{window}, for images of this kind: {kind}").format(window=window_words(window), kind=kind), wrap=True))
        self.name = TextRow(_("Name"), placeholder=_("For example: Larynx"), check=self._problem, parent=self.frame)
        self.name.value_changed.connect(lambda _text: self._refresh())
        self.body.addWidget(self.name)
        self._list = QVBoxLayout()
        self._list.setSpacing(sizes().tight)
        self.body.addLayout(self._list)
        self.body.addWidget(Hint(_("Kept in {file}, beside the settings; the file can be handed on.").format(file=FILE_NAME), parent=self.frame))
        take = Button(_("Take from a file"), parent=self.frame)
        take.clicked.connect(self._take_from_file)
        cancel = Button(_("Close"), parent=self.frame)
        cancel.clicked.connect(self.reject)
        self.go = Button(_("Save"), variant="primary", parent=self.frame)
        self.go.clicked.connect(self.accept)
        self.add_buttons(take, cancel, self.go)
        self._show_kept()
        self._refresh()
        self.name.field.setFocus()

    def accept(self) -> None:
        name = str(self.name.value()).strip()
        if not name:
            return
        with self._host.reporting():
            self._presets.save(self._volume, self._window, name)
            self._changed()
            self._host.say("ok", _("The window is kept as “{name}”.").format(name=name))
            super().accept()

    def take_from(self, path: Path) -> None:
        """Add the presets of a file that someone handed on."""
        with self._host.reporting():
            problems = self._presets.take_from(path)
            self._changed()
            self._show_kept()
            self.refit()
            if problems:
                self._host.say("warn", problems[0], details="\n".join(problems) if len(problems) > 1 else "")

    def _take_from_file(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(self, _("Take from a file"), str(Path.home()), "JSON (*.json)")
        if chosen:
            self.take_from(Path(chosen))

    def _problem(self, text: str) -> str:
        return "" if len(text.strip()) <= 64 else _("A name has at most 64 letters.")

    def _refresh(self) -> None:
        reason = self.name.error() or ("" if str(self.name.value()).strip() else _("Give it a name first."))
        self.go.setEnabled(not reason)
        self.go.setToolTip(reason)

    def _show_kept(self) -> None:
        while self._list.count():
            widget = self._list.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        kept = self._presets.of(self._volume)
        if kept:
            self._list.addWidget(SectionTitle(_("Kept for this kind of image")))
        for window in kept:
            line = QWidget(self.frame)
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(ElidedLabel(window.name, parent=line), 1)
            row.addWidget(Label(window_words(window), "secondary", parent=line))
            remove = IconButton("trash-2", _("Remove “{name}”").format(name=window.name), parent=line)
            remove.clicked.connect(partial(self._remove, window.name))
            row.addWidget(remove)
            self._list.addWidget(line)

    def _remove(self, name: str) -> None:
        with self._host.reporting():
            self._presets.remove(self._volume, name)
            self._changed()
            self._show_kept()
            self.refit()
