"""All keys and gestures of the mouse on one sheet, by where they count, made from the table of actions and the profile in use."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPagedPaintDevice, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.session.profile import PROFILES, TITLES
from viewer.ui.action_table import MENUS, VIEW, ActionSpec
from viewer.ui.controls import Button, Combo, ElidedLabel, KeyCap, Label, SearchField, SectionTitle
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.dialogs.gesture_words import act_words, gesture_words
from viewer.ui.theme import sizes

if TYPE_CHECKING:
    from viewer.ui.keyboard import Keyboard
    from viewer.ui.window import Window

Line = tuple[str, tuple[str, ...], str]
"""What it does, its keys in the system's words, and more words to find it by."""


def columns_of(keyboard: Keyboard) -> list[tuple[str, list[Line]]]:
    """The sheet: titles, and what stands beneath each."""
    actions = keyboard.actions
    keyed = sorted((s for s in actions.specs() if actions.keys(s.id)), key=lambda s: MENUS.index(s.menu) if s.menu in MENUS else len(MENUS))
    coming = [spec for spec in actions.coming() if actions.keys(spec.id)]

    def lines(specs: list[ActionSpec]) -> list[Line]:
        return [(str(_(spec.title)), actions.shown_keys(spec.id), spec.title) for spec in specs]

    mouse = [(str(act_words(act)), (str(gesture_words(gesture)),), act) for gesture, act in keyboard.profile.mouse.items() if act != "nothing"]
    found = [
        (_("Everywhere"), lines([s for s in keyed if s.scope == "G"])),
        (_("In the view: what is shown"), lines([s for s in keyed if s.scope == "V" and s.menu == VIEW])),
        (_("In the view: window, layout and tools"), lines([s for s in keyed if s.scope == "V" and s.menu != VIEW])),
        (_("With a segment tool or its panel"), lines([s for s in keyed if s.scope == "S"])),
        (_("While playing"), lines([s for s in keyed if s.scope == "C"])),
        (_("Mouse over a view"), mouse),
        (_("Reserved: for what is to come"), lines(coming)),
    ]
    return [(str(title), rows) for title, rows in found if rows]


