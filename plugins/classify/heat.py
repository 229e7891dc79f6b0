"""The operation: where the score of a class comes from, as a map over the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from plugins.classify import batching, explain, familiarity, inference, onnx_trust, scoring
from plugins.classify.asking import Question
from plugins.classify.choosing import classifier_for
from plugins.classify.devices import ModelDevice
from plugins.classify.framing import film_box
from plugins.classify.inference import Runner
from plugins.classify.occlusion import occlusion_map
from plugins.classify.rise import rise_map
from plugins.classify.telling import told
from viewer.api import Geometry, Help, Image, Overlay, Progress, Range, Refused, gettext, ngettext, operation
from viewer.api.models import ModelCard

Method = Literal["auto", "exact", "occlusion", "rise"]


@operation(preview="none", takes_color=True, lane="model", reads_original=True)
def heat_map(
    image: Image,
    model: Annotated[str, Help("Name of the model; empty takes the one whose card fits the image best.", "Model")] = "",
    score: Annotated[
        str, Help("The class whose score is explained; empty takes the positive one, else the one with the highest score.", "Class")
    ] = "",
    method: Annotated[
        Method, Help("auto: the exact class activation map where the network has one, else occlusion. rise: random masks.", "Method")
    ] = "auto",
    device: ModelDevice = "",
    plane: Annotated[int | None, Range(0, 100_000), Help("One plane only, counted from 0; none explains all.", "Plane number")] = None,
    progress: Progress | None = None,
) -> Overlay:
    """Shows which regions influenced the score of a class. It is no outline of a lesion. Not for diagnosis.

    The map is coarse, lies in the place of what the model saw, and belongs to the model's newest report on the slice. What is above
    zero speaks for the class.

    Parameters
    ----------
    model : str
        Name of an installed model.
    score : str
        A class of the model.
    method : str
        ``exact``: class activation map, what each place adds to the raw output (their mean is the output); only where the network ends in
        pooling and a linear layer. ``occlusion``: how much the log-odds of the score fall when a patch (a seventh of the picture wide,
        14 x 14 of them) is blurred. ``rise``: how much higher the log-odds are where a place is left than where random masks cover it;
        as many masks as go into six seconds, 256 to 2048, always the same ones.
    device : str
        As the model list names it: auto, CPU, CUDA or what else is installed; empty takes that of the settings.
    plane : int, optional
        Explains this plane alone, of which models of neighbouring planes see the neighbours too. Models of all planes explain all.

    Returns
    -------
    Overlay
        Cells of the map on their own grid: of one plane, of each plane, or of all planes that go in together.

    Raises
    ------
    Refused
        The method does not go with this model, or the model has no such class.

    Notes
    -----
    Source: Zhou et al. 2016 (exact), Zeiler and Fergus 2014 (occlusion), Petsiuk et al. 2018 (rise).
    """
    return explained(classifier_for(model, image), image, score=score, method=method, device=device, plane=plane, progress=progress)


def explained(
    card: ModelCard, image: Image, *, score: str = "", method: Method = "auto", device: str = "auto", seconds: float = 6.0,
    masks: int | None = None, plane: int | None = None, progress: Callable[[float], None] | None = None,
) -> Overlay:  # fmt: skip
    """The heat-map of a card that need not be installed; parameters as :func:`heat_map`, and for ``rise`` the time or the number of masks."""
    _check(card, score)
    names = explain.wanted(card) if method in ("auto", "exact") else ()
    if method == "exact" and not names:
        raise Refused(_no_exact(card))
    feed, runner = batching.made_ready(card, image, device)
    card = feed.card
    if plane is not None and not 0 <= plane < feed.planes:
        raise Refused(gettext("There is no plane {index}; there are {count}, counted from 0.").format(index=plane, count=feed.planes))
    indices = [0] if feed.is_whole else list(range(feed.planes)) if plane is None else [plane]
    found, chosen, used, strange = [], score, method, 0
    for number, index in enumerate(indices):

        def part(share: float, number: int = number) -> None:
            if progress is not None:
                progress((number + share) / len(indices))

        sample = feed.batch([index])
        raw, feature, is_strange = _run(card, runner, sample, names, lambda _share: part(0.0))
        strange += int(is_strange and not feed.is_empty(index))
        chosen = chosen or explain.usual_class(card, scoring.scores(card, raw[:1])[0].tolist())
        used = _method(card, method, raw, feature)
        if used == "exact" and feature is not None:
            values = explain.exact_map(card, feature[:1], chosen)[0]
        else:
            question = Question(runner, card, sample, chosen, (feed.frame.rows, feed.frame.columns))
            values = (
                occlusion_map(question, progress=part) if used == "occlusion" else rise_map(question, count=masks, seconds=seconds, progress=part)
            )
        found.append(values)
        part(1.0)
    made = _overlay(card, image, feed.plane_of(indices[0]), np.stack(found), chosen, used)
    return told(replace(made, is_unfamiliar=strange > 0), feed, runner, *_warnings(strange, len(indices)))


def _warnings(strange: int, count: int) -> tuple[str, ...]:
    if not strange:
        return ()
    if strange == count:
        return (gettext("The model has not seen such images, so the heat map may mislead."),)
    words = ngettext(
        "The model has not seen the like of {count} slice, so its heat map may mislead.",
        "The model has not seen the like of {count} slices, so their heat maps may mislead.",
        strange,
    )
    return (words,)


def _check(card: ModelCard, score: str) -> None:
    if not card.is_classifier:
        raise Refused(gettext('"{model}" gives a picture, not scores: there is nothing that a heat map could explain.').format(model=card.title))
    if score and score not in card.classes:
        raise Refused(
            gettext('"{model}" has no class "{name}". It has: {names}.').format(model=card.title, name=score, names=", ".join(card.classes))
        )


def _no_exact(card: ModelCard) -> str:
    return gettext('"{model}" does not end in pooling and a linear layer, so it has no exact class activation map. Choose occlusion.').format(
        model=card.title
    )


def _run(
    card: ModelCard, runner: Runner, sample: NDArray[Any], names: tuple[str, ...], look: Callable[[float], object]
) -> tuple[NDArray[np.float64], NDArray[Any] | None, bool]:  # fmt: skip
    """Raw outputs (N, outputs), the feature tensor, and whether the first input is strange to the model: of one run."""
    output, inner = onnx_trust.output_name(runner.facts, card), familiarity.wanted(card)
    wanted = list(dict.fromkeys((output, *names, *inner)))
    found = dict(zip(wanted, runner.run(wanted, {onnx_trust.input_name(runner.facts, card): sample}, look), strict=True))
    raw = inference.as_rows(card, found[output], len(sample))
    strange = familiarity.strangeness(card, raw, {name: inference.per_input(card, found[name], len(sample)) for name in inner})
    return raw, found[names[0]] if names else None, strange is not None and familiarity.is_strange(card, strange[0])


def _method(card: ModelCard, asked: Method, raw: NDArray[np.float64], feature: NDArray[Any] | None) -> Method:
    if asked not in ("auto", "exact"):
        return asked
    if feature is not None and feature.ndim >= 4 and explain.is_exact(card, feature, raw):
        return "exact"
    if asked == "exact":
        raise Refused(
            gettext('What the card of "{model}" names for the heat map does not add up to the model\'s output. Choose occlusion.').format(
                model=card.title
            )
        )
    return "occlusion"


def _overlay(card: ModelCard, image: Image, plane: int, maps: NDArray[np.float64], score: str, method: str) -> Overlay:
    """(inputs, rows, columns), or of one input (1, [planes,] rows, columns), on their grid. ``plane``: that the first is about."""
    if len(maps) == 1:
        return explain.heat_overlay(card, image, plane, maps[0], score, method)
    first = explain.heat_overlay(card, image, 0, maps[0], score, method)
    grid: Geometry = film_box(card, image.geometry, (maps.shape[1], maps.shape[2]))
    return Overlay(np.ascontiguousarray(maps, dtype=np.float32), grid, score, method=method, score=score, model=first.model)
