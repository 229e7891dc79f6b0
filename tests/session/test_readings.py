"""What a reader says of a report: one step each, kept by the journal; reports of one plane and of all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.session.session_samples import make_document
from viewer.core.report import Reading, Report, Score
from viewer.session.codec import decode, encode
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.readings import disagreements, give_reading, is_disagreement, report_in_view, toggled
from viewer.session.view import ViewWish, resolve


def report(index: int = 2, **more: object) -> Report:
    scores = (Score("Nodule", 0.7, 0.5), Score("Effusion", 0.2, 0.5))
    made = Report(f"r{index}", "Net", "volume-a", index, 0, "net", "1", "multi-label", scores, None, "", "CPU", 3.0)
    return replace(made, **more)  # type: ignore[arg-type]


def holding(*reports: Report) -> Document:
    document = make_document()
    document.commit(document.step("Classify", tuple(ItemChange("report", r.id, None, r) for r in reports)))
    return document


def test_each_reading_is_a_step_and_keeps_what_was_said_before() -> None:
    document = holding(report())
    give_reading(document, "r2", "disagree", label=" Effusion ", note="left")
    give_reading(document, "r2", "unsure")
    found = document.item("report", "r2")
    assert (found.reading.opinion, found.reading.label, found.reading.note) == ("unsure", "Effusion", "left")
    assert found.reading.at > 1.7e9
    give_reading(document, "r2", "unsure", note="right")
    give_reading(document, "r2", None)
    assert document.item("report", "r2").reading is None
    titles = [step.title.text() for step in document.history]
    assert titles == ["Classify", "Disagree with net", "Unsure about net", "Note on net", "Take back the reading of net"]
    assert replace(document.item("report", "r2"), reading=None) == report()


def test_what_changes_nothing_is_no_step() -> None:
    document = holding(report())
    assert give_reading(document, "r2", None) is None
    assert give_reading(document, "gone", "agree") is None
    give_reading(document, "r2", "agree")
    assert give_reading(document, "r2", "agree", label="", note=" ") is None
    assert len(document.history) == 2


def test_the_same_opinion_again_is_none() -> None:
    assert toggled(report(), "agree") == "agree"
    assert toggled(report(reading=Reading("agree")), "agree") is None
    assert toggled(report(reading=Reading("agree")), "disagree") == "disagree"


def test_only_disagreement_counts_as_one() -> None:
    read = [report(n, reading=Reading(opinion)) for n, opinion in enumerate(("agree", "disagree", "unsure"))]
    assert [is_disagreement(r) for r in (*read, report(3))] == [False, True, False, False]
    assert disagreements(read) == (read[1],)


def test_the_journal_keeps_a_reading(tmp_path: Path) -> None:
    kept = report(reading=Reading("disagree", "Effusion", "“left”, =1+1", 1.8e9), strangeness=0.25, strangeness_limit=1.0)
    assert decode(encode(kept, lambda _array: 0), lambda _number, _packed: None) == kept


@pytest.mark.parametrize(("index", "facts", "planes"), [(2, (), {2}), (2, (("planes", "all planes as one block"),), {0, 1, 2, 3, 4})])
def test_a_view_shows_the_report_of_its_plane_or_of_all(index: int, facts: tuple[tuple[str, str], ...], planes: set[int]) -> None:
    document = holding(report(index, facts=facts))
    shown = {n for n in range(5) if resolve(ViewWish("volume-a", plane="acquired", index=n), document).report is not None}
    assert {resolve(ViewWish("volume-a", plane="acquired", index=n), document).array_index for n in shown} == planes
    assert resolve(ViewWish("volume-a", plane="coronal", index=2), document).report is None


def test_the_newest_report_of_the_wanted_model_is_shown() -> None:
    document = holding(report(), report(id="newer"), report(id="other", model="other net"))
    state = resolve(ViewWish("volume-a", plane="acquired", index=2), document)
    assert state.report is not None
    at = state.array_index
    assert at == 2
    assert state.report.id == "other"
    found = report_in_view(document, state, "net")
    assert found is not None
    assert found.id == "newer"
