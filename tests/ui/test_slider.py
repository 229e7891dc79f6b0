"""The slice slider and the magnifier of a view: by real mouse events, and what their marks mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QMouseEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from viewer.core.annotation import Annotation, Measure
from viewer.core.geometry import Geometry
from viewer.core.labels import LabelLayer, Segment
from viewer.core.report import Report, Score
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.draw.slice_bar import groove, index_at, thumb, y_of
from viewer.session.document import Document
from viewer.session.key_images import note_key_image, toggle_key_image
from viewer.session.view import ViewWish, resolve
from viewer.ui.views import slider
from viewer.ui.views.slice_view import SliceView

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
GRID = Geometry((40, 50, 60), (0, 0, 0), (2.0, 0.5, 0.5))


def a_document(grid: Geometry = GRID, phases: int = 1) -> Document:
    k, j, i = np.ogrid[: grid.shape[0], : grid.shape[1], : grid.shape[2]]
    values = np.broadcast_to(k * 100 + j - i, (phases, *grid.shape)).astype(np.int16)
    document = Document()
    document.add_source(Volume("root", values, grid, unit="HU", identity=Identity(series_uid="1.2"), windows=(Window(2000, 4000),)))
    return document


@pytest.fixture
def document() -> Iterator[Document]:
    made = a_document()
    yield made
    vars(made).clear()


def make_view(qtbot: QtBot, document: Document) -> SliceView:
    view = SliceView()
    qtbot.addWidget(view)
    view.resize(420, 400)
    view.set_document(document, ViewWish("root", index=15))
    view.show()
    qtbot.waitExposed(view)
    return view


@pytest.fixture
def view(qtbot: QtBot, document: Document) -> Iterator[SliceView]:
    made = make_view(qtbot, document)
    yield made
    made.set_document(None)


def rect_of(view: SliceView) -> QRectF:
    return QRectF(0, 0, *view.viewport_size)


def spot(view: SliceView, index: float) -> QPoint:
    """On the groove, at the height of a slice."""
    bar = view.navigator.slider.bar()
    assert bar is not None
    place = groove(rect_of(view), bar)
    assert place is not None
    return QPoint(round(place.center().x()), round(y_of(rect_of(view), bar, index)))


def move(view: SliceView, at: QPoint) -> None:
    """Qt's own mouseMove sends nothing where the pointer is there already."""
    port, buttons = view.viewport(), QApplication.mouseButtons()
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(at), QPointF(port.mapToGlobal(at)), Qt.MouseButton.NoButton, buttons, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(port, event)


def point(view: SliceView, at: QPoint) -> None:
    """Move the pointer there and let the tooltip come."""
    port = view.viewport()
    QApplication.sendEvent(port, QHelpEvent(QEvent.Type.ToolTip, at, port.mapToGlobal(at)))


def test_a_press_on_the_groove_goes_there_and_a_drag_goes_on(view: SliceView, qtbot: QtBot) -> None:
    port, told = view.viewport(), []
    view.wish_changed.connect(lambda wish: told.append(wish.index))
    qtbot.mousePress(port, LEFT, pos=spot(view, 30))
    assert view.state.index == 30
    for index in (35, 5):
        move(view, spot(view, index))
        assert view.state.index == index
    move(view, QPoint(200, -900))  # beyond the end, and beside the bar: it is still held
    assert view.state.index == 0
    qtbot.mouseRelease(port, LEFT, pos=spot(view, 12))
    move(view, spot(view, 20))
    assert view.state.index == 0
    assert told == [30, 35, 5, 0]


def test_the_thumb_is_taken_where_it_is_pressed(view: SliceView, qtbot: QtBot) -> None:
    bar = view.navigator.slider.bar()
    assert bar is not None
    held = thumb(rect_of(view), bar)
    assert held is not None
    at = QPoint(round(held.center().x()), round(held.top() + 2))
    qtbot.mousePress(view.viewport(), LEFT, pos=at)
    assert view.state.index == 15
    step = (groove(rect_of(view), bar).height() - held.height()) / (bar.count - 1)  # type: ignore[union-attr]
    move(view, at + QPoint(0, round(10 * step)))
    assert view.state.index == 25
    qtbot.mouseRelease(view.viewport(), LEFT, pos=at)


def test_nothing_of_it_reaches_the_tool_in_hand(view: SliceView, qtbot: QtBot) -> None:
    before = view.state.window
    qtbot.mousePress(view.viewport(), LEFT, pos=spot(view, 20))
    move(view, spot(view, 30))
    qtbot.mouseRelease(view.viewport(), LEFT, pos=spot(view, 30))
    assert view.state.window == before and not view.is_dragging
    qtbot.mousePress(view.viewport(), LEFT, pos=QPoint(200, 200))  # beside it the tool has the pointer, over the bar too
    move(view, QPoint(260, 200))
    index = view.state.index
    move(view, spot(view, 3))
    qtbot.mouseRelease(view.viewport(), LEFT, pos=spot(view, 3))
    assert view.state.window != before and view.state.index == index


