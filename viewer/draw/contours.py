"""Outlines of segments: from a plane of labels to painter paths, in picture units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QDataStream
from PySide6.QtGui import QPainterPath

from viewer.core.layout import Point
from viewer.session.view import Readable, ViewState

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Salt and pepper has no outline worth seeing, and one of this length would hold up scrolling; its fill is still there.
MOST_POINTS = 40_000
_STRIDE, _TOLERANCE = 4, 1 / 6


@dataclass(frozen=True, slots=True)
class Contour:
    """The outline of one segment on one slice."""

    label: int
    color: str
    path: QPainterPath
    is_dashed: bool = False
    """A preview, not yet applied."""


def contours_of(state: ViewState, document: Readable) -> tuple[Contour, ...]:
    """The outlines of the visible segments on the slice that is shown."""
    found: list[Contour] = []
    for shown in state.layers:
        plane = state.layout.plane(document.labels(shown.layer.id), state.index)
        visible = [s for s in shown.layer.segments if s.is_visible]
        if not visible or not plane.any():
            continue
        for segment in visible:
            path = outline(plane == segment.label, state.layout.step)
            if not path.isEmpty():
                found.append(Contour(segment.label, segment.color, path))
    return tuple(found)


class Outlines:
    """:func:`contours_of`, kept for the slices that were shown last: whoever goes through a stack comes back."""

    def __init__(self, most: int = 256, most_points: int = 1_000_000) -> None:
        self._most, self._most_points = most, most_points
        self._of: tuple[object, ...] = ()
        self._found: dict[int, tuple[Contour, ...]] = {}

    def of(self, state: ViewState, document: Readable) -> tuple[Contour, ...]:
        """The outlines on the slice that is shown."""
        if self._of != (state.layers, state.layout):
            self._of = (state.layers, state.layout)
            self._found.clear()
        found = self._found.pop(state.index, None)
        if found is None:
            found = contours_of(state, document)
            while self._found and (len(self._found) >= self._most or self._points() > self._most_points):
                del self._found[next(iter(self._found))]
        self._found[state.index] = found
        return found

    def _points(self) -> int:
        return sum(contour.path.elementCount() for contours in self._found.values() for contour in contours)

    def clear(self) -> None:
        """Forget all."""
        self._of = ()
        self._found.clear()


def preview_contours(plane: NDArray[Any], color: Callable[[int], str], state: ViewState) -> tuple[Contour, ...]:
    """Dashed outlines of the labels of a plane in the array's order, each in the colour that ``color`` gives it."""
    shown = state.layout.turned(plane)
    labels = [int(label) for label in np.unique(shown) if label]
    return tuple(Contour(label, color(label), outline(shown == label, state.layout.step), is_dashed=True) for label in labels)


def outline(mask: NDArray[np.bool_], step: Point = (1.0, 1.0)) -> QPainterPath:
    """The boundary of a mask (rows, columns) as closed lines half-way between pixel centres (marching squares), smoothed a little.

    ``step`` is the height and width of a pixel; the first pixel's centre lies at half of it.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return QPainterPath()
    top, left = int(rows[0]), int(columns[0])
    padded = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    if np.count_nonzero(padded[1:] != padded[:-1]) + np.count_nonzero(padded[:, 1:] != padded[:, :-1]) > MOST_POINTS:
        return QPainterPath()
    points, starts = trace(padded)
    points, starts = simplified(smoothed(points, starts), starts)
    # trace() counts from the centre of the padding's first pixel, which lies half a pixel outside of the box.
    points = (points + np.asarray((top - 0.5, left - 0.5))) * np.asarray(step)
    return path_of(points, starts)


def trace(padded: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Ordered points (n, 2) as (row, column) of all closed boundaries, and where each begins.

    Every point lies in the middle between two neighbouring pixel centres, one inside and one outside. The border of
    ``padded`` must be False. Pixels that touch at a corner only are kept apart.
    """
    cells = padded.view(np.uint8)
    case = cells[:-1, :-1] | cells[:-1, 1:] << 1 | cells[1:, 1:] << 2 | cells[1:, :-1] << 3
    width = 2 * padded.shape[1]
    crossed = np.flatnonzero((case != 0) & (case != 15))
    kind = case.ravel()[crossed]
    row, column = np.divmod(crossed, case.shape[1])
    # One number for the middle of a cell's side: its place on a grid of twice the density.
    corner = 2 * row * width + 2 * column
    side = np.asarray([down * width + right for down, right in _SIDE])
    start, end = corner + side[_FROM[kind, 0]], corner + side[_TO[kind, 0]]
    twice = np.flatnonzero((kind == 5) | (kind == 10))
    start = np.concatenate([start, corner[twice] + side[_FROM[kind[twice], 1]]])
    end = np.concatenate([end, corner[twice] + side[_TO[kind[twice], 1]]])
    order = np.argsort(start)
    start, end = start[order], end[order]
    following = np.searchsorted(start, end)
    sequence, begins = _cycles(following)
    keys = start[sequence]
    return np.stack(divmod(keys, width), axis=1) / 2.0, begins


