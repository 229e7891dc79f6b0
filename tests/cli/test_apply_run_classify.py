"""The verbs that compute: results equal independent calculations, and mistakes cost a sentence, never a file."""

from __future__ import annotations

import csv
import json
import tomllib

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from tests.cli.calls import run
from viewer.core.geometry import Geometry
from viewer.io import samples
from viewer.io.write import save_array

GRID = Geometry((6, 9, 12), (10.0, -20.0, 30.0), (3.0, 0.7, 0.5))


@pytest.fixture
def ramp(tmp_path):
    """Values that rise along the columns, with a bright block in one corner."""
    values = np.broadcast_to(np.arange(12, dtype=np.int16) * 10, GRID.shape).copy()
    values[1:4, 2:6, 3:7] = 500
    save_array(tmp_path / "ramp.nrrd", values, GRID)
    return tmp_path / "ramp.nrrd"


def test_threshold_of_one_plane_lies_in_its_place(capsys, ramp, tmp_path):
    limits = ("--param", "low=400", "--param", "high=600")
    code, _, err = run(capsys, "apply", "Segment/Threshold", ramp, *limits, "--index", 2, "--out", tmp_path / "m.nrrd")
    assert (code, err) == (0, "")
    mask = sitk.ReadImage(str(tmp_path / "m.nrrd"))
    assert mask.GetSize() == (12, 9, 1)
    assert mask.GetOrigin() == pytest.approx((10.0, -20.0, 36.0))
    assert sitk.GetArrayFromImage(mask).sum() == 4 * 4


def test_statistics_of_a_mask_as_csv_and_json(capsys, ramp, tmp_path):
    values = sitk.GetArrayFromImage(sitk.ReadImage(str(ramp)))
    save_array(tmp_path / "mask.nrrd", (values == 500).astype(np.uint8), GRID)
    for name in ("s.csv", "s.json"):
        assert run(capsys, "apply", "Measure/Segment statistics", ramp, "--mask", tmp_path / "mask.nrrd", "--out", tmp_path / name)[0] == 0
    with (tmp_path / "s.csv").open(encoding="utf-8-sig") as file:
        row = next(csv.DictReader(file))
    assert int(row["Voxels"]) == 48
    assert float(row["Volume (mm³)"]) == pytest.approx(48 * 3.0 * 0.7 * 0.5)
    table = json.loads((tmp_path / "s.json").read_text())["tables"][0]
    assert dict(zip([c["name"] for c in table["columns"]], table["rows"][0], strict=True))["Mean"] == 500


def test_mask_on_another_grid_is_refused_by_name(capsys, ramp, tmp_path):
    save_array(tmp_path / "other.nrrd", np.ones((5, 9, 12), np.uint8), Geometry((5, 9, 12), (10, -20, 30), (3, 0.7, 0.5)))
    code, _, err = run(capsys, "apply", "Measure/Segment statistics", ramp, "--mask", tmp_path / "other.nrrd", "--out", tmp_path / "s.csv")
    assert code == 2
    assert "other.nrrd" in err
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Enhance/Gama",), "Enhance/Gamma"),
        (("Enhance/Gamma", "--param", "gamma=9"), "between 0.1 and 5"),
        (("Enhance/Gamma", "--param", "gamma"), "NAME=VALUE"),
        (("Enhance/Gamma", "--param", "gamme=1"), "gamma"),
        (("Segment/Threshold", "--param", "low=nan"), "finite"),
        (("Enhance/Gamma", "--index", "77"), "77"),
        (("Enhance/Gamma", "--phase", "3"), "phase"),
        (("Segment/Region growing", "--param", "seed=1,2"), "three numbers"),
    ],
)
def test_mistakes_are_named_and_leave_no_file(capsys, ramp, tmp_path, words, says):
    code, out, err = run(capsys, "apply", words[0], ramp, "--out", tmp_path / "o.nrrd", *words[1:])
    assert code == 2
    assert says in err
    assert out == ""
    assert not (tmp_path / "o.nrrd").exists()


def test_ending_that_cannot_hold_the_result_is_refused_before_work(capsys, ramp, tmp_path):
    code, _, err = run(capsys, "apply", "Enhance/Gamma", ramp, "--out", tmp_path / "o.csv")
    assert code == 2
    assert ".nrrd" in err


def test_recipe_hands_the_mask_on(capsys, ramp, tmp_path):
    (tmp_path / "r.toml").write_text(
        '[[step]]\noperation = "Segment/Threshold"\nparameters = { low = 400, high = 600 }\n[[step]]\noperation = "Measure/Segment statistics"\n'
    )
    code, _, _ = run(capsys, "run", tmp_path / "r.toml", ramp, "--out", tmp_path / "batch")
    assert code == 0
    assert sorted(p.name for p in (tmp_path / "batch").iterdir()) == ["ramp-mask.nrrd", "ramp.csv"]
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "batch" / "ramp-mask.nrrd"))).sum() == 48
    assert run(capsys, "run", tmp_path / "r.toml", ramp, "--out", tmp_path / "batch")[0] == 2, "existing results are not overwritten"


