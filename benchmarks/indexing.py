"""Finding the series in one folder of 10,000 files, against pydicom over the same files, for the first time and again.

The files are made here as a scanner writes them: 20 series of 500 sections, about 100 elements each with private ones
and sequences, values of varied length, 32 x 32 pixels.
"""

from __future__ import annotations

import os
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.table import Row
from viewer.io import remembered
from viewer.io.open import find

FILES, SERIES = 10_000, 20
ROUNDS = 5
_LONG = frozenset({"OB", "OW", "SQ", "UN", "UT"})
_CT = "1.2.840.10008.5.1.4.1.1.2"
_ROOT = "1.2.276.0.7230010.3.1"


def rows() -> list[Row]:
    """First look, second look, and what the bare bytes take."""
    with tempfile.TemporaryDirectory() as folder:
        paths = make(Path(folder))
        return measure(Path(folder), paths)


def measure(folder: Path, paths: list[Path]) -> list[Row]:
    """Each way in turns, so that other work on the machine meets all of them."""
    from pydicom import dcmread

    def first() -> None:
        again()

    def again() -> None:
        listing = find([folder])
        if len(listing.series) != SERIES or listing.refused or sum(len(entry.files) for entry in listing.series) != len(paths):
            raise RuntimeError(f"{len(listing.series)} series, {len(listing.refused)} refused")

    def pydicom() -> None:
        for path in paths:
            dcmread(path, stop_before_pixels=True)

    def bytes_only() -> None:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            os.read(descriptor, 4096)
            os.close(descriptor)

    ways: tuple[Callable[[], None], ...] = (first, again, pydicom, bytes_only)
    first()  # warms the system's own memory of the files
    wall: list[list[float]] = [[] for _ in ways]
    cpu: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for number, way in enumerate(ways):
            if way is first:
                remembered.forget()
            start, start_cpu = time.perf_counter(), time.process_time()
            way()
            wall[number].append((time.perf_counter() - start) * 1000)
            cpu[number].append((time.process_time() - start_cpu) * 1000)
    here, second, rival, limit = (statistics.median(times) for times in wall)
    note = f"least {min(wall[0]):.0f} ms, CPU {statistics.median(cpu[0]):.0f} ms; pydicom CPU {statistics.median(cpu[2]):.0f} ms"
    size = f"{len(paths)} files"
    return [
        Row(f"finding the series of {size}", here, rival="pydicom", rival_figure=rival, at_most=1 / 8, note=note),
        Row(f"the same folder again, {size}", second, limit=300),
        Row(f"reading 4 KB of {size}", limit, note="what no index can be faster than"),
    ]


def make(folder: Path, files: int = FILES) -> list[Path]:
    """Write the files; their names are in no order of the sections."""
    paths = []
    for number in range(files):
        series, section = number % SERIES, number // SERIES
        path = folder / f"IM{number * 7919 % files:06d}"
        path.write_bytes(b"".join(_file(series, section)))
        paths.append(path)
    return paths


def element(group: int, number: int, vr: str, value: bytes | str) -> bytes:
    """One element, explicit little endian, padded to even length."""
    content = value.encode("latin-1") if isinstance(value, str) else value
    if len(content) % 2:
        content += b"\0" if vr in ("UI", "OB", "UN") else b" "
    if vr in _LONG:
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, len(content)) + content
    return struct.pack("<HH2sH", group, number, vr.encode(), len(content)) + content


def _file(series: int, section: int) -> Iterator[bytes]:
    uid = f"{_ROOT}.{1000 + series}.{17 * section + 3}.{section * section}"
    meta = element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", _CT) + element(2, 3, "UI", uid)
    meta += element(2, 0x10, "UI", "1.2.840.10008.1.2.1") + element(2, 0x12, "UI", _ROOT) + element(2, 0x13, "SH", "MADE_100")
    yield bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    second = f"{90000 + series * 40 + section / 13:.6f}"
    z = -200.5 + 0.625 * section
    for group, number, vr, value in _elements(series, section, uid, second, z):
        yield element(group, number, vr, value)


