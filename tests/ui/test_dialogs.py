"""Export, palette, key sheet, jobs and the small dialogs, by clicks and keys."""

from __future__ import annotations

import csv
import threading
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from tests.ui.window_samples import PATIENCE_MS, dialog_of, made_volume, put_volume, settle
from viewer.core.annotation import Annotation, Measure
from viewer.core.errors import JobFailed
from viewer.core.ids import new_id
from viewer.core.window import Window as ValueWindow
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.explain import Explanation
from viewer.ui.dialogs.export import ExportDialog
from viewer.ui.dialogs.frame import Dialog
from viewer.ui.window import Window


@pytest.fixture
def target(window: Window, tmp_path: Path) -> Path:
    """The folder that exports go to."""
    folder = tmp_path / "exports"
    folder.mkdir()
    window.host.settings.set("export_folder", str(folder))
    return folder


def opened(window: Window, tab: str = "screenshot") -> Any:
    window.open_export(tab)
    QApplication.processEvents()
    return dialog_of(window)


def exported(window: Window, qtbot: Any, dialog: ExportDialog) -> None:
    """Press Export once the name was looked up, and wait until it is saved."""
    qtbot.waitUntil(lambda: dialog._taken is not None, timeout=PATIENCE_MS)
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    settle(qtbot, window)


def read_grey(path: Path) -> Any:
    """The grey values of a PNG by SimpleITK, which knows nothing of Qt."""
    values = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).astype(float)
    return values[..., 0] if values.ndim == 3 and values.shape[-1] == 3 else values.reshape(values.shape[-2:])


def draw_segment(window: Window, name: str = "Lesion") -> None:
    """A box of 2 x 3 x 4 voxels."""
    ref = window.tooling.add_segment(name)
    with window.host.document.edit("Draw") as edit:
        edit.paint(ref.layer_id, (slice(1, 3), slice(10, 13), slice(20, 24)), np.ones((2, 3, 4), bool), ref.label)


def draw_distance(window: Window) -> None:
    measures = (Measure("Length", 5.0, "mm"),)
    with window.host.document.edit("Measure") as edit:
        edit.put(Annotation(new_id("annotation"), "distance", window.host.root_id, ((0, 0, 6), (3, 4, 6)), name="Length 1", measures=measures))


# --- export: screenshot ---------------------------------------------------------------------------------------------


def test_screenshot_is_saved_in_the_size_of_the_view_under_a_name_without_the_patient(small_window: Window, qtbot: Any, target: Path) -> None:
    dialog = opened(small_window)
    assert dialog.name.hasFocus()
    assert dialog.name.selectedText() == dialog.name.text() == "ct_made_003"
    width, height = small_window.view.viewport_size
    exported(small_window, qtbot, dialog)
    assert read_grey(target / "ct_made_003.png").shape == (round(height), round(width))
    shown = small_window.messages.message()
    assert shown is not None
    assert (shown.kind, shown.text) == ("ok", "Saved ct_made_003.png.")
    assert [words for words, _handler in shown.links] == ["Show in folder"]


def test_one_to_one_without_marks_is_the_windowed_data_exactly(window: Window, qtbot: Any, target: Path) -> None:
    made = made_volume((1, 40, 60))
    square = replace(made, geometry=replace(made.geometry, spacing=(3.0, 0.5, 0.5)), windows=(ValueWindow(-600, 801),))
    put_volume(window, square)
    dialog = opened(window)
    page = dialog.pages["screenshot"]
    for row in (page.text, page.segments, page.measurements, page.maps):
        row.switch.click()
    page.scale.set_value(0)
    qtbot.waitUntil(lambda: page.size_words.text() == "60 × 40 px · PNG", timeout=PATIENCE_MS)
    exported(window, qtbot, dialog)
    grey = read_grey(target / "ct_made.png")
    # PS3.3 C.11.2.1.2.1: ((x - (c - 0.5)) / (w - 1) + 0.5) * 255
    expected = ((square.values[0].astype(float) + 600.5) / 800 + 0.5) * 255
    assert grey.shape == (40, 60)
    assert np.abs(grey - np.clip(expected, 0, 255)).max() <= 1


