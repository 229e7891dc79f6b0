"""From a plan to a Volume: reads or decodes every frame into shared memory, then makes modality values or RGB of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.provenance import Note
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io import gate
from viewer.io.dicom import colour, elements, values
from viewer.io.dicom.colour import Palette
from viewer.io.dicom.decoding_notes import decoding_notes
from viewer.io.dicom.describe import lookup_table
from viewer.io.dicom.filling import Frames, Slots, fill
from viewer.io.dicom.header import Header
from viewer.io.dicom.index import Plan
from viewer.io.dicom.meaning import with_meaning
from viewer.io.dicom.mosaic import cut, cut_plane
from viewer.io.dicom.order import Cell
from viewer.io.dicom.padding import Padding, settled, stored_padding
from viewer.io.dicom.parse import parse
from viewer.io.dicom.syntaxes import CODECS, unsupported
from viewer.io.series import Progress, SeriesEntry
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool


def load(entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """Read all voxels of an entry, the planes that ``stream`` wants first. Raises a NegatoscopeError that names the file."""
    plan = _plan(entry)
    assert entry.geometry is not None
    if plan.mosaic is not None:
        slots = tuple(row[:1] for row in plan.slots)
        return cut(_Staged(entry, plan, slots, _whole(plan)).read(pool, progress, None), plan.mosaic, entry.geometry)
    return _Staged(entry, plan, plan.slots, entry.geometry).read(pool, progress, stream)


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
    """Read one plane alone, as a volume of one plane in its right place."""
    plan = _plan(entry)
    assert entry.geometry is not None
    if not (0 <= phase < len(plan.slots) and 0 <= plane < len(plan.slots[phase])):
        raise ValueError(f"plane {plane} of phase {phase} of {entry.shape[0]} planes and {entry.phases} phases")
    geometry = entry.geometry.cropped((plane, 0, 0), (1, *entry.shape[1:]))
    if plan.mosaic is not None:
        volume = _Staged(entry, plan, ((plan.slots[phase][plane],),), _whole(plan)).read(pool, None, None)
        return replace(cut_plane(volume, plan.mosaic, entry.geometry, plane), phase_seconds=(), phase_labels=())
    volume = _Staged(entry, plan, ((plan.slots[phase][plane],),), geometry).read(pool, None, None)
    return replace(volume, kind="image", phase_seconds=(), phase_labels=())


def _whole(plan: Plan) -> Geometry:
    """A grid for a mosaic before it is cut."""
    lead = plan.headers[plan.lead[0]]
    return Geometry((1, lead.rows, lead.columns), between_known=False)


def stored_frames(header: Header, *, pool: Pool, frames: Sequence[int] | None = None, failed: dict[int, str] | None = None) -> NDArray[Any]:
    """Stored values of a file's frames as they are: no rescale, no lookup table, nothing taken from other files.

    Parameters
    ----------
    header : Header
        Of any file with pixels, objects such as segmentations included.
    frames : sequence of int, optional
        Which frames, from 0; all of them by default.
    failed : dict, optional
        Filled with number and reason of each frame that could not be read (it stays 0). Without it the first such frame is an error.

    Returns
    -------
    (frames, rows, columns) ndarray, or (frames, rows, columns, 3) of RGB for colour
        The header's type in native byte order; one-bit data as uint8 of 0 and 1.

    Raises
    ------
    UnreadableFile, UnsupportedFeature, TooLarge
        Before anything is allocated where that can be known; the sentence names the file.
    """
    if header.pixels is None:
        raise UnreadableFile(_("{name} holds no pixels that can be shown.").format(name=header.name))
    numbers = range(header.frame_count) if frames is None else frames
    if not numbers or not all(0 <= n < header.frame_count for n in numbers):
        raise ValueError(f"frames {list(numbers)} of {header.frame_count}")
    slots: Slots = (tuple((0, n) for n in numbers),)
    shape, dtype = _stored_shape(header, slots)
    _pass_gate((header,), slots, shape, dtype)
    stored = memory.allocate(shape, dtype)
    reading = Frames((header,), slots, stored, pool)
    fill(reading)
    for (_phase, plane), problem in sorted(reading.failures.items()):
        if failed is None:
            raise problem
        failed[numbers[plane]] = str(problem)
        stored[0, plane] = 0
    result: NDArray[Any] = stored[0]
    return result


def _stored_shape(lead: Header, slots: Slots) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape (phases, planes, rows, columns[, 3]) and type of stored values in memory."""
    assert lead.pixels is not None
    is_color = lead.samples == 3
    shape = (len(slots), len(slots[0]), lead.rows, lead.columns, *((3,) if is_color else ()))
    if lead.pixels.tag != 0x7FE00010:
        return shape, np.dtype(np.float32)
    return shape, np.dtype(np.uint8) if is_color else values.stored_dtype(lead.bits_allocated, lead.is_signed)


