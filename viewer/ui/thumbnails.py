"""Small pictures for the browser's rows: one plane of each series, read one after the other beside the window."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from viewer.core.errors import NegatoscopeError
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.io import open as io_open
from viewer.io.series import SeriesEntry
from viewer.session.arriving import first_plane
from viewer.ui.host import Host

_KEPT_BYTES = 64 << 20


class Thumbnails(QObject):
    """Reads the plane that a view shows first. Kept for as long as there is room: it is the first picture of a clicked series, too."""

    ready = Signal(str, object)
    """(entry id, volume of one plane)"""

    _read_here = Signal(object, object)

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._waiting: deque[SeriesEntry] = deque()
        self._made: dict[str, tuple[int, int]] = {}
        """Planes and phases of the series when its picture was read."""
        self._pictures: OrderedDict[str, tuple[SeriesEntry, Volume]] = OrderedDict()
        self._task = ""
        self._read_here.connect(self._keep)

    def make(self, entries: Sequence[SeriesEntry]) -> None:
        """Read the pictures of series that have none yet, or have grown to twice their size since."""
        for entry in entries:
            size = (entry.shape[0], entry.phases)
            old = self._made.get(entry.id)
            if old is None or size[0] * size[1] >= 2 * old[0] * old[1]:
                self._made[entry.id] = size
                self._waiting.append(entry)
        if self._waiting and not (self._task and self._host.work.is_running(self._task)):
            self._task = self._host.work.run_thread(self._read, _("Thumbnails"), self._over, self._host.report, quiet=True)

    def take(self, entry: SeriesEntry, picture: Volume) -> None:
        """The picture of a series that is being opened anyway: not to be read a second time."""
        if entry.id not in self._pictures:
            self._made[entry.id] = (entry.shape[0], entry.phases)
            self._keep(entry, picture)

    def picture(self, entry: SeriesEntry) -> Volume | None:
        """The plane that a view shows first, if it is at hand."""
        found = self._pictures.get(entry.id)
        is_same = found is not None and found[0].files == entry.files and found[0].shape == entry.shape
        return found[1] if found is not None and is_same else None

    def clear(self) -> None:
        self._waiting.clear()
        self._made.clear()
        self._pictures.clear()

    def _read(self, progress: Callable[[int, int], None]) -> None:
        # One thread for all of them, one after the other: reading must not crowd out the series that is wanted now.
        while self._waiting:
            progress(0, len(self._waiting))
            try:
                entry = self._waiting.popleft()
                picture = io_open.load_plane(entry, first_plane(entry), 0, pool=self._host.pool)
            except IndexError:
                return  # cleared meanwhile
            except NegatoscopeError:
                continue  # a thumbnail that cannot be made says nothing; opening the series will
            self._read_here.emit(entry, picture)

    def _over(self, _result: None) -> None:
        if self._waiting:
            self.make(())

    def _keep(self, entry: SeriesEntry, picture: Volume) -> None:
        if entry.id not in self._made:
            return  # closed meanwhile
        self._pictures[entry.id] = (entry, picture)
        self._pictures.move_to_end(entry.id)
        while len(self._pictures) > 1 and sum(volume.nbytes for _entry, volume in self._pictures.values()) > _KEPT_BYTES:
            self._pictures.popitem(last=False)
        self.ready.emit(entry.id, picture)
