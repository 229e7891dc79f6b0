"""Headers of files that a scanner wrote one after the other: what is byte for byte as in a file before is not interpreted again.

A layout is learnt from files with the same elements in the same order: runs of bytes that were the same in all of them, and
the elements between these that were not. A file that has the runs where the lengths of the others put them is parsed by that
(a walk would find the same elements). Its header is that of the file before with the same values of everything that the
interpretation asks for, but for the few values that differ in every file of a series, which are interpreted anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from viewer.core.errors import NegatoscopeError
from viewer.core.geometry import Triple
from viewer.io.dicom import elements, frames
from viewer.io.dicom.frames import Frame
from viewer.io.dicom.header import Header, frames_found, interpret
from viewer.io.dicom.parse import Beginning, Parsed, PixelPlace, parse
from viewer.io.dicom.phase_keys import PHASE_KEYS
from viewer.io.dicom.walk import UNDEFINED, Element, NotPlain, TopElements, end_of_items
from viewer.io.dicom.windows import first_window

MOST_LAYOUTS, MOST_PROTOTYPES = 32, 1024
_CHARACTER_SET, _GROUP_LENGTH = 0x00080005, 0x00020000
_ALWAYS_ASKED = frozenset({_CHARACTER_SET})
_SHORT = struct.Struct("<H").unpack_from
_LONG = struct.Struct("<I").unpack_from
# What differs from image to image of one series and is interpreted anew where it does, with the value representation that it is
# written in. All else that the interpretation asks for has to be as in a file before.
_POSITION = 0x00200032
_OWN: dict[int, bytes] = {
    0x00080018: b"UI", 0x00080023: b"DA", 0x00080032: b"TM", 0x00080033: b"TM", 0x00200013: b"IS", _POSITION: b"DS",
    0x00281050: b"DS", 0x00281051: b"DS", 0x00281052: b"DS", 0x00281053: b"DS",
}  # fmt: skip
_WINDOW, _RESCALE = frozenset({0x00281050, 0x00281051}), frozenset({0x00281052, 0x00281053})
_FOUR_BYTES, _OPEN = -1, -2
"""Lengths that are not read: always four; up to a delimiter."""


def _fields(kind: type) -> tuple[dict[str, int], list[Callable[[Any, Any], None]]]:
    """Where each field of a frozen dataclass stands, and what sets it past ``__init__``: headers are made by the ten thousand."""
    names = [field.name for field in fields(kind)]
    return {name: number for number, name in enumerate(names)}, [kind.__dict__[name].__set__ for name in names]


_HEADER_FIELDS, _HEADER_SETTERS = _fields(Header)
_FRAME_FIELDS, _FRAME_SETTERS = _fields(Frame)
_H, _F = _HEADER_FIELDS, _FRAME_FIELDS
_PATH, _SIZE, _MODIFIED, _SOP_UID, _INSTANCE = _H["path"], _H["size"], _H["modified_ns"], _H["sop_uid"], _H["instance"]
_CONTENT_TIME, _PIXELS, _FRAMES, _SPANS = _H["content_time"], _H["pixels"], _H["frames"], _H["spans"]
_PLACE, _KEYS, _SLOPE, _INTERCEPT, _RESCALE_TYPE, _FIRST_WINDOW = (
    _F[name] for name in ("position", "keys", "slope", "intercept", "rescale_type", "window")
)


class Siblings:
    """Reads headers one after the other and remembers, while it lives, how files were laid out."""

    def __init__(self) -> None:
        self.first_bytes = 8 << 10
        """How much of a file is worth reading at first."""
        self._layouts: list[_Layout] = []
        self._known: dict[tuple[object, ...], _Layout] = {}

    def read(self, path: Path, beginning: Beginning) -> Header:
        """As :func:`viewer.io.dicom.header.read_header`."""
        for number, layout in enumerate(self._layouts):
            found = layout.header_of(path, beginning)
            if found is None:
                continue
            if number:
                self._layouts.insert(0, self._layouts.pop(number))
            header, prototype = found
            if prototype.is_checked:
                return header
            # Once for each: the other way has to come to the same.
            truth = interpret(path, parse(path, beginning=beginning))
            prototype.is_checked = header == truth
            if not prototype.is_checked:
                layout.is_usable = False
                self._layouts.remove(layout)
            return truth
        return self._in_full(path, beginning)

    def _in_full(self, path: Path, beginning: Beginning) -> Header:
        parsed = parse(path, beginning=beginning)
        if not isinstance(parsed.dataset, TopElements):
            return interpret(path, parsed)
        asked: set[int] = set()
        header = interpret(path, replace(parsed, dataset=_Listener(parsed.dataset, asked)))
        # What had to be said of one file need not hold for the next.
        is_plain = header.frame_count == header.claimed_frames == 1 and not header.warnings
        if is_plain and header.pixels is not None and _is_whole(parsed, header.pixels):
            self._learn(parsed, header, asked)
        return header

    def _learn(self, parsed: Parsed, header: Header, asked: set[int]) -> None:
        dataset: TopElements = parsed.dataset
        layout = self._known.get(signature := _signature(dataset, parsed))
        if layout is None:
            if len(self._known) >= MOST_LAYOUTS:
                del self._known[next(iter(self._known))]
                self._layouts = [known for known in self._layouts if known in self._known.values()]
            self._known[signature] = _Layout(dataset, parsed.end)
            return
        if layout.is_usable and layout.learn(dataset, header, asked) and layout not in self._layouts:
            self._layouts.append(layout)
        if self.first_bytes < parsed.end + 64 < 1 << 16:
            self.first_bytes = 1 << (parsed.end + 64).bit_length()


def _signature(dataset: TopElements, parsed: Parsed) -> tuple[object, ...]:
    order = (*dataset.file_meta.places, *dataset.places)
    vrs = tuple(place[2] for place in dataset.places.values())
    return (order, vrs, dataset.is_implicit, parsed.tail[: 4 if dataset.is_implicit else 8])


class _Listener:
    """A data set that notes which elements it is asked for."""

    def __init__(self, dataset: Any, asked: set[int]) -> None:
        self._dataset, self._asked = dataset, asked
        if isinstance(dataset, TopElements):
            self.file_meta = _Listener(dataset.file_meta, asked)
            self.original_encoding = dataset.original_encoding

    def get_item(self, tag: int, *, keep_deferred: bool = True) -> Any:
        self._asked.add(tag)
        return self._dataset.get_item(tag, keep_deferred=keep_deferred)

    def __contains__(self, tag: int) -> bool:
        self._asked.add(tag)
        return tag in self._dataset

    def __getitem__(self, tag: int) -> Any:
        self._asked.add(tag)
        return self._dataset[tag]


class _Prototype:
    """The header of a file, taken apart for its siblings."""

    __slots__ = ("frame", "is_checked", "pixels", "places", "values")

    def __init__(self, header: Header, pixels: PixelPlace) -> None:
        self.values = [getattr(header, name) for name in _HEADER_FIELDS]
        self.frame = [getattr(header.frames[0], name) for name in _FRAME_FIELDS]
        self.pixels = pixels
        self.places: dict[int, PixelPlace] = {}
        """The same pixels farther to the front or back."""
        self.is_checked = False

    def pixels_at(self, content: bytes, place: int, size: int) -> PixelPlace | None:
        """The pixels whose length stands at ``place``: as long as those of the file before, and all there."""
        (length,) = _LONG(content, place)
        offset, alike = place + 4, self.pixels
        if length != (UNDEFINED if alike.length is None else alike.length) or (alike.length is not None and offset + length > size):
            return None
        found = self.places.get(offset)
        if found is None:
            found = self.places[offset] = PixelPlace(offset, alike.length, alike.tag, alike.vr)
        return found


class _Layout:
    """Files with the same elements in the same order."""

    def __init__(self, dataset: TopElements, end: int) -> None:
        self._content = dataset.content[: end + 12]
        self._dataset = dataset
        self._end = end
        self._bounds = _bounds(dataset)
        self._varying = {number for number, (tag, *_rest) in enumerate(self._bounds) if tag == _GROUP_LENGTH}
        self._asked: set[int] = set(_ALWAYS_ASKED)
        self._runs: list[tuple[bytes, int, int, bool]] = []
        """Bytes that are the same in all files, how many, how the length that follows is written, whether the value is needed."""
        self._last = b""
        self._needed: dict[int, int] = {}
        """Tag to place among the needed values."""
        self._own: dict[int, int] = {}
        """Those of them that are interpreted anew, and the places of those that have to be as before."""
        self._key: list[int] = []
        self._own_keys: list[tuple[int, int]] = []
        """Place among the frame's keys, and among the needed values."""
        self._clock: list[int | str] = []
        """The parts of the content time: places among the needed values, or what it is in all files."""
        self._prototypes: dict[tuple[bytes, ...], _Prototype] = {}
        self.is_usable = True

    def learn(self, dataset: TopElements, header: Header, asked: set[int]) -> bool:
        """One more file of the layout, and its header: whether it may now be told by its bytes."""
        bounds, content = _bounds(dataset), dataset.content
        differ = {
            number
            for number, (mine, other) in enumerate(zip(self._bounds, bounds, strict=True))
            if self._content[mine[1] : mine[4]] != content[other[1] : other[4]]
        }
        if not self._runs or not differ <= self._varying or not asked <= self._asked:
            self._varying |= differ
            self._asked |= asked
            self._arrange()
        found = self._match(content)
        if found is None or header.pixels is None:
            return False
        if len(self._prototypes) >= MOST_PROTOTYPES:
            self._prototypes.clear()
        self._prototypes[tuple([found[0][number] for number in self._key])] = _Prototype(header, header.pixels)
        return True

    def _arrange(self) -> None:
        """Runs of bytes up to the length of each varying element, and what its value is for."""
        self._runs, self._own, self._key, self._own_keys, self._prototypes = [], {}, [], [], {}
        self._needed = {}
        cursor, needed = 128, 0
        for number in sorted(self._varying):
            tag, _start, length_at, value, stop = self._bounds[number]
            if tag == _GROUP_LENGTH:
                run, width = self._content[cursor:value], _FOUR_BYTES
            elif self._content[length_at:value] == b"\xff\xff\xff\xff":
                run, width = self._content[cursor:value], _OPEN
            else:
                run, width = self._content[cursor:length_at], value - length_at
            is_needed = tag in self._asked
            self._runs.append((run, len(run), width, is_needed))
            if is_needed:
                self._needed[tag] = needed
                if self._is_own(tag):
                    self._own[tag] = needed
                else:
                    self._key.append(needed)
                needed += 1
            cursor = stop
        self._own_keys = [(place, self._own[tag]) for place, (tag, _word, _unit) in enumerate(PHASE_KEYS) if tag in self._own]
        day_and_time = (0x00080023, 0x00080033)
        self._clock = [
            self._needed.get(tag, elements.text(self._dataset, tag)) for tag in day_and_time if any(tag in self._own for tag in day_and_time)
        ]
        self._last = self._content[cursor : self._end + (4 if self._dataset.is_implicit else 8)]

    def _is_own(self, tag: int) -> bool:
        """Whether the element is interpreted anew where it differs; one written as no one writes it is not."""
        place = self._dataset.places.get(tag)
        return tag in _OWN and place is not None and place[2] in (None, _OWN[tag])

    def _match(self, content: bytes) -> tuple[list[bytes], int] | None:
        """The needed values, and the place of the pixels' length; None for another layout."""
        place = 128
        found: list[bytes] = []
        begins = content.startswith
        try:
            for run, step, width, is_needed in self._runs:
                if not begins(run, place):
                    return None
                place += step
                if width == 2:
                    (length,) = _SHORT(content, place)
                    place += 2
                elif width == 4:
                    (length,) = _LONG(content, place)
                    place += 4
                elif width == _FOUR_BYTES:
                    length = 4
                else:
                    length = end_of_items(content, place, is_implicit=self._dataset.is_implicit) - place
                if is_needed:
                    found.append(content[place : place + length])
                place += length
        except (struct.error, NotPlain):
            return None
        if not begins(self._last, place):
            return None
        place += len(self._last)
        return (found, place) if place + 8 <= len(content) else None

    def header_of(self, path: Path, beginning: Beginning) -> tuple[Header, _Prototype] | None:
        """The header of a file of this layout; None where it has to be read in full."""
        found = self._match(beginning.head)
        if found is None:
            return None
        needed, place = found
        prototype = self._prototypes.get(tuple([needed[number] for number in self._key]))
        if prototype is None:
            return None
        state = beginning.state
        pixels = prototype.pixels_at(beginning.head, place, state.st_size)
        if pixels is None:
            return None
        own = self._own
        values = prototype.values.copy()
        if own:
            frame = self._frame(prototype, needed)
            if frame is None:
                return None
            values[_FRAMES] = (frame,)
            if (number := own.get(0x00080018)) is not None:
                values[_SOP_UID] = elements.plain_text(needed[number])
            if (number := own.get(0x00200013)) is not None:
                text = elements.plain_text(needed[number])
                is_plain = len(text) < 16 and text.isascii() and text.isdecimal()
                values[_INSTANCE] = int(text) if is_plain else elements.integer(self._sibling(needed), 0x00200013) or 0
            if self._clock:
                values[_CONTENT_TIME] = "".join([elements.plain_text(needed[n]) if isinstance(n, int) else n for n in self._clock])
        values[_PATH], values[_SIZE], values[_MODIFIED], values[_PIXELS] = path, state.st_size, state.st_mtime_ns, pixels
        header: Header = object.__new__(Header)
        for put, value in zip(_HEADER_SETTERS, values, strict=True):
            put(header, value)
        if pixels.length is None:
            try:
                spans = frames_found(header, pixels, 1)
            except NegatoscopeError:
                return None
            _HEADER_SETTERS[_SPANS](header, spans)
        return header, prototype

    def _sibling(self, needed: list[bytes]) -> _Sibling:
        return _Sibling(self._dataset, self._needed, needed)

    def _frame(self, prototype: _Prototype, needed: list[bytes]) -> Frame | None:
        """The frame with its own place, times, rescale and window; None where there is something to be said of them."""
        own, values, said = self._own, prototype.frame.copy(), list[str]()
        if (number := own.get(_POSITION)) is not None:
            values[_PLACE] = _triple(needed[number]) or frames._position(self._sibling(needed), said)
        if self._own_keys:
            keys = list(values[_KEYS])
            for place, number in self._own_keys:
                keys[place] = elements.plain_text(needed[number])
            values[_KEYS] = tuple(keys)
        if not _RESCALE.isdisjoint(own):
            scaled = frames._with_rescale(Frame(), self._sibling(needed), said)
            values[_SLOPE], values[_INTERCEPT], values[_RESCALE_TYPE] = scaled.slope, scaled.intercept, scaled.rescale_type
        if not _WINDOW.isdisjoint(own):
            values[_FIRST_WINDOW] = first_window(self._sibling(needed))
        if said:
            return None
        frame: Frame = object.__new__(Frame)
        for put, value in zip(_FRAME_SETTERS, values, strict=True):
            put(frame, value)
        return frame


