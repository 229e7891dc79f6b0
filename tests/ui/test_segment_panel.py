"""The segment panel by real clicks and keys: tools, the list of segments, their sizes; each change is one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QMenu, QWidget
from pytestqt.qtbot import QtBot

from plugins.segment.panel import BRUSH, ERASER, GROW, SEEDS, SegmentPanel
from tests.ui.mouse import double_click
from tests.ui.panel_samples import SHAPE, Parts, ramp
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.labels import SEGMENT_COLORS, LabelLayer, Segment
from viewer.core.volume import Volume
from viewer.session.apply import SegmentRef
from viewer.session.counting import PlaneCounts, count_planes, place_inside
from viewer.ui import segments as segments_module
from viewer.ui.controls import Popover
from viewer.ui.panels.segment_list import SegmentRow
from viewer.ui.segments import size_text

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FRAME = (332, 900)
"""Size of the panel's window, see ``frame`` in conftest.py."""
pytestmark = pytest.mark.usefixtures("calm")
PATIENCE_MS = 10_000


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> SegmentPanel:
    """The panel over a ramp, nothing drawn yet."""
    made = SegmentPanel(parts.panels)
    frame.setCentralWidget(made)
    frame.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)
    parts.open(ramp())
    parts.host.load_specs()
    QApplication.processEvents()
    return made


def click(widget: QWidget, at: QPoint | None = None) -> None:
    QTest.mouseClick(widget, LEFT, Qt.KeyboardModifier.NoModifier, at or QPoint())
    QApplication.processEvents()


def add_layer(parts: Parts, *names: str, root_id: str = "ct") -> LabelLayer:
    """A layer whose n-th segment is a box of n columns and 5 rows in the planes from n - 1 on."""
    geometry = parts.host.document.volume(root_id).geometry
    made = tuple(Segment(n, name, SEGMENT_COLORS[n]) for n, name in enumerate(names, start=1))
    layer = LabelLayer(new_id("layer"), "Layer", geometry, root_id, made)
    with parts.host.document.edit("Draw") as edit:
        edit.put(layer)
        for n in range(1, len(names) + 1):
            first = min(n, geometry.shape[0]) - 1
            box = (slice(first, geometry.shape[0]), slice(4, 9), slice(5 * n, 6 * n))
            edit.paint(layer.id, box, np.ones([s.stop - s.start for s in box], np.bool_), n)
    QApplication.processEvents()  # the rows are laid out and shown
    return layer


def row(panel: SegmentPanel, number: int) -> SegmentRow:
    return panel.segments.rows[number]


def wait_sizes(panel: SegmentPanel, qtbot: QtBot) -> list[str]:
    qtbot.waitUntil(lambda: all(r.size.text() for r in panel.segments.rows), timeout=PATIENCE_MS)
    return [r.size.text() for r in panel.segments.rows]


def popover_of(name: str) -> Popover:
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, Popover) and w.isVisible() and w.accessibleName() == name)


def menu_entry(menu: QMenu, text: str) -> Any:
    return next(a for a in menu.actions() if a.text().partition("\t")[0] == text)


# --- tools and operations ------------------------------------------------------------------------------------------


