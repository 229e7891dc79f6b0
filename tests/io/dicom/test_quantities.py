"""Dose grids and parametric maps: values, units, facts; oracles pydicom and arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from viewer.core.window import Window
from viewer.io import dicom
from viewer.io.dicom.quantities import scaled

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
DOSE, MAP = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.30"


def one(path: Path) -> Any:
    (entry,) = dicom.scan([path]).series
    return entry


@pytest.mark.parametrize(
    "name", ["rtdose.dcm", "rtdose_expb.dcm", "rtdose_1frame.dcm", "rtdose_expb_1frame.dcm", "rtdose_rle.dcm", "rtdose_rle_1frame.dcm"]
)
def test_dose_is_the_stored_value_times_the_grid_scaling(inline_pool: Any, name: str) -> None:
    path = FILES / name
    dataset, entry = pydicom.dcmread(path), one(path)
    volume = dicom.load(entry, pool=inline_pool)
    wanted = dataset.pixel_array.astype(np.float64).reshape(-1, 10, 10) * float(dataset.DoseGridScaling)
    np.testing.assert_allclose(volume.data[0], wanted, rtol=1e-6)
    assert (entry.object_kind, entry.unit, volume.unit) == ("dose", "relative", "relative")
    facts = volume.facts
    assert (facts["Dose units"], facts["Dose type"], facts["Dose of"]) == ("relative to a reference dose", "physical", "one or more beams")
    assert facts["Dose grid scaling"] == "1e-06"
    assert "Dose type: physical." in [note.text for note in volume.notes if note.topic == "values"]


def test_dose_of_both_byte_orders_is_the_same(inline_pool: Any) -> None:
    little, big = (dicom.load(one(FILES / name), pool=inline_pool).data for name in ("rtdose.dcm", "rtdose_expb.dcm"))
    assert np.array_equal(little, big)


@pytest.mark.parametrize(("offsets", "start", "step"), [([0, 5, 10, 15], -20.0, 5), ([0, -5, -10, -15], -20.0, 5), ([-20, -15, -10, -5], -20.0, 5)])
def test_dose_planes_lie_where_their_offsets_say(
    inline_pool: Any, write_dicom: Callable[..., Path], offsets: list[float], start: float, step: float
) -> None:  # fmt: skip
    stored = np.arange(4 * 3 * 2, dtype=np.uint16).reshape(4, 3, 2)
    path = write_dicom(
        "dose.dcm", stored, SOPClassUID=DOSE, Modality="RTDOSE", ImagePositionPatient=[10, 20, start], DoseUnits="GY", DoseType="PHYSICAL",
        DoseSummationType="PLAN", DoseGridScaling="0.5", GridFrameOffsetVector=offsets,
    )  # fmt: skip
    volume = dicom.load(one(path), pool=inline_pool)
    assert volume.unit == "Gy"
    moves = offsets if offsets[0] == 0 else [o - offsets[0] for o in offsets]
    for frame, move in enumerate(moves):
        k, j, i = (round(float(v)) for v in volume.geometry.to_index((10, 20, start + move)))
        assert (j, i) == (0, 0)
        np.testing.assert_array_equal(volume.data[0, k], stored[frame] * 0.5)
    assert volume.geometry.spacing[0] == pytest.approx(step)


@pytest.mark.parametrize(
    ("name", "keyword"), [("parametric_map_float.dcm", "FloatPixelData"), ("parametric_map_double_float.dcm", "DoubleFloatPixelData")]
)
def test_d13_float_pixels_are_what_they_are(inline_pool: Any, shared_data: Path, name: str, keyword: str) -> None:
    path = shared_data / "single" / name
    dataset, entry = pydicom.dcmread(path), one(path)
    kind = "<f4" if keyword == "FloatPixelData" else "<f8"
    wanted = np.frombuffer(getattr(dataset, keyword), kind).reshape(128, 128)
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.data.dtype == np.float32
    np.testing.assert_array_equal(volume.data[0, 0], wanted.astype(np.float32))
    assert (entry.kind, entry.object_kind, entry.unit) == ("image", "map", "")
    assert entry.refers_to == (dataset.ReferencedSeriesSequence[0].SeriesInstanceUID,)
    assert volume.facts["Unit of the map"] == "no units" and volume.facts["Quantity"] == "feature_001"


def with_mapping(source: Path, target: Path, **values: Any) -> Path:
    """A map whose real world mapping is another one."""
    dataset = pydicom.dcmread(source)
    mapping = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    for keyword, value in values.items():
        setattr(mapping, keyword, value)
    dataset.save_as(target)
    return target


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def test_d19_a_map_is_mapped_to_its_real_world_values_once(inline_pool: Any, shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "single" / "parametric_map_float.dcm"
    quantity = Dataset()
    quantity.ValueType = "CODE"
    quantity.ConceptNameCodeSequence = [code("246205007", "SCT", "Quantity")]
    quantity.ConceptCodeSequence = [code("113041", "DCM", "Apparent Diffusion Coefficient")]
    path = with_mapping(
        source, tmp_path / "adc.dcm", RealWorldValueSlope=2.5, RealWorldValueIntercept=-1.0, QuantityDefinitionSequence=[quantity],
        MeasurementUnitsCodeSequence=[code("um2/s", "UCUM", "square micrometre per second")],
    )  # fmt: skip
    wanted = np.frombuffer(pydicom.dcmread(source).FloatPixelData, "<f4").reshape(128, 128).astype(np.float64) * 2.5 - 1
    entry = one(path)
    volume = dicom.load(entry, pool=inline_pool)
    np.testing.assert_array_equal(volume.data[0, 0], wanted.astype(np.float32))
    plane = dicom.load_plane(entry, 0, 0, pool=inline_pool)
    np.testing.assert_array_equal(plane.data[0, 0], wanted.astype(np.float32))
    assert (entry.unit, volume.unit) == ("um2/s", "um2/s")
    assert volume.facts["Quantity"] == "Apparent Diffusion Coefficient"
    assert volume.facts["Real world values"] == "2.5 x + -1"
    # The file's window, centre 0.5 and width 1, is for the pixels: black at 0, white at 0 by LINEAR's formula.
    (window,) = volume.windows
    before = Window(0.5, 1.0)
    assert (window.low, window.high) == pytest.approx((before.low * 2.5 - 1, before.high * 2.5 - 1))


def test_a_map_whose_mapping_makes_no_sense_shows_its_stored_values_and_says_so(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "single" / "parametric_map_float.dcm"
    entry = one(with_mapping(source, tmp_path / "zero.dcm", RealWorldValueSlope=0.0))
    assert any("real world values is 0" in text for text in entry.warnings)


def test_a_rescale_beside_float_pixels_is_not_applied(inline_pool: Any, shared_data: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(shared_data / "single" / "parametric_map_float.dcm")
    wanted = np.frombuffer(dataset.FloatPixelData, "<f4").reshape(128, 128)
    dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0].RescaleSlope = "3"
    dataset.RescaleSlope, dataset.RescaleIntercept = "3", "7"
    dataset.save_as(tmp_path / "rescaled.dcm")
    np.testing.assert_array_equal(dicom.load(one(tmp_path / "rescaled.dcm"), pool=inline_pool).data[0, 0], wanted)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_window_carried_over_shows_mapped_values_as_the_pixels_were_shown(function: Any) -> None:
    from viewer.core.window import apply_window

    window = Window(40, 400, function)
    values = np.linspace(-300, 300, 101)
    np.testing.assert_allclose(apply_window(values * 0.5 + 3, scaled(window, 0.5, 3)), apply_window(values, window), atol=0.7)
