"""From a model's raw outputs to scores between 0 and 1, one for each class of its card."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from viewer.api import ModelUnusable, gettext
from viewer.api.models import ModelCard, ModelClass

_RANGE_SLACK = 1e-3
# Half precision gives sums this far from 1.
_SUM_SLACK = 2e-2
# Logits do not add up to 1 but by chance.
_SAME_SUM = 1e-4


def scores(card: ModelCard, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores (N, classes) in 0..1, in the order of the card's classes, from raw outputs (N, outputs), in float64.

    Where the graph applies sigmoid or softmax itself (``activation = "none"``) a temperature works on the logits that its
    probabilities stand for.

    Raises
    ------
    ModelUnusable
        The outputs are not as many as the classes, or lie outside of 0..1 after the activation, or do not add up to 1 where
        exactly one class is true.

    Notes
    -----
    Source: temperature scaling, Guo et al. 2017 (doi:10.48550/arXiv.1706.04599).
    """
    check_outputs(card, outputs.shape[1])
    values = _activated(card, np.asarray(outputs, dtype=np.float64))
    return np.stack([_column(card, entry, values) for entry in card.entries], axis=1)


def doubt(card: ModelCard, outputs: NDArray[np.float64]) -> str:
    """A sentence where the raw outputs (N, outputs) look like scores before the card's activation makes others of them; else ""."""
    if card.output.activation == "none" or card.task == "multi-label" or outputs.shape[1] < 2 or not len(outputs):
        return ""
    if outputs.min() < 0 or outputs.max() > 1 or np.abs(outputs.sum(axis=1) - 1).max() > _SAME_SUM:
        return ""
    return gettext(
        'What this model gives adds up to 1 already, and the {activation} of its card makes other scores of it: "none" may be right.'
    ).format(activation=card.output.activation)


def check_outputs(card: ModelCard, count: int) -> None:
    """Each class has an output of its own, and each output a class (of two outputs that are what is left to 1 of each other, one will do)."""
    own = [entry for entry in card.entries if not entry.complement_of]
    places = Counter(entry.output for entry in own)
    beyond = next((place for place in places if not 0 <= place < count), None)
    if beyond is not None:
        raise ModelUnusable(
            gettext('The card of "{card}" names output {place}, counted from 0; the model gives {count}.').format(
                card=card.name, place=beyond, count=count
            )
        )
    if not own or max(places.values()) > 1:
        raise ModelUnusable(gettext('The card of "{card}" gives several classes the same output of the model.').format(card=card.name))
    leaves_one = len(own) == 1 and count == 2 and len(card.entries) == 2
    if len(own) != count and not leaves_one:
        raise ModelUnusable(
            gettext(
                'Classes with an output of their own in the card of "{card}": {classes}; outputs of the model: {count}. They must be as many.'
            ).format(card=card.name, classes=len(own), count=count)
        )


def output_of(card: ModelCard, name: str) -> tuple[int, float]:
    """The output that tells a class, and +1 where more of it means more of the class, -1 where it means less (a complement)."""
    entry, sign = _entry(card, name), 1.0
    for _step in card.entries:
        if not entry.complement_of:
            break
        entry, sign = _entry(card, entry.complement_of), -sign
    return entry.output, sign


def _activated(card: ModelCard, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    activation, temperature = card.output.activation, card.output.temperature
    if activation == "sigmoid":
        return _sigmoid(outputs / temperature)
    if activation == "softmax":
        return _softmax(outputs / temperature)
    _check_range(card, outputs)
    if temperature == 1.0:
        return outputs
    inside = np.clip(outputs, 1e-12, 1 - 1e-12)
    is_exclusive = outputs.shape[1] > 1 and card.task != "multi-label"
    return _softmax(np.log(inside) / temperature) if is_exclusive else _sigmoid((np.log(inside) - np.log1p(-inside)) / temperature)


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-values)))


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _check_range(card: ModelCard, values: NDArray[np.float64]) -> None:
    if values.size and (values.min() < -_RANGE_SLACK or values.max() > 1 + _RANGE_SLACK):
        raise ModelUnusable(
            gettext('The model "{card}" gave scores from {low:.3g} to {high:.3g}; they must lie between 0 and 1.').format(
                card=card.name, low=values.min(), high=values.max()
            )
        )
    if card.task == "multi-label" or values.shape[1] < 2:
        return
    sums = values.sum(axis=1)
    worst = float(sums[np.argmax(np.abs(sums - 1))]) if sums.size else 1.0
    if abs(worst - 1) > _SUM_SLACK:
        raise ModelUnusable(
            gettext('The scores that the model "{card}" gave add up to {total:.3g}; they must add up to 1. Its card may lack an activation.').format(
                card=card.name, total=worst
            )
        )


def _column(card: ModelCard, entry: ModelClass, values: NDArray[np.float64]) -> NDArray[np.float64]:
    place, sign = output_of(card, entry.name)
    column = np.clip(values[:, place], 0.0, 1.0)
    return column if sign > 0 else 1.0 - column


def _entry(card: ModelCard, name: str) -> ModelClass:
    for entry in card.entries:
        if entry.name == name:
            return entry
    raise ModelUnusable(gettext('The card of "{card}" has no class "{name}".').format(card=card.name, name=name))
