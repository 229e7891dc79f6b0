"""The list of models and their page of the settings: built in, added, damaged; added, removed, read about; device and folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from tests.ui.window_samples import settle
from viewer.core.resources import models_folder
from viewer.session import models
from viewer.session.own_models import add_model
from viewer.session.settings import Settings
from viewer.ui import model_shelf
from viewer.ui.controls import Badge
from viewer.ui.dialogs.add_model import AddModelDialog
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.model_about import ModelAbout
from viewer.ui.dialogs.model_list import ModelListDialog
from viewer.ui.dialogs.settings import SettingsDialog, open_settings
from viewer.ui.dialogs.settings_models import ModelsPage
from viewer.ui.scenes_check import complaints, unreached
from viewer.ui.window import Window

ZOO = Path(__file__).parents[1] / "models" / "zoo"
CARD: dict[str, Any] = {
    "name": "mine", "title": "My model", "version": "2.1", "task": "binary", "classes": [{"name": "Yes"}, {"name": "No", "complement_of": "Yes"}],
    "input": {"height": 32, "width": 32}, "output": {"activation": "sigmoid"}, "intended_use": "Trying things.", "not_for": "Patients.",
    "training": {"licence": "Apache-2.0", "data": "Noise."},
    "metrics": {"test": {"films": 624, "auc": 0.91, "auc_interval": [0.88, 0.94], "accuracy": 0.9441}},
}  # fmt: skip


@pytest.fixture(autouse=True)
def another_home() -> Iterator[None]:
    models._chosen.clear()
    yield
    models._chosen.clear()


@pytest.fixture
def own() -> Path:
    """A model of the user's."""
    return add_model(ZOO / "torch_cnn.onnx", CARD).folder


def dialogs(window: Window, kind: type = QDialog) -> list[Any]:
    QApplication.processEvents()
    return [d for d in window.findChildren(kind) if d.isVisible()]


def opened(window: Window, qtbot: Any) -> ModelListDialog:
    window.actions_table["models.list"].trigger()
    settle(qtbot, window)
    (dialog,) = dialogs(window, ModelListDialog)
    return dialog


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def kinds(dialog: ModelListDialog) -> dict[str, list[str]]:
    """Words of the badges, by title."""
    last = dialog.table.columnCount() - 1
    return {
        dialog.table.item(row, 0).text(): [badge.text() for badge in dialog.table.cellWidget(row, last).findChildren(Badge)]
        for row in range(dialog.table.rowCount())
    }


def texts(dialog: ModelListDialog, row: int) -> list[str]:
    return [dialog.table.item(row, column).text() for column in range(6)]


def test_it_lists_what_came_with_the_program_and_what_was_added(small_window: Window, qtbot: Any, own: Path) -> None:
    dialog = opened(small_window, qtbot)
    built_in = [folder.name for folder in models_folder().iterdir() if (folder / "card.toml").is_file()]
    assert [entry.name for entry in dialog.entries if entry.is_built_in] == sorted(built_in)
    row = next(n for n, entry in enumerate(dialog.entries) if entry.name == "mine")
    size = (own / "model.onnx").stat().st_size
    assert texts(dialog, row) == ["My model", "2.1", "Binary", "32 × 32 px", f"{size / 1000:.1f} kB", "Apache-2.0"]
    assert kinds(dialog)["My model"] == ["Added"]
    assert complaints(small_window) == []
    assert unreached(dialog) == []


def test_the_model_for_benchmarks_is_marked(small_window: Window, qtbot: Any) -> None:
    add_model(ZOO / "torch_cnn.onnx", {**CARD, "benchmark": True})
    assert kinds(opened(small_window, qtbot))["My model"] == ["Added", "Benchmark"]


def test_a_changed_file_and_a_bad_card_are_damaged_with_their_reasons(small_window: Window, qtbot: Any, own: Path) -> None:
    with (own / "model.onnx").open("ab") as file:
        file.write(b"x")
    bad = own.parent / "bad"
    bad.mkdir()
    (bad / "card.toml").write_text("title = ", encoding="utf-8")
    dialog = opened(small_window, qtbot)
    assert kinds(dialog)["My model"] == ["Damaged"]
    assert kinds(dialog)["bad"] == ["Damaged"]
    dialog.choose("mine")
    assert "checksum" in dialog.failed.text()
    dialog.choose("bad")
    assert "bad" in dialog.failed.text()
    assert not dialog.about.isEnabled()
    assert dialog.remove.isEnabled()


def test_a_model_is_removed_after_a_question(small_window: Window, qtbot: Any, own: Path) -> None:
    dialog = opened(small_window, qtbot)
    dialog.choose("mine")
    click(dialog.remove)
    (question,) = dialogs(small_window, Confirm)
    assert question.windowTitle() == "Remove the model “My model”?"
    assert question.keep.hasFocus()
    click(question.keep)
    assert own.is_dir()
    click(dialog.remove)
    click(dialogs(small_window, Confirm)[0].go_on)
    settle(qtbot, small_window)
    assert not own.exists()
    assert "mine" not in [entry.name for entry in dialog.entries]
    assert "mine" not in [card.name for card in small_window.host.models.cards]


def test_a_broken_folder_can_be_removed_too(small_window: Window, qtbot: Any, own: Path) -> None:
    (own / "card.toml").write_text("title = ", encoding="utf-8")
    dialog = opened(small_window, qtbot)
    dialog.choose("mine")
    click(dialog.remove)
    click(dialogs(small_window, Confirm)[0].go_on)
    settle(qtbot, small_window)
    assert not own.exists()


