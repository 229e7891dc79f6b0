"""Laying one thing over another: labels and maps of a file become layers and overlays of an opened image, as one step.

The ``..._step`` functions are pure and may run on any thread; the ``attach_...`` functions commit at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import Refused
from viewer.core.geometry import Geometry, Index
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment, segment_color
from viewer.core.overlay import ScalarMap
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.session.document import Document
from viewer.session.history import Change, ItemChange, Origin, Phrase, Step, filled_layer
from viewer.session.packing import Box

MOST_SEGMENTS = 255
"""More different numbers than this are taken for a picture, not for segments."""
_HIGHEST_LABEL = 65535


@dataclass(frozen=True, slots=True)
class LabelDraft:
    """A label layer to be: ``values`` (planes, rows, columns) of whole numbers, 0 the background, on the image's grid or ``box`` of it."""

    name: str
    values: NDArray[Any] = field(repr=False)
    segments: tuple[Segment, ...]
    box: Box | None = None
    """Where the values lie on the image's grid; None: they cover it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Values brought into the order of another grid, and the box of it that they fill."""

    values: NDArray[Any] = field(repr=False)
    box: Box


def place_on(target: Geometry, geometry: Geometry, values: NDArray[Any]) -> Placed | None:
    """Values (planes, rows, columns) of one grid on another that has the same voxels; None where it has not.

    The same voxels may be stored in another order (axes swapped or turned round), and may be a part of the target
    only (a mask cut to its extent). Nothing is interpolated.
    """
    turned = _in_order_of(target, geometry, values)
    if turned is None:
        return None
    geometry, values = turned
    offset = target.to_index(geometry.origin)
    start = np.rint(offset).astype(int)
    stop = start + np.asarray(geometry.shape)
    if np.any(start < 0) or np.any(stop > np.asarray(target.shape)):
        return None
    first: Index = (int(start[0]), int(start[1]), int(start[2]))
    if not target.cropped(first, geometry.shape).same_grid(geometry):
        return None
    return Placed(values, ((first[0], int(stop[0])), (first[1], int(stop[1])), (first[2], int(stop[2]))))


def _in_order_of(target: Geometry, geometry: Geometry, values: NDArray[Any]) -> tuple[Geometry, NDArray[Any]] | None:
    if target.is_patient != geometry.is_patient:
        return None
    # Rows: axes of the target; columns: axes of the values. One entry of each is 1 or -1 where the axes are parallel.
    along = np.array([[float(target.vector(a) @ geometry.vector(b)) for b in range(3)] for a in range(3)])
    order = [int(n) for n in np.abs(along).argmax(axis=1)]
    if sorted(order) != [0, 1, 2]:
        return None
    turned = geometry.permuted((order[0], order[1], order[2]))
    values = np.transpose(values, order)
    for axis in range(3):
        if along[axis, order[axis]] < 0:
            values = np.flip(values, axis)
            turned = turned.flipped(axis)
    return turned, values


def label_values(volume: Volume) -> tuple[int, ...]:
    """The different numbers above 0 that a volume's voxels would be as labels, lowest first.

    Raises
    ------
    Refused
        For colour, fractions, negative numbers, numbers beyond 65535 and more than 255 different ones.
    """
    if volume.is_color:
        raise Refused(_("It is a colour image; segments are whole numbers."))
    found: set[int] = set()
    for values in volume.data.reshape(-1, *volume.data.shape[2:]):
        if values.dtype.kind == "f":
            whole = np.rint(values)
            if not np.array_equal(values, whole):
                raise Refused(_("Its values are not whole numbers."))
            used = np.unique(whole)
        elif values.dtype.kind == "b" or values.dtype.itemsize <= 2:
            # Far quicker than sorting: these types have at most 65536 different values.
            low = int(values.min()) if values.dtype.kind == "i" else 0
            used = np.flatnonzero(np.bincount((values if low >= 0 else values.astype(np.int32) - low).ravel())) + low
        else:
            used = np.unique(values)
        if used.size and used[0] < 0:
            raise Refused(_("It has values below 0; segments are whole numbers from 1 on."))
        if used.size and used[-1] > _HIGHEST_LABEL:
            raise Refused(
                _("It has values up to {highest:.0f}; segments have numbers up to {most}.").format(highest=float(used[-1]), most=_HIGHEST_LABEL)
            )
        found.update(int(n) for n in used)
        if len(found - {0}) > MOST_SEGMENTS:
            raise Refused(_("It has more than {most} different values; that is a picture, not segments.").format(most=MOST_SEGMENTS))
    return tuple(sorted(found - {0}))


