"""Leaning, uneven and gapped stacks on a rectangular grid, as files. Oracles: SimpleITK's resampling through the stack's affine, the
equation of a sphere, linear functions of the place (which linear interpolation gives exactly), nibabel as a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from viewer.cli.main import main
from viewer.core.errors import Refused, TooLarge
from viewer.core.geometry import Geometry
from viewer.core.volume import Volume
from viewer.io import dicom, gate
from viewer.io.straight import missing_planes, straightened, straightened_values
from viewer.io.write import save_mask, save_volume

LEAN = float(np.tan(np.radians(15)))
TURN = np.array([[0.8, 0.36, -0.48], [0.0, 0.8, 0.6], [0.6, -0.48, 0.64]])


def stack(
    heights: list[float], rows_columns: tuple[int, int], spacing: tuple[float, float], *, lean: float = LEAN, turn: np.ndarray = TURN
) -> Geometry:
    start = np.array([-40.0, 25.0, 300.0])
    origins = tuple(tuple(float(c) for c in start + turn[:, 2] * h + turn[:, 1] * lean * h) for h in heights)
    gaps = np.diff(heights)
    even = bool(np.ptp(gaps) < 1e-9)
    direction = tuple(float(c) for c in turn.ravel())
    return Geometry(
        (len(heights), *rows_columns), origins[0], (float(np.median(gaps)), *spacing), direction, between_known=even, plane_origins=origins
    )  # type: ignore[arg-type]


def places(geometry: Geometry) -> np.ndarray:
    return geometry.to_patient(np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), -1))


def sphere(geometry: Geometry, radius: float, values: tuple[int, int] = (-1000, 200)) -> tuple[np.ndarray, np.ndarray]:
    """A ball in the middle of the stack as a scanner sees it (each voxel the mean of its parts), and its centre."""
    centre = geometry.to_patient((np.asarray(geometry.shape) - 1) / 2)
    away = np.linalg.norm(places(geometry) - centre, axis=-1)
    # A rim as wide as a voxel: the share of the voxel that is inside.
    share = np.clip((radius - away) / 1.0 + 0.5, 0, 1)
    return np.rint(values[0] + share * (values[1] - values[0])).astype(np.int16), centre


def shape_of(values: np.ndarray, geometry: Geometry, level: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Volume in mm³, centre and standard deviations along the three main axes of what is brighter than a level."""
    inside = places(geometry)[values > level]
    volume = len(inside) * float(np.prod(geometry.spacing))
    return volume, inside.mean(axis=0), np.sqrt(np.linalg.eigvalsh(np.cov(inside.T)))


@pytest.mark.parametrize(
    "heights", [[2.0 * n for n in range(40)], [float(h) for h in np.cumsum([0.0, *[1.5, 2.0, 2.4] * 13])]], ids=["even", "uneven"]
)
def test_c23_a_leaning_ball_is_a_ball_again_with_its_volume_and_place(heights: list[float]) -> None:
    geometry = stack(heights, (90, 80), (1.0, 1.0))
    values, centre = sphere(geometry, 25.0)
    volume = Volume("v", values[None], geometry, unit="HU", padding=(-2000.0, -2000.0), badges=("TILT",))
    made = straightened(volume)
    assert made.geometry.is_rectangular
    found, middle, spread = shape_of(made.values, made.geometry, -400)
    assert found == pytest.approx(4 / 3 * np.pi * 25.0**3, rel=0.01)
    np.testing.assert_allclose(middle, centre, atol=0.1)
    np.testing.assert_allclose(spread, 25 / np.sqrt(5), rtol=0.01)  # the same in all directions
    # On the grid of indices, where the lean is ignored, it is no ball: the test would notice.
    steps = np.argwhere(values > -400) * geometry.spacing
    assert np.ptp(np.sqrt(np.linalg.eigvalsh(np.cov(steps.T)))) > 1.0
    assert made.badges == ("RESAMPLED",)
    assert "lean by 15.0°" in made.notes[-1].text
    assert made.parent_id == "v"


@pytest.mark.parametrize("lean", [LEAN, -0.4, 0.0371])
def test_d62_a_leaning_stack_is_interpolated_as_simpleitk_does(lean: float) -> None:
    geometry = stack([2.5 * n for n in range(12)], (20, 16), (0.8, 1.3), lean=lean)
    rng = np.random.default_rng(2)
    values = rng.normal(0, 100, geometry.shape).astype(np.float32)
    got, straight = straightened_values(values[None], geometry, fill=-7.0)
    # SimpleITK knows no leaning images: the same samples on the grid of indices, and a transform from the patient to that grid.
    image = sitk.GetImageFromArray(values)
    back = np.linalg.inv(geometry.affine)
    transform = sitk.AffineTransform(back[:3, :3].ravel().tolist(), back[:3, 3].tolist())
    reference = sitk.Image([int(n) for n in straight.shape[::-1]], sitk.sitkFloat32)
    reference.SetOrigin(straight.origin)
    reference.SetSpacing(straight.spacing[::-1])
    reference.SetDirection(straight.direction)
    truth = sitk.GetArrayFromImage(sitk.Resample(image, reference, transform, sitk.sitkLinear, -7.0, sitk.sitkFloat32))
    assert np.mean(got[0] == -7.0) == pytest.approx(np.mean(truth == -7.0), abs=0.02)
    both = (got[0] != -7.0) & (truth != -7.0)
    assert both.mean() > 0.55
    np.testing.assert_allclose(got[0][both], truth[both], atol=2e-3)


