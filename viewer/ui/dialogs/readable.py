"""A dialog with something to read: a page that scrolls, and the text of it for the clipboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui.controls import Button
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.theme import sizes


class Readable(Dialog):
    """``whole`` is what Copy copies; it is set before :meth:`add_copy_and_close`, which comes last."""

    whole = ""

    def add_page(self, name: str, *, spacing: int) -> tuple[QWidget, QVBoxLayout]:
        """A page that scrolls, and the column on it; what comes after the last line is left free by the caller's stretch."""
        scroll = QScrollArea(self.frame)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(name)
        page = QWidget(scroll)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, sizes().gap, sizes().margin, sizes().gap)
        column.setSpacing(spacing)
        scroll.setWidget(page)
        page.setAutoFillBackground(False)  # the scroll area has just switched it on
        scroll.viewport().setAutoFillBackground(False)
        self.body.addWidget(scroll, 1)
        return page, column

    def add_copy_and_close(self) -> None:
        """The two buttons under it; Close has the keyboard."""
        self.copy = Button(_("Copy"), icon="copy", parent=self.frame)
        self.copy.clicked.connect(self._copy)
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        self.add_buttons(self.copy, close, caption=_("Esc to close"))
        close.setFocus()

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.whole)
        self.copy.setText(_("Copied"))
