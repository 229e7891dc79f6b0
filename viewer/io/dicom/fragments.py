"""Where the frames of encapsulated pixel data lie: offset tables, or fragments put together by their marks (D08)."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import BinaryIO

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io import gate

Span = tuple[int, int]
"""Offset in the file and length in bytes."""
MAX_FRAGMENTS = 1 << 18
_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
# First bytes of a JPEG, JPEG-LS or bare JPEG 2000 stream, and of a JP2 file.
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")


def find_frames(file: BinaryIO, path: Path, offset: int, frames: int) -> list[tuple[Span, ...]]:
    """The fragments of each frame.

    Parameters
    ----------
    offset : int
        First byte of the value of the pixel element: the basic offset table's item.
    frames : int
        How many frames the header says there are.

    Raises
    ------
    UnreadableFile
        There is no fragment, or they cannot be shared out among the frames.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(offset)
    table, fragments = _walk(file, size, path)
    return _share_out(file, table, fragments, frames, path)


def _walk(file: BinaryIO, size: int, path: Path) -> tuple[list[int], list[Span]]:
    """The offset table, and the fragments; a fragment cut by the end of the file is left out."""
    table: list[int] = []
    fragments: list[Span] = []
    is_first = True
    while len(fragments) < MAX_FRAGMENTS:
        head = file.read(8)
        if len(head) < 8:
            break
        group, element, length = struct.unpack("<HHI", head)
        if (group, element) == _END:
            break
        place = file.tell()
        if (group, element) != _ITEM or length == 0xFFFFFFFF:
            text = _("{name}: its compressed frames are not where they should be. The file is damaged.")
            raise UnreadableFile(text.format(name=gate.harmless(path.name)))
        if place + length > size:
            break
        if is_first:
            content = file.read(length)
            table = list(struct.unpack(f"<{length // 4}I", content[: length // 4 * 4]))
            is_first = False
            continue
        fragments.append((place, length))
        file.seek(place + length)
    if not fragments:
        raise UnreadableFile(_("{name}: it says that it has compressed pixels, but holds none.").format(name=gate.harmless(path.name)))
    return table, fragments


def _share_out(file: BinaryIO, table: list[int], fragments: list[Span], frames: int, path: Path) -> list[tuple[Span, ...]]:
    if frames == 1:
        return [tuple(fragments)]
    if len(fragments) == frames:
        return [(f,) for f in fragments]
    # Offsets count from the first fragment's item head, eight bytes before its content.
    base = fragments[0][0] - 8
    places = [place - 8 - base for place, _length in fragments]
    number = {place: n for n, place in enumerate(places)}
    if len(table) == frames and table[0] == 0 and all(t in number for t in table) and table == sorted(set(table)):
        starts = [number[t] for t in table]
    else:
        starts = [n for n, fragment in enumerate(fragments) if _is_start(file, fragment)]
        if starts[:1] != [0] or len(starts) > frames:
            text = _("{name}: {fragments} compressed pieces cannot be shared out among {frames} frames. The file is damaged.")
            raise UnreadableFile(text.format(name=gate.harmless(path.name), fragments=len(fragments), frames=frames))
    return [tuple(fragments[a:b]) for a, b in zip(starts, [*starts[1:], len(fragments)], strict=True)]


def _is_start(file: BinaryIO, fragment: Span) -> bool:
    file.seek(fragment[0])
    return file.read(min(8, fragment[1])).startswith(_STARTS)
