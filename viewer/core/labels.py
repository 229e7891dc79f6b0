"""Label layers: which voxel belongs to which named segment. The voxels themselves belong to the document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

from viewer.core.geometry import Geometry

# Told apart in normal sight and with the three common colour deficiencies (LOOK 2d); from the 13th on they repeat.
SEGMENT_COLORS = (
    "#37F8C8", "#985AED", "#D1E92C", "#E77A8F", "#EDB1FD", "#368C54", "#E04244", "#B1A90C", "#8996E6", "#A6D484", "#00BBA4", "#B55E97",
)  # fmt: skip


_colors: tuple[str, ...] = SEGMENT_COLORS


def segment_colors() -> tuple[str, ...]:
    """The colours that new segments get, one after the other: the user's own, or ``SEGMENT_COLORS``."""
    return _colors


def use_segment_colors(colors: Iterable[str] = ()) -> None:
    """Give new segments these colours (#RRGGBB); none: ``SEGMENT_COLORS`` again. What has a colour keeps it."""
    global _colors
    wanted = tuple(color for color in colors if isinstance(color, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", color))
    _colors = wanted or SEGMENT_COLORS


def segment_color(label: int) -> str:
    """Colour of the n-th segment (from 1), as #RRGGBB."""
    return _colors[(label - 1) % len(_colors)]


@dataclass(frozen=True, slots=True)
class Segment:
    """A named label; 0 is the background and no segment."""

    label: int
    name: str
    color: str
    is_visible: bool = True
    is_locked: bool = False
    coded_meaning: str = ""


@dataclass(frozen=True, slots=True)
class LabelLayer:
    """The description of one label array (uint8; uint16 from the 256th segment on) on a volume's grid."""

    id: str
    name: str
    geometry: Geometry
    volume_id: str
    """The opened (root) volume that it belongs to."""
    segments: tuple[Segment, ...] = ()

    def segment(self, label: int) -> Segment | None:
        return next((s for s in self.segments if s.label == label), None)

    def next_label(self) -> int:
        return max((s.label for s in self.segments), default=0) + 1

    def with_segment(self, segment: Segment) -> LabelLayer:
        """The layer with this segment added, or put in place of the one with its label."""
        others = [s for s in self.segments if s.label != segment.label]
        return replace(self, segments=tuple(sorted((*others, segment), key=lambda s: s.label)))

    def without_segment(self, label: int) -> LabelLayer:
        return replace(self, segments=tuple(s for s in self.segments if s.label != label))


def next_number(layers: Iterable[LabelLayer], name: str) -> int:
    """Number in the name of a new segment of an image: one more than it has segments, or the next whose name is free.

    Parameters
    ----------
    layers : iterable of LabelLayer
        All layers of the image: segments of different layers stand in one list.
    name : str
        The name with ``{number}`` in it.
    """
    taken = [segment.name for layer in layers for segment in layer.segments]
    return next(n for n in count(len(taken) + 1) if name.format(number=n) not in taken)
