"""From a listed series to a volume in the document, and back again after a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from viewer.core.errors import InconsistentSeries, UnreadableFile
from viewer.core.volume import Volume
from viewer.core.words import _
from viewer.io import open as io_open
from viewer.io import picture_stack
from viewer.io.series import Progress, SeriesEntry
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool
from viewer.session.document import Document, Source
from viewer.session.statistics import value_range

_ENDS_BYTES = 64 << 10


def fingerprint(files: Sequence[Path]) -> str:
    """Hash over name, size, time and the first and last 64 KiB of every file: tells whether a source is still the same."""
    digest = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                facts = path.stat()
                digest.update(f"{path.name}|{facts.st_size}|{facts.st_mtime_ns}|".encode("utf-8", "surrogateescape"))
                digest.update(file.read(_ENDS_BYTES))
                if facts.st_size > _ENDS_BYTES:
                    file.seek(max(_ENDS_BYTES, facts.st_size - _ENDS_BYTES))
                    digest.update(file.read(_ENDS_BYTES))
        except OSError as err:
            raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=path.name, reason=err.strerror)) from err
    return digest.hexdigest()


def load_entry(
    entry: SeriesEntry,
    pool: Pool,
    *,
    progress: Progress | None = None,
    stream: Stream | None = None,
    on_whole: Callable[[Volume], None] | None = None,
) -> tuple[Volume, Source]:
    """Read a series (any thread): the volume, and what is needed to read it again.

    ``on_whole`` is called on this thread with the volume before its statistics are made.
    """
    volume = io_open.load(entry, pool=pool, progress=progress, stream=stream)
    if on_whole is not None:
        on_whole(volume)
    files = (entry.archive,) if entry.archive else entry.files
    with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as aside:
        mark = aside.submit(fingerprint, files)
        for phase in range(min(volume.phases, 4)):
            value_range(volume, phase)  # here, so that the window never waits for it
        return volume, Source(volume.id, files, entry.id, mark.result(), entry.how)


def open_entry(document: Document, entry: SeriesEntry, pool: Pool, *, progress: Progress | None = None) -> Volume:
    """Read a series into the document; for scripts and the command line."""
    volume, source = load_entry(entry, pool, progress=progress)
    document.add_source(volume, source)
    return volume


def read_source(source: Source, pool: Pool) -> Volume:
    """Read a source again. Raises InconsistentSeries when its files are no longer those that were opened."""
    if not source.files:
        raise UnreadableFile(_("An image that was made in memory cannot be read again."))
    if fingerprint(source.files) != source.fingerprint:
        raise InconsistentSeries(_("{name} has changed since; the steps are not replayed onto other pixels.").format(name=source.files[0].name))
    listing = picture_stack.find_again(source.files, source.how) if source.how else io_open.find(list(source.files))
    for entry in listing.series:
        if entry.id == source.series_id:
            volume = io_open.load(entry, pool=pool)
            return replace(volume, id=source.volume_id, root_id=source.volume_id)
    raise UnreadableFile(_("The series {series} is no longer in its files.").format(series=source.series_id))
