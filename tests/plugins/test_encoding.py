"""An encoder and a recurrent network behind it: the same numbers as the two graphs run by hand, and whatever does not go together refused."""

from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image as Picture
from scipy import special

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import ZOO, card_with, image_with, zoo_card
from onnx_samples import good, graph, model, node, value

from plugins.classify import devices, inference, onnx_file
from plugins.classify.classify import classified, ready
from plugins.classify.heat import explained
from viewer.core.errors import ModelUnusable, OperationCancelled
from viewer.core.model_card import ModelCard

RNG = np.random.default_rng(5)
SCAN = RNG.integers(-200, 300, (7, 30, 26)).astype(np.int16)
LEVELS = {"scale": 255.0, "mean": [0.5], "std": [0.25]}
VALUES = {"kind": "range", "low": -160.0, "high": 240.0}


def course(folder: Path, content: bytes, *, network: str = "torch_features_lstm", **parts: Any) -> ModelCard:
    """The recurrent network of the zoo behind an encoder."""
    place = folder / network
    place.mkdir(parents=True, exist_ok=True)
    (place / "encoder.onnx").write_bytes(content)
    spec = {"file": "encoder.onnx", "sha256": hashlib.sha256(content).hexdigest(), **parts.pop("encoder", {})}
    takes = {"layout": "NTF", "height": 24, "width": 20, "batch": 1, **parts.pop("input", {})}
    return zoo_card(network, folder, encoder=spec, input=takes, values=VALUES, normalisation=LEVELS, **parts)


def torch_encoder() -> bytes:
    return (ZOO / "torch_encoder.onnx").read_bytes()


def run(path: Path, feeds: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: feeds})[0])


def planes(scan: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """As the card has it: -160 to 240 linear onto 0 to 255, Pillow's bilinear, normalised."""
    levels = np.clip((scan.astype(np.float64) + 160) / 400, 0, 1) * 255
    small = [np.asarray(Picture.fromarray(p.astype(np.float32)).resize((columns, rows), Picture.Resampling.BILINEAR)) for p in levels]
    return ((np.stack(small) / 255 - 0.5) / 0.25).astype(np.float32)


def score(card: ModelCard, scan: np.ndarray = SCAN) -> float:
    (verdict,) = classified(card, image_with(scan)).items
    return verdict.scores[0][1]


@pytest.mark.parametrize("at_once", [1, 3, 32])
def test_a_sequence_of_features_gets_what_both_graphs_give_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(devices, "at_once", lambda _values, _device: at_once)
    card = course(tmp_path, torch_encoder())
    features = run(card.folder / "encoder.onnx", planes(SCAN, 24, 20)[:, None])
    assert features.shape == (7, 16, 1, 1)
    expected = special.expit(float(run(card.model_path, features.reshape(1, 7, 16))[0, 0]))
    assert score(card) == pytest.approx(expected, abs=1e-6)
    turned = special.expit(float(run(card.model_path, features[::-1].reshape(1, 7, 16))[0, 0]))
    assert abs(turned - expected) > 1e-5, "the order of the planes must matter"
    assert score(card, SCAN[::-1].copy()) == pytest.approx(turned, abs=1e-6)


LONG = RNG.integers(-200, 300, (26, 30, 26)).astype(np.int16)


@pytest.mark.parametrize(("cores", "at_once"), [(3, 2), (1, 2), (2, 5), (2, 32)])
def test_features_of_a_long_sequence_are_those_of_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, at_once: int) -> None:
    monkeypatch.setattr(devices, "at_once", lambda _values, _device: at_once)
    monkeypatch.setattr(devices, "cores", lambda: cores)
    card, told, most, real = course(tmp_path, torch_encoder()), list[float](), set[int](), inference.load
    monkeypatch.setattr(inference, "load", lambda *given, callers=1: (most.add(callers), real(*given, callers=callers))[1])
    runner = inference.load(card)
    assert runner.encoder is not None
    (made,) = runner.encoder.feeds(planes(LONG, 24, 20)[None, :, None], told.append).values()
    expected = run(card.folder / "encoder.onnx", planes(LONG, 24, 20)[:, None]).reshape(1, 26, 16)
    assert made == pytest.approx(expected, abs=1e-6) and np.ptp(expected, axis=1).min() > 1e-4
    assert told == [min(26, n + at_once) / 26 for n in range(0, 26, at_once)]
    assert max(most) == (3 if cores == 3 else 1), "of 13 batches three callers get four each"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("crew")]


