"""A card for a bare model file: what its graph tells is taken, what it cannot tell is asked, and nothing is made up."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import isqrt, prod
from typing import Any

from viewer.core.errors import ModelUnusable
from viewer.core.model_card import CARD_FILE, Activation, Layout, Task
from viewer.core.words import _
from viewer.session.card_answers import BACKGROUND, LEVELS_0_1, LEVELS_0_255, Answers
from viewer.session.model_facts import FEEDABLE, FileFacts, Length, Tensor

_ABBREVIATIONS = frozenset((
    "cnn", "rnn", "gru", "lstm", "mlp", "svm", "vit", "ct", "cbct", "mr", "mri", "us", "pet", "spect", "dx", "cr", "cxr", "ecg", "ap", "pa",
    "2d", "3d",
))  # fmt: skip
"""Written in capitals in a title that is made of a file's name."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """``asked``: names of the fields of ``answers`` that the file does not settle: they are guesses, or empty."""

    facts: FileFacts
    answers: Answers
    asked: frozenset[str]


def propose(facts: FileFacts) -> Proposal:
    """A card for a file that has none.

    Raises
    ------
    ModelUnusable
        The graph has no input or several, one that is no picture, or no output that is one number for each class or a picture.
    """
    if len(facts.inputs) != 1:
        raise ModelUnusable(
            _("{name} has these inputs: {names}. A model here has one, the image.").format(
                name=facts.stem, names=", ".join(t.name for t in facts.inputs) or _("none")
            )
        )
    image = facts.inputs[0]
    if image.dtype not in FEEDABLE:
        raise ModelUnusable(
            _("The input {input} of {name} takes {dtype}; images are numbers.").format(input=image.name, name=facts.stem, dtype=image.dtype)
        )
    asked = {"fit", "values", "modality", "body_part", "view", "youngest", "oldest", "intended_use", "licence"}
    shape, unclear = _read_input(facts, image)
    asked |= unclear
    output = choose_output(facts)
    if gives_picture(facts, output) and _is_noise(image):
        raise ModelUnusable(
            _("{name} makes pictures of numbers alone ({input}): there is no image that goes in. A model here makes a picture of a picture.").format(
                name=facts.stem, input=image.words
            )
        )
    if sum(is_usable(facts, tensor) for tensor in facts.outputs) > 1:
        asked.add("output")
    answers = Answers(
        title=facts.title or _title(facts.stem), version=facts.version, input=image.name, dtype=image.dtype,
        normalisation=LEVELS_0_255 if facts.input_is_scaled or image.dtype not in FEEDABLE[:3] else LEVELS_0_1, **shape,
    )  # fmt: skip
    if not facts.input_is_scaled:
        asked.add("normalisation")
    if not facts.title:
        asked.add("title")
    if not facts.version:
        asked.add("version")
    if gives_picture(facts, output) and None in (answers.height, answers.width):
        answers = replace(answers, multiple=facts.reduction if facts.reduction > 1 else None)
    more, open_points = of_output(facts, output)
    return Proposal(facts, replace(answers, **more), frozenset(asked | open_points))


def _is_noise(image: Tensor) -> bool:
    """Whether what goes in has no rows and columns: a row of numbers, or many channels of one pixel."""
    return len(image.shape) == 2 or (len(image.shape) >= 4 and sum(size != 1 for size in image.shape[1:]) < 2)


def choose_output(facts: FileFacts) -> Tensor:
    """The output that holds the scores or the picture. Raises ModelUnusable if there is none."""
    usable = [tensor for tensor in facts.outputs if is_usable(facts, tensor)]
    if not usable and any(_is_table(tensor) for tensor in facts.outputs):
        raise ModelUnusable(
            _(
                "{name} gives many rows of numbers for one image ({outputs}), as detectors of objects and readers of text do. A model here gives "
                "one number for each class, or a picture."
            ).format(name=facts.stem, outputs="; ".join(t.words for t in facts.outputs[:3]))
        )
    if not usable:
        raise ModelUnusable(
            _("{name} gives neither scores nor a picture: {outputs}.").format(
                name=facts.stem, outputs="; ".join(t.words for t in facts.outputs) or _("none")
            )
        )
    # A classical model gives its label first and the scores after it.
    return next((tensor for tensor in usable if tensor.dtype.startswith("float")), usable[0])


def is_usable(facts: FileFacts, tensor: Tensor) -> bool:
    """Whether an output can be scores (one row for each input) or pictures."""
    is_number = tensor.dtype.startswith("float")
    is_scores = is_number and len(tensor.shape) > 0 and not _is_table(tensor)
    return tensor.dtype in FEEDABLE and (gives_picture(facts, tensor) or is_scores)


