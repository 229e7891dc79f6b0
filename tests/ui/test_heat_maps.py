"""Heat-maps in the window: drawn from edge to edge, named in the corner, listed once, exported on the image's grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QApplication

from tests.ui.window_samples import PATIENCE_MS, dialog_of, settle
from viewer.core.ids import new_id
from viewer.core.oblique import turn_of, turned_about
from viewer.core.overlay import ScalarMap
from viewer.core.report import Report, Score
from viewer.draw.corners import corners
from viewer.draw.overlay import shown_badges
from viewer.draw.picture import compose
from viewer.session.history import ItemChange
from viewer.session.view import HeatWish, resolve
from viewer.ui.window import Window

CELLS = (4, 5)


def put_heat(window: Window, plane: int, *, method: str = "exact", values: np.ndarray | None = None, strangeness: float | None = None) -> ScalarMap:
    """A report on a plane with a heat-map of 4 x 5 cells, as a model that squeezes the whole plane would give it."""
    document, root = window.host.document, window.host.root_id
    geometry = document.volume(root).geometry
    _planes, rows, columns = geometry.shape
    down, across = rows / CELLS[0], columns / CELLS[1]
    x, y, z = (float(c) for c in geometry.to_patient((plane, (down - 1) / 2, (across - 1) / 2)))
    grid = replace(
        geometry, shape=(1, *CELLS), origin=(x, y, z), spacing=(geometry.spacing[0], geometry.spacing[1] * down, geometry.spacing[2] * across)
    )
    report = Report(
        f"report-{plane}", "Model", root, plane, 0, "m", "1", "binary", (Score("Pneumonia", 0.9, 0.5), Score("No pneumonia", 0.1)), 0.5,
        "Pneumonia", "CPU", 1.0, strangeness=strangeness, strangeness_limit=None if strangeness is None else 1.0,
    )  # fmt: skip
    heat = np.random.default_rng(plane).random((1, *CELLS)) + 0.5 if values is None else values
    item = ScalarMap(
        new_id("overlay"), "Pneumonia", root, grid, heat.astype(np.float32), report_id=report.id, method=method, score="Pneumonia", model="m"
    )
    with document.edit("Classify") as edit:
        edit.put(report)
        edit.put(item)
    return item


def shown_plane(window: Window) -> int:
    window.host.change_wish(plane="acquired", index=2)
    return window.host.state.array_index


def test_a_coarse_map_is_drawn_to_the_edge_of_the_image_and_rises_between_its_cells(small_window: Window):
    plane = shown_plane(small_window)
    ramp = np.broadcast_to(np.arange(1.0, 6.0), (1, *CELLS))
    item = put_heat(small_window, plane, values=ramp)
    wish = replace(small_window.host.wish, overlay_opacity=1.0, overlay_threshold=0.0)
    state = resolve(wish, small_window.host.document)
    assert [s.item.id for s in state.maps] == [item.id]
    pixels = compose(state, small_window.host.document).pixels
    plain = compose(state, small_window.host.document, only_image=True).pixels
    assert (pixels != plain).all()  # up to the corners: half a cell beyond the outermost centres
    # At full opacity inferno's red rises with the map; along the columns it never falls but for rounding over the image below.
    red = ((pixels >> 16) & 255).astype(int)
    assert red[:, -1].min() > red[:, 0].max()
    assert len(np.unique(red[5])) > 2 * CELLS[1]  # between the cells, not in steps


def test_the_threshold_says_below_which_share_the_map_is_clear(small_window: Window):
    plane = shown_plane(small_window)
    put_heat(small_window, plane, values=np.broadcast_to(np.arange(1.0, 6.0), (1, *CELLS)))
    plain = compose(small_window.host.state, small_window.host.document, only_image=True).pixels
    painted = []
    for threshold in (0.12, 0.5, 0.9):
        small_window.host.change_wish(overlay_threshold=threshold)
        painted.append(float((compose(small_window.host.state, small_window.host.document).pixels != plain).mean()))
    # Linear from 0.2 of the range in the first cell's middle to 1 in the last one's: from 0.5 on, from 0.9 on.
    across = [1.0, 1 - (0.1 + (0.5 - 0.2) / 0.2 * 0.2), 1 - (0.1 + (0.9 - 0.2) / 0.2 * 0.2)]
    assert painted[0] > 0.95 and painted == pytest.approx(across, abs=0.06)


def test_what_speaks_against_the_class_is_clear(small_window: Window):
    plane = shown_plane(small_window)
    put_heat(small_window, plane, values=np.array([[[-9.0, -9, 1, 1, 1]] * CELLS[0]]))
    plain = compose(small_window.host.state, small_window.host.document, only_image=True).pixels
    changed = compose(small_window.host.state, small_window.host.document).pixels != plain
    columns = changed.shape[1]
    assert not changed[:, : columns // 3].any() and changed[:, columns * 3 // 5 :].all()


def heat_lines(window: Window, **more: Any) -> list[str]:
    return [line for line in corners(window.host.state, zoom_percent=100, **more).bottom_right if line.startswith("Heat map")]


def test_the_corner_names_class_and_method_where_a_heat_map_is_drawn_and_nowhere_else(small_window: Window):
    plane = shown_plane(small_window)
    put_heat(small_window, plane)
    told = ["Heat map: Pneumonia · Class activation map"]
    assert heat_lines(small_window) == told == heat_lines(small_window, identity=False) == heat_lines(small_window, level="short")
    for wish in ({"heat": HeatWish(is_shown=False)}, {"show_overlays": False}, {"overlay_opacity": 0.0}, {"index": 3}, {"plane": "coronal"}):
        before = small_window.host.wish
        small_window.host.change_wish(**wish)
        assert heat_lines(small_window) == [], wish
        small_window.host.set_wish(before)
        assert heat_lines(small_window) == told
    put_heat(small_window, plane, method="occlusion")
    small_window.host.change_wish(heat=HeatWish(method="occlusion"))
    assert heat_lines(small_window) == ["Heat map: Pneumonia · Occlusion"]


@pytest.mark.parametrize(("high", "is_named"), [(-1.0, False), (0.0, False), (1.0, True)])
def test_a_map_of_which_nothing_is_painted_is_not_named(small_window: Window, high: float, is_named: bool):
    plane = shown_plane(small_window)
    values = np.full((1, *CELLS), -9.0)
    values[0, 1, 1] = high
    put_heat(small_window, plane, values=values)
    plain = compose(small_window.host.state, small_window.host.document, only_image=True).pixels
    assert bool((compose(small_window.host.state, small_window.host.document).pixels != plain).any()) == is_named
    assert bool(heat_lines(small_window)) == is_named


def test_on_a_turned_plane_the_map_is_named_where_the_plane_meets_it(small_window: Window):
    plane = shown_plane(small_window)
    item = put_heat(small_window, plane)
    document = small_window.host.document
    alone = replace(item, report_id="", id="alone")
    document.commit(document.step("Heat map", (ItemChange("overlay", item.id, item, None), ItemChange("overlay", alone.id, None, alone))))
    volume = document.volume(small_window.host.root_id)
    small_window.host.change_wish(turn=turned_about(turn_of(volume.geometry, "axial"), (1, 0, 0), 25))
    named = []
    for index in range(small_window.host.state.count):
        small_window.host.change_wish(index=index)
        state = small_window.host.state
        assert state.is_turned
        is_painted = bool((compose(state, document).pixels != compose(state, document, only_image=True).pixels).any())
        named.append(bool(heat_lines(small_window)))
        assert named[-1] == is_painted, index
    assert any(named) and not all(named)


def test_of_an_unfamiliar_image_the_map_is_named_only_when_it_is_shown_all_the_same(small_window: Window):
    plane = shown_plane(small_window)
    put_heat(small_window, plane, strangeness=2.0)
    assert heat_lines(small_window) == []
    for level in ("full", "short"):
        lines = corners(small_window.host.state, zoom_percent=100, level=level).bottom_right
        assert lines[:3] == ("This model has not seen such images.", "m 1" if level == "full" else "m", "Not for diagnosis")
    small_window.host.change_wish(heat=HeatWish(is_unfamiliar_shown=True))
    assert heat_lines(small_window) == ["Heat map: Pneumonia · Class activation map"]
    state = replace(small_window.host.state, text="none")
    assert [name for name, _box in shown_badges(state, QRectF(0, 0, 600, 600), 1.0)] == ["NOT FOR DIAGNOSIS", "UNFAMILIAR"]


def test_maps_of_reports_are_not_in_the_list_of_maps(small_window: Window):
    from viewer.ui.panels.map_list import MapList

    plane = shown_plane(small_window)
    maps = MapList(small_window.panel_host)
    put_heat(small_window, plane)
    assert maps.rows == [] and maps.isHidden()
    maps.deleteLater()


# --- export ---


def opened(window: Window) -> Any:
    window.open_export("maps")
    QApplication.processEvents()
    return dialog_of(window)


def test_heat_maps_are_saved_on_the_images_grid_those_of_all_slices_in_one_file(small_window: Window, qtbot: Any, tmp_path: Path):
    plane = shown_plane(small_window)
    first, other = put_heat(small_window, plane), put_heat(small_window, plane + 1)
    put_heat(small_window, plane, method="occlusion")
    dialog = opened(small_window)
    page = dialog.pages["maps"]
    assert [page.which.combo.itemText(n) for n in range(page.which.combo.count())] == [
        "Heat map: Pneumonia (Class activation map)", "Heat map: Pneumonia (Occlusion)"
    ]  # fmt: skip
    assert "not a lesion outline" in page.note.text() and "2 slices" in page.note.text()
    assert dialog.name.text().endswith("_heat-map_pneumonia") and dialog.ending.text() == ".nii.gz"
    dialog.set_folder(tmp_path)
    path = dialog.path
    qtbot.waitUntil(lambda: dialog._taken is not None, timeout=PATIENCE_MS)
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    settle(qtbot, small_window)
    volume = small_window.host.document.volume(small_window.host.root_id)
    found = sitk.ReadImage(str(path))
    assert found.GetSize() == volume.geometry.shape[::-1] and found.GetSpacing() == pytest.approx(volume.geometry.spacing[::-1])
    values = sitk.GetArrayFromImage(found)
    assert [n for n, part in enumerate(values) if part.any()] == [plane, plane + 1]
    for item, part in ((first, values[plane]), (other, values[plane + 1])):
        assert part.max() == pytest.approx(item.values.max(), rel=0.05) and part.min() == pytest.approx(item.values.min(), rel=0.2)


def test_maps_of_unfamiliar_images_are_exported_with_a_warning_in_the_dialog_the_name_and_the_file(small_window: Window, qtbot: Any, tmp_path: Path):
    plane = shown_plane(small_window)
    put_heat(small_window, plane)
    dialog = opened(small_window)
    assert dialog.pages["maps"].warning.isHidden()
    assert not dialog.name.text().endswith("unfamiliar")
    dialog.reject()
    put_heat(small_window, plane + 1, strangeness=2.0)
    dialog = opened(small_window)
    page = dialog.pages["maps"]
    assert page.warning.isVisible()
    assert page.warning.text() == "1 slice of this map is of a kind that the model has not seen: it may mislead. The file and its name say so."
    assert dialog.name.text().endswith("_heat-map_pneumonia_unfamiliar")
    dialog.set_folder(tmp_path)
    path = dialog.path
    qtbot.waitUntil(lambda: dialog._taken is not None, timeout=PATIENCE_MS)
    qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    settle(qtbot, small_window)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    assert reader.GetMetaData("descrip").startswith("UNFAMILIAR: model has not seen such images. Heat map: Pneumonia")


def test_without_maps_the_page_says_so(small_window: Window):
    dialog = opened(small_window)
    assert dialog.page is dialog.pages["screenshot"] and dialog.tabs.button("maps").toolTip() == "No maps yet."
