"""Small painted marks: the bar of a score with its threshold, and the swatch of a segment's colour."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from viewer.core import digits
from viewer.core.words import _
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.theme import sizes, tokens


class ScoreBar(QWidget):
    """A score from 0 to 1 as a bar of 6 px, with a tick at the threshold; accent at or over it, grey under it."""

    def __init__(self, name: str, score: float = 0.0, threshold: float | None = None, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._score, self._threshold = 0.0, threshold
        self._is_known = True
        self.setFixedHeight(14)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_score(score, threshold)

    def sizeHint(self) -> QSize:
        return QSize(160, 14)

    def set_score(self, score: float, threshold: float | None) -> None:
        """Both from 0 to 1; a threshold of None has no tick and everything is grey. NaN: the score is not shown."""
        self._is_known = math.isfinite(score)
        self._score, self._threshold = min(max(score, 0.0), 1.0) if self._is_known else 0.0, threshold
        words = _("{name}: {score}").format(name=self._name, score=digits.score(score))
        if threshold is not None:
            words = _("{name}: {score}, threshold {threshold:.0f} %").format(name=self._name, score=digits.score(score), threshold=100 * threshold)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def is_over(self) -> bool:
        return self._threshold is not None and self._score >= self._threshold

    def paintEvent(self, _event: QPaintEvent) -> None:
        t = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bar = QRectF(0, (self.height() - 6) / 2, self.width(), 6)
        if not self._is_known:  # a filled track would look like a score, on a light card most of all
            rounded(painter, bar, 3, edge=t.line)
            return
        rounded(painter, bar, 3, fill=t.track)
        if self._score > 0:
            rounded(painter, QRectF(0, bar.top(), max(6.0, self._score * bar.width()), 6), 3, fill=t.accent if self.is_over() else t.text3)
        if self._threshold is not None:
            at = min(max(self._threshold, 0.0), 1.0) * (bar.width() - 2)
            painter.fillRect(QRectF(round(at), 0, 2, self.height()), t.color("text"))


class Swatch(QAbstractButton):
    """A square of a segment's colour, hollow while the segment is hidden; a click is for choosing another."""

    def __init__(self, color: str, name: str, *, hollow: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color, self._hollow = color, hollow
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedSize(sizes().target, sizes().target)

    def sizeHint(self) -> QSize:
        return QSize(sizes().target, sizes().target)

    def color(self) -> str:
        return self._color

    def set_color(self, color: str, *, hollow: bool = False) -> None:
        self._color, self._hollow = color, hollow
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = sizes().icon_field
        box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        if self._hollow:
            rounded(painter, box, sizes().radius_badge, edge=self._color, width=2)
        else:
            rounded(painter, box, sizes().radius_badge, fill=self._color)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()))
        elif self.underMouse() and self.isEnabled():
            rounded(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), sizes().radius, edge=tokens().line2)
