"""Networks that give more pixels than they got: a finer grid in the same place, held against SimpleITK on that grid."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
from classifier_samples import image_with, zoo_card
from contract_samples import CARD

from plugins.classify import returning
from plugins.classify.pictures import pictured
from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.images import Image
from viewer.core.model_card import ModelCard
from viewer.core.volume import Identity, Volume
from viewer.jobs.pool import Pool
from viewer.session.apply import Scope, apply, prepare
from viewer.session.document import Document, Source
from viewer.session.models import own_folder
from viewer.session.outcome import build_step
from viewer.session.plugins import discover
from viewer.session.recipe import recipe_of, run_recipe
from viewer.session.store import Store, restore
from viewer.session.view import ViewWish, resolve

RNG = np.random.default_rng(12)
TURN = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
GRID = Geometry((3, 20, 24), (10.0, -20.0, 30.0), (3.0, 0.7, 0.5), TURN)
VALUES = RNG.integers(0, 256, GRID.shape).astype(np.uint8)
ZOO = Path(__file__).parents[1] / "models" / "zoo"
FACTORS = {"enlarge": (2, 2), "enlarge_linear": (2, 3)}


def card_of_zoo(folder: Path, name: str = "enlarge", **parts: Any) -> ModelCard:
    size = {"height": "any", "width": "any", **parts.pop("input", {})}
    return zoo_card(name, folder, task="image", classes=[], input=size, output={"activation": "none"}, **parts)


def itk(values: np.ndarray, geometry: Geometry) -> sitk.Image:
    made = sitk.GetImageFromArray(values.astype(np.float32))
    made.SetOrigin(geometry.origin)
    made.SetSpacing(geometry.spacing[::-1])
    made.SetDirection(geometry.direction)
    return made


def resampled(values: np.ndarray, geometry: Geometry, down: int, across: int, how: int) -> sitk.Image:
    """SimpleITK's picture on a grid that it lays itself: ``down`` and ``across`` pixels for each, corners kept."""
    source = itk(values, geometry)
    columns, rows, planes = source.GetSize()
    first = source.TransformContinuousIndexToPhysicalPoint((-0.5 + 0.5 / across, -0.5 + 0.5 / down, 0.0))
    x, y, z = source.GetSpacing()
    return sitk.Resample(
        source, (columns * across, rows * down, planes), sitk.Transform(), how, first, (x / across, y / down, z), source.GetDirection(), 0.0
    )


@pytest.mark.parametrize(("name", "how"), [("enlarge", sitk.sitkNearestNeighbor), ("enlarge_linear", sitk.sitkLinear)])
def test_c05_super_resolution_is_simpleitks_resampling_onto_the_finer_grid(tmp_path: Path, name: str, how: int) -> None:
    made = pictured(card_of_zoo(tmp_path, name), image_with(VALUES, geometry=GRID))
    oracle = resampled(VALUES, GRID, *FACTORS[name], how)
    assert made.values.shape == oracle.GetSize()[::-1]
    assert made.values == pytest.approx(sitk.GetArrayFromImage(oracle), abs=2e-3)
    assert made.geometry.shape == oracle.GetSize()[::-1]
    planes, rows, columns = made.geometry.shape
    for index in [(0, 0, 0), (planes - 1, rows - 1, columns - 1), (1, 7, 40), (2, rows - 1, 0)]:
        place = oracle.TransformIndexToPhysicalPoint(index[::-1])
        assert made.geometry.to_patient(index) == pytest.approx(place, abs=1e-6)


def test_a_stack_that_leans_keeps_the_place_of_every_plane(tmp_path: Path) -> None:
    origins = ((10.0, -20.0, 30.0), (10.5, -19.0, 33.0), (11.5, -17.0, 37.0))
    leaning = replace(GRID, plane_origins=origins, direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    made = pictured(card_of_zoo(tmp_path), image_with(VALUES, geometry=leaning)).geometry
    for plane, (x, y, z) in enumerate(origins):
        assert made.to_patient((plane, 0, 0)) == pytest.approx((x - 0.125, y - 0.175, z), abs=1e-6)


def test_what_was_squeezed_comes_back_with_its_corners(tmp_path: Path) -> None:
    """20 x 24 pixels go in as 16 x 16 and come out as 32 x 32: these are then the pixels of the plane."""
    made = pictured(card_of_zoo(tmp_path, input={"height": 16, "width": 16}), image_with(VALUES, geometry=GRID))
    assert made.geometry.shape == (3, 32, 32)
    assert made.geometry.spacing == pytest.approx((3.0, 0.7 * 20 / 32, 0.5 * 24 / 32))
    assert made.geometry.to_patient((0, -0.5, -0.5)) == pytest.approx(GRID.to_patient((0, -0.5, -0.5)), abs=1e-6)
    assert made.geometry.to_patient((2, 31.5, 31.5)) == pytest.approx(GRID.to_patient((2, 19.5, 23.5)), abs=1e-6)


def test_what_the_network_did_not_see_keeps_its_values(tmp_path: Path) -> None:
    """The middle 20 x 20 go in as they are; left and right of it every pixel is there four times, as from the network."""
    made = pictured(card_of_zoo(tmp_path, input={"height": 20, "width": 20, "fit": "crop"}), image_with(VALUES, geometry=GRID))
    assert made.values == pytest.approx(VALUES.repeat(2, 1).repeat(2, 2), abs=1e-3)


def test_padding_stays_padding_and_empty_planes_stay_as_they_are(tmp_path: Path) -> None:
    framed = VALUES.astype(np.int16)
    framed[:, :, :5], framed[1] = -99, -99
    card = card_of_zoo(tmp_path, values={"kind": "range", "low": 0.0, "high": 255.0})
    made = pictured(card, image_with(framed, geometry=GRID, padding=(-99, -99)))
    assert made.values == pytest.approx(framed.repeat(2, 1).repeat(2, 2), abs=1e-3)


def test_colour_is_enlarged_by_a_network_of_grey_as_its_brightness(tmp_path: Path) -> None:
    color = RNG.integers(0, 256, (2, 20, 24, 3)).astype(np.uint8)
    made = pictured(card_of_zoo(tmp_path), image_with(color))
    assert made.values == pytest.approx((color @ np.array([0.299, 0.587, 0.114])).repeat(2, 1).repeat(2, 2), abs=0.01)


def test_a_picture_larger_than_the_memory_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returning, "memory_limit", lambda: 1000)
    with pytest.raises(Refused, match=r"Squares. makes 40 x 48 pixels of each of 3 planes, which is more than the memory allows"):
        pictured(card_of_zoo(tmp_path), image_with(VALUES, geometry=GRID))


