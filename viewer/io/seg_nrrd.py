"""Names and colours of segments in a ``.seg.nrrd`` (CONVENTIONS F04): what its header says besides the grid of numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from viewer.io.beside import open_regular
from viewer.io.gate import harmless
from viewer.io.nrrd import HEADER_LIMIT, looks_like

_FIELD = re.compile(r"Segment(\d{1,6})_(Name|Color|LabelValue|Layer):=(.*)")
_MOST = 65535


@dataclass(frozen=True, slots=True)
class NamedSegment:
    """One segment of the file: ``label`` in ``layer`` (its place along the list axis, 0 where there is none)."""

    layer: int
    label: int
    name: str
    color: str
    """#RRGGBB, "" where the file gives none."""


def segments_in(path: Path) -> tuple[NamedSegment, ...]:
    """The segments that an NRRD header names, in their order; none for other files. A line that is not understood counts as missing.

    Raises
    ------
    UnreadableFile
        It is not there, or no regular file.
    OSError
        It can be opened but not read.
    """
    found: dict[int, dict[str, str]] = {}
    with open_regular(path) as file:
        if not looks_like(file.readline(80)):
            return ()
        while (line := file.readline(HEADER_LIMIT)).strip() and file.tell() <= HEADER_LIMIT:
            match = _FIELD.fullmatch(line.decode("utf-8", "replace").strip("\r\n"))
            if match is not None:
                found.setdefault(int(match[1]), {})[match[2]] = match[3].strip()
    named = []
    for number in sorted(found):
        fields = found[number]
        label, layer = _whole(fields.get("LabelValue", "")), _whole(fields.get("Layer", "0"))
        if label is not None and 0 < label <= _MOST and layer is not None:
            named.append(NamedSegment(layer, label, harmless(fields.get("Name", "")), _color(fields.get("Color", ""))))
    return tuple(named)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _color(text: str) -> str:
    """``1 0.5 0`` as ``#FF8000``."""
    try:
        parts = [float(word) for word in text.split()]
    except ValueError:
        return ""
    if len(parts) != 3 or not all(0 <= part <= 1 for part in parts):
        return ""
    return "#" + "".join(f"{round(part * 255):02X}" for part in parts)
