"""One way for all operations that run a network: which device is asked, and what is said and kept of how a result came about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
from classifier_samples import image_with, zoo_card
from contract_samples import add_models

from plugins.classify.heat import explained
from plugins.classify.label_maps import labelled
from plugins.classify.pictures import pictured
from viewer.core.geometry import Geometry
from viewer.core.images import Image, Labels, Overlay
from viewer.core.model_card import ModelCard
from viewer.core.operation import describe
from viewer.core.volume import Identity, Volume
from viewer.jobs.pool import Pool
from viewer.session.apply import Call, apply, prepare
from viewer.session.document import Document, Source
from viewer.session.plugins import discover
from viewer.session.recipe import recipe_of
from viewer.session.settings import Settings
from viewer.session.store import Store, restore

FILM = np.random.default_rng(7).integers(0, 256, (1, 40, 40)).astype(np.uint8)
RUNS = ("Classify/Classify", "Classify/Heat map", "Enhance/Network", "Segment/Network")
Run = Callable[[ModelCard, Image, str], Image | Labels | Overlay]


def card(task: str, folder: Path, **parts: Any) -> ModelCard:
    if task == "heat":
        return zoo_card("torch_cnn", folder, input={"height": 32, "width": 32}, **parts)
    size = {"height": "any", "width": "any"}
    classes = [{"name": "Middle", "output": 1}] if task == "segmentation" else []
    name = {"image": "denoise", "segmentation": "segment_softmax"}[task]
    return zoo_card(name, folder, task=task, classes=classes, input=size, output={"activation": "none"}, **parts)


ONES: dict[str, Run] = {
    "image": lambda card, image, device: pictured(card, image, device=device),
    "segmentation": lambda card, image, device: labelled(card, image, device=device),
    "heat": lambda card, image, device: explained(card, image, device=device, method="exact"),
}


@pytest.mark.parametrize("task", ONES)
def test_what_does_not_fit_and_a_device_that_cannot_be_had_are_said_with_the_result(tmp_path: Path, task: str) -> None:
    model = card(task, tmp_path, applies={"modality": ["MR"], "body_part": ["HEAD"]})
    made = ONES[task](model, image_with(FILM, modality="CT"), "TensorRT")
    assert made.warnings[:2] == ("This model is for MR; this image is CT.", "Body part unknown: this model is for HEAD.")
    assert made.warnings[-1] == "TensorRT could not be used (the installed onnxruntime was not built for it); the CPU was used instead."
    facts = dict(made.facts)
    assert (facts["model"], facts["version"], facts["device"], facts["sha256"]) == (model.name, "1", "CPU", model.sha256)


@pytest.mark.parametrize("task", ONES)
def test_where_all_fits_nothing_is_said(tmp_path: Path, task: str) -> None:
    assert ONES[task](card(task, tmp_path), image_with(FILM), "").warnings == ()


# --- the parameter ---


@pytest.mark.parametrize("name", RUNS)
def test_every_operation_that_runs_a_network_takes_any_device_by_name(name: str) -> None:
    spec = discover().spec(name)
    device = spec.parameter("device")
    assert (device.type, device.default, device.is_device) == ("text", "", True)
    assert describe(spec.name, spec.run).parameter("device") == device


def opened() -> tuple[Document, Volume]:
    document = Document()
    volume = Volume("v", FILM[None], Geometry(FILM.shape), identity=Identity(modality="DX"))
    document.add_source(volume)
    return document, volume


def call(name: str, **options: Any) -> Call:
    document, volume = opened()
    given = options.pop("given", {})
    return prepare(document, discover().spec(name), given, volume_id=volume.id, **options)


@pytest.mark.parametrize("name", RUNS)
def test_without_a_name_it_is_the_device_of_the_settings_and_a_recipe_stays_free_of_it(name: str) -> None:
    assert call(name).parameters["device"] == "auto"
    Settings().set("device", "OpenVINO")
    assert call(name).parameters["device"] == "OpenVINO"
    assert call(name).references["device"] == ""
    assert call(name, device="CUDA").parameters["device"] == "CUDA"
    chosen = call(name, given={"device": "CPU"})
    assert (chosen.parameters["device"], chosen.references["device"]) == ("CPU", "CPU")


def test_the_step_keeps_what_was_said_and_so_does_the_journal(tmp_path: Path) -> None:
    add_models()
    _document, volume = opened()
    store = Store(tmp_path / "journal.nego")
    document = Document(store)
    document.add_source(volume, Source("v"))
    with Pool(inline=True) as pool:
        apply(document, discover().spec("Enhance/Network"), {"device": "OpenVINO"}, pool, volume_id=volume.id)
    (step,) = document.history.steps
    words = "OpenVINO could not be used (the installed onnxruntime was not built for it); the CPU was used instead."
    assert step.origin.warnings == (words,)
    assert dict(step.origin.facts)["device"] == "CPU"
    assert [made.parameters["device"] for made in recipe_of([step])] == ["OpenVINO"]
    store.flush()
    store.close()
    again = restore(tmp_path / "journal.nego", lambda _source: volume, writable=False)
    assert [kept.origin.warnings for kept in again.history.steps] == [(words,)]
    assert [kept.origin.facts for kept in again.history.steps] == [step.origin.facts]