# --- the document ---


def installed(name: str = "enlarge") -> None:
    folder = own_folder() / name
    folder.mkdir(parents=True)
    content = (ZOO / f"{name}.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content)
    text = CARD.format(task="image", name=name, sha256=hashlib.sha256(content).hexdigest())
    (folder / "card.toml").write_text(text, encoding="utf-8")


def opened(store: Store | None = None, phases: int = 2) -> tuple[Document, Volume]:
    document = Document(store)
    data = np.stack([VALUES, VALUES[:, ::-1]][:phases])
    volume = Volume("v", data, GRID, identity=Identity(modality="US"), regions=((2, 3, 9, 11),), phase_labels=("0 s", "1 s")[:phases])
    document.add_source(volume, Source("v"))
    return document, volume


def run(document: Document, **options: Any) -> Any:
    with Pool(inline=True) as pool:
        return apply(document, discover().spec("Enhance/Network"), {}, pool, volume_id="v", **options)


def test_the_finer_grid_takes_the_images_place_with_all_phases_and_undo_gives_it_back() -> None:
    installed()
    document, volume = opened()
    before = document.state_hash()
    run(document)
    made = document.current("v")
    assert made.geometry.shape == (3, 40, 48)
    assert made.data == pytest.approx(volume.data.repeat(2, 2).repeat(2, 3), abs=1e-3)
    assert (made.phase_labels, made.regions, made.parent_id) == (volume.phase_labels, ((4, 6, 19, 23),), "v")
    state = resolve(ViewWish("v", index=1, phase=1), document)
    assert (state.volume, state.layout.shape, state.array_index) == (made, (40, 48), 1)
    assert resolve(ViewWish("v", index=1, show_original=True), document).layout.shape == (20, 24)
    document.undo()
    assert document.state_hash() == before
    document.redo()
    assert document.current("v").geometry == made.geometry


def test_all_phases_count_in_what_the_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    installed()
    monkeypatch.setattr(returning, "memory_limit", lambda: 3 * 40 * 48 * 4)
    document, volume = opened()
    with pytest.raises(Refused, match=rf"of each of {3 * volume.phases} planes, which is more than the memory allows"):
        run(document)
    assert not document.history.steps
    document, volume = opened(phases=1)
    run(document)
    assert document.current("v").geometry.shape == (3, 40, 48)


def test_the_journal_and_recipes_know_it(tmp_path: Path) -> None:
    installed()
    store = Store(tmp_path / "journal.nego")
    document, volume = opened(store)
    run(document)
    wanted = document.state_hash()
    store.flush()
    store.close()
    assert restore(tmp_path / "journal.nego", lambda _source: volume, writable=False).state_hash() == wanted
    fresh, _volume = opened()
    with Pool(inline=True) as pool:
        run_recipe(fresh, recipe_of(document.history.steps), discover(), pool, root_id="v")
    assert fresh.current("v").geometry == document.current("v").geometry
    assert np.array_equal(fresh.current("v").data, document.current("v").data)


@pytest.mark.parametrize("scope", [Scope("slice", 0, 1), Scope("slice", 1, 3)], ids=["plane", "coronal"])
def test_one_plane_alone_cannot_have_another_grid_than_the_rest(scope: Scope) -> None:
    installed()
    document, _volume = opened()
    with pytest.raises(Refused, match="gave an image of another size; run it on the whole volume"):
        run(document, scope=scope)
    assert not document.history.steps


def test_a_result_that_lies_elsewhere_is_refused_as_before() -> None:
    document, _volume = opened(phases=1)
    call = prepare(document, discover().spec("Enhance/Network"), {}, volume_id="v")
    elsewhere = Geometry((3, 40, 48), (0.0, 0.0, 0.0), (3.0, 0.35, 0.25), TURN)
    with pytest.raises(Refused, match="gave an image of another size"):
        build_step(call, [(Image(np.zeros((3, 40, 48), np.float32), elsewhere),)])
