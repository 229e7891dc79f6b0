"""The results drawer: one table at a time of what was measured, computed or classified in the image in view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, QSortFilterProxyModel, Qt
from PySide6.QtGui import QAction, QFont, QGuiApplication, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QStackedWidget, QTableView, QVBoxLayout, QWidget

from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.session import hand
from viewer.session.history import Changes
from viewer.session.readings import disagreements
from viewer.ui.controls import Button, Combo, EmptyState, IconButton, Label, TableCells
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.measurements import show_measurement
from viewer.ui.panels.result_tables import KEY_ROLE, SORT_ROLE, Grid, GridModel, measurements_grid, reports_grid, table_grid
from viewer.ui.theme import font, set_available, sizes

MEASUREMENTS, REPORTS, ALL_REPORTS = "measurements", "reports", "all reports"
_FIRST_COLUMN = 140


class ResultsDrawer(QWidget):
    """Hidden until asked for. Selecting a measurement selects it in the view; a row of a classification brings its slice into view."""

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        self._sources: list[str] = []
        self._following = self._filling = self._is_stale = False
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Results"))
        self.setMinimumHeight(96)
        self._build()
        host = panel_host.host
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._look_again)
        host.active_changed.connect(self._take_image)
        panel_host.tooling.selected_changed.connect(self._select)
        self.refresh()
        self.hide()

    def show_disagreements(self) -> None:
        """Show the reports that the reader disagreed with, of all open images."""
        self.show_reports()
        self.disagreements.setChecked(True)

    def show_reports(self) -> None:
        """Show the reports of all open images, or of the one that has any."""
        for source in (REPORTS, ALL_REPORTS):
            self.show_source(source)

    def show_source(self, source: str) -> None:
        """Show the measurements, the reports, those of all open images, or a table by its id."""
        self._catch_up()
        if source in self._sources:
            self.source.setCurrentIndex(self._sources.index(source))

    @property
    def grid(self) -> Grid:
        """What is shown, unsorted."""
        self._catch_up()
        return self.model.grid

    # --- building ---

    def _build(self) -> None:
        s = sizes()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(s.margin, s.tight, s.row_gap, s.tight)
        head.setSpacing(s.row_gap)
        head.addWidget(Label(_("Results"), "section", parent=self))
        self.source = Combo(name=_("Table"), parent=self)
        self.source.setMaximumWidth(220)
        self.source.currentIndexChanged.connect(self._show_source)
        head.addWidget(self.source, 1)
        self.disagreements = Button(_("Disagreements only"), checkable=True, parent=self)
        self.disagreements.setToolTip(_("Shows only what you disagreed with."))
        self.disagreements.toggled.connect(self._show_source)
        head.addWidget(self.disagreements)
        self.caption = Label("", "caption", parent=self)
        head.addWidget(self.caption)
        head.addStretch(1)
        self.copy = Button(_("Copy"), variant="link", tooltip=_("Copies the table with tabs between its columns."), parent=self)
        self.copy.clicked.connect(self.copy_table)
        self.export = Button(_("Export CSV"), variant="link", parent=self)
        self.export.clicked.connect(self._export)
        self.close_button = IconButton("x", _("Close the results"), parent=self)
        self.close_button.clicked.connect(self._close)
        for widget in (self.copy, self.export, self.close_button):
            head.addWidget(widget)
        outer.addLayout(head)
        self.stack = QStackedWidget(self)
        outer.addWidget(self.stack, 1)
        empty = QWidget(self.stack)
        room = QVBoxLayout(empty)
        room.setContentsMargins(s.margin, s.tight, s.margin, s.margin)
        self.empty = EmptyState("", parent=empty)
        room.addWidget(self.empty)
        self.stack.addWidget(empty)
        self.model = GridModel(self)
        self.sorted = QSortFilterProxyModel(self)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_ROLE)
        self.table = self._table()
        self.stack.addWidget(self.table)

    def _table(self) -> QTableView:
        table = QTableView(self.stack)
        table.setAccessibleName(_("Results"))
        table.setModel(self.sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setItemDelegate(TableCells(table))
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(sizes().table_row)
        table.horizontalHeader().setHighlightSections(False)
        figures = font("small")
        figures.setFeature(QFont.Tag("tnum"), 1)
        table.setFont(figures)
        copy = QAction(_("Copy"), table)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_table)
        table.addAction(copy)
        table.selectionModel().currentRowChanged.connect(self._row_chosen)
        table.viewport().installEventFilter(self)
        return table

    # --- what is shown ---

    def refresh(self) -> None:
        """Read the document anew; the choice, the order and the selected row stay where they can."""
        self._is_stale = False
        panels = self._panels
        document, root_id = panels.document, panels.root_id
        tables = document.tables_of(root_id) if root_id else ()
        reports = document.reports_of(root_id) if root_id else ()
        sources = [(MEASUREMENTS, _("Measurements")), *((t.id, _(t.title)) for t in tables)]
        if reports:
            sources.append((REPORTS, _("Classification")))
        if any(document.reports_of(root) for root in document.root_ids() if root != root_id):
            sources.append((ALL_REPORTS, _("Classification of all images")))
        kept = self._source()
        added = [key for key, _title in sources if key not in self._sources]
        if [key for key, _title in sources] != self._sources:
            self._filling = True
            self._sources = [key for key, _title in sources]
            self.source.clear()
            self.source.addItems(_numbered([title for _key, title in sources]))
            # A table that has just come is what the user waits for.
            wanted = added[-1] if added and kept else kept
            self.source.setCurrentIndex(self._sources.index(wanted) if wanted in self._sources else 0)
            self._filling = False
        self._show_source()

    def _source(self) -> str:
        at = self.source.currentIndex()
        return self._sources[at] if 0 <= at < len(self._sources) else ""

    def _show_source(self, _index: int = 0) -> None:
        if self._filling:
            return
        panels, source = self._panels, self._source()
        document, root_id = panels.document, panels.root_id
        self.disagreements.setVisible(source in (REPORTS, ALL_REPORTS))
        if source in (REPORTS, ALL_REPORTS):
            grid = self._reports_grid(source)
        elif source in ("", MEASUREMENTS):
            grid = measurements_grid(document, panels.state)
        else:
            grid = table_grid(document.item("table", source))
        columns = self.model.grid.heads
        self._following = True
        self.model.show(grid)
        self._following = False
        if grid.heads != columns:
            self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        if self.isVisible():  # else when it is shown
            self._fit_columns()
        self._select(panels.tooling.selected_id)
        has_rows = bool(grid.rows)
        self.caption.setText(ngettext("{count} row", "{count} rows", len(grid.rows)) if has_rows else "")
        if not root_id:
            self.empty.set_text(_("Open an image to see its results."))
        elif source in (REPORTS, ALL_REPORTS):
            self.empty.set_text(_("You disagreed with no result."))
        elif source not in ("", MEASUREMENTS):
            self.empty.set_text(_("Nothing was found."), _("Run it again with other parameters."))
        else:
            self.empty.set_text(_("No measurements yet. Draw one or run Segment statistics."))
        self.stack.setCurrentIndex(1 if has_rows else 0)
        for button in (self.copy, self.export):
            set_available(button, "" if has_rows else _("There is nothing in the table."))

    def _reports_grid(self, source: str) -> Grid:
        document = self._panels.document
        roots = document.root_ids() if source == ALL_REPORTS else (self._panels.root_id,)
        reports = [report for root in roots for report in document.reports_of(root)]
        phases = max((document.volume(root).phases for root in roots), default=1)
        titles = {root: _title_of(document.volume(root)) for root in roots} if source == ALL_REPORTS else None
        return reports_grid(disagreements(reports) if self.disagreements.isChecked() else reports, titles=titles, phases=phases)

    def _fit_columns(self) -> None:
        """All columns as wide as they need; the first takes the rest, or keeps its width where the others want more than there is."""
        header, count = self.table.horizontalHeader(), self.model.columnCount()
        if not count:
            return
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.table.resizeColumnsToContents()
        others = sum(self.table.columnWidth(n) for n in range(1, count))
        if others + _FIRST_COLUMN <= self.table.viewport().width():
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        else:
            self.table.setColumnWidth(0, min(max(self.table.columnWidth(0), _FIRST_COLUMN), 2 * _FIRST_COLUMN))

    # --- rows ---

    def _row_chosen(self, current: object, _before: object = None) -> None:
        if self._following:
            return
        key = self.sorted.data(current, KEY_ROLE)  # type: ignore[call-overload]
        source = self._source()
        if source == MEASUREMENTS and key:
            show_measurement(self._panels, key)
        elif source in (REPORTS, ALL_REPORTS) and key:
            report = self._panels.document.item("report", key)
            if report is not None:
                host = self._panels.host
                if report.volume_id != self._panels.root_id:
                    host.show_volume(report.volume_id)
                host.set_wish(hand.at_slice(host.wish, host.state, "acquired", report.index, report.phase))

    def _select(self, annotation_id: str) -> None:
        """Follow what is selected in the view."""
        if self._source() != MEASUREMENTS:
            return
        row = self.model.row_of(annotation_id)
        selection = self.table.selectionModel()
        self._following = True
        if row < 0:
            selection.clear()
        else:
            index = self.sorted.mapFromSource(self.model.index(row, 0))
            if not selection.isRowSelected(index.row()):
                selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows)
                self.table.scrollTo(index)
        self._following = False

    # --- taking out ---

    def copy_table(self) -> None:
        """Copy the rows as shown and in their order, with tabs; only the selected ones where there are several."""
        chosen = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        rows = chosen if len(chosen) > 1 else range(self.sorted.rowCount())
        lines = ["\t".join(self.model.grid.heads)]
        lines += ["\t".join(str(self.sorted.index(row, column).data()) for column in range(self.sorted.columnCount())) for row in rows]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
        self._panels.host.say("ok", ngettext("{count} row copied.", "{count} rows copied.", len(lines) - 1))

    def _export(self) -> None:
        self._panels.export("measurements")

    def _close(self) -> None:
        # The window's action keeps its tick in step; without a window the drawer just goes.
        action = self._panels.actions["view.results"]
        action.trigger()
        if self.isVisible():
            self.hide()

    # --- listening ---

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("annotation", "table", "report") or changes.sources:
            self._look_again()

    def _take_image(self, _root_id: str) -> None:
        self._look_again()

    def _look_again(self) -> None:
        """At once where it can be seen, else when it is shown: a table of all reports takes time with each of them."""
        if self.isVisible():
            self.refresh()
        else:
            self._is_stale = True

    def _catch_up(self) -> None:
        if self._is_stale:
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._catch_up()
        # Who opens it wants results: not an empty list where there are others.
        if not self.grid.rows and self._source() == MEASUREMENTS and len(self._sources) > 1:
            self.source.setCurrentIndex(1)
        self._fit_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease and not self._following:
            # A second click on the current row brings its slice back into view.
            self._row_chosen(self.table.currentIndex())
        return False


def _title_of(volume: Volume) -> str:
    return volume.title or volume.identity.series_description or volume.id


def _numbered(titles: list[str]) -> list[str]:
    """Titles that occur more than once get a number."""
    seen: dict[str, int] = {}
    found = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        several = titles.count(title) > 1
        found.append(f"{title} {seen[title]}" if several else title)
    return found
