"""NIfTI-1 and NIfTI-2, single files and pairs, plain and gzipped: our own look at the header, RAS turned into LPS."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.core.geometry import Geometry
from viewer.core.provenance import Note
from viewer.core.window import Window
from viewer.core.words import _, mark
from viewer.io import gate, grid, inflate, shear
from viewer.io.affine import from_affine
from viewer.io.beside import open_regular, resolve
from viewer.io.gate import harmless
from viewer.io.grid import GridPlan, Role
from viewer.io.series import Listing, Progress

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 128: "u1", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8", 2304: "u1"}
_OTHER_TYPES = {
    1: mark("single bits"),
    32: mark("complex numbers"),
    1536: mark("128-bit floats"),
    1792: mark("complex numbers"),
    2048: mark("complex numbers"),
}
_SAMPLES = {128: 3, 2304: 4}
_CODES = {1: mark("scanner"), 2: mark("aligned to another image"), 3: mark("Talairach"), 4: mark("MNI 152"), 5: mark("template")}
_LENGTH_UNITS = {1: 1000.0, 2: 1.0, 3: 0.001}
_TIME_UNITS = {8: 1.0, 16: 1e-3, 24: 1e-6}
_MAGIC_1 = (b"n+1\0", b"ni1\0")
_MAGIC_2 = (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")
LONGEST_HEADER = 544


@dataclass(frozen=True, slots=True)
class Header:
    """The fields that matter, of either version."""

    size: int
    order: str
    is_pair: bool
    dim: tuple[int, ...]
    pixdim: tuple[float, ...]
    datatype: int
    bitpix: int
    vox_offset: float
    slope: float
    intercept: float
    shown: tuple[float, float]
    """cal_min, cal_max."""
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    """b, c, d and the three offsets."""
    srow: tuple[float, ...]
    units: int
    toffset: float
    description: str


def looks_like(head: bytes) -> bool:
    """Whether inflated first bytes (348 are enough) are a NIfTI header."""
    return (len(head) >= 348 and head[344:348] in _MAGIC_1) or (len(head) >= 12 and head[4:12] in _MAGIC_2)


def parse(head: bytes, name: str) -> Header:
    """The header in the first 540 bytes. Raises UnreadableFile where it is none."""
    if len(head) >= 540 and head[4:12] in _MAGIC_2:
        order = "<" if struct.unpack("<i", head[:4])[0] == 540 else ">"
        size = struct.unpack(order + "i", head[:4])[0]
        datatype, bitpix = struct.unpack_from(order + "2h", head, 12)
        dim = struct.unpack_from(order + "8q", head, 16)
        pixdim = struct.unpack_from(order + "8d", head, 104)
        (offset,) = struct.unpack_from(order + "q", head, 168)
        slope, intercept, high, low, _duration, toffset = struct.unpack_from(order + "6d", head, 176)
        description = head[240:320]
        qform, sform = struct.unpack_from(order + "2i", head, 344)
        quatern = struct.unpack_from(order + "6d", head, 352)
        srow = struct.unpack_from(order + "12d", head, 400)
        (units,) = struct.unpack_from(order + "i", head, 500)
        is_pair = head[4:6] == b"ni"
    elif len(head) >= 348 and head[344:348] in _MAGIC_1:
        order = "<" if struct.unpack("<i", head[:4])[0] == 348 else ">"
        size = struct.unpack(order + "i", head[:4])[0]
        dim = struct.unpack_from(order + "8h", head, 40)
        datatype, bitpix = struct.unpack_from(order + "2h", head, 70)
        pixdim = struct.unpack_from(order + "8f", head, 76)
        offset, slope, intercept = struct.unpack_from(order + "3f", head, 108)
        units = head[123]
        high, low, _duration, toffset = struct.unpack_from(order + "4f", head, 124)
        description = head[148:228]
        qform, sform = struct.unpack_from(order + "2h", head, 252)
        quatern = struct.unpack_from(order + "6f", head, 256)
        srow = struct.unpack_from(order + "12f", head, 280)
        is_pair = head[344:346] == b"ni"
    else:
        raise UnreadableFile(_("{name}: it is cut short inside its NIfTI header.").format(name=name))
    if size not in (348, 540):
        raise UnreadableFile(
            _("{name}: its NIfTI header says it is {size} bytes long, not 348 or 540. The file is damaged.").format(name=name, size=size)
        )
    text = description.split(b"\0")[0].decode("latin-1").strip()
    return Header(
        size, order, is_pair, dim, pixdim, datatype, bitpix, float(offset), slope, intercept, (low, high),
        qform, sform, quatern, srow, units, toffset, harmless(text),
    )  # fmt: skip


def plan_of(path: Path) -> GridPlan:
    """What a NIfTI file promises. Raises UnreadableFile or UnsupportedFeature; allocates nothing."""
    name = harmless(path.name)
    with open_regular(path) as file:
        head, is_gzip = inflate.first_bytes(file, LONGEST_HEADER, path=path)
    header = parse(head, name)
    data, codec, start, skip = _place_of_data(path, header, is_gzip)
    sizes, roles, samples, warnings = _axes(header, path)
    badges: tuple[str, ...] = ()
    geometry, sheared, more = _geometry(header, (sizes[2], sizes[1], sizes[0]))
    if not geometry.is_patient:
        badges = ("NO GEOMETRY",)
    if sheared:
        badges = ("RESAMPLED",)
    slope, intercept = header.slope, header.intercept
    if slope == 0 or not (math.isfinite(slope) and math.isfinite(intercept)) or samples > 1:
        slope, intercept = 1.0, 0.0  # F01: a slope of 0 means no scaling
    low, high = header.shown
    seconds = _TIME_UNITS.get(header.units & 0x38, 0.0) * header.pixdim[4]
    count = sizes[3] if len(sizes) == 4 else 0
    return GridPlan(
        reader="nifti", header=path, data=data, codec=codec, start=start, skip=skip,
        dtype=header.order + _TYPES[header.datatype],
        shape=(*sizes[::-1], *((samples,) if samples > 1 else ())),
        roles=roles, geometry=geometry, slope=float(slope), intercept=float(intercept), sheared=sheared,
        windows=(Window.between(low, high, "File"),) if math.isfinite(low) and math.isfinite(high) and high > low else (),
        phase_seconds=tuple(i * seconds for i in range(count)) if count > 1 and math.isfinite(seconds) and seconds > 0 else (),
        warnings=(*warnings, *more), badges=badges,
        facts=(("Description", header.description),) if header.description else (),
        notes=_notes(header, geometry),
    )  # fmt: skip


def _notes(header: Header, geometry: Geometry) -> tuple[Note, ...]:
    """Which of the two places that a header may give was taken (F02): the sform where it has one that makes sense."""
    text = _("NIfTI-{version}, header and voxels in two files.") if header.is_pair else _("NIfTI-{version}, one file.")
    found = [Note("file", text.format(version=1 if header.size == 348 else 2))]
    has_sform = header.sform_code > 0 and _usable(np.array(header.srow, dtype=np.float64).reshape(3, 4)) is not None
    if geometry.is_patient:
        name, code = ("sform", header.sform_code) if has_sform else ("qform", header.qform_code)
        said = _("The place is that of the {name}, code {code} ({meaning}), turned from RAS to LPS.")
        found.append(Note("geometry", said.format(name=name, code=code, meaning=_(_CODES.get(code, mark("not known"))))))
        if has_sform and header.qform_code > 0:
            found.append(Note("geometry", _("The qform, code {code}, was not used: the sform comes first.").format(code=header.qform_code)))
    if header.units & 7 not in _LENGTH_UNITS:
        found.append(Note("geometry", _("The file does not say in which unit its lengths are: millimetres were assumed.")))
    return tuple(found)


def scan(files: list[Path], *, progress: Progress | None = None) -> Listing:
    """Each file is one series."""
    return grid.scan_each(files, plan_of, progress)


load, load_plane = grid.load, grid.load_plane


def _place_of_data(path: Path, header: Header, is_gzip: bool) -> tuple[Path, Any, int, int]:
    name = harmless(path.name)
    offset = header.vox_offset
    least = 0 if header.is_pair else header.size + 4
    if not math.isfinite(offset) or offset != int(offset) or offset < 0 or (offset < header.size and offset not in (0,) and not header.is_pair):
        raise UnreadableFile(
            _("{name}: its voxels are said to start at byte {offset:g}, which cannot be. The file is damaged.").format(name=name, offset=offset)
        )
    place = max(int(offset), least) if offset == 0 else int(offset)
    data = path
    if header.is_pair:
        stem = path.name[: -len(".hdr.gz")] if path.name.lower().endswith(".hdr.gz") else path.stem
        there = [n for n in (f"{stem}.img", f"{stem}.img.gz", f"{stem}.IMG") if (path.parent / n).exists()]
        data = resolve(path, there[0] if there else f"{stem}.img")
        with open_regular(data) as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
    return (data, "gzip", 0, place) if is_gzip else (data, "raw", place, 0)


def _axes(header: Header, path: Path) -> tuple[tuple[int, ...], tuple[Role, ...], int, tuple[str, ...]]:
    """Sizes, fastest first (columns, rows, planes[, phases]); the stored axes' roles, slowest first; samples; warnings."""
    count, name = header.dim[0], harmless(path.name)
    if not 1 <= count <= 7:
        raise UnreadableFile(
            _("{name}: its header says it has {count} dimensions; a NIfTI file has 1 to 7. The file is damaged.").format(name=name, count=count)
        )
    if count == 1:
        raise UnsupportedFeature(_("{name}: it holds a row of numbers (one dimension), which is no picture and no volume.").format(name=name))
    if header.datatype not in _TYPES:
        what = _(_OTHER_TYPES.get(header.datatype, ""))
        if what:
            raise UnsupportedFeature(
                _("{name}: its voxels are {what}, which are not supported. Convert it to whole numbers or floats.").format(name=name, what=what)
            )
        raise UnreadableFile(
            _("{name}: its data type has the number {kind}, which NIfTI does not know. The file is damaged.").format(name=name, kind=header.datatype)
        )
    samples = _SAMPLES.get(header.datatype, 1)
    warnings: list[str] = []
    bits = np.dtype(_TYPES[header.datatype]).itemsize * samples * 8
    if header.bitpix not in (0, bits):
        warnings.append(_("The header says {bitpix} bits per voxel, but its data type has {bits}.").format(bitpix=header.bitpix, bits=bits))
    if samples == 4:
        warnings.append(_("The transparency of the colours is left out."))
    dims = list(header.dim[1 : count + 1])
    gate.check(tuple(dims), 1, path=path)
    dims += [1] * (3 - len(dims))
    further = [n for n in dims[3:] if n > 1]
    if len(further) > 1:
        warnings.append(_("The file has more than four dimensions; all beyond the third are shown as phases."))
    phases = math.prod(dims[3:])
    sizes = (*dims[:3], phases) if phases > 1 else tuple(dims[:3])
    roles: tuple[Role, ...] = ("phase", "plane", "row", "column") if phases > 1 else ("plane", "row", "column")
    return sizes, (*roles, "sample") if samples > 1 else roles, samples, tuple(warnings)


