"""The phase bar: where in time, echo or b-value a 4-D series is, a slider to go elsewhere, and what cine plays how fast."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from viewer.core.words import gettext as _
from viewer.core.words import mark
from viewer.draw.corners import phase_text
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.cine import FASTEST, SLOWEST, Cine
from viewer.ui.controls import Combo, ElidedLabel, IconButton, Label
from viewer.ui.controls.number_field import Slider
from viewer.ui.host import Host

_AXES = (("phases", mark("Phases")), ("slices", mark("Slices")))
_MODES = (("loop", mark("Loop")), ("sweep", mark("To and fro")), ("once", mark("Once")))
_LABEL_WIDTH = 168
_SLIM_LABEL = 148
_COMBO_WIDTH = 124
_ROOMY = 660
"""Narrower than this only where it is, the way elsewhere and Play stay."""
_WIDE = 700
"""Narrower than this what happens at the end is in the menu only."""
_RATES = (1, 2, 5, 10, 15, 20, 25, 30, 45, 60)


class PhaseBar(QFrame):
    """Shown for what has more than one phase, and while slices are played."""

    def __init__(self, host: Host, cine: Cine, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "viewbar")
        self.setFixedHeight(theme.sizes().view_bar)
        self.setAccessibleName(_("Phases"))
        self._host, self._cine = host, cine
        self._silent = False
        self._actions = actions
        self.previous = IconButton("skip-back", _("Previous phase"), parent=self)
        self.next = IconButton("skip-forward", _("Next phase"), parent=self)
        actions.name_button(self.previous, "view.previous_phase", _("Previous phase"))
        actions.name_button(self.next, "view.next_phase", _("Next phase"))
        self.previous.clicked.connect(actions["view.previous_phase"].trigger)
        self.next.clicked.connect(actions["view.next_phase"].trigger)
        self.slider = Slider(name=_("Phase"), parent=self)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # it stands alone: there is no field beside it
        self.slider.setToolTip(_("Phase: time, echo, b-value. Arrow keys when it has the focus."))
        self.slider.valueChanged.connect(self._move)
        self.slider.stepped.connect(lambda steps: self._move(self.slider.value() + steps))
        self.words = ElidedLabel("", "small", parent=self)
        self.words.setFixedWidth(_LABEL_WIDTH)
        self.play = IconButton("play", _("Play"), parent=self)
        actions.name_button(self.play, "view.cine", _("Play"))
        self.play.clicked.connect(actions["view.cine"].trigger)
        self.axis = Combo(name=_("What is played"), parent=self)
        for value, title in _AXES:
            self.axis.addItem(_(title), value)
        self.axis.activated.connect(lambda _index: cine.set_axis(self.axis.currentData()))
        self.axis.setToolTip(_("What Play goes through: the phases of this slice, or the slices of this phase."))
        self.rate = Combo(name=_("Frames a second"), parent=self)
        self.rate.setToolTip(_("Frames a second. Shift+wheel changes it while playing."))
        self.rate.activated.connect(lambda _index: cine.set_rate(float(self.rate.currentData())))
        self.measured = Label("", "small", parent=self)
        self.mode = Combo(name=_("At the end"), parent=self)
        for value, title in _MODES:
            self.mode.addItem(_(title), value)
        self.mode.activated.connect(lambda _index: cine.set_mode(self.mode.currentData()))
        self.mode.setToolTip(_("At the end: begin again, turn round, or stop."))
        for combo in (self.axis, self.rate, self.mode):
            combo.setMaximumWidth(_COMBO_WIDTH)
            combo.setFixedHeight(26)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(6)
        self.play_words = Label(_("Play"), "small", parent=self)
        for part, stretch in (
            (self.words, 0),
            (self.previous, 0),
            (self.slider, 1),
            (self.next, 0),
            (self.play, 0),
            (self.play_words, 0),
            (self.axis, 0),
            (self.mode, 0),
            (self.rate, 0),
            (self.measured, 0),
        ):
            row.addWidget(part, stretch)
            if part is self.slider:
                row.addStretch(0)  # where slices are played there is no slider to take the room
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.refresh)
        host.seen_changed.connect(self._refresh_soon)
        cine.told.connect(self._soon.start)
        cine.changed.connect(self._refresh_soon)
        self.refresh()

    def _refresh_soon(self, _what: object = None) -> None:
        self._soon.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._soon.start()

    def refresh(self) -> None:
        """Show where the view and the player are."""
        state, cine = self._host.seen, self._cine
        volume = state.volume
        phases = volume.phases if volume is not None else 1
        has_phases = phases > 1
        self.setVisible(has_phases or cine.is_playing)
        if volume is None:
            return
        for part in (self.previous, self.slider, self.next):
            part.setVisible(has_phases)
        self._silent = True
        self.slider.setRange(0, phases - 1)
        self.slider.setPageStep(max(1, phases // 10))
        self.slider.setValue(state.phase)
        self._silent = False
        words = phase_text(state, volume) if has_phases else _("Playing the slices")
        self.words.setText(words)
        self.slider.setAccessibleDescription(words)
        is_roomy, has_both = self.width() >= _ROOMY, has_phases and state.count > 1
        self.words.setFixedWidth(_LABEL_WIDTH if is_roomy else _SLIM_LABEL)
        self.axis.setVisible(has_both)
        self.play_words.setVisible(has_both and is_roomy)
        self.play.setVisible(not is_roomy)  # else it is in the bar above
        self.play.set_picture("pause" if cine.is_playing else "play")
        self._actions.name_button(self.play, "view.cine", _("Pause") if cine.is_playing else _("Play"))
        for part in (self.play, self.axis, self.rate, self.mode):
            theme.set_available(part, self._host.why_closed)
        for part in (self.rate, self.measured):
            part.setVisible(is_roomy)
        self.mode.setVisible(self.width() >= (_WIDE if has_both else _ROOMY))
        self.mode.setCurrentIndex(self.mode.findData(cine.mode))
        self.axis.setCurrentIndex(self.axis.findData(cine.axis))
        self._show_rate()

    def _show_rate(self) -> None:
        rate = round(self._cine.rate, 1)
        values = sorted({*map(float, _RATES), rate})
        if [self.rate.itemData(n) for n in range(self.rate.count())] != values:
            self.rate.clear()
            for value in values:
                self.rate.addItem(_("{rate:g} /s").format(rate=value), value)
        self.rate.setCurrentIndex(values.index(rate))
        measured = self._cine.measured_rate
        self.measured.setText(_("shown {rate:.1f} /s").format(rate=measured) if self._cine.is_playing and measured else "")

    def _move(self, phase: int) -> None:
        if not self._silent:
            self._host.change_wish(phase=max(0, min(phase, self.slider.maximum())))

    def turn_rate(self, steps: int) -> None:
        """Faster or slower, as Shift+wheel asks while it plays."""
        self._cine.set_rate(max(SLOWEST, min(round(self._cine.rate) + steps, FASTEST)))
