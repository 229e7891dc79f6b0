"""The journal keeps every acknowledged step through kill -9, cut logs, flipped bits and full disks, or says what is wrong."""

from __future__ import annotations

import os
import random
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from viewer.core.annotation import Annotation
from viewer.core.errors import InconsistentSeries, NegatoscopeError, SaveFailed, UnreadableFile
from viewer.core.labels import LabelLayer, Segment
from viewer.session import database
from viewer.session.document import Document, Source
from viewer.session.store import Store, restore

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from session_samples import GEOMETRY, GESTURES, make_document, make_volume  # noqa: E402


def read_made(source: Source) -> object:
    return make_volume(source.volume_id)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "journal.nego")
    yield made
    made.close(discard=True)


def annotate(document: Document, number: int) -> None:
    with document.edit("Point") as edit:
        edit.put(Annotation(f"annotation-{number}", "point", "volume-a", ((float(number), 0.0, 0.0),)))


def played(store: Store, *, seed: int = 5, gestures: int = 14) -> tuple[Document, list[str]]:
    """A document after scripted gestures, and the state at each position of its history."""
    rng = random.Random(seed)
    document = make_document(store)
    saved = [document.state_hash()]
    while len(document.history) < gestures:
        position = document.history.position
        rng.choice(GESTURES)(document, lambda below: rng.randrange(max(1, below)))
        if document.history.position > position:
            saved.append(document.state_hash())
    store.flush()
    return document, saved


# --- crashes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_after_kill_9_all_that_was_acknowledged_comes_back_and_at_most_one_gesture_more(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "journal.nego"
    child = subprocess.Popen([sys.executable, str(HERE / "journal_child.py"), str(path), str(seed)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    text, limit = b"", 0.0
    after = random.Random(seed).uniform(0.02, 0.6)
    while not limit or time.monotonic() < limit:
        if select.select([child.stdout], [], [], 0.001 if limit else 30)[0]:
            part = os.read(child.stdout.fileno(), 1 << 16)
            assert part, "the child ended by itself"
            text += part
        if b"written 0" in text and not limit:
            limit = time.monotonic() + after
    child.kill()
    text += child.stdout.read()
    child.stdout.close()
    child.wait()
    states: dict[int, tuple[int, int, str]] = {}
    written = 0
    for line in text.decode().splitlines(keepends=True):
        if line.endswith("\n") and line.startswith("state"):
            _, number, position, count, found = line.split()
            states[int(number)] = (int(position), int(count), found)
        elif line.endswith("\n"):
            written = int(line.split()[1])
    saved = [states[0][2]]  # the state at each position, as the child first saw it
    reached = 0
    for number in range(1, written + 1):
        position, count, found = states[number]
        if count > len(saved) - 1 or (position == reached + 1 == count and found not in saved):
            del saved[position:]
            saved.append(found)
        reached = position
    again = restore(path, read_made)  # type: ignore[arg-type]
    try:
        got = (again.history.position, len(again.history), again.state_hash())
        permitted = [states[n] for n in (written, written + 1) if n in states]
        assert got in permitted or (written + 1 not in states and got[1] <= states[written][1] + 1)
        if got == states[written]:
            for position in reversed(range(again.history.position)):
                again.go_to(position)
                assert again.state_hash() == saved[position]
    finally:
        again.close()


def files(path: Path, into: Path) -> Path:
    """A copy of a journal that is in use, as a crash would leave it."""
    into.mkdir(exist_ok=True)
    for suffix in ("", "-wal"):
        source = Path(f"{path}{suffix}")
        if source.exists():
            shutil.copy(source, into / source.name)
    return into / path.name


def test_a_log_cut_anywhere_gives_exactly_a_prefix(store: Store, tmp_path: Path) -> None:
    document, saved = played(store)
    whole = files(store.path, tmp_path / "copy")
    log = Path(f"{whole}-wal").read_bytes()
    head, cuts, last = whole.read_bytes(), [], -1
    rng = random.Random(3)
    cuts = sorted({0, 1, 31, 32, len(log) - 1, len(log), *(rng.randrange(len(log)) for _ in range(60))})
    for cut in cuts:
        whole.write_bytes(head)
        Path(f"{whole}-wal").write_bytes(log[:cut])
        again = restore(whole, read_made, writable=False) if cut else Document()  # type: ignore[arg-type]
        position = again.history.position
        if again.root_ids():
            assert again.state_hash() == saved[position]
        assert position >= last, "a longer log never holds less"
        last = position
    assert last == document.history.position


@pytest.mark.parametrize("orderly", [True, False], ids=["merged", "with its log"])
def test_a_flipped_bit_gives_a_state_of_the_history_or_a_named_error_never_other_voxels(tmp_path: Path, orderly: bool) -> None:
    store = Store(tmp_path / "journal.nego")
    _, saved = played(store)
    if orderly:
        store.close()
    whole = files(store.path, tmp_path / "copy")
    store.close()
    originals = {p: p.read_bytes() for p in (whole, Path(f"{whole}-wal")) if p.exists()}
    rng = random.Random(77)
    refused: list[str] = []
    for _ in range(400):
        for path in (whole, Path(f"{whole}-wal")):
            if path in originals:
                path.write_bytes(originals[path])
            else:
                path.unlink(missing_ok=True)
        victim = rng.choice([p for p in originals if originals[p]])
        data = bytearray(originals[victim])
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        victim.write_bytes(data)
        try:
            again = restore(whole, read_made, writable=False)  # type: ignore[arg-type]
        except NegatoscopeError as err:
            refused.append(str(err))
            continue
        if again.root_ids():
            assert again.state_hash() in saved
    assert refused or not orderly
    assert all("journal.nego" in text or "history" in text for text in refused)


# --- who may open it, and what is in it -----------------------------------------------------------------------------


def test_a_second_opener_is_refused_in_this_process_and_in_another(store: Store) -> None:
    with pytest.raises(UnreadableFile, match="in use"):
        Store(store.path)
    with pytest.raises(UnreadableFile, match="in use"):
        restore(store.path, read_made)  # type: ignore[arg-type]
    code = f"from pathlib import Path; from viewer.session.store import Store; Store(Path({str(store.path)!r}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "UnreadableFile: journal.nego is in use" in ended.stderr


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("PRAGMA application_id=7", "no history of this program"),
        ("PRAGMA user_version=99", "version 99"),
        ("CREATE TABLE other (a)", "another structure"),
        ("CREATE TRIGGER t AFTER INSERT ON step BEGIN DELETE FROM step; END", "another structure"),
    ],
)
def test_what_is_no_history_of_this_version_is_refused_by_name(tmp_path: Path, spoil: str, reason: str) -> None:
    path = tmp_path / "journal.nego"
    made = Store(path)
    annotate(make_document(made), 1)
    made.close()
    with sqlite3.connect(path) as db:
        db.execute(spoil)
    db.close()
    before = path.read_bytes()
    for opener in (lambda: restore(path, read_made), lambda: Store(path)):  # type: ignore[arg-type]
        with pytest.raises(UnreadableFile, match=f"journal.nego.*{reason}"):
            opener()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + b"\0" * 500])
