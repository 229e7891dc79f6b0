"""What a bare model file says of itself, for a card to be proposed from it. Runs in a worker: a file from anywhere is parsed here."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from plugins.classify import devices, heads, onnx_file, onnx_trust
from plugins.classify.onnx_container import called
from plugins.classify.onnx_model import Node, OnnxFacts, ValueFact
from viewer.api import ModelUnusable, gettext
from viewer.api.models import PROBABILITIES, FileFacts, Tensor, checksum

_CLASS_KEYS = ("classes", "class_names", "labels", "names", "id2label", "categories")
_TITLE_KEYS, _VERSION_KEYS = ("title", "model_name", "name"), ("version", "model_version")
_PASSING = ("Identity", "Cast", "Squeeze", "Reshape", "Flatten", "Unsqueeze", "Transpose", "ZipMap", "ArrayFeatureExtractor")
_ENDS = {
    "Sigmoid": "Sigmoid", "HardSigmoid": "Sigmoid", "Softmax": "Softmax", "LogSoftmax": "LogSoftmax", "Normalizer": "Softmax",
    "TreeEnsembleClassifier": "Softmax", "SVMClassifier": "Softmax",
}  # fmt: skip
"""Nodes at whose end scores lie between 0 and 1 (or are logarithms of such), and what that amounts to."""
_CLASS_ATTRIBUTES = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_RECURRENT = ("LSTM", "GRU", "RNN")
_FARTHEST, _LONGEST, _MOST_CLASSES, _MOST_REDUCTION = 12, 80, 1000, 256


def read(path: str) -> FileFacts:
    """The facts of an ONNX file. Raises ModelUnusable where it is none, or not one that may be run."""
    file = Path(path)
    found = onnx_file.facts(file)
    beside = _external(found, file)
    onnx_trust.check_content(found, file.parent, dict(beside), devices.known_versions(found.ir_version, found.opsets.get("", 0)))
    notes = {key: value.strip() for key, value in found.metadata.items() if value.strip()}
    makers = {name: node for node in found.nodes for name in node.outputs if name}
    return FileFacts(
        stem=file.parent.name if file.name == "model.onnx" else file.stem,
        sha256=checksum(file),
        nbytes=file.stat().st_size,
        opset=found.opsets.get("", found.opsets.get("ai.onnx", 0)),
        producer=" ".join(part for part in (found.producer, found.producer_version) if part and part != "None"),
        inputs=tuple(_tensor(value) for value in found.inputs),
        outputs=tuple(_output(value, makers, has_label=_has_label(found)) for value in found.outputs),
        is_recurrent=any(node.op in _RECURRENT for node in found.every_node()),
        input_is_scaled=_scales_its_input(found),
        version=_note(notes, _VERSION_KEYS),
        title=_note(notes, _TITLE_KEYS),
        classes=_classes(found, notes),
        metadata=tuple((key, value[:_LONGEST]) for key, value in sorted(notes.items())),
        external=beside,
        reduction=_reduction(found),
        feature=_feature(replace(found, beside={name: file.parent / name for name, _sum in beside})),
    )


def _feature(found: OnnxFacts) -> str:
    for value in found.outputs:
        head = heads.head_of(found, value.name)
        if head is not None:
            return head.feature
    return ""


def _reduction(found: OnnxFacts) -> int:
    """The product of the strides on the way to the smallest map, as far as nodes say them; 1 where they say none."""
    factors: dict[str, float] = {value.name: 1.0 for value in found.inputs}
    most = 1.0
    for node in found.nodes:
        known = [factors[name] for name in node.inputs if name in factors]
        if not known:
            continue
        factor = max(known)
        stride = max((int(n) for n in node.attributes.get("strides", ())), default=1)
        if node.op in ("Conv", "MaxPool", "AveragePool", "LpPool"):
            factor *= max(1, stride)
        elif node.op == "ConvTranspose":
            factor /= max(1, stride)
        elif node.op in ("Resize", "Upsample"):
            factor /= 2
        most = max(most, factor)
        factors.update(dict.fromkeys(node.outputs, max(1.0, factor)))
    return int(most) if most <= _MOST_REDUCTION else 1


def _tensor(value: ValueFact) -> Tensor:
    dims = value.dims if value.dims is not None else ()
    return Tensor(value.name, value.dtype, tuple(n if isinstance(n, int) and n > 0 else None for n in dims), kind=value.kind)


def _has_label(found: OnnxFacts) -> bool:
    """Whether a classical model gives the class itself beside its scores, one for each input: then exactly one class is true."""
    is_classical = "ai.onnx.ml" in found.opsets or "skl2onnx" in found.producer.lower()
    return is_classical and len(found.outputs) > 1 and any(
        value.kind == "tensor" and not value.dtype.startswith("float") and value.dims is not None and sum(n != 1 for n in value.dims) == 1
        for value in found.outputs
    )  # fmt: skip


def _output(value: ValueFact, makers: Mapping[str, Node], *, has_label: bool) -> Tensor:
    tensor = _tensor(value)
    # Beside a label stand probabilities, whatever arithmetic ends in them; of linear models the node says what it gives.
    end, labels = PROBABILITIES if has_label else "", 0
    for node in _backwards(value.name, makers):
        labels = labels or len(_labels(node))
        if node.op in _ENDS or node.op == "LinearClassifier":
            end = _ENDS.get(node.op) or _after(node)
            end = PROBABILITIES if has_label and end == "Sigmoid" else end
            break
    if value.kind == "tensor":
        return Tensor(tensor.name, tensor.dtype, tensor.shape, end if tensor.dtype.startswith("float") else "")
    # A classical model's scores by name, one dictionary for each input.
    return Tensor(tensor.name, "float32", (None, labels or None), end or "Softmax", "map")


def _after(node: Node) -> str:
    """What a linear classifier does at its end."""
    ending = node.attributes.get("post_transform", b"NONE")
    return {b"LOGISTIC": "Sigmoid", b"SOFTMAX": "Softmax"}.get(ending if isinstance(ending, bytes) else str(ending).encode(), "")


def _backwards(name: str, makers: Mapping[str, Node]) -> Iterator[Node]:
    """The node that makes a value, and those before it, as long as they only pass it on."""
    for _step in range(_FARTHEST):
        node = makers.get(name)
        if node is None:
            return
        yield node
        if node.op not in _PASSING or not node.inputs:
            return
        name = node.inputs[0]


def _scales_its_input(found: OnnxFacts) -> bool:
    """Whether the first thing that is done with the input is to bring 0 to 255 to about 1, as layers of Keras that rescale do."""
    names = {value.name for value in found.inputs}
    for node in found.nodes:
        if not names & set(node.inputs):
            continue
        if node.op in ("Cast", "Transpose", "Identity"):
            names |= set(node.outputs)
            continue
        constants = [found.array(name) for name in node.inputs if name not in names]
        numbers = [np.abs(np.asarray(c, dtype=np.float64)) for c in constants if c is not None and c.size]
        if not numbers or not numbers[0].all():
            return False
        return bool((node.op == "Mul" and numbers[0].max() <= 1 / 50) or (node.op == "Div" and numbers[0].min() >= 50))
    return False


def _note(notes: Mapping[str, str], keys: tuple[str, ...]) -> str:
    known = {key.lower(): value for key, value in notes.items()}
    return next((known[key][:_LONGEST] for key in keys if key in known), "")


def _classes(found: OnnxFacts, notes: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the classes: from what is written beside the graph, else from a classical model's own labels."""
    known = {key.lower(): value for key, value in notes.items()}
    for key in _CLASS_KEYS:
        names = _names_in(known.get(key, ""))
        if names:
            return names
    for node in found.nodes:
        names = _labels(node)
        if names and not all(name.lstrip("-").isdigit() for name in names):
            return names
    return ()


