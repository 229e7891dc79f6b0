"""Values of a volume where another grid has its points: linear between voxels for images, the nearest voxel for labels (C16)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry
from viewer.core.interpolate import Places, Tile, buffers, linear, nearest, snap_to_planes, tiles_of
from viewer.core.slab import SlabMode, reach

__all__ = ["SlabMode", "gap_of", "plane_slab", "sample", "slab"]

Padding = tuple[float, float] | None
"""Values from and to that are none (``Volume.padding``)."""
# Below this many samples a second thread costs more than it saves.
_WORTH_A_THREAD = 900_000


def sample(
    values: NDArray[Any], geometry: Geometry, cut: Cut, *, order: Literal[0, 1] = 1, empty: float = np.nan, padding: Padding = None
) -> NDArray[Any]:  # fmt: skip
    """Values on a cut.

    Parameters
    ----------
    values : (planes, rows, columns) or (planes, rows, columns, 3)
        One phase of a volume; it is not copied.
    geometry : Geometry
        Of ``values``.
    cut : Cut
        In the same patient frame.
    order : 1 or 0
        1: linear between the eight voxels around (float32). 0: the nearest voxel (the type of ``values``).
    empty : float
        What lies outside: half a voxel beyond the outermost centres, within that the outermost voxel counts (C05). So are gaps where
        planes are missing: nothing is invented there (D60).
    padding : (low, high), optional
        Values that are none (D15): a sample whose nearest voxel is one of them is ``empty``, as that voxel is drawn on its own plane.

    Returns
    -------
    array of ``cut.shape`` (+ (3,) of colour)
    """
    if values.ndim == 4:
        return np.stack([sample(values[..., n], geometry, cut, order=order, empty=empty, padding=padding) for n in range(values.shape[3])], axis=-1)
    values = _readable(values)
    places = Places(geometry, cut)
    if order == 0:
        found = np.full(cut.shape, 0 if values.dtype.kind in "iub" and not np.isfinite(empty) else empty, dtype=values.dtype)
    else:
        found = np.full(cut.shape, empty, dtype=np.float32)
    for tile in tiles_of(cut.shape):
        void = _padding_at(values, places, tile, 0.0, padding)
        part = places.of(tile, 0.0)
        if part is None:
            continue
        target = found[tile.top : tile.bottom, tile.left : tile.right]
        kept = target[part.outside] if part.outside is not None else None
        (linear if order else nearest)(values, part, target)
        if void is not None:
            target[void] = empty
        if part.outside is not None:
            target[part.outside] = kept
    return found


def slab(
    values: NDArray[Any], geometry: Geometry, cut: Cut, *, thickness: float, mode: SlabMode, empty: float = np.nan, coarse: int = 1,
    padding: Padding = None,
) -> NDArray[Any]:  # fmt: skip
    """The largest, smallest or mean value across a slab of ``thickness`` (the geometry's unit) with the cut in its middle; float32.

    Sampled linearly on the cut and on planes beside it, as far apart as voxels are along its normal, whose centres lie within half the
    thickness; points outside of the volume do not count, nor do those whose nearest voxel is ``padding``. ``coarse``: only every so many
    of the planes, for a preview.
    """
    distance = geometry.spacing_along(cut.normal)
    beside = reach(thickness, distance)
    values = _readable(values)
    places = Places(geometry, cut)
    found = np.full(cut.shape, empty, dtype=np.float32)
    shifts = [n * distance for n in range(-(beside // coarse) * coarse, beside + 1, coarse)]

    def gather(tiles: Sequence[Tile]) -> None:
        for tile in tiles:
            _gather(values, places, tile, shifts, mode, found[tile.top : tile.bottom, tile.left : tile.right], padding)

    _in_two(gather, tiles_of(cut.shape), cut.shape[0] * cut.shape[1] * len(shifts))
    return found


def plane_slab(values: NDArray[Any], axis: int, index: int, beside: int, mode: SlabMode, padding: Padding = None) -> NDArray[Any]:
    """The largest, smallest (of the type of ``values``) or mean (float32) of a plane of the array and ``beside`` planes on either side.

    ``values``: (planes, rows, columns); the result is in array order, the axis taken out. Voxels that are ``padding`` do not count (D15);
    where there are no others, the result is padding.
    """
    first, stop = max(0, index - beside), min(values.shape[axis], index + beside + 1)
    part = values[(slice(None),) * axis + (slice(first, stop),)]
    if stop - first == 1:
        return part.squeeze(axis)
    if padding is not None:
        return _without_padding(np.moveaxis(part, axis, 0), mode, padding)
    if mode == "mean":
        is_whole = values.dtype.kind in "iub" and values.dtype.itemsize <= 2
        total = np.add.reduce(part, axis=axis, dtype=np.int32 if is_whole else np.float64)
        return np.asarray(total / np.float32(stop - first), dtype=np.float32)
    better = np.maximum if mode == "mip" else np.minimum
    if axis < 2:
        return np.asarray(better.reduce(part, axis=axis))
    # Neighbours in memory: halving is faster than a reduction of many short runs.
    result = np.empty(values.shape[:2], dtype=values.dtype)

    def halve(starts: Sequence[int]) -> None:
        for start in starts:
            end = start + 8
            rest = part[start:end]
            while rest.shape[2] > 1:
                half = rest.shape[2] // 2
                smaller = better(rest[:, :, :half], rest[:, :, half : 2 * half])
                if rest.shape[2] % 2:
                    better(smaller[:, :, 0], rest[:, :, -1], out=smaller[:, :, 0])
                rest = smaller
            result[start:end] = rest[:, :, 0]

    _in_two(halve, range(0, len(part), 8), part.size)
    return result


def _without_padding(planes: NDArray[Any], mode: SlabMode, padding: tuple[float, float]) -> NDArray[Any]:
    """As :func:`plane_slab`, plane by plane: (n, a, b) of which padding does not count."""
    low, high = padding
    worst = _ends(planes.dtype)[0 if mode == "mip" else 1]
    better = np.maximum if mode == "mip" else np.minimum
    count = np.zeros(planes.shape[1:], dtype=np.int32)
    total = np.zeros(planes.shape[1:], dtype=np.float64) if mode == "mean" else np.full(planes.shape[1:], worst, dtype=planes.dtype)
    for plane in planes:
        known = (plane < low) | (plane > high)
        count += known
        if mode == "mean":
            np.add(total, plane, out=total, where=known)
        else:
            better(total, plane, out=total, where=known)
    none = count == 0
    if mode == "mean":
        total = np.divide(total, count, out=total, where=~none).astype(np.float32)
    total[none] = planes[0][none]
    return total


def _ends(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The smallest and the largest value of a type."""
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return limits.min, limits.max


def _padding_at(values: NDArray[Any], places: Places, tile: Tile, shift: float, padding: Padding) -> NDArray[np.bool_] | None:
    """Which samples of a tile have padding as their nearest voxel."""
    part = places.of(tile, shift) if padding is not None else None
    if part is None or padding is None:
        return None
    near = np.empty(part.places[0].shape, dtype=values.dtype)
    nearest(values, part, near)  # uses the places up
    return (near >= padding[0]) & (near <= padding[1])


def gap_of(geometry: Geometry, cut: Cut) -> NDArray[np.bool_] | None:
    """Which samples of a cut lie where planes are missing inside the stack (D60); None where none does."""
    if geometry.is_rectangular:
        return None
    found = np.zeros(cut.shape, dtype=np.bool_)
    last = np.asarray(geometry.shape) - 1
    for tile in tiles_of(cut.shape):
        rows, columns = np.meshgrid(np.arange(tile.top, tile.bottom), np.arange(tile.left, tile.right), indexing="ij")
        index = geometry.to_index(cut.to_patient(rows, columns))
        inside = ((index >= -0.5) & (index < last + 0.5)).all(axis=-1)
        found[tile.top : tile.bottom, tile.left : tile.right] = snap_to_planes(index[..., geometry.plane_axis], geometry) & inside
    return found if found.any() else None


def _gather(
    values: NDArray[Any], places: Places, tile: Tile, shifts: Sequence[float], mode: SlabMode, out: NDArray[np.float32], padding: Padding
) -> None:  # fmt: skip
    """One tile of a slab."""
    total = np.full(out.shape, 0.0 if mode == "mean" else np.nan, dtype=np.float32)
    count = np.zeros(out.shape, dtype=np.float32)
    found = buffers.room("found", out.shape)
    better = np.fmax if mode == "mip" else np.fmin  # of a value and NaN they take the value
    for shift in shifts:
        void = _padding_at(values, places, tile, shift, padding)
        part = places.of(tile, shift)
        if part is None:
            continue
        linear(values, part, found)
        if part.outside is not None:
            found[part.outside] = np.nan
        if void is not None:
            found[void] = np.nan
        if mode != "mean":
            better(total, found, out=total)
        elif part.outside is None and padding is None and values.dtype.kind != "f":
            np.add(total, found, out=total)
            np.add(count, 1, out=count)
        else:
            seen = np.isfinite(found)
            np.add(total, found, out=total, where=seen)
            np.add(count, seen, out=count)
    if mode == "mean":
        np.divide(total, count, out=total, where=count > 0)
        total[count == 0] = np.nan
    np.copyto(out, total, where=~np.isnan(total))


def _readable(values: NDArray[Any]) -> NDArray[Any]:
    """The same values as the kernels read them: C-contiguous (volumes are), numbers in place of bool."""
    values = values.view(np.uint8) if values.dtype == np.bool_ else values
    return np.ascontiguousarray(values)


def _in_two(work: Callable[[Sequence[Any]], None], pieces: Sequence[Any], size: int) -> None:
    """Do all pieces, half of them in a second thread where it is worth while (numpy lets go of the interpreter)."""
    if size < _WORTH_A_THREAD or len(pieces) < 2 or (os.cpu_count() or 1) < 2:
        work(pieces)
        return
    failed: list[BaseException] = []

    def other_half() -> None:
        try:
            work(pieces[1::2])
        except BaseException as error:  # noqa: BLE001  raised again below, in the thread that asked
            failed.append(error)

    # A thread of one frame: starting it takes a tenth of a millisecond, and none is left behind.
    other = threading.Thread(target=other_half, name="sampling")
    other.start()
    try:
        work(pieces[::2])
    finally:
        other.join()
    if failed:
        raise failed[0]
