"""Python's cycle collector walks all that lasts again and again while much is made: here it is asked to do so less often."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Objects between two looks at the youngest (700 by default). Not switched off: other threads make cycles meanwhile.
_PATIENT = 50_000
_lock = threading.Lock()
_inside = 0
_usual = gc.get_threshold()


@contextmanager
def patient() -> Iterator[None]:
    """Fewer collections inside, of the whole process; as before once the last who asked has left."""
    global _inside, _usual
    with _lock:
        if _inside == 0:
            _usual = gc.get_threshold()
            if _usual[0]:  # 0: someone has switched it off
                gc.set_threshold(max(_PATIENT, _usual[0]), *_usual[1:])
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                gc.set_threshold(*_usual)
