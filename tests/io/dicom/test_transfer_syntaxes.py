"""D06 to D12: every transfer syntax opens with the right pixels, by a permissively licensed decoder, or is refused by its name."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from importlib import metadata
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.encaps import encapsulate, encapsulate_extended

from viewer.core.errors import UnsupportedFeature
from viewer.io import dicom
from viewer.io.dicom.header import read_header
from viewer.io.dicom.syntaxes import CODECS, NATIVE

_BASE = "1.2.840.10008.1.2."

# The decoder of each compressed syntax, in the order in which they are asked; the second only for what the first refuses.
DECODERS = {
    "5": ("imagecodecs", "viewer"),
    "8.1": ("viewer",),
    "4.50": ("Pillow",),
    "4.51": ("Pillow", "imagecodecs"),
    "4.53": ("Pillow", "imagecodecs"),
    "4.55": ("Pillow", "imagecodecs"),
    "4.57": ("imagecodecs",),
    "4.70": ("imagecodecs",),
    "4.80": ("imagecodecs", "pyjpegls"),
    "4.81": ("imagecodecs", "pyjpegls"),
    "4.90": ("pylibjpeg-openjpeg",),
    "4.91": ("pylibjpeg-openjpeg",),
    "4.201": ("imagecodecs", "pylibjpeg-openjpeg"),
    "4.202": ("imagecodecs", "pylibjpeg-openjpeg"),
    "4.203": ("pylibjpeg-openjpeg",),
}
# Real files and the largest difference from SimpleITK (GDCM, in the file's own units): 0 where coding is lossless.
REAL = [
    ("5", "NM1_RLE", 0), ("5", "D_CLUNIE_CT1_RLE_FRAGS.dcm", 0),
    ("4.50", "JPEGBaseline_1s_1f_u_08_08.dcm", 1),
    ("4.51", "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm", 0), ("4.51", "XA1_JPLY", 0),
    ("4.53", "CTImage_JPEGProcess6_8.53.dcm", 1e-4),
    ("4.57", "CT0012.fragmented_no_bot_jpeg_lossless.57.dcm", 0),
    ("4.70", "GH184.dcm", 5e-4), ("4.70", "IM-0001-0001-0001.dcm", 0),
    ("4.80", "CT0012.not_fragmented_bot_jpeg_ls.80.dcm", 0), ("4.80", "NM1_JLSL", 0), ("4.80", "JLSL_16_15_1_1F.dcm", 0),
    ("4.81", "NM1_JLSN", 0),
    ("4.90", "NM1_J2KR", 0), ("4.90", "TOSHIBA_J2K_SIZ1_PixRep0.dcm", 0),
    ("4.91", "CT1_J2KI", 1), ("4.91", "ELSCINT1_JP2vsJ2K.dcm", 1),
    ("4.201", "HTJ2KLossless_08_RGB.dcm", 0), ("4.203", "HTJ2K_08_RGB.dcm", 1),
]  # fmt: skip


def load(path: Path, pool):
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


@pytest.mark.parametrize(("syntax", "name", "slack"), REAL)
def test_d06_real_file_of_the_syntax_has_simpleitks_pixels(shared_data: Path, inline_pool, syntax: str, name: str, slack: float) -> None:
    path = shared_data / "single" / name
    assert read_header(path).syntax == _BASE + syntax
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).astype(float)
    ours = load(path, inline_pool).data.reshape(truth.shape).astype(float)
    # SimpleITK keeps the order of an enhanced file's frames; ours ascends along the normal.
    assert min(np.abs(ours - truth).max(), np.abs(ours[::-1] - truth).max()) <= slack


@pytest.mark.parametrize("name", ["CT0012.fragmented_no_bot_jpeg_ls.81.dcm", "JLSL_08_07_0_1F.dcm"])
def test_d06_jpeg_ls_that_simpleitk_refuses_has_the_figures_of_other_decoders(shared_data: Path, inline_pool, name: str) -> None:
    want = json.loads((shared_data / "expected.json").read_text())[f"single/{name}"]
    truth = want.get("rescaled") or want["stored"]
    data = load(shared_data / "single" / name, inline_pool).data
    assert data.min() == pytest.approx(truth["min"], abs=2)
    assert data.max() == pytest.approx(truth["max"], abs=2)
    assert data.mean(dtype=float) == pytest.approx(truth["mean"], abs=0.5)


# --- made files ---------------------------------------------------------------------------------------------------------


def noise(dtype: str = "u2", bits: int = 12, shape: tuple[int, ...] = (40, 33)) -> np.ndarray:
    low = -(1 << (bits - 1)) if dtype[0] == "i" else 0
    return np.random.default_rng(1).integers(low, low + (1 << bits), shape).astype(dtype)


def described(stored: np.ndarray, bits: int, *, is_signed: bool) -> dict[str, object]:
    samples = stored.shape[2] if stored.ndim == 3 else 1
    return {
        "Rows": stored.shape[0], "Columns": stored.shape[1], "BitsAllocated": stored.dtype.itemsize * 8, "BitsStored": bits, "HighBit": bits - 1,
        "PixelRepresentation": int(is_signed), "SamplesPerPixel": samples,
        "PhotometricInterpretation": "MONOCHROME2" if samples == 1 else "RGB", "PlanarConfiguration": 0 if samples == 3 else None,
    }  # fmt: skip


@pytest.mark.parametrize("syntax", ["4.201", "4.202", "4.203"])
@pytest.mark.parametrize(("dtype", "bits"), [("u1", 8), ("u2", 12), ("u2", 16), ("i2", 12), ("i2", 16)])
def test_d06_htj2k_gives_back_what_was_coded(write_dicom, inline_pool, syntax: str, dtype: str, bits: int) -> None:
    from imagecodecs import htj2k_encode

    stored = noise(dtype, bits)
    path = write_dicom(
        "h.dcm",
        encapsulate([bytes(htj2k_encode(stored, reversible=True))]),
        syntax=_BASE + syntax,
        **described(stored, bits, is_signed=dtype[0] == "i"),
    )
    assert np.array_equal(load(path, inline_pool).values[0], stored)


def test_d06_progressive_jpeg_equals_simpleitks_decoding_of_the_same_stream(write_dicom, inline_pool, tmp_path: Path) -> None:
    from PIL import Image

    y, x = np.mgrid[:64, :64]
    stored = ((x * 2 + y) % 256).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(stored).save(buffer, "JPEG", progressive=True, quality=90)
    (tmp_path / "p.jpg").write_bytes(buffer.getvalue())
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "p.jpg")))
    path = write_dicom("p.dcm", encapsulate([buffer.getvalue()]), syntax=_BASE + "4.55", **described(stored, 8, is_signed=False))
    assert np.abs(load(path, inline_pool).values[0].astype(int) - truth).max() <= 1


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_d06_near_lossless_jpeg_ls_stays_within_its_own_bound(write_dicom, inline_pool, bits: int) -> None:
    from imagecodecs import jpegls_encode

    stored = noise("u1" if bits == 8 else "u2", bits)
    near = 3
    path = write_dicom(
        "n.dcm", encapsulate([bytes(jpegls_encode(stored, level=near))]), syntax=_BASE + "4.81", **described(stored, bits, is_signed=False)
    )
    error = np.abs(load(path, inline_pool).values[0].astype(int) - stored)
    assert 0 < error.max() <= near


@pytest.mark.parametrize("syntax", ["4.57", "4.70"])
@pytest.mark.parametrize(("dtype", "bits"), [("u1", 8), ("u2", 12), ("u2", 16)])
def test_d06_jpeg_lossless_gives_back_what_was_coded(write_dicom, inline_pool, syntax: str, dtype: str, bits: int) -> None:
    from imagecodecs import ljpeg_encode

    stored = noise(dtype, bits, (40, 34))
    coded = bytes(ljpeg_encode(stored.astype("u2") if bits > 8 else stored, bitspersample=bits))
    path = write_dicom("l.dcm", encapsulate([coded]), syntax=_BASE + syntax, **described(stored, bits, is_signed=False))
    assert np.array_equal(load(path, inline_pool).values[0], stored)


@pytest.mark.parametrize(("dtype", "bits", "samples"), [("u1", 8, 1), ("u2", 12, 1), ("i2", 12, 1), ("i2", 16, 1), ("u4", 32, 1), ("u1", 8, 3)])
def test_d06_deflated_frames_are_the_uncompressed_frames(write_dicom, inline_pool, dtype: str, bits: int, samples: int) -> None:
    import zlib

    stored = noise(dtype, bits, (10, 7) if samples == 1 else (10, 7, 3))
    deflate = zlib.compressobj(wbits=-15)
    coded = deflate.compress(stored.astype(stored.dtype.newbyteorder("<")).tobytes()) + deflate.flush()
    path = write_dicom("d.dcm", encapsulate([coded]), syntax=_BASE + "8.1", **described(stored, bits, is_signed=dtype[0] == "i"))
    assert np.array_equal(load(path, inline_pool).values[0], stored.astype(np.float32) if bits == 32 else stored)


def test_deflated_frame_that_is_a_bomb_is_not_inflated_further_than_its_size(write_dicom, inline_pool) -> None:
    import zlib

    deflate = zlib.compressobj(9, wbits=-15)
    coded = deflate.compress(bytes(50 << 20)) + deflate.flush()
    path = write_dicom("bomb.dcm", encapsulate([coded]), syntax=_BASE + "8.1", **described(noise(), 12, is_signed=False))
    with pytest.raises(Exception, match=r"bomb\.dcm.*header says"):
        load(path, inline_pool)


# --- sign and bits (D10 to D12) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", ["4.80", "4.70", "4.90", "4.201", "5", "8.1"])
def test_d11_d12_sign_of_twelve_bits_in_an_unsigned_stream_comes_from_the_header(write_dicom, inline_pool, syntax: str) -> None:
    truth = noise("i2", 12, (64, 64))
    truth[0, :3] = (-1, -2048, 2047)
    words = (truth & 0x0FFF).astype(np.uint16)
    path = write_dicom("s.dcm", encapsulate([coded_as(syntax, words, 12)]), syntax=_BASE + syntax, **described(words, 12, is_signed=True))
    assert np.array_equal(load(path, inline_pool).values[0], truth)


@pytest.mark.parametrize("syntax", ["5", "8.1", "4.80"])
def test_d10_rubbish_above_the_stored_bits_is_dropped_in_compressed_frames_too(write_dicom, inline_pool, syntax: str) -> None:
    truth = noise("u2", 12, (16, 16))
    path = write_dicom("r.dcm", encapsulate([coded_as(syntax, truth | 0xF000, 16)]), syntax=_BASE + syntax, **described(truth, 12, is_signed=False))
    assert np.array_equal(load(path, inline_pool).values[0], truth)


def test_d12_signed_stream_under_an_unsigned_header_is_read_as_the_header_says(write_dicom, inline_pool) -> None:
    from imagecodecs import htj2k_encode

    truth = noise("u2", 16, (16, 16))
    path = write_dicom(
        "u.dcm",
        encapsulate([bytes(htj2k_encode(truth.view(np.int16), reversible=True))]),
        syntax=_BASE + "4.201",
        **described(truth, 16, is_signed=False),
    )
    assert np.array_equal(load(path, inline_pool).values[0], truth)


def coded_as(syntax: str, words: np.ndarray, bits: int) -> bytes:
    import imagecodecs
    from openjpeg.utils import encode_array

    if syntax == "4.80":
        return bytes(imagecodecs.jpegls_encode(words))
    if syntax == "4.70":
        return bytes(imagecodecs.ljpeg_encode(words, bitspersample=bits))
    if syntax == "4.90":
        return bytes(encode_array(words, bits_stored=bits, photometric_interpretation=2))
    if syntax == "4.201":
        return bytes(imagecodecs.htj2k_encode(words, reversible=True))
    if syntax == "5":
        halves = [bytes(imagecodecs.packbits_encode(part.astype(np.uint8).tobytes())) for part in (words >> 8, words & 255)]
        return struct.pack("<16L", 2, 64, 64 + len(halves[0]), *[0] * 13) + b"".join(halves)
    import zlib

    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(words.astype("<u2").tobytes()) + deflate.flush()


# --- refusals and licences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("syntax", "word"),
    [*((f"4.{n}", "MPEG2") for n in (100, 101)), *((f"4.{n}", "H.264") for n in range(102, 107)), *((f"4.{n}", "H.265") for n in (107, 108)),
     ("4.100.1", "MPEG2"), *((f"4.{n}", "JPEG XL") for n in (110, 111, 112)), ("4.94", "JPIP"), ("4.95", "JPIP"), ("4.52", "JPEG")],
)  # fmt: skip
def test_d07_syntax_without_a_decoder_is_listed_and_refused_by_its_name(write_dicom, inline_pool, syntax: str, word: str) -> None:
    stored = {"Rows": 2, "Columns": 2, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    path = write_dicom("video.dcm", encapsulate([b"\0" * 8]), syntax=_BASE + syntax, **stored)
    if word == "JPIP":  # its pixels are on a server
        dataset = dcmread(path)
        del dataset.PixelData
        dataset.PixelDataProviderURL = "https://example.org/pixels"
        dataset.save_as(path)
    (entry,) = dicom.scan([path]).series
    assert entry.kind == "other"
    assert any(word in w and _BASE + syntax in w for w in entry.warnings)
    if word != "JPIP":
        with pytest.raises(UnsupportedFeature, match=r"video\.dcm"):
            dicom.load(entry, pool=inline_pool)


def test_d06_each_syntax_has_the_decoder_of_the_fixed_table() -> None:
    assert {syntax.removeprefix(_BASE): codec.packages for syntax, codec in CODECS.items()} == DECODERS
    assert {"", *(_BASE[:-1] + s for s in ("", ".1", ".1.99", ".2"))} == NATIVE


def test_no_decoder_is_under_the_gpl() -> None:
    for package in {p for names in DECODERS.values() for p in names} - {"viewer"}:
        about = metadata.metadata(package)
        said = " ".join([about.get("License") or "", about.get("License-Expression") or "", *(about.get_all("Classifier") or [])])
        assert "GPL" not in said, package
        assert any(word in said for word in ("MIT", "BSD")), package


# Modules that may decode: of these only ours may be loaded after a file of each syntax was read.
LOADED = """
import sys
from pathlib import Path
from viewer.io import dicom
from viewer.jobs.pool import Pool
with Pool(inline=True) as pool:
    for name in sys.argv[1:]:
        (entry,) = dicom.scan([Path(name)]).series
        dicom.load(entry, pool=pool)
