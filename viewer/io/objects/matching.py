"""How planes of pixels lie on an image's grid: which of them on which plane, which pixel on which voxel.

Places decide, never the order of frames (CONVENTIONS F06). Axes may be swapped or turned round. Where the voxels are not
the same ones, each voxel of the image takes the pixel that its centre lies in: nearest neighbour, never anything between (C16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import GeometryMismatch
from viewer.core.geometry import Geometry, Index
from viewer.core.words import _

EXACT = 0.1
"""Voxels whose centres are no further apart than this, in steps of the grid, are the same voxel."""
MOST_DRIFT = 0.5
"""The most that axes may drift apart over the whole image, in steps of the grid, to count as parallel."""


@dataclass(frozen=True, slots=True)
class Target:
    """An image's grid with the place of each of its planes, which need not be evenly spaced."""

    geometry: Geometry
    places: NDArray[np.float64]
    """(planes, 3): centre of the first voxel of each plane, LPS mm."""

    @property
    def normal(self) -> NDArray[np.float64]:
        return self.geometry.vector(0)

    @property
    def heights(self) -> NDArray[np.float64]:
        """(planes,): place of each plane along the normal, mm."""
        return np.asarray(self.places @ self.normal)

    @property
    def step(self) -> float:
        """Distance of neighbouring planes, mm: the median."""
        heights = np.sort(self.heights)
        return float(np.median(np.diff(heights))) if len(heights) > 1 else self.geometry.spacing[0]


def target_of(geometry: Geometry) -> Target:
    """An image's grid as something to lay objects on."""
    return Target(geometry, _places(geometry))


def _places(geometry: Geometry) -> NDArray[np.float64]:
    steps = np.zeros((geometry.shape[0], 3))
    steps[:, 0] = np.arange(geometry.shape[0])
    return geometry.to_patient(steps)


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """Planes of one direction, size and spacing, as an object's frames are."""

    rows: int
    columns: int
    spacing: tuple[float, float]
    """Between rows, between columns, mm."""
    orientation: tuple[float, ...]
    """Six direction cosines: along increasing columns, along increasing rows."""
    places: NDArray[np.float64]
    """(planes, 3): centre of the first pixel of each different plane, LPS mm."""
    step: float
    """Distance of neighbouring planes, mm."""
    said_step: float | None = None
    """The same where the file says it."""

    @property
    def normal(self) -> NDArray[np.float64]:
        return np.cross(self.orientation[:3], self.orientation[3:])


