from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.core.colormaps import TITLES, color_map
from viewer.core.geometry import Geometry
from viewer.core.layout import layout_of
from viewer.core.render import (
    Display,
    auto_window,
    blend_labels,
    blend_map,
    full_window,
    levels,
    lut_window,
    part_of,
    plane_values,
    spread,
    to_rgb32,
    voi_levels,
)  # fmt: skip
from viewer.core.volume import Volume
from viewer.core.window import VoiLut, Window, apply_window

# CONVENTIONS D31: c = 40, w = 400.
D31 = {
    -160: (0, 0, 30.3967),
    -159: (0.6391, 0.6375, 30.6655),
    0: (102.2556, 102.0, 102.3346),
    40: (127.8195, 127.5, 127.5),
    239: (255, 254.3625, 224.3345),
    240: (255, 255, 224.6033),
}
FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def volume(data: NDArray[Any], **facts: Any) -> Volume:
    shape = data.shape[1:4]
    return Volume("v", data, Geometry((shape[0], shape[1], shape[2])), **facts)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("value", D31)
def test_windows_give_the_published_levels(value: int, function: Any) -> None:
    display = Display(Window(40, 400, function))
    expected = D31[value][FUNCTIONS.index(function)]
    assert voi_levels(np.array([value]), display)[0] == pytest.approx(expected, abs=5e-5)
    nearest = np.floor(expected + 0.5)
    for kind in (np.int16, np.float32):
        assert levels(np.array([[value]], dtype=kind), display)[0, 0] == nearest


def test_a_window_of_width_one_is_a_threshold() -> None:
    display = Display(Window(0, 1))
    assert voi_levels(np.array([-0.5, 0.0]), display).tolist() == [0, 255]
    assert levels(np.array([[-0.5, 0.0]], dtype=np.float32), display).tolist() == [[0, 255]]
    assert levels(np.array([[-1, 0]], dtype=np.int16), display).tolist() == [[0, 255]]


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("window", [Window(40, 400), Window(-600.5, 1500, "LINEAR_EXACT"), Window(10.25, 33, "SIGMOID"), Window(30000, 9)])
def test_every_value_of_an_integer_type_goes_through_the_formula(kind: Any, window: Window) -> None:
    limits = np.iinfo(kind)
    every = np.arange(limits.min, limits.max + 1).astype(kind)[None]
    x = every.astype(np.float64)
    c, w = window.center, window.width
    if window.function == "LINEAR":
        expected = np.clip(((x - (c - 0.5)) / (w - 1) + 0.5) * 255, 0, 255)
    elif window.function == "LINEAR_EXACT":
        expected = np.clip(((x - c) / w + 0.5) * 255, 0, 255)
    else:
        with np.errstate(over="ignore"):
            expected = 255 / (1 + np.exp(-4 * (x - c) / w))
    assert np.array_equal(levels(every, Display(window)), np.floor(expected + 0.5))


def test_float_values_keep_their_precision_far_from_zero_and_nan_is_black() -> None:
    plane = np.array([[1e6, 1e6 + 1, np.nan, np.inf, -np.inf]], dtype=np.float32)
    assert levels(plane, Display(Window.between(1e6, 1e6 + 1))).tolist() == [[0, 255, 0, 255, 0]]
    assert levels(plane, Display(Window(1e6, 4, "SIGMOID")))[0, 2] < 128


def test_inversion_comes_at_the_very_end() -> None:
    plane = np.array([[-500, 0, 40, 41, 900]], dtype=np.int16)
    for kind in (np.int16, np.float32):
        straight = levels(plane.astype(kind), Display(Window(40, 400)))
        inverted = levels(plane.astype(kind), Display(Window(40, 400), is_inverted=True))
        assert np.array_equal(inverted, 255 - straight)


def test_padding_is_background_inverted_or_not() -> None:
    plane = np.array([[-2000, 100]], dtype=np.int16)
    for kind in (np.int16, np.float32):
        for is_inverted in (False, True):
            display = Display(Window(-1500, 4000), is_inverted=is_inverted, padding=(-2000, -2000))
            assert levels(plane.astype(kind), display)[0, 0] == 0
            assert to_rgb32(plane.astype(kind), display)[0, 0] == 0xFF000000


def test_a_voi_lut_is_a_curve_of_its_own_depth_clamped_at_both_ends() -> None:
    lut = VoiLut(first=100, table=(0, 1023, 4095), bits=12)
    display = Display(lut_window(lut), lut)
    values = np.array([[0, 100, 101, 102, 500]], dtype=np.int16)
    expected = [0, 0, round(1023 / 4095 * 255), 255, 255]
    assert levels(values, display).tolist() == [expected]
    assert levels(values.astype(np.float32), display).tolist() == [expected]


