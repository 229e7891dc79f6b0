"""The mouse over a view (CONVENTIONS 3a): which button and key does what, and what is going on between press and release.

What each gesture does is said by the profile in use (``resources/keys``); here is how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_type_hints

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QNativeGestureEvent, QWheelEvent

from viewer.core.layout import Point
from viewer.core.operation import Range
from viewer.core.words import gettext as _
from viewer.draw.fusion import curtain_at
from viewer.session import hand
from viewer.session.profile import load_profile
from viewer.session.view import ViewState, ViewWish
from viewer.ui.views.cross_hand import CrossHand

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView

BuiltIn = Literal["window", "pan", "zoom", "scroll", "crosshair"]
# A slice for so many pixels of a scroll drag.
SCROLL_PX = 8.0
RADIUS_STEP = 1.15
OPACITY_STEP = 0.05
# Notches that follow each other faster than this count more than once, up to a fiftieth of the stack each.
QUICK_MS = 60
_LARGEST_PART = 50
_CTRL, _SHIFT, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
_NAMES = ((Qt.KeyboardModifier.MetaModifier, "Meta"), (_CTRL, "Ctrl"), (_ALT, "Alt"), (_SHIFT, "Shift"))
_BUTTONS = {Qt.MouseButton.LeftButton: "left", Qt.MouseButton.MiddleButton: "middle", Qt.MouseButton.RightButton: "right"}


@dataclass(frozen=True, slots=True)
class Handling:
    """How the mouse is wanted: acts by gesture, as a profile names them, and the user's settings."""

    gestures: Mapping[str, str]
    is_up_brighter: bool = True
    accelerates: bool = True
    """Whether a wheel that is turned quickly goes on faster through a long stack."""


_handling: Handling | None = None


def handling() -> Handling:
    """What holds for all views now."""
    global _handling
    if _handling is None:
        _handling = Handling(load_profile("default")[0].mouse)
    return _handling


