"""Exact class activation maps, from the same run that gives the score; and where the cells of any heat-map lie in the patient."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import onnx_file, onnx_trust, scoring
from plugins.classify.framing import film_box
from plugins.classify.heads import Head, head_of, named_head
from viewer.api import Geometry, Image, ModelUnusable, Overlay, gettext
from viewer.api.models import ModelCard

_MOST_CLASSES = 8
"""Of so many classes all maps come with the score; of more, that of the usual class."""
_MOST_KNOWN = 16
# Half precision, and other orders of adding up, move a sum by so much.
_SLACK, _SHARE = 5e-3, 0.02
_heads: OrderedDict[tuple[object, ...], Head | None] = OrderedDict()


def head(card: ModelCard) -> Head | None:
    """The end of a card's network, where it is pooling and a linear layer; None where there is no exact map. The card's own names go first.

    Raises ModelUnusable where the file cannot be read.
    """
    key = (str(card.model_path), card.sha256, card.explain, card.output.name)
    if key not in _heads:
        _heads[key] = _found(card)
        while len(_heads) > _MOST_KNOWN:
            _heads.popitem(last=False)
    return _heads[key]


def _found(card: ModelCard) -> Head | None:
    if not card.is_classifier or card.encoder is not None:
        return None  # behind an encoder places are planes, if there are any
    # Weights beside the model are read for their numbers alone: whether the map is exact is judged anew with each run.
    beside = {name: card.folder / name for name in card.external}
    facts, named = replace(onnx_file.facts(card.model_path), beside=beside), card.explain
    output = onnx_trust.output_name(facts, card)
    walked = head_of(facts, output)
    own = named_head(facts, named.feature, named.weight, named.bias) if named.feature and named.weight else None
    if own is None:
        return walked
    return replace(own, activation=walked.activation) if walked is not None else own


def wanted(card: ModelCard) -> tuple[str, ...]:
    """The values within the graph that have to become outputs for exact maps; () where there are none."""
    found = head(card)
    return () if found is None else (found.feature,)


def usual_class(card: ModelCard, scores: Sequence[float] = ()) -> str:
    """The class that is explained where none is chosen: the positive one, else that with the highest score, else the first."""
    return card.positive or card.classes[int(np.argmax(scores)) if len(scores) else 0]


def exact_map(card: ModelCard, feature: NDArray[Any], score: str) -> NDArray[np.float64]:
    """What each place adds to the raw output of a class: (N, places ...), from the feature tensor (N, ...).

    The mean over the places is the output before activation and temperature; of a class that is what is left of another one, its negative.

    Notes
    -----
    Source: class activation mapping, Zhou et al. 2016 (doi:10.1109/CVPR.2016.319).
    """
    found = head(card)
    if found is None:
        raise ValueError(f"{card.name} has no exact map")
    place, sign = scoring.output_of(card, score)
    return sign * found.maps(feature, [place])[:, 0]


def is_exact(card: ModelCard, feature: NDArray[Any], outputs: NDArray[Any]) -> bool:
    """Whether the means of the maps are what the model gave (N, outputs): a card may name tensors that do not belong to its output."""
    found = head(card)
    if found is None:
        return False
    try:
        means = found.maps(feature).reshape(len(outputs), len(found.weight), -1).mean(axis=2)
    except ValueError:
        return False
    given = np.asarray(outputs, dtype=np.float64).reshape(len(means), -1)
    if given.shape != means.shape:
        return False
    slack = np.full((len(given), 1), _SLACK)
    if found.activation == "sigmoid":
        means = 1 / (1 + np.exp(-np.clip(means, -700, 700)))
    elif found.activation == "log-softmax":
        means = means - means.max(axis=1, keepdims=True)
        means = means - np.log(np.exp(means).sum(axis=1, keepdims=True))
    elif found.activation == "softmax":
        raised = np.exp(means - means.max(axis=1, keepdims=True))
        means = raised / raised.sum(axis=1, keepdims=True)
        # Of a thousand classes each has next to nothing: what is next to nothing is not the same for that.
        slack = np.minimum(slack, _SHARE * given.max(axis=1, keepdims=True))
    return bool((np.abs(means - given) <= slack + _SLACK * np.abs(given)).all())


def exact_overlays(
    card: ModelCard, image: Image, plane: int, tensors: Mapping[str, NDArray[Any]], row: int, scores: Sequence[str] = ()
) -> tuple[Overlay, ...]:  # fmt: skip
    """The exact heat-maps of one verdict, from what the run gave beside the scores.

    Parameters
    ----------
    plane : int
        That the verdict is about, counted within ``image``.
    tensors : mapping
        Values of :func:`wanted`, by name, each (N, ...).
    row : int
        Of the batch.
    scores : sequence of str
        Classes to explain; () all of them where they are few, else none.
    """
    found = head(card)
    if found is None or found.feature not in tensors:
        return ()
    feature = np.asarray(tensors[found.feature])[row : row + 1]
    if feature.ndim < 4:
        return ()
    names = tuple(scores) or (card.classes if len(card.classes) <= _MOST_CLASSES else ())
    return tuple(heat_overlay(card, image, plane, exact_map(card, feature, name)[0], name, "exact") for name in names)


def heat_overlay(card: ModelCard, image: Image, plane: int, values: NDArray[Any], score: str, method: str) -> Overlay:
    """A heat-map in its place: (rows, columns) or (planes, rows, columns) cells over what the model saw of a plane, or of all planes."""
    cells = np.asarray(values, dtype=np.float32)
    cells = cells[np.newaxis] if cells.ndim == 2 else cells
    if not np.isfinite(cells).all():
        raise ModelUnusable(gettext('The model "{card}" gave a heat map that holds no numbers.').format(card=card.name))
    geometry = cell_grid(card, image.geometry, plane, (cells.shape[0], cells.shape[1], cells.shape[2]))
    return Overlay(np.ascontiguousarray(cells), geometry, score, method=method, score=score, model=card.name)


def cell_grid(card: ModelCard, geometry: Geometry, plane: int, cells: tuple[int, int, int]) -> Geometry:
    """The grid of (planes, rows, columns) cells over the part of an image that a model saw: of one plane, or of the planes that go in together."""
    if card.input.planes in ("volume", "sequence"):
        box = film_box(card, geometry.straight(), cells[1:])
        share = box.shape[0] / cells[0]
        x, y, z = (float(c) for c in box.to_patient(((share - 1) / 2, 0.0, 0.0)))
        return replace(box, shape=cells, origin=(x, y, z), spacing=(box.spacing[0] * share, box.spacing[1], box.spacing[2]))
    shape = geometry.shape
    return film_box(card, geometry.cropped((plane, 0, 0), (1, shape[1], shape[2])), cells[1:])
