from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QHelpEvent, QImage, QKeySequence, QShortcut, QWheelEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from tests.ui.mouse import double_click
from viewer.core.annotation import Annotation
from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.labels import LabelLayer, Segment
from viewer.core.operation import Range
from viewer.core.render import spread
from viewer.core.slab import Slab
from viewer.core.volume import Identity, ValueScale, Volume
from viewer.core.window import Window
from viewer.draw.overlay import shown_badges
from viewer.draw.picture import Preview
from viewer.draw.screenshot import screenshot
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.profile import load_profile
from viewer.session.view import ViewWish, resolve
from viewer.ui.action_table import TABLE
from viewer.ui.views.probe import probe_at
from viewer.ui.views.slice_view import SliceView

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
GEOMETRY = Geometry((30, 100, 100), (10, 20, 30), (2.0, 0.5, 0.5))


def a_document() -> Document:
    data = np.random.default_rng(4).integers(-1000, 1000, (1, *GEOMETRY.shape)).astype(np.int16)
    who = Identity(series_uid="1.2", series_description="t1_vibe", modality="CT")
    document = Document()
    document.add_source(Volume("root", data, GEOMETRY, unit="HU", identity=who, windows=(Window(40, 400), Window(-600, 1500, name="Lung"))))
    layer = LabelLayer("layer", "L", GEOMETRY, "root", (Segment(1, "Liver", "#37F8C8"),))
    document.commit(document.step("Add", (ItemChange("layer", "layer", None, layer),)))
    return document


@pytest.fixture
def document() -> Iterator[Document]:
    made = a_document()
    yield made
    vars(made).clear()  # pytest keeps what fixtures give until after the look at what is left behind


def give_keys(view: SliceView) -> None:
    """The keys of the default profile, which in the window are those of its actions."""
    keys = load_profile("default")[0].keys
    for spec in TABLE:
        for key in keys.get(spec.id, ()) if spec.command else ():
            shortcut = QShortcut(QKeySequence(key), view, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda command=spec.command: view.run(command))


