"""Strokes that are laid over the picture again are those that were painted."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from viewer.core.layout import Placement
from viewer.draw import outline_tiles
from viewer.draw.contours import Contour, outline
from viewer.draw.outline_tiles import OutlineTiles
from viewer.draw.shapes import _stroke_contours

SIDE = 300


def circles(radius: int = 20) -> tuple[Contour, ...]:
    y, x = np.mgrid[:100, :100]
    pair = ((30, 40, "#37F8C8"), (45, 60, "#985AED"))
    return tuple(Contour(n, color, outline((y - row) ** 2 + (x - column) ** 2 < radius**2)) for n, (row, column, color) in enumerate(pair, start=1))


def painted(tiles: OutlineTiles, contours: tuple[Contour, ...], placement: Placement, *, ratio: float = 1.0) -> tuple[np.ndarray, int]:
    """The pixels, and how often strokes were made."""
    image = QImage(round(SIDE * ratio), round(SIDE * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0xFF405060)
    count = [0]

    def stroke(painter: QPainter) -> None:
        count[0] += 1
        _stroke_contours(painter, contours, placement, 1.0)

    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    tiles.draw(painter, contours, placement, 1.0, stroke)
    painter.end()
    return np.array(image.constBits(), dtype=np.uint8).reshape(image.height(), image.width(), 4).astype(int), count[0]


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("placement", [Placement(1.95, (10.0, 20.0)), Placement(2.4, (-31.37, 5.61))])
def test_a_tile_shows_what_strokes_show(qapp: object, placement: Placement, ratio: float) -> None:
    tiles, contours = OutlineTiles(), circles()
    first, made = painted(tiles, contours, placement, ratio=ratio)
    second, once_more = painted(tiles, contours, placement, ratio=ratio)
    third, none = painted(tiles, contours, placement, ratio=ratio)
    assert (made, once_more, none) == (1, 1, 0)
    assert (second == third).all()
    assert (first != first[0, 0]).any() and np.abs(first - second).max() <= 3  # blending twice rounds twice


def test_other_places_scales_and_outlines_have_strokes_of_their_own(qapp: object) -> None:
    tiles, contours = OutlineTiles(), circles()
    for _ in range(2):
        painted(tiles, contours, Placement(1.0, (0.0, 0.0)))
    moved, made = painted(tiles, contours, Placement(1.0, (50.0, 0.0)))
    assert made == 1
    other, made = painted(tiles, circles(10), Placement(1.0, (0.0, 0.0)))
    assert made == 1 and (other != moved).any()


def test_outlines_over_the_whole_picture_are_stroked_each_time(qapp: object) -> None:
    tiles, contours = OutlineTiles(), circles()
    assert [painted(tiles, contours, Placement(5.0, (0.0, 0.0)))[1] for _ in range(3)] == [1, 1, 1] or tiles.nbytes == 0
    assert tiles.nbytes == 0


def test_tiles_take_no_more_memory_than_they_may_and_the_first_stay(qapp: object) -> None:
    """However long the stack that is gone through: one more tile than fits would push out the next that is wanted."""
    tiles, stack = OutlineTiles(most_bytes=100_000), [circles() for _ in range(30)]
    counts = [[painted(tiles, contours, Placement(1.0, (0.0, 0.0)))[1] for contours in stack] for _ in range(4)]
    assert 100_000 <= tiles.nbytes < 130_000
    kept = counts[2].count(0)
    assert kept > 2 and counts[3] == counts[2] == [0] * kept + [1] * (30 - kept)


def test_tiles_that_nobody_wants_any_more_give_way(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline_tiles, "_STALE", 20)
    tiles, old, new = OutlineTiles(most_bytes=30_000), [circles() for _ in range(10)], circles()
    for _ in range(3):
        for contours in old:
            painted(tiles, contours, Placement(1.0, (0.0, 0.0)))
    counts = [painted(tiles, new, Placement(1.0, (0.0, 0.0)))[1] for _ in range(40)]
    assert counts[0] == 1 and counts[-1] == 0 and len(tiles._tiles) < 10
