"""The shipped 224-pixel pneumonia model is the one its card describes, and does on held-out films and on strangers what the card says."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import itertools
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture
from scipy.stats import rankdata

from plugins.classify import inference
from plugins.classify.feeding import plane_input
from tests.models.onnx_bytes import initialiser, with_output
from tests.plugins.onnx_samples import other_devices
from viewer.api import Image
from viewer.core.geometry import Geometry
from viewer.session.models import check_file, read_card

FOLDER = Path(__file__).resolve().parents[2] / "models" / "pneumonia-cxr"
MODEL = FOLDER / "model.onnx"
CARD: dict[str, Any] = tomllib.loads((FOLDER / "card.toml").read_text(encoding="utf-8"))
LIMIT = CARD["familiarity"]["threshold"]


def session_of(model: bytes | None = None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(model or MODEL.read_bytes(), options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def session() -> Any:
    return session_of()


def tensor_of(films: NDArray[Any]) -> NDArray[np.float32]:
    """Films (N, 224, 224) of 0..255, prepared by the card's words alone."""
    norm = CARD["normalisation"]
    return ((np.asarray(films, np.float32) / norm["scale"] - norm["mean"][0]) / norm["std"][0]).astype(np.float32)[:, None]


def answers(session: Any, films: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits and strangeness of films (N, 224, 224)."""
    parts = [session.run(["logit", "unfamiliar"], {"film": tensor_of(films[at : at + 16])}) for at in range(0, len(films), 16)]
    logit, strange = (np.concatenate([part[n] for part in parts])[:, 0].astype(np.float64) for n in (0, 1))
    return logit, strange


def probability(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logit / CARD["output"]["temperature"])))


def squeezed(picture: Picture.Image) -> NDArray[np.float32]:
    gray = (
        picture.convert("F")
        if picture.mode in ("L", "F")
        else Picture.fromarray(np.asarray(picture.convert("RGB"), np.float32) @ np.float32([0.299, 0.587, 0.114]))
    )
    return np.asarray(gray.resize((224, 224), Picture.Resampling.BILINEAR), np.float32)


@dataclass(frozen=True)
class Held:
    films: NDArray[np.uint8]
    labels: NDArray[np.int64]
    patients: NDArray[np.str_]
    logit: NDArray[np.float64]
    strange: NDArray[np.float64]


def members_of(folder: Path) -> Iterator[tuple[dict[str, str], Picture.Image]]:
    boxes = {name: box for path in folder.glob("*.zip") for box in [zipfile.ZipFile(path)] for name in box.namelist()}
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if row.get("patient_split", "val") == "val":
                yield row, Picture.open(io.BytesIO(boxes[row["file"]].read(row["file"])))


@pytest.fixture(scope="module")
def held(shared_data: Path, session: Any) -> Held:
    """All films of the patients held out."""
    rows, films = zip(*((row, np.asarray(picture)) for row, picture in members_of(shared_data / "cxr224")), strict=True)
    labels = np.array([row["label"] == "pneumonia" for row in rows], np.int64)
    stack = np.stack(films)
    return Held(stack, labels, np.array([row["patient"] for row in rows]), *answers(session, stack))


@pytest.fixture(scope="module")
def untuned(held: Held) -> NDArray[np.bool_]:
    """Films of the patients who set no threshold: every second in the order of their names."""
    return ~np.isin(held.patients, np.unique(held.patients)[::2])


@pytest.fixture(scope="module")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (5, 224, 224), dtype=np.uint8)


@pytest.fixture(scope="module")
def training() -> Iterator[ModuleType]:
    """The part of the training code that reads and prepares films; it needs no torch."""
    spec = importlib.util.spec_from_file_location("films_of_training", FOLDER / "films.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def image_of(values: NDArray[Any], **facts: Any) -> Image:
    return Image(values[None], Geometry((1, *values.shape[:2]), is_patient=False, in_plane_known=False), range=(0.0, 255.0), **facts)


# --- the file ----------------------------------------------------------------------------------------------------------------------------


def test_checksum_is_the_cards() -> None:
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() == CARD["sha256"]
    check_file(read_card(FOLDER))


def test_one_file_of_less_than_twenty_megabytes_holds_the_model() -> None:
    assert MODEL.stat().st_size < 20_000_000
    assert not list(FOLDER.glob("*.data"))


def test_opset_and_format_are_ones_that_onnxruntime_1_18_reads() -> None:
    """ModelProto: ir_version is field 1, opset_import field 8 with its version in field 2 (onnx.proto)."""
    model = MODEL.read_bytes()
    assert model[0] == 1 << 3
    assert model[1] <= 10
    assert CARD["opset"] == 17
    assert bytes([8 << 3 | 2, 2, 2 << 3, 17]) in model or bytes([8 << 3 | 2, 4, 1 << 3 | 2, 0, 2 << 3, 17]) in model


def test_graph_has_the_input_and_outputs_of_the_card(session: Any) -> None:
    ((given,), (logit, strange)) = session.get_inputs(), session.get_outputs()
    wanted = CARD["input"]
    assert (given.name, given.shape[1:]) == (wanted["name"], [wanted["channels"], wanted["height"], wanted["width"]])
    assert all(isinstance(tensor.shape[0], str) for tensor in (given, logit, strange))  # a name instead of a number: the batch is free
    assert (logit.name, logit.shape[1:]) == (CARD["output"]["name"], [1])
    assert (strange.name, strange.shape[1:]) == (CARD["familiarity"]["output"], [1])


def test_a_film_alone_and_in_a_batch_gets_the_same(session: Any, noise: NDArray[np.uint8]) -> None:
    together = answers(session, noise)
    alone = [answers(session, film[None]) for film in noise]
    for n in (0, 1):
        np.testing.assert_allclose(np.concatenate([one[n] for one in alone]), together[n], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_film_gives_numbers_and_is_unfamiliar(session: Any, value: int) -> None:
    logit, strange = answers(session, np.full((2, 224, 224), value, np.uint8))
    assert np.isfinite(logit).all()
    assert (strange > LIMIT).all()


def test_activation_map_averages_to_the_logit(held: Held) -> None:
    explain, films = CARD["explain"], held.films[::40]
    (maps,) = session_of(with_output(MODEL.read_bytes(), explain["feature"])).run([explain["feature"]], {"film": tensor_of(films)})
    assert maps.shape == (len(films), *explain["feature_shape"][1:])
    weight, bias = initialiser(MODEL, explain["weight"], (1, maps.shape[1])), initialiser(MODEL, explain["bias"], (1,))
    cam = np.einsum("c,nchw->nhw", weight[0], maps) + bias[0]
    np.testing.assert_allclose(cam.mean((1, 2)), held.logit[::40], rtol=1e-3, atol=1e-3)


# --- preparation ---------------------------------------------------------------------------------------------------------------------------


def natives(folder: Path) -> list[tuple[dict[str, str], Path]]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as text:
        return [(row, folder / row["file"]) for row in csv.DictReader(text)]


def test_preparation_is_the_training_codes(shared_data: Path, training: ModuleType) -> None:
    card = read_card(FOLDER)
    for _, path in natives(shared_data / "cxr_native")[:4]:
        with Picture.open(path) as picture:
            wanted, values = training.prepared(training.squeezed(picture)), np.asarray(picture.convert("L"))
        np.testing.assert_allclose(plane_input(card, image_of(values), 0)[0], wanted, rtol=0, atol=1e-5)


def test_films_of_the_right_size_go_in_as_they_were_trained_with(held: Held, training: ModuleType) -> None:
    film = held.films[7]
    np.testing.assert_allclose(plane_input(read_card(FOLDER), image_of(film), 0)[0], training.prepared(film.astype(np.float32)), rtol=0, atol=1e-5)
    np.testing.assert_allclose(tensor_of(film[None])[0, 0], training.prepared(film.astype(np.float32)), rtol=0, atol=1e-5)


def test_a_negative_film_said_to_be_one_is_judged_like_its_positive(held: Held) -> None:
    card, film = read_card(FOLDER), held.films[11]
    turned = plane_input(card, image_of(255 - film, is_inverted=True), 0)
    np.testing.assert_allclose(turned, plane_input(card, image_of(film), 0), rtol=0, atol=1e-6)


def test_native_films_and_their_small_twins_get_the_same(shared_data: Path, session: Any) -> None:
    card, rows = read_card(FOLDER), natives(shared_data / "cxr_native")
    assert len(rows) == 12
    boxes = {kind: zipfile.ZipFile(shared_data / "cxr224" / f"{kind}.zip") for kind in ("normal", "pneumonia")}
    large, small = [], []
    for row, path in rows:
        with Picture.open(path) as picture:
            large.append(plane_input(card, image_of(np.asarray(picture.convert("L"))), 0))
        with Picture.open(io.BytesIO(boxes[row["label"]].read(row["cxr224_file"]))) as picture:
            small.append(plane_input(card, image_of(np.asarray(picture)), 0))
    pair = [probability(session.run(["logit"], {"film": np.stack(part)})[0][:, 0].astype(np.float64)) for part in (large, small)]
    assert np.abs(pair[0] - pair[1]).max() < 0.05


# --- figures -------------------------------------------------------------------------------------------------------------------------------


def ece(p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    edges = np.linspace(0, 1, 11)
    total = 0.0
    for low, high in itertools.pairwise(edges):
        inside = (p >= low) & ((p < high) | (high == 1.0))
        total += abs(float(p[inside].sum() - labels[inside].sum())) / len(p)
    return total


def test_figures_on_the_held_out_patients_are_the_cards(held: Held, untuned: NDArray[np.bool_]) -> None:
    for part, name in ((np.ones(len(held.labels), bool), "validation"), (untuned, "validation_untuned")):
        said, labels, p = CARD["metrics"][name], held.labels[part], probability(held.logit[part])
        ill, well = int(labels.sum()), int((1 - labels).sum())
        assert said["films"] == len(labels)
        assert said["patients"] == len(set(held.patients[part]))
        auc = (rankdata(p)[labels == 1].sum() - ill * (ill + 1) / 2) / (ill * well)
        assert auc == pytest.approx(said["auc"], abs=0.002)
        called = p >= CARD["threshold"]["value"]
        one_film = 1 / well + 1e-4  # another processor may tip one film over the threshold
        assert (called == labels).mean() == pytest.approx(said["accuracy"], abs=one_film)
        assert called[labels == 1].mean() == pytest.approx(said["sensitivity"], abs=one_film)
        assert (~called)[labels == 0].mean() == pytest.approx(said["specificity"], abs=one_film)


def test_it_does_not_do_worse_than_a_model_worth_shipping(held: Held) -> None:
    said = CARD["metrics"]["validation"]
    assert said["auc"] >= 0.99
    assert said["accuracy"] >= 0.94
    assert CARD["metrics"]["validation_changed"]["auc"] >= 0.985


def test_calibration_error_is_small_at_the_sets_own_prevalence(held: Held, untuned: NDArray[np.bool_]) -> None:
    for part, name in ((np.ones(len(held.labels), bool), "validation"), (untuned, "validation_untuned")):
        labels, share = held.labels[part], float(held.labels[part].mean())
        moved = 1 / (1 + np.exp(-held.logit[part] / CARD["output"]["temperature"]) * (1 - share) / share)
        assert CARD["output"]["prevalence"] == 0.5
        assert ece(moved, labels) == pytest.approx(CARD["metrics"][name]["ece_shifted"], abs=0.004)
        assert ece(moved, labels) < 0.05


def test_threshold_names_its_test_set_and_intervals() -> None:
    said = CARD["threshold"]
    for name in ("sensitivity", "specificity"):
        assert said[f"{name}_interval"][0] <= said[name] <= said[f"{name}_interval"][1]
    assert "held-out" in said["test_set"]
    assert 0 < said["prevalence"] < 1


# --- strangers -----------------------------------------------------------------------------------------------------------------------------


def test_held_out_chest_films_are_familiar(held: Held, untuned: NDArray[np.bool_]) -> None:
    assert (held.strange[untuned] > LIMIT).mean() <= 0.05
    assert (held.strange > LIMIT).mean() <= 0.05
    assert (held.strange[untuned] > LIMIT).mean() == pytest.approx(CARD["familiarity"]["held_out_flagged"], abs=0.01)


def test_other_pictures_are_told_from_their_pixels_alone(shared_data: Path, session: Any) -> None:
    rows, films = zip(*((row, squeezed(picture)) for row, picture in members_of(shared_data / "ood")), strict=True)
    flagged = answers(session, np.stack(films))[1] > LIMIT
    kinds = np.array([row["kind"] for row in rows])
    assert flagged[kinds != "limb_with_chest"].mean() >= 0.95
    for kind in set(kinds) - {"limb_with_chest"}:
        assert flagged[kinds == kind].mean() >= 0.8, kind


def halves(film: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    return film[:112], film[112:], film[:, :112], film[:, 112:]


NEAR_MISSES = {
    "inverted": lambda film: (255 - film,),
    "turned left": lambda film: (np.rot90(film),),
    "turned right": lambda film: (np.rot90(film, 3),),
    "upside down": lambda film: (film[::-1, ::-1],),
    "cut by half": halves,
    "a quarter": lambda film: (film[:112, :112], film[112:, 112:], film[:112, 112:], film[112:, :112]),
}


@pytest.mark.parametrize("kind", sorted(NEAR_MISSES))
def test_near_misses_are_told(held: Held, untuned: NDArray[np.bool_], session: Any, kind: str) -> None:
    films = held.films[untuned][::12]
    made = [squeezed(Picture.fromarray(np.ascontiguousarray(part))) for film in films for part in NEAR_MISSES[kind](film)]
    assert (answers(session, np.stack(made))[1] > LIMIT).mean() >= 0.95


# --- the card ------------------------------------------------------------------------------------------------------------------------------


def test_card_names_what_the_program_reads() -> None:
    assert (CARD["schema"], CARD["name"], CARD["task"], CARD["benchmark"]) == (1, "pneumonia-cxr", "binary", False)
    assert [c["name"] for c in CARD["classes"]] == ["Pneumonia", "No pneumonia"]
    assert CARD["positive"] == CARD["classes"][0]["name"]
    assert (CARD["input"]["fit"], CARD["input"]["polarity"], CARD["values"]["kind"]) == ("squeeze", "bone-bright", "window-or-range")
    assert CARD["applies"]["age_years"] == [1, 5]
    assert CARD["training"]["licence"] == "CC-BY-4.0"
    assert "Apache-2.0" in CARD["training"]["start"]


def test_card_is_read_without_complaint() -> None:
    assert read_card(FOLDER).notes == ()


@pytest.mark.parametrize("device", other_devices())
def test_every_other_device_gives_the_same_probabilities_within_a_thousandth(held: Held, device: str) -> None:
    runner = inference.load(read_card(FOLDER), device)
    if runner.device != device:
        pytest.skip(runner.note)
    for at in range(0, len(held.films), 128):
        (logit,) = runner.run(["logit"], {"film": tensor_of(held.films[at : at + 128])})
        np.testing.assert_allclose(probability(logit[:, 0].astype(np.float64)), probability(held.logit[at : at + 128]), atol=1e-3)
