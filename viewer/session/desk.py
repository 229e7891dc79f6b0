"""The views of a window: how they are arranged, what each is asked to show, which is active, and what follows when one changes.

No part of the history: undo never rearranges or scrolls. Knows nothing of widgets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from viewer.core.geometry import Plane, Triple, rotation
from viewer.core.words import mark
from viewer.session.linking import Cross, Links, crosses_of, followed, share_frame, sheet_of, slice_at, slice_spacing
from viewer.session.view import ViewState, ViewWish, why_no_mpr

_ALIKE = 0.5
"""Planes less than 60 degrees apart are scrolled the same way through the patient."""

Look = Callable[[ViewWish], ViewState]
"""What a wish shows now."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the grid, and the plane of the image that belongs there."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1
    plane: Plane | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A named way of dividing the middle of the window."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    icon: str = "layout-grid"

    @property
    def planes(self) -> bool:
        """Whether all cells show planes of one image."""
        return self.cells[0].plane is not None


def _grid(rows: int, columns: int) -> tuple[Cell, ...]:
    return tuple(Cell(row, column) for row in range(rows) for column in range(columns))


ARRANGEMENTS: dict[str, Arrangement] = {
    a.name: a
    for a in (
        Arrangement("1x1", mark("One view"), _grid(1, 1), "square"),
        Arrangement("1x2", mark("Two side by side"), _grid(1, 2), "columns-2"),
        Arrangement("2x1", mark("Two, one above the other"), _grid(2, 1), "rows-2"),
        Arrangement("1x3", mark("Three side by side"), _grid(1, 3)),
        Arrangement("2x2", mark("Four views"), _grid(2, 2), "grid-2x2"),
        Arrangement("2x3", mark("Six views"), _grid(2, 3)),
        Arrangement("3x3", mark("Nine views"), _grid(3, 3)),
        Arrangement(
            "mpr", mark("Axial, sagittal and coronal"),
            (Cell(0, 0, rows=2, columns=2, plane="axial"), Cell(0, 2, plane="sagittal"), Cell(1, 2, plane="coronal")), "mpr",
        ),
        Arrangement(
            "mpr_four", mark("Acquired with axial, sagittal and coronal"),
            (Cell(0, 0, plane="axial"), Cell(0, 1, plane="sagittal"), Cell(1, 0, plane="coronal"), Cell(1, 1, plane="acquired")), "mpr",
        ),
    )
}  # fmt: skip


