"""From the places of frames to stacks: parts that belong together, phases, order, distance, and what is wrong with them.

The order is that along row x column, never that of names, numbers or slice locations (CONVENTIONS D53 to D63).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import IDENTITY, Geometry
from viewer.core.words import _, ngettext
from viewer.io.dicom.frames import PHASE_KEYS, Frame
from viewer.io.dicom.header import Header

SAME_PLACE_MM = 1e-3
TILT_DEGREES = 0.1


@dataclass(frozen=True, slots=True)
class Placed:
    """One frame of one file."""

    header: Header
    number: int

    @property
    def frame(self) -> Frame:
        return self.header.frame(self.number)


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames in order: ``grid[phase][plane]``."""

    grid: tuple[tuple[Placed, ...], ...]
    geometry: Geometry
    phase_labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()


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
    if a is b:
        return True
    if a.stack != b.stack or a.orientation is None or b.orientation is None or (a.spacing is None) != (b.spacing is None):
        return False
    if a.spacing is not None and b.spacing is not None and any(abs(p - q) > 1e-3 * p for p, q in zip(a.spacing, b.spacing, strict=True)):
        return False
    return a.orientation == b.orientation or all(abs(p - q) <= 1e-3 for p, q in zip(a.orientation, b.orientation, strict=True))


def stacks(frames: list[Placed]) -> list[Stack]:
    """The stacks of one part: usually one; frames at the same place are phases (D54), or set aside (D61)."""
    normal = _normal(frames[0].frame)
    heights = {id(f): float(np.asarray(f.frame.position) @ normal) for f in frames}
    ordered = sorted(frames, key=lambda f: (heights[id(f)], f.header.instance, f.header.sop_uid, f.number))
    ordered, said = _without_copies(ordered)
    shelves = _shelves(ordered, heights)
    if all(len(shelf) == 1 for shelf in shelves):
        return [_stack([ordered], said)]
    phases = _phases(ordered, shelves)
    if phases is not None:
        groups, labels = phases
        return [replace(_stack(groups, said), phase_labels=labels)]
    kept = [max(shelf, key=lambda f: (f.header.content_time, f.header.instance, f.number)) for shelf in shelves]
    chosen = {id(f) for f in kept}
    aside = [f for f in ordered if id(f) not in chosen]
    one, many = "{count} image lies at the place of another and is listed apart", "{count} images lie at the place of another and are listed apart"
    text = ngettext(one, many, len(aside))
    return [_stack([kept], [*said, text]), *stacks(aside)]


def _without_copies(ordered: list[Placed]) -> tuple[list[Placed], list[str]]:
    """Drops second files of the same SOP instance (D61)."""
    seen: set[tuple[str, int]] = set()
    kept = []
    for placed in ordered:
        key = (placed.header.sop_uid, placed.number)
        if key[0] and key in seen:
            continue
        seen.add(key)
        kept.append(placed)
    dropped = len(ordered) - len(kept)
    if not dropped:
        return kept, []
    return kept, [ngettext("{count} image is there twice and was left out", "{count} images are there twice and were left out", dropped)]


def _shelves(ordered: list[Placed], heights: dict[int, float]) -> list[list[Placed]]:
    """Frames at the same height, from the lowest up."""
    found: list[list[Placed]] = []
    for placed in ordered:
        if found and heights[id(placed)] - heights[id(found[-1][0])] < SAME_PLACE_MM:
            found[-1].append(placed)
        else:
            found.append([placed])
    return found


def _phases(ordered: list[Placed], shelves: list[list[Placed]]) -> tuple[list[list[Placed]], tuple[str, ...]] | None:
    """The first element, or pair of them, whose values make the places of each phase unique, with equal counts (D54)."""
    count = len(shelves[0])
    if any(len(shelf) != count for shelf in shelves):
        return None
    shelf_of = {id(f): n for n, shelf in enumerate(shelves) for f in shelf}
    varying = [k for k in range(len(PHASE_KEYS)) if len({f.frame.keys[k] for f in ordered if f.frame.keys}) > 1]
    choices: list[tuple[int, ...]] = [(k,) for k in varying] + list(combinations(varying, 2))
    for chosen in choices:
        groups: dict[tuple[Any, ...], list[Placed]] = defaultdict(list)
        for placed in ordered:
            groups[tuple(_value(placed.frame.keys[k]) for k in chosen)].append(placed)
        if len(groups) == count and all(len({shelf_of[id(f)] for f in g}) == len(shelves) == len(g) for g in groups.values()):
            names = sorted(groups)
            return [sorted(groups[n], key=lambda f: shelf_of[id(f)]) for n in names], tuple(_label(chosen, n) for n in names)
    return _by_number(shelves, count)


