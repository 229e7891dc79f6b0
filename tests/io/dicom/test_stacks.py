"""From files to stacks (CONVENTIONS D53 to D63): what belongs together, its order, its phases, and what is said of its geometry.

Expected places and values by arithmetic from the numbers that the test writes into the files, for directions by SimpleITK.
"""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.uid import generate_uid

from viewer.cli.main import main
from viewer.io import dicom
from viewer.io.series import SeriesEntry

PLANE = np.arange(12, dtype=np.int16).reshape(3, 4)
MR = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR"}
A, B = np.radians(30), np.radians(30)
_OBLIQUE = np.array([[1, 0, 0], [0, np.cos(A), -np.sin(A)], [0, np.sin(A), np.cos(A)]]) @ np.array(
    [[np.cos(B), 0, np.sin(B)], [0, 1, 0], [-np.sin(B), 0, np.cos(B)]]
)
ORIENTATIONS = {
    "axial": (1, 0, 0, 0, 1, 0),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "coronal": (1, 0, 0, 0, 0, -1),
    "oblique": tuple(float(c) for c in (*_OBLIQUE[:, 0], *_OBLIQUE[:, 1])),
    "feet first": (-1, 0, 0, 0, 1, 0),
    "prone": (-1, 0, 0, 0, -1, 0),
}


def texts(entry: SeriesEntry, topic: str) -> str:
    return " | ".join(note.text for note in entry.notes if note.topic == topic)


def normal_of(orientation: tuple[float, ...]) -> np.ndarray:
    return np.cross(orientation[:3], orientation[3:])


# --- D53, D56: one series UID is not one volume --------------------------------------------------------------------


DIFFERENT: dict[str, dict[str, Any]] = {
    "SOP class": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.2"},
    "frame of reference": {"FrameOfReferenceUID": "9.9"},
    "orientation": {"ImageOrientationPatient": [1, 0, 0, 0, 0.9998, 0.02]},
    "pixel spacing": {"PixelSpacing": [0.5, 2.01]},
    "photometric interpretation": {"PhotometricInterpretation": "MONOCHROME1"},
    "localiser": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    "reformat": {"ImageType": ["DERIVED", "SECONDARY", "MPR"]},
    "projection": {"ImageType": ["DERIVED", "SECONDARY", "PROJECTION IMAGE"]},
    "MIP as a later value": {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "MIP"]},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_d53_what_differs_in_one_thing_is_a_part_of_its_own(write_dicom, what: str) -> None:
    base = {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}
    files = [write_dicom(f"{n}", PLANE, **{**base, "ImagePositionPatient": [0, 0, 2.0 * n]}) for n in range(4)]
    files.append(write_dicom("other", PLANE, **{**base, "ImagePositionPatient": [0, 0, 8], **DIFFERENT[what]}))
    entries = dicom.scan(files).series
    assert [e.shape[0] for e in entries] == [4, 1]
    assert entries[0].title != entries[1].title
    assert "2 things" in texts(entries[1], "series")
    assert entries[0].geometry is not None
    assert entries[0].geometry.has_volume  # D56: the odd one out does not cost the rest its volume


def test_d53_another_size_is_a_part_of_its_own(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n]) for n in range(3)]
    files += [write_dicom(f"b{n}", np.zeros((5, 6), np.int16), ImagePositionPatient=[0, 0, 2.0 * n]) for n in range(2)]
    big, small = dicom.scan(files).series
    assert (big.shape, small.shape) == ((3, 3, 4), (2, 5, 6))
    assert (big.title.rpartition(", ")[2], small.title.rpartition(", ")[2]) == ("4 x 3", "6 x 5")


@pytest.mark.parametrize("off", [0.0009, -0.0009])
def test_d53_cosines_within_a_thousandth_are_one_direction(write_dicom, off: float) -> None:
    files = [
        write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], ImageOrientationPatient=[1, 0, 0, 0, 1, off if n == 2 else 0])
        for n in range(4)
    ]
    assert [e.shape[0] for e in dicom.scan(files).series] == [4]


