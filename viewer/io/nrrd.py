"""NRRD, attached and detached: own header parse, one data file inside the header's folder and nowhere else."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

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

# A segmentation with hundreds of segments describes each of them in the header.
HEADER_LIMIT = 4 << 20
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES = {name: code for code, names in _TYPES.items() for name in names}
_ENCODINGS = {"raw": "raw", "txt": "text", "text": "text", "ascii": "text", "gz": "gzip", "gzip": "gzip", "bz2": "bzip2", "bzip2": "bzip2"}
# Factors that turn a space's x and y into LPS.
_SPACES = {
    "right-anterior-superior": (-1, -1), "ras": (-1, -1),
    "left-anterior-superior": (1, -1), "las": (1, -1),
    "left-posterior-superior": (1, 1), "lps": (1, 1),
}  # fmt: skip
_COLOR_KINDS = ("rgb-color", "rgba-color", "3-color", "4-color", "vector", "3-vector", "4-vector")
_UNITS = {"mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001, "micron": 0.001, "microns": 0.001}


def looks_like(head: bytes) -> bool:
    """Whether the first bytes are NRRD's."""
    return head[:7] == b"NRRD000" and head[7:8].isdigit()


def plan_of(path: Path) -> GridPlan:
    """What an NRRD header promises. Raises UnreadableFile or UnsupportedFeature; no data file is opened."""
    name = harmless(path.name)
    fields, end = _fields(path)
    sizes = _whole_numbers(fields, "sizes", name)
    if len(sizes) != _one(fields, "dimension", name):
        raise UnreadableFile(_('{name}: "sizes" and "dimension" of its header contradict each other. The file is damaged.').format(name=name))
    if len(sizes) > 16:
        raise UnsupportedFeature(_("{name}: it has {count} dimensions, which is more than can be shown.").format(name=name, count=len(sizes)))
    if len(sizes) == 1:
        raise UnsupportedFeature(_("{name}: it holds a row of numbers (one dimension), which is no picture and no volume.").format(name=name))
    code = _CODES.get(fields.get("type", "").lower())
    codec = _ENCODINGS.get(fields.get("encoding", "").lower())
    if code is None or codec is None:
        what = (
            _('type "{kind}"').format(kind=harmless(fields.get("type", "")))
            if code is None
            else _('encoding "{kind}"').format(kind=harmless(fields.get("encoding", "")))
        )
        raise UnsupportedFeature(_("{name}: the {what} of its header is not supported.").format(name=name, what=what))
    gate.check(sizes, 1, path=path)
    warnings: list[str] = []
    roles, geometry, sheared = _layout(fields, sizes, code, name, warnings)
    data, start, skip = _place_of_data(path, fields, end, codec, math.prod(sizes) * np.dtype(code).itemsize)
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower(), "<")
    if np.dtype(code).itemsize > 1 and codec != "text" and fields.get("endian", "").lower() not in ("little", "big"):
        warnings.append(_("The header does not give the byte order; little endian is assumed."))
    if "sample" in roles and sizes[roles.index("sample")] == 4:
        warnings.append(_("The transparency of the colours is left out."))
    shape, stored_roles = sizes[::-1], roles[::-1]
    if "plane" not in roles:
        # a picture: one plane, the slowest place is as good as any
        shape, stored_roles = (1, *shape), ("plane", *stored_roles)
    badges = ("RESAMPLED",) if sheared else () if geometry.is_patient else ("NO GEOMETRY",)
    return GridPlan(
        reader="nrrd", header=path, data=data, codec=cast(Any, codec), start=start, skip=skip, dtype=order + code,
        shape=shape, roles=stored_roles, geometry=geometry, sheared=sheared, warnings=tuple(warnings), badges=badges,
        notes=_notes(fields, geometry),
    )  # fmt: skip


def _notes(fields: dict[str, str], geometry: Geometry) -> tuple[Note, ...]:
    found = [Note("file", _("NRRD, header and voxels in two files.") if fields.keys() & {"data file", "datafile"} else _("NRRD, one file."))]
    space = harmless(fields.get("space", ""))
    if geometry.is_patient:
        found.append(Note("geometry", _("The place is that of the header's space, {space}, in LPS.").format(space=space)))
    elif space:
        found.append(Note("ignored", _("The header's space, {space}, was not used.").format(space=space)))
    return tuple(found)


def scan(files: list[Path], *, progress: Progress | None = None) -> Listing:
    """Each file is one series."""
    return grid.scan_each(files, plan_of, progress)


