"""K-means of the values: classes of tissue without any place in it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from plugins.segment.histogram import Histogram, histogram
from viewer.api import Help, Image, Labels, Progress, Range, Refused, gettext, operation

COARSE = 512
"""Groups of values among which the best start is sought."""


@operation(preview="approximate")
def k_means(
    image: Image,
    clusters: Annotated[int, Range(2, 12), Help("Number of classes.")] = 3,
    progress: Progress | None = None,
) -> Labels:
    """Sort the voxels into classes of similar value, from the darkest (1) to the brightest.

    Parameters
    ----------
    image : Image
        Grey values. Padding and NaN stay without a class (0).
    clusters : int
        Number of classes, 2 to 12.

    Returns
    -------
    Labels
        1 to ``clusters`` in the order of the classes' means (uint8), named by them in the unit of the image.

    Raises
    ------
    Refused
        There are fewer different values than classes.

    Notes
    -----
    The best split of at most 1,024 groups of values is found exactly (dynamic programming), then Lloyd's steps run on the full
    histogram until nothing moves: the same input always gives the same classes. Source: Lloyd, Least squares quantization in PCM
    (1982); start: Wang and Song, Optimal k-means clustering in one dimension, The R Journal 3 (2011).
    """
    found = histogram(image)
    if len(found.values) < clusters:
        values = gettext("one value") if len(found.values) == 1 else gettext("{count} different values").format(count=len(found.values))
        raise Refused(
            gettext("The image has {values}, too few for {clusters} classes. Choose fewer classes.").format(values=values, clusters=clusters)
        )
    centres = cluster_centres(found, clusters)
    middles = (centres[1:] + centres[:-1]) / 2
    good = image.valid() if image.padding is not None or image.values.dtype.kind == "f" else None
    out = np.empty(image.values.shape, np.uint8)
    for plane, values in enumerate(image.values):
        labels = np.ones(values.shape, np.uint8)
        for middle in middles:
            labels += values > (int(np.floor(middle)) if values.dtype.kind in "iu" else middle)
        out[plane] = labels if good is None else np.where(good[plane], labels, 0)
        if progress is not None:
            progress((plane + 1) / len(out))
    name = gettext("Class {number} (mean {mean} {unit})") if image.unit else gettext("Class {number} (mean {mean})")
    return image.labels(out, tuple(name.format(number=n, mean=f"{centre:.4g}", unit=image.unit) for n, centre in enumerate(centres, start=1)))


def cluster_centres(found: Histogram, clusters: int) -> NDArray[np.float64]:
    """Means of the classes, ascending, shape (clusters,)."""
    values, counts = found.values, found.counts.astype(np.float64)
    starts = np.array([0, *_best_split(values, counts, clusters)])
    # Sums are taken from the middle of the range, so that a large offset costs no digits.
    base = values[0]
    weights, sums = np.concatenate(([0.0], np.cumsum(counts))), np.concatenate(([0.0], np.cumsum(counts * (values - base))))
    while True:
        edges = np.append(starts, len(values))
        centres = base + (sums[edges[1:]] - sums[edges[:-1]]) / (weights[edges[1:]] - weights[edges[:-1]])
        moved = np.concatenate(([0], np.searchsorted(values, (centres[1:] + centres[:-1]) / 2, side="right")))
        if np.array_equal(moved, starts):
            return np.asarray(centres)
        starts = moved


def _best_split(values: NDArray[np.float64], counts: NDArray[np.float64], clusters: int) -> list[int]:
    """Where the second and later classes start, as places in ``values``."""
    starts = _groups(values, counts, clusters)
    edges = np.append(starts, len(values))
    v = values - values[0]
    totals = [np.concatenate(([0.0], np.cumsum(counts * v**power)))[edges] for power in (0, 1, 2)]
    n = len(starts)
    # cost[a, b]: sum of squares about the mean of the groups a to b, b left out; infinite where that is nothing.
    weight, first, second = (t[None, :] - t[:, None] for t in totals)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.where(weight > 0, second - first**2 / weight, np.inf)
    best = cost[0].copy()
    choices = []
    for _ in range(clusters - 1):
        total = best[:, None] + cost
        choices.append(np.argmin(total, axis=0))
        best = total[choices[-1], np.arange(n + 1)]
    split, end = [], n
    for choice in reversed(choices):
        end = int(choice[end])
        split.append(int(edges[end]))
    return split[::-1]


def _groups(values: NDArray[np.float64], counts: NDArray[np.float64], clusters: int) -> NDArray[np.int64]:
    """First places of the groups: single values if they are few, else cut by value and by number of voxels alike."""
    if len(values) <= 2 * COARSE:
        return np.arange(len(values))
    by_value = np.searchsorted(values, np.linspace(values[0], values[-1], COARSE + 1)[:-1])
    share = np.cumsum(counts) / counts.sum()
    by_count = np.searchsorted(share, np.linspace(0, 1, COARSE + 1)[:-1])
    first = np.arange(clusters)  # at least as many groups as classes
    return np.unique(np.concatenate((first, by_value, by_count)))
