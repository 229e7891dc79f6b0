"""From the places of frames to stacks: parts that belong together, phases, order, distance, and what is wrong with them.

The order is that along row x column, never that of names, numbers or slice locations (CONVENTIONS D53 to D63).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import IDENTITY, Geometry, Triple
from viewer.core.provenance import Note
from viewer.core.sentence import joined, whole
from viewer.core.words import _, ngettext
from viewer.io.dicom.frames import Frame
from viewer.io.dicom.header import Header
from viewer.io.dicom.phases import Placed, by_detector, interleaved, phases_of, unequal
from viewer.io.dicom.verdict import judged, order_note, place_of, sentences, warnings_of

SAME_PLACE_MM = 1e-3
# Images at one height that lie farther apart than this sideways are no second image of a place.
SIDEWAYS_MM = 0.05


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames in order: ``grid[phase][plane]``."""

    grid: tuple[tuple[Placed, ...], ...]
    geometry: Geometry
    phase_labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def parts(frames: Sequence[Placed]) -> list[list[Placed]]:
    """Frames that may share a volume: same stack, direction (each cosine within 1e-3) and spacing (D53)."""
    found: list[tuple[Frame, list[Placed]]] = []
    for placed in frames:
        frame = placed.frame
        for leader, members in found:
            if _alike(leader, frame):
                members.append(placed)
                break
        else:
            found.append((frame, [placed]))
    return [members for _leader, members in found]


def _alike(a: Frame, b: Frame) -> bool:
    if a is b or (a.orientation is b.orientation and a.spacing is b.spacing and a.stack == b.stack and a.orientation is not None):
        return True
    if a.stack != b.stack or a.orientation is None or b.orientation is None or (a.spacing is None) != (b.spacing is None):
        return False
    if a.spacing is not None and b.spacing is not None and any(abs(p - q) > 1e-3 * p for p, q in zip(a.spacing, b.spacing, strict=True)):
        return False
    return a.orientation == b.orientation or all(abs(p - q) <= 1e-3 for p, q in zip(a.orientation, b.orientation, strict=True))


def stacks(frames: list[Placed]) -> list[Stack]:
    """The stacks of one part: usually one; frames at the same place are phases (D54), or set aside (D61)."""
    normal = _normal(frames[0].frame)
    x, y, z = np.asarray([f.frame.position for f in frames], dtype=np.float64).T
    # Term by term, so that equal places come to the same number to the last bit.
    heights = dict(zip(map(id, frames), (x * normal[0] + y * normal[1] + z * normal[2]).tolist(), strict=True))
    ordered = sorted(frames, key=lambda f: (heights[id(f)], f.header.instance, f.header.sop_uid, f.number))
    ordered, said = _without_copies(ordered, normal)
    shelves = _shelves(ordered, heights)
    if all(len(shelf) == 1 for shelf in shelves):
        between = interleaved(ordered, normal)
        if between:
            return [_with_note(stack, _interleaved_note(len(between))) for group in between for stack in stacks(group)]
        return [_stack([ordered], said)]
    beside = _beside_each_other(shelves, normal)
    if len(beside) > 1:
        return [stack for group in beside for stack in stacks(group)]
    phases = phases_of(ordered, shelves)
    if phases is not None:
        groups, labels, how = phases
        stack = _stack(groups, said)
        return [replace(stack, phase_labels=labels, notes=(*stack.notes, *sentences(_phase_notes(groups, labels, how))))]
    apart = unequal(ordered, shelves)
    if apart:
        return [_with_note(stack, _unequal_note(len(apart))) for group in apart for stack in stacks(group)]
    kept = [max(shelf, key=lambda f: (f.header.content_time, f.header.instance, f.number)) for shelf in shelves]
    chosen = {id(f) for f in kept}
    aside = [f for f in ordered if id(f) not in chosen]
    return [_stack([kept], [*said, _doubled(aside, normal)]), *stacks(aside)]


