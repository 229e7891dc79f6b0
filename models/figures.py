"""How good a binary classifier's probabilities are: figures with bootstrap intervals, calibration, prevalence. NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def auc_of(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Area under the ROC curve by ranks, ties at their mean rank; nan where a class is missing."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ill = int(labels.sum())
    if not 0 < ill < len(labels):
        return float("nan")
    return float((ranks[labels == 1].sum() - ill * (ill + 1) / 2) / (ill * (len(labels) - ill)))


def calibration_error(p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Expected calibration error of the positive class: ten bins of equal width, each with its share as weight."""
    where = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = [abs(float((p - labels)[where == b].mean())) * float((where == b).mean()) for b in range(BINS) if (where == b).any()]
    return float(sum(gaps))


def shifted(p: NDArray[np.float64], prevalence: float, *, assumed: float = 0.5) -> NDArray[np.float64]:
    """Probabilities that assume one prevalence, moved to another by a constant on the logit."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    if not 0 < prevalence < 1:
        return p
    odds = p / (1 - p) * prevalence / (1 - prevalence) * (1 - assumed) / assumed
    return np.asarray(odds / (1 + odds))


def _share(found: NDArray[np.bool_]) -> float:
    return float(found.mean()) if found.size else float("nan")


def figures(p: NDArray[np.float64], labels: NDArray[np.int64], threshold: float, *, assumed: float = 0.5) -> dict[str, float]:
    """AUC, accuracy, sensitivity, specificity at the threshold; ECE and Brier score as given and moved to the set's own prevalence."""
    called, moved = p >= threshold, shifted(p, float(labels.mean()), assumed=assumed)
    return {
        "auc": auc_of(p, labels),
        "accuracy": _share(called == (labels == 1)),
        "sensitivity": _share(called[labels == 1]),
        "specificity": _share(~called[labels == 0]),
        "ece": calibration_error(p, labels),
        "ece_shifted": calibration_error(moved, labels),
        "brier": float(((p - labels) ** 2).mean()),
        "brier_shifted": float(((moved - labels) ** 2).mean()),
    }


def intervals(
    p: NDArray[np.float64],
    labels: NDArray[np.int64],
    threshold: float,
    *,
    groups: NDArray[np.str_] | None = None,
    assumed: float = 0.5,
    seed: int = 0,
    times: int = 2000,
) -> dict[str, tuple[float, float]]:
    """95 % percentile bootstrap intervals: whole groups (patients) are drawn, or films where no groups are given.

    A proportion of which all or none are right is so in every draw, which tells nothing: it gets the exact interval
    (:func:`exact_interval`) of as many independent trials as there are patients with such films. That is conservative: films of one
    patient are counted as one. So does an AUC of 0 or 1: it is the share of pairs in the right order, and as many pairs as the smaller
    class has patients are independent.
    """
    source = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True) if groups is not None else (None, np.arange(len(p)))
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(group))[:-1])
    rows = []
    for _ in range(times):
        drawn = np.concatenate([members[g] for g in source.integers(0, len(members), len(members))])
        rows.append(figures(p[drawn], labels[drawn], threshold, assumed=assumed))
    found = {name: _middle([row[name] for row in rows]) for name in rows[0]}
    called, ill = p >= threshold, labels == 1
    for name, right, of in (("accuracy", called == ill, np.ones(len(p), bool)), ("sensitivity", called, ill), ("specificity", ~called, ~ill)):
        if of.any() and (right[of].all() or not right[of].any()):
            found[name] = exact_interval(len(np.unique(group[of])), are_all=bool(right[of].all()))
    if (auc := auc_of(p, labels)) in (0.0, 1.0):
        found["auc"] = exact_interval(min(len(np.unique(group[of])) for of in (ill, ~ill)), are_all=auc == 1.0)
    return found


def exact_interval(trials: int, *, are_all: bool, level: float = 0.95) -> tuple[float, float]:
    """The interval of a proportion of which all or none of the trials are right.

    Source: Clopper and Pearson 1934 (doi:10.1093/biomet/26.4.404), whose bounds have this closed form at 0 and at 1.
    """
    bound = ((1 - level) / 2) ** (1 / trials)
    return (bound, 1.0) if are_all else (0.0, 1 - bound)


def _middle(values: list[float]) -> tuple[float, float]:
    """Between which 95 % of the values lie; nan and nan where none is a number: the set holds one class alone."""
    known = [value for value in values if not np.isnan(value)]
    low, high = np.percentile(known, [2.5, 97.5]) if known else (np.nan, np.nan)
    return float(low), float(high)
