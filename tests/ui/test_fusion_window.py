"""A second image over the first in the window: by menu, drop, bar, mouse and numbers; every move one step, nothing laid over in silence."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

from tests.session.fusion_samples import CT_GRID, PET_GRID, along, ct, pet
from tests.ui.test_attaching import drop, menu_of, write
from tests.ui.window_samples import PATIENCE_MS, put_volume, settle
from viewer.core.alignment import SAME_PLACE, degrees_of, parts, rigid
from viewer.core.errors import OperationCancelled, Refused
from viewer.core.oblique import turn_of, turned_about
from viewer.core.registration import Registration
from viewer.core.volume import Identity, ValueScale, Volume
from viewer.core.window import Window as ValueWindow
from viewer.session.aligning import middle
from viewer.session.document import Source
from viewer.session.fusion import ShownFusion
from viewer.session.view import ViewState
from viewer.ui import fusing as fusing_module
from viewer.ui.fusion_bar import FusionBar
from viewer.ui.window import Window

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


class Scene:
    """A window with a CT, and a PET that is open beside it."""

    def __init__(self, window: Window, second: Volume) -> None:
        self.window, self.second = window, second
        self.host, self.fusing = window.host, window.fusion_commands.fusing
        window.host.document.add_source(second, Source(second.id))
        self.first = put_volume(window, ct(np.full(CT_GRID.shape, 40, np.int16)))
        self.host.change_wish(plane="axial")
        self.bar = window.findChild(FusionBar)
        assert isinstance(self.bar, FusionBar)

    @property
    def state(self) -> ViewState:
        return self.host.state

    @property
    def shown(self) -> ShownFusion:
        assert self.host.state.fusion is not None
        return self.host.state.fusion

    def lay(self) -> None:
        self.fusing.lay(self.second.id)
        self.rest()

    def rest(self) -> None:
        QTest.qWait(1)
        QApplication.processEvents()

    def at(self, x: float, y: float) -> QPoint:
        """Where the picture point is on the screen."""
        view = self.window.view
        a, b = self.state.placement(view.viewport_size).to_viewport((x, y))
        return QPoint(round(a), round(b))

    def drag(self, start: QPoint, end: QPoint, modifiers: Any = NONE, *, release: bool = True) -> None:
        port = self.window.view.viewport()
        QTest.mousePress(port, LEFT, modifiers, start)
        QTest.mouseMove(port, (start + end) / 2)
        QTest.mouseMove(port, end)
        if release:
            QTest.mouseRelease(port, LEFT, modifiers, end)
        self.rest()

    def steps(self) -> list[str]:
        return [step.title.text() for step in self.host.document.history.steps[: self.host.document.history.position]]


@pytest.fixture
def make_scene(window: Window) -> Iterator[Callable[[Volume], Scene]]:
    """Makes a scene; what it holds is let go before anyone looks what is left."""
    made: list[Scene] = []

    def make(second: Volume) -> Scene:
        made.append(Scene(window, second))
        return made[-1]

    yield make
    for held in made:
        held.__dict__.clear()


@pytest.fixture
def scene(make_scene: Callable[[Volume], Scene]) -> Scene:
    return make_scene(pet(along(PET_GRID, 0)))


@pytest.fixture
def stranger(make_scene: Callable[[Volume], Scene]) -> Scene:
    return make_scene(pet(along(PET_GRID, 0), geometry=replace(PET_GRID, frame_uid="1.2.840.2")))


def test_the_bar_is_there_while_something_lies_over_the_image(scene: Scene) -> None:
    assert not scene.bar.isVisible()
    scene.lay()
    bar = scene.bar
    assert bar.isVisible() and bar.name.text() == "PET AC" and scene.shown.is_drawn
    assert (bar.mode.currentText(), bar.map.currentText(), bar.opacity.text()) == ("Blend", "Hot iron", "50 %")
    assert (float(bar.width_field.text()), float(bar.level_field.text())) == (6.0, 3.0)
    QTest.mouseClick(bar.remove, LEFT)
    scene.rest()
    assert scene.state.fusion is None and not bar.isVisible()
    assert scene.steps() == []  # how things are laid over each other is no step


def test_its_controls_change_the_second_image_alone(scene: Scene) -> None:
    scene.lay()
    bar, before = scene.bar, scene.state.window
    bar.map.setCurrentIndex(bar.map.findData("viridis"))
    bar.map.activated.emit(bar.map.currentIndex())
    for field, text in ((bar.width_field, "4"), (bar.level_field, "7.5")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    bar.opacity.setFocus()
    bar.opacity.selectAll()
    QTest.keyClicks(bar.opacity, "80")
    QTest.keyClick(bar.opacity, Qt.Key.Key_Return)
    scene.rest()
    display = scene.shown.display
    assert (display.color_map, display.window.width, display.window.center, scene.shown.opacity) == ("viridis", 4.0, 7.5, 0.8)
    assert scene.state.window == before
    QTest.keyClick(bar.opacity, Qt.Key.Key_Down)
    assert scene.shown.opacity == pytest.approx(0.79)
    bar.width_field.setFocus()
    bar.width_field.selectAll()
    QTest.keyClicks(bar.width_field, "-3")
    QTest.keyClick(bar.width_field, Qt.Key.Key_Return)
    assert scene.shown.display.window.width == 4.0
    message = scene.window.messages.message()
    assert message is not None and "more than 0" in message.text


def test_d22_the_window_of_pet_is_typed_in_suv(make_scene: Callable[[Volume], Scene]) -> None:
    scene = make_scene(replace(pet(along(PET_GRID, 0)), unit="BQML", scales=(ValueScale("SUVbw", 0.001),)))
    scene.lay()
    bar = scene.bar
    assert (float(bar.width_field.text()), float(bar.level_field.text())) == (6.0, 3.0) and "SUVbw" in bar.width_field.toolTip()
    bar.width_field.setFocus()
    bar.width_field.selectAll()
    QTest.keyClicks(bar.width_field, "10")
    QTest.keyClick(bar.width_field, Qt.Key.Key_Return)
    assert scene.shown.display.window.width == pytest.approx(10_000) and scene.shown.display.window.center == pytest.approx(3000)


def test_3a_alt_and_wheel_change_the_opacity_of_the_second_image(scene: Scene) -> None:
    scene.lay()
    view = scene.window.view
    spot = QPointF(scene.at(10, 10))
    event = QWheelEvent(
        spot, QPointF(view.mapToGlobal(spot.toPoint())), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, ALT, Qt.ScrollPhase.NoScrollPhase, False
    )
    view.wheelEvent(event)
    scene.rest()
    assert scene.shown.opacity == pytest.approx(0.55)
    assert scene.bar.opacity.text() == "55 %"


def test_the_curtain_is_dragged_by_its_line(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["fusion.curtain"].trigger()
    scene.rest()
    assert scene.shown.mode == "curtain" and scene.shown.curtain == 0.5
    assert not scene.bar.opacity.isEnabled() and "opacity" in scene.bar.opacity.toolTip()
    before = scene.state.window
    scene.drag(scene.at(25, 12), scene.at(10, 30))
    assert scene.shown.curtain == pytest.approx(0.2, abs=0.01)
    assert scene.state.window == before  # the line was dragged, not the window
    scene.drag(scene.at(40, 12), scene.at(30, 12))
    assert scene.shown.curtain == pytest.approx(0.2, abs=0.01) and scene.state.window != before


def test_c12_another_frame_of_reference_is_not_laid_over_in_silence(stranger: Scene) -> None:
    stranger.lay()
    bar = stranger.bar
    assert not stranger.shown.is_drawn
    assert bar.reason.isVisible() and "different frames of reference" in bar.reason.text()
    assert bar.by_hand.isVisible() and bar.align.isVisible() and not bar.map.isVisible()
    QTest.mouseClick(bar.by_hand, LEFT)
    stranger.rest()
    assert stranger.shown.is_drawn and "MANUAL LINK" in stranger.state.badges
    assert stranger.steps() == ["Place PET AC by its file's positions"] and stranger.window.tooling.name == "nudge"
    stranger.host.undo()
    assert not stranger.shown.is_drawn


def test_a_drag_with_nudge_moves_the_second_image_by_as_much_and_is_one_step(scene: Scene) -> None:
    scene.lay()
    QTest.mouseClick(scene.bar.nudge, LEFT)
    assert scene.window.tooling.name == "nudge" and scene.bar.nudge.isChecked()
    scene.drag(scene.at(20, 20), scene.at(28, 15), release=False)
    held = scene.shown
    assert held.wish.nudge != SAME_PLACE and scene.steps() == []  # still in the hand
    QTest.mouseRelease(scene.window.view.viewport(), LEFT, NONE, scene.at(28, 15))
    scene.rest()
    # Axial, 1 mm pixels: 8 mm to the patient's left, 5 mm to the front.
    shift, degrees = parts(scene.shown.matrix, (0, 0, 0))
    assert shift == pytest.approx((8.0, -5.0, 0.0), abs=0.1) and degrees == pytest.approx((0, 0, 0), abs=1e-6)
    assert scene.steps() == ["Nudge PET AC"] and "MANUAL LINK" in scene.state.badges and scene.shown.wish.nudge == SAME_PLACE
    scene.host.undo()
    assert scene.shown.matrix == SAME_PLACE and "MANUAL LINK" not in scene.state.badges
    scene.host.redo()
    assert parts(scene.shown.matrix, (0, 0, 0))[0] == pytest.approx((8.0, -5.0, 0.0), abs=0.1)


def test_a_nudge_in_a_turned_plane_moves_along_that_plane(scene: Scene) -> None:
    scene.lay()
    turn = turned_about(turn_of(CT_GRID, "axial"), (1.0, 0.0, 0.0), 30.0)
    scene.host.change_wish(turn=turn, place=(0.0, 0.0, -20.0))
    scene.rest()
    assert scene.state.is_oblique and scene.shown.is_drawn
    scene.window.actions_table["tool.nudge"].trigger()
    width, height = scene.state.layout.size
    start, end = scene.at(width / 2, height / 2), scene.at(width / 2 + 4, height / 2 + 8)
    scene.drag(start, end)
    shift, _degrees = parts(scene.shown.matrix, (0, 0, 0))
    # Down the screen is 30 degrees from the back towards the head.
    assert shift == pytest.approx((4.0, 8 * math.cos(math.radians(30)), 8 * math.sin(math.radians(30))), abs=0.15)


def test_ctrl_and_a_drag_turn_it_about_the_middle_of_the_view(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["tool.nudge"].trigger()
    scene.drag(scene.at(45, 20), scene.at(25, 36), CTRL)  # from the right of the middle to below it: a quarter of a turn
    assert degrees_of(scene.shown.matrix) == pytest.approx(90.0, abs=2.0)
    width, height = scene.state.layout.size
    center = scene.state.position_at((width / 2, height / 2))
    assert np.linalg.norm(np.asarray(scene.shown.matrix).reshape(4, 4)[:3] @ (*center, 1) - center) < 1e-6
    assert len(scene.steps()) == 1


def test_esc_in_the_middle_of_a_nudge_puts_it_back(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["tool.nudge"].trigger()
    scene.drag(scene.at(20, 20), scene.at(28, 15), release=False)
    scene.window.actions_table["gesture.cancel"].trigger()
    QTest.mouseRelease(scene.window.view.viewport(), LEFT, NONE, scene.at(28, 15))
    scene.rest()
    assert scene.shown.matrix == SAME_PLACE and scene.shown.wish.nudge == SAME_PLACE and scene.steps() == []


def test_numbers_do_what_the_drag_does(scene: Scene) -> None:
    scene.lay()
    QTest.mouseClick(scene.bar.more, LEFT)
    place = scene.bar.place
    assert place is not None and place.isVisible()
    for row, text in ((place.shift[2], "12.5"), (place.angles[0], "-4")):
        row.field.setFocus()
        row.field.selectAll()
        QTest.keyClicks(row.field, text)
        QTest.keyClick(row.field, Qt.Key.Key_Return)
        scene.rest()
    center = middle(PET_GRID)
    shift, degrees = parts(scene.shown.matrix, center)
    assert shift == pytest.approx((0, 0, 12.5), abs=1e-6) and degrees == pytest.approx((-4, 0, 0), abs=1e-6)
    assert scene.steps() == ["Nudge PET AC"] * 2
    assert "by hand" in place.how.text()
    QTest.mouseClick(place.undo_alignment, LEFT)
    scene.rest()
    assert scene.shown.matrix == SAME_PLACE and scene.steps()[-1] == "Remove the alignment of PET AC"
    assert not place.undo_alignment.isEnabled() and place.undo_alignment.toolTip()
    place.close()


def test_the_window_can_be_typed_in_the_popover_and_reset_to_the_usual_one(scene: Scene) -> None:
    scene.lay()
    QTest.mouseClick(scene.bar.more, LEFT)
    place = scene.bar.place
    assert place is not None
    width, level = place.window_rows
    assert (width.value(), level.value()) == (6.0, 3.0)
    for row, text in ((width, "12"), (level, "5.5")):
        row.field.setFocus()
        row.field.selectAll()
        QTest.keyClicks(row.field, text)
        QTest.keyClick(row.field, Qt.Key.Key_Return)
        scene.rest()
    window = scene.shown.display.window
    assert (window.width, window.center) == pytest.approx((12.0, 5.5))
    width.reset()
    scene.rest()
    assert scene.shown.display.window.width == pytest.approx(6.0)
    QTest.mouseClick(place.auto, LEFT)
    scene.rest()
    assert scene.shown.is_auto
    QTest.mouseClick(place.own, LEFT)
    scene.rest()
    assert scene.shown.display.window.high == pytest.approx(6.0) and not scene.shown.is_auto
    QTest.mouseClick(place.clear_low.switch, LEFT)
    scene.rest()
    assert scene.shown.follows_value
    place.close()


def found_at(matrix: tuple[float, ...]) -> Callable[..., Registration]:
    return lambda *_volumes, **_options: Registration(matrix, 1.2, 0.4, 10)


def test_align_is_one_step_with_a_badge_and_can_be_undone(stranger: Scene, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger.lay()
    matrix = rigid(shift=(10.0, 0.0, 0.0), degrees=(0, 0, 8.0))
    monkeypatch.setattr(fusing_module, "register", found_at(matrix))
    QTest.mouseClick(stranger.bar.align, LEFT)
    settle(qtbot, stranger.window)
    assert stranger.shown.matrix == pytest.approx(matrix) and "Registered by mutual information" in stranger.state.badges
    assert stranger.steps() == ["Align PET AC (rigid)"]
    message = stranger.window.messages.message()
    assert message is not None and "mm" in message.text and "8.0°" in message.text
    stranger.host.undo()
    assert not stranger.shown.is_drawn


def test_align_runs_in_a_worker_from_the_window(window: Window, qtbot: Any) -> None:
    k, j, i = np.indices((20, 24, 22))
    values = (1000 * np.exp(-(((k - 9) / 4) ** 2 + ((j - 14) / 5) ** 2 + ((i - 8) / 3) ** 2))).astype(np.float32)
    grid = replace(CT_GRID, shape=(20, 24, 22), spacing=(2.0, 1.0, 1.5))
    x, y, z = grid.origin
    scene = Scene(window, pet(values, geometry=replace(grid, origin=(x + 3.0, y - 2.0, z + 2.0), frame_uid="1.2.840.2")))
    first = put_volume(window, ct(values.astype(np.int16), geometry=grid))
    scene.lay()
    scene.window.actions_table["fusion.align"].trigger()
    settle(qtbot, window)
    shift, degrees = parts(scene.shown.matrix, middle(scene.second.geometry))
    assert scene.state.root_id == first.id and shift == pytest.approx((-3.0, 2.0, -2.0), abs=0.5)
    assert max(map(abs, degrees)) < 8  # a ball in a box: the turn is hardly told


def test_align_can_be_cancelled_and_leaves_everything_as_it_was(stranger: Scene, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(*_volumes: Any, progress: Callable[[int, int], None], **_options: Any) -> Registration:
        while True:
            progress(450, 1000)
            QTest.qSleep(5)

    stranger.lay()
    monkeypatch.setattr(fusing_module, "register", waits)
    QTest.mouseClick(stranger.bar.align, LEFT)
    qtbot.waitUntil(lambda: stranger.bar.align.text() == "Cancel, 45 %", timeout=PATIENCE_MS)
    QTest.mouseClick(stranger.bar.align, LEFT)
    settle(qtbot, stranger.window)
    assert stranger.steps() == [] and not stranger.shown.is_drawn and stranger.bar.align.text() == "Align (rigid)"


def test_why_an_alignment_failed_is_said(stranger: Scene, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_volumes: Any, **_options: Any) -> Registration:
        raise Refused("The two images do not overlap.")

    stranger.lay()
    monkeypatch.setattr(fusing_module, "register", refuses)
    stranger.window.actions_table["fusion.align"].trigger()
    settle(qtbot, stranger.window)
    message = stranger.window.messages.message()
    assert message is not None and "do not overlap" in message.text and stranger.steps() == []
    with pytest.raises(OperationCancelled):
        raise OperationCancelled("Cancelled.")


def test_what_lies_over_one_plane_lies_over_all(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["layout.mpr"].trigger()
    scene.rest()
    wishes = scene.host.desk.wishes
    assert len(wishes) == 3 and all(w.fusion is not None for w in wishes)
    scene.fusing.change(opacity=0.9)
    assert [w.fusion.opacity for w in scene.host.desk.wishes if w.fusion is not None] == [0.9] * 3


def test_the_difference_without_a_common_unit_says_so(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["fusion.difference"].trigger()
    scene.rest()
    assert not scene.shown.is_drawn and "HU" in scene.bar.reason.text() and scene.bar.mode.isVisible()


def test_both_values_are_told_the_second_under_the_first(scene: Scene) -> None:
    scene.lay()
    QTest.mouseMove(scene.window.view.viewport(), scene.at(20.5, 20.5))
    scene.rest()
    lines = scene.window.view._probe_text.split("\n")
    place = scene.state.position_at((20.5, 20.5))
    index = PET_GRID.nearest(place)
    assert index is not None
    assert lines[0] == "40 HU" and lines[1] == f"PET AC: {float(scene.second.values[index]):.2f} SUVbw".replace(
        "-", lines[1][8] if lines[1][8] in "-−" else "-"
    )


def test_j_hides_and_shows_the_second_image(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["view.overlays"].trigger()
    assert not scene.shown.is_drawn
    scene.window.actions_table["view.overlays"].trigger()
    assert scene.shown.is_drawn


def test_reset_keeps_the_second_image(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["view.reset"].trigger()
    assert scene.shown.is_drawn


def test_exchange_shows_the_second_with_the_first_over_it(scene: Scene) -> None:
    scene.lay()
    scene.window.actions_table["fusion.exchange"].trigger()
    scene.rest()
    assert scene.state.root_id == scene.second.id and scene.shown.volume.id == scene.first.id and scene.shown.is_drawn


def test_another_patient_is_said(window: Window) -> None:
    scene = Scene(window, pet(identity=Identity(modality="PT", patient_id="P2", series_description="PET AC")))
    scene.lay()
    message = window.messages.message()
    assert message is not None and "another patient" in message.text and "OTHER PATIENT" in scene.state.badges


def test_actions_say_why_they_are_not_there(scene: Scene) -> None:
    actions = scene.window.actions_table
    for name in ("tool.nudge", "fusion.align", "fusion.curtain", "fusion.remove"):
        assert not actions[name].isEnabled() and "second one" in actions[name].toolTip()
    scene.lay()
    assert all(actions[name].isEnabled() for name in ("tool.nudge", "fusion.align", "fusion.curtain", "fusion.remove"))
    assert not actions["fusion.as_files_say"].isEnabled()


def test_every_control_of_the_bar_and_the_popover_has_a_name(scene: Scene) -> None:
    scene.lay()
    QTest.mouseClick(scene.bar.more, LEFT)
    place = scene.bar.place
    assert place is not None
    for part in (scene.bar, place):
        for widget in part.findChildren(QWidget):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(widget, QAbstractItemView):
                assert widget.accessibleName() or getattr(widget, "text", str)(), widget
    place.close()


def test_a_dropped_file_can_be_fused_though_its_grid_is_another(window: Window, open_paths: Callable[..., None], tmp_path: Path, qtbot: Any) -> None:
    values = np.random.default_rng(5).integers(-900, 1200, (5, 18, 22)).astype(np.int16)
    open_paths(window, write(tmp_path / "image.nii.gz", values))
    root = window.host.root_id
    drop(window.view, write(tmp_path / "map.nii.gz", np.ones((4, 9, 11), np.float32), spacing=(1.6, 1.6, 4.0)))
    menu = menu_of(window, qtbot)
    assert menu.fusion.isEnabled()
    menu.fusion.trigger()
    menu.close()
    qtbot.waitUntil(lambda: window.host.state.fusion is not None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert window.host.root_id == root  # it was not opened in place of the image
    shown = window.host.state.fusion
    assert shown is not None and not shown.is_drawn and "Nothing says" in shown.reason
    window.fusion_commands.fusing.place_by_hand()
    shown = window.host.state.fusion
    assert shown is not None and shown.is_drawn and "MANUAL LINK" in window.host.state.badges


def test_a_listed_series_is_read_and_laid_over_by_its_menu(window: Window, open_paths: Callable[..., None], tmp_path: Path, qtbot: Any) -> None:
    values = np.random.default_rng(5).integers(-900, 1200, (5, 18, 22)).astype(np.int16)
    open_paths(window, write(tmp_path / "image.nii.gz", values), write(tmp_path / "other.nii.gz", values))
    row = next(r for r in window.opener.rows() if not r.root_id)
    menu = window.browser.build_menu(row)
    action = next(a for a in menu.actions() if a.text() == "Fuse with the shown image")
    assert action.isEnabled()
    action.trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: window.host.state.fusion is not None, timeout=PATIENCE_MS)
    shown_row = next(r for r in window.opener.rows() if r.root_id == window.host.root_id)
    own = next(a for a in window.browser.build_menu(shown_row).actions() if a.text() == "Fuse with the shown image")
    assert not own.isEnabled() and "itself" in own.toolTip()


def test_a_color_window_is_not_asked_of_a_second_in_colour(window: Window) -> None:
    colour = replace(ct(), data=np.zeros((1, *CT_GRID.shape, 3), np.uint8), is_color=True, unit="", windows=(ValueWindow(1, 1),))
    scene = Scene(window, colour)
    scene.lay()
    assert "colour image" in scene.bar.reason.text() and not scene.bar.by_hand.isVisible()
    assert not math.isnan(scene.shown.opacity)
