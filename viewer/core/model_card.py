"""A model's card as values: what the program has to know to feed a network, and what a person has to know to trust it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

Task = Literal["binary", "multi-class", "multi-label", "image", "segmentation"]
Layout = Literal["NCHW", "NHWC", "NCDHW", "NDHWC", "NTCHW", "NTHWC", "NTF", "NF"]
"""Order of the input's axes: D are the planes of a volume, T those of a sequence, F the pixels of a plane in one row (classical models), or
its features where an encoder makes them."""
Planes = Literal["one", "neighbours", "volume", "sequence"]
"""What one input is made of: a plane; a plane with its neighbours as channels (2.5-D); a block of planes; planes one after the other."""
Fit = Literal["squeeze", "crop", "pad"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]
ValueKind = Literal["window-or-range", "window", "range", "percentiles"]
Activation = Literal["none", "sigmoid", "softmax"]
PictureScale = Literal["normalised", "levels", "values"]
FamiliarityKind = Literal["", "output", "energy", "distance"]
ColorOrder = Literal["RGB", "BGR"]
Statistics = Literal["fixed", "input"]

INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
TASKS: tuple[Task, ...] = get_args(Task)
CLASSIFYING: tuple[Task, ...] = ("binary", "multi-class", "multi-label")
"""The tasks whose result is a report; the others give a picture or a label map."""
MODEL_FILE, CARD_FILE = "model.onnx", "card.toml"
MOST_NUMBERS = 1 << 28
"""In one call of a network, in all."""


@dataclass(frozen=True, slots=True)
class ModelClass:
    """One thing that a model tells, and the output that tells it; ``complement_of``: it is what is left to 1 of another class."""

    name: str
    output: int = 0
    complement_of: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    """Coded meaning: scheme, value, meaning."""
    threshold: float | None = None
    """At or over it the class counts as found. None: there is no threshold for this class."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network takes. ``height``, ``width`` None: whatever the image has. ``depth``: planes of a volume or sequence, None: all."""

    name: str = ""
    dtype: str = "float32"
    layout: Layout = "NCHW"
    height: int | None = 224
    width: int | None = 224
    channels: int = 1
    planes: Planes = "one"
    depth: int | None = 1
    batch: int | None = None
    """How many go in at a time where the graph has it fixed; None: any number."""
    color_order: ColorOrder = "RGB"
    """Of the three channels of an image in colour."""
    fit: Fit = "squeeze"
    resize: int | None = None
    """The shorter side (``fit = "squeeze"``: both sides) is first brought to so many pixels, and the middle of that goes in; None: nothing
    is cut off."""
    pad_value: float | None = None
    """Level, on the scale of ``ValueSpec.out_range``, of what ``fit = "pad"`` adds; None repeats the edge."""
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    multiple: int = 1
    """Where the input has no size of its own: rows and columns are filled up to a multiple of this."""
    is_grey_only: bool = False
    """Colour images are refused; without this, a model of one channel gets their brightness."""
    polarity: Literal["bone-bright", "as-stored"] = "bone-bright"


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """A second network beside the model, which makes features of each plane: (N, planes' axes) -> (N, F). The model gets them in sequence."""

    file: str
    sha256: str
    input: str = ""
    output: str = ""
    """Of its graph; "" its only input, its first output of numbers."""
    layout: Layout = "NCHW"


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """From stored values to levels on ``out_range``: linear between two ends, clipped, not rounded."""

    kind: ValueKind = "window-or-range"
    """``window-or-range``: the file's window, else percentiles. ``window``: ``center`` and ``width`` of the card. ``range``: ``low`` to ``high``."""
    eight_bit: Literal["as-is", "as-others"] = "as-is"
    low: float = 0.0
    high: float = 255.0
    center: float = 127.5
    width: float = 255.0
    unit: str = ""
    """Unit that ``low``, ``high``, ``center``, ``width`` are in: an image in another one is refused. "" asks for none."""
    percentiles: tuple[float, float] = (1.0, 99.0)
    out_range: tuple[float, float] = (0.0, 255.0)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """``(level / scale - mean) / std``, per channel where there are several."""

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    statistics: Statistics = "fixed"
    """``input``: mean and standard deviation are those of each input itself, over all its channels; of a sequence, of each plane."""


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What comes out, and what makes scores of it."""

    name: str = ""
    activation: Activation = "none"
    temperature: float = 1.0
    is_calibrated: bool = False
    prevalence: float | None = None
    """The share of the positive class that the probabilities assume."""
    picture: PictureScale = "normalised"
    """Of the task image, the scale that the output is on: that of the input; levels on ``ValueSpec.out_range``; or values in ``unit``."""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ExplainSpec:
    """Names of the tensors of an exact class activation map; "" where the card names none (the graph is then looked through)."""

    feature: str = ""
    weight: str = ""
    bias: str = ""


@dataclass(frozen=True, slots=True)
class FamiliaritySpec:
    """How the model knows images unlike those it was trained on; strangeness above ``threshold`` is unfamiliar."""

    kind: FamiliarityKind = ""
    output: str = ""
    """``output``: the graph's own output of that name. ``distance``: the tensor of pooled features."""
    threshold: float = math.inf
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Applies:
    """What images a model is for; empty: not said."""

    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    view: tuple[str, ...] = ()
    age_years: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's folder and its card, checked as far as can be done without running it."""

    name: str
    title: str
    version: str
    task: Task
    entries: tuple[ModelClass, ...]
    input: InputSpec
    values: ValueSpec
    normalisation: Normalisation
    output: OutputSpec
    explain: ExplainSpec
    familiarity: FamiliaritySpec
    applies: Applies
    sha256: str
    folder: Path
    threshold: float | None = None
    """Of the positive class; for the tasks with several classes that of each class that has none of its own."""
    positive: str = ""
    is_benchmark: bool = False
    external: Mapping[str, str] = field(default_factory=dict)
    """Files with weights beside the model, by name, with their checksums."""
    encoder: EncoderSpec | None = None
    """None: the planes go into the model as they are."""
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that the card says: training data, figures, intended use ... for people."""
    notes: tuple[str, ...] = ()
    """Sentences on what was passed over or assumed in reading the card."""

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self.entries)

    @property
    def modalities(self) -> tuple[str, ...]:
        return self.applies.modality

    @property
    def is_classifier(self) -> bool:
        return self.task in CLASSIFYING

    @property
    def model_path(self) -> Path:
        return self.folder / MODEL_FILE

    @property
    def beside(self) -> Mapping[str, str]:
        """All files that belong to the model beside ``model.onnx``, by name, with their checksums."""
        return self.external if self.encoder is None else {**self.external, self.encoder.file: self.encoder.sha256}

    @property
    def fed_layout(self) -> Layout:
        """Order of the axes of what is made of the image: the model's input, or planes in sequence where an encoder stands before it."""
        if self.encoder is None:
            return self.input.layout
        return "NTHWC" if self.encoder.layout == "NHWC" else "NTCHW"

    def threshold_of(self, name: str) -> float | None:
        """The threshold that a class is held against; None where there is none."""
        entry = next(e for e in self.entries if e.name == name)
        if entry.threshold is not None:
            return entry.threshold
        return self.threshold if not self.positive or name == self.positive else None


def card_of(text: Mapping[str, Any], folder: Path) -> ModelCard:
    """A card from what its file says (``core.card_reading`` reads the keys, ``core.card_rules`` holds them against each other).

    Raises
    ------
    ModelUnusable
        Something is missing, misspelt or out of range; the sentence names file and key.
    """
    from viewer.core import card_reading

    return card_reading.read(text, folder)
