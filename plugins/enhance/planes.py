"""Work that goes plane by plane: on a few threads, with progress, and without whole-volume temporaries."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from viewer.api import Image, Progress, Refused, gettext

T = TypeVar("T")
_THREADS = min(4, os.cpu_count() or 1)


def for_each(parts: Sequence[T], work: Callable[[T], None], progress: Progress | None, start: float = 0.0, end: float = 1.0) -> None:
    """Call ``work`` for every part; NumPy and SciPy let go of the interpreter lock, so threads help.

    ``progress`` goes from ``start`` to ``end`` of the whole operation; an exception in it (Cancel) stops the rest.
    """
    if len(parts) == 1:
        work(parts[0])
        if progress is not None:
            progress(end)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for done, _ in enumerate(pool.map(work, parts), start=1):
                if progress is not None:
                    progress(start + (end - start) * done / len(parts))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def value_range(image: Image) -> tuple[float, float]:
    """The image's range; refuses an image of a single value."""
    low, high = image.range
    if not high > low:
        raise Refused(gettext("All voxels have the value {low:g}, so there is no contrast to change. Choose another image.").format(low=low))
    return low, high
