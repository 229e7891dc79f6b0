"""Why a process that ran tests died: its exit and the tracebacks of its threads, at the end of the run's output."""

from __future__ import annotations

import faulthandler
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest

__all__ = ["pytest_configure_node", "pytest_sessionstart", "pytest_terminal_summary", "pytest_testnodedown", "pytest_unconfigure"]
_folder = pytest.StashKey[Path]()
_open = pytest.StashKey[Any]()
_deaths = pytest.StashKey[list[str]]()


def memory_kib(field: str, path: str = "/proc/self/status") -> int:
    """A number of Linux' tables of memory; 0 where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field + ":")), 0)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the process that hands out the tests: tell the worker where to write."""
    if _folder not in node.config.stash:
        node.config.stash[_folder] = Path(tempfile.mkdtemp(prefix="negatoscope-deaths-"))
    node.workerinput["faults"] = str(node.config.stash[_folder] / node.gateway.id)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In a worker; after pytest's own, which would write where nobody may look."""
    path = getattr(session.config, "workerinput", {}).get("faults")
    if path:
        session.config.stash[_open] = file = Path(path).open("w")  # noqa: SIM115  as long as the process
        faulthandler.enable(file)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """A worker has gone; ``error`` if it did not say so."""
    if not error:
        return
    process = node.gateway._io.popen
    try:
        code = process.wait(5)
    except Exception:  # noqa: BLE001  whatever is not known is no reason to hide the rest
        code = None
    how = f"signal {-code}, {signal.strsignal(-code)}" if code is not None and code < 0 else f"code {code}"
    free = memory_kib("MemAvailable", "/proc/meminfo") // 1024
    written = Path(node.workerinput["faults"]).read_text(errors="replace").strip()
    node.config.stash.setdefault(_deaths, []).append(
        f"{node.gateway.id} ended with {how}; {free} MiB of memory were free.\n{written or 'It wrote no traceback.'}"
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for death in config.stash.get(_deaths, []):
        terminalreporter.section("a worker died", red=True)
        terminalreporter.write_line(death)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _folder in config.stash:
        shutil.rmtree(config.stash[_folder], ignore_errors=True)
