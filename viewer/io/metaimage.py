"""MetaImage (.mha, .mhd): own header parse, one data file inside the header's folder and nowhere else."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, cast

import numpy as np

from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.core.geometry import Geometry, Index
from viewer.core.provenance import Note
from viewer.core.words import _
from viewer.io import gate, grid, shear
from viewer.io.affine import from_affine
from viewer.io.beside import open_regular, resolve
from viewer.io.gate import harmless
from viewer.io.grid import GridPlan, Role
from viewer.io.series import Listing, Progress

HEADER_LIMIT = 1 << 20
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_FIRST = re.compile(rb"\s*(ObjectType|NDims|Comment|ObjectSubType|TransformType|ID|Name|BinaryData|DimSize)\s*=", re.IGNORECASE)


def looks_like(head: bytes) -> bool:
    """Whether the first bytes (4096 are enough) are the text header of a MetaImage."""
    return bool(_FIRST.match(head)) and re.search(rb"(?im)^\s*(NDims|DimSize)\s*=", head) is not None


def plan_of(path: Path) -> GridPlan:
    """What a MetaImage header promises. Raises UnreadableFile or UnsupportedFeature; no data file is opened."""
    name = harmless(path.name)
    fields, end = _fields(path, name)
    if fields.get("objecttype", "image").lower() != "image":
        raise UnsupportedFeature(
            _('{name}: it is a MetaIO object of the kind "{kind}", not an image.').format(name=name, kind=harmless(fields["objecttype"]))
        )
    sizes = tuple(int(n) if n == int(n) else 0 for n in _numbers(fields, "DimSize", name))
    count = _numbers(fields, "NDims", name)
    if len(count) != 1 or len(sizes) != count[0]:
        raise UnreadableFile(_('{name}: "DimSize" and "NDims" of its header contradict each other. The file is damaged.').format(name=name))
    if not 2 <= len(sizes) <= 5:
        raise UnsupportedFeature(_("{name}: it has {count} dimensions; 2 to 5 can be shown.").format(name=name, count=len(sizes)))
    code = _TYPES.get(fields.get("elementtype", "").upper().removesuffix("_ARRAY"))
    if code is None:
        raise UnsupportedFeature(
            _('{name}: the ElementType "{kind}" of its header is not supported.').format(name=name, kind=harmless(fields.get("elementtype", "")))
        )
    channels = int(_numbers(fields, "ElementNumberOfChannels", name)[0]) if "elementnumberofchannels" in fields else 1
    gate.check((*sizes, channels), 1, path=path)
    warnings: list[str] = []
    grid_shape = (sizes[2] if len(sizes) > 2 else 1, sizes[1], sizes[0])
    roles: tuple[Role, ...] = (*cast(tuple[Role, ...], ("phase",) * len(sizes[3:])), "plane", "row", "column")
    shape: tuple[int, ...] = (*sizes[:2:-1], *grid_shape)
    if channels > 1:
        is_color = channels in (3, 4) and code == "u1"
        shape, roles = (*shape, channels), (*roles, "sample" if is_color else "phase")
        if channels == 4 and is_color:
            warnings.append(_("The transparency of the colours is left out."))
    geometry, sheared = _geometry(fields, grid_shape, len(sizes), name, warnings)
    data, codec, start = _place_of_data(path, fields, end, name, math.prod(shape) * np.dtype(code).itemsize)
    msb = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "false"))
    return GridPlan(
        reader="metaimage", header=path, data=data, codec=cast(Any, codec), start=start, skip=0,
        dtype=(">" if _is_true(msb) else "<") + code, shape=shape, roles=roles, geometry=geometry, sheared=sheared,
        warnings=tuple(warnings), badges=("RESAMPLED",) if sheared else () if geometry.is_patient else ("NO GEOMETRY",),
        notes=(Note("file", _("MetaImage, one file.") if data == path else _("MetaImage, header and voxels in two files.")),),
    )  # fmt: skip


def scan(files: list[Path], *, progress: Progress | None = None) -> Listing:
    """Each file is one series."""
    return grid.scan_each(files, plan_of, progress)


load, load_plane = grid.load, grid.load_plane


def _fields(path: Path, name: str) -> tuple[dict[str, str], int]:
    """The header's fields, names in lower case, and the byte after its last line, ElementDataFile."""
    fields: dict[str, str] = {}
    with open_regular(path) as file:
        while line := file.readline(65536):
            if file.tell() > HEADER_LIMIT:
                break
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if not equals:
                if key.strip():
                    raise UnreadableFile(
                        _('{name}: a line of its header is not understood: "{text}". The file is damaged.').format(
                            name=name, text=harmless(key.strip()[:60])
                        )
                    )
                continue
            fields.setdefault(key.strip().lower(), value.strip())
            if key.strip().lower() == "elementdatafile":
                return fields, file.tell()
    raise UnreadableFile(_("{name}: its header names no ElementDataFile. The file is cut short or damaged.").format(name=name))


