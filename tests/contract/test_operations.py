"""What every operation inherits by being registered: inputs kept, results in place, repeatable, honest previews, refusals, undo."""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viewer.core.errors import NegatoscopeError, OperationCancelled, Refused
from viewer.core.geometry import Geometry
from viewer.core.images import Image, Labels, Mask, Numbers, Overlay, Result, Verdicts
from viewer.core.operation import OperationSpec, check_parameters, invoke
from viewer.jobs.pool import Job, Pool
from viewer.session.apply import LayerRef, Scope, SegmentRef, apply, prepare, start
from viewer.session.document import Document
from viewer.session.plugins import discover

sys.path.insert(0, str(Path(__file__).parent))
from contract_samples import GEOMETRY, NAMES, add_models, bad_values, good_parameters, image_of, labels_on, made_volume, mask_on, models_for, spec_of

every_operation = pytest.mark.parametrize("name", NAMES)
VALUE_TYPES = {np.dtype(t) for t in (np.int8, np.uint8, np.int16, np.uint16, np.float32)}


@pytest.fixture(autouse=True)
def _models() -> None:
    add_models()


def silent(fraction: float, text: str = "") -> None:
    assert 0 <= fraction <= 1
    assert isinstance(text, str)


def run(spec: OperationSpec, image: Image, **more: Any) -> tuple[Result, ...]:
    parameters = check_parameters(spec, {**good_parameters(spec, image.geometry), **more})
    return invoke(spec.run, image, parameters, silent)


def untimed(result: Result) -> Result:
    """Without the milliseconds that a classifier took."""
    if isinstance(result, Verdicts):
        return Verdicts(tuple(dataclasses.replace(v, milliseconds=0.0) for v in result.items))
    return result


def assert_same(one: Result, other: Result) -> None:
    one, other = untimed(one), untimed(other)
    assert type(one) is type(other)
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


def assert_sentence(error: BaseException) -> None:
    text = str(error)
    assert len(text) > 15, text
    assert text[0].isupper() or text[0] == '"', text
    assert text.rstrip()[-1] in ".!", text


