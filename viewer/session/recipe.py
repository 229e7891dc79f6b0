"""Recipes at work: taken from a history, and run on an image. Each step works on the current image of the one before.

A mask that comes out becomes the current mask, a volume the current image; everything else is kept as a result.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from viewer.core.errors import BadParameter
from viewer.core.images import Labels, Mask, Result
from viewer.core.operation import OperationSpec
from viewer.core.words import _
from viewer.io.recipe import RecipeStep
from viewer.jobs.pool import Pool
from viewer.session.apply import LayerRef, Scope, SegmentRef, apply, input_of
from viewer.session.document import Document
from viewer.session.history import Step
from viewer.session.plugins import Registry


def recipe_of(steps: Iterable[Step], root_id: str | None = None, document: Document | None = None) -> tuple[RecipeStep, ...]:
    """The operations among the steps of a history, as a recipe; hand-made steps are left out.

    With ``root_id`` only those that worked on that image.
    """
    found = []
    for step in steps:
        origin = step.origin
        if origin.kind != "operation":
            continue
        first = origin.inputs[0] if origin.inputs else ""
        if root_id is not None and document is not None and document.has_volume(first) and document.volume(first).root_id != root_id:
            continue
        parameters = {n: v for n, v in origin.parameters.items() if v is not None and n != "scope" and not _is_reference(v)}
        found.append(RecipeStep(origin.name, parameters))
    return tuple(found)


def run_recipe(
    document: Document, recipe: Iterable[RecipeStep], registry: Registry, pool: Pool, *, root_id: str
) -> list[tuple[RecipeStep, tuple[Result, ...]]]:
    """Apply a recipe to an opened volume. Raises Refused as the first step that cannot be done says."""
    mask: SegmentRef | None = None
    results = []
    for step in recipe:
        spec = registry.spec(step.operation, pool)
        parameters = {**step.parameters, **_masks(spec, step, mask)}
        before = {layer.id for layer in document.layers_of(root_id)}
        target = mask if "Mask" in spec.outputs and any(isinstance(v, SegmentRef) for v in parameters.values()) else None
        scope = Scope(is_every_phase=True)  # a cine is judged frame by frame; its reports are in the document
        _, given = apply(document, spec, parameters, pool, volume_id=input_of(document, spec, root_id), scope=scope, target=target)
        results.append((step, given))
        new = [layer for layer in document.layers_of(root_id) if layer.id not in before]
        if new and any(isinstance(r, Mask | Labels) for r in given):
            mask = SegmentRef(new[-1].id, new[-1].segments[0].label)
    return results


def _masks(spec: OperationSpec, step: RecipeStep, mask: SegmentRef | None) -> dict[str, Any]:
    """The current mask for the mask parameters that the recipe leaves open."""
    given: dict[str, Any] = {}
    for parameter in spec.parameters:
        if parameter.type in ("mask", "labels") and parameter.name not in step.parameters and mask is not None:
            given[parameter.name] = mask if parameter.type == "mask" else LayerRef(mask.layer_id)
    for name in step.parameters:
        if spec.parameter(name).type in ("mask", "labels", "image"):
            raise BadParameter(
                _('"{operation}": a recipe takes the mask of the step before; "{name}" cannot be written down.').format(
                    operation=step.operation, name=name
                )
            )
    return given


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("layer-", "volume-"))
