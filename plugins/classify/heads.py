"""Whether a network ends in pooling and a linear layer, found by walking its graph backwards: then its class activation map is exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify.onnx_file import Node, OnnxFacts

_PASSING = frozenset({"Identity", "Dropout", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})
_ENDS = {"Sigmoid": "sigmoid", "Softmax": "softmax", "LogSoftmax": "log-softmax"}
_LONGEST = 40


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The end of a network: ``output = weight @ mean over places of feature + bias``.

    ``feature``: name of the tensor; ``channel_axis``: of it, 1 or -1; ``weight``: (outputs, channels), ``bias``: (outputs,), float64.
    ``activation``: what the graph does to it after: "", "sigmoid", "softmax" or "log-softmax". ``window``: what was pooled in,
    where the graph does not say that it is all of the feature; () where it does.
    """

    feature: str
    channel_axis: int
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    activation: str = ""
    window: tuple[int, ...] = ()

    def maps(self, feature: NDArray[Any], outputs: slice | list[int] = slice(None)) -> NDArray[np.float64]:
        """What each place adds to each output: (N, outputs, places ...); the mean over the places is the output before the activation.

        Raises ValueError where the pooling's window is not all of the feature.
        """
        spread = np.moveaxis(np.asarray(feature, dtype=np.float64), self.channel_axis, 1)
        if self.window and spread.shape[2:] != self.window:
            raise ValueError(f"{spread.shape[2:]} places, of which the network pools {self.window}")
        flat = spread.reshape(*spread.shape[:2], -1)
        weight, bias = self.weight[outputs], self.bias[outputs]
        return np.asarray(weight @ flat + bias[:, None]).reshape(len(flat), len(weight), *spread.shape[2:])


def named_head(facts: OnnxFacts, feature: str, weight: str, bias: str) -> Head | None:
    """The head whose tensors a card names; None where they are not there or do not belong together."""
    found = _matrix(facts, weight)
    if found is None or facts.value(feature) is None:
        return None
    offset = facts.array(bias) if bias else None
    flat = np.zeros(len(found)) if offset is None else np.asarray(offset, dtype=np.float64).ravel()
    if len(flat) != len(found):
        return None
    known = facts.value(feature)
    dims = known.dims if known is not None else None
    is_last = bool(dims) and dims is not None and dims[-1] == found.shape[1] and dims[1] != found.shape[1]
    return Head(feature, -1 if is_last else 1, found, flat)


def _matrix(facts: OnnxFacts, name: str) -> NDArray[np.float64] | None:
    found = facts.array(name) if name else None
    if found is None:
        return None
    weight = np.asarray(found, dtype=np.float64)
    weight = weight.reshape(weight.shape[0], -1) if weight.ndim > 2 and np.prod(weight.shape[2:]) == 1 else weight
    if weight.ndim != 2:
        return None
    # A layer of Keras has its outputs last; whoever multiplies by it says so.
    is_turned = any(node.op == "MatMul" and node.inputs[1:] == (name,) for node in facts.nodes) or any(
        node.op == "Gemm" and node.inputs[1:2] == (name,) and not node.attributes.get("transB", 0) for node in facts.nodes
    )
    return np.asarray(weight.T if is_turned else weight)


def head_of(facts: OnnxFacts, output: str = "") -> Head | None:
    """The head of an output ("" the first), found by analysis; None where the graph ends in another way."""
    return _Walk(facts, output or facts.outputs[0].name).head()


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """``matrix @ x + shift``, or ``factor * x + shift`` where there is no matrix."""

    matrix: NDArray[np.float64] | None = None
    factor: NDArray[np.float64] | float = 1.0
    shift: NDArray[np.float64] | float = 0.0


