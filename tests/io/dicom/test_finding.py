"""A list that grows while folders are read, cancelling, and what is remembered of files that have not changed."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viewer.core.errors import OperationCancelled
from viewer.io import open as opening
from viewer.io import remembered
from viewer.io.series import Listing

PLANE = np.arange(12, dtype=np.int16).reshape(3, 4)


@pytest.fixture(autouse=True)
def forgotten():
    remembered.forget()
    yield
    remembered.forget()


@pytest.fixture
def study(tmp_path: Path, write_dicom) -> Path:
    """Two series of 20 sections each, by turns, and a photograph."""
    for n in range(40):
        uid = f"1.2.3.{n % 2}"
        write_dicom(f"{n:03}", PLANE + n, SeriesInstanceUID=uid, ImagePositionPatient=[0, 0, float(n // 2)], SOPInstanceUID=f"{uid}.{n}")
    Image.fromarray(PLANE.astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The names of the files that are opened."""
    names: list[str] = []
    real = os.open

    def counted(path, *more, **named):
        names.append(Path(os.fsdecode(path)).name)
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", counted)
    return names


@pytest.fixture
def settled(monkeypatch) -> None:
    """Files written just now count as written long ago."""
    monkeypatch.setattr(remembered, "SETTLED_NS", -(1 << 62))


def test_the_list_grows_file_by_file_under_the_same_ids(study: Path, monkeypatch) -> None:
    monkeypatch.setattr(opening, "FIRST_WORD_S", 0.0)
    monkeypatch.setattr(opening, "NEXT_WORD_S", 0.0)
    monkeypatch.setattr(opening.time, "perf_counter", iter(range(100_000)).__next__)
    seen: list[Listing] = []
    listing = opening.find([study], found=seen.append)
    assert len(seen) > 5
    counts = [{entry.id: len(entry.files) for entry in part.series} for part in seen]
    assert sum(counts[0].values()) < 10
    for before, after in pairwise(counts):
        assert all(after.get(name, 0) >= count for name, count in before.items())
    assert {entry.id: entry.shape for entry in listing.series if entry.reader == "dicom"} == {"1.2.3.0": (20, 3, 4), "1.2.3.1": (20, 3, 4)}
    assert listing.series == opening.find([study]).series
    assert not any(part.refused for part in seen)


def test_found_waits_its_time_between_two_lists(study: Path, monkeypatch) -> None:
    clock = iter(np.arange(0, 1000, 0.01).tolist())
    monkeypatch.setattr(opening.time, "perf_counter", clock.__next__)
    times: list[float] = []
    opening.find([study], found=lambda _listing: times.append(next(clock)))
    assert times[0] >= opening.FIRST_WORD_S
    assert all(b - a >= opening.NEXT_WORD_S for a, b in pairwise(times[:-1]))


def test_progress_counts_files(study: Path) -> None:
    seen: list[tuple[int, int]] = []
    opening.find([study], progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert {total for _done, total in seen} == {41}
    assert {done for done, _total in seen} == set(range(42))


@pytest.mark.parametrize("when", [0, 1, 17])
def test_cancelling_stops_at_once(study: Path, opened: list[str], when: int) -> None:
    def stop(done: int, _total: int) -> None:
        if done == when:
            raise OperationCancelled

    with pytest.raises(OperationCancelled):
        opening.find([study], progress=stop)
    assert len([name for name in opened if name.isdigit()]) == when


def test_cancelling_from_the_growing_list_stops_too(study: Path, monkeypatch) -> None:
    monkeypatch.setattr(opening, "FIRST_WORD_S", 0.0)

    def stop(_listing: Listing) -> None:
        raise OperationCancelled

    with pytest.raises(OperationCancelled):
        opening.find([study], found=stop)


@pytest.mark.usefixtures("settled")
def test_unchanged_dicom_files_are_not_opened_again(study: Path, opened: list[str]) -> None:
    first = opening.find([study])
    assert len([name for name in opened if name.isdigit()]) >= 40
    opened.clear()
    second = opening.find([study])
    # One file of each series describes it.
    assert len([name for name in opened if name.isdigit()]) == 2
    assert second.series == first.series


@pytest.mark.usefixtures("settled")
def test_c25_a_file_replaced_at_the_same_size_and_time_is_read_again(study: Path, write_dicom) -> None:
    path = study / "000"
    before = path.stat()
    opening.find([study])
    write_dicom("000", PLANE, SeriesInstanceUID="1.2.3.0", ImagePositionPatient=[0, 0, 7.5], SOPInstanceUID="1.2.3.0.0")
    content = path.read_bytes()
    path.write_bytes(content.ljust(before.st_size, b"\0")[: before.st_size])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    places = [h.frames[0].position for e in opening.find([study]).series if e.id == "1.2.3.0" for h in e.plan.headers if h.path == path]
    assert places == [(0, 0, 7.5)]


@pytest.mark.usefixtures("settled")
def test_a_file_that_is_gone_or_broken_now_is_no_longer_what_it_was(study: Path) -> None:
    opening.find([study])
    (study / "000").unlink()
    (study / "001").write_bytes(b"\0" * 128 + b"DICM")
    listing = opening.find([study])
    assert {entry.id: len(entry.files) for entry in listing.series if entry.reader == "dicom"} == {"1.2.3.0": 19, "1.2.3.1": 19}
    assert [refusal.path.name for refusal in listing.refused] == ["001"]
    assert all(any("could not be read" in note.text for note in entry.notes) for entry in listing.series)


def test_what_was_written_a_moment_ago_is_not_remembered(study: Path) -> None:
    opening.find([study])
    assert remembered.recall(str(study / "000")) is None


@pytest.mark.usefixtures("settled")
def test_the_oldest_is_forgotten_and_nothing_goes_to_disk(study: Path, monkeypatch) -> None:
    monkeypatch.setattr(remembered, "LIMIT", 10)
    before = sorted(study.parent.rglob("*"))
    opening.find([study])
    kept = [n for n in range(40) if remembered.recall(str(study / f"{n:03}")) is not None]
    assert kept == list(range(30, 40))
    assert sorted(study.parent.rglob("*")) == before
    remembered.forget()
    assert remembered.recall(str(study / "039")) is None
