"""The one way a file of the user's is written: whole or not at all, and never over another one unasked."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from viewer.core.errors import NegatoscopeError, SaveFailed
from viewer.core.words import _
from viewer.io.gate import harmless

Writer = Callable[[BinaryIO], None]
_RETRIES, _RETRY_SECONDS = 5, 0.2


def save_atomic(path: Path, writer: Writer | bytes, *, overwrite: bool = False, validate: Callable[[Path], None] | None = None) -> None:
    """Write a file so that at any moment there is the old one or the new one, whole.

    Parameters
    ----------
    path : Path
        Where to. A link is followed: the file behind it is replaced, not the link.
    writer : callable or bytes
        Writes the content to the open binary file that it is given; or the content.
    overwrite : bool
        Whether an existing file may be replaced.
    validate : callable, optional
        Looks at the finished temporary file and raises where it is not what it should be.

    Raises
    ------
    SaveFailed
        Nothing was written; what was there before is untouched.
    """
    name = harmless(path.name)
    target = ready_target(path, overwrite=overwrite)
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        _write(temporary, target, writer)
        if validate is not None:
            validate(temporary)
        if overwrite:
            _replace(temporary, target)
        else:
            _place(temporary, target, name)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, NegatoscopeError) or not isinstance(error, OSError):
            raise
        raise SaveFailed(
            _("{name}: it could not be saved: {reason}. What was there before is untouched.").format(name=name, reason=_because(error))
        ) from error
    _sync_folder(target.parent)


def ready_target(path: Path, *, overwrite: bool = False) -> Path:
    """The real path to write to; raises SaveFailed at once where saving cannot work, before any work is done."""
    name = harmless(path.name or str(path))
    try:
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise SaveFailed(
                _("{name}: the folder {folder} does not exist. Make it first, or choose another.").format(
                    name=name, folder=harmless(str(path.parent))
                )
            )
        if target.is_dir():
            raise SaveFailed(_("{name}: there is a folder of this name. Choose another name.").format(name=name))
        if os.path.lexists(target):
            if not overwrite:
                raise SaveFailed(_exists(name))
            if not stat.S_ISREG(os.stat(target).st_mode):
                raise SaveFailed(_("{name}: this is not an ordinary file and is not written to.").format(name=name))
    except (OSError, ValueError) as error:
        reason = _because(error) if isinstance(error, OSError) else harmless(str(error))
        raise SaveFailed(_("{name}: it cannot be saved there: {reason}.").format(name=name, reason=reason)) from error
    return target


def save_folder(path: Path, writer: Callable[[Path], None]) -> None:
    """Write several files as one folder: made beside under another name and renamed last; an existing folder is never merged into.

    ``writer`` gets the temporary folder and writes its files there (with :func:`save_atomic` or not).
    """
    import shutil

    name = harmless(path.name)
    target = Path(os.path.realpath(path))
    if os.path.lexists(target):
        raise SaveFailed(_("{name}: there is something of this name already. Choose a new name for the folder.").format(name=name))
    if not target.parent.is_dir():
        raise SaveFailed(
            _("{name}: the folder {folder} does not exist. Make it first, or choose another.").format(name=name, folder=harmless(str(path.parent)))
        )
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        temporary.mkdir()
        writer(temporary)
        _sync_folder(temporary)
        temporary.rename(target)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        raise SaveFailed(_("{name}: it could not be saved: {reason}.").format(name=name, reason=_because(error))) from error
    _sync_folder(target.parent)


def _exists(name: str) -> str:
    return _("{name}: this file exists already and was not touched. Choose another name, or allow it to be replaced (--force).").format(name=name)


def _write(temporary: Path, target: Path, writer: Writer | bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
        if isinstance(writer, bytes):
            file.write(writer)
        else:
            writer(file)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, _mode_for(target))


def _mode_for(target: Path) -> int:
    """The mode of the old file, else what the system gives a new one."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except OSError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def _place(temporary: Path, target: Path, name: str) -> None:
    """Never over a file that another program made in the meantime: a link is refused where there is one, a rename is not."""
    if os.path.lexists(target):
        raise SaveFailed(_exists(name))
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise SaveFailed(_exists(name)) from None
    except (OSError, NotImplementedError):
        _replace(temporary, target)  # a file system without hard links (FAT, some shares)
    else:
        os.unlink(temporary)


def _replace(temporary: Path, target: Path) -> None:
    for attempt in range(_RETRIES):
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            # Windows: another program holds the file; it may let go.
            if os.name != "nt" or attempt == _RETRIES - 1:
                raise
            time.sleep(_RETRY_SECONDS)


def _sync_folder(folder: Path) -> None:
    """The rename is safe from a power cut only when the folder is on the disk too; Windows has no such call."""
    if os.name == "nt":
        return
    with suppress(OSError):  # some network file systems refuse; the file itself is whole
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _because(error: OSError) -> str:
    words = {
        errno.ENOSPC: _("the disk is full"),
        errno.EDQUOT: _("the quota of the disk is used up"),
        errno.EACCES: _("there is no permission to write there"),
        errno.EPERM: _("there is no permission to write there"),
        errno.EROFS: _("the disk is read-only"),
        errno.EIO: _("the disk reports a fault"),
        errno.ENAMETOOLONG: _("the name is too long"),
    }
    return words.get(error.errno or 0, harmless(str(error.strerror or error)))
