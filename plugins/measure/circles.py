"""Circles in a slice by the Hough transform."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from skimage.transform import hough_circle, hough_circle_peaks

from plugins.measure.edges import Edges, find_edges
from viewer.api import Annotations, Column, Draft, Help, Image, Numbers, Progress, Range, Refused, gettext, length_suffix, mark, operation

_SEARCH_STEPS = 256  # longest side of the grid that votes are counted on; what is found there is fitted to the fine edges
_AT_ONCE = 8  # radii in memory at once: 8 x (2 * 256) ** 2 votes
_MOST_FITS = 20_000_000  # candidates times edge points
_ACROSS = 0.9  # cosine of the largest angle, 26 degrees, between an edge's normal and the circle's radius
_BAND_SHARE = 2 * 3 * 2 * 26 / 360  # a sector two steps long, a band three steps wide, 26 degrees to either side


@dataclass(frozen=True, slots=True)
class _Circle:
    y: float
    x: float
    radius: float
    covered: float
    """Share of the rim, 0..1, that has an edge."""


@operation(preview="none")
def hough_circles(
    image: Image,
    smallest: Annotated[float | None, Range(0.0, 10000.0, unit="mm"), Help("Auto: 3 % of the shorter side", label="Smallest radius")] = None,
    largest: Annotated[float | None, Range(0.0, 10000.0, unit="mm"), Help("Auto: half the shorter side", label="Largest radius")] = None,
    coverage: Annotated[float, Range(0.1, 1.0, step=0.05), Help("Share of the rim that must be an edge")] = 0.6,
    count: Annotated[int, Range(1, 100), Help("How many to keep at most, the most complete first")] = 10,
    smoothing: Annotated[float, Range(0.5, 10.0, unit="px", step=0.5), Help("Smoothing before edges are looked for")] = 1.5,
    progress: Progress | None = None,
) -> tuple[Annotations, Numbers]:
    """Circles in the slice, kept as annotations and listed with centre and radius.

    Parameters
    ----------
    image : Image
        One plane.
    smallest, largest : float
        Limits of the radius in mm, in pixels where no spacing is known.
    coverage : float
        Share of the rim, 0..1.
    count : int
    smoothing : float
        Standard deviation in pixels.

    Returns
    -------
    Annotations, Numbers
        One row a circle: x, y, z of the centre in the image's frame, radius, and the share of the rim that is an edge.

    Raises
    ------
    Refused
        Where the image has several planes, or the radii contradict each other.

    Notes
    -----
    Source: Duda and Hart (1972), scikit-image; edges by Canny. Votes are counted on a grid of at most 256 steps a side, the
    circles found there are fitted to the edges by least squares (Kasa 1976), so that place and radius are finer than a pixel.
    """
    edges = find_edges(image, smoothing)
    low, high = _limits(edges, smallest, largest)
    circles = _search(edges, low, high, coverage, count, progress)
    unit = image.geometry.unit
    suffix = length_suffix(modality=image.modality) if unit == "mm" else ""
    drafts, rows = [], []
    for number, c in enumerate(circles, start=1):
        centre = edges.place(c.y, c.x)
        name = gettext("Circle {number}").format(number=number)
        points = (centre, edges.place(c.y, c.x + c.radius), edges.place(c.y + c.radius, c.x))
        drafts.append(Draft("circle", points, name))
        rows.append((name, *centre, c.radius, c.covered))
    columns = (
        Column(mark("Circle")),
        Column("x", unit),
        Column("y", unit),
        Column("z", unit),
        Column(mark("Radius"), unit + suffix),
        Column(mark("Coverage")),
    )
    facts = (
        (mark("Edges"), gettext("Canny, {count} points, step {step:g} {unit}").format(count=len(edges.points), step=edges.step, unit=unit)),
        (mark("Radii"), gettext("{low:g} to {high:g} {unit}").format(low=low, high=high, unit=unit)),
    )
    return Annotations(tuple(drafts)), Numbers(mark("Circles"), columns, tuple(rows), facts)


def _limits(edges: Edges, smallest: float | None, largest: float | None) -> tuple[float, float]:
    side, unit = min(edges.extent) + edges.step, edges.geometry.unit
    low = max(smallest or max(0.03 * side, 4 * edges.step), 2 * edges.step)
    high = largest or side / 2
    if low > high and (smallest or largest):
        text = gettext("The smallest radius is {low:g} {unit}, but the largest is {high:g} {unit}. Give a smaller one first.")
        raise Refused(text.format(low=low, high=high, unit=unit))
    return low, high


def _search(edges: Edges, low: float, high: float, coverage: float, count: int, progress: Progress | None) -> list[_Circle]:
    """Candidates by votes on the coarse grid, the best first, each fitted to the edges; near doubles are dropped."""
    high = min(high, max(edges.extent))
    if len(edges.points) < 6 or low > high:
        return []
    coarse = max(edges.step, max(edges.extent) / (_SEARCH_STEPS - 1), low / 40)
    shape = tuple(int(far / coarse + 0.5) + 1 for far in edges.extent)
    grid = np.zeros(shape, dtype=np.bool_)
    grid[tuple(np.floor(edges.points / coarse + 0.5).astype(int).T)] = True
    radii = np.unique(np.arange(max(2, math.floor(low / coarse)), math.ceil(high / coarse) + 1))
    found: list[tuple[float, float, float, float]] = []
    for start in range(0, len(radii), _AT_ONCE):
        some = radii[start : start + _AT_ONCE]
        votes = hough_circle(grid, some, normalize=True)
        kept = {"threshold": 0.4 * coverage, "num_peaks": 5 * count, "total_num_peaks": 10 * count}
        best = hough_circle_peaks(votes, some, min_xdistance=3, min_ydistance=3, **kept)
        found += [(float(v), y * coarse, x * coarse, r * coarse) for v, x, y, r in zip(*best, strict=True)]
        if progress:
            progress((start + len(some)) / len(radii))
    found.sort(key=lambda c: -c[0])
    most = max(3 * count, min(30 * count, _MOST_FITS // len(edges.points)))
    fitted = [_fit(edges, y, x, radius, coarse) for _, y, x, radius in found[:most]]
    circles: list[_Circle] = []
    for circle in sorted((c for c in fitted if c is not None), key=lambda c: -c.covered):
        good = circle.covered >= coverage and low - coarse <= circle.radius <= high + coarse
        if good and not any(_is_double(circle, other, coarse) for other in circles):
            circles.append(circle)
    return circles[:count]


def _is_double(one: _Circle, other: _Circle, coarse: float) -> bool:
    reach = max(4 * coarse, 0.2 * min(one.radius, other.radius))
    return math.hypot(one.y - other.y, one.x - other.x) < reach and abs(one.radius - other.radius) < reach


def _fit(edges: Edges, y: float, x: float, radius: float, coarse: float) -> _Circle | None:
    """The circle through the edge points near a candidate, in a band that narrows; None where too few are near."""
    for band in (1.5 * coarse + edges.step, 1.5 * coarse, 1.5 * edges.step):
        solved = _kasa(_near(edges, y, x, radius, band))
        if solved is None or abs(solved[2] - radius) > 3 * coarse or math.hypot(solved[0], solved[1]) > 3 * coarse:
            return None
        y, x, radius = y + solved[0], x + solved[1], solved[2]
    near = _near(edges, y, x, radius, 1.5 * edges.step)
    # Sectors two steps long: a rim without gaps has a point in each, and points scattered by chance do not fill them.
    sectors = max(8, int(math.pi * radius / edges.step))
    sector = np.floor(np.arctan2(near[:, 0], near[:, 1]) / (2 * math.pi) * sectors) % sectors
    filled = np.unique(sector).size
    if edges.is_by_chance(filled, sectors, _BAND_SHARE):
        return None
    return _Circle(y, x, radius, filled / sectors)


def _near(edges: Edges, y: float, x: float, radius: float, band: float) -> NDArray[np.float64]:
    """Edge points, from the centre, that lie near a circle and run along it, all brighter inside or all brighter outside."""
    away = edges.points - (y, x)
    far = np.hypot(away[:, 0], away[:, 1])
    chosen = np.abs(far - radius) <= band
    outwards = (away[chosen] * edges.normals[chosen]).sum(axis=1) / np.maximum(far[chosen], 1e-12)
    kept = max(outwards >= _ACROSS, outwards <= -_ACROSS, key=np.count_nonzero)
    return np.asarray(away[chosen][kept])


def _kasa(points: NDArray[np.float64]) -> tuple[float, float, float] | None:
    """Centre (y, x) and radius of the least-squares circle; None for fewer than six points, or points in a line."""
    if len(points) < 6:
        return None
    system = np.column_stack([2 * points, np.ones(len(points))])
    (y, x, rest), _, rank, _ = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)
    squared = rest + y * y + x * x
    return (float(y), float(x), math.sqrt(squared)) if rank == 3 and squared > 0 else None