@pytest.mark.parametrize(("cores", "far"), [(1, 4), (3, 6)])
def test_cancel_stops_between_the_batches_of_a_sequence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, far: int) -> None:
    """After no more than the threads have been given to do; of the second network nothing is asked."""
    monkeypatch.setattr(devices, "at_once", lambda _values, _device: 1)
    monkeypatch.setattr(devices, "cores", lambda: cores)
    card, told, runs, real = course(tmp_path, torch_encoder()), list[float](), list[str](), inference.Runner.run
    monkeypatch.setattr(inference.Runner, "run", lambda one, names, *more: (runs.append(names[0]), real(one, names, *more))[1])

    def stop(share: float) -> None:
        told.append(share)
        if len(told) == 3:
            raise OperationCancelled("Cancelled.")

    with pytest.raises(OperationCancelled):
        classified(card, image_with(LONG), device="CPU", progress=stop)
    assert told == [1 / 26, 2 / 26, 3 / 26]
    assert runs[0] == "logit" and 3 <= runs.count("pooled") <= 3 + far and len(runs) == 1 + runs.count("pooled")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("crew")]


@pytest.mark.parametrize("method", ["occlusion", "rise"])
def test_cancel_stops_a_heat_map_between_the_planes_of_one_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Any) -> None:
    """A sequence takes long enough for one mask; its planes are what goes side by side, not its masks."""
    monkeypatch.setattr(devices, "at_once", lambda values, _device: 1)
    card, told, runs, real = course(tmp_path, torch_encoder()), list[float](), list[str](), inference.Runner.run
    monkeypatch.setattr(inference.Runner, "run", lambda one, names, *more: (runs.append(names[0]), real(one, names, *more))[1])

    def stop(share: float) -> None:
        told.append(share)
        if len(told) == 30:  # of the second sequence: 26 planes of the sample, then those of the first mask
            raise OperationCancelled("Cancelled.")

    with pytest.raises(OperationCancelled):
        explained(card, image_with(LONG), method=method, masks=20, device="CPU", progress=stop)
    assert told == [0.0] * 30 and 30 <= runs.count("pooled") < 52
    told.clear()
    explained(card, image_with(LONG[:2]), method=method, masks=3, device="CPU", progress=told.append)
    assert told == sorted(told) and told[-1] == 1.0 and len(set(told)) >= 4


class Broken:
    """A session on a device whose memory is full."""

    def __init__(self) -> None:
        self.runs = 0

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def run(self, _names: Any, _given: Any) -> Any:
        self.runs += 1
        raise RuntimeError("out of memory")


def test_where_the_encoder_falls_back_to_the_cpu_both_networks_run_there_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, real = Broken(), inference._session
    monkeypatch.setattr(inference, "_session", lambda *given: broken if given[2] == "CUDA" else real(*given))
    monkeypatch.setattr(devices, "available", lambda: ("CUDA", "CPU"))
    card = course(tmp_path, torch_encoder())
    features = run(card.folder / "encoder.onnx", planes(SCAN, 24, 20)[:, None])
    expected = special.expit(float(run(card.model_path, features.reshape(1, 7, 16))[0, 0]))
    (verdict,) = classified(card, image_with(SCAN), device="CUDA").items
    assert verdict.scores[0][1] == pytest.approx(expected, abs=1e-6)
    assert verdict.device == "CPU"
    assert verdict.warnings[-1] == "CUDA failed (out of memory); the CPU was used instead."
    assert broken.runs == 1, "the second network is not tried where the first has failed"


def test_a_sequence_of_a_fixed_length_takes_planes_spread_over_all(tmp_path: Path) -> None:
    card = course(tmp_path, torch_encoder(), input={"depth": 4})
    features = run(card.folder / "encoder.onnx", planes(SCAN, 24, 20)[[0, 2, 4, 6], None])
    assert score(card) == pytest.approx(special.expit(float(run(card.model_path, features.reshape(1, 4, 16))[0, 0])), abs=1e-6)


def flat(batch: int | str = "N", order: tuple[int, int, int] = (1, 4, 4)) -> bytes:
    """An encoder whose features are the plane's pixels, in their order."""
    return model(graph([node("Flatten", ["plane"], ["row"])], [value("plane", (batch, *order))], [value("row", (batch, 16))]))


