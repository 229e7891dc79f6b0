"""Running models: held against onnxruntime called directly; devices that fail are stood in for by sessions that raise."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from plugins.classify import devices, inference, onnx_trust
from plugins.classify.classify import classified
from tests.plugins.classifier_samples import image_with
from tests.plugins.onnx_samples import FLOAT, STRING, ZOO, good, message, node, other_devices, value, weights, zoo_card
from viewer.core.errors import ModelUnusable
from viewer.core.model_card import ModelCard
from viewer.core.resources import models_folder
from viewer.session.models import read_card

CPU_ONLY = ["CPUExecutionProvider"]
INPUTS: dict[str, dict[str, Any]] = {
    "torch_cnn": {"height": 32, "width": 32},
    "torch_softmax": {"height": 24, "width": 24, "channels": 3},
    "torch_multilabel": {"height": 32, "width": 32},
    "torch_neighbours": {"height": 32, "width": 32, "channels": 3, "planes": "neighbours", "batch": 1},
    "torch_cnn3d": {"height": 16, "width": 16, "depth": 8, "planes": "volume", "layout": "NCDHW"},
    "torch_cnn_lstm": {"height": 24, "width": 24, "depth": "any", "planes": "sequence", "layout": "NTCHW", "batch": 1},
    "keras_four_blocks": {"height": 224, "width": 224, "channels": 3, "layout": "NHWC"},
    "sklearn_logistic": {"height": 8, "width": 8, "layout": "NF"},
    "denoise": {"height": "any", "width": "any"},
    "enlarge": {"height": "any", "width": "any"},
    "segment_softmax": {"height": "any", "width": "any"},
    "segment_argmax": {"height": "any", "width": "any"},
    "segment_fixed": {"height": 16, "width": 16},
    "mean_level": {"height": "any", "width": "any"},
}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No session of another test."""
    inference._loaded.clear()
    yield
    inference._loaded.clear()


def bare(card: ModelCard, given: np.ndarray, output: str | None = None) -> Any:
    session = onnxruntime.InferenceSession(str(card.model_path), providers=CPU_ONLY)
    return session.run([output] if output else None, {session.get_inputs()[0].name: given})


def given_to(card: ModelCard) -> np.ndarray:
    shape = [size or free for size, free in zip(onnx_trust.said_dims(card), (1, 3, 9, 7, 5), strict=False)]
    if card.input.layout == "NCHW" and card.input.height is None:
        shape = [2, 1, 9, 7]
    return np.random.default_rng(4).random(shape, np.float32)


# --- what comes out ---


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_outputs_are_those_of_bare_onnxruntime(tmp_path: Path, name: str) -> None:
    card = zoo_card(tmp_path, name, takes=INPUTS[name])
    runner = inference.load(card, "cpu")
    given = given_to(card)
    output = onnx_trust.output_name(runner.facts, card)
    found = runner.run([output], {onnx_trust.input_name(runner.facts, card): given})[0]
    np.testing.assert_allclose(found, bare(card, given, output)[0], rtol=1e-6, atol=1e-7)
    assert (runner.device, runner.note) == ("CPU", "")


def test_a_zipmap_becomes_the_same_array_that_is_there_without_it(tmp_path: Path) -> None:
    given = np.random.default_rng(1).uniform(0, 16, (5, 64)).astype(np.float32)
    plain, zipped = (zoo_card(tmp_path, f"sklearn_logistic{end}", takes=INPUTS["sklearn_logistic"]) for end in ("", "_zipmap"))
    found = inference.load(zipped).run(["output_probability"], {"X": given})[0]
    np.testing.assert_allclose(found, bare(plain, given, "probabilities")[0], rtol=1e-6)
    np.testing.assert_array_equal(inference.logits(inference.load(zipped), zipped, given), found.astype(np.float64))


def test_a_zipmap_with_texts_has_its_columns_in_the_order_of_the_classes(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "sklearn_forest_zipmap", takes=INPUTS["sklearn_logistic"])
    given = np.random.default_rng(2).uniform(0, 16, (4, 64)).astype(np.float32)
    wanted = [[row[key] for key in ("one", "two", "zero")] for row in bare(card, given, "output_probability")[0]]
    np.testing.assert_allclose(inference.load(card).run(["output_probability"], {"X": given})[0], wanted, rtol=1e-6)


