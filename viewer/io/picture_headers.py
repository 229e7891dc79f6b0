"""Sizes of PNG, JPEG and TIFF pictures from their headers, without decoding: what the gate must know first."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from viewer.core.errors import UnreadableFile, UnsupportedFeature
from viewer.core.words import _
from viewer.io import imagej, upright
from viewer.io.beside import open_regular
from viewer.io.gate import harmless
from viewer.io.imagej import Calibration

Format = Literal["png", "jpeg", "tiff"]
PAGES_LIMIT = 100_000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_MOST_EXIF = 1 << 20
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFF_TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 16: "Q", 17: "q", 18: "Q", 13: "I"}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's header says."""

    format: Format
    pages: tuple[int, ...]
    """Numbers of the TIFF pages that belong to the stack; (0,) for a single picture."""
    rows: int
    """As the picture is meant to be seen, like the columns; the file may have it turned."""
    columns: int
    samples: int
    """1 grey, 3 colour; without transparency."""
    bits: int
    data_bytes: int
    """Bytes that the pixel data takes in the file."""
    is_compressed: bool = True
    stored_samples: int = 1
    """Samples of a pixel in the file (a palette's index is one)."""
    is_inverted: bool = False
    """TIFF's WhiteIsZero."""
    are_phases: bool = False
    """A TIFF stack over time (ImageJ's ``frames``)."""
    warnings: tuple[str, ...] = ()
    calibration: Calibration = imagej.NOTHING
    """ImageJ's, of a TIFF."""
    dots_per_inch: float = 0.0
    """Of a plain TIFF, for the note that it was not used; 0 if it says none."""
    orientation: int = upright.AS_STORED
    """How the stored picture is to be turned (``io.upright``)."""

    @property
    def stored_size(self) -> tuple[int, int]:
        """Rows and columns of the file."""
        return (self.columns, self.rows) if upright.swaps_sides(self.orientation) else (self.rows, self.columns)


def format_of(head: bytes) -> Format | None:
    """The picture format that the first bytes are of."""
    if head.startswith(PNG_MAGIC):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "tiff" if head[:4] in _TIFF_MAGICS else None


def read(path: Path) -> Picture:
    """The header of a picture file. Raises UnreadableFile where it is cut short or makes no sense."""
    with open_regular(path) as file:
        head = file.read(8)
        kind = format_of(head)
        size = file.seek(0, 2)
        try:
            if kind == "png":
                return _as_seen(_png(file, size, path))
            if kind == "jpeg":
                return _as_seen(_jpeg(file, size, path))
            if kind == "tiff":
                return _as_seen(_Tiff(file, size, path).picture())
        except struct.error as error:
            raise UnreadableFile(_("{name}: the picture is cut short inside its header.").format(name=harmless(path.name))) from error
    raise UnreadableFile(_("{name}: it is no PNG, JPEG or TIFF picture.").format(name=harmless(path.name)))


def _as_seen(stored: Picture) -> Picture:
    """The same with the size that it has once it is turned."""
    if not upright.swaps_sides(stored.orientation):
        return stored
    said = replace(stored.calibration, rows=stored.calibration.columns, columns=stored.calibration.rows)
    return replace(stored, rows=stored.columns, columns=stored.rows, calibration=said)


def _png(file: BinaryIO, size: int, path: Path) -> Picture:
    name = harmless(path.name)
    place, data, columns, rows, bits, color = 8, 0, 0, 0, 0, 0
    orientation = 0
    while place < size:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        if place == 8:
            if kind != b"IHDR":
                raise UnreadableFile(_("{name}: the PNG picture does not start with its header. The file is damaged.").format(name=name))
            columns, rows, bits, color = struct.unpack(">IIBB", file.read(10))
        if place + 12 + length > size:
            break
        if kind == b"eXIf" and length <= _MOST_EXIF:
            orientation = orientation or upright.of_exif(file.read(length))
        if kind == b"IDAT":
            data += length
        if kind == b"IEND":
            if color not in (0, 2, 3, 4, 6) or bits not in (1, 2, 4, 8, 16):
                raise UnreadableFile(
                    _("{name}: the PNG header has a colour type {color} of {bits} bits, which PNG does not know.").format(
                        name=name, color=color, bits=bits
                    )
                )
            warnings = (_("The transparency of the picture is left out."),) if color in (4, 6) else ()
            if color in (2, 6) and bits == 16:
                warnings = (*warnings, _("Colours of 16 bits are shown with 8."))
            samples, kept = (3, 8) if color in (2, 3, 6) else (1, 16 if bits == 16 else 8)
            return Picture("png", (0,), rows, columns, samples, kept, data, warnings=warnings, orientation=orientation or upright.AS_STORED)
        place += 12 + length
    raise UnreadableFile(_("{name}: the PNG picture is cut short.").format(name=name))


