"""``negatoscope text``: a report, presentation state or list of key images as plain text."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from viewer.cli import say
from viewer.core.errors import Refused
from viewer.core.words import _
from viewer.io import open as opening
from viewer.io.gate import harmless
from viewer.io.objects.documents import read_document
from viewer.io.objects.readable import as_text, image_names

JSON_KEY = "lines"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("text", help=_("print a DICOM report, presentation state or list of key images"))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("paths", nargs="*", type=Path, metavar="STUDY", help=_("where the images are, so that they are named by series and number"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))


def run(args: argparse.Namespace) -> int:
    """0; all that can go wrong is raised."""
    if args.file.is_dir():
        raise Refused(_("{name} is a folder: name one of its files.").format(name=harmless(str(args.file))))
    names = image_names(opening.find(args.paths).series) if args.paths else {}
    document = read_document(args.file, names=names)
    for note in document.notes:
        say.err(f"{harmless(args.file.name)}: {note}")
    if args.json:
        say.json_object({"title": document.title, "lines": [asdict(line) for line in document.lines], "refused": []})
    else:
        say.out(as_text(document).rstrip("\n"))
    return 0