def use_handling(**changes: object) -> None:
    """Have all views take the mouse otherwise, at once: any field of :class:`Handling`."""
    global _handling
    _handling = replace(handling(), **changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class Drag:
    """A press that has not been released."""

    kind: BuiltIn | Literal["tool", "curtain", "nothing"]
    button: Qt.MouseButton
    start: Point
    last: Point
    click: Literal["", "menu", "tool"] = ""
    """What it is if it is released where it was pressed."""
    held: float = 0.0
    """Pixels of a scroll drag that do not make a slice yet."""
    has_moved: bool = False


class Mouse:
    """Turns mouse and wheel events of a view into wishes and tool calls."""

    def __init__(self) -> None:
        self.drag: Drag | None = None
        self._cross = CrossHand()
        self._wheel_held = 0.0
        self._wheel_at = 0

    def press(self, view: SliceView, event: QMouseEvent) -> None:
        if self.drag is not None or view.state.volume is None:
            return  # a second button in the middle of a drag changes nothing
        at, button, modifiers = _point(event), event.button(), event.modifiers()
        if button not in _BUTTONS:
            return
        act = _act(_BUTTONS[button], modifiers, "nothing")
        has_tool = not isinstance(view.tool, str)
        if button == Qt.MouseButton.LeftButton and modifiers == Qt.KeyboardModifier.NoModifier and view.is_on_curtain(at):
            self.drag = Drag("curtain", button, at, at)
            return
        kind = ("tool" if has_tool else view.tool) if act in ("tool", "opposite") else act
        click = "menu" if button == Qt.MouseButton.RightButton and _act("right click", modifiers, "nothing") == "menu" else ""
        if button == Qt.MouseButton.LeftButton and has_tool and kind not in ("tool", "nothing") and not modifiers & _CTRL:
            click = "tool"  # Shift and a click is the tool's, Shift and a drag moves the picture
        if (kind == "tool" or click == "tool") and view.is_arriving:
            view.refused.emit(_("Still reading. Wait until the series is whole."))
            if kind == "tool":
                return
            click = ""
        if kind == "nothing" and not click:
            return
        self.drag = Drag(kind, button, at, at, click)  # type: ignore[arg-type]
        if kind == "tool":
            view.tool_event("press", at, modifiers)
        elif kind == "crosshair":
            self._cross.press(view, at)

    def move(self, view: SliceView, event: QMouseEvent) -> None:
        at, drag = _point(event), self.drag
        if drag is None:
            view.hover(at, event.modifiers())
            view.show_curtain_cursor(at)
            if view.state.volume is not None and _act("move", event.modifiers(), "nothing") == "crosshair":
                view.pointed.emit(view.state.position_at(view.state.placement(view.viewport_size).to_picture(at)))
            return
        dx, dy = at[0] - drag.last[0], at[1] - drag.last[1]
        if drag.click and not drag.has_moved and max(abs(at[0] - drag.start[0]), abs(at[1] - drag.start[1])) < hand.CLICK_LIMIT_PX:
            return
        drag.has_moved, drag.last = True, at
        if drag.kind == "tool":
            view.tool_event("move", at, event.modifiers())
        elif drag.kind == "crosshair":
            self._cross.move(view, at)
        elif drag.kind != "nothing":
            self._follow(view, drag, dx, dy)
        view.hover(at, event.modifiers())

    @staticmethod
    def _follow(view: SliceView, drag: Drag, dx: float, dy: float) -> None:
        wish, state, viewport = view.wish, view.state, view.viewport_size
        if drag.kind == "window":
            view.take(hand.windowed(wish, state, dx, dy if handling().is_up_brighter else -dy))
        elif drag.kind == "pan":
            view.take(hand.panned(wish, state, viewport, dx, dy))
        elif drag.kind == "curtain":
            view.take(with_curtain(wish, state, curtain_at(state, state.placement(viewport), drag.last[0])))
        elif drag.kind == "scroll":
            drag.held += dy
            steps = int(drag.held / SCROLL_PX)
            drag.held -= steps * SCROLL_PX
            if steps:
                view.take(hand.stepped(wish, state, steps))
        else:
            view.take(hand.zoomed(wish, state, viewport, hand.ZOOM_PER_PX ** (-dy), drag.start))

    def release(self, view: SliceView, event: QMouseEvent) -> None:
        drag = self.drag
        if drag is None or event.button() != drag.button:
            return
        self.drag = None
        if drag.kind == "tool":
            view.tool_event("release", _point(event), event.modifiers())
        elif drag.has_moved:
            return
        elif drag.click == "menu":
            view.menu_wanted.emit(event.globalPosition().toPoint())
        elif drag.click == "tool":
            view.tool_event("press", drag.start, event.modifiers())
            view.tool_event("release", drag.start, event.modifiers())

    def double_click(self, view: SliceView, event: QMouseEvent) -> bool:
        """Whether two quick clicks mean something of their own here; with a plugin's tool they are two clicks."""
        if event.button() != Qt.MouseButton.LeftButton or not isinstance(view.tool, str):
            return False
        if _act("double click", event.modifiers(), "nothing") != "maximise":
            return False
        view.double_clicked.emit()
        return True

    def pinch(self, view: SliceView, event: QNativeGestureEvent) -> None:
        """Two fingers on a touch pad move apart or together."""
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture and _act("pinch", event.modifiers(), "nothing") == "zoom":
            spot = event.position()
            view.take(hand.zoomed(view.wish, view.state, view.viewport_size, max(0.1, 1 + event.value()), (spot.x(), spot.y())))

    def wheel(self, view: SliceView, event: QWheelEvent) -> None:
        turn, modifiers = event.angleDelta(), event.modifiers()
        delta = turn.y() or turn.x()  # some systems turn the wheel sideways while Alt or Shift is held
        is_touch = event.phase() != Qt.ScrollPhase.NoScrollPhase or event.device().type() == QInputDevice.DeviceType.TouchPad
        act = _act("two fingers", modifiers, "") if is_touch else ""
        act = act or _act("wheel", modifiers, "slice")
        wish, state, spot = view.wish, view.state, event.position()
        if not delta or act == "nothing":
            return
        if act == "pan":
            view.take(hand.panned(wish, state, view.viewport_size, turn.x() / 2, turn.y() / 2))
        elif act == "zoom":
            view.take(hand.zoomed(wish, state, view.viewport_size, hand.ZOOM_STEP ** (delta / hand.NOTCH), (spot.x(), spot.y())))
        elif act == "opacity":
            view.take(more_opaque(wish, state, delta / hand.NOTCH * OPACITY_STEP))
        else:
            self._scroll(view, event, act, delta, is_touch=is_touch)

    def _scroll(self, view: SliceView, event: QWheelEvent, act: str, delta: float, *, is_touch: bool) -> None:
        steps, self._wheel_held = hand.wheel_steps(self._wheel_held, delta, is_touch=is_touch)
        since, self._wheel_at = int(event.timestamp()) - self._wheel_at, int(event.timestamp())
        if not steps:
            return
        if event.modifiers() & _SHIFT and view.is_playing:
            view.rate_turned.emit(-steps)
        elif act != "brush or ten slices" or not view.turn_tool(-steps):
            factor = 1 if is_touch or not handling().accelerates else quickened(since, hand.stack_size(view.state))
            view.take(hand.stepped(view.wish, view.state, steps * (factor if act == "slice" else 10)))


def quickened(since_ms: int, count: int) -> int:
    """Slices to a notch of the wheel.

    One for a notch now and then; for one that comes ``since_ms`` after the last, the more the quicker, up to a fiftieth of
    the ``count`` slices. 0 ms is said by systems that do not tell the time: one slice.
    """
    if not 0 < since_ms < QUICK_MS:
        return 1
    return max(1, min(round(QUICK_MS / since_ms), count // _LARGEST_PART))


def more_opaque(wish: ViewWish, state: ViewState, part: float) -> ViewWish:
    """What lies over the picture covers more of it (``part`` above 0) or less: the second image of a fusion, else masks and maps."""
    fusion = state.fusion
    if fusion is not None and fusion.is_drawn and fusion.mode == "blend":
        return replace(wish, fusion=replace(fusion.wish, opacity=max(0.0, min(1.0, fusion.opacity + part))))
    if state.layers:
        wish = replace(wish, label_opacity=max(0.0, min(1.0, state.label_opacity + part)))
    if state.maps:
        wish = replace(wish, overlay_opacity=max(0.0, min(1.0, state.overlay_opacity + part)))
    return wish


def with_curtain(wish: ViewWish, state: ViewState, part: float) -> ViewWish:
    """The curtain of a fusion hung elsewhere: 0 at the left edge of the picture, 1 at the right."""
    return replace(wish, fusion=replace(state.fusion.wish, curtain=part)) if state.fusion is not None else wish


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


def _act(name: str, modifiers: Qt.KeyboardModifier, otherwise: str) -> str:
    """What a gesture does; one with modifiers that the profile does not name does what it does without them."""
    gestures = handling().gestures
    held = "+".join((*(word for flag, word in _NAMES if modifiers & flag), name))
    if name == "move":
        return gestures.get(held, otherwise)
    return gestures.get(held, gestures.get(name, otherwise))


def _point(event: QMouseEvent) -> Point:
    spot = event.position()
    return spot.x(), spot.y()
