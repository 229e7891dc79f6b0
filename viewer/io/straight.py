"""Stacks that lean, have uneven gaps or miss planes, brought onto a rectangular grid by interpolation: for reformats and for files.

Images are interpolated linearly, labels take the nearest voxel (CONVENTIONS C16). Where planes are missing nothing is invented:
the planes of the new grid that fall into the gap stay empty (D60).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.evenness import Evenness, evenness_of
from viewer.core.geometry import Geometry, Index
from viewer.core.ids import new_id
from viewer.core.provenance import Note
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io import gate

# A place within this share of the distance of planes is on the plane: its values are taken as they are.
_ON_PLANE = 1e-6
_GAP = 1.5


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where one plane of the new grid lies in the old stack: between planes ``first`` and ``first + 1``, and its shift in pixels."""

    first: int
    share: float
    """Of the plane ``first + 1``."""
    rows: float
    columns: float


def straightened(volume: Volume) -> Volume:
    """The volume on the rectangular grid ``volume.geometry.straight()``, with badge RESAMPLED and a note; itself where it is rectangular.

    Outside of the stack and in the gap of missing planes values are those of the padding, or the smallest there is.
    Raises TooLarge where the new grid does not fit into memory.
    """
    geometry = volume.geometry
    if geometry.is_rectangular:
        return volume
    fill = volume.padding[0] if volume.padding is not None else None
    data, straight = straightened_values(volume.data, geometry, fill=fill, name=volume.title)
    badges = tuple(dict.fromkeys((*(b for b in volume.badges if b != "TILT"), "RESAMPLED")))
    return volume.derived(
        new_id("volume"), data, geometry=straight, badges=badges, windows=volume.windows, voi_luts=volume.voi_luts, plane_windows=(), graphics=(),
        shutter=None, notes=(*volume.notes, Note("geometry", straightening(geometry, is_labels=False), is_warning=True)),
    )  # fmt: skip


def straightened_values(
    values: NDArray[Any], geometry: Geometry, *, is_labels: bool = False, fill: float | None = None, name: str = ""
) -> tuple[NDArray[Any], Geometry]:
    """Values (phases, planes, rows, columns[, 3]) of a stack on its straight grid, of the same type, and that grid.

    Whole numbers are rounded. ``fill`` is what is outside: 0 for labels, else the smallest value, unless given.
    """
    straight = geometry.straight()
    if geometry.is_rectangular:
        return values, straight
    if geometry.plane_axis != 0:
        return _turned(values, geometry, is_labels, fill, name)
    shape = (values.shape[0], *straight.shape, *values.shape[4:])
    gate.check(shape, values.dtype.itemsize, path=Path(name or _("The series")))
    result = memory.allocate(shape, values.dtype)
    if fill is None:
        fill = 0.0 if is_labels else float(np.nanmin(values)) if values.size else 0.0
    result[...] = np.asarray(fill).astype(values.dtype)
    for plane, cut in enumerate(_cuts(geometry, straight, is_labels=is_labels)):
        if cut is None:
            continue
        for phase in range(values.shape[0]):
            if is_labels:
                _place_nearest(result[phase, plane], values[phase, cut.first], cut)
            else:
                _place_linear(result[phase, plane], values[phase], cut)
    return result, straight


def straightening(geometry: Geometry, *, is_labels: bool) -> str:
    """One sentence on what is done to a stack to make it rectangular."""
    found = _judged(geometry)
    why = []
    if found.is_tilted:
        why.append(_("its planes lean by {angle:.1f}°").format(angle=found.tilt_degrees))
    if found.missing:
        why.append(ngettext("{count} plane is missing", "{count} planes are missing", found.missing_planes))
    elif not found.is_even and found.most - found.least <= 0.02 * found.median:
        why.append(_("its planes are shifted sideways by up to {off:.2f} mm").format(off=found.off))
    elif not found.is_even:
        why.append(_("its planes lie {least:.2f} to {most:.2f} mm apart").format(least=found.least, most=found.most))
    how = _("the nearest voxel was taken") if is_labels else _("values between voxels were interpolated linearly")
    text = _("The stack was brought onto a rectangular grid with planes {distance:.4g} mm apart because {why}; {how}")
    text = text.format(distance=geometry.straight().spacing[geometry.plane_axis], why=_(" and ").join(why), how=how)
    return text + (_(", missing planes were left empty.") if found.missing else ".")


def missing_planes(geometry: Geometry) -> int:
    """How many planes are missing inside a stack."""
    return 0 if geometry.is_rectangular else _judged(geometry).missing_planes


