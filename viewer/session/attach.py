"""Laying one thing over another: labels and maps of a file become layers and overlays of an opened image, as one step.

What :mod:`viewer.session.objects` (segmentations, structure sets), :mod:`viewer.session.maps` (doses, parametric maps) and
:mod:`viewer.session.laying` (any other file) have in common. Steps are made on any thread and committed by the caller.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import Refused
from viewer.core.geometry import Geometry, Index
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment, segment_color
from viewer.core.overlay import ScalarMap
from viewer.core.provenance import Note
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.io.series import SeriesEntry
from viewer.session.document import Document
from viewer.session.history import Change, ItemChange, ItemKind, Origin, Phrase, Step, filled_layer
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
    name: str, values: NDArray[Any], labels: Iterable[int], names: Mapping[int, str] | None = None, colors: Mapping[int, str] | None = None,
    *, box: Box | None = None, first_number: int = 1,
) -> LabelDraft:  # fmt: skip
    """A draft with a segment for each of the labels.

    Parameters
    ----------
    values : array (planes, rows, columns) of whole numbers
        On the image's grid, or on ``box`` of it; 0 is the background.
    labels : numbers from 1 to 65535
        Those in ``values``, and those that shall be there though no voxel has them yet.
    names, colors : by label
        A label without a name is called "Segment n"; one without a colour (#RRGGBB) gets the next of the usual ones.
    first_number : int
        Which of the usual colours, from 1, the first segment gets.
    """
    names, colors = names or {}, colors or {}
    segments = tuple(
        Segment(label, names.get(label, "") or _("Segment {number}").format(number=label), colors.get(label, "") or segment_color(first_number + n))
        for n, label in enumerate(sorted(set(labels)))
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
    return Step(new_id("step"), Phrase(mark("Segmentation {name}"), {"name": title}), time.time(), origin or Origin("edit"), tuple(changes))


def overlay_step(root: Volume, maps: Sequence[ScalarMap], title: str, *, origin: Origin | None = None) -> Step:
    """One step that lays maps over an opened image; commit it with ``Document.commit``."""
    if any(item.volume_id != root.id for item in maps):
        raise ValueError("a map of another image")
    changes = tuple(ItemChange("overlay", item.id, None, item) for item in maps)
    return Step(new_id("step"), Phrase(mark("Overlay {name}"), {"name": title}), time.time(), origin or Origin("edit"), changes)


def placed_map(root: Volume, placed: Placed, name: str, *, unit: str, phase: int) -> ScalarMap:
    """A map of values that :func:`place_on` has brought onto the voxels of an opened image; ``phase`` is the image's."""
    (a, b), (c, d), (e, f) = placed.box
    geometry = root.geometry.cropped((a, c, e), (b - a, d - c, f - e))
    return ScalarMap(new_id("overlay"), name, root.id, geometry, np.ascontiguousarray(placed.values, dtype=np.float32), unit, phase=phase)


def under_other_phases(first: ScalarMap, phases: int) -> list[ScalarMap]:
    """The same map for every other phase of an image with so many; the arrays are shared."""
    return [replace(first, id=new_id("overlay"), phase=number) for number in range(phases) if number != first.phase]


def object_origin(name: str, entry: SeriesEntry, notes: Sequence[Note] = ()) -> Origin:
    """Where a step comes from that attaches a listed object: by this :func:`attached_items` finds it again."""
    parameters: dict[str, Any] = {"object": _object_key(entry), "file": entry.files[0].name}
    if notes:
        parameters["notes"] = [note.text for note in notes]
    return Origin("import", name, parameters)


def attached_items(document: Document, name: str, entry: SeriesEntry, kind: ItemKind) -> tuple[str, ...]:
    """Ids of the items of a kind that steps of that origin, as far as they are not undone, have made of an object.

    Later steps may have deleted them. To be called on the document's thread.
    """
    key = _object_key(entry)
    return tuple(
        change.id
        for step in document.history.steps[: document.history.position]
        if step.origin.name == name and step.origin.parameters.get("object") == key
        for change in step.changes
        if isinstance(change, ItemChange) and change.kind == kind
    )


def _object_key(entry: SeriesEntry) -> str:
    """What an object is known by from session to session: its own UID, else its place in the listing."""
    header = getattr(entry.plan, "header", None)
    return (header.sop_uid if header is not None else "") or entry.id
