"""What the Classify tab has running: one run at a time, with its progress, how it ended, and what it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from viewer.api import NegatoscopeError, OperationCancelled
from viewer.api.panel import PanelHost, Step, Task

CLASSIFY, HEAT_MAP = "Classify/Classify", "Classify/Heat map"
FIRST_GUESS_S = 2.0
"""How long a first run takes, with the libraries to be loaded; later ones are guessed from the one before."""


class Runs:
    """Starts an operation of the Classify menu on the image in view, and knows whether it is still going on.

    Parameters
    ----------
    panel_host : PanelHost
    changed : callable
        Called when a run has begun, gone on or ended.
    done : callable
        Called with the step that a run has brought.
    """

    def __init__(self, panel_host: PanelHost, changed: Callable[[], None], done: Callable[[Step], None]) -> None:
        self._panels, self._changed, self._done = panel_host, changed, done
        self._task, self._started = "", 0.0
        self._guess_s: dict[str, float] = {}
        self._generation = 0
        self.name, self.scope = "", ""
        """What runs, or ran last, and on what: slice or volume."""
        self.failure = ("", "")
        """What went wrong the last time and its details; "" and "" if nothing did."""
        self.task: Task | None = None

    @property
    def is_running(self) -> bool:
        return bool(self._task)

    def is_running_heat(self) -> bool:
        return self.is_running and self.name == HEAT_MAP

    def guess_s(self, name: str) -> int:
        """About how many seconds it will take."""
        return max(1, round(self._guess_s.get(name, FIRST_GUESS_S)))

    def start(self, name: str, parameters: Mapping[str, Any], scope: str) -> int:
        """Begin, on the device that the settings name; the number of planes that are worked on, 0 if it was refused (the message bar says why)."""
        host = self._panels.host
        self.failure, self.task = ("", ""), None
        self._generation += 1
        generation = self._generation
        try:
            known = {parameter.name for parameter in host.registry.spec(name, host.pool).parameters}
            device = str(host.settings.get("device", "") or "")
            given = {**parameters, **({"device": device} if device else {})}
            call = host.prepare(name, {key: value for key, value in given.items() if key in known}, host.scope(scope))
        except NegatoscopeError as err:
            self.failure = (str(err), "")
            self._changed()
            return 0
        self.name, self.scope, self._started = name, scope, time.monotonic()
        task = host.run(call, lambda step: self._end(generation, step), lambda error: self._fail(generation, error))
        # In a pool that runs inline the job is over before its id is known.
        self._task = task if host.work.is_running(task) else ""
        self._changed()
        return int(call.images[0].geometry.shape[0])

    def cancel(self) -> None:
        self._panels.host.work.cancel(self._task)

    def forget(self) -> None:
        """Another document: what runs there does not count here."""
        self._generation += 1
        self._task, self.task, self.failure = "", None, ("", "")

    def clear_failure(self) -> None:
        self.failure = ("", "")

    def follow(self, tasks: tuple[Task, ...]) -> Task | None:
        """The row of what runs in the list of all that runs."""
        self.task = next((task for task in tasks if task.id == self._task), None) if self._task else None
        return self.task

    def _end(self, generation: int, step: Step | None) -> None:
        if generation != self._generation:
            return
        self._task = ""
        if self.scope == "slice":
            self._guess_s[self.name] = time.monotonic() - self._started
        self._changed()
        if step is not None:
            self._done(step)

    def _fail(self, generation: int, error: BaseException) -> None:
        if generation != self._generation:
            return
        self._task = ""
        if not isinstance(error, OperationCancelled):
            self.failure = (str(error), str(getattr(error, "details", "")))
        self._changed()