def test_d59_uneven_planes_are_interpolated_along_their_normal() -> None:
    geometry = stack([0.0, 2.0, 4.6, 6.0, 8.2, 10.0], (12, 10), (1.0, 1.0), lean=0.0)
    ramp = np.array([0.3, -0.7, 1.9])
    got, straight = straightened_values((places(geometry) @ ramp).astype(np.float32)[None], geometry)
    np.testing.assert_allclose(got[0], places(straight) @ ramp, atol=1e-3)
    np.testing.assert_allclose(straight.to_patient((straight.shape[0] - 1, 0, 0)), geometry.plane_origins[-1], atol=1e-9)


def test_a_lean_by_whole_pixels_moves_values_as_they_are() -> None:
    geometry = stack([2.0 * n for n in range(5)], (6, 7), (1.0, 1.0), lean=0.5)
    values = np.random.default_rng(1).integers(-1000, 3000, (1, *geometry.shape)).astype(np.int16)
    got, straight = straightened_values(values, geometry, fill=-2000)
    assert (straight.shape, got.dtype) == ((5, 10, 7), np.int16)
    for k in range(5):
        np.testing.assert_array_equal(got[0, k, k : k + 6], values[0, k])
    assert np.count_nonzero(got == -2000) == 5 * 4 * 7


def test_c16_labels_take_the_nearest_voxel_and_no_new_number() -> None:
    geometry = stack([2.0 * n for n in range(40)], (90, 80), (1.0, 1.0))
    values, _ = sphere(geometry, 25.0, (0, 1000))
    labels = np.where(values > 500, 7, np.where(values > 0, 3, 0)).astype(np.uint8)
    got, straight = straightened_values(labels[None], geometry, is_labels=True)
    assert set(np.unique(got)) <= {0, 3, 7}
    for number in (3, 7):
        before = np.count_nonzero(labels == number) * float(np.prod(geometry.spacing))
        assert np.count_nonzero(got == number) * float(np.prod(straight.spacing)) == pytest.approx(before, rel=0.01)
    # No voxel is farther than half a voxel from where its label was.
    apart = geometry.to_index(places(straight)[got[0] == 7])
    rounded = np.floor(apart + 0.5).astype(int)
    assert (labels[tuple(rounded.T)] == 7).mean() > 0.99


def test_d60_the_gap_of_missing_planes_stays_empty() -> None:
    geometry = stack([0.0, 2.0, 4.0, 10.0, 12.0], (4, 4), (1.0, 1.0), lean=0.0)
    values = np.full((1, *geometry.shape), 50, np.int16)
    values[0, :, 0, 0] = -1000
    got, straight = straightened_values(values, geometry)
    assert straight.shape == (7, 4, 4)
    assert got[0, :, 2, 2].tolist() == [50, 50, 50, -1000, -1000, 50, 50]
    assert missing_planes(geometry) == 2


def test_phases_colours_and_other_axes_go_along() -> None:
    geometry = stack([2.0 * n for n in range(4)], (6, 7), (1.0, 1.0), lean=0.25)
    rng = np.random.default_rng(4)
    colour = rng.integers(0, 255, (2, *geometry.shape, 3)).astype(np.uint8)
    got, _straight = straightened_values(colour, geometry)
    for phase in range(2):
        for sample in range(3):
            alone, _ = straightened_values(colour[phase : phase + 1, ..., sample], geometry, fill=float(colour.min()))
            np.testing.assert_array_equal(got[phase, ..., sample], alone[0])
    one = rng.normal(size=(1, *geometry.shape)).astype(np.float32)
    turned, grid = straightened_values(one.transpose(0, 3, 1, 2), geometry.permuted((2, 0, 1)))
    np.testing.assert_array_equal(turned, straightened_values(one, geometry)[0].transpose(0, 3, 1, 2))
    assert grid.same_grid(geometry.straight().permuted((2, 0, 1)))


def test_a_rectangular_volume_is_given_back_as_it_is() -> None:
    volume = Volume("v", np.zeros((1, 2, 3, 4), np.int16), Geometry((2, 3, 4)))
    assert straightened(volume) is volume


