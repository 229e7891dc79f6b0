"""What the actions of windowing do, where a command of the view is not enough: the histogram, the colour maps, the user's own presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from viewer.session.view import ViewState

if TYPE_CHECKING:
    from viewer.ui.window import Window

_FUNCTIONS = {"LINEAR": "window.linear", "LINEAR_EXACT": "window.linear_exact", "SIGMOID": "window.sigmoid"}


class WindowingCommands(QObject):
    """Handlers of the action table, bound by id."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window

    def handlers(self) -> dict[str, Any]:
        return {
            "window.histogram": self._toggle_histogram,
            "window.color_map": lambda: self._window.view_bar.open_colors(),
            "window.save_preset": lambda: self._window.view_bar.open_presets(),
        }

    @staticmethod
    def facts(state: ViewState) -> set[str]:
        """The needs that are met."""
        return {"grey"} if state.volume is not None and not state.volume.is_color else set()

    def checked(self, state: ViewState) -> dict[str, bool]:
        """Which of the actions are in force."""
        now = state.window.function if state.display is not None and not (state.volume is not None and state.volume.is_color) else ""
        return {
            **{action_id: function == now for function, action_id in _FUNCTIONS.items()},
            "window.color_bar": self._window.host.wish.show_color_bar,
            "window.histogram": self._window.histogram.isVisibleTo(self._window),
        }

    def _toggle_histogram(self) -> None:
        bar = self._window.histogram
        bar.setVisible(not bar.isVisibleTo(self._window))
        self._window.refresh_actions()
