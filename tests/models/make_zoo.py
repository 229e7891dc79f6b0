"""Makes the small models of ``tests/models/zoo``: one function for each, named as its file.

``python tests/models/make_zoo.py`` makes all that can be made with what is installed, with names only those. PyTorch and onnx come
with the extra ``train``; the others need ``pip install tensorflow-cpu tf2onnx scikit-learn skl2onnx``. The files are in the repository,
so that tests need none of it. Seeds are fixed; other versions of the libraries may write other bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ZOO = Path(__file__).parent / "zoo"
OPSET, IR = 17, 8
MOST_BYTES = 60_000


# --- exported by PyTorch ---


def _torch(name: str, network: Any, shape: Sequence[int], inputs: str, output: str, free: dict[str, dict[int, str]]) -> None:
    import torch

    torch.onnx.export(
        network.eval(), (torch.zeros(*shape),), str(ZOO / f"{name}.onnx"), input_names=[inputs], output_names=[output], dynamic_axes=free,
        opset_version=OPSET, dynamo=False,
    )  # fmt: skip


def _blocks(channels: int, widths: Sequence[int], dims: int = 2) -> list[Any]:
    import torch

    conv, norm, pool = (getattr(torch.nn, f"{part}{dims}d") for part in ("Conv", "BatchNorm", "MaxPool"))
    parts: list[Any] = []
    for width in widths:
        parts += [conv(channels, width, 3, padding=1), norm(width), torch.nn.ReLU(), pool(2)]
        channels = width
    return parts


def _classifier(channels: int, widths: Sequence[int], outputs: int, last: Sequence[Any] = (), dims: int = 2) -> Any:
    import torch

    torch.manual_seed(7)
    pool = getattr(torch.nn, f"AdaptiveAvgPool{dims}d")(1)
    return torch.nn.Sequential(*_blocks(channels, widths, dims), pool, torch.nn.Flatten(), torch.nn.Linear(widths[-1], outputs), *last)


def torch_cnn() -> None:
    """[N, 1, 32, 32] to one logit: convolutions, global average pooling, linear."""
    _torch("torch_cnn", _classifier(1, (8, 16), 1), (1, 1, 32, 32), "film", "logit", {"film": {0: "N"}, "logit": {0: "N"}})


def torch_point() -> None:
    """[N, 1, 24, 20] to two logits: a 1 x 1 convolution makes a map of each class, pooling is the last thing."""
    import torch
    from torch import nn

    torch.manual_seed(9)
    network = nn.Sequential(*_blocks(1, (8, 12)), nn.Conv2d(12, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    _torch("torch_point", network, (1, 1, 24, 20), "film", "logits", {"film": {0: "N"}, "logits": {0: "N"}})


def torch_dynamo() -> None:
    """The network of torch_cnn as PyTorch exports it by default today: large weights in a file beside it, the pooling as ReduceMean."""
    import onnxscript  # noqa: F401  the exporter needs it; said here if it is missing
    import torch

    free = ({0: torch.export.Dim("N")},)
    network = _classifier(1, (8, 16), 1).eval()
    torch.onnx.export(
        network, (torch.zeros(2, 1, 32, 32),), str(ZOO / "torch_dynamo.onnx"), input_names=["film"], output_names=["logit"], dynamic_shapes=free,
        dynamo=True,
    )  # fmt: skip


def torch_softmax() -> None:
    """[N, 3, 24, 24] (colour) to three probabilities: softmax within."""
    import torch

    network = _classifier(3, (8, 12), 3, (torch.nn.Softmax(1),))
    _torch("torch_softmax", network, (1, 3, 24, 24), "picture", "probabilities", {"picture": {0: "N"}, "probabilities": {0: "N"}})


def torch_multilabel() -> None:
    """[N, 1, 32, 32] to four probabilities that need not add up to 1: sigmoid within."""
    import torch

    network = _classifier(1, (8, 12), 4, (torch.nn.Sigmoid(),))
    _torch("torch_multilabel", network, (1, 1, 32, 32), "film", "findings", {"film": {0: "N"}, "findings": {0: "N"}})


def torch_neighbours() -> None:
    """[1, 3, 32, 32] with the batch fixed, a plane and its neighbours as channels, to two logits."""
    _torch("torch_neighbours", _classifier(3, (8, 12), 2), (1, 3, 32, 32), "planes", "logits", {})


def torch_cnn3d() -> None:
    """[N, 1, 8, 16, 16] (a block of planes) to one logit."""
    _torch("torch_cnn3d", _classifier(1, (4, 8), 1, dims=3), (1, 1, 8, 16, 16), "volume", "logit", {"volume": {0: "N"}, "logit": {0: "N"}})


def torch_cnn_lstm() -> None:
    """[1, T, 1, 24, 24] (planes one after the other, as many as there are) to two logits: a CNN, then an LSTM."""
    import torch

    torch.manual_seed(7)

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.see = torch.nn.Sequential(*_blocks(1, (4, 8)), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
            self.remember = torch.nn.LSTM(8, 8, batch_first=True)
            self.judge = torch.nn.Linear(8, 2)

        def forward(self, planes: Any) -> Any:
            batch, count = planes.shape[:2]
            seen = self.see(planes.reshape(batch * count, *planes.shape[2:])).reshape(batch, count, 8)
            return self.judge(self.remember(seen)[0][:, -1])

    _torch("torch_cnn_lstm", Network(), (1, 5, 1, 24, 24), "sequence", "logits", {"sequence": {1: "T"}})


def torch_features_lstm() -> None:
    """[1, T, 16] (features of planes one after the other) to one logit."""
    import torch

    torch.manual_seed(7)

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.remember = torch.nn.GRU(16, 8, batch_first=True)
            self.judge = torch.nn.Linear(8, 1)

        def forward(self, features: Any) -> Any:
            return self.judge(self.remember(features)[0][:, -1])

    _torch("torch_features_lstm", Network(), (1, 5, 16), "features", "logit", {"features": {1: "T"}})


def torch_encoder() -> None:
    """[N, 1, 24, 20] (single planes) to 16 features of each, [N, 16, 1, 1]: what torch_features_lstm takes in sequence."""
    import torch

    torch.manual_seed(11)
    network = torch.nn.Sequential(*_blocks(1, (8, 16)), torch.nn.AdaptiveAvgPool2d(1))
    _torch("torch_encoder", network, (1, 1, 24, 20), "plane", "pooled", {"plane": {0: "N"}, "pooled": {0: "N"}})


# --- exported by Keras and scikit-learn ---


def keras_four_blocks() -> None:
    """The CNN of textbooks: [None, 224, 224, 3], four times convolution and pooling, one hidden layer, one sigmoid; NHWC."""
    import keras
    import tensorflow as tf
    import tf2onnx

    keras.utils.set_random_seed(7)
    parts: list[Any] = [keras.Input((224, 224, 3), name="input_1")]
    for width in (4, 4, 8, 8):
        parts += [keras.layers.Conv2D(width, (3, 3), activation="relu"), keras.layers.MaxPooling2D((2, 2))]
    parts += [
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(parts)
    signature = (tf.TensorSpec((None, 224, 224, 3), tf.float32, name="input_1"),)

    @tf.function(input_signature=signature)
    def call(pixels: Any) -> dict[str, Any]:
        return {"dense_1": model(pixels, training=False)}

    tf2onnx.convert.from_function(call, input_signature=signature, opset=OPSET, output_path=str(ZOO / "keras_four_blocks.onnx"))


def keras_pooled() -> None:
    """[None, 40, 32, 3] (NHWC) to three probabilities: convolutions, global average pooling, one dense layer with softmax."""
    import keras
    import tensorflow as tf
    import tf2onnx

    keras.utils.set_random_seed(8)
    parts: list[Any] = [keras.Input((40, 32, 3), name="picture")]
    for width in (8, 12):
        parts += [keras.layers.Conv2D(width, (3, 3), padding="same", activation="relu"), keras.layers.MaxPooling2D((2, 2))]
    parts += [keras.layers.GlobalAveragePooling2D(), keras.layers.BatchNormalization(), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential(parts)
    model.layers[-2].set_weights([np.linspace(0.5, 1.5, 12), np.linspace(-1, 1, 12), np.linspace(0, 0.2, 12), np.linspace(0.5, 2, 12)])
    signature = (tf.TensorSpec((None, 40, 32, 3), tf.float32, name="picture"),)

    @tf.function(input_signature=signature)
    def call(pixels: Any) -> dict[str, Any]:
        return {"probabilities": model(pixels, training=False)}

    tf2onnx.convert.from_function(call, input_signature=signature, opset=OPSET, output_path=str(ZOO / "keras_pooled.onnx"))


def _digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(n_class=3, return_X_y=True)
    return pixels.astype(np.float32), digits


def _sklearn(name: str, model: Any, *, zipmap: bool) -> None:
    from skl2onnx import to_onnx

    made = to_onnx(model, _digits()[0][:1], options={id(model): {"zipmap": zipmap}}, target_opset={"": OPSET, "ai.onnx.ml": 3})
    (ZOO / f"{name}.onnx").write_bytes(made.SerializeToString())


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000).fit(*_digits())


def sklearn_logistic() -> None:
    """[None, 64] (8 x 8 pixels of 0..16 in one row) to a label and three probabilities as an array."""
    _sklearn("sklearn_logistic", _logistic(), zipmap=False)


def sklearn_logistic_zipmap() -> None:
    """The same with skl2onnx's own ending: a label and a list of maps from label to probability."""
    _sklearn("sklearn_logistic_zipmap", _logistic(), zipmap=True)


