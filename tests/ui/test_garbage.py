"""What a window leaves behind in cycles goes on the window's thread, whoever makes much meanwhile."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from tests.ui.window_samples import PATIENCE_MS
from viewer.ui.garbage import GarbageCollector


@pytest.fixture
def automatic() -> Iterator[None]:
    """Python collects by itself, as outside of the tests."""
    gc.enable()
    yield
    gc.disable()


@pytest.fixture
def collector(qapp: Any, automatic: None) -> Iterator[GarbageCollector]:
    made = GarbageCollector()
    yield made
    made.close()


class Ring:
    """An object in a cycle with a menu that has no parent."""

    def __init__(self) -> None:
        self.ring, self.menu = self, QMenu()


def make_much(kept: list[Any]) -> None:
    """More than a hundred times what makes Python collect."""
    kept.extend([] for _ in range(100_000))


def leave_ring(threads: list[int]) -> None:
    weakref.finalize(Ring(), lambda: threads.append(threading.get_ident()))


def in_a_thread() -> list[Any]:
    kept: list[Any] = []
    thread = threading.Thread(target=make_much, args=(kept,))
    thread.start()
    thread.join()
    return kept


def test_without_it_python_collects_in_the_thread_that_makes_much(automatic: None) -> None:
    """The test of the test: with a cycle of no Qt object."""
    threads: list[int] = []
    ring: list[Any] = []
    ring.append(ring)
    holder = Holder(ring)
    ring.append(holder)
    weakref.finalize(holder, lambda: threads.append(threading.get_ident()))
    del ring, holder
    in_a_thread()
    assert threads and threads[0] != threading.get_ident()


class Holder:
    def __init__(self, ring: list[Any]) -> None:
        self.ring = ring


def test_nothing_goes_in_a_thread_and_all_goes_on_the_windows_soon(collector: GarbageCollector, qtbot: Any) -> None:
    threads: list[int] = []
    leave_ring(threads)
    made = in_a_thread()
    assert threads == []
    qtbot.waitUntil(lambda: bool(threads), timeout=PATIENCE_MS)
    assert threads == [threading.get_ident()]
    assert len(made) == 100_000  # the counts are of what is there


def test_what_is_older_goes_too(collector: GarbageCollector, qtbot: Any) -> None:
    """Once it has survived: the counts of the older generations are followed as well."""
    threads: list[int] = []
    kept = Ring()
    weakref.finalize(kept, lambda: threads.append(threading.get_ident()))
    gc.collect()
    gc.collect()
    del kept
    made: list[Any] = []
    gc.set_threshold(700, 2, 2)
    try:
        for _ in range(20):  # more than (2 + 1) x (2 + 1)
            made.extend([] for _ in range(1000))
            collector.collect_due()
    finally:
        gc.set_threshold(700, 10, 10)
    assert threads == [threading.get_ident()]


def test_the_thresholds_that_reading_raises_are_kept_to(collector: GarbageCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    """io.collector says how often, this says where."""
    asked: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: (1000, 0, 0))
    monkeypatch.setattr(gc, "collect", asked.append)
    collector.collect_due()
    assert asked == [0]
    monkeypatch.setattr(gc, "get_threshold", lambda: (50_000, 10, 10))
    collector.collect_due()
    assert asked == [0]
    monkeypatch.setattr(gc, "get_threshold", lambda: (0, 10, 10))  # switched off
    collector.collect_due()
    assert asked == [0]


def test_all_of_it_is_not_gone_through_while_a_button_is_held(collector: GarbageCollector, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: (1000, 11, 11))
    monkeypatch.setattr(gc, "collect", asked.append)
    surface = QWidget()
    qtbot.addWidget(surface)
    surface.show()
    qtbot.mousePress(surface, Qt.MouseButton.LeftButton)
    collector.collect_due()
    qtbot.mouseRelease(surface, Qt.MouseButton.LeftButton)
    collector.collect_due()
    assert asked == [1, 2]


def test_python_collects_by_itself_again_once_it_is_closed(qapp: Any, automatic: None) -> None:
    made = GarbageCollector()
    assert not gc.isenabled() and gc.get_freeze_count() == 0
    made.leave_out_what_is()
    assert gc.get_freeze_count() > 0
    made.close()
    assert gc.isenabled() and gc.get_freeze_count() == 0
