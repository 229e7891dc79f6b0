"""The window as a whole: what it says and does at the start, with an image, with bad input, and how it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from tests.ui.conftest import destroy
from tests.ui.window_samples import PATIENCE_MS, made_volume, put_volume, settle, write_pictures
from viewer.core.window import CT_PRESETS
from viewer.session.view import ViewState
from viewer.ui.cine import frame_rate
from viewer.ui.controls import ElidedLabel
from viewer.ui.window import Window


def press(qtbot: Any, window: Window, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    window.view.setFocus()
    qtbot.keyClick(window.view, key, modifier)


def state_of(window: Window) -> ViewState:
    return window.host.state


def wheel(window: Window, notches: int) -> None:
    view = window.view.viewport()
    at = QPointF(view.rect().center())
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, view.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), none, plain, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view, event)


# --- the start ------------------------------------------------------------------------------------------------------


def test_window_starts_with_an_invitation_and_the_focus_on_open_folder(window: Window) -> None:
    assert window.center.currentWidget() is window.first_run
    assert window.first_run.state.title.text() == "Open a study to begin"
    assert window.first_run.open_folder.hasFocus()
    assert window.browser.empty.title.text() == "No studies open."
    assert window.windowTitle() == "negatoscope"


def test_without_an_image_tools_are_off_and_say_why(window: Window) -> None:
    actions = window.actions_table
    for name in ("tool.window", "view.fit", "file.export", "analysis.classify", "window.invert"):
        assert not actions[name].isEnabled()
        assert actions[name].toolTip() == "Open an image first."
    assert actions["file.open_folder"].isEnabled()
    assert window.top_bar.export_button.toolTip() == "Open an image first."
    assert window.view_bar.width_field.toolTip() == "Open an image first."


@pytest.mark.parametrize(("button", "asks"), [("open_folder", "getExistingDirectory"), ("open_file", "getOpenFileNames")])
def test_buttons_of_the_start_ask_and_open_what_is_chosen(
    window: Window, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, button: str, asks: str
) -> None:
    paths = write_pictures(tmp_path / "pictures", 2)
    answer = str(tmp_path / "pictures") if asks == "getExistingDirectory" else ([str(paths[0])], "")
    monkeypatch.setattr(f"PySide6.QtWidgets.QFileDialog.{asks}", lambda *_a, **_k: answer)
    qtbot.mouseClick(getattr(window.first_run, button), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: state_of(window).volume is not None, timeout=PATIENCE_MS)
    assert window.center.currentWidget() is window.grid
    settle(qtbot, window)


def test_opening_a_folder_shows_its_picture_and_fills_the_browser(ct_window: Window) -> None:
    volume = state_of(ct_window).volume
    assert volume is not None
    assert volume.geometry.shape[0] == 60
    assert ct_window.center.currentWidget() is ct_window.grid
    assert ct_window.view.hasFocus()
    assert [row.root_id for row in ct_window.opener.rows()].count(volume.id) == 1
    picture = ct_window.view.grab().toImage()
    greys = {picture.pixelColor(x, picture.height() // 2).lightness() for x in range(100, picture.width() - 100, 20)}
    assert len(greys) > 5
    assert "Open a study" not in ct_window.windowTitle()
    assert ct_window.windowTitle().endswith("negatoscope")


# --- the view and its bar -------------------------------------------------------------------------------------------


def test_wheel_scrolls_towards_the_end_when_turned_to_the_user(small_window: Window) -> None:
    first = state_of(small_window).index
    wheel(small_window, -1)
    assert state_of(small_window).index == first + 1
    wheel(small_window, 2)
    assert state_of(small_window).index == first - 1


def test_typing_width_and_level_windows_the_image(small_window: Window, qtbot: Any) -> None:
    bar = small_window.view_bar
    for field, text in ((bar.width_field, "400"), (bar.level_field, "-50")):
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert (state_of(small_window).window.width, state_of(small_window).window.center) == (400, -50)


@pytest.mark.parametrize("text", ["0", "-5", "wide"])
def test_width_that_is_no_width_is_refused_in_words(small_window: Window, qtbot: Any, text: str) -> None:
    before = state_of(small_window).window
    field = small_window.view_bar.width_field
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert state_of(small_window).window == before
    shown = small_window.messages.message()
    assert shown is not None
    assert shown.kind == "warn"


def test_preset_menu_lists_the_files_window_first_and_sets_what_is_chosen(small_window: Window, qtbot: Any) -> None:
    combo = small_window.view_bar.preset
    qtbot.waitUntil(lambda: combo.count() > 2)
    words = [combo.itemText(n) for n in range(combo.count())]
    assert words.index("File 1") < words.index("Lung") < words.index("Auto")
    combo.setFocus()
    combo.setCurrentIndex(words.index("Lung"))
    combo.activated.emit(words.index("Lung"))
    lung = next(p for p in CT_PRESETS if p.name == "Lung")
    assert (state_of(small_window).window.center, state_of(small_window).window.width) == (lung.center, lung.width)


def test_plane_menu_reformats(small_window: Window, qtbot: Any) -> None:
    combo = small_window.view_bar.plane
    qtbot.waitUntil(combo.isEnabled)
    combo.setCurrentIndex(combo.findData("coronal"))
    combo.activated.emit(combo.currentIndex())
    assert state_of(small_window).plane == "coronal"
    assert state_of(small_window).count == 40


@pytest.mark.parametrize(("key", "name"), [(Qt.Key.Key_1, "Soft tissue"), (Qt.Key.Key_2, "Lung"), (Qt.Key.Key_3, "Bone"), (Qt.Key.Key_4, "Brain")])
def test_number_keys_choose_presets(small_window: Window, qtbot: Any, key: Qt.Key, name: str) -> None:
    press(qtbot, small_window, key)
    preset = next(p for p in CT_PRESETS if p.name == name)
    assert (state_of(small_window).window.center, state_of(small_window).window.width) == (preset.center, preset.width)


def test_keys_invert_hide_the_text_and_fit(small_window: Window, qtbot: Any) -> None:
    press(qtbot, small_window, Qt.Key.Key_I)
    assert state_of(small_window).is_inverted
    assert small_window.actions_table["window.invert"].isChecked()
    press(qtbot, small_window, Qt.Key.Key_Space)
    assert state_of(small_window).text == "short"
    press(qtbot, small_window, Qt.Key.Key_Plus)
    assert state_of(small_window).zoom is not None
    press(qtbot, small_window, Qt.Key.Key_Equal)
    assert state_of(small_window).zoom is None


def test_letters_typed_into_the_filter_do_nothing_to_the_view(window: Window, qtbot: Any, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    open_paths(window, *write_pictures(tmp_path, 2))
    window.browser.filter.setFocus()
    qtbot.keyClicks(window.browser.filter, "i1 r")
    assert window.browser.filter.text() == "i1 r"
    assert not state_of(window).is_inverted
    assert window.host.wish.quarter_turns == 0


def test_presets_are_off_for_what_is_no_ct_and_say_so(window: Window) -> None:
    put_volume(window, made_volume(unit="", modality="MR"))
    assert not window.actions_table["window.preset_1"].isEnabled()
    assert window.actions_table["window.preset_1"].toolTip() == "Presets are for CT in HU."


# --- undo and redo --------------------------------------------------------------------------------------------------


def test_undo_and_redo_name_their_step_and_say_why_they_are_off(small_window: Window, qtbot: Any) -> None:
    undo, redo = small_window.actions_table["edit.undo"], small_window.actions_table["edit.redo"]
    assert (undo.isEnabled(), undo.toolTip()) == (False, "Nothing to undo.")
    assert (redo.isEnabled(), redo.toolTip()) == (False, "Nothing to redo.")
    small_window.tooling.add_segment("Lesion")
    assert undo.isEnabled()
    assert undo.text() == "Undo Add Lesion"
    press(qtbot, small_window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert small_window.host.document.layers_of(small_window.host.root_id) == ()
    assert (undo.isEnabled(), undo.toolTip()) == (False, "Nothing to undo.")
    assert redo.text() == "Redo Add Lesion"
    press(qtbot, small_window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert len(small_window.host.document.layers_of(small_window.host.root_id)) == 1


# --- bad input ------------------------------------------------------------------------------------------------------


def bad_text(folder: Path, _data: Path) -> Path:
    path = folder / "letter.dcm"
    path.write_text("Dear reader, this is no image.\n" * 20)
    return path


def bad_empty_file(folder: Path, _data: Path) -> Path:
    path = folder / "nothing.dcm"
    path.write_bytes(b"")
    return path


def bad_cut_off(folder: Path, data: Path) -> Path:
    whole = sorted((data / "ct_chest_lidc").rglob("*.dcm"))[0].read_bytes()
    path = folder / "cut.dcm"
    path.write_bytes(whole[: len(whole) // 3])
    return path


def bad_empty_folder(folder: Path, _data: Path) -> Path:
    path = folder / "hollow"
    path.mkdir()
    return path


def bad_missing(folder: Path, _data: Path) -> Path:
    return folder / "gone.nii.gz"


@pytest.mark.parametrize("make", [bad_text, bad_empty_file, bad_cut_off, bad_empty_folder, bad_missing])
def test_bad_input_is_named_in_the_message_bar(
    window: Window, shared_data: Path, tmp_path: Path, open_paths: Callable[..., None], make: Callable[[Path, Path], Path]
) -> None:
    path = make(tmp_path, shared_data)
    open_paths(window, path)
    shown = window.messages.message()
    assert shown is not None
    assert shown.kind == "err"
    assert path.name in shown.text
    assert state_of(window).volume is None
    assert window.center.currentWidget() is window.first_run


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything is readable for root")
def test_folder_that_may_not_be_read_is_named(window: Window, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o000)
    try:
        open_paths(window, locked)
        shown = window.messages.message()
        assert shown is not None
        assert "locked" in shown.text
    finally:
        locked.chmod(0o700)


def test_what_can_be_opened_is_open_beside_what_cannot(window: Window, shared_data: Path, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    write_pictures(tmp_path, 2)
    bad_cut_off(tmp_path, shared_data)
    open_paths(window, tmp_path)
    assert state_of(window).volume is not None
    shown = window.messages.message()
    assert shown is not None
    assert shown.kind == "warn"
    assert "cut.dcm" in shown.text


# --- cine -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "rate"), [((), 10.0), ((0.0, 0.05, 0.1), 20.0), ((0.0, 10.0, 20.0), 1.0), ((0.0, 0.001, 0.002), 60.0), ((0.0, 0.0, 0.0), 10.0)]
)
def test_cine_runs_at_the_files_rate_within_1_and_60(seconds: tuple[float, ...], rate: float) -> None:
    assert frame_rate(made_volume((1, 8, 8), phases=3, seconds=seconds)) == pytest.approx(rate)


def test_cine_shows_the_phase_that_is_due_and_leaves_out_what_it_missed(window: Window) -> None:
    put_volume(window, made_volume((1, 8, 8), phases=10, seconds=tuple(n * 0.5 for n in range(10))))
    now = [100.0]
    cine = window.cine
    cine._clock = lambda: now[0]
    cine.toggle()
    assert cine.is_playing
    assert window.actions_table["view.cine"].isChecked()
    for later, phase in ((0.4, 0), (0.6, 1), (2.1, 4), (5.1, 0), (5.6, 1)):  # 2 phases a second, 10 of them
        now[0] = 100.0 + later
        cine.step()
        assert state_of(window).phase == phase
    cine.toggle()
    assert not cine.is_playing
    assert not window.actions_table["view.cine"].isChecked()


def test_cine_stops_when_another_image_is_shown(window: Window, qtbot: Any) -> None:
    put_volume(window, made_volume((1, 8, 8), phases=4))
    press(qtbot, window, Qt.Key.Key_C)
    assert window.cine.is_playing
    put_volume(window, made_volume())
    assert not window.cine.is_playing


def test_cine_has_nothing_to_play_in_one_slice_of_one_phase(window: Window) -> None:
    put_volume(window, made_volume((1, 8, 8)))
    window.cine.toggle()
    assert not window.cine.is_playing
    assert window.actions_table["view.cine"].toolTip() == "This image has one slice."


# --- the end --------------------------------------------------------------------------------------------------------


def test_twenty_windows_leave_no_widget_and_no_thread(make_window: Callable[..., Window], tmp_path: Path, open_paths: Callable[..., None]) -> None:
    paths = write_pictures(tmp_path / "pictures", 2)
    counts: list[int] = []
    threads = threading.active_count()
    for number in range(20):
        window = make_window()
        if number % 5 == 0:
            open_paths(window, *paths)
        destroy(window)
        counts.append(len(QApplication.allWidgets()))
    assert counts[-1] <= counts[2]
    assert threading.active_count() <= threads


def test_closing_while_a_folder_is_read_ends_the_reading(window: Window, shared_data: Path) -> None:
    window.open_paths([shared_data / "ct_chest_lidc"])
    destroy(window)  # no thread may stay: the fixtures look


def test_closing_remembers_the_sizes(make_window: Callable[..., Window]) -> None:
    first = make_window()
    first.horizontal.setSizes([300, 620, 360])
    wanted = first.horizontal.sizes()
    destroy(first)
    assert make_window().horizontal.sizes() == wanted


# --- every control --------------------------------------------------------------------------------------------------


def named(widget: QWidget) -> str:
    words = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or words


@pytest.mark.parametrize("width_height", [(1280, 800), (960, 600)])
@pytest.mark.parametrize("with_image", [False, True])
def test_every_control_has_a_name_and_nothing_is_wider_than_its_box(
    make_window: Callable[..., Window], qtbot: Any, width_height: tuple[int, int], with_image: bool
) -> None:
    window = make_window(*width_height)
    if with_image:
        put_volume(window, made_volume())
        qtbot.waitUntil(window.view_bar.plane.isEnabled)
        window.host.say("warn", "A sentence of a length that no window of this width has the room for, so that it has to end in dots somewhere " * 2)
    assert (window.width(), window.height()) == width_height
    for tab in range(window.dock.tabs.count()):
        window.dock.tabs.setCurrentIndex(tab)
        QApplication.processEvents()
        QApplication.processEvents()
        assert [words_of(w) for w in window.findChildren(QWidget) if unnamed(w)] == []
        assert [words_of(w) for w in window.findChildren(QWidget) if is_cut(w)] == []


def unnamed(widget: QWidget) -> bool:
    if isinstance(widget.parent(), QAbstractScrollArea):
        return False  # the area's own viewport
    return widget.isVisible() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and not named(widget)


def words_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QLabel | QAbstractButton | QLineEdit) else ""
    return f"{type(widget).__name__} {text!r} of {widget.accessibleName()!r} in {type(widget.parent()).__name__}: {widget.width()} px"


def is_cut(widget: QWidget) -> bool:
    """Words without room and without a tooltip; a box that reaches beyond its parent."""
    if not widget.isVisible() or widget.isWindow():
        return False
    parent = widget.parentWidget()
    if parent is not None and type(parent) is QWidget and parent.layout() is not None and widget.geometry().right() > parent.width():
        return True
    if isinstance(widget, ElidedLabel):
        return widget.is_elided() and not widget.toolTip()
    if isinstance(widget, QLabel) and not widget.wordWrap() and widget.text():
        return widget.fontMetrics().horizontalAdvance(widget.text()) > widget.width() + 1
    if isinstance(widget, QPushButton) and widget.text():
        return widget.width() < widget.sizeHint().width()
    if isinstance(widget, QComboBox):
        return widget.fontMetrics().horizontalAdvance(widget.currentText()) > widget.width() - 24 and not widget.toolTip()
    return False


def test_every_key_is_in_the_menus(window: Window) -> None:
    menu = window.top_bar.build_menu()
    listed = {action for part in menu.findChildren(type(menu)) for action in part.actions()}
    missing = [spec.id for spec in window.actions_table.specs() if spec.keys and window.actions_table[spec.id] not in listed]
    menu.deleteLater()
    assert missing == []


def test_no_two_actions_of_a_scope_share_a_key(window: Window) -> None:
    taken: dict[tuple[str, str], str] = {}
    for spec in window.actions_table.specs():
        action: QAction = window.actions_table[spec.id]
        for sequence in action.shortcuts():
            key = ("any" if spec.scope == "G" else spec.scope, sequence.toString())
            assert key not in taken, f"{spec.id} and {taken[key]} share {key[1]}"
            taken[key] = spec.id
