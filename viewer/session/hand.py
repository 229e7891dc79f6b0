"""What hands do to a view: pure arithmetic from a wish and the state it resolved to, to the next wish (CONVENTIONS 3a)."""

from __future__ import annotations

import math
from dataclasses import replace

from viewer.core.colormaps import GREY
from viewer.core.geometry import Plane
from viewer.core.layout import Point, fit_zoom
from viewer.core.render import full_window, spread
from viewer.core.volume import Volume
from viewer.core.window import PET_PRESETS, Window
from viewer.session.reformat import layout_for
from viewer.session.view import ZOOM_LIMITS, ViewState, ViewWish

NOTCH = 120
"""Units of a wheel's notch; a touch pad scrolls a slice for each 40 (CONVENTIONS 3a)."""
TOUCH_STEP = 40
CLICK_LIMIT_PX = 4
ZOOM_STEP = 1.2
ZOOM_PER_PX = 1.01


def scrolled(wish: ViewWish, state: ViewState, steps: int) -> ViewWish:
    """``steps`` slices further, not beyond the ends."""
    return replace(wish, index=max(0, min(state.index + steps, state.count - 1)))


def phased(wish: ViewWish, state: ViewState, steps: int) -> ViewWish:
    """``steps`` phases further, not beyond the ends."""
    last = state.volume.phases - 1 if state.volume is not None else 0
    return replace(wish, phase=max(0, min(state.phase + steps, last)))


def stepped(wish: ViewWish, state: ViewState, steps: int) -> ViewWish:
    """Along the slices, or along the frames of what has only one slice."""
    return phased(wish, state, steps) if state.count == 1 else scrolled(wish, state, steps)


def stack_size(state: ViewState) -> int:
    """What :func:`stepped` can walk through: slices, or frames of what has only one slice."""
    return state.volume.phases if state.volume is not None and state.count == 1 else state.count


def stack_index(state: ViewState) -> int:
    """Where :func:`stepped` is, from 0."""
    return state.phase if state.volume is not None and state.count == 1 else state.index


def wheel_steps(held: float, delta: float, *, is_touch: bool) -> tuple[int, float]:
    """Whole steps for a turn of ``delta`` units on top of ``held`` ones, and the units held for the next turn.

    Away from the user (positive) is towards the first slice. A change of direction drops what was held.
    """
    if held * delta < 0:
        held = 0.0
    size = TOUCH_STEP if is_touch else NOTCH
    total = held + delta
    steps = math.trunc(total / size)
    return -steps, total - steps * size


def zoomed(wish: ViewWish, state: ViewState, viewport: Point, factor: float, at: Point | None = None) -> ViewWish:
    """Zoom by a factor; what lies under ``at`` (viewport point, None: the middle) stays there."""
    before = state.placement(viewport)
    zoom = max(ZOOM_LIMITS[0], min(before.zoom * factor, ZOOM_LIMITS[1]))
    at = at if at is not None else (viewport[0] / 2, viewport[1] / 2)
    x, y = before.to_picture(at)
    center = (x + (viewport[0] / 2 - at[0]) / zoom, y + (viewport[1] / 2 - at[1]) / zoom)
    return replace(wish, zoom=zoom, center=state.position_at(center))


def panned(wish: ViewWish, state: ViewState, viewport: Point, dx: float, dy: float) -> ViewWish:
    """The picture moved by viewport pixels."""
    now = state.placement(viewport)
    center = now.to_picture((viewport[0] / 2 - dx, viewport[1] / 2 - dy))
    return replace(wish, zoom=now.zoom, center=state.position_at(center))


def fitted(wish: ViewWish) -> ViewWish:
    """The whole picture in view."""
    return replace(wish, zoom=None, center=None)


def at_full_size(wish: ViewWish, state: ViewState, viewport: Point, pixel_ratio: float = 1.0) -> ViewWish:
    """100 %: one image pixel to a pixel of the screen."""
    center = state.placement(viewport).to_picture((viewport[0] / 2, viewport[1] / 2))
    return replace(wish, zoom=1.0 / pixel_ratio, center=state.position_at(center))


def drag_gain(state: ViewState) -> float:
    """Units of value to a pixel of a W/L drag: the range from the 1st to the 99th percentile over 256."""
    if state.volume is None or state.volume.is_color:
        return 1.0
    found = spread(state.volume)
    return (found.high - found.low) / 256


def narrowest(volume: Volume) -> float:
    """The least width that a hand may set: 1, of float values 1e-3. LINEAR knows no width under 1, whatever the values."""
    return 1e-3 if volume.data.dtype.kind == "f" else 1.0


def windowed(wish: ViewWish, state: ViewState, dx: float, dy: float) -> ViewWish:
    """A W/L drag by pixels: right is wider, up (negative ``dy``) is brighter, which is a lower level."""
    volume = state.volume
    if volume is None:
        return wish
    gain = drag_gain(state)
    now = state.window
    width = max(narrowest(volume), now.width + dx * gain)
    # LINEAR knows no width under 1.
    function = "LINEAR_EXACT" if now.function == "LINEAR" and width < 1 else now.function
    return with_window(wish, state, Window(now.center + dy * gain, width, function))


