"""What the reader thinks of a report: agree, disagree or unsure, with a label and a note; one step together.

The opinion is a step at once. Label and note, written afterwards, become part of that step as long as it is the newest: one
entry of the history, taken back as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from viewer.core.report import Opinion, Reading, Report
from viewer.core.words import _, mark
from viewer.session.document import Document
from viewer.session.heat import report_on
from viewer.session.history import ItemChange, Step
from viewer.session.view import ViewState

OPINIONS: tuple[Opinion, ...] = ("agree", "disagree", "unsure")
OPINION_TITLES: dict[str, str] = {"agree": mark("Agree"), "disagree": mark("Disagree"), "unsure": mark("Unsure")}
_STEPS: dict[str, str] = {
    "agree": mark("Agree with {model}"), "disagree": mark("Disagree with {model}"), "unsure": mark("Unsure about {model}"),
}  # fmt: skip
_TAKEN_BACK, _NOTED = mark("Take back the reading of {model}"), mark("Note on {model}")


def give_reading(document: Document, report_id: str, opinion: Opinion | None, *, label: str | None = None, note: str | None = None) -> Step | None:
    """Say what is thought of a report, as one step; label and note amend the newest step if that is a reading of the same report.

    Parameters
    ----------
    document : Document
    report_id : str
    opinion : "agree", "disagree", "unsure" or None
        None takes the whole reading back.
    label, note : str, optional
        None keeps those that were given before.

    Returns
    -------
    Step or None
        None where nothing changes, or the report is gone.
    """
    report: Report | None = document.item("report", report_id)
    if report is None:
        return None
    before = report.reading
    after: Reading | None = None
    if opinion is not None:
        kept = before or Reading(opinion)
        after = replace(
            kept, opinion=opinion, label=(kept.label if label is None else label.strip()), note=(kept.note if note is None else note.strip())
        )
    if before == after:
        return None
    if after is not None:
        after = replace(after, at=time.time())
    is_addition = before is not None and after is not None and before.opinion == after.opinion
    last = document.history.next_undo
    given = _reading_in(last, report) if is_addition and last is not None else None
    if last is not None and given is not None:
        step = replace(last, changes=(replace(given, after=replace(report, reading=after)),))
        document.amend(step)
        return step
    title = _TAKEN_BACK if after is None else _NOTED if is_addition else _STEPS[after.opinion]
    step = document.step(title, (ItemChange("report", report.id, report, replace(report, reading=after)),), model=report.model)
    document.commit(step)
    return step


def _reading_in(step: Step, report: Report) -> ItemChange | None:
    """The change of a step that did nothing but give the reading that a report has."""
    if len(step.changes) != 1 or step.title.key not in (*_STEPS.values(), _NOTED):
        return None
    change = step.changes[0]
    return change if isinstance(change, ItemChange) and change.id == report.id and change.after == report else None


def toggled(report: Report, opinion: Opinion) -> Opinion | None:
    """What a second click on the same opinion comes to: none."""
    return None if report.reading is not None and report.reading.opinion == opinion else opinion


def why_not_read(report: Report, *, is_shown_anyway: bool) -> str:
    """Why nothing can be said of a report, in a sentence; "" where it can. ``is_shown_anyway``: whether held back scores are shown by wish."""
    if report.is_unfamiliar and not is_shown_anyway:
        return _("The scores are held back, and unseen scores cannot be agreed with. “Show anyway” in the Classify tab shows them.")
    return ""


def report_in_view(document: Document, state: ViewState, model: str = "") -> Report | None:
    """The newest report on the plane that a view shows as it was acquired, of a model or ("") of any."""
    if state.volume is None or state.layout.axis != 0:
        return None
    return report_on(document, state.root_id, model=model, plane=state.array_index, phase=state.phase)


def disagreements(reports: Iterable[Report]) -> tuple[Report, ...]:
    """Those that the reader disagreed with."""
    return tuple(report for report in reports if report.is_disagreed_with)
