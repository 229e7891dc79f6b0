"""The one path that runs an operation on a document: the form, the command line, a recipe and a notebook all come here.

Three parts: :func:`prepare` checks and takes a snapshot on the document's thread; a job computes in a worker;
:func:`build_step` turns results into one finished step (on any thread), which the document's thread commits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from viewer.core.errors import JobFailed, Refused
from viewer.core.images import Image, Labels, Mask, Result
from viewer.core.labels import LabelLayer, next_number
from viewer.core.operation import OperationSpec, check_parameters, invoke
from viewer.core.overlay import ScalarMap
from viewer.core.report import Report
from viewer.core.volume import Volume
from viewer.core.words import _, gettext
from viewer.io.gate import total_ram
from viewer.jobs.pool import Job, Limits, Pool
from viewer.session.document import Document
from viewer.session.history import Step
from viewer.session.planes import plane_geometry, take_plane
from viewer.session.repeats import in_place
from viewer.session.settings import Settings
from viewer.session.statistics import value_range

LONGEST_SILENCE_S = 300.0
"""Longer without progress, and what runs in a lane has hung."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of the image an operation works on.

    ``slice``: plane ``index`` along ``axis``; ``segment``: the result counts inside the active segment only. ``phase`` is the one that is
    worked on; ``is_every_phase`` asks for all phases of a volume, each by itself, where the operation gives verdicts. Images are made of all
    phases in any case.
    """

    kind: Literal["volume", "slice", "segment"] = "volume"
    axis: int = 0
    index: int = 0
    phase: int = 0
    is_every_phase: bool = False

    def phases_of(self, volume: Volume, spec: OperationSpec) -> tuple[int, ...]:
        """Those that an operation is called for, in order."""
        is_every = spec.outputs == ("Image",) or (self.is_every_phase and spec.outputs == ("Verdicts",))
        return tuple(range(volume.phases)) if self.kind == "volume" and is_every else (self.phase,)


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """A segment as the value of a mask parameter."""

    layer_id: str
    label: int


@dataclass(frozen=True, slots=True)
class LayerRef:
    """A label layer as the value of a labels parameter."""

    layer_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """A checked call with a snapshot of all it reads; frozen, may go to any thread."""

    spec: OperationSpec
    parameters: Mapping[str, Any]
    """Checked values; masks and labels as the arrays the function gets."""
    references: Mapping[str, Any]
    """The values as they can be kept in a step: plain values, ids instead of voxels."""
    images: tuple[Image, ...] = field(repr=False)
    """One, or one per phase where all phases are worked on."""
    volume: Volume = field(repr=False)
    original: Volume = field(repr=False)
    scope: Scope
    target: SegmentRef | None
    """The segment that a mask goes to; None: a new one."""
    target_layer: LabelLayer | None
    labels: NDArray[Any] | None = field(repr=False)
    """Live labels of the target layer, good only while its revision is ``revision``."""
    inputs: tuple[str, ...]
    revision: int
    was_shown: str | None
    """What the document's "shown" entry said; None: the original."""
    number: int = 1
    """Of a new segment, for its name and its colour."""
    reports: tuple[Report, ...] = ()
    """Of the image, and its maps: for what a heat-map belongs to, and replaces."""
    maps: tuple[ScalarMap, ...] = field(default=(), repr=False)


def input_of(document: Document, spec: OperationSpec, root_id: str) -> str:
    """Id of the volume that an operation reads: what is shown, but for numbers and verdicts the original values."""
    return root_id if spec.reads_original or set(spec.outputs) <= {"Numbers", "Verdicts"} else document.current(root_id).id


