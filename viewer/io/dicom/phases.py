"""Which images of one place are which phase: told by the elements that differ, else by times and numbers; never two times in one stack (D54)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.evenness import Evenness, evenness_of
from viewer.core.sentence import joined
from viewer.core.words import _
from viewer.io.dicom.frames import Frame
from viewer.io.dicom.header import Header
from viewer.io.dicom.phase_keys import B_KEY, CLOCK_KEYS, GRADIENT_KEY, PHASE_KEYS, TRIGGER_KEYS, VECTOR_KEYS


@dataclass(slots=True, eq=False)
class Placed:
    """One frame of one file; not frozen, because there are as many as images in a folder."""

    header: Header
    number: int
    frame: Frame = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self.header.frame(self.number)


def by_detector(frames: list[Placed]) -> list[tuple[list[Placed], tuple[str, ...]]]:
    """Frames without places: those of each detector and energy window by themselves where these saw several, with what the vectors say of each."""
    groups: dict[tuple[Any, ...], list[Placed]] = defaultdict(list)
    for placed in frames:
        groups[tuple(_value(placed.frame.keys[k]) for k in VECTOR_KEYS[:2]) if placed.frame.keys else ()].append(placed)
    split = list(groups.values()) if all(len(g) > 1 for g in groups.values()) else [frames]
    return [(group, _vector_labels(group)) for group in split]


def _vector_labels(frames: list[Placed]) -> tuple[str, ...]:
    varying = tuple(k for k in VECTOR_KEYS if len({f.frame.keys[k] for f in frames if f.frame.keys}) > 1)
    if not varying:
        return ()
    values = [tuple(_value(f.frame.keys[k]) for k in varying) for f in frames]
    return tuple(_label(varying, value, values[0]) for value in values)


def phases_of(ordered: list[Placed], shelves: list[list[Placed]]) -> tuple[list[list[Placed]], tuple[str, ...], str] | None:
    """The first element, or pair of them, whose values make the places of each phase unique, with equal counts (D54), and its words."""
    count = len(shelves[0])
    if any(len(shelf) != count for shelf in shelves):
        return None
    shelf_of = {id(f): n for n, shelf in enumerate(shelves) for f in shelf}
    varying = [k for k in range(len(PHASE_KEYS)) if len({f.frame.keys[k] for f in ordered if f.frame.keys}) > 1]
    # A direction without its b-value says too little.
    choices = [(B_KEY, k) if k == GRADIENT_KEY and B_KEY in varying else (k,) for k in varying] + list(combinations(varying, 2))
    for chosen in choices:
        groups: dict[tuple[Any, ...], list[Placed]] = defaultdict(list)
        for placed in ordered:
            groups[tuple(_value(placed.frame.keys[k]) for k in chosen)].append(placed)
        if len(groups) == count and all(len({shelf_of[id(f)] for f in g}) == len(shelves) == len(g) for g in groups.values()):
            names = sorted(groups)
            arranged = [sorted(groups[n], key=lambda f: shelf_of[id(f)]) for n in names]
            return arranged, tuple(_label(chosen, n, names[0]) for n in names), _(", ").join(element_name(k) for k in chosen)
    return _by_dimension(ordered, shelf_of, len(shelves), count) or _by_repeats(ordered, shelves, varying) or _in_turn(shelves, count)


def _by_repeats(ordered: list[Placed], shelves: list[list[Placed]], varying: list[int]) -> tuple[list[list[Placed]], tuple[str, ...], str] | None:
    """By an element of which some values come several times at each place (b = 0 acquired twice): these in their turn."""
    for k in varying:
        if k in CLOCK_KEYS:
            continue
        values = sorted({_value(f.frame.keys[k]) for f in ordered})
        turns = [[[f for f in shelf if _value(f.frame.keys[k]) == value] for shelf in shelves] for value in values]
        if not all(len({len(part) for part in turn}) == 1 for turn in turns):
            continue
        arranged: list[list[Placed]] = []
        labels: list[str] = []
        for value, turn in zip(values, turns, strict=True):
            times = len(turn[0])
            found = ([[part[0] for part in turn]], (), "") if times == 1 else _in_turn(turn, times)
            if found is None:
                break
            arranged += found[0]
            label = _label((k,), (value,), (values[0],))
            labels += (
                [label] if times == 1 else [_("{what} ({number} of {count})").format(what=label, number=n, count=times) for n in range(1, times + 1)]
            )
        else:
            return arranged, tuple(labels), element_name(k)
    return None


def unequal(ordered: list[Placed], shelves: list[list[Placed]]) -> list[list[Placed]]:
    """Images of places that are not equally often there: a scan that was stopped, a lost image, acquisitions that overlap.

    Of each value of an element its own stack, so that no stack mixes two times; whole phases stay together. [] where no element tells them apart.
    """
    most = max(len(shelf) for shelf in shelves)
    shelf_of = {id(f): n for n, shelf in enumerate(shelves) for f in shelf}
    varying = [k for k in range(len(PHASE_KEYS)) if k not in CLOCK_KEYS and len({f.frame.keys[k] for f in ordered if f.frame.keys}) > 1]
    choices = [(k,) for k in varying] + list(combinations(varying, 2))
    names: list[list[tuple[Any, ...]]] = [[tuple(_value(f.frame.keys[k]) for k in chosen) for f in ordered] for chosen in choices]
    names += [[(f.frame.dimensions[n],) for f in ordered] for n in range(min(len(f.frame.dimensions) for f in ordered))]
    for named in names:
        groups: dict[tuple[Any, ...], list[Placed]] = defaultdict(list)
        for name, placed in zip(named, ordered, strict=True):
            groups[name].append(placed)
        if len(groups) == most and all(1 < len(g) == len({shelf_of[id(f)] for f in g}) for g in groups.values()):
            alike: dict[tuple[int, ...], list[Placed]] = defaultdict(list)
            for name in sorted(groups):
                alike[tuple(sorted(shelf_of[id(f)] for f in groups[name]))].extend(groups[name])
            return list(alike.values()) if len(alike) > 1 else []
    return _unequal_in_time(shelves)


def _unequal_in_time(shelves: list[list[Placed]]) -> list[list[Placed]]:
    """Phases without a name, some of them not whole: at each place the first ones in time, as many as there are everywhere, and the rest."""
    least = min(len(shelf) for shelf in shelves)
    clocks = [[_clock(f) for f in shelf] for shelf in shelves]
    if least < 2 or any(None in found or len(set(found)) < len(found) for found in clocks):
        return []
    arranged = [sorted(shelf, key=lambda f: _clock(f) or 0.0) for shelf in shelves]
    rest = [f for shelf in arranged for f in shelf[least:]]
    return [[f for shelf in arranged for f in shelf[:least]], rest] if rest else []


def interleaved(ordered: list[Placed], normal: NDArray[np.float64]) -> list[list[Placed]]:
    """Acquisitions or reconstructions whose planes lie between each other's: even each by itself, uneven together. [] otherwise."""
    if len(ordered) < 4 or _evenness(ordered, normal).is_even:
        return []
    for k in (k for k in range(len(PHASE_KEYS)) if k not in CLOCK_KEYS):
        groups: dict[str, list[Placed]] = defaultdict(list)
        for placed in ordered:
            groups[placed.frame.keys[k] if placed.frame.keys else ""].append(placed)
        if not 1 < len(groups) <= len(ordered) // 2 or any(len(g) < 2 for g in groups.values()):
            continue
        rank = {id(f): n for n, f in enumerate(ordered)}
        ends = sorted((rank[id(g[0])], rank[id(g[-1])]) for g in groups.values())
        if all(before[1] < after[0] for before, after in pairwise(ends)):
            continue  # one after the other: one volume (D54)
        if all(_evenness(g, normal).is_even for g in groups.values()):
            return list(groups.values())
    return []


