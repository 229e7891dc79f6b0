"""How evenly the planes of a stack lie: distances, missing planes, and whether the stack leans (CONVENTIONS D58 to D60, D62)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

TILT_DEGREES = 0.1
# Positions are written with few digits: so much may be rounding.
ROUNDING_MM = 1e-3
SIDEWAYS_MM = 0.02


@dataclass(frozen=True, slots=True)
class Evenness:
    """The verdict on a stack of at least two planes, in the unit of their places."""

    median: float
    """Distances of neighbouring planes along the normal."""
    mean: float
    least: float
    most: float
    off: float
    """Largest distance of a plane from where it would lie if all were evenly spaced between the first and the last."""
    tilt_degrees: float
    """Angle between the way from the first to the last plane and the normal."""
    missing: tuple[tuple[int, int], ...]
    """(how many planes are missing, after which plane)."""
    is_even: bool
    """Whether one distance holds for all: each gap within 1 % of the median, no plane off by more than a tenth of it."""
    is_tilted: bool

    @property
    def missing_planes(self) -> int:
        return sum(count for count, _after in self.missing)


def evenness_of(places: ArrayLike, normal: ArrayLike) -> Evenness:
    """Judge planes by their places (n, 3), in ascending order along the unit vector ``normal``; n is at least 2."""
    where, up = np.asarray(places, dtype=np.float64), np.asarray(normal, dtype=np.float64)
    heights = where @ up
    gaps = np.diff(heights)
    median = float(np.median(gaps))
    way = where[-1] - where[0]
    sideways = float(np.linalg.norm(way - up * (way @ up)))
    angle = float(np.degrees(np.arctan2(sideways, abs(way @ up))))
    ideal = where[0] + np.outer(np.arange(len(where)) / (len(where) - 1), way)
    off = float(np.linalg.norm(where - ideal, axis=1).max())
    lost = [(round(float(gap) / median) - 1, number) for number, gap in enumerate(gaps) if gap > 1.5 * median]
    uneven = (float(np.abs(gaps - median).max()) > 0.01 * median and off > ROUNDING_MM) or off > 0.1 * median
    return Evenness(
        median=median,
        mean=float(heights[-1] - heights[0]) / (len(where) - 1),
        least=float(gaps.min()),
        most=float(gaps.max()),
        off=off,
        tilt_degrees=angle,
        missing=tuple(lost),
        is_even=not uneven and not lost,
        # A slight lean adds up over a long stack: a tenth of a plane's distance is as far off as an uneven stack may be.
        is_tilted=(angle > TILT_DEGREES and sideways > SIDEWAYS_MM) or sideways > max(SIDEWAYS_MM, 0.1 * median),
    )
