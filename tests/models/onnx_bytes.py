"""Model files read and extended by their bytes alone, apart from the program's own reader (onnx.proto)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def with_output(model: bytes, name: str) -> bytes:
    """The model with the tensor `name` as a further output: protocol buffers join repeated fields of appended messages.

    ModelProto.graph is field 7, GraphProto.output field 12, ValueInfoProto.name field 1 and .type field 2 (a float tensor).
    """

    def field(number: int, inside: bytes) -> bytes:
        return bytes([number << 3 | 2, len(inside)]) + inside

    return model + field(7, field(12, field(1, name.encode()) + field(2, field(1, b"\x08\x01"))))


def initialiser(path: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A stored float tensor, found by its name: TensorProto writes name (field 8), then raw_data (field 9, length as a varint)."""
    model, key = path.read_bytes(), bytes([8 << 3 | 2, len(name)]) + name.encode() + bytes([9 << 3 | 2])
    at = model.index(key) + len(key)
    while model[at] & 0x80:
        at += 1
    return np.frombuffer(model, np.float32, int(np.prod(shape)), at + 1).reshape(shape)
