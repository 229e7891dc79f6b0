"""A report, presentation state or list of key images to be read, searched, copied and saved as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QKeyEvent, QKeySequence, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QHBoxLayout, QTextEdit, QWidget
from shiboken6 import isValid

from viewer.core.key_image import KeyImage
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.draw.corners import person
from viewer.io.objects.documents import read_document
from viewer.io.objects.key_images import marked_planes, read_key_images
from viewer.io.objects.readable import Line, Readable, as_text, image_names
from viewer.io.save import save_atomic
from viewer.io.series import SeriesEntry
from viewer.session.key_images import add_key_images, key_images_from
from viewer.ui.controls import Button, ElidedLabel, IconButton, Label, NoteBox, SearchField
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.theme import font, set_available, sizes, theme, tokens

if TYPE_CHECKING:
    from viewer.ui.host import Host
    from viewer.ui.opening import Opener

_MOST_FINDS = 1000


class DocumentDialog(Dialog):
    """Headings, names and values as one text; the search marks every find and steps through them with Enter.

    Parameters
    ----------
    about : str
        Whom and what it is about, above the text; no part of what is copied or saved.
    stem : str
        The name that saving proposes.
    key_images : sequence of KeyImage, optional
        What a key object selection names of the open series; empty where none of them is open, None for other documents.
    """

    def __init__(
        self, document: Readable, *, about: str = "", stem: str = "report", host: Host | None = None,
        key_images: Sequence[KeyImage] | None = None, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(document.title, width=760, height=640, parent=parent)
        self._host, self._stem = host, stem
        self.document = document
        self._key_images = key_images or ()
        self._finds: list[QTextCursor] = []
        self._at = -1
        if about:
            self.body.addWidget(ElidedLabel(about, "secondary", parent=self.frame))
        self.body.addLayout(self._search())
        self.note = NoteBox("warn", "\n".join(document.notes), parent=self.frame)
        self.note.show_note("warn", "\n".join(document.notes))
        self.body.addWidget(self.note)
        self.text = QTextEdit(self.frame)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(document.title)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )  # fmt: skip
        self._write()
        self.body.addWidget(self.text, 1)
        self.copy = Button(_("Copy"), icon="copy", tooltip=_("Copies what is selected, else all."), parent=self.frame)
        self.copy.clicked.connect(self._copy)
        self.save = Button(_("Save as text"), icon="save", parent=self.frame)
        self.save.clicked.connect(self._save)
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        self.mark = Button(_("Mark these as key images"), icon="key-image", parent=self.frame)
        self.mark.clicked.connect(self._mark_images)
        self.mark.setVisible(key_images is not None)
        set_available(self.mark, "" if key_images else _("Open the series of these images first."))
        for button in (self.copy, self.save, self.mark, close):
            button.setAutoDefault(False)
        self.add_buttons(self.copy, self.save, self.mark, close, caption=_("Esc to close"))
        theme().changed.connect(self._write)
        self.text.setFocus()

    # --- the text ---

    def _write(self, *_tokens: object) -> None:
        content = self.text.document()
        content.clear()
        content.setDocumentMargin(sizes().margin)
        content.setDefaultFont(font("body"))
        cursor = QTextCursor(content)
        cursor.beginEditBlock()
        for number, line in enumerate(self.document.lines):
            _put(cursor, line, is_first=number == 0)
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)

    # --- search ---

    def _search(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(sizes().gap)
        self.field = SearchField(_("Find in the text"), parent=self.frame)
        self.field.textChanged.connect(self._find)
        self.field.installEventFilter(self)
        row.addWidget(self.field, 1)
        self.count = Label("", "caption", parent=self.frame)
        row.addWidget(self.count)
        self.before = IconButton("chevron-up", _("Previous find"), parent=self.frame)
        self.after = IconButton("chevron-down", _("Next find"), parent=self.frame)
        self.before.clicked.connect(lambda: self._step(-1))
        self.after.clicked.connect(lambda: self._step(1))
        for button in (self.before, self.after):
            set_available(button, _("Type what to look for first."))
            row.addWidget(button)
        return row

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_key = watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if is_key and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self.field.setFocus()
        else:
            super().keyPressEvent(event)

    def _find(self, words: str) -> None:
        self._finds = []
        content: QTextDocument = self.text.document()
        place = content.find(words) if words.strip() else QTextCursor()
        while not place.isNull() and len(self._finds) < _MOST_FINDS:
            self._finds.append(place)
            place = content.find(words, place)
        self._at = 0 if self._finds else -1
        reason = "" if self._finds else _("Nothing was found.") if words.strip() else _("Type what to look for first.")
        for button in (self.before, self.after):
            set_available(button, reason)
        self._mark(bool(words.strip()))

    def _step(self, sign: int) -> None:
        if self._finds:
            self._at = (self._at + sign) % len(self._finds)
            self._mark(True)

    def _mark(self, is_searching: bool) -> None:
        marks = []
        for number, place in enumerate(self._finds):
            mark = QTextEdit.ExtraSelection()
            mark.cursor = place
            mark.format.setBackground(QBrush(QColor(tokens().accent if number == self._at else tokens().sel)))
            mark.format.setForeground(QBrush(QColor(tokens().onaccent if number == self._at else tokens().text)))
            marks.append(mark)
        self.text.setExtraSelections(marks)
        if self._finds:
            place = QTextCursor(self._finds[self._at])
            place.clearSelection()
            self.text.setTextCursor(place)
            self.text.ensureCursorVisible()
            self.count.setText(_("{number} of {count}").format(number=self._at + 1, count=len(self._finds)))
        else:
            self.count.setText(_("Not found") if is_searching else "")

    # --- taking it out ---

    def _copy(self) -> None:
        chosen = self.text.textCursor().selectedText().replace("\N{PARAGRAPH SEPARATOR}", "\n").replace("\N{LINE SEPARATOR}", "\n")
        QApplication.clipboard().setText(chosen or as_text(self.document))
        self.copy.setText(_("Copied"))

    def _mark_images(self) -> None:
        if self._host is None:
            return
        with self._host.reporting():
            count = add_key_images(self._host.document, self._key_images)
            words = ngettext("{count} image marked as a key image.", "{count} images marked as key images.", count)
            self._host.say("ok", words if count else _("These images are marked already."))
        self.accept()

    def _save(self) -> None:
        start = str(Path.home() / f"{self._stem}.txt")
        chosen, _kind = QFileDialog.getSaveFileName(self, _("Save as text"), start, _("Text (*.txt)"))
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, path: Path) -> None:
        """Write the text; an existing file is replaced (the file dialog has asked)."""
        if self._host is None:
            save_atomic(path, as_text(self.document).encode("utf-8"), overwrite=True)
            return
        with self._host.reporting():
            save_atomic(path, as_text(self.document).encode("utf-8"), overwrite=True)
            self._host.say("ok", _("{name} is saved.").format(name=path.name))


def _put(cursor: QTextCursor, line: Line, *, is_first: bool) -> None:
    """One line as a paragraph of its own; text is put in as characters, never as markup."""
    block = QTextBlockFormat()
    is_heading = line.kind == "heading"
    hanging = sizes().wide if line.kind == "entry" else 0
    block.setLeftMargin(sizes().wide * line.depth + hanging)
    block.setTextIndent(-hanging)
    block.setTopMargin(sizes().margin if is_heading and not is_first else sizes().hair)
    block.setBottomMargin(sizes().tight if is_heading else sizes().gap if line.kind == "paragraph" else sizes().hair)
    block.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    if is_first:
        cursor.setBlockFormat(block)
    else:
        cursor.insertBlock(block)
    words = QTextCharFormat()
    words.setForeground(QBrush(QColor(tokens().text)))
    if is_heading:
        words.setFontWeight(QFont.Weight.DemiBold)
        words.setProperty(QTextCharFormat.Property.FontPixelSize, sizes().title if line.depth == 0 else sizes().body)
        cursor.insertText(line.label, words)
        return
    quiet = QTextCharFormat(words)
    quiet.setForeground(QBrush(QColor(tokens().text2)))
    if line.kind == "entry":
        cursor.insertText(f"{line.label}: ", quiet)
    cursor.insertText(line.text.replace("\n", "\N{LINE SEPARATOR}"), words)


def named_images(host: Host, opener: Opener, entry: SeriesEntry) -> tuple[KeyImage, ...]:
    """The images of the open series that a key object selection names, as key images that are in no document yet."""
    with host.reporting():
        found = read_key_images(entry.files[0])
        return tuple(
            item
            for row in opener.rows()
            if row.root_id
            for item in key_images_from(
                marked_planes(found, row.entry), host.document.volume(row.root_id), note=found.description[:200], origin=found.title.words
            )
        )
    return ()


def show_document(host: Host, opener: Opener, entry: SeriesEntry) -> None:
    """Read the document of an entry beside the window, then open it."""
    names = image_names(row.entry for row in opener.rows())
    window = next((w for w in QApplication.topLevelWidgets() if getattr(w, "host", None) is host), None)

    def ready(document: Readable) -> None:
        if window is not None and not isValid(window):
            return
        if window is not None and any(d.isVisible() and d.document == document for d in window.findChildren(DocumentDialog)):
            return  # asked for twice while it was read
        who = entry.identity
        images = ngettext("{count} file", "{count} files", len(entry.files)) if len(entry.files) > 1 else ""
        key_images = None
        if entry.object_kind == "key-images":
            key_images = named_images(host, opener, entry)
        about = " · ".join(dict.fromkeys(part for part in (person(who.patient_name), who.patient_id, who.series_description, images) if part))
        DocumentDialog(document, about=about, stem=entry.object_kind or "report", host=host, key_images=key_images, parent=window).open()

    host.work.run_thread(lambda _progress: read_document(entry.files[0], names=names), _("Reading the report"), ready, host.report)
