"""RELIABILITY choice 6: what is native or foreign runs in workers alone; this process only reads headers and copies numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import jpeg_ls
import nibabel
import openjpeg.utils
import PIL.Image
import PIL.ImageFile
import pydicom.pixels
import pytest
import SimpleITK as sitk
import tifffile

from tests.io import seeds
from viewer.core.errors import NegatoscopeError
from viewer.io import archive, picture_stack
from viewer.io import open as opening
from viewer.jobs.pool import Pool

CODECS = ("jpeg", "jpeg8", "jpegsof3", "ljpeg", "jpegls", "jpeg2k", "htj2k", "packbits", "png", "tiff", "lzw", "zstd")


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    pool = Pool(1)
    pool.warm()
    yield pool
    pool.close()
    archive.forget()


@pytest.fixture
def no_native_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way into a native or foreign reader raises, in this process."""

    def forbidden(*_args: object, **_more: object) -> None:
        raise AssertionError("a native reader ran in the program's own process")

    places: list[tuple[object, str]] = [
        (PIL.Image, "open"), (PIL.Image.Image, "load"), (PIL.ImageFile.ImageFile, "load"), (tifffile, "TiffFile"), (tifffile, "imread"),
        (nibabel, "load"), *((openjpeg.utils, name) for name in ("decode", "decode_pixel_data", "get_parameters")),
        (jpeg_ls, "decode_buffer"), (pydicom.pixels, "pixel_array"), (pydicom.pixels, "iter_pixels"),
        *((sitk, name) for name in ("ReadImage", "ImageFileReader", "ImageSeriesReader", "ReadTransform")),
        *((imagecodecs, f"{name}_decode") for name in CODECS),
    ]  # fmt: skip
    for place, name in places:
        monkeypatch.setattr(place, name, forbidden)


def test_the_guard_guards(tmp_path: Path, inline_pool: Pool, request: pytest.FixtureRequest) -> None:
    made = {}
    for kind in ("png", "tiff", "dicom.4.80", "dicom.4.90"):
        file, make = seeds.PLAIN[kind]
        (tmp_path / kind).mkdir()
        made[kind] = tmp_path / kind / file
        made[kind].write_bytes(make())
    request.getfixturevalue("no_native_reader")
    with pytest.raises(AssertionError, match="own process"):
        imagecodecs.jpegls_decode(b"")
    for path in made.values():  # with the jobs in this process the guard is met
        (entry,) = opening.find([path]).series
        with pytest.raises((AssertionError, NegatoscopeError), match=r"own process|cannot be decoded|could not be decoded"):
            opening.load(entry, pool=inline_pool)


@pytest.mark.leaves("children", "threads")  # the module's pool
@pytest.mark.parametrize("kind", seeds.PLAIN)
def test_one_file_of_each_kind_opens_with_every_native_reader_barred(
    kind: str, tmp_path: Path, workers: Pool, request: pytest.FixtureRequest
) -> None:
    file, make = seeds.PLAIN[kind]
    seeds.beside(tmp_path)
    (tmp_path / file).write_bytes(make())
    request.getfixturevalue("no_native_reader")  # only now: the files are made with these
    listing = opening.find([tmp_path / file])
    assert listing.series
    for entry in listing.series:
        assert opening.load(entry, pool=workers).data.size
        assert opening.load_plane(entry, 0, 0, pool=workers).data.size
    archive.forget()


@pytest.mark.leaves("children", "threads")
def test_a_stack_of_pictures_too(tmp_path: Path, workers: Pool, request: pytest.FixtureRequest) -> None:
    for n in range(3):
        (tmp_path / f"{n}.png").write_bytes(seeds.picture("png"))
    request.getfixturevalue("no_native_reader")
    (entry,) = picture_stack.find([tmp_path], (1, 1, 1)).series
    assert opening.load(entry, pool=workers).data.size
