"""A window's shared parts without the window, and small volumes, for tests of panels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtWidgets import QMainWindow, QWidget

from viewer.core.geometry import Geometry
from viewer.core.volume import Volume
from viewer.jobs.pool import Pool
from viewer.session.plugins import discover
from viewer.session.settings import Settings
from viewer.ui.actions import Actions
from viewer.ui.host import Host
from viewer.ui.opening import Opener
from viewer.ui.panel_host import PanelHost
from viewer.ui.tooling import Tooling

SHAPE = (3, 24, 30)


@dataclass
class Parts:
    """What a panel is given, and what it asked for."""

    host: Host
    panels: PanelHost
    asked: list[Any] = field(default_factory=list)
    """("results",), ("export", tab), ("details", title), and notices as (kind, text)."""

    def open(self, volume: Volume) -> None:
        self.host.document.add_source(volume)
        self.host.show_volume(volume.id)

    def titles(self) -> list[str]:
        """The steps in force."""
        history = self.host.document.history
        return [step.title.text() for step in history.steps[: history.position]]


def make_parts(folder: Path, window: QMainWindow) -> Parts:
    """Host, tooling and actions, with a pool that runs in this process."""
    host = Host(discover(), Pool(inline=True), Settings(folder / "settings.toml"), journal=False)
    panels = PanelHost(host, Tooling(host), Actions(window, QWidget(window)), Opener(host))
    parts = Parts(host, panels)
    panels.show_results = lambda: parts.asked.append(("results",))
    panels.export = lambda tab: parts.asked.append(("export", tab))
    panels.show_details = lambda title, _text: parts.asked.append(("details", title))
    host.notice.connect(lambda notice: parts.asked.append((notice.kind, notice.text)))
    return parts


def ramp(*, unit: str = "HU", is_known: bool = True, name: str = "ct") -> Volume:
    """Values that rise along the columns, from -100 by 10, and by 1 from row to row: no axis can be swapped unseen."""
    planes, rows, columns = np.indices(SHAPE)
    values = (10 * columns + rows + 300 * planes - 100).astype(np.int16)[np.newaxis]
    geometry = Geometry(SHAPE, spacing=(3.0, 0.7, 0.5), origin=(5.0, -7.0, 20.0), in_plane_known=is_known, between_known=is_known)
    return Volume(name, values, geometry, unit=unit, title="Ramp")


def colour() -> Volume:
    """One plane of RGB."""
    return Volume("rgb", np.zeros((1, 1, 8, 9, 3), np.uint8), Geometry((1, 8, 9)), kind="image", is_color=True)
