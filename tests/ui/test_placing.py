"""Where the window stands: taken up again, and brought back from a screen that is gone."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget

from viewer.ui.placing import bring_back


def test_a_window_on_a_screen_that_is_gone_is_moved_to_the_first_one_and_this_is_said(qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(2600, 300, 900, 700)
    assert bring_back(window, [QRect(0, 0, 1280, 1024), QRect(2560, 0, 1920, 1080)]) == ""
    assert window.x() == 2600
    said = bring_back(window, [QRect(0, 0, 1280, 1024)])
    assert "not connected" in said
    assert QRect(0, 0, 1280, 1024).contains(window.geometry())


def test_a_window_larger_than_the_screen_that_is_left_is_made_smaller(qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(-4000, -4000, 2500, 1900)
    assert bring_back(window, [QRect(0, 0, 1280, 800)])
    assert window.width() <= 1280 and window.height() <= 800


def test_sizes_and_hidden_parts_come_back_and_nonsense_is_passed_over(make_window: Any) -> None:
    first = make_window()
    first.actions_table["view.browser"].trigger()
    first.horizontal.setSizes([240, 700, 340])
    first.close()
    again = make_window()
    assert again.browser.isHidden() and not again.dock.isHidden()
    again.close()
    settings = again.host.settings
    settings.set("window", "no base64 of any window")
    settings.set("splitter", [1, "two", -3])
    settings.set("hidden", ["browser", "nothing of that name"])
    third = make_window()
    QApplication.processEvents()
    assert third.isVisible() and third.browser.isHidden()


def test_a_screen_that_is_gone_is_said_though_qt_moves_the_window_itself(make_window: Any) -> None:
    first = make_window()
    first.close()
    same = make_window()
    QApplication.processEvents()
    assert same.messages.message() is None
    same.close()
    same.host.settings.set("screen", [1600, 0, 1920, 1080])
    again = make_window()
    QApplication.processEvents()
    message = again.messages.message()
    assert message is not None and "not connected" in message.text
