"""An operation is a plain function; this reads its signature into a frozen description and checks values against it.

From the description come the form on screen, the command line's parameters, the recipe line and the refusals of bad input.
"""

from __future__ import annotations

import importlib
import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from viewer.core.errors import BadParameter, NegatoscopeError
from viewer.core.geometry import Triple
from viewer.core.images import Annotations, Image, Labels, Mask, Numbers, Overlay, Result, Verdicts
from viewer.core.words import _

ParameterType = Literal["bool", "int", "float", "choice", "text", "points", "mask", "labels", "image"]
Preview = Literal["exact", "approximate", "none"]
Output = Literal["Image", "Mask", "Labels", "Overlay", "Annotations", "Numbers", "Verdicts"]

Point = Triple
Points = tuple[Triple, ...]
"""Type of a parameter that takes clicked places: (x, y, z) each, LPS mm or the image's own frame."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Range:
    """Limits of a number, both allowed. ``unit``: "mm", "HU", ...; "value" stands for the unit of the image's values.

    ``step``: of one key press, and of rounding on screen; ``log``: the slider moves in equal ratios.
    """

    low: float | None = None
    high: float | None = None
    unit: str = ""
    step: float | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The permitted texts of a parameter, in the order to show them."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """One line about a parameter, its tooltip; ``label`` replaces the name on screen."""

    text: str
    label: str = ""


ModelTask = Literal["image", "segmentation"]


@dataclass(frozen=True, slots=True)
class ModelOf:
    """A text that is the name of an installed model of this task; "" takes the one whose card fits the image best."""

    task: ModelTask


@dataclass(frozen=True, slots=True)
class DeviceOf:
    """A text that names the device which runs a network, as ``models.devices`` lists them; "" takes that of the settings."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter of an operation. ``default`` None: chosen from the image ("auto") or, for masks and images, none."""

    name: str
    type: ParameterType
    default: Any
    label: str = ""
    help: str = ""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    step: float | None = None
    log: bool = False
    choices: tuple[str, ...] = ()
    is_optional: bool = False
    """Whether None is a value: "auto" for numbers, "not given" for masks and images."""
    model_task: ModelTask | Literal[""] = ""
    """Of a text that names a model: what the model must be for."""
    is_device: bool = False
    """Whether it is a text that names the device which runs a network."""


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """Everything the host needs to know of an operation without importing it."""

    name: str
    """``Menu/Operation``: permanent, used in recipes."""
    run: str
    """``package.module:function``."""
    title: str
    help: str
    """One or two lines for the form."""
    details: str
    """The whole docstring."""
    parameters: tuple[ParameterSpec, ...]
    outputs: tuple[Output, ...]
    preview: Preview
    keeps_unit: bool
    needs_volume: bool
    takes_color: bool
    takes_progress: bool
    plugin: str = ""
    lane: str = ""
    """Operations of one lane run one after the other in one worker that keeps what they have loaded; "" runs in any."""
    reads_original: bool = False
    """Whether it reads the opened values where a derived volume is shown in their place."""

    def parameter(self, name: str) -> ParameterSpec:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(p.name for p in self.parameters) or _("none")
        raise BadParameter(_('"{operation}" has no parameter "{name}". It has: {known}.').format(operation=self.name, name=name, known=known))


@dataclass(frozen=True, slots=True)
class _Marks:
    keeps_unit: bool
    preview: Preview
    needs_volume: bool
    takes_color: bool
    lane: str
    reads_original: bool


def operation(
    *, keeps_unit: bool = True, preview: Preview = "exact", needs_volume: bool = False, takes_color: bool = False, lane: str = "",
    reads_original: bool = False,
) -> Callable[[F], F]:  # fmt: skip
    """Marks a function as an operation.

    ``keeps_unit``: the values that come out mean what went in (HU stays HU). ``preview``: whether a plane computed alone equals
    the plane of the whole, is only near to it, or says nothing. ``needs_volume``: one plane is not enough.
    ``takes_color``: RGB images are handled; without it they are refused before the call. ``lane``: what is slow to load and worth
    keeping (a network) has a worker of its own under this name, where one call runs after the other. ``reads_original``: what was opened is
    read, also where a derived volume is shown in its place (for numbers and verdicts it always is).
    """

    def keep(function: F) -> F:
        function.__operation__ = _Marks(keeps_unit, preview, needs_volume, takes_color, lane, reads_original)  # type: ignore[attr-defined]
        return function

    return keep


