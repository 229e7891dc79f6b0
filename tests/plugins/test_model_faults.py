"""Models that hang, eat memory or throw, in the worker that models have: stopped, told, and the next one works (D10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from tests.plugins.onnx_samples import zoo_card
from viewer.core.errors import NegatoscopeError
from viewer.core.geometry import Geometry
from viewer.core.volume import Volume
from viewer.jobs import Limits, Pool
from viewer.session import apply as applying
from viewer.session.document import Document, Source
from viewer.session.models import own_folder
from viewer.session.plugins import Registry, discover

MEMORY = 900 << 20
USUAL = applying.lane_limits
FAULTS = {
    "hangs": r"Nothing was heard of it for 4 s, so it was stopped",
    "hungry": r"needed more than 0\.9 GiB of memory and was stopped|[Ff]ail.*alloc",
    "hungry_constant": r"[Ff]ailed to allocate memory|needed more than 0\.9 GiB of memory",
    "hungry_loading": r"needed more than 0\.9 GiB of memory and was stopped",
    "throws": r'The model "throws" failed',
    "gives_nan": r'"gives_nan" gave 1 of 1 outputs that are no numbers',
}


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(1) as made:
        yield made


@pytest.fixture
def registry() -> Registry:
    return discover()


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can wait for; the worker has long enough to start."""
    monkeypatch.setattr(applying, "lane_limits", lambda: Limits(silence=60.0, memory=MEMORY))


@contextmanager
def opened() -> Iterator[Document]:
    """A picture of 8 x 8 levels."""
    made = Document()
    values = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    made.add_source(Volume("film", values, Geometry((1, 8, 8), in_plane_known=False, is_patient=False), "image"), Source("film"))
    yield made
    made.close()


def classify(document: Document, registry: Registry, pool: Pool, model: str) -> str:
    """The device that a model ran on, after its report is in the document."""
    spec = registry.spec("Classify/Classify", pool)
    step, _results = applying.apply(document, spec, {"model": model}, pool, volume_id="film")
    assert step is not None
    return document.reports_of("film")[-1].device


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_d10_a_model_that_does_harm_is_stopped_and_the_next_one_works(
    registry: Registry, pool: Pool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo_card(own_folder(), name, takes={"height": 8, "width": 8, "batch": 1})
    zoo_card(own_folder(), "segment_fixed")  # listed beside it, never run
    zoo_card(own_folder(), "mean_level", takes={"height": 8, "width": 8}, gives={"activation": "sigmoid"})
    with opened() as document:
        with monkeypatch.context() as patch:
            if name == "hangs":
                patch.setattr(applying, "lane_limits", lambda: Limits(silence=4.0, memory=MEMORY))
            with pytest.raises(NegatoscopeError, match=FAULTS[name]):
                classify(document, registry, pool, name)
        assert document.reports_of("film") == ()
        assert classify(document, registry, pool, "mean_level") == "CPU"


def test_d10_a_model_that_hangs_can_be_cancelled(registry: Registry, pool: Pool) -> None:
    zoo_card(own_folder(), "hangs", takes={"height": 8, "width": 8, "batch": 1})
    with opened() as document:
        call = applying.prepare(document, registry.spec("Classify/Classify", pool), {"model": "hangs"}, volume_id="film")
        job = applying.start(call, pool, limits=Limits())
    while job.state == "waiting":
        pass
    job.cancel()
    with pytest.raises(NegatoscopeError, match="Cancelled"):
        job.result(20)


def test_d10_what_runs_in_the_models_worker_has_limits_whatever_the_call() -> None:
    found = USUAL()
    assert found.silence is not None
    assert found.memory is not None
