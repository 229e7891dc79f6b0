"""The states of the Classify tab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from viewer.core.report import Report, Score
from viewer.core.words import gettext
from viewer.io.samples import NODULE
from viewer.session.history import ItemChange
from viewer.session.readings import give_reading
from viewer.ui.scenes_stage import Stage

Maker = Callable[..., Stage]
FINDINGS = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Oedema", "Effusion", "Emphysema", "Fibrosis", "Hernia", "Infiltration", "Mass", "Nodule",
    "Pleural thickening", "Pneumonia", "Pneumothorax",
)  # fmt: skip


def classify(stage: Maker) -> Iterator[str]:
    s, panel = film(stage, at_first="CT thorax phantom")
    yield "classify-wrong-image"
    s.press(panel.run_button)
    s.settle()
    yield "classify-wrong-image-asked-anyway"
    s.show("RG1")
    s.key(Qt.Key.Key_F5)
    s.settle()
    known(s, panel)
    yield "classify-warning"
    panel.heat.switch.click()
    s.type(panel.card.threshold.field, "0.95", enter=True)
    s.rest()
    yield "classify-heat-map-off-other-threshold"
    panel.heat.switch.click()
    s.key(Qt.Key.Key_F8)
    s.type(panel.reading.label.lineEdit(), "Cardiomegaly", enter=True)
    s.type(panel.reading.note, "Wide mediastinum", enter=True)
    s.rest()
    yield "classify-disagree"


def classify_fitting(stage: Maker) -> Iterator[str]:
    s, panel = film(stage)
    child(s)
    yield "classify-no-result"
    s.key(Qt.Key.Key_F5)
    s.settle()
    known(s, panel)
    s.key(Qt.Key.Key_F7)
    s.rest()
    yield "classify-result-agree"
    panel.card.fed.click()
    s.settle()
    panel.scroll.verticalScrollBar().setValue(90)
    s.rest()
    yield "classify-what-the-model-got"
    panel.scroll.verticalScrollBar().setValue(panel.scroll.verticalScrollBar().maximum())
    s.rest()
    yield "classify-heat-map-card"


def classify_reports(stage: Maker) -> Iterator[str]:
    s, panel = film(stage)
    child(s)
    s.key(Qt.Key.Key_F5)
    s.settle()
    report = known(s, panel)
    low = tuple(replace(score, value=0.03 if score.name == report.positive else 0.97) for score in report.scores)
    put(s, report, scores=low, strangeness=0.0, strangeness_limit=1.0)
    yield "classify-below-threshold"
    put(s, report, strangeness=9.0, strangeness_limit=1.0)
    yield "classify-unfamiliar"
    s.press(panel.card.show_anyway)
    yield "classify-unfamiliar-shown-anyway"
    s.window.open_export("maps")
    s.rest()
    yield "classify-unfamiliar-export-of-the-map"
    QApplication.activeModalWidget().close()
    many = tuple(Score(name, (n * 37 % 97) / 100, 0.5) for n, name in enumerate(FINDINGS))
    put(s, report, scores=many, positive="", task="multi-label", strangeness=0.0, strangeness_limit=1.0)
    yield "classify-14-classes"
    s.press(panel.card.scores.more)
    yield "classify-14-classes-all"


def classify_busy(stage: Maker) -> Iterator[str]:
    s, panel = film(stage, at_first="CT thorax phantom", workers=1)
    usual = s.host.models.offered[0]
    for_ct = replace(usual, applies=replace(usual.applies, modality=("CT",), body_part=(), view=(), age_years=None))
    s.host.models._list = lambda: ((for_ct,), ())  # all slices are asked about where the model fits
    s.host.models.reload()
    s.rest()
    s.press(panel.series.run)
    s.wait(panel.progress.isVisible, "the run is told of")
    s.rest()
    yield "classify-busy"
    s.settle()
    reports = s.host.document.reports_of(s.host.root_id)
    assert reports, "The run has failed: the picture would show an error under another name."
    changes = tuple(ItemChange("report", r.id, r, replace(r, strangeness=0.0, strangeness_limit=1.0)) for r in reports)
    s.host.document.commit(s.host.document.step("Classify", changes))
    for report in reports[40:44]:
        give_reading(s.host.document, report.id, "disagree", label="Nodule", note="" if report.index % 2 else "small")
    s.window.messages.clear_messages()
    s.rest()
    yield "classify-all-planes"
    s.press(panel.series.disagreements)
    s.rest()
    yield "classify-disagreements"


def classify_failed(stage: Maker) -> Iterator[str]:
    s, panel = film(stage)
    host = s.host
    usual = host.models.offered[0]
    host.models._list = lambda: ((replace(usual, name="gone"),), ())
    host.models.reload()
    s.press(panel.run_button)
    s.settle()
    s.window.messages.clear_messages()
    yield "classify-error"
    damaged = gettext('The model "{card}" is damaged or was changed: its checksum is not the card\'s.').format(card="chest")
    host.models._list = lambda: ((), (("chest", damaged),))
    host.models.reload()
    s.rest()
    yield "classify-no-model"


def classify_small(stage: Maker) -> Iterator[str]:
    s, panel = film(stage, size=(960, 600))
    s.key(Qt.Key.Key_F5)
    s.settle()
    known(s, panel)
    yield "classify-960x600"
    s.trigger("analysis.classify_open")
    s.settle()
    s.rest()
    yield "classify-all-open-images"


def classify_without_tags(stage: Maker) -> Iterator[str]:
    s, _panel = film(stage)
    volume = s.host.state.volume
    assert volume is not None
    who = replace(volume.identity, modality="", patient_age="", patient_birth_date="", body_part="", view_position="")
    s.host.document.add_source(replace(volume, id="bare", root_id="bare", identity=who))
    s.host.show_volume("bare")
    s.rest()
    yield "classify-without-tags"


CLASSIFY_CHAPTERS = (
    classify, classify_fitting, classify_reports, classify_busy, classify_failed, classify_small, classify_without_tags,
)  # fmt: skip


# --- how a scene is set ---


def film(stage: Maker, *, at_first: str = "RG1", **options: Any) -> tuple[Stage, Any]:
    """The sample study, at a film or at the CT, and the Classify tab."""
    s = stage(**options)
    s.open_sample(at_first)
    if at_first != "RG1":
        s.turn_to(NODULE.centre_mm)
    panel: Any = s.window.dock.show_panel("classify")
    s.rest()
    return s, panel


def child(s: Stage) -> None:
    """The film that is shown as if it were one of a child: nothing in its file then speaks against the model."""
    volume = s.host.state.volume
    assert volume is not None
    who = replace(volume.identity, patient_age="004Y", patient_birth_date="20000305", body_part="CHEST", view_position="PA")
    s.host.document.add_source(replace(volume, id="child", root_id="child", identity=who))
    s.host.show_volume("child")
    s.rest()


def known(s: Stage, panel: Any) -> Report:
    """The report in view as if the model had seen such films: the sample's is of an adult."""
    s.window.messages.clear_messages()
    report: Report = panel.report
    high = tuple(replace(score, value=0.874 if score.name == report.positive else 0.126) for score in report.scores)
    put(s, report, scores=high, strangeness=0.0, strangeness_limit=1.0)
    return report


def put(s: Stage, report: Report, **values: Any) -> None:
    """The report with something else in it."""
    before = s.host.document.item("report", report.id)
    change = ItemChange("report", report.id, before, replace(report, **values))
    s.host.document.commit(s.host.document.step("Classify", (change,)))
    s.rest()
