"""Measuring drawn shapes: formulas, SimpleITK, and phantoms on grids where no two axes are alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from viewer.core.annotation import Annotation, Measure
from viewer.core.geometry import Geometry
from viewer.core.measure import (
    ellipse_mask,
    ellipse_perimeter,
    handles,
    is_in_plane,
    length_suffix,
    measure_annotation,
    moved,
    nearest_handle,
    segment_statistics,
)
from viewer.core.volume import Identity, Volume

SHAPE, SPACING = (17, 23, 29), (3.0, 0.7, 0.5)


def oblique(shape: tuple[int, int, int] = SHAPE, **changes: Any) -> Geometry:
    turn, tilt = math.radians(25), math.radians(-40)
    about_z = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, math.cos(tilt), -math.sin(tilt)], [0, math.sin(tilt), math.cos(tilt)]])
    direction = tuple(float(c) for c in (about_z @ about_x).ravel())
    return Geometry(shape, **{"origin": (-31.0, 12.5, 80.0), "spacing": SPACING, "direction": direction, **changes})


def volume(data: NDArray[Any] | None = None, geometry: Geometry | None = None, **changes: Any) -> Volume:
    geometry = geometry or oblique()
    if data is None:
        data = np.random.default_rng(5).integers(-1000, 2000, geometry.shape).astype(np.int16)
    return Volume("v", data[None], geometry, **{"unit": "HU", **changes})


def ellipse(geometry: Geometry, axis: int, centre: tuple[float, ...], half_first: float, half_second: float, turn: float = 0.0) -> Annotation:
    """An ellipse around a fractional index, with half axes in the geometry's unit, turned in its plane."""
    first, second = (geometry.vector(n) for n in (2, 1, 0) if n != axis)
    u = math.cos(turn) * first + math.sin(turn) * second
    v = -math.sin(turn) * first + math.cos(turn) * second
    middle = geometry.to_patient(centre)
    points = tuple(tuple(float(c) for c in p) for p in (middle, middle + half_first * u, middle + half_second * v))
    return Annotation("a", "ellipse", "v", points, axis)


def by_name(item: Annotation) -> dict[str, Measure]:
    return {m.name: m for m in item.measures}


def inside_by_hand(item: Annotation, geometry: Geometry) -> NDArray[Any]:
    """Every voxel centre tested one by one in patient coordinates, in the plane nearest to the centre."""
    centre, a, b = (np.asarray(p) for p in item.points)
    plane = round(float(geometry.to_index(centre)[item.axis]))
    index = np.stack(np.indices(geometry.shape), axis=-1)
    places = geometry.to_patient(index) - centre
    u, v = a - centre, b - centre
    return (index[..., item.axis] == plane) & (((places @ u) / (u @ u)) ** 2 + ((places @ v) / (v @ v)) ** 2 <= 1 + 1e-9)


class TestDistance:
    def test_is_the_length_in_millimetres_on_an_oblique_grid(self) -> None:
        geometry = oblique()
        ends = geometry.to_patient([(4, 3, 2), (4, 13, 22)])
        item = Annotation("a", "distance", "v", tuple(tuple(map(float, p)) for p in ends))
        measure = by_name(measure_annotation(item, volume()))["Length"]
        assert measure.value == pytest.approx(math.hypot(10 * 0.7, 20 * 0.5))
        assert measure.unit == "mm"

    def test_is_in_pixels_without_a_spacing(self) -> None:
        geometry = Geometry((1, 30, 40), is_patient=False, in_plane_known=False, between_known=False)
        item = Annotation("a", "distance", "v", ((3.0, 4.0, 0.0), (6.0, 8.0, 0.0)))
        assert by_name(measure_annotation(item, volume(geometry=geometry)))["Length"] == Measure("Length", 5.0, "px")

    def test_across_planes_at_an_unknown_distance_is_not_measured(self) -> None:
        geometry = oblique(between_known=False)
        across = Annotation("a", "distance", "v", tuple(tuple(map(float, p)) for p in geometry.to_patient([(1, 3, 2), (4, 3, 9)])), 1)
        within = Annotation("a", "distance", "v", tuple(tuple(map(float, p)) for p in geometry.to_patient([(4, 3, 2), (4, 3, 9)])), 1)
        assert by_name(measure_annotation(across, volume(geometry=geometry)))["Length"].value is None
        assert by_name(measure_annotation(within, volume(geometry=geometry)))["Length"].value == pytest.approx(3.5)

    @pytest.mark.parametrize(("badges", "modality", "suffix"), [(("AT DETECTOR",), "CR", " at detector"), (("EST. MAG",), "DX", " estimated"),
                                                               ((), "MG", " estimated"), ((), "CT", ""), (("USER CAL",), "CR", "")])  # fmt: skip
    def test_in_a_projection_image_is_never_plain_mm(self, badges: tuple[str, ...], modality: str, suffix: str) -> None:
        item = Annotation("a", "distance", "v", ((0.0, 0.0, 0.0), (3.0, 4.0, 0.0)))
        shown = volume(geometry=Geometry((1, 9, 9)), badges=badges, identity=Identity(modality=modality))
        assert by_name(measure_annotation(item, shown))["Length"] == Measure("Length", 5.0, "mm" + suffix)

    def test_suffix_of_unknown_modality_is_empty(self) -> None:
        assert length_suffix() == ""