def _geometry(header: Header, shape: tuple[int, int, int]) -> tuple[Geometry, tuple[float, ...], tuple[str, ...]]:
    """Geometry, the sheared affine if the grid is not rectangular, and warnings."""
    scale = _LENGTH_UNITS.get(header.units & 7, 1.0)
    warnings: list[str] = []
    sform = _usable(np.array(header.srow, dtype=np.float64).reshape(3, 4)) if header.sform_code > 0 else None
    qform = _usable(_qform(header)) if header.qform_code > 0 else None
    if header.sform_code > 0 and sform is None:
        warnings.append(_("The sform of the header is no geometry (not finite, or flat) and was left out."))
    if header.qform_code > 0 and qform is None:
        warnings.append(_("The qform of the header is no geometry (not finite, or flat) and was left out."))
    if sform is not None and qform is not None and np.abs(sform - qform).max() > 1e-3:
        ends = np.array(np.meshgrid(*[(0, n - 1) for n in shape[::-1]], indexing="ij")).reshape(3, -1)
        apart = float(np.linalg.norm((sform - qform) @ np.vstack([ends, np.ones(ends.shape[1])]), axis=0).max()) * scale
        warnings.append(
            _("sform and qform of the header disagree; the sform is used. Their corners lie up to {apart:.3g} mm apart.").format(apart=apart)
        )
    ras = sform if sform is not None else qform
    between_known = header.dim[0] > 2
    if ras is None:
        pixels = [abs(p) * scale for p in header.pixdim[1:4]]
        known = [math.isfinite(p) and p > 0 for p in pixels]
        warnings.append(_("The file does not say where the patient is (no sform, no qform)."))
        row_column = all(known[:2])
        between = known[2] and between_known and row_column
        spacing = (pixels[2] if between else 1.0, *((pixels[1], pixels[0]) if row_column else (1.0, 1.0)))
        return Geometry(shape, spacing=spacing, is_patient=False, in_plane_known=row_column, between_known=between), (), tuple(warnings)
    lps = np.vstack([np.diag([-1.0, -1.0, 1.0]) @ ras * scale, (0.0, 0.0, 0.0, 1.0)])
    geometry = from_affine(lps, shape, between_known=between_known)
    if geometry is not None:
        return geometry, (), tuple(warnings)
    warnings.append(_("The axes of the grid are not at right angles; the voxels were brought onto a rectangular grid (nearest voxel)."))
    return shear.rectangular(lps, shape), tuple(float(c) for c in lps.ravel()), tuple(warnings)


