"""What bare model files of each exporter say of themselves, and a run before they are added, held against onnxruntime called directly."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from plugins.classify import onnx_file
from plugins.classify.propose import _has_label, _output, read
from plugins.classify.trial import check, dry_run
from tests.plugins.classifier_samples import ZOO, image_with
from tests.plugins.onnx_samples import INT64, floats, good, graph, ints, message, model, node, number_field, value
from viewer.core.errors import ModelUnusable, NegatoscopeError
from viewer.core.images import Image
from viewer.session.card_answers import Answers, card_of_answers
from viewer.session.card_proposal import propose
from viewer.session.model_facts import FileFacts, Tensor


@pytest.fixture
def image() -> Image:
    ramp = np.arange(6 * 32 * 32, dtype=np.int16).reshape(6, 32, 32)
    return image_with(ramp)


def proposed(name: str) -> tuple[FileFacts, Answers]:
    facts = read(str(ZOO / f"{name}.onnx"))
    answers = propose(facts).answers
    if not answers.classes and answers.task not in ("image", "segmentation"):
        count = 2 if answers.task == "binary" else answers.outputs or 0
        answers = replace(answers, classes=tuple("ABCDEFGH"[:count]))
    return facts, answers


@pytest.mark.parametrize(
    ("name", "layout", "size", "task", "activation"),
    [
        ("torch_cnn", "NCHW", (32, 32), "binary", "sigmoid"),
        ("torch_softmax", "NCHW", (24, 24), "multi-class", "none"),
        ("torch_multilabel", "NCHW", (32, 32), "multi-label", "none"),
        ("torch_cnn3d", "NCDHW", (16, 16), "binary", "sigmoid"),
        ("torch_cnn_lstm", "NTCHW", (24, 24), "binary", "softmax"),
        ("keras_four_blocks", "NHWC", (224, 224), "binary", "none"),
        ("sklearn_logistic", "NF", (8, 8), "multi-class", "none"),
        ("sklearn_logistic_zipmap", "NF", (8, 8), "multi-class", "none"),
        ("sklearn_two", "NF", (8, 8), "binary", "none"),
        ("sklearn_bayes", "NF", (8, 8), "multi-class", "none"),
        ("sklearn_forest_zipmap", "NF", (8, 8), "multi-class", "none"),
        ("denoise", "NCHW", (None, None), "image", "sigmoid"),  # should it be a segmentation; a picture has none
        ("segment_softmax", "NCHW", (None, None), "segmentation", "none"),
        ("segment_argmax", "NCHW", (None, None), "segmentation", "none"),
    ],
)
def test_models_of_each_exporter_are_understood(name: str, layout: str, size: tuple[int | None, int | None], task: str, activation: str) -> None:
    _facts, answers = proposed(name)
    assert (answers.layout, (answers.height, answers.width), answers.task, answers.activation) == (layout, size, task, activation)


def test_a_classical_model_brings_its_class_names() -> None:
    assert proposed("sklearn_forest_zipmap")[1].classes == ("one", "two", "zero")
    assert read(str(ZOO / "sklearn_logistic.onnx")).classes == ()  # 0, 1, 2 are no names


def test_beside_a_label_stand_probabilities_but_where_a_linear_node_says_what_it_gives() -> None:
    def end(post_transform: bytes, operator: str = "LinearClassifier", label: tuple[int | str, ...] = ("N",)) -> str:
        nodes = [node(operator, ["x"], ["label", "p"], domain="ai.onnx.ml", attributes=message(5, message(1, b"post_transform") + post_transform))]
        outputs = [value("label", label, INT64), value("p", ("N", 3))]
        content = model(graph(nodes, [value("x", ("N", 64))], outputs), domains=[("ai.onnx.ml", 3)])
        found = onnx_file.facts_of(content, "m")
        makers = {name: made for made in found.nodes for name in made.outputs}
        return _output(found.outputs[1], makers, has_label=_has_label(found)).activation

    said = {word: message(4, word) + number_field(20, 3) for word in (b"NONE", b"LOGISTIC", b"SOFTMAX")}
    assert [end(text) for text in said.values()] == ["", "Probabilities", "Softmax"]
    assert [end(said[b"NONE"], "Other", label) for label in (("N",), (1, "N"), ("N", 1))] == ["Probabilities"] * 3
    assert end(said[b"LOGISTIC"], label=("N", 3)) == "Sigmoid", "a label of each class: several may be true"


def test_a_logarithm_of_softmax_is_undone_by_a_softmax() -> None:
    nodes = [node("LogSoftmax", ["x"], ["y"])]
    content = model(graph(nodes, [value("x", ("N", 3))], [value("y", ("N", 3))]))
    found = onnx_file.facts_of(content, "m")
    makers = {name: made for made in found.nodes for name in made.outputs}
    tensor = _output(found.outputs[0], makers, has_label=False)
    facts = FileFacts("m", "0" * 64, 1, 17, "", (Tensor("x", "float32", (None, 3)),), (tensor,))
    answers = propose(facts).answers
    assert (tensor.activation, answers.task, answers.activation) == ("LogSoftmax", "multi-class", "softmax")


def there_and_back() -> bytes:
    """[N, 1, H, W]: halved twice, doubled twice, and added to what went in: it takes sizes that four divides, as a U-Net does."""
    half = ints("kernel_shape", 2, 2) + ints("strides", 2, 2)
    nodes = [
        node("MaxPool", ["x"], ["a"], attributes=half), node("AveragePool", ["a"], ["b"], attributes=half),
        node("ConvTranspose", ["b", "w"], ["c"], attributes=half), node("Resize", ["c", "", "twice"], ["d"]), node("Add", ["d", "x"], ["y"]),
    ]  # fmt: skip
    constants = [floats("w", np.ones((1, 1, 2, 2))), floats("twice", np.array([1.0, 1.0, 2.0, 2.0]))]
    shape = ("N", 1, "H", "W")
    return model(graph(nodes, [value("x", shape)], [value("y", shape)], constants))


def test_a_picture_of_any_size_is_filled_up_to_what_the_network_divides_by(tmp_path: Path, image: Image) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(there_and_back())
    facts = read(str(path))
    answers = propose(facts).answers
    assert (facts.reduction, answers.multiple, answers.task) == (4, 4, "image")
    odd = replace(image, values=image.values[:, :31, :29], geometry=image.geometry.cropped((0, 0, 0), (6, 31, 29)))
    tried = dry_run(str(path), card_of_answers(facts, answers, name="tried"), odd)
    assert tried.fed_size == (1, 1, 32, 32)
    with pytest.raises(ModelUnusable):
        dry_run(str(path), card_of_answers(facts, replace(answers, multiple=None), name="tried"), odd)


@pytest.mark.parametrize(("name", "reduction"), [("denoise", 1), ("enlarge", 1), ("keras_four_blocks", 16)])
def test_strides_are_counted(name: str, reduction: int) -> None:
    facts, answers = proposed(name)
    assert (facts.reduction, answers.multiple) == (reduction, None)


def test_a_dry_run_doubts_an_activation_of_what_are_scores_already(image: Image) -> None:
    facts, answers = proposed("torch_softmax")
    for activation, doubts in (("none", 0), ("softmax", 1)):
        card = card_of_answers(facts, replace(answers, activation=activation), name="tried")
        tried = dry_run(str(ZOO / "torch_softmax.onnx"), card, image, 2)
        assert sum("adds up to 1 already" in words for words in tried.warnings) == doubts


@pytest.mark.parametrize("name", ["torch_cnn", "torch_softmax", "torch_multilabel", "torch_cnn3d", "torch_cnn_lstm", "sklearn_forest_zipmap"])
def test_the_dry_run_takes_every_kind_of_input(name: str, image: Image) -> None:
    facts, answers = proposed(name)
    tried = dry_run(str(ZOO / f"{name}.onnx"), card_of_answers(facts, answers, name="tried"), image, 2)
    assert len(tried.fed_size) == len(facts.inputs[0].shape)
    assert {name for name, _score in tried.scores} == set(answers.classes)
    assert all(0 <= score <= 1 for _name, score in tried.scores)
    assert tried.device == "CPU"
    assert tried.fed is not None
    assert tried.fed.dtype == np.uint8


def test_scores_are_those_of_the_bare_graph_for_an_image_as_large_as_its_input() -> None:
    rng = np.random.default_rng(16)
    pixels = rng.integers(0, 256, (1, 32, 32), dtype=np.uint8)
    facts, answers = proposed("torch_cnn")
    tried = dry_run(str(ZOO / "torch_cnn.onnx"), card_of_answers(facts, answers, name="tried"), image_with(pixels))
    session = onnxruntime.InferenceSession(str(ZOO / "torch_cnn.onnx"), providers=["CPUExecutionProvider"])
    logit = float(session.run(None, {session.get_inputs()[0].name: (pixels / np.float32(255)).reshape(1, 1, 32, 32)})[0].reshape(-1)[0])
    assert np.isclose(dict(tried.scores)["B"], 1 / (1 + np.exp(-logit)), atol=1e-6)
    assert np.isclose(float(tried.raw), logit, rtol=1e-3)
    assert np.array_equal(tried.fed, pixels[0])  # what is shown is what went in


@pytest.mark.parametrize("name", ["denoise", "segment_argmax", "segment_softmax"])
def test_models_of_pictures_show_the_picture(name: str, image: Image) -> None:
    facts, answers = proposed(name)
    tried = dry_run(str(ZOO / f"{name}.onnx"), card_of_answers(facts, answers, name="tried"), image, 2)
    assert tried.scores == ()
    assert tried.given is not None
    assert tried.given.shape == (32, 32)


@pytest.mark.parametrize(("name", "words"), [("gives_nan", "are no numbers"), ("throws", "failed")])
def test_what_goes_wrong_in_a_dry_run_is_one_sentence(name: str, words: str, image: Image) -> None:
    facts, answers = proposed(name)
    with pytest.raises(NegatoscopeError, match=words):
        dry_run(str(ZOO / f"{name}.onnx"), card_of_answers(facts, answers, name="tried"), image)


@pytest.mark.parametrize("name", ["../outside", "/outside", "..", "", None])
def test_no_folder_is_made_for_a_card_whose_name_is_a_path(tmp_path: Path, name: str | None) -> None:
    facts, answers = proposed("torch_cnn")
    place = tmp_path / "place"
    place.mkdir()
    card = {**card_of_answers(facts, answers, name="tried"), "name": f"{tmp_path}{name}" if name == "/outside" else name}
    with pytest.raises(ModelUnusable, match="name"):
        check(str(ZOO / "torch_cnn.onnx"), card, str(place))
    assert [p.name for p in tmp_path.rglob("*")] == ["place"]


@pytest.mark.parametrize(
    ("content", "words"), [(b"This is a letter.\n", "letter.onnx"), (b"", "letter.onnx is empty"), (b"\x89PNG\r\n\x1a\n" + bytes(64), "letter.onnx")]
)
def test_what_is_no_onnx_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "letter.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelUnusable, match=words):
        read(str(path))


def test_a_model_called_model_has_its_folder_s_name(tmp_path: Path) -> None:
    folder = tmp_path / "chest_cnn"
    folder.mkdir()
    shutil.copy(ZOO / "torch_cnn.onnx", folder / "model.onnx")
    facts = read(str(folder / "model.onnx"))
    assert propose(facts).answers.title == "Chest CNN"


def test_class_names_are_read_from_what_stands_beside_the_graph() -> None:
    from plugins.classify.propose import _names_in

    assert _names_in('["Normal", "Ill"]') == ("Normal", "Ill")
    assert _names_in("{0: 'cat', 10: 'owl', 2: 'dog'}") == ("cat", "dog", "owl")
    assert _names_in('{"1": "b", "0": "a"}') == ("a", "b")
    assert _names_in("a, b ,c") == ("a", "b", "c")
    assert _names_in("one\ntwo\n") == ("one", "two")
    assert _names_in("__import__('os').getcwd()") == ()
    assert _names_in('["a", "a"]') == ()
    assert _names_in("resnet") == ()


@pytest.mark.parametrize(
    ("changes", "words"), [({"opset": 999}, "999"), ({"domains": [("ai.company", 1)], "opset": 17}, ""), ({"ir_version": 99}, "99")]
)
def test_what_the_runtime_does_not_know_is_said_when_the_file_is_read(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = tmp_path / "newer.onnx"
    path.write_bytes(good(**changes))
    if not words:
        assert read(str(path)).opset == 17  # a domain that no node uses
        return
    with pytest.raises(ModelUnusable, match=words):
        read(str(path))


def test_a_card_that_the_file_contradicts_is_refused_before_it_is_added() -> None:
    facts, answers = proposed("torch_cnn")
    path = str(ZOO / "torch_cnn.onnx")
    assert check(path, card_of_answers(facts, answers, name="tried")) == "CPU"
    with pytest.raises(ModelUnusable, match="tried"):
        check(path, card_of_answers(facts, replace(answers, layout="NHWC"), name="tried"))
