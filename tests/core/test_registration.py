"""Rigid registration: a known move of a real head comes back; what cannot be aligned says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.alignment import SAME_PLACE, as_array, chained, degrees_of, distance_of, inverse, moved, rigid, turned_about
from viewer.core.errors import OperationCancelled, Refused
from viewer.core.geometry import Geometry
from viewer.core.registration import register_rigid
from viewer.core.volume import Volume
from viewer.io import open as io_open

SHIFT = np.array((4.0, -7.0, 5.916))  # 10 mm
AXIS = (0.3, 0.5, 0.81)


def read_head(shared_data: Path, pool: Any) -> Volume:
    (entry,) = io_open.find([shared_data / "mr_head_t1"]).series
    return io_open.load(entry, pool=pool)


def displacement(geometry: Geometry) -> tuple[tuple[float, ...], np.ndarray]:
    """10 mm and 8 degrees about the middle of the image."""
    assert float(np.linalg.norm(SHIFT)) == pytest.approx(10.0, abs=1e-3)
    middle = geometry.to_patient((np.asarray(geometry.shape) - 1) / 2)
    return chained(turned_about(AXIS, 8.0, middle), rigid(shift=SHIFT)), middle


def test_10_mm_and_8_degrees_come_back_within_half_a_mm_and_half_a_degree(shared_data: Path, inline_pool: Any) -> None:
    head = read_head(shared_data, inline_pool)
    geometry = head.geometry
    away, middle = displacement(geometry)
    # The same voxels, said to lie elsewhere.
    direction = tuple(float(d) for d in (as_array(away)[:3, :3] @ geometry.matrix).ravel())
    x, y, z = (float(c) for c in moved(away, geometry.origin))
    elsewhere = replace(geometry, origin=(x, y, z), direction=direction, frame_uid="1.2.3")
    found = register_rigid(head.values, geometry, head.values, elsewhere)
    left = chained(away, found.matrix)
    assert distance_of(left, middle) < 0.5 and degrees_of(left) < 0.5
    assert found.value > found.start_value


def test_they_come_back_from_values_that_simpleitk_resampled_inverted_and_made_noisy(shared_data: Path, inline_pool: Any) -> None:
    head = read_head(shared_data, inline_pool)
    geometry = head.geometry
    away, middle = displacement(geometry)
    image = sitk.GetImageFromArray(head.values)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    back = sitk.AffineTransform(3)
    matrix = as_array(inverse(away))
    back.SetMatrix(matrix[:3, :3].ravel())
    back.SetTranslation(matrix[:3, 3])
    there = sitk.GetArrayFromImage(sitk.Resample(image, image, back, sitk.sitkLinear, 0.0, sitk.sitkFloat32))
    other = (200 - there + np.random.default_rng(1).normal(scale=3, size=there.shape)).astype(np.float32)
    found = register_rigid(head.values, geometry, other, geometry)
    left = chained(away, found.matrix)
    assert distance_of(left, middle) < 0.5 and degrees_of(left) < 0.5


def blob(shape: tuple[int, int, int] = (20, 24, 22)) -> np.ndarray:
    k, j, i = np.indices(shape)
    return (1000 * np.exp(-(((k - 9) / 4) ** 2 + ((j - 14) / 5) ** 2 + ((i - 8) / 3) ** 2))).astype(np.float32)


def test_what_lies_right_stays_where_it_is() -> None:
    grid = Geometry((20, 24, 22), spacing=(2.0, 1.0, 1.5))
    found = register_rigid(blob(), grid, blob(), grid, start=SAME_PLACE)
    assert distance_of(found.matrix, grid.to_patient((9, 14, 8))) < 0.1
    assert found.value >= found.start_value


def test_padding_does_not_pull() -> None:
    # The same blob in frames that are padded on opposite sides: by the padding alone they would slide apart.
    grid = Geometry((20, 24, 22), spacing=(2.0, 1.0, 1.5))
    left, right = blob(), blob()
    left[:, :, 17:], right[:, :3] = -3000, -3000
    found = register_rigid(left, grid, right, grid, start=rigid(shift=(2.0, -2.0, 1.0)), fixed_padding=(-3000, -3000), moving_padding=(-3000, -3000))
    assert distance_of(found.matrix, grid.to_patient((9, 14, 8))) < 0.5


def test_a_cancel_ends_it(shared_data: Path, inline_pool: Any) -> None:
    head = read_head(shared_data, inline_pool)

    def stop(fraction: float, text: str = "") -> None:
        if fraction > 0.06:
            raise OperationCancelled("Cancelled.")

    with pytest.raises(OperationCancelled):
        register_rigid(head.values, head.geometry, head.values, head.geometry, progress=stop)


def test_what_cannot_be_aligned_says_why() -> None:
    grid = Geometry((20, 24, 22))
    with pytest.raises(Refused, match="four planes"):
        register_rigid(blob()[:1], replace(grid, shape=(1, 24, 22)), blob(), grid)
    with pytest.raises(Refused, match="spacing in mm"):
        register_rigid(blob(), replace(grid, in_plane_known=False), blob(), grid)
    with pytest.raises(Refused, match="same value"):
        register_rigid(np.zeros((20, 24, 22), np.float32), grid, blob(), grid)
    with pytest.raises(Refused, match="do not overlap"):
        register_rigid(blob(), grid, blob(), grid, start=rigid(shift=(500.0, 0.0, 0.0)))
