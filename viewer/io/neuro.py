"""Analyze 7.5 (.hdr and .img) and FreeSurfer's MGH and MGZ: our own look at the header, RAS turned into LPS.

Sources: the header file dbh.h of Analyze 7.5; FreeSurfer's description of the MGH format. Voxels are read as those of NIfTI are.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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

ANALYZE_HEADER, MGH_HEADER = 348, 284
_ANALYZE_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 128: "u1", 256: "i1", 512: "u2", 768: "u4"}
_MGH_TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
_ORIENTATIONS = {
    0: mark("transverse"),
    1: mark("coronal"),
    2: mark("sagittal"),
    3: mark("transverse flipped"),
    4: mark("coronal flipped"),
    5: mark("sagittal flipped"),
}


def looks_like(head: bytes) -> bool:
    """Whether inflated first bytes (348 are enough) are a header of one of these; NIfTI's has been asked about before."""
    return _is_mgh(head) or bool(_analyze_order(head))


def scan(files: list[Path], *, progress: Progress | None = None) -> Listing:
    """Each file is one series."""
    return grid.scan_each(files, plan_of, progress)


load, load_plane = grid.load, grid.load_plane


def plan_of(path: Path) -> GridPlan:
    """What a file promises. Raises UnreadableFile or UnsupportedFeature; allocates nothing."""
    with open_regular(path) as file:
        head, is_gzip = inflate.first_bytes(file, ANALYZE_HEADER, path=path)
    if _is_mgh(head):
        return _mgh(path, head, is_gzip)
    order = _analyze_order(head)
    if not order:
        raise UnreadableFile(_("{name}: it is cut short inside its header, or is neither Analyze nor MGH.").format(name=harmless(path.name)))
    return _analyze(path, head, order)


# --- MGH -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mgh:
    sizes: tuple[int, ...]
    """width, height, depth, frames"""
    kind: int
    is_placed: bool
    delta: tuple[float, ...]
    turn: tuple[float, ...]
    """The directions of columns, rows and planes in RAS, three numbers each."""
    center: tuple[float, ...]


def _parse_mgh(head: bytes) -> _Mgh:
    _version, *sizes, kind, _dof, placed = struct.unpack_from(">7ih", head)
    numbers = struct.unpack_from(">15f", head, 30)
    return _Mgh(tuple(sizes), kind, placed == 1, numbers[:3], numbers[3:12], numbers[12:])


def _is_mgh(head: bytes) -> bool:
    """The format has no magic number but its version 1: the sizes and the type must make sense too."""
    if len(head) < 90 or head[:4] != b"\0\0\0\1":
        return False
    mgh = _parse_mgh(head)
    return (
        all(size != 0 and abs(size) < 1 << 24 for size in mgh.sizes) and 0 <= mgh.kind <= 16 and struct.unpack_from(">h", head, 28)[0] in (-1, 0, 1)
    )


def _mgh(path: Path, head: bytes, is_gzip: bool) -> GridPlan:
    name = harmless(path.name)
    if len(head) < MGH_HEADER:
        raise UnreadableFile(_("{name}: it is cut short inside its MGH header.").format(name=name))
    mgh = _parse_mgh(head)
    gate.check(mgh.sizes, 1, path=path)
    if mgh.kind not in _MGH_TYPES:
        raise UnsupportedFeature(
            _("{name}: its voxels are of the MGH type {kind}, which is not supported (bytes, 16- and 32-bit numbers are).").format(
                name=name, kind=mgh.kind
            )
        )
    columns, rows, planes, frames = mgh.sizes
    shape = (planes, rows, columns)
    geometry, sheared, warnings, notes = _mgh_geometry(mgh, shape)
    roles: tuple[Role, ...] = ("phase", "plane", "row", "column") if frames > 1 else ("plane", "row", "column")
    return GridPlan(
        reader="neuro", header=path, data=path, codec="gzip" if is_gzip else "raw",
        start=0 if is_gzip else MGH_HEADER, skip=MGH_HEADER if is_gzip else 0,
        dtype=_MGH_TYPES[mgh.kind], shape=(frames, *shape) if frames > 1 else shape, roles=roles,
        geometry=geometry, sheared=sheared, warnings=warnings, notes=(Note("file", _("FreeSurfer MGH, version 1.")), *notes),
        badges=() if geometry.is_patient else ("NO GEOMETRY",),
    )  # fmt: skip


