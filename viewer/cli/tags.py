"""``negatoscope tags``: every element of a DICOM file, as text or JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from viewer.cli import say
from viewer.core.errors import Refused
from viewer.core.words import _
from viewer.io.dicom import tag_words
from viewer.io.dicom.tags import Element, read_tags, tag_text
from viewer.io.gate import harmless

JSON_KEY = "elements"


def add_parser(subparsers: Any) -> None:
    """Register the verb."""
    parser: argparse.ArgumentParser = subparsers.add_parser("tags", help=_("list the elements (tags) of a DICOM file"))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--search", default="", metavar="TEXT", help=_("only rows in whose tag, name, keyword or value each word occurs"))
    parser.add_argument("--json", action="store_true", help=_("print one JSON object"))


def run(args: argparse.Namespace) -> int:
    """0 where there is anything to list, else 2."""
    if args.file.is_dir():
        raise Refused(_("{name} is a folder: name one of its files.").format(name=harmless(str(args.file))))
    tags = read_tags(args.file)
    rows = [tags.rows[n] for n in tag_words.matching(tags, args.search)]
    for note in tags.notes:
        say.err(f"{harmless(args.file.name)}: {note}")
    if not rows:
        say.err(_("No element matches “{text}”.").format(text=args.search) if args.search else _("There is no element."))
    if args.json:
        say.json_object({"elements": [described(row) for row in rows], "refused": []})
    elif rows:
        say.out(tag_words.as_text(rows))
    return 0 if rows else 2


def described(row: Element) -> dict[str, Any]:
    """A row as the JSON object has it."""
    return {
        "tag": tag_text(row.tag),
        "vr": row.vr,
        "keyword": tag_words.keyword_of(row.tag),
        "name": tag_words.title_of(row),
        "creator": row.creator,
        "value": tag_words.value_of(row, limit=10_000),
        "bytes": row.length,
        "depth": row.depth,
    }
