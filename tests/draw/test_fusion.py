"""A second volume over the first: where it lies, against arithmetic and SimpleITK; how it is blended, against numpy."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from tests.session.fusion_samples import CT_GRID, PET_GRID, aligned, along, ct, opened, pet
from viewer.core.alignment import moved, rigid
from viewer.core.colormaps import color_map
from viewer.core.oblique import turn_of, turned_about
from viewer.core.slab import Slab
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.draw import fusion as fusion_module
from viewer.draw.color_bar import has_color_bar
from viewer.draw.corners import corners
from viewer.draw.fusion import _wrapped, forget_planes, sampled, second_text
from viewer.draw.picture import compose
from viewer.draw.screenshot import png_bytes, screenshot
from viewer.draw.text import Style, text_width
from viewer.io import open as io_open
from viewer.session.fusion import FusionWish
from viewer.session.history import ItemChange
from viewer.session.view import ViewState, ViewWish, resolve

NARROW = replace(PET_GRID, shape=(14, 16, 13))
"""Does not reach to the right edge of the CT."""
PLANES = ("acquired", "axial", "coronal", "sagittal")


def places(state: ViewState) -> np.ndarray:
    """The place of each pixel by the state's own words for a click there."""
    rows, columns = state.layout.shape
    down, across = state.layout.step
    return np.array([[state.position_at(((j + 0.5) * across, (i + 0.5) * down)) for j in range(columns)] for i in range(rows)])


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_pixel_of_the_second_is_where_the_same_place_of_the_first_is(plane: Any, axis: int) -> None:
    # Linear values: interpolation is exact, and a value is a place. 0.1 mm is the limit, rounding the rest.
    first, second = ct(), pet(along(PET_GRID, axis))
    document = opened(first, second)
    state = resolve(ViewWish(first.id, plane=plane, quarter_turns=1, flip_horizontal=True, fusion=FusionWish(second.id)), document)
    assert state.fusion is not None
    found, wanted = sampled(state, state.fusion), places(state)
    index = PET_GRID.to_index(wanted)
    inside = ((index >= 0) & (index <= np.asarray(PET_GRID.shape) - 1)).all(axis=-1)
    assert inside.sum() > 50
    assert np.abs(found - wanted[..., axis])[inside].max() < 0.01
    outside = ((index < -0.51) | (index > np.asarray(PET_GRID.shape) - 0.49)).any(axis=-1)
    assert np.isnan(found[outside]).all()


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_an_alignment_takes_it_along_and_a_nudge_in_the_hand_too(plane: Any) -> None:
    first, second = ct(), pet(along(PET_GRID, 1))
    document = opened(first, second)
    matrix, nudge = rigid(shift=(3.0, -2.0, 1.0), degrees=(4.0, -3.0, 7.0), center=(1.0, 2.0, 3.0)), rigid(shift=(0.0, 1.5, 0.0))
    item = aligned(first, second, matrix)
    document.commit(document.step("Align", (ItemChange("alignment", item.id, None, item),)))
    state = resolve(ViewWish(first.id, plane=plane, fusion=FusionWish(second.id, nudge=nudge)), document)
    assert state.fusion is not None and "MANUAL LINK" in state.badges
    found = sampled(state, state.fusion)
    turn, shift = np.asarray(matrix).reshape(4, 4)[:3, :3], np.asarray(matrix).reshape(4, 4)[:3, 3]
    # In the first a place p shows what lies in the second at R^-1 (p - nudge - t).
    wanted = (places(state) - (0.0, 1.5, 0.0) - shift) @ turn
    seen = np.isfinite(found)
    assert seen.any() and np.abs(found - wanted[..., 1])[seen & inside_of(wanted)].max() < 0.01


def inside_of(wanted: np.ndarray) -> np.ndarray:
    index = PET_GRID.to_index(wanted)
    return np.asarray(((index >= 0) & (index <= np.asarray(PET_GRID.shape) - 1)).all(axis=-1))


def image(volume: Volume) -> Any:
    made = sitk.GetImageFromArray(volume.values.astype(np.float32))
    made.SetSpacing(volume.geometry.spacing[::-1])
    made.SetOrigin(volume.geometry.origin)
    made.SetDirection(volume.geometry.direction)
    return made