class TestEllipse:
    @pytest.mark.parametrize("axis", [0, 1, 2])
    @pytest.mark.parametrize("turn", [0.0, 0.6])
    def test_takes_the_pixels_of_its_plane_whose_centre_is_inside(self, axis: int, turn: float) -> None:
        geometry = oblique()
        item = ellipse(geometry, axis, (8.0, 11.0, 14.3), 4.1, 3.2, turn)
        expected = inside_by_hand(item, geometry)
        found = ellipse_mask(item, geometry)
        assert found is not None
        got = np.zeros(geometry.shape, bool)
        got[found[0]] = found[1]
        assert expected.sum() > 10
        np.testing.assert_array_equal(got, expected)

    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_statistics_are_those_of_simpleitk(self, axis: int) -> None:
        image = volume()
        item = ellipse(image.geometry, axis, (8.0, 11.0, 14.0), 5.0, 4.0, 0.3)
        mask = inside_by_hand(item, image.geometry)
        oracle = sitk.LabelIntensityStatisticsImageFilter()
        oracle.Execute(sitk.GetImageFromArray(mask.astype(np.uint8)), sitk.GetImageFromArray(image.values.astype(np.float64)))
        found = by_name(measure_annotation(item, image))
        assert found["Pixels"].value == oracle.GetNumberOfPixels(1)
        assert found["Mean"].value == pytest.approx(oracle.GetMean(1))
        assert found["SD"].value == pytest.approx(oracle.GetStandardDeviation(1))
        assert found["Minimum"].value == oracle.GetMinimum(1)
        assert found["Maximum"].value == oracle.GetMaximum(1)
        assert found["Median"].value == pytest.approx(np.median(image.values[mask]))
        assert {found[n].unit for n in ("Mean", "SD", "Minimum", "Maximum", "Median")} == {"HU"}
        assert "Excluded" not in found

    @pytest.mark.parametrize(("axis", "unit"), [(0, "mm²"), (1, "mm²"), (2, "mm²")])
    def test_area_and_perimeter_are_those_of_the_drawn_shape(self, axis: int, unit: str) -> None:
        from scipy.special import ellipe

        image = volume()
        found = by_name(measure_annotation(ellipse(image.geometry, axis, (8.0, 11.0, 14.0), 5.0, 2.0, 1.0), image))
        assert found["Area"].value == pytest.approx(math.pi * 10)
        assert found["Area"].unit == unit
        assert found["Perimeter"].value == pytest.approx(4 * 5 * ellipe(1 - 4 / 25))

    def test_pixels_fill_the_area(self) -> None:
        geometry = Geometry((1, 400, 300), spacing=(1.0, 0.2, 0.3))
        image = volume(geometry=geometry)
        found = by_name(measure_annotation(ellipse(geometry, 0, (0.0, 200.2, 150.1), 30.0, 25.0), image))
        pixels, area = found["Pixels"].value, found["Area"].value
        assert pixels is not None
        assert area is not None
        assert pixels * 0.06 == pytest.approx(area, rel=2e-3)

    def test_padding_and_nan_are_left_out_and_said(self) -> None:
        data = np.full(SHAPE, 40.0, np.float32)
        data[8, :, :14] = -2000
        data[8, 11, 15] = np.nan
        image = volume(data, padding=(-2000.0, -2000.0))
        item = ellipse(image.geometry, 0, (8.0, 11.0, 14.0), 4.0, 4.0)
        inside = inside_by_hand(item, image.geometry)
        left_out = int((inside & ((data == -2000) | np.isnan(data))).sum())
        found = by_name(measure_annotation(item, image))
        assert left_out > 10
        assert found["Excluded"].value == left_out
        assert found["Pixels"].value == inside.sum() - left_out
        assert (found["Mean"].value, found["SD"].value, found["Minimum"].value) == (40.0, 0.0, 40.0)

    @pytest.mark.parametrize("centre", [(8.0, 11.5, 14.5), (8.0, -40.0, 14.0), (30.0, 11.0, 14.0)])
    def test_without_a_pixel_has_no_values_rather_than_nan(self, centre: tuple[float, float, float]) -> None:
        image = volume()
        found = by_name(measure_annotation(ellipse(image.geometry, 0, centre, 0.1, 0.1), image))
        assert found["Pixels"].value == 0
        assert [found[n].value for n in ("Mean", "SD", "Minimum", "Maximum", "Median")] == [None] * 5
        assert found["Area"].value == pytest.approx(math.pi * 0.01)

    def test_of_one_pixel_has_no_sd(self) -> None:
        image = volume()
        found = by_name(measure_annotation(ellipse(image.geometry, 0, (8.0, 11.0, 14.0), 0.2, 0.2), image))
        assert (found["Pixels"].value, found["SD"].value) == (1, None)
        assert found["Mean"].value == image.values[8, 11, 14]

    def test_that_hangs_over_the_rim_measures_what_is_inside(self) -> None:
        image = volume()
        item = ellipse(image.geometry, 2, (0.0, 0.0, 14.0), 6.0, 9.0)
        inside = inside_by_hand(item, image.geometry)
        found = by_name(measure_annotation(item, image))
        assert found["Pixels"].value == inside.sum()
        assert found["Mean"].value == pytest.approx(image.values[inside].mean())

    def test_reads_its_own_phase(self) -> None:
        geometry = oblique()
        data = np.stack([np.full(SHAPE, n, np.int16) for n in (10, 20, 30)])
        image = Volume("v", data, geometry)
        item = ellipse(geometry, 0, (8.0, 11.0, 14.0), 4.0, 4.0)
        second = Annotation(item.id, item.shape, item.volume_id, item.points, 0, phase=1)
        assert by_name(measure_annotation(second, image))["Mean"].value == 20

    def test_of_an_inverted_image_reads_the_same_values(self) -> None:
        plain, inverted = volume(), volume(is_inverted=True)
        item = ellipse(plain.geometry, 0, (8.0, 11.0, 14.0), 4.0, 4.0)
        assert measure_annotation(item, plain) == measure_annotation(item, inverted)

    def test_of_a_colour_image_says_luminance(self) -> None:
        geometry = Geometry((1, 20, 20))
        data = np.zeros((1, 1, 20, 20, 3), np.uint8)
        data[..., 1] = 100
        image = Volume("v", data, geometry, is_color=True)
        mean = by_name(measure_annotation(ellipse(geometry, 0, (0.0, 10.0, 10.0), 4.0, 4.0), image))["Mean"]
        assert mean.value == pytest.approx(58.7)
        assert mean.unit == "luminance"

    def test_in_a_reformat_with_unknown_plane_distance_has_values_but_no_area(self) -> None:
        image = volume(geometry=oblique(between_known=False))
        found = by_name(measure_annotation(ellipse(image.geometry, 1, (8.0, 11.0, 14.0), 4.0, 4.0), image))
        assert (found["Area"].value, found["Perimeter"].value) == (None, None)
        assert found["Mean"].value is not None

    def test_can_leave_the_values_for_later(self) -> None:
        image = volume()
        item = measure_annotation(ellipse(image.geometry, 0, (8.0, 11.0, 14.0), 4.0, 4.0), image, with_values=False)
        assert list(by_name(item)) == ["Area", "Perimeter"]

    def test_of_a_circle_says_the_radius(self) -> None:
        item = Annotation("c", "circle", "v", ((10.0, 10.0, 0.0), (13.0, 14.0, 0.0), (6.0, 13.0, 0.0)))
        found = by_name(measure_annotation(item, volume(geometry=Geometry((1, 20, 20)))))
        assert (found["Radius"].value, found["Radius"].unit) == (5.0, "mm")
        assert found["Perimeter"].value == pytest.approx(10 * math.pi)

    @given(st.floats(0.01, 1000), st.floats(0.01, 1000))
    def test_perimeter_lies_between_its_bounds(self, a: float, b: float) -> None:
        perimeter = ellipse_perimeter(a, b)
        assert math.pi * (a + b) * (1 - 1e-12) <= perimeter <= math.pi * math.sqrt(2 * (a * a + b * b)) * (1 + 1e-12)


