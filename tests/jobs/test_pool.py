"""Worker processes: results and arrays come back, and no job can take the program with it."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.core import memory
from viewer.core.errors import JobFailed, OperationCancelled, Refused
from viewer.jobs import Job, Limits, Pool, Writable

HERE = "job_samples"


@contextlib.contextmanager
def importable() -> Iterator[None]:
    """Workers and this process find job_samples."""
    folder = os.path.dirname(__file__)
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


@pytest.fixture
def pool() -> Iterator[Pool]:
    with importable(), Pool(1) as pool:
        yield pool


def test_result_comes_back(pool: Pool) -> None:
    assert pool.submit(f"{HERE}:add", {"a": 2, "b": 3}).result(20) == 5


def test_arrays_travel_and_arrive_read_only(pool: Pool) -> None:
    array = np.full((300, 400), 2.0, dtype=np.float32)
    assert pool.submit(f"{HERE}:total", {"array": array}).result(20) == 240_000
    assert pool.submit(f"{HERE}:try_to_write", {"array": array}).result(20) == "refused"
    assert pool.submit(f"{HERE}:total", {"array": array[::2, 10:]}).result(20) == array[::2, 10:].sum()


def test_result_array_lies_in_shareable_memory(pool: Pool) -> None:
    result = pool.submit(f"{HERE}:make", {"shape": (50, 200)}).result(20)
    assert np.array_equal(result, np.arange(10_000).reshape(50, 200))
    assert memory.locate(result) is not None
    assert not result.flags.writeable


def test_worker_fills_the_senders_memory(pool: Pool) -> None:
    target = memory.allocate((10, 1000), np.int16)
    pool.submit(f"{HERE}:fill", {"target": Writable(target), "value": 7}).result(20)
    assert (target == 7).all()


def test_refusal_arrives_as_itself(pool: Pool) -> None:
    with pytest.raises(Refused, match="one plane"):
        pool.submit(f"{HERE}:refuse", {}).result(20)


def test_fault_has_a_sentence_and_a_traceback(pool: Pool) -> None:
    with pytest.raises(JobFailed, match="ZeroDivisionError: by hand") as caught:
        pool.submit(f"{HERE}:fail", {}).result(20)
    assert "job_samples.py" in caught.value.details


@pytest.mark.parametrize(("name", "words"), [("abort", "SIGSEGV"), ("panic", "KeyboardInterrupt")])
def test_death_costs_one_job(pool: Pool, name: str, words: str) -> None:
    with pytest.raises(JobFailed, match=words):
        pool.submit(f"{HERE}:{name}", {}).result(20)
    assert pool.submit(f"{HERE}:add", {"a": 1, "b": 1}).result(20) == 2


def test_hang_ends_at_its_limit(pool: Pool) -> None:
    with pytest.raises(JobFailed, match="longer than 1 s"):
        pool.submit(f"{HERE}:hang", {}, limits=Limits(seconds=1)).result(20)
    assert pool.submit(f"{HERE}:add", {"a": 1, "b": 1}).result(20) == 2


def test_memory_limit_is_an_error_not_a_kill(pool: Pool) -> None:
    before = pool.submit(f"{HERE}:pid", {}).result(20)
    with pytest.raises(JobFailed, match="memory"):
        pool.submit(f"{HERE}:eat", {"size": 2 << 30}, limits=Limits(address_space=1 << 30)).result(20)
    assert pool.submit(f"{HERE}:eat", {"size": 1 << 20}).result(20) == 1 << 20
    assert pool.submit(f"{HERE}:pid", {}).result(20) == before


def test_cancel_is_heard_by_a_function_that_reports(pool: Pool) -> None:
    before = pool.submit(f"{HERE}:pid", {}).result(20)
    job = pool.submit(f"{HERE}:listen", {})
    job.on_progress(lambda j: j.cancel())
    with pytest.raises(OperationCancelled):
        job.result(20)
    assert pool.submit(f"{HERE}:pid", {}).result(20) == before, "a function that listens keeps its process"


def test_cancel_ends_a_function_that_does_not_listen(pool: Pool) -> None:
    job = pool.submit(f"{HERE}:hang", {})
    while job.state != "running":
        pass
    started = time.monotonic()
    job.cancel()
    with pytest.raises(OperationCancelled):
        job.result(20)
    assert time.monotonic() - started < 5
    assert pool.submit(f"{HERE}:add", {"a": 1, "b": 1}).result(20) == 2


def test_waiting_job_is_cancelled_without_running(pool: Pool) -> None:
    first, second = pool.submit(f"{HERE}:hang", {}), pool.submit(f"{HERE}:add", {"a": 1, "b": 1})
    second.cancel()
    assert second.state == "cancelled"
    first.cancel()
    with pytest.raises(OperationCancelled):
        first.result(20)


def test_inline_runs_the_same_functions(tmp_path: object) -> None:
    with importable(), Pool(inline=True) as here:
        assert here.submit(f"{HERE}:try_to_write", {"array": np.zeros(3)}).result() == "refused"
        with pytest.raises(JobFailed, match="by hand"):
            here.submit(f"{HERE}:fail", {}).result()
        with pytest.raises(Refused):
            here.submit(f"{HERE}:refuse", {}).result()
        with pytest.raises(JobFailed, match="SystemExit"):
            here.submit(f"{HERE}:leave", {}).result()
        with pytest.raises(KeyboardInterrupt):
            here.submit(f"{HERE}:interrupted", {})


def test_jobs_of_a_lane_share_one_worker_that_keeps_what_it_has_loaded(tmp_path: Path) -> None:
    with importable(), Pool(3) as pool:
        jobs = [pool.submit(f"{HERE}:come_in", {"folder": str(tmp_path), "name": str(n)}, lane="model") for n in range(6)]
        workers = {job.result(20) for job in jobs}  # two inside at once would not find the file free
        assert len(workers) == 1
        kept = [pool.submit(f"{HERE}:remember", {"value": n}, lane="model").result(20) for n in range(3)]
        assert kept[-1] == [0, 1, 2]
        assert pool.submit(f"{HERE}:pid", {}, lane="other").result(20) not in workers
        assert pool.submit(f"{HERE}:pid", {}).result(20) not in workers


def test_lane_is_not_replaced_for_growing_by_a_model_but_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.jobs.pool._LANE_KEEPS_BYTES", 900 << 20)
    with importable(), Pool(1) as pool:

        def hold(size: int) -> int:
            pool.submit(f"{HERE}:hold", {"size": size}, lane="model").result(60)
            return int(pool.submit(f"{HERE}:pid", {}, lane="model").result(20))

        first = hold(0)
        assert hold(700 << 20) == first, "more than an ordinary worker may grow by"
        assert hold(950 << 20) != first


def test_lane_is_replaced_before_what_it_keeps_would_stop_the_next_job() -> None:
    limits = Limits(memory=1 << 30)
    with importable(), Pool(1) as pool:
        pool.submit(f"{HERE}:hold", {"size": 600 << 20}, limits=limits, lane="model").result(60)
        first = pool.submit(f"{HERE}:pid", {}, limits=limits, lane="model").result(20)
        pool.submit(f"{HERE}:hold", {"size": 600 << 20}, limits=limits, lane="model").result(60)
        assert pool.submit(f"{HERE}:pid", {}, limits=limits, lane="model").result(20) != first
        assert pool.replaced("model") == 0, "what is too large to be kept is not loaded again and again"


def test_job_that_ends_its_lanes_worker_leaves_the_next_a_fresh_one() -> None:
    with importable(), Pool(1) as pool:
        before = pool.submit(f"{HERE}:pid", {}, lane="model").result(20)
        dying, waiting = pool.submit(f"{HERE}:abort", {}, lane="model"), pool.submit(f"{HERE}:pid", {}, lane="model")
        with pytest.raises(JobFailed, match="SIGSEGV"):
            dying.result(20)
        after = waiting.result(20)
        assert after != before
        hanging = pool.submit(f"{HERE}:hang", {}, lane="model")
        while hanging.state != "running":
            pass
        hanging.cancel()
        with pytest.raises(OperationCancelled):
            hanging.result(20)
        assert pool.submit(f"{HERE}:pid", {}, lane="model").result(20) not in (before, after)
        assert (pool.replaced("model"), pool.replaced("another")) == (2, 0)


def test_closing_ends_lanes_and_cancels_what_waits_in_them() -> None:
    threads = threading.active_count()
    with importable():
        pool = Pool(1)
        running, waiting = (pool.submit(f"{HERE}:hang", {}, lane="model") for _ in range(2))
        while running.state != "running":
            pass
        pool.close()
        assert (running.state, waiting.state) == ("cancelled", "cancelled")
        with pytest.raises(OperationCancelled):
            pool.submit(f"{HERE}:pid", {}, lane="model")
    assert threading.active_count() == threads


class ClosesAfter:
    """A pool's lock; the moment it is let go for the first time, somebody closes the pool."""

    def __init__(self, pool: Pool) -> None:
        self._lock, self._pool, self._is_first = pool._lock, pool, True

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if self._is_first:
            self._is_first = False
            self._pool.close()


