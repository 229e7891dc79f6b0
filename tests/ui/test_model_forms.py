"""Networks for pictures and label maps in the tabs Enhance and Segment: which model is asked, what the document becomes."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot
from scipy import ndimage

from tests.ui.panel_samples import Parts, ramp
from viewer.core.operation import OperationSpec, ParameterSpec
from viewer.session.models import own_folder
from viewer.ui.controls import Hint
from viewer.ui.forms import FormContext, OperationForm
from viewer.ui.panels.history_panel import HistoryModel
from viewer.ui.panels.operation_panel import OperationPanel

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
from contract_samples import MODELS, add_models

FRAME = (332, 800)
"""Size of the panel's window, see ``frame`` in conftest.py."""
pytestmark = pytest.mark.usefixtures("calm")


def panel_of(menu: str, parts: Parts, frame: QMainWindow, qtbot: QtBot) -> OperationPanel:
    made = OperationPanel(parts.panels, menu)
    frame.setCentralWidget(made)
    frame.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)
    parts.open(ramp())
    parts.host.load_specs()
    made.show_operation(f"{menu}/Network")
    QApplication.processEvents()
    return made


def form_with(task: str, context: FormContext, qtbot: QtBot) -> OperationForm:
    parameters = (ParameterSpec("model", "text", "", "Model", model_task=task),)  # type: ignore[arg-type]
    form = OperationForm(OperationSpec("T/O", "m:f", "O", "", "", parameters, ("Image",), "exact", True, False, False, False), context)
    qtbot.addWidget(form)
    return form


def test_models_of_the_task_are_offered_by_title_and_kept_while_they_are_there(qtbot: QtBot) -> None:
    models = (("image", "b", "Less noise"), ("segmentation", "c", "Lungs"), ("image", "a", "Sharper"))
    form = form_with("image", FormContext(models=models), qtbot)
    combo = form.rows["model"].combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["Less noise", "Sharper"]
    assert form.values() == {"model": "b"}
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert form.values() == {"model": "a"}
    form.follow(FormContext(models=(*models, ("image", "d", "New"))))
    assert form.values() == {"model": "a"}
    form.follow(FormContext(models=models[:1]))
    assert form.values() == {"model": "b"}


@pytest.mark.parametrize(
    ("task", "words"), [("image", "No model for pictures is installed."), ("segmentation", "No model for segmentation is installed.")]
)
def test_without_a_model_the_list_is_off_and_says_why(qtbot: QtBot, task: str, words: str) -> None:
    form = form_with(task, FormContext(models=(("other", "x", "X"),)), qtbot)  # type: ignore[arg-type]
    combo = form.rows["model"].combo
    assert not combo.isEnabled()
    assert combo.toolTip() == words
    assert form.problem() == words
    (hint,) = form.findChildren(Hint)
    assert not hint.isHidden()
    assert hint.text() == "Drop an .onnx file on the window, or add one in the model list."
    form.follow(FormContext(models=((task, "y", "Y"),)))  # type: ignore[arg-type]
    assert hint.isHidden()


