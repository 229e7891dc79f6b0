"""Images and waits that the tests of the window share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtWidgets import QApplication, QDialog

from viewer.core.geometry import Geometry
from viewer.core.ids import new_id
from viewer.core.volume import Identity, Volume
from viewer.core.window import Window as ValueWindow
from viewer.session.document import Source
from viewer.ui.window import Window

PATIENCE_MS = 20_000


def made_volume(
    shape: tuple[int, int, int] = (5, 40, 60),
    *,
    phases: int = 1,
    unit: str = "HU",
    is_color: bool = False,
    title: str = "made",
    seconds: tuple[float, ...] = (),
    **who: str,
) -> Volume:
    """A small volume: 1000 more per plane, 100 per phase, 10 per row and 1 per column, from -1000 on; colour is that modulo 256."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    values = (k * 1000 + j * 10 + i - 1000).astype(np.int16)
    data = np.stack([values + 100 * number for number in range(phases)]).astype(np.int16)
    if is_color:
        data = np.repeat((data % 256).astype(np.uint8)[..., np.newaxis], 3, axis=-1)
    facts = {"patient_name": "Test^Person", "patient_id": "ID-7", "modality": "CT", "series_uid": "1.2.3", "series_description": title, **who}
    return Volume(
        new_id("volume"),
        data,
        Geometry(shape, spacing=(3.0, 0.7, 0.5)),
        "cine" if phases > 1 else "volume" if shape[0] > 1 else "image",
        unit="" if is_color else unit,
        title=title,
        identity=Identity(**facts),
        is_color=is_color,
        windows=() if is_color else (ValueWindow(0, 2000),),
        phase_seconds=seconds,
    )


def put_volume(window: Window, volume: Volume) -> Volume:
    """Show a volume that no file holds."""
    window.host.document.add_source(volume, Source(volume.id))
    window.host.show_volume(volume.id)
    QApplication.processEvents()
    return volume


def write_pictures(folder: Path, count: int) -> list[Path]:
    """Grey PNG pictures of 32 x 24, each another grey."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"picture-{number:02d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((24, 32), 40 + number, np.uint8)).save(path)
    return paths


def settle(qtbot: Any, window: Window) -> None:
    """Until nothing is read and no job runs, quiet ones neither."""
    work = window.host.work
    qtbot.waitUntil(lambda: not work._held and not window.opener.is_scanning, timeout=PATIENCE_MS)
    QApplication.processEvents()


def dialog_of(window: Window) -> Any:
    """The dialog that is open over a window."""
    QApplication.processEvents()
    shown = [d for d in window.findChildren(QDialog) if d.isVisible()]
    assert len(shown) == 1, shown
    return shown[0]