@pytest.mark.parametrize(("scale", "factor"), [(2, 2), (4, 4)])
def test_scale_multiplies_the_size_of_the_view(small_window: Window, target: Path, scale: int, factor: int) -> None:
    page = opened(small_window).pages["screenshot"]
    page.scale.set_value(scale)
    width, height = small_window.view.viewport_size
    assert page.picture_size() == (round(width * factor), round(height * factor))


def test_showing_the_patient_changes_preview_and_name(small_window: Window, qtbot: Any, target: Path) -> None:
    dialog = opened(small_window)
    page = dialog.pages["screenshot"]
    before = page.preview.pixmap().toImage()
    page.hide_identity.switch.click()
    assert dialog.name.text() == "test-person-id-7_ct_made_003"
    qtbot.waitUntil(lambda: page.preview.pixmap().toImage() != before, timeout=PATIENCE_MS)


@pytest.mark.parametrize("switch", ["text", "segments", "measurements"])
def test_each_switch_changes_the_picture(small_window: Window, target: Path, switch: str) -> None:
    draw_segment(small_window)
    draw_distance(small_window)
    small_window.host.change_wish(index=2)
    page = opened(small_window).pages["screenshot"]
    before = page.picture()
    getattr(page, switch).switch.click()
    assert page.picture() != before


