"""The SQLite file behind a history: journal of every step, and home of arrays that left memory.

A thread of its own writes; the caller never waits. A step is acknowledged when its transaction has returned. Settings as
measured and reasoned for a crash: WAL, synchronous FULL, exclusive lock (freed by the system when the process dies).
"""

from __future__ import annotations

import json
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer.core.errors import SaveFailed, UnreadableFile
from viewer.core.volume import Volume
from viewer.session import codec
from viewer.session.history import ItemChange, LabelsChange, Step
from viewer.session.packing import Packed, pack, unpack

if TYPE_CHECKING:
    from viewer.session.document import Document, Source

APPLICATION_ID = 0x4E45474F  # "NEGO"
SCHEMA_VERSION = 1
CHUNK_BYTES = 64 << 20
_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE source (volume_id TEXT PRIMARY KEY, number INTEGER NOT NULL, json TEXT NOT NULL)",
    "CREATE TABLE step (number INTEGER PRIMARY KEY, id TEXT NOT NULL, json TEXT NOT NULL)",
    "CREATE TABLE array (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, shape TEXT NOT NULL, dtype TEXT NOT NULL, split INTEGER NOT NULL, crc INTEGER NOT NULL, nbytes INTEGER NOT NULL)",
    "CREATE TABLE chunk (array INTEGER NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (array, number))",
)


@dataclass(frozen=True, slots=True)
class Evicted:
    """Stands for a volume whose voxels were dropped from memory: found again in the store's step."""

    id: str
    step_id: str
    root_id: str
    nbytes: int = 0


class Store:
    """Journal of one document in one file. Every method may be called from the document's thread and returns at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[Callable[[sqlite3.Connection], None] | None] = queue.SimpleQueue()
        self._asked = self._done = 0
        self._oldest_wait = 0.0
        self._condition = threading.Condition()
        self.error: Exception | None = None
        self._arrays = 0
        existed = path.exists()
        self._connection = open_database(path)
        if not existed:
            _create(self._connection)
        os.chmod(path, 0o600)
        row = self._connection.execute("SELECT coalesce(max(id), 0) FROM array").fetchone()
        self._arrays = int(row[0])
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    # --- writing ---

    def add_source(self, source: Source) -> None:
        text = json.dumps({"files": [str(f) for f in source.files], "series_id": source.series_id, "fingerprint": source.fingerprint})

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO source VALUES (?, (SELECT count(*) FROM source), ?)", (source.volume_id, text))

        self._ask(write)

    def add_step(self, number: int, step: Step) -> None:
        """Journal a step as the number-th; steps from there on, which had been undone, are dropped."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM chunk WHERE array IN (SELECT id FROM array WHERE step >= ?)", (number,))
            db.execute("DELETE FROM array WHERE step >= ?", (number,))
            db.execute("DELETE FROM step WHERE number >= ?", (number,))
            text = codec.encode(step, lambda array: self._write_array(db, number, array))
            db.execute("INSERT INTO step VALUES (?, ?, ?)", (number, step.id, text))
            _set_meta(db, "position", str(number))

        self._ask(write)

    def set_position(self, position: int) -> None:
        self._ask(lambda db: _set_meta(db, "position", str(position)))

    def flush(self, timeout_s: float = 60.0) -> None:
        """Wait until everything asked for is on the disk; raises SaveFailed if the store could not write."""
        limit = time.monotonic() + timeout_s
        with self._condition:
            while self._done < self._asked:
                if not self._condition.wait(max(0.0, limit - time.monotonic())):
                    raise SaveFailed(f"The history could not be written within {timeout_s:.0f} s.")
        if self.error is not None:
            raise SaveFailed(f"The history could not be written to {self.path.name}: {self.error}.") from self.error

    @property
    def acknowledged(self) -> int:
        """How many of the things asked for are on the disk."""
        return self._done

    @property
    def behind_s(self) -> float:
        """For how long the oldest thing not yet on the disk has waited; 0 when all is written."""
        with self._condition:
            return time.monotonic() - self._oldest_wait if self._done < self._asked else 0.0

    def close(self, *, discard: bool = False) -> None:
        """Write what is left and close; ``discard`` removes the file, for nothing is left to recover."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        if discard:
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    # --- arrays that left memory ---

    def slim(self, step: Step, *, keep: Set[str]) -> tuple[Step, int]:
        """A step of the same meaning whose arrays are in the store only, and the bytes that this frees.

        Volumes named in ``keep`` (those that are shown) stay in memory.
        """
        self.flush()
        freed = 0
        changes: list[Any] = []
        numbers = iter(self._array_numbers(step.id))
        for change in step.changes:
            if isinstance(change, LabelsChange):
                for packed in (change.before, change.after):
                    number = next(numbers)
                    freed += packed.in_memory
                    if packed.in_memory:
                        packed.forget(lambda n=number: self._blob(n))  # type: ignore[misc]
                changes.append(change)
            else:
                if isinstance(change.after, Volume) and change.before is None and change.id not in keep:
                    freed += change.after.nbytes
                    changes.append(replace(change, after=Evicted(change.id, step.id, change.after.root_id)))
                else:
                    changes.append(change)
                if isinstance(change, ItemChange):
                    for item in (change.after, change.before):
                        if hasattr(item, "data") or hasattr(item, "values"):
                            next(numbers, None)
        return replace(step, changes=tuple(changes)), freed

    def read_item(self, evicted: Evicted) -> Volume:
        """Bring an evicted volume back."""
        with self._reading() as db:
            row = db.execute("SELECT json FROM step WHERE id = ?", (evicted.step_id,)).fetchone()
            if row is None:
                raise UnreadableFile("A volume of the history is no longer in the store.")
            step: Step = codec.decode(row[0], lambda number, packed: _read_array(db, number, packed))
        for change in step.changes:
            if isinstance(change, ItemChange) and change.id == evicted.id and isinstance(change.after, Volume):
                return change.after
        raise UnreadableFile("A volume of the history is no longer in the store.")

    # --- inside ---

    def _ask(self, write: Callable[[sqlite3.Connection], None]) -> None:
        with self._condition:
            if self._done == self._asked:
                self._oldest_wait = time.monotonic()
            self._asked += 1
        self._queue.put(write)

    def _work(self) -> None:
        while (write := self._queue.get()) is not None:
            try:
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    write(self._connection)
            except (sqlite3.Error, OSError, TypeError, ValueError) as err:
                # Kept for flush() and the status line: editing goes on in memory.
                self.error = err
            with self._condition:
                self._done += 1
                self._oldest_wait = time.monotonic()
                self._condition.notify_all()

    def _write_array(self, db: sqlite3.Connection, step: int, array: Any) -> int:
        packed = array if isinstance(array, Packed) else pack(array)
        self._arrays += 1
        number, blob = self._arrays, packed.blob
        db.execute(
            "INSERT INTO array VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, step, json.dumps(packed.shape), packed.dtype, int(packed.split), packed.crc, len(blob)),
        )
        for part, start in enumerate(range(0, len(blob), CHUNK_BYTES)):
            db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (number, part, blob[start : start + CHUNK_BYTES]))
        return number

    def _array_numbers(self, step_id: str) -> list[int]:
        with self._reading() as db:
            rows = db.execute("SELECT array.id FROM array JOIN step ON step.number = array.step WHERE step.id = ? ORDER BY array.id", (step_id,))
            return [int(row[0]) for row in rows]

    def _blob(self, number: int) -> bytes:
        with self._reading() as db:
            return _read_array(db, number, True).blob  # type: ignore[no-any-return]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection between two transactions of the writer (an exclusive lock allows no second connection)."""
        ready, over = threading.Event(), threading.Event()

        def hold(_: sqlite3.Connection) -> None:
            ready.set()
            over.wait()

        self._ask(hold)
        ready.wait()
        try:
            yield self._connection
        finally:
            over.set()


