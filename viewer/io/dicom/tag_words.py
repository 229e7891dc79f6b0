"""What a row of the tag browser says: name, value as text, and whether it matches what is looked for."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from viewer.core.words import _, ngettext
from viewer.io.dicom import elements
from viewer.io.dicom.tags import ITEM, Element, Tags, is_creator, tag_text
from viewer.io.dicom.walk import PIXEL_TAGS

SHOWN = 200
"""Characters of a value in a list."""
_NUMBERS = 64
_BYTES = 32
_WORDS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_PLAIN = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
# Who the file is of, beside all names of persons (PN): marked in the list, so that nobody copies them unawares.
_IDENTITY = frozenset({
    0x00080050, 0x00080080, 0x00080081, 0x00080090, 0x00100020, 0x00100030, 0x00100032, 0x00101000, 0x00101001, 0x00101040, 0x00102154,
    0x00380010, 0x00400275, 0x00081040,
})  # fmt: skip


@lru_cache(maxsize=8192)
def name_of(tag: int, creator: str = "") -> str:
    """The name in the standard, or in pydicom's private dictionary for this creator; "" where nobody has named it."""
    from viewer.io.dicom.library import dictionary_description, private_dictionary_description

    if tag == ITEM:
        return _("Item")
    if is_creator(tag):
        return "Private Creator"
    if not tag & 0xFFFF:
        return "Group Length"
    try:
        if tag >> 16 & 1:
            return elements.harmless(str(private_dictionary_description(tag, creator))) if creator else ""
        return str(dictionary_description(tag))
    except KeyError:
        return ""


@lru_cache(maxsize=8192)
def keyword_of(tag: int) -> str:
    """``PatientName``; "" of private and unknown tags."""
    from viewer.io.dicom.library import keyword_for_tag

    return str(keyword_for_tag(tag))


def title_of(element: Element) -> str:
    """The name to be shown: of items their number, of private tags that nobody has named their owner."""
    if element.is_item:
        return _("Item {number}").format(number=element.number)
    name = name_of(element.tag, element.creator)
    if name:
        return name
    if element.creator:
        return _("Private tag of {creator}").format(creator=elements.harmless(element.creator)[:64])
    return _("Private tag") if element.is_private else _("Unknown tag")


def is_identity(element: Element) -> bool:
    """Whether the value names a person, a place or a case."""
    return element.vr == "PN" or element.tag in _IDENTITY


def value_of(element: Element, *, limit: int = SHOWN) -> str:
    """The value on one line: as it stands in the file, in its character set; long and binary ones shortened, with their size."""
    if element.is_item:
        return ""
    if element.vr == "SQ":
        return ngettext("{count} item", "{count} items", element.number)
    if element.tag in PIXEL_TAGS and not element.value and element.length:
        size = _size(element.length)
        if element.number:
            return _("compressed pixels, {fragments}, {size}").format(
                fragments=ngettext("{count} fragment", "{count} fragments", element.number), size=size
            )
        return _("pixels, {size}").format(size=size)
    if not element.length:
        return ""
    if not element.value:
        return _("not read, {size}").format(size=_size(element.length))
    if element.vr in elements.NUMBER_TYPES:
        return _numbers(element, limit)
    if element.vr == "AT":
        return _tags(element)
    if element.vr == "UI":
        return _uids(element, limit)
    if element.vr in _WORDS or element.vr in _PLAIN or _is_text(element.value):
        return _text(element, limit)
    return _hex(element)


def whole_value_of(element: Element) -> str:
    """All that was read of the value, line breaks kept: for the clipboard."""
    if element.vr in _WORDS or element.vr in _PLAIN - {"UI"}:
        return "\n".join(_decoded_lines(element))
    return value_of(element, limit=1 << 30)


def line_of(element: Element) -> str:
    """One row as text, moved in by its depth: tag, VR, name, value."""
    if element.is_item:
        return "  " * element.depth + title_of(element)
    return "  " * element.depth + f"{tag_text(element.tag)} {element.vr:2} {title_of(element)}: {value_of(element, limit=1000)}".rstrip(": ")


def as_text(rows: Iterable[Element]) -> str:
    """Rows as lines of text."""
    return "\n".join(line_of(row) for row in rows)