def test_it_is_wide_under_the_pointer_and_comes_out_of_hiding_there(view: SliceView, qtbot: QtBot) -> None:
    slider = view.navigator.slider
    move(view, QPoint(200, 200))
    assert not slider.is_wide
    move(view, spot(view, 20))
    assert slider.is_wide
    view.set_wish(ViewWish("root", index=15, text="none"))
    wide = view.viewport().grab().toImage()
    QApplication.sendEvent(view.viewport(), QEvent(QEvent.Type.Leave))
    assert not slider.is_wide
    hidden = view.viewport().grab().toImage()
    x = spot(view, 15).x()
    y = spot(view, 15).y()
    assert QColor(wide.pixel(x, y)).lightness() > QColor(hidden.pixel(x, y)).lightness() + 80
    assert abs(QColor(hidden.pixel(x, y)).red() - QColor(hidden.pixel(x - 30, y)).red()) < 12


def test_every_slice_is_reached_and_marked_where_its_thumb_stands(view: SliceView) -> None:
    bar = view.navigator.slider.bar()
    assert bar is not None
    for index in range(bar.count):
        assert index_at(rect_of(view), bar, y_of(rect_of(view), bar, index)) == index


def test_marks_of_key_images_and_findings_are_painted_told_and_gone_to(view: SliceView, document: Document, qtbot: QtBot) -> None:
    wish = ViewWish("root", index=33)
    item = toggle_key_image(document, wish, resolve(wish, document))
    assert item is not None
    note_key_image(document, item.id, "nodule in the left lung")
    z = 7 * 2.0
    line = Annotation("a", "distance", "root", ((1.0, 1.0, z), (5.0, 1.0, z)), measures=(Measure("Length", 4.0, "mm"),))
    report = Report("r", "Lungs", "root", 3, 0, "m", "1", "t", (Score("yes", 0.9),), None, "", "cpu", 1.0)
    with document.edit("Add") as edit:
        edit.put(line)
        edit.put(report)
    view.refresh()
    bar = view.navigator.slider.bar()
    assert bar is not None and {(m.index, m.kind) for m in bar.marks} == {(33, "key_image"), (7, "annotation"), (3, "report")}
    point(view, spot(view, 33))
    assert QToolTip.text() == "Slice 34 / 40\nKey image: nodule in the left lung"
    point(view, spot(view, 7))
    assert QToolTip.text() == "Slice 8 / 40\nDistance 1  4.0 mm"
    point(view, spot(view, 3))
    assert QToolTip.text() == "Slice 4 / 40\nReport: Lungs"
    picture = view.viewport().grab().toImage()
    place = groove(rect_of(view), bar)
    assert place is not None
    tick = QColor(picture.pixel(round(place.left() - 7), round(y_of(rect_of(view), bar, 33))))
    assert tick.red() > 180 and tick.green() > 160 and tick.blue() < 170  # the letters' yellow
    near = QPoint(round(place.left() - 5), round(y_of(rect_of(view), bar, 33)) + 4)
    qtbot.mouseClick(view.viewport(), LEFT, pos=near)
    assert view.state.index == 33  # a click beside the tick goes to its very slice


def test_segments_are_marked_by_their_slices_the_chosen_one_alone(view: SliceView, document: Document, qtbot: QtBot) -> None:
    layer = LabelLayer("layer", "L", GRID, "root", (Segment(1, "Liver", "#37F8C8"), Segment(2, "Spleen", "#985AED")))
    with document.edit("Paint") as edit:
        edit.put(layer)
        edit.paint("layer", (slice(4, 9), slice(10, 20), slice(10, 20)), np.ones((5, 10, 10), bool), 1)
        edit.paint("layer", (slice(30, 31), slice(10, 20), slice(30, 42)), np.ones((1, 10, 12), bool), 2)
    view.refresh()
    slider = view.navigator.slider
    qtbot.waitUntil(lambda: bool(slider.bar().runs))  # type: ignore[union-attr]
    assert [(r.first, r.last, r.name) for r in slider.bar().runs] == [(4, 8, "Liver"), (30, 30, "Spleen")]  # type: ignore[union-attr]
    slider.set_segment(("layer", 2))
    qtbot.waitUntil(lambda: len(slider.bar().runs) == 1)  # type: ignore[union-attr]
    assert slider.words_at(QPointF(spot(view, 30))) == "Slice 31 / 40\nSpleen"
    slider.set_segment(None)
    view.set_wish(ViewWish("root", plane="sagittal"))
    qtbot.waitUntil(lambda: [(r.first, r.last) for r in slider.bar().runs] == [(10, 19), (30, 41)])  # type: ignore[union-attr]
    document.undo()
    view.refresh()
    qtbot.waitUntil(lambda: not slider.bar().runs)  # type: ignore[union-attr]


