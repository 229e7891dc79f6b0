"""The tool in a view's hand: a built-in one by name, or one of a plugin, whose faults must not end the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from viewer.core.annotation import Annotation
from viewer.core.layout import Point
from viewer.core.tool import Pointer, Tool, ToolHost
from viewer.session.view import triple
from viewer.ui.views.mouse import BuiltIn, Mouse, turned_radius

if TYPE_CHECKING:
    from viewer.session.arriving import Arriving
    from viewer.session.view import ViewState


class ToolHand:
    """The part of a slice view that holds a tool; mixed into it."""

    tool: BuiltIn | Tool
    state: ViewState
    _host: ToolHost | None
    _mouse: Mouse
    _arriving: Arriving | None
    _shapes: tuple[Annotation, ...]
    _hovered: tuple[Point, Qt.KeyboardModifier] | None
    failed: Any
    refused: Any
    options_changed: Any
    viewport: Any
    viewport_size: Any
    setCursor: Any  # noqa: N815  Qt's name

    def set_tool(self, tool: BuiltIn | Tool, host: ToolHost | None = None) -> None:
        """What a left drag does: a built-in by name, or a tool of a plugin with its host."""
        self.cancel_gesture()
        self.tool, self._host = tool, host
        self.setCursor(Qt.CursorShape.OpenHandCursor if tool == "pan" else Qt.CursorShape.CrossCursor if self._host else Qt.CursorShape.ArrowCursor)
        self._show_shapes(None)

    def cancel_gesture(self) -> None:
        """End what the mouse is in the middle of; a tool puts back what it did."""
        drag, self._mouse.drag = self._mouse.drag, None
        if drag is not None and drag.kind == "tool" and self._host is not None and not isinstance(self.tool, str):
            self._guarded(self.tool.cancel, self._host)
        self._show_shapes(None)

    def tool_event(self, name: str, at: Point, modifiers: Qt.KeyboardModifier) -> None:
        """Feed the plugin's tool: press, move or release."""
        if self._host is None or isinstance(self.tool, str):
            return
        reason = self._why_no_tool()
        if reason:
            self._mouse.drag = None
            if name == "press":
                self.refused.emit(reason)
            return
        pointer = self._pointer(at, modifiers)
        if not self._guarded(getattr(self.tool, name), self._host, pointer):
            self.cancel_gesture()
        self._show_shapes(pointer)

    def turn_tool(self, steps: int) -> bool:
        """Shift+wheel over a tool with a radius makes that larger or smaller; False if the tool has none."""
        if isinstance(self.tool, str):
            return False
        radius = turned_radius(self.tool.options, steps)
        if radius is None:
            return False
        self.tool.options.radius = radius
        self.options_changed.emit()
        if self._hovered is not None:
            self._show_shapes(self._pointer(*self._hovered))
        return True

    def _why_no_tool(self) -> str:
        """Why the tool cannot work on what is shown. One that has ``any_plane`` asks for no plane of voxels."""
        return "" if getattr(self.tool, "any_plane", False) else self.state.why_no_slice

    def _guarded(self, call: Any, *arguments: Any) -> bool:
        try:
            call(*arguments)
        except Exception as error:  # noqa: BLE001  a plugin's fault must not end the window; the owner says what it was
            self.failed.emit(error)
            return False
        return True

    def _pointer(self, at: Point, modifiers: Qt.KeyboardModifier) -> Pointer:
        state = self.state
        placement = state.placement(self.viewport_size)
        point = placement.to_picture(at)
        index = state.index_at(point)
        return Pointer(
            position=triple(state.geometry.to_patient(index)), index=index, axis=state.layout.axis, pixel=state.layout.unit_length / placement.zoom,
            shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier), control=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
        )  # fmt: skip

    def _show_shapes(self, pointer: Pointer | None) -> None:
        shapes: tuple[Annotation, ...] = ()
        if (
            self._host is not None
            and not isinstance(self.tool, str)
            and self.state.volume is not None
            and self._arriving is None
            and not self._why_no_tool()
        ):
            try:
                shapes = tuple(self.tool.shapes(self._host, pointer))
            except Exception as error:  # noqa: BLE001  as in _guarded
                self.failed.emit(error)
        if shapes != self._shapes:
            self._shapes = shapes
            self.viewport().update()
