"""Padding takes no part in planes and slabs (D15)."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry
from viewer.core.sample import plane_slab, sample, slab


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_d15_padding_does_not_count_in_a_slab(axis: int) -> None:
    rng = np.random.default_rng(5)
    values = rng.integers(-100, 300, (9, 10, 11)).astype(np.int16)
    values[rng.random(values.shape) < 0.4] = -2000
    values[:, :3, :3] = -2000
    part = np.moveaxis(values, axis, 0)[2:7]
    known = np.ma.masked_equal(part, -2000)
    for mode, expected in (("mip", known.max(axis=0)), ("minip", known.min(axis=0)), ("mean", known.mean(axis=0))):
        found = plane_slab(values, axis, 4, 2, mode, (-2000, -1999))
        np.testing.assert_allclose(found, expected.filled(-2000), rtol=1e-6)


def test_d15_turned_planes_and_slabs_beside_padding_are_no_mixture_of_it_beyond_half_a_voxel() -> None:
    values = np.full((20, 30, 40), 40, dtype=np.int16)
    values[:, :, 20:] = -2000
    geometry = Geometry(values.shape, spacing=(1.0, 1.0, 1.0))
    c, s = float(np.cos(0.3)), float(np.sin(0.3))
    cut = Cut((0.0, 5.0, 4.0), (1.0, 0.0, 0.0), (0.0, c, s), 0.25, (20, 150))
    x = np.arange(150) * 0.25
    plain = sample(values, geometry, cut, padding=(-2000.0, -2000.0))
    thick = slab(values, geometry, cut, thickness=3.0, mode="mean", padding=(-2000.0, -2000.0))
    for found in (plain, thick):
        assert np.isnan(found[:, x >= 19.5]).all() and np.isfinite(found[:, x < 19.5]).all()
        np.testing.assert_allclose(found[:, x <= 19.0], 40, atol=1e-3)