def test_with_nothing_open_it_says_what_to_do(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    made = SegmentPanel(parts.panels)
    frame.setCentralWidget(made)
    frame.show()
    assert made.operations.empty.title.text() == "Open an image to use Segment."
    assert not made.palette_of_tools.isVisible()
    assert not made.segments.isVisible()
    assert not made.foot().isVisible()


def test_tools_stand_four_to_a_row_and_name_themselves(panel: SegmentPanel) -> None:
    buttons = panel.palette_of_tools.buttons()
    captions = [b.text() for b in buttons]
    assert captions == ["Brush", "Erase", "Grow", "Watershed", "Threshold", "K-means", "Islands", "Fill holes"]
    assert len({b.y() for b in buttons[:4]}) == 1
    assert buttons[4].y() > buttons[0].y()
    assert all(b.accessibleName() for b in buttons)


def test_a_click_takes_a_tool_in_hand_and_a_second_puts_it_away(panel: SegmentPanel, parts: Parts) -> None:
    tooling = parts.panels.tooling
    for name in (BRUSH, ERASER):
        click(panel.palette_of_tools.button(name))
        assert tooling.name == name
        assert [b.isChecked() for b in panel.palette_of_tools.buttons()].count(True) == 1
        assert panel.palette_of_tools.button(name).isChecked()
    click(panel.palette_of_tools.button(ERASER))
    assert tooling.name == "window"
    assert not any(b.isChecked() for b in panel.palette_of_tools.buttons())


def test_a_tool_taken_elsewhere_is_shown_here(panel: SegmentPanel, parts: Parts) -> None:
    parts.panels.tooling.pick(BRUSH)
    assert panel.palette_of_tools.button(BRUSH).isChecked()
    parts.panels.tooling.pick("pan")
    assert not panel.palette_of_tools.button(BRUSH).isChecked()


def test_the_brush_in_hand_shows_its_options_and_takes_them(panel: SegmentPanel, parts: Parts) -> None:
    click(panel.palette_of_tools.button(BRUSH))
    radius: Any = panel.options.row("radius")
    shape: Any = panel.options.row("shape")
    assert radius.isVisible()
    assert radius.field.text() == "5 mm"
    radius.field.setFocus()
    radius.field.selectAll()
    QTest.keyClicks(radius.field, "8")
    QTest.keyClick(radius.field, KEY.Key_Return)
    shape.combo.setFocus()
    QTest.keyClick(shape.combo, KEY.Key_Down)
    tool = parts.panels.tooling.tool
    assert tool is not None
    assert (tool.options.radius, tool.options.shape) == (8.0, "ball")
    # put away and taken again: the tool keeps them, and their defaults are one press away
    parts.panels.tooling.pick("window")
    assert not panel.options.isVisible()
    parts.panels.tooling.pick(BRUSH)
    radius = panel.options.row("radius")
    assert radius.value() == 8.0
    radius.reset()
    assert tool.options.radius == 5.0


def test_the_brush_is_in_pixels_where_no_spacing_is_known(panel: SegmentPanel, parts: Parts) -> None:
    click(panel.palette_of_tools.button(BRUSH))
    parts.open(ramp(is_known=False, name="film"))
    radius: Any = panel.options.row("radius")
    assert radius.field.text() == "5 px"


def test_with_a_brush_in_hand_the_segments_come_before_the_form(panel: SegmentPanel, parts: Parts) -> None:
    def order() -> bool:
        QApplication.processEvents()
        return panel.segments.y() < panel.operations.y()

    assert not order()
    click(panel.palette_of_tools.button(BRUSH))
    assert order()
    click(panel.palette_of_tools.button("Segment/Watershed"))
    assert not order()
    assert panel.operations.name == "Segment/Watershed"
    assert parts.panels.tooling.name == BRUSH  # markers are painted while the form is open


def test_grow_takes_the_seeds_in_hand_and_opens_the_form(panel: SegmentPanel, parts: Parts) -> None:
    click(panel.palette_of_tools.button(SEEDS))
    assert parts.panels.tooling.name == SEEDS
    assert panel.operations.name == GROW
    assert not panel.options.isVisible()


def test_an_operation_button_opens_its_form(panel: SegmentPanel) -> None:
    for name in ("Segment/K-means", "Segment/Fill holes", "Segment/Threshold", "Segment/Islands"):
        click(panel.palette_of_tools.button(name))
        assert panel.operations.name == name
        assert not panel.palette_of_tools.button(name).isChecked()


def test_threshold_by_mouse_adds_a_row_with_its_size(panel: SegmentPanel, parts: Parts, qtbot: QtBot) -> None:
    click(panel.palette_of_tools.button("Segment/Threshold"))
    form = panel.operations.form
    assert form is not None
    low: Any = form.rows["low"]
    low.field.setFocus()
    QTest.keyClicks(low.field, "500")
    click(panel.operations.apply_button)
    qtbot.waitUntil(lambda: len(panel.segments.rows) == 1, timeout=PATIENCE_MS)
    above = np.count_nonzero(parts.host.document.volume("ct").values >= 500)
    assert wait_sizes(panel, qtbot) == [f"{above * 3.0 * 0.7 * 0.5 / 1000:.3f} mL"]


def test_export_mask_asks_for_the_dialog_and_says_why_it_cannot(panel: SegmentPanel, parts: Parts) -> None:
    assert not panel.export.isEnabled()
    assert panel.export.toolTip() == "There are no segments to export."
    click(panel.segments.add)
    click(panel.export)
    assert ("export", "mask") in parts.asked


# --- the list ------------------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_do_and_plus_adds_one_step(panel: SegmentPanel, parts: Parts) -> None:
    assert panel.segments.empty.isVisible()
    assert panel.segments.empty.text() == "No segments. Choose a tool or press + to add one."
    click(panel.segments.add)
    assert not panel.segments.empty.isVisible()
    assert [r.name.text() for r in panel.segments.rows] == ["Segment 1"]
    assert parts.titles() == ["Add Segment 1"]
    assert parts.panels.tooling.active == row(panel, 0).ref
    parts.host.undo()
    assert panel.segments.rows == []
    assert panel.segments.empty.isVisible()


def test_a_click_on_a_row_makes_it_the_active_one(panel: SegmentPanel, parts: Parts) -> None:
    layer = add_layer(parts, "Liver", "Spleen")
    click(row(panel, 1))
    assert parts.panels.tooling.active == SegmentRef(layer.id, 2)
    assert [r.property("state") for r in panel.segments.rows] == ["", "selected"]
    assert parts.titles() == ["Draw"]  # what is active is no step


def test_up_and_down_go_through_the_rows_and_only_the_active_one_takes_tab(panel: SegmentPanel, parts: Parts) -> None:
    add_layer(parts, "Liver", "Spleen", "Kidney")
    click(row(panel, 0))
    row(panel, 0).setFocus()
    QTest.keyClick(row(panel, 0), KEY.Key_Down)
    assert row(panel, 1).hasFocus()
    assert parts.panels.tooling.label == 2
    QTest.keyClick(row(panel, 1), KEY.Key_Up)
    QTest.keyClick(row(panel, 0), KEY.Key_Up)
    assert row(panel, 0).hasFocus()
    stops = [bool(r.focusPolicy() & Qt.FocusPolicy.TabFocus) for r in panel.segments.rows]
    assert stops == [True, False, False]


@pytest.mark.parametrize("how", ["double click", "F2"])
def test_a_segment_is_renamed_in_place_as_one_step(panel: SegmentPanel, parts: Parts, how: str) -> None:
    layer = add_layer(parts, "Liver")
    if how == "F2":
        click(row(panel, 0))
        row(panel, 0).setFocus()
        QTest.keyClick(row(panel, 0), KEY.Key_F2)
    else:
        double_click(row(panel, 0).name)
    editor = row(panel, 0).editor
    assert editor is not None
    assert editor.hasFocus()
    QTest.keyClicks(editor, "Liver {left} lobe")
    QTest.keyClick(editor, KEY.Key_Return)
    assert row(panel, 0).name.text() == "Liver {left} lobe"
    assert row(panel, 0).editor is None
    assert row(panel, 0).hasFocus()
    assert parts.titles() == ["Draw", "Rename to Liver {left} lobe"]
    parts.host.undo()
    assert row(panel, 0).name.text() == "Liver"
    assert parts.host.document.layer(layer.id).segments[0].name == "Liver"


@pytest.mark.parametrize(("typed", "key"), [("Other", KEY.Key_Escape), ("", KEY.Key_Return), ("Liver", KEY.Key_Return), ("   ", KEY.Key_Return)])
def test_a_name_that_is_dropped_empty_or_the_same_is_no_step(panel: SegmentPanel, parts: Parts, typed: str, key: Qt.Key) -> None:
    add_layer(parts, "Liver")
    row(panel, 0).rename()
    editor = row(panel, 0).editor
    assert editor is not None
    editor.selectAll()
    QTest.keyClick(editor, KEY.Key_Delete)
    QTest.keyClicks(editor, typed)
    QTest.keyClick(editor, key)
    assert parts.titles() == ["Draw"]
    assert row(panel, 0).name.text() == "Liver"


def test_leaving_the_field_takes_the_name(panel: SegmentPanel, parts: Parts) -> None:
    add_layer(parts, "Liver", "Spleen")
    row(panel, 0).rename()
    editor = row(panel, 0).editor
    assert editor is not None
    QTest.keyClicks(editor, "Hepar")
    click(row(panel, 1).eye)
    row(panel, 1).setFocus()
    assert "Rename to Hepar" in parts.titles()


def test_eye_and_lock_are_one_step_each_and_show_what_is(panel: SegmentPanel, parts: Parts) -> None:
    layer = add_layer(parts, "Liver", "Spleen")
    click(row(panel, 0).eye)
    click(row(panel, 1).lock)
    document = parts.host.document
    assert not document.layer(layer.id).segments[0].is_visible
    assert document.layer(layer.id).segments[1].is_locked
    assert parts.titles() == ["Draw", "Show or hide Liver", "Lock or unlock Spleen"]
    first, second = panel.segments.rows
    assert (first.eye.property("iconName"), first.eye.accessibleName()) == ("eye-off", "Show Liver")
    assert (second.lock.property("iconName"), second.lock.property("iconTint")) == ("lock", "warn")
    assert second.lock.accessibleName() == "Unlock Spleen"
    assert "hidden" in first.accessibleName()
    assert "locked" in second.accessibleName()
    parts.host.undo()
    parts.host.undo()
    assert row(panel, 0).eye.property("iconName") == "eye"
    assert row(panel, 1).lock.property("iconName") == "lock-open"


def test_the_swatch_opens_the_twelve_colours(panel: SegmentPanel, parts: Parts) -> None:
    layer = add_layer(parts, "Liver")
    click(row(panel, 0).swatch)
    popover = popover_of("Colour")
    swatches = [b for b in popover.findChildren(QAbstractButton) if b.accessibleName().startswith("Colour ")]
    assert [b.color() for b in swatches] == list(SEGMENT_COLORS)  # type: ignore[attr-defined]
    click(swatches[6])
    assert not any(isinstance(w, Popover) and w.isVisible() for w in QApplication.topLevelWidgets())
    assert parts.host.document.layer(layer.id).segments[0].color == SEGMENT_COLORS[6]
    assert row(panel, 0).swatch.color() == SEGMENT_COLORS[6]
    assert parts.titles() == ["Draw", "Colour of Liver"]


def test_delete_takes_the_voxels_along_and_undo_brings_them_back(panel: SegmentPanel, parts: Parts) -> None:
    layer = add_layer(parts, "Liver", "Spleen")
    before = parts.host.document.state_hash()
    menu_entry(row(panel, 0).open_menu(), "Delete").trigger()
    assert [r.name.text() for r in panel.segments.rows] == ["Spleen"]
    assert set(np.unique(parts.host.document.labels(layer.id))) == {0, 2}
    assert parts.titles() == ["Draw", "Delete Liver"]
    parts.host.undo()
    assert parts.host.document.state_hash() == before
    row(panel, 0).setFocus()
    QTest.keyClick(row(panel, 0), KEY.Key_Delete)
    row(panel, 0).setFocus()
    QTest.keyClick(row(panel, 0), KEY.Key_Delete)
    assert not parts.host.document.has_layer(layer.id)
    parts.host.go_to(1)
    assert parts.host.document.state_hash() == before


def test_a_locked_segment_is_not_deleted(panel: SegmentPanel, parts: Parts) -> None:
    layer = add_layer(parts, "Liver")
    click(row(panel, 0).lock)
    delete = menu_entry(row(panel, 0).open_menu(), "Delete")
    assert not delete.isEnabled()
    assert delete.toolTip() == "Liver is locked."
    row(panel, 0).setFocus()
    QTest.keyClick(row(panel, 0), KEY.Key_Delete)
    assert parts.host.document.has_layer(layer.id)
    assert ("info", "Liver is locked.") in parts.asked


def test_show_goes_to_the_middle_of_the_segment(panel: SegmentPanel, parts: Parts, qtbot: QtBot) -> None:
    layer = add_layer(parts, "Liver", "Spleen", "Tip")  # the third lies in the last plane alone
    wait_sizes(panel, qtbot)
    parts.host.change_wish(index=0)
    menu_entry(row(panel, 2).open_menu(), "Show its middle").trigger()
    labels = parts.host.document.labels(layer.id)
    assert (labels[parts.host.state.array_index] == 3).any()
    # from the side: a coronal slice that cuts it
    parts.host.change_wish(plane="coronal", index=0)
    row(panel, 2).setFocus()
    QTest.keyClick(row(panel, 2), KEY.Key_Return)
    assert parts.host.state.layout.axis == 1
    assert (labels[:, parts.host.state.array_index] == 3).any()


def test_an_empty_segment_says_so_instead_of_going_anywhere(panel: SegmentPanel, parts: Parts, qtbot: QtBot) -> None:
    click(panel.segments.add)
    assert wait_sizes(panel, qtbot) == ["–"]
    entry = menu_entry(row(panel, 0).open_menu(), "Show its middle")
    assert not entry.isEnabled()
    row(panel, 0).setFocus()
    QTest.keyClick(row(panel, 0), KEY.Key_Return)
    assert ("info", "Segment 1 is empty.") in parts.asked


def test_the_eye_for_all_and_the_opacity_are_no_steps(panel: SegmentPanel, parts: Parts) -> None:
    add_layer(parts, "Liver")
    click(panel.segments.eye)
    assert not parts.host.wish.show_labels
    assert panel.segments.eye.accessibleName() == "Show all segments"
    click(panel.segments.eye)
    assert parts.host.wish.show_labels
    field = panel.segments.opacity.field
    assert field.text() == "28 %"
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "60")
    QTest.keyClick(field, KEY.Key_Return)
    assert parts.host.wish.label_opacity == pytest.approx(0.6)
    assert parts.titles() == ["Draw"]


