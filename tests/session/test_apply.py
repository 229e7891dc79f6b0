"""The one path that runs an operation: each kind of result goes where it belongs, as one step, and undo takes it all back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.core.errors import BadParameter, GeometryMismatch, NegatoscopeError, Refused
from viewer.core.geometry import Geometry
from viewer.core.images import Labels, Mask
from viewer.core.labels import LabelLayer, Segment
from viewer.core.operation import OperationSpec, describe
from viewer.core.volume import Volume
from viewer.core.window import VoiLut
from viewer.io.recipe import RecipeStep, read_recipe, recipe_text
from viewer.jobs.pool import Pool
from viewer.session.apply import LayerRef, Scope, SegmentRef, apply, commit, prepare, start
from viewer.session.document import Document
from viewer.session.outcome import build_step
from viewer.session.plugins import OperationEntry, Plugin, Registry
from viewer.session.recipe import recipe_of, run_recipe

sys.path.insert(0, str(Path(__file__).parent))
from session_samples import GEOMETRY, SHAPE, make_document, make_volume

NAMES = ("add_value", "same", "wide", "above", "thirds", "energy", "finds", "numbers", "verdicts", "both", "declines", "half_size")


def spec(name: str) -> OperationSpec:
    return describe(f"Test/{name}", f"session_samples:{name}")


class Desk:
    """A document and what runs operations on it."""

    def __init__(self, pool: Pool, volume: Volume | None = None) -> None:
        self.pool, self.document = pool, make_document(volume=volume)

    def run(self, name: str, parameters: dict[str, Any] | None = None, **more: Any) -> Any:
        shown = self.document.current("volume-a").id
        step, _ = apply(self.document, spec(name), parameters or {}, self.pool, **{"volume_id": shown, **more})
        return step

    def segment(self, *, label: int = 1, name: str = "One", locked: bool = False, mask: np.ndarray | None = None) -> SegmentRef:
        layers = self.document.layers_of("volume-a")
        layer = layers[0] if layers else LabelLayer("layer-a", "Layer", GEOMETRY, "volume-a")
        with self.document.edit("Segment") as edit:
            edit.put(layer.with_segment(Segment(label, name, "#ff0000")))
            if mask is not None:
                edit.paint("layer-a", (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2])), mask, label)
            if locked:
                edit.put(layer.with_segment(Segment(label, name, "#ff0000", is_locked=True)))
        return SegmentRef("layer-a", label)


@pytest.fixture
def desk(inline_pool: Pool) -> Iterator[Desk]:
    made = Desk(inline_pool)
    yield made
    made.document = Document()  # pytest keeps the desk, but not its arrays


# --- what comes out decides where it goes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("add_value", {"volume", "shown"}),
        ("above", {"layer"}),
        ("thirds", {"layer"}),
        ("energy", {"overlay"}),
        ("finds", {"annotation"}),
        ("numbers", {"table"}),
        ("verdicts", {"report"}),
        ("both", {"layer", "table"}),
    ],
)
def test_each_kind_of_result_is_one_step_that_undo_takes_back_bit_for_bit(desk: Desk, name: str, kinds: set[str]) -> None:
    document = desk.document
    before, voxels = document.state_hash(), document.volume("volume-a").data.copy()
    step = desk.run(name)
    assert len(document.history) == 1
    assert {c.kind for c in step.changes if hasattr(c, "kind")} == kinds
    assert step.origin.name == f"Test/{name}"
    assert step.title.text()
    after = document.state_hash()
    assert after != before
    np.testing.assert_array_equal(document.volume("volume-a").data, voxels)
    document.undo()
    assert document.state_hash() == before
    document.redo()
    assert document.state_hash() == after


def test_an_image_becomes_a_derived_volume_in_its_parents_place(desk: Desk) -> None:
    desk.run("add_value", {"value": "2.5"})
    shown = desk.document.current("volume-a")
    assert (shown.parent_id, shown.root_id, shown.unit, shown.is_derived) == ("volume-a", "volume-a", "HU", True)
    assert "PROCESSED" in shown.badges
    np.testing.assert_array_equal(shown.values, desk.document.volume("volume-a").values + np.float32(2.5))
    desk.run("add_value", {"value": 1})
    assert desk.document.current("volume-a").parent_id == shown.id
    assert desk.document.original(desk.document.current("volume-a").id).id == "volume-a"
    desk.document.undo()
    assert desk.document.current("volume-a").id == shown.id


@pytest.mark.parametrize("keeps", [True, False])
def test_d32_a_result_that_says_that_the_files_curve_is_none_for_its_values_loses_it(inline_pool: Pool, keeps: bool) -> None:
    curve = VoiLut(0, (0, 1, 3), 2)
    own = ((curve,) * SHAPE[0],)
    desk = Desk(inline_pool, replace(make_volume(), windows=(), voi_luts=(curve,), plane_windows=own))
    call = prepare(desk.document, spec("add_value"), {}, volume_id="volume-a")
    given = replace(call.images[0], values=call.images[0].values + 1, **({} if keeps else {"lut": None}))
    step = build_step(call, [(given,)])
    assert step is not None
    commit(desk.document, call, step)
    shown = desk.document.current("volume-a")
    assert (shown.voi_luts, shown.plane_windows) == (((curve,), own) if keeps else ((), ()))


def test_a_parameter_given_as_text_is_kept_as_what_it_was_read_as(desk: Desk) -> None:
    step = desk.run("add_value", {"value": "2.5"})
    assert step.origin.parameters["value"] == 2.5


def test_an_image_that_did_not_change_is_no_step(desk: Desk) -> None:
    assert desk.run("same") is None
    assert len(desk.document.history) == 0


def test_numbers_beyond_16_bits_become_float32(desk: Desk) -> None:
    desk.run("wide")
    shown = desk.document.current("volume-a")
    assert shown.data.dtype == np.float32
    np.testing.assert_array_equal(shown.values, desk.document.volume("volume-a").values.astype(np.int64) * 100)
    desk.run("wide", scope=Scope("slice", 0, 1), volume_id="volume-a")
    assert desk.document.current("volume-a").data.dtype == np.float32


def test_an_overlay_reads_its_numbers_and_unit(desk: Desk) -> None:
    desk.run("energy")
    (item,) = desk.document.overlays_of("volume-a")
    np.testing.assert_array_equal(item.values, np.abs(desk.document.volume("volume-a").values))
    assert (item.unit, item.name) == ("HU", "Energy")


def test_found_shapes_tables_and_reports_name_where_they_come_from(desk: Desk) -> None:
    desk.run("finds", scope=Scope("slice", 1, 3))
    desk.run("numbers")
    desk.run("verdicts")
    line, point = desk.document.annotations_of("volume-a")
    assert (line.axis, line.origin, line.name) == (1, "Test/finds", "Edge")
    assert line.points[0] == pytest.approx(GEOMETRY.to_patient((1, 3, 1)))
    assert point.shape == "point"
    (table,) = desk.document.tables_of("volume-a")
    assert table.rows == ((float(desk.document.volume("volume-a").values.mean()),),)
    assert ("scope", "volume") in table.facts
    reports = desk.document.reports_of("volume-a")
    assert [r.index for r in reports] == list(range(SHAPE[0]))
    assert len({r.batch for r in reports}) == 1


# --- scopes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_changes_that_plane_alone_along_every_axis(desk: Desk, axis: int) -> None:
    index = SHAPE[axis] - 2
    desk.run("add_value", {"value": 7}, scope=Scope("slice", axis, index))
    expected = desk.document.volume("volume-a").values.astype(np.float32)
    np.moveaxis(expected, axis, 0)[index] += 7
    np.testing.assert_array_equal(desk.document.current("volume-a").values, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mask_of_a_slice_lands_on_that_plane(desk: Desk, axis: int) -> None:
    desk.run("above", {"limit": 0}, scope=Scope("slice", axis, 2))
    (layer,) = desk.document.layers_of("volume-a")
    expected = np.zeros(SHAPE, bool)
    np.moveaxis(expected, axis, 0)[2] = np.moveaxis(desk.document.volume("volume-a").values > 0, axis, 0)[2]
    np.testing.assert_array_equal(desk.document.labels(layer.id) == 1, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_overlay_of_a_slice_lies_in_its_place(desk: Desk, axis: int) -> None:
    desk.run("energy", scope=Scope("slice", axis, 2))
    (item,) = desk.document.overlays_of("volume-a")
    place = [0, 0, 0]
    place[axis] = 2
    assert item.geometry.origin == pytest.approx(GEOMETRY.to_patient(place))
    np.testing.assert_array_equal(item.values[0], np.abs(np.moveaxis(desk.document.volume("volume-a").values, axis, 0)[2]))


def test_inside_a_segment_the_rest_stays(desk: Desk) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[1:3, 2:5] = True
    ref = desk.segment(mask=mask)
    desk.run("add_value", {"value": 7}, scope=Scope("segment"), target=ref)
    original = desk.document.volume("volume-a").values.astype(np.float32)
    np.testing.assert_array_equal(desk.document.current("volume-a").values, np.where(mask, original + 7, original))


def test_inside_a_segment_without_a_segment_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="Choose the segment"):
        desk.run("add_value", scope=Scope("segment"))


def test_a_volume_means_all_phases_a_slice_its_own(inline_pool: Pool) -> None:
    desk = Desk(inline_pool, make_volume(phases=3))
    root = desk.document.volume("volume-a")
    desk.run("add_value", {"value": 7})
    np.testing.assert_array_equal(desk.document.current("volume-a").data, root.data + np.float32(7))
    desk.run("add_value", {"value": 7}, scope=Scope("slice", 0, 1, phase=2), volume_id="volume-a")
    expected = root.data.astype(np.float32)
    expected[2, 1] += 7
    np.testing.assert_array_equal(desk.document.current("volume-a").data, expected)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(Scope("slice", 0, 5), "no plane 5"), (Scope("slice", 3, 0), "no axis 3"), (Scope(phase=1), "no phase 1"), (Scope("slice", 1, -1), "no plane")],
)
def test_a_place_that_is_not_there_is_refused(desk: Desk, scope: Scope, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        desk.run("add_value", scope=scope)


# --- where masks and labels go ----------------------------------------------------------------------------------------


def test_a_mask_is_added_to_the_chosen_segment(desk: Desk) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[0] = True
    ref = desk.segment(mask=mask)
    desk.run("above", {"limit": 500}, target=ref)
    np.testing.assert_array_equal(desk.document.labels("layer-a") == 1, mask | (desk.document.volume("volume-a").values > 500))


def test_a_mask_made_from_the_chosen_segment_takes_its_place(desk: Desk) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[0:2] = True
    ref = desk.segment(mask=mask)
    step = desk.run("above", {"limit": 500, "within": ref}, target=ref)
    np.testing.assert_array_equal(desk.document.labels("layer-a") == 1, mask & (desk.document.volume("volume-a").values > 500))
    assert step.origin.inputs == ("volume-a", "layer-a#1")
    assert step.origin.parameters["within"] == "layer-a#1"


def test_locked_segments_are_kept(desk: Desk) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[:, 3] = True
    desk.segment(label=2, name="Two", mask=mask, locked=True)
    ref = desk.segment()
    desk.run("above", {"limit": -2000}, target=ref)
    labels = desk.document.labels("layer-a")
    np.testing.assert_array_equal(labels == 2, mask)
    assert (labels[~mask] == 1).all()
    desk.run("thirds", {"given": LayerRef("layer-a")})
    np.testing.assert_array_equal(desk.document.labels("layer-a") == 2, mask)


def test_a_locked_target_is_refused(desk: Desk) -> None:
    ref = desk.segment(locked=True)
    with pytest.raises(Refused, match="One is locked"):
        desk.run("above", target=ref)


def test_labels_make_a_layer_with_named_segments(desk: Desk) -> None:
    desk.run("thirds")
    (layer,) = desk.document.layers_of("volume-a")
    assert [(s.label, s.name) for s in layer.segments] == [(1, "low"), (2, "mid"), (3, "thirds 3")]
    assert desk.document.labels(layer.id).dtype == np.uint8


def test_three_hundred_labels_make_16_bits(desk: Desk) -> None:
    desk.run("thirds", {"most": 300})
    (layer,) = desk.document.layers_of("volume-a")
    labels = desk.document.labels(layer.id)
    expected = np.clip((desk.document.volume("volume-a").values.astype(np.int64) + 1000) * 300 // 3000, 0, 299) + 1
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == np.uint16
    assert {s.label for s in layer.segments} == set(np.unique(expected))


def test_labels_go_back_to_their_layer_which_gets_the_segments_that_it_lacks(desk: Desk) -> None:
    desk.segment(mask=np.ones(SHAPE, bool))
    before = desk.document.state_hash()
    desk.run("thirds", {"given": LayerRef("layer-a"), "most": 300})
    (layer,) = desk.document.layers_of("volume-a")
    labels = desk.document.labels("layer-a")
    assert {s.label for s in layer.segments} == {1, *np.unique(labels)} - {0}
    assert labels.dtype == np.uint16
    assert layer.segment(1) == Segment(1, "One", "#ff0000")
    desk.document.undo()
    assert desk.document.state_hash() == before


def test_a_result_without_a_voxel_is_refused_with_a_sentence_and_no_step(desk: Desk) -> None:
    with pytest.raises(Refused, match="found nothing"):
        desk.run("above", {"limit": 5000})
    with pytest.raises(Refused, match="found nothing"):
        desk.run("thirds", {"most": 0})
    assert len(desk.document.history) == 0


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_result_whose_target_changed_meanwhile_is_not_written(desk: Desk) -> None:
    ref = desk.segment()
    call = prepare(desk.document, spec("above"), {}, volume_id="volume-a", target=ref)
    step = build_step(call, start(call, desk.pool).result())
    assert step is not None
    desk.segment(label=2, name="Two", mask=np.eye(7, 9, dtype=bool)[None].repeat(5, 0))
    before = desk.document.state_hash()
    with pytest.raises(Refused, match=r"changed meanwhile.*Run it again"):
        commit(desk.document, call, step)
    assert desk.document.state_hash() == before


def test_a_result_whose_image_was_replaced_meanwhile_is_not_written(desk: Desk) -> None:
    call = prepare(desk.document, spec("add_value"), {}, volume_id="volume-a")
    step = build_step(call, start(call, desk.pool).result())
    assert step is not None
    desk.run("add_value", {"value": 3})
    with pytest.raises(Refused, match="changed meanwhile"):
        commit(desk.document, call, step)
    assert len(desk.document.history) == 1


def test_the_labels_that_a_call_reads_are_those_of_its_start(desk: Desk) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[0] = True
    ref = desk.segment(mask=mask)
    call = prepare(desk.document, spec("above"), {"within": ref, "limit": -2000}, volume_id="volume-a")
    with desk.document.edit("Stroke") as edit:
        edit.paint("layer-a", (slice(1, 2), slice(0, 7), slice(0, 9)), np.ones((1, 7, 9), bool), 1)
    step = build_step(call, start(call, desk.pool).result())
    assert step is not None
    commit(desk.document, call, step)
    new = next(x for x in desk.document.layers_of("volume-a") if x.id != "layer-a")
    np.testing.assert_array_equal(desk.document.labels(new.id) == 1, mask)


def test_colour_is_refused_where_grey_is_needed(inline_pool: Pool) -> None:
    desk = Desk(inline_pool, make_volume(color=True))
    with pytest.raises(Refused, match="works on grey images; this one is in colour"):
        desk.run("above")


@pytest.mark.parametrize(
    ("name", "more", "error"),
    [
        ("add_value", {"parameters": {"valu": 1}}, BadParameter),
        ("add_value", {"parameters": {"value": "much"}}, BadParameter),
        ("add_value", {"parameters": {"value": float("nan")}}, BadParameter),
        ("add_value", {"parameters": {"value": 1001}}, BadParameter),
        ("above", {"parameters": {"within": 3}}, BadParameter),
        ("above", {"parameters": {"within": SegmentRef("layer-gone", 1)}}, Refused),
        ("thirds", {"parameters": {"given": LayerRef("layer-gone")}}, Refused),
        ("above", {"target": SegmentRef("layer-gone", 1)}, Refused),
        ("add_value", {"volume_id": "volume-gone"}, Refused),
        ("declines", {}, Refused),
        ("half_size", {}, NegatoscopeError),
        ("above", {"parameters": {"within": Mask(np.ones((1, 2, 3), bool), Geometry((1, 2, 3)))}}, GeometryMismatch),
    ],
)
def test_bad_input_is_refused_with_a_sentence_and_changes_nothing(desk: Desk, name: str, more: dict[str, Any], error: type[Exception]) -> None:
    before = desk.document.state_hash()
    with pytest.raises(error) as caught:
        desk.run(name, **more)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) > 20
    assert desk.document.state_hash() == before


def test_a_target_on_another_grid_is_refused(desk: Desk) -> None:
    other = make_volume("volume-b", geometry=Geometry((2, 3, 4)))
    desk.document.add_source(other)
    ref = desk.segment()
    with pytest.raises(Refused, match="another grid"):
        desk.run("above", target=ref, volume_id="volume-b")


def test_a_target_without_its_segment_is_refused(desk: Desk) -> None:
    desk.segment()
    with pytest.raises(Refused, match="no segment 9"):
        desk.run("above", target=SegmentRef("layer-a", 9))


# --- recipes ----------------------------------------------------------------------------------------------------------


def registry() -> Registry:
    entries = tuple(OperationEntry(f"Test/{name}", f"session_samples:{name}", "test") for name in NAMES)
    return Registry([Plugin("test", "Test", "1", True, True, entries)])


def test_the_recipe_of_a_history_run_again_gives_the_same_bits(desk: Desk, tmp_path: Path) -> None:
    document = desk.document
    desk.run("add_value", {"value": 2.5})
    desk.run("above", {"limit": 100.25})
    (layer,) = document.layers_of("volume-a")
    desk.run("above", {"within": SegmentRef(layer.id, 1), "limit": 700}, target=SegmentRef(layer.id, 1))
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_text(recipe_of(document.history, "volume-a", document)), encoding="utf-8")
    again = make_document()
    run_recipe(again, read_recipe(path), registry(), desk.pool, root_id="volume-a")
    np.testing.assert_array_equal(again.current("volume-a").data, document.current("volume-a").data)
    (other,) = again.layers_of("volume-a")
    np.testing.assert_array_equal(again.labels(other.id), document.labels(layer.id))


def test_a_recipe_step_that_is_not_there_names_those_that_are(desk: Desk) -> None:
    with pytest.raises(BadParameter, match="Test/add_value"):
        run_recipe(desk.document, [RecipeStep("Test/adds")], registry(), desk.pool, root_id="volume-a")


def test_hand_made_steps_are_left_out_of_a_recipe(desk: Desk) -> None:
    desk.segment()
    desk.run("add_value")
    assert [s.operation for s in recipe_of(desk.document.history)] == ["Test/add_value"]


def test_inline_and_worker_give_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    results: list[np.ndarray] = []
    with Pool(1) as workers:
        for pool in (desk.pool, workers):
            document = make_document()
            apply(document, spec("add_value"), {"value": 2}, pool, volume_id="volume-a")
            results.append(document.current("volume-a").data)
    np.testing.assert_array_equal(*results)


def test_labels_given_as_values_are_taken(desk: Desk) -> None:
    step = desk.run("thirds", {"given": Labels(np.ones(SHAPE, np.uint8), GEOMETRY)})
    assert step.origin.parameters["given"] is None


def test_the_document_of_a_call_may_be_closed_meanwhile(desk: Desk) -> None:
    call = prepare(desk.document, spec("add_value"), {}, volume_id="volume-a")
    step = build_step(call, start(call, desk.pool).result())
    assert step is not None
    with pytest.raises(Refused):
        commit(Document(), call, step)
