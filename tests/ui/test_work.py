"""Results of threads come to the window's thread, and none once the window is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from tests.ui.window_samples import PATIENCE_MS
from viewer.jobs.pool import Job, Limits, Pool
from viewer.ui.work import Work

ADD = "tests.jobs.job_samples:add"


@pytest.fixture
def work(qapp: Any) -> Iterator[Work]:
    made = Work()
    yield made
    made.close()


def destroy(work: Work) -> None:
    work.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_result_of_a_thread_comes_on_the_windows_thread(work: Work, qtbot: Any) -> None:
    got: list[tuple[Any, int]] = []
    work.run_thread(lambda _progress: 7, "seven", lambda result: got.append((result, threading.get_ident())), lambda error: None)
    qtbot.waitUntil(lambda: bool(got), timeout=PATIENCE_MS)
    assert got == [(7, threading.get_ident())]


def test_closing_waits_for_a_thread_that_is_about_to_tell_its_result(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its object goes right after: a thread that is past the question whether the window lives must have told by then."""
    asked, go_on, told = threading.Event(), threading.Event(), []
    real = Work._send

    def slow(self: Work, signal: Any, *values: Any) -> None:
        asked.set()
        assert go_on.wait(PATIENCE_MS / 1000)
        real(self, signal, *values)
        told.append(signal)

    monkeypatch.setattr(Work, "_send", slow)
    work.run_thread(lambda _progress: 7, "seven", lambda result: None, lambda error: None)
    assert asked.wait(PATIENCE_MS / 1000)
    threading.Timer(0.05, go_on.set).start()
    work.close()
    assert told == ["_back"]
    destroy(work)


def test_a_job_that_ends_after_the_window_tells_nobody(work: Work) -> None:
    """Pools outlive windows: their threads call back for what is no more."""
    job = Job(1, ADD, {}, Limits(), "sum")
    errors: list[Any] = []
    job._begin()
    work.follow(job, "sum", errors.append, errors.append)
    work.close()
    destroy(work)
    hook = threading.excepthook
    threading.excepthook = lambda args: errors.append(args.exc_value)
    try:
        for end in (lambda: job._report(0.5, "half"), lambda: job._finish("done", 4, None)):
            thread = threading.Thread(target=end)
            thread.start()
            thread.join()
    finally:
        threading.excepthook = hook
    assert errors == []


def test_many_threads_may_tell_while_the_window_closes(qapp: Any) -> None:
    """Two hundred windows closed and destroyed under the feet of threads that report without end."""
    for _ in range(200):
        work, stop = Work(), threading.Event()

        def chatter(progress: Any, stop: threading.Event = stop) -> None:
            while not stop.is_set():
                progress(1, 1)

        for number in range(3):
            work.run_thread(chatter, f"chatter {number}", lambda result: None, lambda error: None)
        work.close()
        destroy(work)
        stop.set()


def test_a_callback_may_close_what_called_it(work: Work) -> None:
    """A job that ran in this process has its callbacks on this very thread."""
    closed: list[Any] = []

    def end(result: Any) -> None:
        work.close()
        closed.append(result)

    with Pool(inline=True) as pool:
        work.follow(pool.submit(ADD, {"a": 1, "b": 3}), "sum", end, lambda error: pytest.fail(str(error)))
    assert closed == [4]
