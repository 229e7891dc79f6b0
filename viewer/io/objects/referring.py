"""Which of the listed series a segmentation or structure set was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from viewer.core.errors import NegatoscopeError, Refused
from viewer.core.words import _, ngettext
from viewer.io.gate import harmless
from viewer.io.objects.dataset import read_dataset
from viewer.io.objects.listing import RegionsPlan
from viewer.io.objects.matching import Target, target_of
from viewer.io.objects.structures import structures_of
from viewer.io.series import SeriesEntry

By = Literal["series", "images", "frame"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The series that an object belongs on, and by what it was found."""

    entry: SeriesEntry
    by: By
    """Its UID; UIDs of its images; the same frame of reference, and the planes of the object are its planes."""


def series_for(entry: SeriesEntry, listed: Sequence[SeriesEntry], *, preferred: str = "") -> Choice:
    """The series that an object was made for, else the one of the same frame of reference whose planes fit best.

    Parameters
    ----------
    entry : SeriesEntry
        A segmentation or a structure set.
    listed : sequence of SeriesEntry
        Everything that is there.
    preferred : str
        Id of the entry that wins where several fit equally well: the one that is shown.

    Raises
    ------
    Refused
        None is there; the sentence says which series is missing.
    """
    plan: RegionsPlan = entry.plan
    usable = [e for e in listed if e.kind in ("volume", "image") and e.geometry is not None and e.geometry.is_patient]
    usable.sort(key=lambda e: (e.id != preferred, -e.shape[0]))
    named = [e for e in usable if e.identity.series_uid and e.identity.series_uid in entry.refers_to]
    named = [e for e in named if e.geometry is not None and e.geometry.frame_uid in plan.frames] or named
    if named:
        # One series UID may hold several stacks (a localiser): the one with most of the images that are named, else that fits best.
        return Choice(named[0] if len(named) == 1 else max(named, key=lambda e: (_shared(e, plan), _fit(entry, e) or (-1.0, 0.0))), "series")
    shared = max(usable, key=lambda e: _shared(e, plan), default=None)
    if shared is not None and _shared(shared, plan):
        return Choice(shared, "images")
    framed = [e for e in usable if e.geometry is not None and e.geometry.frame_uid and e.geometry.frame_uid in plan.frames]
    fits = [(fit, e) for e in framed if (fit := _fit(entry, e)) is not None]
    if fits:
        return Choice(max(fits, key=lambda pair: pair[0])[1], "frame")
    raise Refused(_missing(entry))


def _missing(entry: SeriesEntry) -> str:
    uids = entry.refers_to
    if not uids:
        text = _("{title}: it does not say which series it was made for, and none that is open has its frame of reference. Open it with its series.")
        return text.format(title=harmless(entry.title))
    if len(uids) == 1:
        text = _("{title}: the series that it was made for is not here ({uid}). Open it together with its series.")
        return text.format(title=harmless(entry.title), uid=uids[0])
    more = ngettext("{count} further series", "{count} further series", len(uids) - 1)
    text = _("{title}: the series that it was made for are not here ({uid} and {more}). Open it together with one of them.")
    return text.format(title=harmless(entry.title), uid=uids[0], more=more)


def _shared(candidate: SeriesEntry, plan: RegionsPlan) -> int:
    """How many of the object's images are in a series."""
    headers = getattr(candidate.plan, "headers", ())
    return sum(header.sop_uid in plan.instances for header in headers) if plan.instances else 0


def _fit(entry: SeriesEntry, candidate: SeriesEntry) -> tuple[float, float] | None:
    """(part of the object's planes that are planes of the image, minus their mean distance in steps); None where none is."""
    assert candidate.geometry is not None
    target = target_of(candidate.geometry)
    try:
        heights = _heights(entry, target)
    except NegatoscopeError:
        return None
    if not heights.size:
        return None
    apart = np.abs(target.heights[:, None] - heights[None, :]).min(axis=0) / target.step
    inside = apart <= 0.5
    return (float(inside.mean()), -float(apart[inside].mean())) if inside.any() else None


def _heights(entry: SeriesEntry, target: Target) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Where an object's planes lie along an image's normal, mm; only those inside the image's rows and columns."""
    plan: RegionsPlan = entry.plan
    if entry.object_kind == "segmentation":
        places = np.asarray([f.position for f in plan.header.frames if f.position is not None], dtype=np.float64).reshape(-1, 3)
    else:
        outlines = [o for s in structures_of(read_dataset(plan.header.path), plan.header.name) for o in s.outlines]
        places = np.asarray([o.mean(axis=0) for o in outlines], dtype=np.float64).reshape(-1, 3)
        index = target.geometry.to_index(places)[:, 1:]
        places = places[np.all((index > -0.5) & (index < np.asarray(target.geometry.shape[1:]) - 0.5), axis=1)]
    return np.asarray(places @ target.normal)