@pytest.mark.parametrize("lane", ["", "model"])
def test_a_job_that_comes_in_the_moment_of_closing_ends_too(lane: str) -> None:
    threads = threading.active_count()
    with importable():
        pool = Pool(1)
        pool.submit(f"{HERE}:pid", {}, lane=lane).result(20)
        pool._lock = ClosesAfter(pool)  # type: ignore[assignment]
        job = pool.submit(f"{HERE}:hang", {}, lane=lane)
        with pytest.raises(OperationCancelled):
            job.result(5)
    assert threading.active_count() == threads


def test_a_job_that_is_taken_in_the_moment_of_closing_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Job._begin

    def closed_meanwhile(job: Job) -> Any:
        closing.start()
        while not pool._closed:
            pass
        return begin(job)

    with importable():
        pool = Pool(1)
        closing = threading.Thread(target=pool.close)
        monkeypatch.setattr(Job, "_begin", closed_meanwhile)
        job = pool.submit(f"{HERE}:hang", {})
        with pytest.raises(OperationCancelled):
            job.result(5)
        closing.join(5)


def test_silence_ends_a_job_but_not_one_that_reports(pool: Pool) -> None:
    with pytest.raises(JobFailed, match="Nothing was heard of it"):
        pool.submit(f"{HERE}:hang", {}, limits=Limits(silence=0.3), lane="model").result(20)
    slow = pool.submit(f"{HERE}:listen", {"count": 400}, limits=Limits(silence=0.5), lane="model")
    assert slow.result(20) is None


