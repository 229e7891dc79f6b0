"""The file of a history: its tables, how it is opened, and the checksums that every row carries."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer.core.errors import SaveFailed, UnreadableFile
from viewer.core.words import _
from viewer.session import codec
from viewer.session.history import Step
from viewer.session.packing import Packed, unpack

if TYPE_CHECKING:
    from viewer.session.document import Source

APPLICATION_ID = 0x4E45474F  # "NEGO"
SCHEMA_VERSION = 1
CHUNK_BYTES = 64 << 20
# SQLite checks the frames of its log, but not the pages of its file: every row carries a checksum of ours.
_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    "CREATE TABLE source (volume_id TEXT PRIMARY KEY, number INTEGER NOT NULL, json TEXT NOT NULL, crc INTEGER NOT NULL)",
    "CREATE TABLE step (number INTEGER PRIMARY KEY, id TEXT NOT NULL, json TEXT NOT NULL, crc INTEGER NOT NULL)",
    (
        "CREATE TABLE array (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, shape TEXT NOT NULL, dtype TEXT NOT NULL, "
        "split INTEGER NOT NULL, crc INTEGER NOT NULL, nbytes INTEGER NOT NULL)"
    ),
    "CREATE TABLE chunk (array INTEGER NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (array, number))",
)


def open_database(path: Path) -> sqlite3.Connection:
    """Open a history's file with our settings; nothing is written before it has shown itself to be one.

    Raises UnreadableFile when another process holds it, or when it is no history of this program.
    """
    return _open(path, is_new=False)


def open_or_create(path: Path) -> sqlite3.Connection:
    """As :func:`open_database`; a file that is missing or empty is made. Raises SaveFailed when it cannot be."""
    is_new = not path.exists() or path.stat().st_size == 0
    if is_new:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # before SQLite would make it readable for others
        except OSError as err:
            raise SaveFailed(_("The history {name} cannot be made: {reason}.").format(name=path.name, reason=err.strerror)) from err
    db = _open(path, is_new=is_new)
    os.chmod(path, 0o600)
    return db


def _open(path: Path, *, is_new: bool) -> sqlite3.Connection:
    if not path.is_file():
        raise UnreadableFile(_("There is no history {name}.").format(name=path.name))
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        db.execute("PRAGMA foreign_keys=ON")
        if not is_new:
            _check_schema(db, path)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
        if is_new:
            _create(db)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # whatever becomes of the log, the file says what it is
        return db
    except (sqlite3.Error, UnicodeDecodeError, UnreadableFile) as err:
        if db is not None:
            db.close()
        if isinstance(err, UnreadableFile):
            raise
        if "locked" in str(err):
            raise UnreadableFile(_("{name} is in use by another window or process; close that first.").format(name=path.name)) from err
        raise UnreadableFile(_("{name} cannot be opened as a history: {reason}.").format(name=path.name, reason=err)) from err


def read_all(db: sqlite3.Connection, path: Path) -> tuple[list[Source], list[Step], int]:
    """Sources, steps and position, every row checked. Raises UnreadableFile naming the damaged one."""
    from viewer.session.document import Source

    sources: list[Source] = []
    for volume_id, number, text, crc in db.execute("SELECT volume_id, number, json, crc FROM source ORDER BY number").fetchall():
        if row_crc(volume_id, number, text) != crc:
            raise UnreadableFile(_("{name} is damaged: image {number} is not what was written.").format(name=path.name, number=number + 1))
        fields = json.loads(text)
        sources.append(Source(volume_id, tuple(Path(f) for f in fields["files"]), fields["series_id"], fields["fingerprint"], fields.get("how", "")))
    steps: list[Step] = []
    for number, step_id, text, crc in db.execute("SELECT number, id, json, crc FROM step ORDER BY number").fetchall():
        if number != len(steps) + 1 or step_crc(db, number, step_id, text) != crc:
            raise UnreadableFile(_("{name} is damaged: step {number} is not what was written.").format(name=path.name, number=len(steps) + 1))
        steps.append(codec.decode(text, lambda array, packed: read_array(db, array, packed)))
    row = db.execute("SELECT value, crc FROM meta WHERE key = 'position'").fetchone()
    if row is not None and row_crc("position", row[0]) != row[1]:
        raise UnreadableFile(_("{name} is damaged: the place in the history is not what was written.").format(name=path.name))
    position = int(row[0]) if row is not None else 0
    if position > len(steps):
        raise UnreadableFile(_("{name} is damaged: {missing} steps are missing.").format(name=path.name, missing=position - len(steps)))
    return sources, steps, position


def row_crc(*parts: object) -> int:
    """Checksum of a row's fields."""
    return zlib.crc32("|".join(map(str, parts)).encode())


def step_crc(db: sqlite3.Connection, number: int, step_id: str, text: str) -> int:
    """Over a step's row and the descriptions of its arrays, which carry the checksums of their bytes."""
    rows = db.execute("SELECT id, shape, dtype, split, crc, nbytes FROM array WHERE step = ? ORDER BY id", (number,)).fetchall()
    return row_crc(number, step_id, text, *rows)


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    for statement in _SCHEMA:
        db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("COMMIT")


def _check_schema(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise UnreadableFile(_("{name} is no history of this program.").format(name=path.name))
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise UnreadableFile(
            _("{name} is a history of version {version}; this program reads version {known}.").format(
                name=path.name, version=version, known=SCHEMA_VERSION
            )
        )
    found = {row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(_SCHEMA):
        raise UnreadableFile(_("{name} has another structure than a history of this program.").format(name=path.name))
    if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise UnreadableFile(_("{name} is damaged.").format(name=path.name))


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    """Write a named fact."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (key, value, row_crc(key, value)))


def read_array(db: sqlite3.Connection, number: int, packed: bool) -> Any:
    """An array by number, checked; ``packed``: as it rests, not unpacked."""
    row = db.execute("SELECT shape, dtype, split, crc, nbytes FROM array WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise UnreadableFile(_("An array of the history is missing."))
    shape, dtype, split, crc, nbytes = row
    blob = b"".join(r[0] for r in db.execute("SELECT data FROM chunk WHERE array = ? ORDER BY number", (number,)))
    if len(blob) != nbytes or zlib.crc32(blob) != crc:
        raise UnreadableFile(_("An array of the history is damaged: it is not what was written."))
    found = Packed(blob, tuple(json.loads(shape)), dtype, bool(split), crc, nbytes)
    return found if packed else unpack(found, shared=True)
