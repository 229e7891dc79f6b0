"""Size, place and statistics of segments."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes, mesh_surface_area

from viewer.api import (
    PERCENTILES,
    Column,
    Geometry,
    Help,
    Image,
    Labels,
    Mask,
    Numbers,
    Progress,
    Refused,
    gettext,
    length_suffix,
    mark,
    operation,
    statistics_of,
)

_MOST_PAIRS = 4000  # hull vertices whose pairs are compared at once: 64 MB of distances


@operation(preview="none")
def segment_statistics(
    image: Image,
    mask: Annotated[Mask | None, Help("The segment to measure")] = None,
    labels: Annotated[Labels | None, Help("A label image: one row for each label; a mask given as well limits it")] = None,
    progress: Progress | None = None,
) -> Numbers:
    """Size, place and statistics of a segment, or of every label.

    Padding and NaN count as part of the segment, but not in its statistics.

    Parameters
    ----------
    image : Image
    mask : Mask
    labels : Labels
        At least one of both is needed.

    Returns
    -------
    Numbers
        One row a segment. Volume: voxel count x voxel volume, in mL and mm³, only where the distances of columns, rows and planes
        are all known. Surface area (several planes): of the mesh by marching cubes halfway between inside and outside.
        Area (one plane): pixel count x pixel area. Longest diameter: largest distance between two voxel centres, exact.
        Centroid: mean of the voxel centres, LPS (in the image's own frame where it has no patient). SD: with n - 1.
        Percentiles: linear between the ordered values. Lengths are in pixels where no spacing is known.

    Raises
    ------
    Refused
        Without a mask or labels.

    Notes
    -----
    Source: percentiles, Hyndman and Fan (1996), definition 7; surface, Lewiner et al. (2003) in scikit-image;
    statistics are those of the modality values, as pyradiomics gives them without resampling.
    """
    found = _segments(image, mask, labels)
    area_unit, unit = _units(image)
    place_unit = image.geometry.unit
    columns = (
        Column(mark("Segment")), Column(mark("Label")), Column(mark("Voxels")), Column(mark("Volume"), "mL"), Column(mark("Volume"), "mm³"),
        Column(mark("Area") if image.is_slice else mark("Surface area"), area_unit), Column(mark("Longest diameter"), unit),
        Column(mark("Centroid x"), place_unit), Column(mark("Centroid y"), place_unit), Column(mark("Centroid z"), place_unit),
        *(Column(name, image.unit) for name in (mark("Mean"), mark("SD"), mark("Minimum"), mark("Maximum"), mark("Median"))),
        *(Column(gettext("Percentile {percent}").format(percent=p), image.unit) for p in PERCENTILES), Column(mark("Excluded")),
    )  # fmt: skip
    rows = []
    for done, (label, name, box, inside) in enumerate(found):
        rows.append((name, label, *_shape(image, box, inside), *_values(image, box, inside)))
        if progress:
            progress((done + 1) / len(found), name)
    planes, grid_rows, grid_columns = image.geometry.shape
    facts = (
        (mark("Volume"), gettext("voxel count x voxel volume")),
        (mark("Area"), gettext("pixel count x pixel area")) if image.is_slice else (mark("Surface area"), gettext("marching cubes at 0.5")),
        (mark("Longest diameter"), gettext("between voxel centres")),
        (mark("SD"), "n - 1"),
        (mark("Percentiles"), gettext("linear between ordered values")),
        (mark("Excluded"), gettext("voxels of padding or NaN, left out of the statistics")),
        (mark("Grid"), f"{grid_columns} x {grid_rows} x {planes}"),
    )
    return Numbers(mark("Segment statistics"), columns, tuple(rows), facts)


Box = tuple[slice, slice, slice]
_Segment = tuple[int, str, Box, NDArray[np.bool_]]


def _segments(image: Image, mask: Mask | None, labels: Labels | None) -> list[_Segment]:
    """Label, name, bounding box and the voxels in it; an empty segment has a box of nothing."""
    nothing = (slice(0, 0), slice(0, 0), slice(0, 0))
    limit = mask.on(image) if mask is not None else None
    if labels is None and mask is not None and limit is not None:
        box = next(iter(ndimage.find_objects(limit.view(np.uint8))), None) or nothing
        return [(1, mask.name or gettext("Mask"), box, limit[box])]
    if labels is None:
        raise Refused(gettext("Segment statistics needs a segment: make one, or give a mask."))
    numbers = labels.on(image)
    found: list[_Segment] = []
    for label, box in enumerate(ndimage.find_objects(numbers.astype(np.int32, copy=False)), start=1):
        is_named = label <= len(labels.names)
        if box is None and not is_named:
            continue
        name = labels.names[label - 1] if is_named else gettext("Label {number}").format(number=label)
        box = box or nothing
        inside = numbers[box] == label
        found.append((label, name, box, inside if limit is None else inside & limit[box]))
    return found


def _units(image: Image) -> tuple[str, str]:
    """Units of areas and lengths; "mm" says so where the image is a projection."""
    geometry = image.geometry
    suffix = length_suffix(modality=image.modality) if geometry.in_plane_known else ""
    return f"{geometry.unit}²{suffix}", f"{geometry.unit}{suffix}"


def _shape(image: Image, box: Box, inside: NDArray[np.bool_]) -> tuple[float | int | None, ...]:
    geometry = image.geometry
    count = int(np.count_nonzero(inside))
    if count == 0:
        return (0, 0.0 if geometry.has_volume else None, 0.0 if geometry.has_volume else None, *(None,) * 5)
    start = np.asarray([s.start for s in box])
    index = np.argwhere(inside) + start
    volume = count * geometry.voxel_volume_mm3 if geometry.has_volume and geometry.voxel_volume_mm3 else None
    # Where only one of the two spacings is known, nothing can be measured across the planes.
    mixed = len({geometry.knows(axis) for axis in range(1 if image.is_slice else 0, 3)}) > 1
    if image.is_slice:
        area: float | None = None if mixed else count * geometry.spacing[1] * geometry.spacing[2]
    else:
        area = None if mixed else _surface(inside, geometry)
    diameter = None if mixed else longest_diameter(inside, geometry.spacing if geometry.is_rectangular else _steps(geometry))
    centroid = geometry.to_patient(index.mean(axis=0)).tolist()
    return (count, None if volume is None else volume / 1000, volume, area, diameter, *centroid)


def _values(image: Image, box: Box, inside: NDArray[np.bool_]) -> tuple[float | int | None, ...]:
    stats = statistics_of(image.values[box], inside, padding=image.padding)
    return (stats.mean, stats.sd, stats.minimum, stats.maximum, stats.median, *stats.percentiles, stats.excluded)


def _surface(inside: NDArray[np.bool_], geometry: Geometry) -> float:
    """Area of the mesh around the voxels, in the square of the geometry's unit."""
    padded = np.pad(inside, 1).astype(np.float32)
    if geometry.is_rectangular:
        vertices, faces, _, _ = marching_cubes(padded, 0.5, spacing=geometry.spacing)
    else:
        vertices, faces, _, _ = marching_cubes(padded, 0.5)
        vertices = vertices @ _steps(geometry)
    return float(mesh_surface_area(vertices, faces))


def _steps(geometry: Geometry) -> NDArray[np.float64]:
    """(3, 3): the way from voxel to voxel along each array axis, where the planes lean evenly."""
    return geometry.affine[:3, 2::-1].T


def longest_diameter(inside: NDArray[np.bool_], spacing: tuple[float, float, float] | NDArray[np.float64]) -> float:
    """Largest distance between two centres of the given voxels, exact; 0 for one voxel.

    ``spacing`` is that of each axis, or the way (x, y, z) along each axis, row by row, where they are not at right angles.
    Only the first and the last voxel of a row can be corners of the convex hull, and only corners can be farthest apart.
    """
    first = inside.argmax(axis=2)
    last = inside.shape[2] - 1 - inside[:, :, ::-1].argmax(axis=2)
    planes, rows = np.nonzero(inside.any(axis=2))
    ends = [np.stack([planes, rows, column[planes, rows]], axis=1) for column in (first, last)]
    steps = np.asarray(spacing, dtype=np.float64)
    indices = np.unique(np.concatenate(ends), axis=0)
    points = indices * steps if steps.ndim == 1 else indices @ steps
    corners = _hull(points)
    if len(corners) < 2:
        return 0.0
    if len(corners) <= _MOST_PAIRS:
        return float(pdist(corners).max())
    return max(float(np.linalg.norm(corners - corner, axis=1).max()) for corner in corners)


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The corners of the convex hull, in as many dimensions as the points really fill."""
    centred = points - points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rank = int(np.count_nonzero(sizes > 1e-9 * max(1.0, float(sizes[0]))))
    if rank == 0:
        return points[:1]
    if rank == 1:
        along = centred @ axes[0]
        return points[[int(along.argmin()), int(along.argmax())]]
    flat = centred @ axes[:rank].T
    return points[ConvexHull(flat).vertices] if len(points) > rank + 1 else points
