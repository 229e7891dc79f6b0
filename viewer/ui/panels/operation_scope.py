"""What the image in view offers to an operation: segments and layers, parts to work on, and reasons against it."""

from __future__ import annotations

from viewer.core.operation import ModelTask, OperationSpec
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.session.apply import LayerRef, SegmentRef
from viewer.session.models import by_fit, fits
from viewer.session.statistics import value_range
from viewer.session.view import ViewState
from viewer.ui.forms import FormContext, needs_range
from viewer.ui.panel_host import PanelHost


def form_context(panels: PanelHost, spec: OperationSpec) -> FormContext:
    """What the form of an operation needs to know of the image in view."""
    state, document = panels.state, panels.document
    volume = state.volume
    if volume is None:
        return FormContext()
    layers = [layer for layer in document.layers_of(state.root_id) if layer.segments and layer.geometry.same_grid(volume.geometry)]
    return FormContext(
        volume.unit,
        value_range(volume, state.phase) if needs_range(spec) and not volume.is_color else None,
        volume.geometry.unit,
        tuple((SegmentRef(layer.id, segment.label), segment.name) for layer in layers for segment in layer.segments),
        tuple((LayerRef(layer.id), layer.name) for layer in layers),
        panels.tooling.active,
        state.seeds,
        _models(panels, spec, volume),
        panels.host.devices.names if any(parameter.is_device for parameter in spec.parameters) else (),
    )


def _models(panels: PanelHost, spec: OperationSpec, volume: Volume) -> tuple[tuple[ModelTask, str, str], ...]:
    tasks = {parameter.model_task for parameter in spec.parameters} - {""}
    found = []
    for task in sorted(tasks):
        for card in by_fit(panels.host.models.cards, volume, task):
            title = _(card.title) if fits(card, volume) else _("{model} (not for such images)").format(model=_(card.title))
            found.append((task, card.name, title))
    return tuple(found)


def scope_choices(spec: OperationSpec, state: ViewState, *, has_segment: bool) -> tuple[list[tuple[object, str]], str]:
    """The parts of the image that an operation can work on, in words, and the usual one."""
    volume = state.volume
    if volume is None:
        return [("volume", _("Whole volume"))], "volume"
    choices: list[tuple[object, str]] = []
    is_image = spec.outputs == ("Image",)
    if volume.geometry.shape[0] > 1:
        if not spec.needs_volume:
            choices.append(("slice", _("This slice")))
        choices.append(("volume", _("Whole volume")))
    elif is_image and volume.phases > 1:
        choices += [("slice", _("This frame")), ("volume", _("All frames"))]
    else:
        choices.append(("volume", _("Whole image")))
    if is_image and has_segment:
        choices.append(("segment", _("Inside segment")))
    # Shapes are found plane by plane; a volume full of them helps nobody.
    one_by_one = "Annotations" in spec.outputs and choices[0][0] == "slice"
    return choices, "slice" if one_by_one else "volume"


def unfit(spec: OperationSpec, state: ViewState) -> str:
    """Why the image in view cannot be used by an operation at all, as a sentence; "" if it can."""
    volume = state.volume
    if volume is None:
        return ""
    if volume.is_color and not spec.takes_color:
        return _("{operation} works on grey images; this one is in colour.").format(operation=_(spec.title))
    if spec.needs_volume and volume.geometry.shape[0] < 2:
        return _("{operation} needs several planes; this is one.").format(operation=_(spec.title))
    return ""
