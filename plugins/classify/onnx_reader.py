"""From the bytes of an ONNX file to its parts, within bounds: field numbers are those of onnx.proto (IR version 3 and later)."""

from __future__ import annotations

import struct
from typing import Any

from plugins.classify import wire
from plugins.classify.onnx_model import DTYPES, Graph, Node, OnnxFacts, ValueFact, Weights
from plugins.classify.wire import BYTES, FIXED32, VARINT, Damaged, Field, Span
from viewer.api import ModelUnusable, gettext

MOST_NODES = 200_000
MOST_DEPTH = 8
"""Of graphs within graphs (loops, branches)."""
_KINDS = {1: "tensor", 4: "sequence", 5: "map", 7: "opaque", 8: "sparse", 9: "optional"}
_SINGLE = {2: "float", 3: "int", 4: "bytes", 5: "weights", 6: "graph", 22: "sparse"}
_LISTS = {7: "float", 8: "int", 9: "bytes", 10: "weights", 11: "graph", 23: "sparse"}
_PARTS = (5, 6, 10, 11, 22, 23)
"""Values of attributes that are messages: tensors and graphs."""
_DATA = (4, 5, 6, 7, 9, 10, 11)
_EXTERNAL = 1
_LONG = 64
"""So many numbers in a list, and the rest is read at once."""


