"""A view of a plane that is none of the array's, with real events: it is looked at, scrolled and probed, and nothing is drawn on it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import made_volume, put_volume
from viewer.core.annotation import Annotation
from viewer.core.errors import Refused
from viewer.core.oblique import turn_of, turned_about
from viewer.core.slab import Slab
from viewer.ui.panels.measurements import show_measurement
from viewer.ui.window import Window

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def turned(window: Window) -> Window:
    volume = put_volume(window, made_volume((30, 40, 60)))
    turn = turned_about(turn_of(volume.geometry, "axial"), (1, 0, 0), 25)
    window.host.change_wish(turn=turn, place=(15.0, 14.0, 45.0), index=None)
    QApplication.processEvents()
    return window


def middle(window: Window) -> QPoint:
    return window.view.viewport().rect().center()


def test_an_oblique_view_scrolls_along_its_normal_and_says_what_is_under_the_pointer(turned: Window, qtbot: Any) -> None:
    window = turned
    state = window.view.state
    assert state.is_oblique
    with qtbot.waitSignal(window.view.pointer_moved) as moved:
        QTest.mouseMove(window.view.viewport(), middle(window) + QPoint(3, 3))
        QTest.mouseMove(window.view.viewport(), middle(window))
    (probe,) = moved.args
    assert probe is not None
    k, j, i = probe.index
    assert probe.value_text == f"{k * 1000 + j * 10 + i - 1000} HU"
    before = state.index
    QTest.keyClick(window.view, Qt.Key.Key_Down)
    QApplication.processEvents()
    assert abs(window.view.state.index - before) == 1
    assert window.view.state.is_oblique


@pytest.mark.parametrize("slab", [None, Slab("mip", 9.0)])
def test_drawing_on_a_plane_that_is_none_is_refused_with_a_sentence(turned: Window, slab: Slab | None) -> None:
    window = turned
    if slab is not None:
        window.host.change_wish(turn=None, slab=slab)
    said: list[str] = []
    window.view.refused.connect(said.append)
    steps = len(window.host.document.history)
    for name in ("tool.Measure/Distance", "tool.Segment/Brush", "tool.Measure/Ellipse"):
        window.actions_table[name].trigger()
        QTest.mousePress(window.view.viewport(), LEFT, pos=middle(window))
        QTest.mouseMove(window.view.viewport(), middle(window) + QPoint(30, 10))
        QTest.mouseRelease(window.view.viewport(), LEFT, pos=middle(window) + QPoint(30, 10))
    QApplication.processEvents()
    assert said
    assert all("Draw on" in text or "to draw on it" in text for text in said)
    assert len(window.host.document.history) == steps
    with pytest.raises(Refused):
        window.host.scope("slice")
    assert window.host.scope("volume").kind == "volume"


def test_the_bar_calls_a_turned_plane_oblique_and_turns_it_back(turned: Window) -> None:
    field = turned.view_bar.plane
    assert (field.currentText(), field.placeholderText()) == ("", "Oblique")
    assert not turned.actions_table["view.axial"].isChecked()
    field.setCurrentIndex(field.findData("sagittal"))
    field.activated.emit(field.currentIndex())
    QApplication.processEvents()
    assert (turned.view.state.plane, turned.view.state.is_oblique) == ("sagittal", False)
    assert field.currentData() == "sagittal"
    assert turned.actions_table["view.sagittal"].isChecked()


def test_a_standard_plane_ends_the_turn(turned: Window) -> None:
    turned.actions_table["view.coronal"].trigger()
    QApplication.processEvents()
    assert not turned.view.state.is_oblique
    assert turned.view.state.plane == "coronal"


def test_another_plane_goes_through_what_was_in_the_middle_as_large_as_it_was(window: Window) -> None:
    volume = put_volume(window, made_volume((30, 40, 60)))
    place = tuple(float(c) for c in volume.geometry.to_patient((22, 11, 43)))
    window.host.change_wish(plane="axial", index=22, center=place, zoom=4.0)
    before = window.view.state
    scale = before.zoom / before.layout.unit_length
    for plane, index in (("coronal", 11), ("sagittal", 43), ("sagittal", 43), ("axial", 22)):
        window.actions_table[f"view.{plane}"].trigger()
        QApplication.processEvents()
        state = window.view.state
        assert (state.plane, state.index) == (plane, index)
        assert state.zoom / state.layout.unit_length == pytest.approx(scale)
        width, height = window.view.viewport_size
        shown = state.position_at(state.placement((width, height)).to_picture((width / 2, height / 2)))
        assert shown == pytest.approx(place, abs=1e-6)


def test_a_measurement_from_the_list_is_brought_into_a_view_that_was_turned(turned: Window) -> None:
    geometry, host = turned.host.state.geometry, turned.host
    ends = tuple(tuple(float(c) for c in geometry.to_patient(index)) for index in ((7, 10, 20), (7, 20, 40)))
    with host.document.edit("Distance") as edit:
        edit.put(Annotation("a1", "distance", host.root_id, ends, 0, 0))
    assert not host.state.annotations
    show_measurement(turned.panel_host, "a1")
    assert not host.state.is_oblique
    assert host.state.array_index == 7
    assert [item.id for item in host.state.annotations] == ["a1"]
