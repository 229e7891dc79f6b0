"""The Segment tab: tools and operations, the form of the one in hand, and the segments of the image in view."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from viewer.api import gettext as _
from viewer.api import mark
from viewer.api.panel import Changes, OperationPanel, PanelHost, SegmentList, ToolOptions, ViewState, controls, theme

BRUSH, ERASER, SEEDS = "Segment/Brush", "Segment/Eraser", "Segment/Seeds"
GROW = "Segment/Region growing"
TOOLS = {BRUSH: ("brush", mark("Brush")), ERASER: ("eraser", mark("Erase")), SEEDS: ("sprout", mark("Grow"))}
"""Mouse tools: icon and caption."""
OPERATIONS = {
    "Segment/Watershed": ("waves", mark("Watershed")),
    "Segment/Threshold": ("threshold", mark("Threshold")),
    "Segment/K-means": ("chart-column", mark("K-means")),
    "Segment/Islands": ("circle-dot", mark("Islands")),
    "Segment/Fill holes": ("paint-bucket", mark("Fill holes")),
}
"""Operations with a button of their own; the others are in the chooser."""


class SegmentTools(controls.ToolGroup):
    """Named buttons, four to a row: a mouse tool stays pressed while it is in hand, an operation opens its form."""

    def __init__(self, panel_host: PanelHost, parent: QWidget) -> None:
        self._panels = panel_host
        registry = panel_host.registry
        helps = {tool.name: tool.help for tool in registry.tools}
        known = {*helps, *(operation.name for operation in registry.operations)}
        self._by_name: dict[str, controls.ToolButton] = {}
        for name, (icon, caption) in {**TOOLS, **OPERATIONS}.items():
            if name in known:
                tip = f"{_(caption)}\n{_(helps[name])}" if name in helps else _("Open the form of {operation}").format(operation=_(caption))
                button = controls.ToolButton(icon, _(caption), kind="panel", checkable=name in helps, tooltip=tip, parent=parent)
                button.setAccessibleName(_(caption))
                button.setProperty("segmenting", name)
                self._by_name[name] = button
        super().__init__(list(self._by_name.values()), columns=4, name=_("Segmenting tools"), parent=parent)
        panel_host.tooling.tool_changed.connect(self._show_tool)
        self._show_tool(panel_host.tooling.name)

    def names(self) -> tuple[str, ...]:
        """Permanent names of the tools and operations that have a button."""
        return tuple(self._by_name)

    def button(self, name: str) -> controls.ToolButton:
        """The button of a tool or an operation by its permanent name."""
        return self._by_name[name]

    def pick(self, name: str) -> None:
        """Take a tool in hand; a second time puts it away."""
        tooling = self._panels.tooling
        tooling.pick("window" if tooling.name == name else name)
        self._show_tool(tooling.name)

    def _show_tool(self, in_hand: str) -> None:
        for name, button in self._by_name.items():
            button.setChecked(name == in_hand)


class SegmentPanel(controls.PanelPage):
    """What is in hand above, what it makes below; while a brush is in hand the segments come before the form of the operation."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Segment"))
        self._panels = panel_host
        self.palette_of_tools = SegmentTools(panel_host, self)
        self.buttons = {name: self.palette_of_tools.button(name) for name in self.palette_of_tools.names()}
        for button in self.buttons.values():
            button.clicked.connect(self._take_click)
        self.options = ToolOptions(panel_host, (BRUSH, ERASER), parent=self)
        self.operations = OperationPanel(panel_host, "Segment", parent=self)
        self.segments = SegmentList(panel_host, parent=self)
        for part in (self.palette_of_tools, self.options, self.operations, self.segments):
            self.add(part)
        self.body.addStretch(1)
        self.export = controls.Button(_("Export mask"), icon="download", parent=self)
        self.export.clicked.connect(self._export)
        self.add_to_foot(self.export)
        panel_host.tooling.tool_changed.connect(self._follow_tool)
        panel_host.host.view_changed.connect(self._show_view)
        panel_host.host.document_changed.connect(self._take_changes)
        panel_host.host.document_replaced.connect(self._show_image)
        self._follow_tool(panel_host.tooling.name)
        self._show_image()

    def show_operation(self, name: str) -> None:
        """Bring the form of an operation to the front and into sight."""
        self.operations.show_operation(name)
        self._show_order(is_form_first=True)
        self.scroll.ensureWidgetVisible(self.operations, 0, theme.sizes().margin)

    def _take_click(self) -> None:
        name = str(self.sender().property("segmenting"))
        if name in TOOLS:
            self.palette_of_tools.pick(name)
        else:
            self.show_operation(name)

    def _follow_tool(self, name: str) -> None:
        # Seeds are of no use without the form that grows from them.
        if name == SEEDS:
            self.operations.show_operation(GROW)
        self._show_order(is_form_first=name not in (BRUSH, ERASER))

    def _show_order(self, *, is_form_first: bool) -> None:
        first, second = (self.operations, self.segments) if is_form_first else (self.segments, self.operations)
        if self.body.indexOf(first) > self.body.indexOf(second):
            at = self.body.indexOf(second)
            self.body.removeWidget(first)
            self.body.insertWidget(at, first)
            QWidget.setTabOrder(first, second)

    def _show_view(self, state: ViewState) -> None:
        if (state.volume is not None) != self.segments.isVisibleTo(self):
            self._show_image()
        self._show_export()

    def _show_image(self) -> None:
        is_open = self._panels.state.volume is not None
        for part in (self.palette_of_tools, self.segments, self.foot()):
            part.setVisible(is_open)
        self._show_export()

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("layer") or changes.sources:
            self._show_export()

    def _show_export(self) -> None:
        layers = self._panels.document.layers_of(self._panels.root_id)
        theme.set_available(self.export, "" if any(layer.segments for layer in layers) else _("There are no segments to export."))

    def _export(self) -> None:
        self._panels.export("mask")


def build(panel_host: PanelHost) -> QWidget:
    """The panel, as the manifest names it."""
    return SegmentPanel(panel_host)
