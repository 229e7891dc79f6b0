"""What a listing says of a segmentation or a structure set: what it is, what is in it, and which series it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from viewer.core.words import _, ngettext
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.header import Header
from viewer.io.series import ObjectKind

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
MOST_NAMES = 1000
"""Names that a listing keeps; an object with more is read all the same."""


@dataclass(frozen=True, slots=True)
class RegionsPlan:
    """What finding a segmentation or a structure set has learned of it; the reader opens the file again."""

    header: Header
    names: tuple[str, ...]
    """Of its segments or structures, in the file's order."""
    count: int
    frames: tuple[str, ...]
    """Frame of reference UIDs that its places are in."""
    instances: frozenset[str] = field(default=frozenset(), repr=False)
    """UIDs of the images that it was made for."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What an object's entry in a listing gets."""

    kind: ObjectKind
    title: str
    refers_to: tuple[str, ...]
    plan: RegionsPlan


def listed(header: Header, dataset: Dataset) -> Listed | None:
    """A segmentation's or structure set's part of its entry; None for every other object. Lenient: what is missing is left out."""
    if header.sop_class in (SEGMENTATION, LABEL_MAP):
        return _segmentation(header, dataset)
    if header.sop_class == STRUCTURE_SET:
        return _structures(header, dataset)
    return None


def _segmentation(header: Header, dataset: Dataset) -> Listed:
    encodings = elements.encodings(dataset)
    found = [s for s in elements.items(dataset, 0x00620002) if elements.integer(s, 0x00620004) != 0]
    names = tuple(segment_name(item, encodings) for item in found[:MOST_NAMES])
    references = list(_series(dataset))
    title = ngettext("Segmentation: {count} segment", "Segmentation: {count} segments", len(found))
    instances = frozenset(uid for _s, series in references for uid in _instances(series, 0x0008114A))
    frames = (header.frame_uid,) if header.frame_uid else ()
    plan = RegionsPlan(header, names, len(found), frames, instances)
    return Listed("segmentation", _described(title, dataset, encodings, 0x00700080), _unique(uid for uid, _d in references), plan)


def _structures(header: Header, dataset: Dataset) -> Listed:
    encodings = elements.encodings(dataset)
    found = elements.items(dataset, 0x30060020)
    names = tuple(structure_name(item, encodings) for item in found[:MOST_NAMES])
    frames = _unique(elements.text(item, 0x30060024) for item in found)
    series: list[str] = []
    instances: set[str] = set()
    for frame in elements.items(dataset, 0x30060010):
        frames = _unique((*frames, elements.text(frame, 0x00200052)))
        for study in elements.items(frame, 0x30060012):
            for item in elements.items(study, 0x30060014):
                series.append(elements.text(item, 0x0020000E))
                instances.update(_instances(item, 0x30060016))
    title = ngettext("Structure set: {count} structure", "Structure set: {count} structures", len(found))
    plan = RegionsPlan(header, names, len(found), frames, frozenset(instances))
    return Listed("structures", _described(title, dataset, encodings, 0x30060002), _unique(series), plan)


def segment_name(item: Dataset, encodings: tuple[str, ...]) -> str:
    """What a segment is called: its label, else what its type is called."""
    kind = elements.first(item, 0x0062000F)
    said = elements.words(kind, 0x00080104, encodings) if kind is not None else ""
    return elements.words(item, 0x00620005, encodings) or said


def structure_name(item: Dataset, encodings: tuple[str, ...]) -> str:
    """What a structure (ROI) is called; "" where the file does not say."""
    return elements.words(item, 0x30060026, encodings)


def _described(title: str, dataset: Dataset, encodings: tuple[str, ...], label: int) -> str:
    description = elements.words(dataset, 0x0008103E, encodings) or elements.words(dataset, label, encodings)
    return _("{title} ({description})").format(title=title, description=description[:80]) if description else title


def _series(dataset: Dataset) -> Iterator[tuple[str, Dataset]]:
    """Referenced series, of this study and of others."""
    for item in elements.items(dataset, 0x00081115):
        yield elements.text(item, 0x0020000E), item
    for study in elements.items(dataset, 0x00081200):
        for item in elements.items(study, 0x00081115):
            yield elements.text(item, 0x0020000E), item


def _instances(series: Dataset, tag: int) -> Iterator[str]:
    for item in elements.items(series, tag):
        uid = elements.text(item, 0x00081155)
        if uid:
            yield uid


def _unique(values: Iterator[str] | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(elements.harmless(v)[:128] for v in values if v))
