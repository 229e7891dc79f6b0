"""Compressed data is inflated as far as it is needed, and its damage is noticed."""

from __future__ import annotations

import bz2
import gzip
import io
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.errors import UnreadableFile
from viewer.io.inflate import inflate_into, inflated_length, pieces

PACK = {"gzip": lambda b: gzip.compress(b, mtime=0), "zlib": zlib.compress, "bzip2": bz2.compress}
FILE = Path("/x/packed.gz")


def unpack(packed: bytes, codec: str, size: int, skip: int = 0) -> bytes:
    target = bytearray(size)
    inflate_into(memoryview(target), io.BytesIO(packed), codec, skip=skip, path=FILE)
    return bytes(target)


@given(st.sampled_from(sorted(PACK)), st.binary(max_size=3000), st.integers(1, 2000), st.data())
def test_any_stretch_of_any_stream_comes_out(codec, content, times, data):
    whole = content * times
    skip = data.draw(st.integers(0, len(whole)))
    size = data.draw(st.integers(0, len(whole) - skip).filter(bool)) if len(whole) > skip else 0
    if size:
        assert unpack(PACK[codec](whole), codec, size, skip) == whole[skip : skip + size]


@pytest.mark.parametrize("codec", ["gzip", "bzip2"])
def test_members_one_after_another_are_one_stream(codec):
    packed = PACK[codec](b"abc") + PACK[codec](b"") + PACK[codec](b"defg")
    assert unpack(packed, codec, 7) == b"abcdefg"
    assert b"".join(pieces(io.BytesIO(packed + b"\0" * 512), codec, path=FILE)) == b"abcdefg"


@pytest.mark.parametrize("codec", PACK)
def test_every_cut_is_noticed(codec):
    whole = np.random.default_rng(1).bytes(5000)
    packed = PACK[codec](whole)
    for cut in (0, 1, 5, len(packed) // 2, len(packed) - 1):
        with pytest.raises(UnreadableFile, match=r"packed\.gz"):
            unpack(packed[:cut], codec, len(whole))


@pytest.mark.parametrize("codec", PACK)
def test_a_flipped_bit_is_noticed(codec):
    whole = b"some voxels " * 2000
    packed = bytearray(PACK[codec](whole))
    packed[len(packed) // 2] ^= 16
    with pytest.raises(UnreadableFile):
        unpack(bytes(packed), codec, len(whole))
    packed = bytearray(PACK["gzip"](whole))
    packed[-8] ^= 1
    with pytest.raises(UnreadableFile, match="checksum"):
        unpack(bytes(packed), "gzip", len(whole))


def test_a_bomb_is_not_inflated_beyond_what_is_asked():
    bomb = gzip.compress(bytes(200 << 20), compresslevel=1, mtime=0)
    tracemalloc.start()
    unpack(bomb, "gzip", 8192)
    assert inflated_length(io.BytesIO(bomb), "gzip", enough=8192, path=FILE) >= 8192
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_too_little_says_how_much_there_is():
    with pytest.raises(UnreadableFile, match=r"100 bytes of voxels are promised.*only 3 bytes"):
        unpack(PACK["gzip"](b"abc"), "gzip", 100)
