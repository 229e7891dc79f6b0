"""SUV on the command line, held against a published result of others (CONVENTIONS D22 to D27)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.cli.main import main


def values_of(folder: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))))


@pytest.fixture
def pet(shared_data: Path) -> Path:
    return shared_data / "petctmr_sts001" / "pet_raw"


def test_d23_info_tells_the_factor_and_the_calculation(pet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(pet), "--json"]) == 0
    (series,) = json.loads(capsys.readouterr().out)["series"]
    assert series["unit"] == "Bq/mL"
    assert series["suv"]["factor"] == pytest.approx(0.00024290295316686464, rel=1.1e-7)
    assert "71 kg" in series["suv"]["reason"]
    assert series["suv"]["estimate"] is False


@pytest.mark.parametrize("words", [["convert", "PET", "OUT", "--unit", "suvbw"], ["apply", "Enhance/Convert to SUV", "PET", "--out", "OUT"]])
def test_d23_values_in_suv_equal_the_published_ones(pet: Path, tmp_path: Path, words: list[str]) -> None:
    out = tmp_path / "suv.nrrd"
    assert main([{"PET": str(pet), "OUT": str(out)}.get(word, word) for word in words]) == 0
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(out)))
    published = values_of(pet.parent / "pet_suv")
    part = found[:, 45 : 45 + published.shape[1], 59 : 59 + published.shape[2]]
    # Theirs is rounded to 16 bits a plane.
    assert np.abs(part - published).max() < 8e-4
    bright = published > 1
    assert np.median(part[bright] / published[bright]) == pytest.approx(1.0, abs=2e-7)


def test_d27_what_has_no_suv_is_refused_with_the_reason(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["convert", "IN", "OUT", "--unit", "SUVbw"], ["apply", "Enhance/Convert to SUV", "IN", "--out", "OUT"]):
        place = {"IN": str(shared_data / "mr_head_t1"), "OUT": str(tmp_path / "o.nrrd")}
        assert main([place.get(word, word) for word in words]) == 2
        assert "PET" in capsys.readouterr().err
        assert not (tmp_path / "o.nrrd").exists()
