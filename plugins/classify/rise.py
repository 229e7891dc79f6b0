"""RISE: random parts of the picture are covered, and each place is given the scores of the pictures in which it was left. For any classifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from plugins.classify.asking import Question

GRID, SHARE, CELLS = 8, 0.5, 28
LEAST, MOST = 256, 2048
SEED = 20_26
_Draws = tuple[NDArray[np.float32], NDArray[np.float64]]


def rise_map(
    question: Question, *, count: int | None = None, seconds: float = 6.0, seed: int = SEED, cells: int = CELLS,
    progress: Callable[[float], None] | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """How much higher the log-odds of the score are, in the mean, where a place is left than where it is covered: (rows, columns) of cells.

    Parameters
    ----------
    count : int, optional
        Number of masks; None takes as many as go into ``seconds``, between 256 and 2048. The same number gives the same masks.
    seconds : float
    seed : int
        Of the masks.
    cells : int
        Along each side, at most; not more than the picture has pixels.
    progress : callable, optional
        Called with the share that is done after each batch; may raise to stop.

    Notes
    -----
    Source: Petsiuk et al. 2018 (RISE, arXiv 1806.07421): masks of 8 x 8 cells, each left with a probability of one half, enlarged
    smoothly and shifted at random. There a place gets the mean score of the masks that left it; here the mean of those that covered it
    is taken off, so that 0 means: it makes no difference.
    """
    source = np.random.default_rng(seed)
    rows, columns = (min(cells, n) for n in question.size)
    fill = question.blurred(max(question.size) / GRID)
    left, left_scores = np.zeros((rows, columns)), np.zeros((rows, columns))
    total, done, wanted, is_timed = 0.0, 0, count or MOST, count is not None

    def tell(_share: float = 1.0) -> None:
        if progress is not None:
            progress(min(1.0, done / wanted))

    def asked(draws: _Draws) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        masks = _masks(*draws, question.size)
        answers = question.ask(masks, fill, tell)
        return answers, _pooled(masks, (rows, columns))

    callers = question.gather(count or LEAST)
    # How many go into the time is told by the first batches that are asked about at a time.
    upto = count or min(callers * question.at_once, MOST)
    began = time.perf_counter()
    while done < wanted:
        with question.each(asked, _draws(source, upto - done, question.at_once)) as results:
            for answers, small in results:
                left += small.sum(axis=0)
                left_scores += np.tensordot(answers, small, axes=1)
                total, done = total + float(answers.sum()), done + len(answers)
                tell()
        if not is_timed:
            spent, is_timed = time.perf_counter() - began, True
            wanted = int(np.clip(seconds / max(spent, 1e-9) * done, LEAST, MOST))
        upto = wanted
    covered = done - left
    return np.asarray(left_scores / np.maximum(left, 1e-9) - (total - left_scores) / np.maximum(covered, 1e-9))


def _draws(source: np.random.Generator, count: int, at_once: int) -> Iterator[_Draws]:
    """Of so many masks, in batches: what is left of the coarse cells (N, GRID + 1, GRID + 1), and by how much they are shifted (N, 2)."""
    for start in range(0, count, at_once):
        number = min(at_once, count - start)
        yield (source.random((number, GRID + 1, GRID + 1)) < SHARE).astype(np.float32), source.random((number, 2))


def _masks(coarse: NDArray[np.float32], shifts: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Masks (N, rows, columns) in 0..1: 1 is left."""
    found = np.empty((len(coarse), *size), dtype=np.float32)
    for mask, cells, (down, across) in zip(found, coarse, shifts, strict=True):
        mask[...] = _enlarging(size[0], down) @ cells @ _enlarging(size[1], across).T
    return found


def _enlarging(length: int, shift: float) -> NDArray[np.float32]:
    """(length, GRID + 1): linear between the cells' centres, moved by a part of a cell."""
    places = np.clip((np.arange(length) + 0.5) / length * GRID - 0.5 + shift, 0, GRID)
    low = np.minimum(places.astype(np.intp), GRID - 1)
    share = (places - low).astype(np.float32)
    found = np.zeros((length, GRID + 1), dtype=np.float32)
    found[np.arange(length), low] = 1 - share
    found[np.arange(length), low + 1] += share
    return found


def _pooled(masks: NDArray[np.float32], cells: tuple[int, int]) -> NDArray[np.float64]:
    """(N, *cells): the means over the pixels whose centres lie in each cell.

    By sums, not by a product of matrices: the library of those has threads of its own, which would take the processors from the model.
    """
    found = masks.astype(np.float64)
    for axis, count in zip((1, 2), cells, strict=True):
        length = masks.shape[axis]
        cell = np.minimum(((np.arange(length) + 0.5) * count / length).astype(np.intp), count - 1)
        first = np.searchsorted(cell, np.arange(count))
        sizes = np.diff(first, append=length)
        found = np.add.reduceat(found, first, axis=axis) / np.expand_dims(sizes, tuple(n for n in range(3) if n != axis))
    return np.asarray(found)
