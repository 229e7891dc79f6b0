"""All that a card needs to know, as it is proposed and then as the user wants it; and the card that comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from viewer.core.model_card import CLASSIFYING, MODEL_FILE, Activation, ColorOrder, Fit, Layout, Planes, Task, ValueKind
from viewer.core.words import _, mark, ngettext
from viewer.session.model_facts import FileFacts, Length

NOT_SAID = "not said"
"""What a card says where nobody has said anything. It is a value of the card, in every language the same."""

BACKGROUND = "background"
"""A class of a segmentation that is no segment."""
LEVELS_0_1, LEVELS_AROUND_0, IMAGENET, CAFFE, LEVELS_0_255 = "0..1", "-1..1", "imagenet", "caffe", "0..255"
EACH, OWN = "each", "own"
NORMALISATIONS: dict[str, tuple[str, float, tuple[float, ...], tuple[float, ...]]] = {
    LEVELS_0_1: (mark("0 to 1"), 255.0, (0.0,), (1.0,)),
    LEVELS_AROUND_0: (mark("-1 to 1"), 127.5, (1.0,), (1.0,)),
    IMAGENET: (mark("Mean and spread of ImageNet"), 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    CAFFE: (mark("Mean of ImageNet, blue first (Caffe)"), 1.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    LEVELS_0_255: (mark("0 to 255, as it is"), 1.0, (0.0,), (1.0,)),
    EACH: (mark("Mean 0 and spread 1 of each image"), 1.0, (0.0,), (1.0,)),
}
"""Name: words, scale, mean, spread; of levels from 0 to 255, as ``core.model_card.Normalisation`` has it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a card needs to know, as proposed and then as the user wants it; None and "" are "not said"."""

    title: str = ""
    version: str = ""
    task: Task = "binary"
    classes: tuple[str, ...] = ()
    positive: str = ""
    output: str = ""
    outputs: Length = None
    """How many numbers the chosen output gives for one input."""
    activation: Activation = "none"
    input: str = ""
    dtype: str = "float32"
    layout: Layout = "NCHW"
    height: Length = None
    width: Length = None
    depth: Length = 1
    channels: int = 1
    batch: Length = None
    planes: Planes = "one"
    color_order: ColorOrder = "RGB"
    fit: Fit = "squeeze"
    resize: Length = None
    multiple: Length = None
    values: ValueKind = "window-or-range"
    low: float = 0.0
    high: float = 255.0
    center: float = 40.0
    width_of_window: float = 400.0
    unit: str = ""
    percentiles: tuple[float, float] = (1.0, 99.0)
    normalisation: str = LEVELS_0_1
    scale: float = 255.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    threshold: float | None = 0.5
    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    view: tuple[str, ...] = ()
    youngest: float | None = None
    oldest: float | None = None
    intended_use: str = ""
    licence: str = ""


def why_not(answers: Answers) -> str:
    """What is still missing for a card, as a sentence; "" if it is whole."""
    if not answers.title.strip():
        return _("Give the model a title.")
    names = answers.classes
    if answers.task in CLASSIFYING:
        wanted = 2 if answers.task == "binary" or answers.outputs is None else answers.outputs
        if len(names) < wanted or (answers.task == "multi-class" and len(names) < 2):
            return ngettext("Name the {count} class that is missing.", "Name the {count} classes that are missing.", max(1, wanted - len(names)))
        if answers.outputs is not None and answers.task != "binary" and len(names) != answers.outputs:
            return _("Classes named: {named}. Scores that the model gives: {given}.").format(named=len(names), given=answers.outputs)
    if answers.task == "segmentation":
        if all(name.lower() == BACKGROUND for name in names):
            return _("Name what the segments are.")
        if answers.outputs is not None and len(names) > answers.outputs:
            return _("Classes named: {named}. Scores that the model gives: {given}.").format(named=len(names), given=answers.outputs)
    if len(set(names)) != len(names):
        return _("Two classes have the same name.")
    if answers.youngest is not None and answers.oldest is not None and answers.youngest >= answers.oldest:
        return _("The youngest age is not below the oldest.")
    if answers.values == "percentiles" and not answers.percentiles[0] < answers.percentiles[1]:
        return _("The low percentile is not below the high one.")
    if answers.values == "range" and not answers.low < answers.high:
        return _("The low value is not below the high one.")
    if takes_resize(answers) and answers.resize and answers.resize < max(answers.height or 0, answers.width or 0):
        return _("What the image is resized to first is smaller than the input.")
    if answers.task == "image" and answers.normalisation == EACH:
        return _("A picture that comes out cannot be brought back from the mean and spread of each image. Choose another scaling.")
    return ""


def takes_color_order(answers: Answers) -> bool:
    """Whether there are colours whose order matters."""
    return answers.channels == 3 and answers.planes != "neighbours"


def takes_resize(answers: Answers) -> bool:
    """Whether the middle of a larger picture can be what goes in."""
    return answers.task in CLASSIFYING and answers.fit != "pad" and bool(answers.height and answers.width)


def takes_multiple(answers: Answers) -> bool:
    """Whether an image keeps its size, and can be filled up."""
    return not (answers.height and answers.width)


def card_of_answers(facts: FileFacts, answers: Answers, *, name: str = "") -> dict[str, Any]:
    """The card's text as nested mappings, ready to be written as TOML. What was not said is said to be so, or left out."""
    scale, mean, std = numbers_of(answers)
    card: dict[str, Any] = {
        "schema": 1, "name": name or slug(answers.title) or slug(facts.stem) or "model", "title": answers.title.strip(),
        "version": version_of(facts, answers), "task": answers.task, "file": MODEL_FILE, "sha256": facts.sha256,
        **({"opset": facts.opset} if facts.opset else {}), "intended_use": answers.intended_use.strip() or NOT_SAID,
    }  # fmt: skip
    if answers.task == "binary" and answers.classes:
        card["positive"] = answers.positive if answers.positive in answers.classes else answers.classes[-1]
    if answers.classes and answers.task != "image":
        card["classes"] = _entries(answers)
    card["input"] = _set({
        "name": answers.input, "dtype": answers.dtype, "layout": answers.layout, "height": answers.height or "any", "width": answers.width or "any",
        "channels": answers.channels, "depth": answers.depth or "any", "batch": answers.batch or "dynamic", "planes": answers.planes,
        "color_order": "BGR" if _is_blue_first(answers) else None, "fit": answers.fit,
        "resize": answers.resize if takes_resize(answers) else None,
        "multiple": answers.multiple if takes_multiple(answers) else None,
    })  # fmt: skip
    card["values"] = _values(answers)
    card["normalisation"] = {"statistics": "input"} if answers.normalisation == EACH else {"scale": scale, "mean": list(mean), "std": list(std)}
    activation = "none" if answers.task == "image" else answers.activation
    card["output"] = {"name": answers.output, "activation": activation, "calibrated": False}
    if answers.threshold is not None and answers.task != "image":
        card["threshold"] = {"value": answers.threshold, "chosen_on": NOT_SAID}
    applies: dict[str, Any] = {key: list(getattr(answers, key)) for key in ("modality", "body_part", "view") if getattr(answers, key)}
    if answers.youngest is not None or answers.oldest is not None:
        applies["age_years"] = [answers.youngest or 0.0, answers.oldest if answers.oldest is not None else 150.0]
    card["applies"] = applies
    card["training"] = {"data": NOT_SAID, "licence": answers.licence.strip() or NOT_SAID}
    if facts.external:
        card["external"] = dict(facts.external)
    card["proposed"] = _set({"from": facts.stem, "producer": facts.producer})
    return card