def sklearn_two() -> None:
    """Zero or one: of two classes the converter's linear node gives both, each by its sigmoid."""
    from sklearn.linear_model import LogisticRegression

    pixels, digits = _digits()
    _sklearn("sklearn_two", LogisticRegression(max_iter=2000).fit(pixels[digits < 2], digits[digits < 2]), zipmap=False)


def sklearn_bayes() -> None:
    """Gaussian naive Bayes: its probabilities come out of plain arithmetic (an Exp), no activation."""
    from sklearn.naive_bayes import GaussianNB

    _sklearn("sklearn_bayes", GaussianNB(var_smoothing=1e-2).fit(*_digits()), zipmap=False)


def sklearn_forest_zipmap() -> None:
    """A random forest on the same pixels; the classes are texts."""
    from sklearn.ensemble import RandomForestClassifier

    pixels, digits = _digits()
    named = np.array(["zero", "one", "two"])[digits]
    _sklearn("sklearn_forest_zipmap", RandomForestClassifier(12, max_depth=5, random_state=7).fit(pixels, named), zipmap=True)


# --- made by hand: what comes out can be told beforehand ---


def _by_hand(name: str, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], weights: dict[str, Any] | None = None) -> None:
    import onnx
    from onnx import helper, numpy_helper

    constants = [numpy_helper.from_array(np.asarray(value), key) for key, value in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), name, list(inputs), list(outputs), initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="negatoscope zoo")
    model.ir_version = IR
    onnx.checker.check_model(model)
    onnx.save(model, ZOO / f"{name}.onnx")


