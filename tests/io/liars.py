"""Files whose headers promise far more than they hold: a table for the tests, and what reading all of them costs (run as a program).

    python -m tests.io.liars FOLDER

reads what :func:`write` has put there, each as far as it goes, and prints what was said and the memory that it took.
"""

from __future__ import annotations

import gzip
import json
import resource
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.io import seeds

HUGE = {"Rows": 65535, "Columns": 65535}


def _at(whole: bytes, place: int, kind: str, *values: float) -> bytes:
    changed = bytearray(whole)
    struct.pack_into(kind, changed, place, *values)
    return bytes(changed)


def _cut_pixels(whole: bytes, length: int) -> bytes:
    """Explicit little endian: the pixel element says another length."""
    place = whole.rindex(b"\xe0\x7f\x10\x00OW\0\0")
    return _at(whole, place + 8, "<I", length)


def _nested(depth: int) -> bytes:
    """Sequences of undefined length in one another, never closed."""
    whole = seeds.dicom()
    return whole[: whole.index(b"\x08\x00\x16\x00")] + (b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * depth


def _deflate_bomb(size: int) -> bytes:
    whole = seeds.dicom(".1.99")
    start = 132 + 12 + struct.unpack("<I", whole[140:144])[0]
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = seeds.dicom()
    body = body[132 + 12 + struct.unpack("<I", body[140:144])[0] :]
    place = body.rindex(b"\xe0\x7f\x10\x00OW\0\0")
    packed = engine.compress(body[:place] + b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", size))
    for _ in range(size >> 20):
        packed += engine.compress(bytes(1 << 20))
    return whole[:start] + packed + engine.flush()


def _tiff(*tags: tuple[int, int, int, int]) -> bytes:
    """One page of 16 x 16 by hand; (tag, type, count, value) in place of the right ones."""
    right = {256: (3, 1, 16), 257: (3, 1, 16), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 200), 277: (3, 1, 1), 278: (3, 1, 16),
             279: (4, 1, 256)}  # fmt: skip
    right |= {tag: (kind, count, value) for tag, kind, count, value in tags}
    entries = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(right.items()))
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", len(right)) + entries + bytes(4)).ljust(200, b"\0") + bytes(range(256))


def _endless_tiff() -> bytes:
    """100,001 pages with the same pixels, each a directory of nine entries: 12 MB."""
    page = _tiff()[8:122]
    pages = [page[:-4] + struct.pack("<I", 300 + 114 * (n + 1)) for n in range(100_001)]
    return b"".join([b"II*\0" + struct.pack("<I", 300), bytes(192), bytes(range(100)), *pages])


def _bigtiff_count() -> bytes:
    return b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 1 << 62) + bytes(64)


