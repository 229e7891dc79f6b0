"""Analyze 7.5 and MGH/MGZ, against header arithmetic, nibabel and SimpleITK."""

from __future__ import annotations

import gzip
import re
import struct

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from viewer.io import neuro
from viewer.io import open as opening

SHAPE = (5, 4, 3)  # columns, rows, planes
DATA = np.arange(60, dtype=np.int16).reshape(SHAPE, order="F") - 7
# Columns, rows and planes of a coronal scan, turned by 0.3 about one axis, in RAS.
C, S = np.cos(0.3), np.sin(0.3)
TURN = np.array([[-C, -S, 0], [0, 0, 1], [S, -C, 0]])
STEPS = (0.9, 1.1, 2.5)
MIDDLE = (3.0, -20.0, 40.0)


def mgh(sizes=(*SHAPE, 1), kind=4, placed=1, steps=STEPS, turn=TURN, middle=MIDDLE, data=None, version=1) -> bytes:
    """A file by hand, after FreeSurfer's description."""
    head = struct.pack(">7ih", version, *sizes, kind, 0, placed) + struct.pack(">15f", *steps, *np.asarray(turn).T.ravel(), *middle)
    values = DATA.astype(">i2").tobytes(order="F") if data is None else data
    return head.ljust(284, b"\0") + values


def analyze(dim=(3, *SHAPE, 1, 0, 0, 0), kind=4, order="<", scale=0.0, pixdim=(0, *STEPS, 0, 0, 0, 0), orient=0, vox=0.0) -> bytes:
    head = bytearray(348)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "i", head, 32, 16384)
    struct.pack_into(order + "8h", head, 40, *dim)
    struct.pack_into(order + "2h", head, 70, kind, 16)
    struct.pack_into(order + "8f", head, 76, *pixdim)
    struct.pack_into(order + "2f", head, 108, vox, scale)
    head[252] = orient
    return bytes(head)


def opened(path, pool):
    (entry,) = opening.find([path]).series
    assert entry.reader == "neuro"
    volume = opening.load(entry, pool=pool)
    for plane in range(entry.shape[0]):
        assert np.array_equal(opening.load_plane(entry, plane, 0, pool=pool).values[0], volume.values[plane])
    return volume


def reason(path) -> str:
    listing = opening.find([path])
    assert not listing.series
    assert path.name in listing.refused[0].reason
    return listing.refused[0].reason


