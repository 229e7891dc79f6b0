"""Windowing in the window by real events: region, histogram, list of windows, colour maps, own presets, profiles and the direction of the drag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import PATIENCE_MS, dialog_of, made_volume, put_volume, settle
from viewer.core.histogram import volume_histogram
from viewer.core.slab import Slab
from viewer.core.window import VoiLut, presets_of
from viewer.core.window import Window as ValueWindow
from viewer.draw.corners import window_text
from viewer.draw.planes import shown_values
from viewer.session.own_presets import FILE_NAME
from viewer.session.settings import Settings
from viewer.ui.histogram_plot import Handle
from viewer.ui.window import Window
from viewer.ui.window_list import NUMBERS

LEFT = Qt.MouseButton.LeftButton
NONE, CTRL, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
K = Qt.Key


def now(window: Window) -> ValueWindow:
    return window.host.state.window


def at(window: Window, column: float, row: float) -> QPoint:
    """Where in the viewport a picture point is."""
    view = window.view
    sy, sx = view.state.layout.step
    x, y = view.state.placement(view.viewport_size).to_viewport((column * sx, row * sy))
    return QPoint(round(x), round(y))


def drag(widget: Any, *points: QPoint, modifiers: Qt.KeyboardModifier = NONE, during: Callable[[], object] | None = None) -> Any:
    QTest.mousePress(widget, LEFT, modifiers, points[0])
    for point in points[1:]:
        QTest.mouseMove(widget, point)
        QApplication.processEvents()
    seen = during() if during is not None else None
    QTest.mouseRelease(widget, LEFT, modifiers, points[-1])
    QApplication.processEvents()
    return seen


# --- a dragged region ---


def test_a_dragged_rectangle_makes_the_window_of_its_1_to_99_percent(small_window: Window) -> None:
    window = small_window
    QTest.mouseClick(window.view_bar.region, LEFT)
    assert window.tooling.name == "region_window"
    assert window.view_bar.region.isChecked()
    steps = window.host.document.history.position
    start, end = at(window, 10, 5), at(window, 40, 25)
    band = drag(window.view.viewport(), start, at(window, 20, 20), end, during=lambda: len(window.view._shapes))
    assert band == 4  # four lines while it is dragged
    assert len(window.view._shapes) == 0
    state = window.host.state
    to_picture = state.placement(window.view.viewport_size).to_picture
    (left, top), (right, bottom) = (to_picture((p.x(), p.y())) for p in (start, end))
    sy, sx = state.layout.step
    plane = state.volume.values[state.array_index]
    columns = [c for c in range(60) if left <= (c + 0.5) * sx <= right]
    rows = [r for r in range(40) if top <= (r + 0.5) * sy <= bottom]
    assert (len(columns), len(rows)) == (30, 20)
    low, high = np.percentile(plane[np.ix_(rows, columns)], (1, 99))
    assert (now(window).low, now(window).high) == (pytest.approx(low), pytest.approx(high))
    assert window.host.document.history.position == steps  # D35


@pytest.mark.parametrize("wish", [{"slab": Slab("mip", 6.0)}, {"turn": (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1), "place": (15.0, 14.0, 6.0)}])
def test_a_region_of_a_slab_or_a_turned_plane_counts_what_is_shown(small_window: Window, wish: dict[str, Any]) -> None:
    window = small_window
    window.host.change_wish(**wish)
    QApplication.processEvents()
    window.actions_table["tool.region_window"].trigger()
    port, middle = window.view.viewport(), window.view.viewport().rect().center()
    start, end = middle - QPoint(80, 60), middle + QPoint(70, 50)
    drag(port, start, middle, end)
    state = window.host.state
    values = shown_values(state)
    (left, top), (right, bottom) = (state.placement(window.view.viewport_size).to_picture((p.x(), p.y())) for p in (start, end))
    x = (np.arange(values.shape[1]) + 0.5) * state.layout.size[0] / values.shape[1]
    y = (np.arange(values.shape[0]) + 0.5) * state.layout.size[1] / values.shape[0]
    inside = values[np.ix_((y >= top) & (y <= bottom), (x >= left) & (x <= right))]
    inside = inside[np.isfinite(inside)]
    assert inside.size > 50
    low, high = np.percentile(inside, (1, 99))
    assert (now(window).low, now(window).high) == (pytest.approx(low, rel=1e-5), pytest.approx(high, rel=1e-5))


def test_a_click_with_the_region_tool_and_a_region_beside_the_image_change_nothing(small_window: Window) -> None:
    window = small_window
    window.actions_table["tool.region_window"].trigger()
    before = window.host.wish
    QTest.mouseClick(window.view.viewport(), LEFT, NONE, at(window, 20, 20))
    assert window.host.wish == before
    drag(window.view.viewport(), at(window, -10, -8), at(window, -5, -4), at(window, -2, -2))
    assert window.host.wish == before
    shown = window.messages.message()
    assert shown is not None
    assert "too few values" in shown.text


def test_escape_ends_a_region_that_is_being_dragged(small_window: Window, qtbot: Any) -> None:
    window = small_window
    window.actions_table["tool.region_window"].trigger()
    before, port = window.host.wish, window.view.viewport()
    QTest.mousePress(port, LEFT, NONE, at(window, 5, 5))
    QTest.mouseMove(port, at(window, 30, 30))
    qtbot.keyClick(window.view, K.Key_Escape)
    QTest.mouseRelease(port, LEFT, NONE, at(window, 30, 30))
    assert window.host.wish == before


# --- the drag ---


def test_3a_ctrl_shift_and_drag_windows_inside_any_tool(small_window: Window) -> None:
    window = small_window
    for tool in ("tool.pan", "tool.region_window", "tool.Measure/Distance", "tool.Segment/Brush"):
        if tool not in window.actions_table:
            continue
        window.actions_table[tool].trigger()
        before = now(window)
        start = at(window, 30, 20)
        drag(window.view.viewport(), start, start + QPoint(20, -10), start + QPoint(40, -20), modifiers=CTRL | SHIFT)
        assert now(window).width > before.width, tool
        assert now(window).center < before.center, tool
    assert window.host.document.history.position == 0


@pytest.mark.parametrize(("setting", "sign"), [(True, -1), (False, 1)])
def test_3a_a_setting_turns_the_drag_round(make_window: Callable[..., Window], settings: Settings, setting: bool, sign: int) -> None:
    settings.set("up_is_brighter", setting)
    window = make_window()
    put_volume(window, made_volume())
    before, start = now(window), at(window, 30, 20)
    drag(window.view.viewport(), start, start + QPoint(0, -15), start + QPoint(0, -30))
    assert np.sign(now(window).center - before.center) == sign


@pytest.mark.parametrize(("profile", "key", "preset"), [("default", K.Key_2, "Lung"), ("ohif", K.Key_2, "Lung"), ("weasis", K.Key_7, "Lung")])
def test_3c_the_profile_says_what_lung_is(
    make_window: Callable[..., Window], settings: Settings, qtbot: Any, profile: str, key: Qt.Key, preset: str
) -> None:
    settings.set("profile", profile)
    window = make_window()
    put_volume(window, made_volume())
    window.view.setFocus()
    qtbot.keyClick(window.view, key)
    expected = next(p for p in presets_of(profile) if p.name == preset)
    assert (now(window).width, now(window).center) == (expected.width, expected.center)
    qtbot.waitUntil(lambda: window.view_bar.preset.currentText() == preset, timeout=PATIENCE_MS)


def test_weasis_takes_the_files_windows_by_1_and_2(make_window: Callable[..., Window], settings: Settings, qtbot: Any) -> None:
    settings.set("profile", "weasis")
    window = make_window()
    first, second = ValueWindow(10, 100, name="FIRST"), ValueWindow(20, 200, name="SECOND")
    put_volume(window, replace(made_volume(), windows=(first, second)))
    window.view.setFocus()
    for key, expected in ((K.Key_2, second), (K.Key_1, first)):
        qtbot.keyClick(window.view, key)
        assert now(window) == expected


# --- functions ---


def test_functions_are_chosen_by_command_and_named_in_the_corner(small_window: Window) -> None:
    window, actions = small_window, small_window.actions_table
    for action, function, words in (("sigmoid", "SIGMOID", "Sigmoid"), ("linear_exact", "LINEAR_EXACT", "Linear exact"), ("linear", "LINEAR", "L 0")):
        actions[f"window.{action}"].trigger()
        assert now(window).function == function
        assert (now(window).center, now(window).width) == (0, 2000)
        assert window_text(window.host.state).endswith(words)
        QApplication.processEvents()
        checked = [a for a in ("linear", "linear_exact", "sigmoid") if actions[f"window.{a}"].isChecked()]
        assert checked == [action]


def test_d36_for_colour_these_say_why_they_are_off(window: Window) -> None:
    put_volume(window, made_volume(is_color=True))
    for action in ("window.sigmoid", "window.color_map", "window.save_preset", "tool.region_window"):
        assert not window.actions_table[action].isEnabled()
        assert window.actions_table[action].toolTip() == "This is a colour image."
    assert not window.view_bar.colors.isEnabled()
    assert window.view_bar.colors.toolTip() == "This is a colour image."


# --- the histogram ---


@pytest.fixture
def counted(small_window: Window, qtbot: Any) -> Window:
    """With the histogram open and counted."""
    QTest.mouseClick(small_window.view_bar.histogram, LEFT)
    assert small_window.histogram.isVisible()
    qtbot.waitUntil(lambda: small_window.histogram.plot._whole is not None, timeout=PATIENCE_MS)
    settle(qtbot, small_window)
    return small_window


def test_the_histogram_drops_down_counts_and_follows(counted: Window, qtbot: Any) -> None:
    window, plot = counted, counted.histogram.plot
    assert window.actions_table["window.histogram"].isChecked()
    volume = window.host.state.volume
    assert np.array_equal(plot._whole.counts, volume_histogram(volume).counts)
    assert plot._whole.counts.sum() == volume.values.size
    before = plot._slice.counts
    assert before.sum() == 40 * 60
    window.host.change_wish(index=0)
    qtbot.waitUntil(lambda: not np.array_equal(plot._slice.counts, before), timeout=PATIENCE_MS)
    edges = plot._whole.low + plot._whole.step * np.arange(len(plot._whole.counts) + 1)
    shown = volume.values[window.host.state.array_index]
    assert np.array_equal(plot._slice.counts, np.histogram(shown, edges)[0])
    start = at(window, 30, 20)
    drag(window.view.viewport(), start, start + QPoint(10, 0), start + QPoint(25, 0))
    qtbot.waitUntil(lambda: plot._window == now(window), timeout=PATIENCE_MS)
    assert window.histogram.low.text().endswith("HU")
    QTest.mouseClick(window.view_bar.histogram, LEFT)
    assert not window.histogram.isVisible()


def test_its_handles_are_moved_by_the_mouse(counted: Window) -> None:
    window, plot = counted, counted.histogram.plot
    window.host.change_wish(window=ValueWindow(500, 1000, "LINEAR_EXACT"), window_unit="HU")
    QApplication.processEvents()
    y = plot.height() // 2
    low, high = plot.x_of(0), plot.x_of(1000)
    per_px = (plot.value_at(101) - plot.value_at(100)) * 1.01
    drag(plot, QPoint(round(low), y), QPoint(round(low) + 12, y), QPoint(round(low) + 30, y))
    assert now(window).high == pytest.approx(1000)
    assert now(window).low == pytest.approx(30 * per_px, abs=2 * per_px)
    before = now(window)
    drag(plot, QPoint(round(high), y), QPoint(round(high) - 10, y), QPoint(round(high) - 20, y))
    assert now(window).low == pytest.approx(before.low)
    assert now(window).high == pytest.approx(1000 - 20 * per_px, abs=2 * per_px)
    before = now(window)
    middle = round(plot.x_of(before.center))
    drag(plot, QPoint(middle, y), QPoint(middle + 10, y), QPoint(middle + 15, y))
    assert now(window).width == pytest.approx(before.width)
    assert now(window).center == pytest.approx(before.center + 15 * per_px, abs=2 * per_px)


def test_its_handles_are_moved_by_keys_and_say_where_they_are(counted: Window, qtbot: Any) -> None:
    window, plot = counted, counted.histogram.plot
    plot.setFocus()
    before = now(window)
    assert plot.handle is Handle.LOW
    qtbot.keyClick(plot, K.Key_Right)
    assert now(window).low > before.low
    assert now(window).high == pytest.approx(before.high)
    one = now(window).low - before.low
    qtbot.keyClick(plot, K.Key_Left, SHIFT)
    assert now(window).low == pytest.approx(before.low - 9 * one)
    before = now(window)
    qtbot.keyClick(plot, K.Key_Up)
    qtbot.keyClick(plot, K.Key_Right)
    assert now(window).width == pytest.approx(before.width)
    assert now(window).center > before.center
    qtbot.keyClick(plot, K.Key_Up)
    before = now(window)
    qtbot.keyClick(plot, K.Key_Left)
    assert now(window).low == pytest.approx(before.low)
    assert now(window).high < before.high
    QApplication.processEvents()
    assert "HU" in plot.accessibleName()
    assert "white end" in plot.accessibleName()


@pytest.mark.parametrize(("typed", "is_taken"), [("-300 HU", True), ("12,5", True), ("9999", False), ("wide", False), ("nan", False)])
def test_its_ends_are_typed_in_numbers(counted: Window, qtbot: Any, typed: str, is_taken: bool) -> None:
    window, field = counted, counted.histogram.low
    before = now(window)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, typed)
    qtbot.keyClick(field, K.Key_Return)
    if is_taken:
        assert now(window).low == pytest.approx(float(typed.split()[0].replace(",", ".")))
        assert now(window).high == pytest.approx(before.high)
    else:
        assert now(window) == before
        shown = window.messages.message()
        assert shown is not None
        assert shown.kind == "warn"


def test_the_function_is_chosen_beside_the_histogram(counted: Window) -> None:
    combo = counted.histogram.function
    combo.setCurrentIndex(combo.findData("SIGMOID"))
    combo.activated.emit(combo.currentIndex())
    assert now(counted).function == "SIGMOID"


def test_counts_are_drawn_by_logarithm_or_root(counted: Window) -> None:
    plot = counted.histogram.plot
    counts = np.array([0, 1, 9, 100, 100], np.int64)
    assert plot.heights(counts).tolist() == pytest.approx((np.log1p(counts) / np.log1p(100)).tolist())
    QTest.mouseClick(counted.histogram.scaling, LEFT)
    assert plot.heights(counts).tolist() == pytest.approx([0, 0.1, 0.3, 1, 1])


# --- the list of windows ---


def items(window: Window) -> dict[str, Any]:
    combo = window.view_bar.preset
    model = combo.model()
    assert isinstance(model, QStandardItemModel)
    return {combo.itemText(n): model.item(n) for n in range(combo.count()) if combo.itemText(n)}


def choose(window: Window, words: str) -> None:
    """From the open list, by a click."""
    combo = window.view_bar.preset
    combo.showPopup()
    QApplication.processEvents()
    view = combo.view()
    index = combo.model().index(combo.findText(words), 0)
    view.scrollTo(index)
    QTest.mouseMove(view.viewport(), view.visualRect(index).center())
    QTest.mousePress(view.viewport(), LEFT, NONE, view.visualRect(index).center())
    QTest.qWait(QApplication.doubleClickInterval() + 20)  # a release at once is taken for the click that opened the list
    QTest.mouseRelease(view.viewport(), LEFT, NONE, view.visualRect(index).center())
    QApplication.processEvents()


def test_3c_presets_are_greyed_with_the_reason_where_values_are_not_hu(window: Window, qtbot: Any) -> None:
    put_volume(window, replace(made_volume(unit="", modality="MR"), windows=(ValueWindow(5, 50, name="BRIGHT"),)))
    qtbot.waitUntil(lambda: window.view_bar.preset.count() > 10, timeout=PATIENCE_MS)
    found = items(window)
    assert found["BRIGHT"].isEnabled()
    for name in ("Lung", "Bone", "CTA"):
        assert not found[name].isEnabled()
        assert found[name].toolTip() == "Presets are for CT in HU."
    before = now(window)
    window.view.setFocus()
    qtbot.keyClick(window.view, K.Key_2)
    assert now(window) == before
    put_volume(window, made_volume())
    qtbot.waitUntil(lambda: items(window)["Lung"].isEnabled(), timeout=PATIENCE_MS)


def test_3c_the_list_says_width_and_level_beside_each_name(window: Window, qtbot: Any) -> None:
    put_volume(window, made_volume())
    qtbot.waitUntil(lambda: window.view_bar.preset.count() > 10, timeout=PATIENCE_MS)
    combo = window.view_bar.preset
    said = {combo.itemText(n): combo.itemData(n, NUMBERS) for n in range(combo.count())}
    assert (said["Soft tissue"], said["Lung"], said["Bone"]) == ("400 / 40", "1500 / -600", "2500 / 480")
    assert said["Auto"] is None


def test_a_click_in_the_list_windows_the_image(small_window: Window, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: small_window.view_bar.preset.count() > 10, timeout=PATIENCE_MS)
    choose(small_window, "CTA")
    assert (now(small_window).width, now(small_window).center) == (600, 200)
    choose(small_window, "Full range of values")
    values = small_window.host.state.volume.values
    assert (now(small_window).low, now(small_window).high) == (values.min(), values.max())


@pytest.mark.parametrize("width", [960, 1280])
def test_five_digits_are_whole_in_a_narrow_bar(small_window: Window, width: int) -> None:
    small_window.resize(width, 600)
    QApplication.processEvents()
    bar = small_window.view_bar
    for field in (bar.width_field, bar.level_field):
        field.setText("30000")
        field.end(False)
        assert field.cursorPositionAt(QPoint(0, field.height() // 2)) == 0  # nothing was pushed out at the left
        room = field.width() - field.fontMetrics().horizontalAdvance("30000")
        assert room >= 12


def test_the_menu_at_the_pointer_has_the_windows_by_name(window: Window, qtbot: Any) -> None:
    lut = VoiLut(first=-1000, table=tuple(range(256)), bits=8, name="CURVE")
    put_volume(window, replace(made_volume(), windows=(ValueWindow(40, 400, name="FILE'S"),), voi_luts=(lut,)))
    qtbot.waitUntil(lambda: window.view_bar.preset.currentText() == "CURVE", timeout=PATIENCE_MS)
    window.commands.open_context_menu(window.view.mapToGlobal(QPoint(50, 50)))
    menu = QApplication.activePopupWidget()
    (windows,) = [action.menu() for action in menu.actions() if action.menu() is not None and action.text() == "Windows"]
    offered = {action.text(): action for action in windows.actions() if action.text()}
    assert list(offered)[:3] == ["Manual", "CURVE", "FILE'S"]
    assert offered["CURVE"].isChecked()
    offered["FILE'S"].trigger()
    menu.close()
    assert now(window).name == "FILE'S"
    assert window.host.state.display.lut is None


def test_on_colour_the_histogram_can_be_closed_and_says_why_it_is_empty(counted: Window, qtbot: Any) -> None:
    put_volume(counted, made_volume(is_color=True))
    qtbot.waitUntil(lambda: counted.histogram.plot.accessibleDescription() == "This is a colour image.", timeout=PATIENCE_MS)
    assert not counted.histogram.low.isEnabled()
    QTest.mouseClick(counted.view_bar.histogram, LEFT)
    assert not counted.histogram.isVisible()


def test_of_two_windows_with_the_same_numbers_the_list_names_the_one_in_the_corner(window: Window, qtbot: Any) -> None:
    put_volume(window, replace(made_volume(), windows=(ValueWindow(40, 400, name="MEDIASTINUM"),)))
    qtbot.waitUntil(lambda: window.view_bar.preset.currentText() == "MEDIASTINUM", timeout=PATIENCE_MS)
    window.view.setFocus()
    qtbot.keyClick(window.view, K.Key_1)
    qtbot.waitUntil(lambda: window.view_bar.preset.currentText() == "Soft tissue", timeout=PATIENCE_MS)


def test_the_window_is_kept_as_a_preset_listed_chosen_and_removed(small_window: Window, qtbot: Any, settings: Settings) -> None:
    window = small_window
    window.host.change_wish(window=ValueWindow(60, 333), window_unit="HU")
    window.actions_table["window.save_preset"].trigger()
    dialog = dialog_of(window)
    assert not dialog.go.isEnabled()
    qtbot.keyClicks(dialog.name.field, "Larynx")
    assert dialog.go.isEnabled()
    QTest.mouseClick(dialog.go, LEFT)
    QApplication.processEvents()
    assert settings.path.with_name(FILE_NAME).is_file()
    qtbot.waitUntil(lambda: "Larynx" in items(window), timeout=PATIENCE_MS)
    window.host.change_wish(window=ValueWindow(1, 2), window_unit="HU")
    QApplication.processEvents()
    choose(window, "Larynx")
    assert (now(window).width, now(window).center) == (333, 60)
    assert window_text(window.host.state).endswith("Larynx")
    window.actions_table["window.save_preset"].trigger()
    dialog = dialog_of(window)
    (remove,) = [b for b in dialog.findChildren(type(dialog.close_button)) if "Larynx" in b.accessibleName()]
    QTest.mouseClick(remove, LEFT)
    dialog.reject()
    qtbot.waitUntil(lambda: "Larynx" not in items(window), timeout=PATIENCE_MS)


def test_a_broken_file_of_presets_is_said_in_the_message_bar(make_window: Callable[..., Window], settings: Settings, qtbot: Any) -> None:
    settings.path.with_name(FILE_NAME).write_text("{ not JSON", encoding="utf-8")
    window = make_window()
    qtbot.waitUntil(lambda: window.messages.message() is not None, timeout=PATIENCE_MS)
    shown = window.messages.message()
    assert shown is not None
    assert shown.kind == "warn"
    assert FILE_NAME in shown.text
    put_volume(window, made_volume())
    qtbot.waitUntil(lambda: "Lung" in items(window), timeout=PATIENCE_MS)  # the rest goes on


# --- colour maps ---


def test_a_colour_map_is_chosen_by_its_strip_and_by_keys(small_window: Window, qtbot: Any) -> None:
    window = small_window
    QTest.mouseClick(window.view_bar.colors, LEFT)
    chooser = window.view_bar._chooser
    assert chooser is not None
    assert chooser.isVisible()
    QTest.mouseClick(chooser.rows["hot_iron"], LEFT)
    assert window.host.state.display.color_map == "hot_iron"
    assert [name for name, row in chooser.rows.items() if row.isChecked()] == ["hot_iron"]
    qtbot.keyClick(chooser.rows["hot_iron"], K.Key_Down)
    qtbot.keyClick(QApplication.focusWidget(), K.Key_Space)
    assert window.host.state.display.color_map == "hot_metal"
    QTest.mouseClick(chooser.bar.switch, LEFT)
    assert not window.host.state.show_color_bar
    assert not window.actions_table["window.color_bar"].isChecked()
    qtbot.keyClick(chooser, K.Key_Escape)
    assert not chooser.isVisible()
    qtbot.waitUntil(lambda: "Hot metal" in window.view_bar.colors.accessibleName(), timeout=PATIENCE_MS)


def test_every_colour_map_has_a_strip_of_its_own(small_window: Window) -> None:
    small_window.actions_table["window.color_map"].trigger()
    chooser = small_window.view_bar._chooser
    assert chooser is not None
    pictures = set()
    for row in chooser.rows.values():
        image = row.grab().toImage()
        pictures.add(tuple(image.pixel(x, image.height() // 2) for x in range(12, 120, 12)))
        assert row.accessibleName()
    assert len(pictures) == 12
    chooser.close()


@pytest.mark.parametrize("has_file_lut", [True, False])
def test_d32_where_planes_differ_in_voi_lut_the_list_brings_each_planes_own_back(small_window: Window, qtbot: Any, has_file_lut: bool) -> None:
    window, combo = small_window, small_window.view_bar.preset
    made = made_volume()
    curves = tuple(VoiLut(-1000 - n, tuple(range(256)), 8, "CURVE") for n in range(made.geometry.shape[0]))
    luts = curves[:1] if has_file_lut else ()
    put_volume(window, replace(made, windows=(), voi_luts=luts, plane_windows=(curves,)))
    state = window.host.state
    assert state.display.lut == curves[state.array_index]
    own = "As the files say"  # the names of curves are those of one plane
    qtbot.waitUntil(lambda: combo.currentText() == own, timeout=PATIENCE_MS)
    assert "CURVE" not in items(window)
    choose(window, "Lung")
    assert window.host.state.display.lut is None
    choose(window, own)
    assert window.host.state.display.lut == curves[state.array_index]
    start = at(window, 10, 10)
    drag(window.view.viewport(), start, start + QPoint(15, 0), start + QPoint(30, 0))
    assert window.host.state.display.lut == curves[state.array_index], "stretched, not another one"
    assert "W/L manual" in window.host.state.badges
    assert combo.currentText() == own


def test_d32_a_window_among_the_voi_luts_of_planes_comes_back_too(small_window: Window, qtbot: Any) -> None:
    window, combo, curve, straight = small_window, small_window.view_bar.preset, VoiLut(0, (0, 255), 8), ValueWindow(7, 70)
    made = made_volume()
    planes = tuple(curve if n == 0 else straight for n in range(made.geometry.shape[0]))
    put_volume(window, replace(made, windows=(), voi_luts=(curve,), plane_windows=(planes,)))
    assert now(window) == straight
    qtbot.waitUntil(lambda: combo.currentText() == "As the files say", timeout=PATIENCE_MS)
    choose(window, "Lung")
    choose(window, "As the files say")
    assert now(window) == straight
