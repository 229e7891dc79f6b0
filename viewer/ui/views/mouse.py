"""The mouse over a view (CONVENTIONS 3a): which button and key does what, and what is going on between press and release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_type_hints

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QWheelEvent

from viewer.core.layout import Point
from viewer.core.operation import Range
from viewer.core.words import gettext as _
from viewer.session import hand

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView

BuiltIn = Literal["window", "pan", "zoom", "scroll"]
# A slice for so many pixels of a scroll drag.
SCROLL_PX = 8.0
RADIUS_STEP = 1.15
_CTRL, _SHIFT, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


@dataclass(slots=True)
class Drag:
    """A press that has not been released."""

    kind: BuiltIn | Literal["tool", "right"]
    button: Qt.MouseButton
    start: Point
    last: Point
    held: float = 0.0
    """Pixels of a scroll drag that do not make a slice yet."""
    has_moved: bool = False


class Mouse:
    """Turns mouse and wheel events of a view into wishes and tool calls."""

    def __init__(self) -> None:
        self.drag: Drag | None = None
        self._wheel_held = 0.0

    def press(self, view: SliceView, event: QMouseEvent) -> None:
        if self.drag is not None or view.state.volume is None:
            return  # a second button in the middle of a drag changes nothing
        at = _point(event)
        kind = self._kind(view, event)
        if kind == "tool" and view.is_arriving:
            view.refused.emit(_("Still reading. Wait until the series is whole."))
            return
        if kind is not None:
            self.drag = Drag(kind, event.button(), at, at)
        if kind == "tool":
            view.tool_event("press", at, event.modifiers())

    def move(self, view: SliceView, event: QMouseEvent) -> None:
        at, drag = _point(event), self.drag
        if drag is None:
            view.hover(at, event.modifiers())
            return
        dx, dy = at[0] - drag.last[0], at[1] - drag.last[1]
        if drag.kind == "right":
            if not drag.has_moved and max(abs(at[0] - drag.start[0]), abs(at[1] - drag.start[1])) < hand.CLICK_LIMIT_PX:
                return
            dy = at[1] - drag.last[1]
        drag.has_moved, drag.last = True, at
        wish, state, viewport = view.wish, view.state, view.viewport_size
        if drag.kind == "tool":
            view.tool_event("move", at, event.modifiers())
        elif drag.kind == "window":
            view.take(hand.windowed(wish, state, dx, dy))
        elif drag.kind == "pan":
            view.take(hand.panned(wish, state, viewport, dx, dy))
        elif drag.kind == "scroll":
            drag.held += dy
            steps = int(drag.held / SCROLL_PX)
            drag.held -= steps * SCROLL_PX
            if steps:
                view.take(hand.stepped(wish, state, steps))
        else:
            view.take(hand.zoomed(wish, state, viewport, hand.ZOOM_PER_PX ** (-dy), drag.start))
        view.hover(at, event.modifiers())

    def release(self, view: SliceView, event: QMouseEvent) -> None:
        drag = self.drag
        if drag is None or event.button() != drag.button:
            return
        self.drag = None
        if drag.kind == "tool":
            view.tool_event("release", _point(event), event.modifiers())
        elif drag.kind == "right" and not drag.has_moved:
            view.menu_wanted.emit(event.globalPosition().toPoint())

    def wheel(self, view: SliceView, event: QWheelEvent) -> None:
        turn = event.angleDelta()
        delta = turn.y() or turn.x()  # some systems turn the wheel sideways while Alt or Shift is held
        if not delta:
            return
        wish, state, modifiers = view.wish, view.state, event.modifiers()
        if modifiers & _CTRL:
            spot = event.position()
            view.take(hand.zoomed(wish, state, view.viewport_size, hand.ZOOM_STEP ** (delta / hand.NOTCH), (spot.x(), spot.y())))
            return
        is_touch = event.phase() != Qt.ScrollPhase.NoScrollPhase or event.device().type() == QInputDevice.DeviceType.TouchPad
        steps, self._wheel_held = hand.wheel_steps(self._wheel_held, delta, is_touch=is_touch)
        if steps and modifiers & _SHIFT and view.is_playing:
            view.rate_turned.emit(-steps)
            return
        if steps and modifiers & _SHIFT and view.turn_tool(-steps):
            return
        if steps:
            view.take(hand.stepped(wish, state, steps * (10 if modifiers & _SHIFT else 1)))

    def _kind(self, view: SliceView, event: QMouseEvent) -> BuiltIn | Literal["tool", "right"] | None:
        modifiers, button = event.modifiers(), event.button()
        if button == Qt.MouseButton.MiddleButton:
            return "pan"
        if button == Qt.MouseButton.RightButton:
            return "right"
        if button != Qt.MouseButton.LeftButton:
            return None
        if modifiers & _CTRL and modifiers & _SHIFT:
            return "window"
        if not isinstance(view.tool, str):
            return "tool"
        return "pan" if modifiers & _SHIFT else view.tool


def turned_radius(options: object, steps: int) -> float | None:
    """What Shift+wheel makes of a tool's option ``radius``, within its declared range; None for a tool that has none."""
    radius = getattr(options, "radius", None)
    if not isinstance(radius, int | float) or isinstance(radius, bool):
        return None
    declared = get_type_hints(type(options), include_extras=True).get("radius")
    limits = next((part for part in getattr(declared, "__metadata__", ()) if isinstance(part, Range)), Range())
    turned = radius * RADIUS_STEP**steps
    if limits.low is not None:
        turned = max(turned, limits.low)
    return min(turned, limits.high) if limits.high is not None else turned


def _point(event: QMouseEvent) -> Point:
    spot = event.position()
    return spot.x(), spot.y()
