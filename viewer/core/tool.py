"""A mouse tool, as a plugin writes it, and what the host gives it. No Qt here, and none in a tool.

A tool gets places in the image's frame and on its grid, and edits through a :class:`Gesture` that ends as one step or is dropped.
It runs in the window's process: no heavy imports, less than 5 ms an event; heavier work belongs in an operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from viewer.core.annotation import Annotation
from viewer.core.geometry import Triple
from viewer.core.labels import LabelLayer
from viewer.core.volume import Volume

Box = tuple[slice, slice, slice]
"""A part of a grid: slices of planes, rows, columns with start and stop."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is. ``index`` is fractional (plane, row, column): 0 is the centre of the first voxel."""

    position: Triple
    index: Triple
    axis: int
    """Array axis at right angles to the view: 0 planes, 1 rows, 2 columns."""
    pixel: float
    """Size of a screen pixel, in the unit of the geometry."""
    shift: bool = False
    control: bool = False
    alt: bool = False


class Gesture(Protocol):
    """A change in the making: seen at once, one step when committed, gone without trace when cancelled."""

    def paint(self, layer_id: str, box: Box, mask: NDArray[np.bool_], label: int) -> int:
        """Give the voxels of ``mask`` (the shape of ``box``) a label; 0 erases. Locked segments are kept.

        Returns the number of voxels that changed.
        """

    def put(self, item: Annotation) -> None:
        """Add an annotation, or replace the one with its id."""

    def commit(self) -> None:
        """End as one step; no step at all if nothing changed."""

    def cancel(self) -> None:
        """Put everything back."""


class ToolHost(Protocol):
    """What a tool may see and do; the same object during a whole gesture."""

    @property
    def volume(self) -> Volume:
        """The volume in the active view."""

    @property
    def original(self) -> Volume:
        """The opened volume behind it: what measurements read."""

    @property
    def phase(self) -> int: ...

    @property
    def layer(self) -> LabelLayer | None:
        """The layer of the active segment."""

    @property
    def label(self) -> int:
        """The active segment's label."""

    def labels(self) -> NDArray[Any] | None:
        """The layer's labels, read-only; never kept across an edit."""

    def ensure_segment(self) -> tuple[LabelLayer, int]:
        """The active layer and label; the first call in an image without segments adds one."""

    def begin(self, title: str, **values: object) -> Gesture:
        """Start a change; ``title`` is a catalogue text with fields, ``values`` fill them."""

    def add_point(self, position: Triple) -> None:
        """Add a place to the points (seeds) of the open operation form."""

    def remove_point_near(self, position: Triple, distance: float) -> bool:
        """Remove the nearest of those points, if one is within ``distance``."""

    def annotations(self) -> tuple[Annotation, ...]:
        """The annotations of this image."""

    def say(self, text: str) -> None:
        """A short sentence in the message bar ("Kidney, left is locked.")."""


class Tool(Protocol):
    """A mouse tool. Made anew when it is picked; ``options`` is a dataclass that the host shows as a form, or None."""

    options: Any

    def press(self, host: ToolHost, pointer: Pointer) -> None: ...

    def move(self, host: ToolHost, pointer: Pointer) -> None:
        """The pointer moved with the button down."""

    def release(self, host: ToolHost, pointer: Pointer) -> None: ...

    def cancel(self, host: ToolHost) -> None:
        """Esc, or the tool was put away in the middle of a gesture."""

    def shapes(self, host: ToolHost, pointer: Pointer | None) -> tuple[Annotation, ...]:
        """What to paint meanwhile (a rubber band, the brush's rim); ``pointer`` None: it is not over the view."""
