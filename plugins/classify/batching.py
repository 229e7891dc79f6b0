"""A model asked about all inputs of an image, in batches: on a CPU several at a time, else the next one made ready meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import explain, familiarity, inference, onnx_trust
from plugins.classify.crew import Crew
from plugins.classify.feeding import Feed
from plugins.classify.inference import Runner
from viewer.api import Image, ModelUnusable, Progress, Refused, gettext
from viewer.api.models import ModelCard


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a model gave for some inputs of an image."""

    indices: tuple[int, ...]
    output: NDArray[Any]
    """The card's output, (inputs, ...)."""
    tensors: dict[str, NDArray[Any]]
    """Further values of the run, by name, (inputs, ...)."""
    milliseconds: float
    """For each input, its making included."""
    device: str = ""
    note: str = ""
    """Of the run: which device it was, and why not the one that was asked for."""


def loaded(card: ModelCard, device: str = "auto") -> Runner:
    """The model of a card with all outputs that are ever asked for: one session serves scores, heat-maps and familiarity.

    Raises ModelUnusable.
    """
    inner = familiarity.wanted(card) if card.familiarity.kind == "distance" else ()
    return inference.load(card, device, tuple(dict.fromkeys((*explain.wanted(card), *inner))))


def made_ready(card: ModelCard, image: Image, device: str) -> tuple[Feed, Runner]:
    """The inputs of an image and the loaded model, with what the card leaves open settled by the graph (``feed.card``).

    Raises ModelUnusable, and Refused for an image that such a model does not take.
    """
    feed = Feed(card, image)
    runner = loaded(card, device)
    feed.card = onnx_trust.settled(card, runner.facts)
    return feed, runner


def answers(feed: Feed, runner: Runner, names: Sequence[str] = (), progress: Progress | None = None, plane: int | None = None) -> Iterator[Answer]:
    """All inputs (of :func:`made_ready`), or that of one plane, in batches. What is nothing but padding is left out.

    Raises ModelUnusable where there is nothing else, or where the model fails or gives another number of results than of inputs.
    """
    card = feed.card
    asked = range(feed.count) if plane is None or feed.is_whole else (plane,)
    if plane is not None and not 0 <= plane < feed.planes:
        raise Refused(gettext("There is no plane {index}; there are {count}, counted from 0.").format(index=plane, count=feed.planes))
    indices = [index for index in asked if not feed.is_empty(index)]
    if not indices:
        raise ModelUnusable(gettext("The image holds nothing but padding; there is nothing that a model could be asked about."))
    wanted = list(dict.fromkeys((onnx_trust.output_name(runner.facts, card), *names)))
    parts = feed.parts(indices, runner.device)
    crew, entry = Crew(runner, int(np.prod(feed.shape)), len(parts)), onnx_trust.input_name(runner.facts, card)

    def look(share: float) -> None:
        if progress is not None and share < 1:  # the result says itself that all is done
            progress(share)

    def answer(part: Sequence[int]) -> Answer:
        began = time.perf_counter()
        inputs = feed.batch(part)
        spent = time.perf_counter() - began
        with crew.turn() as one:
            began = time.perf_counter()
            outputs = one.run(wanted, {entry: inputs}, look)
            spent += time.perf_counter() - began
            device, note = one.device, one.note or runner.note
        found = [inference.per_input(card, values, len(inputs))[: len(part)] for values in outputs]
        return Answer(tuple(part), found[0], dict(zip(wanted, found, strict=True)), spent * 1000 / len(part), device, note)

    done = 0
    with crew.each(answer, parts) as found:
        for made in found:
            yield made
            done += len(made.indices)
            look(done / len(indices))
