"""Networks for pictures and label maps on the command line and in recipes: by the model's name, or by the image."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from tests.cli.calls import run
from viewer.cli import main as cli
from viewer.core.geometry import Geometry
from viewer.io.write import save_array
from viewer.session.models import own_folder
from viewer.session.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
from contract_samples import MODELS, add_models

GRID = Geometry((3, 20, 24), (10.0, -20.0, 30.0), (3.0, 0.7, 0.5))
VALUES = np.random.default_rng(3).integers(0, 256, GRID.shape).astype(np.uint8)


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    add_models()
    save_array(tmp_path / "noise.nrrd", VALUES, GRID)
    return tmp_path / "noise.nrrd"


@pytest.mark.parametrize("model", [(), ("--param", "model=denoise")], ids=["best fit", "by name"])
def test_a_network_makes_a_picture_of_every_plane(capsys: Any, noise: Path, tmp_path: Path, model: tuple[str, ...]) -> None:
    assert run(capsys, "apply", "Enhance/Network", noise, *model, "--out", tmp_path / "o.nrrd")[0] == 0
    made = sitk.ReadImage(str(tmp_path / "o.nrrd"))
    assert made.GetOrigin() == pytest.approx(GRID.origin)
    assert sitk.GetArrayFromImage(made) == pytest.approx(ndimage.uniform_filter(VALUES.astype(float), (1, 3, 3), mode="nearest"), abs=1e-3)


def test_a_recipe_names_the_model_and_a_label_map_comes_out(capsys: Any, noise: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('[[step]]\noperation = "Segment/Network"\nparameters = { model = "segment_softmax" }\n', encoding="utf-8")
    assert run(capsys, "run", tmp_path / "r.toml", noise, "--out", tmp_path / "batch")[0] == 0
    (path,) = [p for p in (tmp_path / "batch").rglob("*") if p.name.endswith((".nrrd", ".nii.gz"))]
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert np.all(found[VALUES > 200] == 2)
    assert np.all(found[VALUES < 60] == 0)
    assert np.all(found[(VALUES > 70) & (VALUES < 180)] == 1)


@pytest.mark.parametrize(
    ("operation", "model", "words"),
    [
        ("Enhance/Network", "nobody", 'There is no model "nobody"'),
        ("Enhance/Network", "segment_softmax", "names the task segmentation, and image is needed"),
        ("Segment/Network", "pneumonia-cxr-28", "names the task binary, and segmentation is needed"),
    ],
)
def test_a_model_that_is_none_for_it_costs_a_sentence_and_no_file(
    capsys: Any, noise: Path, tmp_path: Path, operation: str, model: str, words: str
) -> None:
    code, _out, err = run(capsys, "apply", operation, noise, "--param", f"model={model}", "--out", tmp_path / "o.nrrd")
    assert code == 2
    assert words in err
    assert not (tmp_path / "o.nrrd").exists()


def test_where_no_such_model_is_installed_that_is_said(capsys: Any, tmp_path: Path) -> None:
    save_array(tmp_path / "noise.nrrd", VALUES, GRID)
    code, _out, err = run(capsys, "apply", "Enhance/Network", tmp_path / "noise.nrrd", "--out", tmp_path / "o.nrrd")
    assert (code, "No model for pictures is installed." in err) == (2, True)


NOT_BUILT = "OpenVINO could not be used (the installed onnxruntime was not built for it); the CPU was used instead."


@pytest.mark.parametrize("operation", ["Enhance/Network", "Segment/Network"])
def test_what_is_to_be_said_of_a_run_stands_on_stderr_and_in_the_json(capsys: Any, noise: Path, tmp_path: Path, operation: str) -> None:
    """The device is that of the settings, as with classify."""
    Settings().set("device", "OpenVINO")
    code = cli.main(["apply", operation, str(noise), "--out", str(tmp_path / "o.nrrd"), "--json"])
    said = capsys.readouterr()
    made = json.loads(said.out)
    assert (code, NOT_BUILT in said.err) == (0, True)
    assert (made["operation"], made["out"], made["warnings"]) == (operation, str(tmp_path / "o.nrrd"), [NOT_BUILT])
    assert made["facts"]["device"] == "CPU" and made["facts"]["model"] in MODELS.values()
    (tmp_path / "r.toml").write_text(f'[[step]]\noperation = "{operation}"\nparameters = {{ device = "openvino" }}\n', encoding="utf-8")
    code, _out, err = run(capsys, "run", tmp_path / "r.toml", noise, "--out", tmp_path / "batch")
    assert (code, NOT_BUILT in err) == (0, True)


def test_a_device_that_does_not_exist_costs_a_sentence(capsys: Any, noise: Path, tmp_path: Path) -> None:
    code, _out, err = run(capsys, "apply", "Enhance/Network", noise, "--param", "device=abacus", "--out", tmp_path / "o.nrrd")
    assert (code, 'There is no device "abacus". There are: auto, ' in err) == (2, True)


def test_of_a_model_that_is_there_and_cannot_be_used_the_reason_is_told(capsys: Any, noise: Path, tmp_path: Path) -> None:
    card = own_folder() / MODELS["image"] / "card.toml"
    card.write_text(card.read_text(encoding="utf-8").replace('task = "image"', 'task = "magic"'), encoding="utf-8")
    code, _out, err = run(capsys, "apply", "Enhance/Network", noise, "--param", f"model={MODELS['image']}", "--out", tmp_path / "o.nrrd")
    assert (code, '"task" is "magic"; known are' in err) == (2, True)
    code, _out, err = run(capsys, "classify", noise, "--model", MODELS["image"])
    assert (code, '"task" is "magic"; known are' in err) == (2, True)
