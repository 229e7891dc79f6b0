"""Several views in the window, with real events: layouts, the active view, linked crosshair, dropping series, a window of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from tests.ui.mouse import double_click
from tests.ui.window_samples import PATIENCE_MS, made_volume, put_volume, settle, write_pictures
from viewer.core.layout import NO_AXIS, Point
from viewer.draw.crosshair import handles
from viewer.session.desk import ARRANGEMENTS
from viewer.ui.views.drop_target import SERIES_MIME
from viewer.ui.views.slice_view import SliceView
from viewer.ui.window import Window


def spot(view: SliceView, point: Point) -> QPoint:
    x, y = view.state.placement(view.viewport_size).to_viewport(point)
    return QPoint(round(x), round(y))


def drag(view: SliceView, start: QPoint, end: QPoint, qtbot: Any) -> None:
    port = view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    for part in (0.5, 1.0):
        at = QPointF(start + (end - start) * part)
        event = QMouseEvent(
            QMouseEvent.Type.MouseMove, at, port.mapToGlobal(at), Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(port, event)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)


def drop(view: SliceView, entry_id: str) -> None:
    data = QMimeData()
    data.setData(SERIES_MIME, entry_id.encode())
    middle = view.viewport().rect().center()
    no = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(middle, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, no)
    QApplication.sendEvent(view.viewport(), enter)
    assert enter.isAccepted()
    QApplication.sendEvent(view.viewport(), QDropEvent(QPointF(middle), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, no))


@pytest.mark.parametrize("name", list(ARRANGEMENTS))
def test_every_layout_has_its_views_side_by_side_and_each_is_named(small_window: Window, name: str) -> None:
    small_window.actions_table[f"layout.{name}"].trigger()
    views = small_window.grid.views
    assert len(views) == len(ARRANGEMENTS[name].cells)
    assert len({view.accessibleName() for view in views}) == len(views)
    covered = np.zeros((small_window.grid.height(), small_window.grid.width()), dtype=int)
    for view in views:
        box = view.geometry()
        covered[box.top() : box.bottom() + 1, box.left() : box.right() + 1] += 1
    assert covered.max() == 1 and (covered == 0).mean() < 0.02  # only the gaps are left


def test_a_click_makes_a_view_active_and_bars_follow_it(small_window: Window, qtbot: Any) -> None:
    window, first = small_window, small_window.host.root_id
    window.actions_table["layout.1x2"].trigger()
    other = made_volume(title="other")
    qtbot.mouseClick(window.grid.views[1].viewport(), Qt.MouseButton.LeftButton)
    assert window.view is window.grid.views[1] and window.host.state.volume is None
    assert not window.actions_table["view.fit"].isEnabled()
    put_volume(window, other)
    assert window.grid.views[0].state.root_id == first and window.grid.views[1].state.root_id == other.id
    qtbot.keyClick(window.grid.views[1], Qt.Key.Key_Tab)
    assert window.view is window.grid.views[0] and window.host.root_id == first
    assert window.windowTitle().startswith("made")


def test_c12_the_crosshair_tool_takes_all_planes_to_the_place(ct_window: Window, qtbot: Any) -> None:
    window = ct_window
    window.actions_table["layout.mpr"].trigger()
    QApplication.processEvents()
    axial = window.grid.views[0]
    window.actions_table["tool.crosshair"].trigger()
    target = (150.0, 220.0)
    qtbot.mouseClick(axial.viewport(), Qt.MouseButton.LeftButton, pos=spot(axial, target))
    place = window.host.desk.cursor
    assert place is not None
    index = axial.state.geometry.to_index(place)
    for view in window.grid.views:
        assert abs(view.state.array_index - index[view.state.layout.axis]) <= 0.5
        assert view.cross.at == pytest.approx(view.state.point_of(place), abs=1e-6)
    # The probe of each view at the crosshair reads one and the same voxel.
    nearest = tuple(int(np.floor(c + 0.5)) for c in index)
    volume = axial.state.volume
    assert volume is not None
    for view in window.grid.views:
        own = view.state.index_at(view.cross.at)
        assert volume.data[0][tuple(int(np.floor(c + 0.5)) for c in own)] == volume.data[0][nearest]


def test_a_handle_of_a_line_turns_the_plane_and_a_command_straightens_it(ct_window: Window, qtbot: Any) -> None:
    window = ct_window
    window.actions_table["layout.mpr"].trigger()
    QApplication.processEvents()
    axial = window.grid.views[0]
    window.actions_table["tool.crosshair"].trigger()
    assert not window.actions_table["layout.straighten"].isEnabled()
    placement = axial.state.placement(axial.viewport_size)
    grip, cell = next((s, c) for s, c in handles(axial.cross, placement, axial.viewport_size) if c == 1)
    x, y = placement.to_viewport(axial.cross.at)
    radius = np.hypot(grip.x() - x, grip.y() - y)
    start = np.arctan2(grip.y() - y, grip.x() - x)
    end = start + np.radians(30)
    drag(axial, grip.toPoint(), QPoint(round(x + radius * np.cos(end)), round(y + radius * np.sin(end))), qtbot)
    assert [view.state.layout.axis == NO_AXIS for view in window.grid.views] == [False, True, True]
    line = next(line for line in axial.cross.lines if line.cell == cell)
    along = np.arctan2(line.end[1] - line.start[1], line.end[0] - line.start[0])
    assert np.degrees(abs(np.remainder(along - end + np.pi / 2, np.pi) - np.pi / 2)) < 1.0
    window.actions_table["layout.straighten"].trigger()
    assert all(view.wish.turn is None for view in window.grid.views)


def test_planes_of_what_has_none_are_refused_with_the_reason(window: Window, qtbot: Any, tmp_path: Path) -> None:
    window.open_paths(write_pictures(tmp_path / "pictures", 1))
    settle(qtbot, window)
    assert not window.actions_table["layout.mpr"].isEnabled()
    window.layout_commands.arrange("mpr")
    assert window.host.desk.arrangement.name == "1x1"
    message = window.messages.message()
    assert message is not None and "plane" in message.text


def test_a_series_is_dropped_into_a_view(window: Window, qtbot: Any, shared_data: Path) -> None:
    window.open_paths([shared_data / "ct_chest_lidc", shared_data / "mr_head_t1"])
    settle(qtbot, window)
    window.actions_table["layout.1x2"].trigger()
    shown = window.opener.shown_id
    other = next(r.entry.id for r in window.opener.rows() if r.entry.id != shown and r.entry.kind != "other")
    drop(window.grid.views[1], other)
    qtbot.waitUntil(lambda: window.grid.views[1].state.volume is not None and window.host.arriving is None, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert window.view is window.grid.views[1] and window.opener.shown_id == other
    assert window.grid.views[0].state.root_id != window.grid.views[1].state.root_id


def test_open_beside_makes_a_second_view(window: Window, qtbot: Any, shared_data: Path) -> None:
    window.open_paths([shared_data / "ct_chest_lidc", shared_data / "mr_head_t1"])
    settle(qtbot, window)
    row = next(r for r in window.opener.rows() if r.entry.id != window.opener.shown_id and r.entry.kind != "other")
    menu = window.browser.build_menu(row)
    next(a for a in menu.actions() if a.text() == "Open beside").trigger()
    settle(qtbot, window)
    assert [bool(v.state.volume) for v in window.grid.views] == [True, True]
    menu.deleteLater()


def test_double_click_gives_a_view_all_the_room_and_back(small_window: Window, qtbot: Any) -> None:
    window = small_window
    window.actions_table["layout.2x2"].trigger()
    view = window.grid.views[0]
    before = view.size()
    double_click(view.viewport())
    assert view.size() == window.grid.size() and not window.grid.views[1].isVisible()
    double_click(view.viewport())
    assert view.size() == before and window.grid.views[1].isVisible()


def test_a_view_in_a_window_of_its_own_follows_and_goes_with_its_window(small_window: Window, qtbot: Any) -> None:
    window = small_window
    made = window.layout_commands.detach()
    qtbot.waitExposed(made)
    assert len(window.grid.views) == 2 and window.view is made.view
    assert made.view.state.root_id == window.grid.views[0].state.root_id
    qtbot.keyClick(made.view, Qt.Key.Key_I)
    assert made.view.wish.is_inverted and window.grid.views[0].wish.is_inverted  # the window is linked
    made.close()
    QApplication.processEvents()
    assert len(window.grid.views) == 1 and window.view is window.grid.views[0]


def test_slabs_are_chosen_made_thicker_and_put_away(ct_window: Window) -> None:
    window = ct_window
    window.actions_table["slab.mip"].trigger()
    assert "MIP 10 mm" in window.view.state.badges
    window.actions_table["slab.thicker"].trigger()
    assert window.view.state.slab.mm == pytest.approx(12.5)
    window.actions_table["slab.mean"].trigger()
    assert window.view.state.slab.mode == "mean" and window.view.state.slab.mm == pytest.approx(12.5)
    window.actions_table["slab.off"].trigger()
    assert window.view.state.slab is None


def test_layout_and_links_are_remembered(make_window: Any, qtbot: Any) -> None:
    window = make_window()
    window.actions_table["layout.2x2"].trigger()
    window.actions_table["link.zoom"].trigger()
    again = make_window()
    QApplication.processEvents()
    assert again.host.desk.arrangement.name == "2x2" and not again.host.desk.links.zoom
    assert again.center.currentWidget() is again.first_run


def test_close_all_leaves_the_layout_and_empties_the_views(small_window: Window) -> None:
    window = small_window
    window.actions_table["layout.mpr"].trigger()
    window.commands.close_all()
    assert all(view.state.volume is None for view in window.grid.views)
    assert window.center.currentWidget() is window.first_run
    volume = put_volume(window, made_volume())
    assert [view.state.root_id for view in window.grid.views] == [volume.id] * 3
    assert [view.state.plane for view in window.grid.views] == ["axial", "sagittal", "coronal"]


@pytest.mark.parametrize("kind", ["one plane", "colour", "no spacing between planes"])
def test_an_image_without_planes_opened_in_a_layout_of_planes_is_shown_once_and_the_other_views_say_why(window: Window, kind: str) -> None:
    window.layout_commands.arrange("mpr")
    if kind == "one plane":
        volume = made_volume((1, 40, 60))
    elif kind == "colour":
        volume = made_volume(is_color=True)
    else:
        volume = made_volume()
        volume = replace(volume, geometry=replace(volume.geometry, between_known=False))
    put_volume(window, volume)
    assert [bool(v.state.volume) for v in window.grid.views] == [True, False, False]
    assert window.view is window.grid.views[0]
    assert all(v._message and "plane" in v._message.lower() for v in window.grid.views[1:])
    put_volume(window, made_volume())
    assert [bool(v.state.volume) for v in window.grid.views] == [True, True, True]


def test_before_and_after_stand_side_by_side_and_go_together(small_window: Window, qtbot: Any) -> None:
    window = small_window
    assert not window.actions_table["layout.before_after"].isEnabled()
    host = window.host
    call = host.prepare("Enhance/Gamma", {"gamma": 0.5}, host.scope("volume"))
    host.run(call)
    settle(qtbot, window)
    window.actions_table["layout.before_after"].trigger()
    before, after = window.grid.views
    assert "PROCESSED" in after.state.badges and "PROCESSED" not in before.state.badges
    window.host.change_wish(index=1)
    assert before.state.index == after.state.index == 1


def test_c12_two_series_without_a_common_frame_go_together_only_when_asked_and_are_marked(window: Window) -> None:
    from viewer.draw.overlay import shown_badges

    window.actions_table["layout.1x2"].trigger()
    first = put_volume(window, made_volume((9, 40, 60), title="first"))
    window.host.activate(1)
    put_volume(window, made_volume((9, 40, 60), title="second"))
    left, right = window.grid.views
    window.host.ask(0, replace(left.wish, index=2))
    window.host.ask(1, replace(right.wish, index=5))
    window.host.activate(0)
    window.host.change_wish(index=3)
    assert (left.state.index, right.state.index) == (3, 5)
    window.actions_table["link.by_offset"].trigger()
    window.host.change_wish(index=5)
    assert (left.state.index, right.state.index) == (5, 7)
    for view in (left, right):
        names = [name for name, _box in shown_badges(view.state, QRectF(0, 0, *view.viewport_size), 1.0, extras=view._extras())]
        assert "MANUAL LINK" in names
    window.actions_table["link.by_offset"].trigger()
    window.host.change_wish(index=0)
    assert right.state.index == 7 and first.id == left.state.root_id


def test_c12_no_crosshair_stays_in_a_view_that_shows_something_else(window: Window) -> None:
    first = put_volume(window, made_volume())
    window.host.point(0, window.host.state.position_at((9.0, 9.0)))
    QApplication.processEvents()
    assert window.view.cross.at == pytest.approx((9.0, 9.0))
    put_volume(window, made_volume())  # without a common frame of reference
    assert window.view.cross.at is None
    window.host.show_volume(first.id)
    window.host.point(0, window.host.state.position_at((9.0, 9.0)))
    window.host.close_all()
    put_volume(window, made_volume())
    assert window.view.cross.at is None
