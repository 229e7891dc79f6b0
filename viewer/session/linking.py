"""How views belong together: the plane that each shows in the patient, which slices correspond, and where one crosses another (C12 to C14)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.geometry import Geometry, Triple
from viewer.core.layout import Point
from viewer.session.view import ViewState, ViewWish

PARALLEL_COS = math.cos(math.radians(5))
"""Planes whose normals are closer than 5 degrees count as parallel."""
PlaneKind = Literal["axial", "coronal", "sagittal"]


@dataclass(frozen=True, slots=True)
class Links:
    """What views do together. Positions are shared between images of one frame of reference only."""

    scroll: bool = True
    """Parallel planes go to the same place."""
    cursor: bool = True
    """All go to the slice that holds the crosshair, and show it."""
    zoom: bool = True
    """The same scale in millimetres."""
    pan: bool = True
    """Parallel planes have the same place in their middle."""
    window: bool = True
    """Images of one series, or of one kind and unit, share the window."""
    by_offset: bool = False
    """Parallel or not, in one frame or not: scrolling by so many millimetres here scrolls as many there. The user's word for it."""
    lines: bool = True
    """Whether reference lines are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The rectangle in the patient that a view shows."""

    corner: NDArray[np.float64]
    """Place (x, y, z) of the picture's upper left corner."""
    right: NDArray[np.float64]
    down: NDArray[np.float64]
    normal: NDArray[np.float64]
    """Unit vectors to the right, down, and towards higher slice numbers."""
    unit: float
    """Length of a picture unit to the right."""
    unit_down: float
    """Another one where pixels are not square and their size is not known."""
    size: Point

    def point(self, position: ArrayLike) -> Point:
        """The picture point nearest to a place."""
        away = np.asarray(position, dtype=np.float64) - self.corner
        return float(away @ self.right) / self.unit, float(away @ self.down) / self.unit_down

    def distance(self, position: ArrayLike) -> float:
        """How far a place lies from the plane, towards higher slice numbers."""
        return float((np.asarray(position, dtype=np.float64) - self.corner) @ self.normal)

    def corners(self) -> NDArray[np.float64]:
        """(4, 3): round the rectangle."""
        right, down = self.right * self.size[0] * self.unit, self.down * self.size[1] * self.unit_down
        return np.stack([self.corner, self.corner + right, self.corner + right + down, self.corner + down])

    @property
    def kind(self) -> PlaneKind:
        """The standard plane that this one is nearest to."""
        kinds: tuple[PlaneKind, ...] = ("sagittal", "coronal", "axial")
        return kinds[int(np.argmax(np.abs(self.normal)))]


def sheet_of(state: ViewState) -> Sheet | None:
    """The plane that a view shows; None for an empty view."""
    if state.volume is None:
        return None
    layout, index = state.layout, state.index
    other = index + 1 if index + 1 < state.count else index - 1
    points = [layout.index_at(index, p) for p in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))]
    if state.count > 1:
        points.append(layout.index_at(other, (0.0, 0.0)))
    places = state.geometry.to_patient(points)
    corner, across, along = places[0], places[1] - places[0], places[2] - places[0]
    unit, unit_down = math.sqrt(float(across @ across)), math.sqrt(float(along @ along))
    across, along = across / unit, along / unit_down
    normal = _cross(across, along)
    if state.count > 1 and float((places[3] - corner) @ normal) * (other - index) < 0:
        normal = -normal
    return Sheet(corner, across, along, normal, unit, unit_down, layout.size)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of two vectors; numpy's takes ten times as long for one pair."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def share_frame(first: ViewState, second: ViewState) -> bool:
    """Whether a place means the same in both: one image, or one frame of reference by its UID (C12: no UID, no link)."""
    if first.volume is None or second.volume is None:
        return False
    if first.root_id == second.root_id:
        return True
    a, b = first.geometry, second.geometry
    return bool(a.frame_uid) and a.frame_uid == b.frame_uid and _has_places(a) and _has_places(b)


def _has_places(geometry: Geometry) -> bool:
    """Whether every voxel has a place in the patient: without the spacing only the first one of a plane has."""
    is_known = geometry.between_known or not geometry.is_rectangular or geometry.shape[geometry.plane_axis] == 1
    return geometry.is_patient and geometry.in_plane_known and is_known


def are_parallel(first: Sheet, second: Sheet) -> bool:
    """Whether the normals lie within 5 degrees of each other, whichever way they point."""
    return abs(float(first.normal @ second.normal)) >= PARALLEL_COS


def slice_spacing(state: ViewState) -> float:
    """Millimetres from one slice of a view to the next, on average; 1 where there is one."""
    sheet = sheet_of(state)
    if sheet is None or state.count < 2:
        return 1.0
    first, last = state.geometry.to_patient([state.layout.index_at(n, (0.0, 0.0)) for n in (0, state.count - 1)])
    return abs(float((last - first) @ sheet.normal)) / (state.count - 1)


