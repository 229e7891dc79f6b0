"""The phase bar and cine (CONVENTIONS 3f): what is played is said, the label of the phase is shown, scrolling pauses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import made_volume, put_volume
from viewer.core.volume import Volume
from viewer.ui.window import Window

LABELS = ("b 0 s/mm²", "b 500 s/mm²", "b 1000 s/mm²")


def diffusion() -> Volume:
    return replace(made_volume((5, 20, 24), phases=3), kind="volume", phase_labels=LABELS)


def played(window: Window, *moments: float) -> list[tuple[int, int]]:
    """(phase, slice) that are shown so many seconds after the start."""
    now = [100.0]
    window.cine._clock = lambda: now[0]
    window.cine.toggle()
    found = []
    for moment in moments:
        now[0] = 100.0 + moment
        window.cine.step()
        found.append((window.host.state.phase, window.host.state.index))
    return found


def test_it_is_shown_for_phases_only_and_names_the_one_that_is_shown(window: Window, qtbot: Any) -> None:
    put_volume(window, made_volume())
    assert not window.phase_bar.isVisible()
    put_volume(window, diffusion())
    QApplication.processEvents()
    assert window.phase_bar.isVisible()
    assert window.phase_bar.words.text() == "Phase 1 / 3  b 0 s/mm²"
    qtbot.keyClick(window.view, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()
    assert window.phase_bar.words.text() == "Phase 2 / 3  b 500 s/mm²"
    assert window.phase_bar.slider.value() == 1
    assert "b 500" in window.phase_bar.slider.accessibleDescription()


def test_slider_and_buttons_go_to_another_phase_by_mouse_and_keys(window: Window, qtbot: Any) -> None:
    put_volume(window, diffusion())
    QApplication.processEvents()
    bar = window.phase_bar
    qtbot.mouseClick(bar.slider, Qt.MouseButton.LeftButton, pos=QPoint(bar.slider.width() - 3, 12))
    assert window.host.state.phase == 2
    qtbot.keyClick(bar.slider, Qt.Key.Key_Left)
    assert window.host.state.phase == 1
    qtbot.mouseClick(bar.next, Qt.MouseButton.LeftButton)
    assert window.host.state.phase == 2
    qtbot.mouseClick(bar.next, Qt.MouseButton.LeftButton)
    assert window.host.state.phase == 2  # not beyond the end


def test_a_series_with_both_plays_its_phases_until_slices_are_chosen(window: Window) -> None:
    put_volume(window, diffusion())
    QApplication.processEvents()
    bar = window.phase_bar
    assert bar.axis.isVisible() and bar.axis.currentText() == "Phases"
    assert played(window, 0.05, 0.15, 0.25, 0.35) == [(0, 2), (1, 2), (2, 2), (0, 2)]  # 10 a second
    window.cine.stop()
    window.cine.set_axis("slices")
    window.host.change_wish(phase=1, index=0)
    assert played(window, 0.05, 0.15, 0.25) == [(1, 0), (1, 1), (1, 2)]
    QApplication.processEvents()
    assert bar.axis.currentText() == "Slices"


def test_a_stack_of_one_phase_plays_its_slices_and_says_so(small_window: Window, qtbot: Any) -> None:
    qtbot.keyClick(small_window.view, Qt.Key.Key_C)
    assert small_window.cine.is_playing and small_window.cine.axis == "slices"
    QApplication.processEvents()
    assert small_window.phase_bar.isVisible() and small_window.phase_bar.words.text() == "Playing the slices"
    qtbot.keyClick(small_window.view, Qt.Key.Key_C)
    QApplication.processEvents()
    assert not small_window.phase_bar.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Down, Qt.Key.Key_Home])
def test_scrolling_pauses_what_is_played(small_window: Window, qtbot: Any, key: Qt.Key) -> None:
    small_window.cine.toggle()
    qtbot.keyClick(small_window.view, key)
    small_window.cine.step()
    assert not small_window.cine.is_playing


def test_shift_and_wheel_change_the_rate_while_it_plays(window: Window) -> None:
    put_volume(window, diffusion())
    window.cine.toggle()
    view = window.view
    at = QPointF(50, 50)
    event = QWheelEvent(
        at, view.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(event)
    assert window.cine.rate == 11.0
    QApplication.processEvents()
    assert window.phase_bar.rate.currentText() == "11 /s"
    window.cine.set_rate(500)
    assert window.cine.rate == 60.0
    window.cine.stop()


def test_the_measured_rate_counts_what_was_shown_not_what_was_wanted(window: Window) -> None:
    put_volume(window, diffusion())
    now = [0.0]
    window.cine._clock = lambda: now[0]
    window.cine.toggle()
    for number in range(1, 9):  # every 0.25 s, though 10 a second are wanted
        now[0] = number * 0.25 + 0.01
        window.cine.step()
    assert window.cine.measured_rate == pytest.approx(4.0)