def _nrrd(**fields: object) -> bytes:
    lines = {"type": "short", "dimension": 3, "sizes": "4 3 2", "endian": "little", "encoding": "raw"} | fields
    return ("NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "\n").encode() + bytes(48)


def _mha(**fields: object) -> bytes:
    lines = {"ObjectType": "Image", "NDims": 3, "DimSize": "4 3 2", "ElementType": "MET_SHORT"} | fields
    return ("".join(f"{key} = {value}\n" for key, value in lines.items()) + "ElementDataFile = LOCAL\n").encode() + bytes(48)


def _png(columns: int, rows: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


def _jpeg(rows: int, columns: int) -> bytes:
    whole = seeds.picture("jpeg")
    place = whole.index(b"\xff\xc0") + 5
    return _at(whole, place, ">HH", rows, columns)


def _stream_size(syntax: str, mark: bytes, skip: int, kind: str, *values: int) -> bytes:
    """A compressed slice whose codestream claims another size than the header."""
    whole = seeds.dicom(syntax)
    return _at(whole, whole.index(mark) + skip, kind, *values)


def _palette_bomb() -> bytes:
    """Segmented palettes in which a few bytes ask for indirect copies of indirect copies (PS3.3 C.7.9.2)."""
    discrete, indirect = [0, 2, 1, 2], [2, 60000, 0, 0]
    words = struct.pack(f"<{4 + 4 * 50}H", *discrete, *indirect * 50)
    tables = {f"Segmented{color}PaletteColorLookupTableData": words for color in ("Red", "Green", "Blue")}
    described = {f"{color}PaletteColorLookupTableDescriptor": [0, 0, 16] for color in ("Red", "Green", "Blue")}
    return seeds.dicom(PhotometricInterpretation="PALETTE COLOR", **tables, **described)


def _offsets() -> bytes:
    """A basic offset table that points far behind the file."""
    whole = seeds.dicom(".5")
    place = whole.index(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff") + 12
    return _at(whole, place + 8, "<I", 0x7FFFFFFE)


def _fragment() -> bytes:
    """A fragment that claims 4 GiB."""
    whole = seeds.dicom(".5")
    place = whole.rindex(b"\xfe\xff\x00\xe0", 0, whole.rindex(b"\xfe\xff\xdd\xe0"))
    return _at(whole, place + 4, "<I", 0xFFFFFFF0)


def _dicomdir() -> bytes:
    whole = seeds.dicomdir()
    return _at(whole, whole.index(b"\x04\x00\x20\x12SQ\0\0") + 8, "<I", 0xFFFFFFF0)


_NIFTI, _NIFTI2, _MGH, _ANALYZE = seeds.nifti(), seeds.nifti(2), seeds.mgh(), seeds.analyze()
_BIG = (3, 32000, 32000, 32000, 1, 1, 1, 1)

TABLE: dict[str, tuple[str, Callable[[], bytes]]] = {
    # name: (file's name, its bytes)
    "DICOM, 65535 x 65535": ("a.dcm", lambda: seeds.dicom(**HUGE)),
    "DICOM, implicit, 65535 x 65535": ("a.dcm", lambda: seeds.dicom("", **HUGE)),
    "DICOM, big endian, 65535 x 65535": ("a.dcm", lambda: seeds.dicom(".2", **HUGE)),
    "DICOM, 2147483647 frames": ("a.dcm", lambda: seeds.dicom(NumberOfFrames=2**31 - 1, Rows=4096, Columns=4096)),
    "DICOM, pixels of 4 GiB": ("a.dcm", lambda: _cut_pixels(seeds.dicom(**HUGE), 0xFFFFFFFE)),
    "DICOM, RLE of 8 GiB": ("a.dcm", lambda: seeds.dicom(".5", **HUGE)),
    "DICOM, RLE of 2147483647 frames": ("a.dcm", lambda: seeds.dicom(".5", NumberOfFrames=2**31 - 1)),
    "DICOM, JPEG of 4 GiB": ("a.dcm", lambda: seeds.dicom(".4.50", **HUGE)),
    "DICOM, JPEG lossless of 8 GiB": ("a.dcm", lambda: seeds.dicom(".4.70", **HUGE)),
    "DICOM, JPEG-LS of 8 GiB": ("a.dcm", lambda: seeds.dicom(".4.80", **HUGE)),
    "DICOM, JPEG 2000 of 8 GiB": ("a.dcm", lambda: seeds.dicom(".4.90", **HUGE)),
    "DICOM, HTJ2K of 8 GiB": ("a.dcm", lambda: seeds.dicom(".4.201", **HUGE)),
    "DICOM, deflated frame of 8 GiB": ("a.dcm", lambda: seeds.dicom(".8.1", **HUGE)),
    "DICOM, JPEG stream of 65500 x 65500": ("a.dcm", lambda: _stream_size(".4.50", b"\xff\xc0", 5, ">HH", 65500, 65500)),
    "DICOM, JPEG lossless stream of 65500 x 65500": ("a.dcm", lambda: _stream_size(".4.70", b"\xff\xc3", 5, ">HH", 65500, 65500)),
    "DICOM, JPEG-LS stream of 65500 x 65500": ("a.dcm", lambda: _stream_size(".4.80", b"\xff\xf7", 5, ">HH", 65500, 65500)),
    "DICOM, JPEG 2000 stream of 2^31 x 2^31": ("a.dcm", lambda: _stream_size(".4.90", b"\xff\x51", 6, ">II", 2**31 - 1, 2**31 - 1)),
    "DICOM, HTJ2K stream of 2^31 x 2^31": ("a.dcm", lambda: _stream_size(".4.201", b"\xff\x51", 6, ">II", 2**31 - 1, 2**31 - 1)),
    "DICOM, deflated to 400 MiB": ("a.dcm", lambda: _deflate_bomb(400 << 20)),
    "DICOM, nested 20,000 deep": ("a.dcm", lambda: _nested(20_000)),
    "DICOM, fragment of 4 GiB": ("a.dcm", _fragment),
    "DICOM, 7 samples of 32767 x 32767": ("a.dcm", lambda: seeds.dicom(SamplesPerPixel=7, Rows=32767, Columns=32767)),
    "NIfTI, 32000^3": ("a.nii", lambda: _at(_NIFTI, 40, "<8h", *_BIG)),
    "NIfTI, 32000^3 in a gzip": ("a.nii.gz", lambda: gzip.compress(_at(_NIFTI, 40, "<8h", *_BIG))),
    "NIfTI, seven axes of 32767": ("a.nii", lambda: _at(_NIFTI, 40, "<8h", 7, *[32767] * 7)),
    "NIfTI, 2^16 x 2^16 as a signed number": ("a.nii", lambda: _at(_NIFTI, 40, "<8h", 3, -1, -1, 2, 1, 1, 1, 1)),
    "NIfTI, voxels at byte 1e38": ("a.nii", lambda: _at(_NIFTI, 108, "<f", 1e38)),
    "NIfTI, voxels at NaN": ("a.nii", lambda: _at(_NIFTI, 108, "<f", float("nan"))),
    "NIfTI, a grid that is nearly flat": ("a.nii", lambda: _at(_NIFTI, 280, "<12f", 1, 0, 999, 0, 0, 1, 999, 0, 0, 0, 2, 0)),
    "NIfTI-2, 2^62": ("a.nii", lambda: _at(_NIFTI2, 16, "<8q", 3, 2**62, 2**62, 2**62, 1, 1, 1, 1)),
    "NIfTI-2, 2^21 each": ("a.nii", lambda: _at(_NIFTI2, 16, "<8q", 3, 2**21, 2**21, 2**21, 1, 1, 1, 1)),
    "NIfTI-2, voxels at byte 2^62": ("a.nii", lambda: _at(_NIFTI2, 168, "<q", 2**62)),
    "NRRD, 10^6 each": ("a.nrrd", lambda: _nrrd(sizes="1000000 1000000 1000000")),
    "NRRD, 2^31": ("a.nrrd", lambda: _nrrd(sizes="2147483648 1 1")),
    "NRRD, 10^300": ("a.nrrd", lambda: _nrrd(sizes=f"{10**300} 1 1")),
    "NRRD, 5000 digits": ("a.nrrd", lambda: _nrrd(sizes="9" * 5000 + " 1 1")),
    "NRRD, a negative size": ("a.nrrd", lambda: _nrrd(sizes="-4 3 2")),
    "NRRD, 10^9 axes": ("a.nrrd", lambda: _nrrd(dimension=10**9)),
    "NRRD, gzip of 10^12": ("a.nrrd", lambda: _nrrd(sizes="10000 10000 10000", encoding="gzip")),
    "NRRD, text of 10^12": ("a.nrrd", lambda: _nrrd(sizes="10000 10000 10000", encoding="ascii")),
    "NRRD, 10^6 lines to skip": ("a.nrrd", lambda: _nrrd(**{"line skip": 999_999})),
    "MetaImage, 10^5 each": ("a.mha", lambda: _mha(DimSize="100000 100000 100000")),
    "MetaImage, 1e308": ("a.mha", lambda: _mha(DimSize="1e308 1e308 2")),
    "MetaImage, NaN": ("a.mha", lambda: _mha(DimSize="nan 3 2")),
    "MetaImage, 10^9 channels": ("a.mha", lambda: _mha(ElementNumberOfChannels=10**9)),
    "MetaImage, zlib of 10^12": ("a.mha", lambda: _mha(DimSize="10000 10000 10000", CompressedData="True")),
    "MetaImage, header of 10^18 bytes": ("a.mha", lambda: _mha(HeaderSize=10**18)),
    "MGH, 2^23 each": ("a.mgh", lambda: _at(_MGH, 4, ">4i", *[1 << 23] * 4)),
    "MGZ, 2^12 each": ("a.mgz", lambda: gzip.compress(_at(_MGH, 4, ">4i", *[1 << 12] * 3, 1))),
    "Analyze, 32000^3": ("a.hdr", lambda: _at(_ANALYZE, 40, "<8h", *_BIG)),
    "PNG, 60000 x 60000": ("a.png", lambda: _png(60000, 60000)),
    "PNG, 2^31 x 2^31": ("a.png", lambda: _png(2**31 - 1, 2**31 - 1)),
    "JPEG, 65500 x 65500": ("a.jpg", lambda: _jpeg(65500, 65500)),
    "TIFF, 2^32 x 2^32": ("a.tif", lambda: _tiff((256, 4, 1, 2**32 - 1), (257, 4, 1, 2**32 - 1))),
    "TIFF, 60000 x 60000 deflated": ("a.tif", lambda: _tiff((256, 4, 1, 60000), (257, 4, 1, 60000), (259, 3, 1, 8))),
    "TIFF, 2^31 strips": ("a.tif", lambda: _tiff((279, 4, 2**31, 200), (273, 4, 2**31, 200))),
    "TIFF, a strip of 4 GiB": ("a.tif", lambda: _tiff((279, 4, 1, 0xFFFFFFF0))),
    "BigTIFF, 2^62 entries": ("a.tif", _bigtiff_count),
    "ZIP, a member of 4 GiB": ("a.zip", lambda: _zip(24, 0xFFFFFFFE)),
    "ZIP, packed 2 GiB": ("a.zip", lambda: _zip(20, 0x7FFFFFFF)),
}
"""All of these must be refused."""
HARMLESS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "DICOMDIR, sequence of 4 GiB": ("DICOMDIR", _dicomdir),
    "DICOM, offsets behind the end": ("a.dcm", _offsets),
    "DICOM, palette that copies itself": ("a.dcm", _palette_bomb),
    "TIFF, 100,001 pages": ("a.tif", _endless_tiff),
}
"""These may be opened as far as they are true."""


def _zip(place: int, value: int) -> bytes:
    whole = seeds.zipped({"film.png": seeds.picture("png")})
    return _at(whole, whole.index(b"PK\1\2") + place, "<I", value)


def write(folder: Path) -> None:
    """All of them, each in a folder of its own."""
    for number, (file, make) in enumerate((TABLE | HARMLESS).values()):
        place = folder / f"{number:03d}"
        place.mkdir(parents=True)
        seeds.beside(place)
        (place / file).write_bytes(make())


def main(folder: Path) -> None:
    """Read what :func:`write` has written, in a fresh process."""
    from tests.io.answering import answer_and_words
    from viewer.io import archive
    from viewer.jobs.pool import Pool

    found = {}
    with Pool(1) as pool:
        for number, (name, (file, _make)) in enumerate((TABLE | HARMLESS).items()):
            found[name] = answer_and_words(folder / f"{number:03d}" / file, pool)
    archive.forget()
    print(json.dumps({"answers": found, "peak": _peak("VmHWM"), "workers": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10}))


def _peak(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main(Path(sys.argv[1]))
