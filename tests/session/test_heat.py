"""Heat-maps belong to reports: one is shown, where its report is, they come and go with it, and lie where their cells lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from tests.session.heat_samples import CELLS
from tests.session.session_samples import GEOMETRY, SHAPE, make_document, make_volume
from viewer.core.geometry import Geometry
from viewer.core.operation import describe
from viewer.core.overlay import ScalarMap
from viewer.io.open import find
from viewer.jobs.pool import Pool
from viewer.session import heat
from viewer.session.apply import Scope, apply, input_of
from viewer.session.heat_file import on_image_grid, save_heat
from viewer.session.history import ItemChange
from viewer.session.view import HeatWish, ViewWish, resolve

JUDGE, EXPLAIN = (describe(f"Test/{name}", f"tests.session.heat_samples:{name}", "test") for name in ("judge", "explain"))
ROOT = "volume-a"


def run(document, spec, scope=None, **parameters):
    with Pool(inline=True) as pool:
        return apply(document, spec, parameters, pool, volume_id=ROOT, scope=scope)[0]


def shown(document, plane=2, wish=None, **more):
    return [m.item for m in resolve(ViewWish(ROOT, plane="acquired", index=plane, heat=wish or HeatWish(), **more), document).maps]


def report_of(document, plane=2):
    return heat.report_on(document, ROOT, model="", plane=plane, phase=0)


def test_maps_of_a_verdict_come_with_its_report_in_one_step_and_go_with_one_undo():
    document = make_document()
    before = document.state_hash()
    run(document, JUDGE)
    assert len(document.reports_of(ROOT)) == SHAPE[0] and len(document.overlays_of(ROOT)) == 2 * SHAPE[0]
    for report in document.reports_of(ROOT):
        assert [m.score for m in heat.maps_of(document, report)] == ["Yes", "No"]
    assert len(document.history) == 1 and document.undo() and document.state_hash() == before


def test_the_map_of_the_planes_report_is_shown_and_no_other():
    document = make_document()
    run(document, JUDGE)
    for plane in range(SHAPE[0]):
        (item,) = shown(document, plane)
        assert (item.report_id, item.score) == (report_of(document, plane).id, "Yes")
    assert [m.score for m in shown(document, wish=HeatWish(score="No"))] == ["No"]
    assert shown(document, wish=HeatWish(is_shown=False)) == [] == shown(document, show_overlays=False)
    assert shown(document, wish=HeatWish(model="another")) == []
    assert [m.item for m in resolve(ViewWish(ROOT, plane="coronal"), document).maps] == []


def test_a_later_map_joins_the_report_and_takes_the_place_of_one_of_its_class_and_method():
    document = make_document()
    run(document, JUDGE)
    here = Scope("slice", 0, 2)
    run(document, EXPLAIN, here, method="occlusion")
    report = report_of(document)
    assert heat.methods_of(document, report, "Yes") == ("exact", "occlusion") and len(shown(document)) == 1
    assert shown(document)[0].method == "exact" and shown(document, wish=HeatWish(method="occlusion"))[0].method == "occlusion"
    first = shown(document, wish=HeatWish(method="occlusion"))[0]
    run(document, EXPLAIN, here, method="occlusion", seed=9)
    (second,) = shown(document, wish=HeatWish(method="occlusion"))
    assert second.id != first.id and len(heat.maps_of(document, report)) == 3
    document.undo()
    assert shown(document, wish=HeatWish(method="occlusion"))[0].id == first.id


def test_maps_of_all_planes_go_to_the_report_of_each():
    document = make_document()
    run(document, JUDGE)
    run(document, EXPLAIN, method="rise")
    for plane in range(SHAPE[0]):
        (item,) = shown(document, plane, HeatWish(method="rise"))
        assert item.method == "rise" and item.report_id == report_of(document, plane).id and item.geometry.shape == (1, *CELLS)
        assert GEOMETRY.to_index(item.geometry.origin)[0] == pytest.approx(plane)


def test_a_map_of_a_model_without_a_report_is_shown_by_itself():
    document = make_document()
    run(document, EXPLAIN, Scope("slice", 0, 3))
    (item,) = shown(document, 3)
    assert item.report_id == "" and shown(document, 2) == []
    assert heat.caption(item) == "Heat map: Yes"
    run(document, EXPLAIN, Scope("slice", 0, 3), seed=4)
    assert len(document.overlays_of(ROOT)) == 1


def test_a_heat_map_reads_what_was_opened_not_what_was_made_of_it():
    document = make_document()
    assert EXPLAIN.reads_original and input_of(document, EXPLAIN, ROOT) == ROOT
    derived = document.volume(ROOT).derived("volume-b", document.volume(ROOT).data)
    from viewer.session.history import ItemChange

    document.commit(document.step("x", (ItemChange("volume", "volume-b", None, derived), ItemChange("shown", ROOT, None, "volume-b"))))
    assert input_of(document, EXPLAIN, ROOT) == ROOT != input_of(document, replace(EXPLAIN, reads_original=False), ROOT)


def test_a_removed_report_takes_its_maps_along_and_undo_brings_all_back():
    document = make_document()
    run(document, JUDGE)
    report, before = report_of(document), document.state_hash()
    with document.edit("Remove") as edit:
        edit.remove("report", report.id)
    assert report_of(document) is None and shown(document) == [] and len(document.overlays_of(ROOT)) == 2 * SHAPE[0] - 2
    assert not [m for m in document.overlays_of(ROOT) if m.report_id == report.id]
    document.undo()
    assert document.state_hash() == before


def test_why_nothing_is_shown_is_a_sentence():
    document = make_document()
    run(document, JUDGE)
    report = report_of(document)
    assert heat.why_not_shown(document, report, HeatWish()) == ""
    assert "switched off" in heat.why_not_shown(document, report, HeatWish(is_shown=False))
    assert "switched off" in heat.why_not_shown(document, report, HeatWish(), show_overlays=False)
    assert "as it was acquired" in heat.why_not_shown(document, report, HeatWish(), is_acquired=False)
    strange = replace(report, strangeness=5.0, strangeness_limit=1.0)
    assert "not seen such images" in heat.why_not_shown(document, strange, HeatWish())
    assert heat.why_not_shown(document, strange, HeatWish(is_unfamiliar_shown=True)) == ""
    bare = replace(report, id="bare")
    assert heat.why_not_shown(document, bare, HeatWish()) == "There is no heat map of Yes yet."
    item = heat.map_of(document, report, HeatWish())
    with document.edit("x") as edit:
        edit.put(replace(item, values=-np.abs(item.values)))
    assert heat.why_not_shown(document, report, HeatWish()) == "No place speaks for Yes."


def test_an_unfamiliar_image_shows_no_map_until_it_is_asked_for():
    document = make_document()
    run(document, JUDGE)
    report = report_of(document)
    with document.edit("x") as edit:
        edit.put(replace(report, strangeness=5.0, strangeness_limit=1.0))
    assert shown(document) == [] and len(shown(document, wish=HeatWish(is_unfamiliar_shown=True))) == 1


def test_the_usual_class_is_the_positive_one_else_the_highest():
    document = make_document()
    run(document, JUDGE)
    report = report_of(document)
    assert report.usual_class == "Yes" and replace(report, positive="").usual_class == "Yes"
    assert replace(report, positive="", scores=tuple(replace(s, value=1 - s.value) for s in report.scores)).usual_class == "No"


def test_what_speaks_against_the_class_is_below_the_range_that_is_painted():
    document = make_document()
    run(document, JUDGE)
    state = resolve(ViewWish(ROOT, plane="acquired", index=2), document)
    (item,) = state.maps
    assert item.low == 0.0 and item.high == pytest.approx(float(item.item.values.max()))
    assert resolve(ViewWish(ROOT, overlay_threshold=7.0), document).overlay_threshold == 0.99


def test_a_map_of_all_planes_together_is_shown_on_each_and_in_every_direction():
    document = make_document()
    thick = Geometry((1, *CELLS), GEOMETRY.origin, (GEOMETRY.spacing[0] * SHAPE[0], 2.0, 3.0))
    thick = replace(thick, origin=tuple(float(c) for c in GEOMETRY.to_patient(((SHAPE[0] - 1) / 2, 1.0, 2.0))))
    run(document, JUDGE, Scope("slice", 0, 1))
    report = document.reports_of(ROOT)[0]
    with document.edit("x") as edit:
        for item in heat.maps_of(document, report):
            edit.remove("overlay", item.id)
        edit.put(
            ScalarMap("whole", "Yes", ROOT, thick, np.ones((1, *CELLS), np.float32), report_id=report.id, method="occlusion", score="Yes", model="m")
        )
    assert all([m.id for m in shown(document, plane)] == ["whole"] for plane in range(SHAPE[0]))
    assert [m.item.id for m in resolve(ViewWish(ROOT, plane="sagittal"), document).maps] == ["whole"]


# --- files ---


def test_a_written_map_lies_on_the_images_grid_as_itk_resamples_it(tmp_path):
    document = make_document()
    run(document, JUDGE)
    (item,) = shown(document)
    assert save_heat(tmp_path / "heat.nii.gz", [item], GEOMETRY) == ()
    found = sitk.ReadImage(str(tmp_path / "heat.nii.gz"))
    assert found.GetSize() == SHAPE[::-1] and found.GetOrigin() == pytest.approx(GEOMETRY.origin)
    values = sitk.GetArrayFromImage(found)
    assert not values[[0, 1, 3, 4]].any()
    # Linear between the cells' centres; beyond the outermost ones their values, up to the image's edge.
    coarse = sitk.GetImageFromArray(np.pad(item.values.astype(np.float64), ((1, 1), (1, 1), (1, 1)), mode="edge"))
    coarse.SetSpacing(item.geometry.spacing[::-1])
    coarse.SetOrigin([float(c) for c in item.geometry.to_patient((-1, -1, -1))])
    grid = sitk.Image(*SHAPE[::-1], sitk.sitkFloat64)
    grid.SetSpacing(GEOMETRY.spacing[::-1])
    grid.SetOrigin(GEOMETRY.origin)
    expected = sitk.GetArrayFromImage(sitk.Resample(coarse, grid, sitk.Transform(), sitk.sitkLinear))[2]
    assert np.allclose(values[2], expected, atol=1e-5) and (values[2] != 0).all()


@pytest.mark.parametrize(("method", "title"), [("exact", "Class activation map"), ("occlusion", "Occlusion"), ("rise", "RISE")])
def test_the_step_is_named_after_the_method(method, title):
    document = make_document()
    run(document, EXPLAIN, method=method)
    assert document.history[0].title.text() == f"explain ({title})"


@pytest.mark.parametrize(("ending", "key"), [(".nii.gz", "descrip"), (".nrrd", "description"), (".mha", "Comment")])
@pytest.mark.parametrize("is_unfamiliar", [False, True])
def test_the_file_says_what_the_map_is_and_that_the_model_has_not_seen_such_images(tmp_path, ending, key, is_unfamiliar):
    document = make_document()
    run(document, JUDGE)
    (item,) = shown(document)
    path = tmp_path / f"heat{ending}"
    save_heat(path, [item], GEOMETRY, is_unfamiliar=is_unfamiliar)
    if ending == ".mha":  # ITK reads a comment, and keeps it to itself
        assert sitk.ReadImage(str(path)).GetSize() == SHAPE[::-1]
        found = path.read_bytes().split(b"Comment = ")[1].split(b"\n")[0].decode()
    else:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        found = reader.GetMetaData(key)
    assert found.startswith("UNFAMILIAR: model has not seen such images.") == is_unfamiliar
    assert "Heat map: Yes, exact, m" in found
    (entry,) = find([path]).series
    assert entry.shape == SHAPE  # we read it again


def test_which_maps_are_of_unfamiliar_images_is_told_by_their_reports():
    document = make_document()
    run(document, JUDGE)
    report = report_of(document)
    strange = replace(report, strangeness=2.0, strangeness_limit=1.0)
    document.commit(document.step("Classify", (ItemChange("report", report.id, report, strange),)))
    maps = document.overlays_of(ROOT)
    assert heat.unfamiliar_among(document, maps) == 2 and heat.unfamiliar_among(document, [m for m in maps if m.report_id != report.id]) == 0


def test_maps_of_several_planes_go_into_one_file():
    document = make_document()
    run(document, JUDGE)
    maps = [shown(document, plane)[0] for plane in (1, 3)]
    found = on_image_grid(maps, GEOMETRY)
    assert found.shape == SHAPE and found.dtype == np.float32
    assert [bool(plane.any()) for plane in found] == [False, True, False, True, False]


def test_a_cropped_map_leaves_the_rest_of_the_image_empty():
    volume = make_volume(geometry=Geometry((1, 8, 12)))
    cropped = ScalarMap("m", "Yes", volume.id, Geometry((1, 2, 2), (3.5, 1.5, 0.0), (1.0, 4.0, 4.0)), np.ones((1, 2, 2), np.float32), score="Yes")
    found = on_image_grid([cropped], volume.geometry)[0]
    assert (found[:, 2:10] == 1).all() and not found[:, :2].any() and not found[:, 10:].any()
