"""The frame that is painted before the rest of the program is imported stands where the window's parts will be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from tests.ui.window_samples import PATIENCE_MS, settle
from viewer.session.settings import Settings
from viewer.ui.first_frame import FirstFrame
from viewer.ui.theme import tokens
from viewer.ui.window import Window

LIGHT = """
import sys
from viewer.ui import application
heavy = {"numpy", "pyqtgraph", "pydicom", "scipy", "skimage", "SimpleITK"}
print(sorted(heavy & set(sys.modules)), sorted(n for n in sys.modules if n in ("viewer.ui.window", "viewer.ui.host", "viewer.ui.controls")))
"""


@pytest.fixture
def make_frame(themed: QApplication, settings: Settings) -> Iterator[Callable[..., FirstFrame]]:
    made: list[FirstFrame] = []

    def make(**options: Any) -> FirstFrame:
        made.append(FirstFrame(settings, **options))
        return made[-1]

    yield make
    for frame in made:
        if isValid(frame):  # one that has given way is gone
            frame.close()
            frame.deleteLater()


def test_nothing_heavy_is_imported_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[] []", "")


def test_it_is_painted_when_it_is_shown_in_the_windows_colours(make_frame: Callable[..., FirstFrame]) -> None:
    frame = make_frame()
    frame.show_now()
    picture = frame.grab().toImage()
    for rect, color in frame.parts():
        assert picture.pixelColor(rect.center()) == QColor(getattr(tokens(), color))


def rect_of(part: QWidget, window: Window) -> QRect:
    return QRect(part.mapTo(window, QPoint(0, 0)), part.size())


def test_its_parts_are_where_those_of_the_window_will_be(make_frame: Callable[..., FirstFrame], window: Window) -> None:
    frame = make_frame()
    frame.resize(window.size())
    surfaces = [rect for rect, _color in frame.parts()]
    for part in (window.browser, window.dock):
        there = rect_of(part, window)
        assert any(abs(r.left() - there.left()) <= 2 and abs(r.right() - there.right()) <= 2 and abs(r.top() - there.top()) <= 2 for r in surfaces), (
            there
        )


def test_it_is_divided_as_the_window_was_left(make_frame: Callable[..., FirstFrame], settings: Settings) -> None:
    settings.set("splitter", [300, 600, 380])
    settings.set("hidden", ["dock"])
    widths = {rect.width() for rect, _color in make_frame().parts()}
    assert 300 in widths and 380 not in widths and 1280 - 300 in widths
    assert 232 in {rect.width() for rect, _color in make_frame(restore=False).parts()}


@pytest.mark.parametrize("nonsense", [["a", "b", "c"], [1], 7])
def test_damaged_settings_do_not_matter(make_frame: Callable[..., FirstFrame], settings: Settings, nonsense: Any) -> None:
    settings.set("splitter", nonsense)
    settings.set("window", "§§§")
    assert len(make_frame().parts()) == 7


def test_the_window_takes_its_place_and_it_goes(make_frame: Callable[..., FirstFrame], make_window: Callable[..., Window], qtbot: Any) -> None:
    frame = make_frame()
    frame.show_now()
    frame.move(40, 30)
    frame.resize(1100, 700)
    window = make_window()
    frame.give_way(window)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: not any(isinstance(top, FirstFrame) for top in QApplication.topLevelWidgets()), timeout=PATIENCE_MS)
    assert window.isVisible() and window.size().width() == 1100 and window.size().height() == 700
