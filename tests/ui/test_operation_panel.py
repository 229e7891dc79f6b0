"""The operation panel by real clicks and keys: what it asks for, what the document becomes, what it says when it cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from plugins.enhance.panel import EnhancePanel
from tests.ui.panel_samples import SHAPE, Parts, colour, ramp
from viewer.core.errors import JobFailed
from viewer.core.labels import LabelLayer, Segment
from viewer.core.operation import OperationSpec, ParameterSpec
from viewer.session.apply import LayerRef, SegmentRef
from viewer.ui.controls import Popover
from viewer.ui.form_rows import AutoNumberRow, PointsRow, parse_place, place_field_text
from viewer.ui.forms import FormContext, OperationForm
from viewer.ui.panels.operation_panel import OperationPanel
from viewer.ui.panels.tool_palette import ToolPalette

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
FRAME = (332, 800)
"""Size of the panel's window, see ``frame`` in conftest.py."""
pytestmark = pytest.mark.usefixtures("calm")


def shown(frame: QMainWindow, widget: QWidget, qtbot: QtBot) -> None:
    frame.setCentralWidget(widget)
    frame.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)


@pytest.fixture
def panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> OperationPanel:
    """The Enhance panel over a ramp, its operations described."""
    page = EnhancePanel(parts.panels)
    shown(frame, page, qtbot)
    parts.open(ramp())
    parts.host.load_specs()
    QApplication.processEvents()
    return page.operations


def segment_panel(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> OperationPanel:
    made = OperationPanel(parts.panels, "Segment")
    shown(frame, made, qtbot)
    parts.open(ramp())
    parts.host.load_specs()
    return made


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, LEFT)


def type_into(field: QWidget, text: str) -> None:
    field.setFocus()
    field.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(field, text)


def add_layer(parts: Parts, *names: str) -> LabelLayer:
    """A layer whose segments are boxes of two columns each, side by side, in the middle plane."""
    layer = LabelLayer("layer", "Layer", ramp().geometry, "ct", tuple(Segment(n, name, "#37F8C8") for n, name in enumerate(names, start=1)))
    with parts.host.document.edit("Draw") as edit:
        edit.put(layer)
        for n in range(1, len(names) + 1):
            edit.paint(layer.id, (slice(1, 2), slice(4, 9), slice(2 * n, 2 * n + 2)), np.ones((1, 5, 2), np.bool_), n)
    return layer


# --- what is there -------------------------------------------------------------------------------------------------


