"""Archives and discs' tables of contents among the paths that were given: in their place come the files that they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from viewer.core.errors import NegatoscopeError
from viewer.core.sentence import sentence_of
from viewer.io import archive, kinds, zip_members
from viewer.io.beside import open_regular
from viewer.io.gather import Gathered, gather
from viewer.io.series import Listing, Refusal

_DIRECTORY_CLASS = b"1.2.840.10008.1.3.10"


def expand(gathered: Gathered, *, progress: Callable[[], None] | None = None) -> None:
    """Put the files of archives and DICOMDIRs that were named in the place of these; say what of them is missing.

    Only what was named is opened so: an archive inside a folder is one file among others, and the files of a disc are found
    in its folder with or without its table of contents.
    """
    files: list[Path] = []
    named = gathered.named
    for path in gathered.files:
        try:
            if named and path in named:
                files.extend(_inside(path, gathered, progress))
                continue
            files.append(path)
            if path.name.upper() == "DICOMDIR":
                _look_into(path, gathered)
        except NegatoscopeError as error:
            gathered.refused.append(Refusal(path, sentence_of(error)))
    gathered.files[:] = dict.fromkeys(files) if named else files


def named_as_inside(listing: Listing) -> Listing:
    """The listing with the names that unpacked files have in their archives, and never our own."""
    series = tuple(archive.named_as_inside(entry) for entry in listing.series)
    return replace(listing, series=series, refused=tuple(archive.refusal_named_as_inside(refusal) for refusal in listing.refused))


def _inside(path: Path, gathered: Gathered, progress: Callable[[], None] | None) -> list[Path]:
    try:
        with open_regular(path) as file:
            head = file.read(kinds.HEAD)
    except NegatoscopeError:
        return [path]  # its reader says why
    if zip_members.is_zip(head):
        found = archive.unpack(path, _is_image, progress=progress)
        gathered.refused.extend(found.refused)
        gathered.skipped.extend([path] * found.skipped)
        return list(found.files)
    if head[128:132] == b"DICM" and _DIRECTORY_CLASS in head:
        there = _look_into(path, gathered)
        if there:
            return there
        aside = gather([path.parent])
        gathered.skipped.extend(aside.skipped)
        return [file for file in aside.files if file != path]
    return [path]


def _look_into(path: Path, gathered: Gathered) -> list[Path]:
    from viewer.io.dicom import directory

    found = directory.read(path)
    if found.complaint:
        gathered.refused.append(Refusal(path, found.complaint))
    return list(found.files)


def _is_image(head: bytes, _ending: str) -> bool:
    return kinds.reader_of(head, lambda: kinds.inflated_part(head)) is not None
