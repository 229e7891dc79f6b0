"""Statistics of segments: published values, SimpleITK, and a phantom whose every number is known."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from plugins.measure.segment import longest_diameter, segment_statistics
from viewer.api import Geometry, GeometryMismatch, Image, Mask, Numbers, Refused


def load(path: Path) -> tuple[NDArray[Any], Geometry]:
    image = sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(image)
    return values, Geometry(values.shape, image.GetOrigin(), image.GetSpacing()[::-1], image.GetDirection())


def as_dict(numbers: Numbers, row: int = 0) -> dict[str, Any]:
    return {c.head: v for c, v in zip(numbers.columns, numbers.rows[row], strict=True)}


def baseline(folder: Path, name: str, feature: str) -> float:
    lines = [line.split(",") for line in (folder / "baseline" / f"baseline_{name}.csv").read_text().splitlines()]
    return float(next(line[1] for line in lines if line[0] == feature))


def test_published_values_of_a_real_segment(shared_data: Path) -> None:
    folder = shared_data / "brain1"
    values, geometry = load(folder / "brain1_image.nrrd")
    mask, _ = load(folder / "brain1_label.nrrd")
    image = Image(values, geometry)
    found = as_dict(segment_statistics(image, image.mask(mask > 0)))
    names = ("Mean", "Median", "Minimum", "Maximum", "10Percentile", "90Percentile")
    first = {n: baseline(folder, "firstorder", f"original_firstorder_{n}") for n in names}
    assert found["Voxels"] == 4137
    assert found["Mean"] == pytest.approx(first["Mean"], rel=1e-12)
    assert found["SD"] == pytest.approx(math.sqrt(baseline(folder, "firstorder", "original_firstorder_Variance") * 4137 / 4136), rel=1e-9)
    assert (found["Median"], found["Minimum"], found["Maximum"]) == (first["Median"], first["Minimum"], first["Maximum"])
    assert found["Percentile 10"] == pytest.approx(first["10Percentile"])
    assert found["Percentile 90"] == pytest.approx(first["90Percentile"])
    assert found["Volume (mm³)"] == pytest.approx(baseline(folder, "shape", "original_shape_VoxelVolume"), rel=1e-12)
    assert found["Volume (mL)"] == pytest.approx(found["Volume (mm³)"] / 1000)
    # Their mesh splits ambiguous cubes in another way.
    assert found["Surface area (mm²)"] == pytest.approx(baseline(folder, "shape", "original_shape_SurfaceArea"), rel=0.01)
    centre = sitk.LabelShapeStatisticsImageFilter()
    centre.Execute(sitk.Cast(sitk.ReadImage(str(folder / "brain1_label.nrrd")) > 0, sitk.sitkUInt8))
    np.testing.assert_allclose([found[f"Centroid {c} (mm)"] for c in "xyz"], centre.GetCentroid(1), rtol=1e-9)


def test_each_label_has_a_row_and_lies_where_simpleitk_says() -> None:
    rng = np.random.default_rng(2)
    labels = np.zeros((9, 14, 19), np.uint8)
    labels[1:5, 2:9, 3:8], labels[3:8, 9:13, 10:18] = 1, 4
    values = rng.normal(50, 20, labels.shape).astype(np.float32)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((0.5, 0.7, 3.0))
    image.SetOrigin((10, -20, 30))
    image.SetDirection((0.8, 0, 0.6, 0, 1, 0, -0.6, 0, 0.8))
    mask = sitk.GetImageFromArray(labels)
    mask.CopyInformation(image)
    shape, stats = sitk.LabelShapeStatisticsImageFilter(), sitk.LabelIntensityStatisticsImageFilter()
    shape.ComputeFeretDiameterOn()
    shape.Execute(mask)
    stats.Execute(mask, image)
    ours = Image(values, Geometry(labels.shape, image.GetOrigin(), image.GetSpacing()[::-1], image.GetDirection()), unit="HU")
    numbers = segment_statistics(ours, labels=ours.labels(labels, ("Liver", "", "", "Spleen")))
    rows = {row["Label"]: row for row in (as_dict(numbers, n) for n in range(len(numbers.rows)))}
    assert [rows[n]["Segment"] for n in (1, 4)] == ["Liver", "Spleen"]
    for label in (1, 4):
        row = rows[label]
        assert row["Voxels"] == shape.GetNumberOfPixels(label)
        assert row["Volume (mm³)"] == pytest.approx(shape.GetPhysicalSize(label))
        np.testing.assert_allclose([row[f"Centroid {c} (mm)"] for c in "xyz"], shape.GetCentroid(label), atol=1e-9)
        assert row["Longest diameter (mm)"] == pytest.approx(shape.GetFeretDiameter(label))
        assert row["Mean (HU)"] == pytest.approx(stats.GetMean(label))
        assert row["SD (HU)"] == pytest.approx(stats.GetStandardDeviation(label))
    empty = rows[2]
    assert (empty["Voxels"], empty["Mean (HU)"], empty["Longest diameter (mm)"], empty["Centroid x (mm)"]) == (0, None, None, None)


def test_surface_of_a_ball_is_near_its_formula() -> None:
    spacing = (1.0, 0.5, 0.8)
    z, y, x = np.indices((50, 100, 62))
    ball = ((z - 25) * 1.0) ** 2 + ((y - 50) * 0.5) ** 2 + ((x - 31) * 0.8) ** 2 <= 20**2
    image = Image(np.zeros(ball.shape, np.int16), Geometry(ball.shape, spacing=spacing))
    found = as_dict(segment_statistics(image, image.mask(ball)))
    # The surface of a yes/no ball is stepped: its mesh is about a tenth larger than the ball's.
    assert 1.0 < found["Surface area (mm²)"] / (4 * math.pi * 400) < 1.15
    assert found["Volume (mm³)"] == pytest.approx(4 / 3 * math.pi * 8000, rel=0.01)


def test_one_slice_has_an_area_and_no_volume() -> None:
    mask = np.zeros((1, 20, 30), bool)
    mask[0, 5:9, 10:16] = True
    image = Image(np.ones(mask.shape, np.int16), Geometry(mask.shape, spacing=(5.0, 0.5, 2.0)))
    found = as_dict(segment_statistics(image, image.mask(mask)))
    assert found["Area (mm²)"] == 24.0
    assert (found["Volume (mL)"], found["Volume (mm³)"]) == (None, None)
    assert found["Longest diameter (mm)"] == pytest.approx(math.hypot(3 * 0.5, 5 * 2.0))


def test_without_spacing_everything_is_in_pixels() -> None:
    mask = np.zeros((1, 20, 30), bool)
    mask[0, 5:9, 10:16] = True
    image = Image(np.ones(mask.shape, np.int16), Geometry(mask.shape, is_patient=False, in_plane_known=False, between_known=False))
    found = as_dict(segment_statistics(image, image.mask(mask)))
    assert found["Area (px²)"] == 24.0
    assert found["Longest diameter (px)"] == pytest.approx(math.hypot(3, 5))
    assert (found["Centroid x (px)"], found["Centroid y (px)"]) == (12.5, 6.5)


def test_projection_images_never_have_plain_millimetres() -> None:
    mask = np.ones((1, 4, 5), bool)
    image = Image(np.ones(mask.shape, np.int16), Geometry(mask.shape), modality="DX")
    heads = [c.head for c in segment_statistics(image, image.mask(mask)).columns]
    assert "Area (mm² estimated)" in heads
    assert "Longest diameter (mm estimated)" in heads


def test_unknown_distance_of_planes_leaves_three_dimensional_measures_out() -> None:
    mask = np.ones((4, 5, 6), bool)
    image = Image(np.ones(mask.shape, np.int16), Geometry(mask.shape, between_known=False))
    found = as_dict(segment_statistics(image, image.mask(mask)))
    assert [found[n] for n in ("Volume (mL)", "Surface area (mm²)", "Longest diameter (mm)")] == [None] * 3
    assert found["Voxels"] == 120


def test_padding_counts_as_segment_but_not_in_statistics() -> None:
    values = np.full((3, 4, 5), 7.0, np.float32)
    values[0], values[1, 0, 0] = -1024, np.nan
    image = Image(values, Geometry(values.shape), padding=(-1024.0, -1024.0))
    found = as_dict(segment_statistics(image, image.mask(np.ones(values.shape, bool))))
    assert (found["Voxels"], found["Excluded"], found["Mean"], found["Minimum"]) == (60, 21, 7.0, 7.0)


def test_an_empty_mask_gives_none() -> None:
    image = Image(np.ones((3, 4, 5), np.int16), Geometry((3, 4, 5)))
    found = as_dict(segment_statistics(image, image.mask(np.zeros((3, 4, 5), bool))))
    assert (found["Voxels"], found["Volume (mL)"], found["Mean"], found["Percentile 5"]) == (0, 0.0, None, None)


def test_a_mask_limits_the_labels() -> None:
    labels = np.ones((3, 4, 5), np.uint8)
    image = Image(np.ones((3, 4, 5), np.int16), Geometry((3, 4, 5)))
    half = np.zeros((3, 4, 5), bool)
    half[:, :2] = True
    assert as_dict(segment_statistics(image, image.mask(half), image.labels(labels)))["Voxels"] == 30


def test_without_a_segment_is_refused() -> None:
    with pytest.raises(Refused, match="segment"):
        segment_statistics(Image(np.ones((3, 4, 5), np.int16), Geometry((3, 4, 5))))


def test_a_mask_of_another_grid_is_refused() -> None:
    image = Image(np.ones((3, 4, 5), np.int16), Geometry((3, 4, 5)))
    with pytest.raises(GeometryMismatch):
        segment_statistics(image, Mask(np.ones((3, 4, 6), bool), Geometry((3, 4, 6))))


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=25))
def test_longest_diameter_is_the_largest_of_all_pairs(places: set[tuple[int, int, int]]) -> None:
    spacing = np.array([3.0, 0.7, 0.5])
    mask = np.zeros((5, 6, 7), bool)
    mask[tuple(np.array(sorted(places)).T)] = True
    pairs = combinations(np.argwhere(mask) * spacing, 2)
    expected = max((float(np.linalg.norm(a - b)) for a, b in pairs), default=0.0)
    assert longest_diameter(mask, (3.0, 0.7, 0.5)) == pytest.approx(expected)
