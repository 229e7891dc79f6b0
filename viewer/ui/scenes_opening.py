"""The states that pictures are made of: a folder and a series while they are read, a second file, phases."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from viewer.core.errors import UnreadableFile
from viewer.core.ids import new_id
from viewer.core.volume import Volume
from viewer.io import open as io_open
from viewer.io.samples import NODULE
from viewer.io.series import Listing, Refusal, SeriesEntry
from viewer.io.stream import Stream
from viewer.session.document import Source
from viewer.ui import loading
from viewer.ui.opening import Row
from viewer.ui.scenes_stage import Stage


def growing_list(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    ct, *others = _sample_entries(s)
    assert ct.geometry is not None
    shape = (24, *ct.shape[1:])
    part = replace(ct, shape=shape, files=ct.files[:24], geometry=ct.geometry.cropped((0, 0, 0), shape))
    with _looking([part, *others[:2]], 1240, 10_000) as go_on:
        s.window.open_paths([s.sample()["phantom"]])
        s.wait(lambda: s.window.opener.files_per_second > 0 and len(s.window.opener.rows()) == 3, "the list grows")
        s.rest()
        s.window.opener._pace = 5300.0
        s.window.opener.progress.emit(1240, 10_000)
        yield "growing-list"
        go_on(Listing((ct, *others)))
        s.settle()


def streaming(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    with _feeding(range(48, 78)) as feed:
        s.window.open_paths([s.sample()["phantom"]])
        s.wait(lambda: s.host.arriving is not None and s.host.arriving.ready(0).sum() >= 30, "thirty planes are there")
        s.rest()
        yield "reading-a-series"
        s.trigger("view.first_slice")
        yield "reading-a-slice-not-there"
        feed.put(UnreadableFile("slice-079.dcm: the file ends in the middle of its pixels. Copy it again from where it came."))
        s.settle()
        s.window.messages.clear_messages()
        yield "reading-failed"


def second_file(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    volume = s.host.state.volume
    assert volume is not None
    mask = _mask_file(s.folder / "lungs.nrrd", volume)
    s.window.attaching.offer([mask], s.window.view.mapToGlobal(s.window.view.rect().center()))
    s.wait(lambda: s.window.attaching.menu is not None and not s.window.attaching.menu.is_checking, "the file was looked at")
    s.rest()
    yield "drop-menu"
    menu = s.window.attaching.menu
    assert menu is not None
    menu.segmentation.trigger()
    menu.close()
    s.settle()
    yield "segmentation-added"
    s.window.attaching.attach_path(mask, "overlay")
    s.settle()
    yield "overlay-added"


def phases(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    volume = s.host.state.volume
    assert volume is not None
    data = np.concatenate([volume.data[:, ::3], volume.data[:, ::3] // 2, volume.data[:, ::3] // 3])
    geometry = replace(volume.geometry, shape=data.shape[1:], spacing=(volume.geometry.spacing[0] * 3, *volume.geometry.spacing[1:]))
    labels = ("b 0 s/mm²", "b 500 s/mm²", "b 1000 s/mm²")
    made = replace(volume, id=new_id("volume"), root_id="", data=data, geometry=geometry, phase_labels=labels, title="DWI")
    s.host.document.add_source(made, Source(made.id))
    s.host.show_volume(made.id)
    s.trigger("view.next_phase")
    s.settle()
    yield "phases"


def objects_and_refused(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    ct = next(row.entry for row in s.window.opener.rows() if row.entry.title and row.entry.shape[0] > 50)
    kinds = (
        ("segmentation", "SEG", "Lungs and nodule"), ("structures", "RTSTRUCT", "Plan contours"), ("dose", "RTDOSE", "Plan dose"),
        ("report", "SR", "CAD report"), ("presentation", "PR", "Marked slices"), ("key-images", "KO", "For conference"), ("", "PDF", "Letter"),
    )  # fmt: skip
    for number, (kind, modality, title) in enumerate(kinds):
        who = replace(ct.identity, modality=modality, series_description=title)
        entry = replace(ct, id=f"object-{number}", kind="other", object_kind=kind, identity=who, title=title, shape=(0, 0, 0), warnings=())  # type: ignore[arg-type]
        s.window.opener._rows[entry.id] = Row(entry)
    s.window.opener._refuse([Refusal(Path(f"{n}.dcm"), f"{n}.dcm: the file is cut short.") for n in range(12)])
    s.window.opener.rows_changed.emit()
    s.rest()
    yield "objects-and-refused"


OPENING_CHAPTERS = (growing_list, streaming, second_file, phases, objects_and_refused)


# --- reading in slow motion ---


def _sample_entries(s: Stage) -> list[SeriesEntry]:
    found = io_open.find(list(s.sample().values())).series
    return sorted((e for e in found if e.kind != "other"), key=lambda e: -e.shape[0])


@contextmanager
def _looking(so_far: list[SeriesEntry], done: int, total: int) -> Iterator[Callable[[Listing], None]]:
    """While this lasts a look into files has found so much, and waits."""
    find: Any = io_open.find
    words: queue.Queue[Listing] = queue.Queue()

    def slow(_paths: Any, *, progress: Any, found: Any) -> Listing:
        found(Listing(tuple(so_far)))
        while True:
            progress(done, total)
            try:
                return words.get(timeout=0.05)
            except queue.Empty:
                continue

    io_open.find = slow
    try:
        yield words.put
    finally:
        words.put(Listing())
        io_open.find = find


@contextmanager
def _feeding(planes: range) -> Iterator[queue.Queue[Any]]:
    """While this lasts only these planes of a series arrive."""
    real: Any = loading.load_entry
    words: queue.Queue[Any] = queue.Queue()

    def slow(entry: Any, pool: Any, *, progress: Any, stream: Stream, on_whole: Any) -> tuple[Volume, Source]:
        volume, source = real(entry, pool)
        stream.begin(1, volume.geometry.shape[0], lambda f, k: _plane(volume, f, k))
        for plane in (stream.wanted[1], *planes):
            stream.arrived(0, plane)
        while True:
            progress(len(planes), volume.geometry.shape[0])
            try:
                word = words.get(timeout=0.05)
            except queue.Empty:
                continue
            stream.end()
            if isinstance(word, Exception):
                raise word
            on_whole(volume)
            return volume, source

    loading.load_entry = slow
    try:
        yield words
    finally:
        words.put(None)
        loading.load_entry = real


def _plane(volume: Volume, phase: int, plane: int) -> Volume:
    geometry = volume.geometry.cropped((plane, 0, 0), (1, *volume.geometry.shape[1:]))
    return replace(volume, id=new_id("volume"), root_id="", data=volume.data[phase : phase + 1, plane : plane + 1], geometry=geometry)


def _mask_file(path: Path, volume: Volume) -> Path:
    """Air inside of the body and the bones of a CT, on its grid."""
    import SimpleITK as sitk

    values = volume.values
    mask = np.zeros(values.shape, np.uint8)
    middle = np.s_[:, values.shape[1] // 4 : -values.shape[1] // 4, values.shape[2] // 6 : -values.shape[2] // 6]
    mask[middle][values[middle] < -600] = 1
    mask[values > 300] = 2
    image = sitk.GetImageFromArray(mask)
    image.SetSpacing(volume.geometry.spacing[::-1])
    image.SetOrigin(volume.geometry.origin)
    image.SetDirection(volume.geometry.direction)
    sitk.WriteImage(image, str(path))
    return path