def test_inline_runs_lanes_too() -> None:
    with importable(), Pool(inline=True) as here:
        assert here.submit(f"{HERE}:add", {"a": 1, "b": 2}, lane="model").result() == 3


def test_blocks_are_released() -> None:
    gc.collect()
    before = memory.live_blocks()
    array = memory.freeze(memory.allocate((100, 100), np.int16))
    part = array[10:20]
    del array
    gc.collect()
    assert memory.live_blocks() == before + 1
    del part
    gc.collect()
    assert memory.live_blocks() == before


def test_frozen_array_cannot_be_opened_again() -> None:
    array = memory.freeze(np.arange(10))
    with pytest.raises(ValueError):
        array.flags.writeable = True


def test_what_an_error_passed_through_goes_with_it_and_not_when_cycles_are_looked_for(pool: Pool) -> None:
    class Large:
        pass

    def ask() -> weakref.ref[Large]:
        held = Large()
        try:
            pool.submit(f"{HERE}:refuse", {}).result()
        except Refused:
            return weakref.ref(held)
        raise AssertionError("not refused")

    gone = ask()
    end = time.monotonic() + 3  # the pool's thread lets go of the job a moment later
    while gone() is not None and time.monotonic() < end:
        threading.Event().wait(0.005)
    assert gone() is None


@pytest.mark.skipif(os.name != "posix", reason="there are no workers")
def test_inline_with_lanes_gives_a_lane_its_worker_and_its_limits() -> None:
    with importable(), Pool(inline=True, lanes=True) as here:
        assert here.submit(f"{HERE}:pid", {}).result() == os.getpid()
        assert here.submit(f"{HERE}:pid", {}, lane="model").result(20) != os.getpid()
        with pytest.raises(JobFailed):
            here.submit(f"{HERE}:hang", {}, limits=Limits(silence=0.3), lane="model").result(20)
