"""A card's keys have types and ranges and must agree with each other; what does not costs one sentence that names file and key."""

from __future__ import annotations

import copy
import datetime as dt
import math
import random
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.core.card_samples import CARD, changed, multi_class
from viewer.core.errors import ModelUnusable
from viewer.core.model_card import ModelCard, card_of

FOLDER = Path("some-model")
ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "models").glob("*/card.toml"))


def reason(card: dict[str, Any]) -> str:
    with pytest.raises(ModelUnusable) as caught:
        card_of(card, FOLDER)
    return str(caught.value)


def test_a_whole_card_becomes_values_of_the_types_that_are_named() -> None:
    card = card_of(CARD, FOLDER)
    assert (card.name, card.task, card.classes, card.positive) == ("lungs", "binary", ("Ill", "Well"), "Ill")
    assert (card.input.height, card.input.pad_value, card.input.batch) == (32, 0.0, None)
    assert card.values.center == 40.0 and isinstance(card.values.percentiles, tuple)
    assert card.applies.age_years == (1.0, 5.0)
    assert card.threshold_of("Ill") == 0.5 and card.threshold_of("Well") is None
    assert dict(card.external) == {"weights.bin": "cd" * 32}
    assert card.notes == ()


def test_a_card_of_the_needed_keys_alone_has_the_documented_defaults() -> None:
    text = 'name="m"\ntitle="M"\nversion="1"\ntask="image"\nsha256="' + "0" * 64 + '"\n[input]\n'
    card = card_of(tomllib.loads(text), FOLDER)
    assert (card.input.layout, card.input.height, card.input.channels, card.input.planes, card.input.fit) == ("NCHW", None, 1, "one", "squeeze")
    assert (card.values.kind, card.values.percentiles, card.values.out_range) == ("window-or-range", (1.0, 99.0), (0.0, 255.0))
    assert (card.normalisation.scale, card.normalisation.mean, card.normalisation.std) == (1.0, (0.0,), (1.0,))
    assert (card.output.activation, card.output.temperature, card.is_benchmark) == ("none", 1.0, False)
    assert card.entries == () and card.applies.modality == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_cards_that_come_with_the_program_are_read_without_a_note(path: Path) -> None:
    card = card_of(tomllib.loads(path.read_text("utf-8")), path.parent)
    assert card.notes == () and card.name == path.parent.name


@pytest.mark.parametrize("key", ["name", "title", "version", "task", "sha256", "input", "classes.0.name", "values.center", "familiarity.threshold"])
def test_a_missing_key_is_named_with_its_file(key: str) -> None:
    last = key.replace(".0.", "[0].")
    assert reason(changed(key, ...)) == f'some-model/card.toml: the key "{last}" is missing.'


