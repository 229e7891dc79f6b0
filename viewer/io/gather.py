"""Which files lie under the paths that were given: in order, each once, never outside a folder by a link."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from viewer.core.words import _
from viewer.io.beside import because
from viewer.io.gate import harmless
from viewer.io.series import Refusal

_OFTEN = 1024


@dataclass(slots=True)
class Gathered:
    """Files in order; those named directly are answered for one by one."""

    files: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    folders: list[tuple[Path, int]] = field(default_factory=list)
    """Folder, and how many files it holds."""
    refused: list[Refusal] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)


def gather(paths: Sequence[Path], *, counted: Callable[[int], None] | None = None) -> Gathered:
    """The regular files under some paths; nothing is opened. ``counted`` is told now and then how many there are so far."""
    found = Gathered()
    # The same file twice (named and in a folder, or by a link) counts once.
    known: set[str] = set()
    for path in paths:
        name = harmless(str(path))
        try:
            mode = os.stat(path).st_mode
            real = os.path.realpath(path)
        except (OSError, ValueError) as error:
            found.refused.append(Refusal(path, _("{name}: {reason}.").format(name=name, reason=because(error))))
            continue
        if stat.S_ISDIR(mode):
            before = len(found.files)
            for file, place in _walk(path, real, found):
                if place not in known:
                    known.add(place)
                    found.files.append(file)
                    if counted and len(found.files) % _OFTEN == 0:
                        counted(len(found.files))
            found.folders.append((path, len(found.files) - before))
        elif real not in known:
            known.add(real)
            found.files.append(path)
            found.named.add(path)
        else:
            found.named.add(path)
    return found


def _walk(top: Path, real_top: str, found: Gathered) -> Iterator[tuple[Path, str]]:
    """Regular files below a folder and their real places: sorted, a folder's own files first; linked ones only where the link stays inside."""
    waiting = [(top, real_top)]
    while waiting:
        folder, real = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                inside = sorted(listed, key=_name)
        except OSError as error:
            found.refused.append(Refusal(folder, _("{name}: {reason}.").format(name=harmless(str(folder)), reason=because(error))))
            continue
        below = []
        for entry in inside:
            name = entry.name
            path = folder / name
            try:
                if entry.is_file(follow_symlinks=False):
                    yield path, f"{real}{os.sep}{name}"
                elif entry.is_dir(follow_symlinks=False):
                    below.append((path, f"{real}{os.sep}{name}"))
                elif (aim := _linked_file(path, real_top)) is not None:
                    yield path, aim
                elif not entry.is_dir():
                    found.skipped.append(path)
            except (OSError, ValueError):
                found.skipped.append(path)
        waiting.extend(reversed(below))


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _linked_file(path: Path, top: str) -> str | None:
    """The real place of a linked regular file that lies below ``top``; None for all else."""
    if not path.is_symlink():
        return None
    real = os.path.realpath(path)
    inside = os.path.commonpath((top, real)) == top
    return real if inside and stat.S_ISREG(os.stat(real).st_mode) else None
