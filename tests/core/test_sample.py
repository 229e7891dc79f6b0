"""Planes and slabs through volumes. Oracles: SimpleITK's resampling, numpy's reductions, functions of the place that linear interpolation
gives exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry
from viewer.core.oblique import oblique_of, turned_about
from viewer.core.sample import gap_of, plane_slab, sample, slab
from viewer.core.slab import reach
from viewer.io import open as io_open

IDENTITY = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
RNG = np.random.default_rng(11)


def turn(*turns: tuple[tuple[float, float, float], float]) -> tuple[float, ...]:
    """Turned from axial about axes of the patient, one after the other."""
    found = IDENTITY
    for axis, degrees in turns:
        found = turned_about(found, axis, degrees)
    return found


def itk_image(values: np.ndarray, geometry: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetOrigin(geometry.origin)
    image.SetSpacing(geometry.spacing[::-1])
    image.SetDirection(geometry.direction)
    return image


def itk_plane(image: sitk.Image, cut: Cut, interpolator: int = sitk.sitkLinear) -> np.ndarray:
    """SimpleITK's plane where a cut lies; NaN outside of the volume."""
    resample = sitk.ResampleImageFilter()
    resample.SetSize((cut.shape[1], cut.shape[0], 1))
    resample.SetOutputOrigin(cut.origin)
    resample.SetOutputSpacing((cut.step, cut.down_step, 1.0))
    resample.SetOutputDirection(np.stack([cut.right, cut.down, cut.normal], axis=1).ravel().tolist())
    resample.SetInterpolator(interpolator)
    resample.SetOutputPixelType(sitk.sitkFloat64)
    resample.SetDefaultPixelValue(-1e6)
    found = sitk.GetArrayFromImage(resample.Execute(image))[0]
    return np.where(found == -1e6, np.nan, found)


