"""Values to picture: one plane of a volume becomes 8-bit levels and 0xFFRRGGBB pixels. numpy in, numpy out.

The order is DICOM's (PS3.4 N.2): modality values, window or VOI LUT, inversion, colour map, then labels and maps on top.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.colormaps import GREY, rgb32
from viewer.core.geometry import Index
from viewer.core.layout import Layout2D
from viewer.core.volume import Volume
from viewer.core.window import VoiLut, Window, apply_lut, apply_window
from viewer.core.words import mark

Pixels = NDArray[np.uint32]

# A map (heat, energy) is not painted below this part of its range; its colours run over this part of the colour map (LOOK 2d).
MAP_FLOOR = 0.12
MAP_COLORS = (0.15, 0.95)
# Enough values for percentiles that move by less than a grey level.
_SAMPLES = 1 << 19
_BLACK = np.uint32(0xFF000000)
_BLOCK, _SHARED, _MOST_THREADS = 1 << 18, 1 << 21, 4
"""Pixels that are looked up at once, and from which number on several threads share them: numpy lets them run side by side."""


@dataclass(frozen=True, slots=True)
class Display:
    """How values become colours."""

    window: Window
    lut: VoiLut | None = None
    """A curve of the file in place of the window's straight line; ``window`` then says which values it is stretched over."""
    is_inverted: bool = False
    color_map: str = GREY
    padding: tuple[float, float] | None = None
    """Values that are drawn as background (D15)."""


def plane_values(volume: Volume, phase: int, axis: int, index: int) -> NDArray[Any]:
    """One plane in array order, the axis taken out: a view (a, b[, 3]) of the volume; no copy."""
    values = volume.phase(phase)
    return values[(slice(None),) * axis + (index,)]


def voi_levels(values: NDArray[Any], display: Display) -> NDArray[np.float64]:
    """Levels from 0 to 255 of modality values by window or VOI LUT, unrounded, not inverted."""
    return apply_window(values, display.window) if display.lut is None else apply_lut(values, display.lut, over=display.window)


def lut_window(lut: VoiLut) -> Window:
    """The window that stretches a VOI LUT over the values it was made for."""
    return Window.between(lut.first, lut.first + max(len(lut.table) - 1, 1), lut.name)


def levels(plane: NDArray[Any], display: Display) -> NDArray[np.uint8]:
    """8-bit levels of a plane of grey values, rounded to nearest, inverted at the very end; without the colour map."""
    if plane.dtype.kind == "f":
        return _float_levels(plane, display)
    return np.take(_tables.level_table(plane.dtype, display), _as_unsigned(plane))


def to_rgb32(plane: NDArray[Any], display: Display | None, out: Pixels | None = None) -> Pixels:
    """A plane (rows, columns) of values, or (rows, columns, 3) of RGB, as a C-contiguous array of 0xFFRRGGBB.

    Colour is shown as it is where ``display`` is None, else with the window as brightness and contrast. ``out`` is written over and returned
    if it has the plane's shape: new memory for every frame costs as much as the picture.
    """
    if plane.ndim == 3:
        return _color_pixels(plane, display)
    if display is None:
        raise ValueError("grey values need a window")
    picture = out if out is not None and out.shape == plane.shape else np.empty(plane.shape, dtype=np.uint32)
    if plane.dtype.kind == "f":
        _look_up(rgb32(display.color_map), _float_levels(plane, display), picture)
    else:
        _look_up(_tables.color_table(plane.dtype, display), _as_unsigned(plane), picture)
    return picture


