"""The gate refuses what no image can be, and says why in numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.core.errors import NegatoscopeError, TooLarge, UnreadableFile
from viewer.io import gate

FILE = Path("/somewhere/liar.nii")


@pytest.fixture(autouse=True)
def _budget():
    gate.set_limit(1 << 30)
    yield
    gate.set_limit(None)


@pytest.mark.parametrize(
    "shape",
    [(0,), (-4, 4, 4), (4, 0, 4), (2**31, 1), (math.nan, 4), (1e308, 4), (math.inf,), (4.5, 4), ("4", 4), (None, 4), (2**64,), (4, 4, -1)],
)
def test_a_dimension_that_no_image_has_is_refused_by_name(shape):
    with pytest.raises(UnreadableFile, match=r"liar\.nii"):
        gate.check(shape, 2, path=FILE)


@pytest.mark.parametrize("shape", [(2**16, 2**16), (2**31 - 1,) * 3, (32767,) * 7, (65535, 65535, 2), (10**6,) * 3])
def test_a_product_beyond_the_budget_is_refused_with_three_numbers(shape):
    with pytest.raises(TooLarge, match=r"liar\.nii: this needs \S+ \w+, \S+ \w+ is free to use, the limit is 1\.0 GiB"):
        gate.check(shape, 8, path=FILE)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.sampled_from([1, 2, 4, 8]))
def test_bytes_are_the_product_and_uncompressed_data_must_hold_them(shape, itemsize):
    needed = math.prod(shape) * itemsize
    assert gate.check(tuple(shape), itemsize, path=FILE, available=needed) == needed
    with pytest.raises(UnreadableFile, match="only"):
        gate.check(tuple(shape), itemsize, path=FILE, available=needed - 1)


def test_an_absurd_ratio_is_asked_about_only_above_256_mib():
    assert gate.check((256, 1024, 1024), 1, path=FILE, available=10, ratio=gate.LOSSLESS_RATIO) == 256 << 20
    with pytest.raises(TooLarge, match="200 times"):
        gate.check((257, 1024, 1024), 1, path=FILE, available=(257 << 20) // 200 - 1, ratio=gate.LOSSLESS_RATIO)
    assert gate.check((257, 1024, 1024), 1, path=FILE, available=(257 << 20) // 200 + 1, ratio=gate.LOSSLESS_RATIO) == 257 << 20


def test_what_is_open_counts_against_the_budget():
    from viewer.core import memory

    gate.set_limit((3 << 20) + memory.live_bytes())
    assert gate.check((2 << 20,), 1, path=FILE) == 2 << 20
    kept = memory.allocate((2 << 20,), "u1")
    with pytest.raises(TooLarge):
        gate.check((2 << 20,), 1, path=FILE)
    frozen = memory.freeze(kept)
    assert gate.free() == 1 << 20  # one memory file, two mappings: counted once
    del kept, frozen
    assert gate.check((2 << 20,), 1, path=FILE) == 2 << 20


def test_half_of_the_ram_is_the_default_budget():
    gate.set_limit(None)
    assert gate.limit() == gate.total_ram() // 2
    assert 0 < gate.available_ram() <= gate.total_ram() * 1.5


def test_a_name_cannot_write_on_the_terminal():
    with pytest.raises(NegatoscopeError) as caught:
        gate.check((0,), 1, path=Path("a\x1b]0;x\x07\n\u202e.nii"))
    assert all(c.isprintable() for c in str(caught.value))
