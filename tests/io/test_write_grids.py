"""What is written is read by SimpleITK, nibabel and ourselves with the same values at the same places."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.errors import BadParameter, SaveFailed
from viewer.core.geometry import Geometry
from viewer.io import metaimage, nifti, nrrd
from viewer.io import open as opening
from viewer.io.write import save_array, save_mask
from viewer.io.write.grids import _quaternion

READERS = {".nii": nifti, ".nii.gz": nifti, ".nrrd": nrrd, ".mha": metaimage}
SHAPE = (3, 4, 5)


def turned(a: float, b: float, c: float, hand: int = 1) -> np.ndarray:
    """Rotation about x, y, z in degrees, the last axis turned round for hand -1."""
    a, b, c = np.radians([a, b, c])
    x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return np.array(x) @ np.array(y) @ np.array(z) @ np.diag([1, 1, hand])


OBLIQUE = Geometry(SHAPE, (11.5, -22.25, 33.125), (3.0, 0.7, 0.5), tuple(turned(30, -20, 10).ravel()))
MIRRORED = Geometry(SHAPE, (11.5, -22.25, 33.125), (3.0, 0.7, 0.5), tuple(turned(30, -20, 10, -1).ravel()))
RNG = np.random.default_rng(5)


def reread(path, pool):
    listing = opening.find([path])
    assert not listing.refused, listing.refused
    return opening.load(listing.series[0], pool=pool)


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("geometry", [OBLIQUE, MIRRORED], ids=["oblique", "mirrored"])
def test_simpleitk_reads_the_same_values_at_the_same_places(tmp_path, inline_pool, ending, dtype, geometry):
    kind = np.dtype(dtype)
    data = (RNG.normal(size=SHAPE) * 100).astype(kind)
    if kind.kind != "f":
        limits = np.iinfo(kind)
        data = RNG.integers(limits.min, limits.max, SHAPE).astype(kind)
        data[0, 0, :2] = limits.min, limits.max
    path = tmp_path / f"v{ending}"
    save_array(path, data, geometry)
    if not (geometry is MIRRORED and ending.startswith(".nii")):  # ITK refuses or turns what is left-handed there; see nibabel
        image = sitk.ReadImage(str(path))
        assert np.array_equal(sitk.GetArrayFromImage(image), data)
        assert image.GetPixelIDValue() == sitk.GetImageFromArray(data).GetPixelIDValue()
        for index in ((0, 0, 0), (2, 3, 4), (1, 0, 3)):
            assert np.allclose(image.TransformIndexToPhysicalPoint(index[::-1]), geometry.to_patient(index), atol=1e-4)
    volume = reread(path, inline_pool)
    assert np.array_equal(volume.values, data)
    assert volume.geometry.same_grid(geometry, 1e-4)
    assert np.linalg.det(volume.geometry.matrix) * np.linalg.det(geometry.matrix) > 0


@pytest.mark.parametrize("geometry", [OBLIQUE, MIRRORED], ids=["oblique", "mirrored"])
def test_nibabel_reads_both_forms_of_nifti_alike(tmp_path, geometry):
    import nibabel

    data = np.arange(60, dtype=np.int16).reshape(SHAPE)
    save_array(tmp_path / "v.nii.gz", data, geometry)
    image = nibabel.load(tmp_path / "v.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj).T, data)
    lps = np.diag([-1, -1, 1, 1]) @ image.affine
    assert np.allclose(lps, geometry.affine, atol=1e-5)
    assert np.allclose(image.get_qform(), image.get_sform(), atol=1e-5)
    assert (image.header["qform_code"], image.header["sform_code"]) == (1, 1)
    assert image.header.get_xyzt_units()[0] == "mm"


def three(low, high):
    return st.tuples(*[st.floats(low, high)] * 3)


@given(three(-180, 180), st.sampled_from([1, -1]), three(0.05, 50), three(-2000, 2000))
def test_any_orientation_survives_the_headers(tmp_path_factory, angles, hand, spacing, origin):
    geometry = Geometry((2, 3, 4), origin, spacing, tuple(turned(*angles, hand).ravel()))
    folder = tmp_path_factory.getbasetemp()
    for ending, reader, tolerance in ((".nii", nifti, 2e-4), (".nrrd", nrrd, 1e-6), (".mha", metaimage, 1e-6)):
        path = folder / f"any{ending}"
        save_array(path, np.zeros((2, 3, 4), np.uint8), geometry, overwrite=True)
        back = reader.plan_of(path).geometry
        corners = [(0, 0, 0), (1, 2, 3), (0, 2, 0)]
        assert np.abs(back.to_patient(corners) - geometry.to_patient(corners)).max() < tolerance * 10
    if hand == 1:
        b, c, d = _quaternion(geometry.matrix)
        a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
        from scipy.spatial.transform import Rotation

        assert np.allclose(Rotation.from_quat([b, c, d, a]).as_matrix(), geometry.matrix, atol=1e-6)


@pytest.mark.parametrize("ending", READERS)
def test_phases_and_colours_are_what_simpleitk_calls_them(tmp_path, inline_pool, ending):
    many = RNG.integers(0, 4000, (2, *SHAPE)).astype(np.uint16)
    save_array(tmp_path / f"t{ending}", many, OBLIQUE, phase_step_s=2.5)
    image = sitk.ReadImage(str(tmp_path / f"t{ending}"))
    assert np.array_equal(sitk.GetArrayFromImage(image), many)
    assert np.allclose(image.GetSpacing(), (0.5, 0.7, 3.0, 2.5), atol=1e-6)
    assert np.array_equal(reread(tmp_path / f"t{ending}", inline_pool).data, many)
    color = RNG.integers(0, 256, (*SHAPE, 3)).astype(np.uint8)
    save_array(tmp_path / f"c{ending}", color, OBLIQUE, is_color=True)
    image = sitk.ReadImage(str(tmp_path / f"c{ending}"))
    assert image.GetNumberOfComponentsPerPixel() == 3
    assert np.array_equal(sitk.GetArrayFromImage(image), color)
    volume = reread(tmp_path / f"c{ending}", inline_pool)
    assert volume.is_color
    assert np.array_equal(volume.values, color)
    cine = RNG.integers(0, 256, (2, *SHAPE, 3)).astype(np.uint8)
    save_array(tmp_path / f"d{ending}", cine, OBLIQUE, is_color=True)
    volume = reread(tmp_path / f"d{ending}", inline_pool)
    assert volume.is_color
    assert np.array_equal(volume.data, cine)


@pytest.mark.parametrize("ending", READERS)
def test_unknown_spacing_is_written_as_1_without_a_patient(tmp_path, inline_pool, ending):
    own = Geometry(SHAPE, is_patient=False, in_plane_known=False, between_known=False)
    save_array(tmp_path / f"v{ending}", np.arange(60, dtype=np.uint8).reshape(SHAPE), own)
    assert sitk.ReadImage(str(tmp_path / f"v{ending}")).GetSpacing() == (1.0, 1.0, 1.0)
    volume = reread(tmp_path / f"v{ending}", inline_pool)
    assert not volume.geometry.is_patient
    assert volume.geometry.spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("ending", READERS)
def test_the_same_volume_gives_the_same_bytes_and_no_name(tmp_path, ending):
    hashes = set()
    for name in ("first", "second"):
        save_array(tmp_path / f"{name}{ending}", np.arange(60, dtype=np.uint8).reshape(SHAPE), OBLIQUE)
        content = (tmp_path / f"{name}{ending}").read_bytes()
        assert name.encode() not in content
        hashes.add(hashlib.sha256(content).hexdigest())
    assert len(hashes) == 1


def test_masks_take_a_byte_until_the_256th_label(tmp_path):
    labels = np.zeros(SHAPE, np.int32)
    labels[1, 2, 3] = 255
    save_mask(tmp_path / "a.nrrd", labels, OBLIQUE)
    assert sitk.ReadImage(str(tmp_path / "a.nrrd")).GetPixelID() == sitk.sitkUInt8
    labels[1, 2, 3] = 300
    save_mask(tmp_path / "b.nii.gz", labels, OBLIQUE)
    image = sitk.ReadImage(str(tmp_path / "b.nii.gz"))
    assert image.GetPixelID() == sitk.sitkUInt16
    assert image[3, 2, 1] == 300
    assert np.allclose(image.TransformIndexToPhysicalPoint((3, 2, 1)), OBLIQUE.to_patient((1, 2, 3)), atol=1e-4)
    save_mask(tmp_path / "c.mha", labels > 0, OBLIQUE)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "c.mha"))).sum() == 1


def test_more_columns_than_nifti_1_can_count_become_nifti_2(tmp_path, inline_pool):
    import nibabel

    wide = np.arange(40000, dtype=np.uint16).reshape(1, 1, 40000)
    geometry = Geometry((1, 1, 40000), (1, 2, 3), (3, 2, 0.5))
    save_array(tmp_path / "w.nii", wide, geometry)
    image = nibabel.load(tmp_path / "w.nii")
    assert type(image).__name__ == "Nifti2Image"
    assert np.array_equal(np.asarray(image.dataobj).ravel(), wide.ravel())
    assert np.allclose(np.diag([-1, -1, 1, 1]) @ image.affine, geometry.affine)
    assert np.array_equal(reread(tmp_path / "w.nii", inline_pool).values, wide)


def test_an_unknown_ending_and_an_existing_file_are_refused(tmp_path):
    data = np.zeros(SHAPE, np.uint8)
    with pytest.raises(BadParameter, match=r"v\.xyz.*\.nrrd"):
        save_array(tmp_path / "v.xyz", data, OBLIQUE)
    (tmp_path / "v.nrrd").write_bytes(b"mine")
    with pytest.raises(SaveFailed, match="exists"):
        save_array(tmp_path / "v.nrrd", data, OBLIQUE)
    assert (tmp_path / "v.nrrd").read_bytes() == b"mine"
    save_array(tmp_path / "v.nrrd", data, OBLIQUE, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["v.nrrd"]
