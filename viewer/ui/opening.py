"""Opening files and folders without ever blocking the window: a thread looks, a thread reads, the browser grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from viewer.core.errors import NegatoscopeError, OperationCancelled
from viewer.core.volume import Volume
from viewer.core.words import gettext as _
from viewer.core.words import ngettext
from viewer.io import open as io_open
from viewer.io.series import Listing, Refusal, SeriesEntry
from viewer.session.document import Source
from viewer.session.opening import load_entry
from viewer.ui.host import Host


@dataclass(frozen=True, slots=True)
class Row:
    """A series in the browser. ``root_id`` is set once it is loaded; ``error`` when it cannot be."""

    entry: SeriesEntry
    root_id: str = ""
    is_loading: bool = False
    error: str = ""


class Opener(QObject):
    """Keeps the browser's rows, and turns paths into rows and rows into volumes of the document."""

    rows_changed = Signal()
    thumbnail_ready = Signal(str, object)
    """(entry id, volume of one plane)"""
    progress = Signal(int, int)
    """Files looked at, of how many; (0, 0) when done."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._host = host
        self._rows: dict[str, Row] = {}
        self._scan_task = ""
        self._loading: dict[str, str] = {}
        self._wanted = ""
        self.refused: tuple[Refusal, ...] = ()
        host.document_replaced.connect(self._clear)
        host.work.changed.connect(self._relay_progress)

    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def row(self, entry_id: str) -> Row | None:
        return self._rows.get(entry_id)

    def row_of_root(self, root_id: str) -> Row | None:
        return next((r for r in self._rows.values() if r.root_id == root_id and root_id), None)

    @property
    def is_scanning(self) -> bool:
        return bool(self._scan_task) and self._host.work.is_running(self._scan_task)

    @property
    def is_loading(self) -> bool:
        return any(row.is_loading for row in self._rows.values())

    def open_paths(self, paths: Sequence[Path], on_listed: Callable[[Listing], None] | None = None) -> None:
        """Look into files and folders; what is found joins the browser, and the first picture is shown."""
        wanted = [Path(p) for p in paths]

        def look(progress: Callable[[int, int], None]) -> Listing:
            return io_open.find(wanted, progress=progress)

        def over() -> None:
            if self._scan_task == task:  # else another scan has begun meanwhile, and its progress is the one that is shown
                self._scan_task = ""
                self.progress.emit(0, 0)

        def listed(listing: Listing) -> None:
            over()
            for path in wanted:
                self._host.remember(path)
            self._take(listing, wanted)
            if on_listed is not None:
                on_listed(listing)

        def failed(error: BaseException) -> None:
            over()
            self._host.report(error)

        title = _("Reading {name}").format(name=wanted[0].name if len(wanted) == 1 else ngettext("{count} path", "{count} paths", len(wanted)))
        task = self._scan_task = self._host.work.run_thread(look, title, listed, failed)

    def cancel_scan(self) -> None:
        self._host.work.cancel(self._scan_task)

    def show(self, entry_id: str) -> None:
        """Show a series, reading it first if need be: the first picture at once, the rest behind it."""
        row = self._rows.get(entry_id)
        if row is None or row.entry.kind == "other":
            if row is not None:
                self._host.say("info", _("{title} is listed, but cannot be shown yet.").format(title=row.entry.title))
            return
        self._wanted = entry_id
        if row.root_id:
            self._host.show_volume(row.root_id)
        elif not row.is_loading:
            self._load(row)

    # --- inside ---

    def _relay_progress(self, tasks: Any) -> None:
        for task in tasks:
            if task.id == self._scan_task:
                self.progress.emit(task.done, task.total)

    def _take(self, listing: Listing, wanted: Sequence[Path]) -> None:
        new = [entry for entry in listing.series if entry.id not in self._rows]
        for entry in new:
            self._rows[entry.id] = Row(entry)
        self.refused = listing.refused
        self.rows_changed.emit()
        self._tell(listing, wanted)
        showable = [entry for entry in listing.series if entry.kind != "other"]
        if showable:
            first = max(showable, key=lambda e: e.shape[0]) if len({e.identity.study_uid for e in showable}) == 1 else showable[0]
            self.show(first.id)
        self._make_thumbnails([e for e in new if e.kind != "other"])

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

    def _load(self, row: Row) -> None:
        entry = row.entry
        self._rows[entry.id] = Row(entry, is_loading=True)
        self.rows_changed.emit()
        document = self._host.document
        title = entry.title or entry.identity.series_description or _("Series")

        def read(progress: Callable[[int, int], None]) -> tuple[Volume, Source]:
            return load_entry(entry, self._host.pool, progress=progress)

        def ready(result: tuple[Volume, Source]) -> None:
            if document is not self._host.document:
                return
            volume, source = result
            self._rows[entry.id] = Row(entry, root_id=volume.id)
            document.add_source(volume, source)
            self.rows_changed.emit()
            # Who chose another series meanwhile is not torn away from it.
            if self._wanted == entry.id or not self._host.root_id:
                self._host.show_volume(volume.id)
            if volume.warnings:
                text = _("{series}: {warning}.").format(series=title, warning=volume.warnings[0].rstrip("."))
                self._host.say("warn", text, details="\n".join(volume.warnings) if len(volume.warnings) > 1 else "")

        def failed(error: BaseException) -> None:
            if document is not self._host.document:
                return  # all was closed meanwhile, the row too
            if isinstance(error, OperationCancelled):
                self._rows[entry.id] = Row(entry)
                self.rows_changed.emit()
                return
            self._rows[entry.id] = Row(entry, error=str(error) if isinstance(error, NegatoscopeError) else type(error).__name__)
            self.rows_changed.emit()
            self._host.report(error)

        self._loading[entry.id] = self._host.work.run_thread(read, title, ready, failed)

    def _make_thumbnails(self, entries: Sequence[SeriesEntry]) -> None:
        """One thread for all of them, one after the other: reading must not crowd out the series that is wanted now."""

        def read(progress: Callable[[int, int], None]) -> None:
            for number, entry in enumerate(entries):
                progress(number, len(entries))
                try:
                    self.thumbnail_ready.emit(entry.id, io_open.load_plane(entry, entry.shape[0] // 2, 0, pool=self._host.pool))
                except NegatoscopeError:
                    continue  # a thumbnail that cannot be made says nothing; opening the series will

        if entries:
            self._host.work.run_thread(read, _("Thumbnails"), lambda _result: None, self._host.report, quiet=True)

    def _clear(self) -> None:
        self._rows.clear()
        self._loading.clear()
        self._wanted = ""
        self.refused = ()
        self.rows_changed.emit()
