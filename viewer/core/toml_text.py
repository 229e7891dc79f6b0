"""TOML from outside: what would take the parser hours is refused before it is parsed."""

from __future__ import annotations

import re
import tomllib
from typing import Any

# The standard parser's time grows with the square of the parts of a dotted key: 40 KB of them take seconds, a mebibyte half an hour.
_MOST_PARTS, _MOST_POINTS = 64, 4000
_CHAIN = re.compile(rf"(?<![\w.-])[\w-]+(?:\.[\w-]+){{{_MOST_PARTS}}}", re.ASCII)
_POINT = re.compile(r"(?<![0-9])\.|\.(?![0-9])")


def parsed_toml(content: bytes) -> dict[str, Any]:
    """The tables of a TOML file in UTF-8. Raises ValueError where it is none, or RecursionError where it is nested too deep.

    Points between digits (those of numbers) may be any number, other points 4000, and names joined by points 64.
    """
    text = content.decode("utf-8")
    if _CHAIN.search(text) or sum(1 for _point in _POINT.finditer(text)) > _MOST_POINTS:
        raise ValueError("a key of too many parts, joined by points")
    return tomllib.loads(text)
