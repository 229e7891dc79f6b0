"""Multi-frame objects (CONVENTIONS D48 to D50): what holds for a frame, and where frames lie. Expected: what the test writes, and for
pydicom-data's real files the functional groups as pydicom reads them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.io import dicom

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
NM = "1.2.840.10008.5.1.4.1.1.20"
CT_ENHANCED = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1", "Modality": "CT"}


def item(**values: Any) -> Dataset:
    found = Dataset()
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return found


def group(**sequences: Dataset) -> Dataset:
    return item(**{name: Sequence([content]) for name, content in sequences.items()})


def position(x: float, y: float, z: float) -> Dataset:
    return item(ImagePositionPatient=[x, y, z])


AXIAL = item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
MEASURES = item(PixelSpacing=[0.5, 2.0], SliceThickness=9)


@pytest.fixture
def write_enhanced(write_dicom: Any) -> Any:
    """``write(stored, per_frame, shared, **top)``: an enhanced object without the elements of classic files."""

    def write(stored: np.ndarray, per_frame: list[Dataset], shared: Dataset | None = None, **top: Any) -> Path:
        values = {"SOPClassUID": ENHANCED_MR, "Modality": "MR", "ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}
        more = {"PerFrameFunctionalGroupsSequence": Sequence(per_frame)}
        if shared is not None:
            more["SharedFunctionalGroupsSequence"] = Sequence([shared])
        return Path(write_dicom("enhanced", stored, **{**values, **more, **top}))

    return write


def numbered(count: int) -> np.ndarray:
    return np.stack([np.full((3, 4), 10 * n, np.int16) for n in range(count)])


def test_d48_per_frame_wins_over_shared_wins_over_the_top(write_enhanced: Any, inline_pool: Any) -> None:
    """Each of place, direction, spacing and rescale at another level; the frame's own rescale wins over the shared one."""
    frames = [group(PlanePositionSequence=position(5, 6, 3.0 * n)) for n in range(3)]
    frames[1].PixelValueTransformationSequence = Sequence([item(RescaleSlope=2, RescaleIntercept=-5, RescaleType="US")])
    shared = group(
        PlaneOrientationSequence=AXIAL, PixelMeasuresSequence=MEASURES,
        PixelValueTransformationSequence=item(RescaleSlope=1, RescaleIntercept=100, RescaleType="US"),
    )  # fmt: skip
    path = write_enhanced(numbered(3), frames, shared, PixelSpacing=[7, 7], RescaleSlope=50, RescaleIntercept=3)
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.geometry.spacing == (3.0, 0.5, 2.0)
    np.testing.assert_allclose(volume.geometry.to_patient((2, 1, 1)), (7, 6.5, 6))
    assert volume.values[:, 0, 0].tolist() == [100, 15, 120]


