"""Which images of one place belong to which phase (CONVENTIONS D54, D61, RELIABILITY C6): no stack mixes two times. Expected by arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.io import dicom
from viewer.io.series import SeriesEntry

SIZE = (3, 4)


def made(write_dicom: Any, images: list[dict[str, Any]]) -> list[SeriesEntry]:
    """Scanned files; the pixels of each are the number ``mark`` of its dictionary."""
    files: list[Path] = []
    for number, image in enumerate(images):
        elements = {"InstanceNumber": number + 1, **image}
        mark, z = elements.pop("mark"), elements.pop("z")
        files.append(write_dicom(f"{number:03d}", np.full(SIZE, mark, np.int16), ImagePositionPatient=[0.0, 0.0, float(z)], **elements))
    return list(dicom.scan(files).series)


def marks(entry: SeriesEntry, pool: Any) -> list[list[int]]:
    """The mark of each plane of each phase."""
    return [[int(plane[0, 0]) for plane in phase] for phase in dicom.load(entry, pool=pool).data]


def labels(entry: SeriesEntry) -> tuple[str, ...]:
    found: tuple[str, ...] = entry.plan.phase_labels
    return found


def notes(entry: SeriesEntry) -> str:
    return " ".join(note.text for note in entry.notes if note.topic == "series")


@pytest.mark.parametrize("lost", [[(3, 2), (3, 3), (3, 4)], [(1, 2)]], ids=["stopped scan", "lost image"])
def test_c6_phases_of_which_one_is_not_whole_do_not_mix(write_dicom: Any, inline_pool: Any, lost: list[tuple[int, int]]) -> None:
    images = [{"mark": t, "z": 5 * n, "TemporalPositionIdentifier": t} for t in range(4) for n in range(5) if (t, n) not in lost]
    whole, rest = made(write_dicom, images)
    broken = lost[0][0]
    assert marks(whole, inline_pool) == [[t] * 5 for t in range(4) if t != broken]
    assert marks(rest, inline_pool) == [[broken] * (5 - len(lost))]
    assert "Not all places are there equally often" in notes(whole)


def test_c6_a_stopped_scan_without_names_of_phases_goes_by_time(write_dicom: Any, inline_pool: Any) -> None:
    clocks = [(t, n) for t in range(3) for n in range(4) if (t, n) not in [(2, 2), (2, 3)]]
    images = [{"mark": t, "z": 5 * n, "InstanceNumber": 1, "AcquisitionTime": f"1000{10 * t + n:02d}"} for t, n in clocks]
    whole, rest = made(write_dicom, images)
    assert marks(whole, inline_pool) == [[0] * 4, [1] * 4]
    assert marks(rest, inline_pool) == [[2] * 2]


def test_d54_acquisitions_that_overlap_stay_whole(write_dicom: Any, inline_pool: Any) -> None:
    images = [{"mark": a, "z": 7 * (a - 1) + n, "AcquisitionNumber": a} for a in (1, 2) for n in range(10)]
    first, second = made(write_dicom, images)
    assert [marks(first, inline_pool), marks(second, inline_pool)] == [[[1] * 10], [[2] * 10]]
    assert [e.title.split(", ")[-1] for e in (first, second)] == ["acquisition 1", "acquisition 2"]


def test_d54_acquisitions_one_after_the_other_are_one_volume(write_dicom: Any) -> None:
    (entry,) = made(write_dicom, [{"mark": a, "z": 10 * a + n, "AcquisitionNumber": a} for a in (1, 2) for n in range(10)])
    assert entry.shape[0] == 20


@pytest.mark.parametrize(("shift", "planes"), [(0.0, (11, 3)), (0.5, (11, 3))], ids=["same places", "between"])
def test_d54_reconstructions_of_two_thicknesses_are_two_stacks(write_dicom: Any, inline_pool: Any, shift: float, planes: tuple[int, int]) -> None:
    thin = [{"mark": 1, "z": n, "SliceThickness": 1} for n in range(11)]
    thick = [{"mark": 5, "z": 5 * n + shift, "SliceThickness": 5} for n in range(3)]
    found = made(write_dicom, thin + thick)
    assert [marks(e, inline_pool) for e in found] == [[[1] * planes[0]], [[5] * planes[1]]]
    assert all(e.geometry is not None and e.geometry.between_known for e in found)


def test_d54_interleaved_packages_that_are_even_together_are_one_volume(write_dicom: Any) -> None:
    (entry,) = made(write_dicom, [{"mark": 0, "z": n, "AcquisitionNumber": 1 + n % 2} for n in range(10)])
    assert entry.shape[0] == 10


def test_d54_two_kernels_are_told_apart_by_name(write_dicom: Any) -> None:
    (entry,) = made(write_dicom, [{"mark": 0, "z": n, "ConvolutionKernel": k} for k in ("B30f", "B70f") for n in range(4)])
    assert labels(entry) == ("kernel B30f", "kernel B70f")


def test_d54_trigger_times_that_differ_from_place_to_place_go_by_their_order(write_dicom: Any, inline_pool: Any) -> None:
    images = [{"mark": t, "z": 10 * n, "TriggerTime": (40.0 + n) * t, "InstanceNumber": 9 * n + 8 - t} for n in range(3) for t in range(5)]
    (entry,) = made(write_dicom, images)
    assert marks(entry, inline_pool) == [[t] * 3 for t in range(5)]
    assert "trigger time" in notes(entry)


def test_d54_a_b_value_acquired_twice_keeps_its_name(write_dicom: Any, inline_pool: Any) -> None:
    runs = [(0.0, 1), (800.0, 2), (0.0, 3)]
    images = [{"mark": int(b) + r, "z": 5 * n, "DiffusionBValue": b, "AcquisitionTime": f"10{r:02d}{n:02d}"} for b, r in runs for n in range(4)]
    (entry,) = made(write_dicom, images)
    assert labels(entry) == ("b 0 s/mm² (1 of 2)", "b 0 s/mm² (2 of 2)", "b 800 s/mm²")
    assert marks(entry, inline_pool) == [[1] * 4, [3] * 4, [802] * 4]


def test_d54_an_image_without_a_gradient_has_none_in_its_label(write_dicom: Any) -> None:
    runs: list[tuple[float, list[float] | None]] = [(0.0, None), (500.0, [1.0, 0.0, 0.0]), (500.0, [0.0, 1.0, 0.0])]
    images = [{"mark": 0, "z": 5 * n, "DiffusionBValue": b, "DiffusionGradientOrientation": g} for b, g in runs for n in range(3)]
    (entry,) = made(write_dicom, images)
    assert labels(entry)[0] == "b 0 s/mm²"


@pytest.mark.parametrize("place_by_place", [False, True])
def test_d54_without_any_name_or_time_the_numbers_tell(write_dicom: Any, inline_pool: Any, place_by_place: bool) -> None:
    order = [(n, t) for n in range(5) for t in range(3)] if place_by_place else [(n, t) for t in range(3) for n in range(5)]
    (entry,) = made(write_dicom, [{"mark": t, "z": 5 * n} for n, t in order])
    assert marks(entry, inline_pool) == [[t] * 5 for t in range(3)]
    assert "instance number" in notes(entry)


# --- nuclear medicine: what the vectors say of the frames ---------------------------------------------------------------------


def nuclear(write_dicom: Any, kind: str, count: int, **elements: Any) -> list[SeriesEntry]:
    """One file whose frames hold their numbers."""
    pixels = np.arange(count, dtype=np.uint16)[:, None, None] * np.ones(SIZE, np.uint16)
    place = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SpacingBetweenSlices": 4.0}
    image_type = ["ORIGINAL", "PRIMARY", kind, "EMISSION"]
    path = write_dicom("nm", pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.20", Modality="NM", ImageType=image_type, **place, **elements)
    return list(dicom.scan([path]).series)


def test_d50_a_gated_tomogram_is_a_volume_for_each_time_slot(write_dicom: Any, inline_pool: Any) -> None:
    (entry,) = nuclear(write_dicom, "RECON GATED TOMO", 6, SliceVector=[1, 2, 3, 1, 2, 3], TimeSlotVector=[1, 1, 1, 2, 2, 2])
    assert marks(entry, inline_pool) == [[0, 1, 2], [3, 4, 5]]
    assert labels(entry) == ("time slot 1", "time slot 2")


def test_d50_two_energy_windows_of_a_tomogram_lie_at_the_same_places(write_dicom: Any, inline_pool: Any) -> None:
    (entry,) = nuclear(write_dicom, "RECON TOMO", 6, SliceVector=[1, 2, 3, 1, 2, 3], EnergyWindowVector=[1, 1, 1, 2, 2, 2])
    assert marks(entry, inline_pool) == [[0, 1, 2], [3, 4, 5]]
    assert entry.geometry is not None
    np.testing.assert_allclose(entry.geometry.to_patient((2, 0, 0)), (0, 0, 8))


def test_d50_a_dynamic_scan_is_a_cine_for_each_detector(write_dicom: Any, inline_pool: Any) -> None:
    first, second = nuclear(write_dicom, "DYNAMIC", 6, DetectorVector=[1, 2] * 3, TimeSliceVector=[1, 1, 2, 2, 3, 3])
    assert [marks(first, inline_pool), marks(second, inline_pool)] == [[[0], [2], [4]], [[1], [3], [5]]]
    assert labels(first) == ("time slice 1", "time slice 2", "time slice 3")
    assert [e.title.split(", ")[-1] for e in (first, second)] == ["detector 1", "detector 2"]


def test_d50_views_of_two_detectors_are_labelled(write_dicom: Any) -> None:
    (entry,) = nuclear(write_dicom, "WHOLE BODY", 2, DetectorVector=[1, 2])
    assert labels(entry) == ("detector 1", "detector 2")


def test_d53_the_four_views_of_a_mammogram_are_named_by_side_and_view(write_dicom: Any) -> None:
    views = [(side, view) for view in ("CC", "MLO") for side in ("L", "R")]
    images = [{"mark": 0, "z": 0, "ImageLaterality": side, "ViewPosition": view, "Modality": "MG"} for side, view in views]
    found = made(write_dicom, [{**image, "ImageOrientationPatient": None} for image in images])
    assert [e.title.split(", ")[-1] for e in found] == ["L CC", "R CC", "L MLO", "R MLO"]


def test_c6_a_stopped_enhanced_scan_goes_by_its_dimensions(write_dicom: Any, inline_pool: Any) -> None:
    places = [(t, n) for t in (1, 2, 3) for n in (1, 2, 3) if (t, n) != (3, 3)]
    groups = []
    for t, n in places:
        group, content, position = Dataset(), Dataset(), Dataset()
        content.DimensionIndexValues, position.ImagePositionPatient = [n, t], [0.0, 0.0, 3.0 * n]
        group.FrameContentSequence, group.PlanePositionSequence = Sequence([content]), Sequence([position])
        groups.append(group)
    pixels = np.asarray([t for t, _n in places], np.int16)[:, None, None] * np.ones(SIZE, np.int16)
    path = write_dicom(
        "mr",
        pixels,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        Modality="MR",
        ImagePositionPatient=None,
        PerFrameFunctionalGroupsSequence=Sequence(groups),
    )
    whole, rest = dicom.scan([path]).series
    assert [marks(whole, inline_pool), marks(rest, inline_pool)] == [[[1] * 3, [2] * 3], [[3] * 2]]


def test_d61_a_second_file_of_one_uid_that_is_no_copy_is_said(write_dicom: Any) -> None:
    images = [{"mark": 0, "z": 3 * n, "SOPInstanceUID": f"1.2.{n}", "InstanceNumber": n} for n in range(3)]
    (copied,) = made(write_dicom, [*images, images[1]])
    (changed,) = made(write_dicom, [*images, {**images[1], "ContentTime": "120000"}])
    assert not any("not the same file" in text for text in copied.warnings)
    assert any("1 of them is not the same file" in text for text in changed.warnings)
