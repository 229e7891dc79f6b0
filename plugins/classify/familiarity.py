"""How unlike the images that a model was trained on an image is: one number for each input, from its pixels alone, as the card says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.api import ModelUnusable, gettext
from viewer.api.models import ModelCard


def wanted(card: ModelCard) -> tuple[str, ...]:
    """Names of the tensors that :func:`strangeness` needs beside the scores' own output; they may have to be added to the graph's outputs."""
    spec = card.familiarity
    return (spec.output or card.explain.feature,) if spec.kind in ("output", "distance") else ()


def strangeness(card: ModelCard, outputs: NDArray[Any], extras: Mapping[str, NDArray[Any]]) -> tuple[float, ...] | None:
    """How strange each input of a batch is: the larger, the stranger; over ``card.familiarity.threshold`` the scores mean nothing.

    Parameters
    ----------
    outputs : array (N, outputs)
        The scores' output as the graph gives it: before temperature and activation.
    extras : mapping
        The tensors of :func:`wanted` by name, the inputs along their first axis.

    Returns
    -------
    tuple of float, or None
        None where the card says nothing about familiarity. What is no number is infinitely strange.

    Raises
    ------
    ModelUnusable
        The tensor is not there, or is not of the size that the card says.

    Notes
    -----
    ``output``: the graph's own number. ``energy``: minus T times the logarithm of the sum of exp(logit / T) (Liu et al. 2020); a single
    logit z stands for two, z/2 and -z/2; several labels add up, each with "not" as its other class (Wang et al. 2021). ``distance``: mean
    over the features of ((feature - mean) / scale) squared, the features averaged over places: Mahalanobis's with a diagonal covariance.
    """
    spec = card.familiarity
    if not spec.kind:
        return None
    with np.errstate(all="ignore"):
        if spec.kind == "energy":
            values = _energy(card, np.asarray(outputs, dtype=np.float64).reshape(len(outputs), -1))
        else:
            name = wanted(card)[0]
            if name not in extras:
                raise ModelUnusable(
                    gettext('The model "{card}" has no tensor "{name}", by which its card tells unfamiliar images.').format(card=card.name, name=name)
                )
            tensor = np.asarray(extras[name], dtype=np.float64)
            values = _own(card, name, tensor) if spec.kind == "output" else _distance(card, name, tensor)
    return tuple(float(v) if math.isfinite(v) else math.inf for v in values)


def is_strange(card: ModelCard, strangeness: float) -> bool:
    """Whether that is over the card's limit: the scores of such an image mean nothing, and what explains them as little."""
    return not strangeness <= card.familiarity.threshold


def _own(card: ModelCard, name: str, tensor: NDArray[np.float64]) -> NDArray[np.float64]:
    if tensor.ndim < 1 or tensor.size != len(tensor):
        raise _wrong_size(card, name, tensor, 1)
    return tensor.reshape(-1)


def _energy(card: ModelCard, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    temperature = card.output.temperature
    if card.output.activation == "none":
        # Probabilities come out of the graph; the two of a binary one still tell their logit.
        if card.task != "binary" or logits.shape[1] > 2:
            raise ModelUnusable(
                gettext('The card of "{card}" tells unfamiliar images by the energy of logits; its graph gives probabilities.').format(card=card.name)
            )
        share = logits[:, -1]
        logits = (np.log(share) - np.log1p(-share))[:, None]
    scaled = logits / temperature
    if card.task == "multi-label":
        return np.asarray(-temperature * np.logaddexp(0.0, scaled).sum(axis=1))
    if scaled.shape[1] == 1:
        return np.asarray(-temperature * np.logaddexp(scaled[:, 0] / 2, -scaled[:, 0] / 2))
    return np.asarray(-temperature * np.logaddexp.reduce(scaled, axis=1))


def _distance(card: ModelCard, name: str, tensor: NDArray[np.float64]) -> NDArray[np.float64]:
    mean, scale = (np.asarray(values, dtype=np.float64) for values in (card.familiarity.mean, card.familiarity.scale))
    axes = [axis for axis in range(1, tensor.ndim) if tensor.shape[axis] == len(mean)]
    if not axes or not len(mean) or len(scale) != len(mean):
        raise _wrong_size(card, name, tensor, len(mean))
    channels = axes[-1] if card.input.layout in ("NHWC", "NDHWC", "NTHWC") else axes[0]
    pooled = np.moveaxis(tensor, channels, 1).reshape(len(tensor), len(mean), -1).mean(axis=2)
    return np.asarray((((pooled - mean) / scale) ** 2).mean(axis=1))


def _wrong_size(card: ModelCard, name: str, tensor: NDArray[Any], count: int) -> ModelUnusable:
    shape = " x ".join(map(str, tensor.shape))
    return ModelUnusable(
        gettext('The tensor "{name}" of "{card}" is {shape}; its card needs {number} numbers of each image there.').format(
            name=name, card=card.name, shape=shape, number=count
        )
    )
