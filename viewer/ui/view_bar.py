"""The view bar: width and level, preset, auto, invert, plane, phase. It acts on the active view and follows it."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from viewer.core.window import Window
from viewer.core.words import gettext as _
from viewer.session.view import ViewState, presets
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.controls import Button, Combo, ElidedLabel, IconButton, Label, NumberField
from viewer.ui.host import Host

PLANES = (("acquired", "As acquired"), ("axial", "Axial"), ("coronal", "Coronal"), ("sagittal", "Sagittal"))
MANUAL, AUTO = "manual", "auto"
_ROOMY = 660
# Values are painted in 32 bits: a level far beyond all values would overflow them.
_MOST = 1e12
"""Narrower than this the words before the fields go, and fields and lists shrink."""
_WIDE, _SLIM = (76, 132, 116), (52, 84, 108)


class ViewBar(QFrame):
    """Windowing is always in sight. The fields follow the drag and take typing."""

    def __init__(self, host: Host, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "viewbar")
        self.setFixedHeight(theme.sizes().view_bar)
        self._host = host
        self._silent = False
        self._windows: list[tuple[Any, str]] = []
        self.width_field = NumberField(name=_("Window width"), width=76, parent=self)
        self.level_field = NumberField(name=_("Window level"), width=76, parent=self)
        self.width_field.setToolTip(_("Window width: the range of values from black to white."))
        self.level_field.setToolTip(_("Window level: the value in the middle of the greys."))
        self.preset = Combo(name=_("Window preset"), parent=self)
        self.auto = Button(_("Auto"), tooltip=actions["window.auto"].toolTip(), parent=self)
        self.auto.clicked.connect(actions["window.auto"].trigger)
        self.invert = IconButton("invert", _("Invert"), checkable=True, parent=self)
        self.invert.clicked.connect(actions["window.invert"].trigger)
        self.play = IconButton("play", _("Play (C)"), parent=self)
        self.play.clicked.connect(actions["view.cine"].trigger)
        actions["view.cine"].changed.connect(self._show_playing)
        self._cine = actions["view.cine"]
        self.plane = Combo(name=_("Plane"), parent=self)
        for value, words in PLANES:
            self.plane.addItem(_(words), value)
        self.caption = ElidedLabel("", "small", parent=self)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(6)
        self._words = [Label(words, "small", parent=self) for words in (_("Width"), _("Level"))]
        for label, field in zip(self._words, (self.width_field, self.level_field), strict=True):
            row.addWidget(label)
            row.addWidget(field)
            row.addSpacing(4)
        row.addWidget(self.preset)
        row.addWidget(self.auto)
        row.addWidget(self.invert)
        row.addWidget(self.play)
        row.addSpacing(8)
        row.addWidget(self.plane)
        row.addWidget(self.caption, 1)
        for compact in (self.width_field, self.level_field, self.preset, self.plane):
            compact.setFixedHeight(26)
        for field in (self.width_field, self.level_field):
            field.editingFinished.connect(self._typed)
            field.stepped.connect(self._step_width if field is self.width_field else self._step_level)
            field.reverted.connect(self._show_state)
        self.preset.activated.connect(self._choose_window)
        self.plane.activated.connect(self._choose_plane)
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self._show_state)
        host.seen_changed.connect(self._refresh_soon)
        self._known: tuple[object, ...] = ()
        self._preset_tip = ""
        self._show_state()

    def _refresh_soon(self, _what: object = None) -> None:
        self._refresh.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_roomy = self.width() >= _ROOMY
        field, preset, plane = _WIDE if is_roomy else _SLIM
        for words in self._words:
            words.setVisible(is_roomy)
        self.caption.setVisible(is_roomy)
        self._refresh.start()
        for part, width in ((self.width_field, field), (self.level_field, field), (self.preset, preset), (self.plane, plane)):
            if part in (self.width_field, self.level_field):
                part.setFixedWidth(width)
            else:
                part.setMinimumWidth(width)

    def _show_playing(self) -> None:
        playing = self._cine.isChecked()
        self.play.set_picture("pause" if playing else "play")
        self.play.set_name(_("Pause (C)") if playing else _("Play (C)"))
        self.play.setEnabled(self._cine.isEnabled())
        if not self._cine.isEnabled():
            self.play.setToolTip(self._cine.toolTip())

    def _show_state(self) -> None:
        state = self._host.seen
        volume = state.volume
        self.play.setVisible(volume is not None and (volume.phases > 1 or state.count > 1) and self.width() >= _ROOMY)
        for field in (self.width_field, self.level_field, self.preset, self.auto, self.invert, self.plane):
            theme.set_available(field, "" if volume is not None else _("Open an image first."))
        if volume is None:
            self._clear()
            return
        self._silent = True
        for field, value in ((self.width_field, state.window.width), (self.level_field, state.window.center)):
            if not (field.hasFocus() and field.isModified()):
                field.show_text(self._text(value))
                field.set_error(False)
        self._fill_presets(state)
        self.invert.setChecked(state.is_inverted)
        reason = "" if volume.geometry.is_patient else _("This image has no patient orientation.")
        theme.set_available(self.plane, self._host.why_closed or reason)
        self.plane.setCurrentIndex(max(0, self.plane.findData(state.plane)))
        self.caption.setText(volume.unit)
        self.caption.setToolTip(volume.unit and _("Values in {unit}").format(unit=volume.unit))
        self._silent = False

    def _clear(self) -> None:
        """Nothing of an image that was closed stays."""
        self.caption.setText("")
        for field in (self.width_field, self.level_field):
            field.show_text("")
        self.preset.clear()
        self._known = ()
        self.invert.setChecked(False)

    def _fill_presets(self, state: ViewState) -> None:
        assert state.volume is not None
        root = state.volume if self._host.arriving is not None else self._host.document.original(state.volume.id)
        fitting, reason = presets(state.volume)
        key = (state.volume.id, len(fitting))
        if key != self._known:
            self._known = key
            self.preset.clear()
            self._windows = []
            self._offer(_("Manual"), MANUAL)
            for number, lut in enumerate(state.volume.voi_luts):
                self._offer(lut.name or _("LUT of the file {number}").format(number=number + 1), number)
            for number, window in enumerate(root.windows if state.volume.unit == root.unit else ()):
                self._offer(window.name or _("File {number}").format(number=number + 1), window)
            for window in fitting:
                self._offer(_(window.name), window)
            self._offer(_("Auto"), AUTO)
            self._preset_tip = _(reason) if reason else _("Windows of the file first, then presets (keys 1 to 9).")
        chosen = next(
            (
                n
                for n, (w, _n) in enumerate(self._windows)
                if isinstance(w, Window) and (w.center, w.width) == (state.window.center, state.window.width)
            ),
            0,
        )
        if state.is_plane_window:
            chosen = next((n for n, (w, _n) in enumerate(self._windows) if isinstance(w, Window)), 0)
        elif state.is_auto:
            chosen = len(self._windows) - 1
        elif state.display is not None and state.display.lut is not None:
            chosen = next((n for n, (w, _n) in enumerate(self._windows) if isinstance(w, int)), 0)
        self.preset.setCurrentIndex(chosen)
        self.preset.setToolTip(f"{self.preset.currentText()}\n{self._preset_tip}")

    def _offer(self, words: str, value: Any) -> None:
        self._windows.append((value, words))
        self.preset.addItem(words)

    def _text(self, value: float) -> str:
        volume = self._host.seen.volume
        fine = volume is not None and volume.data.dtype.kind == "f" and self._host.seen.window.width < 50
        return f"{value:.2f}" if fine else f"{value:.0f}"

    def _typed(self) -> None:
        fields = (self.width_field, self.level_field)
        if self._silent or self._host.seen.volume is None or not any(f.isModified() for f in fields):
            return
        numbers = []
        for field, now in zip(fields, (self._host.seen.window.width, self._host.seen.window.center), strict=True):
            if not field.isModified():
                numbers.append(now)
                continue
            try:
                numbers.append(float(field.text().replace(",", ".")))
            except ValueError:
                numbers.append(math.nan)
            if not math.isfinite(numbers[-1]):
                field.set_error(True)
                self._host.say("warn", _("{label} must be a number.").format(label=field.accessibleName()))
                return
            if abs(numbers[-1]) > _MOST:
                field.set_error(True)
                words = _("{label} must be between {low} and {high}.")
                self._host.say("warn", words.format(label=field.accessibleName(), low=f"{-_MOST:.0f}", high=f"{_MOST:.0f}"))
                return
        for field in fields:
            field.setModified(False)
        self._ask(*numbers)

    def _step_width(self, steps: int) -> None:
        self._ask(self._host.seen.window.width + steps * self._step(), self._host.seen.window.center)

    def _step_level(self, steps: int) -> None:
        self._ask(self._host.seen.window.width, self._host.seen.window.center + steps * self._step())

    def _step(self) -> float:
        return 0.1 if "." in self.width_field.text() else 1.0

    def _ask(self, width: float, level: float) -> None:
        volume = self._host.seen.volume
        if volume is None:
            return
        if width <= 0:
            self.width_field.set_error(True)
            self._host.say("warn", _("The window width must be more than 0."))
            return
        function = self._host.seen.window.function if width >= 1 else "LINEAR_EXACT"
        self._host.change_wish(window=Window(level, width, function), window_unit=volume.unit, is_auto=False, lut=None)

    def _choose_window(self, index: int) -> None:
        value, _words = self._windows[index]
        volume = self._host.seen.volume
        if volume is None or value == MANUAL:
            return
        if value == AUTO:
            self._host.change_wish(window=None, lut=None, is_auto=True)
        elif isinstance(value, int):
            self._host.change_wish(window=None, lut=value, is_auto=False)
        elif volume.plane_windows and value == volume.windows[0]:
            self._host.change_wish(window=None, window_unit=None, lut=None, is_auto=False)  # each plane its own
        else:
            self._host.change_wish(window=value, window_unit=volume.unit, lut=None, is_auto=False)

    def _choose_plane(self, _index: int) -> None:
        self._host.change_wish(plane=self.plane.currentData(), index=None, center=None, zoom=None)
