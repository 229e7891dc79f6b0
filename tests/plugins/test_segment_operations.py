"""Threshold, growing, watershed, clusters and clean-up of masks against SimpleITK, SciPy, scikit-image and formulas."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from skimage import filters, segmentation

from plugins.segment.clusters import cluster_centres, k_means
from plugins.segment.growing import connected, grow_region, limits_around
from plugins.segment.histogram import Histogram, histogram
from plugins.segment.islands import fill_holes, keep_islands, split_islands
from plugins.segment.threshold import threshold
from plugins.segment.watershed import watershed
from tests.plugins.enhance_segment_samples import SPACING, image_of, itk, noise, plane_of
from viewer.api import Geometry, GeometryMismatch, Image, Labels, Mask, Refused

KINDS = [np.uint8, np.int16, np.uint16, np.float32]
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6))


def place(image: Image, *index: int) -> tuple[float, float, float]:
    x, y, z = image.geometry.to_patient(index)
    return (float(x), float(y), float(z))


def chest(shared_data: Any) -> tuple[Image, Any]:
    source = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(shared_data / "ct_chest_lidc")))
    values = sitk.GetArrayFromImage(source).astype(np.int16)
    geometry = Geometry(values.shape, source.GetOrigin(), source.GetSpacing()[::-1], source.GetDirection())
    return Image(values, geometry, "HU", (float(values.min()), float(values.max())), modality="CT"), source


# --- threshold -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_threshold_includes_both_limits(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    low, high = (float(n) for n in np.sort(image.values.ravel())[[500, -900]])
    assert np.array_equal(threshold(image, low, high).values, (image.values >= low) & (image.values <= high))
    want = sitk.GetArrayFromImage(sitk.BinaryThreshold(itk(image), low, high)).astype(bool)
    assert np.array_equal(threshold(image, low, high).values, want)


@given(st.integers(-40000, 40000), st.integers(0, 70000), st.sampled_from([0.0, 0.25, 0.5]))
def test_threshold_of_integers_equals_that_of_floats(low: int, width: int, part: float) -> None:
    values = np.array([-32768, -1024, -1, 0, 1, 2, 500, 501, 32767], np.int16).reshape(1, 3, 3)
    got = threshold(image_of(values), low + part, low + width + part).values
    assert np.array_equal(got, (values.astype(float) >= low + part) & (values.astype(float) <= low + width + part))


def test_threshold_without_upper_or_lower_limit_is_open_there() -> None:
    image = image_of(noise())
    assert np.array_equal(threshold(image, 100).values, image.values >= 100)
    assert np.array_equal(threshold(image, None, 100, "No limit").values, image.values <= 100)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16])
def test_otsu_is_scikit_images(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    split = filters.threshold_otsu(image.values)
    assert np.array_equal(threshold(image).values, image.values > split)


def test_otsu_of_floats_maximises_the_variance_between_classes() -> None:
    image = image_of(noise((3, 14, 15), np.float32))
    v = np.sort(image.values.ravel().astype(float))
    gains = [n * (v.size - n) * (v[:n].mean() - v[n:].mean()) ** 2 for n in range(1, v.size)]
    assert threshold(image).values.sum() == pytest.approx(v.size - 1 - int(np.argmax(gains)), abs=2)


def test_otsu_of_the_chest_equals_simpleitk(shared_data: Any) -> None:
    image, source = chest(shared_data)
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.SetNumberOfHistogramBins(int(image.range[1] - image.range[0]) + 1)
    otsu.Execute(source)
    got = threshold(image)
    assert image.values[got.values].min() == pytest.approx(otsu.GetThreshold(), abs=2)


def test_padding_and_nan_never_belong() -> None:
    values = noise(dtype=np.float32)
    values[0, :3] = np.nan
    values[1, 0, 0] = np.inf
    values[2, :4] = 3000
    image = image_of(values, padding=(3000, 3000))
    got = threshold(image, -5000).values
    assert np.array_equal(got, np.isfinite(values) & (values < 3000))
    assert threshold(image).values[2, :4].sum() == 0
    plain = image_of(np.where(values == 3000, values[3:4, :1, :1], values))
    assert abs(int(threshold(image).values.sum()) - int(threshold(plain).values.sum())) < 0.1 * values.size


@pytest.mark.parametrize(
    ("values", "low", "high", "choice", "words"),
    [
        (noise(), 200.0, 100.0, "Otsu", "Swap"),
        (noise(), None, None, "No limit", "every voxel"),
        (noise(), None, -1150.0, "Otsu", "above the upper limit"),
        (np.full((3, 4, 5), 7, np.int16), None, None, "Otsu", "nothing to separate"),
        (np.full((3, 4, 5), np.nan, np.float32), None, None, "Otsu", "padding only"),
    ],
)
def test_threshold_refuses(values: Any, low: float | None, high: float | None, choice: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        threshold(image_of(values), low, high, choice)


# --- region growing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_growing_equals_connected_threshold(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    index = tuple(int(n) for n in np.argwhere(image.values == np.sort(image.values.ravel())[3000])[0])
    low, high = (float(n) for n in np.sort(image.values.ravel())[[2200, 4200]])
    got = grow_region(image, (place(image, *index),), low, high)
    want = sitk.GetArrayFromImage(sitk.ConnectedThreshold(itk(image), [index[::-1]], low, high)).astype(bool)
    assert want.sum() > 50
    assert np.array_equal(got.values, want)
    assert got.geometry == image.geometry


def test_growing_in_the_lungs_equals_simpleitk(shared_data: Any) -> None:
    image, source = chest(shared_data)
    for index, low, high in (((30, 300, 140), -1100, -500), ((20, 300, 380), -904, -850)):
        want = sitk.GetArrayFromImage(sitk.ConnectedThreshold(source, [index[::-1]], low, high)).astype(bool)
        assert np.array_equal(grow_region(image, (place(image, *index),), low, high).values, want)


@given(MASKS, st.data())
def test_both_ways_of_growing_agree_with_scipy(inside: Any, data: Any) -> None:
    places = [tuple(int(n) for n in p) for p in np.argwhere(inside)]
    if not places:
        return
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=6))
    seeds = np.zeros(inside.shape, bool)
    for index in chosen:
        seeds[index] = True
    want = ndimage.binary_propagation(seeds, mask=inside)
    assert np.array_equal(connected(inside, chosen), want)
    # A large empty rim makes the region a small share of the whole: the other way is taken.
    wide = np.pad(inside, 6)
    assert np.array_equal(connected(wide, [tuple(i + 6 for i in index) for index in chosen]), np.pad(want, 6))


def test_faces_join_and_corners_do_not() -> None:
    values = np.zeros((2, 3, 4), np.int16)
    values[0, 0, 0] = values[0, 0, 1] = values[1, 0, 1] = values[1, 1, 2] = 9
    got = grow_region(image_of(values), (place(image_of(values), 0, 0, 0),), 9, 9).values
    assert got.sum() == 3
    assert not got[1, 1, 2]


def test_several_seeds_grow_several_regions() -> None:
    values = np.zeros((5, 30, 40), np.int16)
    corners = [(k, j, i) for k in (0, 3) for j in (2, 20) for i in (3, 30)]
    for k, j, i in corners:
        values[k, j : j + 4, i : i + 5] = 100
    image = image_of(values)
    for count in (1, 2, 3, 6):
        assert grow_region(image, tuple(place(image, *c) for c in corners[:count]), 50, 150).values.sum() == 20 * count


def test_one_plane_grows_in_the_plane_and_leaves_other_seeds_out() -> None:
    image = image_of(noise())
    index = (2, 10, 12)
    low, high = float(image.values[index]) - 300, float(image.values[index]) + 300
    plane = plane_of(image, 2)
    got = grow_region(plane, (place(image, 5, 3, 3), place(image, *index)), low, high).values[0]
    labels, _ = ndimage.label((image.values[2] >= low) & (image.values[2] <= high))
    assert np.array_equal(got, labels == labels[10, 12])
    with pytest.raises(Refused, match="No seed lies on this plane"):
        grow_region(plane, (place(image, 5, 3, 3),), low, high)


def test_limits_left_out_come_from_the_values_around_the_seed() -> None:
    image = image_of(noise())
    box = image.values[2:5, 9:14, 18:23].astype(float)
    low, high = limits_around(image, [(3, 11, 20)], 2.0)
    assert low == pytest.approx(min(box.mean() - 2 * box.std(ddof=1), image.values[3, 11, 20]))
    assert high == pytest.approx(max(box.mean() + 2 * box.std(ddof=1), image.values[3, 11, 20]))
    seed = (place(image, 3, 11, 20),)
    assert np.array_equal(grow_region(image, seed, spread=2.0).values, grow_region(image, seed, low, high).values)
    assert np.array_equal(grow_region(image, seed, low=low, spread=2.0).values, grow_region(image, seed, low, high).values)


def test_automatic_limits_find_a_noisy_ball_of_known_size() -> None:
    z, y, x = np.indices((24, 60, 70))
    inside = ((z - 11) * 3.0) ** 2 + ((y - 28) * 0.7) ** 2 + ((x - 33) * 0.5) ** 2 <= 14**2
    values = (np.where(inside, 60, -800) + np.random.default_rng(5).normal(0, 12, inside.shape)).astype(np.int16)
    image = image_of(values)
    got = grow_region(image, (place(image, 11, 28, 33),), spread=4.0).values
    assert 2 * (got & inside).sum() / (got.sum() + inside.sum()) > 0.98


def test_padding_beside_the_seed_does_not_count() -> None:
    values = np.full((3, 9, 9), 100, np.int16)
    values[:, 4:] = -2000
    image = image_of(values, padding=(-2000, -2000))
    assert limits_around(image, [(1, 3, 4)], 2.5) == (100, 100)
    assert grow_region(image, (place(image, 1, 3, 4),)).values.sum() == 3 * 4 * 9
    with pytest.raises(Refused, match="padding"):
        grow_region(image, (place(image, 1, 8, 4),))


@pytest.mark.parametrize(
    ("seeds", "low", "high", "words"),
    [
        ((), 0.0, 1.0, "no seed"),
        (((9999.0, 0.0, 0.0),), 0.0, 1.0, "outside the image"),
        ("inside", 5000.0, 6000.0, "Move the seed"),
        ("inside", 100.0, 0.0, "Swap"),
        ("inside", 5000.0, None, "far side"),
    ],
)
def test_growing_refuses(seeds: Any, low: float | None, high: float | None, words: str) -> None:
    image = image_of(noise())
    with pytest.raises(Refused, match=words):
        grow_region(image, (place(image, 3, 4, 5),) if seeds == "inside" else seeds, low, high)


# --- watershed -----------------------------------------------------------------------------------------------------


def two_balls() -> tuple[Any, Any, Any]:
    z, y, x = np.indices((20, 44, 60))
    a = ((z - 9) * 2) ** 2 + (y - 21) ** 2 + (x - 20) ** 2
    b = ((z - 9) * 2) ** 2 + (y - 21) ** 2 + (x - 40) ** 2
    values = np.where(np.minimum(a, b) <= 144, 200 - np.sqrt(np.minimum(a, b)) * 5, 0).astype(np.int16)
    markers = np.zeros(values.shape, np.uint8)
    markers[9, 21, 20], markers[9, 21, 40], markers[1, 2, 2] = 4, 2, 9
    return values, markers, a < b


@pytest.mark.parametrize("flood", ["gradient", "inverted values"])
def test_watershed_splits_touching_balls_where_they_touch(flood: Any) -> None:
    values, markers, is_left = two_balls()
    image = image_of(values, image_of(values).geometry.resampled((3.0, 0.7, 0.5)))
    image = replace(image, geometry=replace(image.geometry, spacing=(1.6, 0.8, 0.8)))
    out = watershed(image, Labels(markers, image.geometry, ("", "right", "", "left")), flood)
    assert set(np.unique(out.values)) == {2, 4, 9}
    assert out.names == ("", "right", "", "left")
    assert np.array_equal(out.values[markers > 0], markers[markers > 0])
    ball = values > 0
    assert (out.values == 4)[ball & is_left].mean() > 0.9
    assert (out.values == 2)[ball & ~is_left].mean() > 0.9
    # Where markers sit on flat ground and every rise is met once, the background keeps clear of the balls.
    if flood == "gradient":
        assert (out.values == 9)[~ndimage.binary_dilation(ball, iterations=2)].mean() > 0.99


@pytest.mark.parametrize("shape", [(5, 12, 14), (1, 30, 34)])
@pytest.mark.parametrize("flood", ["values", "inverted values"])
def test_watershed_equals_scikit_image_where_no_values_are_alike(shape: Any, flood: Any) -> None:
    rng = np.random.default_rng(6)
    values = rng.permutation(int(np.prod(shape))).astype(np.int16).reshape(shape)
    markers = np.zeros(shape, np.uint8)
    for label in (1, 2, 3, 4):
        markers[tuple(rng.integers(0, n) for n in shape)] = label
    image = image_of(values)
    out = watershed(image, Labels(markers, image.geometry), flood, 0.0).values
    want = segmentation.watershed(values if flood == "values" else -values.astype(float), markers.astype(np.int32))
    assert np.array_equal(out, want)


def test_gradient_is_taken_per_mm() -> None:
    """A step of 100 over 3 mm between planes is lower than one of 60 over 0.5 mm between columns: the latter is the border."""
    values = np.zeros((9, 5, 40), np.int16)
    values[5:] += 100
    values[:, :, 20:] += 60
    markers = np.zeros(values.shape, np.uint8)
    markers[0, 2, 2], markers[8, 2, 37] = 1, 2
    image = image_of(values)
    out = watershed(image, Labels(markers, image.geometry), smoothing=0.0).values
    assert (out[:, :, :18] == 1).mean() > 0.9
    assert (out[:, :, 22:] == 2).mean() > 0.9


def test_watershed_leaves_padding_and_nan_without_a_label() -> None:
    values = noise(dtype=np.float32)
    values[:, :4] = np.nan
    values[:, -3:] = 3000
    markers = np.zeros(values.shape, np.uint16)
    markers[2, 8, 8], markers[2, 16, 25], markers[0, 0, 0] = 1, 300, 7
    image = image_of(values, padding=(3000, 3000))
    out = watershed(image, Labels(markers, image.geometry)).values
    assert set(np.unique(out[:, 4:-3])) == {1, 300}
    assert not out[:, :4].any()
    assert not out[:, -3:].any()


def test_watershed_refuses_without_markers() -> None:
    image = image_of(noise())
    empty = np.zeros(image.geometry.shape, np.uint8)
    one = empty.copy()
    one[1, 1, 1] = 3
    with pytest.raises(Refused, match="--mask"):
        watershed(image)
    with pytest.raises(Refused, match="nothing is marked"):
        watershed(image, Labels(empty, image.geometry))
    with pytest.raises(Refused, match="only label 3"):
        watershed(image, Labels(one, image.geometry))
    with pytest.raises(GeometryMismatch):
        watershed(image, Labels(one, replace(image.geometry, origin=(0.0, 0.0, 0.0))))


# --- k-means -------------------------------------------------------------------------------------------------------


def test_k_means_finds_a_mixture() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(m, 5, 4000) for m in (300, 0, 100)]).astype(np.int16).reshape(30, 20, 20)
    out = k_means(image_of(values), 3)
    assert np.array_equal(out.values.ravel(), np.repeat([3, 1, 2], 4000))
    assert out.values.dtype == np.uint8
    assert len(out.names) == 3
    assert "HU" in out.names[0]


@given(hnp.arrays(np.int16, (1, 3, 6), elements=st.integers(-50, 50)), st.integers(2, 4))
def test_k_means_is_the_best_split_of_all(values: Any, clusters: int) -> None:
    found = np.unique(values)
    if len(found) < clusters:
        return
    v = values.ravel().astype(float)

    def cost(limits: Any) -> float:
        groups = np.searchsorted(np.asarray(limits), v, side="right")
        return float(sum(((v[groups == g] - v[groups == g].mean()) ** 2).sum() for g in range(clusters)))

    best = min(cost(cut) for cut in itertools.combinations(found[1:], clusters - 1))
    labels = k_means(image_of(values), clusters).values.ravel()
    got = sum(((v[labels == g] - v[labels == g].mean()) ** 2).sum() for g in range(1, clusters + 1))
    assert got == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("clusters", [2, 4, 7])
def test_k_means_is_no_worse_than_scipys_best_of_five(clusters: int, shared_data: Any) -> None:
    image, _ = chest(shared_data)
    part = image_of(image.values[::12, ::8, ::8])
    v = part.values.ravel().astype(float)
    centres = cluster_centres(histogram(part), clusters)
    assert np.all(np.diff(centres) > 0)
    ours = (np.abs(v[:, None] - centres).min(axis=1) ** 2).sum()
    theirs = [kmeans2(v, clusters, minit="++", rng=n, iter=50)[0] for n in range(5)]
    assert ours <= min((np.abs(v[:, None] - t).min(axis=1) ** 2).sum() for t in theirs) * 1.0001
    for label, centre in enumerate(centres, start=1):
        assert v[k_means(part, clusters).values.ravel() == label].mean() == pytest.approx(centre)


def test_k_means_of_many_different_values_is_near_the_best() -> None:
    rng = np.random.default_rng(8)
    v = np.unique(np.concatenate([rng.normal(m, s, 3000) for m, s in ((0, 1), (60, 2), (4000, 10))]))
    centres = cluster_centres(Histogram(v, np.ones(len(v), np.int64), 0.0), 3)
    np.testing.assert_allclose(centres, [0, 60, 4000], rtol=0.001, atol=0.1)


def test_k_means_leaves_padding_and_nan_out() -> None:
    values = noise(dtype=np.float32)
    values[0, :5], values[1, :5] = np.nan, -2000
    out = k_means(image_of(values, padding=(-2000, -2000)), 4).values
    assert np.array_equal(out == 0, ~np.isfinite(values) | (values == -2000))
    assert set(np.unique(out)) == {0, 1, 2, 3, 4}


def test_k_means_refuses_more_classes_than_values() -> None:
    with pytest.raises(Refused, match="2 different values"):
        k_means(image_of(np.arange(60).reshape(3, 4, 5) % 2), 3)


# --- islands and holes ---------------------------------------------------------------------------------------------


def scattered(seed: int = 7) -> Any:
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(7, 24, 31)), 1.0) > 0.15


@pytest.mark.parametrize(("neighbours", "full"), [("faces", False), ("corners", True)])
def test_largest_islands_are_simpleitks(neighbours: Any, full: bool) -> None:
    image = image_of(noise())
    inside = scattered()
    found = sitk.RelabelComponent(sitk.ConnectedComponent(itk(image, inside.astype(np.uint8)), full), sortByObjectSize=True)
    want = sitk.GetArrayFromImage(found)
    sizes = np.bincount(want.ravel())[1:]
    assert len(sizes) > 5
    for count in (1, 2):
        assert sizes[count] < sizes[count - 1]  # no tie, where the order would be arbitrary
        assert np.array_equal(keep_islands(image, Mask(inside, image.geometry), count, neighbours=neighbours).values, (want >= 1) & (want <= count))
    kept = keep_islands(image, Mask(inside, image.geometry), 0, 10, neighbours=neighbours).values
    assert np.array_equal(kept, np.isin(want, np.flatnonzero(sizes >= 10) + 1))
    split = split_islands(image, Mask(inside, image.geometry), most=3, neighbours=neighbours)
    assert [int((split.values == n).sum()) for n in (1, 2, 3)] == list(sizes[:3])
    assert split.values.max() == min(3, len(sizes))
    assert len(split.names) == split.values.max()


def test_smallest_size_in_mm3_counts_voxels_of_their_volume() -> None:
    image = image_of(noise())
    mask = Mask(scattered(), image.geometry)
    voxel = float(np.prod(SPACING))
    same = keep_islands(image, mask, 0, 12).values
    assert np.array_equal(keep_islands(image, mask, 0, 12 * voxel, "mm3").values, same)
    assert not np.array_equal(keep_islands(image, mask, 0, 13 * voxel, "mm3").values, keep_islands(image, mask, 0, 1).values)
    plane = plane_of(image, 3)
    flat = Mask(mask.values[3:4], plane.geometry)
    assert np.array_equal(keep_islands(plane, flat, 0, 5 * 0.35, "mm3").values, keep_islands(plane, flat, 0, 5).values)


@given(MASKS)
def test_filled_holes_are_scipys(inside: Any) -> None:
    if not inside.any():
        return
    image = image_of(np.zeros(inside.shape, np.int16))
    got = fill_holes(image, Mask(inside, image.geometry))
    flat = np.stack([ndimage.binary_fill_holes(plane) for plane in inside])
    assert np.array_equal(got.values, ndimage.binary_fill_holes(inside) if len(inside) > 1 else flat)
    assert np.array_equal(fill_holes(image, Mask(inside, image.geometry), "2-D").values, flat)


def test_hollow_ball_is_filled_in_3d_and_its_cap_is_not_in_2d() -> None:
    z, y, x = np.indices((11, 31, 33))
    away = ((z - 5) * 3) ** 2 + (y - 15) ** 2 + (x - 16) ** 2
    shell = (away <= 13**2) & (away > 9**2)
    image = image_of(np.zeros(shell.shape, np.int16))
    assert np.array_equal(fill_holes(image, Mask(shell, image.geometry)).values, away <= 13**2)
    assert np.array_equal(fill_holes(image, Mask(shell, image.geometry), "2-D").values, away <= 13**2)
    shell[5, 15, 16:] = False
    assert np.array_equal(fill_holes(image, Mask(shell, image.geometry)).values, shell)


@pytest.mark.parametrize("run", [keep_islands, split_islands, fill_holes])
def test_clean_up_refuses_without_a_segment(run: Any) -> None:
    image = image_of(noise())
    with pytest.raises(Refused, match="no segment"):
        run(image)
    with pytest.raises(Refused, match="empty"):
        run(image, Mask(np.zeros(image.geometry.shape, bool), image.geometry))
    with pytest.raises(GeometryMismatch):
        run(image, Mask(np.ones((3, 4, 5), bool), Geometry((3, 4, 5))))


def test_islands_refuse_what_would_do_nothing() -> None:
    image = image_of(noise())
    mask = Mask(scattered(), image.geometry)
    with pytest.raises(Refused, match="every island is kept"):
        keep_islands(image, mask, 0)
    with pytest.raises(Refused, match="No island reaches"):
        split_islands(image, mask, smallest=1e6)
    unknown = replace(image, geometry=replace(image.geometry, between_known=False))
    with pytest.raises(Refused, match="not known"):
        keep_islands(unknown, Mask(mask.values, unknown.geometry), 0, 5, "mm3")


# --- all of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_input_stays_grid_is_kept_and_answers_repeat(kind: Any) -> None:
    image = image_of(noise(dtype=kind))
    before = image.values.copy()
    markers = np.zeros(before.shape, np.uint8)
    markers[1, 2, 3], markers[5, 20, 25] = 1, 2
    mask = Mask(scattered(), image.geometry)
    kept = mask.values.copy()
    calls: list[Any] = [
        lambda: threshold(image),
        lambda: grow_region(image, (place(image, 3, 12, 15),)),
        lambda: watershed(image, Labels(markers, image.geometry)),
        lambda: k_means(image),
        lambda: keep_islands(image, mask),
        lambda: split_islands(image, mask),
        lambda: fill_holes(image, mask),
    ]
    for call in calls:
        first, second = call(), call()
        assert first.geometry == image.geometry
        assert first.values.shape == before.shape
        assert first.values.any()
        assert np.array_equal(first.values, second.values)
    assert np.array_equal(image.values, before)
    assert np.array_equal(mask.values, kept)
