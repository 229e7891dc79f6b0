"""Several views of one volume: frames while the crosshair is dragged through linked planes, and what more views cost in memory.

A frame is everything from the new place of the crosshair until all planes that it moves are painted. Without a display Qt's
offscreen platform is used.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtWidgets import QApplication

from benchmarks.reformat import volume
from benchmarks.table import Row
from viewer.core.volume import Volume
from viewer.jobs.pool import Pool
from viewer.session.document import Source
from viewer.session.plugins import discover
from viewer.session.settings import Settings
from viewer.ui.host import Host
from viewer.ui.view_grid import ViewGrid

SIDE, FRAMES, MARGIN = 1000, 200, 40.0


def rows() -> list[Row]:
    """Dragging in the planes, and nine views."""
    shown = volume()
    with _grid(shown) as (host, grid):
        frames = [_dragged(host, grid, name) for name in ("mpr", "mpr_four")]
        grown = _nine(host, grid)
    words = ("axial, sagittal and coronal", "2x2 MPR")
    return [
        row
        for name, times in zip(words, frames, strict=True)
        for row in (
            Row(f"crosshair dragged, {name}, 512x512x400, median", statistics.median(times)),
            Row(f"crosshair dragged, {name}, 512x512x400, 95th percentile", float(np.percentile(times, 95)), limit=25),
        )
    ] + [Row("memory of nine views over that of one", grown, unit="MB", rival="the volume", rival_figure=shown.values.nbytes / 1e6, limit=100)]


@contextmanager
def _grid(shown: Volume) -> Iterator[tuple[Host, ViewGrid]]:
    """A grid with the volume in its one view, painted."""
    app = QApplication.instance() or QApplication(["views"])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as folder:
        host = Host(discover(), Pool(inline=True), Settings(Path(folder) / "settings.toml"), journal=False)
        grid = ViewGrid(host)
        grid.begin()
        grid.resize(SIDE, SIDE)
        grid.show()
        host.document.add_source(shown, Source(shown.id))
        host.show_volume(shown.id)
        app.processEvents()
        yield host, grid
        grid.close()
        host.close()


def _dragged(host: Host, grid: ViewGrid, layout: str) -> list[float]:
    """Milliseconds of each frame."""
    host.arrange(layout)
    QApplication.processEvents()
    volume_shown = host.state.volume
    assert volume_shown is not None
    low = np.asarray(volume_shown.geometry.to_patient((0, 0, 0)))
    high = np.asarray(volume_shown.geometry.to_patient(tuple(n - 1 for n in volume_shown.geometry.shape)))
    middle, reach = (low + high) / 2, (high - low) / 2 - MARGIN
    times = []
    for frame in range(FRAMES + 20):
        turn = 2 * np.pi * frame / 100
        place = middle + reach * (np.cos(turn), np.sin(turn), np.sin(2 * turn))
        began = time.perf_counter()
        host.point(0, (float(place[0]), float(place[1]), float(place[2])))
        QApplication.processEvents()  # each view is painted once
        if frame >= 20:
            times.append((time.perf_counter() - began) * 1000)
    return times


def _nine(host: Host, grid: ViewGrid) -> float:
    """Megabytes that nine views of a volume hold more than one, each scrolled elsewhere and painted."""
    used = []
    for layout in ("1x1", "3x3"):
        host.arrange(layout)
        for cell, view in enumerate(grid.views):
            host.activate(cell)
            host.show_volume(host.document.sources[0].volume_id)
            for index in range(0, 300, 25):
                host.change_wish(index=index + cell)
                QApplication.processEvents()
                view.viewport().repaint()
        used.append(_resident())
    return used[1] - used[0]


def _resident() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0  # only Linux tells
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
