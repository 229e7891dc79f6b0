"""Every row of CONVENTIONS 3a by real events, in each profile, from a table written down here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.mouse import double_click
from tests.ui.window_samples import made_volume, put_volume
from viewer.session.profile import PROFILES, own_file
from viewer.session.settings import Settings
from viewer.ui.views.mouse import quickened
from viewer.ui.window import Window

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
PLANES = 60


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shown(make_window: Callable[..., Window], settings: Settings, profile: str) -> Window:
    """A window of a profile with 60 planes, at the 31st."""
    settings.set("profile", profile)
    window = make_window()
    put_volume(window, made_volume((PLANES, 40, 60)))
    window.host.change_wish(index=30)
    return window


def drag(
    window: Window, button: Qt.MouseButton, by: tuple[int, int], modifiers: Qt.KeyboardModifier = NONE, start: tuple[int, int] = (300, 250)
) -> None:
    port = window.view.viewport()
    QTest.mousePress(port, button, modifiers, QPoint(*start))
    for part in (0.5, 1.0):
        QTest.mouseMove(port, QPoint(round(start[0] + by[0] * part), round(start[1] + by[1] * part)))
        QApplication.processEvents()
    QTest.mouseRelease(port, button, modifiers, QPoint(start[0] + by[0], start[1] + by[1]))


def wheel(
    window: Window, delta: int, modifiers: Qt.KeyboardModifier = NONE, *, at: tuple[float, float] = (300, 250), touch: bool = False, ms: int = 0
) -> None:
    view, spot = window.view, QPointF(*at)
    phase = Qt.ScrollPhase.ScrollUpdate if touch else Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(spot, view.viewport().mapToGlobal(spot), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton, modifiers, phase, False)
    event.setTimestamp(ms)
    QApplication.sendEvent(view.viewport(), event)


def place_under(window: Window, at: tuple[float, float]) -> tuple[float, float, float]:
    view = window.view
    return view.state.position_at(view.state.placement(view.viewport_size).to_picture(at))


def moved(window: Window, do: Callable[[], None]) -> set[str]:
    """The fields of the active view's wish that something changes."""
    before = window.host.wish
    do()
    after = window.host.wish
    return {name for name in before.__slots__ if getattr(before, name) != getattr(after, name)}


