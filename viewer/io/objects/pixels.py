"""Stored values of an object's frames, some at a time, so that thousands of frames never lie in memory together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom.assemble import stored_frames
from viewer.io.dicom.header import Header
from viewer.jobs.pool import Pool

CHUNK_BYTES = 64 << 20


def frames_of(header: Header, numbers: Sequence[int], *, pool: Pool) -> Iterator[tuple[int, NDArray[Any]]]:
    """(number, pixels) of frames (from 0), in the order of ``numbers``; the pixels are only good until the next one.

    Raises
    ------
    UnreadableFile, UnsupportedFeature
        With a sentence that names the file.
    """
    if header.pixels is None:
        raise UnsupportedFeature(header.warnings[-1] if header.warnings else _("{name}: it holds no pixels.").format(name=header.name))
    if header.samples != 1:
        text = _("{name}: it has {count} samples for a pixel, where a segmentation has one.")
        raise UnreadableFile(text.format(name=header.name, count=header.samples))
    size = header.rows * header.columns * max(1, header.bits_allocated // 8)
    together = max(1, CHUNK_BYTES // size)
    gate.check((min(together, len(numbers) or 1), header.rows, header.columns), max(1, header.bits_allocated // 8), path=header.path)
    for start in range(0, len(numbers), together):
        chosen = numbers[start : start + together]
        yield from zip(chosen, stored_frames(header, pool=pool, frames=chosen), strict=True)
