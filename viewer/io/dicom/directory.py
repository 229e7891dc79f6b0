"""DICOMDIR, the table of contents of a disc: which files it names, and which of them are there (CONVENTIONS D03).

Source: PS3.3 Annex F, PS3.10 section 8. The files are found by their names alone; where they lie in patients and studies is
read from the files themselves, which cannot disagree with themselves.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from viewer.core.errors import UnreadableFile
from viewer.core.words import _, ngettext
from viewer.io import beside, gate
from viewer.io.beside import open_regular
from viewer.io.dicom import elements
from viewer.io.dicom.quiet import collected

SIZE_LIMIT = 64 << 20
NAMED_LIMIT = 3
RECORDS, REFERENCE = 0x00041220, 0x00041500


@dataclass(frozen=True, slots=True)
class Directory:
    """What a DICOMDIR names."""

    path: Path
    files: tuple[Path, ...]
    """Those that are there, each once, in its order."""
    missing: tuple[str, ...]
    """Names of those that are not, harmless."""
    refused: tuple[str, ...]
    """Names that lead out of its folder: not looked for."""

    @property
    def complaint(self) -> str:
        """What is missing, in a sentence; "" where all is there."""
        count = len(self.files) + len(self.missing) + len(self.refused)
        if len(self.files) == count:
            return ""
        text = _("{name}: {there} of {count} files named in it are there").format(
            name=gate.harmless(self.path.name), there=len(self.files), count=count
        )
        if self.missing:
            shown = ", ".join(self.missing[:NAMED_LIMIT]) + (" …" if len(self.missing) > NAMED_LIMIT else "")
            text = _("{text}; missing: {shown}").format(text=text, shown=shown)
        if self.refused:
            words = ngettext(
                "{count} name leads out of its folder and was not followed",
                "{count} names lead out of its folder and were not followed",
                len(self.refused),
            )
            text = _("{text}; {words}").format(text=text, words=words)
        return _("{text}.").format(text=text)


def read(path: Path) -> Directory:
    """The files that a DICOMDIR names, found below its folder whatever the capitals.

    Raises
    ------
    UnreadableFile
        It is no DICOM file, or cannot be understood.
    """
    names = list(dict.fromkeys(_names(path)))
    finder = _Finder(path)
    files: dict[Path, None] = {}
    missing, refused = [], []
    for parts in names:
        shown = gate.harmless("/".join(parts))
        try:
            files[finder.find(parts)] = None
        except FileNotFoundError:
            missing.append(shown)
        except UnreadableFile:
            refused.append(shown)
    return Directory(path, tuple(files), tuple(missing), tuple(refused))


class _Finder:
    """Finds names below a folder whatever their capitals; each folder is listed once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listed: dict[Path, dict[str, str]] = {}

    def find(self, parts: tuple[str, ...]) -> Path:
        """Raises FileNotFoundError, and UnreadableFile for what leads out."""
        beside.check_inside(self._directory, "/".join(parts))
        place = self._directory.parent
        for part in parts:
            there = self._there(place)
            # ISO 9660 discs copied by old systems: IM1. and IM1;1
            found = next((there[n] for n in (part.lower(), f"{part.lower()}.", f"{part.lower()};1") if n in there), None)
            if found is None:
                raise FileNotFoundError(part)
            place = place / found
        beside.check_inside(self._directory, str(place.relative_to(self._directory.parent)))
        if not place.is_file():
            raise FileNotFoundError(place)
        return place

    def _there(self, folder: Path) -> dict[str, str]:
        if folder not in self._listed:
            try:
                names = sorted(os.listdir(folder), reverse=True)
            except OSError:
                names = []
            self._listed[folder] = {name.lower(): name for name in names}
        return self._listed[folder]


def _names(path: Path) -> list[tuple[str, ...]]:
    """The parts of each ReferencedFileID, in the order of the records."""
    from viewer.io.dicom.library import dcmread

    name = gate.harmless(path.name)
    with open_regular(path) as file:
        content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise UnreadableFile(_("{name}: a table of contents of more than {limit} is none.").format(name=name, limit=gate.amount(SIZE_LIMIT)))
    try:
        with collected():
            dataset = dcmread(io.BytesIO(content), stop_before_pixels=True, force=True)
        found = [elements.texts(item, REFERENCE) for item in elements.items(dataset, RECORDS)]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as err:
        # Parsers of hostile bytes fail in every way there is (RELIABILITY choice 4).
        reason = elements.harmless(str(err))[:160] or type(err).__name__
        raise UnreadableFile(_("{name}: its DICOM header cannot be understood ({reason}).").format(name=name, reason=reason)) from err
    return [parts for parts in found if any(parts)]
