"""What the views of the window show: the part of the host that holds the desk, resolves wishes and tells who listens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from viewer.core.geometry import Triple
from viewer.core.key_image import KeyImage
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.session.arriving import Arriving
from viewer.session.desk import Desk
from viewer.session.document import Document
from viewer.session.key_images import wish_for
from viewer.session.linking import Links
from viewer.session.settings import Settings
from viewer.session.view import ViewState, ViewWish, resolve


class Looking(QObject):
    """The views. ``wish``, ``state`` and ``seen`` are those of the active one: bars and panels need not know that there are several."""

    view_changed = Signal(object)
    """ViewState of the active view, after every wish and every change of the document that it shows."""
    seen_changed = Signal(object)
    """ViewState of what is on screen: as ``view_changed``, and of a series that is still being read besides."""
    arriving_changed = Signal()
    """More planes of the series that is being read are there."""
    active_changed = Signal(str)
    """Root id of the volume in the active view, "" for none."""
    activated = Signal(int)
    """Another view is the active one; the signals of what it shows come first."""
    views_changed = Signal(object)
    """Numbers (frozenset) of the views that have another wish, or another crosshair."""
    arranged = Signal()
    """There are other views, or other links between them."""

    document: Document
    settings: Settings

    def _begin_looking(self) -> None:
        self.desk = Desk()
        """The views: read it here, change it through the host."""
        self.desk.empty(self.first_wish)
        self._wishes: dict[str, ViewWish] = {}
        self._is_neurological = False
        self._arrivals: dict[str, Arriving] = {}
        self._state = resolve(self.wish, self.document)
        self._seen = self._state
        self._told = ("", False)

    def _forget_all(self) -> None:
        """Everything was closed: the views stay where they are, empty."""
        self._wishes.clear()
        self._arrivals.clear()
        self.desk.empty(self.first_wish)

    def clear_preview(self) -> None:
        """No preview any more."""
        raise NotImplementedError

    @property
    def first_wish(self) -> ViewWish:
        """How an image is shown that was not shown yet, as the settings say."""
        opacity, level = self.settings.chosen("label_opacity"), self.settings.chosen("corner_text")
        return ViewWish(label_opacity=max(0.0, min(1.0, opacity)), text=level if level in ("short", "none") else "full")

    @property
    def wish(self) -> ViewWish:
        """Of the active view, as ``state`` and ``seen`` are."""
        return self.desk.wish

    @property
    def state(self) -> ViewState:
        """What the active view shows; ``state.volume`` is None while nothing is open."""
        return self._state

    @property
    def seen(self) -> ViewState:
        """What is on screen: ``state``, or a series that is still being read. Nothing but looking can be done with that."""
        return self._seen

    @property
    def arriving(self) -> Arriving | None:
        """The series that the active view shows while it is being read; None as soon as it is part of the document."""
        return self._arrivals.get(self.wish.volume_id)

    @property
    def why_closed(self) -> str:
        """Why there is no image to work on; "" if there is one."""
        if self._state.volume is not None:
            return ""
        return _("Still reading. Wait until the series is whole.") if self.arriving is not None else _("Open an image first.")

    @property
    def root_id(self) -> str:
        return self._state.root_id if self._state.volume is not None else ""

    def look(self, wish: ViewWish) -> ViewState:
        """What a wish shows now, of the document or of a series that is still being read."""
        return resolve(wish, self._arrivals.get(wish.volume_id, self.document))

    def arriving_in(self, cell: int) -> Arriving | None:
        """The series that a view shows while it is being read."""
        return self._arrivals.get(self.desk.wishes[cell].volume_id)

    def is_seen(self, arriving: Arriving) -> bool:
        """Whether any view shows a series that is being read."""
        return any(wish.volume_id == arriving.id for wish in self.desk.wishes)

    def set_wish(self, wish: ViewWish) -> None:
        """Ask the active view to show something else."""
        self.ask(self.desk.active, wish)

    def change_wish(self, **changes: Any) -> None:
        self.set_wish(replace(self.wish, **changes))

    def ask(self, cell: int, wish: ViewWish) -> None:
        """Ask a view to show something else; linked views follow."""
        wish = replace(wish, is_neurological=self._is_neurological)
        if wish.volume_id != self.desk.wishes[cell].volume_id:
            self._remember(self.desk.wishes[cell])
            changed = self.desk.show(cell, wish, self.look)
        else:
            changed = self.desk.ask(cell, wish, self.look)
        self._show(changed)

    def set_neurological(self, is_neurological: bool) -> None:
        """Hang the pictures of all views with the patient's left on the left of the screen, or on the right again (C07)."""
        self._is_neurological = is_neurological
        self._show(self.desk.change_all(is_neurological=is_neurological))

    def point(self, cell: int, position: Triple) -> None:
        """Put the crosshair on a place; linked views go there."""
        if self.desk.active in self.desk.point(cell, position, self.look):
            self._follow_active()
        self.views_changed.emit(frozenset(range(len(self.desk.wishes))))

    def turn(self, cell: int, angle: float) -> None:
        """Turn the lines in a view of planes (radians, clockwise)."""
        self._show(self.desk.turn(cell, angle, self.look))

    def straighten(self) -> None:
        """Planes that were turned are axial, sagittal and coronal again."""
        self._show(self.desk.straighten(self.look))

    def activate(self, cell: int) -> None:
        """Make a view the one that bars, panels and keys act on."""
        if self.desk.activate(cell):
            self.clear_preview()
            self._follow_active()
            self.activated.emit(cell)

    def arrange(self, name: str) -> None:
        """Divide the middle of the window anew."""
        self.desk.arrange(name, self.look)
        self._follow_active()
        self.arranged.emit()

    def room_beside(self) -> int:
        """A view beside the active one for another image: an empty one, else the next; made where there is one view, or planes of one image."""
        if self.desk.arrangement.planes or len(self.desk.arrangement.cells) == 1:
            self.arrange("1x2")
        count = len(self.desk.arrangement.cells)
        empty = [n for n in range(count) if n != self.desk.active and not self.desk.wishes[n].volume_id]
        return empty[0] if empty else (self.desk.active + 1) % count

    def set_links(self, links: Links) -> None:
        """Switch what views do together."""
        self.desk.set_links(links, self.look)
        self.arranged.emit()

    def add_view(self) -> int:
        """A further view, for a window of its own, that shows what the active one shows; its number."""
        return self.desk.add_outside(self.desk.active)

    def remove_view(self, cell: int) -> None:
        """The view in a window of its own is closed."""
        self.desk.remove_outside(cell)
        self._follow_active()
        self.arranged.emit()

    def show_volume(self, root_id: str, cell: int | None = None) -> None:
        """Show an opened volume in a view (the active one), as it was left when it was shown last."""
        first = replace(self.first_wish, volume_id=root_id, text=self.wish.text)
        self.ask(self.desk.active if cell is None else cell, self._wishes.get(root_id, first))

    def show_key_image(self, item: KeyImage) -> None:
        """Show a key image in the active view as it was marked."""
        if item.volume_id != self.root_id:
            self.show_volume(item.volume_id)
        self.set_wish(wish_for(item, self.document.volume(item.volume_id), self.wish))

    def show_arriving(self, arriving: Arriving, cell: int | None = None) -> None:
        """Show what is there of a series while the rest is being read."""
        self._arrivals[arriving.id] = arriving
        self.show_volume(arriving.id, cell)

    def take_arrived(self, arriving: Arriving, volume: Volume) -> None:
        """The series is whole and part of the document: it takes its place as the user has turned it, where it is shown."""
        self._arrivals.pop(arriving.id, None)
        wish = self._wishes.pop(arriving.id, None)
        if wish is not None:
            self._wishes[volume.id] = replace(wish, volume_id=volume.id)
        self._show(self.desk.exchange(arriving.id, volume.id))

    def end_arriving(self, arriving: Arriving) -> None:
        """Reading has failed or was cancelled: nothing of it is shown any more."""
        self._arrivals.pop(arriving.id, None)
        self._wishes.pop(arriving.id, None)
        was_active = self.wish.volume_id == arriving.id
        self._show(self.desk.forget({arriving.id}))
        if was_active:
            self.active_changed.emit("")

    def refresh_arriving(self) -> None:
        """Look again at what there is of the series that is being read."""
        self._refresh_view()
        self.views_changed.emit(frozenset(range(len(self.desk.wishes))))

    def _remember(self, wish: ViewWish) -> None:
        if wish.volume_id and not self.desk.arrangement.planes:
            self._wishes[wish.volume_id] = wish

    def _show(self, cells: set[int]) -> None:
        """Views have other wishes now."""
        if not cells:
            return
        if self.desk.active in cells:
            self._follow_active()
        self.views_changed.emit(frozenset(cells))

    def _follow_active(self) -> None:
        old_root, was_reading = self._told
        self._remember(self.wish)
        self._refresh_view()
        self._told = self.root_id, self.arriving is not None
        if self.root_id != old_root:
            self.clear_preview()
        if self._told != (old_root, was_reading):
            self.active_changed.emit(self.root_id)  # also none to work on, but for another reason

    def _refresh_view(self) -> None:
        state = resolve(self.wish, self.document)
        arriving = self.arriving
        seen = state if arriving is None else resolve(self.wish, arriving)
        is_new, is_newly_seen = state != self._state, seen != self._seen
        self._state, self._seen = state, seen
        if is_new:
            self.document.views["main"] = self.wish
            self.view_changed.emit(state)
        if is_newly_seen:
            self.seen_changed.emit(seen)
