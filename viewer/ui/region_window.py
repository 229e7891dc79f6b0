"""The tool that makes a window from a region: a rectangle is dragged, the window becomes the region's 1st to 99th percentile."""

from __future__ import annotations

from typing import Any

from viewer.core.annotation import Annotation
from viewer.core.tool import Pointer, ToolHost
from viewer.core.words import gettext as _
from viewer.draw.planes import shown_values
from viewer.session import hand
from viewer.session.windowing import region_window
from viewer.ui.host import Host

NAME = "region_window"
# A press without a drag is no region.
_LEAST_PX = 4.0


class RegionWindow:
    """A :class:`viewer.core.tool.Tool` of the window itself: it changes the view and no step comes of it."""

    options: Any = None
    any_plane = True
    """Also on turned planes and slabs: what is shown counts, not whose voxels it is."""

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
        if self._host.state.volume is None or self._host.state.volume.is_color:
            self._host.say("info", _("This is a colour image."))
            return
        state = self._host.state
        window = region_window(state, shown_values(state), state.point_of(start.position), state.point_of(end.position))
        if window is None:
            self._host.say("info", _("The region holds too few values for a window. Drag a larger one."))
            return
        self._host.set_wish(hand.with_window(self._host.wish, self._host.state, window))

    def cancel(self, _host: ToolHost) -> None:
        self._start = self._end = None

    def shapes(self, host: ToolHost, _pointer: Pointer | None) -> tuple[Annotation, ...]:
        """Four lines, while it is dragged."""
        if self._start is None or self._end is None:
            return ()
        state = self._host.state
        (left, top), (right, bottom) = state.point_of(self._start.position), state.point_of(self._end.position)
        corners = [state.position_at(point) for point in ((left, top), (right, top), (right, bottom), (left, bottom))]
        sides = zip(corners, corners[1:] + corners[:1], strict=True)
        axis, root_id = self._start.axis, self._host.root_id
        return tuple(Annotation(f"region-window-{n}", "line", root_id, ends, axis, host.phase) for n, ends in enumerate(sides))


def _distance(start: Pointer, end: Pointer) -> float:
    """The longer side in screen pixels."""
    return max(abs(a - b) for a, b in zip(start.position, end.position, strict=True)) / max(start.pixel, 1e-12)
