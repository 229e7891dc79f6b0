"""One operation on many images, one after the other, as one step: what fails is named, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.operation import OperationSpec
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.io.series import SeriesEntry
from viewer.jobs.pool import Job, Pool
from viewer.session.apply import Scope, prepare, start
from viewer.session.document import Document, Source
from viewer.session.history import Change, ItemChange
from viewer.session.opening import load_entry
from viewer.session.outcome import build_step

_LOOK_S = 0.05
"""How often it is looked whether Cancel was pressed."""


@dataclass(frozen=True, slots=True)
class Target:
    """An image to be worked on: opened already, or to be read from its series first."""

    name: str
    parameters: Mapping[str, Any]
    volume: Volume | None = None
    entry: SeriesEntry | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a target. ``source``: of an image that was read for it; ``reason``: why nothing came of it."""

    target: Target
    volume: Volume | None = None
    source: Source | None = None
    changes: tuple[Change, ...] = ()
    reason: str = ""


def run_each(
    targets: Sequence[Target], spec: OperationSpec, pool: Pool, *, device: str = "", progress: Callable[[int, int], None] = lambda _d, _t: None
) -> tuple[tuple[Outcome, ...], bool]:
    """Work on each target, in any thread but the window's.

    Parameters
    ----------
    progress : callable
        Given (images that are done, how many there are), often; raises OperationCancelled to stop.

    Returns
    -------
    outcomes : tuple of Outcome
        In the order of the targets; fewer where it was stopped.
    is_stopped : bool
    """
    found: list[Outcome] = []
    for number, target in enumerate(targets):

        def tell(number: int = number) -> None:
            progress(number, len(targets))

        try:
            tell()
            found.append(_outcome(target, spec, pool, device, tell))
        except OperationCancelled:
            return tuple(found), True
        except NegatoscopeError as err:
            found.append(Outcome(target, reason=sentence_of(err)))
    return tuple(found), False


def moved(changes: Sequence[Change], volume_id: str) -> tuple[Change, ...]:
    """Changes that add items of one image, as items of another."""
    return tuple(
        replace(change, after=replace(change.after, volume_id=volume_id)) if isinstance(change, ItemChange) and change.after is not None else change
        for change in changes
    )


def _outcome(target: Target, spec: OperationSpec, pool: Pool, device: str, tell: Callable[[], None]) -> Outcome:
    volume, source = target.volume, None
    if volume is None and target.entry is not None:
        volume, source = load_entry(target.entry, pool, progress=lambda _done, _total: tell())
    if volume is None:
        raise ValueError("a target without an image")
    document = Document()  # of its own: the window's may be changed meanwhile
    document.add_source(volume)
    call = prepare(document, spec, target.parameters, volume_id=volume.id, scope=Scope(is_every_phase=True), device=device)
    step = build_step(call, _result(start(call, pool), tell))
    return Outcome(target, volume, source, step.changes if step is not None else ())


def _result(job: Job, tell: Callable[[], None]) -> Any:
    while True:
        try:
            tell()
            return job.result(_LOOK_S)
        except TimeoutError:
            continue
        except OperationCancelled:
            job.cancel()
            raise
