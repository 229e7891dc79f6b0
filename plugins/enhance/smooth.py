"""Gaussian smoothing, and sharpening by what it takes away. Sizes are in millimetres; padding does not leak into the image."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from plugins.enhance.planes import for_each
from viewer.api import Help, Image, Progress, Range, Refused, gettext, operation

TRUNCATE = 4.0
_ROWS = 32


@operation(preview="approximate")
def gaussian(
    image: Image,
    sigma: Annotated[float | None, Range(0.05, 50.0, unit="mm", log=True), Help("Width of the bell curve; empty: one and a half pixels.")] = None,
    dimensions: Annotated[Literal["3-D", "2-D"], Help("3-D: through the planes too. 2-D: each plane on its own.")] = "3-D",
    progress: Progress | None = None,
) -> Image:
    """Smooth with a Gaussian bell curve: less noise, softer edges.

    Parameters
    ----------
    image : Image
        Grey values; one plane is smoothed in 2-D.
    sigma : float, optional
        Standard deviation in mm along every axis, in pixels where the spacing is not known. None: 1.5 times the spacing of the
        columns.
    dimensions : "3-D" or "2-D"
        Whether planes are mixed. Where the distance of planes is not known it counts as 1.

    Returns
    -------
    Image
        float32 in the unit of the input. The border is repeated outwards, the curve is cut off at 4 sigma. Padding and NaN are
        left as they are, and voxels beside them take the mean over the valid voxels only (normalised convolution).

    Raises
    ------
    Refused
        The curve is wider than the image, or too narrow to change a voxel.

    Notes
    -----
    Source: scipy.ndimage.gaussian_filter1d along each axis; normalised convolution: Knutsson and Westin, CVPR 1993.
    """
    return image.like(smoothed(image, sigma, dimensions, progress))


@operation(keeps_unit=False, preview="approximate")
def unsharp_mask(
    image: Image,
    sigma: Annotated[float | None, Range(0.05, 50.0, unit="mm", log=True), Help("Size of what is sharpened; empty: one and a half pixels.")] = None,
    amount: Annotated[float, Range(0.1, 10.0, step=0.1), Help("How much of the detail is added.")] = 1.0,
    dimensions: Annotated[Literal["3-D", "2-D"], Help("3-D: through the planes too. 2-D: each plane on its own.")] = "3-D",
    progress: Progress | None = None,
) -> Image:
    """Sharpen edges: add what a Gaussian blur takes away.

    Parameters
    ----------
    image : Image
        Grey values; one plane is sharpened in 2-D.
    sigma : float, optional
        Standard deviation of the blur in mm, in pixels where the spacing is not known. None: 1.5 times the spacing of the columns.
    amount : float
        Factor of the added detail, without a unit.
    dimensions : "3-D" or "2-D"
        Whether planes are mixed.

    Returns
    -------
    Image
        ``v + amount * (v - blurred)`` as float32, not clipped: beside edges values go beyond the range of the input, so they
        are no longer in its unit. Padding and NaN are left as they are.

    Raises
    ------
    Refused
        The blur is wider than the image, or too narrow to change a voxel.

    Notes
    -----
    Source: Gonzalez, Woods: Digital Image Processing, 4th ed., section 3.6 (unsharp masking and highboost filtering).
    """
    out = smoothed(image, sigma, dimensions, progress)
    good = _good(image)

    def work(plane: int) -> None:
        values = image.values[plane].astype(np.float32)
        with np.errstate(invalid="ignore"):  # infinities among the values, put back below
            sharp = values + np.float32(amount) * (values - out[plane])
        out[plane] = sharp if good is None else np.where(good[plane], sharp, values)

    for_each(range(len(out)), work, None)
    return image.like(out, unit="")


def smoothed(image: Image, sigma: float | None, dimensions: str, progress: Progress | None = None) -> NDArray[np.float32]:
    """The values convolved with a Gaussian of ``sigma`` mm (or pixels), as float32; see :func:`gaussian`."""
    spacing = image.geometry.spacing
    width = 1.5 * spacing[2] if sigma is None else sigma
    across = 0.0 if dimensions == "2-D" or image.is_slice else width / spacing[0]
    widths = (across, width / spacing[1], width / spacing[2])
    for size, voxels in zip(image.geometry.shape, widths, strict=True):
        if voxels > max(size, 8):
            raise Refused(
                gettext("A sigma of {width:g} {unit} is wider than the image. Choose a smaller one.").format(width=width, unit=image.geometry.unit)
            )
    if max(widths) * TRUNCATE < 0.5:
        raise Refused(
            gettext("A sigma of {width:g} {unit} is too narrow to change a voxel. Choose at least {limit:.2g}.").format(
                width=width, unit=image.geometry.unit, limit=min(spacing[1:]) / 4
            )
        )
    good = _good(image)
    out = np.empty(image.values.shape, np.float32)
    if good is None:
        _convolve(image.values, widths, out, progress, 1.0)
        return out
    _convolve(np.where(good, image.values, 0), widths, out, progress, 0.5)
    weights = np.empty(out.shape, np.float32)
    _convolve(good, widths, weights, None, 1.0)
    np.divide(out, weights, out=out, where=good)
    np.copyto(out, image.values, where=~good, casting="same_kind")
    return out


def _good(image: Image) -> NDArray[np.bool_] | None:
    """Where the voxels carry a value; None if all do."""
    if image.padding is None and image.values.dtype.kind != "f":
        return None
    good = image.valid()
    return None if good.all() else good


def _convolve(values: NDArray[Any], widths: tuple[float, float, float], out: NDArray[np.float32], progress: Progress | None, share: float) -> None:
    """Along rows and columns plane by plane, then along the planes in bands of rows; SciPy sums each line in float64."""
    middle = share * (0.6 if widths[0] else 1.0)

    def in_plane(plane: int) -> None:
        # Read as float32 (exact for 16-bit integers): SciPy would round an integer output, and bool has no negative lobes to lose.
        ndimage.gaussian_filter(values[plane].astype(np.float32), widths[1:], output=out[plane], mode="nearest", truncate=TRUNCATE)

    def through(row: int) -> None:
        band = out[:, row : row + _ROWS]
        out[:, row : row + _ROWS] = ndimage.gaussian_filter1d(band, widths[0], axis=0, mode="nearest", truncate=TRUNCATE)

    for_each(range(len(out)), in_plane, progress, 0.0, middle)
    if widths[0]:
        for_each(range(0, out.shape[1], _ROWS), through, progress, middle, share)
