"""A long text to read or to copy: a traceback, a list of files."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Label
from viewer.ui.dialogs.readable import Readable
from viewer.ui.theme import sizes


class Details(Readable):
    """The sentence, and under it the text in even letters."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(_("Details"), width=640, height=440, parent=parent)
        if title:
            self.body.addWidget(Label(title, "secondary", wrap=True, parent=self.frame))
        self.whole = text
        self.text = QPlainTextEdit(text, self.frame)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(title or _("Details"))
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        face = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        face.setPixelSize(sizes().small)
        self.text.setFont(face)
        self.body.addWidget(self.text, 1)
        self.add_copy_and_close()


def show_details(parent: QWidget, title: str, text: str) -> None:
    """Open a dialog with a long text over the window."""
    Details(title, text, parent).open()
