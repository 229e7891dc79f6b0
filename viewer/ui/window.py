"""The main window: puts the parts together and connects them. What a part does is the part's own affair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QCursor, QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.io.picture_stack import Spacing
from viewer.session.history import Changes
from viewer.session.view import ViewState
from viewer.ui import placing, theme
from viewer.ui.action_table import TOOLS, ActionSpec, KeyScope
from viewer.ui.actions import Actions, is_segment_tool
from viewer.ui.attaching import Attaching
from viewer.ui.availability import show_availability
from viewer.ui.browser import Browser
from viewer.ui.cine import Cine
from viewer.ui.controls import BusyRing, MessageBar, Splitter
from viewer.ui.dialogs.details import show_details
from viewer.ui.dialogs.export import ExportDialog
from viewer.ui.dialogs.model_about import show_model
from viewer.ui.dialogs.palette import Palette
from viewer.ui.dock import Dock
from viewer.ui.first_run import FirstRun
from viewer.ui.fusion_commands import FusionCommands
from viewer.ui.histogram import HistogramBar
from viewer.ui.host import Host
from viewer.ui.jobs_popover import JobsPopover
from viewer.ui.key_commands import KeyCommands
from viewer.ui.keyboard import Keyboard
from viewer.ui.layout_commands import LayoutCommands
from viewer.ui.loading_ahead import LoadingAhead
from viewer.ui.messages import Notice
from viewer.ui.model_commands import ModelCommands
from viewer.ui.opening import Opener
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.history_panel import build_history
from viewer.ui.panels.results_drawer import ResultsDrawer
from viewer.ui.phase_bar import PhaseBar
from viewer.ui.preview import shown_preview
from viewer.ui.status_line import StatusLine
from viewer.ui.tooling import BUILT_IN, Tooling
from viewer.ui.top_bar import TopBar
from viewer.ui.view_bar import ViewBar
from viewer.ui.view_grid import ViewGrid
from viewer.ui.views.probe import Probe
from viewer.ui.views.slice_view import SliceView
from viewer.ui.window_commands import WindowCommands
from viewer.ui.windowing_commands import WindowingCommands

LEAST = QSize(theme.SIZES.least_width, theme.SIZES.least_height)
_WARM_AFTER_MS, _WARM_AGAIN_MS = 150, 50
_RING_AFTER_MS = 150
_BELOW_CORNER = 84
"""Under the four lines at the top right."""
TOP_TOOLS = ("Measure/Distance", "Measure/Ellipse")


class Window(QMainWindow):
    """One window, one host."""

    def __init__(self, host: Host, *, restore: bool = True, after: Window | None = None) -> None:
        """``after``: the window that this one takes the place of."""
        super().__init__()
        self.setObjectName("main")
        self.setWindowTitle("negatoscope")
        self.setMinimumSize(LEAST)
        self.resize(1280, 800)
        self.setAcceptDrops(True)
        self.host = host
        self.opener, self.tooling = (after.opener, after.tooling) if after else (Opener(host), Tooling(host))
        self.grid = ViewGrid(host, self)
        self._has_painted = False
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.timeout.connect(self.refresh_actions)
        self._warm_up = QTimer(self)
        self._warm_up.setSingleShot(True)
        self._warm_up.timeout.connect(self._start_workers)
        self.actions_table = Actions(self, self.grid)
        self._add_plugin_actions()
        self.keyboard = Keyboard(host, self.actions_table, self)
        self.panel_host = PanelHost(host, self.tooling, self.actions_table, self.opener)
        self.attaching = self.panel_host.attaching = Attaching(host, self.opener, self)
        self.cine = Cine(host, self)
        self._ahead = LoadingAhead(host, self)
        self.fusion_commands = FusionCommands(self)
        self._build()
        self._waiting = BusyRing(size=24, name=_("Reading"), parent=self.grid)
        self._waiting.hide()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(_RING_AFTER_MS)
        self._wait.timeout.connect(self._show_waiting)
        self.commands = WindowCommands(self)
        self.key_commands = KeyCommands(self)
        self.layout_commands = LayoutCommands(self)
        self.windowing_commands = WindowingCommands(self)
        self.model_commands = ModelCommands(self)
        self._connect()
        self.grid.begin()
        self.refresh_actions()
        if restore:
            self._restore()

    # --- building ---

    def _build(self) -> None:
        measure = tuple(f"tool.{name}" for name in TOP_TOOLS if f"tool.{name}" in self.actions_table)
        self.top_bar = TopBar(self.actions_table, measure, self)
        self.top_bar.recents = self.panel_host.recents
        self.browser = Browser(self.panel_host, self)
        self.view_bar = ViewBar(self.host, self.actions_table, self)
        self.first_run = FirstRun(self.actions_table, self, recents=self.panel_host.recents)
        self.results = ResultsDrawer(self.panel_host)
        self.center = QStackedWidget(self)
        self.center.addWidget(self.first_run)
        self.center.addWidget(self.grid)
        middle = QWidget(self)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.vertical = Splitter(Qt.Orientation.Vertical, parent=middle)
        self.vertical.addWidget(self.center)
        self.vertical.addWidget(self.results)
        self.vertical.setStretchFactor(0, 1)
        self.vertical.setCollapsible(0, False)
        self.results.hide()
        self.phase_bar = PhaseBar(self.host, self.cine, self.actions_table, middle)
        self.histogram = HistogramBar(self.host, middle)
        column.addWidget(self.view_bar)
        column.addWidget(self.histogram)
        column.addWidget(self.phase_bar)
        column.addWidget(self.fusion_commands.bar(middle))
        column.addWidget(self.vertical, 1)
        self.dock = Dock(self.panel_host, build_history, self)
        self.horizontal = Splitter(Qt.Orientation.Horizontal, parent=self)
        for part in (self.browser, middle, self.dock):
            self.horizontal.addWidget(part)
        self.dock.setMaximumWidth(480)
        for index, stretch in enumerate((0, 1, 0)):
            self.horizontal.setStretchFactor(index, stretch)
            self.horizontal.setCollapsible(index, False)
        self.horizontal.set_default_sizes([232, 716, 332])
        self.messages = MessageBar(parent=self)
        self.status = StatusLine(self.host, self.tooling, self)
        self.jobs = JobsPopover(self.host, self)
        central = QWidget(self)
        theme.set_property(central, "role", "window")
        rows = QVBoxLayout(central)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.top_bar)
        rows.addWidget(self.horizontal, 1)
        rows.addWidget(self.messages)
        rows.addWidget(self.status)
        self.setCentralWidget(central)

    def _add_plugin_actions(self) -> None:
        for tool in self.host.registry.tools:
            keys = (tool.key,) if tool.key else ()
            scope: KeyScope = "S" if is_segment_tool(tool.name) else "V"
            spec = ActionSpec(f"tool.{tool.name}", tool.title, TOOLS, tool.icon, keys, scope, "image", tool.help, is_checkable=True)
            self.actions_table.add(spec)
        for operation in self.host.registry.operations:
            spec = ActionSpec(f"operation.{operation.name}", operation.title, operation.menu, "", (), "V", "image")
            self.actions_table.add(spec)

    # --- connecting ---

    def _connect(self) -> None:
        host, actions = self.host, self.actions_table
        host.notice.connect(self._show_notice)
        host.view_changed.connect(self._refresh_soon)
        host.models.changed.connect(self._refresh_soon)
        host.seen_changed.connect(self._show_view)
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._take_document)
        host.preview_changed.connect(self._show_preview)
        host.arranged.connect(self._take_arrangement)
        self.grid.made.connect(self._connect_view)
        self.grid.active_view_changed.connect(self._follow_active_view)
        self.opener.ended.connect(self._show_end)
        self.opener.rows_changed.connect(self._follow_opening)
        self.opener.rows_changed.connect(self._refresh_soon)
        host.seen_changed.connect(self._follow_opening)
        self.first_run.dropped.connect(self.open_paths)
        self.tooling.tool_changed.connect(self._show_tool)
        self.status.jobs.clicked.connect(self._open_jobs)
        self.cine.changed.connect(self._show_playing)
        panels = self.panel_host
        panels.show_panel = self.dock.show_panel
        panels.show_results = self.show_results
        panels.show_disagreements = self.show_disagreements
        panels.export = self.open_export
        panels.show_models = self.model_commands.show_list
        panels.show_card = lambda card: show_model(card, self)
        panels.show_details = lambda title, text: show_details(self, title, text)
        for spec in actions.specs():
            if spec.command:
                actions.bind(spec.id, lambda command=spec.command: self.view.run(command))
                continue
            kind, _dot, name = spec.id.partition(".")
            if kind == "tool":
                actions.bind(spec.id, lambda name=name: self._pick_tool(name))
            elif kind == "operation":
                actions.bind(spec.id, lambda name=name: self.show_operation(name))
        for part in (self.commands, self.key_commands, self.layout_commands, self.windowing_commands, self.model_commands):
            for action_id, handler in part.handlers().items():
                actions.bind(action_id, handler)
        self.keyboard.follow(self.tooling, self.dock, self.cine)

    @property
    def view(self) -> SliceView:
        """The active view."""
        return self.grid.active_view

    def _connect_view(self, view: SliceView) -> None:
        view.pointer_moved.connect(self._show_probe)
        view.files_dropped.connect(self.drop_paths)
        view.series_dropped.connect(lambda entry_id: self.show_in(view, entry_id))
        view.menu_wanted.connect(self.commands.open_context_menu)
        view.failed.connect(self._report_fault)
        view.refused.connect(lambda reason: self.host.say("info", reason))
        view.double_clicked.connect(self.commands.toggle_maximised)
        view.rate_turned.connect(self.phase_bar.turn_rate)
        self._give_tool(view)

    def show_in(self, view: SliceView, entry_id: str) -> None:
        """Show a listed series in a view, which becomes the active one."""
        self.host.activate(view.number - 1)
        self.opener.show(entry_id)

    # --- opening ---

    def open_paths(self, paths: Sequence[str | Path], *, stack: Spacing | None = None) -> None:
        """Open files and folders, as dropped or named on the command line; as one ``stack`` of pictures if a spacing is given."""
        rest = self.model_commands.take_models([Path(p) for p in paths])
        if rest:
            self.opener.open_paths(rest, stack=stack)

    def drop_paths(self, paths: Sequence[str | Path]) -> None:
        """Open what was dropped, or ask what it is to be where it could belong to the shown image."""
        place = QCursor.pos()
        if not self.frameGeometry().contains(place):
            place = self.view.mapToGlobal(self.view.rect().center())
        rest = self.model_commands.take_models([Path(p) for p in paths])
        if rest:
            self.attaching.offer(rest, place)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.drop_paths(paths)

    # --- what is shown ---

    def _show_view(self, state: ViewState) -> None:
        if state.volume is not None:
            self.grid.set_message("")
        self.messages.keep_about(self.host.root_id)
        shows = any(wish.volume_id for wish in self.host.desk.wishes)
        if shows != (self.center.currentWidget() is self.grid):
            self.center.setCurrentWidget(self.grid if shows else self.first_run)
            if shows:
                self.view.setFocus()
        self._refresh_soon()

    def _take_arrangement(self) -> None:
        self._show_view(self.host.seen)

    def _follow_active_view(self) -> None:
        playing = self.cine.is_playing
        for view in self.grid.views:
            view.is_playing = playing and view is self.view
        self.refresh_actions()

    def _follow_opening(self, _state: object = None) -> None:
        if not self.opener.is_waiting:
            self._wait.stop()
            self._waiting.hide()
        elif not self._wait.isActive() and self._waiting.isHidden():
            self._wait.start()

    def _show_waiting(self) -> None:
        """The old picture stays until the new one is there; a ring in its corner says that something is coming."""
        place = self.view.geometry() if self.view.parent() is self.grid else self.grid.rect()
        self._waiting.move(place.right() - self._waiting.width() - 21, place.top() + _BELOW_CORNER)
        self._waiting.raise_()
        self._waiting.setVisible(self.opener.is_waiting)

    def _show_end(self, reason: str) -> None:
        """Why what was being read is not shown: said in the view, in place of the picture."""
        self.grid.set_message(reason)
        if self.host.seen.volume is None:
            self.center.setCurrentWidget(self.grid)

    def _show_playing(self, playing: bool) -> None:
        self._follow_active_view()

    def _show_probe(self, probe: Probe | None) -> None:
        if probe is None:
            self.status.show_probe("")
            return
        plane, row, column = probe.index
        text = _("x {column}  y {row}  slice {plane}    {value}    {place}").format(
            column=column + 1, row=row + 1, plane=plane + 1, value=probe.lines.replace("\n", "  ·  "), place=probe.position_text
        )
        self.status.show_probe(f"{text}    {probe.segment}" if probe.segment else text)

    def _show_preview(self, pair: Any) -> None:
        for view in self.grid.views:
            view.set_preview(shown_preview(pair, view.state) if pair is not None else None)

    def _take_changes(self, changes: Changes) -> None:
        if changes.history or changes.sources:
            self._refresh_soon()

    def _take_document(self) -> None:
        self.grid.set_document()
        self.cine.stop()

    def _refresh_soon(self, _what: object = None) -> None:
        """Once for all that one event has changed: a result changes the view, what is seen of it, and the document."""
        self._refresh.start(0)

    def refresh_actions(self) -> None:
        """Enable, name and check the actions by what is open and shown."""
        self._refresh.stop()
        self.first_run.show_recent(self.browser.isHidden())
        show_availability(self)
        self._show_tool(self.tooling.name)
        volume = self.host.seen.volume
        title = volume.title or volume.identity.series_description if volume is not None else ""
        self.setWindowTitle(f"{title} – negatoscope" if title else "negatoscope")

    def _show_tool(self, name: str) -> None:
        for spec in self.actions_table.specs():
            if spec.id.startswith("tool."):
                self.actions_table[spec.id].setChecked(spec.id == f"tool.{name}")
        for view in self.grid.views:
            self._give_tool(view)

    def _give_tool(self, view: SliceView) -> None:
        if self.tooling.tool is not None:
            if view.tool is not self.tooling.tool:
                view.set_tool(self.tooling.tool, self.tooling)
        elif view.tool != self.tooling.name:
            view.set_tool(self.tooling.name)

    def _pick_tool(self, name: str) -> None:
        # A second click on a plugin's tool puts it away; a built-in one stays.
        self.tooling.pick("window" if name == self.tooling.name and name not in BUILT_IN else name)
        self._show_tool(self.tooling.name)

    # --- messages, jobs, dialogs ---

    def _show_notice(self, notice: Notice) -> None:
        links = list(notice.links)
        if notice.details:
            links.append((_("Details"), lambda: show_details(self, notice.text, notice.details)))
        self.messages.show_message(notice.kind, notice.text, links[:2], about=notice.about)

    def _report_fault(self, error: BaseException) -> None:
        self.host.say("err", _("A tool failed: {reason}").format(reason=error))
        self.tooling.pick("window")

    def _open_jobs(self) -> None:
        self.jobs.open_at(self.status.jobs, side="above")

    def open_export(self, tab: str) -> None:
        """The export dialog on a tab: screenshot, mask, measurements, recipe."""
        ExportDialog(self.panel_host, self.view, tab, self).open()

    def open_palette(self) -> None:
        Palette(self.actions_table, self).open()

    def show_results(self, shown: bool = True) -> None:
        """Open or close the results drawer."""
        self.results.setVisible(shown)
        if shown:
            height = self.vertical.height()
            self.vertical.setSizes([max(200, height - 174), 174])
        self.refresh_actions()

    def show_disagreements(self) -> None:
        """Open the results drawer on what the reader disagreed with."""
        self.show_results()
        self.results.show_disagreements()

    def show_operation(self, name: str) -> None:
        """Bring the form of an operation to the front."""
        menu = name.partition("/")[0].lower()
        panel = self.dock.show_panel(menu)
        choose = getattr(panel, "show_operation", None)
        if choose is not None:
            choose(name)

    # --- the window's own life ---

    @property
    def _parts(self) -> dict[str, QWidget]:
        """What can be hidden, and is remembered so."""
        return {"browser": self.browser, "dock": self.dock}

    def _restore(self) -> None:
        said = placing.restore(self, self.horizontal, self.host.settings, self._parts)
        if said:
            QTimer.singleShot(0, self, lambda: self.host.say("info", said))
        self.layout_commands.restore()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._has_painted:
            self._has_painted = True
            if self.center.currentWidget() is self.first_run:
                self.first_run.open_folder.setFocus(Qt.FocusReason.OtherFocusReason)
            # Workers and the descriptions of the operations come after the first picture: starting them takes the processors.
            self._warm_up.start(_WARM_AFTER_MS)

    def _start_workers(self) -> None:
        if self.opener.is_scanning or self.opener.is_loading:
            self._warm_up.start(_WARM_AGAIN_MS)
            return
        self.host.pool.warm()
        self.host.load_specs()

    def closeEvent(self, event: QCloseEvent) -> None:
        if event.spontaneous() and self.commands.has_work:
            event.ignore()
            self.commands.quit()
            return
        placing.remember(self, self.horizontal, self.host.settings, self._parts)
        self._warm_up.stop()
        self._ahead.stop()
        self.layout_commands.close_detached()
        self.cine.stop()
        self.host.close()
        event.accept()