def _is_row(tensor: Tensor) -> bool:
    """Whether there is one row of numbers for each input, whatever axes of one lie around it."""
    return sum(size != 1 for size in tensor.shape[1:]) <= 1


def _is_table(tensor: Tensor) -> bool:
    """Whether it holds several numbers for each of several things in one image: boxes, letters, tokens."""
    return len(tensor.shape) == 3 and 1 not in tensor.shape[1:] and any(size is not None for size in tensor.shape[1:])


def gives_picture(facts: FileFacts, tensor: Tensor) -> bool:
    """Whether an output is a picture: with rows and columns, and of three axes only where these are the input's or hold labels.

    Scores may have rows and columns too, of one pixel: ``[N, classes, 1, 1]`` is what global pooling leaves.
    """
    if len(tensor.shape) != 3:
        return len(tensor.shape) > 3 and not _is_row(tensor)
    sides = tuple(facts.inputs[0].shape[-2:]) if facts.inputs else ()
    return not tensor.dtype.startswith("float") or (tensor.shape[1:] == sides and None not in sides)


def of_output(facts: FileFacts, tensor: Tensor) -> tuple[dict[str, Any], frozenset[str]]:
    """What an output says of the task: fields of :class:`Answers`, and those of them that are guesses."""
    if gives_picture(facts, tensor):
        return _of_picture(facts, tensor)
    count = _outputs(tensor)
    asked = set() if tensor.activation else {"activation"}
    if not facts.classes:
        asked.add("classes")
    task: Task
    if tensor.activation == "Sigmoid" and count is not None and count > 1:
        task = "multi-label"
    elif count is not None and count <= 2:
        task = "binary"
    else:
        task = "multi-class"
    if count is None or (count > 1 and not tensor.activation):
        asked.add("task")
    classes = facts.classes if count is None or len(facts.classes) in (count, count + 1 if count == 1 else count) else ()
    if task != "multi-class":
        asked.add("threshold")
    return {
        "output": tensor.name, "task": task, "outputs": count, "classes": classes, "activation": _activation(tensor, task),
        "threshold": None if task == "multi-class" else 0.5, "positive": classes[-1] if task == "binary" and len(classes) == 2 else "",
    }, frozenset(asked)  # fmt: skip


def _of_picture(facts: FileFacts, tensor: Tensor) -> tuple[dict[str, Any], frozenset[str]]:
    is_number = tensor.dtype.startswith("float")
    channels = _picture_channels(tensor) if is_number and len(tensor.shape) > 3 else None  # labels have one channel, whatever they name
    # A picture has the channels of what went in, or is grey; others are one for each class.
    is_labels = not is_number or tensor.activation in ("Sigmoid", "Softmax") or channels not in (None, 1, _channels_in(facts))
    asked = {"task", "classes", "threshold"}
    if is_number and not tensor.activation:
        asked.add("activation")  # of a segmentation by logits
    # Of several channels, and of labels, the first is what is left over.
    classes = facts.classes or (() if channels == 1 else (BACKGROUND,))
    return {
        "output": tensor.name, "task": "segmentation" if is_labels else "image", "activation": _of_labels(tensor, channels), "outputs": channels,
        "threshold": 0.5 if tensor.activation == "Sigmoid" or (is_number and channels == 1) else None, "classes": classes, "positive": "",
    }, frozenset(asked)  # fmt: skip


def _of_labels(tensor: Tensor, channels: Length) -> Activation:
    """What makes shares of a segmentation's numbers, should it be one; nothing where the graph does, and of labels."""
    if tensor.activation or not tensor.dtype.startswith("float"):
        return "none"
    return "sigmoid" if channels == 1 else "softmax"


# --- reading the shapes ---


def _channels_in(facts: FileFacts) -> int | None:
    return _read_input(facts, facts.inputs[0])[0]["channels"] if len(facts.inputs[0].shape) in (4, 5) else None


def _read_input(facts: FileFacts, image: Tensor) -> tuple[dict[str, Any], set[str]]:
    shape = image.shape
    if len(shape) == 2:
        return _row_of_values(image)
    if len(shape) == 4:
        return _plane_input(facts, image)
    if len(shape) == 5:
        return _block_input(facts, image)
    if len(shape) == 3 and (facts.is_recurrent or shape[1] is None):
        raise ModelUnusable(
            _(
                "{name} takes features of planes, one after the other ({shape}), which a second network has to make of each plane. Put that "
                "network into the same folder, with a {card} whose [encoder] names it, and add the folder (models/README.md)."
            ).format(name=facts.stem, shape=image.words, card=CARD_FILE)
        )
    if not shape:
        raise ModelUnusable(_("{name} does not say how many axes its input {input} has.").format(input=image.name, name=facts.stem))
    raise ModelUnusable(_("The input of {name} is {shape}; images go in with 2, 4 or 5 axes.").format(name=facts.stem, shape=image.words))


