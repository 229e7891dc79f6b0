"""What the user asked a view to show, and what a view reads of a document. Partial wishes are filled in by :mod:`viewer.session.view`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from viewer.core.alignment import Alignment
from viewer.core.annotation import Annotation
from viewer.core.colormaps import GREY
from viewer.core.geometry import Plane, Triple
from viewer.core.labels import LabelLayer
from viewer.core.oblique import Turn
from viewer.core.overlay import ScalarMap
from viewer.core.render import MAP_FLOOR
from viewer.core.report import Report
from viewer.core.slab import Slab
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.session.fusion import FusionWish

TextLevel = Literal["full", "short", "none"]
LABEL_OPACITY = 0.28
MAP_OPACITY = 0.45
MAP_THRESHOLD = MAP_FLOOR
"""Share of its range below which a map is clear."""


class Readable(Protocol):
    """The part of a document that views read."""

    def volume(self, volume_id: str) -> Volume: ...
    def current(self, root_id: str) -> Volume: ...
    def layers_of(self, root_id: str) -> tuple[LabelLayer, ...]: ...
    def labels(self, layer_id: str) -> NDArray[Any]: ...
    def revision(self, layer_id: str) -> int: ...
    def annotations_of(self, root_id: str) -> tuple[Annotation, ...]: ...
    def overlays_of(self, root_id: str) -> tuple[ScalarMap, ...]: ...
    def reports_of(self, root_id: str) -> tuple[Report, ...]: ...
    def alignments(self) -> tuple[Alignment, ...]: ...


@dataclass(frozen=True, slots=True)
class HeatWish:
    """Which heat-map of the slice's reports is wanted over the image."""

    is_shown: bool = True
    model: str = ""
    """Of the reports of this model; "" for the newest report."""
    score: str = ""
    """The class that it explains; "" for the positive one, else the one with the highest score."""
    method: str = ""
    """"" for the best that there is."""
    is_unfamiliar_shown: bool = False
    """Even where the model has not seen such images."""


@dataclass(frozen=True, slots=True)
class ViewWish:
    """What the user asked to see. None means: what is usual."""

    volume_id: str = ""
    """The opened (root) volume; "" for an empty view."""
    plane: Plane | None = None
    index: int | None = None
    """Slice number from 0 along the plane's axis, in the order shown; None for the middle, or the one through ``place``."""
    turn: Turn | None = None
    """Nine numbers, row by row, whose columns are right, down and normal in the patient, of a plane turned at will; None: ``plane`` itself."""
    place: Triple | None = None
    """A place that a turned plane runs through; its slices are counted along the normal, one of them through this place."""
    slab: Slab | None = None
    """Values gathered across the plane; None: those of the plane."""
    phase: int = 0
    zoom: float | None = None
    """Logical pixels of the view to a picture unit; None fits the picture in."""
    center: Triple | None = None
    """The place (in the image's frame) in the middle of the view; None for the middle of the picture."""
    window: Window | None = None
    window_unit: str | None = None
    """Unit of the values that ``window`` was chosen for; it is not used for values with another one."""
    lut: int | None = None
    """Number of the file's VOI LUT; ``window``, if given, says over which values it is stretched."""
    is_auto: bool = False
    is_inverted: bool = False
    color_map: str = GREY
    fusion: FusionWish | None = None
    """A second volume over this one; None: none."""
    show_color_bar: bool = True
    """What the colours mean, on the image; only where there are colours."""
    show_original: bool = False
    show_labels: bool = True
    show_overlays: bool = True
    show_annotations: bool = True
    show_graphics: bool = True
    """Overlays and shutter of the file."""
    show_regions: bool = False
    """Overlays of the file that mark regions, too."""
    label_opacity: float = LABEL_OPACITY
    overlay_opacity: float = MAP_OPACITY
    overlay_threshold: float = MAP_THRESHOLD
    """Share of a map's range below which it is clear."""
    heat: HeatWish = HeatWish()
    text: TextLevel = "full"
    quarter_turns: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    is_neurological: bool = False
    """The patient's left on the left of the screen (C07); a badge says so."""
    selected_id: str = ""
    """The annotation that shows its handles."""
    seeds: tuple[Triple, ...] = ()
    """Points of the open operation form, in the image's frame."""
