"""Outlines that stand still are stroked once: windowing, hovering and coming back to a slice lay the finished strokes over it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.core.layout import Placement
from viewer.draw.contours import Contour

MOST_BYTES = 64 << 20
"""Of all tiles together."""
_MOST_SEEN = 128
_STALE = 512
"""A tile that so many others were drawn after gives way. Earlier ones stay: going through a long stack, each would push out the next."""
_LARGEST = 0.6
"""Of the widget's area: laying more over the picture takes as long as the strokes."""
_RIM = 6.0

Stroke = Callable[[QPainter], None]
Key = tuple[int, Placement, float, float]


@dataclass(slots=True, eq=False)
class _Tile:
    contours: tuple[Contour, ...]
    """Kept, so that no other object has their identity."""
    image: QImage
    place: QPointF
    used: int = 0


class OutlineTiles:
    """Strokes by outlines (the same object), placement and scale. Painted as they are at first; the second time a tile is made of them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._seen: dict[Key, tuple[Contour, ...]] = {}
        self._tiles: dict[Key, _Tile] = {}
        self._now = 0
        self.nbytes = 0

    def draw(self, painter: QPainter, contours: tuple[Contour, ...], placement: Placement, scale: float, stroke: Stroke) -> None:
        """``stroke(painter)`` or what it has painted before."""
        device = painter.device()
        ratio = device.devicePixelRatioF()
        key = (id(contours), placement, scale, ratio)
        self._now += 1
        tile = self._tiles.get(key)
        if tile is None and key in self._seen and self._has_room():
            tile = _made(contours, placement, scale, ratio, device.width() * device.height(), stroke)
            if tile is not None:
                self._tiles[key] = tile
                self.nbytes += tile.image.sizeInBytes()
        if tile is None:
            stroke(painter)
            self._see(key, contours)
            return
        tile.used = self._now
        painter.drawImage(tile.place, tile.image)

    def _has_room(self) -> bool:
        if self.nbytes >= self._most:
            self._tiles = {key: tile for key, tile in self._tiles.items() if tile.used > self._now - _STALE}
            self.nbytes = sum(tile.image.sizeInBytes() for tile in self._tiles.values())
        return self.nbytes < self._most

    def _see(self, key: Key, contours: tuple[Contour, ...]) -> None:
        self._seen.pop(key, None)
        self._seen[key] = contours
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]


def _made(contours: tuple[Contour, ...], placement: Placement, scale: float, ratio: float, area: float, stroke: Stroke) -> _Tile | None:
    box = QRectF()
    for contour in contours:
        box = box.united(contour.path.boundingRect())
    (left, top), rim = placement.to_viewport((box.left(), box.top())), _RIM * scale
    width, height = box.width() * placement.zoom + 2 * rim, box.height() * placement.zoom + 2 * rim
    if width * height > _LARGEST * area:
        return None
    # Whole pixels of the screen, so that the tile is laid over them as it is.
    x, y = math.floor((left - rim) * ratio), math.floor((top - rim) * ratio)
    image = QImage(math.ceil(width * ratio) + 1, math.ceil(height * ratio) + 1, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    inside = QPainter(image)
    inside.setRenderHint(QPainter.RenderHint.Antialiasing)
    inside.translate(-x / ratio, -y / ratio)
    stroke(inside)
    inside.end()
    return _Tile(contours, image, QPointF(x / ratio, y / ratio))