def test_labels_as_texts_are_refused_where_a_card_asks_for_them(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "sklearn_forest_zipmap", takes=INPUTS["sklearn_logistic"], gives={"name": "output_label"})
    with pytest.raises(ModelUnusable, match='output_label of the model "sklearn_forest_zipmap" is no array of numbers'):
        inference.logits(inference.load(card), card, np.zeros((1, 64), np.float32))


def test_values_within_the_graph_come_with_the_same_run(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "torch_cnn", takes=INPUTS["torch_cnn"])
    inner = next(n.outputs[0] for n in inference.checked(card)[1].nodes if n.op == "Flatten")
    runner = inference.load(card, extra_outputs=(inner,))
    given = np.random.default_rng(4).random((3, 1, 32, 32), np.float32)
    logit, pooled = runner.run(["logit", inner], {"film": given})
    np.testing.assert_allclose(logit, bare(card, given)[0], rtol=1e-5, atol=1e-6)
    weight, bias = (runner_weights(card, f"{n}") for n in ("weight", "bias"))
    np.testing.assert_allclose(pooled @ weight.T + bias, logit, rtol=1e-4, atol=1e-5)


def runner_weights(card: ModelCard, kind: str) -> np.ndarray:
    found = inference.checked(card)[1]
    last = next(n for n in reversed(found.nodes) if n.op == "Gemm")
    array = found.array(last.inputs[1 if kind == "weight" else 2])
    assert array is not None
    return array


def test_nan_is_refused_with_its_count(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "gives_nan", takes={"height": 8, "width": 8})
    with pytest.raises(ModelUnusable, match='"gives_nan" gave 3 of 3 outputs that are no numbers'):
        inference.logits(inference.load(card), card, np.zeros((3, 1, 8, 8), np.float32))


class Fake:
    """A session that stands for a device: it answers, or raises."""

    def __init__(self, *answers: Any, providers: tuple[str, ...] = ("CUDAExecutionProvider", "CPUExecutionProvider")) -> None:
        self.answers, self.providers, self.runs = list(answers), list(providers), 0

    def get_providers(self) -> list[str]:
        return self.providers

    def run(self, _names: Any, _given: Any) -> Any:
        self.runs += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def runner_of(answer: Any, name: str = "torch_cnn") -> inference.Runner:
    from plugins.classify import onnx_file

    return inference.Runner(name, onnx_file.facts(ZOO / f"{name}.onnx").light(), lambda _device: Fake([answer]), "CPU")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([[1.0], [np.nan], [np.inf]], np.float32), "gave 2 of 3 outputs that are no numbers"),
        (np.zeros((1, 2), np.float32), r'logit of the model "torch_cnn" is float32 1 x 2; its file says float32 \? x 1'),
        (np.zeros((1, 1, 1), np.float32), "float32 1 x 1 x 1; its file says"),
        (np.zeros((1, 1), np.float64), "is float64 1 x 1; its file says float32"),
        (np.array([["yes"]], dtype=object), "no array of numbers"),
        ([np.zeros(1)], "no array of numbers"),
        ({"yes": 1.0}, "no array of numbers"),
        ([], "no array of numbers"),
    ],
)
def test_outputs_that_are_not_what_the_file_declares_are_refused(answer: Any, words: str) -> None:
    with pytest.raises(ModelUnusable, match=words):
        runner_of(answer).run(["logit"], {})


def test_a_list_of_maps_is_refused_where_an_array_is_declared() -> None:
    with pytest.raises(ModelUnusable, match="no array of numbers"):
        runner_of([{"a": 1.0}]).run(["logit"], {})


def test_maps_with_other_classes_from_row_to_row_are_refused() -> None:
    with pytest.raises(ModelUnusable, match="other classes from row to row"):
        runner_of([{0: 0.5, 1: 0.5}, {0: 0.5, 2: 0.5}], "sklearn_logistic_zipmap").run(["output_probability"], {})


def test_outputs_of_more_numbers_than_can_be_shown_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "_MOST_ELEMENTS", 7)
    with pytest.raises(ModelUnusable, match="has 8 numbers, more than can be shown"):
        runner_of(np.zeros((8, 1), np.float32)).run(["logit"], {})