def open_database(path: Path) -> sqlite3.Connection:
    """Open a store's file with our settings; raises UnreadableFile when another process holds it or it is no store."""
    try:
        db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
        return db
    except sqlite3.Error as err:
        raise UnreadableFile(f"{path.name} cannot be opened as a history: {err}.") from err


def restore(path: Path, read_source: Callable[[Source], Volume], *, writable: bool = True) -> Document:
    """Build a document again from its store, undo included.

    Parameters
    ----------
    read_source : callable
        Reads an opened volume again; it must refuse a source whose files have changed.
    writable : bool
        Go on journalling into the same file; else the document is in memory only.
    """
    from viewer.session.document import Document, Source

    db = open_database(path)
    try:
        _check_schema(db, path)
        sources = [
            Source(row[0], tuple(Path(f) for f in fields["files"]), fields["series_id"], fields["fingerprint"])
            for row in db.execute("SELECT volume_id, json FROM source ORDER BY number")
            for fields in [json.loads(row[1])]
        ]
        steps: list[Step] = [
            codec.decode(row[0], lambda number, packed: _read_array(db, number, packed)) for row in db.execute("SELECT json FROM step ORDER BY number").fetchall()
        ]
        row = db.execute("SELECT value FROM meta WHERE key = 'position'").fetchone()
        position = int(row[0]) if row else 0
    except sqlite3.Error as err:
        raise UnreadableFile(f"{path.name} is damaged: {err}.") from err
    finally:
        db.close()
    document = Document()
    for source in sources:
        volume = read_source(source)
        document.add_source(replace(volume, id=source.volume_id, root_id=source.volume_id), source)
    for step in steps:
        document.commit(step)
    document.go_to(position)
    if writable:
        document.store = Store(path)
    return document


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN")
    for statement in _SCHEMA:
        db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("COMMIT")


def _check_schema(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise UnreadableFile(f"{path.name} is no history of this program.")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise UnreadableFile(f"{path.name} is a history of version {version}; this program reads version {SCHEMA_VERSION}.")
    found = {row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(_SCHEMA):
        raise UnreadableFile(f"{path.name} has another structure than a history of this program.")
    if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise UnreadableFile(f"{path.name} is damaged.")


def _set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _read_array(db: sqlite3.Connection, number: int, packed: bool) -> Any:
    row = db.execute("SELECT shape, dtype, split, crc, nbytes FROM array WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise UnreadableFile("An array of the history is missing.")
    shape, dtype, split, crc, nbytes = row
    blob = b"".join(r[0] for r in db.execute("SELECT data FROM chunk WHERE array = ? ORDER BY number", (number,)))
    if len(blob) != nbytes:
        raise UnreadableFile("An array of the history is incomplete.")
    found = Packed(blob, tuple(json.loads(shape)), dtype, bool(split), crc, nbytes)
    return found if packed else unpack(found, shared=True)
