"""Plays the phases of the shown volume: at the file's own rate, in a loop, leaving frames out rather than falling behind."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from viewer.core.volume import Volume
from viewer.session.view import ViewState
from viewer.ui.host import Host

USUAL_RATE, SLOWEST, FASTEST = 10.0, 1.0, 60.0


def frame_rate(volume: Volume) -> float:
    """Phases a second by the starts of the phases in the file, kept within 1 to 60; 10 where the file does not say."""
    starts = volume.phase_seconds
    span = starts[-1] - starts[0] if len(starts) > 1 else 0.0
    rate = (len(starts) - 1) / span if span > 0 else USUAL_RATE
    return max(SLOWEST, min(rate, FASTEST))


class Cine(QObject):
    """One player for the active view. It stops when another volume is shown."""

    changed = Signal(bool)
    """Whether it plays now."""

    def __init__(self, host: Host, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._host, self._clock = host, clock
        self._volume_id = ""
        self._rate = USUAL_RATE
        self._started = 0.0
        self._first = self._shown = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.step)
        host.view_changed.connect(self._follow)

    @property
    def is_playing(self) -> bool:
        return self._timer.isActive()

    def toggle(self) -> None:
        """Play, or stop where it is."""
        self.stop() if self.is_playing else self._play()

    def stop(self) -> None:
        """Stop; the phase that is shown stays."""
        if self.is_playing:
            self._timer.stop()
            self.changed.emit(False)

    def step(self) -> None:
        """Show the phase that is due by the clock, whatever was shown before."""
        volume = self._host.state.volume
        if volume is None:
            self.stop()
            return
        if self._host.state.phase != self._shown:  # the user went elsewhere: on from there
            self._begin_at(self._host.state.phase)
        due = (self._first + int((self._clock() - self._started) * self._rate)) % volume.phases
        if due != self._shown:
            self._shown = due
            self._host.change_wish(phase=due)

    def _play(self) -> None:
        volume = self._host.state.volume
        if volume is None or volume.phases < 2:
            return
        self._volume_id, self._rate = volume.id, frame_rate(volume)
        self._begin_at(self._host.state.phase)
        self._timer.start(max(1, round(1000 / self._rate)))
        self.changed.emit(True)

    def _begin_at(self, phase: int) -> None:
        self._started, self._first, self._shown = self._clock(), phase, phase

    def _follow(self, state: ViewState) -> None:
        if self.is_playing and (state.volume is None or state.volume.id != self._volume_id):
            self.stop()
