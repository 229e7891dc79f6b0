"""Doses and parametric maps over the images that they were made from: which series they belong on, and the step that lays them there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viewer.core.errors import Refused
from viewer.core.ids import new_id
from viewer.core.overlay import ScalarMap
from viewer.core.provenance import Note
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.io import open as io_open
from viewer.io.gate import harmless
from viewer.io.series import Progress, SeriesEntry
from viewer.jobs.pool import Pool
from viewer.session.attach import attached_items, object_origin, overlay_step, place_on, placed_map, under_other_phases
from viewer.session.document import Document
from viewer.session.history import Step

MAP_KINDS = ("dose", "map")
IMPORT = "Open overlay"
"""Name of the origin of such steps."""


@dataclass(frozen=True, slots=True)
class LaidMap:
    """A map ready to be laid over an image."""

    step: Step
    is_on_grid: bool
    """Whether its voxels are voxels of the image; else it lies on its own grid and is not drawn over the image yet."""
    notes: tuple[Note, ...] = ()


def series_under(entry: SeriesEntry, listed: Sequence[SeriesEntry], *, preferred: str = "") -> tuple[SeriesEntry, ...]:
    """The listed series that a dose or map can be laid over: those it was made from first, then those of its frame of reference.

    ``preferred`` is the id of an entry that comes first among equals: the one that is shown.
    """
    frame = entry.geometry.frame_uid if entry.geometry is not None and entry.geometry.is_patient else ""
    found = []
    for other in listed:
        is_image = other.kind in ("volume", "image") and other.object_kind not in MAP_KINDS and other.geometry is not None
        if not is_image or other.geometry is None or not other.geometry.is_patient or not frame or other.geometry.frame_uid != frame:
            continue
        found.append(other)
    found.sort(key=lambda e: (e.identity.series_uid not in entry.refers_to, e.id != preferred, -e.shape[0]))
    return tuple(found)


def why_no_series(entry: SeriesEntry) -> str:
    """The sentence where :func:`series_under` finds none."""
    if entry.geometry is None or not entry.geometry.is_patient or not entry.geometry.frame_uid:
        return _("The file does not say where in the patient it lies.")
    return _("No listed series has its frame of reference. Open it together with its images.")


def laid_maps(document: Document, root_id: str, entry: SeriesEntry) -> tuple[ScalarMap, ...]:
    """The maps over an image that were made of this object already."""
    ids = attached_items(document, IMPORT, entry, "overlay")
    return tuple(item for item in document.overlays_of(root_id) if item.id in ids)


def read_map(entry: SeriesEntry, root: Volume, *, pool: Pool, progress: Progress | None = None) -> LaidMap:
    """Read a dose or map (any thread), and make the step that lays it over an opened image.

    On the image's grid the map is put in the image's order; on another grid it keeps its own, nothing is interpolated.

    Raises
    ------
    Refused
        It is a colour image, or lies in another frame of reference.
    """
    volume = io_open.load(entry, pool=pool, progress=progress)
    name = harmless(entry.title)
    if volume.is_color:
        raise Refused(_("{name} is a colour image; an overlay has one value in each voxel.").format(name=name))
    if not volume.geometry.frame_uid or volume.geometry.frame_uid != root.geometry.frame_uid:
        raise Refused(_("{name} lies in another frame of reference than {image}.").format(name=name, image=root.title))
    maps: list[ScalarMap] = []
    is_on_grid = True
    for number in range(volume.phases if volume.phases == root.phases else 1):
        values = volume.phase(number)
        placed = place_on(root.geometry, volume.geometry, values)
        if placed is not None:
            maps.append(placed_map(root, placed, entry.title, unit=volume.unit, phase=number))
        else:
            is_on_grid = False
            own = values.astype(np.float32, copy=False)
            maps.append(ScalarMap(new_id("overlay"), entry.title, root.id, volume.geometry, own, volume.unit, phase=number))
    if len(maps) == 1:
        maps += under_other_phases(maps[0], root.phases)
    return LaidMap(overlay_step(root, maps, entry.title, origin=object_origin(IMPORT, entry)), is_on_grid, volume.notes)
