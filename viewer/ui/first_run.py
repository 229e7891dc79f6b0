"""What stands where the view will be while nothing is open: how to begin."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.controls import Button, DropZone, EmptyState
from viewer.ui.recents import RecentList, Recents

_ROOMY = 520
_RECENT_SHOWN, _RECENT_WIDTH = 5, 360


class FirstRun(QWidget):
    """The drop zone with its three buttons and the keys to know."""

    dropped = Signal(object)
    """tuple of paths (str)"""

    def __init__(self, actions: Actions, parent: QWidget | None = None, *, recents: Recents | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        theme.set_property(self, "role", "well")
        self.zone = DropZone(name=_("Drop a folder, a DICOM file or an image here."), parent=self)
        self.state = EmptyState(_("Open a study to begin"), _("Drop a folder, a DICOM file or an image here."), icon="images", parent=self)
        self.open_folder = Button(_("Open folder"), icon="folder-open", variant="primary", parent=self)
        self.open_file = Button(_("Open file"), parent=self)
        self.sample = Button(_("Try the sample study"), parent=self)
        for button, name in ((self.open_folder, "file.open_folder"), (self.open_file, "file.open_file"), (self.sample, "file.sample")):
            button.clicked.connect(actions[name].trigger)
            self.state.add_button(button)
        for name, meaning in (("file.open_folder", _("open")), ("help.palette", _("find a command")), ("help.keys", _("all keys"))):
            for key in actions.shown_keys(name)[-1:]:
                self.state.add_key(key, meaning)
        self.zone.body.addWidget(self.state)
        self.recent = RecentList(recents, shown=_RECENT_SHOWN, width=_RECENT_WIDTH, parent=self) if recents is not None else None
        if self.recent is not None:
            self.recent.hide()
            self.zone.body.addWidget(self.recent, 0, Qt.AlignmentFlag.AlignHCenter)
        self.zone.dropped.connect(self.dropped)
        self.zone.dragging_changed.connect(self._show_dragging)
        column = QVBoxLayout(self)
        column.addWidget(self.zone)

    def show_recent(self, wanted: bool) -> None:
        """List what was opened before, too: where the browser, which does so, is hidden."""
        if self.recent is not None:
            self.recent.setVisible(wanted and self.recent.fill() > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # In the narrowest window the three buttons want the room of the margins.
        gap = theme.sizes().section if event.size().width() >= _ROOMY else theme.sizes().margin
        for layout in (self.layout(), self.zone.body):
            if layout is not None:
                layout.setContentsMargins(gap, gap, gap, gap)
        super().resizeEvent(event)

    def _show_dragging(self, dragging: bool) -> None:
        self.state.set_text(_("Drop to open") if dragging else _("Open a study to begin"), _("Drop a folder, a DICOM file or an image here."))
