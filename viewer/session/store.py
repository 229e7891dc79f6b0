"""The SQLite file behind a history: journal of every step, and home of arrays that left memory.

A thread of its own writes; the caller never waits. A step is acknowledged when its transaction has returned. Settings as
measured and reasoned for a crash: WAL, synchronous FULL, exclusive lock (freed by the system when the process dies).
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viewer.core.errors import SaveFailed, UnreadableFile
from viewer.core.overlay import ScalarMap
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.session import codec
from viewer.session.database import CHUNK_BYTES, open_database, open_or_create, read_all, read_array, row_crc, set_meta, step_crc
from viewer.session.history import ItemChange, LabelsChange, Step
from viewer.session.packing import Packed, pack

if TYPE_CHECKING:
    from viewer.session.document import Document, Source

RETRY_S = 5.0
"""After a failure the writing is tried again this often, and with whatever comes next."""


@dataclass(frozen=True, slots=True)
class Evicted:
    """Stands for a volume whose voxels were dropped from memory: found again in the store's step."""

    id: str
    step_id: str
    root_id: str
    nbytes: int = 0


Write = Callable[[sqlite3.Connection], None]


class _Hold:
    """A stop of the writer between two transactions, so that another thread can read."""

    def __init__(self) -> None:
        self.ready, self.over = threading.Event(), threading.Event()


class Store:
    """Journal of one document in one file. Every method may be called from the document's thread; those that write return at once.

    What cannot be written (a full disk) stays in order in memory and is tried again; meanwhile ``error`` says why.

    Raises
    ------
    SaveFailed
        The file cannot be made.
    UnreadableFile
        The file is held by another process, or is no history of this program.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[Write | _Hold | Literal["try again"] | None] = queue.SimpleQueue()
        self._pending: deque[Write] = deque()
        self._asked = self._done = self._attempts = 0
        self._oldest_wait = 0.0
        self._condition = threading.Condition()
        self._is_closed = False
        self.error: Exception | None = None
        self._connection = open_or_create(path)
        row = self._connection.execute("SELECT coalesce(max(id), 0) FROM array").fetchone()
        self._arrays = int(row[0])
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    # --- writing ---

    def add_source(self, source: Source) -> None:
        fields = {"files": [str(f) for f in source.files], "series_id": source.series_id, "fingerprint": source.fingerprint, "how": source.how}
        text = json.dumps(fields)

        def write(db: sqlite3.Connection) -> None:
            number = db.execute("SELECT count(*) FROM source").fetchone()[0]
            db.execute("INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?)", (source.volume_id, number, text, row_crc(source.volume_id, number, text)))

        self._ask(write)

    def add_step(self, number: int, step: Step) -> None:
        """Journal a step as the number-th; steps from there on, which had been undone, are dropped."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM chunk WHERE array IN (SELECT id FROM array WHERE step >= ?)", (number,))
            db.execute("DELETE FROM array WHERE step >= ?", (number,))
            db.execute("DELETE FROM step WHERE number >= ?", (number,))
            text = codec.encode(step, lambda array: self._write_array(db, number, array))
            db.execute("INSERT INTO step VALUES (?, ?, ?, ?)", (number, step.id, text, step_crc(db, number, step.id, text)))
            set_meta(db, "position", str(number))

        self._ask(write)

    def set_position(self, position: int) -> None:
        self._ask(lambda db: set_meta(db, "position", str(position)))

    def flush(self, timeout_s: float = 60.0) -> None:
        """Wait until everything asked for is on the disk; raises SaveFailed if the store could not write."""
        with self._condition:
            attempt, asked = self._attempts + 1, self._asked
            self._queue.put("try again")
            if not self._condition.wait_for(lambda: self._done >= asked or (self.error is not None and self._attempts >= attempt), timeout_s):
                raise SaveFailed(_("The history could not be written within {seconds:.0f} s.").format(seconds=timeout_s))
            if self._done < asked:
                raise SaveFailed(
                    _("The history could not be written to {name}: {reason}.").format(name=self.path.name, reason=self.error)
                ) from self.error

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
        """Write what is left and close; ``discard`` removes the file, for nothing is left to recover. Twice is no harm."""
        if self._is_closed:
            return
        self._is_closed = True
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
        if not any(_can_go(change, keep) for change in step.changes):
            return step, 0
        self.flush()
        found = self._array_numbers(step.id)
        if len(found) != sum(_arrays_of(change) for change in step.changes):
            return step, 0
        freed = 0
        changes: list[Any] = []
        numbers = iter(found)
        for change in step.changes:
            if isinstance(change, LabelsChange):
                for packed in (change.before, change.after):
                    number = next(numbers)
                    freed += packed.in_memory
                    if packed.in_memory:
                        packed.forget(lambda n=number: self._blob(n))  # type: ignore[misc]
                changes.append(change)
            else:
                for _ in range(_arrays_of(change)):
                    next(numbers)
                if _can_go(change, keep):
                    freed += change.after.nbytes
                    changes.append(replace(change, after=Evicted(change.id, step.id, change.after.root_id)))
                else:
                    changes.append(change)
        return replace(step, changes=tuple(changes)), freed

    def read_item(self, evicted: Evicted) -> Volume:
        """Bring an evicted volume back."""
        with self._reading() as db:
            row = db.execute("SELECT json FROM step WHERE id = ?", (evicted.step_id,)).fetchone()
            if row is None:
                raise UnreadableFile(_("A volume of the history is no longer in the store."))
            step: Step = codec.decode(row[0], lambda number, packed: read_array(db, number, packed))
        for change in step.changes:
            if isinstance(change, ItemChange) and change.id == evicted.id and isinstance(change.after, Volume):
                return change.after
        raise UnreadableFile(_("A volume of the history is no longer in the store."))

    # --- inside ---

    def _ask(self, write: Callable[[sqlite3.Connection], None]) -> None:
        with self._condition:
            if self._done == self._asked:
                self._oldest_wait = time.monotonic()
            self._asked += 1
        self._queue.put(write)

    def _work(self) -> None:
        while True:
            try:
                asked = self._queue.get(timeout=RETRY_S if self._pending else None)
            except queue.Empty:
                asked = "try again"
            if isinstance(asked, _Hold):
                asked.ready.set()
                asked.over.wait()
                continue
            if callable(asked):
                self._pending.append(asked)
            self._write_pending()
            if asked is None:
                return

    def _write_pending(self) -> None:
        """One transaction each, in order; what fails, and all behind it, waits: never a step without those before it."""
        error: Exception | None = None
        while self._pending and error is None:
            try:
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    self._pending[0](self._connection)
            except Exception as err:  # noqa: BLE001  whatever it is, the thread must live: kept for flush() and the status line
                error = err
            else:
                self._pending.popleft()
                with self._condition:
                    self._done += 1
                    self._oldest_wait = time.monotonic()
        with self._condition:
            self.error = error
            self._attempts += 1
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
            return read_array(db, number, True).blob  # type: ignore[no-any-return]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection between two transactions of the writer (an exclusive lock allows no second connection)."""
        if self._is_closed:
            raise UnreadableFile(_("The history is closed; what it kept can no longer be read."))
        hold = _Hold()
        self._queue.put(hold)
        hold.ready.wait()
        try:
            yield self._connection
        except sqlite3.Error as err:
            raise UnreadableFile(_("The history in {name} cannot be read: {reason}.").format(name=self.path.name, reason=err)) from err
        finally:
            hold.over.set()


