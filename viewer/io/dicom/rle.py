"""RLE decoding (PS3.5 Annex G): PackBits segments, one for each byte of each sample, highest byte first.

imagecodecs unpacks a sound segment; what it does not take goes through a slow loop, which knows what is wrong with it.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import UnreadableFile
from viewer.core.words import _


def decode_rle(frame: bytes, rows: int, columns: int, samples: int, bits_allocated: int) -> NDArray[Any]:
    """One frame as (rows, columns) or (rows, columns, samples) of unsigned integers, little bytes put together.

    Raises
    ------
    UnreadableFile
        The header or a segment does not describe such a frame.
    """
    pixels, size = rows * columns, max(1, bits_allocated // 8)
    packed = (pixels + 7) // 8 if bits_allocated == 1 else pixels
    if len(frame) < 64:
        raise UnreadableFile(_("an RLE frame of {size} bytes has no room for its head").format(size=len(frame)))
    count, *offsets = struct.unpack("<16L", frame[:64])
    if count != samples * size:
        raise UnreadableFile(_("an RLE frame has {count} segments where {wanted} are needed").format(count=count, wanted=samples * size))
    ends = [*offsets[1:count], len(frame)]
    result = np.empty((samples, packed, size), dtype=np.uint8)
    for n in range(count):
        if not 64 <= offsets[n] <= ends[n] <= len(frame):
            raise UnreadableFile(_("an RLE segment lies outside its frame"))
        # Segment 0 is the highest byte of the first sample; in memory the lowest byte comes first.
        sample, byte = divmod(n, size)
        result[sample, :, size - 1 - byte] = _unpacked(frame[offsets[n] : ends[n]], packed)
    if bits_allocated == 1:
        return np.unpackbits(result[0, :, 0], bitorder="little", count=pixels).reshape(rows, columns)
    values = result.view(f"<u{size}")[..., 0].reshape(samples, rows, columns)
    return values[0] if samples == 1 else values.transpose(1, 2, 0)


def _unpacked(segment: bytes, length: int) -> NDArray[np.uint8]:
    from imagecodecs import PackbitsError, packbits_decode

    try:
        # A byte more than is wanted: two segments may share their row of padding, and some writers add one.
        found = np.frombuffer(packbits_decode(segment, out=length + 128), dtype=np.uint8)
    except (PackbitsError, ValueError):
        return unpack(segment, length)
    return found[:length] if len(found) >= length else unpack(segment, length)


def unpack(segment: bytes, length: int) -> NDArray[np.uint8]:
    """PackBits of a segment that must give at least ``length`` bytes."""
    result = bytearray()
    place, end = 0, len(segment)
    while place < end and len(result) < length:
        head = segment[place]
        if head < 128:
            result += segment[place + 1 : place + 2 + head]
            place += 2 + head
        elif head > 128:
            result += segment[place + 1 : place + 2] * (257 - head)
            place += 2
        else:
            place += 1
    if len(result) < length:
        raise UnreadableFile(_("an RLE segment ends after {found} of {wanted} bytes").format(found=len(result), wanted=length))
    return np.frombuffer(result, dtype=np.uint8, count=length)
