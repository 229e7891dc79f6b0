"""Threshold: the voxels between two limits."""

from __future__ import annotations

from typing import Annotated, Literal

from plugins.segment.between import between
from plugins.segment.histogram import histogram, otsu_limit
from viewer.api import Help, Image, Mask, Range, Refused, gettext, operation


@operation(preview="approximate")
def threshold(
    image: Image,
    low: Annotated[float | None, Range(unit="value"), Help("Smallest value that belongs; empty: see the last choice.", "Lower limit")] = None,
    high: Annotated[float | None, Range(unit="value"), Help("Largest value that belongs; empty: no limit.", "Upper limit")] = None,
    empty_low: Annotated[Literal["Otsu", "No limit"], Help("What an empty lower limit means.", "Empty lower limit")] = "Otsu",
) -> Mask:
    """All voxels between two limits, both included; without a lower limit Otsu's method finds one.

    Parameters
    ----------
    image : Image
        Grey values. Padding and NaN never belong.
    low, high : float, optional
        Limits in the unit of the image.
    empty_low : "Otsu" or "No limit"
        With "Otsu" an empty ``low`` is the smallest value of the upper of two classes.

    Returns
    -------
    Mask
        On the grid of the image.

    Raises
    ------
    Refused
        ``low`` is above ``high``, both are without a limit, or Otsu's method finds one value only.

    Notes
    -----
    Otsu's split is exact for 8- and 16-bit integers, and over 65,536 bins for other values. The preview of one plane splits that
    plane's values. Source: Otsu, A threshold selection method from gray-level histograms, IEEE Trans SMC 9 (1979).
    """
    if low is None and empty_low == "Otsu":
        low = otsu_limit(histogram(image))
        if high is not None and low > high:
            raise Refused(
                gettext("Otsu's lower limit {low:g} is above the upper limit {high:g}. Give a lower limit, or raise the upper one.").format(
                    low=low, high=high
                )
            )
    if low is None and high is None:
        raise Refused(gettext("Without any limit every voxel belongs. Give a lower or an upper limit."))
    return image.mask(between(image, low, high))
