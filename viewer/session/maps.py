"""Maps over images: which series a dose or parametric map belongs on, and the step that lays it, or any other file, over an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
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
from viewer.session.history import Origin, Step

MAP_KINDS = ("dose", "map")
_MOST_BYTES = 256 << 20
"""A map of one phase is laid over every phase of an image as far as this allows; else over the one that is shown."""
IMPORT = "Open overlay"
"""Name of the origin of such steps."""


@dataclass(frozen=True, slots=True)
class LaidMap:
    """A map ready to be laid over an image."""

    step: Step
    is_on_grid: bool
    """Whether its voxels are voxels of the image; else it keeps its own grid, and is interpolated where it is drawn."""
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

    Raises
    ------
    Refused
        As :func:`lay_map`.
    """
    volume = io_open.load(entry, pool=pool, progress=progress)
    return lay_map(volume, root, entry.title, origin=object_origin(IMPORT, entry))


def lay_map(volume: Volume, root: Volume, title: str, *, phase: int = 0, origin: Origin | None = None) -> LaidMap:
    """The step that lays a read volume over an opened image as a map. Pure but for memory: any thread.

    On the image's grid the map is put in the image's order; on another grid it keeps its own, and is interpolated where it is drawn.
    Where it has as many phases as the image each lies over its own; else the first lies over the phase that is shown, and over all others
    as far as memory allows.

    Raises
    ------
    Refused
        It is a colour image, lies in another frame of reference, or nowhere that could be compared.
    """
    name = harmless(title)
    if volume.is_color:
        raise Refused(_("{name} is a colour image; an overlay has one value in each voxel.").format(name=name))
    reason = why_elsewhere(volume.geometry, root.geometry)
    if reason:
        raise Refused(_("{name}: {reason}").format(name=name, reason=reason))
    has_all = volume.phases == root.phases
    maps: list[ScalarMap] = []
    is_on_grid = True
    for number in range(volume.phases if has_all else 1):
        values = volume.phase(number)
        at = number if has_all else phase
        placed = place_on(root.geometry, volume.geometry, values)
        if placed is not None:
            maps.append(placed_map(root, placed, title, unit=volume.unit, phase=at))
        else:
            is_on_grid = False
            own = values.astype(np.float32, copy=False)
            maps.append(ScalarMap(new_id("overlay"), title, root.id, volume.geometry, own, volume.unit, phase=at))
    if not has_all and maps[0].values.nbytes * root.phases <= _MOST_BYTES:
        maps += under_other_phases(maps[0], root.phases)
    return LaidMap(overlay_step(root, maps, title, origin=origin), is_on_grid, volume.notes)


def laying_words(geometry: Geometry, root: Volume, title: str, series: str = "") -> tuple[str, bool]:
    """What has to be said once a map lies over an image, and whether it is a warning: by what right it lies there."""
    fields = {"title": title, "series": series or root.identity.series_description or root.title or _("the image")}
    if place_on(root.geometry, geometry, np.broadcast_to(np.uint8(0), geometry.shape)) is not None:
        return _("{title} lies over {series} now.").format(**fields), False
    if geometry.frame_uid and root.geometry.frame_uid:
        return _("{title} lies over {series} now. It has another grid, so what is drawn is interpolated.").format(**fields), False
    words = _("{title} lies over {series} where the positions in the two files say; they name no common frame of reference.")
    return words.format(**fields), True


def why_elsewhere(geometry: Geometry, root: Geometry) -> str:
    """Why nothing on a grid can be laid over an image on another, in a sentence; "" where it can."""
    if geometry.frame_uid and root.frame_uid and geometry.frame_uid != root.frame_uid:
        return _("It lies in another frame of reference than the image. Fuse the two, and nudge or align it.")
    if place_on(root, geometry, np.broadcast_to(np.uint8(0), geometry.shape)) is not None:
        return ""
    for grid in (geometry, root):
        if not (grid.is_patient and grid.in_plane_known and (grid.between_known or grid.shape[grid.plane_axis] == 1)):
            return _("It lies on another grid than the image, and not both files say where in the patient that is.")
    return ""