def test_another_image_has_its_own_list(panel: SegmentPanel, parts: Parts) -> None:
    add_layer(parts, "Liver")
    parts.open(ramp(name="other"))
    assert panel.segments.rows == []
    parts.host.show_volume("ct")
    assert [r.name.text() for r in panel.segments.rows] == ["Liver"]


def test_with_several_layers_their_names_stand_over_the_rows(panel: SegmentPanel, parts: Parts) -> None:
    add_layer(parts, "Liver")
    assert panel.segments._heads == []
    add_layer(parts, "Bone", "Air")
    assert len(panel.segments._heads) == 2
    assert [r.name.text() for r in panel.segments.rows] == ["Liver", "Bone", "Air"]


def test_a_change_elsewhere_keeps_what_is_typed(panel: SegmentPanel, parts: Parts) -> None:
    add_layer(parts, "Liver", "Spleen")
    row(panel, 0).rename()
    editor = row(panel, 0).editor
    assert editor is not None
    QTest.keyClicks(editor, "Hep")
    click(row(panel, 1).lock)
    assert row(panel, 0).editor is None or row(panel, 0).editor is editor
    assert [r.name.text() for r in panel.segments.rows][1] == "Spleen"


# --- sizes ---------------------------------------------------------------------------------------------------------


def test_sizes_are_voxels_times_the_volume_of_one(panel: SegmentPanel, parts: Parts, qtbot: QtBot) -> None:
    layer = add_layer(parts, "Liver", "Spleen")
    labels = parts.host.document.labels(layer.id)
    expected = [np.count_nonzero(labels == n) * 3.0 * 0.7 * 0.5 / 1000 for n in (1, 2)]
    assert wait_sizes(panel, qtbot) == [f"{v:.4f} mL" for v in expected]


