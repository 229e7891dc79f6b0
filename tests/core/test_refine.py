"""A coarse map on a finer grid: the same area, the same values in the middles of the cells, smooth between them."""

from __future__ import annotations

import numpy as np

from viewer.core.geometry import Geometry
from viewer.core.refine import refined

GRID = Geometry((1, 5, 6), (3.0, -4.0, 7.0), (2.0, 30.0, 40.0), (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0))


def test_the_finer_grid_covers_the_same_area():
    _values, grid = refined(np.zeros(GRID.shape, np.float32), GRID)
    assert grid.shape == (1, 40, 48) and np.allclose(grid.corners(), GRID.corners())


def test_the_middles_of_cells_keep_their_values_and_nothing_leaves_the_range():
    coarse = np.random.default_rng(1).normal(size=GRID.shape).astype(np.float32)
    fine, grid = refined(coarse, GRID)
    # A middle lies between four of the finer cells; across so short a way their mean is near to it.
    around = fine.reshape(1, 5, 8, 6, 8)[:, :, 3:5, :, 3:5].mean(axis=(2, 4))
    assert np.abs(around - coarse).max() < 0.06 * np.ptp(coarse)
    assert fine.min() >= coarse.min() and fine.max() <= coarse.max() and grid.is_rectangular


def test_a_ramp_stays_a_ramp_and_a_peak_has_no_crease():
    ramp = np.broadcast_to(np.arange(6.0), GRID.shape)
    fine, _grid = refined(ramp, GRID)
    assert np.allclose(fine[0, :, 12:-12], (np.arange(48)[12:-12] + 0.5) / 8 - 0.5, atol=1e-6)
    peak = np.zeros(GRID.shape)
    peak[0, :, 3] = 1
    slopes = np.diff(refined(peak, GRID)[0][0, 20])
    assert np.abs(np.diff(slopes)).max() < 0.09  # linear between the cells it is 0.125


def test_a_fine_map_is_left_as_it_is():
    values = np.random.default_rng(0).random((1, 100, 80)).astype(np.float32)
    grid = Geometry((1, 100, 80))
    same, own = refined(values, grid)
    assert own is grid and np.array_equal(same, values)
