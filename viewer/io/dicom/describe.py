"""What one file of a series says about all of it: identity, unit, windows, badges, facts. Read once per series."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from viewer.core.graphics import Shutter
from viewer.core.provenance import Note
from viewer.core.volume import Identity
from viewer.core.window import VoiLut, Window
from viewer.core.words import _, mark
from viewer.io.dicom import elements, remarks
from viewer.io.dicom.dictionary import uid_name
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.frames import Frame
from viewer.io.dicom.header import Header
from viewer.io.dicom.overlays import read_shutter
from viewer.io.dicom.quantities import PARAMETRIC_MAP, quantity_facts, quantity_notes, scaled
from viewer.io.dicom.spacing import spacing_in_use
from viewer.io.dicom.syntaxes import name_of
from viewer.io.dicom.units import unit_of
from viewer.io.dicom.windows import DESCRIPTOR, ENTRIES, FRAME_VOI, VOI_LUTS, unusable_windows, windows_of

_BASE = "1.2.840.10008.1.2.4."
ALWAYS_LOSSY = frozenset(_BASE + s for s in ("50", "51", "53", "55"))
FRAMES = 0x52009230
"""Per-frame Functional Groups Sequence."""
OFTEN_LOSSY = frozenset(_BASE + s for s in ("81", "91", "203"))


@dataclass(frozen=True, slots=True)
class Description:
    """Everything but voxels and geometry."""

    identity: Identity
    title: str
    unit: str = ""
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[VoiLut, ...] = ()
    pixel_aspect: float = 1.0
    patient_orientation: tuple[str, str] | None = None
    badges: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    phase_seconds: tuple[float, ...] = ()
    is_inverted: bool = False
    """The smallest value is shown white: MONOCHROME1 or a Presentation LUT Shape of INVERSE, or both (D37)."""
    shutter: Shutter | None = None
    has_lut: bool = False
    """A modality LUT; ``has_slope``: a rescale slope or intercept."""
    has_slope: bool = False
    notes: tuple[Note, ...] = ()


def describe(header: Header, dataset: Dataset, frame: Frame | None, *, frames: int = 1, number: int = 0) -> Description:
    """Read the description from one file's elements; ``frames`` is the number of phases of a cine, ``number`` that of the frame in the file."""
    identity = read_identity(header, dataset)
    if frame is None:
        return Description(identity, _title(header, identity))
    unit, reason = unit_of(header, frame, dataset)
    groups = functional_groups(dataset, number)
    windows, (luts, broken_luts) = _windows(dataset, groups), voi_luts_of(header, frame, dataset, groups)
    if header.sop_class == PARAMETRIC_MAP:
        windows = tuple(scaled(window, frame.slope, frame.intercept) for window in windows)
    is_grey = header.samples == 1 and header.photometric != "PALETTE COLOR"
    own = next((item for group in groups if (item := elements.first(group, 0x00189472)) is not None), dataset)
    shutter, shapes = read_shutter(own, header.rows, header.columns)
    notes = [*remarks.stored_notes(header), *remarks.relation_notes(dataset)]
    if is_grey:
        notes += [Note("unit", reason), *remarks.window_notes(windows, luts, _unusable(dataset, groups), broken_luts)]
    notes += quantity_notes(header.sop_class, dataset)
    notes += remarks.colour_notes(header, dataset)
    if shutter is not None:
        notes.append(
            Note("colour", _("A shutter ({shapes}) covers what lies outside of it; the values under it are kept.").format(shapes=", ".join(shapes)))
        )
    notes += remarks.left_out_notes(dataset)
    return Description(
        identity=identity,
        title=_title(header, identity),
        unit=unit,
        windows=windows,
        voi_luts=luts,
        pixel_aspect=_aspect(dataset),
        patient_orientation=_orientation(dataset),
        badges=_badges(header, dataset),
        facts=MappingProxyType(_facts(header, frame, dataset) | quantity_facts(header.sop_class, dataset)),
        phase_seconds=_seconds(dataset, frames),
        is_inverted=is_grey and (header.photometric == "MONOCHROME1" or elements.text(dataset, 0x20500020) == "INVERSE"),
        shutter=shutter,
        has_lut=elements.raw(dataset, 0x00283000) is not None,
        has_slope=elements.raw(dataset, 0x00281053) is not None,
        notes=tuple(notes),
    )


def read_identity(header: Header, dataset: Dataset) -> Identity:
    """Who and what the file is of, in its character set, every control character made harmless."""
    encodings = elements.encodings(dataset)

    def words(tag: int) -> str:
        return elements.words(dataset, tag, encodings)[:256]

    return Identity(
        patient_id=words(0x00100020),
        patient_name=words(0x00100010).rstrip("= "),
        patient_sex=words(0x00100040),
        patient_age=words(0x00101010),
        patient_birth_date=_date(words(0x00100030)),
        study_uid=header.study_uid,
        study_date=_date(words(0x00080020)),
        study_time=_time(words(0x00080030)),
        study_description=words(0x00081030),
        accession=words(0x00080050),
        institution=words(0x00080080),
        series_uid=header.series_uid,
        series_number=words(0x00200011),
        series_description=words(0x0008103E),
        modality=header.modality,
        body_part=words(0x00180015),
        view_position=words(0x00185101),
    )


