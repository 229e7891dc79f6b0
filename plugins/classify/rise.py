"""RISE: random parts of the picture are covered, and each place is given the scores of the pictures in which it was left. For any classifier."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plugins.classify.asking import Question

GRID, SHARE, CELLS = 8, 0.5, 28
LEAST, MOST = 256, 2048
SEED = 20_26


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
    pools = (_pooling(question.size[0], rows), _pooling(question.size[1], columns))
    fill = question.blurred(max(question.size) / GRID)
    left, left_scores = np.zeros((rows, columns)), np.zeros((rows, columns))
    total, done, wanted = 0.0, 0, count or MOST
    began = time.perf_counter()
    while done < wanted:
        masks = _masks(source, min(question.at_once, wanted - done), question.size)
        answers = question.ask(masks, fill)
        small = pools[0] @ masks.astype(np.float64) @ pools[1].T
        left += small.sum(axis=0)
        left_scores += np.tensordot(answers, small, axes=1)
        total, done = total + float(answers.sum()), done + len(masks)
        if count is None and done == len(masks):  # by the first batch
            spent = time.perf_counter() - began
            wanted = int(np.clip(seconds / max(spent, 1e-9) * done, LEAST, MOST))
        if progress is not None:
            progress(min(1.0, done / wanted))
    covered = done - left
    return np.asarray(left_scores / np.maximum(left, 1e-9) - (total - left_scores) / np.maximum(covered, 1e-9))


def _masks(source: np.random.Generator, count: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Masks (N, rows, columns) in 0..1: 1 is left."""
    coarse = (source.random((count, GRID + 1, GRID + 1)) < SHARE).astype(np.float32)
    shifts = source.random((count, 2))
    found = np.empty((count, *size), dtype=np.float32)
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


def _pooling(length: int, cells: int) -> NDArray[np.float64]:
    """(cells, length): the mean over the pixels whose centres lie in a cell."""
    cell = np.minimum(((np.arange(length) + 0.5) * cells / length).astype(np.intp), cells - 1)
    found = (cell[None] == np.arange(cells)[:, None]).astype(np.float64)
    return np.asarray(found / found.sum(axis=1, keepdims=True))
