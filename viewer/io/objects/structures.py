"""RT Structure Set onto the grid of the series that it was drawn on: closed outlines are filled, the others are only named.

Outlines are in patient millimetres (PS3.3 C.8.8.6), so that oblique series and uneven planes need nothing special.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import GeometryMismatch, UnreadableFile
from viewer.core.labels import Segment, segment_color
from viewer.core.provenance import Note
from viewer.core.words import _, ngettext
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.objects.dataset import read_dataset
from viewer.io.objects.layers import LayerBuilder, Piece, SegmentSet
from viewer.io.objects.listing import RegionsPlan, structure_name
from viewer.io.objects.matching import Target
from viewer.io.objects.raster import fill
from viewer.io.objects.tints import from_rgb
from viewer.io.series import Progress, SeriesEntry

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
MOST_POINTS = 20_000_000
ACROSS = 0.5
"""An outline's points may be this far apart along the normal, in steps of the planes, to lie in one plane."""
SAME_HEIGHT = 0.1
"""Outlines no further apart than this, in steps of the planes, lie in the same plane."""


@dataclass(frozen=True, slots=True)
class Structure:
    """One region of interest with its closed outlines."""

    number: int
    name: str
    color: str
    frame_uid: str
    kind: str = ""
    """What it is: the interpreted type (GTV, ORGAN ...) or the observed anatomy; "" where the file does not say."""
    outlines: tuple[NDArray[np.float64], ...] = field(default=(), repr=False)
    """(points, 3) each, LPS mm."""
    other: tuple[tuple[str, int], ...] = ()
    """Kinds of contours that have no inside (POINT, OPEN_PLANAR ...), and how many there are."""
    damaged: tuple[str, ...] = ()
    """Why a contour could not be used, once for each."""


def read_structures(entry: SeriesEntry, target: Target, *, progress: Progress | None = None) -> SegmentSet:
    """All structures on an image's grid, with every voxel of each, however they overlap.

    Raises
    ------
    GeometryMismatch
        It lies in another frame of reference, or no outline lies in a plane of the image.
    UnreadableFile, TooLarge
        With a sentence that names the file.
    """
    plan: RegionsPlan = entry.plan
    dataset = read_dataset(plan.header.path)
    name = plan.header.name
    encodings = elements.encodings(dataset)
    if not target.geometry.is_patient:
        raise GeometryMismatch(_("{name}: the image has no places in the patient, so that nothing can be laid on it.").format(name=name))
    found = structures_of(dataset, name)
    here = [s for s in found if target.geometry.frame_uid in (s.frame_uid, *(plan.frames if not s.frame_uid else ()))]
    if not here:
        own = ", ".join(dict.fromkeys(s.frame_uid for s in found if s.frame_uid)) or ", ".join(plan.frames) or _("(none)")
        text = _("{name}: it lies in the frame of reference {own}, the image in {image}. The two cannot be put together.")
        raise GeometryMismatch(text.format(name=name, own=elements.harmless(own), image=elements.harmless(target.geometry.frame_uid) or _("(none)")))
    notes: list[Note] = []
    if len(here) < len(found):
        notes.append(
            Note(
                "ignored",
                ngettext(
                    "{count} structure lies in another frame of reference",
                    "{count} structures lie in another frame of reference",
                    len(found) - len(here),
                ),
                is_warning=True,
            )
        )
    builder = LayerBuilder(target.geometry.shape, plan.header.path)
    placed = 0
    for place, structure in enumerate(here):
        if progress is not None:
            progress(place, len(here))
        segment = Segment(place + 1, structure.name, structure.color or segment_color(place + 1), coded_meaning=structure.kind)
        pieces, said = _pieces(structure, target)
        placed += bool(pieces)
        voxels = builder.add(segment, {plane: [piece] for plane, piece in pieces.items()})
        notes += _structure_notes(structure, len(pieces), voxels, said)
    if not placed and any(s.outlines for s in here):
        text = _("{name}: none of its outlines lies in a plane of the image. {planes}")
        raise GeometryMismatch(text.format(name=name, planes=_extents(here, target)))
    description = elements.words(dataset, 0x0008103E, encodings) or elements.words(dataset, 0x30060002, encodings)
    return builder.finished(description or entry.title, notes)


