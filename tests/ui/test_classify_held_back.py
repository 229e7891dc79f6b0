"""Scores that are held back, by real clicks and keys: nothing is agreed with that was not seen, and the switch shows what is painted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from plugins.classify.panel import ClassifyPanel
from tests.ui.classify_samples import classify_a_film, click, films, reports, show
from tests.ui.panel_samples import Parts
from tests.ui.window_samples import settle
from viewer.core.report import Report
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.readings import give_reading
from viewer.ui.window import Window

KEY = Qt.Key
FRAME = (332, 900)
UNSEEN = "The scores are held back, and unseen scores cannot be agreed with. “Show anyway” in the Classify tab shows them."


def make_strange(document: Document, report: Report) -> Report:
    """The report as of an image that its model has not seen the like of."""
    strange = replace(report, strangeness=2.0, strangeness_limit=1.0)
    document.commit(document.step("Classify", (ItemChange("report", report.id, report, strange),)))
    QApplication.processEvents()
    return strange


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot, calm: None) -> ClassifyPanel:
    """With a report and its heat-map on the first of three films, held back."""
    made = show(parts, frame, qtbot)
    parts.open(films(3))
    parts.host.change_wish(index=0)
    made.classify_current()
    assert parts.host.state.maps
    make_strange(parts.host.document, reports(parts)[0])
    return made


def opinions(parts: Parts) -> list[str]:
    return [report.reading.opinion if report.reading is not None else "" for report in reports(parts)]


def test_unseen_scores_cannot_be_agreed_with_and_the_buttons_say_why(panel: ClassifyPanel, parts: Parts) -> None:
    steps = parts.titles()
    for button in panel.reading.buttons.values():
        assert not button.isEnabled()
        assert button.toolTip() == UNSEEN
        click(button)
        QTest.keyClick(button, KEY.Key_Space)
    panel.give_opinion("agree")
    assert parts.asked[-1] == ("info", UNSEEN)
    assert opinions(parts) == [""]
    assert parts.titles() == steps


def test_after_show_anyway_by_key_the_buttons_work_as_usual(panel: ClassifyPanel, parts: Parts) -> None:
    panel.card.show_anyway.setFocus()
    QTest.keyClick(panel.card.show_anyway, KEY.Key_Space)
    assert all(button.isEnabled() and button.toolTip() == "" for button in panel.reading.buttons.values())
    panel.reading.buttons["unsure"].setFocus()
    QTest.keyClick(panel.reading.buttons["unsure"], KEY.Key_Space)
    assert opinions(parts) == ["unsure"]
    click(panel.reading.buttons["unsure"])
    assert opinions(parts) == [""]


def test_each_report_is_held_back_on_its_own(panel: ClassifyPanel, parts: Parts) -> None:
    click(panel.card.show_anyway)
    parts.host.change_wish(index=1)
    panel.classify_current()
    make_strange(parts.host.document, next(report for report in reports(parts) if report.index == parts.host.state.array_index))
    assert not panel.reading.buttons["agree"].isEnabled()
    assert not panel.heat.switch.isEnabled()
    parts.host.change_wish(index=0)
    assert panel.reading.buttons["agree"].isEnabled()
    assert panel.heat.switch.isEnabled()


def test_a_reading_that_is_there_is_seen_and_stays_until_the_scores_are_shown(panel: ClassifyPanel, parts: Parts) -> None:
    (report,) = reports(parts)
    give_reading(parts.host.document, report.id, "disagree", label="Effusion", note="left")
    assert panel.reading.buttons["disagree"].isChecked()
    assert (panel.reading.label.currentText(), panel.reading.note.text()) == ("Effusion", "left")
    for part in (*panel.reading.buttons.values(), panel.reading.label, panel.reading.note):
        assert not part.isEnabled()
        assert part.toolTip() == UNSEEN
    QTest.keyClicks(panel.reading.note, "x")
    click(panel.reading.buttons["disagree"])
    assert panel.reading.note.text() == "left"
    assert opinions(parts) == ["disagree"]
    click(panel.card.show_anyway)
    click(panel.reading.buttons["disagree"])
    assert opinions(parts) == [""]


def test_the_switch_of_the_heat_map_shows_what_is_painted(panel: ClassifyPanel, parts: Parts) -> None:
    wish = parts.host.wish.heat
    assert parts.host.state.maps == ()
    switch = panel.heat.switch
    assert (switch.isChecked(), switch.isEnabled()) == (False, False)
    assert switch.toolTip() == "The heat map is held back with the scores, until you choose “Show anyway”."
    assert panel.heat.reason.text() == "This model has not seen such images; a heat map would mislead."
    assert panel.heat.reason.isVisible()
    click(switch)
    QTest.keyClick(switch, KEY.Key_Space)
    assert parts.host.wish.heat == wish
    click(panel.card.show_anyway)
    assert parts.host.state.maps
    assert (switch.isChecked(), switch.isEnabled(), switch.toolTip()) == (True, True, "")
    switch.setFocus()
    QTest.keyClick(switch, KEY.Key_Space)
    assert parts.host.state.maps == ()
    assert not switch.isChecked()


def test_a_map_that_was_switched_off_stays_off_after_show_anyway(panel: ClassifyPanel, parts: Parts) -> None:
    click(panel.card.show_anyway)
    click(panel.heat.switch)
    parts.host.change_wish(index=1)
    panel.classify_current()
    make_strange(parts.host.document, next(report for report in reports(parts) if report.index == parts.host.state.array_index))
    click(panel.card.show_anyway)
    assert not panel.heat.switch.isChecked()
    assert panel.heat.switch.isEnabled()
    assert parts.host.state.maps == ()


def test_the_keys_of_readings_obey_the_same(window: Window, qtbot: QtBot) -> None:
    report = classify_a_film(window, qtbot)
    document = window.host.document
    make_strange(document, report)
    settle(qtbot, window)
    steps = len(document.history)
    for key, opinion in ((KEY.Key_F7, "agree"), (KEY.Key_F8, "disagree"), (KEY.Key_F9, "unsure")):
        action = window.actions_table[f"reading.{opinion}"]
        assert not action.isEnabled()
        assert action.toolTip() == UNSEEN
        QTest.keyClick(window.view, key)
    settle(qtbot, window)
    assert len(document.history) == steps
    panel = window.dock.show_panel("classify")
    assert isinstance(panel, ClassifyPanel)
    click(panel.card.show_anyway)
    settle(qtbot, window)
    QTest.keyClick(window.view, KEY.Key_F7)
    settle(qtbot, window)
    (read,) = document.reports_of(window.host.root_id)
    assert read.reading is not None
    assert read.reading.opinion == "agree"
