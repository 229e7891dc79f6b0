"""Sobel, Gabor and Hough against ramps, drawn shapes and scikit-image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.filters import gabor as gabor_oracle
from skimage.filters import sobel as sobel_oracle

from plugins.measure.circles import hough_circles
from plugins.measure.gradient import sobel
from plugins.measure.lines import hough_lines
from plugins.measure.texture import gabor
from viewer.api import Geometry, Image, Numbers, Refused


def image(values: NDArray[Any], **changes: Any) -> Image:
    values = values if values.ndim == 3 else values[None]
    keys = {k: changes.pop(k) for k in ("unit", "padding", "modality") if k in changes}
    return Image(values, Geometry(values.shape, **changes), **keys)


# --- Sobel -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "planes"), [(0, 12), (1, 12), (2, 12), (1, 1), (2, 1)])
def test_sobel_of_a_ramp_is_its_slope_per_mm(axis: int, planes: int) -> None:
    spacing = (3.0, 2.0, 0.5)
    ramp = (np.indices((planes, 20, 24))[axis] * 10).astype(np.int16)
    found = sobel(image(ramp, spacing=spacing, unit="HU"))
    inner = found.values[(slice(2, -2) if planes > 1 else slice(None), slice(2, -2), slice(2, -2))]
    np.testing.assert_allclose(inner, 10 / spacing[axis], rtol=1e-6)
    assert found.unit == "HU/mm"


def test_sobel_of_a_slanted_ramp_adds_the_parts_as_squares() -> None:
    z, y, x = np.indices((8, 20, 24)).astype(np.float32)
    found = sobel(image(3 * z + 4 * y + 12 * x, spacing=(1.0, 1.0, 1.0)))
    np.testing.assert_allclose(found.values[2:-2, 2:-2, 2:-2], 13, rtol=1e-5)


def test_sobel_of_a_slice_equals_scikit_image() -> None:
    values = np.random.default_rng(0).normal(0, 100, (40, 50)).astype(np.float32)
    ours = sobel(image(values)).values[0, 1:-1, 1:-1]
    # Theirs is the root of the mean of both squares, and its difference is over two pixels without division.
    np.testing.assert_allclose(ours, sobel_oracle(values.astype(float))[1:-1, 1:-1] * math.sqrt(2) / 2, rtol=1e-4)


def test_sobel_in_plane_leaves_the_planes_apart() -> None:
    steps = np.broadcast_to(np.arange(6)[:, None, None] * 100, (6, 10, 10)).astype(np.int16)
    assert sobel(image(steps), in_plane=True).values.max() == 0
    assert sobel(image(steps, between_known=False)).values.max() == 0


def test_sobel_has_no_edge_at_the_padding() -> None:
    values = np.full((1, 20, 20), 50, np.int16)
    values[0, :, :6] = -2000
    found = sobel(image(values, padding=(-2000.0, -2000.0)))
    assert found.values.max() == 0
    assert found.padding is None


def test_sobel_without_spacing_is_per_pixel() -> None:
    assert sobel(image(np.zeros((5, 5), np.uint8), in_plane_known=False, between_known=False)).unit == "1/px"


# --- Gabor -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bandwidth", [1.0, 1.5])
def test_gabor_equals_scikit_image(bandwidth: float) -> None:
    values = np.random.default_rng(1).normal(100, 30, (60, 80)).astype(np.float32)
    found = gabor(image(values), shortest=5.0, scales=2, orientations=2, bandwidth=bandwidth)
    total = np.zeros(values.shape)
    for wavelength in (5, 10):
        for angle in (0, np.pi / 2):  # other directions are cut off elsewhere there
            real, imaginary = gabor_oracle(values.astype(float) - values.mean(), 1 / wavelength, theta=angle, bandwidth=bandwidth)
            total += real**2 + imaginary**2
    np.testing.assert_allclose(found.values[0], np.sqrt(total / 4), atol=2e-3)


def test_gabor_in_slanting_directions_is_near_scikit_image() -> None:
    values = np.random.default_rng(1).normal(0, 30, (60, 80)).astype(np.float32)
    values -= values.mean()
    total = np.zeros(values.shape)
    for n in range(6):
        real, imaginary = gabor_oracle(values.astype(float), 1 / 6, theta=n * np.pi / 6)
        total += real**2 + imaginary**2
    found = gabor(image(values), shortest=6.0, scales=1, orientations=6).values[0]
    np.testing.assert_allclose(found, np.sqrt(total / 6), atol=0.02 * float(np.sqrt(total / 6).max()))


def test_gabor_answers_most_to_its_own_wavelength_in_mm() -> None:
    x = np.arange(128) * 0.5
    stripes = np.broadcast_to(100 * np.sin(2 * np.pi * x / 6.0), (96, 128)).astype(np.float32)
    own = gabor(image(stripes, spacing=(1.0, 0.8, 0.5)), shortest=6.0, scales=1, orientations=1).values[0, 48, 64]
    other = gabor(image(stripes, spacing=(1.0, 0.8, 0.5)), shortest=16.0, scales=1, orientations=1).values[0, 48, 64]
    assert own == pytest.approx(50, rel=0.02)  # half the amplitude: one of the two frequencies of a sine
    assert other < 0.05 * own


def test_gabor_of_a_plane_alone_equals_that_of_the_volume() -> None:
    values = np.random.default_rng(1).normal(0, 30, (3, 40, 50)).astype(np.float32)
    whole, alone = gabor(image(values)), gabor(image(values[1]))
    np.testing.assert_array_equal(whole.values[1], alone.values[0])


def test_gabor_is_finite_with_padding_nan_and_empty_planes() -> None:
    values = np.random.default_rng(1).normal(0, 30, (3, 40, 50)).astype(np.float32)
    values[0] = np.nan
    values[1, :5] = -2000
    found = gabor(image(values, padding=(-2000.0, -2000.0))).values
    assert np.isfinite(found).all()
    assert found[0].max() == 0
    assert found[1, :5].max() == 0
    assert found[1, 5:].min() > 0


def test_gabor_of_a_flat_image_is_nothing() -> None:
    assert gabor(image(np.full((32, 32), 1000, np.int16))).values.max() < 1e-3


@pytest.mark.parametrize(("shortest", "scales"), [(1.0, 1), (20.0, 4)])
def test_gabor_refuses_wavelengths_that_do_not_fit(shortest: float, scales: int) -> None:
    with pytest.raises(Refused, match="wavelength"):
        gabor(image(np.zeros((32, 32), np.int16)), shortest=shortest, scales=scales)


def rows_of(numbers: Numbers) -> list[Any]:
    return list(numbers.rows)


# --- Hough -----------------------------------------------------------------------------------------------------------


def disc(shape: tuple[int, int], centre: tuple[float, float], radius: float, spacing: tuple[float, float] = (1.0, 1.0)) -> NDArray[Any]:
    y, x = np.indices(shape)
    return np.asarray(np.hypot(y * spacing[0] - centre[0], x * spacing[1] - centre[1]) <= radius)


@pytest.mark.parametrize(("radius", "centre"), [(35.0, (90.0, 120.0)), (8.0, (40.0, 30.0)), (80.0, (100.0, 95.0))])
def test_circle_is_found_to_half_a_pixel(radius: float, centre: tuple[float, float]) -> None:
    values = disc((200, 200), centre, radius).astype(np.uint8) * 200
    drafts, numbers = hough_circles(image(values, is_patient=False, in_plane_known=False, between_known=False))
    assert len(numbers.rows) == 1
    _, x, y, _, found, coverage = rows_of(numbers)[0]
    np.testing.assert_allclose((y, x, found), (*centre, radius), atol=0.5)
    assert coverage > 0.9
    assert [c.unit for c in numbers.columns[1:5]] == ["px"] * 4
    assert drafts.drafts[0].shape == "circle"


def test_circle_on_an_oblique_slice_with_oblong_pixels_lies_in_the_patient() -> None:
    direction = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)
    values = disc((220, 150), (60.0, 75.0), 30.0, (0.5, 1.0)).astype(np.int16) * 1000
    picture = image(values, spacing=(4.0, 0.5, 1.0), origin=(10.0, -20.0, 30.0), direction=direction)
    drafts, numbers = hough_circles(picture)
    place = picture.geometry.to_patient((0, 120, 75))
    assert len(numbers.rows) == 1
    np.testing.assert_allclose(rows_of(numbers)[0][1:5], (*place, 30.0), atol=0.5)
    centre, first, second = np.asarray(drafts.drafts[0].points)
    np.testing.assert_allclose([np.linalg.norm(first - centre), np.linalg.norm(second - centre)], rows_of(numbers)[0][4], rtol=1e-6)
    assert abs((first - centre) @ (second - centre)) < 1e-6


def test_two_circles_in_noise_are_both_found_and_nothing_else() -> None:
    values = disc((180, 240), (60.0, 70.0), 25.0) * 200.0 + disc((180, 240), (110.0, 170.0), 40.0) * 150.0
    values += np.random.default_rng(3).normal(0, 15, values.shape)
    _, numbers = hough_circles(image(values.astype(np.float32)))
    found = sorted((r[1], r[2], r[4]) for r in rows_of(numbers))
    np.testing.assert_allclose(found, [(70, 60, 25), (170, 110, 40)], atol=1.0)


def test_a_large_image_is_searched_coarsely_but_finds_its_circle() -> None:
    values = disc((1500, 2100), (700.0, 1200.0), 400.0).astype(np.uint8) * 200
    _, numbers = hough_circles(image(values))
    np.testing.assert_allclose(rows_of(numbers)[0][1:5], (1200, 700, 0, 400), atol=2.0)


@pytest.mark.parametrize("run", [hough_circles, hough_lines])
@pytest.mark.parametrize("values", [np.zeros((60, 70), np.uint8), np.full((60, 70), -1000.3, np.float32), np.full((60, 70), np.nan, np.float32),
                                    np.zeros((1, 1), np.uint8), np.zeros((2, 90), np.uint8)])  # fmt: skip
def test_hough_of_nothing_finds_nothing(run: Any, values: NDArray[Any]) -> None:
    drafts, numbers = run(image(values))
    assert drafts.drafts == ()
    assert numbers.rows == ()


@pytest.mark.parametrize("run", [hough_circles, hough_lines])
def test_hough_of_noise_finds_nothing(run: Any) -> None:
    _, numbers = run(image(np.random.default_rng(8).normal(0, 1, (150, 160)).astype(np.float32)))
    assert numbers.rows == ()


@pytest.mark.parametrize("run", [hough_circles, hough_lines])
def test_hough_of_several_planes_is_refused(run: Any) -> None:
    with pytest.raises(Refused, match="Choose a slice"):
        run(image(np.zeros((3, 20, 20), np.uint8)))


@pytest.mark.parametrize("run", [hough_circles, hough_lines])
def test_the_rim_of_padding_is_no_edge(run: Any) -> None:
    values = np.full((120, 120), -2000, np.int16)
    values[disc((120, 120), (60.0, 60.0), 50.0)] = 40
    values[30:] = -2000
    _, numbers = run(image(values, padding=(-2000.0, -2000.0)))
    assert numbers.rows == ()


def test_circles_with_contradicting_radii_are_refused() -> None:
    with pytest.raises(Refused, match="radius"):
        hough_circles(image(np.zeros((60, 60), np.uint8)), smallest=20.0, largest=10.0)


def test_both_edges_of_each_bar_are_lines() -> None:
    bars = np.zeros((200, 200), np.uint8)
    bars[60:64, 10:190] = bars[140:144, 10:190] = 255
    drafts, numbers = hough_lines(image(bars, is_patient=False, in_plane_known=False, between_known=False))
    heights = sorted(row[2] for row in rows_of(numbers))
    np.testing.assert_allclose(heights, [59.5, 63.5, 139.5, 143.5], atol=0.6)
    for _, x1, _, _, x2, _, _, angle, length, votes in rows_of(numbers):
        np.testing.assert_allclose((x1, x2, angle, length), (10, 189, 0, 179), atol=3)
        assert votes > 150
    assert {d.shape for d in drafts.drafts} == {"line"}


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135, 160])
def test_angle_counts_against_the_clock_in_millimetres(degrees: int) -> None:
    spacing = (0.5, 1.0)
    y, x = np.indices((320, 160))
    away = (x * spacing[1] - 80) * math.sin(math.radians(degrees)) + (y * spacing[0] - 80) * math.cos(math.radians(degrees))
    # No row or column lies exactly on the edge, where rounding would decide.
    half = (away > 0.013).astype(np.int16) * 500  # a half plane: one straight edge through the middle
    _, numbers = hough_lines(image(half, spacing=(2.0, *spacing)))
    angle = rows_of(numbers)[0][7]
    assert abs((angle - degrees + 90) % 180 - 90) < 0.5
    assert [c.unit for c in numbers.columns[7:9]] == ["°", "mm"]


def test_two_stretches_on_one_line_are_two_lines() -> None:
    values = np.zeros((100, 300), np.uint8)
    values[50:, :] = 200
    values[40:60, 130:170] = 100
    values[40:60, 130:170] = np.linspace(0, 200, 20)[:, None]  # a soft stretch without a sharp edge
    _, numbers = hough_lines(image(values))
    spans = sorted((r[1], r[4]) for r in rows_of(numbers))
    np.testing.assert_allclose(spans, [(0, 130), (170, 299)], atol=6)
