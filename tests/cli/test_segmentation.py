"""``--segmentation``: masks and pictures of DICOM segmentations and structure sets, on the grid of their series."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from tests.io.objects.object_samples import OBLIQUE, Frame, Grid, contour, write_image, write_segmentation, write_structures
from viewer.cli.main import main

pytestmark = pytest.mark.usefixtures("qapp")
GRID = Grid(shape=(5, 11, 13), row=OBLIQUE.row, column=OBLIQUE.column)
RANDOM = np.random.default_rng(11)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_image(tmp_path / "study" / "ct", GRID)
    return tmp_path / "study"


@pytest.mark.parametrize("ending", [".nii.gz", ".seg.nrrd", ".mha"])
def test_a_segmentation_becomes_a_mask_on_the_grid_of_its_series(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    truth = RANDOM.integers(0, 3, GRID.shape)
    frames = [Frame((truth[k] == n).astype(np.uint8), GRID.place(k, 0, 0), segment=n) for n in (1, 2) for k in range(5)]
    seg = write_segmentation(study / "seg.dcm", frames, GRID)
    out = tmp_path / f"mask{ending}"
    assert main(["convert", str(study / "ct"), str(out), "--segmentation", str(seg)]) == 0
    image = sitk.ReadImage(str(out))
    assert np.array_equal(sitk.GetArrayFromImage(image), truth)
    for index in ((0, 0, 0), (4, 10, 12), (2, 3, 7)):
        place = image.TransformIndexToPhysicalPoint(tuple(reversed(index)))
        assert np.allclose(place, GRID.place(*index), atol=1e-3)
    said = capsys.readouterr()
    assert f"1  Segment number 1  {(truth == 1).sum()} voxels" in said.out
    assert said.err == ""


def test_segments_that_overlap_become_several_volumes_of_one_file(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = {n: (RANDOM.random(GRID.shape) < 0.5).astype(np.uint8) for n in (1, 2)}
    frames = [Frame(mask[k], GRID.place(k, 0, 0), segment=n) for n, mask in truth.items() for k in range(5)]
    write_segmentation(study / "seg.dcm", frames, GRID)
    out = tmp_path / "mask.nii.gz"
    assert main(["convert", str(study), str(out), "--segmentation", "seg.dcm"]) == 0
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(out)))
    assert np.array_equal(written[0] == 1, truth[1] == 1)
    assert np.array_equal(written[1] == 2, truth[2] == 1)
    assert "its segments overlap: 2 volumes are written" in capsys.readouterr().err


def test_a_structure_set_is_drawn_over_its_series(study: Path, tmp_path: Path) -> None:
    square = np.array([GRID.place(2, *corner) for corner in ((1.5, 1.5), (1.5, 10.5), (8.5, 10.5), (8.5, 1.5))])
    structures = write_structures(study / "rt.dcm", [("A", [contour(square)])], colors=[[255, 0, 0]])
    pictures = []
    for name, more in (("with", ["--segmentation", str(structures)]), ("without", [])):
        out = tmp_path / f"{name}.png"
        assert main(["render", str(study / "ct"), str(out), "--index", "2", "--size", "300x300", *more]) == 0
        with Image.open(out) as picture:
            pictures.append(np.asarray(picture.convert("RGB")).astype(int))
    drawn, plain = ((picture[..., 0] - picture[..., 1] > 60).sum() for picture in pictures)
    assert drawn > 5000
    assert plain == 0


def test_info_lists_what_an_object_holds(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_structures(study / "rt.dcm", [("GTV", []), ("Cord", [])])
    assert main(["info", str(study), "--json"]) == 0
    series = json.loads(capsys.readouterr().out)["series"]
    (listed,) = [s["object"] for s in series if "object" in s]
    assert (listed["kind"], listed["segments"]) == ("structures", ["GTV", "Cord"])
    assert main(["info", str(study)]) == 0
    assert "Structure set: 2 structures (Made structures): GTV, Cord" in capsys.readouterr().out


def test_a_segmentation_that_is_not_there_is_refused_with_those_that_are(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_structures(study / "rt.dcm", [("GTV", [])])
    out = tmp_path / "mask.nrrd"
    assert main(["convert", str(study), str(out), "--segmentation", "nosuch"]) == 2
    said = capsys.readouterr().err
    assert "There is no segmentation nosuch" in said
    assert "Structure set: 1 structure" in said
    assert not out.exists()


def test_a_segmentation_without_its_series_is_refused_by_the_uid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seg = write_segmentation(tmp_path / "seg.dcm", [Frame(np.ones((11, 13), np.uint8), GRID.place(0, 0, 0))], GRID, series="1.2.3.77")
    assert main(["convert", str(seg), str(tmp_path / "mask.nrrd"), "--segmentation", "seg.dcm"]) == 2
    assert "1.2.3.77" in capsys.readouterr().err