def test_other_files_are_refused_and_left_as_they_are(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.nego"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"journal\.nego"):
        restore(path, read_made)  # type: ignore[arg-type]
    assert path.read_bytes() == content


def test_a_missing_history_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"no history gone\.nego"):
        restore(tmp_path / "gone.nego", read_made)  # type: ignore[arg-type]
    assert not (tmp_path / "gone.nego").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SaveFailed, match=r"journal\.nego cannot be made"):
        Store(tmp_path / "nowhere" / "journal.nego")


def test_the_files_are_for_the_user_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        store = Store(tmp_path / "journal.nego")
        document = make_document(store)
        annotate(document, 1)
        store.flush()
        modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert set(modes) >= {"journal.nego", "journal.nego-wal"}
    assert set(modes.values()) == {0o600}
    document.close()
    assert list(tmp_path.iterdir()) == [], "a document that is closed leaves nothing behind"


def test_steps_that_were_undone_and_replaced_leave_the_file(store: Store) -> None:
    document, _ = played(store)
    document.go_to(2)
    annotate(document, 99)
    store.flush()
    with store._reading() as db:
        steps = [row[0] for row in db.execute("SELECT number FROM step ORDER BY number")]
        orphans = db.execute("SELECT count(*) FROM chunk WHERE array NOT IN (SELECT id FROM array)").fetchone()[0]
        beyond = db.execute("SELECT count(*) FROM array WHERE step > 3").fetchone()[0]
    assert steps == [1, 2, 3]
    assert (orphans, beyond) == (0, 0)


def test_a_restored_document_goes_on_in_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.nego"
    store = Store(path)
    document, _ = played(store)
    document.undo()
    store.close()
    document.store = None
    again = restore(path, read_made)  # type: ignore[arg-type]
    annotate(again, 99)
    expected, count = again.state_hash(), len(again.history)
    assert again.store is not None
    again.store.flush()
    again.store.close()
    again.store = None
    third = restore(path, read_made)  # type: ignore[arg-type]
    assert (third.state_hash(), len(third.history)) == (expected, count)
    third.close()


def test_large_arrays_are_kept_in_several_chunks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.session.store.CHUNK_BYTES", 100)
    document = make_document(store)
    root = document.root_ids()[0]
    derived = document.current(root).derived("volume-b", make_volume(seed=4).data)
    from viewer.session.history import ItemChange

    document.commit(document.step("Derived", (ItemChange("volume", derived.id, None, derived),)))
    store.flush()
    with store._reading() as db:
        assert db.execute("SELECT count(*) FROM chunk").fetchone()[0] > 3
    copy = files(store.path, store.path.parent / "copy")
    assert restore(copy, read_made, writable=False).state_hash() == document.state_hash()  # type: ignore[arg-type]


