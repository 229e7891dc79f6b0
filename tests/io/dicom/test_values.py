"""Stored values to modality values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.io import dicom
from viewer.io.dicom import values


def load(path: Path, pool):
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


def test_each_slice_has_its_own_slope(write_dicom, inline_pool) -> None:
    stored = np.full((3, 4), 100, dtype=np.int16)
    files = [write_dicom(f"{n}", stored, ImagePositionPatient=[0, 0, n], RescaleSlope=n + 1, RescaleIntercept=0, Modality="PT") for n in range(2)]
    (entry,) = dicom.scan(files).series
    assert dicom.load(entry, pool=inline_pool).values[:, 0, 0].tolist() == [100, 200]


def test_small_slopes_survive(write_dicom, inline_pool) -> None:
    stored = np.array([[0, 1, 5000, 10000]], dtype=np.uint16)
    volume = load(write_dicom("a", stored, RescaleSlope="0.01", RescaleIntercept="0"), inline_pool)
    assert volume.data.dtype == np.float32
    np.testing.assert_allclose(volume.values[0, 0], [0, 0.01, 50, 100], rtol=1e-6)


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "kind"),
    [
        ([0, 4095], 1, -1024, np.int16),
        ([0, 255], 1, 0, np.uint8),
        ([28, 100], 1, -100, np.int8),
        ([0, 65535], 1, 0, np.uint16),
        ([0, 65535], 1, -1024, np.float32),  # 64511 does not fit beside -1024
        ([1024, 65535], 1, -1024, np.uint16),
        ([0, 40000], -1, 0, np.float32),
        ([0, 200], 0.5, 0, np.uint8),  # whole all the same
    ],
)
def test_smallest_type_that_holds_the_modality_values_exactly(write_dicom, inline_pool, stored, slope, intercept, kind) -> None:
    volume = load(write_dicom("a", np.array([stored], dtype=np.uint16), RescaleSlope=slope, RescaleIntercept=intercept), inline_pool)
    assert volume.values[0, 0].tolist() == [s * slope + intercept for s in stored]
    assert volume.data.dtype == kind


def test_rubbish_above_the_high_bit_is_dropped(write_dicom, inline_pool) -> None:
    stored = np.array([[0x0FFF, 0xF001, 0xA800]], dtype=np.uint16)
    volume = load(write_dicom("a", stored, BitsStored=12, HighBit=11), inline_pool)
    assert volume.values[0, 0].tolist() == [4095, 1, 2048]


def test_sign_comes_from_the_stored_bits(write_dicom, inline_pool) -> None:
    stored = np.array([[0x0FFF, 0xF7FF, 0xA800]], dtype=np.uint16).view(np.int16)
    volume = load(write_dicom("a", stored, BitsStored=12, HighBit=11, PixelRepresentation=1), inline_pool)
    assert volume.values[0, 0].tolist() == [-1, 2047, -2048]


@given(st.lists(st.integers(-2048, 2047), min_size=1, max_size=20), st.integers(0, 4), st.integers(0, 15))
def test_any_high_bit_and_any_rubbish_give_the_number_back(numbers: list[int], shift: int, rubbish: int) -> None:
    field = (np.array(numbers) & 0xFFF) << shift
    noise = (rubbish << (12 + shift)) | (rubbish & ((1 << shift) - 1))
    stored = ((field | noise) & 0xFFFF).astype(np.uint16)
    signed = stored.copy().view(np.int16)
    values.mask_and_sign(signed, 12, 11 + shift, True)
    assert signed.tolist() == numbers
    values.mask_and_sign(stored, 12, 11 + shift, False)
    assert stored.tolist() == [n & 0xFFF for n in numbers]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32])
def test_every_native_syntax_gives_the_same_numbers(write_dicom, inline_pool, syntax, kind) -> None:
    stored = (np.arange(15).reshape(3, 5) * 17).astype(kind)
    assert load(write_dicom("a", stored, syntax=syntax), inline_pool).values[0].tolist() == stored.tolist()


def test_modality_lut_wins_over_the_slope_and_is_clamped(write_dicom, inline_pool) -> None:
    item = Dataset()
    item.add_new(0x00283002, "US", [4, 10, 16])
    item.add_new(0x00283004, "LO", "OD")
    item.add_new(0x00283006, "US", [1000, 900, 500, 7])
    stored = np.array([[0, 10, 11, 13, 99]], dtype=np.uint16)
    volume = load(write_dicom("a", stored, ModalityLUTSequence=Sequence([item]), RescaleSlope=5, RescaleIntercept=1), inline_pool)
    assert volume.values[0, 0].tolist() == [1000, 1000, 900, 7, 7]
    assert volume.unit == "OD"


def test_padding_is_told_in_modality_values(write_dicom, inline_pool) -> None:
    stored = np.array([[-2000, 0, 40]], dtype=np.int16)
    path = write_dicom("a", stored, RescaleSlope=2, RescaleIntercept=-10, PixelPaddingValue=-2000)
    assert load(path, inline_pool).padding == (-4010, -4010)
    path = write_dicom("b", stored, RescaleSlope=2, RescaleIntercept=-10, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1000)
    assert load(path, inline_pool).padding == (-4010, -2010)


def test_monochrome1_keeps_its_values_and_says_so(write_dicom, inline_pool) -> None:
    stored = np.array([[1, 2, 3]], dtype=np.uint16)
    volume = load(write_dicom("a", stored, PhotometricInterpretation="MONOCHROME1"), inline_pool)
    assert volume.is_inverted
    assert volume.values[0, 0].tolist() == [1, 2, 3]


def test_one_bit_frames_need_not_begin_at_a_byte(write_dicom, inline_pool) -> None:
    bits = np.random.default_rng(1).integers(0, 2, (3, 5, 7), dtype=np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    changes = {"Rows": 5, "Columns": 7, "NumberOfFrames": 3, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "ImagePositionPatient": None}
    assert np.array_equal(load(write_dicom("a", packed, Modality="OT", **changes), inline_pool).data[:, 0], bits)


def test_enhanced_ct_takes_slope_and_place_of_each_frame(write_dicom, inline_pool) -> None:
    stored = np.stack([np.full((2, 3), n, dtype=np.uint16) for n in (10, 20, 30)])
    groups = []
    for n, z in enumerate((8.0, 0.0, 4.0)):
        place, value, group = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [1, 2, z]
        value.RescaleSlope, value.RescaleIntercept, value.RescaleType = n + 1, -5, "HU"
        group.PlanePositionSequence, group.PixelValueTransformationSequence = Sequence([place]), Sequence([value])
        groups.append(group)
    measures, direction, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, direction.ImageOrientationPatient = [0.5, 0.25], [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([direction])
    path = write_dicom(
        "a", stored, SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1", ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None,
        PerFrameFunctionalGroupsSequence=Sequence(groups), SharedFunctionalGroupsSequence=Sequence([shared]),
    )  # fmt: skip
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (entry.kind, entry.phases, entry.geometry.spacing) == ("volume", 1, (4.0, 0.5, 0.25))
    assert entry.geometry.origin == (1, 2, 0)
    assert volume.values[:, 0, 0].tolist() == [2 * 20 - 5, 3 * 30 - 5, 10 - 5]
    assert volume.unit == "HU"


def test_series_with_a_vanished_file_goes_on_with_a_word(write_dicom, inline_pool) -> None:
    files = [write_dicom(f"{n}", np.full((2, 2), n, dtype=np.int16), ImagePositionPatient=[0, 0, n]) for n in range(3)]
    (entry,) = dicom.scan(files).series
    files[1].unlink()
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.values[0, 0, 0] == 0
    assert volume.values[2, 0, 0] == 2
    assert "INCOMPLETE" in volume.badges
    assert any(files[1].name in w for w in volume.warnings)