def attempt(function: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[Any, str]:
    """What a call gives, or the sentence that it is refused with."""
    try:
        return function(*arguments, **more), ""
    except NegatoscopeError as err:
        assert_sentence(err)
        return None, str(err)


def test_every_operation_of_every_manifest_can_be_described() -> None:
    registry = discover()
    with Pool(inline=True) as pool:
        specs = registry.load_specs(pool)
    assert registry.broken == {}
    assert [s.name for s in specs] == list(NAMES)
    assert len(NAMES) == len(set(NAMES)) >= 20


@every_operation
@pytest.mark.parametrize("planes", [1, 6], ids=["plane", "volume"])
def test_inputs_are_kept_and_results_lie_on_the_grid_in_a_permitted_type(name: str, planes: int) -> None:
    spec = spec_of(name)
    volume = made_volume(planes=planes)
    image = image_of(volume)
    parameters = check_parameters(spec, good_parameters(spec, image.geometry))
    for value in parameters.values():
        if isinstance(value, Mask | Labels):
            value.values.flags.writeable = False
    kept = volume.data.copy(), {n: v.values.copy() for n, v in parameters.items() if isinstance(v, Mask | Labels)}
    results, refusal = attempt(invoke, spec.run, image, parameters, silent)
    if refusal:
        assert spec.needs_volume if planes == 1 else "Choose a slice" in refusal, f"{name} refuses a good image: {refusal}"
        return
    np.testing.assert_array_equal(volume.data, kept[0])
    for key, before in kept[1].items():
        np.testing.assert_array_equal(parameters[key].values, before)
    assert [type(r).__name__ for r in results] == list(spec.outputs)
    for result in results:
        if isinstance(result, Overlay) and result.score:
            # A heat-map's cells lie over the image, each over many pixels.
            assert result.geometry.shape[0] == image.geometry.shape[0]
            assert all(image.geometry.nearest(place) is not None for place in result.geometry.corners(0.0))
        elif isinstance(result, Image | Mask | Labels | Overlay):
            assert result.geometry.same_grid(image.geometry)
        if isinstance(result, Image):
            assert result.values.dtype in VALUE_TYPES
            assert (result.unit == image.unit) or not spec.keeps_unit
        elif isinstance(result, Mask):
            assert result.values.dtype == np.bool_
        elif isinstance(result, Labels):
            assert result.values.dtype in (np.uint8, np.uint16)
        elif isinstance(result, Overlay):
            assert result.values.dtype == np.float32
            assert result.name
        elif isinstance(result, Numbers):
            assert all(len(row) == len(result.columns) for row in result.rows)
            assert all(np.isfinite(cell) for row in result.rows for cell in row if isinstance(cell, float)), "what could not be measured is None"


@every_operation
def test_the_same_call_gives_the_same_twice(name: str) -> None:
    spec = spec_of(name)
    for planes in (1, 6):
        image = image_of(made_volume(planes=planes))
        first, refusal = attempt(run, spec, image)
        if refusal:
            continue  # judged above
        for one, other in zip(first, run(spec, image), strict=True):
            assert_same(one, other)


@every_operation
@pytest.mark.parametrize("kind", ["uint8", "float32", "padding", "nan", "flat"])
def test_other_types_padding_nan_and_flat_images_work_or_are_refused_with_a_sentence(name: str, kind: str) -> None:
    spec = spec_of(name)
    volume = made_volume(dtype={"uint8": np.uint8, "float32": np.float32, "nan": np.float32}.get(kind, np.int16), padding=kind == "padding")
    image = image_of(volume)
    if kind == "nan":
        values = image.values.copy()
        values[:, 10:12] = np.nan
        image = dataclasses.replace(image, values=values)
    if kind == "flat":
        image = dataclasses.replace(image, values=np.full_like(image.values, 7), range=(7.0, 7.0))
    results, _ = attempt(run, spec, image)
    for result in results or ():
        if isinstance(result, Image) and kind == "padding" and spec.keeps_unit:
            assert (result.values[:, :, :5] == -2000).all(), "padding stays padding"
        if isinstance(result, Mask) and kind == "padding" and not any(p.type in ("mask", "labels") for p in spec.parameters):
            assert not result.values[:, :, :5].any(), "padding belongs to nothing"


@pytest.mark.parametrize("name", [name for name in NAMES if spec_of(name).preview == "exact"])
def test_a_preview_marked_exact_equals_the_plane_of_the_whole(name: str, inline_pool: Pool) -> None:
    spec = spec_of(name)
    document = Document()
    document.add_source(made_volume())
    whole = prepare(document, spec, {}, volume_id="volume-a")
    (of_volume,) = start(whole, inline_pool).result()
    for axis in (0, 1, 2):
        for index in (0, GEOMETRY.shape[axis] // 2):
            call = prepare(document, spec, {}, volume_id="volume-a", scope=Scope("slice", axis, index))
            (of_plane,) = start(call, inline_pool).result()
            for plane, volume in zip(of_plane, of_volume, strict=True):
                np.testing.assert_array_equal(plane.values[0], np.moveaxis(volume.values, axis, 0)[index], err_msg=f"axis {axis}")


@every_operation
def test_bad_values_are_refused_with_a_sentence_that_names_the_parameter(name: str) -> None:
    spec = spec_of(name)
    with pytest.raises(Refused, match="no parameter") as unknown:
        check_parameters(spec, {"no_such_parameter": 1})
    assert_sentence(unknown.value)
    for parameter in spec.parameters:
        for bad in bad_values(parameter):
            with pytest.raises(Refused) as caught:
                check_parameters(spec, {parameter.name: bad})
            assert_sentence(caught.value)
            assert parameter.name in str(caught.value)


@every_operation
def test_bad_inputs_are_refused_with_a_sentence(name: str) -> None:
    spec = spec_of(name)
    image = image_of(made_volume())
    elsewhere = Geometry((6, 40, 44), (500.0, 0.0, 0.0), (2.0, 0.9, 0.8))
    for parameter in spec.parameters:
        bad = {"points": ((9000.0, 0.0, 0.0),), "mask": mask_on(elsewhere), "labels": labels_on(elsewhere)}.get(parameter.type)
        if bad is not None:
            with pytest.raises(NegatoscopeError) as caught:
                run(spec, image, **{parameter.name: bad})
            assert_sentence(caught.value)


@every_operation
def test_colour_is_handled_or_refused_before_the_call(name: str, inline_pool: Pool) -> None:
    spec = spec_of(name)
    document = Document()
    document.add_source(made_volume(color=True))
    parameters = given_in(document, spec)
    count = len(document.history)
    done, refusal = attempt(apply, document, spec, parameters, inline_pool, volume_id="volume-a")
    assert bool(done) is spec.takes_color
    if refusal:
        assert refusal == f"{spec.title} works on grey images; this one is in colour."
        assert len(document.history) == count


def given_in(document: Document, spec: OperationSpec) -> dict[str, Any]:
    """The parameters, with a mask and labels that are segments of the document."""
    parameters = good_parameters(spec, document.volume("volume-a").geometry)
    wanted = [p for p in spec.parameters if p.type in ("mask", "labels")]
    if not wanted:
        return parameters
    from viewer.core.labels import LabelLayer, Segment

    grid = document.volume("volume-a").geometry
    values = mask_on(grid).values.astype(np.uint8) if wanted[0].type == "mask" else labels_on(grid).values
    with document.edit("Segments") as edit:
        edit.put(LabelLayer("layer-a", "Layer", grid, "volume-a", tuple(Segment(n, f"Segment {n}", "#ff0000") for n in (1, 2, 3))))
        edit.write("layer-a", ((0, grid.shape[0]), (0, grid.shape[1]), (0, grid.shape[2])), values)
    return {**parameters, **{p.name: SegmentRef("layer-a", 1) if p.type == "mask" else LayerRef("layer-a") for p in wanted}}


@every_operation
@pytest.mark.parametrize("scope", [Scope(), Scope("slice", 0, 3), Scope("slice", 1, 20)], ids=["volume", "plane", "coronal"])
def test_what_it_brings_is_one_step_and_undo_restores_bit_for_bit(name: str, scope: Scope, inline_pool: Pool) -> None:
    spec = spec_of(name)
    document = Document()
    document.add_source(made_volume())
    parameters = given_in(document, spec)
    before, count = document.state_hash(), len(document.history)
    done, refusal = attempt(apply, document, spec, parameters, inline_pool, volume_id="volume-a", scope=scope)
    assert not refusal or scope.kind == "slice" or "Choose a slice" in refusal, f"{name} refuses a good volume: {refusal}"
    step = done[0] if done else None
    if step is None:
        assert document.state_hash() == before
        return
    after = document.state_hash()
    assert len(document.history) == count + 1
    assert step.origin.name == name
    document.undo()
    assert document.state_hash() == before
    document.redo()
    assert document.state_hash() == after


@every_operation
def test_its_words_say_what_it_does_its_source_and_its_units(name: str) -> None:
    spec = spec_of(name)
    assert spec.help
    assert len(spec.help) < 240
    assert "Source:" in spec.details
    assert "Returns\n-------" in spec.details
    parts = spec.details.split("Parameters\n----------")
    for parameter in spec.parameters:
        assert parameter.help, f"{parameter.name} has no help"
        assert parameter.name in parts[-1], f"{parameter.name} is not described"
    if any(p.unit == "mm" for p in spec.parameters):
        assert "mm" in parts[-1]
        assert "pixel" in parts[-1].lower() or "px" in parts[-1], "sizes in mm say what they are where the spacing is not known"


@every_operation
def test_numbers_have_limits_or_a_unit_of_the_image_and_a_default_that_is_allowed(name: str) -> None:
    spec = spec_of(name)
    for parameter in spec.parameters:
        if parameter.type in ("int", "float"):
            assert parameter.unit == "value" or parameter.low is not None
            if parameter.default is not None:
                check_parameters(spec, {parameter.name: parameter.default})
            else:
                assert parameter.is_optional
        if parameter.type == "choice":
            assert parameter.default in parameter.choices


@pytest.mark.slow
def test_cancel_ends_every_operation_within_two_seconds_and_the_next_call_works() -> None:
    """In real workers: whether a function listens to its progress or not."""
    shared_size = (24, 512, 512)
    rng = np.random.default_rng(2)
    geometry = Geometry(shared_size, (0.0, 0.0, 0.0), (2.0, 0.9, 0.8))
    from viewer.core.volume import Identity, Volume

    volume = Volume("volume-a", rng.integers(-1000, 1000, (1, *shared_size)).astype(np.int16), geometry, unit="HU", identity=Identity(modality="CT"))
    image = image_of(volume)
    late: list[str] = []
    with Pool(2) as pool:
        pool.warm()
        pool.submit("viewer.core.operation:describe_all", {"items": []}).result(30)
        for name in NAMES:
            spec = spec_of(name)
            values = np.zeros(shared_size, bool)
            values[:, 100:400, 100:400] = True
            special = {"points": ((100.0, 100.0, 20.0),), "mask": Mask(values, geometry), "labels": Labels(values.astype(np.uint8), geometry)}
            parameters = check_parameters(spec, {**{p.name: special[p.type] for p in spec.parameters if p.type in special}, **models_for(spec)})
            job = pool.submit("viewer.session.apply:compute", {"run": spec.run, "images": [image], "parameters": parameters})
            over = threading.Event()
            job.on_done(lambda _job, over=over: over.set())
            while job.state == "waiting":
                over.wait(0.002)
            over.wait(0.05)
            job.cancel()
            if not over.wait(2.0):
                late.append(name)
            else:
                assert_cancelled_or_done(job)
        assert late == []
        assert pool.submit("viewer.core.operation:describe_all", {"items": []}).result(30) == ([], [])


def assert_cancelled_or_done(job: Job) -> None:
    if job.state == "cancelled":
        assert isinstance(job.error, OperationCancelled)
    else:
        assert job.state == "done" or isinstance(job.error, NegatoscopeError)
