"""`models/evaluate.py` and `models/figures.py`: figures by hand-made arithmetic, and the path through the program's own reader."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def maths() -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location("figures_of_models", ROOT / "models" / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_auc_counts_pairs_and_halves_ties(maths: ModuleType) -> None:
    # Pairs (ill, well): 0.9 beats all three; 0.5 beats 0.2, ties with 0.5, loses to 0.7: (3 + 1 + 0.5) / 6.
    p, labels = np.array([0.9, 0.5, 0.2, 0.5, 0.7]), np.array([1, 1, 0, 0, 0])
    assert maths.auc_of(p, labels) == pytest.approx(4.5 / 6)


def test_auc_of_one_class_is_no_number(maths: ModuleType) -> None:
    assert np.isnan(maths.auc_of(np.array([0.1, 0.2]), np.array([1, 1])))


@pytest.mark.filterwarnings("error")
def test_a_set_of_one_class_has_no_interval_where_there_is_no_number(maths: ModuleType) -> None:
    found = maths.intervals(np.array([0.1, 0.9]), np.array([1, 1]), 0.5, times=20)
    assert np.isnan(found["auc"]).all()
    assert np.isnan(found["specificity"]).all()
    assert 0 <= found["sensitivity"][0] <= found["sensitivity"][1] <= 1


def test_auc_equals_counting_every_pair(maths: ModuleType) -> None:
    source = np.random.default_rng(3)
    labels = source.integers(0, 2, 200)
    p = np.round(np.clip(source.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 2)  # rounded, so that there are ties
    ill, well = p[labels == 1][:, None], p[labels == 0][None]
    assert maths.auc_of(p, labels) == pytest.approx(float(((ill > well) + 0.5 * (ill == well)).mean()))


def test_calibration_error_weighs_bins_by_their_films(maths: ModuleType) -> None:
    # Bin 0.2 to 0.3: three films at 0.25, one ill: gap 1/3 - 1/4. Bin 0.9 to 1: one film at 1.0, well: gap 1.
    p, labels = np.array([0.25, 0.25, 0.25, 1.0]), np.array([1, 0, 0, 0])
    assert maths.calibration_error(p, labels) == pytest.approx(0.75 * (1 / 3 - 1 / 4) + 0.25 * 1.0)


def test_shift_of_prevalence_multiplies_odds(maths: ModuleType) -> None:
    # Even odds at a prevalence of one half become 3 to 1 where three in four are ill; back again it is one half.
    moved = maths.shifted(np.array([0.5, 0.8]), 0.75)
    assert moved == pytest.approx([0.75, 12 / 13])
    assert maths.shifted(moved, 0.5, assumed=0.75) == pytest.approx([0.5, 0.8])


def test_figures_at_a_threshold(maths: ModuleType) -> None:
    # A film exactly at the threshold is called.
    found = maths.figures(np.array([0.5, 0.4, 0.6, 0.1, 0.2]), np.array([1, 1, 0, 0, 0]), 0.5)
    assert (found["accuracy"], found["sensitivity"]) == (pytest.approx(3 / 5), pytest.approx(1 / 2))
    assert found["specificity"] == pytest.approx(2 / 3)
    assert found["brier"] == pytest.approx((0.25 + 0.36 + 0.36 + 0.01 + 0.04) / 5)


def test_bootstrap_draws_whole_patients(maths: ModuleType) -> None:
    # All films of a patient say the same: by patient the interval is that of 10 draws, wider than that of 200.
    source = np.random.default_rng(0)
    right = np.repeat(source.random(10) < 0.7, 20)
    labels = np.tile([0, 1], 100)
    p = np.where(right, labels, 1 - labels).astype(float)
    patients = np.repeat(np.arange(10).astype(str), 20)
    whole, single = maths.intervals(p, labels, 0.5, groups=patients, times=500), maths.intervals(p, labels, 0.5, times=500)
    assert np.ptp(whole["accuracy"]) > 3 * np.ptp(single["accuracy"])
    assert single["accuracy"][0] < right.mean() < single["accuracy"][1]


TABLE = {1: 0.025, 5: 0.4782, 10: 0.6915, 20: 0.8316, 30: 0.8843, 50: 0.9289, 100: 0.9638}
"""Clopper and Pearson's lower bounds at 95 % where all of n are right, as printed tables have them (Diem and Lentner, Geigy)."""


@pytest.mark.parametrize("number", list(TABLE))
def test_where_all_or_none_are_right_the_interval_is_the_exact_one(maths: ModuleType, number: int) -> None:
    from scipy.stats import beta, binom

    low, high = maths.exact_interval(number, are_all=True)
    assert (low, high) == (pytest.approx(TABLE[number], abs=6e-5), 1.0)
    assert low == pytest.approx(float(beta.ppf(0.025, number, 1)), rel=1e-9)
    assert float(binom.pmf(number, number, low)) == pytest.approx(0.025), "the smallest share at which all of n are no rare chance"
    assert maths.exact_interval(number, are_all=False) == (0.0, pytest.approx(1 - low))


def test_a_perfect_order_is_as_sure_as_there_are_pairs_of_patients(maths: ModuleType) -> None:
    p, labels = np.array([0.9, 0.8, 0.7, 0.1, 0.2]), np.array([1, 1, 1, 0, 0])
    assert maths.intervals(p, labels, 0.5, times=50)["auc"] == (pytest.approx(0.025 ** (1 / 2)), 1.0), "two pairs share no film"
    assert maths.intervals(1 - p, labels, 0.5, times=50)["auc"] == (0.0, pytest.approx(1 - 0.025 ** (1 / 2)))


