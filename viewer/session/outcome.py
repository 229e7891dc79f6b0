"""From an operation's results to one finished step: what comes out decides where it goes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.annotation import Annotation
from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.images import Annotations, Draft, Image, Labels, Mask, Numbers, Overlay, Result, Verdict, Verdicts
from viewer.core.labels import LabelLayer, Segment, segment_color
from viewer.core.measure import measure_annotation
from viewer.core.overlay import ScalarMap
from viewer.core.report import Report, Score, Table
from viewer.core.volume import Volume, smallest_exact
from viewer.core.words import _, gettext
from viewer.session.apply import Call
from viewer.session.heat import METHOD_NAMES
from viewer.session.history import Change, ItemChange, Origin, Phrase, Step, as_slices, filled_layer, labels_change, labels_type
from viewer.session.packing import Box
from viewer.session.planes import put_plane, take_plane


def build_step(call: Call, results: list[tuple[Result, ...]]) -> Step | None:
    """One step with all that a call brought; None if nothing changes. Pure but for memory: may run on any thread."""
    changes: list[Change] = []
    named = ""
    for position, result in enumerate(results[0]):
        if isinstance(result, Image):
            changes += _derived(call, [r[position] for r in results])
        elif isinstance(result, Mask):
            added, named = _segment(call, result)
            changes += added
        elif isinstance(result, Labels):
            changes += _layer(call, result)
        elif isinstance(result, Overlay):
            changes += _overlays(call, result)
        elif isinstance(result, Annotations):
            changes += [_annotation(call, draft) for draft in result.drafts]
        elif isinstance(result, Numbers):
            changes.append(_table(call, result))
        elif isinstance(result, Verdicts):
            changes += _reports(call, [r[position] for r in results])
    if not changes:
        return None
    warnings, facts = told_of(results)
    origin = Origin("operation", call.spec.name, {**call.references, "scope": _scope_text(call)}, call.inputs, warnings, facts)
    return Step(new_id("step"), _heat_title(call, results[0]) or step_title(call, named), time.time(), origin, tuple(changes))


def told_of(results: Sequence[Sequence[Result]]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """What results of one call say of how they came about, each sentence and each fact once. Reports keep theirs themselves."""
    carriers = [result for several in results for result in several if isinstance(result, Image | Labels | Overlay)]
    warnings = dict.fromkeys(words for result in carriers for words in result.warnings)
    return tuple(warnings), tuple(dict.fromkeys(fact for result in carriers for fact in result.facts))


def _heat_title(call: Call, results: Sequence[Result]) -> Phrase | None:
    """``Heat map (RISE)``: by the method that was used, whatever was asked for."""
    method = next((result.method for result in results if isinstance(result, Overlay) and result.method in METHOD_NAMES), "")
    return Phrase("{operation} ({method})", {"operation": call.spec.title, "method": METHOD_NAMES[method]}) if method else None


def step_title(call: Call, segment: str = "") -> Phrase:
    """``Gamma 0.6``; ``Region growing → Segment 1``."""
    operation = call.spec.title
    if segment:
        return Phrase("{operation} → {segment}", {"operation": operation, "segment": segment})
    told = [p for p in call.spec.parameters if p.type in ("int", "float", "choice") or p.model_task]
    first = next((p for p in told if call.parameters[p.name] not in (None, "")), None)
    if first is None:
        return Phrase("{operation}", {"operation": operation})
    value = call.parameters[first.name]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    unit = f" {first.unit}" if first.unit not in ("", "value") else ""
    return Phrase("{operation} {value}", {"operation": operation, "value": f"{text}{unit}"})


def _scope_text(call: Call) -> str:
    scope = call.scope
    if scope.kind == "slice":
        return f"slice {scope.index} along axis {scope.axis}, phase {scope.phase}"
    return scope.kind if len(call.images) == call.volume.phases else f"{scope.kind}, phase {scope.phase}"


def _derived(call: Call, images: list[Any]) -> list[Change]:
    """A derived volume takes its parent's place in the view."""
    volume = call.volume
    unit = volume.unit if call.spec.keeps_unit and images[0].unit == volume.unit else images[0].unit if images[0].unit != volume.unit else ""
    whole = call.scope.kind == "volume" and len(images) == volume.phases
    if not whole and unit and unit != volume.unit:
        raise Refused(
            _("{operation} gives values in {unit}, which must not stand beside values in another unit. Run it on the whole volume.").format(
                operation=_(call.spec.title), unit=unit
            )
        )
    grid = images[0].geometry
    if whole and len(images) == 1 and grid.same_grid(volume.geometry):
        data = _compact(images[0].values)[np.newaxis]
    elif whole and grid.shape != volume.geometry.shape and _covers(grid, volume.geometry):
        data = _regridded(call, images)
    else:
        data = _merged(call, images)
    if data.dtype == volume.data.dtype and data.shape == volume.data.shape and np.array_equal(data, volume.data):
        return []
    badges = tuple(dict.fromkeys((*volume.badges, "PROCESSED")))
    # An operation that says where the padding is now is believed.
    # So is one that says that the file's window is none for its values.
    is_same = (images[0].window, images[0].lut) == (call.images[0].window, call.images[0].lut)
    keeps_window = call.spec.keeps_unit and images[0].unit == volume.unit and is_same
    padding = volume.padding if call.spec.keeps_unit else images[0].padding if images[0].padding != volume.padding else None
    derived = volume.derived(
        new_id("volume"), data, unit=unit, badges=badges, padding=padding,
        windows=volume.windows if keeps_window else (), voi_luts=volume.voi_luts if keeps_window else (),
        plane_windows=volume.plane_windows if keeps_window else (),
        is_color=images[0].values.ndim == 4, **(_places(volume, grid) if data.shape[1:4] != volume.geometry.shape else {}),
    )  # fmt: skip
    return [ItemChange("volume", derived.id, None, derived), ItemChange("shown", volume.root_id, call.was_shown, derived.id)]


