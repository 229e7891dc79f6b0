"""The parts of an ONNX file as values: what goes in and out, nodes, constant tensors. Made by :mod:`plugins.classify.onnx_file`."""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import wire
from plugins.classify.wire import Damaged, Span
from viewer.api import ModelUnusable, gettext

DTYPES: Mapping[int, str] = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool", 10: "float16", 11: "float64",
    12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
}  # fmt: skip
"""TensorProto.DataType by numpy's names; newer ones (8 bits and less) are ``type17`` and so on."""
_TYPED = {4: "<f4", 10: "<f8"}
_RAW = 9


@dataclass(frozen=True, slots=True)
class ValueFact:
    """An input, output or value between. ``dims`` None: even their number is not said; within: a size, a free size's name, or None."""

    name: str
    dtype: str = ""
    """numpy's name; "" where the file does not say or ``kind`` is no tensor."""
    dims: tuple[int | str | None, ...] | None = None
    kind: str = "tensor"


@dataclass(frozen=True, slots=True)
class Weights:
    """A constant tensor of the file, by where its numbers lie; :meth:`OnnxFacts.array` reads them."""

    name: str
    dtype: str
    dims: tuple[int, ...]
    spans: tuple[tuple[int, int, Span], ...] = field(default=(), repr=False)
    """(field, wire type, place) of each piece."""
    external: Mapping[str, str] = field(default_factory=dict)
    """Where the numbers lie in another file: location, offset, length, checksum."""
    is_external: bool = False

    @property
    def size(self) -> int:
        return math.prod(self.dims)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. ``attributes``: numbers, texts (bytes), Weights, Graphs, or tuples of them."""

    op: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    domain: str = ""

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """The graphs within it: a loop's body, branches."""
        parts = (v if isinstance(v, tuple) else (v,) for v in self.attributes.values())
        return tuple(part for several in parts for part in several if isinstance(part, Graph))


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order in which they run, and what goes in and out."""

    name: str
    inputs: tuple[ValueFact, ...] = ()
    """All that the file lists; older files list the weights here, too (:attr:`OnnxFacts.inputs` leaves them out)."""
    outputs: tuple[ValueFact, ...] = ()
    values: tuple[ValueFact, ...] = ()
    """What the file says of values between."""
    nodes: tuple[Node, ...] = ()
    weights: Mapping[str, Weights] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """An ONNX file, read. ``content`` are its bytes; :meth:`light` is without them, to be sent or kept."""

    ir_version: int
    opsets: Mapping[str, int]
    """By domain; "" is ONNX's own."""
    producer: str
    producer_version: str
    graph: Graph
    functions: tuple[Node, ...] = ()
    """Functions that the file brings, by domain and name; what they are made of is among :meth:`every_node`."""
    bodies: tuple[Graph, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    content: bytes = field(default=b"", repr=False, compare=False)
    beside: Mapping[str, Path] = field(default_factory=dict, compare=False)
    """Files with weights that :meth:`array` may read, by the name that the model calls them; whoever sets it knows that they may be."""

    @property
    def inputs(self) -> tuple[ValueFact, ...]:
        """What has to be given: inputs without a weight of the same name."""
        return tuple(value for value in self.graph.inputs if value.name not in self.graph.weights)

    @property
    def outputs(self) -> tuple[ValueFact, ...]:
        return self.graph.outputs

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.graph.nodes

    @property
    def weights(self) -> Mapping[str, Weights]:
        return self.graph.weights

    def value(self, name: str) -> ValueFact | None:
        """What the file says of a value of the outermost graph; None if there is none of that name."""
        graph = self.graph
        for known in (graph.outputs, graph.inputs, graph.values):
            for value in known:
                if value.name == name:
                    return value
        if name in graph.weights:
            return ValueFact(name, graph.weights[name].dtype, graph.weights[name].dims)
        return ValueFact(name) if any(name in node.outputs for node in graph.nodes) else None

    def every_graph(self) -> Iterator[Graph]:
        """The graph, those of functions, and those within."""
        waiting = [self.graph, *self.bodies]
        while waiting:
            graph = waiting.pop()
            yield graph
            waiting.extend(inner for node in graph.nodes for inner in node.graphs)

    def every_node(self) -> Iterator[Node]:
        for graph in self.every_graph():
            yield from graph.nodes

    def every_weights(self) -> Iterator[Weights]:
        """All constant tensors, those in attributes too."""
        for graph in self.every_graph():
            yield from graph.weights.values()
            for node in graph.nodes:
                for value in node.attributes.values():
                    yield from (part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Weights))

    def array(self, weights: Weights | str) -> NDArray[Any] | None:
        """The numbers of a constant tensor, read-only where they can be; by name: a weight or the output of a Constant node.

        None where there is no such constant, it lies in a file that is not among :attr:`beside`, or numpy has no such type. Raises
        ModelUnusable where bytes are missing.
        """
        if isinstance(weights, str):
            found = self.graph.weights.get(weights) or self._constant(weights)
            if found is None or isinstance(found, np.ndarray):
                return found
            weights = found
        if weights.dtype not in DTYPES.values() or weights.dtype in ("string", "bfloat16"):
            return None
        if weights.is_external:
            return self._outside(weights)
        try:
            return _numbers(self.content, weights)
        except (Damaged, ValueError) as err:
            raise damaged(self.file, gettext("{name}: {reason}").format(name=weights.name, reason=err.args[0] if err.args else err)) from err

    def _outside(self, weights: Weights) -> NDArray[Any] | None:
        path = self.beside.get(weights.external.get("location", ""))
        if path is None:
            return None
        dtype = np.dtype(weights.dtype).newbyteorder("<")
        try:
            start = int(weights.external.get("offset", "0"))
            if not stat.S_ISREG(path.lstat().st_mode) or not 0 <= start <= path.lstat().st_size - weights.size * dtype.itemsize:
                return None
            with path.open("rb") as file:
                file.seek(start)
                found = file.read(weights.size * dtype.itemsize)
            return np.frombuffer(found, dtype).reshape(weights.dims)
        except (OSError, ValueError):
            return None

    def _constant(self, name: str) -> Weights | NDArray[Any] | None:
        for node in self.graph.nodes:
            if node.op == "Constant" and name in node.outputs:
                for key, value in node.attributes.items():
                    if isinstance(value, Weights):
                        return value
                    if key.startswith("value_") and "string" not in key:
                        return np.asarray(value, np.float32 if "float" in key else np.int64)
        return None

    def labels_of(self, output: str) -> tuple[Any, ...]:
        """The classes by which a ZipMap node gives its scores: numbers or texts, in the order of the scores; () for any other output."""
        for node in self.graph.nodes:
            if node.op == "ZipMap" and output in node.outputs:
                for key in ("classlabels_int64s", "classlabels_strings"):
                    labels = node.attributes.get(key, ())
                    if labels:
                        return tuple(label.decode(errors="replace") if isinstance(label, bytes) else label for label in labels)
        return ()

    def light(self) -> OnnxFacts:
        """Without the bytes: ``array`` has nothing to read then."""
        return replace(self, content=b"")


