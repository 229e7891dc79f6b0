"""A row of a form for one number: label, slider, field with the unit inside, reset."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from viewer.core.words import _
from viewer.ui.controls.number_field import NumberField, Scale, Slider, decimals_of
from viewer.ui.controls.rows import FormRow

_REST_MS = 300


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
        """Show a value, held within the limits, without any signal. A field that is being typed in and says it already stays as it is."""
        held = self._scale.held(value)
        if held == self._value and self.field.is_being_typed and self.is_valid():
            return
        self._rest.stop()
        self._value = self._settled_value = held
        self._show()

    def default(self) -> float:
        return self._default

    def set_default(self, value: float) -> None:
        """What Reset goes back to, where that depends on the image."""
        self._default = self._scale.rounded(value)
        self._reset.setEnabled(self._value != self._default)

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
