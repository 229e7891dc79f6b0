"""Siemens mosaics: the planes of a stack as tiles of one picture, cut apart and put where they belong (CONVENTIONS D52)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from viewer.core import memory
from viewer.core.geometry import Geometry, Triple
from viewer.core.provenance import Note
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.io.dicom import elements
from viewer.io.dicom.csa import BadHeader, read_csa
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.frames import Frame

_MOST_TILES = 4096
_PARALLEL = 1e-3
CSA_IMAGE_HEADER = 0x00291010


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How a picture of tiles is cut: ``side`` x ``side`` tiles, of which the first ``tiles`` are planes, row by row."""

    tiles: int
    side: int
    rows: int
    columns: int
    """Of a tile."""
    distance: float
    """Between planes, mm; 1 where the file does not say."""
    is_distance_known: bool
    runs_back: bool
    """Whether the tiles run against row x column: the first tile is then the last plane."""


def is_mosaic(image_type: Sequence[str]) -> bool:
    """Whether the image type says so."""
    return "MOSAIC" in image_type


def read_mosaic(dataset: Dataset, frame: Frame, rows: int, columns: int) -> Mosaic | str:
    """How to cut a mosaic, or in words why it cannot be cut."""
    csa, problem = _csa(dataset)
    number = _private_count(dataset) or _whole(csa.get("NumberOfImagesInMosaic", ()))
    if number is None:
        return problem or _("the number of its tiles is not given")
    if not 1 <= number <= _MOST_TILES:
        return _("{number} tiles cannot be").format(number=number)
    side = math.ceil(math.sqrt(number))
    if rows % side or columns % side:
        text = _("{rows} rows and {columns} columns cannot be cut into {side} x {side} tiles")
        return text.format(rows=rows, columns=columns, side=side)
    if frame.orientation is None or frame.position is None or frame.spacing is None:
        return _("its position, orientation or pixel spacing is missing")
    normal = _vector(csa.get("SliceNormalVector", ()))
    if normal is None:
        return problem or _("the direction of its planes (SliceNormalVector) is not given")
    turn = float(np.dot(normal, np.cross(frame.orientation[:3], frame.orientation[3:])))
    if abs(abs(turn) - 1) > _PARALLEL:
        return _("the direction of its planes (SliceNormalVector) is not at right angles to them")
    distance = elements.number(dataset, 0x00180088) or elements.number(dataset, 0x00180050) or 0.0
    is_known = math.isfinite(distance) and 0 < abs(distance) < 1e4
    return Mosaic(number, side, rows // side, columns // side, abs(distance) if is_known else 1.0, is_known, turn < 0)


def tiled_geometry(mosaic: Mosaic, frame: Frame, frame_uid: str) -> Geometry:
    """The grid of the planes. The file's position is that of a picture as large as the mosaic around the same centre (D52)."""
    assert frame.orientation is not None
    assert frame.position is not None
    assert frame.spacing is not None
    row, column = np.asarray(frame.orientation[:3]), np.asarray(frame.orientation[3:])
    normal = np.cross(row, column)
    between_rows, between_columns = frame.spacing
    origin = np.asarray(frame.position, dtype=np.float64)
    origin = origin + row * between_columns * (mosaic.side - 1) * mosaic.columns / 2 + column * between_rows * (mosaic.side - 1) * mosaic.rows / 2
    if mosaic.runs_back:
        origin = origin - normal * mosaic.distance * (mosaic.tiles - 1)
    first: Triple = (float(origin[0]), float(origin[1]), float(origin[2]))
    return Geometry(
        (mosaic.tiles, mosaic.rows, mosaic.columns),
        first,
        (mosaic.distance, between_rows, between_columns),
        tuple(float(c) for c in np.stack([row, column, normal], axis=1).ravel()),
        between_known=mosaic.is_distance_known,
        frame_uid=frame_uid,
    )


def mosaic_notes(mosaic: Mosaic) -> tuple[Note, ...]:
    """What was done, with numbers."""
    text = _("Each picture is a mosaic of {side} x {side} tiles; its {tiles} planes of {rows} x {columns} pixels were cut apart.")
    way = _("against") if mosaic.runs_back else _("along")
    more = _("The planes run {way} row x column (SliceNormalVector), {distance:.4g} mm apart (Spacing Between Slices, else Slice Thickness).")
    return (
        Note("geometry", text.format(side=mosaic.side, tiles=mosaic.tiles, rows=mosaic.rows, columns=mosaic.columns)),
        Note("geometry", more.format(way=way, distance=mosaic.distance)),
    )


def not_cut(reason: str) -> str:
    """The warning of a mosaic that is shown as one picture."""
    return _("it is a mosaic of planes that is shown as one picture: {reason}").format(reason=reason)


def cut(volume: Volume, mosaic: Mosaic, geometry: Geometry) -> Volume:
    """The volume of the planes, of one of mosaics (phases, 1, rows, columns[, 3])."""
    shape = (volume.phases, *geometry.shape, *volume.data.shape[4:])
    data = memory.allocate(shape, volume.data.dtype)
    for plane in range(mosaic.tiles):
        data[:, plane] = volume.data[:, 0, *_box(mosaic, plane)]
    return replace(volume, data=data, geometry=geometry, kind="volume", plane_windows=(), graphics=(), shutter=None)


def cut_plane(volume: Volume, mosaic: Mosaic, geometry: Geometry, plane: int) -> Volume:
    """One plane of a mosaic (1, 1, rows, columns[, 3]) in its place."""
    data = np.ascontiguousarray(volume.data[:, :, *_box(mosaic, plane)])
    place = geometry.cropped((plane, 0, 0), (1, *geometry.shape[1:]))
    return replace(volume, data=data, geometry=place, kind="image", plane_windows=(), graphics=(), shutter=None)


def _box(mosaic: Mosaic, plane: int) -> tuple[slice, slice]:
    tile = mosaic.tiles - 1 - plane if mosaic.runs_back else plane
    down, across = divmod(tile, mosaic.side)
    return slice(down * mosaic.rows, (down + 1) * mosaic.rows), slice(across * mosaic.columns, (across + 1) * mosaic.columns)


def _csa(dataset: Dataset) -> tuple[dict[str, tuple[str, ...]], str]:
    data = elements.raw_bytes(dataset, CSA_IMAGE_HEADER)
    if not data:
        return {}, _("its private header (0029,1010) is missing")
    try:
        return read_csa(data), ""
    except BadHeader:
        return {}, _("its private header (0029,1010) is damaged")


def _private_count(dataset: Dataset) -> int | None:
    """(0019,100A): an unsigned short, of unknown representation in implicit files."""
    data = elements.raw_bytes(dataset, 0x0019100A)
    if len(data) == 2:
        found = elements.shorts(dataset, 0x0019100A)
        return found[0] if found else None
    return elements.integer(dataset, 0x0019100A)


def _whole(texts: Sequence[str]) -> int | None:
    return int(texts[0]) if texts and texts[0].isascii() and texts[0].isdigit() and len(texts[0]) < 8 else None


def _vector(texts: Sequence[str]) -> Triple | None:
    try:
        found = [float(t) for t in texts]
    except ValueError:
        return None
    if len(found) != 3 or not all(math.isfinite(c) for c in found) or not 0.9 < math.hypot(*found) < 1.1:
        return None
    length = math.hypot(*found)
    return (found[0] / length, found[1] / length, found[2] / length)
