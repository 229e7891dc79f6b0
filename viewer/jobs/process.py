"""One worker process seen from the program: start, talk, look at its memory, end."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viewer.core.words import _
from viewer.jobs import channel


class WorkerProcess:
    """A started worker. It is ready when the first message can be sent, which is at once: the socket buffers."""

    def __init__(self, warm: Sequence[str] = ()) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # A fresh interpreter, never a fork: fork after Qt and BLAS threads is undefined. Its stdout is our stderr,
            # so that nothing a library prints can end up in the program's own output.
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "import sys; from viewer.jobs.worker import serve; serve(int(sys.argv[1]), sys.argv[2:])",
                    str(theirs.fileno()),
                    *warm,
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            )
        self._connection = ours
        self.calls = 0
        self._start_rss: int | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Any) -> None:
        channel.send(self._connection, message)

    def wait_readable(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._connection], [], [], max(0.0, timeout_s))
        return bool(ready)

    def receive(self) -> Any:
        return channel.receive(self._connection)

    def rss(self) -> int:
        """Resident bytes, without the mapped shared arrays where the system tells them apart; 0 if unknown."""
        try:
            with Path(f"/proc/{self._process.pid}/statm").open() as file:
                fields = file.read().split()
            return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGESIZE")
        except (OSError, IndexError, ValueError):
            return 0

    def has_grown(self) -> bool:
        """Whether it holds much more memory than after its first call, and had better be replaced."""
        if self._start_rss is None:
            self._start_rss = self.rss()
        return self.rss() > self._start_rss * 1.5 + (512 << 20)

    def exit_text(self) -> str:
        """How it ended, in words."""
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return _("it stopped answering")
        if code < 0:
            import signal

            return _("it was ended by {name}").format(name=signal.Signals(-code).name)
        return _("it ended with code {code}").format(code=code)

    def end(self) -> None:
        """Kill at once and collect; safe to call twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._connection.close()

    def close(self, patience_s: float = 1.0) -> None:
        """Close the channel, which ends an idle worker by itself; kill what does not go."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # already gone
        limit = time.monotonic() + patience_s
        while self._process.poll() is None and time.monotonic() < limit:
            time.sleep(0.005)
        self.end()