def _regridded(call: Call, images: list[Any]) -> NDArray[Any]:
    """Results on a grid of their own, the same for all phases."""
    if any(not image.geometry.same_grid(images[0].geometry) for image in images):
        raise Refused(_("{operation} gave phases of different sizes, which are no one image.").format(operation=_(call.spec.title)))
    parts = [_compact(image.values) for image in images]
    if len(parts) == 1:
        return parts[0][np.newaxis]
    data = memory.allocate((len(parts), *parts[0].shape), np.result_type(*parts))
    for number, part in enumerate(parts):
        data[number] = part
    return data


def _covers(grid: Geometry, planes: Geometry) -> bool:
    """Whether a grid has the same planes, edge to edge, whatever their pixels."""
    if grid.shape[0] != planes.shape[0] or grid.is_patient != planes.is_patient:
        return False
    corners = [(plane, y, x) for plane in (0, grid.shape[0] - 1) for y in (0, 1) for x in (0, 1)]
    ours, theirs = (of.to_patient([(plane, y * of.shape[1] - 0.5, x * of.shape[2] - 0.5) for plane, y, x in corners]) for of in (grid, planes))
    return bool(np.abs(ours - theirs).max() <= 1e-3 * min(planes.spacing))


def _places(volume: Volume, grid: Geometry) -> dict[str, Any]:
    """What a volume says in rows and columns, said in those of another grid over the same planes."""
    down, across = (new / old for new, old in zip(grid.shape[1:], volume.geometry.shape[1:], strict=True))
    regions = tuple(
        (round(top * down), round(left * across), round((bottom + 1) * down) - 1, round((right + 1) * across) - 1)
        for top, left, bottom, right in volume.regions
    )
    return {"geometry": grid, "pixel_aspect": volume.pixel_aspect * across / down, "regions": regions}


def _merged(call: Call, images: list[Any]) -> NDArray[Any]:
    """The volume with the results put in their place: a plane, some phases, or the voxels of a segment."""
    volume, scope = call.volume, call.scope
    parts = [image.values for image in images]
    expected = take_plane(volume.phase(0), scope.axis, scope.index).shape if scope.kind == "slice" else volume.phase(0).shape
    if any(part.shape != expected for part in parts):
        raise Refused(_("{operation} gave an image of another size; run it on the whole volume.").format(operation=_(call.spec.title)))
    parts = [_compact(part) for part in parts]
    kind = np.result_type(volume.data.dtype, *(part.dtype for part in parts))
    # Beyond 16 bits float32 holds all that volumes hold exactly.
    data = memory.allocate(volume.data.shape, np.float32 if kind.itemsize > 2 else kind)
    data[...] = volume.data
    for number, part in enumerate(parts):
        phase = number if len(parts) > 1 else scope.phase
        if scope.kind == "slice":
            put_plane(data[phase], scope.axis, scope.index, part)
        elif scope.kind == "segment":
            if call.labels is None or call.target is None:
                raise Refused(_("Choose the segment to work inside first."))
            inside = call.labels == call.target.label
            data[phase][inside] = part[inside]
        else:
            data[phase] = part
    return data


