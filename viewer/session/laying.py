"""Whether a listed file can be laid over an opened image, as a map or as segments, and the step that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from viewer.core.errors import Refused
from viewer.core.ids import new_id
from viewer.core.labels import Segment, segment_color
from viewer.core.overlay import ScalarMap
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.io.seg_nrrd import NamedSegment, segments_in
from viewer.io.series import SeriesEntry
from viewer.session.attach import LabelDraft, Placed, label_values, labels_step, overlay_step, place_on, scalar_map
from viewer.session.history import Step

Role = Literal["overlay", "segmentation"]
_MAPS_BYTES = 256 << 20
"""A map of one phase is laid over every phase of an image as far as this allows; else over the one that is shown."""


def why_not(entry: SeriesEntry, root: Volume | None, role: Role) -> str:
    """Why a file cannot be laid over an image, as far as its header says; "" if nothing speaks against it."""
    if root is None:
        return _("Open an image first.")
    if entry.kind == "other" or entry.geometry is None:
        return _("This is no image.")
    if entry.is_color:
        return _("It is a colour image; an overlay has one value in each voxel, a segmentation whole numbers.")
    if place_on(root.geometry, entry.geometry, np.broadcast_to(np.uint8(0), entry.geometry.shape)) is None:
        if role == "overlay":
            return _("It lies on another grid than the image. Overlays on another grid come in a later version.")
        return _("It lies on another grid than the image, so its voxels are not those of the image.")
    if entry.phases > 1 and not (role == "overlay" and entry.phases == root.phases) and not (role == "segmentation" and entry.reader == "nrrd"):
        return _("It has {count} phases.").format(count=entry.phases)
    return ""


def lay(role: Role, entry: SeriesEntry, volume: Volume, root: Volume, *, phase: int, segments: int) -> Step:
    """The step that lays a read file over an opened image. Pure but for memory and the file's header: any thread.

    Parameters
    ----------
    phase : int
        The phase of the image that is shown.
    segments : int
        How many segments the image has, so that new ones get colours of their own.

    Raises
    ------
    Refused
        With the reason.
    """
    if role == "overlay":
        return overlay_step(root, _maps(entry, volume, root, phase), entry.title)
    return labels_step(root, _drafts(entry, volume, root, segments), entry.title)


def _placed(volume: Volume, root: Volume, phase: int) -> Placed:
    placed = place_on(root.geometry, volume.geometry, volume.phase(phase))
    if placed is None:
        raise Refused(_("{name} lies on another grid than the image.").format(name=volume.title))
    return placed


def _maps(entry: SeriesEntry, volume: Volume, root: Volume, phase: int) -> list[ScalarMap]:
    if volume.is_color:
        raise Refused(_("{name} is a colour image; an overlay has one value in each voxel.").format(name=entry.title))
    if volume.phases == root.phases:
        return [_map(entry, volume, root, _placed(volume, root, number), number) for number in range(volume.phases)]
    first = _map(entry, volume, root, _placed(volume, root, 0), phase)
    others = [n for n in range(root.phases) if n != phase] if first.values.nbytes * root.phases <= _MAPS_BYTES else []
    return [first, *(replace(first, id=new_id("overlay"), phase=number) for number in others)]


def _map(entry: SeriesEntry, volume: Volume, root: Volume, placed: Placed, phase: int) -> ScalarMap:
    (a, b), (c, d), (e, f) = placed.box
    geometry = root.geometry.cropped((a, c, e), (b - a, d - c, f - e))
    values = np.ascontiguousarray(placed.values, dtype=np.float32)
    return scalar_map(root, values, entry.title, geometry=geometry, unit=volume.unit, phase=phase)


def _drafts(entry: SeriesEntry, volume: Volume, root: Volume, segments: int) -> Sequence[LabelDraft]:
    used = label_values(volume)
    named = {(s.layer, s.label): s for s in _named(entry)}
    drafts, number = [], segments
    for layer in range(volume.phases):
        placed = _placed(volume, root, layer)
        own = [label for (at, label) in named if at == layer]
        there = used if volume.phases == 1 else label_values(replace(volume, data=volume.data[layer : layer + 1]))
        made = []
        for label in sorted({*own, *there}):
            number += 1
            known = named.get((layer, label))
            name = known.name if known is not None and known.name else _("Segment {number}").format(number=label)
            made.append(Segment(label, name, known.color if known is not None and known.color else segment_color(number)))
        name = entry.title if volume.phases == 1 else _("{title}, layer {number}").format(title=entry.title, number=layer + 1)
        drafts.append(LabelDraft(name, placed.values, tuple(made), placed.box))
    if not any(draft.segments for draft in drafts):
        raise Refused(_("{name} is empty: all of its voxels are 0.").format(name=entry.title))
    return drafts


def _named(entry: SeriesEntry) -> tuple[NamedSegment, ...]:
    if entry.reader != "nrrd" or not entry.files:
        return ()
    try:
        return segments_in(entry.files[0])
    except OSError:
        return ()  # read a moment ago: names are not worth losing the segments for
