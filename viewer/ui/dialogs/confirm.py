"""The one question: only for what undo cannot bring back."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from viewer.ui.controls import Button, Label
from viewer.ui.dialogs.frame import Dialog


class Confirm(Dialog):
    """Title, a sentence on what is lost, and two buttons that say what they do; the safe one has the focus. ``accepted``: go on.

    Parameters
    ----------
    title : str
        Names the thing: "Close without saving 3 segments?".
    keep, go_on : str
        Words of the safe button and of the other.
    """

    def __init__(self, title: str, text: str, *, keep: str, go_on: str, parent: QWidget | None = None) -> None:
        super().__init__(title, width=440, parent=parent)
        self.body.addWidget(Label(text, "secondary", wrap=True, parent=self.frame))
        self.keep = Button(keep, variant="primary", parent=self.frame)
        self.keep.clicked.connect(self.reject)
        self.go_on = Button(go_on, parent=self.frame)
        self.go_on.clicked.connect(self.accept)
        self.add_buttons(self.go_on, self.keep)
        self.keep.setFocus()