class Desk:
    """See the module. Cells are numbered from 0; those of the arrangement first, then those in windows of their own."""

    def __init__(self) -> None:
        self.arrangement = ARRANGEMENTS["1x1"]
        self.wishes: list[ViewWish] = [ViewWish()]
        self.active = 0
        self.links = Links()
        self.cursor: Triple | None = None
        """Where the crosshair is, in the frame of the image that it was set in."""
        self.cursor_cell = 0
        self.reason = ""
        """Why the views of planes are empty but the first."""
        self._before_planes: ViewWish | None = None
        self._anchors: dict[int, int] = {}

    @property
    def wish(self) -> ViewWish:
        """Of the active view."""
        return self.wishes[self.active]

    @property
    def outside(self) -> range:
        """Numbers of the views in windows of their own."""
        return range(len(self.arrangement.cells), len(self.wishes))

    # --- arranging ---

    def arrange(self, name: str, look: Look) -> None:
        """Divide anew. Views keep what they show, in order, the active one first where fewer remain; new ones are empty, or planes of the image."""
        old, wanted = self.arrangement, ARRANGEMENTS[name]
        outside = [self.wishes[n] for n in self.outside]
        inside, count = self.wishes[: len(old.cells)], len(wanted.cells)
        at = self.active if self.active < len(old.cells) else 0
        active, reason = inside[at], ""
        if old.planes and not wanted.planes:
            inside, at = [self._from_planes(active, look)], 0
        elif wanted.planes:
            if not old.planes:
                self._before_planes = active
            inside, reason = _planes_of(active, wanted, look)
            at = next((n for n, cell in enumerate(wanted.cells) if old.planes and cell.plane == active.plane and not reason), 0)
        elif at >= count:
            inside, at = [active, *inside[:at], *inside[at + 1 :]], 0
        inside = (inside + [ViewWish(text=active.text)] * count)[:count]
        home = self._cursor_home(look)
        self.arrangement, self.wishes, self.reason = wanted, inside + outside, reason
        self.active = at
        self._keep_cursor(home, look, first=self.active)
        self._anchor(look)
        if wanted.planes and self.wish.volume_id and not reason:
            state = look(self.wish)
            self.point(self.active, self._cursor_in(state, look) or _middle(state), look)

    def _from_planes(self, active: ViewWish, look: Look) -> ViewWish:
        """What one view shows after the planes are put away: as before them, at the place that was looked at."""
        before = self._before_planes
        plane = before.plane if before is not None and before.volume_id == active.volume_id else None
        wish = replace(plane_wish(active, plane), index=None)
        state = look(wish)
        cursor = self._cursor_in(state, look)
        number = slice_at(state, cursor) if cursor is not None else None
        return replace(wish, index=number) if number is not None else wish

    def add_outside(self, cell: int) -> int:
        """A further view in a window of its own, showing what a cell shows; its number."""
        self.wishes.append(self.wishes[cell])
        if cell in self._anchors:
            self._anchors[len(self.wishes) - 1] = self._anchors[cell]
        return len(self.wishes) - 1

    def remove_outside(self, cell: int) -> None:
        """Close a view that stands in a window of its own; those behind it move up."""
        if cell in self.outside:
            del self.wishes[cell]
            self.active = 0 if self.active == cell else self.active - (self.active > cell)
            self._anchors = {n - (n > cell): index for n, index in self._anchors.items() if n != cell}
            if self.cursor_cell == cell:
                self.cursor = None
            self.cursor_cell -= self.cursor_cell > cell

    def activate(self, cell: int) -> bool:
        """Make a view the one that bars and panels act on; False if it is already, or is none."""
        if cell == self.active or not 0 <= cell < len(self.wishes):
            return False
        self.active = cell
        return True

    # --- showing ---

    def show(self, cell: int, wish: ViewWish, look: Look) -> set[int]:
        """Show another image in a view; in all views of planes, where the arrangement is of planes. Returns the views that changed."""
        home = self._cursor_home(look)
        changed = self._put(self._shown_with(cell, wish, look))
        self._keep_cursor(home, look, first=self.cursor_cell)
        state = look(self.wishes[cell])
        if changed and state.volume is not None and self._plane_of(cell) is not None and not self.reason:
            self.point(cell, _middle(state), look)
        self._anchor(look)
        return changed

    def _shown_with(self, cell: int, wish: ViewWish, look: Look) -> dict[int, ViewWish]:
        """What the views are to show when one is asked for another image."""
        if self._plane_of(cell) is None:
            return {cell: wish}
        wishes, self.reason = _planes_of(wish, self.arrangement, look)
        if self.reason:
            self.active = 0 if self.active < len(wishes) else self.active
        return dict(enumerate(wishes))

    def _plane_of(self, cell: int) -> Plane | None:
        """The plane of the image that belongs in a view; None where any image does."""
        return self.arrangement.cells[cell].plane if cell < len(self.arrangement.cells) else None

    def ask(self, cell: int, wish: ViewWish, look: Look) -> set[int]:
        """The user changed what a view shows: linked views follow. Returns the numbers of all views that changed."""
        before = self.wishes[cell]
        if wish == before:
            return set()
        new = {cell: wish}
        source = look(wish)
        for n, other in enumerate(self.wishes):
            if n != cell:
                new[n] = followed(self.links, source, before, wish, other, look(other))
        if self.arrangement.planes and wish.fusion != before.fusion:  # what lies over one plane of an image lies over all
            inside = range(len(self.arrangement.cells))
            new |= {n: replace(w, fusion=wish.fusion) for n, w in new.items() if n in inside and cell in inside and w.volume_id == wish.volume_id}
        if self.links.by_offset and self.links.scroll and wish.index != before.index:
            self._follow_offset(cell, source, new, look)
        return self._put(new)

    def point(self, cell: int, position: Triple, look: Look) -> set[int]:
        """Put the crosshair on a place of a view: the others of its frame of reference go to the slices that hold it. Returns the views that went."""
        self.cursor, self.cursor_cell = position, cell
        states = [look(wish) for wish in self.wishes]
        new: dict[int, ViewWish] = {}
        for n, state in enumerate(states):
            if n == cell or (self.links.cursor and share_frame(states[cell], state)):
                number = slice_at(state, position)
                if number is not None and number != state.index:
                    new[n] = replace(self.wishes[n], index=number)
        return self._put(new)

    def turn(self, cell: int, angle: float, look: Look) -> set[int]:
        """Turn the lines in a view of planes by an angle (radians, clockwise on screen): the planes of the others turn about the crosshair."""
        sheet = sheet_of(look(self.wishes[cell]))
        cursor = self._cursor_in(look(self.wishes[cell]), look)
        if not self.arrangement.planes or sheet is None or cursor is None:
            return set()
        matrix = rotation(np.cross(sheet.right, sheet.down), math.degrees(angle))
        new = {}
        for n in range(len(self.arrangement.cells)):
            if n == cell:
                continue
            bare = replace(self.wishes[n], quarter_turns=0, flip_horizontal=False, flip_vertical=False)
            other = sheet_of(look(bare))
            if other is not None:
                right, down = matrix @ other.right, matrix @ other.down
                turn = np.stack([right, down, matrix @ other.normal], axis=1)  # slices go on counting the same way
                new[n] = replace(self.wishes[n], turn=tuple(float(c) for c in turn.ravel()), place=cursor, index=None)
        return self._put(new)

    def straighten(self, look: Look) -> set[int]:
        """Planes that were turned are axial, sagittal and coronal again, through the crosshair."""
        changed = self._put({n: replace(w, turn=None, place=None, index=None) for n, w in enumerate(self.wishes) if w.turn is not None})
        cursor = self._cursor_in(look(self.wish), look)
        if changed and cursor is not None:
            self.point(self.active, cursor, look)
        return changed

    @property
    def is_turned(self) -> bool:
        """Whether any view shows a turned plane."""
        return any(wish.turn is not None for wish in self.wishes)

    def crosses(self, states: list[ViewState]) -> list[Cross]:
        """Lines and crosshair of every view; ``states`` are those of all views."""
        return crosses_of(self.links, states, self.cursor, self.cursor_cell)

    def set_links(self, links: Links, look: Look) -> None:
        """Switch what views do together. From the moment ``by_offset`` goes on, what is shown now corresponds."""
        is_new = links.by_offset != self.links.by_offset
        self.links = links
        if is_new:
            self._anchor(look)

    # --- all views at once ---

    def change_all(self, **changes: Any) -> set[int]:
        """Other fields of the wishes of all views. Returns the views that changed."""
        return self._put({n: replace(wish, **changes) for n, wish in enumerate(self.wishes)})

    def exchange(self, volume_id: str, new_id: str) -> set[int]:
        """An image goes on under another id, wherever it is shown. Returns the views that show it."""
        if self._before_planes is not None and self._before_planes.volume_id == volume_id:
            self._before_planes = replace(self._before_planes, volume_id=new_id)
        return self._put({n: replace(w, volume_id=new_id) for n, w in enumerate(self.wishes) if w.volume_id == volume_id})

    def empty(self, wish: ViewWish) -> None:
        """Nothing is open: all views stay where they are, each with this wish."""
        self.wishes = [wish for _wish in self.wishes]
        self.cursor, self.cursor_cell = None, 0
        self._anchors.clear()

    def forget(self, volume_ids: set[str]) -> set[int]:
        """Empty the views of images that are gone."""
        return self._put({n: ViewWish(text=w.text) for n, w in enumerate(self.wishes) if w.volume_id in volume_ids})

    def is_linked_by_hand(self, cell: int, states: list[ViewState]) -> bool:
        """Whether a view follows another without a common frame of reference, by the user's word (badge MANUAL LINK)."""
        if not (self.links.by_offset and self.links.scroll) or states[cell].volume is None:
            return False
        return any(n != cell and other.volume is not None and not share_frame(states[cell], other) for n, other in enumerate(states))

    # --- inside ---

    def _anchor(self, look: Look) -> None:
        """What is shown now corresponds, where views are linked by offset."""
        self._anchors = {n: look(wish).index for n, wish in enumerate(self.wishes) if wish.volume_id} if self.links.by_offset else {}

    def _cursor_home(self, look: Look) -> ViewState | None:
        """What the view shows that the crosshair was set in; None where there is none."""
        return look(self.wishes[self.cursor_cell]) if self.cursor is not None and self.cursor_cell < len(self.wishes) else None

    def _cursor_in(self, state: ViewState, look: Look) -> Triple | None:
        """The crosshair, where it means the same place in what a view shows."""
        home = self._cursor_home(look)
        return self.cursor if home is not None and share_frame(home, state) else None

    def _keep_cursor(self, home: ViewState | None, look: Look, *, first: int) -> None:
        """After other images are shown the crosshair belongs to a view of its frame of reference; it goes where there is none."""
        numbers = sorted(range(len(self.wishes)), key=lambda n: n != first)
        cell = next((n for n in numbers if home is not None and share_frame(home, look(self.wishes[n]))), None)
        if cell is None:
            self.cursor, self.cursor_cell = None, 0
        else:
            self.cursor_cell = cell

    def _follow_offset(self, cell: int, source: ViewState, new: dict[int, ViewWish], look: Look) -> None:
        for n, wish in enumerate(self.wishes):
            if n == cell or n not in self._anchors or cell not in self._anchors:
                continue
            state = look(wish)
            if state.volume is None or state.count < 2:
                continue
            known = source.geometry.has_volume and state.geometry.has_volume
            ratio = _direction(source, state) * slice_spacing(source) / slice_spacing(state) if known else 1.0
            number = self._anchors[n] + round((source.index - self._anchors[cell]) * ratio)
            new[n] = replace(new[n], index=max(0, min(number, state.count - 1)))

    def _put(self, new: dict[int, ViewWish]) -> set[int]:
        changed = {n for n, wish in new.items() if wish != self.wishes[n]}
        for n in changed:
            self.wishes[n] = new[n]
        return changed


