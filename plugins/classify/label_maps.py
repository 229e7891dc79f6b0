"""The operation: a network that says of every voxel what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from plugins.classify import batching, returning
from plugins.classify.choosing import network_for
from plugins.classify.devices import ModelDevice
from plugins.classify.framing import unfitted
from plugins.classify.telling import told
from viewer.api import Help, Image, Labels, ModelOf, ModelUnusable, Progress, gettext, operation
from viewer.api.models import ModelCard

_BACKGROUND = "background"


@operation(preview="none", takes_color=True, lane="model")
def network(
    image: Image,
    model: Annotated[str, ModelOf("segmentation"), Help("A network that names the parts of an image.", "Model")] = "",
    device: ModelDevice = "",
    progress: Progress | None = None,
) -> Labels:
    """Outlines what a network finds: a segment for each class of its card. Not for diagnosis.

    Parameters
    ----------
    model : str
        Name of an installed model whose card says ``task = "segmentation"``; empty takes the one whose card fits the image best.
    device : str
        As the model list names it: auto, CPU, CUDA or what else is installed; empty takes that of the settings. What does not work here
        falls back to the CPU, and that is said.

    Returns
    -------
    Labels
        Of each voxel the class with the highest output; of outputs with a sigmoid, the highest of those at or over their threshold (one
        half where the card names none). What the card does not name, or calls "background", belongs to nothing, nor does padding.

    Raises
    ------
    Refused
        No such model is installed, or it is of another kind.

    Notes
    -----
    Source: the model's own card and README. Between grids the nearest voxel is taken.
    """
    return labelled(network_for(model, image, "segmentation"), image, device=device, progress=progress)


def labelled(card: ModelCard, image: Image, *, device: str = "auto", progress: Progress | None = None) -> Labels:
    """As :func:`network`, with a card that need not be installed."""
    named = [entry for entry in card.entries if entry.name.strip().lower() != _BACKGROUND]
    label_of = {entry.output: number for number, entry in enumerate(named, 1)}
    feed, runner = returning.made_ready(card, image, "segmentation", device)
    values = np.zeros(image.geometry.shape, dtype=np.uint8 if len(named) < 256 else np.uint16)
    for answer in batching.answers(feed, runner, progress=progress):
        is_whole_numbers = answer.output.dtype.kind in "iub"
        for plane, channels in returning.pictures(feed, answer, method="nearest"):
            if channels is None:
                continue
            found = labels_of(card, channels, label_of, is_whole_numbers)
            back = unfitted(feed.frame, found.astype(np.float32), method="nearest", outside=0.0)
            values[plane] = np.where(feed.levels.valid(plane), back, 0)
    return told(image.labels(values, tuple(entry.name for entry in named)), feed, runner)


def labels_of(card: ModelCard, channels: NDArray[np.float32], label_of: Mapping[int, int], is_whole_numbers: bool) -> NDArray[np.uint16]:
    """Labels (rows, columns) of one plane."""
    if is_whole_numbers:
        if len(channels) != 1:
            raise ModelUnusable(
                gettext('The model "{card}" gave {count} channels of whole numbers; labels are one.').format(card=card.name, count=len(channels))
            )
        table = np.zeros(int(max(channels.max(), *label_of, 0)) + 1, dtype=np.uint16)
        for output, label in label_of.items():
            table[output] = label
        return np.asarray(table[np.clip(channels[0], 0, None).astype(np.intp)])
    beyond = next((place for place in label_of if place >= len(channels)), None)
    if beyond is not None:
        raise ModelUnusable(
            gettext('The card of "{card}" names output {place}, counted from 0; the model gives {count}.').format(
                card=card.name, place=beyond, count=len(channels)
            )
        )
    table = np.array([label_of.get(place, 0) for place in range(len(channels))], dtype=np.uint16)
    if len(channels) > 1 and card.output.activation != "sigmoid":
        return np.asarray(table[channels.argmax(axis=0)])
    limits = np.full(len(channels), 0.5)
    for entry in card.entries:
        limit = card.threshold_of(entry.name)
        if limit is not None and entry.output < len(limits):
            limits[entry.output] = min(max(limit, 1e-6), 1 - 1e-6)
    # Over its threshold before the sigmoid is over it after: the logit of the threshold is compared.
    if card.output.activation == "sigmoid":
        limits = np.log(limits) - np.log1p(-limits)
    over = channels * np.float32(1 / card.output.temperature) >= limits[:, None, None].astype(np.float32)
    best = np.where(over & (table > 0)[:, None, None], channels, -np.inf)
    return np.asarray(np.where(np.isfinite(best).any(axis=0), table[best.argmax(axis=0)], 0))
