"""ZIP archives, opened like folders: the images in them are unpacked into a private folder under names of our own.

No member's name ever becomes a path. The folder is for the user alone, goes when the process ends, and is swept at the next
start if the process did not get to it.
"""

from __future__ import annotations

import atexit
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import platformdirs

from viewer.core.errors import NegatoscopeError, OperationCancelled, TooLarge, UnreadableFile
from viewer.core.sentence import Sentence, sentence_of
from viewer.core.volume import Volume
from viewer.core.words import _, ngettext
from viewer.io import beside, gate, zip_members
from viewer.io.beside import because, open_regular
from viewer.io.gate import amount, harmless
from viewer.io.series import Refusal, SeriesEntry
from viewer.io.zip_members import Member

HEAD = 4096
DISK_RESERVE = 256 << 20
_HEADERS = (".hdr", ".mhd", ".nhdr", ".hdr.gz")
_SIDE_FILES = (".raw", ".zraw", ".img", ".img.gz", ".raw.gz")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar")
_DOCUMENTS = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".jar")
# All that is kept of a member's name.
_ENDINGS = (
    ".nii.gz", ".nii", ".hdr.gz", ".img.gz", ".hdr", ".img", ".raw.gz", ".raw", ".zraw", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgz", ".mgh",
    ".dcm", ".ima", ".png", ".jpg", ".jpeg", ".tif", ".tiff",
)  # fmt: skip
_OWN_NAME = re.compile(r"member-\d{6}-[0-9a-f]{8}[.a-z]*")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of an archive."""

    archive: Path
    folder: Path
    files: tuple[Path, ...]
    """In the order of the archive's table of contents."""
    names: Mapping[str, str]
    """Of each file's own name, the member's name as it may be shown."""
    refused: tuple[Refusal, ...]
    skipped: int
    """Members that are no images."""


_lock = threading.Lock()
_unpacked: dict[tuple[str, int, int], Unpacked] = {}
_home: Path | None = None
_home_lock: BinaryIO | None = None
_names: dict[str, tuple[str, str]] = {}
"""Of each own name: the archive's name and the member's."""


def unpack(path: Path, is_image: Callable[[bytes, str], bool], *, progress: Callable[[], None] | None = None) -> Unpacked:
    """Take the images out of an archive; once for as long as the file stays as it is.

    Parameters
    ----------
    path : Path
        The archive.
    is_image : callable
        Whether a member is worth unpacking, by its first 4096 bytes and its harmless ending.
    progress : callable, optional
        Called between members; may raise OperationCancelled.

    Raises
    ------
    UnreadableFile, UnsupportedFeature
        The archive as a whole is damaged or of a kind that is not read.
    TooLarge
        It has too many members, or its images are more than the memory budget or the disk takes.
    """
    with open_regular(path) as file:
        facts = os.fstat(file.fileno())
        key = (os.path.realpath(path), facts.st_size, facts.st_mtime_ns)
        with _lock:
            known = _unpacked.get(key)
            if known is not None and all(f.exists() for f in known.files):
                return known
            found = _unpack(file, path, is_image, progress or (lambda: None))
            _unpacked[key] = found
            return found


def spoken(text: str) -> str:
    """A sentence with the archive's and the member's name in place of our own file's."""

    def name(match: re.Match[str]) -> str:
        archive, member = _names.get(match[0], ("", ""))
        return f"{archive}: {member}" if archive else match[0]

    if "member-" not in text:
        return text
    return text.with_texts(spoken) if isinstance(text, Sentence) else _OWN_NAME.sub(name, text)


def named_as_inside(entry: SeriesEntry) -> SeriesEntry:
    """An entry of unpacked files under the names that its members have, with the archive that they came from."""
    of = _origin(entry.files[0]) if entry.files else None
    if of is None:
        return entry
    title = entry.title
    for path in entry.files:  # a title that was made from our own name becomes one made from the member's
        own = path.name[: -len(_ending(path.name))] if _ending(path.name) else path.name
        if own and own in title:
            member = of.names[path.name].rsplit("/", 1)[-1]
            title = title.replace(own, member[: -len(_ending(member))] if _ending(member) else member)
    warnings = tuple(spoken(text) for text in entry.warnings)
    notes = tuple(replace(note, text=spoken(note.text)) for note in entry.notes)
    return replace(entry, title=title, warnings=warnings, notes=notes, archive=of.archive)


def refusal_named_as_inside(refusal: Refusal) -> Refusal:
    """The same for what could not be used; it is the archive that was given."""
    of = _origin(refusal.path)
    return refusal if of is None else Refusal(of.archive, spoken(refusal.reason))