def _compact(values: NDArray[Any]) -> NDArray[Any]:
    """In a number type that volumes may have."""
    if values.dtype.kind == "f":
        return values.astype(np.float32, copy=False)
    return smallest_exact(values) if values.dtype.kind == "b" or values.dtype.itemsize > 2 else values


def _placed(call: Call, values: NDArray[Any]) -> tuple[Box, NDArray[Any]]:
    """The box of the whole grid that a result covers, and the result with axes in the grid's order."""
    shape, scope = call.volume.geometry.shape, call.scope
    edges = [(0, n) for n in shape]
    if scope.kind == "slice":
        edges[scope.axis] = (scope.index, scope.index + 1)
        values = np.moveaxis(values, 0, scope.axis)
    if values.shape != tuple(b - a for a, b in edges):
        raise Refused(_("{operation} gave a mask of another size than the image.").format(operation=_(call.spec.title)))
    return (edges[0], edges[1], edges[2]), values


def _segment(call: Call, mask: Mask) -> tuple[list[Change], str]:
    """A mask goes to the chosen segment (added to it, or in its place if it was made from it), else to a new layer with one segment."""
    box, values = _placed(call, mask.values)
    if call.target is None or call.target_layer is None or call.labels is None:
        if not values.any():
            raise Refused(_("{operation} found nothing with these parameters; nothing was added.").format(operation=_(call.spec.title)))
        segment = Segment(1, gettext("Segment {number}").format(number=call.number), segment_color(call.number))
        layer = LabelLayer(new_id("layer"), call.spec.title, call.volume.geometry, call.original.id, (segment,))
        change = filled_layer(layer, box, values.astype(np.uint8))
        return [ItemChange("layer", layer.id, None, layer), *([change] if change else [])], segment.name
    layer, label = call.target_layer, call.target.label
    part = call.labels[as_slices(box)]
    replaces = f"{call.target.layer_id}#{label}" in call.inputs
    after = part.copy()
    if replaces:
        after[after == label] = 0
    writable = values.copy()
    for segment in layer.segments:
        if segment.is_locked and segment.label != label:
            writable &= part != segment.label
    after[writable] = label
    change = labels_change(layer.id, call.labels, box, after)
    found = layer.segment(label)
    return [change] if change else [], found.name if found else str(label)


def _layer(call: Call, labels: Labels) -> list[Change]:
    """Labels go back to the layer that they were grown from, else to a new layer with a segment each."""
    box, values = _placed(call, labels.values)
    # Plane by plane: numpy counts without letting go of the interpreter, and the window must not wait for it.
    used = sorted({int(n) for plane in values for n in np.flatnonzero(np.bincount(plane.ravel()))} - {0})
    if not used:
        raise Refused(_("{operation} found nothing with these parameters; nothing was added.").format(operation=_(call.spec.title)))
    if call.target_layer is not None and call.labels is not None:
        layer = call.target_layer
        part = call.labels[as_slices(box)]
        writable = values > 0
        for segment in layer.segments:
            if segment.is_locked:
                writable &= (part != segment.label) & (values != segment.label)
        unnamed = [n for n in used if layer.segment(n) is None and np.any(values[writable] == n)]
        named = _named(call, labels, layer, unnamed)
        kind = np.result_type(call.labels.dtype, labels_type(named))
        change = labels_change(layer.id, call.labels, box, np.where(writable, values, part).astype(kind))
        return [*([ItemChange("layer", layer.id, layer, named)] if unnamed else []), *([change] if change else [])]
    # What a network found bears the network's name.
    model = next((str(call.parameters[p.name]) for p in call.spec.parameters if p.model_task), "")
    layer = _named(call, labels, LabelLayer(new_id("layer"), model or call.spec.title, call.volume.geometry, call.original.id), used)
    change = filled_layer(layer, box, values)
    return [ItemChange("layer", layer.id, None, layer), *([change] if change else [])]


def _named(call: Call, labels: Labels, layer: LabelLayer, added: list[int]) -> LabelLayer:
    """The layer with a segment for each of these labels."""
    for n in added:
        name = labels.names[n - 1] if n <= len(labels.names) else f"{call.spec.title} {n}"
        color = segment_color(n if call.target_layer is not None else call.number + n - 1)
        layer = layer.with_segment(Segment(n, name, color))
    return layer