def _numbers(fields: dict[str, str], key: str, name: str) -> list[float]:
    try:
        numbers = [float(word) for word in fields[key.lower()].split()]
    except (KeyError, ValueError):
        raise UnreadableFile(_('{name}: its header has no "{key}" that is understood. The file is damaged.').format(name=name, key=key)) from None
    if not numbers or (key in ("DimSize", "NDims", "ElementNumberOfChannels", "HeaderSize") and not all(math.isfinite(n) for n in numbers)):
        raise UnreadableFile(_('{name}: "{key}" of its header is no number. The file is damaged.').format(name=name, key=key))
    return numbers


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "t", "yes")


def _place_of_data(path: Path, fields: dict[str, str], end: int, name: str, needed: int) -> tuple[Path, str, int]:
    named = fields["elementdatafile"]
    data, start = path, end
    if named.upper() not in ("LOCAL",):
        if named.upper().startswith("LIST") or "%" in named:
            raise UnsupportedFeature(
                _("{name}: its voxels are spread over several files, which is not supported. Save it as one file.").format(name=name)
            )
        data, start = resolve(path, named), 0
    if not _is_true(fields.get("binarydata", "true")):
        return data, "text", start
    compressed = _is_true(fields.get("compresseddata", "false"))
    with open_regular(data) as file:
        size = file.seek(0, 2)
    header = int(_numbers(fields, "HeaderSize", name)[0]) if "headersize" in fields else 0
    if header == -1 and not compressed:
        start = max(0, size - needed)
    elif header < 0:
        raise UnreadableFile(_('{name}: "HeaderSize" of its header cannot be. The file is damaged.').format(name=name))
    else:
        start += header
    if compressed and "compresseddatasize" in fields and start + _numbers(fields, "CompressedDataSize", name)[0] > size:
        raise UnreadableFile(_("{data}: it is shorter than its compressed data should be. The file is cut short.").format(data=harmless(data.name)))
    return data, "zlib" if compressed else "raw", start


def _geometry(fields: dict[str, str], shape: Index, count: int, name: str, warnings: list[str]) -> tuple[Geometry, tuple[float, ...]]:
    spacing = next((_numbers(fields, key, name) for key in ("elementspacing", "elementsize") if key in fields), [])
    known = len(spacing) >= 2 and all(math.isfinite(s) and 0 < abs(s) < 1e9 for s in spacing[:3])
    if spacing and not known:
        warnings.append(_("The spacing in the header is no spacing; it counts as unknown."))
    if known and any(s < 0 for s in spacing[:3]):
        warnings.append(_("The spacing in the header is negative; its amount is used."))
    steps = [abs(s) for s in spacing[:3]] if known else [1.0, 1.0, 1.0]
    steps += [1.0] * (3 - len(steps))
    between = known and len(spacing) > 2
    own = Geometry(shape, spacing=(steps[2], steps[1], steps[0]), is_patient=False, in_plane_known=known, between_known=between)
    turn_key = next((key for key in ("transformmatrix", "orientation", "rotation") if key in fields), None)
    origin_key = next((key for key in ("offset", "position", "origin") if key in fields), None)
    if count < 3 or (turn_key is None and origin_key is None):
        warnings.append(_("The file does not say where the patient is."))
        return own, ()
    turn = np.array(_numbers(fields, turn_key, name)) if turn_key else np.eye(count).ravel()
    origin = np.array(_numbers(fields, origin_key, name)) if origin_key else np.zeros(count)
    affine = np.eye(4)
    usable = turn.size == count * count and origin.size == count and bool(np.isfinite(turn).all() and np.isfinite(origin).all())
    if usable:
        axes = turn.reshape(count, count)[:3, :3].T  # F03: each row is the direction of an axis
        lengths = np.linalg.norm(axes, axis=0)
        usable = bool((lengths > 1e-9).all() and (lengths < 1e9).all()) and abs(float(np.linalg.det(axes / lengths))) > 1e-3
    if not usable:
        warnings.append(_("The orientation in the header is no orientation (not finite, or flat) and was left out."))
        return own, ()
    affine[:3, :3], affine[:3, 3] = axes / lengths * steps, origin[:3]
    geometry = from_affine(affine, shape, between_known=between)
    if geometry is None:
        warnings.append(_("The axes of the grid are not at right angles; the voxels were brought onto a rectangular grid (nearest voxel)."))
        return shear.rectangular(affine, shape), tuple(float(c) for c in affine.ravel())
    if not known:
        geometry = Geometry(shape, geometry.origin, geometry.spacing, geometry.direction, True, False, False)
    return geometry, ()
