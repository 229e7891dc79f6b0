"""The sample study is what it says: sizes against formulas, files against SimpleITK, and nothing is fetched."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from viewer.core.volume import Volume
from viewer.io import samples


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return samples.make_values()


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write_phantom(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def as_read(phantom: Path) -> sitk.Image:
    """The written series as SimpleITK reads it."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(phantom)))
    return reader.Execute()


def box_around(place: tuple[float, float, float], planes: int, rows: int, columns: int) -> tuple[slice, slice, slice]:
    k, j, i = samples.GEOMETRY.nearest(place)
    return (slice(k - planes, k + planes + 1), slice(j - rows, j + rows + 1), slice(i - columns, i + columns + 1))


def test_nodule_has_the_volume_of_a_ball_of_its_diameter(values: np.ndarray) -> None:
    half = (samples.TISSUES_HU["lung"] + samples.NODULE.value_hu) / 2
    inside = values[box_around(samples.NODULE.centre_mm, 5, 11, 11)] > half
    assert inside.sum() * 2.5 * 1.1 * 1.1 == pytest.approx(math.pi / 6 * 18.0**3, rel=0.03)
    assert samples.NODULE.volume_mm3 == pytest.approx(math.pi / 6 * 18.0**3)


def test_nodule_lies_where_it_is_said_to_lie(values: np.ndarray) -> None:
    box = box_around(samples.NODULE.centre_mm, 5, 11, 11)
    centroid = np.argwhere(values[box] > -400).mean(axis=0) + [part.start for part in box]
    x, y, z = -175.45 + 1.1 * centroid[2], -175.45 + 1.1 * centroid[1], -138.75 + 2.5 * centroid[0]
    assert (x, y, z) == pytest.approx(samples.NODULE.centre_mm, abs=0.2)


def test_nodule_touches_no_vessel(as_read: sitk.Image) -> None:
    seed = as_read.TransformPhysicalPointToIndex(samples.NODULE.centre_mm)
    grown = sitk.ConnectedThreshold(as_read, [seed], lower=-400, upper=300)
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(sitk.Cast(grown, sitk.sitkUInt8))
    assert statistics.GetPhysicalSize(1) == pytest.approx(math.pi / 6 * 18.0**3, rel=0.03)


@pytest.mark.parametrize("tissue", sorted(samples.PROBES_MM))
def test_tissue_has_its_value_and_the_noise_that_is_stated(values: np.ndarray, tissue: str) -> None:
    probe = values[box_around(samples.PROBES_MM[tissue], 1, 3, 3)]
    assert probe.mean() == pytest.approx(samples.TISSUES_HU[tissue], abs=4 * samples.NOISE_SD_HU / math.sqrt(probe.size))
    if tissue != "air":  # where the lowest value cuts the noise off
        assert probe.std() == pytest.approx(samples.NOISE_SD_HU, rel=0.25)


def test_values_are_the_same_at_every_call(values: np.ndarray) -> None:
    assert np.array_equal(samples.make_values(), values)


def test_simpleitk_reads_the_files_with_the_stated_geometry_and_values(as_read: sitk.Image, values: np.ndarray) -> None:
    assert as_read.GetSize() == (320, 320, 112)
    assert as_read.GetSpacing() == pytest.approx((1.1, 1.1, 2.5))
    assert as_read.GetOrigin() == pytest.approx((-175.45, -175.45, -138.75))
    assert as_read.GetDirection() == pytest.approx(samples.GEOMETRY.direction)
    assert np.array_equal(sitk.GetArrayFromImage(as_read), values)


def test_volume_in_memory_is_what_the_files_hold(values: np.ndarray) -> None:
    volume = samples.phantom_volume()
    assert isinstance(volume, Volume)
    assert np.array_equal(volume.values, values)
    assert volume.unit == "HU"
    assert volume.geometry.same_grid(samples.GEOMETRY)


def test_files_say_that_they_are_of_a_phantom(phantom: Path) -> None:
    files = sorted(phantom.iterdir())
    assert len(files) == 112
    first = pydicom.dcmread(files[0])
    assert first.QualityControlImage == "YES"
    assert "phantom" in f"{first.PatientName} {first.StudyDescription}".lower()
    assert len({pydicom.dcmread(file, specific_tags=["SOPInstanceUID"]).SOPInstanceUID for file in files}) == 112


def test_phantom_that_is_there_is_not_written_again(phantom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "make_values", pytest.fail)
    assert samples.write_phantom(phantom.parent) == phantom


def test_failed_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk() -> np.ndarray:
        raise OSError("no space left")

    monkeypatch.setattr(samples, "make_values", full_disk)
    with pytest.raises(OSError, match="no space"):
        samples.write_phantom(tmp_path)
    assert list(tmp_path.iterdir()) == []


def _without_pydicom_data(name: str, download: bool = True, **_: object) -> str | None:
    from pydicom.data.data_manager import DATA_ROOT

    assert not download, "a test file would be fetched"
    path = Path(DATA_ROOT) / "test_files" / name
    return str(path) if path.is_file() else None


def test_real_images_come_with_their_package(phantom: Path) -> None:
    pytest.importorskip("data_store", reason="pydicom-data is not installed")
    paths = samples.sample_paths(phantom.parent)
    assert [path.name for path in paths[1:]] == [names[0] for names in samples.REAL_IMAGES]
    film = pydicom.dcmread(paths[1], stop_before_pixels=True)
    assert (film.Modality, film.PhotometricInterpretation, [*film.PixelSpacing]) == ("CR", "MONOCHROME1", [0, 0])


@pytest.mark.parametrize("finder", [_without_pydicom_data, lambda name, **_: None])
def test_study_opens_without_the_package_of_real_images(phantom: Path, monkeypatch: pytest.MonkeyPatch, finder: Callable[..., str | None]) -> None:
    monkeypatch.setitem(sys.modules, "pydicom.data", SimpleNamespace(get_testdata_file=finder))
    paths = samples.sample_paths(phantom.parent)
    assert paths[0] == phantom
    expected = len(samples.REAL_IMAGES) - 1 if finder is _without_pydicom_data else 0
    assert len(paths) == 1 + expected
    assert all(path.is_file() for path in paths[1:])
