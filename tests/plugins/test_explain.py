"""Heat-maps: that they are exact where they say so, find what a network looks at, lie where it lies, and can be stopped."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from plugins.classify import explain, heat, inference, onnx_file, onnx_trust
from plugins.classify.asking import Question
from plugins.classify.feeding import Feed
from plugins.classify.heads import Head, head_of, named_head
from plugins.classify.heat import explained
from plugins.classify.occlusion import occlusion_map
from plugins.classify.rise import rise_map
from tests.models.make_planted import SIDE, images
from tests.plugins.onnx_samples import ZOO, floats, graph, ints, model, node, value, weights, zoo_card
from viewer.core.errors import OperationCancelled, Refused
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.model_card import ExplainSpec, ModelCard, card_of
from viewer.session.models import choose_model, list_models

SQUARE = [{"name": "Square", "output": 0}, {"name": "No square", "complement_of": "Square"}]
TWO = [{"name": "no", "output": 0}, {"name": "yes", "output": 1}]
THREE = [{"name": name, "output": n} for n, name in enumerate(("one", "two", "three"))]


def a_card(folder: Path, name: str, **parts: Any) -> ModelCard:
    """A model of the zoo with a card of these keys; binary where they do not say otherwise."""
    place = zoo_card(folder, name).folder
    digest = hashlib.sha256((place / "model.onnx").read_bytes()).hexdigest()
    text = {"name": name, "title": name, "version": "1", "task": "binary", "classes": SQUARE, "positive": "Square", "sha256": digest}
    return card_of({**text, "input": {}, **parts}, place)


@pytest.fixture
def planted(tmp_path):
    """The network that was trained on images with a planted square."""
    return a_card(
        tmp_path, "planted", input={"name": "image", "height": SIDE, "width": SIDE}, values={"kind": "range", "low": 0, "high": 255},
        normalisation={"scale": 255.0, "mean": [0.5], "std": [0.25]}, output={"name": "logit", "activation": "sigmoid"},
    )  # fmt: skip


def an_image(values: np.ndarray, **facts: Any) -> Image:
    volume = values if values.ndim >= 3 else values[None]
    return Image(volume, Geometry(volume.shape[:3], **facts), range=(float(values.min()), float(values.max())))


def is_inside(overlay, box) -> bool:
    """Whether the maximum of a map lies in a square (top, left, bottom, right) of pixels, by the places of both in space."""
    place = np.unravel_index(int(overlay.values.argmax()), overlay.values.shape)
    x, y, _z = overlay.geometry.to_patient(place)
    return bool(box[0] - 0.5 <= y <= box[2] - 0.5 and box[1] - 0.5 <= x <= box[3] - 0.5)


# --- the planted square ---


@pytest.mark.parametrize(("method", "masks"), [("exact", None), ("occlusion", None), ("rise", 128)])
def test_the_maximum_lies_in_the_planted_square_in_95_of_100_images(planted, method, masks):
    pictures, boxes = images(200, seed=99)
    found = [
        is_inside(explained(planted, an_image(picture), method=method, masks=masks), box)
        for picture, box in zip(pictures[::2], boxes[::2], strict=True)
    ]
    assert len(found) == 100 and sum(found) >= 95


def test_a_map_on_a_turned_spaced_grid_lies_on_the_square_too(planted):
    (picture, *_), (box, *_) = images(2, seed=5)
    turned = Geometry((1, SIDE, SIDE), (7.0, -30.0, 12.0), (2.0, 0.5, 0.25), (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    overlay = explained(planted, Image(picture[None], turned, range=(0, 255)), method="exact")
    place = overlay.geometry.to_patient(np.unravel_index(int(overlay.values.argmax()), overlay.values.shape))
    plane, row, column = turned.to_index(place)
    assert abs(plane) < 1e-9 and box[0] - 0.5 <= row <= box[2] - 0.5 and box[1] - 0.5 <= column <= box[3] - 0.5


# --- exact ---

ENDS = [
    ("torch_cnn", {}, ""),
    ("torch_point", {}, ""),
    ("torch_neighbours", {}, ""),
    ("torch_cnn3d", {}, ""),
    ("torch_softmax", {}, "softmax"),
    ("torch_multilabel", {}, "sigmoid"),
    ("keras_pooled", {}, "softmax"),
    ("planted", {}, ""),
]


@pytest.mark.parametrize(("name", "_changes", "activation"), ENDS)
def test_the_mean_of_the_map_is_the_output_of_the_network(name, _changes, activation):
    path = ZOO / f"{name}.onnx"
    facts = onnx_file.facts(path)
    head = head_of(facts)
    assert head is not None and head.activation == activation
    plain = onnxruntime.InferenceSession(path)
    more = onnxruntime.InferenceSession(onnx_file.with_output(path.read_bytes(), head.feature))
    entry = plain.get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 if entry.shape[0] == 1 else 3 for size in entry.shape]
    given = {entry.name: np.random.default_rng(1).normal(size=shape).astype(np.float32)}
    output = plain.run([facts.outputs[0].name], given)[0].astype(np.float64)
    maps = head.maps(more.run([head.feature], given)[0])
    means = maps.reshape(*maps.shape[:2], -1).mean(axis=2)
    if activation == "softmax":  # up to a constant, which softmax takes away
        output, means = np.log(output), means - np.log(np.exp(means).sum(axis=1, keepdims=True))
    elif activation == "sigmoid":
        output = np.log(output) - np.log1p(-output)
    assert np.abs(means - output).max() < 1e-4 and maps[0, 0].size > 3


def test_the_shipped_models_map_is_exact_by_its_card_and_by_its_graph():
    card = choose_model(list_models()[0], "pneumonia-cxr-28")
    facts = onnx_file.facts(card.model_path)
    by_card, by_graph = named_head(facts, *(getattr(card.explain, k) for k in ("feature", "weight", "bias"))), head_of(facts)
    assert by_card is not None and by_graph is not None and by_card.feature == by_graph.feature == "features"
    assert np.array_equal(by_card.weight, by_graph.weight) and np.array_equal(by_card.bias, by_graph.bias)
    film = np.random.default_rng(3).integers(0, 256, (1, 28, 28), dtype=np.uint8)
    overlay = explained(card, an_image(film), method="exact")
    plain = onnxruntime.InferenceSession(card.model_path)
    logit = plain.run(None, {"film": ((film / 255 - 0.5) / 0.25).astype(np.float32)[None]})[0][0, 0]
    assert overlay.values.shape == (1, 7, 7) and abs(overlay.values.astype(np.float64).mean() - logit) < 1e-4


def channels_last(*between: bytes, axes: tuple[int, ...] = (1, 2)) -> bytes:
    """[N, 4, 6, 3] -> absolute values -> mean over rows and columns -> linear (3 to 2)."""
    nodes = [
        node("Abs", ["image"], ["features"]), node("ReduceMean", ["features"], ["pooled"], attributes=ints("axes", *axes)),
        *between, node("MatMul", ["pooled" if not between else "changed", "w"], ["sums"]), node("Add", ["b", "sums"], ["logits"]),
    ]  # fmt: skip
    constants = [floats("w", np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])), floats("b", np.array([0.5, -1.5]))]
    return model(graph(nodes, [value("image", ("N", 4, 6, 3))], [value("logits", ("N", 2))], constants))


def test_channels_may_come_last():
    content = channels_last()
    head = head_of(onnx_file.facts_of(content, "m"))
    assert head is not None and (head.feature, head.channel_axis) == ("features", -1)
    given = np.random.default_rng(2).normal(size=(2, 4, 6, 3)).astype(np.float32)
    maps = head.maps(np.abs(given))
    expected = np.abs(given.astype(np.float64)) @ np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]]) + [0.5, -1.5]
    assert np.allclose(maps, expected.transpose(0, 3, 1, 2), atol=1e-6)


def test_the_linear_layer_may_lie_in_a_file_beside_the_model(tmp_path):
    """PyTorch's default exporter puts weights there."""
    matrix = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]], "<f4")
    (tmp_path / "m.data").write_bytes(b"\0" * 8 + matrix.tobytes())
    nodes = [node("Abs", ["image"], ["features"]), node("GlobalAveragePool", ["features"], ["pooled"]), node("MatMul", ["pooled", "w"], ["y"])]

    def head(dims=(3, 2), beside="m.data", **where):
        outside = weights("w", dims, external={"location": "m.data", "offset": "8", **where})
        facts = onnx_file.facts_of(model(graph(nodes, [value("image", ("N", 3, 4, 6))], [value("y", ("N", 2))], [outside])), "m")
        return head_of(replace(facts, beside={beside: tmp_path / beside}))

    found = head()
    assert found is not None and np.array_equal(found.weight, matrix.T)
    assert head(beside="other.data") is None, "a file that nobody has named"
    assert head(offset="9") is None and head(offset="x") is None and head(offset="-1") is None
    assert head(dims=(1 << 20, 1 << 20)) is None, "more than there is is not asked for"
    (tmp_path / "m.data").rename(tmp_path / "there.data")
    (tmp_path / "m.data").symlink_to(tmp_path / "there.data")
    assert head() is None, "no link"


