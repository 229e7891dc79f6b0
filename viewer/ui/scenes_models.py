"""The states of models in the window: a bare file read, asked about, tried; the list, a damaged one, the whole card; a page of the settings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from viewer.core.resources import models_folder
from viewer.session.own_models import add_model
from viewer.ui.dialogs.add_model import AddModelDialog
from viewer.ui.dialogs.confirm import Confirm
from viewer.ui.dialogs.model_about import ModelAbout
from viewer.ui.dialogs.model_list import ModelListDialog
from viewer.ui.dialogs.settings import SettingsDialog
from viewer.ui.scenes_dialogs import dialog_of
from viewer.ui.scenes_panels import Maker
from viewer.ui.scenes_stage import Stage

_BARE = "pneumonia-cxr-28"
_CLASSES = "Normal, Pneumonia"


def add_a_model(stage: Maker) -> Iterator[str]:
    s = _film(stage)
    letter = s.folder / "letter.onnx"
    letter.write_bytes(b"This is a letter, and no network.\n")
    s.window.drop_paths([letter])
    s.settle()
    yield "add-model-no-onnx"
    _close()
    s.window.drop_paths([_bare(s.folder)])
    dialog = dialog_of(s, AddModelDialog)
    s.settle()
    yield "add-model-asked"
    s.type(dialog.form.questions["classes"].row.field, _CLASSES)
    s.press(dialog.trial.go)
    s.settle()
    yield "add-model-tried"
    s.press(dialog.form.more)
    s.rest()
    scroll = _scroll_of(dialog)
    scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum())
    scaling = dialog.form.questions["normalisation"].row.combo
    scaling.setCurrentIndex(scaling.count() - 1)
    yield "add-model-what-was-read"
    scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum() // 3)
    yield "add-model-preprocessing"
    _close()


def model_list(stage: Maker) -> Iterator[str]:
    text: dict[str, Any] = {
        "name": "my-model", "title": "Bedside films, second reader", "version": "0.3", "task": "multi-label",
        "classes": [{"name": name, "output": at} for at, name in enumerate(("Effusion", "Nodule"))],
        "input": {"height": 224, "width": 224, "channels": 3}, "training": {"licence": "Apache-2.0"},
    }  # fmt: skip
    s = _film(stage)
    added = add_model(models_folder() / _BARE / "model.onnx", text, overwrite=True)
    changed = add_model(models_folder() / _BARE / "model.onnx", {**text, "name": "changed", "title": "A file that was changed"}, overwrite=True)
    with changed.model_path.open("ab") as file:
        file.write(b"\0")
    s.trigger("models.list")
    dialog = dialog_of(s, ModelListDialog)
    s.settle()
    yield "models"
    dialog.choose(changed.name)
    yield "models-damaged"
    dialog.choose(added.name)
    s.press(dialog.remove)
    dialog_of(s, Confirm)
    yield "models-remove"
    _close()
    dialog.choose(_BARE)
    s.press(dialog.about)
    dialog_of(s, ModelAbout)
    yield "models-about"
    _close()
    _close()
    s.trigger("edit.settings")
    settings = dialog_of(s, SettingsDialog)
    s.press(settings.tabs.button("models"))
    s.settle()
    yield "models-settings"
    _close()
    for folder in (added.folder, changed.folder):
        shutil.rmtree(folder)


MODEL_CHAPTERS = (add_a_model, model_list)


def _film(stage: Maker) -> Stage:
    s = stage()
    s.open_sample("RG1")
    s.window.messages.clear_messages()
    return s


def _bare(folder: Path) -> Path:
    """A network without its card, under a name as people give."""
    path = folder / "chest_film_cnn.onnx"
    shutil.copy(models_folder() / _BARE / "model.onnx", path)
    return path


def _scroll_of(dialog: AddModelDialog) -> Any:
    assert dialog.form is not None
    return dialog.form.parentWidget().parentWidget()


def _close() -> None:
    QApplication.activeModalWidget().close()
    QApplication.processEvents()
