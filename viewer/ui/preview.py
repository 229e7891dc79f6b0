"""From the results of a previewed call to the plane that the slice view paints in place of the real one."""

from __future__ import annotations

from typing import Any

import numpy as np

from viewer.core.images import Image, Labels, Mask, Overlay
from viewer.draw.picture import Preview
from viewer.session.apply import Call
from viewer.session.view import ViewState


def shown_preview(pair: Any, state: ViewState) -> Preview | None:
    """``pair``: (call, results) of a call on the visible plane. None if it gives nothing to see, or the view has moved on."""
    call, results = pair
    assert isinstance(call, Call)
    scope = call.scope
    if state.volume is None or state.volume.id != call.volume.id:
        return None
    if state.why_no_slice or (scope.kind, scope.axis, scope.index, scope.phase) != ("slice", state.layout.axis, state.array_index, state.phase):
        return None
    for result in results:
        if isinstance(result, Image):
            return Preview(result.values[0])
        if isinstance(result, Mask):
            return Preview(result.values[0].astype(np.uint8), "labels", colors=(_target_color(call),) if _target_color(call) else ())
        if isinstance(result, Labels):
            return Preview(result.values[0], "labels")
        if isinstance(result, Overlay):
            return Preview(result.values[0], "map", color_map=result.color_map)
    return None


def _target_color(call: Call) -> str:
    if call.target is None or call.target_layer is None:
        return ""
    segment = call.target_layer.segment(call.target.label)
    return segment.color if segment else ""
