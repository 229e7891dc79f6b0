"""Finding what can be opened: by content, in order, never outside, with a word for each file that cannot."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viewer.core.errors import OperationCancelled
from viewer.core.geometry import Geometry
from viewer.io import open as opening
from viewer.io.write import save_array

GRID = Geometry((2, 3, 4), (1, 2, 3), (3, 2, 1))
VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def study(tmp_path) -> Path:
    folder = tmp_path / "study"
    (folder / "sub").mkdir(parents=True)
    save_array(folder / "b.nrrd", VALUES, GRID)
    save_array(folder / "a.nii.gz", VALUES, GRID)
    save_array(folder / "sub" / "c.mha", VALUES, GRID)
    Image.fromarray(VALUES[0]).save(folder / "sub" / "d.png")
    (folder / "notes.txt").write_text("words")
    return folder


def test_a_folder_is_searched_in_order_and_other_files_are_counted(study):
    listing = opening.find([study])
    assert [e.title for e in listing.series] == ["a", "b", "c", "d"]
    assert [e.reader for e in listing.series] == ["nifti", "nrrd", "metaimage", "pictures"]
    assert not listing.refused
    assert [p.name for p in listing.skipped] == ["notes.txt"]


def test_content_decides_not_the_name(study, inline_pool):
    for path, name in (("a.nii.gz", "x.dcm"), ("b.nrrd", "noending"), ("sub/c.mha", "y.png"), ("sub/d.png", "z.nii")):
        (study / path).rename(study / name)
    listing = opening.find([study])
    assert {e.files[0].name: e.reader for e in listing.series} == {"x.dcm": "nifti", "noending": "nrrd", "y.png": "metaimage", "z.nii": "pictures"}
    for entry in listing.series:
        values = opening.load(entry, pool=inline_pool).values
        assert np.array_equal(values, VALUES if entry.reader != "pictures" else VALUES[:1])
        assert np.array_equal(opening.load_plane(entry, 0, 0, pool=inline_pool).values[0], values[0])


def test_ids_are_unique_and_the_same_next_time(study):
    (study / "copy").mkdir()
    (study / "copy" / "a.nii.gz").write_bytes((study / "a.nii.gz").read_bytes())
    first, second = opening.find([study]), opening.find([study])
    ids = [e.id for e in first.series]
    assert len(set(ids)) == len(ids) == 5
    assert ids == [e.id for e in second.series]


def test_a_file_named_twice_counts_once(study):
    assert len(opening.find([study / "b.nrrd", study, study / "sub"]).series) == 4


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("words.txt", b"some words", "text file"),
        ("empty.dcm", b"", "empty"),
        ("bytes", bytes(range(256)), "no kind of file"),
        ("voxels.raw", bytes(range(255, 0, -1)), "header"),
        ("half.nii.gz", b"\x1f\x8b\x08\0\0", "cut short"),
    ],
)
def test_a_file_named_itself_is_refused_with_the_reason(study, name, content, word):
    (study / name).write_bytes(content)
    listing = opening.find([study / name, study])
    assert len(listing.series) == 4
    (refusal,) = listing.refused
    assert name in refusal.reason
    assert word in refusal.reason


def test_what_is_not_there_or_empty_gets_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("x")
    listing = opening.find([tmp_path / "nothing", tmp_path / "empty", tmp_path / "text"])
    reasons = [r.reason for r in listing.refused]
    assert any("nothing: there is no such file" in r for r in reasons)
    assert any("empty: the folder is empty" in r for r in reasons)
    assert any("text: there are 1 files" in r for r in reasons)


def test_a_folder_that_may_not_be_read_is_named(study, monkeypatch):
    real = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = opening.find([study])
    assert len(listing.series) == 2
    assert "sub" in listing.refused[0].reason
    assert "permission" in listing.refused[0].reason


def test_links_that_lead_out_are_not_followed(study, tmp_path):
    save_array(tmp_path / "secret.nrrd", VALUES, GRID)
    (study / "out.nrrd").symlink_to(tmp_path / "secret.nrrd")
    (study / "around").symlink_to(study)
    (study / "up").symlink_to(tmp_path)
    (study / "broken").symlink_to(study / "no such")
    (study / "same.nrrd").symlink_to(study / "b.nrrd")
    listing = opening.find([study])
    assert len(listing.series) == 4
    assert not any(e.title == "out" for e in listing.series)


def test_pipes_are_not_waited_for(study):
    os.mkfifo(study / "pipe.dcm")
    assert len(opening.find([study]).series) == 4
    assert "not an ordinary file" in opening.find([study / "pipe.dcm"]).refused[0].reason


@pytest.mark.parametrize("name", ["umläut", "新しい", "a\nb", "\x1b]0;x\x07", "emoji🫁", os.fsdecode(b"\xff\xfe"), "x" * 200])
def test_any_name_of_a_file_works_and_reaches_no_terminal(tmp_path, inline_pool, name):
    save_array(tmp_path / f"{name}.nrrd", VALUES, GRID)
    (tmp_path / f"{name}.dcm").write_text("no image")
    listing = opening.find([tmp_path])
    assert np.array_equal(opening.load(listing.series[0], pool=inline_pool).values, VALUES)
    assert listing.refused[0].reason.isprintable()
    assert listing.series[0].title.isprintable()


def test_cancelling_stops_the_search(study):
    def cancel(done, total):
        if done == 2:
            raise OperationCancelled

    with pytest.raises(OperationCancelled):
        opening.find([study], progress=cancel)
    seen = []
    opening.find([study], progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_every_hostile_file_is_answered_as_its_note_says(tmp_path, shared_data, inline_pool):
    subprocess.run([sys.executable, shared_data / "make_bad.py", tmp_path / "bad"], check=True, capture_output=True)
    notes = json.loads((tmp_path / "bad" / "bad.json").read_text())
    for name, note in notes.items():
        if not name.endswith((".nii", ".gz", ".nhdr", ".nrrd", ".mhd", ".png")):
            continue
        listing = opening.find([tmp_path / "bad" / name])
        if note["expect"].startswith("refused with") or "WITHOUT" in note["expect"] or "before any allocation" in note["expect"]:
            assert not listing.series, name
            assert name in listing.refused[0].reason
        for entry in listing.series:
            assert opening.load(entry, pool=inline_pool).nbytes < 1 << 20