def structures_of(dataset: Dataset, name: str) -> list[Structure]:
    """What a structure set holds. A contour that cannot be used is told of; UnreadableFile where there is no structure at all."""
    encodings = elements.encodings(dataset)
    regions = elements.items(dataset, 0x30060020)
    if not regions:
        raise UnreadableFile(_("{name}: there is no structure in it (no Structure Set ROI Sequence).").format(name=name))
    drawn: dict[int | None, list[Dataset]] = defaultdict(list)
    for item in elements.items(dataset, 0x30060039):
        drawn[elements.integer(item, 0x30060084)].append(item)
    observed = {elements.integer(item, 0x30060084): item for item in elements.items(dataset, 0x30060080)}
    found, points = [], 0
    for place, region in enumerate(regions, 1):
        number = elements.integer(region, 0x30060022)
        items = drawn.get(number, [])
        outlines, other, damaged = _outlines(items)
        points += sum(len(o) for o in outlines)
        if points > MOST_POINTS:
            raise UnreadableFile(_("{name}: more than {most} points of outlines are more than can be opened.").format(name=name, most=MOST_POINTS))
        color = next((c for item in items if (c := from_rgb(elements.numbers(item, 0x3006002A)))), "")
        observation = observed.get(number)
        found.append(
            Structure(
                number=number if number is not None else -1,
                name=(structure_name(region, encodings) or _("Structure {number}").format(number=place))[:200],
                color=color,
                frame_uid=elements.text(region, 0x30060024),
                kind=elements.words(observation, 0x300600A4, encodings)[:80] if observation is not None else "",
                outlines=tuple(outlines),
                other=tuple(sorted(other.items())),
                damaged=tuple(damaged),
            )
        )
    return found


def _outlines(items: Sequence[Dataset]) -> tuple[list[NDArray[np.float64]], Counter[str], list[str]]:
    outlines: list[NDArray[np.float64]] = []
    other: Counter[str] = Counter()
    damaged: list[str] = []
    for item in items:
        for contour in elements.items(item, 0x30060040):
            kind = elements.text(contour, 0x30060042).upper()
            if kind and kind not in CLOSED:
                other[elements.harmless(kind)[:20]] += 1
                continue
            points, reason = _points(contour)
            if points is None:
                damaged.append(reason)
            else:
                outlines.append(points)
    return outlines, other, damaged


def _points(contour: Dataset) -> tuple[NDArray[np.float64] | None, str]:
    """The points of a closed contour, or why it has none."""
    content = elements.raw_bytes(contour, 0x30060050)
    count = content.count(b"\\") + 1 if content.strip(b" \0") else 0
    if count > 3 * MOST_POINTS:
        return None, _("it has more points than can be opened")
    numbers = _fast_numbers(content, count)
    if numbers is None:
        numbers = np.asarray(elements.numbers(contour, 0x30060050), dtype=np.float64)
    if numbers.size % 3:
        return None, _("its {count} numbers are not whole points of three").format(count=numbers.size)
    points = numbers.reshape(-1, 3)
    if not np.isfinite(points).all():
        return None, _("a coordinate is not a number")
    if len(points) and float(np.abs(points).max()) > 1e7:
        return None, _("a coordinate is {value:.3g} mm").format(value=float(np.abs(points).max()))
    distinct = points[np.any(points != np.roll(points, 1, axis=0), axis=1)] if len(points) > 1 else points
    if len(distinct) < 3:
        return None, _("it has {count} different points, and an area needs three").format(count=len(distinct))
    said = elements.integer(contour, 0x30060046)
    if said is not None and said != len(points):
        return None, _("it says that it has {said} points and holds {found}").format(said=said, found=len(points))
    return distinct, ""


def _fast_numbers(content: bytes, count: int) -> NDArray[np.float64] | None:
    """Numbers between backslashes; None where that is not all that there is."""
    try:
        return np.fromiter(map(float, content.strip(b" \0").split(b"\\")), np.float64, count) if count and b"_" not in content else None
    except ValueError:
        return None


