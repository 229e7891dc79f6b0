"""What panels do with measurements: name them, put their value in words, bring them into view, change them by one step each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from viewer.core import digits
from viewer.core.annotation import Annotation
from viewer.core.geometry import Geometry, Plane, Triple
from viewer.core.ids import new_id
from viewer.core.layout import layout_of
from viewer.core.measure import MEAN, measure_annotation
from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.session import hand
from viewer.session.document import Document
from viewer.session.view import ViewState, is_on_slice
from viewer.ui.panel_host import PanelHost

SHAPES = {
    "distance": mark("Distance"), "ellipse": mark("Ellipse"), "line": mark("Line"), "circle": mark("Circle"), "point": mark("Point"),
}  # fmt: skip
_PLANES: tuple[Plane, ...] = ("acquired", "axial", "coronal", "sagittal")


def names_of(document: Document, root_id: str) -> dict[str, str]:
    """Names of an image's measurements by id; those that nobody named are numbered by their shape."""
    counts: dict[str, int] = {}
    names = {}
    for item in document.annotations_of(root_id):
        counts[item.shape] = counts.get(item.shape, 0) + 1
        usual = _("{shape} {number}").format(shape=_(SHAPES[item.shape]), number=counts[item.shape])
        names[item.id] = item.name or usual
    return names


def finest(geometry: Geometry) -> float:
    """The smallest spacing in the plane, which decides how many digits a length deserves."""
    return min(geometry.spacing[1:])


def value_text(item: Annotation, geometry: Geometry) -> str:
    """The one number that a list shows: the mean inside a shape, else its first measure."""
    mean = next((m for m in item.measures if m.name == MEAN and m.value is not None), None)
    if mean is not None:
        return _("mean {value}").format(value=digits.measure_text(mean))
    return digits.measure_text(item.measures[0], spacing=finest(geometry)) if item.measures else ""


def slice_of(item: Annotation, state: ViewState) -> tuple[Plane, int]:
    """The plane and the slice, from 0 as shown, that a measurement lies on."""
    geometry = state.geometry
    plane = next((p for p in (state.plane, *_PLANES) if geometry.axis_of(p) == item.axis), state.plane)
    aspect = state.volume.pixel_aspect if state.volume is not None else 1.0
    layout = layout_of(geometry, plane, pixel_aspect=aspect)
    middle = float(np.mean(geometry.to_index(np.asarray(item.points, dtype=np.float64))[:, layout.axis]))
    return plane, max(0, min(round(layout.slice_of(np.floor(middle + 0.5))), layout.count - 1))


def show_measurement(panels: PanelHost, annotation_id: str) -> None:
    """Select a measurement and bring its slice into view."""
    item = panels.document.item("annotation", annotation_id)
    state = panels.state
    if item is None or state.volume is None:
        return
    is_here = item.phase == state.phase and is_on_slice(item, state.geometry, state.layout.axis, state.array_index)
    if not is_here and item.points:
        plane, index = slice_of(item, state)
        panels.host.set_wish(hand.at_slice(panels.host.wish, state, plane, index, item.phase))
    panels.tooling.select(annotation_id)


def rename_measurement(panels: PanelHost, annotation_id: str, name: str) -> None:
    """Give a measurement another name, as one step."""
    item = panels.document.item("annotation", annotation_id)
    if item is None or not name.strip() or name.strip() == names_of(panels.document, item.volume_id)[annotation_id]:
        return
    with panels.host.reporting(), panels.document.edit("Rename to {name}", name=name.strip()) as edit:
        edit.put(replace(item, name=name.strip()))


def delete_measurement(panels: PanelHost, annotation_id: str) -> None:
    """Take a measurement out, as one step."""
    item = panels.document.item("annotation", annotation_id)
    if item is None:
        return
    name = names_of(panels.document, item.volume_id)[annotation_id]
    with panels.host.reporting(), panels.document.edit("Delete {name}", name=name) as edit:
        edit.remove("annotation", annotation_id)


def move_measurement(panels: PanelHost, annotation_id: str, points: tuple[Triple, ...]) -> None:
    """Put a measurement's points elsewhere and measure anew, as one step."""
    item = panels.document.item("annotation", annotation_id)
    if item is None or item.points == points:
        return
    original = panels.document.volume(item.volume_id)
    name = names_of(panels.document, item.volume_id)[annotation_id]
    with panels.host.reporting(), panels.document.edit("Change {name}", name=name) as edit:
        edit.put(measure_annotation(replace(item, points=points), original))


def add_measurement(panels: PanelHost, shape: str) -> None:
    """A distance or an ellipse in the middle of the slice in view, as one step; it is selected, so that its numbers can be typed."""
    state = panels.state
    if state.volume is None:
        return
    if state.why_no_slice:
        panels.host.say("info", state.why_no_slice)
        return
    width, height = state.layout.size
    x, y, reach = width / 2, height / 2, min(width, height) / 8
    if shape == "ellipse":
        places = ((x, y), (x + reach, y), (x, y + reach))
    else:
        places = ((x - reach, y), (x + reach, y))
    points = tuple(state.position_at(place) for place in places)
    kind = "ellipse" if shape == "ellipse" else "distance"
    item = Annotation(new_id("annotation"), kind, state.root_id, points, state.layout.axis, state.phase)  # type: ignore[arg-type]
    title = mark("Measure an ellipse") if kind == "ellipse" else mark("Measure a distance")
    with panels.host.reporting(), panels.document.edit(title) as edit:
        edit.put(measure_annotation(item, panels.document.volume(state.root_id)))
    panels.tooling.select(item.id)
