"""The members of a ZIP archive: its table of contents, and each member's bytes, streamed and never beyond what was said.

The table is read here and not by :mod:`zipfile`, which makes a Python object of each of a million members before anyone
is asked, and inflates some methods without a limit. Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3 and 4.5.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from viewer.core.errors import TooLarge, UnreadableFile, UnsupportedFeature
from viewer.core.words import _, ngettext
from viewer.io.gate import amount, harmless

MEMBERS_LIMIT = 100_000
MEMBER_BYTES_LIMIT = 4 << 30
# A table of 100,000 members with long names takes about 30 MB.
TABLE_LIMIT = 64 << 20
RATIO_FREE_BYTES = 10 << 20
RATIO_LIMIT = 200
PIECE = 1 << 20
_STORED, _DEFLATED = 0, 8
_METHODS = {
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 9: "Deflate64", 12: "BZip2", 14: "LZMA", 20: "Zstandard",
    93: "Zstandard", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES",
}  # fmt: skip
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@dataclass(frozen=True, slots=True)
class Member:
    """A line of the table of contents. Its name is for the eye and for comparing, never a path."""

    number: int
    """In the table's order, from 1."""
    name: str
    """As stored, with ``/`` between the parts."""
    method: int
    flags: int
    crc: int
    stored: int
    """Bytes in the archive."""
    size: int
    """Bytes when inflated, as the table says; nothing beyond is ever inflated."""
    place: int
    """First byte of its own header in the file."""
    is_link: bool

    @property
    def shown(self) -> str:
        return harmless(self.name)

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/") and self.size == 0


