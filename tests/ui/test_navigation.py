"""Finding one's way in the window: key images by K and in their list, magnifier, rulers, hanging, cine at its end, the file's own key objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit

from tests.cli.test_key_images import by_height, write_selection
from tests.ui.window_samples import PATIENCE_MS, dialog_of, made_volume, put_volume, settle
from viewer.session.key_images import toggle_key_image
from viewer.ui import navigation_commands
from viewer.ui.cine import due_frame
from viewer.ui.panels.key_image_list import KeyImageList
from viewer.ui.views.slice_view import SliceView
from viewer.ui.window import Window

K, M = Qt.Key.Key_K, Qt.Key.Key_M
LEFT = Qt.MouseButton.LeftButton


def marked(window: Window) -> list[int]:
    return [item.index for item in window.host.document.items("key_image")]


def mark(window: Window, *indices: int) -> None:
    for index in indices:
        window.host.change_wish(index=index)
        window.actions_table["view.key_image"].trigger()


def list_of(window: Window) -> KeyImageList:
    panel = window.dock.show_panel("measure")
    assert panel is not None
    QApplication.processEvents()
    found = panel.findChild(KeyImageList)
    assert isinstance(found, KeyImageList)
    return found


# --- marking ---


def test_k_marks_the_image_in_view_a_second_k_takes_it_off_and_undo_brings_it_back(small_window: Window, qtbot: Any) -> None:
    window = small_window
    action = window.actions_table["view.key_image"]
    qtbot.keyClick(window.view, K)
    assert marked(window) == [2] and action.isChecked()
    assert window.view.navigator.key_image is not None
    assert window.host.document.history.next_undo.title.text() == "Mark a key image"  # type: ignore[union-attr]
    qtbot.keyClick(window.view, Qt.Key.Key_Down)
    QApplication.processEvents()
    assert not action.isChecked() and window.view.navigator.key_image is None
    qtbot.keyClick(window.view, Qt.Key.Key_Up)
    qtbot.keyClick(window.view, K)
    assert marked(window) == [] and not action.isChecked()
    qtbot.keyClick(window.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()
    assert marked(window) == [2] and action.isChecked()
    bar = window.view.navigator.slider.bar()
    assert bar is not None and [(m.index, m.kind) for m in bar.marks] == [(2, "key_image")]


def test_the_next_and_previous_key_image_come_by_key_and_go_round(small_window: Window, qtbot: Any) -> None:
    window = small_window
    assert not window.actions_table["view.next_key_image"].isEnabled()
    mark(window, 0, 3)
    window.host.change_wish(index=1)
    seen = []
    for _ in range(3):
        qtbot.keyClick(window.view, K, Qt.KeyboardModifier.ShiftModifier)
        seen.append(window.host.state.index)
    assert seen == [3, 0, 3]
    window.actions_table["view.previous_key_image"].trigger()
    assert window.host.state.index == 0


def test_a_key_image_of_another_plane_comes_where_none_lies_along_the_slices(small_window: Window, qtbot: Any) -> None:
    window = small_window
    window.actions_table["view.coronal"].trigger()
    window.host.change_wish(index=5)
    window.actions_table["view.key_image"].trigger()
    window.actions_table["view.axial"].trigger()
    assert window.host.state.plane == "axial"
    qtbot.keyClick(window.view, K, Qt.KeyboardModifier.ShiftModifier)
    assert (window.host.state.plane, window.host.state.index) == ("coronal", 5)


def test_in_a_grid_each_view_knows_its_own_image(small_window: Window) -> None:
    window = small_window
    mark(window, 4)
    window.actions_table["layout.1x2"].trigger()
    QApplication.processEvents()
    first, second = window.grid.views
    window.host.set_links(replace(window.host.desk.links, scroll=False, cursor=False))
    window.host.activate(1)
    window.host.show_volume(window.host.document.root_ids()[0])
    window.host.change_wish(index=1)
    QApplication.processEvents()
    assert first.navigator.key_image is not None and second.navigator.key_image is None
    assert [m.index for m in second.navigator.slider.bar().marks] == [4]  # type: ignore[union-attr]
    window.actions_table["view.magnifier"].trigger()
    assert first.navigator.magnifier.is_on and second.navigator.magnifier.is_on
    window.actions_table["view.magnifier"].trigger()


# --- the list ---


def test_the_list_says_where_they_are_and_a_click_goes_there_as_it_was_marked(small_window: Window, qtbot: Any) -> None:
    window = small_window
    listed = list_of(window)
    assert listed.hint.isVisible() and not listed.export.isEnabled()
    window.host.change_wish(is_inverted=True)
    mark(window, 4)
    window.host.change_wish(is_inverted=False)
    window.host.change_wish(plane="sagittal", index=None)
    mark(window, 10)
    window.host.change_wish(plane="acquired", index=0)
    QApplication.processEvents()
    assert [listed.model.index(n).data(Qt.ItemDataRole.AccessibleTextRole) for n in (0, 1)] == ["Slice 5 / 5", "Sagittal, Slice 11 / 60"]
    rows = listed.rows
    qtbot.mouseClick(rows.viewport(), LEFT, pos=rows.visualRect(listed.model.index(0)).center())
    assert (window.host.state.index, window.host.state.plane, window.host.wish.is_inverted) == (4, "acquired", True)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert (window.host.state.plane, window.host.state.index, window.host.wish.is_inverted) == ("sagittal", 10, False)


def test_f2_writes_a_note_and_delete_takes_the_mark_off_each_by_one_step(small_window: Window, qtbot: Any) -> None:
    window = small_window
    mark(window, 1)
    listed = list_of(window)
    listed.rows.setFocus()
    qtbot.keyClick(listed.rows, Qt.Key.Key_F2)
    field = listed.rows.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "nodule")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert window.host.document.items("key_image")[0].note == "nodule"
    assert listed.model.index(0).data() == "nodule"
    listed.rows.setFocus()
    qtbot.keyClick(listed.rows, Qt.Key.Key_Delete)
    assert marked(window) == [] and listed.hint.isVisible()
    window.host.undo()
    window.host.undo()
    assert window.host.document.items("key_image")[0].note == ""


def test_key_images_of_another_series_are_listed_with_its_name_and_shown_there(window: Window, qtbot: Any) -> None:
    first, second = put_volume(window, made_volume(title="first")), put_volume(window, made_volume(title="second"))
    mark(window, 3)
    window.host.show_volume(first.id)
    listed = list_of(window)
    assert listed.model.index(0).data() == "second"
    listed.rows.setCurrentIndex(listed.model.index(0))
    listed.show_current()
    assert (window.host.root_id, window.host.state.index) == (second.id, 3)


# --- taking them out ---


def test_all_key_images_go_into_a_folder_without_name_and_id(small_window: Window, qtbot: Any, tmp_path: Path) -> None:
    window = small_window
    mark(window, 1, 3)
    window.actions_table["file.export_key_images"].trigger()
    dialog = dialog_of(window)
    assert dialog.tabs.value() == "key_images"
    dialog.page.text.set_value(False)
    dialog.page.marks.set_value(False)
    dialog.page.scale.set_value(0)
    dialog.set_folder(tmp_path)
    dialog.name.setText("found")
    dialog.name.textEdited.emit("found")
    dialog.export.click()
    qtbot.waitUntil(lambda: (tmp_path / "found").is_dir(), timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert sorted(p.name for p in (tmp_path / "found").iterdir()) == ["01_slice-002.png", "02_slice-004.png"]
    volume = window.host.document.volume(window.host.root_id)
    with Image.open(tmp_path / "found" / "02_slice-004.png") as image:
        found = np.asarray(image.convert("L"), dtype=float)
    expected = np.clip((volume.values[3] + 0.5) / 1999 * 255 + 127.5, 0, 255)  # LINEAR, centre 0, width 2000 (D28)
    assert found.shape[1] == 60
    rows = np.minimum((np.arange(found.shape[0]) / found.shape[0] * 40).astype(int), 39)
    middle = (slice(4, -4), slice(4, -4))
    assert np.abs(found - expected[rows])[middle].max() <= 3  # rows are 1.4 times as far apart as columns and so drawn between


def test_one_key_image_is_one_file_and_without_any_the_page_says_so(small_window: Window, qtbot: Any, tmp_path: Path) -> None:
    window = small_window
    window.open_export("screenshot")
    dialog = dialog_of(window)
    assert not dialog.tabs.button("key_images").isEnabled()
    dialog.reject()
    QApplication.processEvents()
    mark(window, 1)
    window.open_export("key_images")
    dialog = dialog_of(window)
    dialog.set_folder(tmp_path)
    assert dialog.path.name == "ct_made_slice-002.png"
    dialog.export.click()
    qtbot.waitUntil(lambda: (tmp_path / "ct_made_slice-002.png").is_file(), timeout=PATIENCE_MS)
    settle(qtbot, window)


def test_what_a_key_object_selection_names_is_marked_on_its_open_series(ct_window: Window, shared_data: Path, tmp_path: Path, qtbot: Any) -> None:
    window = ct_window
    files = by_height(shared_data / "ct_chest_lidc")
    ko = write_selection(tmp_path / "ko.dcm", [files[12], files[3]], note="look here")
    window.open_paths([ko])
    settle(qtbot, window)
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(QDialog)), timeout=PATIENCE_MS)
    dialog = dialog_of(window)
    assert dialog.mark.isEnabled()
    qtbot.mouseClick(dialog.mark, LEFT)
    heights = [float(window.host.state.geometry.to_patient((index, 0, 0))[2]) for index in marked(window)]
    import pydicom

    assert heights == pytest.approx([float(pydicom.dcmread(f, stop_before_pixels=True).ImagePositionPatient[2]) for f in (files[12], files[3])])
    assert {(item.note, item.origin) for item in window.host.document.items("key_image")} == {("look here", "Of Interest")}
    assert len(window.host.document.history) == 1


# --- magnifier, rulers, hanging ---


def test_the_magnifier_stays_after_a_tap_and_goes_when_a_held_key_is_let_go(
    small_window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, now = small_window, [10.0]
    monkeypatch.setattr(navigation_commands.time, "monotonic", lambda: now[0])
    lens, action = window.view.navigator.magnifier, window.actions_table["view.magnifier"]
    qtbot.keyPress(window.view, M)
    assert lens.is_on and action.isChecked()
    now[0] += 0.1
    qtbot.keyRelease(window.view, M)
    assert lens.is_on
    qtbot.keyClick(window.view, M)
    assert not lens.is_on and not action.isChecked()
    qtbot.keyPress(window.view, M)
    now[0] += 1.0
    QApplication.sendEvent(window.view, QKeyEvent(QEvent.Type.KeyRelease, M, Qt.KeyboardModifier.NoModifier, "", True))  # the system's repeat
    assert lens.is_on
    qtbot.keyRelease(window.view, M)
    assert not lens.is_on and not action.isChecked()


def test_rulers_are_in_all_views_and_remembered(small_window: Window) -> None:
    window = small_window
    window.actions_table["view.ruler"].trigger()
    assert window.view.navigator.has_ruler and window.actions_table["view.ruler"].isChecked()
    assert window.host.settings.get("ruler", False) is True
    window.actions_table["layout.1x2"].trigger()
    assert all(view.navigator.has_ruler for view in window.grid.views)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_one_to_one_is_an_image_pixel_to_a_pixel_of_the_screen(small_window: Window, monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    window = small_window
    monkeypatch.setattr(SliceView, "devicePixelRatioF", lambda _view: ratio)
    window.actions_table["view.actual"].trigger()
    assert window.host.wish.zoom == pytest.approx(1 / ratio)
    window.actions_table["view.fit"].trigger()
    assert window.host.wish.zoom is None


def test_c07_neurological_is_for_all_views_and_images_and_back(small_window: Window) -> None:
    window = small_window
    window.actions_table["view.neurological"].trigger()
    assert "NEURO" in window.host.state.badges and "NEURO" in window.view.state.badges
    put_volume(window, made_volume(title="other"))
    assert "NEURO" in window.view.state.badges
    window.actions_table["view.reset"].trigger()
    assert "NEURO" in window.view.state.badges
    window.actions_table["view.neurological"].trigger()
    assert "NEURO" not in window.view.state.badges


def test_c08_orient_to_standard_is_one_command(small_window: Window) -> None:
    window = small_window
    usual = window.view.state.layout
    window.actions_table["view.flip_vertical"].trigger()
    window.actions_table["view.rotate_left"].trigger()
    assert window.view.state.layout != usual
    window.actions_table["view.standard"].trigger()
    assert window.view.state.layout == usual  # made as an axial stack is hung


# --- cine ---


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("loop", [2, 3, 4, 0, 1, 2, 3, 4, 0]),
        ("sweep", [2, 3, 4, 3, 2, 1, 0, 1, 2]),
        ("once", [2, 3, 4, 4, 4, 4, 4, 4, 4]),
    ],
)
def test_a_loop_begins_again_a_sweep_turns_round_once_stops(mode: Any, expected: list[int]) -> None:
    assert [due_frame(2, passed, 5, mode) for passed in range(9)] == expected
    assert [due_frame(0, passed, 1, mode) for passed in range(3)] == [0, 0, 0]


def test_played_once_it_stops_at_the_end_and_the_next_time_begins_at_the_start(small_window: Window) -> None:
    window, now = small_window, [50.0]
    cine = window.cine
    cine._clock = lambda: now[0]
    window.actions_table["cine.once"].trigger()
    assert window.actions_table["cine.once"].isChecked() and not window.actions_table["cine.loop"].isChecked()
    cine.toggle()
    seen = []
    for _ in range(4):
        now[0] += 0.1001
        if cine.is_playing:
            cine.step()
            seen.append(window.host.state.index)
    assert seen == [3, 4] and not cine.is_playing
    cine.toggle()
    assert window.host.state.index == 0 and cine.is_playing
    cine.stop()
    assert window.host.settings.get("cine_mode", "") == "once"


def test_frames_are_left_out_rather_than_shown_late_in_a_sweep_too(small_window: Window) -> None:
    window, now = small_window, [50.0]
    cine = window.cine
    cine._clock = lambda: now[0]
    cine.set_mode("sweep")
    window.host.change_wish(index=0)
    cine.toggle()
    now[0] += 0.65  # 10 a second: the sixth frame after 0 1 2 3 4 3 is 2
    cine.step()
    assert window.host.state.index == 2 and cine.is_playing
    cine.stop()


def test_the_bar_offers_what_happens_at_the_end(small_window: Window, qtbot: Any) -> None:
    window = small_window
    window.cine.toggle()
    QApplication.processEvents()
    bar = window.phase_bar
    assert bar.mode.isVisible() and bar.mode.currentText() == "Loop"
    bar.mode.setCurrentIndex(1)
    bar.mode.activated.emit(1)
    assert window.cine.mode == "sweep" and window.actions_table["cine.sweep"].isChecked()
    window.cine.stop()


def test_dragging_the_slider_pauses_cine(small_window: Window) -> None:
    window = small_window
    window.cine.toggle()
    view = window.view
    at = QPointF(view.viewport().width() - 7, 60)
    for kind, buttons in ((QEvent.Type.MouseButtonPress, LEFT), (QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton)):
        event = QMouseEvent(kind, at, QPointF(view.viewport().mapToGlobal(at)), LEFT, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(view.viewport(), event)
    assert window.host.state.index == 0
    window.cine.step()
    assert not window.cine.is_playing


def test_a_mark_made_without_the_window_is_seen_by_it(small_window: Window) -> None:
    window = small_window
    toggle_key_image(window.host.document, window.host.wish, window.host.state)
    assert window.actions_table["view.key_image"].isChecked()
    assert window.view.mapToGlobal(QPoint(0, 0)) is not None


def test_the_settings_and_the_commands_are_one(small_window: Window) -> None:
    window = small_window
    settings, view = window.host.settings, window.view
    for key, value in (("ruler", True), ("neurological", True), ("magnifier", 4)):
        settings.set(key, value)
    assert view.navigator.has_ruler and "NEURO" in view.state.badges and view.navigator.magnifier.factor == 4
    assert window.actions_table["view.ruler"].isChecked() and window.actions_table["view.neurological"].isChecked()
    window.actions_table["view.ruler"].trigger()
    assert settings.chosen("ruler") is False and not view.navigator.has_ruler
