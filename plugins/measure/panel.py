"""The Measure tab: tools, the measurements of the image and their numbers, operations that measure, and maps."""

from __future__ import annotations

from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from viewer.api import gettext as _
from viewer.api.panel import (
    Changes,
    KeyImageList,
    MapList,
    MeasurementForm,
    MeasurementList,
    OperationPanel,
    PanelHost,
    ToolPalette,
    ViewState,
    controls,
    theme,
)

TOOLS = ("Measure/Distance", "Measure/Ellipse")


class MeasurePanel(controls.PanelPage):
    """What is measured on the image in view; the foot leads to the whole table and to a file."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Measure"))
        self._panels = panel_host
        self.hand = QWidget(self)
        column = QVBoxLayout(self.hand)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.sizes().margin)
        self.palette_of_tools = ToolPalette(panel_host, TOOLS, name=_("Measuring tools"), parent=self.hand)
        self.uncalibrated = controls.NoteBox("warn", parent=self.hand)
        self.measurements = MeasurementList(panel_host, parent=self.hand)
        self.places = MeasurementForm(panel_host, parent=self.hand)
        self.key_images = KeyImageList(panel_host, parent=self.hand)
        for part in (self.palette_of_tools, self.uncalibrated, self.measurements, self.places, self.key_images):
            column.addWidget(part)
        self.add(self.hand)
        self.operations = OperationPanel(panel_host, "Measure", parent=self)
        self.add(self.operations)
        self.maps = MapList(panel_host, parent=self)
        self.add(self.maps)
        self.body.addStretch(1)
        self.open_table = controls.Button(_("Open table"), icon="table-2", parent=self)
        self.open_table.clicked.connect(self._open_table)
        self.export = controls.Button(_("Export CSV"), icon="download", parent=self)
        self.export.clicked.connect(self._export)
        self.add_to_foot(self.open_table, self.export)
        host = panel_host.host
        host.view_changed.connect(self._show_view)
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._show_foot)
        host.active_changed.connect(self._take_image)
        self._show_view(panel_host.state)
        self._show_foot()

    def show_operation(self, name: str) -> None:
        """Bring the form of an operation to the front and into sight."""
        self.operations.show_operation(name)
        area = self.findChild(QScrollArea)
        if area is not None:
            area.ensureWidgetVisible(self.operations.card)

    def _show_view(self, state: ViewState) -> None:
        is_open = state.volume is not None
        self.hand.setVisible(is_open)
        self.foot().setVisible(is_open)
        is_calibrated = state.volume is None or state.volume.geometry.in_plane_known
        self.uncalibrated.show_note("warn", "" if is_calibrated else _("No pixel size in this image. Lengths are in px."))

    def _show_foot(self) -> None:
        """A table is opened or saved once there is something in it: what was drawn, or what an operation found."""
        document, root_id = self._panels.document, self._panels.root_id
        has_rows = bool(root_id) and bool(document.annotations_of(root_id) or document.tables_of(root_id))
        for button in (self.open_table, self.export):
            theme.set_available(button, "" if has_rows else _("There are no measurements on this image yet."))

    def _take_changes(self, changes: Changes) -> None:
        if changes.touches("annotation", "table") or changes.sources:
            self._show_foot()

    def _take_image(self, _root_id: str) -> None:
        self._show_foot()

    def _open_table(self) -> None:
        self._panels.show_results()

    def _export(self) -> None:
        self._panels.export("measurements")


def build(panel_host: PanelHost) -> QWidget:
    """The panel, as the manifest names it."""
    return MeasurePanel(panel_host)
