"""The tool that makes a window from a region: a rectangle is dragged, the window becomes the region's 1st to 99th percentile."""

from __future__ import annotations

from typing import Any

from viewer.core.annotation import Annotation
from viewer.core.geometry import Triple
from viewer.core.tool import Pointer, ToolHost
from viewer.core.words import gettext as _
from viewer.session import hand
from viewer.session.windowing import region_window
from viewer.ui.host import Host

NAME = "region_window"
# A press without a drag is no region.
_LEAST_PX = 4.0


class RegionWindow:
    """A :class:`viewer.core.tool.Tool` of the window itself: it changes the view and no step comes of it."""

    options: Any = None

    def __init__(self, host: Host) -> None:
        self._host = host
        self._start: Pointer | None = None
        self._end: Pointer | None = None

    def press(self, _host: ToolHost, pointer: Pointer) -> None:
        self._start, self._end = pointer, None

    def move(self, _host: ToolHost, pointer: Pointer) -> None:
        if self._start is not None and pointer.axis == self._start.axis:
            self._end = pointer

    def release(self, host: ToolHost, pointer: Pointer) -> None:
        self.move(host, pointer)
        start, end = self._start, self._end
        self.cancel(host)
        if start is None or end is None or _distance(start, end) < _LEAST_PX:
            return
        if self._host.state.volume is not None and self._host.state.volume.is_color:
            self._host.say("info", _("This is a colour image."))
            return
        window = region_window(self._host.state, start.index, end.index)
        if window is None:
            self._host.say("info", _("The region holds too few values for a window. Drag a larger one."))
            return
        self._host.set_wish(hand.with_window(self._host.wish, self._host.state, window))

    def cancel(self, _host: ToolHost) -> None:
        self._start = self._end = None

    def shapes(self, host: ToolHost, _pointer: Pointer | None) -> tuple[Annotation, ...]:
        """Four lines on the grid, while it is dragged."""
        if self._start is None or self._end is None:
            return ()
        geometry = self._host.state.geometry
        corners = [tuple(float(c) for c in geometry.to_patient(index)) for index in _corners(self._start, self._end)]
        sides = zip(corners, corners[1:] + corners[:1], strict=True)
        volume_id, axis = self._host.root_id, self._start.axis
        return tuple(
            Annotation(f"region-window-{number}", "line", volume_id, ends, axis, host.phase)  # type: ignore[arg-type]
            for number, ends in enumerate(sides)
        )


def _corners(start: Pointer, end: Pointer) -> list[Triple]:
    """Around the rectangle, on the slice of the start."""
    first, second = (n for n in range(3) if n != start.axis)
    found = []
    for a, b in ((start, start), (end, start), (end, end), (start, end)):
        index = list(start.index)
        index[first], index[second] = a.index[first], b.index[second]
        found.append((index[0], index[1], index[2]))
    return found


def _distance(start: Pointer, end: Pointer) -> float:
    """The longer side in screen pixels."""
    return max(abs(a - b) for a, b in zip(start.position, end.position, strict=True)) / max(start.pixel, 1e-12)
