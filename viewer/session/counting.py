"""How many voxels each label has, plane by plane: what a list of segments shows, without a pass over all voxels at each change."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Index


class PlaneCounts:
    """Voxels of each label in each plane of one layer. Knows which planes have changed since they were counted.

    Parameters
    ----------
    planes : int
    """

    def __init__(self, planes: int) -> None:
        self._counts: list[NDArray[np.int64] | None] = [None] * planes
        self._missing = set(range(planes))

    @property
    def missing(self) -> tuple[int, ...]:
        """Planes that are yet to be counted, in order."""
        return tuple(sorted(self._missing))

    @property
    def is_complete(self) -> bool:
        return not self._missing

    def forget(self, start: int, stop: int) -> None:
        """The planes from ``start`` to before ``stop`` have changed."""
        self._missing.update(range(max(0, start), min(stop, len(self._counts))))

    def take(self, counted: dict[int, NDArray[np.int64]], planes: Iterable[int] | None = None) -> None:
        """Take in what :func:`count_planes` found; with ``planes`` those alone, because the others changed meanwhile."""
        for plane in counted if planes is None else planes:
            if plane in counted:
                self._counts[plane] = counted[plane]
                self._missing.discard(plane)

    def voxels(self, label: int) -> int | None:
        """Voxels of a label; None before every plane was counted once. What changed since is counted as it was."""
        total = 0
        for counts in self._counts:
            if counts is None:
                return None
            if label < counts.size:
                total += int(counts[label])
        return total

    def middle_plane(self, label: int) -> int | None:
        """The plane that has half of a label's voxels before it; None if there are none."""
        found = np.asarray([counts[label] if counts is not None and label < counts.size else 0 for counts in self._counts], dtype=np.int64)
        total = int(found.sum())
        return int(np.searchsorted(np.cumsum(found), total / 2)) if total else None


def count_planes(
    labels: NDArray[np.unsignedinteger], planes: Iterable[int], check: Callable[[], None] | None = None
) -> dict[int, NDArray[np.int64]]:  # fmt: skip
    """Voxels of each label in some planes of ``labels`` (planes, rows, columns).

    ``check`` is called before each plane and may raise, to end early.
    """
    counted: dict[int, NDArray[np.int64]] = {}
    for plane in planes:
        if check is not None:
            check()
        values = labels[plane]
        # Most planes of most layers are empty, and to see that is a hundred times faster than to count.
        counted[plane] = np.bincount(values.ravel()) if values.any() else np.asarray([values.size], dtype=np.int64)
    return counted


def place_inside(labels: NDArray[np.unsignedinteger], label: int, plane: int) -> Index | None:
    """The voxel (plane, row, column) of a label that is nearest to its middle on a plane; None if it has none there."""
    found = np.argwhere(labels[plane] == label)
    if not found.size:
        return None
    row, column = found[np.argmin(((found - found.mean(axis=0)) ** 2).sum(axis=1))]
    return plane, int(row), int(column)
