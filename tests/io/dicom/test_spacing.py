"""Kinds of millimetres (CONVENTIONS D65 to D69). Expected values by arithmetic; row and column spacing always differ, 0.5 and 2.0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.core.volume import Volume
from viewer.io import dicom
from viewer.io.write import save_mask, save_volume

STORED = np.arange(35, dtype=np.int16).reshape(5, 7)
FILM = {"Modality": "DX", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "ImagePositionPatient": None, "ImageOrientationPatient": None}
ECHO = {"Modality": "US", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1", "PixelSpacing": None, "ImagePositionPatient": None,
        "ImageOrientationPatient": None}  # fmt: skip


def opened(path: Path, pool: Any) -> Volume:
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


def length(volume: Volume, start: tuple[float, float], end: tuple[float, float]) -> tuple[float | None, str]:
    """Of a line from (row, column) to (row, column)."""
    places = [tuple(float(c) for c in volume.geometry.to_patient((0, *point))) for point in (start, end)]
    (found,) = measure_annotation(Annotation("a", "distance", volume.id, (places[0], places[1]), 0), volume).measures  # type: ignore[arg-type]
    return found.value, found.unit


def notes(volume: Volume) -> str:
    return " ".join(n.text for n in volume.notes if n.topic == "spacing")


# --- D65: rows, then columns, on every way ---------------------------------------------------------------------------


def item(**values: Any) -> Dataset:
    found = Dataset()
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return found


WAYS: dict[str, dict[str, Any]] = {
    "classic": {},
    "imager": {**FILM, "PixelSpacing": None, "ImagerPixelSpacing": [0.5, 2.0]},
    "imager over magnification": {**FILM, "PixelSpacing": None, "ImagerPixelSpacing": [1, 4], "EstimatedRadiographicMagnificationFactor": 2},
    "scanned film": {**FILM, "Modality": "OT", "PixelSpacing": None, "NominalScannedPixelSpacing": [0.5, 2.0]},
    "ultrasound": {
        **ECHO,
        "SequenceOfUltrasoundRegions": Sequence(
            [item(RegionSpatialFormat=1, PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3, PhysicalDeltaX=0.2, PhysicalDeltaY=0.05)]
        ),
    },
    "enhanced": {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1", "Modality": "MR", "PixelSpacing": None, "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "SharedFunctionalGroupsSequence": Sequence(
            [
                item(
                    PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.5, 2.0])]),
                    PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
                    PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, 0])]),
                )
            ]
        ),
    },
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_d65_c16_a_bar_is_as_long_down_as_across(write_dicom: Any, inline_pool: Any, way: str) -> None:
    volume = opened(write_dicom("a", STORED, **WAYS[way]), inline_pool)
    assert volume.geometry.spacing[1:] == pytest.approx((0.5, 2.0))
    assert length(volume, (0, 3), (4, 3))[0] == pytest.approx(2.0)  # 4 rows of 0.5
    assert length(volume, (2, 0), (2, 1))[0] == pytest.approx(2.0)  # 1 column of 2
    assert "0.5 mm between rows, 2 mm between columns" in notes(volume)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_d65_files_written_have_columns_first_as_simpleitk_reads_them(write_dicom: Any, inline_pool: Any, tmp_path: Path, ending: str) -> None:
    volume = opened(write_dicom("a", STORED), inline_pool)
    save_volume(tmp_path / f"v{ending}", volume)
    save_mask(tmp_path / f"m{ending}", np.asarray(volume.values > 3), volume.geometry)
    for name in "vm":
        assert sitk.ReadImage(str(tmp_path / f"{name}{ending}")).GetSpacing()[:2] == pytest.approx((2.0, 0.5))


# --- D66, D67, D69: projections and films ---------------------------------------------------------------------------


FILMS: list[tuple[dict[str, Any], tuple[float, float] | None, str, str, str]] = [
    ({"PixelSpacing": None, "ImagerPixelSpacing": [0.5, 2.0]}, (0.5, 2.0), "AT DETECTOR", "mm at detector", "at the detector"),
    ({"PixelSpacing": None, "ImagerPixelSpacing": [0.5, 2.0], "EstimatedRadiographicMagnificationFactor": 1.25}, (0.4, 1.6), "EST. MAG",
     "mm estimated",
     "0.5 x 2 mm was divided by the estimated magnification 1.25"),
    ({"PixelSpacing": None, "ImagerPixelSpacing": [0.5, 2.0], "DistanceSourceToDetector": 1500, "DistanceSourceToPatient": 1200}, (0.4, 1.6),
     "EST. MAG", "mm estimated", "magnification 1.25"),
    ({"PixelSpacing": [0.5, 2.0], "ImagerPixelSpacing": [0.5, 2.0]}, (0.5, 2.0), "AT DETECTOR", "mm at detector", "at the detector"),
    ({"PixelSpacing": [0.4, 1.6], "ImagerPixelSpacing": [0.5, 2.0], "PixelSpacingCalibrationType": "GEOMETRY"}, (0.4, 1.6), "EST. MAG",
     "mm estimated", "GEOMETRY"),
    ({"PixelSpacing": [0.4, 1.6], "ImagerPixelSpacing": [0.5, 2.0], "PixelSpacingCalibrationType": "FIDUCIAL",
      "PixelSpacingCalibrationDescription": "coin of 24 mm"}, (0.4, 1.6), "", "mm estimated", "coin of 24 mm"),
    ({"PixelSpacing": [0.4, 1.6], "ImagerPixelSpacing": [0.5, 2.0]}, (0.4, 1.6), "", "mm estimated", "calibrated"),
    ({"PixelSpacing": None, "NominalScannedPixelSpacing": [0.5, 2.0]}, (0.5, 2.0), "", "mm estimated", "scanned film"),
    ({"PixelSpacing": None}, None, "UNCALIBRATED", "px", "lengths are in pixels"),
    ({"PixelSpacing": None, "ImagerPixelSpacing": [0.5, -2.0]}, None, "UNCALIBRATED", "px", "lengths are in pixels"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "spacing", "badge", "unit", "words"), FILMS)
def test_d66_d67_d69_a_length_on_a_film_says_what_kind_of_millimetres(
    write_dicom: Any, inline_pool: Any, changes: dict[str, Any], spacing: tuple[float, float] | None, badge: str, unit: str, words: str
) -> None:
    volume = opened(write_dicom("a", STORED, **{**FILM, **changes}), inline_pool)
    kinds = {"AT DETECTOR", "EST. MAG", "UNCALIBRATED"}
    assert kinds & set(volume.badges) == ({badge} if badge else set())
    value, found = length(volume, (0, 1), (4, 1))
    assert found == unit
    assert value == pytest.approx(4 * spacing[0] if spacing else 4)
    assert words in notes(volume)
    assert not volume.geometry.has_volume


@pytest.mark.parametrize("modality", ["CR", "DX", "MG", "XA", "RF"])
def test_d69_projections_at_several_places_are_no_volume(write_dicom: Any, modality: str) -> None:
    files = [write_dicom(f"{n}", STORED, Modality=modality, ImagePositionPatient=[0, 0, 2.0 * n]) for n in range(3)]
    assert [e.shape[0] for e in dicom.scan(files).series] == [1, 1, 1]


# --- D68: ultrasound -------------------------------------------------------------------------------------------------


def region(rows: tuple[int, int], columns: tuple[int, int], delta: tuple[float, float], *, form: int = 1, units: tuple[int, int] = (3, 3)) -> Dataset:
    """``delta``: x, y."""
    return item(
        RegionSpatialFormat=form, RegionDataType=1, RegionLocationMinX0=columns[0], RegionLocationMaxX1=columns[1], RegionLocationMinY0=rows[0],
        RegionLocationMaxY1=rows[1], PhysicalUnitsXDirection=units[0], PhysicalUnitsYDirection=units[1], PhysicalDeltaX=delta[0],
        PhysicalDeltaY=delta[1],
    )  # fmt: skip


PICTURE = np.zeros((40, 60), np.uint8)


def test_d68_a_length_must_lie_in_one_region(write_dicom: Any, inline_pool: Any) -> None:
    """A picture above an M-mode strip whose horizontal axis is time: no length crosses into it or lies in it."""
    regions = [region((0, 19), (0, 59), (0.2, -0.05)), region((20, 39), (0, 59), (0.01, 0.05), form=2, units=(4, 3))]
    volume = opened(write_dicom("a", PICTURE, **ECHO, SequenceOfUltrasoundRegions=Sequence(regions)), inline_pool)
    assert volume.geometry.spacing[1:] == pytest.approx((0.5, 2.0))  # cm to mm, the sign is only a direction
    assert volume.regions == ((0, 0, 19, 59),)
    assert length(volume, (2, 5), (12, 5)) == (pytest.approx(5.0), "mm")
    assert length(volume, (2, 5), (30, 5))[0] is None
    assert length(volume, (25, 5), (30, 5))[0] is None
    assert "no lengths" in notes(volume)


def test_d68_of_two_scales_the_larger_picture_counts_and_only_there(write_dicom: Any, inline_pool: Any) -> None:
    regions = [region((0, 9), (0, 9), (0.01, 0.01)), region((10, 39), (10, 59), (0.2, 0.05))]
    volume = opened(write_dicom("a", PICTURE, **ECHO, SequenceOfUltrasoundRegions=Sequence(regions)), inline_pool)
    assert length(volume, (12, 20), (32, 20))[0] == pytest.approx(10.0)
    assert length(volume, (2, 2), (8, 2))[0] is None


def test_d68_two_pictures_of_one_scale_are_measured_each_by_itself(write_dicom: Any, inline_pool: Any) -> None:
    regions = [region((0, 39), (0, 29), (0.2, 0.05)), region((0, 39), (30, 59), (0.2, 0.05))]
    volume = opened(write_dicom("a", PICTURE, **ECHO, SequenceOfUltrasoundRegions=Sequence(regions)), inline_pool)
    assert length(volume, (5, 5), (5, 25))[0] == pytest.approx(40.0)
    assert length(volume, (5, 35), (5, 55))[0] == pytest.approx(40.0)
    assert length(volume, (5, 20), (5, 40))[0] is None


@pytest.mark.parametrize(("form", "units"), [(2, (4, 3)), (3, (4, 7)), (1, (4, 3))])
def test_d68_without_a_picture_in_centimetres_lengths_are_pixels(write_dicom: Any, inline_pool: Any, form: int, units: tuple[int, int]) -> None:
    one = region((0, 39), (0, 59), (0.2, 0.05), form=form, units=units)
    volume = opened(write_dicom("a", PICTURE, **ECHO, SequenceOfUltrasoundRegions=Sequence([one])), inline_pool)
    assert length(volume, (0, 5), (8, 5)) == (8.0, "px")
    assert "UNCALIBRATED" in volume.badges


def test_d68_an_area_must_lie_in_one_region_too(write_dicom: Any, inline_pool: Any) -> None:
    one = region((0, 19), (0, 59), (0.2, 0.05))
    volume = opened(write_dicom("a", PICTURE, **ECHO, SequenceOfUltrasoundRegions=Sequence([one])), inline_pool)

    def area(row: float) -> float | None:
        points = tuple(tuple(float(c) for c in volume.geometry.to_patient((0, *p))) for p in ((row, 20), (row + 4, 20), (row, 24)))
        found = measure_annotation(Annotation("a", "ellipse", volume.id, points, 0), volume).measures  # type: ignore[arg-type]
        return next(m.value for m in found if m.name == "Area")

    assert area(10) == pytest.approx(np.pi * (4 * 0.5) * (4 * 2.0))
    assert area(17) is None


def test_d68_c5556_each_file_has_its_own_regions(write_dicom: Any, inline_pool: Any) -> None:
    files = [write_dicom(f"{n}", PICTURE, **ECHO, InstanceNumber=n, SequenceOfUltrasoundRegions=Sequence([region((0, 39), (0, 59), (0.1 * n, 0.05))]))
             for n in (1, 2)]  # fmt: skip
    spacings = sorted(dicom.load(e, pool=inline_pool).geometry.spacing[2] for e in dicom.scan(files).series)
    assert spacings == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize("name", ["mr_brucker.dcm", "CT0012.not_fragmented_bot_jpeg_ls.80.dcm"])
def test_d48_spacing_of_the_functional_groups_is_said_to_be_in_the_patient(shared_data: Path, name: str) -> None:
    (entry,) = dicom.scan([shared_data / "single" / name]).series
    (said,) = [n.text for n in entry.notes if n.topic == "spacing"]
    assert "in the patient, as the file says" in said
    assert "UNCALIBRATED" not in entry.plan.description.badges
    assert "unknown" not in entry.plan.description.facts.get("Pixel spacing is", "")


def test_d68_a_region_beyond_the_picture_is_warned_of(shared_data: Path) -> None:
    from pydicom.data import get_testdata_file

    path = Path(str(get_testdata_file("examples_ybr_color.dcm")))  # 320 columns, its region ends at column 595
    (entry,) = dicom.scan([path]).series
    assert any("reaches beyond the picture" in note.text for note in entry.notes if note.is_warning)
