"""Made DICOM files to planes through them: what can be cut, what cannot and why, and how leaning and missing planes are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.slab import Slab
from viewer.draw.planes import shown_values
from viewer.io import dicom
from viewer.session.document import Document
from viewer.session.view import ViewState, ViewWish, resolve, why_no_mpr

TURN = (1.0, 0.0, 0.0, 0.0, 0.866, -0.5, 0.0, 0.5, 0.866)


def volumes(folder: Path, pool: Any) -> list[Any]:
    return [dicom.load(entry, pool=pool) for entry in dicom.scan(sorted(folder.iterdir())).series]


def shown(volume: Any, **wish: Any) -> ViewState:
    document = Document()
    document.add_source(volume)
    return resolve(ViewWish(volume.id, **wish), document)


def test_planes_of_different_sizes_are_cut_apart_each_by_itself(write_dicom: Any, tmp_path: Path, inline_pool: Any) -> None:
    for n in range(4):
        write_dicom(f"a{n}.dcm", np.full((6, 8), 10 + n, np.int16), ImagePositionPatient=[0, 0, 2 * n], PixelSpacing=[1, 1])
    write_dicom("b.dcm", np.full((5, 5), 99, np.int16), ImagePositionPatient=[0, 0, 8], PixelSpacing=[1, 1])
    found = {volume.geometry.shape: volume for volume in volumes(tmp_path, inline_pool)}
    assert set(found) == {(4, 6, 8), (1, 5, 5)}
    assert why_no_mpr(found[4, 6, 8]) == ""
    assert shown(found[4, 6, 8], turn=TURN).is_oblique
    assert "only one plane" in why_no_mpr(found[1, 5, 5])
    assert not shown(found[1, 5, 5], turn=TURN, slab=Slab("mip", 20)).is_oblique


def test_d57_a_series_without_positions_cannot_be_cut(write_dicom: Any, tmp_path: Path, inline_pool: Any) -> None:
    for n in range(4):
        write_dicom(
            f"{n}.dcm",
            np.full((6, 8), n, np.int16),
            InstanceNumber=n + 1,
            ImagePositionPatient=None,
            ImageOrientationPatient=None,
            PixelSpacing=[1, 1],
        )
    (volume,) = volumes(tmp_path, inline_pool)
    assert volume.geometry.shape[0] == 4
    assert "where its planes lie" in why_no_mpr(volume)
    assert not shown(volume, turn=TURN).is_oblique


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
def test_d62_a_tilted_series_is_cut_as_its_sheared_affine_says(write_dicom: Any, tmp_path: Path, inline_pool: Any, plane: str) -> None:
    lean = np.tan(np.radians(15))
    rng = np.random.default_rng(5)
    values = rng.integers(0, 400, (12, 24, 20)).astype(np.int16)
    for n in range(12):
        write_dicom(f"{n}.dcm", values[n], ImagePositionPatient=[-5, 3 + 2.5 * n * lean, 2.5 * n], PixelSpacing=[0.8, 1.25])
    (volume,) = volumes(tmp_path, inline_pool)
    assert "TILT" in volume.badges
    state = shown(volume, plane=plane)
    assert {"TILT", "RESAMPLED"} <= set(state.badges)
    # SimpleITK knows no shear as an image: the leaning planes are its upright grid, and every place is moved back before it is looked up.
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.25, 0.8, 2.5))
    image.SetOrigin((-5, 3, 0))
    cut = state.cut
    back = sitk.AffineTransform(3)
    back.SetMatrix((1, 0, 0, 0, 1, -lean, 0, 0, 1))
    direction = np.stack([cut.right, cut.down, np.cross(cut.right, cut.down)], axis=1).ravel().tolist()
    size = (cut.shape[1], cut.shape[0], 1)
    spacing = (cut.step, cut.down_step, 1.0)
    expected = sitk.GetArrayFromImage(sitk.Resample(image, size, back, sitk.sitkLinear, cut.origin, spacing, direction, -1e6, sitk.sitkFloat64))[0]
    found = shown_values(state)
    both = np.isfinite(found) & (expected > -1e6)
    assert both.sum() > 0.5 * found.size
    assert both.sum() > 0.97 * np.isfinite(found).sum()
    assert np.abs(found - expected)[both].max() < 0.1
