"""The padding of a volume whose files differ in theirs: each plane's own, brought to one value (D15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.io.dicom.header import Header
from viewer.io.dicom.values import Rescale

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Padding:
    """What only fills the frame of a volume, once it is read."""

    stored: frozenset[tuple[int, int] | None] = frozenset()
    """The ranges that its files give, None among them where some file gives none."""
    values: Range | None = None
    """Modality values that stand for it in all planes; None where there are none."""
    is_moved: bool = False
    """Some planes had others: these were set to the first of ``values``."""


def stored_padding(headers: Sequence[Header], slots: Sequence[Sequence[tuple[int, int]]]) -> list[list[tuple[int, int] | None]]:
    """``[phase][plane]``: the range of stored values that each plane's own file gives."""
    return [[headers[h].padding for h, _n in row] for row in slots]


def settled(
    data: NDArray[Any] | None, stored: Sequence[Sequence[tuple[int, int] | None]], rescales: Sequence[Sequence[Rescale]]
) -> Padding:  # fmt: skip
    """One range of modality values for all planes.

    Where planes differ, one of their own ranges is looked for that holds no true value of any plane; what only fills the
    frame of the others is set to it, in place. No value is invented: where there is no such range, padding stays as it is.

    Parameters
    ----------
    data : (phases, planes, rows, columns) ndarray, or None
        Modality values; None where stored values have no padding that could be told (colours, a modality LUT).
    """
    given = frozenset(one for row in stored for one in row)
    if data is None or given <= {None}:
        return Padding(given)
    own = {
        (p, k): rescales[p][k].ends(*one) if one is not None else None for p, row in enumerate(stored) for k, one in enumerate(row)
    }  # fmt: skip
    counts = Counter(one for one in own.values() if one is not None)
    if len(set(own.values())) == 1:
        return Padding(given, next(iter(counts)))
    for wanted in sorted(counts, key=lambda one: (-counts[one], one)):
        others = {cell: one for cell, one in own.items() if one != wanted}
        if any(_holds_true(data[cell], wanted, one) for cell, one in others.items()):
            continue
        moved = [cell for cell, one in others.items() if one is not None and bool(_to_move(data[cell], wanted, one).any())]
        if moved and not _fits(wanted[0], data.dtype):
            continue
        for cell in moved:
            plane = data[cell]
            plane[_to_move(plane, wanted, own[cell])] = wanted[0]
        return Padding(given, wanted, bool(moved))
    return Padding(given)


def _within(plane: NDArray[Any], one: Range | None) -> NDArray[np.bool_]:
    return np.zeros(plane.shape, dtype=np.bool_) if one is None else np.asarray((plane >= one[0]) & (plane <= one[1]))


def _holds_true(plane: NDArray[Any], wanted: Range, own: Range | None) -> bool:
    """Whether a plane has values in a range that are no padding of its own."""
    return bool((_within(plane, wanted) & ~_within(plane, own)).any())


def _to_move(plane: NDArray[Any], wanted: Range, own: Range | None) -> NDArray[np.bool_]:
    return _within(plane, own) & ~_within(plane, wanted)


def _fits(value: float, dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or (float(value).is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max)
