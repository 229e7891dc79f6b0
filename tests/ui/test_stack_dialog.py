"""Opening a folder of pictures as a stack: the dialog shows what and in which order, asks for distances, and lets them be unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from tests.ui.window_samples import PATIENCE_MS, dialog_of, settle
from viewer.ui.dialogs.stack import StackDialog
from viewer.ui.window import Window


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scan"
    place.mkdir()
    for n in (1, 2, 3, 9, 10, 11):
        Image.fromarray(np.full((30, 40), 20 * n, dtype=np.uint8)).save(place / f"img{n}.png")
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(place / "cover.png")
    return place


def asked(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> StackDialog:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(folder))
    window.actions_table["file.open_stack"].trigger()
    dialog = dialog_of(window)
    assert isinstance(dialog, StackDialog)
    qtbot.waitUntil(lambda: "…" not in dialog.found.text() and "Looking" not in dialog.found.text(), timeout=PATIENCE_MS)
    return dialog


def type_into(qtbot: Any, dialog: StackDialog, *texts: str) -> None:
    for row, text in zip(dialog.rows, texts, strict=True):
        row.field.setFocus()
        row.field.selectAll()
        qtbot.keyClicks(row.field, text)
        qtbot.keyClick(row.field, Qt.Key.Key_Tab)


def test_it_shows_the_order_and_opens_with_the_spacing_typed(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    dialog = asked(window, qtbot, monkeypatch, folder)
    assert dialog.found.text() == "6 pictures of 40 x 30 pixels. 1 other file is left out."
    assert "cover.png" in dialog.found.toolTip()
    assert dialog.order.text() == "In this order: img1.png, img2.png, img3.png, …, img11.png"
    type_into(qtbot, dialog, "0.5", "0,25", "3 mm")
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    volume = window.host.state.volume
    assert volume is not None
    assert volume.geometry.spacing == (3.0, 0.25, 0.5)
    assert volume.values[:, 0, 0].tolist() == [20, 40, 60, 180, 200, 220]
    assert len(window.opener.rows()) == 1
    assert window.host.document.source(volume.id).how == "stack 0.5 0.25 3.0"


def test_empty_fields_are_pixels(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    dialog = asked(window, qtbot, monkeypatch, folder)
    assert [row.field.placeholderText() for row in dialog.rows] == ["unknown"] * 3
    dialog.go.click()
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert window.host.state.volume is not None
    assert window.host.state.volume.geometry.unit == "px"


def test_what_is_no_distance_cannot_be_opened_and_says_why(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    dialog = asked(window, qtbot, monkeypatch, folder)
    qtbot.keyClicks(dialog.rows[0].field, "-1")
    assert not dialog.go.isEnabled()
    assert "Between columns must be between" in dialog.go.toolTip()
    dialog.rows[0].reset()
    assert dialog.go.isEnabled()
    dialog.reject()


def test_a_folder_without_pictures_says_so(window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    dialog = asked(window, qtbot, monkeypatch, tmp_path / "none")
    assert "no picture" in dialog.found.text()
    assert not dialog.go.isEnabled()
    assert dialog.go.toolTip()
    dialog.reject()
