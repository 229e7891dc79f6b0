from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.core.annotation import Annotation
from viewer.core.geometry import Geometry
from viewer.core.labels import LabelLayer, Segment
from viewer.core.overlay import ScalarMap
from viewer.core.render import Display, spread
from viewer.core.volume import Identity, Volume
from viewer.core.window import VoiLut, Window
from viewer.session import hand
from viewer.session.document import Document
from viewer.session.history import ItemChange
from viewer.session.view import EMPTY, ViewWish, presets, resolve

SHAPE = (6, 40, 50)
GEOMETRY = Geometry(SHAPE, (11, -22, 33), (3.0, 0.7, 0.5))
VIEWPORT = (300.0, 200.0)


def made(**facts: Any) -> Volume:
    rng = np.random.default_rng(0)
    data = rng.integers(-1000, 2000, (facts.pop("phases", 1), *SHAPE)).astype(facts.pop("dtype", np.int16))
    return Volume("root", data, facts.pop("geometry", GEOMETRY), **{"unit": "HU", "identity": Identity(series_uid="1.2", modality="CT"), **facts})


def opened(volume: Volume) -> Document:
    document = Document()
    document.add_source(volume)
    return document


def with_items(document: Document, *items: tuple[str, Any]) -> Document:
    changes: Any = tuple(ItemChange(kind, item.id, None, item) for kind, item in items)  # type: ignore[arg-type]
    document.commit(document.step("Add", changes))
    return document


@pytest.mark.parametrize(
    "wish",
    [
        ViewWish(),
        ViewWish("gone"),
        ViewWish("root", index=-5),
        ViewWish("root", index=10**9, phase=99),
        ViewWish("root", phase=-3, zoom=float("nan"), center=(float("inf"), 0, 0)),
        ViewWish("root", window=Window(0, -1)),
        ViewWish("root", window=Window(float("nan"), 5)),
        ViewWish("root", lut=7, color_map="no such map"),
        ViewWish("root", zoom=1e9, label_opacity=7, overlay_opacity=-1, quarter_turns=-9),
    ],
)
def test_a_stale_or_senseless_wish_gives_a_state_that_can_be_painted(wish: ViewWish) -> None:
    state = resolve(wish, opened(made()))
    if wish.volume_id != "root":
        assert state == EMPTY
        return
    assert 0 <= state.index < state.count
    assert state.phase == 0
    assert state.display is not None
    assert state.window.width > 0
    assert state.zoom is None or 0 < state.zoom <= 64
    assert 0 <= state.label_opacity <= 1


def test_resolving_twice_gives_equal_states() -> None:
    document = opened(made())
    assert resolve(ViewWish("root"), document) == resolve(ViewWish("root"), document)


def test_the_middle_slice_is_shown_first() -> None:
    assert resolve(ViewWish("root"), opened(made())).index == 3
    assert resolve(ViewWish("root", plane="sagittal"), opened(made())).index == 25


LUT = VoiLut(0, (0, 128, 255), 8, "LUT 1")


def test_the_first_window_is_voi_lut_over_the_files_window_over_computed() -> None:
    first, second = Window(40, 400, name="One"), Window(-600, 1500, name="Two")
    state = resolve(ViewWish("root"), opened(made(voi_luts=(LUT,), windows=(first, second))))
    assert state.display is not None
    assert state.display.lut is LUT
    state = resolve(ViewWish("root"), opened(made(windows=(Window(0, 0), first, second))))
    assert (state.window, state.is_auto) == (first, False)
    volume = made()
    state = resolve(ViewWish("root"), opened(volume))
    assert state.is_auto
    assert (state.window.low, state.window.high) == pytest.approx((spread(volume).low, spread(volume).high))


def test_the_files_windows_come_round_one_after_the_other() -> None:
    first, second = Window(40, 400, name="One"), Window(-600, 1500, name="Two")
    document = opened(made(voi_luts=(LUT,), windows=(first, second)))
    wish, seen = ViewWish("root", window=Window(1, 2)), []
    for _ in range(4):
        wish = hand.with_next_file_window(wish, resolve(wish, document))
        state = resolve(wish, document)
        assert state.display is not None
        seen.append(state.display.lut or state.window)
    assert seen == [LUT, first, second, LUT]


def test_monochrome1_and_the_users_invert_undo_each_other() -> None:
    for stored in (False, True):
        for asked in (False, True):
            state = resolve(ViewWish("root", is_inverted=asked), opened(made(is_inverted=stored)))
            assert state.display is not None
            assert state.display.is_inverted == (stored != asked)