def test_d56_a_three_plane_localiser_is_three_rows_that_read_differently(write_dicom) -> None:
    files = []
    for name in ("axial", "sagittal", "coronal"):
        normal = normal_of(ORIENTATIONS[name])
        for n in range(3):
            place = [float(c) for c in normal * 5 * n]
            files.append(
                write_dicom(
                    f"{name}{n}", PLANE, ImagePositionPatient=place, ImageOrientationPatient=list(ORIENTATIONS[name]), SeriesDescription="Scout"
                )
            )
    assert sorted(e.title for e in dicom.scan(files).series) == ["Scout, axial", "Scout, coronal", "Scout, sagittal"]


def test_d53_parts_that_differ_in_nothing_that_has_a_word_are_numbered(write_dicom) -> None:
    files = [
        write_dicom(f"{n}", PLANE, Modality="DX", ImagePositionPatient=None, ImageOrientationPatient=None, SeriesDescription="Chest")
        for n in range(3)
    ]
    entries = dicom.scan(files).series
    assert sorted(e.title for e in entries) == ["Chest, 1 of 3", "Chest, 2 of 3", "Chest, 3 of 3"]


def test_d53_the_volume_has_the_title_of_its_row(write_dicom, inline_pool) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], SeriesDescription="Head") for n in range(3)]
    files.append(write_dicom("scout", PLANE, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesDescription="Head"))
    entries = dicom.scan(files).series
    assert [e.title for e in entries] == ["Head", "Head, localiser"]
    assert [dicom.load(e, pool=inline_pool).title for e in entries] == ["Head", "Head, localiser"]


# --- D54, D55: phases ------------------------------------------------------------------------------------------------


PHASES: dict[str, tuple[dict[str, list[Any]], tuple[str, ...]]] = {
    "temporal position": ({"TemporalPositionIdentifier": [2, 1, 10]}, ("time 1", "time 2", "time 10")),
    "echo time": ({"EchoTime": [30, 5, 100]}, ("TE 5 ms", "TE 30 ms", "TE 100 ms")),
    "echo number": ({"EchoNumbers": [1, 2, 3]}, ("echo 1", "echo 2", "echo 3")),
    "inversion time": ({"InversionTime": [150, 2500, 90.5]}, ("TI 90.5 ms", "TI 150 ms", "TI 2500 ms")),
    "b-value": ({"DiffusionBValue": [0.0, 1000.0, 500.0]}, ("b 0 s/mm²", "b 500 s/mm²", "b 1000 s/mm²")),
    "trigger time": ({"TriggerTime": [0, 45.5, 900]}, ("trigger 0 ms", "trigger 45.5 ms", "trigger 900 ms")),
    "flip angle": ({"FlipAngle": [15, 3, 90]}, ("flip 3 °", "flip 15 °", "flip 90 °")),
    "acquisition": ({"AcquisitionNumber": [3, 1, 2]}, ("acquisition 1", "acquisition 2", "acquisition 3")),
    "acquisition time": ({"AcquisitionTime": ["100000", "095930", "100015.5"]}, ("t 0 s", "t 30 s", "t 45.5 s")),
    "complex component": ({"ComplexImageComponent": ["PHASE", "MAGNITUDE", "REAL"]}, ("MAGNITUDE", "PHASE", "REAL")),
    "contrast agent": ({"ContrastBolusAgent": ["b", "a", "c"]}, ("a", "b", "c")),
}


