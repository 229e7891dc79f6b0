"""What the actions of the menu Layout do: views, links, crosshair, slabs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from viewer.core.slab import MOST_MM, Slab, SlabMode
from viewer.core.words import gettext as _
from viewer.session.desk import ARRANGEMENTS
from viewer.session.linking import Links
from viewer.session.view import ViewState, why_no_mpr
from viewer.ui.detached import DetachedView
from viewer.ui.layout_popover import LayoutPopover
from viewer.ui.views.slice_view import SliceView

if TYPE_CHECKING:
    from viewer.ui.window import Window

LINKS = ("scroll", "cursor", "zoom", "pan", "window", "by_offset")
USUAL_SLAB_MM = 10.0
_STEP = 1.25
_SLABS: tuple[SlabMode, ...] = get_args(SlabMode)
_REMEMBERED = ("scroll", "cursor", "zoom", "pan", "window", "lines")
"""Links of the last time; which slices belong together by offset is no matter of taste."""


class LayoutCommands(QObject):
    """Handlers of the action table, bound by id; remembers the layout and the links."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._host = window, window.host
        self._detached: list[DetachedView] = []
        self.popover = LayoutPopover(window.host, window.actions_table, window)
        self._host.arranged.connect(self._remember)
        self._host.views_changed.connect(self._take_views)

    def handlers(self) -> dict[str, Any]:
        return {
            "layout.choose": self._choose,
            **{f"layout.{name}": (lambda name=name: self.arrange(name)) for name in ARRANGEMENTS},
            "layout.before_after": self._show_before_and_after,
            "layout.maximise": self._window.commands.toggle_maximised,
            "layout.detach": self.detach,
            "layout.straighten": self._host.straighten,
            "view.next_view": lambda: self._go(1),
            "view.previous_view": lambda: self._go(-1),
            "view.crosshair": lambda: self._set_link("lines"),
            **{f"link.{name}": (lambda name=name: self._set_link(name)) for name in LINKS},
            "slab.off": lambda: self._host.change_wish(slab=None),
            **{f"slab.{mode}": (lambda mode=mode: self.set_slab(mode)) for mode in _SLABS},
            "slab.thicker": lambda: self._thicken(_STEP),
            "slab.thinner": lambda: self._thicken(1 / _STEP),
        }

    # --- views ---

    def arrange(self, name: str) -> None:
        """Divide the middle of the window; planes of an image that has none are refused with the reason."""
        volume = self._host.state.volume
        if ARRANGEMENTS[name].planes and volume is not None and (reason := why_no_mpr(volume)):
            self._host.say("info", reason)
            self._window.refresh_actions()
            return
        if name != self._host.desk.arrangement.name:
            self._host.arrange(name)
        self._window.refresh_actions()

    def _show_before_and_after(self) -> None:
        """The original on the left, what was made of it on the right, both at one slice and place."""
        wish = replace(self._host.wish, show_original=False)
        if self._host.desk.arrangement.name != "1x2":
            self._host.arrange("1x2")
        self._host.ask(0, replace(wish, show_original=True))
        self._host.ask(1, wish)
        self._host.activate(1)

    def detach(self) -> DetachedView:
        """A further view in a window of its own, on another monitor where there is one."""
        cell = self._host.add_view()
        view = self._window.grid.add_outside(cell)
        made = self._detached_of(view)
        others = [screen for screen in QApplication.screens() if screen is not self._window.screen()]
        if others:
            made.setGeometry(others[0].availableGeometry())
            made.showMaximized()
        else:
            made.move(self._window.frameGeometry().center() - made.rect().center())
            made.show()
        self._host.activate(cell)
        view.setFocus()
        return made

    def _detached_of(self, view: SliceView) -> DetachedView:
        """A window of its own for a view, known here for as long as it is there."""
        made = DetachedView(self._window.grid, view, self._window.actions_table, self._window)
        self._detached.append(made)
        made.destroyed.connect(lambda: self._detached.remove(made) if made in self._detached else None)
        return made

    def take_over(self, before: LayoutCommands) -> None:
        """Windows of single views as the ones of another main window, in their places."""
        for old in before._detached:
            made = self._detached_of(self._window.grid.add_outside(old.view.number - 1))
            made.restoreGeometry(old.saveGeometry())
            made.setVisible(old.isVisible())
            old.hide()  # it goes with its own main window; closing it would take the view away

    def close_detached(self) -> None:
        """The main window closes."""
        for made in list(self._detached):
            made.close()

    def _take_views(self, _cells: object) -> None:
        is_turned = self._host.desk.is_turned
        if is_turned != self._window.actions_table["layout.straighten"].isEnabled():
            self._window.refresh_actions()
        for made in self._detached:
            made.show_title(made.view.state)

    def _go(self, sign: int) -> None:
        count = len(self._host.desk.wishes)
        self._host.activate((self._host.desk.active + sign) % count)
        view = self._window.view
        view.activateWindow()
        view.setFocus()

    def _choose(self) -> None:
        self.popover.open_at(self._window.top_bar.layout_button)

    # --- links ---

    def _set_link(self, name: str) -> None:
        links = self._host.desk.links
        self._host.set_links(replace(links, **{name: not getattr(links, name)}))
        if name == "by_offset" and self._host.desk.links.by_offset:
            self._host.say("info", _("Linked by offset: the slices that are shown now go together. Views without a common frame are marked."))
        self._window.refresh_actions()

    # --- slabs ---

    def set_slab(self, mode: SlabMode, mm: float | None = None) -> None:
        """Show a slab in the active view; the thickness stays what it was, or is 10 mm."""
        volume, now = self._host.state.volume, self._host.wish.slab
        if volume is not None and (reason := why_no_mpr(volume)):
            self._host.say("info", reason)
            self._window.refresh_actions()
            return
        self._host.change_wish(slab=Slab(mode, mm if mm is not None else now.mm if now is not None else USUAL_SLAB_MM))

    def _thicken(self, factor: float) -> None:
        now = self._host.wish.slab or Slab("mip", USUAL_SLAB_MM / factor)
        self.set_slab(now.mode, round(min(MOST_MM, max(0.5, now.mm * factor)), 1))

    # --- remembering ---

    def checked(self, state: ViewState) -> dict[str, bool]:
        """Which of the actions are in force."""
        desk, slab = self._host.desk, self._host.wish.slab if state.volume is not None else None
        mode = slab.mode if slab is not None else "off"
        return {
            **{f"layout.{name}": name == desk.arrangement.name for name in ARRANGEMENTS},
            "layout.maximise": self._window.grid.is_maximised,
            "view.crosshair": desk.links.lines,
            **{f"link.{name}": getattr(desk.links, name) for name in LINKS},
            **{f"slab.{name}": name == mode for name in ("off", *_SLABS)},
        }

    def _remember(self) -> None:
        desk, settings = self._host.desk, self._host.settings
        settings.set("layout", desk.arrangement.name)
        settings.set("links", [name for name in _REMEMBERED if getattr(desk.links, name)])

    def restore(self) -> None:
        """The layout and the links of the last time. A layout of planes begins as one view: there is no image yet."""
        settings = self._host.settings
        names, name = settings.get("links", None), settings.get("layout", "1x1")  # both first: setting one writes both
        if isinstance(names, list):
            self._host.set_links(replace(Links(), **{name: name in names for name in _REMEMBERED}))
        if name in ARRANGEMENTS and name != "1x1":
            QTimer.singleShot(0, self, lambda: self._host.arrange(name))