def test_sizes_follow_a_stroke_and_its_undo(panel: SegmentPanel, parts: Parts, qtbot: QtBot) -> None:
    layer = add_layer(parts, "Liver")
    before = wait_sizes(panel, qtbot)[0]
    with parts.host.document.edit("More") as edit:
        edit.paint(layer.id, (slice(0, 3), slice(0, 24), slice(0, 30)), np.ones(SHAPE, np.bool_), 1)
    qtbot.waitUntil(lambda: row(panel, 0).size.text() == f"{3 * 24 * 30 * 1.05 / 1000:.2f} mL", timeout=PATIENCE_MS)
    parts.host.undo()
    qtbot.waitUntil(lambda: row(panel, 0).size.text() == before, timeout=PATIENCE_MS)


def test_a_large_layer_is_counted_beside_the_window_and_what_changes_meanwhile_is_counted_again(
    panel: SegmentPanel, parts: Parts, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "_AT_ONCE", 24 * 30)  # one plane
    held: list[Any] = []
    real = count_planes

    def slow(labels: Any, planes: Any, check: Callable[[], None] | None = None) -> Any:
        found = real(labels, planes, check)
        held.append(len(planes))
        return found

    monkeypatch.setattr(segments_module, "count_planes", slow)
    layer = add_layer(parts, "Liver")
    wait_sizes(panel, qtbot)
    assert held[0] == 3
    with parts.host.document.edit("One plane") as edit:
        edit.paint(layer.id, (slice(1, 2), slice(0, 24), slice(0, 30)), np.ones((1, 24, 30), np.bool_), 1)
    labels = parts.host.document.labels(layer.id)
    text = f"{np.count_nonzero(labels == 1) * 1.05 / 1000:.3f} mL"
    qtbot.waitUntil(lambda: row(panel, 0).size.text() == text, timeout=PATIENCE_MS)
    assert held[-1] == 1  # only the plane that changed