@pytest.mark.parametrize(
    ("content", "more"),
    [(flat(), {}), (flat(2), {}), (flat(32), {}), (flat("N", (4, 4, 1)), {"layout": "NHWC"}), (flat(), {"input": "plane", "output": "row"})],
    ids=["any number", "two at once", "32 at once", "channels last", "named"],
)
def test_an_encoder_that_only_lays_pixels_in_a_row_gives_what_rows_of_pixels_give(tmp_path: Path, content: bytes, more: dict[str, Any]) -> None:
    """Channels last, and batches that the graph has fixed, are no matter."""
    card = course(tmp_path, content, encoder=more, input={"height": 4, "width": 4})
    rows = zoo_card(
        "torch_features_lstm", tmp_path / "rows", input={"layout": "NTF", "height": 4, "width": 4, "batch": 1}, values=VALUES, normalisation=LEVELS
    )
    assert score(card) == pytest.approx(score(rows), abs=1e-7)


@pytest.mark.parametrize("method", ["occlusion", "rise"])
def test_the_heat_map_is_that_of_the_sequence(tmp_path: Path, method: Any) -> None:
    card = course(tmp_path, flat(), input={"height": 4, "width": 4})
    rows = zoo_card(
        "torch_features_lstm", tmp_path / "rows", input={"layout": "NTF", "height": 4, "width": 4, "batch": 1}, values=VALUES, normalisation=LEVELS
    )
    made, expected = (explained(which, image_with(SCAN), method=method, masks=64) for which in (card, rows))
    assert made.values.shape == expected.values.shape
    assert made.values == pytest.approx(expected.values, abs=1e-5)
    assert float(np.ptp(made.values)) > 0
    assert explained(card, image_with(SCAN)).method == "occlusion"


def test_the_report_names_both_files_and_what_went_in(tmp_path: Path) -> None:
    card = course(tmp_path, torch_encoder())
    (verdict,) = classified(card, image_with(SCAN)).items
    facts = dict(verdict.facts)
    assert facts["sha256"] == card.sha256
    assert facts["encoder"] == f"encoder.onnx {hashlib.sha256(torch_encoder()).hexdigest()}"
    assert facts["input"] == "7 x 1 x 24 x 20 NTCHW float32"


def test_an_encoder_that_was_changed_is_loaded_again_or_refused(tmp_path: Path) -> None:
    card = course(tmp_path, flat(), input={"height": 4, "width": 4})
    first = inference.load(card)
    assert inference.load(card) is first
    (card.folder / "encoder.onnx").write_bytes(flat(2))
    with pytest.raises(ModelUnusable, match="damaged or was changed: its checksum is not the card's"):
        score(card)


def small(*shape: int | str, op: str = "Identity") -> bytes:
    return model(graph([node(op, ["plane"], ["row"])], [value("plane", ("N", 1, 4, 4))], [value("row", shape)]))


BAD = {
    "cut off": (flat()[:-20], "encoder.onnx"),
    "no ONNX": (b"\x80\x04\x95" + b"pickle" * 9, "encoder.onnx is a Python pickle"),
    "two inputs": (good(inputs=[value("image", ("N", 1, 4, 4)), value("age", (1,))]), "more than the one input"),
    "own operators": (
        model(graph([node("Evil", ["plane"], ["row"], domain="evil")], [value("plane", ("N", 1, 4, 4))], [value("row", ("N", 16))])),
        "encoder.onnx needs the operator Evil of evil",
    ),
    "another size": (flat("N", (1, 5, 5)), r"its encoder takes NCHW of \? x 1 x 4 x 4, float32; .*/encoder.onnx takes \? x 1 x 5 x 5, float32"),
    "places that are left": (small("N", 1, 4, 4), r"gave 7 x 1 x 4 x 4 for 7 planes; the model takes 16 features of each"),
    "too few features": (
        model(graph([node("GlobalAveragePool", ["plane"], ["row"])], [value("plane", ("N", 1, 4, 4))], [value("row", ("N", 1, 1, 1))])),
        r"gave 7 x 1 x 1 x 1 for 7 planes; the model takes 16 features of each",
    ),
}


