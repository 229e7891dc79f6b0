"""The states that pictures are made of, by chapter: opening and looking here, panels and dialogs beside.

A chapter is a function that is given ``stage(...)`` to open a window with, brings it into one state after the other by mouse,
keys and host, and yields the name of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent
from PySide6.QtWidgets import QApplication

from viewer.io import open as io_open
from viewer.io.samples import NODULE
from viewer.ui.scenes_dialogs import DIALOG_CHAPTERS
from viewer.ui.scenes_fusion import FUSION_CHAPTERS
from viewer.ui.scenes_models import MODEL_CHAPTERS
from viewer.ui.scenes_navigation import NAVIGATION_CHAPTERS
from viewer.ui.scenes_opening import OPENING_CHAPTERS
from viewer.ui.scenes_panels import PANEL_CHAPTERS
from viewer.ui.scenes_stage import Stage
from viewer.ui.scenes_views import VIEW_CHAPTERS
from viewer.ui.scenes_windowing import WINDOWING_CHAPTERS

Chapter = Callable[[Callable[..., Stage]], Iterator[str]]


def first_run(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    yield "first-run"
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(s.folder))])
    zone = s.window.first_run.zone
    enter = QDragEnterEvent(QPoint(200, 200), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(zone, enter)
    yield "drag-over"
    QApplication.sendEvent(zone, QDragLeaveEvent())
    with reading(45, 120) as go_on:
        s.window.open_paths([s.sample()["phantom"]])
        s.wait(lambda: s.window.browser.reading.isVisible(), "the folder is being read")
        s.rest()
        yield "reading-a-folder"
        go_on()
        s.settle()


def studies(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    yield "study-open"
    s.trigger("window.preset_2")
    yield "lung-window"
    s.window.actions_table["view.coronal"].trigger()
    s.turn_to(NODULE.centre_mm)
    yield "coronal"
    s.trigger("view.sagittal")
    s.turn_to(NODULE.centre_mm)
    yield "sagittal"
    s.trigger("view.acquired")
    s.show("MR")
    yield "mr"
    s.show("RG1")
    yield "radiograph-no-pixel-size"
    s.show("color3d")
    yield "cine"
    s.press(s.window.view_bar.auto) if s.window.view_bar.auto.isEnabled() else None
    s.show("CT thorax phantom")
    s.type(s.window.browser.filter, "hand")
    yield "filter-without-match"
    s.window.browser.filter.clear()
    s.window.view.setFocus()


def damaged(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage()
    folder = damaged_folder(s)
    s.open(folder)
    yield "damaged-files"
    s.window.host.close_all()
    text = s.folder / "letter.txt"
    text.write_text("This is a letter and no image.\n", encoding="utf-8")
    s.window.messages.clear_messages()
    s.open(text)
    yield "not-an-image"


def sizes(stage: Callable[..., Stage]) -> Iterator[str]:
    s = stage(size=(960, 600))
    s.open_sample()
    s.turn_to(NODULE.centre_mm)
    yield "960x600"
    s = stage(size=(1099, 700))
    s.open_sample()
    yield "1099-wide"
    s = stage()
    s.open(long_names(s.folder))
    yield "long-names"


CHAPTERS: tuple[Chapter, ...] = (
    first_run,
    studies,
    damaged,
    *OPENING_CHAPTERS,
    *NAVIGATION_CHAPTERS,
    *FUSION_CHAPTERS,
    *VIEW_CHAPTERS,
    *WINDOWING_CHAPTERS,
    *PANEL_CHAPTERS,
    *DIALOG_CHAPTERS,
    *MODEL_CHAPTERS,
    sizes,
)


# --- files made on the spot ---


@contextmanager
def reading(done: int, total: int) -> Iterator[Callable[[], None]]:
    """While this lasts a look into files stands still after so many of them."""
    find, go_on = io_open.find, Event()

    def slow(paths: Any, *, progress: Any = None, found: Any = None) -> Any:
        progress(done, total)
        go_on.wait()
        return find(paths, progress=progress, found=found)

    io_open.find = slow
    try:
        yield go_on.set
    finally:
        go_on.set()
        io_open.find = find


def damaged_folder(s: Stage) -> Path:
    """Thirty planes of the phantom, three of which are cut off."""
    folder = s.folder / "thorax-damaged"
    if not folder.is_dir():
        folder.mkdir()
        for number, file in enumerate(sorted(s.sample()["phantom"].iterdir())[30:60]):
            data = file.read_bytes()
            (folder / file.name).write_bytes(data[: len(data) // 3] if number in (4, 5, 17) else data)
    return folder


def long_names(folder: Path) -> Path:
    """A small CT whose patient, study and series have names that no column holds."""
    from pydicom import dcmread

    from viewer.io.samples import sample_paths

    target = folder / "long-names"
    if target.is_dir():
        return target
    target.mkdir()
    for file in sorted(sample_paths(folder / "sample")[0].iterdir())[50:70]:
        dataset = dcmread(file)
        dataset.PatientName = "Wolfeschlegelsteinhausenbergerdorff^Hubert Blaine Adolph"
        dataset.PatientID = "ID-0000000000-2026-WITH-A-VERY-LONG-TAIL"
        dataset.StudyDescription = "CT of the thorax and the upper abdomen after contrast, follow-up"
        dataset.SeriesDescription = "Thorax_Abdomen_portal_venous_1.0_I40f_3_iMAR_axial_raw_data"
        dataset.StudyInstanceUID += ".9"
        dataset.SeriesInstanceUID += ".9"
        dataset.save_as(target / file.name)
    return target
