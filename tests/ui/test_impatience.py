"""What an impatient user does: another thing before the first one is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.ui.window_samples import PATIENCE_MS, made_volume, put_volume, settle, write_pictures
from viewer.core.annotation import Annotation
from viewer.core.ids import new_id
from viewer.core.labels import LabelLayer, Segment
from viewer.ui import loading
from viewer.ui.tooling import rename_segment
from viewer.ui.window import Window


class Gate:
    """Holds the reading of chosen series until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        import threading

        self.event, real = threading.Event(), loading.load_entry

        def held(entry: Any, *args: Any, **options: Any) -> Any:
            if entry.title in names:
                assert self.event.wait(PATIENCE_MS / 1000)
                options["progress"](1, 1)  # raises after Cancel
            return real(entry, *args, **options)

        monkeypatch.setattr(loading, "load_entry", held)


def listed(window: Window, qtbot: Any, *paths: Path) -> None:
    window.open_paths(paths)
    qtbot.waitUntil(lambda: window.opener.is_loading, timeout=PATIENCE_MS)


def test_closing_all_while_a_series_is_read_leaves_no_row_of_it(window: Window, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pictures(tmp_path / "pictures", 1)[0]
    gate = Gate(monkeypatch, path.stem, path.name)
    listed(window, qtbot, path)
    window.commands.close_all()
    gate.event.set()
    settle(qtbot, window)
    assert window.opener.rows() == ()
    assert window.host.root_id == ""


def test_series_that_comes_late_does_not_take_the_view_from_the_one_chosen_meanwhile(
    window: Window, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_paths: Callable[..., None]
) -> None:
    slow, quick = write_pictures(tmp_path / "pictures", 2)
    open_paths(window, quick)
    chosen, entry = window.host.root_id, window.opener.rows()[0].entry
    gate = Gate(monkeypatch, slow.stem, slow.name)
    listed(window, qtbot, slow)
    window.opener.show(entry.id)
    gate.event.set()
    settle(qtbot, window)
    assert len([row for row in window.opener.rows() if row.root_id]) == 2
    assert window.host.root_id == chosen


def test_cancelled_reading_is_no_failure_and_can_be_asked_for_again(
    window: Window, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pictures(tmp_path / "pictures", 1)[0]
    gate = Gate(monkeypatch, path.stem, path.name)
    listed(window, qtbot, path)
    for task in window.host.work.tasks():
        window.host.work.cancel(task.id)
    gate.event.set()
    settle(qtbot, window)
    (row,) = window.opener.rows()
    assert (row.error, row.is_loading) == ("", False)
    window.opener.show(row.entry.id)
    settle(qtbot, window)
    assert window.host.root_id


def test_result_that_comes_during_a_stroke_is_written_after_it(small_window: Window, qtbot: Any) -> None:
    host = small_window.host
    volume = host.state.volume
    assert volume is not None
    call = host.prepare("Enhance/Gamma", {"gamma": 0.5}, host.scope("volume"))
    layer = LabelLayer(new_id("layer"), "Segments", volume.geometry, volume.id, (Segment(1, "Segment 1", "#ff0000"),))
    stroke = host.document.edit("Brush stroke")
    stroke.put(layer)
    stroke.paint(layer.id, (slice(0, 1), slice(0, 4), slice(0, 4)), np.ones((1, 4, 4), bool), 1)
    steps: list[Any] = []
    host.run(call, steps.append)
    settle(qtbot, small_window)
    assert len(host.document.history) == 0
    stroke.commit()
    qtbot.waitUntil(lambda: bool(steps), timeout=PATIENCE_MS)
    assert [step.title.text() for step in host.document.history] == ["Brush stroke", "Gamma 0.5"]


def test_segment_of_a_stroke_that_could_not_begin_does_not_come_with_the_next_gesture(small_window: Window) -> None:
    from viewer.core.errors import Refused

    tooling, document = small_window.tooling, small_window.host.document
    other = document.edit("Something else")
    tooling.ensure_segment()
    with pytest.raises(Refused):
        tooling.begin("Brush stroke")
    other.cancel()
    tooling.begin("Distance").commit()
    assert document.items("layer") == ()


@pytest.mark.parametrize(("field", "text", "words"), [
    ("width_field", "inf", "Window width must be a number."),
    ("level_field", "", "Window level must be a number."),
    ("level_field", "x" * 500, "Window level must be a number."),
    ("level_field", "1e99", "Window level must be between -1000000000000 and 1000000000000."),
])  # fmt: skip
def test_typed_nonsense_is_answered_with_the_name_of_the_field(window: Window, qtbot: Any, field: str, text: str, words: str) -> None:
    put_volume(window, made_volume())
    box = getattr(window.view_bar, field)
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text) if text else qtbot.keyClick(box, Qt.Key.Key_Delete)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    message = window.messages.message()
    assert message is not None
    assert message.text == words


def test_new_segments_never_share_a_name_whatever_layer_they_lie_in(small_window: Window, qtbot: Any) -> None:
    host, tooling = small_window.host, small_window.tooling

    def grow() -> None:
        host.run(host.prepare("Segment/Threshold", {"low": 0.0}, host.scope("volume")))
        settle(qtbot, small_window)

    grow()
    tooling.add_segment()
    grow()
    tooling.add_segment()
    ref = tooling.add_segment()
    rename_segment(host, ref, name="Segment 6")
    grow()
    segments = [segment for layer in host.document.items("layer") for segment in layer.segments]
    assert sorted(segment.name for segment in segments) == [f"Segment {number}" for number in (1, 2, 3, 4, 6, 7)]
    assert len({segment.color for segment in segments}) == 6


def test_undo_of_something_on_another_image_says_so(small_window: Window) -> None:
    host, first = small_window.host, small_window.host.root_id
    small_window.tooling.add_segment()
    put_volume(small_window, made_volume(title="other", series_uid="9.9"))
    host.undo()
    message = small_window.messages.message()
    assert message is not None
    assert message.text == "Undone on another image: Add Segment 1."
    host.redo()
    message = small_window.messages.message()
    assert message is not None
    assert message.text == "Done again on another image: Add Segment 1."
    small_window.messages.clear_messages()
    host.show_volume(first)
    host.undo()
    assert small_window.messages.message() is None


@pytest.mark.parametrize("is_there", [False, True])
def test_export_quicker_than_the_look_at_the_folder_waits_for_it(small_window: Window, qtbot: Any, tmp_path: Path, is_there: bool) -> None:
    from tests.ui.window_samples import dialog_of

    small_window.host.settings.set("export_folder", str(tmp_path))
    small_window.open_export("screenshot")
    dialog = dialog_of(small_window)
    path = dialog.path
    if is_there:
        path.write_bytes(b"old")
    dialog._export()
    settle(qtbot, small_window)
    if is_there:
        assert path.read_bytes() == b"old"
        assert dialog.note.text() == "A file with this name exists. It will be replaced."
        assert small_window.messages.message() is None
        dialog._export()
        settle(qtbot, small_window)
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_deleting_the_selected_measurement_names_it_as_the_list_does(small_window: Window) -> None:
    host = small_window.host
    item = Annotation(new_id("annotation"), "distance", host.root_id, ((1.0, 1.0, 0.0), (5.0, 5.0, 0.0)), 0, 0)
    with host.document.edit("Measure a distance") as edit:
        edit.put(item)
    small_window.tooling.select(item.id)
    small_window.actions_table["edit.delete"].trigger()
    assert host.document.items("annotation") == ()
    assert host.document.history[-1].title.text() == "Delete Distance 1"
