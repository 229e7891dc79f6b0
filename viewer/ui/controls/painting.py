"""Strokes that several controls share: the focus ring and rounded boxes, always in the theme's colours."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer.ui.theme import sizes, tokens


def rounded(painter: QPainter, rect: QRectF, radius: float, *, fill: str = "", edge: str = "", width: float = 1.0) -> None:
    """A rounded box whose edge lies inside ``rect``; ``fill`` and ``edge`` are colours, "" leaves them out."""
    painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
    if edge:
        painter.setPen(QPen(QColor(edge), width))
        half = width / 2
        rect = rect.adjusted(half, half, -half, -half)
        radius = max(0.0, radius - half)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(rect, radius, radius)


def focus_ring(painter: QPainter, rect: QRectF, radius: float | None = None) -> None:
    """The 2 px ring inside the edge that every focused control shows."""
    rounded(painter, rect, sizes().radius if radius is None else radius, edge=tokens().accent, width=sizes().ring)
