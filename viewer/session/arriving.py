"""A series while it is being read, as views can show it: its grid as found in the headers, and the planes that are there by now.

Belongs to the window's thread; only the :class:`viewer.io.stream.Stream` behind it is filled by another.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.layout import layout_of
from viewer.core.render import take_spread
from viewer.core.volume import Volume
from viewer.io.series import SeriesEntry
from viewer.io.stream import Cell, Stream
from viewer.session.alone import Untouched
from viewer.session.view import STANDARD_PLANES

_KEPT = 4


class Arriving(Untouched):
    """One listed series on its way in. Satisfies :class:`viewer.session.view.Readable` for its own id.

    Parameters
    ----------
    entry : SeriesEntry
        As far as it is known; ``follow`` gives it another, larger one while files are still being found.
    stream : Stream, optional
        What the reader fills; none while the series is not being read as a whole yet.
    """

    def __init__(self, entry: SeriesEntry, stream: Stream | None = None) -> None:
        self.id = new_id("volume")
        self.entry, self.stream = entry, stream
        self._alone: OrderedDict[Cell, Volume] = OrderedDict()
        self._whole: Volume | None = None
        self._stand: Volume | None = None

    # --- planes ---

    def plane(self, phase: int, plane: int) -> Volume | None:
        """A plane (array index from 0) as a volume of one plane, None while it is not there."""
        cell = (phase, plane)
        if cell in self._alone:
            return self._alone[cell]
        found = _part(self._whole, phase, plane) if self._whole is not None else self.stream.plane(phase, plane) if self.stream is not None else None
        if found is not None:
            self.take(phase, plane, found)
        return found

    def take(self, phase: int, plane: int, picture: Volume) -> None:
        """A plane that is there: the first one settles unit, window and kind of values for all."""
        if self._stand is None:
            self._stand = self._stand_in(picture)
        self._alone[phase, plane] = picture
        while len(self._alone) > _KEPT:
            self._alone.popitem(last=False)

    def take_whole(self, volume: Volume) -> None:
        """All of it is there; it is only not part of the document yet."""
        self._whole = volume

    def end(self) -> None:
        """The document has it now, or nobody wants it any more: let go of the planes."""
        self._alone.clear()
        self._whole = self._stand = self.stream = None

    def ready(self, phase: int) -> NDArray[np.bool_]:
        """Which planes of a phase are there: (planes,) of bool."""
        planes = self.entry.shape[0]
        if self._whole is not None:
            return np.ones(planes, dtype=np.bool_)
        found = self.stream.ready(phase) if self.stream is not None else np.zeros(0, dtype=np.bool_)
        known = np.zeros(planes, dtype=np.bool_)
        known[: len(found)] = found[:planes]
        for cell_phase, plane in self._alone:
            if cell_phase == phase and plane < planes:
                known[plane] = True
        return known

    @property
    def is_streaming(self) -> bool:
        """Whether planes come by themselves now, so that none has to be read alone."""
        return self._whole is not None or (self.stream is not None and self.stream.ready(0).size > 0)

    @property
    def has_picture(self) -> bool:
        """Whether there is anything to show yet."""
        return self._stand is not None

    def follow(self, entry: SeriesEntry, stream: Stream | None) -> int | None:
        """The same series with more planes: returns where the first plane went, None if its place is not known."""
        old, self.entry, self.stream = self.entry.geometry, entry, stream
        moved: int | None = None
        if old is not None and entry.geometry is not None and old.is_patient:
            moved = round(float(entry.geometry.to_index(old.origin)[0]))
        if entry.shape != self._shape or moved:
            self._alone.clear()
            if self._stand is not None:
                self._stand = self._stand_in(self._stand)
        return moved

    def _stand_in(self, like: Volume) -> Volume:
        """The whole series without its values: nobody reads its voxels, the picture comes from :meth:`plane`."""
        entry = self.entry
        self._shape = entry.shape
        shape = (entry.phases, *entry.shape, *((3,) if like.is_color else ()))
        geometry = entry.geometry
        if geometry is None or geometry.shape != entry.shape:
            geometry = replace(like.geometry, shape=entry.shape)
        data = memory.allocate(shape, like.data.dtype)  # an anonymous file without pages: takes no memory until it is read
        made = replace(
            like, id=self.id, root_id=self.id, parent_id="", data=data, geometry=geometry, kind=entry.kind if entry.kind != "other" else like.kind,
            phase_labels=like.phase_labels if len(like.phase_labels) == entry.phases else (),
            phase_seconds=like.phase_seconds if len(like.phase_seconds) == entry.phases else (),
            plane_windows=(), graphics=(), indices=None,
        )  # fmt: skip
        if not made.is_color:
            take_spread(made, like)
        return made

    _shape: tuple[int, int, int] = (0, 0, 0)

    # --- what a view reads ---

    def volume(self, volume_id: str) -> Volume:
        if volume_id != self.id or self._stand is None:
            raise KeyError(volume_id)
        return self._stand

    def current(self, root_id: str) -> Volume:
        return self.volume(root_id)


def first_plane(entry: SeriesEntry) -> int:
    """Array index of the plane that a view shows first of a series: the middle one in the order that it counts in."""
    geometry = entry.geometry
    middle = entry.shape[0] // 2
    if geometry is None or geometry.shape[0] != entry.shape[0]:
        return middle
    return layout_of(geometry, _first_look(entry, geometry)).array_index(middle)


def _first_look(entry: SeriesEntry, geometry: Geometry) -> Any:
    # As session.view.usual_plane decides for the volume.
    if entry.identity.series_uid or not geometry.is_patient or geometry.shape[0] == 1:
        return "acquired"
    return next(p for p in STANDARD_PLANES if geometry.axis_of(p) == 0)


def _part(volume: Volume, phase: int, plane: int) -> Volume | None:
    if not (0 <= phase < volume.phases and 0 <= plane < volume.geometry.shape[0]):
        return None
    start, shape = (plane, 0, 0), (1, *volume.geometry.shape[1:])
    indices = volume.indices[phase : phase + 1, plane : plane + 1] if volume.indices is not None else None
    return replace(volume, id=new_id("volume"), root_id="", data=volume.data[phase : phase + 1, plane : plane + 1],
                   geometry=volume.geometry.cropped(start, shape), indices=indices, phase_labels=(), phase_seconds=())  # fmt: skip
