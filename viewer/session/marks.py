"""What lies where along the slices of a view: key images, findings and segments, as the slider marks them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from viewer.core.labels import LabelLayer
from viewer.session.document import Document
from viewer.session.key_images import indices_in
from viewer.session.view import ViewState

MarkKind = Literal["key_image", "annotation", "report"]
_KEPT = 24


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing on one slice (a frame, where the view walks through frames); ``index`` as shown, from 0."""

    index: int
    kind: MarkKind
    id: str


@dataclass(frozen=True, slots=True)
class Run:
    """Slices in a row, from ``first`` to ``last`` as shown, that hold a segment."""

    first: int
    last: int
    color: str
    name: str


def point_marks(document: Document, state: ViewState) -> tuple[Mark, ...]:
    """Key images and findings (measurements, found shapes, reports) on the slices that a view scrolls through, in their order."""
    if state.volume is None:
        return ()
    found = [Mark(index, "key_image", item.id) for index, item in indices_in(document.key_images_of(state.root_id), state).items()]
    walks_frames, axis = state.count == 1, state.layout.axis
    for shape in document.annotations_of(state.root_id):
        if state.is_oblique or not shape.points or (shape.axis != axis and shape.shape != "point"):
            continue
        if walks_frames:
            found.append(Mark(shape.phase, "annotation", shape.id))
        elif shape.phase == state.phase:
            middle = float(np.mean(state.geometry.to_index(np.asarray(shape.points, dtype=np.float64))[:, axis]))
            number = int(np.floor(middle + 0.5))
            if 0 <= number < state.count:
                found.append(Mark(round(state.layout.slice_of(number)), "annotation", shape.id))
    for report in document.reports_of(state.root_id):
        if walks_frames:
            found.append(Mark(report.phase, "report", report.id))
        elif axis == 0 and report.phase == state.phase and 0 <= report.index < state.count:
            found.append(Mark(round(state.layout.slice_of(report.index)), "report", report.id))
    last = state.volume.phases if walks_frames else state.count
    return tuple(sorted((mark for mark in found if 0 <= mark.index < last), key=lambda mark: (mark.index, mark.kind)))


class SegmentScan:
    """On which indices along an axis each label of a layer is found: looked up plane by plane, in short goes between events.

    Parameters
    ----------
    document : Document
    layer : LabelLayer
    axis : int
        0 planes, 1 rows, 2 columns.
    """

    def __init__(self, document: Document, layer: LabelLayer, axis: int) -> None:
        self.revision = document.revision(layer.id)
        self.is_done = False
        self.present: dict[int, NDArray[np.bool_]] = {s.label: np.zeros(layer.geometry.shape[axis], np.bool_) for s in layer.segments}
        self._layer_id, self._axis, self._plane = layer.id, axis, 0

    def go_on(self, document: Document, seconds: float) -> None:
        """Look at further planes until the time is up. The labels must be those of ``revision``."""
        labels: NDArray[Any] = document.labels(self._layer_id)
        end = time.perf_counter() + seconds
        while self._plane < labels.shape[0]:
            self._take(labels[self._plane])
            self._plane += 1
            if time.perf_counter() >= end:
                break
        self.is_done = self._plane >= labels.shape[0]

    def _take(self, values: NDArray[Any]) -> None:
        if not values.any():
            return
        for label, present in self.present.items():
            here = values == label
            if self._axis == 0:
                present[self._plane] = bool(here.any())
            else:
                present |= here.any(axis=1 if self._axis == 1 else 0)


_scans: WeakKeyDictionary[Document, dict[tuple[str, int], SegmentScan]] = WeakKeyDictionary()


def scans_of(document: Document, state: ViewState) -> Iterator[tuple[LabelLayer, SegmentScan]]:
    """The scans of the layers in view along its axis, shared by all views of a document; old ones are begun anew."""
    known = _scans.setdefault(document, {})
    for shown in () if state.is_oblique else state.layers:
        layer = shown.layer
        if not document.has_layer(layer.id):
            continue
        key = (layer.id, state.layout.axis)
        scan = known.pop(key, None)
        if scan is None or scan.revision != document.revision(layer.id):
            scan = SegmentScan(document, layer, state.layout.axis)
        known[key] = scan
        yield layer, scan
    while len(known) > _KEPT:
        del known[next(iter(known))]


def segment_runs(document: Document, state: ViewState, only: tuple[str, int] | None = None) -> tuple[Run, ...]:
    """Runs of slices with visible segments, as far as they are known by now.

    Parameters
    ----------
    document : Document
    state : ViewState
    only : (layer id, label), optional
        This segment alone, if it is in view.
    """
    if state.count < 2 or state.is_oblique:
        return ()
    found = []
    for layer, scan in scans_of(document, state):
        for segment in layer.segments:
            present = scan.present.get(segment.label)
            if segment.is_visible and present is not None and present.shape == (state.count,) and present.any():
                found.append(((layer.id, segment.label), segment, present[::-1] if state.layout.flip_axis else present))
    chosen = [entry for entry in found if entry[0] == only] or found
    runs = []
    for _ref, segment, present in chosen:
        edges = np.flatnonzero(np.diff(np.concatenate(([False], present, [False])).astype(np.int8)))
        runs += [Run(int(first), int(stop) - 1, segment.color, segment.name) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
    return tuple(runs)