def _jpeg(file: BinaryIO, size: int, path: Path) -> Picture:
    name = harmless(path.name)
    place, orientation = 2, 0
    while place + 4 <= size:
        file.seek(place)
        mark, code, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF:
            break
        if code == 0xFF or code == 0x01 or 0xD0 <= code <= 0xD8:  # fill bytes and marks without a length
            place += 1 if code == 0xFF else 2
            continue
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            bits, rows, columns, components = struct.unpack(">BHHB", file.read(6))
            if bits != 8 or components not in (1, 3, 4):
                raise UnsupportedFeature(
                    _("{name}: JPEG pictures of {bits} bits and {components} components are not supported outside DICOM.").format(
                        name=name, bits=bits, components=components
                    )
                )
            file.seek(max(0, size - 65536))
            warnings = () if b"\xff\xd9" in file.read() else (_("The JPEG picture has no end; it may be cut short."),)
            samples = 1 if components == 1 else 3
            return Picture("jpeg", (0,), rows, columns, samples, 8, size, warnings=warnings, orientation=orientation or upright.AS_STORED)
        if code == 0xE1 and length > 2:
            orientation = orientation or upright.of_jpeg(file.read(length - 2))
        if code in (0xD9, 0xDA):
            break
        place += 2 + length
    raise UnreadableFile(_("{name}: the JPEG picture is cut short or damaged; its size was not found.").format(name=name))