def slice_at(state: ViewState, position: Triple) -> int | None:
    """The slice nearest to a place; None if the place lies more than half a spacing outside of the stack (C12)."""
    if state.volume is None:
        return None
    if state.count == 1:
        return state.index
    number = state.layout.slice_at(state.geometry, position)
    if not -0.5 <= number <= state.count - 0.5:
        return None
    return max(0, min(math.floor(number + 0.5), state.count - 1))


@dataclass(frozen=True, slots=True)
class CrossLine:
    """Where another view's plane crosses this one, between two picture points."""

    start: Point
    end: Point
    kind: PlaneKind
    """What the other plane is, for its colour (C14)."""
    cell: int
    """Number of the other view."""


def _crossing(here: Sheet, there: Sheet, cell: int) -> CrossLine | None:
    """The line of another view's plane on this one, clipped to the other image; None where there is none (C14)."""
    if are_parallel(here, there):
        return None
    corners = there.corners()
    heights = ((corners - here.corner) @ here.normal).tolist()
    points = []
    for n in range(4):
        a, b = heights[n], heights[(n + 1) % 4]
        if (a <= 0 < b) or (b <= 0 < a):
            points.append(here.point(corners[n] + (corners[(n + 1) % 4] - corners[n]) * (a / (a - b))))
    if len(points) != 2:
        return None
    return CrossLine(points[0], points[1], there.kind, cell)


@dataclass(frozen=True, slots=True)
class Cross:
    """What a view shows of the others: their planes as lines, and the crosshair."""

    lines: tuple[CrossLine, ...] = ()
    at: Point | None = None
    """Picture point of the crosshair."""
    is_near: bool = True
    """Whether the crosshair lies on the slice that is shown, to half a spacing."""


NO_CROSS = Cross()


def crosses_of(links: Links, states: list[ViewState], cursor: Triple | None, cursor_cell: int) -> list[Cross]:
    """The lines and the crosshair of every view.

    ``states`` are those of all views; the crosshair ``cursor`` was set in the view ``cursor_cell``.
    """
    if not links.lines:
        return [NO_CROSS] * len(states)
    sheets = [sheet_of(state) for state in states]
    crosses = []
    for cell, (shown, sheet) in enumerate(zip(states, sheets, strict=True)):
        if sheet is None:
            crosses.append(NO_CROSS)
            continue
        lines = []
        for n, there in enumerate(sheets):
            if n != cell and there is not None and share_frame(shown, states[n]) and (line := _crossing(sheet, there, n)) is not None:
                lines.append(line)
        if cursor is None or cursor_cell >= len(states) or not (cell == cursor_cell or share_frame(shown, states[cursor_cell])):
            crosses.append(Cross(tuple(lines)))
            continue
        is_near = abs(sheet.distance(cursor)) <= 0.5 * slice_spacing(shown) + 1e-6
        crosses.append(Cross(tuple(lines), sheet.point(cursor), is_near))
    return crosses


# --- following ---


def followed(links: Links, source: ViewState, before: ViewWish, after: ViewWish, target: ViewWish, target_state: ViewState) -> ViewWish:
    """What another view is to show after the user changed one; the same object where nothing follows.

    ``source`` is what the changed view shows now, ``before`` and ``after`` its wishes.
    """
    wish = target
    if after.text != before.text:
        wish = replace(wish, text=after.text)
    if source.volume is None or target_state.volume is None or before.volume_id != after.volume_id:
        return wish
    if links.window and _window_of(before) != _window_of(after) and _is_same_kind(source, target_state):
        wish = replace(
            wish, window=after.window, window_unit=after.window_unit, is_auto=after.is_auto, is_inverted=after.is_inverted, color_map=after.color_map,
            lut=after.lut if source.root_id == target_state.root_id else wish.lut,
        )  # fmt: skip
    if not share_frame(source, target_state):
        return wish
    here, there = sheet_of(source), sheet_of(target_state)
    if here is None or there is None:
        return wish
    parallel = are_parallel(here, there)
    if links.scroll and not links.by_offset and after.index != before.index and parallel:
        middle = source.position_at((here.size[0] / 2, here.size[1] / 2))
        number = slice_at(target_state, middle)
        if number is not None and number != target_state.index:
            wish = replace(wish, index=number)
    if links.scroll and after.phase != before.phase and source.volume.has_phases_like(target_state.volume):
        wish = replace(wish, phase=after.phase)
    if links.zoom and after.zoom != before.zoom:
        wish = replace(wish, zoom=None if after.zoom is None else after.zoom * there.unit / here.unit)
        if after.zoom is None:
            wish = replace(wish, center=None)
    if links.pan and parallel and after.center is not None and after.center != before.center:
        wish = replace(wish, center=after.center)
    return wish


def _window_of(wish: ViewWish) -> tuple[object, ...]:
    return wish.window, wish.window_unit, wish.lut, wish.is_auto, wish.is_inverted, wish.color_map


def _is_same_kind(first: ViewState, second: ViewState) -> bool:
    """Whether one window suits both: the same series, or values of one unit from one kind of machine."""
    a, b = first.volume, second.volume
    if a is None or b is None:
        return False
    if first.root_id == second.root_id:
        return True
    return a.unit == b.unit == "HU" or (a.unit == b.unit and a.unit == "SUVbw")
