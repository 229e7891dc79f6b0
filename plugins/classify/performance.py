"""How well a model did at its threshold: from its card into a report's facts, and from there into a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viewer.api import Report, digits
from viewer.api import gettext as _
from viewer.api.models import ModelCard

SENSITIVITY, SPECIFICITY, TEST_SET, TEST_PREVALENCE, PREVALENCE = "sensitivity", "specificity", "test set", "test prevalence", "prevalence"
INTERVAL = "{name} interval"


def figures_in(card: ModelCard) -> tuple[tuple[str, str], ...]:
    """What a report keeps of the card: sensitivity and specificity at its threshold, with 95 % intervals, the test set and prevalences."""
    part = card.card.get("threshold", {})
    if not isinstance(part, Mapping):
        return ()
    found: list[tuple[str, str]] = []
    for name in (SENSITIVITY, SPECIFICITY):
        if _number(part.get(name)) is not None:
            found.append((name, f"{part[name]:g}"))
            interval = part.get(f"{name}_interval")
            if isinstance(interval, list | tuple) and len(interval) == 2 and all(_number(end) is not None for end in interval):
                found.append((INTERVAL.format(name=name), f"{interval[0]:g} to {interval[1]:g}"))
    if isinstance(part.get("test_set"), str):
        found.append((TEST_SET, part["test_set"]))
    if _number(part.get("prevalence")) is not None:
        found.append((TEST_PREVALENCE, f"{part['prevalence']:g}"))
    if card.output.prevalence is not None:
        found.append((PREVALENCE, f"{card.output.prevalence:g}"))
    return tuple(found)


def sentence_of(report: Report) -> str:
    """Sensitivity and specificity as they are said under the scores; "" where the card gave none."""
    facts = dict(report.facts)
    both = [_part(facts, name) for name in (SENSITIVITY, SPECIFICITY)]
    if not all(both) or report.threshold is None:
        return ""
    said = {"threshold": report.threshold, "sensitivity": both[0], "specificity": both[1]}
    share = _parsed(facts.get(TEST_PREVALENCE, ""))
    if share is None:
        return _("At the threshold {threshold:.2f}: sensitivity {sensitivity}, specificity {specificity}.").format(**said)
    words = _("At the threshold {threshold:.2f}: sensitivity {sensitivity}, specificity {specificity}; prevalence {share:.1f} %.")
    return words.format(**said, share=100 * share)


def origin_of(report: Report) -> str:
    """On what the figures were measured; "" where the card does not say."""
    test = dict(report.facts).get(TEST_SET, "")
    return _("Measured on {test}.").format(test=_(test)) if test else ""


def prevalence_of(report: Report) -> str:
    """What prevalence the probabilities assume; "" where the card does not say."""
    share = _parsed(dict(report.facts).get(PREVALENCE, ""))
    return _("The scores assume a prevalence of {share:.1f} %.").format(share=100 * share) if share is not None else ""


def _part(facts: Mapping[str, str], name: str) -> str:
    value = _parsed(facts.get(name, ""))
    if value is None:
        return ""
    ends = [_parsed(end) for end in facts.get(INTERVAL.format(name=name), "").split(" to ")]
    return digits.share(value, [end for end in ends if end is not None])


def _parsed(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
