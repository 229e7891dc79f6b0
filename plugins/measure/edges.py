"""One plane on a grid of square steps, and the edges in it: what circles and lines are looked for in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import bdtrc
from skimage.feature import canny

from plugins.measure.gradient import filled
from viewer.api import Geometry, Image, Refused, Triple, gettext

MOST_STEPS = 1024
"""Longest side of the grid that edges are looked for on: a limit on work. Larger images are made coarser."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Edge points (n, 2) as (y, x) along rows and columns in the unit of the geometry, from the centre of pixel (0, 0)."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    """Unit vectors (n, 2) across the edge, at each point."""
    step: float
    """Distance of the grid's points."""
    extent: tuple[float, float]
    """Height and width of the plane, in the same unit."""
    geometry: Geometry

    def place(self, y: float, x: float) -> Triple:
        """The place of a point in the image's frame."""
        index = (0.0, y / self.geometry.spacing[1], x / self.geometry.spacing[2])
        px, py, pz = self.geometry.to_patient(index).tolist()
        return (px, py, pz)

    def is_by_chance(self, filled: int, places: int, share: float) -> bool:
        """Whether edges scattered over the image would make a shape as full as this somewhere.

        Parameters
        ----------
        filled, places : int
            Of ``places`` along the shape, how many have a fitting edge point.
        share : float
            Grid points around one place that would fit, times the share of directions that would.

        Notes
        -----
        Source: the a-contrario principle, Desolneux, Moisan and Morel (2000): expected number of false alarms below 1 in 100 images.
        """
        points = (self.extent[0] / self.step + 1) * (self.extent[1] / self.step + 1)
        chance = 1 - math.exp(-len(self.points) / points * share)
        return bool(points**2 * bdtrc(filled - 1, places, chance) > 0.01)


def find_edges(image: Image, smoothing: float) -> Edges:
    """Edges of a single plane by Canny's method, with limits from the image itself.

    Parameters
    ----------
    image : Image
        One plane.
    smoothing : float
        Standard deviation in steps of the grid (pixels, unless the image is larger than ``MOST_STEPS``).

    Raises
    ------
    Refused
        Where the image has several planes.

    Notes
    -----
    Source: Canny (1986), scikit-image; limits by Otsu (1979): the upper one splits the gradient magnitudes that are not 0, the
    lower one is half of it.
    """
    if not image.is_slice:
        text = gettext("Lines and circles are looked for in one slice, but the image has {count} planes. Choose a slice.")
        raise Refused(text.format(count=image.geometry.shape[0]))
    geometry = image.geometry
    high, wide = geometry.spacing[1], geometry.spacing[2]
    rows, columns = geometry.shape[1:]
    extent = ((rows - 1) * high, (columns - 1) * wide)
    step = max(min(high, wide), max(extent) / (MOST_STEPS - 1))
    values, valid = filled(image)[0], image.valid()[0]
    if not np.isclose(step, high, rtol=1e-6) or not np.isclose(step, wide, rtol=1e-6):
        values = ndimage.gaussian_filter(values, (max(0.0, step / high - 1) / 2, max(0.0, step / wide - 1) / 2), mode="nearest")
        y, x = (np.arange(math.floor(far / step + 1e-6) + 1) * step for far in extent)
        grid = np.meshgrid(y / high, x / wide, indexing="ij")
        values = ndimage.map_coordinates(values, grid, order=1, mode="nearest")
        valid = ndimage.map_coordinates(valid.astype(np.float32), grid, order=1, mode="nearest") > 0.99
    index, normals = _canny(values, valid, smoothing)
    return Edges(index.astype(np.float64) * step, normals, step, extent, geometry)


def _canny(values: NDArray[np.float32], valid: NDArray[np.bool_], smoothing: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Indices (n, 2) and normals (n, 2) of the edge points."""
    nothing = np.empty((0, 2), dtype=np.intp), np.empty((0, 2))
    if min(values.shape) < 3 or not valid.any():
        return nothing
    smooth = ndimage.gaussian_filter(values, smoothing, mode="nearest")
    down, right = (ndimage.sobel(smooth, axis=axis, mode="nearest") for axis in (0, 1))
    steepness = np.hypot(down, right)
    largest = float(steepness.max())
    # Rounding of a flat image is no edge.
    if largest <= 1e-5 * max(1e-30, float(np.abs(smooth).max())):
        return nothing
    shown = steepness[steepness > 0.02 * largest]
    upper = _otsu(shown)
    # Already smoothed: a second pass with sigma 0 only thins and links.
    found = canny(smooth.astype(np.float64), sigma=0, low_threshold=upper / 2, high_threshold=upper, mode="nearest") & valid
    normals = np.stack([down[found], right[found]], axis=1).astype(np.float64)
    return np.argwhere(found), normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _otsu(values: NDArray[np.float32]) -> float:
    """The value that splits some values into the two most unlike groups."""
    counts, borders = np.histogram(values, bins=256)
    middle = (borders[:-1] + borders[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    sums = np.cumsum(counts * middle)
    spread = below * above * (sums[:-1] / np.maximum(below, 1) - (sums[-1] - sums[:-1]) / np.maximum(above, 1)) ** 2
    return float(borders[1 + int(spread.argmax())])
