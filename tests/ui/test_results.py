"""What was measured, on screen: the measure panel's lists, places typed as numbers, and the results drawer."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QTableView, QWidget
from pytestqt.qtbot import QtBot

from plugins.measure.panel import MeasurePanel
from tests.ui.panel_samples import Parts, ramp
from viewer.core.annotation import Annotation
from viewer.core.measure import measure_annotation
from viewer.core.overlay import ScalarMap
from viewer.core.report import Column, Report, Score, Table
from viewer.session.history import ItemChange
from viewer.ui.panels.results_drawer import REPORTS, ResultsDrawer

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FRAME = (716, 900)
"""Size of the panel's window, see ``frame`` in conftest.py."""
pytestmark = pytest.mark.usefixtures("calm")


def shown(frame: QMainWindow, widget: QWidget, qtbot: QtBot) -> None:
    frame.setCentralWidget(widget)
    frame.show()
    widget.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)


@pytest.fixture
def drawer(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> ResultsDrawer:
    made = ResultsDrawer(parts.panels)
    shown(frame, made, qtbot)
    parts.open(ramp())
    return made


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> MeasurePanel:
    made = MeasurePanel(parts.panels)
    shown(frame, made, qtbot)
    parts.open(ramp())
    parts.host.load_specs()
    QApplication.processEvents()
    return made


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, LEFT)


def click_row(table: QTableView, row: int) -> None:
    place = table.visualRect(table.model().index(row, 0)).center()
    QTest.mouseClick(table.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(place.x(), place.y()))


def type_into(field: QLineEdit, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, KEY.Key_Return)


def draw(parts: Parts, item_id: str, plane: int, length: float, name: str = "") -> Annotation:
    """A distance of some mm along the columns of a plane."""
    start = ramp().geometry.to_patient((plane, 10, 2))
    end = np.add(start, (length, 0, 0))
    points = tuple(tuple(float(c) for c in p) for p in (start, end))
    item = measure_annotation(Annotation(item_id, "distance", "ct", points, 0, 0, name), ramp())  # type: ignore[arg-type]
    with parts.host.document.edit("Measure a distance") as edit:
        edit.put(item)
    return item


def texts(table: QTableView, column: int = 0) -> list[str]:
    model = table.model()
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


# --- the measure panel ---------------------------------------------------------------------------------------------


