"""The histogram under the view bar: how often each value occurs in the slice and in the volume, and handles that make the window."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from viewer.core.digits import intensity
from viewer.core.histogram import Histogram, known_volume_histogram, plane_histogram, volume_histogram
from viewer.core.volume import Volume
from viewer.core.window import FUNCTIONS
from viewer.core.words import gettext as _
from viewer.draw.planes import shown_values
from viewer.session import windowing
from viewer.session.view import ViewState
from viewer.ui import theme
from viewer.ui.controls import Button, Combo, Label, NumberField
from viewer.ui.histogram_plot import Handle, HistogramPlot, Scaling
from viewer.ui.host import Host

HEIGHT = 148
_SIDE = 196


class HistogramBar(QFrame):
    """Follows what is on screen while it is shown, and costs nothing while it is not. Counting the volume runs beside the window."""

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "viewbar")
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(_("Histogram"))
        self._host = host
        self._counting = ""
        self._known: tuple[object, ...] = ()
        self.plot = HistogramPlot(self)
        self.plot.limits_wanted.connect(self._ask)
        self.low = NumberField(name=_("Black from"), width=92, parent=self)
        self.high = NumberField(name=_("White to"), width=92, parent=self)
        self.low.setToolTip(_("Values up to this are black."))
        self.high.setToolTip(_("Values from this on are white."))
        self.function = Combo(name=_("Function"), parent=self)
        for value, title in FUNCTIONS.items():
            self.function.addItem(_(title), value)
        self.function.setToolTip(_("DICOM's functions of the window."))
        self.function.activated.connect(self._choose_function)
        self.scaling = Button(_("Logarithmic"), checkable=True, parent=self)
        self.scaling.setChecked(True)
        self.scaling.setToolTip(_("Logarithm of the counts; off: their square root."))
        self.scaling.setFixedHeight(26)
        self.scaling.toggled.connect(self._scale)
        for handle, field in ((Handle.LOW, self.low), (Handle.HIGH, self.high)):
            field.setFixedHeight(26)
            field.editingFinished.connect(partial(self._typed, handle, field))
            field.stepped.connect(partial(self._step, handle))
            field.reverted.connect(self._show_window)
        self.function.setFixedHeight(26)
        side = QVBoxLayout()
        side.setSpacing(theme.sizes().gap)
        for words, field in ((_("Black from"), self.low), (_("White to"), self.high), (_("Function"), self.function)):
            row = QHBoxLayout()
            row.setSpacing(theme.sizes().gap)
            row.addWidget(Label(words, "small", parent=self), 1)
            row.addWidget(field)
            side.addLayout(row)
        self.function.setFixedWidth(104)
        self.low.setFixedWidth(104)
        self.high.setFixedWidth(104)
        side.addWidget(self.scaling)
        side.addStretch(1)
        row = QHBoxLayout(self)
        margin = theme.sizes().margin
        row.setContentsMargins(margin, theme.sizes().gap, margin, theme.sizes().gap)
        row.setSpacing(margin)
        row.addWidget(self.plot, 1)
        holder = QWidget(self)
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        holder.setFixedWidth(_SIDE)
        row.addWidget(holder)
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self.refresh)
        host.seen_changed.connect(self._take_view)
        self.hide()

    def _take_view(self, _state: object) -> None:
        if self.isVisible():
            self._refresh.start()

    def setVisible(self, visible: bool) -> None:
        super().setVisible(visible)
        if visible:
            self._refresh.start()

    def refresh(self) -> None:
        """Look again at what is on screen."""
        if not self.isVisible():
            return
        state = self._host.seen
        volume = state.volume
        reason = self._reason(state)
        for control in (self.low, self.high, self.function, self.scaling):
            theme.set_available(control, reason)
        if reason or volume is None:
            self._known = ()
            self.plot.show_nothing(reason)
            for field in (self.low, self.high):
                field.show_text("")
            return
        self._show_counts(state, volume)
        self._show_window()

    def _reason(self, state: ViewState) -> str:
        if state.volume is None:
            return _("Open an image first.")
        if self._host.arriving is not None:
            return _("Still reading. Wait until the series is whole.")
        if state.volume.is_color:
            return _("This is a colour image.")
        return ""

    def _show_counts(self, state: ViewState, volume: Volume) -> None:
        whole = known_volume_histogram(volume)
        if whole is None:
            self._count(volume)
            self.plot.show_nothing(_("Counting…"))
            self._known = ()
            return
        key = (volume.id, state.layout, state.index, state.slab, state.phase, state.shutter)
        if key == self._known:
            return
        self._known = key
        shown = plane_histogram(volume, shown_values(state), windowing.covered_plane(state), whole)
        self.plot.show_counts(whole, shown if state.count > 1 or volume.phases > 1 else None, volume.unit)

    def _count(self, volume: Volume) -> None:
        if self._counting == volume.id:
            return
        self._counting = volume.id

        def done(_found: Histogram) -> None:
            self._counting = ""
            self.refresh()

        def failed(error: BaseException) -> None:
            self._counting = ""
            self._host.report(error)

        self._host.work.run_thread(lambda _progress: volume_histogram(volume), _("Counting values"), done, failed, quiet=True)

    def _show_window(self) -> None:
        state = self._host.seen
        volume = state.volume
        if volume is None:
            return
        self.plot.show_window(state.window, state.display.lut if state.display is not None else None)
        for field, value in ((self.low, state.window.low), (self.high, state.window.high)):
            if not (field.hasFocus() and field.isModified()):
                field.show_text(intensity(round(value, 6), volume.unit))
                field.set_error(False)
        self.function.setCurrentIndex(self.function.findData(state.window.function))

    # --- what the user asks for ---

    def _scale(self, is_logarithmic: bool) -> None:
        self.plot.set_scaling(Scaling.LOG if is_logarithmic else Scaling.ROOT)

    def _ask(self, low: float, high: float) -> None:
        if self._host.seen.volume is not None:
            self._host.set_wish(windowing.with_limits(self._host.wish, self._host.seen, low, high))
            self._show_window()  # at once: the next key starts from here

    def _choose_function(self, _index: int) -> None:
        self._host.set_wish(windowing.with_function(self._host.wish, self._host.seen, self.function.currentData()))

    def _step(self, handle: Any, steps: int) -> None:
        self.plot.move_handle(handle, steps)

    def _typed(self, handle: Any, field: NumberField) -> None:
        volume = self._host.seen.volume
        if volume is None or not field.isModified():
            return
        text = field.text().replace("\N{MINUS SIGN}", "-").replace(",", ".").removesuffix(volume.unit).strip()
        window = self._host.seen.window
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        low, high = (value, window.high) if handle is Handle.LOW else (window.low, value)
        if not abs(value) < 1e12 or not low < high:
            field.set_error(True)
            words = _("{label} must be a number.") if not abs(value) < 1e12 else _("Black must be below white.")
            self._host.say("warn", words.format(label=field.accessibleName()))
            return
        field.setModified(False)
        self._ask(low, high)
