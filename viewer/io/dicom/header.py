"""One file's header as a small frozen record: what its pixels are, where they lie in the file, and what its frames are.

No pixel is read here. A file that cannot be used raises UnreadableFile or UnsupportedFeature with a sentence.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path

from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.fragments import Span, find_frames
from viewer.io.dicom.frames import Frame, read_frames
from viewer.io.dicom.parse import Beginning, Parsed, PixelPlace, parse, pixel_place
from viewer.io.dicom.quantities import PARAMETRIC_MAP, in_real_world
from viewer.io.dicom.syntaxes import BIG_ENDIAN, CODECS, DEFLATED, EXPLICIT, NATIVE, begins_right, is_registered, unsupported

MAX_FRAMES = 1 << 16
WHO = (0x00100020, 0x00100021, 0x00100030, 0x00100010)


@dataclass(frozen=True, slots=True)
class Header:
    """What is kept of a file between finding and loading."""

    path: Path
    size: int
    modified_ns: int
    sop_class: str
    sop_uid: str
    syntax: str
    series_uid: str
    study_uid: str
    patient: str
    """Number, its issuer, date of birth and name: two persons may have one number, or none."""
    frame_uid: str
    modality: str
    image_type: tuple[str, ...]
    instance: int
    content_time: str
    rows: int = 0
    columns: int = 0
    samples: int = 1
    photometric: str = "MONOCHROME2"
    planar: int = 0
    bits_allocated: int = 16
    bits_stored: int = 16
    high_bit: int = 15
    is_signed: bool = False
    is_little_endian: bool = True
    frame_count: int = 1
    """Frames that are there."""
    claimed_frames: int = 1
    frames: tuple[Frame, ...] = ()
    """One for all frames of the file, or one each."""
    pixels: PixelPlace | None = None
    spans: tuple[tuple[Span, ...], ...] = ()
    """Fragments of each frame of encapsulated pixels."""
    tables: str = ""
    """Digest of the palette and the modality LUT: files with others are no part of the same volume."""
    is_inverse: bool = False
    """Presentation LUT Shape says that the smallest value is shown white (D37)."""
    padding: tuple[int, int] | None = None
    """Range of stored values (both included) that only fill the frame (D15)."""
    overlay_groups: tuple[int, ...] = ()
    """Groups (6000, 6002 ... 601E) in which the file has overlays."""
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return gate.harmless(self.path.name)

    @property
    def is_native(self) -> bool:
        return self.syntax in NATIVE

    @property
    def frame_bits(self) -> int:
        # Native 4:2:2 has two samples a pixel, not three (PS3.3 C.7.6.3.1.2).
        return self.rows * self.columns * (2 if self.is_subsampled else self.samples) * self.bits_allocated

    @property
    def is_subsampled(self) -> bool:
        return self.is_native and self.samples == 3 and self.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422")

    def frame(self, number: int) -> Frame:
        return self.frames[number if len(self.frames) > 1 else 0]


def read_header(path: Path, *, beginning: Beginning | None = None, by_walk: bool = True) -> Header:
    """Parse and check one file, as :func:`viewer.io.dicom.parse.parse` does. Raises UnreadableFile with a sentence that names it."""
    return interpret(path, parse(path, beginning=beginning, by_walk=by_walk))


def interpret(path: Path, parsed: Parsed) -> Header:
    """The header that a file's elements make. Raises UnreadableFile or UnsupportedFeature with a sentence that names it."""
    header = _identified(path, parsed)
    if not any(elements.raw(parsed.dataset, tag) is not None for tag in (0x00080016, 0x00080060, 0x0020000E, 0x00280010, 0x00041220)):
        raise UnreadableFile(_("{name} holds no DICOM image or object that can be recognised.").format(name=header.name))
    place = pixel_place(parsed)
    if place is None:
        is_elsewhere = not header.is_native and header.syntax not in CODECS and is_registered(header.syntax)  # JPIP: on a server
        return replace(header, warnings=(*header.warnings, unsupported(path, header.syntax))) if is_elsewhere else header
    if not header.is_native and header.syntax not in CODECS:
        if not is_registered(header.syntax):
            raise UnsupportedFeature(unsupported(path, header.syntax))
        # Video and the like: listed, with the reason, because the rest of its study is of interest.
        return replace(header, warnings=(*header.warnings, unsupported(path, header.syntax)))
    return _with_pixels(header, parsed.dataset, place)