def _origin(path: Path) -> Unpacked | None:
    return next((found for found in tuple(_unpacked.values()) if found.files and path.parent == found.folder), None)


def volume_named_as_inside(volume: Volume) -> Volume:
    """The same for what loading an entry has to say."""
    warnings = tuple(spoken(text) for text in volume.warnings)
    notes = tuple(replace(note, text=spoken(note.text)) for note in volume.notes)
    return volume if (warnings, notes) == (volume.warnings, volume.notes) else replace(volume, warnings=warnings, notes=notes)


def name_as_inside(error: NegatoscopeError) -> None:
    """Put the member's name into an error's sentence."""
    error.args = (spoken(sentence_of(error)), *error.args[1:])


def sweep() -> None:
    """Remove what processes that are gone have left behind. Never raises: it is housekeeping."""
    base = _base()
    try:
        places = list(base.iterdir())
    except OSError:
        return
    for place in places:
        if place.suffix == ".lock" or place == _home:
            continue
        lock = place.with_suffix(".lock")
        try:
            with lock.open("rb+") as file:
                if not _take(file):
                    continue  # its owner lives
                shutil.rmtree(place, ignore_errors=True)
                lock.unlink(missing_ok=True)
        except OSError:
            shutil.rmtree(place, ignore_errors=True)  # without a lock it has no owner
    for place in places:
        if place.suffix == ".lock" and place.with_suffix("") not in places:
            try:
                with place.open("rb+") as file:
                    if _take(file):
                        place.unlink(missing_ok=True)
            except OSError:
                continue


def forget() -> None:
    """Remove everything that this process has unpacked; what is open from it cannot be read again."""
    global _home, _home_lock
    with _lock:
        _unpacked.clear()
        _names.clear()
        if _home is not None:
            beside.stand_ins.clear()
            beside.own_names.clear()
            shutil.rmtree(_home, ignore_errors=True)
            _home.with_suffix(".lock").unlink(missing_ok=True)
        if _home_lock is not None:
            _home_lock.close()
        _home = _home_lock = None


# --- inside --------------------------------------------------------------------------------------------------------