def _planes_of(wish: ViewWish, arrangement: Arrangement, look: Look) -> tuple[list[ViewWish], str]:
    """An image in the planes of an arrangement, and ""; else itself in the first view, and why the others are empty."""
    volume = look(replace(wish, plane=None, turn=None)).volume
    reason = why_no_mpr(volume) if volume is not None else ""
    if not reason:
        return [replace(plane_wish(wish, cell.plane), index=None) for cell in arrangement.cells], ""
    return [replace(plane_wish(wish, None), index=None), *(ViewWish(text=wish.text) for _cell in arrangement.cells[1:])], reason


def _middle(state: ViewState) -> Triple:
    width, height = state.layout.size
    return state.position_at((width / 2, height / 2))


def _direction(first: ViewState, second: ViewState) -> int:
    """-1 where two stacks that lie alike in their patients are counted from opposite ends, else 1."""
    a, b = sheet_of(first), sheet_of(second)
    if a is None or b is None or not (first.geometry.is_patient and second.geometry.is_patient):
        return 1
    return -1 if float(a.normal @ b.normal) < -_ALIKE else 1


def plane_wish(wish: ViewWish, plane: Plane | None) -> ViewWish:
    """The same image in another plane, whole and unturned."""
    return replace(
        wish, plane=plane, turn=None, place=None, zoom=None, center=None, quarter_turns=0, flip_horizontal=False, flip_vertical=False
    )  # fmt: skip
