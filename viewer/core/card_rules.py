"""What must hold between the keys of a card, each rule with the sentence that a card gets which breaks it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

from viewer.core.card_table import shown
from viewer.core.errors import ModelUnusable
from viewer.core.model_card import MOST_NUMBERS, Layout, ModelCard, Normalisation, Planes
from viewer.core.words import _

LAYOUTS_OF: dict[Planes, tuple[Layout, ...]] = {
    "one": ("NCHW", "NHWC", "NF"), "neighbours": ("NCHW", "NHWC", "NF"), "volume": ("NCDHW", "NDHWC"), "sequence": ("NTCHW", "NTHWC", "NTF"),
}  # fmt: skip
"""The orders of axes that each kind of input can have."""
_LONGEST_NAME = 64
_NAME = re.compile(r"[^\W_][\w.-]*")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def settled(card: ModelCard, file: str, notes: Sequence[str]) -> ModelCard:
    """The card with its notes, and with the positive class where it follows from the rest. Raises ModelUnusable with a sentence."""
    for rule in _RULES:
        if reason := rule(card, file):
            raise ModelUnusable(reason)
    positive, guess = _positive(card, file)
    return replace(card, positive=positive, notes=(*notes, *guess))


def is_plain(name: str) -> bool:
    """Whether a text can be the name of a file or folder everywhere, and no path: letters and digits of any script, and ``._-``."""
    is_short = len(name) <= _LONGEST_NAME and len(name.encode("utf-8", "replace")) <= 200
    return is_short and _NAME.fullmatch(name) is not None and not name.endswith(".") and not _DEVICES.fullmatch(name)


def _name(card: ModelCard, file: str) -> str:
    if is_plain(card.name):
        return ""
    return _(
        '{file}: "name" is {name}; it is also a folder\'s name: up to {most} letters, digits, points and hyphens, a letter or digit first.'
    ).format(file=file, name=shown(card.name), most=_LONGEST_NAME)


def _classes(card: ModelCard, file: str) -> str:
    twice = [name for name, count in Counter(card.classes).items() if count > 1]
    if twice:
        return _("{file}: two classes are called {name}.").format(file=file, name=shown(twice[0]))
    if not card.is_classifier:
        return ""
    count = len(card.entries)
    if card.task == "binary" and count != 2:
        return _('{file}: a model of the task "binary" has two classes; the card names {number}.').format(file=file, number=count)
    if count < (1 if card.task == "multi-label" else 2):
        return _('{file}: a model of the task "{task}" needs more classes; the card names {number}.').format(file=file, task=card.task, number=count)
    return ""


def _complements(card: ModelCard, file: str) -> str:
    entries = {entry.name: entry for entry in card.entries}
    for entry in card.entries:
        if not entry.complement_of:
            continue
        other = entries.get(entry.complement_of)
        if other is None or other is entry or other.complement_of:
            return _("{file}: the class {name} is what is left to 1 of {other}, which must be another class with an output of its own.").format(
                file=file, name=shown(entry.name), other=shown(entry.complement_of)
            )
        if card.task == "multi-class":
            return _('{file}: the class {name} has "complement_of", which is for the tasks "binary" and "multi-label".').format(
                file=file, name=shown(entry.name)
            )
    return ""


def _outputs(card: ModelCard, file: str) -> str:
    own = Counter(entry.output for entry in card.entries if not entry.complement_of)
    twice = [output for output, count in own.items() if count > 1]
    if twice:
        return _("{file}: several classes have the output {output}; each needs one of its own.").format(file=file, output=twice[0])
    return ""


def _positive_is_class(card: ModelCard, file: str) -> str:
    if not card.positive or card.positive in card.classes or not card.is_classifier:
        return ""
    return _('{file}: "positive" is {name}, which is none of the classes.').format(file=file, name=shown(card.positive))


def _activation(card: ModelCard, file: str) -> str:
    own = sum(not entry.complement_of for entry in card.entries)
    if card.is_classifier and card.output.activation == "softmax" and (own < 2 or card.task == "multi-label"):
        return _('{file}: "output.activation" is "softmax", which needs two or more classes of which exactly one is true; take "sigmoid".').format(
            file=file
        )
    return ""


def _layout(card: ModelCard, file: str) -> str:
    spec = card.input
    known = LAYOUTS_OF[spec.planes]
    if spec.layout not in known:
        return _('{file}: "input.planes" is "{planes}", which needs one of the layouts {known}; "input.layout" is {layout}.').format(
            file=file, planes=spec.planes, known=", ".join(known), layout=spec.layout
        )
    if spec.planes == "neighbours" and (spec.channels < 3 or spec.channels % 2 == 0):
        return _('{file}: "input.channels" is {number}; with "planes = neighbours" it must be odd and 3 or more: a plane and its neighbours.').format(
            file=file, number=spec.channels
        )
    if spec.planes != "neighbours" and spec.layout not in ("NF", "NTF") and spec.channels not in (1, 3):
        return _(
            '{file}: "input.channels" is {number}; a plane has 1, in colour 3. A plane with its neighbours as channels is "planes = neighbours".'
        ).format(file=file, number=spec.channels)
    if spec.planes in ("one", "neighbours") and spec.depth not in (None, 1):
        return _('{file}: "input.depth" is {number}, which is for "planes = volume" and "planes = sequence".').format(file=file, number=spec.depth)
    return ""


def _size(card: ModelCard, file: str) -> str:
    spec = card.input
    if card.encoder is None and spec.layout in ("NF", "NTF") and (spec.height is None or spec.width is None):
        return _('{file}: with the layout {layout} "input.height" and "input.width" must be numbers: a row of values has one length.').format(
            file=file, layout=spec.layout
        )
    known = [n for n in (spec.height, spec.width, spec.depth, spec.channels, spec.batch) if n is not None]
    if prod(known) > MOST_NUMBERS:
        return _('{file}: "input" asks for {number} numbers at a time; {most} are allowed.').format(file=file, number=prod(known), most=MOST_NUMBERS)
    return ""


def _encoder(card: ModelCard, file: str) -> str:
    if card.encoder is None or card.input.layout == "NTF":
        return ""
    return _('{file}: "encoder" makes features of each plane, which go in as "NTF"; "input.layout" is {layout}.').format(
        file=file, layout=card.input.layout
    )


def _resize(card: ModelCard, file: str) -> str:
    spec = card.input
    if spec.resize is None:
        return ""
    if not card.is_classifier:
        return _('{file}: "{key}" is for models that classify; this one has the task "{task}".').format(file=file, key="input.resize", task=card.task)
    if spec.fit == "pad" or spec.height is None or spec.width is None:
        return _(
            '{file}: "input.resize" cuts the middle out of a larger picture: it needs numbers for "input.height" and "input.width", and no padding.'
        ).format(file=file)
    if spec.resize < max(spec.height, spec.width):
        return _('{file}: "input.resize" is {number}, and the middle of that is {width} x {height}; it must be as large at least.').format(
            file=file, number=spec.resize, width=spec.width, height=spec.height
        )
    return ""


def _color_order(card: ModelCard, file: str) -> str:
    if card.input.color_order == "RGB" or (card.input.channels == 3 and card.input.planes != "neighbours"):
        return ""
    return _('{file}: "input.color_order" is {order}, which is for inputs of three colours.').format(file=file, order=shown(card.input.color_order))


def _interpolation(card: ModelCard, file: str) -> str:
    if card.input.interpolation != "bicubic" or card.input.antialias:
        return ""
    return _('{file}: "input.interpolation" is "bicubic", which is known with "input.antialias = true" only.').format(file=file)


def _values(card: ModelCard, file: str) -> str:
    values = card.values
    if values.kind == "range" and not values.low < values.high:
        return _('{file}: "values.low" is {low:g} and must be below "values.high", which is {high:g}.').format(
            file=file, low=values.low, high=values.high
        )
    if values.kind == "window" and not values.width > 0:
        return _('{file}: "values.width" is {width:g} and must be above 0.').format(file=file, width=values.width)
    return ""


def _normalisation(card: ModelCard, file: str) -> str:
    normal = card.normalisation
    if normal.statistics == "input":
        if normal != Normalisation(normal.scale, statistics="input"):
            return _(
                '{file}: with "normalisation.statistics = input" mean and standard deviation are those of each input: leave out "mean" and "std".'
            ).format(file=file)
        if card.task == "image" and card.output.picture == "normalised":
            return _(
                '{file}: pictures cannot come back from "normalisation.statistics = input"; "output.picture" must be "levels" or "values".'
            ).format(file=file)
    if not normal.scale > 0:
        return _('{file}: "normalisation.scale" is {scale:g} and must be above 0.').format(file=file, scale=normal.scale)
    for key, values in (("normalisation.mean", normal.mean), ("normalisation.std", normal.std)):
        if len(values) not in (1, card.input.channels):
            return _('{file}: "{key}" has {length} numbers; it must have one, or one for each of the {channels} channels.').format(
                file=file, key=key, length=len(values), channels=card.input.channels
            )
    return ""


def _explain(card: ModelCard, file: str) -> str:
    spec = card.explain
    if (spec.weight or spec.bias) and not (spec.feature and spec.weight):
        return _('{file}: "explain" needs "feature" and "weight" together ("bias" may be left out).').format(file=file)
    return ""


def _familiarity(card: ModelCard, file: str) -> str:
    spec = card.familiarity
    if spec.kind == "output" and not spec.output:
        return _('{file}: "familiarity.output" must name the graph\'s output that tells unfamiliar images.').format(file=file)
    if spec.kind != "distance":
        return ""
    if not spec.output and not card.explain.feature:
        return _('{file}: "familiarity.output" must name the tensor of features.').format(file=file)
    if not spec.mean or len(spec.mean) != len(spec.scale):
        return _('{file}: "familiarity.mean" has {means} numbers and "familiarity.scale" {scales}; there must be as many of both, and some.').format(
            file=file, means=len(spec.mean), scales=len(spec.scale)
        )
    return ""


_RULES: tuple[Callable[[ModelCard, str], str], ...] = (
    _name, _classes, _complements, _outputs, _positive_is_class, _activation, _layout, _size, _resize, _color_order, _encoder, _interpolation,
    _values, _normalisation, _explain, _familiarity,
)  # fmt: skip


def _positive(card: ModelCard, file: str) -> tuple[str, tuple[str, ...]]:
    """The class that is looked for. Of two outputs without a word on it the second is taken, as is usual, and told."""
    if card.positive or card.task != "binary":
        return card.positive, ()
    own = sorted((entry for entry in card.entries if not entry.complement_of), key=lambda entry: entry.output)
    if len(own) == 1:
        return own[0].name, ()
    words = _('{file}: "positive" is missing; the class {name} is taken, which has the last output.')
    return own[-1].name, (words.format(file=file, name=shown(own[-1].name)),)
