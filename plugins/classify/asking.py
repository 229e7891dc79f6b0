"""Asking a model about changed inputs: parts of a picture covered, by whatever order of axes and type its input has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import logsumexp

from plugins.classify import devices, inference, scoring
from plugins.classify.crew import Crew
from plugins.classify.inference import Runner
from viewer.api.models import ModelCard

Part = TypeVar("Part")
Result = TypeVar("Result")
# Scores that are no more told from 0 or 1.
_LEAST = 1e-9


class Question:
    """One input of a model, ready to be asked about again with parts of it covered.

    Parameters
    ----------
    sample : array (1, ...)
        As the graph takes it; further rows, of a fixed batch, are left out.
    score : str
        Name of the class that is asked about.
    size : (rows, columns)
        Of the pictures in the input; a model that takes rows of numbers does not say it.
    """

    def __init__(self, runner: Runner, card: ModelCard, sample: NDArray[Any], score: str, size: tuple[int, int]) -> None:
        self.card, self.score = card, score
        self._runner, self._crew = runner, Crew(runner, sample[:1].size, 1)
        self.dtype, self.shape = sample.dtype, sample.shape[1:]
        layout: str = card.fed_layout
        spread = np.asarray(sample[:1], dtype=np.float32)
        self.is_flat = layout in ("NF", "NTF")
        if self.is_flat:
            spread, layout = spread.reshape(*spread.shape[:-1], *size, -1), f"{layout[:-1]}HWC"
        self._axes = (layout.index("H"), layout.index("W"))
        self.sample = np.moveaxis(spread, self._axes, (-2, -1))  # (1, ..., rows, columns)
        self.size: tuple[int, int] = (self.sample.shape[-2], self.sample.shape[-1])
        self.column = card.classes.index(score)
        self.fixed = card.input.batch
        self.at_once = self.fixed or devices.at_once(self.sample.size, runner.device)

    def blurred(self, sigma: float) -> NDArray[np.float32]:
        """The input without its fine detail: what a covered part is filled with, so that the cover has no edge of its own."""
        spread = (0.0,) * (self.sample.ndim - 2) + (sigma, sigma)
        return np.asarray(ndimage.gaussian_filter(self.sample, spread, mode="nearest"), dtype=np.float32)

    def flat(self) -> NDArray[np.float32]:
        """The mean of each channel, everywhere."""
        return np.asarray(np.broadcast_to(self.sample.mean(axis=(-2, -1), keepdims=True), self.sample.shape), dtype=np.float32)

    def gather(self, masks: int) -> int:
        """Get ready for as many masks as these, or more; how many batches of them are then asked about at a time."""
        self._crew = Crew(self._runner, self.sample.size, -(-masks // self.at_once))
        return self._crew.callers

    def each(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> AbstractContextManager[Iterator[Result]]:
        """What work that asks gives for each part, in their order; several at a time after :meth:`gather`. No thread is left after the block."""
        return self._crew.each(work, parts)

    def ask(
        self, kept: NDArray[np.float32], fill: NDArray[np.float32], look: Callable[[float], object] | None = None
    ) -> NDArray[np.float64]:  # fmt: skip
        """Log-odds (N,) of the class's score where the input is mixed with a fill: ``kept`` (N, rows, columns) in 0..1 is the input's share.

        ``look`` is called now and then where one batch takes long, with the share of it that is done; may raise to stop.
        """
        shares = kept.reshape(len(kept), *(1,) * (self.sample.ndim - 3), *kept.shape[1:])
        return self.answers(fill + shares * (self.sample - fill), look)

    def answers(self, inputs: NDArray[np.float32], look: Callable[[float], object] | None = None) -> NDArray[np.float64]:
        """The same for whole inputs (N, ..., rows, columns)."""
        count = len(inputs)
        given = np.moveaxis(inputs, (-2, -1), self._axes)
        if self.dtype.kind in "ui":
            limits = np.iinfo(self.dtype)
            given = np.clip(np.rint(given), limits.min, limits.max)
        given = np.ascontiguousarray(given, dtype=self.dtype).reshape(count, *self.shape)
        if self.fixed and count < self.fixed:
            given = np.concatenate([given, np.repeat(given[-1:], self.fixed - count, axis=0)])
        with self._crew.turn() as runner:
            raw = inference.logits(runner, self.card, given, look)[:count]
        # Finer than by way of the scores, which are 0 or 1 long before the outputs end.
        place, sign = scoring.output_of(self.card, self.score)
        logits = raw / self.card.output.temperature
        if self.card.output.activation == "sigmoid":
            return np.asarray(sign * logits[:, place])
        if self.card.output.activation == "softmax":
            return np.asarray(sign * (logits[:, place] - logsumexp(np.delete(logits, place, axis=1), axis=1)))
        share = np.clip(scoring.scores(self.card, raw)[:, self.column], _LEAST, 1 - _LEAST)
        return np.asarray(np.log(share) - np.log1p(-share))
