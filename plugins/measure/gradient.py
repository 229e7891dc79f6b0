"""How steeply the values change."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from viewer.api import Help, Image, Progress, operation

_WEIGHT_ALONG, _WEIGHT_ACROSS = 2.0, 4.0  # of (-1, 0, 1) over two steps, and of the smoothing (1, 2, 1)


@operation(keeps_unit=False, preview="approximate")
def sobel(
    image: Image,
    in_plane: Annotated[bool, Help("Each plane by itself, without the changes between planes")] = False,
    progress: Progress | None = None,
) -> Image:
    """Steepness of the values: magnitude of the gradient, per mm.

    Parameters
    ----------
    image : Image
    in_plane : bool
        Leave the direction between planes out; always so where there is one plane, or where the distance of planes is unknown.

    Returns
    -------
    Image
        Square root of the sum of the squared Sobel derivatives, each divided by its kernel's weight and the spacing: a ramp of 10
        per 0.5 mm gives 20 per mm. The unit is that of the values per mm, per px where no spacing is known. Padding and NaN are
        filled with the nearest value before, so that their rim is no edge, and get 0.

    Notes
    -----
    Source: Sobel and Feldman (1968); scipy.ndimage.sobel.
    """
    geometry = image.geometry
    flat = in_plane or image.is_slice or geometry.between_known != geometry.in_plane_known or not geometry.is_rectangular
    axes = (1, 2) if flat else (0, 1, 2)
    values = filled(image)
    total = np.zeros(geometry.shape, dtype=np.float32)
    for done, axis in enumerate(axes):
        part = ndimage.correlate1d(values, [-1.0, 0.0, 1.0], axis=axis, mode="nearest")
        for other in axes:
            if other != axis:
                part = ndimage.correlate1d(part, [1.0, 2.0, 1.0], axis=other, mode="nearest")
        part /= _WEIGHT_ALONG * _WEIGHT_ACROSS ** (len(axes) - 1) * geometry.spacing[axis]
        total += np.square(part, out=part)
        if progress:
            progress((done + 1) / len(axes))
    steepness = np.sqrt(total, out=total)
    steepness[~image.valid()] = 0
    # What the padding and the inversion of the picture meant for values means nothing for their changes.
    result = image.like(steepness, f"{image.unit or '1'}/{geometry.unit}")
    return replace(result, padding=None, is_inverted=False, range=(float(steepness.min()), float(steepness.max())))


def filled(image: Image) -> NDArray[np.float32]:
    """The values as float32, with padding and NaN replaced by the nearest value in the same plane (0 in an empty plane)."""
    values = image.values.astype(np.float32)
    valid = image.valid()
    for plane in np.flatnonzero(~valid.all(axis=(1, 2))):
        good = valid[plane]
        if good.any():
            rows, columns = ndimage.distance_transform_edt(~good, return_distances=False, return_indices=True)
            values[plane] = values[plane][rows, columns]
        else:
            values[plane] = 0
    return values
