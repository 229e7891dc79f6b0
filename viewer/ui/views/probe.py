"""What lies under the pointer: index, place, value with unit, segment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.digits import intensity
from viewer.core.geometry import Index, Triple, place_text
from viewer.core.layout import Point
from viewer.core.words import gettext as _
from viewer.draw.fusion import second_text
from viewer.draw.planes import shown_values
from viewer.session.view import Readable, ViewState


@dataclass(frozen=True, slots=True)
class Probe:
    """``index`` is (plane, row, column) of the voxel under the pointer."""

    index: Index
    position: Triple
    position_text: str
    value_text: str
    """Value with unit, or red, green and blue; "" outside of the image."""
    segment: str = ""
    second_text: str = ""
    """Name and value with unit of what lies over the image there; "" where nothing does."""

    @property
    def lines(self) -> str:
        """The value of the first, and under it that of the second."""
        return f"{self.value_text}\n{self.second_text}" if self.second_text else self.value_text


def probe_at(state: ViewState, document: Readable, point: Point, plane: NDArray[Any] | None = None) -> Probe | None:
    """What is at a picture point; None outside of the picture. A voxel reaches half a step beyond its centre (C05).

    ``plane``: the values (rows, columns[, 3]) of the slice of a series that is still being read.
    """
    volume = state.volume
    if volume is None:
        return None
    place = state.index_at(point)
    index: Index = (math.floor(place[0] + 0.5), math.floor(place[1] + 0.5), math.floor(place[2] + 0.5))
    if not volume.geometry.contains(index):
        return None
    position = state.position_at(point)
    if state.is_oblique and not volume.geometry.is_rectangular and np.isnan(_shown_value(state, point)):
        return None  # where planes are missing nothing is shown, and nothing said
    value = volume.phase(state.phase)[index] if plane is None else plane[index[1:]]
    if state.slab is not None and plane is None:
        value = _shown_value(state, point)
    if volume.is_color:
        text = "R {} G {} B {}".format(*(int(part) for part in value))
        if volume.indices is not None:
            text += " · " + _("index {number}").format(number=int(volume.indices[state.phase][index]))
    elif not np.isfinite(value):
        text = ""
    else:
        text = intensity(float(value), volume.unit, is_statistic=not float(value).is_integer())
        is_padding = volume.is_padding(float(value))
        for scale in volume.scales if not is_padding else ():
            text += f" · {intensity(float(value) * scale.factor, scale.unit)}"
        if is_padding:
            # Not a measured value, and where the files of a series differ in it not even the number that its own file has.
            text += " · " + _("padding")
        if state.slab is not None and plane is None:
            text = _("{slab}: {value}").format(slab=state.slab.badge, value=text)
    words = place_text(position, volume.geometry.unit, volume.geometry.is_patient)
    return Probe(index, position, words, text, _segment_at(state, document, index), second_text(state, position))


def _shown_value(state: ViewState, point: Point) -> Any:
    """The value of the pixel under the pointer: what is painted there, not that of one voxel."""
    values, step = shown_values(state), state.layout.step
    row, column = math.floor(point[1] / step[0]), math.floor(point[0] / step[1])
    return values[min(max(row, 0), values.shape[0] - 1), min(max(column, 0), values.shape[1] - 1)]


def _segment_at(state: ViewState, document: Readable, index: Index) -> str:
    for shown in reversed(state.layers):
        label = int(document.labels(shown.layer.id)[index])
        segment = shown.layer.segment(label) if label else None
        if segment is not None and segment.is_visible:
            return segment.name
    return ""
