"""What can be done to one view without the mouse: one table of commands, and the keys of the default profile (CONVENTIONS 3b)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from viewer.core.layout import Point
from viewer.session import hand
from viewer.session.view import TextLevel, ViewState, ViewWish, presets

Command = Callable[[ViewWish, ViewState, Point], ViewWish]


def _steps(count: int) -> Command:
    return lambda wish, state, viewport: hand.stepped(wish, state, count)


def _phases(count: int) -> Command:
    return lambda wish, state, viewport: hand.phased(wish, state, count)


def _zoom(factor: float) -> Command:
    return lambda wish, state, viewport: hand.zoomed(wish, state, viewport, factor)


def _preset(number: int) -> Command:
    def choose(wish: ViewWish, state: ViewState, viewport: Point) -> ViewWish:
        offered = presets(state.volume)[0] if state.volume is not None else ()
        return hand.with_preset(wish, state, offered[number - 1]) if number <= len(offered) else wish

    return choose


def _end(sign: int) -> Command:
    return lambda wish, state, viewport: hand.stepped(wish, state, sign * max(state.count, hand.stack_size(state)))


def _rotate(quarters: int) -> Command:
    # A mirrored picture turns the other way round unless the mirroring stays first: it does (Layout2D.rotated).
    return lambda wish, state, viewport: replace(wish, quarter_turns=(wish.quarter_turns + quarters) % 4)


def _flip(horizontal: bool) -> Command:
    def flip(wish: ViewWish, state: ViewState, viewport: Point) -> ViewWish:
        # Mirroring comes before turning, so on a picture on its side the other axis must be mirrored.
        if horizontal != bool(wish.quarter_turns % 2):
            return replace(wish, flip_horizontal=not wish.flip_horizontal)
        return replace(wish, flip_vertical=not wish.flip_vertical)

    return flip


def _next_text(wish: ViewWish, state: ViewState, viewport: Point) -> ViewWish:
    following: dict[TextLevel, TextLevel] = {"full": "short", "short": "none", "none": "full"}
    return replace(wish, text=following[wish.text])


COMMANDS: dict[str, Command] = {
    "slice.previous": _steps(-1),
    "slice.next": _steps(1),
    "slice.back_ten": _steps(-10),
    "slice.on_ten": _steps(10),
    "slice.first": _end(-1),
    "slice.last": _end(1),
    "phase.previous": _phases(-1),
    "phase.next": _phases(1),
    "zoom.in": _zoom(hand.ZOOM_STEP),
    "zoom.out": _zoom(1 / hand.ZOOM_STEP),
    "zoom.fit": lambda wish, state, viewport: hand.fitted(wish),
    "zoom.full_size": lambda wish, state, viewport: hand.at_full_size(wish, state, viewport),
    "view.invert": lambda wish, state, viewport: replace(wish, is_inverted=not wish.is_inverted),
    "view.rotate_right": _rotate(1),
    "view.rotate_left": _rotate(-1),
    "view.flip_horizontal": _flip(True),
    "view.flip_vertical": _flip(False),
    "view.text": _next_text,
    "view.graphics": lambda wish, state, viewport: replace(wish, show_graphics=not wish.show_graphics),
    "view.regions": lambda wish, state, viewport: replace(wish, show_regions=not wish.show_regions),
    "view.reset": lambda wish, state, viewport: hand.reset(wish),
    "window.file": lambda wish, state, viewport: hand.with_next_file_window(wish, state),
    "window.auto": lambda wish, state, viewport: hand.with_auto(wish),
    "window.full": lambda wish, state, viewport: hand.with_full_range(wish, state),
    **{f"window.preset_{number}": _preset(number) for number in range(1, 10)},
}

# Key sequences as Qt writes them.
KEYS: dict[str, str] = {
    "Up": "slice.previous", "Down": "slice.next", "Left": "slice.previous", "Right": "slice.next",
    "Shift+Up": "slice.back_ten", "Shift+Down": "slice.on_ten", "Home": "slice.first", "End": "slice.last",
    "Ctrl+Left": "phase.previous", "Ctrl+Right": "phase.next",
    "+": "zoom.in", "Shift++": "zoom.in", "-": "zoom.out", "=": "zoom.fit",
    "I": "view.invert", "R": "view.rotate_right", "L": "view.rotate_left", "H": "view.flip_horizontal", "V": "view.flip_vertical",
    "Space": "view.text", "O": "view.graphics", "Shift+R": "view.reset", "0": "window.file", "`": "window.full",
    **{str(number): f"window.preset_{number}" for number in range(1, 10)},
}  # fmt: skip
