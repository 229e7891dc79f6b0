"""Decoders that misbehave at one frame, for workers only: each replaces the RLE decoder and hands the rest on to the real one."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

import numpy as np

from viewer.io.dicom import decode

BAD = 1
"""The plane whose instance is named f1."""
_real = decode.DECODERS["rle"]


class Panic(BaseException):
    """As a Rust extension raises it: no Exception."""


def _abort() -> None:
    os.abort()


def _segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    while True:
        time.sleep(1)


def _allocate() -> np.ndarray:
    return np.zeros(1 << 36, dtype=np.uint8)


def _wrong_size() -> np.ndarray:
    return np.zeros((3, 5), dtype=np.uint16)


def _write_past_end() -> np.ndarray:
    found = np.zeros((8, 8), dtype=np.uint16)
    ctypes.memset(found.ctypes.data, 0xAA, 1 << 30)
    return found


def _panic() -> None:
    raise Panic("entered unreachable code")


def _run(bad: Any, arguments: dict[str, Any]) -> Any:
    def decoder(stream: bytes, task: decode.FrameTask) -> decode.Decoded:
        if task.path.name == f"f{BAD}":
            return decode.Decoded(bad(), task.photometric, 16)
        return _real(stream, task)

    decode.DECODERS["rle"] = decoder
    try:
        return decode.decode_frames(**arguments)
    finally:
        decode.DECODERS["rle"] = _real  # this worker goes on


def abort(**arguments: Any) -> Any:
    return _run(_abort, arguments)


def segfault(**arguments: Any) -> Any:
    return _run(_segfault, arguments)


def hang(**arguments: Any) -> Any:
    return _run(_hang, arguments)


def allocate(**arguments: Any) -> Any:
    return _run(_allocate, arguments)


def wrong_size(**arguments: Any) -> Any:
    return _run(_wrong_size, arguments)


def write_past_end(**arguments: Any) -> Any:
    return _run(_write_past_end, arguments)


def panic(**arguments: Any) -> Any:
    return _run(_panic, arguments)


def abort_always(**arguments: Any) -> Any:
    os.abort()
