"""What objects without pixels say, as lines to be read: the shape that reports, presentation states and key images share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from viewer.core.words import _, ngettext
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.series import SeriesEntry

LineKind = Literal["heading", "entry", "paragraph"]


@dataclass(frozen=True, slots=True)
class Line:
    """A heading (``label``), an entry (``label`` and what it is, ``text``), or a paragraph (``text``); ``depth`` from 0."""

    kind: LineKind
    depth: int
    label: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Readable:
    """A document in words."""

    title: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    """Sentences on what was cut off or could not be understood."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another object that one refers to; ``frames`` and ``segments`` are () for all of it."""

    sop_class: str
    sop_uid: str
    series_uid: str = ""
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept: value, scheme, meaning."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""

    @property
    def words(self) -> str:
        """The meaning, else the value."""
        return self.meaning or self.value


def as_text(document: Readable) -> str:
    """Lines of plain text, moved in by their depth; a heading has a blank line before it."""
    found = [document.title, "=" * len(document.title)]
    for line in document.lines:
        margin = "  " * line.depth
        if line.kind == "heading":
            found += ["", margin + line.label]
        elif line.kind == "entry":
            parts = line.text.split("\n")
            found += [f"{margin}{line.label}: {parts[0]}".rstrip(), *(f"{margin}  {part}" for part in parts[1:])]
        else:
            found += [margin + part for part in line.text.split("\n")]
    if document.notes:
        found += ["", *document.notes]
    return "\n".join(found) + "\n"


def read_code(dataset: Dataset, tag: int, encodings: tuple[str, ...]) -> Code:
    """The first item of a sequence of codes; an empty one where there is none."""
    item = elements.first(dataset, tag)
    if item is None:
        return Code()
    value = next((text for text in (elements.words(item, t, encodings) for t in (0x00080100, 0x00080119, 0x00080120)) if text), "")
    return Code(value[:128], elements.words(item, 0x00080102, encodings)[:64], elements.words(item, 0x00080104, encodings)[:256])


def read_reference(item: Dataset, series_uid: str = "") -> Reference:
    """An item of a sequence of referenced objects."""
    return Reference(
        elements.harmless(elements.text(item, 0x00081150))[:64],
        elements.harmless(elements.text(item, 0x00081155))[:64],
        series_uid,
        tuple(int(n) for n in elements.numbers(item, 0x00081160) if n == n),
        tuple(int(n) for n in elements.numbers(item, 0x0062000B) if n == n),
    )


def evidence(dataset: Dataset) -> Iterator[tuple[str, Dataset]]:
    """UID and item of each series that a document refers to, as evidence of what was requested (0040,A375) and of other (0040,A385)."""
    for tag in (0x0040A375, 0x0040A385):
        for study in elements.items(dataset, tag):
            for series in elements.items(study, 0x00081115):
                yield elements.harmless(elements.text(series, 0x0020000E))[:128], series


def reference_words(reference: Reference, names: Mapping[str, str]) -> str:
    """What is referred to: by series and image number where that is known, else by its kind and UID."""
    from viewer.io.dicom.describe import object_name

    kind = object_name(reference.sop_class).removesuffix(" Storage")
    name = names.get(reference.sop_uid, "")
    words = _("{kind}, {name}").format(kind=kind, name=name) if name and kind else name or f"{kind} {reference.sop_uid}".strip()
    if reference.frames:
        numbers = ", ".join(str(n) for n in reference.frames[:20]) + ("…" if len(reference.frames) > 20 else "")
        words = _("{image}, {frames} {numbers}").format(
            image=words, frames=_("frame") if len(reference.frames) == 1 else _("frames"), numbers=numbers
        )  # fmt: skip
    if reference.segments:
        numbers = ", ".join(str(n) for n in reference.segments[:20])
        words = _("{image}, {segments} {numbers}").format(
            image=words, segments=_("segment") if len(reference.segments) == 1 else _("segments"), numbers=numbers
        )  # fmt: skip
    return words


def image_names(entries: Iterable[SeriesEntry]) -> dict[str, str]:
    """What people call the listed images, by SOP instance UID: "series 3, image 12"."""
    found: dict[str, str] = {}
    for entry in entries:
        headers = getattr(entry.plan, "headers", ()) if entry.reader == "dicom" else ()
        series = entry.identity.series_number or entry.title
        for header in headers:
            if header.sop_uid:
                found[header.sop_uid] = _("series {series}, image {image}").format(series=series, image=header.instance)
    return found


def date_words(text: str) -> str:
    """``20241231`` as ``2024-12-31``, ``20241231142233.5`` with its time too; anything else as it is."""
    digits = text.strip()
    if len(digits) < 8 or not digits[:8].isascii() or not digits[:8].isdigit():
        return text
    day = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    rest = time_words(digits[8:]) if len(digits) > 8 else ""
    return f"{day} {rest}".strip()


def time_words(text: str) -> str:
    """``142233.5`` as ``14:22:33``, ``1422`` as ``14:22``; anything else as it is."""
    digits = text.strip()
    if len(digits) >= 4 and digits[:4].isascii() and digits[:4].isdigit():
        seconds = f":{digits[4:6]}" if digits[4:6].isdigit() and len(digits) >= 6 else ""
        return f"{digits[:2]}:{digits[2:4]}{seconds}"
    return text


def person_words(text: str) -> str:
    """``Packer^David M.^^^M. D.`` as ``David M. Packer, M. D.``; the other ways of writing it behind (PS3.5 6.2.1)."""
    written = []
    for group in text.split("="):
        family, given, middle, prefix, suffix = [*(part.strip() for part in group.split("^")), "", "", "", "", ""][:5]
        name = " ".join(part for part in (prefix, given, middle, family) if part)
        whole = f"{name}, {suffix}" if name and suffix else name or suffix
        if whole:
            written.append(whole)
    return f"{written[0]} ({', '.join(written[1:])})" if len(written) > 1 else written[0] if written else ""


def images_words(count: int) -> str:
    """``3 images``."""
    return ngettext("{count} image", "{count} images", count)
