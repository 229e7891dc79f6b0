"""What the message bar says after a run: what was found, with Undo and a copy of the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from plugins.classify.panel.model_words import reading_after, result_text, summary
from viewer.api import Report
from viewer.api import gettext as _
from viewer.api.panel import PanelHost, Step, repeated, reports_in


class ResultMessage:
    """Tells what a step of a run has brought."""

    def __init__(self, panel_host: PanelHost) -> None:
        self._panels = panel_host

    def tell(self, step: Step) -> None:
        """Say it, if there are reports in the step: a heat-map is seen."""
        reports = reports_in(step)
        if not reports:
            return
        said = _("{first} {second}").format(first=summary(reports), second=reading_after(repeated(step))).strip()
        links: list[tuple[str, Callable[[], None]]] = [(_("Undo"), partial(self._panels.host.undo_if_last, step.id))]
        if len(reports) == 1:
            links.append((_("Copy result"), lambda: self._copy(reports[0])))
        kind, volumes = "warn" if any(report.is_unfamiliar for report in reports) else "ok", {report.volume_id for report in reports}
        self._panels.host.say(kind, said, tuple(links), about=volumes.pop() if len(volumes) == 1 else "")

    def _copy(self, report: Report) -> None:
        self._panels.copy_text(result_text(report))
        self._panels.host.say("ok", _("Result copied."))
