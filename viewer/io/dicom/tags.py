"""All elements of one DICOM file, nested ones too, as rows to be listed: for looking into a file, not for reading images.

The walk is another than :mod:`viewer.io.dicom.walk`'s, which gives up where a file breaks the rules: this one goes on, in any
byte order, past damage and without a preamble. It allocates for nothing that a file claims, and stops at caps that it says.
Values stay bytes until a row is shown (:mod:`viewer.io.dicom.tag_words`).
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom import elements
from viewer.io.dicom.dictionary import dictionary_vr
from viewer.io.dicom.parse import looks_like, parse
from viewer.io.dicom.syntaxes import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT
from viewer.io.dicom.walk import LONG_VRS, PIXEL_TAGS, SHORT_VRS, UNDEFINED

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
MAX_DEPTH = 64
MAX_ROWS = 200_000
KEPT_BYTES = 64 << 10
"""So much of a value is kept; of the rest only its length."""
KEPT_IN_ALL = 64 << 20
_BLOCK = 256 << 10


@dataclass(frozen=True, slots=True)
class Element:
    """One row: an element, or an item of a sequence (``vr`` is then "")."""

    tag: int
    vr: str
    depth: int
    """0 for the file's own elements; an item lies one below its sequence, its elements one below it."""
    parent: int
    """Row of the sequence or item that it belongs to, -1 for none."""
    length: int
    """Bytes of the value; of encapsulated pixels those of all fragments, of sequences and items what lies between their marks."""
    value: bytes = b""
    """The first `KEPT_BYTES` of the value, as stored; none of sequences, items and pixels."""
    number: int = 0
    """Of an item: its place, from 1. Of a sequence: how many items it has. Of encapsulated pixels: how many fragments."""
    order: str = "<"
    encodings: tuple[str, ...] = ("latin-1",)
    creator: str = ""
    """Who owns a private tag."""

    @property
    def is_item(self) -> bool:
        return self.tag == ITEM

    @property
    def is_private(self) -> bool:
        return bool(self.tag >> 16 & 1)


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file holds, in its order, parents before what lies in them."""

    path: Path
    rows: tuple[Element, ...]
    notes: tuple[str, ...] = ()
    """Sentences on what was cut off, damaged or left out."""


def read_tags(path: Path) -> Tags:
    """Every element of a file but its pixels' bytes.

    Raises
    ------
    UnreadableFile
        It cannot be opened, is no DICOM file, or is deflated and damaged. Damage inside becomes a note.
    """
    name = gate.harmless(path.name)
    try:
        with path.open("rb", buffering=0) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise UnreadableFile(_("{name} is not a regular file and was not read.").format(name=name))
            head = file.read(_BLOCK) or b""
            if not looks_like(head):
                raise UnreadableFile(_("{name} is not a DICOM file.").format(name=name))
            content = _Content(file, state.st_size)
            walk = _Walk(content)
            try:
                walk.read_meta(132 if head[128:132] == b"DICM" else 0)
                if walk.syntax == DEFLATED:
                    inflated = parse(path).inflated or b""
                    # The group before it is as long as it was, so offsets stay as they are.
                    walk.content = _Content(None, len(inflated), inflated)
                walk.read_all()
            except _Stop:
                pass  # a cap is reached, and a note says which: what was read so far is the answer
    except OSError as error:
        raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=name, reason=error.strerror or error)) from error
    except struct.error as error:
        raise UnreadableFile(_("{name} has become shorter while it was read.").format(name=name)) from error
    return Tags(path, tuple(_made(row) for row in walk.rows), tuple(dict.fromkeys(walk.notes)))


class _Content:
    """Bytes of a file (or of memory) by their place; never more than asked for and a block."""

    def __init__(self, file: BinaryIO | None, size: int, block: bytes = b"") -> None:
        self.size = size
        self._file, self._block, self._start = file, block, 0

    def at(self, offset: int, count: int) -> bytes:
        place = offset - self._start
        if place >= 0 and place + count <= len(self._block):
            return self._block[place : place + count]
        if self._file is None:
            return self._block[offset : offset + count]
        self._file.seek(offset)
        self._block, self._start = self._file.read(max(count, _BLOCK)) or b"", offset
        return self._block[:count]


@dataclass(slots=True)
class _Row:
    """An :class:`Element` in the making: lengths and counts come after what lies inside."""

    tag: int
    vr: str
    depth: int
    parent: int
    length: int
    value: bytes
    order: str
    encodings: tuple[str, ...]
    creator: str
    number: int = 0


@dataclass(slots=True)
class _Level:
    """What holds for the elements of one data set."""

    implicit: bool
    order: str
    encodings: tuple[str, ...]
    signed: bool
    depth: int
    parent: int
    creators: dict[int, str] = field(default_factory=dict)


class _Stop(Exception):
    """A cap is reached, and where the rest begins is not known."""


class _Walk:
    def __init__(self, content: _Content) -> None:
        self.content = content
        self.rows: list[_Row] = []
        self.notes: list[str] = []
        self.syntax: str | None = None
        self._offset = 0
        self._kept = 0
        self._cut = False

    def read_meta(self, start: int) -> None:
        """The group 0002, which is explicit little endian whatever follows."""
        level = _Level(False, "<", ("latin-1",), False, 0, -1)
        offset = start
        while self.content.at(offset, 2) == b"\x02\x00":
            following = self._element(offset, self.content.size, level)
            row = self.rows[-1]
            if row.tag == 0x00020010:
                self.syntax = row.value.decode("latin-1").strip(" \0")
            if following is None:
                break
            offset = following
        self._offset = offset

    def read_all(self) -> None:
        """The data set itself."""
        implicit, order = self._encoding(self._offset)
        level = _Level(implicit, order, ("latin-1",), False, 0, -1)
        self._elements(self._offset, self.content.size, level)

    def _encoding(self, offset: int) -> tuple[bool, str]:
        """By the transfer syntax, corrected by what is there."""
        head = self.content.at(offset, 8)
        if len(head) < 8:
            return False, "<"
        order = ">" if self.syntax == BIG_ENDIAN else "<"
        if self.syntax is None and struct.unpack("<H", head[:2])[0] >= 0x0400:
            order = ">"
        explicit = head[4:6] in LONG_VRS or head[4:6] in SHORT_VRS
        if self.syntax is not None and explicit == (self.syntax == IMPLICIT):
            stated = _("implicit") if self.syntax == IMPLICIT else _("explicit")
            if self.syntax in (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED):
                self.notes.append(_("The file says that its VRs are {stated}, and they are not: it was read as it is.").format(stated=stated))
        return not explicit, order

    def _elements(self, offset: int, end: int, level: _Level, *, undefined: bool = False) -> int:
        """Elements up to ``end`` or, with ``undefined``, the mark that closes the item; returns the place behind."""
        while offset + 8 <= end:
            tag = self._tag(offset, level.order)
            if tag == ITEM_END:
                return offset + 8
            if tag == SEQUENCE_END:
                if undefined:
                    return offset  # the item was not closed; the sequence is
                offset += 8
                continue
            following = self._element(offset, end, level)
            if following is None:
                return end
            offset = following
        if undefined:
            self.notes.append(_("A sequence is not closed: the file is cut short or damaged."))
        elif level.depth == 0 and offset < end:
            self.notes.append(_("The last {count} bytes are no element.").format(count=end - offset))
        return end

    def _element(self, offset: int, end: int, level: _Level) -> int | None:
        """One element and all in it; the place behind it, None where nothing more can be found."""
        content = self.content
        head = content.at(offset, 12)
        tag = self._tag(offset, level.order)
        letters = head[4:6]
        stored = ""
        if level.implicit or not (letters.isalpha() and letters.isupper()):
            length, start = int(struct.unpack(level.order + "I", head[4:8])[0]), offset + 8
        elif letters in LONG_VRS:
            if len(head) < 12:
                self.notes.append(_("The last element is cut short."))
                return None
            length, start = int(struct.unpack(level.order + "I", head[8:12])[0]), offset + 12
            stored = letters.decode("ascii")
        else:
            length, start = int(struct.unpack(level.order + "H", head[6:8])[0]), offset + 8
            stored = letters.decode("ascii")
        creator = self._creator(tag, level)
        vr = self._vr(tag, stored, length, creator, level)
        if len(self.rows) >= MAX_ROWS:
            self.notes.append(_("The file has more than {count} elements; the rest is not listed.").format(count=MAX_ROWS))
            raise _Stop
        row = _Row(tag, vr, level.depth, level.parent, 0, b"", level.order, level.encodings, creator)
        self.rows.append(row)
        if vr == "SQ":
            return self._sequence(row, start, length, end, level, unknown=stored == "UN")
        if length == UNDEFINED:
            return self._fragments(row, start, end)
        if length > end - start:
            self._say_cut(tag, length, end - start)
            length = max(0, end - start)
        row.length = length
        if tag not in PIXEL_TAGS or level.depth:
            kept = min(length, KEPT_BYTES, max(0, KEPT_IN_ALL - self._kept))
            row.value = content.at(start, kept) if kept else b""
            self._kept += kept
        self._learn(row, level)
        return start + length

    def _sequence(self, row: _Row, start: int, length: int, end: int, level: _Level, *, unknown: bool) -> int | None:
        undefined = length == UNDEFINED
        if not undefined and length > end - start:
            self._say_cut(row.tag, length, end - start)
        stop = end if undefined else min(end, start + length)
        if level.depth + 2 > MAX_DEPTH:
            self.notes.append(_("Sequences lie in one another more than {count} deep; the rest is not listed.").format(count=MAX_DEPTH // 2))
            if undefined:
                raise _Stop  # where it ends is known only to who reads it
            row.length = stop - start
            return stop
        number = len(self.rows) - 1
        offset = start
        while offset + 8 <= stop:
            # What an unknown VR hides is little endian with implicit VRs (PS3.5 6.2.2).
            order = "<" if unknown else level.order
            tag = self._tag(offset, order)
            if tag == SEQUENCE_END:
                offset += 8
                break
            if tag != ITEM:
                self.notes.append(_("{tag} holds something that is no item; the rest of it is not listed.").format(tag=tag_text(row.tag)))
                if undefined:
                    raise _Stop
                offset = stop
                break
            size = int(struct.unpack(order + "I", self.content.at(offset + 4, 4))[0])
            row.number += 1
            offset = self._item(row, number, offset + 8, size, stop, level, order=order, unknown=unknown)
        else:
            if undefined:
                self.notes.append(_("A sequence is not closed: the file is cut short or damaged."))
            offset = stop
        row.length = offset - start
        return offset if undefined else stop

    def _item(self, sequence: _Row, parent: int, start: int, size: int, stop: int, level: _Level, *, order: str, unknown: bool) -> int:
        if len(self.rows) >= MAX_ROWS:
            self.notes.append(_("The file has more than {count} elements; the rest is not listed.").format(count=MAX_ROWS))
            raise _Stop
        undefined = size == UNDEFINED
        if not undefined and size > stop - start:
            self._say_cut(sequence.tag, size, stop - start)
        item = _Row(ITEM, "", level.depth + 1, parent, 0, b"", order, level.encodings, "", sequence.number)
        self.rows.append(item)
        implicit = level.implicit
        if unknown:
            letters = self.content.at(start + 4, 2)
            implicit = letters not in LONG_VRS and letters not in SHORT_VRS
        inner = _Level(implicit, order, level.encodings, level.signed, level.depth + 2, len(self.rows) - 1)
        end = stop if undefined else min(stop, start + size)
        behind = self._elements(start, end, inner, undefined=undefined)
        item.length = behind - start
        return behind if undefined else end

    def _fragments(self, row: _Row, start: int, end: int) -> int | None:
        """Encapsulated pixels: their fragments are counted; the first item is the table of offsets."""
        offset, first = start, True
        while offset + 8 <= end:
            tag = self._tag(offset, row.order)
            size = int(struct.unpack(row.order + "I", self.content.at(offset + 4, 4))[0])
            if tag == SEQUENCE_END:
                return offset + 8
            if tag != ITEM:
                break
            left = max(0, end - offset - 8)
            if size > left:
                self.notes.append(_("The pixels are cut short: their last piece claims more bytes than there are."))
            row.number += 0 if first else 1
            row.length += 0 if first else min(size, left)
            first = False
            offset += 8 + size
        if offset <= end:
            self.notes.append(_("{tag} is not closed: the file is cut short or damaged.").format(tag=tag_text(row.tag)))
        return None

    def _say_cut(self, tag: int, claimed: int, left: int) -> None:
        """Once: what is cut in a sequence is cut in all that lies in it."""
        if not self._cut:
            self._cut = True
            text = _("{tag} claims {claimed}, and {left} are left: the file is cut short or damaged.")
            self.notes.append(text.format(tag=tag_text(tag), claimed=gate.amount(claimed), left=gate.amount(max(0, left))))

    def _tag(self, offset: int, order: str) -> int:
        group, element = struct.unpack(order + "HH", self.content.at(offset, 4))
        return int(group << 16 | element)

    def _creator(self, tag: int, level: _Level) -> str:
        if not tag >> 16 & 1 or tag & 0xFFFF < 0x1000:
            return ""
        return level.creators.get(tag >> 8, "")

    def _vr(self, tag: int, stored: str, length: int, creator: str, level: _Level) -> str:
        """The VR of the file; that of the dictionaries where it has none, or UN."""
        if stored and stored != "UN":
            return stored
        known = _known_vr(tag, creator)
        if known in ("US or SS", "US or SS or OW"):
            return ("SS" if level.signed else "US") if length <= 6 or known == "US or SS" else "OW"
        if known in ("OB or OW", "US or OW"):
            return "OW" if known == "OB or OW" or length > 2 else "US"
        if known:
            return known
        return "SQ" if length == UNDEFINED else "UN"

    def _learn(self, row: _Row, level: _Level) -> None:
        """What the elements that follow need to know of this one."""
        if row.tag == 0x00080005:
            level.encodings = elements.encodings_of(tuple(part.strip(" \0") for part in row.value.decode("latin-1").split("\\")))
        elif row.tag == 0x00280103 and len(row.value) >= 2:
            level.signed = struct.unpack(level.order + "H", row.value[:2])[0] == 1
        elif is_creator(row.tag):
            level.creators[row.tag >> 16 << 8 | row.tag & 0xFF] = row.value.decode("latin-1").strip(" \0")


def tag_text(tag: int) -> str:
    """``(0010,0020)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def is_creator(tag: int) -> bool:
    """Whether the element reserves a block of private tags (PS3.5 7.8.1)."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


@lru_cache(maxsize=4096)
def _known_vr(tag: int, creator: str) -> str:
    """The dictionaries' VR, "" where they have none."""
    if is_creator(tag):
        return "LO"
    if not tag & 0xFFFF:
        return "UL"
    if not tag >> 16 & 1:
        return dictionary_vr(tag)
    from viewer.io.dicom.library import private_dictionary_VR

    try:
        return str(private_dictionary_VR(tag, creator)) if creator else ""
    except KeyError:
        return ""


def _made(row: _Row) -> Element:
    return Element(row.tag, row.vr, row.depth, row.parent, row.length, row.value, row.number, row.order, row.encodings, row.creator)