def _look_up(table: NDArray[Any], numbers: NDArray[Any], out: NDArray[Any]) -> None:
    """``out = table[numbers]``, in blocks that stay in the processor's memory: numpy widens the numbers to 64 bits first."""
    rows = max(1, _BLOCK // max(1, numbers.shape[1]))

    def look_up(first: int, stop: int) -> None:
        for start in range(first, stop, rows):
            part = slice(start, min(start + rows, stop))
            # "clip" spares numpy a check of every number; none is outside.
            np.take(table, numbers[part], out=out[part], mode="clip")

    shares = min(_MOST_THREADS, os.cpu_count() or 1) if numbers.size >= _SHARED else 1
    edges = [len(numbers) * n // shares for n in range(shares + 1)]
    # Threads of one frame: starting them takes a tenth of a millisecond, and none is left behind.
    others = [threading.Thread(target=look_up, args=pair, name="render") for pair in pairwise(edges[1:])]
    for thread in others:
        thread.start()
    look_up(edges[0], edges[1])
    for thread in others:
        thread.join()


def blend_labels(picture: Pixels, labels: NDArray[Any], colors: Mapping[int, tuple[int, int, int]], opacity: float) -> None:
    """Tint the pixels of labels that have a colour, in place; ``opacity`` from 0 to 1. Other labels stay as they are."""
    if not colors or opacity <= 0:
        return
    flat = np.ascontiguousarray(labels).ravel()
    where = np.flatnonzero(flat != 0)  # eight times as fast as of the numbers themselves
    if where.size == 0:
        return
    present = flat[where]
    row_of = np.zeros(max(int(present.max()), *colors) + 1, dtype=np.intp)  # 0: a label without a colour
    tables = np.tile(np.arange(256, dtype=np.uint32), (3, len(colors) + 1, 1))
    for row, (label, color) in enumerate(colors.items(), start=1):
        row_of[label] = row << 8
        for channel, level in enumerate(color):
            tables[channel, row] = _mixed(level, opacity)
    pixels = picture.reshape(-1)
    old, start = pixels[where], row_of[present]
    red, green, blue = tables.reshape(3, -1)
    new = np.take(red, start + (old >> 16 & 255)) << 16
    new |= np.take(green, start + (old >> 8 & 255)) << 8
    new |= np.take(blue, start + (old & 255))
    pixels[where] = new | _BLACK
    if not picture.flags.c_contiguous:
        picture[...] = pixels.reshape(picture.shape)


@lru_cache(maxsize=512)
def _mixed(level: int, opacity: float) -> NDArray[np.uint32]:
    """What becomes of each of 256 levels under a tint of this level."""
    below = np.arange(256, dtype=np.float32)
    return (below * np.float32(1 - opacity) + np.float32(level) * np.float32(opacity) + np.float32(0.5)).astype(np.uint32)


def blend_map(
    picture: Pixels, values: NDArray[Any], low: float, high: float, color_map: str, opacity: float, floor: float = MAP_FLOOR
) -> None:  # fmt: skip
    """Paint a scalar map over a picture, in place: clear below a share ``floor`` of its range and where it is NaN, then rising to ``opacity``."""
    with np.errstate(invalid="ignore", over="ignore"):
        part = np.ravel((np.asarray(values, dtype=np.float32) - np.float32(low)) * np.float32(255 / max(high - low, 1e-12)))
        where = np.flatnonzero(part >= np.float32(255 * max(floor, 1e-6)))
    if opacity <= 0 or where.size == 0:
        return
    level = (np.minimum(part[where], 255) + np.float32(0.5)).astype(np.uint8)
    # Opacity and colour follow from the level: 256 of each, mixed in whole numbers, red and blue of a pixel at once.
    shares = np.clip((np.arange(256) / 255 - floor) / max(1 - floor, 1e-6), 0, 1)
    alpha, colors = np.rint(shares * opacity * 256).astype(np.uint32), map_colors(color_map)
    both, green = np.uint32(0x00FF00FF), np.uint32(0x0000FF00)
    of_both, of_green = (colors & both) * alpha + np.uint32(0x00800080), (colors >> 8 & 255) * alpha + np.uint32(0x80)
    pixels = picture.reshape(-1)
    old, rest = pixels[where], np.take(np.uint32(256) - alpha, level)
    new = ((old & both) * rest + np.take(of_both, level)) >> 8 & both
    new |= ((old >> 8 & 255) * rest + np.take(of_green, level)) & green
    pixels[where] = new | _BLACK
    if not picture.flags.c_contiguous:
        picture[...] = pixels.reshape(picture.shape)


def paint_graphic(picture: Pixels, mask: NDArray[np.bool_], color: int) -> None:
    """Set the pixels of a mask to one colour (0xFFRRGGBB), in place."""
    picture[mask] = np.uint32(color)


def map_colors(color_map: str) -> Pixels:
    """The 256 colours (0xFFRRGGBB) of a scalar map from its low to its high end."""
    first, last = MAP_COLORS
    return rgb32(color_map)[np.rint(np.linspace(first * 255, last * 255, 256)).astype(np.intp)]


def part_of(
    layout: Layout2D, index: int, shape: Index, start: Index, values: NDArray[Any], empty: float
) -> NDArray[Any] | None:  # fmt: skip
    """The shown slice of an array that covers a part of a grid of ``shape`` from ``start`` on; None where it does not reach the slice."""
    if start == (0, 0, 0) and values.shape[:3] == shape:
        return layout.plane(values, index)
    inside = layout.array_index(index) - start[layout.axis]
    if not 0 <= inside < values.shape[layout.axis]:
        return None
    rest = [axis for axis in range(3) if axis != layout.axis]
    whole = np.full([shape[axis] for axis in rest], empty, dtype=values.dtype)
    target, source = [], []
    for axis in rest:
        first, last = max(0, start[axis]), min(shape[axis], start[axis] + values.shape[axis])
        target.append(slice(first, max(first, last)))
        source.append(slice(first - start[axis], max(first, last) - start[axis]))
    whole[tuple(target)] = values[(slice(None),) * layout.axis + (inside,)][tuple(source)]
    return layout.turned(whole)


# --- windows that are computed ---


@dataclass(frozen=True, slots=True)
class Spread:
    """The range from the 1st to the 99th percentile of what a stack shows, and whether its numbers are whole."""

    low: float
    high: float
    is_whole: bool


def spread(volume: Volume) -> Spread:
    """Percentiles 1 and 99 of the values, padding and shutter left out, of the middle third of the stack (D34), for all slices and phases alike.

    Computed once for a volume, from a sample of at most half a million values.
    """
    found: Spread = _spreads.of(volume.data, lambda: _spread(volume))
    return found


def take_spread(volume: Volume, like: Volume) -> None:
    """Have the computed windows of a volume be those of another: of a plane that stands for a series that is still being read."""
    _spreads.put(volume.data, spread(like))
    _full_windows.put(volume.data, full_window(like))


def auto_window(volume: Volume) -> Window:
    """The window over :func:`spread`."""
    found = spread(volume)
    return Window.between(found.low, found.high, "Auto")


def full_window(volume: Volume) -> Window:
    """The window from the smallest to the largest value of a grey volume, padding left out."""
    found: Window = _full_windows.of(volume.data, lambda: _full_window(volume))
    return found


def _full_window(volume: Volume) -> Window:
    low, high = math.inf, -math.inf
    for values in volume.data.reshape(-1, *volume.data.shape[-2:]):  # plane by plane: no copy of the volume
        known = values
        if volume.padding is not None:
            known = known[(known < volume.padding[0]) | (known > volume.padding[1])]
        if known.dtype.kind == "f":
            known = known[np.isfinite(known)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    if low > high:
        low, high = 0.0, 1.0
    return Window.between(low, high if high > low else low + 1, mark("Full range"))


def _spread(volume: Volume) -> Spread:
    data = volume.data
    planes, phases = volume.geometry.shape[0], volume.phases
    if planes > 1:
        first = planes // 3
        sample = data[phases // 2 : phases // 2 + 1, first : max(first + 1, -(-2 * planes // 3))]
    else:
        first = phases // 3
        sample = data[first : max(first + 1, -(-2 * phases // 3))]
    stride = 1
    while sample[:, ::stride, ::stride, ::stride].size > _SAMPLES and stride < 64:
        stride += 1
    # One plane in n would miss the structure of the stack less than one column in n: thin all three alike.
    values = sample[:, ::stride, ::stride, ::stride].ravel()
    whole = values.dtype.kind in "iu"
    keep = np.ones(values.shape, dtype=np.bool_) if whole else np.isfinite(values)
    if volume.padding is not None:
        keep &= ~((values >= volume.padding[0]) & (values <= volume.padding[1]))
    if volume.shutter is not None:
        seen = ~volume.shutter.covered(*volume.geometry.shape[1:])[::stride, ::stride]
        if seen.any():
            keep &= np.broadcast_to(seen, sample[:, ::stride, ::stride, ::stride].shape).ravel()
    values = values[keep]
    if values.size == 0:
        return Spread(0.0, 1.0, whole)
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        high = low + 1.0
    return Spread(low, high, whole)


class PerArray:
    """Remembers one result per array for as long as the array lives, without keeping it alive."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def of(self, array: NDArray[Any], compute: Callable[[], Any]) -> Any:
        key = id(array)
        known = self._known.get(key)
        if known is not None and known[0]() is array:
            return known[1]
        result = compute()
        self.put(array, result)
        return result

    def known(self, array: NDArray[Any]) -> Any:
        """The result if there is one, else None."""
        found = self._known.get(id(array))
        return found[1] if found is not None and found[0]() is array else None

    def put(self, array: NDArray[Any], result: Any) -> None:
        key = id(array)
        self._known[key] = (weakref.ref(array, lambda _: self._known.pop(key, None)), result)


_spreads = PerArray()
_full_windows = PerArray()


# --- tables ---


class _Tables:
    """The last few lookup tables: a drag makes a new one for every event, scrolling none."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._levels: list[tuple[Any, Display, NDArray[np.uint8]]] = []
        self._colors: list[tuple[Any, Display, Pixels]] = []

    def level_table(self, dtype: np.dtype[Any], display: Display) -> NDArray[np.uint8]:
        """Levels of every value of an integer type of at most 16 bits, in the order of its bit patterns."""
        display = replace(display, color_map=GREY)
        for kind, known, table in self._levels:
            if kind == dtype and known == display:
                return table
        table = _level_table(dtype, display)
        self._levels = [(dtype, display, table), *self._levels[: self._size - 1]]
        return table

    def color_table(self, dtype: np.dtype[Any], display: Display) -> Pixels:
        """The colours of every value, in the same order."""
        for kind, known, table in self._colors:
            if kind == dtype and known == display:
                return table
        table = np.take(rgb32(display.color_map), self.level_table(dtype, display), mode="clip")
        if display.padding is not None:
            table[_padding_patterns(dtype, display.padding)] = _BLACK
        self._colors = [(dtype, display, table), *self._colors[: self._size - 1]]
        return table


_tables = _Tables()


def _level_table(dtype: np.dtype[Any], display: Display) -> NDArray[np.uint8]:
    limits = np.iinfo(dtype)
    if limits.bits > 16:
        raise ValueError(f"voxels of type {dtype} have no lookup table")
    first, last = _ramp(limits.min, limits.max, display)
    ramp = _rounded(voi_levels(np.arange(first, last + 1, dtype=np.int32), display), display.is_inverted)
    table = np.empty(limits.max - limits.min + 1, dtype=np.uint8)
    table[: first - limits.min], table[first - limits.min : last + 1 - limits.min], table[last + 1 - limits.min :] = ramp[0], ramp, ramp[-1]
    if limits.min < 0:
        table = np.roll(table, limits.min)  # bit patterns: 0 and up first, then the negative values
    if display.padding is not None:
        table[_padding_patterns(dtype, display.padding)] = 0
    return table


def _ramp(least: int, largest: int, display: Display) -> tuple[int, int]:
    """The first and last number between which levels differ: outside of a linear window all are black or white, and need no formula."""
    window = display.window
    reach = window.width + 2
    if display.lut is not None or window.function == "SIGMOID" or not math.isfinite(window.center) or not math.isfinite(reach):
        return least, largest
    first, last = math.floor(window.center - reach), math.ceil(window.center + reach)
    return min(max(first, least), largest), max(min(last, largest), least)


def _padding_patterns(dtype: np.dtype[Any], padding: tuple[float, float]) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    first, last = max(limits.min, int(np.ceil(padding[0]))), min(limits.max, int(np.floor(padding[1])))
    return _as_unsigned(np.arange(first, last + 1).astype(dtype))


def _as_unsigned(plane: NDArray[Any]) -> NDArray[Any]:
    """The same bits as unsigned numbers: indices of a table."""
    if plane.dtype.kind == "b":
        return plane.view(np.uint8)
    return plane.view(f"u{plane.dtype.itemsize}") if plane.dtype.kind == "i" else plane


def _rounded(values: NDArray[Any], is_inverted: bool) -> NDArray[np.uint8]:
    rounded = np.floor(values + 0.5).astype(np.uint8)
    return np.subtract(255, rounded, dtype=np.uint8) if is_inverted else rounded


def _float_levels(plane: NDArray[Any], display: Display) -> NDArray[np.uint8]:
    window = display.window
    if display.lut is not None or window.function == "SIGMOID":
        known = np.nan_to_num(plane, nan=window.low)
        found = _rounded(voi_levels(known, display), display.is_inverted)
    elif window.high <= window.low:  # a threshold
        found = _rounded(apply_window(plane, window), display.is_inverted)
    else:
        # The smaller number first: a narrow window far from 0 keeps its precision in 32 bits.
        shift = plane - np.float32(window.low)
        shift *= np.float32(255.0 / (window.high - window.low))
        np.fmin(np.fmax(shift, 0, out=shift), 255, out=shift)  # fmax turns NaN into black
        shift += np.float32(0.5)
        found = shift.astype(np.uint8)
        if display.is_inverted:
            np.subtract(255, found, out=found)
    if display.padding is not None:
        found[(plane >= display.padding[0]) & (plane <= display.padding[1])] = 0
    return found


def _color_pixels(plane: NDArray[Any], display: Display | None) -> Pixels:
    if display is not None:
        plane = np.take(_tables.level_table(plane.dtype, replace(display, padding=None)), plane)
    picture = np.empty(plane.shape[:2], dtype=np.uint32)
    parts = picture.view(np.uint8).reshape(*plane.shape[:2], 4)
    order = (2, 1, 0, 3) if np.little_endian else (1, 2, 3, 0)
    for channel, part in enumerate(order[:3]):
        parts[..., part] = plane[..., channel]
    parts[..., order[3]] = 255
    return picture
