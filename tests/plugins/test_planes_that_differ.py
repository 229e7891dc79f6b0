"""What a model is fed of a series whose files differ in VOI LUT, window or padding: each plane's own, held against pydicom and numpy."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import card_with

from plugins.classify import feeding, fitness
from plugins.classify.levels import Levels
from plugins.classify.telling import _of_file
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.window import VoiLut, Window
from viewer.io import open as opening
from viewer.jobs.pool import Pool
from viewer.session.apply import Scope, image_of

STORED = np.random.default_rng(5).integers(0, 64, (3, 8, 8)).astype(np.int16)
CURVES = (np.arange(64) ** 2, 4095 - 60 * np.arange(64), np.full(64, 7).cumsum() % 4096)
FIXED = {"kind": "range", "low": -100.0, "high": 100.0}


def lut(entries: Any) -> Sequence:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries), 0, 12])
    item.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return Sequence([item])


def series(folder: Path, stored: np.ndarray, *of_planes: dict[str, Any]) -> list[Path]:
    found = []
    for n, more in enumerate(of_planes):
        made = Dataset()
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        values = {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "SOPInstanceUID": generate_uid(), "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4",
            "Modality": "MR", "PatientID": "P", "InstanceNumber": n + 1, "ImagePositionPatient": [0, 0, n], "PixelSpacing": [1, 1],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "Rows": 8, "Columns": 8, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1, **more,
        }  # fmt: skip
        for keyword, value in values.items():
            setattr(made, keyword, value)
        made.PixelData = stored[n].tobytes()
        made["PixelData"].VR = "OW"
        made.save_as(folder / f"{n}.dcm", enforce_file_format=True)
        found.append(folder / f"{n}.dcm")
    return found


def opened(files: list[Path], pool: Pool, scope: Scope | None = None) -> Image:
    (entry,) = opening.find(files).series
    volume = opening.load(entry, pool=pool)
    # In memory they are bytes, which would go in as they are.
    return image_of(replace(volume, data=volume.data.astype(np.int16)), Scope() if scope is None else scope)


def fed(card: Any, image: Image, plane: int = 0) -> np.ndarray:
    return np.asarray(feeding.plane_input(card, image, plane))


def by_pydicom(path: Path) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    return np.asarray(apply_voi_lut(dataset.pixel_array.astype(np.int64), dataset) * (255 / 4095))


@pytest.mark.parametrize("curves", [(0, 1, 2), (0, None, 2), (None, 1, None)], ids=str)
def test_d32_each_plane_goes_through_the_voi_lut_or_window_of_its_own_file(tmp_path: Path, inline_pool: Pool, curves: tuple[Any, ...]) -> None:
    of_planes = [{"VOILUTSequence": lut(CURVES[c])} if c is not None else {"WindowCenter": 20, "WindowWidth": 31} for c in curves]
    files = series(tmp_path, STORED, *of_planes)
    image = opened(files, inline_pool)
    for n, curve in enumerate(curves):
        # PS3.3 C.11.2.1.2.1 by hand.
        straight = np.clip(((STORED[n] - 19.5) / 30 + 0.5) * 255, 0, 255)
        expected = straight if curve is None else by_pydicom(files[n])
        assert fed(card_with(), image, n)[0] == pytest.approx(expected, abs=1e-3), n
        alone = opened(files, inline_pool, Scope("slice", 0, n))
        assert fed(card_with(), alone)[0] == pytest.approx(expected, abs=1e-3), "and as a slice"
    said = _of_file(feeding.Feed(card_with(), image))
    assert said == ("VOI LUT of each plane’s own file" if None not in curves else "VOI LUT or window of each plane’s own file")
    assert not any("differ" in words for words in fitness.warnings(card_with(), image))


def test_d32_a_plane_without_any_goes_by_percentiles_and_the_report_says_so(tmp_path: Path, inline_pool: Pool) -> None:
    image = opened(series(tmp_path, STORED, {"VOILUTSequence": lut(CURVES[0])}, {"VOILUTSequence": lut(CURVES[1])}, {}), inline_pool)
    low, high = np.percentile(STORED[2], (1, 99))
    assert fed(card_with(), image, 2)[0] == pytest.approx(np.clip((STORED[2] - low) / (high - low) * 255, 0, 255), abs=1e-3)
    assert _of_file(feeding.Feed(card_with(), image)) == "VOI LUT or window of each plane’s own file, else percentiles 1 to 99"


@pytest.mark.parametrize("kind", ["voi", "window"])
def test_planes_that_go_in_together_through_one_of_several_windows_are_warned_of(tmp_path: Path, inline_pool: Pool, kind: str) -> None:
    of_planes = [{"VOILUTSequence": lut(curve)} if kind == "voi" else {"WindowCenter": 9 + n, "WindowWidth": 31} for n, curve in enumerate(CURVES)]
    image = opened(series(tmp_path, STORED, *of_planes), inline_pool)
    block = {"planes": "neighbours", "channels": 3}

    def warned(**parts: Any) -> bool:
        return any("The planes differ" in words for words in fitness.warnings(card_with(**parts), image))

    assert warned(input=block)
    assert not warned(input=block, values=FIXED), "values that no window of a file touches"
    assert not warned(), "each plane through its own"
    same = replace(image, plane_windows=())
    assert not any("The planes differ" in words for words in fitness.warnings(card_with(input=block), same))


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("kind", ["voi", "window"])
def test_a_slice_across_planes_that_differ_goes_through_the_middle_one_and_is_warned_of(
    tmp_path: Path, inline_pool: Pool, kind: str, axis: int
) -> None:  # fmt: skip
    of_planes = [{"VOILUTSequence": lut(curve)} if kind == "voi" else {"WindowCenter": 9 + n, "WindowWidth": 31} for n, curve in enumerate(CURVES)]
    files = series(tmp_path, STORED, *of_planes)

    def warned(image: Image, **parts: Any) -> bool:
        return any("This slice lies across planes" in words for words in fitness.warnings(card_with(**parts), image))

    image = opened(files, inline_pool, Scope("slice", axis, 3))
    across = np.take(STORED, 3, axis)
    middle = CURVES[1][across.astype(np.int64)] * 255 / 4095 if kind == "voi" else np.clip(((across - 9.5) / 30 + 0.5) * 255, 0, 255)
    assert fed(card_with(input={"height": "any", "width": "any"}), image)[0] == pytest.approx(middle, abs=1e-3)
    assert warned(image)
    assert not warned(image, values=FIXED), "values that no window of a file touches"
    assert not warned(opened(files, inline_pool, Scope("slice", 0, 1))), "a plane has its own"
    (tmp_path / "alike").mkdir()
    alike = series(tmp_path / "alike", STORED, *[of_planes[0]] * 3)
    assert not warned(opened(alike, inline_pool, Scope("slice", axis, 3)))


def test_a_picture_that_goes_back_to_values_takes_no_curve_of_a_plane() -> None:
    image = Image(STORED, Geometry(STORED.shape), plane_windows=(VoiLut(0, (0, 15), 4), Window(9, 3), None))
    card = card_with()
    back = Levels(replace(card, task="image"), image)
    assert [back.of_file(n) for n in range(3)] == [None, Window(9, 3), None]
    assert [Levels(card, image).of_file(n) for n in range(3)] == list(image.plane_windows)


def test_d15_padding_of_each_planes_own_file_goes_in_at_the_lower_end(tmp_path: Path, inline_pool: Pool) -> None:
    stored = np.random.default_rng(6).integers(1, 90, STORED.shape).astype(np.int16)
    paddings = (0, -50, 95)
    for n, value in enumerate(paddings):
        stored[n, :4] = value
    stored[1, 7] = 95  # true here, padding on the plane after it
    files = series(tmp_path, stored, *({"PixelPaddingValue": value} for value in paddings))
    image = opened(files, inline_pool)
    for n in range(3):
        expected = np.clip((stored[n] + 100) / 200 * 255, 0, 255)
        expected[:4] = 0
        assert fed(card_with(values=FIXED), image, n)[0] == pytest.approx(expected, abs=1e-3), n
        low, high = np.percentile(stored[n, 4:], (1, 99))
        spread = np.clip((stored[n] - low) / (high - low) * 255, 0, 255)
        spread[:4] = 0
        assert fed(card_with(values={"kind": "percentiles"}), image, n)[0] == pytest.approx(spread, abs=1e-3), n
