"""The history panel by real clicks and keys: what is done, current and undone, and the way to a step."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from tests.ui.panel_samples import Parts, ramp
from viewer.ui.panels.history_panel import STATE_ROLE, TIME_ROLE, HistoryPanel, build_history

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FRAME = (332, 600)
"""Size of the panel's window, see ``frame`` in conftest.py."""
pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> HistoryPanel:
    made = build_history(parts.panels)
    assert isinstance(made, HistoryPanel)
    frame.setCentralWidget(made)
    frame.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)
    parts.open(ramp())
    return made


def add(parts: Parts, *names: str) -> None:
    for name in names:
        parts.panels.tooling.add_segment(name)
    QApplication.processEvents()


def rows(panel: HistoryPanel) -> list[tuple[str, str]]:
    """Title and state of each row."""
    model = panel.model
    return [(model.index(n).data(), model.index(n).data(STATE_ROLE)) for n in range(model.rowCount())]


def click_row(panel: HistoryPanel, row: int) -> None:
    place = panel.steps.visualRect(panel.model.index(row)).center()
    QTest.mouseClick(panel.steps.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place)


def test_without_steps_it_says_so(panel: HistoryPanel) -> None:
    assert panel.empty.isVisible()
    assert panel.empty.title.text() == "No steps yet."
    assert not panel.steps.isVisible()
    assert not panel.undo.isEnabled()
    assert panel.undo.toolTip() == "Nothing to undo."


def test_steps_are_listed_in_order_with_the_names_of_the_undo_item(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "Liver", "Spleen")
    assert rows(panel) == [("Opened", "done"), ("Add Liver", "done"), ("Add Spleen", "current")]
    last = parts.host.document.history.next_undo
    assert last is not None
    assert rows(panel)[-1][0] == last.title.text()
    assert re.fullmatch(r"\d\d:\d\d", panel.model.index(1).data(TIME_ROLE))
    assert panel.model.index(0).data(TIME_ROLE) == ""
    assert panel.undo.toolTip() == "Undo Add Spleen"
    assert not panel.undone.isVisible()


def test_undone_steps_are_marked_and_counted(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "A", "B", "C")
    QTest.mouseClick(panel.undo, LEFT)
    assert panel.undone.text() == "1 undone step. A new step will replace it."
    QTest.mouseClick(panel.undo, LEFT)
    assert [state for _title, state in rows(panel)] == ["done", "current", "undone", "undone"]
    assert panel.undone.isVisible()
    assert panel.undone.text() == "2 undone steps. A new step will replace them."
    assert panel.redo.toolTip() == "Redo Add B"
    QTest.mouseClick(panel.redo, LEFT)
    assert [state for _title, state in rows(panel)] == ["done", "done", "current", "undone"]
    add(parts, "D")
    assert [title for title, _state in rows(panel)] == ["Opened", "Add A", "Add B", "Add D"]
    assert not panel.undone.isVisible()


def test_a_click_goes_to_a_step_and_the_first_row_to_what_was_opened(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "A", "B", "C")
    states = [parts.host.document.state_hash()]
    click_row(panel, 1)
    assert parts.host.document.history.position == 1
    click_row(panel, 0)
    assert parts.host.document.history.position == 0
    assert parts.host.document.items("layer") == ()
    click_row(panel, 3)
    assert parts.host.document.history.position == 3
    assert parts.host.document.state_hash() == states[0]


def test_keys_move_a_cursor_and_enter_goes_there(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "A", "B", "C")
    panel.steps.setFocus()
    for _press in range(2):
        QTest.keyClick(panel.steps, KEY.Key_Up)
    assert parts.host.document.history.position == 3  # looking is not going
    QTest.keyClick(panel.steps, KEY.Key_Return)
    assert parts.host.document.history.position == 1
    assert panel.steps.currentIndex().row() == 1


def test_the_current_step_of_a_long_history_is_in_sight(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, *[f"Segment {n}" for n in range(1, 61)])
    area = panel.steps.viewport().rect()
    assert area.contains(panel.steps.visualRect(panel.model.index(60)).center())
    parts.host.go_to(3)
    assert area.contains(panel.steps.visualRect(panel.model.index(3)).center())
    assert panel.undone.isVisible()  # under the list, which scrolls by itself
    assert panel.undone.geometry().bottom() <= panel.height()


def test_a_step_in_the_middle_of_a_gesture_is_refused_in_words(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "A", "B")
    gesture = parts.host.document.edit("Stroke")
    click_row(panel, 1)
    assert parts.host.document.history.position == 2
    assert ("err", "Finish or cancel what is being drawn first.") in parts.asked
    gesture.cancel()


def test_closing_everything_empties_the_list(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "A")
    parts.host.close_all()
    assert panel.empty.isVisible()
    assert rows(panel) == [("Opened", "current")]


def test_rows_say_their_state_to_those_who_cannot_see_it(panel: HistoryPanel, parts: Parts) -> None:
    add(parts, "A", "B")
    parts.host.undo()
    said = [panel.model.index(n).data(Qt.ItemDataRole.AccessibleTextRole) for n in range(3)]
    assert said == ["Opened, done", "Add A, current", "Add B, undone"]