def _usable(affine: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if not np.isfinite(affine).all() or np.abs(affine).max() > 1e9:
        return None
    steps = np.linalg.norm(affine[:, :3], axis=0)
    if (steps < 1e-9).any() or abs(np.linalg.det(affine[:, :3] / steps)) < 1e-3:
        return None
    return affine


def _qform(header: Header) -> NDArray[np.float64]:
    """The quaternion's affine (3, 4), RAS; source: nifti1.h, "METHOD 2"."""
    b, c, d, x, y, z = (float(v) for v in header.quatern)
    rest = 1.0 - (b * b + c * c + d * d)
    if rest < 1e-7:  # a half turn: normalise, as the reference implementation does
        length = math.sqrt(b * b + c * c + d * d)
        b, c, d, a = (b / length, c / length, d / length, 0.0) if length > 0 and math.isfinite(length) else (b, c, d, 1.0)
    else:
        a = math.sqrt(rest)
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    steps = [abs(float(p)) for p in header.pixdim[1:4]]
    if header.dim[0] < 3 and not (math.isfinite(steps[2]) and steps[2] > 0):
        steps[2] = 1.0
    if header.pixdim[0] < 0:
        steps[2] = -steps[2]
    with np.errstate(invalid="ignore"):  # a header of NaN or infinity: the caller looks
        return np.column_stack([turn * steps, (x, y, z)])
