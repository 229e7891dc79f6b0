"""Which part of a plane a model sees, and in which size: squeeze, crop or pad, there and back, and where its pixels lie in the patient."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from viewer.api import Geometry, Triple
from viewer.api.models import ModelCard

_FILTERS = {"bilinear": Picture.Resampling.BILINEAR, "bicubic": Picture.Resampling.BICUBIC, "nearest": Picture.Resampling.NEAREST}


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of a plane, in its pixels, that becomes the model's input; where it reaches beyond the plane, there is padding."""

    top: int
    left: int
    height: int
    width: int
    rows: int
    """Size of the input."""
    columns: int
    plane: tuple[int, int]
    """Size of the plane."""
    middle: tuple[float, float, float, float] | None = None
    """Top, left, height and width of what becomes the input, where that is no whole number of the plane's pixels; None: all of the frame."""

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """Top, left, height and width of what becomes the input, in the plane's pixels from their upper left corner."""
        return self.middle or (float(self.top), float(self.left), float(self.height), float(self.width))

    @property
    def inner(self) -> tuple[slice, slice]:
        """The part of the plane that is in the frame."""
        return (
            slice(max(0, self.top), min(self.plane[0], self.top + self.height)),
            slice(max(0, self.left), min(self.plane[1], self.left + self.width)),
        )

    @property
    def margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Pixels that are added before and after the rows, and before and after the columns."""
        return (
            (max(0, -self.top), max(0, self.top + self.height - self.plane[0])),
            (max(0, -self.left), max(0, self.left + self.width - self.plane[1])),
        )


def frame_of(card: ModelCard, rows: int, columns: int) -> Frame:
    """The frame of a plane of this size.

    ``squeeze``: the whole plane. ``crop``: the largest part of the input's proportions, in the middle. ``pad``: the smallest rectangle
    of these proportions that holds the plane. Of an odd remainder the smaller half is at the top and at the left. Where the input
    has no size of its own, the plane keeps its, filled up at the bottom and at the right to a multiple of ``card.input.multiple``.
    With ``card.input.resize`` the middle of the plane in that size, to the pixel as torchvision's ``Resize`` and ``CenterCrop`` have it.
    """
    spec = card.input
    if spec.height is None or spec.width is None:
        height, width = (_filled(n, spec.multiple) if size is None else n for n, size in ((rows, spec.height), (columns, spec.width)))
        return Frame(0, 0, height, width, spec.height or height, spec.width or width, (rows, columns))
    if spec.resize is not None:
        middle = _middle(spec.resize, (rows, columns), (spec.height, spec.width), is_squeezed=spec.fit == "squeeze")
        return Frame(0, 0, rows, columns, spec.height, spec.width, (rows, columns), middle)
    height, width = rows, columns
    if spec.fit != "squeeze" and rows * spec.width != columns * spec.height:
        is_wide = columns * spec.height > rows * spec.width
        if (spec.fit == "crop") == is_wide:
            width = max(1, round(rows * spec.width / spec.height))
        else:
            height = max(1, round(columns * spec.height / spec.width))
    top, left = (_before(have, want) for have, want in ((rows, height), (columns, width)))
    return Frame(top, left, height, width, spec.height, spec.width, (rows, columns))


def fitted(card: ModelCard, frame: Frame, levels: NDArray[np.float32], *, pad: float | None) -> NDArray[np.float32]:
    """What the model gets of a plane's levels (its part ``frame.inner``): (rows, columns) of the input, or with a last axis of colours.

    ``pad``: the level of what is added; None repeats the edge.
    """
    if levels.ndim == 3:
        return np.stack([fitted(card, frame, levels[..., n], pad=pad) for n in range(levels.shape[2])], axis=-1)
    if any(any(pair) for pair in frame.margins):
        levels = np.pad(levels, frame.margins, mode="edge") if pad is None else np.pad(levels, frame.margins, constant_values=pad)
    box = None
    if frame.middle is not None:
        # Pixels beyond the box count in its edge, as they do where the whole plane is reduced and then cut.
        top, left, height, width = frame.middle
        box = (left, top, left + width, top + height)
    return resized(levels, frame.rows, frame.columns, method=card.input.interpolation, antialias=card.input.antialias, box=box)


def resized(
    values: NDArray[np.float32], rows: int, columns: int, *, method: str = "bilinear", antialias: bool = True, box: tuple[float, ...] | None = None
) -> NDArray[np.float32]:
    """A picture in another size. ``box``: (left, top, right, bottom) of the part that is taken, in its pixels.

    Notes
    -----
    Source: Pillow's NEAREST, and its BILINEAR and BICUBIC, which widen with the reduction (antialiasing); without it, a pixel's value is that of its
    centre, between the four centres around it, as PyTorch's and OpenCV's bilinear have it.
    """
    if values.shape == (rows, columns) and box is None:
        return values
    left, top, right, bottom = box or (0.0, 0.0, float(values.shape[1]), float(values.shape[0]))
    if antialias or method != "bilinear":
        picture = Picture.fromarray(np.ascontiguousarray(values, dtype=np.float32))
        return np.asarray(picture.resize((columns, rows), _FILTERS[method], box=(left, top, right, bottom)), dtype=np.float32)
    at_rows, at_columns = _centers(top, bottom, rows), _centers(left, right, columns)
    return _between(_between(values, at_rows, 0), at_columns, 1)


def unfitted(frame: Frame, values: NDArray[np.float32], *, method: str, outside: NDArray[np.float32] | float) -> NDArray[np.float32]:
    """A model's picture, of any size, back on the plane: what was added is cut off, what was cropped off is ``outside``."""
    inner_rows, inner_columns = frame.inner
    rows, columns = inner_rows.stop - inner_rows.start, inner_columns.stop - inner_columns.start
    if values.shape == (frame.height, frame.width):
        top, left = inner_rows.start - frame.top, inner_columns.start - frame.left
        back = values[top : top + rows, left : left + columns]
    else:
        down, across = values.shape[0] / frame.height, values.shape[1] / frame.width
        top, left = (inner_rows.start - frame.top) * down, (inner_columns.start - frame.left) * across
        box = (left, top, min(left + columns * across, values.shape[1]), min(top + rows * down, values.shape[0]))
        back = resized(values, rows, columns, method=method, box=box)
    if (rows, columns) == frame.plane:
        return np.asarray(back)
    whole = np.array(np.broadcast_to(np.asarray(outside, dtype=back.dtype), frame.plane))
    whole[inner_rows, inner_columns] = back
    return whole


