"""Windows and VOI LUTs that cannot be used: left out, said in a warning, and the image is shown all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.core.render import auto_window
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.io import dicom
from viewer.session.alone import first_state
from viewer.session.view import ViewWish
from viewer.session.windowing import window_warnings

STORED = np.arange(64, dtype=np.int16).reshape(8, 8) * 50


def load(path: Path, pool: Any) -> Volume:
    (entry,) = dicom.scan([path]).series
    return dicom.load(entry, pool=pool)


@pytest.mark.parametrize("width", ["0", "-100", "nan", "0.5"])
def test_d28_a_window_without_a_usable_width_is_said_and_the_image_is_shown(write_dicom: Any, inline_pool: Any, width: str) -> None:
    path = write_dicom("a", STORED, Modality="MR", WindowCenter="40")
    patch_width(path, width)
    volume = load(path, inline_pool)
    assert volume.windows == ()
    assert first_state(volume, ViewWish(volume.id)).window == auto_window(volume)
    assert any("width" in warning for warning in window_warnings(volume))


def test_d33_one_bad_window_leaves_the_other(write_dicom: Any, inline_pool: Any) -> None:
    volume = load(write_dicom("a", STORED, Modality="MR", WindowCenter=[40, 50], WindowWidth=[0, 300]), inline_pool)
    assert volume.windows == (Window(50, 300),)
    assert any("centre 40" in warning for warning in window_warnings(volume))


def patch_width(path: Path, width: str) -> None:
    """Put a width into the file that pydicom would not write."""
    from pydicom import config, dcmread

    with config.disable_value_validation():
        dataset = dcmread(path)
        dataset.add_new(0x00281051, "LO", width)  # its bytes are those of DS
        dataset.save_as(path)
    data = path.read_bytes().replace(b"\x28\x00\x51\x10LO", b"\x28\x00\x51\x10DS")
    path.write_bytes(data)


def table(descriptor: list[int], entries: bytes) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", descriptor)
    item.add_new(0x00283006, "OW", entries)
    item.LUTExplanation = "CURVE"
    return item


BROKEN = {
    "too few entries": table([100, 0, 8], bytes(10)),
    "no entries": table([2, 0, 8], b""),
    "no bits": table([2, 0, 0], bytes(4)),
    "too many bits": table([2, 0, 40], bytes(4)),
    "a short descriptor": table([2, 0], bytes(4)),
    "64 thousand promised": table([0, 0, 16], bytes(100)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_d32_a_broken_voi_lut_is_left_out_and_said(write_dicom: Any, inline_pool: Any, what: str) -> None:
    path = write_dicom("a", STORED, Modality="DX", WindowCenter=100, WindowWidth=200, VOILUTSequence=Sequence([BROKEN[what]]))
    volume = load(path, inline_pool)
    assert volume.voi_luts == ()
    state = first_state(volume, ViewWish(volume.id))
    assert state.window == Window(100, 200)
    assert [w for w in window_warnings(volume) if "VOI LUT" in w and "left out" in w]


def test_d32_a_broken_voi_lut_leaves_the_whole_one(write_dicom: Any, inline_pool: Any) -> None:
    good = table([4, 0, 8], bytes([0, 9, 90, 255]))
    volume = load(write_dicom("a", STORED, Modality="DX", VOILUTSequence=Sequence([BROKEN["no bits"], good])), inline_pool)
    assert [lut.table for lut in volume.voi_luts] == [(0, 9, 90, 255)]
    assert len([w for w in window_warnings(volume) if "VOI LUT" in w]) == 1
