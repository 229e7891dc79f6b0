"""The shipped 28-pixel pneumonia model is the one its card describes, and does on the official test films what the card says."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from plugins.classify import inference
from tests.models.onnx_bytes import initialiser, with_output
from tests.plugins.onnx_samples import other_devices
from viewer.session.models import read_card

FOLDER = Path(__file__).resolve().parents[2] / "models" / "pneumonia-cxr-28"
MODEL = FOLDER / "model.onnx"
CARD: dict[str, Any] = tomllib.loads((FOLDER / "card.toml").read_text(encoding="utf-8"))


def logits_of(films: NDArray[np.uint8], *, model: bytes | None = None, output: str = "logit") -> NDArray[np.float32]:
    """What plain onnxruntime gives for films (N, 28, 28), prepared by the card's words alone."""
    import onnxruntime

    norm = CARD["normalisation"]
    tensor = (films.astype(np.float32) / norm["scale"] - norm["mean"][0]) / norm["std"][0]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model or MODEL.read_bytes(), options, providers=["CPUExecutionProvider"])
    (out,) = session.run([output], {CARD["input"]["name"]: tensor[:, None].astype(np.float32)})
    return np.asarray(out)


def probabilities(films: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits_of(films)[:, 0].astype(np.float64) / CARD["output"]["temperature"])))


@pytest.fixture(scope="module")
def official_test(shared_data: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities and labels of the 624 films of the official test split."""
    with np.load(shared_data / "pneumoniamnist28" / "pneumoniamnist.npz") as box:
        return probabilities(box["test_images"]), box["test_labels"].ravel().astype(np.int64)


@pytest.fixture(scope="module")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (7, 28, 28), dtype=np.uint8)


def test_checksum_is_the_cards() -> None:
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() == CARD["sha256"]


def test_one_small_file_holds_the_model() -> None:
    assert MODEL.stat().st_size < 2_000_000
    assert not list(FOLDER.glob("*.data"))


def test_graph_has_the_input_and_output_of_the_card() -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(MODEL.read_bytes(), providers=["CPUExecutionProvider"])
    ((given,), (result,)) = session.get_inputs(), session.get_outputs()
    wanted = CARD["input"]
    assert (given.name, given.shape[1:]) == (wanted["name"], [wanted["channels"], wanted["height"], wanted["width"]])
    assert isinstance(given.shape[0], str)  # a name instead of a number: the batch is free
    assert (result.name, result.shape[1:]) == (CARD["output"]["name"], [1])


def test_a_film_alone_and_in_a_batch_gets_the_same_logit(noise: NDArray[np.uint8]) -> None:
    together = logits_of(noise)
    assert together.shape == (7, 1)
    np.testing.assert_allclose(np.concatenate([logits_of(film[None]) for film in noise]), together, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_film_gives_a_finite_logit(value: int) -> None:
    assert np.isfinite(logits_of(np.full((2, 28, 28), value, np.uint8))).all()


def test_mirrored_film_gets_the_same_logit(noise: NDArray[np.uint8]) -> None:
    np.testing.assert_allclose(logits_of(noise[:, :, ::-1]), logits_of(noise), rtol=1e-4, atol=1e-4)


def test_activation_map_averages_to_the_logit(noise: NDArray[np.uint8]) -> None:
    explain = CARD["explain"]
    maps = logits_of(noise, model=with_output(MODEL.read_bytes(), explain["feature"]), output=explain["feature"])
    assert maps.shape == (7, *explain["feature_shape"][1:])
    weight = initialiser(MODEL, explain["weight"], (1, maps.shape[1]))
    bias = initialiser(MODEL, explain["bias"], (1,))
    cam = np.einsum("c,nchw->nhw", weight[0], maps) + bias[0]
    np.testing.assert_allclose(cam.mean((1, 2)), logits_of(noise)[:, 0], rtol=1e-4, atol=1e-4)


def test_auc_on_the_official_test_split_is_the_cards(official_test: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    p, labels = official_test
    assert (len(labels), int(labels.sum())) == (624, 390)
    assert np.isfinite(p).all()
    ill, well = 390, 234
    auc = (rankdata(p)[labels == 1].sum() - ill * (ill + 1) / 2) / (ill * well)
    assert auc >= 0.95
    assert auc == pytest.approx(CARD["metrics"]["test"]["auc"], abs=0.002)


def test_threshold_does_on_the_test_split_what_the_card_says(official_test: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    p, labels = official_test
    called, said = p >= CARD["threshold"]["value"], CARD["threshold"]
    one_film = 1 / 234 + 1e-4  # another processor may tip one film over the threshold
    assert called[labels == 1].mean() == pytest.approx(said["sensitivity"], abs=one_film)
    assert (~called)[labels == 0].mean() == pytest.approx(said["specificity"], abs=one_film)
    assert said["sensitivity_interval"][0] <= said["sensitivity"] <= said["sensitivity_interval"][1]
    assert said["specificity_interval"][0] <= said["specificity"] <= said["specificity_interval"][1]


def test_card_names_what_the_program_reads() -> None:
    assert (CARD["schema"], CARD["name"], CARD["task"], CARD["benchmark"]) == (1, "pneumonia-cxr-28", "binary", True)
    assert [c["name"] for c in CARD["classes"]] == ["Pneumonia", "No pneumonia"]
    assert CARD["positive"] == CARD["classes"][0]["name"]
    assert (CARD["input"]["fit"], CARD["input"]["polarity"], CARD["values"]["kind"]) == ("crop", "bone-bright", "window-or-range")
    assert CARD["applies"]["age_years"] == [1, 5]
    assert CARD["training"]["licence"] == "CC-BY-4.0"


@pytest.mark.parametrize("device", other_devices())
def test_every_other_device_gives_the_same_logits_within_a_thousandth(noise: NDArray[np.uint8], device: str) -> None:
    runner, norm = inference.load(read_card(FOLDER), device), CARD["normalisation"]
    if runner.device != device:
        pytest.skip(runner.note)
    tensor = ((noise.astype(np.float32) / norm["scale"] - norm["mean"][0]) / norm["std"][0])[:, None].astype(np.float32)
    np.testing.assert_allclose(runner.run(["logit"], {CARD["input"]["name"]: tensor})[0], logits_of(noise), atol=1e-3)
