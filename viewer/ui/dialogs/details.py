"""A long text to read or to copy: a traceback, a list of files."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase, QTextOption
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Button, Label
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.theme import sizes


class Details(Dialog):
    """The sentence, and under it the text in even letters."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(_("Details"), width=640, height=440, parent=parent)
        if title:
            self.body.addWidget(Label(title, "secondary", wrap=True, parent=self.frame))
        self.text = QPlainTextEdit(text, self.frame)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(title or _("Details"))
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        face = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        face.setPixelSize(sizes().small)
        self.text.setFont(face)
        self.body.addWidget(self.text, 1)
        self.copy = Button(_("Copy"), icon="copy", parent=self.frame)
        self.copy.clicked.connect(self._copy)
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        self.add_buttons(self.copy, close, caption=_("Esc to close"))
        close.setFocus()

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())
        self.copy.setText(_("Copied"))


def show_details(parent: QWidget, title: str, text: str) -> None:
    """Open a dialog with a long text over the window."""
    Details(title, text, parent).open()
