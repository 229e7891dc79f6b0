"""The top bar: menu, open, mouse tools, measuring tools, undo and redo, search, Classify and Export."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QWidget

from viewer.core.words import gettext as _
from viewer.ui import icons, theme
from viewer.ui.action_table import LANGUAGE, MENUS
from viewer.ui.actions import Actions
from viewer.ui.controls import Button, IconButton, ToolButton, ToolGroup, divider
from viewer.ui.recents import Recents

MOUSE_TOOLS = ("tool.window", "tool.pan", "tool.zoom", "tool.scroll", "tool.crosshair")


class TopBar(QFrame):
    """Follows the actions: what is disabled there is disabled here, with the same reason. Captions go when it is narrow."""

    def __init__(self, actions: Actions, measure_tools: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "topbar")
        self.setFixedHeight(theme.sizes().top_bar)
        self._actions = actions
        self.recents: Recents | None = None
        """What was opened before, for the File menu."""
        actions["file.open_folder"].setIconText(_("Open"))
        self.menu_button = ToolButton("menu", _("Menu"), tooltip=_("All commands"), parent=self)
        self.menu_button.clicked.connect(self._open_menu)
        self.open_button = ToolButton.of_action(actions["file.open_folder"], kind="bar")
        mouse = [ToolButton.of_action(actions[name], kind="bar") for name in MOUSE_TOOLS]
        measure = [ToolButton.of_action(actions[name], kind="bar") for name in measure_tools]
        self.undo_button, self.redo_button = (ToolButton.of_action(actions[name], kind="bar") for name in ("edit.undo", "edit.redo"))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 12, 2)
        row.setSpacing(4)
        row.addWidget(self.menu_button)
        row.addWidget(self.open_button)
        row.addSpacing(6)
        row.addWidget(self._divider())
        row.addSpacing(6)
        row.addWidget(ToolGroup(mouse, name=_("Mouse tools")))
        row.addSpacing(6)
        row.addWidget(self._divider())
        row.addSpacing(6)
        row.addWidget(ToolGroup(measure, name=_("Measuring tools")))
        row.addSpacing(6)
        row.addWidget(self._divider())
        row.addSpacing(6)
        self.layout_button = ToolButton.of_action(actions["layout.choose"], kind="bar")
        row.addWidget(self.layout_button)
        row.addWidget(self.undo_button)
        row.addWidget(self.redo_button)
        row.addStretch(1)
        self.search_button = IconButton("search", _("Find a command"), size=20, side=32, parent=self)
        actions.name_button(self.search_button, "help.palette", _("Find a command"))
        self.search_button.clicked.connect(actions["help.palette"].trigger)
        self.classify_button = Button(_("Classify"), icon="scan-search", variant="tint", parent=self)
        self.export_button = Button(_("Export"), icon="download", parent=self)
        for bound, name in ((self.classify_button, "analysis.classify"), (self.export_button, "file.export")):
            bound.setFixedHeight(34)
            action = actions[name]
            bound.clicked.connect(action.trigger)
            action.changed.connect(self._follow)
        row.addWidget(self.search_button)
        row.addSpacing(4)
        row.addWidget(self.classify_button)
        row.addSpacing(4)
        row.addWidget(self.export_button)
        self._tools = [self.menu_button, self.open_button, *mouse, *measure]
        self._short = [self.layout_button, self.undo_button, self.redo_button]
        self._follow()

    def _divider(self) -> QWidget:
        line = divider(self, vertical=True)
        line.setFixedHeight(theme.sizes().field_height)
        return line

    def build_menu(self) -> QMenu:
        """The whole menu, made from the table: no key without a menu item."""
        menu = QMenu(self)
        for title in MENUS:
            part = menu.addMenu(_(title))
            part.setToolTipsVisible(True)
            languages: QMenu | None = None
            for spec in self._actions.specs():
                if spec.menu == title and spec.id.startswith("language."):
                    languages = languages or part.addMenu(_(LANGUAGE))
                    languages.addAction(self._actions[spec.id])
                elif spec.menu == title:
                    action = self._actions[spec.id]
                    action.setText(self._actions.menu_title(spec) if spec.id not in ("edit.undo", "edit.redo") else action.text())
                    icons.keep_promise(action)
                    part.addAction(action)
                    if spec.id == "file.open_file" and self.recents is not None:
                        part.addMenu(self.recents.build_menu(part))
        return menu

    def _open_menu(self) -> None:
        if self.recents is not None:
            self.recents.check()
        menu = self.build_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.menu_button.mapToGlobal(QPoint(0, self.menu_button.height())))

    def _follow(self) -> None:
        for button, name in ((self.classify_button, "analysis.classify"), (self.export_button, "file.export")):
            action = self._actions[name]
            button.setEnabled(action.isEnabled())
            button.setToolTip(action.toolTip())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide, middle = self.width() >= 1240, self.width() >= 1100
        for button in self._short:
            button.set_caption_shown(wide)
        for button in self._tools:
            button.set_caption_shown(middle)
        self.setFixedHeight(theme.sizes().top_bar if middle else theme.sizes().top_bar_small)


def set_action_icon(actions: Actions, action_id: str, name: str) -> None:
    """Give an action another icon (Play becomes Pause)."""
    action = actions[action_id]
    if action.property("iconName") != name or action.icon().isNull():  # telling everyone of the same one again takes longer than asking
        icons.set_icon(action, name, size=16)