def test_what_a_model_throws_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "throws", takes={"height": 8, "width": 8})
    with pytest.raises(ModelUnusable, match=r'The model "throws" failed: .*Gather') as caught:
        inference.logits(inference.load(card), card, np.zeros((1, 1, 8, 8), np.float32))
    assert "\n" not in str(caught.value)
    assert "ONNXRuntimeError" not in str(caught.value)


# --- loading ---


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "torch_cnn", takes=INPUTS["torch_cnn"])
    assert inference.load(card) is inference.load(card, "auto")
    assert inference.load(card, "cpu") is not inference.load(card, extra_outputs=("/0/Conv_output_0",))


def test_a_file_that_changes_is_checked_and_loaded_again(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "torch_cnn", takes=INPUTS["torch_cnn"])
    inference.load(card)
    changed = bytearray(card.model_path.read_bytes())
    changed[-1] ^= 1
    card.model_path.write_bytes(changed)
    with pytest.raises(ModelUnusable, match=r"torch_cnn.*checksum"):
        inference.load(card)


def test_only_the_last_few_models_are_kept(tmp_path: Path) -> None:
    for name in ("torch_cnn", "torch_softmax", "torch_multilabel", "torch_neighbours", "segment_fixed", "mean_level"):
        inference.load(zoo_card(tmp_path, name, takes=INPUTS[name]))
    assert len(inference._loaded) == 4


def test_a_newer_opset_than_the_installed_onnxruntime_knows_names_both(tmp_path: Path) -> None:
    card = zoo_card(tmp_path, "m", content=good(opset=99), takes={"height": 4, "width": 4})
    with pytest.raises(ModelUnusable, match=rf"opset 99; onnxruntime {onnxruntime.__version__} knows up to \d\d\. Export it with an older opset"):
        inference.load(card)
    card = zoo_card(tmp_path, "m", content=good(ir_version=99), takes={"height": 4, "width": 4})
    with pytest.raises(ModelUnusable, match=r"format 99; onnxruntime [\d.]+ knows up to \d\d\. Export it in an older one"):
        inference.load(card)


def test_the_newest_opset_that_onnxruntime_names_is_one_that_it_loads(tmp_path: Path) -> None:
    known = devices.known_versions(99, 99)
    card = zoo_card(tmp_path, "m", content=good(opset=known.opset, ir_version=known.ir_version), takes={"height": 4, "width": 4})
    assert inference.load(card).device == "CPU"


def test_a_graph_that_onnxruntime_will_not_take_is_one_sentence(tmp_path: Path) -> None:
    content = good(nodes=[node("NoSuchOperator", ["image"], ["logit"])])
    card = zoo_card(tmp_path, "m", content=content, takes={"height": 4, "width": 4})
    with pytest.raises(ModelUnusable, match=r'The model "m" could not be loaded: .*NoSuchOperator'):
        inference.load(card)


def test_weights_of_a_listed_file_beside_the_model_are_used(tmp_path: Path) -> None:
    factors = np.array([2, 3, 4, 5], "<f4")
    content = good(
        nodes=[node("Mul", ["image", "w"], ["logit"])],
        constants=[weights("w", (4,), FLOAT, external={"location": "w.bin", "offset": "0", "length": "16"})],
    )
    digest = hashlib.sha256(factors.tobytes()).hexdigest()
    card = zoo_card(tmp_path, "m", content=content, takes={"height": 4, "width": 4}, external={"w.bin": digest})
    (card.folder / "w.bin").write_bytes(factors.tobytes())
    found = inference.load(card).run(["logit"], {"image": np.ones((1, 1, 4, 4), np.float32)})[0]
    np.testing.assert_array_equal(found, np.broadcast_to(factors, (1, 1, 4, 4)))


def test_what_pytorch_exports_by_default_runs_with_its_listed_weights(tmp_path: Path) -> None:
    # Its weights are those of torch_cnn: made from the same seed, by the other exporter.
    beside = (ZOO / "torch_dynamo.onnx.data").read_bytes()
    digest = hashlib.sha256(beside).hexdigest()
    card = zoo_card(tmp_path, "torch_dynamo", takes=INPUTS["torch_cnn"], external={"torch_dynamo.onnx.data": digest})
    with pytest.raises(ModelUnusable, match=r"torch_dynamo\.onnx\.data"):
        inference.load(card)
    (card.folder / "torch_dynamo.onnx.data").write_bytes(beside)
    other = zoo_card(tmp_path, "torch_cnn", takes=INPUTS["torch_cnn"])
    given = np.random.default_rng(8).random((3, 1, 32, 32), np.float32)
    found, wanted = (inference.logits(inference.load(each), each, given) for each in (card, other))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "plans"), [("torch_neighbours", True), ("torch_cnn", True), ("mean_level", False)])
