"""From a folder dropped on the real window to its pictures: a series of 400 slices against SimpleITK, and a folder of 10,000 files.

The window is offscreen but whole: browser, thumbnails, journal, statistics and the painted view are all part of the time.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import SimpleITK as sitk
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks import indexing, made_series
from benchmarks.gaps import Pulse
from benchmarks.table import Row
from viewer.io import remembered

LONGEST_S = 120.0
FIRST_THUMBNAIL_MS = 1000.0
FIRST_IMAGE_MS = 300.0
LARGEST_GAP_MS = 100.0


def rows() -> list[Row]:
    """An uncompressed and a JPEG-LS series, and many files."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            os.environ[name] = home
        plain = made_series.write(Path(folder), "uncompressed")
        packed = made_series.write(Path(folder), "JPEG 2000", 100)
        many = Path(folder) / "many"
        many.mkdir()
        indexing.make(many)
        return _measure(plain, packed, many)


class _Stand:
    """A window, and how long it takes until something is true of it."""

    def __init__(self) -> None:
        from viewer.jobs.pool import Pool
        from viewer.session.plugins import discover
        from viewer.session.settings import Settings
        from viewer.ui import theme
        from viewer.ui.host import Host
        from viewer.ui.window import Window

        self.app = QApplication.instance() or QApplication(["dropping"])
        theme.apply_theme(self.app, "dark")
        self.host = Host(discover(), Pool(2), Settings())
        self.host.pool.warm()
        self.window = Window(self.host, restore=False)
        self.window.resize(1280, 800)
        self.window.show()
        self.ticks = QTimer(interval=4)
        self.ticks.start()
        self.until(lambda: False, seconds=2.0)

    def until(self, is_so: Callable[[], object], *, seconds: float = LONGEST_S) -> float:
        """Serve the window until something is so; ms."""
        start = time.perf_counter()
        while not is_so() and time.perf_counter() - start < seconds:
            # Waits as a window does: asking without a pause would take the processor from the thread that reads.
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        return (time.perf_counter() - start) * 1000

    def drop(self, folder: Path) -> None:
        remembered.forget()
        self.window.open_paths([folder])

    def is_whole(self) -> bool:
        """The whole volume is in the document, and painted."""
        if not self.host.root_id:
            return False
        self.window.view.repaint()
        return True

    def has_picture(self) -> bool:
        return self.host.seen.volume is not None

    def clear(self) -> None:
        self.host.close_all()
        self.until(lambda: not self.host.root_id and not self.window.opener.rows(), seconds=10.0)
        self.until(lambda: False, seconds=0.3)


def _measure(plain: Path, packed: Path, many: Path) -> list[Row]:
    stand = _Stand()
    whole: list[float] = []
    rival: list[float] = []
    first: list[float] = []
    for _round in range(5):
        stand.drop(plain)
        whole.append(stand.until(stand.is_whole))
        stand.clear()
        start = time.perf_counter()
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(plain)))
        sitk.GetArrayFromImage(reader.Execute())
        rival.append((time.perf_counter() - start) * 1000)
        stand.drop(packed)
        stand.until(lambda: bool(stand.window.opener.rows()))
        first.append(stand.until(stand.has_picture))
        stand.until(stand.is_whole)
        stand.clear()
    thumbnails: list[str] = []
    stand.window.opener.thumbnail_ready.connect(lambda entry_id, _volume: thumbnails.append(entry_id))
    pulse = Pulse()
    stand.drop(many)
    pulse.start()
    thumbnail = stand.until(lambda: bool(thumbnails))
    listed = thumbnail + stand.until(lambda: not stand.window.opener.is_scanning and len(stand.window.opener.rows()) == indexing.SERIES)
    gap = pulse.stop()
    stand.window.close()
    stand.host.close()
    return [
        Row("a folder of 400 slices dropped, to the whole painted", _median(whole), rival="SimpleITK", rival_figure=_median(rival), at_most=0.6),
        Row("a JPEG 2000 series listed, to its first picture", _median(first), limit=FIRST_IMAGE_MS),
        Row("10,000 files dropped, to the first thumbnail", thumbnail, limit=FIRST_THUMBNAIL_MS),
        Row("10,000 files dropped, to all series listed", listed),
        Row("largest gap of the event loop meanwhile", gap, limit=LARGEST_GAP_MS),
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