def test_a_built_in_one_stays(small_window: Window, qtbot: Any) -> None:
    dialog = opened(small_window, qtbot)
    dialog.choose("pneumonia-cxr-28")
    assert not dialog.remove.isEnabled()
    assert dialog.remove.toolTip() == "It comes with the program."


def test_about_shows_all_of_the_card(small_window: Window, qtbot: Any, own: Path) -> None:
    dialog = opened(small_window, qtbot)
    dialog.choose("mine")
    QTest.keyClick(dialog.table, Qt.Key.Key_Tab)
    click(dialog.about)
    (about,) = dialogs(small_window, ModelAbout)
    assert complaints(small_window) == []
    click(about.copy)
    text = QApplication.clipboard().text()
    for words in (
        "Intended use: Trying things.", "Not for: Patients.", "Licence: Apache-2.0", "Data: Noise.", "Figures: Test (624 images)",
        "AUC: 0.910 (95 % CI 0.880 to 0.940)", "Accuracy: 94.4 %", "Version: 2.1", "Patients: not said", "Classes: Yes, No",
    ):  # fmt: skip
        assert words in text


def test_arrow_keys_choose_and_escape_closes(small_window: Window, qtbot: Any, own: Path) -> None:
    dialog = opened(small_window, qtbot)
    dialog.table.setFocus()
    dialog.choose(dialog.entries[0].name)
    QTest.keyClick(dialog.table, Qt.Key.Key_Down)
    assert dialog.chosen is not None
    assert dialog.chosen.name == dialog.entries[1].name
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialogs(small_window) == []


def test_without_models_it_says_so_and_one_can_be_added(small_window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_shelf.models, "list_models", lambda: ((), ()))
    small_window.host.models.reload()
    dialog = opened(small_window, qtbot)
    assert dialog.stack.currentWidget() is dialog.empty
    assert dialog.empty.title.text() == "No model is installed."
    assert not dialog.remove.isEnabled()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(ZOO / "torch_cnn.onnx"), ""))
    click(dialog.add)
    settle(qtbot, small_window)
    assert len(dialogs(small_window, AddModelDialog)) == 1


# --- the page of the settings ---


def page_of(small_window: Window, qtbot: Any) -> ModelsPage:
    """The page, once the devices have been tried."""
    dialog = open_settings(small_window, "models")
    settle(qtbot, small_window)
    assert isinstance(dialog, SettingsDialog)
    assert isinstance(dialog.page, ModelsPage)
    return dialog.page


def test_the_device_is_chosen_from_those_that_a_worker_found(small_window: Window, qtbot: Any, settings: Settings) -> None:
    page = page_of(small_window, qtbot)
    words = [page.device.combo.itemText(n) for n in range(page.device.combo.count())]
    assert words[:2] == ["CUDA where it works, else the CPU", "CPU"]
    assert "CUDA" in words
    page.device.combo.setCurrentIndex(1)
    assert Settings(settings.path).chosen("device") == "CPU"
    page.reset()
    assert Settings(settings.path).chosen("device") == "auto"
    assert page.device.value() == "auto"


def test_each_device_says_whether_it_works_and_why_not(small_window: Window, qtbot: Any) -> None:
    page = page_of(small_window, qtbot)
    badges = [badge.text() for badge in page.findChildren(Badge)]
    assert "Works" in badges


def test_the_folder_is_chosen_and_put_back(
    small_window: Window, qtbot: Any, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(small_window, qtbot)
    assert not page.usual.isEnabled()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path / "shared"))
    click(page.choose)
    assert Settings(settings.path).chosen("model_folder") == str(tmp_path / "shared")
    assert page.folder.text() == str(tmp_path / "shared")
    click(page.usual)
    assert Settings(settings.path).chosen("model_folder") == ""


def test_models_of_another_folder_are_there_at_once(small_window: Window, qtbot: Any, tmp_path: Path, own: Path) -> None:
    """With the settings where the program keeps them, the folder counts for the list too."""
    small_window.host.settings.path = models.config_folder() / "settings.toml"
    small_window.host.models.reload()
    assert "mine" in [card.name for card in small_window.host.models.cards]
    small_window.host.settings.set("model_folder", str(tmp_path / "elsewhere"))
    assert "mine" not in [card.name for card in small_window.host.models.cards]
    add_model(ZOO / "torch_cnn.onnx", {**CARD, "name": "other"})
    assert (tmp_path / "elsewhere" / "other" / "model.onnx").is_file()


def test_the_page_gives_each_model_the_badges_of_the_list(small_window: Window, qtbot: Any, own: Path) -> None:
    """A file that was changed is damaged there too, with its reason; what is for comparison is marked."""
    with (own / "model.onnx").open("ab") as file:
        file.write(b"x")
    page = page_of(small_window, qtbot)
    small_window.host.models.reload()
    settle(qtbot, small_window)
    found = {}
    for row in range(page._models.rowCount()):
        cells = [item.widget() for column in range(3) if (item := page._models.itemAtPosition(row, column)) is not None]
        if len(cells) == 3 and cells[0] is not cells[1]:
            found[cells[0].text()] = ([badge.text() for badge in cells[2].findChildren(Badge)], cells[1].text())
    assert found["My model"][0] == ["Damaged"]
    assert "checksum" in found["My model"][1]
    assert any(kinds == ["Built in", "Benchmark"] for kinds, _words in found.values())


def test_the_whole_list_opens_from_there(small_window: Window, qtbot: Any) -> None:
    click(page_of(small_window, qtbot).whole)
    settle(qtbot, small_window)
    assert len(dialogs(small_window, ModelListDialog)) == 1
