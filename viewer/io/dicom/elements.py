"""Values of DICOM elements, read leniently from the undecoded bytes that pydicom's parser hands out.

Real files break the rules of the value representations (CONVENTIONS D05): nothing here raises or warns for a bad value;
what cannot be understood is missing, and the caller decides whether that is worth a word.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.io.dicom.dictionary import dictionary_vr, usual_encodings
from viewer.io.dicom.quiet import collected

Dataset = Any
"""pydicom's Dataset; pydicom is imported only where files are read."""

# Controls (line breaks and terminal escapes too) and marks that turn the direction of text round.
_HARMFUL = {*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF}
_ESCAPE = re.compile("\x1b[\x20-\x2f]+[\x30-\x7e]")
_HARMLESS: dict[int, str] = dict.fromkeys(_HARMFUL, "\N{REPLACEMENT CHARACTER}")


def raw(dataset: Dataset, tag: int) -> Any:
    """The raw element, None if it is not there."""
    return dataset.get_item(tag, keep_deferred=True)


def raw_bytes(dataset: Dataset, tag: int) -> bytes:
    """The bytes of a value; b"" where the element is missing, empty or too long to have been read."""
    element = dataset.get_item(tag, keep_deferred=True)
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        return value
    return b"" if value is None else _as_text(value).encode("latin-1", "replace")


def text(dataset: Dataset, tag: int) -> str:
    """Plain text (codes, UIDs, dates) without padding."""
    value = raw_bytes(dataset, tag)
    return plain_text(value) if value else ""


def plain_text(value: bytes) -> str:
    """The same of a value that is at hand."""
    return value.decode("latin-1").strip(" \0\t\r\n")


def texts(dataset: Dataset, tag: int) -> tuple[str, ...]:
    """Text with several values."""
    value = text(dataset, tag)
    return tuple(part.strip(" \0") for part in value.split("\\")) if value else ()


def words(dataset: Dataset, tag: int, encodings: tuple[str, ...]) -> str:
    """Text written by people, in the file's character set, with control characters made visible and harmless."""
    return decode_words(raw_bytes(dataset, tag), encodings)


def decode_words(value: bytes, encodings: tuple[str, ...]) -> str:
    """Bytes of such a text, harmless; what does not fit its character set shows replacement characters."""
    if not value:
        return ""
    if value.isascii() and b"\x1b" not in value:
        decoded = value.decode("ascii")
    else:
        try:
            with collected():
                return harmless(_decoded(value, encodings))
        except (ValueError, LookupError):
            decoded = value.decode("latin-1")
    return harmless(decoded.strip(" \0\r\n"))


def _decoded(value: bytes, encodings: tuple[str, ...]) -> str:
    from viewer.io.dicom.library import decode_bytes

    # A name changes its character set back at each of these (PS3.5 6.1.2.5.3).
    decoded = str(decode_bytes(value, list(encodings), set(b"\\^=\r\n\t\f")))
    # pydicom leaves some announcements of a character set (ISO 2022 IR 58) standing in the text.
    return _ESCAPE.sub("", decoded).strip(" \0\r\n")


def harmless(value: str) -> str:
    """The text with every control and direction mark replaced by the replacement character."""
    return value.translate(_HARMLESS)


def encodings(dataset: Dataset) -> tuple[str, ...]:
    """Python's names for the file's character sets."""
    return encodings_of(texts(dataset, 0x00080005))


