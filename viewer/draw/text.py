"""Text that is readable on black and on white pixels: glyphs over a dark halo, painted once and kept as small pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

FAMILIES = (
    "Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei UI", "DejaVu Sans", "sans-serif",
)  # fmt: skip
INK = "#F2F4F6"
LETTER_INK = "#F6D77A"
HALO_ALPHA = 215
HALO_WIDTH = 3.0

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Style:
    """Size in logical pixels, weight 400 or 600, ink as #RRGGBB, and whether there is a halo."""

    size: float = 12.0
    is_bold: bool = False
    ink: str = INK
    has_halo: bool = True


def font(style: Style) -> QFont:
    """The overlay's font with figures of equal width."""
    made = QFont()
    made.setFamilies(list(FAMILIES))
    made.setPixelSize(max(1, round(style.size)))
    made.setWeight(QFont.Weight.DemiBold if style.is_bold else QFont.Weight.Normal)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@lru_cache(maxsize=32)
def _metrics(style: Style) -> QFontMetricsF:
    return QFontMetricsF(font(style))


@lru_cache(maxsize=1024)
def text_width(text: str, style: Style) -> float:
    """Width in logical pixels, without the halo."""
    return _metrics(style).horizontalAdvance(text)


def text_height(style: Style) -> float:
    """From the top of the tallest glyph to the lowest descender."""
    metrics = _metrics(style)
    return metrics.ascent() + metrics.descent()


@lru_cache(maxsize=1024)
def elided(text: str, style: Style, width: float) -> str:
    """The text, cut with dots at its right end to a width."""
    return _metrics(style).elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, width))


def draw_text(painter: QPainter, x: float, top: float, text: str, style: Style, *, align: Align = "left") -> None:
    """Paint one line whose glyphs' top is at ``top``, with its left edge, middle or right edge at ``x``."""
    if not text:
        return
    ratio = painter.device().devicePixelRatio()
    width = text_width(text, style)
    left = x if align == "left" else x - width if align == "right" else x - width / 2
    # On whole device pixels, or the kept picture would blur.
    left, top = round((left - HALO_WIDTH) * ratio) / ratio, round((top - HALO_WIDTH) * ratio) / ratio
    painter.drawImage(QPointF(left, top), _line(text, style, ratio))


@lru_cache(maxsize=512)
def _line(text: str, style: Style, ratio: float) -> QImage:
    metrics = _metrics(style)
    width = int((text_width(text, style) + 2 * HALO_WIDTH) * ratio) + 2
    height = int((metrics.ascent() + metrics.descent() + 2 * HALO_WIDTH) * ratio) + 2
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if style.has_halo:
        path = QPainterPath()
        path.addText(QPointF(HALO_WIDTH, HALO_WIDTH + metrics.ascent()), font(style), text)
        halo = QPen(QColor(0, 0, 0, HALO_ALPHA), HALO_WIDTH)
        halo.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(path, halo)
        painter.fillPath(path, QColor(style.ink))
    else:
        painter.setFont(font(style))
        painter.setPen(QColor(style.ink))
        painter.drawText(QPointF(HALO_WIDTH, HALO_WIDTH + metrics.ascent()), text)
    painter.end()
    return image