def _identified(path: Path, parsed: Parsed) -> Header:
    dataset = parsed.dataset
    meta = getattr(dataset, "file_meta", None)
    syntax = elements.text(meta, 0x00020010) if meta is not None else ""
    if parsed.inflated is not None:
        syntax = DEFLATED
    elif not syntax and dataset.original_encoding[0] is False:
        syntax = EXPLICIT if parsed.is_little_endian else BIG_ENDIAN
    sop_class = elements.text(dataset, 0x00080016) or (elements.text(meta, 0x00020002) if meta is not None else "")
    return Header(
        path=path,
        size=parsed.state.st_size,
        modified_ns=parsed.state.st_mtime_ns,
        sop_class=sop_class,
        sop_uid=elements.text(dataset, 0x00080018),
        syntax=syntax,
        series_uid=elements.harmless(elements.text(dataset, 0x0020000E))[:128],
        study_uid=elements.harmless(elements.text(dataset, 0x0020000D))[:128],
        # Empty parts at the end of a name and its capitals differ between machines, not between people.
        patient="\\".join(elements.text(dataset, tag).rstrip("^= ").upper() for tag in WHO),
        frame_uid=elements.text(dataset, 0x00200052),
        modality=elements.harmless(elements.text(dataset, 0x00080060))[:16],
        image_type=elements.texts(dataset, 0x00080008),
        instance=elements.integer(dataset, 0x00200013) or 0,
        content_time=elements.text(dataset, 0x00080023) + elements.text(dataset, 0x00080033),
        is_little_endian=parsed.is_little_endian,
        warnings=parsed.complaints,
    )


def _with_pixels(header: Header, dataset: Dataset, place: PixelPlace) -> Header:
    """The header with its image description, checked against each other and against the bytes there are."""
    name = header.name
    float_bits = {0x7FE00008: 32, 0x7FE00009: 64}.get(place.tag)
    rows, columns = elements.integer(dataset, 0x00280010), elements.integer(dataset, 0x00280011)
    samples = elements.integer(dataset, 0x00280002) or 1
    allocated = float_bits or elements.integer(dataset, 0x00280100)
    claimed = _claimed_frames(dataset, name)
    if not rows or not columns:
        text = _("{name}: it says it has {rows} rows and {columns} columns, which is no image.")
        raise UnreadableFile(text.format(name=name, rows=rows or 0, columns=columns or 0))
    if allocated not in (1, 8, 16, 32, 64) or (allocated == 64 and float_bits is None):
        text = _("{name}: {bits} bits for a value (Bits Allocated) is nothing that DICOM has; 1, 8, 16 or 32 are.")
        raise UnreadableFile(text.format(name=name, bits=allocated if allocated is not None else "?"))
    if samples not in (1, 3):
        text = _("{name}: {samples} samples for a pixel cannot be shown; 1 (grey) and 3 (colour) can.")
        raise UnreadableFile(text.format(name=name, samples=samples))
    stored = elements.integer(dataset, 0x00280101) or allocated
    if not 1 <= stored <= allocated:
        stored = allocated
    high = elements.integer(dataset, 0x00280102)
    if high is None or not stored - 1 <= high < allocated:
        high = stored - 1
    is_signed = elements.integer(dataset, 0x00280103) == 1
    # Color by sub-sampled 4:2:0 exists in video only; what a file says besides is kept in upper case.
    photometric = elements.text(dataset, 0x00280004).upper() or ("RGB" if samples == 3 else "MONOCHROME2")
    header = replace(
        header,
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=photometric,
        planar=elements.integer(dataset, 0x00280006) or 0,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        is_signed=is_signed,
        claimed_frames=claimed,
        pixels=place,
        tables=_digest(dataset, photometric),
        is_inverse=elements.text(dataset, 0x20500020) == "INVERSE",
        padding=_padding(dataset, signed=is_signed) if samples == 1 else None,
        overlay_groups=overlay_groups(dataset),
    )
    count, said = _frames_there(header, place)
    if place.length is None:
        spans = frames_found(header, place, count)
        if len(spans) < count:
            count, said = len(spans), (_cut_short(len(spans), header.claimed_frames),)
        header = replace(header, spans=spans)
    frames, more = read_frames(dataset, count, header.sop_class)
    mapping: list[str] = []
    if header.sop_class == PARAMETRIC_MAP:
        frames = in_real_world(frames, dataset, mapping)
    elif float_bits is not None:
        # Values in floating point are what they are, whatever rescale stands beside them (D13).
        frames = tuple(replace(frame, slope=1.0, intercept=0.0) for frame in frames)
    return replace(header, frame_count=count, frames=frames, warnings=(*header.warnings, *said, *more, *dict.fromkeys(mapping)))


