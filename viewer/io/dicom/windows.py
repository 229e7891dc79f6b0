"""Windows as files write them: of an image, of a functional group, with names and functions (CONVENTIONS D28 to D34)."""

from __future__ import annotations

import hashlib
import math

from viewer.core.window import VoiFunction, Window
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset

FRAME_VOI = 0x00289132
VOI_LUTS, DESCRIPTOR, ENTRIES = 0x00283010, 0x00283002, 0x00283006


def windows_of(holder: Dataset, encodings: tuple[str, ...] | None = None) -> tuple[Window, ...]:
    """The usable windows of one data set or item, each once; names only where ``encodings`` are given."""
    centers, widths = elements.numbers(holder, 0x00281050), elements.numbers(holder, 0x00281051)
    if not centers or not widths:
        return ()
    names = elements.words(holder, 0x00281055, encodings).split("\\") if encodings is not None else []
    function = voi_function(elements.text(holder, 0x00281056))
    found: list[Window] = []
    for n, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if math.isfinite(center) and math.isfinite(width) and width > 0 and (width >= 1 or function != "LINEAR"):
            window = Window(center, width, function, names[n].strip()[:64] if n < len(names) else "")
            if not any((w.center, w.width, w.function) == (window.center, window.width, window.function) for w in found):
                found.append(window)
    return tuple(found)


def unusable_windows(holder: Dataset) -> tuple[tuple[float, float], ...]:
    """(centre, width) of those that cannot be used: a width of 0 or below, or below 1 where the function is LINEAR (PS3.3 C.11.2.1.2.1)."""
    pairs = zip(elements.numbers(holder, 0x00281050), elements.numbers(holder, 0x00281051), strict=False)
    least = 1 if voi_function(elements.text(holder, 0x00281056)) == "LINEAR" else 0
    return tuple((c, w) for c, w in pairs if not (math.isfinite(c) and math.isfinite(w) and w > 0 and w >= least))


def first_window(holder: Dataset) -> Window | None:
    """The window that a file or a frame is shown with at first, without its name; None where there is none."""
    found = windows_of(holder)
    return found[0] if found else None


def curves_digest(holder: Dataset) -> str:
    """What tells the VOI LUTs of one data set or item from those of another, whatever their names; "" where there are none."""
    if elements.raw(holder, VOI_LUTS) is None:
        return ""
    parts = [elements.raw_bytes(item, tag) for item in elements.items(holder, VOI_LUTS) for tag in (DESCRIPTOR, ENTRIES)]
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:16] if parts else ""


def voi_function(text: str) -> VoiFunction:
    """The function of VOI LUT Function; LINEAR where it says nothing known."""
    if text == "SIGMOID":
        return "SIGMOID"
    return "LINEAR_EXACT" if text == "LINEAR_EXACT" else "LINEAR"
