"""Key images: one step each, undone and recovered like anything else, found again on the same plane in any hanging."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.session.session_samples import make_document, make_volume
from viewer.core.geometry import Geometry
from viewer.core.window import Window
from viewer.session.document import Document
from viewer.session.key_images import (
    add_key_images,
    indices_in,
    is_shown,
    key_image_of,
    note_key_image,
    place_words,
    remove_key_images,
    shown_key_image,
    toggle_key_image,
    wish_for,
)
from viewer.session.store import Store, restore
from viewer.session.view import ViewState, ViewWish, resolve

# Axial planes stored from head to feet: the shown axial slice numbers run the other way than the array.
REVERSED = Geometry((5, 7, 9), (0.0, 0.0, 100.0), (3.0, 0.8, 0.6), (1, 0, 0, 0, 1, 0, 0, 0, -1))


def shown(document: Document, **wish: Any) -> tuple[ViewWish, ViewState]:
    asked = ViewWish("volume-a", **wish)
    return asked, resolve(asked, document)


def seen(document: Document, **wish: Any) -> ViewState:
    return shown(document, **wish)[1]


def test_a_second_k_takes_the_mark_off_and_each_is_one_step() -> None:
    document = make_document()
    marked = toggle_key_image(document, *shown(document, index=3))
    assert marked is not None and document.key_images_of("volume-a") == (marked,)
    assert (marked.axis, marked.index, marked.phase) == (0, 3, 0)
    assert toggle_key_image(document, *shown(document, index=3)) is None
    assert document.key_images_of("volume-a") == ()
    assert len(document.history) == 2
    document.undo()
    assert document.key_images_of("volume-a") == (marked,)
    document.undo()
    assert document.key_images_of("volume-a") == ()


def test_it_is_the_same_image_in_another_hanging_and_window_but_not_in_another_phase_or_plane() -> None:
    document = Document()
    document.add_source(make_volume(phases=2, geometry=REVERSED))
    item = key_image_of(*shown(document, index=1))
    assert item.plane == "acquired" or item.plane == "axial"
    assert is_shown(item, seen(document, plane="acquired", index=item.index, window=Window(0, 9), quarter_turns=1))
    assert is_shown(item, seen(document, plane="axial", index=4 - item.index))  # from the feet upwards: stored from the head down
    assert not is_shown(item, seen(document, plane="acquired", index=item.index, phase=1))
    assert not is_shown(item, seen(document, plane="sagittal", index=item.index))
    assert shown_key_image(document, seen(document, index=1)) is None


def test_going_to_it_shows_plane_phase_window_and_turns_as_they_were_marked() -> None:
    document = make_document(volume=make_volume(phases=3))
    wish, state = shown(
        document, plane="coronal", index=2, phase=1, window=Window(50, 100), window_unit="HU", quarter_turns=1, is_inverted=True, flip_vertical=True
    )
    item = key_image_of(wish, state)
    elsewhere = ViewWish("volume-a", index=0, show_labels=False, zoom=3.0)
    again = wish_for(item, document.volume("volume-a"), elsewhere)
    now = resolve(again, document)
    assert now.picture_key == resolve(wish, document).picture_key
    assert again.show_labels is False and again.zoom is None


def test_the_slider_finds_them_by_the_slice_number_of_its_own_hanging() -> None:
    document = Document()
    document.add_source(make_volume(geometry=REVERSED))
    item = key_image_of(*shown(document, plane="axial", index=0))  # the lowest slice: the last of the array
    assert item.index == 4
    assert list(indices_in([item], seen(document, plane="axial"))) == [0]
    assert list(indices_in([item], seen(document, plane="acquired"))) == [4]
    assert list(indices_in([item], seen(document, plane="sagittal"))) == []


def test_of_one_slice_the_frames_are_marked() -> None:
    flat = Geometry((1, 7, 9), is_patient=False)
    document = make_document(volume=make_volume(phases=6, geometry=flat))
    items = [key_image_of(*shown(document, phase=n)) for n in (1, 4)]
    assert sorted(indices_in(items, seen(document))) == [1, 4]
    assert place_words(items[1], document.volume("volume-a")) == "Frame 5 / 6"


def test_notes_are_steps_and_a_note_that_stays_is_none() -> None:
    document = make_document()
    item = toggle_key_image(document, *shown(document, index=2))
    assert item is not None
    assert note_key_image(document, item.id, "  nodule ")
    assert document.item("key_image", item.id).note == "nodule"
    assert not note_key_image(document, item.id, "nodule")
    assert not note_key_image(document, "gone", "x")
    assert len(document.history) == 2
    document.undo()
    assert document.item("key_image", item.id).note == ""


def test_several_are_marked_and_taken_off_by_one_step_each_and_none_twice() -> None:
    document = make_document()
    first = toggle_key_image(document, *shown(document, index=2))
    items = [key_image_of(*shown(document, index=n)) for n in (1, 2, 3, 3)]
    assert add_key_images(document, items) == 2
    assert [item.index for item in document.key_images_of("volume-a")] == [2, 1, 3]
    assert document.key_images_of("volume-a")[0] == first
    assert document.history.next_undo is not None and "2" in document.history.next_undo.title.text()
    assert remove_key_images(document, [item.id for item in document.key_images_of("volume-a")]) == 3
    assert len(document.history) == 3 and document.key_images_of("volume-a") == ()


def test_after_a_crash_the_marks_come_back(tmp_path: Path) -> None:
    path = tmp_path / "work.nego"
    document = make_document(Store(path))
    item = toggle_key_image(document, *shown(document, index=3, window=Window(50, 100, name="N")))
    assert item is not None
    note_key_image(document, item.id, "a nodule")
    expected = document.state_hash()
    assert document.store is not None
    document.store.flush()
    document.store.close()
    again = restore(path, lambda _source: make_volume(), writable=False)
    assert again.state_hash() == expected
    assert again.key_images_of("volume-a")[0].note == "a nodule"


def test_an_oblique_image_is_known_by_its_direction_and_its_distance() -> None:
    document = make_document()
    # Columns: right, down, normal. The normal leans by 0.6 against the planes.
    turn = (1.0, 0.0, 0.0, 0.0, 0.8, -0.6, 0.0, 0.6, 0.8)
    middle = np.array(document.volume("volume-a").geometry.to_patient((2, 3, 4)))
    right, normal = np.array(turn).reshape(3, 3)[:, 0], np.array(turn).reshape(3, 3)[:, 2]
    marked = toggle_key_image(document, *shown(document, turn=turn, place=tuple(middle)))
    assert marked is not None and marked.place is not None
    assert abs(float(np.dot(np.array(marked.place) - middle, normal))) < 1e-6
    assert is_shown(marked, seen(document, turn=turn, place=tuple(middle + 1.5 * right), quarter_turns=1))
    assert not is_shown(marked, seen(document, turn=turn, place=tuple(middle + 0.5 * normal)))
    assert not is_shown(marked, seen(document, index=marked.index))
    again = wish_for(marked, document.volume("volume-a"), ViewWish("volume-a", index=0))
    state = resolve(again, document)
    assert is_shown(marked, state)
    assert list(indices_in([marked], state)) == [state.index]
    assert indices_in([marked], seen(document)) == {}


def test_a_turn_that_the_image_does_not_allow_is_not_kept() -> None:
    document = make_document(volume=make_volume(color=True))  # no planes can be cut through colour
    wish, state = shown(document, index=4, turn=(1.0, 0.0, 0.0, 0.0, 0.6, -0.8, 0.0, 0.8, 0.6))
    assert state.index == 4 and not state.is_turned
    item = key_image_of(wish, state)
    assert resolve(wish_for(item, document.volume("volume-a"), ViewWish("volume-a")), document).index == 4
