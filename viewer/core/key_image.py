"""Key images: slices that somebody marked as worth seeing again, with the window they were seen in and a note."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.core.geometry import Plane, Triple
from viewer.core.oblique import Turn
from viewer.core.slab import Slab
from viewer.core.window import Window


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One marked image: where it is, and how it was shown when it was marked."""

    id: str
    volume_id: str
    """The opened (root) volume."""
    plane: Plane = "acquired"
    """The display plane in which it was marked."""
    axis: int = 0
    """The array axis (0 planes, 1 rows, 2 columns) that the image is at right angles to; NO_AXIS for an oblique one."""
    index: int = 0
    """Index along ``axis`` of the array, from 0; of an oblique image as it was counted when it was marked."""
    phase: int = 0
    turn: Turn | None = None
    """Of a plane that was turned at will."""
    place: Triple | None = None
    """Of an oblique image: the place in its middle."""
    normal: Triple | None = None
    """Of an oblique image: the unit vector that it is at right angles to."""
    slab: Slab | None = None
    window: Window | None = None
    """None: what is usual for the image."""
    window_unit: str | None = None
    lut: int | None = None
    """Number of the file's VOI LUT."""
    is_inverted: bool = False
    quarter_turns: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    note: str = ""
    origin: str = ""
    """What marked it: "" by hand, else the title of the key object selection that named it."""
