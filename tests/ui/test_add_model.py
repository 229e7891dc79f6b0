"""Adding a bare model with real clicks: dropped or chosen, read in a worker, asked about, tried, kept; what is wrong is one sentence."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QStyle, QStyleOptionFrame
from shiboken6 import delete

from tests.plugins.onnx_samples import course_folder
from tests.ui.conftest import destroy
from tests.ui.window_samples import PATIENCE_MS, made_volume, put_volume, settle, write_pictures
from viewer.jobs.pool import Pool
from viewer.session import models
from viewer.session.own_models import add_model
from viewer.session.plugins import discover
from viewer.session.settings import Settings
from viewer.ui.controls import Combo
from viewer.ui.dialogs.add_model import AddModelDialog
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.host import Host
from viewer.ui.scenes_check import complaints, unreached
from viewer.ui.window import Window

ZOO = Path(__file__).parents[1] / "models" / "zoo"


@pytest.fixture(autouse=True)
def own_data() -> Iterator[None]:
    """The home is another one in each test."""
    models._chosen.clear()
    yield
    models._chosen.clear()


def drop(window: Window, *paths: Path) -> None:
    """Let files fall onto the window."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(600, 400), Qt.DropAction.CopyAction, mime, buttons, keys))
    QApplication.sendEvent(window, QDropEvent(QPointF(600, 400), Qt.DropAction.CopyAction, mime, buttons, keys))


def dialogs(window: Window, kind: type = QDialog) -> list[Any]:
    QApplication.processEvents()
    return [d for d in window.findChildren(kind) if d.isVisible()]


def dropped(window: Window, qtbot: Any, path: Path) -> AddModelDialog:
    drop(window, path)
    settle(qtbot, window)
    (dialog,) = dialogs(window, AddModelDialog)
    return dialog


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def write(dialog: AddModelDialog, key: str, text: str) -> None:
    assert dialog.form is not None
    field = dialog.form.questions[key].row.field  # type: ignore[attr-defined]
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Tab)


def own(window: Window) -> list[str]:
    return [card.name for card in window.host.models.cards if not models.is_built_in(card)]


def test_a_dropped_onnx_is_asked_about_tried_and_added(small_window: Window, qtbot: Any) -> None:
    window = small_window
    dialog = dropped(window, qtbot, ZOO / "torch_cnn.onnx")
    assert dialog.form is not None
    assert dialog.trial is not None
    assert dialog.form.answers.layout == "NCHW"
    assert not dialog.go.isEnabled()
    assert "Name the 2 classes" in dialog.go.toolTip()
    assert dialog.form.questions["classes"].row.field.hasFocus()  # type: ignore[attr-defined]
    write(dialog, "title", "Square finder")
    write(dialog, "classes", "Nothing, Square")
    write(dialog, "modality", "CT")
    click(dialog.trial.go)
    settle(qtbot, window)
    assert dialog.trial.result.isVisible()
    assert not dialog.trial.outdated.isVisible()
    assert "1 × 1 × 32 × 32" in dialog.trial.fed.text()
    assert "CPU" in dialog.trial.spent.text()
    click(dialog.go)
    settle(qtbot, window)
    assert dialogs(window) == []
    assert own(window) == ["square-finder"]
    card = next(c for c in window.host.models.cards if c.name == "square-finder")
    assert (card.classes, card.positive, card.applies.modality) == (("Square", "Nothing"), "Square", ("CT",))
    assert card.model_path.read_bytes() == (ZOO / "torch_cnn.onnx").read_bytes()
    text = tomllib.loads((card.folder / "card.toml").read_text(encoding="utf-8"))
    assert text["training"]["data"] == "not said"
    assert "“Square finder” was added" in window.messages.message().text