def film_box(card: ModelCard, geometry: Geometry, cells: tuple[int, int] | None = None) -> Geometry:
    """The grid of the input's pixels in the image's own space: one voxel for each pixel that the model gets of each plane.

    Parameters
    ----------
    geometry : Geometry
        Of the image that is classified (planes, rows, columns).
    cells : (rows, columns), optional
        Divide the same area into these cells instead, as a feature map does.

    Returns
    -------
    Geometry
        Shape (planes, rows, columns). With ``fit = "pad"`` it reaches beyond the image; with ``crop`` and ``resize`` it is smaller. Of a model
        that takes a whole volume, the planes are those of the input.
    """
    planes, rows, columns = geometry.shape
    frame = frame_of(card, rows, columns)
    top, left, height, width = frame.seen
    down, across = cells or (frame.rows, frame.columns)
    first, count, step = block_planes(card, planes) if card.input.planes == "volume" else (0.0, planes, 1.0)
    sides = (step, height / down, width / across)
    start = (first + (step - 1) / 2, top + (sides[1] - 1) / 2, left + (sides[2] - 1) / 2)
    return _divided(geometry, (count, down, across), start, sides)


def refined(frame: Frame, rows: int, columns: int) -> Frame:
    """The frame on a finer plane: one with as many pixels for each of the plane's as a picture of this size has for each of the frame's.

    Where that is no whole number of pixels, the nearest: the corners of both planes agree all the same.
    """
    plane = (max(1, round(frame.plane[0] * rows / frame.height)), max(1, round(frame.plane[1] * columns / frame.width)))
    down, across = plane[0] / frame.plane[0], plane[1] / frame.plane[1]
    top, bottom = (round(edge * down) for edge in (frame.top, frame.top + frame.height))
    left, right = (round(edge * across) for edge in (frame.left, frame.left + frame.width))
    return Frame(top, left, bottom - top, right - left, rows, columns, plane)


