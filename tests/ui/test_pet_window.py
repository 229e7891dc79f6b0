"""A PET series in the window: told in its own unit and in SUV, turned into SUV by one step that can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ui.window_samples import settle
from viewer.core.window import Window as ValueWindow
from viewer.session.apply import Scope, prepare
from viewer.session.view import presets
from viewer.ui.window import Window


@pytest.fixture
def pet_window(window: Window, shared_data: Path, open_paths: Callable[..., None]) -> Window:
    open_paths(window, shared_data / "petctmr_sts001" / "pet_raw")
    return window


def test_d23_pet_becomes_suv_and_comes_back(pet_window: Window, qtbot: Any) -> None:
    host = pet_window.host
    before = host.state.volume
    assert before is not None
    assert before.unit == "Bq/mL"
    host.run(prepare(host.document, host.registry.spec("Enhance/Convert to SUV"), {}, volume_id=before.id))
    settle(qtbot, pet_window)
    qtbot.waitUntil(lambda: host.state.volume is not before, timeout=20_000)
    shown = host.state.volume
    assert shown is not None
    assert (shown.unit, shown.scales) == ("SUVbw", ())
    expected = before.values.astype(np.float64) * 0.0002429029766148455
    np.testing.assert_allclose(shown.values, expected, rtol=2e-7)
    assert presets(shown)[0] == (ValueWindow(3, 6, "LINEAR_EXACT", "SUV 0–6"),)
    host.undo()
    assert host.state.volume is before


def test_a_part_of_a_volume_is_never_in_another_unit_than_the_rest(pet_window: Window, qtbot: Any) -> None:
    host = pet_window.host
    before = host.state.volume
    assert before is not None
    said: list[str] = []
    call = prepare(host.document, host.registry.spec("Enhance/Convert to SUV"), {}, volume_id=before.id, scope=Scope("slice", 0, 3))
    host.run(call, on_failed=lambda error: said.append(str(error)))
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "whole volume" in said[0]
    assert host.state.volume is before
