"""The elements of a header straight from its bytes, for the plain files that nearly all are: little endian, tags in order.

What is not plain (big endian, deflated, a missing preamble, lengths that lead out, unknown value representations) raises
:class:`NotPlain`, and pydicom parses the file instead. Both give the same elements to :mod:`viewer.io.dicom.elements`.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from viewer.io.dicom.dictionary import dictionary_vr
from viewer.io.dicom.quiet import collected
from viewer.io.dicom.syntaxes import CODECS, EXPLICIT, IMPLICIT

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, double and plain pixel data: where a header ends."""
DEEPEST = 12
"""Sequences within sequences; what is nested deeper is for pydicom."""
UNDEFINED = 0xFFFFFFFF
"""The length of what is ended by a mark."""
_META_START = b"\x02\x00\x00\x00UL\x04\x00"
_ITEM, _ITEM_END, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Explicit value representations whose length takes two bytes (PS3.5 7.1.2)."""
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Those whose length takes four."""
_SYNTAXES = {uid.encode(): uid == IMPLICIT for uid in (IMPLICIT, EXPLICIT, *CODECS)}
_EXPLICIT_HEAD = struct.Struct("<HH2sH").unpack_from
_IMPLICIT_HEAD = struct.Struct("<HHI").unpack_from
_LENGTH = struct.Struct("<I").unpack_from
_CHARACTER_SET = 0x00080005
# Tags from which on a walk may stop.
_PAST_META, _PIXELS, _ITEM_STOP, _NEVER = 0x00030000, 0x7FE00008, 0xFFFEE00D, 1 << 32


class NotPlain(Exception):
    """The bytes are for pydicom."""


class TooShort(NotPlain):
    """The bytes end before the header does: more of the file may help."""


class Element(NamedTuple):
    """An element as pydicom's parser hands it out: nothing converted."""

    tag: int
    VR: str | None
    """None where the file does not say it (implicit)."""
    length: int
    value: Any
    is_little_endian: bool = True


class Converted(NamedTuple):
    """An element whose value are the items of a sequence."""

    value: Iterable[Any]


Place = tuple[int, int, bytes | None]
"""First byte of the value, its length, its value representation."""


class Elements:
    """Elements of a data set or item: the part of pydicom's Dataset that :mod:`viewer.io.dicom.elements` needs."""

    __slots__ = ("_depth", "_items", "_path", "content", "ends", "is_implicit", "places")

    def __init__(self, content: bytes, is_implicit: bool, depth: int = 0, path: tuple[tuple[int, int], ...] = ()) -> None:
        self.content = content
        self.is_implicit = is_implicit
        self._depth = depth
        self._path = path
        """From the top to here: tag of the sequence, number of the item."""
        self.places: dict[int, Place] = {}
        self._items: dict[int, list[Elements]] = {}
        """Of sequences of undefined length: only by their items is their end known."""
        self.ends: dict[int, int] = {}
        """Where these end."""

    def get_item(self, tag: int, *, keep_deferred: bool = True) -> Any:
        """The raw element, None if it is not there."""
        place = self.places.get(tag)
        if place is None:
            return None
        start, length, vr = place
        if length < 0:
            return _Sequence(self, tag)
        return Element(tag, vr.decode() if vr else None, length, self.content[start : start + length])

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def __getitem__(self, tag: int) -> Any:
        """The items of a sequence; whatever is no plain sequence is left to pydicom."""
        start, length, vr = self.places[tag]
        if length < 0:
            return Converted(self._items[tag])
        if vr == b"SQ" or (vr is None and dictionary_vr(tag) == "SQ"):
            try:
                items, end = _items(self, tag, start, start + length, is_open=False)
                if end == start + length:
                    return Converted(items)
            except NotPlain:
                pass
        return self.by_pydicom()[tag]

    def by_pydicom(self) -> Any:
        """The same as pydicom's Dataset, parsed anew."""
        from viewer.io.dicom.library import dcmread

        with collected():
            found: Any = dcmread(io.BytesIO(self.content), stop_before_pixels=True, force=True)
            for tag, number in self._path:
                found = found[tag].value[number]
        return found


class _Sequence:
    """A raw element of undefined length; its value is asked for only by who does not expect a sequence there."""

    __slots__ = ("_of", "length", "tag")
    VR = "SQ"
    is_little_endian = True

    def __init__(self, of: Elements, tag: int) -> None:
        self._of, self.tag, self.length = of, tag, UNDEFINED

    @property
    def value(self) -> Any:
        return self._of.by_pydicom().get_item(self.tag, keep_deferred=True).value


class TopElements(Elements):
    """The data set of a file, with its meta header."""

    __slots__ = ("end", "file_meta", "original_encoding")

    def __init__(self, content: bytes, is_implicit: bool, meta: Elements) -> None:
        super().__init__(content, is_implicit)
        self.file_meta = meta
        self.original_encoding = (is_implicit, True)
        self.end = 0
        """The first byte of the pixel element, or the end of the file."""