def overlay_groups(dataset: Dataset) -> tuple[int, ...]:
    """The even groups from 6000 to 601E that describe an overlay (its rows are there)."""
    return tuple(group for group in range(0x6000, 0x6020, 2) if elements.raw(dataset, group << 16 | 0x0010) is not None)


def _padding(dataset: Dataset, *, signed: bool) -> tuple[int, int] | None:
    value = elements.shorts(dataset, 0x00280120, signed=signed)
    if not value:
        return None
    limit = elements.shorts(dataset, 0x00280121, signed=signed) or value
    return (min(value[0], limit[0]), max(value[0], limit[0]))


def _digest(dataset: Dataset, photometric: str) -> str:
    lut = elements.first(dataset, 0x00283000)
    if lut is None and photometric != "PALETTE COLOR":
        return ""
    parts = [elements.raw_bytes(lut, tag) for tag in (0x00283002, 0x00283006)] if lut is not None else []
    if photometric == "PALETTE COLOR":
        parts += [elements.raw_bytes(dataset, tag) for tag in (0x00281101, 0x00281201, 0x00281202, 0x00281203, 0x00281221)]
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]


def _claimed_frames(dataset: Dataset, name: str) -> int:
    element = elements.raw_bytes(dataset, 0x00280008).strip(b" \0")
    if not element:
        return 1
    found = elements.integer(dataset, 0x00280008)
    if found is None or found < 1:
        shown = elements.harmless(elements.text(dataset, 0x00280008))[:20]
        raise UnreadableFile(_('{name}: its number of frames is "{value}", which is none.').format(name=name, value=shown))
    return found


def _frames_there(header: Header, place: PixelPlace) -> tuple[int, tuple[str, ...]]:
    """Whole frames that the bytes hold (CONVENTIONS D09): a cut frame is refused, whole ones before it are kept."""
    claimed = header.claimed_frames
    if place.length is None:
        if header.is_native:
            text = _("{name}: its pixels are encapsulated, but its transfer syntax is uncompressed. The file is damaged.")
            raise UnreadableFile(text.format(name=header.name))
        # Each frame takes at least one fragment, which has a head of eight bytes.
        there = min(claimed, max(0, header.size - place.offset) // 8, MAX_FRAMES)
        if there < 1:
            raise UnreadableFile(_("{name}: it ends where its pixels should begin.").format(name=header.name))
        return there, ()
    if not header.is_native:
        text = _("{name}: its transfer syntax is compressed, but its pixels are not encapsulated. The file is damaged.")
        raise UnreadableFile(text.format(name=header.name))
    there = min(claimed, place.length * 8 // header.frame_bits)
    if there < 1:
        text = _("{name}: the image needs {needed}, but only {found} are there. The file is cut short or damaged.")
        raise UnreadableFile(text.format(name=header.name, needed=gate.amount(math.ceil(header.frame_bits / 8)), found=gate.amount(place.length)))
    if there > MAX_FRAMES:
        raise UnreadableFile(_("{name}: {frames} frames are more than can be opened.").format(name=header.name, frames=there))
    if there < claimed:
        return there, (_cut_short(there, claimed),)
    return there, ()


def frames_found(header: Header, place: PixelPlace, count: int) -> tuple[tuple[Span, ...], ...]:
    """The frames' fragments; a file whose first frame cannot be one of its codec is refused at once."""
    try:
        with header.path.open("rb") as file:
            spans = find_frames(file, header.path, place.offset, count)
            file.seek(spans[0][0][0])
            head = file.read(min(16, spans[0][0][1]))
    except OSError as err:
        raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=header.name, reason=err.strerror or str(err))) from err
    if not begins_right(header.syntax, head):
        text = _("{name}: its pixels should be {codec}, but do not begin like it. The file is damaged.")
        raise UnreadableFile(text.format(name=header.name, codec=CODECS[header.syntax].name))
    return tuple(spans)


def _cut_short(found: int, claimed: int) -> str:
    return _("only {found} of {count} frames are there: the file is cut short").format(found=found, count=claimed)