class TestStatistics:
    def test_of_known_numbers(self) -> None:
        found = segment_statistics(np.arange(1, 102, dtype=np.int16))
        assert (found.count, found.mean, found.median, found.minimum, found.maximum) == (101, 51.0, 51.0, 1.0, 101.0)
        assert found.sd == pytest.approx(math.sqrt(101 * 102 / 12))
        assert found.percentiles == (6.0, 11.0, 26.0, 76.0, 91.0, 96.0)

    def test_keep_their_digits_far_from_zero(self) -> None:
        values = (np.array([0, 1, 2, 3], np.float32) + 16_000_000).astype(np.float32)
        found = segment_statistics(values)
        assert found.sd == pytest.approx(math.sqrt(5 / 3), rel=1e-9)

    def test_of_nothing_are_none(self) -> None:
        found = segment_statistics(np.array([np.nan, np.inf, -5.0]), padding=(-5.0, -5.0))
        assert (found.count, found.excluded, found.mean, found.percentiles) == (0, 3, None, (None,) * 6)


class TestHandles:
    @given(st.integers(1, 4), st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 2))
    def test_half_axes_stay_at_right_angles_and_in_the_plane(self, handle: int, across: float, down: float, axis: int) -> None:
        geometry = oblique()
        item = ellipse(geometry, axis, (8.0, 11.0, 14.0), 5.0, 2.0)
        first, second = (geometry.vector(n) for n in (2, 1, 0) if n != axis)
        centre = np.asarray(item.points[0])
        wanted = tuple(float(c) for c in centre + across * first + down * second)
        result = moved(item, handle, wanted)
        u, v = np.asarray(result.points[1]) - centre, np.asarray(result.points[2]) - centre
        assert abs(u @ v) <= 1e-9 * np.linalg.norm(u) * np.linalg.norm(v) + 1e-12
        assert max(abs(u @ geometry.vector(axis)), abs(v @ geometry.vector(axis))) < 1e-9
        if math.hypot(across, down) > 1e-6:
            np.testing.assert_allclose(handles(result)[handle], wanted, atol=1e-9)
            kept = (v, 2.0) if handle in (1, 3) else (u, 5.0)
            assert np.linalg.norm(kept[0]) == pytest.approx(kept[1])

    def test_centre_takes_the_whole_along(self) -> None:
        geometry = oblique()
        item = measure_annotation(ellipse(geometry, 0, (8.0, 11.0, 14.0), 5.0, 2.0), volume())
        result = moved(item, 0, (1.0, 2.0, 3.0))
        np.testing.assert_allclose(np.diff(result.points, axis=0), np.diff(item.points, axis=0), atol=1e-12)
        assert result.points[0] == (1.0, 2.0, 3.0)
        assert result.measures == ()

    def test_circle_stays_a_circle(self) -> None:
        item = Annotation("a", "circle", "v", ((0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (0.0, 2.0, 0.0)))
        result = moved(item, 2, (3.0, 4.0, 0.0))
        np.testing.assert_allclose(np.linalg.norm(np.asarray(result.points[1:]), axis=1), 5.0)

    def test_a_half_axis_cannot_vanish(self) -> None:
        item = ellipse(oblique(), 0, (8.0, 11.0, 14.0), 5.0, 2.0)
        assert moved(item, 1, item.points[0]) == item

    def test_nearest_is_found_within_reach_only(self) -> None:
        item = Annotation("a", "distance", "v", ((0.0, 0.0, 0.0), (10.0, 0.0, 0.0)))
        assert nearest_handle(item, (9.0, 1.0, 0.0), 2.0) == (1, pytest.approx(math.sqrt(2)))
        assert nearest_handle(item, (5.0, 0.0, 0.0), 2.0) is None

    def test_plane_is_told_apart(self) -> None:
        geometry = oblique()
        item = ellipse(geometry, 0, (8.0, 11.0, 14.0), 5.0, 2.0)
        here, next_plane = (tuple(map(float, geometry.to_patient(i))) for i in ((8.3, 2, 2), (9, 11, 14)))
        assert is_in_plane(item, geometry, 0, here)
        assert not is_in_plane(item, geometry, 0, next_plane)
        assert not is_in_plane(item, geometry, 1, here)
        assert not is_in_plane(item, geometry, 0, here, phase=1)
