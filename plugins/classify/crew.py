"""Several threads at the batches of one image: made ready and run beside each other, told in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def each(work: Callable[[Part], Result], parts: Sequence[Part], *, threads: int) -> Generator[Result, None, None]:
    """What the work gives for each part, in the order of the parts; no more is begun than the threads have to do soon.

    An error comes in the place of its result. Who stops early leaves no thread behind.
    """
    if len(parts) < 2:
        yield from map(work, parts)
        return
    begun: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="crew") as crew:
        try:
            for part in parts:
                begun.append(crew.submit(work, part))
                if len(begun) > 2 * threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for left in begun:
                left.cancel()
