"""Measurements drawn on an image: points in the image's own frame, and what was measured there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from viewer.core.geometry import Triple

Shape = Literal["distance", "ellipse", "line", "circle", "point"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number with its unit; ``value`` is None where nothing could be measured (shown as a dash, never NaN)."""

    name: str
    value: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """One measurement or found shape.

    ``points`` are places in the frame of the volume's geometry (LPS mm, or the image's frame where it has no patient):

    - distance, line: the two ends
    - ellipse, circle: the centre, the end of the first half axis, the end of the second (at right angles to it)
    - point: the place
    """

    id: str
    shape: Shape
    volume_id: str
    """The opened (root) volume that it was drawn on."""
    points: tuple[Triple, ...]
    axis: int = 0
    """The array axis (0 planes, 1 rows, 2 columns) that the plane is at right angles to."""
    phase: int = 0
    name: str = ""
    measures: tuple[Measure, ...] = ()
    color: str = ""
    origin: str = ""
    """What made it: "" by hand, else the operation's name."""
