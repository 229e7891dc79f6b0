"""Taking times so that they can be compared: in turns, since other work comes and goes on the same machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def milliseconds(function: Callable[[], object], *, rounds: int = 10, warm_up: int = 1) -> list[float]:
    """Wall time of each round."""
    for _ in range(warm_up):
        function()
    return [_once(function) for _ in range(rounds)]


def median_ms(function: Callable[[], object], *, rounds: int = 10, warm_up: int = 1) -> float:
    return statistics.median(milliseconds(function, rounds=rounds, warm_up=warm_up))


def side_by_side(ours: Callable[[], object], rival: Callable[[], object], *, rounds: int = 10, warm_up: int = 1) -> tuple[float, float]:
    """Median wall time in ms of both, run in turns."""
    times = in_turns(ours, rival, rounds=rounds, warm_up=warm_up)
    return statistics.median(time for time, _ in times), statistics.median(time for _, time in times)


def in_turns(ours: Callable[[], object], rival: Callable[[], object], *, rounds: int = 10, warm_up: int = 1) -> list[tuple[float, float]]:
    """Wall times in ms of both, each round one after the other."""
    for _ in range(warm_up):
        ours()
        rival()
    return [(_once(ours), _once(rival)) for _ in range(rounds)]


def _once(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) * 1000
