"""A slider and a field for one number with its unit; the arithmetic of positions and steps is here, without widgets around."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QSlider, QWidget

from viewer.core.words import _
from viewer.ui.controls.painting import rounded
from viewer.ui.theme import set_property, sizes, tokens

_LOG_POSITIONS = 1000


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers that a row offers: limits (None: open), step, decimals, unit; and how they lie along a slider."""

    low: float | None
    high: float | None
    step: float = 1.0
    decimals: int = 0
    log: bool = False
    unit: str = ""

    @property
    def has_slider(self) -> bool:
        return self.low is not None and self.high is not None and self.high > self.low

    @property
    def positions(self) -> int:
        """The last position of the slider; the first is 0."""
        if not self.has_slider:
            return 0
        if self.log:
            return _LOG_POSITIONS
        return max(1, min(10_000, round((self.high - self.low) / self.step)))  # type: ignore[operator]

    def at(self, position: int) -> float:
        """The number at a position of the slider."""
        low, high, part = float(self.low or 0), float(self.high or 0), position / max(1, self.positions)
        if self.log:
            return self.rounded(low * (high / low) ** part)
        return self.rounded(high if part >= 1 else low + part * (high - low))

    def position(self, value: float) -> int:
        """The position nearest to a number."""
        low, high = float(self.low or 0), float(self.high or 0)
        held = min(max(value, low), high)
        part = math.log(held / low) / math.log(high / low) if self.log else (held - low) / (high - low)
        return round(part * self.positions)

    def stepped(self, value: float, steps: int) -> float:
        """The number some steps up or down, kept within the limits. On a logarithmic scale a step is a hundredth of it."""
        if self.log and self.has_slider:
            to = min(max(self.position(value) + steps * _LOG_POSITIONS // 100, 0), self.positions)
            return self.at(to)
        return self.held(value + steps * self.step)

    def held(self, value: float) -> float:
        if self.low is not None:
            value = max(value, self.low)
        if self.high is not None:
            value = min(value, self.high)
        return self.rounded(value)

    def rounded(self, value: float) -> float:
        return round(value, self.decimals) + 0.0

    def number_text(self, value: float) -> str:
        text = f"{value:.{self.decimals}f}"
        return text[1:] if text.startswith("-") and not text.strip("-0.") else text

    def text(self, value: float) -> str:
        """The number with its unit."""
        return f"{self.number_text(value)} {self.unit}" if self.unit else self.number_text(value)

    def parse(self, text: str) -> float | None:
        """The number typed, with or without its unit, with point or comma; None if it is none."""
        typed = text.strip().removesuffix(self.unit).strip() if self.unit else text.strip()
        typed = typed.replace("\N{MINUS SIGN}", "-")
        if "." not in typed:
            typed = typed.replace(",", ".")
        try:
            value = float(typed)
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def problem(self, label: str, text: str) -> str:
        """What is wrong with a typed text, as a sentence; "" if nothing is."""
        value = self.parse(text)
        low = "" if self.low is None else self.number_text(self.low)
        high = "" if self.high is None else self.text(self.high)
        if value is None:
            return _("{label} must be a number.").format(label=label)
        if self.decimals == 0 and value != round(value):
            return _("{label} must be a whole number.").format(label=label)
        outside = (self.low is not None and value < self.low) or (self.high is not None and value > self.high)
        if not outside:
            return ""
        if low and high:
            return _("{label} must be between {low} and {high}.").format(label=label, low=low, high=high)
        if low:
            return _("{label} must be {low} or more.").format(label=label, low=self.text(self.low or 0.0))
        return _("{label} must be {high} or less.").format(label=label, high=high)


def decimals_of(step: float) -> int:
    """Decimals that show a step: 1 gives 0, 0.05 gives 2."""
    for count in range(7):
        if math.isclose(step * 10**count, round(step * 10**count), rel_tol=0, abs_tol=1e-9):
            return count
    return 6


class Slider(QSlider):
    """A horizontal slider: a click on its groove goes there, the wheel moves it only while it has the focus."""

    stepped = Signal(int)

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setAccessibleName(name)
        # The field beside it does the same by keyboard; one tab stop for a number is enough.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(sizes().target)

    def minimumSizeHint(self) -> QSize:
        return QSize(32, sizes().target)

    def _knob(self) -> QPointF:
        span = self.maximum() - self.minimum()
        part = (self.sliderPosition() - self.minimum()) / span if span else 0.0
        return QPointF(7 + part * (self.width() - 14), self.height() / 2)

    def _position_at(self, x: float) -> int:
        part = min(max((x - 7) / max(1, self.width() - 14), 0.0), 1.0)
        return round(self.minimum() + part * (self.maximum() - self.minimum()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.setSliderDown(True)
        self.setSliderPosition(self._position_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderPosition(self._position_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus():
            event.ignore()
            return
        self.stepped.emit(1 if event.angleDelta().y() > 0 else -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = steps_of(event)
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            steps = 1 if key == Qt.Key.Key_Right else -1
        if steps:
            self.stepped.emit(steps)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        t = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        knob, live = self._knob(), self.isEnabled()
        groove = QRectF(0, knob.y() - 2, self.width(), 4)
        rounded(painter, groove, 2, fill=t.track)
        if live:
            fill = t.accent_hover if self.underMouse() else t.accent
            rounded(painter, QRectF(0, groove.top(), knob.x(), 4), 2, fill=fill)
        radius = 6.5
        if self.hasFocus():
            rounded(painter, QRectF(knob.x() - 11, knob.y() - 11, 22, 22), 11, edge=t.accent, width=sizes().ring)
        edge = t.line2 if t.name == "light" and live else ""
        rounded(painter, QRectF(knob.x() - radius, knob.y() - radius, 2 * radius, 2 * radius), radius, fill=t.knob if live else t.disabled, edge=edge)


def steps_of(event: QKeyEvent) -> int:
    """Steps that a key asks for: Up and Down one, with Shift or as Page keys ten; 0 if none."""
    ten = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
    return {Qt.Key.Key_Up: ten, Qt.Key.Key_Down: -ten, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}.get(Qt.Key(event.key()), 0)


class NumberField(QLineEdit):
    """A field for a number with its unit inside; Up and Down step, Esc brings the last good number back."""

    stepped = Signal(int)
    reverted = Signal()

    def __init__(self, *, name: str = "", width: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setProperty("kind", "number")
        self.setFixedSize(width or sizes().field_column, sizes().field_height)
        self._clean = ""

    def fit(self, texts: Iterable[str]) -> None:
        """Widen the field where its column would cut one of the texts."""
        self.ensurePolished()
        widest = max(self.fontMetrics().horizontalAdvance(text) for text in texts)
        self.setFixedWidth(max(self.width(), widest + 16))

    @property
    def is_being_typed(self) -> bool:
        """Whether keys have gone in that have not been settled."""
        return self.hasFocus() and self.isModified()

    def show_text(self, text: str) -> None:
        """Show a settled number."""
        self._clean = text
        self.setText(text)
        self.setCursorPosition(0)
        if self.hasFocus():
            self._select_number()

    def set_error(self, wrong: bool) -> None:
        set_property(self, "state", "error" if wrong else "")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._select_number()

    def _select_number(self) -> None:
        self.setSelection(0, len(self.text().split(" ")[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = steps_of(event)
        if steps:
            self.stepped.emit(steps)
        elif event.key() == Qt.Key.Key_Escape and self.text() != self._clean:
            self.reverted.emit()
        else:
            super().keyPressEvent(event)
