"""Every widget of the window in both languages at three sizes: no text is wider than its box, none is unnamed, all are reached by Tab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QWidget

from tests.ui.walk import NO_FONT
from viewer.ui.scenes_check import unreached
from viewer.ui.window import Window

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize(("width", "height", "scale"), [(960, 600, 1), (1280, 800, 1), (1280, 720, 2)])
def test_no_text_is_cut_no_control_unnamed_or_beyond_tab(language: str, width: int, height: int, scale: int, tmp_path: Path) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": str(scale), "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "tests.ui.walk", language, str(width), str(height)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=390, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    if NO_FONT in ended.stdout:
        pytest.skip(NO_FONT)
    counted = re.search(r"(\d+) states, 0 complaints, (\d) device pixels", ended.stdout)
    assert counted is not None and int(counted[1]) > 60 and int(counted[2]) == scale


def test_tab_itself_goes_through_the_window_and_comes_back(window: Window) -> None:
    start = window.first_run.open_folder
    start.setFocus()
    seen: list[QWidget] = []
    for _step in range(200):
        focus = QApplication.focusWidget()
        if focus is None or (focus is start and seen):
            break
        seen.append(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is start
    for part in (window.top_bar.menu_button, window.top_bar.search_button, window.dock.tabs, window.first_run.open_file):
        assert part in seen or part.focusProxy() in seen


@pytest.fixture
def page(qtbot: Any, themed: QApplication) -> Iterator[QWidget]:
    made = QWidget()
    QHBoxLayout(made)
    yield made
    made.deleteLater()


def test_a_button_that_takes_no_focus_is_found_and_one_in_a_group_of_arrow_keys_is_not(page: QWidget, qtbot: Any) -> None:
    row = page.layout()
    assert row is not None
    first, second, beyond = QPushButton("One"), QPushButton("Two"), QPushButton("Three")
    second.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    beyond.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    for part in (first, second, beyond, QLineEdit()):
        row.addWidget(part)
    page.show()
    qtbot.waitExposed(page)
    found = unreached(page)
    assert len(found) == 1 and "not reached by Tab" in found[0]
    beyond.setEnabled(False)
    assert unreached(page) == []
