"""Segmentations and structure sets of the browser: chosen, they appear on their series, in one step, once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.io.objects.object_samples import Frame, Grid, contour, write_image, write_segmentation, write_structures
from tests.ui.window_samples import PATIENCE_MS, settle
from viewer.ui.messages import Notice
from viewer.ui.window import Window

GRID = Grid(shape=(5, 24, 32), spacing=(3.0, 1.0, 1.0))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_image(tmp_path / "study" / "ct", GRID)
    mask = np.zeros(GRID.shape[1:], np.uint8)
    mask[4:12, 4:12] = 1
    frames = [Frame(mask, GRID.place(k, 0, 0), segment=n) for n in (1, 2) for k in (1, 2)]
    write_segmentation(tmp_path / "study" / "seg.dcm", frames, GRID)
    return tmp_path / "study"


def open_all(qtbot: Any, window: Window, *paths: Path) -> list[Notice]:
    said: list[Notice] = []
    window.host.notice.connect(said.append)
    window.opener.open_paths(list(paths))
    settle(qtbot, window)
    return said


def object_id(window: Window) -> str:
    return next(row.entry.id for row in window.opener.rows() if row.entry.object_kind)


def test_choosing_a_segmentation_puts_its_segments_on_its_series_in_one_step(qtbot: Any, window: Window, study: Path) -> None:
    said = open_all(qtbot, window, study)
    document = window.host.document
    assert not document.layers_of(window.host.root_id)
    window.opener.show(object_id(window))
    qtbot.waitUntil(lambda: len(document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    layers = document.layers_of(window.host.root_id)
    assert sorted(s.name for layer in layers for s in layer.segments) == ["Segment number 1", "Segment number 2"]
    assert said[-1].kind == "ok"
    assert said[-1].text == "2 segments opened on Made image."
    # The second time it is only said that they are there.
    window.opener.show(object_id(window))
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "open already" in said[-1].text, timeout=PATIENCE_MS)
    assert len(document.history) == 1
    window.host.undo()
    assert not document.layers_of(window.host.root_id)


def test_a_series_that_is_not_read_yet_is_read_first(qtbot: Any, window: Window, study: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "study" / "large", Grid(shape=(9, 24, 32)), series="1.2.3.7")
    open_all(qtbot, window, study)
    named = next(row for row in window.opener.rows() if row.entry.shape[0] == 5)
    assert not named.root_id, "the larger series is shown first"
    window.opener.show(object_id(window))
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    row = window.opener.row(named.entry.id)
    assert row is not None
    assert window.host.root_id == row.root_id
    assert window.host.document.layers_of(row.root_id)


def test_who_chose_another_series_meanwhile_is_not_torn_away_from_it(
    qtbot: Any, window: Window, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewer.ui import segment_objects

    write_image(tmp_path / "study" / "large", Grid(shape=(9, 24, 32)), series="1.2.3.7")
    open_all(qtbot, window, study)
    other, end, real = window.host.root_id, threading.Event(), segment_objects.read_attachable

    def held(*args: Any, **options: Any) -> Any:
        assert end.wait(PATIENCE_MS / 1000)
        return real(*args, **options)

    monkeypatch.setattr(segment_objects, "read_attachable", held)
    window.opener.show(object_id(window))
    qtbot.waitUntil(lambda: window.host.root_id not in ("", other), timeout=PATIENCE_MS)
    window.opener.show(next(row.entry.id for row in window.opener.rows() if row.root_id == other))
    window.host.change_wish(index=7)
    end.set()
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert (window.host.root_id, window.host.state.index) == (other, 7)
    message = window.messages.message()
    assert message is not None and message.text == "2 segments opened on Made image."


def test_of_two_quick_choices_the_last_one_is_shown(qtbot: Any, window: Window, study: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "study" / "large", Grid(shape=(9, 24, 32)), series="1.2.3.7")
    open_all(qtbot, window, study)
    other = window.host.root_id
    window.opener.show(object_id(window))  # its series has yet to be read
    window.opener.show(next(row.entry.id for row in window.opener.rows() if row.root_id == other))
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert window.host.root_id == other


def test_a_segmentation_opened_by_itself_goes_to_the_series_that_is_open(qtbot: Any, window: Window, study: Path) -> None:
    said = open_all(qtbot, window, study / "ct")
    window.opener.open_paths([study / "seg.dcm"])
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert said[-1].text == "2 segments opened on Made image."


def test_a_missing_series_is_named(qtbot: Any, window: Window, tmp_path: Path) -> None:
    path = write_structures(tmp_path / "rt.dcm", [("A", [contour(np.eye(3))])], series="1.2.3.77")
    said = open_all(qtbot, window, path)
    qtbot.waitUntil(lambda: bool(said) and "1.2.3.77" in said[-1].text, timeout=PATIENCE_MS)
    assert said[-1].kind == "err"


def test_what_is_left_out_is_said_with_the_details(qtbot: Any, window: Window, study: Path) -> None:
    (study / "seg.dcm").unlink()
    square = np.array([GRID.place(2, *corner) for corner in ((1.5, 1.5), (1.5, 10.5), (8.5, 10.5), (8.5, 1.5))])
    far = square + np.array([0, 0, 300.0])
    write_structures(study / "rt.dcm", [("A", [contour(square), contour(far), contour(square, "OPEN_PLANAR")])])
    said = open_all(qtbot, window, study)
    window.opener.show(object_id(window))
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert said[-1].kind == "warn"
    assert "1 outline lies on a plane that the image does not have" in said[-1].text


def test_where_the_shown_slice_has_nothing_of_them_the_one_with_most_is_shown(qtbot: Any, window: Window, study: Path) -> None:
    (study / "seg.dcm").unlink()
    frames = []
    for plane, size in ((3, 6), (4, 12)):
        mask = np.zeros(GRID.shape[1:], np.uint8)
        mask[:size, :size] = 1
        frames.append(Frame(mask, GRID.place(plane, 0, 0)))
    write_segmentation(study / "seg.dcm", frames, GRID)
    open_all(qtbot, window, study)
    window.host.change_wish(index=3)
    shown = window.host.state.array_index
    assert shown in (1, 3)
    window.host.change_wish(index=0 if window.host.state.layout.slice_of(0) == 0 else 4)
    assert window.host.state.array_index == 0
    window.opener.show(object_id(window))
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert window.host.state.array_index == 4


def test_rows_of_objects_say_how_much_is_in_them(qtbot: Any, window: Window, study: Path) -> None:
    from viewer.ui.browser_rows import count_of, title_of

    open_all(qtbot, window, study)
    entry = next(row.entry for row in window.opener.rows() if row.entry.object_kind)
    assert (title_of(entry), count_of(entry)) == ("Made segmentation", "2 segments")


def test_a_segmentation_dropped_on_the_view_goes_to_its_series(qtbot: Any, window: Window, study: Path) -> None:
    from PySide6.QtCore import QPoint

    open_all(qtbot, window, study / "ct")
    window.attaching.offer([study / "seg.dcm"], QPoint(10, 10))
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert len(window.host.document.layers_of(window.host.root_id)) == 2
