"""Transfer syntaxes: which are uncompressed, and which codec the others need (the fixed table of RELIABILITY choice 4)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viewer.core.words import _
from viewer.io import gate
from viewer.io.dicom.dictionary import uid_name
from viewer.io.inflate import DEFLATE_RATIO

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = frozenset({"", IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED})

Family = Literal["rle", "deflate", "jpeg", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k"]


@dataclass(frozen=True, slots=True)
class Codec:
    """What decodes a transfer syntax: family, name for people, packages in their order, the most it may grow."""

    family: Family
    name: str
    packages: tuple[str, ...]
    ratio: int = gate.LOSSLESS_RATIO
    is_lossy: bool = False


def _lossy(family: Family, name: str, *packages: str) -> Codec:
    return Codec(family, name, packages, gate.LOSSY_RATIO, True)


_BASE = "1.2.840.10008.1.2."
CODECS: dict[str, Codec] = {
    _BASE + "5": Codec("rle", "RLE", ("imagecodecs", "viewer"), gate.LOSSY_RATIO),
    _BASE + "8.1": Codec("deflate", "Deflated Image Frame Compression", ("viewer",), DEFLATE_RATIO),
    _BASE + "4.50": _lossy("jpeg", "JPEG", "Pillow"),
    _BASE + "4.51": _lossy("jpeg", "JPEG extended", "Pillow", "imagecodecs"),
    _BASE + "4.53": _lossy("jpeg", "JPEG spectral selection", "Pillow", "imagecodecs"),
    _BASE + "4.55": _lossy("jpeg", "JPEG progressive", "Pillow", "imagecodecs"),
    _BASE + "4.57": Codec("jpeg-lossless", "JPEG lossless", ("imagecodecs",)),
    _BASE + "4.70": Codec("jpeg-lossless", "JPEG lossless", ("imagecodecs",)),
    _BASE + "4.80": Codec("jpeg-ls", "JPEG-LS", ("imagecodecs", "pyjpegls")),
    _BASE + "4.81": _lossy("jpeg-ls", "JPEG-LS near lossless", "imagecodecs", "pyjpegls"),
    _BASE + "4.90": Codec("jpeg-2000", "JPEG 2000 lossless", ("pylibjpeg-openjpeg",)),
    _BASE + "4.91": _lossy("jpeg-2000", "JPEG 2000", "pylibjpeg-openjpeg"),
    _BASE + "4.201": Codec("htj2k", "HTJ2K lossless", ("imagecodecs", "pylibjpeg-openjpeg")),
    _BASE + "4.202": Codec("htj2k", "HTJ2K lossless RPCL", ("imagecodecs", "pylibjpeg-openjpeg")),
    # Lossy coding may step over the largest value; imagecodecs' decoder lets it wrap to black, OpenJPEG stops there.
    _BASE + "4.203": _lossy("jpeg-2000", "HTJ2K", "pylibjpeg-openjpeg"),
}
# Younger than the dictionary that comes with pydicom (PS3.6 Table A-1).
_YOUNG = {
    _BASE + "8.1": "Deflated Image Frame Compression",
    _BASE + "4.110": "JPEG XL Lossless",
    _BASE + "4.111": "JPEG XL JPEG Recompression",
    _BASE + "4.112": "JPEG XL",
}
# How the stream of a frame begins; JPEG 2000 may come in a JP2 file.
_STARTS: dict[Family, tuple[bytes, ...]] = {
    "jpeg": (b"\xff\xd8",),
    "jpeg-lossless": (b"\xff\xd8",),
    "jpeg-ls": (b"\xff\xd8",),
    "jpeg-2000": (b"\xff\x4f", b"\x00\x00\x00\x0c"),
    "htj2k": (b"\xff\x4f", b"\x00\x00\x00\x0c"),
}


def begins_right(syntax: str, head: bytes) -> bool:
    """Whether a frame's first bytes can be those of the codec."""
    family = CODECS[syntax].family
    if family == "rle":
        return len(head) >= 4 and 1 <= int.from_bytes(head[:4], "little") <= 15
    return family not in _STARTS or head.startswith(_STARTS[family])


def name_of(syntax: str) -> str:
    """The name of a transfer syntax in the standard; the UID itself where it has none."""
    return _YOUNG.get(syntax) or uid_name(syntax)


def is_registered(syntax: str) -> bool:
    """Whether the UID is a transfer syntax that DICOM knows, video and the like included."""
    from viewer.io.dicom.library import UID

    uid = UID(syntax)
    return syntax in _YOUNG or (uid.is_transfer_syntax if uid.name != uid else False)


def unsupported(path: Path, syntax: str) -> str:
    """The sentence for a syntax without a decoder; it names the UID."""
    name = name_of(syntax)
    shown = gate.harmless(syntax if name == syntax else f"{name}, {syntax}")[:160]
    return _("{name}: the pixels are in a transfer syntax that cannot be decoded ({syntax}). Convert the file to another one first.").format(
        name=gate.harmless(path.name), syntax=shown
    )