def test_a_run_that_wrote_nothing_leaves_no_folder(capsys, ramp, tmp_path):
    (tmp_path / "r.toml").write_text('[[step]]\noperation = "Enhance/Gamma"\nparameters = { gamma = 99 }\n')
    (tmp_path / "mine").mkdir()
    for place in ("new", "new/deep", "mine/new", "mine"):
        assert run(capsys, "run", tmp_path / "r.toml", ramp, "--out", tmp_path / place)[0] == 2
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["mine"]
    assert not list((tmp_path / "mine").iterdir())


@pytest.mark.parametrize("text", ["", "step = 3", "[[step]]\nparameters = {}", '[[step]]\noperation = "Nothing/Here"', "not toml ["])
def test_what_is_no_recipe_is_refused(capsys, ramp, tmp_path, text):
    (tmp_path / "r.toml").write_text(text)
    code, _, err = run(capsys, "run", tmp_path / "r.toml", ramp, "--out", tmp_path / "batch")
    assert code == 2
    assert err.strip()
    assert not (tmp_path / "batch").exists()


def test_classify_lists_every_picture_of_a_folder_and_both_classes(capsys, shared_data, tmp_path):
    films = np.load(shared_data / "pneumoniamnist28" / "pneumoniamnist.npz")["test_images"][:3]
    for number, film in enumerate(films):
        Image.fromarray(film).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no image")
    code, out, _ = run(capsys, "classify", tmp_path, "--json")
    reply = json.loads(out)
    assert code == 0
    assert [r["path"].rsplit("/", 1)[-1] for r in reply["results"]] == ["0.png", "1.png", "2.png"]
    for result in reply["results"]:
        assert sum(label["probability"] for label in result["labels"]) == pytest.approx(1)
        assert result["device"] in ("CPU", "CUDA")
        assert any("unknown" in w for w in result["warnings"])


def test_with_several_images_each_sentence_says_whose_it_is(capsys, shared_data):
    single, films = shared_data / "single", shared_data / "cxr_native"
    adult, unknown, ct = single / "CR-MONO1-10-chest", films / "IM-0117-0001.jpg", single / "CTImage_JPEGProcess6_8.53.dcm"
    code, _, err = run(capsys, "classify", adult, unknown, ct)
    said = err.splitlines()
    assert code == 0
    assert sum("Age unknown" in line and ".jpg" not in line for line in said) == 1  # of both
    assert sum("IM-0117-0001.jpg: View unknown" in line for line in said) == 1
    assert sum(f"{ct.name}: No model is for this image: it is CT" in line for line in said) == 1
    _, _, alone = run(capsys, "classify", unknown)
    assert "IM-0117" not in alone
    _, _, err = run(capsys, "classify", adult, unknown, films / "IM-0350-0001.jpg")
    assert "2 images: View unknown" in err


def test_classify_with_an_unknown_model_prints_its_object_and_names_what_there_is(capsys, ramp):
    code, out, err = run(capsys, "classify", ramp, "--model", "nothing", "--json")
    assert code == 2
    assert json.loads(out)["results"] == []
    assert "pneumonia-cxr-28" in err


def test_classify_of_a_plane_equals_that_plane_of_all(capsys, ramp):
    _, every, _ = run(capsys, "classify", ramp, "--json")
    _, third, _ = run(capsys, "classify", ramp, "--index", 3, "--json")
    labels = [r["labels"] for r in json.loads(every)["results"] if r["index"] == 3]
    assert [r["labels"] for r in json.loads(third)["results"]] == labels
    assert run(capsys, "classify", ramp, "--index", 99, "--json")[0] == 2


def test_a_heat_map_lies_on_the_grid_of_the_image_by_both_verbs(capsys, ramp, tmp_path):
    one, other = tmp_path / "one.nii.gz", tmp_path / "other.nii.gz"
    asked = ("--model", "pneumonia-cxr-28", "--index", 3)
    code, out, err = run(capsys, "classify", ramp, *asked, "--heat-map", one, "--method", "occlusion", "--class", "No pneumonia", "--json")
    assert code == 0 and len(json.loads(out)["results"]) == 1
    assert 'heat map of No pneumonia by "pneumonia-cxr-28" (Occlusion)' in err and "not a lesion outline" in err
    image = sitk.ReadImage(str(one))
    assert image.GetSize() == (12, 9, 6) and image.GetOrigin() == pytest.approx(GRID.origin) and image.GetSpacing() == pytest.approx((0.5, 0.7, 3.0))
    values = sitk.GetArrayFromImage(image)
    # The model takes the middle square of the plane, 9 of 12 columns: there is no map beside it.
    assert [n for n, plane in enumerate(values) if plane.any()] == [3] and not values[3][:, [0, 10, 11]].any() and values[3][:, 1:10].all()
    code = run(capsys, "classify", ramp, *asked, "--heat-map", one)[0]
    assert code == 2 and np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(one))), values)  # not replaced unasked
    parameters = ("--param", "model=pneumonia-cxr-28", "--param", "method=occlusion", "--param", "score=No pneumonia", "--param", "plane=3")
    assert run(capsys, "apply", "Classify/Heat map", ramp, *parameters, "--out", other)[0] == 0
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(other))), values)


