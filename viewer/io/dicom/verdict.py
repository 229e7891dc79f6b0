"""What is found of a stack's geometry, in words with numbers: distances, tilt, missing and doubled planes, and the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from viewer.core.evenness import Evenness, evenness_of
from viewer.core.geometry import Geometry, letters
from viewer.core.provenance import Note
from viewer.core.sentence import joined, whole
from viewer.core.words import _, ngettext

MOST_PLACES = 4


def judged(places: NDArray[np.float64], normal: NDArray[np.float64]) -> tuple[Evenness, list[Note], tuple[str, ...]]:
    """The verdict on at least two planes, notes (a warning is one that the listing repeats) and badges (D58 to D60, D62)."""
    found = evenness_of(places, normal)
    notes = [_distances(found, len(places))]
    badges: list[str] = []
    if found.is_tilted:
        text = _("the planes lean by {angle:.2f}° (as with a tilted gantry): they are shown as acquired, each in its place")
        notes.append(Note("geometry", text.format(angle=found.tilt_degrees), is_warning=True))
        badges.append("TILT")
    else:
        notes.append(Note("geometry", _("Tilt of the stack: {angle:.2f}°.").format(angle=found.tilt_degrees)))
    if found.missing:
        where = [missing_at(places, normal, count, after) for count, after in found.missing[:MOST_PLACES]]
        more = len(found.missing) - MOST_PLACES
        if more > 0:
            where.append(ngettext("{count} further gap", "{count} further gaps", more))
        text = _("{missing}: volumes and distances across planes are not measured")
        notes.append(Note("geometry", text.format(missing=joined(where, ", ")), is_warning=True))
        badges.append("INCOMPLETE")
    elif not found.is_even and found.most - found.least <= 0.02 * found.median:
        text = _("the planes are shifted sideways by up to {off:.2f} mm: volumes and distances across planes are not measured")
        notes.append(Note("geometry", text.format(off=found.off), is_warning=True))
    elif not found.is_even:
        text = _("the planes are not evenly spaced ({low:.2f} to {high:.2f} mm): volumes and distances across planes are not measured")
        notes.append(Note("geometry", text.format(low=found.least, high=found.most), is_warning=True))
    else:
        notes.append(Note("geometry", _("No plane is missing.")))
    return found, notes, tuple(badges)


def warnings_of(notes: Sequence[Note]) -> tuple[str, ...]:
    """The sentences that the listing shows."""
    return tuple(note.text for note in notes if note.is_warning)


def sentences(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes with a capital and a full stop, which warnings do without: they follow a name in a list."""
    return tuple(replace(note, text=whole(note.text)) for note in notes)


def _distances(found: Evenness, planes: int) -> Note:
    off = _("less than {mm}").format(mm=0.001) if found.off < 0.001 else _("at most {mm:.3f}").format(mm=found.off)
    text = _("{planes} planes, {median:.4g} mm apart (from {least:.4g} to {most:.4g}, mean {mean:.4g}); {off} mm from an even stack.")
    return Note(
        "geometry",
        text.format(planes=planes, median=found.median, least=found.least, most=found.most, mean=found.mean, off=off),
    )


def missing_at(places: NDArray[np.float64], normal: NDArray[np.float64], count: int, after: int) -> str:
    """``2 planes are missing at z = -513.0 to -512.0 mm``: along the patient axis nearest to the normal."""
    world = int(np.abs(normal).argmax())
    before, behind = float(places[after][world]), float(places[after + 1][world])
    lost = ngettext("{count} plane is missing", "{count} planes are missing", count)
    step = (behind - before) / (count + 1)
    if count == 1:
        return _("{missing} at {axis} = {place:.1f} mm").format(missing=lost, axis="xyz"[world], place=before + step)
    text = _("{missing} at {axis} = {first:.1f} to {last:.1f} mm")
    return text.format(missing=lost, axis="xyz"[world], first=before + step, last=behind - step)


def place_of(position: Sequence[float], normal: NDArray[np.float64]) -> str:
    """``z = -512.0 mm``: a plane's place along the patient axis nearest to its normal."""
    world = int(np.abs(normal).argmax())
    return _("{axis} = {place:.1f} mm").format(axis="xyz"[world], place=position[world])


def order_note(geometry: Geometry, numbers: Sequence[int], *, is_one_file: bool = False) -> Note:
    """Towards which direction the planes are sorted, and whether their numbers run the same way."""
    way = letters(geometry.vector(0))
    known = [n for n in numbers if n]
    steps = np.diff(numbers)
    if len(known) < len(numbers) or len(steps) == 0:
        how = _("the files' numbers are not used")
    elif (steps > 0).all():
        how = _("the frames of the file run the same way") if is_one_file else _("their instance numbers run the same way")
    elif (steps < 0).all():
        how = _("the frames of the file run the other way") if is_one_file else _("their instance numbers run the other way")
    else:
        how = _("the frames of the file are in another order") if is_one_file else _("their instance numbers are in another order")
    return Note("geometry", _("Sorted by position towards {letters}, at right angles to the planes; {how}.").format(letters=way, how=how))
