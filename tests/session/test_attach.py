"""Files laid over an opened image: which grids fit, which numbers are segments, and one step for all of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.volume import Volume
from viewer.session.attach import Placed, drafted, label_values, labels_step, overlay_step, place_on, placed_map, under_other_phases
from viewer.session.document import Document, Source


def _volume(values: np.ndarray, geometry: Geometry | None = None) -> Volume:
    grid = geometry or Geometry(values.shape, spacing=(3.0, 1.5, 0.75), origin=(10.0, -20.0, 30.0))
    return Volume(new_id("volume"), values[np.newaxis], grid)


def _document() -> tuple[Document, Volume]:
    document = Document()
    volume = _volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6))
    document.add_source(volume, Source(volume.id))
    return document, volume


def _oblique(shape: tuple[int, int, int]) -> Geometry:
    turn = np.linalg.qr(np.array([[1.0, 0.2, 0.1], [-0.15, 1.0, 0.3], [0.05, -0.25, 1.0]]))[0]
    return Geometry(shape, spacing=(3.0, 1.5, 0.75), origin=(10.0, -20.0, 30.0), direction=tuple(float(c) for c in turn.ravel()))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_same_voxels_in_another_order_fall_where_simpleitk_puts_them(order: tuple[int, int, int]) -> None:
    target = _oblique((4, 5, 6))
    values = np.random.default_rng(1).integers(0, 9, (4, 5, 6)).astype(np.uint8)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(target.spacing[::-1])
    image.SetOrigin(target.origin)
    image.SetDirection(target.direction)
    for flips in product((False, True), repeat=3):
        stored = sitk.Flip(sitk.PermuteAxes(image, order), flips)
        geometry = Geometry(
            sitk.GetArrayViewFromImage(stored).shape, spacing=stored.GetSpacing()[::-1], origin=stored.GetOrigin(), direction=stored.GetDirection()
        )
        placed = place_on(target, geometry, sitk.GetArrayFromImage(stored))
        assert placed is not None
        assert placed.box == ((0, 4), (0, 5), (0, 6))
        np.testing.assert_array_equal(placed.values, values)


def test_f04_a_mask_cut_to_its_extent_falls_back_into_its_place() -> None:
    target = _oblique((4, 5, 6))
    placed = place_on(target, target.cropped((1, 2, 0), (2, 3, 4)), np.ones((2, 3, 4), np.uint8))
    assert placed is not None and placed.box == ((1, 3), (2, 5), (0, 4))


@pytest.mark.parametrize(
    "change",
    [
        {"spacing": (3.0, 1.5, 0.76)},
        {"origin": (10.4, -20.0, 30.0)},
        {"is_patient": False},
        {"shape": (4, 5, 7)},
        {"direction": (0.8, 0.6, 0.0, -0.6, 0.8, 0.0, 0.0, 0.0, 1.0)},
    ],
)
def test_another_grid_does_not_fit(change: dict) -> None:
    target = Geometry((4, 5, 6), spacing=(3.0, 1.5, 0.75), origin=(10.0, -20.0, 30.0))
    other = replace(target, **change)
    assert place_on(target, other, np.zeros(other.shape, np.uint8)) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 3, 3, 7], np.uint8), (3, 7)),
        (np.array([0, 1, 2035, 65535], np.uint16), (1, 2035, 65535)),
        (np.array([0, 1, 2], np.int16), (1, 2)),
        (np.array([0.0, 1.0, 4.0], np.float32), (1, 4)),
        (np.arange(256, dtype=np.uint16), tuple(range(1, 256))),
        (np.zeros(4, np.uint8), ()),
    ],
)
def test_whole_numbers_from_0_on_are_labels(values: np.ndarray, expected: tuple[int, ...]) -> None:
    assert label_values(_volume(values.reshape(1, 1, -1))) == expected


@pytest.mark.parametrize(
    "values",
    [np.array([0, 0.5], np.float32), np.array([-1, 1], np.int16), np.array([0, 70000], np.float32), np.arange(257, dtype=np.uint16),
     np.array([0, np.nan], np.float32)],
)  # fmt: skip
def test_pictures_are_no_labels(values: np.ndarray) -> None:
    with pytest.raises(Refused):
        label_values(_volume(values.reshape(1, 1, -1)))


def test_labels_are_one_step_that_undo_takes_back_and_redo_brings_again() -> None:
    document, root = _document()
    before = document.state_hash()
    values = np.zeros((4, 5, 6), np.uint16)
    values[1, 2:4, 3] = 7
    values[3, 0, 0] = 2035
    document.commit(labels_step(root, [drafted("abdomen", values, [2035, 7], {7: "Liver"}, {7: "#112233"})], "abdomen"))
    (layer,) = document.layers_of(root.id)
    assert [(s.label, s.name) for s in layer.segments] == [(7, "Liver"), (2035, "Segment 2035")]
    assert layer.segments[0].color == "#112233" and layer.volume_id == root.id
    np.testing.assert_array_equal(document.labels(layer.id), values)
    after = document.state_hash()
    assert len(document.history) == 1
    document.undo()
    assert document.state_hash() == before and document.layers_of(root.id) == ()
    document.redo()
    assert document.state_hash() == after


def test_two_layers_that_overlap_keep_every_voxel_in_one_step() -> None:
    document, root = _document()
    outer, inner = np.zeros((4, 5, 6), np.uint8), np.zeros((4, 5, 6), np.uint8)
    outer[1:3, 1:4, 1:5], inner[2, 2, 2:4] = 1, 1
    document.commit(labels_step(root, [drafted("outer", outer, [1]), drafted("inner", inner, [1])], "plan"))
    held = [document.labels(layer.id) for layer in document.layers_of(root.id)]
    assert [int(np.count_nonzero(labels)) for labels in held] == [24, 2]
    assert len(document.history) == 1


def test_labels_of_a_part_are_put_in_their_box() -> None:
    document, root = _document()
    document.commit(labels_step(root, [drafted("part", np.ones((1, 2, 2), np.uint8), [1], box=((2, 3), (1, 3), (4, 6)))], "part"))
    expected = np.zeros((4, 5, 6), np.uint8)
    expected[2, 1:3, 4:6] = 1
    (layer,) = document.layers_of(root.id)
    np.testing.assert_array_equal(document.labels(layer.id), expected)


def test_labels_of_another_size_and_empty_ones_are_refused() -> None:
    root = _volume(np.zeros((4, 5, 6), np.int16))
    for values, labels in ((np.ones((1, 2, 2), np.uint8), [1]), (np.zeros((4, 5, 6), np.uint8), [])):
        with pytest.raises(Refused):
            labels_step(root, [drafted("labels", values, labels)], "labels")


def test_an_overlay_is_one_step_and_is_shown_on_the_grid_of_the_image() -> None:
    from viewer.session.view import ViewWish, resolve

    document, root = _document()
    placed = Placed(np.full((4, 5, 6), 2.5), ((0, 4), (0, 5), (0, 6)))
    laid = placed_map(root, placed, "dose", unit="Gy", phase=0)
    document.commit(overlay_step(root, [laid], "dose"))
    (item,) = document.overlays_of(root.id)
    assert item.id == laid.id and item.values.dtype == np.float32 and item.unit == "Gy"
    assert [m.item.id for m in resolve(ViewWish(volume_id=root.id), document).maps] == [laid.id]
    document.undo()
    assert document.overlays_of(root.id) == ()


def test_a_map_for_every_other_phase_shares_its_values() -> None:
    root = _volume(np.zeros((4, 5, 6), np.int16))
    first = placed_map(root, Placed(np.ones((4, 5, 6)), ((0, 4), (0, 5), (0, 6))), "dose", unit="Gy", phase=1)
    others = under_other_phases(first, 3)
    assert [item.phase for item in others] == [0, 2] and len({first.id, *(item.id for item in others)}) == 3
    assert all(np.shares_memory(item.values, first.values) for item in others)
