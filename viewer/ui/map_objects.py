"""Laying a listed dose or parametric map over the series that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from viewer.core.words import gettext as _
from viewer.io.gate import harmless
from viewer.io.series import SeriesEntry
from viewer.session.maps import LaidMap, laid_maps, laying_words, read_map, series_under, why_no_series
from viewer.ui.objects import read_onto
from viewer.ui.segment_objects import WhenRead
from viewer.ui.theme import set_available

if TYPE_CHECKING:
    from viewer.ui.host import Host
    from viewer.ui.opening import Opener

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
    turn = [opener.turn]

    def is_wanted() -> bool:
        return opener.turn == turn[0]

    if row.root_id:
        _attach(host, entry, row.root_id, series.title, is_wanted)
    else:
        WhenRead(opener, series.id, lambda root_id: _attach(host, entry, root_id, series.title, is_wanted))
        opener.show(series.id)
        turn[0] = opener.turn


def _attach(host: Host, entry: SeriesEntry, root_id: str, series: str, is_wanted: Callable[[], bool]) -> None:
    """``is_wanted``: whether the user has not chosen something else meanwhile; who has is not torn away from it."""
    document = host.document
    if laid_maps(document, root_id, entry):
        host.show_volume(root_id)
        host.say("info", _("{title} lies over {series} already; it is in the list of maps.").format(title=entry.title, series=series))
        return
    root = document.volume(root_id)

    def read(progress: Callable[[int, int], None]) -> LaidMap:
        return read_map(entry, root, pool=host.pool, progress=progress)

    def take(found: LaidMap) -> None:
        document.commit(found.step)
        if is_wanted():
            host.show_volume(root_id)
        text, is_warning = laying_words(laid_maps(document, root_id, entry)[0].geometry, root, entry.title, series)
        host.say("warn" if is_warning else "ok", text)

    read_onto(host, entry, read, lambda: bool(laid_maps(document, root_id, entry)), take)