def with_window(wish: ViewWish, state: ViewState, window: Window) -> ViewWish:
    """Another window; a VOI LUT that is shown is stretched over it."""
    volume = state.volume
    if volume is None:
        return wish
    lut = state.display.lut if state.display is not None else None
    # The curve of a plane that differs counts as the first: each plane has its own.
    number = None if lut is None else 0 if state.is_plane_window or lut not in volume.voi_luts else volume.voi_luts.index(lut)
    return replace(wish, window=window, window_unit=volume.unit, lut=number, is_auto=False)


def with_preset(wish: ViewWish, state: ViewState, window: Window) -> ViewWish:
    """A window in place of whatever was shown, a VOI LUT too. That of PET is looked at in inverted grey (CONVENTIONS 3c)."""
    unit = state.volume.unit if state.volume is not None else None
    is_inverted = wish.is_inverted or (window in PET_PRESETS and wish.color_map == GREY)
    return replace(wish, window=window, window_unit=unit, lut=None, is_auto=False, is_inverted=is_inverted)


def with_lut(wish: ViewWish, number: int) -> ViewWish:
    """A VOI LUT of the file, over the values it was made for."""
    return replace(wish, window=None, window_unit=None, lut=number, is_auto=False)


def with_auto(wish: ViewWish) -> ViewWish:
    """The computed window, in place of the file's and of what was chosen."""
    return replace(wish, window=None, window_unit=None, lut=None, is_auto=True)


def with_plane(wish: ViewWish, state: ViewState, plane: Plane) -> ViewWish:
    """Another plane through the place in the middle of the view, as large as before."""
    straight = replace(wish, plane=plane, turn=None, place=None)
    if state.volume is None:
        return replace(straight, index=None)
    point = state.center if state.center is not None else (state.layout.size[0] / 2, state.layout.size[1] / 2)
    position = state.position_at(point)
    layout = layout_for(state.volume, plane, slab=state.slab)
    index = math.floor(layout.slice_at(state.geometry, position) + 0.5)
    index = max(0, min(index, layout.count - 1))
    if wish.zoom is None:
        return replace(straight, index=index, center=None)
    return replace(straight, index=index, center=position, zoom=wish.zoom * layout.unit_length / state.layout.unit_length)


def at_slice(wish: ViewWish, state: ViewState, plane: Plane, index: int, phase: int) -> ViewWish:
    """One slice of the array, where something was drawn or computed: no turned plane, and no slab across planes that are not even."""
    slab = wish.slab if state.geometry.is_rectangular else None
    return replace(wish, plane=plane, turn=None, place=None, index=index, phase=phase, slab=slab)


def with_full_range(wish: ViewWish, state: ViewState) -> ViewWish:
    """The window from the smallest to the largest value."""
    if state.volume is None or state.volume.is_color:
        return wish
    return with_preset(wish, state, full_window(state.volume))


def with_next_file_window(wish: ViewWish, state: ViewState) -> ViewWish:
    """The file's own VOI LUTs and windows one after the other; the first one first (D33).

    Where planes differ, the VOI LUT or window of each together stand in the place of the first one.
    """
    volume = state.volume
    if volume is None:
        return wish
    untouched = replace(wish, window=None, window_unit=None, lut=None, is_auto=False)
    luts, windows = len(volume.voi_luts), volume.windows
    if not luts and not windows:
        return untouched
    shown = -1
    if state.is_plane_window:
        shown = 0
    elif state.display is not None and state.display.lut is not None and wish.window is None:
        shown = volume.voi_luts.index(state.display.lut)
    elif state.window in windows and (state.display is None or state.display.lut is None):
        shown = luts + windows.index(state.window)
        if volume.plane_windows and shown == 0:
            shown = -1  # the first window, chosen for all planes
    following = (shown + 1) % (luts + len(windows))
    if volume.plane_windows and following == 0:
        return untouched
    return with_lut(wish, following) if following < luts else with_preset(wish, state, windows[following - luts])


def reset(wish: ViewWish) -> ViewWish:
    """Window, zoom, place, turns and colours as at first; the slice stays."""
    return ViewWish(
        volume_id=wish.volume_id, plane=wish.plane, phase=wish.phase, text=wish.text, seeds=wish.seeds, fusion=wish.fusion,
        is_neurological=wish.is_neurological,
        # The slices of a turned plane are counted along another line: the place goes with it instead.
        index=wish.index if wish.turn is None else None, place=None if wish.turn is None else wish.place,
    )  # fmt: skip


def zoom_percent(state: ViewState, viewport: Point, pixel_ratio: float = 1.0) -> float:
    """100: one image pixel to a pixel of the screen."""
    zoom = state.zoom if state.zoom is not None else fit_zoom(state.layout.size, viewport)
    return zoom * pixel_ratio * 100
