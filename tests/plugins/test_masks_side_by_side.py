"""Heat-maps of several batches at a time are those of one after the other, to the last bit, and can be stopped as soon."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from plugins.classify import asking, devices, inference, rise
from plugins.classify.heat import explained
from tests.models.make_planted import SIDE, images
from tests.plugins.classifier_samples import zoo_card
from viewer.core.errors import OperationCancelled
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.model_card import ModelCard

METHODS = ("occlusion", "rise")
MASKS, CORES = 150, 3


@pytest.fixture
def planted(tmp_path: Path) -> ModelCard:
    """The network that was trained on images with a planted square: 196 masks of occlusion and 150 of RISE are over the least for three callers."""
    return zoo_card(
        "planted", tmp_path, input={"name": "image", "height": SIDE, "width": SIDE}, values={"kind": "range", "low": 0, "high": 255},
        normalisation={"scale": 255.0, "mean": [0.5], "std": [0.25]}, output={"name": "logit"},
    )  # fmt: skip


class Runs:
    """What is run at a time, and how often."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = self.now = self.most = 0
        self.callers: set[int] = set()
        self.late = threading.Event()
        self._lock, self._run, self._load = threading.Lock(), inference.Runner.run, inference.load
        monkeypatch.setattr(inference.Runner, "run", lambda runner, *given: self.run(runner, *given))
        monkeypatch.setattr(inference, "load", self.load)
        monkeypatch.setattr(devices, "at_once", lambda _values, _device: 4)
        monkeypatch.setattr(devices, "cores", lambda: CORES)

    def load(self, *given: Any, callers: int = 1) -> inference.Runner:
        self.callers.add(callers)
        return self._load(*given, callers=callers)

    def run(self, runner: inference.Runner, *given: Any) -> Any:
        with self._lock:
            self.count, self.now = self.count + 1, self.now + 1
            self.most, number = max(self.most, self.now), self.count
        # The sample itself is the first, the whole picture or the first masks the next: that one ends after its neighbours.
        if number == 2 and CORES in self.callers:
            assert self.late.wait(20)
        found = self._run(runner, *given)
        with self._lock:
            self.now -= 1
            if number > 3:
                self.late.set()
        return found


def picture() -> Image:
    values = images(1, seed=8)[0]
    return Image(values, Geometry(values.shape), range=(float(values.min()), float(values.max())))


def crews() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("crew")]


