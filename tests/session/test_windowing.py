"""What hands make of windows (CONVENTIONS 3a, 3b, D28 to D36), and the user's own presets, against arithmetic and numpy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.core.errors import SaveFailed
from viewer.core.geometry import Geometry
from viewer.core.graphics import Shutter
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.session import hand, windowing
from viewer.session.document import Document
from viewer.session.own_presets import OwnPresets, read_presets
from viewer.session.view import ViewState, ViewWish, presets, resolve

WISH = ViewWish("root", index=1)


def made(data: NDArray[Any], **facts: Any) -> Volume:
    usual = {"identity": Identity(series_uid="1.2", modality="CT"), "unit": "HU"}
    return Volume("root", data, Geometry(data.shape[1:4], spacing=(2, 1, 1)), **{**usual, **facts})


def opened(data: NDArray[Any] | None = None, **facts: Any) -> Document:
    if data is None:
        data = np.random.default_rng(8).integers(-1000, 1000, (1, 3, 40, 60)).astype(np.int16)
    document = Document()
    document.add_source(made(data, **facts))
    return document


def look(document: Document, wish: ViewWish = WISH) -> ViewState:
    return resolve(wish, document)


# --- the drag (3a) ---


@pytest.mark.parametrize("span", [1024, 256, 20])
def test_3a_a_drag_moves_by_the_1_to_99_percent_range_over_256_a_pixel(span: int) -> None:
    ramp = np.linspace(0, span, 3 * 100 * 100).astype(np.float32).reshape(1, 3, 100, 100)
    low, high = np.percentile(ramp[0, 1], (1, 99))  # the middle third of three planes
    document = opened(ramp, windows=(Window(100, 200, "LINEAR_EXACT"),))
    moved = look(document, hand.windowed(WISH, look(document), 10, 4)).window
    assert (moved.width - 200, moved.center - 100) == (
        pytest.approx(10 * (high - low) / 256, rel=1e-3),
        pytest.approx(4 * (high - low) / 256, rel=1e-3),
    )


def test_3a_up_is_brighter_and_right_is_wider() -> None:
    document = opened(windows=(Window(40, 400),))
    up = look(document, hand.windowed(WISH, look(document), 0, -10)).window
    right = look(document, hand.windowed(WISH, look(document), 10, 0)).window
    assert up.center < 40
    assert up.width == 400
    assert right.width > 400
    assert right.center == 40


@pytest.mark.parametrize(("kind", "least"), [(np.int16, 1.0), (np.float32, 1e-3)])
def test_3a_the_width_never_goes_below_its_least(kind: Any, least: float) -> None:
    data = np.random.default_rng(1).normal(0, 50, (1, 3, 20, 20)).astype(kind)
    document = opened(data, windows=(Window(0, 30),))
    window = look(document, hand.windowed(WISH, look(document), -100_000, 0)).window
    assert window.width == least
    # Of a LINEAR window with less than 1 there is no picture (D28).
    assert window.function == ("LINEAR" if least == 1 else "LINEAR_EXACT")


def test_d35_windowing_is_no_step_and_changes_no_value() -> None:
    document = opened(windows=(Window(40, 400),))
    before, steps = document.volume("root").data.copy(), document.history.position
    wish = hand.windowed(WISH, look(document), 30, 30)
    wish = windowing.with_function(wish, look(document, wish), "SIGMOID")
    assert look(document, wish).window.function == "SIGMOID"
    assert document.history.position == steps
    assert np.array_equal(document.volume("root").data, before)


# --- functions, ends, the file's windows ---


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_function_is_the_users_choice_and_keeps_centre_and_width(function: Any) -> None:
    document = opened(windows=(Window(40, 400, name="FILE"), Window(1, 2, "SIGMOID" if function != "SIGMOID" else "LINEAR")))
    start = hand.with_preset(WISH, look(document), Window(40, 400, "SIGMOID" if function != "SIGMOID" else "LINEAR"))
    window = look(document, windowing.with_function(start, look(document, start), function)).window
    assert (window.center, window.width, window.function) == (40, 400, function)
    dragged = hand.windowed(replace(start, window=window), look(document, replace(start, window=window)), 5, 5)
    assert look(document, dragged).window.function == function


def test_a_function_means_nothing_for_colour_as_it_is() -> None:
    document = opened(np.zeros((1, 3, 4, 4, 3), np.uint8), is_color=True, unit="")
    assert windowing.with_function(WISH, look(document), "SIGMOID") == WISH


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_ends_of_the_window_are_where_they_were_put_and_keep_their_order(function: Any) -> None:
    document = opened(windows=(Window(40, 400, function),))
    window = look(document, windowing.with_limits(WISH, look(document), -200, 300)).window
    assert (window.low, window.high, window.function) == (pytest.approx(-200), pytest.approx(300), function)
    crossed = look(document, windowing.with_limits(WISH, look(document), 50, -50)).window
    assert crossed.low == pytest.approx(50)
    assert crossed.width == 1


def test_3b_weasis_takes_the_files_windows_by_number() -> None:
    first, second = Window(40, 400, name="A"), Window(50, 350, name="B")
    document = opened(windows=(first, second))
    assert look(document, windowing.with_file_window(WISH, look(document), 1)).window == second
    assert look(document, windowing.with_file_window(WISH, look(document), 0)).window == first
    assert windowing.with_file_window(WISH, look(document), 2) == WISH


def test_d34_the_first_of_the_files_windows_is_that_of_each_plane() -> None:
    own = tuple(Window(100.0 * n, 50 + n) for n in range(1, 4))
    document = opened(windows=(own[0], Window(7, 8)), plane_windows=(own,))
    touched = hand.with_preset(WISH, look(document), Window(7, 8))
    assert "W/L manual" in look(document, touched).badges
    back = windowing.with_file_window(touched, look(document, touched), 0)
    assert [look(document, replace(back, index=n)).window for n in range(3)] == list(own)
    assert "W/L manual" not in look(document, back).badges


def test_3c_the_preset_of_pet_is_inverted_grey_but_colours_stay_as_they_are() -> None:
    document = opened(np.linspace(0, 9, 3 * 16, dtype=np.float32).reshape(1, 3, 4, 4), unit="SUVbw", identity=Identity(modality="PT"))
    (preset,) = presets(document.volume("root"))[0]
    shown = look(document, hand.with_preset(WISH, look(document), preset))
    assert (shown.window.low, shown.window.high, shown.is_inverted) == (0, 6, True)
    hot = replace(WISH, color_map="hot_iron")
    assert not look(document, hand.with_preset(hot, look(document, hot), preset)).is_inverted


# --- a region ---


def test_a_region_becomes_its_1st_to_99th_percentile() -> None:
    document = opened()
    state = look(document)
    values = document.volume("root").values[1]
    window = windowing.region_window(state, values, (10.0, 5.0), (40.0, 25.0))
    assert window is not None
    low, high = np.percentile(values[5:25, 10:40], (1, 99))
    assert (window.low, window.high) == (pytest.approx(low), pytest.approx(high))
    again = windowing.region_window(state, values, (40.0, 25.0), (10.0, 5.0))  # dragged the other way
    assert again == window


def test_a_pixel_is_in_the_region_if_its_centre_is() -> None:
    data = np.zeros((1, 3, 10, 10), np.int16)
    data[0, :, 2:4, 2:4] = np.array([[0, 10], [20, 30]])
    document = opened(data)
    values = data[0, 1]
    window = windowing.region_window(look(document), values, (2.4, 2.4), (3.6, 3.6))
    assert window is not None
    low, high = np.percentile([0, 10, 20, 30], (1, 99))
    assert (window.low, window.high) == (pytest.approx(low), pytest.approx(high))
    assert windowing.region_window(look(document), values, (2.6, 2.4), (3.6, 3.6)) is None  # two pixels
    assert windowing.region_window(look(document), values, (-50, -50), (-1, -1)) is None


def test_d15_d45_padding_shutter_and_nan_are_no_part_of_a_region() -> None:
    data = np.full((1, 3, 20, 20), 100, np.int16)
    data[..., :10] = -2000
    data[0, :, 12, 12] = 200
    document = opened(data, padding=(-2000, -2000), shutter=Shutter(rectangle=(0, 19, 0, 14)))
    window = windowing.region_window(look(document), data[0, 1], (0, 0), (20, 20))
    assert window is not None
    seen = data[0, 1][:, 10:15]
    assert (window.low, window.high) == tuple(pytest.approx(v) for v in np.percentile(seen, (1, 99)))
    floats = np.full((1, 3, 8, 8), np.nan, np.float32)
    assert windowing.region_window(look(opened(floats)), floats[0, 1], (0, 0), (8, 8)) is None


def test_a_region_of_one_value_has_the_least_width() -> None:
    for kind, least in ((np.int16, 1.0), (np.float32, 1e-3)):
        data = np.full((1, 3, 8, 8), 77, kind)
        window = windowing.region_window(look(opened(data)), data[0, 1], (0, 0), (8, 8))
        assert window is not None
        assert window.width == pytest.approx(least, rel=1e-6)
        assert window.center == pytest.approx(77)


def test_a_region_follows_a_picture_that_is_turned_and_not_square() -> None:
    document = opened(pixel_aspect=2.0)
    wish = replace(WISH, quarter_turns=1, flip_vertical=True)
    state = look(document, wish)
    shown = state.layout.plane(document.volume("root").values, state.index)
    width, height = state.layout.size
    window = windowing.region_window(state, shown, (0, 0), (width / 2, height / 4))
    assert window is not None
    low, high = np.percentile(shown[: shown.shape[0] // 4, : shown.shape[1] // 2], (1, 99))
    assert (window.low, window.high) == (pytest.approx(low), pytest.approx(high))


# --- the user's own presets ---


def test_own_presets_are_kept_for_modality_and_unit_and_can_be_handed_on(tmp_path: Path) -> None:
    ct, mr = made(np.zeros((1, 1, 2, 2), np.int16)), made(np.zeros((1, 1, 2, 2), np.int16), unit="", identity=Identity(modality="MR"))
    kept = OwnPresets(tmp_path / "settings" / "presets.json")
    kept.save(ct, Window(60, 300.5, "SIGMOID"), "  Larynx\n")
    kept.save(mr, Window(500, 900), "T1 重点")
    again = OwnPresets(kept.path)
    assert again.of(ct) == (Window(60, 300.5, "SIGMOID", "Larynx"),)
    assert again.of(mr) == (Window(500, 900, name="T1 重点"),)
    assert again.of(replace(ct, unit="SUVbw")) == ()
    assert json.loads(kept.path.read_text(encoding="utf-8"))["presets"][0]["name"] == "Larynx"
    other = OwnPresets(tmp_path / "other.json")
    assert other.take_from(kept.path) == ()
    assert other.of(ct) == again.of(ct)
    again.save(ct, Window(1, 2), "LARYNX")  # the same name: replaced
    assert again.of(ct) == (Window(1, 2, name="LARYNX"),)
    again.remove(ct, "LARYNX")
    assert OwnPresets(kept.path).of(ct) == ()
    assert OwnPresets(kept.path).of(mr) == again.of(mr)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"presets": 3}', "\x00\xff", '{"presets": ' + "[" * 100_000])
def test_a_broken_file_of_presets_is_said_and_not_thrown_away(tmp_path: Path, text: str) -> None:
    path = tmp_path / "window-presets.json"
    path.write_text(text, encoding="utf-8")
    kept = OwnPresets(path)
    (said,) = kept.problems
    assert str(path) in said
    volume = made(np.zeros((1, 1, 2, 2), np.int16))
    assert kept.of(volume) == ()
    kept.save(volume, Window(1, 2), "New")
    assert OwnPresets(path).of(volume) == (Window(1, 2, name="New"),)
    assert path.with_suffix(".damaged.json").read_text(encoding="utf-8") == text


def test_one_bad_entry_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    good = {"modality": "CT", "unit": "HU", "name": "Good", "center": 1, "width": 2.5, "function": "LINEAR_EXACT"}
    bad: list[Any] = [
        {**good, "width": 0}, {**good, "width": -4}, {**good, "name": " "}, {**good, "center": "1"}, {**good, "function": "CUBIC"},
        {**good, "name": 7},
        {**good, "width": True}, {**good, "center": 1e300}, {"name": "x"}, 3, {**good, "width": 0.5, "function": "LINEAR"},
    ]  # fmt: skip
    path.write_text(json.dumps({"presets": [*bad, good]}).replace("0.5", "NaN"), encoding="utf-8")
    found, problems = read_presets(path)
    assert [p.window for p in found] == [Window(1, 2.5, "LINEAR_EXACT", "Good")]
    assert len(problems) == len(bad)


def test_presets_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    kept = OwnPresets(tmp_path / "file" / "presets.json")
    with pytest.raises(SaveFailed, match=r"presets\.json"):
        kept.save(made(np.zeros((1, 1, 2, 2), np.int16)), Window(1, 2), "Name")
    assert kept.presets == ()
