"""The picture of a histogram with the window over it: bars, the curve of the window, and three handles for mouse and keys."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from viewer.core.digits import intensity
from viewer.core.histogram import Histogram
from viewer.core.render import Display, voi_levels
from viewer.core.window import VoiLut, Window
from viewer.core.words import gettext as _
from viewer.ui import theme
from viewer.ui.controls.painting import focus_ring

_GRAB_PX = 7.0
_LINE = 15.0
"""Height of the numbers under the bars."""
_INSET, _EDGE = 8.0, 4.0
# A step of the keys: this part of the range of the values.
_STEP = 1 / 200


class Handle(Enum):
    """What is moved: the black end, the white end, or both."""

    LOW = auto()
    HIGH = auto()
    BOTH = auto()


class Scaling(Enum):
    """How counts become heights: few values next to many would not be seen otherwise."""

    LOG = auto()
    ROOT = auto()


class HistogramPlot(QWidget):
    """Emits what is asked for; shows what it is told. Left and Right move the chosen handle, Up and Down choose another.

    Signals
    -------
    limits_wanted(float, float)
        Black and white ends.
    """

    limits_wanted = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(_("Drag the ends of the window, or what lies between them. Keys: Up and Down choose, Left and Right move, Shift ten times."))
        self._whole: Histogram | None = None
        self._slice: Histogram | None = None
        self._unit = ""
        self._words = ""
        self._window = Window(0, 1)
        self._lut: VoiLut | None = None
        self._scaling = Scaling.LOG
        self._axis = (0.0, 1.0)
        self.handle = Handle.LOW
        self._drag: tuple[float, float, float] | None = None
        """Value under the pointer at the press, and the ends then."""
        self._rename()

    def sizeHint(self) -> QSize:
        return QSize(360, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    # --- what is shown ---

    def show_nothing(self, words: str) -> None:
        """No counts, and why."""
        self._whole = self._slice = None
        self._words = words
        self.setAccessibleDescription(words)
        self.update()

    def show_counts(self, whole: Histogram, shown: Histogram | None, unit: str) -> None:
        """Bars of the volume, and before them those of the shown slice (None: it has only one)."""
        self._whole, self._slice, self._unit, self._words = whole, shown, unit, ""
        self.setAccessibleDescription("")
        self._fit_axis()
        self.update()

    def show_window(self, window: Window, lut: VoiLut | None = None) -> None:
        """Put the handles to the ends of a window."""
        if (window, lut) != (self._window, self._lut):
            self._window, self._lut = window, lut
            self._fit_axis()
            self._rename()
            self.update()

    def set_scaling(self, scaling: Scaling) -> None:
        self._scaling = scaling
        self.update()

    def _fit_axis(self) -> None:
        """All values and both handles are in sight; while one is dragged nothing slips away under it."""
        if self._drag is not None or self._whole is None:
            return
        low, high = self._whole.low, self._whole.high
        span = high - low
        # A window far beyond the values would press the bars together: its handles stay at the edge then.
        low = max(min(low, self._window.low - 0.03 * span), low - 0.5 * span)
        high = min(max(high, self._window.high + 0.03 * span), high + 0.5 * span)
        self._axis = (low, high)

    def heights(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Counts as parts (0 to 1) of the tallest but for one lone peak, such as air."""
        scaled = np.log1p(counts) if self._scaling is Scaling.LOG else np.sqrt(counts)
        top = float(np.partition(scaled, -2)[-2]) if scaled.size > 1 else float(scaled.max(initial=0.0))
        top = max(top, 0.5 * float(scaled.max(initial=0.0)), 1e-12)
        return np.asarray(np.minimum(scaled / top, 1.0), dtype=np.float64)

    # --- places ---

    def _area(self) -> QRectF:
        return QRectF(_INSET, 4, self.width() - 2 * _INSET, self.height() - 8 - _LINE)

    def x_of(self, value: float) -> float:
        """Where a value is, in the widget; beyond the axis at its end."""
        area, (low, high) = self._area(), self._axis
        part = (value - low) / (high - low)
        return area.left() + min(max(part, 0.0), 1.0) * area.width()

    def value_at(self, x: float) -> float:
        """The value at a place; beyond the axis it goes on."""
        area, (low, high) = self._area(), self._axis
        return low + (x - area.left()) / max(area.width(), 1.0) * (high - low)

    def _handle_at(self, x: float) -> Handle:
        low, high = self.x_of(self._window.low), self.x_of(self._window.high)
        if abs(x - high) <= _GRAB_PX and abs(x - high) <= abs(x - low):
            return Handle.HIGH
        if abs(x - low) <= _GRAB_PX:
            return Handle.LOW
        if low < x < high:
            return Handle.BOTH
        return Handle.LOW if x < low else Handle.HIGH

    # --- moving ---

    def move_handle(self, handle: Handle, steps: int) -> None:
        """Move by steps of the keys: whole numbers where the image has such."""
        if self._whole is None:
            return
        step = (self._whole.high - self._whole.low) * _STEP
        step = max(1.0, round(step)) if self._is_whole() else step
        low, high = self._window.low, self._window.high
        self._ask(handle, low + steps * step, high + steps * step)

    def _is_whole(self) -> bool:
        return self._whole is not None and float(self._whole.step).is_integer()

    def _ask(self, handle: Handle, low: float, high: float) -> None:
        """``low`` and ``high``: where the ends would go if both were moved."""
        now = self._window
        if handle is Handle.LOW:
            low, high = min(low, now.high), now.high
        elif handle is Handle.HIGH:
            low, high = now.low, max(high, now.low)
        self.limits_wanted.emit(low, high)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._whole is None:
            return
        x = event.position().x()
        self._choose(self._handle_at(x))
        ends = (self._window.low, self._window.high)
        inside = self.x_of(ends[0]) - _GRAB_PX <= x <= self.x_of(ends[1]) + _GRAB_PX
        self._drag = (self.value_at(x), *ends)
        if not inside:  # the end comes to the pointer
            value = self.value_at(x)
            self._drag = (value, value, value)
            self._ask(self.handle, value, value)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._drag is None:
            if self._whole is not None:
                middle = self._handle_at(x) is Handle.BOTH
                self.setCursor(Qt.CursorShape.OpenHandCursor if middle else Qt.CursorShape.SizeHorCursor)
            return
        start, low, high = self._drag
        moved = self.value_at(x) - start
        if self._is_whole():
            moved = float(round(moved))
        self._ask(self.handle, low + moved, high + moved)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._drag is not None:
            self._drag = None
            self._fit_axis()
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ten = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        steps = {Qt.Key.Key_Left: -ten, Qt.Key.Key_Right: ten}.get(Qt.Key(event.key()), 0)
        order = (Handle.LOW, Handle.BOTH, Handle.HIGH)
        turn = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if steps and self._whole is not None:
            self.move_handle(self.handle, steps)
        elif turn:
            self._choose(order[(order.index(self.handle) + turn) % 3])
        else:
            super().keyPressEvent(event)

    def _choose(self, handle: Handle) -> None:
        self.handle = handle
        self._rename()
        self.update()

    def _rename(self) -> None:
        words = {
            Handle.LOW: _("Histogram, black from {low}, white to {high}; moving the black end"),
            Handle.HIGH: _("Histogram, black from {low}, white to {high}; moving the white end"),
            Handle.BOTH: _("Histogram, black from {low}, white to {high}; moving both"),
        }[self.handle]
        self.setAccessibleName(words.format(low=self._number(self._window.low), high=self._number(self._window.high)))

    def _number(self, value: float) -> str:
        return intensity(round(value, 6), self._unit)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.unsetCursor()

    # --- painting ---

    def paintEvent(self, _event: QPaintEvent) -> None:
        t, area = theme.tokens(), self._area()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(area, QColor(t.field))
        painter.setPen(QPen(QColor(t.line), 1))
        painter.drawRect(area)
        if self._whole is None:
            painter.setFont(theme.font("small"))
            painter.setPen(QColor(t.text3))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._words)
        else:
            self._paint_bars(painter, self._whole, t.track)
            if self._slice is not None:
                self._paint_bars(painter, self._slice, t.text3)
            self._paint_window(painter, area)
            self._paint_numbers(painter, area)
            if self._slice is not None:
                self._paint_legend(painter, area)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()))
        painter.end()

    def _paint_bars(self, painter: QPainter, histogram: Histogram, color: str) -> None:
        area = self._area()
        heights = self.heights(histogram.counts) * (area.height() - 6)
        edges = [self.x_of(histogram.low + n * histogram.step) for n in range(len(heights) + 1)]
        outline = [QPointF(edges[0], area.bottom())]
        for left, right, height in zip(edges, edges[1:], heights, strict=False):
            outline += [QPointF(left, area.bottom() - height), QPointF(right, area.bottom() - height)]
        outline.append(QPointF(edges[-1], area.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawPolygon(QPolygonF(outline))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _paint_window(self, painter: QPainter, area: QRectF) -> None:
        t = theme.tokens()
        low, high = self.x_of(self._window.low), self.x_of(self._window.high)
        tint = QColor(t.accent)
        tint.setAlpha(36)
        painter.fillRect(QRectF(low, area.top(), high - low, area.height()), tint)
        painter.setPen(QPen(QColor(t.accent_text), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(self._curve(area)))
        for handle, x in ((Handle.LOW, low), (Handle.HIGH, high)):
            chosen = self.handle in (handle, Handle.BOTH) and self.hasFocus()
            painter.setPen(QPen(QColor(t.accent), 2 if not chosen else 3))
            painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
            knob = QRectF(x - 5, area.bottom() - 9, 10, 10)
            painter.setPen(QPen(QColor(t.accent), 1.5))
            painter.setBrush(QColor("#000000") if handle is Handle.LOW else QColor("#FFFFFF"))
            painter.drawRect(knob)

    def _curve(self, area: QRectF) -> list[QPointF]:
        """Grey levels over values."""
        places = np.linspace(area.left(), area.right(), 97)
        steps: Any = [self.x_of(self._window.low), self.x_of(self._window.high)]
        places = np.unique(np.concatenate([places, steps, np.asarray(steps) + 0.01]))
        values = np.array([self.value_at(float(x)) for x in places])
        shown = voi_levels(values, Display(self._window, self._lut)) / 255
        return [QPointF(float(x), area.bottom() - 1 - float(level) * (area.height() - 2)) for x, level in zip(places, shown, strict=True)]

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        """Which bars are which, at the top right."""
        t = theme.tokens()
        face = theme.font("caption")
        metrics = QFontMetricsF(face)
        painter.setFont(face)
        right = area.right() - 4
        for words, color in ((_("Whole volume"), t.track), (_("Slice"), t.text3)):
            width = metrics.horizontalAdvance(words) + 18
            box = QRectF(right - width, area.top() + 3, width, _LINE)
            back = QColor(t.field)
            back.setAlpha(190)
            painter.fillRect(box.adjusted(-2, 0, 2, 0), back)
            painter.setPen(QPen(QColor(t.line2), 1))
            painter.setBrush(QColor(color))
            painter.drawRect(QRectF(box.left() + 1.5, box.center().y() - 4.5, 9, 9))
            painter.setPen(QColor(t.text2))
            painter.drawText(box.adjusted(14, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
            right = box.left() - 6

    def _paint_numbers(self, painter: QPainter, area: QRectF) -> None:
        """Both ends of the window under their handles, those of the axis where there is room."""
        t = theme.tokens()
        face = theme.font("caption")
        metrics = QFontMetricsF(face)
        painter.setFont(face)
        whole = self._whole
        assert whole is not None
        wanted = [(self._window.low, t.accent_text), (self._window.high, t.accent_text), (whole.low, t.text3), (whole.high, t.text3)]
        if self._is_whole():  # the values, not the edges of the bins
            wanted[2:] = [(math.floor(whole.low) + 1.0, t.text3), (math.ceil(whole.high) - 1.0, t.text3)]
        boxes: list[tuple[QRectF, str, str]] = []
        for value, color in wanted:
            text = self._number(value)
            width = metrics.horizontalAdvance(text) + 2
            left = min(max(self.x_of(value) - width / 2, _EDGE), self.width() - width - _EDGE)
            box = QRectF(left, area.bottom() + 3, width, _LINE)
            near = box.adjusted(-6, 0, 6, 0)
            if len(boxes) == 1 and near.intersects(boxes[0][0]):  # a narrow window: side by side
                first = boxes[0][0]
                box.moveLeft(min(first.right() + 6, self.width() - width - _EDGE))
                first.moveRight(min(first.right(), box.left() - 6))
            elif any(near.intersects(other) for other, _text, _color in boxes):
                continue
            boxes.append((box, text, color))
        for box, text, color in boxes:
            painter.setPen(QColor(color))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