def test_axes_may_be_turned_behind_the_pooling_but_not_images():
    """MobileNet of Keras: pooling that keeps its axes, then a convolution, with the channels brought there and back."""
    for perm, is_head in (((0, 1), True), ((1, 0), False)):
        content = channels_last(node("Transpose", ["pooled"], ["changed"], attributes=ints("perm", *perm)))
        head = head_of(onnx_file.facts_of(content, "m"))
        assert (head is not None) == is_head


@pytest.mark.parametrize(
    "content",
    [channels_last(node("Relu", ["pooled"], ["changed"])), channels_last(axes=(1, 3)), channels_last(axes=(1,))],
    ids=["bent", "no pooling", "tokens"],
)
def test_what_is_not_linear_after_pooling_has_no_exact_map(content):
    assert head_of(onnx_file.facts_of(content, "m")) is None


def windowed(*attributes: bytes, size: tuple[int | str, int | str] = (4, 6), said: bool = False) -> bytes:
    """[N, 3, 4, 6] -> absolute values -> mean within a window -> linear (3 to 2): ResNets and DenseNets as older exports write them."""
    nodes = [
        node("Abs", ["image"], ["features"]), node("AveragePool", ["features"], ["pooled"], attributes=b"".join(attributes)),
        node("Flatten", ["pooled"], ["row"]), node("Gemm", ["row", "w", "b"], ["logits"]),
    ]  # fmt: skip
    constants = [floats("w", np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])), floats("b", np.array([0.5, -1.5]))]
    more = [value("features", ("N", 3, *size))] if said else []
    return model(graph(nodes, [value("image", ("N", 3, *size))], [value("logits", ("N", 2))], constants, more))