def _value(name: str, dims: Sequence[int | str | None], kind: str = "FLOAT") -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, getattr(TensorProto, kind), list(dims))


def _node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(op, list(inputs), list(outputs), **attributes)


_PICTURE = ("N", 1, "H", "W")


def denoise() -> None:
    """A picture of any size to one of the same: the mean of 3 x 3, edges repeated."""
    weights = {"around": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "mean": np.full((1, 1, 3, 3), 1 / 9, np.float32)}
    nodes = [_node("Pad", ["noisy", "around"], ["padded"], mode="edge"), _node("Conv", ["padded", "mean"], ["smooth"])]
    _by_hand("denoise", nodes, [_value("noisy", _PICTURE)], [_value("smooth", _PICTURE)], weights)


def enlarge() -> None:
    """Super-resolution: a picture of any size to one of twice the rows and columns, each pixel four times."""
    weights = {"none": np.zeros(0, np.float32), "twice": np.array([1, 1, 2, 2], np.float32)}
    node = _node("Resize", ["small", "none", "twice"], ["large"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    _by_hand("enlarge", [node], [_value("small", _PICTURE)], [_value("large", ("N", 1, "H2", "W2"))], weights)


def enlarge_linear() -> None:
    """Super-resolution: the same, between the centres of four pixels (half a pixel repeats the edge)."""
    weights = {"none": np.zeros(0, np.float32), "more": np.array([1, 1, 2, 3], np.float32)}
    node = _node("Resize", ["small", "none", "more"], ["large"], mode="linear", coordinate_transformation_mode="half_pixel")
    _by_hand("enlarge_linear", [node], [_value("small", _PICTURE)], [_value("large", ("N", 1, "H2", "W3"))], weights)


def _levels() -> dict[str, Any]:
    # Class 1 wins over 0.25, class 2 over 0.75.
    factors, offsets = np.array([0, 20, 60], np.float32), np.array([0, -5, -35], np.float32)
    return {"factors": factors.reshape(3, 1, 1, 1), "offsets": offsets}


def segment_softmax() -> None:
    """A picture of any size with levels 0..1 to three probabilities for each pixel: below 0.25, up to 0.75, over it."""
    nodes = [_node("Conv", ["image", "factors", "offsets"], ["logits"]), _node("Softmax", ["logits"], ["probabilities"], axis=1)]
    _by_hand("segment_softmax", nodes, [_value("image", _PICTURE)], [_value("probabilities", ("N", 3, "H", "W"))], _levels())


def segment_argmax() -> None:
    """The same, with the labels 0, 1, 2 as int64, without an axis for classes."""
    nodes = [_node("Conv", ["image", "factors", "offsets"], ["logits"]), _node("ArgMax", ["logits"], ["labels"], axis=1, keepdims=0)]
    _by_hand("segment_argmax", nodes, [_value("image", _PICTURE)], [_value("labels", ("N", "H", "W"), "INT64")], _levels())


def segment_fixed() -> None:
    """One logit for each pixel of [N, 1, 16, 16]: 20 (level - 0.5)."""
    weights = {"factor": np.full((1, 1, 1, 1), 20, np.float32), "offset": np.array([-10], np.float32)}
    node = _node("Conv", ["image", "factor", "offset"], ["logit"])
    _by_hand("segment_fixed", [node], [_value("image", ("N", 1, 16, 16))], [_value("logit", ("N", 1, 16, 16))], weights)


def mean_level() -> None:
    """The simplest classifier there is: the mean of a picture of any size, as a logit."""
    nodes = [_node("GlobalAveragePool", ["image"], ["mean"]), _node("Flatten", ["mean"], ["logit"])]
    _by_hand("mean_level", nodes, [_value("image", _PICTURE)], [_value("logit", ("N", 1))])


def tells_strange() -> None:
    """The mean of a picture as a logit, and how far its levels lie from 100 in the mean as a number of its own."""
    nodes = [
        _node("GlobalAveragePool", ["image"], ["mean"]), _node("Flatten", ["mean"], ["logit"]), _node("Sub", ["image", "usual"], ["off"]),
        _node("Abs", ["off"], ["far"]), _node("GlobalAveragePool", ["far"], ["distance"]), _node("Flatten", ["distance"], ["unfamiliar"]),
    ]  # fmt: skip
    outputs = [_value("logit", ("N", 1)), _value("unfamiliar", ("N", 1))]
    _by_hand("tells_strange", nodes, [_value("image", _PICTURE)], outputs, {"usual": np.float32(100)})


def gives_nan() -> None:
    """The logarithm of levels below 0: NaN, without an error."""
    nodes = [
        _node("Sub", ["image", "ten"], ["below"]), _node("Log", ["below"], ["log"]), _node("GlobalAveragePool", ["log"], ["mean"]),
        _node("Flatten", ["mean"], ["logit"]),
    ]  # fmt: skip
    _by_hand("gives_nan", nodes, [_value("image", ("N", 1, 8, 8))], [_value("logit", ("N", 1))], {"ten": np.float32(10)})


def _loop(name: str, body_nodes: Sequence[Any], carried: tuple[str, str], dims: Sequence[int | str | None]) -> None:
    """Loop of 2^60 rounds over the mean of the image; ``carried``: names in the body before and after a round."""
    from onnx import helper

    inputs = [_value("round", (), "INT64"), _value("go_on", (), "BOOL"), _value(carried[0], dims)]
    outputs = [_value("still", (), "BOOL"), _value(carried[1], dims)]
    body = helper.make_graph([_node("Identity", ["go_on"], ["still"]), *body_nodes], "body", inputs, outputs)
    nodes = [
        _node("GlobalAveragePool", ["image"], ["mean"]), _node("Flatten", ["mean"], ["row"]), _node("Reshape", ["row", "flat"], ["start"]),
        _node("Loop", ["rounds", "true", "start"], ["end"], body=body), _node("ReduceMean", ["end"], ["one"], keepdims=0),
        _node("Reshape", ["one", "as_logit"], ["logit"]),
    ]  # fmt: skip
    weights = {"rounds": np.int64(1 << 60), "true": np.bool_(True), "flat": np.array([-1], np.int64), "as_logit": np.array([1, 1], np.int64)}
    _by_hand(name, nodes, [_value("image", (1, 1, 8, 8))], [_value("logit", (1, 1))], weights)


def hangs() -> None:
    """A loop of 2^60 rounds: it never comes back."""
    _loop("hangs", [_node("Sin", ["level"], ["next"])], ("level", "next"), (None,))


def hungry() -> None:
    """A loop that doubles what it holds in each round: it takes all memory that it gets."""
    _loop("hungry", [_node("Concat", ["level", "level"], ["next"], axis=0)], ("level", "next"), (None,))


def hungry_constant() -> None:
    """Asks for a constant of 400 GB in a file of some hundred bytes."""
    nodes = [
        _node("GlobalAveragePool", ["image"], ["mean"]), _node("Flatten", ["mean"], ["row"]), _node("Cast", ["row"], ["whole"], to=7),
        _node("Mul", ["whole", "none"], ["zero"]), _node("Reshape", ["zero", "flat"], ["zeros"]), _node("Add", ["zeros", "huge"], ["size"]),
        _node("ConstantOfShape", ["size"], ["filled"]), _node("ReduceMax", ["filled"], ["one"], keepdims=0),
        _node("Reshape", ["one", "as_logit"], ["logit"]),
    ]  # fmt: skip
    weights = {
        "none": np.int64(0), "flat": np.array([-1], np.int64), "huge": np.array([10**11], np.int64), "as_logit": np.array([1, 1], np.int64)
    }  # fmt: skip
    _by_hand("hungry_constant", nodes, [_value("image", (1, 1, 8, 8))], [_value("logit", (1, 1))], weights)


def hungry_loading() -> None:
    """Eight constants of 1 GB that depend on nothing: they are made while the model is loaded, before anything is asked."""
    count = 8
    nodes = [_node("ConstantOfShape", [f"size{k}"], [f"filled{k}"]) for k in range(count)]
    nodes += [_node("Gather", [f"filled{k}", "place"], [f"zero{k}"]) for k in range(count)]
    nodes += [
        _node("Sum", [f"zero{k}" for k in range(count)], ["zero"]), _node("GlobalAveragePool", ["image"], ["mean"]),
        _node("Flatten", ["mean"], ["row"]), _node("Add", ["row", "zero"], ["logit"]),
    ]  # fmt: skip
    sizes = {f"size{k}": np.array([250_000_000 + k], np.int64) for k in range(count)}
    _by_hand("hungry_loading", nodes, [_value("image", (1, 1, 8, 8))], [_value("logit", (1, 1))], {**sizes, "place": np.int64(5)})


def throws() -> None:
    """Fails when it is run: it takes row 1000 of eight."""
    nodes = [
        _node("GlobalAveragePool", ["image"], ["mean"]), _node("Flatten", ["mean"], ["row"]), _node("Cast", ["row"], ["whole"], to=7),
        _node("Add", ["whole", "far"], ["place"]), _node("Gather", ["eight", "place"], ["logit"]),
    ]  # fmt: skip
    weights = {"far": np.int64(1000), "eight": np.arange(8, dtype=np.float32)}
    _by_hand("throws", nodes, [_value("image", ("N", 1, 8, 8))], [_value("logit", ("N", 1))], weights)


MAKERS: tuple[Callable[[], None], ...] = (
    torch_cnn, torch_dynamo, torch_softmax, torch_multilabel, torch_neighbours, torch_cnn3d, torch_cnn_lstm, torch_features_lstm, torch_encoder,
    torch_point, keras_four_blocks, keras_pooled, sklearn_logistic, sklearn_logistic_zipmap, sklearn_two, sklearn_bayes, sklearn_forest_zipmap,
    denoise, enlarge, enlarge_linear,
    segment_softmax, segment_argmax, segment_fixed, mean_level, tells_strange, gives_nan, hangs, hungry, hungry_constant, hungry_loading, throws,
)  # fmt: skip


def write_facts() -> None:
    """``facts.json``: what the package onnx reads in the files, for the reader of the program to be held against."""
    import json

    import onnx
    from onnx import numpy_helper

    def shape(value: Any) -> Any:
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            return [value.name, kind, None]
        tensor = value.type.tensor_type
        sizes = [d.dim_param or d.dim_value or None for d in tensor.shape.dim] if tensor.HasField("shape") else None
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        return [value.name, "string" if dtype == "object" else dtype, sizes]

    found = {}
    for path in sorted(ZOO.glob("*.onnx")):
        model = onnx.load(path)
        weights = {w.name: numpy_helper.to_array(w) for w in model.graph.initializer}
        found[path.stem] = {
            "ir_version": model.ir_version, "producer": model.producer_name, "opsets": {o.domain: o.version for o in model.opset_import},
            "inputs": [shape(v) for v in model.graph.input], "outputs": [shape(v) for v in model.graph.output],
            "nodes": [[n.op_type, n.domain, list(n.input), list(n.output), sorted(a.name for a in n.attribute)] for n in model.graph.node],
            "weights": {name: [w.dtype.name, list(w.shape), float(w.astype(np.float64).sum())] for name, w in weights.items()},
        }  # fmt: skip
    (ZOO / "facts.json").write_text(json.dumps(found, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


def main(names: Sequence[str]) -> None:
    """Make the named models, or all; says which cannot be made for want of a package."""
    ZOO.mkdir(exist_ok=True)
    for maker in MAKERS:
        if names and maker.__name__ not in names:
            continue
        try:
            maker()
        except ImportError as err:
            print(f"{maker.__name__}: left as it is, {err.name} is not installed")
            continue
        size = (ZOO / f"{maker.__name__}.onnx").stat().st_size
        print(f"{maker.__name__}: {size} bytes")
        if size > MOST_BYTES:
            raise SystemExit(f"{maker.__name__} is larger than {MOST_BYTES} bytes")
    write_facts()


if __name__ == "__main__":
    main(sys.argv[1:])
