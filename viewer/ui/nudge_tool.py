"""The tool that moves the second image of a fusion by hand: a drag shifts it in the plane, Ctrl and a drag turn it; each drag one step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from viewer.core.alignment import SAME_PLACE, rigid, turned_about
from viewer.core.annotation import Annotation
from viewer.core.geometry import Triple
from viewer.core.tool import Pointer, ToolHost
from viewer.ui.host import Host

NAME = "nudge"


class Nudge:
    """A :class:`viewer.core.tool.Tool` of the window itself.

    Parameters
    ----------
    host : Host
    """

    options: Any = None
    any_plane = True
    """Turned planes and slabs too: places are moved, not voxels."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._start: Triple | None = None
        self._is_turning = False
        self.show: Callable[[tuple[float, ...]], None] = lambda _nudge: None
        """Show a move that is in the hand."""
        self.keep: Callable[[tuple[float, ...]], None] = lambda _nudge: None
        """Make it a step."""
        self.why_not: Callable[[], str] = lambda: ""

    def press(self, host: ToolHost, pointer: Pointer) -> None:
        reason = self.why_not()
        if reason:
            host.say(reason)
            return
        self._start, self._is_turning = pointer.position, pointer.control

    def move(self, _host: ToolHost, pointer: Pointer) -> None:
        if self._start is not None:
            self.show(self._moved(pointer))

    def release(self, host: ToolHost, pointer: Pointer) -> None:
        if self._start is None:
            return
        moved = self._moved(pointer)
        self.cancel(host)
        if moved != SAME_PLACE:
            self.keep(moved)

    def cancel(self, _host: ToolHost) -> None:
        if self._start is not None:
            self._start = None
            self.show(SAME_PLACE)

    def shapes(self, _host: ToolHost, _pointer: Pointer | None) -> tuple[Annotation, ...]:
        return ()

    def _moved(self, pointer: Pointer) -> tuple[float, ...]:
        assert self._start is not None
        here, there = np.asarray(self._start), np.asarray(pointer.position)
        if not self._is_turning:
            return rigid(shift=there - here)
        state = self._host.state
        width, height = state.layout.size
        center = np.asarray(state.position_at((width / 2, height / 2)))
        normal = state.cut.normal
        a, b = here - center, there - center
        angle = math.degrees(math.atan2(float(normal @ np.cross(a, b)), float(a @ b)))
        return turned_about(normal, angle, center) if abs(angle) > 1e-9 else SAME_PLACE
