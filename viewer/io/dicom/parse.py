"""From a file's bytes to its elements, up to the pixels; hostile files cost a sentence.

Plain files are walked (:mod:`viewer.io.dicom.walk`), all others parsed by pydicom, from memory where the head of the file is
enough. Deflated files are inflated here under a cap, because pydicom has none. No value is converted.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from viewer.core.errors import UnreadableFile
from viewer.core.words import _
from viewer.io import gate
from viewer.io.beside import open_regular
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset
from viewer.io.dicom.quiet import collected
from viewer.io.dicom.syntaxes import DEFLATED, EXPLICIT
from viewer.io.dicom.walk import PIXEL_TAGS, NotPlain, TooShort, walk

# What is read of a file at first, and where that is not enough. Most headers end before 8 KiB, nearly all before the next.
FIRST_BYTES = 8 << 10
MORE_BYTES = (64 << 10, 512 << 10)
# Enough for the header of nearly every single image: parsed from memory, so that a file is opened and read once.
PREFIX_BYTES = 48 << 10
DEFER_BYTES = 512 << 10
HEADER_LIMIT = 256 << 20
# A deflated file may grow to this, or to LOSSLESS_RATIO times its size, before it is called a bomb (RELIABILITY choice 5).
INFLATE_FREE = 16 << 20


class Beginning(NamedTuple):
    """An open file, its state and its first bytes."""

    descriptor: int
    state: os.stat_result
    head: bytes


@dataclass(frozen=True, slots=True)
class Parsed:
    """The elements before the pixels, and where parsing stopped."""

    dataset: Dataset
    end: int
    """The first byte of the pixel element, or the end."""
    tail: bytes
    """The first twelve bytes from there."""
    state: os.stat_result
    inflated: bytes | None = None
    """The whole content of a deflated file."""
    complaints: tuple[str, ...] = ()

    @property
    def is_little_endian(self) -> bool:
        return bool(self.dataset.original_encoding[1] is not False)

    @property
    def pixel_tag(self) -> int | None:
        """The pixel element at which parsing stopped, None if it ran to the end."""
        return _pixel_tag(self.tail, self.is_little_endian)


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where the pixels' value lies: ``length`` is None for encapsulated data (up to the end of the file)."""

    offset: int
    length: int | None
    tag: int
    """7FE00010 integers, 7FE00008 float, 7FE00009 double."""
    vr: str = "OW"
    inflated: bool = False


def looks_like(head: bytes) -> bool:
    """Whether the first bytes are DICOM's: the mark after the preamble, or a data set that starts without one (D01)."""
    if len(head) >= 132 and head[128:132] == b"DICM":
        return True
    if len(head) < 24:
        return False
    for order in "<>":
        group, element, length = struct.unpack(order + "HHI", head[:8])
        if group not in (0x0002, 0x0008) or element > 0x1200:
            continue
        if head[4:6].isalpha() and head[4:6].isupper() and head[4:6] in _VRS:
            return True
        if order == "<" and length < 256 and length % 2 == 0 and len(head) >= 16 + length:
            following = struct.unpack("<HH", head[8 + length : 12 + length])
            if following[0] in (group, 0x0008, 0x0010) and following > (group, element):
                return True
    return False


_VRS = {b"UI", b"UL", b"CS", b"OB", b"DA", b"LO", b"SH", b"TM", b"SQ", b"DT", b"PN", b"US", b"IS", b"ST"}


