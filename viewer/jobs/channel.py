"""Messages between the program and its workers: Python values through a socket, arrays by file descriptor.

Only our own two ends speak here. Big arrays are never copied into the message: their memory file travels beside it.
"""

from __future__ import annotations

import io
import os
import pickle
import socket
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory

# Below this an array costs less inside the message than as a mapping of its own.
INLINE_BYTES = 8192
_HEADER = struct.Struct("<QI")
_FDS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Writable:
    """Around an array from ``memory.allocate``: the worker gets it writable, so that it can fill the sender's memory."""

    array: NDArray[Any]


class ChannelClosed(Exception):
    """The other end is gone."""


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.descriptors: list[int] = []

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Writable):
            return self._reference(obj.array, True)
        if type(obj) is np.ndarray and obj.nbytes >= INLINE_BYTES and obj.dtype.hasobject is False:
            return self._reference(obj, False)
        return None

    def _reference(self, array: NDArray[Any], writable: bool) -> tuple[int, memory.Handle, bool]:
        handle, descriptor = memory.share(array)
        self.descriptors.append(descriptor)
        return len(self.descriptors) - 1, handle, writable


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, descriptors: list[int]) -> None:
        super().__init__(file)
        self._descriptors = descriptors

    def persistent_load(self, pid: Any) -> Any:
        slot, handle, writable = pid
        return memory.attach(handle, os.dup(self._descriptors[slot]), writable=writable)


def send(connection: socket.socket, message: Any) -> None:
    """Send one value; raises ChannelClosed when the other end is gone."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    try:
        pickler.dump(message)
        body = file.getbuffer()
        descriptors = pickler.descriptors
        connection.sendall(_HEADER.pack(len(body), len(descriptors)))
        for start in range(0, len(descriptors), _FDS_AT_ONCE):
            socket.send_fds(connection, [b"f"], descriptors[start : start + _FDS_AT_ONCE])
        connection.sendall(body)
    except OSError as err:
        raise ChannelClosed from err
    finally:
        for descriptor in pickler.descriptors:
            os.close(descriptor)


def receive(connection: socket.socket) -> Any:
    """The next value; blocks. Raises ChannelClosed when the other end is gone."""
    size, count = _HEADER.unpack(_exactly(connection, _HEADER.size))
    descriptors: list[int] = []
    try:
        while len(descriptors) < count:
            try:
                mark, received, _, _ = socket.recv_fds(connection, 1, min(_FDS_AT_ONCE, count - len(descriptors)))
            except OSError as err:
                raise ChannelClosed from err
            if not mark:
                raise ChannelClosed
            descriptors.extend(received)
        return _Unpickler(io.BytesIO(_exactly(connection, size)), descriptors).load()
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, got = memoryview(data), 0
    while got < size:
        try:
            n = connection.recv_into(view[got:])
        except OSError as err:
            raise ChannelClosed from err
        if n == 0:
            raise ChannelClosed
        got += n
    return data
