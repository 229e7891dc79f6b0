"""Painted frames while windowing a radiograph of 2048 x 2500 pixels of 16 bits in a 1000x1000 view, against a bare painter of the same picture.

The bare painter looks the values up in a table (``numpy.take`` into RGB32), makes the picture smaller as it has to be and draws it: no
text, no letters, no event handling. Both run in one process, in turns; what is limited is the 95th percentile.
"""

from __future__ import annotations

import os
import sys

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.table import Row
from viewer.core.colormaps import rgb32
from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window, apply_window
from viewer.session.document import Document
from viewer.session.view import ViewWish
from viewer.ui.views.slice_view import SliceView

SIDE, ROWS, COLUMNS, FRAMES = 1000, 2500, 2048, 120
LIMIT_MS = 20.0


class Bare(QWidget):
    """A picture and a painter, nothing else."""

    def __init__(self, values: NDArray[np.uint16]) -> None:
        super().__init__()
        self.values, self.window_width = values, 3000.0

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        levels = apply_window(np.arange(65536), Window(2000, self.window_width))
        table = rgb32("grey")[np.floor(levels + 0.5).astype(np.uint8)]
        pixels = np.take(table, self.values, mode="clip")
        width = round(SIDE * COLUMNS / ROWS)
        image = QImage(pixels.data, COLUMNS, ROWS, COLUMNS * 4, QImage.Format.Format_RGB32)
        small = image.scaled(width, SIDE, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        painter = QPainter(self)
        painter.drawImage(QRectF((SIDE - width) / 2, 0, width, SIDE), small)
        painter.end()


def radiograph() -> Volume:
    """Smooth structures and noise over 12 of 16 bits."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    values = 2000 + 1500 * np.sin(x / 300) * np.cos(y / 400) + rng.normal(0, 30, (ROWS, COLUMNS))
    who = Identity(modality="DX", series_uid="1.2.3", series_number="1", series_description="Made radiograph")
    grid = Geometry((1, ROWS, COLUMNS), (0, 0, 0), (1.0, 0.14, 0.14))
    data = np.clip(values, 0, 65535).astype(np.uint16)[None, None]
    return Volume("volume-radiograph", data, grid, "image", title="Made", identity=who, windows=(Window(2000, 3000),))


def rows() -> list[Row]:
    """Windowing, with another window in every frame."""
    app = QApplication.instance() or QApplication(["radiograph"])
    volume = radiograph()
    document = Document()
    document.add_source(volume)
    view, bare = SliceView(), Bare(volume.data[0, 0])
    for widget in (view, bare):
        widget.resize(SIDE, SIDE)
        widget.show()
    view.set_document(document, ViewWish(volume.id))
    app.processEvents()
    ours: list[float] = []
    rival: list[float] = []

    def paint(frame: int) -> None:
        view.take(replace(view.wish, window=Window(2000, 3000 + frame)))
        view.viewport().repaint()

    def paint_bare(frame: int) -> None:
        bare.window_width = 3000.0 + frame
        bare.repaint()

    for frame in range(FRAMES + 10):
        for times, work in ((ours, paint), (rival, paint_bare)):
            taken = _milliseconds(work, frame)
            if frame >= 10:
                times.append(taken)
    view.close()
    bare.close()
    name = "painted frame, windowing a radiograph of 2048 x 2500"
    return [
        Row(f"{name}, median", statistics.median(ours), rival="bare painter", rival_figure=statistics.median(rival), at_most=2.0),
        Row(f"{name}, 95th percentile", _p95(ours), rival="bare painter", rival_figure=_p95(rival), limit=LIMIT_MS),
    ]


def _milliseconds(work: Callable[[int], None], frame: int) -> float:
    start = time.perf_counter()
    work(frame)
    return (time.perf_counter() - start) * 1000


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
