"""The unit of modality values and where the file says so; never HU on what is not a CT's own values (CONVENTIONS D19)."""

from __future__ import annotations

from viewer.core.words import _
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.frames import UNUSABLE, Frame
from viewer.io.dicom.header import Header
from viewer.io.dicom.quantities import DOSE_STORAGE
from viewer.io.dicom.suv import SUV_TYPES

CT_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_PET_UNITS = {"BQML": "Bq/mL", "CNTS": "counts", "PROPCNTS": "counts", "CM2ML": "cm²/mL", "NONE": "", "MGMINML": "mg/min/mL"}
_NO_UNIT = frozenset({"US", "UNSPECIFIED", "NORMALIZED", "NORMALISED", ""})


def unit_of(header: Header, frame: Frame, dataset: Dataset) -> tuple[str, str]:
    """The unit ("" where there is none), and in a sentence where it comes from or why there is none."""
    lut = elements.first(dataset, 0x00283000)
    if header.samples == 3 or header.photometric == "PALETTE COLOR":
        return "", _("Colours have no unit.")
    if frame.rescale_type == UNUSABLE:
        return "", _("No unit: the rescale of the file cannot be used, its stored values are shown.")
    code = elements.text(dataset, 0x00541001)
    if header.modality == "PT" and code:
        unit = SUV_TYPES.get(elements.text(dataset, 0x00541006), "SUV") if code == "GML" else _PET_UNITS.get(code, elements.harmless(code)[:16])
        if code == "CM2ML" and elements.text(dataset, 0x00541006) == "BSA":
            unit = "SUVbsa"
        return unit, _("{unit}: the header gives the units {code} (0054,1001).").format(unit=unit or _("No unit"), code=elements.harmless(code)[:16])
    kind = elements.text(lut, 0x00283004) if lut is not None else frame.rescale_type
    if kind == "HU" and (header.modality == "MR" or header.sop_class.startswith(_SECONDARY_CAPTURE)):
        return "", _("No unit: the header says HU, but an MR image or a secondary capture has none.")
    if kind not in _NO_UNIT:
        unit = {"HU": "HU", "GY": "Gy", "RELATIVE": "relative"}.get(kind, elements.harmless(kind)[:16])
        if header.sop_class == DOSE_STORAGE:
            return unit, _("{unit}: from {element}.").format(unit=unit, element=_("Dose Units (3004,0002)"))
        where = _("Modality LUT Type (0028,3004)") if lut is not None else _("Rescale Type (0028,1054)")
        return unit, _("{unit}: from {element}.").format(unit=unit, element=where)
    if header.sop_class in CT_CLASSES and lut is None:
        if header.image_type[:1] in ((), ("ORIGINAL",)) and _is_rescaled(dataset):
            return "HU", _("HU: an original CT image whose header names no other unit.")
        found = _real_world_unit(frame, dataset)
        if not found and header.image_type[:1] in ((), ("ORIGINAL",)):
            return "", _("No unit: the header has no rescale, so its stored values are not taken for HU.")
        if not found:
            return "", _("No unit: a CT image that is derived from others and names none is not taken for HU.")
        return found, _("{unit}: from {element}.").format(unit=found, element=_("Real World Value Mapping (0040,9096)"))
    found = _real_world_unit(frame, dataset)
    if found:
        return found, _("{unit}: from {element}.").format(unit=found, element=_("Real World Value Mapping (0040,9096)"))
    return "", _("No unit: the header names none.")


def _is_rescaled(dataset: Dataset) -> bool:
    """Whether a rescale stands anywhere: a CT without one shows stored values (CONVENTIONS D18)."""
    groups = (elements.first(dataset, 0x52009229), *elements.items(dataset, 0x52009230)[:1])
    holders = (dataset, *(elements.first(group, 0x00289145) for group in groups if group is not None))
    return any(holder is not None and elements.raw(holder, 0x00281053) is not None for holder in holders)


def _real_world_unit(frame: Frame, dataset: Dataset) -> str:
    """The unit of a real world value mapping, where it maps to the values that we show."""
    shared = elements.first(dataset, 0x52009229)
    for holder in (dataset, shared, *elements.items(dataset, 0x52009230)[:1]):
        for mapping in elements.items(holder, 0x00409096):
            code = elements.first(mapping, 0x004008EA)
            if code is not None and elements.number(mapping, 0x00409225) == frame.slope and elements.number(mapping, 0x00409224) == frame.intercept:
                unit = elements.harmless(elements.text(code, 0x00080100))[:16]
                return "" if unit in ("1", "[arb'U]") else unit
    return ""
