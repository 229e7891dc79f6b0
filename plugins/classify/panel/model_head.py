"""The head of the Classify tab: which model is asked, what its card says, and asking again."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.api import gettext as _
from viewer.api.models import ModelCard
from viewer.api.panel import PanelHost, controls, theme


class ModelHead(QWidget):
    """A chooser of models with two buttons. What is chosen by hand holds for all images of that kind, until the program ends."""

    again_wanted = Signal()
    chosen = Signal()

    def __init__(self, panel_host: PanelHost, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.sizes().tight)
        self.models = controls.Combo(name=_("Model"), parent=self)
        self.models.activated.connect(self._choose)
        self.info = controls.IconButton("info", _("About this model"), parent=self)
        self.info.clicked.connect(self._show_card)
        self.again = controls.IconButton("refresh-cw", _("Classify again"), parent=self)
        self.again.clicked.connect(self.again_wanted)
        row.addWidget(self.models, 1)
        row.addWidget(self.info)
        row.addWidget(self.again)

    @property
    def model(self) -> ModelCard | None:
        """The chosen model: by hand, else the best for the image in view, else the first."""
        volume, shelf = self._panels.state.volume, self._panels.host.models
        chosen = shelf.model_for(volume) if volume is not None else None
        return chosen or next(iter(shelf.offered), None)

    def fill(self) -> None:
        """Read anew which models there are."""
        self.models.clear()
        for card in self._panels.host.models.offered:
            self.models.addItem(f"{_(card.title)} {card.version}", card.name)

    def follow(self, *, is_running: bool, has_report: bool, why_not: str) -> None:
        """Stand at the chosen model."""
        model = self.model
        at = self.models.findData(model.name) if model is not None else -1
        if at != self.models.currentIndex():
            self.models.setCurrentIndex(at)
        theme.set_available(self.models)
        self.models.setToolTip(theme.plain_tip(self.models.currentText()) if model is not None else "")
        theme.set_available(self.models, _("It is running. Cancel stops it.") if is_running else "")
        self.again.setVisible(has_report)
        theme.set_available(self.again, why_not)

    def _choose(self, index: int) -> None:
        volume = self._panels.state.volume
        if volume is not None:
            self._panels.host.models.choose(volume, str(self.models.itemData(index)))
            self.chosen.emit()

    def _show_card(self) -> None:
        model = self.model
        if model is not None:
            self._panels.show_card(model)