# Classes that came after pydicom's dictionary.
_NEWER = {"1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage", "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage"}


def object_name(sop_class: str) -> str:
    """DICOM's name of a kind of object, its UID where the name is not known."""
    return _NEWER.get(sop_class) or (elements.harmless(uid_name(sop_class))[:128] if sop_class else "")


def _title(header: Header, identity: Identity) -> str:
    name = identity.series_description
    return name or object_name(header.sop_class).removesuffix(" Storage") or identity.modality or header.name


def functional_groups(dataset: Dataset, number: int, frames: list[Dataset] | None = None) -> list[Dataset]:
    """The functional groups of a frame, its own before the shared ones (D48); none in classic files. ``frames``: those of all frames, if at hand."""
    frames = elements.items(dataset, FRAMES) if frames is None else frames
    shared = elements.first(dataset, 0x52009229)
    return [group for group in (frames[number] if number < len(frames) else None, shared) if group is not None]


def _windows(dataset: Dataset, groups: list[Dataset]) -> tuple[Window, ...]:
    """The file's windows: of the frame, of the shared group, else of the image (D33, D48)."""
    encodings = elements.encodings(dataset)
    for holder in (*(elements.first(group, FRAME_VOI) for group in groups), dataset):
        found = windows_of(holder, encodings) if holder is not None else ()
        if found:
            return found
    return ()


def _unusable(dataset: Dataset, groups: list[Dataset]) -> tuple[tuple[float, float], ...]:
    """Windows of the frame and of the image that cannot be used, each once."""
    holders = (*(elements.first(group, FRAME_VOI) for group in groups), dataset)
    return tuple(dict.fromkeys(pair for holder in holders if holder is not None for pair in unusable_windows(holder)))


def voi_luts_of(header: Header, frame: Frame, dataset: Dataset, groups: list[Dataset]) -> tuple[tuple[VoiLut, ...], int]:
    """Curves from modality values to shades (D32), and how many were left out; the first value's sign is that of the modality values."""
    signed = (header.is_signed or frame.intercept < 0) and elements.first(dataset, 0x00283000) is None
    encodings = elements.encodings(dataset)
    broken = 0
    for holder in (*(elements.first(group, FRAME_VOI) for group in groups), dataset):
        found = []
        for item in elements.items(holder, VOI_LUTS):
            table = lookup_table(item, DESCRIPTOR, ENTRIES, signed=signed)
            if table is not None:
                first, entries, bits = table
                found.append(VoiLut(first, tuple(entries), bits, elements.words(item, 0x00283003, encodings)[:64]))
            else:
                broken += 1
        if found:
            return tuple(found), broken
    return (), broken


def lookup_table(item: Dataset, descriptor_tag: int, data_tag: int, *, signed: bool) -> tuple[int, list[int], int] | None:
    """First mapped value, entries and bits of a table; None where it is not whole (PS3.3 C.11.1.1.1)."""
    descriptor = elements.shorts(item, descriptor_tag)
    if len(descriptor) != 3:
        return None
    count, bits = descriptor[0] or 65536, descriptor[2]
    first = elements.shorts(item, descriptor_tag, signed=signed)[1]
    length = len(elements.raw_bytes(item, data_tag))
    entries = elements.samples(item, data_tag, wide=bits > 8 or length >= 2 * count)
    if len(entries) < count or not 1 <= bits <= 16:
        return None
    return int(first), [int(e) for e in entries[:count]], max(bits, int(entries[:count].max()).bit_length())


def _aspect(dataset: Dataset) -> float:
    ratio = elements.numbers(dataset, 0x00280034)
    if len(ratio) == 2 and all(math.isfinite(r) and 0 < r < 1e6 for r in ratio):
        return ratio[0] / ratio[1]
    return 1.0


def _orientation(dataset: Dataset) -> tuple[str, str] | None:
    found = elements.texts(dataset, 0x00200020)
    if len(found) == 2 and all(f and set(f) <= set("LRAPHF") for f in found):
        return (found[0], found[1])
    return None


def is_lossy(header: Header, dataset: Dataset) -> bool:
    """Whether the pixels went through lossy compression, now or earlier (PS3.3 C.7.6.1.1.5)."""
    flag = elements.text(dataset, 0x00282110)
    return flag == "01" or header.syntax in ALWAYS_LOSSY or (header.syntax in OFTEN_LOSSY and flag != "00")


