"""Siemens' private CSA headers (0029,1010) and (0029,1020): named lists of texts, in the old layout and in the newer SV10.

The layout is not published; it is known from the description in nibabel's documentation ("Siemens format DICOM with CSA header").
"""

from __future__ import annotations

import struct

_MOST_TAGS = 1000
_MOST_ITEMS = 10000


class BadHeader(ValueError):
    """The bytes are no CSA header, or are cut short."""


def read_csa(data: bytes) -> dict[str, tuple[str, ...]]:
    """Texts of each named element, those without a value left out. Raises BadHeader.

    Every length is checked against the bytes there are.
    """
    is_new = data[:4] == b"SV10"
    place = 8 if is_new else 0
    count, mark = _numbers(data, place, 2)
    if not 1 <= count <= _MOST_TAGS or mark not in (77, 205):
        raise BadHeader(f"{count} elements, check number {mark}")
    place += 8
    found: dict[str, tuple[str, ...]] = {}
    base = None
    for _tag in range(count):
        name = data[place : place + 64].split(b"\0")[0].decode("latin-1")
        (multiplicity,) = _numbers(data, place + 64, 1)
        _type, items, mark = _numbers(data, place + 72, 3)
        if mark not in (77, 205) or not 0 <= items <= _MOST_ITEMS:
            raise BadHeader(f"element {name[:32]!r}: {items} items, check number {mark}")
        place += 84
        base = items if base is None else base
        values = []
        for number in range(items):
            first, second, _third, _fourth = _numbers(data, place, 4)
            place += 16
            # The old layout tells the length of an item only relative to the number of items of the first element.
            length = second if is_new else first - base
            if length < 0 or place + length > len(data):
                if is_new:
                    raise BadHeader(f"element {name[:32]!r} ends behind the header")
                break
            if number < (multiplicity or items):
                values.append(data[place : place + length].split(b"\0")[0].decode("latin-1").strip())
            place += length + (-length) % 4
        kept = tuple(v for v in values if v)
        if kept:
            found[name] = kept
    return found


def _numbers(data: bytes, place: int, count: int) -> tuple[int, ...]:
    if place < 0 or place + 4 * count > len(data):
        raise BadHeader("cut short")
    return struct.unpack_from(f"<{count}i", data, place)
