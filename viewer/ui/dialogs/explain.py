"""How this image is shown: the way from the bytes of its files to the screen, to read, to copy, and to report a wrong picture with."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.provenance import Note
from viewer.core.words import gettext as _
from viewer.session.explain import Chapter, as_text, explain
from viewer.ui.controls import Label, NoteBox, SectionTitle
from viewer.ui.dialogs.readable import Readable
from viewer.ui.host import Host
from viewer.ui.theme import sizes

_TITLE_WIDTH = 136


class Explanation(Readable):
    """One row a chapter: its title at the left, its sentences at the right; what must be known first is marked."""

    def __init__(self, name: str, chapters: tuple[Chapter, ...], parent: QWidget | None = None) -> None:
        super().__init__(_("How this image is shown"), width=720, height=600, parent=parent)
        self.whole = f"{name}\n{as_text(chapters)}".strip()
        self.body.addWidget(Label(name, "secondary", wrap=True, parent=self.frame))
        page, column = self.add_page(_("How this image is shown"), spacing=sizes().margin)
        for chapter in chapters:
            column.addLayout(_chapter(chapter, page))
        column.addStretch(1)
        self.add_copy_and_close()


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
