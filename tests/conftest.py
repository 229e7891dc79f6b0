"""What every test gets: a home of its own, the shared data, and noise that fails.

After each test nothing may be left behind: no thread, no child process, no temporary file, no shared array, no file
outside the test's own folders, and no word with the network. ``@pytest.mark.leaves("threads", ...)`` names an exception
(blocks, children, files, temporary, threads), with a reason beside it.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings

from tests.worker_deaths import *  # noqa: F403  its hooks
from viewer.core import memory

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["LANGUAGE"] = "en"  # the program speaks the language of the system
ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 3.0

settings.register_profile("negatoscope", deadline=None, database=None, print_blob=True)
settings.load_profile("negatoscope")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # see _collect_garbage
    config.addinivalue_line("markers", "leaves(*what): this test may leave something behind: blocks, children, files, temporary, threads")


# --- what tests use ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data beside the checkout; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not (folder / "expected.json").is_file():
        pytest.skip(f"no shared data at {folder}")
    return folder


@pytest.fixture
def inline_pool() -> Iterator[Any]:
    """A pool that runs its jobs in this process."""
    from viewer.jobs.pool import Pool

    pool = Pool(inline=True)
    yield pool
    pool.close()


# --- noise is failure ----------------------------------------------------------------------------------------------


class _Watch:
    """Notes what the audit hook sees while a test runs; a swallowed exception would hide it."""

    active: ClassVar[bool] = False
    network: ClassVar[list[str]] = []
    written: ClassVar[list[str]] = []
    allowed: ClassVar[tuple[str, ...]] = ()


# Places where the interpreter and the test tools themselves write.
_TOOLS = ("/dev/", "/proc/", str(ROOT / ".pytest_cache"), str(ROOT / ".hypothesis"), str(ROOT / ".coverage"))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_PATH_EVENTS = {"os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.truncate": (0,), "os.symlink": (1,), "os.link": (1,)}


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _Watch.active:
        return
    if event == "open":
        path, _, flags = arguments
        if flags & _WRITING and not isinstance(path, int):
            _note_write(path)
    elif event in _PATH_EVENTS:
        relative = any(isinstance(a, int) and a >= 0 for a in arguments[1:]) and event != "os.mkdir"  # to a folder's descriptor
        for position in _PATH_EVENTS[event]:
            if not isinstance(arguments[position], int) and not (relative and not os.path.isabs(arguments[position])):
                _note_write(arguments[position])
    elif event in ("socket.connect", "socket.bind", "socket.sendto"):
        if arguments[0].family != getattr(socket, "AF_UNIX", None):
            _refuse_network(f"{event} {arguments[1:]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _refuse_network(f"{event} {arguments[:2]}")


def _note_write(path: Any) -> None:
    text = os.path.abspath(os.fsdecode(path))
    if not text.startswith(_Watch.allowed) and not text.startswith(_TOOLS) and "__pycache__" not in text:
        _Watch.written.append(text)


def _refuse_network(what: str) -> None:
    _Watch.network.append(what)
    raise PermissionError(f"no network in tests: {what}")


sys.addaudithook(_audit)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    if outcome.get_result().failed:
        item.stash[_failed] = True


_failed = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The folder of this run's homes, and pytest's own, both made before TMPDIR is turned to the first."""
    base = tmp_path_factory.getbasetemp().resolve()
    folder = Path(tempfile.mkdtemp(prefix="negatoscope-tests-")).resolve()
    yield folder, base
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def noise_is_failure(request: pytest.FixtureRequest, _own_folder: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home, settings and a temporary folder of its own, and a look at what is left behind."""
    folder, base = _own_folder
    own = Path(tempfile.mkdtemp(dir=folder))
    home, temporary = own / "home", own / "tmp"
    home.mkdir(mode=0o700)
    temporary.mkdir(mode=0o700)
    for name, part in (
        ("HOME", ""), ("USERPROFILE", ""), ("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CACHE_HOME", ".cache"), ("XDG_STATE_HOME", ".local/state"), ("APPDATA", "AppData"), ("LOCALAPPDATA", "AppData"),
    ):  # fmt: skip
        monkeypatch.setenv(name, str(home / part))
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    threads, children, blocks = set(threading.enumerate()), _children(), memory.live_blocks()
    _Watch.network, _Watch.written, _Watch.allowed = [], [], (str(folder), str(base))
    _Watch.active = True
    yield
    _Watch.active = False
    marker = request.node.get_closest_marker("leaves")
    permitted = set(marker.args) if marker else set()
    complaints = [f"talked to the network: {what}" for what in _Watch.network]
    if "files" not in permitted:
        complaints += [f"wrote outside its folders: {path}" for path in _Watch.written]
    if not request.node.stash.get(_failed, False):
        complaints += _left_behind(permitted, threads, children, blocks, temporary)
    shutil.rmtree(own, ignore_errors=True)
    _collect_garbage()
    if complaints:
        pytest.fail("; ".join(complaints), pytrace=False)


def _collect_garbage() -> None:
    """What Python would do meanwhile, but on this thread: what a window has left must not go on a thread that happens to make much."""
    counts = gc.get_count()
    if counts[0] > 20_000:
        gc.collect(2 if counts[1] > 20 else 1)


def _left_behind(permitted: set[str], threads: set[threading.Thread], children: set[int], blocks: int, temporary: Path) -> list[str]:
    complaints = []
    if "threads" not in permitted and (left := _after_patience(lambda: set(threading.enumerate()) - threads)):
        complaints.append(f"left threads: {[t.name for t in left]}")
    if "children" not in permitted and (pids := _after_patience(lambda: _children() - children)):
        complaints.append(f"left child processes: {sorted(pids)}")
    if "blocks" not in permitted and (arrays := _after_patience(lambda: _blocks_over(blocks))):
        complaints.append(f"left {len(arrays)} shared arrays alive")
    if "temporary" not in permitted and (files := os.listdir(temporary)):
        complaints.append(f"left temporary files: {files[:5]}")
    return complaints


def _blocks_over(count: int) -> set[int]:
    """One number for each shared array beyond so many; cycles are only looked for where there are any: that costs more than a test."""
    if memory.live_blocks() > count:
        gc.collect()
    return set(range(count, memory.live_blocks()))


def _after_patience(left: Callable[[], set[Any]]) -> set[Any]:
    """What is still there once it had time to go: ends are asynchronous. Nothing is waited for where nothing is left."""
    end = time.monotonic() + PATIENCE_S
    while (rest := left()) and time.monotonic() < end:
        threading.Event().wait(0.01)
    return rest


def _children() -> set[int]:
    """Pids of this process's children, less multiprocessing's tracker, which lives as long as we do."""
    pids: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            pids.update(int(pid) for pid in task.read_text().split())
        except OSError:
            continue  # the thread ended between the listing and the reading
    return pids - {getattr(resource_tracker._resource_tracker, "_pid", None) or 0}