def _evenness(frames: list[Placed], normal: NDArray[np.float64]) -> Evenness:
    return evenness_of(np.asarray([f.frame.position for f in frames], dtype=np.float64), normal)


def _by_dimension(ordered: list[Placed], shelf_of: dict[int, int], places: int, count: int) -> tuple[list[list[Placed]], tuple[str, ...], str] | None:
    """By one of an enhanced object's own dimensions (D49)."""
    for number in range(min(len(f.frame.dimensions) for f in ordered)):
        groups: dict[int, list[Placed]] = defaultdict(list)
        for placed in ordered:
            groups[placed.frame.dimensions[number]].append(placed)
        if len(groups) == count and all(len({shelf_of[id(f)] for f in g}) == places == len(g) for g in groups.values()):
            return [sorted(groups[n], key=lambda f: shelf_of[id(f)]) for n in sorted(groups)], (), _("the file's dimension {n}").format(n=number + 1)
    return None


def _in_turn(shelves: list[list[Placed]], count: int) -> tuple[list[list[Placed]], tuple[str, ...], str] | None:
    """No element names the phases: frames of one file in its order, files in the order of their times, where these differ."""
    if all(len({f.header.path for f in shelf}) == 1 for shelf in shelves):
        arranged = [sorted(shelf, key=lambda f: f.number) for shelf in shelves]
        return [[shelf[n] for shelf in arranged] for n in range(count)], (), _("the order of the frames in the file")
    if len(shelves) < 2:
        return None
    for read, how in ((_trigger, _("the trigger time of each image at its place")), (_clock, _("the time of each image at its place"))):
        if all(None not in found and len(set(found)) == count for found in ([read(f) for f in shelf] for shelf in shelves)):
            arranged = [sorted(shelf, key=lambda f: read(f) or 0.0) for shelf in shelves]
            return [[shelf[n] for shelf in arranged] for n in range(count)], (), how
    return _by_number(shelves, count)