def is_zip(head: bytes) -> bool:
    """Whether the first bytes are those of a ZIP archive (an empty one too)."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def members(file: BinaryIO, path: Path) -> list[Member]:
    """The table of contents.

    Raises
    ------
    UnreadableFile
        There is no table, it is cut short, or members lie over each other.
    TooLarge
        It has more than 100,000 members, or is larger than any honest table.
    UnsupportedFeature
        The archive is one of several parts, or its table is encrypted.
    """
    name = harmless(path.name)
    count, length, start, shift = _end_of_table(file, name)
    if count > MEMBERS_LIMIT:
        raise _too_many(name, count)
    if length > TABLE_LIMIT:
        raise TooLarge(_("{name}: its table of contents takes {size}; that is no archive of images.").format(name=name, size=amount(length)))
    file.seek(start + shift)
    table = file.read(length)
    found: list[Member] = []
    place = 0
    while place < length:
        if len(found) == MEMBERS_LIMIT:
            raise _too_many(name, MEMBERS_LIMIT + 1)
        member, place = _member(table, place, len(found) + 1, shift, name)
        found.append(member)
    _lie_apart(found, start + shift, name)
    return found


def why_not(member: Member) -> str:
    """Why a member is not opened, "" where it is: half a sentence."""
    parts = member.name.split("/")
    if member.is_link:
        return _("it is a link to another place")
    if any(ord(c) < 32 for c in member.name):
        return _("its name holds control characters")
    if ".." in parts or member.name.startswith("/") or ":" in member.name or any(_DEVICES.fullmatch(part) for part in parts):
        return _("its name leads out of the archive")
    if member.flags & 1:
        return _("it is encrypted; unpack the archive with its password")
    if member.method not in (_STORED, _DEFLATED):
        method = _METHODS.get(member.method, str(member.method))
        return _("it is packed with the method {method}, which is not supported; unpack the archive").format(method=method)
    if member.size > MEMBER_BYTES_LIMIT:
        return _("it is said to hold {size}, the limit is {limit}").format(size=amount(member.size), limit=amount(MEMBER_BYTES_LIMIT))
    if member.size > RATIO_FREE_BYTES and member.size > RATIO_LIMIT * member.stored:
        words = _("{stored} claim to become {size}, more than {ratio} times as much; that is damaged or hostile")
        return words.format(stored=amount(member.stored), size=amount(member.size), ratio=RATIO_LIMIT)
    return ""


def pieces(file: BinaryIO, member: Member, path: Path) -> Iterator[bytes]:
    """A member's bytes in pieces of at most 1 MiB, checked against its length and checksum at the end.

    Raises
    ------
    UnreadableFile
        The data is damaged, or is not as long as the table of contents says.
    """
    label = f"{harmless(path.name)}: {member.shown}"
    given, crc = 0, 0
    for piece in _inflated(file, member, label):
        given += len(piece)
        if given > member.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if given != member.size:
        raise _other_length(label, member)
    if crc != member.crc:
        raise UnreadableFile(_("{label}: the checksum does not fit. The archive is damaged.").format(label=label))


def head(file: BinaryIO, member: Member, count: int, path: Path) -> bytes:
    """The first bytes of a member, without looking at the rest."""
    found, label = b"", f"{harmless(path.name)}: {member.shown}"
    for piece in _inflated(file, member, label, first=count):
        found += piece
        if len(found) >= count:
            break
    if len(found) < min(count, member.size):
        raise _other_length(label, member)
    return found[: min(count, member.size)]


def _other_length(label: str, member: Member) -> UnreadableFile:
    words = _("{label}: it does not hold {size} as the table of contents says. The archive is damaged.")
    return UnreadableFile(words.format(label=label, size=amount(member.size)))


def _inflated(file: BinaryIO, member: Member, label: str, *, first: int = PIECE) -> Iterator[bytes]:
    file.seek(member.place)
    own = file.read(30)
    if own[:4] != b"PK\x03\x04" or len(own) < 30:
        raise UnreadableFile(_("{label}: there is no member where the table of contents says. The archive is damaged.").format(label=label))
    name_length, extra_length = struct.unpack("<HH", own[26:30])
    place, end = member.place + 30 + name_length + extra_length, member.place + 30 + name_length + extra_length + member.stored
    engine = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == _DEFLATED else None
    waiting = b""
    step = max(first, 1 << 12)
    while True:
        if not waiting and place < end:
            file.seek(place)
            waiting = file.read(min(step, end - place))
            place += len(waiting)
            if not waiting:
                raise UnreadableFile(_("{label}: its data is cut short.").format(label=label))
        if engine is None:
            if not waiting:
                return
            yield waiting
            waiting = b""
            continue
        try:
            piece = engine.decompress(waiting, step)
        except zlib.error as error:
            raise UnreadableFile(_("{label}: its packed data is damaged.").format(label=label)) from error
        waiting = engine.unconsumed_tail
        if piece:
            yield piece
        if engine.eof or (not piece and not waiting and place >= end):
            return


def _end_of_table(file: BinaryIO, name: str) -> tuple[int, int, int, int]:
    """Number of members, length and place of the table, and what lies before the archive (0 but for self-extracting ones)."""
    size = file.seek(0, 2)
    tail_place = max(0, size - 22 - 65535)
    file.seek(tail_place)
    tail = file.read(22 + 65535)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0 and len(tail) - at < 22:
        at = tail.rfind(b"PK\x05\x06", 0, at)
    if at < 0:
        raise UnreadableFile(_("{name}: the archive is cut short; its table of contents, which comes last, is missing.").format(name=name))
    disk, table_disk, _here, count, length, start, _comment = struct.unpack_from("<4H2IH", tail, at + 4)
    end = tail_place + at
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        (place,) = struct.unpack_from("<Q", tail, at - 12)
        for candidate in (place, end - 20 - 56):  # where it says, or right before, if something was put in front of the archive
            if not 0 <= candidate <= size - 56:
                continue
            file.seek(candidate)
            record = file.read(56)
            if record[:4] == b"PK\x06\x06":
                disk, table_disk, _here, count, length, start = struct.unpack_from("<II4Q", record, 16)
                end = candidate
                break
        else:
            raise UnreadableFile(_("{name}: the archive's table of contents (ZIP64) is damaged.").format(name=name))
    if disk != table_disk or disk not in (0,):
        raise UnsupportedFeature(_("{name}: it is one part of an archive in several parts. Put them together first.").format(name=name))
    shift = end - length - start
    if shift < 0:
        raise UnreadableFile(_("{name}: the archive is damaged; its table of contents is not where it should be.").format(name=name))
    return count, length, start, shift


def _member(table: bytes, place: int, number: int, shift: int, name: str) -> tuple[Member, int]:
    damaged = UnreadableFile(_("{name}: the archive's table of contents is damaged at member {number}.").format(name=name, number=number))
    if table[place : place + 4] != b"PK\x01\x02" or len(table) - place < 46:
        if table[place : place + 4] in (b"PK\x06\x08", b"PK\x05\x05"):
            raise UnsupportedFeature(_("{name}: the archive's table of contents is encrypted or signed, which is not supported.").format(name=name))
        raise damaged
    (system, flags, method, crc, stored, size, name_length, extra_length, comment_length, attributes, offset) = struct.unpack_from(
        "<4xxBxxHH4x3I3H4xII", table, place
    )
    after = place + 46 + name_length
    end = after + extra_length + comment_length
    if end > len(table):
        raise damaged
    if flags & 0x2000:
        raise UnsupportedFeature(_("{name}: the archive's table of contents is encrypted, which is not supported.").format(name=name))
    size, stored, offset = _long_values(table[after : after + extra_length], size, stored, offset, damaged)
    raw = table[place + 46 : after]
    is_link = system == 3 and (attributes >> 16) & 0o170000 == 0o120000
    return Member(number, _name_of(raw, flags), method, flags, crc, stored, size, offset + shift, is_link), end


def _long_values(extra: bytes, size: int, stored: int, offset: int, damaged: UnreadableFile) -> tuple[int, int, int]:
    """ZIP64: the fields that are all ones stand in the extra field 0001, in this order."""
    if 0xFFFFFFFF not in (size, stored, offset):
        return size, stored, offset
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            values = list(struct.unpack_from(f"<{min(length, len(extra) - place - 4) // 8}Q", extra, place + 4))
            try:
                return tuple(values.pop(0) if value == 0xFFFFFFFF else value for value in (size, stored, offset))  # type: ignore[return-value]
            except IndexError:
                raise damaged from None
        place += 4 + length
    return size, stored, offset


def _name_of(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode("utf-8")  # what nearly all write, whether or not they say so
    except UnicodeDecodeError:
        name = raw.decode("utf-8", "replace") if flags & 0x800 else raw.decode("cp437")
    return name.replace("\\", "/")


def _lie_apart(found: list[Member], table: int, name: str) -> None:
    """Members that share their bytes are how a small archive becomes endless; none may reach into the next."""
    end = 0
    for member in sorted(found, key=lambda m: m.place):
        if member.place < end:
            raise UnreadableFile(
                _("{name}: its members lie over each other. The archive is damaged or hostile and was not opened.").format(name=name)
            )
        end = member.place + 30 + member.stored
    if end > table:
        raise UnreadableFile(_("{name}: the archive is damaged; a member reaches beyond its end.").format(name=name))


def _too_many(name: str, count: int) -> TooLarge:
    said = ngettext("{count} member", "{count} members", count)
    return TooLarge(_("{name}: the archive has {said} or more; the limit is {limit}.").format(name=name, said=said, limit=MEMBERS_LIMIT))