def write_phases(write_dicom, keys: dict[str, list[Any]], planes: int = 4, **more: Any) -> list[Path]:
    """Every phase at every place, values 100 * phase + plane, in an order that means nothing."""
    count = len(next(iter(keys.values())))
    cells = list(itertools.product(range(count), range(planes)))
    files = []
    for number in np.random.default_rng(7).permutation(len(cells)):
        phase, plane = cells[number]
        stored = np.full((3, 4), 100 * phase + plane, np.int16)
        values = {k: v[phase] for k, v in keys.items()}
        files.append(
            write_dicom(f"{number}", stored, ImagePositionPatient=[0, 0, 3.0 * plane], InstanceNumber=int(number) + 1, **MR, **values, **more)
        )
    return files


@pytest.mark.parametrize("what", PHASES)
def test_d54_images_at_the_same_places_become_phases(write_dicom, inline_pool, what: str) -> None:
    keys, labels = PHASES[what]
    (entry,) = dicom.scan(write_phases(write_dicom, keys)).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (entry.shape[0], entry.phases, volume.phase_labels) == (4, 3, labels)
    (values,) = keys.values()
    order = sorted(range(3), key=lambda n: float(values[n]) if not isinstance(values[n], str) or values[n][0].isdigit() else ord(values[n][0]))
    assert volume.data[:, :, 0, 0].tolist() == [[100 * n + k for k in range(4)] for n in order]
    assert "3 phases" in texts(entry, "series")


def test_d54_two_echoes_at_two_times_are_four_phases(write_dicom, inline_pool) -> None:
    keys = {"EchoTime": [5, 30, 5, 30], "TemporalPositionIdentifier": [1, 1, 2, 2]}
    (entry,) = dicom.scan(write_phases(write_dicom, keys)).series
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.phase_labels == ("time 1, TE 5 ms", "time 1, TE 30 ms", "time 2, TE 5 ms", "time 2, TE 30 ms")
    assert volume.data[:, 2, 0, 0].tolist() == [2, 102, 202, 302]


def test_d54_b_values_with_directions_are_one_phase_each(write_dicom, inline_pool) -> None:
    keys = {"DiffusionBValue": [0.0, 1000.0, 1000.0], "DiffusionGradientOrientation": [[0, 0, 0], [1, 0, 0], [0, 1, 0]]}
    (entry,) = dicom.scan(write_phases(write_dicom, keys)).series
    assert entry.phases == 3
    assert len(set(dicom.load(entry, pool=inline_pool).phase_labels)) == 3


@pytest.mark.parametrize(
    ("creator", "tag", "vr", "written", "label"),
    [
        ((0x0019, 0x0010, "SIEMENS MR HEADER"), (0x0019, 0x100C), "IS", ["0", "800"], "b 800 s/mm²"),
        ((0x2001, 0x0010, "Philips Imaging DD 001"), (0x2001, 0x1003), "FL", [0.0, 800.0], "b 800 s/mm²"),
        ((0x0043, 0x0010, "GEMS_PARM_01"), (0x0043, 0x1039), "IS", [["0", "8"], ["1000000800", "8"]], "b 800 s/mm²"),
    ],
)
def test_d54_private_b_values_tell_phases_apart(write_dicom, inline_pool, creator, tag, vr: str, written: list[Any], label: str) -> None:
    import pydicom

    files = []
    for phase, plane in itertools.product(range(2), range(3)):
        path = write_dicom(f"{phase}{plane}", np.full((3, 4), phase, np.int16), ImagePositionPatient=[0, 0, 3.0 * plane], **MR)
        dataset = pydicom.dcmread(path)
        dataset.add_new(creator[:2], "LO", creator[2])
        dataset.add_new(tag, vr, written[phase])
        dataset.save_as(path)
        files.append(path)
    (entry,) = dicom.scan(files).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (volume.phases, volume.phase_labels[1]) == (2, label)
    assert volume.data[:, 0, 0, 0].tolist() == [0, 1]


def test_d54_acquisition_numbers_at_distinct_places_are_one_volume(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], AcquisitionNumber=1 + n // 3) for n in range(6)]
    (entry,) = dicom.scan(files).series
    assert (entry.shape[0], entry.phases) == (6, 1)