class KeyRow(QWidget):
    """What it does, and its keys."""

    def __init__(self, line: Line, parent: QWidget) -> None:
        super().__init__(parent)
        title, keys, more = line
        self.words = f"{title} {more} {' '.join(keys)}".casefold()
        self.setAccessibleName(f"{title}: {', '.join(keys)}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(sizes().tight)
        self.title = ElidedLabel(title, "small", parent=self)
        row.addWidget(self.title, 1)
        for sequence in keys:
            row.addWidget(KeyCap(sequence, parent=self))
        self.setFixedHeight(sizes().target - sizes().hair)


class KeySheet(Dialog):
    """Columns by where the keys count; a field filters by what a key does or by the key itself; another profile can be chosen here."""

    def __init__(self, keyboard: Keyboard, window: Window) -> None:
        super().__init__(_("All keys"), width=1000, height=680, parent=window)
        self._keyboard = keyboard
        head = QHBoxLayout()
        head.setSpacing(sizes().row_gap)
        self.field = SearchField(_("Filter by command or key"), parent=self.frame)
        head.addWidget(self.field, 1)
        head.addWidget(Label(_("Profile"), "secondary", parent=self.frame))
        self.profile = Combo(name=_("Profile"), parent=self.frame)
        self.profile.addItems([_(TITLES[name]) for name in PROFILES])
        self.profile.setCurrentIndex(PROFILES.index(keyboard.profile.name))
        self.profile.activated.connect(lambda at: keyboard.host.settings.set("profile", PROFILES[at]))
        head.addWidget(self.profile)
        self.body.addLayout(head)
        self._scroll = QScrollArea(self.frame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName(_("All keys"))
        self.body.addWidget(self._scroll, 1)
        self.none = Label(_("No key matches."), "secondary", parent=self.frame)
        self.none.hide()
        self.body.addWidget(self.none)
        change = Button(_("Change keys"), icon="settings", parent=self.frame)
        change.clicked.connect(lambda: self._change(window))
        self.print = Button(_("Print"), icon="download", tooltip=_("On paper, or into a PDF file where there is no printer."), parent=self.frame)
        self.print.clicked.connect(self._print)
        self.add_buttons(self.print, change, caption=_("Keys of a segment tool come before those of the view while it is in hand."))
        self._parts: list[tuple[SectionTitle, list[KeyRow]]] = []
        self.field.textChanged.connect(self._filter)
        keyboard.actions.profile_changed.connect(self._refresh)
        self._refresh()
        self.field.setFocus()

    def shown(self) -> tuple[str, ...]:
        """Names of the rows that the filter lets through."""
        return tuple(row.accessibleName() for _title, rows in self._parts for row in rows if not row.isHidden())

    def _refresh(self) -> None:
        self.profile.setCurrentIndex(PROFILES.index(self._keyboard.profile.name))
        page = QWidget(self._scroll)
        columns = QHBoxLayout(page)
        columns.setContentsMargins(0, sizes().gap, sizes().margin, sizes().gap)
        columns.setSpacing(sizes().section)
        self._parts = []
        parts = columns_of(self._keyboard)
        # Three columns of about the same height, the parts in order.
        whole, filled, column = sum(len(lines) + 2 for _title, lines in parts), 0, None
        for title, lines in parts:
            if column is None or filled >= whole / 3 * columns.count():
                column = QVBoxLayout()
                column.setSpacing(0)
                columns.addLayout(column, 1)
            self._fill(column, title, lines, page)
            filled += len(lines) + 2
        for at in range(columns.count()):
            layout = columns.itemAt(at).layout()
            if isinstance(layout, QVBoxLayout):
                layout.addStretch(1)
        self._scroll.setWidget(page)
        page.setAutoFillBackground(False)
        self._scroll.viewport().setAutoFillBackground(False)
        self._filter(self.field.text())

    def _fill(self, column: QVBoxLayout, title: str, lines: list[Line], page: QWidget) -> None:
        if column.count():
            column.addSpacing(sizes().margin)
        head = SectionTitle(title, parent=page)
        column.addWidget(head)
        column.addSpacing(sizes().gap)
        rows = [KeyRow(line, page) for line in lines]
        for row in rows:
            column.addWidget(row)
        self._parts.append((head, rows))

    def _filter(self, text: str) -> None:
        wanted = text.casefold().split()
        any_shown = False
        for head, rows in self._parts:
            for row in rows:
                row.setVisible(all(word in row.words for word in wanted))
            found = any(not row.isHidden() for row in rows)
            head.setVisible(found)
            any_shown = any_shown or found
        self.none.setVisible(not any_shown)

    def _change(self, window: Window) -> None:
        from viewer.ui.dialogs.settings import open_settings

        self.accept()
        open_settings(window, "keys")

    # --- on paper ---

    def page_text(self) -> str:
        """The sheet as HTML, for paper: black on white."""
        parts = []
        for title, lines in columns_of(self._keyboard):
            rows = "".join(f"<tr><td>{escape(what)}</td><td align='right'>{escape(' · '.join(keys))}</td></tr>" for what, keys, _more in lines)
            parts.append(f"<h3>{escape(title)}</h3><table width='100%' cellspacing='0' cellpadding='2'>{rows}</table>")
        head = escape(f"negatoscope · {_('All keys')} · {self._keyboard.profile.title}")
        return f"<html><body style='color:black'><h2>{head}</h2>{''.join(parts)}</body></html>"

    def write_pdf(self, path: Path) -> None:
        """The sheet as a PDF file of A4 pages."""
        writer = QPdfWriter(str(path))
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        self._paint(writer)

    def _paint(self, device: QPagedPaintDevice) -> None:
        document = QTextDocument()
        document.setHtml(self.page_text())
        document.print_(device)

    def _print(self) -> None:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo

        if QPrinterInfo.availablePrinterNames():
            printer = QPrinter(QPrinter.PrinterMode.HighResolution)
            dialog = QPrintDialog(printer, self)
            if dialog.exec() == QPrintDialog.DialogCode.Accepted:
                self._paint(printer)
            return
        chosen, _kind = QFileDialog.getSaveFileName(self, _("Print"), "negatoscope-keys.pdf", _("PDF files (*.pdf)"))
        if chosen:
            self.write_pdf(Path(chosen))