def agree(ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    """Equal where both have values; at the rim one may have a value by rounding where the other has none."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > 0.99 * np.isfinite(theirs).sum()
    assert (np.isfinite(ours) != np.isfinite(theirs)).sum() <= 0.01 * ours.size
    assert np.abs(ours - theirs)[both].max() <= tolerance


TURNS = {
    "axial": turn(),
    "coronal": turn(((1, 0, 0), 90)),
    "sagittal": turn(((1, 0, 0), 90), ((0, 0, 1), 90)),
    "about one axis": turn(((1, 0, 0), 30)),
    "about two axes": turn(((1, 0, 0), 30), ((0, 0, 1), 20)),
    "steep": turn(((1, 2, 3), 77)),
}
SERIES = {"mr_head_t1": "mr_head_t1", "ct": "petctmr_sts001/ct", "pet": "petctmr_sts001/pet_suv", "mr": "petctmr_sts001/mr_t1"}


@pytest.mark.parametrize("name", SERIES)
def test_oblique_planes_of_real_series_are_simpleitks(shared_data: Path, inline_pool: Any, name: str) -> None:
    (entry,) = io_open.find([shared_data / SERIES[name]]).series
    volume = io_open.load(entry, pool=inline_pool)
    values, geometry = volume.phase(0), volume.geometry
    image = itk_image(values, geometry)
    # Half of a grey level of 256 over what the series holds, and never more than one unit of whole numbers.
    tolerance = min(0.5 * float(np.ptp(values)) / 256, 1.0 if values.dtype.kind in "iu" else np.inf)
    for its_turn in TURNS.values():
        layout = oblique_of(geometry, its_turn)
        assert layout is not None
        for index in (layout.count // 3, layout.count // 2):
            cut = layout.cut(geometry, index)
            agree(sample(values, geometry, cut), itk_plane(image, cut), tolerance)


@pytest.mark.parametrize("name", TURNS)
def test_c16_masks_take_the_nearest_voxel_as_simpleitk_does(name: str) -> None:
    labels = RNG.integers(0, 5, (21, 32, 27)).astype(np.uint8)
    geometry = Geometry(labels.shape, (-7, 3, 11), (2.3, 0.7, 0.9), turn(((0.2, 1, 0.1), 13)))
    layout = oblique_of(geometry, TURNS[name])
    assert layout is not None
    for index in range(0, layout.count, 5):
        cut = layout.cut(geometry, index)
        ours = sample(labels, geometry, cut, order=0, empty=0)
        theirs = np.nan_to_num(itk_plane(itk_image(labels, geometry), cut, sitk.sitkNearestNeighbor))
        assert ours.dtype == np.uint8
        assert (ours != theirs).mean() < 0.002  # half-way between two voxels either may be taken
        assert set(np.unique(ours)) <= set(range(5))


@given(st.floats(0.3, 5), st.floats(0.3, 5), st.floats(0.3, 5), st.integers(0, 10**6))
def test_what_is_linear_in_place_is_exact_on_any_plane(a: float, b: float, c: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    geometry = Geometry((9, 11, 13), tuple(rng.normal(size=3) * 50), (a, b, c), turned_about(IDENTITY, axis, float(rng.uniform(0, 360))))
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    slope = rng.normal(size=3)
    values = (geometry.to_patient(index) @ slope).astype(np.float32)
    layout = oblique_of(geometry, turned_about(IDENTITY, rng.normal(size=3), float(rng.uniform(0, 360))))
    assert layout is not None
    cut = layout.cut(geometry, layout.count // 2)
    found = sample(values, geometry, cut)
    rows, columns = np.meshgrid(*map(np.arange, cut.shape), indexing="ij")
    places = cut.to_patient(rows, columns)
    at = geometry.to_index(places)
    inside = ((at >= 0) & (at <= np.asarray(geometry.shape) - 1)).all(axis=-1)
    np.testing.assert_allclose(found[inside], (places @ slope)[inside], atol=2e-3 * (1 + np.abs(values).max()))
    outside = ((at < -0.501) | (at > np.asarray(geometry.shape) - 0.499)).any(axis=-1)
    assert np.isnan(found[outside]).all()
    within = ((at > -0.499) & (at < np.asarray(geometry.shape) - 0.501)).all(axis=-1)
    assert np.isfinite(found[within]).all()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.float32, np.bool_])
@pytest.mark.parametrize("shape", [(1, 20, 30), (20, 1, 30), (20, 30, 1), (1, 1, 1), (2, 300, 7)])
def test_a_plane_along_the_array_is_its_values(shape: tuple[int, int, int], kind: Any) -> None:
    values = (RNG.random(shape) * 200).astype(kind)
    geometry = Geometry(shape, (1, 2, 3), (3.0, 1.5, 1.5))
    cut = Cut((1, 2, 3), (1, 0, 0), (0, 1, 0), 1.5, shape[1:])
    np.testing.assert_allclose(sample(values, geometry, cut), values[0].astype(np.float32), atol=1e-3)
    np.testing.assert_array_equal(sample(values, geometry, cut, order=0, empty=0), values[0])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("mode", "gather"), [("mip", np.max), ("minip", np.min), ("mean", np.mean)])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_a_slab_along_the_array_is_numpys_reduction(axis: int, mode: Any, gather: Any, kind: Any) -> None:
    values = (RNG.random((31, 40, 33)) * 250).astype(kind)
    for index, beside in ((15, 7), (15, 4), (0, 6), (30, 3), (12, 0)):
        part = np.moveaxis(values, axis, 0)[max(0, index - beside) : index + beside + 1].astype(np.float64)
        found = plane_slab(values, axis, index, beside, mode)
        np.testing.assert_allclose(found, gather(part, axis=0), rtol=1e-6)
        if mode != "mean":
            assert found.dtype == kind


@pytest.mark.parametrize(("mode", "gather"), [("mip", np.nanmax), ("minip", np.nanmin), ("mean", np.nanmean)])
def test_an_oblique_slab_is_numpys_reduction_of_simpleitks_planes(mode: Any, gather: Any) -> None:
    values = RNG.integers(-500, 500, (40, 50, 60)).astype(np.int16)
    geometry = Geometry(values.shape, (5, -4, 3), (1.0, 0.6, 0.6))
    layout = oblique_of(geometry, TURNS["about two axes"])
    assert layout is not None
    cut = layout.cut(geometry, layout.count // 2)
    distance = geometry.spacing_along(cut.normal)
    beside = int(8.0 / 2 / distance)
    assert beside > 3
    image = itk_image(values, geometry)
    planes = np.stack([itk_plane(image, cut.shifted(n * distance)) for n in range(-beside, beside + 1)])
    seen = np.isfinite(planes).all(axis=0)
    found = slab(values, geometry, cut, thickness=8.0, mode=mode)
    np.testing.assert_allclose(found[seen], gather(planes[:, seen], axis=0), atol=0.1)
    some = np.isfinite(planes).any(axis=0)
    assert np.isnan(found[~some]).mean() > 0.98
    assert np.isfinite(found[some]).mean() > 0.98


def test_a_slab_holds_the_planes_within_half_its_thickness() -> None:
    assert [reach(mm, 0.7) for mm in (20.0, 1.4, 1.39, 0.1, 2.8)] == [14, 1, 0, 0, 2]


def test_holes_in_the_values_do_not_count_in_a_slab() -> None:
    values = np.full((5, 8, 8), 3.0, np.float32)
    values[2] = np.nan
    values[4] = 9.0
    geometry = Geometry(values.shape)
    cut = Cut((0, 0, 2), (1, 0, 0), (0, 1, 0), 1.0, (8, 8))
    assert slab(values, geometry, cut, thickness=4, mode="mip")[4, 4] == 9
    assert slab(values, geometry, cut, thickness=4, mode="mean")[4, 4] == pytest.approx((3 + 3 + 3 + 9) / 4)
    np.testing.assert_array_equal(sample(values, geometry, cut.shifted(-1)), np.full((8, 8), 3))  # on a plane, beside one without values
    assert np.isnan(slab(values, geometry, cut, thickness=1, mode="mean")).all()


def leaning(heights: list[float]) -> Geometry:
    origins = tuple((10.0, 0.25 * h, h) for h in heights)
    return Geometry((len(heights), 40, 30), origins[0], (float(np.median(np.diff(heights))), 1.0, 1.0), plane_origins=origins)


@pytest.mark.parametrize("heights", [[2.0 * n for n in range(20)], [0.0, 1.5, 3.5, 6.0, 7.5, 9.5, 12.0, 13.5, 15.5]], ids=["even", "uneven"])
def test_d62_a_leaning_stack_is_sampled_where_its_planes_lie(heights: list[float]) -> None:
    geometry = leaning(heights)
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1)
    slope = np.array([3.0, -2.0, 5.0])
    values = (geometry.to_patient(index) @ slope).astype(np.float32)
    layout = oblique_of(geometry, TURNS["about two axes"])
    assert layout is not None
    cut = layout.cut(geometry, layout.count // 2)
    rows, columns = np.meshgrid(*map(np.arange, cut.shape), indexing="ij")
    places = cut.to_patient(rows, columns)
    at = geometry.to_index(places)
    inside = ((at >= 0) & (at <= np.asarray(geometry.shape) - 1)).all(axis=-1)
    assert inside.sum() > 200
    np.testing.assert_allclose(sample(values, geometry, cut)[inside], (places @ slope)[inside], atol=0.05)


def test_d60_nothing_is_invented_where_planes_are_missing() -> None:
    heights = [0.0, 2.0, 4.0, 12.0, 14.0]
    origins = tuple((0.0, 0.0, h) for h in heights)
    geometry = Geometry((5, 20, 20), (0, 0, 0), (2.0, 1.0, 1.0), plane_origins=origins)
    values = np.arange(5, dtype=np.int16)[:, None, None] * np.ones((5, 20, 20), np.int16) * 10
    cut = Cut((0, 10, 0), (1, 0, 0), (0, 0, 1), 1.0, (15, 20))  # a row to each millimetre of height
    column = sample(values, geometry, cut)[:, 5]
    np.testing.assert_allclose(column[[0, 1, 2, 3, 4, 12, 13, 14]], [0, 5, 10, 15, 20, 30, 35, 40], atol=1e-4)
    assert np.isnan(column[6:11]).all()  # nearer than half a plane to an edge, the edge's own plane
    gap = gap_of(geometry, cut)
    assert gap is not None
    assert np.flatnonzero(gap[:, 5]).tolist() == np.flatnonzero(np.isnan(column)).tolist()
    assert set(np.unique(np.round(column[np.isfinite(column)], 3))) <= {0, 5, 10, 15, 20, 30, 35, 40}
    assert np.isnan(slab(values, geometry, cut, thickness=4, mode="mip")[8, 5])
    assert gap_of(leaning([2.0 * n for n in range(20)]), cut) is None
