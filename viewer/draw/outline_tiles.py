"""Outlines that stand still are stroked once: windowing and hovering lay the finished strokes over the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from viewer.core.layout import Placement
from viewer.draw.contours import Contour

MOST_BYTES = 32 << 20
"""Of all tiles together."""
_MOST_SEEN = 16
"""Only what was painted among the last few is likely to be painted again: tiles for every slice of a stack would push each other out."""
_LARGEST = 0.6
"""Of the widget's area: laying more over the picture takes as long as the strokes."""
_RIM = 6.0

Stroke = Callable[[QPainter], None]
Key = tuple[int, Placement, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    contours: tuple[Contour, ...]
    """Kept, so that no other object has their identity."""
    image: QImage
    place: QPointF


class OutlineTiles:
    """Strokes by outlines (the same object), placement and scale. Painted as they are at first; the second time a tile is made of them."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._seen: dict[Key, tuple[Contour, ...]] = {}
        self._tiles: dict[Key, _Tile] = {}

    @property
    def nbytes(self) -> int:
        return sum(tile.image.sizeInBytes() for tile in self._tiles.values())

    def draw(self, painter: QPainter, contours: tuple[Contour, ...], placement: Placement, scale: float, stroke: Stroke) -> None:
        """``stroke(painter)`` or what it has painted before."""
        device = painter.device()
        ratio = device.devicePixelRatioF()
        key = (id(contours), placement, scale, ratio)
        tile = self._tiles.pop(key, None)
        if tile is None and key in self._seen:
            tile = _made(contours, placement, scale, ratio, device.width() * device.height(), stroke)
        if tile is None:
            stroke(painter)
            self._see(key, contours)
            return
        self._tiles[key] = tile  # the last used stands last
        while self.nbytes > self._most and len(self._tiles) > 1:
            del self._tiles[next(iter(self._tiles))]
        painter.drawImage(tile.place, tile.image)

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
