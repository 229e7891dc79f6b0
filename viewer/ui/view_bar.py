"""The view bar: width and level, preset, auto, invert, plane, phase. It acts on the active view and follows it."""

from __future__ import annotations

import math

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QWidget

from viewer.core.window import Window
from viewer.core.words import gettext as _
from viewer.session import hand
from viewer.session.own_presets import FILE_NAME, OwnPresets
from viewer.session.view import ViewState
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.color_chooser import ColorChooser, MapButton
from viewer.ui.controls import Button, Combo, ElidedLabel, IconButton, Label, NumberField
from viewer.ui.dialogs.presets import PresetsDialog
from viewer.ui.host import Host
from viewer.ui.window_list import WindowList

PLANES = (("acquired", "As acquired"), ("axial", "Axial"), ("coronal", "Coronal"), ("sagittal", "Sagittal"))
_ROOMY, _WITH_UNIT = 660, 760
# Values are painted in 32 bits: a level far beyond all values would overflow them.
_MOST = 1e12
"""Narrower than this the words before the fields go, and fields and lists shrink."""
_WIDE, _SLIM = (62, 112, 100), (56, 76, 112)


class ViewBar(QFrame):
    """Windowing is always in sight. The fields follow the drag and take typing."""

    def __init__(self, host: Host, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "viewbar")
        self.setFixedHeight(theme.sizes().view_bar)
        self._host = host
        self._silent = False
        self.own = OwnPresets(host.settings.path.with_name(FILE_NAME))
        """The user's own presets."""
        self.width_field = NumberField(name=_("Window width"), width=76, parent=self)
        self.level_field = NumberField(name=_("Window level"), width=76, parent=self)
        self.width_field.setToolTip(_("Window width: the range of values from black to white."))
        self.level_field.setToolTip(_("Window level: the value in the middle of the greys."))
        self.preset = WindowList(self)
        self.auto = Button(_("Auto"), tooltip=actions["window.auto"].toolTip(), parent=self)
        self.auto.clicked.connect(actions["window.auto"].trigger)
        self.invert = IconButton("invert", _("Invert"), checkable=True, parent=self)
        self.invert.clicked.connect(actions["window.invert"].trigger)
        self.colors = MapButton(self)
        self.colors.clicked.connect(self.open_colors)
        self._chooser: ColorChooser | None = None
        self._actions = actions
        self.region = IconButton("window-region", actions["tool.region_window"].iconText(), checkable=True, parent=self)
        self.histogram = IconButton("chart-column", actions["window.histogram"].iconText(), checkable=True, parent=self)
        for button, action_id in ((self.region, "tool.region_window"), (self.histogram, "window.histogram")):
            _follow(button, actions[action_id])
        self.play = IconButton("play", _("Play"), parent=self)
        actions.name_button(self.play, "view.cine", _("Play"))
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
        row.addWidget(self.colors)
        row.addWidget(self.region)
        row.addWidget(self.histogram)
        row.addWidget(self.play)
        row.addSpacing(2)
        row.addWidget(self.plane)
        row.addWidget(self.caption, 1)
        for compact in (self.width_field, self.level_field, self.preset, self.plane, self.auto):
            compact.setFixedHeight(26)
        for field in (self.width_field, self.level_field):
            field.editingFinished.connect(self._typed)
            field.stepped.connect(self._step_width if field is self.width_field else self._step_level)
            field.reverted.connect(self._show_state)
        self.preset.wanted.connect(self._take_window)
        self.preset.save_wanted.connect(self.open_presets)
        self.plane.activated.connect(self._choose_plane)
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self._show_state)
        host.seen_changed.connect(self._refresh_soon)
        self._show_state()
        if self.own.problems:  # the message bar is not there yet
            QTimer.singleShot(0, self, self._tell_problems)

    def _tell_problems(self) -> None:
        problems = self.own.problems
        self._host.say("warn", problems[0], details="\n".join(problems) if len(problems) > 1 else "")

    def open_colors(self) -> None:
        """Drop the chooser of colour maps down."""
        if self._chooser is None:
            self._chooser = ColorChooser(self._host, self._actions, self)
        self._chooser.open_at(self.colors)

    def open_presets(self) -> None:
        """Keep the window in use as a preset."""
        state = self._host.seen
        if state.volume is not None and state.display is not None:
            PresetsDialog(self._host, self.own, state.volume, state.window, self._renew_presets, self.window()).open()

    def _renew_presets(self) -> None:
        self.preset.forget()
        self._show_state()

    def _refresh_soon(self, _what: object = None) -> None:
        self._refresh.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_roomy = self.width() >= _ROOMY
        field, preset, plane = _WIDE if is_roomy else _SLIM
        for words in self._words:
            words.setVisible(is_roomy)
        self.caption.setVisible(self.width() >= _WITH_UNIT)
        self._refresh.start()
        for part, width in ((self.width_field, field), (self.level_field, field), (self.preset, preset), (self.plane, plane)):
            if part in (self.width_field, self.level_field):
                part.setFixedWidth(width)
            else:
                part.setMinimumWidth(width)

    def _show_playing(self) -> None:
        playing = self._cine.isChecked()
        self.play.set_picture("pause" if playing else "play")
        self._actions.name_button(self.play, "view.cine", _("Pause") if playing else _("Play"))
        self.play.setEnabled(self._cine.isEnabled())
        if not self._cine.isEnabled():
            self.play.setToolTip(self._cine.toolTip())

    def _show_state(self) -> None:
        state = self._host.seen
        volume = state.volume
        self.play.setVisible(volume is not None and (volume.phases > 1 or state.count > 1) and self.width() >= _ROOMY)
        for field in (self.width_field, self.level_field, self.preset, self.auto, self.invert, self.plane):
            theme.set_available(field, "" if volume is not None else _("Open an image first."))
        is_grey = volume is not None and not volume.is_color
        theme.set_available(self.colors, "" if is_grey else _("Open an image first.") if volume is None else _("This is a colour image."))
        self.colors.show_map(self._host.wish.color_map if is_grey else "grey")
        if volume is None:
            self._clear()
            return
        self._silent = True
        for field, value in ((self.width_field, state.window.width), (self.level_field, state.window.center)):
            if not (field.hasFocus() and field.isModified()):
                field.show_text(self._text(value))
                field.set_error(False)
        self._show_presets(state)
        self.invert.setChecked(state.is_inverted)
        reason = "" if volume.geometry.is_patient else _("This image has no patient orientation.")
        theme.set_available(self.plane, self._host.why_closed or reason)
        self.plane.setPlaceholderText(_("Oblique"))
        self.plane.setCurrentIndex(-1 if state.is_turned else max(0, self.plane.findData(state.plane)))
        self.caption.setText(volume.unit)
        self.caption.setToolTip(volume.unit and _("Values in {unit}").format(unit=volume.unit))
        self._silent = False

    def _clear(self) -> None:
        """Nothing of an image that was closed stays."""
        self.caption.setText("")
        for field in (self.width_field, self.level_field):
            field.show_text("")
        self.preset.forget()
        self.invert.setChecked(False)

    def _show_presets(self, state: ViewState) -> None:
        assert state.volume is not None
        root = state.volume if self._host.arriving is not None else self._host.document.original(state.volume.id)
        self.preset.follow(state, root, self.own.of(state.volume), str(self._host.settings.get("profile", "default")))

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

    def _take_window(self, changes: object) -> None:
        if self._host.seen.volume is not None and isinstance(changes, dict):
            self._host.change_wish(**changes)

    def _choose_plane(self, _index: int) -> None:
        self._host.set_wish(hand.with_plane(self._host.wish, self._host.seen, self.plane.currentData()))


def _follow(button: QAbstractButton, action: QAction) -> None:
    """Have a button look and act as an action does; QAbstractButtons with pictures of their own cannot take it as theirs."""

    def show() -> None:
        button.setChecked(action.isChecked())
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    def press() -> None:
        action.trigger()
        show()  # a click has turned the button; only the action knows whether it is so

    button.clicked.connect(press)
    action.changed.connect(show)
    show()
