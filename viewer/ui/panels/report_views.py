"""A classifier's report on screen: a row with a bar for each class, and the score of one class along the planes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viewer.core import digits
from viewer.core.colormaps import color_map
from viewer.core.layout import layout_of
from viewer.core.render import MAP_COLORS
from viewer.core.report import Report, Score
from viewer.core.words import gettext as _
from viewer.session.history import ItemChange, Step
from viewer.session.view import ViewState
from viewer.ui.controls import Button, Label, ScoreBar
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.theme import font, sizes, theme, tokens

_MOST_CLASSES, _FIRST_CLASSES = 8, 5
_PLOT_HEIGHT, _STRIP_HEIGHT = 72, 8


def over_threshold(report: Report) -> tuple[str, ...]:
    """Names of the classes at or over their threshold."""
    return tuple(score.name for score in report.found)


def reports_in(step: Step) -> tuple[Report, ...]:
    """The reports that a step has brought."""
    return tuple(c.after for c in step.changes if isinstance(c, ItemChange) and c.kind == "report" and c.after is not None)


def slice_of_plane(state: ViewState, plane: int) -> int:
    """The number, from 0, under which a plane of the array is shown as acquired."""
    layout = state.layout if state.layout.axis == 0 else layout_of(state.geometry)
    return round(layout.slice_of(plane))


class ScoreRows(QWidget):
    """Name, score and bar of every class; over the threshold in accent. More than eight classes: the first five and a button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(sizes().tight)
        self._parts: list[QWidget] = []
        self._shown: tuple[Report, bool] | None = None
        self._is_whole = False
        self.bars: dict[str, ScoreBar] = {}
        self.texts: dict[str, Label] = {}
        """The score of each class as it reads."""
        self.names: dict[str, Label] = {}
        self.more: Button | None = None

    def show_report(self, report: Report, *, is_veiled: bool = False) -> None:
        """Show the classes of a report: two in their order, more by their score. ``is_veiled``: their names alone."""
        before = self._shown
        if (report, is_veiled) == before:
            return
        self._shown = report, is_veiled
        if before is not None and before[0].id == report.id and before[1] == is_veiled and set(self.bars) <= {s.name for s in report.scores}:
            self._update(report)
        else:
            self._is_whole = False
            self._fill(report, is_veiled)

    def _update(self, report: Report) -> None:
        """Other thresholds: the rows stay, so a slider under them keeps its place."""
        if self._shown is not None and not self._shown[1]:
            for score in report.scores:
                if score.name in self.bars:
                    self._tell(score, self.names[score.name], self.texts[score.name], self.bars[score.name])

    def _fill(self, report: Report, is_veiled: bool) -> None:
        scores = report.scores if len(report.scores) <= 2 else tuple(sorted(report.scores, key=lambda s: -s.value))
        if is_veiled:
            scores = tuple(Score(score.name, math.nan) for score in report.scores)  # their order would tell
        shown = scores if self._is_whole or len(scores) <= _MOST_CLASSES else scores[:_FIRST_CLASSES]
        if [score.name for score in shown] == list(self.bars) and (self.more is None) == (len(shown) == len(scores)):
            for score in shown:  # new rows would be laid out and painted anew
                self._tell(score, self.names[score.name], self.texts[score.name], self.bars[score.name])
            return
        for part in self._parts:
            self._column.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts, self.bars, self.texts, self.names, self.more = [], {}, {}, {}, None
        for score in shown:
            self._add_row(score)
        if len(shown) < len(scores):
            self.more = Button(_("Show all {count}").format(count=len(scores)), variant="link", parent=self)
            self.more.clicked.connect(self._show_all)
            self._keep(self.more)

    def _show_all(self) -> None:
        if self._shown is not None:
            self._is_whole = True
            self._fill(*self._shown)

    def _add_row(self, score: Score) -> None:
        head = QWidget(self)
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(sizes().row_gap)
        words = Label(_(score.name), "secondary", wrap=True, parent=head)
        number = Label("", "secondary", parent=head)
        row.addWidget(words, 1)
        # Lines of Chinese are taller, above their baseline most of all.
        row.addWidget(number, 0, Qt.AlignmentFlag.AlignBottom)
        bar = ScoreBar(_(score.name), parent=self)
        self.bars[score.name], self.texts[score.name], self.names[score.name] = bar, number, words
        self._tell(score, words, number, bar)
        self._keep(head)
        self._keep(bar)

    def _tell(self, score: Score, words: Label, number: Label, bar: ScoreBar) -> None:
        is_over = score.threshold is not None and score.value >= score.threshold
        for label in (words, number):
            label.set_role("strong" if is_over else "secondary")
        number.setText(digits.score(score.value))
        number.setFont(font(bold=is_over))
        bar.set_score(score.value, score.threshold)

    def _keep(self, part: QWidget) -> None:
        self._parts.append(part)
        self._column.addWidget(part)


