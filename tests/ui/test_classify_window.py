"""Classify from the window: one key, the button in the top bar, keys for readings, the filter of disagreements in the results drawer."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.plugins.onnx_samples import ZOO, course_folder
from tests.ui.classify_samples import FITTING, films, small_model
from tests.ui.window_samples import made_volume, put_volume, settle, write_pictures
from viewer.core.errors import OperationCancelled
from viewer.core.report import Report
from viewer.draw.screenshot import screenshot
from viewer.session.own_models import add_model
from viewer.session.readings import give_reading
from viewer.ui.messages import Notice
from viewer.ui.model_shelf import ModelShelf
from viewer.ui.window import Window

KEY = Qt.Key


@pytest.fixture
def film_window(window: Window, qtbot: QtBot) -> Window:
    """A window with five films, and the quick model alone."""
    window.host.models._list = lambda: ((small_model(),), ())
    window.host.models.reload()
    put_volume(window, films(5))
    window.host.change_wish(index=0)
    settle(qtbot, window)
    return window


def reports(window: Window) -> tuple[Report, ...]:
    return window.host.document.reports_of(window.host.root_id)


def press(window: Window, key: Qt.Key, qtbot: QtBot, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.view, key, modifiers)
    settle(qtbot, window)


def test_one_key_classifies_and_the_corner_of_the_view_says_it(film_window: Window, qtbot: QtBot) -> None:
    press(film_window, KEY.Key_F5, qtbot)
    (report,) = reports(film_window)
    assert report.index == film_window.host.state.array_index
    assert film_window.host.state.report == report
    assert film_window.dock.stack.currentWidget().report == report
    assert len(film_window.host.document.history) == 1


def test_a_model_of_two_networks_reads_all_slices_with_the_same_key(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    card = add_model(course_folder(tmp_path / "course"))
    window.host.models._list = lambda: ((card,), ())
    window.host.models.reload()
    put_volume(window, films(5))
    settle(qtbot, window)
    press(window, KEY.Key_F5, qtbot)
    (report,) = reports(window)
    assert (report.model, report.index) == ("course", 2)
    assert report.is_of_whole


def test_the_button_of_the_top_bar_does_the_same(film_window: Window, qtbot: QtBot) -> None:
    QTest.mouseClick(film_window.top_bar.classify_button, Qt.MouseButton.LeftButton)
    settle(qtbot, film_window)
    assert len(reports(film_window)) == 1


def test_where_no_model_is_for_the_image_key_and_button_are_off_and_say_why(film_window: Window, qtbot: QtBot) -> None:
    put_volume(film_window, films(name="ct", **(FITTING | {"modality": "CT"})))
    settle(qtbot, film_window)
    button = film_window.top_bar.classify_button
    assert not button.isEnabled()
    assert "CT" in button.toolTip()
    press(film_window, KEY.Key_F5, qtbot)
    assert reports(film_window) == ()
    film_window.host.show_volume("film")
    settle(qtbot, film_window)
    assert button.isEnabled()


def test_on_a_reformat_the_key_is_off_and_all_slices_go_on(film_window: Window, qtbot: QtBot) -> None:
    volume = films(6, name="volume")
    put_volume(film_window, replace(volume, geometry=replace(volume.geometry, in_plane_known=True, between_known=True, is_patient=True)))
    film_window.host.change_wish(plane="coronal", index=3)
    settle(qtbot, film_window)
    actions = film_window.actions_table
    assert not actions["analysis.classify"].isEnabled()
    assert actions["analysis.classify"].toolTip() == "Models look at slices as they were acquired. Choose As acquired in the View menu."
    assert actions["analysis.classify_all"].isEnabled()
    press(film_window, KEY.Key_F5, qtbot, Qt.KeyboardModifier.ShiftModifier)
    assert len(reports(film_window)) == 6


@pytest.mark.parametrize(("key", "opinion"), [(KEY.Key_F7, "agree"), (KEY.Key_F8, "disagree"), (KEY.Key_F9, "unsure")])
def test_opinions_have_keys_that_count_once_there_is_a_result(film_window: Window, qtbot: QtBot, key: Qt.Key, opinion: str) -> None:
    assert not film_window.actions_table[f"reading.{opinion}"].isEnabled()
    press(film_window, KEY.Key_F5, qtbot)
    press(film_window, key, qtbot)
    (report,) = reports(film_window)
    assert report.reading is not None
    assert report.reading.opinion == opinion
    press(film_window, key, qtbot)
    (report,) = reports(film_window)
    assert report.reading is None


def test_disagreements_alone_are_listed_and_a_row_leads_to_its_slice(film_window: Window, qtbot: QtBot) -> None:
    press(film_window, KEY.Key_F5, qtbot, Qt.KeyboardModifier.ShiftModifier)
    for report in reports(film_window):
        give_reading(film_window.host.document, report.id, "disagree" if report.index in (1, 3) else "agree")
    film_window.actions_table["reading.disagreements"].trigger()
    settle(qtbot, film_window)
    drawer = film_window.results
    assert drawer.isVisible()
    slices = [row[drawer.grid.heads.index("Slice")].value for row in drawer.grid.rows]
    assert slices == [2, 4]
    place = drawer.table.visualRect(drawer.sorted.index(1, 0)).center()
    QTest.mouseClick(drawer.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    settle(qtbot, film_window)
    assert film_window.host.state.array_index == 3
    QTest.mouseClick(drawer.disagreements, Qt.MouseButton.LeftButton)
    assert len(drawer.grid.rows) == 5


def test_reports_of_several_images_stand_in_one_table(film_window: Window, qtbot: QtBot) -> None:
    press(film_window, KEY.Key_F5, qtbot)
    put_volume(film_window, replace(films(name="second"), title="Second film"))
    settle(qtbot, film_window)
    press(film_window, KEY.Key_F5, qtbot)
    drawer = film_window.results
    film_window.show_results()
    drawer.show_source("all reports")
    assert drawer.grid.heads[0] == "Image"
    assert len(drawer.grid.rows) == 2
    place = drawer.table.visualRect(drawer.sorted.index(0, 0)).center()
    QTest.mouseClick(drawer.table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    settle(qtbot, film_window)
    assert film_window.host.root_id == "film"


@pytest.mark.parametrize("how", ["escape", "button"])
def test_the_key_works_at_once_after_the_dialog_of_a_model_was_closed(film_window: Window, qtbot: QtBot, how: str) -> None:
    film_window.activateWindow()
    dialog = film_window.model_commands.add(ZOO / "torch_cnn.onnx")
    assert dialog is not None
    settle(qtbot, film_window)
    if how == "escape":
        QTest.keyClick(dialog, KEY.Key_Escape)
    else:
        QTest.mouseClick(dialog.close_button, Qt.MouseButton.LeftButton)
    settle(qtbot, film_window)
    assert QApplication.activeWindow() is film_window
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, KEY.Key_F5)
    settle(qtbot, film_window)
    assert len(reports(film_window)) == 1


# --- all open images -----------------------------------------------------------------------------------------------


@pytest.fixture
def full_window(film_window: Window, qtbot: QtBot, tmp_path: Path) -> Window:
    """Besides the films: three pictures of which one is read and one is gone since they were listed, and a CT."""
    paths = write_pictures(tmp_path / "pictures", 3)
    put_volume(film_window, films(name="ct", **(FITTING | {"modality": "CT"})))
    film_window.open_paths([tmp_path / "pictures"])
    settle(qtbot, film_window)
    rows = [row for row in film_window.opener.rows() if not row.root_id]
    assert len(rows) == 2
    rows[-1].entry.files[0].unlink()
    assert sum(path.exists() for path in paths) == 2
    return film_window


def by_image(window: Window) -> list[int]:
    document = window.host.document
    return sorted(len(document.reports_of(root)) for root in document.root_ids())


def test_all_open_images_are_classified_in_one_step_with_a_line_at_the_end(full_window: Window, qtbot: QtBot) -> None:
    said: list[Notice] = []
    full_window.host.notice.connect(said.append)
    shown = full_window.host.root_id
    before = full_window.host.document.state_hash()
    full_window.actions_table["analysis.classify_open"].trigger()
    assert full_window.host.work.is_busy  # listed among the jobs, with Cancel
    settle(qtbot, full_window)
    assert by_image(full_window) == [0, 1, 1, 5]
    assert full_window.host.root_id == shown
    assert said[-1].kind == "warn"
    newest = [full_window.host.document.reports_of(root) for root in full_window.host.document.root_ids()]
    above = sum(any(report.found for report in some) for some in newest)
    summary = f"Classified 3 images. Above the threshold: {above}. With warnings: 2. No model is for 1 other. 1 failed."
    assert said[-1].text.startswith(summary), "the pictures have no tags, the films fit"
    assert "picture-" in said[-1].details and "CT" in said[-1].details
    (step,) = full_window.host.document.history
    assert step.title.text() == "Classify all open images"
    full_window.host.undo()
    assert by_image(full_window) == [0, 0, 0, 0]
    full_window.host.redo()
    dict(said[-1].links)["Show results"]()
    assert full_window.results.isVisible()
    assert len(full_window.results.grid.rows) == 7
    full_window.host.undo()
    assert len(full_window.host.document.history) == 1
    assert before != full_window.host.document.state_hash()  # the picture that was read for it is open now


def test_asking_all_images_again_keeps_their_readings_and_disagreements_are_listed_over_images(full_window: Window, qtbot: QtBot) -> None:
    full_window.actions_table["analysis.classify_open"].trigger()
    settle(qtbot, full_window)
    document = full_window.host.document
    read = [document.reports_of(root)[0] for root in document.root_ids() if document.reports_of(root)]
    assert len(read) == 3
    for report in read[:2]:
        give_reading(document, report.id, "disagree", note="no")
    full_window.actions_table["analysis.classify_open"].trigger()
    settle(qtbot, full_window)
    assert by_image(full_window) == [0, 1, 1, 5]
    full_window.host.show_volume("ct")  # of which there is no report
    full_window.actions_table["reading.disagreements"].trigger()
    assert sorted(full_window.results.grid.keys) == sorted(report.id for report in read[:2])


def test_the_line_at_the_end_takes_it_back(film_window: Window, qtbot: QtBot) -> None:
    said: list[Notice] = []
    film_window.host.notice.connect(said.append)
    before = film_window.host.document.state_hash()
    film_window.actions_table["analysis.classify_open"].trigger()
    settle(qtbot, film_window)
    assert by_image(film_window) == [5]
    assert [words for words, _link in said[-1].links] == ["Undo", "Show results"]
    dict(said[-1].links)["Undo"]()
    assert film_window.host.document.state_hash() == before


def test_cancel_keeps_what_is_done(full_window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Notice] = []
    full_window.host.notice.connect(said.append)
    full_window.actions_table["analysis.classify_open"].trigger()
    (task,) = [task for task in full_window.host.work.tasks() if task.state == "running"]
    full_window.host.work.cancel(task.id)
    settle(qtbot, full_window)
    found = re.match(r"Stopped\. Classified (\d+) image", said[-1].text)
    assert found is not None
    done = int(found[1])
    assert done < 3
    assert sum(count > 0 for count in by_image(full_window)) == done, "as many as it says"
    assert len(full_window.host.document.history) == min(done, 1)


def test_what_was_done_before_cancel_is_one_step(full_window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    from viewer.ui import classify_open

    stock, said = classify_open.run_each, list[Notice]()

    def stopped_after_one(*given: Any, progress: Any, **more: Any) -> Any:
        def tell(done: int, total: int) -> None:
            if done:
                raise OperationCancelled("Cancelled.")
            progress(done, total)

        return stock(*given, progress=tell, **more)

    monkeypatch.setattr(classify_open, "run_each", stopped_after_one)
    full_window.host.notice.connect(said.append)
    full_window.actions_table["analysis.classify_open"].trigger()
    settle(qtbot, full_window)
    assert said[-1].text.startswith("Stopped. Classified 1 image.")
    assert sum(count > 0 for count in by_image(full_window)) == 1
    assert len(full_window.host.document.history) == 1


def test_where_no_model_fits_any_image_nothing_runs(window: Window, qtbot: QtBot) -> None:
    said: list[Notice] = []
    window.host.notice.connect(said.append)
    window.host.models._list = lambda: ((small_model(),), ())
    window.host.models.reload()
    put_volume(window, films(name="ct", **(FITTING | {"modality": "CT"})))
    settle(qtbot, window)
    window.actions_table["analysis.classify_open"].trigger()
    assert (said[-1].kind, said[-1].text) == ("info", "No model fits any of the open images.")
    assert "CT" in said[-1].details
    assert not window.host.work.is_busy


def test_an_exported_picture_says_what_the_model_said(film_window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    from viewer.draw import overlay

    press(film_window, KEY.Key_F5, qtbot)
    told: list[tuple[str, ...]] = []
    real = overlay.corners
    monkeypatch.setattr(overlay, "corners", lambda *given, **named: told.append(real(*given, **named).bottom_right) or real(*given, **named))
    screenshot(film_window.host.document, film_window.host.wish, (600, 600))
    assert "pneumonia-cxr-28 1.0.0" in told[-1]
    assert "Not for diagnosis" in told[-1]


def test_without_texts_a_heat_map_carries_its_warning(film_window: Window, qtbot: QtBot) -> None:
    from PySide6.QtCore import QRectF

    from viewer.draw.overlay import shown_badges

    press(film_window, KEY.Key_F5, qtbot)
    film_window.host.change_wish(text="none")
    state = film_window.host.state
    assert state.maps
    assert [name for name, _box in shown_badges(state, QRectF(0, 0, 600, 600), 1.0)] == ["NOT FOR DIAGNOSIS"]
    plain = screenshot(film_window.host.document, film_window.host.wish, (600, 600))
    film_window.host.change_wish(heat=replace(film_window.host.wish.heat, is_shown=False))
    assert shown_badges(film_window.host.state, QRectF(0, 0, 600, 600), 1.0) == ()
    bare = screenshot(film_window.host.document, film_window.host.wish, (600, 600))
    pixels = [np.frombuffer(picture.constBits(), np.uint8) for picture in (plain, bare)]
    assert not np.array_equal(*pixels)


def test_a_shelf_reads_models_once_and_again_when_it_is_told(window: Window) -> None:
    asked: list[int] = []

    def listing() -> tuple[tuple[()], tuple[()]]:
        asked.append(1)
        return (), ()

    shelf = ModelShelf(listing, window)
    said: list[int] = []
    shelf.changed.connect(lambda: said.append(1))
    assert shelf.cards == shelf.offered == ()
    assert asked == [1]
    shelf.reload()
    assert shelf.broken == ()
    assert (asked, said) == ([1, 1], [1])


def test_what_was_said_of_an_image_goes_when_another_is_shown(film_window: Window, qtbot: QtBot) -> None:
    press(film_window, KEY.Key_F5, qtbot)
    assert film_window.messages.message().text.startswith("Classified")
    put_volume(film_window, made_volume())
    settle(qtbot, film_window)
    assert film_window.messages.message() is None
