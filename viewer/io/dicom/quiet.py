"""pydicom speaks through Python's warnings: here they are collected instead of printed."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# The list of filters belongs to the whole process: two threads that change and restore it by turns would leave it changed.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def collected() -> Iterator[list[warnings.WarningMessage]]:
    """What is warned of inside lands in the list, and the filters are as they were afterwards."""
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said
