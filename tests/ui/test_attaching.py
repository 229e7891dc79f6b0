"""A second file over the shown image: what a drop offers, what is greyed and why, one step for what is added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from tests.ui.window_samples import PATIENCE_MS, settle
from viewer.ui.attaching import DropMenu
from viewer.ui.window import Window

SHAPE = (5, 18, 22)


def write(path: Path, values: np.ndarray, *, spacing: tuple[float, float, float] = (0.8, 0.8, 3.0)) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    image.SetOrigin((-7.0, 11.0, 40.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def labels() -> np.ndarray:
    values = np.zeros(SHAPE, np.uint8)
    values[1, 2:6, 3:9], values[3, 4, 4] = 1, 7
    return values


@pytest.fixture
def scene(window: Window, open_paths: Callable[..., None], tmp_path: Path) -> Window:
    values = np.random.default_rng(5).integers(-900, 1200, SHAPE).astype(np.int16)
    open_paths(window, write(tmp_path / "image.nii.gz", values))
    assert window.host.root_id
    return window


def drop(target: QWidget, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPointF(target.rect().center())
    enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(place, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))


def menu_of(window: Window, qtbot: Any) -> DropMenu:
    """The menu after a drop, as soon as all that it says is known."""
    qtbot.waitUntil(lambda: window.attaching.menu is not None and not window.attaching.menu.is_checking, timeout=PATIENCE_MS)
    menu = window.attaching.menu
    assert menu is not None and menu.isVisible()
    return menu


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd", "mha"])
def test_whole_numbers_on_the_same_grid_are_offered_as_segmentation_first(
    scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray, ending: str
) -> None:
    drop(scene.view.viewport(), write(tmp_path / f"mask.{ending}", labels))
    menu = menu_of(scene, qtbot)
    assert [a.isEnabled() for a in menu.actions()] == [True] * 4
    assert menu.activeAction() is menu.segmentation
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    settle(qtbot, scene)
    document = scene.host.document
    (layer,) = document.layers_of(scene.host.root_id)
    assert [(s.label, s.name) for s in layer.segments] == [(1, "Segment 1"), (7, "Segment 7")]
    # NIfTI is stored along other axes: the voxels must be those that SimpleITK sees.
    found = {label: int(np.count_nonzero(document.labels(layer.id) == label)) for label in (1, 7)}
    assert found == {1: 24, 7: 1}
    place = layer.geometry.to_patient(np.argwhere(document.labels(layer.id) == 7)[0])
    np.testing.assert_allclose(place, (-7 + 4 * 0.8, 11 + 4 * 0.8, 40 + 3 * 3.0), atol=1e-4)
    assert len(document.history) == 1
    message = scene.messages.message()
    assert message is not None and message.text == "Added 2 segments."
    qtbot.keyClick(scene.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert document.layers_of(scene.host.root_id) == ()


def test_fractions_are_an_overlay_or_an_image_but_no_segmentation(scene: Window, qtbot: Any, tmp_path: Path) -> None:
    values = np.random.default_rng(6).random(SHAPE).astype(np.float32)
    drop(scene.browser.tree.viewport(), write(tmp_path / "probability.nii.gz", values))
    menu = menu_of(scene, qtbot)
    assert menu.activeAction() is menu.open
    assert not menu.segmentation.isEnabled() and menu.segmentation.toolTip() == "Its values are not whole numbers."
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    settle(qtbot, scene)
    (item,) = scene.host.document.overlays_of(scene.host.root_id)
    np.testing.assert_allclose(np.sort(item.values.ravel()), np.sort(values.ravel()))
    assert [m.item.id for m in scene.host.state.maps] == [item.id]
    assert len(scene.opener.rows()) == 1


def test_on_another_grid_it_is_an_overlay_but_no_segmentation(scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray) -> None:
    drop(scene.view.viewport(), write(tmp_path / "other.nrrd", labels, spacing=(0.8, 0.8, 3.5)))
    menu = menu_of(scene, qtbot)
    assert [a.isEnabled() for a in menu.actions()] == [True, True, True, False]
    assert "another grid" in menu.segmentation.toolTip()
    assert menu.activeAction() is menu.open
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    settle(qtbot, scene)
    (shown,) = scene.host.state.maps
    assert shown.start is None
    message = scene.messages.message()
    assert message is not None and message.kind == "warn" and "positions" in message.text


def test_escape_leaves_everything_as_it_was(scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray) -> None:
    before = scene.host.document.state_hash()
    drop(scene.view.viewport(), write(tmp_path / "mask.nrrd", labels))
    menu = menu_of(scene, qtbot)
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    settle(qtbot, scene)
    assert scene.attaching.menu is None
    assert scene.host.document.state_hash() == before and len(scene.opener.rows()) == 1


def test_a_folder_is_opened_without_a_question(scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    write(folder / "mask.nrrd", labels)
    drop(scene.view.viewport(), folder)
    settle(qtbot, scene)
    assert scene.attaching.menu is None and len(scene.opener.rows()) == 2


def test_with_nothing_open_a_file_is_opened_without_a_question(window: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray) -> None:
    drop(window.first_run.zone, write(tmp_path / "mask.nrrd", labels))
    settle(qtbot, window)
    assert window.attaching.menu is None and window.host.root_id


def test_f04_names_and_colours_of_a_slicer_segmentation_come_with_it(scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray) -> None:
    image = sitk.GetImageFromArray(labels)
    image.SetSpacing((0.8, 0.8, 3.0))
    image.SetOrigin((-7.0, 11.0, 40.0))
    fields = {"Segment0_Name": "Liver", "Segment0_LabelValue": "1", "Segment0_Layer": "0", "Segment0_Color": "1 0.5 0"}
    fields |= {"Segment1_Name": "Node", "Segment1_LabelValue": "7", "Segment1_Layer": "0", "Segment1_Color": "0 0 1"}
    for key, value in fields.items():
        image.SetMetaData(key, value)
    path = tmp_path / "organs.seg.nrrd"
    sitk.WriteImage(image, str(path))
    drop(scene.view.viewport(), path)
    qtbot.keyClick(menu_of(scene, qtbot), Qt.Key.Key_Return)
    settle(qtbot, scene)
    (layer,) = scene.host.document.layers_of(scene.host.root_id)
    assert [(s.label, s.name, s.color) for s in layer.segments] == [(1, "Liver", "#FF8000"), (7, "Node", "#0000FF")]


def test_file_menu_adds_a_mask_and_says_why_another_cannot_be(
    scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write(tmp_path / "mask.nrrd", labels), write(tmp_path / "far.nrrd", labels, spacing=(1.0, 0.8, 3.0))]
    for path, words in zip(paths, ("Added 2 segments.", "far cannot be added. It lies on another grid"), strict=True):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, path=path: (str(path), ""))
        scene.actions_table["file.add_segmentation"].trigger()
        settle(qtbot, scene)
        message = scene.messages.message()
        assert message is not None and message.text.startswith(words)
    assert len(scene.host.document.history) == 1


def test_browser_menu_adds_a_listed_series_to_the_shown_one(
    scene: Window, qtbot: Any, tmp_path: Path, labels: np.ndarray, open_paths: Callable[..., None]
) -> None:
    first = scene.opener.rows()[0]
    open_paths(scene, write(tmp_path / "mask.nrrd", labels))
    scene.opener.show(first.entry.id)
    row = scene.opener.rows()[1]
    menu = scene.browser.build_menu(row)
    action = next(a for a in menu.actions() if a.text() == "Add as segmentation")
    assert action.isEnabled()
    action.trigger()
    menu.deleteLater()
    settle(qtbot, scene)
    assert len(scene.host.document.layers_of(first.root_id)) == 1
    own = scene.browser.build_menu(first)
    grey = next(a for a in own.actions() if a.text() == "Add as overlay")
    assert not grey.isEnabled() and grey.toolTip() == "It is the image itself."
    own.deleteLater()