def test_sessions_get_all_cores_no_chatter_and_no_plan_for_free_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, plans: bool
) -> None:
    seen: list[Any] = []
    real = onnxruntime.InferenceSession

    def spy(content: Any, options: Any, **more: Any) -> Any:
        seen.append((options, more))
        return real(content, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    inference.load(zoo_card(tmp_path, name, takes=INPUTS[name]), "cpu")
    options, more = seen[-1]
    assert options.intra_op_num_threads == devices.cores() >= 1
    assert options.log_severity_level == 4
    assert options.enable_mem_pattern is plans
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    assert more["providers"] == CPU_ONLY
    assert more["enable_fallback"] == 0


def test_cuda_is_told_to_compute_in_single_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own choice is 10 bits for the factors of each product, which moves probabilities by more than the 1e-3 that is allowed."""
    asked: list[Any] = []

    def session(_content: Any, _options: Any, *, providers: Any, **_more: Any) -> Fake:
        asked.append(providers)
        return Fake([np.zeros((1, 1), np.float32)])

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(devices, "available", lambda: ("CUDA", "CPU"))
    assert inference.load(zoo_card(tmp_path, "torch_cnn", takes=INPUTS["torch_cnn"])).device == "CUDA"
    ((name, options), other) = asked[-1]
    assert (name, options["use_tf32"], other) == ("CUDAExecutionProvider", "0", "CPUExecutionProvider")
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_the_file_is_not_kept_beside_the_session(tmp_path: Path) -> None:
    runner = inference.load(zoo_card(tmp_path, "torch_cnn", takes=INPUTS["torch_cnn"]))
    content = (ZOO / "torch_cnn.onnx").read_bytes()
    assert not any(value == content for value in vars(runner.session).values())
    assert runner.facts.content == b""
    assert runner._make is None


def test_nothing_is_reported_to_anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: said.append("off"))
    devices.runtime.cache_clear()
    devices.runtime()
    assert said == ["off"]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions", "Got invalid dimensions"),
        (
            (
                "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Mul node. Status Message: "
                "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, "
                "onnxruntime::Stream*) Failed to allocate memory\nmore"
            ),
            "Non-zero status code returned while running Mul node. Status Message: Failed to allocate memory",
        ),
        ("", "RuntimeError"),
    ],
)
def test_what_onnxruntime_says_comes_without_places_in_its_sources(raised: str, said: str) -> None:
    assert devices.first_line(RuntimeError(raised)) == said


def test_weights_that_change_beside_the_model_are_checked_again(tmp_path: Path) -> None:
    content = good(constants=[weights("w", (4,), FLOAT, external={"location": "w.bin"})], nodes=[node("Mul", ["image", "w"], ["logit"])])
    factors = np.ones(4, "<f4").tobytes()
    digest = hashlib.sha256(factors).hexdigest()
    card = zoo_card(tmp_path, "m", content=content, takes={"height": 4, "width": 4}, external={"w.bin": digest})
    (card.folder / "w.bin").write_bytes(factors)
    inference.load(card)
    (card.folder / "w.bin").write_bytes(factors[:-4] + b"\1\1\1\1")
    with pytest.raises(ModelUnusable, match="damaged or was changed"):
        inference.load(card)


# --- devices ---


@pytest.fixture
def with_cuda(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """As if onnxruntime had been built for CUDA and OpenVINO; what their sessions are is put into the dictionary."""
    fakes: dict[str, Any] = {}
    real = inference._session

    def session(content: bytes, folder: Path, device: str, *more: Any) -> Any:
        if device in fakes:
            if isinstance(fakes[device], Exception):
                raise fakes[device]
            return fakes[device]
        return real(content, folder, device, *more)

    monkeypatch.setattr(inference, "_session", session)
    monkeypatch.setattr(devices, "available", lambda: ("CUDA", "OpenVINO", "CPU"))
    return fakes


FILM = read_card(models_folder() / "pneumonia-cxr-28")
OUT_OF_MEMORY = RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory\nmore lines")


def test_cuda_is_taken_where_the_session_really_gets_it(with_cuda: dict[str, Any]) -> None:
    with_cuda["CUDA"] = Fake([np.zeros((1, 1), np.float32)])
    runner = inference.load(FILM)
    assert (runner.device, runner.note) == ("CUDA", "")
    assert inference.load(FILM, "cpu").device == "CPU"


@pytest.mark.parametrize(("has_driver", "why"), [(False, "no NVIDIA driver was found"), (True, "its libraries or the driver are missing or too old")])
def test_cuda_that_the_session_does_not_get_is_said(with_cuda: dict[str, Any], monkeypatch: pytest.MonkeyPatch, has_driver: bool, why: str) -> None:
    def library(name: str) -> None:
        if name in ("libcuda.so.1", "nvcuda.dll") and not has_driver:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("ctypes.CDLL", library)
    with_cuda["CUDA"] = Fake([np.zeros((1, 1), np.float32)], providers=("CPUExecutionProvider",))
    runner = inference.load(FILM)
    assert (runner.device, runner.note) == ("CPU", f"CUDA could not be used ({why}); the CPU was used instead.")


def test_cuda_that_fails_while_loading_is_said_with_its_reason(with_cuda: dict[str, Any]) -> None:
    with_cuda["CUDA"] = RuntimeError("libcudnn.so.9: cannot open shared object file")
    runner = inference.load(FILM)
    assert runner.device == "CPU"
    assert runner.note == "CUDA could not be used (libcudnn.so.9: cannot open shared object file); the CPU was used instead."


def test_cuda_that_fails_in_mid_run_is_tried_once_more_on_the_cpu_and_stays_there(with_cuda: dict[str, Any]) -> None:
    given = np.random.default_rng(3).normal(size=(2, 1, 28, 28)).astype(np.float32)
    fake = with_cuda["CUDA"] = Fake([np.zeros((2, 1), np.float32)], OUT_OF_MEMORY)
    runner = inference.load(FILM)
    assert inference.logits(runner, FILM, given).tolist() == [[0.0], [0.0]]
    assert runner.device == "CUDA"
    np.testing.assert_allclose(inference.logits(runner, FILM, given), bare(FILM, given)[0], rtol=1e-5)
    assert (runner.device, fake.runs) == ("CPU", 2)
    assert runner.note == "CUDA failed (CUDA failure 2: out of memory); the CPU was used instead."
    inference.logits(inference.load(FILM), FILM, given)
    assert fake.runs == 2


def test_the_fall_back_reaches_the_report(with_cuda: dict[str, Any]) -> None:
    with_cuda["CUDA"] = Fake(OUT_OF_MEMORY)
    verdict = classified(FILM, image_with(np.random.default_rng(1).integers(0, 255, (28, 28), np.uint8))).items[0]
    assert verdict.device == "CPU"
    assert any("CUDA failed (CUDA failure 2: out of memory)" in sentence for sentence in verdict.warnings)


def test_a_model_that_fails_on_both_is_the_models_fault(tmp_path: Path, with_cuda: dict[str, Any]) -> None:
    with_cuda["CUDA"] = Fake(OUT_OF_MEMORY)
    card = zoo_card(tmp_path, "throws", takes={"height": 8, "width": 8})
    with pytest.raises(ModelUnusable, match='The model "throws" failed'):
        inference.logits(inference.load(card), card, np.zeros((1, 1, 8, 8), np.float32))


@pytest.mark.parametrize("word", ["OpenVINO", "openvino", "OpenVINOExecutionProvider"])
def test_another_provider_is_used_when_installed_and_chosen(with_cuda: dict[str, Any], word: str) -> None:
    with_cuda["OpenVINO"] = Fake([np.zeros((1, 1), np.float32)], providers=("OpenVINOExecutionProvider", "CPUExecutionProvider"))
    assert inference.load(FILM, word).device == "OpenVINO"


def test_a_device_that_is_not_installed_is_the_cpu_with_a_note() -> None:
    runner = inference.load(FILM, "CoreML")
    assert runner.device == "CPU"
    assert runner.note == "CoreML could not be used (the installed onnxruntime was not built for it); the CPU was used instead."


def test_a_device_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelUnusable, match=r'no device "warp drive".*auto, .*CPU'):
        inference.load(FILM, "warp drive")


def test_nothing_is_sent_to_a_service_on_the_network() -> None:
    assert "AzureExecutionProvider" not in devices.PROVIDERS.values()


def test_devices_are_tried_and_say_why_they_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["TensorrtExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(devices, "_try", lambda _model, provider: ["CPUExecutionProvider"])
    devices.devices.cache_clear()
    found = {device.name: device for device in devices.devices()}
    devices.devices.cache_clear()
    assert next(iter(found)) == "CPU"
    assert found["CPU"].is_usable
    assert "does not start" in found["TensorRT"].reason
    assert 'pip install "onnxruntime-gpu[cuda,cudnn]"' in found["CUDA"].reason
    assert not found["CUDA"].is_usable


def test_the_cpu_can_be_used_here() -> None:
    devices.devices.cache_clear()
    assert devices.devices()[0] == devices.Device("CPU", "CPUExecutionProvider")


def test_libraries_of_cuda_are_looked_for_where_onnxruntime_was_built_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: asked.append("preload"), raising=False)
    for built_for, wanted in ((["CPUExecutionProvider"], []), (["CUDAExecutionProvider", "CPUExecutionProvider"], ["preload"])):
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda built_for=built_for: built_for)
        devices.runtime.cache_clear()
        devices.runtime()
        assert asked == wanted


@pytest.mark.parametrize("device", other_devices())
@pytest.mark.parametrize("name", ["torch_cnn", "torch_cnn3d", "torch_cnn_lstm", "keras_four_blocks", "segment_softmax"])
def test_every_other_device_gives_the_same_as_the_cpu_within_a_thousandth(tmp_path: Path, name: str, device: str) -> None:
    card = zoo_card(tmp_path, name, takes=INPUTS[name])
    given = {onnx_trust.input_name(inference.checked(card)[1], card): given_to(card)}
    on_cpu, other = (inference.load(card, place) for place in ("cpu", device))
    if other.device != device:
        pytest.skip(other.note)
    output = onnx_trust.output_name(on_cpu.facts, card)
    np.testing.assert_allclose(other.run([output], given)[0], on_cpu.run([output], given)[0], atol=1e-3)


# --- two onnxruntimes in one place ---


@pytest.fixture
def second_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata of the other one beside those of the one that is installed."""
    other = "onnxruntime-gpu" if devices.installed_wheels() == ("onnxruntime",) else "onnxruntime"
    info = tmp_path / "site" / f"{other.replace('-', '_')}-1.24.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {other}\nVersion: 1.24.0\n")
    monkeypatch.syspath_prepend(str(info.parent))