WRONG: list[tuple[str, Any, str]] = [
    ("name", 5, "must be a text"),
    ("title", ["a"], "must be a text"),
    ("version", 1.0, "1.0; it must be a text, in quotes"),
    ("title", " ", "is empty"),
    ("title", "x" * 301, "has 301 characters; 300"),
    ("task", "regression", "known are binary, multi-class"),
    ("task", True, "must be a text"),
    ("schema", 2, "newer program"),
    ("schema", "1", "whole number"),
    ("schema", True, "true; it must be a whole number"),
    ("schema", 0, "between 1"),
    ("file", "other.onnx", "must be called model.onnx"),
    ("sha256", "abc", "SHA-256"),
    ("sha256", "g" * 64, "SHA-256"),
    ("benchmark", "yes", "true or false"),
    ("benchmark", 1, "true or false"),
    ("positive", "Dead", "none of the classes"),
    ("intended_use", 3, "must be a text"),
    ("opset", "17", "whole"),
    ("classes", {}, "list of tables"),
    ("classes", [1], "list of tables"),
    ("classes", [], "names 0"),
    ("classes.0.name", 7, '"classes[0].name" is 7'),
    ("classes.1.name", "Ill", 'two classes are called "Ill"'),
    ("classes.0.output", -1, "between 0"),
    ("classes.0.output", 0.5, "whole number"),
    ("classes.0.threshold", 1.5, "between 0 and 1"),
    ("classes.0.threshold", math.nan, "must be a number"),
    ("classes.0.code", "SCT", "must be a table"),
    ("classes.0.code.value", 12, "must be a text"),
    ("classes.1.complement_of", "Nobody", "must be another class"),
    ("classes.1.complement_of", "Well", "must be another class"),
    ("classes.0.complement_of", "Well", "must be another class"),
    ("classes.1", {"name": "Well", "output": 0}, "have the output 0"),
    ("input.channels", 0, "between 1"),
    ("input.channels", "RGB", "whole number"),
    ("input", [], "must be a table"),
    ("input.layout", "CHW", "known are NCHW"),
    ("input.height", "all", 'whole number or "any"'),
    ("input.height", 0, "between 1"),
    ("input.height", 1 << 40, "between 1 and"),
    ("input.height", 10**5000, "between 1 and"),
    ("input.height", 32.0, "whole number"),
    ("input.width", -3, "between 1"),
    ("input.batch", "any", 'or "dynamic"'),
    ("input.batch", 0, "between 1"),
    ("input.dtype", "bfloat16", "known are float32"),
    ("input.depth", 3, '"planes = volume"'),
    ("input.fit", "stretch", "known are squeeze"),
    ("input.pad_value", "edge", "must be a number"),
    ("input.antialias", 1, "true or false"),
    ("input.multiple", 0, "between 1"),
    ("input.grey_only", "no", "true or false"),
    ("input.interpolation", "lanczos", "known are bilinear"),
    ("input.polarity", "dark", "known are bone-bright"),
    ("input.name", 4, "must be a text"),
    ("input.planes", "two", "known are one"),
    ("input.planes", "volume", "needs one of the layouts NCDHW, NDHWC"),
    ("input.planes", "sequence", "needs one of the layouts NTCHW, NTHWC"),
    ("input.planes", "neighbours", "must be odd and 3 or more"),
    ("input.layout", "NCDHW", 'is "one", which needs one of the layouts NCHW'),
    ("input.color_order", "GBR", "known are RGB, BGR"),
    ("input.color_order", "BGR", "for inputs of three colours"),
    ("input.resize", 0, "must lie between 1 and"),
    ("input.resize", "all", 'a whole number or "none"'),
    ("input.resize", 40, "no padding"),
    ("values", 3, "must be a table"),
    ("values.kind", "auto", "known are"),
    ("values.width", 0.0, "above 0"),
    ("values.center", "40", "must be a number"),
    ("values.center", math.inf, "must be a number"),
    ("values.unit", 1, "must be a text"),
    ("values.percentiles", [99, 1], "the smaller one first"),
    ("values.percentiles", [1, 101], "between 0 and 100"),
    ("values.percentiles", [-1, 99], "between 0 and 100"),
    ("values.percentiles", [1], "two numbers"),
    ("values.percentiles", 5, "two numbers"),
    ("values.out_range", [1, 1], "the smaller one first"),
    ("values.eight_bit", True, "must be a text"),
    ("normalisation.scale", 0, "above 0"),
    ("normalisation.scale", -1, "above 0"),
    ("normalisation.mean", 0.5, "list of numbers"),
    ("normalisation.mean", ["a"], "list of numbers"),
    ("normalisation.mean", [0.1, 0.2], "has 2 numbers"),
    ("normalisation.std", [0.0], "above 0"),
    ("normalisation.std", [1, 1, 1], "has 3 numbers"),
    ("normalisation.mean", [math.nan], "list of numbers"),
    ("normalisation.statistics", "image", "known are fixed, input"),
    ("normalisation.statistics", "input", 'leave out "mean" and "std"'),
    ("output.activation", "relu", "known are none"),
    ("output.activation", "softmax", 'take "sigmoid"'),
    ("output.temperature", 0, "between"),
    ("output.temperature", -1.0, "between"),
    ("output.temperature", math.inf, "must be a number"),
    ("output.calibrated", "yes", "true or false"),
    ("output.prevalence", 2, "between 0 and 1"),
    ("output.name", [], "must be a text"),
    ("explain.weight", 5, "must be a text"),
    ("explain.feature", "", 'needs "feature" and "weight"'),
    ("explain.weight", "", 'needs "feature" and "weight"'),
    ("familiarity.kind", "magic", "known are output, energy"),
    ("familiarity.threshold", "x", "must be a number"),
    ("familiarity.threshold", math.nan, "must be a number"),
    ("familiarity.mean", [1.0], "as many of both"),
    ("familiarity.scale", [1.0, 0.0], "above 0"),
    ("threshold", 0.5, "must be a table, under [threshold]"),
    ("threshold.value", 1.01, "between 0 and 1"),
    ("threshold.value", "half", "must be a number"),
    ("threshold.sensitivity", 96.4, "between 0 and 1"),
    ("threshold.sensitivity_interval", [0.9], "two numbers"),
    ("threshold.specificity_interval", [0.1, 1.1], "between 0 and 1"),
    ("threshold.test_set", 4, "must be a text"),
    ("applies.modality", "CR", 'a list of texts, such as ["CR", "DX"]'),
    ("applies.modality", [1], "list of texts"),
    ("applies.age_years", [5, 1], "the smaller one first"),
    ("applies.age_years", [-1, 5], "between 0 and 150"),
    ("applies.view", {}, "list of texts"),
    ("training", "noise", "must be a table"),
    ("training.licence", 4, "must be a text"),
    ("metrics.test", 0.9, '"metrics.test" is 0.9; it must be a table'),
    ("external", ["w.bin"], "must be a table"),
    ("external", {"../w.bin": "0" * 64}, "plain name"),
    ("external", {"/etc/passwd": "0" * 64}, "plain name"),
    ("external", {"a\\b": "0" * 64}, "plain name"),
    ("external", {"model.onnx": "0" * 64}, "plain name"),
    ("external", {"Card.toml": "0" * 64}, "plain name"),
    ("external", {"w.bin": "1"}, '"external.w.bin" must be the SHA-256'),
    ("external", {"w.bin": True}, "must be a text"),
]


