"""Colour becomes RGB of eight bits exactly once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from pydicom.dataset import Dataset

from viewer.io import dicom
from viewer.io.dicom import colour

RGB = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3) * 10


def load(path: Path, pool):
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


def packaged(name: str) -> Path:
    return Path(str(pydicom.data.get_testdata_file(name, download=False)))


def test_ybr_full_by_the_formula_of_the_standard() -> None:
    (pixel,) = colour.to_rgb(np.array([[[76, 85, 255]]], dtype=np.uint8), "YBR_FULL", 8)[0]
    assert np.abs(pixel.astype(int) - (254, 0, 0)).max() <= 1


def test_ybr_full_file_shows_red_as_red(write_dicom, inline_pool) -> None:
    stored = np.full((2, 4, 3), (76, 85, 255), dtype=np.uint8)
    volume = load(write_dicom("a", stored, SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=0), inline_pool)
    assert volume.is_color
    assert np.abs(volume.values[0].astype(int) - (254, 0, 0)).max() <= 1


def test_planar_configurations_give_the_same_picture(write_dicom, inline_pool) -> None:
    pixels = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
    plain = load(write_dicom("a", RGB, PlanarConfiguration=0, **pixels), inline_pool)
    shape = {"Rows": 2, "Columns": 4, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    planes = load(write_dicom("b", RGB.transpose(2, 0, 1).tobytes(), PlanarConfiguration=1, **pixels, **shape), inline_pool)
    assert np.array_equal(plain.values[0], RGB)
    assert np.array_equal(planes.values[0], RGB)


def test_native_422_repeats_the_chroma(write_dicom, inline_pool) -> None:
    row = bytes([76, 76, 85, 255, 150, 29, 128, 128])  # two reds, then two greys of different brightness
    shape = {"Rows": 1, "Columns": 4, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PlanarConfiguration": 0}
    volume = load(write_dicom("a", row, SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL_422", **shape), inline_pool)
    expected = [(254, 0, 0), (254, 0, 0), (150, 150, 150), (29, 29, 29)]
    assert np.abs(volume.values[0, 0].astype(int) - expected).max() <= 1


def test_sixteen_bit_colour_keeps_its_high_byte(write_dicom, inline_pool) -> None:
    stored = RGB.astype(np.uint16) * 256 + 200
    volume = load(write_dicom("a", stored, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0), inline_pool)
    assert np.array_equal(volume.values[0], RGB)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("bits", [16, 8])
def test_palette_in_either_byte_order(write_dicom, inline_pool, syntax: str, bits: int) -> None:
    tables = np.array([[0, 255, 128, 7], [10, 20, 30, 40], [255, 0, 1, 2]], dtype=np.uint16)
    order = "<" if syntax.endswith("1.2.1") else ">"
    changes = {}
    for n, name in enumerate(("Red", "Green", "Blue")):
        changes[f"{name}PaletteColorLookupTableDescriptor"] = [4, 5, bits]
        # Eight-bit entries are packed in words, the first in the low byte: the order of the words' bytes decides.
        words = tables[n] * 256 + 77 if bits == 16 else tables[n, ::2] | tables[n, 1::2] << 8
        changes[f"{name}PaletteColorLookupTableData"] = words.astype(f"{order}u2").tobytes()
    stored = np.array([[0, 5, 6], [7, 8, 200]], dtype=np.uint8)
    volume = load(write_dicom("a", stored, syntax=syntax, PhotometricInterpretation="PALETTE COLOR", **changes), inline_pool)
    index = np.array([[0, 0, 1], [2, 3, 3]])
    assert np.array_equal(volume.values[0], tables.T[index])


def test_big_endian_palette_file_equals_its_little_endian_sibling(inline_pool) -> None:
    little, big = (load(packaged(name), inline_pool) for name in ("OBXXXX1A.dcm", "OBXXXX1A_expb.dcm"))
    assert little.values.max() > 0
    assert np.array_equal(little.values, big.values)


def test_segmented_palette_is_expanded_by_its_three_kinds_of_segments() -> None:
    dataset = Dataset()
    for n in range(3):
        dataset.add_new(0x00281101 + n, "US", [8, 0, 16])
        # discrete 2 entries, linear to 4000h in 2 steps, both again by reference
        words = np.array([0, 2, 0x0100, 0x2000, 1, 2, 0x4000, 2, 2, 0, 0], dtype="<u2")
        dataset.add_new(0x00281221 + n, "OW", words.tobytes())
    palette = colour.read_palette(dataset, signed=False)
    assert palette is not None
    assert palette.table[:, 0].tolist() == [0x01, 0x20, 0x30, 0x40, 0x01, 0x20, 0x30, 0x40]


def test_damaged_palette_is_named(write_dicom, inline_pool) -> None:
    from viewer.core.errors import UnreadableFile

    path = write_dicom("nopal.dcm", np.zeros((2, 2), np.uint8), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(UnreadableFile, match=r"nopal\.dcm"):
        load(path, inline_pool)
