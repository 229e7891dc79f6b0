"""What one view shows: a frozen state that holds everything that is needed to paint it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from viewer.core.annotation import Annotation
from viewer.core.cut import Cut
from viewer.core.geometry import Geometry, Plane, Triple
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.labels import LabelLayer
from viewer.core.layout import NO_AXIS, Placement, Point, SliceLayout, layout_of, place
from viewer.core.oblique import ObliqueLayout
from viewer.core.overlay import ScalarMap
from viewer.core.render import Display
from viewer.core.report import Report
from viewer.core.slab import Slab
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.session.fusion import ShownFusion
from viewer.session.reformat import why_no_slice
from viewer.session.wish import LABEL_OPACITY, MAP_OPACITY, MAP_THRESHOLD, TextLevel

# Colour as it is.
PLAIN = Window(127.5, 255, "LINEAR_EXACT")


def triple(values: Any) -> Triple:
    """Three numbers as a tuple of floats."""
    first, second, third = (float(v) for v in values)
    return first, second, third


@dataclass(frozen=True, slots=True)
class ShownLayer:
    """A label layer on the grid that is shown; ``revision`` goes up with every change of its labels."""

    layer: LabelLayer
    revision: int


@dataclass(frozen=True, slots=True)
class ShownMap:
    """A scalar map over the picture, with its range."""

    item: ScalarMap
    low: float
    high: float
    start: tuple[int, int, int] | None
    """Where its array starts on the shown grid; None where it lies on another one, and is sampled."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything that is needed to paint one view. ``volume`` None: an empty view, the other fields mean nothing."""

    volume: Volume | None = None
    root_id: str = ""
    plane: Plane = "acquired"
    layout: SliceLayout = field(default_factory=lambda: layout_of(Geometry((1, 1, 1), is_patient=False)))
    index: int = 0
    slab: Slab | None = None
    phase: int = 0
    zoom: float | None = None
    center: Point | None = None
    display: Display | None = None
    """None for colour that is shown as it is."""
    window: Window = PLAIN
    """Also for a VOI LUT (the values it is stretched over) and for colour (brightness and contrast)."""
    is_auto: bool = False
    is_plane_window: bool = False
    """The window is that of this plane alone, as the file gives it (D34)."""
    is_inverted: bool = False
    """What the user asked for, MONOCHROME1 not counted."""
    layers: tuple[ShownLayer, ...] = ()
    maps: tuple[ShownMap, ...] = ()
    report: Report | None = None
    """What a model said of this plane: the newest report of the model that the wish names, else of any."""
    fusion: ShownFusion | None = None
    """A second volume over this one, drawn or with the reason why it is not."""
    annotations: tuple[Annotation, ...] = ()
    graphics: tuple[GraphicPlane, ...] = ()
    """Overlays of the file on this slice."""
    shutter: Shutter | None = None
    seeds: tuple[Triple, ...] = ()
    label_opacity: float = LABEL_OPACITY
    overlay_opacity: float = MAP_OPACITY
    overlay_threshold: float = MAP_THRESHOLD
    show_color_bar: bool = True
    selected_id: str = ""
    text: TextLevel = "full"
    badges: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.layout.count

    @property
    def array_index(self) -> int:
        """Index of the slice along ``layout.axis`` of the array; where :attr:`is_oblique`, of no use but to tell slices apart."""
        return self.layout.array_index(self.index)

    @property
    def is_oblique(self) -> bool:
        """Whether the plane is none of the array's: turned at will, or across planes that lean or are uneven."""
        return self.layout.axis == NO_AXIS

    @property
    def is_turned(self) -> bool:
        """Whether the user turned the plane."""
        return isinstance(self.layout, ObliqueLayout) and self.layout.is_turned

    @property
    def is_processed(self) -> bool:
        """Whether what is shown was computed from what was opened."""
        return self.volume is not None and self.volume.id != self.root_id

    @property
    def why_no_slice(self) -> str:
        """Why nothing can be drawn on, or computed from, the slice that is shown, in a sentence; "" where it is a plane of voxels."""
        return why_no_slice(self.layout, self.slab)

    @property
    def cut(self) -> Cut:
        """Where the pixels of the slice lie, as they are shown."""
        return self.layout.cut(self.geometry, self.index)

    def slice_at(self, position: Triple) -> float:
        """The fractional slice number that a place lies on, before the first or beyond the last too."""
        return self.layout.slice_at(self.geometry, position)

    @property
    def picture_key(self) -> tuple[object, ...]:
        """What the picture without lines and text depends on; equal keys give equal pixels."""
        return (
            self.volume, self.layout, self.index, self.slab, self.phase, self.display, self.layers, self.maps, self.fusion,
            self.label_opacity, self.overlay_opacity, self.overlay_threshold, self.graphics, self.shutter,
        )  # fmt: skip

    def placement(self, viewport: Point) -> Placement:
        """Where the picture lies in a viewport of (width, height)."""
        return place(self.layout.size, viewport, zoom=self.zoom, center=self.center)

    def index_at(self, point: Point) -> Triple:
        """Fractional (plane, row, column) of a picture point."""
        return self.layout.index_at(self.index, point)

    def position_at(self, point: Point) -> Triple:
        """The place (in the image's frame) of a picture point on the slice."""
        return triple(self.geometry.to_patient(self.index_at(point)))

    def point_of(self, position: Triple) -> Point:
        """The picture point of a place, however far from the slice."""
        return self.layout.point_at(triple(self.geometry.to_index(position)))

    @property
    def geometry(self) -> Geometry:
        return self.volume.geometry if self.volume is not None else Geometry((1, 1, 1), is_patient=False)


EMPTY = ViewState()
