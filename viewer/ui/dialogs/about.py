"""What this program is, under which licence, and what it is not for."""

from __future__ import annotations

import platform
from importlib import metadata

from PySide6 import __version__ as binding_version
from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Button, Label, NoteBox
from viewer.ui.dialogs.frame import Dialog


def version() -> str:
    """The installed version, "" where the package was not installed."""
    try:
        return metadata.version("negatoscope")
    except metadata.PackageNotFoundError:
        return ""


class About(Dialog):
    """Name and version, the warning first, then the licences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_("About negatoscope"), width=480, parent=parent)
        self.body.addWidget(Label(_("negatoscope {version}").format(version=version()).strip(), "strong", parent=self.frame))
        what = _("A viewer for medical images: look, enhance, segment, measure, classify.")
        self.body.addWidget(Label(what, "secondary", wrap=True, parent=self.frame))
        self.body.addWidget(NoteBox("warn", _("Research and education only – not for diagnosis."), parent=self.frame))
        for text in (
            _("Monitors are not calibrated: the grey values on this screen are not those of a diagnostic display (DICOM GSDF)."),
            _("Licence: BSD-3-Clause. Copyright the negatoscope contributors."),
            _("Uses Qt {qt} through PySide6 {binding} under the LGPL 3; both are separate libraries that you may replace.").format(
                qt=qVersion(), binding=binding_version
            ),
            _("Icons: Lucide, under the ISC licence."),
            _("Python {version} on {system}.").format(version=platform.python_version(), system=platform.system()),
        ):
            self.body.addWidget(Label(text, "small", wrap=True, parent=self.frame))
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        self.add_buttons(close, caption=_("Esc to close"))
        close.setFocus()


def show_about(parent: QWidget) -> None:
    """Open it over the window."""
    About(parent).open()
