"""Rows of a form: label, control, reset. Each has ``value()``, ``set_value()``, ``reset()``, and signals for a change and its rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from viewer.core.words import _
from viewer.ui.controls.buttons import IconButton
from viewer.ui.controls.labels import ElidedLabel, Hint, Label
from viewer.ui.controls.number_field import NumberField, Scale, Slider, decimals_of
from viewer.ui.controls.switch import Switch
from viewer.ui.theme import set_property, sizes

_REST_MS = 300


class FormRow(QWidget):
    """What rows share: the label column, the line of controls, and the sentence under it when something is wrong."""

    validity_changed = Signal(bool)

    def __init__(self, label: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = label
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(sizes().hair)
        self._line = QHBoxLayout()
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(sizes().gap)
        outer.addLayout(self._line)
        self.caption = ElidedLabel(label, parent=self)
        self.caption.setFixedWidth(sizes().label_column)
        self._line.addWidget(self.caption)
        self._error = Label("", "error", wrap=True, parent=self)
        self._error.hide()
        outer.addWidget(self._error)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def is_valid(self) -> bool:
        return not self._error.text()

    def error(self) -> str:
        """The sentence under the field, "" if all is well."""
        return self._error.text()

    def set_error(self, sentence: str) -> None:
        """Show (or with "" take away) a sentence under the field; subclasses mark the field too."""
        was = self.is_valid()
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        if was != self.is_valid():
            self.validity_changed.emit(not sentence)

    def set_label_width(self, width: int) -> None:
        """Another width of the label column, where a form's longest label asks for it."""
        self.caption.setFixedWidth(width)

    def _add_reset(self) -> IconButton:
        name = _("Reset {label}").format(label=self.label)
        button = IconButton("rotate-ccw", name, size=sizes().icon_field, side=sizes().reset_column, tint="quiet", parent=self)
        button.clicked.connect(self.reset)
        self._line.addWidget(button)
        return button

    def reset(self) -> None:
        raise NotImplementedError


