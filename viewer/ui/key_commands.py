"""What the actions do that are reached by keys first: rename, accept a preview, walk through series and studies, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from viewer.ui.panels.measurement_list import MeasurementList
from viewer.ui.panels.operation_panel import OperationPanel
from viewer.ui.panels.segment_list import SegmentList
from viewer.ui.preferences import Preferences

if TYPE_CHECKING:
    from viewer.ui.window import Window


class KeyCommands(QObject):
    """Handlers of the action table, bound by id."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._has_preview = False
        self.preferences = Preferences(window)
        window.host.preview_changed.connect(self._follow_preview)
        window.tooling.segment_changed.connect(self._refresh)
        window.tooling.selected_changed.connect(self._refresh)

    def handlers(self) -> dict[str, Any]:
        return {
            "edit.rename": self._rename,
            "edit.settings": self._open_settings,
            "segment.add": self._add_segment,
            "preview.accept": self._accept,
            "view.first_series": lambda: self._show_series(0),
            "view.last_series": lambda: self._show_series(-1),
            "view.previous_study": lambda: self._next_study(-1),
            "view.next_study": lambda: self._next_study(1),
            "help.keys": self._open_sheet,
        }

    def facts(self) -> set[str]:
        """The needs of actions that are met, of those that are known here."""
        tooling = self._window.tooling
        found = {"named"} if tooling.selected_id or tooling.active is not None else set()
        return found | ({"preview"} if self._has_preview else set())

    def _follow_preview(self, pair: object) -> None:
        self._has_preview = pair is not None
        self._refresh()

    def _refresh(self, _what: object = None) -> None:
        self._window.refresh_actions()

    # Imported when they are asked for: a window starts without them.

    def _open_settings(self) -> None:
        from viewer.ui.dialogs.settings import open_settings

        open_settings(self._window)

    def _open_sheet(self) -> None:
        from viewer.ui.dialogs.keys import KeySheet

        KeySheet(self._window.keyboard, self._window).open()

    def _rename(self) -> None:
        tooling, dock = self._window.tooling, self._window.dock
        if tooling.selected_id:
            panel = dock.show_panel("measure")
            found = panel.findChild(MeasurementList) if panel is not None else None
            if found is not None:
                found.rename_selected()
        elif tooling.active is not None:
            panel = dock.show_panel("segment")
            segments = panel.findChild(SegmentList) if panel is not None else None
            row = segments.row_of(tooling.active) if segments is not None else None
            if row is not None:
                row.rename()

    def _add_segment(self) -> None:
        with self._window.host.reporting():
            self._window.tooling.add_segment()

    def _accept(self) -> None:
        panel = self._window.dock.panel(self._window.dock.current_name)
        for form in panel.findChildren(OperationPanel) if panel is not None else ():
            if form.isVisible() and form.apply_button.isEnabled():
                form.apply()
                return

    def _show_series(self, at: int) -> None:
        listed = self._window.commands.listed_images()
        if listed and listed[at] != self._window.opener.current_id:
            self._window.opener.show(listed[at])

    def _next_study(self, sign: int) -> None:
        """The first series of the study before or after the one shown, as they stand in the list."""
        images = set(self._window.commands.listed_images())
        groups = [[name for name in group if name in images] for group in self._window.browser.listed_studies()]
        groups = [group for group in groups if group]
        now = next((n for n, group in enumerate(groups) if self._window.opener.current_id in group), -1)
        if now >= 0 and 0 <= now + sign < len(groups):
            self._window.opener.show(groups[now + sign][0])
