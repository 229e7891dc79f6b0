"""The elements that may tell the phases of a stack apart (time, echo, b-value, trigger ...), classic, private and per frame."""

from __future__ import annotations

import struct

from viewer.core.words import mark
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset

PHASE_KEYS: tuple[tuple[int, str, str], ...] = (
    (0x00200100, mark("time"), ""), (0x00209128, mark("time"), ""), (0x00180081, "TE", "ms"), (0x00180086, mark("echo"), ""),
    (0x00180082, "TI", "ms"), (0x00189087, "b", "s/mm²"), (0x00189089, mark("gradient"), ""), (0x00181060, mark("trigger"), "ms"),
    (0x00209153, mark("trigger"), "ms"), (0x00089208, "", ""), (0x00080008, "", ""), (0x00181314, mark("flip"), "°"),
    (0x00200012, mark("acquisition"), ""), (0x00080032, "", "s"), (0x00080033, "", "s"), (0x00180010, "", ""), (0x00181210, mark("kernel"), ""),
    (0x00180050, mark("thickness"), "mm"), (0x00540010, mark("energy window"), ""), (0x00540020, mark("detector"), ""),
    (0x00540030, mark("phase"), ""), (0x00540060, mark("R-R interval"), ""), (0x00540070, mark("time slot"), ""),
    (0x00540100, mark("time slice"), ""), (0x00540090, mark("angular view"), ""),
)  # fmt: skip
"""Tag, word, unit, in the order in which they are tried (CONVENTIONS D54); kernel and slice thickness tell reconstructions apart."""
CLOCK_KEYS = (13, 14)
"""Those that are times of the day."""
B_KEY, GRADIENT_KEY = 5, 6
VECTOR_KEYS = tuple(range(18, 25))
"""Those of nuclear medicine: vectors with a number for each frame."""
TRIGGER_KEYS = (7, 8)
"""Those that count from the R wave of the heart."""
_BINARY = frozenset({0x00209128, 0x00189087, 0x00189089, 0x00209153})
_CODES = frozenset({0x00089208, 0x00080008})
_B_VALUE, _IMAGE_TYPE = 0x00189087, 0x00080008
# Where enhanced objects say the same under another tag: effective echo time, inversion times, acquisition number and date-time.
_IN_GROUPS = {0x00180081: 0x00189082, 0x00180082: 0x00189079, 0x00200012: 0x00209156, 0x00080032: 0x00189074, _IMAGE_TYPE: 0x00089007}
# Frame content, echo, diffusion, cardiac synchronisation, timing, modifier, and the frame types of MR, CT and PET.
_GROUPS = (0x00209111, 0x00189114, 0x00189117, 0x00189118, 0x00189112, 0x00189115, 0x00189226, 0x00189329, 0x00189751)
# Private b-values: creator's element, its text, the value's element.
_PRIVATE_B = (
    (0x00190010, "SIEMENS MR HEADER", 0x0019100C), (0x20010010, "Philips Imaging DD 001", 0x20011003), (0x00430010, "GEMS_PARM_01", 0x00431039),
)  # fmt: skip


def read_keys(dataset: Dataset) -> tuple[str, ...]:
    """Text of the elements of PHASE_KEYS, "" where missing; vectors are read by :func:`keys_of_vectors`."""
    return tuple("" if place in VECTOR_KEYS else _key(dataset, tag) for place, (tag, _word, _unit) in enumerate(PHASE_KEYS))


def keys_of_vectors(keys: tuple[str, ...], dataset: Dataset, count: int) -> list[tuple[str, ...]]:
    """The keys of each frame with its number in the vectors, as far as these have one for every frame (PS3.3 C.8.4.8)."""
    vectors = {place: elements.shorts(dataset, PHASE_KEYS[place][0]) for place in VECTOR_KEYS}
    known = {place: vector for place, vector in vectors.items() if len(vector) == count}
    return [tuple(str(known[p][n]) if p in known else key for p, key in enumerate(keys)) for n in range(count)]


def keys_of_group(keys: tuple[str, ...], group: Dataset) -> tuple[str, ...]:
    """The keys with what an item of the functional groups says in place of what stood above it."""
    holders = [h for h in (elements.first(group, tag) for tag in _GROUPS) if h is not None]
    if not holders:
        return keys
    directions = [d for d in (elements.first(h, 0x00189076) for h in holders) if d is not None]
    found = list(keys)
    for place, (tag, _word, _unit) in enumerate(PHASE_KEYS):
        for holder in (*holders, *directions):
            for wanted in dict.fromkeys((_IN_GROUPS.get(tag, tag), tag)):
                if elements.raw(holder, wanted) is not None:
                    found[place] = _text(holder, wanted, tag)
    return tuple(found)


def dimensions_of(group: Dataset) -> tuple[int, ...]:
    """DimensionIndexValues of a frame; () where it has none."""
    content = elements.first(group, 0x00209111)
    return tuple(int(n) for n in elements.numbers(content, 0x00209157)) if content is not None else ()


def _key(dataset: Dataset, tag: int) -> str:
    if tag == _B_VALUE:
        return _text(dataset, tag, tag) or _private_b(dataset)
    return _text(dataset, tag, tag)


def _text(holder: Dataset, wanted: int, tag: int) -> str:
    if tag == _IMAGE_TYPE:
        # The first two values say original or derived, primary or secondary: no reason for a phase.
        return " ".join(dict.fromkeys(elements.texts(holder, wanted)[2:]))
    if wanted == 0x00189074:
        return elements.text(holder, wanted)[8:].partition("+")[0].partition("-")[0]
    if tag in _CODES or (tag == wanted and tag not in _BINARY):
        return elements.text(holder, wanted)
    return "\\".join(f"{n:g}" for n in elements.numbers(holder, wanted))


def _private_b(dataset: Dataset) -> str:
    """The b-value in the private elements of three makers, whose older files have no other."""
    for creator, name, tag in _PRIVATE_B:
        if elements.text(dataset, creator) != name or elements.raw(dataset, tag) is None:
            continue
        value = elements.raw_bytes(dataset, tag)
        found = elements.numbers(dataset, tag)[:1]
        if tag == 0x20011003 and len(value) == 4:
            found = struct.unpack("<f", value)
        # GE adds 1e9 to mark a b-value that differs from the prescribed one.
        if found and found[0] == found[0] and 0 <= found[0] < 2e9:
            return f"{found[0] % 1e9:g}"
    return ""
