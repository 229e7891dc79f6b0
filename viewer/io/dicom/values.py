"""Stored values to modality values: masking, sign, rescale or modality LUT, padding (PS3.5 8.1.1, PS3.3 C.11.1).

The result has the smallest type that holds the modality values exactly, else float32. Windows are never applied here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.volume import smallest_exact

INTEGERS: tuple[Any, ...] = (np.uint8, np.int8, np.uint16, np.int16)


@dataclass(frozen=True, slots=True)
class Rescale:
    """modality = slope x stored + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def is_whole(self) -> bool:
        return float(self.slope).is_integer() and float(self.intercept).is_integer()

    def ends(self, low: float, high: float) -> tuple[float, float]:
        """Smallest and largest modality value of stored values from low to high."""
        a, b = self.slope * low + self.intercept, self.slope * high + self.intercept
        return min(a, b), max(a, b)


@dataclass(frozen=True, slots=True)
class ModalityLut:
    """``entries[i]`` is the modality value of the stored value ``first + i``; clamped outside (D16)."""

    first: int
    entries: NDArray[np.uint16]

    def apply(self, stored: NDArray[Any]) -> NDArray[np.uint16]:
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[index]


def stored_dtype(bits_allocated: int, is_signed: bool) -> np.dtype[Any]:
    """The type of stored values in memory, native byte order."""
    size = max(1, bits_allocated // 8)
    return np.dtype(f"{'i' if is_signed else 'u'}{size}")


def mask_and_sign(stored: NDArray[Any], bits_stored: int, high_bit: int, is_signed: bool) -> None:
    """Drop what lies above the high bit and below the lowest, and extend the sign, in place (D10, D11).

    Parameters
    ----------
    stored : ndarray of int
        Words as they lie in the file; afterwards stored values.
    """
    bits = stored.dtype.itemsize * 8
    above, below = bits - 1 - high_bit, high_bit + 1 - bits_stored
    if above <= 0 and below <= 0:
        return
    words = stored.view(f"u{stored.dtype.itemsize}")
    if is_signed:
        # The sign bit to the very top, then an arithmetic shift down: rubbish falls out at both ends.
        np.left_shift(words, above, out=words)
        signed = stored.view(f"i{stored.dtype.itemsize}")
        np.right_shift(signed, bits - bits_stored, out=signed)
        return
    if below > 0:
        np.right_shift(words, below, out=words)
    # Most files have no rubbish: one look is cheaper than writing every word again.
    limit = (1 << bits_stored) - 1
    if words.size and int(words.max()) > limit:
        np.bitwise_and(words, words.dtype.type(limit), out=words)


def unpack_bits(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """One-bit pixels, the first in the lowest bit (D14)."""
    return np.unpackbits(packed, bitorder="little", count=count)


def ends_of(plane: NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest value; asked of each plane as it is read, while it is in the processor's cache."""
    return plane.min().item(), plane.max().item()


def to_modality(stored: NDArray[Any], rescales: list[list[Rescale]], ends: dict[tuple[int, int], tuple[float, float]] | None = None) -> NDArray[Any]:
    """Modality values of whole stacks; ``stored`` is used up (its memory may be that of the result).

    Parameters
    ----------
    stored : (phases, planes, rows, columns) ndarray of int or float, from :func:`viewer.core.memory.allocate`
    rescales : one for each plane of each phase (D17); of float values the identity (D13) or a map's real world mapping
    ends : smallest and largest stored value of (phase, plane), where they are known already

    Returns
    -------
    (phases, planes, rows, columns) ndarray of uint8, int8, uint16, int16 or float32
    """
    if stored.dtype.kind == "f":
        if all(rescale == Rescale() for row in rescales for rescale in row):
            return stored.astype(np.float32, copy=False)
        mapped = memory.allocate(stored.shape, np.float32)
        for p, k in np.ndindex(*stored.shape[:2]):
            mapped[p, k] = stored[p, k].astype(np.float64) * rescales[p][k].slope + rescales[p][k].intercept
        return mapped
    cells = [(p, k) for p in range(stored.shape[0]) for k in range(stored.shape[1])]
    if all(rescales[p][k].is_whole for p, k in cells):
        known = ends or {}
        found = [rescales[p][k].ends(*(known.get((p, k)) or ends_of(stored[p, k]))) for p, k in cells]
        kind = smallest_type(min(e[0] for e in found), max(e[1] for e in found))
        if kind is not None:
            return _whole(stored, rescales, cells, kind)
    result = memory.allocate(stored.shape, np.float32)
    for p, k in cells:
        # Computed in double, kept in single: slopes of PET have more digits than a float32.
        result[p, k] = stored[p, k] * rescales[p][k].slope + rescales[p][k].intercept
        memory.discard(stored[p, k])  # never are both whole in memory
    return _narrowed(result)


def smallest_type(low: float, high: float) -> np.dtype[Any] | None:
    """The first of uint8, int8, uint16, int16 that holds whole numbers from low to high."""
    for kind in INTEGERS:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            found: np.dtype[Any] = np.dtype(kind)
            return found
    return None


def _whole(stored: NDArray[Any], rescales: list[list[Rescale]], cells: list[tuple[int, int]], target: np.dtype[Any]) -> NDArray[Any]:
    if target == stored.dtype and all(rescales[p][k] == Rescale() for p, k in cells):
        return stored
    in_place = target.itemsize == stored.dtype.itemsize
    result = stored.view(target) if in_place else memory.allocate(stored.shape, target)
    for p, k in cells:
        rescale = rescales[p][k]
        if rescale.slope == 1.0 and in_place:
            # Whole numbers wrap round alike in two's complement, and the ends are known to fit.
            offset = np.array(int(rescale.intercept) % (1 << (8 * target.itemsize)), dtype=f"u{target.itemsize}")
            words = stored[p, k].view(f"u{target.itemsize}")
            np.add(words, offset, out=words)
        else:
            result[p, k] = stored[p, k].astype(np.int64) * int(rescale.slope) + int(rescale.intercept)
    return result


def _narrowed(values: NDArray[np.float32]) -> NDArray[Any]:
    """Whole results of a slope that is none go into integers too; most volumes are seen not to be whole at one plane."""
    middle = values[0, values.shape[1] // 2]
    if not np.array_equal(middle, np.rint(middle)):
        return values
    return smallest_exact(values)
