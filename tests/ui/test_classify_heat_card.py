"""The card of the heat-map by real clicks: on and off, how dense, another class, another method with progress and Cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from plugins.classify.panel import ClassifyPanel
from tests.ui.classify_samples import click, films, put, reports, show, small_model
from tests.ui.panel_samples import Parts
from viewer.core.errors import OperationCancelled
from viewer.session import heat
from viewer.session.history import ItemChange

FRAME = (332, 1100)
pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> ClassifyPanel:
    made = show(parts, frame, qtbot)
    parts.open(films(3))
    parts.host.change_wish(index=1)
    made.classify_current()
    return made


def shown(parts: Parts) -> list[tuple[str, str]]:
    return [(item.item.score, item.item.method) for item in parts.host.state.maps]


def told(call: Any) -> dict[str, Any]:
    """What a call asks for, without its arrays."""
    return {**call.parameters, "operation": call.spec.name, "planes": call.images[0].geometry.shape[0]}


def choose(row: Any, value: str) -> None:
    row.combo.setCurrentIndex(row._values.index(value))


def test_the_exact_map_comes_with_the_scores_in_the_same_step(panel: ClassifyPanel, parts: Parts) -> None:
    assert shown(parts) == [("Pneumonia", "exact")]
    assert parts.titles() == ["Classify"]
    assert panel.heat.switch.isChecked()
    assert not panel.heat.compute.isVisible()
    assert panel.heat.words.text().startswith("Regions that influenced the score; not a lesion outline. Class activation map")
    parts.host.undo()
    assert shown(parts) == []


def test_below_the_threshold_the_bright_colours_are_explained(panel: ClassifyPanel, parts: Parts) -> None:
    report = panel.report
    assert report is not None
    for value, is_said in ((0.1, True), (0.9, False)):
        scores = tuple(replace(score, value=value if score.name == "Pneumonia" else 1 - value) for score in report.scores)
        before = parts.host.document.item("report", report.id)
        change = ItemChange("report", report.id, before, replace(report, scores=scores))
        parts.host.document.commit(parts.host.document.step("Classify", (change,)))
        QApplication.processEvents()
        assert ("below its threshold; the colours span the map all the same" in panel.heat.words.text()) is is_said


def test_the_switch_takes_it_off_the_view_and_back(panel: ClassifyPanel, parts: Parts) -> None:
    steps = len(parts.host.document.history)
    click(panel.heat.switch)
    assert shown(parts) == []
    assert not panel.heat.opacity.isVisible()
    click(panel.heat.switch)
    assert shown(parts) == [("Pneumonia", "exact")]
    assert len(parts.host.document.history) == steps  # looking is no step


def test_it_follows_the_key_that_hides_all_maps(panel: ClassifyPanel, parts: Parts) -> None:
    parts.host.change_wish(show_overlays=False)
    assert not panel.heat.switch.isChecked()
    click(panel.heat.switch)
    assert parts.host.wish.show_overlays
    assert shown(parts) == [("Pneumonia", "exact")]


def test_opacity_and_threshold_are_those_of_the_view(panel: ClassifyPanel, parts: Parts) -> None:
    for row, text in ((panel.heat.opacity, "80"), (panel.heat.floor, "30")):
        row.field.selectAll()
        QTest.keyClicks(row.field, text)
    assert (parts.host.state.overlay_opacity, parts.host.state.overlay_threshold) == (0.8, 0.3)
    parts.host.change_wish(overlay_opacity=0.2)
    assert panel.heat.opacity.value() == 20


def test_another_method_is_computed_when_it_is_asked_for_and_belongs_to_the_report(panel: ClassifyPanel, parts: Parts) -> None:
    choose(panel.heat.method, "occlusion")
    assert panel.heat.compute.isVisible()
    assert panel.heat.reason.text() == "There is none of this class by this method yet."
    click(panel.heat.compute)
    (report,) = reports(parts)
    assert heat.methods_of(parts.host.document, report, "Pneumonia") == ("exact", "occlusion")
    assert shown(parts) == [("Pneumonia", "occlusion")]
    assert not panel.heat.compute.isVisible()
    assert "Occlusion" in panel.heat.words.text()
    assert len(parts.titles()) == 2
    choose(panel.heat.method, "exact")
    assert shown(parts) == [("Pneumonia", "exact")]
    assert len(parts.titles()) == 2


def test_another_class_has_a_map_of_its_own(panel: ClassifyPanel, parts: Parts) -> None:
    choose(panel.heat.score, "No pneumonia")
    if panel.heat.compute.isVisible():
        click(panel.heat.compute)
    assert shown(parts) == [("No pneumonia", "exact")]


def test_while_it_is_computed_there_is_progress_and_cancel(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    ends: list[Any] = []
    cancelled: list[str] = []
    monkeypatch.setattr(parts.host, "run", lambda call, _done, failed: ends.append((told(call), failed)) or "task")
    monkeypatch.setattr(parts.host.work, "is_running", lambda task: task == "task")
    monkeypatch.setattr(parts.host.work, "cancel", cancelled.append)
    choose(panel.heat.method, "rise")
    panel.heat.compute.setFocus()
    click(panel.heat.compute)
    qtbot.waitUntil(panel.heat.progress.isVisible)
    assert panel.heat.progress.cancel.hasFocus()  # the keyboard does not fall on the next button, which says Agree
    assert panel.card.isVisible()  # the scores stay
    assert not panel.heat.compute.isVisible()
    assert not panel.head.models.isEnabled()
    call, failed = ends[0]
    assert call["operation"] == "Classify/Heat map"
    assert (call["method"], call["score"]) == ("rise", "Pneumonia")
    click(panel.heat.progress.cancel)
    assert cancelled == ["task"]
    assert not any(button.hasFocus() for button in panel.reading.buttons.values())
    failed(OperationCancelled("Cancelled."))
    assert not panel.heat.progress.isVisible()
    assert panel.heat.compute.isVisible()
    assert not panel.failed.isVisible()


def test_of_an_image_that_the_model_does_not_know_no_map_is_shown_or_offered(panel: ClassifyPanel, parts: Parts) -> None:
    (report,) = reports(parts)
    strange = replace(report, id="strange", strangeness=2.0, strangeness_limit=1.0)
    put(parts, ("Pneumonia", 0.5), index=0)  # of another slice: nothing of it is meant here
    from viewer.session.history import ItemChange

    parts.host.document.commit(parts.host.document.step("Classify", (ItemChange("report", report.id, report, replace(strange, id=report.id)),)))
    assert shown(parts) == []
    for part in (panel.heat.method, panel.heat.score, panel.heat.compute, panel.heat.words, panel.heat.strip):
        assert not part.isVisible()
    click(panel.card.show_anyway)
    assert shown(parts) == [("Pneumonia", "exact")]


def test_a_model_of_neighbouring_planes_is_handed_all_of_them(
    parts: Parts, frame: QMainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = replace(small_model(), input=replace(small_model().input, planes="neighbours"))
    made = show(parts, frame, qtbot, (card,))
    parts.open(films(5))
    parts.host.change_wish(index=3)
    calls: list[Any] = []
    monkeypatch.setattr(parts.host, "run", lambda call, _done, _failed: calls.append(told(call)) or "task")
    click(made.run_button)
    assert calls[0]["planes"] == 5
    assert calls[0]["plane"] == parts.host.state.array_index


def test_a_model_of_all_planes_is_asked_about_all_and_its_report_stands_on_each(
    parts: Parts, frame: QMainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = replace(small_model(), input=replace(small_model().input, planes="volume"))
    made = show(parts, frame, qtbot, (card,))
    parts.open(films(5))
    calls: list[Any] = []
    with monkeypatch.context() as held:
        held.setattr(parts.host, "run", lambda call, _done, _failed: calls.append(told(call)) or "")
        click(made.run_button)
    assert calls[0]["planes"] == 5
    assert calls[0]["plane"] is None
    put(parts, ("Pneumonia", 0.8), index=2, is_of_whole=True)
    for index in range(5):
        parts.host.change_wish(index=index)
        assert made.card.isVisible()
    assert not made.series.isVisible()
