"""A form for an operation: one row for each parameter of its description. No arithmetic on voxels, no running; it only asks and checks."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.core.geometry import Triple
from viewer.core.operation import ModelTask, OperationSpec, ParameterSpec
from viewer.core.words import _
from viewer.session.apply import LayerRef, SegmentRef
from viewer.ui.controls import ChoiceRow, FormRow, Hint, NumberRow, SwitchRow, TextRow
from viewer.ui.controls.number_field import Scale, decimals_of
from viewer.ui.form_rows import AutoNumberRow, PointsRow
from viewer.ui.theme import set_available, sizes

_WIDEST_LABEL, _LEAST_LABEL = 132, 60
# A list of words such as "Whole volume", its arrow and the reset beside it.
_CONTROLS = 160
_LEAST_WIDTH = 224
# A limit this far away is a guard, not the end of a useful slider.
_FAR = 1000.0


@dataclass(frozen=True, slots=True)
class FormContext:
    """What the image in view gives a form."""

    value_unit: str = ""
    value_range: tuple[float, float] | None = None
    """Smallest and largest value; None where no parameter asks for it."""
    length_unit: str = "mm"
    segments: tuple[tuple[SegmentRef, str], ...] = ()
    """Segments on the grid of the image, and their names."""
    layers: tuple[tuple[LayerRef, str], ...] = ()
    active: SegmentRef | None = None
    seeds: tuple[Triple, ...] = ()
    models: tuple[tuple[ModelTask, str, str], ...] = ()
    """Task, name and title of the models at hand, those that fit the image best first."""
    devices: tuple[str, ...] = ()
    """Devices that run models here."""

    @property
    def scale(self) -> tuple[object, ...]:
        """What numbers look like; when it changes the rows are made anew."""
        return self.value_unit, self.value_range, self.length_unit


def needs_range(spec: OperationSpec) -> bool:
    """Whether a form needs the range of the image's values, which costs a pass over them."""
    return any(p.unit == "value" and (p.low is None or p.high is None) for p in spec.parameters)


def no_model(task: str) -> str:
    """Why a model of a task cannot be chosen, in a sentence."""
    words = {"image": _("No model for pictures is installed."), "segmentation": _("No model for segmentation is installed.")}
    return words.get(task, _("No model is installed."))