@pytest.mark.parametrize("title", ["PET AC", "PET_image"])
def test_pet_over_ct_equals_resampling_by_simpleitk(title: str, shared_data: Path, inline_pool: Any) -> None:
    series = io_open.find([shared_data / "petctmr_sts001"]).series
    first, second = (io_open.load(next(e for e in series if part in e.title), pool=inline_pool) for part in ("CT_image", title))
    oracle = sitk.GetArrayFromImage(sitk.Resample(image(second), image(first), sitk.Transform(), sitk.sitkLinear, -1e6))
    document = opened(first, second)
    assert first.geometry.frame_uid == second.geometry.frame_uid
    scale = float(second.values.max())
    for index in (3, 29, 55):
        state = resolve(ViewWish(first.id, plane="acquired", index=index, fusion=FusionWish(second.id)), document)
        assert state.fusion is not None and state.fusion.is_drawn and state.badges == resolve(ViewWish(first.id, index=index), document).badges
        found, wanted = sampled(state, state.fusion), oracle[index]
        seen = wanted > -1e5
        assert seen.mean() > 0.9
        assert np.abs(found - wanted)[seen].max() < 1e-4 * scale
    # A tenth of a millimetre off would be seen: the values change by more than that over it.
    shifted = sitk.GetArrayFromImage(sitk.Resample(image(second), image(first), sitk.TranslationTransform(3, (0.1, 0.0, 0.0)), sitk.sitkLinear, -1e6))
    assert np.nanmax(np.abs(found - shifted[55])[shifted[55] > -1e5]) > 1e-4 * scale


def test_c16_a_slab_of_the_first_shows_a_slab_of_the_second() -> None:
    values = along(PET_GRID, 2)
    first, second = ct(), pet(values)
    document = opened(first, second)
    state = resolve(ViewWish(first.id, plane="axial", slab=Slab("mip", 12.0), fusion=FusionWish(second.id)), document)
    thin = resolve(ViewWish(first.id, plane="axial", fusion=FusionWish(second.id)), document)
    assert state.fusion is not None and thin.fusion is not None
    higher = sampled(state, state.fusion) - sampled(thin, thin.fusion)
    middle = higher[15:25, 20:30]
    assert middle.min() > 3.0 and middle.max() <= 6.01  # z of the top of the slab


def blended(base: int, over: int, opacity: float) -> float:
    return base * (1 - opacity) + over * opacity


@pytest.mark.parametrize("opacity", [0.0, 0.3, 0.5, 1.0])
def test_3f_pet_in_hot_iron_is_mixed_with_the_grey_of_the_ct(opacity: float) -> None:
    first, second = ct(np.full(CT_GRID.shape, 40, np.int16)), pet(np.full(NARROW.shape, 4.0, np.float32), geometry=NARROW)
    document = opened(first, second)
    window = Window(40, 400)
    plain = compose(resolve(ViewWish(first.id, window=window), document), document).pixels
    state = resolve(ViewWish(first.id, window=window, fusion=FusionWish(second.id, opacity=opacity)), document)
    assert state.fusion is not None
    assert (state.fusion.display.color_map, state.fusion.display.window.low, state.fusion.display.window.high) == ("hot_iron", 0.0, 6.0)
    mixed = compose(state, document).pixels
    empty = np.isnan(sampled(state, state.fusion))
    assert empty.any() and not empty.all()
    np.testing.assert_array_equal(mixed[empty], plain[empty])
    grey = int(plain[20, 25] & 255)
    red, green, blue = (int(c) for c in color_map("hot_iron")[math.floor(4 / 6 * 255 + 0.5)])
    pixel = int(mixed[20, 25])
    for value, over in ((pixel >> 16 & 255, red), (pixel >> 8 & 255, green), (pixel & 255, blue)):
        assert abs(value - blended(grey, over, opacity)) <= 1
    assert (mixed >> 24 == 255).all()


def test_3f_a_dose_is_inferno_clear_where_it_is_low_and_dense_where_it_is_high() -> None:
    first = ct(np.full(CT_GRID.shape, 40, np.int16))
    dose = pet(along(PET_GRID, 0) + 60, unit="Gy")
    document = opened(first, dose)
    state = resolve(ViewWish(first.id, plane="axial", fusion=FusionWish(dose.id, opacity=1.0, window=Window.between(0, 120))), document)
    assert state.fusion is not None and state.fusion.follows_value and state.fusion.display.color_map == "inferno"
    plain = compose(resolve(ViewWish(first.id, plane="axial"), document), document).pixels
    mixed, values = compose(state, document).pixels, sampled(state, state.fusion)
    low, high = values < 0.12 * 120, values > 0.5 * 120
    assert (mixed[low] == plain[low]).all() and (mixed[high] != plain[high]).all()


