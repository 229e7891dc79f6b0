"""Watershed from markers: every voxel goes to the marker whose basin it lies in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from viewer.api import Help, Image, Labels, Progress, Range, Refused, gettext, operation

LEVELS = 65536


@operation(preview="approximate")
def watershed(
    image: Image,
    markers: Annotated[Labels | None, Help("Segments painted as markers: one in each structure, one in the background.")] = None,
    flood: Annotated[Literal["gradient", "values", "inverted values"], Help("What is flooded: edges, dark basins, or bright hills.")] = "gradient",
    smoothing: Annotated[float | None, Range(0.0, 20.0, unit="mm"), Help("Gaussian before flooding; empty: one pixel; 0: none.")] = None,
    progress: Progress | None = None,
) -> Labels:
    """Split the image between painted markers: their labels grow until they meet at the edges.

    Parameters
    ----------
    image : Image
        Grey values; several planes are flooded through 6 faces, one plane through 4 edges.
    markers : Labels
        Two labels or more on the grid of the image; each voxel of them keeps its label.
    flood : "gradient", "values" or "inverted values"
        The landscape: the gradient magnitude (per mm, or per pixel where the spacing is not known), the values, or the values
        upside down (bright structures that touch).
    smoothing : float, optional
        Standard deviation of a Gaussian in mm (pixels), 0 to 20. None: the spacing of the columns.

    Returns
    -------
    Labels
        The markers' labels and names over the whole grid; 0 on padding and NaN.

    Raises
    ------
    Refused
        There are no markers, only one label, or none on this plane.
    GeometryMismatch
        The markers lie on another grid.

    Notes
    -----
    Source: Beucher and Meyer, The morphological approach to segmentation: the watershed transformation (1993), as
    SimpleITK.MorphologicalWatershedFromMarkers without lines; gradient by central differences. The landscape is flooded in 65,536
    steps (whole numbers as they are); where it is level, basins meet half way.
    """
    if markers is None:
        raise Refused(
            gettext("Watershed needs markers. Paint a segment in each structure and one in the background, or give a label image with --mask.")
        )
    seeds = markers.on(image)
    good = image.valid() if image.padding is not None or image.values.dtype.kind == "f" else None
    if good is not None and good.all():
        good = None
    if good is not None:
        seeds = np.where(good, seeds, 0)
    found = [int(n) for n in np.flatnonzero(_counts(seeds)) if n]
    if len(found) < 2:
        have = gettext("only label {found} is marked").format(found=found[0]) if found else gettext("nothing is marked here")
        raise Refused(
            gettext("Watershed needs two markers or more, but {have}. Paint one segment in each structure and one in the background.").format(
                have=have
            )
        )
    heights = landscape(image, flood, smoothing, good)
    if progress is not None:
        progress(0.2)
    kind = np.uint8 if max(found) <= 255 else np.uint16
    out = _flooded(_levels(heights), seeds.astype(kind))
    if good is not None:
        out[~good] = 0
    return image.labels(out, markers.names)


def landscape(image: Image, flood: str, smoothing: float | None, good: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """What is flooded: gradient magnitude per mm (or pixel), values, or values upside down; invalid voxels count as the low end."""
    spacing = image.geometry.spacing
    sigma = spacing[2] if smoothing is None else smoothing
    axes = [axis for axis in range(3) if image.geometry.shape[axis] > 1]
    heights = image.values.astype(np.float32) if good is None else np.where(good, image.values, image.range[0]).astype(np.float32)
    if sigma > 0:
        widths = [sigma / spacing[axis] if axis in axes else 0.0 for axis in range(3)]
        heights = ndimage.gaussian_filter(heights, widths, output=np.float32, mode="nearest")
    if flood == "gradient":
        squares = np.zeros_like(heights)
        for axis in axes:
            step = np.gradient(heights, spacing[axis], axis=axis)
            squares += step * step
        return np.sqrt(squares, out=squares)
    return np.negative(heights, out=heights) if flood == "inverted values" else heights


def _counts(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Voxels of each label, plane by plane to save memory."""
    counts = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    for plane in labels:
        counts += np.bincount(plane.ravel(), minlength=len(counts))
    return counts


def _levels(heights: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The heights in 65,536 steps: seven times sooner flooded than float32, and without its memory (measured on a chest CT)."""
    low, high = float(heights.min()), float(heights.max())
    levels = np.zeros(heights.shape, np.uint16)
    if high > low:
        is_whole = high - low <= LEVELS - 1 and all(np.array_equal(plane, np.rint(plane)) for plane in heights)
        scale = 1.0 if is_whole else (LEVELS - 1) / (high - low)
        for plane, values in enumerate(heights):
            levels[plane] = np.rint((values.astype(np.float64) - low) * scale)
    return levels


def _flooded(heights: NDArray[np.uint16], seeds: NDArray[Any]) -> NDArray[Any]:
    # One plane as a 2-D image: a third axis of one voxel would only cost time.
    flat = heights.shape[0] == 1
    ground = sitk.GetImageFromArray(heights[0] if flat else heights)
    marks = sitk.GetImageFromArray(seeds[0] if flat else seeds)
    split: Any = sitk.MorphologicalWatershedFromMarkers  # it comes without types
    return np.asarray(sitk.GetArrayFromImage(split(ground, marks, markWatershedLine=False, fullyConnected=False))).reshape(heights.shape)