def test_without_an_image_only_the_way_to_one_is_shown(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    page = MeasurePanel(parts.panels)
    shown(frame, page, qtbot)
    assert page.operations.empty.title.text() == "Open an image to use Measure."
    assert not page.hand.isVisible() and not page.foot().isVisible()


def test_a_distance_is_made_and_moved_by_numbers_alone(panel: MeasurePanel, parts: Parts) -> None:
    click(panel.places.add_distance)
    item = parts.host.document.annotations_of("ct")[0]
    assert parts.panels.tooling.selected_id == item.id and texts(panel.measurements.table) == ["Distance 1"]
    start, end = panel.places.rows
    type_into(start.field, "6, -2, 23")
    type_into(end.field, "9, 2, 23")
    item = parts.host.document.annotations_of("ct")[0]
    assert item.points == ((6, -2, 23), (9, 2, 23)) and item.measures[0].value == pytest.approx(5.0)  # 3, 4, 5
    assert texts(panel.measurements.table, 1) == ["5.0 mm"]
    assert parts.titles() == ["Measure a distance", "Change Distance 1", "Change Distance 1"]
    parts.host.go_to(0)
    assert not parts.host.document.annotations_of("ct") and panel.places.rows == []


def test_an_ellipse_takes_centre_and_half_axes(panel: MeasurePanel, parts: Parts) -> None:
    click(panel.places.add_ellipse)
    centre, first, second = panel.places.rows
    type_into(centre.field, "12, 1, 23")
    type_into(first.field, "2")
    type_into(second.field, "3")
    item = parts.host.document.annotations_of("ct")[0]
    arms = [np.subtract(p, item.points[0]) for p in item.points[1:]]
    assert item.points[0] == (12, 1, 23) and [np.linalg.norm(a) for a in arms] == pytest.approx([2, 3]) and arms[0] @ arms[1] == pytest.approx(0)
    area = next(m for m in item.measures if m.name == "Area")
    assert area.value == pytest.approx(math.pi * 6)
    assert texts(panel.measurements.table, 1)[0].startswith("mean ")


def test_places_on_two_slices_are_refused_in_words(panel: MeasurePanel, parts: Parts) -> None:
    click(panel.places.add_distance)
    before = parts.host.document.annotations_of("ct")
    type_into(panel.places.rows[1].field, "9, 2, 26")
    assert panel.places.rows[-1].error() == "All places of a measurement lie on one slice."
    assert parts.host.document.annotations_of("ct") == before
    type_into(panel.places.rows[0].field, "nowhere")
    assert panel.places.rows[0].error() == "A place has three numbers: x, y, z."


def test_a_click_on_a_row_brings_its_slice_into_view(panel: MeasurePanel, parts: Parts) -> None:
    draw(parts, "a", 0, 3.0)
    draw(parts, "b", 2, 4.0)
    click_row(panel.measurements.table, 1)
    assert parts.panels.tooling.selected_id == "b" and parts.host.state.index == 2
    assert [a.id for a in parts.host.state.annotations] == ["b"]
    click_row(panel.measurements.table, 0)
    assert parts.panels.tooling.selected_id == "a" and parts.host.state.index == 0
    parts.panels.tooling.select("b")
    assert panel.measurements.table.currentIndex().row() == 1


def test_delete_and_rename_are_steps(panel: MeasurePanel, parts: Parts, qtbot: QtBot) -> None:
    draw(parts, "a", 1, 3.0)
    draw(parts, "b", 1, 4.0)
    table = panel.measurements.table
    click_row(table, 0)
    QTest.keyClick(table, KEY.Key_F2)
    qtbot.waitUntil(lambda: table.findChild(QLineEdit) is not None)
    editor = table.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "Long axis")
    QTest.keyClick(editor, KEY.Key_Return)
    qtbot.waitUntil(lambda: parts.titles()[-1] == "Rename to Long axis")
    assert texts(table) == ["Long axis", "Distance 2"]
    click_row(table, 1)
    QTest.keyClick(table, KEY.Key_Delete)
    assert parts.titles()[-1] == "Delete Distance 2" and texts(table) == ["Long axis"]
    click_row(table, 0)
    click(panel.measurements.delete)
    assert texts(table) == [] and not panel.measurements.delete.isEnabled()
    parts.host.undo()
    assert texts(table) == ["Long axis"]


def test_without_a_pixel_size_lengths_are_pixels_and_it_is_said(panel: MeasurePanel, parts: Parts) -> None:
    assert not panel.uncalibrated.isVisible()
    parts.open(ramp(is_known=False, name="film"))
    assert panel.uncalibrated.text() == "No pixel size in this image. Lengths are in px." and panel.uncalibrated.isVisible()
    click(panel.places.add_distance)
    assert texts(panel.measurements.table, 1)[0].endswith(" px")


def test_a_map_is_hidden_shown_and_removed_by_steps(panel: MeasurePanel, parts: Parts) -> None:
    volume = ramp()
    item = ScalarMap("map", "Energy", "ct", volume.geometry, np.ones(volume.geometry.shape, np.float32))
    parts.host.document.commit(parts.host.document.step("Gabor", (ItemChange("overlay", "map", None, item),)))
    assert panel.maps.isVisible() and len(parts.host.state.maps) == 1
    click(panel.maps.rows[0].findChild(QWidget, "eye"))
    assert parts.host.state.maps == () and parts.titles()[-1] == "Show or hide Energy"
    click(panel.maps.rows[0].findChild(QWidget, "eye"))
    panel.maps.opacity.slider.setValue(80)
    assert parts.host.wish.overlay_opacity == pytest.approx(0.8) and len(parts.titles()) == 3
    click(panel.maps.rows[0].findChild(QWidget, "remove"))
    assert not panel.maps.isVisible() and parts.host.document.overlays_of("ct") == ()
    parts.host.undo()
    assert panel.maps.isVisible()


