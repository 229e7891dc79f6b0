"""Presentation states (GSPS): how somebody wants images to be shown, as read from the file (PS3.3 A.33.1, PS3.4 Annex N).

What is read here is applied in the order modality, mask, VOI, presentation LUT, rotation and flip, displayed area, graphics
(CONVENTIONS D46); nothing of it touches a voxel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from viewer.core.errors import UnreadableFile
from viewer.core.graphics import Shutter
from viewer.core.sentence import joined
from viewer.core.volume import Identity
from viewer.core.window import VoiLut, Window
from viewer.core.words import _, ngettext
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.describe import lookup_table
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.overlays import read_shutter
from viewer.io.dicom.windows import windows_of
from viewer.io.objects.dataset import read_dataset
from viewer.io.objects.readable import Line, Readable, Reference, date_words, images_words, person_words, read_reference, reference_words

PRESENTATION_CLASSES = tuple("1.2.840.10008.5.1.4.1.1.11." + n for n in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"))
MOST_GRAPHICS = 10_000
MOST_POINTS = 100_000
_SHOWN = 12

Units = Literal["PIXEL", "DISPLAY", "MATRIX"]
"""Columns and rows of the image counted from 1 (PIXEL), fractions of the displayed area (DISPLAY), pixels of the whole matrix (MATRIX)."""
Point = tuple[float, float]
"""(column, row) as in the file."""


@dataclass(frozen=True, slots=True)
class Voi:
    """Window or curve for some images."""

    images: tuple[Reference, ...]
    """() means all that the state refers to."""
    windows: tuple[Window, ...] = ()
    luts: tuple[VoiLut, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class DisplayedArea:
    """Which part of the images is shown, and how large."""

    images: tuple[Reference, ...]
    top_left: Point | None
    """Column and row of the first pixel that is seen, counted from 1."""
    bottom_right: Point | None
    size_mode: str = ""
    """SCALE TO FIT, TRUE SIZE or MAGNIFY."""
    magnification: float | None = None
    spacing: tuple[float, float] | None = None
    """Between rows, between columns, mm."""
    aspect: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Graphic:
    """A drawn line, circle, ellipse or set of points."""

    kind: str
    """POINT, POLYLINE, INTERPOLATED, CIRCLE (centre and a point on it), ELLIPSE (ends of the major, then the minor axis)."""
    units: str
    points: tuple[Point, ...] = field(repr=False)
    is_filled: bool = False
    layer: str = ""


@dataclass(frozen=True, slots=True)
class GraphicText:
    """Words put on an image: in a box, at an anchor, or both."""

    text: str
    box_units: str = ""
    box: tuple[Point, Point] | None = None
    justification: str = ""
    anchor_units: str = ""
    anchor: Point | None = None
    is_anchor_visible: bool = False
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Graphics and words for some images."""

    images: tuple[Reference, ...]
    """() means all that the state refers to."""
    graphics: tuple[Graphic, ...] = ()
    texts: tuple[GraphicText, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that graphics lie on; higher ``order`` is drawn later."""

    name: str
    order: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a presentation state says."""

    label: str
    description: str
    creator: str
    date: str
    sop_class: str
    identity: Identity
    images: tuple[Reference, ...]
    rescale: tuple[float, float, str] | None = None
    """Slope, intercept, type: used in place of the images' own."""
    voi: tuple[Voi, ...] = ()
    lut_shape: str = ""
    """IDENTITY or INVERSE; "" where there is a table or nothing."""
    has_lut: bool = False
    rotation: int = 0
    """Degrees clockwise, before the flip."""
    is_flipped: bool = False
    """Left and right changed, after the rotation."""
    areas: tuple[DisplayedArea, ...] = ()
    annotations: tuple[Annotations, ...] = ()
    layers: tuple[Layer, ...] = ()
    shutter: Shutter | None = None
    shutter_shapes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def series_uids(self) -> tuple[str, ...]:
        """Series that it was made for."""
        return tuple(dict.fromkeys(r.series_uid for r in self.images if r.series_uid))


def read_presentation(path: Path) -> Presentation:
    """Read a presentation state. Raises UnreadableFile where the file cannot be understood or is none."""
    dataset = read_dataset(path)
    if elements.text(dataset, 0x00080016) not in PRESENTATION_CLASSES:
        raise UnreadableFile(_("{name} holds no presentation state.").format(name=gate.harmless(path.name)))
    return presentation_of(dataset)


def presentation_of(dataset: Dataset, identity: Identity | None = None) -> Presentation:
    """The same of elements that are already read; what is missing or makes no sense is left out and noted."""
    encodings = elements.encodings(dataset)
    notes: list[str] = []
    shutter, shapes = read_shutter(dataset, 0, 0)
    if "BITMAP" in elements.texts(dataset, 0x00181600):
        notes.append(_("Its shutter of pixels (bitmap) is not read."))
    slope, intercept = elements.number(dataset, 0x00281053), elements.number(dataset, 0x00281052)
    rotation = elements.integer(dataset, 0x00700042) or 0
    if rotation % 90:
        notes.append(_("It asks for a rotation by {angle}°, which is none of 0, 90, 180 and 270; it was left out.").format(angle=rotation))
        rotation = 0
    if elements.items(dataset, 0x00283000):
        notes.append(_("It has a modality LUT of its own, which is not read."))
    if elements.items(dataset, 0x00286100):
        notes.append(_("It asks for the subtraction of mask frames, which is not done."))
    return Presentation(
        label=elements.words(dataset, 0x00700080, encodings)[:64],
        description=elements.words(dataset, 0x00700081, encodings)[:256],
        creator=elements.words(dataset, 0x00700084, encodings)[:256],
        date=elements.text(dataset, 0x00700082)[:16],
        sop_class=elements.text(dataset, 0x00080016),
        identity=identity or Identity(),
        images=tuple(_referenced(dataset)),
        rescale=None if slope is None or intercept is None else (slope, intercept, elements.harmless(elements.text(dataset, 0x00281054))[:16]),
        voi=tuple(_voi(item, encodings) for item in elements.items(dataset, 0x00283110)),
        lut_shape=elements.harmless(elements.text(dataset, 0x20500020))[:16],
        has_lut=bool(elements.items(dataset, 0x20500010)),
        rotation=rotation % 360,
        is_flipped=elements.text(dataset, 0x00700041) == "Y",
        areas=tuple(_area(item) for item in elements.items(dataset, 0x0070005A)),
        annotations=tuple(_annotations(item, encodings) for item in elements.items(dataset, 0x00700001)),
        layers=tuple(sorted((_layer(item, encodings) for item in elements.items(dataset, 0x00700060)), key=lambda layer: layer.order)),
        shutter=shutter,
        shutter_shapes=shapes,
        notes=tuple(notes),
    )


def title_words(label: str, count: int) -> str:
    """``Presentation state: LUNG, 2 images``."""
    return _("Presentation state: {label}, {images}").format(label=label or _("no label"), images=images_words(count))


def readable_presentation(found: Presentation, names: Mapping[str, str]) -> Readable:
    """A presentation state in words, in the order in which it is applied."""
    lines = [
        Line("entry", 0, label, text)
        for label, text in (
            (_("Description"), found.description),
            (_("Made by"), person_words(found.creator)),
            (_("Date"), elements.harmless(date_words(found.date))),
        )
        if text
    ]
    lines.append(Line("heading", 0, _("How the images are shown")))
    if found.rescale is not None:
        slope, intercept, kind = found.rescale
        sign = "-" if intercept < 0 else "+"
        lines.append(Line("entry", 1, _("Rescale"), f"{slope:g} x {sign} {abs(intercept):g} {kind if kind != 'US' else ''}".strip()))
    for voi in found.voi:
        shown = [
            joined(
                (_("width {width:g}, level {level:g}").format(width=w.width, level=w.center), _(" ({name})").format(name=w.name) if w.name else ""),
                "",
            )
            for w in voi.windows
        ]
        shown += [_("curve of {count} entries").format(count=len(lut.table)) for lut in voi.luts]
        lines.append(Line("entry", 1, _("Window"), joined((joined(shown), _for_images(voi.images, names)), "")))
    if found.lut_shape == "INVERSE":
        lines.append(Line("entry", 1, _("Grey scale"), _("inverted")))
    elif found.has_lut:
        lines.append(Line("entry", 1, _("Grey scale"), _("a table of its own")))
    if found.rotation or found.is_flipped:
        turns = [_("rotated by {angle}°").format(angle=found.rotation)] if found.rotation else []
        turns += [_("flipped left to right")] if found.is_flipped else []
        lines.append(Line("entry", 1, _("Orientation"), joined(turns, ", ")))
    lines += [Line("entry", 1, _("Displayed area"), joined((_area_words(area), _for_images(area.images, names)), "")) for area in found.areas]
    if found.shutter_shapes:
        lines.append(Line("entry", 1, _("Shutter"), ", ".join(shape.lower() for shape in found.shutter_shapes)))
    for drawn in found.annotations:
        lines.append(Line("heading", 0, joined((_("Annotations"), _for_images(drawn.images, names)), "")))
        lines += [Line("entry", 1, _("Text"), text.text) for text in drawn.texts[:1000]]
        lines += [Line("entry", 1, _("Graphic"), _graphic_words(graphic)) for graphic in drawn.graphics[:1000]]
    lines.append(Line("heading", 0, images_words(len(found.images))))
    lines += [Line("paragraph", 1, "", reference_words(image, names)) for image in found.images[:1000]]
    return Readable(title_words(found.label, len(found.images)), tuple(lines), found.notes)


def _for_images(images: tuple[Reference, ...], names: Mapping[str, str]) -> str:
    if not images:
        return ""
    shown = [reference_words(image, names) for image in images[:3]]
    more = len(images) - 3
    if more > 0:
        shown.append(ngettext("and {count} more", "and {count} more", more))
    return joined((" ", _("(for {images})").format(images=joined(shown))), "")


def _area_words(area: DisplayedArea) -> str:
    parts = []
    if area.top_left is not None and area.bottom_right is not None:
        (left, top), (right, bottom) = area.top_left, area.bottom_right
        text = _("columns {left:g} to {right:g}, rows {top:g} to {bottom:g}")
        parts.append(text.format(left=left, right=right, top=top, bottom=bottom))
    if area.size_mode:
        parts.append(area.size_mode.lower() + (f" x {area.magnification:g}" if area.magnification and area.size_mode == "MAGNIFY" else ""))
    return joined(parts, ", ")


def _graphic_words(graphic: Graphic) -> str:
    shown = "; ".join(f"{x:g}, {y:g}" for x, y in graphic.points[:_SHOWN]) + ("…" if len(graphic.points) > _SHOWN else "")
    kind = joined((graphic.kind.lower(), _("filled")), ", ") if graphic.is_filled else graphic.kind.lower()
    unit = {"PIXEL": _("pixels"), "DISPLAY": _("of the displayed area"), "MATRIX": _("pixels of the whole slide")}.get(graphic.units, graphic.units)
    count = ngettext("{count} point", "{count} points", len(graphic.points))
    return _("{kind}, {points}: {shown} {unit}").format(kind=kind, points=count, shown=shown, unit=unit)


def _referenced(dataset: Dataset) -> Iterator[Reference]:
    for series in elements.items(dataset, 0x00081115):
        uid = elements.harmless(elements.text(series, 0x0020000E))[:128]
        for item in elements.items(series, 0x00081140):
            yield read_reference(item, uid)


def _images(item: Dataset) -> tuple[Reference, ...]:
    return tuple(read_reference(image) for image in elements.items(item, 0x00081140))


def _voi(item: Dataset, encodings: tuple[str, ...]) -> Voi:
    luts = []
    for holder in elements.items(item, 0x00283010):
        table = lookup_table(holder, 0x00283002, 0x00283006, signed=False)
        if table is not None:
            luts.append(VoiLut(table[0], tuple(table[1]), table[2], elements.words(holder, 0x00283003, encodings)[:64]))
    return Voi(_images(item), windows_of(item, encodings), tuple(luts))


def _area(item: Dataset) -> DisplayedArea:
    spacing = elements.numbers(item, 0x00700101)
    aspect = elements.numbers(item, 0x00700102)
    return DisplayedArea(
        _images(item),
        _point(elements.numbers(item, 0x00700052)),
        _point(elements.numbers(item, 0x00700053)),
        elements.harmless(elements.text(item, 0x00700100))[:16],
        elements.number(item, 0x00700103),
        (spacing[0], spacing[1]) if len(spacing) == 2 and all(math.isfinite(s) and s > 0 for s in spacing) else None,
        (int(aspect[0]), int(aspect[1])) if len(aspect) == 2 and all(math.isfinite(a) and a > 0 for a in aspect) else None,
    )


def _annotations(item: Dataset, encodings: tuple[str, ...]) -> Annotations:
    layer = elements.harmless(elements.text(item, 0x00700002))[:32]
    graphics = tuple(_graphic(drawn, layer) for drawn in elements.items(item, 0x00700009)[:MOST_GRAPHICS])
    texts = tuple(_graphic_text(written, layer, encodings) for written in elements.items(item, 0x00700008)[:MOST_GRAPHICS])
    return Annotations(_images(item), graphics, texts)


def _graphic(item: Dataset, layer: str) -> Graphic:
    values = elements.numbers(item, 0x00700022)[: 2 * MOST_POINTS]
    points = tuple((x, y) for x, y in zip(values[::2], values[1::2], strict=False) if math.isfinite(x) and math.isfinite(y))
    kind, units = (elements.harmless(elements.text(item, tag))[:16] for tag in (0x00700023, 0x00700005))
    return Graphic(kind, units, points, elements.text(item, 0x00700024) == "Y", layer)


def _graphic_text(item: Dataset, layer: str, encodings: tuple[str, ...]) -> GraphicText:
    raw = elements.raw_bytes(item, 0x00700006).replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b" \0\n")
    corners = _point(elements.numbers(item, 0x00700010)), _point(elements.numbers(item, 0x00700011))
    return GraphicText(
        text="\n".join(elements.decode_words(line, encodings) for line in raw.split(b"\n"))[:1024],
        box_units=elements.harmless(elements.text(item, 0x00700003))[:16],
        box=(corners[0], corners[1]) if corners[0] is not None and corners[1] is not None else None,
        justification=elements.harmless(elements.text(item, 0x00700012))[:16],
        anchor_units=elements.harmless(elements.text(item, 0x00700004))[:16],
        anchor=_point(elements.numbers(item, 0x00700014)),
        is_anchor_visible=elements.text(item, 0x00700015) == "Y",
        layer=layer,
    )


def _layer(item: Dataset, encodings: tuple[str, ...]) -> Layer:
    return Layer(
        elements.harmless(elements.text(item, 0x00700002))[:32],
        elements.integer(item, 0x00700062) or 0,
        elements.words(item, 0x00700068, encodings)[:64],
    )


def _point(values: tuple[float, ...]) -> Point | None:
    return (values[0], values[1]) if len(values) == 2 and all(math.isfinite(v) for v in values) else None
