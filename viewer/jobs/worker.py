"""The inside of a worker process: waits for calls, makes them, sends back progress and one result each.

:mod:`viewer.jobs.process` starts it with :func:`serve`; the modules named are imported while there is nothing to do.
"""

from __future__ import annotations

import importlib
import inspect
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.words import _
from viewer.jobs import channel

_PROGRESS_INTERVAL_S = 0.03


class Reporter:
    """The ``progress`` argument of a function: call it with a fraction (0..1) and, if it helps, a text."""

    def __init__(self, send: Callable[[float, str], None], cancelled: Callable[[], bool]) -> None:
        self._send, self._cancelled, self._last = send, cancelled, 0.0

    def __call__(self, fraction: float, text: str = "") -> None:
        """Raises OperationCancelled when the user has cancelled meanwhile."""
        if self._cancelled():
            raise OperationCancelled(_("Cancelled."))
        now = time.monotonic()
        if fraction >= 1 or now - self._last >= _PROGRESS_INTERVAL_S:
            self._last = now
            self._send(min(1.0, max(0.0, fraction)), text)


def call(function: str, arguments: dict[str, Any], progress: Reporter) -> Any:
    """Import ``package.module:name`` and call it; ``progress`` is passed if the function takes it."""
    module, _, name = function.partition(":")
    target: Any = importlib.import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    if "progress" not in arguments and "progress" in inspect.signature(target).parameters:
        arguments = {**arguments, "progress": progress}
    return target(**arguments)


def describe_failure(error: BaseException) -> tuple[str, Any, str]:
    """(kind, payload, traceback text) of an exception, in a form that can be sent."""
    if isinstance(error, NegatoscopeError):
        return "refused", error, ""
    text = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return "memory", str(error) or _("out of memory"), text
    return "fault", f"{type(error).__name__}: {error}", text


class _Inbox:
    """Reads the socket in a thread of its own, so that a cancel is seen and an orphan ends, whatever runs."""

    def __init__(self, connection: socket.socket) -> None:
        self.calls: queue.SimpleQueue[tuple[int, str, dict[str, Any], int | None]] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self._connection = connection
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                message = channel.receive(self._connection)
            except channel.ChannelClosed:
                os._exit(0)
            if message[0] == "cancel":
                self.cancelled.set()
            else:
                self.calls.put(message[1:])


def _limit_address_space(size: int | None) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard if size is None else _used_address_space() + size, hard))


def _used_address_space() -> int:
    try:
        with Path("/proc/self/statm").open() as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 1 << 30


def serve(descriptor: int, warm: list[str]) -> None:
    """Answer calls until the program closes the channel."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where a job makes its next part beside the one in work, each waits up to this long for its turn; the usual 5 ms are longer than a part.
    sys.setswitchinterval(0.0005)
    connection = socket.socket(fileno=descriptor)
    lock = threading.Lock()
    inbox = _Inbox(connection)

    def send(message: Any) -> None:
        with lock:
            channel.send(connection, message)

    while True:
        if warm and inbox.calls.empty():
            name = warm.pop(0)
            try:
                importlib.import_module(name)
            except ImportError:
                pass  # it will be reported by the job that needs it
            continue
        number, function, arguments, address_space = inbox.calls.get()
        inbox.cancelled.clear()

        def report(fraction: float, text: str, number: int = number) -> None:
            send(("progress", number, fraction, text))

        try:
            if address_space is not None:
                _limit_address_space(address_space)
            try:
                result = call(function, arguments, Reporter(report, inbox.cancelled.is_set))
            finally:
                if address_space is not None:
                    _limit_address_space(None)
            send(("result", number, result))
        except channel.ChannelClosed:
            os._exit(0)
        except BaseException as error:  # noqa: BLE001  extensions raise outside Exception (Rust panics), and a worker must answer
            try:
                send(("failed", number, *describe_failure(error)))
            except Exception:  # noqa: BLE001  an error whose payload cannot be sent
                send(("failed", number, "fault", f"{type(error).__name__}", traceback.format_exc()))
        del arguments  # let go of the shared arrays before waiting
        result = None
