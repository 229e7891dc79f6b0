"""What the file says of each frame: place, direction, spacing, rescale, and what tells phases apart.

Enhanced objects say it in functional groups (per frame, then shared, then at the top: CONVENTIONS D48), old multi-frame
objects by a first place and a step (nuclear medicine, D50; dose grids).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from viewer.core.geometry import Triple
from viewer.core.window import Window
from viewer.core.words import _
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.phase_keys import dimensions_of, keys_of_group, keys_of_vectors, read_keys
from viewer.io.dicom.spacing import pixel_spacing
from viewer.io.dicom.windows import FRAME_VOI, curves_digest, first_window

DOSE_STORAGE = "1.2.840.10008.5.1.4.1.1.481.2"
NM_STORAGE = "1.2.840.10008.5.1.4.1.1.20"


UNUSABLE = "\0"
"""Rescale type of a frame whose rescale makes no sense: its values stay as stored and have no unit."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the file says of one frame (or, in a classic file, of all of them)."""

    position: Triple | None = None
    """Centre of the first pixel, LPS mm."""
    orientation: tuple[float, ...] | None = None
    """Six direction cosines: along increasing columns, along increasing rows; unit length."""
    spacing: tuple[float, float] | None = None
    """Between rows, between columns, mm; None where unknown."""
    slope: float = 1.0
    intercept: float = 0.0
    rescale_type: str = ""
    keys: tuple[str, ...] = ()
    """Text of the elements of PHASE_KEYS, "" where missing."""
    stack: str = ""
    dimensions: tuple[int, ...] = ()
    """Dimension Index Values of an enhanced object's frame."""
    window: Window | None = None
    """The first window that the file gives the frame, without its name."""
    curves: str = ""
    """Digest of the VOI LUTs that the file gives the frame: frames with another one are shown through others."""


def read_frames(dataset: Dataset, count: int, sop_class: str) -> tuple[tuple[Frame, ...], tuple[str, ...]]:
    """One frame for all, or one each, and what is to be said about them."""
    said: list[str] = []
    spacing = pixel_spacing(dataset)
    if spacing.warning:
        said.append(spacing.warning)
    base = Frame(
        position=_position(dataset, said),
        orientation=_orientation(dataset, said),
        spacing=spacing.row_column,
        keys=read_keys(dataset),
        window=first_window(dataset),
        curves=curves_digest(dataset),
    )
    base = _with_rescale(base, dataset, said)
    per_frame = elements.items(dataset, 0x52009230)
    shared = elements.first(dataset, 0x52009229)
    if per_frame or shared is not None:
        if per_frame and len(per_frame) < count:
            said.append(_("only {found} of {count} frames are described").format(found=len(per_frame), count=count))
        base = _grouped(base, shared, said)
        frames = tuple(_grouped(base, per_frame[n] if n < len(per_frame) else None, said) for n in range(count if per_frame else 1))
        return frames, tuple(dict.fromkeys(said))
    if count > 1 and sop_class == DOSE_STORAGE:
        return _stepped(base, elements.numbers(dataset, 0x3004000C), count), tuple(said)
    if count > 1 and sop_class == NM_STORAGE:
        return _nuclear(dataset, base, count), tuple(said)
    if count > 1:
        # One place for many frames is the place of none of them.
        base = replace(base, position=None)
    return (base,), tuple(dict.fromkeys(said))


def _grouped(base: Frame, group: Dataset | None, said: list[str]) -> Frame:
    """The frame with what a functional group item says in place of what stood above it."""
    if group is None:
        return base
    changes: dict[str, Any] = {}
    for tag, name, read in (
        (0x00209113, "position", _position),
        (0x00209116, "orientation", _orientation),
    ):
        item = elements.first(group, tag)
        value = read(item, said) if item is not None else None
        if value is not None:
            changes[name] = value
    measures = elements.first(group, 0x00289110)
    if measures is not None and elements.raw(measures, 0x00280030) is not None:
        spacing = pixel_spacing(measures)
        changes["spacing"] = spacing.row_column
        if spacing.warning:
            said.append(spacing.warning)
    frame = replace(base, **changes)
    voi = elements.first(group, FRAME_VOI)
    window = first_window(voi) if voi is not None else None
    if window is not None:
        frame = replace(frame, window=window)
    curves = curves_digest(voi) if voi is not None else ""
    if curves:
        frame = replace(frame, curves=curves)
    transform = elements.first(group, 0x00289145)
    if transform is not None:
        frame = _with_rescale(frame, transform, said)
    return _with_keys(frame, group)


def _with_keys(frame: Frame, group: Dataset) -> Frame:
    content = elements.first(group, 0x00209111)
    stack = elements.text(content, 0x00209056) if content is not None else ""
    keys, dimensions = keys_of_group(frame.keys, group), dimensions_of(group)
    return replace(frame, keys=keys, stack=stack or frame.stack, dimensions=dimensions or frame.dimensions)


