"""Tone curves: every voxel's value goes through one curve; what is low stays low, what is high stays high."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from plugins.enhance.planes import for_each, value_range
from viewer.api import Help, Image, Progress, Range, operation

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

FLOAT_BINS = 65536


@operation(keeps_unit=False)
def adjust_gamma(
    image: Image,
    gamma: Annotated[float, Range(0.1, 5.0, step=0.05, log=True), Help("Below 1 brightens, above 1 darkens; 1 changes nothing.")] = 0.7,
    progress: Progress | None = None,
) -> Image:
    """Brighten or darken the middle tones; the darkest and the brightest value stay where they are.

    Parameters
    ----------
    image : Image
        Grey values v with the range (low, high) of the whole volume.
    gamma : float
        Exponent, without a unit, 0.1 to 5.

    Returns
    -------
    Image
        ``low + (high - low) * ((v - low) / (high - low)) ** gamma`` as float32, in the range of the input but no longer in its
        unit. Padding and NaN are left as they are. With gamma 1 the values themselves.

    Raises
    ------
    Refused
        All voxels have one value.

    Notes
    -----
    Source: Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2 (power-law transformation).
    """
    low, high = value_range(image)
    if gamma == 1.0:
        return image.like(image.values, unit="")
    return image.like(apply_curve(image, lambda v: low + (high - low) * np.clip((v - low) / (high - low), 0, 1) ** gamma, progress), unit="")


@operation(keeps_unit=False)
def logarithm(
    image: Image,
    strength: Annotated[float, Range(0.1, 1000.0, log=True), Help("How strongly dark parts are spread; near 0 changes nothing.")] = 10.0,
    progress: Progress | None = None,
) -> Image:
    """Spread the dark values and press the bright ones together, as for images with a few very bright spots.

    Parameters
    ----------
    image : Image
        Grey values v with the range (low, high) of the whole volume.
    strength : float
        The factor c below, without a unit, 0.1 to 1000.

    Returns
    -------
    Image
        ``low + (high - low) * log(1 + c t) / log(1 + c)`` with ``t = (v - low) / (high - low)``, as float32, in the range of the
        input but no longer in its unit. Padding and NaN are left as they are.

    Raises
    ------
    Refused
        All voxels have one value.

    Notes
    -----
    Source: Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.2 (log transformation), scaled to the range.
    """
    low, high = value_range(image)
    scale = (high - low) / np.log1p(strength)
    return image.like(apply_curve(image, lambda v: low + scale * np.log1p(strength * np.clip((v - low) / (high - low), 0, 1)), progress), unit="")


@operation(keeps_unit=False, preview="approximate")
def equalise_histogram(
    image: Image,
    dimensions: Annotated[Literal["3-D", "2-D"], Help("3-D: one curve for the volume. 2-D: each plane has its own.")] = "3-D",
    progress: Progress | None = None,
) -> Image:
    """Spread the values so that each part of the range holds about as many voxels.

    Parameters
    ----------
    image : Image
        Grey values v with the range (low, high) of the whole volume.
    dimensions : "3-D" or "2-D"
        One curve from all voxels, or one for each plane.

    Returns
    -------
    Image
        ``low + (high - low) * (F(v) - F(low)) / (1 - F(low))``, F being the share of voxels with a value up to v, as float32; in the
        range of the input but no longer in its unit. Values that are not whole numbers are counted in 65,536 bins, F rises linearly
        within a bin. Padding and NaN are not counted and left as they are. A plane of one value is left as it is.

    Raises
    ------
    Refused
        All voxels have one value.

    Notes
    -----
    Source: Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.3 (histogram equalization).
    """
    limits = value_range(image)
    if dimensions == "3-D" or image.is_slice:
        return image.like(apply_curve(image, _equalising_curve(image, image.values, limits), progress), unit="")
    out = np.empty(image.values.shape, np.float32)

    def work(plane: int) -> None:
        values = image.values[plane : plane + 1]
        _map_plane(values[0], _equalising_curve(image, values, limits), image, out[plane])

    for_each(range(len(out)), work, progress)
    return image.like(out, unit="")


def apply_curve(image: Image, curve: Curve, progress: Progress | None = None) -> NDArray[np.float32]:
    """The values through a curve (computed in float64), as float32; padding, NaN and infinities stay as they are.

    8- and 16-bit integers go through a table of all their values, so the curve is computed 65,536 times at most.
    """
    out = np.empty(image.values.shape, np.float32)
    table = _table(image, curve) if _has_table(image.values.dtype) else None
    for_each(range(len(out)), lambda plane: _map_plane(image.values[plane], curve, image, out[plane], table), progress)
    return out


def _has_table(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "iu" and dtype.itemsize <= 2


def _codes(values: NDArray[Any]) -> NDArray[Any]:
    """Small integers as places in a table: their bits read as an unsigned number."""
    return values.view(np.dtype(f"u{values.dtype.itemsize}"))


def _all_values(dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """The value that belongs to each code."""
    unsigned = np.dtype(f"u{dtype.itemsize}")
    return np.arange(2 ** (8 * dtype.itemsize), dtype=np.int64).astype(unsigned).view(dtype).astype(np.float64)


def _table(image: Image, curve: Curve) -> NDArray[np.float32]:
    values = _all_values(image.values.dtype)
    table = curve(values)
    if image.padding is not None:
        table = np.where((values >= image.padding[0]) & (values <= image.padding[1]), values, table)
    return table.astype(np.float32)


def _map_plane(values: NDArray[Any], curve: Curve, image: Image, out: NDArray[np.float32], table: NDArray[np.float32] | None = None) -> None:
    if _has_table(values.dtype):
        np.take(_table(image, curve) if table is None else table, _codes(values), out=out, mode="clip")
        return
    good = _good(values, image)
    filled = np.where(good, values, image.range[0]).astype(np.float64)
    out[...] = np.where(good, curve(filled), values)


def _good(values: NDArray[Any], image: Image) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = np.isfinite(values)
    if image.padding is not None:
        good &= ~((values >= image.padding[0]) & (values <= image.padding[1]))
    return good


def _equalising_curve(image: Image, values: NDArray[Any], limits: tuple[float, float]) -> Curve:
    """The curve that equalises these planes of the image."""
    low, high = limits
    if _has_table(values.dtype):
        places = _all_values(values.dtype)
        counts = np.zeros(len(places), np.int64)
        for plane in values:
            counts += np.bincount(_codes(plane).ravel(), minlength=len(places))
        if image.padding is not None:
            counts[(places >= image.padding[0]) & (places <= image.padding[1])] = 0
        order = np.argsort(places)
        places, share = places[order], np.cumsum(counts[order])
        first = int(np.argmax(share > 0))
        lowest, total = share[first], share[-1]
        if lowest == total:
            return lambda v: v
        levels = low + (high - low) * np.clip((share - lowest) / (total - lowest), 0, 1)
        # Every integer of the type is a place, so nothing is interpolated.
        return lambda v: np.interp(v, places, levels)
    counts = np.zeros(FLOAT_BINS, np.int64)
    for plane in values:
        v = plane[_good(plane, image)].astype(np.float64)
        bins = np.clip((v - low) * (FLOAT_BINS / (high - low)), 0, FLOAT_BINS - 1).astype(np.int64)
        counts += np.bincount(bins, minlength=FLOAT_BINS)
    if np.count_nonzero(counts) < 2:
        return lambda v: v
    edges = np.linspace(low, high, FLOAT_BINS + 1)
    levels = low + (high - low) * np.concatenate(([0.0], np.cumsum(counts) / counts.sum()))
    return lambda v: np.interp(v, edges, levels)
