"""Segmentations and structure sets of files as label layers of an opened image: one step, which undo takes back whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from viewer.core.errors import Refused
from viewer.core.provenance import Note
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.io.objects.layers import SegmentSet
from viewer.io.objects.read import read_segments
from viewer.io.series import Progress, SeriesEntry
from viewer.jobs.pool import Pool
from viewer.session.attach import LabelDraft, attached_items, labels_step, object_origin
from viewer.session.document import Document
from viewer.session.history import Phrase, Step

IMPORT = "Open segmentation"
"""Name of the origin of such steps."""
STEP_TITLE = mark("Open segmentation {name}")


@dataclass(frozen=True, slots=True)
class Attachable:
    """What was read of an object: the step that attaches it, and what is to be said."""

    step: Step
    segments: int
    layers: int
    notes: tuple[Note, ...]
    voxels_by_plane: tuple[int, ...]
    """How many voxels of its segments each plane of the image has."""

    @property
    def fullest_plane(self) -> int | None:
        """The plane with most of it, None if it is empty."""
        most = max(self.voxels_by_plane, default=0)
        return self.voxels_by_plane.index(most) if most else None

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(note.text for note in self.notes if note.is_warning)


def read_attachable(entry: SeriesEntry, root: Volume, *, pool: Pool, progress: Progress | None = None) -> Attachable:
    """Read an object for an opened image (any thread); commit its step on the document's thread.

    Raises
    ------
    NegatoscopeError
        It cannot be read or does not lie on the image; the sentence names the file.
    """
    found = read_segments(entry, root.geometry, pool=pool, progress=progress)
    drafts = drafts_of(found)
    if not drafts:
        raise Refused(_("{title}: there is no segment in it.").format(title=entry.title))
    step = labels_step(root, drafts, found.name, origin=object_origin(IMPORT, entry, found.notes))
    step = replace(step, title=Phrase(STEP_TITLE, {"name": found.name}))
    planes = [sum(int(np.count_nonzero(layer.labels[plane])) for layer in found.layers) for plane in range(root.geometry.shape[0])]
    return Attachable(step, len(found.segments), len(drafts), found.notes, tuple(planes))


def drafts_of(found: SegmentSet) -> list[LabelDraft]:
    """A layer for each of the set's; where segments overlap there are several, told apart by a number."""
    count = len(found.layers)
    names = (
        [found.name] if count == 1 else [_("{name} ({number} of {count})").format(name=found.name, number=n + 1, count=count) for n in range(count)]
    )
    return [LabelDraft(name, layer.labels, layer.segments) for name, layer in zip(names, found.layers, strict=True)]


def attached_layers(document: Document, root_id: str, entry: SeriesEntry) -> tuple[str, ...]:
    """Ids of the layers that an object was opened as on an image, as far as they are still there."""
    ids = attached_items(document, IMPORT, entry, "layer")
    return tuple(i for i in ids if document.has_layer(i) and document.layer(i).volume_id == root_id)
