"""A model's card as values: what the program has to know to feed a network, and what a person has to know to trust it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from viewer.core.errors import ModelUnusable
from viewer.core.words import _

Task = Literal["binary", "multi-class", "multi-label", "image", "segmentation"]
Layout = Literal["NCHW", "NHWC", "NCDHW", "NDHWC", "NTCHW", "NTHWC", "NF"]
"""Order of the input's axes: D are the planes of a volume, T those of a sequence, F values in one row (classical models)."""
Planes = Literal["one", "neighbours", "volume", "sequence"]
"""What one input is made of: a plane; a plane with its neighbours as channels (2.5-D); a block of planes; planes one after the other."""
Fit = Literal["squeeze", "crop", "pad"]
ValueKind = Literal["window-or-range", "window", "range", "percentiles"]
Activation = Literal["none", "sigmoid", "softmax"]
FamiliarityKind = Literal["", "output", "energy", "distance"]

TASKS: tuple[Task, ...] = get_args(Task)
CLASSIFYING: tuple[Task, ...] = ("binary", "multi-class", "multi-label")
"""The tasks whose result is a report; the others give a picture or a label map."""
MODEL_FILE, CARD_FILE = "model.onnx", "card.toml"
MOST_PIXELS = 1 << 26


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
    fit: Fit = "squeeze"
    pad_value: float | None = None
    """Level, on the scale of ``ValueSpec.out_range``, of what ``fit = "pad"`` adds; None repeats the edge."""
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    antialias: bool = True
    multiple: int = 1
    """Where the input has no size of its own: rows and columns are filled up to a multiple of this."""
    is_grey_only: bool = False
    """Colour images are refused; without this, a model of one channel gets their brightness."""
    polarity: Literal["bone-bright", "as-stored"] = "bone-bright"


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


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """What comes out, and what makes scores of it."""

    name: str = ""
    activation: Activation = "none"
    temperature: float = 1.0
    is_calibrated: bool = False
    prevalence: float | None = None
    """The share of the positive class that the probabilities assume."""


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
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that the card says: training data, figures, intended use ... for people."""

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

    def threshold_of(self, name: str) -> float | None:
        """The threshold that a class is held against; None where there is none."""
        entry = next(e for e in self.entries if e.name == name)
        if entry.threshold is not None:
            return entry.threshold
        return self.threshold if not self.positive or name == self.positive else None


def card_of(text: Mapping[str, Any], folder: Path) -> ModelCard:
    """A card from what its file says.

    Raises
    ------
    ModelUnusable
        Something is missing, misspelt or out of range; the sentence names it.
    """
    reader = _Reader(text, folder.name)
    try:
        return reader.card(folder)
    except (KeyError, TypeError, ValueError) as err:
        raise ModelUnusable(_("The card of the model {folder} lacks or misspells {reason}.").format(folder=folder.name, reason=err)) from err


class _Reader:
    def __init__(self, text: Mapping[str, Any], name: str) -> None:
        self.text, self.name = text, name

    def card(self, folder: Path) -> ModelCard:
        text = self.text
        task = self._one_of("task", str(text["task"]), TASKS)
        entries = tuple(self._entry(e) for e in text.get("classes", ()))
        names = [e.name for e in entries]
        if (task in CLASSIFYING and len(entries) < 2) or len(set(names)) != len(names):
            raise ModelUnusable(
                _("The card of the model {folder} names the classes {classes}; two or more different ones are needed.").format(
                    folder=self.name, classes=tuple(names)
                )
            )
        threshold = self._part("threshold").get("value")
        return ModelCard(
            name=str(text["name"]), title=str(text["title"]), version=str(text["version"]), task=task, entries=entries,
            input=self._input(), values=self._values(), normalisation=self._normalisation(), output=self._output(), explain=self._explain(),
            familiarity=self._familiarity(), applies=self._applies(), sha256=str(text["sha256"]), folder=folder,
            threshold=None if threshold is None else float(threshold), positive=str(text.get("positive", "")),
            is_benchmark=bool(text.get("benchmark", False)), external={str(k): str(v) for k, v in dict(text.get("external", {})).items()}, card=text,
        )  # fmt: skip

    def _part(self, key: str) -> Mapping[str, Any]:
        part = self.text.get(key, {})
        if not isinstance(part, Mapping):
            raise TypeError(key)
        return part

    def _one_of(self, key: str, value: str, known: Sequence[Any]) -> Any:
        if value not in known:
            raise ModelUnusable(
                _('The card of {card} names the {key} "{value}"; known are {known}.').format(
                    card=self.name, key=key, value=value, known=", ".join(w for w in known if w)
                )
            )
        return value

    def _entry(self, entry: Mapping[str, Any]) -> ModelClass:
        limit = entry.get("threshold")
        return ModelClass(
            str(entry["name"]), int(entry.get("output", 0)), str(entry.get("complement_of", "")),
            {str(k): str(v) for k, v in dict(entry.get("code", {})).items()}, None if limit is None else float(limit),
        )  # fmt: skip

    def _input(self) -> InputSpec:
        part = self.text["input"]
        size = [None if part.get(key) in (None, "any") else int(part[key]) for key in ("height", "width")]
        depth = part.get("depth", 1)
        batch = part.get("batch", "dynamic")
        found = InputSpec(
            name=str(part.get("name", "")), dtype=str(part.get("dtype", "float32")),
            layout=self._one_of("layout", str(part.get("layout", "NCHW")), get_args(Layout)), height=size[0], width=size[1],
            channels=int(part.get("channels", 1)), planes=self._one_of("planes", str(part.get("planes", "one")), get_args(Planes)),
            depth=None if depth == "any" else int(depth), batch=None if batch == "dynamic" else int(batch),
            fit=self._one_of("fit", str(part.get("fit", "squeeze")), get_args(Fit)),
            pad_value=None if part.get("pad_value") is None else float(part["pad_value"]), antialias=bool(part.get("antialias", True)),
            interpolation=self._one_of("interpolation", str(part.get("interpolation", "bilinear")), ("bilinear", "bicubic", "nearest")),
            multiple=int(part.get("multiple", 1)), is_grey_only=bool(part.get("grey_only", False)),
            polarity=self._one_of("polarity", str(part.get("polarity", "bone-bright")), ("bone-bright", "as-stored")),
        )  # fmt: skip
        if any(
            n is not None and not 1 <= n <= MOST_PIXELS for n in (found.height, found.width, found.depth, found.batch, found.channels, found.multiple)
        ):
            raise ValueError("input")
        return found

    def _values(self) -> ValueSpec:
        part, default = self._part("values"), ValueSpec()
        return ValueSpec(
            kind=self._one_of("kind of values", str(part.get("kind", default.kind)), get_args(ValueKind)),
            eight_bit=self._one_of("eight_bit", str(part.get("eight_bit", default.eight_bit)), ("as-is", "as-others")),
            low=float(part.get("low", default.low)), high=float(part.get("high", default.high)),
            center=float(part.get("center", default.center)), width=float(part.get("width", default.width)), unit=str(part.get("unit", "")),
            percentiles=_pair(part.get("percentiles", default.percentiles), "percentiles"),
            out_range=_pair(part.get("out_range", default.out_range), "out_range"),
        )  # fmt: skip

    def _normalisation(self) -> Normalisation:
        part = self._part("normalisation")
        mean, std = (tuple(float(v) for v in part.get(key, [default])) for key, default in (("mean", 0.0), ("std", 1.0)))
        scale = float(part.get("scale", 1.0))
        if not scale or not all(std) or not all(map(math.isfinite, (scale, *mean, *std))):
            raise ValueError("normalisation")
        return Normalisation(scale, mean, std)

    def _output(self) -> OutputSpec:
        part = self._part("output")
        prevalence = part.get("prevalence")
        temperature = float(part.get("temperature", 1.0))
        if not temperature > 0:
            raise ValueError("temperature")
        return OutputSpec(
            str(part.get("name", "")), self._one_of("activation", str(part.get("activation", "none")), get_args(Activation)), temperature,
            bool(part.get("calibrated", False)), None if prevalence is None else float(prevalence),
        )  # fmt: skip

    def _explain(self) -> ExplainSpec:
        part = self._part("explain")
        return ExplainSpec(*(str(part.get(key, "")) for key in ("feature", "weight", "bias")))

    def _familiarity(self) -> FamiliaritySpec:
        part = self._part("familiarity")
        if not part:
            return FamiliaritySpec()
        return FamiliaritySpec(
            self._one_of("kind of familiarity", str(part["kind"]), get_args(FamiliarityKind)), str(part.get("output", "")), float(part["threshold"]),
            tuple(float(v) for v in part.get("mean", ())), tuple(float(v) for v in part.get("scale", ())),
        )  # fmt: skip

    def _applies(self) -> Applies:
        part = self._part("applies")
        ages = part.get("age_years")
        modality, body_part, view = (tuple(str(v) for v in part.get(key, ())) for key in ("modality", "body_part", "view"))
        return Applies(modality, body_part, view, None if ages is None else _pair(ages, "age_years"))


def _pair(value: Sequence[Any], name: str) -> tuple[float, float]:
    if len(value) != 2:
        raise ValueError(name)
    low, high = float(value[0]), float(value[1])
    if not low < high:
        raise ValueError(name)
    return low, high
