"""Which files become which series, in which order, in which place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.errors import OperationCancelled
from viewer.io import dicom

PLANE = np.arange(12, dtype=np.int16).reshape(3, 4)


@pytest.mark.parametrize(
    "folder", ["ct_chest_lidc", "mr_head_t1", "petctmr_sts001/ct", "petctmr_sts001/mr_t1", "petctmr_sts001/pet_raw", "petctmr_sts001/pet_suv"]
)
def test_series_lies_where_simpleitk_puts_it_voxel_by_voxel(shared_data: Path, inline_pool, folder: str) -> None:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(shared_data / folder)))
    truth = reader.Execute()
    (entry,) = dicom.scan(sorted((shared_data / folder).iterdir())).series
    volume = dicom.load(entry, pool=inline_pool)
    assert entry.kind == "volume"
    assert entry.warnings == ()
    np.testing.assert_allclose(volume.values, sitk.GetArrayViewFromImage(truth), atol=1e-5, rtol=1e-6)
    size = truth.GetSize()
    for index in ((0, 0, 0), (size[0] - 1, 0, 0), (0, size[1] - 1, 0), (0, 0, size[2] - 1), tuple(n - 1 for n in size)):
        np.testing.assert_allclose(volume.geometry.to_patient(index[::-1]), truth.TransformIndexToPhysicalPoint(index), atol=0.01)
    np.testing.assert_allclose(volume.geometry.direction, truth.GetDirection(), atol=1e-5)


def test_order_is_that_of_places_whatever_the_names_and_numbers(shared_data: Path, tmp_path: Path, inline_pool) -> None:
    source = sorted((shared_data / "ct_chest_lidc").iterdir())
    order = np.random.default_rng(5).permutation(len(source))
    copies = [tmp_path / f"{n:03d}" for n in order]
    for file, copy in zip(source, copies, strict=True):
        shutil.copy(file, copy)
    (shuffled,) = dicom.scan(copies).series
    (plain,) = dicom.scan(source).series
    assert np.array_equal(dicom.load(shuffled, pool=inline_pool).data, dicom.load(plain, pool=inline_pool).data)
    assert shuffled.id == plain.id
    assert np.all(np.diff([plain.geometry.to_patient((k, 0, 0))[2] for k in range(60)]) > 0)


def test_pixel_spacing_is_rows_then_columns(write_dicom) -> None:
    (entry,) = dicom.scan([write_dicom("a", PLANE, PixelSpacing=[0.5, 2.0])]).series
    assert entry.geometry.spacing[1:] == (0.5, 2.0)
    np.testing.assert_allclose(entry.geometry.to_patient((0, 1, 0)), (0, 0.5, 0))
    np.testing.assert_allclose(entry.geometry.to_patient((0, 0, 1)), (2, 0, 0))


@pytest.mark.parametrize(
    ("orientation", "step", "normal"),
    [
        ([0, 1, 0, 0, 0, -1], (-3.0, 0, 0), (-1, 0, 0)),  # sagittal: row to the back, column down
        ([1, 0, 0, 0, 0, -1], (0, 3.0, 0), (0, 1, 0)),  # coronal
        ([0.8, 0.6, 0, 0, 0, -1], (-1.8, 2.4, 0), (-0.6, 0.8, 0)),  # between the two
    ],
)
def test_planes_ascend_along_row_cross_column(write_dicom, inline_pool, orientation, step, normal) -> None:
    files = []
    for n in (2, 0, 3, 1):
        position = [10 + n * step[0], 20 + n * step[1], 30 + n * step[2]]
        files.append(write_dicom(f"s{n}", PLANE + n, ImageOrientationPatient=orientation, ImagePositionPatient=position, InstanceNumber=9 - n))
    (entry,) = dicom.scan(files).series
    np.testing.assert_allclose(entry.geometry.matrix[:, 2], normal, atol=1e-12)
    assert entry.geometry.spacing[0] == pytest.approx(3.0)
    assert dicom.load(entry, pool=inline_pool).values[:, 0, 0].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(entry.geometry.to_patient((3, 0, 0)), [10 + 3 * step[0], 20 + 3 * step[1], 30 + 3 * step[2]], atol=1e-9)


def test_one_plane_alone_lies_in_its_own_place(shared_data: Path, inline_pool) -> None:
    (entry,) = dicom.scan(sorted((shared_data / "ct_chest_lidc").iterdir())).series
    whole = dicom.load(entry, pool=inline_pool)
    plane = dicom.load_plane(entry, 17, 0, pool=inline_pool)
    assert np.array_equal(plane.values[0], whole.values[17])
    np.testing.assert_allclose(plane.geometry.to_patient((0, 5, 7)), whole.geometry.to_patient((17, 5, 7)))


def test_localiser_of_another_direction_is_an_entry_of_its_own(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n]) for n in range(4)]
    files.append(write_dicom("scout", PLANE, ImageOrientationPatient=[1, 0, 0, 0, 0, -1]))
    big, scout = dicom.scan(files).series
    assert (big.shape[0], big.kind, scout.shape[0], scout.kind) == (4, "volume", 1, "image")
    assert big.id == "1.2.3.4"
    assert len({big.id, scout.id}) == 2


def test_two_patients_under_one_series_uid_stay_apart(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], PatientID=f"P{n % 2}") for n in range(4)]
    assert sorted((e.identity.patient_id, e.shape[0]) for e in dicom.scan(files).series) == [("P0", 2), ("P1", 2)]


def test_images_at_one_place_become_phases_by_the_element_that_tells_them_apart(write_dicom, inline_pool) -> None:
    files = []
    for n in range(3):
        for echo, time in enumerate((30, 5)):
            place = [0, 0, 4.0 * n]
            files.append(
                write_dicom(f"{n}-{echo}", PLANE + 100 * time + n, ImagePositionPatient=place, EchoTime=time, AcquisitionNumber=7 + n, Modality="MR")
            )
    (entry,) = dicom.scan(files).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (entry.shape, entry.phases) == ((3, 3, 4), 2)
    assert volume.data[:, :, 0, 0].tolist() == [[500, 501, 502], [3000, 3001, 3002]]
    assert volume.phase_labels == ("TE 5 ms", "TE 30 ms")


def test_second_image_of_a_place_is_listed_apart_and_the_latest_stays(write_dicom, inline_pool) -> None:
    files = [write_dicom(f"{n}", PLANE + n, ImagePositionPatient=[0, 0, 2.0 * n], ContentTime="100000") for n in range(3)]
    files.append(write_dicom("again", PLANE + 50, ImagePositionPatient=[0, 0, 2.0], ContentTime="110000"))
    stack, aside = dicom.scan(files).series
    assert dicom.load(stack, pool=inline_pool).values[:, 0, 0].tolist() == [0, 50, 2]
    assert any("listed apart" in w for w in stack.warnings)
    assert dicom.load(aside, pool=inline_pool).values[0, 0, 0] == 1


def test_the_same_instance_twice_counts_once(write_dicom, tmp_path: Path) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n]) for n in range(3)]
    shutil.copy(files[1], tmp_path / "copy")
    (entry,) = dicom.scan([*files, tmp_path / "copy"]).series
    assert entry.shape[0] == 3
    assert entry.geometry.between_known


def test_missing_plane_is_said_and_blocks_volumes(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n]) for n in (0, 1, 2, 5, 6)]
    (entry,) = dicom.scan(files).series
    assert any("2 planes are missing" in w for w in entry.warnings)
    assert not entry.geometry.has_volume
    assert entry.geometry.spacing[0] == 2.0


def test_uneven_planes_have_no_one_distance(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, z]) for n, z in enumerate((0, 2, 4.5, 6, 8))]
    (entry,) = dicom.scan(files).series
    assert not entry.geometry.between_known
    assert any("evenly" in w for w in entry.warnings)


def test_tilt_is_seen_in_the_positions_not_in_the_nominal_angle(write_dicom, inline_pool) -> None:
    tilted = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0.5 * n, 2.0 * n], SeriesInstanceUID="1.1") for n in range(5)]
    straight = [write_dicom(f"s{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], SeriesInstanceUID="1.2", GantryDetectorTilt=15) for n in range(5)]
    badges = {e.identity.series_uid: dicom.load(e, pool=inline_pool).badges for e in dicom.scan(tilted + straight).series}
    assert "TILT" in badges["1.1"]
    assert "TILT" not in badges["1.2"]


def test_without_positions_nothing_is_called_the_patients(write_dicom, inline_pool) -> None:
    files = [write_dicom(f"{n}", PLANE + n, ImagePositionPatient=None, ImageOrientationPatient=None, InstanceNumber=5 - n) for n in range(3)]
    (entry,) = dicom.scan(files).series
    volume = dicom.load(entry, pool=inline_pool)
    assert not volume.geometry.is_patient
    assert not volume.geometry.has_volume
    assert volume.geometry.letters(2) == ""
    assert "NO GEOMETRY" in volume.badges
    assert volume.values[:, 0, 0].tolist() == [2, 1, 0]


def test_films_of_one_series_are_single_images(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, Modality="DX", ImagePositionPatient=None, ImageOrientationPatient=None) for n in range(2)]
    assert [e.kind for e in dicom.scan(files).series] == ["image", "image"]


def test_skewed_orientation_gives_no_patient_directions(write_dicom) -> None:
    (entry,) = dicom.scan([write_dicom("a", PLANE, ImageOrientationPatient=[1, 0, 0, 0.3, 0.95, 0])]).series
    assert not entry.geometry.is_patient
    assert any("right angles" in w for w in entry.warnings)


def test_frames_without_places_are_a_cine_with_its_rate(write_dicom, inline_pool) -> None:
    frames = np.stack([PLANE + n for n in range(5)]).astype(np.uint8)
    path = write_dicom(
        "us",
        frames,
        Modality="US",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1",
        ImagePositionPatient=None,
        FrameTime=40,
        FrameIncrementPointer=0x00181063,
    )
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (entry.kind, entry.shape, entry.phases) == ("cine", (1, 3, 4), 5)
    assert volume.data[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(volume.phase_seconds, [0, 0.04, 0.08, 0.12, 0.16])


def test_objects_without_pictures_are_listed_by_what_they_are(shared_data: Path) -> None:
    names = {
        "made_gsps.dcm": "Presentation",
        "made_ko.dcm": "Key images",
        "sr_document.dcm": "Report",
        "dcmqi_seg.dcm": "Segmentation",
        "wave_dfl": "Waveform",
    }
    for name, word in names.items():
        (entry,) = dicom.scan([shared_data / "single" / name]).series
        assert entry.kind == "other"
        assert word in entry.title


def test_scan_reports_progress_and_can_be_cancelled(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, n]) for n in range(3)]
    seen: list[tuple[int, int]] = []
    dicom.scan(files, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)

    def stop(done: int, total: int) -> None:
        raise OperationCancelled("stop")

    with pytest.raises(OperationCancelled):
        dicom.scan(files, progress=stop)


def test_files_without_uids_have_stable_ids_of_their_own(write_dicom) -> None:
    files = [write_dicom(name, PLANE + n, SeriesInstanceUID=None, StudyInstanceUID=None) for n, name in enumerate(("a", "b"))]
    first, second = (e.id for e in dicom.scan(files).series)
    assert first != second
    assert [e.id for e in dicom.scan(files[::-1]).series] == [second, first]