def encodings_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same from the values of SpecificCharacterSet; latin-1 where there is none, or none that is known."""
    if not any(names):
        return ("latin-1",)
    usual = usual_encodings(names)
    if usual is not None:
        return usual
    from viewer.io.dicom.library import convert_encodings

    try:
        with collected():
            found = convert_encodings(list(names))
    except (ValueError, LookupError):
        return ("latin-1",)
    return tuple(found)


def numbers(dataset: Dataset, tag: int) -> tuple[float, ...]:
    """Numbers of text (DS, IS) or binary (FD, FL, US, SS, UL, SL) elements; NaN for each one that is none."""
    element = raw(dataset, tag)
    if element is None or element.value is None:
        return ()
    value = element.value
    if not isinstance(value, bytes):
        return tuple(_number(part) for part in _as_text(value).split("\\"))
    kind = NUMBER_TYPES.get(element.VR or dictionary_vr(tag))
    if kind is None:
        content = value.decode("latin-1").strip(" \0")
        return tuple(_number(piece) for piece in content.split("\\")) if content else ()
    order = "<" if getattr(element, "is_little_endian", True) else ">"
    whole = len(value) - len(value) % int(kind[1:])
    return tuple(float(n) for n in np.frombuffer(value[:whole], dtype=order + kind))


def number(dataset: Dataset, tag: int) -> float | None:
    """The first number, None where there is none that is finite."""
    found = numbers(dataset, tag)
    return found[0] if found and math.isfinite(found[0]) else None


def integer(dataset: Dataset, tag: int) -> int | None:
    """The first number as a whole one, None where there is none."""
    found = number(dataset, tag)
    return int(found) if found is not None else None


def shorts(dataset: Dataset, tag: int, *, signed: bool = False) -> tuple[int, ...]:
    """Sixteen-bit numbers whose sign depends on another element (``US or SS``)."""
    element = raw(dataset, tag)
    value = raw_bytes(dataset, tag)
    order = "<" if getattr(element, "is_little_endian", True) else ">"
    if element is not None and not isinstance(element.value, bytes):
        return tuple(int(n) for n in numbers(dataset, tag) if math.isfinite(n))
    return tuple(int(n) for n in np.frombuffer(value[: len(value) // 2 * 2], dtype=order + ("i2" if signed else "u2")))


def samples(dataset: Dataset, tag: int, *, wide: bool) -> NDArray[np.uint16]:
    """Unsigned numbers of a table of 8-bit (packed) or 16-bit entries, in the file's byte order."""
    element = raw(dataset, tag)
    value = raw_bytes(dataset, tag)
    order = "<" if getattr(element, "is_little_endian", True) else ">"
    if element is not None and element.value is not None and not isinstance(element.value, bytes):
        listed = element.value if hasattr(element.value, "__len__") else [element.value]
        return np.asarray(listed, dtype=np.int64).astype(np.uint16)
    words16 = np.frombuffer(value[: len(value) // 2 * 2], dtype=order + "u2").astype(np.uint16)
    if wide:
        return words16
    if order == ">" and (element.VR or "OW") != "OB":
        # Two packed 8-bit entries share a word: the first is in its low byte whatever the byte order (PS3.5 8.1.1).
        return words16.view(np.uint8).astype(np.uint16) if np.little_endian else words16.byteswap().view(np.uint8).astype(np.uint16)
    return np.frombuffer(value, dtype=np.uint8).astype(np.uint16)


def items(dataset: Dataset, tag: int) -> list[Dataset]:
    """The items of a sequence; none where it is missing or damaged."""
    if dataset is None or raw(dataset, tag) is None:
        return []
    try:
        with collected():
            value = dataset[tag].value
        return [item for item in value if hasattr(item, "get_item")]
    except Exception:  # noqa: BLE001  pydicom raises kinds of its own too (BytesLengthException), for elements beside this one
        return []


def first(dataset: Dataset, tag: int) -> Dataset | None:
    """The first item of a sequence."""
    found = items(dataset, tag)
    return found[0] if found else None


NUMBER_TYPES = {
    "US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "UV": "u8", "SV": "i8", "FL": "f4", "FD": "f8", "OF": "f4", "OD": "f8", "OL": "u4",
    "US or SS": "u2",
}  # fmt: skip
"""numpy's types of the value representations that are binary numbers."""


def _number(part: str) -> float:
    try:
        # float() also takes "1_000", which no standard writes: kept out. A decimal comma is not guessed at.
        return float(part) if "_" not in part else math.nan
    except ValueError:
        return math.nan


def _as_text(value: Any) -> str:
    if isinstance(value, (list, tuple)) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        return "\\".join(str(v) for v in value)
    return str(value)
