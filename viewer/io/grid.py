"""Formats that are a header and one block of numbers (NIfTI, NRRD, MetaImage, Analyze, MGH): from a plan of the block to a volume.

The readers parse headers into a :class:`GridPlan`; everything that touches voxels is here, once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import NegatoscopeError, UnreadableFile
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.provenance import Note
from viewer.core.sentence import sentence_of
from viewer.core.volume import Identity, Kind, Volume
from viewer.core.window import Window
from viewer.core.words import _, ngettext
from viewer.io import gate, inflate
from viewer.io.beside import because, open_regular, real_name
from viewer.io.series import Listing, Progress, Refusal, SeriesEntry
from viewer.io.shear import straighten
from viewer.io.stream import Stream
from viewer.io.values import settle
from viewer.jobs.pool import Pool

Role = Literal["phase", "plane", "row", "column", "sample"]
_ORDER: tuple[Role, ...] = ("phase", "plane", "row", "column", "sample")
# Text takes about ten bytes and a Python object for a number: enough for small examples, which is all it is used for.
TEXT_LIMIT = 64 << 20
# A stack that leans by 45 degrees about two axes needs 4 times its voxels.
SHEAR_LIMIT = 32


@dataclass(frozen=True, slots=True)
class GridPlan:
    """Where the numbers lie in the file and what they mean."""

    reader: str
    header: Path
    data: Path
    codec: Literal["raw", "text"] | inflate.Codec
    start: int
    """Bytes before the data (before the compressed stream)."""
    skip: int
    """Bytes to leave out at the head of the inflated stream."""
    dtype: str
    """numpy's name of one element as stored, with byte order."""
    shape: tuple[int, ...]
    """As stored, slowest axis first."""
    roles: tuple[Role, ...]
    """What each stored axis is."""
    geometry: Geometry
    slope: float = 1.0
    intercept: float = 0.0
    sheared: tuple[float, ...] = ()
    """Where the file's grid is not rectangular: its affine (16 numbers, LPS); the voxels are brought onto ``geometry``."""
    windows: tuple[Window, ...] = ()
    phase_labels: tuple[str, ...] = ()
    phase_seconds: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()
    """What the format's reader has to say; what holds for all of them is added by :func:`entry_of`."""

    @property
    def element(self) -> np.dtype[Any]:
        return np.dtype(self.dtype)

    @property
    def phases(self) -> int:
        return math.prod(n for n, role in zip(self.shape, self.roles, strict=True) if role == "phase")

    @property
    def samples(self) -> int:
        return next((n for n, role in zip(self.shape, self.roles, strict=True) if role == "sample"), 1)

    @property
    def stored_grid(self) -> tuple[int, int, int]:
        """(planes, rows, columns) in the file; another than the geometry's where the file's grid is not rectangular."""
        sizes = dict(zip(self.roles, self.shape, strict=True))
        return sizes["plane"], sizes["row"], sizes["column"]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.element.itemsize

    @property
    def kind(self) -> Kind:
        if self.geometry.shape[0] > 1:
            return "volume"
        return "cine" if self.phases > 1 else "image"


def scan_each(files: list[Path], plan_of: Callable[[Path], GridPlan], progress: Progress | None) -> Listing:
    """A listing of files that each are one series; what cannot be used becomes a refusal."""
    series: list[SeriesEntry] = []
    refused: list[Refusal] = []
    for number, path in enumerate(files):
        if progress:
            progress(number, len(files))
        try:
            plan = plan_of(path)
            check(plan)
            series.append(entry_of(plan))
        except NegatoscopeError as error:
            refused.append(Refusal(path, sentence_of(error)))
        except OSError as error:
            refused.append(Refusal(path, _("{name}: {reason}.").format(name=gate.harmless(path.name), reason=because(error))))
    return Listing(tuple(series), tuple(refused))


def check(plan: GridPlan) -> int:
    """Ask the gate, and see that a compressed stream is long enough. Returns the bytes of the stored block."""
    if plan.sheared:
        _check_straightened(plan)
    with open_regular(plan.data) as file:
        size = file.seek(0, 2)
        there = max(0, size - plan.start)
        if plan.codec == "text":
            gate.check((size,), 16, path=plan.header)
            if size > TEXT_LIMIT:
                raise UnreadableFile(
                    _("{name}: {size} of numbers as text are too many to read.").format(name=gate.harmless(plan.data.name), size=gate.amount(size))
                )
            # A number takes at least a digit and a blank.
            return gate.check(plan.shape, 1, path=plan.header, available=there + 1 if math.prod(plan.shape) * 2 <= there + 2 else 0)
        if plan.codec == "raw":
            return gate.check(plan.shape, plan.element.itemsize, path=plan.header, available=there)
        needed = gate.check(plan.shape, plan.element.itemsize, path=plan.header, available=there, ratio=inflate.ratio_of(plan.codec))
        promised = plan.skip + needed
        if plan.codec == "gzip" and size >= 18:
            file.seek(-4, 2)
            if int.from_bytes(file.read(4), "little") == promised % 2**32:
                return needed  # the trailer of a whole, single member says the right length
        if plan.codec == "zlib":
            return needed  # its header said how long the stream is
        file.seek(plan.start)
        found = inflate.inflated_length(file, plan.codec, enough=promised, path=plan.data)
        if found < promised:
            raise UnreadableFile(
                _("{name}: {promised} are promised, but the compressed data holds only {found}. The file is cut short.").format(
                    name=gate.harmless(plan.data.name), promised=gate.amount(promised), found=gate.amount(found)
                )
            )
        return needed


