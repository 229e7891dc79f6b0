"""How this image is shown: the way from the bytes of its files to the screen, to read, to copy, and to report a wrong picture with."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from viewer.core.provenance import Note
from viewer.core.words import gettext as _
from viewer.session.explain import Chapter, as_text, explain
from viewer.ui.controls import Button, Label, NoteBox, SectionTitle
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.host import Host
from viewer.ui.theme import sizes

_TITLE_WIDTH = 136


class Explanation(Dialog):
    """One row a chapter: its title at the left, its sentences at the right; what must be known first is marked."""

    def __init__(self, name: str, chapters: tuple[Chapter, ...], parent: QWidget | None = None) -> None:
        super().__init__(_("How this image is shown"), width=720, height=600, parent=parent)
        self._text = f"{name}\n{as_text(chapters)}".strip()
        self.body.addWidget(Label(name, "secondary", wrap=True, parent=self.frame))
        scroll = QScrollArea(self.frame)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(_("How this image is shown"))
        page = QWidget(scroll)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, sizes().gap, sizes().margin, sizes().gap)
        column.setSpacing(sizes().margin)
        for chapter in chapters:
            column.addLayout(_chapter(chapter, page))
        column.addStretch(1)
        scroll.setWidget(page)
        page.setAutoFillBackground(False)  # the scroll area has just switched it on
        scroll.viewport().setAutoFillBackground(False)
        self.body.addWidget(scroll, 1)
        self.copy = Button(_("Copy"), icon="copy", parent=self.frame)
        self.copy.clicked.connect(self._copy)
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        self.add_buttons(self.copy, close, caption=_("Esc to close"))
        close.setFocus()

    def _copy(self) -> None:
        QApplication.clipboard().setText(self._text)
        self.copy.setText(_("Copied"))


def _chapter(chapter: Chapter, page: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(sizes().margin)
    title = SectionTitle(chapter.title, parent=page)
    title.setFixedWidth(_TITLE_WIDTH)
    row.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
    sentences = QVBoxLayout()
    sentences.setSpacing(sizes().tight)
    for note in chapter.notes:
        sentences.addWidget(_sentence(note, page))
    row.addLayout(sentences, 1)
    return row


def _sentence(note: Note, page: QWidget) -> QWidget:
    if note.is_warning:
        return NoteBox("warn", note.text, parent=page)
    label = Label(note.text, wrap=True, parent=page)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def show_explanation(host: Host, parent: QWidget) -> None:
    """Open it for what the view shows."""
    volume = host.state.volume
    if volume is not None:
        Explanation(volume.title, explain(host.state, host.document), parent).open()
