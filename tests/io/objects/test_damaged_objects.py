"""Segmentations and structure sets with flipped, cut and hostile bytes: a sentence each time, never a crash, never another result unsaid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.io.objects.object_samples import Frame, Grid, contour, parts, write_image, write_segmentation, write_structures
from viewer.core.errors import NegatoscopeError, TooLarge
from viewer.core.geometry import Geometry
from viewer.io import open as io_open
from viewer.io.objects.layers import SegmentSet
from viewer.io.objects.read import read_segments
from viewer.io.objects.referring import series_for
from viewer.jobs.pool import Pool

GRID = Grid()


def write_both(folder: Path) -> list[Path]:
    write_image(folder / "ct", GRID)
    frames = [
        Frame((np.indices(GRID.shape[1:]).sum(axis=0) % 3 == 0).astype(np.uint8), GRID.place(k, 0, 0), segment=n) for n in (1, 2) for k in range(4)
    ]
    seg = write_segmentation(folder / "seg.dcm", frames, GRID)
    square = np.array([GRID.place(2, *corner) for corner in ((1.5, 1.5), (1.5, 10.5), (8.5, 10.5), (8.5, 1.5))])
    return [seg, write_structures(folder / "rt.dcm", [("A", [contour(square)]), ("B", [contour(square + 1.0)])])]


def outcome(folder: Path, path: Path, content: bytes, geometry: Geometry, pool: Pool) -> SegmentSet | str | None:
    """What comes of a damaged file: segments, a sentence, or nothing listed under its kind."""
    damaged = folder / "damaged.dcm"
    damaged.write_bytes(content)
    listing = io_open.find([damaged, folder / "ct"])
    entry = next((e for e in listing.series if e.object_kind in ("segmentation", "structures")), None)
    if entry is None:
        assert listing.refused or len(listing.series) > 1 or listing.skipped
        return None
    try:
        series_for(entry, listing.series)
        return read_segments(entry, geometry, pool=pool)
    except NegatoscopeError as error:
        said = str(error)
    assert said.endswith("."), said
    assert "\n" not in said
    return said


@pytest.mark.parametrize("number", [0, 1])
def test_flipped_bytes_cost_a_sentence_at_most(tmp_path: Path, inline_pool: Pool, number: int) -> None:
    path = write_both(tmp_path)[number]
    _object, image = parts(path, tmp_path / "ct")
    assert image.geometry is not None
    whole = path.read_bytes()
    random = np.random.default_rng(number)
    sentences = 0
    for _round in range(150):
        content = bytearray(whole)
        for place in random.integers(132, len(whole), random.integers(1, 4)):
            content[place] = random.integers(0, 256)
        sentences += isinstance(outcome(tmp_path, path, bytes(content), image.geometry, inline_pool), str)
    assert sentences, "some of these files must have been refused"


@pytest.mark.parametrize("number", [0, 1])
def test_files_that_end_early_never_show_a_part_as_the_whole(tmp_path: Path, inline_pool: Pool, number: int) -> None:
    path = write_both(tmp_path)[number]
    _object, image = parts(path, tmp_path / "ct")
    assert image.geometry is not None
    whole = path.read_bytes()
    complete = outcome(tmp_path, path, whole, image.geometry, inline_pool)
    assert isinstance(complete, SegmentSet)
    for end in np.linspace(140, len(whole) - 1, 60).astype(int):
        found = outcome(tmp_path, path, whole[:end], image.geometry, inline_pool)
        if isinstance(found, SegmentSet) and found.voxels != complete.voxels:
            assert any(note.is_warning for note in found.notes)


def test_rows_that_no_memory_holds_are_refused_before_anything_is_allocated(
    tmp_path: Path, inline_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "ct", GRID)
    path = write_segmentation(tmp_path / "seg.dcm", [Frame(np.ones(GRID.shape[1:], np.uint8), GRID.place(0, 0, 0))], GRID)
    dataset = pydicom.dcmread(path)
    dataset.Rows = dataset.Columns = 65535
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.5"
    dataset.PixelData = pydicom.encaps.encapsulate([b"\x01\0\0\0\x40\0\0\0" + bytes(56) + b"\x81\x00" * 20])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    from viewer.io import gate

    monkeypatch.setattr(gate, "free", lambda: 1 << 30)
    entry = next(e for e in io_open.find([path]).series if e.object_kind)
    with pytest.raises(TooLarge, match=r"seg\.dcm: this needs 4\.0 GiB"):
        read_segments(
            entry, Geometry((1, 65535, 65535), spacing=(3.0, 0.5, 2.0), origin=GRID.origin, frame_uid=entry.plan.header.frame_uid), pool=inline_pool
        )