@pytest.mark.parametrize("method", METHODS)
def test_several_callers_give_the_map_and_the_progress_of_one(planted: ModelCard, monkeypatch: pytest.MonkeyPatch, method: Any) -> None:
    runs, told = Runs(monkeypatch), list[float]()
    found = explained(planted, picture(), method=method, masks=MASKS, device="CPU", progress=told.append)
    assert CORES in runs.callers and 1 < runs.most <= CORES
    monkeypatch.undo()
    plain, each = Runs(monkeypatch), list[float]()
    monkeypatch.setattr(devices, "cores", lambda: 1)
    alone = explained(planted, picture(), method=method, masks=MASKS, device="CPU", progress=each.append)
    assert plain.callers == {1} and plain.most == 1 and plain.count == runs.count
    assert np.array_equal(found.values, alone.values) and found.values.std() > 0
    assert told == each == sorted(each) and len(set(each)) == -(-(196 if method == "occlusion" else MASKS) // 4)


@pytest.mark.parametrize("method", METHODS)
def test_cancel_stops_several_callers_soon_and_leaves_no_thread(planted: ModelCard, monkeypatch: pytest.MonkeyPatch, method: Any) -> None:
    runs, told, begun = Runs(monkeypatch), list[float](), list[int]()

    def stop(share: float) -> None:
        told.append(share)
        if share > 0.3:
            begun.append(runs.count)
            raise OperationCancelled("Cancelled.")

    with pytest.raises(OperationCancelled) as kept:  # with its frames, and what they hold
        explained(planted, picture(), method=method, masks=MASKS, device="CPU", progress=stop)
    assert kept.value and not crews() and runs.now == 0
    assert runs.most > 1 and told == sorted(told) and told[-1] < 0.4
    assert runs.count <= begun[0] + CORES, "what was not being run is not run any more"
    assert runs.count <= len(told) + 2 + 2 * CORES + 2, "nor is it begun far ahead"


@pytest.mark.parametrize("method", METHODS)
def test_no_more_batches_of_masks_are_made_than_are_run_soon(planted: ModelCard, monkeypatch: pytest.MonkeyPatch, method: Any) -> None:
    Runs(monkeypatch)
    alive, most, lock, real = [0], [0], threading.Lock(), asking.Question.ask

    def counted(*given: Any) -> Any:
        with lock:
            alive[0] += 1
            most[0] = max(most[0], alive[0])
        found = real(*given)
        with lock:
            alive[0] -= 1
        return found

    monkeypatch.setattr(asking.Question, "ask", counted)
    explained(planted, picture(), method=method, masks=MASKS, device="CPU")
    assert 1 < most[0] <= CORES


class Full:
    """A session of another device, whose memory is full at its fifth run."""

    def __init__(self, real: Any) -> None:
        self.real, self.runs, self.now = real, 0, 0

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def run(self, *given: Any) -> Any:
        self.runs, self.now = self.runs + 1, self.now + 1
        assert self.now == 1, "one run at a time on such a device"
        if self.runs == 5:
            raise RuntimeError("out of memory")
        found = self.real.run(*given)
        self.now -= 1
        return found


@pytest.mark.parametrize("method", METHODS)
def test_where_a_device_fails_amid_the_masks_the_cpu_ends_them_and_it_is_said(
    planted: ModelCard, monkeypatch: pytest.MonkeyPatch, method: Any
) -> None:  # fmt: skip
    monkeypatch.setattr(devices, "at_once", lambda _values, _device: 4)
    expected = explained(planted, picture(), method=method, masks=MASKS, device="CPU")
    runs, real, made = Runs(monkeypatch), inference._session, list[Full]()

    def session(content: Any, folder: Any, device: str, *more: Any) -> Any:
        if device == "CPU":
            return real(content, folder, device, *more)
        made.append(Full(real(content, folder, "CPU", *more)))
        return made[-1]

    monkeypatch.setattr(inference, "_session", session)
    monkeypatch.setattr(devices, "available", lambda: ("CUDA", "CPU"))
    found = explained(planted, picture(), method=method, masks=MASKS, device="CUDA")
    assert np.allclose(found.values, expected.values, atol=1e-5)
    assert len(made) == 1 and made[0].runs == 5 and runs.callers == {1} and runs.most == 1
    assert found.warnings[-1] == "CUDA failed (out of memory); the CPU was used instead."


@pytest.mark.parametrize(("seconds", "expected"), [(20.0, 480), (1.0, 256), (600.0, 2048)])
def test_the_first_batches_side_by_side_tell_how_many_masks_go_into_the_time(
    planted: ModelCard, monkeypatch: pytest.MonkeyPatch, seconds: float, expected: int
) -> None:  # fmt: skip
    Runs(monkeypatch)
    asked, told, clock, real = list[int](), list[float](), iter((10.0, 10.5)), asking.Question.ask
    monkeypatch.setattr(rise, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(asking.Question, "ask", lambda one, kept, *more: (asked.append(len(kept)), real(one, kept, *more))[1])
    explained(planted, picture(), method="rise", seconds=seconds, device="CPU", progress=told.append)
    assert sum(asked) == expected, "three batches of four in half a second"
    assert told == sorted(told) and told[-1] == 1.0


@pytest.mark.parametrize(("size", "cells"), [((224, 224), (28, 28)), ((61, 233), (28, 28)), ((8, 30), (8, 28)), ((5, 3), (5, 3))])
def test_a_cell_gets_the_mean_of_the_pixels_whose_centres_lie_in_it(size: tuple[int, int], cells: tuple[int, int]) -> None:
    masks = np.random.default_rng(4).random((3, *size), np.float32)
    found = rise._pooled(masks, cells)
    row, column = (np.floor((np.arange(n) + 0.5) / (n / c)).astype(int) for n, c in zip(size, cells, strict=True))
    expected = [[masks[:, row == r][:, :, column == c].mean(axis=(1, 2), dtype=np.float64) for c in range(cells[1])] for r in range(cells[0])]
    assert found == pytest.approx(np.moveaxis(expected, -1, 0), abs=1e-12)
