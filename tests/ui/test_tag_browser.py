"""The tag browser by clicks and keys: it opens on the file of the slice, filters while one types, copies, and says what is wrong."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication

from tests.io.dicom.conftest import write_dicom  # noqa: F401  a fixture
from tests.ui.window_samples import PATIENCE_MS, dialog_of, made_volume, put_volume, settle
from viewer.ui.dialogs.tag_model import BADGE_ROLE, NAME, VALUE
from viewer.ui.dialogs.tags import TagBrowser
from viewer.ui.window import Window

FILES = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture
def browser(window: Window, qtbot: Any) -> TagBrowser:
    return opened(window, qtbot, FILES / "rtplan.dcm")


def opened(window: Window, qtbot: Any, *files: Path, number: int = 0) -> TagBrowser:
    dialog = TagBrowser(window.host, files, number, parent=window)
    dialog.open()
    qtbot.waitUntil(lambda: dialog.model.tags is not None or bool(dialog.error), timeout=PATIENCE_MS)
    return dialog


def rows(dialog: TagBrowser, parent: QModelIndex | None = None) -> list[str]:
    """Name and value of each row under another."""
    parent = parent or QModelIndex()
    model = dialog.model
    return [f"{model.index(r, NAME, parent).data()}: {model.index(r, VALUE, parent).data()}" for r in range(model.rowCount(parent))]


def test_it_opens_on_the_file_of_the_slice_in_view_and_follows_the_chooser(window: Window, qtbot: Any, write_dicom: Any) -> None:  # noqa: F811
    # The higher the file's number, the lower its plane.
    for n in range(5):
        values = np.full((8, 8), n, np.int16)
        write_dicom(f"{n}.dcm", values, InstanceNumber=n + 1, ImagePositionPatient=[0, 0, -3 * n], SOPInstanceUID=f"1.2.3.9.{n}")
    folder = write_dicom("0.dcm", np.zeros((8, 8), np.int16), ImagePositionPatient=[0, 0, 0], SOPInstanceUID="1.2.3.9.0").parent
    window.open_paths([folder])
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    shown = window.host.state
    assert shown.volume is not None
    window.host.change_wish(index=0)
    window.actions_table["view.tags"].trigger()
    dialog = dialog_of(window)
    assert isinstance(dialog, TagBrowser)
    plane = window.host.state.array_index
    depth = float(shown.volume.geometry.to_patient((plane, 0, 0))[2])
    assert float(pydicom.dcmread(dialog.path).ImagePositionPatient[2]) == depth
    qtbot.waitUntil(lambda: dialog.model.tags is not None, timeout=PATIENCE_MS)
    by_key = dialog.path
    dialog.reject()
    (row,) = window.opener.rows()
    next(a for a in window.browser.build_menu(row).actions() if a.text() == "DICOM tags…").trigger()
    dialog = dialog_of(window)
    assert dialog.path == by_key
    qtbot.waitUntil(lambda: dialog.model.tags is not None, timeout=PATIENCE_MS)
    dialog.field.setText("InstanceNumber")
    before = rows(dialog)
    qtbot.keyClick(dialog.chooser.field, Qt.Key.Key_Up if dialog._number == 0 else Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: rows(dialog) not in ([], before), timeout=PATIENCE_MS)
    assert rows(dialog) == [f"Instance Number: {pydicom.dcmread(dialog.path).InstanceNumber}"]


def test_typing_filters_and_opens_the_sequences_that_hold_the_find(browser: TagBrowser, qtbot: Any) -> None:
    qtbot.keyClicks(browser.field, "fractions planned")
    assert rows(browser) == ["Fraction Group Sequence: 1 item"]
    sequence = browser.model.index(0, 0)
    item = browser.model.index(0, 0, sequence)
    assert browser.tree.isExpanded(sequence) and browser.tree.isExpanded(item)
    assert rows(browser, item) == ["Number of Fractions Planned: 30"]
    assert browser.count.text().startswith("2 of ")
    qtbot.keyClick(browser.field, Qt.Key.Key_Escape)
    assert browser.field.text() == "" and browser.isVisible()
    plan = pydicom.dcmread(FILES / "rtplan.dcm")
    assert browser.model.rowCount() == len(plan) + len(plan.file_meta)


def test_no_find_says_so(browser: TagBrowser, qtbot: Any) -> None:
    qtbot.keyClicks(browser.field, "teapot")
    assert browser.stack.currentWidget() is browser.empty
    assert not browser.copy_all.isEnabled() and browser.copy_all.toolTip()


def test_rows_values_and_the_whole_list_are_copied_by_keys_and_buttons(browser: TagBrowser, qtbot: Any) -> None:
    clipboard = QApplication.clipboard()
    assert not browser.copy_value.isEnabled() and browser.copy_value.toolTip()
    qtbot.keyClicks(browser.field, "rt plan label")
    qtbot.keyClick(browser.field, Qt.Key.Key_Down)
    assert QApplication.focusWidget() is browser.tree
    qtbot.keyClick(browser.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == "(300A,0002) SH RT Plan Label: Plan1"
    qtbot.mouseClick(browser.copy_value, Qt.MouseButton.LeftButton)
    assert clipboard.text() == "Plan1"
    browser.field.setText("beam name")
    qtbot.mouseClick(browser.copy_all, Qt.MouseButton.LeftButton)
    assert clipboard.text().splitlines() == ["(300A,00B0) SQ Beam Sequence: 1 item", "  Item 1", "    (300A,00C2) LO Beam Name: Field 1"]


def test_private_and_identity_rows_wear_a_badge(window: Window, qtbot: Any) -> None:
    dialog = opened(window, qtbot, FILES / "CT_small.dcm")
    badges = {}
    for row in range(dialog.model.rowCount()):
        index = dialog.model.index(row, NAME)
        badges[index.data()] = index.data(BADGE_ROLE)
    assert (badges["Patient's Name"], badges["Patient ID"], badges["Private Creator"], badges["Rows"]) == ("Identity", "Identity", "Private", "")


def test_a_damaged_file_says_what_is_wrong_above_what_could_be_read(window: Window, qtbot: Any) -> None:
    dialog = opened(window, qtbot, FILES / "MR_truncated.dcm")
    assert "cut short" in dialog.note.text() and dialog.note.isVisible()
    assert dialog.model.rowCount() == 80


def test_what_is_no_dicom_file_is_refused_in_the_dialog(window: Window, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague,")
    dialog = opened(window, qtbot, tmp_path / "letter.txt")
    assert dialog.stack.currentWidget() is dialog.empty and "letter.txt is not a DICOM file" in dialog.error


def test_the_command_waits_for_a_dicom_file(window: Window) -> None:
    action = window.actions_table["view.tags"]
    assert not action.isEnabled()
    put_volume(window, made_volume())
    window.refresh_actions()
    assert not action.isEnabled() and "no DICOM file" in action.toolTip()


def test_the_command_shows_the_slice_in_view_while_its_series_is_read(
    window: Window, qtbot: Any, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewer.ui import loading

    end, real = threading.Event(), loading.load_entry

    def held(*args: Any, **options: Any) -> Any:
        assert end.wait(PATIENCE_MS / 1000)
        return real(*args, **options)

    monkeypatch.setattr(loading, "load_entry", held)
    window.open_paths([shared_data / "ct_chest_lidc"])
    qtbot.waitUntil(lambda: window.host.arriving is not None, timeout=PATIENCE_MS)
    window.actions_table["view.tags"].trigger()
    dialog = dialog_of(window)
    depth = float(window.host.seen.geometry.to_patient((window.host.seen.array_index, 0, 0))[2])
    end.set()
    assert float(pydicom.dcmread(dialog.path).ImagePositionPatient[2]) == pytest.approx(depth)
    assert dialog.path != window.opener.rows()[0].entry.files[0]  # not simply the first


def test_values_that_look_like_markup_stay_words(window: Window, qtbot: Any, write_dicom: Any) -> None:  # noqa: F811
    dialog = opened(window, qtbot, write_dicom("a.dcm", np.zeros((2, 2), np.int16), PatientComments="<b>bold</b>"))
    dialog.field.setText("bold")
    index = dialog.model.index(0, VALUE)
    assert index.data() == "<b>bold</b>" and "<" not in index.data(Qt.ItemDataRole.ToolTipRole)


def test_of_a_zip_file_its_own_name_is_shown(window: Window, qtbot: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(FILES / "CT_small.dcm", "inside.dcm")
    window.open_paths([tmp_path / "study.zip"])
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    window.actions_table["view.tags"].trigger()
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: dialog.model.tags is not None, timeout=PATIENCE_MS)
    assert dialog.name.text() == str(tmp_path / "study.zip")
    assert dialog.model.rowCount() > 200


def test_of_a_zip_file_too_it_opens_on_the_slice_in_view(window: Window, qtbot: Any, shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in sorted((shared_data / "mr_head_t1").iterdir()):
            archive.write(path, path.name)
    window.open_paths([tmp_path / "study.zip"])
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    state = window.host.state
    window.host.change_wish(index=3)
    window.actions_table["view.tags"].trigger()
    place = [float(x) for x in pydicom.dcmread(dialog_of(window).path).ImagePositionPatient]
    assert place == pytest.approx(list(state.geometry.to_patient((window.host.state.array_index, 0, 0))), abs=1e-3)


def test_closing_while_a_file_is_read_leaves_nothing_behind(window: Window, qtbot: Any) -> None:
    dialog = TagBrowser(window.host, [FILES / "rtplan.dcm"], parent=window)
    dialog.open()
    dialog.reject()
    settle(qtbot, window)