@pytest.mark.usefixtures("second_wheel")
def test_a_mixed_install_is_refused_by_name_with_the_way_out() -> None:
    with pytest.raises(ModelUnusable) as caught:
        inference.load(FILM)
    said = str(caught.value)
    first, second = sorted(devices.installed_wheels())
    assert f"{first} and {second} are both installed and overwrite each other" in said
    assert f"pip uninstall -y {first} {second}" in said
    assert 'pip install "onnxruntime-gpu[cuda,cudnn]"' in said


def test_what_is_left_after_one_of_two_was_removed_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", ModuleType("onnxruntime"))  # the folder is there, its files are not
    devices.runtime.cache_clear()
    try:
        wheel = devices.installed_wheels()[0]
        with pytest.raises(ModelUnusable, match=rf"Files of {wheel} are missing.*pip uninstall -y {wheel}, then pip install onnxruntime"):
            inference.load(FILM)
    finally:
        devices.runtime.cache_clear()


def test_one_wheel_alone_is_fine() -> None:
    devices.check_install()
    assert len(devices.installed_wheels()) == 1


def test_a_text_output_declared_as_such_is_refused(tmp_path: Path) -> None:
    attribute = message(5, message(1, b"value_strings") + message(9, b"yes"))
    content = good(nodes=[node("Constant", [], ["said"], attributes=attribute + b"")], outputs=[value("said", (1,), STRING)], opset=17)
    card = zoo_card(tmp_path, "m", content=content, takes={"height": 4, "width": 4})
    with pytest.raises(ModelUnusable):
        inference.logits(inference.load(card), card, np.zeros((1, 1, 4, 4), np.float32))
