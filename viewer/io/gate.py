"""The one gate for data from outside: nobody allocates for a file's claims without asking here first.

Nothing is allocated here; the answer is a number of bytes, or a :class:`TooLarge` or :class:`UnreadableFile` whose
sentence names the file and the numbers.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from viewer.core import memory
from viewer.core.errors import TooLarge, UnreadableFile
from viewer.core.words import _

MAX_DIM = 2**31 - 1
# Blank frames compress without bound, so the ratio is asked about only where the result is large.
RATIO_FREE_BYTES = 256 << 20
LOSSLESS_RATIO = 200
LOSSY_RATIO = 1000
DEFAULT_SHARE = 0.5

_limit: int | None = None


def set_limit(limit_bytes: int | None) -> None:
    """Set the memory budget in bytes; None is half of the RAM."""
    global _limit
    if limit_bytes is not None and limit_bytes < 1:
        raise ValueError(f"a memory budget of {limit_bytes} bytes")
    _limit = limit_bytes


def limit() -> int:
    """The memory budget in bytes."""
    return _limit if _limit is not None else int(total_ram() * DEFAULT_SHARE)


def free() -> int:
    """What of the budget is free now: less what is open here, and never more than the system has left."""
    return max(0, min(limit() - memory.live_bytes(), available_ram()))


def check(shape: tuple[int, ...], itemsize: int, *, path: Path, available: int | None = None, ratio: int | None = None) -> int:
    """Bytes that an array from outside will need, if it may be made at all.

    Parameters
    ----------
    shape : tuple of int
        Every axis, samples too; as the header says, unchecked.
    itemsize : int
        Bytes of one element as it will lie in memory or, with ``available`` alone, in the file.
    path : Path
        The file that makes the claim, for the message.
    available : int, optional
        Bytes of pixel data that the file holds. Without ``ratio`` they are uncompressed and must be enough.
    ratio : int, optional
        The largest believable ratio of result to ``available`` (`LOSSLESS_RATIO`, `LOSSY_RATIO`): the data is compressed.

    Raises
    ------
    UnreadableFile
        A dimension is not 1 to 2**31 - 1, or there are fewer bytes than needed.
    TooLarge
        It does not fit the memory budget, or the compression ratio cannot be true.
    """
    name = harmless(path.name)
    for size in (*shape, itemsize):
        if not _is_whole(size) or not 1 <= int(size) <= MAX_DIM:
            found = " x ".join(_number(n) for n in shape)
            raise UnreadableFile(
                _("{name}: the header says the image is {found}, which is no size of an image. The file is damaged.").format(name=name, found=found)
            )
    needed = math.prod(int(size) for size in shape) * int(itemsize)
    if available is not None and ratio is None and needed > available:
        raise UnreadableFile(
            _("{name}: the header promises {needed} of voxels, but only {available} are there. The file is cut short or damaged.").format(
                name=name, needed=amount(needed), available=amount(available)
            )
        )
    if needed > (left := free()):
        raise TooLarge(
            _("{name}: this needs {needed}, {left} is free to use, the limit is {limit}.").format(
                name=name, needed=amount(needed), left=amount(left), limit=amount(limit())
            )
        )
    if available is not None and ratio is not None and needed > RATIO_FREE_BYTES and needed > available * ratio:
        raise TooLarge(
            _(
                "{name}: {available} of compressed data claim to be {needed} of voxels, more than {ratio} times as much. "
                "The file is damaged or hostile and was not opened."
            ).format(name=name, available=amount(available), needed=amount(needed), ratio=ratio)
        )
    return needed


def amount(count: int) -> str:
    """A number of bytes in words: ``8.0 GiB``, ``512 bytes``."""
    for unit, step in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= step:
            value = count / step
            return f"{value:.1f} {unit}" if value < 1e6 else f"{value:.1e} {unit}"
    return f"{count} bytes"


def harmless(text: str) -> str:
    """Text from outside for a message: control characters, direction marks and lone surrogates become ``?``."""
    return "".join(c if c.isprintable() else "?" for c in text)


def total_ram() -> int:
    """Bytes of RAM, or of the container's share of it."""
    if not hasattr(os, "sysconf"):
        return _windows_ram()[0]
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        pass  # no container, or no limit: the file says "max"
    return total


def available_ram() -> int:
    """Bytes that can be taken now without swapping; all of the RAM where the system does not say."""
    if not hasattr(os, "sysconf"):
        return _windows_ram()[1]
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass  # no Linux
    return total_ram()


def _windows_ram() -> tuple[int, int]:
    import ctypes

    status = (ctypes.c_uint64 * 8)()
    status[0] = ctypes.sizeof(status)  # dwLength; dwMemoryLoad is the high half and is filled in
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        return 8 << 30, 4 << 30
    return int(status[1]), int(status[2])


def _is_whole(size: object) -> bool:
    try:
        return size == int(size)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError, OverflowError):
        return False


def _number(size: object) -> str:
    if not _is_whole(size):
        return harmless(str(size)[:40])
    whole = int(size)  # type: ignore[call-overload]
    if abs(whole) < 10**18:
        return str(whole)
    return _("{number} or more").format(number=f"{'-' if whole < 0 else ''}10^{len(str(abs(whole))) - 1}")
