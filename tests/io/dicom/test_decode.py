"""Compressed frames: our RLE, the fixed table of decoders, and what happens when one fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.native import _encode_frame
from pydicom.uid import RLELossless

from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.io import dicom
from viewer.io.dicom.rle import decode_rle, unpack
from viewer.io.dicom.syntaxes import CODECS
from viewer.jobs.pool import Pool

_JPEG = "1.2.840.10008.1.2.4."


def packaged(name: str) -> Path:
    return Path(str(pydicom.data.get_testdata_file(name, download=False)))


def load(path: Path, pool):
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


@pytest.mark.parametrize(
    "name", ["MR_small_RLE.dcm", "emri_small_RLE.dcm", "rtdose_rle.dcm", "OBXXXX1A_rle.dcm", "SC_rgb_rle_32bit_2frame.dcm", "SC_rgb_rle_16bit.dcm"]
)
def test_rle_equals_pydicoms_decoder(name: str) -> None:
    dataset = pydicom.dcmread(packaged(name))
    truth = pydicom.pixels.pixel_array(packaged(name), raw=True, decoding_plugin="pydicom")
    frames = int(dataset.get("NumberOfFrames", 1))
    shape = (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.BitsAllocated)
    ours = [decode_rle(frame, *shape) for frame in pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=frames)]
    assert np.array_equal(np.stack(ours), truth.reshape(len(ours), *truth.shape[-3 if shape[2] == 3 else -2 :]))


@given(st.binary(min_size=1, max_size=400), st.integers(1, 3))
def test_packed_bytes_come_back(content: bytes, repeat: int) -> None:
    from pydicom.pixels.encoders.native import _encode_segment

    row = b"".join(bytes([b]) * repeat for b in content)
    packed = bytes(_encode_segment(row, len(row)))
    assert unpack(packed, len(row)).tobytes() == row


@pytest.mark.parametrize("frame", [b"", b"\0" * 64, b"\x01\0\0\0\xff\xff\xff\x7f" + b"\0" * 56, b"\x01\0\0\0\x40\0\0\0" + b"\0" * 56 + b"\x81\x05"])
def test_damaged_rle_is_refused(frame: bytes) -> None:
    with pytest.raises(UnreadableFile):
        decode_rle(frame, 100, 100, 1, 8)


# One file for each syntax, with an uncompressed sibling or a decoder that is not the one in use as the oracle.
GOLDEN = [
    ("1.2.840.10008.1.2.5", "MR_small_RLE.dcm", "MR_small.dcm"),
    (_JPEG + "80", "MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
    (_JPEG + "90", "MR_small_jp2klossless.dcm", "MR_small.dcm"),
    (_JPEG + "90", "emri_small_jpeg_2k_lossless.dcm", "emri_small.dcm"),
    (_JPEG + "80", "emri_small_jpeg_ls_lossless.dcm", "emri_small.dcm"),
    (_JPEG + "90", "RG1_J2KR.dcm", "RG1_UNCR.dcm"),
    (_JPEG + "70", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb.dcm"),
    (_JPEG + "90", "US1_J2KR.dcm", "US1_UNCR.dcm"),
    (_JPEG + "91", "SC_rgb_gdcm_KY.dcm", "SC_rgb.dcm"),
]


@pytest.mark.parametrize(("syntax", "name", "sibling"), GOLDEN)
def test_lossless_file_equals_its_uncompressed_sibling(inline_pool, syntax: str, name: str, sibling: str) -> None:
    (entry,) = dicom.scan([packaged(name)]).series
    assert entry.transfer_syntax == syntax
    assert np.array_equal(dicom.load(entry, pool=inline_pool).data, load(packaged(sibling), inline_pool).data)


def test_header_decides_the_sign_of_a_jpeg_2000_stream(inline_pool) -> None:
    path = packaged("J2K_pixelrep_mismatch.dcm")
    dataset = pydicom.dcmread(path)
    truth = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    assert truth.min() < 0
    assert np.array_equal(load(path, inline_pool).values[0], truth)


def test_twelve_bit_lossy_and_lossless_jpeg_are_read_as_dcmtk_reads_them(shared_data: Path, inline_pool) -> None:
    for name, low, high in (("MR4_JPLY", 0, 2148), ("CTImage_JPEGProcess6_8.53.dcm", 497, 2708), ("XA1_JPLY", 0, 556)):
        path = shared_data / "single" / name
        header = pydicom.dcmread(path, stop_before_pixels=True)
        slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
        data = load(path, inline_pool).data
        assert (data.min(), data.max()) == (low * slope + intercept, high * slope + intercept)


def test_ten_bits_in_a_twelve_bit_lossy_stream_do_not_turn_black(shared_data: Path, inline_pool) -> None:
    data = load(shared_data / "single" / "RG3_JPLY", inline_pool).data
    assert data.max() == 1023  # the stream goes to 1024; masked, its brightest pixels would be 0


def test_table_names_permissive_decoders_only() -> None:
    allowed = {"viewer", "Pillow", "imagecodecs", "pyjpegls", "pylibjpeg-openjpeg"}
    assert {package for codec in CODECS.values() for package in codec.packages} <= allowed
    needed = {"5", "4.50", "4.51", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "4.201", "4.202", "4.203"}
    assert {f"1.2.840.10008.1.2.{s}" for s in needed} <= set(CODECS)


@pytest.mark.parametrize("length", [2, 20, 200, 2000])
@pytest.mark.parametrize(
    "name", ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm", "MR_small_RLE.dcm"]
)
def test_cut_stream_costs_a_sentence_that_names_file_and_codec(tmp_path: Path, inline_pool, name: str, length: int) -> None:
    dataset = pydicom.dcmread(packaged(name))
    (frame, *_rest) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[:length]])
    path = tmp_path / "cut.dcm"
    dataset.save_as(path)
    listing = dicom.scan([path])
    if listing.refused:
        assert "cut.dcm" in listing.refused[0].reason
        return
    try:
        volume = dicom.load(listing.series[0], pool=inline_pool)
    except UnreadableFile as err:
        said = str(err)
    else:
        # OpenJPEG shows what there is of a cut picture.
        said = f"cut.dcm {CODECS[dataset.file_meta.TransferSyntaxUID].name}" if volume.data.shape[2] == dataset.Rows else ""
    assert "cut.dcm" in said
    assert CODECS[dataset.file_meta.TransferSyntaxUID].name in said


def rle_series(write_dicom, count: int) -> list[Path]:
    stored = (np.arange(64, dtype=np.uint16).reshape(8, 8) * 3) % 200
    pixels = {"Rows": 8, "Columns": 8, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
    frame = _rle(stored)
    return [
        write_dicom(f"f{n}", encapsulate([frame]), syntax=RLELossless, ImagePositionPatient=[0, 0, n], InstanceNumber=n, **pixels)
        for n in range(count)
    ]


def _rle(stored: np.ndarray) -> bytes:
    class Runner:
        def get_option(self, name, default=None):
            return {"bits_allocated": 16, "samples_per_pixel": 1, "rows": 8, "columns": 8}.get(name, default)

    runner = Runner()
    for key, value in {"rows": 8, "columns": 8, "samples_per_pixel": 1, "bits_allocated": 16}.items():
        setattr(runner, key, value)
    return bytes(_encode_frame(stored.tobytes(), runner))


def test_all_frames_dead_is_an_error(write_dicom, inline_pool, monkeypatch) -> None:
    files = rle_series(write_dicom, 2)
    (entry,) = dicom.scan(files).series
    for file in files:
        file.write_bytes(file.read_bytes()[:400])
    with pytest.raises(UnreadableFile):
        dicom.load(entry, pool=inline_pool)


def test_unknown_syntax_is_refused_by_its_uid_and_video_is_listed(write_dicom) -> None:
    stored = {"Rows": 2, "Columns": 2, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    path = write_dicom("video", encapsulate([b"\0" * 8]), syntax=_JPEG + "102", **stored)
    (entry,) = dicom.scan([path]).series
    assert entry.kind == "other"
    assert any("MPEG-4" in w for w in entry.warnings)
    with pytest.raises(UnsupportedFeature, match="video"):
        dicom.load(entry, pool=Pool(inline=True))


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_dcmtk_+eb+cy+s4.dcm"])
def test_jpeg_colour_is_converted_exactly_once(inline_pool, name: str) -> None:
    truth = load(packaged("SC_rgb.dcm"), inline_pool).values.astype(int)
    got = load(packaged(name), inline_pool).values.astype(int)
    assert np.abs(got - truth).mean() < 3
