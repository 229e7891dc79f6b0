"""NIfTI headers as they should not be, and as other libraries read them."""

from __future__ import annotations

import gzip
import struct

import nibabel
import numpy as np
import pytest

from viewer.core.errors import NegatoscopeError
from viewer.io import nifti

SHAPE = (4, 5, 6)  # columns, rows, planes in nibabel's order
DATA = np.arange(120, dtype=np.int16).reshape(SHAPE)
AFFINE = np.array([[-0.5, 0, 0, 10], [0, 0.7, 0, -20], [0, 0, 3, 30], [0, 0, 0, 1.0]])


def opened(path, pool):
    listing = nifti.scan([path])
    assert not listing.refused, listing.refused
    return nifti.load(listing.series[0], pool=pool)


def reason(path) -> str:
    listing = nifti.scan([path])
    assert not listing.series
    assert path.name in listing.refused[0].reason
    return listing.refused[0].reason


def raw(dim, data=b"", *, datatype=4, vox=352.0, order="<", **at) -> bytes:
    """A NIfTI-1 file by hand; ``at`` are (format, values) at byte offsets named b123."""
    head = bytearray(352)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, *dim)
    struct.pack_into(order + "2h", head, 70, datatype, 0)
    struct.pack_into(order + "8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into(order + "f", head, 108, vox)
    head[344:348] = b"n+1\0"
    for place, (kind, values) in at.items():
        struct.pack_into(order + kind, head, int(place[1:]), *values)
    return bytes(head) + data


def test_ras_becomes_lps_and_sform_wins_over_qform(tmp_path, inline_pool):
    image = nibabel.Nifti1Image(DATA, AFFINE)
    image.set_sform(AFFINE, 2)
    other = AFFINE.copy()
    other[0, 3] += 5
    image.set_qform(other, 1)
    nibabel.save(image, tmp_path / "a.nii")
    volume = opened(tmp_path / "a.nii", inline_pool)
    assert np.array_equal(volume.values, DATA.T)
    assert volume.values.dtype == np.uint8
    assert volume.geometry.to_patient((5, 4, 3)) == pytest.approx((-(10 - 1.5), -(-20 + 2.8), 30 + 15))
    assert any("disagree" in w for w in volume.warnings)


def test_qform_is_used_where_there_is_no_sform(tmp_path, inline_pool):
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, -1]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * (0.5, 0.7, 3), (1, 2, 3)
    image = nibabel.Nifti1Image(DATA, None)
    image.set_qform(affine, 1)
    image.set_sform(None, 0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    volume = opened(tmp_path / "a.nii.gz", inline_pool)
    assert np.allclose(volume.geometry.affine, np.diag([-1, -1, 1, 1]) @ affine, atol=1e-5)
    assert np.linalg.det(volume.geometry.matrix) == pytest.approx(-1)  # left-handed stays as stored


def test_no_form_at_all_means_no_patient(tmp_path, inline_pool):
    (tmp_path / "a.nii").write_bytes(raw((3, 2, 2, 2, 1, 1, 1, 1), bytes(16), b80=("3f", (0.5, 0.7, 3))))
    volume = opened(tmp_path / "a.nii", inline_pool)
    assert not volume.geometry.is_patient
    assert volume.geometry.spacing == pytest.approx((3, 0.7, 0.5))
    assert volume.badges == ("NO GEOMETRY",)
    (tmp_path / "b.nii").write_bytes(raw((3, 2, 2, 2, 1, 1, 1, 1), bytes(16), b80=("3f", (0, float("nan"), -3))))
    assert not opened(tmp_path / "b.nii", inline_pool).geometry.in_plane_known


@pytest.mark.parametrize(("unit", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001)])
def test_lengths_come_in_metres_millimetres_or_micrometres(tmp_path, inline_pool, unit, factor):
    head = raw((3, 2, 2, 2, 1, 1, 1, 1), bytes(16), b123=("B", (unit,)), b252=("2h", (0, 1)), b280=("12f", (1, 0, 0, 2, 0, 1, 0, 3, 0, 0, 1, 4)))
    (tmp_path / "a.nii").write_bytes(head)
    geometry = opened(tmp_path / "a.nii", inline_pool).geometry
    assert geometry.spacing == pytest.approx((factor,) * 3)
    assert geometry.origin == pytest.approx((-2 * factor, -3 * factor, 4 * factor))


