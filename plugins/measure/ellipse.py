"""An ellipse, and the statistics of the values in it."""

from __future__ import annotations

import numpy as np

from plugins.measure.drag import DrawTool, plane_vectors
from viewer.api import Geometry, Triple, mark
from viewer.api.tool import Annotation, Pointer


class Ellipse(DrawTool):
    """Drag from corner to corner of the box around it; Shift makes a circle."""

    title = mark("Measure an ellipse")

    def shape(self, start: Triple, end: Triple, pointer: Pointer, geometry: Geometry, axis: int, item_id: str) -> Annotation:
        vectors = plane_vectors(geometry, axis)
        arm = np.asarray(end) - np.asarray(start)
        sides = [float(arm @ v) for v in vectors]
        if pointer.shift:
            longest = max(map(abs, sides))
            sides = [longest if side >= 0 else -longest for side in sides]
        # Neither half axis may become 0: the shape would have no inside and could not be enlarged again.
        sides = [side if abs(side) >= pointer.pixel else pointer.pixel for side in sides]
        halves = [side / 2 * v for side, v in zip(sides, vectors, strict=True)]
        centre = np.asarray(start) + halves[0] + halves[1]
        first, second = ((float(x), float(y), float(z)) for x, y, z in (centre + half for half in halves))
        middle = (float(centre[0]), float(centre[1]), float(centre[2]))
        return Annotation(item_id, "ellipse", "", (middle, first, second), axis)
