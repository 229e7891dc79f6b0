"""What a view shows: a wish of the user, resolved against the document into a frozen state that can be painted.

A wish may be partial, out of range, or about something that is gone; :func:`resolve` clamps and fills in, and never raises.
View state is no part of the history: undo never scrolls, and windowing changes no voxel (D35).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from viewer.core.annotation import Annotation
from viewer.core.colormaps import GREY, TITLES
from viewer.core.geometry import Geometry, Plane
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.layout import NO_AXIS, Point, SliceLayout
from viewer.core.overlay import ScalarMap
from viewer.core.render import Display, auto_window, lut_window
from viewer.core.report import Report
from viewer.core.volume import Volume
from viewer.core.window import PET_PRESETS, VoiLut, Window, presets_of
from viewer.core.words import mark
from viewer.session.fusion import resolve_fusion
from viewer.session.hanging import is_radiological
from viewer.session.heat import heat_on, is_heat, report_on
from viewer.session.reformat import layout_for, plane_badges, slab_for, why_no_mpr
from viewer.session.shown import EMPTY, PLAIN, ShownLayer, ShownMap, ViewState, triple
from viewer.session.wish import LABEL_OPACITY, MAP_OPACITY, MAP_THRESHOLD, HeatWish, Readable, TextLevel, ViewWish

__all__ = [
    "EMPTY", "LABEL_OPACITY", "MAP_OPACITY", "MAP_THRESHOLD", "PLAIN", "STANDARD_PLANES", "ZOOM_LIMITS", "HeatWish", "Readable",
    "ShownLayer", "ShownMap", "TextLevel", "ViewState", "ViewWish", "default_voi", "is_on_slice", "presets", "resolve",
    "triple", "usual_plane", "why_no_mpr",
]  # fmt: skip

ZOOM_LIMITS = (0.02, 64.0)
STANDARD_PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")


def resolve(wish: ViewWish, document: Readable) -> ViewState:
    """What can be shown of a wish now. Pure; never raises on a stale wish: an unknown volume gives an empty view."""
    try:
        root = document.volume(wish.volume_id)
        volume = root if wish.show_original else document.current(wish.volume_id)
    except LookupError:
        return replace(EMPTY, text=wish.text)
    geometry = volume.geometry
    plane = wish.plane if wish.plane is not None else usual_plane(volume)
    slab = slab_for(wish.slab, volume)
    is_mirrored = wish.is_neurological and is_radiological(layout_for(volume, plane, turn=wish.turn, place=wish.place, slab=slab), geometry)
    layout = layout_for(
        volume, plane, turn=wish.turn, place=wish.place, slab=slab,
        quarter_turns=wish.quarter_turns, flip_horizontal=wish.flip_horizontal != is_mirrored, flip_vertical=wish.flip_vertical,
    )  # fmt: skip
    index = _clamped(wish, layout, geometry)
    phase = max(0, min(wish.phase, volume.phases - 1))
    of_plane = _of_plane(volume, layout.axis, layout.array_index(index), phase)
    own = of_plane if _is_untouched(wish, volume, of_plane) else None
    display, window, is_auto = _display(wish, volume, root, of_plane, is_own=own is not None)
    graphics, shutter = _graphics(wish, root, volume, layout, index, phase)
    fusion = resolve_fusion(wish.fusion, document, volume, phase)
    hanging = ("NEURO",) if wish.is_neurological and geometry.is_patient else ()
    shown_with = (*hanging, *plane_badges(layout, geometry, slab), *(fusion.badges if fusion is not None else ()))
    return ViewState(
        volume=volume, root_id=root.id, plane=plane, layout=layout, index=index, slab=slab, phase=phase,
        zoom=None if wish.zoom is None or not math.isfinite(wish.zoom) else max(ZOOM_LIMITS[0], min(wish.zoom, ZOOM_LIMITS[1])),
        center=_center(wish, geometry, layout),
        display=display, window=window, is_auto=is_auto, is_plane_window=own is not None, is_inverted=wish.is_inverted,
        layers=_layers(wish, document, root, geometry),
        maps=_maps(wish, document, root, volume, phase, layout, index), report=_report(wish, document, root, layout, index, phase), fusion=fusion,
        annotations=_annotations(wish, document, root, geometry, layout, index, phase),
        graphics=graphics, shutter=shutter, seeds=wish.seeds,
        label_opacity=max(0.0, min(wish.label_opacity, 1.0)), overlay_opacity=max(0.0, min(wish.overlay_opacity, 1.0)),
        overlay_threshold=max(0.0, min(wish.overlay_threshold, 0.99)),
        show_color_bar=wish.show_color_bar, selected_id=wish.selected_id, text=wish.text,
        badges=_badges(volume, shown_with, is_manual=bool(volume.plane_windows) and own is None and layout.axis == 0),
    )  # fmt: skip


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
        return (), mark("Presets are for CT in HU; this is a colour image.")
    if volume.unit == "HU" and volume.identity.modality in ("", "CT"):
        return presets_of(profile), ""
    if volume.unit == "SUVbw":
        return PET_PRESETS, ""
    return (), mark("Presets are for CT in HU.")


def _is_usable(window: Window) -> bool:
    return math.isfinite(window.center) and math.isfinite(window.width) and window.width > 0


def _clamped(wish: ViewWish, layout: SliceLayout, geometry: Geometry) -> int:
    index = layout.count // 2 if wish.index is None else wish.index
    if wish.index is None and wish.place is not None and all(math.isfinite(c) for c in wish.place):
        index = math.floor(layout.slice_at(geometry, wish.place) + 0.5)
    return max(0, min(index, layout.count - 1))


def _center(wish: ViewWish, geometry: Geometry, layout: SliceLayout) -> Point | None:
    if wish.center is None or not all(math.isfinite(c) for c in wish.center):
        return None
    return layout.point_at(triple(geometry.to_index(wish.center)))


def _display(
    wish: ViewWish, volume: Volume, root: Volume, of_plane: Window | VoiLut | None, *, is_own: bool
) -> tuple[Display | None, Window, bool]:  # fmt: skip
    """``of_plane``: what the plane's file wants it shown through; ``is_own``: and it is."""
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
    curve = _curve(wish, volume, of_plane)
    if is_own and isinstance(of_plane, Window):
        window = of_plane
    elif is_own and isinstance(of_plane, VoiLut):
        window, lut = lut_window(of_plane), of_plane
    elif curve is not None:
        window, lut = asked or lut_window(curve), curve
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


