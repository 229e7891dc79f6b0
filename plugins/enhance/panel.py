"""The Enhance tab: one form for all enhancements, and what was applied to the series."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from viewer.api import gettext as _
from viewer.api.panel import OperationPanel, PanelHost, controls


class EnhancePanel(controls.PanelPage):
    """The operation panel for the menu Enhance."""

    def __init__(self, panel_host: PanelHost) -> None:
        super().__init__(name=_("Enhance"))
        self.operations = OperationPanel(panel_host, "Enhance", parent=self)
        self.add(self.operations)
        self.body.addStretch(1)

    def show_operation(self, name: str) -> None:
        """Bring the form of an operation to the front."""
        self.operations.show_operation(name)


def build(panel_host: PanelHost) -> QWidget:
    """The panel, as the manifest names it."""
    return EnhancePanel(panel_host)