def test_a_sheared_sform_is_brought_onto_a_rectangular_grid(tmp_path, inline_pool):
    affine = np.eye(4)
    affine[:3, :3] = np.diag([1.0, 1.0, 2.0])
    affine[1, 2] = 0.6  # planes slide along y, as under a tilted gantry
    data = np.zeros((30, 40, 12), np.int16)
    data[12:18, 18:24, 6] = 500
    data[0, 0, 0] = -7
    image = nibabel.Nifti1Image(data, None)
    image.set_sform(affine, 1)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "a.nii")
    volume = opened(tmp_path / "a.nii", inline_pool)
    turn = volume.geometry.matrix
    assert np.allclose(turn.T @ turn, np.eye(3))
    assert volume.badges == ("RESAMPLED",)
    assert set(np.unique(volume.values)) <= {-7, 0, 500}  # no value is invented
    found = volume.geometry.to_patient(np.argwhere(volume.values == 500)).mean(axis=0)
    truth = (np.diag([-1, -1, 1, 1]) @ affine @ [14.5, 20.5, 6, 1])[:3]
    assert np.abs(found - truth).max() < 0.75  # half a voxel of 1 x 1 x 2


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_type_in_both_byte_orders(tmp_path, inline_pool, kind, order):
    data = np.array([0, 1, 100, 7], dtype=order + kind)
    code = {"u1": 2, "i1": 256, "i2": 4, "u2": 512, "i4": 8, "u4": 768, "i8": 1024, "f4": 16, "f8": 64}[kind]
    (tmp_path / "a.nii").write_bytes(raw((3, 2, 2, 1, 1, 1, 1, 1), data.tobytes(), datatype=code, order=order))
    volume = opened(tmp_path / "a.nii", inline_pool)
    assert volume.values.ravel().tolist() == [0, 1, 100, 7]
    assert volume.values.dtype == np.uint8


def test_slope_and_intercept_as_nibabel_has_them_and_0_means_none(tmp_path, inline_pool):
    data = np.array([[[-5, 0], [100, 3000]]], np.int16)
    for slope, intercept in ((2.0, -1024.0), (0.25, 3.0), (0.0, 7.0), (float("nan"), 1.0)):
        path = tmp_path / "a.nii"
        path.write_bytes(raw((3, 2, 2, 1, 1, 1, 1, 1), data.tobytes(), b112=("2f", (slope, intercept))))
        volume = opened(path, inline_pool)
        assert np.array_equal(volume.values, np.asarray(nibabel.load(path).dataobj).T)
    assert volume.values.dtype == np.int16


def test_nan_stays_nan(tmp_path, inline_pool):
    (tmp_path / "a.nii").write_bytes(raw((3, 2, 2, 1, 1, 1, 1, 1), np.array([np.nan, 1, np.inf, 2], "<f4").tobytes(), datatype=16))
    assert np.array_equal(opened(tmp_path / "a.nii", inline_pool).values.ravel(), [np.nan, 1, np.inf, 2], equal_nan=True)


def test_pairs_of_header_and_image_and_nothing_outside(tmp_path, inline_pool):
    nibabel.save(nibabel.Nifti1Pair(DATA, AFFINE), tmp_path / "p.img")
    assert np.array_equal(opened(tmp_path / "p.hdr", inline_pool).values, DATA.T)
    secret = tmp_path / "secret.img"
    (tmp_path / "p.img").rename(secret)
    (tmp_path / "sub").mkdir()
    (tmp_path / "p.hdr").rename(tmp_path / "sub" / "p.hdr")
    assert "not there" in reason(tmp_path / "sub" / "p.hdr")
    (tmp_path / "sub" / "p.img").symlink_to(secret)
    assert "outside" in reason(tmp_path / "sub" / "p.hdr")


def test_a_fourth_dimension_is_phases_with_their_seconds(tmp_path, inline_pool):
    image = nibabel.Nifti1Image(np.arange(240, dtype=np.uint8).reshape(4, 5, 6, 2), AFFINE)
    image.header.set_xyzt_units("mm", "msec")
    image.header["pixdim"][4] = 1500
    nibabel.save(image, tmp_path / "a.nii.gz")
    volume = opened(tmp_path / "a.nii.gz", inline_pool)
    assert volume.phases == 2
    assert volume.phase_seconds == pytest.approx((0, 1.5))
    assert np.array_equal(volume.phase(1), np.asarray(image.dataobj)[..., 1].T)
    entry = nifti.scan([tmp_path / "a.nii.gz"]).series[0]
    plane = nifti.load_plane(entry, 3, 1, pool=inline_pool)
    assert np.array_equal(plane.values[0], volume.phase(1)[3])
    assert plane.geometry.origin == pytest.approx(tuple(volume.geometry.to_patient((3, 0, 0))))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (raw((0,) * 8), "0 dimensions"),
        (raw((9,) * 8), "9 dimensions"),
        (raw((1, 27, 1, 1, 1, 1, 1, 1), bytes(54)), "one dimension"),
        (raw((3, -4, 4, 4, 1, 1, 1, 1), bytes(128)), "-4 x 4 x 4"),
        (raw((7, *[32767] * 7)), "this needs"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(100)), "only 100 bytes"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(128), vox=1e9), "only 0 bytes"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(128), vox=float("nan")), "byte nan"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(128), vox=100.0), "byte 100"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(128), datatype=9999), "9999"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(512), datatype=32), "complex"),
        (raw((3, 4, 4, 4, 1, 1, 1, 1))[:300], "cut short"),
    ],
)
def test_headers_that_lie_get_a_sentence(tmp_path, content, word):
    (tmp_path / "liar.nii").write_bytes(content)
    assert word in reason(tmp_path / "liar.nii")
    (tmp_path / "liar.nii.gz").write_bytes(gzip.compress(content))
    assert word in reason(tmp_path / "liar.nii.gz") or word.startswith("only")