def refined_grid(geometry: Geometry, rows: int, columns: int) -> Geometry:
    """The same planes, each divided into so many rows and columns: pixels of another size in the same place, corner to corner."""
    planes, height, width = geometry.shape
    sides = (1.0, height / rows, width / columns)
    return _divided(geometry, (planes, rows, columns), (0.0, (sides[1] - 1) / 2, (sides[2] - 1) / 2), sides)


def enlarged(values: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """A plane (rows, columns[, 3]) on a finer one of the same corners: of each of its pixels the value that lies there."""
    down, across = (
        np.minimum(((np.arange(n) + 0.5) * have / n).astype(np.intp), have - 1) for n, have in ((rows, values.shape[0]), (columns, values.shape[1]))
    )
    return np.asarray(values[down][:, across])


def _divided(geometry: Geometry, shape: tuple[int, int, int], start: tuple[float, float, float], sides: tuple[float, float, float]) -> Geometry:
    """A grid in the same space: ``start`` is the centre of its first cell, ``sides`` those of a cell, both in voxels of the old one."""
    spacing = tuple(side * distance for side, distance in zip(sides, geometry.spacing, strict=True))
    origins: tuple[Triple, ...] = ()
    axis = geometry.plane_axis
    if geometry.plane_origins and shape[axis] > 1:
        index = np.repeat(np.asarray([start], dtype=np.float64), shape[axis], axis=0)
        index[:, axis] += np.arange(shape[axis]) * sides[axis]
        origins = tuple((float(x), float(y), float(z)) for x, y, z in geometry.to_patient(index))
    x, y, z = (float(c) for c in geometry.to_patient(start))
    return replace(geometry, shape=shape, origin=(x, y, z), spacing=(spacing[0], spacing[1], spacing[2]), plane_origins=origins)


def block_planes(card: ModelCard, planes: int) -> tuple[float, int, float]:
    """Of a block of planes: first plane (its edge, counted in planes), number of planes of the input, and planes of the image for each.

    ``squeeze`` resamples to the input's depth; ``crop`` takes the planes in the middle, ``pad`` adds some at both ends, and each of
    these does what the other does where there are too few or too many planes: nothing is resampled then but a ``pad`` with too many.
    """
    depth = card.input.depth
    if depth is None or depth == planes:
        return 0.0, planes, 1.0
    if card.input.fit == "squeeze" or (card.input.fit == "pad" and planes > depth):
        return 0.0, depth, planes / depth
    return float(_before(planes, depth)), depth, 1.0


def _middle(resize: int, plane: tuple[int, int], size: tuple[int, int], *, is_squeezed: bool) -> tuple[float, float, float, float]:
    """Top, left, height and width of the part of a plane that is the middle of it once it is resized."""
    short = min(plane)
    whole = [resize if is_squeezed else resize * side // short for side in plane]
    scale = [have / become for have, become in zip(plane, whole, strict=True)]
    # Half pixels go to the even one, as Python's round and so CenterCrop have it.
    corner = [round((become - cut) / 2) for become, cut in zip(whole, size, strict=True)]
    return corner[0] * scale[0], corner[1] * scale[1], size[0] * scale[0], size[1] * scale[1]


def _before(have: int, want: int) -> int:
    return (have - want) // 2 if have >= want else -((want - have) // 2)


def _filled(count: int, multiple: int) -> int:
    return math.ceil(count / multiple) * multiple


def _centers(start: float, end: float, count: int) -> NDArray[np.float64]:
    """Where the centres of so many pixels between two edges lie, in pixels of the source counted from the centre of its first."""
    return np.asarray(start + (np.arange(count) + 0.5) * (end - start) / count - 0.5)


def _between(values: NDArray[np.float32], places: NDArray[np.float64], axis: int) -> NDArray[np.float32]:
    places = np.clip(places, 0, values.shape[axis] - 1)
    low = np.floor(places).astype(np.intp)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (places - low).astype(np.float32).reshape(-1, *(1,) * (values.ndim - 1 - axis))
    below = np.take(values, low, axis=axis)
    return np.asarray(below + share * (np.take(values, high, axis=axis) - below))
