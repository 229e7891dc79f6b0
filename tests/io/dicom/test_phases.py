"""Which images of one place belong to which phase (CONVENTIONS D54, D61, RELIABILITY C6): no stack mixes two times. Expected by arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
