"""What a model said of an image in one line: the same words in the corner of the view, in the panel's message and on exported pictures."""

from __future__ import annotations

from viewer.core import digits
from viewer.core.report import Report
from viewer.core.words import _


def headline(report: Report) -> str:
    """The score and on which side of its threshold it lies: ``Pneumonia 87.4 %, above threshold``.

    Of several classes how many reach theirs, and the highest of these: ``2 of 14 above threshold, highest: Mass 91.0 %``. Without a
    threshold there is only the class with the highest score. Of an image that the model does not know nothing should be said: its
    caller asks for that first.
    """
    with_limit = [score for score in report.scores if score.threshold is not None]
    positive = next((score for score in with_limit if score.name == report.positive), None)
    if positive is not None:
        words = _("{name} {score}, above threshold") if positive in report.found else _("{name} {score}, below threshold")
        return words.format(name=_(positive.name), score=digits.score(positive.value))
    if not with_limit:
        return _("{name} {score}").format(name=_(report.best.name), score=digits.score(report.best.value))
    best = max(report.found, key=lambda score: score.value, default=report.best)
    words = _("{over} of {count} above threshold, highest: {name} {score}")
    return words.format(over=len(report.found), count=len(report.scores), name=_(best.name), score=digits.score(best.value))