def test_a_voi_lut_is_stretched_over_the_window() -> None:
    lut = VoiLut(first=0, table=(0, 10, 255), bits=8)
    display = Display(Window.between(0, 200), lut)
    assert levels(np.array([[0, 49, 51, 149, 151, 200]], dtype=np.int16), display).tolist() == [[0, 0, 10, 10, 255, 255]]


def test_planes_are_views_of_the_volume() -> None:
    v = volume(np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5))
    for axis in range(3):
        plane = plane_values(v, 1, axis, 2)
        assert np.shares_memory(plane, v.data)
        assert np.array_equal(plane, np.take(v.data[1], 2, axis=axis))


def test_colour_is_shown_as_it_is_and_inverted_on_request() -> None:
    plane = np.array([[[1, 2, 3], [255, 0, 128]]], dtype=np.uint8)
    assert to_rgb32(plane, None).tolist() == [[0xFF010203, 0xFFFF0080]]
    inverted = to_rgb32(plane, Display(Window(127.5, 255, "LINEAR_EXACT"), is_inverted=True))
    assert inverted.tolist() == [[0xFFFEFDFC, 0xFF00FF7F]]


def test_a_table_is_not_mistaken_for_that_of_another_type() -> None:
    display = Display(Window(128, 256, "LINEAR_EXACT"))
    assert levels(np.array([[255]], dtype=np.uint8), display)[0, 0] == 254
    assert levels(np.array([[-1]], dtype=np.int8), display)[0, 0] == 0
    assert levels(np.array([[-1]], dtype=np.int16), display)[0, 0] == 0
    assert levels(np.array([[65535]], dtype=np.uint16), display)[0, 0] == 255


def test_auto_window_leaves_out_padding_and_looks_at_the_middle_third() -> None:
    rng = np.random.default_rng(1)
    middle = rng.integers(0, 1000, (3, 60, 60)).astype(np.int16)
    data = np.concatenate([np.full((3, 60, 60), 30000, np.int16), middle, np.full((3, 60, 60), -30000, np.int16)])
    y, x = np.mgrid[:60, :60]
    circle = (y - 30) ** 2 + (x - 30) ** 2 < 25**2
    padded = data.copy()
    padded[:, ~circle] = -2000
    found = spread(volume(padded[None], padding=(-2000, -2000)))
    expected = np.percentile(middle[:, circle], (1, 99))
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert auto_window(volume(data[None])).function == "LINEAR_EXACT"


def test_auto_window_of_one_value_and_of_nothing_is_usable() -> None:
    for data in (np.zeros((1, 1, 4, 4), np.int16), np.full((1, 1, 4, 4), np.nan, np.float32), np.full((1, 1, 4, 4), 7, np.uint8)):
        assert auto_window(volume(data)).width > 0
        assert full_window(volume(data)).width > 0


def test_full_window_spans_all_but_padding() -> None:
    data = np.array([[[[-2000, -5], [7, 300]]]], dtype=np.int16)
    window = full_window(volume(data, padding=(-2000, -2000)))
    assert (window.low, window.high) == (-5, 300)


def test_labels_tint_by_their_opacity_and_only_where_they_have_a_colour() -> None:
    picture = np.full((1, 3), 0xFF646464, dtype=np.uint32)  # grey 100
    blend_labels(picture, np.array([[0, 1, 2]], dtype=np.uint8), {1: (200, 0, 100)}, 0.28)
    red, green, blue = (round(100 * 0.72 + c * 0.28) for c in (200, 0, 100))
    assert picture.tolist() == [[0xFF646464, 0xFF000000 | red << 16 | green << 8 | blue, 0xFF646464]]


def test_tinting_many_labels_is_the_formula_at_every_pixel() -> None:
    rng = np.random.default_rng(3)
    labels = rng.choice(np.array([0, 1, 2, 7, 300, 65535], dtype=np.uint16), (40, 50))
    colors = {1: (200, 0, 100), 7: (1, 255, 3), 300: (9, 90, 200), 65535: (255, 255, 255), 4000: (1, 2, 3)}
    before = rng.integers(0, 1 << 24, (40, 50), dtype=np.uint32) | np.uint32(0xFF000000)
    for opacity in (0.28, 1.0):
        after, part = before.copy(), np.zeros((40, 60), dtype=np.uint32)
        blend_labels(after, labels, colors, opacity)
        part[:, :50] = before
        blend_labels(part[:, :50], labels, colors, opacity)
        assert (part[:, :50] == after).all()  # rows need not follow each other in memory
        for shift, channel in ((16, 0), (8, 1), (0, 2)):
            old, new = before >> shift & 255, after >> shift & 255
            tint = np.vectorize(lambda label, channel=channel: colors[label][channel] if label in colors else -1)(labels)
            expected = np.where(tint < 0, old, old * (1 - opacity) + tint * opacity)
            assert np.abs(new - expected).max() <= 0.501
        assert (after >> 24 == 255).all()