def _by_number(shelves: list[list[Placed]], count: int) -> tuple[list[list[Placed]], tuple[str, ...]] | None:
    """Frames of one file at the same places without any word on why: in the order of the file."""
    if any(len({f.header.path for f in shelf}) > 1 for shelf in shelves):
        return None
    arranged = [sorted(shelf, key=lambda f: f.number) for shelf in shelves]
    return [[shelf[n] for shelf in arranged] for n in range(count)], ()


def _value(text: str) -> tuple[float, str]:
    try:
        return (float(text), "")
    except ValueError:
        return (float("inf"), text)


def _label(chosen: tuple[int, ...], values: tuple[Any, ...]) -> str:
    texts = []
    for k, (number, text) in zip(chosen, values, strict=True):
        _tag, word, unit = PHASE_KEYS[k]
        shown = text or f"{number:g}"
        texts.append(" ".join(p for p in (word, shown, unit) if p))
    return ", ".join(texts)


def _normal(frame: Frame) -> NDArray[np.float64]:
    assert frame.orientation is not None
    normal = np.cross(frame.orientation[:3], frame.orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal))


def _stack(phases: list[list[Placed]], said: list[str]) -> Stack:
    """Geometry of the first phase, and what is wrong with it."""
    planes = phases[0]
    lead = planes[0]
    frame = lead.frame
    assert frame.orientation is not None
    assert frame.position is not None
    normal = _normal(frame)
    places = np.asarray([p.frame.position for p in planes], dtype=np.float64)
    step, known, more, badges = _distance(places, normal)
    matrix = np.stack([frame.orientation[:3], frame.orientation[3:], normal], axis=1)
    in_plane = frame.spacing or (1.0, 1.0)
    geometry = Geometry(
        shape=(len(planes), lead.header.rows, lead.header.columns),
        origin=frame.position,
        spacing=(step, *in_plane),
        direction=tuple(float(c) for c in matrix.ravel()),
        is_patient=True,
        in_plane_known=frame.spacing is not None,
        between_known=known,
        frame_uid=lead.header.frame_uid,
    )
    return Stack(tuple(tuple(p) for p in phases), geometry, (), (*said, *more), badges)


def _distance(places: NDArray[np.float64], normal: NDArray[np.float64]) -> tuple[float, bool, list[str], tuple[str, ...]]:
    """Distance of planes, whether it is one distance, warnings, badges (D58 to D60, D62)."""
    if len(places) < 2:
        return 1.0, False, [], ()
    heights = places @ normal
    gaps = np.diff(heights)
    median = float(np.median(gaps))
    said: list[str] = []
    badges: tuple[str, ...] = ()
    way = places[-1] - places[0]
    angle = float(np.degrees(np.arccos(np.clip(abs(way @ normal) / np.linalg.norm(way), -1.0, 1.0))))
    # Positions are written with few digits: a short stack may lean by rounding alone.
    sideways = float(np.linalg.norm(way - normal * (way @ normal)))
    if angle > TILT_DEGREES and sideways > 0.02:
        text = _("the planes are shifted against each other by {angle:.1f}° (gantry tilt): positions across planes are not exact")
        said.append(text.format(angle=angle))
        badges = ("TILT",)
    missing = int(np.sum(np.round(gaps[gaps > 1.5 * median] / median) - 1))
    if missing:
        where = float(heights[int(np.argmax(gaps))])
        lost = ngettext("{count} plane is missing", "{count} planes are missing", missing)
        text = _("{missing} (largest gap after {place:.1f} mm): volumes and distances across planes are not measured")
        said.append(text.format(missing=lost, place=where))
        return median, False, said, (*badges, "INCOMPLETE")
    ideal = places[0] + np.outer(np.arange(len(places)) / (len(places) - 1), way)
    error = float(np.linalg.norm(places - ideal, axis=1).max())
    if (np.abs(gaps - median).max() > 0.01 * median and error > 1e-3) or error > 0.1 * median:
        text = _("the planes are not evenly spaced ({low:.2f} to {high:.2f} mm): volumes and distances across planes are not measured")
        said.append(text.format(low=gaps.min(), high=gaps.max()))
        return median, False, said, badges
    # The mean over the whole stack keeps the last plane in its place; the median's rounding would add up.
    return float(heights[-1] - heights[0]) / (len(places) - 1), True, said, badges


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
