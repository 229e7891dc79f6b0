"""What drawing tools share: a press near a handle changes that measurement, any other draws a new one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.api import Geometry, Triple, mark
from viewer.api.tool import (
    Annotation,
    Gesture,
    Pointer,
    ToolHost,
    handles,
    is_in_plane,
    measure_annotation,
    moved,
    nearest_handle,
    new_id,
    roi_size,
)

HANDLE_PIXELS = 8.0
"""A press this near to a handle, in pixels of the screen, takes it."""
SMALLEST_PIXELS = 3.0
"""A drag shorter than this, in pixels of the screen, is a click and draws nothing."""
_QUICK_PIXELS = 65536  # statistics of a shape up to this size are made anew at every move


@dataclass(frozen=True, slots=True)
class Grab:
    """A handle that is being moved, and the change in the making."""

    item: Annotation
    handle: int
    offset: tuple[float, float, float]
    """From the pointer to the handle where it was taken: the handle does not jump."""
    gesture: Gesture


@dataclass
class DrawTool(ABC):
    """A tool that draws a shape by dragging, and changes shapes by their handles; one step a drag."""

    options: Any = None
    start: Triple | None = field(default=None, init=False)
    band: Annotation | None = field(default=None, init=False)
    """The shape that is being drawn, not yet part of the document."""
    grab: Grab | None = field(default=None, init=False)

    @property
    @abstractmethod
    def title(self) -> str:
        """Name of the step that draws a new shape: a text of the catalogue."""

    @abstractmethod
    def shape(self, start: Triple, end: Triple, pointer: Pointer, geometry: Geometry, axis: int, item_id: str) -> Annotation:
        """The shape of a drag from one place to another; ``axis`` is that of the opened volume."""

    def press(self, host: ToolHost, pointer: Pointer) -> None:
        self.cancel(host)
        found = self._nearest(host, pointer)
        if found is None:
            self.start = pointer.position
            return
        item, handle = found
        offset = np.asarray(handles(item)[handle]) - np.asarray(pointer.position)
        self.grab = Grab(item, handle, (float(offset[0]), float(offset[1]), float(offset[2])), host.begin(mark("Change a measurement")))

    def move(self, host: ToolHost, pointer: Pointer) -> None:
        if self.grab is not None:
            self.grab.gesture.put(self._dragged(host, self.grab, pointer, is_final=False))
        elif self.start is not None:
            self.band = self._drawn(host, self.start, pointer, is_final=False)

    def release(self, host: ToolHost, pointer: Pointer) -> None:
        start, grab = self.start, self.grab
        self.start = self.band = self.grab = None
        if grab is not None:
            changed = self._dragged(host, grab, pointer, is_final=True)
            if changed.points == grab.item.points:
                grab.gesture.cancel()
            else:
                grab.gesture.put(changed)
                grab.gesture.commit()
        elif start is not None:
            item = self._drawn(host, start, pointer, is_final=True)
            if item is not None:
                gesture = host.begin(self.title)
                gesture.put(item)
                gesture.commit()

    def cancel(self, host: ToolHost) -> None:
        grab = self.grab
        self.start = self.band = self.grab = None
        if grab is not None:
            grab.gesture.cancel()

    def shapes(self, host: ToolHost, pointer: Pointer | None) -> tuple[Annotation, ...]:
        return () if self.band is None else (self.band,)

    def _nearest(self, host: ToolHost, pointer: Pointer) -> tuple[Annotation, int] | None:
        geometry, axis = host.original.geometry, original_axis(host, pointer.axis)
        best: tuple[float, Annotation, int] | None = None
        for item in host.annotations():
            if is_in_plane(item, geometry, axis, pointer.position, host.phase):
                near = nearest_handle(item, pointer.position, HANDLE_PIXELS * pointer.pixel)
                # Of two at the same distance the later one: it lies on top.
                if near is not None and (best is None or near[1] <= best[0]):
                    best = (near[1], item, near[0])
        return None if best is None else best[1:]

    def _drawn(self, host: ToolHost, start: Triple, pointer: Pointer, *, is_final: bool) -> Annotation | None:
        geometry, axis = host.original.geometry, original_axis(host, pointer.axis)
        end = in_plane_of(start, pointer.position, geometry, axis)
        if np.linalg.norm(np.asarray(end) - np.asarray(start)) < SMALLEST_PIXELS * pointer.pixel:
            return None
        item = self.shape(start, end, pointer, geometry, axis, new_id("annotation"))
        return self._measured(host, replace(item, volume_id=host.original.id, phase=host.phase), is_final=is_final)

    def _dragged(self, host: ToolHost, grab: Grab, pointer: Pointer, *, is_final: bool) -> Annotation:
        old = handles(grab.item)[grab.handle]
        wanted = np.asarray(pointer.position) + np.asarray(grab.offset)
        geometry = host.original.geometry
        end = in_plane_of(old, (float(wanted[0]), float(wanted[1]), float(wanted[2])), geometry, grab.item.axis)
        if pointer.shift and grab.item.shape in ("distance", "line"):
            end = snapped(grab.item.points[1 - grab.handle], end, geometry, grab.item.axis)
        if np.allclose(end, old, rtol=0, atol=1e-6):
            return grab.item
        return self._measured(host, moved(grab.item, grab.handle, end), is_final=is_final)

    def _measured(self, host: ToolHost, item: Annotation, *, is_final: bool) -> Annotation:
        quick = item.shape in ("distance", "line") or roi_size(item, host.original.geometry) <= _QUICK_PIXELS
        return measure_annotation(item, host.original, with_values=is_final or quick)


def original_axis(host: ToolHost, axis: int) -> int:
    """The array axis of the opened volume that runs along one of the volume on screen, which may lie on another grid."""
    shown, opened = host.volume.geometry, host.original.geometry
    if shown.direction == opened.direction:
        return axis
    return int(np.argmax([abs(float(opened.vector(n) @ shown.vector(axis))) for n in range(3)]))


def in_plane_of(start: Triple, end: Triple, geometry: Geometry, axis: int) -> Triple:
    """``end``, moved at right angles to the plane into the plane of ``start``: the view may have been scrolled meanwhile."""
    if not geometry.is_rectangular:
        index = geometry.to_index(end)
        index[axis] = geometry.to_index(start)[axis]
        return _triple(geometry.to_patient(index))
    normal = geometry.vector(axis)
    place = np.asarray(end) - float((np.asarray(end) - np.asarray(start)) @ normal) * normal
    return _triple(place)


def snapped(start: Triple, end: Triple, geometry: Geometry, axis: int) -> Triple:
    """``end``, turned around ``start`` to the nearest multiple of 15 degrees against the grid; the distance stays."""
    across, down = plane_vectors(geometry, axis)
    arm = np.asarray(end) - np.asarray(start)
    angle = np.arctan2(arm @ down, arm @ across)
    step = np.pi / 12
    angle = np.rint(angle / step) * step
    return _triple(np.asarray(start) + np.linalg.norm(arm) * (np.cos(angle) * across + np.sin(angle) * down))


def plane_vectors(geometry: Geometry, axis: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors of the two array axes in a plane: the later axis first (columns, rows in the acquired plane)."""
    first, second = (n for n in (2, 1, 0) if n != axis)
    return geometry.vector(first), geometry.vector(second)


def _triple(place: NDArray[np.float64]) -> Triple:
    return (float(place[0]), float(place[1]), float(place[2]))