def drafted(
    name: str, values: NDArray[Any], names: Mapping[int, str] | None = None, colors: Mapping[int, str] | None = None,
    *, box: Box | None = None, first_number: int = 1,
) -> LabelDraft:  # fmt: skip
    """A draft with a segment for every label in ``values`` and every named one; what has no name is called by its label.

    ``first_number``: which of the colours (from 1) the first segment without a colour gets.
    """
    names, colors = names or {}, colors or {}
    used: set[int] = set(names)
    for plane in values:
        used.update(int(n) for n in np.unique(plane))
    labels = sorted(used - {0})
    if labels and not 0 < labels[0] <= labels[-1] <= _HIGHEST_LABEL:
        raise Refused(_("Segments have numbers from 1 to {most}.").format(most=_HIGHEST_LABEL))
    segments = tuple(
        Segment(label, names.get(label, "") or _("Segment {number}").format(number=label), colors.get(label, "") or segment_color(first_number + n))
        for n, label in enumerate(labels)
    )
    return LabelDraft(name, values, segments, box)


def labels_step(root: Volume, drafts: Sequence[LabelDraft], title: str, *, origin: Origin | None = None) -> Step:
    """One step that adds layers to an opened image; commit it with ``Document.commit``.

    Raises
    ------
    Refused
        Where values lie outside of the image, or no draft has a segment.
    """
    changes: list[Change] = []
    for draft in drafts:
        if not draft.segments:
            continue
        whole = root.geometry.shape
        box = draft.box or ((0, whole[0]), (0, whole[1]), (0, whole[2]))
        if draft.values.shape != tuple(b - a for a, b in box) or any(a < 0 or b > n for (a, b), n in zip(box, whole, strict=True)):
            raise Refused(_("{name}: its voxels are not those of the image.").format(name=draft.name))
        layer = LabelLayer(new_id("layer"), draft.name, root.geometry, root.id, draft.segments)
        change = filled_layer(layer, box, draft.values)
        changes += [ItemChange("layer", layer.id, None, layer), *([change] if change else [])]
    if not changes:
        raise Refused(_("{name}: there is no segment in it.").format(name=title))
    return Step(new_id("step"), Phrase("Segmentation {name}", {"name": title}), time.time(), origin or Origin("edit"), tuple(changes))


def overlay_step(
    root: Volume, maps: Sequence[ScalarMap], title: str, *, origin: Origin | None = None
) -> Step:  # fmt: skip
    """One step that lays maps over an opened image."""
    if any(item.volume_id != root.id for item in maps):
        raise ValueError("a map of another image")
    changes = tuple(ItemChange("overlay", item.id, None, item) for item in maps)
    return Step(new_id("step"), Phrase("Overlay {name}", {"name": title}), time.time(), origin or Origin("edit"), changes)


def scalar_map(
    root: Volume, values: NDArray[Any], name: str, *, geometry: Geometry | None = None, unit: str = "", color_map: str = "inferno", phase: int = 0
) -> ScalarMap:  # fmt: skip
    """A map over an opened image; ``geometry`` where it is not the image's own."""
    return ScalarMap(new_id("overlay"), name, root.id, geometry or root.geometry, values.astype(np.float32, copy=False), unit, color_map, phase)


def attach_labels(
    document: Document, root_id: str, values: NDArray[Any], names: Mapping[int, str] | None = None, colors: Mapping[int, str] | None = None,
    title: str = "", *, box: Box | None = None,
) -> str:  # fmt: skip
    """Add a label layer to an opened image as one step; returns the layer's id.

    Parameters
    ----------
    values : array (planes, rows, columns) of whole numbers
        On the image's grid, or on ``box`` of it; 0 is the background.
    names, colors : by label
        A label without a name is called "Segment n"; one without a colour (#RRGGBB) gets the next of the usual ones.
    """
    root = document.volume(root_id)
    number = 1 + sum(len(layer.segments) for layer in document.layers_of(root_id))
    step = labels_step(root, [drafted(title, values, names, colors, box=box, first_number=number)], title)
    document.commit(step)
    return next(change.id for change in step.changes if isinstance(change, ItemChange))


def attach_overlay(
    document: Document, root_id: str, values: NDArray[Any], title: str, *, geometry: Geometry | None = None, unit: str = "",
    color_map: str = "inferno", phase: int = 0,
) -> str:  # fmt: skip
    """Lay a map over an opened image as one step; returns the map's id."""
    root = document.volume(root_id)
    item = scalar_map(root, values, title, geometry=geometry, unit=unit, color_map=color_map, phase=phase)
    document.commit(overlay_step(root, [item], title))
    return item.id
