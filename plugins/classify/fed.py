"""What a model got to see of a plane, as a picture: made in a worker, asked for by the Classify tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from viewer.api import Image, Report, gettext
from viewer.api.models import choose_model, list_models

if TYPE_CHECKING:
    from viewer.api.panel import PanelHost

SERVICE = "models.fed"
Show = Callable[[Any, str], None]


def fed_picture(model: str, image: Image, plane: int) -> Any:
    """In the worker: the levels of a plane as they go into a model, 8 bits, (rows, columns) or with a last axis of 3."""
    from plugins.classify import feeding

    return feeding.fed_picture(choose_model(list_models()[0], model), image, plane)


class FedPicture:
    """Asks for the picture of a report, once for each, and hands it to what shows it."""

    def __init__(self, panel_host: PanelHost) -> None:
        self._panels = panel_host
        self._known: dict[str, Any] = {}
        self._wanted = ""

    def ask(self, report: Report, show: Show) -> None:
        """Show the picture, or have it made first; what is overtaken by another report is kept but not shown."""
        self._wanted = report.id
        if report.id in self._known:
            self._show(self._known[report.id], show)
            return
        show(None, gettext("Working"))
        host = self._panels.host
        image = self._panels.image_of(report.volume_id, report.index, report.phase)
        run = host.registry.service(SERVICE)
        if image is None or not run:
            show(None, gettext("The picture cannot be made."))
            return
        # A model of neighbouring planes or volumes is shown the plane in the middle.
        job = host.pool.submit(run, {"model": report.model, "image": image, "plane": 0})

        def done(levels: Any) -> None:
            if len(self._known) > 64:
                self._known.clear()
            self._known[report.id] = levels
            if self._wanted == report.id:
                self._show(levels, show)

        def failed(error: BaseException) -> None:
            if self._wanted == report.id:
                show(None, str(error))

        host.work.follow(job, gettext("What the model got"), done, failed, quiet=True)

    def _show(self, levels: Any, show: Show) -> None:
        rows, columns = levels.shape[:2]
        show(levels, gettext("{columns} × {rows} px").format(columns=columns, rows=rows))
