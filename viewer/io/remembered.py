"""What was read of files is remembered while the program runs, so that an unchanged folder is not read twice. Nothing goes to disk.

A file counts as unchanged while its device, inode, size, time of change and time of status change are. A file replaced by
one that has all of these in common is noticed where it is opened (:func:`viewer.session.opening.fingerprint`).
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

# Newer files may be written to again within the same tick of their clock (FAT counts in two seconds): not remembered.
SETTLED_NS = 2_000_000_000
LIMIT = 100_000

_Signature = tuple[int, int, int, int, int]
_kept: dict[str, tuple[_Signature, Any]] = {}
_lock = threading.Lock()


def signature(state: os.stat_result) -> _Signature:
    """What changes when the file does."""
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def recall(path: str) -> Any | None:
    """What was kept of the file, None if there is nothing or the file has changed. Raises OSError where it is not there."""
    found = _kept.get(path)
    if found is None or found[0] != signature(os.stat(path)):
        return None
    return found[1]


def keep(path: str, state: os.stat_result, what: Any) -> None:
    """Remember what was read of the file in that state; the oldest is forgotten when there is too much."""
    if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) < SETTLED_NS:
        return
    with _lock:
        _kept.pop(path, None)
        _kept[path] = (signature(state), what)
        while len(_kept) > LIMIT:
            del _kept[next(iter(_kept))]


def forget() -> None:
    """Nothing is remembered any more."""
    with _lock:
        _kept.clear()
