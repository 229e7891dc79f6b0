"""What can be done to one view without the mouse: one table of commands. Their keys stand in the profiles (``resources/keys``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from viewer.core.layout import Point
from viewer.core.window import VoiFunction
from viewer.session import hand, windowing
from viewer.session.hanging import to_standard
from viewer.session.view import TextLevel, ViewState, ViewWish, presets

Command = Callable[..., ViewWish]
"""From (wish, state, viewport) to the next wish; ``zoom.full_size`` is given ``pixel_ratio``, the pixels of the screen to a logical one, too."""


def _steps(count: int) -> Command:
    return lambda wish, state, viewport: hand.stepped(wish, state, count)


def _phases(count: int) -> Command:
    return lambda wish, state, viewport: hand.phased(wish, state, count)


def _zoom(factor: float) -> Command:
    return lambda wish, state, viewport: hand.zoomed(wish, state, viewport, factor)


_presets_of = "default"


def use_presets(profile: str) -> None:
    """Have the commands of the presets take the values of a profile (``core.window.presets_of``)."""
    global _presets_of
    _presets_of = profile


def _preset(number: int) -> Command:
    def choose(wish: ViewWish, state: ViewState, viewport: Point) -> ViewWish:
        offered = presets(state.volume, _presets_of)[0] if state.volume is not None else ()
        return hand.with_preset(wish, state, offered[number - 1]) if number <= len(offered) else wish

    return choose


def _file_window(number: int) -> Command:
    return lambda wish, state, viewport: windowing.with_file_window(wish, state, number - 1)


def _function(function: VoiFunction) -> Command:
    return lambda wish, state, viewport: windowing.with_function(wish, state, function)


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
    "zoom.full_size": hand.at_full_size,
    "view.invert": lambda wish, state, viewport: replace(wish, is_inverted=not wish.is_inverted),
    "view.rotate_right": _rotate(1),
    "view.rotate_left": _rotate(-1),
    "view.flip_horizontal": _flip(True),
    "view.flip_vertical": _flip(False),
    "view.text": _next_text,
    "view.graphics": lambda wish, state, viewport: replace(wish, show_graphics=not wish.show_graphics),
    "view.regions": lambda wish, state, viewport: replace(wish, show_regions=not wish.show_regions),
    "view.standard": lambda wish, state, viewport: to_standard(wish, state),
    "view.reset": lambda wish, state, viewport: hand.reset(wish),
    "window.file": lambda wish, state, viewport: hand.with_next_file_window(wish, state),
    "window.auto": lambda wish, state, viewport: hand.with_auto(wish),
    "window.full": lambda wish, state, viewport: hand.with_full_range(wish, state),
    "window.file_1": _file_window(1),
    "window.file_2": _file_window(2),
    "window.linear": _function("LINEAR"),
    "window.linear_exact": _function("LINEAR_EXACT"),
    "window.sigmoid": _function("SIGMOID"),
    "window.color_bar": lambda wish, state, viewport: replace(wish, show_color_bar=not wish.show_color_bar),
    **{f"window.preset_{number}": _preset(number) for number in range(1, 13)},
}
