"""The browser: what is open, as studies with their series; filter, thumbnails, what is being read, what could not be."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.session.maps import MAP_KINDS
from viewer.ui import theme
from viewer.ui.browser_rows import (
    DATA_ROLE,
    KIND_ROLE,
    PICTURE_ROLE,
    Line,
    RowDelegate,
    Study,
    series_words,
    spoken,
    study_key,
    study_of,
    thumbnail_image,
)
from viewer.ui.controls import Button, ElidedLabel, EmptyState, IconButton, Label, SearchField, ThinBar
from viewer.ui.dialogs.tags import show_tags
from viewer.ui.map_objects import offer_overlay
from viewer.ui.objects import HANDLERS
from viewer.ui.opening import Row
from viewer.ui.panel_host import PanelHost
from viewer.ui.recents import RecentList
from viewer.ui.series_tree import SeriesTree
from viewer.ui.theme import sizes

_RECENT_SHOWN = 10
_WIDE = 1100
"""Width of the window from which the browser has words."""
_STRIP, _LEAST, _MOST = 72, 200, 360
"""Widths of the browser: as a strip; with words, from and to."""


class Browser(QWidget):
    """Follows the opener's rows; a click or Enter shows a series in the active view."""

    def __init__(self, panels: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Studies"))
        self._panels, self._host, self._opener = panels, panels.host, panels.opener
        self.is_strip = False
        self._studies: dict[tuple[str, ...], QStandardItem] = {}
        self._items: dict[str, QStandardItem] = {}
        self._planes: dict[str, Volume] = {}
        self._refused: QStandardItem | None = None
        self._shown = ""
        self._build()
        self._opener.rows_changed.connect(self._take_rows)
        self._opener.thumbnail_ready.connect(self.take_thumbnail)
        self._opener.progress.connect(self._show_progress)
        self._host.work.changed.connect(self._follow_work)
        self._panels.recents.changed.connect(self._show_empty)
        self._host.active_changed.connect(self._show_active)
        self._host.seen_changed.connect(self._show_active)
        self._take_rows()
        self.setMinimumWidth(_LEAST)
        self.setMaximumWidth(_MOST)
        if parent is not None:
            parent.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The window's width decides, not the browser's own: that is what the window divides.
        if event.type() == QEvent.Type.Resize and watched is self.window():
            self.set_strip(self.window().width() < _WIDE)
        return super().eventFilter(watched, event)

    def set_strip(self, is_strip: bool) -> None:
        """A strip of thumbnails, where the window is too narrow for words beside them; the words are in the tooltips."""
        if is_strip == self.is_strip:
            return
        self.is_strip = is_strip
        self.filter.clear()
        for part in (self._title, self._open_button, self.filter):
            part.setHidden(is_strip)
        self._delegate.is_strip = is_strip
        self.setMinimumWidth(_STRIP if is_strip else _LEAST)
        self.setMaximumWidth(_STRIP if is_strip else _MOST)
        divider = self.parentWidget()
        if isinstance(divider, QSplitter):  # it would leave the room that is no longer taken empty
            parts = divider.sizes()
            wide = _STRIP if is_strip else sizes().browser
            divider.setSizes([wide, parts[1] + parts[0] - wide, *parts[2:]])
        self.tree.doItemsLayout()
        self._show_empty()

    def _build(self) -> None:
        s, actions = sizes(), self._panels.actions
        head = QHBoxLayout()
        head.setSpacing(s.margin)
        self._title = ElidedLabel(_("Studies"), "title", parent=self)
        head.addWidget(self._title, 1)
        opens, hides = _("Open folder"), _("Hide the studies")
        for icon, name, action in (("folder-open", opens, "file.open_folder"), ("panel-left", hides, "view.browser")):
            button = IconButton(icon, name, parent=self)
            button.clicked.connect(actions[action].trigger)
            actions.name_button(button, action, name)
            head.addWidget(button)
            if icon == "folder-open":
                self._open_button = button
        self.filter = SearchField(_("Filter by name, ID or date"), parent=self)
        self.filter.textChanged.connect(self._apply_filter)
        self.filter.left_downwards.connect(self._enter_list)
        self.filter.returnPressed.connect(self._enter_list)
        self.reading = QWidget(self)
        self.reading.setAccessibleName(_("Reading"))
        self._reading_words = ElidedLabel(_("Reading"), "small", parent=self.reading)
        self._reading_bar = ThinBar(name=_("Reading"), parent=self.reading)
        self.cancel = Button(_("Cancel"), variant="link", parent=self.reading)
        self.cancel.clicked.connect(self._opener.cancel_scan)
        line = QHBoxLayout()
        line.addWidget(self._reading_words, 1)
        line.addWidget(self.cancel)
        column = QVBoxLayout(self.reading)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(s.tight)
        column.addLayout(line)
        column.addWidget(self._reading_bar)
        self._pace_words = ElidedLabel("", "caption", parent=self.reading)
        column.addWidget(self._pace_words)
        self.reading.hide()
        self.model = QStandardItemModel(self)
        self.tree = SeriesTree(self)
        self.tree.setAccessibleName(_("Series"))
        self.tree.setModel(self.model)
        self._delegate = RowDelegate(lambda: self._opener.shown_id, self.tree)
        self.tree.setItemDelegate(self._delegate)
        self.tree.chosen.connect(self._choose)
        self.tree.typed.connect(self._type)
        self.tree.escaped.connect(self.filter.clear)
        self.tree.menu_wanted.connect(self._open_menu)
        self.empty = EmptyState(_("No studies open."), parent=self)
        room = sizes().browser - 2 * s.margin - 2 * s.gap
        self.recent = RecentList(self._panels.recents, shown=_RECENT_SHOWN, width=room, parent=self)
        # The words of a link begin 7 px inside of it, and are to stand under the others.
        self.recent.setContentsMargins(s.margin - 7, 0, s.margin, 0)
        self.nothing = Label(_("No study matches."), "secondary", wrap=True, parent=self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, s.margin - 2, 0, 0)
        outer.setSpacing(s.row_gap)
        inner = QVBoxLayout()
        inner.setContentsMargins(s.margin, 0, s.margin, 0)
        inner.setSpacing(s.row_gap)
        inner.addLayout(head)
        for part in (self.filter, self.reading, self.empty, self.nothing):
            inner.addWidget(part)
        self.empty.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._below = QWidget(self)  # takes the room of the list while there is none
        outer.addLayout(inner)
        outer.addWidget(self.recent)
        outer.addWidget(self.tree, 1)
        outer.addWidget(self._below, 1)

    # --- what is listed ---

    def _take_rows(self) -> None:
        rows = {row.entry.id: row for row in self._opener.rows()}
        if not rows:
            self._clear()
        for entry_id in self._items.keys() - rows.keys():
            self._drop(entry_id)
        grouped: dict[tuple[str, ...], list[Row]] = {}
        for row in rows.values():
            grouped.setdefault(study_key(row.entry), []).append(row)
        for key, members in grouped.items():
            self._take_study(key, members)
        self._take_refused()
        self._apply_filter()
        self._show_empty()

    def _clear(self) -> None:
        self.model.clear()
        self._studies.clear()
        self._items.clear()
        self._planes.clear()
        self._refused = None

    def _drop(self, entry_id: str) -> None:
        item = self._items.pop(entry_id)
        self._planes.pop(entry_id, None)
        head = item.parent()
        head.removeRow(item.row())
        if not head.rowCount():
            key = next(key for key, known in self._studies.items() if known is head)
            del self._studies[key]
            self.model.removeRow(head.row())

    def _take_study(self, key: tuple[str, ...], members: list[Row]) -> None:
        head = self._studies.get(key)
        if head is None:
            head = self._studies[key] = QStandardItem()
            head.setData("study", KIND_ROLE)
            self.model.insertRow(self.model.rowCount() - (1 if self._refused is not None else 0), head)
        new = [row for row in members if row.entry.id not in self._items]
        if new:
            self._word_study(head, study_of(key, [row.entry for row in members]))
        for row in members:
            item = self._items.get(row.entry.id)
            if item is None:
                item = self._items[row.entry.id] = QStandardItem()
                item.setData("series", KIND_ROLE)
                head.appendRow(item)
            if item.data(DATA_ROLE) != row:
                item.setData(row, DATA_ROLE)
                item.setData(spoken(row).replace("\n", ", "), Qt.ItemDataRole.AccessibleTextRole)
                item.setToolTip(spoken(row))
        if new:
            self.tree.expand(head.index())

    def _word_study(self, head: QStandardItem, study: Study) -> None:
        head.setData(study, DATA_ROLE)
        words = [part for part in (study.name, study.what, study.date) if part]
        head.setData(", ".join(words), Qt.ItemDataRole.AccessibleTextRole)
        head.setToolTip("\n".join(words))

    def _take_refused(self) -> None:
        refused = self._opener.refused
        if not refused:
            if self._refused is not None:
                self.model.removeRow(self._refused.row())
                self._refused = None
            return
        if self._refused is None:
            self._refused = QStandardItem()
            self._refused.setData("line", KIND_ROLE)
            self.model.appendRow(self._refused)
        text = ngettext("{count} file could not be read", "{count} files could not be read", len(refused))
        reasons = "\n".join(_(refusal.reason) for refusal in refused)
        self._refused.setData(Line(text, reasons), DATA_ROLE)
        self._refused.setData(text, Qt.ItemDataRole.AccessibleTextRole)
        self._refused.setToolTip("\n".join((text, *(_(refusal.reason) for refusal in refused[:5]))))

    def take_thumbnail(self, entry_id: str, volume: Volume) -> None:
        """Show the picture of a listed series."""
        item = self._items.get(entry_id)
        if item is not None:
            self._planes[entry_id] = volume
            item.setData(self._thumbnail(volume), PICTURE_ROLE)

    def _thumbnail(self, volume: Volume) -> Any:
        return thumbnail_image(volume, self._host.document, round(sizes().thumbnail * self.devicePixelRatioF()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            for entry_id, volume in self._planes.items():
                self._items[entry_id].setData(self._thumbnail(volume), PICTURE_ROLE)
        return super().event(event)

    def listed_ids(self) -> tuple[str, ...]:
        """Entry ids of the series in the order of the list, without those that the filter hides."""
        return tuple(name for study in self.listed_studies() for name in study)

    def listed_studies(self) -> tuple[tuple[str, ...], ...]:
        """The same, study by study."""
        heads = [self.model.item(number) for number in range(self.model.rowCount())]
        return tuple(
            tuple(head.child(n).data(DATA_ROLE).entry.id for n in range(head.rowCount()) if not self.tree.isRowHidden(n, head.index()))
            for head in heads
        )

    # --- what it says when there is little to list ---

    def _show_empty(self) -> None:
        is_empty = not self._items and self._refused is None
        self.filter.setVisible(bool(self._items) and not self.is_strip)
        self.tree.setVisible(not is_empty)
        self._below.setVisible(is_empty)
        self.empty.setVisible(is_empty and not self.is_strip)
        if is_empty and not self.is_strip:
            self._list_recent()
        else:
            self.recent.hide()

    def _list_recent(self) -> None:
        found = self.recent.fill()
        self.empty.set_text(_("No studies open."), _("Recently opened:") if found else _("Recent folders will be listed here."))
        self.recent.setVisible(bool(found))

    def _show_progress(self, done: int, total: int) -> None:
        self.reading.setVisible(self._opener.is_scanning)
        pace = self._opener.files_per_second
        if done:
            words = _("{done:,} of {total:,} files").format(done=done, total=total)
        else:
            words = ngettext("Reading {count} file", "Reading {count} files", total) if total else _("Reading")
        speed = _("{pace:,.0f} files/s").format(pace=pace) if pace >= 1 else ""
        self._reading_words.setText(words)
        self._pace_words.setText(speed)
        self.reading.setToolTip(", ".join(part for part in (words, speed) if part))
        self.reading.setAccessibleDescription(self.reading.toolTip())
        self._reading_bar.set_progress(done, total if done else None)

    def _follow_work(self, _tasks: object) -> None:
        if self._opener.is_scanning != self.reading.isVisibleTo(self):
            self._show_progress(0, 0)

    # --- filter and keys ---

    def _apply_filter(self) -> None:
        wanted = self.filter.text().casefold().split()
        self.tree.takes_escape = bool(wanted)
        any_shown = False
        for head in self._studies.values():
            study: Study = head.data(DATA_ROLE)
            some = False
            for number in range(head.rowCount()):
                row: Row = head.child(number).data(DATA_ROLE)
                words = f"{study.words} {series_words(row.entry)}"
                is_shown = all(word in words for word in wanted)
                self.tree.setRowHidden(number, head.index(), not is_shown)
                some = some or is_shown
            self.tree.setRowHidden(head.row(), QModelIndex(), not some)
            any_shown = any_shown or some
        self.nothing.setVisible(bool(self._items) and not any_shown)

    def _type(self, text: str) -> None:
        if self.is_strip:
            return
        self.filter.setFocus()
        self.filter.setText(self.filter.text() + text)

    def _enter_list(self) -> None:
        now = self.tree.currentIndex()
        if now.data(KIND_ROLE) != "series" or self.tree.isRowHidden(now.row(), now.parent()):
            first = next((i for i in self._items.values() if not self.tree.isRowHidden(i.row(), i.parent().index())), None)
            if first is not None:
                self.tree.setCurrentIndex(first.index())
        self.tree.setFocus()

    def _show_active(self, _what: object = None) -> None:
        shown = self._opener.shown_id
        if shown == self._shown:
            return
        self._shown = shown
        item = self._items.get(shown)
        if item is not None:
            self.tree.setCurrentIndex(item.index())
            self.tree.scrollTo(item.index())
        self.tree.viewport().update()

    # --- what is done to a row ---

    def _choose(self, index: QModelIndex) -> None:
        kind, value = index.data(KIND_ROLE), index.data(DATA_ROLE)
        if kind == "study":
            self.tree.setExpanded(index, not self.tree.isExpanded(index))
        elif kind == "series":
            self._opener.show(value.entry.id)
        else:
            self._panels.show_details(value.text, value.details)

    def _open_menu(self, index: QModelIndex, place: QPoint) -> None:
        if index.data(KIND_ROLE) != "series":
            return
        menu = self.build_menu(index.data(DATA_ROLE))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def build_menu(self, row: Row) -> QMenu:
        """What can be done with a series."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        open_it = menu.addAction(_("Open"))
        beside = menu.addAction(_("Open beside"))
        beside.triggered.connect(lambda: self._open_beside(row))
        theme.set_available(beside, "" if row.entry.kind != "other" else _("This is no image."))
        open_it.triggered.connect(lambda: self._opener.show(row.entry.id))
        theme.set_available(open_it, _("This is no image.") if row.entry.kind == "other" and row.entry.object_kind not in HANDLERS else "")
        if row.is_loading:
            stop = menu.addAction(_("Stop reading"))
            stop.triggered.connect(lambda: self._opener.cancel_loading(row.entry.id))
        self._offer_adding(menu, row)
        tags = menu.addAction(_("DICOM tags…"))
        tags.triggered.connect(lambda: self._show_tags(row))
        theme.set_available(tags, "" if row.entry.reader == "dicom" else _("This is no DICOM file."))
        export: QAction = menu.addAction(_("Export…"))
        export.triggered.connect(lambda: self._export(row))
        theme.set_available(export, "" if row.root_id else _("Open it first."))
        return menu

    def _open_beside(self, row: Row) -> None:
        """In another view than the active one, which is made if there is none."""
        self._host.activate(self._host.room_beside())
        self._opener.show(row.entry.id)

    def _show_tags(self, row: Row) -> None:
        show_tags(self._host, row.entry, self.window(), is_shown=row.entry.id == self._opener.shown_id)

    def _offer_adding(self, menu: QMenu, row: Row) -> None:
        fusing = self._panels.fusing
        if fusing is not None and row.entry.kind != "other":
            over = menu.addAction(_("Fuse with the shown image"))
            over.triggered.connect(lambda: fusing.lay_entry(row.entry))
            theme.set_available(over, fusing.why_not(row.entry))
        if row.entry.object_kind in MAP_KINDS:
            offer_overlay(menu, self._host, self._opener, row.entry)
            return
        attaching = self._panels.attaching
        if attaching is None or row.entry.kind == "other":
            return
        overlay, segmentation = menu.addAction(_("Add as overlay")), menu.addAction(_("Add as segmentation"))
        overlay.triggered.connect(lambda: attaching.attach(row.entry, "overlay"))
        segmentation.triggered.connect(lambda: attaching.attach(row.entry, "segmentation"))
        theme.set_available(overlay, attaching.why_not(row.entry, "overlay"))
        theme.set_available(segmentation, attaching.why_not(row.entry, "segmentation"))

    def _export(self, row: Row) -> None:
        self._opener.show(row.entry.id)
        self._panels.export("screenshot")