def haystack(element: Element) -> str:
    """What a search looks through: tag with and without its comma, VR, name, keyword, value; casefolded."""
    number = tag_text(element.tag)
    plain = number.replace(",", "").strip("()")
    value = "" if element.vr == "SQ" else value_of(element, limit=2000)
    return f"{number} {plain} {element.vr} {title_of(element)} {keyword_of(element.tag)} {value}".casefold()


def matching(tags: Tags, text: str, hays: list[str] | None = None) -> list[int]:
    """Rows in which every word of ``text`` occurs, with the sequences and items that they lie in, in order.

    ``hays``: what each row says (:func:`haystack`), where the caller keeps it.
    """
    wanted = text.casefold().split()
    rows = tags.rows
    if not wanted:
        return list(range(len(rows)))
    found: set[int] = set()
    for number, row in enumerate(rows):
        if row.is_item:
            continue
        hay = hays[number] if hays is not None else haystack(row)
        if all(word in hay for word in wanted):
            place = number
            while place >= 0 and place not in found:
                found.add(place)
                place = rows[place].parent
    return sorted(found)


def _decoded_lines(element: Element) -> list[str]:
    value = element.value
    if element.vr in _PLAIN:
        return [elements.harmless(value.decode("latin-1").strip(" \0"))]
    return [elements.decode_words(line, element.encodings) for line in re.split(b"\r\n|\n|\r", value.strip(b"\0 \r\n"))]


def _text(element: Element, limit: int) -> str:
    lines = _decoded_lines(element) if element.vr in _WORDS or element.vr in _PLAIN else [element.value.decode("latin-1").strip(" \0")]
    shown = " \N{DOWNWARDS ARROW WITH CORNER LEFTWARDS} ".join(elements.harmless(line) for line in lines)
    if len(shown) <= limit and element.length <= len(element.value):
        return shown
    return _("{start}… ({size})").format(start=shown[:limit], size=_size(element.length))


def _uids(element: Element, limit: int) -> str:
    from viewer.io.dicom.library import UID

    shown = []
    for uid in element.value.decode("latin-1").strip(" \0").split("\\")[:_NUMBERS]:
        known = UID(uid).name if uid[:16] == "1.2.840.10008.1." or uid[:14] == "1.2.840.10008." else uid
        shown.append(elements.harmless(uid if known == uid else f"{uid} ({known})"))
    text = "\\".join(shown)
    return text if len(text) <= limit else text[:limit] + "…"


def _numbers(element: Element, limit: int) -> str:
    kind = elements.NUMBER_TYPES[element.vr]
    whole = len(element.value) - len(element.value) % int(kind[1:])
    most = _NUMBERS if limit <= SHOWN else whole
    values = np.frombuffer(element.value[: min(whole, most * int(kind[1:]))], dtype=element.order + kind)
    if kind[0] == "f":
        shown = "\\".join(f"{value:.9g}" if kind == "f4" else repr(float(value)) for value in values)
    else:
        shown = "\\".join(str(int(value)) for value in values)
    count = element.length // int(kind[1:])
    if count <= len(values) and len(shown) <= limit:
        return shown
    return _("{start}… ({count} numbers)").format(start=shown[:limit], count=f"{count:,}")


def _tags(element: Element) -> str:
    pairs = struct.iter_unpack(element.order + "HH", element.value[: min(len(element.value) // 4, _NUMBERS) * 4])
    return "\\".join(tag_text(group << 16 | number) for group, number in pairs)


def _is_text(value: bytes) -> bool:
    """Of an unknown VR: whether it reads as plain text."""
    stripped = value.rstrip(b"\0 ")
    return bool(stripped) and len(stripped) >= 2 and stripped.isascii() and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in stripped)


def _hex(element: Element) -> str:
    shown = element.value[:_BYTES].hex(" ").upper()
    return shown if element.length <= _BYTES else _("{start}… ({size})").format(start=shown, size=_size(element.length))


def _size(length: int) -> str:
    return ngettext("{count} byte", "{count} bytes", length) if length < 10_000 else _("{count} bytes").format(count=f"{length:,}")