class HeatStrip(QWidget):
    """The colours of a heat-map from low to high, as they are painted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_STRIP_HEIGHT)
        self.setAccessibleName(_("Colours from low to high"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        colors = color_map("inferno")
        low, high = MAP_COLORS
        wide = max(1, self.width() - 1)
        for x in range(self.width()):
            red, green, blue = (int(part) for part in colors[round(255 * (low + (high - low) * x / wide))])
            painter.fillRect(x, 0, 1, self.height(), QColor(red, green, blue))


class ScorePlot(QWidget):
    """The score of one class along the slices, with the threshold and a mark at the slice in view.

    A click, or Left, Right, Home and End, asks for a slice.
    """

    slice_wanted = Signal(int)
    """Slice number from 0, as shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: tuple[tuple[int, float], ...] = ()
        self._threshold: float | None = None
        self._count, self._at, self._name = 1, -1, ""
        self._has_frames = False
        self.setFixedHeight(_PLOT_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme().changed.connect(self._repaint)

    def show_values(
        self, name: str, values: Sequence[tuple[int, float]], count: int, threshold: float | None, *, has_frames: bool = False
    ) -> None:  # fmt: skip
        """``values``: (slice, score) in order; ``count``: how many slices there are. ``has_frames``: they are the frames of a cine."""
        self._has_frames = has_frames
        self._name, self._values, self._count, self._threshold = name, tuple(values), count, threshold
        words = _("{name} along the frames. Click to go to one.") if has_frames else _("{name} along the slices. Click to go to one.")
        self.setToolTip(words.format(name=name))
        self._say()
        self.update()

    def show_slice(self, at: int) -> None:
        """Mark the slice in view; -1 for none."""
        if at != self._at:
            self._at = at
            self._say()
            self.update()

    def place_of(self, index: int) -> QPointF:
        """Where the score of a slice is painted."""
        value = dict(self._values).get(index, 0.0)
        return QPointF(self._x(index), self._y(value))

    def _say(self) -> None:
        here = dict(self._values).get(self._at)
        what = _("{name} along {count} frames") if self._has_frames else _("{name} along {count} slices")
        words = what.format(name=self._name, count=len(self._values))
        if here is not None:
            at = _("{what}, frame {number}: {score}") if self._has_frames else _("{what}, slice {number}: {score}")
            words = at.format(what=words, number=self._at + 1, score=digits.score(here))
        self.setAccessibleName(words)

    def _x(self, index: int) -> float:
        s = sizes()
        return s.gap + (self.width() - 2 * s.gap) * index / max(1, self._count - 1)

    def _y(self, value: float) -> float:
        s = sizes()
        return s.gap + (self.height() - 2 * s.gap) * (1 - value)

    def paintEvent(self, _event: QPaintEvent) -> None:
        t, s = tokens(), sizes()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        rounded(painter, box, s.radius, fill=t.field, edge=t.line2)
        if self._threshold is not None:
            pen = QPen(QColor(t.text2), s.hairline)
            pen.setDashPattern([6, 5])
            painter.setPen(pen)
            painter.drawLine(QPointF(s.gap, self._y(self._threshold)), QPointF(self.width() - s.gap, self._y(self._threshold)))
        if self._at >= 0:
            painter.setPen(QPen(QColor(t.line2), s.hairline))
            painter.drawLine(QPointF(self._x(self._at), s.hair), QPointF(self._x(self._at), self.height() - s.hair))
        painter.setPen(QPen(QColor(t.accent), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(self._x(index), self._y(value)) for index, value in self._values]))
        if self._at in dict(self._values):
            painter.setBrush(QColor(t.text))
            painter.setPen(QPen(QColor(t.field), s.hairline))
            painter.drawEllipse(self.place_of(self._at), s.tight, s.tight)
        if self.hasFocus():
            focus_ring(painter, box)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._ask_nearest(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._ask_nearest(event)

    def _ask_nearest(self, event: QMouseEvent) -> None:
        if self._values and event.buttons() & Qt.MouseButton.LeftButton:
            nearest = min((index for index, _value in self._values), key=lambda index: abs(self._x(index) - event.position().x()))
            if nearest != self._at:
                self.slice_wanted.emit(nearest)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        known = [index for index, _value in self._values]
        if not known or event.key() not in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
            return
        if event.key() == Qt.Key.Key_Home:
            wanted = known[0]
        elif event.key() == Qt.Key.Key_End:
            wanted = known[-1]
        elif event.key() == Qt.Key.Key_Left:
            wanted = max((index for index in known if index < self._at), default=known[0])
        else:
            wanted = min((index for index in known if index > self._at), default=known[-1])
        self.slice_wanted.emit(wanted)

    def _repaint(self, _tokens: object) -> None:
        self.update()