def test_without_an_image_it_says_what_to_do(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    page = EnhancePanel(parts.panels)
    shown(frame, page, qtbot)
    assert page.operations.empty.title.text() == "Open an image to use Enhance."
    assert page.operations.empty.isVisible() and not page.operations.card.isVisible()


def test_names_are_there_before_the_operations_are_described(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    page = EnhancePanel(parts.panels)
    shown(frame, page, qtbot)
    parts.open(ramp())
    panel = page.operations
    assert [panel.chooser.itemText(n) for n in range(3)] == ["Gamma", "Logarithm", "Histogram equalisation"]
    assert panel.form is None and panel.apply_button.toolTip() == "The plugins are being read."
    parts.host.load_specs()
    assert panel.form is not None and panel.apply_button.isEnabled()


def test_one_click_on_apply_does_something_and_can_be_undone(panel: OperationPanel, parts: Parts) -> None:
    before = parts.host.document.state_hash()
    click(panel.apply_button)
    values = ramp().values.astype(np.float64)
    low, high = values.min(), values.max()
    expected = ((values - low) / (high - low)) ** 0.7 * (high - low) + low
    assert np.allclose(parts.host.document.current("ct").values, expected, atol=1e-3)
    assert panel.card.result.text().startswith("30 × 24 × 3 · ") and parts.titles() == ["Gamma 0.7"]
    assert ("ok", "Gamma 0.7 applied.") in parts.asked
    parts.host.undo()
    assert parts.host.document.state_hash() == before


def test_enter_in_a_field_applies_what_was_typed(panel: OperationPanel, parts: Parts) -> None:
    field = panel.form.rows["gamma"].field
    type_into(field, "2")
    QTest.keyClick(field, KEY.Key_Return)
    assert parts.titles() == ["Gamma 2"]


def test_a_value_beyond_its_limits_is_said_under_the_field_and_nothing_runs(panel: OperationPanel, parts: Parts) -> None:
    row = panel.form.rows["gamma"]
    type_into(row.field, "9")
    assert row.error() == "Gamma must be between 0.10 and 5.00."
    assert not panel.apply_button.isEnabled() and panel.apply_button.toolTip() == row.error()
    QTest.keyClick(row.field, KEY.Key_Return)
    assert parts.titles() == []
    type_into(row.field, "0.9")
    assert panel.apply_button.isEnabled() and not row.error()


def test_colour_is_refused_before_apply(panel: OperationPanel, parts: Parts) -> None:
    parts.open(colour())
    assert panel.note.text() == "Gamma works on grey images; this one is in colour."
    assert not panel.apply_button.isEnabled() and panel.apply_button.toolTip() == panel.note.text()
    parts.host.show_volume("ct")
    assert panel.apply_button.isEnabled() and not panel.note.isVisible()


def test_each_operation_remembers_its_values(panel: OperationPanel) -> None:
    type_into(panel.form.rows["gamma"].field, "3")
    panel.show_operation("Enhance/Gaussian")
    assert isinstance(panel.form.rows["sigma"], AutoNumberRow)
    panel.show_operation("Enhance/Gamma")
    assert panel.form.values() == {"gamma": 3.0}


def test_scope_is_offered_where_there_is_a_choice(panel: OperationPanel, parts: Parts) -> None:
    words = [panel.scope.combo.itemText(n) for n in range(panel.scope.combo.count())]
    assert words == ["This slice", "Whole volume"] and panel.scope.value() == "volume"
    add_layer(parts, "Liver")
    words = [panel.scope.combo.itemText(n) for n in range(panel.scope.combo.count())]
    assert words == ["This slice", "Whole volume", "Inside segment"]
    plane = ramp(name="one")
    parts.open(type(plane)("one", plane.data[:, :1].copy(), plane.geometry.cropped((0, 0, 0), (1, *SHAPE[1:]))))
    assert not panel.scope.isVisible()


def test_this_slice_changes_no_other(panel: OperationPanel, parts: Parts) -> None:
    panel.scope.combo.setCurrentIndex(0)
    click(panel.apply_button)
    changed = (parts.host.document.current("ct").values != ramp().values).any(axis=(1, 2))
    assert list(changed) == [False, True, False]
    assert panel.card.result.text().startswith("30 × 24 · ")


def test_inside_the_segment_changes_nothing_else(panel: OperationPanel, parts: Parts) -> None:
    layer = add_layer(parts, "Liver")
    panel.scope.combo.setCurrentIndex(2)
    click(panel.apply_button)
    changed = parts.host.document.current("ct").values != ramp().values
    assert changed.any() and not changed[parts.host.document.labels(layer.id) == 0].any()


def test_what_was_applied_is_listed_and_the_original_is_a_switch_away(panel: OperationPanel, parts: Parts) -> None:
    click(panel.apply_button)
    panel.show_operation("Enhance/CLAHE")
    click(panel.apply_button)
    first, second = panel.applied.texts()
    assert first == "1 Gamma 0.7" and second.startswith("2 CLAHE")
    click(panel.applied.original.switch)
    assert parts.host.wish.show_original and parts.host.state.volume.id == "ct"
    parts.host.undo()
    assert panel.applied.texts() == ["1 Gamma 0.7"]
    parts.host.undo()
    assert not panel.applied.isVisible()


def test_a_refusal_stands_in_the_card(panel: OperationPanel, parts: Parts) -> None:
    panel.show_operation("Enhance/Gaussian")
    type_into(panel.form.rows["sigma"].field, "50")
    click(panel.apply_button)
    assert panel.card.note.isVisible() and panel.card.note.text().startswith("A sigma of 50 mm is wider than the image.")
    assert parts.titles() == [] and panel.apply_button.isEnabled()


def test_a_fault_shows_the_way_to_its_details(panel: OperationPanel, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_call: Any, _done: Any, failed: Any) -> str:
        failed(JobFailed("Gamma failed: division by zero.", "Traceback ..."))
        return ""

    monkeypatch.setattr(parts.host, "run", run)
    click(panel.apply_button)
    assert panel.card.note.text() == "Gamma failed: division by zero." and panel.details.isVisible()
    click(panel.details)
    assert parts.asked[-1] == ("details", "Gamma failed: division by zero.")


def test_info_shows_the_whole_docstring(panel: OperationPanel, qtbot: QtBot) -> None:
    click(panel.card.info)
    boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, Popover) and w.isVisible()]
    assert len(boxes) == 1 and "Source" in boxes[0].text.text()  # type: ignore[attr-defined]
    QTest.keyClick(boxes[0], KEY.Key_Escape)
    qtbot.waitUntil(lambda: not any(isinstance(w, Popover) and w.isVisible() for w in QApplication.topLevelWidgets()))


