from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from viewer.io import open as io_open
from viewer.session.arriving import Arriving

FRAMES = 3


@pytest.fixture
def cine(tmp_path: Path) -> Path:
    """A real palette image as a cine of three frames, each darker in its stored indices."""
    ds = pydicom.dcmread(str(get_testdata_file("examples_palette.dcm")))
    stored = np.frombuffer(ds.PixelData, np.uint8 if ds.BitsAllocated == 8 else np.uint16)[: ds.Rows * ds.Columns]
    ds.NumberOfFrames = FRAMES
    ds.PixelData = b"".join((stored // (number + 1)).astype(stored.dtype).tobytes() for number in range(FRAMES))
    path = tmp_path / "palette.dcm"
    ds.save_as(path, enforce_file_format=True)
    return path


def test_d41_a_palette_cine_is_shown_while_it_is_read_and_each_frame_keeps_its_indices(cine: Path, inline_pool: Any) -> None:
    (entry,) = io_open.find([cine]).series
    whole = io_open.load(entry, pool=inline_pool)
    assert whole.indices is not None and whole.phases == FRAMES
    arriving = Arriving(entry)
    arriving.take(1, 0, io_open.load_plane(entry, 0, 1, pool=inline_pool))
    assert arriving.volume(arriving.id).phases == FRAMES
    arriving.take_whole(whole)
    shown = arriving.plane(2, 0)
    assert shown is not None and shown.indices is not None
    assert np.array_equal(shown.indices[0, 0], pydicom.dcmread(cine).pixel_array[2])
