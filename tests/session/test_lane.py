"""An operation of a lane goes to the lane's worker, with limits for what runs in it; the others go to any."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from viewer.core.operation import describe
from viewer.io.gate import total_ram
from viewer.jobs.pool import Limits, Pool
from viewer.session import apply as applying
from viewer.session.apply import prepare, start

sys.path.insert(0, str(Path(__file__).parent))
from session_samples import make_document


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Limits | None]]:
    """Lane and limits of every job."""
    seen: list[tuple[str, Limits | None]] = []
    stock = Pool.submit

    def submit(pool: Pool, *args: Any, **options: Any) -> Any:
        seen.append((options.get("lane", ""), options.get("limits")))
        return stock(pool, *args, **options)

    monkeypatch.setattr(Pool, "submit", submit)
    return seen


@pytest.mark.parametrize("lane", ["", "model"])
def test_calls_go_to_the_lane_of_their_operation(given: list[tuple[str, Limits | None]], lane: str) -> None:
    document = make_document()
    spec = replace(describe("Test/add_value", "session_samples:add_value", "test"), lane=lane)
    with Pool(inline=True) as pool:
        start(prepare(document, spec, {}, volume_id="volume-a"), pool).result()
        own = Limits(seconds=9)
        start(prepare(document, spec, {}, volume_id="volume-a"), pool, limits=own).result()
    limits = Limits(silence=applying.LONGEST_SILENCE_S, memory=total_ram() // 2) if lane else None
    assert given == [(lane, limits), (lane, own)]


@pytest.mark.parametrize("run", ["classify:classify", "heat:heat_map", "pictures:network", "label_maps:network"])
def test_operations_that_run_models_share_a_lane(run: str) -> None:
    assert describe("Test/x", f"plugins.classify.{run}").lane == "model"


def test_filters_run_in_any_worker() -> None:
    assert describe("Enhance/Gaussian", "plugins.enhance.smooth:gaussian").lane == ""