def test_d48_what_only_stands_at_the_top_holds_for_all_frames(write_enhanced: Any) -> None:
    frames = [group(PlanePositionSequence=position(0, 0, 2.0 * n)) for n in range(3)]
    path = write_enhanced(numbered(3), frames, None, PixelSpacing=[0.5, 2.0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    (entry,) = dicom.scan([path]).series
    assert entry.geometry is not None
    assert entry.geometry.spacing == (2.0, 0.5, 2.0)


def test_d49_frames_are_sorted_by_their_places_not_their_numbers(write_enhanced: Any, inline_pool: Any) -> None:
    order = [3, 0, 4, 1, 2]
    frames = [group(PlanePositionSequence=position(0, 0, 2.0 * k)) for k in order]
    path = write_enhanced(numbered(5), frames, group(PlaneOrientationSequence=AXIAL, PixelMeasuresSequence=MEASURES))
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.values[:, 0, 0].tolist() == [10 * order.index(k) for k in range(5)]


def test_d49_stacks_of_one_file_are_volumes_of_their_own(write_enhanced: Any, inline_pool: Any) -> None:
    frames = []
    for stack, k in itertools.product(("head", "neck"), range(3)):
        frames.append(group(PlanePositionSequence=position(0, 0, 2.0 * k), FrameContentSequence=item(StackID=stack, InStackPositionNumber=k + 1)))
    path = write_enhanced(numbered(6), frames, group(PlaneOrientationSequence=AXIAL, PixelMeasuresSequence=MEASURES))
    entries = dicom.scan([path]).series
    assert [e.shape[0] for e in entries] == [3, 3]
    assert [e.title.rpartition(", ")[2] for e in entries] == ["stack head", "stack neck"]
    assert [dicom.load(e, pool=inline_pool).values[:, 0, 0].tolist() for e in entries] == [[0, 10, 20], [30, 40, 50]]


KEYS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "temporal position": (lambda n: {"FrameContentSequence": item(TemporalPositionIndex=n + 1)}, ("time 1", "time 2")),
    "effective echo time": (lambda n: {"MREchoSequence": item(EffectiveEchoTime=[5.0, 30.0][n])}, ("TE 5 ms", "TE 30 ms")),
    "b-value": (lambda n: {"MRDiffusionSequence": item(DiffusionBValue=[0.0, 800.0][n])}, ("b 0 s/mm²", "b 800 s/mm²")),
    "trigger": (
        lambda n: {"CardiacSynchronizationSequence": item(NominalCardiacTriggerDelayTime=[0.0, 45.5][n])},
        ("trigger 0 ms", "trigger 45.5 ms"),
    ),
    "inversion time": (lambda n: {"MRModifierSequence": item(InversionTimes=[50.0 + n])}, ("TI 50 ms", "TI 51 ms")),
    "component": (lambda n: {"MRImageFrameTypeSequence": item(ComplexImageComponent=["MAGNITUDE", "PHASE"][n])}, ("MAGNITUDE", "PHASE")),
    "acquisition time": (lambda n: {"FrameContentSequence": item(FrameAcquisitionDateTime=f"2020010110{n:02d}30.5")}, ("t 0 s", "t 60 s")),
    "acquisition number": (lambda n: {"FrameContentSequence": item(FrameAcquisitionNumber=n + 3)}, ("acquisition 3", "acquisition 4")),
}


@pytest.mark.parametrize("what", KEYS)
def test_d49_d54_frames_at_the_same_places_become_phases(write_enhanced: Any, inline_pool: Any, what: str) -> None:
    make, labels = KEYS[what]
    cells = list(itertools.product(range(3), (1, 0)))  # planes outside, phases inside and backwards
    frames = [group(PlanePositionSequence=position(0, 0, 2.0 * k), **make(n)) for k, n in cells]
    path = write_enhanced(numbered(6), frames, group(PlaneOrientationSequence=AXIAL, PixelMeasuresSequence=MEASURES))
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (volume.data.shape[:2], volume.phase_labels) == ((2, 3), labels)
    assert volume.data[:, :, 0, 0].tolist() == [[10 * cells.index((k, n)) for k in range(3)] for n in range(2)]


def test_d49_where_nothing_else_does_the_files_own_dimensions_tell_phases_apart(write_enhanced: Any, inline_pool: Any) -> None:
    cells = list(itertools.product((1, 0), range(3)))
    frames = [group(PlanePositionSequence=position(0, 0, 2.0 * k), FrameContentSequence=item(DimensionIndexValues=[n + 1, k + 1])) for n, k in cells]
    path = write_enhanced(numbered(6), frames, group(PlaneOrientationSequence=AXIAL, PixelMeasuresSequence=MEASURES))
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert volume.data[:, :, 0, 0].tolist() == [[30, 40, 50], [0, 10, 20]]
    assert any("dimension 1" in n.text for n in entry.notes)


def test_d49_two_directions_in_one_file_are_two_volumes(write_enhanced: Any) -> None:
    sagittal = item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    frames = [group(PlanePositionSequence=position(0, 0, 2.0 * k), PlaneOrientationSequence=AXIAL) for k in range(3)]
    frames += [group(PlanePositionSequence=position(2.0 * k, 0, 0), PlaneOrientationSequence=sagittal) for k in range(2)]
    entries = dicom.scan([write_enhanced(numbered(5), frames, group(PixelMeasuresSequence=MEASURES))]).series
    assert [(e.shape[0], e.title.rpartition(", ")[2]) for e in entries] == [(3, "axial"), (2, "sagittal")]


def test_d48_uneven_frames_lie_where_each_says(write_enhanced: Any) -> None:
    heights = [0.0, 2.0, 4.5, 6.0, 12.0]
    frames = [group(PlanePositionSequence=position(0, 0.3 * z, z)) for z in heights]
    (entry,) = dicom.scan([write_enhanced(numbered(5), frames, group(PlaneOrientationSequence=AXIAL, PixelMeasuresSequence=MEASURES))]).series
    assert entry.geometry is not None
    for k, z in enumerate(heights):
        np.testing.assert_allclose(entry.geometry.to_patient((k, 0, 0)), (0, 0.3 * z, z), atol=1e-9)


# --- D50: nuclear medicine --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [3.5, -3.5])
@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]])
def test_d50_the_sign_of_the_slice_spacing_says_where_the_frames_go(write_dicom: Any, inline_pool: Any, step: float, orientation: list[int]) -> None:
    path = write_dicom(
        "nm", numbered(4), SOPClassUID=NM, Modality="NM", ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"], SpacingBetweenSlices=step,
        ImagePositionPatient=[10, 20, 30], ImageOrientationPatient=orientation,
    )  # fmt: skip
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    normal = np.cross(orientation[:3], orientation[3:])
    for frame in range(4):
        place = np.array([10.0, 20, 30]) + normal * step * frame
        index = volume.geometry.nearest(place)
        assert index is not None
        assert volume.values[index] == 10 * frame
        np.testing.assert_allclose(volume.geometry.to_patient(index), place, atol=1e-9)


