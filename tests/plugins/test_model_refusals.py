"""Models and cards that do not go together: what can be settled is, for everything else there is one sentence that says what to do."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from classifier_samples import card_with, image_with, zoo_card

from plugins.classify import devices, inference, returning, trial
from plugins.classify.classify import classified, ready
from plugins.classify.heat import explained
from plugins.classify.label_maps import labelled
from plugins.classify.onnx_trust import settled
from plugins.classify.pictures import pictured
from tests.plugins import onnx_samples
from tests.plugins.onnx_samples import FLOAT, good, message, node, number_field, value, weights
from viewer.core.errors import ModelUnusable, Refused
from viewer.core.model_card import ModelCard
from viewer.session.models import list_models, own_folder

PLANES = np.random.default_rng(8).integers(0, 256, (5, 32, 32)).astype(np.uint8)


# --- how many go in at a time ---


def neighbours(folder: Path, **options: Any) -> ModelCard:
    """Exported with the number of inputs fixed at one, as PyTorch does without dynamic axes."""
    size = {"height": 32, "width": 32, "channels": 3, "planes": "neighbours", **options}
    two = [{"name": "No", "output": 0}, {"name": "Yes", "output": 1}]
    return zoo_card("torch_neighbours", folder, classes=two, input=size, output={"activation": "softmax"})


def test_a_graph_that_takes_one_at_a_time_is_given_one_whatever_the_card_leaves_open(tmp_path: Path) -> None:
    said, silent = neighbours(tmp_path / "a", batch=1), neighbours(tmp_path / "b")
    assert silent.input.batch is None
    image = image_with(PLANES)
    assert [v.scores for v in classified(silent, image).items] == [v.scores for v in classified(said, image).items]
    maps = [explained(card, image, method="occlusion").values for card in (silent, said)]
    assert np.array_equal(*maps)
    assert {dict(v.facts)["batch"] for v in classified(silent, image).items} == {"1"}, "how many went in is kept as it was"


def test_a_model_of_a_fixed_number_is_loaded_ahead_and_tried_too(tmp_path: Path) -> None:
    card = neighbours(own_folder())
    (card.folder / "card.toml").write_text(
        f'name = "{card.name}"\ntitle = "t"\nversion = "1"\ntask = "binary"\nsha256 = "{card.sha256}"\n'
        'classes = [{ name = "No", output = 0 }, { name = "Yes", output = 1 }]\n'
        '[input]\nheight = 32\nwidth = 32\nchannels = 3\nplanes = "neighbours"\n[output]\nactivation = "softmax"\n',
        encoding="utf-8",
    )
    assert ready(card.name) == "CPU"


def test_what_the_card_says_stays(tmp_path: Path) -> None:
    card = neighbours(tmp_path, batch=1)
    assert settled(card, inference.load(card).facts) is card
    free = zoo_card("torch_cnn", tmp_path, input={"height": 32, "width": 32})
    assert settled(free, inference.load(free).facts) is free


# --- sentences ---


def by_hand(folder: Path, content: bytes) -> ModelCard:
    return onnx_samples.zoo_card(folder, "m", content=content, takes={"height": 4, "width": 4})


def test_a_model_without_an_output_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"^m/model\.onnx has no output: there is nothing to show\. Export the model again\.$"):
        inference.load(by_hand(tmp_path, good(outputs=[])))


def test_an_input_of_another_size_is_told_with_its_numbers() -> None:
    said = (
        "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: x for the following indices\n"
        " index: 2 Got: 8 Expected: 9\n index: 3 Got: 8 Expected: 7\n Please fix either the inputs/outputs or the model."
    )
    expected = "Got invalid dimensions for input: x for the following indices: index: 2 Got: 8 Expected: 9; index: 3 Got: 8 Expected: 7"
    assert devices.first_line(RuntimeError(said)) == expected


@pytest.mark.parametrize(
    ("parts", "found"), [({"height": 1, "width": 1}, "NCHW of ? x 1 x 1 x 1"), ({"height": 10, "width": 10, "layout": "NF"}, "NF of ? x 100")]
)
@pytest.mark.parametrize("task", ["image", "segmentation"])
def test_a_generator_that_gets_noise_alone_is_refused_in_a_sentence(parts: dict[str, Any], found: str, task: str) -> None:
    classes = [{"name": "A", "output": 1}] if task == "segmentation" else []
    card = card_with(task=task, classes=classes, input=parts, output={"activation": "none"})
    words = rf"^.Squares. takes {found.replace('?', '[?]')}, which is no picture: it makes its own of numbers \(noise\) alone\. Only a model"
    with pytest.raises(Refused, match=words):
        pictured(card, image_with(PLANES)) if task == "image" else labelled(card, image_with(PLANES))


def test_a_generator_of_noise_is_refused_when_it_is_tried_too(tmp_path: Path) -> None:
    card = {
        "name": "noise", "title": "Noise", "version": "1", "task": "image", "sha256": hashlib.sha256(content := good()).hexdigest(),
        "input": {"height": 1, "width": 16}, "output": {"activation": "none"},
    }  # fmt: skip
    (tmp_path / "noise.onnx").write_bytes(content)
    with pytest.raises(Refused, match="makes its own of numbers"):
        trial.dry_run(str(tmp_path / "noise.onnx"), card, image_with(PLANES), 0, "CPU")


def tried(folder: Path, content: bytes, task: str, **parts: Any) -> Any:
    """What a dry run on 32 x 32 pixels gives."""
    card = {
        "name": "m", "title": "M", "version": "1", "task": task, "sha256": hashlib.sha256(content).hexdigest(),
        "input": {"height": 4, "width": 4}, "output": {"activation": "none"}, **parts,
    }  # fmt: skip
    (folder / "m.onnx").write_bytes(content)
    return trial.dry_run(str(folder / "m.onnx"), card, image_with(PLANES), 0, "CPU")


def test_a_single_number_without_axes_is_a_score_when_it_is_tried_too(tmp_path: Path) -> None:
    content = good(
        nodes=[node("GlobalMaxPool", ["image"], ["a"]), node("Squeeze", ["a"], ["b"]), node("Sigmoid", ["b"], ["logit"])],
        inputs=[value("image", (1, 1, 4, 4))], outputs=[value("logit", ())],
    )  # fmt: skip
    classes = [{"name": "Yes", "output": 0}, {"name": "No", "complement_of": "Yes"}]
    found = tried(tmp_path, content, "binary", classes=classes, normalisation={"scale": 255.0})
    assert [name for name, _score in found.scores] == ["Yes", "No"]
    assert sum(score for _name, score in found.scores) == pytest.approx(1)


@pytest.mark.parametrize(
    ("task", "channels", "words"),
    [
        ("image", 7, "gave pictures of 7 channels; grey has one, colour three"),
        ("segmentation", 2, "names output 5, counted from 0; the model gives 2"),
    ],
)
def test_pictures_that_could_not_be_shown_are_refused_when_they_are_tried(tmp_path: Path, task: str, channels: int, words: str) -> None:
    content = good(nodes=[node("Concat", ["image"] * channels, ["logit"], attributes=axis_1())], outputs=[value("logit", ("N", channels, 4, 4))])
    classes = {"classes": [{"name": "A", "output": 1}, {"name": "B", "output": 5}]} if task == "segmentation" else {}
    with pytest.raises(ModelUnusable, match=words):
        tried(tmp_path, content, task, **classes)


def axis_1() -> bytes:
    return message(5, message(1, b"axis") + number_field(3, 1) + number_field(20, 2))


def test_planes_in_sequence_have_no_place_in_the_image() -> None:
    card = card_with(task="image", classes=[], input={"layout": "NTCHW", "depth": "any", "planes": "sequence"}, output={"activation": "none"})
    with pytest.raises(Refused, match="its result has no place in the image"):
        returning.check_task(card, "image")


def test_a_folder_with_a_model_and_no_card_is_told(tmp_path: Path) -> None:
    for name, file in (("bare", "model.onnx"), ("other", "notes.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(good())
    cards, broken = list_models([tmp_path])
    assert cards == ()
    words = (
        'The folder "bare" holds model.onnx but no card.toml. Drop model.onnx on the window: a card is proposed, and what cannot be known is asked.'
    )
    assert broken == (("bare", words),)


def test_an_optional_output_is_refused_by_its_kind(tmp_path: Path) -> None:
    tensor = message(1, number_field(1, FLOAT) + message(2, b"".join(message(1, number_field(1, size)) for size in (1, 1, 4, 4))))
    output = message(1, b"logit") + message(2, message(9, message(1, tensor)))
    content = good(nodes=[node("Abs", ["image"], ["a"]), node("Optional", ["a"], ["logit"])], outputs=[output])
    runner = inference.load(by_hand(tmp_path, content))
    with pytest.raises(ModelUnusable, match=r'The output logit of the model "m" is no array of numbers \(optional\)'):
        runner.run(["logit"], {"image": np.zeros((1, 1, 4, 4), np.float32)})


# --- what was checked is what is run ---


def with_weights(folder: Path) -> ModelCard:
    """image * v * w, both in a file beside it, 2 everywhere."""
    beside = np.full(4, 2, np.float32).tobytes()
    content = good(
        constants=[weights(name, (4,), FLOAT, external={"location": "w.bin", "offset": "0", "length": "16"}) for name in "vw"],
        nodes=[node("Mul", ["image", "v"], ["half"]), node("Mul", ["half", "w"], ["logit"])],
    )  # fmt: skip
    card = onnx_samples.zoo_card(
        folder, "m", content=content, takes={"height": 4, "width": 4}, external={"w.bin": hashlib.sha256(beside).hexdigest()}
    )
    (card.folder / "w.bin").write_bytes(beside)
    return card


def test_weights_that_are_changed_after_they_were_checked_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, real = with_weights(tmp_path), inference._session

    def changed_meanwhile(*given: Any) -> Any:
        (card.folder / "w.bin").write_bytes(np.full(4, 9, np.float32).tobytes())
        return real(*given)

    monkeypatch.setattr(inference, "_session", changed_meanwhile)
    (made,) = inference.load(card).run(["logit"], {"image": np.ones((1, 1, 4, 4), np.float32)})
    assert np.array_equal(made, np.full((1, 1, 4, 4), 4))
    monkeypatch.undo()
    with pytest.raises(ModelUnusable, match="damaged or was changed"):
        inference.load(card)


@pytest.mark.parametrize("put", [lambda path: path.symlink_to("/dev/zero"), os.mkfifo, lambda path: None], ids=["link", "pipe", "nothing"])
def test_weights_that_are_no_file_any_more_when_they_are_read_cost_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Any) -> None:
    card, real = with_weights(tmp_path), os.open

    def replaced_meanwhile(path: Any, *more: Any) -> int:
        if Path(path).name == "w.bin":
            (card.folder / "w.bin").unlink()
            put(card.folder / "w.bin")
        return real(path, *more)

    monkeypatch.setattr(os, "open", replaced_meanwhile)
    with pytest.raises(ModelUnusable, match=r"^m/model\.onnx takes weights from w\.bin, which (cannot be read|is a link)"):
        inference.load(card)


def test_weights_that_many_name_are_read_and_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, hashed, opened, (new, real) = with_weights(tmp_path), list[bytes](), list[str](), (hashlib.sha256, os.open)
    monkeypatch.setattr(hashlib, "sha256", lambda content=b"": hashed.append(content) or new(content))
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: hashed.append(file.read()) or new(hashed[-1]))
    monkeypatch.setattr(os, "open", lambda path, *more: opened.append(Path(path).name) or real(path, *more))
    (made,) = inference.load(card).run(["logit"], {"image": np.ones((1, 1, 4, 4), np.float32)})
    assert np.array_equal(made, np.full((1, 1, 4, 4), 4))
    assert hashed.count((card.folder / "w.bin").read_bytes()) == 1 and opened.count("w.bin") == 1


def test_weights_of_no_sane_size_are_not_read(tmp_path: Path) -> None:
    card = with_weights(tmp_path)
    with (card.folder / "w.bin").open("r+b") as file:
        file.truncate((2 << 30) + 1)  # takes no room on the disk
    with pytest.raises(ModelUnusable, match=r"^w\.bin is larger than 2 GiB"):
        inference.load(card)
