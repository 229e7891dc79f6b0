"""From stored values to modality values, unit and window: what the header says, held against arithmetic and pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut, apply_windowing
from pydicom.sequence import Sequence

from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.core.render import Display, auto_window, voi_levels
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.io import dicom
from viewer.session.alone import first_state
from viewer.session.statistics import value_range
from viewer.session.view import ViewWish

MR = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
STORED = np.arange(64, dtype=np.int16).reshape(8, 8) * 50


def load(path: Path | list[Path], pool) -> Volume:
    (entry,) = dicom.scan(path if isinstance(path, list) else [path]).series
    return dicom.load(entry, pool=pool)


def packaged(name: str) -> Path:
    return Path(str(pydicom.data.get_testdata_file(name, download=False)))


def words(volume: Volume, topic: str = "") -> str:
    return " ".join(note.text for note in volume.notes if topic in ("", note.topic))


# --- padding (D15) ---


def circle_ct() -> tuple[np.ndarray, np.ndarray]:
    """Three planes of noise in a circular field, -2000 outside of it; and where the field is."""
    down, across = np.ogrid[:64, :64]
    field = np.broadcast_to((down - 31) ** 2 + (across - 33) ** 2 <= 28**2, (3, 64, 64))
    stored = np.random.default_rng(1).normal(40, 120, (3, 64, 64)).astype(np.int16)
    return np.where(field, stored, -2000).astype(np.int16), field


def test_d15_c31_a_circle_of_ct_has_the_numbers_of_the_circle_alone(write_dicom, inline_pool) -> None:
    stored, field = circle_ct()
    files = [
        write_dicom(
            f"{n}", stored[n], ImagePositionPatient=[0, 0, n], PixelSpacing=[1, 1], RescaleIntercept=-24, RescaleSlope=1, PixelPaddingValue=-2000
        )
        for n in range(3)
    ]
    volume = load(files, inline_pool)
    inside = stored[field].astype(float) - 24
    middle = stored[1][field[1]].astype(float) - 24
    window = auto_window(volume)
    assert (window.low, window.high) == pytest.approx(tuple(np.percentile(middle, (1, 99))), abs=1e-6)
    assert value_range(volume) == (inside.min(), inside.max())
    ellipse = Annotation("a", "ellipse", volume.id, ((33.0, 31.0, 1.0), (133.0, 31.0, 1.0), (33.0, 131.0, 1.0)))
    found = {m.name: m.value for m in measure_annotation(ellipse, volume).measures}
    assert found["Mean"] == pytest.approx(middle.mean(), rel=1e-9)
    assert found["Minimum"] == middle.min()
    assert "Pixel Padding Value" in words(volume, "values")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"PixelPaddingValue": -2000}, (-2000, -2000)),
        ({"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1500}, (-2000, -1500)),
        ({"PixelPaddingValue": -1500, "PixelPaddingRangeLimit": -2000}, (-2000, -1500)),
        ({"PixelPaddingValue": -2000, "RescaleSlope": -2, "RescaleIntercept": 5}, (4005, 4005)),
        ({"PixelPaddingValue": -2000, "RescaleSlope": 0.1, "RescaleIntercept": 0}, (-200, -200)),
        ({}, None),
    ],
)
def test_d15_padding_is_compared_on_stored_values(write_dicom, inline_pool, changes: dict[str, Any], expected: Any) -> None:
    stored = np.array([[-2000, -1700, -1500, 0, 100]], dtype=np.int16)
    volume = load(write_dicom("a", stored, **{"RescaleSlope": 1, "RescaleIntercept": 0, **changes}), inline_pool)
    assert (volume.padding is None) == (expected is None)
    if expected is not None:
        assert volume.padding == pytest.approx(expected)
        low, high = changes["PixelPaddingValue"], changes.get("PixelPaddingRangeLimit", changes["PixelPaddingValue"])
        is_padding = (stored[0] >= min(low, high)) & (stored[0] <= max(low, high))
        values = volume.values[0, 0]
        assert ((values >= volume.padding[0]) & (values <= volume.padding[1])).tolist() == is_padding.tolist()


def test_d15_the_sign_of_the_padding_is_that_of_the_pixels(write_dicom, inline_pool) -> None:
    path = write_dicom("a", np.array([[63536, 10]], dtype=np.uint16), PixelPaddingValue=63536)
    assert load(path, inline_pool).padding == (63536, 63536)


def test_d15_padding_that_differs_from_slice_to_slice_is_told(write_dicom, inline_pool) -> None:
    files = [
        write_dicom(f"{n}", STORED, ImagePositionPatient=[0, 0, n], RescaleSlope=1 + n, RescaleIntercept=0, PixelPaddingValue=100) for n in range(2)
    ]
    volume = load(files, inline_pool)
    assert volume.padding is None
    assert any(n.is_warning and "not left out" in n.text for n in volume.notes)


# --- modality values (D13, D16 to D18, D20) ---


@pytest.mark.parametrize("name", ["parametric_map_float.dcm", "parametric_map_double_float.dcm"])
def test_d13_float_pixels_are_the_values_as_they_are(shared_data: Path, inline_pool, name: str) -> None:
    path = shared_data / "single" / name
    dataset = pydicom.dcmread(path)
    volume = load(path, inline_pool)
    expected = np.asarray(dataset.pixel_array, dtype=np.float32).reshape(volume.values.shape)
    assert volume.data.dtype == np.float32
    assert np.array_equal(volume.values, expected, equal_nan=True)
    assert "floating point" in words(volume, "values")


def test_d16_a_real_modality_lut_equals_pydicoms(inline_pool) -> None:
    path = packaged("mlut_18.dcm")
    dataset = pydicom.dcmread(path)
    volume = load(path, inline_pool)
    assert np.array_equal(volume.values[0], apply_modality_lut(dataset.pixel_array, dataset))
    assert "Modality LUT" in words(volume, "values")


def test_d16_a_slope_beside_a_lut_is_told_as_ignored(write_dicom, inline_pool) -> None:
    item = Dataset()
    item.add_new(0x00283002, "US", [2, 0, 16])
    item.add_new(0x00283006, "US", [7, 9])
    path = write_dicom(
        "a", np.array([[0, 1]], np.uint16), ModalityLUTSequence=Sequence([item]), RescaleSlope=5, RescaleIntercept=1, PixelPaddingValue=0
    )
    volume = load(path, inline_pool)
    assert volume.values[0, 0].tolist() == [7, 9]
    assert volume.padding is None
    assert any(n.topic == "ignored" and n.is_warning and "slope" in n.text for n in volume.notes)


def test_d17_c7_each_slices_slope_is_told_by_its_range(write_dicom, inline_pool) -> None:
    stored = np.full((2, 2), 100, np.int16)
    files = [write_dicom(f"{n}", stored, ImagePositionPatient=[0, 0, n], RescaleSlope=n + 1, RescaleIntercept=0, Modality="PT") for n in range(2)]
    volume = load(files, inline_pool)
    assert volume.values[:, 0, 0].tolist() == [100, 200]
    assert "slopes from 1 to 2" in words(volume, "values")


@pytest.mark.parametrize("relation", ["LOG", "LIN", "DISP"])
def test_d20_pixel_intensity_relationship_is_a_label(write_dicom, inline_pool, relation: str) -> None:
    path = write_dicom("a", STORED, Modality="XA", SOPClassUID="1.2.840.10008.5.1.4.1.1.12.1", PixelIntensityRelationship=relation)
    volume = load(path, inline_pool)
    assert np.array_equal(volume.values[0], STORED)
    assert relation in words(volume, "values")


# --- units (D19) ---


def mapping(unit: str, slope: float = 2.0, intercept: float = 1.0) -> Sequence:
    code, item = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator = unit, "UCUM"
    item.MeasurementUnitsCodeSequence = Sequence([code])
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    return Sequence([item])


@pytest.mark.parametrize(
    ("changes", "unit", "reason"),
    [
        ({}, "HU", "original CT"),
        ({"ImageType": ["DERIVED", "PRIMARY", "MPR"]}, "", "derived"),
        ({"ImageType": ["DERIVED", "PRIMARY"], "RescaleType": "HU"}, "HU", "Rescale Type"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "RescaleType": "HU"}, "", "secondary capture"),
        ({**MR, "RescaleType": "HU"}, "", "MR"),
        ({**MR, "RescaleType": "NORMALIZED"}, "", "names none"),
        ({"RescaleType": "HU_MOD"}, "HU_MOD", "Rescale Type"),
        ({**MR, "RealWorldValueMappingSequence": mapping("ms"), "RescaleSlope": 2, "RescaleIntercept": 1}, "ms", "Real World"),
        ({**MR, "RealWorldValueMappingSequence": mapping("ms", 3.0), "RescaleSlope": 2, "RescaleIntercept": 1}, "", "names none"),
        ({"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Units": "GML", "SUVType": "LBM"}, "SUVlbm", "GML"),
        ({"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Units": "PROPCNTS"}, "counts", "PROPCNTS"),
    ],
)
def test_d19_the_unit_and_where_it_comes_from(write_dicom, inline_pool, changes: dict[str, Any], unit: str, reason: str) -> None:
    volume = load(write_dicom("a", STORED, **{"RescaleSlope": 1, "RescaleIntercept": 0, **changes}), inline_pool)
    assert volume.unit == unit
    assert reason in words(volume, "unit")


def test_d22_d27_a_pet_without_weight_says_why_it_has_no_suv(write_dicom, inline_pool) -> None:
    changes = {"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Units": "BQML", "DecayCorrection": "START"}
    volume = load(write_dicom("a", STORED, CorrectedImage=["ATTN", "DECY"], **changes), inline_pool)
    assert volume.scales == ()
    assert "weight" in volume.scale_problem
    assert any(n.is_warning and n.text == volume.scale_problem for n in volume.notes)


def test_d23_a_real_pet_offers_suv_and_keeps_its_own_values(shared_data: Path, inline_pool) -> None:
    volume = load(sorted((shared_data / "petctmr_sts001" / "pet_raw").iterdir()), inline_pool)
    (scale,) = volume.scales
    assert (volume.unit, scale.unit) == ("Bq/mL", "SUVbw")
    assert scale.factor == pytest.approx(0.00024290295316686464, rel=1.1e-7)
    assert scale.how in words(volume, "unit")


# --- windows (D32 to D34) ---


def test_d32_a_real_voi_lut_shows_what_pydicom_shows(inline_pool) -> None:
    path = packaged("vlut_04.dcm")
    dataset = pydicom.dcmread(path)
    volume = load(path, inline_pool)
    state = first_state(volume)
    assert state.display is not None
    assert state.display.lut is volume.voi_luts[0]
    expected = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset, prefer_lut=True)
    top = (1 << dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
    np.testing.assert_allclose(voi_levels(volume.values[0], state.display), expected * 255.0 / top, atol=1e-6)


@pytest.mark.parametrize(("bits", "packing"), [(8, "bytes"), (8, "words"), (10, "words"), (12, "words"), (16, "words")])
@pytest.mark.parametrize(("kind", "first"), [(np.uint16, 20), (np.int16, -30)])
def test_d32_tables_of_every_depth_packing_and_sign(write_dicom, inline_pool, bits: int, packing: str, kind: Any, first: int) -> None:
    table = np.rint(np.linspace(0, 1, 64) ** 2 * ((1 << bits) - 1)).astype(np.uint16)
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [64, first, bits])
    item.add_new(0x00283006, "OW", table.astype("<u1" if packing == "bytes" else "<u2").tobytes())
    stored = (np.arange(100).reshape(10, 10) + first - 15).astype(kind) if first >= 0 else (np.arange(100).reshape(10, 10) - 45).astype(kind)
    volume = load(write_dicom("a", stored, VOILUTSequence=Sequence([item]), **MR), inline_pool)
    (lut,) = volume.voi_luts
    shown = voi_levels(volume.values[0], Display(first_state(volume).window, lut))
    expected = table[np.clip(stored.astype(int) - first, 0, 63)] * 255.0 / ((1 << bits) - 1)
    np.testing.assert_allclose(shown, expected, atol=1e-6)


def test_d28_d30_the_files_function_and_window_show_what_pydicom_shows(write_dicom, inline_pool) -> None:
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        path = write_dicom(function, STORED, WindowCenter=700.5, WindowWidth=999.25, VOILUTFunction=function, **MR)
        volume = load(path, inline_pool)
        dataset = pydicom.dcmread(path)
        ends = [float(e) for e in (-32768, 32767)]
        expected = (apply_windowing(STORED, dataset) - ends[0]) / (ends[1] - ends[0]) * 255
        state = first_state(volume)
        assert state.display is not None
        np.testing.assert_allclose(voi_levels(volume.values[0], state.display), expected, atol=1e-3)


def mr_with_windows(write_dicom, windows: list[tuple[float, float]]) -> list[Path]:
    return [write_dicom(f"{n}", STORED, ImagePositionPatient=[0, 0, n], WindowCenter=c, WindowWidth=w, **MR) for n, (c, w) in enumerate(windows)]


def test_d34_slices_with_windows_of_their_own_are_shown_with_them(write_dicom, inline_pool) -> None:
    windows = [(100.0, 50.0), (200.0, 70.0), (300.0, 90.0)]
    (entry,) = dicom.scan(mr_with_windows(write_dicom, windows)).series
    volume = dicom.load(entry, pool=inline_pool)
    states = [first_state(volume, ViewWish(volume.id, index=n)) for n in range(3)]
    assert [(s.window.center, s.window.width) for s in states] == windows
    assert "centres 100 to 300, widths 50 to 90" in words(volume, "window")
    alone = first_state(dicom.load_plane(entry, 2, 0, pool=inline_pool))
    assert (alone.window.center, alone.window.width) == windows[2]


def test_d34_slices_with_one_window_have_no_list_of_them(write_dicom, inline_pool) -> None:
    assert load(mr_with_windows(write_dicom, [(100, 50)] * 3), inline_pool).plane_windows == ()


def test_d34_d48_frames_have_windows_of_their_own_and_shared_ones_count_too(write_dicom, inline_pool) -> None:
    def groups(own: bool) -> dict[str, Any]:
        frames = []
        for n in range(3):
            place, window, group = Dataset(), Dataset(), Dataset()
            place.ImagePositionPatient = [0, 0, n]
            window.WindowCenter, window.WindowWidth = 10 * (n + 1), 20
            group.PlanePositionSequence = Sequence([place])
            if own:
                group.FrameVOILUTSequence = Sequence([window])
            frames.append(group)
        direction, measures, common, shared = Dataset(), Dataset(), Dataset(), Dataset()
        direction.ImageOrientationPatient, measures.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
        common.WindowCenter, common.WindowWidth, common.WindowCenterWidthExplanation = 77, 88, "SHARED"
        shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([direction]), Sequence([measures])
        shared.FrameVOILUTSequence = Sequence([common])
        return {"PerFrameFunctionalGroupsSequence": Sequence(frames), "SharedFunctionalGroupsSequence": Sequence([shared])}

    blank = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}
    enhanced = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1", **blank}
    stored = np.stack([STORED] * 3)
    volume = load(write_dicom("own", stored, **enhanced, **groups(True)), inline_pool)
    shown = [first_state(volume, ViewWish(volume.id, index=n)).window.center for n in range(3)]
    assert shown == [10, 20, 30]
    volume = load(write_dicom("shared", stored, **enhanced, **groups(False)), inline_pool)
    assert (volume.windows, volume.plane_windows) == ((Window(77, 88, name="SHARED"),), ())


def test_d32_d45_frames_have_voi_luts_and_shutters_of_their_own(write_dicom, inline_pool) -> None:
    table, voi, cover, place, group = Dataset(), Dataset(), Dataset(), Dataset(), Dataset()
    table.add_new(0x00283002, "US", [2, 5, 8])
    table.add_new(0x00283006, "OW", bytes([9, 255]))
    voi.VOILUTSequence = Sequence([table])
    cover.ShutterShape, cover.CenterOfCircularShutter, cover.RadiusOfCircularShutter = "CIRCULAR", [4, 4], 3
    group.FrameVOILUTSequence, group.FrameDisplayShutterSequence = Sequence([voi]), Sequence([cover])
    place.ImagePositionPatient = [0, 0, 0]
    group.PlanePositionSequence = Sequence([place])
    enhanced = {"Modality": "XA", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1.1"}
    volume = load(write_dicom("a", STORED[None], PerFrameFunctionalGroupsSequence=Sequence([group]), **enhanced), inline_pool)
    assert [(lut.first, lut.table) for lut in volume.voi_luts] == [(5, (9, 255))]
    assert volume.shutter is not None
    assert volume.shutter.circle == (3, 3, 3)


# --- inversion (D37), aspect (D47), notes ---


@pytest.mark.parametrize(
    ("photometric", "shape", "is_inverted"),
    [
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", None, False),
    ],
)
def test_d37_c10_inverted_once_however_often_it_is_said(write_dicom, inline_pool, photometric: str, shape: str | None, is_inverted: bool) -> None:
    volume = load(write_dicom("a", STORED, PhotometricInterpretation=photometric, PresentationLUTShape=shape, **MR), inline_pool)
    assert volume.is_inverted == is_inverted
    assert np.array_equal(volume.values[0], STORED)


def test_d37_d53_planes_with_and_without_inverse_are_no_one_volume(write_dicom, inline_pool) -> None:
    shapes = ["IDENTITY", "INVERSE", "IDENTITY", None]
    paths = [write_dicom(f"{n}", STORED, ImagePositionPatient=[0, 0, n], PresentationLUTShape=s, **MR) for n, s in enumerate(shapes)]
    volumes = [dicom.load(entry, pool=inline_pool) for entry in dicom.scan(paths).series]
    assert sorted((volume.geometry.shape[0], volume.is_inverted) for volume in volumes) == [(1, True), (3, False)]


@pytest.mark.usefixtures("qapp")
def test_d47_a_circle_in_pixels_of_two_to_one_looks_round(write_dicom, inline_pool) -> None:
    from viewer.draw.screenshot import screenshot
    from viewer.session.document import Document

    down, across = np.ogrid[:50, :100]
    disc = (((down - 25) * 2) ** 2 + (across - 50) ** 2 <= 40**2).astype(np.uint8) * 200
    changes = {"Modality": "XA", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1", "ImagePositionPatient": None, "ImageOrientationPatient": None}
    volume = load(write_dicom("a", disc, PixelSpacing=None, PixelAspectRatio=[2, 1], WindowCenter=100, WindowWidth=200, **changes), inline_pool)
    document = Document()
    document.add_source(volume)
    image = screenshot(document, ViewWish(volume.id), annotations=False)
    assert (image.width(), image.height()) == (100, 100)
    bright = np.array([[image.pixelColor(x, y).red() > 127 for x in range(100)] for y in range(100)])
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    assert abs(len(rows) - len(columns)) <= 2


def test_text_that_is_burned_in_is_told(write_dicom, inline_pool) -> None:
    volume = load(write_dicom("a", STORED, BurnedInAnnotation="YES"), inline_pool)
    assert any(n.topic == "ignored" and n.is_warning and "burned" in n.text for n in volume.notes)


# --- what makes no sense in the header has no unit and is said --------------------------------------------------------


@pytest.mark.parametrize(
    ("rescale", "unit"),
    [({"RescaleSlope": 1, "RescaleIntercept": -1024}, "HU"), ({}, ""), ({"RescaleSlope": 0, "RescaleIntercept": -1024}, "")],
    ids=["rescaled", "no rescale", "slope 0"],
)
def test_d18_stored_values_of_a_ct_are_not_called_hu(write_dicom: Any, rescale: dict[str, float], unit: str) -> None:
    path = write_dicom("ct", np.arange(12, dtype=np.int16).reshape(3, 4), ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], **rescale)
    (entry,) = dicom.scan([path]).series
    assert entry.unit == unit


def test_d28_a_window_of_no_width_is_said_and_not_called_missing(write_dicom: Any, inline_pool: Any) -> None:
    path = write_dicom("ct", np.arange(12, dtype=np.int16).reshape(3, 4), WindowCenter=40, WindowWidth=0)
    (entry,) = dicom.scan([path]).series
    said = " ".join(note.text for note in dicom.load(entry, pool=inline_pool).notes if note.topic == "window")
    assert "centre 40 and width 0 cannot be used" in said
    assert "gives no window" not in said
