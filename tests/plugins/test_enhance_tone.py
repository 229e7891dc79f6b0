"""Tone curves against their formulas, scikit-image and ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from skimage import exposure

from plugins.enhance.clahe import clahe
from plugins.enhance.tone import adjust_gamma, equalise_histogram, logarithm
from tests.plugins.enhance_segment_samples import image_of, noise, plane_of
from viewer.api import Image, Refused

CURVES = [adjust_gamma, logarithm, equalise_histogram, clahe]
KINDS = [np.uint8, np.int16, np.uint16, np.float32]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gamma", [0.5, 0.7, 2.2])
def test_gamma_is_its_formula(kind: Any, gamma: float) -> None:
    image = image_of(noise(dtype=kind))
    v = image.values.astype(np.float64)
    low, high = v.min(), v.max()
    np.testing.assert_allclose(adjust_gamma(image, gamma).values, low + (high - low) * ((v - low) / (high - low)) ** gamma, rtol=1e-5, atol=1e-3)


def test_gamma_equals_scikit_image_on_a_unit_image() -> None:
    values = ((noise().astype(np.float64) + 1200) / 4000).astype(np.float32)
    image = Image(values, image_of(values).geometry, "", (0.0, 1.0))
    np.testing.assert_allclose(adjust_gamma(image, 1.7).values, exposure.adjust_gamma(values.astype(np.float64), 1.7), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gamma_of_one_changes_no_value(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    assert np.array_equal(adjust_gamma(image, 1.0).values, image.values)


@given(st.floats(0.1, 5.0), st.floats(0.1, 5.0))
def test_gammas_follow_each_other_like_their_product(first: float, second: float) -> None:
    image = Image(np.linspace(0, 1, 60, dtype=np.float32).reshape(3, 4, 5), image_of(np.zeros((3, 4, 5))).geometry, "", (0.0, 1.0))
    once = adjust_gamma(image, first * second).values
    np.testing.assert_allclose(adjust_gamma(adjust_gamma(image, first), second).values, once, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_logarithm_is_its_formula(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    v = image.values.astype(np.float64)
    low, high = v.min(), v.max()
    expected = low + (high - low) * np.log(1 + 25.0 * (v - low) / (high - low)) / np.log(26.0)
    np.testing.assert_allclose(logarithm(image, 25.0).values, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16])
def test_equalisation_of_integers_is_the_share_of_voxels_below(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    ranks = stats.rankdata(image.values.ravel(), method="max").reshape(image.values.shape)
    low, high = image.range
    expected = low + (high - low) * (ranks - ranks.min()) / (ranks.size - ranks.min())
    np.testing.assert_allclose(equalise_histogram(image).values, expected, rtol=1e-5, atol=1e-3)


def test_equalisation_of_floats_makes_the_histogram_flat() -> None:
    image = image_of(noise((9, 40, 50), np.float32))
    out = equalise_histogram(image)
    ranks = stats.rankdata(image.values.ravel()).reshape(image.values.shape) / image.values.size
    low, high = image.range
    assert np.abs((out.values - low) / (high - low) - ranks).max() < 2e-3


def test_equalisation_in_2d_takes_each_plane_alone() -> None:
    image = image_of(noise())
    whole = equalise_histogram(image, "2-D").values
    for plane in range(len(whole)):
        ranks = stats.rankdata(image.values[plane].ravel(), method="max").reshape(image.values.shape[1:])
        expected = image.range[0] + (image.range[1] - image.range[0]) * (ranks - ranks.min()) / (ranks.size - ranks.min())
        np.testing.assert_allclose(whole[plane], expected, rtol=1e-5, atol=1e-3)


# --- CLAHE ---------------------------------------------------------------------------------------------------------


def test_clahe_with_one_tile_and_no_limit_is_the_middle_rank() -> None:
    image = image_of(noise((3, 40, 50)))
    out = clahe(image, tile=500.0, limit=100.0).values
    low, high = image.range
    for plane in range(3):
        ranks = stats.rankdata(image.values[plane].ravel(), method="average").reshape(40, 50)
        np.testing.assert_allclose((out[plane] - low) / (high - low), (ranks - 0.5) / ranks.size, atol=0.02)


def test_clahe_with_limit_one_is_nearly_no_change() -> None:
    """Cut at the mean count nothing but the straight line is left, apart from what fills the cut."""
    image = image_of(np.random.default_rng(2).permutation(np.arange(6400)).astype(np.int16).reshape(1, 80, 80))
    out = clahe(image, limit=1.0, tile=500.0).values
    np.testing.assert_allclose(out, image.values, atol=3)


def test_clahe_interpolates_between_the_curves_of_four_tiles() -> None:
    """Written out voxel by voxel, from Zuiderveld's description."""
    rng = np.random.default_rng(4)
    values = rng.integers(0, 32, (1, 12, 20)).astype(np.uint8)
    image = image_of(values, image_of(values).geometry.resampled((3.0, 1.0, 1.0)).cropped((0, 0, 0), (1, 12, 20)))
    low, high = image.range
    bins, (down, across), limit = int(high - low) + 1, (2, 4), 3.0
    got = clahe(image, tile=5.5, limit=limit).values[0]
    curves = {}
    for r in range(down):
        for c in range(across):
            part = values[0, r * 6 : r * 6 + 6, c * 5 : c * 5 + 5].ravel() - int(low)
            counts = np.array([(part == b).sum() for b in range(bins)], dtype=float)
            cut = np.minimum(counts, limit * part.size / bins)
            cut += (part.size - cut.sum()) / bins
            curves[r, c] = (np.cumsum(cut) - cut / 2) / part.size
    for y in range(12):
        for x in range(20):
            code = int(values[0, y, x] - low)
            fy, fx = np.clip((y + 0.5) / 6 - 0.5, 0, down - 1), np.clip((x + 0.5) / 5 - 0.5, 0, across - 1)
            mixed = 0.0
            for r in range(down):
                for c in range(across):
                    mixed += max(0, 1 - abs(fy - r)) * max(0, 1 - abs(fx - c)) * curves[r, c][code]
            assert got[y, x] == pytest.approx(low + (high - low) * mixed, abs=1e-3)