def test_a_logarithm_of_softmax_may_end_it():
    nodes = [
        node("Abs", ["image"], ["features"]), node("GlobalAveragePool", ["features"], ["pooled"]), node("Flatten", ["pooled"], ["row"]),
        node("LogSoftmax", ["row"], ["logs"]),
    ]  # fmt: skip
    content = model(graph(nodes, [value("image", ("N", 3, 4, 6))], [value("logs", ("N", 3))], (), [value("features", ("N", 3, 4, 6))]))
    head = head_of(onnx_file.facts_of(content, "m"))
    assert head is not None and (head.activation, head.weight.tolist()) == ("log-softmax", np.eye(3).tolist())


def test_a_window_of_all_places_is_pooling_too():
    content = windowed(ints("kernel_shape", 4, 6), ints("pads", 0, 0, 0, 0))
    head = head_of(onnx_file.facts_of(content, "m"))
    assert head is not None and (head.feature, head.channel_axis, head.window) == ("features", 1, (4, 6))
    given = np.random.default_rng(2).normal(size=(2, 3, 4, 6)).astype(np.float32)
    logits = onnxruntime.InferenceSession(content).run(None, {"image": given})[0]
    assert head.maps(np.abs(given)).mean(axis=(2, 3)) == pytest.approx(logits, abs=1e-5)
    larger = np.ones((2, 3, 8, 12), np.float32)
    with pytest.raises(ValueError, match="of which the network pools"):
        head.maps(larger)


