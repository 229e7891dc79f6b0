"""A model is loaded before it is asked: once an image that it fits is shown, nothing runs, and there is memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.window_samples import made_volume, put_volume
from viewer.core.errors import JobFailed, OperationCancelled
from viewer.core.model_card import ModelCard
from viewer.jobs.pool import Job, Limits
from viewer.session.apply import lane_limits
from viewer.session.models import choose_model, list_models
from viewer.session.plugins import Registry
from viewer.ui import loading_ahead
from viewer.ui.loading_ahead import SERVICE
from viewer.ui.model_shelf import ModelShelf
from viewer.ui.window import Window


class Workers:
    """A pool that notes what it is given, and does it when told to."""

    inline = False

    def __init__(self) -> None:
        self.given: list[tuple[str, dict[str, Any], str]] = []
        self.jobs: list[Job] = []
        self.times = 0

    def submit(self, function: str, arguments: dict[str, Any], *, limits: Limits | None = None, title: str = "", lane: str = "") -> Job:
        self.given.append((function, arguments, lane))
        self.jobs.append(Job(1, function, arguments, limits or Limits(), title))
        return self.jobs[-1]

    def replaced(self, lane: str) -> int:
        return self.times if lane == "model" else 0

    def close(self) -> None:
        for job in self.jobs:
            job.cancel()


@pytest.fixture
def card() -> ModelCard:
    return replace(choose_model(list_models()[0], "pneumonia-cxr-28"), is_benchmark=False)


@pytest.fixture
def workers(window: Window, card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """A window in whose images of the modality DX the model fits, and what its workers are given."""
    made, real = Workers(), window.host.pool
    window.host.pool = made  # type: ignore[assignment]
    monkeypatch.setattr(Registry, "service", lambda _registry, name: f"the.plugin:{name}")
    monkeypatch.setattr(ModelShelf, "model_for", lambda _shelf, volume: card if volume.identity.modality == "DX" else None)
    window._ahead._quiet.setInterval(1)
    yield made
    window.host.pool = real


def test_model_is_loaded_once_in_its_lane_when_a_fitting_image_is_shown(window: Window, workers: Workers, qtbot: QtBot) -> None:
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: bool(workers.given))
    assert workers.given == [(f"the.plugin:{SERVICE}", {"model": "pneumonia-cxr-28", "device": "auto"}, "model")]
    workers.jobs[0]._finish("done", None, None)
    put_volume(window, made_volume(modality="DX", title="another"))
    qtbot.waitUntil(lambda: not window._ahead._quiet.isActive())
    assert len(workers.given) == 1


def test_loading_that_was_cancelled_is_begun_again(window: Window, workers: Workers, qtbot: QtBot) -> None:
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: bool(workers.given))
    window.host.close_all()
    workers.jobs[0]._finish("cancelled", None, OperationCancelled("Cancelled."))
    qtbot.waitUntil(lambda: window.host.work.is_idle)
    put_volume(window, made_volume(modality="DX", title="another"))
    qtbot.waitUntil(lambda: len(workers.given) == 2)


def test_what_a_worker_had_loaded_that_was_ended_is_loaded_again_and_what_failed_is_not(window: Window, workers: Workers, qtbot: QtBot) -> None:
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: bool(workers.jobs))
    workers.jobs[0]._finish("done", None, None)
    qtbot.waitUntil(lambda: window.host.work.is_idle)
    workers.times = 1
    stopped = Job(2, "some:job", {}, Limits(), "")
    window.host.work.follow(stopped, "something", lambda _result: None, lambda _error: None, quiet=True)
    stopped._finish("cancelled", None, OperationCancelled("Cancelled."))
    qtbot.waitUntil(lambda: len(workers.given) == 2)
    workers.times = 2  # it took its worker along
    workers.jobs[1]._finish("failed", None, JobFailed("The worker process died."))
    qtbot.waitUntil(lambda: window.host.work.is_idle)
    fired: list[bool] = []
    window._ahead._quiet.timeout.connect(lambda: fired.append(True))
    put_volume(window, made_volume(modality="DX", title="another"))
    qtbot.waitUntil(lambda: bool(fired))
    assert len(workers.given) == 2


def test_d10_loading_has_limits_as_asking_has(window: Window, workers: Workers, qtbot: QtBot) -> None:
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: bool(workers.jobs))
    limits = workers.jobs[0].limits
    assert limits.memory == lane_limits().memory
    assert limits.silence is not None
    assert limits.silence <= 60


def test_model_is_loaded_on_the_device_of_the_settings(window: Window, workers: Workers, qtbot: QtBot) -> None:
    window.host.settings.set("device", "CPU")
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: bool(workers.given))
    assert workers.given[0][1] == {"model": "pneumonia-cxr-28", "device": "CPU"}


def test_nothing_is_loaded_for_an_image_that_no_model_fits(window: Window, workers: Workers, qtbot: QtBot) -> None:
    put_volume(window, made_volume(modality="CT"))
    qtbot.waitUntil(lambda: not window._ahead._quiet.isActive())
    assert workers.given == []


def test_loading_waits_for_what_runs(window: Window, workers: Workers, qtbot: QtBot) -> None:
    running = Job(2, "some:job", {}, Limits(), "")
    window.host.work.follow(running, "something", lambda _result: None, lambda _error: None, quiet=True)
    fired: list[bool] = []
    window._ahead._quiet.timeout.connect(lambda: fired.append(True))
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: len(fired) > 3)
    assert workers.given == []
    running._finish("done", None, None)
    qtbot.waitUntil(lambda: len(workers.given) == 1)


def test_nothing_is_loaded_where_memory_is_short(window: Window, workers: Workers, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading_ahead, "available_ram", lambda: 1 << 30)
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: not window._ahead._quiet.isActive())
    assert workers.given == []


def test_what_goes_wrong_with_loading_is_not_said_before_the_model_is_asked(window: Window, workers: Workers, qtbot: QtBot) -> None:
    said: list[object] = []
    window.host.notice.connect(said.append)
    put_volume(window, made_volume(modality="DX"))
    qtbot.waitUntil(lambda: bool(workers.given))
    workers.jobs[0]._finish("failed", None, RuntimeError("damaged"))
    qtbot.waitUntil(lambda: window.host.work.is_idle)
    assert said == []


def test_nothing_is_loaded_in_the_windows_own_process(window: Window, workers: Workers, qtbot: QtBot) -> None:
    workers.inline = True
    put_volume(window, made_volume(modality="DX"))
    assert not window._ahead._quiet.isActive()
    assert workers.given == []
