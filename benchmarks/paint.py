"""Painted frames while scrolling and windowing a 512x512 series in a 1000x1000 view, against a bare painter of the same picture.

The bare painter looks the values up in a table (``numpy.take`` into RGB32) and draws the picture smoothly: no text, no
letters, no event handling. Both run in one process, in turns. Without a display Qt's offscreen
platform is used.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.table import Row
from benchmarks.timing import in_turns
from viewer.core.geometry import Geometry
from viewer.core.labels import LabelLayer, Segment
from viewer.core.render import Display, to_rgb32
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.session.document import Document
from viewer.session.view import ViewWish
from viewer.ui.views.slice_view import SliceView

SIDE, PLANES, FRAMES, WARM_UP = 1000, 60, 300, 70
NAPARI = "napari 0.9, elsewhere"
NAPARI_NOTE = "napari 0.9 under Xvfb with software OpenGL, the same volume, measured once on another machine; it is no part of this environment"
Change = Callable[[ViewWish, int], ViewWish]


class Bare(QWidget):
    """A picture and a painter, nothing else."""

    def __init__(self, values: NDArray[np.int16]) -> None:
        super().__init__()
        self.values, self.index, self.window = values, 0, Window(40, 400)
        self.table = self.make_table()

    def make_table(self) -> NDArray[np.uint32]:
        every = np.arange(-32768, 32768, dtype=np.int16)
        return np.roll(to_rgb32(every[None], Display(self.window))[0], -32768)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  Qt's name
        pixels = np.take(self.table, self.values[self.index].view(np.uint16), mode="clip")
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, SIDE, SIDE), QImage(pixels.data, 512, 512, 2048, QImage.Format.Format_RGB32))
        painter.end()


def series() -> Volume:
    """A CT-like series: smooth structures and noise, in HU."""
    rng = np.random.default_rng(7)
    z, y, x = np.mgrid[:PLANES, :512, :512].astype(np.float32)
    body = 1050.0 * (((x - 256) / 220) ** 2 + ((y - 256) / 170) ** 2 < 1) - 1000 + 200 * np.sin(x / 23) * np.cos(y / 31 + z / 9)
    data = (body + rng.normal(0, 20, body.shape)).astype(np.int16)
    who = Identity(
        patient_name="Nobody, Really", patient_id="0042", patient_sex="F", patient_age="058Y", study_date="20240318", study_time="094100",
        modality="CT", series_number="3", series_description="Made series", institution="Nowhere", series_uid="1.2.3",
    )  # fmt: skip
    grid = Geometry((PLANES, 512, 512), (-180, -180, 0), (1.0, 0.7, 0.7))
    return Volume("volume-paint", data[None], grid, unit="HU", title="Made", identity=who, windows=(Window(40, 400),))


class Segmented(Document):
    """A document with a label layer that no step made."""

    def __init__(self, volume: Volume) -> None:
        super().__init__()
        self.add_source(volume)
        y, x = np.mgrid[:512, :512]
        self._made = np.zeros(volume.geometry.shape, dtype=np.uint8)
        self._made[:, (y - 200) ** 2 + (x - 180) ** 2 < 60**2] = 1
        self._made[:, (y - 300) ** 2 + (x - 330) ** 2 < 40**2] = 2
        segments = (Segment(1, "One", "#37F8C8"), Segment(2, "Two", "#985AED"))
        self._layer = LabelLayer("layer-paint", "Made", volume.geometry, volume.id, segments)

    def layers_of(self, root_id: str) -> tuple[LabelLayer, ...]:
        return (self._layer,)

    def labels(self, layer_id: str) -> NDArray[np.uint8]:
        return self._made


def rows() -> list[Row]:
    """Scrolling and windowing, with segments and without, all with corner texts."""
    app = QApplication.instance() or QApplication(["paint"])
    volume = series()
    plain, segmented = Document(), Segmented(volume)
    plain.add_source(volume)
    view, bare = SliceView(), Bare(volume.values)
    for widget in (view, bare):
        widget.resize(SIDE, SIDE)
        widget.show()
    app.processEvents()
    found = []
    cases: tuple[tuple[str, Document, Change, float | None], ...] = (
        ("scrolling", plain, _scroll, None),
        ("windowing", plain, _window, None),
        ("scrolling with 2 segments", segmented, _scroll, 36.0),
        ("windowing with 2 segments", segmented, _window, 30.0),
    )
    for name, document, change, napari in cases:
        view.set_document(document, ViewWish(volume.id))
        frames = iter(range(1 << 30))
        others = iter(range(1 << 30))

        def ours(change: Change = change, frames: Iterator[int] = frames) -> None:
            view.take(change(view.wish, next(frames)))
            view.viewport().repaint()

        def rival(name: str = name, others: Iterator[int] = others) -> None:
            frame = next(others)
            if name.startswith("windowing"):
                bare.window = Window(40, 400 + frame)
                bare.table = bare.make_table()
            else:
                bare.index = frame % PLANES
            bare.repaint()

        times = in_turns(ours, rival, rounds=FRAMES, warm_up=WARM_UP)
        here, beside = (statistics.median(side) for side in zip(*times, strict=True))
        found.append(Row(f"painted frame, {name}, median", here, rival="bare painter", rival_figure=beside, at_most=2.0, limit=3.0))
        found.append(Row(f"painted frame, {name}, 95th percentile", float(np.percentile([time for time, _ in times], 95)), limit=8.0))
        if napari is not None:
            found.append(Row(f"painted frame, {name}, median", here, rival=NAPARI, rival_figure=napari, at_most=1 / 12, note=NAPARI_NOTE))
    view.close()
    bare.close()
    return found


def _scroll(wish: ViewWish, frame: int) -> ViewWish:
    return replace(wish, index=frame % PLANES, window=None)


def _window(wish: ViewWish, frame: int) -> ViewWish:
    return replace(wish, index=30, window=Window(40, 400 + frame))
