"""Straight lines in a slice by the Hough transform."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from skimage.transform import hough_line, hough_line_peaks

from plugins.measure.edges import Edges, find_edges
from viewer.api import Annotations, Column, Draft, Help, Image, Numbers, Progress, Range, gettext, length_suffix, mark, operation

_ANGLES = 360  # half a degree apart
_PASSES = 8  # after each the edges of the lines found are taken away, so that weaker lines are seen
_ACROSS = 0.9  # cosine of the largest angle, 26 degrees, between an edge's normal and the line's
_BAND_SHARE = 3.2 * 4 * 26 / 360  # a band 3.2 steps wide, 26 degrees to either side of both directions of the normal


@dataclass(frozen=True, slots=True)
class _Line:
    start: tuple[float, float]
    end: tuple[float, float]
    votes: int

    @property
    def length(self) -> float:
        return math.dist(self.start, self.end)

    @property
    def angle(self) -> float:
        """Degrees, 0 up to 180, from the direction of increasing columns, counted against the clock (rows go down)."""
        return math.degrees(math.atan2(self.start[0] - self.end[0], self.end[1] - self.start[1])) % 180.0


@operation(preview="none")
def hough_lines(
    image: Image,
    shortest: Annotated[float | None, Range(0.0, 10000.0, unit="mm"), Help("Auto: 15 % of the shorter side", label="Shortest line")] = None,
    gap: Annotated[float | None, Range(0.0, 1000.0, unit="mm"), Help("What is bridged; auto: 4 pixels", label="Longest gap")] = None,
    count: Annotated[int, Range(1, 100), Help("How many to keep at most, those with most votes first")] = 20,
    smoothing: Annotated[float, Range(0.5, 10.0, unit="px", step=0.5), Help("Smoothing before edges are looked for")] = 1.0,
    progress: Progress | None = None,
) -> tuple[Annotations, Numbers]:
    """Straight lines in the slice, kept as annotations and listed with ends, angle and length.

    Both edges of a bar are lines of their own.

    Parameters
    ----------
    image : Image
        One plane.
    shortest, gap : float
        In mm, in pixels where no spacing is known.
    count : int
    smoothing : float
        Standard deviation in pixels.

    Returns
    -------
    Annotations, Numbers
        One row a line: x, y, z of both ends in the image's frame; angle in degrees (0 up to 180) from the direction of increasing
        columns, against the clock as the slice is shown; length; votes: edge points on it.

    Raises
    ------
    Refused
        Where the image has several planes.

    Notes
    -----
    Source: Duda and Hart (1972), scikit-image; edges by Canny; ends by the edge points along the line, which is fitted to them by
    total least squares.
    """
    edges = find_edges(image, smoothing)
    side = min(edges.extent) + edges.step
    lines = _search(edges, shortest or 0.15 * side, gap or 4 * edges.step, count, progress)
    unit = image.geometry.unit
    suffix = length_suffix(modality=image.modality) if unit == "mm" else ""
    drafts, rows = [], []
    for number, line in enumerate(lines, start=1):
        ends = (edges.place(*line.start), edges.place(*line.end))
        name = gettext("Line {number}").format(number=number)
        drafts.append(Draft("line", ends, name))
        rows.append((name, *ends[0], *ends[1], line.angle, line.length, line.votes))
    columns = (
        Column(mark("Line")), Column("x1", unit), Column("y1", unit), Column("z1", unit), Column("x2", unit), Column("y2", unit), Column("z2", unit),
        Column(mark("Angle"), "°"), Column(mark("Length"), unit + suffix), Column(mark("Votes")),
    )  # fmt: skip
    facts = ((mark("Edges"), gettext("Canny, {count} points, step {step:g} {unit}").format(count=len(edges.points), step=edges.step, unit=unit)),)
    return Annotations(tuple(drafts)), Numbers(mark("Lines"), columns, tuple(rows), facts)


def _search(edges: Edges, shortest: float, gap: float, count: int, progress: Progress | None) -> list[_Line]:
    """Lines with most votes first; an edge point belongs to one line only."""
    rest, normals = edges.points, edges.normals
    shape = tuple(int(far / edges.step + 0.5) + 1 for far in edges.extent)
    angles = np.linspace(-math.pi / 2, math.pi / 2, _ANGLES, endpoint=False)
    least = max(4.0, 0.5 * shortest / edges.step)
    lines: list[_Line] = []
    for done in range(_PASSES):
        if len(rest) < least:
            break
        grid = np.zeros(shape, dtype=np.bool_)
        grid[tuple(np.floor(rest / edges.step + 0.5).astype(int).T)] = True
        votes, turns, distances = hough_line(grid, angles)
        peaks = hough_line_peaks(votes, turns, distances, min_distance=3, min_angle=6, threshold=least, num_peaks=2 * count)
        before = len(lines)
        for turn, distance in zip(peaks[1], peaks[2], strict=True):
            found, left = _runs(edges, rest, normals, float(turn), float(distance) * edges.step, shortest, gap)
            lines, rest, normals = lines + found, rest[left], normals[left]
        if progress:
            progress((done + 1) / _PASSES)
        if len(lines) == before:
            break
    return sorted(lines, key=lambda line: (-line.votes, line.start))[:count]


def _runs(
    edges: Edges, points: NDArray[np.float64], normals: NDArray[np.float64], turn: float, distance: float, shortest: float, gap: float
) -> tuple[list[_Line], NDArray[np.bool_]]:
    """The stretches of edge along one line, and which points are left; ``turn`` and ``distance`` are those of its normal."""
    step, normal = edges.step, np.array([math.sin(turn), math.cos(turn)])
    near = (np.abs(points @ normal - distance) <= 1.6 * step) & (np.abs(normals @ normal) >= _ACROSS)
    along = points[near] @ np.array([math.cos(turn), -math.sin(turn)])
    order = np.argsort(along, kind="stable")
    chosen = points[near][order]
    borders = np.flatnonzero(np.diff(along[order]) > gap + step) + 1
    lines = []
    taken = np.zeros(len(chosen), dtype=np.bool_)
    for run in np.split(np.arange(len(chosen)), borders):
        line = _fit(chosen[run]) if len(run) >= 3 else None
        if line is None or line.length < shortest - step:
            continue
        places = max(1, math.ceil(line.length / step))
        filled = np.unique(np.floor(along[order][run] / step)).size
        if not edges.is_by_chance(min(filled, places), places, _BAND_SHARE):
            lines.append(line)
            taken[run] = True
    left = np.ones(len(points), dtype=np.bool_)
    left[np.flatnonzero(near)[order[taken]]] = False
    return lines, left


def _fit(points: NDArray[np.float64]) -> _Line:
    """The stretch through some points, left end first."""
    middle = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - middle, full_matrices=False)
    along = (points - middle) @ axes[0]
    ends = [middle + far * axes[0] for far in (along.min(), along.max())]
    ends.sort(key=lambda p: (float(p[1]), float(p[0])))
    first, last = ((float(y), float(x)) for y, x in ends)
    return _Line(first, last, len(points))