@pytest.mark.parametrize(
    ("geometry", "voxels", "text"),
    [
        (Geometry((1, 8, 9), spacing=(1.0, 0.5, 0.4)), 100, "20.0 mm²"),
        (Geometry((4, 8, 9), spacing=(2.0, 0.5, 0.5)), 10_000, "5.00 mL"),
        (Geometry((4, 8, 9), spacing=(2.0, 0.5, 0.5)), 100, "0.0500 mL"),
        (Geometry((1, 8, 9), in_plane_known=False, between_known=False), 7, "7 px"),
        (Geometry((4, 8, 9), between_known=False), 7, "7 px"),
        (Geometry((4, 8, 9)), 0, "–"),
        (Geometry((4, 8, 9)), None, ""),
    ],
)
def test_a_size_has_the_unit_that_its_grid_allows(geometry: Geometry, voxels: int | None, text: str) -> None:
    assert size_text(geometry, voxels) == text


def test_a_film_without_pixel_size_shows_pixels(panel: SegmentPanel, parts: Parts, qtbot: QtBot) -> None:
    parts.open(Volume("film", np.zeros((1, 1, 20, 30), np.uint16), Geometry((1, 20, 30), in_plane_known=False, between_known=False), kind="image"))
    add_layer(parts, "Heart", root_id="film")
    assert wait_sizes(panel, qtbot) == ["5 px"]


