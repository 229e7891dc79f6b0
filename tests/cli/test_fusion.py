"""``render --over`` and ``register``: the window's fusion without a window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from viewer.cli import over
from viewer.cli.main import main
from viewer.cli.transform import read_transform, transform_bytes
from viewer.core.alignment import degrees_of, distance_of, moved, rigid
from viewer.core.colormaps import color_map
from viewer.core.errors import UnreadableFile
from viewer.session.fusion import FusionWish

pytestmark = pytest.mark.usefixtures("qapp")
AWAY = (3.0, -2.0, 2.0)


def blob(where: tuple[float, float, float] = (9, 14, 8)) -> np.ndarray:
    k, j, i = np.indices((20, 24, 22))
    a, b, c = where
    found = 1000 * np.exp(-(((k - a) / 4) ** 2 + ((j - b) / 5) ** 2 + ((i - c) / 3) ** 2))
    return (found + 400 * np.exp(-(((k - 4) / 2) ** 2 + ((j - 5) / 3) ** 2 + ((i - 16) / 3) ** 2))).astype(np.float32)


def write(path: Path, values: np.ndarray, origin: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.5, 1.0, 2.0))
    image.SetOrigin(origin)
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write(tmp_path / "first.nii.gz", blob())


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return write(tmp_path / "second.nii.gz", blob(), AWAY)


def run(*words: Any) -> int:
    return main([str(word) for word in words])


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_second_series_is_not_laid_over_in_silence(first: Path, second: Path, tmp_path: Path, capsys: Any) -> None:
    assert run("render", first, tmp_path / "a.png", "--over", second) == 2
    said = capsys.readouterr().err
    assert "Nothing says" in said and "--align" in said and not (tmp_path / "a.png").exists()


def test_c12_by_the_positions_in_the_files_it_is_drawn_and_marked(tmp_path: Path) -> None:
    first = write(tmp_path / "a.nii.gz", np.zeros((20, 24, 22), np.float32))
    over = write(tmp_path / "b.nii.gz", np.full((20, 24, 10), 4.0, np.float32))  # the left half of the columns
    out = tmp_path / "a.png"
    assert run("render", first, out, "--plane", "axial", "--window", "0,10", "--over", over, "--align", "positions", "--over-window", "3,6",
               "--over-map", "viridis", "--over-opacity", "1", "--size", "300x240") == 0  # fmt: skip
    found = pixels(out)
    expected = color_map("viridis")[round(((4 - 2.5) / 5 + 0.5) * 255)]  # LINEAR (D28)
    assert np.abs(found[200, 60] - expected).max() <= 1  # clear of texts
    assert (found[200, 250] != expected).any()


def test_curtain_and_options_that_make_no_sense(first: Path, second: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "a.png"
    assert run("render", first, out, "--over", second, "--align", "positions", "--over-mode", "curtain") == 0
    for words, part in (
        (("--over-map", "viridis"), "--over-map goes with --over"),
        (("--over", second, "--over-opacity", "3"), "between 0 and 1"),
        (("--over", second, "--no-annotations"), "does not go with it"),
        (("--over", second, "--align", tmp_path / "none.tfm"), "cannot be read"),
        (("--over", second, "--align", "maybe"), ".json, .tfm"),
        (("--over", first), "over itself"),
    ):
        assert run("render", first, tmp_path / "b.png", *words) == 2
        assert part in capsys.readouterr().err


def test_register_writes_where_the_moving_series_lies(first: Path, second: Path, tmp_path: Path, capsys: Any) -> None:
    assert run("register", second, first, tmp_path / "found.json") == 0
    assert "moved by 4." in capsys.readouterr().out  # 4.12 mm
    matrix = read_transform(tmp_path / "found.json")
    assert np.allclose(moved(matrix, (9.0, 14.0, 18.0)) - (9.0, 14.0, 18.0), -np.asarray(AWAY), atol=0.3)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["from"] == "moving" and found["method"] == "rigid" and found["value"] > 0
    assert run("register", second, first, tmp_path / "found.json") == 2  # it is there already
    assert run("render", first, tmp_path / "a.png", "--over", second, "--align", tmp_path / "found.json") == 0


def test_a_transform_for_itk_leads_simpleitk_to_the_same_picture(first: Path, second: Path, tmp_path: Path) -> None:
    assert run("register", second, first, tmp_path / "found.tfm") == 0
    assert run("register", second, first, tmp_path / "there.nrrd") == 0
    transform = sitk.ReadTransform(str(tmp_path / "found.tfm"))
    fixed, moving = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (first, second))
    oracle = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, 0.0))
    ours = sitk.ReadImage(str(tmp_path / "there.nrrd"))
    assert ours.GetSpacing() == pytest.approx(fixed.GetSpacing()) and ours.GetSize() == fixed.GetSize()
    values = sitk.GetArrayFromImage(ours)
    # Two runs of the registration and not one: a hundredth of the range is left for that.
    assert np.abs(values - oracle)[3:-3, 4:-4, 4:-4].max() < 0.02 * oracle.max()
    assert np.corrcoef(values[3:-3].ravel(), sitk.GetArrayFromImage(fixed)[3:-3].ravel())[0, 1] > 0.99


def test_transforms_are_read_as_they_were_written(tmp_path: Path) -> None:
    matrix = rigid(shift=(1.25, -3.5, 7.0), degrees=(4.0, -8.0, 15.0), center=(10.0, 20.0, 30.0))
    for name in ("a.json", "a.tfm"):
        path = tmp_path / name
        path.write_bytes(transform_bytes(path, matrix, {}))
        assert read_transform(path) == pytest.approx(matrix, abs=1e-9)
    # ITK's own, with a center, leads from the fixed image to the moving one.
    oracle = sitk.AffineTransform(3)
    turned = sitk.Euler3DTransform((10.0, 20.0, 30.0), 0.1, -0.2, 0.3, (1.0, 2.0, 3.0))
    oracle.SetMatrix(turned.GetMatrix())
    oracle.SetCenter(turned.GetCenter())
    oracle.SetTranslation(turned.GetTranslation())
    sitk.WriteTransform(oracle, str(tmp_path / "itk.tfm"))
    found = read_transform(tmp_path / "itk.tfm")
    place = (12.0, -7.0, 5.0)
    assert moved(found, oracle.TransformPoint(place)) == pytest.approx(place, abs=1e-6)
    assert degrees_of(found) > 1 and distance_of(found, place) > 1


@pytest.mark.parametrize("text", ["", "{}", '{"matrix": [[2,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}', '{"matrix": "x"}', "[" * 5000])
def test_what_is_no_rigid_transform_is_refused(text: str, tmp_path: Path) -> None:
    for ending in ("json", "tfm"):
        path = tmp_path / f"bad.{ending}"
        path.write_text(text)
        with pytest.raises(UnreadableFile, match="no rigid transform"):
            read_transform(path)


def test_register_says_what_it_cannot_do(first: Path, tmp_path: Path, capsys: Any) -> None:
    flat = write(tmp_path / "flat.nii.gz", np.zeros((20, 24, 22), np.float32))
    thin = write(tmp_path / "thin.nii.gz", blob()[:2])
    for moving, part in ((first, "one series"), (flat, "same value"), (thin, "four planes")):
        assert run("register", moving, first, tmp_path / "out.json") == 2
        assert part in capsys.readouterr().err
    assert run("register", flat, first, tmp_path / "out.xyz") == 2


def test_d22_the_window_of_pet_is_asked_for_in_suv_as_the_picture_tells_it(
    monkeypatch: pytest.MonkeyPatch, shared_data: Path, tmp_path: Path
) -> None:
    wishes: list[FusionWish] = []
    real = over.put_over
    monkeypatch.setattr(over, "put_over", lambda document, fixed, second: wishes.append(second.wish) or real(document, fixed, second))
    study = shared_data / "petctmr_sts001"
    assert run("render", study / "ct", tmp_path / "a.png", "--over", study / "pet_raw", "--over-window", "3,6") == 0
    # 71 kg, 292.298 MBq left of the dose when the series began: 1 SUV is 292.298e6 / 71000 Bq/mL.
    window = wishes[0].window
    assert window is not None
    assert (window.low, window.high) == pytest.approx((0, 6 * 292.298e6 / 71000), rel=1e-5, abs=1e-6)
