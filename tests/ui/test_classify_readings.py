"""What the reader does with a result, by real clicks and keys: opinions, label and note, another threshold, scores that are held back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from plugins.classify.panel import ClassifyPanel
from plugins.classify.panel.reading_bar import ReadingBar
from tests.ui.classify_samples import FITTING, click, films, put, reports, show, small_model
from tests.ui.panel_samples import Parts
from viewer.core.errors import JobFailed
from viewer.io.write.tables import csv_text, reports_table
from viewer.jobs.pool import Job, Limits
from viewer.session.apply import lane_limits
from viewer.session.history import ItemChange
from viewer.ui.messages import Notice
from viewer.ui.panels.result_tables import reports_grid

KEY = Qt.Key
FRAME = (332, 900)
PNEUMONIA = (("Pneumonia", 0.8), ("No pneumonia", 0.2))
pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> ClassifyPanel:
    made = show(parts, frame, qtbot)
    parts.open(films(5))
    parts.host.change_wish(index=0)
    return made


def opinion(parts: Parts) -> str:
    (report,) = reports(parts)
    return report.reading.opinion if report.reading is not None else ""


def note(parts: Parts) -> str:
    (report,) = reports(parts)
    return report.reading.note if report.reading is not None else ""


# --- opinions ------------------------------------------------------------------------------------------------------


def test_an_opinion_is_one_step_and_a_second_click_takes_it_back(panel: ClassifyPanel, parts: Parts) -> None:
    put(parts, *PNEUMONIA, positive="Pneumonia")
    before = parts.host.document.state_hash()
    click(panel.reading.buttons["disagree"])
    assert opinion(parts) == "disagree"
    assert [name for name, button in panel.reading.buttons.items() if button.isChecked()] == ["disagree"]
    assert parts.titles() == ["Classify", "Disagree with pneumonia-cxr-28"]
    click(panel.reading.buttons["unsure"])
    assert opinion(parts) == "unsure"
    click(panel.reading.buttons["unsure"])
    assert opinion(parts) == ""
    assert not any(button.isChecked() for button in panel.reading.buttons.values())
    for __ in range(3):
        parts.host.undo()
    assert parts.host.document.state_hash() == before


def test_undo_shows_the_opinion_of_before(panel: ClassifyPanel, parts: Parts) -> None:
    put(parts, *PNEUMONIA)
    click(panel.reading.buttons["agree"])
    click(panel.reading.buttons["disagree"])
    parts.host.undo()
    assert panel.reading.buttons["agree"].isChecked()
    assert not panel.reading.buttons["disagree"].isChecked()


def test_without_a_result_there_is_nothing_to_agree_with(panel: ClassifyPanel, parts: Parts) -> None:
    for button in panel.reading.buttons.values():
        assert not button.isEnabled()
        assert button.toolTip() == "Classify this image first."
    panel.give_opinion("agree")
    assert parts.asked[-1] == ("info", "Classify this image first.")
    assert parts.titles() == []


def test_verdict_label_and_note_are_one_step(panel: ClassifyPanel, parts: Parts) -> None:
    put(parts, *PNEUMONIA)
    before = parts.host.document.state_hash()
    assert not panel.reading.more.isVisible()
    click(panel.reading.buttons["disagree"])
    edit = panel.reading.label.lineEdit()
    QTest.keyClicks(edit, "Effusion")
    QTest.keyClick(edit, KEY.Key_Return)
    panel.reading.note.setFocus()
    QTest.keyClicks(panel.reading.note, "left side")
    panel.reading.label.setFocus()  # leaves the field
    (report,) = reports(parts)
    assert report.reading is not None
    assert (report.reading.opinion, report.reading.label, report.reading.note) == ("disagree", "Effusion", "left side")
    assert parts.titles() == ["Classify", "Disagree with pneumonia-cxr-28"]
    parts.host.undo()
    assert parts.host.document.state_hash() == before
    assert not panel.reading.more.isVisible()
    parts.host.redo()
    assert (panel.reading.label.currentText(), panel.reading.note.text()) == ("Effusion", "left side")


def test_what_is_typed_is_taken_without_leaving_the_field(panel: ClassifyPanel, parts: Parts, qtbot: QtBot) -> None:
    put(parts, *PNEUMONIA)
    click(panel.reading.buttons["unsure"])
    QTest.keyClicks(panel.reading.note, "left ")
    qtbot.waitUntil(lambda: note(parts) == "left")
    assert panel.reading.note.text() == "left "  # nothing is trimmed under the hands that write
    QTest.keyClick(panel.reading.note, KEY.Key_Home)
    QTest.keyClicks(panel.reading.note, "x")
    qtbot.waitUntil(lambda: note(parts) == "xleft")
    QTest.keyClicks(panel.reading.note, "y")
    assert panel.reading.note.text() == "xyleft "  # the cursor stayed where it was
    click(panel.reading.buttons["agree"])
    assert (opinion(parts), note(parts)) == ("agree", "xyleft")
    assert parts.titles() == ["Classify", "Unsure about pneumonia-cxr-28", "Agree with pneumonia-cxr-28"]


def test_what_is_typed_is_kept_when_another_panel_is_shown_or_the_opinion_changes_by_a_key(panel: ClassifyPanel, parts: Parts, qtbot: QtBot) -> None:
    put(parts, *PNEUMONIA)
    click(panel.reading.buttons["agree"])
    QTest.keyClicks(panel.reading.note, "seen")
    panel.hide()
    assert note(parts) == "seen"
    panel.show()
    QTest.keyClicks(panel.reading.note, " twice")
    panel.give_opinion("disagree")
    assert panel.reading.note.text() == "seen twice"
    qtbot.waitUntil(lambda: note(parts) == "seen twice")
    assert opinion(parts) == "disagree"


def test_undo_while_a_note_is_typed_takes_back_the_opinion_and_leaves_the_one_before_alone(panel: ClassifyPanel, parts: Parts, qtbot: QtBot) -> None:
    put(parts, *PNEUMONIA)
    click(panel.reading.buttons["agree"])
    click(panel.reading.buttons["disagree"])
    QTest.keyClicks(panel.reading.note, "no")
    parts.host.undo()
    qtbot.waitUntil(lambda: not panel.reading.findChild(QTimer).isActive())
    assert (opinion(parts), note(parts), panel.reading.note.text()) == ("agree", "", "")
    parts.host.redo()
    assert opinion(parts) == "disagree"


def test_a_note_that_was_begun_goes_to_its_own_slice(panel: ClassifyPanel, parts: Parts) -> None:
    put(parts, *PNEUMONIA, index=0)
    put(parts, *PNEUMONIA, index=1)
    click(panel.reading.buttons["disagree"])
    QTest.keyClicks(panel.reading.note, "see below")
    parts.host.change_wish(index=1)
    first, second = reports(parts)
    assert first.reading is not None
    assert first.reading.note == "see below"
    assert second.reading is None
    assert panel.reading.note.text() == "" or not panel.reading.more.isVisible()


def test_classifying_again_keeps_one_row_and_the_reading(panel: ClassifyPanel, parts: Parts) -> None:
    panel.classify_current()
    click(panel.reading.buttons["agree"])
    QTest.keyClicks(panel.reading.note, "clear")
    QTest.keyClick(panel.reading.note, KEY.Key_Return)
    before = parts.host.document.state_hash()
    click(panel.head.again)
    assert (len(reports(parts)), opinion(parts), note(parts)) == (1, "agree", "clear")
    assert panel.reading.buttons["agree"].isChecked()
    assert panel.reading.note.text() == "clear"
    assert parts.asked[-1][1].endswith("Your reading stays.")
    parts.host.undo()
    assert parts.host.document.state_hash() == before


def test_another_result_is_to_be_read_again_and_that_is_said(panel: ClassifyPanel, parts: Parts) -> None:
    panel.classify_current()
    click(panel.reading.buttons["agree"])
    (report,) = reports(parts)
    other = tuple(replace(score, value=1 - score.value) for score in report.scores)
    change = ItemChange("report", report.id, report, replace(report, scores=other))
    parts.host.document.commit(parts.host.document.step("Classify", (change,)))
    click(panel.head.again)
    assert (len(reports(parts)), opinion(parts)) == (1, "")
    assert not any(button.isChecked() for button in panel.reading.buttons.values())
    assert parts.asked[-1][1].endswith("The result is another, so your reading is asked for again; Undo brings back the one before.")
    parts.host.undo()
    assert panel.reading.buttons["agree"].isChecked()


def test_readings_go_into_tables(panel: ClassifyPanel, parts: Parts) -> None:
    put(parts, *PNEUMONIA, facts=(("sha256", "ab" * 32), ("sensitivity", "0.9641"), ("specificity", "0.9103")))
    click(panel.reading.buttons["disagree"])
    QTest.keyClicks(panel.reading.note, "=1+1")
    QTest.keyClick(panel.reading.note, KEY.Key_Return)
    table = reports_table(reports(parts))
    row = dict(zip([column.name for column in table.columns], table.rows[0], strict=True))
    assert (row["Reading"], row["Note"], row["Sensitivity"], row["Specificity"], row["SHA-256"]) == (
        "disagree",
        "=1+1",
        "0.9641",
        "0.9103",
        "ab" * 32,
    )
    assert (row["Found"], row["Thresholds"], row["Unfamiliar"]) == ("Pneumonia", "Pneumonia 0.5; No pneumonia 0.5", "no")
    assert "'=1+1" in csv_text([table])  # a spreadsheet must not run it
    grid = reports_grid(reports(parts))
    assert grid.rows[0][grid.heads.index("Your reading")].text == "Disagree"


def test_the_card_of_the_series_counts_disagreements(panel: ClassifyPanel, parts: Parts) -> None:
    asked: list[str] = []
    parts.panels.show_disagreements = lambda: asked.append("shown")
    panel.series.disagreements_wanted.connect(lambda: asked.append("wanted"))
    for index in range(3):
        put(parts, *PNEUMONIA, index=index)
    assert not panel.series.disagreements.isVisible()
    click(panel.reading.buttons["disagree"])
    assert panel.series.disagreements.text() == "Disagreements: 1"
    click(panel.series.disagreements)
    assert "wanted" in asked


# --- another threshold ---------------------------------------------------------------------------------------------


def test_another_threshold_changes_what_is_shown_and_nothing_else(panel: ClassifyPanel, parts: Parts) -> None:
    report = put(parts, *PNEUMONIA, positive="Pneumonia", facts=(("sensitivity", "0.9"), ("specificity", "0.8")))
    state = parts.host.document.state_hash()
    assert panel.card.title.text() == "Pneumonia: above threshold"
    assert panel.card.figures.text().replace("\u00a0", " ") == "At the threshold 0.50: sensitivity 90.0 %, specificity 80.0 %."
    field = panel.card.threshold.field
    field.selectAll()
    QTest.keyClicks(field, "0.9")
    QTest.keyClick(field, KEY.Key_Return)
    assert panel.card.title.text() == "Pneumonia: below threshold"
    assert not panel.card.scores.bars["Pneumonia"].is_over()
    assert panel.card.figures.text().endswith("The tried threshold holds here only; its figures are not known.")
    assert reports(parts) == (report,)
    assert parts.host.document.state_hash() == state
    panel.card.threshold.reset()
    assert panel.card.title.text() == "Pneumonia: above threshold"
    assert "not known" not in panel.card.figures.text()


def test_a_tried_threshold_does_not_go_over_to_the_next_slice(panel: ClassifyPanel, parts: Parts) -> None:
    for index in (0, 1):
        put(parts, *PNEUMONIA, index=index, positive="Pneumonia")
    panel.card.threshold.field.selectAll()
    QTest.keyClicks(panel.card.threshold.field, "0.9")
    QTest.keyClick(panel.card.threshold.field, KEY.Key_Return)
    parts.host.change_wish(index=1)
    assert panel.card.threshold.value() == 0.5
    assert panel.card.title.text() == "Pneumonia: above threshold"


def test_classes_with_thresholds_of_their_own_are_tried_one_by_one(panel: ClassifyPanel, parts: Parts) -> None:
    report = put(parts, ("Mass", 0.6), ("Effusion", 0.6), ("Nodule", 0.1))
    own = tuple(replace(score, threshold=limit) for score, limit in zip(report.scores, (0.5, 0.7, 0.3), strict=True))
    put(parts, ("Mass", 0.6), index=1)
    change = ItemChange("report", report.id, report, replace(report, scores=own))
    parts.host.document.commit(parts.host.document.step("Classify", (change,)))
    assert panel.card.which.isVisible()
    assert panel.card.title.text() == "1 of 3 above threshold"
    panel.card.which.combo.setCurrentIndex(1)
    assert panel.card.threshold.value() == 0.7
    panel.card.threshold.field.selectAll()
    QTest.keyClicks(panel.card.threshold.field, "0.55")
    assert panel.card.title.text() == "2 of 3 above threshold"
    assert panel.card.scores.bars["Mass"].is_over()
    assert not panel.card.scores.bars["Nodule"].is_over()


def test_the_interval_and_the_test_set_are_said(panel: ClassifyPanel, parts: Parts) -> None:
    facts = (
        ("sensitivity", "0.9641"), ("sensitivity interval", "0.9435 to 0.9816"), ("specificity", "0.9103"),
        ("specificity interval", "0.8717 to 0.9467"), ("test set", "624 films"), ("test prevalence", "0.625"), ("prevalence", "0.5"),
    )  # fmt: skip
    put(parts, *PNEUMONIA, positive="Pneumonia", facts=facts)
    assert panel.card.figures.text().replace("\u00a0", " ") == (
        "At the threshold 0.50: sensitivity 96.4 % (95 % CI 94.3 to 98.2), specificity 91.0 % (95 % CI 87.2 to 94.7); prevalence 62.5 %."
    )
    assert panel.card.measured.text() == "Measured on 624 films."
    assert panel.card.figures.toolTip() == "The scores assume a prevalence of 50.0 %."


def test_the_figures_of_the_card_are_those_of_the_report(panel: ClassifyPanel, parts: Parts) -> None:
    panel.classify_current()
    (report,) = reports(parts)
    limits = small_model().card["threshold"]
    facts = dict(report.facts)
    assert float(facts["sensitivity"]) == limits["sensitivity"]
    assert float(facts["specificity"]) == limits["specificity"]
    assert facts["sensitivity interval"] == "{} to {}".format(*limits["sensitivity_interval"])
    assert facts["test set"] == limits["test_set"]
    assert float(facts["test prevalence"]) == limits["prevalence"]


# --- what the model has not seen -----------------------------------------------------------------------------------


def test_scores_of_an_unfamiliar_image_are_held_back_until_they_are_asked_for(panel: ClassifyPanel, parts: Parts) -> None:
    put(parts, *PNEUMONIA, positive="Pneumonia", strangeness=2.0, strangeness_limit=1.0, is_calibrated=True)
    assert panel.warnings.text() == "This model has not seen such images."
    assert panel.card.title.text() == "Scores"
    assert [label.text() for label in panel.card.scores.texts.values()] == ["–", "–"]
    assert not panel.card.threshold.isVisible()
    assert not panel.heat.compute.isVisible()
    click(panel.card.show_anyway)
    assert [label.text() for label in panel.card.scores.texts.values()] == ["80.0 %", "20.0 %"]
    assert not panel.card.scores.bars["Pneumonia"].is_over()  # grey: it was not found
    assert panel.card.help.text() == "A score, not a probability for this image."


def test_what_is_shown_anyway_is_shown_for_that_report_alone(panel: ClassifyPanel, parts: Parts) -> None:
    for index in (0, 1):
        put(parts, *PNEUMONIA, index=index, strangeness=2.0, strangeness_limit=1.0)
    click(panel.card.show_anyway)
    assert parts.host.wish.heat.is_unfamiliar_shown
    parts.host.change_wish(index=1)
    assert panel.card.is_veiled
    assert not parts.host.wish.heat.is_unfamiliar_shown
    parts.host.change_wish(index=0)
    assert not panel.card.is_veiled


@pytest.mark.parametrize(("strangeness", "is_veiled"), [(1.0, False), (1.0001, True), (float("nan"), True)])
def test_at_the_limit_an_image_is_familiar_and_without_a_number_it_is_not(
    panel: ClassifyPanel, parts: Parts, strangeness: float, is_veiled: bool
) -> None:
    put(parts, *PNEUMONIA, strangeness=strangeness, strangeness_limit=1.0)
    assert panel.card.is_veiled == is_veiled


def test_the_corner_and_the_table_say_that_it_is_unfamiliar(panel: ClassifyPanel, parts: Parts) -> None:
    from viewer.draw.corners import corners

    put(parts, *PNEUMONIA, strangeness=2.0, strangeness_limit=1.0)
    lines = corners(parts.host.state, zoom_percent=100, identity=False).bottom_right
    assert "This model has not seen such images." in lines
    assert "Not for diagnosis" in lines
    assert not any("80.0" in line for line in lines)
    grid = reports_grid(reports(parts))
    assert grid.rows[0][grid.heads.index("Pneumonia %")].text == "–"


def test_the_corner_names_the_highest_score_and_the_model(panel: ClassifyPanel, parts: Parts) -> None:
    from viewer.draw.corners import corners

    put(parts, *PNEUMONIA, index=1)
    assert not any("Pneumonia" in line for line in corners(parts.host.state, zoom_percent=100).bottom_right)
    parts.host.change_wish(index=1)
    lines = corners(parts.host.state, zoom_percent=100, identity=False).bottom_right
    assert lines[:3] == ("1 of 2 above threshold, highest: Pneumonia 80.0 %", "pneumonia-cxr-28 1.0.0", "Not for diagnosis")


# --- which model ---------------------------------------------------------------------------------------------------


def test_a_model_chosen_by_hand_stays_for_images_of_that_kind(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    first, second = small_model(), replace(small_model(), name="another", title="Another")
    panel = show(parts, frame, qtbot, (first, second))
    parts.open(films())
    usual = panel.model
    assert usual is not None
    other = next(card for card in (first, second) if card.name != usual.name)
    combo = panel.head.models
    combo.setFocus()
    QTest.keyClick(combo, KEY.Key_Down if combo.currentIndex() == 0 else KEY.Key_Up)
    combo.activated.emit(combo.currentIndex())
    assert panel.model is other
    parts.open(films(name="second film"))
    assert panel.model is other
    parts.open(films(name="digitised", **(FITTING | {"modality": "CR"})))
    assert panel.model is usual
    parts.host.show_volume("film")
    assert panel.model is other


def test_benchmarks_are_not_offered(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    panel = show(parts, frame, qtbot, (replace(small_model(), is_benchmark=True),))
    parts.open(films())
    assert panel.model is None
    assert panel.head.models.count() == 0
    assert panel.empty.title.text() == "No model installed."
    assert panel.model_list.isVisible()


def test_where_no_model_fits_one_key_is_off_and_says_why(parts: Parts) -> None:
    from viewer.ui.model_shelf import ModelShelf

    shelf = ModelShelf(lambda: ((small_model(),), ()), parts.host)
    assert shelf.why_not(films()) == ""
    ct = films(name="ct", **(FITTING | {"modality": "CT"}))
    assert shelf.model_for(ct) is None
    assert "CT" in shelf.why_not(ct)
    shelf.choose(ct, "pneumonia-cxr-28")
    assert shelf.model_for(ct) is not None
    assert shelf.why_not(ct) == f"“{small_model().title}” is not for such images. The Classify tab can ask it anyway."


# --- what the model got --------------------------------------------------------------------------------------------


def test_the_picture_that_went_in_is_shown_pixel_by_pixel(panel: ClassifyPanel, parts: Parts) -> None:
    panel.classify_current()
    assert not panel.card.picture.isVisible()
    click(panel.card.fed)
    assert panel.card.picture.isVisible()
    assert panel.card.fed_words.text() == "28 × 28 px"
    image = panel.card.picture.pixmap().toImage()
    volume = parts.host.state.volume
    assert volume is not None
    side = image.width() / 28
    for row, column in ((0, 0), (14, 14), (5, 20)):
        shown = image.pixelColor(int((column + 0.5) * side), int((row + 0.5) * side)).red()
        assert abs(shown - int(np.asarray(volume.data)[0, 0, row, column])) <= 1  # 28 pixels of 8 bits go in as they are


def test_the_picture_is_made_once_while_the_view_goes_on(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    panel.classify_current()
    jobs = [Job(number, "a.module:function", {}, Limits(), "") for number in (1, 2)]
    given = iter(jobs)
    limits: list[Limits] = []
    monkeypatch.setattr(parts.host.pool, "submit", lambda *_args, **more: (limits.append(more["limits"]), next(given))[1])
    click(panel.card.fed)
    for __ in range(3):
        panel.refresh()
    jobs[0]._finish("failed", None, JobFailed("It died."))
    assert panel.card.fed_words.text() == "It died."
    panel.refresh()
    assert panel.card.fed_words.text() == "It died."
    assert len(limits) == 1, "what failed is not tried at each step through the slices"
    for __ in range(2):  # closed and opened
        click(panel.card.fed)
    assert panel.card.fed_words.text() == "Working"
    assert limits == [lane_limits()] * 2


def test_a_message_can_be_pasted(panel: ClassifyPanel, parts: Parts) -> None:
    said: list[Notice] = []
    parts.host.notice.connect(said.append)
    panel.classify_current()
    texts: list[str] = []
    parts.panels.copy_text = texts.append
    dict(said[-1].links)["Copy result"]()
    (report,) = reports(parts)
    assert texts[0].splitlines()[0] == f"pneumonia-cxr-28 1.0.0 {dict(report.facts)['sha256'][:8]}"
    assert texts[0].splitlines()[-1] == "Not for diagnosis"
    QApplication.processEvents()


@pytest.mark.parametrize("width", [276, 308])
def test_in_the_narrowest_panel_no_word_of_the_three_buttons_is_cut(width: int, qtbot: QtBot) -> None:
    frame = QWidget()  # which a layout would keep from being too narrow
    qtbot.addWidget(frame)
    bar = ReadingBar(frame)
    bar.setGeometry(0, 0, width, 60)
    frame.show()
    qtbot.waitExposed(frame)
    assert [button.text() for button in bar.buttons.values() if button.width() < button.sizeHint().width()] == []
