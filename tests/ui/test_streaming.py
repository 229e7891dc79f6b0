"""A series that is being read: its planes are shown as they come, never another one, and it can only be looked at."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import PATIENCE_MS, settle
from viewer.core.errors import UnreadableFile
from viewer.core.ids import new_id
from viewer.core.volume import Volume
from viewer.io import open as io_open
from viewer.io.stream import Stream
from viewer.session.arriving import Arriving
from viewer.session.document import Source
from viewer.ui import loading
from viewer.ui.window import Window

PLANES, ROWS, COLUMNS = 7, 20, 24


class Feed:
    """A reader in slow motion: brings the planes that the test tells it to bring."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.words: queue.Queue[Any] = queue.Queue()
        self.stream: Stream | None = None
        self.is_used = False
        real, plane = loading.load_entry, io_open.load_plane

        def slow(entry: Any, pool: Any, *, progress: Any, stream: Stream, on_whole: Any) -> tuple[Volume, Source]:
            volume, source = real(entry, pool)
            self.stream = stream
            while True:
                progress(0, 1)  # raises after Cancel
                try:
                    word = self.words.get(timeout=0.02)
                except queue.Empty:
                    continue
                if word == "begin":
                    stream.begin(volume.phases, volume.geometry.shape[0], lambda f, k: _plane(volume, f, k))
                elif word == "whole":
                    stream.end()
                    on_whole(volume)
                    return volume, source
                elif isinstance(word, Exception):
                    stream.end()
                    raise word
                else:
                    stream.arrived(0, word)

        monkeypatch.setattr(loading, "load_entry", slow)

        def never(*_args: Any, **_options: Any) -> Volume:
            raise UnreadableFile("not alone")

        monkeypatch.setattr(io_open, "load_plane", never)
        self.real_plane = plane

    def say(self, *words: Any) -> None:
        for word in words:
            self.words.put(word)