@pytest.mark.parametrize(("where", "value", "words"), WRONG, ids=[f"{w}-{n}" for n, (w, _v, _t) in enumerate(WRONG)])
def test_a_wrong_value_is_refused_in_one_sentence_with_file_and_key(where: str, value: Any, words: str) -> None:
    sentence = reason(changed(where, value))
    assert sentence.startswith("some-model/card.toml: ") and words in sentence
    assert "\n" not in sentence and len(sentence) < 400 and sentence.endswith(".")


def test_the_middle_of_a_larger_picture_needs_one_that_is_larger_and_a_classifier() -> None:
    card = changed("input.resize", 40, changed("input.fit", "crop"))
    assert card_of(card, FOLDER).input.resize == 40
    assert card_of(changed("input.resize", "none", card), FOLDER).input.resize is None
    assert "must be as large at least" in reason(changed("input.resize", 31, card))
    assert 'numbers for "input.height"' in reason(changed("input.width", "any", card))
    assert "is for models that classify" in reason(changed("task", "segmentation", changed("classes", [{"name": "Lung"}], card)))


def test_neighbours_have_no_order_of_colours() -> None:
    card = changed("input.channels", 3, changed("input.color_order", "BGR"))
    assert card_of(card, FOLDER).input.color_order == "BGR"
    assert "three colours" in reason(changed("input.planes", "neighbours", card))


def test_a_picture_does_not_come_back_from_the_statistics_of_each_input() -> None:
    card = changed("normalisation", {"statistics": "input"}, changed("task", "image", changed("classes", [])))
    assert card_of(card, FOLDER).normalisation.statistics == "input"
    assert "pictures cannot come back" in reason(changed("output.picture", "normalised", card))


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", ".hidden", "", "con", "NUL.txt", "x" * 65, "a b", "end.", "a\nb", "-x", "ö" * 101, "c:x"])
def test_a_name_that_is_no_folders_name_is_refused(name: str) -> None:
    assert '"name"' in reason(changed("name", name))


@pytest.mark.parametrize("name", ["pneumonia-cxr", "Model_2.1", "肺炎", "a", "größe-3", "x" * 64])
def test_a_name_in_any_script_may_be(name: str) -> None:
    assert card_of(changed("name", name), FOLDER).name == name