def prepare(
    document: Document,
    spec: OperationSpec,
    parameters: Mapping[str, Any],
    *,
    volume_id: str,
    scope: Scope | None = None,
    target: SegmentRef | None = None,
    device: str = "",
) -> Call:
    """Check everything and take a snapshot. Raises Refused (BadParameter) with a sentence.

    ``device``: the one that runs networks where the parameters name none; "" takes that of the settings on the disk.
    """
    scope = scope or Scope()
    if not document.has_volume(volume_id):
        raise Refused(_("{operation}: the image is no longer open.").format(operation=_(spec.title)))
    volume = document.volume(volume_id)
    _check_scope(spec, volume, scope)
    references: dict[str, Any] = {}
    inputs = [volume_id]
    given: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, SegmentRef):
            layer = _layer(document, value.layer_id)
            inputs.append(f"{value.layer_id}#{value.label}")
            references[name] = inputs[-1]
            segment = layer.segment(value.label)
            mask = Mask(document.labels(value.layer_id) == value.label, layer.geometry, segment.name if segment else "")
            given[name] = _scoped(mask, scope)
        elif isinstance(value, LayerRef):
            layer = _layer(document, value.layer_id)
            inputs.append(value.layer_id)
            references[name] = value.layer_id
            given[name] = _scoped(Labels(document.labels(value.layer_id).copy(), layer.geometry), scope)
        elif isinstance(value, Mask | Labels):
            references[name] = None
            given[name] = _scoped(value, scope)
        else:
            given[name] = value
    checked = check_parameters(spec, given)
    # What was asked for is kept ("" says: that of the settings), so that a recipe runs on the devices of another machine, too.
    asked = {n: references.get(n, checked[n]) for n in checked}
    for parameter in spec.parameters:
        if parameter.is_device and not checked[parameter.name]:
            checked[parameter.name] = device or str(Settings().chosen("device"))
    layer_for_result = _target_layer(document, spec, parameters, target)
    if layer_for_result is not None and layer_for_result.geometry.shape != volume.geometry.shape:
        raise Refused(_("{layer} lies on another grid than the image. Choose a segment of this image.").format(layer=layer_for_result.name))
    return Call(
        spec=spec,
        parameters=checked,
        references=asked,
        images=tuple(image_of(volume, scope, phase) for phase in scope.phases_of(volume, spec)),
        volume=volume,
        original=document.original(volume_id),
        scope=scope,
        target=target,
        target_layer=layer_for_result,
        labels=document.labels(layer_for_result.id) if layer_for_result else None,
        inputs=tuple(inputs),
        revision=document.revision(layer_for_result.id) if layer_for_result else 0,
        was_shown=document.item("shown", volume.root_id),
        number=next_number(document.layers_of(volume.root_id), gettext("Segment {number}")),
        reports=document.reports_of(volume.root_id) if "Overlay" in spec.outputs else (),
        maps=document.overlays_of(volume.root_id) if "Overlay" in spec.outputs else (),
    )


def run_name(call: Call) -> str:
    """What is said to have failed: the operation, with the model that it ran where one was named."""
    model = next((str(value) for name, value in call.parameters.items() if name == "model" and value), "")
    return _('{operation} with "{model}"').format(operation=_(call.spec.title), model=model) if model else _(call.spec.title)


def start(call: Call, pool: Pool, *, limits: Limits | None = None) -> Job:
    """Run the operation in a worker; the job's result goes to :func:`build_step`."""
    arguments = {"run": call.spec.run, "images": list(call.images), "parameters": dict(call.parameters)}
    if limits is None and call.spec.lane:
        limits = lane_limits()
    return pool.submit("viewer.session.apply:compute", arguments, limits=limits, title=call.spec.title, lane=call.spec.lane)


