"""Compressed streams in bounded pieces: never more is inflated than was asked for."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io.gate import amount, harmless

Codec = Literal["gzip", "zlib", "bzip2"]
PIECE = 1 << 20
# Deflate cannot do better than 1032:1 (RFC 1951: 258 bytes for two bits), and a mask of a few segments nearly gets there.
DEFLATE_RATIO = 1032
BZIP2_RATIO = 100_000


def ratio_of(codec: Codec) -> int:
    """The largest believable ratio of a codec, for the gate."""
    return BZIP2_RATIO if codec == "bzip2" else DEFLATE_RATIO


def pieces(file: BinaryIO, codec: Codec, *, path: Path) -> Iterator[bytes]:
    """What the stream at the file's place holds, in pieces of at most 1 MiB, over all its members.

    Raises
    ------
    UnreadableFile
        The stream is damaged (checksums are verified) or ends too early.
    """
    waiting = b""
    try:
        while True:
            stream = _Stream(codec)
            while not stream.eof:
                ended = not waiting and stream.hungry and not (waiting := file.read(PIECE))
                piece, waiting = stream.step(waiting), b""
                if ended and not piece and not stream.eof:  # zlib may still hold output when its input has ended
                    raise UnreadableFile(_("{name}: its compressed data is cut short.").format(name=harmless(path.name)))
                if piece:
                    yield piece
            waiting = stream.rest
            waiting = waiting or file.read(PIECE)
            if not _is_member(waiting, codec):
                return  # what follows is padding, or the end
    except (zlib.error, OSError, ValueError, EOFError) as error:
        if "incorrect data check" in str(error) or "incorrect length check" in str(error):
            raise UnreadableFile(
                _("{name}: the checksum of its compressed data does not fit. The file is damaged.").format(name=harmless(path.name))
            ) from error
        raise UnreadableFile(_("{name}: its compressed data is damaged ({reason}).").format(name=harmless(path.name), reason=error)) from error


def inflate_into(target: memoryview, file: BinaryIO, codec: Codec, *, skip: int = 0, path: Path) -> None:
    """Fill ``target`` (bytes, writable) with what follows the first ``skip`` inflated bytes."""
    filled, total = 0, len(target)
    source = pieces(file, codec, path=path)
    for piece in source:
        if skip >= len(piece):
            skip -= len(piece)
            continue
        part = memoryview(piece)[skip : skip + total - filled]
        skip = 0
        target[filled : filled + len(part)] = part
        filled += len(part)
        if filled == total:
            # One more look: where the stream ends here, its checksum is verified by it; where it goes on, the rest is left.
            next(source, None)
            return
    raise UnreadableFile(
        _("{name}: {total} of voxels are promised, but the compressed data holds only {filled}. The file is cut short.").format(
            name=harmless(path.name), total=amount(total), filled=amount(filled)
        )
    )


def first_bytes(file: BinaryIO, count: int, *, path: Path) -> tuple[bytes, bool]:
    """The first ``count`` bytes of a file from its start, or as many as there are, inflated if it is gzipped; and whether it is.

    Raises
    ------
    UnreadableFile
        It is gzipped, and its stream is damaged.
    """
    file.seek(0)
    is_gzip = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not is_gzip:
        return file.read(count), False
    head = b""
    for piece in pieces(file, "gzip", path=path):
        head += piece
        if len(head) >= count:
            break
    return head[:count], True


def inflated_length(file: BinaryIO, codec: Codec, *, enough: int, path: Path) -> int:
    """Number of inflated bytes, counted until ``enough`` are seen."""
    count = 0
    for piece in pieces(file, codec, path=path):
        count += len(piece)
        if count >= enough:
            break
    return count


class _Stream:
    """zlib's and bz2's decompressors behind one face."""

    def __init__(self, codec: Codec) -> None:
        self._bz = bz2.BZ2Decompressor() if codec == "bzip2" else None
        self._z = None if codec == "bzip2" else zlib.decompressobj(wbits=47)  # zlib or gzip, by its head
        self._tail = b""

    @property
    def eof(self) -> bool:
        return self._bz.eof if self._bz else bool(self._z and self._z.eof)

    @property
    def hungry(self) -> bool:
        """Whether nothing more comes without further input."""
        return self._bz.needs_input if self._bz else not self._tail

    @property
    def rest(self) -> bytes:
        return self._bz.unused_data if self._bz else (self._z.unused_data if self._z else b"")

    def step(self, data: bytes) -> bytes:
        if self._bz:
            return self._bz.decompress(data, PIECE)
        assert self._z is not None
        piece = self._z.decompress(self._tail + data, PIECE)
        self._tail = self._z.unconsumed_tail
        return piece


def _is_member(data: bytes, codec: Codec) -> bool:
    return data[:2] == b"\x1f\x8b" if codec == "gzip" else data[:3] == b"BZh" if codec == "bzip2" else False
