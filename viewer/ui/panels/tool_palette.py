"""A panel's mouse tools: named buttons, four to a row, that follow the tool in hand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.session.plugins import ToolEntry
from viewer.ui import theme
from viewer.ui.controls import Hint, ToolButton, ToolGroup
from viewer.ui.panel_host import PanelHost

_COLUMNS = 4


class ToolPalette(QWidget):
    """Buttons for the tools of a plugin, with the help of the one in hand under them.

    Parameters
    ----------
    panel_host : PanelHost
    names : sequence of str
        Permanent names of plugin tools, in the order to show them; names that no plugin brings are left out.
    """

    def __init__(self, panel_host: PanelHost, names: Sequence[str], *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        entries = {tool.name: tool for tool in panel_host.registry.tools}
        self._entries: list[ToolEntry] = [entries[n] for n in names if n in entries]
        self.buttons = [self._button(entry) for entry in self._entries]
        self.group = ToolGroup(self.buttons, columns=_COLUMNS, name=name or _("Tools"), parent=self)
        self.hint = Hint(parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.sizes().row_gap)
        column.addWidget(self.group)
        column.addWidget(self.hint)
        panel_host.tooling.tool_changed.connect(self._show_tool)
        panel_host.host.active_changed.connect(self._show_image)
        self._show_image(panel_host.root_id)
        self._show_tool(panel_host.tooling.name)

    def button(self, name: str) -> ToolButton:
        """The button of a tool by its permanent name."""
        return self.buttons[[entry.name for entry in self._entries].index(name)]

    def _button(self, entry: ToolEntry) -> ToolButton:
        actions = self._panels.actions
        if f"tool.{entry.name}" in actions:
            return ToolButton.of_action(actions[f"tool.{entry.name}"], kind="panel", parent=self)
        button = ToolButton(
            entry.icon or "circle-dot", _(entry.title), kind="panel", checkable=True, tooltip=f"{_(entry.title)}\n{_(entry.help)}", parent=self
        )
        button.setProperty("tool", entry.name)
        button.clicked.connect(self._pick)
        return button

    def _pick(self) -> None:
        name = self.sender().property("tool")
        tooling = self._panels.tooling
        # A second click puts the tool away.
        tooling.pick("window" if tooling.name == name else name)
        self._show_tool(tooling.name)

    def _show_tool(self, name: str) -> None:
        help_line = ""
        for entry, button in zip(self._entries, self.buttons, strict=True):
            if button.defaultAction() is None:
                button.setChecked(entry.name == name)
            if entry.name == name:
                help_line = _(entry.help)
        self.hint.setText(help_line)
        self.hint.setVisible(bool(help_line))

    def _show_image(self, root_id: str) -> None:
        for button in self.buttons:
            if button.defaultAction() is None:
                theme.set_available(button, "" if root_id else self._panels.host.why_closed)
