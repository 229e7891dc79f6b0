"""``negatoscope operations``: what can be applied, with every parameter."""

from __future__ import annotations

import argparse
from typing import Any

from viewer.cli import installed, say
from viewer.core.operation import OperationSpec
from viewer.core.words import _
from viewer.jobs.pool import Pool

JSON_KEY = "operations"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("operations", help=_("list the operations and their parameters"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))


def run(args: argparse.Namespace) -> int:
    """0, also when some operations cannot be read: those are named on stderr."""
    registry = installed.registry()
    with Pool(inline=True) as pool:
        specs = registry.load_specs(pool)
    for name, reason in registry.broken.items():
        say.err(f"{name}: {reason}")
    if args.json:
        say.json_object({"operations": [described(spec) for spec in specs]})
        return 0
    for spec in specs:
        say.out(f"{spec.name}\n    {_(spec.help)}")
        for p in spec.parameters:
            limits = (
                f" {p.low if p.low is not None else ''}..{p.high if p.high is not None else ''}" if p.low is not None or p.high is not None else ""
            )
            choices = f" ({', '.join(p.choices)})" if p.choices else ""
            default = "auto" if p.default is None else p.default
            say.out(f"    {p.name}={default}  {p.type}{limits}{choices} {p.unit}".rstrip())
    return 0


def described(spec: OperationSpec) -> dict[str, Any]:
    """One operation as the JSON object has it."""
    parameters = [
        {
            "name": p.name,
            "type": p.type,
            "default": p.default,
            "low": p.low,
            "high": p.high,
            "unit": p.unit,
            "choices": list(p.choices),
            "help": p.help,
        }
        for p in spec.parameters
    ]
    return {"name": spec.name, "title": spec.title, "help": spec.help, "plugin": spec.plugin, "outputs": list(spec.outputs), "parameters": parameters}
