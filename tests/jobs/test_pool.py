"""Worker processes: results and arrays come back, and no job can take the program with it."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from viewer.core import memory
from viewer.core.errors import JobFailed, OperationCancelled, Refused
from viewer.jobs import Limits, Pool, Writable

HERE = "job_samples"


@pytest.fixture
def pool() -> Iterator[Pool]:
    import os
    import sys

    folder = os.path.dirname(__file__)
    sys.path.insert(0, folder)
    with Pool(1) as pool:
        yield pool
    sys.path.remove(folder)


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
    import os
    import sys

    sys.path.insert(0, os.path.dirname(__file__))
    with Pool(inline=True) as here:
        assert here.submit(f"{HERE}:try_to_write", {"array": np.zeros(3)}).result() == "refused"
        with pytest.raises(JobFailed, match="by hand"):
            here.submit(f"{HERE}:fail", {}).result()
        with pytest.raises(Refused):
            here.submit(f"{HERE}:refuse", {}).result()
        with pytest.raises(JobFailed, match="SystemExit"):
            here.submit(f"{HERE}:leave", {}).result()
        with pytest.raises(KeyboardInterrupt):
            here.submit(f"{HERE}:interrupted", {})


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
