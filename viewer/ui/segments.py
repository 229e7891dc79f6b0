"""The sizes of segments, kept up to date beside the window, and the way to a segment's middle."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from viewer.core import digits
from viewer.core.geometry import Geometry
from viewer.core.words import gettext as _
from viewer.session.apply import SegmentRef
from viewer.session.counting import PlaneCounts, count_planes, place_inside
from viewer.session.history import Changes
from viewer.session.view import triple
from viewer.ui.host import Host

_DELAY_MS = 40
_AT_ONCE = 1 << 20
"""Voxels that are counted on the window's thread (some 2 ms); more go to a thread of their own."""


class SegmentSizes(QObject):
    """Counts the voxels of the layers that it is asked about; afterwards only planes that change are counted anew."""

    changed = Signal(str)
    """Layer id: its sizes are known, or known anew."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._counts: dict[str, PlaneCounts] = {}
        self._counting: dict[str, set[int]] = {}
        """Planes of each layer that changed while a thread counts it."""
        self._wanted: set[str] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_DELAY_MS)
        self._soon.timeout.connect(self._count)
        host.document_changed.connect(self._take_changes)
        host.document_replaced.connect(self._clear)

    def voxels(self, ref: SegmentRef) -> int | None:
        """Voxels of a segment; None until they are counted (``changed`` follows)."""
        if ref.layer_id not in self._counts:
            self._want(ref.layer_id)
            return None
        return self._counts[ref.layer_id].voxels(ref.label)

    def middle_plane(self, ref: SegmentRef) -> int | None:
        """The plane (from 0 in the array) with half of a segment's voxels before it; None if it is empty or not counted."""
        counts = self._counts.get(ref.layer_id)
        return counts.middle_plane(ref.label) if counts is not None else None

    def _want(self, layer_id: str) -> None:
        if self._host.document.has_layer(layer_id):
            planes = self._host.document.layer(layer_id).geometry.shape[0]
            self._counts[layer_id] = PlaneCounts(planes)
            self._plan(layer_id)

    def _plan(self, layer_id: str) -> None:
        self._wanted.add(layer_id)
        if not self._soon.isActive():
            self._soon.start()

    def _take_changes(self, changes: Changes) -> None:
        for kind, item_id in changes.items:
            if kind == "layer" and not self._host.document.has_layer(item_id):
                self._counts.pop(item_id, None)
        for layer_id, box in changes.boxes:
            counts = self._counts.get(layer_id)
            if counts is not None:
                start, stop = box[0]
                counts.forget(start, stop)
                if layer_id in self._counting:
                    self._counting[layer_id].update(range(start, stop))
                self._plan(layer_id)

    def _clear(self) -> None:
        self._counts.clear()
        self._wanted.clear()
        self._counting.clear()

    def _count(self) -> None:
        wanted, self._wanted = self._wanted, set()
        for layer_id in wanted:
            counts = self._counts.get(layer_id)
            if counts is None or not self._host.document.has_layer(layer_id) or counts.is_complete:
                continue
            if layer_id in self._counting:
                continue  # asked again when the thread is back
            labels = self._host.document.labels(layer_id)
            if len(counts.missing) * labels[0].size <= _AT_ONCE:
                counts.take(count_planes(labels, counts.missing))
                self.changed.emit(layer_id)
            else:
                self._count_beside(layer_id, counts, labels)

    def _count_beside(self, layer_id: str, counts: PlaneCounts, labels: NDArray[Any]) -> None:
        # The thread reads live labels: a plane that is written meanwhile is noted, and counted again.
        planes = counts.missing
        self._counting[layer_id] = set()

        def work(progress: Callable[[int, int], None]) -> dict[int, NDArray[np.int64]]:
            return count_planes(labels, planes, lambda: progress(0, len(planes)))

        self._host.work.run_thread(work, _("Sizes of segments"), partial(self._counted, layer_id, counts), self._host.report, quiet=True)

    def _counted(self, layer_id: str, counts: PlaneCounts, found: dict[int, NDArray[np.int64]]) -> None:
        changed = self._counting.pop(layer_id, set())
        if self._counts.get(layer_id) is not counts:
            if layer_id in self._counts:
                self._plan(layer_id)
            return
        counts.take(found, [plane for plane in found if plane not in changed])
        if counts.is_complete:
            self.changed.emit(layer_id)
        else:
            self._plan(layer_id)


def size_text(geometry: Geometry, voxels: int | None) -> str:
    """A segment's size: area on one plane, volume on several, voxels where a spacing is not known; "" until it is counted."""
    if voxels is None:
        return ""
    if voxels == 0:
        return digits.DASH
    if geometry.shape[0] == 1 and geometry.knows(1) and geometry.knows(2):
        return digits.area(voxels * geometry.spacing[1] * geometry.spacing[2])
    volume = geometry.voxel_volume_mm3
    return digits.count(voxels, "px") if volume is None else digits.volume(voxels * volume / 1000)


def show_segment(host: Host, sizes: SegmentSizes, ref: SegmentRef) -> bool:
    """Bring a segment's middle into view, on the plane that is shown; False if there is nothing of it."""
    plane = sizes.middle_plane(ref)
    state = host.state
    if plane is None or state.volume is None:
        return False
    inside = place_inside(host.document.labels(ref.layer_id), ref.label, plane)
    if inside is None:
        return False
    place = host.document.layer(ref.layer_id).geometry.to_patient(inside)
    index = round(state.slice_at(triple(place)))
    host.change_wish(index=max(0, min(index, state.count - 1)))
    return True
