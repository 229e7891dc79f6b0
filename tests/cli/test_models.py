"""``negatoscope models``: what is at hand, what a card says, whether a model runs; adding and removing one's own, and what is refused."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pydicom
import pytest
import tomli_w

from tests.cli import calls
from tests.plugins.onnx_samples import ZOO, good, graph, model, node, value
from viewer.cli import main as cli
from viewer.session.models import own_folder
from viewer.session.settings import Settings

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
INPUT = {"layout": "NCHW", "height": 32, "width": 32, "channels": 1}


def card(content: bytes, **more: Any) -> dict[str, Any]:
    return {
        "name": "squares", "title": "Squares", "version": "2.1", "task": "binary", "sha256": hashlib.sha256(content).hexdigest(),
        "classes": [{"name": "Square"}, {"name": "No square", "complement_of": "Square"}], "input": INPUT, "output": {"activation": "sigmoid"},
        "training": {"licence": "CC0-1.0"}, "applies": {"modality": ["CT"]}, "threshold": {"value": 0.5},
    } | more  # fmt: skip


def put(folder: Path, content: bytes, **more: Any) -> Path:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(content)
    (folder / "card.toml").write_text(tomli_w.dumps(card(content, **more)), "utf-8")
    return folder


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    return put(tmp_path / "download", (ZOO / "torch_cnn.onnx").read_bytes())


def run(capsys: Any, *words: object) -> tuple[int, str, str]:
    return calls.run(capsys, "models", *words)


def as_json(capsys: Any, *words: object) -> dict[str, Any]:
    code, out, err = run(capsys, *words, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_the_list_says_of_each_model_what_it_is_and_where_it_comes_from(capsys: Any) -> None:
    row = next(row for row in as_json(capsys)["models"] if row["name"] == "pneumonia-cxr-28")
    text = tomllib.loads((Path(__file__).parents[2] / "models" / "pneumonia-cxr-28" / "card.toml").read_text("utf-8"))
    for key in ("title", "version", "task", "sha256", "benchmark", "input"):
        assert row[key] == text[key], key
    assert row["classes"] == ["Pneumonia", "No pneumonia"] and row["threshold"] == 0.5 and row["modality"] == ["CR", "DX", "RG"]
    assert row["builtin"] is True and row["licence"] == "CC-BY-4.0"
    assert row["applies"] == {"modality": ["CR", "DX", "RG"], "body_part": ["CHEST"], "view": ["AP", "PA"], "age_years": [1, 5]}
    code, out, _err = run(capsys)
    assert code == 0 and "pneumonia-cxr-28 1.0.0  Pneumonia on children's chest films" in out and "built in · CC-BY-4.0" in out


def test_a_model_is_added_listed_shown_checked_and_removed(capsys: Any, squares: Path) -> None:
    added = as_json(capsys, "--add", squares)["models"][0]
    assert (added["name"], added["builtin"], added["licence"]) == ("squares", False, "CC0-1.0")
    assert [row["builtin"] for row in as_json(capsys)["models"] if row["name"] == "squares"] == [False]
    code, out, _err = run(capsys, "--show", "squares")
    assert code == 0 and tomllib.loads(out)["title"] == "Squares"
    checked = as_json(capsys, "--check", "squares")["models"][0]["check"]
    assert checked["inputs"][0]["name"] == "film" and checked["inputs"][0]["shape"][1:] == [1, 32, 32]
    assert checked["device"] and checked["milliseconds"] >= 0
    # Zeros are no window's middle: what goes in is the lowest level, 0, after the card's (absent) normalisation.
    session = onnxruntime.InferenceSession(ZOO / "torch_cnn.onnx", providers=["CPUExecutionProvider"])
    logit = session.run(None, {"film": np.zeros((1, 1, 32, 32), np.float32)})[0].item()
    assert checked["scores"][0]["score"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-6)
    code, out, _err = run(capsys, "--remove", "squares")
    assert code == 0 and out == '"squares" was removed.\n' and not list(own_folder().iterdir())


def test_a_bare_file_is_added_with_a_card_of_its_own_and_another_name(capsys: Any, tmp_path: Path) -> None:
    content = (ZOO / "torch_cnn.onnx").read_bytes()
    (tmp_path / "net.onnx").write_bytes(content)
    text = card(content)
    del text["sha256"]
    (tmp_path / "my card.toml").write_text(tomli_w.dumps(text), "utf-8")
    code, out, err = run(capsys, "--add", tmp_path / "net.onnx", "--card", tmp_path / "my card.toml", "--name", "mine")
    assert code == 0, err
    assert "mine 2.1  Squares" in out and "one run on an empty image" in out
    assert tomllib.loads((own_folder() / "mine" / "card.toml").read_text("utf-8"))["sha256"] == hashlib.sha256(content).hexdigest()
    assert run(capsys, "--add", tmp_path / "net.onnx", "--card", tmp_path / "my card.toml", "--name", "mine")[0] == 2
    assert run(capsys, "--add", tmp_path / "net.onnx", "--card", tmp_path / "my card.toml", "--name", "mine", "--force")[0] == 0


def test_a_card_is_proposed_for_a_bare_file_and_what_nobody_can_know_is_told(capsys: Any, tmp_path: Path) -> None:
    code, out, err = run(capsys, "--propose", ZOO / "torch_cnn.onnx")
    text = tomllib.loads(out)
    assert code == 0 and (text["input"]["layout"], text["input"]["height"], text["task"]) == ("NCHW", 32, "binary")
    assert "class" in err.lower()
    text["classes"] = card(b"")["classes"]
    (tmp_path / "card.toml").write_text(tomli_w.dumps(text), "utf-8")
    assert run(capsys, "--add", ZOO / "torch_cnn.onnx", "--card", tmp_path / "card.toml")[0] == 0


def test_which_models_are_for_an_image_is_told(capsys: Any, squares: Path) -> None:
    run(capsys, "--add", squares)
    said = as_json(capsys, "--for", FILES / "CT_small.dcm")
    assert said["best"] == "squares" and {row["name"]: row["fits"] for row in said["models"]} | {"squares": True} == {
        row["name"]: row["name"] == "squares" for row in said["models"]
    }
    said = as_json(capsys, "--for", FILES / "MR_small.dcm")
    assert said["best"] is None and "it is MR" in said["reason"]
    code, out, err = run(capsys, "--for", FILES / "MR_small.dcm")
    assert code == 0 and "not for this image" in out and "it is MR" in err


def no_inputs() -> bytes:
    return model(graph([node("Identity", ["c"], ["logit"])], [], [value("logit", ("N", 1))]))


def two_inputs() -> bytes:
    return good(inputs=[value("image", ("N", 1, 4, 4)), value("other", ("N", 1, 4, 4))])


def nothing_fixed() -> bytes:
    return good(inputs=[value("image", None)])


SMALL = {"layout": "NCHW", "height": 4, "width": 4, "channels": 1}
BAD: list[tuple[str, bytes, dict[str, Any], str]] = [
    ("not ONNX", b"This is not an ONNX model.\n" * 10, {}, "not an ONNX model"),
    ("empty", b"", {}, "empty"),
    ("newer opset", good(opset=99), {"input": SMALL}, "99"),
    ("no inputs", no_inputs(), {"input": SMALL}, "input"),
    ("several inputs", two_inputs(), {"input": SMALL}, "input"),
    ("other size", good(), {"input": SMALL | {"height": 5}}, "5"),
    ("NaN", (ZOO / "gives_nan.onnx").read_bytes(), {"input": SMALL | {"height": 8, "width": 8}}, "no numbers"),
    ("throws", (ZOO / "throws.onnx").read_bytes(), {"input": SMALL | {"height": 8, "width": 8}}, "failed"),
    ("classes and outputs", (ZOO / "torch_cnn.onnx").read_bytes(),
     {"task": "multi-class", "classes": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "output": {"activation": "softmax"}}, "output"),
    ("wrong checksum", (ZOO / "torch_cnn.onnx").read_bytes(), {"sha256": "0" * 64}, "checksum"),
    ("wrong card", (ZOO / "torch_cnn.onnx").read_bytes(), {"task": "guess"}, '"task" is "guess"; known are binary'),
    ("name of a built-in one", (ZOO / "torch_cnn.onnx").read_bytes(), {"name": "pneumonia-cxr-28"}, "built-in"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "more", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_model_is_refused_in_one_sentence_with_code_2_and_nothing_is_kept(
    capsys: Any, tmp_path: Path, content: bytes, more: dict[str, Any], words: str
) -> None:
    code, out, err = run(capsys, "--add", put(tmp_path / "bad", content, **more))
    assert code == 2 and not out
    assert err.startswith("negatoscope: ") and words in err and err.count("\n") == 1
    assert not own_folder().exists() or not list(own_folder().iterdir())


def test_a_model_that_hangs_is_stopped_and_named(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.session.apply.LONGEST_SILENCE_S", 6.0)
    source = put(tmp_path / "stuck", (ZOO / "hangs.onnx").read_bytes(), input=SMALL | {"height": 8, "width": 8})
    code, out, err = run(capsys, "--add", source)
    assert code == 2 and not out and err == "negatoscope: stuck/model.onnx: Nothing was heard of it for 6 s, so it was stopped.\n"
    assert not own_folder().exists()


def asked(capfd: Any, name: str, *words: str) -> tuple[int, str, str]:
    """A model of the zoo put into the user's folder by hand, and asked about a film; what is printed, also by libraries."""
    own_folder().mkdir(parents=True, exist_ok=True)
    put(own_folder() / name, (ZOO / f"{name}.onnx").read_bytes(), input=SMALL | {"height": 8, "width": 8})
    code = cli.main([*words, str(FILES / "CT_small.dcm")])
    captured = capfd.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    "words", [("classify", "--model", "squares"), ("apply", "Classify/Classify", "--param", "model=squares", "--out", "out.csv")]
)
def test_a_model_that_hangs_is_stopped_when_it_is_asked(capfd: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setattr("viewer.session.apply.LONGEST_SILENCE_S", 3.0)
    monkeypatch.chdir(tmp_path)
    code, out, err = asked(capfd, "hangs", *words)
    assert code == 2 and not out and "so it was stopped" in err and err.count("\n") == 1


def test_of_a_model_that_throws_nothing_but_its_sentence_is_printed(capfd: Any) -> None:
    code, out, err = asked(capfd, "throws", "classify", "--model", "squares")
    assert code == 2 and not out and err.startswith('negatoscope: The model "squares" failed: ') and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--show", "nobody"), 'There is no model "nobody". There are: '),
        (("--show", ""), "empty"),
        (("--remove", "nobody"), "among the added ones"),
        (("--remove", "pneumonia-cxr-28"), "comes with the program"),
        (("--name", "x"), "--name goes with --add."),
        (("--add", "no such folder"), "no such folder"),
        (("--add", "."), "model.onnx"),
        (("--check", "pneumonia-cxr-28", "--remove", "x"), "not allowed with"),
    ],
)
def test_bad_words_are_refused_in_a_sentence(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert code == 2 and not out and told in err and "Traceback" not in err


def test_a_damaged_model_harms_no_listing_and_its_reason_is_told_when_it_is_asked_for(capsys: Any, squares: Path) -> None:
    run(capsys, "--add", squares)
    (own_folder() / "squares" / "card.toml").write_text('task = "guess"')
    said = as_json(capsys)
    assert [row["name"] for row in said["unusable"]] == ["squares"] and "squares" not in [row["name"] for row in said["models"]]
    code, out, err = run(capsys)
    assert code == 0 and err == "", "the list itself says it, and nothing is wrong with the others"
    assert 'squares  cannot be used\n    squares/card.toml: "task" is "guess"' in out and "pneumonia-cxr-28 1.0.0" in out
    assert '"task" is "guess"' in said["unusable"][0]["reason"]
    code, _out, err = run(capsys, "--check", "squares")
    assert code == 2 and '"task" is "guess"' in err
    assert run(capsys, "--remove", "squares")[0] == 0


def test_a_model_whose_file_was_changed_does_not_pass_its_check(capsys: Any, squares: Path) -> None:
    run(capsys, "--add", squares)
    path = own_folder() / "squares" / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    code, _out, err = run(capsys, "--check", "squares")
    assert code == 2 and "checksum" in err


def test_classify_takes_the_model_that_fits_each_image_best_and_tells_where_none_does(capsys: Any, tmp_path: Path) -> None:
    content = (ZOO / "torch_cnn.onnx").read_bytes()
    run(capsys, "--add", put(tmp_path / "a", content, name="of-ct", applies={"modality": ["CT"]}))
    run(capsys, "--add", put(tmp_path / "b", content, name="of-us", applies={"modality": ["US"]}))
    assert cli.main(["classify", str(FILES / "CT_small.dcm"), "--json"]) == 0
    assert [row["model"] for row in json.loads(capsys.readouterr().out)["results"]] == ["of-ct"]
    assert cli.main(["classify", str(FILES / "MR_small.dcm")]) == 2
    assert "No model is for this image: it is MR, and the models are for" in capsys.readouterr().err


def test_classify_takes_the_device_of_the_settings_unless_one_is_named(capsys: Any) -> None:
    Settings().set("device", "nonsense")
    words = ["classify", str(FILES / "CT_small.dcm"), "--model", "pneumonia-cxr-28"]
    assert cli.main(words) == 2 and '"nonsense"' in capsys.readouterr().err
    assert cli.main([*words, "--device", "CPU"]) == 0


@pytest.mark.parametrize(
    ("name", "task", "layout", "classes"),
    [
        ("keras_four_blocks", "binary", "NHWC", [{"name": "Yes"}, {"name": "No", "complement_of": "Yes"}]),
        ("sklearn_logistic_zipmap", "multi-class", "NF", [{"name": "0"}, {"name": "1"}, {"name": "2"}]),
        ("sklearn_forest_zipmap", "multi-class", "NF", None),
        ("torch_cnn3d", "binary", "NCDHW", [{"name": "Yes"}, {"name": "No", "complement_of": "Yes"}]),
        ("segment_softmax", "segmentation", "NCHW", [{"name": "background"}, {"name": "dim"}, {"name": "bright"}]),
    ],
)
def test_models_of_every_exporter_are_proposed_added_and_run(
    capsys: Any, tmp_path: Path, name: str, task: str, layout: str, classes: list[dict[str, str]] | None
) -> None:
    code, out, err = run(capsys, "--propose", ZOO / f"{name}.onnx")
    text = tomllib.loads(out)
    assert code == 0 and (text["task"], text["input"]["layout"]) == (task, layout), err
    if classes is None:
        assert [entry["name"] for entry in text["classes"]] == ["one", "two", "zero"], "the file tells them"
    else:
        text["classes"] = classes
    (tmp_path / "card.toml").write_text(tomli_w.dumps(text), "utf-8")
    found = as_json(capsys, "--add", ZOO / f"{name}.onnx", "--card", tmp_path / "card.toml")["models"][0]
    scores = [row["score"] for row in found["check"]["scores"]]
    assert len(scores) == (len(text["classes"]) if task != "segmentation" else 0)
    assert not scores or sum(scores) == pytest.approx(1, abs=1e-3)