@pytest.mark.parametrize("kind", list(BAD))
def test_an_encoder_is_held_to_what_a_model_is_held_to(tmp_path: Path, kind: str) -> None:
    content, words = BAD[kind]
    with pytest.raises(ModelUnusable, match=words):
        score(course(tmp_path, content, input={"height": 4, "width": 4}))


def test_an_encoder_that_is_not_there_or_a_link_is_refused(tmp_path: Path) -> None:
    card = course(tmp_path, flat(), input={"height": 4, "width": 4})
    file = card.folder / "encoder.onnx"
    moved = file.rename(tmp_path / "elsewhere.onnx")
    with pytest.raises(ModelUnusable, match=r"has no file encoder\.onnx"):
        score(card)
    file.symlink_to(moved)
    with pytest.raises(ModelUnusable, match=r"is a link or no file at all"):
        score(card)


def test_a_name_that_the_encoder_does_not_have_is_told(tmp_path: Path) -> None:
    card = course(tmp_path, flat(), encoder={"output": "pooled"}, input={"height": 4, "width": 4})
    with pytest.raises(ModelUnusable, match='names the output "pooled"; the model gives row'):
        score(card)


def test_what_a_card_leaves_open_and_a_graph_has_fixed_is_told_with_what_to_write(tmp_path: Path) -> None:
    for height in ("any", 4):
        card = course(tmp_path, flat(), input={"height": height, "width": "any"})
        with pytest.raises(
            ModelUnusable, match=r"leaves open what .*/encoder\.onnx has fixed\. Write into \[input\] of the card: (height = 4, )?width = 4\."
        ):
            score(card)
    plain = zoo_card("torch_cnn", tmp_path, input={"height": "any", "width": "any"})
    with pytest.raises(ModelUnusable, match=r"leaves open what torch-cnn/model\.onnx has fixed\. .*: height = 32, width = 32\."):
        classified(plain, image_with(SCAN))
    block = zoo_card("torch_cnn3d", tmp_path, input={"layout": "NCDHW", "height": 16, "width": 16})
    with pytest.raises(ModelUnusable, match=r"card: depth = 8\."):
        classified(block, image_with(SCAN))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"input": {"layout": "NTCHW"}}, '"encoder" makes features of each plane'),
        ({"input": {"layout": "NCHW"}}, '"encoder" makes features of each plane'),
        ({"encoder": {"sha256": "0" * 64}}, '"encoder.file" is missing'),
        ({"encoder": {"file": "e.onnx"}}, '"encoder.sha256" is missing'),
        ({"encoder": {"file": "../e.onnx", "sha256": "0" * 64}}, "plain name of another file"),
        ({"encoder": {"file": "model.onnx", "sha256": "0" * 64}}, "plain name of another file"),
        ({"encoder": {"file": "e.bin", "sha256": "0" * 64}, "external": {"e.bin": "0" * 64}}, '"external" does not list'),
        ({"encoder": {"file": "e.onnx", "sha256": "0" * 64, "layout": "NCDHW"}}, "known are NCHW, NHWC"),
    ],
)
def test_cards_whose_encoder_makes_no_sense_are_refused(parts: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"encoder": {"file": "e.onnx", "sha256": "0" * 64}, "input": {"layout": "NTF"}}
    assert card_with(**usual).encoder is not None
    with pytest.raises(ModelUnusable) as found:
        card_with(**{**usual, **parts})
    assert words in str(found.value).replace('the key "encoder', '"encoder')


def test_it_is_loaded_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from viewer.session import models as module

    for depth in ("any", 4):
        card = course(tmp_path, torch_encoder(), input={"depth": depth})
        monkeypatch.setattr(module, "list_models", lambda card=card: ((card,), ()))
        assert ready(card.name, "CPU") == "CPU"


def test_what_is_no_onnx_is_told_with_the_models_folder(tmp_path: Path) -> None:
    """Every model's file has the same name."""
    for content in (b"\x80\x04\x95" + b"pickle" * 9, b"PK\x03\x04" + b"\0" * 40):
        card = zoo_card("torch_cnn", tmp_path)
        card.model_path.write_bytes(content)
        for look in (inference.load, lambda card: onnx_file.facts(card.model_path)):
            with pytest.raises(ModelUnusable, match=r"^torch[-_]cnn/model\.onnx is a "):
                look(card)
