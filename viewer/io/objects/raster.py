"""Closed outlines to pixels: a pixel belongs if its centre lies inside, by the even-odd rule over all outlines of a plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viewer.io.objects.layers import Piece, cropped

DIGITS = 5
"""Outlines often run through pixel centres; coordinates are rounded to so many digits of a pixel, so that noise does not decide there."""


def fill(outlines: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> Piece | None:
    """The pixels inside outlines, None if there are none.

    Parameters
    ----------
    outlines : sequence of (points, 2) arrays
        (row, column) of each point, pixel centres at whole numbers; the last point joins the first. Pixels inside an even
        number of outlines are outside: one within another is a hole, and so is what a keyhole's seam leads to.
    shape : (rows, columns)

    Notes
    -----
    A centre on an outline belongs if the inside is below it or to its right, so that areas that touch share no pixel.
    """
    rounded = [np.round(points, DIGITS) for points in outlines]
    rows, columns = shape
    low = np.min([p.min(axis=0) for p in rounded], axis=0)
    high = np.max([p.max(axis=0) for p in rounded], axis=0)
    top, bottom = max(0, int(np.ceil(low[0]))), min(rows - 1, int(np.floor(high[0])))
    left, right = max(0, int(np.ceil(low[1]))), min(columns - 1, int(np.floor(high[1])))
    if top > bottom or left > right:
        return None
    height, width = bottom - top + 1, right - left + 1
    # Each edge crosses the rows from its upper end (included) to its lower one (not); each crossing turns inside out from there on.
    flips = np.zeros(height * (width + 1), np.int32)
    for points in rounded:
        ends = np.roll(points, -1, axis=0)
        down = points[:, :1] <= ends[:, :1]
        upper, lower = np.where(down, points, ends), np.where(down, ends, points)
        first = np.maximum(np.ceil(upper[:, 0]), top)
        count = np.maximum(np.minimum(np.ceil(lower[:, 0]), bottom + 1) - first, 0).astype(np.intp)
        edge = np.repeat(np.arange(len(points)), count)
        row = first[edge] + np.arange(edge.size) - np.repeat(np.cumsum(count) - count, count)
        a, b = upper[edge], lower[edge]
        crossing = a[:, 1] + (row - a[:, 0]) * (b[:, 1] - a[:, 1]) / (b[:, 0] - a[:, 0])
        column = np.clip(np.ceil(np.round(crossing, DIGITS)) - left, 0, width).astype(np.intp)
        place = (row.astype(np.intp) - top) * (width + 1) + column
        flips += np.bincount(place, minlength=flips.size).astype(np.int32)
    inside = (np.cumsum(flips.reshape(height, width + 1), axis=1)[:, :width] & 1).astype(np.bool_)
    return cropped(inside, (top, left))