def _judged(geometry: Geometry) -> Evenness:
    return evenness_of(geometry.plane_origins, geometry.vector(geometry.plane_axis))


def _turned(values: NDArray[Any], geometry: Geometry, is_labels: bool, fill: float | None, name: str) -> tuple[NDArray[Any], Geometry]:
    """Where the planes follow each other along another axis: with that axis first, and back."""
    axis = geometry.plane_axis
    others = [n for n in range(3) if n != axis]
    order: Index = (axis, others[0], others[1])
    first, straight = straightened_values(np.moveaxis(values, axis + 1, 1), geometry.permuted(order), is_labels=is_labels, fill=fill, name=name)
    back: Index = (order.index(0), order.index(1), order.index(2))
    return np.moveaxis(first, 1, axis + 1), straight.permuted(back)


def _cuts(geometry: Geometry, straight: Geometry, *, is_labels: bool) -> Iterator[_Cut | None]:
    """For each plane of the straight grid its place in the stack, None in the gap of missing planes."""
    normal = geometry.vector(0)
    heights = (np.asarray(geometry.plane_origins) - np.asarray(geometry.origin)) @ normal
    last = len(heights) - 2
    for number in range(straight.shape[0]):
        height = number * straight.spacing[0]
        first = min(max(int(np.searchsorted(heights, height, side="right")) - 1, 0), last)
        gap = float(heights[first + 1] - heights[first])
        share = min(max((height - float(heights[first])) / gap, 0.0), 1.0)
        if gap > _GAP * geometry.spacing[0]:
            away = min(share, 1 - share) * gap
            if away > straight.spacing[0] * (0.5 - _ON_PLANE):
                yield None
                continue
            share = round(share)
        if is_labels or share < _ON_PLANE or share > 1 - _ON_PLANE:
            first, share = first + int(share >= 0.5), 0.0
        # In the straight grid's own pixels: where the first pixel of the stack lies at this height.
        place = straight.to_index(geometry.to_patient((first + share, 0, 0)))
        yield _Cut(first, share, _rounded(float(place[1])), _rounded(float(place[2])))


def _rounded(shift: float) -> float:
    """A shift by whole pixels, but for rounding in the file, moves values as they are."""
    return float(round(shift)) if abs(shift - round(shift)) < 1e-3 else shift


def _place_linear(target: NDArray[Any], planes: NDArray[Any], cut: _Cut) -> None:
    picture = planes[cut.first]
    if cut.share:
        picture = picture.astype(np.float32) * np.float32(1 - cut.share) + planes[cut.first + 1].astype(np.float32) * np.float32(cut.share)
    rows, picture = _shifted(picture, cut.rows, target.shape[0], 0)
    columns, picture = _shifted(picture, cut.columns, target.shape[1], 1)
    if target.dtype.kind in "iu" and picture.dtype.kind == "f":
        picture = np.rint(picture)
    target[rows, columns] = picture


def _shifted(picture: NDArray[Any], shift: float, count: int, axis: int) -> tuple[slice, NDArray[Any]]:
    """The part of ``count`` new pixels that the picture reaches (half a pixel beyond its centres), and its values there."""
    length = picture.shape[axis]
    start = max(0, int(np.ceil(shift - 0.5 + 1e-9)))
    stop = min(count, int(np.floor(shift + length - 0.5 - 1e-9)) + 1)
    place = np.clip(np.arange(start, stop) - shift, 0, length - 1)
    low = np.floor(place).astype(int)
    share = (place - low).astype(np.float32)
    if not share.any():
        return slice(start, stop), np.take(picture, low, axis)
    share = share.reshape([-1 if n == axis else 1 for n in range(picture.ndim)])
    high = np.minimum(low + 1, length - 1)
    mixed = np.take(picture, low, axis) * (1 - share) + np.take(picture, high, axis) * share
    return slice(start, stop), mixed.astype(np.float32, copy=False)


def _place_nearest(target: NDArray[Any], picture: NDArray[Any], cut: _Cut) -> None:
    spans, sources = [], []
    for shift, count, length in zip((cut.rows, cut.columns), target.shape, picture.shape, strict=False):
        source = np.floor(np.arange(count) - shift + 0.5).astype(int)
        inside = np.flatnonzero((source >= 0) & (source < length))
        spans.append(inside)
        sources.append(source[inside])
    target[np.ix_(*spans)] = picture[np.ix_(*sources)]
