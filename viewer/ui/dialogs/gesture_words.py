"""Gestures of the mouse, and what they do, in words for the key sheet."""

from __future__ import annotations

from viewer.core.words import gettext as _
from viewer.core.words import mark

_GESTURES = {
    "left": mark("left drag"), "middle": mark("middle drag"), "right": mark("right drag"), "right click": mark("right click"),
    "double click": mark("double click"), "wheel": mark("wheel"), "move": mark("move"), "pinch": mark("pinch"), "two fingers": mark("two fingers"),
}  # fmt: skip
_ACTS = {
    "tool": mark("The tool in hand"), "opposite": mark("The opposite of a painting tool"), "window": mark("Window"), "pan": mark("Pan"),
    "zoom": mark("Zoom"), "scroll": mark("Scroll"), "menu": mark("Menu of the view"), "maximise": mark("Maximise this view"),
    "slice": mark("Previous or next slice"), "ten slices": mark("Ten slices"), "brush or ten slices": mark("Size of the brush, else ten slices"),
    "opacity": mark("Opacity of masks and maps"), "crosshair": mark("Crosshair in all views"), "nothing": mark("Nothing"),
}  # fmt: skip


def gesture_words(gesture: str) -> str:
    """``Shift+left`` as people say it."""
    held, _plus, name = gesture.rpartition("+")
    words = _(_GESTURES[name])
    return f"{held} + {words}" if held else str(words)


def act_words(act: str) -> str:
    """What a gesture does."""
    return str(_(_ACTS[act]))