def test_a_file_that_shrinks_after_the_listing_is_refused_on_loading(tmp_path, inline_pool):
    path = tmp_path / "a.nii"
    path.write_bytes(raw((3, 4, 4, 4, 1, 1, 1, 1), bytes(128)))
    entry = nifti.scan([path]).series[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NegatoscopeError, match=r"a\.nii"):
        nifti.load(entry, pool=inline_pool)


@pytest.mark.parametrize(
    ("sform", "qform", "word"), [(2, 1, "sform, code 2 (aligned"), (0, 1, "qform, code 1 (scanner)"), (4, 0, "sform, code 4 (MNI 152)")]
)
def test_f02_the_place_that_was_taken_is_said(tmp_path, inline_pool, sform, qform, word):
    image = nibabel.Nifti1Image(DATA, AFFINE)
    image.set_sform(AFFINE, sform)
    image.set_qform(AFFINE, qform)
    nibabel.save(image, tmp_path / "a.nii")
    texts = [note.text for note in opened(tmp_path / "a.nii", inline_pool).notes if note.topic == "geometry"]
    assert word in texts[0]
    assert any("qform, code 1, was not used" in text for text in texts) == (sform > 0 and qform > 0)


def test_f01_a_disagreement_of_the_forms_is_told_in_millimetres(tmp_path, inline_pool):
    image = nibabel.Nifti1Image(DATA, AFFINE)
    image.set_sform(AFFINE, 1)
    turned = AFFINE.copy()
    turned[:2, :2] = [[-0.5 * np.cos(0.1), -0.7 * np.sin(0.1)], [-0.5 * np.sin(0.1), 0.7 * np.cos(0.1)]]
    image.set_qform(turned, 1)
    nibabel.save(image, tmp_path / "a.nii")
    stored = nibabel.load(tmp_path / "a.nii")
    ends = [nibabel.affines.apply_affine(a, [[3 * a_, 4 * b, 5 * c] for a_ in (0, 1) for b in (0, 1) for c in (0, 1)])
            for a in (stored.get_sform(), stored.get_qform())]  # fmt: skip
    apart = np.linalg.norm(ends[0] - ends[1], axis=1).max()
    assert any(f"up to {apart:.3g} mm apart" in w for w in opened(tmp_path / "a.nii", inline_pool).warnings)


def test_f01_a_disagreement_below_a_thousandth_is_rounding(tmp_path, inline_pool):
    image = nibabel.Nifti1Image(DATA, AFFINE)
    image.set_sform(AFFINE, 1)
    other = AFFINE.copy()
    other[0, 3] += 0.0009
    image.set_qform(other, 1)
    nibabel.save(image, tmp_path / "a.nii")
    assert not any("disagree" in w for w in opened(tmp_path / "a.nii", inline_pool).warnings)


@pytest.mark.parametrize(("unit", "is_said"), [("unknown", True), ("mm", False)])
def test_f01_an_unset_unit_is_said(tmp_path, inline_pool, unit, is_said):
    image = nibabel.Nifti1Image(DATA, AFFINE)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    assert any("millimetres were assumed" in n.text for n in opened(tmp_path / "a.nii", inline_pool).notes) == is_said


@pytest.mark.parametrize(("flip", "is_said"), [(1, False), (-1, True)])
def test_c04_left_handed_axes_are_said_and_kept(tmp_path, inline_pool, flip, is_said):
    """RAS to LPS turns two axes round: the hand of the file's affine stays."""
    affine = np.diag([0.5, 0.7, 3.0 * flip, 1.0])
    nibabel.save(nibabel.Nifti1Image(DATA, affine), tmp_path / "a.nii")
    volume = opened(tmp_path / "a.nii", inline_pool)
    assert any("left-handed" in n.text for n in volume.notes) == is_said
    assert np.linalg.det(volume.geometry.matrix) == pytest.approx(flip)
    assert np.array_equal(volume.values, DATA.T)