def parse(path: Path, *, beginning: Beginning | None = None, by_walk: bool = True) -> Parsed:
    """Open, check and parse one file up to its pixels; one that is open already is read on from its ``beginning``.

    Plain files are walked here, all others go through pydicom, as all do without ``by_walk``. Raises UnreadableFile with a
    sentence.
    """
    if beginning is None:
        with open_regular(path) as file:
            found = Beginning(file.fileno(), os.fstat(file.fileno()), file.read(FIRST_BYTES))
            return parse(path, beginning=found, by_walk=by_walk)
    if not beginning.head:
        raise UnreadableFile(_("{name} is empty.").format(name=gate.harmless(path.name)))
    if not looks_like(beginning.head):
        raise UnreadableFile(_("{name} is not a DICOM file.").format(name=gate.harmless(path.name)))
    try:
        if by_walk and (plain := _walked(beginning)) is not None:
            return plain
        with os.fdopen(os.dup(beginning.descriptor), "rb", buffering=0) as file, collected() as caught:
            file.seek(0)
            prefix = file.read(PREFIX_BYTES) or b""
            (dataset, end, tail), inflated = _parse(prefix, file, beginning.state.st_size, path)
    except OSError as err:
        reason = err.strerror or str(err)
        raise UnreadableFile(_("{name} cannot be read: {reason}.").format(name=gate.harmless(path.name), reason=reason)) from err
    parsed = Parsed(dataset, end, tail, beginning.state, inflated)
    said = tuple(dict.fromkeys(elements.harmless(str(w.message)).splitlines()[0][:200] for w in caught if str(w.message)))
    if parsed.pixel_tag is None and _is_cut(dataset, len(inflated) if inflated is not None else beginning.state.st_size):
        said = (*said, _("the file ends within its header: it is cut short"))
    return replace(parsed, complaints=said)


def _is_cut(dataset: Dataset, size: int) -> bool:
    """Whether the last element should go on behind the end of the file."""
    last: Any = dataset.get_item(max(dataset.keys()), keep_deferred=True) if len(dataset) else None
    if not getattr(last, "is_raw", False) or last.length == 0xFFFFFFFF:
        return False
    return bool(last.value_tell + last.length > size)


def _walked(beginning: Beginning) -> Parsed | None:
    """By the walk, from more of the file where its first bytes are not enough; None where pydicom has to."""
    content, size = beginning.head, beginning.state.st_size
    while True:
        try:
            dataset = walk(content, size)
        except TooShort:
            wanted = next((count for count in MORE_BYTES if count > len(content)), 0)
            if not wanted or len(content) >= size:
                return None
            with os.fdopen(os.dup(beginning.descriptor), "rb", buffering=0) as file:
                file.seek(0)
                content = file.read(wanted) or b""
            if len(content) < min(wanted, size):
                return None
        except NotPlain:
            return None
        else:
            return Parsed(dataset, dataset.end, content[dataset.end : dataset.end + 12], beginning.state)


def _parse(prefix: bytes, file: BinaryIO, size: int, path: Path) -> tuple[tuple[Dataset, int, bytes], bytes | None]:
    name = gate.harmless(path.name)
    try:
        if _is_deflated(prefix):
            content = prefix + (file.read(max(0, min(size, HEADER_LIMIT) - len(prefix))) or b"")
            inflated = _inflate(content, path)
            return _dcmread(io.BytesIO(inflated)), inflated
        buffer = io.BytesIO(prefix)
        if size <= len(prefix):
            return _dcmread(buffer), None
        try:
            found = _dcmread(buffer)
            if _pixel_tag(found[2], found[0].original_encoding[1] is not False) is not None:
                return found, None
        except Exception:  # noqa: BLE001 - cut by us, not by the file: the whole file decides
            pass
        return _parse_whole(file, size), None
    except UnreadableFile:
        raise
    except RecursionError as err:
        raise UnreadableFile(_("{name}: its sequences are nested without end. The file is damaged or hostile.").format(name=name)) from err
    except MemoryError as err:
        raise UnreadableFile(_("{name}: its header asks for more memory than there is. The file is damaged.").format(name=name)) from err
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as err:
        # Parsers of hostile bytes fail in every way there is (RELIABILITY choice 4).
        reason = elements.harmless(str(err))[:160] or type(err).__name__
        raise UnreadableFile(_("{name}: its DICOM header cannot be understood ({reason}).").format(name=name, reason=reason)) from err


def _parse_whole(file: BinaryIO, size: int) -> tuple[Dataset, int, bytes]:
    """For headers longer than the prefix: from the file, and from memory if something needed is very long."""
    file.seek(0)
    reader = io.BufferedReader(file, 1 << 16)  # type: ignore[type-var]
    try:
        found = _dcmread(reader)
        needed = (0x52009229, 0x52009230, *range(0x00281201, 0x00281204), *range(0x00281221, 0x00281224), 0x00283000, 0x00283010)
        present = (elements.raw(found[0], tag) for tag in needed)
        if any(e is not None and e.value is None and getattr(e, "length", 0) for e in present):
            reader.seek(0)
            found = _dcmread(io.BytesIO(reader.read(min(found[1] + 16, size, HEADER_LIMIT))), defer=None)
        return found
    finally:
        reader.detach()


