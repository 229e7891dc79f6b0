"""RT structure sets on images. Oracles: masks that MIRP made of the same outlines, areas of polygons and circles, skimage.draw, matplotlib-free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.io.objects.object_samples import FRAME, OBLIQUE, Grid, contour, found, parts, write_image, write_structures
from viewer.core.errors import GeometryMismatch, UnreadableFile
from viewer.io.objects.layers import SegmentSet
from viewer.io.objects.raster import fill
from viewer.io.objects.read import read_segments
from viewer.io.series import SeriesEntry
from viewer.jobs.pool import Pool

GRID = Grid(shape=(6, 40, 50), spacing=(3.0, 0.5, 0.5))
RANDOM = np.random.default_rng(20261122)


def read(folder: Path, pool: Pool) -> SegmentSet:
    structures, image = parts(folder)
    assert image.geometry is not None
    return read_segments(structures, image.geometry, pool=pool)


def mask_of(result: SegmentSet, label: int) -> np.ndarray:
    (layer,) = [layer for layer in result.layers if any(s.label == label for s in layer.segments)]
    return layer.labels == label


def warnings(result: SegmentSet) -> str:
    return "\n".join(note.text for note in result.notes if note.is_warning)


def square(grid: Grid, plane: float, low: float, high: float) -> np.ndarray:
    """Corners at (low, low) to (high, high) in rows and columns."""
    return np.array([grid.place(plane, *corner) for corner in ((low, low), (low, high), (high, high), (high, low))])


def filled(outlines: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    piece = fill(outlines, shape)
    if piece is not None:
        (row, column), part = piece
        mask[row : row + part.shape[0], column : column + part.shape[1]] = part
    return mask


# --- real files ---


def real(shared_data: Path, name: str) -> tuple[SeriesEntry, SeriesEntry]:
    folder = shared_data / "petctmr_sts001"
    series = found(folder / f"{name}_rtstruct.dcm", folder / name).series
    return next(e for e in series if e.object_kind == "structures"), next(e for e in series if e.kind == "volume")


@pytest.mark.parametrize(("name", "mask"), [("ct", "sts001_ct_mask.nii.gz"), ("pet_suv", "sts001_pet_mask.nii.gz")])
def test_outlines_of_a_real_tumour_fill_the_voxels_that_mirp_filled(shared_data: Path, inline_pool: Pool, name: str, mask: str) -> None:
    import SimpleITK as sitk

    structures, image = real(shared_data, name)
    assert image.geometry is not None
    result = read_segments(structures, image.geometry, pool=inline_pool)
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(shared_data / "nifti_nrrd" / mask))) > 0
    assert np.array_equal(mask_of(result, 1), truth)
    want = json.loads((shared_data / "expected.json").read_text())[f"petctmr_sts001/{name}_rtstruct.dcm"]["rois"][0]
    assert result.segments[0].name == want["name"]
    volume = result.voxels[1] * (image.geometry.voxel_volume_mm3 or 0)
    assert volume == pytest.approx(want["volume_mm3_areas_times_step"], rel=0.004)


def test_nested_structures_of_a_real_file_keep_every_voxel_in_layers(shared_data: Path, inline_pool: Pool) -> None:
    """The tumour lies within its oedema: voxels of both belong to both."""
    import pydicom
    from skimage.draw import polygon2mask

    structures, image = real(shared_data, "pet_raw")
    assert image.geometry is not None
    result = read_segments(structures, image.geometry, pool=inline_pool)
    assert [s.name for s in result.segments] == ["GTV_Mass", "GTV_Edema"]
    assert [s.color for s in result.segments] == ["#FF0000", "#FF0000"]
    assert len(result.layers) == 2
    first, second = mask_of(result, 1), mask_of(result, 2)
    assert (first & second).sum() > 4000
    dataset = pydicom.dcmread(structures.files[0])
    inverse = np.linalg.inv(image.geometry.affine)
    for label, region in enumerate(dataset.ROIContourSequence, 1):
        truth = np.zeros(image.geometry.shape, bool)
        for drawn in region.ContourSequence:
            points = np.array(drawn.ContourData, float).reshape(-1, 3)
            index = np.c_[points, np.ones(len(points))] @ inverse.T
            plane = round(float(index[:, 2].mean()))
            truth[plane] ^= polygon2mask(image.geometry.shape[1:], index[:, [1, 0]])
        differing = int((truth != mask_of(result, label)).sum())
        assert differing <= truth.sum() * 0.001, "only centres that lie on an outline may differ from skimage"


def test_outlines_on_planes_that_are_not_there_are_counted(shared_data: Path, inline_pool: Pool) -> None:
    structures, image = real(shared_data, "mr_t1")
    assert image.geometry is not None
    result = read_segments(structures, image.geometry, pool=inline_pool)
    assert "9 outlines lie on planes that the image does not have" in warnings(result)


# --- filling ---


def test_a_filled_circle_on_an_oblique_grid_has_its_area(tmp_path: Path, inline_pool: Pool) -> None:
    grid = Grid(shape=(5, 120, 60), spacing=(3.0, 0.5, 1.0), row=OBLIQUE.row, column=OBLIQUE.column)
    write_image(tmp_path / "ct", grid)
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = 22.0
    centre = grid.place(0, 60.3, 29.7)
    outlines = []
    for plane in (1, 2, 3):
        middle = centre + plane * 3.0 * grid.normal
        ring = middle + radius * (np.outer(np.cos(angle), grid.row) + np.outer(np.sin(angle), grid.column))
        outlines.append(contour(ring))
    write_structures(tmp_path / "rt.dcm", [("Cylinder", outlines)])
    result = read(tmp_path, inline_pool)
    area = mask_of(result, 1).sum(axis=(1, 2)) * 0.5 * 1.0
    assert np.allclose(area[1:4], np.pi * radius**2, rtol=0.004)
    assert not area[[0, 4]].any()
    # Every centre, against its distance from the axis.
    for index in np.ndindex(120, 60):
        away = np.linalg.norm(grid.place(2, *index) - (centre + 6.0 * grid.normal))
        if abs(away - radius) > 0.01:
            assert mask_of(result, 1)[(2, *index)] == (away < radius)


def test_random_polygons_are_filled_as_skimage_fills_them() -> None:
    from skimage.draw import polygon2mask

    for _round in range(60):
        points = RANDOM.random((RANDOM.integers(3, 40), 2)) * (44, 54) - 2
        differing = np.argwhere(filled([points], (40, 50)) != polygon2mask((40, 50), points))
        # Only a centre that lies on an outline, to a ten-thousandth of a pixel, may go either way.
        for centre in differing:
            ends = np.roll(points, -1, axis=0) - points
            along = np.clip(((centre - points) * ends).sum(axis=1) / (ends**2).sum(axis=1), 0, 1)
            assert np.linalg.norm(points + along[:, None] * ends - centre, axis=1).min() < 1e-4


def test_an_outline_within_another_is_a_hole_and_an_island_within_that_is_filled() -> None:
    outlines = [np.array([(a, a), (a, b), (b, b), (b, a)], float) for a, b in ((2.5, 30.5), (8.5, 24.5), (12.5, 20.5))]
    truth = np.zeros((40, 50), bool)
    truth[3:31, 3:31] = True
    truth[9:25, 9:25] = False
    truth[13:21, 13:21] = True
    assert np.array_equal(filled(outlines, (40, 50)), truth)


def test_a_keyhole_is_a_hole() -> None:
    """Once round outside, in along a seam, round the hole the other way, out along the seam (PS3.3 C.8.8.6.3)."""
    outside = [(2.5, 2.5), (2.5, 30.5), (30.5, 30.5), (30.5, 2.5)]
    hole = [(10.5, 10.5), (20.5, 10.5), (20.5, 20.5), (10.5, 20.5)]
    points = np.array([*outside, outside[0], *hole, hole[0], outside[0]], float)
    truth = np.zeros((40, 50), bool)
    truth[3:31, 3:31] = True
    truth[11:21, 11:21] = False
    assert np.array_equal(filled([points], (40, 50)), truth)


def test_outlines_through_pixel_centres_share_no_pixel_and_leave_none_out() -> None:
    left = np.array([(5, 5), (5, 20), (25, 20), (25, 5)], float) + 1e-9
    right = np.array([(5, 20), (5, 35), (25, 35), (25, 20)], float) - 1e-9
    one, other = filled([left], (40, 50)), filled([right], (40, 50))
    assert not (one & other).any()
    assert one.sum() == other.sum() == 20 * 15
    assert (one | other)[5:25, 5:35].all()


# --- structures ---


def test_structures_that_overlap_share_no_layer_and_lose_no_voxel(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    ranges = [(4.5, 30.5), (10.5, 20.5), (18.5, 36.5), (31.5, 38.5)]
    regions = [(f"R{n}", [contour(square(GRID, plane, *r)) for plane in range(1, 5)]) for n, r in enumerate(ranges, 1)]
    write_structures(tmp_path / "rt.dcm", regions, colors=[[0, 128, 255]])
    result = read(tmp_path, inline_pool)
    for label, (low, high) in enumerate(ranges, 1):
        truth = np.zeros(GRID.shape, bool)
        inside = slice(int(low + 0.5), int(high + 0.5))
        truth[1:5, inside, inside] = True
        assert np.array_equal(mask_of(result, label), truth), label
    assert [sorted(s.label for s in layer.segments) for layer in result.layers] == [[1, 4], [2], [3]]
    assert result.segments[0].color == "#0080FF"
    assert not warnings(result)


def test_several_outlines_of_one_plane_combine_by_even_and_odd(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    kinds = ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"]
    drawn = [contour(square(GRID, 2, a, b), kind) for kind, (a, b) in zip(kinds, ((4.5, 30.5), (10.5, 20.5)), strict=True)]
    write_structures(tmp_path / "rt.dcm", [("Ring", [*drawn, drawn[0]])])
    result = read(tmp_path, inline_pool)
    assert result.voxels == {1: 26 * 26 - 10 * 10}
    assert any("there twice and counts once" in note.text for note in result.notes)


def test_points_and_open_lines_are_told_of_and_not_filled(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    closed = contour(square(GRID, 2, 4.5, 30.5))
    line = contour(square(GRID, 3, 4.5, 30.5), "OPEN_PLANAR")
    write_structures(tmp_path / "rt.dcm", [("Mixed", [closed, line]), ("Marker", [contour(GRID.place(1, 3, 3), "POINT")])])
    result = read(tmp_path, inline_pool)
    assert result.voxels == {1: 26 * 26, 2: 0}
    texts = [note.text for note in result.notes]
    assert "Mixed: 1 contour has no inside and is not filled (OPEN_PLANAR)" in texts
    assert "Marker: 1 contour has no inside and is not filled (POINT)" in texts
    assert "Marker: it has no closed outline and stays empty" in texts


def test_outlines_beside_their_plane_go_to_the_nearest_within_half_a_step(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    heights = (0.4, 2.6, -0.6, 5.4, 5.6)
    write_structures(tmp_path / "rt.dcm", [("A", [contour(square(GRID, h, 4.5, 30.5)) for h in heights])])
    result = read(tmp_path, inline_pool)
    assert np.flatnonzero(mask_of(result, 1).any(axis=(1, 2))).tolist() == [0, 3, 5]
    assert "2 outlines lie on planes that the image does not have" in warnings(result)


def test_of_outlines_at_several_heights_of_one_plane_the_nearest_counts(tmp_path: Path, inline_pool: Pool) -> None:
    """They are no holes of each other, and none is lost without a word."""
    write_image(tmp_path / "ct", GRID)
    drawn = [contour(square(GRID, height, 4.5, high)) for height, high in ((1.7, 30.5), (2.1, 20.5), (2.4, 10.5))]
    write_structures(tmp_path / "rt.dcm", [("Fine", drawn)])
    result = read(tmp_path, inline_pool)
    assert result.voxels == {1: 16 * 16}
    assert "2 outlines lie further from the image's planes than others" in warnings(result)


def test_outlines_on_uneven_planes_are_found_by_place(tmp_path: Path, inline_pool: Pool) -> None:
    uneven = Grid(shape=(5, 40, 50), spacing=(3.0, 0.5, 0.5), heights=(0.0, 3.0, 6.0, 15.0, 18.5))
    write_image(tmp_path / "ct", uneven)
    write_structures(tmp_path / "rt.dcm", [("A", [contour(square(uneven, plane, 4.5, 30.5)) for plane in (2, 3)])])
    assert np.flatnonzero(mask_of(read(tmp_path, inline_pool), 1).any(axis=(1, 2))).tolist() == [2, 3]


# --- bad input ---


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (["1", "2"], "not whole points of three"),
        ([], "0 different points"),
        (["1", "2", "3"] * 5, "0 different points"),
        (["1", "2", "3", "4", "5", "6"], "2 different points"),
        (["1", "2", "3", "nan", "5", "6", "7", "8", "9"], "not a number"),
        (["1", "2", "3", "x", "5", "6", "7", "8", "9"], "not a number"),
        (["1", "2", "3", "1e30", "5", "6", "7", "8", "9"], "a coordinate is 1e+30 mm"),
    ],
)
def test_an_outline_that_cannot_be_used_is_told_of_and_the_others_stay(tmp_path: Path, inline_pool: Pool, numbers: list[str], said: str) -> None:
    write_image(tmp_path / "ct", GRID)
    bad = contour(square(GRID, 2, 4.5, 30.5))
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    content = "\\".join(numbers).encode()
    content += b" " * (len(content) % 2)
    bad._dict[Tag(0x30060050)] = RawDataElement(Tag(0x30060050), "DS", len(content), content, 0, False, True)
    bad.NumberOfContourPoints = len(numbers) // 3
    write_structures(tmp_path / "rt.dcm", [("A", [bad, contour(square(GRID, 3, 4.5, 30.5))])])
    result = read(tmp_path, inline_pool)
    assert result.voxels == {1: 26 * 26}
    assert "1 outline was left out" in warnings(result)
    assert said in warnings(result)


def test_a_wrong_number_of_points_is_told_of(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    bad = contour(square(GRID, 2, 4.5, 30.5), NumberOfContourPoints=400)
    write_structures(tmp_path / "rt.dcm", [("A", [bad, contour(square(GRID, 3, 4.5, 30.5))])])
    assert "says that it has 400 points and holds 4" in warnings(read(tmp_path, inline_pool))


def test_an_outline_too_long_for_its_value_representation_is_filled(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    ring = GRID.place(2, 20.4, 25.3) + 8.0 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    text = contour(np.zeros((0, 3)))
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    content = "\\".join(f"{c:.3f}" for c in ring.ravel()).encode()
    content += b" " * (len(content) % 2)
    text._dict[Tag(0x30060050)] = RawDataElement(Tag(0x30060050), "DS", len(content), content, 0, False, True)
    text.NumberOfContourPoints = 100_000
    write_structures(tmp_path / "rt.dcm", [("Round", [text])])
    assert read(tmp_path, inline_pool).voxels[1] * 0.25 == pytest.approx(np.pi * 64, rel=0.01)


def test_another_frame_of_reference_is_refused_by_both_uids(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    write_structures(tmp_path / "rt.dcm", [("A", [contour(square(GRID, 2, 4.5, 30.5))])], frame="1.2.3.99")
    with pytest.raises(GeometryMismatch) as caught:
        read(tmp_path, inline_pool)
    assert "1.2.3.99" in str(caught.value)
    assert FRAME in str(caught.value)


def test_structures_far_from_the_image_are_refused_with_both_extents(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    write_structures(tmp_path / "rt.dcm", [("A", [contour(square(GRID, 50, 4.5, 30.5))])])
    with pytest.raises(GeometryMismatch, match=r"180\.0 to 180\.0 mm along its normal, its planes at 30\.0 to 45\.0 mm"):
        read(tmp_path, inline_pool)


def test_outlines_across_the_planes_are_told_of(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    upright = np.array([GRID.place(k, r, 5) for k, r in ((1, 5), (4, 5), (4, 20), (1, 20))])
    write_structures(tmp_path / "rt.dcm", [("A", [contour(upright), contour(square(GRID, 2, 4.5, 30.5))])])
    assert "1 outline does not lie in the image's planes" in warnings(read(tmp_path, inline_pool))


def test_a_structure_set_without_structures_is_refused(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    write_structures(tmp_path / "rt.dcm", [])
    with pytest.raises(UnreadableFile, match=r"rt\.dcm: there is no structure in it"):
        read(tmp_path, inline_pool)


def test_even_long_structure_sets_are_listed_whole(shared_data: Path) -> None:
    listed: dict[str, Any] = {e.files[0].name: e for e in found(shared_data / "petctmr_sts001").series if e.object_kind == "structures"}
    assert listed["pet_raw_rtstruct.dcm"].title == "Structure set: 2 structures (RTstruct_PET)"
    assert listed["pet_raw_rtstruct.dcm"].plan.names == ("GTV_Mass", "GTV_Edema")
    assert len(listed) == 4
