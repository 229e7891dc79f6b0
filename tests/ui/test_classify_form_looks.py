"""How the form of Classify stands in small windows: where the heat-map's card begins, words that are cut, and names of its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QWidget
from pytestqt.qtbot import QtBot

from plugins.classify.panel import ClassifyPanel
from plugins.classify.performance import figures_in
from tests.ui.classify_samples import classify_a_film, films, put, show
from tests.ui.panel_samples import Parts
from tests.ui.window_samples import settle
from viewer.core import words
from viewer.session.history import ItemChange
from viewer.session.models import list_models
from viewer.ui.controls import NumberRow
from viewer.ui.window import Window

KEY = Qt.Key
FRAME = (300, 900)
"""The panel as narrow as it is in a window 960 px wide."""
CHECKSUM = "ad92033a" + "0f" * 28


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot, calm: None) -> ClassifyPanel:
    made = show(parts, frame, qtbot)
    parts.open(films())
    put(parts, ("Pneumonia", 0.8), ("No pneumonia", 0.2), positive="Pneumonia", facts=(("sha256", CHECKSUM),))
    return made


def test_a_cut_name_of_the_model_has_all_of_it_and_the_whole_checksum_as_its_tooltip(panel: ClassifyPanel, frame: QMainWindow) -> None:
    source = panel.card.source
    frame.resize(220, 900)
    QApplication.processEvents()
    assert source.is_elided()
    assert source.toolTip() == f"pneumonia-cxr-28 1.0.0 ad92033a\nsha256 {CHECKSUM}"
    frame.resize(500, 900)
    QApplication.processEvents()
    assert not source.is_elided()
    assert source.toolTip() == f"sha256 {CHECKSUM}"


def test_the_whole_checksum_is_copied_from_the_menu_of_the_name(panel: ClassifyPanel, parts: Parts) -> None:
    copied: list[str] = []
    parts.panels.copy_text = copied.append
    asked: list[str] = []

    def choose() -> None:
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        asked.extend(action.text() for action in menu.actions())
        QTest.keyClick(menu, KEY.Key_Down)
        QTest.keyClick(menu, KEY.Key_Return)

    QTimer.singleShot(0, choose)
    place = panel.card.source.rect().center()
    QApplication.sendEvent(panel.card.source, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, panel.card.source.mapToGlobal(place)))
    assert asked == ["Copy model and checksum"]
    assert copied == [f"pneumonia-cxr-28 1.0.0\nsha256 {CHECKSUM}"]
    assert parts.asked[-1] == ("ok", "Model and checksum copied.")


def test_no_two_rows_of_the_form_have_one_name_in_any_language(panel: ClassifyPanel, parts: Parts) -> None:
    panel.classify_current()
    rows = [row.caption.text() for row in panel.findChildren(NumberRow) if row.isVisible()]
    assert rows == ["Threshold", "Opacity", "Show from"]
    for row in rows:
        assert len(words.in_all_languages(row)) > 1
    assert not set(words.in_all_languages("Threshold")) & set(words.in_all_languages("Show from"))
    assert panel.heat.floor.field.text().replace("\u00a0", " ").endswith("%")
    assert panel.heat.floor.caption.toolTip() == "Below this share of its range the map is clear. It changes what is painted, and no score."


@pytest.mark.parametrize("is_read", [False, True])
def test_at_1280_x_720_the_head_of_the_heat_maps_card_is_in_sight_under_a_warning(
    make_window: Callable[..., Window], qtbot: QtBot, is_read: bool
) -> None:
    window = make_window(1280, 720)
    report = classify_a_film(window, qtbot)
    document = window.host.document
    shipped = next(card for card in list_models()[0] if card.name == "pneumonia-cxr")
    scores = tuple(replace(score, value=0.8 if score.name == "Pneumonia" else 0.2) for score in report.scores)
    told = ("This model was trained on patients of 1 to 5 years; this patient is 64.",)
    warned = replace(
        report, scores=scores, warnings=told, facts=(("sha256", CHECKSUM), *figures_in(shipped)), strangeness=0.0
    )  # fmt: skip
    document.commit(document.step("Classify", (ItemChange("report", report.id, report, warned),)))
    if is_read:
        QTest.keyClick(window.view, KEY.Key_F8)
    window.messages.clear_messages()
    settle(qtbot, window)
    panel = window.dock.show_panel("classify")
    assert isinstance(panel, ClassifyPanel)
    assert panel.warnings.isVisible() and panel.card.figures.isVisible() and panel.card.measured.isVisible()
    for part in (panel.heat.title, panel.heat.switch):
        assert is_wholly_seen(part, panel)


def is_wholly_seen(part: QWidget, panel: ClassifyPanel) -> bool:
    area = panel.scroll.viewport()
    corner = part.mapTo(area, QPoint(0, 0))
    return bool(area.rect().contains(part.rect().translated(corner)))
