"""The one way to the segments of an object, whatever kind it is."""

from __future__ import annotations

from viewer.core.geometry import Geometry
from viewer.io.objects.layers import SegmentSet
from viewer.io.objects.matching import target_of
from viewer.io.series import Progress, SeriesEntry
from viewer.jobs.pool import Pool

KINDS = ("segmentation", "structures")
"""Kinds of objects that have segments."""


def read_segments(entry: SeriesEntry, geometry: Geometry, *, pool: Pool, progress: Progress | None = None) -> SegmentSet:
    """The segments of a segmentation or structure set on an image's grid; any thread. Raises a NegatoscopeError that names the file."""
    target = target_of(geometry)
    if entry.object_kind == "segmentation":
        from viewer.io.objects.segmentation import read_segmentation

        return read_segmentation(entry, target, pool=pool, progress=progress)
    if entry.object_kind == "structures":
        from viewer.io.objects.structures import read_structures

        return read_structures(entry, target, progress=progress)
    raise ValueError(f"a {entry.object_kind or 'picture'} has no segments")
