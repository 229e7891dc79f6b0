"""From a plan to a Volume: reads or decodes every frame into shared memory, then makes modality values or RGB of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import JobFailed, NegatoscopeError, OperationCancelled, UnreadableFile, UnsupportedFeature
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io import gate
from viewer.io.dicom import colour, elements, values
from viewer.io.dicom.decode import FrameTask
from viewer.io.dicom.describe import lookup_table
from viewer.io.dicom.header import Header
from viewer.io.dicom.index import Plan
from viewer.io.dicom.meaning import with_meaning
from viewer.io.dicom.native import NativeFile
from viewer.io.dicom.parse import parse
from viewer.io.dicom.syntaxes import CODECS, unsupported
from viewer.io.series import Progress, SeriesEntry
from viewer.io.stream import Stream
from viewer.jobs.pool import Job, Limits, Pool, Writable

Slots = tuple[tuple[tuple[int, int], ...], ...]
Cell = tuple[int, int]
DECODE = "viewer.io.dicom.decode:decode_frame"


def load(entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """Read all voxels of an entry. Raises a NegatoscopeError that names the file."""
    plan = _plan(entry)
    assert entry.geometry is not None
    return _volume(entry, plan, plan.slots, entry.geometry, pool, progress)


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
    """Read one plane alone, as a volume of one plane in its right place."""
    plan = _plan(entry)
    assert entry.geometry is not None
    if not (0 <= phase < len(plan.slots) and 0 <= plane < len(plan.slots[phase])):
        raise ValueError(f"plane {plane} of phase {phase} of {entry.shape[0]} planes and {entry.phases} phases")
    geometry = entry.geometry.cropped((plane, 0, 0), (1, *entry.shape[1:]))
    volume = _volume(entry, plan, ((plan.slots[phase][plane],),), geometry, pool, None)
    return replace(volume, kind="image", phase_seconds=(), phase_labels=())


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
        raise ValueError(f"frames {numbers} of {header.frame_count}")
    slots: Slots = (tuple((0, n) for n in numbers),)
    shape, dtype = _stored_shape(header, slots)
    _pass_gate((header,), slots, shape, dtype)
    stored = memory.allocate(shape, dtype)
    failures = _fill((header,), slots, stored, {}, pool, None)
    for (_phase, plane), problem in sorted(failures.items()):
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


def _volume(entry: SeriesEntry, plan: Plan, slots: Slots, geometry: Geometry, pool: Pool, progress: Progress | None) -> Volume:
    description = plan.description
    data, said, rescales = _voxels(plan, slots, pool, progress)
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
        padding=None if entry.is_color else values.padding_range(description.stored_padding, rescales),
        pixel_aspect=1.0 if geometry.in_plane_known else description.pixel_aspect,
        patient_orientation=None if geometry.is_patient else description.patient_orientation,
        phase_labels=plan.phase_labels,
        phase_seconds=description.phase_seconds,
        warnings=(*entry.warnings, *said),
        badges=tuple(dict.fromkeys((*description.badges, "INCOMPLETE"))) if said else description.badges,
        facts=description.facts,
    )
    return with_meaning(volume, plan, slots, rescales)


def _voxels(plan: Plan, slots: Slots, pool: Pool, progress: Progress | None) -> tuple[NDArray[Any], tuple[str, ...], list[list[values.Rescale]]]:
    """Voxels, what went wrong with single frames, and the rescale of each frame."""
    lead = plan.headers[slots[0][0][0]]
    is_color = lead.samples == 3
    shape, dtype = _stored_shape(lead, slots)
    _pass_gate(plan.headers, slots, shape, dtype)
    stored = memory.allocate(shape, dtype)
    ends: dict[Cell, tuple[float, float]] = {}
    failures = _fill(plan.headers, slots, stored, ends, pool, progress)
    cells = len(slots) * len(slots[0])
    if len(failures) == cells:
        raise next(iter(failures.values()))
    said = tuple(str(err) for err in failures.values())
    if len(said) > 3:
        said = (*said[:3], ngettext("and {count} further frame", "and {count} further frames", len(said) - 3))
    rescales = [[values.Rescale(f.slope, f.intercept) for f in (plan.headers[h].frame(n) for h, n in row)] for row in slots]
    if is_color:
        return stored, said, rescales
    data = _modality(lead, stored, rescales, ends)
    for phase, plane in failures:
        # Neither air nor bone: the middle of what there is.
        data[phase, plane] = (float(data.min()) + float(data.max())) / 2 if data.dtype.kind == "f" else (int(data.min()) + int(data.max())) // 2
    return data, said, rescales


def _modality(lead: Header, stored: NDArray[Any], rescales: list[list[values.Rescale]], ends: dict[Cell, tuple[float, float]]) -> NDArray[Any]:
    """RGB of palette colour, else modality values by the LUT (which wins, D16) or the rescales."""
    if not lead.tables:
        if not all(r.is_whole for row in rescales for r in row):
            gate.check(stored.shape, 4, path=lead.path)
        return values.to_modality(stored, rescales, ends)
    dataset = parse(lead.path).dataset
    if lead.photometric == "PALETTE COLOR":
        palette = colour.read_palette(dataset, signed=lead.is_signed)
        if palette is None:
            raise UnreadableFile(_("{name}: its colour palette is missing or damaged.").format(name=lead.name))
        gate.check((*stored.shape, 3), 1, path=lead.path)
        result = memory.allocate((*stored.shape, 3), np.uint8)
        for cell in np.ndindex(*stored.shape[:2]):
            result[cell] = palette.apply(stored[cell])
        return result
    item = elements.first(dataset, 0x00283000)
    table = lookup_table(item, 0x00283002, 0x00283006, signed=lead.is_signed) if item is not None else None
    if table is None:
        return values.to_modality(stored, rescales, ends)
    lut = values.ModalityLut(table[0], np.asarray(table[1], dtype=np.uint16))
    gate.check(stored.shape, 2, path=lead.path)
    mapped = memory.allocate(stored.shape, np.uint16)
    for cell in np.ndindex(*stored.shape[:2]):
        mapped[cell] = lut.apply(stored[cell])
    return values.to_modality(mapped, [[values.Rescale() for _r in row] for row in rescales])


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


def _fill(
    headers: Sequence[Header], slots: Slots, stored: NDArray[Any], ends: dict[Cell, tuple[float, float]], pool: Pool, progress: Progress | None
) -> dict[Cell, NegatoscopeError]:
    """Every frame in its place, and the ends of those read here; the errors of those that failed."""
    failures: dict[Cell, NegatoscopeError] = {}
    jobs: dict[Cell, tuple[Job, FrameTask]] = {}
    files: dict[int, NativeFile] = {}
    done, total = 0, len(slots) * len(slots[0])
    try:
        for phase, row in enumerate(slots):
            for plane, (number, frame) in enumerate(row):
                header = headers[number]
                try:
                    if header.is_native:
                        if number not in files:
                            files = {number: NativeFile(header)}
                        files[number].read_into(frame, stored[phase, plane])
                        ends[phase, plane] = values.ends_of(stored[phase, plane])
                        done += 1
                        if progress is not None:
                            progress(done, total)
                    else:
                        task = _task(header, frame)
                        jobs[phase, plane] = (_submit(pool, task, stored, phase, plane), task)
                except OperationCancelled:
                    raise
                except NegatoscopeError as err:
                    failures[phase, plane] = err
        for (phase, plane), (job, task) in jobs.items():
            problem = _finish(job, task, pool, stored, phase, plane)
            if problem is not None:
                failures[phase, plane] = problem
            done += 1
            if progress is not None:
                progress(done, total)
    finally:
        for job, _ignored in jobs.values():
            if not job.done:
                job.cancel()
    return failures


def _finish(job: Job, task: FrameTask, pool: Pool, stored: NDArray[Any], phase: int, plane: int) -> NegatoscopeError | None:
    """Wait; a worker that died or hung is tried once more with a fresh one (RELIABILITY choice 2)."""
    for attempt in range(2):
        try:
            job.result()
            return None
        except OperationCancelled:
            raise
        except JobFailed as err:
            if attempt == 0:
                job = _submit(pool, task, stored, phase, plane)
                continue
            codec = CODECS[task.syntax].name
            text = _("{name}: frame {number} in {codec} cannot be decoded: {reason}")
            return UnreadableFile(text.format(name=gate.harmless(task.path.name), number=task.number + 1, codec=codec, reason=str(err)))
        except NegatoscopeError as err:
            return err
    return None


def _submit(pool: Pool, task: FrameTask, stored: NDArray[Any], phase: int, plane: int) -> Job:
    expected = stored[phase, plane].nbytes
    limits = Limits(seconds=5.0 + 2.0 * expected / 10e6, address_space=(1 << 30) + 4 * expected + stored.nbytes)
    return pool.submit(DECODE, {"task": task, "out": Writable(stored), "phase": phase, "plane": plane}, limits=limits)


def _task(header: Header, number: int) -> FrameTask:
    if number >= len(header.spans):
        raise UnreadableFile(_("{name}: frame {number} is missing.").format(name=header.name, number=number + 1))
    return FrameTask(
        path=header.path,
        number=number,
        spans=header.spans[number],
        syntax=header.syntax,
        rows=header.rows,
        columns=header.columns,
        samples=header.samples,
        photometric=header.photometric,
        bits_allocated=header.bits_allocated,
        bits_stored=header.bits_stored,
        high_bit=header.high_bit,
        is_signed=header.is_signed,
        planar=header.planar,
    )
