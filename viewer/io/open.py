"""The way in for files and folders: what is there (``find``), and its voxels (``load``, ``load_plane``).

Formats are told by content, never by the file's name alone. Links that lead out of a given folder are not followed.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from viewer.core.errors import NegatoscopeError, UnreadableFile
from viewer.core.volume import Volume
from viewer.io import inflate, metaimage, nifti, nrrd, picture_headers
from viewer.io.beside import because, open_regular
from viewer.io.gate import harmless
from viewer.io.series import Listing, Progress, Reader, Refusal, SeriesEntry
from viewer.io.stream import Stream
from viewer.jobs.pool import Pool

HEAD = 4096
READERS = ("dicom", "nifti", "nrrd", "metaimage", "pictures")
# A file with such a name that is none of these is worth a word even inside a folder.
_ENDINGS = (".dcm", ".ima", ".dicom", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
_SIDE_FILES = (".raw", ".zraw", ".img", ".img.gz")


@dataclass(slots=True)
class _Found:
    """Files in order; those named directly are answered for one by one."""

    files: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    folders: list[tuple[Path, int]] = field(default_factory=list)
    """Folder, and how many files it holds."""
    refused: list[Refusal] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)


def find(paths: Sequence[Path], *, progress: Progress | None = None, found: Callable[[Listing], None] | None = None) -> Listing:
    """Everything that can be opened under some files and folders. Reads headers only; never raises for bad input.

    Parameters
    ----------
    paths : files or folders
        Folders are searched recursively, in sorted order. A file that is named itself and is no image is refused with
        the reason; such a file inside a folder is only counted, unless its name says that it should be an image.
    progress : callable, optional
        Called with (done, total); may raise OperationCancelled.
    found : callable, optional
        Called now and then, on this thread, with what there is so far, so that a list can grow while a large folder is read.
        Entries of the same id take each other's place; only the returned listing is final.
    """
    gathered = _gather(paths)
    readers: dict[str, list[Path]] = {name: [] for name in READERS}
    total = 2 * len(gathered.files)
    for number, path in enumerate(gathered.files):
        if progress:
            progress(number, total)
        try:
            reader = sniff(path)
        except (NegatoscopeError, OSError) as error:
            reason = str(error) if isinstance(error, NegatoscopeError) else f"{harmless(path.name)}: {because(error)}."
            gathered.refused.append(Refusal(path, reason))
            continue
        if reader:
            readers[reader].append(path)
        elif path in gathered.named or path.name.lower().endswith(_ENDINGS):
            gathered.refused.append(Refusal(path, _why_not(path)))
        else:
            gathered.skipped.append(path)
    listings = []
    done = len(gathered.files)
    for name, files in readers.items():
        if files:
            listings.append(_reader(name).scan(files, progress=_after(progress, done, total)))
            done += len(files)
    listing = _merge(gathered, listings)
    if progress:
        progress(total, total)
    return listing


def load(entry: SeriesEntry, *, pool: Pool, progress: Progress | None = None, stream: Stream | None = None) -> Volume:
    """All voxels of an entry, plane by plane through ``stream`` too. Raises a NegatoscopeError that names the file."""
    _must_have_pixels(entry)
    try:
        return _reader(entry.reader).load(entry, pool=pool, progress=progress, stream=stream)
    finally:
        if stream is not None:
            stream.end()


def load_plane(entry: SeriesEntry, plane: int, phase: int, *, pool: Pool) -> Volume:
    """One plane of one phase, as a volume of one plane in its right place."""
    _must_have_pixels(entry)
    if not (0 <= plane < entry.shape[0] and 0 <= phase < entry.phases):
        raise ValueError(f"plane {plane}, phase {phase} of {entry.shape[0]} planes, {entry.phases} phases")
    return _reader(entry.reader).load_plane(entry, plane, phase, pool=pool)


def sniff(path: Path) -> str | None:
    """The reader that a file's content is for, None if it is no image."""
    from viewer.io import dicom

    with open_regular(path) as file:
        head = file.read(HEAD)
        if head[128:132] == b"DICM":  # first: the preamble may hold a TIFF header
            return "dicom"
        if picture_headers.format_of(head):
            return "pictures"
        if nrrd.looks_like(head):
            return "nrrd"
        if nifti.looks_like(head):
            return "nifti"
        if head[:2] == b"\x1f\x8b":
            return "nifti" if nifti.looks_like(_inflated_head(path)) else None
        if metaimage.looks_like(head):
            return "metaimage"
        return "dicom" if dicom.looks_like(head) else None


