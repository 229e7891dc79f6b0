"""From what a card's file says to a :class:`~viewer.core.model_card.ModelCard`: key by key, then what must hold between the keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from viewer.core import card_rules
from viewer.core.card_table import CardTable, printable, shown
from viewer.core.errors import ModelUnusable
from viewer.core.model_card import (
    CARD_FILE,
    CLASSIFYING,
    INTERPOLATIONS,
    MODEL_FILE,
    TASKS,
    Activation,
    Applies,
    ColorOrder,
    EncoderSpec,
    ExplainSpec,
    FamiliarityKind,
    FamiliaritySpec,
    Fit,
    InputSpec,
    Layout,
    ModelCard,
    ModelClass,
    Normalisation,
    OutputSpec,
    PictureScale,
    Planes,
    Statistics,
    ValueKind,
    ValueSpec,
)
from viewer.core.words import _

SCHEMA = 1
DTYPES = ("float32", "float16", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")
_MOST_CLASSES, _MOST_FILES, _DEEPEST, _MOST_NOTES = 20_000, 100, 16, 8
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_FOR_PEOPLE = ("intended_use", "not_for", "author", "contact", "url", "citation", "licence", "license", "description")


def read(text: Mapping[str, Any], folder: Path) -> ModelCard:
    """A card from what its file says. Raises ModelUnusable with one sentence that names file and key."""
    file = f"{printable(folder.name)}/{CARD_FILE}"
    if not isinstance(text, Mapping) or _is_too_deep(text, _DEEPEST):
        raise ModelUnusable(_("{file}: its tables lie deeper in each other than those of any card.").format(file=file))
    top = CardTable(text, file)
    _check_schema(top)
    task = top.choice("task", TASKS)
    entries = tuple(_entry(part, place, task) for place, part in enumerate(top.tables("classes", _MOST_CLASSES)))
    threshold, external = _people(top), _external(top)
    top.require("input")
    card = ModelCard(
        name=top.text("name"), title=top.text("title", longest=300), version=top.text("version", longest=60), task=task, entries=entries,
        input=_input(top.table("input")), values=_values(top.table("values")), normalisation=_normalisation(top.table("normalisation")),
        output=_output(top.table("output")), explain=_explain(top.table("explain")), familiarity=_familiarity(top.table("familiarity")),
        applies=_applies(top.table("applies")), sha256=_checksum(top, "sha256"), folder=folder, threshold=threshold,
        positive=top.text("positive", ""), is_benchmark=top.flag("benchmark", False), external=external,
        encoder=_encoder(top, external), card=text,
    )  # fmt: skip
    return card_rules.settled(card, file, tuple(islice(top.unknown(), _MOST_NOTES)))


def _check_schema(top: CardTable) -> None:
    schema = top.whole("schema", SCHEMA, 1, 1 << 30)
    if schema > SCHEMA:
        raise ModelUnusable(
            _("{file}: it is of the form {schema}, and this program reads form {known}. A newer program is needed.").format(
                file=top.file, schema=schema, known=SCHEMA
            )
        )
    if (file := top.text("file", MODEL_FILE)) != MODEL_FILE:
        raise ModelUnusable(
            _('{file}: "file" is {name}; the model\'s file must be called {known}.').format(file=top.file, name=shown(file), known=MODEL_FILE)
        )
    top.whole("opset", 17, 1, 1000)


def _people(top: CardTable) -> float | None:
    """What people read, whose types the pages rely on; and the threshold among it."""
    for key in _FOR_PEOPLE:
        if key in top and key != "citation":
            top.text(key)
    top.pass_over(*_FOR_PEOPLE, "training", "metrics", "proposed", "notes")
    training, metrics, notes = top.table("training"), top.table("metrics"), top.table("proposed")
    for key in ("data", "licence", "population", "split", "method"):
        training.text(key, "")
    metrics.table("test")
    for part in (training, metrics, notes):
        part.close()
    return _threshold(top.table("threshold"))


def _threshold(part: CardTable) -> float | None:
    value = part.number_or_none("value", 0, 1)
    for key in ("sensitivity", "specificity", "prevalence"):
        part.number_or_none(key, 0, 1)
    for key in ("sensitivity_interval", "specificity_interval"):
        if key in part:
            part.pair(key, low=0, high=1, may_be_equal=True)
    for key in ("chosen_on", "test_set"):
        part.text(key, "")
    part.pass_over("sensitivity_interval", "specificity_interval")
    return value


def _entry(part: CardTable, place: int, task: str) -> ModelClass:
    # Each class has the output of its place, unless the card says otherwise.
    complement_of = part.text("complement_of", "")
    found = ModelClass(
        part.text("name", longest=200), part.whole("output", 0 if complement_of else place, 0, _MOST_CLASSES), complement_of,
        part.table("code").words(), part.number_or_none("threshold", 0, 1),
    )  # fmt: skip
    if task not in CLASSIFYING and complement_of:
        raise ModelUnusable(
            _('{file}: "{key}" is for models that classify; this one has the task "{task}".').format(
                file=part.file, key=part.name("complement_of"), task=task
            )
        )
    return found


def _input(part: CardTable) -> InputSpec:
    layout = part.choice("layout", get_args(Layout), "NCHW")
    is_sequence, is_volume = layout.startswith("NT"), layout in ("NCDHW", "NDHWC")
    part.pass_over("shape")
    return InputSpec(
        name=part.text("name", ""), dtype=part.choice("dtype", DTYPES, "float32"), layout=layout,
        height=part.whole_or("any", "height", "any"), width=part.whole_or("any", "width", "any"),
        channels=part.whole("channels", 1, 1, 4096),
        planes=part.choice("planes", get_args(Planes), "sequence" if is_sequence else "volume" if is_volume else "one"),
        depth=part.whole_or("any", "depth", "any" if is_sequence or is_volume else 1), batch=part.whole_or("dynamic", "batch", "dynamic"),
        color_order=part.choice("color_order", get_args(ColorOrder), "RGB"), fit=part.choice("fit", get_args(Fit), "squeeze"),
        resize=part.whole_or("none", "resize", "none", high=1 << 14),
        pad_value=part.number_or_none("pad_value"),
        interpolation=part.choice("interpolation", INTERPOLATIONS, "bilinear"), antialias=part.flag("antialias", True),
        multiple=part.whole("multiple", 1, 1, 4096), is_grey_only=part.flag("grey_only", False),
        polarity=part.choice("polarity", ("bone-bright", "as-stored"), "bone-bright"),
    )  # fmt: skip


def _values(part: CardTable) -> ValueSpec:
    default = ValueSpec()
    kind = part.choice("kind", get_args(ValueKind), default.kind)
    if kind == "range":
        part.require("low", "high")
    if kind == "window":
        part.require("center", "width")
    part.choice("window", ("", "file"), "")  # says what "window-or-range" does, for readers of the card
    return ValueSpec(
        kind=kind, eight_bit=part.choice("eight_bit", ("as-is", "as-others"), default.eight_bit), low=part.number("low", default.low),
        high=part.number("high", default.high), center=part.number("center", default.center), width=part.number("width", default.width),
        unit=part.text("unit", "", longest=40), percentiles=part.pair("percentiles", default.percentiles, 0, 100),
        out_range=part.pair("out_range", default.out_range),
    )  # fmt: skip


def _normalisation(part: CardTable) -> Normalisation:
    default = Normalisation()
    return Normalisation(
        part.number("scale", default.scale), part.numbers("mean", default.mean), part.numbers("std", default.std, above=0),
        part.choice("statistics", get_args(Statistics), default.statistics),
    )  # fmt: skip


def _output(part: CardTable) -> OutputSpec:
    part.pass_over("shape")
    return OutputSpec(
        part.text("name", ""), part.choice("activation", get_args(Activation), "none"), part.number("temperature", 1.0, 1e-6, 1e6),
        part.flag("calibrated", False), part.number_or_none("prevalence", 0, 1), part.choice("picture", get_args(PictureScale), "normalised"),
        part.text("unit", "", longest=40),
    )  # fmt: skip


def _explain(part: CardTable) -> ExplainSpec:
    part.pass_over("feature_shape")
    return ExplainSpec(part.text("feature", ""), part.text("weight", ""), part.text("bias", ""))


def _familiarity(part: CardTable) -> FamiliaritySpec:
    kind = part.choice("kind", get_args(FamiliarityKind), "")
    if kind:
        part.require("threshold")
    default = FamiliaritySpec()
    part.pass_over("chosen_on", "fitted_on", "method", "source", "held_out_flagged", "strangers_flagged")
    return FamiliaritySpec(
        kind, part.text("output", ""), part.number("threshold", default.threshold, may_be_infinite=True), part.numbers("mean", ()),
        part.numbers("scale", (), above=0),
    )  # fmt: skip


def _applies(part: CardTable) -> Applies:
    ages = part.pair("age_years", low=0, high=150, may_be_equal=True) if "age_years" in part else None
    part.pass_over("age_years")
    return Applies(part.texts("modality"), part.texts("body_part"), part.texts("view"), ages)


def _external(top: CardTable) -> dict[str, str]:
    """Plain names of files beside the model, with their checksums."""
    part = top.table("external")
    names = part.keys()
    if len(names) > _MOST_FILES:
        raise ModelUnusable(
            _('{file}: "{key}" has {length} entries; {most} are allowed.').format(file=top.file, key="external", length=len(names), most=_MOST_FILES)
        )
    for name in names:
        if not card_rules.is_plain(name) or name.casefold() in (MODEL_FILE, CARD_FILE):
            raise ModelUnusable(
                _('{file}: "external" names {name}; it must be the plain name of another file beside the model.').format(
                    file=top.file, name=shown(name)
                )
            )
    return {name: _checksum(part, name) for name in names}


def _encoder(top: CardTable, taken: Iterable[str]) -> EncoderSpec | None:
    if "encoder" not in top:
        return None
    part = top.table("encoder")
    name = part.text("file")
    if not card_rules.is_plain(name) or name.casefold() in (MODEL_FILE, CARD_FILE, *(other.casefold() for other in taken)):
        raise ModelUnusable(
            _('{file}: "{key}" is {name}; it must be the plain name of another file beside the model, which "external" does not list.').format(
                file=top.file, key=part.name("file"), name=shown(name)
            )
        )
    return EncoderSpec(
        name, _checksum(part, "sha256"), part.text("input", ""), part.text("output", ""), part.choice("layout", ("NCHW", "NHWC"), "NCHW")
    )


def _checksum(part: CardTable, key: str) -> str:
    value = part.text(key).strip().lower()
    if not _CHECKSUM.fullmatch(value):
        raise ModelUnusable(
            _('{file}: "{key}" must be the SHA-256 of the file, 64 digits and letters from a to f.').format(file=part.file, key=part.name(key))
        )
    return value


def _is_too_deep(value: Any, left: int) -> bool:
    if isinstance(value, Mapping):
        return not left or any(not isinstance(key, str) or _is_too_deep(part, left - 1) for key, part in value.items())
    if isinstance(value, list | tuple):
        return not left or any(_is_too_deep(part, left - 1) for part in value)
    return False
