"""Occlusion: how much a class's score falls when a patch of the picture is covered. For any classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from plugins.classify.asking import Question

CELLS, REACH = 14, 2.0
"""Patches along a side, and how many cells wide each is: neighbours overlap."""


def occlusion_map(
    question: Question, *, cells: int = CELLS, reach: float = REACH, fill: str = "blurred", progress: Callable[[float], None] | None = None
) -> NDArray[np.float64]:  # fmt: skip
    """How much the log-odds of the score fall when the patch about a cell is covered: (rows, columns) of cells.

    Parameters
    ----------
    cells : int
        Along each side; fewer where the picture has fewer than two pixels for each.
    reach : float
        Width of a patch, in cells.
    fill : "blurred" or "mean"
        What a patch is covered with: the picture without its detail, or its mean.
    progress : callable, optional
        Called with the share that is done after each batch; may raise to stop.

    Notes
    -----
    Source: Zeiler and Fergus 2014 (doi:10.1007/978-3-319-10590-1_53), section 4.2. A patch that reaches beyond the edge is cut off there.
    """
    rows, columns = (max(1, min(cells, n // 2)) for n in question.size)
    covers = list(_patches(question.size, (rows, columns), reach))
    filled = question.blurred(max(question.size) / cells * reach / 2) if fill == "blurred" else question.flat()
    found: list[NDArray[np.float64]] = []

    def tell(_share: float = 1.0) -> None:
        if progress is not None:
            progress(sum(map(len, found[1:])) / len(covers))

    def answers(part: Sequence[tuple[slice, slice]]) -> NDArray[np.float64]:
        kept = np.ones((max(1, len(part)), *question.size), dtype=np.float32)
        for mask, cover in zip(kept, part, strict=False):
            mask[cover] = 0.0
        return question.ask(kept, filled, tell)

    question.gather(len(covers))
    batches = (covers[start : start + question.at_once] for start in range(0, len(covers), question.at_once))
    with question.each(answers, chain([()], batches)) as results:  # the whole picture first
        for logits in results:
            found.append(logits)
            if len(found) > 1:
                tell()
    whole, *covered = found
    return np.asarray(whole[0] - np.concatenate(covered)).reshape(rows, columns)


def _patches(size: tuple[int, int], cells: tuple[int, int], reach: float) -> Iterator[tuple[slice, slice]]:
    """What is covered about each cell, row by row."""
    spans = []
    for length, count in zip(size, cells, strict=True):
        middles = (np.arange(count) + 0.5) * length / count
        half = reach * length / count / 2
        spans.append([slice(max(0, round(m - half)), max(round(m - half) + 1, min(length, round(m + half)))) for m in middles])
    for down in spans[0]:
        for across in spans[1]:
            yield down, across
