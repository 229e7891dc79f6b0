"""Pictures against the formulas of DICOM's windows (CONVENTIONS D28 to D37), from modality values to the pixels that Qt paints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from viewer.core.colormaps import color_map
from viewer.core.geometry import Geometry
from viewer.core.volume import Identity, Volume
from viewer.core.window import VoiLut, Window
from viewer.draw.color_bar import draw_color_bar, numbers, window_colors
from viewer.draw.picture import Picture, compose
from viewer.draw.screenshot import screenshot
from viewer.draw.text import Style
from viewer.session import hand
from viewer.session.document import Document
from viewer.session.view import ViewWish, resolve

pytestmark = pytest.mark.usefixtures("qapp")

# CONVENTIONS D31: c = 40, w = 400, 0 to 255.
VALUES = (-160, -159, 0, 40, 239, 240)
D31 = {
    "LINEAR": (0, 0.6391, 102.2556, 127.8195, 255, 255),
    "LINEAR_EXACT": (0, 0.6375, 102.0, 127.5, 254.3625, 255),
    "SIGMOID": (30.3967, 30.6655, 102.3346, 127.5, 224.3345, 224.6033),
}
KINDS = (np.int16, np.float32)


def opened(values: NDArray[Any], **facts: Any) -> Document:
    """One plane of values."""
    data = values[None, None]
    document = Document()
    document.add_source(Volume("root", data, Geometry((1, *values.shape[:2])), "image", **{"identity": Identity(series_uid="1.2"), **facts}))
    return document


def levels_of(picture: Picture) -> NDArray[np.int64]:
    """The grey levels that Qt reads from the picture."""
    image = picture.image
    found = [[QImage.pixelColor(image, x, y) for x in range(image.width())] for y in range(image.height())]
    assert all(c.red() == c.green() == c.blue() for row in found for c in row)
    return np.array([[c.red() for c in row] for row in found])


def shown(document: Document, wish: ViewWish) -> NDArray[np.int64]:
    return levels_of(compose(resolve(wish, document), document, only_image=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", D31)
@pytest.mark.parametrize("is_inverted", [False, True])
def test_d31_pixels_of_all_three_functions(function: Any, kind: Any, is_inverted: bool) -> None:
    document = opened(np.array([VALUES], dtype=kind), is_inverted=is_inverted)
    expected = np.floor(np.array(D31[function]) + 0.5)  # halves upwards
    found = shown(document, ViewWish("root", window=Window(40, 400, function)))[0]
    assert found.tolist() == (255 - expected if is_inverted else expected).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_d28_a_width_of_one_is_a_threshold_in_the_picture(kind: Any) -> None:
    document = opened(np.array([[-1, 0, 1]], dtype=kind))
    assert shown(document, ViewWish("root", window=Window(0, 1)))[0].tolist() == [0, 255, 255]


@pytest.mark.parametrize("kind", KINDS)
def test_d32_a_voi_lut_is_what_is_shown_at_first_and_a_drag_stretches_its_input(kind: Any) -> None:
    table = (0, 100, 400, 900, 1600, 2500, 3600, 4095)
    lut = VoiLut(first=-3, table=table, bits=12, name="CURVE")
    values = np.array([[-10, -4, -2, 0, 2, 4, 90]], dtype=kind)
    document = opened(values, voi_luts=(lut,), windows=(Window(0, 10),))
    expected = [0, 0, 100, 900, 2500, 4095, 4095]
    assert shown(document, ViewWish("root"))[0].tolist() == [int(e / 4095 * 255 + 0.5) for e in expected]
    state = resolve(ViewWish("root"), document)
    wide = hand.with_window(ViewWish("root"), state, Window.between(-6, 8))  # twice as wide: each entry for two values
    assert shown(document, wide)[0].tolist() == [int(e / 4095 * 255 + 0.5) for e in (0, 100, 400, 900, 1600, 2500, 4095)]
    chosen = hand.with_preset(ViewWish("root"), state, Window(0, 10))
    assert resolve(chosen, document).display.lut is None  # type: ignore[union-attr]


def test_d37_monochrome1_with_the_users_inversion_is_no_inversion() -> None:
    values = np.array([[-500, 0, 40, 900]], dtype=np.int16)
    plain = shown(opened(values), ViewWish("root", window=Window(40, 400)))
    assert np.array_equal(shown(opened(values, is_inverted=True), ViewWish("root", window=Window(40, 400), is_inverted=True)), plain)


def test_d36_colour_is_shown_as_it_is_until_brightness_is_asked_for() -> None:
    values = np.array([[[10, 100, 200]]], dtype=np.uint8)
    document = opened(values, is_color=True)
    color = compose(resolve(ViewWish("root"), document), document).image.pixelColor(0, 0)
    assert (color.red(), color.green(), color.blue()) == (10, 100, 200)


def test_a_colour_map_paints_its_colours() -> None:
    document = opened(np.array([[0, 255]], dtype=np.int16))
    for name in ("hot_iron", "viridis", "jet", "inverted_grey"):
        image = compose(resolve(ViewWish("root", window=Window(127.5, 255, "LINEAR_EXACT"), color_map=name), document), document).image
        ends = [(c.red(), c.green(), c.blue()) for c in (image.pixelColor(0, 0), image.pixelColor(1, 0))]
        assert ends == [tuple(color_map(name)[0].tolist()), tuple(color_map(name)[255].tolist())]


# --- the colour bar ---


def test_numbers_of_the_bar_are_its_ends_and_round_ones_with_the_unit_at_the_top() -> None:
    found = numbers(-160, 239, "HU", room=6)
    assert [text for _value, text in found] == ["-160", "-100", "0", "100", "239 HU"]
    assert [text for _value, text in numbers(0, 6, "SUVbw", room=7)] == ["0", "1", "2", "3", "4", "5", "6 SUVbw"]
    assert [text for _value, text in numbers(0.0, 0.05, "", room=3)] == ["0", "0.02", "0.05"]
    assert numbers(3, 3, "HU", room=5) == []


@pytest.mark.parametrize("is_inverted", [False, True])
@pytest.mark.parametrize("function", ["LINEAR", "SIGMOID"])
def test_the_bar_has_the_colours_of_the_pixels(function: Any, is_inverted: bool) -> None:
    values = np.linspace(-160, 240, 256, dtype=np.float32)[None]
    document = opened(values)
    wish = ViewWish("root", window=Window(40, 400, function), color_map="inferno", is_inverted=is_inverted)
    state = resolve(wish, document)
    colors, low, high = window_colors(state)
    picture = compose(state, document)
    at = int(np.argmin(np.abs(np.linspace(low, high, 256) - values[0, 100])))
    assert abs(int(colors[at] & 255) - int(picture.pixels[0, 100] & 255)) <= 2
    assert colors[0] == picture.pixels[0, 0]


def test_the_bar_stands_on_the_image_and_in_the_export_until_it_is_switched_off() -> None:
    document = opened(np.zeros((600, 600), np.int16), unit="HU")
    wish = ViewWish("root", window=Window(40, 400), color_map="viridis", text="short")
    on, off = screenshot(document, wish, (700, 700)), screenshot(document, hand.replace(wish, show_color_bar=False), (700, 700))
    top = color_map("viridis")[250].tolist()
    places = [(x, y) for x in range(600, 700) for y in range(350) if _is_near(on, x, y, top)]
    assert len(places) >= 8
    assert not any(_is_near(off, x, y, top) for x, y in places)
    assert resolve(ViewWish("root"), document).show_color_bar
    grey = screenshot(document, hand.replace(wish, color_map="grey"), (700, 700))
    assert not any(_is_near(grey, x, y, top) for x, y in places)  # grey needs no explanation


def _is_near(image: QImage, x: int, y: int, color: list[int]) -> bool:
    found = image.pixelColor(x, y)
    return max(abs(a - b) for a, b in zip((found.red(), found.green(), found.blue()), color, strict=True)) < 12


def test_a_view_too_small_has_no_bar() -> None:
    document = opened(np.zeros((60, 60), np.int16))
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    state = resolve(ViewWish("root", color_map="viridis"), document)
    draw_color_bar(painter, state, QRectF(0, 0, 200, 200), Style(), 1.0, right_inset=22)
    painter.end()
    assert {image.pixel(x, y) & 0xFFFFFF for x in range(0, 200, 3) for y in range(0, 200, 3)} == {0}
