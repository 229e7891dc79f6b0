"""Reading one series beside the window: its planes are shown as they arrive, the whole becomes part of the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.io import open as io_open
from viewer.io.series import SeriesEntry
from viewer.io.stream import Stream
from viewer.session.arriving import Arriving, first_plane
from viewer.session.document import Source
from viewer.session.opening import load_entry
from viewer.ui.host import Host

_LOOK_MS = 33
"""How often planes that have arrived are looked at."""
_PATIENCE_MS = 120
"""How long the reader of the whole may take to bring the wanted plane before that is read by itself."""


class Loading(QObject):
    """One series on its way into the window. Ends with ``finished`` or ``failed``, once."""

    arrived = Signal()
    """Something new can be shown, at most thirty times a second."""
    finished = Signal(object, object)
    """Volume, Source"""
    failed = Signal(object)

    _plane_here = Signal()

    def __init__(self, host: Host, entry: SeriesEntry, picture: Volume | None = None) -> None:
        """``picture``: the plane that a view shows first, if it is there already (from the thumbnail)."""
        super().__init__(host)
        self._host = host
        self.entry = entry
        self.arriving = Arriving(entry)
        self._task = ""
        self._alone_task = ""
        self._is_over = False
        self.first = self._wanted = (0, first_plane(entry))
        self.is_shown = False
        """Whether it was brought into view once; what the user goes to afterwards is the user's affair."""
        if picture is not None:
            self.arriving.take(*self._wanted, picture)
        self._tick = QTimer(self)
        self._tick.setSingleShot(True)
        self._tick.setInterval(_LOOK_MS)
        self._tick.timeout.connect(self._look)
        self._plane_here.connect(self._soon)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._read_alone)

    @property
    def wanted(self) -> tuple[int, int]:
        """(phase, plane) that is looked at."""
        return self._wanted

    @property
    def is_reading(self) -> bool:
        """Whether the whole is being read (else only planes that are looked at)."""
        return bool(self._task)

    def start(self, entry: SeriesEntry, title: str) -> int | None:
        """Read the whole of the series as it is now known; returns where what was its first plane is now."""
        stream = Stream(self._wanted, lambda _phase, _plane: self._tell())
        moved = self.arriving.follow(entry, stream)
        if not self.arriving.has_picture:
            self.first = self._wanted = (0, first_plane(entry))
            stream.want(*self._wanted)
        self.entry = entry
        pool, arriving = self._host.pool, self.arriving

        def read(progress: Callable[[int, int], None]) -> tuple[Volume, Source]:
            return load_entry(entry, pool, progress=progress, stream=stream, on_whole=arriving.take_whole)

        self._task = self._host.work.run_thread(read, title, self._take, self._fail)
        self._patience.start()
        return moved

    def _tell(self) -> None:
        # On the reading thread: a word for each of thousands of planes would keep the window busy with nothing else.
        if not self._is_told:
            self._is_told = True
            self._plane_here.emit()

    def want(self, phase: int, plane: int) -> None:
        """The view looks at this plane now."""
        self._wanted = (phase, plane)
        if self.arriving.stream is not None:
            self.arriving.stream.want(phase, plane)
        if self.arriving.plane(phase, plane) is None and not self._patience.isActive():
            self._patience.start(0 if self._task == "" else _PATIENCE_MS)

    def cancel(self) -> None:
        """Stop reading; ``failed`` follows with OperationCancelled."""
        if self._task:
            self._host.work.cancel(self._task)
        elif not self._is_over:
            self._fail(OperationCancelled(_("Cancelled.")))

    # --- inside ---

    _is_told = False

    def _look(self) -> None:
        self._is_told = False
        self.arrived.emit()

    def _soon(self) -> None:
        if not self._tick.isActive() and not self._is_over:
            self._tick.start(_LOOK_MS if self.is_shown else 0)  # the first picture does not wait

    def _read_alone(self) -> None:
        """The wanted plane by itself: for the first picture, and for formats whose reader tells of no planes."""
        phase, plane = self._wanted
        entry, pool = self.entry, self._host.pool
        if self._is_over or self._alone_task or self.arriving.plane(phase, plane) is not None:
            return
        stream = self.arriving.stream
        if self.arriving.is_streaming and self.arriving.has_picture and not (stream is not None and stream.is_ready(phase, plane)):
            return  # it comes next by itself; what had come and is not to be had any more is being put together with the rest
        if plane >= entry.shape[0] or phase >= entry.phases:
            return

        def take(picture: Any) -> None:
            self._alone_task = ""
            if self._is_over or entry is not self.entry:
                return
            self.arriving.take(phase, plane, picture)
            self._soon()
            if self._wanted != (phase, plane):
                self._patience.start(0)

        def fail(error: BaseException) -> None:
            self._alone_task = ""
            if not isinstance(error, NegatoscopeError | OperationCancelled):
                self._host.report(error)
            elif not self._task and not self._is_over:
                self._fail(error)  # nobody else will say it

        self._alone_task = self._host.work.run_thread(
            lambda _progress: io_open.load_plane(entry, plane, phase, pool=pool), _("First picture"), take, fail, quiet=True
        )

    def _take(self, result: tuple[Volume, Source]) -> None:
        self._end()
        self.finished.emit(*result)

    def _fail(self, error: BaseException) -> None:
        self._end()
        self.failed.emit(error)

    def _end(self) -> None:
        self._is_over = True
        self._task = ""
        self._tick.stop()
        self._patience.stop()
