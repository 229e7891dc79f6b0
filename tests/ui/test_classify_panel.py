"""The classify panel by real clicks and keys: warnings first, the scores of the slice in view, all slices, errors, Cancel, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from plugins.classify import inference
from plugins.classify.panel import ClassifyPanel
from plugins.classify.panel.model_words import summary
from plugins.classify.panel.runs import Runs
from tests.ui.classify_samples import click, films, reports, show
from tests.ui.panel_samples import Parts
from viewer.core.errors import JobFailed, ModelUnusable, OperationCancelled
from viewer.core.geometry import Geometry
from viewer.core.report import Report, Score
from viewer.core.volume import Volume
from viewer.ui.messages import Notice
from viewer.ui.panels.report_views import ScoreRows, over_threshold

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FRAME = (332, 900)
"""Size of the panel's window, see ``frame`` in conftest.py."""
pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> ClassifyPanel:
    return show(parts, frame, qtbot)


@pytest.fixture
def notices(parts: Parts) -> list[Notice]:
    said: list[Notice] = []
    parts.host.notice.connect(said.append)
    return said


class Held:
    """A host's ``run`` that starts nothing: the job goes on until the test ends it."""

    def __init__(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.ends: list[tuple[Callable[..., None], Callable[..., None]]] = []
        self.cancelled: list[str] = []
        work = parts.host.work

        def run(call: Any, on_done: Callable[..., None], on_failed: Callable[..., None]) -> str:
            self.calls.append(call.spec.name)
            self.ends.append((on_done, on_failed))
            return "task"

        monkeypatch.setattr(parts.host, "run", run)
        monkeypatch.setattr(work, "is_running", lambda task: task == "task")
        monkeypatch.setattr(work, "cancel", self.cancelled.append)


# --- before there is a result --------------------------------------------------------------------------------------


def test_with_nothing_open_it_says_what_to_do(panel: ClassifyPanel) -> None:
    assert panel.empty.title.text() == "Open an image to use Classify."
    for part in (panel.head, panel.run_button, panel.card, panel.warnings, panel.series, panel.progress):
        assert not part.isVisible()
    assert panel.foot().isVisible()


def test_without_a_model_it_says_so_and_why_others_cannot_be_used(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    made = show(parts, frame, qtbot, (), (("bad", "The card of the model bad cannot be read: it is empty."),))
    parts.open(films())
    assert made.empty.title.text() == "No model installed."
    assert "The card of the model bad cannot be read" in made.unusable.text()
    assert not made.run_button.isVisible()
    made.classify_current()
    assert ("info", "No model is installed.") in parts.asked


def test_an_image_that_fits_is_asked_about_with_one_click(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films())
    assert panel.run_button.text() == "Classify"
    assert not panel.warnings.isVisible()
    assert not panel.series.isVisible()  # one plane
    click(panel.run_button)
    (report,) = reports(parts)
    assert panel.card.isVisible()
    assert not panel.run_button.isVisible()
    assert panel.head.again.isVisible()
    assert {n: label.text() for n, label in panel.card.scores.texts.items()} == {
        s.name: f"{100 * s.value:.1f} %" if 0.001 <= s.value <= 0.999 else "<0.1 %" if s.value < 0.5 else ">99.9 %" for s in report.scores
    }


def test_what_does_not_fit_is_said_before_and_still_can_be_asked(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(films(modality="CT"))
    assert panel.warnings.text() == "This model is for CR, DX or RG; this image is CT."
    assert panel.run_button.text() == "Classify anyway"
    click(panel.run_button)
    (report,) = reports(parts)
    assert panel.warnings.text() == "\n".join(report.warnings)
    assert report.warnings[0] == "This model is for CR, DX or RG; this image is CT."
    assert panel.warnings.y() < panel.card.y()
    assert panel.card.help.text() == "A score, not a probability for this image."
    assert notices[-1].text.startswith("Classified, with warnings: ")


def test_what_the_file_does_not_say_is_named_at_once_and_keeps_nothing_from_being_asked(panel: ClassifyPanel, parts: Parts) -> None:
    """As F5: what is not known rules no model out, so it is no "anyway" and no warning."""
    parts.open(films(modality="", body_part="", view_position="PA", patient_age=""))
    volume = parts.host.state.volume
    assert volume is not None
    assert parts.host.models.why_not(volume) == ""
    assert panel.run_button.text() == "Classify"
    assert panel.run_button.isEnabled()
    assert panel.warnings.text() == "The file does not give: modality, body part, age. Whether the model is for this image cannot be told."
    assert panel.warnings.property("kind") == "info"
    click(panel.run_button)
    assert panel.warnings.property("kind") == "warn"
    assert panel.warnings.text().startswith("Modality unknown:")


def test_all_slices_are_asked_about_where_the_menu_asks_about_them(panel: ClassifyPanel, parts: Parts) -> None:
    for name, modality in (("fits", "DX"), ("does not", "CT")):
        parts.open(films(3, name=name, modality=modality))
        volume = parts.host.state.volume
        assert volume is not None
        reason = parts.host.models.why_not(volume)
        assert bool(reason) == (modality == "CT")
        assert panel.series.run.isEnabled() == (not reason)
        if reason:
            assert panel.series.run.toolTip() == reason
            assert panel.run_button.text() == "Classify anyway"
            assert panel.run_button.isEnabled()  # the one slice in view


def test_a_run_is_one_step_with_a_message(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(films())
    panel.classify_current()
    assert len(reports(parts)) == 1
    assert parts.titles() == ["Classify"]
    assert [label for label, _link in notices[-1].links] == ["Undo", "Copy result"]


# --- the result ----------------------------------------------------------------------------------------------------


def test_a_fitting_image_gets_a_probability_the_time_the_device_and_the_models_sum(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films())
    panel.classify_current()
    (report,) = reports(parts)
    assert panel.card.help.text() == "Probability, as the model was calibrated."
    over = {s.name: s.value for s in report.scores}["Pneumonia"] >= 0.5
    assert panel.card.title.text() == f"Pneumonia: {'above' if over else 'below'} threshold"
    assert panel.card.caption.text() == f"{report.milliseconds:.0f} ms · CPU"
    assert panel.card.source.text() == f"pneumonia-cxr-28 1.0.0 {dict(report.facts)['sha256'][:8]}"
    assert panel.card.scores.bars["Pneumonia"].is_over() == over
    assert panel.card.scores.texts["Pneumonia"].font().bold() == over
    assert not panel.card.scores.bars["No pneumonia"].is_over()


def test_undo_takes_the_card_away_and_redo_brings_it_back(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(films())
    before = parts.host.document.state_hash()
    click(panel.run_button)
    after = parts.host.document.state_hash()
    notices[-1].links[0][1]()
    assert parts.host.document.state_hash() == before
    assert not panel.card.isVisible()
    assert panel.run_button.isVisible()
    parts.host.redo()
    assert parts.host.document.state_hash() == after
    assert panel.card.isVisible()


def test_the_messages_undo_never_takes_back_something_else(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(films())
    click(panel.run_button)
    undo = notices[-1].links[0][1]
    parts.panels.tooling.add_segment("Later")
    undo()
    assert parts.titles() == ["Classify", "Add Later"]
    assert notices[-1].kind == "info"


def test_the_undo_of_an_older_message_leaves_the_newer_run_alone(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(films())
    click(panel.run_button)
    undo = notices[-1].links[0][1]
    click(panel.head.again)
    undo()
    assert parts.titles() == ["Classify", "Classify"]
    assert parts.host.document.history.position == 2


def test_again_replaces_what_is_shown_by_the_newest(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films())
    click(panel.run_button)
    (first,) = reports(parts)
    click(panel.head.again)
    (second,) = reports(parts)
    assert second is not first
    assert panel._reports()[0] is second
    parts.host.undo()
    assert panel._reports()[0] == first


def test_each_slice_shows_its_own_report(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films(4))
    parts.host.change_wish(index=1)
    click(panel.run_button)
    assert panel.card.isVisible()
    parts.host.change_wish(index=2)
    assert not panel.card.isVisible()
    assert panel.run_button.isVisible()
    parts.host.change_wish(index=1)
    assert panel.card.isVisible()


def test_a_result_belongs_to_its_image(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films())
    click(panel.run_button)
    parts.open(films(name="other"))
    assert not panel.card.isVisible()
    parts.host.show_volume("film")
    assert panel.card.isVisible()


def test_reformats_are_refused_in_words(panel: ClassifyPanel, parts: Parts) -> None:
    volume = films(6)
    parts.open(replace(volume, geometry=Geometry(volume.geometry.shape)))
    parts.host.change_wish(plane="coronal", index=3)
    assert not panel.run_button.isEnabled()
    assert panel.run_button.toolTip() == "Models look at slices as they were acquired. Choose As acquired in the View menu."
    panel.classify_current()
    assert reports(parts) == ()
    assert parts.asked[-1][0] == "info"


def test_moves_of_the_window_do_not_build_the_card_anew(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.open(films())
    panel.classify_current()
    bar = panel.card.scores.bars["Pneumonia"]
    counted: list[int] = []
    monkeypatch.setattr(panel, "refresh", lambda: counted.append(1))
    for zoom in (1.0, 2.0, 3.0):
        parts.host.change_wish(zoom=zoom, is_inverted=zoom == 2.0)
    assert counted == []
    assert panel.card.scores.bars["Pneumonia"] is bar


# --- all slices ----------------------------------------------------------------------------------------------------


def test_all_slices_are_one_step_with_a_report_each(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(films(7))
    assert not panel.series.plot.isVisible()
    click(panel.series.run)
    found = reports(parts)
    assert [r.index for r in found] == list(range(7))
    assert len({r.batch for r in found}) == 1
    assert found[0].batch
    assert len(parts.titles()) == 1
    assert panel.series.plot.isVisible()
    assert panel.series.caption.text() == "7 of 7"
    over = sum({s.name: s.value for s in r.scores}["Pneumonia"] >= 0.5 for r in found)
    assert notices[-1].text == f"Classified 7 slices: Pneumonia above the threshold on {over}."


def test_the_plot_leads_to_a_slice_by_click_and_keys(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films(7))
    panel.classify_all()
    QApplication.processEvents()
    place = panel.series.plot.place_of(5).toPoint()
    click(panel.series.plot, place)
    assert parts.host.state.index == 5
    assert panel.card.isVisible()  # that slice's own
    panel.series.plot.setFocus()
    QTest.keyClick(panel.series.plot, KEY.Key_Left)
    assert parts.host.state.index == 4
    QTest.keyClick(panel.series.plot, KEY.Key_End)
    assert parts.host.state.index == 6
    QTest.keyClick(panel.series.plot, KEY.Key_Right)
    assert parts.host.state.index == 6
    QTest.keyClick(panel.series.plot, KEY.Key_Home)
    assert parts.host.state.index == 0
    assert "slice 1" in panel.series.plot.accessibleName()


def test_the_highest_score_is_one_click_away(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films(7))
    panel.classify_all()
    QApplication.processEvents()
    scores = [{s.name: s.value for s in r.scores}["Pneumonia"] for r in reports(parts)]
    click(panel.series.highest)
    assert parts.host.state.array_index == int(np.argmax(scores))
    assert panel.series.highest.text().endswith(f"on slice {int(np.argmax(scores)) + 1}")


def cine(frames: int = 5) -> Volume:
    """One slice in several phases."""
    stack = films(frames)
    return replace(stack, data=stack.data.transpose(1, 0, 2, 3), geometry=replace(stack.geometry, shape=(1, 28, 28)), kind="cine")


def test_all_frames_of_a_cine_are_one_step_and_the_plot_leads_to_each(panel: ClassifyPanel, parts: Parts, notices: list[Notice]) -> None:
    parts.open(cine())
    assert panel.series.run.text() == "Classify all frames"
    click(panel.series.run)
    found = reports(parts)
    assert [(r.index, r.phase) for r in found] == [(0, phase) for phase in range(5)]
    assert len({r.batch for r in found}) == 1 and found[0].batch
    assert len(parts.titles()) == 1
    scores = [{s.name: s.value for s in r.scores}["Pneumonia"] for r in found]
    parts.open(films(5, name="stack"))  # the same pictures as slices have the same scores
    panel.classify_all()
    QApplication.processEvents()
    assert [{s.name: s.value for s in r.scores}["Pneumonia"] for r in reports(parts)] == pytest.approx(scores, abs=1e-6)
    parts.host.show_volume("film")
    QApplication.processEvents()
    assert panel.series.caption.text() == "5 of 5"
    assert panel.series.plot.accessibleName().startswith("Pneumonia along 5 frames")
    over = sum(score >= 0.5 for score in scores)
    assert notices[0].text == f"Classified 5 frames: Pneumonia above the threshold in {over}."
    click(panel.series.plot, panel.series.plot.place_of(3).toPoint())
    assert (parts.host.state.phase, parts.host.state.index) == (3, 0)
    assert panel.report is not None and panel.report.phase == 3
    click(panel.series.highest)
    assert parts.host.state.phase == int(np.argmax(scores))
    assert panel.series.highest.text().endswith(f"in frame {int(np.argmax(scores)) + 1}")


def test_undo_takes_the_plot_away(panel: ClassifyPanel, parts: Parts) -> None:
    parts.open(films(5))
    panel.classify_all()
    parts.host.undo()
    assert not panel.series.plot.isVisible()
    assert not panel.card.isVisible()
    assert panel.series.run.isVisible()


# --- busy, cancelled, failed ---------------------------------------------------------------------------------------


def test_while_it_runs_there_is_progress_and_a_live_cancel(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    parts.open(films(3))
    held = Held(parts, monkeypatch)
    panel.run_button.setFocus()
    click(panel.run_button)
    assert panel.is_running
    panel.classify_current()  # F5 again
    assert len(held.calls) == 1
    assert parts.asked[-1] == ("info", "It is running. Cancel stops it.")
    qtbot.waitUntil(panel.progress.isVisible)
    assert not panel.run_button.isVisible()
    assert panel.progress.cancel.hasFocus()  # and not the button for all slices
    assert panel.progress.text() == "Classifying, about 2 s"
    assert not panel.series.run.isEnabled()
    assert panel.series.run.toolTip() == "It is running. Cancel stops it."
    click(panel.progress.cancel)
    assert held.cancelled == ["task"]
    held.ends[0][1](OperationCancelled("Cancelled."))
    assert not panel.progress.isVisible()
    assert not panel.failed.isVisible()
    assert panel.run_button.isEnabled()


def test_what_ends_at_once_shows_its_end_and_no_busy_row(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    class Shown(QObject):
        times = 0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            self.times += event.type() == QEvent.Type.Show
            return False

    parts.open(films())
    shown, refreshed = Shown(), list[int]()
    panel.progress.installEventFilter(shown)
    click(panel.run_button)
    assert panel.card.isVisible()
    held = Held(parts, monkeypatch)
    monkeypatch.setattr(panel, "refresh", lambda: refreshed.append(1))
    panel.findChild(Runs).changed.connect(lambda: refreshed.append(2))
    panel.classify_current()
    assert refreshed == []  # nothing is drawn before the job is on its way
    held.ends[0][1](OperationCancelled("Cancelled."))
    assert not any(timer.isActive() for timer in panel.findChild(Runs).findChildren(QTimer))  # nothing comes later
    assert shown.times == 0
    panel.progress.removeEventFilter(shown)


def test_a_failure_stands_in_a_red_box_with_details(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.open(films())
    held = Held(parts, monkeypatch)
    click(panel.run_button)
    held.ends[0][1](JobFailed("The worker died.", "Traceback: ..."))
    QApplication.processEvents()
    assert panel.failed.text() == "The worker died."
    click(panel.details)
    assert ("details", "The worker died.") in parts.asked
    parts.open(films(name="other"))
    assert not panel.failed.isVisible()


def test_a_damaged_model_is_named_and_nothing_is_written(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> Any:
        raise ModelUnusable("The model pneumonia-cxr-28 is damaged or was changed: its checksum is not the card's.")

    parts.open(films())
    with monkeypatch.context() as broken:
        broken.setattr(inference, "load", lambda *_given, **_named: damaged())
        click(panel.run_button)
    assert panel.failed.text() == "The model pneumonia-cxr-28 is damaged or was changed: its checksum is not the card's."
    assert not panel.details.isVisible()
    assert parts.titles() == []
    click(panel.run_button)
    assert not panel.failed.isVisible()
    assert panel.card.isVisible()


def test_closing_everything_while_it_runs_leaves_a_usable_panel(panel: ClassifyPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.open(films())
    Held(parts, monkeypatch)
    click(panel.run_button)
    parts.host.close_all()
    assert not panel.is_running
    assert panel.empty.isVisible()


# --- words ---------------------------------------------------------------------------------------------------------


def made_report(*scores: tuple[str, float], threshold: float | None = 0.5, positive: str = "", **facts: Any) -> Report:
    named = tuple(Score(name, value, threshold if positive in ("", name) else None) for name, value in scores)
    return Report("r", "t", "v", 0, 0, "m", "1", "task", named, threshold, positive, "CPU", 3.0, **facts)


def test_one_sentence_says_what_was_found() -> None:
    sure = made_report(("Pneumonia", 0.9312), ("No pneumonia", 0.0688), positive="Pneumonia")
    assert summary((sure,)) == "Classified: Pneumonia 93.1 %, above threshold."
    none = made_report(("Pneumonia", 0.0002), ("No pneumonia", 0.9998), positive="Pneumonia")
    assert summary((none,)) == "Classified: Pneumonia <0.1 %, below threshold."
    told = replace(sure, warnings=("Age unknown.",))
    assert summary((told,)) == "Classified, with warnings: Pneumonia 93.1 %, above threshold."
    assert summary((sure, none, sure)) == "Classified 3 slices: Pneumonia above the threshold on 2."


def test_the_threshold_of_a_binary_model_is_about_its_positive_class_alone() -> None:
    assert over_threshold(made_report(("a", 0.4), ("b", 0.6), positive="a")) == ()
    assert over_threshold(made_report(("a", 0.5), ("b", 0.5), positive="a")) == ("a",)
    assert over_threshold(made_report(("a", 0.7), ("b", 0.8), ("c", 0.1))) == ("a", "b")
    assert over_threshold(made_report(("a", 0.7), ("b", 0.3), threshold=None)) == ()


def test_many_classes_show_the_first_five_and_then_all(qtbot: QtBot) -> None:
    rows = ScoreRows()
    qtbot.addWidget(rows)
    rows.resize(300, 600)
    rows.show()
    rows.show_report(made_report(*[(f"class {n}", n / 20) for n in range(14)]))
    assert list(rows.bars) == [f"class {n}" for n in (13, 12, 11, 10, 9)]
    assert rows.more is not None
    assert rows.more.text() == "Show all 14"
    click(rows.more)
    assert len(rows.bars) == 14
    assert rows.more is None


def test_scores_are_never_nearer_to_certain_than_they_may_be(qtbot: QtBot) -> None:
    rows = ScoreRows()
    qtbot.addWidget(rows)
    rows.show_report(made_report(("a", 0.99995), ("b", 0.00005), positive="a"))
    assert [rows.texts[n].text() for n in ("a", "b")] == [">99.9 %", "<0.1 %"]
    assert ">99.9 %" in rows.bars["a"].accessibleName()


def test_the_info_button_shows_the_card_of_the_model_that_is_asked(panel: ClassifyPanel, parts: Parts) -> None:
    cards: list[str] = []
    parts.panels.show_card = lambda card: cards.append(card.name)
    parts.open(films())
    click(panel.head.info)
    assert panel.model is not None
    assert cards == [panel.model.name]
