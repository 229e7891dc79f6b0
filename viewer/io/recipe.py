"""Recipes: the steps of a history as TOML, ``[[step]]`` with ``operation`` and ``parameters``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viewer.core.errors import UnreadableFile
from viewer.core.toml_text import parsed_toml
from viewer.core.words import _
from viewer.io.beside import open_regular
from viewer.io.gate import harmless
from viewer.io.save import save_atomic

LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One operation by name (``Enhance/Gamma``) and its parameters by name."""

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def save_recipe(path: Path, steps: Sequence[RecipeStep], *, overwrite: bool = False) -> None:
    """Write steps; parameters that are None (not given) are left out."""
    save_atomic(path, recipe_text(steps).encode(), overwrite=overwrite, validate=lambda temporary: _check_same(temporary, len(steps)))


def recipe_text(steps: Sequence[RecipeStep]) -> str:
    """Steps as the TOML that :func:`read_recipe` reads."""
    import tomli_w

    return tomli_w.dumps({"step": [{"operation": step.operation, "parameters": _plain(step.parameters)} for step in steps]})


def read_recipe(path: Path) -> tuple[RecipeStep, ...]:
    """The steps of a recipe. Raises UnreadableFile with the reason, and the number of the step that is wrong."""
    name = harmless(path.name)
    with open_regular(path) as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise UnreadableFile(_("{name}: this is too long for a recipe.").format(name=name))
    try:
        content = parsed_toml(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(_("{name}: it is not a recipe in TOML ({reason}).").format(name=name, reason=harmless(str(error)))) from error
    steps = content.get("step")
    if not isinstance(steps, list) or not steps:
        raise UnreadableFile(_("{name}: the recipe has no [[step]]. Each step names an operation and its parameters.").format(name=name))
    found = []
    for number, step in enumerate(steps, 1):
        operation = step.get("operation") if isinstance(step, dict) else None
        parameters = step.get("parameters", {}) if isinstance(step, dict) else None
        if not isinstance(operation, str) or not isinstance(parameters, dict):
            raise UnreadableFile(
                _('{name}: step {number} of the recipe has no "operation", or its "parameters" are no table.').format(name=name, number=number)
            )
        found.append(RecipeStep(operation, parameters))
    return tuple(found)


def _check_same(path: Path, count: int) -> None:
    if count and len(read_recipe(path)) != count:
        raise UnreadableFile(_("{name}: the written recipe reads otherwise.").format(name=harmless(path.name)))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value
