"""Region growing: what hangs together with the seeds, between two limits."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import flood

from plugins.segment.between import between
from viewer.api import Help, Image, Index, Mask, Points, Progress, Range, Refused, gettext, operation

# A flood visits the region only, but remembers every place in 8 bytes; labelling visits all in bounded memory and time.
# Measured on 512 x 512 x 400: flood 0.17-0.41 s for regions up to this share of the image, 0.85-3.4 s beyond; labelling
# 0.47-0.56 s always; SimpleITK's ConnectedThreshold 0.39-5.2 s.
FLOOD_SHARE = 0.2
FLOOD_SEEDS = 3
_COARSE = 4
_NEAR = (1, 2, 2)


@operation(preview="approximate")
def grow_region(
    image: Image,
    seed: Annotated[Points, Help("Click inside the structure. Shift-click removes a seed.", "Seeds")] = (),
    low: Annotated[float | None, Range(unit="value"), Help("Smallest value; empty: from the values around the seeds.", "Lower limit")] = None,
    high: Annotated[float | None, Range(unit="value"), Help("Largest value; empty: from the values around the seeds.", "Upper limit")] = None,
    spread: Annotated[float, Range(0.5, 10.0, step=0.5), Help("Empty limits lie this many standard deviations from the mean.")] = 2.5,
    progress: Progress | None = None,
) -> Mask:
    """Everything that touches the seeds and lies between two limits, both included.

    Parameters
    ----------
    image : Image
        Grey values. Several planes are joined through 6 faces, one plane through 4 edges. Padding and NaN never belong.
    seed : points
        Places (x, y, z), LPS mm or the image's own frame. On one plane, seeds of other planes are left out.
    low, high : float, optional
        Limits in the unit of the image. None: mean - or + ``spread`` standard deviations (n - 1) of the valid values in the boxes
        of 5 x 5 x 3 voxels (columns, rows, planes) around the seeds, widened to hold the seeds' own values.
    spread : float
        Standard deviations, for limits that are not given.

    Returns
    -------
    Mask
        On the grid of the image. With several seeds what touches any of them.

    Raises
    ------
    Refused
        There is no seed, a seed lies outside the image, the limits are crossed, or no seed's value lies between them.

    Notes
    -----
    The result is that of SimpleITK's ConnectedThreshold. Source: Adams and Bischof, Seeded region growing, IEEE Trans PAMI 16
    (1994), with fixed limits; scikit-image's flood and scipy.ndimage.label.
    """
    places = _places(image, seed)
    if low is None or high is None:
        auto_low, auto_high = limits_around(image, places, spread)
        low = auto_low if low is None else low
        high = auto_high if high is None else high
        if low > high:
            raise Refused(
                gettext(
                    "The given limit lies on the far side of the values around the seeds ({auto_low:g} to {auto_high:g}). Give both limits."
                ).format(auto_low=auto_low, auto_high=auto_high)
            )
    inside = between(image, low, high)
    if progress is not None:
        progress(0.2)
    rooted = [place for place in places if inside[place]]
    if not rooted:
        values = ", ".join(f"{float(image.values[place]):g}" for place in places[:5])
        raise Refused(
            gettext("The value at the seed ({values}) is not between {low:g} and {high:g}. Move the seed or change the limits.").format(
                values=values, low=low, high=high
            )
        )
    return image.mask(connected(inside, rooted))


def connected(inside: NDArray[np.bool_], places: list[Index]) -> NDArray[np.bool_]:
    """What of ``inside`` hangs together with the places (inside themselves) through faces."""
    codes = inside.view(np.uint8)
    if len(places) <= FLOOD_SEEDS and sum(_guessed_share(codes, place) for place in places) <= FLOOD_SHARE:
        grown = np.zeros(inside.shape, np.bool_)
        for place in places:
            if not grown[place]:
                grown |= flood(codes, place, connectivity=1)
        return grown
    labels, count = ndimage.label(inside)
    chosen = np.zeros(count + 1, np.bool_)
    chosen[[labels[place] for place in places]] = True
    grown = np.empty(inside.shape, np.bool_)
    for plane, numbers in enumerate(labels):
        np.take(chosen, numbers, out=grown[plane], mode="clip")
    return grown


def _guessed_share(codes: NDArray[np.uint8], place: Index) -> float:
    """About how much of the image the region of a place fills, from every fourth voxel along each axis."""
    coarse = np.ascontiguousarray(codes[tuple(slice(i % _COARSE, None, _COARSE) for i in place)])
    found = flood(coarse, tuple(i // _COARSE for i in place), connectivity=1)
    return float(found.mean())


def limits_around(image: Image, places: list[Index], spread: float) -> tuple[float, float]:
    """Mean -+ ``spread`` standard deviations of the values around the places, holding the places' own values."""
    near = np.zeros(image.geometry.shape, np.bool_) if len(places) > 1 else None
    boxes = []
    for place in places:
        box = tuple(slice(max(0, i - n), i + n + 1) for i, n in zip(place, _NEAR, strict=True))
        if near is not None:
            near[box] = True
        boxes.append(box)
    values = image.values[boxes[0]] if near is None else image.values[near]
    own = np.array([float(image.values[place]) for place in places])
    numbers, own = _valid(values, image), _valid(own, image)
    if not own.size:
        raise Refused(gettext("The seed lies on padding. Click inside the structure."))
    deviation = float(numbers.std(ddof=1)) if numbers.size > 1 else 0.0
    mean = float(numbers.mean())
    return min(mean - spread * deviation, float(own.min())), max(mean + spread * deviation, float(own.max()))


def _valid(values: NDArray[np.generic], image: Image) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = numbers[np.isfinite(numbers)]
    if image.padding is not None:
        numbers = numbers[(numbers < image.padding[0]) | (numbers > image.padding[1])]
    return numbers


def _places(image: Image, seeds: Points) -> list[Index]:
    """Voxels of the seeds."""
    if not seeds:
        raise Refused(gettext("There is no seed. Click inside the structure, or give seed=x,y,z."))
    places = []
    for seed in seeds:
        place = image.geometry.nearest(seed)
        if place is not None:
            places.append(place)
        elif not (image.is_slice and _is_on_other_plane(image, seed)):
            raise Refused(
                gettext("The seed {seed} lies outside the image. Click inside the structure.").format(seed=", ".join(f"{c:g}" for c in seed))
            )
    if not places:
        raise Refused(gettext("No seed lies on this plane. Click inside the structure on this plane, or work on the whole volume."))
    return places


def _is_on_other_plane(image: Image, seed: tuple[float, float, float]) -> bool:
    _, row, column = image.geometry.to_index(seed)
    _, rows, columns = image.geometry.shape
    return bool(-0.5 <= row < rows - 0.5 and -0.5 <= column < columns - 0.5)