def _labels(node: Node) -> tuple[str, ...]:
    for key in _CLASS_ATTRIBUTES:
        values = node.attributes.get(key)
        if values:
            several = values if isinstance(values, tuple) else (values,)
            return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in several)
    return ()


def _names_in(text: str) -> tuple[str, ...]:
    """Names written as a list, as a dictionary of numbers, or with commas or lines between."""
    value: Any = None
    for read_as in (json.loads, ast.literal_eval):
        try:
            value = read_as(text)
            break
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    if isinstance(value, dict):
        try:
            value = [value[key] for key in sorted(value, key=int)]
        except (TypeError, ValueError):
            return ()
    if value is None:
        value = text.splitlines() if "\n" in text else text.split(",")
    if not isinstance(value, list | tuple):
        return ()
    names = tuple(str(name).strip()[:_LONGEST] for name in value)
    return names if 1 < len(names) <= _MOST_CLASSES and all(names) and len(set(names)) == len(names) else ()


def _external(found: OnnxFacts, file: Path) -> tuple[tuple[str, str], ...]:
    """Files beside the model that hold its weights, with their checksums. Raises ModelUnusable where one is not there, or elsewhere."""
    places = sorted({str(weights.external.get("location", "")) for weights in found.every_weights() if weights.is_external})
    sums = []
    for place in places:
        beside = file.parent / place
        if not place or Path(place).name != place or beside.is_symlink() or not beside.is_file():
            raise ModelUnusable(
                gettext("{name} keeps its weights in the file {place}, which is not beside it. Put both into one folder.").format(
                    name=called(file), place=place or "?"
                )
            )
        sums.append((place, checksum(beside)))
    return tuple(sums)
