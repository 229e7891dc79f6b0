"""Files to series: reads headers, puts together what belongs together, and says what is there.

One series UID is not one volume (CONVENTIONS D53 to D57, D61): localisers, other directions, other sizes and second
images of a place become entries of their own. A bad file becomes a refusal and never stops the rest.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.sentence import sentence_of
from viewer.core.words import _
from viewer.io import gate
from viewer.io.beside import real_name
from viewer.io.dicom import elements
from viewer.io.dicom import geometry as places
from viewer.io.dicom.describe import Description, describe, object_name
from viewer.io.dicom.file_notes import file_note, with_strangers
from viewer.io.dicom.geometry import Stack
from viewer.io.dicom.header import Header, read_header
from viewer.io.dicom.mosaic import Mosaic, is_mosaic, mosaic_notes, not_cut, read_mosaic, tiled_geometry
from viewer.io.dicom.naming import Content, named
from viewer.io.dicom.parse import parse
from viewer.io.dicom.phases import Placed
from viewer.io.dicom.quantities import made_from, map_kind
from viewer.io.dicom.spacing import PROJECTIONS, spacing_in_use, spacing_notes
from viewer.io.series import EntryKind, Listing, Progress, Refusal, SeriesEntry

_CLASS = "1.2.840.10008.5.1.4.1.1."
# Pixels that are no picture of their own yet: segmentations, whole-slide tiles (read as objects later).
OBJECT_CLASSES = tuple(_CLASS + s for s in ("66", "77.1.6", "77.1.8", "68", "67", "78", "79", "80", "82"))
# Kinds of which each file is a picture by itself, even where many share a series.
SINGLE_PICTURES = PROJECTIONS | {"US", "IVUS", "XC", "ES", "OP", "GM", "SM", "EPS", "OT", "SC", "HC", "DOC"}
# Wherever they stand in the image type: no plane of the stack that they were made of (D53).
APART = frozenset({"MOSAIC", "LOCALIZER", "SCOUT", "MPR", "MIP", "MINIP", "PROJECTION", "PROJECTION IMAGE"})
DIRECTORY_CLASS = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the loader needs: every file once, and which frame of which file goes where."""

    headers: tuple[Header, ...]
    slots: tuple[tuple[tuple[int, int], ...], ...]
    """``slots[phase][plane]`` = (number of the header, number of the frame)."""
    description: Description
    lead: tuple[int, int]
    """The header and frame whose rescale and unit speak for the series."""
    phase_labels: tuple[str, ...] = ()
    regions: tuple[tuple[int, int, int, int], ...] = ()
    """Parts of the picture in which lengths are known; () for all of it."""
    mosaic: Mosaic | None = None
    """Where the planes are tiles: all planes of a phase are in the one frame that its slots name."""


def scan(files: list[Path], *, progress: Progress | None = None) -> Listing:
    """Group DICOM files into series, headers only; a bad file becomes a refusal, never an exception."""
    found = Scan()
    for done, path in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        try:
            found.add(read_header(path))
        except NegatoscopeError as err:
            found.refused.append(Refusal(path, sentence_of(err)))
    if progress is not None:
        progress(len(files), len(files))
    return found.listing()


class Scan:
    """Headers as they come in, and the series that they make so far; series without news are not put together again."""

    def __init__(self) -> None:
        self.refused: list[Refusal] = []
        self._members: dict[tuple[str, ...], list[Header]] = {}
        self._made: dict[tuple[str, ...], tuple[int, list[SeriesEntry], list[Refusal]]] = {}
        self._directories: list[Header] = []
        self._files_of: Counter[str] = Counter()

    def add(self, header: Header) -> None:
        """One more file: by series, and never two patients or studies under one (RELIABILITY C26)."""
        if header.sop_class == DIRECTORY_CLASS:
            self._directories.append(header)
            return
        key = (header.series_uid, header.study_uid, header.patient, "" if header.series_uid else str(header.path))
        members = self._members.get(key)
        if members is None:
            members = self._members[key] = []
        members.append(header)
        self._files_of[header.series_uid] += 1

    def listing(self) -> Listing:
        """What there is so far."""
        entries: list[SeriesEntry] = []
        refused = list(self.refused)
        for key, members in self._members.items():
            made = self._made.get(key)
            if made is None or made[0] != len(members):
                made = self._made[key] = (len(members), *_made(members))
            others = self._files_of[key[0]] - len(members) if key[0] else 0
            entries.extend([with_strangers(entry, others) for entry in made[1]] if others else made[1])
            refused.extend(made[2])
        skipped = [header.path for header in self._directories]
        if not self._members and not refused and len(skipped) == 1:
            text = _("{name} is the table of contents of a disc: open the folder that it lies in.")
            refused.append(Refusal(skipped.pop(), text.format(name=self._directories[0].name)))
        return Listing(tuple(_with_unique_ids(entries)), tuple(refused), tuple(skipped))


def _made(members: list[Header]) -> tuple[list[SeriesEntry], list[Refusal]]:
    try:
        return _entries(members), []
    except OperationCancelled:
        raise
    except NegatoscopeError as err:
        return [], [Refusal(h.path, sentence_of(err)) for h in members]


