"""The pool: hands jobs to worker processes, watches over them, replaces those that die.

A worker for each processor by default, and a spare; none is started before it is needed. Where processes with passed
descriptors do not exist (Windows), and with ``inline=True``, a job runs in the caller's process at once: the same
functions, without the isolation. Jobs of a lane run one after the other in one worker of their own, which keeps what it has loaded.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from viewer.core.errors import JobFailed, OperationCancelled
from viewer.core.words import _
from viewer.jobs import channel, worker
from viewer.jobs.channel import Writable
from viewer.jobs.process import WorkerProcess

State = Literal["waiting", "running", "done", "failed", "cancelled"]
CANCEL_PATIENCE_S = 0.2
_POLL_S = 0.25
_LANE_KEEPS_BYTES = 4 << 30
"""A lane's worker that holds more than this after a job, or half of what a job may use, makes way for a fresh one."""
_MOST_WORKERS, _WARM_WORKERS = 8, 2

__all__ = ["Job", "Limits", "Pool", "Progress", "Writable"]


class Progress(Protocol):
    """The type of a ``progress`` parameter; the worker fills it."""

    def __call__(self, fraction: float, text: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use. ``address_space``: bytes on top of the warm worker (hard, for decoders); ``memory``: resident bytes (watched).

    ``seconds``: from its start to its end; ``silence``: seconds without a word of progress.
    """

    seconds: float | None = None
    silence: float | None = None
    address_space: int | None = None
    memory: int | None = None


def default_workers() -> int:
    """One for each processor that this program may use, two at least."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, min(_MOST_WORKERS, usable))


class Job:
    """One call in a worker. Callbacks come on a pool thread (or at once, if it is over already)."""

    def __init__(self, number: int, function: str, arguments: dict[str, Any], limits: Limits, title: str) -> None:
        self.number, self.function, self.limits, self.title = number, function, limits, title
        self.state: State = "waiting"
        self.progress: float | None = None
        self.progress_text = ""
        self.started_at = 0.0
        self._arguments: dict[str, Any] | None = arguments
        self._result: Any = None
        self._error: BaseException | None = None
        self._over = threading.Event()
        self._cancel = threading.Event()
        self._lock = threading.Lock()
        self._done_callbacks: list[Callable[[Job], None]] = []
        self._progress_callbacks: list[Callable[[Job], None]] = []

    @property
    def done(self) -> bool:
        """Over, in whichever way."""
        return self._over.is_set()

    @property
    def error(self) -> BaseException | None:
        return self._error

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the end; the result, or the error raised here. TimeoutError if it takes longer than ``timeout`` seconds."""
        if not self._over.wait(timeout):
            raise TimeoutError(f"{self.function} is still running")
        error = self._error
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error, self  # else job, error and the frames that it went through, with their arrays, would hold each other

    def cancel(self) -> None:
        """Ask it to stop; a function that does not listen is ended with its process after a moment."""
        self._cancel.set()
        with self._lock:
            if self.state != "waiting":
                return
        self._finish("cancelled", None, OperationCancelled(_("Cancelled.")))

    @property
    def cancel_asked(self) -> bool:
        return self._cancel.is_set()

    def on_done(self, callback: Callable[[Job], None]) -> None:
        with self._lock:
            if not self._over.is_set():
                self._done_callbacks.append(callback)
                return
        callback(self)

    def on_progress(self, callback: Callable[[Job], None]) -> None:
        self._progress_callbacks.append(callback)

    def _begin(self) -> dict[str, Any] | None:
        with self._lock:
            if self._over.is_set() or self._arguments is None:
                return None
            self.state, self.started_at = "running", time.monotonic()
            arguments, self._arguments = self._arguments, None
            return arguments

    def _report(self, fraction: float, text: str) -> None:
        self.progress, self.progress_text = fraction, text
        for callback in list(self._progress_callbacks):
            callback(self)

    def _finish(self, state: State, result: Any, error: BaseException | None) -> None:
        with self._lock:
            if self._over.is_set():
                return
            self.state, self._result, self._error = state, result, error
            self._arguments = None
            callbacks, self._done_callbacks = self._done_callbacks, []
            self._progress_callbacks = []
            self._over.set()
        for callback in callbacks:
            callback(self)


class Pool:
    """Runs jobs in worker processes. Close it, or use it as a context manager; nothing starts before the first job or ``warm``.

    ``inline``: jobs run where they are submitted, without limits; with ``lanes`` those of a lane get their worker, and limits, all the same.
    """

    def __init__(self, workers: int | None = None, *, inline: bool = False, lanes: bool = False, warm: Sequence[str] = ()) -> None:
        self._count = workers or default_workers()
        self.inline = inline or os.name != "posix"
        self._has_lanes = not self.inline or (lanes and os.name == "posix")
        self._warm = tuple(warm)
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lanes: dict[str, tuple[queue.SimpleQueue[Job | None], threading.Thread]] = {}
        self._replaced: dict[str, int] = {}
        self._spares: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._numbers = 0
        self._closed = False
        self._running: set[Job] = set()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def workers(self) -> int:
        """How many jobs run at a time."""
        return 1 if self.inline else self._count

    def submit(self, function: str, arguments: dict[str, Any], *, limits: Limits | None = None, title: str = "", lane: str = "") -> Job:
        """Queue a call of ``package.module:name`` with keyword arguments. Raises OperationCancelled once the pool is closed.

        ``lane``: jobs that name the same one share a worker, one after the other; "" takes any worker that is free.
        """
        with self._lock:
            if self._closed:
                raise OperationCancelled(_("Cancelled: the program is closing."))
            self._numbers += 1
            job = Job(self._numbers, function, arguments, limits or Limits(), title)
            # Under the lock: what is queued once the pool is closed would wait for ever.
            is_here = self.inline and not (lane and self._has_lanes)
            if not is_here:
                self._queue_of(lane).put(job)
        if is_here:
            self._run_here(job)
        return job

    def replaced(self, lane: str) -> int:
        """How often the worker of a lane has died or was stopped: what it had loaded is gone, and may be loaded again.

        One that was ended for all that it keeps does not count: loaded again, it would be ended again.
        """
        return self._replaced.get(lane, 0)

    def warm(self) -> None:
        """Start the workers and a spare now, so that the first job finds them ready."""
        if not self.inline:
            with self._lock:
                if not self._closed:
                    self._start_threads()
                while not self._closed and len(self._spares) < min(self._count, _WARM_WORKERS) + 1:
                    self._spares.append(WorkerProcess(self._warm))

    def start_one(self) -> None:
        """Start a single worker now, without the imports of ``warm``: for what is to be decoded while the program itself still starts."""
        if not self.inline:
            with self._lock:
                if not self._closed and not self._spares:
                    self._spares.append(WorkerProcess())

    def close(self) -> None:
        """Cancel what runs, end all workers, join all threads."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            running, spares, self._spares = list(self._running), self._spares, []
        for job in running:
            job.cancel()
        attended = [(self._queue, thread) for thread in self._threads] + list(self._lanes.values())
        for jobs, _thread in attended:
            _cancel_all(jobs)
        for jobs, _thread in attended:
            jobs.put(None)
        for _jobs, thread in attended:
            thread.join()
        for process in spares:
            process.close()

    def _start_threads(self) -> None:
        """With the lock held."""
        while len(self._threads) < self._count:
            thread = threading.Thread(target=self._attend, args=(self._queue,), name=f"pool-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _queue_of(self, lane: str) -> queue.SimpleQueue[Job | None]:
        """With the lock held: what a lane's thread, or ("") that of any worker, takes its jobs from."""
        if not lane or not self._has_lanes:
            self._start_threads()
            return self._queue
        if lane not in self._lanes:
            jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
            thread = threading.Thread(target=self._attend, args=(jobs, lane), name=f"pool-lane-{lane}", daemon=True)
            self._lanes[lane] = jobs, thread
            thread.start()
        return self._lanes[lane][0]

    def _take_process(self) -> WorkerProcess:
        with self._lock:
            if self._spares:
                return self._spares.pop(0)
        return WorkerProcess(self._warm)

    def _replace_spare(self) -> None:
        with self._lock:
            if not self._closed and not self._spares:
                self._spares.append(WorkerProcess(self._warm))

    def _attend(self, jobs: queue.SimpleQueue[Job | None], lane: str = "") -> None:
        """Life of a pool thread: one job after the other on one worker process."""
        process: WorkerProcess | None = None
        while (job := jobs.get()) is not None:
            arguments = job._begin()
            if arguments is None:
                continue
            with self._lock:
                self._running.add(job)
                if self._closed:  # closing had no eye on it yet
                    job.cancel()
            # Not a spare for a lane: it may be in the middle of importing what is not needed there.
            process = process or (WorkerProcess() if lane else self._take_process())
            survived = False
            try:
                survived = self._watch(process, job, arguments)
            except Exception as err:  # noqa: BLE001  arguments that cannot be sent: the job fails, the thread lives
                job._finish("failed", None, JobFailed(_("The job could not be handed to a worker: {reason}").format(reason=err)))
            del arguments
            # What earlier jobs left there counts for the next one, which would be stopped for it.
            keeps = min(_LANE_KEEPS_BYTES, (job.limits.memory or 2 * _LANE_KEEPS_BYTES) // 2)
            if not survived or (process.rss() > keeps if lane else process.has_grown()):
                process.end()
                process = None
                if not lane:
                    self._replace_spare()
                elif not survived:
                    self._replaced[lane] = self._replaced.get(lane, 0) + 1
            with self._lock:
                self._running.discard(job)
            del job
        if process is not None:
            process.close()

    def _watch(self, process: WorkerProcess, job: Job, arguments: dict[str, Any]) -> bool:
        """Run one job on one process; True if the process can take another."""
        limits = job.limits
        poll_s = min(_POLL_S, limits.seconds or _POLL_S, limits.silence or _POLL_S)
        heard_at = job.started_at
        try:
            process.send(("call", job.number, job.function, arguments, limits.address_space))
            arguments.clear()
            asked_at: float | None = None
            while True:
                if process.wait_readable(0.01 if job.cancel_asked else poll_s):
                    message = process.receive()
                    heard_at = time.monotonic()
                    if message[0] == "progress":
                        job._report(message[2], message[3])
                    else:
                        _conclude(job, message)
                        return True
                now = time.monotonic()
                if job.cancel_asked:
                    if asked_at is None:
                        asked_at = now
                        process.send(("cancel",))
                    elif now - asked_at > CANCEL_PATIENCE_S:
                        job._finish("cancelled", None, OperationCancelled(_("Cancelled.")))
                        return False
                if limits.seconds is not None and now - job.started_at > limits.seconds:
                    job._finish("failed", None, JobFailed(_("It took longer than {seconds:.0f} s and was stopped.").format(seconds=limits.seconds)))
                    return False
                if limits.silence is not None and now - heard_at > limits.silence:
                    words = _("Nothing was heard of it for {seconds:.0f} s, so it was stopped.").format(seconds=limits.silence)
                    job._finish("failed", None, JobFailed(words))
                    return False
                if limits.memory is not None and process.rss() > limits.memory:
                    job._finish(
                        "failed",
                        None,
                        JobFailed(_("It needed more than {size:.1f} GiB of memory and was stopped.").format(size=limits.memory / 2**30)),
                    )
                    return False
        except channel.ChannelClosed:
            if job.cancel_asked:
                job._finish("cancelled", None, OperationCancelled(_("Cancelled.")))
            else:
                job._finish("failed", None, JobFailed(_("The worker process died: {reason}.").format(reason=process.exit_text())))
            return False

    def _run_here(self, job: Job) -> None:
        arguments = job._begin()
        if arguments is None:
            return
        try:
            result = worker.call(job.function, _read_only(arguments), worker.Reporter(job._report, lambda: job.cancel_asked))
        except KeyboardInterrupt:
            raise  # the user's, not the job's
        except BaseException as error:  # noqa: BLE001  whatever it is belongs to the job, as in a worker: sys.exit() of a plugin too
            _conclude(job, ("failed", job.number, *worker.describe_failure(error)))
        else:
            _conclude(job, ("result", job.number, result))


def _cancel_all(jobs: queue.SimpleQueue[Job | None]) -> None:
    while True:
        try:
            waiting = jobs.get_nowait()
        except queue.Empty:
            return
        if waiting is not None:
            waiting.cancel()


def _conclude(job: Job, message: Any) -> None:
    if message[0] == "result":
        if job.cancel_asked:
            job._finish("cancelled", None, OperationCancelled(_("Cancelled.")))
        else:
            job._finish("done", message[2], None)
        return
    kind, payload, details = message[2:]
    if isinstance(payload, OperationCancelled):
        job._finish("cancelled", None, payload)
    elif kind == "refused":
        job._finish("failed", None, payload)
    elif kind == "memory":
        job._finish("failed", None, JobFailed(_("It needed more memory than it may use."), details))
    else:
        job._finish("failed", None, JobFailed(_("It failed inside: {reason}").format(reason=payload), details))


def _read_only(value: Any) -> Any:
    """The arguments as a worker would see them: arrays read-only unless wrapped in Writable."""
    if isinstance(value, Writable):
        return value.array
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    if isinstance(value, dict):
        return {k: _read_only(v) for k, v in value.items()}
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(_read_only(v) for v in value)
    return value