def test_a_perfect_specificity_is_as_sure_as_there_are_patients(maths: ModuleType) -> None:
    p, labels = np.array([0.9, 0.2, 0.8, 0.7, 0.1, 0.2, 0.3, 0.1]), np.array([1, 1, 1, 1, 0, 0, 0, 0])
    patients = np.array(["a", "a", "b", "c", "d", "d", "d", "e"])
    found = maths.intervals(p, labels, 0.5, groups=patients, times=200)
    assert found["specificity"] == (pytest.approx(0.025 ** (1 / 2)), 1.0), "four films, but of two patients"
    assert maths.intervals(p, labels, 0.5, times=200)["specificity"] == (pytest.approx(0.025 ** (1 / 4)), 1.0)
    assert 0 < found["sensitivity"][0] < found["sensitivity"][1] <= 1, "not all are right: drawn"
    none = maths.intervals(1 - p, labels, 0.95, groups=patients, times=200)
    assert none["sensitivity"] == (0.0, pytest.approx(1 - 0.025 ** (1 / 3)))
    assert maths.intervals(labels.astype(float), labels, 0.5, groups=patients, times=50)["accuracy"] == (pytest.approx(0.025 ** (1 / 5)), 1.0)


def evaluate(*arguments: object, fails: bool = False) -> str:
    command = [sys.executable, str(ROOT / "models" / "evaluate.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=100)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Twelve pictures of noise, half of them in an archive, with a table that has columns of its own."""
    source = np.random.default_rng(1)
    lines = ["file,label,patient,side"]
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as box:
        for number in range(12):
            name = f"a/{number}.png" if number % 2 else f"{number}.png"
            path = tmp_path / f"{number}.png"
            Image.fromarray(source.integers(0, 256, (40, 50), dtype=np.uint8)).save(path)
            if number % 2:
                box.write(path, name)
                path.unlink()
            lines.append(f"{name},{'ill' if number % 3 else 'Normal'},p{number // 2},{'left' if number < 8 else 'right'}")
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_a_folder_of_pictures_with_a_table_is_evaluated(films: Path) -> None:
    found = json.loads(evaluate(ROOT / "models" / "pneumonia-cxr-28", films, "--json", "--bootstrap", 50))
    assert (found["films"], found["positive"], found["patients"]) == (12, 8, 6)
    assert found["prevalence"] == pytest.approx(8 / 12)
    value = found["figures"]["accuracy"]
    assert value["interval"][0] <= value["value"] <= value["interval"][1]


def test_the_probabilities_are_those_of_bare_onnxruntime(films: Path) -> None:
    """Pillow and onnxruntime alone, by the words of the 28 px card: centre square, bilinear, (v / 255 - 0.5) / 0.25."""
    import tomllib

    import onnxruntime

    folder = ROOT / "models" / "pneumonia-cxr-28"
    card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    with zipfile.ZipFile(films / "some.zip") as box:
        box.extractall(films)
    p, labels = [], []
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    for number in range(12):
        path = films / (f"a/{number}.png" if number % 2 else f"{number}.png")
        square = Image.open(path).convert("F").crop((5, 0, 45, 40)).resize((28, 28), Image.Resampling.BILINEAR)
        film = ((np.asarray(square) / 255 - 0.5) / 0.25).astype(np.float32)[None, None]
        p.append(1 / (1 + np.exp(-session.run(["logit"], {"film": film})[0][0, 0] / card["output"]["temperature"])))
        labels.append(int(number % 3 > 0))
    brier = float(np.mean((np.array(p) - np.array(labels)) ** 2))
    found = json.loads(evaluate("pneumonia-cxr-28", films, "--json", "--bootstrap", 10))
    assert found["figures"]["brier"]["value"] == pytest.approx(brier, abs=1e-5)


def test_lines_are_chosen_by_a_column(films: Path) -> None:
    found = json.loads(evaluate("pneumonia-cxr-28", films, "--split", "side=right", "--positive", "normal", "--json", "--bootstrap", 10))
    assert (found["films"], found["positive"]) == (4, 1)


def test_films_are_not_called_patients_where_nobody_says_whose_they_are(films: Path) -> None:
    assert "12 films of 6 patients, 8 positive" in evaluate("pneumonia-cxr-28", films, "--bootstrap", 10)
    table = (films / "labels.csv").read_text(encoding="utf-8").replace("patient", "hospital")
    (films / "labels.csv").write_text(table, encoding="utf-8")
    assert "12 films, their patients not known, 8 positive" in evaluate("pneumonia-cxr-28", films, "--bootstrap", 10)
    assert json.loads(evaluate("pneumonia-cxr-28", films, "--json", "--bootstrap", 10))["patients"] is None


def test_the_printed_table_names_every_figure(films: Path) -> None:
    text = evaluate("pneumonia-cxr-28", films, "--bootstrap", 10)
    for word in ("AUC", "accuracy", "sensitivity", "specificity", "ECE", "95 % interval"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("no-such-model", "."), "no-such-model"),
        (("pneumonia-cxr-28", "tests/models"), "labels.csv"),
        (("pneumonia-cxr-28", ".", "--split", "x"), "COLUMN=VALUE"),
    ],
)
def test_what_is_missing_is_named(arguments: tuple[str, ...], word: str) -> None:
    assert word in evaluate(*arguments, fails=True)


def test_a_column_or_a_file_that_is_missing_is_named(films: Path) -> None:
    assert "colour" in evaluate("pneumonia-cxr-28", films, "--split", "colour=red", fails=True)
    (films / "4.png").unlink()
    assert "4.png" in evaluate("pneumonia-cxr-28", films, fails=True)
