"""The browser: groups, words, filter, keys, thumbnails, what is being read and what could not be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import PATIENCE_MS, dialog_of, made_volume, put_volume, settle, write_pictures
from viewer.core.volume import Identity
from viewer.io.series import Refusal, SeriesEntry
from viewer.session.settings import Settings
from viewer.ui.browser import Browser
from viewer.ui.browser_rows import DATA_ROLE, PICTURE_ROLE, badge_of, count_of, spoken, state_of, study_key, study_of, thumbnail_image, title_of
from viewer.ui.controls import Button
from viewer.ui.opening import Row
from viewer.ui.window import Window


def entry(name: str = "a", **changes: Any) -> SeriesEntry:
    who = {"patient_id": "ID-1", "patient_name": "Wang^Min", "study_uid": "1.1", "study_date": "20240318", "modality": "MR"}
    who |= {"study_description": "abdomen"}
    who |= {key: changes.pop(key) for key in list(changes) if key in Identity.__dataclass_fields__}
    identity = Identity(**{"series_description": name, **who})
    facts = {"id": name, "reader": "dicom", "kind": "volume", "files": (Path(f"/x/{name}.dcm"),), "title": name, "shape": (72, 8, 8)}
    return SeriesEntry(identity=identity, **{**facts, **changes})


def show_rows(window: Window, *rows: Row | SeriesEntry) -> Browser:
    """Rows as the opener would list them, without files."""
    for row in rows:
        made = row if isinstance(row, Row) else Row(row)
        window.opener._rows[made.entry.id] = made
    window.opener.rows_changed.emit()
    QApplication.processEvents()
    return window.browser


def outline(browser: Browser) -> list[tuple[str, list[str]]]:
    """Names of the studies and of their series, as far as the filter lets them through."""
    model, found = browser.model, []
    for number in range(model.rowCount()):
        head = model.item(number)
        if browser.tree.isRowHidden(number, QModelIndex()):
            continue
        value = head.data(DATA_ROLE)
        series = [head.child(n).data(DATA_ROLE).entry.id for n in range(head.rowCount()) if not browser.tree.isRowHidden(n, head.index())]
        found.append((getattr(value, "name", None) or value.text, series))
    return found


def index_of(browser: Browser, entry_id: str) -> QModelIndex:
    return browser._items[entry_id].index()


# --- words ----------------------------------------------------------------------------------------------------------


def test_study_line_says_modality_description_and_date() -> None:
    members = [entry("a"), entry("b", modality="SEG", kind="other", shape=(0, 0, 0))]
    study = study_of(study_key(members[0]), members)
    assert (study.name, study.what, study.date) == ("Wang, Min", "MR abdomen", "2024-03-18")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "72 images"),
        ({"shape": (1, 8, 8), "kind": "image"}, "1 image"),
        ({"shape": (1, 8, 8), "kind": "cine", "phases": 20}, "20 frames"),
        ({"phases": 3}, "72 images, 3 phases"),
        ({"shape": (0, 0, 0), "kind": "other"}, "No image"),
    ],
)
def test_count_is_said_in_images_frames_and_phases(changes: dict[str, Any], words: str) -> None:
    assert count_of(entry(**changes)) == words


def test_files_without_a_patient_are_grouped_by_folder_and_badged_by_format() -> None:
    one = entry("a", reader="nifti", patient_id="", patient_name="", study_uid="", modality="", files=(Path("/data/head/a.nii.gz"),))
    two = entry("b", reader="pictures", patient_id="", patient_name="", study_uid="", modality="", files=(Path("/data/head/b.png"),))
    assert study_key(one) == study_key(two)
    assert (badge_of(one), badge_of(two)) == ("NIfTI", "PNG")
    study = study_of(study_key(one), [one, two])
    assert (study.name, study.what) == ("head", "NIfTI, PNG")


def test_row_that_failed_shows_why_and_one_that_loads_says_so() -> None:
    assert state_of(Row(entry(), error="a.dcm is cut off."))[::2] == ("circle-alert", "a.dcm is cut off.")
    assert state_of(Row(entry(), is_loading=True))[2] == "Opening"
    assert state_of(Row(entry())) == ("", "", "")
    assert "Slices are missing." in spoken(Row(entry(warnings=("Slices are missing.",))))


# --- the list -------------------------------------------------------------------------------------------------------


def test_series_stand_under_their_study(window: Window) -> None:
    other = {"patient_name": "Li^Jianguo", "patient_id": "ID-2", "study_uid": "2.2"}
    browser = show_rows(window, entry("a"), entry("b"), entry("c", **other))
    assert outline(browser) == [("Wang, Min", ["a", "b"]), ("Li, Jianguo", ["c"])]
    assert browser.tree.isExpanded(browser.model.index(0, 0))
    assert index_of(browser, "a").data(Qt.ItemDataRole.AccessibleTextRole) == "a, MR, 72 images"


def test_rows_are_as_high_as_the_design_says(window: Window) -> None:
    browser = show_rows(window, entry("a"))
    assert browser.tree.visualRect(index_of(browser, "a")).height() == 58
    assert browser.tree.visualRect(index_of(browser, "a")).width() == browser.tree.viewport().width()


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("wang", ["haste", "vibe"]),
        ("ID-2", ["tirm"]),
        ("2024-03-18", ["haste", "vibe", "tirm"]),
        ("20240318 li", ["tirm"]),
        ("vib min", ["vibe"]),
        ("CT", []),
        ("", ["haste", "vibe", "tirm"]),
    ],
)
def test_filter_looks_at_names_ids_dates_and_descriptions(window: Window, qtbot: Any, words: str, left: list[str]) -> None:
    browser = show_rows(window, entry("haste"), entry("vibe"), entry("tirm", patient_name="Li^Jianguo", patient_id="ID-2", study_uid="2.2"))
    qtbot.keyClicks(browser.filter, words)
    assert [series for _study, names in outline(browser) for series in names] == left
    assert browser.nothing.isVisible() == (not left)


def test_typing_in_the_list_filters_and_escape_empties(window: Window, qtbot: Any) -> None:
    browser = show_rows(window, entry("haste"), entry("vibe"))
    browser.tree.setFocus()
    qtbot.keyClicks(browser.tree, "v")
    assert browser.filter.hasFocus()
    qtbot.keyClicks(browser.filter, "ib")
    assert [names for _study, names in outline(browser)] == [["vibe"]]
    qtbot.keyClick(browser.filter, Qt.Key.Key_Down)
    assert browser.tree.hasFocus()
    assert browser.tree.currentIndex().data(DATA_ROLE).entry.id == "vibe"
    qtbot.keyClick(browser.tree, Qt.Key.Key_Escape)
    assert browser.filter.text() == ""
    assert [names for _study, names in outline(browser)] == [["haste", "vibe"]]
    qtbot.keyClicks(browser.filter, "vib")
    qtbot.keyClick(browser.filter, Qt.Key.Key_Escape)
    assert browser.filter.text() == ""


def test_arrows_move_and_fold(window: Window, qtbot: Any) -> None:
    browser = show_rows(window, entry("a"), entry("b"))
    browser.tree.setFocus()
    browser.tree.setCurrentIndex(index_of(browser, "a"))
    qtbot.keyClick(browser.tree, Qt.Key.Key_Down)
    assert browser.tree.currentIndex() == index_of(browser, "b")
    qtbot.keyClick(browser.tree, Qt.Key.Key_Left)
    study = browser.tree.currentIndex()
    assert study == browser.model.index(0, 0)
    qtbot.keyClick(browser.tree, Qt.Key.Key_Left)
    assert not browser.tree.isExpanded(study)
    qtbot.keyClick(browser.tree, Qt.Key.Key_Right)
    assert browser.tree.isExpanded(study)


def test_click_and_enter_open_a_series_in_the_view(window: Window, qtbot: Any, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    open_paths(window, *write_pictures(tmp_path, 3))
    browser = window.browser
    ids = list(browser._items)
    shown = window.host.root_id
    assert shown
    place = browser.tree.visualRect(index_of(browser, ids[2])).center()
    qtbot.mouseClick(browser.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: window.host.root_id not in ("", shown), timeout=PATIENCE_MS)
    row = window.opener.row_of_root(window.host.root_id)
    assert row is not None
    assert row.entry.id == ids[2]
    browser.tree.setFocus()
    browser.tree.selectionModel().setCurrentIndex(index_of(browser, ids[1]), QItemSelectionModel.SelectionFlag.NoUpdate)
    qtbot.keyClick(browser.tree, Qt.Key.Key_Return)
    settle(qtbot, window)
    row = window.opener.row_of_root(window.host.root_id)
    assert row is not None
    assert row.entry.id == ids[1]


def test_page_down_goes_through_the_series_in_the_order_of_the_list_and_past_what_cannot_be_read(
    window: Window, qtbot: Any, tmp_path: Path, open_paths: Callable[..., None]
) -> None:
    for number, folder in enumerate(("a", "b", "a")):  # the third stands under the first
        path = write_pictures(tmp_path / f"{folder}{number}", 1)[0]
        (tmp_path / folder).mkdir(exist_ok=True)
        open_paths(window, path.rename(tmp_path / folder / f"{number}.png"))
    rows = {row.entry.title: row.entry.id for row in window.opener.rows()}
    assert list(rows) == ["0", "1", "2"]
    window.opener.show(rows["0"])
    seen = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        qtbot.keyClick(window.view, key)
        seen.append(window.opener.shown_id)
    assert seen == [rows["2"], rows["1"], rows["1"], rows["2"]]
    (tmp_path / "a" / "2.png").write_bytes(b"nothing")
    window.commands.close_all()
    window.opener._rows = {name: Row(entry(name)) for name in ("x", "y", "z")}  # their files are not there
    window.opener.rows_changed.emit()
    tried = []
    for _time in range(3):
        window.commands.next_series(1)
        tried.append(window.opener.current_id)
        settle(qtbot, window)
    assert tried == ["x", "y", "z"]


def test_all_can_be_closed_though_nothing_is_shown(window: Window, qtbot: Any) -> None:
    close = window.actions_table["file.close_all"]
    assert not close.isEnabled() and close.toolTip() == "Nothing is open."
    show_rows(window, entry("Report", kind="other", modality="SR", shape=(0, 0, 0)))
    assert close.isEnabled()
    close.trigger()
    QApplication.processEvents()  # the actions follow at the end of the event
    assert window.opener.rows() == () and not close.isEnabled()
    window.opener._refuse([Refusal(Path("a.dcm"), "a.dcm is cut off.")])
    window.opener.rows_changed.emit()
    QApplication.processEvents()
    assert close.isEnabled()


def test_row_of_the_shown_series_is_current(window: Window, qtbot: Any, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    open_paths(window, *write_pictures(tmp_path, 2))
    first = window.browser.tree.currentIndex().data(DATA_ROLE)
    assert first.root_id == window.host.root_id
    window.view.setFocus()
    qtbot.keyClick(window.view, Qt.Key.Key_PageDown)
    settle(qtbot, window)
    assert window.browser.tree.currentIndex().data(DATA_ROLE).root_id == window.host.root_id != first.root_id


def test_what_is_no_image_is_greyed_and_says_what_it_is_when_clicked(window: Window, qtbot: Any) -> None:
    browser = show_rows(window, entry("Segmentation", kind="other", modality="SEG", shape=(0, 0, 0)))
    place = browser.tree.visualRect(index_of(browser, "Segmentation")).center()
    qtbot.mouseClick(browser.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    shown = window.messages.message()
    assert shown is not None
    assert "Segmentation" in shown.text
    menu = browser.build_menu(Row(entry("x", kind="other")))
    assert {action.text(): action.isEnabled() for action in menu.actions()} == {
        "Open": False,
        "Open beside": False,
        "DICOM tags…": True,
        "Export…": False,
    }
    menu.deleteLater()


def test_files_that_could_not_be_read_are_one_row_with_details(window: Window, qtbot: Any) -> None:
    window.opener._refuse([Refusal(Path(f"{n}.dcm"), f"{n}.dcm is cut off.") for n in range(3)])
    browser = show_rows(window, entry("a"))
    assert outline_texts(browser)[-1] == "3 files could not be read"
    last = browser.model.index(browser.model.rowCount() - 1, 0)
    qtbot.mouseClick(browser.tree.viewport(), Qt.MouseButton.LeftButton, pos=browser.tree.visualRect(last).center())
    assert dialog_of(window).text.toPlainText() == "0.dcm is cut off.\n1.dcm is cut off.\n2.dcm is cut off."
    show_rows(window, entry("new", patient_id="ID-9", study_uid="9"))
    assert outline_texts(browser)[-1] == "3 files could not be read"


def outline_texts(browser: Browser) -> list[str]:
    return [browser.model.item(n).data(Qt.ItemDataRole.AccessibleTextRole) for n in range(browser.model.rowCount())]


def test_five_hundred_series_are_listed_and_filtered_within_a_moment(window: Window) -> None:
    rows = [Row(entry(f"s{n}", patient_id=f"ID-{n // 20}", study_uid=f"{n // 5}")) for n in range(500)]
    start = time.perf_counter()
    browser = show_rows(window, *rows)
    browser.filter.setText("ID-7")
    QApplication.processEvents()
    assert time.perf_counter() - start < 1.0
    assert sum(len(names) for _study, names in outline(browser)) == 20


def test_closing_all_empties_the_list(window: Window, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    open_paths(window, *write_pictures(tmp_path, 2))
    assert window.browser.model.rowCount() == 1
    window.actions_table["file.close_all"].trigger()
    assert window.browser.model.rowCount() == 0
    assert window.browser.empty.isVisible()
    assert window.center.currentWidget() is window.first_run


# --- thumbnails -----------------------------------------------------------------------------------------------------


def test_opened_series_get_thumbnails(window: Window, qtbot: Any, tmp_path: Path, open_paths: Callable[..., None]) -> None:
    open_paths(window, *write_pictures(tmp_path, 2))
    for item in window.browser._items.values():
        qtbot.waitUntil(lambda item=item: item.data(PICTURE_ROLE) is not None, timeout=PATIENCE_MS)
        picture = item.data(PICTURE_ROLE)
        assert (picture.width(), picture.height()) == (48, 48)


def test_thumbnail_of_a_large_image_shows_the_whole_of_it(window: Window) -> None:
    volume = made_volume((1, 1200, 1500))
    data = np.zeros((1, 1, 1200, 1500), np.int16)
    data[..., 750:] = 2000  # the right half is white
    volume = replace(volume, data=data, geometry=replace(volume.geometry, spacing=(1.0, 1.0, 1.0)))
    picture = thumbnail_image(volume, window.host.document, 48)
    assert picture.pixelColor(5, 24).lightness() < 130 < 200 < picture.pixelColor(42, 24).lightness()
    assert picture.pixelColor(24, 1).lightness() == 0  # wider than high: black above and below


def test_thumbnail_of_a_large_palette_image_is_made_like_any_other(window: Window) -> None:
    volume = made_volume((1, 600, 800), is_color=True)
    picture = thumbnail_image(replace(volume, indices=np.zeros((1, 1, 600, 800), np.uint8)), window.host.document, 48)
    assert (picture.width(), picture.height()) == (48, 48)
    assert picture == thumbnail_image(volume, window.host.document, 48)


# --- little to list -------------------------------------------------------------------------------------------------


def links_of(window: Window) -> list[Button]:
    return [w for w in window.browser.recent.findChildren(Button) if w.isVisible() and w.text() != "Clear recent"]


def test_recent_folders_are_links_and_missing_ones_say_so(make_window: Callable[..., Window], settings: Settings, qtbot: Any, tmp_path: Path) -> None:
    write_pictures(tmp_path / "there", 1)
    settings.add_recent(tmp_path / "gone")
    settings.add_recent(tmp_path / "there")
    window = make_window()
    links = links_of(window)
    assert [link.text() for link in links] == ["there", "gone"]
    assert [link.isEnabled() for link in links] == [True, False]
    assert str(tmp_path / "gone") in links[1].toolTip()
    qtbot.mouseClick(links[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert not window.browser.empty.isVisible()


def test_cleared_recent_paths_are_gone_from_list_menu_and_settings(
    make_window: Callable[..., Window], settings: Settings, qtbot: Any, tmp_path: Path
) -> None:
    for number in range(12):
        settings.add_recent(tmp_path / f"study-{number}")
    window = make_window()
    assert len(links_of(window)) == 10  # RELIABILITY choice 12
    menu = window.panel_host.recents.build_menu(window)
    paths = [action for action in menu.actions() if action.text().startswith(("/", "…"))]
    assert [Path(a.toolTip().rpartition(": ")[2]).name for a in paths] == [f"study-{n}" for n in range(11, 1, -1)]
    assert not any(action.isEnabled() for action in paths)  # none of them is there
    assert "not there any more" in paths[0].toolTip()
    clear = next(w for w in window.browser.recent.findChildren(Button) if w.text() == "Clear recent")
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert links_of(window) == [] and settings.recent() == ()
    assert window.browser.empty.text.text() == "Recent folders will be listed here."
    assert not any(str(tmp_path) in line for line in settings.path.read_text().splitlines())


def test_first_run_lists_recent_paths_where_the_browser_is_hidden(
    make_window: Callable[..., Window], settings: Settings, qtbot: Any, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "there", 1)
    settings.add_recent(tmp_path / "there")
    window = make_window()
    recent = window.first_run.recent
    assert recent is not None and not recent.isVisible()
    window.actions_table["view.browser"].trigger()
    link = next(w for w in recent.findChildren(Button) if w.text() == "there")
    assert link.isVisible()
    qtbot.keyClick(link, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.host.root_id != "", timeout=PATIENCE_MS)
    settle(qtbot, window)


def test_without_recent_folders_it_says_where_they_will_be(window: Window) -> None:
    assert window.browser.empty.text.text() == "Recent folders will be listed here."
    assert not window.browser.filter.isVisible()


def test_reading_shows_progress_and_can_be_cancelled(window: Window, qtbot: Any, shared_data: Path) -> None:
    window.open_paths([shared_data / "ct_chest_lidc"])
    window.browser._follow_work(())
    assert window.browser.reading.isVisible()
    window.opener.progress.emit(30, 120)
    assert window.browser._reading_words.text() == "30 of 120 files"
    qtbot.mouseClick(window.browser.cancel, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert not window.browser.reading.isVisible()


def test_hide_button_hides_and_the_key_brings_back(window: Window, qtbot: Any) -> None:
    put_volume(window, made_volume())
    window.actions_table["view.browser"].trigger()
    assert not window.browser.isVisible()
    window.view.setFocus()
    qtbot.keyClick(window.view, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert window.browser.isVisible()


def test_d53_parts_of_one_series_read_differently_in_the_list() -> None:
    """The description alone would be the same for a series and its localiser."""
    who = Identity(series_description="Head", modality="CT", series_number="3")
    rows = [SeriesEntry(f"1.2#{n}", "dicom", "volume", (), who, title, (3, 4, 5)) for n, title in enumerate(("Head", "Head, localiser", "Other"))]
    assert [title_of(entry) for entry in rows] == ["Head", "Head, localiser", "Head"]


def test_below_1100_the_browser_is_a_strip_of_thumbnails(window: Window) -> None:
    browser = show_rows(window, entry("a"), entry("b"))
    wide = browser.width()
    window.resize(1099, 700)
    QApplication.processEvents()
    assert browser.width() == 72 and not browser.filter.isVisible()
    assert browser.tree.visualRect(index_of(browser, "a")).width() <= 72
    window.resize(1280, 800)
    QApplication.processEvents()
    assert browser.width() >= min(wide, 200) and browser.filter.isVisible()
