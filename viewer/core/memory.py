"""Arrays in memory that worker processes can map without a copy.

An array made by :func:`allocate` lives in an anonymous memory file (``memfd`` where the system has it, else an unlinked
temporary file: a container's small shared-memory mount is no limit). The file's descriptor can be handed to another
process, which maps the same pages. :func:`freeze` gives a mapping that cannot be written, not even by mistake.
A block is released when no array refers to it any more; :func:`live_blocks` counts, for the tests.
"""

from __future__ import annotations

import _thread
import mmap
import os
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Block(mmap.mmap):
    """A mapping of an anonymous memory file; ``descriptor`` stays open as long as the mapping lives."""

    descriptor: int = -1
    writable: bool

    def __del__(self) -> None:
        """Unmap, then close: the last to let go gives the pages back, 25 ms for each 100 MB, and must not hold up the window."""
        _mapped.pop(id(self), None)
        size = 0 if self.closed else len(self)
        self.close()
        if self.descriptor < 0:
            return
        if size < _SLOW_BYTES or sys.is_finalizing():
            os.close(self.descriptor)
        else:
            _thread.start_new_thread(os.close, (self.descriptor,))


_SLOW_BYTES = 16 << 20
_MAPPED_BYTES = 64 << 10
# Of each living block its memory file and size. No weak set: from one, another thread can take a block that is just being closed.
_mapped: dict[int, tuple[int, int]] = {}


@dataclass(frozen=True, slots=True)
class Handle:
    """What another process needs, besides the descriptor, to see the same array."""

    size: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


def allocate(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """A zeroed, writable, C-contiguous array in shareable memory."""
    kind = np.dtype(dtype)
    size = max(1, int(np.prod([int(n) for n in shape], dtype=object)) * kind.itemsize)
    descriptor = _anonymous_file(size)
    block = _map(descriptor, size, writable=True)
    return np.frombuffer(block, dtype=kind, count=int(np.prod(shape, dtype=np.int64))).reshape(shape)


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """The same values, read-only for good, in shareable memory; an array that is not in such memory is copied there."""
    found = locate(array)
    if found is None or not array.flags.c_contiguous:
        copy = allocate(array.shape, array.dtype)
        copy[...] = array
        return freeze(copy)
    block, offset = found
    if not block.writable:
        return array
    readable = _map(os.dup(block.descriptor), len(block), writable=False)
    return np.frombuffer(readable, dtype=array.dtype, count=array.size, offset=offset).reshape(array.shape)


def share(array: NDArray[Any]) -> tuple[Handle, int]:
    """Handle and descriptor for another process; a copy is made only of an array that is not in shareable memory."""
    found = locate(array)
    if found is None:
        array = freeze(array)
        found = locate(array)
        assert found is not None
        # The frozen copy must outlive the sending: keep it with the descriptor's duplicate, which the caller closes.
        block, offset = found
        return _handle(array, block, offset), os.dup(block.descriptor)
    block, offset = found
    return _handle(array, block, offset), os.dup(block.descriptor)


def attach(handle: Handle, descriptor: int, *, writable: bool = False) -> NDArray[Any]:
    """Map an array that another process shared; takes over (and finally closes) the descriptor."""
    block = _map(descriptor, handle.size, writable=writable)
    return np.ndarray(handle.shape, handle.dtype, block, handle.offset, handle.strides)


def locate(array: NDArray[Any]) -> tuple[Block, int] | None:
    """The block behind an array and the array's offset in it, None for ordinary memory."""
    owner: Any = array
    while owner is not None and not isinstance(owner, Block):
        if isinstance(owner, memoryview):
            owner = owner.obj
        else:
            owner = getattr(owner, "base", None)
    if owner is None or any(s < 0 for s in array.strides):
        return None
    start = np.frombuffer(owner, dtype=np.uint8).__array_interface__["data"][0]
    return owner, int(array.__array_interface__["data"][0]) - int(start)


def write(target: NDArray[Any], values: NDArray[Any]) -> None:
    """``target[...] = values``, into a part of a shared array that this process will not look at again.

    Written through the file, without mapping the pages here: two thirds of the time for a part that was never touched.
    """
    found = locate(target)
    if found is None or not found[0].writable or not target.flags.c_contiguous or target.nbytes < _MAPPED_BYTES or not hasattr(os, "pwrite"):
        target[...] = values
        return
    block, offset = found
    same = np.ascontiguousarray(np.broadcast_to(values, target.shape), dtype=target.dtype)
    view = memoryview(same.reshape(-1).view(np.uint8).data)
    done = 0
    while done < len(view):
        done += os.pwrite(block.descriptor, view[done:], offset + done)


def discard(part: NDArray[Any]) -> None:
    """Give the memory of a part of a shared array back to the system; what it held is lost. Without effect where that cannot be done."""
    found = locate(part)
    if found is None or not found[0].writable or not part.flags.c_contiguous or not hasattr(mmap, "MADV_REMOVE"):
        return
    block, offset = found
    start = -(-offset // mmap.PAGESIZE) * mmap.PAGESIZE
    length = (offset + part.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE - start
    if length > 0:
        try:
            block.madvise(mmap.MADV_REMOVE, start, length)
        except OSError:
            pass  # the memory file lies where holes are not known; it is given back as a whole later


def live_blocks() -> int:
    """How many blocks are mapped in this process."""
    return len(_mapped)


def live_bytes() -> int:
    """Bytes of memory behind the mapped blocks; two mappings of one memory file count once."""
    return sum(dict(list(_mapped.values())).values())


def _handle(array: NDArray[Any], block: Block, offset: int) -> Handle:
    return Handle(len(block), offset, tuple(array.shape), tuple(array.strides), array.dtype.str)


def _anonymous_file(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("negatoscope", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _map(descriptor: int, size: int, *, writable: bool) -> Block:
    access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
    try:
        block = Block(descriptor, size, access=access)
    except BaseException:
        os.close(descriptor)
        raise
    block.descriptor, block.writable = descriptor, writable
    _mapped[id(block)] = (os.fstat(descriptor).st_ino, size)
    return block
