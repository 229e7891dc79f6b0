"""The one line that says what a model said: the corner of the view and the message use the same."""

from __future__ import annotations

from typing import Any

import pytest

from viewer.core.report import Report, Score
from viewer.session.headline import headline


def report(*scores: Score, positive: str = "", **facts: Any) -> Report:
    return Report("r", "t", "v", 0, 0, "m", "1", "task", scores, None, positive, "CPU", 3.0, **facts)


@pytest.mark.parametrize(
    ("value", "threshold", "said"),
    [
        (0.874, 0.5, "Pneumonia 87.4 %, above threshold"),
        (0.03, 0.5, "Pneumonia 3.0 %, below threshold"),
        (0.55, 0.6, "Pneumonia 55.0 %, below threshold"),  # the higher of two scores, and yet not found
        (0.45, 0.4, "Pneumonia 45.0 %, above threshold"),
        (0.5, 0.5, "Pneumonia 50.0 %, above threshold"),
    ],
)
def test_of_a_positive_class_its_score_and_side_of_the_threshold_are_said(value: float, threshold: float, said: str) -> None:
    assert headline(report(Score("Pneumonia", value, threshold), Score("No pneumonia", 1 - value), positive="Pneumonia")) == said


def test_of_several_findings_it_is_said_how_many_there_are() -> None:
    scores = (Score("Mass", 0.9, 0.95), Score("Nodule", 0.7, 0.5), Score("Hernia", 0.8, 0.5))
    assert headline(report(*scores)) == "2 of 3 above threshold, highest: Hernia 80.0 %"
    assert headline(report(*scores[:1])) == "0 of 1 above threshold, highest: Mass 90.0 %"


def test_without_a_threshold_the_highest_score_stands_alone() -> None:
    assert headline(report(Score("a", 0.2), Score("b", 0.8))) == "b 80.0 %"
