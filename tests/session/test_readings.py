"""What a reader says of a report: one step each, kept by the journal; reports of one plane and of all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.session.session_samples import make_document, make_volume
from viewer.core.errors import Refused
from viewer.core.report import Reading, Report, Score
from viewer.session.codec import decode, encode
from viewer.session.document import Document
from viewer.session.history import ItemChange, LabelsChange
from viewer.session.packing import Packed
from viewer.session.readings import disagreements, give_reading, report_in_view, toggled
from viewer.session.store import Store, restore
from viewer.session.view import ViewWish, resolve


def report(index: int = 2, **more: object) -> Report:
    scores = (Score("Nodule", 0.7, 0.5), Score("Effusion", 0.2, 0.5))
    made = Report(f"r{index}", "Net", "volume-a", index, 0, "net", "1", "multi-label", scores, None, "", "CPU", 3.0)
    return replace(made, **more)  # type: ignore[arg-type]


def holding(*reports: Report) -> Document:
    document = make_document()
    document.commit(document.step("Classify", tuple(ItemChange("report", r.id, None, r) for r in reports)))
    return document


def titles(document: Document) -> list[str]:
    return [step.title.text() for step in document.history]


def test_each_reading_is_a_step_and_keeps_what_was_said_before() -> None:
    document = holding(report())
    give_reading(document, "r2", "disagree", label=" Effusion ", note="left")
    give_reading(document, "r2", "unsure")
    found = document.item("report", "r2")
    assert (found.reading.opinion, found.reading.label, found.reading.note) == ("unsure", "Effusion", "left")
    assert found.reading.at > 1.7e9
    give_reading(document, "r2", None)
    assert document.item("report", "r2").reading is None
    assert titles(document) == ["Classify", "Disagree with net", "Unsure about net", "Take back the reading of net"]
    assert replace(document.item("report", "r2"), reading=None) == report()


def test_verdict_label_and_note_are_one_step_that_undo_takes_back_whole() -> None:
    document = holding(report())
    before = document.state_hash()
    told: list[object] = []
    document.changed.connect(lambda changes: told.append(changes))
    give_reading(document, "r2", "disagree")
    give_reading(document, "r2", "disagree", label="Effusion")
    give_reading(document, "r2", "disagree", note="left")
    assert len(told) == 3
    assert titles(document) == ["Classify", "Disagree with net"]
    whole = document.state_hash()
    assert document.undo()
    assert document.state_hash() == before
    assert document.redo()
    assert document.state_hash() == whole
    found = document.item("report", "r2").reading
    assert (found.opinion, found.label, found.note) == ("disagree", "Effusion", "left")


def test_a_note_after_something_else_is_a_step_of_its_own_and_drops_what_was_undone() -> None:
    document = holding(report(), report(3))
    give_reading(document, "r2", "agree")
    give_reading(document, "r3", "agree")
    give_reading(document, "r2", "agree", note="a")
    give_reading(document, "r2", "agree", note="ab")
    assert titles(document)[1:] == ["Agree with net", "Agree with net", "Note on net"]
    document.undo()
    assert document.item("report", "r2").reading.note == ""
    give_reading(document, "r3", "agree", note="c")  # the newest in force is its own; what was undone is gone
    assert titles(document)[1:] == ["Agree with net", "Agree with net"]
    assert not document.redo()


def test_an_amended_step_comes_back_from_the_journal_as_one(tmp_path: Path) -> None:
    document = Document(Store(tmp_path / "a.nego"))
    document.add_source(make_volume())
    document.commit(document.step("Classify", (ItemChange("report", "r2", None, report()),)))
    give_reading(document, "r2", "disagree")
    give_reading(document, "r2", "disagree", note="left")
    assert document.store is not None
    document.store.flush()
    state = document.state_hash()
    document.store.close()
    again = restore(tmp_path / "a.nego", lambda _source: make_volume(), writable=False)
    assert again.state_hash() == state
    assert titles(again) == ["Classify", "Disagree with net"]
    again.undo()
    assert again.item("report", "r2").reading is None


def test_amending_takes_back_what_the_step_did_and_tells_of_both() -> None:
    document = make_document()
    first, second = report(1), report(2)
    document.commit(document.step("Classify", (ItemChange("report", first.id, None, first),)))
    told: list[set[str]] = []
    document.changed.connect(lambda changes: told.append({item_id for _kind, item_id in changes.items}))
    document.amend(document.step("Classify", (ItemChange("report", second.id, None, second),)))
    assert document.items("report") == (second,)
    assert told == [{first.id, second.id}]
    assert document.undo()
    assert document.items("report") == ()


def test_an_amendment_that_cannot_be_made_leaves_the_step_as_it_was() -> None:
    document = holding(report())
    before = document.state_hash()
    gone = Packed.__new__(Packed)
    with pytest.raises((AttributeError, KeyError)):
        document.amend(document.step("Paint", (LabelsChange("gone", ((0, 1), (0, 1), (0, 1)), gone, gone),)))
    assert document.state_hash() == before
    assert titles(document) == ["Classify"]


def test_without_a_step_there_is_none_to_amend() -> None:
    document = make_document()
    with pytest.raises(Refused, match="no step"):
        document.amend(document.step("Classify", (ItemChange("report", "r2", None, report()),)))


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
    assert [r.is_disagreed_with for r in (*read, report(3))] == [False, True, False, False]
    assert disagreements(read) == (read[1],)


def test_the_journal_keeps_a_reading(tmp_path: Path) -> None:
    for whole in (False, True):
        kept = report(reading=Reading("disagree", "Effusion", "“left”, =1+1", 1.8e9), strangeness=0.25, strangeness_limit=1.0, is_of_whole=whole)
        assert decode(encode(kept, lambda _array: 0), lambda _number, _packed: None) == kept


@pytest.mark.parametrize(("facts", "is_of_whole"), [((), False), ((("sha256", "ab"), ("planes", "all planes as one block")), True)])
def test_a_report_of_an_older_history_speaks_of_what_it_spoke_of(facts: tuple[tuple[str, str], ...], is_of_whole: bool) -> None:
    """Then a fact said whether it was of all planes."""
    older = json.loads(encode(report(facts=facts), lambda _array: 0))
    del older["is_of_whole"]
    assert decode(json.dumps(older), lambda _number, _packed: None) == report(facts=facts, is_of_whole=is_of_whole)


@pytest.mark.parametrize(("is_of_whole", "planes"), [(False, {2}), (True, {0, 1, 2, 3, 4})])
def test_a_view_shows_the_report_of_its_plane_or_of_all(is_of_whole: bool, planes: set[int]) -> None:
    document = holding(report(2, is_of_whole=is_of_whole, facts=(("planes", "words are for people"),)))
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