def _plan(entry: SeriesEntry) -> Plan:
    if not isinstance(entry.plan, Plan):
        name = gate.harmless(entry.files[0].name) if entry.files else entry.id
        raise UnsupportedFeature(_("{name} is a {kind}: it has no picture that can be shown yet.").format(name=name, kind=entry.title))
    return entry.plan


class _Staged:
    """A series while it is being read: stored values in the memory that the voxels will have."""

    def __init__(self, entry: SeriesEntry, plan: Plan, slots: Slots, geometry: Geometry) -> None:
        self._entry, self._plan, self._slots, self._geometry = entry, plan, slots, geometry
        self._lead = plan.headers[slots[0][0][0]]
        self._rescales = [[values.Rescale(f.slope, f.intercept) for f in (plan.headers[h].frame(n) for h, n in row)] for row in slots]
        self._lock = threading.Lock()
        self._stored: NDArray[Any] | None = None
        self._table: Palette | values.ModalityLut | None = None

    def read(self, pool: Pool, progress: Progress | None, stream: Stream | None) -> Volume:
        shape, dtype = _stored_shape(self._lead, self._slots)
        _pass_gate(self._plan.headers, self._slots, shape, dtype)
        self._table = _lookup(self._lead)
        self._stored = memory.allocate(shape, dtype)
        frames = Frames(self._plan.headers, self._slots, self._stored, pool, progress, stream)
        if stream is not None:
            stream.begin(shape[0], shape[1], self._picture)
        try:
            fill(frames)
        finally:
            with self._lock:  # from here on the stored values turn into modality values, or are let go
                self._stored = None
        if len(frames.failures) == frames.total:
            raise next(iter(frames.failures.values()))
        said = [sentence_of(err) for err in frames.failures.values()]
        if (more := len(said) - 3) > 0:
            said[3:] = [ngettext("and {count} further frame", "and {count} further frames", more)]
        notes = decoding_notes(frames)
        # A palette's indices stay at hand for measuring (D41).
        indices = frames.stored if isinstance(self._table, Palette) else None
        data = self._voxels(frames)
        frames.stored = data
        padding = self._padding(data, self._slots, self._rescales)
        volume = self._volume(data, self._slots, self._rescales, self._geometry, padding, tuple(said), notes)
        return replace(volume, indices=indices) if indices is not None else volume

    def _voxels(self, frames: Frames) -> NDArray[Any]:
        """Modality values of everything; frames that failed get the middle of the others, neither air nor bone."""
        stored = frames.stored
        for cell in frames.failures:
            cleared = next(iter(frames.ends.values()))[0] if frames.ends else 0
            stored[cell] = cleared
            frames.ends[cell] = (cleared, cleared)
        if self._lead.samples == 3:
            return stored
        data = modality_values(stored, self._lead, self._table, self._rescales, frames.ends)
        if frames.failures and data.ndim == 4:
            low, high = data.min().item(), data.max().item()
            for cell in frames.failures:
                data[cell] = (low + high) / 2 if data.dtype.kind == "f" else (low + high) // 2
        return data

    def _picture(self, phase: int, plane: int) -> Volume | None:
        """A plane that has come, as ``load_plane`` would give it; on the window's thread. None once the series is whole."""
        with self._lock:
            if self._stored is None:
                return None
            part = self._stored[phase : phase + 1, plane : plane + 1]
            copy = memory.allocate(part.shape, part.dtype)
            copy[...] = part
        rescales = [[self._rescales[phase][plane]]]
        data = copy if self._lead.samples == 3 else modality_values(copy, self._lead, self._table, rescales, {})
        geometry = self._geometry.cropped((plane, 0, 0), (1, *self._geometry.shape[1:]))
        slots = ((self._slots[phase][plane],),)
        volume = self._volume(data, slots, rescales, geometry, self._padding(data, slots, rescales), (), ())
        return replace(volume, kind="image", phase_seconds=(), phase_labels=())

    def _volume(
        self,
        data: NDArray[Any],
        slots: Slots,
        rescales: list[list[values.Rescale]],
        geometry: Geometry,
        padding: Padding,
        said: tuple[str, ...],
        notes: tuple[Note, ...],
    ) -> Volume:
        entry, plan, description = self._entry, self._plan, self._plan.description
        volume = Volume(
            id=new_id("volume"),
            data=data,
            geometry=geometry,
            kind="image" if entry.kind == "other" else entry.kind,
            unit=description.unit,
            title=description.title,
            identity=description.identity,
            is_color=entry.is_color,
            is_inverted=description.is_inverted,
            windows=() if entry.is_color else description.windows,
            voi_luts=() if entry.is_color else description.voi_luts,
            padding=padding.values,
            pixel_aspect=1.0 if geometry.in_plane_known else description.pixel_aspect,
            regions=plan.regions,
            patient_orientation=None if geometry.is_patient else description.patient_orientation,
            phase_labels=plan.phase_labels,
            phase_seconds=description.phase_seconds,
            warnings=(*entry.warnings, *said),
            badges=tuple(dict.fromkeys((*description.badges, "INCOMPLETE"))) if said else description.badges,
            facts=description.facts,
            notes=(*entry.notes, *notes),
        )
        return with_meaning(volume, plan, slots, rescales, padding)

    def _padding(self, data: NDArray[Any], slots: Slots, rescales: list[list[values.Rescale]]) -> Padding:
        """What the padding is mapped to by a modality LUT, other values may be mapped to as well."""
        is_told = not self._entry.is_color and not isinstance(self._table, values.ModalityLut)
        return settled(data if is_told else None, stored_padding(self._plan.headers, slots), rescales)


