"""Volumes and masks as NIfTI, NRRD and MetaImage: our own headers, streamed plane by plane, checked before they count.

Files hold no identity: no names or dates, and no remark but the one that a caller gives.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import BadParameter, Refused
from viewer.core.geometry import Geometry
from viewer.core.volume import Volume, smallest_exact
from viewer.core.words import _, ngettext
from viewer.io import grid, metaimage, nifti, nrrd, straight
from viewer.io.gate import harmless
from viewer.io.save import save_atomic

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
# Fast: a higher level takes several times as long for a few percent.
_LEVEL = 4
_NIFTI_CODES = {"u1": 2, "i1": 256, "i2": 4, "u2": 512, "f4": 16}
_NRRD_TYPES = {"u1": "uint8", "i1": "int8", "i2": "int16", "u2": "uint16", "f4": "float"}
_META_TYPES = {"u1": "MET_UCHAR", "i1": "MET_CHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "f4": "MET_FLOAT"}


def ending_of(path: Path) -> str:
    """The format's ending of a path to write to. Raises BadParameter where it is none of `ENDINGS`."""
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return ending
    raise BadParameter(
        _("{name}: volumes and masks are written as {names}. Choose one of these endings.").format(name=harmless(path.name), names=", ".join(ENDINGS))
    )


def save_volume(path: Path, volume: Volume, *, phase: int | None = None, overwrite: bool = False, with_gaps: bool = False) -> tuple[str, ...]:
    """Write a volume's modality values; all phases (4-D) without ``phase``. Values are never inverted or windowed.

    Returns
    -------
    What was done besides, in sentences: these formats know rectangular grids only, a stack that leans or has uneven gaps is
    brought onto one. One that misses planes is refused, or with ``with_gaps`` written with empty planes in their place.

    Raises
    ------
    SaveFailed
        The file exists and ``overwrite`` is False, or could not be written.
    BadParameter
        The ending is not known, or there is no such phase.
    Refused
        Planes are missing.
    """
    data = volume.data
    if phase is not None:
        if not 0 <= phase < volume.phases:
            raise BadParameter(_("There is no phase {phase}: the series has {count}, counted from 0.").format(phase=phase, count=volume.phases))
        data = data[phase : phase + 1]
    seconds = volume.phase_seconds
    step = seconds[1] - seconds[0] if len(seconds) > 1 and phase is None else 0.0
    fill = volume.padding[0] if volume.padding is not None else None
    return save_array(
        path, smallest_exact(data), volume.geometry, is_color=volume.is_color, phase_step_s=step, overwrite=overwrite, with_gaps=with_gaps, fill=fill
    )


def save_mask(path: Path, labels: NDArray[Any], geometry: Geometry, *, overwrite: bool = False) -> tuple[str, ...]:
    """Write labels (planes, rows, columns), bool or whole numbers, as uint8, or uint16 from the 256th label on.

    Those of a stack that is no rectangular grid take the nearest voxel of the grid that its image is written on; where planes are
    missing they are 0. Returns what was done besides, in sentences.
    """
    most = int(labels.max()) if labels.size else 0
    if labels.dtype.kind not in "bui" or most > 65535 or int(labels.min()) < 0:
        raise ValueError(f"labels of {labels.dtype} up to {most}")
    kept = labels.astype(np.uint8 if most < 256 else np.uint16, copy=False)
    return save_array(path, kept, geometry, overwrite=overwrite, with_gaps=True, is_labels=True)


