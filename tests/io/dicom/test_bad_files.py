"""Broken and hostile files cost a sentence that names them, little time and little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from viewer.core.errors import NegatoscopeError
from viewer.io import dicom
from viewer.io.series import SeriesEntry
from viewer.jobs.pool import Pool

UNKNOWN_SPACING = ("zero_spacing.dcm", "negative_spacing.dcm", "nan_spacing.dcm", "text_spacing.dcm", "one_value_spacing.dcm")


@pytest.fixture
def bad(shared_data: Path, tmp_path: Path) -> Path:
    subprocess.run([sys.executable, str(shared_data / "make_bad.py"), str(tmp_path / "bad")], check=True, capture_output=True)
    return tmp_path / "bad"


def said_when_loaded(entry: SeriesEntry, pool: Pool) -> str:
    """The file that the sentence names, "" if there was no error; any other exception goes through."""
    try:
        dicom.load(entry, pool=pool)
    except NegatoscopeError as err:
        return next((f.name for f in entry.files if f.name in str(err)), f"no file named: {err}")
    return ""


def test_each_costs_a_sentence_or_a_warning_and_no_memory(bad: Path, inline_pool) -> None:
    notes = json.loads((bad / "bad.json").read_text())
    dicom.scan([bad / "text.dcm"])
    tracemalloc.start()
    for name, note in notes.items():
        if not name.endswith(".dcm"):
            continue
        listing = dicom.scan([bad / name])
        assert len(listing.series) + len(listing.refused) == 1, name
        for refusal in listing.refused:
            assert name in refusal.reason
            assert refusal.reason.endswith(".")
        for entry in listing.series:
            if note["expect"].startswith("refused with"):
                assert entry.warnings, name
            assert said_when_loaded(entry, inline_pool) in ("", name)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6


def test_bad_spacing_is_unknown_with_a_word(bad: Path) -> None:
    for name in UNKNOWN_SPACING:
        (entry,) = dicom.scan([bad / name]).series
        assert not entry.geometry.in_plane_known
        assert entry.geometry.unit == "px"
        assert any("spacing" in w for w in entry.warnings)


def test_no_geometry_has_no_letters(bad: Path) -> None:
    (entry,) = dicom.scan([bad / "no_geometry.dcm"]).series
    assert not entry.geometry.is_patient


def test_unknown_syntax_is_named_by_its_uid(bad: Path) -> None:
    (refusal,) = dicom.scan([bad / "unknown_syntax.dcm"]).refused
    assert "1.2.3.4.5.6.7.8.9" in refusal.reason


def test_bad_files_do_not_stop_a_series(bad: Path, shared_data: Path) -> None:
    names = ("text.dcm", "truncated_pixels.dcm", "nesting_bomb.dcm", "random_after_dicm.dcm")
    listing = dicom.scan([*(bad / n for n in names), *sorted((shared_data / "mr_head_t1").iterdir())])
    assert [e.shape[0] for e in listing.series] == [24]
    assert [r.path.name for r in listing.refused] == list(names)


def test_window_of_zero_width_is_dropped(bad: Path, inline_pool) -> None:
    (entry,) = dicom.scan([bad / "window_zero.dcm"]).series
    assert dicom.load(entry, pool=inline_pool).windows == ()


def test_whole_frames_of_a_cut_file_are_shown_and_said(write_dicom, inline_pool) -> None:
    frames = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3)
    path = write_dicom("cut.dcm", frames, Modality="US", ImagePositionPatient=None)
    path.write_bytes(path.read_bytes()[:-9])  # the last frame and half of the one before
    (entry,) = dicom.scan([path]).series
    volume = dicom.load(entry, pool=inline_pool)
    assert np.array_equal(volume.data[:, 0], frames[:2])
    assert "INCOMPLETE" in volume.badges
    assert any("2 of 4" in w for w in volume.warnings)


def test_file_that_shrank_since_it_was_found_is_named(write_dicom, inline_pool) -> None:
    path = write_dicom("shrunk.dcm", np.zeros((8, 8), np.int16))
    (entry,) = dicom.scan([path]).series
    os.truncate(path, path.stat().st_size - 20)
    with pytest.raises(NegatoscopeError, match=r"shrunk\.dcm"):
        dicom.load(entry, pool=inline_pool)


def test_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "folder.dcm").mkdir()
    (refusal,) = dicom.scan([tmp_path / "folder.dcm"]).refused
    assert "folder.dcm" in refusal.reason


@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_are_opened_or_refused(shared_data: Path, tmp_path: Path, inline_pool, seed: int) -> None:
    source = (
        bytearray((shared_data / "single" / "NM1_RLE").read_bytes()[:20000]),
        bytearray((shared_data / "single" / "bitpack23x38_mf.dcm").read_bytes()),
    )
    random = np.random.default_rng(seed)
    path = tmp_path / "mutated.dcm"
    for _round in range(60):
        content = bytearray(source[int(random.integers(2))])
        for _change in range(int(random.integers(1, 6))):
            content[int(random.integers(132, min(len(content), 4000)))] = int(random.choice([0, 0xFF, random.integers(256)]))
        path.write_bytes(content)
        for entry in dicom.scan([path]).series:
            assert said_when_loaded(entry, inline_pool) in ("", path.name)


def test_sniffing_goes_by_content(shared_data: Path) -> None:
    for path in sorted((shared_data / "single").iterdir()):
        assert dicom.looks_like(path.read_bytes()[:1024]), path.name
    for path in (
        shared_data / "README.md",
        shared_data / "expected.json",
        *sorted((shared_data / "nifti_nrrd").iterdir()),
        shared_data / "make_bad.py",
    ):
        assert not dicom.looks_like(path.read_bytes()[:1024]), path.name
