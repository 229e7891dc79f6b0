"""Whether a listed file can be laid over an opened image, as a map or as segments, and the step that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from viewer.core.errors import Refused, UnreadableFile
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.io.seg_nrrd import NamedSegment, segments_in
from viewer.io.series import SeriesEntry
from viewer.session.attach import LabelDraft, Placed, drafted, label_values, labels_step, place_on
from viewer.session.history import Step
from viewer.session.maps import lay_map, why_elsewhere

Role = Literal["overlay", "segmentation"]


def why_not(entry: SeriesEntry, root: Volume | None, role: Role) -> str:
    """Why a file cannot be laid over an image, as far as its header says; "" if nothing speaks against it."""
    if root is None:
        return _("Open an image first.")
    if entry.kind == "other" or entry.geometry is None:
        return _("This is no image.")
    if entry.is_color:
        return _("It is a colour image; an overlay has one value in each voxel, a segmentation whole numbers.")
    if role == "overlay":
        reason = why_elsewhere(entry.geometry, root.geometry)
        if reason:
            return reason
    elif place_on(root.geometry, entry.geometry, np.broadcast_to(np.uint8(0), entry.geometry.shape)) is None:
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
        return lay_map(volume, root, entry.title, phase=phase).step
    return labels_step(root, _drafts(entry, volume, root, segments), entry.title)


def _placed(volume: Volume, root: Volume, phase: int) -> Placed:
    placed = place_on(root.geometry, volume.geometry, volume.phase(phase))
    if placed is None:
        raise Refused(_("{name} lies on another grid than the image.").format(name=volume.title))
    return placed


def _drafts(entry: SeriesEntry, volume: Volume, root: Volume, segments: int) -> Sequence[LabelDraft]:
    used = label_values(volume)
    named = _named(entry)
    drafts: list[LabelDraft] = []
    number = segments + 1
    for layer in range(volume.phases):
        placed = _placed(volume, root, layer)
        there = used if volume.phases == 1 else label_values(replace(volume, data=volume.data[layer : layer + 1]))
        names = {s.label: s.name for s in named if s.layer == layer}
        colors = {s.label: s.color for s in named if s.layer == layer}
        name = entry.title if volume.phases == 1 else _("{title}, layer {number}").format(title=entry.title, number=layer + 1)
        draft = drafted(name, placed.values, {*names, *there}, names, colors, box=placed.box, first_number=number)
        number += len(draft.segments)
        drafts.append(draft)
    if not any(draft.segments for draft in drafts):
        raise Refused(_("{name} is empty: all of its voxels are 0.").format(name=entry.title))
    return drafts


def _named(entry: SeriesEntry) -> tuple[NamedSegment, ...]:
    if entry.reader != "nrrd" or not entry.files:
        return ()
    try:
        return segments_in(entry.files[0])
    except (OSError, UnreadableFile):
        return ()  # read a moment ago: names are not worth losing the segments for
