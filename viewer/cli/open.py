"""``negatoscope [open]``: the window. The one verb that reaches into ``viewer.ui``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viewer.cli import choose
from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io.gate import harmless


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("open", help=_("open the window"))
    parser.add_argument("paths", type=Path, nargs="*", metavar="PATH")
    choose.add_stack(parser)
    parser.add_argument("--demo", action="store_true", help=_("open the sample study"))
    parser.add_argument("--safe-mode", action="store_true", help=_("load no plugins but the built-in ones, and forget the layout"))
    parser.add_argument("--theme", choices=("dark", "light", "system"), help=_("colours of the window"))


def run(args: argparse.Namespace) -> int:
    """Runs until the window is closed."""
    stack = choose.asked_spacing(args)
    if args.paths and not any(path.exists() for path in args.paths):
        # A mistyped verb comes here too; a window that says so would wait for ever where nobody sees it.
        words = _("There is no file or folder {name}, and no verb of this name (negatoscope --help).")
        raise UnreadableFile(words.format(name=harmless(str(args.paths[0]))))
    from viewer.ui import application

    spoken = getattr(args, "language", "")
    return application.run(args.paths, demo=args.demo, safe_mode=args.safe_mode, colors=args.theme, stack=stack, speak=spoken)
