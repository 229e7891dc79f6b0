"""Models that do harm, asked in a window with workers: it says what happened, goes on at once, and the next model answers (D10)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.plugins.onnx_samples import zoo_card
from tests.ui.window_samples import made_volume, put_volume, settle
from viewer.jobs import Limits
from viewer.jobs.pool import Pool
from viewer.session import apply as applying
from viewer.session.models import own_folder
from viewer.session.plugins import discover
from viewer.session.settings import Settings
from viewer.ui.host import Host
from viewer.ui.messages import Notice
from viewer.ui.window import Window

PATIENCE_MS = 60_000
_BEAT_MS = 5


@pytest.fixture
def worker_window(themed: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    """A window whose operations run in processes of their own, with five planes open."""
    made = Window(Host(discover(), Pool(1), Settings(tmp_path / "own.toml"), journal=False))
    made.resize(1280, 800)
    with qtbot.waitSignal(made.host.specs_ready, timeout=PATIENCE_MS):
        made.show()
    made.activateWindow()
    qtbot.waitExposed(made)
    put_volume(made, made_volume())
    settle(qtbot, made)
    yield made
    made.close()
    host = made.host
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    host.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    vars(made).clear()


class Beats:
    """The longest time that the window's thread did not come round, in milliseconds."""

    def __init__(self, parent: Any) -> None:
        self.worst_ms, self._last = 0.0, time.perf_counter()
        self._timer = QTimer(parent)
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.worst_ms, self._last = max(self.worst_ms, (now - self._last) * 1000), now

    def stop(self) -> float:
        self._timer.stop()
        return self.worst_ms


@pytest.mark.parametrize(
    ("name", "words"), [("hangs", "Nothing was heard of it for 4 s"), ("hungry", r"GiB of memory|alloc"), ("throws", 'The model "throws" failed')]
)
def test_d10_the_window_lives_on(
    worker_window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, name: str, words: str, record_property: Any
) -> None:
    window, host = worker_window, worker_window.host
    zoo_card(own_folder(), name, takes={"height": 8, "width": 8, "batch": 1})
    zoo_card(own_folder(), "mean_level", takes={"height": 8, "width": 8}, gives={"activation": "sigmoid"})
    said: list[Notice] = []
    host.notice.connect(said.append)
    with monkeypatch.context() as patch:
        silence = 4.0 if name == "hangs" else 60.0
        patch.setattr(applying, "lane_limits", lambda: Limits(silence=silence, memory=900 << 20))
        call = host.prepare("Classify/Classify", {"model": name}, host.scope("slice"))
        task = host.run(call)
    beats, seen = Beats(window), set()

    def scroll_until_over() -> bool:
        host.change_wish(index=(host.state.index + 1) % 5)
        seen.add(host.state.index)
        return not host.work.is_running(task)

    qtbot.waitUntil(scroll_until_over, timeout=PATIENCE_MS)
    record_property("the window stood still for at most, ms", round(beats.stop()))
    assert seen == set(range(5))
    assert any(notice.kind == "err" and re.search(words, notice.text) for notice in said), said
    assert host.document.reports_of(host.root_id) == ()
    assert len(host.document.history) == 0

    done: list[Any] = []
    host.run(host.prepare("Classify/Classify", {"model": "mean_level"}, host.scope("slice")), done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=PATIENCE_MS)
    assert host.document.reports_of(host.root_id)[-1].model == "mean_level"
    assert np.isfinite(host.document.reports_of(host.root_id)[-1].scores[0].value)
    vars(beats).clear()
    del call
