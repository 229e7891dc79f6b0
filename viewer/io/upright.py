"""Which way up a picture is meant to be seen: cameras and scanners store it as it fell, and write beside it how to turn it (EXIF 0x0112)."""

from __future__ import annotations

import re
import struct

import numpy as np
from numpy.typing import NDArray

from viewer.core.words import mark

ORIENTATION = 274
AS_STORED = 1
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
HOW: dict[int, str] = {
    2: mark("mirrored left to right"), 3: mark("turned by 180°"), 4: mark("mirrored top to bottom"), 5: mark("mirrored along its diagonal"),
    6: mark("turned by 90° to the right"), 7: mark("mirrored along its other diagonal"), 8: mark("turned by 90° to the left"),
}  # fmt: skip
"""What is done with a picture of each orientation."""


def of_jpeg(segment: bytes) -> int:
    """The orientation that an APP1 segment of a JPEG file tells; 0 where it tells none."""
    if segment.startswith(_EXIF):
        return of_exif(segment[len(_EXIF) :])
    found = re.search(rb'tiff:Orientation(?:="|>)([1-8])', segment) if segment.startswith(_XMP) else None
    return int(found[1]) if found else 0


def of_exif(block: bytes) -> int:
    """The orientation in a block of EXIF, which has the form of a TIFF file; 0 where there is none, or none of eight."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 0
    try:
        (first,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, first)
        for place in range(first + 2, first + 2 + 12 * count, 12):
            tag, kind, _number, value = struct.unpack_from(f"{order}HHIH", block, place)
            if tag == ORIENTATION and kind == 3:
                return known(value)
    except struct.error:
        return 0
    return 0


def known(value: int) -> int:
    """One of the eight; 0 for what is none."""
    return value if 1 <= value <= 8 else 0


def swaps_sides(orientation: int) -> bool:
    """Whether rows become columns."""
    return orientation >= 5


def turned(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Pixels (rows, columns[, 3]) as they are meant to be seen. Source: EXIF 2.3, table of tag 0x0112."""
    if swaps_sides(orientation):
        pixels = np.swapaxes(pixels, 0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    across = -1 if orientation in (2, 3, 6, 7) else 1
    return pixels[::down, ::across]
