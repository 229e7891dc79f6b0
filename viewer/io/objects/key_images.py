"""Key images: a KO document's title, description and the images that it marks (PS3.3 A.35.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.objects.dataset import read_dataset
from viewer.io.objects.readable import Code, Line, Readable, Reference, date_words, evidence, images_words, read_code, read_reference, reference_words
from viewer.io.series import SeriesEntry

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
MOST_REFERENCES = 10_000
_DESCRIPTION = "113012"


@dataclass(frozen=True, slots=True)
class KeyImages:
    """What a key object selection says."""

    title: Code
    """Why they are key images: Of Interest, For Teaching, Rejected for Quality Reasons ..."""
    modifiers: tuple[Code, ...]
    description: str
    references: tuple[Reference, ...]
    """In the document's order."""
    date: str
    """As in the file, ``YYYYMMDD``."""
    series_uids: tuple[str, ...]
    """Of the series that the images belong to."""


def read_key_images(path: Path) -> KeyImages:
    """Read a KO document. Raises UnreadableFile where the file cannot be understood or is none."""
    dataset = read_dataset(path)
    if elements.text(dataset, 0x00080016) != KEY_OBJECT_SELECTION:
        raise UnreadableFile(_("{name} holds no key images.").format(name=gate.harmless(path.name)))
    return key_images_of(dataset)


def key_images_of(dataset: Dataset) -> KeyImages:
    """The same of elements that are already read; what is missing is empty."""
    encodings = elements.encodings(dataset)
    series_of = {
        elements.harmless(elements.text(item, 0x00081155)): uid for uid, series in evidence(dataset) for item in elements.items(series, 0x00081199)
    }
    modifiers: list[Code] = []
    texts: list[str] = []
    references: list[Reference] = []
    for child in elements.items(dataset, 0x0040A730):
        kind = elements.text(child, 0x0040A040)
        if kind == "TEXT" and read_code(child, 0x0040A043, encodings).value == _DESCRIPTION:
            texts.append(elements.words(child, 0x0040A160, encodings))
        elif kind == "CODE" and elements.text(child, 0x0040A010) == "HAS CONCEPT MOD":
            modifiers.append(read_code(child, 0x0040A168, encodings))
        elif kind in ("IMAGE", "COMPOSITE", "WAVEFORM") and len(references) < MOST_REFERENCES:
            item = elements.first(child, 0x00081199)
            if item is not None:
                references.append(read_reference(item, series_of.get(elements.harmless(elements.text(item, 0x00081155)), "")))
    series = tuple(dict.fromkeys(r.series_uid for r in references if r.series_uid))
    title = read_code(dataset, 0x0040A043, encodings)
    return KeyImages(title, tuple(modifiers), "\n".join(texts)[:10_000], tuple(references), elements.text(dataset, 0x00080023)[:16], series)


def marked_planes(found: KeyImages, entry: SeriesEntry) -> tuple[tuple[int, int], ...]:
    """Which images of a listed DICOM series are marked, as (phase, plane) from 0, in the document's order; () if none is."""
    plan = entry.plan
    if entry.reader != "dicom" or not hasattr(plan, "slots") or not hasattr(plan, "headers"):
        return ()
    places: dict[str, list[tuple[int, tuple[int, int]]]] = {}
    for phase, planes in enumerate(plan.slots):
        for plane, (header, frame) in enumerate(planes):
            if 0 <= header < len(plan.headers):
                places.setdefault(plan.headers[header].sop_uid, []).append((frame, (phase, plane)))
    marked: list[tuple[int, int]] = []
    for reference in found.references:
        for frame, place in places.get(reference.sop_uid, ()) if reference.sop_uid else ():
            # Frames are counted from 1 in a reference; none named: all of them (PS3.3 C.18.4).
            if not reference.frames or frame + 1 in reference.frames:
                marked.append(place)
    return tuple(dict.fromkeys(marked))


def readable_key_images(found: KeyImages, names: Mapping[str, str]) -> Readable:
    """Key images in words."""
    lines = [Line("entry", 0, _("Date"), elements.harmless(date_words(found.date)))] if found.date else []
    lines += [Line("entry", 0, _("Reason"), code.words) for code in found.modifiers if code.words]
    if found.description:
        lines.append(Line("entry", 0, _("Description"), found.description))
    lines.append(Line("heading", 0, images_words(len(found.references))))
    lines += [Line("paragraph", 1, "", reference_words(reference, names)) for reference in found.references]
    return Readable(title_words(found.title, len(found.references)), tuple(lines))


def title_words(title: Code, count: int) -> str:
    """``Key images: Of Interest, 3 images``."""
    return _("Key images: {title}, {images}").format(title=title.words or _("no title"), images=images_words(count))
