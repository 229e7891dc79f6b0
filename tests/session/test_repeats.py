"""Asking a model again: one row, the reading and the heat-maps that still hold, and the way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.session.session_samples import GEOMETRY, make_document
from viewer.core.overlay import ScalarMap
from viewer.core.report import Reading, Report, Score
from viewer.session.document import Document
from viewer.session.history import ItemChange, Step
from viewer.session.repeats import in_place, repeated

READING = Reading("disagree", "Effusion", "left", 1.8e9)


def report(name: str, value: float = 0.7, **more: object) -> Report:
    scores = (Score("Nodule", value, 0.5), Score("Effusion", 1 - value, 0.5))
    facts = (("sha256", "ab" * 32),)
    made = Report(name, "Net", "volume-a", 2, 0, "net", "1", "multi-class", scores, None, "", "CPU", 3.0, facts=facts)
    return replace(made, **more)  # type: ignore[arg-type]


def heat(name: str, report_id: str, method: str) -> ScalarMap:
    geometry = GEOMETRY.cropped((2, 0, 0), (1, *GEOMETRY.shape[1:]))
    return ScalarMap(
        name, name, "volume-a", geometry, np.ones(geometry.shape, np.float32), "", "inferno", report_id=report_id, method=method, score="Nodule"
    )


def put(document: Document, *items: Report | ScalarMap) -> Step:
    changes = tuple(ItemChange("report" if isinstance(item, Report) else "overlay", item.id, None, item) for item in items)
    step = in_place(document, document.step("Classify", changes))
    document.commit(step)
    return step


def test_a_repeat_stands_in_the_place_of_the_older_and_undo_brings_that_back() -> None:
    document = make_document()
    put(document, report("first", reading=READING), report("other", index=3))
    before = document.state_hash()
    put(document, report("second", milliseconds=9.0))
    found = document.reports_of("volume-a")
    assert [(r.index, r.milliseconds, r.reading) for r in found] == [(2, 9.0, READING), (3, 3.0, None)]
    document.undo()
    assert document.state_hash() == before


@pytest.mark.parametrize(
    ("value", "stays"), [(0.7, True), (0.7 + 9e-7, True), (0.8, True), (0.4, False)],
)  # fmt: skip
def test_the_reading_stays_where_the_same_is_found_and_is_asked_again_elsewhere(value: float, stays: bool) -> None:
    document = make_document()
    put(document, report("first", reading=READING))
    step = put(document, report("second", value))
    (found,) = document.reports_of("volume-a")
    assert found.scores[0].value == value
    assert found.reading == (READING if stays else None)
    assert [(old.scores[0].value, new.scores[0].value) for old, new in repeated(step)] == [(0.7, value)]


def test_another_device_asks_the_same_question() -> None:
    document = make_document()
    put(document, report("first", reading=READING))
    put(document, report("second", 0.7004, device="CUDA"))
    assert [(r.device, r.reading) for r in document.reports_of("volume-a")] == [("CUDA", READING)]


@pytest.mark.parametrize(
    "more", [
        {"index": 3}, {"phase": 1}, {"model": "another"}, {"version": "2"}, {"facts": (("sha256", "cd" * 32),)},
        {"facts": (("sha256", "ab" * 32), ("encoder", f"encoder.onnx {'ef' * 32}"))},
        {"is_of_whole": True},
    ],
)  # fmt: skip
def test_another_plane_phase_model_or_file_is_another_question(more: dict[str, object]) -> None:
    document = make_document()
    put(document, report("first", reading=READING))
    assert repeated(put(document, report("second", **more))) == ()
    assert [r.id for r in document.reports_of("volume-a")] == ["first", "second"]


def test_of_a_series_those_that_were_asked_before_are_replaced_and_the_others_added() -> None:
    document = make_document()
    put(document, report("first", reading=READING))
    put(document, *(report(f"n{index}", index=index, batch="b") for index in range(4)))
    found = document.reports_of("volume-a")
    assert sorted((r.index, r.batch) for r in found) == [(0, "b"), (1, "b"), (2, "b"), (3, "b")]
    assert [r.reading for r in found if r.index == 2] == [READING]


@pytest.mark.parametrize(("value", "methods"), [(0.7, ["exact", "rise"]), (0.8, ["exact"])])
def test_heat_maps_stay_with_the_scores_that_they_explain(value: float, methods: list[str]) -> None:
    document = make_document()
    put(document, report("first"), heat("a", "first", "exact"), heat("b", "first", "rise"))
    before = document.state_hash()
    put(document, report("second", value), heat("c", "second", "exact"))
    (found,) = document.reports_of("volume-a")
    maps = document.overlays_of("volume-a")
    assert sorted(item.method for item in maps) == methods
    assert {item.report_id for item in maps} == {found.id}
    assert "a" not in {item.id for item in maps}
    document.undo()
    assert document.state_hash() == before


def test_a_reading_given_while_the_model_was_asked_again_stays() -> None:
    """The older report is looked up when the step is committed, not when the run began."""
    document = make_document()
    put(document, report("first"))
    run = document.step("Classify", (ItemChange("report", "second", None, report("second")),))
    changed = replace(report("first"), reading=READING)
    document.commit(document.step("Agree", (ItemChange("report", "first", report("first"), changed),)))
    document.commit(in_place(document, run))
    assert [r.reading for r in document.reports_of("volume-a")] == [READING]
    document.undo()
    assert [r.reading for r in document.reports_of("volume-a")] == [READING]
