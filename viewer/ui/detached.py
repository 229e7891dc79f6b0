"""A view in a window of its own: for a second monitor."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.session.view import ViewState
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.view_grid import ViewGrid
from viewer.ui.views.slice_view import SliceView


class DetachedView(QWidget):
    """Belongs to the main window and closes with it; keys mean here what they mean there."""

    def __init__(self, grid: ViewGrid, view: SliceView, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._grid, self.view = grid, view
        theme.set_property(self, "role", "window")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(view)
        for spec in actions.specs():
            self.addAction(actions[spec.id])
        self.resize(720, 720)
        self.show_title(view.state)

    def show_title(self, state: ViewState) -> None:
        """Name the window after what it shows."""
        title = state.volume.title or state.volume.identity.series_description if state.volume is not None else ""
        number = self.view.number
        self.setWindowTitle(
            _("{series} – view {number} – negatoscope").format(series=title, number=number)
            if title
            else _("View {number} – negatoscope").format(number=number)
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        self._grid.remove_outside(self.view)
        super().closeEvent(event)
