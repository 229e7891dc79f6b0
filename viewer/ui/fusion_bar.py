"""The fusion bar: what lies over the image and how, while something does; or why it cannot, and what can be done about it."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStyleOptionComboBox, QWidget

from viewer.core.colormaps import TITLES, rgb32
from viewer.core.words import gettext as _
from viewer.draw.figures import window_figures
from viewer.session.fusion import MODES, ShownFusion
from viewer.ui import theme
from viewer.ui.actions import Actions
from viewer.ui.controls import Button, Combo, ElidedLabel, IconButton, Label, NumberField, Slider
from viewer.ui.fusing import Fusing
from viewer.ui.fusion_place import FusionPlace
from viewer.ui.host import Host

_ROOMY, _NARROW = 690, 570
"""Narrower than the first the slider goes (the field stays) and the colour map loses its words, narrower than the second the window
fields go too: they are in the popover."""
_MODE, _MAP, _SLIM_MODE, _SLIM_MAP = 104, 124, 96, 64
_RAMP = QSize(28, 12)
_MOST = 1e12
_BESIDE = 42
"""Edges and arrow of a combo."""
_LEAST_WORDS = 24


class _MapCombo(Combo):
    """A combo whose chosen line has a picture before its words."""

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        room = max(0, self.width() - _RAMP.width() - _BESIDE)
        if room < _LEAST_WORDS:
            option.currentText = ""
            return
        option.currentText = option.fontMetrics.elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)


class FusionBar(QFrame):
    """Shown while something lies over the image in the active view; it follows that view."""

    def __init__(self, host: Host, fusing: Fusing, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "viewbar")
        self.setFixedHeight(theme.sizes().view_bar)
        self.setAccessibleName(_("Fusion"))
        self._host, self._fusing = host, fusing
        self._silent = False
        self.name = ElidedLabel("", "strong", parent=self)
        self.reason = ElidedLabel("", "small", parent=self)
        self.by_hand = Button(_("Place by hand"), parent=self)
        self.by_hand.setToolTip(_("Put it where its file says, or middle on middle, and drag it into place."))
        self.by_hand.clicked.connect(actions["fusion.by_hand"].trigger)
        self.align = Button(_("Align (rigid)"), parent=self)
        self.align.clicked.connect(self._align)
        self.mode = Combo(name=_("Fusion mode"), parent=self)
        for value, title in MODES.items():
            self.mode.addItem(_(title), value)
        self.mode.setToolTip(_("Blend: both. Difference: second less first. Curtain: left of the line the first, right the second."))
        self.mode.activated.connect(lambda _index: fusing.set_mode(self.mode.currentData()))
        self.map = _MapCombo(name=_("Colour map of the second image"), parent=self)
        self.map.setIconSize(_RAMP)
        for value, title in TITLES.items():
            self.map.addItem(ramp_icon(value), _(title), value)
        self.map.activated.connect(lambda _index: fusing.change(color_map=self.map.currentData()))
        self.slider = Slider(name=_("Opacity of the second image"), parent=self)
        self.slider.setRange(0, 100)
        self.slider.valueChanged.connect(lambda value: self._set_opacity(value / 100))
        self.slider.stepped.connect(lambda steps: self._set_opacity((self.slider.value() + steps) / 100))
        self.opacity = NumberField(name=_("Opacity"), width=52, parent=self)
        self.opacity.setToolTip(_("How dense the second image is. Alt and the wheel over the view change it."))
        self.opacity.editingFinished.connect(self._typed_opacity)
        self.opacity.stepped.connect(lambda steps: self._set_opacity((self._percent() + steps) / 100))
        self.opacity.reverted.connect(self.refresh)
        self.width_field = NumberField(name=_("Window width of the second image"), width=56, parent=self)
        self.level_field = NumberField(name=_("Window level of the second image"), width=56, parent=self)
        self.words = [Label(words, "small", parent=self) for words in (_("W"), _("L"))]
        for field, part in ((self.width_field, 0), (self.level_field, 1)):
            field.editingFinished.connect(self._typed_window)
            field.stepped.connect(lambda steps, part=part: self._step_window(part, steps))
            field.reverted.connect(self.refresh)
        self.nudge = IconButton("hand", _("Nudge"), checkable=True, parent=self)
        self.nudge.clicked.connect(actions["tool.nudge"].trigger)
        self._nudging = actions["tool.nudge"]
        self._nudging.changed.connect(self._show_tool)
        self.more = IconButton("sliders-horizontal", _("Place and look of the second image"), parent=self)
        self.more.clicked.connect(self._open_place)
        self.eye = IconButton("eye", _("Hide the second image"), parent=self)
        self.eye.clicked.connect(actions["fusion.show"].trigger)
        self.remove = IconButton("x", _("Take the second image off"), parent=self)
        self.remove.clicked.connect(actions["fusion.remove"].trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(6)
        row.addWidget(self.name)
        row.addWidget(self.reason, 1)
        row.addStretch()
        row.addWidget(self.mode)
        row.addWidget(self.map)
        row.addWidget(self.slider, 1)
        row.addWidget(self.opacity)
        for label, field in zip(self.words, (self.width_field, self.level_field), strict=True):
            row.addWidget(label)
            row.addWidget(field)
        row.addWidget(self.by_hand)
        row.addWidget(self.align)
        for button in (self.nudge, self.more, self.eye, self.remove):
            row.addWidget(button)
        self.mode.setFixedHeight(26)
        self.map.setFixedHeight(26)
        self.slider.setMinimumWidth(48)
        self.slider.setMaximumWidth(90)
        for part in (self.opacity, self.width_field, self.level_field, self.by_hand, self.align):
            part.setFixedHeight(26)
        self.place: FusionPlace | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.refresh)
        host.seen_changed.connect(self._refresh_soon)
        fusing.aligning_changed.connect(self._show_progress)
        self.refresh()

    def _refresh_soon(self, _what: object = None) -> None:
        self._soon.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._soon.start()

    # --- showing ---

    def refresh(self) -> None:
        """Show what the view shows."""
        shown = self._fusing.shown
        self.setVisible(shown is not None)
        if shown is None:
            if self.place is not None:
                self.place.close()
            return
        self._silent = True
        self.name.setText(shown.title())
        self.name.setFixedWidth(min(self._name_room(), self.name.fontMetrics().horizontalAdvance(shown.title()) + 8))
        self.name.set_tooltip(_("{name} lies over the image.").format(name=shown.title()))
        self._show_parts(shown)
        self.mode.setCurrentIndex(self.mode.findData(shown.wish.mode if shown.wish.mode in MODES else shown.mode))
        self.map.setCurrentIndex(max(0, self.map.findData(shown.display.color_map)))
        percent = round(100 * shown.opacity)
        self.slider.setValue(percent)
        if not (self.opacity.hasFocus() and self.opacity.isModified()):
            self.opacity.show_text(_("{percent} %").format(percent=percent))
        window = shown.told_window
        for field, text in zip((self.width_field, self.level_field), window_figures(window.center, window.width), strict=True):
            if not (field.hasFocus() and field.isModified()):
                field.show_text(text)
                field.set_error(False)
        unit = shown.scale[1] or _("no unit")
        self.width_field.setToolTip(_("Window width of the second image, in {unit}.").format(unit=unit))
        self.level_field.setToolTip(_("Window level of the second image, in {unit}.").format(unit=unit))
        self.eye.set_picture("eye" if shown.wish.is_shown else "eye-off")
        self.eye.set_name(_("Hide the second image") if shown.wish.is_shown else _("Show the second image"))
        reason = "" if shown.mode == "blend" else _("Only a blend has an opacity.")
        for part in (self.slider, self.opacity):
            theme.set_available(part, reason)
            if not reason and part is self.opacity:
                part.setToolTip(_("How dense the second image is. Alt and the wheel over the view change it."))
        self._show_tool()
        self._silent = False
        if self.place is not None:
            self.place.refresh()

    def _name_room(self) -> int:
        """What is left of the bar for the name, within reason."""
        return max(48, min(180, self.width() - (640 if self.width() >= _ROOMY else 520)))

    def _show_parts(self, shown: ShownFusion) -> None:
        """The controls, or the sentence that says why there is nothing to be controlled."""
        is_lost = bool(shown.reason) and shown.mode != "difference"
        said = shown.reason or shown.note
        width = self.width()
        for part in (self.map, self.opacity):
            part.setVisible(not said)
        self.mode.setVisible(not is_lost)
        self.slider.setVisible(not said and width >= _ROOMY)
        for part in (*self.words, self.width_field, self.level_field):
            part.setVisible(not said and width >= _NARROW)
        self.mode.setFixedWidth(_MODE if width >= _ROOMY else _SLIM_MODE)
        self.map.setFixedWidth(_MAP if width >= _ROOMY else _SLIM_MAP)
        self.map.setToolTip(_("Colour map of the second image: {name}").format(name=shown.map_title()))
        can_align = shown.link is None and not self._fusing.why_no_alignment()
        self.reason.setVisible(bool(said))
        self.reason.setText(said)
        self.reason.set_tooltip(said)
        self.by_hand.setVisible(is_lost and not self._fusing.why_no_place() and not self._fusing.is_aligning)
        self.align.setVisible(can_align or self._fusing.is_aligning)
        for part in (self.nudge, self.eye):
            part.setVisible(not is_lost)
        self.more.setVisible(not is_lost)

    def _show_tool(self) -> None:
        self.nudge.setChecked(self._nudging.isChecked())
        reason = self._fusing.why_no_nudge()
        theme.set_available(self.nudge, reason)
        if not reason:
            self.nudge.setToolTip(_("Nudge: drag the second image into place, with Ctrl turn it. Numbers are under “Place”."))

    def _show_progress(self, thousandths: int) -> None:
        if thousandths < 0:
            self.align.setText(_("Align (rigid)"))
        else:
            self.align.setText(_("Cancel, {percent} %").format(percent=thousandths // 10))
        self._soon.start()

    # --- asking ---

    def _align(self) -> None:
        if self._fusing.is_aligning:
            self._fusing.cancel_aligning()
        else:
            self._fusing.align()

    def _open_place(self) -> None:
        if self.place is None:
            self.place = FusionPlace(self._host, self._fusing, self)
        self.place.refresh()
        self.place.open_at(self.more)

    def _percent(self) -> float:
        shown = self._fusing.shown
        return round(100 * shown.opacity) if shown is not None else 0.0

    def _set_opacity(self, part: float) -> None:
        if not self._silent:
            self._fusing.change(opacity=max(0.0, min(part, 1.0)))

    def _typed_opacity(self) -> None:
        if self._silent or not self.opacity.isModified():
            return
        value = _number(self.opacity.text().replace("%", ""))
        self.opacity.setModified(False)
        if value is None or not 0 <= value <= 100:
            self.opacity.set_error(True)
            words = _("{label} must be between {low} and {high}.")
            self._host.say("warn", words.format(label=self.opacity.accessibleName(), low=0, high=_("{percent} %").format(percent=100)))
            return
        self.opacity.set_error(False)
        self._set_opacity(value / 100)
        self.refresh()

    def _typed_window(self) -> None:
        shown, fields = self._fusing.shown, (self.width_field, self.level_field)
        if self._silent or shown is None or not any(f.isModified() for f in fields):
            return
        numbers = []
        for field, now in zip(fields, (shown.told_window.width, shown.told_window.center), strict=True):
            value = _number(field.text()) if field.isModified() else now
            if value is None or abs(value) > _MOST or (field is self.width_field and value <= 0):
                field.set_error(True)
                words = _("{label} must be a number.") if value is None or field is self.level_field else _("{label} must be more than 0.")
                self._host.say("warn", words.format(label=field.accessibleName()))
                return
            numbers.append(value)
        for field in fields:
            field.setModified(False)
        self._fusing.set_window(*numbers)
        self.refresh()

    def _step_window(self, part: int, steps: int) -> None:
        shown = self._fusing.shown
        if shown is None:
            return
        window = shown.told_window
        step = 10.0 ** math.floor(math.log10(max(window.width, 1e-9) / 10))
        numbers = [window.width, window.center]
        numbers[part] += steps * step
        if numbers[0] > 0:
            self._fusing.set_window(*numbers)


def ramp_icon(color_map: str) -> QIcon:
    """The colours of a map from low to high, as the icon of its name."""
    colors = rgb32(color_map).reshape(1, 256).copy()
    image = QImage(colors.data, 256, 1, 1024, QImage.Format.Format_RGB32)
    icon = QIcon()
    for ratio in (1, 2):
        size = _RAMP * ratio
        picture = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        picture.setDevicePixelRatio(ratio)
        icon.addPixmap(QPixmap.fromImage(picture))
    return icon


def _number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