def _overlays(call: Call, overlay: Overlay) -> list[Change]:
    """A map; a heat-map goes to the newest report of its model on the plane, in the place of the one of that class and method.

    Of a heat-map of several planes, each with a report, every report gets its own.
    """
    if not overlay.model or (call.scope.kind == "slice" and call.scope.axis != 0):
        return [_overlay(call, overlay)]
    own = [r for r in call.reports if r.model == overlay.model and r.phase == call.scope.phase]
    planes = overlay.geometry.shape[0]
    is_each = planes > 1 and planes == call.original.geometry.shape[0] and not any(r.is_of_whole for r in own)
    changes: list[Change] = []
    for part in [_plane_of(overlay, number) for number in range(planes)] if is_each else [overlay]:
        middle = part.geometry.to_patient(((part.geometry.shape[0] - 1) / 2, 0, 0))
        plane = round(float(call.original.geometry.to_index(middle)[0]))
        report = next((r for r in reversed(own) if r.is_about(plane)), None)
        if is_each and report is None:
            continue
        report_id = report.id if report is not None else ""
        changes += [
            ItemChange("overlay", old.id, old, None)
            for old in call.maps
            if (old.report_id, old.score, old.method) == (report_id, part.score, part.method)
            and (report_id or (old.model == part.model and old.geometry.same_grid(part.geometry)))
        ]
        changes.append(_overlay(call, part, report_id))
    return changes or [_overlay(call, overlay)]


def _plane_of(overlay: Overlay, place: int) -> Overlay:
    _planes, rows, columns = overlay.geometry.shape
    return replace(overlay, values=overlay.values[place : place + 1].copy(), geometry=overlay.geometry.cropped((place, 0, 0), (1, rows, columns)))


def _overlay(call: Call, overlay: Overlay, report_id: str = "", phase: int | None = None) -> ItemChange:
    item = ScalarMap(
        new_id("overlay"), overlay.name, call.original.id, overlay.geometry, overlay.values, overlay.unit, overlay.color_map,
        call.scope.phase if phase is None else phase,
        report_id=report_id, method=overlay.method, score=overlay.score, model=overlay.model,
    )  # fmt: skip
    return ItemChange("overlay", item.id, None, item)


def _annotation(call: Call, draft: Draft) -> ItemChange:
    scope = call.scope
    axis = scope.axis if scope.kind == "slice" else 0
    item = Annotation(
        new_id("annotation"), draft.shape, call.original.id, draft.points, axis, scope.phase, draft.name, draft.measures, origin=call.spec.name
    )  # fmt: skip
    item = measure_annotation(item, call.original) if not draft.measures else item
    return ItemChange("annotation", item.id, None, item)


def _table(call: Call, numbers: Numbers) -> ItemChange:
    source = call.original.title or call.original.identity.series_description
    facts = (("image", source), ("scope", _scope_text(call)), *numbers.facts)
    item = Table(new_id("table"), numbers.title, numbers.columns, numbers.rows, call.original.id, facts)
    return ItemChange("table", item.id, None, item)


def _reports(call: Call, of_phases: list[Any]) -> list[Change]:
    """Of one phase after the other; several reports of one call belong together."""
    batch = new_id("batch") if sum(len(verdicts.items) for verdicts in of_phases) > 1 else ""
    index = call.scope.index if call.scope.kind == "slice" else None
    changes: list[Change] = []
    for phase, verdicts in zip(call.scope.phases_of(call.volume, call.spec), of_phases, strict=True):
        for verdict in verdicts.items:
            report = report_of(verdict, call.original.id, phase, batch, index)
            changes.append(ItemChange("report", report.id, None, report))
            changes += [_overlay(call, overlay, report.id, phase) for overlay in verdict.maps]
    return changes


def report_of(verdict: Verdict, volume_id: str, phase: int = 0, batch: str = "", index: int | None = None) -> Report:
    """A verdict as a report on plane ``index`` (None: the verdict's own) of an image."""
    thresholds = verdict.thresholds or (None,) * len(verdict.scores)
    return Report(
        new_id("report"), verdict.title, volume_id, verdict.index if index is None else index, phase, verdict.model, verdict.version, verdict.task,
        tuple(Score(name, value, limit) for (name, value), limit in zip(verdict.scores, thresholds, strict=True)), verdict.threshold,
        verdict.positive, verdict.device, verdict.milliseconds, verdict.warnings, verdict.is_calibrated, verdict.facts, batch,
        verdict.strangeness, verdict.strangeness_limit, is_of_whole=verdict.is_of_whole,
    )  # fmt: skip