@pytest.mark.parametrize(
    ("layout", "planes", "channels", "depth"),
    [("NHWC", "one", 1, 1), ("NCHW", "neighbours", 5, 1), ("NCDHW", "volume", 1, 16), ("NDHWC", "volume", 3, "any"), ("NTCHW", "sequence", 3, "any"),
     ("NF", "one", 1, 1)],
)  # fmt: skip
def test_layouts_go_with_their_kinds_of_planes(layout: str, planes: str, channels: int, depth: Any) -> None:
    card = copy.deepcopy(CARD)
    card["input"] |= {"layout": layout, "planes": planes, "channels": channels, "depth": depth}
    assert (card_of(card, FOLDER).input.planes, card_of(card, FOLDER).input.channels) == (planes, channels)


@pytest.mark.parametrize(("layout", "planes"), [("NCDHW", "volume"), ("NTHWC", "sequence"), ("NHWC", "one")])
def test_planes_follow_from_the_layout_where_the_card_is_silent(layout: str, planes: str) -> None:
    card = changed("input.layout", layout)
    del card["input"]["planes"], card["input"]["depth"]
    found = card_of(card, FOLDER).input
    assert found.planes == planes and found.depth == (1 if planes == "one" else None)


def test_a_row_of_values_needs_a_size() -> None:
    card = changed("input.layout", "NF")
    assert '"input.height" and "input.width" must be numbers' in reason(changed("input.height", "any", card))


@pytest.mark.parametrize("channels", [1, 4])
def test_a_plane_and_its_neighbours_are_an_odd_number(channels: int) -> None:
    card = changed("input.planes", "neighbours")
    assert f'"input.channels" is {channels}' in reason(changed("input.channels", channels, card))


@pytest.mark.parametrize("planes", ["one", "volume", "sequence"])
def test_a_plane_has_one_channel_or_three(planes: str) -> None:
    layout = {"one": "NCHW", "volume": "NCDHW", "sequence": "NTCHW"}[planes]
    card = changed("input.channels", 100)
    card["input"] |= {"layout": layout, "planes": planes, "depth": 1 if planes == "one" else "any"}
    assert '"input.channels" is 100; a plane has 1, in colour 3.' in reason(card)


def test_an_absurd_size_is_refused() -> None:
    card = changed("input.height", 1 << 20)
    card["input"]["width"] = 1 << 20
    assert f"asks for {1 << 40} numbers" in reason(card)