def test_curtain_left_is_the_first_and_right_the_second() -> None:
    first, second = ct(np.full(CT_GRID.shape, 40, np.int16)), pet(np.full(NARROW.shape, 4.0, np.float32), geometry=NARROW)
    document = opened(first, second)
    state = resolve(ViewWish(first.id, plane="axial", fusion=FusionWish(second.id, "curtain", curtain=0.3)), document)
    plain = compose(resolve(ViewWish(first.id, plane="axial"), document), document).pixels
    pixels = compose(state, document).pixels
    np.testing.assert_array_equal(pixels[:, :15], plain[:, :15])
    red, green, blue = (int(c) for c in color_map("hot_iron")[170])
    assert int(pixels[20, 30]) == 0xFF000000 | red << 16 | green << 8 | blue
    assert int(pixels[0, 49]) == 0xFF000000  # nothing is there


def test_difference_is_second_less_first_with_none_in_the_middle_of_the_greys() -> None:
    first = ct(np.arange(12 * 40 * 50).reshape(CT_GRID.shape).astype(np.int16) % 100)
    second = ct(first.values + np.int16(25))
    document = opened(first, second)
    wish = ViewWish(first.id, plane="axial", fusion=FusionWish(second.id, "difference", difference=Window.between(-50, 50)))
    pixels = compose(resolve(wish, document), document).pixels
    assert set(np.unique(pixels & 255)) == {math.floor(75 / 100 * 255 + 0.5)}
    same = replace(wish, fusion=FusionWish(first.id, "difference"))
    assert set(np.unique(compose(resolve(same, document), document).pixels & 255)) <= {127, 128}


def test_what_is_not_linked_is_not_drawn() -> None:
    first, second = ct(), pet(geometry=replace(PET_GRID, frame_uid="1.2.840.2"))
    document = opened(first, second)
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id)), document)
    plain = resolve(ViewWish(first.id), document)
    np.testing.assert_array_equal(compose(state, document).pixels, compose(plain, document).pixels)
    assert state.fusion is not None and "different frames of reference" in state.fusion.reason


def test_padding_of_the_second_is_not_laid_over() -> None:
    first = ct(np.full(CT_GRID.shape, 40, np.int16))
    second = ct(np.full(CT_GRID.shape, -2000, np.int16), padding=(-2000.0, -2000.0))
    document = opened(first, second)
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id)), document)
    np.testing.assert_array_equal(compose(state, document).pixels, compose(resolve(ViewWish(first.id), document), document).pixels)


def test_the_value_under_a_place_is_that_of_the_voxel() -> None:
    first, second = ct(), pet(along(PET_GRID, 2))
    document = opened(first, second)
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id)), document)
    assert state.fusion is not None
    index = (6, 7, 8)
    x, y, z = (float(c) for c in PET_GRID.to_patient((6.4, 6.6, 8.3)))
    assert state.fusion.index_at((x, y, z)) == index
    assert state.fusion.value_at((x, y, z)) == pytest.approx(float(second.values[index]))
    assert state.fusion.value_at((500.0, 0.0, 0.0)) is None
    assert moved(state.fusion.matrix, (1.0, 2.0, 3.0)) == pytest.approx((1.0, 2.0, 3.0))


def test_f10_the_name_of_a_file_is_left_out_with_the_identity() -> None:
    first, second = ct(), pet(identity=Identity(modality="PT"), title="Doe_John_PET")
    document = opened(first, second)
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id)), document)
    shown, hidden = (" ".join(corners(state, zoom_percent=100, identity=on).bottom_right) for on in (True, False))
    assert "Doe_John_PET" in shown and "Doe" not in hidden and "PT  Hot iron 50 %" in hidden


def test_what_lies_over_the_image_stands_in_its_corner_and_on_the_bar() -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    state = resolve(ViewWish(first.id, fusion=FusionWish(second.id)), document)
    lines = corners(state, zoom_percent=100, probe="40 HU\nPET AC: 1.00 SUVbw").bottom_right
    assert lines[:2] == ("40 HU", "PET AC: 1.00 SUVbw") and "PET AC  Hot iron 50 %  W 6.00  L 3.00" in lines
    assert has_color_bar(state) and not has_color_bar(resolve(ViewWish(first.id), document))
    hidden = resolve(ViewWish(first.id, fusion=FusionWish(second.id, is_shown=False)), document)
    assert not has_color_bar(hidden) and not any("PET" in line for line in corners(hidden, zoom_percent=100).bottom_right)