def version_of(facts: FileFacts, answers: Answers) -> str:
    """The version, else the head of the file's checksum: it tells two files apart as well."""
    return answers.version.strip() or facts.sha256[:8]


def numbers_of(answers: Answers) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """Scale, mean and spread of the chosen normalisation, as many as the channels."""
    if answers.normalisation == OWN:
        return answers.scale, answers.mean, answers.std
    _words, scale, mean, std = NORMALISATIONS[answers.normalisation]
    if len(mean) > 1 and answers.channels != len(mean):
        # A grey image that goes into one channel: the channels' mean.
        mean, std = (round(sum(mean) / len(mean), 4),), (round(sum(std) / len(std), 4),)
    return scale, mean, std


def _is_blue_first(answers: Answers) -> bool:
    return takes_color_order(answers) and (answers.color_order == "BGR" or answers.normalisation == CAFFE)


def slug(text: str) -> str:
    """A folder's name: small letters and digits of any script, with hyphens between."""
    return re.sub(r"[\W_]+", "-", text).strip("-").lower()[:48].strip("-")


def _entries(answers: Answers) -> list[dict[str, Any]]:
    names = answers.classes
    if answers.task == "binary" and answers.outputs == 1 and len(names) == 2:
        positive = answers.positive if answers.positive in names else names[-1]
        other = next(n for n in names if n != positive)
        return [{"name": positive, "output": 0}, {"name": other, "complement_of": positive}]
    return [{"name": name, "output": at} for at, name in enumerate(names)]


def _values(answers: Answers) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": answers.values}
    if answers.values == "window":
        found |= {"center": answers.center, "width": answers.width_of_window, "unit": answers.unit}
    elif answers.values == "range":
        found |= {"low": answers.low, "high": answers.high, "unit": answers.unit}
    else:
        found["percentiles"] = list(answers.percentiles)
    return found


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None)}


def words_in(text: str) -> tuple[str, ...]:
    """Names typed one after the other, with commas or semicolons of any script between."""
    return tuple(part for part in (piece.strip() for piece in re.split(r"[,;，；、\n]+", text)) if part)


def typed(names: Iterable[str]) -> str:
    """The other way round."""
    return ", ".join(names)
