"""The wire format of protobuf, read within bounds and written: all that is needed of it to look into an ONNX file before anything runs it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from viewer.api import gettext

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Span = tuple[int, int]
"""Start and end within the file."""
Field = tuple[int, int, int, Span]
"""Number, wire type, the value of a number (0 for bytes), and where its content lies."""
_MOST_FIELDS = 20_000_000


class Damaged(ValueError):
    """The bytes are no message; the text is for people who look for the place."""


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """An unsigned number of up to 64 bits, and where it ends. Raises Damaged."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, at
        shift += 7
    raise Damaged(gettext("number at byte {at}").format(at=at))


def fields(data: bytes, span: Span) -> Iterator[Field]:
    """The fields of one message, in their order. Raises Damaged where it is cut off or no message at all."""
    at, end = span
    count = 0
    while at < end:
        count += 1
        if count > _MOST_FIELDS:
            raise Damaged(gettext("too many fields"))
        key = data[at]  # nearly all keys and lengths are one byte
        if key < 0x80:
            at += 1
        else:
            key, at = varint(data, at, end)
        number, kind = key >> 3, key & 7
        value = 0
        if kind == BYTES:
            if at < end and data[at] < 0x80:
                start = at + 1
                at = start + data[at]
            else:
                size, start = varint(data, at, end)
                at = start + size
        elif kind == VARINT:
            start = at
            value, at = varint(data, at, end)
        elif kind in (FIXED64, FIXED32):
            start, at = at, at + (8 if kind == FIXED64 else 4)
            value = int.from_bytes(data[start:at], "little")
        else:
            raise Damaged(gettext("wire type {kind} at byte {at}").format(kind=kind, at=at))
        if at > end or not 0 < number < 1 << 29:
            raise Damaged(gettext("field {number} at byte {at}").format(number=number, at=start))
        yield number, kind, value, (start, at)


def signed(value: int) -> int:
    """An int64 from its two's complement."""
    return value - (1 << 64) if value >> 63 else value


def varints(data: bytes, span: Span) -> NDArray[np.int64]:
    """Packed numbers as int64 (N,). Raises Damaged."""
    found = np.frombuffer(data, np.uint8, span[1] - span[0], span[0])
    if not found.size:
        return np.empty(0, np.int64)
    ends = np.flatnonzero(found < 0x80)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if not ends.size or ends[-1] != found.size - 1 or lengths.max() > 10:
        raise Damaged(gettext("numbers at byte {at}").format(at=span[0]))
    shifts = (np.arange(found.size) - np.repeat(starts, lengths)) * 7
    parts = (found & 0x7F).astype(np.uint64) << shifts.astype(np.uint64)
    return np.bitwise_or.reduceat(parts, starts).astype(np.int64)


def run_of_floats(data: bytes, key: int, at: int, end: int) -> tuple[NDArray[np.float32], int]:
    """All float fields that follow one another with the same key of one byte, the first at ``at``; and where they end."""
    found = np.frombuffer(data, np.uint8, (end - at) // 5 * 5, at).reshape(-1, 5)
    count = _true_at_first(found[:, 0] == key)
    return found[:count, 1:].copy().view("<f4").ravel(), at + 5 * count


def run_of_numbers(data: bytes, key: int, at: int, end: int) -> tuple[NDArray[np.int64], int]:
    """All number fields that follow one another with the same key of one byte, the first at ``at``; and where they end. Raises Damaged."""
    found = np.frombuffer(data, np.uint8, end - at, at)
    # Keys and the last bytes of numbers are those below 128: they take turns.
    last = np.flatnonzero(found < 0x80)
    keys, ends = last[: last.size // 2 * 2 : 2], last[1::2]
    follows = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    count = _true_at_first((keys == follows) & (found[keys] == key))
    if not count:
        return np.empty(0, np.int64), at
    used = int(ends[count - 1]) + 1
    return varints(np.delete(found[:used], keys[:count]).tobytes(), (0, used - count)), at + used


def _true_at_first(flags: NDArray[np.bool_]) -> int:
    return flags.size if flags.all() else int(np.argmin(flags))


def encoded(value: int) -> bytes:
    """A number as a varint."""
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(number: int, content: bytes) -> bytes:
    """A field that holds bytes, a text or a message."""
    return encoded(number << 3 | BYTES) + encoded(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    """A field that holds a whole number."""
    return encoded(number << 3 | VARINT) + encoded(value)