def test_the_foot_leads_to_the_table_and_to_a_file(panel: MeasurePanel, parts: Parts) -> None:
    draw(parts, "a", 1, 3.0)
    click(panel.open_table)
    click(panel.export)
    assert parts.asked[-2:] == [("results",), ("export", "measurements")]


def test_without_measurements_there_is_no_table_to_open_or_save_and_it_is_said(panel: MeasurePanel, parts: Parts) -> None:
    foot = (panel.open_table, panel.export)

    def is_live() -> bool:
        live = [button.isEnabled() for button in foot]
        assert live[0] == live[1]
        assert all(button.toolTip() == ("" if live[0] else "There are no measurements on this image yet.") for button in foot)
        return live[0]

    assert not is_live()
    asked = list(parts.asked)
    for button in foot:
        click(button)
        QTest.keyClick(button, KEY.Key_Space)
    assert parts.asked == asked
    draw(parts, "a", 1, 3.0)
    assert is_live()
    parts.host.undo()
    assert not is_live()
    parts.host.redo()
    assert is_live()
    parts.open(ramp(name="another"))
    assert not is_live()
    parts.host.show_volume("ct")
    assert is_live()
    click_row(panel.measurements.table, 0)
    QTest.keyClick(panel.measurements.table, KEY.Key_Delete)
    assert not is_live()
    table = Table("t", "Lines", (Column("Length", "mm"),), ((3.0,),), "ct")
    parts.host.document.commit(parts.host.document.step("Hough lines", (ItemChange("table", "t", None, table),)))
    assert is_live()
    parts.host.close_all()
    assert not is_live()


def test_statistics_of_a_segment_come_with_one_click(panel: MeasurePanel, parts: Parts) -> None:
    assert panel.operations.apply_button.toolTip() == "Segment statistics works on a segment. Draw or grow one first."
    ref = parts.panels.tooling.add_segment("Box")
    with parts.host.document.edit("Draw") as edit:
        edit.paint(ref.layer_id, (slice(1, 2), slice(0, 4), slice(0, 5)), np.ones((1, 4, 5), np.bool_), ref.label)
    click(panel.operations.apply_button)
    table = parts.host.document.tables_of("ct")[0]
    found = dict(zip([c.name for c in table.columns], table.rows[0], strict=True))
    assert found["Voxels"] == 20 and found["Mean"] == pytest.approx(ramp().values[1, :4, :5].mean())
    assert panel.operations.card.result.text().startswith("1 row · ")


# --- the drawer ----------------------------------------------------------------------------------------------------