def test_scrolling_and_windowing_look_up_no_marks_again(view: SliceView, document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    with document.edit("Find many") as edit:
        for number in range(300):
            z = number % 40 * 2.0
            edit.put(Annotation(f"a{number}", "point", "root", ((1.0, 1.0, z),)))
    view.refresh()
    looked: list[int] = []
    real = slider.point_marks
    monkeypatch.setattr(slider, "point_marks", lambda *given: looked.append(1) or real(*given))
    for index in range(20):
        view.set_wish(ViewWish("root", index=index, window=Window(100 + index, 300)))
    assert looked == [] and len(view.navigator.slider.bar().marks) == 300  # type: ignore[union-attr]
    with document.edit("Take one out") as edit:
        edit.remove("annotation", "a7")
    view.refresh()
    assert looked == [1] and len(view.navigator.slider.bar().marks) == 299  # type: ignore[union-attr]


def test_of_one_slice_the_slider_goes_through_the_frames(qtbot: QtBot) -> None:
    document = a_document(Geometry((1, 50, 60), is_patient=False), phases=12)
    view = make_view(qtbot, document)
    qtbot.mouseClick(view.viewport(), LEFT, pos=spot(view, 9))
    assert view.state.phase == 9
    assert view.navigator.slider.words_at(QPointF(spot(view, 9))).startswith("Frame 10 / 12")
    view.set_document(None)


def test_one_slice_of_one_phase_has_no_slider(qtbot: QtBot) -> None:
    view = make_view(qtbot, a_document(Geometry((1, 50, 60))))
    assert view.navigator.slider.bar() is None
    move(view, QPoint(414, 200))
    assert not view.navigator.slider.is_wide
    view.set_document(None)


# --- the magnifier ---


def squares(image: QImage, y: int, start: int, stop: int) -> list[int]:
    """Lengths of runs of equal colour along a row."""
    colors = [image.pixel(x, y) for x in range(start, stop)]
    edges = [n for n in range(1, len(colors)) if colors[n] != colors[n - 1]]
    return list(np.diff(edges))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_lens_shows_pixels_as_squares_as_many_times_as_large(view: SliceView, document: Document, qtbot: QtBot, factor: int) -> None:
    view.set_wish(ViewWish("root", index=15, zoom=4.0, text="none", window=Window(1500, 60)))
    view.navigator.magnifier.set_factor(factor)
    view.navigator.magnifier.set_on(True)
    move(view, QPoint(200, 200))
    picture = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    # Neighbouring pixels differ by one HU: each is a run of equal colour as wide as it is magnified.
    runs = squares(picture, 200 - 30, 140, 260)
    assert runs and set(runs) <= {4 * factor - 1, 4 * factor, 4 * factor + 1}
    view.navigator.magnifier.set_on(False)
    without = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert without.pixel(200, 200 + 80) != picture.pixel(200, 200 + 96)


def test_what_is_under_the_pointer_stays_in_the_middle_of_the_lens(view: SliceView, qtbot: QtBot) -> None:
    view.set_wish(ViewWish("root", index=15, zoom=4.0, text="none", window=Window(1500, 60)))
    at = QPoint(171, 133)
    move(view, at)
    state, document = view.state, view.document
    assert document is not None
    x, y = state.placement(view.viewport_size).to_picture((at.x() + 0.5, at.y() + 0.5))
    value = int(document.volume("root").values[15, int(y), int(x)])
    expected = round((value - 1499.5) / 59 * 255 + 127.5)  # LINEAR, centre 1500, width 60 (D28)
    view.navigator.magnifier.set_on(True)
    picture = view.viewport().grab().toImage()
    assert abs(QColor(picture.pixel(at.x() + 2, at.y() + 2)).red() - expected) <= 1


def brightest(view: SliceView) -> int:
    """Of the lens, without its chip, edge and aim."""
    picture = view.viewport().grab().toImage()
    return max(QColor(picture.pixel(x, y)).lightness() for x in range(150, 250, 2) for y in range(125, 175))


def test_large_enough_pixels_carry_their_values_and_the_readout_has_the_unit(view: SliceView, qtbot: QtBot) -> None:
    view.set_wish(ViewWish("root", index=15, zoom=12.0, text="none", window=Window(9000, 10)))  # all black
    move(view, QPoint(200, 200))
    view.navigator.magnifier.set_factor(3)
    view.navigator.magnifier.set_on(True)
    large = brightest(view)
    view.set_wish(ViewWish("root", index=15, zoom=4.0, text="none", window=Window(9000, 10)))
    assert large > 150 > brightest(view)
    assert view.lens_source[3].endswith("HU")


def test_the_lens_goes_with_the_pointer_and_with_the_slider(view: SliceView, qtbot: QtBot) -> None:
    lens = view.navigator.magnifier
    lens.set_on(True)
    move(view, QPoint(120, 140))
    assert lens.rect() is not None and lens.rect().center() == QPointF(120, 140)  # type: ignore[union-attr]
    move(view, spot(view, 20))
    assert lens.rect() is None
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert lens.rect() is None