def test_d54_each_image_with_a_time_of_its_own_is_one_phase_after_the_other(write_dicom, inline_pool) -> None:
    """A dynamic series whose only clue is the time of each single image."""
    files = []
    for phase, plane in itertools.product(range(3), range(4)):
        clock = f"10{phase:02d}{10 * plane:02d}.0"
        files.append(write_dicom(f"{phase}{plane}", np.full((3, 4), 100 * phase + plane, np.int16), ImagePositionPatient=[0, 0, 3.0 * plane],
                                 AcquisitionTime=clock, **MR))  # fmt: skip
    (entry,) = dicom.scan(files).series
    assert dicom.load(entry, pool=inline_pool).data[:, :, 0, 0].tolist() == [[100 * p + k for k in range(4)] for p in range(3)]


def test_d54_stacks_side_by_side_at_one_height_are_two_volumes(write_dicom, inline_pool) -> None:
    files = [write_dicom(f"{side}{n}", PLANE + side, ImagePositionPatient=[side, 0, 2.0 * n]) for side in (0, 150) for n in range(4)]
    entries = dicom.scan(files).series
    assert [(e.shape[0], e.phases) for e in entries] == [(4, 1), (4, 1)]
    for entry in entries:
        x = entry.geometry.to_patient((3, 0, 0))[0]
        assert dicom.load(entry, pool=inline_pool).values[3, 0, 0] == x


# --- D57: the order ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_d57_c4_shuffled_names_and_numbers_give_the_same_voxels_in_the_same_places(write_dicom, inline_pool, tmp_path: Path, name: str) -> None:
    orientation = ORIENTATIONS[name]
    normal = normal_of(orientation)
    rng = np.random.default_rng(3)
    voxels = rng.integers(-1000, 1000, (9, 3, 4)).astype(np.int16)
    digests = set()
    for turn in range(3):
        order = list(range(9)) if turn == 0 else list(range(9))[::-1] if turn == 1 else [int(n) for n in rng.permutation(9)]
        files = []
        for number, k in enumerate(order):
            place = [float(c) for c in np.array([10.0, -20.0, 30.0]) + normal * 2.5 * k]
            files.append(write_dicom(f"{turn}-{number}", voxels[k], ImagePositionPatient=place, ImageOrientationPatient=list(orientation),
                                     InstanceNumber=number + 1, SliceLocation=-number, SeriesInstanceUID=f"1.{turn}"))  # fmt: skip
        (entry,) = dicom.scan([files[int(n)] for n in rng.permutation(9)]).series
        volume = dicom.load(entry, pool=inline_pool)
        digests.add(hashlib.sha256(volume.data.tobytes()).hexdigest())
        truth = sitk.Image(4, 3, 9, sitk.sitkInt16)
        truth.SetOrigin((10.0, -20.0, 30.0))
        truth.SetSpacing((2.0, 0.5, 2.5))
        truth.SetDirection(np.stack([orientation[:3], orientation[3:], normal], 1).ravel().tolist())
        for index in ((0, 0, 0), (8, 2, 3), (4, 1, 2)):
            np.testing.assert_allclose(volume.geometry.to_patient(index), truth.TransformIndexToPhysicalPoint(index[::-1]), atol=1e-6)
    assert digests == {hashlib.sha256(voxels.tobytes()).hexdigest()}


def test_d57_the_note_says_along_which_direction_and_how_the_numbers_run(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], InstanceNumber=9 - n) for n in range(4)]
    (entry,) = dicom.scan(files).series
    assert "Sorted by position towards H" in texts(entry, "geometry")
    assert "less than 0.001 mm from an even stack" in texts(entry, "geometry")
    assert "the other way" in texts(entry, "geometry")


# --- D58 to D62: distances --------------------------------------------------------------------------------------------


