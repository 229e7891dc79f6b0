"""The operation: ask a model about every plane of an image."""

from __future__ import annotations

import time
from typing import Annotated

import numpy as np

from plugins.classify import feeding, fitness, inference, scoring
from viewer.api import Help, Image, Progress, Verdict, Verdicts, operation
from viewer.api.models import choose_model, list_models

_BATCH = 64


@operation(preview="none", takes_color=True, lane="model")
def classify(
    image: Image,
    model: Annotated[str, Help("Name of the model; empty takes the first that is installed.", "Model")] = "",
    progress: Progress | None = None,
) -> Verdicts:
    """Asks a convolutional network what the image shows. Not for diagnosis.

    Every plane is judged by itself, from its own values (never the screen's), brought to bone-bright, windowed, fitted and
    normalised as the model's card says.

    Parameters
    ----------
    model : str
        Name of an installed model.

    Returns
    -------
    Verdicts
        One for each plane: a score between 0 and 1 for every class, the threshold, the device that did the work, the
        milliseconds per plane (feeding included), and warnings where the card does not fit the image.

    Raises
    ------
    ModelUnusable
        The model is missing, damaged, not ONNX, or gives what its card does not say.

    Notes
    -----
    Source: the model's own card and README; softmax and sigmoid in float64.
    """
    card = choose_model(list_models()[0], model)
    runner = inference.load(card)
    warnings = fitness.warnings(card, image) + ((runner.note,) if runner.note else ())
    items: list[Verdict] = []
    planes = image.values.shape[0]
    for start in range(0, planes, _BATCH):
        began = time.perf_counter()
        chunk = range(start, min(start + _BATCH, planes))
        batch = np.stack([feeding.plane_input(card, image, plane) for plane in chunk])
        values = scoring.scores(card, inference.logits(runner, card, batch))
        spent = (time.perf_counter() - began) * 1000 / len(chunk)
        for plane, row in zip(chunk, values, strict=True):
            named = tuple((name, float(value)) for name, value in zip(card.classes, row, strict=True))
            items.append(
                Verdict(
                    card.name,
                    card.version,
                    card.title,
                    card.task,
                    named,
                    card.threshold,
                    card.positive,
                    runner.device,
                    spent,
                    plane,
                    warnings,
                    card.output.is_calibrated,
                    (("sha256", card.sha256),),
                    tuple(card.threshold_of(name) for name in card.classes),
                )
            )
        if progress is not None:
            progress(chunk.stop / planes)
    return Verdicts(tuple(items))