def test_an_empty_drawer_says_how_to_fill_it(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    drawer = ResultsDrawer(parts.panels)
    assert not drawer.isVisibleTo(frame)  # until asked for
    shown(frame, drawer, qtbot)
    assert drawer.empty.title.text() == "Open an image to see its results."
    parts.open(ramp())
    assert drawer.empty.title.text() == "No measurements yet. Draw one or run Segment statistics."
    assert not drawer.copy.isEnabled() and drawer.copy.toolTip() == "There is nothing in the table."


def test_measurements_are_rows_with_units_in_the_head(drawer: ResultsDrawer, parts: Parts) -> None:
    draw(parts, "a", 0, 3.0)
    draw(parts, "b", 2, 4.25, "Lesion")
    assert drawer.grid.heads == ("Name", "Slice", "Length mm")
    assert texts(drawer.table) == ["Distance 1", "Lesion"] and texts(drawer.table, 1) == ["1", "3"] and texts(drawer.table, 2) == ["3.0", "4.2"]
    side = drawer.model.data(drawer.model.index(0, 2), Qt.ItemDataRole.TextAlignmentRole)
    assert side & Qt.AlignmentFlag.AlignRight and drawer.caption.text() == "2 rows"


def test_numbers_sort_as_numbers(drawer: ResultsDrawer, parts: Parts) -> None:
    for name, length in (("a", 9.0), ("b", 10.0), ("c", 2.5)):
        draw(parts, name, 1, length)
    header = drawer.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(2) + 5, header.height() // 2)
    QTest.mouseClick(header.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place)
    first = texts(drawer.table, 2)
    QTest.mouseClick(header.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place)
    assert sorted([first, texts(drawer.table, 2)]) == [["10.0", "9.0", "2.5"], ["2.5", "9.0", "10.0"]]


def test_a_row_selects_its_measurement_and_back(drawer: ResultsDrawer, parts: Parts) -> None:
    draw(parts, "a", 0, 3.0)
    draw(parts, "b", 2, 4.0)
    click_row(drawer.table, 1)
    assert parts.panels.tooling.selected_id == "b" and parts.host.state.index == 2
    parts.panels.tooling.select("a")
    assert [i.row() for i in drawer.table.selectionModel().selectedRows()] == [0]
    assert parts.host.state.index == 2  # following is not jumping


def test_a_new_table_comes_to_the_front_and_shows_a_dash_for_what_was_not_measured(drawer: ResultsDrawer, parts: Parts) -> None:
    draw(parts, "a", 0, 3.0)
    table = Table(
        "t", "Statistics", (Column("Segment"), Column("Mean", "HU"), Column("Volume", "mL")), (("Box", 1.26, None), ("Cyst", -3.0, 0.0123)), "ct"
    )
    parts.host.document.commit(parts.host.document.step("Statistics", (ItemChange("table", "t", None, table),)))
    assert drawer.source.currentText() == "Statistics" and drawer.grid.heads == ("Segment", "Mean HU", "Volume mL")
    assert texts(drawer.table, 1) == ["1.3", "-3.0"] and texts(drawer.table, 2) == ["–", "0.0123"]
    drawer.source.setCurrentIndex(0)
    assert texts(drawer.table) == ["Distance 1"]
    parts.host.undo()
    assert drawer.source.count() == 1


def test_a_report_brings_its_plane_into_view(drawer: ResultsDrawer, parts: Parts) -> None:
    scores = (Score("normal", 0.2), Score("pneumonia", 0.8))
    reports = [Report(f"r{n}", "Report", "ct", n, 0, "net", "1", "binary", scores, 0.5, "pneumonia", "CPU", 12.4) for n in range(3)]
    changes = tuple(ItemChange("report", r.id, None, r) for r in reports)
    parts.host.document.commit(parts.host.document.step("Classify", changes))
    drawer.show_source(REPORTS)
    assert drawer.grid.heads[:4] == ("Model", "Slice", "normal %", "pneumonia %") and texts(drawer.table, 3) == ["80.0"] * 3
    click_row(drawer.table, 2)
    assert parts.host.state.index == 2
    click_row(drawer.table, 0)
    assert parts.host.state.index == 0


def test_opened_later_it_shows_the_results_that_there_are_and_no_empty_list(drawer: ResultsDrawer, parts: Parts) -> None:
    document = parts.host.document
    report = Report("r1", "Lungs", parts.host.root_id, 2, 0, "model", "1", "binary", (Score("Lungs", 0.9),), 0.5, "Lungs", "CPU", 12.0)
    document.commit(document.step("Classify", (ItemChange("report", report.id, None, report),)))
    drawer.show_source("measurements")
    drawer.hide()
    drawer.show()
    assert drawer.source.currentText() == "Classification"
    assert len(drawer.grid.rows) == 1


def test_copy_takes_the_table_with_tabs(drawer: ResultsDrawer, parts: Parts) -> None:
    draw(parts, "a", 0, 3.0)
    draw(parts, "b", 2, 4.0)
    click(drawer.copy)
    assert QGuiApplication.clipboard().text() == "Name\tSlice\tLength mm\nDistance 1\t1\t3.0\nDistance 2\t3\t4.0\n"
    assert parts.asked[-1] == ("ok", "2 rows copied.")
    click(drawer.export)
    assert parts.asked[-1] == ("export", "measurements")


def test_another_image_has_its_own_results(drawer: ResultsDrawer, parts: Parts) -> None:
    draw(parts, "a", 0, 3.0)
    parts.open(replace(ramp(), id="other", root_id="other"))
    assert drawer.grid.rows == ()
    parts.host.show_volume("ct")
    assert texts(drawer.table) == ["Distance 1"]
    click(drawer.close_button)
    assert not drawer.isVisible()
