"""``negatoscope models``: which classifiers are installed."""

from __future__ import annotations

import argparse
from typing import Any

from viewer.cli import say
from viewer.core.words import _
from viewer.session.models import list_models

JSON_KEY = "models"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("models", help=_("list the classifier models"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))


def run(args: argparse.Namespace) -> int:
    """Always 0; models that cannot be used are named on stderr."""
    cards, broken = list_models()
    for __, reason in broken:
        say.err(reason)
    if args.json:
        rows = [
            {
                "name": c.name, "title": c.title, "version": c.version, "task": c.task, "classes": list(c.classes), "threshold": c.threshold,
                "input": dict(c.card["input"]), "sha256": c.sha256, "modality": list(c.modalities), "benchmark": c.is_benchmark,
            }
            for c in cards
        ]  # fmt: skip
        say.json_object({"models": rows})
        return 0
    for c in cards:
        say.out(f"{c.name} {c.version}  {c.title} ({c.task}: {', '.join(c.classes)})")
    if not cards:
        say.out(_("No model is installed."))
    return 0
