"""Every key of CONVENTIONS 3b by real events, in each profile, from a table written down here; where keys count, and how they are changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import dialog_of, made_volume, put_volume
from viewer.session.profile import PROFILES, conflicts, own_file
from viewer.session.settings import Settings
from viewer.ui.action_table import COMING, TABLE
from viewer.ui.dialogs.keys import KeySheet
from viewer.ui.dialogs.other_names import OTHER_NAMES
from viewer.ui.dialogs.palette import commands
from viewer.ui.dialogs.settings import open_settings
from viewer.ui.window import Window

NOTHING = ""
# CONVENTIONS 3b, one line a key: what it does in `default`, `ohif`, `weasis`. "" is nothing at all.
ROWS: dict[str, tuple[str, str, str]] = {
    "Up": ("view.previous_slice",) * 3,
    "Down": ("view.next_slice",) * 3,
    "Shift+Up": ("view.back_ten",) * 3,
    "Shift+Down": ("view.on_ten",) * 3,
    "Left": ("view.previous_slice", "view.previous_view", "view.previous_series"),
    "Right": ("view.next_slice", "view.next_view", "view.next_series"),
    "Ctrl+Left": ("view.previous_phase", "view.previous_phase", "view.previous_study"),
    "Ctrl+Right": ("view.next_phase", "view.next_phase", "view.next_study"),
    "Home": ("view.first_slice",) * 3,
    "End": ("view.last_slice",) * 3,
    "PgUp": ("view.previous_series", "view.previous_series", "view.first_series"),
    "PgDown": ("view.next_series", "view.next_series", "view.last_series"),
    "Tab": ("view.next_view",) * 3,
    "Shift+Tab": ("view.previous_view",) * 3,
    "1": ("window.preset_1", "window.preset_1", "window.file_1"),
    "2": ("window.preset_2", "window.preset_2", "window.file_2"),
    "3": ("window.preset_3", "window.preset_3", "window.preset_4"),
    "4": ("window.preset_4", "window.preset_4", "window.preset_7"),
    "5": ("window.preset_5", NOTHING, "window.preset_5"),
    "6": ("window.preset_6", NOTHING, "window.preset_3"),
    "7": ("window.preset_7", NOTHING, "window.preset_2"),
    "8": ("window.preset_8", NOTHING, "slab.mip"),
    "9": ("window.preset_9", NOTHING, NOTHING),
    "0": ("window.file", "window.file", "window.auto"),
    "`": ("window.full",) * 3,
    "W": ("tool.window", NOTHING, "tool.window"),
    "Z": ("tool.zoom",) * 3,
    "T": ("tool.pan", NOTHING, "tool.pan"),
    "S": ("tool.scroll", NOTHING, "tool.scroll"),
    "D": ("tool.Measure/Distance", NOTHING, "tool.Measure/Distance"),
    "A": (NOTHING, NOTHING, NOTHING),  # angle: reserved; with a segment tool `ohif` adds a segment
    "Y": (NOTHING, NOTHING, NOTHING),  # polygon: reserved
    "H": ("view.flip_horizontal", "view.flip_horizontal", "tool.crosshair"),
    "V": ("view.flip_vertical", "view.flip_vertical", NOTHING),
    "Alt+F": (NOTHING, NOTHING, "view.flip_horizontal"),
    "R": ("view.rotate_right", "view.rotate_right", NOTHING),  # `weasis`: a tool to rotate, reserved
    "L": ("view.rotate_left", "view.rotate_left", NOTHING),
    "Alt+R": (NOTHING, NOTHING, "view.rotate_right"),
    "Alt+L": (NOTHING, NOTHING, "view.rotate_left"),
    "I": ("window.invert", "window.invert", "view.text"),
    "Space": ("view.text", "view.reset", "view.text"),
    "=": ("view.fit", "view.fit", NOTHING),
    "+": ("view.zoom_in", "view.zoom_in", NOTHING),
    "-": ("view.zoom_out", "view.zoom_out", NOTHING),
    "Ctrl+Return": (NOTHING, NOTHING, "view.fit"),
    "Ctrl++": (NOTHING, NOTHING, "view.zoom_in"),
    "Ctrl+-": (NOTHING, NOTHING, "view.zoom_out"),
    "Shift+R": ("view.reset", NOTHING, NOTHING),
    "C": ("view.cine",) * 3,
    "X": ("view.crosshair", "view.crosshair", NOTHING),
    "Alt+C": (NOTHING, NOTHING, "view.crosshair"),
    "Alt+V": (NOTHING, NOTHING, "view.crosshair"),
    "O": ("view.graphics",) * 3,
    "G": ("view.labels", "view.labels", NOTHING),
    "Alt+S": (NOTHING, NOTHING, "view.labels"),
    "J": ("view.overlays",) * 3,
    "K": ("view.key_image",) * 3,
    "Esc": ("gesture.cancel", "gesture.cancel", "view.reset"),
    "Del": ("edit.delete", NOTHING, "edit.delete"),
    "Backspace": ("edit.delete", "edit.delete", NOTHING),
    "Ctrl+Z": ("edit.undo",) * 3,
    "Ctrl+Y": ("edit.redo",) * 3,
    "Ctrl+Shift+Z": ("edit.redo", NOTHING, "edit.redo"),
    "F5": ("analysis.classify",) * 3,
    "F11": ("view.full_screen",) * 3,
    "Ctrl+O": ("file.open_folder",) * 3,
    "Ctrl+S": (NOTHING,) * 3,  # save the session: reserved
    "Ctrl+E": ("file.export",) * 3,
    "Ctrl+Shift+C": ("edit.copy_picture",) * 3,
    "Ctrl+K": ("help.palette",) * 3,
    "Ctrl+J": ("view.results",) * 3,
    "F2": ("edit.rename",) * 3,
    "F6": ("view.next_region",) * 3,
    "Shift+F6": ("view.previous_region",) * 3,
    "F1": ("help.keys",) * 3,
    "?": ("help.keys",) * 3,
}
# The same with the segment panel in front (scope S), where it differs.
SEGMENT_ROWS: dict[str, tuple[str, str, str]] = {
    "B": ("tool.Segment/Brush",) * 3,
    "E": ("tool.Segment/Eraser",) * 3,
    "[": ("brush.smaller",) * 3,
    "]": ("brush.larger",) * 3,
    ",": (NOTHING,) * 3,  # label stepping (`ohif`: stages): reserved
    ".": (NOTHING,) * 3,
    "A": (NOTHING, "segment.add", NOTHING),
    "N": (NOTHING,) * 3,
    "Return": ("preview.accept",) * 3,
    "Enter": ("preview.accept",) * 3,
}
GLOBAL = ("Ctrl+Z", "Ctrl+Y", "F11", "Ctrl+O", "Ctrl+E", "Ctrl+Shift+C", "Ctrl+K", "Ctrl+J", "F2", "F6", "Shift+F6", "F1")


def press(widget: Any, key: str) -> None:
    """The event that a keyboard sends for a key."""
    held = QKeySequence(key)[0]
    code, modifiers = held.key(), held.keyboardModifiers()
    if code in (Qt.Key.Key_Question, Qt.Key.Key_Plus):
        modifiers |= Qt.KeyboardModifier.ShiftModifier  # as on a keyboard where the sign is above another
    if code == Qt.Key.Key_Tab and modifiers & Qt.KeyboardModifier.ShiftModifier:
        code = Qt.Key.Key_Backtab
    QTest.keyClick(widget, code, modifiers)


@pytest.fixture
def listening(make_window: Callable[..., Window], settings: Settings) -> Callable[[str], tuple[Window, list[str]]]:
    """Makes a window of a profile whose actions are all live, and only write down that they were asked for."""

    def make(profile: str) -> tuple[Window, list[str]]:
        settings.set("profile", profile)
        window = make_window()
        put_volume(window, made_volume())
        asked: list[str] = []
        for spec in window.actions_table.specs():
            action = window.actions_table[spec.id]
            action.triggered.disconnect()
            action.triggered.connect(lambda _on=False, name=spec.id: asked.append(name))
            action.setEnabled(True)
        window.view.setFocus()
        QApplication.processEvents()
        return window, asked

    return make


@pytest.mark.parametrize("number", range(3), ids=PROFILES)
def test_3b_each_key_does_what_the_table_says(listening: Any, number: int) -> None:
    window, asked = listening(PROFILES[number])
    wrong = {}
    for key, expected in ROWS.items():
        asked.clear()
        press(window.view, key)
        if asked != ([expected[number]] if expected[number] else []):
            wrong[key] = (expected[number], list(asked))
        window.view.setFocus()
    assert wrong == {}


@pytest.mark.parametrize("number", range(3), ids=PROFILES)
def test_3b_keys_of_scope_s_count_with_the_segment_panel_in_front_and_before_those_of_the_view(listening: Any, number: int) -> None:
    window, asked = listening(PROFILES[number])
    window.dock.show_panel("history")
    window.view.setFocus()
    for key in SEGMENT_ROWS:
        press(window.view, key)
    assert asked == []
    window.dock.show_panel("segment")
    wrong = {}
    for key, expected in SEGMENT_ROWS.items():
        asked.clear()
        window.view.setFocus()
        press(window.view, key)
        if asked != ([expected[number]] if expected[number] else []):
            wrong[key] = (expected[number], list(asked))
    assert wrong == {}


def test_a_key_of_scope_s_hides_that_of_the_view_only_while_it_counts(listening: Any) -> None:
    window, asked = listening("default")
    actions = window.actions_table
    actions.use_profile(actions.profile.with_keys("view.fit", ("B",)))
    window.dock.show_panel("history")
    press(window.view, "B")
    window.dock.show_panel("segment")
    press(window.view, "B")
    window.dock.show_panel("history")
    press(window.view, "B")
    assert asked == ["view.fit", "tool.Segment/Brush", "view.fit"]


def test_keys_of_scope_g_count_outside_of_the_view_and_those_of_v_do_not(listening: Any) -> None:
    window, asked = listening("default")
    window.top_bar.menu_button.setFocus()
    for key in GLOBAL:
        asked.clear()
        press(window.top_bar.menu_button, key)
        assert asked == [ROWS[key][0]]
    asked.clear()
    for key in ("W", "I", "1", "R", "Del", "Home"):
        press(window.top_bar.menu_button, key)
    assert asked == []


def test_a_focused_text_field_swallows_all_keys_that_write(listening: Any) -> None:
    window, asked = listening("default")
    window.dock.show_panel("segment")
    field = window.view_bar.width_field
    for field, text in ((window.view_bar.width_field, ""), (window.browser.filter, "wztsdaybhvrlixogjkcbe[],.?=+-`0123456789 ")):
        field.show()
        window.browser.filter.setVisible(True)
        field.setFocus()
        field.clear()
        QTest.keyClicks(field, text or "wi12")
        for key in ("Home", "End", "Left", "Right", "Backspace", "Del"):
            press(field, key)
        assert asked == []
    assert window.browser.filter.text().startswith("ztsdaybhv") or window.browser.filter.text().startswith("wztsdaybhv")


def test_keys_of_scope_s_count_in_the_segment_panel_too(listening: Any) -> None:
    window, asked = listening("default")
    button = window.dock.show_panel("segment").segments.add
    button.setFocus()
    press(button, "]")
    assert asked == ["brush.larger"]


# --- live: what comes of it ---


def test_keys_in_the_window_do_it(small_window: Window) -> None:
    host = small_window.host
    seen = []
    for key, read in (
        ("End", lambda: host.state.index), ("Home", lambda: host.state.index), ("Down", lambda: host.state.index),
        ("I", lambda: host.wish.is_inverted),
        ("R", lambda: host.wish.quarter_turns), ("Space", lambda: host.wish.text), ("W", lambda: small_window.tooling.name),
        ("Z", lambda: small_window.tooling.name), ("T", lambda: small_window.tooling.name), ("G", lambda: host.wish.show_labels),
        ("Shift+R", lambda: (host.wish.quarter_turns, host.wish.is_inverted)),
    ):  # fmt: skip
        press(small_window.view, key)
        seen.append(read())
    assert seen == [4, 0, 1, True, 1, "short", "window", "zoom", "pan", False, (0, False)]


def test_tab_leaves_the_only_view_and_goes_to_the_next_of_two(small_window: Window) -> None:
    press(small_window.view, "Tab")
    assert not small_window.view.hasFocus()
    small_window.host.arrange("1x2")
    small_window.refresh_actions()
    first = small_window.view
    first.setFocus()
    press(first, "Tab")
    assert small_window.view is not first
    press(small_window.view, "Shift+Tab")
    assert small_window.view is first


def test_esc_ends_a_drag_before_anything_else_in_every_profile(make_window: Callable[..., Window], settings: Settings, qtbot: Any) -> None:
    settings.set("profile", "weasis")
    window = make_window()
    put_volume(window, made_volume())
    window.host.change_wish(is_inverted=True)
    port = window.view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton)
    assert window.view.is_dragging
    press(window.view, "Esc")
    assert not window.view.is_dragging
    assert window.host.wish.is_inverted
    press(window.view, "Esc")
    assert not window.host.wish.is_inverted  # now it resets
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton)


# --- the table as a whole ---


@pytest.mark.parametrize("profile", PROFILES)
def test_no_key_twice_in_a_scope_and_no_action_out_of_reach(make_window: Callable[..., Window], settings: Settings, profile: str) -> None:
    settings.set("profile", profile)
    window = make_window()
    actions = window.actions_table
    assert conflicts(actions.profile.keys, actions.scopes()) == ()
    assert set(actions.profile.keys) <= set(actions.scopes())
    offered = {command.spec.id for command in commands(actions)}
    assert set(OTHER_NAMES) <= offered
    assert [spec.id for spec in actions.specs() if not actions.keys(spec.id) and spec.id not in offered] == []
    in_menu = {spec.id for spec in actions.specs() if spec.menu}
    assert [name for name in actions.profile.keys if name in actions and name not in in_menu] == []


def test_no_key_stands_in_the_table_and_nothing_is_both_there_and_to_come() -> None:
    assert [spec.id for spec in TABLE if spec.keys] == []
    assert {spec.id for spec in COMING} & {spec.id for spec in TABLE} == set()


# --- files ---


def test_a_key_file_that_does_not_parse_is_said_and_the_window_goes_on(make_window: Callable[..., Window], settings: Settings) -> None:
    path = own_file(settings.path.parent, "default")
    path.parent.mkdir(parents=True)
    path.write_text("[keys\n", encoding="utf-8")
    window = make_window()
    message = window.messages.message()
    assert message is not None
    assert message.kind == "warn"
    assert str(path) in message.text
    put_volume(window, made_volume())
    press(window.view, "I")
    assert window.host.wish.is_inverted


def test_unknown_actions_and_keys_are_said_and_the_rest_counts(make_window: Callable[..., Window], settings: Settings) -> None:
    path = own_file(settings.path.parent, "default")
    path.parent.mkdir(parents=True)
    path.write_text('[keys]\n"no.such" = ["U"]\n"view.fit" = ["Hyper+F"]\n"window.invert" = ["U"]\n', encoding="utf-8")
    window = make_window()
    message = window.messages.message()
    assert message is not None
    assert "Hyper+F" in message.text
    put_volume(window, made_volume())
    press(window.view, "U")
    assert window.host.wish.is_inverted
    press(window.view, "I")
    assert window.host.wish.is_inverted


def test_another_profile_counts_at_once_and_is_remembered(small_window: Window, settings: Settings) -> None:
    settings.set("profile", "ohif")
    small_window.host.change_wish(is_inverted=True)
    press(small_window.view, "Space")
    assert not small_window.host.wish.is_inverted
    assert small_window.actions_table["view.reset"].shortcut().toString() == "Space"
    assert "(Space)" in small_window.actions_table["view.reset"].toolTip()
    keyboard = small_window.keyboard
    assert small_window.view_bar.play.accessibleName() == "Play (C)"
    keyboard.change(keyboard.profile.with_keys("view.cine", ("F8",)))
    assert small_window.view_bar.play.accessibleName() == "Play (F8)"
    assert Settings(settings.path).get("profile", "") == "ohif"


# --- the page of the settings ---


def test_a_key_is_recorded_and_counts_at_once(small_window: Window, qtbot: Any, settings: Settings) -> None:
    page = open_settings(small_window, "keys").page
    page.choose("window.invert")
    qtbot.mouseClick(page.record, Qt.MouseButton.LeftButton)
    assert page.record.is_listening
    press(page.record, "Ctrl+Alt+I")
    assert not page.record.is_listening
    dialog_of(small_window).reject()
    small_window.activateWindow()
    qtbot.waitUntil(small_window.isActiveWindow)
    small_window.view.setFocus()
    press(small_window.view, "Ctrl+Alt+I")
    assert small_window.host.wish.is_inverted
    assert own_file(settings.path.parent, "default").is_file()


def test_a_conflict_is_shown_with_the_action_that_has_the_key(small_window: Window, qtbot: Any) -> None:
    page = open_settings(small_window, "keys").page
    keyboard = small_window.keyboard
    page.choose("window.invert")
    qtbot.mouseClick(page.record, Qt.MouseButton.LeftButton)
    press(page.record, "Ctrl+K")
    assert page.note.isVisible()
    assert "Find a command" in page.note.text()
    assert keyboard.profile.keys["help.palette"] == ("Ctrl+K",)
    qtbot.mouseClick(page.keep, Qt.MouseButton.LeftButton)
    assert not page.note.isVisible()
    assert keyboard.profile.keys["window.invert"] == ("I",)
    qtbot.mouseClick(page.record, Qt.MouseButton.LeftButton)
    press(page.record, "Ctrl+K")
    qtbot.mouseClick(page.replace, Qt.MouseButton.LeftButton)
    assert (keyboard.profile.keys["window.invert"], keyboard.profile.keys["help.palette"]) == (("I", "Ctrl+K"), ())
    page.choose("help.palette")
    qtbot.mouseClick(page.back, Qt.MouseButton.LeftButton)
    assert (keyboard.profile.keys["window.invert"], keyboard.profile.keys["help.palette"]) == (("I",), ("Ctrl+K",))


def test_a_reserved_key_is_not_given_away_without_a_warning(small_window: Window, qtbot: Any) -> None:
    page = open_settings(small_window, "keys").page
    page.choose("window.invert")
    qtbot.mouseClick(page.record, Qt.MouseButton.LeftButton)
    press(page.record, "A")
    assert "Angle" in page.note.text()
    assert small_window.keyboard.profile.keys["window.invert"] == ("I",)
    page.choose("tool.Measure/Angle")
    assert not page.record.isEnabled()


def test_all_keys_go_back_and_a_profile_goes_out_and_comes_in(small_window: Window, tmp_path: Path) -> None:
    dialog = open_settings(small_window, "keys")
    page, keyboard = dialog.page, small_window.keyboard
    shipped = dict(keyboard.profile.keys)
    keyboard.change(keyboard.profile.with_keys("window.invert", ("U",)))
    keyboard.write_file(tmp_path / "mine.toml")
    dialog.reset.click()
    assert keyboard.profile.keys == shipped
    assert keyboard.take_file(tmp_path / "mine.toml")
    assert keyboard.profile.keys["window.invert"] == ("U",)
    assert keyboard.profile.own == {"window.invert": ("U",)}
    (tmp_path / "bad.toml").write_text("[", encoding="utf-8")
    assert not keyboard.take_file(tmp_path / "bad.toml")
    assert page.chosen is not None


def test_the_list_is_filtered_by_command_and_by_key(small_window: Window) -> None:
    page = open_settings(small_window, "keys").page
    page.field.setText("ctrl+z")
    assert {"edit.undo"} <= {spec.id for spec in page.model.specs} <= {"edit.undo", "edit.redo"}
    page.field.setText("angle")
    assert [spec.id for spec in page.model.specs] == ["tool.Measure/Angle"]
    page.field.setText("zzqy")
    assert page.chosen is None
    assert not page.record.isEnabled()


# --- the sheet ---


def test_the_sheet_follows_the_profile_that_is_chosen_in_it(small_window: Window, tmp_path: Path) -> None:
    small_window.actions_table["help.keys"].trigger()
    sheet: KeySheet = dialog_of(small_window)
    assert "Reset view: Shift+R" in sheet.shown()
    assert "Angle: A" in sheet.shown()
    sheet.profile.setCurrentIndex(PROFILES.index("ohif"))
    sheet.profile.activated.emit(PROFILES.index("ohif"))
    assert "Reset view: Space" in sheet.shown()
    assert "Zoom: right drag" in sheet.shown()
    sheet.profile.activated.emit(PROFILES.index("weasis"))
    assert "Zoom: right drag" not in sheet.shown()
    sheet.write_pdf(tmp_path / "keys.pdf")
    assert (tmp_path / "keys.pdf").read_bytes().startswith(b"%PDF")
    assert all(name.split(":")[0] in sheet.page_text() for name in ("Undo: Ctrl+Z", "Reset view: Esc"))
