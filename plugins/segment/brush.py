"""Brush and eraser: a disc or a ball drawn along the pointer's way, one step for each stroke."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from plugins.segment.stamp import Stamp, stamp
from viewer.api import Help, Range, gettext, mark
from viewer.api.tool import Annotation, Gesture, Pointer, ToolHost

RIM = "brush-rim"


@dataclass(slots=True)
class BrushOptions:
    """What the brush's form shows."""

    radius: Annotated[float, Range(0.1, 100.0, unit="mm", log=True), Help("Of the brush, in mm; in pixels where the spacing is not known.")] = 5.0
    shape: Annotated[Literal["disc", "ball"], Help("Disc: the visible plane only. Ball: the planes beside it too.")] = "disc"


@dataclass(slots=True)
class EraserOptions(BrushOptions):
    """What the eraser's form shows."""

    erases: Annotated[Literal["active segment", "all segments"], Help("What is erased under the pointer.")] = "active segment"


@dataclass(slots=True)
class _Stroke:
    gesture: Gesture
    layer_id: str
    label: int
    """The label that is painted; 0 erases."""
    only: int | None
    """The label that is erased; None: every one."""
    last: Pointer
    named: set[str] = field(default_factory=set)
    """Locked segments that were spoken of already."""


class Brush:
    """Paints the active segment; with Ctrl it erases that segment."""

    def __init__(self) -> None:
        self.options: BrushOptions = BrushOptions()
        self._stroke: _Stroke | None = None

    def press(self, host: ToolHost, pointer: Pointer) -> None:
        self.cancel(host)
        self._stroke = self._begin_erasing(host, pointer, active_only=True) if pointer.control else self._begin_painting(host, pointer)
        self._paint(host, pointer)

    def move(self, host: ToolHost, pointer: Pointer) -> None:
        self._paint(host, pointer)

    def release(self, host: ToolHost, pointer: Pointer) -> None:
        self._paint(host, pointer)
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.gesture.commit()

    def cancel(self, host: ToolHost) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.gesture.cancel()

    def shapes(self, host: ToolHost, pointer: Pointer | None) -> tuple[Annotation, ...]:
        """The rim of the brush at the pointer."""
        if pointer is None:
            return ()
        geometry = host.volume.geometry
        first, second = (axis for axis in (2, 1, 0) if axis != pointer.axis)
        centre = np.asarray(pointer.position)
        ends = [centre + self.options.radius * geometry.vector(axis) for axis in (first, second)]
        points = tuple((float(x), float(y), float(z)) for x, y, z in (centre, *ends))
        segment = host.layer.segment(host.label) if host.layer is not None else None
        return (Annotation(RIM, "ellipse", host.volume.root_id, points, pointer.axis, host.phase, color=segment.color if segment else ""),)

    def _begin_painting(self, host: ToolHost, pointer: Pointer) -> _Stroke | None:
        layer, label = host.ensure_segment()
        segment = layer.segment(label)
        if segment is not None and segment.is_locked:
            host.say(gettext("{segment} is locked.").format(segment=segment.name))
            return None
        if segment is not None and not segment.is_visible:
            host.say(gettext("{segment} is hidden; it is painted all the same.").format(segment=segment.name))
        return _Stroke(host.begin(mark("Brush stroke: {segment}"), segment=segment.name if segment else str(label)), layer.id, label, None, pointer)

    def _begin_erasing(self, host: ToolHost, pointer: Pointer, *, active_only: bool) -> _Stroke | None:
        layer = host.layer
        if layer is None or host.labels() is None:
            host.say(gettext("There is no segment to erase."))
            return None
        segment = layer.segment(host.label)
        if not active_only:
            return _Stroke(host.begin(mark("Erase")), layer.id, 0, None, pointer)
        if segment is None:
            host.say(gettext("Choose the segment to erase."))
            return None
        if segment.is_locked:
            host.say(gettext("{segment} is locked.").format(segment=segment.name))
            return None
        return _Stroke(host.begin(mark("Erase: {segment}"), segment=segment.name), layer.id, 0, segment.label, pointer)

    def _paint(self, host: ToolHost, pointer: Pointer) -> None:
        """Paint from where the pointer was to where it is."""
        stroke, layer, labels = self._stroke, host.layer, host.labels()
        if stroke is None or layer is None or labels is None:
            return
        made = stamp(layer.geometry, stroke.last.position, pointer.position, pointer.axis, self.options.radius, ball=self.options.shape == "ball")
        stroke.last = pointer
        if made is None:
            return
        self._speak_of_locked(host, stroke, made, labels)
        wanted = _wanted(made, labels, stroke.only)
        if wanted.any():
            stroke.gesture.paint(stroke.layer_id, made.box, wanted, stroke.label)

    def _speak_of_locked(self, host: ToolHost, stroke: _Stroke, made: Stamp, labels: NDArray[np.integer]) -> None:
        """Say once a stroke which locked segments under the brush stay as they are."""
        layer = host.layer
        for segment in layer.segments if layer is not None else ():
            if not segment.is_locked or segment.name in stroke.named or stroke.only is not None:
                continue
            if bool((made.mask & (labels[made.box] == segment.label)).any()):
                stroke.named.add(segment.name)
                host.say(gettext("{segment} is locked.").format(segment=segment.name))


class Eraser(Brush):
    """Erases the active segment, or every segment that is not locked."""

    options: BrushOptions

    def __init__(self) -> None:
        super().__init__()
        self.options = EraserOptions()

    def press(self, host: ToolHost, pointer: Pointer) -> None:
        self.cancel(host)
        everything = isinstance(self.options, EraserOptions) and self.options.erases == "all segments"
        self._stroke = self._begin_erasing(host, pointer, active_only=not everything)
        self._paint(host, pointer)


def _wanted(made: Stamp, labels: NDArray[np.integer], only: int | None) -> NDArray[np.bool_]:
    """The stamp, less what is not to be erased."""
    return made.mask if only is None else made.mask & (labels[made.box] == only)