def stack_at(write_dicom, heights: list[float], *, lean: float = 0.0, **more: Any) -> SeriesEntry:
    files = [write_dicom(f"{n}", PLANE + n, ImagePositionPatient=[5, lean * z, z], **more) for n, z in enumerate(heights)]
    return dicom.scan(files).series[0]


def test_d58_the_distance_is_that_of_the_positions_not_the_thickness(write_dicom) -> None:
    entry = stack_at(write_dicom, [0, 3, 6, 9.003], SliceThickness=5, SpacingBetweenSlices=7)
    assert entry.geometry is not None
    assert entry.geometry.spacing[0] == pytest.approx(3.001)  # the mean: the last plane stays in its place
    np.testing.assert_allclose(entry.geometry.to_patient((3, 0, 0)), (5, 0, 9.003), atol=1e-9)
    assert "4 planes, 3 mm apart (from 3 to 3.003, mean 3.001)" in texts(entry, "geometry")


def test_d59_each_plane_of_an_uneven_stack_lies_where_its_file_says(write_dicom, inline_pool) -> None:
    heights = [0, 2, 4.5, 6, 8]
    entry = stack_at(write_dicom, heights)
    volume = dicom.load(entry, pool=inline_pool)
    for k, z in enumerate(heights):
        np.testing.assert_allclose(volume.geometry.to_patient((k, 2, 3)), (5 + 6, 1, z), atol=1e-9)
        assert volume.geometry.nearest((5, 0, z)) == (k, 0, 0)
        np.testing.assert_allclose(dicom.load_plane(entry, k, 0, pool=inline_pool).geometry.origin, (5, 0, z), atol=1e-9)
    assert not volume.geometry.has_volume
    assert "1.50 to 2.50 mm" in " ".join(entry.warnings)
    assert set(entry.notes) <= set(volume.notes)


def test_d59_planes_shifted_sideways_are_told_as_such(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[1.5 if n == 2 else 0, 0, 2.0 * n]) for n in range(5)]
    (entry,) = dicom.scan(files).series
    assert "shifted sideways by up to 1.50 mm" in " ".join(entry.warnings)
    assert entry.geometry is not None
    np.testing.assert_allclose(entry.geometry.to_patient((2, 0, 0)), (1.5, 0, 4))


def test_d60_missing_planes_are_counted_with_their_places(write_dicom) -> None:
    entry = stack_at(write_dicom, [-518, -516, -514, -508, -506, -502])
    (text,) = entry.warnings
    assert "2 planes are missing at z = -512.0 to -510.0 mm, 1 plane is missing at z = -504.0 mm" in text
    assert entry.geometry is not None
    assert (entry.geometry.voxel_volume_mm3, entry.geometry.spacing[0]) == (None, 2.0)
    np.testing.assert_allclose(entry.geometry.to_patient((3, 0, 0))[2], -508)
    assert entry.geometry.nearest((5, 0, -511)) is None


def test_d60_the_place_is_told_along_the_axis_that_the_stack_runs_along(write_dicom) -> None:
    files = [
        write_dicom(f"{n}", PLANE, ImagePositionPatient=[-30.0 - 4 * n, 0, 0], ImageOrientationPatient=[0, 1, 0, 0, 0, -1]) for n in (0, 1, 2, 4, 5)
    ]
    (entry,) = dicom.scan(files).series
    assert "1 plane is missing at x = -42.0 mm" in entry.warnings[0]


def test_d61_a_second_image_of_a_place_is_told_with_its_place(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], ContentTime="100000") for n in range(4)]
    files.append(write_dicom("again", PLANE, ImagePositionPatient=[0, 0, 4.0], ContentTime="110000"))
    stack, aside = dicom.scan(files).series
    assert "1 image lies at the place of another and is listed apart (z = 4.0 mm)" in stack.warnings
    assert stack.files[2].name == "again"
    assert (aside.files[0].name, aside.title != stack.title) == ("2", True)