# --- busy ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Runs that go on until they are cancelled, or until the event is set."""
    end = threading.Event()

    def run(_call: Any, done: Any, failed: Any) -> str:
        def work(progress: Any) -> None:
            progress(450, 1000)
            while not end.wait(0.01):
                progress(450, 1000)

        return parts.host.work.run_thread(work, "Gamma", done, failed)

    monkeypatch.setattr(parts.host, "run", run)
    yield end
    end.set()


def test_while_it_runs_progress_is_shown_and_escape_cancels(panel: OperationPanel, parts: Parts, slow: threading.Event, qtbot: QtBot) -> None:
    field = panel.form.rows["gamma"].field
    field.setFocus()
    QTest.keyClick(field, KEY.Key_Return)
    assert panel.is_running and not panel.apply_button.isEnabled() and panel.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: panel.progress.text() == "Working, 45 %")
    assert panel.progress.isVisible() and not panel.chooser.isEnabled()
    QTest.keyClick(field, KEY.Key_Escape)
    qtbot.waitUntil(lambda: not panel.is_running)
    assert panel.card.result.text() == "Cancelled. Nothing was changed." and parts.titles() == []
    assert panel.apply_button.isEnabled() and not panel.progress.isVisible()


def test_the_focus_stays_with_apply_and_cancel_while_one_of_them_is_grey(panel: OperationPanel, slow: threading.Event, qtbot: QtBot) -> None:
    panel.apply_button.setFocus()
    QTest.keyClick(panel.apply_button, KEY.Key_Space)
    assert panel.is_running and panel.cancel_button.hasFocus()
    QTest.keyClick(panel.cancel_button, KEY.Key_Space)
    qtbot.waitUntil(lambda: not panel.is_running)
    assert panel.apply_button.hasFocus()


def test_cancel_is_a_button_too(panel: OperationPanel, slow: threading.Event, qtbot: QtBot) -> None:
    click(panel.apply_button)
    click(panel.cancel_button)
    qtbot.waitUntil(lambda: not panel.is_running)
    assert panel.apply_button.isEnabled()


# --- preview -------------------------------------------------------------------------------------------------------


def previews(parts: Parts) -> list[Any]:
    """(scope, slice, shape, parameters) of each preview, None for its end. The voxels themselves are not kept."""
    got: list[Any] = []

    def note(pair: Any) -> None:
        call, results = pair if pair is not None else (None, None)
        got.append(None if call is None else (call.scope.kind, call.scope.index, results[0].values.shape, dict(call.parameters)))

    parts.host.preview_changed.connect(note)
    return got


def test_preview_shows_the_slice_and_changes_nothing(panel: OperationPanel, parts: Parts, qtbot: QtBot) -> None:
    got = previews(parts)
    click(panel.preview.switch)
    qtbot.waitUntil(lambda: len(got) == 1)
    assert got[0] == ("slice", 1, (1, 24, 30), {"gamma": 0.7})
    assert parts.titles() == []
    parts.host.change_wish(index=2)
    qtbot.waitUntil(lambda: len(got) == 2)
    assert got[1][1] == 2
    type_into(panel.form.rows["gamma"].field, "2")
    qtbot.waitUntil(lambda: len(got) == 3)
    assert got[2][3] == {"gamma": 2}
    click(panel.preview.switch)
    assert got[-1] is None and not panel.preview.value()