def _check_straightened(plan: GridPlan) -> None:
    """The rectangular grid that a slanted one is brought onto may be far larger than the file: a nearly flat one has no end."""
    straight = (plan.phases, *plan.geometry.shape, plan.samples)
    gate.check(straight, plan.element.itemsize, path=plan.header)
    times = math.prod(straight) / math.prod(plan.shape)
    if times > SHEAR_LIMIT:
        text = _("{name}: its grid is so slanted that a rectangular one around it would be {times:.0f} times as large. The header is damaged.")
        raise UnreadableFile(text.format(name=gate.harmless(plan.header.name), times=times))


def entry_of(plan: GridPlan) -> SeriesEntry:
    """The listing's line for a plan."""
    return SeriesEntry(
        id=file_id(plan.header),
        reader=plan.reader,
        kind=plan.kind,
        files=(plan.header,) if plan.data == plan.header else (plan.header, plan.data),
        identity=Identity(),
        title=title_of(plan.header),
        shape=plan.geometry.shape,
        phases=plan.phases,
        is_color=plan.samples > 1,
        geometry=plan.geometry,
        warnings=plan.warnings,
        notes=_notes(plan),
        nbytes=plan.nbytes,
        plan=plan,
    )


def _notes(plan: GridPlan) -> tuple[Note, ...]:
    """Where the voxels lie and what becomes of them, in the words that all formats share."""
    name = gate.harmless(plan.data.name)
    packed = {"raw": _("not compressed"), "text": _("numbers as text"), "gzip": "gzip", "zlib": "zlib", "bzip2": "bzip2"}[plan.codec]
    where = _("{name}: {size} of voxels, {packed}.") if plan.codec in ("raw", "text") else _("{name}: {size} of voxels when inflated, {packed}.")
    order = _("big endian") if plan.element.byteorder == ">" else _("little endian")
    stored = plan.element.name if plan.element.itemsize == 1 else f"{plan.element.name}, {order}"
    found = [*plan.notes, Note("decoding", where.format(name=name, size=gate.amount(plan.nbytes), packed=packed))]
    found.append(Note("values", _("Stored as {stored}.").format(stored=stored)))
    if (plan.slope, plan.intercept) != (1.0, 0.0):
        found.append(Note("values", _("Stored values x became {slope:g} x + {intercept:g}.").format(slope=plan.slope, intercept=plan.intercept)))
    planes, rows, columns = plan.geometry.shape
    said = ngettext("{count} plane", "{count} planes", planes)
    found.append(Note("geometry", _("{planes} of {rows} rows and {columns} columns.").format(planes=said, rows=rows, columns=columns)))
    if planes > 1 and plan.geometry.between_known:
        found.append(Note("geometry", _("The planes lie {mm:.4g} mm apart.").format(mm=plan.geometry.spacing[0])))
    if np.linalg.det(plan.geometry.matrix) < 0:
        found.append(
            Note("geometry", _("Columns, rows and planes are a left-handed set of axes in the file; they are shown so, nothing was mirrored."))
        )
    return tuple(found)


def file_id(path: Path) -> str:
    """The id of a file without UIDs: a hash of its resolved name, size and both ends, so that a large file stays quick to list."""
    digest = hashlib.sha256(real_name(path).encode("utf-8", "surrogateescape"))
    with open_regular(path) as file:
        size = file.seek(0, 2)
        digest.update(str(size).encode())
        for place in (0, max(0, size - 65536)):
            file.seek(place)
            digest.update(file.read(65536))
    return "file-" + digest.hexdigest()[:16]


