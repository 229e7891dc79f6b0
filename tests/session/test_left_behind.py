"""Journals that a crash left are removed whole; those that are being written stay."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from viewer.session.left_behind import remove_left_behind


def journal(path: Path) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE step (text TEXT)")
    return path


def test_r12_nothing_of_a_journal_stays_also_of_one_that_is_damaged(tmp_path: Path) -> None:
    whole, damaged = journal(tmp_path / "whole.nego"), tmp_path / "damaged.nego"
    damaged.write_bytes(b"no database at all " * 400)
    for path in (whole, damaged):
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).write_bytes(b"Doe^John" * 8)
    (tmp_path / "other.txt").write_text("not ours")
    assert remove_left_behind(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_journals_that_are_written_and_the_own_one_stay(tmp_path: Path) -> None:
    own, used = journal(tmp_path / "own.nego"), journal(tmp_path / "used.nego")
    with closing(sqlite3.connect(used, isolation_level=None)) as writer:
        writer.execute("PRAGMA locking_mode=EXCLUSIVE")
        writer.execute("INSERT INTO step VALUES ('half')")
        assert remove_left_behind(tmp_path, besides=own) == 0
    assert own.exists() and used.exists()


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert remove_left_behind(tmp_path / "journals") == 0