# --- a disk that is full -------------------------------------------------------------------------------------------


def test_with_a_full_disk_editing_goes_on_and_what_waited_is_written_in_order_when_there_is_room(store: Store, tmp_path: Path) -> None:
    document = make_document(store)
    layer = LabelLayer("layer-a", "Layer", GEOMETRY, "volume-a", (Segment(1, "One", "#ff0000"),))
    with document.edit("Layer") as edit:
        edit.put(layer)
    store.flush()
    with store._reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
    rng = np.random.default_rng(1)
    for number in range(4):
        derived = document.current("volume-a").derived(f"volume-{number}", rng.integers(0, 60000, (40, *GEOMETRY.shape)).astype(np.uint16))
        from viewer.session.history import ItemChange

        document.commit(document.step("Derived", (ItemChange("volume", derived.id, None, derived),)))
    acknowledged = store.acknowledged
    with pytest.raises(SaveFailed, match=r"journal\.nego: database or disk is full"):
        store.flush()
    assert isinstance(store.error, sqlite3.OperationalError)
    assert store.acknowledged == acknowledged == 2, "only the image and the layer were written"
    assert store.behind_s > 0
    document.history_bytes = 1
    with pytest.raises(SaveFailed):
        document.trim_memory()
    assert document.undo() is True
    assert document.redo() is True
    partial = restore(files(store.path, tmp_path / "partial"), read_made, writable=False)  # type: ignore[arg-type]
    assert len(partial.history) == 1
    with store._reading() as db:
        db.execute("PRAGMA max_page_count=1000000")
    store.flush()
    assert store.error is None
    assert store.behind_s == 0
    copy = restore(files(store.path, tmp_path / "copy"), read_made, writable=False)  # type: ignore[arg-type]
    assert copy.state_hash() == document.state_hash()


def test_what_cannot_be_kept_is_an_error_that_is_told_not_a_dead_thread(store: Store) -> None:
    document = make_document(store)
    step = document.step("Odd", document.step("x", ()).changes)
    store.add_step(1, replace(step, origin=replace(step.origin, parameters={"odd": object()})))
    with pytest.raises(SaveFailed, match="cannot be kept"):
        store.flush()
    with store._reading() as db:
        assert db.execute("SELECT count(*) FROM step").fetchone()[0] == 0


def test_an_error_of_the_disk_while_reading_back_is_named(store: Store) -> None:
    document = make_document(store, history_bytes=1)
    with document.edit("Layer") as edit:
        edit.put(LabelLayer("layer-a", "Layer", GEOMETRY, "volume-a", (Segment(1, "One", "#ff0000"),)))
    for n in range(3):
        with document.edit("Stroke") as edit:
            edit.paint("layer-a", (slice(n, n + 1), slice(0, 7), slice(0, 9)), np.ones((1, 7, 9), bool), 1)
    document.trim_memory()
    before = document.state_hash()
    document.go_to(3)
    with store._reading() as db:
        db.execute("UPDATE chunk SET data = zeroblob(length(data))")
    at_three = document.state_hash()
    with pytest.raises(UnreadableFile, match="not what was written"):
        document.undo()
    assert document.history.position == 3
    assert document.state_hash() == at_three
    assert document.redo() is True
    assert document.state_hash() == before


# --- sources -----------------------------------------------------------------------------------------------------


def test_a_source_that_has_changed_since_is_refused_by_name(tmp_path: Path, inline_pool: object) -> None:
    from PIL import Image

    from viewer.io import open as io_open
    from viewer.session import opening

    picture = tmp_path / "picture.png"
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(picture)
    store = Store(tmp_path / "journal.nego")
    document = Document(store)
    entry = io_open.find([picture]).series[0]
    opening.open_entry(document, entry, inline_pool)  # type: ignore[arg-type]
    annotate(document, 1)
    expected = document.state_hash()
    store.flush()
    store.close()
    document.store = None
    again = restore(store.path, lambda source: opening.read_source(source, inline_pool), writable=False)  # type: ignore[arg-type]
    assert again.state_hash() == expected
    Image.fromarray(np.arange(48, dtype=np.uint8)[::-1].reshape(6, 8)).save(picture)
    with pytest.raises(InconsistentSeries, match=r"picture\.png has changed"):
        restore(store.path, lambda source: opening.read_source(source, inline_pool))  # type: ignore[arg-type]
    picture.unlink()
    with pytest.raises(UnreadableFile, match=r"picture\.png"):
        restore(store.path, lambda source: opening.read_source(source, inline_pool))  # type: ignore[arg-type]


def test_the_settings_of_the_file_are_those_that_survive_a_crash(store: Store) -> None:
    with store._reading() as db:
        found = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "locking_mode", "application_id", "user_version")
        }
    assert found == {
        "journal_mode": "wal", "synchronous": 2, "locking_mode": "exclusive",
        "application_id": database.APPLICATION_ID, "user_version": database.SCHEMA_VERSION,
    }  # fmt: skip