@pytest.mark.parametrize(
    "content",
    [
        windowed(ints("kernel_shape", 2, 3), said=True), windowed(ints("kernel_shape", 4, 6), ints("pads", 1, 1, 1, 1)),
        windowed(ints("kernel_shape", 4, 6), ints("dilations", 2, 2)), windowed(),
    ],
    ids=["part", "padded", "spread", "nothing"],
)  # fmt: skip
def test_a_window_of_some_places_is_none(content):
    assert head_of(onnx_file.facts_of(content, "m")) is None


def test_of_a_thousand_classes_next_to_nothing_is_not_what_it_should_be(tmp_path, monkeypatch):
    """Shares of a thousandth each are all within half a hundredth of one another: they are held against the largest of them."""
    rng = np.random.default_rng(6)
    feature, weight = rng.normal(size=(1, 4, 3, 3)), rng.normal(size=(1000, 4))
    sums = weight @ feature.mean(axis=(2, 3))[0]
    shares = np.exp(sums) / np.exp(sums).sum()
    card = a_card(tmp_path, "torch_softmax", task="multi-class", classes=THREE, positive="")
    for activation, given in (("softmax", shares), ("log-softmax", np.log(shares))):
        head = Head("features", 1, weight, np.zeros(1000), activation)
        monkeypatch.setattr(explain, "head", lambda _card, head=head: head)
        assert explain.is_exact(card, feature, given[None])
        assert not explain.is_exact(card, feature, given[::-1][None])


@pytest.mark.filterwarnings("error")
def test_a_network_that_divides_by_nothing_has_no_exact_map_and_says_nothing_of_it():
    nodes = [
        node("Abs", ["image"], ["features"]), node("ReduceMean", ["features"], ["pooled"], attributes=ints("axes", 1, 2)),
        node("Div", ["pooled", "d"], ["logits"]),
    ]  # fmt: skip
    divided = [
        model(graph(nodes, [value("image", ("N", 4, 6, 3))], [value("logits", ("N", 3))], [floats("d", np.array([1.0, by, 2.0]))]))
        for by in (4.0, 0.0)
    ]
    heads = [head_of(onnx_file.facts_of(content, "m")) for content in divided]
    assert heads[1] is None


@pytest.mark.parametrize("name", ["keras_four_blocks", "torch_cnn_lstm", "sklearn_logistic", "mean_level"])
def test_networks_that_end_otherwise_have_no_exact_map(name):
    assert head_of(onnx_file.facts(ZOO / f"{name}.onnx")) is None


def test_every_class_of_several_gets_a_map_from_one_run(tmp_path):
    takes = {"layout": "NHWC", "height": 40, "width": 32, "channels": 3, "name": "picture"}
    card = a_card(tmp_path, "keras_pooled", task="multi-class", classes=THREE, positive="", input=takes, output={"name": "probabilities"})
    image = an_image(np.random.default_rng(4).integers(0, 256, (1, 80, 64, 3), dtype=np.uint8))
    runner = inference.load(card, "auto", explain.wanted(card))
    names = (onnx_trust.output_name(runner.facts, card), *explain.wanted(card))
    shares, feature = runner.run(names, {"picture": Feed(card, image).batch([0])})
    maps = explain.exact_overlays(card, image, 0, {names[1]: feature}, 0)
    assert [m.score for m in maps] == ["one", "two", "three"] and {m.values.shape for m in maps} == {(1, 10, 8)}
    means = np.array([m.values.mean() for m in maps], dtype=np.float64)
    assert np.allclose(np.exp(means) / np.exp(means).sum(), shares[0], atol=1e-5) and explain.is_exact(card, feature, shares)