def save_array(
    path: Path,
    data: NDArray[Any],
    geometry: Geometry,
    *,
    is_color: bool = False,
    phase_step_s: float = 0.0,
    overwrite: bool = False,
    with_gaps: bool = False,
    is_labels: bool = False,
    fill: float | None = None,
    remark: str = "",
) -> tuple[str, ...]:
    """Write an array on a grid, and say what was done besides (see `save_volume`).

    Parameters
    ----------
    data : ([phases, ]planes, rows, columns[, 3])
        uint8, int8, uint16, int16 or float32; colour uint8.
    geometry : Geometry
        Of one phase. Spacing that is not known is written as 1.
    phase_step_s : float
        Seconds from phase to phase; 0 where that is not known.
    with_gaps : bool
        Whether a stack that misses planes may be written, with empty planes in their place. Without it that is Refused.
    is_labels : bool
        The numbers are labels: where the stack is no rectangular grid the nearest voxel is taken.
    fill : float
        Value outside of a stack that is no rectangular grid; the smallest value without it, 0 for labels.
    remark : str
        What the file says of itself, in ASCII: ``descrip`` of NIfTI (its first 79 characters), ``description`` of NRRD, ``Comment`` of MetaImage.
    """
    remark = " ".join(remark.encode("ascii", "replace").decode("ascii").split())
    data = data.astype(np.uint8) if data.dtype == np.bool_ else data
    if data.ndim == (4 if is_color else 3):
        data = data[None]
    expected = (*geometry.shape, 3) if is_color else geometry.shape
    code = data.dtype.str[1:]
    if data.shape[1:] != expected or code not in _NIFTI_CODES or (is_color and code != "u1"):
        raise ValueError(f"data of shape {data.shape}, {data.dtype} on a grid of {geometry.shape}")
    ending = ending_of(path)
    said: tuple[str, ...] = ()
    if not geometry.is_rectangular:
        missing = straight.missing_planes(geometry)
        if missing and not with_gaps:
            lost = ngettext("{count} plane of the stack is missing", "{count} planes of the stack are missing", missing)
            text = _("{name}: {missing}: a file of this kind would hide that. Ask for empty planes in their place (convert: --resample).")
            raise Refused(text.format(name=harmless(path.name), missing=lost))
        said = (straight.straightening(geometry, is_labels=is_labels),)
        data, geometry = straight.straightened_values(data, geometry, is_labels=is_labels, fill=fill, name=path.name)
    step = phase_step_s if math.isfinite(phase_step_s) and phase_step_s > 0 else 0.0
    plan_of: Callable[[Path], grid.GridPlan]
    head = b""
    if ending == ".nrrd":
        head, plan_of = _nrrd_header(data, geometry, code, is_color, step, remark), nrrd.plan_of
    elif ending == ".mha":
        plan_of = metaimage.plan_of
    else:
        head, plan_of = _nifti_header(data, geometry, code, is_color, step, remark), nifti.plan_of

    def writer(file: BinaryIO) -> None:
        if ending == ".mha":
            packed = list(_deflated(data))
            file.write(_meta_header(data, geometry, code, is_color, step, sum(map(len, packed)), remark))
            file.writelines(packed)
        elif ending == ".nii":
            file.write(head)
            file.writelines(_planes(data))
        else:
            if ending == ".nrrd":
                file.write(head)
            with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as stream:
                if ending == ".nii.gz":
                    stream.write(head)
                for piece in _planes(data):
                    stream.write(piece)

    def validate(temporary: Path) -> None:
        grid.check(plan_of(temporary))

    save_atomic(path, writer, overwrite=overwrite, validate=validate)
    return said


def _planes(data: NDArray[Any]) -> Iterator[memoryview]:
    """Bytes, little endian, a plane at a time."""
    little = data.dtype.newbyteorder("<")
    for phase in data:
        for plane in phase:
            yield np.ascontiguousarray(plane, dtype=little).reshape(-1).view(np.uint8).data


def _deflated(data: NDArray[Any]) -> Iterator[bytes]:
    stream = zlib.compressobj(_LEVEL)
    for piece in _planes(data):
        yield stream.compress(piece)
    yield stream.flush()


def _numbers(values: Any) -> str:
    return " ".join(_number(v) for v in values)


def _number(value: float) -> str:
    """As short as it can be read back exactly."""
    whole = float(value)
    return str(int(whole)) if whole == int(whole) and abs(whole) < 1e15 else repr(whole)


def _nrrd_header(data: NDArray[Any], geometry: Geometry, code: str, is_color: bool, step: float, remark: str) -> bytes:
    phases, (planes, rows, columns) = data.shape[0], geometry.shape
    is_4d = phases > 1
    sizes = [*([3] if is_color else []), columns, rows, planes, *([phases] if is_4d else [])]
    kinds = [*(["RGB-color"] if is_color else []), "domain", "domain", "domain", *(["time"] if is_4d else [])]
    lines = ["NRRD0004", f"type: {_NRRD_TYPES[code]}", f"dimension: {len(sizes)}"]
    if geometry.is_patient:
        # ITK takes a fourth axis for an image's only where it is a place in a four-dimensional space.
        more = [0.0] if is_4d else []
        vectors = [_vector([*(geometry.vector(2 - n) * geometry.spacing[2 - n]), *more]) for n in range(3)]
        vectors += [_vector([0, 0, 0, step or 1])] if is_4d else []
        lines += [
            "space: left-posterior-superior" + ("-time" if is_4d else ""),
            f"sizes: {_numbers(sizes)}",
            "space directions: " + " ".join([*(["none"] if is_color else []), *vectors]),
            f"space origin: {_vector([*geometry.origin, *more])}",
        ]
    else:
        spacings = [*(["nan"] if is_color else []), *(_number(s) for s in geometry.spacing[::-1]), *([_number(step or 1)] if is_4d else [])]
        lines += [f"sizes: {_numbers(sizes)}", "spacings: " + " ".join(spacings)]
    lines += [f"kinds: {' '.join(kinds)}", *(["endian: little"] if data.dtype.itemsize > 1 else []), "encoding: gzip"]
    lines += [*([f"description:={remark}"] if remark else []), "", ""]
    return "\n".join(lines).encode("ascii")


def _vector(values: Any) -> str:
    return "(" + ",".join(_number(v) for v in values) + ")"


