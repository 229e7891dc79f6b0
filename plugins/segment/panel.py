"""The Segment tab: tools, the form of an operation, and the segments of the image in view."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from viewer.api import gettext as _
from viewer.api.panel import OperationPanel, PanelHost, SegmentList, ToolOptions, ViewState, controls, icons

BRUSH, ERASER, SEEDS = "Segment/Brush", "Segment/Eraser", "Segment/Seeds"
GROW, WATERSHED = "Segment/Region growing", "Segment/Watershed"
OPERATIONS = {
    WATERSHED: "waves",
    "Segment/Threshold": "threshold",
    "Segment/K-means": "chart-column",
    "Segment/Islands": "scissors",
    "Segment/Fill holes": "paint-bucket",
}
"""Operations with a button of their own, and its icon; the others are in the chooser."""


class SegmentPanel(controls.PanelPage):
    """Tools and operations are one grid of named buttons; what they make is in the list below."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Segment"))
        self._panels = panel_host
        actions = panel_host.actions
        for name, icon in OPERATIONS.items():
            icons.set_icon(actions[f"operation.{name}"], icon)
        names = [f"tool.{n}" for n in (BRUSH, ERASER, SEEDS)] + [f"operation.{n}" for n in OPERATIONS]
        self.buttons = {name.partition(".")[2]: controls.ToolButton.of_action(actions[name], kind="panel", parent=self) for name in names}
        self.tools = controls.ToolGroup(list(self.buttons.values()), columns=4, name=_("Segmenting tools"), parent=self)
        self.options = ToolOptions(panel_host, (BRUSH, ERASER), parent=self)
        self.operations = OperationPanel(panel_host, "Segment", parent=self)
        self.segments = SegmentList(panel_host, parent=self)
        for part in (self.tools, self.options, self.operations, self.segments):
            self.add(part)
        self.body.addStretch(1)
        self.export = controls.Button(_("Export mask"), icon="download", parent=self)
        self.export.clicked.connect(lambda: panel_host.export("mask"))
        self.add_to_foot(self.export)
        panel_host.tooling.tool_changed.connect(self._follow_tool)
        panel_host.host.view_changed.connect(self._show_view)
        self._show_view(panel_host.state)

    def show_operation(self, name: str) -> None:
        """Bring the form of an operation to the front; a brush is put away for it."""
        if self._panels.tooling.name in (BRUSH, ERASER):
            self._panels.tooling.pick("window")
        self.operations.show_operation(name)
        self.scroll.ensureWidgetVisible(self.operations)

    def _follow_tool(self, name: str) -> None:
        # Seeds are of no use without the form that grows from them, and a form is in the way while a brush is in hand.
        if name == SEEDS:
            self.operations.show_operation(GROW)
        self.operations.setVisible(name not in (BRUSH, ERASER))

    def _show_view(self, state: ViewState) -> None:
        is_open = state.volume is not None
        for part in (self.tools, self.segments, self.foot()):
            part.setVisible(is_open)


def build(panel_host: PanelHost) -> QWidget:
    """The panel, as the manifest names it."""
    return SegmentPanel(panel_host)