def test_what_is_left_of_a_class_gets_the_negative_map(planted):
    picture = an_image(images(1, seed=8)[0][0])
    yes, no = (explained(planted, picture, score=name, method="exact").values for name in ("Square", "No square"))
    assert np.array_equal(yes, -no) and yes.max() > 0


def test_a_card_that_names_the_wrong_tensor_gets_no_exact_map_but_occlusion(planted, tmp_path):
    facts = onnx_file.facts(planted.model_path)
    head = head_of(facts)
    gemm = next(n for n in facts.nodes if n.op == "Gemm")
    before = next(n for n in facts.nodes if head.feature in n.outputs).inputs[0]  # the same tensor before its ReLU
    wrong = replace(planted, explain=ExplainSpec(before, gemm.inputs[1], gemm.inputs[2]))
    picture = an_image(images(1, seed=8)[0][0])
    assert explained(wrong, picture).method == "occlusion"
    with pytest.raises(Refused, match="does not add up"):
        explained(wrong, picture, method="exact")


# --- any classifier ---


def test_occlusion_is_the_fall_of_the_logit_when_a_patch_is_covered(tmp_path):
    card = zoo_card(tmp_path, "mean_level", takes={"height": 28, "width": 28}, gives={"activation": "sigmoid"})
    values = np.random.default_rng(0).normal(size=(1, 1, 28, 28)).astype(np.float32)
    question = Question(inference.load(card), card, values, "yes", (28, 28))
    found = occlusion_map(question, reach=1.0, fill="mean")
    # The logit is the mean of the input: a patch of 2 x 2 that becomes the mean changes it by its own part.
    patches = values[0, 0].astype(np.float64).reshape(14, 2, 14, 2).transpose(0, 2, 1, 3).reshape(14, 14, 4)
    assert np.allclose(found, (patches - values.mean()).sum(axis=2) / 784, atol=1e-5)


def test_rise_gives_the_difference_between_left_and_covered(tmp_path):
    card = zoo_card(tmp_path, "mean_level", takes={"height": 32, "width": 32}, gives={"activation": "sigmoid"})
    values = np.zeros((1, 1, 32, 32), np.float32)
    values[0, 0, 4:12, 20:28] = 5
    question = Question(inference.load(card), card, values, "yes", (32, 32))
    found = rise_map(question, count=400, seed=1, cells=8)
    assert np.unravel_index(found.argmax(), found.shape) in [(1, 5), (1, 6), (2, 5), (2, 6)]
    assert abs(np.median(found)) < found.max() / 4
    assert np.array_equal(found, rise_map(question, count=400, seed=1, cells=8))
    assert not np.array_equal(found, rise_map(question, count=400, seed=2, cells=8))


SHAPES: list[tuple[str, dict[str, Any], dict[str, Any], tuple[int, ...]]] = [
    ("keras_four_blocks", {"layout": "NHWC", "height": 224, "width": 224, "channels": 3}, {}, (1, 60, 50)),
    ("torch_neighbours", {"channels": 3, "planes": "neighbours", "height": 32, "width": 32, "batch": 1}, {"activation": "softmax"}, (5, 40, 40)),
    ("torch_cnn3d", {"layout": "NCDHW", "planes": "volume", "depth": 8, "height": 16, "width": 16}, {"activation": "sigmoid"}, (10, 30, 20)),
    (
        "torch_cnn_lstm", {"layout": "NTCHW", "planes": "sequence", "depth": "any", "height": 24, "width": 24, "batch": 1},
        {"activation": "softmax"}, (6, 30, 20),
    ),
    (
        "torch_features_lstm", {"layout": "NTF", "planes": "sequence", "depth": "any", "height": 4, "width": 4, "batch": 1},
        {"activation": "sigmoid"}, (5, 30, 20),
    ),
    ("sklearn_logistic", {"layout": "NF", "height": 8, "width": 8}, {"name": "probabilities"}, (1, 40, 40)),
]  # fmt: skip


