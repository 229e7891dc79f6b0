"""The classifier's operation, held against onnxruntime called directly and against the same film in other clothes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image as Picture

from plugins.classify import feeding, inference
from plugins.classify.classify import classify, ready
from viewer.core.errors import ModelUnusable
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.resources import models_folder
from viewer.core.window import Window
from viewer.session.models import check_file, list_models, read_card

CARD = read_card(models_folder() / "pneumonia-cxr-28")
TEMPERATURE = float(CARD.card["output"]["temperature"])


def film(values: np.ndarray, **facts: object) -> Image:
    volume = values if values.ndim == 3 else values[None]
    made = Image(volume, Geometry(volume.shape[:3], is_patient=False, in_plane_known=False), range=(float(values.min()), float(values.max())))
    return replace(made, **facts)  # type: ignore[arg-type]


def probability(values: np.ndarray) -> float:
    """The model called by hand on one film of 28x28 bytes, as its README says."""
    session = onnxruntime.InferenceSession(str(CARD.model_path), providers=["CPUExecutionProvider"])
    (logit,) = session.run(None, {"film": ((values.astype(np.float32) / 255 - 0.5) / 0.25)[None, None]})
    return float(1 / (1 + np.exp(-np.float64(logit[0, 0]) / TEMPERATURE)))


@pytest.fixture(scope="module")
def films(shared_data: Path) -> np.ndarray:
    with np.load(shared_data / "pneumoniamnist28" / "pneumoniamnist.npz") as box:
        return box["test_images"][:6]


def score(image: Image, plane: int = 0) -> float:
    return dict(classify(image, CARD.name).items[plane].scores)["Pneumonia"]


def test_a_film_of_the_models_size_goes_in_bit_for_bit(films: np.ndarray) -> None:
    for values in films:
        assert score(film(values)) == pytest.approx(probability(values), abs=1e-6)


def test_both_classes_are_there_and_make_one(films: np.ndarray) -> None:
    verdict = classify(film(films[0]), CARD.name).items[0]
    assert [name for name, _ in verdict.scores] == ["Pneumonia", "No pneumonia"]
    assert sum(value for _, value in verdict.scores) == pytest.approx(1)
    assert (verdict.model, verdict.threshold, verdict.positive, verdict.device) == ("pneumonia-cxr-28", 0.5, "Pneumonia", "CPU")
    assert verdict.milliseconds > 0


def test_all_planes_are_each_plane_alone(films: np.ndarray) -> None:
    every = classify(film(films), CARD.name).items
    assert [v.index for v in every] == list(range(len(films)))
    for plane, verdict in enumerate(every):
        assert dict(verdict.scores)["Pneumonia"] == pytest.approx(score(film(films[plane])), abs=1e-6)


def test_an_inverted_film_agrees_with_its_twin(films: np.ndarray) -> None:
    for values in films:
        assert score(film(255 - values, is_inverted=True)) == pytest.approx(score(film(values)), abs=1e-6)


def test_more_bits_go_through_the_files_window(films: np.ndarray) -> None:
    # 0..255 as 0..4080 with the window that brings them back: LINEAR_EXACT from 0 to 4080.
    deep = films[1].astype(np.int16) * 16
    assert score(film(deep, window=Window(2040, 4080, "LINEAR_EXACT"))) == pytest.approx(score(film(films[1])), abs=1e-6)


def test_without_a_window_the_plane_is_stretched_between_percentiles(films: np.ndarray) -> None:
    values = films[2].astype(np.float32) * 3 - 500
    low, high = np.percentile(values, [1, 99])
    by_hand = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1) * 255
    assert feeding.plane_input(CARD, film(values), 0)[0] == pytest.approx((by_hand / 255 - 0.5) / 0.25, abs=1e-4)


def test_a_wide_film_is_cropped_in_its_middle(films: np.ndarray) -> None:
    wide = np.zeros((28, 40), np.uint8)
    wide[:, 6:34] = films[3]
    assert score(film(wide)) == pytest.approx(score(film(films[3])), abs=1e-6)


def test_a_large_film_is_made_small_as_pillow_does(films: np.ndarray) -> None:
    large = np.asarray(Picture.fromarray(films[4]).resize((280, 280), Picture.Resampling.BICUBIC))
    small = np.asarray(Picture.fromarray(large.astype(np.float32)).resize((28, 28), Picture.Resampling.BILINEAR))
    assert feeding.plane_input(CARD, film(large), 0)[0] == pytest.approx((small / 255 - 0.5) / 0.25, abs=1e-5)


def test_padding_is_black_whatever_its_value() -> None:
    values = np.full((28, 28), 100, np.int16)
    values[10:18, 10:18] = 300
    framed = values.copy()
    framed[:3] = -2000
    given = feeding.plane_input(CARD, film(framed, padding=(-2000.0, -2000.0)), 0)[0]
    assert np.all(given[:3] == -2.0)
    assert given[12, 12] == pytest.approx(2.0)


def test_the_input_is_not_written(films: np.ndarray) -> None:
    values = films[:1].copy()
    values.flags.writeable = False
    classify(film(values), CARD.name)


def test_without_a_name_the_model_that_fits_is_taken_and_where_none_does_that_is_said() -> None:
    plain = np.full((64, 64), 90, np.uint8)
    assert classify(film(plain, modality="DX", body_part="CHEST")).items[0].model == "pneumonia-cxr"
    with pytest.raises(ModelUnusable, match=r"^No model is for this image: it is CT"):
        classify(film(plain, modality="CT"))


def test_a_model_is_loaded_ahead_as_it_will_be_asked() -> None:
    inference._loaded.clear()
    assert ready(CARD.name) == "CPU"
    (runner,) = inference._loaded.values()
    classify(film(np.full((28, 28), 90, np.uint8)), CARD.name, explain=True)
    assert list(inference._loaded.values()) == [runner]


# --- models that cannot be used ---


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "pneumonia-cxr-28"
    shutil.copytree(models_folder() / "pneumonia-cxr-28", folder, ignore=shutil.ignore_patterns("*.py", "*.md", "__pycache__"))
    return folder


def with_checksum(folder: Path, content: bytes) -> None:
    """Put another file in the model's place, and its checksum on the card."""
    import hashlib

    (folder / "model.onnx").write_bytes(content)
    card = (folder / "card.toml").read_text(encoding="utf-8")
    (folder / "card.toml").write_text(card.replace(CARD.sha256, hashlib.sha256(content).hexdigest()), encoding="utf-8")


