"""Arrays packed for the history and the store: zstd with a checksum. Whole volumes are split into byte planes first."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import UnreadableFile
from viewer.core.words import _

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


class Packed:
    """An array at rest. The bytes may be dropped once a store holds them; then ``fetch`` brings them back.

    Equality is that of the array. The bytes never change.
    """

    __slots__ = ("_blob", "_fetch", "crc", "dtype", "nbytes_packed", "shape", "split")

    def __init__(self, blob: bytes, shape: tuple[int, ...], dtype: str, split: bool, crc: int, nbytes_packed: int) -> None:
        self._blob: bytes | None = blob
        self._fetch: Callable[[], bytes] | None = None
        self.shape, self.dtype, self.split, self.crc, self.nbytes_packed = shape, dtype, split, crc, nbytes_packed

    @property
    def blob(self) -> bytes:
        """The packed bytes, from memory or from the store."""
        if self._blob is not None:
            return self._blob
        if self._fetch is None:
            raise UnreadableFile(_("An array of the history is neither in memory nor in the store."))
        return self._fetch()

    @property
    def in_memory(self) -> int:
        """Bytes held in memory."""
        return len(self._blob) if self._blob is not None else 0

    def forget(self, fetch: Callable[[], bytes]) -> None:
        """Drop the bytes; ``fetch`` gives them again."""
        self._fetch, self._blob = fetch, None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packed):
            return NotImplemented
        return (self.shape, self.dtype, self.crc) == (other.shape, other.dtype, other.crc)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.crc))


def pack(array: NDArray[Any], *, split: bool | None = None) -> Packed:
    """Pack an array; ``split`` (byte planes) helps for voxels of two or four bytes and is the default for those."""
    data = np.ascontiguousarray(array)
    split = data.dtype.itemsize > 1 if split is None else split
    raw = data.view(np.uint8).reshape(-1, data.dtype.itemsize).T if split and data.size else data
    buffer = np.ascontiguousarray(raw)
    blob = zstandard.ZstdCompressor(level=1).compress(buffer.data.cast("B")) if buffer.size else b""
    return Packed(blob, data.shape, data.dtype.str, split, zlib.crc32(blob), len(blob))


def unpack(packed: Packed, *, shared: bool = False) -> NDArray[Any]:
    """The array; in shareable memory if asked. Raises UnreadableFile when the checksum is wrong."""
    blob = packed.blob
    if zlib.crc32(blob) != packed.crc:
        raise UnreadableFile(_("An array of the history is damaged: its checksum is wrong."))
    dtype = np.dtype(packed.dtype)
    target: NDArray[Any] = memory.allocate(packed.shape, dtype) if shared else np.empty(packed.shape, dtype)
    if target.size == 0:
        return target
    if not packed.split:
        _read_into(blob, target)
        return target
    planes = np.empty((dtype.itemsize, target.size), np.uint8)
    _read_into(blob, planes)
    target.reshape(-1).view(np.uint8).reshape(-1, dtype.itemsize)[...] = planes.T
    return target


def copy_into(packed: Packed, target: NDArray[Any]) -> None:
    """Unpack a label box straight into a part of an array, plane by plane: no temporary of the whole size."""
    if packed.split or target.dtype != np.dtype(packed.dtype):
        target[...] = unpack(packed)
        return
    reader = zstandard.ZstdDecompressor().stream_reader(packed.blob)
    plane = np.empty(packed.shape[1:], packed.dtype)
    view = plane.data.cast("B")
    for k in range(packed.shape[0]):
        _fill(reader, view)
        target[k] = plane


def _read_into(blob: bytes, target: NDArray[Any]) -> None:
    _fill(zstandard.ZstdDecompressor().stream_reader(blob), target.reshape(-1).data.cast("B"))


def _fill(reader: zstandard.ZstdDecompressionReader, view: memoryview) -> None:
    got = 0
    while got < len(view):
        n = reader.readinto(view[got:])
        if not n:
            raise UnreadableFile(_("An array of the history is shorter than it should be."))
        got += n
