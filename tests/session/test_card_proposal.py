"""A card for a bare model: the layout by where the channels stand, the task by how the graph ends; what cannot be known stays asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.core.errors import ModelUnusable
from viewer.core.model_card import card_of
from viewer.session.card_answers import NOT_SAID, OWN, Answers, card_of_answers, numbers_of, typed, why_not, words_in
from viewer.session.card_proposal import Proposal, propose
from viewer.session.model_facts import FileFacts, Tensor, is_model_path


def facts(shape: tuple[int | None, ...], out: tuple[int | None, ...] = (None, 1), activation: str = "Sigmoid", **more: object) -> FileFacts:
    given = {
        "stem": "my_model", "sha256": "0" * 64, "nbytes": 10, "opset": 17, "producer": "",
        "inputs": (Tensor("x", "float32", shape),), "outputs": (Tensor("y", "float32", out, activation),), **more,
    }  # fmt: skip
    return FileFacts(**given)  # type: ignore[arg-type]


def whole(proposal: Proposal, names: str = "") -> Answers:
    return replace(proposal.answers, classes=words_in(names)) if names else proposal.answers


@pytest.mark.parametrize(
    ("shape", "layout", "size", "channels"),
    [
        ((None, 1, 224, 224), "NCHW", (224, 224), 1),
        ((1, 3, 96, 128), "NCHW", (96, 128), 3),
        ((None, 224, 200, 3), "NHWC", (224, 200), 3),
        ((None, None, None, 3), "NHWC", (None, None), 3),
        ((None, 1, None, None), "NCHW", (None, None), 1),
        ((1, 5, 64, 64), "NCHW", (64, 64), 5),
    ],
)
def test_the_channels_are_the_axis_of_one_or_three(shape: tuple[int | None, ...], layout: str, size: tuple[int | None, ...], channels: int) -> None:
    answers = propose(facts(shape)).answers
    assert (answers.layout, (answers.height, answers.width), answers.channels) == (layout, size, channels)


def test_other_numbers_of_channels_are_neighbouring_planes_and_asked() -> None:
    proposal = propose(facts((1, 5, 64, 64)))
    assert proposal.answers.planes == "neighbours"
    assert {"planes", "layout"} <= proposal.asked


@pytest.mark.parametrize(
    ("shape", "is_recurrent", "layout", "planes", "depth"),
    [
        ((None, 1, 16, 64, 64), False, "NCDHW", "volume", 16),
        ((1, 12, 1, 24, 24), False, "NTCHW", "sequence", 12),
        ((1, None, 3, 24, 24), True, "NTCHW", "sequence", None),
        ((1, 16, 64, 64, 1), False, "NDHWC", "volume", 16),
        ((1, 16, 64, 64, 1), True, "NTHWC", "sequence", 16),
    ],
)
def test_five_axes_are_a_volume_or_a_sequence(shape: tuple[int | None, ...], is_recurrent: bool, layout: str, planes: str, depth: int | None) -> None:
    answers = propose(facts(shape, is_recurrent=is_recurrent)).answers
    assert (answers.layout, answers.planes, answers.depth) == (layout, planes, depth)


@pytest.mark.parametrize(("count", "side", "channels"), [(784, 28, 1), (64, 8, 1), (3072, 32, 3)])
def test_a_row_of_values_is_a_square_picture_and_asked(count: int, side: int, channels: int) -> None:
    proposal = propose(facts((None, count)))
    answers = proposal.answers
    assert (answers.layout, answers.height, answers.width, answers.channels) == ("NF", side, side, channels)
    assert {"height", "width"} <= proposal.asked


def test_dynamic_everything_follows_the_exporter_and_is_asked() -> None:
    shape = (None, None, None, None)
    assert propose(facts(shape)).answers.layout == "NCHW"
    proposal = propose(facts(shape, producer="tf2onnx 1.17.0"))
    assert proposal.answers.layout == "NHWC"
    assert {"layout", "channels", "height", "width"} <= proposal.asked


@pytest.mark.parametrize(
    ("out", "end", "task", "activation", "is_asked"),
    [
        ((None, 1), "Sigmoid", "binary", "none", False),
        ((None, 1), "", "binary", "sigmoid", True),
        ((None, 2), "Softmax", "binary", "none", False),
        ((None, 2), "", "binary", "softmax", True),
        ((None, 7), "Softmax", "multi-class", "none", False),
        ((None, 7), "", "multi-class", "softmax", True),
        ((None, 14), "Sigmoid", "multi-label", "none", False),
    ],
)
def test_the_end_of_the_graph_says_the_task(out: tuple[int | None, ...], end: str, task: str, activation: str, is_asked: bool) -> None:
    proposal = propose(facts((None, 1, 32, 32), out, end))
    assert (proposal.answers.task, proposal.answers.activation) == (task, activation)
    assert ("activation" in proposal.asked) == is_asked
    assert "classes" in proposal.asked


@pytest.mark.parametrize(
    ("out", "end", "dtype", "task"),
    [
        ((None, 1, 64, 64), "", "float32", "image"),
        ((None, 4, 64, 64), "Softmax", "float32", "segmentation"),
        ((None, 64, 64), "", "int64", "segmentation"),
        ((None, 64, 64), "", "float32", "image"),
    ],
)
def test_an_output_with_rows_and_columns_is_a_picture_and_which_is_asked(out: tuple[int | None, ...], end: str, dtype: str, task: str) -> None:
    proposal = propose(facts((None, 1, 64, 64), outputs=(Tensor("y", dtype, out, end),)))
    assert proposal.answers.task == task
    assert "task" in proposal.asked


@pytest.mark.parametrize(
    ("shape", "out", "task", "activation"),
    [
        ((None, 1, 64, 64), (None, 2, 64, 64), "segmentation", "softmax"),
        ((None, 1, 64, 64), (None, 3, 64, 64), "segmentation", "softmax"),
        ((None, 1, 16, 64, 64), (None, 3, 16, 64, 64), "segmentation", "softmax"),
        ((None, 3, 64, 64), (None, 3, 64, 64), "image", "softmax"),
        ((None, 3, 64, 64), (None, 1, 64, 64), "image", "sigmoid"),
        ((None, 64, 64, 5), (None, 64, 64, 5), "image", "softmax"),
    ],
)
def test_other_channels_than_went_in_are_classes(shape: Any, out: Any, task: str, activation: str) -> None:
    proposal = propose(facts(shape, out, ""))
    assert (proposal.answers.task, proposal.answers.activation) == (task, activation)
    assert {"task", "activation"} <= proposal.asked
    card = card_of_answers(proposal.facts, replace(proposal.answers, task="image"), name="mine")
    assert card["output"]["activation"] == "none", "a picture has no activation, whatever a segmentation would have"


@pytest.mark.parametrize("out", [(None, 64, 64), (None, 1, 64, 64)])
def test_labels_name_as_many_as_they_like(out: tuple[int | None, ...]) -> None:
    answers = propose(facts((None, 1, 64, 64), outputs=(Tensor("y", "int64", out),))).answers
    assert (answers.activation, answers.outputs) == ("none", None)
    assert why_not(replace(answers, classes=("background", "Lung", "Heart", "Spine"))) == ""


def test_a_segmentation_names_its_channels_and_background_is_none_of_them() -> None:
    proposal = propose(facts((None, 1, 64, 64), outputs=(Tensor("y", "float32", (None, 3, 64, 64), "Softmax"),)))
    assert proposal.answers.classes == ("background",)
    assert why_not(proposal.answers) == "Name what the segments are."
    answers = replace(proposal.answers, classes=("background", "Lung", "Heart"))
    assert why_not(answers) == ""
    card = card_of(card_of_answers(proposal.facts, answers, name="mine"), Path("mine"))
    assert [(entry.name, entry.output) for entry in card.entries] == [("background", 0), ("Lung", 1), ("Heart", 2)]
    assert "Classes named: 4." in why_not(replace(answers, classes=("background", "a", "b", "c")))


def test_a_picture_of_one_channel_may_be_logits_of_one_segment() -> None:
    proposal = propose(facts((None, 1, 16, 16), outputs=(Tensor("y", "float32", (None, 1, 16, 16)),)))
    assert (proposal.answers.task, proposal.answers.classes, proposal.answers.threshold) == ("image", (), 0.5)
    assert {"task", "activation", "classes"} <= proposal.asked
    answers = replace(proposal.answers, task="segmentation", activation="sigmoid", classes=("Lung",))
    card = card_of(card_of_answers(proposal.facts, answers, name="mine"), Path("mine"))
    assert (card.task, card.output.activation, card.threshold_of("Lung")) == ("segmentation", "sigmoid", 0.5)


def test_of_label_and_scores_the_scores_are_taken() -> None:
    outputs = (Tensor("label", "int64", (None,)), Tensor("probabilities", "float32", (None, 3), "Softmax"))
    proposal = propose(facts((None, 64), outputs=outputs))
    assert proposal.answers.output == "probabilities"
    assert "output" not in proposal.asked


def test_of_several_scores_the_first_is_proposed_and_asked() -> None:
    outputs = (Tensor("a", "float32", (None, 1)), Tensor("b", "float32", (None, 3), "Softmax"))
    proposal = propose(facts((None, 1, 8, 8), outputs=outputs))
    assert proposal.answers.output == "a"
    assert "output" in proposal.asked


TABLES = ((1, 3549, 6), (None, 84, 8400), (None, 22, None), (None, None, 6625))
"""Of detectors and readers of text that Python packages bring along."""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"inputs": ()}, "has these inputs: none"),
        ({"inputs": (Tensor("a", "float32", (1, 3)), Tensor("b", "float32", (1, 3)))}, "has these inputs: a, b"),
        ({"inputs": (Tensor("text", "string", (None, 1)),)}, "takes string"),
        ({"inputs": (Tensor("x", "float32", (1, 10, 16)),)}, "images go in with 2, 4 or 5 axes"),
        ({"inputs": (Tensor("x", "float32", ()),)}, "does not say how many axes"),
        ({"outputs": (Tensor("name", "string", (None,)),)}, "gives neither scores nor a picture"),
        *(({"outputs": (Tensor("boxes", "float32", shape),)}, "gives many rows of numbers for one image (boxes, ") for shape in TABLES),
        *(
            (
                {"inputs": (Tensor("z", "float32", noise),), "outputs": (Tensor("y", "float32", (None, 1, 8, 8)),)},
                "makes pictures of numbers alone (z, ",
            )
            for noise in ((None, 100), (None, 100, 1, 1), (None, 1, 1, 100))
        ),
    ],
)
def test_what_is_no_model_of_images_is_refused_in_a_sentence(changed: dict[str, object], words: str) -> None:
    with pytest.raises(ModelUnusable) as refusal:
        propose(facts((None, 1, 8, 8), **changed))
    assert words in str(refusal.value)
    assert str(refusal.value).startswith(("my_model", "The input"))


@pytest.mark.parametrize("shape", [(None, 1, 3), (None, 3, 1), (1, 1, None), (1, 1000, 1, 1), (None, 1, 1, 3), (None, 3, 1, 1, 1)])
def test_a_row_of_scores_may_have_an_axis_of_one(shape: tuple[int | None, ...]) -> None:
    assert propose(facts((None, 1, 8, 8), shape, "Softmax")).answers.task == "multi-class"


def test_scores_beside_rows_of_features_are_taken() -> None:
    outputs = (Tensor("tokens", "float32", (None, 196, 384)), Tensor("scores", "float32", (None, 2), "Softmax"))
    assert propose(facts((None, 3, 224, 224), outputs=outputs)).answers.output == "scores"


@pytest.mark.parametrize("shape", [(None, 1, 8, 8), (None, 1, None, None), (1, 1, 1, 8, 8), (None, None, None, 3), (None, 8, 8, 1)])
def test_what_makes_a_picture_of_a_picture_is_none_of_them(shape: tuple[int | None, ...]) -> None:
    assert propose(facts(shape, (None, 1, 8, 8), "")).answers.task == "image"


def test_nothing_is_invented() -> None:
    proposal = propose(facts((None, 1, 8, 8)))
    card = card_of_answers(proposal.facts, whole(proposal, "Normal, Ill"), name="mine")
    assert (card["intended_use"], card["training"]) == (NOT_SAID, {"data": NOT_SAID, "licence": NOT_SAID})
    assert card["version"] == "00000000"  # the head of the checksum, which is no invention
    assert card["applies"] == {}
    assert "metrics" not in card
    assert card["threshold"]["chosen_on"] == NOT_SAID
    assert not card["output"]["calibrated"]


def test_a_file_without_onnx_s_own_operators_has_no_opset_to_tell() -> None:
    proposal = propose(facts((None, 64), (None, 2), "Probabilities", opset=0))  # trees of XGBoost: one node of ai.onnx.ml
    card = card_of_answers(proposal.facts, whole(proposal, "Normal, Ill"), name="mine")
    assert "opset" not in card and card_of(card, Path("mine")).task == "binary"


def test_without_class_names_there_is_no_card() -> None:
    answers = propose(facts((None, 1, 8, 8), (None, 3), "Softmax")).answers
    assert why_not(answers) == "Name the 3 classes that are missing."
    assert why_not(replace(answers, classes=("a", "b"))) == "Name the 1 class that is missing."
    assert "two classes have the same name" in why_not(replace(answers, classes=("a", "b", "b"))).lower()
    assert "Classes named: 4." in why_not(replace(answers, classes=("a", "b", "c", "d")))
    assert why_not(replace(answers, classes=("a", "b", "c"))) == ""


def test_of_one_number_the_second_name_is_what_a_high_one_means() -> None:
    proposal = propose(facts((None, 1, 8, 8)))
    card = card_of(card_of_answers(proposal.facts, whole(proposal, "Normal, Ill"), name="mine"), Path("mine"))
    assert [(entry.name, entry.output, entry.complement_of) for entry in card.entries] == [("Ill", 0, ""), ("Normal", 0, "Ill")]
    assert (card.positive, card.threshold_of("Ill"), card.threshold_of("Normal")) == ("Ill", 0.5, None)


@pytest.mark.parametrize(("name", "level", "value"), [("0..1", 255.0, 1.0), ("-1..1", 0.0, -1.0), ("-1..1", 255.0, 1.0), ("0..255", 255.0, 255.0)])
def test_normalisations_are_what_they_are_called(name: str, level: float, value: float) -> None:
    scale, mean, std = numbers_of(Answers(normalisation=name))
    assert np.isclose((level / scale - mean[0]) / std[0], value)


def test_imagenet_is_torchvision_s_and_its_mean_for_one_channel() -> None:
    assert numbers_of(Answers(normalisation="imagenet", channels=3)) == (255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    scale, mean, std = numbers_of(Answers(normalisation="imagenet", channels=1))
    assert (scale, mean, std) == (255.0, (0.449,), (0.226,))
    assert numbers_of(Answers(normalisation="caffe", channels=3)) == (1.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
    assert numbers_of(Answers(normalisation=OWN, scale=2.0, mean=(0.1,), std=(0.2,))) == (2.0, (0.1,), (0.2,))


def test_a_graph_that_scales_by_itself_gets_levels_as_they_are() -> None:
    proposal = propose(facts((None, 24, 24, 3), input_is_scaled=True))
    assert proposal.answers.normalisation == "0..255"
    assert "normalisation" not in proposal.asked


@pytest.mark.parametrize("text", ["a, b,c", "a;b; c", "a，b、c", "a\nb\nc,"])
def test_names_are_typed_with_commas_of_any_script(text: str) -> None:
    assert words_in(text) == ("a", "b", "c")
    assert words_in(typed(words_in(text))) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("names", "suffix", "is_folder", "is_model"),
    [
        ((), ".onnx", False, True), ((), ".ONNX", False, True), ((), ".dcm", False, False), (("model.onnx",), "", True, True),
        (("card.toml",), "", True, True), (("image.dcm",), ".onnx", True, False),
    ],
)  # fmt: skip
def test_models_are_known_by_their_files(names: tuple[str, ...], suffix: str, is_folder: bool, is_model: bool) -> None:
    assert is_model_path(names, suffix, is_folder=is_folder) == is_model


@pytest.mark.parametrize(
    ("stem", "title"), [("chest_film_cnn", "Chest film CNN"), ("MyNet v2", "MyNet v2"), ("head_mr_2d_unet", "Head MR 2D unet"), ("cnn", "CNN")]
)
def test_a_files_name_becomes_a_title_with_its_abbreviations(stem: str, title: str) -> None:
    assert propose(facts((None, 1, 8, 8), stem=stem)).answers.title == title
