"""Segmentations of files as layers of the document: one step, undo, journal, never twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.objects.object_samples import Frame, Grid, parts, write_image, write_segmentation
from viewer.io import open as io_open
from viewer.jobs.pool import Pool
from viewer.session.document import Document
from viewer.session.objects import attached_layers, read_attachable
from viewer.session.opening import open_entry, read_source
from viewer.session.store import Store, restore

GRID = Grid()
RANDOM = np.random.default_rng(7)


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, dict[int, np.ndarray]]:
    """A CT, and a segmentation of two segments that overlap."""
    write_image(tmp_path / "study" / "ct", GRID)
    truth = {n: (RANDOM.random(GRID.shape) < 0.4).astype(np.uint8) for n in (1, 2)}
    frames = [Frame(mask[k], GRID.place(k, 0, 0), segment=n) for n, mask in truth.items() for k in range(5)]
    write_segmentation(tmp_path / "study" / "seg.dcm", frames, GRID)
    return tmp_path / "study", truth


def test_a_segmentation_opens_as_one_step_that_undo_takes_back_whole(study: tuple[Path, dict[int, np.ndarray]], inline_pool: Pool) -> None:
    folder, truth = study
    segmentation, image = parts(folder)
    document = Document()
    volume = open_entry(document, image, inline_pool)
    before = document.state_hash()
    found = read_attachable(segmentation, volume, pool=inline_pool)
    document.commit(found.step)
    assert (found.segments, found.layers) == (2, 2)
    assert len(document.history) == 1
    assert document.history[0].title.text() == "Open segmentation Made segmentation"
    layers = document.layers_of(volume.id)
    assert [layer.name for layer in layers] == ["Made segmentation (1 of 2)", "Made segmentation (2 of 2)"]
    for layer in layers:
        (segment,) = layer.segments
        assert np.array_equal(document.labels(layer.id) == segment.label, truth[segment.label] == 1)
    after = document.state_hash()
    document.undo()
    assert document.state_hash() == before
    assert not document.layers_of(volume.id)
    document.redo()
    assert document.state_hash() == after


def test_what_is_attached_is_known_until_it_is_gone(study: tuple[Path, dict[int, np.ndarray]], inline_pool: Pool) -> None:
    segmentation, image = parts(study[0])
    document = Document()
    volume = open_entry(document, image, inline_pool)
    assert not attached_layers(document, volume.id, segmentation)
    document.commit(read_attachable(segmentation, volume, pool=inline_pool).step)
    assert len(attached_layers(document, volume.id, segmentation)) == 2
    assert not attached_layers(document, "another", segmentation)
    document.undo()
    assert not attached_layers(document, volume.id, segmentation)


def test_the_journal_brings_an_opened_segmentation_back(study: tuple[Path, dict[int, np.ndarray]], inline_pool: Pool, tmp_path: Path) -> None:
    segmentation, image = parts(study[0])
    store = Store(tmp_path / "journal.nego")
    document = Document(store)
    volume = open_entry(document, image, inline_pool)
    document.commit(read_attachable(segmentation, volume, pool=inline_pool).step)
    store.flush()
    state = document.state_hash()
    store.close()
    again = restore(tmp_path / "journal.nego", lambda source: read_source(source, inline_pool))
    assert again.state_hash() == state
    assert attached_layers(again, volume.id, segmentation), "what was opened before the crash is not opened twice after it"
    again.close()


def test_a_segmentation_of_a_volume_that_was_worked_on_lies_on_the_opened_one(
    study: tuple[Path, dict[int, np.ndarray]], inline_pool: Pool
) -> None:  # fmt: skip
    listing = io_open.find([study[0]])
    assert len([e for e in listing.series if e.object_kind]) == 1
    segmentation, image = parts(study[0])
    document = Document()
    volume = open_entry(document, image, inline_pool)
    found = read_attachable(segmentation, document.original(document.current(volume.id).id), pool=inline_pool)
    document.commit(found.step)
    assert {layer.volume_id for layer in document.layers_of(volume.id)} == {volume.id}
