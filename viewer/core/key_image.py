"""Key images: slices that somebody marked as worth seeing again, with the window they were seen in and a note."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.core.geometry import Plane, Triple
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
    """The array axis (0 planes, 1 rows, 2 columns) that the image is at right angles to; means nothing where it is turned."""
    index: int = 0
    """Index along ``axis`` of the array, from 0."""
    phase: int = 0
    turn: tuple[float, ...] = ()
    """Of an oblique image: right, down and normal (nine numbers, unit vectors in the image's frame); () for one along the array."""
    place: Triple | None = None
    """Of an oblique image: a point on it."""
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