def over_time(frames: list[Placed], *, tiles: int) -> Stack:
    """Frames that each hold a whole volume of ``tiles`` planes, as phases; without a geometry yet."""
    normal = _normal(frames[0].frame)
    ordered, said = _without_copies(sorted(frames, key=lambda f: by_instance(f.header)), normal)
    phases = phases_of(ordered, [ordered]) if len(ordered) > 1 else None
    labels: tuple[str, ...] = ()
    notes = list(said)
    if phases is not None:
        groups, labels, how = phases
        ordered = [group[0] for group in groups]
        notes += _phase_notes(groups, labels, how)
    elif len(ordered) > 1:
        text = _("{count} images of the same place are phases in the order of their numbers: no element tells them apart.")
        notes.append(Note("series", text.format(count=len(ordered))))
    grid = tuple((placed,) * tiles for placed in ordered)
    return Stack(grid, flat_geometry(ordered[0]), labels, warnings_of(said), (), sentences(notes))


def cines(header: Header) -> list[Stack]:
    """The frames of one file that have no places, in their order; of a nuclear scan those of each detector and energy window apart."""
    split = by_detector([Placed(header, n) for n in range(header.frame_count)])
    return [Stack(tuple((placed,) for placed in group), flat_geometry(group[0]), labels) for group, labels in split]


def _doubled(aside: list[Placed], normal: NDArray[np.float64]) -> Note:
    return Note(
        "geometry",
        joined(
            (
                ngettext(
                    "{count} image lies at the place of another and is listed apart",
                    "{count} images lie at the place of another and are listed apart",
                    len(aside),
                ),
                _where(aside, normal),
            ),
            "",
        ),
        is_warning=True,
    )


def _where(frames: list[Placed], normal: NDArray[np.float64]) -> str:
    """`` (z = 2.0 mm, z = 4.0 mm)``: the first few places."""
    texts = list(dict.fromkeys(place_of(f.frame.position, normal) for f in frames if f.frame.position is not None))
    return _(" ({name})").format(name=joined([*texts[:3], *(["..."] if len(texts) > 3 else [])], ", "))


def _without_copies(ordered: list[Placed], normal: NDArray[np.float64]) -> tuple[list[Placed], list[Note]]:
    """Drops second files of the same SOP instance (D61)."""
    seen: dict[tuple[str, int], Header] = {}
    kept, dropped, differ = [], [], 0
    for placed in ordered:
        key = (placed.header.sop_uid, placed.number)
        if key[0] and key in seen:
            dropped.append(placed)
            differ += _differ(placed.header, seen[key])
            continue
        seen[key] = placed.header
        kept.append(placed)
    if not dropped:
        return kept, []
    text = ngettext("{count} image is there twice and was left out", "{count} images are there twice and were left out", len(dropped))
    said = [Note("ignored", joined((text, _where(dropped, normal)), ""), is_warning=True)]
    if differ:
        text = ngettext(
            "{count} of them is not the same file as the one that was kept", "{count} of them are not the same files as those that were kept", differ
        )
        said.append(Note("ignored", text, is_warning=True))
    return kept, said


def _differ(one: Header, other: Header) -> bool:
    """Whether two files of one SOP instance are no plain copies, as far as their headers tell."""
    return (one.size, one.content_time, one.instance, one.frames) != (other.size, other.content_time, other.instance, other.frames)


def _beside_each_other(shelves: list[list[Placed]], normal: NDArray[np.float64]) -> list[list[Placed]]:
    """Stacks that lie at the same heights side by side: they hold different tissue and are no phases of each other."""
    columns: list[tuple[NDArray[np.float64], list[Placed]]] = []
    for placed in (f for shelf in shelves for f in shelf):
        place = np.asarray(placed.frame.position)
        flat = place - normal * (place @ normal)
        for leader, members in columns:
            if float(np.linalg.norm(flat - leader)) <= SIDEWAYS_MM:
                members.append(placed)
                break
        else:
            columns.append((flat, [placed]))
            if len(columns) > max(len(shelf) for shelf in shelves):
                return []  # planes that lean: no two of them lie above each other
    return [members for _leader, members in columns]