def test_d50_frames_of_a_planar_scan_lie_nowhere(write_dicom: Any) -> None:
    path = write_dicom("nm", numbered(4), SOPClassUID=NM, Modality="NM", ImageType=["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"])
    (entry,) = dicom.scan([path]).series
    assert entry.geometry is not None
    assert not entry.geometry.is_patient


# --- real files -------------------------------------------------------------------------------------------------------


def packaged(shared_data: Path, name: str) -> Path:
    """A file of pydicom-data that expected.json names."""
    import data_store

    expected = json.loads((shared_data / "expected.json").read_text())
    return Path(data_store.__file__).parent.parent / expected[f"pydicom-data:{name}"]["path_in_package"]


@pytest.mark.parametrize("name", ["emri_small.dcm", "emri_small_RLE.dcm", "emri_small_big_endian.dcm"])
def test_d48_enhanced_files_without_functional_groups_lie_nowhere(shared_data: Path, inline_pool: Any, name: str) -> None:
    path = packaged(shared_data, name)
    truth = pydicom.dcmread(path)
    assert "PerFrameFunctionalGroupsSequence" not in truth
    assert "ImagePositionPatient" not in truth
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert (entry.kind, entry.phases, volume.geometry.is_patient, volume.geometry.in_plane_known) == ("cine", 10, False, False)
    np.testing.assert_array_equal(volume.data[:, 0], truth.pixel_array)


@pytest.mark.parametrize("name", ["eCT_Supplemental.dcm", "mr_brucker.dcm"])
def test_d48_real_enhanced_files_lie_where_pydicom_says_each_frame_does(shared_data: Path, inline_pool: Any, name: str) -> None:
    path = shared_data / "single" / name if name == "mr_brucker.dcm" else packaged(shared_data, name)
    truth = pydicom.dcmread(path)
    shared = truth.SharedFunctionalGroupsSequence[0]
    entries = dicom.scan([path]).series
    cells = {}
    for entry in entries:
        volume = dicom.load(entry, pool=inline_pool)
        for phase, row in enumerate(entry.plan.slots):
            for plane, (_file, frame) in enumerate(row):
                cells[frame] = (volume, phase, plane)
    assert sorted(cells) == list(range(int(truth.NumberOfFrames)))  # every frame once
    for frame, (volume, phase, plane) in cells.items():
        own = truth.PerFrameFunctionalGroupsSequence[frame]
        place = np.array([float(c) for c in own.PlanePositionSequence[0].ImagePositionPatient])
        measures = (own if "PixelMeasuresSequence" in own else shared).PixelMeasuresSequence[0]
        turn = [float(c) for c in (own if "PlaneOrientationSequence" in own else shared).PlaneOrientationSequence[0].ImageOrientationPatient]
        rows, columns = (float(s) for s in measures.PixelSpacing)
        end = place + np.array(turn[:3]) * columns * 11 + np.array(turn[3:]) * rows * 5
        np.testing.assert_allclose(volume.geometry.to_patient((plane, 5, 11)), end, atol=0.02)
        values = (own if "PixelValueTransformationSequence" in own else shared).get("PixelValueTransformationSequence")
        slope, intercept = (float(values[0].RescaleSlope), float(values[0].RescaleIntercept)) if values else (1.0, 0.0)
        np.testing.assert_allclose(volume.phase(phase)[plane], truth.pixel_array[frame] * slope + intercept, rtol=1e-6)
