"""The way in for files and folders: what is there (``find``), and its voxels (``load``, ``load_plane``).

Formats are told by content, never by the file's name alone. Links that lead out of a given folder are not followed.
"""

from __future__ import annotations

import importlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from viewer.core.errors import NegatoscopeError, UnreadableFile
from viewer.core.provenance import Note
from viewer.core.sentence import sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io import archive, collector, containers, remembered
from viewer.io.beside import because, open_descriptor
from viewer.io.gate import harmless
from viewer.io.gather import Gathered, gather
from viewer.io.kinds import ENDINGS, READERS, inflated_head, reader_of, why_not
from viewer.io.series import Listing, Progress, Reader, Refusal, SeriesEntry
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool

if TYPE_CHECKING:
    from viewer.io.dicom.header import Header

# Seconds until a growing list is shown for the first time, and then again.
FIRST_WORD_S, NEXT_WORD_S = 0.1, 0.25


def find(paths: Sequence[Path], *, progress: Progress | None = None, found: Callable[[Listing], None] | None = None) -> Listing:
    """Everything that can be opened under some files and folders. Reads headers only; never raises for bad input.

    Each file is opened once: its first bytes say what it is, and for DICOM what its header says. Files that have not changed
    since they were last looked at in this process are not opened at all (:mod:`viewer.io.remembered`).

    Parameters
    ----------
    paths : files or folders
        Folders are searched recursively, in sorted order. A file that is named itself and is no image is refused with
        the reason; such a file inside a folder is only counted, unless its name says that it should be an image. A ZIP
        archive that is named itself is opened like a folder, a DICOMDIR is opened as the files that it names.
    progress : callable, optional
        Called on this thread with (files done, files there), once a file and at the end; may raise OperationCancelled, which
        stops at once. While folders are being listed nothing is done yet and the second number grows.
    found : callable, optional
        Called on this thread with what there is so far, so that a list can grow while a large folder is read: first a tenth
        of a second after the start, then four times a second, less often where putting the series together takes longer.
        An entry takes the place of the one that had its id before. Only the returned listing is final: it alone holds
        the verdict on folders without images, and a number behind a series' id may move while the series grows.
    """
    with collector.patient():
        return _find(paths, progress, found)


def _find(paths: Sequence[Path], progress: Progress | None, found: Callable[[Listing], None] | None) -> Listing:
    gathered = gather(paths, counted=(lambda count: progress(0, count)) if progress else None)
    containers.expand(gathered, progress=(lambda: progress(0, len(gathered.files))) if progress else None)
    search = _Search(gathered, found)
    total = len(gathered.files)
    done = 0
    for path in gathered.files:
        if progress:
            progress(done, total)
        done += search.look_at(path)
    for name, files in search.waiting.items():
        if files:
            search.listings.append(_reader(name).scan(files, progress=_after(progress, done, total)))
            search.offer()
            done += len(files)
    listing = _merge(gathered, search.all_listings(), is_final=True)
    if progress:
        progress(total, total)
    return listing


class _Search:
    """What the files looked at so far are."""

    def __init__(self, gathered: Gathered, found: Callable[[Listing], None] | None) -> None:
        self.gathered = gathered
        self.waiting: dict[str, list[Path]] = {name: [] for name in READERS if name != "dicom"}
        """Files of the formats that are scanned together at the end."""
        self.listings: list[Listing] = []
        self._dicom: Any = None
        self._found = found
        self._due = time.perf_counter() + FIRST_WORD_S
        from viewer.io.dicom import parse, siblings

        self._headers = siblings.Siblings()
        self._beginning = parse.Beginning

    def look_at(self, path: Path) -> bool:
        """Sniff one file and, if it is DICOM, read its header: whether it is done with. A bad file is refused and never raises."""
        gathered = self.gathered
        try:
            seen = self._look(path)
        except (NegatoscopeError, OSError) as error:
            reason = (
                sentence_of(error)
                if isinstance(error, NegatoscopeError)
                else _("{name}: {reason}.").format(name=harmless(path.name), reason=because(error))
            )
            gathered.refused.append(Refusal(path, reason))
            return True
        if seen is None:
            if path in gathered.named or path.name.lower().endswith(ENDINGS):
                gathered.refused.append(Refusal(path, why_not(path)))
            else:
                gathered.skipped.append(path)
        elif isinstance(seen, str):
            self.waiting[seen].append(path)
            return False
        else:
            if self._dicom is None:
                from viewer.io.dicom.index import Scan

                self._dicom = Scan()
            self._dicom.add(seen)
        if self._found is not None and time.perf_counter() >= self._due:
            self.offer()
        return True

    def _look(self, path: Path) -> Header | str | None:
        """The header of a DICOM file, the reader's name of another image, None of what is none."""
        name = str(path)
        try:
            known = remembered.recall(name)
        except (OSError, ValueError):
            known = None
        if known is not None:
            return cast("Header", known)
        descriptor, state = open_descriptor(path)
        try:
            head = os.read(descriptor, self._headers.first_bytes)
            reader = reader_of(head, lambda: inflated_head(path))
            if reader != "dicom":
                return reader
            header = self._headers.read(path, self._beginning(descriptor, state, head))
        finally:
            os.close(descriptor)
        remembered.keep(name, state, header)
        return header

    def all_listings(self) -> list[Listing]:
        return [self._dicom.listing(), *self.listings] if self._dicom is not None else self.listings

    def offer(self) -> None:
        """Show what there is so far."""
        if self._found is None:
            return
        start = time.perf_counter()
        self._found(_merge(self.gathered, self.all_listings(), is_final=False))
        now = time.perf_counter()
        self._due = now + max(NEXT_WORD_S, 4 * (now - start))


