"""What tells the parts of one series apart, in words: so that two rows of a listing never read the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from viewer.core.provenance import Note
from viewer.core.sentence import joined
from viewer.core.words import _, mark, ngettext
from viewer.io.dicom.frames import Frame
from viewer.io.dicom.header import Header
from viewer.io.dicom.phase_keys import CLOCK_KEYS, PHASE_KEYS
from viewer.io.series import SeriesEntry

Content = tuple[Header, Sequence[Frame]]
_FLAVOURS = {
    "LOCALIZER": mark("localiser"), "SCOUT": mark("localiser"), "MPR": mark("reformat"), "MIP": mark("MIP"), "MINIP": mark("MinIP"),
    "PROJECTION IMAGE": mark("projection"), "PROJECTION": mark("projection"), "AVERAGE": mark("average"), "MOSAIC": mark("mosaic"),
}  # fmt: skip
_PLANES = (mark("sagittal"), mark("coronal"), mark("axial"))
# A normal within this cosine of a patient axis (about 15 degrees) is called by its name alone.
_STRAIGHT = 0.966


def named(entries: Sequence[SeriesEntry], contents: Callable[[SeriesEntry], Content]) -> list[SeriesEntry]:
    """The parts of one series with what tells each apart behind its title, and a note on why there are several.

    ``contents`` gives the first file of a part and what is said of its frames.
    """
    if len(entries) < 2:
        return list(entries)
    columns = [words for words in _columns(entries, [contents(e) for e in entries]) if len(set(words)) > 1]
    chosen = _fewest(columns, len(entries))
    parts = [joined((c[n] for c in chosen if c[n]), " ") for n in range(len(entries))]
    total, seen = Counter(parts), Counter[str]()
    found = []
    for entry, part in zip(entries, parts, strict=True):
        seen[part] += 1
        if total[part] > 1:
            numbered = _("{number} of {count}").format(number=seen[part], count=total[part])
            part = joined((p for p in (part, numbered) if p), " ")
        title = _("{title}, {part}").format(title=entry.title, part=part) if part else entry.title
        found.append(replace(entry, title=title, notes=(_why(entries, chosen, part), *entry.notes)))
    return found


def _fewest(columns: list[list[str]], count: int) -> list[list[str]]:
    """The first of the columns that alone tells all apart, else as many as help."""
    for column in columns:
        if len(set(column)) == count:
            return [column]
    chosen: list[list[str]] = []
    for column in columns:
        before = len(set(zip(*chosen, strict=True))) if chosen else 1
        if len(set(zip(*chosen, column, strict=True))) > before:
            chosen.append(column)
    return chosen


def _columns(entries: Sequence[SeriesEntry], contents: Sequence[Content]) -> list[list[str]]:
    """For each thing that may differ a word for each part, the most telling first."""
    keys = [_constant_keys(frames) for _header, frames in contents]
    by_key = [[k[place] for k in keys] for place in range(len(PHASE_KEYS)) if place not in CLOCK_KEYS and all(k[place] for k in keys)]
    return [
        [_flavour(header) for header, _frames in contents],
        [_plane(entry) for entry in entries],
        [_view(entry) for entry in entries],
        *by_key,
        [f"{entry.shape[2]} x {entry.shape[1]}" for entry in entries],
        [ngettext("{count} frame", "{count} frames", entry.phases) if entry.kind == "cine" else "" for entry in entries],
        [_spacing(entry) for entry in entries],
        [_("colour") if entry.is_color else "" for entry in entries],
        [ngettext("{count} plane", "{count} planes", entry.shape[0]) for entry in entries],
        [_stack(frames) for _header, frames in contents],
    ]


def _flavour(header: Header) -> str:
    """The third value of the image type in words: localiser, reformat ..."""
    for value in header.image_type[2:]:
        if value.upper() in _FLAVOURS:
            return _(_FLAVOURS[value.upper()])
    kind = header.image_type[2] if len(header.image_type) > 2 else ""
    return {"M": _("magnitude"), "P": _("phase"), "R": _("real"), "I": _("imaginary")}.get(
        kind, kind.lower() if kind not in ("AXIAL", "OTHER") else ""
    )


def _plane(entry: SeriesEntry) -> str:
    geometry = entry.geometry
    if geometry is None or not geometry.is_patient:
        return ""
    normal = np.abs(geometry.vector(0))
    word = _(_PLANES[int(normal.argmax())])
    return word if normal.max() >= _STRAIGHT else _("oblique {plane}").format(plane=word)


def _view(entry: SeriesEntry) -> str:
    """``L MLO``: the side and the view of a projection."""
    side = entry.plan.description.facts.get("Laterality", "")
    return " ".join(part for part in (side, entry.identity.view_position) if part)


def _spacing(entry: SeriesEntry) -> str:
    geometry = entry.geometry
    return f"{geometry.spacing[2]:.3g} mm" if geometry is not None and geometry.in_plane_known else ""


def _stack(frames: Sequence[Frame]) -> str:
    names = {frame.stack for frame in frames}
    return _("stack {name}").format(name=names.pop()) if len(names) == 1 and names != {""} else ""


def _constant_keys(frames: Sequence[Frame]) -> list[str]:
    """In words what is the same for all images of a part, "" where it differs or is missing."""
    found = []
    for place, (_tag, word, unit) in enumerate(PHASE_KEYS):
        values = {frame.keys[place] for frame in frames if frame.keys}
        value = values.pop() if len(values) == 1 else ""
        found.append(joined((p for p in (_(word), value, unit) if p), " ") if value else "")
    return found


def _why(entries: Sequence[SeriesEntry], chosen: list[list[str]], part: str) -> Note:
    text = _("The series holds {count} things that do not belong into one stack; this is: {part}.")
    if not chosen and not part:
        part = _("the first")
    return Note("series", text.format(count=len(entries), part=part or _("the rest")))
