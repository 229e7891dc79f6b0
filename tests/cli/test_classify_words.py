"""``classify`` for programs: what its JSON says, one plane of models that look at several, strange images, devices; and recipes with it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from tests.cli.calls import run
from tests.plugins.onnx_samples import zoo_card
from viewer.core.geometry import Geometry
from viewer.io.write import save_array
from viewer.session.models import list_models, own_folder

OLD_KEYS = {
    "path", "series", "index", "phase", "model", "version", "task", "labels", "threshold", "calibrated", "device", "milliseconds", "warnings",
}  # fmt: skip
LOGIT = {"activation": "sigmoid"}
GRID = Geometry((5, 32, 32), (0.0, 0.0, 0.0), (2.0, 1.0, 1.0))


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    values = np.random.default_rng(3).integers(0, 255, GRID.shape).astype(np.uint8)
    save_array(tmp_path / "noise.nrrd", values, GRID)
    return tmp_path / "noise.nrrd"


def results(capsys: Any, *words: object) -> list[dict[str, Any]]:
    code, out, err = run(capsys, "classify", *words, "--json")
    assert code == 0, err
    return list(json.loads(out)["results"])


def test_what_was_there_stays_and_what_is_found_is_told(capsys: Any, noise: Path) -> None:
    (card,) = [card for card in list_models()[0] if card.name == "pneumonia-cxr-28"]
    rows = results(capsys, noise, "--model", "pneumonia-cxr-28")
    assert len(rows) == 5
    for row in rows:
        assert set(row) >= OLD_KEYS
        assert {label["name"] for label in row["labels"]} == {"Pneumonia", "No pneumonia"}
        over = next(label["probability"] for label in row["labels"] if label["name"] == "Pneumonia") >= 0.5
        assert row["found"] == (["Pneumonia"] if over else [])
        assert row["thresholds"] == {"Pneumonia": 0.5, "No pneumonia": None}
        assert (row["unfamiliar"], row["strangeness"], row["strangeness_limit"]) == (False, None, None)
        assert row["sha256"] == card.sha256
        assert float(row["facts"]["sensitivity"]) == card.card["threshold"]["sensitivity"]
        assert row["notice"].endswith("Not for diagnosis.")


def knowing(limit: float) -> None:
    """A model that tells how far the mean of an image is from 100; over ``limit`` the image is unfamiliar."""
    card = zoo_card(own_folder(), "tells_strange", takes={"height": 8, "width": 8}, gives=LOGIT)
    (card.folder / "card.toml").write_text(
        (card.folder / "card.toml").read_text(encoding="utf-8") + f'[familiarity]\nkind = "output"\noutput = "unfamiliar"\nthreshold = {limit}\n',
        encoding="utf-8",
    )


@pytest.mark.parametrize(("limit", "is_strange"), [(5.0, True), (1000.0, False)])
def test_a_heat_map_of_a_strange_image_says_so_by_every_verb_and_in_its_file(
    capsys: Any, noise: Path, tmp_path: Path, limit: float, is_strange: bool
) -> None:
    knowing(limit)
    parameters = {"model": "tells_strange", "method": "occlusion"}
    (tmp_path / "r.toml").write_text(
        '[[step]]\noperation = "Classify/Heat map"\nparameters = { model = "tells_strange", method = "occlusion" }\n', encoding="utf-8"
    )
    asked = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
    for words, path in (
        (("classify", noise, "--model", "tells_strange", "--method", "occlusion", "--heat-map", tmp_path / "a.nrrd"), tmp_path / "a.nrrd"),
        (("apply", "Classify/Heat map", noise, *asked, "--out", tmp_path / "b.nrrd"), tmp_path / "b.nrrd"),
        (("run", tmp_path / "r.toml", noise, "--out", tmp_path / "batch"), tmp_path / "batch" / "noise-map.nrrd"),
    ):
        code, _out, err = run(capsys, *words)
        assert code == 0, err
        assert ("The model has not seen such images, so the heat map may mislead." in err) == is_strange, words[0]
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        assert reader.GetMetaData("description").startswith("UNFAMILIAR") == is_strange, words[0]


def test_strange_images_are_told_and_their_scores_are_not_printed(capsys: Any, noise: Path) -> None:
    knowing(5.0)
    row = results(capsys, noise, "--model", "tells_strange", "--index", 2)[0]
    assert row["unfamiliar"]
    assert row["strangeness"] > row["strangeness_limit"] == 5.0
    _code, out, _err = run(capsys, "classify", noise, "--model", "tells_strange", "--index", 2)
    assert "This model has not seen such images." in out
    assert "%" not in out


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("torch_neighbours", {"height": 32, "width": 32, "channels": 3, "planes": "neighbours", "batch": 1}),
        ("torch_cnn", {"height": 32, "width": 32}),
    ],
)
def test_one_plane_gets_what_it_gets_among_all(capsys: Any, noise: Path, name: str, takes: dict[str, Any]) -> None:
    zoo_card(own_folder(), name, takes=takes, gives=LOGIT)
    every = results(capsys, noise, "--model", name)
    for plane in (0, 2, 4):
        (alone,) = results(capsys, noise, "--model", name, "--index", plane)
        assert alone["index"] == plane
        found, among = ([label["probability"] for label in row["labels"]] for row in (alone, every[plane]))
        assert found == pytest.approx(among, abs=1e-6)


def test_a_model_of_all_planes_gives_one_answer(capsys: Any, noise: Path) -> None:
    zoo_card(own_folder(), "torch_cnn3d", takes={"height": 16, "width": 16, "depth": 8, "planes": "volume", "layout": "NCDHW"}, gives=LOGIT)
    (row,) = results(capsys, noise, "--model", "torch_cnn3d")
    assert row["index"] == 2
    assert "planes" in row["facts"]


def test_a_device_that_is_not_there_is_refused_by_name(capsys: Any, noise: Path) -> None:
    code, out, err = run(capsys, "classify", noise, "--model", "pneumonia-cxr-28", "--device", "Abacus", "--json")
    assert code == 2
    assert json.loads(out)["results"] == []
    assert "Abacus" in err
    assert results(capsys, noise, "--model", "pneumonia-cxr-28", "--device", "CPU")[0]["device"] == "CPU"


def test_a_recipe_classifies_like_the_verb(capsys: Any, noise: Path, tmp_path: Path) -> None:
    recipe = '[[step]]\noperation = "Classify/Classify"\nparameters = { model = "pneumonia-cxr-28" }\n'
    (tmp_path / "r.toml").write_text(recipe, encoding="utf-8")
    code, _out, err = run(capsys, "run", tmp_path / "r.toml", noise, "--out", tmp_path / "batch")
    assert code == 0, err
    (table,) = (tmp_path / "batch").glob("*.csv")
    with table.open(encoding="utf-8-sig") as file:
        written = list(csv.DictReader(file))
    for row, told in zip(written, results(capsys, noise, "--model", "pneumonia-cxr-28"), strict=True):
        assert float(row["Pneumonia"]) == pytest.approx(told["labels"][0]["probability"], abs=1e-9)
        assert (row["Found"], row["Unfamiliar"], row["Reading"]) == ("; ".join(told["found"]), "no", "")
        assert row["Sensitivity, 95 % interval"] == told["facts"]["sensitivity interval"]
