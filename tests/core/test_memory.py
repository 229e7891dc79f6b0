"""Shared arrays: read-only for good once frozen, the same pages for whoever maps them, gone when nobody refers to them."""

from __future__ import annotations

import dataclasses
import gc
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from viewer.core import memory


def test_a_new_array_is_zero_writable_contiguous_and_counted() -> None:
    before, bytes_before = memory.live_blocks(), memory.live_bytes()
    array = memory.allocate((3, 4, 5), np.int16)
    assert (array.shape, array.dtype, array.flags.c_contiguous, array.flags.writeable) == ((3, 4, 5), np.dtype(np.int16), True, True)
    assert not array.any()
    assert memory.live_blocks() == before + 1
    assert memory.live_bytes() - bytes_before == 120


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), ()])
def test_empty_and_tiny_arrays_can_be_shared_too(shape: tuple[int, ...]) -> None:
    array = memory.allocate(shape, np.float32)
    assert array.shape == shape
    frozen = memory.freeze(array)
    assert frozen.shape == shape


def test_a_frozen_array_cannot_be_made_writable_again() -> None:
    frozen = memory.freeze(memory.allocate((4, 4), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        frozen[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        frozen.flags.writeable = True


def test_freezing_shares_the_pages_of_a_shared_array_and_copies_any_other() -> None:
    array = memory.allocate((4, 4), np.uint8)
    frozen = memory.freeze(array)
    array[1, 1] = 7
    assert frozen[1, 1] == 7
    assert memory.freeze(frozen) is frozen
    plain = np.arange(16, dtype=np.uint8).reshape(4, 4)
    copied = memory.freeze(plain)
    plain[0, 0] = 99
    assert copied[0, 0] == 0
    np.testing.assert_array_equal(memory.freeze(array[:, ::2]), array[:, ::2])


@pytest.mark.parametrize(
    "view", [lambda a: a, lambda a: a[2:5], lambda a: a[:, 1:3], lambda a: a[:, :, 2], lambda a: a[::2, ::3], lambda a: a.transpose(2, 0, 1)]
)  # fmt: skip
def test_any_view_of_a_shared_array_travels_without_a_copy(view: object) -> None:
    array = memory.allocate((6, 7, 8), np.int32)
    array[...] = np.arange(array.size).reshape(array.shape)
    part = view(array)  # type: ignore[operator]
    handle, descriptor = memory.share(part)
    again = memory.attach(handle, descriptor)
    np.testing.assert_array_equal(again, part)
    array += 1
    np.testing.assert_array_equal(again, part)
    assert again.flags.writeable is False


def test_an_array_of_ordinary_memory_travels_as_a_copy() -> None:
    plain = np.arange(24).reshape(4, 6)[::-1]
    handle, descriptor = memory.share(plain)
    np.testing.assert_array_equal(memory.attach(handle, descriptor), plain)


def test_a_writable_attachment_fills_the_senders_memory() -> None:
    array = memory.allocate((5,), np.float32)
    handle, descriptor = memory.share(array)
    memory.attach(handle, descriptor, writable=True)[...] = 2.5
    assert array.tolist() == [2.5] * 5


def test_blocks_and_their_descriptors_go_with_the_last_array() -> None:
    before = memory.live_blocks(), len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    arrays = [memory.freeze(memory.allocate((100, 100), np.uint8)) for _ in range(20)]
    part = arrays[3][5:10]
    del arrays
    gc.collect()
    assert memory.live_blocks() == before[0] + 1
    assert part.sum() == 0
    del part
    gc.collect()
    assert memory.live_blocks() == before[0]
    if before[1]:
        assert len(os.listdir("/proc/self/fd")) == before[1]


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not passed there")
def test_another_process_sees_the_same_pages() -> None:
    array = memory.allocate((50, 60), np.int16)
    array[...] = 3
    handle, descriptor = memory.share(array)
    code = (
        "from viewer.core import memory\n"
        f"handle = memory.Handle({handle.size}, {handle.offset}, {handle.shape}, {handle.strides}, {handle.dtype!r})\n"
        f"array = memory.attach(handle, {descriptor}, writable=True)\n"
        "assert (array == 3).all(); array[7, 8] = 11"
    )
    subprocess.run([sys.executable, "-c", code], pass_fds=[descriptor], check=True)
    os.close(descriptor)
    assert array[7, 8] == 11


def test_a_large_block_is_given_back_beside_the_caller() -> None:
    before = memory.live_bytes()
    array = memory.allocate((64, 1024, 1024), np.uint8)
    array[...] = 1
    descriptor = memory.locate(array)[0].descriptor  # type: ignore[index]
    frozen = memory.freeze(array)
    del array
    assert frozen[3, 4, 5] == 1
    del frozen
    gc.collect()
    assert memory.live_bytes() == before
    limit = time.monotonic() + 5
    while time.monotonic() < limit and os.path.exists(f"/proc/self/fd/{descriptor}"):
        threading.Event().wait(0.005)
    assert not os.path.exists(f"/proc/self/fd/{descriptor}")


def test_a_file_that_cannot_be_mapped_leaves_no_descriptor() -> None:
    handle, descriptor = memory.share(memory.allocate((10,), np.uint8))
    with pytest.raises((ValueError, OSError)):
        memory.attach(dataclasses.replace(handle, size=1 << 40), descriptor)
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_blocks_can_be_counted_while_others_are_closed() -> None:
    """A thread that asks for the memory in use must not meet a block that is just being unmapped."""
    stop = threading.Event()
    wrong: list[BaseException] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                memory.live_bytes()
            except Exception as error:  # noqa: BLE001  whatever it is fails the test
                wrong.append(error)
                return

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(300):
        memory.allocate((17 << 20,), np.uint8)
    stop.set()
    asking.join()
    assert not wrong


def test_writing_through_the_file_is_seen_by_every_mapping_and_stops_at_its_part() -> None:
    whole = memory.allocate((3, 256, 256), np.int16)
    whole[...] = 7
    values = np.arange(256 * 256, dtype=np.int16).reshape(256, 256)
    memory.write(whole[1], values)
    assert np.array_equal(whole[1], values)
    assert (whole[[0, 2]] == 7).all()
    memory.write(whole[2], values[::-1].astype(np.int64))  # another type, not contiguous
    assert np.array_equal(whole[2], values[::-1])
    memory.write(whole[0, :2], np.int16(5))  # small: in place
    assert (whole[0, :2] == 5).all()
    assert (whole[0, 2:] == 7).all()
    ordinary = np.zeros((256, 256), np.int16)
    memory.write(ordinary, values)
    assert np.array_equal(ordinary, values)


def test_writing_through_the_file_does_not_open_what_is_frozen() -> None:
    frozen = memory.freeze(memory.allocate((256, 256), np.int16))
    with pytest.raises(ValueError, match="read-only"):
        memory.write(frozen, np.ones((256, 256), np.int16))
    assert not frozen.any()


def test_discarded_part_is_given_back_and_the_rest_stays() -> None:
    whole = memory.allocate((4, 1 << 20), np.uint8)
    whole[...] = 7
    (block, _offset) = memory.locate(whole) or (None, 0)
    assert block is not None
    before = os.fstat(block.descriptor).st_blocks
    memory.discard(whole[1:3])
    assert (whole[[0, 3]] == 7).all()
    if sys.platform.startswith("linux"):
        assert os.fstat(block.descriptor).st_blocks == before // 2
        assert not whole[1:3].any()
    memory.discard(whole[0, 5:100])  # less than a page: nothing to give back
    assert (whole[[0, 3]] == 7).all()


def test_what_is_frozen_cannot_be_discarded() -> None:
    array = memory.allocate((1 << 16,), np.uint8)
    array[...] = 3
    frozen = memory.freeze(array)
    memory.discard(frozen)
    assert (frozen == 3).all()
