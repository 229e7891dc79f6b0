"""What the numbers of dose grids and parametric maps mean: their mapping to real-world values, unit and quantity (CONVENTIONS D13, D19)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from viewer.core.provenance import Note
from viewer.core.window import Window
from viewer.core.words import _, mark
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.frames import Frame
from viewer.io.series import ObjectKind

DOSE_STORAGE = "1.2.840.10008.5.1.4.1.1.481.2"
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
_QUANTITY = "246205007"


def map_kind(sop_class: str) -> ObjectKind:
    """Dose or map for what may be laid over the images that it was made from, "" for the rest."""
    return "dose" if sop_class == DOSE_STORAGE else "map" if sop_class == PARAMETRIC_MAP else ""


def made_from(dataset: Dataset) -> tuple[str, ...]:
    """UIDs of the series that a map says it was made from."""
    uids = (elements.harmless(elements.text(series, 0x0020000E))[:128] for series in elements.items(dataset, 0x00081115))
    return tuple(dict.fromkeys(uid for uid in uids if uid))


def in_real_world(frames: Sequence[Frame], dataset: Dataset, said: list[str]) -> tuple[Frame, ...]:
    """Frames of a parametric map whose slope and intercept are those of its real world value mapping, and nothing else.

    Pixels of a map are not rescaled (PS3.3 C.8.32.2: identity); the mapping is what makes quantities of them, each once.
    Windows are for the pixels and are carried over to the mapped values.
    """
    shared = elements.first(dataset, 0x52009229)
    common = next((m for holder in (shared, dataset) for m in _mappings(holder)), None)
    groups = elements.items(dataset, 0x52009230)
    found = []
    for number, frame in enumerate(frames):
        own = next(_mappings(groups[number]), None) if number < len(groups) else None
        slope, intercept = _linear(own if own is not None else common, said)
        window = scaled(frame.window, slope, intercept) if frame.window is not None else None
        found.append(replace(frame, slope=slope, intercept=intercept, rescale_type="", window=window))
    return tuple(found)


def scaled(window: Window, slope: float, intercept: float) -> Window:
    """The window that shows values mapped by ``slope`` x + ``intercept`` as ``window`` showed them before."""
    if (slope, intercept) == (1.0, 0.0):
        return window
    if window.function == "SIGMOID":
        return replace(window, center=window.center * slope + intercept, width=window.width * abs(slope))
    low, high = sorted((window.low * slope + intercept, window.high * slope + intercept))
    return Window((low + high) / 2, max(high - low, 1e-300), "LINEAR_EXACT", window.name)


def quantity_facts(sop_class: str, dataset: Dataset) -> dict[str, str]:
    """What a dose grid or a map says of its numbers, by name; empty for all else."""
    if sop_class == DOSE_STORAGE:
        return _dose_facts(dataset)
    return _map_facts(dataset) if sop_class == PARAMETRIC_MAP else {}


def quantity_notes(sop_class: str, dataset: Dataset) -> list[Note]:
    """The same as notes on how the values came about."""
    return [Note("values", _("{name}: {value}.").format(name=_(name), value=value)) for name, value in quantity_facts(sop_class, dataset).items()]


_DOSE_WORDS = {"GY": "Gy", "RELATIVE": mark("relative to a reference dose"), "PHYSICAL": mark("physical"), "EFFECTIVE": mark("effective"),
               "ERROR": mark("difference from the wanted dose"), "PLAN": mark("a whole plan"), "MULTI_PLAN": mark("several plans"),
               "PLAN_OVERVIEW": mark("several plans"), "FRACTION": mark("one fraction group"), "BEAM": mark("one or more beams"),
               "BRACHY": mark("brachytherapy"), "FRACTION_SESSION": mark("one session"), "BEAM_SESSION": mark("beams of one session"),
               "BRACHY_SESSION": mark("brachytherapy of one session"), "CONTROL_POINT": mark("control points of a beam"),
               "RECORD": mark("a treatment record")}  # fmt: skip


def _dose_facts(dataset: Dataset) -> dict[str, str]:
    def words(tag: int) -> str:
        code = elements.text(dataset, tag)
        return _(_DOSE_WORDS[code]) if code in _DOSE_WORDS else elements.harmless(code)[:32]

    facts = {mark("Dose units"): words(0x30040002), mark("Dose type"): words(0x30040004), mark("Dose of"): words(0x3004000A)}
    scaling = elements.number(dataset, 0x3004000E)
    facts[mark("Dose grid scaling")] = f"{scaling:g}" if scaling else ""
    offsets = elements.numbers(dataset, 0x3004000C)
    if len(offsets) > 1:
        facts[mark("Dose planes")] = _("given by their distance from the first") if offsets[0] == 0 else _("given by their place along z")
    comment = elements.words(dataset, 0x30040006, elements.encodings(dataset))
    facts[mark("Dose comment")] = comment[:128]
    return {name: value for name, value in facts.items() if value}


def _map_facts(dataset: Dataset) -> dict[str, str]:
    encodings = elements.encodings(dataset)
    shared, first = elements.first(dataset, 0x52009229), elements.first(dataset, 0x52009230)
    mappings = [m for holder in (first, shared, dataset) for m in _mappings(holder)]
    facts = {mark("Content label"): elements.words(dataset, 0x00700080, encodings)[:64]}
    if mappings:
        mapping = mappings[0]
        facts[mark("Quantity")] = _quantity(mapping, encodings) or elements.words(mapping, 0x00283003, encodings)[:128]
        unit = elements.first(mapping, 0x004008EA)
        meaning = elements.words(unit, 0x00080104, encodings)[:64] if unit is not None else ""
        facts[mark("Unit of the map")] = meaning or (elements.words(unit, 0x00080100, encodings)[:32] if unit is not None else "")
        facts[mark("Real world values")] = _("{slope:g} x + {intercept:g}").format(slope=_linear(mapping, [])[0], intercept=_linear(mapping, [])[1])
        own = list(_mappings(first)) or list(_mappings(shared))
        if len(own) > 1:
            facts[mark("Further mappings")] = _("{count}, not used").format(count=len(own) - 1)
    return {name: value for name, value in facts.items() if value}


def _quantity(mapping: Dataset, encodings: tuple[str, ...]) -> str:
    """The meaning of the quantity that is defined (PS3.16 TID 321), with what modifies it."""
    words: list[str] = []
    for item in elements.items(mapping, 0x00409220):
        name, value = elements.first(item, 0x0040A043), elements.first(item, 0x0040A168)
        if value is None:
            continue
        meaning = elements.words(value, 0x00080104, encodings)[:64]
        code = elements.text(name, 0x00080100) if name is not None else ""
        if code in (_QUANTITY, "G-C1C6"):
            words.insert(0, meaning)
        else:
            words.append(meaning)
    return ", ".join(word for word in words if word)


def _mappings(holder: Dataset | None) -> Iterator[Dataset]:
    if holder is not None:
        yield from elements.items(holder, 0x00409096)


def _linear(mapping: Dataset | None, said: list[str]) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where there are none that make sense."""
    if mapping is None:
        return 1.0, 0.0
    slope, intercept = elements.number(mapping, 0x00409225), elements.number(mapping, 0x00409224)
    if slope is None:
        if elements.raw(mapping, 0x00409212) is not None:
            said.append(_("its real world values stand in a table, which is not applied: stored values are shown"))
        return 1.0, 0.0
    if slope == 0 or not math.isfinite(slope):
        said.append(_("the slope of its real world values is {slope:g}: stored values are shown").format(slope=slope))
        return 1.0, 0.0
    return slope, intercept or 0.0
