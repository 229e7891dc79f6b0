"""What the screen does to a film changes no score, and a score stays the same number wherever it is kept or written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.io.dicom.film_files import film_dataset
from tests.ui.window_samples import settle
from viewer.core.report import Report
from viewer.core.window import Window as ValueWindow
from viewer.draw.corners import corners
from viewer.io.write.tables import csv_text, json_text, reports_table
from viewer.session.document import Document, Source
from viewer.session.recipe import recipe_of, run_recipe
from viewer.session.store import Store, restore
from viewer.ui.window import Window

MODEL = Path(__file__).parents[2] / "models" / "pneumonia-cxr" / "model.onnx"


def film(shared_data: Path) -> np.ndarray:
    """A film of 12 bits, on the model's fence: of the pneumonias that it is least sure of."""
    grey = np.asarray(Image.open(shared_data / "cxr_native" / "person1155_virus_1934.jpg").resize((360, 212)), dtype=int)
    return np.asarray(grey * 14 + np.random.default_rng(5).integers(0, 14, grey.shape) + 200)


def write(path: Path, values: np.ndarray, **more: Any) -> Path:
    pydicom.dcmwrite(path, film_dataset(values, 12, **more), enforce_file_format=True)
    return path


def bare(levels: np.ndarray) -> tuple[float, float]:
    """Probability and strangeness by onnxruntime and Pillow alone, as the model's README says."""
    import onnxruntime

    small = np.asarray(Image.fromarray(levels.astype(np.float32)).resize((224, 224), Image.Resampling.BILINEAR), dtype=np.float32)
    session = onnxruntime.InferenceSession(MODEL)
    logit, strange = session.run(["logit", "unfamiliar"], {"film": ((small / 255 - 0.5) / 0.25)[None, None]})
    return float(1 / (1 + np.exp(-np.float64(logit[0, 0]) / 0.5))), float(strange[0, 0])


def linear(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1 onto 0 to 255."""
    return np.asarray(np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255)


@pytest.fixture
def film_window(window: Window, tmp_path: Path, shared_data: Path, open_paths: Callable[..., None]) -> Window:
    open_paths(window, write(tmp_path / "film.dcm", film(shared_data), WindowCenter="2000", WindowWidth="2600"))
    return window


def classified(window: Window, qtbot: QtBot) -> Report:
    document, root = window.host.document, window.host.root_id
    before = document.reports_of(root)
    QTest.keyClick(window.view, Qt.Key.Key_F5)
    settle(qtbot, window)
    (report,) = document.reports_of(root)
    assert report not in before  # asked anew
    return report


def score(report: Report) -> float:
    return report.scores[0].value


def test_nothing_that_is_done_on_the_screen_changes_the_score(film_window: Window, qtbot: QtBot, shared_data: Path) -> None:
    probability, strange = bare(linear(film(shared_data), 2000, 2600))
    assert 0.5 < probability < 0.99  # not so sure that nothing could move it
    wishes: tuple[dict[str, Any], ...] = (
        {},
        {"window": ValueWindow(900.0, 300.0)},
        {"is_inverted": True},
        {"is_auto": True},
        {"zoom": 4.0, "center": (20.0, 30.0, 0.0)},
        {"quarter_turns": 1},
        {"flip_horizontal": True, "flip_vertical": True},
        {"color_map": "hot"},
        {"overlay_opacity": 1.0},
    )
    host = film_window.host
    usual = host.wish
    for wish in wishes:
        host.set_wish(replace(usual, **wish))
        settle(qtbot, film_window)
        report = classified(film_window, qtbot)
        assert score(report) == pytest.approx(probability, abs=1e-6), wish
        assert report.strangeness == pytest.approx(strange, abs=1e-5), wish


def test_of_an_enhanced_image_what_was_opened_is_classified_whatever_is_shown(film_window: Window, qtbot: QtBot, shared_data: Path) -> None:
    probability, strange = bare(linear(film(shared_data), 2000, 2600))
    host = film_window.host
    opened = host.root_id
    for name, parameters in (("Enhance/Gaussian", {"sigma": 6.0}), ("Enhance/Gamma", {"gamma": 0.3})):
        host.run(host.prepare(name, parameters, host.scope("volume")))
        settle(qtbot, film_window)
        assert host.state.volume is not None and host.state.volume.id != opened
        report = classified(film_window, qtbot)
        assert report.volume_id == opened
        assert score(report) == pytest.approx(probability, abs=1e-6), name
        assert report.strangeness == pytest.approx(strange, abs=1e-5), name
        assert said_of_original(film_window) == (True, True)
    host.set_wish(replace(host.wish, show_original=True))
    assert score(classified(film_window, qtbot)) == pytest.approx(probability, abs=1e-6)
    assert said_of_original(film_window) == (False, False)


def said_of_original(window: Window) -> tuple[bool, bool]:
    """Whether the corner of the view and the tab say that the score is not one of the processed image that is shown."""
    page: Any = window.dock.stack.currentWidget()
    corner = "Asked about the original image" in corners(window.host.state, zoom_percent=100).bottom_right
    return corner, page.warnings.isVisible() and "as it was opened" in page.warnings.accessibleName()


def test_a_score_is_the_same_after_undo_a_crash_and_in_every_export(film_window: Window, qtbot: QtBot, shared_data: Path, tmp_path: Path) -> None:
    probability, _strange = bare(linear(film(shared_data), 2000, 2600))
    document, root = film_window.host.document, film_window.host.root_id
    report = classified(film_window, qtbot)
    document.undo()
    assert document.reports_of(root) == ()
    document.redo()
    assert document.reports_of(root) == (report,)

    kept = Document(Store(tmp_path / "journal.nego"))
    volume = document.volume(root)
    kept.add_source(volume, document.source(root))
    for step in document.history.steps:
        kept.commit(step)
    assert kept.store is not None
    path = kept.store.path
    kept.store.close(discard=False)
    found = restore(path, lambda source: volume, writable=False)
    assert found.reports_of(root) == (report,)

    table = reports_table(found.reports_of(root))
    (row,) = csv.DictReader(io.StringIO(csv_text([table])))
    assert float(row["Pneumonia"]) == score(report) == pytest.approx(probability, abs=1e-6)
    assert repr(score(report)) in json_text([table]) and json.loads(json_text([table]))

    again = Document()
    again.add_source(volume, Source(root))
    run_recipe(again, recipe_of(document.history.steps, root, document), film_window.host.registry, film_window.host.pool, root_id=root)
    (repeated,) = again.reports_of(root)
    assert score(repeated) == score(report)
