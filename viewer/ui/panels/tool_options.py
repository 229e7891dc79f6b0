"""A form for the options of the tool in hand, read from the types of its dataclass as an operation's parameters are."""

from __future__ import annotations

import dataclasses
import typing
from functools import partial
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.core.operation import Help, Range
from viewer.core.words import gettext as _
from viewer.ui import theme
from viewer.ui.controls import Card, ChoiceRow, FormRow, NumberRow, SwitchRow
from viewer.ui.panel_host import PanelHost


class ToolOptions(QWidget):
    """Rows for the options of the tool in hand; nothing while it has none. ``tools``: those that it is for."""

    def __init__(self, panel_host: PanelHost, tools: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels, self._tools = panel_host, tools
        self._rows: dict[str, FormRow] = {}
        self._card: Card | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        panel_host.tooling.tool_changed.connect(self._show_tool)
        panel_host.host.active_changed.connect(self._take_image)
        self._show_tool(panel_host.tooling.name)

    def row(self, name: str) -> FormRow | None:
        """The row of an option."""
        return self._rows.get(name)

    def refresh(self) -> None:
        """Show the values as they are now (the wheel changes a brush's size)."""
        tool = self._panels.tooling.tool
        for name, row in self._rows.items():
            if tool is not None and hasattr(tool.options, name):
                row.set_value(getattr(tool.options, name))

    def _take_image(self, _root_id: str) -> None:
        # Lengths may be in another unit there.
        self._show_tool(self._panels.tooling.name)

    def _show_tool(self, name: str) -> None:
        if self._card is not None:
            self._column.removeWidget(self._card)
            self._card.hide()
            self._card.deleteLater()
            self._card = None
        self._rows.clear()
        tool, entry = self._panels.tooling.tool, self._panels.tooling.entry
        options = tool.options if tool is not None else None
        self.setVisible(name in self._tools and options is not None)
        if self.isHidden() or entry is None or options is None:
            return
        self._card = Card(_(entry.title), help=_(entry.help), parent=self)
        hints = typing.get_type_hints(type(options), include_extras=True)
        for option in dataclasses.fields(options):
            row = self._row(option.name, hints[option.name], option.default)
            row.set_value(getattr(options, option.name))
            row.value_changed.connect(partial(self._take, option.name))
            self._rows[option.name] = row
            self._card.add_row(row)
        self._column.addWidget(self._card)

    def _row(self, name: str, hint: Any, value: Any) -> FormRow:
        limits, note = Range(), Help("")
        if typing.get_origin(hint) is typing.Annotated:
            hint, *extras = typing.get_args(hint)
            limits = next((e for e in extras if isinstance(e, Range)), limits)
            note = next((e for e in extras if isinstance(e, Help)), note)
        label, tip = _(note.label or name.replace("_", " ").capitalize()), _(note.text)
        if typing.get_origin(hint) is typing.Literal:
            row: FormRow = ChoiceRow(label, [(o, _(str(o)).capitalize()) for o in typing.get_args(hint)], value, tooltip=tip, parent=self)
        elif hint is bool:
            row = SwitchRow(label, value, tooltip=tip, parent=self)
        else:
            volume = self._panels.state.volume
            unit = limits.unit
            if unit == "mm" and volume is not None:
                unit = volume.geometry.unit
            row = NumberRow(
                label, limits.low, limits.high, float(value), unit=unit, step=limits.step or 1.0, log=limits.log, tooltip=tip, parent=self
            )
        row.set_label_width(theme.sizes().label_column)
        return row

    def _take(self, name: str, value: Any) -> None:
        tool = self._panels.tooling.tool
        if tool is not None and hasattr(tool.options, name):
            setattr(tool.options, name, value)