def test_counts_per_plane_equal_those_of_the_whole() -> None:
    values = np.random.default_rng(4).integers(0, 5, (6, 7, 8)).astype(np.uint8)
    values[2] = 0
    counts = PlaneCounts(6)
    assert counts.voxels(1) is None
    counts.take(count_planes(values, range(4)))
    assert counts.missing == (4, 5)
    counts.take(count_planes(values, counts.missing))
    assert counts.is_complete
    for label in range(7):
        assert counts.voxels(label) == np.count_nonzero(values == label)
    values[5] = 3
    counts.forget(5, 6)
    assert counts.missing == (5,)
    counts.take(count_planes(values, (5,)))
    assert counts.voxels(3) == np.count_nonzero(values == 3)


def test_the_middle_plane_halves_the_voxels_and_the_place_lies_inside() -> None:
    values = np.zeros((9, 20, 20), np.uint16)
    values[4, 2:18, 2:18] = 300
    values[4, 5:15, 5:15] = 0  # a ring: its middle is not of it
    values[7, 3, 3] = 300
    counts = PlaneCounts(9)
    counts.take(count_planes(values, range(9)))
    assert counts.middle_plane(300) == 4
    assert counts.middle_plane(1) is None
    place = place_inside(values, 300, 4)
    assert place is not None
    assert values[place] == 300
    assert place_inside(values, 300, 0) is None
