"""Laying a listed dose or parametric map over the series that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMenu

from viewer.core.words import gettext as _
from viewer.io.gate import harmless
from viewer.io.series import SeriesEntry
from viewer.session.maps import LaidMap, laid_maps, read_map, series_under, why_no_series
from viewer.ui.segment_objects import WhenRead
from viewer.ui.theme import set_available

if TYPE_CHECKING:
    from viewer.ui.host import Host
    from viewer.ui.opening import Opener

_STROKE_CHECK_MS = 30
_MOST_OFFERED = 12


def offer_overlay(menu: QMenu, host: Host, opener: Opener, entry: SeriesEntry) -> None:
    """A line in the menu of a dose or map for each series that it can be laid over; else one that says why there is none."""
    shown = opener.row_of_root(host.root_id)
    series = series_under(entry, [row.entry for row in opener.rows()], preferred=shown.entry.id if shown is not None else "")
    if not series:
        set_available(menu.addAction(_("Add as overlay")), why_no_series(entry))
        return
    for other in series[:_MOST_OFFERED]:
        action = menu.addAction(_("Add as overlay on {series}").format(series=harmless(other.title)[:48].replace("&", "&&")))
        action.triggered.connect(lambda _checked=False, other=other: add_overlay(host, opener, entry, other))


def add_overlay(host: Host, opener: Opener, entry: SeriesEntry, series: SeriesEntry) -> None:
    """Lay a dose or map over a listed series, which is read first if need be, and show it there."""
    row = opener.row(series.id)
    if row is None:
        return
    if row.root_id:
        _attach(host, entry, row.root_id, series.title)
    else:
        WhenRead(opener, series.id, lambda root_id: _attach(host, entry, root_id, series.title))
        opener.show(series.id)


def _attach(host: Host, entry: SeriesEntry, root_id: str, series: str) -> None:
    document = host.document
    if laid_maps(document, root_id, entry):
        host.show_volume(root_id)
        host.say("info", _("{title} lies over {series} already; it is in the list of maps.").format(title=entry.title, series=series))
        return
    root = document.volume(root_id)

    def read(progress: Callable[[int, int], None]) -> LaidMap:
        return read_map(entry, root, pool=host.pool, progress=progress)

    def ready(found: LaidMap) -> None:
        if document is not host.document:
            return
        if document.is_editing:  # a stroke is being drawn: what was read waits for its end
            QTimer.singleShot(_STROKE_CHECK_MS, host, lambda: ready(found))
            return
        if laid_maps(document, root_id, entry):
            return  # asked for twice while it was read
        with host.reporting():
            document.commit(found.step)
            host.show_volume(root_id)
            if found.is_on_grid:
                host.say("ok", _("{title} lies over {series} now.").format(title=entry.title, series=series))
            else:
                text = _("{title} is kept with {series}, but lies on another grid; it cannot be drawn over this image yet. Open it by itself.")
                host.say("warn", text.format(title=entry.title, series=series))

    host.work.run_thread(read, _("Opening {title}").format(title=entry.title), ready, host.report)
