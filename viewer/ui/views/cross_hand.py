"""The crosshair tool in a view: a drag moves the crosshair, or turns its lines where it takes one of their handles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from viewer.core.layout import Point
from viewer.draw.crosshair import handles

if TYPE_CHECKING:
    from viewer.ui.views.slice_view import SliceView

REACH_PX = 11.0
"""How near to a handle's middle a press takes it."""


class CrossHand:
    """What a drag of the crosshair tool is in the middle of."""

    def __init__(self) -> None:
        self._angle: float | None = None

    def press(self, view: SliceView, at: Point) -> None:
        """Take a handle, or put the crosshair here."""
        self._angle = _angle(view, at) if self.would_turn(view, at) else None
        if self._angle is None:
            self.move(view, at)

    def move(self, view: SliceView, at: Point) -> None:
        """The pointer of the drag is here now."""
        if self._angle is None:
            placement = view.state.placement(view.viewport_size)
            view.pointed.emit(view.state.position_at(placement.to_picture(at)))
            return
        now = _angle(view, at)
        if now is not None:
            turned = math.remainder(now - self._angle, math.tau)
            self._angle = now
            if turned:
                view.lines_turned.emit(turned)

    def would_turn(self, view: SliceView, at: Point) -> bool:
        """Whether a press here would take a handle."""
        if not view.is_turnable or view.state.volume is None:
            return False
        placement = view.state.placement(view.viewport_size)
        spots = handles(view.cross, placement, view.viewport_size)
        return any(math.hypot(spot.x() - at[0], spot.y() - at[1]) <= REACH_PX for spot, _cell in spots)


def _angle(view: SliceView, at: Point) -> float | None:
    """Clockwise on screen, of the pointer about the crosshair."""
    if view.cross.at is None:
        return None
    x, y = view.state.placement(view.viewport_size).to_viewport(view.cross.at)
    return math.atan2(at[1] - y, at[0] - x)
