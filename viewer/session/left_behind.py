"""Journals of sessions that ended without closing what was open: found, and removed on the user's word."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def remove_left_behind(folder: Path, *, besides: Path | None = None) -> int:
    """Remove the journals in a folder that no process writes; how many there were.

    Parameters
    ----------
    folder : Path
        It need not exist. Files of other users are left alone.
    besides : Path, optional
        One that stays.
    """
    gone = 0
    for path in folder.glob("*.nego"):
        if path != besides and path.stat().st_uid == folder.stat().st_uid and not _is_in_use(path):
            for end in ("", "-wal", "-shm"):  # what SQLite keeps beside a file that was not closed
                path.with_name(path.name + end).unlink(missing_ok=True)
            gone += 1
    return gone


def _is_in_use(path: Path) -> bool:
    """Whether a journal is being written; one that is damaged is not."""
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
    except sqlite3.Error as err:
        return err.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False