def _plane(volume: Volume, phase: int, plane: int) -> Volume:
    geometry = volume.geometry.cropped((plane, 0, 0), (1, *volume.geometry.shape[1:]))
    return replace(volume, id=new_id("volume"), root_id="", data=volume.data[phase : phase + 1, plane : plane + 1], geometry=geometry)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A volume whose planes are each one grey: 100 times their number."""
    values = np.repeat(np.arange(PLANES, dtype=np.int16) * 100, ROWS * COLUMNS).reshape(PLANES, ROWS, COLUMNS)
    values[:, 0, 0] = 600  # a brightest and a darkest pixel everywhere
    values[:, 0, 1] = 0
    path = tmp_path / "stack.mha"
    sitk.WriteImage(sitk.GetImageFromArray(values), str(path))
    return path


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    made = Feed(monkeypatch)
    yield made
    made.say("whole")
    made.stream = None


def shown_value(window: Window) -> str:
    """The value under the pointer, in the middle of the view."""
    view = window.view
    view.hover((view.viewport_size[0] / 2, view.viewport_size[1] / 2), Qt.KeyboardModifier.NoModifier)
    return view._probe_text


def begin(window: Window, qtbot: Any, feed: Feed, stack: Path, *planes: int) -> Arriving:
    window.open_paths([stack])
    feed.say("begin", *planes)
    qtbot.waitUntil(lambda: window.host.arriving is not None, timeout=PATIENCE_MS)
    found = window.host.arriving
    assert found is not None
    wait_for(window, qtbot, *planes)
    return found


def wait_for(window: Window, qtbot: Any, *planes: int) -> None:
    arriving = window.host.arriving
    assert arriving is not None
    qtbot.waitUntil(lambda: set(planes) <= set(np.flatnonzero(arriving.ready(0))), timeout=PATIENCE_MS)
    QApplication.processEvents()


def test_the_wanted_plane_is_shown_before_the_rest_is_there(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3)
    assert window.center.currentWidget() is window.grid
    assert window.host.seen.count == PLANES and window.host.seen.array_index == 3
    assert window.view._item.picture is None or shown_value(window) == "300"
    window.view.grab()
    assert window.view._item.picture is not None
    assert window.host.root_id == ""  # nothing to work on yet
    feed.say("whole")
    settle(qtbot, window)
    assert window.host.arriving is None and window.host.root_id
    assert shown_value(window) == "300"


def test_a_plane_that_is_not_there_is_asked_for_and_no_other_is_shown_in_its_place(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3)
    qtbot.keyClick(window.view, Qt.Key.Key_Down)
    window.view.grab()
    assert window.host.seen.array_index == 4
    assert window.view._item.picture is None
    assert shown_value(window) == ""
    assert feed.stream is not None and feed.stream.wanted == (0, 4)
    feed.say(4)
    wait_for(window, qtbot, 4)
    window.view.grab()
    assert window.view._item.picture is not None
    assert shown_value(window) == "400"


def test_the_slice_bar_says_which_planes_are_there(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    from viewer.ui.views.arrival import arrived_ranges

    arriving = begin(window, qtbot, feed, stack, 3, 4, 6)
    assert arrived_ranges(arriving, window.host.seen) == ((3, 5), (6, 7))
    qtbot.waitUntil(lambda: window.status.probe.text() == "Reading: 3 of 7 images", timeout=PATIENCE_MS)


def test_window_zoom_and_place_chosen_while_reading_stay_when_the_whole_is_there(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3, 5)
    view = window.view
    before = window.host.seen.window
    middle = QPoint(view.width() // 2, view.height() // 2)
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(view.viewport(), middle + QPoint(30, 10))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=middle + QPoint(30, 10))
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    chosen = window.host.seen
    assert chosen.window != before and chosen.zoom is not None
    feed.say("whole")
    settle(qtbot, window)
    state = window.host.state
    assert (state.window, state.zoom, state.array_index) == (chosen.window, chosen.zoom, 5)


def test_the_grey_window_is_settled_by_the_first_plane_and_does_not_change_with_the_next(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3)
    first = window.host.seen.window
    assert (first.low, first.high) == (0, 600)  # of the plane that is there, not of those that are not
    for plane in (4, 5, 6):
        feed.say(plane)
        wait_for(window, qtbot, plane)
        qtbot.keyClick(window.view, Qt.Key.Key_Down)
        assert window.host.seen.window == first
    assert window.view_bar.width_field.isEnabled()


def test_while_it_is_read_it_can_only_be_looked_at_and_everything_else_says_why(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3)
    for name in ("tool.Measure/Distance", "file.export", "analysis.classify", "view.labels"):
        action = window.actions_table[name]
        assert not action.isEnabled() and "Still reading" in action.toolTip(), name
    for name in ("tool.pan", "view.next_slice", "view.fit", "window.invert", "tool.scroll"):
        assert window.actions_table[name].isEnabled(), name
    window.phase_bar.refresh()
    for control in (window.view_bar.plane, window.phase_bar.play, window.phase_bar.axis, window.phase_bar.rate):
        assert not control.isEnabled() and "Still reading" in control.toolTip(), control.accessibleName()
    feed.say("whole")
    settle(qtbot, window)
    window.phase_bar.refresh()
    assert window.actions_table["tool.Measure/Distance"].isEnabled() and window.phase_bar.play.isEnabled()


def test_a_tool_in_hand_waits_until_the_series_is_whole(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    window._pick_tool("Measure/Distance")
    begin(window, qtbot, feed, stack, 3)
    qtbot.mouseClick(window.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    message = window.messages.message()
    assert message is not None and "Still reading" in message.text
    assert window.host.document.items("annotation") == ()


def test_a_failure_while_reading_is_said_in_the_view_and_in_the_row(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3)
    feed.say(UnreadableFile("stack.mha: the rest of it is missing."))
    settle(qtbot, window)
    assert window.center.currentWidget() is window.grid
    assert window.view._message == "stack.mha: the rest of it is missing."
    assert window.view.state.volume is None
    assert window.opener.rows()[0].error == "stack.mha: the rest of it is missing."


def test_cancelled_while_reading_is_said_in_the_view_and_the_row_can_be_chosen_again(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    begin(window, qtbot, feed, stack, 3)
    row = window.opener.rows()[0]
    menu = window.browser.build_menu(row)
    next(a for a in menu.actions() if a.text() == "Stop reading").trigger()
    menu.deleteLater()
    settle(qtbot, window)
    assert "was cancelled" in window.view._message
    assert window.opener.rows()[0].error == "" and not window.opener.rows()[0].is_loading
    window.opener.show(row.entry.id)
    feed.say("begin", 3, "whole")
    settle(qtbot, window)
    assert window.host.root_id and window.view._message == ""


def test_another_series_can_be_chosen_meanwhile_and_the_first_is_there_when_it_is_whole(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    from tests.ui.window_samples import made_volume, put_volume

    begin(window, qtbot, feed, stack, 3)
    other = put_volume(window, made_volume())
    assert window.host.root_id == other.id and window.host.arriving is None
    feed.say("whole")
    settle(qtbot, window)
    assert window.host.root_id == other.id
    window.opener.show(window.opener.rows()[0].entry.id)
    assert window.host.root_id != other.id


def test_page_down_goes_on_from_the_series_that_is_being_read(window: Window, qtbot: Any, feed: Feed, stack: Path, tmp_path: Path) -> None:
    from tests.ui.window_samples import write_pictures

    feed.say("whole")
    window.open_paths(write_pictures(tmp_path / "pictures", 2))
    settle(qtbot, window)
    feed.say("whole")
    rows = window.opener.rows()
    window.opener.show(rows[1].entry.id)
    settle(qtbot, window)
    begin(window, qtbot, feed, stack, 3)
    assert window.opener.shown_id == window.opener.rows()[2].entry.id
    qtbot.keyClick(window.view, Qt.Key.Key_PageUp)
    assert window.opener.shown_id == rows[1].entry.id
    feed.say("whole")
    settle(qtbot, window)
    assert window.opener.shown_id == rows[1].entry.id


def test_a_format_that_brings_no_planes_shows_the_middle_one_at_once(
    window: Window, qtbot: Any, monkeypatch: pytest.MonkeyPatch, stack: Path
) -> None:
    import threading

    go_on, real = threading.Event(), loading.load_entry

    def held(*args: Any, **options: Any) -> Any:
        assert go_on.wait(PATIENCE_MS / 1000)
        return real(*args, **options)

    monkeypatch.setattr(loading, "load_entry", held)
    window.open_paths([stack])
    qtbot.waitUntil(lambda: window.host.arriving is not None, timeout=PATIENCE_MS)
    assert shown_value(window) == "300"
    qtbot.keyClick(window.view, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: shown_value(window) == "200", timeout=PATIENCE_MS)  # read by itself
    go_on.set()
    settle(qtbot, window)
    assert window.host.root_id and shown_value(window) == "200"


def test_the_old_picture_stays_with_a_ring_until_the_new_one_is_there(window: Window, qtbot: Any, feed: Feed, stack: Path) -> None:
    from tests.ui.window_samples import made_volume, put_volume

    old = put_volume(window, made_volume())
    window.open_paths([stack])
    qtbot.waitUntil(lambda: window._waiting.isVisible(), timeout=PATIENCE_MS)
    assert window.host.root_id == old.id and window.view.state.volume is old
    feed.say("begin", 3)
    qtbot.waitUntil(lambda: window.host.arriving is not None, timeout=PATIENCE_MS)
    assert not window._waiting.isVisible()
    feed.say("whole")
    settle(qtbot, window)
    assert not window._waiting.isVisible()


def test_the_stand_in_of_a_large_series_takes_no_memory(inline_pool: Any, stack: Path) -> None:
    (entry,) = io_open.find([stack]).series
    picture = io_open.load_plane(entry, 3, 0, pool=inline_pool)
    arriving = Arriving(replace(entry, shape=(4000, 1000, 1000), geometry=None))
    before = _resident()
    arriving.take(0, 2000, picture)
    assert arriving.volume(arriving.id).nbytes == 8_000_000_000
    assert _resident() - before < 32 << 20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