def load(run: str) -> Callable[..., Any]:
    """Import ``package.module:function``."""
    module, _, name = run.partition(":")
    return typing.cast(Callable[..., Any], getattr(importlib.import_module(module), name))


def describe(name: str, run: str, plugin: str = "") -> OperationSpec:
    """Import an operation and read its signature; to be called in a worker."""
    function = load(run)
    marks = getattr(function, "__operation__", None)
    if not isinstance(marks, _Marks):
        raise TypeError(f"{run} is not marked with @operation")
    hints = typing.get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters = []
    for position, parameter in enumerate(signature.parameters.values()):
        hint = hints[parameter.name]
        if position == 0:
            if hint is not Image:
                raise TypeError(f"{run}: the first parameter must be the Image")
        elif parameter.name != "progress":
            parameters.append(_parameter(run, parameter, hint))
    doc = inspect.getdoc(function) or ""
    return OperationSpec(
        name=name, run=run, title=name.split("/", 1)[-1], help=doc.split("\n\n", 1)[0].replace("\n", " "), details=doc,
        parameters=tuple(parameters), outputs=_outputs(run, hints.get("return")), preview=marks.preview, keeps_unit=marks.keeps_unit,
        needs_volume=marks.needs_volume, takes_color=marks.takes_color, takes_progress="progress" in signature.parameters, plugin=plugin,
        lane=marks.lane, reads_original=marks.reads_original,
    )  # fmt: skip


def describe_all(items: Sequence[tuple[str, str, str]]) -> tuple[list[OperationSpec], list[tuple[str, str]]]:
    """Descriptions of (name, run, plugin) items; a broken one becomes (name, reason) in the second list."""
    specs: list[OperationSpec] = []
    broken: list[tuple[str, str]] = []
    for name, run, plugin in items:
        try:
            specs.append(describe(name, run, plugin))
        except KeyboardInterrupt:
            raise  # the user, not the plugin
        except BaseException as err:  # noqa: BLE001  a plugin's module may fail in any way, sys.exit() among them
            broken.append((name, f"{type(err).__name__}: {err}"))
    return specs, broken


def _parameter(run: str, parameter: inspect.Parameter, hint: Any) -> ParameterSpec:
    if parameter.default is inspect.Parameter.empty:
        raise TypeError(f"{run}: parameter {parameter.name} has no default; one click must do something useful")
    limits, choice, note, is_device = Range(), None, Help(""), False
    task: ModelTask | Literal[""] = ""
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extras = typing.get_args(hint)
        for extra in extras:
            if isinstance(extra, Range):
                limits = extra
            elif isinstance(extra, Choice):
                choice = extra
            elif isinstance(extra, Help):
                note = extra
            elif isinstance(extra, ModelOf):
                task = extra.task
            elif isinstance(extra, DeviceOf):
                is_device = True
    optional = False
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        members = [m for m in typing.get_args(hint) if m is not types.NoneType]
        optional, hint = len(members) < len(typing.get_args(hint)), members[0]
    if typing.get_origin(hint) is Literal:
        choice, hint = Choice(tuple(typing.get_args(hint))), str
    kinds: dict[Any, ParameterType] = {
        bool: "bool",
        int: "int",
        float: "float",
        str: "text",
        Mask: "mask",
        Labels: "labels",
        Image: "image",
        Points: "points",
    }
    if choice is not None:
        kind: ParameterType = "choice"
    elif hint in kinds:
        kind = kinds[hint]
    else:
        raise TypeError(f"{run}: parameter {parameter.name} has the type {hint}, which no form knows")
    return ParameterSpec(
        parameter.name, kind, parameter.default, note.label or parameter.name.replace("_", " ").capitalize(), note.text,
        limits.low, limits.high, limits.unit, limits.step, limits.log, choice.options if choice else (), optional, task,
        is_device,
    )  # fmt: skip


def _outputs(run: str, hint: Any) -> tuple[Output, ...]:
    names: dict[Any, Output] = {
        Image: "Image", Mask: "Mask", Labels: "Labels", Overlay: "Overlay", Annotations: "Annotations", Numbers: "Numbers", Verdicts: "Verdicts",
    }  # fmt: skip
    members = typing.get_args(hint) if typing.get_origin(hint) is tuple else (hint,)
    if not members or any(m not in names for m in members):
        raise TypeError(f"{run}: the return type {hint} is not one of {', '.join(names.values())}, or a tuple of them")
    return tuple(names[m] for m in members)


