"""A made CT of a chest: lungs, vessels, bones and a nodule whose place, size and value are known.

Everything is drawn from formulas in patient millimetres (LPS), so that growing, measuring and reformats can be held
against numbers that no program had to compute. It is a phantom, not a person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Geometry, Triple

Values = NDArray[np.floating[Any]]

GEOMETRY = Geometry(shape=(112, 320, 320), origin=(-175.45, -175.45, -138.75), spacing=(2.5, 1.1, 1.1))

NOISE_SD_HU = 12.0
TISSUES_HU = {
    "air": -1000.0,
    "lung": -860.0,
    "fat": -100.0,
    "water": 15.0,
    "muscle": 55.0,
    "disc": 90.0,
    "liver": 105.0,
    "myocardium": 110.0,
    "spleen": 125.0,
    "marrow": 200.0,
    "blood": 230.0,
    "bone": 520.0,
}
PROBES_MM: dict[str, Triple] = {
    "air": (-165.0, -165.0, 0.0),
    "liver": (-70.0, 5.0, -110.0),
    "spleen": (88.0, 30.0, -112.0),
    "blood": (22.0, 42.0, 0.0),
    "fat": (48.0, 14.0, -118.0),
}
"""Places with at least 4 mm of one tissue around them."""


@dataclass(frozen=True, slots=True)
class Nodule:
    """A solid ball in the lung."""

    centre_mm: Triple
    diameter_mm: float
    value_hu: float

    @property
    def volume_mm3(self) -> float:
        return math.pi / 6 * self.diameter_mm**3


NODULE = Nodule(centre_mm=(-82.3, 12.4, 38.1), diameter_mm=18.0, value_hu=40.0)
"""In the right lung, with a gap of 6 mm to every vessel."""

_GAP_MM = 6.0
_EDGE_MM = 1.4  # width of the blur at a border, as a scanner's
_HALF_WIDTH_MM, _HALF_DEPTH_MM, _POWER = 160.0, 108.0, 2.4  # the body, a rounded box
_PLEURA = 0.765  # as parts of the body's size
_SEED = 20261122
_AIMS = (
    (0.7, -0.6, 0.75), (0.5, 0.7, 0.8), (0.5, 0.0, 1.0), (1.0, 0.1, -0.1), (0.9, -0.6, 0.2),
    (0.8, 0.9, 0.0), (0.6, -0.5, -0.8), (0.55, 0.6, -0.9), (0.4, 0.1, -1.0),
)  # fmt: skip
"""Directions (outwards, back, up) of the first branches in a lung."""


def make_values() -> NDArray[np.int16]:
    """The phantom on ``GEOMETRY``, in HU; the same numbers at every call."""
    canvas = _Canvas(GEOMETRY)
    _draw_trunk(canvas)
    _draw_heart(canvas)
    _draw_bones(canvas)
    for side in (-1.0, 1.0):
        _draw_lung_vessels(canvas, side)
    _draw_airways(canvas)
    canvas.ball(NODULE.centre_mm, NODULE.diameter_mm / 2, NODULE.value_hu)
    noise = np.random.default_rng(_SEED).standard_normal(GEOMETRY.shape, dtype=np.float32)
    noise *= NOISE_SD_HU
    noise += canvas.values
    return np.clip(np.rint(noise, out=noise), -1024, 3071).astype(np.int16)


class _Canvas:
    """Values in HU on an axis-parallel grid, with brushes whose borders are soft by one voxel or so."""

    def __init__(self, geometry: Geometry) -> None:
        planes, rows, columns = geometry.shape
        between, down, across = geometry.spacing
        self.values: Values = np.full(geometry.shape, TISSUES_HU["air"], dtype=np.float32)
        self.x = (geometry.origin[0] + across * np.arange(columns)).astype(np.float32)
        self.y = (geometry.origin[1] + down * np.arange(rows)).astype(np.float32)
        self.z = (geometry.origin[2] + between * np.arange(planes)).astype(np.float32)

    def _box(self, low: Sequence[float], high: Sequence[float]) -> tuple[tuple[slice, slice, slice], list[Values]] | None:
        parts, axes = [], []
        for axis, a, b in zip((self.z, self.y, self.x), low[::-1], high[::-1], strict=True):
            part = slice(int(np.searchsorted(axis, a - _EDGE_MM)), int(np.searchsorted(axis, b + _EDGE_MM)))
            if part.start == part.stop:
                return None
            parts.append(part)
            axes.append(axis[part])
        shaped = [axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]]
        return (parts[0], parts[1], parts[2]), shaped

    def ellipsoid(self, centre: Triple, radii: Triple, value: float) -> None:
        box = self._box([c - r for c, r in zip(centre, radii, strict=True)], [c + r for c, r in zip(centre, radii, strict=True)])
        if box is None:
            return
        where, (z, y, x) = box
        scaled = np.sqrt(((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 + ((z - centre[2]) / radii[2]) ** 2)
        blend(self.values[where], (scaled - 1) * min(radii), value)

    def ball(self, centre: Triple, radius: float, value: float) -> None:
        self.ellipsoid(centre, (radius, radius, radius), value)

    def tube(self, start: Triple, end: Triple, radius: float, value: float, *, brighten: bool = False) -> None:
        """A cylinder with round ends; ``brighten`` leaves alone what is brighter already."""
        box = self._box([min(a, b) - radius for a, b in zip(start, end, strict=True)], [max(a, b) + radius for a, b in zip(start, end, strict=True)])
        if box is None:
            return
        where, (z, y, x) = box
        along = [b - a for a, b in zip(start, end, strict=True)]
        from_start = (x - start[0], y - start[1], z - start[2])
        length = max(sum(a * a for a in along), 1e-6)
        part = np.clip(sum(d * a for d, a in zip(from_start, along, strict=True)) / length, 0, 1)
        distance = np.sqrt(sum((d - part * a) ** 2 for d, a in zip(from_start, along, strict=True)))
        blend(self.values[where], distance - radius, value, brighten=brighten)

    def path(self, points: Sequence[Triple], radius: float, value: float, *, brighten: bool = False) -> None:
        for start, end in pairwise(points):
            self.tube(start, end, radius, value, brighten=brighten)


def blend(values: Values, distance_mm: Values, value: float | Values, *, brighten: bool = False) -> None:
    """Set ``values`` (changed in place) to ``value`` where the signed distance to a border is negative, softly at the border."""
    cover = np.clip(0.5 - distance_mm / _EDGE_MM, 0, 1)
    mixed = values + cover * (value - values)
    values[...] = np.maximum(values, mixed) if brighten else mixed


# --- trunk ---------------------------------------------------------------------------------------------------------


def _draw_trunk(canvas: _Canvas) -> None:
    """Skin, fat, muscle, lungs, the space between them, diaphragm, liver, stomach, spleen, and the couch, plane by plane."""
    x, y = canvas.x[None, :], canvas.y[:, None]
    size = _size(x, y)
    middle = np.minimum(_ring(x - 3, y + 2, 27, 68), _ring(x, y - 56, 26, 25))
    back = _ring(np.abs(x) - 32, y - 84, 25, 12)
    lung_value = TISSUES_HU["lung"] + 0.3 * y + 0 * x  # blood sinks to the back of someone who lies
    dome = np.where(
        x < 0,
        -80 + 42 * (1 - ((x + 58) / 75) ** 2 - ((y + 5) / 95) ** 2),
        -92 + 40 * (1 - ((x - 58) / 75) ** 2 - ((y + 5) / 95) ** 2),
    )
    couch = np.minimum(np.abs(y - (117 - 0.0009 * x**2)), np.abs(y - (140 - 0.0009 * x**2))) - 1.3
    for number, z in enumerate(canvas.z):
        plane = canvas.values[number]
        shrink = 1 - 0.05 * ((z - 10) / 139) ** 2
        inner = size / shrink
        plane[...] = np.interp(
            inner,
            [0.89, 0.905, 0.985, 1.0],
            [TISSUES_HU["muscle"], TISSUES_HU["fat"], TISSUES_HU["fat"], TISSUES_HU["air"]],
        )
        blend(plane, np.maximum((inner - _PLEURA) * 110, z - dome), TISSUES_HU["fat"])  # belly
        lungs = np.maximum((inner - _PLEURA) * 110, np.maximum(-middle, (dome - z) * 0.8))
        if z > 40:
            tip = np.sqrt(((np.abs(x) - 55) / 70) ** 2 + (y / 80) ** 2 + ((z - 40) / 92) ** 2)
            lungs = np.maximum(lungs, (tip - 1) * 70)
        blend(plane, lungs, lung_value)
        blend(plane, np.maximum(middle, dome - z), TISSUES_HU["fat"])
        blend(plane, back, TISSUES_HU["muscle"])
        beside_spine = np.maximum(x + 0.35 * y - 30, -_ring(x, y - 56, 34, 34))
        liver = np.maximum((inner - _PLEURA + 0.02) * 110, np.maximum(z - dome + 3, beside_spine))
        blend(plane, liver, TISSUES_HU["liver"])
        _draw_vertebra(plane, x, y, z)
        blend(plane, couch, -250.0)
    canvas.ellipsoid((88.0, 30.0, -118.0), (22.0, 36.0, 30.0), TISSUES_HU["spleen"])
    canvas.ellipsoid((55.0, -32.0, -118.0), (32.0, 26.0, 24.0), TISSUES_HU["muscle"])
    canvas.ellipsoid((55.0, -32.0, -118.0), (28.0, 22.0, 20.0), TISSUES_HU["water"])
    canvas.ellipsoid((55.0, -43.0, -116.0), (18.0, 8.0, 12.0), TISSUES_HU["air"])
    canvas.tube((6.0, 33.0, 139.0), (8.0, 30.0, -139.0), 6.5, TISSUES_HU["muscle"])  # gullet


def _draw_vertebra(plane: Values, x: Values, y: Values, z: float) -> None:
    """One plane of the spine: a bony ring around marrow, every 25 mm a disc of 5 mm; the canal and its arch behind."""
    body = _ring(x, y - 56, 18, 14.5)
    if (z + 200) % 25 < 5:
        blend(plane, body, TISSUES_HU["disc"])
    else:
        blend(plane, body, TISSUES_HU["bone"])
        blend(plane, body + 2.5, TISSUES_HU["marrow"])
    arch = _ring(x, y - 78, 13, 12)
    if (z + 200) % 25 >= 11:
        blend(plane, arch, TISSUES_HU["bone"])
        blend(plane, _ring(x, y - 93, 3, 8), TISSUES_HU["bone"])
    blend(plane, _ring(x, y - 78, 8.5, 8), TISSUES_HU["water"])


def _size(x: Any, y: Any) -> Any:
    """How far out a place is: 0 in the middle, 1 on the skin."""
    return ((abs(x) / _HALF_WIDTH_MM) ** _POWER + (abs(y) / _HALF_DEPTH_MM) ** _POWER) ** (1 / _POWER)


def _ring(x: Values, y: Values, half_width: float, half_depth: float) -> Values:
    """Distance to an ellipse in mm, about right near its border; negative inside."""
    ring: Values = (np.sqrt((x / half_width) ** 2 + (y / half_depth) ** 2) - 1) * min(half_width, half_depth)
    return ring


# --- heart and great vessels ---------------------------------------------------------------------------------------


def _draw_heart(canvas: _Canvas) -> None:
    blood = TISSUES_HU["blood"]
    canvas.ellipsoid((20.0, -28.0, -22.0), (60.0, 44.0, 52.0), TISSUES_HU["fat"])
    canvas.ellipsoid((20.0, -28.0, -22.0), (56.0, 40.0, 48.0), TISSUES_HU["myocardium"])
    for centre, radii in (
        ((44.0, -22.0, -30.0), (21.0, 17.0, 26.0)),  # left ventricle
        ((10.0, -50.0, -30.0), (28.0, 12.0, 24.0)),  # right ventricle
        ((14.0, -4.0, -6.0), (26.0, 11.0, 18.0)),  # left atrium
        ((-20.0, -28.0, -18.0), (13.0, 18.0, 24.0)),  # right atrium
    ):
        canvas.ellipsoid(centre, radii, blood)
    canvas.path([(14.0, -24.0, -8.0), (-6.0, -26.0, 20.0), (-8.0, -26.0, 52.0)], 14.0, blood)  # aorta
    canvas.path([(-8.0, -26.0, 52.0), (-2.0, -18.0, 70.0), (12.0, 2.0, 78.0), (22.0, 26.0, 70.0), (25.0, 40.0, 48.0)], 12.5, blood)
    canvas.path([(25.0, 40.0, 48.0), (22.0, 42.0, 0.0), (16.0, 38.0, -139.0)], 11.5, blood)
    canvas.path([(10.0, -48.0, -14.0), (14.0, -40.0, 16.0), (16.0, -20.0, 34.0), (42.0, 2.0, 36.0)], 11.0, blood)  # pulmonary artery
    canvas.path([(16.0, -22.0, 32.0), (-8.0, -4.0, 30.0), (-40.0, 0.0, 28.0)], 9.0, blood)
    canvas.path([(-22.0, -24.0, -2.0), (-24.0, -22.0, 60.0), (-22.0, -24.0, 139.0)], 8.0, blood)  # upper hollow vein
    canvas.path([(-20.0, -14.0, -28.0), (-24.0, 10.0, -80.0), (-22.0, 16.0, -139.0)], 10.0, blood)
    for start, end in (
        ((-6.0, -16.0, 74.0), (-20.0, -8.0, 139.0)),
        ((8.0, -6.0, 82.0), (12.0, -4.0, 139.0)),
        ((18.0, 12.0, 78.0), (28.0, 8.0, 139.0)),
    ):
        canvas.tube(start, end, 5.0, blood)


def _draw_lung_vessels(canvas: _Canvas, side: float) -> None:
    """A tree from the root of one lung: each vessel parts in two, thinner and shorter, and ends where the lung ends."""
    random = np.random.default_rng(_SEED + int(side))
    root = np.array([40.0 * side, 2.0, 30.0])
    open_ends = [(root, np.array((side * x, y, z)) / math.hypot(x, y, z), 4.4, 32.0) for x, y, z in _AIMS]
    while open_ends:
        start, aim, radius, length = open_ends.pop()
        end = start + aim * length
        if _in_lung(end, side) and not _near_nodule(start, end, radius):
            canvas.tube(_triple(start), _triple(end), radius, TISSUES_HU["blood"], brighten=True)
        else:
            if length > 9:  # try a shorter one
                open_ends.append((start, aim, radius * 0.8, length * 0.6))
            continue
        if radius < 0.65:
            continue
        across = np.cross(aim, random.standard_normal(3))
        across /= np.linalg.norm(across)
        for turn, thinner in ((random.uniform(0.25, 0.5), 0.84), (-random.uniform(0.45, 0.9), 0.74)):
            new = aim * math.cos(turn) + across * math.sin(turn)
            open_ends.append((end, new, radius * thinner, max(8.0, length * random.uniform(0.68, 0.88))))


def _in_lung(place: NDArray[np.float64], side: float) -> bool:
    x, y, z = place
    wall = _size(x, y) < _PLEURA - 0.05
    top = z < 40 or ((abs(x) - 55) / 70) ** 2 + (y / 80) ** 2 + ((z - 40) / 92) ** 2 < 0.85
    dome = (-80 if side < 0 else -92) + 41 * (1 - ((abs(x) - 58) / 75) ** 2 - ((y + 5) / 95) ** 2)
    return bool(wall and top and x * side > 26 and z > dome + 6)


def _near_nodule(start: NDArray[np.float64], end: NDArray[np.float64], radius: float) -> bool:
    centre, along = np.asarray(NODULE.centre_mm), end - start
    part = np.clip(np.dot(centre - start, along) / np.dot(along, along), 0, 1)
    return bool(np.linalg.norm(start + part * along - centre) < NODULE.diameter_mm / 2 + radius + _GAP_MM + _EDGE_MM)


def _draw_airways(canvas: _Canvas) -> None:
    branches: list[tuple[list[Triple], float]] = [
        ([(0.0, 10.0, 139.0), (0.0, 14.0, 52.0)], 8.5),
        ([(0.0, 14.0, 52.0), (-22.0, 13.0, 34.0), (-40.0, 12.0, 18.0)], 6.0),
        ([(0.0, 14.0, 52.0), (26.0, 14.0, 32.0), (44.0, 16.0, 14.0)], 5.5),
        ([(-40.0, 12.0, 18.0), (-62.0, 22.0, -20.0)], 3.2),
        ([(-34.0, 13.0, 24.0), (-58.0, -10.0, 46.0)], 3.0),
        ([(44.0, 16.0, 14.0), (66.0, 24.0, -24.0)], 3.2),
        ([(38.0, 15.0, 20.0), (62.0, -8.0, 48.0)], 3.0),
    ]
    for points, radius in branches:
        canvas.path(points, radius + 1.6, TISSUES_HU["muscle"], brighten=True)
    for points, radius in branches:
        canvas.path(points, radius, TISSUES_HU["air"])


# --- bones ---------------------------------------------------------------------------------------------------------


def _draw_bones(canvas: _Canvas) -> None:
    bone, marrow = TISSUES_HU["bone"], TISSUES_HU["marrow"]
    for side in (-1.0, 1.0):
        ribs = [_rib(side, 158.0 - 24.0 * number) for number in range(14)]
        for rib in ribs:
            canvas.path(rib[:-4], 4.2, bone)
            canvas.path(rib[-5:], 4.0, 130.0)  # cartilage
            canvas.path(rib[:-4], 2.2, marrow)
        for step in np.linspace(0, 1, 15):  # shoulder blade
            x, y = side * (88 + 42 * step), 83 - 34 * step
            canvas.tube((x, y, 15.0 + 50 * step), (x, y, 118.0), 2.8, bone)
        canvas.path([(18.0 * side, -80.0, 112.0), (60.0 * side, -78.0, 124.0), (105.0 * side, -58.0, 133.0)], 6.0, bone)
        canvas.path([(18.0 * side, -80.0, 112.0), (60.0 * side, -78.0, 124.0), (105.0 * side, -58.0, 133.0)], 3.5, marrow)
        canvas.tube((7.0 * side, -86.0, 105.0), (7.0 * side, -91.0, -35.0), 5.0, bone)  # breastbone
        canvas.tube((7.0 * side, -86.0, 105.0), (6.0 * side, -91.0, -35.0), 3.0, marrow)


def _rib(side: float, z_at_spine: float) -> list[Triple]:
    """Points of a rib: out of the spine, round the chest, downwards to the front."""
    points: list[Triple] = [(16.0 * side, 66.0, z_at_spine)]
    for part in np.linspace(0, 1, 26):
        angle = math.radians(22 + 142 * part)
        z = z_at_spine - 62 * part
        narrow = 1 - 0.3 * max(0.0, (z - 55) / 80) ** 2
        reach = 0.80 * narrow / _size(math.sin(angle), math.cos(angle))
        points.append((side * reach * math.sin(angle), reach * math.cos(angle), z))
    return points


def _triple(place: NDArray[np.float64]) -> Triple:
    x, y, z = place
    return (float(x), float(y), float(z))
