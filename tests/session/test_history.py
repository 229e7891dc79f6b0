"""Any list of edits, undos and redos equals a list of saved states: with a journal and without, with arrays in memory and evicted."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viewer.core.annotation import Annotation
from viewer.core.errors import Refused
from viewer.core.labels import LabelLayer, Segment
from viewer.core.volume import Volume
from viewer.session.document import Document
from viewer.session.history import Changes, ItemChange, LabelsChange
from viewer.session.packing import pack
from viewer.session.store import Store, restore

sys.path.insert(0, str(Path(__file__).parent))
from session_samples import GEOMETRY, GESTURES, SHAPE, make_document, make_volume

# A script: which gesture (or undo, redo, go_to) comes next, and the small numbers that it draws.
UNDO, REDO, JUMP = len(GESTURES), len(GESTURES) + 1, len(GESTURES) + 2
commands = st.lists(st.tuples(st.integers(0, JUMP), st.lists(st.integers(0, 1000), min_size=1, max_size=6)), min_size=1, max_size=25)


def drawing(numbers: list[int]) -> object:
    source = itertools.cycle(numbers)
    return lambda below: next(source) % max(1, below)


def perform(document: Document, script: list[tuple[int, list[int]]], *, evict: bool = False) -> list[str]:
    """Play a script and compare each state with the one saved when it was first there. Returns the saved states."""
    saved = [document.state_hash()]
    for command, numbers in script:
        draw = drawing(numbers)
        before, position, count = document.state_hash(), document.history.position, len(document.history)
        if command == UNDO:
            assert document.undo() is (position > 0)
        elif command == REDO:
            assert document.redo() is (position < count)
        elif command == JUMP:
            document.go_to(draw(count + 1))  # type: ignore[operator]
        else:
            GESTURES[command](document, draw)  # type: ignore[arg-type]
            if document.history.position == position:
                assert len(document.history) == count, "what changes nothing keeps what was undone"
                assert document.state_hash() == before
            else:
                del saved[position + 1 :]
                saved.append(document.state_hash())
        assert len(document.history) == len(saved) - 1
        assert document.state_hash() == saved[document.history.position]
        if evict:
            document.trim_memory()
            assert document.state_hash() == saved[document.history.position]
    return saved


@settings(max_examples=300)
@given(commands)
def test_any_list_of_edits_undos_and_redos_equals_a_list_of_saved_states(script: list[tuple[int, list[int]]]) -> None:
    document = make_document()
    saved = perform(document, script)
    for position in [*reversed(range(len(saved))), *range(len(saved))]:
        document.go_to(position)
        assert document.state_hash() == saved[position]


@settings(max_examples=100)
@given(commands)
def test_the_same_holds_when_arrays_leave_memory_and_after_the_journal_is_read_again(script: list[tuple[int, list[int]]]) -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "journal.nego")
        document = make_document(store, history_bytes=1)
        saved = perform(document, script, evict=True)
        position = document.history.position
        for n in reversed(range(len(saved))):
            document.go_to(n)
            assert document.state_hash() == saved[n]
        document.go_to(position)
        store.flush()
        store.close()
        document.store = None
        again = restore(store.path, lambda source: make_volume(source.volume_id))
        try:
            assert again.history.position == position
            assert again.state_hash() == saved[position]
            for n in reversed(range(len(saved))):
                again.go_to(n)
                assert again.state_hash() == saved[n]
        finally:
            again.close()


def painted(document: Document, *, count: int = 1) -> LabelLayer:
    layer = LabelLayer("layer-a", "Layer", GEOMETRY, "volume-a", (Segment(1, "One", "#ff0000"), Segment(2, "Two", "#00ff00")))
    with document.edit("Layer") as edit:
        edit.put(layer)
    for n in range(count):
        with document.edit("Stroke") as edit:
            edit.paint("layer-a", (slice(n, n + 1), slice(0, 4), slice(1, 5)), np.ones((1, 4, 4), bool), 1 + n % 2)
    return layer


def test_a_new_step_drops_what_was_undone() -> None:
    document = make_document()
    painted(document, count=3)
    document.go_to(2)
    with document.edit("Other") as edit:
        edit.put(Annotation("annotation-a", "point", "volume-a", ((0.0, 0.0, 0.0),)))
    assert (len(document.history), document.history.position) == (3, 3)
    assert document.redo() is False


def test_an_edit_that_changes_nothing_keeps_what_was_undone() -> None:
    document = make_document()
    painted(document, count=3)
    document.undo()
    with document.edit("Nothing") as edit:
        assert edit.paint("layer-a", (slice(0, 1), slice(0, 4), slice(1, 5)), np.ones((1, 4, 4), bool), 1) == 0
    assert (len(document.history), document.history.position) == (4, 3)
    assert document.redo() is True


def test_a_stroke_over_itself_and_back_is_no_step() -> None:
    document = make_document()
    painted(document)
    box, mask = (slice(3, 4), slice(0, 2), slice(0, 2)), np.ones((1, 2, 2), bool)
    edit = document.edit("There and back")
    edit.paint("layer-a", box, mask, 2)
    edit.paint("layer-a", box, mask, 0)
    edit.commit()
    assert len(document.history) == 2


def test_a_listener_hears_of_a_commit_an_undo_and_a_redo_once_and_alike() -> None:
    document = make_document()
    heard: list[Changes] = []
    painted(document)
    document.changed.connect(lambda changes: heard.append(changes))
    document.undo()
    document.redo()
    assert [c.history for c in heard] == [True, True]
    assert heard[0].boxes == heard[1].boxes == (("layer-a", ((0, 1), (0, 4), (1, 5))),)


def test_locked_segments_are_kept_by_paint_and_by_the_eraser() -> None:
    document = make_document()
    layer = painted(document, count=2)
    with document.edit("Lock") as edit:
        edit.put(layer.with_segment(Segment(1, "One", "#ff0000", is_locked=True)))
    whole = (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2]))
    with document.edit("Erase all") as edit:
        edit.paint("layer-a", whole, np.ones(SHAPE, bool), 0)
    assert np.count_nonzero(document.labels("layer-a") == 1) == 16
    assert np.count_nonzero(document.labels("layer-a") == 2) == 0


def test_a_step_with_300_segments_uses_16_bits_and_undo_gives_the_8_bits_back() -> None:
    document = make_document()
    painted(document)
    before = document.state_hash()
    assert document.labels("layer-a").dtype == np.uint8
    layer = document.layer("layer-a")
    with document.edit("Many") as edit:
        for n in range(1, 301):
            layer = layer.with_segment(Segment(n, f"Segment {n}", "#ffffff"))
        edit.put(layer)
        edit.write("layer-a", tuple((0, n) for n in SHAPE), np.arange(np.prod(SHAPE)).reshape(SHAPE) % 301)  # type: ignore[arg-type]
    assert len(document.history) == 3
    labels = document.labels("layer-a")
    assert labels.dtype == np.uint16
    assert int(labels.max()) == 300
    after = document.state_hash()
    document.undo()
    assert document.state_hash() == before
    document.redo()
    assert document.state_hash() == after


def test_deleting_the_300th_segment_narrows_the_labels_and_undo_brings_its_voxels_back() -> None:
    document = make_document()
    layer = painted(document)
    with document.edit("Wide") as edit:
        edit.put(layer.with_segment(Segment(300, "Wide", "#ffffff")))
        edit.paint("layer-a", (slice(4, 5), slice(0, 7), slice(0, 9)), np.ones((1, 7, 9), bool), 300)
    wide = document.state_hash()
    with document.edit("Delete") as edit:
        edit.put(layer)
    assert document.labels("layer-a").dtype == np.uint8
    assert not document.labels("layer-a")[4].any()
    document.undo()
    assert document.state_hash() == wide


def test_a_cancelled_edit_gives_back_a_layer_that_it_removed_with_its_voxels() -> None:
    document = make_document()
    layer = painted(document, count=3)
    before = document.state_hash()
    edit = document.edit("Remove")
    edit.put(layer.with_segment(Segment(400, "Wide", "#ffffff")))
    edit.paint("layer-a", (slice(0, 1), slice(0, 7), slice(0, 9)), np.ones((1, 7, 9), bool), 400)
    edit.remove("layer", "layer-a")
    assert not document.has_layer("layer-a")
    edit.cancel()
    assert document.state_hash() == before


def test_what_comes_back_by_undo_takes_its_old_place_in_the_list() -> None:
    document = make_document()
    for name in "abc":
        with document.edit("Point") as edit:
            edit.put(Annotation(f"annotation-{name}", "point", "volume-a", ((0.0, 0.0, 0.0),)))
    with document.edit("Delete") as edit:
        edit.remove("annotation", "annotation-b")
    document.undo()
    assert [a.id for a in document.annotations_of("volume-a")] == ["annotation-a", "annotation-b", "annotation-c"]


def test_while_something_is_drawn_there_is_no_undo_and_no_second_edit() -> None:
    document = make_document()
    edit = document.edit("Drawing")
    for forbidden in (document.undo, document.redo, lambda: document.edit("Other"), lambda: document.commit(document.step("S", ()))):
        with pytest.raises(Refused, match="Finish or cancel"):
            forbidden()
    edit.cancel()
    assert document.undo() is False


def test_an_edit_that_is_over_refuses_to_write_and_ends_once() -> None:
    document = make_document()
    painted(document)
    edit = document.edit("Over")
    edit.paint("layer-a", (slice(3, 4), slice(0, 2), slice(0, 2)), np.ones((1, 2, 2), bool), 2)
    edit.commit()
    edit.commit()
    edit.cancel()
    assert len(document.history) == 3
    with pytest.raises(Refused, match="over already"):
        edit.put(Annotation("annotation-a", "point", "volume-a", ((0.0, 0.0, 0.0),)))


def test_a_step_that_cannot_be_applied_leaves_the_state_and_the_history() -> None:
    document = make_document()
    painted(document)
    before = document.state_hash()
    good = ItemChange("annotation", "annotation-a", None, Annotation("annotation-a", "point", "volume-a", ((0.0, 0.0, 0.0),)))
    lost = LabelsChange("layer-gone", ((0, 1), (0, 1), (0, 1)), pack(np.zeros((1, 1, 1), np.uint8)), pack(np.ones((1, 1, 1), np.uint8)))
    with pytest.raises(KeyError):
        document.commit(document.step("Bad", (good, lost)))
    assert document.state_hash() == before
    assert len(document.history) == 2


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "journal.nego")
    yield store
    store.close(discard=True)


def test_beyond_the_bound_the_oldest_arrays_leave_memory_and_come_back_when_undone(journal: Store) -> None:
    volume = make_volume(geometry=GEOMETRY)
    document = make_document(journal, history_bytes=1, volume=volume)
    saved = [document.state_hash()]
    for number in range(4):
        GESTURES[12](document, drawing([number + 1]))  # type: ignore[arg-type]
        saved.append(document.state_hash())
    painted(document, count=2)
    saved = [*saved, *([""] * 3)]
    for position in range(5, 8):
        document.go_to(position)
        saved[position] = document.state_hash()
    held = document.history.nbytes
    document.trim_memory()
    assert document.history.nbytes < held / 2
    document.trim_memory()
    evicted = [c.id for s in document.history for c in s.changes if c.nbytes == 0 and getattr(c, "kind", "") == "volume"]
    assert evicted
    assert isinstance(document.volume(evicted[0]), Volume)
    for position in [*reversed(range(len(saved))), *range(len(saved))]:
        document.go_to(position)
        assert document.state_hash() == saved[position]


def test_once_the_document_is_closed_what_had_left_memory_is_refused_not_waited_for(tmp_path: Path) -> None:
    from viewer.core.errors import UnreadableFile

    document = make_document(Store(tmp_path / "journal.nego"), history_bytes=1)
    painted(document, count=4)
    document.trim_memory()
    document.close()
    position, before = document.history.position, document.labels("layer-a").copy()
    document.go_to(4)  # the newest steps are still in memory
    with pytest.raises(UnreadableFile):
        document.go_to(0)
    assert document.history.position <= position
    assert before.shape == document.labels("layer-a").shape
