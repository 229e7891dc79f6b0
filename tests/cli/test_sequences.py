"""A model of two networks, an encoder and a recurrent one, by every verb: added, checked, asked, in a recipe, explained."""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import onnxruntime
import pytest
from PIL import Image as Picture

from tests.cli.calls import run
from tests.plugins.onnx_samples import ZOO, course_folder
from viewer.core.geometry import Geometry
from viewer.io.write import save_array
from viewer.session.models import own_folder

GRID = Geometry((6, 40, 36), (0.0, 0.0, 0.0), (2.0, 1.0, 1.0))
SCAN = np.random.default_rng(8).integers(0, 256, GRID.shape).astype(np.uint8)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    save_array(tmp_path / "scan.nii.gz", SCAN, GRID)
    return tmp_path / "scan.nii.gz"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return course_folder(tmp_path / "download")


def by_hand() -> float:
    """Both graphs with bare onnxruntime: 8 bits go in as they are, from 0 to 1."""
    first, second = (onnxruntime.InferenceSession(str(ZOO / name)) for name in ("torch_encoder.onnx", "torch_features_lstm.onnx"))
    small = [np.asarray(Picture.fromarray(p.astype(np.float32)).resize((20, 24), Picture.Resampling.BILINEAR)) / 255 for p in SCAN]
    features = first.run(["pooled"], {"plane": np.stack(small)[:, None].astype(np.float32)})[0]
    logit = second.run(["logit"], {"features": features.reshape(1, 6, 16)})[0]
    return float(1 / (1 + np.exp(-np.float64(logit[0, 0]))))


def test_two_networks_are_added_checked_and_asked_like_one(capsys: Any, course: Path, scan: Path, tmp_path: Path) -> None:
    code, out, err = run(capsys, "models", "--add", course)
    assert code == 0, err
    assert "one run on an empty image" in out
    assert sorted(path.name for path in (own_folder() / "course").iterdir()) == ["card.toml", "features.onnx", "model.onnx"]
    kept = tomllib.loads((own_folder() / "course" / "card.toml").read_text("utf-8"))
    assert kept["encoder"]["sha256"] == hashlib.sha256((ZOO / "torch_encoder.onnx").read_bytes()).hexdigest()
    assert run(capsys, "models", "--check", "course")[0] == 0

    code, out, err = run(capsys, "classify", scan, "--model", "course", "--json", "--heat-map", tmp_path / "heat.nii.gz")
    assert code == 0, err
    (row,) = json.loads(out)["results"]
    assert row["labels"][0]["probability"] == pytest.approx(by_hand(), abs=1e-6)
    assert nibabel.load(tmp_path / "heat.nii.gz").shape == (36, 40, 6)

    (tmp_path / "r.toml").write_text('[[step]]\noperation = "Classify/Classify"\nparameters = { model = "course" }\n', "utf-8")
    code, _out, err = run(capsys, "run", tmp_path / "r.toml", scan, "--out", tmp_path / "batch")
    assert code == 0, err
    (table,) = (tmp_path / "batch").glob("*.csv")
    with table.open(encoding="utf-8-sig") as file:
        (written,) = csv.DictReader(file)
    assert float(written["Ill"]) == pytest.approx(by_hand(), abs=1e-6)


def test_an_encoder_that_was_exchanged_is_refused(capsys: Any, course: Path, scan: Path) -> None:
    assert run(capsys, "models", "--add", course)[0] == 0
    (own_folder() / "course" / "features.onnx").write_bytes((ZOO / "torch_cnn.onnx").read_bytes())
    for words in (("models", "--check", "course"), ("classify", scan, "--model", "course")):
        code, _out, err = run(capsys, *words)
        assert code == 2 and "its checksum is not the card's" in err


def test_a_recurrent_network_alone_is_told_where_its_encoder_goes(capsys: Any, course: Path) -> None:
    code, _out, err = run(capsys, "models", "--propose", course / "model.onnx")
    assert code == 2
    assert "takes features of planes, one after the other (features, float32, 1 × ? × 16), which a second network has to make" in err
    assert "card.toml whose [encoder] names it" in err
