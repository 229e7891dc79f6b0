"""What DICOM files add to a view: a window for each plane, overlays, a shutter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from viewer.core.geometry import Geometry
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.render import auto_window
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window
from viewer.draw.picture import GRAPHIC_COLOR, REGION_COLOR, compose
from viewer.session import hand
from viewer.session.document import Document
from viewer.session.view import ViewWish, resolve

SHAPE = (3, 8, 10)
OWN = tuple(Window(100.0 * n, 50 + n) for n in range(1, 4))


def opened(**facts: Any) -> Document:
    data = np.arange(240, dtype=np.int16).reshape(1, *SHAPE)
    document = Document()
    document.add_source(
        Volume("root", data, Geometry(SHAPE, spacing=(2.0, 1.0, 1.0)), **{"identity": Identity(series_uid="1.2", modality="MR"), **facts})
    )
    return document


def windows_of(document: Document, wish: ViewWish) -> list[Window]:
    return [resolve(replace(wish, index=n), document).window for n in range(3)]


def manual(document: Document, wish: ViewWish) -> bool:
    return "W/L manual" in resolve(wish, document).badges


def test_d34_each_plane_has_its_own_window_until_the_user_touches_it() -> None:
    document = opened(windows=OWN[1:2], plane_windows=(OWN,))
    wish = ViewWish("root", index=0)
    assert windows_of(document, wish) == list(OWN)
    assert not manual(document, wish)
    dragged = hand.windowed(wish, resolve(wish, document), 10, -5)
    (one,) = set(windows_of(document, dragged))
    assert one.center < OWN[0].center
    assert manual(document, dragged)
    assert len(set(windows_of(document, hand.with_auto(wish)))) == 1
    assert manual(document, hand.with_auto(wish))


def test_d33_key_0_goes_from_the_planes_own_windows_through_the_others_and_back() -> None:
    second = Window(7, 77, name="SOFT")
    document = opened(windows=(OWN[1], second), plane_windows=(OWN,))
    wish = hand.with_next_file_window(ViewWish("root", index=0), resolve(ViewWish("root", index=0), document))
    assert windows_of(document, wish) == [second] * 3
    wish = hand.with_next_file_window(wish, resolve(wish, document))
    assert windows_of(document, wish) == list(OWN)
    touched = hand.with_preset(wish, resolve(wish, document), Window(1, 2))
    assert windows_of(document, hand.with_next_file_window(touched, resolve(touched, document))) == list(OWN)


def test_d34_equal_windows_are_no_windows_of_planes_and_reformats_have_one() -> None:
    document = opened(windows=OWN[1:2], plane_windows=(OWN,))
    state = resolve(ViewWish("root", plane="coronal", index=2), document)
    assert state.window == OWN[1]
    assert "W/L manual" not in state.badges
    plain = opened(windows=OWN[1:2])
    assert windows_of(plain, ViewWish("root")) == [OWN[1]] * 3
    assert not manual(plain, ViewWish("root", window=Window(0, 1)))


def graphic(plane: int, kind: Any, *places: tuple[int, int]) -> GraphicPlane:
    mask = np.zeros(SHAPE[1:], dtype=bool)
    for place in places:
        mask[place] = True
    return GraphicPlane(0, plane, 1, kind, "", np.packbits(mask, axis=1))


def test_d44_overlays_are_drawn_on_their_plane_only_and_regions_when_asked_for() -> None:
    document = opened(graphics=(graphic(1, "graphic", (0, 0), (7, 9)), graphic(1, "region", (3, 4)), graphic(2, "graphic", (5, 5))))

    def colours(wish: ViewWish) -> set[tuple[int, int, int]]:
        pixels = compose(resolve(wish, document), document).pixels
        return {(int(r), int(c), int(pixels[r, c])) for r, c in np.ndindex(*pixels.shape) if pixels[r, c] in (GRAPHIC_COLOR, REGION_COLOR)}

    wish = ViewWish("root", index=1)
    assert colours(wish) == {(0, 0, GRAPHIC_COLOR), (7, 9, GRAPHIC_COLOR)}
    assert colours(replace(wish, show_regions=True)) == {(0, 0, GRAPHIC_COLOR), (7, 9, GRAPHIC_COLOR), (3, 4, REGION_COLOR)}
    assert colours(replace(wish, index=0)) == set()
    assert colours(replace(wish, show_graphics=False, show_regions=True)) == set()
    assert colours(replace(wish, flip_horizontal=True)) == {(0, 9, GRAPHIC_COLOR), (7, 0, GRAPHIC_COLOR)}
    assert colours(replace(wish, plane="coronal", index=0)) == set()


@pytest.mark.parametrize(
    ("shutter", "seen"),
    [
        (Shutter(rectangle=(1, 5, 2, 7)), lambda r, c: 1 <= r <= 5 and 2 <= c <= 7),
        (Shutter(circle=(4, 5, 3)), lambda r, c: (r - 4) ** 2 + (c - 5) ** 2 <= 9),
        (Shutter(polygon=((0, 0), (0, 9), (7, 0))), lambda r, c: c / 9 + r / 7 <= 1.0 + 1e-9),
        (Shutter(rectangle=(1, 5, 2, 7), circle=(4, 5, 3)), lambda r, c: 1 <= r <= 5 and 2 <= c <= 7 and (r - 4) ** 2 + (c - 5) ** 2 <= 9),
        (Shutter(bitmap=np.packbits(np.eye(8, 10, dtype=bool), axis=1)), lambda r, c: r != c),
    ],
)
def test_d45_shutters_cover_the_picture_and_the_automatic_window_but_no_value(shutter: Shutter, seen: Any) -> None:
    wanted = np.array([[bool(seen(r, c)) for c in range(10)] for r in range(8)])
    covered = shutter.covered(8, 10)
    # A polygon's slanting edge may fall half a pixel to either side.
    assert (covered == ~wanted).sum() >= (80 if not shutter.polygon else 74)
    document = opened(shutter=replace(shutter, level=200))
    volume = document.volume("root")
    pixels = compose(resolve(ViewWish("root", index=1), document), document).pixels
    assert (pixels[covered] == 0xFFC8C8C8).all()
    bare = compose(resolve(ViewWish("root", index=1, show_graphics=False), document), document).pixels
    assert (pixels[~covered] == bare[~covered]).all()
    assert not (bare[covered] == 0xFFC8C8C8).all()
    values = volume.values[1][~covered]
    expected = np.percentile(values, (1, 99))
    assert (auto_window(volume).low, auto_window(volume).high) == pytest.approx(tuple(expected), abs=1e-6)
    assert (volume.values == np.arange(240).reshape(SHAPE)).all()
    only = compose(resolve(ViewWish("root", index=1), document), document, only_image=True).pixels
    assert (only == bare).all()
