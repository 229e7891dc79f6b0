"""Stacks that lean, have uneven gaps or miss planes: every voxel in its place. Expected places by arithmetic on the planes' own origins,
of evenly leaning stacks by SimpleITK's affine transform."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.evenness import evenness_of
from viewer.core.geometry import Geometry

HEIGHTS = (0.0, 2.0, 4.1, 5.0, 12.0)
OBLIQUE = np.array([[0.8, 0.36, -0.48], [0.0, 0.8, 0.6], [0.6, -0.48, 0.64]])


def stack(heights: tuple[float, ...] = HEIGHTS, *, lean: float = 0.25, turn: np.ndarray = OBLIQUE, known: bool = False) -> Geometry:
    """A stack with rows 0.5 mm and columns 2 mm apart, each plane shifted along the rows by ``lean`` times its height."""
    origin = np.array([-20.0, 30.0, 400.0])
    places = [origin + turn[:, 2] * h + turn[:, 1] * lean * h for h in heights]
    origins = tuple((float(x), float(y), float(z)) for x, y, z in places)
    middle = float(np.median(np.diff(heights)))
    direction = tuple(float(c) for c in turn.ravel())
    return Geometry((len(heights), 6, 7), origins[0], (middle, 0.5, 2.0), direction, between_known=known, plane_origins=origins)


def place_of(geometry: Geometry, k: int, j: float, i: float, turn: np.ndarray = OBLIQUE) -> np.ndarray:
    """DICOM's own equation (PS3.3 C.7.6.2.1.1), for the plane's own position."""
    return np.asarray(geometry.plane_origins[k]) + turn[:, 1] * 0.5 * j + turn[:, 0] * 2.0 * i


def every(geometry: Geometry) -> list[tuple[int, int, int]]:
    return list(itertools.product(*[range(n) for n in geometry.shape]))  # type: ignore[arg-type]


def test_each_voxel_of_each_plane_lies_where_its_own_position_says() -> None:
    geometry = stack()
    for k, j, i in every(geometry):
        np.testing.assert_allclose(geometry.to_patient((k, j, i)), place_of(geometry, k, j, i), atol=1e-12)
        np.testing.assert_allclose(geometry.to_index(place_of(geometry, k, j, i)), (k, j, i), atol=1e-9)
    many = np.array(every(geometry))
    np.testing.assert_allclose(geometry.to_patient(many), [place_of(geometry, *n) for n in many], atol=1e-12)


@given(st.tuples(st.floats(-3, 8), st.floats(-9, 9), st.floats(-9, 9)))
def test_indices_between_and_beyond_the_planes_come_back(index: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(stack().to_index(stack().to_patient(index)), index, atol=1e-9)


def test_between_planes_the_way_is_shared_and_beyond_them_the_median_goes_on() -> None:
    geometry = stack()
    middle = (np.asarray(geometry.plane_origins[3]) + geometry.plane_origins[4]) / 2
    np.testing.assert_allclose(geometry.to_patient((3.5, 0, 0)), middle, atol=1e-12)
    beyond = (geometry.to_patient((5, 0, 0)) - geometry.plane_origins[4]) @ OBLIQUE[:, 2]
    assert beyond == pytest.approx(float(np.median(np.diff(HEIGHTS))))


def test_a_place_where_planes_are_missing_is_in_no_voxel() -> None:
    geometry = stack()
    inside = place_of(geometry, 3, 2, 2) + OBLIQUE[:, 2] * 3.4  # between the planes at 5 and 12 mm
    assert geometry.nearest(inside) is None
    assert geometry.nearest(place_of(geometry, 3, 2, 2) + OBLIQUE[:, 2] * 0.3) == (3, 2, 2)


def test_an_evenly_leaning_stack_is_simpleitks_affine() -> None:
    geometry = stack((0.0, 3.0, 6.0, 9.0), lean=np.tan(np.radians(15)), known=True)
    columns = np.stack([OBLIQUE[:, 0] * 2, OBLIQUE[:, 1] * 0.5, (OBLIQUE[:, 2] + OBLIQUE[:, 1] * np.tan(np.radians(15))) * 3], axis=1)
    truth = sitk.AffineTransform([float(c) for c in columns.ravel()], geometry.origin)
    for k, j, i in ((0, 0, 0), (3, 5, 6), (1.25, 2.5, 3.75), (-0.5, -0.5, -0.5)):
        expected = truth.TransformPoint((float(i), float(j), float(k)))
        np.testing.assert_allclose(geometry.to_patient((k, j, i)), expected, atol=1e-9)
        np.testing.assert_allclose((geometry.affine @ (i, j, k, 1))[:3], expected, atol=1e-9)
    assert geometry.voxel_volume_mm3 == pytest.approx(abs(np.linalg.det(columns)))
    assert geometry.has_volume


def test_the_affine_of_an_uneven_stack_holds_at_both_ends() -> None:
    geometry = stack()
    for k in (0, 4):
        np.testing.assert_allclose((geometry.affine @ (3, 2, k, 1))[:3], place_of(geometry, k, 2, 3), atol=1e-9)


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_permuted_flipped_and_cropped_stacks_keep_each_voxel(order: tuple[int, int, int]) -> None:
    geometry = stack()
    permuted = geometry.permuted(order)
    for index in every(geometry):
        np.testing.assert_allclose(permuted.to_patient([index[n] for n in order]), geometry.to_patient(index), atol=1e-9)
    assert permuted.knows(order.index(0)) is False
    assert permuted.knows(order.index(2)) is True
    for axis in range(3):
        flipped = permuted.flipped(axis)
        other = [n - 1 - 1 if a == axis else 1 for a, n in enumerate(permuted.shape)]
        np.testing.assert_allclose(flipped.to_patient([1, 1, 1]), permuted.to_patient(other), atol=1e-9)
        assert flipped.flipped(axis).same_grid(permuted)
    start, shape = [1, 1, 1], [permuted.shape[n] - 2 for n in range(3)]
    cropped = permuted.cropped((1, 1, 1), (shape[0], shape[1], shape[2]))
    np.testing.assert_allclose(
        cropped.to_patient([n - 1 for n in shape]), permuted.to_patient([s + n - 1 for s, n in zip(start, shape, strict=True)]), atol=1e-9
    )


def test_one_plane_of_an_uneven_stack_is_a_rectangular_grid_in_its_place() -> None:
    plane = stack().cropped((4, 0, 0), (1, 6, 7))
    assert plane.is_rectangular
    np.testing.assert_allclose(plane.to_patient((0, 5, 6)), place_of(stack(), 4, 5, 6), atol=1e-12)
    column = stack().cropped((0, 0, 3), (5, 6, 1)).permuted((2, 0, 1))
    assert column.plane_axis == 1
    np.testing.assert_allclose(column.to_patient((0, 4, 5)), place_of(stack(), 4, 5, 3), atol=1e-12)


def test_grids_that_differ_in_one_plane_in_the_middle_are_not_the_same() -> None:
    geometry = stack()
    moved = list(geometry.plane_origins)
    moved[2] = (moved[2][0] + 0.5, moved[2][1], moved[2][2])
    assert geometry.same_grid(replace(geometry))
    assert not geometry.same_grid(replace(geometry, plane_origins=tuple(moved)))
    assert not geometry.same_grid(replace(geometry, plane_origins=()))
    assert not replace(geometry, plane_origins=()).same_grid(geometry)


def test_the_straight_grid_holds_every_voxel_with_the_same_ends() -> None:
    geometry = stack()
    straight = geometry.straight()
    assert straight.is_rectangular
    indices = straight.to_index(np.array([geometry.to_patient(n) for n in every(geometry)]))
    assert indices.min() > -1e-6
    assert (indices.max(axis=0) < np.asarray(straight.shape) - 1 + 0.06).all()
    np.testing.assert_allclose(indices[:, 0].max(), straight.shape[0] - 1, atol=1e-9)
    assert straight.spacing[0] == pytest.approx(12 / round(12 / 2.05))
    assert geometry.resampled((1.0, 1.0, 1.0)).is_rectangular


@pytest.mark.parametrize(
    "wrong",
    [{"plane_origins": ((0.0, 0.0, 0.0),)}, {"plane_origins": ((0.0, 0.0, 0.0), (0.0, 0.0, -1.0))}, {"plane_axis": 3},
     {"plane_origins": ((0.0, 0.0, 1.0), (0.0, 0.0, 2.0))}, {"plane_origins": ((0.0, 0.0, 0.0), (0.0, 0.0, float("nan")))}],
)  # fmt: skip
def test_places_of_planes_that_make_no_stack_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Geometry((2, 3, 4), **wrong)  # type: ignore[arg-type]


def judged(heights: tuple[float, ...], lean: float = 0.0) -> object:
    geometry = stack(heights, lean=lean)
    return evenness_of(geometry.plane_origins, geometry.vector(0))


def test_d59_an_even_stack_is_even_and_its_distances_are_told() -> None:
    found = judged((0.0, 2.0, 4.0, 6.0))
    assert (found.is_even, found.is_tilted, found.missing) == (True, False, ())
    assert (found.least, found.median, found.most) == pytest.approx((2.0, 2.0, 2.0))
    assert found.mean == pytest.approx(2.0)


def test_d59_one_per_cent_is_even_and_more_is_not() -> None:
    assert judged((0.0, 2.0, 4.019, 6.0)).is_even
    assert not judged((0.0, 2.0, 4.3, 6.0)).is_even
    # Each gap is within one per cent, but at the end the plane is far from where a regular grid has it.
    drift = tuple(float(n) for n in np.cumsum([0.0, *[1.0] * 30, *[1.0099] * 30]))
    assert not judged(drift).is_even


def test_d60_missing_planes_are_counted_with_their_places() -> None:
    found = judged((0.0, 2.0, 4.0, 10.0, 12.0, 16.0))
    assert found.missing == ((2, 2), (1, 4))
    assert not found.is_even


def test_d62_the_tilt_is_the_angle_between_the_way_and_the_normal() -> None:
    heights = (0.0, 3.0, 6.0, 9.0)
    found = judged(heights, float(np.tan(np.radians(15))))
    assert found.tilt_degrees == pytest.approx(15.0)
    assert found.is_tilted
    assert found.is_even
    assert not judged(heights, float(np.tan(np.radians(0.05)))).is_tilted
    assert judged(heights, float(np.tan(np.radians(0.2)))).is_tilted