class _Tiff:
    """A walk over the pages of a TIFF or BigTIFF file: tag values that matter, nothing else."""

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self._file, self._size, self._name = file, size, harmless(path.name)
        file.seek(0)
        head = file.read(16)
        self._order = "<" if head[:2] == b"II" else ">"
        self._big = head[2:4] in (b"+\0", b"\0+")
        self._first = struct.unpack_from(self._order + ("Q" if self._big else "I"), head, 8 if self._big else 4)[0]

    def picture(self) -> Picture:
        pages = self._pages()
        full = [(n, tags) for n, tags in enumerate(pages) if not self._value(tags, 254, 0) & 1] or list(enumerate(pages))
        first = full[0][1]
        wanted = self._shape(first)
        same = [(n, tags) for n, tags in full if self._shape(tags) == wanted]
        rows, columns, samples, bits, sample_format = wanted
        photometric = self._value(first, 262, 1)
        compression = self._value(first, 259, 1)
        warnings: list[str] = []
        if len(same) < len(pages):
            warnings.append(
                _("{left} of {count} pages have another size or kind and are left out.").format(left=len(pages) - len(same), count=len(pages))
            )
        is_color = samples >= 3 or photometric in (2, 3, 6)
        if not is_color and samples > 1:
            warnings.append(_("Only the first sample of each pixel is shown."))
        if is_color and (bits > 8 or samples > 3):
            warnings.append(_("Colours are shown with 8 bits, without transparency."))
        if sample_format not in (1, 2, 3, 4):
            raise UnsupportedFeature(_("{name}: TIFF pictures of complex numbers are not supported.").format(name=self._name))
        description = self._text(first, 270)
        said = imagej.fields(description)
        frames = int(said["frames"]) if said.get("frames", "").isdecimal() else 0
        if said.get("images", "").isdecimal() and int(said["images"]) > len(pages):
            warnings.append(
                _("ImageJ says that there are {said} images, but only {found} can be found.").format(said=said["images"], found=len(pages))
            )
        resolution = (self._ratio(first, 282), self._ratio(first, 283))
        per_inch = {2: 1.0, 3: 2.54}.get(self._value(first, 296, 2), 0.0)
        data = sum(sum(self._values(tags, 279) or self._values(tags, 325)) for _page, tags in same)
        if data == 0 or data > self._size:
            raise UnreadableFile(_("{name}: the TIFF picture is cut short or damaged; its strips are larger than the file.").format(name=self._name))
        for _page, tags in same:
            counts, offsets = self._values(tags, 279) or self._values(tags, 325), self._values(tags, 273) or self._values(tags, 324)
            if len(counts) != len(offsets) or any(o + c > self._size for o, c in zip(offsets, counts, strict=True)):
                raise UnreadableFile(_("{name}: the TIFF picture is cut short; its pixels lie beyond the end of the file.").format(name=self._name))
        return Picture(
            "tiff", tuple(n for n, _tags in same), rows, columns, 3 if is_color else 1, bits, data,
            # YCbCr may be subsampled: fewer bytes than pixels, though uncompressed
            is_compressed=compression != 1 or photometric == 6, stored_samples=samples, is_inverted=photometric == 0 and not is_color,
            are_phases=frames == len(same) and len(same) > 1, warnings=tuple(warnings),
            calibration=imagej.calibration(description, resolution), dots_per_inch=0.0 if said else resolution[0] * per_inch,
            orientation=upright.known(self._value(first, upright.ORIENTATION, upright.AS_STORED)) or upright.AS_STORED,
        )  # fmt: skip

    def _pages(self) -> list[dict[int, tuple[int, int, bytes]]]:
        pages: list[dict[int, tuple[int, int, bytes]]] = []
        place, seen = self._first, set[int]()
        count_format, entry_size, value_size = ("Q", 20, 8) if self._big else ("H", 12, 4)
        while place and place not in seen and len(pages) < PAGES_LIMIT:
            seen.add(place)
            self._file.seek(place)
            (count,) = struct.unpack(self._order + count_format, self._file.read(8 if self._big else 2))
            block = self._file.read(min(count, 4096) * entry_size + value_size)
            tags = {}
            for n in range(min(count, 4096)):
                tag, kind = struct.unpack_from(self._order + "HH", block, n * entry_size)
                (number,) = struct.unpack_from(self._order + ("Q" if self._big else "I"), block, n * entry_size + 4)
                start = n * entry_size + entry_size - value_size
                tags[tag] = (kind, number, block[start : start + value_size])
            pages.append(tags)
            (place,) = struct.unpack_from(self._order + ("Q" if self._big else "I"), block, min(count, 4096) * entry_size)
        if not pages:
            raise UnreadableFile(_("{name}: the TIFF file has no page.").format(name=self._name))
        return pages

    def _values(self, tags: dict[int, tuple[int, int, bytes]], tag: int) -> tuple[int, ...]:
        kind, number, raw = tags.get(tag, (0, 0, b""))
        letter = _TIFF_TYPES.get(kind)
        if letter is None or number == 0:
            return ()
        size = struct.calcsize(letter) * number
        if size > min(self._size, 64 << 20):
            raise UnreadableFile(_("{name}: a list in the TIFF header is longer than the file. It is damaged.").format(name=self._name))
        if size > len(raw):
            (offset,) = struct.unpack(self._order + ("Q" if self._big else "I"), raw)
            self._file.seek(offset)
            raw = self._file.read(size)
        return struct.unpack(f"{self._order}{number}{letter}", raw[:size])

    def _value(self, tags: dict[int, tuple[int, int, bytes]], tag: int, default: int) -> int:
        values = self._values(tags, tag)
        return int(values[0]) if values else default

    def _ratio(self, tags: dict[int, tuple[int, int, bytes]], tag: int) -> float:
        """A RATIONAL, 0 where it is missing or none."""
        kind, number, raw = tags.get(tag, (0, 0, b""))
        if kind != 5 or number != 1:
            return 0.0
        if len(raw) < 8:
            (offset,) = struct.unpack(self._order + "I", raw)
            self._file.seek(offset)
            raw = self._file.read(8)
        if len(raw) < 8:
            return 0.0
        above, below = struct.unpack(self._order + "2I", raw[:8])
        return above / below if below else 0.0

    def _text(self, tags: dict[int, tuple[int, int, bytes]], tag: int) -> str:
        return bytes(self._values(tags, tag)).split(b"\0")[0].decode("latin-1") if tags.get(tag, (0,))[0] == 2 else ""

    def _shape(self, tags: dict[int, tuple[int, int, bytes]]) -> tuple[int, int, int, int, int]:
        """Rows, columns, samples, bits, sample format."""
        return tuple(self._value(tags, tag, default) for tag, default in ((257, 0), (256, 0), (277, 1), (258, 1), (339, 1)))  # type: ignore[return-value]