def _mgh_geometry(mgh: _Mgh, shape: tuple[int, int, int]) -> tuple[Geometry, tuple[float, ...], tuple[str, ...], tuple[Note, ...]]:
    """Geometry, the affine of a sheared grid, warnings, notes. The header gives the middle of the grid, at half its size, in RAS."""
    turn = np.array(mgh.turn, dtype=np.float64).reshape(3, 3).T
    delta = np.array(mgh.delta, dtype=np.float64)
    numbers = np.concatenate([turn.ravel(), delta, np.array(mgh.center, dtype=np.float64)])
    usable = bool(np.isfinite(numbers).all() and np.abs(numbers).max() < 1e9 and (np.abs(delta) > 1e-9).all())
    if not mgh.is_placed or not usable or abs(np.linalg.det(turn)) < 1e-3:
        text = (
            _("The geometry of the header makes no sense (not finite, or flat) and was left out.")
            if mgh.is_placed
            else _("The header says that its geometry is not valid: the image has no place in the patient, and no spacing.")
        )
        nowhere = Geometry(shape, is_patient=False, in_plane_known=False, between_known=False)
        return nowhere, (), (text,), ()
    ras = turn * delta
    corner = np.array(mgh.center, dtype=np.float64) - ras @ (np.array(mgh.sizes[:3], dtype=np.float64) / 2)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.vstack([np.column_stack([ras, corner]), (0.0, 0.0, 0.0, 1.0)])
    said = (Note("geometry", _("The place is that of the header's middle point and directions, turned from RAS to LPS.")),)
    geometry = from_affine(lps, shape)
    if geometry is not None:
        return geometry, (), (), said
    text = _("The axes of the grid are not at right angles; the voxels were brought onto a rectangular grid (nearest voxel).")
    return shear.rectangular(lps, shape), tuple(float(c) for c in lps.ravel()), (text,), said


# --- Analyze 7.5 ---------------------------------------------------------------------------------------------------


def _analyze_order(head: bytes) -> str:
    """The byte order of an Analyze header, "" where it is none."""
    if len(head) < ANALYZE_HEADER or head[344:347] in (b"n+1", b"ni1"):
        return ""
    for order in "<>":
        size, extents = struct.unpack_from(order + "i", head)[0], struct.unpack_from(order + "i", head, 32)[0]
        (dimensions,) = struct.unpack_from(order + "h", head, 40)
        if size == ANALYZE_HEADER and (1 <= dimensions <= 7 or extents == 16384):
            return order
    return ""