def _lookup(lead: Header) -> Palette | values.ModalityLut | None:
    """The palette, or the modality LUT (which wins over the rescale, D16), that all files of a series share."""
    if not lead.tables:
        return None
    dataset = parse(lead.path).dataset
    if lead.photometric == "PALETTE COLOR":
        palette = colour.read_palette(dataset, signed=lead.is_signed)
        if palette is None:
            raise UnreadableFile(_("{name}: its colour palette is missing or damaged.").format(name=lead.name))
        return palette
    item = elements.first(dataset, 0x00283000)
    table = lookup_table(item, 0x00283002, 0x00283006, signed=lead.is_signed) if item is not None else None
    return values.ModalityLut(table[0], np.asarray(table[1], dtype=np.uint16)) if table is not None else None


def modality_values(
    stored: NDArray[Any],
    lead: Header,
    table: Palette | values.ModalityLut | None,
    rescales: list[list[values.Rescale]],
    ends: dict[Cell, tuple[float, float]],
) -> NDArray[Any]:
    """RGB of palette colour, else modality values; ``stored`` is used up."""
    if table is None:
        if not all(r.is_whole for row in rescales for r in row):
            gate.check(stored.shape, 4, path=lead.path)
        return values.to_modality(stored, rescales, ends)
    is_palette = isinstance(table, Palette)
    gate.check((*stored.shape, 3) if is_palette else stored.shape, 1 if is_palette else 2, path=lead.path)
    result = memory.allocate((*stored.shape, 3) if is_palette else stored.shape, np.uint8 if is_palette else np.uint16)
    for cell in np.ndindex(*stored.shape[:2]):
        result[cell] = table.apply(stored[cell])
    return result if is_palette else values.to_modality(result, [[values.Rescale() for _r in row] for row in rescales])


def _pass_gate(series: Sequence[Header], slots: Slots, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Nothing is allocated before the gate has seen shape, bytes present and codec (RELIABILITY choice 3)."""
    used = sorted({h for row in slots for h, _n in row})
    headers = [series[h] for h in used]
    path = headers[0].path
    for header in headers:
        if not header.is_native and header.syntax not in CODECS:
            raise UnsupportedFeature(unsupported(header.path, header.syntax))
    if all(h.is_native for h in headers):
        gate.check(shape, dtype.itemsize, path=path)
        return
    present = sum(max(0, h.size - h.pixels.offset) for h in headers if h.pixels is not None)
    ratio = max((CODECS[h.syntax].ratio for h in headers if h.syntax in CODECS), default=gate.LOSSLESS_RATIO)
    if headers[0].bits_allocated == 1:
        ratio *= 8  # a byte each in memory, a bit each in the stream
    gate.check(shape, dtype.itemsize, path=path, available=present, ratio=ratio)
