"""Distance of rows and of columns in millimetres, and what kind of millimetres they are (CONVENTIONS D65 to D69)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from viewer.core.geometry import Geometry
from viewer.core.provenance import Note
from viewer.core.sentence import joined
from viewer.core.words import _, ngettext
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset

PROJECTIONS = frozenset({"CR", "DX", "MG", "XA", "RF", "RG", "PX", "IO", "RTIMAGE"})


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """``row_column``: between rows, between columns, mm; None where unknown."""

    row_column: tuple[float, float] | None
    kind: str = ""
    """In words, for the facts: where the number comes from."""
    badge: str = ""
    warning: str = ""
    regions: tuple[tuple[int, int, int, int], ...] = ()
    """Where it holds: first row, first column, last row, last column, of each; () for the whole picture."""


def pixel_spacing(dataset: Dataset) -> PixelSpacing:
    """The spacing of a data set (or of its pixel measures item)."""
    modality = elements.text(dataset, 0x00080060)
    is_projection = modality in PROJECTIONS
    if elements.raw(dataset, 0x00280030) is not None and elements.raw_bytes(dataset, 0x00280030).strip(b" \0"):
        spacing = _pair(elements.numbers(dataset, 0x00280030))
        if spacing is None:
            shown = elements.harmless(elements.text(dataset, 0x00280030))[:40]
            text = _('the pixel spacing "{value}" is not two positive numbers: distances are in pixels').format(value=shown)
            return PixelSpacing(None, _("unknown"), "UNCALIBRATED", text)
        if not is_projection:
            region = _ultrasound(dataset) if modality in ("US", "IVUS") else None
            agrees = region is not None and all(abs(a - b) <= 1e-3 * b for a, b in zip(region[0], spacing, strict=True))
            return PixelSpacing(spacing, regions=region[1] if region is not None and agrees else ())
        return _calibrated(dataset, spacing)
    if is_projection:
        return _projected(dataset)
    region = _ultrasound(dataset) if modality in ("US", "IVUS") else None
    if region is not None:
        return PixelSpacing(region[0], _("ultrasound region"), regions=region[1])
    scanned = _pair(elements.numbers(dataset, 0x00182010))
    if scanned is not None:
        return PixelSpacing(scanned, _("scanned film"))
    return PixelSpacing(None, _("unknown"), "UNCALIBRATED")


def spacing_in_use(dataset: Dataset, row_column: tuple[float, float] | None) -> PixelSpacing:
    """The spacing of a frame: of the data set, or, where another was found in the frame's functional groups, that one.

    Pixel Measures hold distances in the patient (PS3.3 C.7.6.16.2.1), whatever the modality.
    """
    found = pixel_spacing(dataset)
    return found if row_column is None or row_column == found.row_column else PixelSpacing(row_column)


def spacing_notes(dataset: Dataset, geometry: Geometry, row_column: tuple[float, float] | None) -> tuple[Note, ...]:
    """What kind of millimetres an image has, with the numbers; ``row_column`` as the frames have it."""
    found = spacing_in_use(dataset, row_column)
    notes = []
    if not geometry.in_plane_known:
        notes.append(Note("spacing", _("The file gives no pixel spacing: lengths are in pixels."), is_warning=True))
    else:
        _between, rows, columns = geometry.spacing
        text = _("{rows:.4g} mm between rows, {columns:.4g} mm between columns: {kind}.")
        notes.append(Note("spacing", text.format(rows=rows, columns=columns, kind=found.kind or _("in the patient, as the file says"))))
    detector, factor = _pair(elements.numbers(dataset, 0x00181164)), _magnification(dataset)
    if found.badge == "EST. MAG" and detector is not None and factor is not None:
        text = _("The detector's spacing of {rows:.4g} x {columns:.4g} mm was divided by the estimated magnification {factor:.4g}.")
        if elements.raw(dataset, 0x00280030) is not None:
            text = _("The detector's spacing is {rows:.4g} x {columns:.4g} mm, the estimated magnification {factor:.4g}.")
        notes.append(Note("spacing", text.format(rows=detector[0], columns=detector[1], factor=factor)))
    if found.badge == "AT DETECTOR":
        notes.append(Note("spacing", _("Lengths are those of the shadow at the detector: the patient is smaller."), is_warning=True))
    said = elements.harmless(elements.text(dataset, 0x00280A04))[:200]
    if said:
        notes.append(Note("spacing", _("The file says of its calibration: {text}").format(text=said)))
    regions = elements.items(dataset, 0x00186011)
    if regions:
        text = ngettext("{count} ultrasound region", "{count} ultrasound regions", len(regions))
        notes.append(Note("spacing", _("{text}: {regions}.").format(text=text, regions=joined(_region_text(r) for r in regions[:6]))))
    if _leave_the_picture(found.regions, geometry.shape):
        text = _("An ultrasound region reaches beyond the picture of {rows} rows and {columns} columns: the picture may be scaled, lengths wrong.")
        notes.append(Note("spacing", text.format(rows=geometry.shape[1], columns=geometry.shape[2]), is_warning=True))
    return tuple(notes)


def _leave_the_picture(regions: tuple[tuple[int, int, int, int], ...], shape: tuple[int, int, int]) -> bool:
    """Whether a region ends beyond the last row or column; one pixel is the usual slip of counting from 1."""
    return any(row > shape[1] or column > shape[2] for _row, _column, row, column in regions)


def _region_text(region: Dataset) -> str:
    box = [elements.integer(region, tag) for tag in (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)]
    x, y = elements.number(region, 0x0018602C), elements.number(region, 0x0018602E)
    units = elements.integer(region, 0x00186024), elements.integer(region, 0x00186026)
    place = _("columns {x0} to {x1}, rows {y0} to {y1}").format(x0=box[0], x1=box[2], y0=box[1], y1=box[3])
    if units == (3, 3) and x and y:
        return place + " " + _("{rows:.4g} x {columns:.4g} mm").format(rows=abs(y) * 10, columns=abs(x) * 10)
    return place + " " + _("no lengths")


def _calibrated(dataset: Dataset, spacing: tuple[float, float]) -> PixelSpacing:
    """Projection with a pixel spacing: corrected for magnification only if it differs from the detector's."""
    kind = elements.text(dataset, 0x00280A02)
    detector = _pair(elements.numbers(dataset, 0x00181164))
    same = detector is not None and all(abs(a - b) <= 1e-4 * b for a, b in zip(spacing, detector, strict=True))
    if kind in ("GEOMETRY", "FIDUCIAL") and not same:
        return PixelSpacing(spacing, kind, "EST. MAG" if kind == "GEOMETRY" else "")
    if detector is not None and not same:
        return PixelSpacing(spacing, _("calibrated"))
    return PixelSpacing(spacing, _("at the detector"), "AT DETECTOR")