# Which of a cell's four sides (0 top, 1 right, 2 bottom, 3 left) a boundary enters and leaves by, the inside on its right.
# Bits of the case: 1 upper left, 2 upper right, 4 lower right, 8 lower left.
_LINES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),), 2: ((1, 0),), 3: ((1, 3),), 4: ((2, 1),), 5: ((0, 3), (2, 1)), 6: ((2, 0),), 7: ((2, 3),),
    8: ((3, 2),), 9: ((0, 2),), 10: ((1, 0), (3, 2)), 11: ((1, 2),), 12: ((3, 1),), 13: ((0, 1),), 14: ((3, 0),),
}  # fmt: skip
_SIDE = ((0, 1), (1, 2), (2, 1), (1, 0))
_FROM = np.asarray([[lines[i % len(lines)][0] for i in (0, 1)] for lines in (_LINES.get(kind, ((0, 0),)) for kind in range(16))])
_TO = np.asarray([[lines[i % len(lines)][1] for i in (0, 1)] for lines in (_LINES.get(kind, ((0, 0),)) for kind in range(16))])


def smoothed(points: Floats, begins: NDArray[np.bool_], passes: int = 2) -> Floats:
    """The points moved towards their neighbours, so that a slanted edge is no staircase; by less than half a pixel.

    Boundaries of fewer than 12 points stay as they are, or what is as small as a pixel would vanish.
    """
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, len(points)))
    following, before = np.arange(1, len(points) + 1), np.arange(-1, len(points) - 1)
    following[first + sizes - 1], before[first] = first, first + sizes - 1
    is_long = np.repeat(sizes >= 12, sizes)[:, None]
    for _ in range(passes):
        points = np.where(is_long, (points[before] + 2 * points + points[following]) / 4, points)
    return points


def simplified(points: Floats, begins: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """The same without points that lie within a sixth of a pixel of the line from one fourth point to the next: half the work for the painter."""
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, len(points)))
    start, size = np.repeat(first, sizes), np.repeat(sizes, sizes)
    number = np.arange(len(points)) - start
    phase = number % _STRIDE
    before = points[start + number - phase]
    ahead = number - phase + _STRIDE
    chord = points[start + np.where(ahead < size, ahead, 0)] - before
    away = points - before
    distance = np.abs(chord[:, 0] * away[:, 1] - chord[:, 1] * away[:, 0])
    is_far = distance > _TOLERANCE * np.hypot(chord[:, 0], chord[:, 1])
    # A group is left out whole or not at all.
    groups = np.cumsum(phase == 0) - 1
    keeps = np.bincount(groups, weights=is_far)[groups] > 0
    kept = (phase == 0) | keeps | (size < 3 * _STRIDE)
    return points[kept], begins[kept]


def _cycles(following: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """The elements of a permutation in the order of its cycles, and which of them begin one; by pointer doubling, without a loop over elements."""
    count = following.size
    rounds = max(1, int(count - 1).bit_length())
    own = np.arange(count, dtype=np.int64)
    leader, jump = own.copy(), following.copy()
    for _ in range(rounds):
        np.minimum(leader, leader[jump], out=leader)
        jump = jump[jump]
    # Steps left to the last element of the cycle, the one before its leader.
    is_last = leader[following] == following
    jump = np.where(is_last, own, following)
    left = (~is_last).astype(np.int64)
    for _ in range(rounds):
        left = left + left[jump]
        jump = jump[jump]
    sequence = np.lexsort((-left, leader))
    ordered = leader[sequence]
    begins = np.ones(count, dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    return sequence, begins


def path_of(points: Floats, begins: NDArray[np.bool_]) -> QPainterPath:
    """A painter path of closed lines through points (n, 2) as (y, x).

    Read from a byte stream in Qt's own format: a call for every point would cost a hundred times as much.
    """
    count = len(points)
    if count == 0:
        return QPainterPath()
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, count))
    closing = np.repeat(first, 1), first + sizes  # a copy of the first point goes behind the last
    where = np.insert(np.arange(count), closing[1], closing[0])
    kinds = np.ones(len(where), dtype=">i4")  # 0 move, 1 line
    kinds[first + np.arange(len(first))] = 0
    elements = np.zeros(len(where), dtype=np.dtype([("kind", ">i4"), ("x", ">f8"), ("y", ">f8")]))
    elements["kind"], elements["x"], elements["y"] = kinds, points[where, 1], points[where, 0]
    tail = np.asarray([0, 0], dtype=">i4")  # where the current part starts, and the fill rule
    data = np.asarray([len(where)], dtype=">i4").tobytes() + elements.tobytes() + tail.tobytes()
    path = QPainterPath()
    stored = QByteArray(data)
    stream = QDataStream(stored)
    stream >> path
    return path