def _badges(header: Header, dataset: Dataset) -> tuple[str, ...]:
    found = []
    if is_lossy(header, dataset):
        ratio = elements.numbers(dataset, 0x00282112)
        known = ratio and math.isfinite(ratio[-1]) and ratio[-1] > 1
        found.append(f"LOSSY {ratio[-1]:.0f}:1" if known else "LOSSY")
    if header.image_type[:1] == ("DERIVED",):
        found.append("DERIVED")
    if "MOSAIC" in header.image_type:
        found.append("MOSAIC")
    if elements.raw(dataset, remarks.ICC_PROFILE) is not None:
        found.append("ICC not applied")
    return tuple(found)


_FACTS: tuple[tuple[str, int, str], ...] = (
    (mark("Slice thickness"), 0x00180050, "mm"), (mark("TR"), 0x00180080, "ms"), (mark("TE"), 0x00180081, "ms"), (mark("TI"), 0x00180082, "ms"),
    (mark("Flip angle"), 0x00181314, "°"), (mark("Field strength"), 0x00180087, "T"), (mark("Tube voltage"), 0x00180060, "kV"),
    (mark("Tube current"), 0x00181151, "mA"), (mark("Exposure"), 0x00181152, "mAs"),
)  # fmt: skip
_TEXT_FACTS: tuple[tuple[str, int], ...] = (
    (mark("Manufacturer"), 0x00080070), (mark("Scanner model"), 0x00081090), (mark("Protocol"), 0x00181030), (mark("Kernel"), 0x00181210),
    (mark("Contrast agent"), 0x00180010), (mark("Acquisition date"), 0x00080022),
)  # fmt: skip


def _facts(header: Header, frame: Frame, dataset: Dataset) -> dict[str, str]:
    facts = {mark("Transfer syntax"): elements.harmless(name_of(header.syntax)) if header.syntax else "Implicit VR Little Endian"}
    facts[mark("Kind of object")] = object_name(header.sop_class)
    facts[mark("Image type")] = elements.harmless("\\".join(header.image_type))[:128]
    for name, tag, unit in _FACTS:
        value = elements.number(dataset, tag)
        if value is not None and value > 0:
            facts[name] = f"{value:g} {unit}"
    encodings = elements.encodings(dataset)
    for name, tag in _TEXT_FACTS:
        facts[name] = elements.words(dataset, tag, encodings)[:128]
    facts[mark("Laterality")] = (elements.text(dataset, 0x00200062) or elements.text(dataset, 0x00200060))[:16]
    kind = spacing_in_use(dataset, frame.spacing).kind
    facts[mark("Pixel spacing is")] = kind if frame.spacing or kind else ""
    facts[mark("Bits stored")] = f"{header.bits_stored} / {header.bits_allocated}"
    if header.samples == 1 and header.photometric != "PALETTE COLOR":
        facts[mark("Rescale")] = f"{frame.slope:g} x + {frame.intercept:g}"
    facts[mark("Photometric interpretation")] = elements.harmless(header.photometric)
    ratio = elements.numbers(dataset, 0x00282112)
    if is_lossy(header, dataset) and ratio and math.isfinite(ratio[-1]):
        facts[mark("Lossy compression")] = f"{ratio[-1]:g}:1"
    return {name: value for name, value in facts.items() if value}


def _seconds(dataset: Dataset, frames: int) -> tuple[float, ...]:
    """Start of each frame by the rate of the file (D51), between 1 and 60 a second; () where the axis is not time."""
    if frames < 2:
        return ()
    pointer = elements.shorts(dataset, 0x00280009)
    aim = (pointer[0] << 16 | pointer[1]) if len(pointer) >= 2 else 0
    if aim and aim not in (0x00181063, 0x00181065):
        return ()
    rate = elements.number(dataset, 0x00082144) or elements.number(dataset, 0x00180040)
    vector = elements.numbers(dataset, 0x00181065)
    frame_time = elements.number(dataset, 0x00181063)
    if not rate and len(vector) >= frames and all(math.isfinite(v) and v >= 0 for v in vector) and sum(vector[1:frames]) > 0:
        start, found = 0.0, []
        for n in range(frames):
            start += vector[n] / 1000 if n else 0.0
            found.append(start)
        return tuple(found)
    if not rate and frame_time and frame_time > 0:
        rate = 1000 / frame_time
    rate = min(60.0, max(1.0, rate)) if rate and rate > 0 else 10.0
    return tuple(n / rate for n in range(frames))


def _date(text: str) -> str:
    """``20241231`` as ``2024-12-31``; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isascii() and text.isdigit() else text


def _time(text: str) -> str:
    """``142233.5`` as ``14:22:33``."""
    return f"{text[:2]}:{text[2:4]}:{text[4:6]}" if len(text) >= 6 and text[:6].isascii() and text[:6].isdigit() else text
