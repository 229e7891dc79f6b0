"""What stands over the picture can be read on any pixels and at any scale factor; rulers are as long as they say; badges that must stay do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from scipy import ndimage

from viewer.core.geometry import Geometry, place_text
from viewer.core.letters import shown_letters, use_letters
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.draw.corners import position_text
from viewer.draw.overlay import KEY_IMAGE, Extras, paint_overlay, shown_badges, side_by_side
from viewer.draw.ruler import ruler_of
from viewer.draw.screenshot import screenshot
from viewer.draw.text import Style, text_width
from viewer.session.document import Document
from viewer.session.view import ViewState, ViewWish, resolve

WHO = Identity(
    patient_id="ID-1", patient_name="Doe^Jane", study_date="20240318", series_uid="1.2", series_number="3", institution="Clinic", modality="CT"
)
GRID = Geometry((9, 200, 200), (-50, -50, 10), (2.5, 0.5, 0.5))


pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(autouse=True)
def _usual_letters() -> Iterator[None]:
    yield
    use_letters("HF")


def document_of(geometry: Geometry = GRID) -> Document:
    document = Document()
    data = np.zeros((1, *geometry.shape), np.int16)
    document.add_source(Volume("root", data, geometry, unit="HU", identity=WHO, windows=(Window(40, 400, name="Soft tissue"),)))
    return document


def state_of(document: Document | None = None, **wish: Any) -> ViewState:
    return resolve(ViewWish("root", **wish), document or document_of())


def painted(
    state: ViewState, ground: str, *, size: tuple[int, int] = (500, 400), ratio: float = 1.0, extras: Extras | None = None
) -> NDArray[np.float64]:  # fmt: skip
    """Relative luminance (WCAG) of what is painted over a ground of one colour."""
    image = QImage(round(size[0] * ratio), round(size[1] * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(ground))
    painter = QPainter(image)
    paint_overlay(painter, state, QRectF(0, 0, *size), 1.0, extras or Extras(probe="123 HU", has_ruler=True))
    painter.end()
    values = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width(), 2::-1] / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("ground", ["#FFFFFF", "#000000", "#808080"])
def test_every_glyph_and_line_stands_out_on_any_ground_at_any_scale_factor(ratio: float, ground: str) -> None:
    state = state_of()
    on_black, shown = painted(state, "#000000", ratio=ratio), painted(state, ground, ratio=ratio)
    ink = on_black > 0.55  # what is light in itself: glyphs, letters, bars
    assert ink.sum() > 1500 * ratio
    # Beside each of its pixels, no farther than the halo is wide, lies one that it is told from: WCAG's 4.5 to 1 for text.
    darkest = ndimage.minimum_filter(shown, size=2 * round(3 * ratio) + 1)
    contrast = (shown[ink] + 0.05) / (darkest[ink] + 0.05)
    assert contrast.min() >= 4.5


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_texts_are_as_large_on_every_screen(ratio: float) -> None:
    heights = []
    for factor in (1.0, ratio):
        ink = painted(state_of(), "#000000", ratio=factor, extras=Extras())[: round(28 * factor), : round(120 * factor)] > 0.4
        rows = np.flatnonzero(ink.any(axis=1))
        heights.append((rows[-1] - rows[0] + 1) / factor)
    assert heights[1] == pytest.approx(heights[0], abs=1.0)
    assert heights[0] >= 8  # capitals of a type of 12 px


def test_no_text_touches_an_edge_or_another_in_a_usual_view() -> None:
    lit = painted(state_of(), "#000000", extras=Extras(probe="123 HU")) > 0.2
    assert not lit[:6].any() and not lit[-4:].any() and not lit[:, :6].any() and not lit[:, -18:].any()


# --- less room ---


@pytest.mark.parametrize(("size", "level"), [((500, 400), "full"), ((219, 400), "short"), ((400, 219), "short"), ((109, 400), "none")])
def test_under_220_the_less_important_gives_way_and_under_110_all_text(size: tuple[int, int], level: str) -> None:
    state = state_of()
    lit = painted(state, "#000000", size=size, extras=Extras()) > 0.3
    expected = painted(replace(state, text=level), "#000000", size=size, extras=Extras()) > 0.3  # type: ignore[arg-type]
    if level == "none":
        # Letters alone.
        assert 0 < lit.sum() < 400
    else:
        assert (lit == expected).all()


# --- rulers ---


@pytest.mark.parametrize("spacing", [0.5, 0.07, 3.0])
@pytest.mark.parametrize("zoom", [0.7, 1.0, 3.3])
def test_a_ruler_is_as_long_as_it_says(spacing: float, zoom: float) -> None:
    state = state_of(document_of(Geometry((3, 200, 200), (0, 0, 0), (2.5, spacing, spacing))), zoom=zoom, text="none")
    with_ruler = painted(state, "#000000", extras=Extras(has_ruler=True)) > 0.5
    column = np.flatnonzero(with_ruler[:, 2])
    length, parts, _long = ruler_of(400 * 0.5, zoom / spacing)
    assert column[-1] - column[0] == pytest.approx(length * zoom / spacing, abs=1.01)
    assert length in [m * 10.0**e for m in (1, 2, 5) for e in range(-3, 4)]
    assert length * zoom / spacing <= 200
    row = np.flatnonzero(with_ruler[-3])
    assert (row[-1] - row[0]) % 1 == 0
    across = ruler_of(500 * 0.5, zoom / spacing)[0]
    spine = row[(row > 100) & (row < 400)]
    assert spine[-1] - spine[0] == pytest.approx(across * zoom / spacing, abs=1.01)
    # The ticks of the upright one, counted where only they are.
    assert np.diff(with_ruler[:, 5].astype(int)).clip(0).sum() == parts + 1


def test_without_a_pixel_spacing_there_is_no_ruler() -> None:
    state = state_of(document_of(Geometry((3, 200, 200), is_patient=False, in_plane_known=False)), text="none")
    assert (painted(state, "#000000", extras=Extras(has_ruler=True)) == painted(state, "#000000", extras=Extras())).all()


def test_pictures_taken_out_have_no_ruler() -> None:
    document = document_of()
    image = screenshot(document, ViewWish("root", text="none", window=Window(9000, 2)), (500, 400))
    assert all(QColor(image.pixel(2, y)) == QColor(Qt.GlobalColor.black) for y in range(0, 400, 3))


# --- badges and letters ---


@pytest.mark.parametrize("size", [(500, 400), (150, 150), (100, 100)])
@pytest.mark.parametrize("text", ["full", "short", "none"])
def test_c07_the_badge_neuro_stays_whatever_else_is_hidden(size: tuple[int, int], text: str) -> None:
    state = state_of(is_neurological=True, text=text)
    names = [name for name, _box in shown_badges(state, QRectF(0, 0, *size), 1.0)]
    assert names[0] == "NEURO"
    with_badge, without = (painted(s, "#000000", size=size, extras=Extras()) for s in (state, replace(state, badges=())))
    assert (with_badge != without).any()
    document = document_of()
    exported = screenshot(document, ViewWish("root", text="none", is_neurological=True, window=Window(9000, 2)), (300, 300))
    assert any(QColor(exported.pixel(x, 20)).lightness() > 30 for x in range(10, 80))


def test_a_marked_image_has_a_badge() -> None:
    state = state_of()
    names = [name for name, _box in shown_badges(state, QRectF(0, 0, 500, 400), 1.0, extras=Extras(is_key_image=True))]
    assert KEY_IMAGE in names and KEY_IMAGE not in [n for n, _b in shown_badges(state, QRectF(0, 0, 500, 400), 1.0)]


def test_c09_head_and_feet_are_superior_and_inferior_for_who_wants_it() -> None:
    state = state_of(index=0)
    assert position_text(state) == "H 10.0 mm"
    assert place_text((1.0, -2.0, -3.0), "mm", True) == "L 1.0  A 2.0  F 3.0 mm"
    use_letters("SI")
    assert position_text(state) == "S 10.0 mm"
    assert place_text((1.0, -2.0, -3.0), "mm", True) == "L 1.0  A 2.0  I 3.0 mm"
    assert [shown_letters(text) for text in ("H", "F", "LPH", "A")] == ["S", "I", "LPS", "A"]
    use_letters("nonsense")
    assert position_text(state) == "H 10.0 mm"


# --- two texts in a row ---

STYLE = Style(12)


def test_in_a_narrow_row_parts_go_before_anything_is_cut() -> None:
    def width(text: str) -> float:
        return text_width(text, STYLE)

    place, window = "Slice 57 / 112  H 105.2 mm", "W 400  L 40  MEDIASTINUM"
    assert side_by_side(place, window, STYLE, STYLE, width(place) + width(window) + 8) == (place, window)
    # The left one needs less than half: the right one gets what is left.
    assert side_by_side("A", window, STYLE, STYLE, width("A") + width(window) + 8) == ("A", window)
    narrow = width("Slice 57 / 112") + width("W 400  L 40") + 8
    assert side_by_side(place, window, STYLE, STYLE, narrow) == ("Slice 57 / 112", "W 400  L 40")
    one, other = side_by_side("Wolfeschlegelsteinhausen", "", STYLE, STYLE, 60.0, (16.0, 16.0))
    assert one.endswith("…") and width(one) <= 17.0
    assert other == ""


@pytest.mark.parametrize("width", [60.0, 120.0, 200.0, 300.0, 500.0])
@pytest.mark.parametrize("between", [0.0, 28.0])
def test_two_texts_in_a_row_never_touch_each_other_or_the_letter(width: float, between: float) -> None:
    for one, other in (
        ("Slice 57 / 112  H 105.2 mm", "W 400  L 40  MEDIASTINUM"),
        ("F 58 y · ID 12345678901234567890", "Clinic"),
        ("", "2024-03-18 09:41"),
    ):
        most = ((width - between) / 2 + 5, (width - between) / 2 - 5) if between else None
        left, right = (text_width(text, STYLE) for text in side_by_side(one, other, STYLE, STYLE, width, most))
        assert left + right + max(between, 8.0) <= width + 1e-6
        assert most is None or (left <= most[0] and right <= most[1])