def _dcmread(buffer: Any, *, defer: int | None = DEFER_BYTES) -> tuple[Dataset, int, bytes]:
    """Parsed elements, place where parsing stopped, the first bytes there."""
    from viewer.io.dicom.library import dcmread

    dataset = dcmread(buffer, stop_before_pixels=True, force=True, defer_size=defer)
    end = buffer.tell()
    return dataset, end, buffer.read(12)


def _pixel_tag(tail: bytes, little: bool) -> int | None:
    """The element that these bytes begin, if it is one of pixel data."""
    if len(tail) < 8:
        return None
    group, element = struct.unpack("<HH" if little else ">HH", tail[:4])
    tag = group << 16 | element
    return tag if tag in PIXEL_TAGS else None


def pixel_place(parsed: Parsed) -> PixelPlace | None:
    """Offset and length of the pixels' value, clipped to what is there; None without pixels."""
    tail, start, tag = parsed.tail, parsed.end, parsed.pixel_tag
    size = len(parsed.inflated) if parsed.inflated is not None else parsed.state.st_size
    if tag is None:
        return None
    order = "<" if parsed.is_little_endian else ">"
    implicit = bool(parsed.dataset.original_encoding[0])
    if not implicit and tail[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN", b"OL", b"OV"):
        if len(tail) < 12:
            return None
        length, offset = struct.unpack(order + "I", tail[8:12])[0], start + 12
    elif not implicit and tail[4:6].isalpha():
        length, offset = struct.unpack(order + "H", tail[6:8])[0], start + 8
    else:
        length, offset = struct.unpack(order + "I", tail[4:8])[0], start + 8
    kept = None if length == 0xFFFFFFFF else max(0, min(length, size - offset))
    vr = "OW" if implicit or not tail[4:6].isalpha() else tail[4:6].decode("ascii")
    return PixelPlace(offset, kept, tag, vr, parsed.inflated is not None)


def _is_deflated(prefix: bytes) -> bool:
    return prefix[128:132] == b"DICM" and DEFLATED.encode() in prefix[132:1024]


def _inflate(content: bytes, path: Path) -> bytes:
    """Meta header as it is, data set inflated, never beyond the cap."""
    start = _meta_end(content)
    cap = min(max(INFLATE_FREE, gate.LOSSLESS_RATIO * len(content)), gate.free())
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(content[start:], cap)
        if engine.unconsumed_tail and engine.decompress(engine.unconsumed_tail, 1):
            text = _("{name}: its deflated content grows beyond {limit}. The file is damaged or hostile and was not opened.")
            raise UnreadableFile(text.format(name=gate.harmless(path.name), limit=gate.amount(cap)))
        if not engine.eof and len(content) < HEADER_LIMIT:
            raise UnreadableFile(_("{name}: its deflated content is cut short.").format(name=gate.harmless(path.name)))
    except zlib.error as err:
        raise UnreadableFile(_("{name}: its deflated content is damaged.").format(name=gate.harmless(path.name))) from err
    # Marked as explicit little endian, which it now is: pydicom would inflate it a second time, without a cap.
    meta = content[:start].replace(DEFLATED.encode(), EXPLICIT.encode().ljust(len(DEFLATED), b"\0"))
    return meta + inflated


def _meta_end(content: bytes) -> int:
    """First byte after group 0002, element by element (its length element is often wrong)."""
    place = 132
    while place + 8 <= len(content) and content[place : place + 2] == b"\x02\x00":
        if content[place + 4 : place + 6] in (b"OB", b"UN", b"OW", b"SQ", b"UT"):
            place += 12 + int.from_bytes(content[place + 8 : place + 12], "little")
        else:
            place += 8 + int.from_bytes(content[place + 6 : place + 8], "little")
    return place
