"""The panel in front is built after the first picture, and at once for whoever asks for it; every command in a menu has its icon."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QMenu

from tests.ui.window_samples import PATIENCE_MS
from viewer.ui.dock import Dock
from viewer.ui.icons import icon_names
from viewer.ui.panel_host import PanelHost
from viewer.ui.panels.history_panel import build_history
from viewer.ui.window import Window


def made(panels: PanelHost, window: Window, qtbot: Any) -> Dock:
    dock = Dock(panels, build_history, window)
    qtbot.addWidget(dock)
    return dock


def test_the_panel_in_front_is_built_by_itself_soon(window: Window, qtbot: Any) -> None:
    dock = made(window.panel_host, window, qtbot)
    assert dock._built == {}
    qtbot.waitUntil(lambda: bool(dock._built), timeout=PATIENCE_MS)
    assert dock.stack.currentWidget() is dock.panel(dock.current_name)


def test_it_is_built_at_once_for_whoever_asks(window: Window, qtbot: Any) -> None:
    dock = made(window.panel_host, window, qtbot)
    assert dock.panel(dock.current_name) is dock.stack.currentWidget() is not None
    assert dock.panel("history") is None and dock.show_panel("history") is not None


def test_every_command_in_the_menus_has_its_icon(window: Window) -> None:
    table = window.actions_table
    named = {spec.id for spec in table.specs() if spec.icon in icon_names() and not spec.id.startswith("language.")}
    menu = window.top_bar.build_menu()
    listed = [action for part in menu.findChildren(QMenu) for action in part.actions() if action.objectName() in named]
    assert listed and [action.objectName() for action in listed if action.icon().isNull()] == []
    menu.deleteLater()