def _entries(members: list[Header]) -> list[SeriesEntry]:
    """All entries of one series, the largest first."""
    pictures: dict[tuple[object, ...], list[Header]] = defaultdict(list)
    found: list[SeriesEntry] = []
    for header in sorted(members, key=places.by_instance):
        if header.pixels is None or header.sop_class.startswith(OBJECT_CLASSES):
            found.append(_object(header))
        else:
            pictures[_part_key(header)].append(header)
    volumes = [entry for part in pictures.values() for entry in _part(part)]
    volumes.sort(key=lambda e: (-e.shape[0] * e.phases, -e.shape[1] * e.shape[2]))
    return [_with_title(entry) for entry in named(volumes, _content)] + found


def _content(entry: SeriesEntry) -> Content:
    """The first file of an entry, and what is said of the frames that it is made of."""
    plan: Plan = entry.plan
    return plan.headers[0], [plan.headers[file].frame(number) for row in plan.slots for file, number in row]


def _with_title(entry: SeriesEntry) -> SeriesEntry:
    """The volume is called as its entry."""
    plan: Plan = entry.plan
    return replace(entry, plan=replace(plan, description=replace(plan.description, title=entry.title)))


def _part_key(header: Header) -> tuple[object, ...]:
    flavour = (*header.image_type[2:3], *(v for v in header.image_type[3:] if v in APART)) if header.frame_count == 1 else ()
    alone = str(header.path) if header.frame_count > 1 else ""
    shades = (header.photometric, header.is_inverse, header.samples, header.tables)
    pixels = (header.bits_allocated, header.is_signed, header.pixels.tag if header.pixels else 0)
    return (header.sop_class, header.frame_uid, header.rows, header.columns, *shades, *pixels, flavour, alone)


def _part(headers: list[Header]) -> list[SeriesEntry]:
    if is_mosaic(headers[0].image_type) and headers[0].frame_count == 1:
        entries, headers = _mosaics(headers)
        return entries + (_pictures(headers) if headers else [])
    return _pictures(headers)


def _mosaics(headers: list[Header]) -> tuple[list[SeriesEntry], list[Header]]:
    """Volumes of the mosaics that can be cut, their phases over time, and the headers of those that cannot, with the reason (D52)."""
    groups: dict[Mosaic, list[Placed]] = defaultdict(list)
    whole: list[Header] = []
    for header in headers:
        found = read_mosaic(parse(header.path).dataset, header.frame(0), header.rows, header.columns)
        if isinstance(found, str):
            whole.append(replace(header, warnings=(*header.warnings, not_cut(found))))
        else:
            groups[found].append(Placed(header, 0))
    entries = []
    for mosaic, members in groups.items():
        for part in places.parts(members):
            stack = places.over_time(part, tiles=mosaic.tiles)
            first = stack.grid[0][0]
            geometry = tiled_geometry(mosaic, first.frame, first.header.frame_uid)
            entries.append(_entry(replace(stack, geometry=geometry, notes=(*mosaic_notes(mosaic), *stack.notes)), mosaic=mosaic))
    return entries, whole


def _pictures(headers: list[Header]) -> list[SeriesEntry]:
    frames = [Placed(h, n) for h in headers for n in range(h.frame_count if len(h.frames) > 1 else 1)]
    placed = [f for f in frames if f.frame.position is not None and f.frame.orientation is not None]
    known = {id(f.header) for f in placed}
    found: list[SeriesEntry] = []
    if headers[0].modality in PROJECTIONS and headers[0].frame_count == 1:
        # No volume is made of projections (D69), wherever they lie.
        found.extend(_entry(s) for f in placed for s in places.stacks([f]))
    else:
        found.extend(_entry(stack) for part in places.parts(placed) for stack in places.stacks(part))
    return found + _unplaced([h for h in headers if id(h) not in known])


def _unplaced(headers: list[Header]) -> list[SeriesEntry]:
    """What has no place in the patient: cines, single pictures, and stacks in the order of their numbers (D57)."""
    found: list[SeriesEntry] = []
    single: list[Header] = []
    for header in headers:
        if header.frame_count > 1:
            found.extend(_entry(stack, kind="cine" if len(stack.grid) > 1 else None) for stack in places.cines(header))
        else:
            single.append(header)
    if len(single) > 1 and single[0].modality not in SINGLE_PICTURES:
        planes = tuple(Placed(h, 0) for h in sorted(single, key=places.by_instance))
        said = (_("the images have no positions: they are shown in the order of their numbers, and nothing is measured across them"),)
        found.append(_entry(Stack((planes,), places.flat_geometry(planes[0], len(planes)), (), said, ("NO GEOMETRY",))))
        return found
    return found + [_entry(Stack(((Placed(h, 0),),), places.flat_geometry(Placed(h, 0)), (), (), _no_geometry(h))) for h in single]


def _no_geometry(header: Header) -> tuple[str, ...]:
    """The badge is for what should have a place: sections, not films or pictures."""
    return () if header.modality in SINGLE_PICTURES else ("NO GEOMETRY",)