def test_clahe_looks_like_scikit_images(shared_data: Any) -> None:
    from PIL import Image as Picture

    with Picture.open(shared_data / "cxr_native" / "IM-0117-0001.jpg") as picture:
        film = np.asarray(picture.convert("L").resize((400, 320)))
    image = Image(film[None], image_of(np.zeros((1, 320, 400))).geometry, "", (0.0, 255.0))
    want = exposure.equalize_adapthist(film, kernel_size=(40, 50), clip_limit=4 / 256)
    assert np.corrcoef(clahe(image, tile=250 / 8, limit=4.0).values[0].ravel(), want.ravel())[0, 1] > 0.9


# --- all of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("curve", CURVES)
def test_curve_keeps_range_grid_and_input_and_shows_something(curve: Any, kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    before = image.values.copy()
    out = curve(image)
    assert np.array_equal(image.values, before)
    assert out.geometry == image.geometry
    assert out.values.dtype == np.float32
    assert out.unit == ""
    assert out.values.min() >= image.range[0] - 1e-3
    assert out.values.max() <= image.range[1] + 1e-3
    assert np.abs(out.values - before).max() > 0.01 * (image.range[1] - image.range[0])
    assert np.array_equal(curve(image).values, out.values)


@pytest.mark.parametrize("curve", CURVES)
def test_padding_stays_and_does_not_count(curve: Any) -> None:
    plain = noise((2, 40, 60))
    outside = np.zeros(plain.shape, bool)
    outside[:, :7, :] = outside[:, :, -9:] = True
    results = []
    for filler in (-2000, 3000):
        values = np.where(outside, filler, plain).astype(np.int16)
        image = image_of(values, padding=(filler, filler))
        out = curve(image).values
        assert np.all(out[outside] == filler)
        results.append(np.where(outside, 0, out))
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("curve", CURVES)
def test_nan_stays_and_does_not_spread(curve: Any) -> None:
    values = noise((2, 40, 60), np.float32)
    values[0, 3:9, 4:20] = np.nan
    values[1, 0, 0] = np.inf
    out = curve(image_of(values)).values
    assert np.array_equal(np.isnan(out), np.isnan(values))
    assert out[1, 0, 0] == np.inf
    assert np.isfinite(out).sum() == np.isfinite(values).sum()


@pytest.mark.parametrize("curve", [adjust_gamma, logarithm, clahe])
def test_preview_of_a_plane_equals_the_plane(curve: Any) -> None:
    image = image_of(noise((5, 40, 60)))
    whole = curve(image).values
    assert np.array_equal(curve(plane_of(image, 3)).values[0], whole[3])


@pytest.mark.parametrize("curve", CURVES)
def test_image_of_one_value_is_refused(curve: Any) -> None:
    with pytest.raises(Refused, match="All voxels have the value 5"):
        curve(image_of(np.full((3, 4, 5), 5, np.int16)))


@pytest.mark.parametrize("curve", CURVES)
def test_extremes_of_the_integer_type_do_not_overflow(curve: Any) -> None:
    values = np.linspace(-32768, 32767, 3 * 40 * 50).astype(np.int16).reshape(3, 40, 50)
    out = curve(image_of(values)).values
    assert out.min() >= -32768
    assert out.max() <= 32767
    assert np.all(np.diff(np.float64(out[0].mean(axis=1))) >= 0) or curve is clahe


def test_progress_is_told_and_its_exception_stops_the_work() -> None:
    told: list[float] = []
    image = image_of(noise())
    logarithm(image, progress=lambda fraction, text="": told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(fraction: float, text: str = "") -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        logarithm(image, progress=stop)
