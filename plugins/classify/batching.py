"""A model asked about all inputs of an image, batch after batch, the next one made ready meanwhile."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from plugins.classify import explain, familiarity, inference, onnx_trust
from plugins.classify.ahead import ahead
from plugins.classify.feeding import Feed, batches
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
    """For each input, with what was waited for it to be made."""
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
    made = _answers(feed, runner, indices, wanted)
    done = 0
    # A run of onnxruntime lets others work: what comes of one batch is taken while the next is run.
    with closing(ahead(made) if len(indices) > feed.batch_size(runner.device) else made) as found:
        for answer in found:
            yield answer
            done += len(answer.indices)
            if progress is not None and done < len(indices):  # the result says itself that all is done
                progress(done / len(indices))


def _answers(feed: Feed, runner: Runner, indices: Sequence[int], wanted: Sequence[str]) -> Generator[Answer, None, None]:
    entry, began = onnx_trust.input_name(runner.facts, feed.card), time.perf_counter()
    for part, inputs in batches(feed, indices, runner.device):
        found = [inference.per_input(feed.card, values, len(inputs))[: len(part)] for values in runner.run(wanted, {entry: inputs})]
        spent = (time.perf_counter() - began) * 1000 / len(part)
        yield Answer(tuple(part), found[0], dict(zip(wanted, found, strict=True)), spent, runner.device, runner.note)
        began = time.perf_counter()
