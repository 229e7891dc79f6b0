"""What the Classify tab says of models and results: whether a card fits an image, what a run found."""

from __future__ import annotations

from typing import Any

from plugins.classify import fitness
from viewer.api import Report, digits, mark
from viewer.api import gettext as _
from viewer.api.models import ModelCard, facts_of, fit_of
from viewer.api.panel import headline, ngettext, over_threshold

UNFAMILIAR = mark("This model has not seen such images.")
_OF_SLICES = (
    mark("Classified {total} slices; the model has not seen such images as {strange} of them."),
    mark("Classified {total} slices, with warnings: {name} above the threshold on {count}."),
    mark("Classified {total} slices: {name} above the threshold on {count}."),
)
_OF_FRAMES = (
    mark("Classified {total} frames; the model has not seen such images as {strange} of them."),
    mark("Classified {total} frames, with warnings: {name} above the threshold in {count}."),
    mark("Classified {total} frames: {name} above the threshold in {count}."),
)
"""What a run of several found: some that the model does not know, with warnings, without."""


def is_whole(model: ModelCard) -> bool:
    """Whether all planes of an image go into a model together."""
    return model.input.planes in ("volume", "sequence")


def misfit(model: ModelCard, volume: Any) -> str:
    """A sentence where an image is none of those that a model is for; "" where it is, or may be. ``volume``: of the view."""
    who, obstacle = volume.identity, fit_of(model, facts_of(volume)).obstacle
    if obstacle == "body_part":
        words = _("This model is for the body part {listed}; the file says {value}.")
        return words.format(listed=", ".join(model.applies.body_part), value=who.body_part)
    if obstacle == "unit":
        return _("This model takes values in {unit}; those of this image are in {other}.").format(unit=model.values.unit, other=volume.unit)
    if obstacle == "planes":
        return _("This model takes several planes; this image is one.")
    return fitness.modality_warning(model, who.modality) if obstacle else ""


def unknown(model: ModelCard, volume: Any) -> str:
    """What a file leaves open of what a model is for, in a sentence; "" where nothing."""
    who = volume.identity
    return fitness.missing(model, modality=who.modality, body_part=who.body_part, view=who.view_position, age=who.age)


def warnings_of(report: Report) -> str:
    """What is to be said before the scores; the most important first."""
    told = [_(sentence) for sentence in report.warnings]
    return "\n".join([_(UNFAMILIAR), *told] if report.is_unfamiliar else told)


def summary(reports: tuple[Report, ...]) -> str:
    """What a run found, in one sentence."""
    first = reports[0]
    told = any(report.warnings for report in reports)
    strange = sum(report.is_unfamiliar for report in reports)
    if len(reports) == 1:
        if strange:
            return _(UNFAMILIAR)
        words = _("Classified, with warnings: {said}.") if told else _("Classified: {said}.")
        return words.format(said=headline(first))
    unseen, warned, plain = _OF_FRAMES if len({report.phase for report in reports}) > 1 else _OF_SLICES
    if strange:
        return _(unseen).format(total=len(reports), strange=strange)
    name = first.usual_class
    count = sum(name in over_threshold(report) for report in reports)
    return _(warned if told else plain).format(total=len(reports), name=_(name), count=count)


def reading_after(pairs: tuple[tuple[Report, Report], ...]) -> str:
    """What became of the reader's readings where a run took the place of an older one, (older, new) each; "" where there were none."""
    read = [(old, new) for old, new in pairs if old.reading is not None]
    again = sum(new.reading is None for _old, new in read)
    if not read:
        return ""
    if not again:
        return ngettext("Your reading stays.", "Your {count} readings stay.", len(read))
    return ngettext(
        "The result is another, so your reading is asked for again; Undo brings back the one before.",
        "{count} results are others, so your readings of them are asked for again; Undo brings back those before.",
        again,
    )


def result_text(report: Report) -> str:
    """A result to be pasted elsewhere: what was found by which model, and what is to be known about it."""
    lines = [" ".join(part for part in (report.model, report.version, dict(report.facts).get("sha256", "")[:8]) if part)]
    if report.is_unfamiliar:
        lines.append(_(UNFAMILIAR))
    else:
        lines += [f"{_(score.name)}: {digits.score(score.value)}" for score in report.scores]
    lines += [_(sentence) for sentence in report.warnings]
    return "\n".join([*lines, _("Not for diagnosis")])