def test_3a_left_drag_is_the_tool_in_hand_and_that_is_window_at_first(shown: Window) -> None:
    assert shown.tooling.name == "window"
    low = shown.host.state.window
    # 1st to 99th percentile over 256 a pixel: wider to the right, lower (brighter) upwards.
    values = shown.host.state.volume.values[PLANES // 3 : PLANES - PLANES // 3]
    assert moved(shown, lambda: drag(shown, LEFT, (20, -10))) >= {"window"}
    now = shown.host.state.window
    assert now.width > low.width
    assert now.center < low.center
    assert (now.width - low.width) / (low.center - now.center) == pytest.approx(2.0)
    assert values.size
    for tool, changed in (("zoom", {"zoom", "center"}), ("pan", {"zoom", "center"}), ("scroll", {"index"})):
        shown.tooling.pick(tool)
        assert moved(shown, lambda: drag(shown, LEFT, (0, -40))) == changed, tool
        shown.host.change_wish(zoom=None, center=None)


def test_3a_right_drag_zooms_about_the_press_point_but_not_in_weasis(shown: Window, profile: str) -> None:
    before = place_under(shown, (200, 180))
    zoom = shown.view.state.placement(shown.view.viewport_size).zoom
    changed = moved(shown, lambda: drag(shown, RIGHT, (0, -50), start=(200, 180)))
    if profile == "weasis":
        assert changed == set()
        return
    assert changed == {"zoom", "center"}
    assert shown.host.wish.zoom == pytest.approx(zoom * 1.01**50)  # up is in
    assert place_under(shown, (200, 180)) == pytest.approx(before)


def test_3a_right_click_below_4_px_is_the_menu_in_every_profile(shown: Window) -> None:
    told: list[object] = []
    shown.view.menu_wanted.disconnect()
    shown.view.menu_wanted.connect(told.append)
    assert moved(shown, lambda: drag(shown, RIGHT, (2, -3))) == set()
    assert len(told) == 1
    drag(shown, RIGHT, (0, 4))
    assert len(told) == 1


def test_3a_middle_drag_pans(shown: Window) -> None:
    before = place_under(shown, (200, 180))
    assert moved(shown, lambda: drag(shown, MIDDLE, (30, 20), start=(200, 180))) == {"zoom", "center"}
    assert place_under(shown, (230, 200)) == pytest.approx(before)


@pytest.mark.parametrize("tool", ["window", "Measure/Distance", "Segment/Brush", "Segment/Seeds"])
def test_3a_shift_and_left_drag_pan_in_any_tool(shown: Window, tool: str) -> None:
    shown.tooling.pick(tool)
    before, steps = place_under(shown, (200, 180)), shown.host.document.history.position
    drag(shown, LEFT, (30, 20), SHIFT, start=(200, 180))
    assert place_under(shown, (230, 200)) == pytest.approx(before)
    assert shown.host.document.history.position == steps


def test_3a_shift_and_a_click_are_still_the_tools(shown: Window) -> None:
    shown.tooling.pick("Segment/Seeds")
    QTest.mouseClick(shown.view.viewport(), LEFT, NONE, QPoint(300, 250))
    assert len(shown.host.wish.seeds) == 1
    QTest.mouseClick(shown.view.viewport(), LEFT, SHIFT, QPoint(300, 250))
    assert shown.host.wish.seeds == ()


def test_3a_wheel_is_one_slice(shown: Window) -> None:
    wheel(shown, -120)
    assert shown.host.state.index == 31
    wheel(shown, 120)
    wheel(shown, 120)
    assert shown.host.state.index == 29


def test_3a_ctrl_and_wheel_zoom_at_the_pointer(shown: Window) -> None:
    before = place_under(shown, (150, 120))
    zoom = shown.view.state.placement(shown.view.viewport_size).zoom
    wheel(shown, 120, CTRL, at=(150, 120))
    assert shown.host.wish.zoom == pytest.approx(1.2 * zoom)
    assert place_under(shown, (150, 120)) == pytest.approx(before)


def test_3a_shift_and_wheel_are_ten_slices_and_the_size_of_a_brush(shown: Window) -> None:
    wheel(shown, -120, SHIFT)
    assert shown.host.state.index == 40
    shown.tooling.pick("Segment/Brush")
    radius = shown.tooling.tool.options.radius
    wheel(shown, 120, SHIFT)
    assert shown.host.state.index == 40
    assert shown.tooling.tool.options.radius > radius


def test_3a_alt_and_wheel_are_the_opacity_of_masks_and_maps(shown: Window) -> None:
    shown.tooling.add_segment("Lesion")
    before = shown.host.wish.label_opacity
    assert moved(shown, lambda: wheel(shown, 120, ALT)) == {"label_opacity"}
    assert shown.host.wish.label_opacity == pytest.approx(before + 0.05)
    for _turn in range(40):
        wheel(shown, -120, ALT)
    assert shown.host.wish.label_opacity == 0.0


def test_3a_shift_and_move_carry_the_crosshair(shown: Window) -> None:
    told: list[Any] = []
    shown.view.pointed.connect(told.append)
    port = shown.view.viewport()
    for spot, held in ((QPointF(100, 100), NONE), (QPointF(220, 190), SHIFT)):
        # QTest moves no keys: the event that a mouse sends, with and without Shift held.
        event = QMouseEvent(QEvent.Type.MouseMove, spot, port.mapToGlobal(spot), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, held)
        QApplication.sendEvent(port, event)
    assert len(told) == 1
    assert told[-1] == pytest.approx(place_under(shown, (220, 190)))


def test_3a_double_click_maximises_this_view_and_restores_it(shown: Window) -> None:
    shown.host.arrange("1x2")
    QApplication.processEvents()
    first, second = shown.grid.views[:2]
    double_click(first.viewport(), QPoint(50, 50))
    QApplication.processEvents()
    assert first.isVisible()
    assert not second.isVisible()
    double_click(first.viewport(), QPoint(50, 50))
    QApplication.processEvents()
    assert second.isVisible()


def test_3a_ctrl_shift_and_left_drag_are_windowing_from_inside_any_tool(shown: Window) -> None:
    for tool in ("pan", "Measure/Distance", "Segment/Brush"):
        shown.tooling.pick(tool)
        steps = shown.host.document.history.position
        before = shown.host.state.window
        drag(shown, LEFT, (20, 0), CTRL | SHIFT)
        assert shown.host.state.window.width > before.width, tool
        assert shown.host.document.history.position == steps


def test_3a_ctrl_and_left_with_a_paint_tool_are_its_opposite(shown: Window) -> None:
    shown.tooling.pick("Segment/Brush")
    drag(shown, LEFT, (60, 0))
    layer = shown.tooling.active.layer_id
    painted = int(np.count_nonzero(shown.host.document.labels(layer)))
    assert painted > 0
    drag(shown, LEFT, (60, 0), CTRL)
    assert np.count_nonzero(shown.host.document.labels(layer)) < painted


def test_3a_pinch_zooms_and_two_fingers_scroll_a_slice_for_each_40_units(shown: Window) -> None:
    port = shown.view.viewport()
    zoom = shown.view.state.placement(shown.view.viewport_size).zoom
    before, spot = place_under(shown, (200, 180)), QPointF(200, 180)
    device = QPointingDevice.primaryPointingDevice()
    kind = Qt.NativeGestureType.ZoomNativeGesture
    QApplication.sendEvent(port, QNativeGestureEvent(kind, device, 2, spot, spot, QPointF(port.mapToGlobal(spot)), 0.25, QPointF()))
    assert shown.host.wish.zoom == pytest.approx(1.25 * zoom)
    assert place_under(shown, (200, 180)) == pytest.approx(before)
    for _turn in range(3):
        wheel(shown, -20, touch=True)
    assert shown.host.state.index == 31  # 60 units
    wheel(shown, -20, touch=True)
    assert shown.host.state.index == 32


# --- what the settings say ---


def test_dragging_the_other_way_is_a_setting(shown: Window, settings: Settings) -> None:
    settings.set("up_is_brighter", False)
    before = shown.host.state.window
    drag(shown, LEFT, (0, -10))
    assert shown.host.state.window.center > before.center
    settings.set("up_is_brighter", True)
    before = shown.host.state.window
    drag(shown, LEFT, (0, -10))
    assert shown.host.state.window.center < before.center


@pytest.mark.parametrize(
    ("since", "count", "steps"), [(0, 500, 1), (60, 500, 1), (200, 500, 1), (30, 500, 2), (10, 500, 6), (1, 500, 10), (1, 60, 1)]
)
def test_a_quick_notch_counts_more_the_quicker_up_to_a_fiftieth_of_the_stack(since: int, count: int, steps: int) -> None:
    assert quickened(since, count) == steps


def test_a_wheel_turned_quickly_goes_faster_unless_the_settings_say_no(window: Window, settings: Settings) -> None:
    put_volume(window, made_volume((500, 4, 6)))
    window.host.change_wish(index=100)
    for at in (1000, 1010, 1020):
        wheel(window, -120, ms=at)
    assert window.host.state.index == 100 + 1 + 6 + 6
    settings.set("wheel_acceleration", False)
    for at in (2000, 2010, 2020):
        wheel(window, -120, ms=at)
    assert window.host.state.index == 113 + 3


def test_a_gesture_of_the_users_own_file_counts(make_window: Callable[..., Window], settings: Settings) -> None:
    path: Path = own_file(settings.path.parent, "default")
    path.parent.mkdir(parents=True)
    path.write_text('[mouse]\n"right" = "pan"\n"Alt+wheel" = "nothing"\n', encoding="utf-8")
    window = make_window()
    put_volume(window, made_volume((PLANES, 40, 60)))
    before = place_under(window, (200, 180))
    drag(window, RIGHT, (30, 20), start=(200, 180))
    assert place_under(window, (230, 200)) == pytest.approx(before)
    assert moved(window, lambda: wheel(window, 120, ALT)) == set()