def test_preview_ends_with_apply_with_another_image_and_when_the_panel_is_hidden(
    panel: OperationPanel, parts: Parts, frame: QMainWindow, qtbot: QtBot
) -> None:
    got = previews(parts)

    def switch_on() -> None:
        got.clear()
        click(panel.preview.switch)
        qtbot.waitUntil(lambda: bool(got) and got[-1] is not None)

    switch_on()
    click(panel.apply_button)
    assert got[-1] is None and not panel.preview.value()
    switch_on()
    parts.open(ramp(name="other"))
    assert got[-1] is None and not panel.preview.value()
    switch_on()
    frame.centralWidget().hide()
    assert got[-1] is None and not panel.preview.value()


def test_preview_that_is_not_exact_says_so(panel: OperationPanel) -> None:
    assert not panel.preview.approximate.isVisible()
    panel.show_operation("Enhance/Gaussian")
    assert panel.preview.approximate.isVisible() and panel.preview.approximate.text() == "approximate"


# --- segments ------------------------------------------------------------------------------------------------------


def test_growing_needs_a_seed_which_can_be_typed(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    panel = segment_panel(parts, frame, qtbot)
    panel.show_operation("Segment/Region growing")
    assert panel.apply_button.toolTip() == "Click inside the structure first, or type a place."
    row = panel.form.rows["seed"]
    assert isinstance(row, PointsRow)
    type_into(row.field, "1, 2")
    QTest.keyClick(row.field, KEY.Key_Return)
    assert row.error() == "A place has three numbers: x, y, z." and parts.host.wish.seeds == ()
    type_into(row.field, "500, 0, 0")
    QTest.keyClick(row.field, KEY.Key_Return)
    assert row.error() == "This place lies outside the image."
    place = tuple(float(c) for c in ramp().geometry.to_patient((1, 10, 12)))
    type_into(row.field, place_field_text(place))
    QTest.keyClick(row.field, KEY.Key_Return)
    assert parts.host.wish.seeds == (place,) and row.count.text() == "1 seed" and parts.titles() == []
    low, high = panel.form.rows["low"], panel.form.rows["high"]
    type_into(low.field, "325")
    type_into(high.field, "335")
    click(panel.apply_button)
    # Values 320 + row at column 12 of the middle plane, 310 + row and 330 + row beside it: what lies in 325..335 and touches.
    values = ramp().values[1]
    layer = parts.host.document.layers_of("ct")[0]
    assert np.array_equal(parts.host.document.labels(layer.id)[1] == 1, (values >= 325) & (values <= 335))
    click(row.clear)
    assert parts.host.wish.seeds == () and not panel.apply_button.isEnabled()


def test_limits_are_auto_until_they_are_set(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    panel = segment_panel(parts, frame, qtbot)
    panel.show_operation("Segment/Threshold")
    row = panel.form.rows["low"]
    assert isinstance(row, AutoNumberRow)
    assert row.value() is None and row.field.text() == "" and row.field.placeholderText() == "auto"
    QTest.keyClick(row.field, KEY.Key_Up)
    assert row.value() is not None and row.field.text().endswith("HU")
    row.slider.setValue(row.slider.maximum())
    assert row.value() == ramp().values.max()
    type_into(row.field, "5000")
    assert row.is_valid() and row.value() == 5000  # no limit but the slider's
    type_into(row.field, "many")
    assert row.error() == "Lower limit must be a number."
    click(row._reset)
    assert row.value() is None and row.is_valid()


def test_a_segment_is_cleaned_in_place_or_into_a_new_one(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    panel = segment_panel(parts, frame, qtbot)
    panel.show_operation("Segment/Fill holes")
    assert panel.apply_button.toolTip() == "Fill holes works on a segment. Draw or grow one first."
    layer = add_layer(parts, "Liver", "Spleen")
    parts.panels.tooling.set_active(SegmentRef(layer.id, 2))
    assert panel.form.values()["mask"] == SegmentRef(layer.id, 2) and panel.target.value() == SegmentRef(layer.id, 2)
    row = panel.form.rows["mask"]
    row.combo.setCurrentIndex(0)
    assert panel.target.value() == SegmentRef(layer.id, 1)
    parts.panels.tooling.set_active(None)
    assert panel.form.values()["mask"] == SegmentRef(layer.id, 1)  # chosen by hand: it follows the active one no more
    assert [panel.target.combo.itemText(n) for n in range(3)] == ["New segment", "Liver", "Spleen"]


def test_layers_are_offered_as_markers(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    panel = segment_panel(parts, frame, qtbot)
    panel.show_operation("Segment/Watershed")
    layer = add_layer(parts, "In", "Out")
    assert panel.form.values()["markers"] == LayerRef(layer.id)
    click(panel.apply_button)
    assert parts.titles()[-1].startswith("Watershed") and len(parts.host.document.layers_of("ct")) == 1


# --- the form and its rows -----------------------------------------------------------------------------------------


def test_every_kind_of_parameter_has_its_row(qtbot: QtBot) -> None:
    parameters = (
        ParameterSpec("count", "int", 3, "Count", low=1, high=9), ParameterSpec("size", "float", 1.5, "Size", low=0.5, high=5, unit="mm", step=0.5),
        ParameterSpec("level", "float", None, "Level", unit="value", is_optional=True),
        ParameterSpec("kind", "choice", "b", "Kind", choices=("a", "b")),
        ParameterSpec("flat", "bool", True, "Flat"), ParameterSpec("text", "text", "x", "Text"), ParameterSpec("other", "image", None, "Other"),
    )  # fmt: skip
    spec = OperationSpec("Test/All", "m:f", "All", "", "", parameters, ("Image",), "exact", True, False, False, False)
    form = OperationForm(spec, FormContext("HU", (-1000.0, 3000.0), "px"))
    qtbot.addWidget(form)
    assert form.values() == {"count": 3, "size": 1.5, "level": None, "kind": "b", "flat": True, "text": "x"}
    assert isinstance(form.values()["count"], int)
    assert form.rows["size"].field.text() == "1.5 px"  # no spacing: sizes are in pixels
    form.rows["level"].slider.setValue(1)
    assert form.rows["level"].field.text() == "-999 HU"


def test_an_error_goes_under_the_parameter_that_it_names(qtbot: QtBot) -> None:
    parameters = (ParameterSpec("low", "float", 1.0, "Low"), ParameterSpec("high", "float", 2.0, "High"))
    form = OperationForm(OperationSpec("T/O", "m:f", "O", "", "", parameters, ("Image",), "exact", True, False, False, False), FormContext())
    qtbot.addWidget(form)
    assert form.show_error('"high" of "T/O" is 9; it must be at most 5.')
    assert not form.show_error("Something else is wrong.")
    assert not form.rows["high"].is_valid() and form.rows["low"].is_valid()
    form.clear_errors()
    assert form.problem() == ""


@pytest.mark.parametrize(("text", "place"), [("1,2,3", (1, 2, 3)), (" 1.5; -2 ;3e1", (1.5, -2, 30)), ("−1 2 3", (-1, 2, 3))])
def test_places_are_read_as_people_write_them(text: str, place: tuple[float, ...]) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize("text", ["", "1, 2", "1, 2, 3, 4", "a, b, c", "1, nan, 2", "inf 1 1"])
def test_what_is_no_place_is_none(text: str) -> None:
    assert parse_place(text) is None


def test_the_palette_follows_the_tool_in_hand(parts: Parts, frame: QMainWindow, qtbot: QtBot) -> None:
    palette = ToolPalette(parts.panels, ("Measure/Distance", "Measure/Ellipse", "Nobody/Has it"))
    shown(frame, palette, qtbot)
    button = palette.button("Measure/Distance")
    assert len(palette.buttons) == 2 and not button.isEnabled() and button.toolTip() == "Open an image first."
    parts.open(ramp())
    click(button)
    assert parts.panels.tooling.name == "Measure/Distance" and button.isChecked() and palette.hint.text().startswith("Drag from end to end.")
    click(palette.button("Measure/Ellipse"))
    assert [b.isChecked() for b in palette.buttons] == [False, True]
    click(palette.button("Measure/Ellipse"))
    assert parts.panels.tooling.name == "window" and not palette.hint.isVisible()
