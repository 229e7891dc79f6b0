"""Models for tests: those of the zoo in folders with cards, and small ones written field by field, the wrong ones too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from plugins.classify.devices import CPU, CUDA, PROVIDERS
from plugins.classify.wire import encoded, message, number_field
from viewer.core.model_card import InputSpec, ModelCard, OutputSpec, card_of

ZOO = Path(__file__).parents[1] / "models" / "zoo"
FLOAT, INT64, STRING = 1, 7, 8


def other_devices() -> list[Any]:
    """What else than a CPU the installed onnxruntime was built for; one parameter that skips the test where there is nothing."""
    built_for = onnxruntime.get_available_providers()
    found = [name for name, provider in PROVIDERS.items() if provider in built_for and name != CPU]
    return found or [pytest.param(CUDA, marks=pytest.mark.skip(reason="this onnxruntime is for CPUs alone"))]


def zoo_card(folder: Path, name: str, *, takes: dict[str, Any] | None = None, gives: dict[str, Any] | None = None, **changes: Any) -> ModelCard:
    """A model of the zoo (or the bytes ``content``) in a folder of its own, with a card of what it takes and gives."""
    content = changes.pop("content", None)
    content = (ZOO / f"{name}.onnx").read_bytes() if content is None else content
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.onnx").write_bytes(content)
    text = {
        "name": name, "title": name, "version": "1", "task": "binary", "positive": "yes", "sha256": hashlib.sha256(content).hexdigest(),
        "classes": [{"name": "yes", "output": 0}, {"name": "no", "complement_of": "yes"}],
        "input": takes or {}, "output": gives or {},
    }  # fmt: skip
    (place / "card.toml").write_text("".join(f"{key} = {_toml(part)}\n" for key, part in text.items()), encoding="utf-8")
    return replace(card_of(text, place), **changes)


def course_folder(folder: Path) -> Path:
    """Two networks of the zoo as somebody lays them out by hand, in a card without checksums: 8 bits from 0 to 1, 24 x 20 pixels a plane."""
    text = {
        "name": "course", "title": "Course", "version": "1", "task": "binary", "positive": "Ill",
        "classes": [{"name": "Ill", "output": 0}, {"name": "Well", "complement_of": "Ill"}],
        "input": {"layout": "NTF", "height": 24, "width": 20, "batch": 1}, "normalisation": {"scale": 255.0},
        "output": {"activation": "sigmoid"}, "encoder": {"file": "features.onnx", "output": "pooled"},
    }  # fmt: skip
    folder.mkdir(parents=True)
    for name, target in (("torch_features_lstm", "model.onnx"), ("torch_encoder", "features.onnx")):
        (folder / target).write_bytes((ZOO / f"{name}.onnx").read_bytes())
    (folder / "card.toml").write_text("".join(f"{key} = {_toml(part)}\n" for key, part in text.items()), encoding="utf-8")
    return folder


def _toml(part: Any) -> str:
    if isinstance(part, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in part.items()) + "}"
    return f"[{', '.join(map(_toml, part))}]" if isinstance(part, list) else json.dumps(part)


def small(card: ModelCard, **changes: Any) -> ModelCard:
    """The card with another input."""
    return replace(card, input=replace(card.input, **changes))


def value(name: str, dims: Sequence[int | str | None] | None = (1,), dtype: int = FLOAT) -> bytes:
    """A ValueInfoProto; ``dims`` None: without a shape."""
    shape = b""
    if dims is not None:
        sizes = (number_field(1, d) if isinstance(d, int) else message(2, d.encode()) if d else b"" for d in dims)
        shape = message(2, b"".join(message(1, size) for size in sizes))
    return message(1, name.encode()) + message(2, message(1, number_field(1, dtype) + shape))


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], *, domain: str = "", attributes: bytes = b"") -> bytes:
    """A NodeProto."""
    ends = b"".join(message(number, name.encode()) for number, names in ((1, inputs), (2, outputs)) for name in names)
    return ends + message(4, op.encode()) + attributes + (message(7, domain.encode()) if domain else b"")


def weights(name: str, dims: Sequence[int], dtype: int = FLOAT, data: bytes = b"", external: dict[str, str] | None = None) -> bytes:
    """A TensorProto; ``data``: its fields of numbers."""
    sizes = b"".join(number_field(1, size) for size in dims)
    elsewhere = b"".join(message(13, message(1, key.encode()) + message(2, text.encode())) for key, text in (external or {}).items())
    return sizes + number_field(2, dtype) + message(8, name.encode()) + data + elsewhere + (number_field(14, 1) if external is not None else b"")


def floats(name: str, values: np.ndarray) -> bytes:
    """A TensorProto of float32."""
    return weights(name, values.shape, data=message(9, values.astype("<f4").tobytes()))


def ints(name: str, *numbers: int) -> bytes:
    """An attribute of whole numbers."""
    attribute = b"".join(number_field(8, n & (1 << 64) - 1) for n in numbers)
    return message(5, message(1, name.encode()) + attribute + number_field(20, 7))


def graph(
    nodes: Sequence[bytes] = (), inputs: Sequence[bytes] = (), outputs: Sequence[bytes] = (), constants: Sequence[bytes] = (),
    values: Sequence[bytes] = (),
) -> bytes:  # fmt: skip
    """A GraphProto."""
    parts = ((1, nodes), (5, constants), (11, inputs), (12, outputs), (13, values))
    return message(2, b"g") + b"".join(message(number, part) for number, several in parts for part in several)


def model(content: bytes, *, ir_version: int = 8, opset: int = 17, domains: Sequence[tuple[str, int]] = ()) -> bytes:
    """A ModelProto around a graph."""
    others = b"".join(message(8, message(1, domain.encode()) + number_field(2, version)) for domain, version in domains)
    return number_field(1, ir_version) + message(7, content) + message(8, number_field(2, opset)) + others


def good(**changes: Any) -> bytes:
    """The good twin of the bad ones: logit = relu(neg(abs(image))), three nodes, [N, 1, 4, 4]."""
    parts: dict[str, Any] = {
        "nodes": [node("Abs", ["image"], ["a"]), node("Neg", ["a"], ["b"]), node("Relu", ["b"], ["logit"])],
        "inputs": [value("image", ("N", 1, 4, 4))], "outputs": [value("logit", ("N", 1, 4, 4))],
    }  # fmt: skip
    of_model = {key: changes.pop(key) for key in ("ir_version", "opset", "domains") if key in changes}
    return model(graph(**{**parts, **changes}), **of_model)


def nested(depth: int) -> bytes:
    """A graph with ``depth`` branches within one another."""
    inner = graph([node("Identity", ["image"], ["logit"])], outputs=[value("logit")])
    for _ in range(depth):
        attribute = message(5, message(1, b"then_branch") + message(6, inner) + number_field(20, 5))
        inner = graph([node("If", ["image"], ["logit"], attributes=attribute)], [value("image", ("N", 1, 4, 4))], [value("logit", None)])
    return model(inner)


SPEC = {"height": 4, "width": 4}
__all__ = [
    "FLOAT", "INT64", "SPEC", "STRING", "ZOO", "InputSpec", "OutputSpec", "course_folder", "encoded", "floats", "good", "graph", "ints",
    "message", "model", "nested", "node", "number_field", "small", "value", "weights", "zoo_card",
]  # fmt: skip
