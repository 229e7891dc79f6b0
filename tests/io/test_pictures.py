"""Pictures: grey stays grey, colour is RGB, 16 bits stay 16, a resolution in DPI is no pixel spacing."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tifffile
from PIL import Image

from viewer.core.errors import NegatoscopeError
from viewer.io import pictures
from viewer.jobs.pool import Pool

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 256, (7, 5)).astype(np.uint8)
DEEP = RNG.integers(0, 65536, (7, 5)).astype(np.uint16)
COLOR = RNG.integers(0, 256, (7, 5, 3)).astype(np.uint8)


def opened(path, pool):
    listing = pictures.scan([path])
    assert not listing.refused, listing.refused
    entry = listing.series[0]
    volume = pictures.load(entry, pool=pool)
    assert (entry.shape, entry.phases, entry.is_color, entry.kind) == (volume.geometry.shape, volume.phases, volume.is_color, volume.kind)
    return volume


@pytest.mark.parametrize("picture", [GREY, DEEP, COLOR], ids=["grey", "grey 16", "colour"])
@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_exact_formats_are_exact_and_without_spacing(tmp_path, inline_pool, picture, ending):
    Image.fromarray(picture).save(tmp_path / f"p.{ending}", dpi=(300, 300))
    volume = opened(tmp_path / f"p.{ending}", inline_pool)
    assert np.array_equal(volume.values[0], picture)
    assert volume.values.dtype == picture.dtype
    assert volume.is_color == (picture.ndim == 3)
    assert not volume.geometry.in_plane_known
    assert not volume.geometry.is_patient
    assert volume.geometry.unit == "px"


def test_jpeg_equals_pillow_and_grey_stays_grey(tmp_path, inline_pool):
    for picture in (GREY, COLOR):
        Image.fromarray(picture).save(tmp_path / "p.jpg", quality=90)
        volume = opened(tmp_path / "p.jpg", inline_pool)
        assert np.array_equal(volume.values[0], np.asarray(Image.open(tmp_path / "p.jpg")))
        assert volume.is_color == (picture.ndim == 3)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_other_modes_become_grey_or_rgb(tmp_path, inline_pool, mode):
    source = Image.fromarray(DEEP) if mode == "I;16" else Image.fromarray(COLOR).convert(mode)
    ending = "tiff" if mode == "CMYK" else "png"
    source.save(tmp_path / f"p.{ending}")
    if mode == "CMYK":
        listing = pictures.scan([tmp_path / "p.tiff"])
        with pytest.raises(NegatoscopeError, match="not supported"):
            pictures.load(listing.series[0], pool=inline_pool)
        return
    volume = opened(tmp_path / f"p.{ending}", inline_pool)
    truth = DEEP if mode == "I;16" else np.asarray(source.convert("L" if mode in ("1", "LA") else "RGB"))
    assert np.array_equal(volume.values[0], truth)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"compression": "lzw"}, {"bigtiff": True}, {"byteorder": ">"}, {"tile": (16, 16)}])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_tiff_stacks_are_planes(tmp_path, inline_pool, options, dtype):
    stack = (RNG.normal(size=(4, 20, 30)) * 50 + 100).astype(dtype)
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack", **options)
    volume = opened(tmp_path / "s.tif", inline_pool)
    assert volume.kind == "volume"
    assert np.array_equal(volume.values, stack)
    entry = pictures.scan([tmp_path / "s.tif"]).series[0]
    assert np.array_equal(pictures.load_plane(entry, 2, 0, pool=inline_pool).values[0], stack[2])


def test_tiff_over_time_is_phases_and_white_is_zero_is_only_shown_so(tmp_path, inline_pool):
    stack = RNG.integers(0, 256, (4, 20, 30)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "t.tif", stack, imagej=True, metadata={"axes": "TYX"})
    volume = opened(tmp_path / "t.tif", inline_pool)
    assert (volume.kind, volume.data.shape) == ("cine", (4, 1, 20, 30))
    tifffile.imwrite(tmp_path / "w.tif", GREY, photometric="miniswhite")
    volume = opened(tmp_path / "w.tif", inline_pool)
    assert volume.is_inverted
    assert np.array_equal(volume.values[0], GREY)


def test_tiff_colours_of_16_bits_planar_and_palette(tmp_path, inline_pool):
    deep = RNG.integers(0, 65536, (7, 5, 3)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "d.tif", deep, photometric="rgb")
    assert np.array_equal(opened(tmp_path / "d.tif", inline_pool).values[0], deep >> 8)
    tifffile.imwrite(tmp_path / "p.tif", np.moveaxis(COLOR, -1, 0), photometric="rgb", planarconfig="separate")
    assert np.array_equal(opened(tmp_path / "p.tif", inline_pool).values[0], COLOR)
    table = RNG.integers(0, 65536, (3, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "q.tif", GREY, photometric="palette", colormap=table)
    assert np.array_equal(opened(tmp_path / "q.tif", inline_pool).values[0], np.moveaxis(table[:, GREY] >> 8, 0, -1))


def test_every_cut_is_refused_by_name(tmp_path, inline_pool):
    Image.fromarray(COLOR).save(tmp_path / "a.png")
    Image.fromarray(COLOR).save(tmp_path / "a.jpg")
    tifffile.imwrite(tmp_path / "a.tif", GREY, compression="zlib")
    for path in list(tmp_path.iterdir()):
        whole = path.read_bytes()
        for cut in (3, 9, 20, len(whole) // 2, len(whole) - 3):
            bad = path.with_name(f"cut{path.suffix}")
            bad.write_bytes(whole[:cut])
            listing = pictures.scan([bad])
            if listing.series:
                with pytest.raises(NegatoscopeError, match="cut"):
                    pictures.load(listing.series[0], pool=inline_pool)
            else:
                assert "cut" in listing.refused[0].reason


def test_the_limit_of_pixels_is_for_this_picture_alone(tmp_path, inline_pool):
    limit = Image.MAX_IMAGE_PIXELS
    Image.fromarray(GREY).save(tmp_path / "a.png")
    opened(tmp_path / "a.png", inline_pool)
    assert limit == Image.MAX_IMAGE_PIXELS
    gate = threading.Barrier(4)

    def read_some() -> None:
        gate.wait()
        for _turn in range(25):
            opened(tmp_path / "a.png", inline_pool)

    readers = [threading.Thread(target=read_some) for _reader in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert limit == Image.MAX_IMAGE_PIXELS  # nor of the picture that another thread reads meanwhile


def test_a_damaged_tag_costs_no_words_of_the_library(tmp_path, inline_pool, caplog):
    tifffile.imwrite(tmp_path / "a.tif", GREY, software="x" * 20)
    whole = bytearray((tmp_path / "a.tif").read_bytes())
    at = whole.index((305).to_bytes(2, "little") + (2).to_bytes(2, "little"))  # the tag Software, ASCII
    whole[at + 2 : at + 4] = b"\xff\xdb"
    (tmp_path / "a.tif").write_bytes(whole)
    opened(tmp_path / "a.tif", inline_pool)
    assert not caplog.records


def test_a_header_that_lies_about_its_size_is_refused_before_decoding(tmp_path, shared_data):
    import subprocess
    import sys

    subprocess.run([sys.executable, shared_data / "make_bad.py", tmp_path / "bad"], check=True, capture_output=True)
    listing = pictures.scan([tmp_path / "bad" / "huge_header.png"])
    assert "huge_header.png" in listing.refused[0].reason


def test_decoding_happens_in_another_process(tmp_path, monkeypatch):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "open", lambda *_a, **_k: pytest.fail("decoded in this process"))
    with Pool(workers=1) as pool:
        assert np.array_equal(opened(tmp_path / "a.png", pool).values[0], GREY)
        (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes().replace(b"IDAT", b"IDAT\x00", 1))
        listing = pictures.scan([tmp_path / "b.png"])
        for entry in listing.series:
            with pytest.raises(NegatoscopeError, match=r"b\.png"):
                pictures.load(entry, pool=pool)