def test_an_export_shows_the_fusion_its_line_and_its_badge(qapp: Any) -> None:
    first, second = ct(np.full(CT_GRID.shape, 40, np.int16)), pet(np.full(NARROW.shape, 4.0, np.float32), geometry=replace(NARROW, frame_uid="1.9"))
    document = opened(first, second)
    wish = ViewWish(first.id, plane="axial", fusion=FusionWish(second.id, "curtain", curtain=0.25))
    without = png_bytes(screenshot(document, wish, (500, 400)))
    item = aligned(first, second, rigid(shift=(1.0, 0.0, 0.0)))
    document.commit(document.step("Align", (ItemChange("alignment", item.id, None, item),)))
    image = screenshot(document, wish, (500, 400))
    assert png_bytes(image) != without
    red = image.pixelColor(160, 300)
    assert (red.red(), red.green(), red.blue()) == tuple(int(c) for c in color_map("hot_iron")[170])
    plain = image.pixelColor(30, 300)
    assert plain.red() == plain.green() == plain.blue()


@pytest.mark.parametrize(
    "text",
    [
        "PET AC is not shown. The two series lie in different frames of reference: nothing says where one is.",
        "PET AC 未显示。两个序列位于不同的参考坐标系：没有说明两者的位置关系。",
    ],
)
def test_the_sentence_over_the_image_is_broken_into_lines_that_fit(qapp: Any, text: str) -> None:
    style = Style(12)
    lines = _wrapped(text, style, 180.0)
    assert len(lines) > 1 and "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, style) <= 180.0 for line in lines)
    assert len(lines) <= math.ceil(text_width(text, style) / 180.0) + 1  # no line of one word
    assert _wrapped("one", style, 1.0) == ["one"]


def test_sampled_planes_are_kept_for_windowing_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ct(), pet()
    document = opened(first, second)
    forget_planes()
    states = [resolve(ViewWish(first.id, index=n % 12, plane="axial", fusion=FusionWish(second.id)), document) for n in range(12)]
    kept = [sampled(state, state.fusion) for state in states if state.fusion is not None]
    windowed = resolve(ViewWish(first.id, index=11, plane="axial", fusion=FusionWish(second.id, opacity=0.1, window=Window(1, 2))), document)
    assert windowed.fusion is not None and sampled(windowed, windowed.fusion) is kept[-1]
    monkeypatch.setattr(fusion_module, "_KEPT_BYTES", 2 * kept[0].nbytes)
    nudged = resolve(ViewWish(first.id, index=3, plane="axial", fusion=FusionWish(second.id, nudge=rigid(shift=(1, 0, 0)))), document)
    assert nudged.fusion is not None
    sampled(nudged, nudged.fusion)
    assert len(fusion_module._planes) == 2
    forget_planes()
    assert len(fusion_module._planes) == 0


def test_the_readout_of_a_slab_is_what_is_painted_of_the_second() -> None:
    first, second = ct(), pet(along(CT_GRID, 2), geometry=CT_GRID)  # each voxel holds its height: planes of 3 mm
    document = opened(first, second)
    state = resolve(ViewWish(first.id, plane="axial", index=5, slab=Slab("mip", 12.0), fusion=FusionWish(second.id)), document)
    place = state.position_at((20.5, 10.5))
    assert second_text(state, place) == f"PET AC: MIP 12 mm: {place[2] + 6:.2f} SUVbw"  # two planes above
    alone = resolve(ViewWish(first.id, plane="axial", index=5, fusion=FusionWish(second.id)), document)
    assert second_text(alone, place) == f"PET AC: {place[2]:.2f} SUVbw"


@pytest.mark.parametrize("mode", ["difference", "curtain"])
def test_where_the_second_does_not_reach_is_black_in_any_colour_map(mode: Any) -> None:
    first, second = ct(), pet(geometry=NARROW, unit="HU")
    state = resolve(ViewWish(first.id, plane="axial", fusion=FusionWish(second.id, mode, "viridis", curtain=0.0)), opened(first, second))
    assert state.fusion is not None
    empty = np.isnan(sampled(state, state.fusion))
    pixels = compose(state, opened(first, second)).pixels
    assert empty.any() and not empty.all()
    assert (pixels[empty] == 0xFF000000).all() and (pixels[~empty] != 0xFF000000).all()


def test_the_corner_tells_the_thickness_of_the_slab_not_of_one_plane() -> None:
    first = ct(facts={"Slice thickness": "3 mm"})
    for changes in ({}, {"turn": turned_about(turn_of(CT_GRID, "axial"), (1, 0, 0), 20)}):
        state = resolve(ViewWish(first.id, plane="axial", slab=Slab("mip", 20.0), **changes), opened(first))
        lines = corners(state, zoom_percent=100).bottom_left
        assert any("Thickness 20 mm" in line for line in lines) and not any("Thickness 3 mm" in line for line in lines)
    state = resolve(ViewWish(first.id, plane="axial"), opened(first))
    assert any("Thickness 3 mm" in line for line in corners(state, zoom_percent=100).bottom_left)
