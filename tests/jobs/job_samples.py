"""Functions that the worker tests run: well-behaved and not."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from viewer.core.errors import Refused


def add(a: Any, b: Any) -> Any:
    return a + b


def total(array: Any) -> float:
    return float(array.sum())


def try_to_write(array: Any) -> str:
    try:
        array[0] = 1
    except ValueError:
        return "refused"
    return "written"


def fill(target: Any, value: int) -> None:
    target[...] = value


def make(shape: tuple[int, ...]) -> Any:
    return np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)


def refuse() -> None:
    raise Refused("The image has one plane; use 2-D.")


def fail() -> None:
    raise ZeroDivisionError("by hand")


def abort() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def panic() -> None:
    raise KeyboardInterrupt("outside of Exception, as a Rust panic")


def hang(seconds: float = 60) -> None:
    time.sleep(seconds)


def listen(progress: Any, count: int = 10_000) -> None:
    for i in range(count):
        progress(i / count, f"{i}")
        time.sleep(0.002)


def eat(size: int) -> int:
    return int(np.ones(size, dtype=np.uint8).sum())


def pid() -> int:
    return os.getpid()


def leave() -> None:
    raise SystemExit(0)


def interrupted() -> None:
    raise KeyboardInterrupt


def come_in(folder: str, name: str) -> int:
    """Note when it was inside; the process it ran in."""
    path = Path(folder, "inside")
    with path.open("x") as file:
        file.write(name)
    time.sleep(0.02)
    path.unlink()
    return os.getpid()


def remember(value: int, kept: list[int] = []) -> list[int]:  # noqa: B006  what a module keeps between calls is what is asked here
    kept.append(value)
    return kept


_HELD: list[Any] = []


def hold(size: int) -> None:
    _HELD.append(np.ones(size, dtype=np.uint8))
    del _HELD[:-1]