@dataclass(frozen=True, slots=True)
class Pairing:
    """Where one plane of pixels goes: ``taken[n]`` of the pixels' rows and columns go to the voxels from ``first`` on."""

    plane: int
    """Of the image, along axis ``order[0]``."""
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    first: tuple[int, int]
    is_exact: bool
    """Whether pixels and voxels are the same ones in the plane."""
    offset_mm: float

    def taken(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The pixels in the order of the voxels: a view where they are the same ones, else a copy."""
        if self.is_exact and self.rows.size and self.columns.size:
            return pixels[_run(self.rows), _run(self.columns)]
        return pixels[np.ix_(self.rows, self.columns)]


def _run(index: NDArray[np.intp]) -> slice:
    """Whole numbers that go up or down by one, as a slice."""
    first, last = int(index[0]), int(index[-1])
    return slice(first, last + 1) if first <= last else slice(first, last - 1 if last else None, -1)


@dataclass(frozen=True, slots=True)
class Match:
    """How a pixel grid lies on an image."""

    order: Index
    """Axes of the image that go with planes, rows and columns of pixels."""
    pairs: tuple[tuple[Pairing, ...], ...]
    """For each plane of pixels the planes of the image that take it; none where it lies outside."""
    is_exact: bool
    """Whether the voxels are the same ones."""
    largest_offset_mm: float


def match(target: Target, grid: PixelGrid, path_name: str) -> Match:
    """Lay a pixel grid on an image.

    Raises
    ------
    GeometryMismatch
        The axes are not parallel, or nothing of one lies in the other; the sentence names both grids.
    """
    order = _order(target, grid, path_name)
    turned = target.geometry.permuted(order)
    if order[0] != 0 and not target.geometry.is_rectangular:
        text = _("{name}: its planes cut across the image's, which are not evenly spaced. {grids}")
        raise GeometryMismatch(text.format(name=path_name, grids=_both(target, grid)))
    places = _places(turned)
    row_way, column_way = np.asarray(grid.orientation[3:]), np.asarray(grid.orientation[:3])
    image, pixels = places @ grid.normal, grid.places @ grid.normal
    # A thicker stack may lie on every second plane of the image: its planes are the image's only if the pixels are as well.
    may_be_same = grid.said_step is None or abs(grid.said_step - turned.spacing[0]) <= EXACT * turned.spacing[0]
    partners, apart = _same_planes(image, pixels, turned.spacing[0]) if may_be_same else ([], 0.0)
    found = [(n, _pairing(turned, k, places[k] - grid.places[n], row_way, column_way, grid)) for k, n in partners]
    is_exact = bool(partners) and all(pairing.is_exact for _n, pairing in found)
    if not is_exact:
        partners = _nearest_planes(image, pixels, grid.step)
        found = [(n, _pairing(turned, k, places[k] - grid.places[n], row_way, column_way, grid)) for k, n in partners]
    pairs: list[list[Pairing]] = [[] for _plane in grid.places]
    for n, pairing in found:
        if pairing.rows.size and pairing.columns.size:
            pairs[n].append(pairing)
    if not any(pairs):
        text = _("{name}: nothing of it lies inside the image. {grids}")
        raise GeometryMismatch(text.format(name=path_name, grids=_both(target, grid)))
    largest = max((apart, *(pairing.offset_mm for _n, pairing in found))) if is_exact else 0.0
    return Match(order, tuple(tuple(p) for p in pairs), is_exact, largest)


def _order(target: Target, grid: PixelGrid, path_name: str) -> Index:
    """Which axis of the image each axis of the pixels runs along."""
    ways = (grid.normal, np.asarray(grid.orientation[3:]), np.asarray(grid.orientation[:3]))
    geometry = target.geometry
    order = []
    for way in ways:
        along = np.array([abs(float(way @ geometry.vector(axis))) for axis in range(3)])
        axis = int(along.argmax())
        across = np.delete(along, axis)
        length = geometry.shape[axis] * geometry.spacing[axis]
        if float(across.max()) * length > MOST_DRIFT * min(geometry.spacing[1:]):
            angle = float(np.degrees(np.arccos(np.clip(along[axis], -1, 1))))
            text = _("{name}: its planes are turned by {angle:.2f}° against the image's, so that its voxels are not those of the image. {grids}")
            raise GeometryMismatch(text.format(name=path_name, angle=angle, grids=_both(target, grid)))
        order.append(axis)
    if sorted(order) != [0, 1, 2]:
        raise GeometryMismatch(_("{name}: its axes are not those of the image. {grids}").format(name=path_name, grids=_both(target, grid)))
    return (order[0], order[1], order[2])


def _same_planes(image: NDArray[np.float64], pixels: NDArray[np.float64], step: float) -> tuple[list[tuple[int, int]], float]:
    """(plane of the image, plane of pixels) at the same height, and how far they are apart at most (mm); nothing if any is at none.

    Planes of pixels outside the image are left out.
    """
    apart = np.abs(image[:, None] - pixels[None, :])
    inside = (pixels >= image.min() - step / 2) & (pixels <= image.max() + step / 2)
    if not inside.any() or not (apart.min(axis=0)[inside] <= EXACT * step).all():
        return [], 0.0
    best = apart.argmin(axis=0)
    return [(int(best[n]), int(n)) for n in np.flatnonzero(inside)], float(apart.min(axis=0)[inside].max())


def _nearest_planes(image: NDArray[np.float64], pixels: NDArray[np.float64], step: float) -> list[tuple[int, int]]:
    """(plane of the image, plane of pixels): for each of the image the nearest of pixels that it lies in, the lower of two."""
    order = np.argsort(pixels, kind="stable")
    found = []
    for k, height in enumerate(image):
        apart = np.abs(pixels[order] - height)
        nearest = int(np.flatnonzero(apart <= apart.min() + 1e-6)[0])
        if apart[nearest] <= step / 2 * (1 + 1e-6):
            # Several planes of pixels may lie side by side at one height.
            found += [(k, int(n)) for n in order if abs(pixels[n] - pixels[order[nearest]]) <= 1e-3]
    return found


def _pairing(
    turned: Geometry, plane: int, offset: NDArray[np.float64], row_way: NDArray[np.float64], column_way: NDArray[np.float64], grid: PixelGrid
) -> Pairing:  # fmt: skip
    rows, first_row, exact_rows, off_rows = _axis(turned, 1, row_way, offset, grid.spacing[0], grid.rows)
    columns, first_column, exact_columns, off_columns = _axis(turned, 2, column_way, offset, grid.spacing[1], grid.columns)
    return Pairing(plane, rows, columns, (first_row, first_column), exact_rows and exact_columns, max(off_rows, off_columns))


def _axis(
    turned: Geometry, axis: int, way: NDArray[np.float64], offset: NDArray[np.float64], spacing: float, count: int
) -> tuple[NDArray[np.intp], int, bool, float]:  # fmt: skip
    """Pixel index of each voxel along an axis, the first voxel that has one, whether they are the same, and how far they are apart (mm)."""
    sign = 1.0 if float(turned.vector(axis) @ way) > 0 else -1.0
    length = turned.shape[axis]
    ratio = sign * turned.spacing[axis] / spacing
    start = float(offset @ way) / spacing
    exact = abs(abs(ratio) - 1) * max(length, count) <= EXACT and abs(start - round(start)) <= EXACT
    if exact:
        index = round(start) + int(sign) * np.arange(length)
    else:
        index = np.floor(start + ratio * np.arange(length) + 0.5 + 1e-6).astype(np.intp)
    inside = np.flatnonzero((index >= 0) & (index < count))
    first = int(inside[0]) if inside.size else 0
    return index[inside].astype(np.intp), first, exact, abs(start - round(start)) * spacing if exact else 0.0


def size_text(planes: int, rows: int, columns: int, spacing: Sequence[float]) -> str:
    """``60 x 512 x 512 of 1 x 0.78 x 0.78 mm`` (planes, rows, columns)."""
    steps = " x ".join(f"{s:.4g}" for s in spacing)
    return _("{planes} x {rows} x {columns} of {steps} mm").format(planes=planes, rows=rows, columns=columns, steps=steps)


def both_grids(target: Target, grid: PixelGrid) -> tuple[str, str]:
    """The object's and the image's grid in words."""
    own = size_text(len(grid.places), grid.rows, grid.columns, (grid.step, *grid.spacing))
    return own, size_text(*target.geometry.shape, target.geometry.spacing)


def _both(target: Target, grid: PixelGrid) -> str:
    own, image = both_grids(target, grid)
    return _("Its grid is {own}, the image's {image} (planes x rows x columns).").format(own=own, image=image)