class OperationForm(QWidget):
    """Rows from an :class:`~viewer.core.operation.OperationSpec`.

    Signals
    -------
    changed()
        A value changed, while dragging too.
    validity_changed()
    points_wanted(tuple)
        The user typed a place, or cleared all.
    label_width_changed(int)
        The form became narrower or wider: the labels beside its rows are to be as wide.
    """

    changed = Signal()
    validity_changed = Signal()
    points_wanted = Signal(object)
    label_width_changed = Signal(int)

    def __init__(self, spec: OperationSpec, context: FormContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec, self.context = spec, context
        self.rows: dict[str, FormRow] = {}
        self._hints: dict[str, Hint] = {}
        """What to do where there is no model, by parameter."""
        self._chosen: set[str] = set()
        self._label_width = self._room = 0
        # Narrower than its labels ask for: those end in dots then, and the page does not grow over its edge.
        self.setMinimumWidth(_LEAST_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(sizes().row_gap)
        for parameter in spec.parameters:
            row = self._row(parameter)
            if row is None:
                continue
            self.rows[parameter.name] = row
            row.validity_changed.connect(self._tell_validity)
            row.setProperty("parameter", parameter.name)
            column.addWidget(row)
            if parameter.model_task:
                hint = self._hints[parameter.name] = Hint(_("Drop an .onnx file on the window, or add one in the model list."), parent=self)
                column.addWidget(hint)
        self.follow(context)

    # --- values ---

    def values(self) -> dict[str, Any]:
        """What the form asks for, by parameter; what has no row keeps its default."""
        found: dict[str, Any] = {}
        for name, row in self.rows.items():
            value = row.value()  # type: ignore[attr-defined]
            if self.spec.parameter(name).type == "int" and value is not None:
                value = round(value)
            found[name] = value
        return found

    def kept_values(self) -> dict[str, Any]:
        """The values worth remembering: a segment or layer only if the user chose it, else the form follows the active one."""
        follows = {p.name for p in self.spec.parameters if p.type in ("mask", "labels")} - self._chosen
        return {name: value for name, value in self.values().items() if name not in follows}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values as they were before; those that fit no more are left out. No signal."""
        for name, value in values.items():
            row = self.rows.get(name)
            if row is None or isinstance(row, PointsRow):
                continue
            with QSignalBlocker(self):
                if isinstance(row, ChoiceRow):
                    with contextlib.suppress(ValueError):
                        row.set_value(value)
                        self._chosen.add(name)
                else:
                    row.set_value(value)  # type: ignore[attr-defined]

    def set_label_width(self, width: int) -> None:
        self._label_width = width
        for row in self.rows.values():
            row.set_label_width(width)

    def set_place_check(self, check: Callable[[Triple], str]) -> None:
        """What says of a typed place, in a sentence, why it cannot be taken ("" if it can)."""
        for row in self.rows.values():
            if isinstance(row, PointsRow):
                row.check = check

    def label_width(self) -> int:
        """Width that the longest label asks for, within limits and within the room that the rows' controls leave."""
        rows = [row for row in self.rows.values() if not isinstance(row, SwitchRow)]
        widest = max((row.caption.fontMetrics().horizontalAdvance(row.label) for row in rows), default=0) + 2
        wanted = max(sizes().label_column, min(_WIDEST_LABEL, widest))
        controls = max((_CONTROLS, *(row.minimumSizeHint().width() - row.caption.width() for row in rows)))
        return max(_LEAST_LABEL, min(wanted, self._room - controls)) if self._room else wanted

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._room = event.size().width()
        width = self.label_width()
        if width != self._label_width:
            self.label_width_changed.emit(width)

    # --- what is wrong ---

    def problem(self) -> str:
        """Why the values cannot be used, as a sentence; "" if they can."""
        for row in self.rows.values():
            if not row.is_valid() and not isinstance(row, PointsRow):
                return row.error()
        for parameter in self.spec.parameters:
            row = self.rows.get(parameter.name)
            if isinstance(row, PointsRow) and not row.value():
                return _("Click inside the structure first, or type a place.")
        for parameter in self.spec.parameters:
            if parameter.model_task and parameter.name in self.rows and not self.rows[parameter.name].value():  # type: ignore[attr-defined]
                return no_model(parameter.model_task)
        wanted = [p for p in self.spec.parameters if p.type in ("mask", "labels")]
        if wanted and not self.context.segments:
            return _("{operation} works on a segment. Draw or grow one first.").format(operation=_(self.spec.title))
        if wanted and all(self.rows[p.name].value() is None for p in wanted):  # type: ignore[attr-defined]
            return _("Choose a segment first.")
        return ""

    def show_error(self, message: str) -> bool:
        """Put a refusal under the row of the parameter that it names; False if it names none."""
        for name, row in self.rows.items():
            if f'"{name}"' in message or message.startswith(f"{name} "):
                row.set_error(message)
                return True
        return False

    def clear_errors(self) -> None:
        """Take away what :meth:`show_error` put there; rows with a wrong text keep their sentence until it is mended."""
        for row in self.rows.values():
            if isinstance(row, ChoiceRow | SwitchRow):
                row.set_error("")
            elif row.error() and not isinstance(row, PointsRow):
                field = getattr(row, "field", None)
                if field is None or field.text() == getattr(field, "_clean", field.text()):
                    row.set_error("")

    # --- following the image ---

    def follow(self, context: FormContext) -> None:
        """Other segments, layers, seeds of the same image. No signal."""
        self.context = context
        several = sum(p.type in ("mask", "labels") for p in self.spec.parameters) > 1
        for parameter in self.spec.parameters:
            row = self.rows.get(parameter.name)
            if isinstance(row, PointsRow):
                row.set_points(context.seeds)
            elif isinstance(row, ChoiceRow) and parameter.type in ("mask", "labels"):
                self._fill(row, parameter, several)
            elif isinstance(row, ChoiceRow) and parameter.model_task:
                self._fill_models(row, parameter)
            elif isinstance(row, ChoiceRow) and parameter.is_device:
                row.set_choices([("", _("As in the settings")), *((name, name) for name in context.devices)])

    def _fill(self, row: ChoiceRow, parameter: ParameterSpec, several: bool) -> None:
        context = self.context
        choices: list[tuple[object, str]] = list(context.segments if parameter.type == "mask" else context.layers)
        if not choices:
            row.set_choices([(None, _("No segments"))])
            self._chosen.discard(parameter.name)
            set_available(row.combo, _("Draw or grow a segment first."))
            return
        set_available(row.combo)
        usual: object = None
        if parameter.type == "mask":
            usual = context.active if any(ref == context.active for ref, _name in context.segments) else choices[0][0]
        elif not several:
            usual = next((ref for ref, _name in context.layers if context.active and ref.layer_id == context.active.layer_id), choices[0][0])
        if several:
            choices.insert(0, (None, _("None")))
        kept = row.value() if parameter.name in self._chosen else usual
        row.set_choices(choices, usual)
        values = [value for value, _words in choices]
        row.set_value(kept if kept in values else usual)

    def _fill_models(self, row: ChoiceRow, parameter: ParameterSpec) -> None:
        choices = [(name, title) for task, name, title in self.context.models if task == parameter.model_task]
        row.set_choices(choices or [("", _("No models"))])
        set_available(row.combo, "" if choices else no_model(parameter.model_task))
        self._hints[parameter.name].setVisible(not choices)

    # --- rows ---

    def _row(self, parameter: ParameterSpec) -> FormRow | None:
        label, tip = _(parameter.label), _(parameter.help) if parameter.help else ""
        row: FormRow
        if parameter.type in ("int", "float"):
            row = self._number(parameter, label, tip)
        elif parameter.type == "choice":
            row = ChoiceRow(label, [(c, _(c)) for c in parameter.choices], parameter.default, tooltip=tip, parent=self)
        elif parameter.type == "bool":
            row = SwitchRow(label, bool(parameter.default), tooltip=tip, parent=self)
        elif parameter.model_task:
            row = ChoiceRow(label, [("", _("No models"))], tooltip=tip, parent=self)
        elif parameter.is_device:
            row = ChoiceRow(label, [("", _("As in the settings"))], "", tooltip=tip, parent=self)
        elif parameter.type == "text":
            row = TextRow(label, str(parameter.default or ""), tooltip=tip, parent=self)
        elif parameter.type == "points":
            row = PointsRow(label, unit=self.context.length_unit, tooltip=tip, parent=self)
            row.points_wanted.connect(self.points_wanted)
            return row
        elif parameter.type in ("mask", "labels"):
            row = ChoiceRow(label, [(None, _("No segments"))], None, tooltip=tip, parent=self)
        else:
            return None  # a second image: the form has none to offer
        row.value_changed.connect(self._tell_change)  # type: ignore[attr-defined]
        return row

    def _number(self, parameter: ParameterSpec, label: str, tip: str) -> FormRow:
        unit = self._unit(parameter)
        low, high = self._reach(parameter)
        step, decimals = _steps(parameter, low, high)
        is_scale = low is not None and high is not None and high > low and (parameter.unit == "value" or parameter.log or high - low < _FAR)
        if parameter.is_optional or parameter.default is None:
            limits = Scale(parameter.low, parameter.high, step, decimals, False, unit)
            log = parameter.log and low is not None and low > 0
            return AutoNumberRow(label, limits, Scale(low, high, step, decimals, log, unit) if is_scale else None, tooltip=tip, parent=self)
        log = parameter.log and low is not None and low > 0 and high is not None
        return NumberRow(
            label, low, high, float(parameter.default), unit=unit, step=step, log=log, decimals=decimals, slider=is_scale, tooltip=tip, parent=self
        )  # fmt: skip

    def _unit(self, parameter: ParameterSpec) -> str:
        if parameter.unit == "value":
            return self.context.value_unit
        # Where no spacing is known, sizes are in pixels.
        return self.context.length_unit if parameter.unit == "mm" else _(parameter.unit) if parameter.unit else ""

    def _reach(self, parameter: ParameterSpec) -> tuple[float | None, float | None]:
        low, high = parameter.low, parameter.high
        known = self.context.value_range if parameter.unit == "value" else None
        if known is not None and known[1] > known[0]:
            low, high = known[0] if low is None else low, known[1] if high is None else high
        return low, high

    # --- telling ---

    def _tell_change(self, _value: object = None) -> None:
        row = self.sender()
        if isinstance(row, ChoiceRow):
            self._chosen.add(str(row.property("parameter")))
        self.clear_errors()
        self.changed.emit()

    def _tell_validity(self, _is_valid: bool) -> None:
        self.validity_changed.emit()


def _steps(parameter: ParameterSpec, low: float | None, high: float | None) -> tuple[float, int]:
    """Step and decimals of a number: those stated, else such that the range has some hundred of them."""
    if parameter.type == "int":
        return parameter.step or 1.0, 0
    span = high - low if low is not None and high is not None else 0.0
    if parameter.step is not None:
        step = parameter.step
    elif span > 0:
        step = min(1.0, 10.0 ** math.floor(math.log10(span / 100)))
    else:
        step = 1.0 if parameter.unit == "value" else 0.1
    decimals = decimals_of(step)
    if parameter.unit != "value":
        # A limit or a default that is finer than the step must still be shown as it is.
        stated = [n for n in (parameter.low, parameter.high, parameter.default) if isinstance(n, float)]
        decimals = max([decimals, 1 if parameter.step is None else 0, *(min(4, decimals_of(n)) for n in stated if n)])
    return step, decimals