load, load_plane = grid.load, grid.load_plane


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's fields (names in lower case; key:=value pairs are comments to us) and the byte after the header."""
    name = harmless(path.name)
    fields: dict[str, str] = {}
    with open_regular(path) as file:
        if not looks_like(file.readline(80)):
            raise UnreadableFile(_("{name}: it does not start as an NRRD file does.").format(name=name))
        while line := file.readline(HEADER_LIMIT):
            if file.tell() > HEADER_LIMIT:
                raise UnreadableFile(_("{name}: its header has no end. The file is damaged.").format(name=name))
            text = line.decode("utf-8", "replace").strip("\r\n")
            if not text.strip():
                break
            if text.startswith("#") or ":=" in text.split(": ")[0]:
                continue
            key, colon, value = text.partition(":")
            if not colon:
                raise UnreadableFile(
                    _('{name}: a line of its header is not understood: "{text}". The file is damaged.').format(name=name, text=harmless(text[:60]))
                )
            fields.setdefault(key.strip().lower(), value.strip())
            if key.strip().lower() in ("data file", "datafile") and value.strip().upper().startswith("LIST"):
                break  # what follows are names, which are never opened
        return fields, file.tell()


def _whole_numbers(fields: dict[str, str], key: str, name: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in fields[key].split())
    except KeyError:
        raise UnreadableFile(_('{name}: its header has no "{key}". The file is damaged.').format(name=name, key=key)) from None
    except ValueError:
        raise UnreadableFile(
            _('{name}: "{key}: {text}" of its header is not understood. The file is damaged.').format(
                name=name, key=key, text=harmless(fields[key][:60])
            )
        ) from None


def _one(fields: dict[str, str], key: str, name: str) -> int:
    numbers = _whole_numbers(fields, key, name)
    if len(numbers) != 1:
        raise UnreadableFile(_('{name}: "{key}" of its header is not one number. The file is damaged.').format(name=name, key=key))
    return numbers[0]


def _place_of_data(path: Path, fields: dict[str, str], end: int, codec: str, needed: int) -> tuple[Path, int, int]:
    """File, bytes before the data (or compressed stream), bytes to leave out of the inflated stream."""
    name = harmless(path.name)
    named = fields.get("data file", fields.get("datafile"))
    data, start = path, end
    if named is not None:
        if named.upper().startswith("LIST") or re.search(r"%\d*[du]", named):
            raise UnsupportedFeature(
                _("{name}: its voxels are spread over several files, which is not supported. Save it as one file.").format(name=name)
            )
        data, start = resolve(path, named), 0
    lines = _one(fields, "line skip", name) if "line skip" in fields else _one(fields, "lineskip", name) if "lineskip" in fields else 0
    skip = _one(fields, "byte skip", name) if "byte skip" in fields else _one(fields, "byteskip", name) if "byteskip" in fields else 0
    if lines < 0 or skip < -1 or lines > 1_000_000:
        raise UnreadableFile(_('{name}: "line skip" or "byte skip" of its header cannot be. The file is damaged.').format(name=name))
    with open_regular(data) as file:
        size = file.seek(0, 2)
        file.seek(start)
        for _line in range(lines):
            if not file.readline(1 << 20):
                raise UnreadableFile(_("{data}: it ends before its voxels start. The file is cut short.").format(data=harmless(data.name)))
        start = file.tell()
        if skip == -1:
            if codec == "raw":
                return data, max(0, size - needed), 0
            if codec != "gzip" or size < 18:
                raise UnsupportedFeature(_('{name}: "byte skip: -1" with this encoding is not supported.').format(name=name))
            file.seek(-4, 2)  # gzip's trailer holds the inflated length
            return data, start, max(0, int.from_bytes(file.read(4), "little") - needed)
    return (data, start + skip, 0) if codec in ("raw", "text") else (data, start, skip)


def _layout(
    fields: dict[str, str], sizes: tuple[int, ...], code: str, name: str, warnings: list[str]
) -> tuple[tuple[Role, ...], Geometry, tuple[float, ...]]:
    """Roles of the axes (fastest first), geometry, and the affine where the grid is sheared."""
    count = len(sizes)
    directions = _directions(fields, count, name)
    kinds = [kind.lower() for kind in fields.get("kinds", "").split()] or ["???"] * count
    if len(kinds) != count:
        raise UnreadableFile(_('{name}: "kinds" of its header does not name {count} axes. The file is damaged.').format(name=name, count=count))
    if directions is not None:
        spatial = [axis for axis, vector in enumerate(directions) if vector is not None and not _is_time(vector, kinds[axis])]
    else:
        spatial = [axis for axis, kind in enumerate(kinds) if kind in ("domain", "space", "???", "none")]
    if len(spatial) > 3:  # ITK writes four-dimensional images as four domains: the slowest is no place
        spatial = spatial[:3]
    if len(spatial) < 2:
        raise UnsupportedFeature(_("{name}: it has {count} axis in space, which is no picture and no volume.").format(name=name, count=len(spatial)))
    roles: list[Role] = ["phase"] * count
    for axis, role in zip(spatial, ("column", "row", "plane"), strict=False):
        roles[axis] = cast(Role, role)
    others = [axis for axis in range(count) if roles[axis] == "phase"]
    if 0 in others and kinds[0] in _COLOR_KINDS and sizes[0] in (3, 4) and code == "u1":
        roles[0] = "sample"
    if sum(1 for axis in others if roles[axis] == "phase" and sizes[axis] > 1) > 1:
        warnings.append(_("The file has more than four dimensions; all beyond the third are shown as phases."))
    grid_shape = (sizes[spatial[2]] if len(spatial) == 3 else 1, sizes[spatial[1]], sizes[spatial[0]])
    geometry, sheared = _geometry(fields, grid_shape, spatial, directions, name, warnings)
    return tuple(roles), geometry, sheared