@pytest.fixture
def view(qtbot: QtBot, document: Document) -> Iterator[SliceView]:
    made = SliceView()
    qtbot.addWidget(made)
    made.resize(400, 400)
    made.set_document(document, ViewWish("root", index=15))
    give_keys(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.set_tool("window")
    made.set_document(None)


def drag(qtbot: QtBot, view: SliceView, button: Qt.MouseButton, start: tuple[int, int], end: tuple[int, int], modifiers: Any = NONE) -> None:
    port = view.viewport()
    qtbot.mousePress(port, button, modifiers, QPoint(*start))
    middle = QPoint((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
    for at in (middle, QPoint(*end)):
        # QTest.mouseMove carries no button; the view knows what is pressed.
        qtbot.mouseMove(port, at)
        QApplication.processEvents()
    qtbot.mouseRelease(port, button, modifiers, QPoint(*end))


def wheel(view: SliceView, delta: int, modifiers: Any = NONE, at: tuple[float, float] = (200, 200)) -> None:
    spot = QPointF(*at)
    event = QWheelEvent(
        spot, view.viewport().mapToGlobal(spot), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(view.viewport(), event)


def place_under(view: SliceView, at: tuple[float, float]) -> tuple[float, float, float]:
    return view.state.position_at(view.state.placement(view.viewport_size).to_picture(at))


# --- what is seen ---


def test_the_window_shows_the_pixels_of_an_export(qtbot: QtBot, view: SliceView, document: Document) -> None:
    view.set_wish(ViewWish("root", index=7, zoom=1.0, text="none"))
    QApplication.processEvents()
    grabbed = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    exported = screenshot(document, view.wish, (400, 400))
    for x, y in ((150, 150), (200, 200), (249, 249), (20, 20), (175, 222)):
        assert grabbed.pixel(x, y) == exported.pixel(x, y)
    values = document.volume("root").values[7].astype(float)
    expected = np.floor(np.clip(((values - 39.5) / 399 + 0.5) * 255, 0, 255) + 0.5)
    shown = [[grabbed.pixelColor(150 + c, 150 + r).red() for c in range(0, 100, 9)] for r in range(0, 100, 9)]
    assert np.array_equal(shown, expected[::9, ::9])


def test_the_name_says_what_is_shown(qtbot: QtBot, view: SliceView) -> None:
    assert view.accessibleName() == "View 1, t1_vibe, slice 16 of 30"
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.accessibleName() == "View 1, t1_vibe, slice 17 of 30"
    view.set_document(None)
    assert view.accessibleName() == "View 1, empty"


def test_an_equal_wish_repaints_nothing(qtbot: QtBot, view: SliceView) -> None:
    QApplication.processEvents()
    before = view._item
    assert before is not None
    picture = before.picture
    view.set_wish(ViewWish("root", index=15, text="none"))  # only the texts differ
    view.viewport().repaint()
    assert before.picture is picture
    view.set_wish(ViewWish("root", index=16, text="none"))
    view.viewport().repaint()
    assert before.picture is not picture


def test_an_edit_is_seen_at_once(qtbot: QtBot, view: SliceView, document: Document) -> None:
    document.changed.connect(lambda _: view.refresh())
    view.viewport().repaint()
    before = view.viewport().grab().toImage().pixel(200, 200)
    with document.edit("Paint") as edit:
        edit.paint("layer", (slice(15, 16), slice(40, 60), slice(40, 60)), np.ones((1, 20, 20), np.bool_), 1)
    assert view.viewport().grab().toImage().pixel(200, 200) != before
    document.undo()
    assert view.viewport().grab().toImage().pixel(200, 200) == before


def test_a_preview_is_shown_and_goes_with_its_slice(qtbot: QtBot, view: SliceView) -> None:
    view.set_wish(ViewWish("root", index=15, text="none"))
    before = view.viewport().grab().toImage()
    view.set_preview(np.full((100, 100), 3000, np.int16))
    assert view.viewport().grab().toImage().pixelColor(200, 200).red() == 255
    view.set_preview(Preview(np.ones((100, 100), np.bool_), "labels"))
    assert view.viewport().grab().toImage() != before
    view.set_preview(None)
    assert view.viewport().grab().toImage() == before
    view.set_preview(np.full((100, 100), 3000, np.int16))
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.viewport().grab().toImage() == before


# --- mouse ---


def test_the_wheel_scrolls_and_shift_makes_ten(qtbot: QtBot, view: SliceView) -> None:
    with qtbot.waitSignal(view.wish_changed) as caught:
        wheel(view, -120)
    assert caught.args[0].index == 16
    wheel(view, 120, SHIFT)
    assert view.state.index == 6
    wheel(view, 12000)
    assert view.state.index == 0


def test_the_wheel_with_ctrl_zooms_at_the_pointer(qtbot: QtBot, view: SliceView) -> None:
    at = (90.0, 310.0)
    before = place_under(view, at)
    wheel(view, 240, CTRL, at)
    assert view.state.zoom == pytest.approx(4.0 * 1.2**2)
    assert place_under(view, at) == pytest.approx(before)


def test_a_left_drag_windows(qtbot: QtBot, view: SliceView, document: Document) -> None:
    found = spread(document.volume("root"))
    gain = (found.high - found.low) / 256
    drag(qtbot, view, LEFT, (200, 200), (230, 180))
    window = view.state.window
    assert (window.center, window.width) == pytest.approx((40 - 20 * gain, 400 + 30 * gain))
    assert len(document.history) == 1  # windowing is no step


@pytest.mark.parametrize(("button", "modifiers"), [(MIDDLE, NONE), (LEFT, SHIFT)])
def test_middle_and_shift_drags_pan(qtbot: QtBot, view: SliceView, button: Any, modifiers: Any) -> None:
    before = place_under(view, (200, 200))
    drag(qtbot, view, button, (200, 200), (250, 170), modifiers)
    assert place_under(view, (250, 170)) == pytest.approx(before)
    assert view.state.window == Window(40, 400)


def test_a_right_drag_zooms_about_the_press_and_a_right_click_asks_for_the_menu(qtbot: QtBot, view: SliceView) -> None:
    wanted: list[QPoint] = []
    view.menu_wanted.connect(wanted.append)
    before = place_under(view, (100, 100))
    drag(qtbot, view, RIGHT, (100, 100), (100, 50))
    assert view.state.zoom is not None
    assert view.state.zoom > 4.0
    assert place_under(view, (100, 100)) == pytest.approx(before)
    assert not wanted
    zoom = view.state.zoom
    drag(qtbot, view, RIGHT, (100, 100), (103, 101))
    assert wanted == [view.viewport().mapToGlobal(QPoint(103, 101))]
    assert view.state.zoom == zoom


def test_the_scroll_and_zoom_tools(qtbot: QtBot, view: SliceView) -> None:
    view.set_tool("scroll")
    drag(qtbot, view, LEFT, (200, 200), (200, 240))
    assert view.state.index == 20
    view.set_tool("zoom")
    drag(qtbot, view, LEFT, (200, 200), (200, 150))
    assert view.state.zoom is not None


def test_a_double_click_is_told(qtbot: QtBot, view: SliceView) -> None:
    with qtbot.waitSignal(view.double_clicked):
        double_click(view.viewport(), QPoint(200, 200))


def test_the_value_under_the_pointer_is_that_of_the_voxel(qtbot: QtBot, view: SliceView, document: Document) -> None:
    probes: list[Any] = []
    view.pointer_moved.connect(probes.append)
    for at, pixel in (((1, 0), (0, 0)), ((3, 3), (0, 0)), ((4, 4), (1, 1)), ((399, 202), (50, 99))):
        qtbot.mouseMove(view.viewport(), QPoint(200, 5))
        qtbot.mouseMove(view.viewport(), QPoint(*at))
        QApplication.processEvents()
        assert probes[-1].index == (15, *pixel)
        assert probes[-1].value_text == f"{document.volume('root').values[15, pixel[0], pixel[1]]} HU"
    assert probes[-1].position == pytest.approx((10 + 399.0 / 4 / 2 - 0.25, 20 + 202 / 4 / 2 - 0.25, 60.0))
    assert probes[-1].position_text.startswith("L 59.6  P 45.0  H 60.0")


# --- keys ---


@pytest.mark.parametrize(
    ("key", "modifiers", "expected"),
    [
        (Qt.Key.Key_Up, NONE, {"index": 14}), (Qt.Key.Key_Right, NONE, {"index": 16}), (Qt.Key.Key_Down, SHIFT, {"index": 25}),
        (Qt.Key.Key_Home, NONE, {"index": 0}), (Qt.Key.Key_End, NONE, {"index": 29}), (Qt.Key.Key_I, NONE, {"is_inverted": True}),
        (Qt.Key.Key_R, NONE, {"quarter_turns": 1}), (Qt.Key.Key_L, NONE, {"quarter_turns": 3}), (Qt.Key.Key_H, NONE, {"flip_horizontal": True}),
        (Qt.Key.Key_2, NONE, {"window": Window(-600, 1500, name="Lung")}), (Qt.Key.Key_Space, NONE, {"text": "short"}),
        (Qt.Key.Key_0, NONE, {"window": Window(-600, 1500, name="Lung")}),
    ],
)  # fmt: skip
def test_keys_do_what_the_key_sheet_says(qtbot: QtBot, view: SliceView, key: Any, modifiers: Any, expected: dict[str, Any]) -> None:
    qtbot.keyClick(view, key, modifiers)
    assert {name: getattr(view.wish, name) for name in expected} == expected


def test_keys_zoom_and_fit(qtbot: QtBot, view: SliceView) -> None:
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.state.zoom == pytest.approx(4.8)
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert view.state.zoom == pytest.approx(4.0)
    qtbot.keyClick(view, Qt.Key.Key_Equal)
    assert view.state.zoom is None


def test_a_mirrored_picture_on_its_side_is_mirrored_left_to_right(qtbot: QtBot, view: SliceView) -> None:
    qtbot.keyClick(view, Qt.Key.Key_R)
    before = view.state.layout.edge_letters(GEOMETRY)
    qtbot.keyClick(view, Qt.Key.Key_H)
    left, top, right, bottom = view.state.layout.edge_letters(GEOMETRY)
    assert (right, top, left, bottom) == before


def test_keys_without_a_command_are_left_to_others(qtbot: QtBot, view: SliceView) -> None:
    wish = view.wish
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_Q):
        qtbot.keyClick(view, key)
    assert view.wish == wish


def test_an_empty_view_takes_every_gesture_calmly(qtbot: QtBot) -> None:
    view = SliceView()
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.set_message("Drop a series here.")
    view.show()
    qtbot.waitExposed(view)
    drag(qtbot, view, LEFT, (20, 20), (60, 60))
    drag(qtbot, view, RIGHT, (20, 20), (60, 60))
    wheel(view, 120, at=(50, 50))
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.wish == ViewWish()


# --- tools of plugins ---


@dataclass
class Recorder:
    """A tool that writes down what it is fed."""

    options: Any = None
    told: list[tuple[str, Any]] = field(default_factory=list)
    fault: Exception | None = None

    def press(self, host: Any, pointer: Any) -> None:
        if self.fault is not None:
            raise self.fault
        self.told.append(("press", pointer))

    def move(self, host: Any, pointer: Any) -> None:
        self.told.append(("move", pointer))

    def release(self, host: Any, pointer: Any) -> None:
        self.told.append(("release", pointer))

    def cancel(self, host: Any) -> None:
        self.told.append(("cancel", None))

    def shapes(self, host: Any, pointer: Any) -> tuple[Annotation, ...]:
        if pointer is None:
            return ()
        x, y, z = pointer.position
        return (Annotation("", "circle", "root", ((x, y, z), (x + 5, y, z), (x, y + 5, z))),)


def test_a_tool_is_fed_places_and_indices(qtbot: QtBot, view: SliceView) -> None:
    tool = Recorder()
    view.set_tool(tool, object())  # type: ignore[arg-type]
    drag(qtbot, view, LEFT, (2, 2), (202, 102), ALT)
    assert [name for name, _ in tool.told] == ["press", "move", "move", "release"]
    first, last = tool.told[0][1], tool.told[-1][1]
    assert first.index == pytest.approx((15, 0, 0))
    assert first.position == pytest.approx((10, 20, 60))
    assert (first.axis, first.shift, first.alt) == (0, False, True)
    assert first.pixel == pytest.approx(0.5 / 4)
    assert last.index == pytest.approx((15, 25, 50))
    assert view.state.window == Window(40, 400)


def test_windowing_works_from_inside_a_tool(qtbot: QtBot, view: SliceView) -> None:
    tool = Recorder()
    view.set_tool(tool, object())  # type: ignore[arg-type]
    drag(qtbot, view, LEFT, (200, 200), (230, 200), CTRL | SHIFT)
    assert not tool.told
    assert view.state.window.width > 400


def test_what_a_tool_shows_follows_the_pointer_and_leaves_with_it(qtbot: QtBot, view: SliceView) -> None:
    view.set_wish(ViewWish("root", index=15, text="none"))
    bare = view.viewport().grab().toImage()
    view.set_tool(Recorder(), object())  # type: ignore[arg-type]
    view.hover((150.0, 150.0), Qt.KeyboardModifier.NoModifier)  # a moved cursor is not reported offscreen each time
    assert view.viewport().grab().toImage() != bare
    view.set_tool("pan")
    assert view.viewport().grab().toImage() == bare


@dataclass
class Sized:
    radius: Annotated[float, Range(0.1, 12.0)] = 10.0


def test_shift_and_wheel_change_a_tools_radius_within_its_limits(qtbot: QtBot, view: SliceView) -> None:
    tool = Recorder(options=Sized())
    view.set_tool(tool, object())  # type: ignore[arg-type]
    with qtbot.waitSignal(view.options_changed):
        wheel(view, 120, SHIFT)
    assert tool.options.radius == pytest.approx(11.5)
    wheel(view, 1200, SHIFT)
    assert tool.options.radius == 12.0
    wheel(view, -120 * 100, SHIFT)
    assert tool.options.radius == 0.1
    assert view.state.index == 15


def test_escape_cancels_a_gesture_and_resets_nothing(qtbot: QtBot, view: SliceView) -> None:
    tool = Recorder()
    view.set_tool(tool, object())  # type: ignore[arg-type]
    wish = view.wish
    qtbot.mousePress(view.viewport(), LEFT, NONE, QPoint(50, 50))
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.mouseRelease(view.viewport(), LEFT, NONE, QPoint(50, 50))
    assert [name for name, _ in tool.told] == ["press", "cancel"]
    assert view.wish == wish


@pytest.mark.parametrize("fault", [Refused("No."), ValueError("a bug of the plugin")])
def test_a_tools_fault_is_told_and_its_gesture_cancelled(qtbot: QtBot, view: SliceView, fault: Exception) -> None:
    tool = Recorder(fault=fault)
    view.set_tool(tool, object())  # type: ignore[arg-type]
    with qtbot.waitSignal(view.failed) as caught:
        qtbot.mousePress(view.viewport(), LEFT, NONE, QPoint(50, 50))
    assert caught.args == [fault]
    qtbot.mouseRelease(view.viewport(), LEFT, NONE, QPoint(50, 50))
    assert [name for name, _ in tool.told] == ["cancel"]


# --- drops ---


def test_dropped_files_are_told_as_paths(qtbot: QtBot, view: SliceView, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.dcm")), QUrl.fromLocalFile(str(tmp_path))])
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, LEFT, NONE)
    with qtbot.waitSignal(view.files_dropped) as caught:
        view.dropEvent(event)
    assert caught.args == [(tmp_path / "a.dcm", tmp_path)]


def test_key_o_takes_overlays_and_shutter_of_the_file_away_and_back(qtbot: QtBot) -> None:
    marks = GraphicPlane(0, 15, 1, "graphic", "", np.packbits(np.eye(100, dtype=bool), axis=1))
    document = Document()
    data = np.zeros((1, *GEOMETRY.shape), np.int16)
    document.add_source(Volume("root", data, GEOMETRY, identity=Identity(series_uid="1.2"), graphics=(marks,), shutter=Shutter(circle=(50, 50, 40))))
    view = SliceView()
    qtbot.addWidget(view)
    view.set_document(document, ViewWish("root", index=15))
    give_keys(view)
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    for shown in (False, True):
        qtbot.keyClick(view, Qt.Key.Key_O)
        assert view.wish.show_graphics == shown
        assert (len(view.state.graphics), view.state.shutter is not None) == (int(shown), shown)
    view.set_document(None)
    vars(document).clear()


def test_the_value_under_the_pointer_is_told_in_suv_too() -> None:
    document = Document()
    data = np.full((1, *GEOMETRY.shape), 5000, np.float32)
    document.add_source(Volume("root", data, GEOMETRY, unit="Bq/mL", scales=(ValueScale("SUVbw", 1.3816833 / 5000),)))
    found = probe_at(resolve(ViewWish("root"), document), document, (3.0, 3.0))
    assert found is not None
    assert found.value_text == "5000 Bq/mL · 1.38 SUVbw"


def test_d15_a_value_that_only_fills_the_frame_is_told_as_padding() -> None:
    document = Document()
    data = np.full((1, *GEOMETRY.shape), -2000, np.float32)
    data[0, :, :, 3:] = 12
    document.add_source(Volume("root", data, GEOMETRY, unit="Bq/mL", padding=(-2000, -1900), scales=(ValueScale("SUVbw", 0.5),)))

    def told(column: float, slab: Slab | None = None) -> str:
        state = resolve(ViewWish("root", slab=slab), document)
        found = probe_at(state, document, (column * state.layout.step[1], 3.0))
        return found.value_text if found is not None else ""

    assert told(1.5) == "-2000 Bq/mL · padding", "no second unit: it is no amount of anything"
    assert told(4.5) == "12 Bq/mL · 6.00 SUVbw"
    assert told(1.5, Slab("mean", 12.0)) == "MEAN 12 mm: -2000 Bq/mL · padding"


def hovered_tip(view: SliceView, place: QPoint) -> str:
    """What the tooltip says that comes up when the pointer rests there; none is left from before."""
    QToolTip.hideText()
    end = time.monotonic() + 10
    while QToolTip.isVisible() and time.monotonic() < end:
        QApplication.processEvents()
    QApplication.sendEvent(view.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place)))
    return QToolTip.text() if QToolTip.isVisible() else ""


def test_hovering_a_badge_says_what_it_means(qtbot: QtBot) -> None:
    document, view = Document(), SliceView()
    volume = Volume("root", np.zeros((1, 3, 800, 800), np.int16), Geometry((3, 800, 800)), unit="HU", badges=("INCOMPLETE", "LOSSY 12:1"))
    document.add_source(volume)
    qtbot.addWidget(view)
    view.resize(500, 500)
    view.set_document(document, ViewWish("root"))
    view.show()
    qtbot.waitExposed(view)
    (first, box), (second, beside) = shown_badges(view.state, QRectF(0, 0, *view.viewport_size), view.devicePixelRatioF())
    assert (first, second) == ("INCOMPLETE", "LOSSY 12:1")
    picture = view.viewport().grab().toImage()
    assert picture.pixelColor(box.center().toPoint() + QPoint(0, round(box.height() / 2) - 2)).lightness() > 10  # the badge is painted there
    assert picture.pixelColor(box.bottomLeft().toPoint() + QPoint(8, 6)).lightness() == 0
    assert hovered_tip(view, box.center().toPoint()) == "Planes or frames are missing; what is missing is listed below."
    assert hovered_tip(view, beside.center().toPoint()).startswith("The pixels went through lossy compression")
    assert hovered_tip(view, QPoint(250, 400)) == ""
    view.run("view.text"), view.run("view.text")
    assert view.wish.text == "none"
    assert hovered_tip(view, box.center().toPoint()) == ""  # no corner text, no badges
