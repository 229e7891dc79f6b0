"""Cleaning up a mask: keep its large islands, split it into them, fill its holes."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from viewer.api import Help, Image, Labels, Mask, Progress, Range, Refused, gettext, operation

T = TypeVar("T", bound=np.generic)

MOST_ISLANDS = 255
_COUNTED = 4_000_000


@operation(preview="approximate")
def keep_islands(
    image: Image,
    mask: Annotated[Mask | None, Help("The segment to clean up.", "Segment")] = None,
    largest: Annotated[int, Range(0, 1000), Help("Keep this many of the largest islands; 0: all that are not too small.")] = 1,
    smallest: Annotated[float, Range(0.0), Help("Smaller islands are removed.", "Smallest size")] = 0.0,
    unit: Annotated[Literal["voxels", "mm3"], Help("Unit of the smallest size (mm3 means mm2 on one plane).")] = "voxels",
    neighbours: Annotated[Literal["faces", "corners"], Help("What counts as touching.")] = "faces",
) -> Mask:
    """Keep the largest islands of a segment and remove the rest.

    Parameters
    ----------
    image : Image
        Gives the grid and the size of a voxel.
    mask : Mask
        The segment.
    largest : int
        Number of islands kept, largest first; of equal ones the first in the order of planes, rows, columns. 0: no limit.
    smallest : float
        Islands below this size are removed, in voxels or mm3 (one plane: mm2).
    unit : "voxels" or "mm3"
        Unit of ``smallest``.
    neighbours : "faces" or "corners"
        6 or 26 neighbours; 4 or 8 on one plane.

    Returns
    -------
    Mask
        On the grid of the image; empty if no island is large enough.

    Raises
    ------
    Refused
        There is no segment, it is empty, nothing would be removed by these parameters, or mm3 is asked for without a known spacing.
    GeometryMismatch
        The segment lies on another grid.

    Notes
    -----
    Source: scipy.ndimage.label.
    """
    inside = _given(image, mask)
    if largest == 0 and smallest <= 0:
        raise Refused(gettext("With these values every island is kept. Set how many of the largest to keep, or a smallest size."))
    labels, sizes = _islands(inside, neighbours)
    kept = sizes >= _voxels(image, smallest, unit)
    kept[0] = False
    if largest:
        order = np.argsort(-sizes[1:], kind="stable") + 1
        kept[order[largest:]] = False
    return image.mask(_looked_up(kept, labels))


@operation(preview="approximate")
def split_islands(
    image: Image,
    mask: Annotated[Mask | None, Help("The segment to split.", "Segment")] = None,
    most: Annotated[int, Range(1, MOST_ISLANDS), Help("At most this many labels; smaller islands are left out.")] = 20,
    smallest: Annotated[float, Range(0.0), Help("Smaller islands are left out.", "Smallest size")] = 0.0,
    unit: Annotated[Literal["voxels", "mm3"], Help("Unit of the smallest size (mm3 means mm2 on one plane).")] = "voxels",
    neighbours: Annotated[Literal["faces", "corners"], Help("What counts as touching.")] = "faces",
) -> Labels:
    """Give each island of a segment a label of its own, the largest first.

    Parameters
    ----------
    image : Image
        Gives the grid and the size of a voxel.
    mask : Mask
        The segment.
    most : int
        Number of labels; what is smaller than the last of them is left out.
    smallest : float
        Islands below this size are left out, in voxels or mm3 (one plane: mm2).
    unit : "voxels" or "mm3"
        Unit of ``smallest``.
    neighbours : "faces" or "corners"
        6 or 26 neighbours; 4 or 8 on one plane.

    Returns
    -------
    Labels
        1 to n by size (uint8).

    Raises
    ------
    Refused
        There is no segment, it is empty, or no island is large enough.
    GeometryMismatch
        The segment lies on another grid.

    Notes
    -----
    Source: scipy.ndimage.label.
    """
    inside = _given(image, mask)
    labels, sizes = _islands(inside, neighbours)
    order = np.argsort(-sizes[1:], kind="stable") + 1
    order = order[sizes[order] >= _voxels(image, smallest, unit)][:most]
    if not len(order):
        raise Refused(
            gettext("No island reaches {smallest:g} {unit}; the largest has {largest} voxels. Lower the smallest size.").format(
                smallest=smallest, unit=unit, largest=int(sizes[1:].max())
            )
        )
    numbers = np.zeros(len(sizes), np.uint8)
    numbers[order] = np.arange(1, len(order) + 1)
    names = tuple(gettext("Island {number}").format(number=n) for n in range(1, len(order) + 1))
    return image.labels(_looked_up(numbers, labels), names)


@operation(preview="approximate")
def fill_holes(
    image: Image,
    mask: Annotated[Mask | None, Help("The segment to fill.", "Segment")] = None,
    dimensions: Annotated[Literal["3-D", "2-D"], Help("3-D: holes closed on all sides. 2-D: holes of each plane.")] = "3-D",
    progress: Progress | None = None,
) -> Mask:
    """Fill what a segment encloses.

    Parameters
    ----------
    image : Image
        Gives the grid.
    mask : Mask
        The segment.
    dimensions : "3-D" or "2-D"
        A hole cannot be left through faces (3-D), or within its plane through edges (2-D, and always on one plane). What reaches
        the border of the image is no hole.

    Returns
    -------
    Mask
        The segment and its holes, on the grid of the image.

    Raises
    ------
    Refused
        There is no segment, or it is empty.
    GeometryMismatch
        The segment lies on another grid.

    Notes
    -----
    The result is that of scipy.ndimage.binary_fill_holes, found by labelling what lies outside. Source: Soille, Morphological
    Image Analysis (2004), section 6.3.7.
    """
    inside = _given(image, mask)
    if dimensions == "3-D" and not image.is_slice:
        return image.mask(_filled(inside, 3))
    out = inside.copy()
    for plane in range(len(out)):
        if inside[plane].any():
            out[plane] = _filled(inside[plane], 2)
        if progress is not None:
            progress((plane + 1) / len(out))
    return image.mask(out)


def _given(image: Image, mask: Mask | None) -> NDArray[np.bool_]:
    if mask is None:
        raise Refused(gettext("There is no segment. Choose or paint one, or give one with --mask."))
    inside = mask.on(image)
    if not inside.any():
        raise Refused(gettext("The segment is empty here. Choose or paint another one."))
    return inside


def _voxels(image: Image, size: float, unit: str) -> float:
    """A size in voxels."""
    if unit == "voxels" or size <= 0:
        return size
    geometry = image.geometry
    if not all(geometry.knows(axis) for axis in range(1 if image.is_slice else 0, 3)):
        raise Refused(gettext("The size of a voxel is not known in this image. Give the smallest size in voxels."))
    voxel = geometry.spacing[1] * geometry.spacing[2] * (1.0 if image.is_slice else geometry.spacing[0])
    # A size that is a whole number of voxels must not miss it by rounding.
    return size / voxel * (1 - 1e-9)


def _islands(inside: NDArray[np.bool_], neighbours: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Numbers of the islands, and their voxels (at 0: the background)."""
    structure = ndimage.generate_binary_structure(3, 1 if neighbours == "faces" else 3)
    labels, count = ndimage.label(inside, structure)
    sizes = np.zeros(count + 1, np.int64)
    # Some planes at a time: bincount makes a 64-bit copy of what it counts, and a table of all islands each time.
    step = max(1, max(_COUNTED, count) // labels[0].size)
    for start in range(0, len(labels), step):
        sizes += np.bincount(labels[start : start + step].ravel(), minlength=count + 1)
    return labels, sizes


def _looked_up(table: NDArray[T], labels: NDArray[np.int32]) -> NDArray[T]:
    """The table's entry for every label; plane by plane, since NumPy copies places to 64 bits."""
    out = np.empty(labels.shape, table.dtype)
    for plane, numbers in enumerate(labels):
        np.take(table, numbers, out=out[plane], mode="clip")
    return out


def _filled(inside: NDArray[np.bool_], dimensions: int) -> NDArray[np.bool_]:
    labels, count = ndimage.label(~inside)
    is_hole = np.ones(count + 1, np.bool_)
    for axis in range(dimensions):
        for end in (0, -1):
            is_hole[np.unique(np.take(labels, end, axis=axis))] = False
    is_hole[0] = True  # the segment itself
    return _looked_up(is_hole, labels)
