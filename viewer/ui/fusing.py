"""What the user does with a second image over the first: lays it over, windows it, brings it into place, takes it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from viewer.core.alignment import SAME_PLACE, Method, chained, degrees_of, distance_of, inverse, moved
from viewer.core.errors import Refused
from viewer.core.registration import Registration
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.core.words import gettext as _
from viewer.draw.fusion import forget_planes
from viewer.io.gate import harmless
from viewer.io.series import SeriesEntry
from viewer.session.aligning import alignment_step, first_place, middle, register, removal_step, why_no_registration
from viewer.session.fusion import FusionWish, Mode, ShownFusion, is_other_patient, link_of, named, why_never
from viewer.session.history import Step
from viewer.ui import theme
from viewer.ui.host import Host
from viewer.ui.menu_text import menu_text
from viewer.ui.nudge_tool import NAME as NUDGE
from viewer.ui.nudge_tool import Nudge
from viewer.ui.opening import Opener
from viewer.ui.segment_objects import WhenRead
from viewer.ui.tooling import Tooling

_LONGEST = 48


class Fusing(QObject):
    """Acts on the active view, as bars and keys do."""

    aligning_changed = Signal(int)
    """Thousandths of a registration that is going on; -1 for none."""

    def __init__(self, host: Host, opener: Opener, tooling: Tooling, window: QWidget) -> None:
        super().__init__(window)
        self._host, self._opener, self._tooling, self._window = host, opener, tooling, window
        self._task = ""
        tool = tooling.own(NUDGE)
        assert isinstance(tool, Nudge)
        tool.show, tool.keep, tool.why_not = self._hold, self.nudge, self.why_no_nudge
        host.work.changed.connect(self._follow_work)
        host.document_replaced.connect(self._forget)
        host.seen_changed.connect(self._put_tool_away)

    # --- laying over ---

    @property
    def shown(self) -> ShownFusion | None:
        """What lies over the image in the active view."""
        return self._host.state.fusion if self._host.state.volume is not None else None

    def why_not(self, entry: SeriesEntry) -> str:
        """Why a listed series cannot be laid over the shown image, as far as its header says; "" if nothing speaks against it."""
        if self._host.why_closed:
            return self._host.why_closed
        if entry.kind == "other" or entry.geometry is None:
            return _("This is no image.")
        if self._opener.shown_id == entry.id:
            return _("It is the image itself.")
        if entry.is_color:
            return _("It is a colour image; what lies over another image has one value in each voxel.")
        return ""

    def lay_entry(self, entry: SeriesEntry) -> None:
        """Lay a listed series over the shown image; it is read beside it if need be."""
        reason = self.why_not(entry)
        if reason:
            self._host.say("warn", _("{name} cannot be laid over the image. {reason}").format(name=harmless(entry.title), reason=reason))
            return
        row, root = self._opener.row(entry.id), self._host.root_id
        if row is not None and row.root_id:
            self.lay(row.root_id)
        elif row is not None:
            WhenRead(self._opener, entry.id, lambda root_id: self.lay(root_id) if self._host.root_id == root else None)
            self._opener.read(entry.id)

    def lay(self, moving_id: str) -> None:
        """Lay an opened volume over the shown one. Why it cannot be drawn stands in the view and in the bar, with what can be done."""
        host = self._host
        if not host.root_id or moving_id == host.root_id:
            return
        host.change_wish(fusion=FusionWish(moving_id))
        pair = self._pair()
        if pair is not None and is_other_patient(*pair):
            host.say("warn", _("{name} names another patient than the image that it lies over.").format(name=named(pair[1])))

    def choose(self, place: QPoint | None = None) -> None:
        """Ask which of the listed series is to lie over the shown image."""
        menu = self.build_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        pointer = QCursor.pos()
        middle = self._window.mapToGlobal(self._window.rect().center())
        menu.popup(place if place is not None else pointer if self._window.frameGeometry().contains(pointer) else middle)

    def build_menu(self) -> QMenu:
        """The listed images, each with the reason where it cannot lie over the shown one."""
        menu = QMenu(self._window)
        menu.setToolTipsVisible(True)
        menu.setAccessibleName(_("Fuse with the shown image"))
        entries = [row.entry for row in self._opener.rows() if row.entry.kind != "other" and row.entry.id != self._opener.shown_id]
        for entry in entries:
            action = menu.addAction(menu_text(harmless(entry.title), _LONGEST))
            action.triggered.connect(partial(self.lay_entry, entry))
            theme.set_available(action, self.why_not(entry))
        if not entries:
            theme.set_available(menu.addAction(_("No other series is listed")), _("Open a second series first; it is listed with the studies."))
        return menu

    def remove(self) -> None:
        """Take the second image off; how the two are aligned stays known."""
        if self._tooling.name == NUDGE:
            self._tooling.pick("window")
        self._host.change_wish(fusion=None)

    def exchange(self) -> None:
        """Show the second image with the first over it."""
        shown, pair = self.shown, self._pair()
        if shown is None or pair is None:
            return
        fixed, moving = pair
        wish = FusionWish(fixed.root_id, shown.mode, opacity=shown.opacity, curtain=shown.curtain)
        self._host.show_volume(moving.root_id)
        if self._host.root_id == moving.root_id:
            self._host.change_wish(fusion=wish)

    # --- its look ---

    def change(self, **changes: Any) -> None:
        """Other fields of :class:`FusionWish`."""
        wish = self._host.wish.fusion
        if wish is not None:
            self._host.change_wish(fusion=replace(wish, **changes))

    def set_window(self, width: float, level: float) -> None:
        """Another window of the second image, or of the difference, in the unit in which it is told."""
        shown = self.shown
        if shown is None or not width > 0:
            return
        factor = shown.scale[0]
        window = Window(level / factor, width / factor, "LINEAR_EXACT")
        if shown.mode == "difference":
            self.change(difference=window)
        else:
            self.change(window=window, window_unit=shown.unit, is_auto=False)

    def set_mode(self, mode: Mode) -> None:
        self.change(mode=mode, is_shown=True)

    def toggle_shown(self) -> None:
        """Show the first alone, or both again."""
        wish = self._host.wish.fusion
        if wish is not None:
            self.change(is_shown=not wish.is_shown)

    # --- its place ---

    def why_no_nudge(self) -> str:
        """Why there is nothing to be moved, in a sentence."""
        shown, pair = self.shown, self._pair()
        if shown is None or pair is None:
            return _("Fuse this image with a second one first.")
        reason = why_never(*pair)
        if reason:
            return reason
        return "" if shown.link is not None else _("Place the second image by hand first.")

    def why_no_place(self) -> str:
        """Why the two can never lie over each other, or need not be placed; "" where placing one by hand is what there is to do."""
        pair, shown = self._pair(), self.shown
        if pair is None or shown is None:
            return _("Fuse this image with a second one first.")
        return why_never(*pair) or ("" if shown.link is None else _("The second image has its place."))

    def why_no_alignment(self) -> str:
        """Why the two cannot be aligned by computation, in a sentence; "" where they can."""
        pair = self._pair()
        if pair is None:
            return _("Fuse this image with a second one first.")
        return _("They are being aligned.") if self._task else why_no_registration(*pair)

    def place_by_hand(self) -> None:
        """Put the second image where its file says, or middle on middle, and take the tool in hand that moves it."""
        pair = self._pair()
        if pair is None:
            return
        reason = why_never(*pair)
        if reason:
            self._host.say("warn", reason)
            return
        if link_of(self._host.document, *pair) is None:
            start = first_place(*pair)
            self._commit(alignment_step(self._host.document, *pair, start, "positions" if start == SAME_PLACE else "hand"))
        self._tooling.pick(NUDGE)

    def nudge(self, move: tuple[float, ...]) -> None:
        """Move the second image by hand, on top of where it is; one step."""
        pair = self._pair()
        link = link_of(self._host.document, *pair) if pair is not None else None
        if pair is not None and link is not None:
            self.place(chained(link.matrix, move))

    def place(self, matrix: tuple[float, ...], method: Method = "hand") -> None:
        """Put the second image somewhere; one step, none where it is there already."""
        pair = self._pair()
        if pair is None:
            return
        link = link_of(self._host.document, *pair)
        if link is None or max(abs(a - b) for a, b in zip(link.matrix, matrix, strict=True)) > 1e-9:
            self._commit(alignment_step(self._host.document, *pair, matrix, method))

    def remove_alignment(self) -> None:
        """Back to what the files say; one step."""
        pair = self._pair()
        step = removal_step(self._host.document, *pair) if pair is not None else None
        if step is not None:
            self._commit(step)

    def align(self) -> None:
        """Find by computation where the second image lies in the first; runs beside the window, one step."""
        host, pair = self._host, self._pair()
        reason = self.why_no_alignment()
        if reason or pair is None:
            host.say("warn", reason)
            return
        fixed, moving = pair
        document, shown = host.document, self.shown
        phases = host.state.phase, shown.phase if shown is not None else 0
        link = link_of(document, fixed, moving)

        def find(progress: Callable[[int, int], None]) -> Registration:
            # From where it is, if that is known; else from the best of the usual places.
            start = link.matrix if link is not None else None
            return register(fixed, moving, pool=host.pool, fixed_phase=phases[0], moving_phase=phases[1], start=start, progress=progress)

        def found(result: Registration) -> None:
            self._end_aligning()
            step = alignment_step(document, fixed, moving, result.matrix, "rigid", found=result)
            if self._commit(step):
                self._tell(result, link.matrix if link is not None else SAME_PLACE, moving, step)

        def done(result: Registration) -> None:
            host.when_still(document, lambda: found(result))

        def failed(error: BaseException) -> None:
            self._end_aligning()
            if isinstance(error, Refused):
                host.say("warn", _("{name} was not aligned. {reason}").format(name=named(moving), reason=error))
            else:
                host.report(error, _("Align (rigid)"))

        self._task = host.work.run_thread(find, _("Aligning {name}").format(name=named(moving)), done, failed)
        self.aligning_changed.emit(0)

    def cancel_aligning(self) -> None:
        """Stop the registration; everything stays as it was."""
        if self._task:
            self._host.work.cancel(self._task)

    @property
    def is_aligning(self) -> bool:
        return bool(self._task)

    # --- inside ---

    def _tell(self, result: Registration, before: tuple[float, ...], moving: Volume, step: Step) -> None:
        center = moved(before, middle(moving.geometry))
        change = chained(inverse(before), result.matrix)
        words = _("Aligned {name}: moved by {mm:.1f} mm and {degrees:.1f}°. Look whether it fits.")
        if result.value <= result.start_value:
            words = _("{name} was left where it is: no better place was found.")
        text = words.format(name=named(moving), mm=distance_of(change, center), degrees=degrees_of(change))

        def undo() -> None:
            if self._host.document.history.next_undo is step:
                self._host.undo()

        self._host.say("ok", text, ((_("Undo"), undo),))

    def _pair(self) -> tuple[Volume, Volume] | None:
        """First and second, as they are shown."""
        volume, shown = self._host.state.volume, self.shown
        return (volume, shown.volume) if volume is not None and shown is not None else None

    def _commit(self, step: Step) -> bool:
        self._hold(SAME_PLACE)
        position = self._host.document.history.position
        with self._host.reporting():
            self._host.document.commit(step)
        return self._host.document.history.position > position

    def _hold(self, nudge: tuple[float, ...]) -> None:
        wish = self._host.wish.fusion
        if wish is not None and wish.nudge != nudge:
            self.change(nudge=nudge)

    def _put_tool_away(self, _state: object = None) -> None:
        if self._tooling.name == NUDGE and self.shown is None:
            self._tooling.pick("window")

    def _follow_work(self, tasks: Any) -> None:
        for task in tasks:
            if task.id == self._task:
                self.aligning_changed.emit(task.done)

    def _end_aligning(self) -> None:
        self._task = ""
        self.aligning_changed.emit(-1)

    def _forget(self) -> None:
        self.cancel_aligning()
        self._end_aligning()
        forget_planes()
