"""Bringing a second image over a first: by hand, by the positions in the files, or registered; each way one step of the history."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.alignment import SAME_PLACE, Alignment, Method, alignment_id, inverse, moved_cut, rigid
from viewer.core.errors import OperationCancelled, Refused
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.layout import layout_of
from viewer.core.provenance import Note
from viewer.core.registration import METRIC, Registration
from viewer.core.sample import sample
from viewer.core.volume import Volume
from viewer.core.words import _, mark
from viewer.jobs.pool import Pool
from viewer.session.document import Document
from viewer.session.fusion import link_of, named, overlap, why_never
from viewer.session.history import Change, ItemChange, Origin, Step

Told = Callable[[int, int], None]
"""``progress(done, total)``; raises OperationCancelled after Cancel."""
TITLES: dict[Method, str] = {
    "hand": mark("Nudge {name}"),
    "positions": mark("Place {name} by its file's positions"),
    "rigid": mark("Align {name} (rigid)"),
}
_POLL_S = 0.05


def alignment_step(
    document: Document, fixed: Volume, moving: Volume, matrix: tuple[float, ...], method: Method, *, found: Registration | None = None
) -> Step:  # fmt: skip
    """The step that keeps where the second lies in the first, in place of what was known of the pair; commit it with ``Document.commit``."""
    fixed, moving = document.volume(fixed.root_id), document.volume(moving.root_id)
    item = Alignment(
        alignment_id(fixed.id, moving.id), fixed.id, moving.id, matrix, method, fixed.geometry.frame_uid, moving.geometry.frame_uid,
        METRIC if found is not None else "", found.value if found is not None else 0.0,
    )  # fmt: skip
    changes: list[Change] = [ItemChange("alignment", item.id, document.item("alignment", item.id), item)]
    turned = alignment_id(moving.id, fixed.id)
    known = document.item("alignment", turned)
    if known is not None:  # of the same pair, the other way round
        changes.append(ItemChange("alignment", turned, known, None))
    parameters = {"matrix": list(matrix), "metric": item.metric, "value": item.value}
    origin = Origin("edit", f"alignment.{method}", parameters, (fixed.id, moving.id))
    return document.step(TITLES[method], tuple(changes), origin=origin, name=named(moving))


def removal_step(document: Document, fixed: Volume, moving: Volume) -> Step | None:
    """The step that takes the alignment of a pair off again: what remains is what the files say. None if there is none."""
    link = link_of(document, fixed, moving)
    if link is None or link.alignment is None:
        return None
    item = link.alignment
    return document.step(mark("Remove the alignment of {name}"), (ItemChange("alignment", item.id, item, None),), name=named(moving))


def first_place(fixed: Volume, moving: Volume) -> tuple[float, ...]:
    """Where a second image is put that nothing links: where its file says if the two meet there, else middle on middle."""
    if overlap(fixed.geometry, moving.geometry, SAME_PLACE):
        return SAME_PLACE
    return rigid(shift=middle(fixed.geometry) - middle(moving.geometry))


def middle(geometry: Geometry) -> NDArray[np.float64]:
    """The place in the middle of a grid."""
    return geometry.to_patient((np.asarray(geometry.shape) - 1) / 2)


def why_no_registration(fixed: Volume, moving: Volume) -> str:
    """Why two images cannot be aligned by computation, in a sentence; "" where they can."""
    if fixed.root_id == moving.root_id:
        return _("The two are one image.")
    reason = why_never(fixed, moving)
    if reason:
        return reason
    if fixed.is_color:
        return _("A colour image cannot be aligned: it has no one value in each voxel.")
    for volume in (fixed, moving):
        geometry = volume.geometry
        if not geometry.is_patient or not geometry.has_volume or min(geometry.shape) < 4:
            return _("Images can be aligned where both are volumes of at least four planes whose spacing in mm is known.")
    return ""


def register(
    fixed: Volume, moving: Volume, *, pool: Pool, fixed_phase: int = 0, moving_phase: int = 0,
    start: tuple[float, ...] | None = None, progress: Told | None = None,
) -> Registration:  # fmt: skip
    """Find where the second lies in the first, in a worker. Blocks: call it beside the window.

    Parameters
    ----------
    fixed, moving : Volume
    pool : Pool
    fixed_phase, moving_phase : int
    start : sixteen numbers, optional
        Where to start from; None: :func:`viewer.core.registration.register_rigid` chooses.
    progress : callable, optional
        Told of thousandths; what it raises ends the job.

    Raises
    ------
    Refused
        With the reason.
    OperationCancelled
    """
    reason = why_no_registration(fixed, moving)
    if reason:
        raise Refused(reason)
    a, fixed_geometry = _straight(fixed, fixed_phase)
    b, moving_geometry = _straight(moving, moving_phase)
    arguments = {
        "fixed": a, "fixed_geometry": fixed_geometry, "moving": b, "moving_geometry": moving_geometry, "start": start,
        "fixed_padding": fixed.padding, "moving_padding": moving.padding,
    }  # fmt: skip
    job = pool.submit("viewer.core.registration:register_rigid", arguments, title=_("Align (rigid)"))
    while True:
        try:
            found = job.result(timeout=_POLL_S)
        except TimeoutError:
            if progress is not None:
                try:
                    progress(round(1000 * (job.progress or 0.0)), 1000)
                except OperationCancelled:
                    job.cancel()
                    raise
            continue
        assert isinstance(found, Registration)
        return found


def _straight(volume: Volume, phase: int) -> tuple[NDArray[np.generic], Geometry]:
    """Values of one phase on a rectangular grid."""
    if volume.geometry.is_rectangular:
        return volume.phase(phase), volume.geometry
    from viewer.io.straight import straightened_values

    fill = volume.padding[0] if volume.padding is not None else None
    data, geometry = straightened_values(volume.data[phase : phase + 1], volume.geometry, fill=fill, name=volume.title)
    return data[0], geometry


def resampled(fixed: Volume, moving: Volume, matrix: tuple[float, ...], *, phase: int = 0) -> Volume:
    """One phase of the second image on the grid of the first, linear between voxels (float32).

    What lies outside of it has the value of its padding, else its smallest. A grid whose planes lean or are uneven is straightened.
    """
    grid = fixed.geometry.straight()
    values = moving.phase(phase)
    empty = moving.padding[0] if moving.padding is not None else float(np.nanmin(values))
    layout, back = layout_of(grid), inverse(matrix)
    data = memory.allocate((1, *grid.shape), np.float32)
    for plane in range(grid.shape[0]):
        data[0, plane] = sample(values, moving.geometry, moved_cut(back, layout.cut(grid, plane)), empty=empty)
    badges = tuple(dict.fromkeys((*moving.badges, "RESAMPLED")))
    said = _("The image was brought onto the grid of another one; its values are interpolated.")
    return moving.derived(
        new_id("volume"), data, geometry=grid, badges=badges, windows=moving.windows, kind="volume", shutter=None, phase_labels=(), phase_seconds=(),
        notes=(*moving.notes, Note("geometry", said, is_warning=True)),
    )  # fmt: skip