def _shelves(ordered: list[Placed], heights: dict[int, float]) -> list[list[Placed]]:
    """Frames at the same height, from the lowest up."""
    found: list[list[Placed]] = []
    for placed in ordered:
        if found and heights[id(placed)] - heights[id(found[-1][0])] < SAME_PLACE_MM:
            found[-1].append(placed)
        else:
            found.append([placed])
    return found


def _unequal_note(count: int) -> Note:
    text = _("Not all places are there equally often (a scan that was stopped, a lost image, acquisitions that overlap): {count} stacks were made.")
    return Note("series", text.format(count=count))


def _interleaved_note(count: int) -> Note:
    text = _("Planes of {count} acquisitions or reconstructions lie between each other: each became a stack of its own.")
    return Note("series", text.format(count=count))


def _with_note(stack: Stack, note: Note) -> Stack:
    return replace(stack, notes=(*stack.notes, note))


def _phase_notes(groups: list[list[Placed]], labels: tuple[str, ...], how: str) -> list[Note]:
    text = _("{count} images at each place are {count} phases, told apart by {how}").format(count=len(groups), how=how)
    found = [Note("series", _("{text}: {first} ... {last}.").format(text=text, first=labels[0], last=labels[-1]) if labels else whole(text))]
    first = np.asarray([f.frame.position for f in groups[0]])
    apart = max(float(np.abs(np.asarray([f.frame.position for f in group]) - first).max()) for group in groups)
    if apart > SAME_PLACE_MM:
        found.append(Note("geometry", _("The phases lie up to {apart:.3f} mm from the first, which gives the positions.").format(apart=apart)))
    return found


def _normal(frame: Frame) -> NDArray[np.float64]:
    assert frame.orientation is not None
    normal = np.cross(frame.orientation[:3], frame.orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal))


def _stack(phases: list[list[Placed]], said: list[Note]) -> Stack:
    """Geometry of the first phase, and what is wrong with it."""
    planes = phases[0]
    lead = planes[0]
    frame = lead.frame
    assert frame.orientation is not None
    assert frame.position is not None
    normal = _normal(frame)
    places = np.asarray([p.frame.position for p in planes], dtype=np.float64)
    step, known = 1.0, False
    notes: list[Note] = []
    badges: tuple[str, ...] = ()
    origins: tuple[Triple, ...] = ()
    if len(planes) > 1:
        found, notes, badges = judged(places, normal)
        # The mean over the whole stack keeps the last plane in its place; the median's rounding would add up.
        step, known = (found.mean if found.is_even else found.median), found.is_even
        if found.is_tilted or not found.is_even:
            origins = tuple((float(x), float(y), float(z)) for x, y, z in places)
    matrix = np.stack([frame.orientation[:3], frame.orientation[3:], normal], axis=1)
    geometry = Geometry(
        shape=(len(planes), lead.header.rows, lead.header.columns),
        origin=frame.position,
        spacing=(step, *(frame.spacing or (1.0, 1.0))),
        direction=tuple(float(c) for c in matrix.ravel()),
        is_patient=True,
        in_plane_known=frame.spacing is not None,
        between_known=known,
        frame_uid=lead.header.frame_uid,
        plane_origins=origins,
    )
    if len(planes) > 1:
        is_one_file = lead.header.frame_count > 1
        notes.append(order_note(geometry, [p.number + 1 if is_one_file else p.header.instance for p in planes], is_one_file=is_one_file))
    return Stack(tuple(tuple(p) for p in phases), geometry, (), warnings_of([*said, *notes]), badges, sentences([*notes, *said]))


def flat_geometry(placed: Placed, planes: int = 1) -> Geometry:
    """The image's own frame, for what has no place in the patient."""
    spacing = placed.frame.spacing
    return Geometry(
        shape=(planes, placed.header.rows, placed.header.columns),
        spacing=(1.0, *(spacing or (1.0, 1.0))),
        direction=IDENTITY,
        is_patient=False,
        in_plane_known=spacing is not None,
        between_known=False,
    )


def by_instance(header: Header) -> tuple[int, str, str]:
    """The order of images that have no places."""
    return (header.instance, header.content_time, str(header.path))
