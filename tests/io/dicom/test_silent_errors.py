"""Values that came out wrong in other programs without a word (RELIABILITY C 8, 9, 11 to 13)."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.core.volume import Volume
from viewer.io import dicom
from viewer.io.write import save_volume
from viewer.session.alone import first_state
from viewer.session.view import ViewWish

GREY = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}


def load(path: Path | list[Path], pool) -> Volume:
    (entry,) = dicom.scan(path if isinstance(path, list) else [path]).series
    return dicom.load(entry, pool=pool)


def mean_of(volume: Volume) -> float | None:
    ellipse = Annotation("a", "ellipse", volume.id, ((8.0, 4.0, 1.0), (14.0, 4.0, 1.0), (8.0, 6.0, 1.0)))
    return next(m.value for m in measure_annotation(ellipse, volume).measures if m.name == "Mean")


def test_c8_a_region_has_the_same_mean_after_loading_in_any_order_a_hundred_times(write_dicom, inline_pool) -> None:
    stored = np.random.default_rng(8).integers(0, 4096, (3, 16, 16)).astype(np.uint16)
    files = [write_dicom(f"{n}", stored[n], ImagePositionPatient=[0, 0, n], RescaleSlope=7, RescaleIntercept=-1024) for n in range(3)]
    down, across = np.mgrid[:16, :16]
    inside = ((down * 0.5 - 4) / 2) ** 2 + ((across * 2.0 - 8) / 6) ** 2 <= 1
    expected = (stored[1][inside] * 7.0 - 1024).mean()
    orders = list(itertools.permutations(files))[::2]
    for turn in range(100):
        (entry,) = dicom.scan(list(orders[turn % 3])).series
        volume = dicom.load(entry, pool=inline_pool)
        if turn % 2:
            first_state(volume, ViewWish(volume.id))  # shown first, measured then
        assert mean_of(volume) == pytest.approx(expected, rel=1e-12)


def test_c9_the_rescale_of_an_mr_image_gives_values_and_is_told(write_dicom, inline_pool) -> None:
    stored = np.array([[0, 100, 4000]], dtype=np.uint16)
    volume = load(write_dicom("a", stored, RescaleSlope=2.5, RescaleIntercept=-10, **GREY), inline_pool)
    assert volume.values[0, 0].tolist() == [-10, 240, 9990]
    assert any("2.5 x stored value" in n.text for n in volume.notes)
    assert any(n.topic == "unit" and "names none" in n.text for n in volume.notes)


@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("signed", [False, True])
def test_c11_c12_the_ends_of_every_depth_are_exact_with_rubbish_above_them(write_dicom, inline_pool, bits: int, signed: bool) -> None:
    ends = [-(1 << (bits - 1)), -1, 0, (1 << (bits - 1)) - 1] if signed else [0, 1, (1 << bits) - 1]
    for noise in (0, 0xFFFF << bits):
        words = np.array([[(end & ((1 << bits) - 1)) | (noise & 0xFFFF) for end in ends]], dtype=np.uint16)
        name = f"{noise}"
        volume = load(write_dicom(name, words, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=int(signed), **GREY), inline_pool)
        assert volume.values[0, 0].tolist() == ends


@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz", ".mha"])
@pytest.mark.parametrize(
    ("kind", "slope", "intercept"),
    [(np.int16, 1, 0), (np.uint16, 1, 0), (np.uint16, 1, -1024), (np.int16, -1, 0), (np.uint16, 3, -7), (np.int16, 0.5, 0)],
)
def test_c13_extremes_survive_every_conversion(write_dicom, inline_pool, tmp_path: Path, ending: str, kind, slope: float, intercept: float) -> None:
    limits = np.iinfo(kind)
    stored = np.array([[limits.min, limits.min + 1, 0, limits.max - 1, limits.max]], dtype=kind)
    volume = load(write_dicom("a", stored, RescaleSlope=slope, RescaleIntercept=intercept, **GREY), inline_pool)
    expected = stored[0].astype(float) * slope + intercept
    assert volume.values[0, 0].astype(float).tolist() == expected.tolist()
    out = tmp_path / f"o{ending}"
    save_volume(out, volume)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(out))).ravel().astype(float).tolist() == expected.tolist()
