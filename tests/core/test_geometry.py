"""Where voxels lie, against SimpleITK's TransformIndexToPhysicalPoint: oblique, left-handed, permuted, cropped and resampled grids."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.geometry import Geometry, letters, place_text

PLACE = st.floats(-500, 500, width=32)
SPACING = st.floats(0.125, 8, width=32)


@st.composite
def geometries(draw: Any) -> Geometry:
    """Any orthonormal direction, of either hand."""
    # Steps of 0.1 mrad: with a component near 1e-324 ITK's own inverse gives NaN.
    angles = [draw(st.integers(-31415, 31415)) / 10000 for _ in range(3)]
    cx, cy, cz = np.cos(angles)
    sx, sy, sz = np.sin(angles)
    matrix = (
        np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    )
    if draw(st.booleans()):
        matrix[:, 2] *= -1
    shape = tuple(draw(st.integers(1, 12)) for _ in range(3))
    return Geometry(
        shape,
        tuple(draw(PLACE) for _ in range(3)),
        tuple(draw(SPACING) for _ in range(3)),
        tuple(float(c) for c in matrix.ravel()),  # type: ignore[arg-type]
    )


def as_sitk(geometry: Geometry) -> sitk.Image:
    image = sitk.Image([int(n) for n in geometry.shape[::-1]], sitk.sitkUInt8)
    image.SetSpacing([float(s) for s in geometry.spacing[::-1]])
    image.SetDirection(geometry.direction)
    image.SetOrigin(geometry.origin)
    return image


def corners(geometry: Geometry) -> list[tuple[int, int, int]]:
    return list(itertools.product(*[(0, n - 1) for n in geometry.shape]))  # type: ignore[arg-type]


@given(geometries())
def test_places_are_those_of_simpleitk(geometry: Geometry) -> None:
    image = as_sitk(geometry)
    for index in corners(geometry):
        expected = image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])
        np.testing.assert_allclose(geometry.to_patient(index), expected, atol=1e-6)
        np.testing.assert_allclose((geometry.affine @ [*index[::-1], 1])[:3], expected, atol=1e-6)


@given(geometries(), st.tuples(*[st.floats(-20, 20)] * 3))
def test_indices_come_back_with_fractions(geometry: Geometry, index: tuple[float, float, float]) -> None:
    place = geometry.to_patient(index)
    np.testing.assert_allclose(geometry.to_index(place), index, atol=1e-6)
    expected = as_sitk(geometry).TransformPhysicalPointToContinuousIndex([float(c) for c in place])
    np.testing.assert_allclose(geometry.to_index(place), expected[::-1], atol=1e-4)


@given(geometries(), st.permutations((0, 1, 2)))
def test_a_permuted_grid_holds_each_voxel_in_its_place(geometry: Geometry, order: list[int]) -> None:
    permuted = geometry.permuted((order[0], order[1], order[2]))
    for index in corners(geometry):
        np.testing.assert_allclose(permuted.to_patient([index[n] for n in order]), geometry.to_patient(index), atol=1e-6)
    image = sitk.PermuteAxes(as_sitk(geometry), [2 - n for n in order[::-1]])
    np.testing.assert_allclose(permuted.direction, image.GetDirection(), atol=1e-12)
    assert permuted.shape == image.GetSize()[::-1]


@given(geometries(), st.data())
def test_a_cropped_grid_starts_where_simpleitk_says(geometry: Geometry, data: st.DataObject) -> None:
    start = [data.draw(st.integers(0, n - 1)) for n in geometry.shape]
    shape = [data.draw(st.integers(1, n - s)) for n, s in zip(geometry.shape, start, strict=True)]
    cropped = geometry.cropped((start[0], start[1], start[2]), (shape[0], shape[1], shape[2]))
    image = sitk.RegionOfInterest(as_sitk(geometry), shape[::-1], start[::-1])
    np.testing.assert_allclose(cropped.origin, image.GetOrigin(), atol=1e-6)
    assert cropped.shape == image.GetSize()[::-1]


@given(geometries(), st.tuples(SPACING, SPACING, SPACING))
def test_a_resampled_grid_begins_at_the_same_edge(geometry: Geometry, spacing: tuple[float, float, float]) -> None:
    resampled = geometry.resampled(spacing)
    np.testing.assert_allclose(resampled.to_patient((-0.5, -0.5, -0.5)), geometry.to_patient((-0.5, -0.5, -0.5)), atol=1e-6)
    extent = np.asarray(geometry.shape) * geometry.spacing
    for got, wanted, step in zip(np.asarray(resampled.shape) * spacing, extent, spacing, strict=True):
        assert abs(got - wanted) <= step / 2 + 1e-6 or got == step


@given(geometries())
def test_a_place_belongs_to_the_voxel_whose_cell_holds_it(geometry: Geometry) -> None:
    for index in corners(geometry):
        assert geometry.nearest(geometry.to_patient(np.asarray(index) + 0.49)) == index
        assert geometry.contains(index)
    assert geometry.nearest(geometry.to_patient((-0.51, 0, 0))) is None
    assert geometry.nearest(geometry.to_patient((geometry.shape[0] - 0.49, 0, 0))) is None


@given(geometries())
def test_display_planes_go_along_three_different_axes(geometry: Geometry) -> None:
    assert sorted(geometry.axis_of(plane) for plane in ("axial", "coronal", "sagittal")) == [0, 1, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "axes"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), {"axial": 0, "coronal": 1, "sagittal": 2}),
        ((0, 0, 1, 1, 0, 0, 0, -1, 0), {"sagittal": 0, "axial": 1, "coronal": 2}),  # columns P, rows F, planes L
        ((1, 0, 0, 0, 0, 1, 0, -1, 0), {"coronal": 0, "axial": 1, "sagittal": 2}),
        ((-1, 0, 0, 0, -1, 0, 0, 0, -1), {"axial": 0, "coronal": 1, "sagittal": 2}),
    ],
)
def test_display_planes_of_the_usual_acquisitions(direction: tuple[float, ...], axes: dict[str, int]) -> None:
    geometry = Geometry((4, 5, 6), direction=tuple(float(c) for c in direction))
    assert {plane: geometry.axis_of(plane) for plane in axes} == axes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("vector", "text"),
    [((1, 0, 0), "L"), ((-1, 0, 0), "R"), ((0, 1, 0), "P"), ((0, -1, 0), "A"), ((0, 0, 1), "H"), ((0, 0, -1), "F"), ((0.866, 0.5, 0), "LP"),
     ((0.5, -0.5, -0.707), "FLA"), ((0.9963, 0.086, 0), "L"), ((0.996, 0.0875, 0), "LP")],
)  # fmt: skip
def test_letters_of_a_direction(vector: tuple[float, float, float], text: str) -> None:
    assert letters(vector) == text


def test_letters_of_the_ends_are_opposite() -> None:
    geometry = Geometry((4, 5, 6))
    assert [geometry.letters(axis) + geometry.letters(axis, -1) for axis in (0, 1, 2)] == ["HF", "PA", "LR"]
    assert Geometry((4, 5, 6), is_patient=False).letters(0) == ""


def test_without_a_spacing_lengths_are_pixels_and_there_is_no_volume() -> None:
    geometry = Geometry((4, 5, 6), in_plane_known=False)
    assert (geometry.unit, geometry.voxel_volume_mm3, geometry.has_volume) == ("px", None, False)
    assert Geometry((4, 5, 6), spacing=(2.0, 0.5, 0.25)).voxel_volume_mm3 == 0.25
    assert Geometry((4, 5, 6), between_known=False).voxel_volume_mm3 is None


@pytest.mark.parametrize(
    "wrong",
    [{"shape": (0, 1, 1)}, {"shape": (1, 1)}, {"spacing": (0.0, 1.0, 1.0)}, {"spacing": (1.0, -1.0, 1.0)}, {"spacing": (float("nan"), 1.0, 1.0)},
     {"origin": (float("inf"), 0.0, 0.0)}, {"direction": (1.0,) * 8}, {"direction": (float("nan"),) * 9}],
)  # fmt: skip
def test_what_is_no_grid_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Geometry(**{"shape": (1, 2, 3), **wrong})


def test_two_grids_are_the_same_to_a_hundredth_of_a_voxel() -> None:
    geometry = Geometry((40, 50, 60), (1.0, 2.0, 3.0), (2.0, 0.5, 0.5))
    assert geometry.same_grid(Geometry((40, 50, 60), (1.001, 2.0, 3.0), (2.0, 0.5, 0.5)))
    assert not geometry.same_grid(Geometry((40, 50, 60), (1.02, 2.0, 3.0), (2.0, 0.5, 0.5)))
    assert not geometry.same_grid(Geometry((40, 50, 60), (1.0, 2.0, 3.0), (2.0, 0.501, 0.5)))
    assert not geometry.same_grid(Geometry((40, 50, 61), (1.0, 2.0, 3.0), (2.0, 0.5, 0.5)))
    assert not geometry.same_grid(Geometry((40, 50, 60), (1.0, 2.0, 3.0), (2.0, 0.5, 0.5), is_patient=False))


def test_a_place_in_words_has_letters_instead_of_signs() -> None:
    assert place_text((12.34, -45.6, 78.94), "mm", True) == "L 12.3  A 45.6  H 78.9 mm"
    assert place_text((12.34, -45.6, 0.0), "px", False) == "x 12.3  y -45.6  z 0.0 px"


def test_the_corners_of_a_grid_are_those_of_its_voxels_or_the_centres_of_the_outermost() -> None:
    geometry = Geometry((3, 4, 5), (10.0, 20.0, 30.0), (2.0, 1.0, 0.5))
    around, centres = geometry.corners(), geometry.corners(0.0)
    assert around.shape == centres.shape == (8, 3)
    np.testing.assert_allclose((around.min(axis=0), around.max(axis=0)), ((9.75, 19.5, 29.0), (12.25, 23.5, 35.0)))
    np.testing.assert_allclose((centres.min(axis=0), centres.max(axis=0)), ((10.0, 20.0, 30.0), (12.0, 23.0, 34.0)))
    assert len(np.unique(around, axis=0)) == 8
