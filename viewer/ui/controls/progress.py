"""Work going on: a thin violet bar, a row with words and Cancel, and a ring."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from viewer.core.words import _
from viewer.ui import icons
from viewer.ui.controls.buttons import Button
from viewer.ui.controls.labels import ElidedLabel, Label
from viewer.ui.controls.painting import rounded
from viewer.ui.theme import reduced_motion, sizes, tokens

_TICK_MS = 60


class _Ticker(QTimer):
    """Ticks while its owner is on screen and motion is wanted."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self.setInterval(_TICK_MS)
        self.timeout.connect(owner.update)
        self.step = 0
        self.timeout.connect(self._count)

    def _count(self) -> None:
        self.step += 1

    def run(self, wanted: bool) -> None:
        if wanted and not reduced_motion():
            self.start()
        else:
            self.stop()


class ThinBar(QProgressBar):
    """A bar of 4 px. ``set_progress(done, total)``; without a total a piece of it wanders (or, with less motion, it stands half)."""

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name or _("Progress"))
        self.setTextVisible(False)
        self.setFixedHeight(sizes().tight)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._ticker = _Ticker(self)
        self.set_progress(0, None)

    def sizeHint(self) -> QSize:
        return QSize(72, sizes().tight)

    def set_progress(self, done: float, total: float | None) -> None:
        """Show done of total, in any unit; a total of None is not known."""
        if total is None or total <= 0:
            self.setRange(0, 0)
        else:
            self.setRange(0, 1000)
            self.setValue(round(1000 * min(max(done / total, 0.0), 1.0)))
        self._ticker.run(self.isVisible() and self.maximum() == 0)
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ticker.run(self.maximum() == 0)

    def hideEvent(self, event: QHideEvent) -> None:
        self._ticker.stop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        t = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        rounded(painter, box, box.height() / 2, fill=t.track)
        if self.maximum() > 0:
            part = self.value() / self.maximum()
            left, wide = 0.0, part * box.width()
        elif reduced_motion():
            left, wide = box.width() / 4, box.width() / 2
        else:
            wide = box.width() * 0.3
            left = (self._ticker.step * 4) % round(box.width() + wide) - wide
        if wide > 0:
            painter.setClipRect(box)
            rounded(painter, QRectF(left, 0, wide, box.height()), box.height() / 2, fill=t.busy)


class ProgressRow(QWidget):
    """Words, time left, a bar, and Cancel; ``cancel_requested`` when it is pressed (once: it is then disabled)."""

    cancel_requested = Signal()

    def __init__(self, text: str = "", *, cancel: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        s = sizes()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(s.margin)
        column = QVBoxLayout()
        column.setSpacing(s.gap)
        row.addLayout(column, 1)
        words = QHBoxLayout()
        words.setSpacing(s.row_gap)
        column.addLayout(words)
        self._text = ElidedLabel("", "small", parent=self)
        words.addWidget(self._text, 1)
        self._remaining = Label("", "small", parent=self)
        self._remaining.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        words.addWidget(self._remaining)
        self.bar = ThinBar(parent=self)
        column.addWidget(self.bar)
        self.cancel = Button(_("Cancel"), parent=self)
        self.cancel.clicked.connect(self._cancel)
        self.cancel.setVisible(cancel)
        row.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignVCenter)
        self.set_text(text or _("Working"))

    def text(self) -> str:
        return self._text.text()

    def set_text(self, text: str) -> None:
        self._text.setText(text)
        self.bar.setAccessibleName(text)

    def set_progress(self, done: float, total: float | None, *, text: str = "", remaining: str = "") -> None:
        """Show how far it is.

        Parameters
        ----------
        done, total : float, float or None
        text : str
            Such as "Working on 45 of 72"; "" keeps the words.
        remaining : str
            Such as "about 12 s left".
        """
        self.bar.set_progress(done, total)
        if text:
            self.set_text(text)
        self._remaining.setText(remaining)

    def start(self, text: str) -> None:
        """Begin anew: no progress yet, Cancel live."""
        self.cancel.setEnabled(True)
        self.cancel.setToolTip("")
        self.set_progress(0, None, text=text)
        self.show()

    def _cancel(self) -> None:
        self.cancel.clearFocus()  # else Qt hands the keyboard to the next button, and Space presses that
        self.cancel.setEnabled(False)
        self.cancel.setToolTip(_("Cancelling."))
        self.cancel_requested.emit()


class BusyRing(QWidget):
    """A turning arc while something works; a clock where less motion is wanted. Words must stand beside it."""

    def __init__(self, *, size: int | None = None, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._length = size or sizes().icon_row
        self.setFixedSize(self._length, self._length)
        self.setAccessibleName(name or _("Working"))
        self._ticker = _Ticker(self)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ticker.run(True)

    def hideEvent(self, event: QHideEvent) -> None:
        self._ticker.stop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if reduced_motion():
            painter.drawPixmap(0, 0, icons.pixmap("clock", self._length, tokens().busy, self.devicePixelRatioF()))
            return
        width = 1.75 * self._length / 24 + 0.4
        box = QRectF(self.rect()).adjusted(width, width, -width, -width)
        painter.setPen(QPen(QColor(tokens().busy), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(box, round((90 - self._ticker.step * 21.6) * 16), -270 * 16)
