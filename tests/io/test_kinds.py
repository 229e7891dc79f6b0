"""What is no image is refused by what it is, not by a shrug."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viewer.io import open as opening


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(out, kind)
    return out.getvalue()


def tar(mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as file:
        file.addfile(tarfile.TarInfo("a.dcm"), io.BytesIO())
    return out.getvalue()


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
    return out.getvalue()


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(3))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5"),
        (b"CDF\x01" + bytes(50), "NetCDF"),
        (b"MATRIX72v" + bytes(50), "ECAT 7"),
        (b"# === DATA DESCRIPTION FILE ====\n", "PAR"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (npy(), "NumPy"),
        (tar(), "tar archive"),
        (tar("w:gz"), "tar archive"),
        (tar("w:bz2"), "bzip2 archive"),
        (tar("w:xz"), "xz archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(30), "7z archive"),
        (b"Rar!\x1a\x07\x01\0" + bytes(30), "RAR archive"),
        (b"\x28\xb5\x2f\xfd" + bytes(30), "Zstandard archive"),
        (bytes(0x8001) + b"CD001\x01" + bytes(30), "ISO archive"),
        (bz2.compress(b"x"), "bzip2"),
        (lzma.compress(b"x"), "xz"),
        (gzip.compress(b"words", mtime=0), "gzipped file that holds no image"),
        (b"\0\0\0\x20ftypisom" + bytes(30), "MP4"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (sound(), "no kind of file"),
        (b"\x1a\x45\xdf\xa3" + bytes(30), "Matroska"),
        (picture("gif"), "GIF picture"),
        (picture("bmp"), "BMP picture"),
        (picture("webp"), "WebP picture"),
        (picture("jpeg2000"), "JPEG 2000 picture"),
        (b"solid ascii\nfacet normal", "STL"),
        (b"ply\nformat ascii 1.0", "PLY"),
        (b"SQLite format 3\0" + bytes(30), "SQLite"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"\x7fELF" + bytes(30), "program"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_well_known_files_are_refused_by_what_they_are(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "scan.dcm"
    path.write_bytes(content)
    for given in (path, tmp_path):
        listing = opening.find([given])
        assert not listing.series
        assert listing.refused[0].reason.startswith("scan.dcm: it is")
        assert words in listing.refused[0].reason


def test_a_tar_archive_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "study.tar").write_bytes(tar())
    (refusal,) = opening.find([tmp_path / "study.tar"]).refused
    assert refusal.reason == "study.tar: it is a tar archive, which is not opened here. Unpack it and open the folder."


def test_a_zip_among_other_files_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as file:
        file.writestr("a.txt", "x")
    (refusal,) = opening.find([tmp_path]).refused
    assert "Open it by itself" in refusal.reason
