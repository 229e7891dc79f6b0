"""CLAHE, written here because scikit-image's stretches each image to its own limits and counts padding (values would lose their range)."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from plugins.enhance.planes import for_each, value_range
from viewer.api import Help, Image, Progress, Range, operation

MOST_BINS = 4096
TILES = 8


@operation(keeps_unit=False, preview="approximate")
def clahe(
    image: Image,
    tile: Annotated[float | None, Range(1.0, 500.0, unit="mm", log=True), Help("Size of a tile; empty: an eighth of the longer side.")] = None,
    limit: Annotated[float, Range(1.0, 100.0, log=True), Help("Largest amplification of contrast: higher shows more, and more noise.")] = 4.0,
    progress: Progress | None = None,
) -> Image:
    """Bring out local contrast, plane by plane: each part of the picture gets its own equalising curve.

    Parameters
    ----------
    image : Image
        Grey values with the range (low, high) of the whole volume. Planes are worked on one by one.
    tile : float, optional
        Side of a tile in mm, in pixels where the spacing is not known. None: an eighth of the longer side of the plane.
    limit : float
        A bin may hold at most this multiple of the mean count of a bin; what is above it is spread over all bins. It bounds
        the slope of the curves. No unit.

    Returns
    -------
    Image
        float32, in the range of the input but no longer in its unit. Padding and NaN are not counted and left as they are.

    Raises
    ------
    Refused
        All voxels have one value.

    Notes
    -----
    Bins: one for each whole number up to 4,096, else 4,096 over the range. A curve gives the middle of its bin's share; between
    the centres of tiles the curves of the four nearest are mixed linearly. Source: Zuiderveld, Contrast limited adaptive
    histogram equalization, Graphics Gems IV (1994), with the excess spread once.
    """
    low, high = value_range(image)
    _, rows, columns = image.geometry.shape
    spacing = image.geometry.spacing[1:]
    side = max(rows * spacing[0], columns * spacing[1]) / TILES if tile is None else tile
    counts = (max(1, round(rows * spacing[0] / side)), max(1, round(columns * spacing[1] / side)))
    # A tile of less than 4 x 4 pixels has no histogram to speak of.
    counts = (min(counts[0], max(1, rows // 4)), min(counts[1], max(1, columns // 4)))
    is_whole = image.values.dtype.kind in "iu" and high - low < MOST_BINS
    bins = int(high - low) + 1 if is_whole else MOST_BINS
    vertical, horizontal = _Mix(rows, counts[0]), _Mix(columns, counts[1])
    tile_of = vertical.tile[:, None] * counts[1] + horizontal.tile[None, :]
    good = image.valid() if image.padding is not None or image.values.dtype.kind == "f" else None
    out = np.empty(image.values.shape, np.float32)

    def work(plane: int) -> None:
        values = image.values[plane]
        valid = None if good is None else good[plane]
        codes = _codes(values, valid, low, high, bins, is_whole)
        curves = _curves(codes, valid, tile_of, counts[0] * counts[1], bins, limit)
        share = _mixed(codes, curves, vertical, horizontal, counts[1])
        share *= high - low
        share += low
        out[plane] = share if valid is None else np.where(valid, share, values)

    for_each(range(len(out)), work, progress)
    return image.like(out, unit="")


class _Mix:
    """How one axis is cut into tiles, and which two tiles, in which shares, each row or column is mixed from."""

    def __init__(self, size: int, count: int) -> None:
        edges = np.linspace(0, size, count + 1)
        middle = np.arange(size) + 0.5
        self.tile = np.minimum(np.searchsorted(edges, middle, side="right") - 1, count - 1)
        place = np.clip(middle * count / size - 0.5, 0, count - 1)
        self.before = np.minimum(place.astype(np.int64), max(count - 2, 0))
        self.after = np.minimum(self.before + 1, count - 1)
        self.share = (place - self.before).astype(np.float32)


def _codes(values: NDArray[Any], valid: NDArray[np.bool_] | None, low: float, high: float, bins: int, is_whole: bool) -> NDArray[np.int64]:
    filled = values if valid is None else np.where(valid, values, np.asarray(low, values.dtype))
    if is_whole:
        return np.clip(filled.astype(np.int64) - int(low), 0, bins - 1)
    return np.clip((filled.astype(np.float64) - low) * (bins / (high - low)), 0, bins - 1).astype(np.int64)


def _curves(
    codes: NDArray[np.int64], valid: NDArray[np.bool_] | None, tile_of: NDArray[np.int64], tiles: int, bins: int, limit: float
) -> NDArray[np.float32]:
    """(tiles, bins): the share, 0 to 1, that each bin of each tile is given."""
    places = tile_of * bins + codes
    counts = np.bincount((places if valid is None else places[valid]).ravel(), minlength=tiles * bins).reshape(tiles, bins).astype(np.float64)
    # A tile without a voxel gets the straight line.
    counts[counts.sum(axis=1) == 0] = 1.0
    total = counts.sum(axis=1, keepdims=True)
    cut = np.minimum(counts, limit * total / bins)
    cut += (total - cut.sum(axis=1, keepdims=True)) / bins
    return np.asarray((np.cumsum(cut, axis=1) - cut / 2) / total, dtype=np.float32)


def _mixed(codes: NDArray[np.int64], curves: NDArray[np.float32], vertical: _Mix, horizontal: _Mix, across: int) -> NDArray[np.float32]:
    bins = curves.shape[1]
    flat = curves.ravel()

    def look(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(flat[(rows[:, None] * across + columns[None, :]) * bins + codes])

    top = look(vertical.before, horizontal.before)
    top += (look(vertical.before, horizontal.after) - top) * horizontal.share
    bottom = look(vertical.after, horizontal.before)
    bottom += (look(vertical.after, horizontal.after) - bottom) * horizontal.share
    top += (bottom - top) * vertical.share[:, None]
    return top