def _elements(series: int, section: int, uid: str, second: str, z: float) -> Iterator[tuple[int, int, str, bytes | str]]:
    """What a CT writes of a section."""
    short = struct.Struct("<H").pack
    yield from (
        (8, 5, "CS", "ISO_IR 100"), (8, 8, "CS", "ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI"), (8, 0x16, "UI", _CT), (8, 0x18, "UI", uid),
        (8, 0x20, "DA", "20240110"), (8, 0x21, "DA", "20240110"), (8, 0x22, "DA", "20240110"), (8, 0x23, "DA", "20240110"),
        (8, 0x30, "TM", "090000.123"), (8, 0x31, "TM", f"09{series:02d}00.5"), (8, 0x32, "TM", second), (8, 0x33, "TM", second),
        (8, 0x50, "SH", "A4711"), (8, 0x60, "CS", "CT"), (8, 0x70, "LO", "MAKER"), (8, 0x80, "LO", "Hospital of Examples"),
        (8, 0x81, "ST", "Street 1, Town"), (8, 0x90, "PN", "Referring^Doctor"), (8, 0x1010, "SH", "CT0001"), (8, 0x1030, "LO", "Thorax^Routine"),
        (8, 0x103E, "LO", f"Thorax {series}.0 B{30 + series}f"), (8, 0x1040, "LO", "Radiology"), (8, 0x1070, "PN", "Operator"),
        (8, 0x1090, "LO", "Model 64"), (8, 0x1140, "SQ", _item(element(8, 0x1150, "UI", _CT) + element(8, 0x1155, "UI", _ROOT + ".77.1"))),
        (9, 0x10, "LO", "MAKER CT HEADER"), (9, 0x1010, "LO", "private text"), (9, 0x1020, "UN", bytes(range(24))),
        (9, 0x1030, "DS", f"{section * 1.25:g}"), (0x10, 0x10, "PN", "Made^Patient"), (0x10, 0x20, "LO", "ID0815"), (0x10, 0x30, "DA", "19500101"),
        (0x10, 0x40, "CS", "O"), (0x10, 0x1010, "AS", "074Y"), (0x18, 0x15, "CS", "CHEST"), (0x18, 0x22, "CS", "HELICAL MODE"),
        (0x18, 0x50, "DS", "1"), (0x18, 0x60, "DS", "120"), (0x18, 0x90, "DS", "500"), (0x18, 0x1000, "LO", "12345"),
        (0x18, 0x1020, "LO", "syngo 2010A"), (0x18, 0x1030, "LO", "1_ThoraxRoutine"), (0x18, 0x1100, "DS", "340"), (0x18, 0x1110, "DS", "1085.6"),
        (0x18, 0x1111, "DS", "595"), (0x18, 0x1120, "DS", "0"), (0x18, 0x1130, "DS", f"{150 + z / 10:.1f}"), (0x18, 0x1140, "CS", "CW"),
        (0x18, 0x1150, "IS", "500"), (0x18, 0x1151, "IS", str(200 + section % 90)), (0x18, 0x1152, "IS", "113"), (0x18, 0x1160, "SH", "FLAT"),
        (0x18, 0x1170, "IS", "38"), (0x18, 0x1190, "DS", "1.2"), (0x18, 0x1210, "SH", f"B{30 + series}f"), (0x18, 0x5100, "CS", "HFS"),
        (0x18, 0x9306, "FD", struct.pack("<d", 0.6)), (0x18, 0x9311, "FD", struct.pack("<d", 0.9)),
        (0x18, 0x9345, "FD", struct.pack("<d", 7 + section / 1000)), (0x19, 0x10, "LO", "MAKER CT VA0"), (0x19, 0x1092, "UN", b"private" * 10),
        (0x19, 0x10B0, "FD", struct.pack("<d", section / 7)), (0x20, 0xD, "UI", _ROOT + ".9"), (0x20, 0xE, "UI", f"{_ROOT}.9.{1000 + series}"),
        (0x20, 0x10, "SH", "1"), (0x20, 0x11, "IS", str(series + 1)), (0x20, 0x12, "IS", "3"), (0x20, 0x13, "IS", str(section + 1)),
        (0x20, 0x32, "DS", f"-170.33\\-312.5\\{z:g}"), (0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0"), (0x20, 0x52, "UI", _ROOT + ".9.5"),
        (0x20, 0x1040, "LO", ""), (0x20, 0x1041, "DS", f"{z:g}"), (0x20, 0x4000, "LT", "made for a benchmark"), (0x21, 0x10, "LO", "MAKER MED"),
        (0x21, 0x1011, "DS", "1.5\\2.5"), (0x28, 2, "US", short(1)), (0x28, 4, "CS", "MONOCHROME2"), (0x28, 0x10, "US", short(32)),
        (0x28, 0x11, "US", short(32)), (0x28, 0x30, "DS", "0.6640625\\0.6640625"), (0x28, 0x100, "US", short(16)), (0x28, 0x101, "US", short(12)),
        (0x28, 0x102, "US", short(11)), (0x28, 0x103, "US", short(0)), (0x28, 0x106, "US", short(section % 7)),
        (0x28, 0x107, "US", short(2000 + section % 500)), (0x28, 0x1050, "DS", "40\\-600"), (0x28, 0x1051, "DS", "400\\1200"),
        (0x28, 0x1052, "DS", "-1024"), (0x28, 0x1053, "DS", "1"), (0x28, 0x1055, "LO", "WINDOW1\\WINDOW2"), (0x29, 0x10, "LO", "MAKER CSA HEADER"),
        (0x29, 0x1008, "CS", "SOM 5"), (0x29, 0x1009, "LO", "VA10A 971201"), (0x29, 0x1010, "OB", bytes(400)),
        (0x32, 0x1032, "PN", "Requesting^Doctor"), (0x32, 0x1060, "LO", "CT Thorax"), (0x40, 2, "DA", "20240110"), (0x40, 3, "TM", "085500"),
        (0x40, 0x244, "DA", "20240110"), (0x40, 0x245, "TM", "090000"),
        (0x40, 0x275, "SQ", _item(element(0x40, 7, "LO", "CT Thorax") + element(0x40, 9, "SH", "S1"))), (0x51, 0x10, "LO", "MAKER END"),
        (0x51, 0x1001, "LO", "last"), (0x7FE0, 0x10, "OW", struct.pack("<H", section) * 1024),
    )  # fmt: skip


def _item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