def test_a_lean_that_would_take_more_memory_than_there_is_is_refused() -> None:
    geometry = stack([2.0 * n for n in range(50)], (40, 40), (1.0, 1.0), lean=30.0)
    gate.set_limit(1 << 20)
    try:
        with pytest.raises(TooLarge):
            straightened(Volume("v", np.zeros((1, *geometry.shape), np.int16), geometry))
    finally:
        gate.set_limit(None)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_image_and_mask_of_a_leaning_stack_lie_on_one_grid_in_a_file(tmp_path: Path, ending: str) -> None:
    geometry = stack([2.0 * n for n in range(10)], (30, 20), (1.0, 1.0))
    values, centre = sphere(geometry, 6.0)
    said = save_volume(tmp_path / f"a{ending}", Volume("v", values[None], geometry))
    also = save_mask(tmp_path / f"m{ending}", values > -400, geometry)
    assert "linearly" in said[0]
    assert "nearest voxel" in also[0]
    image, mask = (sitk.ReadImage(str(tmp_path / f"{n}{ending}")) for n in "am")
    assert image.GetSize() == mask.GetSize()
    np.testing.assert_allclose(image.GetOrigin(), mask.GetOrigin(), atol=1e-4)
    index = image.TransformPhysicalPointToIndex(centre.tolist())
    assert (image[index], mask[index]) == (200, 1)
    inside = np.argwhere(sitk.GetArrayFromImage(mask) > 0)[:, ::-1]
    middle = np.mean([mask.TransformIndexToPhysicalPoint([int(i) for i in n]) for n in inside], axis=0)
    np.testing.assert_allclose(middle, centre, atol=0.2)


def test_d60_a_stack_that_misses_planes_is_refused_unless_asked_for(tmp_path: Path) -> None:
    geometry = stack([0.0, 2.0, 8.0, 10.0], (4, 4), (1.0, 1.0), lean=0.0)
    volume = Volume("v", np.arange(64, dtype=np.int16).reshape(1, 4, 4, 4), geometry)
    with pytest.raises(Refused, match="2 planes of the stack are missing"):
        save_volume(tmp_path / "a.nrrd", volume)
    assert not (tmp_path / "a.nrrd").exists()
    (said,) = save_volume(tmp_path / "a.nrrd", volume, with_gaps=True)
    assert "left empty" in said
    assert sitk.ReadImage(str(tmp_path / "a.nrrd")).GetSize() == (4, 4, 6)


# --- from made DICOM files -------------------------------------------------------------------------------------------


@pytest.fixture
def tilted_ct(write_dicom, tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A CT of 15 degrees of gantry tilt with a ball in it, as positions say; the nominal angle is not written."""
    geometry = stack([2.0 * n for n in range(30)], (60, 50), (1.0, 1.0), turn=np.eye(3))
    values, centre = sphere(geometry, 18.0)
    for k in np.random.default_rng(8).permutation(30):
        write_dicom(f"ct{k}.dcm", values[k], ImagePositionPatient=list(geometry.plane_origins[k]), PixelSpacing=[1.0, 1.0])
    return tmp_path, centre


def test_c23_convert_straightens_a_tilted_ct_and_says_so(tilted_ct: tuple[Path, np.ndarray], tmp_path: Path, capsys: Any) -> None:
    folder, centre = tilted_ct
    assert main(["convert", str(folder), str(tmp_path / "out.nii.gz")]) == 0
    assert "lean by 15.0°" in capsys.readouterr().err
    image: Any = nibabel.load(tmp_path / "out.nii.gz")
    values = np.asarray(image.dataobj)
    indices = np.argwhere(values > -400)
    volume = len(indices) * abs(np.linalg.det(image.affine[:3, :3]))
    assert volume == pytest.approx(4 / 3 * np.pi * 18.0**3, rel=0.01)
    ras = nibabel.affines.apply_affine(image.affine, indices)
    np.testing.assert_allclose(ras.mean(axis=0) * (-1, -1, 1), centre, atol=0.1)
    np.testing.assert_allclose(np.sqrt(np.linalg.eigvalsh(np.cov(ras.T))), 18 / np.sqrt(5), rtol=0.01)
    steps = image.affine[:3, :3]
    np.testing.assert_allclose(steps.T @ steps, np.diag([1.0, 1.0, 4.0]), atol=1e-6)  # right angles


def test_d62_the_opened_volume_is_as_acquired(tilted_ct: tuple[Path, np.ndarray], inline_pool: Any) -> None:
    folder, centre = tilted_ct
    (entry,) = dicom.scan(sorted(folder.glob("ct*"))).series
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.data.shape == (1, 30, 60, 50)
    assert "TILT" in volume.badges
    assert "RESAMPLED" not in volume.badges
    found = places(volume.geometry)[volume.values > -400]
    np.testing.assert_allclose(found.mean(axis=0), centre, atol=0.05)


def test_d60_convert_refuses_missing_planes_and_writes_them_empty_on_request(write_dicom, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path
    for n, z in enumerate((0, 2, 4, 8, 10)):
        write_dicom(f"{n}.dcm", np.full((3, 4), 100 + z, np.int16), ImagePositionPatient=[0, 0, z])
    assert main(["convert", str(folder), str(tmp_path / "out.nrrd")]) != 0
    assert "1 plane of the stack is missing" in capsys.readouterr().err
    assert main(["convert", str(folder), str(tmp_path / "out.nrrd"), "--resample"]) == 0
    assert "left empty" in capsys.readouterr().err
    values = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out.nrrd")))
    assert values[:, 1, 1].tolist() == [100, 102, 104, 100, 108, 110]
