"""Jobs as the window sees them: a list with progress and one action each, and results back on the window's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from viewer.core.errors import OperationCancelled
from viewer.core.ids import new_id
from viewer.jobs.pool import Job

TaskState = Literal["waiting", "running", "done", "failed", "cancelled"]
DONE_LEAVES_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the Jobs popover."""

    id: str
    title: str
    state: TaskState = "running"
    done: int = 0
    total: int = 0
    """``done`` of ``total``; total 0 is "not known"."""
    text: str = ""
    started: float = 0.0
    ended: float = 0.0
    error: str = ""
    details: str = ""
    is_quiet: bool = False
    """Not listed (previews, thumbnails)."""

    @property
    def fraction(self) -> float | None:
        return self.done / self.total if self.total else None

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None while that says nothing."""
        spent = time.monotonic() - self.started
        if not self.total or self.done <= 0 or spent < 0.5:
            return None
        return spent * (self.total - self.done) / self.done


@dataclass(slots=True)
class _Held:
    task: Task
    cancel: Callable[[], None]
    on_result: Callable[[Any], None]
    on_error: Callable[[BaseException], None]


class Work(QObject):
    """The one owner of everything that runs beside the window. Its callbacks all come on the window's thread."""

    changed = Signal(object)
    """tuple[Task, ...]: the list, at most thirty times a second."""

    _back = Signal(str, object, object)
    _progressed = Signal(str, int, int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held: dict[str, _Held] = {}
        self._finished: list[Task] = []
        self._threads: set[threading.Thread] = set()
        self._closing = False
        self._home = threading.get_ident()
        self._sending = threading.Lock()
        self._back.connect(self._take_back)
        self._progressed.connect(self._take_progress)
        self._announce = QTimer(self)
        self._announce.setSingleShot(True)
        self._announce.setInterval(33)
        self._announce.timeout.connect(self._emit)

    def tasks(self) -> tuple[Task, ...]:
        """What waits, runs or ended in the last minute, oldest first."""
        limit = time.monotonic() - DONE_LEAVES_AFTER_S
        self._finished = [t for t in self._finished if t.state == "failed" or t.ended > limit]
        return (*self._finished, *(h.task for h in self._held.values() if not h.task.is_quiet))

    @property
    def is_idle(self) -> bool:
        """Whether nothing at all will call back, listed or not."""
        return not self._held

    @property
    def is_busy(self) -> bool:
        return any(not h.task.is_quiet for h in self._held.values())

    def follow(
        self,
        job: Job,
        title: str,
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        *,
        finish: Callable[[Any], Any] | None = None,
        quiet: bool = False,
    ) -> str:
        """Watch a pool's job. ``finish`` runs on the pool's thread with the result (heavy but pure work); then one of the callbacks here."""
        task_id = self._add(title, job.cancel, on_result, on_error, quiet)

        def over(ended: Job) -> None:
            error, result = ended.error, None
            if error is None:
                try:
                    result = ended.result()
                    if finish is not None:
                        result = finish(result)
                except Exception as err:  # noqa: BLE001  goes to on_error on the window's thread
                    error = err
            self._send("_back", task_id, result, error)

        job.on_progress(lambda j: self._send("_progressed", task_id, int((j.progress or 0) * 1000), 1000, j.progress_text))
        job.on_done(over)
        return task_id

    def run_thread(
        self,
        function: Callable[[Callable[[int, int], None]], Any],
        title: str,
        on_result: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        *,
        quiet: bool = False,
    ) -> str:
        """Run waiting work (files, indexing) in a thread; ``function`` gets ``progress(done, total)``, which raises after Cancel."""
        cancelled = threading.Event()
        task_id = self._add(title, cancelled.set, on_result, on_error, quiet)
        last = [0.0]

        def progress(done: int, total: int) -> None:
            if cancelled.is_set():
                raise OperationCancelled("Cancelled.")
            now = time.monotonic()
            if now - last[0] > 0.03 or done == total:
                last[0] = now
                self._send("_progressed", task_id, done, total, "")

        def run() -> None:
            try:
                result, error = function(progress), None
            except Exception as err:  # noqa: BLE001  goes to on_error on the window's thread
                result, error = None, err
            self._send("_back", task_id, result, error)
            self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=f"work-{title}", daemon=True)
        self._threads.add(thread)
        thread.start()
        return task_id

    def cancel(self, task_id: str) -> None:
        held = self._held.get(task_id)
        if held is not None:
            held.cancel()

    def is_running(self, task_id: str) -> bool:
        return task_id in self._held

    def forget(self, task_id: str) -> None:
        """Take an ended task off the list."""
        self._finished = [t for t in self._finished if t.id != task_id]
        self._emit()

    def close(self) -> None:
        """Cancel everything and wait for the threads."""
        with self._sending:
            self._closing = True
        for held in list(self._held.values()):
            held.cancel()
        for thread in list(self._threads):
            thread.join()
        self._held.clear()

    def _send(self, signal: Literal["_back", "_progressed"], *values: Any) -> None:
        """Emit, unless this is closed: with the window the object is gone, and a thread that emits then ends the program."""
        is_home = threading.get_ident() == self._home  # the callbacks run in here then, and may close
        with nullcontext() if is_home else self._sending:
            if not self._closing:
                getattr(self, signal).emit(*values)

    def _add(
        self, title: str, cancel: Callable[[], None], on_result: Callable[[Any], None], on_error: Callable[[BaseException], None], quiet: bool
    ) -> str:
        task = Task(new_id("task"), title, started=time.monotonic(), is_quiet=quiet)
        self._held[task.id] = _Held(task, cancel, on_result, on_error)
        self._soon()
        return task.id

    def _take_progress(self, task_id: str, done: int, total: int, text: str) -> None:
        held = self._held.get(task_id)
        if held is not None:
            held.task = replace(held.task, done=done, total=total, text=text)
            self._soon()

    def _take_back(self, task_id: str, result: Any, error: BaseException | None) -> None:
        held = self._held.pop(task_id, None)
        if held is None:
            return
        state: TaskState = "done" if error is None else "cancelled" if isinstance(error, OperationCancelled) else "failed"
        ended = replace(held.task, state=state, ended=time.monotonic(), error=str(error or ""), details=getattr(error, "details", ""))
        if not ended.is_quiet and state != "cancelled":
            self._finished.append(ended)
        self._soon()
        if error is None:
            held.on_result(result)
        else:
            held.on_error(error)

    def _soon(self) -> None:
        if not self._announce.isActive():
            self._announce.start()

    def _emit(self) -> None:
        self.changed.emit(self.tasks())