def test_d61_the_same_instance_in_two_files_is_told_with_its_place(write_dicom) -> None:
    uid = generate_uid()
    files = [
        write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * min(n, 3)], SOPInstanceUID=uid if n > 2 else generate_uid()) for n in range(5)
    ]
    (entry,) = dicom.scan(files).series
    assert entry.shape[0] == 4
    assert "1 image is there twice and was left out (z = 6.0 mm)" in entry.warnings


@pytest.mark.parametrize("degrees", [0.3, 15.0, -27.0])
def test_d62_each_plane_of_a_leaning_stack_lies_where_its_file_says(write_dicom, inline_pool, degrees: float) -> None:
    lean = float(np.tan(np.radians(degrees)))
    entry = stack_at(write_dicom, [3.0 * n for n in range(8)], lean=lean, GantryDetectorTilt=0)
    volume = dicom.load(entry, pool=inline_pool)
    assert "TILT" in volume.badges
    assert f"lean by {abs(degrees):.2f}°" in " ".join(entry.warnings)
    for k in range(8):
        np.testing.assert_allclose(volume.geometry.to_patient((k, 0, 0)), (5, lean * 3 * k, 3 * k), atol=1e-9)
    assert volume.geometry.voxel_volume_mm3 == pytest.approx(3 * 0.5 * 2.0)  # the distance along the normal


@pytest.mark.parametrize("lean", [0.0, 0.0015])
def test_d62_below_a_tenth_of_a_degree_nothing_leans(write_dicom, inline_pool, lean: float) -> None:
    entry = stack_at(write_dicom, [3.0 * n for n in range(8)], lean=lean, GantryDetectorTilt=15)
    assert "TILT" not in dicom.load(entry, pool=inline_pool).badges
    assert entry.geometry is not None
    assert entry.geometry.is_rectangular


def test_d62_c23_gaps_in_a_leaning_stack_are_told_too(write_dicom) -> None:
    entry = stack_at(write_dicom, [0, 3, 6, 12, 15], lean=0.2)
    assert any("lean by" in w for w in entry.warnings)
    assert any("1 plane is missing at z = 9.0 mm" in w for w in entry.warnings)


# --- D63: directions --------------------------------------------------------------------------------------------------


def test_d63_small_errors_of_the_cosines_are_mended(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], ImageOrientationPatient=[1, 0, 0, 0.0009, 1, 0]) for n in range(3)]
    (entry,) = dicom.scan(files).series
    assert entry.geometry is not None
    np.testing.assert_allclose(entry.geometry.matrix.T @ entry.geometry.matrix, np.eye(3), atol=1e-12)
    assert entry.geometry.has_volume


def test_d63_beyond_that_there_is_no_volume_and_it_is_said(write_dicom) -> None:
    files = [write_dicom(f"{n}", PLANE, ImagePositionPatient=[0, 0, 2.0 * n], ImageOrientationPatient=[1, 0, 0, 0.01, 1, 0]) for n in range(3)]
    for entry in dicom.scan(files).series:
        assert entry.geometry is not None
        assert not entry.geometry.has_volume
        assert any("right angles" in w for w in entry.warnings)


def test_c5_the_page_tells_the_verdict_once_with_numbers(write_dicom, tmp_path: Path, capsys) -> None:
    for n, z in enumerate((0, 2, 4, 8, 10)):
        write_dicom(f"{n}.dcm", PLANE, ImagePositionPatient=[0, 0.1 * z, z])
    write_dicom("scout.dcm", PLANE, ImagePositionPatient=[0, 0, 5], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesDescription="Head")
    assert main(["info", str(tmp_path), "--explain"]) == 0
    text = capsys.readouterr().out
    (first, second) = text.split("Head, localiser")
    assert first.count("1 plane is missing at z = 6.0 mm") == 2  # among the warnings, and in the chapter on geometry
    assert first.count("lean by 5.71°") == 2
    assert "5 planes, 2 mm apart (from 2 to 4, mean 2.5)" in first
    assert "this is: localiser" in second
