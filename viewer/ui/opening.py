"""Opening files and folders without ever blocking the window: a thread looks, a thread reads, the browser grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io import open as io_open
from viewer.io import picture_stack
from viewer.io.picture_stack import Spacing
from viewer.io.series import Listing, Refusal, SeriesEntry
from viewer.session.document import Source
from viewer.session.windowing import window_warnings
from viewer.ui.host import Host
from viewer.ui.loading import Loading
from viewer.ui.objects import HANDLERS, show_object
from viewer.ui.thumbnails import Thumbnails


@dataclass(frozen=True, slots=True)
class Row:
    """A series in the browser. ``root_id`` is set once it is loaded; ``error`` when it cannot be."""

    entry: SeriesEntry
    root_id: str = ""
    is_loading: bool = False
    error: str = ""
    is_growing: bool = False
    """More of its files may still be found."""


@dataclass(eq=False, slots=True)
class _Scan:
    """A look into files that is going on, and what it has listed so far."""

    wanted: list[Path]
    task: str = ""
    ids: set[str] = field(default_factory=set)
    refused: tuple[Refusal, ...] = ()
    started: float = field(default_factory=time.monotonic)
    pace: float = 0.0
    shows: bool = True


class Opener(QObject):
    """Keeps the browser's rows, and turns paths into rows and rows into volumes of the document."""

    rows_changed = Signal()
    thumbnail_ready = Signal(str, object)
    """(entry id, volume of one plane)"""
    progress = Signal(int, int)
    """Files looked at, of how many; (0, 0) when done."""
    ended = Signal(str)
    """Why what was being read is not shown after all; "" when something else is to be shown."""

    turn = 0
    """How often something was chosen: who comes late sees whether something else was meanwhile."""

    _listed = Signal(object, object)

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._rows: dict[str, Row] = {}
        self._scans: list[_Scan] = []
        self._loadings: dict[str, Loading] = {}
        self._wanted = ""
        self._cell = 0
        self._refused: dict[Path, Refusal] = {}
        self._thumbnails = Thumbnails(host)
        self._thumbnails.ready.connect(self.thumbnail_ready)
        self._listed.connect(self._take_so_far)
        host.document_replaced.connect(self._clear)
        host.work.changed.connect(self._relay_progress)
        host.seen_changed.connect(self._ask_for_plane)

    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def row(self, entry_id: str) -> Row | None:
        return self._rows.get(entry_id)

    def row_of_root(self, root_id: str) -> Row | None:
        return next((r for r in self._rows.values() if r.root_id == root_id and root_id), None)

    def picture(self, entry: SeriesEntry) -> Volume | None:
        """The plane of a series that a view shows first, if it was read already."""
        return self._thumbnails.picture(entry)

    @property
    def shown_id(self) -> str:
        """Entry id of the series in the active view, whole or still being read; "" for none."""
        arriving = self._host.arriving
        row = self.row_of_root(self._host.root_id)
        return arriving.entry.id if arriving is not None else row.entry.id if row is not None else ""

    @property
    def current_id(self) -> str:
        """Entry id of the series that was chosen last, though it may not be shown yet or cannot be; else of the one that is shown."""
        chosen = self._rows.get(self._wanted)
        return self.shown_id if chosen is None or chosen.root_id else chosen.entry.id

    @property
    def has_anything(self) -> bool:
        """Whether there is anything to close: listed, or listed as refused."""
        return bool(self._rows or self._refused)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Files that could not be read, of all that was opened."""
        return tuple(self._refused.values())

    @property
    def is_scanning(self) -> bool:
        return bool(self._scans)

    @property
    def files_per_second(self) -> float:
        """Pace of the look into files so far; 0 while that says nothing."""
        return self._scans[-1].pace if self._scans else 0.0

    @property
    def is_loading(self) -> bool:
        return any(row.is_loading for row in self._rows.values())

    @property
    def is_waiting(self) -> bool:
        """Whether a chosen series has nothing to show yet."""
        loading = self._loadings.get(self._wanted)
        return loading is not None and not loading.is_shown

    def open_paths(
        self, paths: Sequence[Path], on_listed: Callable[[Listing], None] | None = None, *, stack: Spacing | None = None, shows: bool = True
    ) -> None:  # fmt: skip
        """Look into files and folders; what is found joins the browser as it is found, and the first picture is shown.

        With a spacing as ``stack`` all pictures there are one stack. Without ``shows`` they are only listed.
        """
        scan = _Scan([Path(p) for p in paths], shows=shows)

        def look(progress: Callable[[int, int], None]) -> Listing:
            if stack is not None:
                return picture_stack.find(scan.wanted, stack, progress=progress)
            return io_open.find(scan.wanted, progress=progress, found=lambda listing: self._listed.emit(scan, listing))

        def over() -> bool:
            if scan not in self._scans:
                return False  # all was closed meanwhile
            self._scans.remove(scan)
            if not self._scans:  # else the progress of the newest one is shown
                self.progress.emit(0, 0)
            return True

        def listed(listing: Listing) -> None:
            if not over():
                return
            for path in scan.wanted:
                self._host.remember(path)
            self._take(listing, scan)
            if on_listed is not None:
                on_listed(listing)

        def failed(error: BaseException) -> None:
            if not over():
                return
            self._keep_so_far(scan)
            if isinstance(error, OperationCancelled):
                self._tell_stopped(scan)
            else:
                self._host.report(error)

        wanted = scan.wanted
        title = _("Reading {name}").format(name=wanted[0].name if len(wanted) == 1 else ngettext("{count} path", "{count} paths", len(wanted)))
        self._scans.append(scan)
        scan.task = self._host.work.run_thread(look, title, listed, failed)

    def cancel_scan(self) -> None:
        """Stop looking into files, however many were asked for one after the other."""
        for scan in self._scans:
            self._host.work.cancel(scan.task)

    def show(self, entry_id: str) -> None:
        """Show a series, reading it first if need be: the first picture at once, the rest behind it."""
        row = self._rows.get(entry_id)
        if row is None:
            return
        self.turn += 1
        if row.entry.kind == "other":
            show_object(self._host, self, row.entry)
            return
        self._wanted, self._cell = entry_id, self._host.desk.active
        loading = self._loadings.get(entry_id)
        if row.root_id:
            self._host.show_volume(row.root_id)
        elif loading is None:
            self._load(row)
        elif loading.arriving.has_picture:
            self._host.show_arriving(loading.arriving)

    def read(self, entry_id: str) -> None:
        """Read a series beside what is shown."""
        row = self._rows.get(entry_id)
        if row is not None and not row.root_id and entry_id not in self._loadings:
            self._load(row)

    def take_read(self, entry_id: str, volume: Volume, source: Source) -> str:
        """Take in a series that was read elsewhere. The id of its image, which may have been read here meanwhile; "" where it is listed no more."""
        row = self._rows.get(entry_id)
        if row is not None and not row.root_id:
            self._rows[entry_id] = Row(row.entry, root_id=volume.id)
            self._host.document.add_source(volume, source)
            self.rows_changed.emit()
        return self._rows[entry_id].root_id if row is not None else ""

    def cancel_loading(self, entry_id: str) -> None:
        """Stop reading a series; its row stays."""
        loading = self._loadings.get(entry_id)
        if loading is not None:
            loading.cancel()

    # --- what is found ---

    def _relay_progress(self, tasks: Any) -> None:
        scan = self._scans[-1] if self._scans else None
        for task in tasks:
            if scan is not None and task.id == scan.task:
                spent = time.monotonic() - scan.started
                scan.pace = task.done / spent if task.done and spent > 0.2 else 0.0
                self.progress.emit(task.done, task.total)

    def _take_so_far(self, scan: _Scan, listing: Listing) -> None:
        """The list grows: an entry takes the place of the one that had its id before."""
        if scan not in self._scans:
            return  # over, or closed meanwhile
        scan.refused = listing.refused
        self._put(listing.series, scan, is_growing=True)
        self._make_thumbnails(listing.series)

    def _put(self, series: Sequence[SeriesEntry], scan: _Scan, *, is_growing: bool) -> None:
        changed = False
        for entry in series:
            row = self._rows.get(entry.id)
            is_of_before = row is not None and entry.id not in scan.ids
            if row is not None and (row.root_id or (is_of_before and (row.is_loading or (is_growing and not row.is_growing)))):
                continue  # opened before: what is in work, or known as a whole, stays as it is
            new = Row(entry, is_loading=row.is_loading, is_growing=is_growing) if row is not None else Row(entry, is_growing=is_growing)
            scan.ids.add(entry.id)
            if new != row:
                self._rows[entry.id] = new
                changed = True
        if changed:
            self.rows_changed.emit()

    def _take(self, listing: Listing, scan: _Scan) -> None:
        final = {entry.id for entry in listing.series}
        for entry_id in scan.ids - final:  # its files turned out to belong elsewhere
            loading = self._loadings.get(entry_id)
            if loading is not None:
                loading.cancel()
            self._rows.pop(entry_id, None)
        self._put(listing.series, scan, is_growing=False)
        for entry in listing.series if self._refused else ():
            for path in entry.files:
                self._refused.pop(path, None)  # mended since
        self._refuse(listing.refused)
        self.rows_changed.emit()
        self._tell(listing, scan.wanted)
        self._start_waiting(scan)
        showable = [entry for entry in listing.series if entry.kind != "other"]
        if not scan.shows:
            showable = []
        if showable and not (self._wanted in scan.ids and self._wanted in final):
            first = max(showable, key=lambda e: e.shape[0]) if len({e.identity.study_uid for e in showable}) == 1 else showable[0]
            self.show(first.id)
        elif scan.shows and len(listing.series) == 1 and listing.series[0].object_kind in HANDLERS:
            self.show(listing.series[0].id)  # opened by itself: it is what is wanted, on the series that it belongs to
        self._make_thumbnails(listing.series)

    def _keep_so_far(self, scan: _Scan) -> None:
        for entry_id in scan.ids:
            row = self._rows.get(entry_id)
            if row is not None:
                self._rows[entry_id] = replace(row, is_growing=False)
        self._refuse(scan.refused)
        self.rows_changed.emit()
        self._start_waiting(scan)

    def _start_waiting(self, scan: _Scan) -> None:
        """Series that were looked at while they grew are now read as a whole."""
        for entry_id in scan.ids:
            loading, row = self._loadings.get(entry_id), self._rows.get(entry_id)
            if loading is not None and row is not None and not loading.is_reading:
                self._start(loading, row)

    def _refuse(self, refused: Sequence[Refusal]) -> None:
        self._refused.update((refusal.path, refusal) for refusal in refused)

    def _tell_stopped(self, scan: _Scan) -> None:
        count = len(scan.ids)
        text = _("Reading was stopped; nothing was found so far.")
        if count:
            text = ngettext(
                "Reading was stopped; the {count} series found so far is listed, maybe not all of its images.",
                "Reading was stopped; the {count} series found so far are listed, maybe not all of their images.", count,
            )  # fmt: skip
        self._host.say("info", text)

    def _tell(self, listing: Listing, wanted: Sequence[Path]) -> None:
        reasons = "\n".join(r.reason for r in listing.refused)
        if not listing.series:
            text = listing.refused[0].reason if listing.refused else _("There is no image in {name}.").format(name=wanted[0].name)
            more = len(listing.refused) - 1
            if more > 0:
                text = f"{text} {ngettext('{count} more file could not be read.', '{count} more files could not be read.', more)}"
            self._host.say("err", text, details=reasons if more > 0 else "")
        elif listing.refused:
            one = len(listing.refused) == 1
            text = listing.refused[0].reason if one else _("{bad} of the files could not be read; the rest is open.").format(bad=len(listing.refused))
            self._host.say("warn", text, details="" if one else reasons)

    def _make_thumbnails(self, entries: Sequence[SeriesEntry]) -> None:
        # A series that is being opened brings its own picture.
        self._thumbnails.make([e for e in entries if e.kind != "other" and e.id not in self._loadings])

    # --- one series ---

    def _load(self, row: Row) -> None:
        entry = row.entry
        loading = self._loadings[entry.id] = Loading(self._host, entry, self._thumbnails.picture(entry))
        self._rows[entry.id] = replace(row, is_loading=True, error="")
        self.rows_changed.emit()
        loading.arrived.connect(lambda: self._show_arrived(loading))
        document = self._host.document

        def ready(volume: Volume, source: Source) -> None:
            loading.deleteLater()
            if document is not self._host.document:
                return
            self._loadings.pop(entry.id, None)
            self._rows[entry.id] = Row(loading.entry, root_id=volume.id)
            document.add_source(volume, source)
            self.rows_changed.emit()
            self._keep_picture(loading)
            self._host.take_arrived(loading.arriving, volume)
            loading.arriving.end()
            # Who chose another series meanwhile is not torn away from it.
            is_first_look = self._wanted == entry.id and not loading.is_shown
            if self._host.root_id != volume.id and (is_first_look or (not self._host.root_id and self._host.arriving is None)):
                self._host.show_volume(volume.id, self._target)
            told = (*volume.warnings, *window_warnings(volume))
            if told:
                text = _("{series}: {warning}.").format(series=_name(entry), warning=_(told[0]).rstrip(".。"))
                self._host.say("warn", text, details="\n".join(told) if len(told) > 1 else "")

        def failed(error: BaseException) -> None:
            loading.deleteLater()
            if document is not self._host.document:
                return  # all was closed meanwhile, the row too
            self._loadings.pop(entry.id, None)
            is_cancelled = isinstance(error, OperationCancelled)
            reason = "" if is_cancelled else str(error) if isinstance(error, NegatoscopeError) else type(error).__name__
            if entry.id in self._rows:
                self._rows[entry.id] = replace(self._rows[entry.id], is_loading=False, error=reason)
                self.rows_changed.emit()
                self._make_thumbnails([entry])
            was_shown = self._host.arriving is loading.arriving
            self._host.end_arriving(loading.arriving)
            loading.arriving.end()
            if was_shown:
                stopped = _("Reading {series} was cancelled. Choose it again to read it.").format(series=_name(entry))
                self.ended.emit(stopped if is_cancelled else reason)
            self._host.report(error)

        loading.finished.connect(ready)
        loading.failed.connect(failed)
        if row.is_growing:
            loading.want(*loading.first)  # the whole is read when all of its files are known
        else:
            self._start(loading, row)
        self._show_arrived(loading)

    def _start(self, loading: Loading, row: Row) -> None:
        old = loading.entry
        moved = loading.start(row.entry, _name(row.entry))
        arriving = loading.arriving
        if self._host.arriving is arriving and old.shape != row.entry.shape:
            wish, state = self._host.wish, self._host.seen
            if wish.index is not None and moved is not None:  # the same place, among more planes
                plane = max(0, min(state.array_index + moved, row.entry.shape[0] - 1))
                self._host.change_wish(index=row.entry.shape[0] - 1 - plane if state.layout.flip_axis else plane)
            self._host.refresh_arriving()

    def _show_arrived(self, loading: Loading) -> None:
        """Something is there to be seen: the first plane brings the series into view, further ones fill it."""
        arriving = loading.arriving
        if not arriving.has_picture:
            arriving.plane(*loading.wanted)
        if not arriving.has_picture:
            return
        self._keep_picture(loading)
        if self._host.is_seen(arriving):
            self._host.arriving_changed.emit()
        elif self._wanted == loading.entry.id and not loading.is_shown:
            loading.is_shown = True
            self._host.show_arriving(arriving, self._target)

    @property
    def _target(self) -> int:
        """The view that was active when the series was chosen, if it is still there."""
        return self._cell if self._cell < len(self._host.desk.wishes) else self._host.desk.active

    def _keep_picture(self, loading: Loading) -> None:
        picture = loading.arriving.plane(*loading.first)
        if picture is not None:
            self._thumbnails.take(loading.entry, picture)

    def _ask_for_plane(self, _state: Any) -> None:
        arriving, seen = self._host.arriving, self._host.seen
        if arriving is None or seen.volume is None:
            return
        loading = self._loadings.get(arriving.entry.id)
        if loading is not None:
            loading.want(seen.phase, seen.array_index)

    def _clear(self) -> None:
        for loading in self._loadings.values():
            loading.cancel()
        self._loadings.clear()
        self._scans.clear()
        self._rows.clear()
        self._wanted = ""
        self._refused.clear()
        self._thumbnails.clear()
        self.progress.emit(0, 0)
        self.rows_changed.emit()


def _name(entry: SeriesEntry) -> str:
    return entry.title or entry.identity.series_description or _("Series")