def title_of(path: Path) -> str:
    """The file's name without its endings."""
    name = gate.harmless(path.name)
    for ending in (
        ".nii.gz",
        ".nii",
        ".nrrd",
        ".nhdr",
        ".mha",
        ".mhd",
        ".hdr.gz",
        ".hdr",
        ".mgz",
        ".mgh.gz",
        ".mgh",
        ".png",
        ".jpg",
        ".jpeg",
        ".tif",
        ".tiff",
    ):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def load(entry: SeriesEntry, *, pool: Pool | None = None, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """All voxels of an entry, as modality values in the smallest exact type.

    ``pool`` and ``stream`` are what every reader is given; the one block of numbers is read here and as a whole.
    """
    plan: GridPlan = entry.plan
    check(plan)
    stored = _stored(plan)
    values = settle(_in_order(plan, stored), plan.slope, plan.intercept, progress=progress)
    del stored
    if plan.sheared:
        values = straighten(values, np.reshape(plan.sheared, (4, 4)), plan.geometry)
    return _volume(entry, plan, values, plan.geometry, range(plan.phases))


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool | None = None) -> Volume:
    """One plane of one phase, without reading the rest where the file's order allows."""
    plan: GridPlan = entry.plan
    place = plan.geometry.cropped((plane, 0, 0), (1, *plan.geometry.shape[1:]))
    if plan.sheared or plan.codec == "text" or plan.roles[-(3 if plan.samples > 1 else 2) :][:2] != ("row", "column"):
        whole = load(entry)
        return _volume(entry, plan, whole.data[phase : phase + 1, plane : plane + 1], place, range(phase, phase + 1))
    samples = plan.samples
    shape = (1, 1, *plan.geometry.shape[1:], *((samples,) if samples > 1 else ()))
    needed = gate.check(shape, plan.element.itemsize, path=plan.header)
    # The slow axes are phases and planes in the file's order; find the number of this plane among them.
    slow = [(n, role) for n, role in zip(plan.shape, plan.roles, strict=True) if role in ("phase", "plane")]
    numbers = np.arange(math.prod(n for n, _ in slow)).reshape([n for n, _ in slow])
    ordered = numbers.transpose(sorted(range(len(slow)), key=lambda axis: _ORDER.index(slow[axis][1])))
    number = int(ordered.reshape(plan.phases, plan.geometry.shape[0])[phase, plane])
    stored = np.empty(shape, plan.element)
    _fill(plan, stored.reshape(-1).view(np.uint8).data, number * needed)
    values = settle(_color_alone(stored) if samples > 1 else stored, plan.slope, plan.intercept)
    return _volume(entry, plan, values, place, range(phase, phase + 1))


def _volume(entry: SeriesEntry, plan: GridPlan, values: NDArray[Any], geometry: Geometry, phases: range) -> Volume:
    span = slice(phases.start, phases.stop)
    warnings = plan.warnings
    if values.dtype == np.float32 and plan.element.kind in "iu" and plan.element.itemsize > 2 and float(np.abs(values).max()) > 2**24:
        warnings = (*warnings, _("Whole numbers beyond 16777216 are rounded."))
    return Volume(
        id=new_id("volume"),
        data=values,
        geometry=geometry,
        kind=plan.kind,
        title=entry.title,
        identity=entry.identity,
        is_color=plan.samples > 1,
        windows=plan.windows,
        phase_labels=plan.phase_labels[span],
        phase_seconds=plan.phase_seconds[span],
        warnings=warnings,
        badges=plan.badges,
        facts=dict(plan.facts),
        notes=entry.notes,
    )


def _stored(plan: GridPlan) -> NDArray[Any]:
    """The block as it is in the file, in shareable memory."""
    if plan.codec == "text":
        return _numbers(plan)
    stored = memory.allocate(plan.shape, plan.element)
    _fill(plan, stored.reshape(-1).view(np.uint8).data, 0)
    return stored


def _fill(plan: GridPlan, target: memoryview, offset: int) -> None:
    with open_regular(plan.data) as file:
        if plan.codec == "raw":
            file.seek(plan.start + offset)
            filled = 0
            while filled < len(target):
                count = file.readinto(target[filled : filled + (64 << 20)])  # type: ignore[attr-defined]
                if not count:
                    raise UnreadableFile(
                        _("{name}: the file ends before its last voxel. It is cut short.").format(name=gate.harmless(plan.data.name))
                    )
                filled += count
            return
        file.seek(plan.start)
        assert plan.codec != "text"
        inflate.inflate_into(target, file, plan.codec, skip=plan.skip + offset, path=plan.data)


def _numbers(plan: GridPlan) -> NDArray[Any]:
    with open_regular(plan.data) as file:
        file.seek(plan.start)
        words = file.read(TEXT_LIMIT).replace(b",", b" ").split()
    count = math.prod(plan.shape)
    name = gate.harmless(plan.data.name)
    if len(words) < count:
        raise UnreadableFile(
            _("{name}: {count} numbers are promised, but there are only {found}. The file is cut short.").format(
                name=name, count=count, found=len(words)
            )
        )
    try:
        return np.array(words[:count]).astype(plan.element).reshape(plan.shape)
    except (ValueError, OverflowError) as error:
        raise UnreadableFile(
            _("{name}: its data is not all numbers ({reason}).").format(name=name, reason=gate.harmless(sentence_of(error)))
        ) from error


def _in_order(plan: GridPlan, stored: NDArray[Any]) -> NDArray[Any]:
    """A view of (phases, planes, rows, columns[, 3])."""
    axes = sorted(range(len(plan.roles)), key=lambda axis: _ORDER.index(plan.roles[axis]))
    ordered = stored.transpose(axes).reshape(plan.phases, *plan.stored_grid, *((plan.samples,) if plan.samples > 1 else ()))
    return _color_alone(ordered) if plan.samples > 1 else ordered


def _color_alone(values: NDArray[Any]) -> NDArray[Any]:
    return values[..., :3]
