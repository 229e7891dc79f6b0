"""What the fusion actions do, when they can, and which of them are on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from PySide6.QtWidgets import QWidget

from viewer.session.fusion import Mode
from viewer.ui.fusing import Fusing
from viewer.ui.fusion_bar import FusionBar

if TYPE_CHECKING:
    from viewer.ui.window import Window


class FusionCommands:
    """The window's part of fusion: the one who acts, the bar, the handlers of the action table."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.fusing = window.panel_host.fusing = window.attaching.fusing = Fusing(window.host, window.opener, window.tooling, window)

    def bar(self, parent: QWidget) -> FusionBar:
        """The bar under the view bar."""
        return FusionBar(self._window.host, self.fusing, self._window.actions_table, parent)

    def handlers(self) -> dict[str, Any]:
        fusing = self.fusing
        return {
            "fusion.lay_over": fusing.choose,
            "fusion.show": fusing.toggle_shown,
            **{f"fusion.{mode}": partial(fusing.set_mode, mode) for mode in get_args(Mode)},
            "fusion.by_hand": fusing.place_by_hand,
            "fusion.align": fusing.align,
            "fusion.as_files_say": fusing.remove_alignment,
            "fusion.exchange": fusing.exchange,
            "fusion.remove": fusing.remove,
            "view.overlays": self._toggle_overlays,
        }

    def facts(self) -> set[str]:
        """What is there: something laid over the image, something that is aligned with it."""
        shown = self.fusing.shown
        found = {"fusion"} if shown is not None else set()
        if shown is not None and shown.link is not None and shown.link.alignment is not None:
            found.add("aligned")
        return found

    def checked(self) -> dict[str, bool]:
        shown = self.fusing.shown
        return {
            "fusion.show": shown is not None and shown.wish.is_shown,
            **{f"fusion.{mode}": shown is not None and shown.mode == mode for mode in get_args(Mode)},
        }

    def _toggle_overlays(self) -> None:
        """Whatever lies over the image, off and on again together."""
        host, shown = self._window.host, self.fusing.shown
        if shown is None:
            host.change_wish(show_overlays=not host.wish.show_overlays)
            return
        is_on = not (shown.wish.is_shown or (host.wish.show_overlays and bool(host.state.maps)))
        host.change_wish(show_overlays=is_on)
        self.fusing.change(is_shown=is_on)
