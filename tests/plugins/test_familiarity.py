"""C4c: how strange an image is to a model, held against numpy and onnxruntime called directly; from pixels alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from plugins.classify import classify, familiarity, inference, onnx_file
from plugins.classify.heat import explained
from tests.plugins.classifier_samples import card_with, image_with, zoo_card
from viewer.api import ModelUnusable
from viewer.core.model_card import ModelCard
from viewer.core.operation import describe
from viewer.core.report import Report
from viewer.core.volume import Volume
from viewer.session.apply import Scope, image_of, prepare
from viewer.session.document import Document
from viewer.session.outcome import build_step

THREE = tuple({"name": name, "output": place} for place, name in enumerate("abc"))
POOLED = "/8/GlobalAveragePool_output_0"
UNPOOLED = "/7/MaxPool_output_0"


def knowing(**spec: Any) -> dict[str, Any]:
    return {"threshold": 1.0, **spec}


# --- arithmetic ---


def test_c4c_output_is_the_graphs_own_number() -> None:
    card = card_with(familiarity=knowing(kind="output", output="unfamiliar"))
    assert familiarity.wanted(card) == ("unfamiliar",)
    for shape in ((3,), (3, 1), (3, 1, 1, 1)):
        found = familiarity.strangeness(card, np.zeros((3, 1)), {"unfamiliar": np.array([0.5, 7, -2], np.float32).reshape(shape)})
        assert found == (0.5, 7.0, -2.0)


def test_c4c_energy_of_several_classes_is_liu_2020() -> None:
    card = card_with(
        task="multi-class", classes=list(THREE), output={"activation": "softmax", "temperature": 2.5}, familiarity=knowing(kind="energy")
    )
    logits = np.random.default_rng(1).normal(0, 5, (6, 3))
    expected = [-2.5 * math.log(sum(math.exp(z / 2.5) for z in row)) for row in logits]
    assert familiarity.wanted(card) == ()
    assert familiarity.strangeness(card, logits, {}) == pytest.approx(expected)


def test_c4c_energy_of_labels_adds_up_each_with_its_opposite() -> None:
    card = card_with(task="multi-label", classes=list(THREE), familiarity=knowing(kind="energy"))
    logits = np.random.default_rng(2).normal(0, 4, (5, 3))
    expected = [-sum(math.log(1 + math.exp(z)) for z in row) for row in logits]
    assert familiarity.strangeness(card, logits, {}) == pytest.approx(expected)


def test_c4c_energy_of_one_logit_is_the_same_for_yes_and_no() -> None:
    card = card_with(familiarity=knowing(kind="energy"))
    logits = np.array([[-6.0], [-0.1], [0.0], [3.0], [6.0]])
    expected = [-math.log(math.exp(z / 2) + math.exp(-z / 2)) for (z,) in logits]
    found = familiarity.strangeness(card, logits, {})
    assert found == pytest.approx(expected)
    assert found is not None
    assert found[0] == pytest.approx(found[4])
    assert max(found) == found[2], "the least sure is the strangest"


def test_c4c_energy_of_a_probability_is_that_of_its_logit() -> None:
    logits = np.array([[-3.0], [0.5], [2.0]])
    by_logit = familiarity.strangeness(card_with(familiarity=knowing(kind="energy")), logits, {})
    given = card_with(output={"activation": "none"}, familiarity=knowing(kind="energy"))
    assert familiarity.strangeness(given, 1 / (1 + np.exp(-logits)), {}) == pytest.approx(by_logit)
    several = card_with(task="multi-class", classes=list(THREE), output={"activation": "none"}, familiarity=knowing(kind="energy"))
    with pytest.raises(ModelUnusable, match="its graph gives probabilities"):
        familiarity.strangeness(several, np.full((1, 3), 1 / 3), {})


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (4, 5)), ("NCHW", (4, 5, 3, 2)), ("NHWC", (4, 3, 2, 5)), ("NCDHW", (4, 5, 2, 3, 2))])
def test_c4c_distance_is_mahalanobis_with_a_diagonal_over_pooled_features(layout: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    mean, scale = rng.normal(size=5).tolist(), rng.uniform(0.5, 2, 5).tolist()
    entry = {"layout": layout, "planes": "volume", "depth": "any"} if layout == "NCDHW" else {"layout": layout}
    card = card_with(input=entry, familiarity=knowing(kind="distance", output="features", mean=mean, scale=scale))
    tensor = rng.normal(size=shape).astype(np.float32)
    places = tensor.reshape(4, 5, -1) if layout != "NHWC" else tensor.reshape(4, 6, 5).transpose(0, 2, 1)
    expected = [
        sum(((sum(map(float, places[n, c])) / places.shape[2] - mean[c]) / scale[c]) ** 2 for c in range(5)) / 5 for n in range(4)
    ]  # fmt: skip
    assert familiarity.strangeness(card, np.zeros((4, 1)), {"features": tensor}) == pytest.approx(expected)


def test_c4c_what_is_no_number_is_unfamiliar() -> None:
    card = card_with(familiarity=knowing(kind="output", output="unfamiliar"))
    found = familiarity.strangeness(card, np.zeros((3, 1)), {"unfamiliar": np.array([np.nan, np.inf, 0.5])})
    assert found == (math.inf, math.inf, 0.5)
    report = Report("r", "t", "v", 0, 0, "m", "1", "binary", (), None, "", "CPU", 1.0, strangeness=math.inf, strangeness_limit=1.0)
    assert report.is_unfamiliar


def test_c4c_a_card_without_familiarity_tells_nothing() -> None:
    card = card_with()
    assert familiarity.wanted(card) == ()
    assert familiarity.strangeness(card, np.zeros((2, 1)), {}) is None


@pytest.mark.parametrize(
    ("spec", "tensors", "words"),
    [
        ({"kind": "output", "output": "gone"}, {}, 'no tensor "gone"'),
        ({"kind": "output", "output": "map"}, {"map": np.zeros((2, 4, 4))}, "is 2 x 4 x 4"),
        ({"kind": "distance", "output": "map", "mean": [0.0] * 3, "scale": [1.0] * 3}, {"map": np.zeros((2, 4))}, "needs 3 numbers"),
    ],
)
def test_c4c_a_tensor_that_is_not_what_the_card_says_is_one_sentence(spec: dict[str, Any], tensors: dict[str, Any], words: str) -> None:
    card = card_with(familiarity=knowing(**spec))
    with pytest.raises(ModelUnusable, match=words):
        familiarity.strangeness(card, np.zeros((2, 1)), tensors)


# --- through a run ---


def pictures(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (count, size, size)).astype(np.uint8)


def told_by(card: ModelCard, tensor: str, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(onnx_file.with_output(card.model_path.read_bytes(), tensor), providers=["CPUExecutionProvider"])
    return np.asarray(session.run([tensor], {session.get_inputs()[0].name: inputs})[0])


def test_c4c_output_of_a_run_reaches_the_report(tmp_path: Path) -> None:
    card = zoo_card("tells_strange", tmp_path, familiarity={"kind": "output", "output": "unfamiliar", "threshold": 50.0})
    values = np.stack([np.full((8, 8), level, np.uint8) for level in (100, 149, 151, 255, 0)])
    verdicts = classify.classified(card, image_with(values)).items
    assert [v.strangeness for v in verdicts] == pytest.approx([0, 49, 51, 155, 100])
    assert {v.strangeness_limit for v in verdicts} == {50.0}
    volume = Volume("v", values[None], image_with(values).geometry, "volume")
    document = Document()
    document.add_source(volume)
    call = prepare(document, describe("Classify/Classify", "plugins.classify.classify:classify"), {}, volume_id="v")
    step = build_step(call, [(classify.classified(card, image_of(volume, Scope())),)])
    assert step is not None
    document.commit(step)
    assert [r.is_unfamiliar for r in document.reports_of("v")] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ((120, 149), ""), ((200,), "The model has not seen such images, so the heat map may mislead."),
        ((200, 255), "The model has not seen such images, so the heat map may mislead."),
        ((120, 151, 100), "The model has not seen the like of 1 slice, so its heat map may mislead."),
    ],
)  # fmt: skip
def test_c4c_a_heat_map_of_what_the_model_has_not_seen_says_so_itself(tmp_path: Path, levels: tuple[int, ...], said: str) -> None:
    card = zoo_card("tells_strange", tmp_path, familiarity={"kind": "output", "output": "unfamiliar", "threshold": 50.0})
    values = np.stack([np.full((8, 8), level, np.uint8) for level in levels])
    made = explained(card, image_with(values), method="occlusion")
    assert [words for words in made.warnings if "has not seen" in words] == ([said] if said else [])


@pytest.mark.parametrize("tensor", [POOLED, UNPOOLED])
def test_c4c_distance_by_a_value_within_the_graph(tmp_path: Path, tensor: str) -> None:
    rng = np.random.default_rng(6)
    mean, scale = rng.uniform(0, 20, 16), rng.uniform(1, 9, 16)
    spec = {"kind": "distance", "output": tensor, "threshold": 4.0, "mean": mean.tolist(), "scale": scale.tolist()}
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, familiarity=spec)
    values = pictures(3, 32)
    inner = told_by(card, tensor, values[:, None].astype(np.float32)).reshape(3, 16, -1).mean(axis=2)
    expected = (((inner - mean) / scale) ** 2).mean(axis=1)
    assert [v.strangeness for v in classify.classified(card, image_with(values)).items] == pytest.approx(expected.tolist(), rel=1e-4)


def test_c4c_energy_of_a_run(tmp_path: Path) -> None:
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, output={"temperature": 3.0}, familiarity=knowing(kind="energy"))
    values = pictures(2, 32)
    logits = told_by(card, "logit", values[:, None].astype(np.float32))[:, 0].astype(float)
    expected = [-3 * math.log(math.exp(z / 6) + math.exp(-z / 6)) for z in logits]
    assert [v.strangeness for v in classify.classified(card, image_with(values)).items] == pytest.approx(expected, rel=1e-4)


def test_c4c_tags_change_nothing_of_it(tmp_path: Path) -> None:
    card = zoo_card("tells_strange", tmp_path, familiarity={"kind": "output", "output": "unfamiliar", "threshold": 50.0})
    values = pictures(1, 8)
    tags: tuple[dict[str, str], ...] = (
        {}, {"modality": "DX", "body_part": "CHEST", "view_position": "PA", "patient_age": "004Y"}, {"modality": "MR", "body_part": "HEAD"}
    )  # fmt: skip
    assert len({classify.classified(card, image_with(values, **facts)).items[0].strangeness for facts in tags}) == 1


def test_c4c_one_session_serves_scores_and_familiarity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    stock = inference._session

    def make(*given: Any) -> Any:
        made.append(1)
        return stock(*given)

    monkeypatch.setattr(inference, "_session", make)
    spec = {"kind": "distance", "output": POOLED, "threshold": 4.0, "mean": [0.0] * 16, "scale": [1.0] * 16}
    card = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32}, familiarity=spec)
    for heat_maps in (False, True, False):
        classify.classified(card, image_with(pictures(1, 32)), heat_maps=heat_maps)
    assert len(made) == 1