def check_parameters(spec: OperationSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of an operation with the given ones checked and converted; raises BadParameter with a sentence.

    Texts (from a command line) are read as the parameter's type: numbers, yes/no, ``x,y,z`` with ``;`` between points.
    """
    values: dict[str, Any] = {p.name: p.default for p in spec.parameters}
    for name, value in given.items():
        values[name] = check_value(spec.parameter(name), value, spec.name)
    return values


def check_value(parameter: ParameterSpec, value: Any, operation_name: str = "") -> Any:
    """One value, converted to the parameter's type and inside its limits."""
    where = _('"{name}" of "{operation}"').format(name=parameter.name, operation=operation_name) if operation_name else f'"{parameter.name}"'
    if value is None or (isinstance(value, str) and value.strip().lower() in ("auto", "none") and parameter.is_optional):
        if parameter.is_optional:
            return None
        raise BadParameter(_("{where} needs a value.").format(where=where))
    if parameter.type == "bool":
        return _boolean(value, where)
    if parameter.type in ("int", "float"):
        return _number(parameter, value, where)
    if parameter.type == "choice":
        for option in parameter.choices:
            if str(value).strip().lower() == option.lower():
                return option
        raise BadParameter(
            _('{where} is "{value}"; it must be one of: {names}.').format(where=where, value=value, names=", ".join(parameter.choices))
        )
    if parameter.type == "points":
        return _points(value, where)
    expected: dict[str, type] = {"text": str, "mask": Mask, "labels": Labels, "image": Image}
    if not isinstance(value, expected[parameter.type]):
        raise BadParameter(_("{where} takes {kind}, not {value}.").format(where=where, kind=_a(parameter.type), value=repr(value)))
    return value


def _boolean(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise BadParameter(_('{where} is "{value}"; it must be yes or no.').format(where=where, value=value))


def _number(parameter: ParameterSpec, value: Any, where: str) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise BadParameter(_('{where} is "{value}", which is not a number.').format(where=where, value=value)) from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise BadParameter(_('{where} is "{value}", which is not a finite number.').format(where=where, value=value))
    if parameter.type == "int" and number != int(number):
        raise BadParameter(_("{where} is {number:g}; it must be a whole number.").format(where=where, number=number))
    low, high = parameter.low, parameter.high
    if (low is not None and number < low) or (high is not None and number > high):
        limits = (
            _("between {low:g} and {high:g}").format(low=low, high=high)
            if low is not None and high is not None
            else _("at least {low:g}").format(low=low)
            if low is not None
            else _("at most {high:g}").format(high=high)
        )
        unit = f" {parameter.unit}" if parameter.unit not in ("", "value") else ""
        raise BadParameter(_("{where} is {number:g}{unit}; it must be {limits}{unit}.").format(where=where, number=number, unit=unit, limits=limits))
    return int(number) if parameter.type == "int" else number


def _points(value: Any, where: str) -> Points:
    if isinstance(value, str):
        value = [part.split(",") for part in value.split(";") if part.strip()]
    points = []
    for point in value if isinstance(value, Iterable) else (value,):
        try:
            x, y, z = (float(c) for c in point)
        except (TypeError, ValueError, OverflowError):
            raise BadParameter(_("{where}: a place has three numbers x,y,z; several places have ; between them.").format(where=where)) from None
        if not all(math.isfinite(c) for c in (x, y, z)):
            raise BadParameter(_("{where}: a place must have finite numbers.").format(where=where))
        points.append((x, y, z))
    return tuple(points)


def _a(kind: str) -> str:
    return {"text": _("a text"), "mask": _("a mask"), "labels": _("a label image"), "image": _("an image")}[kind]


def invoke(run: str, image: Image, parameters: dict[str, Any], progress: Callable[..., None]) -> tuple[Result, ...]:
    """Call an operation in a worker and check what it gives: the one place where operations run.

    Raises
    ------
    NegatoscopeError
        As the operation raised it. Everything else that it raises is its own fault and passes through unchanged.
    """
    function = load(run)
    if "progress" in inspect.signature(function).parameters:
        parameters = {**parameters, "progress": progress}
    given = function(image, **parameters)
    results = given if isinstance(given, tuple) else (given,)
    for result in results:
        if not isinstance(result, Image | Mask | Labels | Overlay | Annotations | Numbers | Verdicts):
            raise TypeError(f"{run} returned {type(result).__name__}")
        if isinstance(result, Image | Mask | Labels | Overlay) and result.values.shape[:3] != result.geometry.shape:
            raise NegatoscopeError(
                _("{run} returned values of shape {shape} on a grid of {grid}.").format(
                    run=run, shape=result.values.shape, grid=result.geometry.shape
                )
            )
    return results
