"""The Classify tab without its window, films for it, and reports as a model would give them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from plugins.classify.panel import ClassifyPanel, build
from tests.ui.panel_samples import Parts
from tests.ui.window_samples import put_volume, settle
from viewer.core.geometry import Geometry
from viewer.core.model_card import ModelCard
from viewer.core.report import Report, Score
from viewer.core.volume import Identity, Volume
from viewer.session.history import ItemChange
from viewer.session.models import list_models
from viewer.ui.model_shelf import ModelShelf
from viewer.ui.window import Window

FITTING = {"modality": "DX", "body_part": "CHEST", "view_position": "PA", "patient_age": "004Y"}


def small_model() -> ModelCard:
    """The model of 28 pixels, as if it were not for benchmarks alone: it is quick."""
    return replace(next(card for card in list_models()[0] if card.name == "pneumonia-cxr-28"), is_benchmark=False)


def show(
    parts: Parts, frame: QMainWindow, qtbot: QtBot, cards: tuple[ModelCard, ...] | None = None, broken: tuple[tuple[str, str], ...] = ()
) -> ClassifyPanel:
    parts.host.models = ModelShelf(lambda: ((small_model(),) if cards is None else cards, broken), parts.host)
    made = build(parts.panels)
    assert isinstance(made, ClassifyPanel)
    frame.setCentralWidget(made)
    frame.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)
    parts.panels.show_panel = lambda name: made if name == "classify" else None
    parts.host.load_specs()
    return made


def films(count: int = 1, *, name: str = "film", shape: tuple[int, int] = (28, 28), **who: str) -> Volume:
    """Films that grow brighter from the middle; each another."""
    rows, columns = np.indices(shape)
    middle = np.hypot(rows - shape[0] / 2, columns - shape[1] / 2)
    values = np.stack([np.clip(60 + 12 * n + 4 * middle, 0, 255) for n in range(count)]).astype(np.uint8)
    geometry = Geometry((count, *shape), in_plane_known=False, between_known=False, is_patient=False)
    return Volume(name, values[None], geometry, kind="image" if count == 1 else "volume", identity=Identity(**(who or FITTING)))


def click(widget: QWidget, at: QPoint | None = None) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at or QPoint())
    QApplication.processEvents()


def reports(parts: Parts) -> tuple[Report, ...]:
    return parts.host.document.reports_of(parts.host.root_id)


def classify_a_film(window: Window, qtbot: QtBot) -> Report:
    """Open a film in a window whose only model is the small one, and press F5."""
    window.host.models._list = lambda: ((small_model(),), ())
    window.host.models.reload()
    put_volume(window, films())
    settle(qtbot, window)
    QTest.keyClick(window.view, Qt.Key.Key_F5)
    settle(qtbot, window)
    (report,) = window.host.document.reports_of(window.host.root_id)
    return report


def put(parts: Parts, *scores: tuple[str, float], index: int = 0, threshold: float | None = 0.5, positive: str = "", **more: Any) -> Report:
    """A report of the small model on a plane of the image in view, in the document by a step."""
    named = tuple(Score(name, value, threshold if positive in ("", name) else None) for name, value in scores)
    report = Report(
        f"r{index}", "Title", parts.host.root_id, index, 0, "pneumonia-cxr-28", "1.0.0", "binary", named, threshold, positive, "CPU", 3.0, **more
    )
    parts.host.document.commit(parts.host.document.step("Classify", (ItemChange("report", report.id, None, report),)))
    QApplication.processEvents()
    return report