def test_mean_and_spread_may_be_one_for_each_channel() -> None:
    card = changed("input.channels", 3)
    card["normalisation"] |= {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    assert card_of(card, FOLDER).normalisation.std == (0.229, 0.224, 0.225)


def test_classes_have_the_outputs_of_their_places_unless_the_card_says_otherwise() -> None:
    assert [entry.output for entry in card_of(multi_class(4), FOLDER).entries] == [0, 1, 2, 3]


def test_several_classes_need_several_and_a_binary_model_two() -> None:
    assert "needs more classes" in reason(multi_class(1))
    assert "has two classes; the card names 3" in reason(multi_class(3, task="binary"))
    assert "needs two or more classes" in reason(multi_class(3, task="multi-label"))
    sigmoid = changed("output.activation", "sigmoid", multi_class(1, task="multi-label"))
    assert card_of(sigmoid, FOLDER).classes == ("Class 0",)


def test_the_positive_class_follows_from_a_complement_else_it_is_guessed_and_told() -> None:
    follows = card_of(changed("positive", ...), FOLDER)
    assert follows.positive == "Ill" and follows.notes == ()
    two = multi_class(2, task="binary")
    guessed = card_of(two, FOLDER)
    assert guessed.positive == "Class 1"
    assert guessed.notes == ('some-model/card.toml: "positive" is missing; the class "Class 1" is taken, which has the last output.',)


@pytest.mark.parametrize("task", ["image", "segmentation"])
def test_pictures_and_label_maps_need_no_classes(task: str) -> None:
    card = multi_class(0, task=task)
    assert card_of(card, FOLDER).classes == () and not card_of(card, FOLDER).is_classifier
    assert card_of(multi_class(2, task=task), FOLDER).classes == ("Class 0", "Class 1")
    assert 'is for models that classify; this one has the task "' in reason(changed("task", task))


def test_unknown_keys_are_told_and_refuse_nothing() -> None:
    card = changed("normalisation.meen", [0.5])
    del card["normalisation"]["mean"]
    card |= {"hieght": 3}
    card["classes"][0]["colour"] = "red"
    found = card_of(card, FOLDER)
    assert found.name == "lungs"
    assert found.notes == (
        'some-model/card.toml: the key "hieght" is not known and is passed over.',
        'some-model/card.toml: the key "classes[0].colour" is not known and is passed over.',
        'some-model/card.toml: the key "normalisation.meen" is not known and is passed over; "mean" is one that is.',
    )


def test_of_very_many_unknown_keys_the_first_are_told() -> None:
    assert len(card_of(CARD | {f"key {n}": n for n in range(100_000)}, FOLDER).notes) == 8


def test_what_people_write_about_training_and_figures_is_free() -> None:
    card = changed("training.anything", {"deep": [1, 2]})
    card["metrics"]["other set"] = {"auc": 1}
    assert card_of(card, FOLDER).notes == ()


def test_tables_without_end_and_keys_that_are_no_texts_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert "deeper" in reason(CARD | {"training": deep})
    assert reason({1: 2})
    assert reason([1])  # type: ignore[arg-type]


def test_nothing_that_a_screen_acts_on_gets_into_a_sentence() -> None:
    for where in ("name", "task", "positive", "input.layout", "classes.1.complement_of"):
        sentence = reason(changed(where, "\x1b[31m\u202e\nx"))
        assert sentence.isprintable()
    found = card_of(CARD | {"\x1b[31m": 1}, FOLDER)
    assert all(note.isprintable() for note in found.notes)


# --- mutated cards ---

JUNK: list[Any] = [
    None,
    "",
    " ",
    "x",
    "x" * 70_000,
    "\x00\x1b[2J",
    "\ud800",
    0,
    -1,
    1,
    2**63,
    -(10**400),
    0.5,
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    [],
    [[]],
    {},
    [1, 2, 3],
    ["a", 1],
    [{}],
    {"a": {"b": []}},
    dt.date(2020, 1, 1),
    dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    "any",
    "dynamic",
    [math.nan],
    [0.0] * 3,
    object(),
    b"bytes",
    {1: 2},
]


def places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def spoilt(rng: random.Random) -> dict[str, Any]:
    made = copy.deepcopy(CARD)
    for _ in range(rng.choice((1, 1, 2, 5))):
        *parents, last = rng.choice(list(places(made)))
        part: Any = made
        for key in parents:
            part = part[key]
        act = rng.randrange(4)
        if act == 0:
            del part[last]
        elif act == 1:
            part[last] = copy.copy(rng.choice(JUNK))
        elif isinstance(part, dict):
            part[rng.choice((*CARD, *CARD["input"], "q"))] = copy.copy(rng.choice(JUNK))
        else:
            part.append(copy.copy(rng.choice(JUNK)))
    return made


def outcome(read: Callable[..., ModelCard], *arguments: Any) -> ModelCard | str:
    """The card, or what was said against it; anything else than that is an error of ours."""
    try:
        return read(*arguments)
    except ModelUnusable as error:
        return str(error)


@pytest.mark.parametrize("seed", range(10))
def test_of_mutated_cards_each_is_read_or_costs_one_sentence(seed: int) -> None:
    rng = random.Random(seed)
    read = 0
    for _ in range(300):
        card = spoilt(rng)
        found = outcome(card_of, card, FOLDER)
        assert isinstance(found, ModelCard) or (found.isprintable() and len(found) < 600)
        read += isinstance(found, ModelCard)
    assert read > 10, "all were refused: nothing was tried beyond the first rule"


@pytest.mark.parametrize("seed", range(5))
def test_of_mutated_files_each_is_read_or_costs_one_sentence(seed: int, tmp_path: Path) -> None:
    from viewer.session.models import read_card

    rng = random.Random(seed)
    whole = tomli_w.dumps(CARD).encode()
    for _ in range(100):
        text = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(text))
            act = rng.randrange(4)
            if act == 0:
                text[at] = rng.randrange(256)
            elif act == 1:
                del text[at : at + rng.randrange(1, 40)]
            elif act == 2:
                text[at:at] = text[at : at + 60]
            else:
                text[at:at] = rng.choice((b"[[", b"]" * 9, b"=" * 3, b'"""', b"9" * 5000, b"[" * 3000, b"2020-13-41", b"\xff", b"nan", b"{a={"))
        (tmp_path / "card.toml").write_bytes(text)
        found = outcome(read_card, tmp_path)
        assert isinstance(found, ModelCard) or tmp_path.name in found
