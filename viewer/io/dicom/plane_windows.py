"""What the file of each plane wants it shown through, where planes of a volume differ: a VOI LUT, else a window (D32, D34)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from viewer.core.errors import NegatoscopeError
from viewer.core.window import VoiLut, Window
from viewer.io.dicom import elements
from viewer.io.dicom.describe import FRAMES, functional_groups, voi_luts_of
from viewer.io.dicom.header import Header
from viewer.io.dicom.parse import parse

MOST_ENTRIES = 1 << 20
"""Of the VOI LUTs of one volume that differ: 256 of 4,096 entries. A number takes some 36 bytes."""

Shown = tuple[tuple[Window | VoiLut | None, ...], ...]


def plane_windows(headers: Sequence[Header], slots: Sequence[Sequence[tuple[int, int]]], lead: tuple[int, int],
                  windows: tuple[Window, ...], luts: tuple[VoiLut, ...]) -> tuple[Shown, int]:  # fmt: skip
    """``[phase][plane]`` of each plane's first VOI LUT, else first window; () where all are shown as the file in the ``lead`` is, or say nothing.

    Headers are read again only for VOI LUTs that are not those of the lead, one file for each that differs.

    Parameters
    ----------
    lead : (number of header, number of frame)
        Whose windows and VOI LUTs are those of the volume.

    Returns
    -------
    windows, left out
        How many planes have VOI LUTs that are broken, or more than can be kept: these have their window, if any.
    """
    usual: Window | VoiLut | None = luts[0] if luts else replace(windows[0], name="") if windows else None
    known: dict[tuple[str, bool], VoiLut | None] = {_key(headers, lead): luts[0] if luts else None}
    cells = [cell for row in slots for cell in row]
    wanted: dict[tuple[str, bool], tuple[int, int]] = {}
    for cell in cells:
        key = _key(headers, cell)
        if key[0] and key not in known:
            wanted.setdefault(key, cell)
    left_out = _read(headers, wanted, known)

    def shown(cell: tuple[int, int]) -> Window | VoiLut | None:
        key = _key(headers, cell)
        return (known[key] if key[0] else None) or headers[cell[0]].frame(cell[1]).window

    found = tuple(tuple(shown(cell) for cell in row) for row in slots)
    differ = {one for row in found for one in row} - {usual, None} or left_out
    return (found if differ else ()), sum(_key(headers, cell) in left_out for cell in cells)


def _key(headers: Sequence[Header], cell: tuple[int, int]) -> tuple[str, bool]:
    """What makes a frame's VOI LUT another: its bytes, and the sign that they are read with."""
    header = headers[cell[0]]
    frame = header.frame(cell[1])
    return frame.curves, header.is_signed or frame.intercept < 0


def _read(
    headers: Sequence[Header], wanted: dict[tuple[str, bool], tuple[int, int]], known: dict[tuple[str, bool], VoiLut | None]
) -> set[tuple[str, bool]]:  # fmt: skip
    """Fill in the VOI LUTs that are wanted, each file once; returns which of them there are not."""
    known.update(dict.fromkeys(wanted))
    entries = 0
    for number in sorted({cell[0] for cell in wanted.values()}):
        header = headers[number]
        here = {key: cell[1] for key, cell in wanted.items() if cell[0] == number}
        try:
            dataset = parse(header.path).dataset
        except NegatoscopeError:
            continue
        groups = elements.items(dataset, FRAMES)
        for key, frame in here.items():
            luts, _broken = voi_luts_of(header, header.frame(frame), dataset, functional_groups(dataset, frame, groups))
            entries += len(luts[0].table) if luts else 0
            if entries > MOST_ENTRIES:
                return {key for key in wanted if known[key] is None}
            known[key] = luts[0] if luts else None
    return {key for key in wanted if known[key] is None}
