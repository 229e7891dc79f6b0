"""Rows that only forms of operations have: a number that may be "auto", and places that are clicked or typed."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from viewer.core.geometry import Triple
from viewer.core.words import _, ngettext
from viewer.ui.controls import Button, FormRow, IconButton, Label, NumberField, Slider, TextField
from viewer.ui.controls.number_field import Scale
from viewer.ui.theme import sizes

_REST_MS = 300


class AutoNumberRow(FormRow):
    """A number or "auto": the empty field. The slider, if any, stands at its left end while it is auto.

    Parameters
    ----------
    limits : Scale
        What may be typed.
    reach : Scale or None
        What the slider spans; None leaves it out.

    Notes
    -----
    ``value_changed(float or None)`` comes with every change, ``settled`` once the value rests. Neither comes from ``set_value``.
    """

    value_changed = Signal(object)
    settled = Signal(object)

    def __init__(self, label: str, limits: Scale, reach: Scale | None = None, *, tooltip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(label, parent=parent)
        self._limits, self._reach = limits, reach
        self._value: float | None = None
        self._default: float | None = None
        self._settled_value: float | None = None
        self._showing = False
        self.slider: Slider | None = None
        if reach is not None and reach.has_slider:
            self.slider = Slider(name=label, parent=self)
            self.slider.setRange(0, reach.positions)
            self.slider.valueChanged.connect(self._slid)
            self.slider.sliderReleased.connect(self._settle)
            self.slider.stepped.connect(self._step)
            self._line.addWidget(self.slider, 1)
        else:
            self._line.addStretch(1)
        self.field = NumberField(name=label, parent=self)
        self.field.setPlaceholderText(_("auto"))
        self.caption.setBuddy(self.field)
        self.caption.set_tooltip(tooltip)
        self.field.setToolTip(_("Empty: chosen from the image."))
        self.field.setAccessibleDescription(_("Empty: chosen from the image."))
        shown = reach or limits
        self.field.fit(shown.text(v) for v in (shown.low, shown.high, 0.0) if v is not None)
        self.field.textEdited.connect(self._typed)
        self.field.editingFinished.connect(self._commit)
        self.field.stepped.connect(self._step)
        self.field.reverted.connect(self._revert)
        self._line.addWidget(self.field)
        self._reset = self._add_reset()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._settle)
        self._show()

    def value(self) -> float | None:
        """The last good value; None is auto."""
        return self._value

    def set_value(self, value: float | None) -> None:
        """Show a value, held within the limits, without any signal. A field that is being typed in and says it already stays as it is."""
        held = None if value is None else self._limits.held(value)
        if held == self._value and self.field.is_being_typed and self.is_valid():
            return
        self._rest.stop()
        self._value = self._settled_value = held
        self._show()

    def set_default(self, value: float | None) -> None:
        """What Reset goes back to; None is auto."""
        self._default = value
        self._reset.setEnabled(self._value != self._default)

    def reset(self) -> None:
        """Back to auto or another default, told as a change."""
        self._take(self._default)
        self._settle()

    def set_error(self, sentence: str) -> None:
        super().set_error(sentence)
        self.field.set_error(bool(sentence))

    def _show(self, *, field: bool = True) -> None:
        self._showing = True
        if self.slider is not None and self._reach is not None:
            self.slider.setValue(0 if self._value is None else self._reach.position(self._value))
        if field:
            self.field.show_text("" if self._value is None else self._limits.text(self._value))
            self.set_error("")
        self._reset.setEnabled(self._value != self._default)
        self._showing = False

    def _take(self, value: float | None, *, field: bool = True) -> None:
        changed = value != self._value
        self._value = value
        self._show(field=field)
        if changed:
            self.value_changed.emit(value)

    def _settle(self) -> None:
        self._rest.stop()
        if self._value != self._settled_value:
            self._settled_value = self._value
            self.settled.emit(self._value)

    def _slid(self, position: int) -> None:
        if self._showing or self._reach is None:
            return
        self._take(self._limits.held(self._reach.at(position)))
        if self.slider is not None and not self.slider.isSliderDown():
            self._rest.start()

    def _step(self, steps: int) -> None:
        scale = self._reach or self._limits
        start = self._value
        if start is None:
            # The first step leaves auto at the middle of what the slider spans.
            start = scale.at(scale.positions // 2) if scale.has_slider else scale.low or 0.0
        self._take(self._limits.held(scale.stepped(start, steps)))
        self._rest.start()

    def _typed(self, text: str) -> None:
        is_auto = text.strip().lower() in ("", _("auto"), "auto")
        problem = "" if is_auto else self._limits.problem(self.label, text)
        self.set_error(problem)
        if problem:
            self._rest.stop()
            return
        self._take(None if is_auto else self._limits.rounded(self._limits.parse(text) or 0.0), field=False)
        self._rest.start()

    def _commit(self) -> None:
        if self.is_valid():
            self._show()
            self._settle()

    def _revert(self) -> None:
        self._take(self._settled_value)
        self._rest.stop()


class PlaceField(TextField):
    """A field for a place; Enter takes it and goes no further (a form's Enter would apply)."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class PointsRow(FormRow):
    """Clicked places: how many there are, one typed as "x, y, z", and a button that clears them.

    The places themselves belong to the view's wish; the row asks for other ones by ``points_wanted(tuple)``.
    """

    points_wanted = Signal(object)

    def __init__(self, label: str, *, unit: str = "mm", tooltip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(label, parent=parent)
        self._points: tuple[Triple, ...] = ()
        self.check: Callable[[Triple], str] = lambda _place: ""
        """Says in a sentence what is wrong with a typed place, "" if nothing is."""
        self.caption.set_tooltip(tooltip)
        self.count = Label("", "secondary", parent=self)
        self._line.addWidget(self.count, 1)
        self.clear = IconButton("trash-2", _("Remove all"), parent=self)
        self.clear.clicked.connect(self._clear)
        self._line.addWidget(self.clear)
        typed = QHBoxLayout()
        typed.setSpacing(sizes().gap)
        self._indent = typed
        typed.addSpacing(sizes().label_column + sizes().gap)
        self.field = PlaceField(
            name=_("Place of {label}, typed").format(label=label), placeholder=_("x, y, z in {unit}").format(unit=unit), parent=self
        )
        self.field.returnPressed.connect(self._add)
        self.field.textEdited.connect(self._forget_error)
        typed.addWidget(self.field, 1)
        self.add = Button(_("Add"), parent=self)
        self.add.setAccessibleName(_("Add the typed place"))
        self.add.clicked.connect(self._add)
        typed.addWidget(self.add)
        layout = self.layout()
        if layout is not None:
            layout.insertLayout(1, typed)  # type: ignore[attr-defined]
            layout.setSpacing(sizes().gap)
        self.set_points(())

    def set_label_width(self, width: int) -> None:
        super().set_label_width(width)
        self._indent.itemAt(0).spacerItem().changeSize(width + sizes().gap, 0)
        self._indent.invalidate()

    def value(self) -> tuple[Triple, ...]:
        return self._points

    def set_points(self, points: tuple[Triple, ...]) -> None:
        """Show the places that there are."""
        self._points = points
        self.count.setText(ngettext("{count} seed", "{count} seeds", len(points)) if points else _("none"))
        self.clear.setEnabled(bool(points))

    def set_error(self, sentence: str) -> None:
        super().set_error(sentence)
        self.field.set_error(bool(sentence))

    def reset(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.points_wanted.emit(())

    def _forget_error(self, _text: str) -> None:
        self.set_error("")

    def _add(self) -> None:
        place = parse_place(self.field.text())
        if place is None:
            self.set_error(_("A place has three numbers: x, y, z."))
            return
        self.set_error(self.check(place))
        if self.is_valid():
            self.field.clear()
            self.points_wanted.emit((*self._points, place))


def parse_place(text: str) -> Triple | None:
    """Three numbers, with commas, semicolons or spaces between; None if it is none."""
    parts = text.replace(",", " ").replace(";", " ").replace("\N{MINUS SIGN}", "-").split()
    try:
        x, y, z = (float(part) for part in parts)
    except ValueError:
        return None
    return (x, y, z) if all(math.isfinite(c) for c in (x, y, z)) else None


def place_field_text(place: Triple) -> str:
    """A place as it is typed: ``12.3, -45.6, 78.9``."""
    return ", ".join(f"{c:.2f}".rstrip("0").rstrip(".") if c else "0" for c in place)
