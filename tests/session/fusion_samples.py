"""A CT and a PET of made values on different grids, each voxel of which holds its own place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from viewer.core.alignment import Alignment, Method, alignment_id
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.volume import Identity, Volume
from viewer.session.document import Document

FRAME = "1.2.840.1"
CT_GRID = Geometry((12, 40, 50), (-24.0, -19.0, -40.0), (3.0, 1.0, 1.0), frame_uid=FRAME)
_TURN = np.linalg.qr(np.array([[1.0, 0.1, 0.05], [-0.1, 1.0, 0.2], [-0.05, -0.2, 1.0]]))[0]
_TURN *= np.sign(np.diag(_TURN))  # columns nearly along x, y and z
PET_GRID = Geometry((14, 16, 20), (-36.0, -28.0, -46.0), (4.0, 4.0, 4.0), tuple(float(c) for c in _TURN.ravel()), frame_uid=FRAME)


def along(geometry: Geometry, axis: int, slope: float = 1.0) -> np.ndarray:
    """Values that are the places themselves: ``slope`` times x, y or z of each voxel (float32)."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    return np.asarray(slope * geometry.to_patient(index)[..., axis], dtype=np.float32)


def ct(values: Any = None, *, geometry: Geometry = CT_GRID, **changes: Any) -> Volume:
    data = np.zeros(geometry.shape, np.int16) if values is None else np.asarray(values)
    who = Identity(modality="CT", patient_id="P1", series_description="CT chest")
    return replace(Volume(new_id("volume"), data[None], geometry, unit="HU", identity=who), **changes)


def pet(values: Any = None, *, geometry: Geometry = PET_GRID, **changes: Any) -> Volume:
    data = along(geometry, 0) if values is None else np.asarray(values)
    who = Identity(modality="PT", patient_id="P1", series_description="PET AC")
    return replace(Volume(new_id("volume"), data[None], geometry, unit="SUVbw", identity=who), **changes)


def opened(*volumes: Volume) -> Document:
    document = Document()
    for volume in volumes:
        document.add_source(volume)
    return document


def aligned(fixed: Volume, moving: Volume, matrix: tuple[float, ...], method: Method = "hand") -> Alignment:
    frames = fixed.geometry.frame_uid, moving.geometry.frame_uid
    return Alignment(alignment_id(fixed.id, moving.id), fixed.id, moving.id, matrix, method, *frames)
