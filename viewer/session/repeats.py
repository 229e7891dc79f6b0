"""Asking a model again: its new report takes the place of the older one on the same plane, and keeps what the reader thought of it."""

from __future__ import annotations

from dataclasses import replace

from viewer.core.overlay import ScalarMap
from viewer.core.report import Reading, Report
from viewer.session.document import Document
from viewer.session.history import Change, ItemChange, Step

SAME = 1e-6
"""Scores that differ by no more are the same."""


def in_place(document: Document, step: Step) -> Step:
    """A step whose new reports stand in the place of the older ones of the same network on the same plane, whichever device was asked.

    An older report is replaced, not joined: lists have one row, and undo brings the older one back. Its reading stays where the
    same classes are found, and is asked again otherwise. Of its heat-maps those stay that the new run does not bring, as
    long as the scores that they explain are the same. Another version or file of a model is another network.
    """
    brought = {c.id: c.after for c in step.changes if isinstance(c, ItemChange) and isinstance(c.after, Report) and c.before is None}
    older = {_question(report): report for volume_id in {r.volume_id for r in brought.values()} for report in document.reports_of(volume_id)}
    places = {report.id: older[_question(report)] for report in brought.values() if _question(report) in older}
    if not places:
        return step
    maps = [c.after for c in step.changes if isinstance(c, ItemChange) and isinstance(c.after, ScalarMap)]
    changes: list[Change] = []
    for new_id, old in places.items():
        is_same = _are_same(old, brought[new_id])
        renewed = {(item.score, item.method) for item in maps if item.report_id == new_id}
        changes += [
            ItemChange("overlay", item.id, item, None)
            for item in document.overlays_of(old.volume_id)
            if item.report_id == old.id and (not is_same or (item.score, item.method) in renewed)
        ]
    for change in step.changes:
        if isinstance(change, ItemChange) and change.id in places and change.kind == "report":
            old, new = places[change.id], brought[change.id]
            changes.append(ItemChange("report", old.id, old, replace(new, id=old.id, reading=_carried(old, new))))
        elif isinstance(change, ItemChange) and isinstance(change.after, ScalarMap) and change.after.report_id in places:
            changes.append(replace(change, after=replace(change.after, report_id=places[change.after.report_id].id)))
        else:
            changes.append(change)
    return replace(step, changes=tuple(changes))


def repeated(step: Step) -> tuple[tuple[Report, Report], ...]:
    """(older, new) of the reports of a step that took the place of others."""
    pairs = ((c.before, c.after) for c in step.changes if isinstance(c, ItemChange) and c.kind == "report")
    return tuple((before, after) for before, after in pairs if before is not None and after is not None)


def _question(report: Report) -> tuple[object, ...]:
    """What was asked of which network."""
    plane = -1 if report.is_of_whole else report.index
    facts = dict(report.facts)
    return report.volume_id, plane, report.phase, report.model, report.version, facts.get("sha256", ""), facts.get("encoder", "")


def _are_same(old: Report, new: Report) -> bool:
    before, after = ({score.name: score.value for score in report.scores} for report in (old, new))
    return before.keys() == after.keys() and all(abs(before[name] - value) <= SAME for name, value in after.items())


def _carried(old: Report, new: Report) -> Reading | None:
    return old.reading if _are_same(old, new) or _says(old) == _says(new) else None


def _says(report: Report) -> tuple[object, ...]:
    """What a reader agrees or disagrees with."""
    if report.is_unfamiliar:
        return (True,)
    return False, report.best.name, {score.name for score in report.found}
