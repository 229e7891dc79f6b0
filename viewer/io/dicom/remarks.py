"""What the header of a DICOM image has to say about its values, window and colours, as notes in plain words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from viewer.core.provenance import Note
from viewer.core.window import VoiLut, Window
from viewer.core.words import _, ngettext
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.header import Header
from viewer.io.dicom.values import Rescale

ICC_PROFILE = 0x00282000


def stored_notes(header: Header) -> Iterator[Note]:
    """Float pixels are modality values as they are (D13)."""
    if header.pixels is not None and header.pixels.tag != 0x7FE00010:
        yield Note("values", _("Stored as floating point numbers of {bits} bits; no rescale applies to them.").format(bits=header.bits_allocated))


def rescale_notes(rescales: Sequence[Sequence[Rescale]], *, has_lut: bool, has_slope: bool) -> Iterator[Note]:
    """From stored to modality values (D16 to D18)."""
    if has_lut:
        text = _("Modality values come from the Modality LUT of the file (0028,3000).")
        yield Note("values", text)
        if has_slope:
            yield Note(
                "ignored", _("The file gives a rescale slope as well as a Modality LUT, which it must not: the LUT was used."), is_warning=True
            )
        return
    found = {r for row in rescales for r in row}
    if len(found) == 1:
        (one,) = found
        if one == Rescale():
            yield Note("values", _("Modality values are the stored values: slope 1, intercept 0."))
        else:
            text = _("Modality value = {slope:.9g} x stored value {sign} {intercept:.9g}, for every plane.")
            yield Note("values", text.format(slope=one.slope, sign="-" if one.intercept < 0 else "+", intercept=abs(one.intercept)))
        return
    slopes, intercepts = [r.slope for r in found], [r.intercept for r in found]
    text = _("Each plane has its own rescale: slopes from {low:.6g} to {high:.6g}, intercepts from {first:.6g} to {last:.6g}.")
    yield Note("values", text.format(low=min(slopes), high=max(slopes), first=min(intercepts), last=max(intercepts)))


def padding_notes(given: Collection[tuple[int, int] | None], values: tuple[float, float] | None, *, is_moved: bool) -> Iterator[Note]:
    """Where the padding comes from (D15): the ranges of stored values that the files give, and what stands for them in memory."""
    known = [one for one in given if one is not None]
    if not known:
        return
    if values is not None and is_moved:
        text = _(
            "Planes differ in the values that only fill the frame (Pixel Padding Value, 0028,0120): "
            "each plane’s own are left out, and stand as {value:g} in memory."
        )
        yield Note("values", text.format(value=values[0]), is_warning=True)
        return
    if len(given) > 1:
        used = _("Planes differ in the values that only fill the frame (Pixel Padding Value, 0028,0120): each plane’s own are left out.")
        unused = _(
            "Planes differ in the values that only fill the frame (Pixel Padding Value, 0028,0120), "
            "and no one value can stand for them in all planes: they are not left out of statistics."
        )
        yield Note("values", unused if values is None else used, is_warning=values is None)
        return
    stored = known[0]
    shown = str(stored[0]) if stored[0] == stored[1] else f"{stored[0]} … {stored[1]}"
    if values is not None:
        yield Note("values", _("Stored values {range} only fill the frame (Pixel Padding Value, 0028,0120).").format(range=shown))
    else:
        text = _("Stored values {range} only fill the frame, but cannot be told from others after the rescale: they are not left out of statistics.")
        yield Note("values", text.format(range=shown), is_warning=True)


def relation_notes(dataset: Dataset) -> Iterator[Note]:
    """Pixel Intensity Relationship is a label, not a transform (D20)."""
    relation = elements.text(dataset, 0x00281040)
    if relation:
        text = _("Pixel Intensity Relationship is {name}: a label, nothing was computed from it.")
        yield Note("values", text.format(name=elements.harmless(relation)[:16]))


def window_notes(
    windows: Sequence[Window], luts: Sequence[VoiLut], unusable: Sequence[tuple[float, float]] = (), broken_luts: int = 0
) -> Iterator[Note]:  # fmt: skip
    """What the file gives to choose from (D32 to D34), and what of it cannot be used."""
    for number, lut in enumerate(luts, 1):
        text = _("VOI LUT {number} of the file: {count} entries of {bits} bits from {first:g} on{name}.")
        name = _(" “{name}”").format(name=lut.name) if lut.name else ""
        yield Note("window", text.format(number=number, count=len(lut.table), bits=lut.bits, first=lut.first, name=name))
    for number, window in enumerate(windows, 1):
        text = _("Window {number} of the file: centre {center:g}, width {width:g}, {function}{name}.")
        name = _(" “{name}”").format(name=window.name) if window.name else ""
        found = text.format(number=number, center=window.center, width=window.width, function=window.function, name=name)
        yield Note("window", found)
    for center, width in unusable:
        text = _("The file’s window of centre {center:g} and width {width:g} cannot be used: such a width is not allowed.")
        yield Note("window", text.format(center=center, width=width), is_warning=True)
    if broken_luts:
        words = ngettext(
            "{count} VOI LUT of the file is broken (its descriptor and its entries do not agree) and was left out.",
            "{count} VOI LUTs of the file are broken (their descriptors and their entries do not agree) and were left out.",
            broken_luts,
        )
        yield Note("window", words, is_warning=True)
    if not windows and not luts and not unusable and not broken_luts:
        yield Note("window", _("The file gives no window and no VOI LUT."))


def plane_window_notes(plane_windows: Sequence[Sequence[Window | VoiLut | None]], left_out: int = 0) -> Iterator[Note]:
    """The range of windows where each plane has its own, and of how many planes a VOI LUT was left out."""
    if left_out:
        words = ngettext(
            "{count} plane has a VOI LUT that is broken or was too much to keep: its window is used, else that of the middle file.",
            "{count} planes have VOI LUTs that are broken or were too much to keep: their windows are used, else that of the middle file.",
            left_out,
        )
        yield Note("window", words, is_warning=True)
    planes = [w for row in plane_windows for w in row]
    curves = {w for w in planes if isinstance(w, VoiLut)}
    if curves:
        text = _("Planes differ in VOI LUT ({count} in all): each is shown through its own, else its window, reformats through the middle file’s.")
        yield Note("window", text.format(count=len(curves)))
        if None in planes:
            text = _("Planes without a VOI LUT or window of their own are shown through that of the middle file, else through a computed window.")
            yield Note("window", text, is_warning=True)
    known = [w for w in planes if isinstance(w, Window)]
    if not known or curves:
        return
    text = _("Each plane has a window of its own, used until another is chosen: centres {low:g} to {high:g}, widths {narrow:g} to {wide:g}.")
    centers, widths = [w.center for w in known], [w.width for w in known]
    yield Note("window", text.format(low=min(centers), high=max(centers), narrow=min(widths), wide=max(widths)))


def colour_notes(header: Header, dataset: Dataset) -> Iterator[Note]:
    """The photometric steps (D37 to D42)."""
    name = header.photometric
    if name == "PALETTE COLOR":
        yield from _palette(dataset)
    elif header.samples == 3:
        yield from _samples(header)
    shape = elements.text(dataset, 0x20500020)
    if shape == "INVERSE":
        yield Note("colour", _("Presentation LUT Shape is INVERSE: the picture is inverted, once, after the window; values are not."))
    elif header.samples == 1 and name in ("MONOCHROME1", "MONOCHROME2"):
        yield Note("colour", _("Photometric interpretation: {name}.").format(name=name))
    if elements.raw(dataset, ICC_PROFILE) is not None:
        yield Note("colour", _("The file carries an ICC colour profile (0028,2000), which is not applied."), is_warning=True)


def _palette(dataset: Dataset) -> Iterator[Note]:
    descriptor = elements.shorts(dataset, 0x00281101)
    if len(descriptor) == 3:
        kind = _("segmented") if elements.raw(dataset, 0x00281201) is None else _("plain")
        text = _("Stored values are indices into a palette of {count} colours of {bits} bits ({kind}).")
        yield Note("colour", text.format(count=descriptor[0] or 65536, bits=descriptor[2], kind=kind))


def _samples(header: Header) -> Iterator[Note]:
    name = elements.harmless(header.photometric)[:16]
    if header.is_native and header.photometric.startswith("YBR"):
        chroma = _(", one colour for two pixels") if header.is_subsampled else ""
        yield Note("colour", _("{name} was turned into red, green and blue by PS3.3 C.7.6.3.1.2{chroma}.").format(name=name, chroma=chroma))
    elif header.photometric.startswith("YBR"):
        yield Note("colour", _("{name} in the header; the decoder or we turned it into red, green and blue, once.").format(name=name))
    else:
        order = _("pixel by pixel") if header.planar == 0 or not header.is_native else _("colour by colour")
        yield Note("colour", _("{name}, stored {order}.").format(name=name, order=order))
    if header.bits_stored > 8:
        text = _("Colours have {bits} bits; the eight highest are shown.")
        yield Note("colour", text.format(bits=header.bits_stored), is_warning=True)


def left_out_notes(dataset: Dataset) -> Iterator[Note]:
    """What the header says of the picture that nothing is done with, and what cannot be taken out of it."""
    if elements.text(dataset, 0x00280301) == "YES":
        yield Note("ignored", _("The file says that text is burned into its pixels (0028,0301): it may name the patient."), is_warning=True)
    if elements.raw(dataset, 0x00181624) is not None:
        yield Note("ignored", _("The shutter has a colour (0018,1624); it is drawn in grey."))
    steps = len(elements.items(dataset, 0x20500010))
    if steps:
        yield Note("ignored", ngettext("{count} Presentation LUT was not applied.", "{count} Presentation LUTs were not applied.", steps))