class _Sibling:
    """The elements of a file by its layout: those that vary from its own bytes, the others from the file that was first."""

    __slots__ = ("_first", "_needed", "_place_of")

    def __init__(self, first: TopElements, place_of: dict[int, int], needed: list[bytes]) -> None:
        self._first, self._place_of, self._needed = first, place_of, needed

    def get_item(self, tag: int, *, keep_deferred: bool = True) -> Any:
        number = self._place_of.get(tag)
        if number is None:
            return self._first.get_item(tag)
        value, vr = self._needed[number], self._first.places[tag][2]
        return Element(tag, vr.decode() if vr else None, len(value), value)


def _triple(value: bytes) -> Triple | None:
    """Three numbers as they are usually written; None for the others."""
    try:
        first, second, third = value.split(b"\\")
        x, y, z = float(first), float(second), float(third)
    except ValueError:
        return None
    return (x, y, z) if b"_" not in value and abs(x) < 1e7 and abs(y) < 1e7 and abs(z) < 1e7 else None


def _bounds(dataset: TopElements) -> list[tuple[int, int, int, int, int]]:
    """Of each element: tag, first byte, place of its length, of its value, and its end."""
    listed = [(tag, place, False) for tag, place in dataset.file_meta.places.items()]
    listed += [(tag, place, dataset.is_implicit) for tag, place in dataset.places.items()]
    found = []
    start = 132
    for tag, (value, length, _vr), is_implicit in listed:
        stop = value + length if length >= 0 else dataset.ends[tag]
        found.append((tag, start, start + (4 if is_implicit else 6 if value - start == 8 else 8), value, stop))
        start = stop
    return found


def _is_whole(parsed: Parsed, pixels: PixelPlace) -> bool:
    """Whether the pixels' element has a head of the usual form, and its length is believed as it stands."""
    is_implicit = parsed.dataset.is_implicit
    if len(parsed.tail) < 12 or not (is_implicit or parsed.tail[4:6] in (b"OB", b"OW")):
        return False
    (length,) = _LONG(parsed.tail, 4 if is_implicit else 8)
    return bool(length == (UNDEFINED if pixels.length is None else pixels.length))