def _row_of_values(image: Tensor) -> tuple[dict[str, Any], set[str]]:
    batch, count = image.shape
    found: dict[str, Any] = {"layout": "NF", "batch": batch, "channels": 1}
    for channels in (1, 3):
        side = isqrt(count // channels) if count else 0
        if side and side * side * channels == count:
            return found | {"height": side, "width": side, "channels": channels}, {"height", "width"}
    return found | {"height": 1 if count else None, "width": count}, {"height", "width"}


def _plane_input(facts: FileFacts, image: Tensor) -> tuple[dict[str, Any], set[str]]:
    batch, first, second, last = image.shape
    is_first, is_last = first in (1, 3), last in (1, 3)
    asked: set[str] = set()
    if is_first == is_last:
        asked.add("layout")  # both could be it, or neither is one of a picture
        is_last = _comes_from_keras(facts) if first == last or (first is None and last is None) else _is_smaller(last, first)
    layout: Layout = "NHWC" if is_last else "NCHW"
    height, width, channels = (first, second, last) if is_last else (second, last, first)
    found: dict[str, Any] = {"layout": layout, "batch": batch, "height": height, "width": width}
    if channels is None:
        asked.add("channels")
    # Another number of channels than of a picture: neighbouring planes.
    found |= {"channels": channels or 1, "planes": "one" if channels in (None, 1, 3) else "neighbours"}
    if channels not in (None, 1):
        asked.add("planes")
    return found, asked | {key for key, value in (("height", height), ("width", width)) if value is None}


def _block_input(facts: FileFacts, image: Tensor) -> tuple[dict[str, Any], set[str]]:
    batch, first, second, third, last = image.shape
    asked: set[str] = set()
    layout: Layout
    channels: Length
    if first in (1, 3) and not (second in (1, 3) and facts.is_recurrent):
        layout, depth, height, width, channels = "NCDHW", second, third, last, first
    elif second in (1, 3) and last not in (1, 3):
        layout, depth, height, width, channels = "NTCHW", first, third, last, second
    elif last in (1, 3):
        layout, depth, height, width, channels = ("NTHWC" if facts.is_recurrent else "NDHWC"), first, second, third, last
        if not facts.is_recurrent:
            asked.add("layout")
    else:
        layout, depth, height, width, channels = "NCDHW", second, third, last, first
        asked |= {"layout", "channels"}
    planes = "sequence" if layout.startswith("NT") else "volume"
    asked |= {key for key, value in (("height", height), ("width", width)) if value is None}
    found = {"layout": layout, "batch": batch, "depth": depth, "height": height, "width": width, "channels": channels or 1, "planes": planes}
    return found, asked


def _comes_from_keras(facts: FileFacts) -> bool:
    words = " ".join((facts.producer, *(value for _key, value in facts.metadata))).lower()
    return any(name in words for name in ("tf2onnx", "keras", "tensorflow"))


def _is_smaller(one: Length, other: Length) -> bool:
    return one is not None and (other is None or one < other)


def _outputs(tensor: Tensor) -> Length:
    if len(tensor.shape) == 1:
        return 1
    known = [length for length in tensor.shape[1:] if length is not None]
    return prod(known) if len(known) == len(tensor.shape) - 1 else None


def _picture_channels(tensor: Tensor) -> Length:
    first, last = tensor.shape[1], tensor.shape[-1]
    return last if _is_smaller(last, first) else first


def _activation(tensor: Tensor, task: Task) -> Activation:
    """What makes scores of a classifier's numbers."""
    if tensor.activation == "LogSoftmax":
        return "softmax"  # it undoes the logarithm
    if tensor.activation:
        return "none"  # the graph does it itself
    return "softmax" if task == "multi-class" or (task == "binary" and _outputs(tensor) == 2) else "sigmoid"


def _title(stem: str) -> str:
    """A file's name as a title: ``chest_film_cnn`` becomes ``Chest film CNN``."""
    words = [word.upper() if word.lower() in _ABBREVIATIONS else word for word in re.split(r"[_\s]+", stem.strip("_ "))]
    title = " ".join(words)
    return title[:1].upper() + title[1:]
