"""Gaussian, unsharp mask and median against SciPy in float64 and SimpleITK."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from plugins.enhance.median import median, median_of
from plugins.enhance.smooth import gaussian, unsharp_mask
from tests.plugins.enhance_segment_samples import SPACING, image_of, itk, noise, plane_of
from viewer.api import Geometry, Image, Refused

KINDS = [np.uint8, np.int16, np.uint16, np.float32]
FILTERS = [gaussian, unsharp_mask, median]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimensions", ["3-D", "2-D"])
def test_gaussian_is_scipys_in_float64_with_sigma_in_mm(kind: Any, dimensions: Any) -> None:
    image = image_of(noise(dtype=kind))
    widths = [1.4 / s for s in SPACING]
    if dimensions == "2-D":
        widths[0] = 0
    want = ndimage.gaussian_filter(image.values.astype(np.float64), widths, mode="nearest")
    out = gaussian(image, 1.4, dimensions)
    np.testing.assert_allclose(out.values, want, rtol=1e-5, atol=2e-3)
    assert out.unit == "HU"


def test_gaussian_equals_simpleitk_away_from_the_border() -> None:
    image = image_of(noise((21, 40, 50), np.float32))
    want = sitk.GetArrayFromImage(sitk.DiscreteGaussian(itk(image), variance=[4.0] * 3, maximumKernelWidth=200, maximumError=[0.0005] * 3))
    got = gaussian(image, 2.0).values
    inner = (slice(5, -5), slice(14, -14), slice(18, -18))
    # Two discrete forms of one bell curve: they agree to a few parts in a thousand of the contrast.
    assert np.abs(got[inner] - want[inner]).max() < 0.02 * (image.range[1] - image.range[0])


def test_gaussian_keeps_a_constant_and_the_mean_of_a_point() -> None:
    values = np.zeros((15, 61, 81), np.float32)
    values[7, 30, 40] = 1000
    out = gaussian(image_of(values), 2.0).values.astype(np.float64)
    assert out.sum() == pytest.approx(1000, rel=1e-5)
    z, y, x = np.indices(values.shape)
    for axis, (place, middle) in enumerate(((z, 7), (y, 30), (x, 40))):
        if axis:  # along the planes a sigma of 0.67 voxels is too coarsely sampled for a sharp figure
            assert np.sqrt((out * ((place - middle) * SPACING[axis]) ** 2).sum() / 1000) == pytest.approx(2.0, rel=0.01)


def test_gaussian_by_default_is_one_and_a_half_columns() -> None:
    image = image_of(noise())
    np.testing.assert_array_equal(gaussian(image).values, gaussian(image, 1.5 * SPACING[2]).values)


def test_sizes_are_pixels_where_the_spacing_is_not_known() -> None:
    geometry = Geometry((1, 24, 31), is_patient=False, in_plane_known=False, between_known=False)
    image = image_of(noise((1, 24, 31)), geometry)
    np.testing.assert_allclose(gaussian(image, 2.0).values[0], ndimage.gaussian_filter(image.values[0].astype(float), 2.0, mode="nearest"), atol=2e-3)
    assert np.array_equal(median(image, 2.0).values[0], ndimage.median_filter(image.values[0], 5, mode="nearest"))


def test_unsharp_mask_adds_what_the_blur_takes() -> None:
    image = image_of(noise())
    v = image.values.astype(np.float64)
    blurred = ndimage.gaussian_filter(v, [1.0 / s for s in SPACING], mode="nearest")
    out = unsharp_mask(image, 1.0, 2.5)
    np.testing.assert_allclose(out.values, v + 2.5 * (v - blurred), rtol=1e-5, atol=5e-3)
    assert out.unit == ""


def test_unsharp_mask_overshoots_without_wrapping_at_the_limits_of_the_type() -> None:
    values = np.zeros((3, 24, 31), np.uint8)
    values[:, :, 15:] = 255
    out = unsharp_mask(image_of(values), 2.0, 1.0, "2-D").values
    assert out.min() < -20
    assert out.max() > 275


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("radius", "size"), [(None, (3, 3, 3)), (1.0, (1, 3, 5)), (1.5, (3, 5, 7)), (3.0, (3, 9, 13))])
def test_median_is_scipys(kind: Any, radius: float | None, size: tuple[int, int, int]) -> None:
    image = image_of(noise((5, 20, 23), kind))
    out = median(image, radius)
    assert out.values.dtype == kind
    assert np.array_equal(out.values, ndimage.median_filter(image.values, size, mode="nearest"))


def test_median_equals_simpleitk() -> None:
    image = image_of(noise((6, 30, 41)))
    assert np.array_equal(median(image).values, sitk.GetArrayFromImage(sitk.Median(itk(image), [1, 1, 1])))


@given(hnp.arrays(np.int16, st.tuples(st.sampled_from([3, 5, 9, 15, 21, 25, 27, 45, 49]), st.integers(1, 4))))
def test_network_finds_the_median_of_any_numbers(rows: Any) -> None:
    assert np.array_equal(median_of(list(rows)), np.sort(rows, axis=0)[len(rows) // 2])


# --- all of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run", FILTERS)
def test_filter_keeps_grid_and_input_and_shows_something(run: Any, kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    before = image.values.copy()
    out = run(image)
    assert np.array_equal(image.values, before)
    assert out.geometry == image.geometry
    assert not np.array_equal(out.values, before)
    assert np.array_equal(run(image).values, out.values)


@pytest.mark.parametrize("run", FILTERS)
def test_2d_mode_equals_the_plane_alone(run: Any) -> None:
    image = image_of(noise((5, 24, 31)))
    flat = run(image, dimensions="2-D").values
    assert np.array_equal(run(plane_of(image, 2)).values[0], flat[2])
    assert not np.array_equal(run(image).values[2], flat[2])


@pytest.mark.parametrize("run", FILTERS)
def test_padding_stays_and_does_not_leak(run: Any) -> None:
    plain = noise((4, 24, 31))
    outside = np.zeros(plain.shape, bool)
    outside[:, :5, :] = outside[:, :, 26:] = outside[0] = True
    results = []
    for filler in (-2000, 3000):
        out = run(image_of(np.where(outside, filler, plain).astype(np.int16), padding=(filler, filler))).values
        assert np.all(out[outside] == filler)
        results.append(np.where(outside, 0, out))
    np.testing.assert_array_equal(results[0], results[1])


def test_gaussian_of_a_constant_beside_padding_is_the_constant() -> None:
    values = np.full((4, 24, 31), 40, np.int16)
    values[:, :6] = -2000
    out = gaussian(image_of(values, padding=(-2000, -2000)), 2.0).values
    np.testing.assert_allclose(out[:, 6:], 40, rtol=1e-6)


@pytest.mark.parametrize("run", FILTERS)
def test_nan_stays_and_does_not_spread(run: Any) -> None:
    values = noise((4, 24, 31), np.float32)
    values[1, 3:9, 4:20] = np.nan
    values[2, 0, 0] = -np.inf
    out = run(image_of(values)).values
    assert np.array_equal(np.isnan(out), np.isnan(values))
    assert out[2, 0, 0] == -np.inf


@pytest.mark.parametrize("run", [gaussian, unsharp_mask])
def test_sigma_wider_than_the_image_is_refused(run: Any) -> None:
    with pytest.raises(Refused, match="wider than the image"):
        run(image_of(noise()), 40.0)
    with pytest.raises(Refused, match="too narrow"):
        run(image_of(noise()), 0.05)


def test_window_of_one_voxel_or_of_too_many_is_refused() -> None:
    with pytest.raises(Refused, match="single voxel"):
        median(image_of(noise()), 0.1)
    with pytest.raises(Refused, match="Choose a smaller one"):
        median(image_of(noise()), 20.0)


@pytest.mark.parametrize("run", FILTERS)
def test_progress_rises_to_the_end(run: Any) -> None:
    told: list[float] = []
    run(image_of(noise()), progress=lambda fraction, text="": told.append(fraction))
    assert told == sorted(told)
    assert 0.99 < told[-1] <= 1.0


def test_chest_ct_is_smoothed_as_simpleitk_does(shared_data: Any) -> None:
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(shared_data / "ct_chest_lidc"))
    source = sitk.ReadImage(files)[100:228, 200:300, 20:40]
    values = sitk.GetArrayFromImage(source)
    geometry = Geometry(values.shape, source.GetOrigin(), source.GetSpacing()[::-1], source.GetDirection())
    image = Image(values, geometry, "HU", (float(values.min()), float(values.max())))
    assert np.array_equal(median(image).values, sitk.GetArrayFromImage(sitk.Median(source, [1, 1, 1])))
    want = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(sitk.Cast(source, sitk.sitkFloat64), 2.0))
    inner = (slice(8, -8), slice(12, -12), slice(12, -12))
    difference = np.abs(gaussian(image, 2.0).values[inner] - want[inner])
    assert np.median(difference) < 1.0  # HU; ITK's recursive filter is an approximation of the same curve
    assert difference.max() < 0.02 * (image.range[1] - image.range[0])