class Reader:
    """Reads one file. ``model`` raises Damaged where the bytes are none, ModelUnusable where they are more than may be."""

    def __init__(self, content: bytes, file: str) -> None:
        self.content, self.file, self.nodes = content, file, 0

    def model(self) -> OnnxFacts:
        opsets: dict[str, int] = {}
        metadata: dict[str, str] = {}
        texts = {2: "", 3: ""}
        ir_version, graph = 0, None
        functions: list[tuple[Node, Graph]] = []
        for found in wire.fields(self.content, (0, len(self.content))):
            number = found[0]
            if number == 1:
                ir_version = self._int(found)
            elif number in texts:
                texts[number] = self._text(found)
            elif number == 7:
                graph = _once(graph, self._graph(self._span(found), 1))
            elif number == 8:
                domain, version = self._opset(self._span(found))
                opsets[domain] = max(version, opsets.get(domain, 0))
            elif number == 14:
                key, value = self._pair(self._span(found))
                metadata[key] = value
            elif number == 25:
                functions.append(self._function(self._span(found)))
        if not ir_version and graph is None:
            raise Damaged(gettext("no version and no graph"))
        if graph is None:
            raise ModelUnusable(gettext("{file} holds no graph: there is nothing to run. Export the model again.").format(file=self.file))
        return OnnxFacts(
            ir_version, opsets, texts[2], texts[3], graph, tuple(f for f, _ in functions), tuple(b for _, b in functions), metadata,
            self.file, self.content,
        )  # fmt: skip

    # --- graphs and nodes ---

    def _graph(self, span: Span, depth: int) -> Graph:
        if depth > MOST_DEPTH:
            raise ModelUnusable(gettext("{file} nests graphs deeper than {limit}. Such a model is not run.").format(file=self.file, limit=MOST_DEPTH))
        name = ""
        nodes: list[Node] = []
        weights: dict[str, Weights] = {}
        values: dict[int, list[ValueFact]] = {11: [], 12: [], 13: []}
        for found in wire.fields(self.content, span):
            number = found[0]
            if number == 1:
                nodes.append(self._node(self._span(found), depth))
            elif number == 2:
                name = self._text(found)
            elif number in values:
                values[number].append(self._value(self._span(found)))
            elif number == 5:
                self._keep(weights, self._weights(self._span(found)))
            elif number == 15:
                self._keep(weights, self._sparse(self._span(found)))
        return Graph(name, tuple(values[11]), tuple(values[12]), tuple(values[13]), tuple(nodes), weights)

    def _keep(self, weights: dict[str, Weights], found: Weights) -> None:
        if found.name in weights:
            raise Damaged(gettext("two weights named {name}").format(name=found.name))
        weights[found.name] = found

    def _function(self, span: Span) -> tuple[Node, Graph]:
        texts = {1: "", 10: ""}
        nodes: list[Node] = []
        for found in wire.fields(self.content, span):
            if found[0] in texts:
                texts[found[0]] = self._text(found)
            elif found[0] == 7:
                nodes.append(self._node(self._span(found), 1))
            elif found[0] == 11:  # values of attributes that are not given: they may hold graphs and weights, too
                nodes.append(Node("Identity", attributes=dict([self._attribute(self._span(found), 1)])))
        return Node(texts[1], domain=texts[10]), Graph(texts[1], nodes=tuple(nodes))

    def _node(self, span: Span, depth: int) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ModelUnusable(gettext("{file} has more than {limit} nodes. Such a model is not run.").format(file=self.file, limit=MOST_NODES))
        texts = {3: "", 4: "", 7: ""}
        ends: dict[int, list[str]] = {1: [], 2: []}
        attributes: dict[str, Any] = {}
        for found in wire.fields(self.content, span):
            number = found[0]
            if number in ends:
                ends[number].append(self._text(found))
            elif number in texts:
                texts[number] = self._text(found)
            elif number == 5:
                name, value = self._attribute(self._span(found), depth)
                if name in attributes:
                    raise Damaged(gettext("attribute {name} twice").format(name=name))
                attributes[name] = value
        return Node(texts[4], tuple(ends[1]), tuple(ends[2]), attributes, texts[3], texts[7])

    def _attribute(self, span: Span, depth: int) -> tuple[str, Any]:
        name, single, kind = "", None, 0
        lists: dict[int, list[Any]] = {}
        held: set[int] = set()
        at, end = span
        while at < end:
            for found in wire.fields(self.content, (at, end)):
                number, at = found[0], found[3][1]
                if number == 1:
                    name = self._text(found)
                elif number == 20:
                    kind = self._int(found)
                elif number in _SINGLE:
                    held.add(number)
                    values = self._attribute_value(_SINGLE[number], found, depth)
                    if len(values) != 1:
                        raise Damaged(gettext("field {number} at byte {at}").format(number=number, at=found[3][0]))
                    single = _once(single, values[0]) if number in (5, 6, 22) else values[0]
                elif number in _LISTS:
                    held.add(number)
                    known = lists.setdefault(number, [])
                    known.extend(self._attribute_value(_LISTS[number], found, depth))
                    if len(known) == _LONG:  # trees of a forest: millions of numbers, each a field of its own
                        at = self._run(known, found[:2], (at, end))
                        break
        if len(held) > 1 and not held.isdisjoint(_PARTS):
            raise Damaged(gettext("attribute {name} with two kinds of values").format(name=name))  # one could hide behind the other
        if lists or kind in (6, 7, 8, 9, 10, 12):
            return name, tuple(value for values in lists.values() for value in values)
        return name, _default(kind) if single is None else single

    def _run(self, known: list[Any], field: tuple[int, int], span: Span) -> int:
        """Reads on what follows as fields of the same kind, at once; where that ends."""
        key = field[0] << 3 | field[1]
        values: Any = ()
        at = span[0]
        if field == (7, FIXED32):
            values, at = wire.run_of_floats(self.content, key, *span)
        elif field == (8, VARINT):
            values, at = wire.run_of_numbers(self.content, key, *span)
        known.extend(values if isinstance(values, tuple) else values.tolist())
        return at

    def _attribute_value(self, kind: str, found: Field, depth: int) -> list[Any]:
        if kind == "int":
            return self._ints(found)
        if kind == "float":
            return self._floats(found)
        if kind == "bytes":
            return [self._bytes(found)]
        span = self._span(found)
        return [self._weights(span) if kind == "weights" else self._sparse(span) if kind == "sparse" else self._graph(span, depth + 1)]

    # --- tensors and types ---

    def _weights(self, span: Span) -> Weights:
        dims: list[int] = []
        dtype, location, name = 0, 0, ""
        data: list[tuple[int, int, Span]] = []
        external: dict[str, str] = {}
        for found in wire.fields(self.content, span):
            number, kind, _value, place = found
            if number == 1:
                dims.extend(self._ints(found))
            elif number == 2:
                dtype = self._int(found)
            elif number == 8:
                name = self._text(found)
            elif number in _DATA:
                data.append((number, kind, place))
            elif number == 13:
                key, text = self._pair(self._span(found))
                if key in external:
                    raise Damaged(gettext("{key} of the other file twice").format(key=key))
                external[key] = text
            elif number == 14:
                location = self._int(found)
        if min(dims, default=0) < 0:
            raise Damaged(gettext("size {size}").format(size=min(dims)))
        return Weights(name, DTYPES.get(dtype, f"type{dtype}"), tuple(dims), tuple(data), external, location == _EXTERNAL or bool(external))

    def _sparse(self, span: Span) -> Weights:
        """Stands for a sparse tensor by the name of its values; its numbers are not read."""
        parts = {f[0]: self._weights(self._span(f)) for f in wire.fields(self.content, span) if f[0] in (1, 2)}
        if 1 not in parts or any(part.is_external for part in parts.values()):
            raise Damaged(gettext("sparse tensor without values of its own"))
        found = parts[1]
        return Weights(found.name, "sparse", found.dims)

    def _value(self, span: Span) -> ValueFact:
        name, kind = "", None
        for found in wire.fields(self.content, span):
            if found[0] == 1:
                name = self._text(found)
            elif found[0] == 2:
                kind = _once(kind, self._type(self._span(found)))
        kind_name, dtype, dims = kind or ("tensor", "", None)
        return ValueFact(name, dtype, dims, kind_name)

    def _type(self, span: Span) -> tuple[str, str, tuple[int | str | None, ...] | None]:
        result = None
        for found in wire.fields(self.content, span):
            if found[0] == 1:
                result = _once(result, self._tensor_type(self._span(found)))
            elif found[0] in _KINDS:
                result = _once(result, (_KINDS[found[0]], "", None))
        return result or ("tensor", "", None)

    def _tensor_type(self, span: Span) -> tuple[str, str, tuple[int | str | None, ...] | None]:
        dtype, dims = 0, None
        for found in wire.fields(self.content, span):
            if found[0] == 1:
                dtype = self._int(found)
            elif found[0] == 2:
                dims = _once(dims, tuple(self._dim(self._span(f)) for f in wire.fields(self.content, self._span(found)) if f[0] == 1))
        return "tensor", DTYPES.get(dtype, f"type{dtype}") if dtype else "", dims

    def _dim(self, span: Span) -> int | str | None:
        size: int | str | None = None
        for found in wire.fields(self.content, span):
            if found[0] == 1:
                size = self._int(found)
            elif found[0] == 2:
                size = self._text(found) or None
        # Some exporters write -1 or 0 for a size that is free.
        return None if isinstance(size, int) and size <= 0 else size

    # --- single values ---

    def _opset(self, span: Span) -> tuple[str, int]:
        domain, version = "", 0
        for found in wire.fields(self.content, span):
            if found[0] == 1:
                domain = self._text(found)
            elif found[0] == 2:
                version = self._int(found)
        return "" if domain == "ai.onnx" else domain, version

    def _pair(self, span: Span) -> tuple[str, str]:
        texts = {1: "", 2: ""}
        for found in wire.fields(self.content, span):
            if found[0] in texts:
                texts[found[0]] = self._text(found)
        return texts[1], texts[2]

    def _span(self, found: Field) -> Span:
        if found[1] != BYTES:
            raise Damaged(gettext("field {number} at byte {at}").format(number=found[0], at=found[3][0]))
        return found[3]

    def _bytes(self, found: Field) -> bytes:
        start, end = self._span(found)
        return self.content[start:end]

    def _text(self, found: Field) -> str:
        try:
            return self._bytes(found).decode()
        except UnicodeDecodeError as err:
            raise Damaged(gettext("text at byte {at}").format(at=found[3][0])) from err

    def _int(self, found: Field) -> int:
        if found[1] != VARINT:
            raise Damaged(gettext("field {number} at byte {at}").format(number=found[0], at=found[3][0]))
        return wire.signed(found[2])

    def _ints(self, found: Field) -> list[int]:
        if found[1] == VARINT:
            return [wire.signed(found[2])]
        return list(map(int, wire.varints(self.content, self._span(found))))

    def _floats(self, found: Field) -> list[float]:
        start, end = found[3]
        if found[1] not in (BYTES, FIXED32) or (end - start) % 4:
            raise Damaged(gettext("field {number} at byte {at}").format(number=found[0], at=start))
        return list(struct.unpack(f"<{(end - start) // 4}f", self.content[start:end]))


def _once(known: Any, found: Any) -> Any:
    # Protobuf would merge two; what is checked must be what is run, so two are none.
    if known is not None:
        raise Damaged(gettext("a part that may be there once is there twice"))
    return found


def _default(kind: int) -> Any:
    return {1: 0.0, 2: 0, 3: b""}.get(kind)
