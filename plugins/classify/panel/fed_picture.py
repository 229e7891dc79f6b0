"""What a model got to see of the plane that a report is about, as a picture: asked for once, and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from viewer.api import OperationCancelled, Report
from viewer.api import gettext as _
from viewer.api.panel import PanelHost, lane_limits

SERVICE = "models.fed"
Show = Callable[[Any, str], None]


class FedPicture:
    """Asks for the picture of a report, once for each, and hands it to what shows it."""

    def __init__(self, panel_host: PanelHost) -> None:
        self._panels = panel_host
        self._known: dict[str, Any] = {}
        self._asked: set[str] = set()
        """Reports whose picture is being made: the panel asks again with every change of the view."""
        self._failed: dict[str, str] = {}
        """Why there is no picture of a report."""
        self._wanted = ""

    def ask(self, report: Report, show: Show, *, again: bool = False) -> None:
        """Show the picture, or have it made first; what is overtaken by another report is kept but not shown.

        ``again``: try again what has failed.
        """
        self._wanted = report.id
        if again:
            self._failed.pop(report.id, None)
        if report.id in self._known:
            self._show(self._known[report.id], show)
            return
        if report.id in self._failed:
            show(None, self._failed[report.id])
            return
        show(None, _("Working"))
        if report.id in self._asked:
            return
        host = self._panels.host
        image = self._panels.image_of(report.volume_id, report.index, report.phase)
        run = host.registry.service(SERVICE)
        if image is None or not run:
            show(None, _("The picture cannot be made."))
            return
        # A model of neighbouring planes or volumes is shown the plane in the middle.
        job = host.pool.submit(run, {"model": report.model, "image": image, "plane": 0}, limits=lane_limits())
        self._asked.add(report.id)

        def done(levels: Any) -> None:
            self._asked.discard(report.id)
            if len(self._known) > 64:
                self._known.clear()
            self._known[report.id] = levels
            if self._wanted == report.id:
                self._show(levels, show)

        def failed(error: BaseException) -> None:
            self._asked.discard(report.id)
            if not isinstance(error, OperationCancelled):
                self._failed[report.id] = str(error)
            if self._wanted == report.id:
                show(None, str(error))

        host.work.follow(job, _("Model input"), done, failed, quiet=True)

    def _show(self, levels: Any, show: Show) -> None:
        rows, columns = levels.shape[:2]
        show(levels, _("{columns} × {rows} px").format(columns=columns, rows=rows))
