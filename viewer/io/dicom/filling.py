"""Frames of files into the memory of a series, as a stream wants them: nearest to the wanted plane first.

Uncompressed frames are read by threads here, compressed ones decoded by the workers. A frame that fails costs itself only.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import JobFailed, NegatoscopeError, OperationCancelled, UnreadableFile
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom import values
from viewer.io.dicom.decode import FrameTask
from viewer.io.dicom.header import Header
from viewer.io.dicom.native import NativeFile
from viewer.io.dicom.order import Cell, Order
from viewer.io.dicom.syntaxes import CODECS
from viewer.io.series import Progress
from viewer.io.stream import Stream
from viewer.jobs.pool import Job, Limits, Pool, Writable

Slots = tuple[tuple[Cell, ...], ...]
"""``slots[phase][plane]`` = (number of the header, number of the frame)."""
DECODE = "viewer.io.dicom.decode:decode_frames"
# A job is to take about so long: its round trip hardly counts, and another wish of the reader's is heard soon.
JOB_SECONDS = 0.04
LARGEST_JOB = 32
# After so many frames that ended their workers, with none that came out right, the decoder is not asked again.
MAX_DEATHS = 3
# A job's limits: seconds to begin with, and for each byte that is to come out.
LEAST_SECONDS, SECONDS_PER_BYTE = 5.0, 2.0 / 10e6
_MAX_READERS = 4
# Columns of the ledger that the workers keep.
STATE, LOW, HIGH = 0, 1, 2


@dataclass(slots=True)
class Frames:
    """What is to be read, where to, and what came of it."""

    headers: Sequence[Header]
    slots: Slots
    stored: NDArray[Any]
    """(phases, planes, rows, columns[, 3]), from ``memory.allocate``."""
    pool: Pool
    progress: Progress | None = None
    stream: Stream | None = None
    ends: dict[Cell, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest stored value of each frame that is there."""
    failures: dict[Cell, NegatoscopeError] = field(default_factory=dict)
    decoders: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How many frames of a transfer syntax which of its decoders gave."""
    done: int = 0

    @property
    def total(self) -> int:
        return len(self.slots) * len(self.slots[0])

    @property
    def wanted(self) -> Cell:
        return self.stream.wanted if self.stream is not None else (0, 0)

    def header(self, cell: Cell) -> tuple[Header, int]:
        number, frame = self.slots[cell[0]][cell[1]]
        return self.headers[number], frame

    def landed(self, cell: Cell, problem: NegatoscopeError | None, ends: tuple[float, float] | None = None) -> None:
        """A frame is there, or will never be."""
        self.done += 1
        if problem is not None:
            self.failures[cell] = problem
        else:
            if ends is not None:
                self.ends[cell] = ends
            if self.stream is not None:
                self.stream.arrived(*cell)
        if self.progress is not None:
            self.progress(self.done, self.total)


def fill(frames: Frames) -> None:
    """Read every frame. Raises OperationCancelled; what single frames failed of is in ``frames.failures``."""
    cells = [(phase, plane) for phase, row in enumerate(frames.slots) for plane in range(len(row))]
    native = [cell for cell in cells if frames.header(cell)[0].is_native]
    shape = (len(frames.slots), len(frames.slots[0]))
    if native:
        _Reading(frames, Order(shape, native)).run()
    if len(native) < len(cells):
        known = set(native)
        _Decoding(frames, Order(shape, [cell for cell in cells if cell not in known])).run()


class _Reading:
    """Uncompressed frames: this thread and one or more beside it, since files are read without the interpreter's lock."""

    def __init__(self, frames: Frames, order: Order) -> None:
        self._frames, self._order = frames, order
        self._lock = threading.Lock()
        self._landed: deque[tuple[Cell, NegatoscopeError | None, tuple[float, float] | None]] = deque()
        self._broken: list[BaseException] = []
        self._stop = False

    def run(self) -> None:
        # A deflated file is inflated whole by each thread that reads from it.
        places = (header.pixels for header in self._frames.headers)
        count = 1 if any(place is not None and place.inflated for place in places) else min(_MAX_READERS, os.cpu_count() or 1, len(self._order) // 8)
        helpers = [threading.Thread(target=self._help, name=f"reader-{n}", daemon=True) for n in range(count - 1)]
        for helper in helpers:
            helper.start()
        try:
            self._work(self._report)
        finally:
            self._stop = True
            for helper in helpers:
                helper.join()
        if self._broken:
            raise self._broken[0]
        self._report()

    def _next(self) -> Cell | None:
        with self._lock:
            cells = [] if self._stop else self._order.take(self._frames.wanted, 1)
        return cells[0] if cells else None

    def _help(self) -> None:
        try:
            self._work(None)
        except BaseException as err:  # noqa: BLE001  it is raised again on the thread that asked
            self._broken.append(err)

    def _work(self, report: Callable[[], None] | None) -> None:
        file: NativeFile | None = None
        try:
            while not self._broken and (cell := self._next()) is not None:
                file = self._read(cell, file)
                if report is not None:
                    report()
        finally:
            if file is not None:
                file.close()

    def _read(self, cell: Cell, file: NativeFile | None) -> NativeFile | None:
        """One frame into its place; the open file, for the next."""
        header, number = self._frames.header(cell)
        target = self._frames.stored[cell]
        try:
            if file is None or file.header is not header:
                if file is not None:
                    file.close()
                    file = None
                file = NativeFile(header)
            file.read_into(number, target)
        except OperationCancelled:
            raise
        except NegatoscopeError as err:
            self._landed.append((cell, err, None))
        else:
            self._landed.append((cell, None, values.ends_of(target)))
        return file

    def _report(self) -> None:
        """Tell of what has come meanwhile; on the thread that asked for it all."""
        while self._landed:
            self._frames.landed(*self._landed.popleft())


@dataclass(frozen=True, slots=True)
class _Batch:
    cells: tuple[Cell, ...]
    tasks: tuple[FrameTask, ...]
    is_second_try: bool = False


class _Decoding:
    """Compressed frames: few jobs on their way at a time, small ones first, so that a changed wish is heard at once."""

    def __init__(self, frames: Frames, order: Order) -> None:
        self._frames, self._order = frames, order
        self._ledger = memory.allocate((*frames.stored.shape[:2], 3), np.float64)
        self._over: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._flying: dict[Job, _Batch] = {}
        self._again: deque[_Batch] = deque()
        self._seconds: float | None = None
        """What one frame takes of a processor, once that is known."""
        self._deaths = 0
        self._last_wish: Cell | None = None
        self._small = 0

    def run(self) -> None:
        try:
            while True:
                while len(self._flying) < 2 * self._frames.pool.workers and (batch := self._next()) is not None:
                    self._submit(batch)
                if not self._flying:
                    return
                job = self._over.get()
                self._finish(job, self._flying.pop(job))
        finally:
            for job in self._flying:
                job.cancel()

    def _next(self) -> _Batch | None:
        if self._again:
            return self._again.popleft()
        cells: list[Cell] = []
        tasks: list[FrameTask] = []
        wish = self._frames.wanted
        for cell in self._order.take(wish, self._size(wish)):
            try:
                tasks.append(task_of(*self._frames.header(cell)))
                cells.append(cell)
            except NegatoscopeError as err:
                self._frames.landed(cell, err)
        if not cells:
            return self._next() if len(self._order) else None
        return _Batch(tuple(cells), tuple(tasks))

    def _size(self, wish: Cell) -> int:
        """Frames of the next job: one each for the workers after every new wish, then as many as take their time."""
        workers = self._frames.pool.workers
        if wish != self._last_wish:
            self._last_wish, self._small = wish, workers
        if self._small > 0 or self._seconds is None:
            self._small -= 1
            return 1
        share = len(self._order) // (2 * workers)
        return max(1, min(LARGEST_JOB, share, round(JOB_SECONDS / max(self._seconds, 1e-6))))

    def _submit(self, batch: _Batch) -> None:
        stored = self._frames.stored
        expected = stored[0, 0].nbytes * len(batch.cells)
        limits = Limits(seconds=LEAST_SECONDS + SECONDS_PER_BYTE * expected, address_space=(1 << 30) + 4 * expected + stored.nbytes)
        arguments = {"tasks": batch.tasks, "cells": batch.cells, "out": Writable(stored), "ledger": Writable(self._ledger)}
        job = self._frames.pool.submit(DECODE, arguments, limits=limits)
        self._flying[job] = batch
        job.on_done(self._over.put)

    def _finish(self, job: Job, batch: _Batch) -> None:
        try:
            taken, problems = job.result()
        except OperationCancelled:
            raise
        except JobFailed as err:
            self._fell(batch, err)
            return
        except NegatoscopeError as err:
            taken, problems = 0.0, [(n, err) for n, cell in enumerate(batch.cells) if not self._ledger[cell][STATE]]
        if taken > 0:
            seconds = taken / len(batch.cells)
            self._seconds = seconds if self._seconds is None else 0.5 * (self._seconds + seconds)
        failed = dict(problems)
        for number, cell in enumerate(batch.cells):
            self._landed(cell, failed.get(number))

    def _fell(self, batch: _Batch, why: JobFailed) -> None:
        """A worker died, hung or wanted too much: the ledger says which frame it was at. That one is tried once more, alone."""
        missing = [n for n, cell in enumerate(batch.cells) if not self._ledger[cell][STATE]]
        for number, cell in enumerate(batch.cells):
            if number not in missing:
                self._landed(cell, None)
        if not missing:
            return
        suspect, *rest = missing
        cell, task = batch.cells[suspect], batch.tasks[suspect]
        self._order.put_back(batch.cells[n] for n in rest)
        if not batch.is_second_try:
            self._again.append(_Batch((cell,), (task,), is_second_try=True))
            return
        self._deaths += 1
        text = _("{name}: frame {number} in {codec} cannot be decoded: {reason}")
        codec = CODECS[task.syntax].name
        problem = UnreadableFile(text.format(name=gate.harmless(task.path.name), number=task.number + 1, codec=codec, reason=str(why)))
        if self._deaths >= MAX_DEATHS and self._frames.done == len(self._frames.failures):
            raise problem
        self._landed(cell, problem)

    def _landed(self, cell: Cell, problem: NegatoscopeError | None) -> None:
        entry = self._ledger[cell]
        if problem is None:
            self._frames.decoders[self._frames.header(cell)[0].syntax, int(entry[STATE]) - 2] += 1
        self._frames.landed(cell, problem, (float(entry[LOW]), float(entry[HIGH])))


def task_of(header: Header, number: int) -> FrameTask:
    """What a worker needs to know to decode one frame. Raises UnreadableFile where the file does not hold it."""
    if number >= len(header.spans):
        raise UnreadableFile(_("{name}: frame {number} is missing.").format(name=header.name, number=number + 1))
    return FrameTask(
        path=header.path,
        number=number,
        spans=header.spans[number],
        syntax=header.syntax,
        rows=header.rows,
        columns=header.columns,
        samples=header.samples,
        photometric=header.photometric,
        bits_allocated=header.bits_allocated,
        bits_stored=header.bits_stored,
        high_bit=header.high_bit,
        is_signed=header.is_signed,
        planar=header.planar,
    )