def test_a_network_enhances_the_image_in_one_step_that_names_it(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    add_models()
    panel = panel_of("Enhance", parts, frame, qtbot)
    assert panel.form is not None
    assert panel.form.values()["model"] == MODELS["image"]
    before = parts.host.document.current("ct").values.astype(float)
    QTest.mouseClick(panel.apply_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: parts.host.document.current("ct").is_derived)
    low, high = np.percentile(before[0], [1, 99])
    clipped = np.clip(before[0], low, high)
    expected = ndimage.uniform_filter(clipped, 3, mode="nearest")
    assert parts.host.document.current("ct").values[0] == pytest.approx(expected, abs=(high - low) * 1e-4)
    assert parts.host.document.current("ct").unit == ramp().unit
    assert parts.host.document.history.next_undo.title.values == {"operation": "Network", "value": "denoise"}
    parts.host.undo()
    assert not parts.host.document.current("ct").is_derived


def test_a_network_outlines_its_classes_as_segments_with_their_names(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    add_models()
    panel = panel_of("Segment", parts, frame, qtbot)
    QTest.mouseClick(panel.apply_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(parts.host.document.layers_of("ct")))
    (layer,) = parts.host.document.layers_of("ct")
    assert layer.name == MODELS["segmentation"]
    assert [segment.name for segment in layer.segments] == ["Middle", "Bright"]


def test_a_model_that_is_for_other_images_says_so_and_comes_last(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    add_models()
    card = own_folder() / MODELS["image"] / "card.toml"
    other = own_folder() / "a-first"
    other.mkdir()
    (other / "model.onnx").write_bytes((card.parent / "model.onnx").read_bytes())
    (other / "card.toml").write_text(
        card.read_text().replace("denoise", "a-first") + '[values]\nkind = "range"\nlow = 0\nhigh = 9\nunit = "Bq/mL"\n', encoding="utf-8"
    )
    panel = panel_of("Enhance", parts, frame, qtbot)
    combo = panel.form.rows["model"].combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["denoise", "a-first (not for such images)"]


def test_a_model_that_is_added_or_removed_is_followed(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    panel = panel_of("Enhance", parts, frame, qtbot)
    assert not panel.apply_button.isEnabled()
    assert panel.apply_button.toolTip() == "No model for pictures is installed."
    add_models()
    parts.host.models.reload()
    assert panel.apply_button.isEnabled()
    (own_folder() / MODELS["image"] / "card.toml").unlink()
    parts.host.models.reload()
    assert not panel.apply_button.isEnabled()


@pytest.mark.parametrize("menu", ["Enhance", "Segment"])
def test_the_device_is_that_of_the_settings_or_one_that_is_there_and_what_went_wrong_is_said(
    parts: Parts, frame: QMainWindow, qtbot: QtBot, menu: str
) -> None:
    add_models()
    panel = panel_of(menu, parts, frame, qtbot)
    combo = panel.form.rows["device"].combo
    assert [combo.itemText(n) for n in range(combo.count())] == ["As in the settings", "CPU"]
    heard = []
    parts.host.notice.connect(heard.append)
    parts.host.settings.set("device", "OpenVINO")
    QTest.mouseClick(panel.apply_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(parts.host.document.history) == 1)
    words = "OpenVINO could not be used (the installed onnxruntime was not built for it); the CPU was used instead."
    assert (heard[-1].kind, words in heard[-1].text) == ("warn", True)
    assert panel.note.text() == words
    assert HistoryModel(parts.host, panel).index(1).data(Qt.ItemDataRole.ToolTipRole).endswith(words)
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert (panel.form.values()["device"], panel.note.text()) == ("CPU", "")
    QTest.mouseClick(panel.apply_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(parts.host.document.history) == 2)
    assert heard[-1].kind == "ok"


def test_super_resolution_shows_the_finer_grid_and_the_original_at_will(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    add_models()
    first = own_folder() / MODELS["image"]
    content = (Path(__file__).parents[1] / "models" / "zoo" / "enlarge.onnx").read_bytes()
    card = (first / "card.toml").read_text(encoding="utf-8")
    before, after = (hashlib.sha256(data).hexdigest() for data in ((first / "model.onnx").read_bytes(), content))
    (first / "model.onnx").write_bytes(content)
    (first / "card.toml").write_text(card.replace(before, after), encoding="utf-8")
    panel = panel_of("Enhance", parts, frame, qtbot)
    host = parts.host
    planes, rows, columns = host.state.geometry.shape
    corner = host.state.geometry.to_patient((0, -0.5, -0.5))
    QTest.mouseClick(panel.apply_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: host.document.current("ct").is_derived)
    assert host.state.layout.shape == (2 * rows, 2 * columns)
    assert host.state.geometry.to_patient((0, -0.5, -0.5)) == pytest.approx(corner, abs=1e-6)
    assert panel.card.result.text().startswith(f"{2 * columns} × {2 * rows}")
    assert "PROCESSED" in host.state.badges
    QTest.mouseClick(panel.applied.original.switch, Qt.MouseButton.LeftButton)
    assert host.state.layout.shape == (rows, columns)
    QTest.mouseClick(panel.applied.original.switch, Qt.MouseButton.LeftButton)
    assert host.state.layout.shape == (2 * rows, 2 * columns)
    host.undo()
    assert host.state.geometry.shape == (planes, rows, columns)
