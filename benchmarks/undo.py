"""Commit, undo and redo of a large change of labels, and of a brush stroke, on 512x512x400 with a journal."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.table import Row
from viewer.core.geometry import Geometry
from viewer.core.labels import LabelLayer, Segment
from viewer.core.volume import Volume
from viewer.session.document import Document
from viewer.session.history import labels_change
from viewer.session.store import Store

SHAPE = (400, 512, 512)
ROUNDS = 9


def rows() -> list[Row]:
    """Undo of a grown region, of a stroke; acknowledging a step."""
    grid = Geometry(SHAPE, spacing=(1.0, 0.7, 0.7))
    with tempfile.TemporaryDirectory() as folder:
        document = Document(Store(Path(folder) / "journal.nego"))
        assert document.store is not None
        document.add_source(Volume("volume-a", np.zeros((1, *SHAPE), np.uint8), grid))
        with document.edit("Layer") as edit:
            edit.put(LabelLayer("layer-a", "Layer", grid, "volume-a", (Segment(1, "One", "#ff0000"),)))
        z, y, x = np.ogrid[:400, :512, :512]
        region = ((z - 200) / 150) ** 2 + ((y - 256) / 190) ** 2 + ((x - 256) / 190) ** 2 < 1
        region &= (np.sin(x / 5.0) * np.cos(y / 7.0) * np.sin(z / 4.0)) < 0.4  # vessels: an edge that packs badly
        whole = ((0, 400), (0, 512), (0, 512))
        change = labels_change("layer-a", document.labels("layer-a"), whole, region.astype(np.uint8))
        assert change is not None
        step = document.step("Grow", (change,))
        committing = _timed(lambda: document.commit(step))
        written = _timed(document.store.flush)
        undo, redo = _pairs(document)
        document.undo()
        ball = np.ones((1, 40, 40), bool)
        strokes = []
        for n in range(30):
            began = time.perf_counter()
            stroke = document.edit("Stroke")
            for move in range(20):
                stroke.paint("layer-a", (slice(200, 201), slice(100 + 5 * move, 140 + 5 * move), slice(10 * n, 10 * n + 40)), ball, 1)
            stroke.commit()
            strokes.append((time.perf_counter() - began) * 1000)
        stroke_undo, _ = _pairs(document)
        acknowledged = []
        for n in range(30):
            with document.edit("Stroke") as edit:
                edit.paint("layer-a", (slice(n, n + 1), slice(0, 40), slice(0, 40)), ball, 1)
            acknowledged.append(_timed(document.store.flush))
        document.close()
    share = f"region {int(region.sum()) / 1e6:.0f} million voxels, packed {len(change.after.blob) / 1e6:.1f} MB"
    return [
        Row("undo of a grown region, 512x512x400", undo, limit=50, note=share),
        Row("redo of a grown region", redo, limit=50),
        Row("commit of a grown region, on the window's thread", committing, limit=100),
        Row("until that step is on the disk", written, note="on the journal's thread, the window does not wait"),
        Row("undo of a brush stroke", stroke_undo, limit=50),
        Row("a brush stroke of 20 moves, committed", statistics.median(strokes), limit=100),
        Row("a stroke acknowledged by the journal", statistics.median(acknowledged)),
    ]


def _pairs(document: Document) -> tuple[float, float]:
    times = [(_timed(document.undo), _timed(document.redo)) for _ in range(ROUNDS)]
    return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)


def _timed(function: object) -> float:
    began = time.perf_counter()
    function()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000