def _pieces(structure: Structure, target: Target) -> tuple[dict[int, Piece], Counter[str]]:
    """The structure's pixels by plane, and how many outlines were not used, by reason."""
    said: Counter[str] = Counter()
    by_plane: dict[int, list[tuple[float, NDArray[np.float64]]]] = defaultdict(list)
    heights, normal = target.heights, target.normal
    step = target.step
    rows = target.geometry.vector(1) / target.geometry.spacing[1]
    columns = target.geometry.vector(2) / target.geometry.spacing[2]
    for points in structure.outlines:
        along = points @ normal
        height = float(along.mean())
        if float(along.max() - along.min()) > ACROSS * step:
            said["across"] += 1
            continue
        plane = int(np.abs(heights - height).argmin())
        if abs(float(heights[plane]) - height) > step / 2 * (1 + 1e-6):
            said["outside"] += 1
            continue
        offset = points - target.places[plane]
        by_plane[plane].append((height, np.stack([offset @ rows, offset @ columns], axis=1)))
    shape = (target.geometry.shape[1], target.geometry.shape[2])
    pieces: dict[int, Piece] = {}
    for plane, outlines in by_plane.items():
        # Outlines of several heights in one plane of the image are no holes of each other: the nearest ones count.
        _distance, nearest = min((round(abs(h - float(heights[plane])), 6), h) for h, _p in outlines)
        chosen = [p for h, p in outlines if abs(h - nearest) <= SAME_HEIGHT * step]
        said["between"] += len(outlines) - len(chosen)
        unique = list({p[np.lexsort(p.T)].tobytes(): p for p in chosen}.values())
        said["double"] += len(chosen) - len(unique)
        piece = fill(unique, shape)
        if piece is None:
            said["beside"] += len(unique)
        else:
            pieces[plane] = piece
    if by_plane:
        said["gaps"] = max(by_plane) - min(by_plane) + 1 - len(by_plane)
    return pieces, said


def _structure_notes(structure: Structure, planes: int, voxels: int, said: Counter[str]) -> list[Note]:
    found: list[tuple[str, bool]] = []
    if planes:
        text = _("{outlines} outlines, {planes} planes, {voxels} voxels")
        found.append((text.format(outlines=len(structure.outlines), planes=planes, voxels=voxels), False))
    elif not structure.outlines:
        found.append((_("it has no closed outline and stays empty"), True))
    for kind, count in structure.other:
        what = ngettext("{count} contour has no inside and is not filled", "{count} contours have no inside and are not filled", count)
        found.append((_("{what} ({kind})").format(what=what, kind=kind), not planes))
    count = said["across"]
    if count:
        found.append(
            (ngettext("{count} outline does not lie in the image's planes", "{count} outlines do not lie in the image's planes", count), True)
        )
    count = said["outside"]
    if count:
        found.append(
            (
                ngettext(
                    "{count} outline lies on a plane that the image does not have",
                    "{count} outlines lie on planes that the image does not have",
                    count,
                ),
                True,
            )
        )
    count = said["beside"]
    if count:
        found.append(
            (
                ngettext(
                    "{count} outline holds the centre of no pixel of the image", "{count} outlines hold the centre of no pixel of the image", count
                ),
                True,
            )
        )
    count = said["between"]
    if count:
        found.append(
            (
                ngettext(
                    "{count} outline lies further from the image's plane than another and is left out",
                    "{count} outlines lie further from the image's planes than others and are left out",
                    count,
                ),
                True,
            )
        )
    count = said["double"]
    if count:
        found.append((ngettext("{count} outline is there twice and counts once", "{count} outlines are there twice and count once", count), False))
    count = said["gaps"]
    if count:
        found.append(
            (
                ngettext(
                    "{count} plane between its first and its last has no outline",
                    "{count} planes between its first and its last have no outline",
                    count,
                ),
                False,
            )
        )
    for reason, count in Counter(structure.damaged).items():
        what = ngettext("{count} outline was left out", "{count} outlines were left out", count)
        found.append((_("{what}: {reason}").format(what=what, reason=reason), True))
    name = structure.name[:80]
    return [Note("ignored" if is_warning else "file", _("{name}: {what}").format(name=name, what=text), is_warning) for text, is_warning in found]


def _extents(structures: Sequence[Structure], target: Target) -> str:
    heights = np.concatenate([o @ target.normal for s in structures for o in s.outlines])
    image = target.heights
    text = _("They are at {low:.1f} to {high:.1f} mm along its normal, its planes at {first:.1f} to {last:.1f} mm.")
    return text.format(low=heights.min(), high=heights.max(), first=image.min(), last=image.max())