def damaged(file: str, reason: str) -> ModelUnusable:
    """What to raise of bytes that are no model."""
    return ModelUnusable(
        gettext("{file} is not an ONNX model, or is cut off or damaged ({reason}). Copy or export it again.").format(file=file, reason=reason)
    )


def _numbers(content: bytes, weights: Weights) -> NDArray[Any]:
    """The numbers of a tensor whose bytes are here. Raises Damaged or ValueError where there are too few or too many."""
    dtype = np.dtype(weights.dtype)
    numbers = {number for number, _kind, _span in weights.spans}
    if len(numbers) > 1:
        raise Damaged(gettext("two kinds of data"))
    if numbers == {_RAW}:
        if len(weights.spans) > 1:
            raise Damaged(gettext("data twice"))
        start, end = weights.spans[0][2]
        if end - start != weights.size * dtype.itemsize:
            raise Damaged(gettext("{size} bytes for {count} numbers").format(size=end - start, count=weights.size))
        return np.frombuffer(content, dtype.newbyteorder("<"), weights.size, start).reshape(weights.dims)
    parts = [_typed(content, number, kind, span) for number, kind, span in weights.spans]
    found = np.concatenate(parts) if parts else np.empty(0, np.int64)
    if dtype.kind == "c":
        found = found.astype(found.dtype.newbyteorder("=")).view(dtype)
    elif dtype == np.float16:
        found = found.astype(np.uint16).view(np.float16)
    return found.astype(dtype).reshape(weights.dims)


def _typed(content: bytes, number: int, kind: int, span: Span) -> NDArray[Any]:
    if number in _TYPED:
        if kind not in (wire.BYTES, wire.FIXED32, wire.FIXED64) or (span[1] - span[0]) % np.dtype(_TYPED[number]).itemsize:
            raise Damaged(gettext("numbers at byte {at}").format(at=span[0]))
        return np.frombuffer(content[span[0] : span[1]], _TYPED[number])
    return wire.varints(content, span)
