"""What is measured: a drawn shape on the original values, and the values under any mask.

Lengths are in millimetres only where the file says so; statistics read modality values, never padding and never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viewer.core.annotation import Annotation, Measure
from viewer.core.geometry import Geometry, Triple
from viewer.core.volume import Volume
from viewer.core.words import mark

# Words on screen: measures are kept by these keys and translated where they are shown.
LENGTH, AREA, PERIMETER, RADIUS = mark("Length"), mark("Area"), mark("Perimeter"), mark("Radius")
PIXELS, EXCLUDED = mark("Pixels"), mark("Excluded")
MEAN, SD, MINIMUM, MAXIMUM, MEDIAN = mark("Mean"), mark("SD"), mark("Minimum"), mark("Maximum"), mark("Median")

PERCENTILES = (5, 10, 25, 75, 90, 95)
PROJECTION_MODALITIES = ("CR", "DX", "IO", "MG", "PX", "RF", "RG", "XA")
"""Modalities whose pixels are shadows: a length lies at the detector, or is estimated (DICOM PS3.3 10.7.1.2)."""
_EDGE = 1e-9  # a centre on the rim is inside, whatever the rounding of the last bit


@dataclass(frozen=True, slots=True)
class Statistics:
    """First-order statistics of some values; every number is None where there is no value (SD: fewer than two)."""

    count: int
    """Values that the statistics are made of."""
    excluded: int
    """Values left out: padding, NaN, infinities."""
    mean: float | None = None
    sd: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    median: float | None = None
    percentiles: tuple[float | None, ...] = (None,) * len(PERCENTILES)
    """At ``PERCENTILES`` per cent; linear between the ordered values (Hyndman and Fan 1996, definition 7)."""


def segment_statistics(
    values: NDArray[np.generic], mask: NDArray[np.bool_] | None = None, *, padding: tuple[float, float] | None = None
) -> Statistics:
    """Statistics of the values under a mask (all values without one).

    Parameters
    ----------
    values : ndarray of any shape, one number an element
    mask : ndarray of bool, the same shape
    padding : (low, high)
        Values in this range, both ends included, only fill the frame and are left out, as are NaN and infinities.

    Returns
    -------
    Statistics
        SD with n - 1.
    """
    chosen = (values if mask is None else values[mask]).ravel().astype(np.float64)
    total = chosen.size
    chosen = chosen[np.isfinite(chosen)]
    if padding is not None:
        chosen = chosen[(chosen < padding[0]) | (chosen > padding[1])]
    if chosen.size == 0:
        return Statistics(0, total)
    median, *percentiles = np.percentile(chosen, (50, *PERCENTILES)).tolist()
    return Statistics(
        count=chosen.size, excluded=total - chosen.size, mean=float(chosen.mean()), sd=float(chosen.std(ddof=1)) if chosen.size > 1 else None,
        minimum=float(chosen.min()), maximum=float(chosen.max()), median=median, percentiles=tuple(percentiles),
    )  # fmt: skip


def length_suffix(*, badges: Iterable[str] = (), modality: str = "") -> str:
    """What must stand behind a length in millimetres: "" or " at detector", " estimated", for projection images."""
    shown = tuple(badges)
    if "AT DETECTOR" in shown:
        return " at detector"
    if "EST. MAG" in shown or modality in PROJECTION_MODALITIES:
        return " estimated"
    return ""


def measure_annotation(annotation: Annotation, volume: Volume, *, with_values: bool = True) -> Annotation:
    """The annotation with its measures, all made anew.

    Parameters
    ----------
    annotation : Annotation
    volume : Volume
        The opened volume that it was drawn on: statistics are of its modality values, in the one plane that holds the shape.
    with_values : bool
        False leaves the statistics out: quick enough for every move of the mouse, however large the shape.

    Returns
    -------
    Annotation
        ``measures`` of a distance or line: Length. Of an ellipse or circle: Radius (circle), Area and Perimeter (of the drawn shape),
        then of the pixels whose centre is inside Mean, SD (n - 1), Minimum, Maximum, Median, their number Pixels, and Excluded if
        padding or NaN was left out.
        Values of colour images are their luminance, and their unit says so. None where nothing could be measured:
        no pixel inside, or a length across directions whose spacing is partly unknown.
    """
    if annotation.shape in ("distance", "line"):
        return replace(annotation, measures=(_length(annotation, volume),))
    if annotation.shape in ("ellipse", "circle"):
        measures = _outline_measures(annotation, volume)
        return replace(annotation, measures=measures + (_value_measures(annotation, volume) if with_values else ()))
    return replace(annotation, measures=())


def roi_size(annotation: Annotation, geometry: Geometry) -> int:
    """Number of pixels in the box around an ellipse: what its statistics cost."""
    found = _box(annotation, geometry)
    return 0 if found is None else math.prod(s.stop - s.start for s in found)


def ellipse_mask(annotation: Annotation, geometry: Geometry) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]] | None:
    """The voxels of an ellipse or circle: those of its plane whose centre is inside or on the rim.

    Returns
    -------
    (box, mask) or None
        A part of the grid, one voxel thick along ``annotation.axis``, and the mask in it; None if no voxel can be inside.
    """
    box = _box(annotation, geometry)
    if box is None:
        return None
    centre, first, second = _ellipse_on_grid(annotation, geometry)
    offsets = [np.arange(s.start, s.stop) * step - middle for s, step, middle in zip(box, geometry.spacing, centre, strict=True)]
    offsets[annotation.axis] = np.zeros(1)
    planes, rows, columns = np.ix_(*offsets)
    reach = np.zeros(tuple(s.stop - s.start for s in box))
    for half in (first, second):
        reach = reach + ((planes * half[0] + rows * half[1] + columns * half[2]) / (half @ half)) ** 2
    mask = reach <= 1 + _EDGE
    return (box, mask) if mask.any() else None


def _unit_along(geometry: Geometry, moves: NDArray[np.float64]) -> str | None:
    """Unit of lengths along array directions that are used (not 0) in ``moves``; None where mm and steps would be mixed."""
    known = [geometry.knows(axis) for axis in range(3) if abs(moves[axis]) > 1e-6]
    if not known:
        return geometry.unit
    if not (geometry.is_rectangular or all(known)):
        return None  # steps of unequal length are no unit
    return ("mm" if known[0] else "px") if len(set(known)) == 1 else None


def _length(annotation: Annotation, volume: Volume) -> Measure:
    start, end = np.asarray(annotation.points[:2])
    unit = _unit_along(volume.geometry, volume.geometry.to_index(end) - volume.geometry.to_index(start))
    if unit is None or not _in_one_region((start, end), volume):
        return Measure(LENGTH, None, "mm")
    return Measure(LENGTH, float(np.linalg.norm(end - start)), unit + _suffix(volume, unit))


def _in_one_region(points: Iterable[ArrayLike], volume: Volume) -> bool:
    """Whether all points lie in one region of an ultrasound picture (CONVENTIONS D68); always so where it has none."""
    if not volume.regions:
        return True
    cells = volume.geometry.to_index(np.asarray(list(points), dtype=np.float64))[:, 1:]
    boxes = np.asarray(volume.regions, dtype=np.float64)
    return any(bool(((cells >= box[:2] - 0.5) & (cells <= box[2:] + 0.5)).all()) for box in boxes)


def _suffix(volume: Volume, unit: str) -> str:
    return length_suffix(badges=volume.badges, modality="" if "USER CAL" in volume.badges else volume.identity.modality) if unit == "mm" else ""


def _outline_measures(annotation: Annotation, volume: Volume) -> tuple[Measure, ...]:
    _, first, second = _ellipse_on_grid(annotation, volume.geometry)
    moves = np.ones(3)
    moves[annotation.axis] = 0
    unit = _unit_along(volume.geometry, moves)
    if not volume.geometry.is_rectangular and annotation.axis != volume.geometry.plane_axis:
        unit = None  # across leaning planes an ellipse on the grid is none in the patient
    if not _in_one_region(handles(annotation), volume):
        unit = None
    a, b = float(np.linalg.norm(first)), float(np.linalg.norm(second))
    radius, area, perimeter = (a, math.pi * a * b, ellipse_perimeter(a, b)) if unit else (None, None, None)
    suffix, unit = _suffix(volume, unit or ""), unit or "mm"
    measures = (Measure(AREA, area, unit + "²" + suffix), Measure(PERIMETER, perimeter, unit + suffix))
    return (Measure(RADIUS, radius, unit + suffix), *measures) if annotation.shape == "circle" else measures


def ellipse_perimeter(a: float, b: float) -> float:
    """Perimeter of an ellipse by its half axes, exact to rounding.

    Notes
    -----
    Source: Gauss' arithmetic-geometric mean for the complete elliptic integrals; Abramowitz and Stegun 17.6.
    """
    high, low = max(a, b), min(a, b)
    if low <= 0:
        return 4 * high
    mean, other, total, weight = high, low, high * high - (high * high - low * low) / 2, 1.0
    while mean - other > 1e-15 * high:
        mean, other, gap = (mean + other) / 2, math.sqrt(mean * other), (mean - other) / 2
        total -= weight * gap * gap
        weight *= 2
    return 2 * math.pi * total / mean


def _value_measures(annotation: Annotation, volume: Volume) -> tuple[Measure, ...]:
    found = ellipse_mask(annotation, volume.geometry) if 0 <= annotation.phase < volume.phases else None
    unit = "index" if volume.indices is not None else "luminance" if volume.is_color else volume.unit
    if found is None:
        stats = Statistics(0, 0)
    else:
        box, mask = found
        values = volume.phase(annotation.phase)[box]
        if volume.indices is not None:
            values = volume.indices[annotation.phase][box]
        elif volume.is_color:
            values = values @ np.asarray([0.299, 0.587, 0.114])  # ITU-R BT.601
        stats = segment_statistics(values, mask, padding=None if volume.is_color else volume.padding)
    measures = (
        Measure(MEAN, stats.mean, unit), Measure(SD, stats.sd, unit), Measure(MINIMUM, stats.minimum, unit), Measure(MAXIMUM, stats.maximum, unit),
        Measure(MEDIAN, stats.median, unit), Measure(PIXELS, float(stats.count), "px"),
    )  # fmt: skip
    return (*measures, Measure(EXCLUDED, float(stats.excluded), "px")) if stats.excluded else measures


def _ellipse_on_grid(annotation: Annotation, geometry: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centre and half axes of an ellipse along the array axes, in the unit of the geometry, flat in its plane."""
    centre, first, second = geometry.to_index(np.asarray(annotation.points[:3])) * np.asarray(geometry.spacing)
    first, second = first - centre, second - centre
    first[annotation.axis] = second[annotation.axis] = 0.0
    return centre, first, second


