"""A marker at a known place (CONVENTIONS C06): it lies there after every step of DICOM -> NIfTI -> NRRD -> MetaImage, image and mask.

Places: DICOM's own equation (PS3.3 C.7.6.2.1.1). Readers of the files: ours, SimpleITK (LPS) and nibabel (RAS).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.volume import Volume
from viewer.io import dicom
from viewer.io import open as opening
from viewer.io.write import save_mask, save_volume

SHAPE, SPACING = (7, 9, 11), (2.5, 0.5, 1.25)
START = np.array([-31.5, 22.25, 104.75])
MARKER, VALUE = (5, 2, 8), 1234


def turn(first: float, second: float) -> np.ndarray:
    """By two angles about two axes."""
    a, b = np.radians(first), np.radians(second)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return np.asarray(about_x @ about_y)


OBLIQUE = turn(30, 30)
CASES: dict[str, tuple[tuple[float, ...], int]] = {
    # Orientation, and along (1) or against (-1) the normal in the order of the instance numbers.
    "axial": ((1, 0, 0, 0, 1, 0), 1),
    "sagittal": ((0, 1, 0, 0, 0, -1), 1),
    "coronal": ((1, 0, 0, 0, 0, -1), 1),
    "oblique": ((*OBLIQUE[:, 0], *OBLIQUE[:, 1]), 1),
    "feet first": ((-1, 0, 0, 0, 1, 0), 1),
    "prone": ((-1, 0, 0, 0, -1, 0), 1),
    "decubitus": ((0, -1, 0, 1, 0, 0), 1),
    "reversed z": ((1, 0, 0, 0, 1, 0), -1),
    "oblique, reversed": ((*OBLIQUE[:, 0], *OBLIQUE[:, 1]), -1),
}


def study(name: str, write_dicom: Any, inline_pool: Any) -> tuple[Volume, np.ndarray]:
    """The opened volume, and the place of its marker."""
    orientation, sign = CASES[name]
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column) * sign
    values = np.zeros(SHAPE, np.int16)
    values[MARKER] = VALUE
    files = []
    for k in range(SHAPE[0]):
        origin = START + normal * SPACING[0] * k
        files.append(write_dicom(f"{k}.dcm", values[k], ImagePositionPatient=[f"{c:.6f}" for c in origin], InstanceNumber=k + 1,
                                 ImageOrientationPatient=[f"{c:.10f}" for c in orientation], PixelSpacing=list(SPACING[1:])))  # fmt: skip
    (entry,) = dicom.scan(files).series
    k, j, i = MARKER
    place = START + row * SPACING[2] * i + column * SPACING[1] * j + normal * SPACING[0] * k
    return dicom.load(entry, pool=inline_pool), place


def again(path: Path, pool: Any) -> Volume:
    (entry,) = opening.find([path]).series
    return opening.load(entry, pool=pool)


def where(volume: Volume) -> np.ndarray:
    (index,) = np.argwhere(volume.values == VALUE)
    return volume.geometry.to_patient(index)


def itk_place(path: Path, value: int) -> np.ndarray:
    image = sitk.ReadImage(str(path))
    (index,) = np.argwhere(sitk.GetArrayViewFromImage(image) == value)
    return np.array(image.TransformIndexToPhysicalPoint([int(n) for n in index[::-1]]))


def nibabel_place(path: Path, value: int) -> np.ndarray:
    image: Any = nibabel.load(path)
    (index,) = np.argwhere(np.asarray(image.dataobj) == value)
    forms = [nibabel.affines.apply_affine(form, index) for form in (image.get_sform(), image.get_qform())]
    np.testing.assert_allclose(forms[0], forms[1], atol=1e-3)  # C21: both forms say the same
    return np.asarray(forms[0] * (-1, -1, 1))


@pytest.mark.parametrize("name", CASES)
def test_c06_a_marker_stays_in_its_place_from_format_to_format(write_dicom: Any, tmp_path: Path, inline_pool: Any, name: str) -> None:
    volume, place = study(name, write_dicom, inline_pool)
    np.testing.assert_allclose(where(volume), place, atol=1e-3)
    for ending in (".nii.gz", ".nrrd", ".mha", ".nii"):
        path, mask = tmp_path / f"image{ending}", tmp_path / f"mask{ending}"
        save_volume(path, volume)
        save_mask(mask, np.asarray(volume.values == VALUE), volume.geometry)
        np.testing.assert_allclose(itk_place(path, VALUE), place, atol=1e-3)
        np.testing.assert_allclose(itk_place(mask, 1), place, atol=1e-3)
        if ending.startswith(".nii"):
            np.testing.assert_allclose(nibabel_place(path, VALUE), place, atol=1e-3)
            np.testing.assert_allclose(nibabel_place(mask, 1), place, atol=1e-3)
        volume = again(path, inline_pool)  # the next format is written from what this one gave
        np.testing.assert_allclose(where(volume), place, atol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_c02_twenty_places_survive_the_way_through_all_formats(write_dicom: Any, tmp_path: Path, inline_pool: Any, name: str) -> None:
    volume, _place = study(name, write_dicom, inline_pool)
    indices = np.random.default_rng(9).uniform(-1, 10, (20, 3))
    before = volume.geometry.to_patient(indices)
    for ending in (".nii", ".nrrd", ".mha"):
        save_volume(tmp_path / f"a{ending}", volume)
        volume = again(tmp_path / f"a{ending}", inline_pool)
    np.testing.assert_allclose(volume.geometry.to_patient(indices), before, atol=1e-3)