def _analyze(path: Path, head: bytes, order: str) -> GridPlan:
    name = harmless(path.name)
    dim = struct.unpack_from(order + "8h", head, 40)
    (kind, _bits) = struct.unpack_from(order + "2h", head, 70)
    pixdim = struct.unpack_from(order + "8f", head, 76)
    offset, scale = struct.unpack_from(order + "2f", head, 108)
    high, low = struct.unpack_from(order + "2f", head, 124)
    if not 2 <= dim[0] <= 7:
        raise UnreadableFile(
            _("{name}: its header says it has {count} dimensions; an Analyze image has 2 to 7. The file is damaged.").format(name=name, count=dim[0])
        )
    if kind not in _ANALYZE_TYPES:
        what = {1: _("single bits"), 32: _("complex numbers")}.get(kind, _("of the type {kind}").format(kind=kind))
        raise UnsupportedFeature(_("{name}: its voxels are {what}, which is not supported in Analyze images.").format(name=name, what=what))
    dims = [*dim[1 : dim[0] + 1], 1, 1]
    dims[3:] = [n for n in dims[3:] if n != 1]
    gate.check(tuple(dims), 1, path=path)
    phases = math.prod(dims[3:])
    if not math.isfinite(offset) or offset != int(offset) or offset < 0:
        raise UnreadableFile(
            _("{name}: its voxels are said to start at byte {offset:g}, which cannot be. The file is damaged.").format(name=name, offset=offset)
        )
    samples = 3 if kind == 128 else 1
    shape = (*((phases,) if phases > 1 else ()), *dims[2::-1], *((3,) if samples == 3 else ()))
    roles: tuple[Role, ...] = ("phase", "plane", "row", "column") if phases > 1 else ("plane", "row", "column")
    data, is_gzip = _voxels_beside(path)
    is_scaled = samples == 1 and math.isfinite(scale) and scale not in (0.0, 1.0)
    description = harmless(head[148:228].split(b"\0")[0].decode("latin-1").strip())
    return GridPlan(
        reader="neuro", header=path, data=data, codec="gzip" if is_gzip else "raw", start=0 if is_gzip else int(offset),
        skip=int(offset) if is_gzip else 0, dtype=order + _ANALYZE_TYPES[kind], shape=shape,
        roles=(*roles, "sample") if samples == 3 else roles, geometry=_analyze_geometry(pixdim, (dims[2], dims[1], dims[0]), dim[0] > 2),
        slope=float(scale) if is_scaled else 1.0, notes=_analyze_notes(path, head, order, scale if is_scaled else 1.0),
        windows=(Window.between(low, high, "File"),) if math.isfinite(low) and math.isfinite(high) and high > low else (),
        warnings=(_("The file does not say where the patient is: an Analyze header cannot."),), badges=("NO GEOMETRY",),
        facts=(("Description", description),) if description else (),
    )  # fmt: skip


def _analyze_geometry(pixdim: tuple[float, ...], shape: tuple[int, int, int], has_planes: bool) -> Geometry:
    """Only the spacing is known: which side is left is a matter of who wrote the file."""
    steps = [abs(p) for p in pixdim[1:4]]
    known = [math.isfinite(p) and 1e-9 < p < 1e9 for p in steps]
    in_plane = all(known[:2])
    between = in_plane and known[2] and has_planes
    spacing = (steps[2] if between else 1.0, *((steps[1], steps[0]) if in_plane else (1.0, 1.0)))
    return Geometry(shape, spacing=spacing, is_patient=False, in_plane_known=in_plane, between_known=between)


def _analyze_notes(path: Path, head: bytes, order: str, scale: float) -> tuple[Note, ...]:
    notes = [Note("file", _("Analyze 7.5, header and voxels in two files."))]
    if scale != 1.0:
        notes.append(
            Note("values", _("Stored values were multiplied by {scale:g}, the scale factor that SPM writes into the header.").format(scale=scale))
        )
    if head[252] in _ORIENTATIONS:
        text = _("The header's orientation code {code} ({name}) was not used: programs disagree about it.")
        notes.append(Note("ignored", text.format(code=head[252], name=_(_ORIENTATIONS[head[252]]))))
    origin = struct.unpack_from(order + "3h", head, 253)
    if any(origin):
        text = _("SPM's origin at voxel {x}, {y}, {z} was not used: it says nothing about left and right.")
        notes.append(Note("ignored", text.format(x=origin[0], y=origin[1], z=origin[2])))
    side = path.with_name(f"{_stem(path)}.mat")
    if side.exists():
        notes.append(Note("ignored", _("{name} beside it (SPM's matrix) was not read.").format(name=harmless(side.name))))
    return tuple(notes)


def _stem(path: Path) -> str:
    return path.name[: -len(".hdr.gz")] if path.name.lower().endswith(".hdr.gz") else path.stem


def _voxels_beside(path: Path) -> tuple[Path, bool]:
    """The .img file and whether it is gzipped."""
    stem = _stem(path)
    there = [n for n in (f"{stem}.img", f"{stem}.img.gz", f"{stem}.IMG") if (path.parent / n).exists()]
    data = resolve(path, there[0] if there else f"{stem}.img")
    with open_regular(data) as file:
        return data, file.read(2) == b"\x1f\x8b"
