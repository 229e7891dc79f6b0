"""DICOM Segmentation (CONVENTIONS F06, D14, C16). Oracles: pydicom's own decoding, masks placed by hand, expected.json, SimpleITK's NRRD reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import generate_uid

from tests.io.objects.object_samples import FRAME, OBLIQUE, Frame, Grid, item, parts, write_image, write_segmentation
from viewer.core.errors import GeometryMismatch, UnreadableFile
from viewer.core.geometry import Geometry
from viewer.io.objects.layers import SegmentSet
from viewer.io.objects.read import read_segments
from viewer.jobs.pool import Pool

GRID = Grid()
RANDOM = np.random.default_rng(20261122)


def masks(shape: tuple[int, ...], part: float = 0.4) -> np.ndarray:
    return (RANDOM.random(shape) < part).astype(np.uint8)


def read(folder: Path, pool: Pool, geometry: Geometry | None = None) -> SegmentSet:
    segmentation, image = parts(folder)
    assert image.geometry is not None
    return read_segments(segmentation, geometry or image.geometry, pool=pool)


def voxels_of(found: SegmentSet, label: int) -> np.ndarray:
    """Where a segment is, wherever its layer."""
    (layer,) = [layer for layer in found.layers if any(s.label == label for s in layer.segments)]
    return layer.labels == label


def warnings(found: SegmentSet) -> str:
    return "\n".join(note.text for note in found.notes if note.is_warning)


# --- real files ---


def bitpacked(shared_data: Path) -> list[Path]:
    return [shared_data / "single" / f"bitpack23x38_{name}" for name in ("IMG0001.dcm", "IMG0002.dcm", "IMG0003.dcm", "label.seg")]


def test_d14_bit_packed_frames_of_23_columns_equal_pydicoms(shared_data: Path, inline_pool: Pool) -> None:
    import pydicom

    segmentation, image = parts(*bitpacked(shared_data))
    found = read_segments(segmentation, image.geometry, pool=inline_pool)
    dataset = pydicom.dcmread(segmentation.files[0])
    heights = [float(g.PlanePositionSequence[0].ImagePositionPatient[2]) for g in dataset.PerFrameFunctionalGroupsSequence]
    assert np.array_equal(found.layers[0].labels, dataset.pixel_array[np.argsort(heights)])
    assert found.voxels == {1: 322}
    assert [(s.name, s.coded_meaning) for s in found.segments] == [("Liver", "Liver")]
    assert not warnings(found)


@pytest.mark.parametrize(
    "name", ["liver_rle", "liver_deflate", "liver_nonbyte_aligned_rle", "liver_nonbyte_aligned_deflate", "liver_nonbyte_aligned_j2k"]
)
def test_f06_every_packing_of_the_liver_gives_the_voxels_of_its_nrrd(shared_data: Path, inline_pool: Pool, name: str) -> None:
    import SimpleITK as sitk

    nrrd = sitk.ReadImage(str(shared_data / "nifti_nrrd" / "liver_seg.nrrd"))
    truth = sitk.GetArrayFromImage(nrrd) > 0
    from viewer.io import open as io_open

    (segmentation,) = io_open.find([shared_data / "single" / f"{name}.dcm"]).series
    header = segmentation.plan.header
    # The image's grid, from SimpleITK's reading of the NRRD; the smaller files are cut by two rows and columns.
    x, y, z = nrrd.GetSpacing()
    geometry = Geometry((3, header.rows, header.columns), header.frames[0].position, (z, y, x), frame_uid=header.frame_uid)
    lowest = min(header.frames, key=lambda f: f.position[2]).position
    geometry = Geometry((3, header.rows, header.columns), lowest, (z, y, x), frame_uid=header.frame_uid)
    assert np.allclose(lowest[2], nrrd.GetOrigin()[2], atol=0.01)
    found = read_segments(segmentation, geometry, pool=inline_pool)
    assert np.array_equal(found.layers[0].labels > 0, truth[:, : header.rows, : header.columns])


def test_f06_overlapping_segments_of_a_real_file_keep_every_voxel(shared_data: Path, inline_pool: Pool) -> None:
    import pydicom

    from viewer.io import open as io_open

    (segmentation,) = io_open.find([shared_data / "single" / "seg_image_ct_binary_overlap.dcm"]).series
    dataset = pydicom.dcmread(segmentation.files[0])
    groups = dataset.PerFrameFunctionalGroupsSequence
    positions = np.array([g.PlanePositionSequence[0].ImagePositionPatient for g in groups], dtype=float)
    heights = np.unique(positions[:, 2])
    step = np.diff(heights).min()
    planes = np.rint((positions[:, 2] - heights[0]) / step).astype(int)
    spacing = [float(s) for s in dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing]
    origin = (float(positions[0, 0]), float(positions[0, 1]), float(heights[0]))
    geometry = Geometry((int(planes.max()) + 1, 16, 16), origin, (float(step), *spacing), frame_uid=dataset.FrameOfReferenceUID)
    found = read_segments(segmentation, geometry, pool=inline_pool)
    for number in (1, 2):
        truth = np.zeros(geometry.shape, bool)
        for n, group in enumerate(groups):
            if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number:
                truth[planes[n]] |= dataset.pixel_array[n] > 0
        assert np.array_equal(voxels_of(found, number), truth)
        assert found.voxels[number] == truth.sum() > 0


# --- places ---


def test_f06_places_decide_not_the_order_of_frames_and_absent_frames_are_empty(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", OBLIQUE)
    truth = masks(OBLIQUE.shape)
    truth[2] = 0  # no frame is written for it
    frames = [Frame(truth[k], OBLIQUE.place(k, 0, 0)) for k in (4, 0, 3, 1)]
    write_segmentation(tmp_path / "seg.dcm", frames, OBLIQUE)
    found = read(tmp_path, inline_pool)
    assert np.array_equal(found.layers[0].labels, truth)
    assert not warnings(found)


@pytest.mark.parametrize(("row_sign", "column_sign"), [(-1, 1), (1, -1), (-1, -1)])
def test_f06_axes_that_run_the_other_way_are_turned_round(tmp_path: Path, inline_pool: Pool, row_sign: int, column_sign: int) -> None:
    write_image(tmp_path / "ct", OBLIQUE)
    truth = masks(OBLIQUE.shape)
    _planes, rows, columns = OBLIQUE.shape
    corner = (0 if column_sign > 0 else rows - 1, 0 if row_sign > 0 else columns - 1)
    turned = Grid(row=tuple(row_sign * c for c in OBLIQUE.row), column=tuple(column_sign * c for c in OBLIQUE.column))
    frames = [Frame(truth[k, ::column_sign, ::row_sign], OBLIQUE.place(k, *corner)) for k in range(5)]
    write_segmentation(tmp_path / "seg.dcm", frames, turned)
    assert np.array_equal(read(tmp_path, inline_pool).layers[0].labels, truth)


def test_f06_rows_and_columns_may_be_swapped(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", OBLIQUE)
    truth = masks(OBLIQUE.shape)
    swapped = Grid(row=OBLIQUE.column, column=OBLIQUE.row, spacing=(3.0, 2.0, 0.5))
    frames = [Frame(truth[k].T.copy(), OBLIQUE.place(k, 0, 0)) for k in range(5)]
    write_segmentation(tmp_path / "seg.dcm", frames, swapped)
    assert np.array_equal(read(tmp_path, inline_pool).layers[0].labels, truth)


def test_f06_frames_across_the_images_planes_land_on_its_voxels(tmp_path: Path, inline_pool: Pool) -> None:
    """Sagittal frames (rows along the planes, columns along the rows) of an axial image."""
    write_image(tmp_path / "ct", OBLIQUE)
    truth = masks(OBLIQUE.shape)
    across = Grid(row=OBLIQUE.column, column=tuple(OBLIQUE.normal), spacing=(2.0, 3.0, 0.5))
    frames = [Frame(truth[:, :, i], OBLIQUE.place(0, 0, i)) for i in (12, 3, *range(3), *range(4, 12))]
    write_segmentation(tmp_path / "seg.dcm", frames, across)
    found = read(tmp_path, inline_pool)
    assert np.array_equal(found.layers[0].labels, truth)
    assert not warnings(found)


def test_f06_planes_of_an_uneven_image_are_found_by_their_places(tmp_path: Path, inline_pool: Pool) -> None:
    uneven = Grid(heights=(0.0, 3.0, 6.0, 15.0, 18.5))
    write_image(tmp_path / "ct", uneven)
    truth = masks(uneven.shape)
    write_segmentation(tmp_path / "seg.dcm", [Frame(truth[k], uneven.place(k, 0, 0)) for k in range(5)], uneven)
    assert np.array_equal(read(tmp_path, inline_pool).layers[0].labels, truth)


def test_f06_another_frame_of_reference_is_refused_by_both_uids(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    other = generate_uid()
    write_segmentation(tmp_path / "seg.dcm", [Frame(masks(GRID.shape[1:]), GRID.place(0, 0, 0))], GRID, FrameOfReferenceUID=other)
    with pytest.raises(GeometryMismatch) as caught:
        read(tmp_path, inline_pool)
    assert other in str(caught.value)
    assert FRAME in str(caught.value)
    assert "seg.dcm" in str(caught.value)


def test_f06_turned_planes_are_refused_with_the_angle_and_both_grids(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    angle = np.radians(5)
    turned = Grid(row=(float(np.cos(angle)), float(np.sin(angle)), 0.0), column=(float(-np.sin(angle)), float(np.cos(angle)), 0.0))
    write_segmentation(tmp_path / "seg.dcm", [Frame(masks(GRID.shape[1:]), GRID.place(0, 0, 0))], turned)
    with pytest.raises(GeometryMismatch, match=r"5\.00°.*5 x 11 x 13 of 3 x 0\.5 x 2 mm"):
        read(tmp_path, inline_pool)


def test_f06_a_segmentation_beside_the_image_is_refused(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    write_segmentation(tmp_path / "seg.dcm", [Frame(masks(GRID.shape[1:]), GRID.place(40, 0, 0))], GRID)
    with pytest.raises(GeometryMismatch, match="nothing of it lies inside"):
        read(tmp_path, inline_pool)


def test_f06_what_lies_outside_is_counted_and_said(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    mask = np.ones(GRID.shape[1:], np.uint8)
    # Two rows and a column beyond the image, and a plane below it.
    frames = [Frame(mask, GRID.place(1, 2, 1)), Frame(mask, GRID.place(-1, 0, 0))]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID)
    found = read(tmp_path, inline_pool)
    assert found.voxels == {1: 9 * 12}
    assert "1 plane of the segmentation lies outside" in warnings(found)
    assert f"{11 * 13 - 9 * 12 + 11 * 13} voxels of it lie outside" in warnings(found)


def test_c16_another_spacing_takes_the_nearest_pixel_and_says_so(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    coarse = Grid(shape=(3, 4, 9), spacing=(6.0, 1.5, 3.0), origin=(10.2, -19.9, 30.0))
    truth = masks(coarse.shape)
    write_segmentation(tmp_path / "seg.dcm", [Frame(truth[k], coarse.place(k, 0, 0)) for k in range(3)], coarse)
    found = read(tmp_path, inline_pool)
    expected = np.zeros(GRID.shape, bool)
    for index in np.ndindex(*GRID.shape):
        place = GRID.place(*index) - np.asarray(coarse.origin)
        plane, row, column = place[2] / 6.0, place[1] / 1.5, place[0] / 3.0
        # Exactly between two planes the lower one counts.
        k, j, i = int(np.ceil(plane - 0.5)), int(np.floor(row + 0.5)), int(np.floor(column + 0.5))
        expected[index] = 0 <= k < 3 and 0 <= j < 4 and 0 <= i < 9 and truth[k, j, i] == 1
    assert np.array_equal(found.layers[0].labels > 0, expected)
    assert "nearest neighbour" in warnings(found)
    assert "6 x 1.5 x 3 mm" in warnings(found)


# --- segments ---


def test_f06_every_voxel_of_overlapping_segments_is_kept_in_as_few_layers_as_that_takes(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    truth = {n: masks(GRID.shape, 0.3) for n in (1, 2, 3)}
    truth[4] = ((truth[1] + truth[2]) == 0).astype(np.uint8) * masks(GRID.shape)  # beside 1 and 2
    truth[300] = truth[2] & (truth[1] == 0) & (truth[4] == 0)  # within 2, beside 1 and 4
    frames = [Frame(mask[k], GRID.place(k, 0, 0), segment=n) for n, mask in truth.items() for k in range(5)]
    RANDOM.shuffle(frames)  # type: ignore[arg-type]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID)
    found = read(tmp_path, inline_pool)
    for number, mask in truth.items():
        assert np.array_equal(voxels_of(found, number), mask == 1), number
        assert found.voxels[number] == mask.sum()
    assert len(found.layers) == 3  # 1 with 4 and 300, 2, 3: no two of 1, 2, 3 share a layer
    assert [s.label for s in found.segments] == [1, 2, 3, 4, 300]


def test_f06_names_colours_and_codes_of_segments(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    liver = {
        "SegmentLabel": "Leber", "RecommendedDisplayCIELabValue": [41661, 41167, 40792], "SegmentAlgorithmName": "nnU-Net",
        "SegmentedPropertyCategoryCodeSequence": [item(CodeValue="T-D0050", CodingSchemeDesignator="SRT", CodeMeaning="Tissue")],
        "SegmentedPropertyTypeCodeSequence": [item(CodeValue="T-62000", CodingSchemeDesignator="SRT", CodeMeaning="Liver")],
    }  # fmt: skip
    frames = [Frame(masks(GRID.shape[1:]), GRID.place(0, 0, 0))]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID, segments={1: liver, 2: {"SegmentLabel": "Empty"}})
    found = read(tmp_path, inline_pool)
    first, second = found.segments
    assert (first.name, first.coded_meaning, second.name) == ("Leber", "Liver", "Empty")
    # LittleCMS gives 217, 130, 101 for this colour (Lab of D50 to sRGB, relative colorimetric).
    assert first.color == "#D98265"
    assert second.color.startswith("#")
    assert found.voxels[2] == 0
    text = "\n".join(n.text for n in found.notes)
    assert "Tissue, Liver; drawn by hand (nnU-Net)" in text
    assert "without a voxel: Empty" in text


@pytest.mark.parametrize("values", [[41661, 41167, 40792], [20000, 50000, 20000], [60000, 30000, 34000], [65535, 32896, 32896], [0, 32896, 32896]])
def test_recommended_colours_are_those_of_littlecms(values: list[int]) -> None:
    from PIL import Image, ImageCms

    from viewer.io.objects.tints import from_cielab

    lightness, a, b = values[0] / 65535 * 255, *(v / 65535 * 255 - 128 for v in values[1:])
    pixel = Image.new("LAB", (1, 1))
    pixel.frombytes(bytes([round(lightness), round(a) % 256, round(b) % 256]))
    move = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB", renderingIntent=1)
    want = ImageCms.applyTransform(pixel, move).getpixel((0, 0))
    got = [int(from_cielab(values)[n : n + 2], 16) for n in (1, 3, 5)]
    # Pillow's Lab has eight bits, so that each colour is off by up to about one step of lightness and of a and b.
    assert np.abs(np.subtract(got, want)).max() <= 4


def test_f06_fractions_count_from_half_of_their_maximum_and_that_is_said(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    values = RANDOM.integers(0, 201, GRID.shape).astype(np.uint8)
    values[0, 0, :3] = (99, 100, 101)
    write_segmentation(tmp_path / "seg.dcm", [Frame(values[k], GRID.place(k, 0, 0)) for k in range(5)], GRID, kind="FRACTIONAL")
    found = read(tmp_path, inline_pool)
    assert np.array_equal(found.layers[0].labels == 1, values >= 100)
    assert "probabilities: shown from half (100 of 200)" in warnings(found)


@pytest.mark.parametrize("bits", [8, 16])
def test_f06_a_label_map_is_one_layer(tmp_path: Path, inline_pool: Pool, bits: int) -> None:
    write_image(tmp_path / "ct", GRID)
    numbers = np.array([0, 1, 2, 7] if bits == 8 else [0, 1, 2, 40000])
    values = RANDOM.choice(numbers, GRID.shape).astype(f"u{bits // 8}")
    segments = {0: {"SegmentLabel": "Background"}, **{int(n): {"SegmentLabel": f"S{n}"} for n in numbers[1:]}}
    frames = [Frame(values[k], GRID.place(k, 0, 0), segment=None) for k in (3, 1, 0, 4, 2)]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID, kind="LABELMAP", bits=bits, segments=segments)
    found = read(tmp_path, inline_pool)
    assert len(found.layers) == 1
    assert np.array_equal(found.layers[0].labels, values)
    assert found.voxels == {int(n): int((values == n).sum()) for n in numbers[1:]}
    assert [s.name for s in found.segments] == [f"S{n}" for n in numbers[1:]]


def test_f06_a_label_maps_padding_is_its_background(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    values = RANDOM.choice([1, 255], GRID.shape).astype(np.uint8)
    frames = [Frame(values[k], GRID.place(k, 0, 0), segment=None) for k in range(5)]
    segments = {1: {"SegmentLabel": "A"}}
    write_segmentation(tmp_path / "seg.dcm", frames, GRID, kind="LABELMAP", segments=segments, PixelPaddingValue=255)
    assert np.array_equal(read(tmp_path, inline_pool).layers[0].labels, values == 1)


# --- bad input ---


def test_a_segment_that_is_not_described_keeps_its_voxels_and_is_told_of(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    mask = masks(GRID.shape[1:])
    frames = [Frame(mask, GRID.place(0, 0, 0), segment=9)]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID, segments={1: {"SegmentLabel": "A"}})
    found = read(tmp_path, inline_pool)
    assert found.voxels == {1: 0, 9: int(mask.sum())}
    assert "1 segment has voxels, but is not described" in warnings(found)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PerFrameFunctionalGroupsSequence": None}, "no functional groups"),
        ({"PerFrameFunctionalGroupsSequence": [item()]}, "says that it has 2 frames, describes 1 and holds 2"),
        ({"PerFrameFunctionalGroupsSequence": [item(), item()]}, "has no place, direction or pixel spacing"),
        ({"SharedFunctionalGroupsSequence": None}, "has no place, direction or pixel spacing"),
        ({"NumberOfFrames": 3}, "says that it has 3 frames, describes 2 and holds 2"),
        ({"SegmentSequence": None}, "no Segment Sequence"),
        ({"SegmentationType": "SURFACE"}, '"SURFACE"'),
    ],
)
def test_a_segmentation_that_is_not_whole_is_refused_with_a_sentence(tmp_path: Path, inline_pool: Pool, changes: dict[str, Any], said: str) -> None:
    write_image(tmp_path / "ct", GRID)
    frames = [Frame(masks(GRID.shape[1:]), GRID.place(k, 0, 0)) for k in range(2)]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID, **changes)
    with pytest.raises(Exception, match=r"seg\.dcm") as caught:
        read(tmp_path, inline_pool)
    assert said in str(caught.value)
    assert type(caught.value).__module__ == "viewer.core.errors"


def test_a_frame_without_a_segment_is_refused(tmp_path: Path, inline_pool: Pool) -> None:
    write_image(tmp_path / "ct", GRID)
    frames = [Frame(masks(GRID.shape[1:]), GRID.place(0, 0, 0), segment=None), Frame(masks(GRID.shape[1:]), GRID.place(1, 0, 0))]
    write_segmentation(tmp_path / "seg.dcm", frames, GRID)
    with pytest.raises(UnreadableFile, match="frame 1 does not say which segment"):
        read(tmp_path, inline_pool)


def test_a_segmentation_of_a_slide_is_refused_as_such(shared_data: Path, inline_pool: Pool) -> None:
    from viewer.io import open as io_open

    (segmentation,) = io_open.find([shared_data / "single" / "seg_image_sm_control_labelmap.dcm"]).series
    geometry = Geometry((1, 10, 10), frame_uid=segmentation.plan.header.frame_uid)
    with pytest.raises(Exception, match="whole-slide"):
        read_segments(segmentation, geometry, pool=inline_pool)
