"""What lies beside the voxels of a DICOM volume: each plane's window, SUV, overlays, shutter, and notes on all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from viewer.core.errors import NegatoscopeError
from viewer.core.graphics import GraphicPlane
from viewer.core.provenance import Note
from viewer.core.sentence import part, sentence_of
from viewer.core.volume import ValueScale, Volume
from viewer.core.words import _, ngettext
from viewer.io.dicom import elements, overlays, remarks, suv
from viewer.io.dicom.header import Header
from viewer.io.dicom.index import Plan
from viewer.io.dicom.native import NativeFile
from viewer.io.dicom.padding import Padding
from viewer.io.dicom.parse import parse
from viewer.io.dicom.plane_windows import plane_windows
from viewer.io.dicom.quantities import PARAMETRIC_MAP
from viewer.io.dicom.values import Rescale
from viewer.io.series import SeriesEntry

Slots = Sequence[Sequence[tuple[int, int]]]
SUV_UNIT, SUV_ESTIMATE = "SUVbw", "SUV est."


def with_meaning(volume: Volume, plan: Plan, slots: Slots, rescales: Sequence[Sequence[Rescale]], padding: Padding) -> Volume:
    """The volume with all that its files say beside the voxels; ``slots`` are those that were read."""
    said: list[Note] = []
    description = plan.description
    if not volume.is_color:
        said += remarks.rescale_notes(rescales, has_lut=description.has_lut, has_slope=description.has_slope)
        said += remarks.padding_notes(padding.stored, padding.values, is_moved=padding.is_moved)
    # Windows of parametric maps are told in stored values; those of the description were brought to the map's own.
    without = volume.is_color or plan.headers[plan.lead[0]].sop_class == PARAMETRIC_MAP
    windows, left_out = ((), 0) if without else plane_windows(plan.headers, slots, plan.lead, volume.windows, volume.voi_luts)
    said += remarks.plane_window_notes(windows, left_out)
    graphics, more = _graphics(plan.headers, slots)
    scales: tuple[ValueScale, ...] = ()
    problem = ""
    if volume.identity.modality == "PT" and not volume.is_color:
        found = suv_of(plan.headers, {h for row in slots for h, _n in row})
        scales, problem, note = _as_scales(found)
        said.append(note)
    return replace(
        volume, plane_windows=windows, graphics=graphics, shutter=description.shutter, scales=scales, scale_problem=problem,
        badges=tuple(dict.fromkeys((*volume.badges, *(s.badge for s in scales if s.badge)))),
        notes=(*volume.notes, *description.notes, *said, *more),
    )  # fmt: skip


def suv_of(headers: Sequence[Header], numbers: Iterable[int]) -> suv.Suv | suv.NoSuv:
    """SUV of a PET series from the headers of the given files."""
    try:
        return suv.factor_of([suv.read_facts(parse(headers[n].path).dataset) for n in sorted(numbers)])
    except NegatoscopeError as err:
        return suv.NoSuv(sentence_of(err))


def suv_of_entry(entry: SeriesEntry) -> suv.Suv | suv.NoSuv | None:
    """SUV of a listed series, from headers alone; None for what is no PET image."""
    if entry.identity.modality != "PT" or entry.is_color or not isinstance(entry.plan, Plan):
        return None
    return suv_of(entry.plan.headers, range(len(entry.plan.headers)))


def _as_scales(found: suv.Suv | suv.NoSuv) -> tuple[tuple[ValueScale, ...], str, Note]:
    if isinstance(found, suv.NoSuv):
        return (), found.reason, Note("unit", found.reason, is_warning=True)
    if found.factor == 1.0:
        return (), "", Note("unit", found.how)
    scale = ValueScale(SUV_UNIT, found.factor, found.how, SUV_ESTIMATE if found.is_estimate else "")
    return (scale,), "", Note("unit", found.how, is_warning=found.is_estimate)


def _graphics(headers: Sequence[Header], slots: Slots) -> tuple[tuple[GraphicPlane, ...], list[Note]]:
    """The overlays of every frame that was read. A damaged one costs a note, never the image."""
    found: list[GraphicPlane] = []
    problems: list[str] = []
    unused = 0
    places: dict[int, list[tuple[int, int, int]]] = {}
    for phase, row in enumerate(slots):
        for plane, (number, frame) in enumerate(row):
            if headers[number].overlay_groups:
                places.setdefault(number, []).append((phase, plane, frame))
    for number, frames in places.items():
        header = headers[number]
        try:
            made, said, empty = _of_file(header, frames)
        except NegatoscopeError as err:
            made, said, empty = [], [sentence_of(err)], 0
        found += made
        problems += said
        unused += empty
    notes = [Note("colour", text) for text in _listed(found)]
    if unused:
        text = ngettext("{count} overlay is empty or lies outside of the image.", "{count} overlays are empty or lie outside of the image.", unused)
        notes.append(Note("ignored", text))
    text = _("An overlay was left out: {reason}.")
    notes += [Note("ignored", text.format(reason=part(p)), is_warning=True) for p in list(dict.fromkeys(problems))[:3]]
    return tuple(found), notes


def _of_file(header: Header, frames: list[tuple[int, int, int]]) -> tuple[list[GraphicPlane], list[str], int]:
    dataset = parse(header.path).dataset
    covering = elements.shorts(dataset, 0x00181623)  # the group that a shutter is made of is no picture
    groups = tuple(g for g in header.overlay_groups if g not in covering[:1])
    known, said = overlays.read_overlays(dataset, groups, elements.encodings(dataset))
    if any(o.packed is None for o in known) and not header.is_native:
        known = [o for o in known if o.packed is not None]
        said.append(_("it lies in pixels that are compressed"))
    words = NativeFile(header).words if any(o.packed is None for o in known) else None
    made, empty = [], 0
    for overlay in known:
        drawn = 0
        for phase, plane, frame in frames:
            bits = overlay.bits(frame, words)
            record = overlays.graphic(overlay, bits, phase, plane, header.rows, header.columns) if bits is not None else None
            if record is not None:
                made.append(record)
                drawn += 1
        empty += drawn == 0
    return made, said, empty


def _listed(graphics: list[GraphicPlane]) -> list[str]:
    """One sentence for each overlay group."""
    kinds: dict[tuple[int, str, str], int] = {}
    for item in graphics:
        key = (item.number, item.kind, item.name)
        kinds[key] = kinds.get(key, 0) + 1
    found = []
    for (number, kind, name), count in sorted(kinds.items()):
        planes = ngettext("{count} plane", "{count} planes", count)
        text = (
            _("Overlay {number}{name} of the file, a region, on {planes}.")
            if kind == "region"
            else _("Overlay {number}{name} of the file, on {planes}.")
        )
        found.append(text.format(number=number, name=_(" “{name}”").format(name=name) if name else "", planes=planes))
    return found[:16]