def _projected(dataset: Dataset) -> PixelSpacing:
    """Projection without a pixel spacing: the detector's, over the estimated magnification where there is one (D66)."""
    detector = _pair(elements.numbers(dataset, 0x00181164))
    if detector is None:
        scanned = _pair(elements.numbers(dataset, 0x00182010))
        return PixelSpacing(scanned, _("scanned film")) if scanned else PixelSpacing(None, _("unknown"), "UNCALIBRATED")
    factor = _magnification(dataset)
    if factor is None:
        return PixelSpacing(detector, _("at the detector"), "AT DETECTOR")
    return PixelSpacing((detector[0] / factor, detector[1] / factor), _("estimated magnification"), "EST. MAG")


def _magnification(dataset: Dataset) -> float | None:
    """The estimated magnification, or source-detector over source-patient distance; None where neither is there."""
    factor = elements.number(dataset, 0x00181114)
    source_detector, source_patient = elements.number(dataset, 0x00181110), elements.number(dataset, 0x00181111)
    if (factor is None or factor <= 0) and source_detector and source_patient and source_detector > source_patient > 0:
        factor = source_detector / source_patient
    return factor if factor is not None and factor > 0 else None


def _ultrasound(dataset: Dataset) -> tuple[tuple[float, float], tuple[tuple[int, int, int, int], ...]] | None:
    """Spacing of the two-dimensional regions in centimetres, and where they lie; of several scales that of the largest (D68)."""
    found: dict[tuple[float, float], list[tuple[int, int, int, int] | None]] = {}
    others = 0
    for region in elements.items(dataset, 0x00186011):
        units = elements.integer(region, 0x00186024), elements.integer(region, 0x00186026)
        x, y = elements.number(region, 0x0018602C), elements.number(region, 0x0018602E)
        # Spatial format 1 is the two-dimensional picture; others (M-mode, spectral) have other axes.
        if units != (3, 3) or elements.integer(region, 0x00186012) != 1 or not x or not y:
            others += 1
            continue
        box = [elements.integer(region, tag) for tag in (0x0018601A, 0x00186018, 0x0018601E, 0x0018601C)]
        row0, column0, row1, column1 = box
        known = row0 is not None and column0 is not None and row1 is not None and column1 is not None and row0 <= row1 and column0 <= column1
        place = (row0 or 0, column0 or 0, row1 or 0, column1 or 0) if known else None
        found.setdefault((round(abs(y) * 10, 9), round(abs(x) * 10, 9)), []).append(place)
    if not found:
        return None
    places = [box for boxes in found.values() for box in boxes]
    if any(box is None for box in places):
        return (next(iter(found)), ()) if len(found) == 1 and not others else None
    spacing = max(found, key=lambda s: sum(_area(box) for box in found[s] if box is not None))
    return spacing, tuple(box for box in found[spacing] if box is not None)


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0] + 1) * (box[3] - box[1] + 1)


def _pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    if len(values) != 2 or not all(math.isfinite(v) and 0 < v < 1e5 for v in values):
        return None
    return (values[0], values[1])
