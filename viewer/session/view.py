"""What a view shows: a wish of the user, resolved against the document into a frozen state that can be painted.

A wish may be partial, out of range, or about something that is gone; :func:`resolve` clamps and fills in, and never raises.
View state is no part of the history: undo never scrolls, and windowing changes no voxel (D35).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from viewer.core.annotation import Annotation
from viewer.core.colormaps import GREY, TITLES
from viewer.core.geometry import Geometry, Plane, Triple
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.labels import LabelLayer
from viewer.core.layout import Layout2D, Placement, Point, layout_of, place
from viewer.core.overlay import ScalarMap
from viewer.core.render import Display, auto_window, lut_window
from viewer.core.volume import Volume
from viewer.core.window import PET_PRESETS, VoiLut, Window, presets_of

TextLevel = Literal["full", "short", "none"]
LABEL_OPACITY = 0.28
MAP_OPACITY = 0.45
ZOOM_LIMITS = (0.02, 64.0)
# Colour as it is.
PLAIN = Window(127.5, 255, "LINEAR_EXACT")
STANDARD_PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")


class Readable(Protocol):
    """The part of a document that views read."""

    def volume(self, volume_id: str) -> Volume: ...
    def current(self, root_id: str) -> Volume: ...
    def layers_of(self, root_id: str) -> tuple[LabelLayer, ...]: ...
    def labels(self, layer_id: str) -> NDArray[Any]: ...
    def revision(self, layer_id: str) -> int: ...
    def annotations_of(self, root_id: str) -> tuple[Annotation, ...]: ...
    def overlays_of(self, root_id: str) -> tuple[ScalarMap, ...]: ...


@dataclass(frozen=True, slots=True)
class ViewWish:
    """What the user asked to see. None means: what is usual."""

    volume_id: str = ""
    """The opened (root) volume; "" for an empty view."""
    plane: Plane | None = None
    index: int | None = None
    """Slice number from 0 along the plane's axis, in the order shown; None for the middle."""
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
    text: TextLevel = "full"
    quarter_turns: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    selected_id: str = ""
    """The annotation that shows its handles."""
    seeds: tuple[Triple, ...] = ()
    """Points of the open operation form, in the image's frame."""


@dataclass(frozen=True, slots=True)
class ShownLayer:
    """A label layer on the grid that is shown; ``revision`` goes up with every change of its labels."""

    layer: LabelLayer
    revision: int