def test_an_added_model_classifies_what_is_shown(small_window: Window, qtbot: Any) -> None:
    """From the drop to a result, as the dry run said it would be."""
    window = small_window
    dialog = dropped(window, qtbot, ZOO / "mean_level.onnx")
    write(dialog, "classes", "Dark, Bright")
    assert dialog.trial is not None
    click(dialog.trial.go)
    settle(qtbot, window)
    tried = dialog.trial.raw.text()
    click(dialog.go)
    settle(qtbot, window)
    panel = window.dock.show_panel("classify")
    (chooser,) = [combo for combo in panel.findChildren(Combo) if combo.accessibleName() == "Model"]
    version = next(card.version for card in window.host.models.cards if card.name == "mean-level")
    assert f"Mean level {version}" in [chooser.itemText(n) for n in range(chooser.count())]
    window.actions_table["analysis.classify"].trigger()
    settle(qtbot, window)
    (report,) = window.host.document.reports_of(window.host.root_id)
    assert report.model == "mean-level"
    bright = next(score.value for score in report.scores if score.name == "Bright")
    logit = float(tried.removeprefix("Output: "))
    assert np.isclose(bright, 1 / (1 + np.exp(-logit)), atol=1e-3)


def test_what_was_read_stands_apart_from_what_is_asked(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_multilabel.onnx")
    assert dialog.form is not None
    assert "layout" not in dialog.form.questions  # read, and not asked
    click(dialog.form.more)
    QApplication.processEvents()
    row = dialog.form.questions["layout"].row
    assert row.isVisible()
    row.combo.setCurrentText("NHWC")  # type: ignore[attr-defined]
    assert dialog.form.answers.layout == "NHWC"
    row.reset()
    assert dialog.form.answers.layout == "NCHW"  # as read
    assert complaints(small_window) == []
    assert unreached(dialog) == []


def test_reset_goes_back_to_what_was_guessed_or_read(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_multilabel.onnx")
    assert dialog.form is not None
    click(dialog.form.more)
    QApplication.processEvents()
    resets = [b for b in dialog.form.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName().startswith("Reset")]
    assert len(resets) > 5
    assert [b.accessibleName() for b in resets if b.isEnabled()] == []
    row = dialog.form.questions["threshold"].row
    write(dialog, "threshold", "0.8")
    assert (dialog.form.answers.threshold, row.isVisible()) == (0.8, True)
    row.reset()
    assert dialog.form.answers.threshold == 0.5


def test_only_what_matters_is_asked(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
    assert dialog.form is not None
    rows = {key: question.row for key, question in dialog.form.questions.items()}
    assert rows["low_percentile"].isVisibleTo(dialog)
    assert not rows["center"].isVisibleTo(dialog)
    rows["values"].combo.setCurrentIndex(1)  # type: ignore[attr-defined]
    assert rows["center"].isVisibleTo(dialog)
    assert not rows["low_percentile"].isVisibleTo(dialog)
    rows["normalisation"].combo.setCurrentIndex(rows["normalisation"].combo.count() - 1)  # type: ignore[attr-defined]
    assert rows["mean"].isVisibleTo(dialog)
    write(dialog, "mean", "half")
    assert not dialog.go.isEnabled()
    assert "One number" in dialog.go.toolTip()


def test_a_larger_picture_s_middle_and_the_order_of_colours_are_asked_where_they_matter(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "keras_pooled.onnx")  # 40 rows, 32 columns, in colour
    assert dialog.form is not None and dialog.trial is not None
    rows = {key: question.row for key, question in dialog.form.questions.items()}
    assert rows["resize"].isVisibleTo(dialog) and rows["color_order"].isVisibleTo(dialog)
    rows["fit"].combo.setCurrentIndex(2)  # type: ignore[attr-defined]
    assert not rows["resize"].isVisibleTo(dialog)
    rows["fit"].combo.setCurrentIndex(1)  # type: ignore[attr-defined]
    scaling = rows["normalisation"].combo  # type: ignore[attr-defined]
    scaling.setCurrentIndex(3)
    assert dialog.form.answers.normalisation == "caffe" and not rows["color_order"].isVisibleTo(dialog)
    write(dialog, "classes", "One, Two, Three")
    write(dialog, "resize", "39")
    assert not dialog.go.isEnabled() and "smaller than the input" in dialog.go.toolTip()
    write(dialog, "resize", "48")
    assert dialog.go.isEnabled()
    click(dialog.trial.go)
    settle(qtbot, small_window)
    assert not dialog.trial.failed.isVisible()
    click(dialog.go)
    settle(qtbot, small_window)
    (card,) = (models.read_card(folder) for folder in models.own_folder().iterdir())
    assert (card.input.fit, card.input.resize, card.input.color_order) == ("crop", 48, "BGR")
    assert (card.normalisation.mean, card.normalisation.scale) == ((103.939, 116.779, 123.68), 1.0)


def test_numbers_of_several_digits_are_typed_key_by_key(small_window: Window, qtbot: Any) -> None:
    """Each key is an answer, after which all rows are shown anew: what is being typed must stay as it is."""
    dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
    assert dialog.form is not None
    for key, text, expected in (("oldest", "105", 105), ("resize", "1234", 1234), ("low_percentile", "12.5", (12.5, 99.0))):
        write(dialog, key, text)
        assert getattr(dialog.form.answers, {"low_percentile": "percentiles"}.get(key, key)) == expected
    dialog.form.questions["values"].row.combo.setCurrentIndex(1)  # type: ignore[attr-defined]
    write(dialog, "center", "-600")
    write(dialog, "width_of_window", "1500")
    assert (dialog.form.answers.center, dialog.form.answers.width_of_window) == (-600, 1500)


def test_a_changed_answer_makes_the_dry_run_old(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
    write(dialog, "classes", "No, Yes")
    assert dialog.trial is not None
    assert dialog.form is not None
    click(dialog.trial.go)
    settle(qtbot, small_window)
    dialog.form.questions["fit"].row.combo.setCurrentIndex(1)  # type: ignore[attr-defined]
    assert dialog.trial.outdated.isVisible()
    click(dialog.trial.go)
    settle(qtbot, small_window)
    assert not dialog.trial.outdated.isVisible()


@pytest.mark.parametrize(
    ("name", "classes", "words"), [("gives_nan", "No, Yes", "no numbers"), ("throws", "No, Yes", "failed"), ("torch_softmax", "One, Two, Two", "")]
)
def test_errors_of_a_dry_run_are_said_in_the_dialog(small_window: Window, qtbot: Any, name: str, classes: str, words: str) -> None:
    dialog = dropped(small_window, qtbot, ZOO / f"{name}.onnx")
    write(dialog, "classes", classes)
    assert dialog.trial is not None
    if not words:
        assert not dialog.trial.go.isEnabled()
        assert "same name" in dialog.trial.go.toolTip()
        return
    click(dialog.trial.go)
    settle(qtbot, small_window)
    assert words in dialog.trial.failed.text()
    assert dialog.trial.failed.isVisible()
    assert dialog.trial.go.isEnabled()


def test_a_model_of_pictures_shows_what_it_gives(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "denoise.onnx")
    assert dialog.trial is not None
    click(dialog.trial.go)
    settle(qtbot, small_window)
    assert dialog.trial.given.isVisibleTo(dialog)
    click(dialog.go)
    settle(qtbot, small_window)
    assert own(small_window) == ["denoise"]


@pytest.mark.parametrize("content", [b"a letter, and no network", b""])
def test_what_is_no_onnx_is_said_and_nothing_is_added(small_window: Window, qtbot: Any, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.onnx"
    path.write_bytes(content)
    dialog = dropped(small_window, qtbot, path)
    assert "letter.onnx" in dialog.failed.text()
    assert dialog.form is None
    assert not dialog.go.isEnabled()
    assert dialog.cancel.width() < dialog.width() / 2  # a button as in other dialogs, not a bar
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialogs(small_window) == []
    assert own(small_window) == []


def test_without_an_image_there_is_no_dry_run_but_a_model_can_be_added(window: Window, qtbot: Any) -> None:
    dialog = dropped(window, qtbot, ZOO / "torch_cnn.onnx")
    write(dialog, "classes", "No, Yes")
    assert dialog.trial is not None
    assert not dialog.trial.go.isEnabled()
    assert dialog.trial.go.toolTip() == "Open an image first."
    click(dialog.go)
    settle(qtbot, window)
    assert own(window) == ["torch-cnn"]


def test_the_same_name_again_replaces_after_a_word(small_window: Window, qtbot: Any) -> None:
    for _time in range(2):
        dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
        write(dialog, "classes", "No, Yes")
        said = dialog.note.text()
        click(dialog.go)
        settle(qtbot, small_window)
    assert "will be replaced" in said
    assert own(small_window) == ["torch-cnn"]


def test_the_name_of_a_built_in_model_is_refused(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
    write(dialog, "classes", "No, Yes")
    write(dialog, "title", "pneumonia-cxr-28")
    assert not dialog.go.isEnabled()
    assert "built-in model" in dialog.go.toolTip()


def test_a_model_is_chosen_by_the_file_dialog(small_window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(ZOO / "torch_cnn.onnx"), ""))
    small_window.actions_table["models.add"].trigger()
    settle(qtbot, small_window)
    assert len(dialogs(small_window, AddModelDialog)) == 1


@pytest.fixture
def folder(tmp_path: Path, shared_cards: dict[str, Any]) -> Path:
    """A model's folder with its card, somewhere."""
    place = tmp_path / "given" / "with_card"
    place.mkdir(parents=True)
    shutil.copytree(add_model(ZOO / "torch_cnn.onnx", shared_cards).folder, place, dirs_exist_ok=True)
    shutil.rmtree(models.own_folder() / "with-card")
    return place


@pytest.fixture
def shared_cards() -> dict[str, Any]:
    return {
        "name": "with-card", "title": "With a card", "version": "2", "task": "binary",
        "classes": [{"name": "Yes", "output": 0}, {"name": "No", "complement_of": "Yes"}],
        "input": {"height": 32, "width": 32}, "output": {"activation": "sigmoid"},
    }  # fmt: skip


def test_a_dropped_folder_with_its_card_is_added_at_once(small_window: Window, qtbot: Any, folder: Path) -> None:
    drop(small_window, folder)
    settle(qtbot, small_window)
    settle(qtbot, small_window)
    assert dialogs(small_window) == []
    assert own(small_window) == ["with-card"]
    assert "“With a card” was added" in small_window.messages.message().text
    drop(small_window, folder)
    settle(qtbot, small_window)
    (question,) = dialogs(small_window, Confirm)
    assert "Replace" in question.windowTitle()
    click(question.go_on)
    settle(qtbot, small_window)
    assert own(small_window) == ["with-card"]


def test_a_recurrent_network_alone_asks_for_its_encoder_and_with_it_is_added(small_window: Window, qtbot: Any, tmp_path: Path) -> None:
    folder = course_folder(tmp_path / "course")
    dialog = dropped(small_window, qtbot, ZOO / "torch_features_lstm.onnx")
    assert "features of planes, one after the other" in dialog.failed.text() and "[encoder]" in dialog.failed.text()
    assert not dialog.go.isEnabled()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    drop(small_window, folder)
    settle(qtbot, small_window)
    settle(qtbot, small_window)
    assert own(small_window) == ["course"]
    assert "“Course” was added" in small_window.messages.message().text


def test_a_folder_whose_file_is_not_what_its_card_says_is_refused(small_window: Window, qtbot: Any, folder: Path) -> None:
    shutil.copy(ZOO / "torch_multilabel.onnx", folder / "model.onnx")
    drop(small_window, folder)
    settle(qtbot, small_window)
    settle(qtbot, small_window)
    assert own(small_window) == []
    assert "checksum" in small_window.messages.message().text


def test_images_beside_a_model_in_a_drop_are_opened(window: Window, qtbot: Any, tmp_path: Path) -> None:
    (picture,) = write_pictures(tmp_path / "pictures", 1)
    drop(window, picture, ZOO / "torch_cnn.onnx")
    qtbot.waitUntil(lambda: window.host.state.volume is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert len(dialogs(window, AddModelDialog)) == 1
    assert window.view.isVisibleTo(window)


def test_a_dry_run_that_never_ends_is_cancelled_and_the_window_lives(themed: QApplication, qtbot: Any, settings: Settings) -> None:
    """In a worker of its own, as the program runs it."""
    window = Window(Host(discover(), Pool(2), settings, journal=False), restore=False)
    with qtbot.waitSignal(window.host.specs_ready, timeout=PATIENCE_MS):
        window.show()
    put_volume(window, made_volume())
    dialog = dropped(window, qtbot, ZOO / "hangs.onnx")
    write(dialog, "classes", "No, Yes")
    assert dialog.trial is not None
    click(dialog.trial.go)
    QApplication.processEvents()
    assert dialog.trial.progress.isVisible()
    assert dialog.trial.is_running
    assert "Cancel" in dialog.trial.go.toolTip()
    click(dialog.trial.progress.cancel)
    settle(qtbot, window)
    assert not dialog.trial.progress.isVisible()
    assert dialog.trial.failed.text() == ""
    assert dialog.trial.go.isEnabled()
    click(dialog.trial.go)
    QApplication.processEvents()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)  # closing ends it, too
    settle(qtbot, window)
    assert dialogs(window) == []
    drop(window, ZOO / "mean_level.onnx")
    settle(qtbot, window)
    (dialog,) = dialogs(window, AddModelDialog)
    write(dialog, "classes", "Dark, Bright")
    click(dialog.trial.go)
    settle(qtbot, window)
    assert dialog.trial.result.isVisible()
    dialog.reject()
    del dialog
    destroy(window)


def test_several_models_are_added_one_after_the_other(small_window: Window, qtbot: Any, folder: Path) -> None:
    drop(small_window, ZOO / "torch_cnn.onnx", folder, ZOO / "denoise.onnx")
    settle(qtbot, small_window)
    (first,) = dialogs(small_window, AddModelDialog)
    write(first, "classes", "No, Yes")
    click(first.go)
    settle(qtbot, small_window)
    settle(qtbot, small_window)
    (second,) = dialogs(small_window, AddModelDialog)
    assert second.windowTitle() == "Add a model"
    click(second.go)
    settle(qtbot, small_window)
    assert dialogs(small_window) == []
    assert sorted(own(small_window)) == ["denoise", "torch-cnn", "with-card"]
    assert small_window.messages.message().text == "The model “Denoise” was added. It is in Enhance, under Network."


@pytest.mark.parametrize("key", ["height", "width"])
def test_what_an_empty_number_means_is_not_cut(small_window: Window, qtbot: Any, key: str) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "enlarge.onnx")
    field = dialog.form.questions[key].row.field  # type: ignore[attr-defined]
    assert field.placeholderText() == "as the image"
    # The room within the frame as the style has it, and its own margins.
    option = QStyleOptionFrame()
    field.initStyleOption(option)
    room = field.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, field).width() - 4
    assert room >= field.fontMetrics().horizontalAdvance("as the image")


def test_a_model_whose_dialog_has_gone_meanwhile_is_told_all_the_same(small_window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
    write(dialog, "classes", "No, Yes")
    added, said = list[Any](), list[str]()
    small_window.host.notice.connect(lambda notice: said.append(notice.text))
    monkeypatch.setattr(small_window.host.work, "run_thread", lambda work, _title, on_result, _on_error, **_more: added.append((work, on_result)))
    click(dialog.go)
    qtbot.waitUntil(lambda: bool(added), timeout=PATIENCE_MS)
    ((work, told),) = added
    added.clear()
    delete(dialog)  # as another language does, with the window
    told(work(None))
    del dialog, work, told
    assert len(own(small_window)) == 1
    assert "was added" in said[-1]


def test_a_model_that_is_not_what_its_card_says_is_not_added(small_window: Window, qtbot: Any) -> None:
    dialog = dropped(small_window, qtbot, ZOO / "torch_cnn.onnx")
    assert dialog.form is not None
    write(dialog, "classes", "No, Yes")
    click(dialog.form.more)
    dialog.form.questions["layout"].row.combo.setCurrentText("NHWC")  # type: ignore[attr-defined]
    click(dialog.go)
    settle(qtbot, small_window)
    assert "torch-cnn" in dialog.failed.text()
    assert own(small_window) == []
    dialog.form.questions["layout"].row.combo.setCurrentText("NCHW")  # type: ignore[attr-defined]
    click(dialog.go)
    settle(qtbot, small_window)
    assert own(small_window) == ["torch-cnn"]
