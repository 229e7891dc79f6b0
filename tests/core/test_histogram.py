"""Counts of values against numpy and arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.core.geometry import Geometry
from viewer.core.graphics import Shutter
from viewer.core.histogram import bins_between, counted, known_volume_histogram, plane_histogram, volume_histogram
from viewer.core.volume import Volume


def volume(data: NDArray[Any], **facts: Any) -> Volume:
    return Volume("v", data, Geometry(data.shape[1:4]), **facts)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_counts_of_a_small_volume_are_those_of_numpy(kind: Any) -> None:
    data = np.random.default_rng(3).normal(100, 30, (1, 5, 40, 50)).clip(0, 255).astype(kind)
    found = volume_histogram(volume(data))
    edges = found.low + found.step * np.arange(len(found.counts) + 1)
    expected, _edges = np.histogram(data.astype(np.float64), edges)
    assert np.array_equal(found.counts, expected)
    assert found.counts.sum() == data.size
    assert not found.is_sampled


def test_whole_numbers_fall_evenly_into_the_bins() -> None:
    data = np.arange(-700, 800, dtype=np.int16).reshape(1, 1, 30, 50)  # each value once
    counts = volume_histogram(volume(data)).counts
    assert set(counts[:-1].tolist()) == {6}  # 1500 values in 256 bins at most: six to a bin
    assert counts.sum() == 1500


def test_d15_d45_padding_shutter_and_nan_are_not_counted() -> None:
    data = np.full((1, 1, 20, 20), 5, np.int16)
    data[..., :10, :] = -2000
    assert volume_histogram(volume(data, padding=(-2000, -2000))).counts.sum() == 200
    shutter = Shutter(rectangle=(5, 5, 14, 14))
    seen = int((~shutter.covered(20, 20)).sum())
    assert 0 < seen < 400
    assert volume_histogram(volume(np.full((1, 1, 20, 20), 5, np.int16), shutter=shutter)).counts.sum() == seen
    floats = np.array([[[[np.nan, np.inf, 1.0, 2.0]]]], np.float32)
    assert volume_histogram(volume(floats)).counts.sum() == 2


def test_a_plane_is_counted_in_the_bins_of_its_volume() -> None:
    data = np.random.default_rng(4).integers(-50, 900, (1, 6, 30, 40)).astype(np.int16)
    whole = volume_histogram(volume(data))
    planes = [plane_histogram(volume(data), data[0, n], None, whole).counts for n in range(6)]
    assert np.array_equal(np.sum(planes, axis=0), whole.counts)
    covered = np.zeros((30, 40), np.bool_)
    covered[:15] = True
    half = plane_histogram(volume(data), data[0, 0], covered, whole).counts
    assert half.sum() == 15 * 40


def test_a_large_volume_is_sampled_evenly_and_only_once() -> None:
    data = np.random.default_rng(5).integers(0, 200, (1, 40, 300, 300)).astype(np.uint8)
    made = volume(data)
    assert known_volume_histogram(made) is None
    found = volume_histogram(made)
    assert found.is_sampled
    assert known_volume_histogram(made) is found
    part = found.counts[:200] / found.counts.sum()
    assert np.allclose(part, 1 / 200, atol=6e-4)


def test_one_value_and_extreme_ranges_have_bins() -> None:
    low, step, bins = bins_between(7, 7, is_whole=True)
    assert (low, step, bins) == (6.5, 1.0, 1)
    assert counted(np.array([1e-30, 2e-30]), bins_between(1e-30, 2e-30, is_whole=False)).sum() == 2
    assert counted(np.array([-32768, 32767], np.int16), bins_between(-32768, 32767, is_whole=True)).sum() == 2
