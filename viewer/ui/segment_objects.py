"""Showing a segmentation or structure set: its series is found, read if need be, and gets the segments as layers in one step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from viewer.core.sentence import whole
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io.objects.referring import By, Choice, series_for
from viewer.io.series import SeriesEntry
from viewer.session.objects import Attachable, attached_layers, read_attachable
from viewer.ui.objects import read_onto

if TYPE_CHECKING:
    from viewer.ui.host import Host
    from viewer.ui.opening import Opener


def show_segments(host: Host, opener: Opener, entry: SeriesEntry) -> None:
    """Attach an object's segments to the series that it was made for and show them there; the second time only show it."""
    listed = [row.entry for row in opener.rows()]
    shown = opener.row_of_root(host.root_id)
    preferred = shown.entry.id if shown is not None else ""
    document = host.document
    turn = [opener.turn]

    def is_wanted() -> bool:
        return opener.turn == turn[0]

    def choose(_progress: Callable[[int, int], None]) -> Choice:
        return series_for(entry, listed, preferred=preferred)

    def chosen(choice: Choice) -> None:
        if document is not host.document:
            return
        row = opener.row(choice.entry.id)
        if row is not None and row.root_id:
            attach_segments(host, entry, row.root_id, row.entry.title, by=choice.by, is_wanted=is_wanted)
        elif row is not None:
            attach = partial(attach_segments, host, entry, series=row.entry.title, by=choice.by, is_wanted=is_wanted)
            WhenRead(opener, row.entry.id, attach)
            if is_wanted():
                opener.show(row.entry.id)
                turn[0] = opener.turn
            else:
                opener.read(row.entry.id)

    host.work.run_thread(choose, entry.title, chosen, host.report, quiet=True)


def attach_segments(
    host: Host, entry: SeriesEntry, root_id: str, series: str = "", *, by: By = "series", is_wanted: Callable[[], bool] = lambda: True
) -> None:
    """Read an object beside the window and attach it to an opened image; used by the drop on a view too.

    ``by``: how the image was found (:class:`viewer.io.objects.referring.Choice`), for what is said. ``is_wanted``: whether the
    user has not chosen something else meanwhile; who has is not torn away from it.
    """
    document = host.document
    if attached_layers(document, root_id, entry):
        host.show_volume(root_id)
        host.say("info", _("{title} is open already; its segments are in the list.").format(title=entry.title))
        return
    volume = document.volume(root_id)

    def read(progress: Callable[[int, int], None]) -> Attachable:
        return read_attachable(entry, volume, pool=host.pool, progress=progress)

    def take(found: Attachable) -> None:
        document.commit(found.step)
        if is_wanted():
            host.show_volume(root_id)
            _bring_into_view(host, found)
        _tell(host, entry, found, series or volume.title, by)

    read_onto(host, entry, read, lambda: bool(attached_layers(document, root_id, entry)), take)


def _bring_into_view(host: Host, found: Attachable) -> None:
    """Show labels, and where the shown slice has nothing of the segments the one with most of them."""
    state, plane = host.state, found.fullest_plane
    host.change_wish(show_labels=True)
    if plane is not None and state.layout.axis == 0 and not found.voxels_by_plane[state.array_index]:
        host.change_wish(index=round(state.layout.slice_of(plane)))


def _tell(host: Host, entry: SeriesEntry, found: Attachable, series: str, by: By) -> None:
    what = ngettext("{count} segment", "{count} segments", found.segments)
    if by == "frame":
        text = _("{what} opened on {series}: its own series is not here, and this one has its frame of reference.").format(what=what, series=series)
    else:
        text = _("{what} opened on {series}.").format(what=what, series=series)
    warnings = found.warnings
    if warnings:
        text = _("{first} {second}").format(first=text, second=whole(warnings[0]))
    kind = "warn" if warnings or by == "frame" else "ok"
    host.say(kind, text, details="\n".join(_(note.text) for note in found.notes) if len(warnings) > 1 else "")


class WhenRead(QObject):
    """Waits until a row of the browser has its volume; gives up where it cannot be read."""

    def __init__(self, opener: Opener, entry_id: str, then: Callable[[str], Any]) -> None:
        super().__init__(opener)
        self._opener, self._entry_id, self._then = opener, entry_id, then
        self._has_begun = False
        opener.rows_changed.connect(self._look)

    def _look(self) -> None:
        row = self._opener.row(self._entry_id)
        if row is not None and row.is_loading:
            self._has_begun = True
            return
        if row is not None and not row.root_id and not row.error and not self._has_begun:
            return
        self._opener.rows_changed.disconnect(self._look)
        self.deleteLater()
        if row is not None and row.root_id:
            root_id = row.root_id
            # The opener tells its rows before the document takes the volume in.
            QTimer.singleShot(0, self._opener, lambda: self._then(root_id))