# --- MGH -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["brain.mgh", "brain.mgz", "noending"])
def test_mgh_lies_where_its_header_says(tmp_path, inline_pool, name):
    content = mgh()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("z") else content)
    volume = opened(tmp_path / name, inline_pool)
    assert np.array_equal(volume.values, DATA.T)
    # By arithmetic: the header's middle is the point at half of the sizes; RAS to LPS turns the first two signs.
    for index in np.ndindex(*SHAPE):
        ras = np.array(MIDDLE) + TURN @ ((np.array(index) - np.array(SHAPE) / 2) * STEPS)
        assert volume.geometry.to_patient(index[::-1]) == pytest.approx(ras * (-1, -1, 1), abs=1e-4)
    assert volume.geometry.spacing == pytest.approx(STEPS[::-1], rel=1e-6)
    assert not volume.badges


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32])
def test_mgh_as_nibabel_writes_it(tmp_path, inline_pool, kind):
    values = (np.arange(120) % 100).reshape(5, 4, 3, 2).astype(kind)
    affine = np.array([[0, 0, 2, -10], [-1.5, 0, 0, 20], [0, 1, 0, 5], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.MGHImage(values, affine), tmp_path / "a.mgz")
    volume = opened(tmp_path / "a.mgz", inline_pool)
    assert volume.phases == 2
    assert np.array_equal(volume.data, values.T)
    for index in ((0, 0, 0), (4, 3, 2), (1, 0, 2)):
        assert volume.geometry.to_patient(index[::-1]) == pytest.approx((affine @ (*index, 1))[:3] * (-1, -1, 1), abs=1e-4)


def test_mgh_without_a_valid_geometry_is_in_pixels(tmp_path, inline_pool):
    (tmp_path / "a.mgh").write_bytes(mgh(placed=0))
    volume = opened(tmp_path / "a.mgh", inline_pool)
    assert not volume.geometry.is_patient
    assert volume.geometry.unit == "px"
    assert volume.badges == ("NO GEOMETRY",)
    assert "not valid" in volume.warnings[0]
    (tmp_path / "a.mgh").write_bytes(mgh(turn=np.zeros((3, 3))))
    assert "makes no sense" in opened(tmp_path / "a.mgh", inline_pool).warnings[0]
    (tmp_path / "a.mgh").write_bytes(mgh(middle=(float("nan"), 0, 0)))
    assert not opened(tmp_path / "a.mgh", inline_pool).geometry.is_patient


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (mgh(kind=5), "MGH type 5"),
        (mgh()[:200], "cut short"),
        (mgh()[:300], "cut short"),
        (mgh(sizes=(-5, 4, 3, 1)), "no size of an image"),
        (mgh(sizes=(1 << 22, 1 << 22, 1 << 22, 1)), "free to use|promises"),
        (mgh(sizes=(1 << 23, 1 << 23, 1 << 23, 1 << 23)), "promises|free to use"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lying_mgh_headers_are_refused(tmp_path, content, word):
    for name in ("a.mgh", "a.mgz"):
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("z") else content)
        assert re.search(f"{word}|holds only|claim to be", reason(tmp_path / name))


def test_other_bytes_are_no_mgh(tmp_path):
    for content in (mgh(version=2), mgh(sizes=(0, 4, 3, 1)), mgh(kind=99), b"\0\0\0\1" + bytes(400)):
        assert not neuro.looks_like(content)


# --- Analyze -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "dtype"), [(2, "u1"), (4, "i2"), (8, "i4"), (16, "f4"), (64, "f8")])
@pytest.mark.parametrize("order", ["<", ">"])
def test_analyze_voxels_are_those_that_simpleitk_reads(tmp_path, inline_pool, kind, dtype, order):
    values = (DATA + 7).astype(order + dtype)
    (tmp_path / "a.hdr").write_bytes(analyze(kind=kind, order=order))
    (tmp_path / "a.img").write_bytes(values.tobytes(order="F"))
    volume = opened(tmp_path / "a.hdr", inline_pool)
    oracle = sitk.ReadImage(str(tmp_path / "a.hdr"), imageIO="NiftiImageIO")
    theirs = sitk.GetArrayFromImage(oracle)
    assert np.array_equal(volume.values, values.T)
    assert np.array_equal(volume.values, theirs) or np.array_equal(volume.values, theirs[:, ::-1])  # ITK may flip the rows of such files
    assert volume.geometry.spacing == pytest.approx(oracle.GetSpacing()[::-1], rel=1e-6)
    assert np.array_equal(volume.values, np.asarray(nibabel.AnalyzeImage.load(str(tmp_path / "a.img")).dataobj).T)


def test_analyze_has_no_place_in_the_patient(tmp_path, inline_pool):
    (tmp_path / "a.hdr").write_bytes(analyze(orient=3))
    (tmp_path / "a.img").write_bytes(DATA.tobytes(order="F"))
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0")
    volume = opened(tmp_path / "a.hdr", inline_pool)
    assert not volume.geometry.is_patient
    assert volume.badges == ("NO GEOMETRY",)
    assert volume.geometry.in_plane_known
    assert "does not say where the patient is" in volume.warnings[0]
    ignored = [note.text for note in volume.notes if note.topic == "ignored"]
    assert any("a.mat" in text for text in ignored)
    assert any("orientation code 3 (transverse flipped)" in text for text in ignored)


def test_spm_scale_factor_is_applied_and_said(tmp_path, inline_pool):
    (tmp_path / "a.hdr").write_bytes(analyze(scale=0.25))
    (tmp_path / "a.img").write_bytes(DATA.tobytes(order="F"))
    volume = opened(tmp_path / "a.hdr", inline_pool)
    assert np.array_equal(volume.values, DATA.T * 0.25)
    assert np.array_equal(volume.values, nibabel.Spm99AnalyzeImage.load(str(tmp_path / "a.img")).get_fdata().T)
    assert any("0.25" in note.text for note in volume.notes)


def test_analyze_over_time_and_gzipped(tmp_path, inline_pool):
    values = np.arange(120, dtype=np.int16).reshape(2, 3, 4, 5)
    (tmp_path / "a.hdr").write_bytes(analyze(dim=(4, 5, 4, 3, 2, 0, 0, 0)))
    (tmp_path / "a.img.gz").write_bytes(gzip.compress(values.tobytes()))
    volume = opened(tmp_path / "a.hdr", inline_pool)
    assert volume.phases == 2
    assert np.array_equal(volume.data, values)


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (analyze(kind=32), "complex"),
        (analyze(kind=1), "single bits"),
        (analyze(kind=77), "of the type 77"),
        (analyze(dim=(1, 60, 1, 1, 1, 0, 0, 0)), "1 dimensions"),
        (analyze(dim=(3, -5, 4, 3, 1, 0, 0, 0)), "no size of an image"),
        (analyze(dim=(3, 32767, 32767, 32767, 1, 0, 0, 0)), "promises|free to use"),
        (analyze(dim=(7, 32767, 32767, 32767, 32767, 32767, 32767, 32767)), "free to use|promises"),
        (analyze(vox=1e9), "promises"),
        (analyze(vox=float("nan")), "cannot be"),
        (analyze(vox=-4.0), "cannot be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lying_analyze_headers_are_refused(tmp_path, header, word):
    (tmp_path / "a.hdr").write_bytes(header)
    (tmp_path / "a.img").write_bytes(DATA.tobytes(order="F"))
    assert re.search(word, reason(tmp_path / "a.hdr"))


def test_an_analyze_header_without_its_voxels_says_what_is_missing(tmp_path):
    (tmp_path / "a.hdr").write_bytes(analyze())
    assert "a.img" in reason(tmp_path / "a.hdr")