roots = {name.split(".")[0] for name in sys.modules}
print(sorted(roots & {"libjpeg", "pylibjpeg", "gdcm", "_gdcm", "rle", "SimpleITK", "itk", "cv2", "imagecodecs", "PIL", "openjpeg", "jpeg_ls"}))
"""


def test_no_gpl_module_is_loaded_by_reading_a_file_of_each_syntax(shared_data: Path) -> None:
    files = list({syntax: str(shared_data / "single" / name) for syntax, name, _slack in REAL}.values())
    done = subprocess.run([sys.executable, "-c", LOADED, *files], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['PIL', 'imagecodecs', 'jpeg_ls', 'openjpeg']"


# --- fragments and cut files (D08, D09) ---------------------------------------------------------------------------------


def coded_frames(count: int) -> tuple[list[np.ndarray], list[bytes]]:
    frames = [noise(shape=(24, 24)) for _ in range(count)]
    frames = [np.roll(frame, n) for n, frame in enumerate(frames)]
    return frames, [coded_as("4.80", frame, 12) for frame in frames]


def shape_of(frames: list[np.ndarray]) -> dict[str, object]:
    return {**described(frames[0], 12, is_signed=False), "NumberOfFrames": len(frames), "ImagePositionPatient": None}


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("fragments", [1, 3])
def test_d08_frames_are_found_with_and_without_offsets_in_one_or_several_fragments(write_dicom, inline_pool, has_table: bool, fragments: int) -> None:
    frames, coded = coded_frames(4)
    path = write_dicom("f.dcm", encapsulate(coded, fragments_per_frame=fragments, has_bot=has_table), syntax=_BASE + "4.80", **shape_of(frames))
    assert [len(s) for s in read_header(path).spans] == [fragments] * 4
    assert np.array_equal(load(path, inline_pool).data[:, 0], np.stack(frames))


def test_d08_extended_offset_table_is_no_obstacle(write_dicom, inline_pool) -> None:
    frames, coded = coded_frames(3)
    content, offsets, lengths = encapsulate_extended(coded)
    more = {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths}
    path = write_dicom("e.dcm", content, syntax=_BASE + "4.80", **shape_of(frames), **more)
    assert np.array_equal(load(path, inline_pool).data[:, 0], np.stack(frames))


def test_d08_wrong_offsets_are_not_believed(write_dicom, inline_pool) -> None:
    frames, coded = coded_frames(3)
    content = bytearray(encapsulate(coded, fragments_per_frame=2, has_bot=True))
    content[12:16] = struct.pack("<I", 77)  # the second frame's offset
    path = write_dicom("w.dcm", bytes(content), syntax=_BASE + "4.80", **shape_of(frames))
    assert np.array_equal(load(path, inline_pool).data[:, 0], np.stack(frames))


def test_d09_whole_frames_of_a_cut_compressed_file_are_shown_and_said(write_dicom, inline_pool) -> None:
    frames, coded = coded_frames(5)
    path = write_dicom("cut.dcm", encapsulate(coded, has_bot=False), syntax=_BASE + "4.80", **shape_of(frames))
    header = read_header(path)
    path.write_bytes(path.read_bytes()[: header.spans[3][0][0] + 20])  # within the fourth frame
    volume = load(path, inline_pool)
    assert np.array_equal(volume.data[:, 0], np.stack(frames[:3]))
    assert "INCOMPLETE" in volume.badges
    assert any("3 of 5" in w for w in volume.warnings)


def test_d09_frame_of_rubbish_is_named_and_is_not_air(write_dicom, inline_pool) -> None:
    frames, coded = coded_frames(4)
    coded[2] = coded[2][:40] + b"\xff\xd9"
    path = write_dicom("rubbish.dcm", encapsulate(coded, has_bot=False), syntax=_BASE + "4.80", **shape_of(frames))
    volume = load(path, inline_pool)
    assert "INCOMPLETE" in volume.badges
    assert any("rubbish.dcm (3)" in w and "JPEG-LS" in w for w in volume.warnings)
    good = [0, 1, 3]
    assert np.array_equal(volume.data[good, 0], np.stack(frames)[good])
    (filling,) = np.unique(volume.data[2])
    assert volume.data[good].min() < filling < volume.data[good].max()