def _inflated_head(path: Path) -> bytes:
    with open_regular(path) as file:
        try:
            return next(inflate.pieces(file, "gzip", path=path), b"")[: nifti.LONGEST_HEADER]
        except UnreadableFile:
            if path.name.lower().endswith((".nii.gz", ".hdr.gz")):
                raise
            return b""


def _gather(paths: Sequence[Path]) -> _Found:
    found = _Found()
    for path in paths:
        name = harmless(str(path))
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            found.refused.append(Refusal(path, f"{name}: {because(error)}."))
            continue
        if stat.S_ISDIR(mode):
            before = len(found.files)
            found.files.extend(_walk(path, found))
            found.folders.append((path, len(found.files) - before))
        else:
            found.files.append(path)
            found.named.add(path)
    known: set[str] = set()
    # The same file twice (named and in a folder, or by a link) counts once.
    found.files = [path for path in found.files if (real := os.path.realpath(path)) not in known and not known.add(real)]  # type: ignore[func-returns-value]
    return found


def _walk(folder: Path, found: _Found) -> Iterator[Path]:
    """Regular files of a folder, sorted; linked ones only where the link stays inside."""
    root = os.path.realpath(folder)

    def unreadable(error: OSError) -> None:
        place = Path(error.filename or folder)
        found.refused.append(Refusal(place, f"{harmless(str(place))}: {because(error)}."))

    for where, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            try:
                mode = os.lstat(path).st_mode
                if stat.S_ISLNK(mode):
                    real = os.path.realpath(path)
                    mode = os.stat(real).st_mode if os.path.commonpath((root, real)) == root else 0
            except (OSError, ValueError):
                mode = 0
            if stat.S_ISREG(mode):
                yield path
            else:
                found.skipped.append(path)


def _why_not(path: Path) -> str:
    name = harmless(path.name)
    with open_regular(path) as file:
        head = file.read(HEAD)
    if not head:
        return f"{name}: the file is empty (0 bytes)."
    if path.name.lower().endswith(_SIDE_FILES):
        return f"{name}: it holds voxels without a header. Open the header beside it (.hdr, .mhd or .nhdr)."
    what = "a text file" if _is_text(head) else "no kind of file that is known here"
    return f"{name}: it is {what}, not an image (DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG or TIFF)."


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c.isspace() for c in text)


def _merge(found: _Found, listings: list[Listing]) -> Listing:
    order = {path: number for number, path in enumerate(found.files)}
    series = [entry for listing in listings for entry in listing.series]
    series.sort(key=lambda entry: min((order.get(path, len(order)) for path in entry.files), default=len(order)))
    refused = [*found.refused, *(refusal for listing in listings for refusal in listing.refused)]
    refused.sort(key=lambda refusal: order.get(refusal.path, -1))
    skipped = [*found.skipped, *(path for listing in listings for path in listing.skipped)]
    used = {path for entry in series for path in entry.files}
    skipped = [path for path in skipped if path not in used]
    for folder, count in found.folders:
        answered = [*used, *(refusal.path for refusal in refused)]
        if any(path == folder or folder in path.parents for path in answered):
            continue
        name = harmless(str(folder))
        reason = f"{name}: there are {count} files in this folder, and none is an image." if count else f"{name}: the folder is empty."
        refused.append(Refusal(folder, reason))
    return Listing(tuple(_unique(series)), tuple(refused), tuple(skipped))


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
        raise UnreadableFile(f"{name}: {entry.title or 'this object'} has no picture that can be shown.")
