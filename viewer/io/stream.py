"""A series while it is being read: which planes are there, and each of them as a picture, before the rest has come.

The thread that reads fills it (``begin``, ``arrived``); the window's thread asks (``is_ready``, ``plane``) and says which plane
it wants next (``want``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from viewer.core.volume import Volume

Cell = tuple[int, int]
"""(phase, plane)"""


class Stream:
    """Planes of one series as they arrive.

    Parameters
    ----------
    wanted : (phase, plane)
        The plane to read first; planes near it follow.
    on_arrival : callable, optional
        Called on the reading thread after each plane with (phase, plane); keep it short.
    """

    def __init__(self, wanted: Cell = (0, 0), on_arrival: Callable[[int, int], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._ready: NDArray[np.bool_] = np.zeros((0, 0), dtype=np.bool_)
        self._picture: Callable[[int, int], Volume | None] | None = None
        self._wanted = wanted
        self._on_arrival = on_arrival

    # --- the window's side ---

    def want(self, phase: int, plane: int) -> None:
        """Ask for this plane next, if it is not there yet."""
        self._wanted = (phase, plane)

    def is_ready(self, phase: int, plane: int) -> bool:
        ready = self._ready
        return bool(phase < ready.shape[0] and plane < ready.shape[1] and ready[phase, plane])

    def ready(self, phase: int = 0) -> NDArray[np.bool_]:
        """Which planes of a phase are there: (planes,) of bool; empty before reading has begun. A copy."""
        with self._lock:
            found: NDArray[np.bool_] = self._ready[phase].copy() if phase < self._ready.shape[0] else np.zeros(0, dtype=np.bool_)
        return found

    def plane(self, phase: int, plane: int) -> Volume | None:
        """A plane that is there as a volume of one plane in its right place; None if it is not there, or the series is whole by now."""
        with self._lock:
            picture = self._picture
        return picture(phase, plane) if picture is not None and self.is_ready(phase, plane) else None

    # --- the reader's side ---

    @property
    def wanted(self) -> Cell:
        return self._wanted

    def begin(self, phases: int, planes: int, picture: Callable[[int, int], Volume | None]) -> None:
        """Reading starts; ``picture`` makes a volume of a plane that has arrived (None once all have), and is called on the window's thread."""
        with self._lock:
            self._ready = np.zeros((phases, planes), dtype=np.bool_)
            self._picture = picture

    def arrived(self, phase: int, plane: int) -> None:
        """A plane is there."""
        with self._lock:
            self._ready[phase, plane] = True
        if self._on_arrival is not None:
            self._on_arrival(phase, plane)

    def end(self) -> None:
        """The volume is whole (or reading has failed): no more pictures from here."""
        with self._lock:
            self._picture = None
