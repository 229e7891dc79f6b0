"""Cines and other images of several phases through models on the command line: every phase is judged, and named."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import special

from tests.cli.calls import run
from viewer.core.geometry import Geometry
from viewer.io.write import save_array
from viewer.session.models import own_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
from contract_samples import add_models

from tests.plugins.onnx_samples import zoo_card

GRID = Geometry((1, 32, 32), (0.0, 0.0, 0.0), (1.0, 0.5, 0.5))
FRAMES = np.stack([np.full((1, 32, 32), 40 * number + 20, np.uint8) for number in range(4)])
FRAMES[:, 0, :4, :4] = 250
SCORES = special.expit(FRAMES.mean(axis=(1, 2, 3)) / 255)


@pytest.fixture
def cine(tmp_path: Path) -> Path:
    zoo_card(own_folder(), "mean_level", takes={"height": "any", "width": "any"}, gives={"activation": "sigmoid"})
    card = own_folder() / "mean_level" / "card.toml"
    card.write_text(card.read_text(encoding="utf-8") + "normalisation = { scale = 255.0 }\n", encoding="utf-8")
    save_array(tmp_path / "cine.nrrd", FRAMES, GRID)
    return tmp_path / "cine.nrrd"


def test_every_phase_has_a_row_that_names_it(capsys: Any, cine: Path) -> None:
    code, out, _err = run(capsys, "classify", cine, "--model", "mean_level")
    assert (code, [line.partition("  ")[0] for line in out.splitlines()]) == (0, [f"cine.nrrd [0] phase {n}" for n in range(4)])
    _code, out, _err = run(capsys, "classify", cine, "--model", "mean_level", "--json")
    rows = json.loads(out)["results"]
    assert [(row["index"], row["phase"]) for row in rows] == [(0, n) for n in range(4)]
    assert [row["labels"][0]["probability"] for row in rows] == pytest.approx(SCORES, abs=1e-5)


def test_an_image_of_one_phase_is_named_as_before(capsys: Any, cine: Path) -> None:
    _code, out, _err = run(capsys, "classify", cine, "--model", "mean_level", "--phase", "0")
    assert out.startswith("cine.nrrd [0]  yes ")


def test_a_heat_map_says_which_phase_it_is_of(capsys: Any, cine: Path, tmp_path: Path) -> None:
    zoo_card(own_folder(), "torch_cnn", takes={"height": 32, "width": 32}, gives={"activation": "sigmoid"})
    made = {}
    for words in ((), ("--phase", "0"), ("--phase", "3")):
        code, _out, err = run(capsys, "classify", cine, "--model", "torch_cnn", "--heat-map", tmp_path / "h.nrrd", "--force", *words)
        phase = words[-1] if words else "0"
        assert (code, f"h.nrrd: Of phase {phase} alone." in err) == (0, True)
        made[words] = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "h.nrrd")))
    assert np.array_equal(made[()], made["--phase", "0"])
    assert not np.array_equal(made[()], made["--phase", "3"])


def test_a_recipe_judges_every_phase(capsys: Any, cine: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('[[step]]\noperation = "Classify/Classify"\nparameters = { model = "mean_level" }\n', encoding="utf-8")
    assert run(capsys, "run", tmp_path / "r.toml", cine, "--out", tmp_path / "batch")[0] == 0
    with (tmp_path / "batch" / "cine.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(line for line in file if not line.startswith("#")) if row["Model"] == "mean_level"]
    assert [int(row["Phase"]) for row in rows] == [0, 1, 2, 3]
    assert [float(row["yes"]) for row in rows] == pytest.approx(SCORES, abs=1e-5)


def test_a_recipe_that_segments_says_of_which_phase(capsys: Any, cine: Path, tmp_path: Path) -> None:
    add_models()
    words = "cine: of 4 phases the first alone was segmented, mapped and measured."
    for operation, is_said in (("Segment/Network", True), ("Enhance/Network", False)):
        (tmp_path / "r.toml").write_text(f'[[step]]\noperation = "{operation}"\n', encoding="utf-8")
        code, _out, err = run(capsys, "run", tmp_path / "r.toml", cine, "--out", tmp_path / operation[:3])
        assert (code, words in err) == (0, is_said)


def test_pictures_are_made_of_every_phase_and_labels_of_one_that_is_named(capsys: Any, cine: Path, tmp_path: Path) -> None:
    add_models()
    words = "only phase 0 of 4 was worked on. Another one is named with --phase."
    code, _out, err = run(capsys, "apply", "Enhance/Network", cine, "--out", tmp_path / "e.nrrd")
    assert (code, words in err) == (0, False)
    assert sitk.ReadImage(str(tmp_path / "e.nrrd")).GetSize()[:2] == (32, 32)
    code, _out, err = run(capsys, "apply", "Segment/Network", cine, "--out", tmp_path / "s.nrrd")
    assert (code, words in err) == (0, True)
    code, _out, err = run(capsys, "apply", "Segment/Network", cine, "--phase", "3", "--out", tmp_path / "s.nrrd", "--force")
    assert (code, words in err) == (0, False)