class NumberRow(FormRow):
    """Label, slider, field with the unit inside, reset.

    Parameters
    ----------
    label : str
    low, high : float or None
        Limits, both allowed; without either there is no slider.
    default : float
    unit : str
    step : float
        One press of Up or Down; Shift ten.
    log : bool
        The slider is logarithmic (``low`` must be positive); a step is then a hundredth of it.
    decimals : int or None
        Digits after the point; None takes those of ``step``.
    slider : bool
        False leaves the slider out.

    Notes
    -----
    ``value_changed(float)`` comes with every change, while dragging too; ``settled(float)`` once the value rests: on release,
    on Enter or leaving the field, 300 ms after the last key. Neither comes from ``set_value``.
    """

    value_changed = Signal(float)
    settled = Signal(float)

    def __init__(
        self,
        label: str,
        low: float | None,
        high: float | None,
        default: float,
        *,
        unit: str = "",
        step: float = 1.0,
        log: bool = False,
        decimals: int | None = None,
        slider: bool = True,
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(label, parent=parent)
        if log and not (low is not None and low > 0):
            raise ValueError(f"{label}: a logarithmic slider needs a positive low limit")
        if step <= 0:
            raise ValueError(f"{label}: the step must be positive")
        self._scale = Scale(low, high, step, decimals_of(step) if decimals is None else decimals, log, unit)
        self._default = self._value = self._scale.rounded(default)
        self._showing = False
        self.slider: Slider | None = None
        if slider and self._scale.has_slider:
            self.slider = Slider(name=label, parent=self)
            self.slider.setRange(0, self._scale.positions)
            self.slider.valueChanged.connect(self._slid)
            self.slider.sliderReleased.connect(self._settle)
            self.slider.stepped.connect(self._step)
            self._line.addWidget(self.slider, 1)
        else:
            self._line.addStretch(1)
        self.field = NumberField(name=label, parent=self)
        self.caption.setBuddy(self.field)
        self.field.textEdited.connect(self._typed)
        self.field.editingFinished.connect(self._commit)
        self.field.stepped.connect(self._step)
        self.field.reverted.connect(self._revert)
        self.field.fit(self._scale.text(value) for value in (low, high, default) if value is not None)
        self._line.addWidget(self.field)
        self._reset = self._add_reset()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._settle)
        self._settled_value = self._value
        if tooltip:
            self.caption.set_tooltip(tooltip)
        self.field.setToolTip(self._limits_text())
        self.field.setAccessibleDescription(self._limits_text())
        self._show()

    def value(self) -> float:
        """The last good value (what is in the field now may be wrong: ``is_valid``)."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show a value, held within the limits, without any signal."""
        self._rest.stop()
        self._value = self._settled_value = self._scale.held(value)
        self._show()

    def default(self) -> float:
        return self._default

    def reset(self) -> None:
        """Back to the default, told as a change."""
        self._take(self._default)
        self._settle()

    def set_error(self, sentence: str) -> None:
        super().set_error(sentence)
        self.field.set_error(bool(sentence))

    def _limits_text(self) -> str:
        scale = self._scale
        if scale.low is None or scale.high is None:
            return scale.unit
        return _("{low} to {high}").format(low=scale.number_text(scale.low), high=scale.text(scale.high))

    def _show(self, *, field: bool = True) -> None:
        self._showing = True
        if self.slider is not None:
            self.slider.setValue(self._scale.position(self._value))
        if field:
            self.field.show_text(self._scale.text(self._value))
            self.set_error("")
        self._reset.setEnabled(self._value != self._default)
        self._showing = False

    def _take(self, value: float, *, field: bool = True) -> None:
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
        if self._showing:
            return
        self._take(self._scale.at(position))
        if self.slider is not None and not self.slider.isSliderDown():
            self._rest.start()

    def _step(self, steps: int) -> None:
        self._take(self._scale.stepped(self._value, steps))
        self._rest.start()

    def _typed(self, text: str) -> None:
        problem = self._scale.problem(self.label, text)
        self.set_error(problem)
        if problem:
            self._rest.stop()
            return
        self._take(self._scale.rounded(self._scale.parse(text) or 0.0), field=False)
        self._rest.start()

    def _commit(self) -> None:
        if self.is_valid():
            self._show()
            self._settle()

    def _revert(self) -> None:
        self._take(self._settled_value)
        self._rest.stop()