def lane_limits() -> Limits:
    """What a call in a worker of its own may use: what it runs (a network from outside) may hang or take all memory."""
    return Limits(silence=LONGEST_SILENCE_S, memory=total_ram() // 2)


def compute(run: str, images: list[Image], parameters: dict[str, Any], progress: Callable[..., None]) -> list[tuple[Result, ...]]:
    """In the worker: one call for each image (several only where all phases are worked on)."""
    results = []
    for number, image in enumerate(images):

        def part(fraction: float, text: str = "", number: int = number) -> None:
            progress((number + fraction) / len(images), text)

        results.append(invoke(run, image, parameters, part))
    return results


def apply(
    document: Document,
    spec: OperationSpec,
    parameters: Mapping[str, Any],
    pool: Pool,
    *,
    volume_id: str,
    scope: Scope | None = None,
    target: SegmentRef | None = None,
) -> tuple[Step | None, tuple[Result, ...]]:
    """Prepare, compute, commit; waits for the end. For scripts, recipes and the command line.

    Returns
    -------
    step : Step or None
        None if nothing changed.
    results : tuple
        What the operation gave (of the first phase where it ran on several).
    """
    from viewer.session.outcome import build_step

    call = prepare(document, spec, parameters, volume_id=volume_id, scope=scope, target=target)
    try:
        results = start(call, pool).result()
    except JobFailed as err:
        raise JobFailed(
            _("{operation} of the plugin {plugin}: {reason}").format(operation=_(spec.title), plugin=spec.plugin, reason=err), err.details
        ) from err
    step = build_step(call, results)
    if step is not None:
        step = commit(document, call, step)
    return step, results[0]


def commit(document: Document, call: Call, step: Step) -> Step:
    """Commit a step built from a call, and return it as it was committed: with new reports in the place of older ones (`session.repeats`).

    Raises Refused where what it writes to has changed meanwhile.
    """
    layer = call.target_layer
    stale = layer is not None and (not document.has_layer(layer.id) or document.revision(layer.id) != call.revision)
    if stale or document.item("shown", call.volume.root_id) != call.was_shown or not document.has_volume(call.original.id):
        raise Refused(
            _("{operation}: the image or the segment has changed meanwhile, so the result was not written. Run it again.").format(
                operation=_(call.spec.title)
            )
        )
    step = in_place(document, step)
    document.commit(step)
    return step


def image_of(volume: Volume, scope: Scope, phase: int | None = None) -> Image:
    """What an operation gets to see of a volume."""
    phase = scope.phase if phase is None else phase
    values, geometry = volume.phase(phase), volume.geometry
    windows = volume.plane_windows[phase] if phase < len(volume.plane_windows) else ()
    crosses = scope.kind == "slice" and scope.axis != 0 and len(set(windows)) > 1
    if scope.kind == "slice":
        windows = windows[scope.index : scope.index + 1] if scope.axis == 0 else ()
        values, geometry = take_plane(values, scope.axis, scope.index), plane_geometry(geometry, scope.axis, scope.index)
    who = volume.identity
    return Image(
        values, geometry, volume.unit, value_range(volume, phase), volume.padding, volume.is_inverted,
        volume.windows[0] if volume.windows else None, who.modality, who.body_part, who.view_position, who.age,
        volume.scales, volume.scale_problem, windows,
        volume.voi_luts[0] if volume.voi_luts else None, volume.phases,
        crosses_windows=crosses,
    )  # fmt: skip


def _check_scope(spec: OperationSpec, volume: Volume, scope: Scope) -> None:
    if scope.axis not in (0, 1, 2):
        raise Refused(_("There is no axis {axis}: 0 goes along the planes, 1 along the rows, 2 along the columns.").format(axis=scope.axis))
    if not 0 <= scope.phase < volume.phases:
        raise Refused(_("There is no phase {phase}; the image has {count}, counted from 0.").format(phase=scope.phase, count=volume.phases))
    if scope.kind == "slice" and not 0 <= scope.index < volume.geometry.shape[scope.axis]:
        raise Refused(
            _("There is no plane {index}; there are {count}, counted from 0.").format(index=scope.index, count=volume.geometry.shape[scope.axis])
        )
    if volume.is_color and not spec.takes_color:
        raise Refused(_("{operation} works on grey images; this one is in colour.").format(operation=_(spec.title)))
    planes = 1 if scope.kind == "slice" else volume.geometry.shape[0]
    if spec.needs_volume and planes < 2:
        raise Refused(_("{operation} needs several planes; this is one.").format(operation=_(spec.title)))


def _scoped(item: Mask | Labels, scope: Scope) -> Mask | Labels:
    # A mask that is one plane already (as from a file) lies on the plane's grid or will be refused by the operation.
    if scope.kind != "slice" or item.geometry.shape[scope.axis] == 1:
        return item
    values = take_plane(item.values, scope.axis, scope.index)
    geometry = plane_geometry(item.geometry, scope.axis, scope.index)
    return Mask(values, geometry, item.name) if isinstance(item, Mask) else Labels(values, geometry, item.names)


def _target_layer(document: Document, spec: OperationSpec, parameters: Mapping[str, Any], target: SegmentRef | None) -> LabelLayer | None:
    if "Labels" in spec.outputs:
        given = next((v for v in parameters.values() if isinstance(v, LayerRef)), None)
        return _layer(document, given.layer_id) if given else None
    if target is not None and ("Mask" in spec.outputs or "Image" in spec.outputs):
        layer = _layer(document, target.layer_id)
        segment = layer.segment(target.label)
        if segment is None:
            raise Refused(_("{layer} has no segment {label} any more. Choose another segment.").format(layer=layer.name, label=target.label))
        if segment.is_locked and "Mask" in spec.outputs:
            raise Refused(_("{segment} is locked. Unlock it, or choose another segment.").format(segment=segment.name))
        return layer
    return None


def _layer(document: Document, layer_id: str) -> LabelLayer:
    if not document.has_layer(layer_id):
        raise Refused(_("The segment is no longer there. Choose another one."))
    return document.layer(layer_id)