def _entry(stack: Stack, *, kind: EntryKind | None = None, mosaic: Mosaic | None = None) -> SeriesEntry:
    cells = [cell for row in stack.grid for cell in row]
    headers = list({id(c.header): c.header for c in cells}.values())
    number = {id(h): n for n, h in enumerate(headers)}
    middle = stack.grid[0][len(stack.grid[0]) // 2]
    lead, phases = middle.header, len(stack.grid)
    dataset = parse(lead.path).dataset
    description = describe(lead, dataset, middle.frame, frames=phases if kind == "cine" else 1, number=middle.number)
    spacing = spacing_in_use(dataset, middle.frame.spacing)
    badges = _badges(stack, headers, description, spacing.badge)
    if mosaic is not None:
        badges = tuple(badge for badge in badges if badge != "MOSAIC")
    plan = Plan(
        headers=tuple(headers),
        slots=tuple(tuple((number[id(c.header)], c.number) for c in row) for row in stack.grid),
        description=replace(description, badges=badges),
        lead=(number[id(lead)], middle.number),
        phase_labels=stack.phase_labels,
        mosaic=mosaic,
        regions=spacing.regions,
    )
    is_color = lead.samples == 3 or lead.photometric == "PALETTE COLOR"
    shape = stack.geometry.shape
    return SeriesEntry(
        id=lead.series_uid or _content_id(lead.path),
        reader="dicom",
        kind=kind or ("volume" if shape[0] > 1 or phases > 1 else "image"),
        files=tuple(h.path for h in headers),
        identity=description.identity,
        title=description.title,
        shape=shape,
        phases=phases,
        is_color=is_color,
        geometry=stack.geometry,
        unit=description.unit,
        transfer_syntax=lead.syntax,
        warnings=(*stack.warnings, *_warnings(headers)),
        notes=(file_note(headers), *spacing_notes(dataset, stack.geometry, middle.frame.spacing), *stack.notes),
        nbytes=phases * math.prod(shape) * (3 if is_color else 2 if float(middle.frame.slope).is_integer() and lead.bits_allocated <= 16 else 4),
        plan=plan,
        object_kind=map_kind(lead.sop_class),
        refers_to=made_from(dataset) if map_kind(lead.sop_class) else (),
    )


def _warnings(headers: list[Header]) -> tuple[str, ...]:
    """What the files' headers make worth saying, each thing once."""
    said = Counter(text for h in headers for text in dict.fromkeys(h.warnings))
    if len(headers) == 1:
        return tuple(said)
    names = {text: h.name for h in headers for text in h.warnings}
    return tuple(f"{names[text]}: {text}" if count == 1 else f"{text} ({count} / {len(headers)})" for text, count in said.items())


def _badges(stack: Stack, headers: list[Header], description: Description, spacing_badge: str) -> tuple[str, ...]:
    badges = list(description.badges) + list(stack.badges)
    badges.append("UNCALIBRATED" if not stack.geometry.in_plane_known else spacing_badge if spacing_badge != "UNCALIBRATED" else "")
    if any(h.frame_count < h.claimed_frames for h in headers):
        badges.append("INCOMPLETE")
    return tuple(dict.fromkeys(b for b in badges if b))


def _object(header: Header) -> SeriesEntry:
    """What has no picture, or none that can be shown yet: listed by what it is."""
    from viewer.io.objects.documents import with_words  # both stand on this package
    from viewer.io.objects.listing import listed

    dataset = parse(header.path).dataset
    description = describe(header, dataset, None)
    is_picture = elements.raw(dataset, 0x00280010) is not None and not header.sop_class.startswith(OBJECT_CLASSES)
    more = (_("it describes an image, but holds no pixels that can be shown"),) if is_picture else ()
    name = object_name(header.sop_class).removesuffix(" Storage") or _("DICOM object without an image")
    entry = SeriesEntry(
        id=header.series_uid or _content_id(header.path),
        reader="dicom",
        kind="other",
        files=(header.path,),
        identity=description.identity,
        title=name,
        shape=(0, 0, 0),
        transfer_syntax=header.syntax,
        warnings=(*header.warnings, *more),
    )
    found = listed(header, dataset)
    if found is None:
        return with_words(entry, dataset)
    return replace(entry, title=found.title, object_kind=found.kind, refers_to=found.refers_to, plan=found.plan)


def _content_id(path: Path) -> str:
    """For files without a series UID: stable from run to run, different for different files."""
    digest = hashlib.sha256(real_name(path).encode("utf-8", "surrogateescape"))
    with path.open("rb") as file:
        digest.update(file.read(gate.RATIO_FREE_BYTES if path.stat().st_size < (1 << 20) else 1 << 20))
    return f"file-{digest.hexdigest()[:24]}"


def _with_unique_ids(entries: list[SeriesEntry]) -> list[SeriesEntry]:
    """The first entry of a series keeps its UID; further ones get a number behind it."""
    seen: Counter[str] = Counter()
    found = []
    for entry in entries:
        seen[entry.id] += 1
        found.append(entry if seen[entry.id] == 1 else replace(entry, id=f"{entry.id}#{seen[entry.id]}"))
    return found