class Combo(QComboBox):
    """A combo box that leaves the wheel to the panel unless it has the focus, and does not widen its panel."""

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(sizes().field_height)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceRow(FormRow):
    """One of several named values, as a combo box.

    Parameters
    ----------
    choices : sequence of (value, words)
    default : object
        One of the values; None takes the first.
    """

    value_changed = Signal(object)
    settled = Signal(object)

    def __init__(
        self, label: str, choices: Sequence[tuple[object, str]], default: object = None, *, tooltip: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(label, parent=parent)
        self._values: list[object] = []
        self.combo = Combo(name=label, parent=self)
        self.caption.setBuddy(self.combo)
        self._line.addWidget(self.combo, 1)
        self._reset = self._add_reset()
        self._default: object = None
        self.set_choices(choices, default)
        self.combo.currentIndexChanged.connect(self._changed)
        self.caption.set_tooltip(tooltip)

    def set_choices(self, choices: Sequence[tuple[object, str]], default: object = None) -> None:
        """Other choices, without any signal; the value stays if it is still there."""
        kept = self.value() if self._values else default
        was = self.combo.blockSignals(True)
        self.combo.clear()
        self._values = [value for value, _words in choices]
        self.combo.addItems([words for _value, words in choices])
        self._default = default if default in self._values else (self._values[0] if self._values else None)
        self.combo.setCurrentIndex(self._values.index(kept if kept in self._values else self._default) if self._values else -1)
        self.combo.blockSignals(was)
        self._reset.setEnabled(self.value() != self._default)

    def value(self) -> object:
        at = self.combo.currentIndex()
        return self._values[at] if 0 <= at < len(self._values) else None

    def set_value(self, value: object) -> None:
        """Show a value without any signal; ValueError if it is none of the choices."""
        was = self.combo.blockSignals(True)
        try:
            self.combo.setCurrentIndex(self._values.index(value))
        finally:
            self.combo.blockSignals(was)
        self._reset.setEnabled(self.value() != self._default)

    def reset(self) -> None:
        if self._default is not None:
            self.combo.setCurrentIndex(self._values.index(self._default))

    def _changed(self, _at: int) -> None:
        self._reset.setEnabled(self.value() != self._default)
        self.value_changed.emit(self.value())
        self.settled.emit(self.value())


class SwitchRow(FormRow):
    """Words on the left, a switch at the right edge; a click on the words switches too. ``help`` is a line under both."""

    value_changed = Signal(bool)
    settled = Signal(bool)

    def __init__(self, label: str, default: bool = False, *, help: str = "", tooltip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(label, parent=parent)
        self._default = default
        self.caption.setMinimumWidth(0)
        self.caption.setMaximumWidth(16_777_215)
        self.caption.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.caption.set_tooltip(tooltip)
        self.switch = Switch(label, checked=default, parent=self)
        self.switch.toggled.connect(self._changed)
        self._line.addWidget(self.switch)
        self._help = Hint(help, parent=self)
        self._help.setVisible(bool(help))
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self._help)

    def set_label_width(self, width: int) -> None:
        """The words take what room there is."""

    def value(self) -> bool:
        return self.switch.isChecked()

    def set_value(self, value: bool) -> None:
        was = self.switch.blockSignals(True)
        self.switch.setChecked(value)
        self.switch.blockSignals(was)
        self.switch.update()

    def reset(self) -> None:
        self.switch.setChecked(self._default)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.caption.geometry().contains(event.position().toPoint()):
            self.switch.click()

    def _changed(self, on: bool) -> None:
        self.value_changed.emit(on)
        self.settled.emit(on)


class TextField(QLineEdit):
    """A field for words, of the theme's height."""

    def __init__(self, text: str = "", *, name: str = "", placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setFixedHeight(sizes().field_height)

    def set_error(self, wrong: bool) -> None:
        set_property(self, "state", "error" if wrong else "")


class TextRow(FormRow):
    """A line of words. ``check`` is given the text and returns what is wrong with it as a sentence, or ""."""

    value_changed = Signal(str)
    settled = Signal(str)

    def __init__(
        self,
        label: str,
        default: str = "",
        *,
        placeholder: str = "",
        check: Callable[[str], str] | None = None,
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(label, parent=parent)
        self._default = self._settled_value = default
        self._check = check
        self.field = TextField(default, name=label, placeholder=placeholder, parent=self)
        self.caption.setBuddy(self.field)
        self.caption.set_tooltip(tooltip)
        self.field.textEdited.connect(self._typed)
        self.field.editingFinished.connect(self._commit)
        self._line.addWidget(self.field, 1)

    def value(self) -> str:
        return self.field.text()

    def set_value(self, value: str) -> None:
        self.field.setText(value)
        self._settled_value = value
        self.set_error(self._check(value) if self._check else "")

    def reset(self) -> None:
        self.field.setText(self._default)
        self._typed(self._default)
        self._commit()

    def set_error(self, sentence: str) -> None:
        super().set_error(sentence)
        self.field.set_error(bool(sentence))

    def _typed(self, text: str) -> None:
        self.set_error(self._check(text) if self._check else "")
        if self.is_valid():
            self.value_changed.emit(text)

    def _commit(self) -> None:
        if self.is_valid() and self.value() != self._settled_value:
            self._settled_value = self.value()
            self.settled.emit(self._settled_value)