def test_a_map_is_clear_below_its_floor_and_where_it_is_nan_and_rises_to_its_opacity() -> None:
    picture = np.full((1, 4), 0xFF000000, dtype=np.uint32)
    blend_map(picture, np.array([[np.nan, 0.119, 0.56, 1.0]], dtype=np.float32), 0, 1, "inferno", 0.45)
    assert picture[0, :2].tolist() == [0xFF000000, 0xFF000000]
    top = color_map("inferno")[round(0.95 * 255)]
    half = color_map("inferno")[round((0.15 + 0.8 * 0.56) * 255)]
    for pixel, color, alpha in ((picture[0, 3], top, 0.45), (picture[0, 2], half, 0.45 * 0.5)):
        shown = np.array([pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255], dtype=float)
        assert np.abs(shown - color * alpha).max() <= 1.5


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_an_array_of_one_plane_is_shown_in_its_place(plane: Any) -> None:
    shape = (4, 5, 6)
    part = np.arange(30, dtype=np.float32).reshape(1, 5, 6)
    whole = np.full(shape, -1, dtype=np.float32)
    whole[2] = part[0]
    layout = layout_of(Geometry(shape), plane)
    for index in range(layout.count):
        found = part_of(layout, index, shape, (2, 0, 0), part, -1)
        expected = layout.plane(whole, index)
        assert np.array_equal(expected, np.full_like(expected, -1)) if found is None else np.array_equal(found, expected)


@pytest.mark.parametrize(("name", "palette"), [("hot_iron", "HOT_IRON"), ("pet", "PET"), ("hot_metal", "HOT_METAL_BLUE")])
def test_well_known_palettes_are_those_of_the_standard(name: str, palette: str) -> None:
    from pydicom.pixels.processing import apply_color_lut

    expected = apply_color_lut(np.arange(256, dtype=np.uint8)[None], palette=palette)[0]
    assert np.array_equal(color_map(name), expected)


def test_perceptual_maps_grow_lighter() -> None:
    for name in ("viridis", "magma", "inferno", "plasma", "cividis"):
        light = color_map(name) @ np.array([0.2126, 0.7152, 0.0722])
        assert np.all(np.diff(light[::16]) > 0), name
    assert all(color_map(name).shape == (256, 3) for name in TITLES)
    assert np.array_equal(color_map("no such map"), color_map("grey"))


def test_a_large_picture_is_looked_up_in_parts_as_a_small_one_is_at_once() -> None:
    plane = np.random.default_rng(1).integers(0, 65536, (1500, 1600)).astype(np.uint16)  # above the size that threads share
    display = Display(Window(30000, 50000), color_map="inferno")
    found = to_rgb32(plane, display)
    rows = [to_rgb32(plane[n : n + 1], display) for n in (0, 163, 164, 777, 1499)]
    assert np.array_equal(found[[0, 163, 164, 777, 1499]], np.concatenate(rows))
    turned = to_rgb32(plane.T, display)
    assert np.array_equal(turned, found.T)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_memory_of_the_frame_before_is_written_over_if_it_fits(kind: Any) -> None:
    plane = np.arange(12).reshape(3, 4).astype(kind)
    display = Display(Window(5, 8))
    used, small = np.zeros((3, 4), np.uint32), np.zeros((2, 2), np.uint32)
    assert to_rgb32(plane, display, used) is used
    assert np.array_equal(used, to_rgb32(plane, display))
    assert to_rgb32(plane, display, small) is not small
    assert not small.any()


def test_3f_every_map_of_the_list_is_there_and_those_that_bend_perception_say_so() -> None:
    assert set(TITLES) == {
        "grey", "inverted_grey", "hot_iron", "hot_metal", "rainbow", "pet", "viridis", "magma", "inferno", "plasma", "cividis", "jet",
    }  # fmt: skip
    assert "not perceptual" in TITLES["rainbow"]
    assert "legacy" in TITLES["jet"]
    assert np.array_equal(color_map("inverted_grey"), color_map("grey")[::-1])
    assert len({color_map(name).tobytes() for name in TITLES}) == len(TITLES)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_d31_every_number_has_the_level_of_the_formula(dtype: type, function: str) -> None:
    """Far from the window, too, and with windows beside all that the type holds."""
    limits = np.iinfo(dtype)
    every = np.arange(limits.min, limits.max + 1).astype(dtype)[None]
    for center, width in ((40, 400), (40.5, 1), (0, 1.5), (-1e6, 10), (1e6, 10), (limits.max, 3), (limits.min, 3), (100, 1e7), (-600.25, 1500.5)):
        for is_inverted in (False, True):
            window = Window(center, width, function)
            expected = np.floor(apply_window(every, window) + 0.5)
            expected = 255 - expected if is_inverted else expected
            found = levels(every, Display(window, None, is_inverted))
            assert (found == expected).all(), (center, width, is_inverted)
