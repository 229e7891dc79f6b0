"""Batches in several threads: in their order, no more at a time than asked for, errors in their place, nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import onnxruntime
import pytest

from plugins.classify import classify, crew, devices, inference
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.session.models import list_models

PLANES = 70


def crews() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("crew")]


def test_results_come_in_the_order_of_the_parts_whichever_ends_first() -> None:
    last = threading.Event()

    def work(part: int) -> int:
        if part == 0:
            assert last.wait(10)
        if part == 2:
            last.set()
        return part * part

    assert list(crew.each(work, range(20), threads=3)) == [n * n for n in range(20)]


def test_an_error_comes_in_the_place_of_its_result_and_a_caller_that_stops_leaves_no_thread() -> None:
    begun: list[int] = []

    def work(part: int) -> int:
        begun.append(part)
        if part == 3:
            raise ValueError("three")
        return part

    results: Iterator[int] = crew.each(work, range(100), threads=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert not crews()
    assert len(begun) < 20, "what is far ahead is not begun"
    for _ in crew.each(work, range(4, 50), threads=2):
        assert crews()
        break
    assert not crews()


def test_several_callers_give_what_bare_onnxruntime_gives_plane_by_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).integers(0, 256, (PLANES, 224, 224), dtype=np.uint8)
    (card,) = (one for one in list_models()[0] if one.name == "pneumonia-cxr")
    monkeypatch.setattr(devices, "cores", lambda: 3)
    asked: list[int] = []
    real = inference.load
    monkeypatch.setattr(inference, "load", lambda *given, callers=1: (asked.append(callers), real(*given, callers=callers))[1])
    found = classify.classified(card, Image(values, Geometry(values.shape)), device="CPU").items
    assert max(asked) == 3, "or nothing was tried"
    session = onnxruntime.InferenceSession(str(card.model_path), providers=["CPUExecutionProvider"])
    tensors = ((values.astype(np.float32) / 255 - 0.5) / 0.25)[:, None]
    bare = np.concatenate([session.run(["logit"], {"film": tensor[None]})[0][:, 0] for tensor in tensors]).astype(np.float64)
    expected = 1 / (1 + np.exp(-bare / card.output.temperature))
    assert [verdict.index for verdict in found] == list(range(PLANES))
    assert [dict(verdict.scores)["Pneumonia"] for verdict in found] == pytest.approx(expected, abs=1e-6)
    assert {verdict.device for verdict in found} == {"CPU"}


def test_large_inputs_few_batches_and_other_devices_have_one_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cores", lambda: 4)
    assert devices.callers(224 * 224, "CPU", 16) == 4
    assert devices.callers(224 * 224, "CPU", 15) == 1
    assert devices.callers(512 * 512, "CPU", 100) == 1
    assert devices.callers(224 * 224, "CUDA", 100) == 1
    monkeypatch.setattr(devices, "cores", lambda: 64)
    assert devices.callers(224 * 224, "CPU", 1000) == 8, "memory would add up"