def _of_plane(volume: Volume, axis: int, plane: int, phase: int) -> Window | VoiLut | None:
    """What the plane's own file wants it shown through; on reformats the planes are mixed and have nothing of their own."""
    if axis != 0 or phase >= len(volume.plane_windows) or plane >= len(volume.plane_windows[phase]):
        return None
    return volume.plane_windows[phase][plane]


def _is_untouched(wish: ViewWish, volume: Volume, of_plane: Window | VoiLut | None) -> bool:
    """Whether nothing was chosen for all planes. The first VOI LUT of the file is each plane's own."""
    if wish.is_auto or (wish.window is not None and wish.window_unit in (None, volume.unit)):
        return False
    return wish.lut is None or (wish.lut == 0 and isinstance(of_plane, VoiLut))


def _curve(wish: ViewWish, volume: Volume, of_plane: Window | VoiLut | None) -> VoiLut | None:
    """The VOI LUT that was chosen by its number."""
    if wish.lut == 0 and isinstance(of_plane, VoiLut):
        return of_plane
    return volume.voi_luts[wish.lut] if wish.lut is not None and 0 <= wish.lut < len(volume.voi_luts) else None


def _graphics(
    wish: ViewWish, root: Volume, volume: Volume, layout: SliceLayout, index: int, phase: int
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


def _report(wish: ViewWish, document: Readable, root: Volume, layout: SliceLayout, index: int, phase: int) -> Report | None:
    """What a model said of the plane, which no reformat is."""
    return report_on(document, root.id, model=wish.heat.model, plane=layout.array_index(index), phase=phase) if layout.axis == 0 else None


def _maps(
    wish: ViewWish, document: Readable, root: Volume, volume: Volume, phase: int, layout: SliceLayout, index: int
) -> tuple[ShownMap, ...]:  # fmt: skip
    """The maps of this phase that reach the slice; of the heat-maps one, over the others."""
    if not wish.show_overlays:
        return ()
    plane = layout.array_index(index) if layout.axis == 0 else None
    heat = heat_on(document, root.id, wish.heat, plane=plane, phase=phase)
    others = [item for item in document.overlays_of(root.id) if not is_heat(item)]
    shown = []
    for item in (*others, *([heat] if heat is not None else [])):
        if not item.is_visible or item.phase != phase:
            continue
        if layout.axis == NO_AXIS:  # sampled wherever they lie
            shown.append(ShownMap(item, *_map_range(item), None))
            continue
        offset = volume.geometry.to_index(item.geometry.origin)
        start = np.rint(offset)
        last = volume.geometry.to_index(item.geometry.to_patient(np.asarray(item.geometry.shape) - 1))
        on_grid = np.allclose(offset, start, atol=0.05) and np.allclose(last - offset, np.asarray(item.geometry.shape) - 1, atol=0.05)
        inside = 0 <= layout.array_index(index) - start[layout.axis] < item.geometry.shape[layout.axis]
        if on_grid and inside:
            shown.append(ShownMap(item, *_map_range(item), (int(start[0]), int(start[1]), int(start[2]))))
        elif not on_grid and _reaches(item.geometry, volume.geometry, layout, index):
            shown.append(ShownMap(item, *_map_range(item), None))
    return tuple(shown)


def _reaches(geometry: Geometry, shown: Geometry, layout: SliceLayout, index: int) -> bool:
    """Whether the box of another grid reaches into a slice of the array; the slice beside it is only touched."""
    along, place = shown.to_index(geometry.corners())[:, layout.axis], layout.array_index(index)
    return bool(along.min() < place + 0.499 and along.max() > place - 0.499)


def _map_range(item: ScalarMap) -> tuple[float, float]:
    values = item.values
    known = _ranges.get(item.id)
    if known is not None and known[0] == values.shape:
        return known[1]
    stride = max(1, round((values.size / 2e6) ** (1 / 3)))
    sample = values[::stride, ::stride, ::stride] if values.ndim == 3 else values
    finite = sample[np.isfinite(sample)]
    # A map starts at 0 where it can: an energy of 0 is nothing to be painted. What speaks against a class is below 0, and clear.
    low = 0.0 if is_heat(item) or not finite.size else min(0.0, float(finite.min()))
    found = (low, max(float(finite.max()), 1e-12)) if finite.size else (0.0, 1.0)
    if len(_ranges) > 64:
        _ranges.clear()
    _ranges[item.id] = (values.shape, found)
    return found


_ranges: dict[str, tuple[tuple[int, ...], tuple[float, float]]] = {}


def _annotations(
    wish: ViewWish, document: Readable, root: Volume, geometry: Geometry, layout: SliceLayout, index: int, phase: int
) -> tuple[Annotation, ...]:  # fmt: skip
    """Those drawn on the slice and phase that is shown."""
    if not wish.show_annotations:
        return ()
    return tuple(
        item for item in document.annotations_of(root.id)
        if item.phase == phase and _is_shown_on(item, geometry, layout, index)
    )  # fmt: skip


def _is_shown_on(item: Annotation, geometry: Geometry, layout: SliceLayout, index: int) -> bool:
    if layout.axis != NO_AXIS:
        return is_on_slice(item, geometry, layout.axis, layout.array_index(index))
    # A point belongs to every plane that runs through it; lines were drawn on another plane.
    return item.shape == "point" and bool(item.points) and abs(layout.slice_at(geometry, item.points[0]) - index) <= 0.5


def is_on_slice(item: Annotation, geometry: Geometry, axis: int, array_index: int) -> bool:
    """Whether an annotation lies on a slice: its plane is the view's, and its middle is within half a step."""
    if axis == NO_AXIS or not item.points or (item.axis != axis and item.shape != "point"):
        return False
    middle = float(np.mean(geometry.to_index(np.asarray(item.points, dtype=np.float64))[:, axis]))
    return array_index - 0.5 <= middle < array_index + 0.5


def _badges(volume: Volume, of_plane: tuple[str, ...], *, is_manual: bool = False) -> tuple[str, ...]:
    badges = [*of_plane, *volume.badges]
    if is_manual:
        badges.append("W/L manual")
    if volume.is_derived:
        badges.insert(0, "PROCESSED")
    if not volume.geometry.in_plane_known and "UNCALIBRATED" not in badges:
        badges.append("UNCALIBRATED")
    return tuple(dict.fromkeys(badges))
