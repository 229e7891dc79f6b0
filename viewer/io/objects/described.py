"""What a segmentation says of its segments: number, name, colour, what they are and who found them."""

from __future__ import annotations

from viewer.core.errors import UnreadableFile
from viewer.core.labels import Segment, segment_color
from viewer.core.provenance import Note
from viewer.core.sentence import joined
from viewer.core.words import _, mark
from viewer.io.dicom import colour, elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.header import Header
from viewer.io.objects.listing import segment_name
from viewer.io.objects.tints import from_cielab, from_rgb

_HOW = {"AUTOMATIC": mark("found by a program"), "SEMIAUTOMATIC": mark("drawn with a program's help"), "MANUAL": mark("drawn by hand")}
MOST_NOTED = 40


def described_segments(header: Header, dataset: Dataset) -> tuple[dict[int, Segment], list[Note]]:
    """Segments by their number, and what is said of each; a background (number 0 of a label map) is none.

    Raises UnreadableFile where no segment is described.
    """
    encodings = elements.encodings(dataset)
    items = elements.items(dataset, 0x00620002)
    if not items:
        raise UnreadableFile(_("{name}: it does not say what its segments are (no Segment Sequence). The file is damaged.").format(name=header.name))
    palette = colour.read_palette(dataset, signed=header.is_signed) if header.photometric == "PALETTE COLOR" else None
    found: dict[int, Segment] = {}
    notes: list[Note] = []
    for place, item in enumerate(items, 1):
        number = elements.integer(item, 0x00620004)
        if number == 0:
            continue
        if number is None or not 1 <= number <= 65535:
            notes.append(Note("file", _("its {place}. segment has no number and was left out").format(place=place), is_warning=True))
            continue
        if number in found:
            notes.append(Note("file", _("the number {number} is given to two segments: the first counts").format(number=number), is_warning=True))
            continue
        tint = from_cielab(elements.numbers(item, 0x0062000D))
        if not tint and palette is not None:
            import numpy as np

            tint = from_rgb([float(c) for c in palette.apply(np.array([[number]]))[0, 0]])
        category, kind = _meaning(item, 0x00620003, encodings), _meaning(item, 0x0062000F, encodings)
        name = segment_name(item, encodings) or _("Segment {number}").format(number=number)
        found[number] = Segment(number, name[:200], tint or segment_color(len(found) + 1), coded_meaning=kind)
        if len(found) <= MOST_NOTED:
            notes.append(Note("file", _said(item, name, category, kind, encodings)))
    if len(found) > MOST_NOTED:
        notes.append(Note("file", _("and {count} further segments").format(count=len(found) - MOST_NOTED)))
    return found, notes


def named(number: int, place: int) -> Segment:
    """A segment that the file does not describe."""
    return Segment(number, _("Segment {number}").format(number=number), segment_color(place))


def _said(item: Dataset, name: str, category: str, kind: str, encodings: tuple[str, ...]) -> str:
    """One line on a segment: ``Liver: Tissue, Liver; found by a program (nnU-Net)``."""
    how = _HOW.get(elements.text(item, 0x00620008).upper(), "")
    program = elements.words(item, 0x00620009, encodings)
    if how and program:
        how = _("{how} ({program})").format(how=_(how), program=program[:80])
    elif how:
        how = _(how)
    what = ", ".join(part for part in (category, kind) if part)
    said = joined(part for part in (what, how) if part)
    return _("segment {name}: {what}").format(name=name[:80], what=said) if said else _("segment {name}").format(name=name[:80])


def _meaning(item: Dataset, tag: int, encodings: tuple[str, ...]) -> str:
    code = elements.first(item, tag)
    return elements.words(code, 0x00080104, encodings)[:80] if code is not None else ""
