"""A dose is laid over its series from the browser's menu; on another grid it is kept, listed, and not drawn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from tests.io.dicom.conftest import write_dicom  # noqa: F401  a fixture
from tests.ui.window_samples import PATIENCE_MS, settle
from viewer.ui import map_objects
from viewer.ui.controls import Label
from viewer.ui.panels.map_list import MapList
from viewer.ui.window import Window

DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
STORED = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5)


@pytest.fixture
def study(window: Window, qtbot: Any, write_dicom: Callable[..., Path]) -> Callable[..., None]:  # noqa: F811
    """Open a CT of 4 planes and a dose; keywords change the dose."""

    def opened(**changes: Any) -> None:
        for n in range(4):
            write_dicom(
                f"{n}.dcm", np.full((6, 5), n, np.int16), InstanceNumber=n + 1, ImagePositionPatient=[0, 0, 3 * n], SeriesDescription="Thorax"
            )
        values = {
            "SOPClassUID": DOSE, "Modality": "RTDOSE", "SeriesInstanceUID": "1.2.3.9", "DoseUnits": "GY", "DoseGridScaling": "0.1",
            "GridFrameOffsetVector": [0, 3, 6, 9], "SeriesDescription": "Plan dose", **changes,
        }  # fmt: skip
        window.open_paths([write_dicom("dose.dcm", STORED, **values).parent])
        settle(qtbot, window)

    return opened


def overlay_action(window: Window) -> Any:
    row = next(r for r in window.opener.rows() if r.entry.object_kind == "dose")
    menu = window.browser.build_menu(row)
    return next(a for a in menu.actions() if a.text().startswith("Add as overlay"))


def added(window: Window, qtbot: Any) -> None:
    overlay_action(window).trigger()
    qtbot.waitUntil(lambda: any(window.host.document.overlays_of(r) for r in window.host.document.root_ids()), timeout=PATIENCE_MS)
    settle(qtbot, window)


def test_a_dose_is_laid_over_its_series_in_one_step(window: Window, qtbot: Any, study: Callable[..., None]) -> None:
    study()
    assert overlay_action(window).text() == "Add as overlay on Thorax"
    added(window, qtbot)
    state = window.host.state
    assert state.volume is not None and state.volume.title == "Thorax"
    (shown,) = state.maps
    assert (shown.item.name, shown.item.unit) == ("Plan dose", "Gy")
    np.testing.assert_allclose(shown.item.values, STORED * 0.1, rtol=1e-6)
    assert window.messages.message().text == "Plan dose lies over Thorax now."
    overlay_action(window).trigger()
    assert "already" in window.messages.message().text
    assert len(window.host.document.overlays_of(window.host.root_id)) == 1
    window.actions_table["edit.undo"].trigger()
    assert window.host.state.maps == ()


def test_who_chose_another_series_meanwhile_is_not_torn_away_from_it(
    window: Window, qtbot: Any, study: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    study()
    end, real = threading.Event(), map_objects.read_map

    def held(*args: Any, **options: Any) -> Any:
        assert end.wait(PATIENCE_MS / 1000)
        return real(*args, **options)

    monkeypatch.setattr(map_objects, "read_map", held)
    overlay_action(window).trigger()
    window.opener.show(next(row.entry.id for row in window.opener.rows() if row.entry.object_kind == "dose"))
    qtbot.waitUntil(lambda: window.host.state.volume is not None and window.host.state.volume.title == "Plan dose", timeout=PATIENCE_MS)
    chosen = window.host.root_id
    end.set()
    qtbot.waitUntil(lambda: len(window.host.document.history) == 1, timeout=PATIENCE_MS)
    settle(qtbot, window)
    assert window.host.root_id == chosen


def test_a_dose_on_another_grid_is_drawn_and_said_to_be_interpolated(window: Window, qtbot: Any, study: Callable[..., None]) -> None:
    study(PixelSpacing=[1.1, 1.1])
    added(window, qtbot)
    (shown,) = window.host.state.maps
    assert shown.start is None
    assert "interpolated" in window.messages.message().text
    window.dock.show_panel("measure")
    (row,) = window.findChild(MapList).rows
    assert "Other grid" in [label.text() for label in row.findChildren(Label)]
    eye = row.findChild(QWidget, "eye")
    qtbot.mouseClick(eye, Qt.MouseButton.LeftButton)
    assert window.host.state.maps == ()


def test_a_dose_of_another_patient_frame_says_why_it_cannot_be_laid_over(window: Window, study: Callable[..., None]) -> None:
    study(FrameOfReferenceUID="1.2.3.77")
    action = overlay_action(window)
    assert not action.isEnabled() and "frame of reference" in action.toolTip()