def restore(path: Path, read_source: Callable[[Source], Volume], *, writable: bool = True) -> Document:
    """Build a document again from its store, undo included.

    Parameters
    ----------
    read_source : callable
        Reads an opened volume again; it must refuse a source whose files have changed.
    writable : bool
        Go on journalling into the same file; else the document is in memory only.
    """
    from viewer.session.document import Document

    db = open_database(path)
    try:
        sources, steps, position = read_all(db, path)
    except (sqlite3.Error, KeyError, TypeError, ValueError) as err:
        raise UnreadableFile(_("{name} is damaged: {reason}.").format(name=path.name, reason=err)) from err
    finally:
        db.close()
    document = Document()
    for source in sources:
        volume = read_source(source)
        document.add_source(replace(volume, id=source.volume_id, root_id=source.volume_id), source)
    try:
        for step in steps:
            document.commit(step)
    except (KeyError, ValueError) as err:
        raise UnreadableFile(
            _("{name} is damaged: step {number} does not fit those before it ({reason}).").format(
                name=path.name, number=document.history.position + 1, reason=err
            )
        ) from err
    document.go_to(position)
    if writable:
        document.store = Store(path)
    return document


def _can_go(change: Any, keep: Set[str]) -> bool:
    """Whether a change holds arrays that may leave memory."""
    if isinstance(change, LabelsChange):
        return bool(change.before.in_memory or change.after.in_memory)
    return isinstance(change.after, Volume) and change.before is None and change.id not in keep


def _arrays_of(change: Any) -> int:
    """How many arrays of a change the store keeps."""
    if isinstance(change, LabelsChange):
        return 2
    return sum(isinstance(item, Volume | Evicted | ScalarMap) for item in (change.before, change.after))
