"""Several threads at a model's batches: made ready and run beside each other, told in their order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from plugins.classify import devices

if TYPE_CHECKING:
    from plugins.classify.inference import Runner

Part = TypeVar("Part")
Result = TypeVar("Result")


class Crew:
    """Who runs the batches of one piece of work: on a CPU several at a time, else one at a time while the next is made ready.

    Parameters
    ----------
    values : int
        Of one input.
    batches : int
        How many there will be, or more.
    """

    def __init__(self, runner: Runner, values: int, batches: int) -> None:
        self.callers = devices.callers(values, runner.device, batches) if runner.again is not None else 1
        self._runner = runner.beside(self.callers)
        self._turn = threading.Semaphore(self.callers)
        # What has an encoder before it runs the batches of that side by side, and tells of them: in the thread that was called.
        self._threads = 1 if batches < 2 or runner.encoder is not None else max(2, self.callers)

    @contextmanager
    def turn(self) -> Iterator[Runner]:
        """The model, for one run: no more than :attr:`callers` have it at a time."""
        with self._turn:
            yield self._runner

    @contextmanager
    def each(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Iterator[Result]]:
        """What the work gives for each part, in their order. It takes its :meth:`turn` for the run itself; no thread is left after the block."""
        with closing(each(work, parts, threads=self._threads)) as found:
            yield found


def each(work: Callable[[Part], Result], parts: Iterable[Part], *, threads: int) -> Generator[Result, None, None]:
    """What the work gives for each part, in the order of the parts; no more is begun than the threads have to do soon.

    An error comes in the place of its result. Who stops early leaves no thread behind. One thread is the caller's.
    """
    if threads < 2:
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