def test_name_that_exists_is_said_and_replaced(small_window: Window, qtbot: Any, target: Path) -> None:
    (target / "ct_made_003.png").write_bytes(b"old")
    dialog = opened(small_window)
    qtbot.waitUntil(lambda: "exists" in dialog.note.text(), timeout=PATIENCE_MS)
    assert dialog.note.text() == "A file with this name exists. It will be replaced."
    exported(small_window, qtbot, dialog)
    assert (target / "ct_made_003.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["", "a/b", "a:b", ".hidden"])
def test_names_that_cannot_be_are_refused_in_words(small_window: Window, qtbot: Any, target: Path, name: str) -> None:
    dialog = opened(small_window)
    dialog.name.selectAll()
    qtbot.keyClick(dialog.name, Qt.Key.Key_Delete)
    qtbot.keyClicks(dialog.name, name)
    assert not dialog.export.isEnabled()
    assert dialog.note.text().strip()
    assert dialog.export.toolTip() == dialog.note.text()
    qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    assert list(target.iterdir()) == []


def test_failing_export_is_said_and_leaves_nothing(small_window: Window, qtbot: Any, target: Path) -> None:
    dialog = opened(small_window)
    qtbot.waitUntil(lambda: dialog._taken is not None, timeout=PATIENCE_MS)
    target.rmdir()
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    settle(qtbot, small_window)
    shown = small_window.messages.message()
    assert shown is not None
    assert shown.kind == "err"
    assert "ct_made_003.png" in shown.text


def test_copy_puts_the_picture_on_the_clipboard(small_window: Window, qtbot: Any, target: Path) -> None:
    dialog = opened(small_window)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().image().size() == dialog.pages["screenshot"].picture().size()
    shown = small_window.messages.message()
    assert shown is not None
    assert shown.text == "Picture copied, without name and ID."


def test_pages_with_nothing_to_save_say_why(small_window: Window, target: Path) -> None:
    dialog = opened(small_window)
    reasons = {name: dialog.tabs.button(name).toolTip() for name in ("mask", "measurements", "recipe")}
    assert reasons == {"mask": "No segments yet.", "measurements": "No measurements yet.", "recipe": "No operations on this image yet."}
    assert [dialog.tabs.button(name).isEnabled() for name in ("screenshot", *reasons)] == [True, False, False, False]


# --- export: mask, measurements, recipe ------------------------------------------------------------------------------


def test_mask_as_nifti_lies_where_the_image_lies(small_window: Window, qtbot: Any, target: Path) -> None:
    draw_segment(small_window)
    dialog = opened(small_window, "mask")
    assert dialog.ending.text() == ".nii.gz"
    name = dialog.name.text()
    exported(small_window, qtbot, dialog)
    read = nibabel.load(target / f"{name}.nii.gz")
    values = np.asarray(read.dataobj)  # columns, rows, planes
    assert values.shape == (60, 40, 5)
    assert np.argwhere(values == 1).min(axis=0).tolist() == [20, 10, 1]
    assert int((values == 1).sum()) == 24
    assert np.allclose(np.abs(np.diag(read.affine))[:3], (0.5, 0.7, 3.0))


def test_one_segment_alone_is_zero_and_one(small_window: Window, qtbot: Any, target: Path) -> None:
    draw_segment(small_window, "First")
    small_window.tooling.set_active(None)
    ref = small_window.tooling.add_segment("Second")
    with small_window.host.document.edit("Draw") as edit:
        edit.paint(ref.layer_id, (slice(0, 1), slice(0, 2), slice(0, 5)), np.ones((1, 2, 5), bool), ref.label)
    dialog = opened(small_window, "mask")
    page = dialog.pages["mask"]
    page.which.combo.setCurrentIndex(page.which.combo.findText("Second", Qt.MatchFlag.MatchContains))
    assert dialog.name.text().endswith("_second")
    exported(small_window, qtbot, dialog)
    values = np.asarray(nibabel.load(target / "ct_made_second.nii.gz").dataobj)
    assert sorted(np.unique(values)) == [0, 1]
    assert int(values.sum()) == 10


def test_mask_as_pictures_is_a_folder_of_them(small_window: Window, qtbot: Any, target: Path) -> None:
    draw_segment(small_window)
    dialog = opened(small_window, "mask")
    dialog.pages["mask"].format.combo.setCurrentIndex(2)
    assert dialog.ending.text() == "folder"
    exported(small_window, qtbot, dialog)
    pictures = sorted((target / "ct_made_mask").iterdir())
    assert len(pictures) == 5
    assert int(read_grey(pictures[1]).sum()) == 12
    again = opened(small_window, "mask")
    again.pages["mask"].format.combo.setCurrentIndex(2)
    qtbot.waitUntil(lambda: not again.export.isEnabled(), timeout=PATIENCE_MS)  # a folder is never written over


def test_measurements_are_saved_as_csv_with_units(small_window: Window, qtbot: Any, target: Path) -> None:
    draw_distance(small_window)
    dialog = opened(small_window, "measurements")
    exported(small_window, qtbot, dialog)
    rows = list(csv.reader((target / "ct_made_measurements.csv").read_text(encoding="utf-8-sig").splitlines()))
    head = next(row for row in rows if "Name" in row)
    line = rows[rows.index(head) + 1]
    assert "Length (mm)" in head
    assert (line[0], float(line[head.index("Length (mm)")])) == ("Length 1", 5.0)


def test_recipe_lists_the_operations(small_window: Window, qtbot: Any, target: Path) -> None:
    host = small_window.host
    with qtbot.waitSignal(host.document_changed, timeout=PATIENCE_MS):
        host.run(host.prepare("Enhance/Gamma", {"gamma": 0.5}, host.scope("volume")))
    settle(qtbot, small_window)
    dialog = opened(small_window, "recipe")
    exported(small_window, qtbot, dialog)
    steps = tomllib.loads((target / "recipe.toml").read_text())["step"]
    assert [(s["operation"], s["parameters"]["gamma"]) for s in steps] == [("Enhance/Gamma", 0.5)]


# --- palette --------------------------------------------------------------------------------------------------------


def test_palette_finds_by_any_word_and_runs_with_enter(small_window: Window, qtbot: Any) -> None:
    small_window.view.setFocus()
    qtbot.keyClick(small_window.view, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = dialog_of(small_window)
    assert palette.width() == 560
    assert palette.field.hasFocus()
    qtbot.keyClicks(palette.field, "inve")
    assert palette.titles()[0] == "Invert"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert small_window.host.state.is_inverted
    qtbot.waitUntil(lambda: small_window.view.hasFocus() or not QApplication.activeModalWidget())


def test_palette_matches_words_in_any_order_and_the_menus_name(small_window: Window, qtbot: Any) -> None:
    small_window.open_palette()
    palette = dialog_of(small_window)
    qtbot.keyClicks(palette.field, "window full")
    assert "Full range of values" in palette.titles()  # its menu is Windowing
    palette.field.clear()
    qtbot.keyClicks(palette.field, "tissue soft")
    assert palette.titles() == ("Soft tissue",)


def test_palette_says_that_nothing_matches(window: Window, qtbot: Any) -> None:
    window.open_palette()
    palette = dialog_of(window)
    qtbot.keyClicks(palette.field, "zzqy")
    assert palette.none.isVisible()
    assert palette.none.text() == "No command matches."
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_palette_lists_what_is_off_with_its_reason_and_does_not_run_it(window: Window, qtbot: Any) -> None:
    window.open_palette()
    palette = dialog_of(window)
    qtbot.keyClicks(palette.field, "fit to")
    shown = palette.list.model().data(palette.list.currentIndex(), Qt.ItemDataRole.AccessibleTextRole)
    assert shown == "Fit to window, View, =, Open an image first."
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not [d for d in window.findChildren(Dialog) if d.isVisible()]


def test_palette_moves_with_arrows_and_takes_a_click(small_window: Window, qtbot: Any) -> None:
    small_window.open_palette()
    palette = dialog_of(small_window)
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 1
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    qtbot.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == 0
    palette.field.setText("flip left")
    place = palette.list.visualRect(palette.list.currentIndex()).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert small_window.host.wish.flip_horizontal


def test_palette_finds_a_command_by_its_name_in_the_other_language(small_window: Window) -> None:
    small_window.open_palette()
    palette = dialog_of(small_window)
    palette.field.setText("反相")
    assert palette.titles()[0] == "Invert"
    palette.field.setText("invert")
    assert palette.titles()[0] == "Invert"


def test_palette_lists_operations_and_tools_of_plugins(window: Window) -> None:
    window.open_palette()
    palette = dialog_of(window)
    assert {"Gamma", "Watershed", "Distance", "Brush"} <= set(palette.titles())


# --- key sheet, about, details, confirm -----------------------------------------------------------------------------


def test_key_sheet_has_every_key_of_the_table_and_filters(window: Window, qtbot: Any) -> None:
    window.actions_table["help.keys"].trigger()
    sheet = dialog_of(window)
    actions = window.actions_table
    keyed = [spec for spec in (*actions.specs(), *actions.coming()) if actions.keys(spec.id)]
    assert len(sheet.shown()) == len(keyed) + len(actions.profile.mouse)
    qtbot.keyClicks(sheet.field, "invert")
    assert sheet.shown() == ("Invert: I",)
    sheet.field.clear()
    qtbot.keyClicks(sheet.field, "ctrl+z")
    assert "Undo: Ctrl+Z" in sheet.shown()
    sheet.field.setText("zzqy")
    assert sheet.none.isVisible()


def test_about_says_what_it_is_not_for(window: Window) -> None:
    from viewer.ui.controls import Label, NoteBox

    window.actions_table["help.about"].trigger()
    dialog = dialog_of(window)
    assert dialog.findChild(NoteBox).text() == "Research and education only – not for diagnosis."
    text = " ".join(label.text() for label in dialog.findChildren(Label))
    for words in ("LGPL", "BSD-3-Clause", "not calibrated"):
        assert words in text


def test_details_are_copied(window: Window, qtbot: Any) -> None:
    window.panel_host.show_details("It failed.", "line one\nline two")
    dialog = dialog_of(window)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "line one\nline two"


def test_confirm_has_the_focus_on_the_safe_button_and_goes_on_only_when_asked(window: Window, qtbot: Any) -> None:
    heard: list[str] = []
    for press, expected in ((lambda d: qtbot.keyClick(d, Qt.Key.Key_Escape), []), (lambda d: d.go_on.click(), ["go"])):
        dialog = Confirm("Close without saving?", "It is lost.", keep="Keep open", go_on="Close", parent=window)
        dialog.accepted.connect(lambda: heard.append("go"))
        dialog.open()
        QApplication.processEvents()
        assert dialog.keep.hasFocus()
        press(dialog)
        assert heard == expected


def test_quitting_asks_when_there_is_something_to_lose(small_window: Window, qtbot: Any) -> None:
    small_window.tooling.add_segment()
    small_window.actions_table["file.quit"].trigger()
    dialog = dialog_of(small_window)
    assert "1 segment" in dialog.windowTitle()
    qtbot.mouseClick(dialog.keep, Qt.MouseButton.LeftButton)
    assert small_window.isVisible()
    small_window.actions_table["file.quit"].trigger()
    qtbot.mouseClick(dialog_of(small_window).go_on, Qt.MouseButton.LeftButton)
    assert not small_window.isVisible()


def test_close_all_asks_when_there_is_something_to_lose(small_window: Window, qtbot: Any) -> None:
    draw_segment(small_window)
    small_window.actions_table["file.close_all"].trigger()
    dialog = dialog_of(small_window)
    assert isinstance(dialog, Confirm)
    qtbot.mouseClick(dialog.go_on, Qt.MouseButton.LeftButton)
    assert small_window.host.root_id == ""


@pytest.mark.parametrize("action", ["file.export", "help.palette", "help.keys", "help.about"])
@pytest.mark.parametrize("size", [(1280, 800), (960, 600)])
def test_dialogs_stay_within_the_window(make_window: Any, action: str, size: tuple[int, int]) -> None:
    window = make_window(*size)
    put_volume(window, made_volume())
    window.actions_table[action].trigger()
    dialog = dialog_of(window)
    assert window.frameGeometry().contains(dialog.frameGeometry())
    for widget in dialog.frame.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        assert not widget.isVisible() or dialog.frame.rect().contains(widget.geometry()), widget


# --- jobs -----------------------------------------------------------------------------------------------------------


def test_jobs_popover_shows_what_runs_and_cancels_it(window: Window, qtbot: Any) -> None:
    go_on, heard = threading.Event(), []

    def work(progress: Any) -> None:
        while not go_on.wait(0.005):
            progress(45, 72)

    window.host.work.run_thread(work, "Median, 72 images", heard.append, heard.append)
    qtbot.waitUntil(lambda: window.status.jobs.isVisible() and any(t.done == 45 for t in window.host.work.tasks()), timeout=PATIENCE_MS)
    qtbot.mouseClick(window.status.jobs, Qt.MouseButton.LeftButton)
    row = next(r for r in window.jobs.rows() if "Median" in r.accessibleName())
    assert row.accessibleName().startswith("Median, 72 images, 45 of 72")
    assert row.action.text() == "Cancel"
    qtbot.mouseClick(row.action, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert type(heard[0]).__name__ == "OperationCancelled"
    go_on.set()
    window.jobs.close()


def test_failed_job_stays_with_its_details_until_looked_at(window: Window, qtbot: Any) -> None:
    def work(_progress: Any) -> None:
        raise JobFailed("3 of 36 files are damaged.", "Traceback: the whole of it")

    window.host.work.run_thread(work, "Open t2", lambda _r: None, window.host.report)
    settle(qtbot, window)
    qtbot.waitUntil(window.status.jobs.isVisible, timeout=PATIENCE_MS)
    window.jobs.open_at(window.status.jobs, side="above")
    first = window.jobs.rows()[-1]
    assert first.action.text() == "Details"
    qtbot.mouseClick(first.action, Qt.MouseButton.LeftButton)
    assert dialog_of(window).text.toPlainText() == "Traceback: the whole of it"
    assert not [t for t in window.host.work.tasks() if t.state == "failed"]


def test_jobs_popover_without_jobs_says_so(window: Window) -> None:
    for task in window.host.work.tasks():
        window.host.work.forget(task.id)
    window.jobs.open_at(window.status.jobs, side="above")
    assert window.jobs.empty.title.text() == "Nothing is running."
    assert window.jobs.empty.isVisible()
    window.jobs.close()


def test_how_this_image_is_shown_opens_by_its_key_and_is_copied(window: Window, qtbot: Any) -> None:
    put_volume(window, replace(made_volume(), windows=(ValueWindow(40, 400, name="SOFT"),)))
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()
    dialog = dialog_of(window)
    assert isinstance(dialog, Explanation)
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert "window 1 of 1 of the file “SOFT”" in text
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert not window.findChildren(Explanation) or not dialog.isVisible()


def test_how_this_image_is_shown_waits_for_an_image(window: Window) -> None:
    assert not window.actions_table["view.explain"].isEnabled()
