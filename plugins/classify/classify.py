"""The operation: ask a model about every plane of an image."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from plugins.classify import batching, familiarity, fitness, onnx_trust, scoring
from plugins.classify import explain as exact
from plugins.classify.choosing import classifier_for
from plugins.classify.devices import ModelDevice
from plugins.classify.telling import facts
from viewer.api import Help, Image, Progress, Range, Refused, Verdict, Verdicts, gettext, operation
from viewer.api.models import ModelCard, installed_model


@operation(preview="none", takes_color=True, lane="model")
def classify(
    image: Image,
    model: Annotated[str, Help("Name of the model; empty takes the one whose card fits the image best.", "Model")] = "",
    device: ModelDevice = "",
    explain: Annotated[bool, Help("Heat-maps with the scores, of models that give exact ones in the same run.", "Heat-maps")] = False,
    plane: Annotated[int | None, Range(0, 100_000), Help("One plane only, counted from 0; none asks about all.", "Plane number")] = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Asks a convolutional network what the image shows. Not for diagnosis.

    Every plane is judged by itself, from its own values (never the screen's), brought to bone-bright, windowed, fitted and
    normalised as the model's card says. Models of volumes and sequences judge all planes together.

    Parameters
    ----------
    model : str
        Name of an installed model.
    device : str
        As the model list names it: auto, CPU, CUDA or what else is installed; empty takes that of the settings.
    explain : bool
        Adds the exact class activation map of each class (of several planes: of the class that is looked for) where there is one.
    plane : int, optional
        Asks about this plane alone, of which models of neighbouring planes see the neighbours too. Models of all planes ask about all.

    Returns
    -------
    Verdicts
        One for each plane that holds more than padding, or one in all: a score between 0 and 1 for every class, the thresholds, the
        device that did the work, the milliseconds per plane (feeding included), how unlike the training images it is, and warnings
        where the card does not fit the image.

    Raises
    ------
    ModelUnusable
        The model is missing, damaged, not ONNX, or gives what its card does not say; or none is for this image.
    Refused
        The image cannot be fed to the model: another unit, one plane where several are needed, colour where only grey is taken.

    Notes
    -----
    Source: the model's own card and README; softmax and sigmoid in float64.
    """
    return classified(classifier_for(model, image), image, device=device, heat_maps=explain, plane=plane, progress=progress)


def classified(
    card: ModelCard, image: Image, *, device: str = "auto", heat_maps: bool = False, plane: int | None = None, progress: Progress | None = None
) -> Verdicts:  # fmt: skip
    """As :func:`classify`, with a card that need not be installed."""
    if not card.is_classifier:
        raise Refused(
            gettext('"{model}" gives pictures, not scores. It is in the tab Enhance or Segment, under Network.').format(model=gettext(card.title))
        )
    feed, runner = batching.made_ready(card, image, device)
    features = exact.wanted(card) if heat_maps else ()
    warnings, about = fitness.warnings(card, image), facts(feed, runner.device)
    items: list[Verdict] = []
    for answer in batching.answers(feed, runner, [*familiarity.wanted(card), *features], progress, plane):
        raw = np.asarray(answer.output, dtype=np.float64).reshape(len(answer.indices), -1)
        values = scoring.scores(card, raw)
        strange = familiarity.strangeness(card, raw, answer.tensors)
        has_maps = bool(features) and exact.is_exact(card, answer.tensors[features[0]], raw)
        said = tuple(filter(None, (*warnings, scoring.doubt(card, raw), answer.note)))
        for row, index in enumerate(answer.indices):
            place = feed.plane_of(index)
            classes = () if feed.count == 1 or plane is not None else (exact.usual_class(card, values[row].tolist()),)
            verdict = Verdict(
                model=card.name, version=card.version, title=card.title, task=card.task,
                scores=tuple(zip(card.classes, map(float, values[row]), strict=True)), threshold=card.threshold, positive=card.positive,
                device=answer.device, milliseconds=answer.milliseconds, index=place, warnings=said,
                is_calibrated=card.output.is_calibrated, is_of_whole=feed.is_whole,
                facts=about, thresholds=tuple(card.threshold_of(name) for name in card.classes),
                strangeness=None if strange is None else strange[row],
                strangeness_limit=card.familiarity.threshold if card.familiarity.kind else None,
                maps=exact.exact_overlays(card, image, place, answer.tensors, row, classes) if has_maps else (),
            )  # fmt: skip
            items.append(verdict)
    return Verdicts(tuple(items))


def ready(model: str, device: str = "auto") -> str:
    """Load a model ahead, in the worker that will run it, and run it once on nothing; the device that it got. Raises ModelUnusable."""
    card = installed_model(model)
    runner = batching.loaded(card, device)
    card = onnx_trust.settled(card, runner.facts)
    shape = tuple(1 if axis == "N" and size is None else size for axis, size in zip(card.fed_layout, onnx_trust.fed_dims(card), strict=True))
    sizes = [size for size in shape if size is not None]
    if len(sizes) == len(shape):
        names = [onnx_trust.output_name(runner.facts, card)]
        runner.run(names, {onnx_trust.input_name(runner.facts, card): np.zeros(sizes, dtype=card.input.dtype)})
    return runner.device
