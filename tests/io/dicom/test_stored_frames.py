"""Stored values of whole files, objects included, against figures that were decoded by hand (expected.json)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from viewer.core.errors import TooLarge, UnreadableFile
from viewer.io import gate
from viewer.io.dicom.assemble import stored_frames
from viewer.io.dicom.header import read_header

# One-bit frames: packed natively, in RLE, deflated one by one, in JPEG 2000; 23 and 510 columns do not end at a byte.
ONE_BIT = (
    "liver_rle.dcm", "liver_deflate.dcm", "liver_nonbyte_aligned_rle.dcm", "liver_nonbyte_aligned_deflate.dcm",
    "liver_nonbyte_aligned_j2k.dcm", "bitpack23x38_label.seg", "bitpack23x38_mf.dcm",
)  # fmt: skip


@pytest.mark.parametrize("name", ONE_BIT)
def test_d14_one_bit_frames_equal_those_unpacked_by_hand(shared_data: Path, inline_pool, name: str) -> None:
    want = json.loads((shared_data / "expected.json").read_text())[f"single/{name}"]["stored"]
    found = stored_frames(read_header(shared_data / "single" / name), pool=inline_pool)
    assert list(found.shape) == want["shape"]
    assert (found.min(), found.max()) == (want["min"], want["max"])
    assert hashlib.sha256(found.astype("<i4").tobytes()).hexdigest() == want["sha256"]


def test_d14_some_frames_of_one_bit_data_are_those_of_all(shared_data: Path, inline_pool) -> None:
    header = read_header(shared_data / "single" / "bitpack23x38_label.seg")
    whole = stored_frames(header, pool=inline_pool)
    assert np.array_equal(stored_frames(header, pool=inline_pool, frames=[2, 0]), whole[[2, 0]])


def test_damaged_frame_is_an_error_or_named(shared_data: Path, inline_pool, tmp_path: Path) -> None:
    header = read_header(shared_data / "single" / "liver_deflate.dcm")
    ((place, length),) = header.spans[1]
    content = bytearray(header.path.read_bytes())
    content[place : place + length] = b"\xff" * length
    path = tmp_path / "damaged.dcm"
    path.write_bytes(content)
    damaged = read_header(path)
    with pytest.raises(UnreadableFile, match=r"damaged\.dcm"):
        stored_frames(damaged, pool=inline_pool)
    failed: dict[int, str] = {}
    found = stored_frames(damaged, pool=inline_pool, failed=failed)
    assert list(failed) == [1]
    assert not found[1].any()
    assert np.array_equal(found[[0, 2]], stored_frames(header, pool=inline_pool)[[0, 2]])


def test_frames_beyond_the_memory_budget_are_refused(shared_data: Path, inline_pool) -> None:
    header = read_header(shared_data / "single" / "liver_rle.dcm")
    gate.set_limit(1 << 19)
    try:
        with pytest.raises(TooLarge, match="liver_rle"):
            stored_frames(header, pool=inline_pool)
    finally:
        gate.set_limit(None)
