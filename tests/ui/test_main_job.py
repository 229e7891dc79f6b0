"""The main job in one window, by mouse and keys alone, on the sample study whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget

from viewer.core.geometry import Triple
from viewer.io.samples import GEOMETRY, NODULE, phantom_volume
from viewer.jobs.pool import Pool
from viewer.session.plugins import discover
from viewer.session.settings import Settings
from viewer.ui.controls import NoteBox
from viewer.ui.dialogs.export import ExportDialog
from viewer.ui.host import Host
from viewer.ui.window import Window

LEFT, NONE, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
BONE = (480, 2500)
X, Y, Z = NODULE.centre_mm


class Hands:
    """Mouse and keys for one window."""

    def __init__(self, qtbot: Any, window: Window) -> None:
        self.qtbot, self.window, self.host, self.view = qtbot, window, window.host, window.view

    def settle(self) -> None:
        work = self.host.work
        self.qtbot.waitUntil(lambda: not work._held and not self.window.opener.is_scanning, timeout=60_000)
        for _ in range(3):
            QApplication.processEvents()

    def click(self, widget: QWidget) -> None:
        assert widget.isVisible(), f"{widget.accessibleName()} is not to be seen"
        assert widget.isEnabled(), f"{widget.accessibleName()} cannot be pressed: {widget.toolTip()}"
        QTest.mouseClick(widget, LEFT, NONE, widget.rect().center())
        QApplication.processEvents()

    def key(self, key: Qt.Key, modifiers: Any = NONE, on: QWidget | None = None) -> None:
        target = on or self.view
        target.setFocus()
        QTest.keyClick(target, key, modifiers)
        QApplication.processEvents()

    def type(self, field: QLineEdit, text: str) -> None:
        self.click(field)
        QTest.keyClick(field, Qt.Key.Key_A, CTRL)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Tab)

    def choose(self, combo: QComboBox, text: str) -> None:
        combo.setFocus()
        steps = combo.findText(text) - combo.currentIndex()
        for _ in range(abs(steps)):
            QTest.keyClick(combo, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)
        assert combo.currentText() == text
        QApplication.processEvents()

    def tab(self, name: str) -> Any:
        """Click a tab of the dock; its panel."""
        dock = self.window.dock
        QTest.mouseClick(dock.tabs, LEFT, NONE, dock.tabs.tabRect(dock._names.index(name)).center())
        QApplication.processEvents()
        assert dock.current_name == name
        return dock.panel(name)

    def wheel(self, notches: int) -> None:
        port = self.view.viewport()
        spot = QPointF(port.rect().center())
        for _ in range(abs(notches)):
            turn = QPoint(0, -120 if notches > 0 else 120)
            event = QWheelEvent(spot, port.mapToGlobal(spot), QPoint(), turn, Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False)
            QApplication.sendEvent(port, event)

    def at(self, place: Triple) -> QPoint:
        x, y = self.view.state.placement(self.view.viewport_size).to_viewport(self.view.state.point_of(place))
        return QPoint(round(x), round(y))

    def press(self, place: Triple, modifiers: Any = NONE) -> None:
        QTest.mouseClick(self.view.viewport(), LEFT, modifiers, self.at(place))
        QApplication.processEvents()

    def drag(self, start: QPoint | Triple, end: QPoint | Triple, modifiers: Any = NONE) -> None:
        first, last = (p if isinstance(p, QPoint) else self.at(p) for p in (start, end))
        port = self.view.viewport()
        QTest.mousePress(port, LEFT, modifiers, first)
        for part in (0.5, 1.0):
            QTest.mouseMove(port, first + (last - first) * part)
            QApplication.processEvents()
        QTest.mouseRelease(port, LEFT, modifiers, last)
        QApplication.processEvents()

    def open_sample(self) -> None:
        self.click(self.window.first_run.sample)
        self.settle()
        self.select("RG1")
        self.select("CT thorax phantom")

    def select(self, words: str) -> None:
        """Click a series in the browser."""
        tree = self.window.browser.tree
        row = next(r for r in self.window.opener.rows() if words in r.entry.title or words in r.entry.identity.patient_name)
        index = self.window.browser._items[row.entry.id].index()
        tree.scrollTo(index)
        QTest.mouseClick(tree.viewport(), LEFT, NONE, tree.visualRect(index).center())
        self.settle()
        assert self.host.root_id == self.window.opener.row(row.entry.id).root_id  # type: ignore[union-attr]

    def to_nodule(self) -> None:
        wanted = round(self.host.state.geometry.to_index(NODULE.centre_mm)[0])
        self.wheel(wanted - self.host.state.index)
        assert self.host.state.array_index == wanted

    @property
    def titles(self) -> list[str]:
        history = self.host.document.history
        return [step.title.text() for step in history][: history.position]

    def segments(self) -> dict[str, int]:
        """Voxels of each segment of the image in view, by name."""
        document = self.host.document
        counted = {}
        for layer in document.layers_of(self.host.root_id):
            labels = document.labels(layer.id)
            counted.update({s.name: int(np.count_nonzero(labels == s.label)) for s in layer.segments})
        return counted


@pytest.fixture
def hands(qtbot: Any, window: Window) -> Iterator[Hands]:
    made = Hands(qtbot, window)
    yield made
    vars(made).clear()  # pytest holds the shell until after the look at what is left


@pytest.fixture
def worker_window(themed: QApplication, qtbot: Any, tmp_path: Path) -> Iterator[Window]:
    """A window whose operations run in a process of their own."""
    made = Window(Host(discover(), Pool(1), Settings(tmp_path / "own.toml"), journal=False))
    made.resize(1280, 800)
    made.show()
    made.activateWindow()
    qtbot.waitExposed(made)
    yield made
    made.close()
    host = made.host
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    host.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    vars(made).clear()


def voxel_mm3() -> float:
    return math.prod(GEOMETRY.spacing)


def voxels_by_simpleitk() -> int:
    """The same median and the same growing, by another program."""
    image = sitk.Median(sitk.GetImageFromArray(phantom_volume().values), (1, 1, 1))
    seed = [round(float(n)) for n in GEOMETRY.to_index(NODULE.centre_mm)[::-1]]
    return int(np.count_nonzero(sitk.GetArrayFromImage(sitk.ConnectedThreshold(image, [seed], -400, 400))))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_main_job_by_mouse_and_keys(hands: Hands, settings: Settings, tmp_path: Path) -> None:
    window, host = hands.window, hands.host
    settings.set("export_folder", str(tmp_path))
    hands.open_sample()
    document = host.document
    untouched = document.state_hash()

    # it shows
    assert "CT thorax phantom" in window.windowTitle()
    grabbed = hands.view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    shown = np.frombuffer(grabbed.constBits(), np.uint8)
    assert shown.max() > 200
    assert shown.min() < 20
    hands.to_nodule()

    # windowing: by drag, by key
    before = host.state.window
    hands.drag(QPoint(200, 200), QPoint(260, 180))
    assert host.state.window.width > before.width
    assert host.state.window.center < before.center
    hands.key(Qt.Key.Key_2)
    assert (host.state.window.center, host.state.window.width) == (-600, 1500)
    assert window.view_bar.width_field.text() == "1500"
    assert hands.titles == []

    enhance(hands)
    grown = grow(hands)
    brush_and_erase(hands)
    watershed(hands)
    measure(hands)
    classify(hands)
    steps = len(hands.titles)
    assert steps == document.history.position

    export_picture(hands, tmp_path)
    export_mask(hands, tmp_path, grown)
    assert document.history.position == steps
    window.activateWindow()  # offscreen no window manager does it when a dialog closes
    hands.qtbot.waitUntil(window.isActiveWindow)

    # all of it back, and forward again
    hashes = {steps: document.state_hash()}
    for depth in reversed(range(steps)):
        hands.key(Qt.Key.Key_Z, CTRL)
        assert document.history.position == depth
        hashes[document.history.position] = document.state_hash()
    assert hashes[0] == untouched
    assert all(hashes[depth] != hashes[depth + 1] for depth in range(steps))
    for depth in range(1, steps + 1):
        hands.key(Qt.Key.Key_Y, CTRL)
        assert document.history.position == depth
        assert document.state_hash() == hashes[depth]


def enhance(hands: Hands) -> None:
    panel = hands.tab("enhance").operations
    hands.choose(panel.chooser, "Median")
    hands.click(panel.preview.switch)
    hands.qtbot.waitUntil(lambda: hands.view._preview is not None, timeout=20_000)
    assert hands.titles == []  # a preview is no step
    hands.click(panel.apply_button)
    hands.settle()
    assert hands.view._preview is None
    assert len(hands.titles) == 1
    assert "Median" in hands.titles[0]
    assert hands.host.state.volume is not hands.host.document.volume(hands.host.root_id)


def grow(hands: Hands) -> int:
    """Grow the nodule from a seed; its label."""
    host = hands.host
    panel = hands.tab("segment")
    hands.click(panel.palette_of_tools.button("Segment/Seeds"))
    assert hands.window.tooling.name == "Segment/Seeds"
    hands.press((X, Y, Z))
    assert len(host.state.seeds) == 1
    operations = panel.operations
    hands.choose(operations.chooser, "Region growing")
    hands.type(operations.form.rows["low"].field, "-400")
    hands.type(operations.form.rows["high"].field, "400")
    hands.click(operations.apply_button)
    hands.settle()
    assert len(hands.titles) == 2
    (layer,) = host.document.layers_of(host.root_id)
    (segment,) = layer.segments
    grown = np.count_nonzero(host.document.labels(layer.id) == segment.label)
    assert grown == voxels_by_simpleitk()
    assert grown * voxel_mm3() == pytest.approx(NODULE.volume_mm3, rel=0.1)  # the median takes a little off so small a ball
    centre = np.argwhere(host.document.labels(layer.id) == segment.label).mean(axis=0)
    assert GEOMETRY.to_patient(centre) == pytest.approx(np.asarray(NODULE.centre_mm), abs=0.5)
    return segment.label


def brush_and_erase(hands: Hands) -> None:
    host, steps = hands.host, len(hands.titles)
    before = sum(hands.segments().values())
    hands.key(Qt.Key.Key_B)
    assert hands.window.tooling.name == "Segment/Brush"
    hands.drag((X + 20, Y - 20, Z), (X + 30, Y - 20, Z))
    painted = sum(hands.segments().values())
    assert len(hands.titles) == steps + 1
    # the default brush has a radius of 5 mm: a disc, drawn over 10 mm
    assert (painted - before) * GEOMETRY.spacing[1] * GEOMETRY.spacing[2] == pytest.approx(math.pi * 25 + 10 * 10, rel=0.1)
    hands.drag((X + 20, Y - 20, Z), (X + 30, Y - 20, Z), CTRL)
    assert len(hands.titles) == steps + 2
    assert sum(hands.segments().values()) == before
    assert host.document.history.position == steps + 2


def watershed(hands: Hands) -> None:
    """Two markers on one slice: nodule and lung around it."""
    panel = hands.window.dock.panel("segment")
    steps = len(hands.titles)
    hands.click(panel.segments.add)
    assert hands.window.tooling.name == "Segment/Brush"
    hands.drag((X + 22, Y - 22, Z), (X + 22, Y + 18, Z))
    hands.drag((X - 20, Y - 22, Z), (X - 20, Y + 18, Z))
    assert len(hands.titles) == steps + 3
    before = hands.segments()
    operations = panel.operations
    hands.click(panel.palette_of_tools.button("Segment/Watershed"))
    assert operations.chooser.currentText() == "Watershed"
    hands.choose(operations.scope.combo, "This slice")
    hands.click(operations.apply_button)
    hands.settle()
    assert len(hands.titles) == steps + 4
    after = hands.segments()
    assert sum(after.values()) > sum(before.values())


def measure(hands: Hands) -> None:
    document, steps = hands.host.document, len(hands.titles)
    panel = hands.tab("measure")
    hands.key(Qt.Key.Key_D)
    hands.drag((X - 9, Y, Z), (X + 9, Y, Z))
    hands.click(panel.palette_of_tools.button("Measure/Ellipse"))
    hands.drag((16.0, 35.0, Z), (28.0, 47.0, Z))
    assert len(hands.titles) == steps + 2
    distance, ellipse = document.annotations_of(hands.host.root_id)
    pixel = GEOMETRY.spacing[2]
    length = next(m.value for m in distance.measures if m.unit == "mm")
    assert length == pytest.approx(NODULE.diameter_mm, abs=pixel)
    mean = next(m for m in ellipse.measures if m.name == "Mean")
    assert mean.unit == "HU"
    assert mean.value == pytest.approx(230.0, abs=5)  # blood of the aorta
    model = panel.measurements.model
    texts = [str(model.index(row, column).data()) for row in range(model.rowCount()) for column in range(model.columnCount())]
    assert f"{length:.1f} mm" in texts
    assert any("HU" in t for t in texts)
    hands.choose(panel.operations.chooser, "Segment statistics")
    panel.scroll.ensureWidgetVisible(panel.operations.apply_button)
    hands.click(panel.operations.apply_button)
    hands.settle()
    assert len(hands.titles) == steps + 3
    assert document.tables_of(hands.host.root_id)
    hands.key(Qt.Key.Key_Escape)


def classify(hands: Hands) -> None:
    """F5 on the film of an adult, with no pixel size and MONOCHROME1: the warnings stand with the result."""
    hands.select("RG1")
    hands.key(Qt.Key.Key_F5)
    hands.settle()
    reports = hands.host.document.reports_of(hands.host.root_id)
    assert len(reports) == 1
    panel = hands.window.dock.panel("classify")
    assert hands.window.dock.current_name == "classify"
    notes = [n for n in panel.findChildren(NoteBox) if n.isVisible() and n.text()]
    assert notes, "a film without pixel size comes with a warning"
    hands.select("CT thorax phantom")


def the_dialog(hands: Hands) -> ExportDialog:
    hands.click(hands.window.top_bar.export_button)
    hands.settle()
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, ExportDialog) and w.isVisible())


def export_picture(hands: Hands, folder: Path) -> None:
    dialog = the_dialog(hands)
    hands.type(dialog.name, "picture")
    hands.click(dialog.export)
    hands.settle()
    hands.qtbot.waitUntil((folder / "picture.png").is_file, timeout=10_000)
    picture = QImage(str(folder / "picture.png"))
    assert (picture.width(), picture.height()) == tuple(int(n) for n in hands.view.viewport_size)


def export_mask(hands: Hands, folder: Path, label: int) -> None:
    dialog = the_dialog(hands)
    hands.click(dialog.tabs.button("mask"))
    hands.type(dialog.name, "mask")
    hands.click(dialog.export)
    hands.settle()
    hands.qtbot.waitUntil((folder / "mask.nii.gz").is_file, timeout=10_000)
    mask = sitk.ReadImage(str(folder / "mask.nii.gz"))
    assert mask.GetSize() == GEOMETRY.shape[::-1]
    assert mask.GetSpacing() == pytest.approx(GEOMETRY.spacing[::-1], abs=1e-4)
    assert mask.GetOrigin() == pytest.approx(GEOMETRY.origin, abs=1e-3)
    assert mask.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1), abs=1e-6)
    values = sitk.GetArrayFromImage(mask)
    plane = round(GEOMETRY.to_index(NODULE.centre_mm)[0])
    others = np.delete(values, plane, axis=0)  # watershed and brush worked on the nodule's slice alone
    mine = np.delete(hands.host.document.labels(hands.host.document.layers_of(hands.host.root_id)[0].id), plane, axis=0)
    assert np.array_equal(others == label, mine == label)
    assert 0.5 * NODULE.volume_mm3 < np.count_nonzero(values == label) * voxel_mm3() < 1.6 * NODULE.volume_mm3


def test_cancel_leaves_the_document_as_it_was_and_the_window_alive(qtbot: Any, worker_window: Window) -> None:
    hands = Hands(qtbot, worker_window)
    hands.open_sample()
    document, before = hands.host.document, hands.host.document.state_hash()
    panel = hands.tab("enhance").operations
    hands.choose(panel.chooser, "Median")
    hands.type(panel.form.rows["radius"].field, "9")
    hands.click(panel.apply_button)
    qtbot.waitUntil(lambda: panel.is_running and panel.cancel_button.isEnabled(), timeout=20_000)
    hands.wheel(3)  # while it runs the window goes on
    hands.key(Qt.Key.Key_3)
    assert (hands.host.state.window.center, hands.host.state.window.width) == BONE
    assert panel.is_running
    hands.click(panel.cancel_button)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=20_000)
    hands.settle()
    assert document.state_hash() == before
    assert hands.titles == []
    assert panel.apply_button.isEnabled()
    # and the next one runs
    hands.choose(panel.chooser, "Logarithm")
    hands.click(panel.apply_button)
    hands.settle()
    assert len(hands.titles) == 1