def walk(content: bytes, size: int) -> TopElements:
    """The elements before the pixels of a file of ``size`` bytes that begins with ``content``.

    Raises
    ------
    TooShort
        The content ends before the header does.
    NotPlain
        The file is one for pydicom.
    """
    if content[128:140] != b"DICM" + _META_START:
        raise NotPlain
    meta = Elements(content, False)
    place = _explicit(meta, 132, len(content), _PAST_META)
    syntax_start, length, vr = meta.places.get(0x00020010, (0, 0, None))
    is_implicit = _SYNTAXES.get(content[syntax_start : syntax_start + length].rstrip(b"\0 "))
    if is_implicit is None or vr != b"UI":
        raise NotPlain
    found = TopElements(content, is_implicit, meta)
    if size - place >= 8:
        letters = content[place + 4 : place + 6]
        if is_implicit and letters.isalpha() and letters.isupper():
            raise NotPlain
        # Commands and directories are for the other parser.
        if content[place : place + 2] < b"\x08":
            raise NotPlain
    found.end = (_implicit if is_implicit else _explicit)(found, place, len(content), _PIXELS)
    if found.end == len(content) < size or found.end + 12 > len(content) < size:
        raise TooShort
    return found


def _explicit(found: Elements, place: int, end: int, stop: int) -> int:
    """Note the places of explicit elements up to ``end``, or to the tag that stops: where that is."""
    content, places, last = found.content, found.places, -1
    while place <= end - 8:
        group, element, vr, length = _EXPLICIT_HEAD(content, place)
        tag = group << 16 | element
        if tag >= stop and (stop != _PIXELS or tag in PIXEL_TAGS):
            return place
        if tag <= last:
            raise NotPlain
        last = tag
        if vr in SHORT_VRS:
            start = place + 8
        elif vr in LONG_VRS:
            start = place + 12
            if start > end:
                raise TooShort
            (length,) = _LENGTH(content, place + 8)
            if length == UNDEFINED:
                if vr not in (b"SQ", b"UN"):
                    raise NotPlain
                found._items[tag], place = _items(found, tag, start, end, is_open=True)
                places[tag] = (start, -1, b"SQ")
                found.ends[tag] = place
                continue
        else:
            raise NotPlain
        if tag == _CHARACTER_SET and not is_plain_character_set(content[start : start + length]):
            raise NotPlain
        places[tag] = (start, length, vr)
        place = start + length
    return _at_end(place, end)


def _implicit(found: Elements, place: int, end: int, stop: int) -> int:
    """The same for implicit elements."""
    content, places, last = found.content, found.places, -1
    while place <= end - 8:
        group, element, length = _IMPLICIT_HEAD(content, place)
        tag = group << 16 | element
        if tag >= stop and (stop != _PIXELS or tag in PIXEL_TAGS):
            return place
        if tag <= last or group == 0xFFFE:
            raise NotPlain
        last = tag
        start = place + 8
        if length == UNDEFINED:
            vr = dictionary_vr(tag)
            if vr != "SQ" and (vr or content[start : start + 4] != _ITEM):
                raise NotPlain if start + 4 <= end else TooShort
            found._items[tag], place = _items(found, tag, start, end, is_open=True)
            places[tag] = (start, -1, b"SQ")
            found.ends[tag] = place
            continue
        if tag == _CHARACTER_SET and not is_plain_character_set(content[start : start + length]):
            raise NotPlain
        places[tag] = (start, length, None)
        place = start + length
    return _at_end(place, end)


def _at_end(place: int, end: int) -> int:
    if place != end:
        raise TooShort
    return place


def _items(parent: Elements, tag: int, place: int, end: int, *, is_open: bool) -> tuple[list[Elements], int]:
    """The items of a sequence, and where it ends: at ``end``, or where a delimiter says so (``is_open``)."""
    content, depth = parent.content, parent._depth + 1
    if depth > DEEPEST:
        raise NotPlain
    found: list[Elements] = []
    while is_open or place < end:
        if place + 8 > end:
            raise TooShort
        head, (length,) = content[place : place + 4], _LENGTH(content, place + 4)
        place += 8
        if head == _SEQUENCE_END and is_open and length == 0:
            return found, place
        if head != _ITEM:
            raise NotPlain
        # An implicit item may stand in an explicit file (PS3.5 6.2.2), and is told by the first value representation.
        letters = content[place + 4 : place + 6]
        is_implicit = parent.is_implicit or not (letters.isalpha() and letters.isupper())
        item = Elements(content, is_implicit, depth, (*parent._path, (tag, len(found))))
        step = _implicit if is_implicit else _explicit
        if length == UNDEFINED:
            place = step(item, place, end, _ITEM_STOP)
            if content[place : place + 8] != _ITEM_END + b"\0\0\0\0":
                raise TooShort
            place += 8
        else:
            if place + length > end:
                raise TooShort
            place = step(item, place, place + length, _NEVER)
        found.append(item)
    return found, place


def end_of_items(content: bytes, place: int, *, is_implicit: bool) -> int:
    """Where a sequence of undefined length ends whose first item is at ``place``. Raises NotPlain."""
    return _items(Elements(content, is_implicit), 0, place, len(content), is_open=True)[1]


@lru_cache(maxsize=64)
def is_plain_character_set(value: bytes) -> bool:
    """Whether pydicom takes the value of Specific Character Set without a word."""
    if value in (b"", b"ISO_IR 100", b"ISO_IR 192"):
        return True
    if len(value) > 256:
        return False
    from viewer.io.dicom.library import convert_encodings, convert_string

    try:
        with collected() as said:
            convert_encodings(convert_string(value, True))
    except (ValueError, LookupError, TypeError):
        return False
    return not said