def _meta_header(data: NDArray[Any], geometry: Geometry, code: str, is_color: bool, step: float, packed: int, remark: str) -> bytes:
    phases, (planes, rows, columns) = data.shape[0], geometry.shape
    count = 4 if phases > 1 else 3
    sizes = (columns, rows, planes, phases)[:count]
    spacing = (*geometry.spacing[::-1], step or 1.0)[:count]
    lines = [
        "ObjectType = Image",
        *([f"Comment = {remark}"] if remark else []),
        f"NDims = {count}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
    ]
    lines += ["CompressedData = True", f"CompressedDataSize = {packed}"]
    if geometry.is_patient:
        turn = np.eye(count)
        turn[:3, :3] = geometry.matrix.T  # each row is the direction of an axis
        lines += [f"TransformMatrix = {_numbers(turn.ravel())}", f"Offset = {_numbers((*geometry.origin, 0.0)[:count])}"]
    lines += [f"ElementSpacing = {_numbers(spacing)}", f"DimSize = {_numbers(sizes)}"]
    lines += ["ElementNumberOfChannels = 3"] if is_color else []
    lines += [f"ElementType = {_META_TYPES[code]}", "ElementDataFile = LOCAL", ""]
    return "\n".join(lines).encode("ascii")


def _nifti_header(data: NDArray[Any], geometry: Geometry, code: str, is_color: bool, step: float, remark: str) -> bytes:
    """NIfTI-1, or NIfTI-2 where a dimension is beyond 16 bits. Both forms are written, with code 1 (scanner)."""
    phases, (planes, rows, columns) = data.shape[0], geometry.shape
    dim = (4 if phases > 1 else 3, columns, rows, planes, phases, 1, 1, 1)
    affine = np.diag([-1.0, -1.0, 1.0]) @ geometry.affine[:3]
    turn = np.diag([-1.0, -1.0, 1.0]) @ geometry.matrix
    handed = -1.0 if np.linalg.det(turn) < 0 else 1.0
    b, c, d = _quaternion(turn * (1.0, 1.0, handed))
    pixdim = (handed, *geometry.spacing[::-1], step, 0.0, 0.0, 0.0)
    form = 1 if geometry.is_patient else 0
    quatern = (b, c, d, *affine[:, 3]) if form else (0.0,) * 6
    srow = tuple(affine.ravel()) if form else (0.0,) * 12
    datatype, bits = (128, 24) if is_color else (_NIFTI_CODES[code], data.dtype.itemsize * 8)
    units = 2 | (8 if step else 0)  # mm, seconds
    if max(dim) <= 32767:
        head = bytearray(352)
        struct.pack_into("<i", head, 0, 348)
        struct.pack_into("<8h", head, 40, *dim)
        struct.pack_into("<2h", head, 70, datatype, bits)
        struct.pack_into("<8f", head, 76, *pixdim)
        struct.pack_into("<3f", head, 108, 352.0, 1.0, 0.0)
        head[123] = units
        head[148:228] = remark.encode("ascii")[:79].ljust(80, b"\0")
        struct.pack_into("<2h", head, 252, form, form)
        struct.pack_into("<6f", head, 256, *quatern)
        struct.pack_into("<12f", head, 280, *srow)
        head[344:348] = b"n+1\0"
        return bytes(head)
    head = bytearray(544)
    struct.pack_into("<i8s2h8q", head, 0, 540, b"n+2\0\r\n\x1a\n", datatype, bits, *dim)
    struct.pack_into("<8dq2d", head, 104, *pixdim, 544, 1.0, 0.0)
    head[240:320] = remark.encode("ascii")[:79].ljust(80, b"\0")
    struct.pack_into("<2i", head, 344, form, form)
    struct.pack_into("<6d", head, 352, *quatern)
    struct.pack_into("<12d", head, 400, *srow)
    struct.pack_into("<i", head, 500, units)
    return bytes(head)


def _quaternion(turn: NDArray[np.float64]) -> tuple[float, float, float]:
    """b, c, d of the unit quaternion (a >= 0) of a rotation matrix; from its largest part, so that half turns are exact."""
    m = turn
    squares = np.array(
        [1 + m[0, 0] + m[1, 1] + m[2, 2], 1 + m[0, 0] - m[1, 1] - m[2, 2], 1 - m[0, 0] + m[1, 1] - m[2, 2], 1 - m[0, 0] - m[1, 1] + m[2, 2]]
    )
    largest = int(np.argmax(squares))
    q = np.zeros(4)
    q[largest] = math.sqrt(squares[largest]) / 2
    products = {
        (0, 1): m[2, 1] - m[1, 2], (0, 2): m[0, 2] - m[2, 0], (0, 3): m[1, 0] - m[0, 1],
        (1, 2): m[0, 1] + m[1, 0], (1, 3): m[0, 2] + m[2, 0], (2, 3): m[1, 2] + m[2, 1],
    }  # fmt: skip
    for other in range(4):
        if other != largest:
            q[other] = products[min(largest, other), max(largest, other)] / (4 * q[largest])
    if q[0] < 0:
        q = -q
    return float(q[1]), float(q[2]), float(q[3])
