"""What the file says besides voxels: windows, units, kinds of millimetres, badges, names."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.core.window import Window
from viewer.io import dicom

STORED = np.arange(12, dtype=np.uint16).reshape(3, 4)
CR = {"Modality": "CR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "ImagePositionPatient": None, "ImageOrientationPatient": None}


def load(path: Path, pool):
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


def test_windows_keep_order_names_and_function_and_lose_widths_of_zero(write_dicom, inline_pool) -> None:
    path = write_dicom("a", STORED, WindowCenter=[40, 1, -600.5], WindowWidth=[400, 0, 1500.25], WindowCenterWidthExplanation=["SOFT", "BAD", "LUNG"])
    assert load(path, inline_pool).windows == (Window(40, 400, "LINEAR", "SOFT"), Window(-600.5, 1500.25, "LINEAR", "LUNG"))
    path = write_dicom("b", STORED, WindowCenter=1, WindowWidth=0.5, VOILUTFunction="LINEAR_EXACT")
    assert load(path, inline_pool).windows == (Window(1, 0.5, "LINEAR_EXACT"),)


def test_voi_lut_is_handed_on_and_never_applied(write_dicom, inline_pool) -> None:
    item = Dataset()
    item.add_new(0x00283002, "SS", [3, -5, 12])
    item.add_new(0x00283003, "LO", "CURVE")
    item.add_new(0x00283006, "US", [0, 2000, 4095])
    volume = load(write_dicom("a", STORED, VOILUTSequence=Sequence([item]), RescaleIntercept=-5, RescaleSlope=1), inline_pool)
    (lut,) = volume.voi_luts
    assert (lut.first, lut.table, lut.bits, lut.name) == (-5, (0, 2000, 4095), 12, "CURVE")
    assert volume.values.min() == -5


@pytest.mark.parametrize(
    ("changes", "unit"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "RescaleSlope": 1, "RescaleIntercept": 0}, "HU"),
        ({"ImageType": ["DERIVED", "SECONDARY"], "RescaleSlope": 1, "RescaleIntercept": 0}, ""),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ""),
        ({"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, ""),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "US", "Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, ""),
        ({"RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "mg/ml"}, "mg/ml"),
        ({"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Units": "BQML"}, "Bq/mL"),
        ({"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Units": "GML"}, "SUVbw"),
    ],
)
def test_unit(write_dicom, inline_pool, changes: dict, unit: str) -> None:
    assert load(write_dicom("a", STORED, **changes), inline_pool).unit == unit


@pytest.mark.parametrize(
    ("changes", "spacing", "badge"),
    [
        ({"PixelSpacing": None, "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "AT DETECTOR"),
        ({"PixelSpacing": None, "ImagerPixelSpacing": [0.2, 0.1], "EstimatedRadiographicMagnificationFactor": 2}, (0.1, 0.05), "EST. MAG"),
        (
            {"PixelSpacing": None, "ImagerPixelSpacing": [0.2, 0.1], "DistanceSourceToDetector": 1000, "DistanceSourceToPatient": 500},
            (0.1, 0.05),
            "EST. MAG",
        ),
        ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "AT DETECTOR"),
        ({"PixelSpacing": [0.18, 0.09], "ImagerPixelSpacing": [0.2, 0.1], "PixelSpacingCalibrationType": "GEOMETRY"}, (0.18, 0.09), "EST. MAG"),
        ({"PixelSpacing": [0.18, 0.09], "ImagerPixelSpacing": [0.2, 0.1], "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.18, 0.09), ""),
        ({"PixelSpacing": None, "NominalScannedPixelSpacing": [0.3, 0.4]}, (0.3, 0.4), ""),
        ({"PixelSpacing": None}, None, "UNCALIBRATED"),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.2, 0.1]}, None, "UNCALIBRATED"),
    ],
)
def test_kinds_of_millimetres_of_films(write_dicom, inline_pool, changes: dict, spacing, badge: str) -> None:
    volume = load(write_dicom("a", STORED, **CR, **changes), inline_pool)
    assert volume.geometry.in_plane_known == (spacing is not None)
    if spacing is not None:
        np.testing.assert_allclose(volume.geometry.spacing[1:], spacing)
    assert {b for b in volume.badges if b in ("AT DETECTOR", "EST. MAG", "UNCALIBRATED")} == ({badge} if badge else set())


def test_ultrasound_region_in_centimetres(write_dicom, inline_pool) -> None:
    region = Dataset()
    region.RegionSpatialFormat, region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection = 1, 3, 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.02, -0.05
    changes = {"Modality": "US", "PixelSpacing": None, "ImagePositionPatient": None, "SequenceOfUltrasoundRegions": Sequence([region])}
    assert load(write_dicom("a", STORED, **changes), inline_pool).geometry.spacing[1:] == (0.5, 0.2)


def test_lossy_and_derived_are_badges(write_dicom, inline_pool) -> None:
    path = write_dicom("a", STORED, LossyImageCompression="01", LossyImageCompressionRatio=[4, 12], ImageType=["DERIVED", "SECONDARY"])
    assert {"LOSSY 12:1", "DERIVED"} <= set(load(path, inline_pool).badges)


def test_facts_name_what_people_ask_for(shared_data: Path, inline_pool) -> None:
    (entry,) = dicom.scan(sorted((shared_data / "ct_chest_lidc").iterdir())).series
    facts = dicom.load_plane(entry, 0, 0, pool=inline_pool).facts
    assert facts["Slice thickness"] == "1 mm"
    assert facts["Transfer syntax"] == "Implicit VR Little Endian"


def test_patient_orientation_and_aspect_of_a_film_without_frame(write_dicom, inline_pool) -> None:
    volume = load(write_dicom("a", STORED, **CR, PixelSpacing=None, PatientOrientation=["L", "F"], PixelAspectRatio=[2, 1]), inline_pool)
    assert volume.patient_orientation == ("L", "F")
    assert volume.pixel_aspect == 2.0
    assert not volume.geometry.is_patient


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chrArab.dcm", "قباني^لنزار"),
        ("chrFren.dcm", "Buc^Jérôme"),
        ("chrGerm.dcm", "Äneas^Rüdiger"),
        ("chrGreek.dcm", "Διονυσιος"),
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrI2.dcm", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chrRuss.dcm", "Люкceмбypг"),
        ("chrX1.dcm", "Wang^XiaoDong=王^小東"),
        ("chrX2.dcm", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_every_character_set(name: str, expected: str) -> None:
    (entry,) = dicom.scan([Path(pydicom.__file__).parent / "data" / "charset_files" / name]).series
    assert entry.identity.patient_name == expected


def test_names_in_gb2312(shared_data: Path) -> None:
    (entry,) = dicom.scan([shared_data / "single" / "chrGB2312.dcm"]).series
    assert entry.identity.patient_name == "Zhang^XiaoDong=张^小东"


def test_control_and_direction_marks_in_names_are_harmless(write_dicom) -> None:
    path = write_dicom("a", STORED, PatientID="a\x1b]0;x\x07\r\n\u202eb", SpecificCharacterSet="ISO_IR 192")
    (entry,) = dicom.scan([path]).series
    assert entry.identity.patient_id.replace("\N{REPLACEMENT CHARACTER}", "") == "a]0;xb"


def test_an_unknown_character_set_is_no_reason_to_fail(write_dicom) -> None:
    path = write_dicom("a", STORED, PatientName="Muster")
    dataset = pydicom.dcmread(path)
    dataset.add_new(0x00080005, "CS", "NO SUCH SET")
    with pytest.warns(UserWarning, match="NO SUCH SET"):
        dataset.save_as(path)
    (entry,) = dicom.scan([path]).series
    assert entry.identity.patient_name == "Muster"


def test_pydicoms_warnings_become_warnings_of_the_series_and_nothing_else(shared_data: Path) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        (entry,) = dicom.scan([shared_data / "single" / "IM00001.fragmented_no_bot_jpeg_baseline.50.dcm"]).series
    assert heard == []
    assert any("Character Set" in w for w in entry.warnings)


def test_reading_in_several_threads_leaves_the_filters_of_warnings_alone(shared_data: Path) -> None:
    files = sorted((shared_data / "single").iterdir())
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        listings = list(pool.map(dicom.scan, [files] * 4))
    assert warnings.filters == before
    assert len({len(listing.series) for listing in listings}) == 1


CINE = {"Modality": "US", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.3.1", "ImagePositionPatient": None, "ImageOrientationPatient": None}
MOVING = np.arange(4 * 12, dtype=np.uint16).reshape(4, 3, 4)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"FrameTime": 40}, (0, 0.04, 0.08, 0.12)),
        ({"CineRate": 20, "FrameTime": 40}, (0, 0.05, 0.1, 0.15)),
        ({"RecommendedDisplayFrameRate": 5, "CineRate": 20, "FrameTime": 40}, (0, 0.2, 0.4, 0.6)),
        ({"FrameTimeVector": [0, 10, 30, 20], "FrameTime": 40, "FrameIncrementPointer": 0x00181065}, (0, 0.01, 0.04, 0.06)),
        ({}, (0, 0.1, 0.2, 0.3)),  # 10 a second where nothing is said
        ({"FrameTime": 1}, (0, 1 / 60, 2 / 60, 3 / 60)),  # never more than 60 a second
        ({"FrameTime": 5000}, (0, 1, 2, 3)),  # never fewer than one
        ({"FrameTime": 40, "FrameIncrementPointer": 0x00540080}, ()),  # slices, not time
    ],
)
def test_d51_the_rate_of_a_cine_is_that_of_the_file(write_dicom, inline_pool, said: dict, seconds: tuple[float, ...]) -> None:
    assert load(write_dicom("a", MOVING, **CINE, **said), inline_pool).phase_seconds == pytest.approx(seconds)


def test_d21_private_scale_of_one_maker_changes_no_value_on_screen(write_dicom, inline_pool) -> None:
    scale = Dataset()
    block = scale.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", 0.01)
    private = {element.tag: element for element in scale}
    path = write_dicom("a", STORED, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4", RescaleSlope=2, RescaleIntercept=1)
    dataset = pydicom.dcmread(path)
    for element in private.values():
        dataset.add(element)
    dataset.save_as(path)
    np.testing.assert_array_equal(load(path, inline_pool).values[0], STORED.astype(int) * 2 + 1)
