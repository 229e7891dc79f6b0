"""What the Classify tab has running: one run at a time, with its progress, how it ended, and what it took."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.api import NegatoscopeError, OperationCancelled
from viewer.api.panel import PanelHost, Step, Task

CLASSIFY, HEAT_MAP = "Classify/Classify", "Classify/Heat map"
FIRST_GUESS_S = 2.0
"""How long a first run takes, with the libraries to be loaded; later ones are guessed from the one before."""
BUSY_AFTER_MS = 150
"""What ends sooner shows its result and nothing else: rows that come and go at once are a flicker, and drawing them delays the result."""


class Runs(QObject):
    """Starts an operation of the Classify menu on the image in view, and knows whether it is still going on."""

    changed = Signal()
    """A run was refused, or has ended."""
    lasting = Signal()
    """A run has gone on long enough to be told of (``is_shown``)."""
    done = Signal(object)
    """Step that a run has brought."""

    def __init__(self, panel_host: PanelHost, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels = panel_host
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(BUSY_AFTER_MS)
        self._soon.timeout.connect(self.lasting)
        self._task, self._started = "", 0.0
        self._guess_s: dict[str, float] = {}
        self._generation = 0
        self.name, self.scope = "", ""
        """What runs, or ran last, and on what: slice, volume or phases."""
        self.planes = 0
        """How many it works on."""
        self.failure = ("", "")
        """What went wrong the last time and its details; "" and "" if nothing did."""
        self.task: Task | None = None

    @property
    def is_running(self) -> bool:
        return bool(self._task)

    @property
    def is_shown(self) -> bool:
        """It goes on for long enough to be told of, with a way to stop it."""
        return self.is_running and not self._soon.isActive()

    @property
    def is_heat_shown(self) -> bool:
        return self.is_shown and self.name == HEAT_MAP

    def guess_s(self, name: str) -> int:
        """About how many seconds it will take."""
        return max(1, round(self._guess_s.get(name, FIRST_GUESS_S)))

    def start(self, name: str, parameters: Mapping[str, Any], scope: str) -> None:
        """Begin, on the device that the settings name; where it is refused, ``failure`` says why."""
        host = self._panels.host
        self.failure, self.task = ("", ""), None
        self._generation += 1
        generation = self._generation
        try:
            known = {parameter.name for parameter in host.registry.spec(name, host.pool).parameters}
            call = host.prepare(name, {key: value for key, value in parameters.items() if key in known}, host.scope(scope))
        except NegatoscopeError as err:
            self.failure = (str(err), "")
            self.changed.emit()
            return
        self.name, self.scope, self.planes, self._started = name, scope, sum(int(image.geometry.shape[0]) for image in call.images), time.monotonic()
        task = host.run(call, lambda step: self._end(generation, step), lambda error: self._fail(generation, error))
        # In a pool that runs inline the job is over before its id is known.
        self._task = task if host.work.is_running(task) else ""
        if self._task:
            self._soon.start()

    def cancel(self) -> None:
        self._panels.host.work.cancel(self._task)

    def forget(self) -> None:
        """Another document: what runs there does not count here."""
        self._generation += 1
        self._over()
        self.task, self.failure = None, ("", "")

    def clear_failure(self) -> None:
        self.failure = ("", "")

    def follow(self, tasks: tuple[Task, ...]) -> Task | None:
        """The row of what runs in the list of all that runs."""
        self.task = next((task for task in tasks if task.id == self._task), None) if self._task else None
        return self.task

    def _end(self, generation: int, step: Step | None) -> None:
        if generation != self._generation:
            return
        self._over()
        if self.scope == "slice":
            self._guess_s[self.name] = time.monotonic() - self._started
        self.changed.emit()
        if step is not None:
            self.done.emit(step)

    def _fail(self, generation: int, error: BaseException) -> None:
        if generation != self._generation:
            return
        self._over()
        if not isinstance(error, OperationCancelled):
            self.failure = (str(error), str(getattr(error, "details", "")))
        self.changed.emit()

    def _over(self) -> None:
        self._task = ""
        self._soon.stop()