def test_colour_is_shown_as_it_is_unless_asked() -> None:
    data = np.zeros((1, *SHAPE, 3), np.uint8)
    document = opened(Volume("root", data, GEOMETRY, is_color=True))
    assert resolve(ViewWish("root"), document).display is None
    asked = ViewWish("root", window=Window(100, 50))
    assert resolve(asked, document).display == Display(Window(100, 50))


def test_a_derived_volume_takes_its_parents_place_and_the_original_is_one_wish_away() -> None:
    root = made(windows=(Window(40, 400),))
    child = root.derived("child", root.data // 2)
    document = with_items(opened(root), ("volume", child))
    changes: Any = (ItemChange("shown", "root", None, "child"),)
    document.commit(document.step("Show", changes))
    state = resolve(ViewWish("root"), document)
    assert state.volume is child
    assert "PROCESSED" in state.badges
    assert state.window == Window(40, 400)  # same unit: the file's window still means something
    original = resolve(ViewWish("root", show_original=True), document)
    assert original.volume is root
    assert "PROCESSED" not in original.badges


def test_a_window_chosen_for_another_unit_is_not_used() -> None:
    document = opened(made(unit="SUV"))
    chosen = Window(3, 6)
    assert resolve(ViewWish("root", window=chosen, window_unit="SUV"), document).window == chosen
    assert resolve(ViewWish("root", window=chosen, window_unit="HU"), document).window != chosen


def test_presets_are_for_ct_in_hu_and_say_why_not() -> None:
    assert presets(made())[0]
    for volume in (made(unit=""), made(identity=Identity(modality="MR"))):
        found, reason = presets(volume)
        assert not found
        assert reason


def test_presets_of_suv_go_from_0_to_6() -> None:
    (window,), reason = presets(made(unit="SUVbw", identity=Identity(modality="PT")))
    assert (window.low, window.high, reason) == (0, 6, "")


def test_volumes_of_other_files_hang_as_people_expect() -> None:
    flipped = Geometry(SHAPE, (0, 0, 0), (3, 0.7, 0.5), (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    assert resolve(ViewWish("root"), opened(made(geometry=flipped, identity=Identity()))).plane == "axial"
    assert resolve(ViewWish("root"), opened(made(geometry=flipped))).plane == "acquired"


def test_only_what_lies_on_the_slice_and_phase_is_shown() -> None:
    def place(*index: float) -> Any:
        return tuple(float(x) for x in GEOMETRY.to_patient(index))

    line = Annotation("line", "distance", "root", (place(2, 5, 5), place(2, 9, 30)))
    document = with_items(opened(made(phases=2)), ("annotation", line), ("annotation", replace(line, id="later", phase=1)))
    shown = {index: [item.id for item in resolve(ViewWish("root", index=index), document).annotations] for index in range(6)}
    assert shown == {0: [], 1: [], 2: ["line"], 3: [], 4: [], 5: []}
    assert not resolve(ViewWish("root", plane="coronal", index=5), document).annotations
    assert not resolve(ViewWish("root", index=2, show_annotations=False), document).annotations


def test_layers_and_maps_on_another_grid_are_left_out() -> None:
    other = replace(GEOMETRY, origin=(0.0, 0.0, 0.0))
    layers = [LabelLayer(name, name, grid, "root", (Segment(1, "S", "#37F8C8"),)) for name, grid in (("here", GEOMETRY), ("there", other))]
    plane = GEOMETRY.cropped((2, 0, 0), (1, 40, 50))
    heat = ScalarMap("heat", "Heat", "root", plane, np.ones((1, 40, 50), np.float32))
    document = with_items(opened(made()), *[("layer", layer) for layer in layers], ("overlay", heat))
    state = resolve(ViewWish("root", index=2), document)
    assert [shown.layer.id for shown in state.layers] == ["here"]
    assert [(shown.item.id, shown.start) for shown in state.maps] == [("heat", (2, 0, 0))]
    assert not resolve(ViewWish("root", index=3), document).maps


def test_an_edit_of_labels_changes_the_state() -> None:
    layer = LabelLayer("layer", "L", GEOMETRY, "root", (Segment(1, "S", "#37F8C8"),))
    document = with_items(opened(made()), ("layer", layer))
    before = resolve(ViewWish("root"), document)
    with document.edit("Paint") as edit:
        edit.paint("layer", (slice(0, 1), slice(0, 2), slice(0, 2)), np.ones((1, 2, 2), np.bool_), 1)
    assert resolve(ViewWish("root"), document) != before


# --- hands ---


def state_of(wish: ViewWish) -> Any:
    return resolve(wish, opened(made()))


def test_scrolling_stops_at_the_ends() -> None:
    wish = ViewWish("root", index=4)
    assert hand.scrolled(wish, state_of(wish), 5).index == 5
    assert hand.scrolled(wish, state_of(wish), -50).index == 0


def test_a_cine_is_walked_through_by_frames() -> None:
    data = np.zeros((7, 1, 4, 4), np.uint8)
    document = opened(Volume("root", data, Geometry((1, 4, 4), is_patient=False), kind="cine"))
    wish = ViewWish("root", phase=2)
    state = resolve(wish, document)
    assert hand.stepped(wish, state, 3).phase == 5
    assert (hand.stack_size(state), hand.stack_index(state)) == (7, 2)


def test_zooming_keeps_what_is_under_the_pointer() -> None:
    document = opened(made())
    wish = ViewWish("root", plane="coronal")
    at = (40.0, 150.0)
    for factor in (1.7, 3.0, 0.4):
        state = resolve(wish, document)
        before = state.position_at(state.placement(VIEWPORT).to_picture(at))
        wish = hand.zoomed(wish, state, VIEWPORT, factor, at)
        after = resolve(wish, document)
        assert after.position_at(after.placement(VIEWPORT).to_picture(at)) == pytest.approx(before)


def test_panning_moves_the_picture_with_the_hand() -> None:
    document = opened(made())
    wish = ViewWish("root", zoom=2.0)
    state = resolve(wish, document)
    point = state.placement(VIEWPORT).to_viewport((10, 10))
    moved = resolve(hand.panned(wish, state, VIEWPORT, 12, -7), document).placement(VIEWPORT).to_viewport((10, 10))
    assert moved == pytest.approx((point[0] + 12, point[1] - 7))


def test_a_drag_windows_by_the_spread_and_up_is_brighter() -> None:
    volume = made()
    wish = ViewWish("root", window=Window(40, 400))
    state = resolve(wish, opened(volume))
    gain = (spread(volume).high - spread(volume).low) / 256
    right = hand.windowed(wish, state, 10, 0).window
    up = hand.windowed(wish, state, 0, -10).window
    assert right is not None
    assert up is not None
    assert (right.center, right.width) == pytest.approx((40, 400 + 10 * gain))
    assert (up.center, up.width) == pytest.approx((40 - 10 * gain, 400))
    narrow = hand.windowed(wish, state, -10000, 0).window
    assert narrow is not None
    assert narrow.width == 1


def test_a_drag_on_a_voi_lut_keeps_the_curve() -> None:
    document = opened(made(voi_luts=(LUT,)))
    wish = ViewWish("root")
    wish = hand.windowed(wish, resolve(wish, document), 5, 5)
    display = resolve(wish, document).display
    assert display is not None
    assert display.lut is LUT
    assert wish.lut == 0


def test_a_wheel_gathers_turns_until_they_make_a_step() -> None:
    assert hand.wheel_steps(0, -120, is_touch=False) == (1, 0)
    assert hand.wheel_steps(0, 240, is_touch=False) == (-2, 0)
    held, total = 0.0, 0
    for _ in range(9):
        steps, held = hand.wheel_steps(held, -15, is_touch=True)
        total += steps
    assert total == 3  # 135 units at 40 a slice
    assert hand.wheel_steps(-30, 20, is_touch=True) == (0, 20)  # turned back: what was held is gone


def test_another_plane_goes_through_the_same_place() -> None:
    document = opened(made())
    place = tuple(float(x) for x in GEOMETRY.to_patient((2, 11, 37)))
    wish = ViewWish("root", index=2, zoom=3.0, center=place)  # type: ignore[arg-type]
    for plane, index in (("coronal", 11), ("sagittal", 37), ("axial", 2)):
        wish = hand.with_plane(wish, resolve(wish, document), plane)  # type: ignore[arg-type]
        state = resolve(wish, document)
        assert state.index == index
        middle = state.position_at(state.placement(VIEWPORT).to_picture((150, 100)))
        assert middle == pytest.approx(place)


def test_reset_keeps_the_slice_only() -> None:
    wish = ViewWish("root", index=2, zoom=4.0, is_inverted=True, quarter_turns=1, window=Window(1, 2))
    assert hand.reset(wish) == ViewWish("root", index=2)


def test_100_percent_is_a_pixel_of_the_screen() -> None:
    wish = hand.at_full_size(ViewWish("root"), state_of(ViewWish("root")), VIEWPORT, 2.0)
    assert wish.zoom == 0.5
    assert hand.zoom_percent(state_of(wish), VIEWPORT, 2.0) == 100
