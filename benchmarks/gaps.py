"""The largest gap of the window's event loop while an operation runs over a large volume, ends and is committed.

A timer of 5 ms notes when it is served. The volume is shown in the real window; the journal is on. Opening is measured too.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.growing import HIGH, LOW, SEED, SHAPE, body
from benchmarks.table import Row

LIMIT_MS = 100.0
LONGEST_S = 240.0


class Pulse:
    """Beats every 5 ms and remembers the longest time between two beats."""

    def __init__(self) -> None:
        self.timer = QTimer()
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(5)
        self.timer.timeout.connect(self._beat)
        self.last = self.worst = 0.0

    def start(self) -> None:
        self.last, self.worst = time.perf_counter(), 0.0
        self.timer.start()

    def stop(self) -> float:
        self._beat()
        self.timer.stop()
        return self.worst * 1000

    def _beat(self) -> None:
        now = time.perf_counter()
        self.last, self.worst = now, max(self.worst, now - self.last)


def rows() -> list[Row]:
    """Region growing, Gaussian and CLAHE on 512x512x400, each from the click to its step on screen, and its undo."""
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")):
            os.environ[name] = str(Path(folder) / part)
        return _measure()


def _measure() -> list[Row]:
    from viewer.jobs.pool import Pool
    from viewer.session.plugins import discover
    from viewer.session.settings import Settings
    from viewer.session.statistics import value_range
    from viewer.ui import theme
    from viewer.ui.host import Host
    from viewer.ui.window import Window

    app = QApplication.instance() or QApplication(["gaps"])
    theme.apply_theme(app, "dark")
    host = Host(discover(), Pool(2), Settings())
    window = Window(host, restore=False)
    window.show()
    host.pool.warm()
    volume = body(90.0)
    value_range(volume)
    host.document.add_source(volume)
    host.show_volume(volume.id)
    seed = tuple(float(c) for c in volume.geometry.to_patient(SEED))
    calls = {
        "Segment/Region growing": {"seed": (seed,), "low": LOW, "high": HIGH},
        "Enhance/Gaussian": {},
        "Enhance/CLAHE": {},
    }
    for name in calls:
        host.registry.spec(name, host.pool)
    _settle(300)
    found = []
    size = " x ".join(map(str, SHAPE))
    for name, parameters in calls.items():
        pulse, loop, errors = Pulse(), QEventLoop(), list[BaseException]()
        pulse.start()
        began = time.perf_counter()
        call = host.prepare(name, parameters, host.scope("volume"))
        host.run(call, lambda _step, loop=loop: loop.quit(), lambda error, loop=loop, errors=errors: (errors.append(error), loop.quit()))
        QTimer.singleShot(int(LONGEST_S * 1000), loop.quit)
        loop.exec()
        spent = time.perf_counter() - began
        if errors:
            raise errors[0]
        _settle(500)  # what the step brings: repainting, the journal, thumbnails
        found.append(Row(f"largest gap, {name}, {size}", pulse.stop(), limit=LIMIT_MS, note=f"{spent:.1f} s from the click to the step"))
        pulse.start()
        host.undo()
        _settle(200)
        found.append(Row(f"largest gap, undo of {name}", pulse.stop(), limit=LIMIT_MS))
        np.testing.assert_equal(host.document.history.position, 0)
    window.close()
    return found


def _settle(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
