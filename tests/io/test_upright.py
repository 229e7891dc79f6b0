"""Pictures that a camera has stored as they fell are shown as they are meant to be seen: Pillow's own turning is the oracle."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from viewer.io import open as opening
from viewer.io import picture_headers, picture_stack, pictures, upright
from viewer.jobs.pool import Pool

RNG = np.random.default_rng(12)
GREY = RNG.integers(0, 256, (24, 40)).astype(np.uint8)
COLOR = RNG.integers(0, 256, (24, 40, 3)).astype(np.uint8)
ALL = range(1, 9)
TURNED = {
    1: np.asarray, 2: np.fliplr, 3: lambda p: np.rot90(p, 2), 4: np.flipud, 5: np.transpose, 6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).T, 8: np.rot90,
}  # fmt: skip
"""EXIF 2.3, tag 0x0112: where the 0th row and column of what is stored are to be seen."""


def exif(orientation: int, order: str = "<") -> bytes:
    """A block with another tag before it, as cameras write."""
    maker = struct.pack(f"{order}HHI4s", 271, 2, 4, b"Cam\0")
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, 2) + maker + struct.pack(
        f"{order}HHIHHI", upright.ORIENTATION, 3, 1, orientation, 0, 0
    )  # fmt: skip


def opened(path: Path, pool: Pool) -> Any:
    (entry,) = pictures.scan([path]).series
    volume = pictures.load(entry, pool=pool)
    assert entry.shape == volume.geometry.shape == volume.values.shape[:3]
    return volume


def seen(path: Path) -> np.ndarray:
    """What Pillow shows once it has turned the picture."""
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture))


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("picture", [GREY, COLOR], ids=["grey", "colour"])
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_picture_is_turned_as_its_file_says(
    tmp_path: Path, inline_pool: Pool, ending: str, picture: np.ndarray, order: str, orientation: int
) -> None:
    path = tmp_path / f"p.{ending}"
    block = exif(orientation, order)
    Image.fromarray(picture).save(path, exif=b"Exif\0\0" + block if ending == "jpg" else block)
    volume = opened(path, inline_pool)
    assert np.array_equal(volume.values[0], seen(path))
    said = [note.text for note in volume.notes if note.topic == "geometry"]
    told = f"Shown as the file says that it is meant to be seen: {upright.HOW.get(orientation)} (EXIF orientation {orientation})."
    assert said == ([] if orientation == 1 else [told])


@pytest.mark.parametrize("orientation", ALL)
def test_a_tiff_of_packed_bits_pages_and_imagejs_spacing_is_turned_too(tmp_path: Path, inline_pool: Pool, orientation: int) -> None:
    path = tmp_path / "p.tif"
    tag = [(upright.ORIENTATION, "H", 1, orientation, True)]
    tifffile.imwrite(path, GREY, extratags=tag)
    # Pillow 13 mixes up the rows of uncompressed TIFF pictures that lie on their side: a PNG of the same orientation is the oracle.
    Image.fromarray(GREY).save(tmp_path / "p.png", exif=exif(orientation))
    assert np.array_equal(opened(path, inline_pool).values[0], seen(tmp_path / "p.png"))
    bits = (GREY > 127)[:, :39]  # rows of 39 bits fill five bytes, columns of 24 fill three
    tifffile.imwrite(path, bits, photometric="minisblack", bitspersample=1, extratags=tag)
    assert np.array_equal(opened(path, inline_pool).values[0], TURNED[orientation](bits))
    tifffile.imwrite(path, np.stack([GREY, 255 - GREY]), photometric="minisblack", extratags=tag)
    assert np.array_equal(opened(path, inline_pool).values, np.stack([TURNED[orientation](page) for page in (GREY, 255 - GREY)]))
    tifffile.imwrite(path, GREY, imagej=True, resolution=(2.0, 4.0), metadata={"unit": "mm"}, extratags=tag)
    spacing = opened(path, inline_pool).geometry.spacing
    assert spacing[1:] == pytest.approx((0.5, 0.25) if orientation >= 5 else (0.25, 0.5))


def test_xmp_tells_where_exif_does_not(tmp_path: Path, inline_pool: Pool) -> None:
    path = tmp_path / "p.jpg"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    Image.fromarray(GREY).save(path, xmp=xmp)
    assert np.array_equal(opened(path, inline_pool).values[0], seen(path))
    assert opened(path, inline_pool).values.shape == (1, 40, 24)
    Image.fromarray(GREY).save(path, xmp=xmp, exif=b"Exif\0\0" + exif(3))
    assert np.array_equal(opened(path, inline_pool).values[0], seen(path))


@pytest.mark.parametrize(
    "block", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", exif(0), exif(9), exif(6)[:-14], b"\0" * 40, exif(6).replace(b"II", b"XX")]
)
def test_what_makes_no_sense_leaves_the_picture_as_it_is(tmp_path: Path, inline_pool: Pool, block: bytes) -> None:
    assert upright.of_exif(block) == 0
    path = tmp_path / "p.png"
    Image.fromarray(GREY).save(path)
    whole = path.read_bytes()
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block
    path.write_bytes(whole[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + whole[33:])
    assert np.array_equal(opened(path, inline_pool).values[0], GREY)


def test_a_stack_of_pictures_that_fell_otherwise_lies_upright(tmp_path: Path, inline_pool: Pool) -> None:
    Image.fromarray(GREY).save(tmp_path / "a1.png")
    Image.fromarray(np.rot90(GREY)).save(tmp_path / "a2.png", exif=exif(6))
    (entry,) = picture_stack.find([tmp_path], (0.5, 0.5, 1.0)).series
    volume = opening.load(entry, pool=inline_pool)
    assert np.array_equal(volume.values, np.stack([GREY, GREY]))
    assert any("1 picture was turned" in note.text for note in entry.notes)


def test_the_size_in_the_list_is_that_of_the_picture_as_seen(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "p.jpg", exif=b"Exif\0\0" + exif(8))
    found = picture_headers.read(tmp_path / "p.jpg")
    assert (found.rows, found.columns, found.stored_size) == (40, 24, (24, 40))