def _box(annotation: Annotation, geometry: Geometry) -> tuple[slice, slice, slice] | None:
    centre, first, second = _ellipse_on_grid(annotation, geometry)
    if not (first.any() and second.any()):
        return None
    reach = np.hypot(first, second)
    spacing = np.asarray(geometry.spacing)
    low, high = np.ceil((centre - reach) / spacing - 1e-6).astype(int), np.floor((centre + reach) / spacing + 1e-6).astype(int)
    low[annotation.axis] = high[annotation.axis] = int(np.floor(centre[annotation.axis] / spacing[annotation.axis] + 0.5))
    low, high = np.maximum(low, 0), np.minimum(high, np.asarray(geometry.shape) - 1)
    if np.any(low > high):
        return None
    planes, rows, columns = (slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    return planes, rows, columns


# --- handles -------------------------------------------------------------------------------------------------------


def handles(annotation: Annotation) -> tuple[Triple, ...]:
    """Where an annotation can be taken: its points; for an ellipse also the other ends of its half axes (numbers 3 and 4)."""
    if annotation.shape not in ("ellipse", "circle"):
        return annotation.points
    centre, first, second = np.asarray(annotation.points)
    return (*annotation.points, _triple(2 * centre - first), _triple(2 * centre - second))


def moved(annotation: Annotation, handle: int, point: Triple) -> Annotation:
    """The annotation after one of its handles was put elsewhere; its measures are gone, they are no longer true.

    The centre of an ellipse takes the whole along. The end of a half axis turns and stretches it; the other half axis stays at
    right angles and keeps its length (a circle stays a circle). A half axis cannot become 0: then nothing moves.
    """
    if annotation.shape not in ("ellipse", "circle"):
        points = tuple(point if n == handle else p for n, p in enumerate(annotation.points))
        return replace(annotation, points=points, measures=())
    centre, first, second = np.asarray(annotation.points)
    place = np.asarray(point, dtype=np.float64)
    if handle == 0:
        shift = place - centre
        return replace(annotation, points=(point, _triple(first + shift), _triple(second + shift)), measures=())
    halves = [first - centre, second - centre]
    taken, other = (0, 1) if handle in (1, 3) else (1, 0)
    normal = np.cross(halves[taken], halves[other])
    arm = place - centre if handle in (1, 2) else centre - place
    if not normal.any():
        return annotation
    normal /= np.linalg.norm(normal)
    arm = arm - (arm @ normal) * normal
    length = float(np.linalg.norm(arm))
    if length < 1e-9:
        return annotation
    reach = length if annotation.shape == "circle" else float(np.linalg.norm(halves[other]))
    halves[taken], halves[other] = arm, np.cross(normal, arm / length) * reach
    return replace(annotation, points=(annotation.points[0], _triple(centre + halves[0]), _triple(centre + halves[1])), measures=())


def nearest_handle(annotation: Annotation, position: Triple, distance: float) -> tuple[int, float] | None:
    """Number of the handle nearest to a place and how far it is, None if none is within ``distance``.

    The ends win over an ellipse's centre where both are equally near, so that a small one can still be enlarged.
    """
    places = np.asarray(handles(annotation))
    if len(places) == 0:
        return None
    apart = np.linalg.norm(places - np.asarray(position), axis=1)
    order = sorted(range(len(places)), key=lambda n: (apart[n], -n))
    return (order[0], float(apart[order[0]])) if apart[order[0]] <= distance else None


def is_in_plane(annotation: Annotation, geometry: Geometry, axis: int, position: Triple, phase: int = 0) -> bool:
    """Whether an annotation belongs to the plane, at right angles to an array axis, that holds a place."""
    if annotation.axis != axis or annotation.phase != phase or not annotation.points:
        return False
    drawn, here = geometry.to_index(np.asarray((annotation.points[0], position)))[:, axis]
    return bool(math.floor(drawn + 0.5 + 1e-6) == math.floor(here + 0.5 + 1e-6))


def _triple(place: NDArray[np.float64]) -> Triple:
    return (float(place[0]), float(place[1]), float(place[2]))