class _Walk:
    """From an output backwards, through all that is linear, to the pooling."""

    def __init__(self, facts: OnnxFacts, output: str) -> None:
        self.facts, self.name = facts, output
        self.makers: Mapping[str, Node] = {name: node for node in facts.nodes for name in node.outputs}
        self.layers: list[_Layer] = []
        self.activation = ""
        self.window: tuple[int, ...] = ()

    def head(self) -> Head | None:
        for _step in range(_LONGEST):
            node = self.makers.get(self.name)
            if node is None or node.domain not in ("", "ai.onnx") or node.outputs[0] != self.name:
                return None
            axis = self._pooled(node)
            if axis is not None:
                # What is no node's output cannot become one of the graph.
                return self._found(node.inputs[0], axis) if node.inputs[0] in self.makers else None
            if not self._pass(node):
                return None
        return None

    def _found(self, feature: str, axis: int) -> Head | None:
        """All layers as one, from the pooling on; where there is none, a convolution has made a map of each class already."""
        first = next((layer.matrix for layer in reversed(self.layers) if layer.matrix is not None), None)
        channels = first.shape[1] if first is not None else self._channels_of(feature, axis)
        if channels is None:
            return None
        weight, bias = np.eye(channels), np.zeros(channels)
        for layer in reversed(self.layers):
            if layer.matrix is not None:
                weight, bias = layer.matrix @ weight, layer.matrix @ bias + layer.shift
            else:
                weight, bias = np.reshape(layer.factor, (-1, 1)) * weight, layer.factor * bias + layer.shift
        return Head(feature, axis, weight, np.asarray(bias), self.activation, self.window)

    def _channels_of(self, feature: str, axis: int) -> int | None:
        known = self.facts.value(feature)
        size = known.dims[axis] if known is not None and known.dims else None
        if isinstance(size, int):
            return size
        maker = self.makers.get(feature)
        while maker is not None and maker.op in ("Transpose", "Relu", "Identity"):
            maker = self.makers.get(maker.inputs[0])
        weight = self.facts.array(maker.inputs[1]) if maker is not None and maker.op == "Conv" else None
        return None if weight is None else len(weight)

    def _pooled(self, node: Node) -> int | None:
        """The axis of the channels where a node takes the mean over all places; None where it does something else."""
        if node.op == "GlobalAveragePool":
            return 1
        if node.op == "AveragePool":
            return 1 if self._takes_all(node) else None
        if node.op != "ReduceMean":
            return None
        axes = node.attributes.get("axes")
        if axes is None and len(node.inputs) > 1:
            axes = self.facts.array(node.inputs[1])
        if axes is None:
            return None
        chosen = [int(a) for a in np.ravel(np.asarray(axes))]
        if len(chosen) < 2:
            return None  # over steps or tokens: these are no places of a picture
        rank = len(chosen) + 2
        places = sorted(a % rank for a in chosen)
        if places == list(range(2, rank)):
            return 1
        return -1 if places == list(range(1, rank - 1)) else None

    def _takes_all(self, node: Node) -> bool:
        """Whether an average within a window can be that of all places: older exports write the size of the last map there."""
        get = node.attributes.get
        self.window = tuple(int(n) for n in get("kernel_shape", ()))
        known = self.facts.value(node.inputs[0])
        places = known.dims[2:] if known is not None and known.dims else ()
        is_whole = all(not isinstance(n, int) or n == size for n, size in zip(places, self.window, strict=False))
        is_plain = set(get("pads", (0,))) <= {0} and set(get("dilations", (1,))) <= {1} and get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        return bool(self.window) and is_whole and is_plain

    def _pass(self, node: Node) -> bool:
        """Take a node into account and go to what it reads. False where it is none that may stand behind the pooling."""
        # Behind the pooling there is one place: axes may change, as long as the images of a batch stay apart.
        is_turn = node.op == "Transpose" and tuple(node.attributes.get("perm", ()))[:1] == (0,)
        if node.op in _PASSING or is_turn:
            self.name = node.inputs[0]
            return True
        if node.op in _ENDS:
            self.name = node.inputs[0]
            is_last = not self.layers and not self.activation
            self.activation = _ENDS[node.op]
            return is_last
        layer = self._layer(node)
        if layer is not None:
            self.layers.append(layer)
        return layer is not None

    def _layer(self, node: Node) -> _Layer | None:
        inputs, get = node.inputs, node.attributes.get
        if node.op in ("Add", "Sub", "Mul", "Div"):
            return self._elementwise(node)
        parts = [self._constant(name) if name else np.zeros(1) for name in inputs[1:]]
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        self.name = inputs[0]
        weight, bias = known[0], np.ravel(known[1]) if len(known) > 1 else 0.0
        if node.op == "BatchNormalization" and len(known) == 4:
            factor = np.ravel(weight) / np.sqrt(np.ravel(known[3]) + float(get("epsilon", 1e-5)))
            return _Layer(factor=factor, shift=bias - np.ravel(known[2]) * factor)
        if node.op == "MatMul" and weight.ndim == 2:
            return _Layer(weight.T)
        if node.op == "Gemm" and weight.ndim == 2 and not get("transA", 0):
            return _Layer((weight if get("transB", 0) else weight.T) * float(get("alpha", 1.0)), shift=bias * float(get("beta", 1.0)))
        is_point = node.op == "Conv" and weight.ndim > 2 and weight[0, 0].size == 1
        is_plain = get("group", 1) == 1 and set(get("strides", (1,))) <= {1} and set(get("pads", (0,))) <= {0}
        return _Layer(weight.reshape(len(weight), -1), shift=bias) if is_point and is_plain else None

    def _elementwise(self, node: Node) -> _Layer | None:
        first, second = (self._constant(name) for name in node.inputs)
        if (first is None) == (second is None) or (first is not None and node.op in ("Sub", "Div")):
            return None
        known = second if second is not None else first
        if known is None or max(known.shape, default=1) != known.size:
            return None
        self.name = node.inputs[0] if second is not None else node.inputs[1]
        values = np.ravel(known)
        if node.op in ("Add", "Sub"):
            return _Layer(shift=values if node.op == "Add" else -values)
        if node.op == "Div" and not values.all():
            return None
        return _Layer(factor=values if node.op == "Mul" else 1 / values)

    def _constant(self, name: str) -> NDArray[np.float64] | None:
        found = self.facts.array(name)
        return None if found is None or found.dtype.kind not in "fiu" else np.asarray(found, dtype=np.float64)
