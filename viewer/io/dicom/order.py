"""In which order the frames of a series are read: the wanted one first, then outward from it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Cell = tuple[int, int]
"""(phase, plane)"""


class Order:
    """The frames that are still to be read. Not locked: its owner is.

    Parameters
    ----------
    shape : (phases, planes)
    cells : what is to be read of them
    """

    def __init__(self, shape: tuple[int, int], cells: Iterable[Cell]) -> None:
        self._waiting: NDArray[np.bool_] = np.zeros(shape, dtype=np.bool_)
        self.put_back(cells)

    def __len__(self) -> int:
        return int(self._left.sum())

    def put_back(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            self._waiting[cell] = True
        self._left: NDArray[np.int64] = self._waiting.sum(axis=1)

    def take(self, wanted: Cell, count: int) -> list[Cell]:
        """The frame nearest to the wanted one, and up to ``count - 1`` that follow it away from there; [] when none is left.

        Planes of the wanted phase come before those of another; where each phase is one plane, the nearest phases come first.
        """
        phases = np.flatnonzero(self._left)
        if not phases.size:
            return []
        phase = _nearest(phases, wanted[0])
        if self._waiting.shape[1] == 1:
            step = 1 if phase >= wanted[0] else -1
            places = [(n, 0) for n in range(phase, phase + step * count, step) if 0 <= n < len(self._left)]
        else:
            plane = _nearest(np.flatnonzero(self._waiting[phase]), wanted[1])
            step = 1 if plane >= wanted[1] else -1
            places = [(phase, n) for n in range(plane, plane + step * count, step) if 0 <= n < self._waiting.shape[1]]
        found: list[Cell] = []
        for cell in places:
            if not self._waiting[cell]:
                break
            self._waiting[cell] = False
            self._left[cell[0]] -= 1
            found.append(cell)
        return found


def _nearest(sorted_numbers: NDArray[np.int64], wanted: int) -> int:
    """Of two as near, the one ahead."""
    ahead = int(np.searchsorted(sorted_numbers, wanted))
    if ahead == len(sorted_numbers):
        return int(sorted_numbers[-1])
    after = int(sorted_numbers[ahead])
    if ahead and wanted - sorted_numbers[ahead - 1] < after - wanted:
        return int(sorted_numbers[ahead - 1])
    return after