def test_a_changed_model_is_refused_by_its_checksum(copied: Path) -> None:
    content = bytearray((copied / "model.onnx").read_bytes())
    content[-1] ^= 1
    (copied / "model.onnx").write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"pneumonia-cxr-28.*checksum"):
        check_file(read_card(copied))


@pytest.mark.parametrize("content", [b"This is not an ONNX model.\n" * 10, b"\x08\x07\x12\x04test\x3a\xff\xff\xff\xff\x0f" + b"\0" * 64, b""])
def test_what_is_not_onnx_costs_a_sentence_that_names_the_model(copied: Path, content: bytes) -> None:
    with_checksum(copied, content)
    with pytest.raises(ModelUnusable, match="pneumonia-cxr-28"):
        inference.load(read_card(copied))


@pytest.mark.parametrize(
    "text", ["", "not toml [", 'name = "x"', 'name = "x"\ntitle = "t"\nversion = "1"\ntask = "binary"\nclasses = []\nsha256 = ""\n[input]']
)
def test_a_bad_card_is_listed_with_its_reason_and_harms_no_other(copied: Path, text: str) -> None:
    bad = copied.parent / "bad"
    bad.mkdir()
    (bad / "card.toml").write_text(text)
    cards, broken = list_models([copied.parent])
    assert [c.name for c in cards] == ["pneumonia-cxr-28"]
    assert [name for name, _ in broken] == ["bad"]
    assert "bad" in broken[0][1]