@dataclass(frozen=True, slots=True)
class ShownMap:
    """A scalar map over the picture, with its range and where its array starts on the shown grid."""

    item: ScalarMap
    low: float
    high: float
    start: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ViewState:
    """Everything that is needed to paint one view. ``volume`` None: an empty view, the other fields mean nothing."""

    volume: Volume | None = None
    root_id: str = ""
    plane: Plane = "acquired"
    layout: Layout2D = field(default_factory=lambda: layout_of(Geometry((1, 1, 1), is_patient=False)))
    index: int = 0
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
    annotations: tuple[Annotation, ...] = ()
    graphics: tuple[GraphicPlane, ...] = ()
    """Overlays of the file on this slice."""
    shutter: Shutter | None = None
    seeds: tuple[Triple, ...] = ()
    label_opacity: float = LABEL_OPACITY
    overlay_opacity: float = MAP_OPACITY
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
        """Index of the slice along ``layout.axis`` of the array."""
        return self.layout.array_index(self.index)

    @property
    def picture_key(self) -> tuple[object, ...]:
        """What the picture without lines and text depends on; equal keys give equal pixels."""
        return (
            self.volume, self.layout, self.index, self.phase, self.display, self.layers, self.maps, self.label_opacity, self.overlay_opacity,
            self.graphics, self.shutter,
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


def resolve(wish: ViewWish, document: Readable) -> ViewState:
    """What can be shown of a wish now. Pure; never raises on a stale wish: an unknown volume gives an empty view."""
    try:
        root = document.volume(wish.volume_id)
        volume = root if wish.show_original else document.current(wish.volume_id)
    except LookupError:
        return replace(EMPTY, text=wish.text)
    geometry = volume.geometry
    plane = wish.plane if wish.plane is not None else usual_plane(volume)
    layout = layout_of(geometry, plane, pixel_aspect=volume.pixel_aspect)
    layout = layout.rotated(wish.quarter_turns, flip_horizontal=wish.flip_horizontal, flip_vertical=wish.flip_vertical)
    index = _clamped(wish.index, layout.count)
    phase = max(0, min(wish.phase, volume.phases - 1))
    own = _plane_window(wish, volume, layout.axis, layout.array_index(index), phase)
    display, window, is_auto = _display(replace(wish, window=own, window_unit=None) if own is not None else wish, volume, root)
    graphics, shutter = _graphics(wish, root, volume, layout, index, phase)
    return ViewState(
        volume=volume, root_id=root.id, plane=plane, layout=layout, index=index, phase=phase,
        zoom=None if wish.zoom is None or not math.isfinite(wish.zoom) else max(ZOOM_LIMITS[0], min(wish.zoom, ZOOM_LIMITS[1])),
        center=_center(wish, geometry, layout),
        display=display, window=window, is_auto=is_auto, is_plane_window=own is not None, is_inverted=wish.is_inverted,
        layers=_layers(wish, document, root, geometry),
        maps=_maps(wish, document, root, volume, phase, layout, index),
        annotations=_annotations(wish, document, root, geometry, layout, index, phase),
        graphics=graphics, shutter=shutter, seeds=wish.seeds,
        label_opacity=max(0.0, min(wish.label_opacity, 1.0)), overlay_opacity=max(0.0, min(wish.overlay_opacity, 1.0)),
        show_color_bar=wish.show_color_bar, selected_id=wish.selected_id, text=wish.text,
        badges=_badges(volume, is_manual=bool(volume.plane_windows) and own is None and layout.axis == 0),
    )  # fmt: skip


def triple(values: Any) -> Triple:
    """Three numbers as a tuple of floats."""
    first, second, third = (float(v) for v in values)
    return first, second, third


def usual_plane(volume: Volume) -> Plane:
    """As stored for DICOM (C08); for volumes of other files, whose storage follows no hanging, the standard plane nearest to it."""
    geometry = volume.geometry
    if volume.identity.series_uid or not geometry.is_patient or geometry.shape[0] == 1:
        return "acquired"
    return next(p for p in STANDARD_PLANES if geometry.axis_of(p) == 0)


def default_voi(volume: Volume, root: Volume) -> tuple[Window, VoiLut | None, bool]:
    """Window, VOI LUT, and whether the window is computed: VOI LUT over first window over auto (D32 to D34).

    A derived volume in its parent's unit starts with the file's window as well.
    """
    if volume.voi_luts:
        return lut_window(volume.voi_luts[0]), volume.voi_luts[0], False
    windows = volume.windows
    if not windows and volume.is_derived and volume.unit and volume.unit == root.unit:
        windows = root.windows
    for window in windows:
        if _is_usable(window):
            return window, None, False
    return auto_window(volume), None, True


def presets(volume: Volume, profile: str = "default") -> tuple[tuple[Window, ...], str]:
    """The preset windows of a profile that fit a volume, and "" or the reason (for ``core.words``) why there are none."""
    if volume.is_color:
        return (), "Presets are for CT in HU; this is a colour image."
    if volume.unit == "HU" and volume.identity.modality in ("", "CT"):
        return presets_of(profile), ""
    if volume.unit == "SUVbw":
        return PET_PRESETS, ""
    return (), "Presets are for CT in HU."


def _is_usable(window: Window) -> bool:
    return math.isfinite(window.center) and math.isfinite(window.width) and window.width > 0


def _clamped(index: int | None, count: int) -> int:
    return count // 2 if index is None else max(0, min(index, count - 1))


def _center(wish: ViewWish, geometry: Geometry, layout: Layout2D) -> Point | None:
    if wish.center is None or not all(math.isfinite(c) for c in wish.center):
        return None
    return layout.point_at(triple(geometry.to_index(wish.center)))


def _display(wish: ViewWish, volume: Volume, root: Volume) -> tuple[Display | None, Window, bool]:
    asked = wish.window
    if asked is not None and (not _is_usable(asked) or wish.window_unit not in (None, volume.unit)):
        asked = None
    if volume.is_color:
        window = asked or PLAIN
        if asked is None and not wish.is_inverted:
            return None, window, False
        return Display(window, is_inverted=wish.is_inverted), window, False
    lut: VoiLut | None = None
    is_auto = False
    if wish.lut is not None and 0 <= wish.lut < len(volume.voi_luts):
        lut = volume.voi_luts[wish.lut]
        window = asked or lut_window(lut)
    elif asked is not None:
        window = asked
    elif wish.is_auto:
        window, is_auto = auto_window(volume), True
    else:
        window, lut, is_auto = default_voi(volume, root)
    display = Display(
        window, lut, volume.is_inverted != wish.is_inverted, wish.color_map if wish.color_map in TITLES else GREY, volume.padding
    )  # fmt: skip
    return display, window, is_auto


def _plane_window(wish: ViewWish, volume: Volume, axis: int, plane: int, phase: int) -> Window | None:
    """The file's window of the plane, until the user touches the window; on reformats the planes are mixed and have none."""
    is_touched = wish.is_auto or wish.lut is not None or (wish.window is not None and wish.window_unit in (None, volume.unit))
    if is_touched or axis != 0 or phase >= len(volume.plane_windows) or plane >= len(volume.plane_windows[phase]):
        return None
    return volume.plane_windows[phase][plane]


def _graphics(
    wish: ViewWish, root: Volume, volume: Volume, layout: Layout2D, index: int, phase: int
) -> tuple[tuple[GraphicPlane, ...], Shutter | None]:  # fmt: skip
    """What the file lays over the plane; only where planes are shown as they were acquired."""
    if not wish.show_graphics or layout.axis != 0 or volume.geometry.shape != root.geometry.shape:
        return (), None
    plane = layout.array_index(index)
    shown = tuple(g for g in root.graphics if (g.phase, g.plane) == (phase, plane) and (g.kind == "graphic" or wish.show_regions))
    return shown, root.shutter


def _layers(wish: ViewWish, document: Readable, root: Volume, geometry: Geometry) -> tuple[ShownLayer, ...]:
    if not wish.show_labels:
        return ()
    return tuple(
        ShownLayer(layer, document.revision(layer.id))
        for layer in document.layers_of(root.id)
        if layer.segments and _is_same(layer.geometry, geometry)
    )


def _is_same(first: Geometry, second: Geometry) -> bool:
    return first is second or (first.shape == second.shape and (first == second or first.same_grid(second)))


def _maps(
    wish: ViewWish, document: Readable, root: Volume, volume: Volume, phase: int, layout: Layout2D, index: int
) -> tuple[ShownMap, ...]:  # fmt: skip
    """The maps of this phase that reach the slice and lie on the shown grid, voxel by voxel."""
    if not wish.show_overlays:
        return ()
    shown = []
    for item in document.overlays_of(root.id):
        if not item.is_visible or item.phase != phase:
            continue
        offset = volume.geometry.to_index(item.geometry.origin)
        start = np.rint(offset)
        last = volume.geometry.to_index(item.geometry.to_patient(np.asarray(item.geometry.shape) - 1))
        on_grid = np.allclose(offset, start, atol=0.05) and np.allclose(last - offset, np.asarray(item.geometry.shape) - 1, atol=0.05)
        inside = 0 <= layout.array_index(index) - start[layout.axis] < item.geometry.shape[layout.axis]
        if on_grid and inside:
            low, high = _map_range(item)
            shown.append(ShownMap(item, low, high, (int(start[0]), int(start[1]), int(start[2]))))
    return tuple(shown)


def _map_range(item: ScalarMap) -> tuple[float, float]:
    values = item.values
    known = _ranges.get(item.id)
    if known is not None and known[0] == values.shape:
        return known[1]
    stride = max(1, round((values.size / 2e6) ** (1 / 3)))
    sample = values[::stride, ::stride, ::stride] if values.ndim == 3 else values
    finite = sample[np.isfinite(sample)]
    # A map starts at 0 where it can: an energy or a score of 0 is nothing to be painted.
    found = (min(0.0, float(finite.min())), max(float(finite.max()), 1e-12)) if finite.size else (0.0, 1.0)
    if len(_ranges) > 64:
        _ranges.clear()
    _ranges[item.id] = (values.shape, found)
    return found


_ranges: dict[str, tuple[tuple[int, ...], tuple[float, float]]] = {}


def _annotations(
    wish: ViewWish, document: Readable, root: Volume, geometry: Geometry, layout: Layout2D, index: int, phase: int
) -> tuple[Annotation, ...]:  # fmt: skip
    """Those drawn on the slice and phase that is shown."""
    if not wish.show_annotations:
        return ()
    return tuple(
        item for item in document.annotations_of(root.id)
        if item.phase == phase and is_on_slice(item, geometry, layout.axis, layout.array_index(index))
    )  # fmt: skip


def is_on_slice(item: Annotation, geometry: Geometry, axis: int, array_index: int) -> bool:
    """Whether an annotation lies on a slice: its plane is the view's, and its middle is within half a step."""
    if not item.points or (item.axis != axis and item.shape != "point"):
        return False
    middle = float(np.mean(geometry.to_index(np.asarray(item.points, dtype=np.float64))[:, axis]))
    return array_index - 0.5 <= middle < array_index + 0.5


def _badges(volume: Volume, *, is_manual: bool = False) -> tuple[str, ...]:
    badges = list(volume.badges)
    if is_manual:
        badges.append("W/L manual")
    if volume.is_derived:
        badges.insert(0, "PROCESSED")
    if not volume.geometry.in_plane_known and "UNCALIBRATED" not in badges:
        badges.append("UNCALIBRATED")
    return tuple(dict.fromkeys(badges))