@pytest.mark.parametrize("has_reports", [False, True])
def test_a_recipe_writes_heat_maps_of_all_planes_on_the_grid_of_the_image(capsys, ramp, tmp_path, has_reports):
    first = '[[step]]\noperation = "Classify/Classify"\nparameters = { model = "pneumonia-cxr-28" }\n' if has_reports else ""
    recipe, single, folder = tmp_path / "maps.toml", tmp_path / "single.nrrd", tmp_path / "out"
    recipe.write_text(first + '[[step]]\noperation = "Classify/Heat map"\nparameters = { model = "pneumonia-cxr-28", method = "exact" }\n')
    code, _out, err = run(capsys, "run", recipe, ramp, "--out", folder)
    assert code == 0, err
    image = sitk.ReadImage(str(folder / "ramp-map.nrrd"))
    assert image.GetSize() == (12, 9, 6) and image.GetOrigin() == pytest.approx(GRID.origin) and image.GetSpacing() == pytest.approx((0.5, 0.7, 3.0))
    values = sitk.GetArrayFromImage(image)
    for plane in (0, 2, 5):
        assert run(capsys, "classify", ramp, "--model", "pneumonia-cxr-28", "--index", plane, "--heat-map", single, "--force")[0] == 0
        assert np.allclose(sitk.GetArrayFromImage(sitk.ReadImage(str(single)))[plane], values[plane], atol=1e-4)
    assert values[5].any()


def test_of_the_maps_that_came_with_the_scores_a_recipe_writes_that_of_the_positive_class_and_names_it(capsys, ramp, tmp_path):
    recipe, single, folder = tmp_path / "maps.toml", tmp_path / "single.nrrd", tmp_path / "out"
    recipe.write_text('[[step]]\noperation = "Classify/Classify"\nparameters = { model = "pneumonia-cxr-28", explain = true, plane = 2 }\n')
    code, _out, err = run(capsys, "run", recipe, ramp, "--out", folder)
    assert code == 0, err
    assert 'ramp-map.nrrd: heat map of Pneumonia by "pneumonia-cxr-28" (Class activation map).' in err
    image = sitk.ReadImage(str(folder / "ramp-map.nrrd"))
    assert run(capsys, "classify", ramp, "--model", "pneumonia-cxr-28", "--index", 2, "--heat-map", single)[0] == 0
    values, expected = (sitk.GetArrayFromImage(found)[2] for found in (image, sitk.ReadImage(str(single))))
    assert np.allclose(values, expected, atol=1e-4) and np.ptp(expected) > 0
    assert run(capsys, "run", recipe, ramp, "--out", folder)[0] == 2, "what is there is not replaced unasked"


def test_demo_measures_the_nodule_that_is_there(capsys, tmp_path, qapp):
    code, _, _ = run(capsys, "demo", "--out", tmp_path / "demo", "--study", tmp_path / "study")
    assert code == 0
    mask = sitk.ReadImage(str(tmp_path / "demo" / "ct-thorax-nodule.nii.gz"))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(sitk.Cast(mask, sitk.sitkUInt8))
    assert shape.GetPhysicalSize(1) == pytest.approx(samples.NODULE.volume_mm3, rel=0.03)
    assert shape.GetCentroid(1) == pytest.approx(samples.NODULE.centre_mm, abs=0.5)
    recipe = tomllib.loads((tmp_path / "demo" / "recipe.toml").read_text())
    assert [s["operation"] for s in recipe["step"]] == ["Segment/Region growing", "Measure/Segment statistics", "Enhance/Gaussian"]
    verdict = json.loads((tmp_path / "demo" / "classification.json").read_text())["results"][0]
    assert verdict["warnings"], "an adult's film is told that the model is for children"
    with Image.open(tmp_path / "demo" / "ct-thorax-nodule.png") as picture:
        assert picture.size == (1024, 1024)
    assert len(list((tmp_path / "study").rglob("*.dcm"))) == 112, "the made CT stays, a file for each plane"
    assert run(capsys, "demo", "--out", tmp_path / "demo")[0] == 2, "existing results are not overwritten"
