"""What is painted again unchanged is kept, and is the same picture, pixel for pixel."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from viewer.core.geometry import Geometry
from viewer.core.volume import Volume
from viewer.draw import picture as drawing
from viewer.draw.picture import Picture, compose
from viewer.session.document import Document
from viewer.session.view import ViewWish, resolve
from viewer.ui.views import picture_item
from viewer.ui.views.picture_item import PictureItem

SIZE = (211.0, 163.0)


def an_item(zoom: float, seed: int = 3) -> PictureItem:
    values = np.random.default_rng(seed).integers(0, 255, (1, 1, 40, 60)).astype(np.uint8)
    document = Document()
    document.add_source(Volume("root", values, Geometry((1, 40, 60)), "image"))
    item = PictureItem()
    item.resize(SIZE)
    item.state = resolve(ViewWish("root", zoom=zoom, center=(28.3, 21.7, 0.0)), document)
    item.picture = compose(item.state, document)
    return item


def painted(item: PictureItem, ratio: float = 1.0) -> QImage:
    image = QImage(round(SIZE[0] * ratio), round(SIZE[1] * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    item.paint(painter, None)
    painter.end()
    return image


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Picture]:
    """The pictures that were really drawn."""
    seen: list[Picture] = []

    def draw(painter: QPainter, picture: Picture, *others: object) -> None:
        seen.append(picture)
        drawing.draw_picture(painter, picture, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(picture_item, "draw_picture", draw)
    return seen


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("zoom", [0.31, 1.0, 2.37])
def test_kept_picture_is_the_drawn_one(qtbot: QtBot, drawn: list[Picture], zoom: float, ratio: float) -> None:
    item = an_item(zoom)
    first, second, third = (painted(item, ratio) for _ in range(3))
    assert len(drawn) == 2, "the third is the kept one"
    assert second == first
    assert third == first


def test_another_picture_place_size_or_screen_is_drawn_anew(qtbot: QtBot, drawn: list[Picture]) -> None:
    item, other = an_item(2.0), an_item(2.0, seed=4)
    for _ in range(3):
        painted(item)
    before = painted(item)
    item.picture = other.picture
    assert painted(item) == painted(other) != before
    moved = an_item(3.0)
    item.state = moved.state
    item.picture = moved.picture
    assert painted(item) == painted(moved)
    count = len(drawn)
    painted(item, 2.0)
    assert len(drawn) == count + 1
    drawing.use_smoothing(False)
    try:
        painted(item, 2.0)
    finally:
        drawing.use_smoothing(True)
    assert len(drawn) == count + 2
    item.picture = None
    assert painted(item).pixel(100, 80) & 0xFFFFFF == 0