def _is_time(vector: NDArray[np.float64], kind: str) -> bool:
    return kind == "time" or (len(vector) == 4 and not vector[:3].any() and bool(vector[3]))


def _directions(fields: dict[str, str], count: int, name: str) -> list[NDArray[np.float64] | None] | None:
    text = fields.get("space directions")
    if text is None:
        return None
    words = re.findall(r"none|\([^()]*\)", text, re.IGNORECASE)
    if len(words) != count:
        raise UnreadableFile(
            _('{name}: "space directions" of its header does not name {count} axes. The file is damaged.').format(name=name, count=count)
        )
    return [None if word.lower() == "none" else _vector(word, name) for word in words]


def _vector(text: str, name: str) -> NDArray[np.float64]:
    try:
        return np.array([float(part) for part in text.strip().strip("()").split(",")])
    except ValueError:
        raise UnreadableFile(
            _('{name}: the vector "{text}" of its header is not understood. The file is damaged.').format(name=name, text=harmless(text[:60]))
        ) from None


def _geometry(
    fields: dict[str, str],
    shape: Index,
    spatial: list[int],
    directions: list[NDArray[np.float64] | None] | None,
    name: str,
    warnings: list[str],
) -> tuple[Geometry, tuple[float, ...]]:
    space = fields.get("space", "").lower().removesuffix("-time")
    space = space[:3] if len(space) == 4 and space[3] == "t" else space
    if directions is None:
        return _own_frame(shape, _spacings(fields, spatial, name), warnings, _("The file does not say where the patient is.")), ()
    vectors = [cast(NDArray[np.float64], directions[axis])[:3] for axis in spatial]
    lengths = [float(np.linalg.norm(vector)) for vector in vectors]
    origin = _vector(fields["space origin"], name)[:3] if "space origin" in fields else np.zeros(3)
    units = [word.strip('"').lower() for word in re.findall(r'"[^"]*"', fields.get("space units", ""))]
    scale = _UNITS.get(units[0], 1.0) if units else 1.0
    if units and units[0] not in _UNITS and units[0]:
        warnings.append(_('The unit "{unit}" of the header is not known; mm is assumed.').format(unit=harmless(units[0])))
    if space not in _SPACES:
        known = [length * scale if math.isfinite(length) and length > 0 else None for length in lengths]
        return _own_frame(shape, known, warnings, _("The file does not name the patient's axes (no space).")), ()
    usable = all(len(v) == 3 and np.isfinite(v).all() for v in (*vectors, origin)) and all(1e-9 < length < 1e9 for length in lengths)
    if usable and len(vectors) == 2:
        normal = np.cross(vectors[0], vectors[1])
        usable = bool(np.linalg.norm(normal) > 0)
        vectors.append(normal / max(float(np.linalg.norm(normal)), 1e-300) / scale)
    if usable:
        steps = np.column_stack(vectors)
        usable = abs(np.linalg.det(steps / np.linalg.norm(steps, axis=0))) > 1e-3
    if not usable:
        return _own_frame(shape, [], warnings, _("The geometry in the header is no geometry (not finite, or flat) and was left out.")), ()
    x, y = _SPACES[space]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = steps * scale, origin * scale
    affine = np.diag([x, y, 1.0, 1.0]) @ affine
    geometry = from_affine(affine, shape, between_known=len(spatial) == 3)
    if geometry is not None:
        return geometry, ()
    warnings.append(_("The axes of the grid are not at right angles; the voxels were brought onto a rectangular grid (nearest voxel)."))
    return shear.rectangular(affine, shape), tuple(float(c) for c in affine.ravel())


def _spacings(fields: dict[str, str], spatial: list[int], name: str) -> list[float | None]:
    words = fields.get("spacings", "").split()
    found: list[float | None] = []
    for axis in spatial:
        try:
            value = abs(float(words[axis]))
        except (IndexError, ValueError):
            value = math.nan
        found.append(value if math.isfinite(value) and value > 0 else None)
    return found


def _own_frame(shape: Index, spacings: list[float | None], warnings: list[str], why: str) -> Geometry:
    """A grid without a patient: spacings are column, row[, plane], as far as they are known."""
    warnings.append(why)
    column, row, plane = (*spacings, None, None, None)[:3]
    if column is None or row is None:
        return Geometry(shape, is_patient=False, in_plane_known=False, between_known=False)
    return Geometry(shape, spacing=(plane or 1.0, row, column), is_patient=False, between_known=plane is not None)
