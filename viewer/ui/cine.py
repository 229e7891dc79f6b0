"""Plays the phases or the slices of the shown volume, leaving frames out rather than falling behind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from viewer.core.volume import Volume
from viewer.session.view import ViewState
from viewer.ui.host import Host

USUAL_RATE, SLOWEST, FASTEST = 10.0, 1.0, 60.0
Axis = Literal["phases", "slices"]
Mode = Literal["loop", "sweep", "once"]
MODES: tuple[Mode, ...] = ("loop", "sweep", "once")
_TELL_S = 0.5


def frame_rate(volume: Volume) -> float:
    """Phases a second by the starts of the phases in the file, kept within 1 to 60; 10 where the file does not say."""
    starts = volume.phase_seconds
    span = starts[-1] - starts[0] if len(starts) > 1 else 0.0
    rate = (len(starts) - 1) / span if span > 0 else USUAL_RATE
    return max(SLOWEST, min(rate, FASTEST))


def due_frame(first: int, passed: int, count: int, mode: Mode) -> int:
    """The frame that is shown ``passed`` frames after ``first``.

    A loop begins again after the last of ``count``; a sweep turns round at both ends, and shows each end once; once stays at the last.
    """
    if mode == "once":
        return min(first + passed, count - 1)
    if mode == "loop" or count < 2:
        return (first + passed) % count
    place = (first + passed) % (2 * count - 2)
    return place if place < count else 2 * count - 2 - place


class Cine(QObject):
    """One player for the active view. It stops when another volume is shown, and when the user goes elsewhere along what it plays."""

    changed = Signal(bool)
    """Whether it plays now."""
    told = Signal()
    """Axis, rate or measured rate are others than before."""

    def __init__(self, host: Host, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._host, self._clock = host, clock
        self._volume_id = ""
        self._rate = USUAL_RATE
        self._own_rate = False
        self._wanted: Axis = "phases"
        kept = host.settings.get("cine_mode", "loop")
        self._mode: Mode = kept if kept in MODES else "loop"  # type: ignore[assignment]
        self._started = 0.0
        self._first = self._shown = self._number = 0
        self._moments: deque[float] = deque(maxlen=120)
        self._last_told = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.step)
        host.view_changed.connect(self._follow)

    @property
    def is_playing(self) -> bool:
        return self._timer.isActive()

    @property
    def axis(self) -> Axis:
        """What is played: the wanted one where the image has both, else the one that it has."""
        state = self._host.state
        if state.volume is None or state.volume.phases < 2:
            return "slices"
        return "phases" if state.count < 2 else self._wanted

    @property
    def rate(self) -> float:
        """Frames a second that are wanted."""
        volume = self._host.state.volume
        if not self._own_rate and volume is not None:
            return frame_rate(volume) if self.axis == "phases" else USUAL_RATE
        return self._rate

    @property
    def measured_rate(self) -> float:
        """Frames a second that were shown in the last two seconds; 0 while that is not known."""
        now = self._clock()
        recent = [moment for moment in self._moments if now - moment < 2]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 2 and recent[-1] > recent[0] else 0.0

    def set_axis(self, axis: Axis) -> None:
        """Play this from now on, where the image has both."""
        if axis != self._wanted:
            was_playing = self.is_playing
            self.stop()
            self._wanted = axis
            if was_playing:
                self._play()
            self.told.emit()

    @property
    def mode(self) -> Mode:
        """What happens at the end."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """What is to happen at the end, from now on; remembered."""
        if mode != self._mode:
            self._mode = mode
            self._host.settings.set("cine_mode", mode)
            if self.is_playing:
                self._begin_at(self._place())
            self.told.emit()

    def set_rate(self, rate: float) -> None:
        """Frames a second, kept within 1 to 60; holds until another image is shown."""
        self._rate, self._own_rate = max(SLOWEST, min(rate, FASTEST)), True
        if self.is_playing:
            self._begin_at(self._place())
            self._timer.setInterval(max(1, round(1000 / self._rate)))
        self.told.emit()

    def toggle(self) -> None:
        """Play, or stop where it is."""
        self.stop() if self.is_playing else self._play()

    def stop(self) -> None:
        """Stop; what is shown stays."""
        if self.is_playing:
            self._timer.stop()
            self._moments.clear()
            self.changed.emit(False)
            self.told.emit()

    def step(self) -> None:
        """Show the frame that is due by the clock, whatever was shown before."""
        if self._host.state.volume is None or self._place() != self._shown:
            self.stop()  # the user went elsewhere
            return
        now = self._clock()
        number = int((now - self._started) * self._rate)
        due = due_frame(self._first, number, self._count(), self._mode)
        if number != self._number:
            self._number = number
            self._moments.append(now)
        if due != self._shown:
            self._shown = due
            self._host.change_wish(**({"phase": due} if self.axis == "phases" else {"index": due}))
        if now - self._last_told > _TELL_S:
            self._last_told = now
            self.told.emit()
        if self._mode == "once" and due == self._count() - 1:
            self.stop()

    def _place(self) -> int:
        state = self._host.state
        return state.phase if self.axis == "phases" else state.index

    def _count(self) -> int:
        state = self._host.state
        if state.volume is None:
            return 1
        return state.volume.phases if self.axis == "phases" else state.count

    def _play(self) -> None:
        volume = self._host.state.volume
        if volume is None or self._count() < 2:
            return
        self._volume_id, self._rate = volume.id, self.rate
        if self._mode == "once" and self._place() == self._count() - 1:
            self._host.change_wish(**({"phase": 0} if self.axis == "phases" else {"index": 0}))  # it has been played: from the beginning
        self._begin_at(self._place())
        self._timer.start(max(1, round(1000 / self._rate)))
        self.changed.emit(True)
        self.told.emit()

    def _begin_at(self, place: int) -> None:
        self._started, self._first, self._shown, self._number = self._clock(), place, place, 0
        self._moments.clear()

    def _follow(self, state: ViewState) -> None:
        if state.volume is None or state.volume.id != self._volume_id:
            self.stop()
            self._volume_id, self._own_rate = state.volume.id if state.volume is not None else "", False
