"""From outputs to scores: each activation by its formula, in 64 bits; what does not match the card is said in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import card_with

from plugins.classify import scoring
from viewer.core.errors import ModelUnusable

THREE = [{"name": name} for name in ("Zero", "One", "Two")]
LOGITS = np.array([[-800.0, 0.0, 3.0], [1.5, -2.0, 0.25], [40.0, 41.0, 800.0]])


def test_a_logit_becomes_a_probability_and_its_complement() -> None:
    card = card_with(output={"activation": "sigmoid", "temperature": 0.551})
    logits = np.array([[-900.0], [-2.0], [0.0], [0.3], [900.0]])
    found = scoring.scores(card, logits)
    assert found.dtype == np.float64
    assert found[:, 0] == pytest.approx(special.expit(logits[:, 0] / 0.551), abs=1e-12)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-12)


def test_several_classes_make_one_by_softmax() -> None:
    card = card_with(task="multi-class", classes=THREE, output={"activation": "softmax", "temperature": 2.0})
    assert scoring.scores(card, LOGITS) == pytest.approx(special.softmax(LOGITS / 2, axis=1), abs=1e-12)


def test_several_labels_are_told_each_by_itself() -> None:
    card = card_with(task="multi-label", classes=THREE, output={"activation": "sigmoid"})
    assert scoring.scores(card, LOGITS) == pytest.approx(special.expit(LOGITS), abs=1e-12)


def test_what_the_graph_has_activated_is_taken_as_it_is() -> None:
    shares = special.softmax(LOGITS, axis=1)
    card = card_with(task="multi-class", classes=THREE, output={"activation": "none"})
    assert scoring.scores(card, shares) == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize("task", ["multi-class", "multi-label"])
def test_a_temperature_works_on_the_logits_that_probabilities_stand_for(task: str) -> None:
    logits = LOGITS[1:2]
    shares = special.softmax(logits, axis=1) if task == "multi-class" else special.expit(logits)
    expected = special.softmax(logits / 1.7, axis=1) if task == "multi-class" else special.expit(logits / 1.7)
    card = card_with(task=task, classes=THREE, output={"activation": "none", "temperature": 1.7})
    assert scoring.scores(card, shares) == pytest.approx(expected, abs=1e-9)


def test_classes_may_come_in_another_order_than_the_outputs() -> None:
    classes = [{"name": "Zero", "output": 2}, {"name": "One", "output": 0}, {"name": "Two", "output": 1}]
    card = card_with(task="multi-class", classes=classes, output={"activation": "softmax"})
    assert scoring.scores(card, LOGITS) == pytest.approx(special.softmax(LOGITS, axis=1)[:, [2, 0, 1]], abs=1e-12)
    assert [scoring.output_of(card, name) for name in ("Zero", "One", "Two")] == [(2, 1.0), (0, 1.0), (1, 1.0)]


def test_two_outputs_may_be_told_by_one_class_and_what_is_left() -> None:
    classes = [{"name": "No", "complement_of": "Yes"}, {"name": "Yes", "output": 1}]
    card = card_with(classes=classes, output={"activation": "none"})
    assert scoring.scores(card, np.array([[0.9, 0.1]])) == pytest.approx(np.array([[0.9, 0.1]]))
    assert scoring.output_of(card, "No") == (1, -1.0)


@pytest.mark.parametrize(
    ("parts", "outputs", "words"),
    [
        ({}, [[0.1, 0.2, 0.3]], r'in the card of "m": 1; outputs of the model: 3\.'),
        ({"task": "multi-class", "classes": THREE}, [[0.4, 0.6]], r"names output 2, counted from 0; the model gives 2\.$"),
        ({"task": "multi-class", "classes": THREE}, [[0.1, 0.2, 0.3, 0.4]], r'in the card of "m": 3; outputs of the model: 4\.'),
        ({"task": "multi-label", "classes": THREE}, [[0.1, 0.2, 0.3, 0.4]], r'in the card of "m": 3; outputs of the model: 4\.'),
        ({"output": {"activation": "none"}}, [[3.0]], r"gave scores from 3 to 3; they must lie between 0 and 1\.$"),
        ({"output": {"activation": "none"}}, [[-0.5]], r"gave scores from -0\.5 to -0\.5; they must lie between 0 and 1\.$"),
        ({"task": "multi-class", "classes": THREE, "output": {"activation": "none"}}, [[0.9, 0.9, 0.9]], r"add up to 2\.7; they must add up to 1\."),
    ],
)
def test_classes_that_do_not_match_outputs_are_said_in_a_sentence(parts: dict[str, Any], outputs: list[list[float]], words: str) -> None:
    with pytest.raises(ModelUnusable, match=words):
        scoring.scores(card_with(**parts), np.array(outputs))


def test_rounding_is_no_fault() -> None:
    card = card_with(task="multi-class", classes=THREE, output={"activation": "none"})
    found = scoring.scores(card, np.array([[1.0004, -0.0003, 0.003]]))
    assert (found.min(), found.max()) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("task", "activation", "outputs", "doubted"),
    [
        ("multi-class", "softmax", [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], True),
        ("multi-class", "softmax", [[0.2, 0.3, 0.5], [1.0, 0.0, 0.2]], False),
        ("multi-class", "softmax", [[-0.5, 0.5, 1.0]], False),
        ("multi-class", "none", [[0.2, 0.3, 0.5]], False),
        ("multi-label", "sigmoid", [[0.2, 0.3, 0.5]], False),
    ],
)
def test_what_adds_up_to_one_already_is_doubted(task: str, activation: str, outputs: list[list[float]], doubted: bool) -> None:
    card = card_with(task=task, classes=[{"name": n} for n in "ABC"], output={"activation": activation})
    assert bool(scoring.doubt(card, np.array(outputs))) == doubted
