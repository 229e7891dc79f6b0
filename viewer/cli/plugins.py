"""``negatoscope plugins``: which plugins there are, and what is wrong with those that cannot be used."""

from __future__ import annotations

import argparse
from typing import Any

from viewer.cli import say
from viewer.cli.installed import registry
from viewer.core.words import _

JSON_KEY = "plugins"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("plugins", help=_("list the plugins"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))


def run(args: argparse.Namespace) -> int:
    """Always 0."""
    plugins = registry().plugins
    if args.json:
        rows = [
            {"name": p.name, "version": p.version, "enabled": p.is_enabled and not p.error, "error": p.error or None, "builtin": p.is_builtin}
            for p in plugins
        ]
        say.json_object({"plugins": rows})
        return 0
    for p in plugins:
        say.out(f"{p.name} {p.version}  {p.error or (_('on') if p.is_enabled else _('off'))}")
    return 0