def _by_number(shelves: list[list[Placed]], count: int) -> tuple[list[list[Placed]], tuple[str, ...], str] | None:
    """By instance number, where it runs phase by phase or place by place."""
    arranged = [sorted(shelf, key=lambda f: f.header.instance) for shelf in shelves]
    groups = [[shelf[n] for shelf in arranged] for n in range(count)]
    if len({f.header.instance for shelf in shelves for f in shelf}) < count * len(shelves):
        return None
    if _follow(groups) or _follow(arranged) or _follow(arranged[::-1]):
        return groups, (), _("the instance number of each image at its place")
    return None


def _follow(rows: list[list[Placed]]) -> bool:
    """Whether the instance numbers of each row end before those of the next begin."""
    ends = [(min(n), max(n)) for n in ([f.header.instance for f in row] for row in rows)]
    return all(before[1] < after[0] for before, after in pairwise(ends))


def _trigger(placed: Placed) -> float | None:
    """Milliseconds after the R wave."""
    found = [_value(placed.frame.keys[k])[0] for k in TRIGGER_KEYS if placed.frame.keys and placed.frame.keys[k]]
    return found[0] if found and np.isfinite(found[0]) else None


def _clock(placed: Placed) -> float | None:
    """Seconds of the day of an image: of its acquisition, else of its content."""
    found = [_value(placed.frame.keys[k])[0] for k in CLOCK_KEYS if placed.frame.keys and placed.frame.keys[k]]
    return _seconds(found[0]) if found and np.isfinite(found[0]) else None


def _seconds(clock: float) -> float:
    """Seconds of the day of HHMMSS.ffffff."""
    whole = int(clock)
    return whole // 10000 * 3600 + whole // 100 % 100 * 60 + clock - whole // 100 * 100


def _value(text: str) -> tuple[float, str]:
    try:
        return (float(text), "")
    except ValueError:
        return (float("inf"), text)


def _label(chosen: tuple[int, ...], values: tuple[Any, ...], first: tuple[Any, ...]) -> str:
    texts = []
    for k, (number, text), (start, _text) in zip(chosen, values, first, strict=True):
        _tag, word, unit = PHASE_KEYS[k]
        if k in CLOCK_KEYS and not text and np.isfinite(start):
            texts.append(f"t {_seconds(number) - _seconds(start):g} s")
            continue
        shown = text or (f"{number:g}" if np.isfinite(number) else "")
        if not shown:
            continue
        texts.append(joined((p for p in (_(word), shown, unit) if p), " "))
    return joined(texts, ", ")


def element_name(key: int) -> str:
    """DICOM's name of an element of PHASE_KEYS."""
    from viewer.io.dicom.library import dictionary_description

    return str(dictionary_description(PHASE_KEYS[key][0]))
