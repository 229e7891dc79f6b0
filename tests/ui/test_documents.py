"""Reports, presentation states and key images in the window: opened from the browser, searched, copied, saved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import PATIENCE_MS, dialog_of, settle
from viewer.io.objects.readable import Line, Readable
from viewer.ui.dialogs.report import DocumentDialog
from viewer.ui.window import Window

TEXT = Readable(
    "Imaging Measurement Report",
    (
        Line("entry", 0, "Date", "2015-08-19"),
        Line("heading", 0, "Findings"),
        Line("entry", 1, "Finding", "A mass of <b>3 cm</b>"),
        Line("paragraph", 1, "", "No further mass.\nSecond line."),
    ),
    ("Items of the kind “X” are not known here.",),
)


@pytest.fixture
def dialog(window: Window) -> DocumentDialog:
    made = DocumentDialog(TEXT, about="Doe, Jane · 17", stem="finding", host=window.host, parent=window)
    made.open()
    return made


def test_the_text_reads_in_order_and_markup_stays_words(dialog: DocumentDialog) -> None:
    lines = dialog.text.toPlainText().splitlines()
    assert lines == ["Date: 2015-08-19", "Findings", "Finding: A mass of <b>3 cm</b>", "No further mass.", "Second line."]
    assert dialog.note.isVisible() and "not known" in dialog.note.text()
    assert "Doe" not in dialog.text.toPlainText()


def test_the_search_steps_through_its_finds_and_says_where_it_is(dialog: DocumentDialog, qtbot: Any) -> None:
    assert not dialog.after.isEnabled() and dialog.after.toolTip()
    qtbot.keyClick(dialog.text, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(dialog.field, "mass")
    assert dialog.count.text() == "1 of 2"
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert dialog.count.text() == "2 of 2" and dialog.isVisible()
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert dialog.count.text() == "1 of 2"
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.count.text() == "2 of 2"
    dialog.field.setText("teapot")
    assert dialog.count.text() == "Not found" and not dialog.before.isEnabled()


def test_all_of_it_or_what_is_selected_is_copied(dialog: DocumentDialog, qtbot: Any) -> None:
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    copied = QApplication.clipboard().text()
    assert copied.splitlines()[:3] == ["Imaging Measurement Report", "==========================", "Date: 2015-08-19"]
    assert "  Finding: A mass of <b>3 cm</b>" in copied and "Doe" not in copied
    cursor = dialog.text.textCursor()
    cursor.setPosition(6)
    cursor.setPosition(16, cursor.MoveMode.KeepAnchor)
    dialog.text.setTextCursor(cursor)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "2015-08-19"


def test_it_is_saved_as_text_whole_or_not_at_all(dialog: DocumentDialog, window: Window, tmp_path: Path) -> None:
    dialog.save_to(tmp_path / "finding.txt")
    saved = (tmp_path / "finding.txt").read_text(encoding="utf-8")
    assert saved.startswith("Imaging Measurement Report\n") and saved.endswith("not known here.\n")
    assert window.messages.message().text == "finding.txt is saved."
    dialog.save_to(tmp_path / "absent" / "finding.txt")
    assert window.messages.message().kind == "err"
    assert os.listdir(tmp_path / "absent") == [] if (tmp_path / "absent").exists() else True


@pytest.mark.parametrize(
    ("name", "title", "words"),
    [
        ("dcmqi_sr.dcm", "Imaging Measurement Report", "SUVbw, Mean: 6.01529 SUVbw g/ml"),
        ("made_gsps.dcm", "Presentation state: LUNG, 2 images", "Window: width 1500, level -600"),
        ("made_ko.dcm", "Key images: Of Interest, 2 images", "Description: two slices through the nodule"),
    ],
)
def test_choosing_a_document_in_the_browser_opens_it(window: Window, qtbot: Any, shared_data: Path, name: str, title: str, words: str) -> None:
    window.open_paths([shared_data / "single" / name])
    settle(qtbot, window)
    (row,) = window.opener.rows()
    window.opener.show(row.entry.id)
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(DocumentDialog)), timeout=PATIENCE_MS)
    dialog = dialog_of(window)
    assert dialog.title.text() == title
    assert words in dialog.text.toPlainText().replace("\u2028", "\n")


def test_what_is_only_listed_says_why(window: Window, qtbot: Any, shared_data: Path) -> None:
    window.open_paths([shared_data / "single" / "dcmqi_rwvm.dcm"])
    settle(qtbot, window)
    (row,) = window.opener.rows()
    window.opener.show(row.entry.id)
    message = window.messages.message()
    assert message is not None and "real world value mapping" in message.text