def load(entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """All voxels of an entry, plane by plane through ``stream`` too. Raises a NegatoscopeError that names the file."""
    try:
        _must_have_pixels(entry)
        volume = _reader(entry.reader).load(entry, pool=pool, progress=progress, stream=stream)
        return archive.volume_named_as_inside(volume) if entry.archive else volume
    except NegatoscopeError as error:
        archive.name_as_inside(error)
        raise
    finally:
        if stream is not None:
            stream.end()


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
    """One plane of one phase, as a volume of one plane in its right place."""
    try:
        _must_have_pixels(entry)
        if not (0 <= plane < entry.shape[0] and 0 <= phase < entry.phases):
            raise ValueError(f"plane {plane}, phase {phase} of {entry.shape[0]} planes, {entry.phases} phases")
        return _reader(entry.reader).load_plane(entry, plane, phase, pool=pool)
    except NegatoscopeError as error:
        archive.name_as_inside(error)
        raise


def _merge(found: Gathered, listings: Sequence[Listing], *, is_final: bool) -> Listing:
    order = {str(path): number for number, path in enumerate(found.files)}
    last = len(order)
    series = [entry for listing in listings for entry in listing.series]
    series.sort(key=lambda entry: min((order.get(str(path), last) for path in entry.files), default=last))
    refused = [*found.refused, *(refusal for listing in listings for refusal in listing.refused)]
    refused.sort(key=lambda refusal: order.get(str(refusal.path), -1))
    skipped = [*found.skipped, *(path for listing in listings for path in listing.skipped)]
    if skipped:
        used = {path for entry in series for path in entry.files}
        skipped = [path for path in skipped if path not in used]
    if is_final:
        series = _with_neighbours(found, series, refused)
        refused += _without_images(found, series, refused)
    return containers.named_as_inside(Listing(tuple(_unique(series)), tuple(refused), tuple(skipped)))


def _with_neighbours(found: Gathered, series: list[SeriesEntry], refused: list[Refusal]) -> list[SeriesEntry]:
    """The entries, each with a note on the files of its folder that could not be read: they may have been part of it."""
    beside = Counter(refusal.path.parent for refusal in refused if refusal.path not in found.named)
    notes = {folder: _neighbours(count) for folder, count in beside.items()}
    return [replace(entry, notes=(*entry.notes, notes[folder])) if (folder := _folder_of(entry)) in notes else entry for entry in series]


def _folder_of(entry: SeriesEntry) -> Path | None:
    return entry.files[0].parent if entry.files else None


def _neighbours(count: int) -> Note:
    return Note(
        "ignored",
        ngettext(
            "{count} file of the same folder could not be read and may be missing here; it is listed with its reason.",
            "{count} files of the same folder could not be read and may be missing here; they are listed with their reasons.",
            count,
        ),
        is_warning=True,
    )


def _without_images(found: Gathered, series: list[SeriesEntry], refused: list[Refusal]) -> list[Refusal]:
    """A word on each given folder of which nothing was used or refused."""
    said = []
    for folder, count in found.folders:
        answered = chain((path for entry in series for path in entry.files), (refusal.path for refusal in refused))
        if any(path == folder or folder in path.parents for path in answered):
            continue
        name = harmless(str(folder))
        reason = (
            _("{name}: there are {count} files in this folder, and none is an image.").format(name=name, count=count)
            if count
            else _("{name}: the folder is empty.").format(name=name)
        )
        said.append(Refusal(folder, reason))
    return said


def _unique(series: list[SeriesEntry]) -> Iterator[SeriesEntry]:
    """Copies of one file in several folders get a number behind their id."""
    known: dict[str, int] = {}
    for entry in series:
        known[entry.id] = known.get(entry.id, 0) + 1
        yield entry if known[entry.id] == 1 else replace(entry, id=f"{entry.id}-{known[entry.id]}")


def _after(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    report: Callable[[int, int], None] = progress
    return lambda number, _: report(done + number, total)


def _reader(name: str) -> Reader:
    if name not in READERS:
        raise ValueError(f"no reader {name}")
    return cast(Reader, importlib.import_module(f"viewer.io.{name}"))


def _must_have_pixels(entry: SeriesEntry) -> None:
    if entry.kind == "other":
        name = harmless(entry.files[0].name) if entry.files else entry.title
        raise UnreadableFile(_("{name}: {title} has no picture that can be shown.").format(name=name, title=entry.title or _("this object")))
