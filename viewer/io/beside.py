"""The one way to a file that another file names, and to any file that is to be read: regular files only, never outside."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io.gate import harmless

# A pipe must not be waited for.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")

stand_ins: dict[str, Callable[[str, str], Path | None]] = {}
"""Of a folder of files that go under other names than their own (an unpacked archive): finds what a header there names."""


own_names: dict[str, str] = {}
"""Of unpacked files, by the name that we gave them: the last part of the member's name."""


def real_name(path: Path) -> str:
    """The name that a file has where it comes from: of an unpacked one that of the member."""
    return own_names.get(path.name) or path.resolve().name


def resolve(header: Path, named: str) -> Path:
    """The file that a header names, which must lie in the header's folder or below; refused without opening it otherwise.

    Raises
    ------
    UnreadableFile
        The name is absolute, climbs out (``..`` or a link), is a device or a stream, or the file is not there.
    """
    real = check_inside(header, named)
    name, what = harmless(header.name), harmless(named)
    stand_in = stand_ins.get(str(header.parent))
    if stand_in is not None and (found := stand_in(header.name, named)) is not None:
        return found
    if not os.path.exists(real):
        raise UnreadableFile(_('{name}: it names the data file "{what}", which is not there. Put it beside the header.').format(name=name, what=what))
    return Path(real)


def check_inside(header: Path, named: str) -> str:
    """The real path of what a header names, there or not. Raises UnreadableFile where it leads out of the header's folder."""
    name, what = harmless(header.name), harmless(named)
    folder = os.path.realpath(header.parent)
    parts = named.replace("\\", "/").split("/")
    refused = _(
        '{name}: it names the data file "{what}", which lies outside its folder. Such files are not opened; put the data beside the header.'
    ).format(name=name, what=what)
    if not named.strip() or any(not c.isprintable() for c in named):
        raise UnreadableFile(_('{name}: it names the data file "{what}", which is no name of a file.').format(name=name, what=what))
    windows = PureWindowsPath(named)
    if os.path.isabs(named) or windows.drive or windows.root or ":" in named or any(_DEVICES.fullmatch(part) for part in parts):
        raise UnreadableFile(refused)
    try:
        real = os.path.realpath(os.path.join(folder, *parts))
        inside = os.path.commonpath((folder, real)) == folder
    except (OSError, ValueError):
        raise UnreadableFile(refused) from None
    if not inside:
        raise UnreadableFile(refused)
    return real


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a folder, pipe or device is refused, and every failure is a sentence.

    Raises
    ------
    UnreadableFile
        It is not there, may not be read, or is no regular file.
    """
    return os.fdopen(open_descriptor(path)[0], "rb")


def open_descriptor(path: Path) -> tuple[int, os.stat_result]:
    """The same as an open descriptor, which the caller closes, with the file's state."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise UnreadableFile(_("{name}: {reason}.").format(name=harmless(path.name or str(path)), reason=because(error))) from error
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        raise UnreadableFile(_("{name}: it is not an ordinary file and was not read.").format(name=harmless(path.name or str(path))))
    return descriptor, state


def because(error: Exception) -> str:
    """Why the system would not open something, in words."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT:
        return _("there is no such file or folder")
    if code in (errno.EACCES, errno.EPERM):
        return _("it may not be read (no permission)")
    if code == errno.ENAMETOOLONG:
        return _("its name is too long")
    reason = error.strerror if isinstance(error, OSError) else None
    return _("it could not be read ({reason})").format(reason=reason or error)