def _unpack(file: BinaryIO, path: Path, is_image: Callable[[bytes, str], bool], progress: Callable[[], None]) -> Unpacked:
    name = harmless(path.name)
    refused: list[Refusal] = []
    members = list(_openable(zip_members.members(file, path), path, refused))
    wanted, skipped = [], 0
    for member in members:
        progress()
        try:
            if _is_wanted(file, member, members, path, is_image, refused):
                wanted.append(member)
            else:
                skipped += 1
        except NegatoscopeError as error:
            refused.append(Refusal(path, sentence_of(error)))
    total = sum(member.size for member in wanted)
    if total > gate.limit():
        words = _("{name}: its images need {size} when unpacked, {free} is free to use, the limit is {limit}.")
        raise TooLarge(words.format(name=name, size=amount(total), free=amount(gate.free()), limit=amount(gate.limit())))
    folder = _own_folder(name, total) if wanted else Path()
    files: dict[Path, Member] = {}
    try:
        for member in wanted:
            progress()
            target = folder / _own_name(member, path)
            try:
                _write(target, zip_members.pieces(file, member, path))
            except FileExistsError:
                refused.append(_refusal(path, member, _("another member has the same name but for capitals")))
                continue
            except NegatoscopeError as error:
                target.unlink(missing_ok=True)
                refused.append(Refusal(path, sentence_of(error)))
                continue
            files[target] = member
    except (OperationCancelled, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise UnreadableFile(_("{name}: it could not be unpacked ({reason}).").format(name=name, reason=because(error))) from error
        raise
    for target, member in files.items():
        _names[target.name] = (name, member.shown)
        beside.own_names[target.name] = member.shown.rsplit("/", 1)[-1]
    if files:
        beside.stand_ins[str(folder)] = _finder(files)
    if not files and not refused:
        refused.append(Refusal(path, _nothing_inside(name, skipped, members)))
    return Unpacked(path, folder, tuple(files), {f.name: m.shown for f, m in files.items()}, tuple(refused), skipped)


def _finder(files: Mapping[Path, Member]) -> Callable[[str, str], Path | None]:
    """What a header's text names, found by the members' names; never a way out, because nothing is looked up on the disk."""
    by_name = {member.name.lower(): path for path, member in files.items()}
    folders = {path.name: _place_of(member.name) for path, member in files.items()}
    return lambda header, named: by_name.get((folders.get(header, "") + named.replace("\\", "/")).lower())


def _openable(members: list[Member], path: Path, refused: list[Refusal]) -> Iterator[Member]:
    """The members whose bytes may be looked at; of two of one name the last, as most programs have it."""
    last = {member.name: member.number for member in members}
    for member in members:
        if member.is_folder:
            continue
        if last[member.name] != member.number:
            reason = _("there are two members of this name; the last one counts")
        else:
            reason = zip_members.why_not(member)
        if reason:
            refused.append(_refusal(path, member, reason))
        else:
            yield member


def _is_wanted(
    file: BinaryIO, member: Member, members: list[Member], path: Path, is_image: Callable[[bytes, str], bool], refused: list[Refusal]
) -> bool:
    lower = member.name.lower()
    if lower.endswith(_SIDE_FILES):  # voxels without a header: wanted where a header lies beside them or above
        return any(m.name.lower().endswith(_HEADERS) and lower.startswith(_place_of(m.name.lower())) for m in members)
    if member.size == 0:
        return False
    head = zip_members.head(file, member, HEAD, path)
    if is_image(head, _ending(member.name)):
        return True
    if lower.endswith(_ARCHIVES) or (zip_members.is_zip(head) and not lower.endswith(_DOCUMENTS)):
        refused.append(_refusal(path, member, _("it is an archive inside an archive, which is not opened; unpack it first")))
    return False


def _refusal(path: Path, member: Member, reason: str) -> Refusal:
    return Refusal(path, _("{name}: {member}: {reason}.").format(name=harmless(path.name), member=member.shown, reason=reason))


def _place_of(name: str) -> str:
    """The folder part of a member's name, with its slash."""
    return name[: name.rfind("/") + 1]


def _ending(name: str) -> str:
    return next((ending for ending in _ENDINGS if name.lower().endswith(ending) and len(name) > len(ending)), "")


def _own_name(member: Member, path: Path) -> str:
    """A name that says nothing but the member's number, the same at every unpacking: ids are made of it.

    A header and its voxels (.hdr and .img) get one name with two endings.
    """
    import hashlib

    stem = member.name[: len(member.name) - len(_ending(member.name))]
    ending = _ending(member.name)
    pair = ending in (".hdr", ".img", ".hdr.gz", ".img.gz")
    mark = hashlib.sha256(f"{path.name}|{stem.lower() if pair else member.name}".encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"member-{0 if pair else member.number:06d}-{mark}{ending}"


def _write(target: Path, pieces: Iterator[bytes]) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for piece in pieces:
            out.write(piece)


def _nothing_inside(name: str, skipped: int, members: list[Member]) -> str:
    if any(member.name == "[Content_Types].xml" for member in members):
        return _("{name}: it is an office document, not an image.").format(name=name)
    if not skipped:
        return _("{name}: the archive is empty.").format(name=name)
    found = ngettext("there is {count} file", "there are {count} files", skipped)
    return _("{name}: {found} in this archive, and none is an image.").format(name=name, found=found)


def _base() -> Path:
    return Path(platformdirs.user_cache_dir("negatoscope", appauthor=False)) / "unpacked"


def _own_folder(name: str, total: int) -> Path:
    """A new folder in this process's own, with room for ``total`` bytes."""
    global _home, _home_lock
    try:
        if _home is None or not _home.is_dir():
            sweep()
            if _home_lock is not None:
                _home_lock.close()
            _home, _home_lock = _new_home()
            atexit.register(forget)
        free = shutil.disk_usage(_home).free
        if total + DISK_RESERVE > free:
            words = _("{name}: its images need {size} when unpacked, {free} is free on the disk of {folder}.")
            raise TooLarge(words.format(name=name, size=amount(total), free=amount(free), folder=harmless(str(_home.parent))))
        folder = _home / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise UnreadableFile(_("{name}: it could not be unpacked ({reason}).").format(name=name, reason=because(error))) from error
    return folder


def _new_home() -> tuple[Path, BinaryIO]:
    """The folder of this process and the lock that says that its owner lives; the system frees it when the process ends, however it ends."""
    base = _base()
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    while True:
        place = base / secrets.token_hex(8)
        lock = place.with_suffix(".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        file: BinaryIO = os.fdopen(descriptor, "rb+")
        # Another process may sweep between the two: then the lock is not where it was made, and a new one is taken.
        if _take(file) and lock.exists():
            place.mkdir(mode=0o700)
            return place, file
        file.close()


def _take(file: BinaryIO) -> bool:
    """Take the lock of an open file; False if another process has it."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
