"""The distance between two places."""

from __future__ import annotations

from plugins.measure.drag import DrawTool, snapped
from viewer.api import Geometry, Triple, mark
from viewer.api.tool import Annotation, Pointer


class Distance(DrawTool):
    """Drag from end to end; Shift keeps the line to steps of 15 degrees."""

    title = mark("Measure a distance")

    def shape(self, start: Triple, end: Triple, pointer: Pointer, geometry: Geometry, axis: int, item_id: str) -> Annotation:
        if pointer.shift:
            end = snapped(start, end, geometry, axis)
        return Annotation(item_id, "distance", "", (start, end), axis)