@pytest.mark.parametrize("method", ["occlusion", "rise"])
@pytest.mark.parametrize(("name", "takes", "gives", "shape"), SHAPES, ids=[s[0] for s in SHAPES])
def test_any_classifier_can_be_explained(tmp_path, name, takes, gives, shape, method):
    several = {"task": "multi-class", "positive": "", "classes": THREE if name == "sklearn_logistic" else TWO}
    has_several = name in ("torch_neighbours", "torch_cnn_lstm", "sklearn_logistic")
    card = a_card(tmp_path, name, input=takes, output=gives, normalisation={"scale": 255.0}, **(several if has_several else {}))
    image = an_image(np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8))
    if method == "rise" and name == "keras_four_blocks":
        image = an_image(image.values[:, ::2, ::2])
    overlay = explained(card, image, method=method, masks=16)
    assert np.isfinite(overlay.values).all() and overlay.values.std() > 0 and overlay.method == method
    # The cells cover the image: their corners are its corners.
    assert np.allclose(np.sort(overlay.geometry.corners(), axis=0), np.sort(image.geometry.corners(), axis=0), atol=1e-6)


def test_one_plane_is_explained_with_its_neighbours_and_in_its_place(tmp_path):
    takes = {"channels": 3, "planes": "neighbours", "height": 32, "width": 32, "batch": 1}
    card = a_card(
        tmp_path, "torch_neighbours", task="multi-class", positive="", classes=TWO, input=takes, output={"activation": "softmax"},
        normalisation={"scale": 255.0},
    )  # fmt: skip
    image = an_image(np.random.default_rng(6).integers(0, 256, (5, 40, 40), dtype=np.uint8))
    every, third = (explained(card, image, score="yes", plane=plane) for plane in (None, 3))
    alone = explained(card, replace(image, values=image.values[3:4], geometry=image.geometry.cropped((3, 0, 0), (1, 40, 40))), score="yes")
    assert every.method == third.method == "exact" and every.values.shape == (5, 8, 8)
    assert np.allclose(third.values[0], every.values[3], atol=1e-5) and third.geometry.origin == pytest.approx(every.geometry.to_patient((3, 0, 0)))
    assert not np.allclose(alone.values, third.values, atol=1e-3)
    with pytest.raises(Refused, match="There is no plane 5"):
        explained(card, image, plane=5)


def test_progress_is_told_and_cancel_stops_within_a_batch(planted):
    picture = an_image(images(1, seed=8)[0][0])
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if share > 0.3:
            raise OperationCancelled("Cancelled.")

    for method in ("occlusion", "rise"):
        told.clear()
        with pytest.raises(OperationCancelled):
            explained(planted, picture, method=method, masks=256, progress=stop)
        assert told == sorted(told) and told[-1] < 0.6 and len(told) > 1


def test_a_class_or_a_method_that_is_not_there_is_refused_in_a_sentence(planted, tmp_path):
    picture = an_image(images(1, seed=8)[0][0])
    with pytest.raises(Refused, match=re.escape('has no class "Cat". It has: Square, No square.')):
        explained(planted, picture, score="Cat")
    classic = zoo_card(tmp_path, "keras_four_blocks", takes={"layout": "NHWC", "height": 224, "width": 224, "channels": 3})
    with pytest.raises(Refused, match=r"no exact class activation map\. Choose occlusion"):
        explained(classic, picture, method="exact")
    with pytest.raises(Refused, match="gives a picture, not scores"):
        explained(zoo_card(tmp_path, "denoise", task="image"), picture)


def test_an_exact_map_costs_one_run(planted, monkeypatch):
    runs: list[int] = []
    plain = inference.Runner.run
    monkeypatch.setattr(inference.Runner, "run", lambda self, names, *more: runs.append(len(names)) or plain(self, names, *more))
    assert explained(planted, an_image(images(1, seed=8)[0][0])).method == "exact" and runs == [2]


def test_the_operation_is_in_the_manifest_and_reads_what_was_opened():
    assert heat.heat_map.__operation__.reads_original and heat.heat_map.__operation__.lane == "model"
