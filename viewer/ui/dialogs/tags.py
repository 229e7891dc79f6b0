"""The tag browser: every element of one file of a series, with search, nested sequences and copying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHBoxLayout, QHeaderView, QStackedWidget, QWidget
from shiboken6 import isValid

from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io.dicom.tag_words import line_of, whole_value_of
from viewer.io.dicom.tags import Tags, read_tags
from viewer.io.gate import harmless
from viewer.io.series import SeriesEntry
from viewer.session.view import ViewState
from viewer.ui.controls import Button, ElidedLabel, EmptyState, Label, NoteBox, NumberRow, SearchField
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.tag_model import NAME, TAG, VR, BadgeDelegate, TagModel, TagTree
from viewer.ui.host import Host
from viewer.ui.theme import set_available, sizes

_OPENED_BY_SEARCH = 5000
"""Up to so many rows a search opens the sequences that hold what it found."""


class TagBrowser(Dialog):
    """Tag, name, VR and value of every element; of a series with several files one of them is chosen by its number.

    Parameters
    ----------
    files : sequence of Path
        In the order of the slices.
    number : int
        Which file to begin with.
    title : str
        What the files are of.
    archive : Path or None
        The ZIP file that they were unpacked from: named in place of where they lie now.
    """

    def __init__(
        self, host: Host, files: Sequence[Path], number: int = 0, *, title: str = "", archive: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(_("DICOM tags"), width=960, height=640, parent=parent)
        self._host, self._files, self._archive = host, tuple(files), archive
        self._number = min(max(0, number), len(self._files) - 1)
        self.error = ""
        self._build(title)
        self._read()
        self.field.setFocus()

    @property
    def path(self) -> Path:
        """The file that is shown."""
        return self._files[self._number]

    def show_file(self, number: int) -> None:
        """Show another file of the series."""
        number = min(max(0, number), len(self._files) - 1)
        if number != self._number:
            self._number = number
            self.chooser.set_value(number + 1)
            self._read()

    # --- building ---

    def _build(self, title: str) -> None:
        head = QHBoxLayout()
        self.name = ElidedLabel("", "secondary", mode=Qt.TextElideMode.ElideMiddle, parent=self.frame)
        head.addWidget(self.name, 1)
        self.count = Label("", "caption", parent=self.frame)
        head.addWidget(self.count)
        if title:
            self.body.addWidget(ElidedLabel(title, "strong", parent=self.frame))
        self.body.addLayout(head)
        self.chooser = NumberRow(
            _("File"),
            1,
            max(2, len(self._files)),
            self._number + 1,
            decimals=0,
            unit=_("of {count}").format(count=len(self._files)),
            parent=self.frame,
        )
        self.chooser.slider.setAccessibleName(_("File of the series"))
        self.chooser.field.setAccessibleName(_("Number of the file"))
        self.chooser.value_changed.connect(lambda value: self.show_file(round(value) - 1))
        self.chooser.setVisible(len(self._files) > 1)
        self.body.addWidget(self.chooser)
        self.field = SearchField(_("Filter by tag, name, keyword or value"), parent=self.frame)
        self.field.textChanged.connect(self._filter)
        self.field.left_downwards.connect(self._enter_tree)
        self.field.returnPressed.connect(self._enter_tree)
        self.body.addWidget(self.field)
        self.note = NoteBox("warn", "", parent=self.frame)
        self.body.addWidget(self.note)
        self.model = TagModel(self)
        self.tree = self._tree()
        self.empty = EmptyState("", parent=self.frame)
        self.stack = QStackedWidget(self.frame)
        self.stack.addWidget(self.tree)
        self.stack.addWidget(self.empty)
        self.body.addWidget(self.stack, 1)
        self.copy_value = self._button(_("Copy value"), self._copy_value)
        self.copy_row = self._button(_("Copy row"), self._copy_row)
        self.copy_all = self._button(_("Copy all"), self._copy_all)
        close = Button(_("Close"), variant="primary", parent=self.frame)
        close.clicked.connect(self.accept)
        close.setAutoDefault(False)
        self.add_buttons(self.copy_value, self.copy_row, self.copy_all, close, caption=_("Esc to close"))

    def _button(self, text: str, action: Callable[[], None]) -> Button:
        button = Button(text, icon="copy", parent=self.frame)
        button.setAutoDefault(False)
        button.clicked.connect(action)
        return button

    def _tree(self) -> TagTree:
        tree = TagTree(self.frame)
        tree.setAccessibleName(_("Elements"))
        tree.setModel(self.model)
        tree.setUniformRowHeights(True)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.setTabKeyNavigation(False)
        tree.setIndentation(sizes().wide)
        tree.setItemDelegate(BadgeDelegate(tree))
        header = tree.header()
        header.setStretchLastSection(True)
        header.setSectionsMovable(False)
        for column, width in ((TAG, 168), (NAME, 288), (VR, 44)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            tree.setColumnWidth(column, width)
        for words, keys, action in (
            (_("Copy row"), QKeySequence.StandardKey.Copy, self._copy_row),
            (_("Copy value"), "Ctrl+Shift+C", self._copy_value),
        ):
            copies = QAction(words, tree)
            copies.setShortcut(QKeySequence(keys))
            copies.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            copies.triggered.connect(action)
            tree.addAction(copies)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        tree.selectionModel().currentRowChanged.connect(self._show_available)
        return tree

    # --- what is shown ---

    def _read(self) -> None:
        path = self.path
        self.name.setText(harmless(str(path if self._archive is None else self._archive)))

        def ready(tags: Tags) -> None:
            if isValid(self) and path == self.path:
                self._take(tags, "")

        def failed(error: BaseException) -> None:
            if isValid(self) and path == self.path:
                self._take(None, str(error))

        self._host.work.run_thread(lambda _progress: read_tags(path), _("Reading tags"), ready, failed, quiet=True)

    def _take(self, tags: Tags | None, error: str) -> None:
        kept = self._key(self.tree.currentIndex())
        self.error = error
        self.note.show_note("warn", "\n".join(tags.notes) if tags is not None else "")
        self.model.show(tags, self.field.text())
        self._after_reset(kept)

    def _filter(self, text: str) -> None:
        kept = self._key(self.tree.currentIndex())
        self.model.show(self.model.tags, text)
        self._after_reset(kept)

    def _after_reset(self, kept: tuple[int, ...]) -> None:
        if self.field.text().strip():
            self._open_finds()
        found = self._find(kept)
        if found.isValid():
            self.tree.setCurrentIndex(found)
            self.tree.scrollTo(found)
        tags = self.model.tags
        total = sum(not row.is_item for row in tags.rows) if tags is not None else 0
        elements = ngettext("{count} element", "{count} elements", total)
        self.count.setText(_("{shown} of {elements}").format(shown=self.model.matches, elements=elements) if self.model.matches < total else elements)
        if self.error:
            self.empty.set_text(_("The tags cannot be shown."), self.error)
        elif tags is not None:
            self.empty.set_text(_("No element matches."), _("Each word is looked for in tag, name, keyword and value."))
        self.stack.setCurrentWidget(self.tree if self.model.matches or (tags is None and not self.error) else self.empty)
        self._show_available()

    def _open_finds(self) -> None:
        """All that was found where that is not too much to lay out, else the first of it."""
        if self.model.matches <= _OPENED_BY_SEARCH:
            self.tree.expandAll()
            return
        index = self.model.index(0, 0)
        while index.isValid():
            self.tree.expand(index)
            index = self.model.index(0, 0, index)

    def _key(self, index: QModelIndex) -> tuple[int, ...]:
        """Where a row lies, by tags and numbers of items: the same element in another file."""
        key: list[int] = []
        while (element := self.model.element(index)) is not None:
            key.append(element.number if element.is_item else element.tag)
            index = index.parent()
        return tuple(reversed(key))

    def _find(self, key: tuple[int, ...]) -> QModelIndex:
        index = QModelIndex()
        for step in key:
            for row in range(self.model.rowCount(index)):
                child = self.model.index(row, 0, index)
                element = self.model.element(child)
                if element is not None and step == (element.number if element.is_item else element.tag):
                    index = child
                    break
            else:
                return QModelIndex()
        return index

    def _enter_tree(self) -> None:
        if self.model.matches:
            self.tree.setFocus(Qt.FocusReason.TabFocusReason)
            if not self.tree.currentIndex().isValid():
                self.tree.setCurrentIndex(self.model.index(0, 0))

    # --- copying ---

    def _show_available(self, *_indexes: object) -> None:
        element = self.model.element(self.tree.currentIndex())
        set_available(self.copy_row, "" if element is not None else _("Choose a row first."))
        has_value = element is not None and bool(whole_value_of(element))
        set_available(self.copy_value, "" if has_value else _("Choose a row with a value first.") if element is None else _("This row has no value."))
        set_available(self.copy_all, "" if self.model.matches else _("There is nothing in the list."))

    def _copy_value(self) -> None:
        element = self.model.element(self.tree.currentIndex())
        if element is not None:
            QApplication.clipboard().setText(whole_value_of(element))

    def _copy_row(self) -> None:
        element = self.model.element(self.tree.currentIndex())
        if element is not None:
            QApplication.clipboard().setText(line_of(element).strip())

    def _copy_all(self) -> None:
        QApplication.clipboard().setText(self.model.shown_text())


def file_shown(state: ViewState, files: int) -> int:
    """Which of the files of a series holds what a view shows: that of the slice where files and planes match, else the first."""
    volume = state.volume
    if volume is None or files < 2:
        return 0
    planes, phases = volume.geometry.shape[0], volume.phases
    plane = state.array_index if state.layout.axis == 0 else planes // 2
    if files == planes * phases:
        return state.phase * planes + plane
    if files == planes:
        return plane
    return state.phase if files == phases else 0


def show_tags(host: Host, entry: SeriesEntry, parent: QWidget, *, is_shown: bool) -> None:
    """Open the browser for a listed series: for the file of the slice in view where it is the one that ``is_shown``."""
    number = file_shown(host.seen, len(entry.files)) if is_shown else 0
    TagBrowser(host, entry.files, number, title=entry.title, archive=entry.archive, parent=parent).open()
