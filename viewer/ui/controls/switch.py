"""A switch: on or off, at once."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.theme import sizes, tokens

_WIDTH, _HEIGHT = 32, 18


class Switch(QCheckBox):
    """A check box that looks like a switch (so assistive technology knows it); ``name`` is what it switches."""

    def __init__(self, name: str, *, checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setChecked(checked)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH + 4, sizes().target)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:
        return self.rect().contains(pos)  # type: ignore[call-overload]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == (Qt.Key.Key_Left if self.isChecked() else Qt.Key.Key_Right):
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        t = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = (self.height() - _HEIGHT) / 2
        track = QRectF(2, top, _WIDTH, _HEIGHT)
        on, live = self.isChecked(), self.isEnabled()
        if not live:
            fill, edge, knob = (t.track if on else ""), t.line, t.disabled
        elif on:
            fill, edge, knob = (t.accent_hover if self.underMouse() else t.accent), "", t.onaccent
        else:
            fill, edge, knob = (t.hover if self.underMouse() else t.field), t.line2, (t.text if self.underMouse() else t.text2)
        rounded(painter, track, _HEIGHT / 2, fill=fill, edge=edge)
        side = 12.0
        left = track.right() - side - 3 if on else track.left() + 3
        place = QRectF(left, top + (_HEIGHT - side) / 2, side, side)
        rounded(painter, place, side / 2, fill=knob)
        if on:
            painter.setPen(
                QPen(QColor(t.accent if live else t.panel), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
            )
            x, y = place.left(), place.top()
            painter.drawPolyline(QPolygonF([QPointF(x + 3.4, y + 6.2), QPointF(x + 5.2, y + 8.0), QPointF(x + 8.6, y + 4.4)]))
        if self.hasFocus():
            focus_ring(painter, QRectF(0, top - 3, self.width(), _HEIGHT + 6), (_HEIGHT + 6) / 2)