def _with_rescale(frame: Frame, dataset: Dataset, said: list[str]) -> Frame:
    slope_raw, intercept_raw = elements.raw(dataset, 0x00281053), elements.raw(dataset, 0x00281052)
    if slope_raw is None and intercept_raw is None:
        grid = elements.number(dataset, 0x3004000E)
        return replace(frame, slope=grid, rescale_type=elements.text(dataset, 0x30040002)) if grid else frame
    slope, intercept = elements.number(dataset, 0x00281053), elements.number(dataset, 0x00281052)
    if (slope is None and elements.raw_bytes(dataset, 0x00281053).strip()) or (intercept is None and elements.raw_bytes(dataset, 0x00281052).strip()):
        said.append(_("the rescale slope or intercept is not a number: stored values are shown"))
        return replace(frame, rescale_type=UNUSABLE)
    if slope == 0:
        said.append(_("the rescale slope is 0: the values carry nothing, stored values are shown"))
        return replace(frame, rescale_type=UNUSABLE)
    kind = elements.text(dataset, 0x00281054) or frame.rescale_type.removeprefix(UNUSABLE)
    return replace(frame, slope=1.0 if slope is None else slope, intercept=intercept or 0.0, rescale_type=kind)


def _position(dataset: Dataset, said: list[str]) -> Triple | None:
    found = elements.numbers(dataset, 0x00200032)
    if not found:
        return None
    if len(found) != 3 or not all(math.isfinite(c) and abs(c) < 1e7 for c in found):
        said.append(_("the image position cannot be read"))
        return None
    return (found[0], found[1], found[2])


def _orientation(dataset: Dataset, said: list[str]) -> tuple[float, ...] | None:
    """Unit vectors at right angles, small errors mended, larger ones refused (CONVENTIONS D63)."""
    found = elements.numbers(dataset, 0x00200037)
    if not found:
        return None
    if len(found) == 6 and all(math.isfinite(c) and abs(c) < 10 for c in found):
        row, column = np.asarray(found[:3]), np.asarray(found[3:])
        lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
        if all(abs(length - 1) < 0.02 for length in lengths):
            row, column = row / lengths[0], column / lengths[1]
            if abs(float(row @ column)) <= 1e-3:
                column = column - row * (row @ column)
                column /= np.linalg.norm(column)
                return tuple(float(c) for c in (*row, *column))
    said.append(_("the image orientation is not two directions at right angles: no patient directions are shown"))
    return None


def _stepped(base: Frame, offsets: tuple[float, ...], count: int) -> tuple[Frame, ...]:
    """Frames along the normal of the first (dose grids: GridFrameOffsetVector, PS3.3 C.8.8.3.2)."""
    if base.position is None or base.orientation is None or len(offsets) < count or not all(math.isfinite(o) for o in offsets):
        return (replace(base, position=None),)
    normal = np.cross(base.orientation[:3], base.orientation[3:])
    first = offsets[0]
    # The first offset is 0, or the vector holds patient z coordinates of transverse planes.
    moves = [o - first for o in offsets[:count]]
    if first != 0:
        normal = np.array([0.0, 0.0, 1.0])
    return tuple(replace(base, position=_moved(base.position, normal * move)) for move in moves)


def _nuclear(dataset: Dataset, base: Frame, count: int) -> tuple[Frame, ...]:
    """Reconstructed tomograms: first frame's place and SpacingBetweenSlices with its sign (CONVENTIONS D50)."""
    detector = elements.first(dataset, 0x00540022)
    quiet: list[str] = []
    position = base.position or (_position(detector, quiet) if detector is not None else None)
    orientation = base.orientation or (_orientation(detector, quiet) if detector is not None else None)
    step = elements.number(dataset, 0x00180088)
    tomographic = not {"RECON TOMO", "RECON GATED TOMO"}.isdisjoint(elements.texts(dataset, 0x00080008))
    keys = keys_of_vectors(base.keys, dataset, count)
    if not tomographic or position is None or orientation is None or not step:
        return tuple(replace(base, position=None, keys=own) for own in keys)
    normal = np.cross(orientation[:3], orientation[3:])
    placed = replace(base, orientation=orientation)
    slices = elements.shorts(dataset, 0x00540080)
    numbers = [n - slices[0] for n in slices] if len(slices) == count else range(count)
    return tuple(replace(placed, position=_moved(position, normal * step * n), keys=own) for n, own in zip(numbers, keys, strict=True))


def _moved(position: Triple, offset: Any) -> Triple:
    return (position[0] + float(offset[0]), position[1] + float(offset[1]), position[2] + float(offset[2]))
