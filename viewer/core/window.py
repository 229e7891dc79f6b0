"""Windowing: modality values to display values (DICOM PS3.3 C.11.2.1). The window's numbers are never rounded."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from viewer.core.errors import BadParameter
from viewer.core.words import _, mark

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
FUNCTIONS: dict[VoiFunction, str] = {"LINEAR": mark("Linear"), "LINEAR_EXACT": mark("Linear exact"), "SIGMOID": mark("Sigmoid")}
"""DICOM's functions and what they are called, in the order of menus."""


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width in the unit of the values, with DICOM's function and the name that the file gives it."""

    center: float
    width: float
    function: VoiFunction = "LINEAR"
    name: str = ""

    @property
    def low(self) -> float:
        """The largest value that is still black."""
        return self.center - 0.5 - (self.width - 1) / 2 if self.function == "LINEAR" else self.center - self.width / 2

    @property
    def high(self) -> float:
        """The smallest value that is already white."""
        return self.center - 0.5 + (self.width - 1) / 2 if self.function == "LINEAR" else self.center + self.width / 2

    @classmethod
    def between(cls, low: float, high: float, name: str = "") -> Window:
        """The LINEAR_EXACT window from black at ``low`` to white at ``high``; for ranges that are computed."""
        return cls((low + high) / 2, max(high - low, 1e-6), "LINEAR_EXACT", name)

    def spanning(self, low: float, high: float) -> Window:
        """The window of this function that is black at ``low`` and white at ``high`` (SIGMOID: its middle part), without a name."""
        if self.function == "LINEAR":
            return Window((low + high + 1) / 2, max(high - low + 1, 1.0), "LINEAR")
        return Window((low + high) / 2, max(high - low, 1e-6), self.function)


@dataclass(frozen=True, slots=True)
class VoiLut:
    """A VOI LUT of the file (PS3.3 C.11.2.1.1): ``table[i]`` is shown for the value ``first + i``, clamped outside."""

    first: float
    table: tuple[int, ...]
    bits: int
    name: str = ""


def apply_window(values: NDArray[np.generic], window: Window, low: float = 0.0, high: float = 255.0) -> NDArray[np.float64]:
    """Display values in [low, high] of modality values of any shape, by the formula of the window's function.

    Source: PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT), C.11.2.1.3.1 (SIGMOID).
    """
    x = np.asarray(values, dtype=np.float64)
    c, w, span = window.center, window.width, high - low
    if window.function == "SIGMOID":
        with np.errstate(over="ignore"):
            return np.asarray(span / (1.0 + np.exp(-4.0 * (x - c) / w)) + low)
    if window.function == "LINEAR_EXACT":
        with np.errstate(over="ignore"):  # a width near 0: infinite is as good as white
            return np.asarray(np.clip(((x - c) / w + 0.5) * span + low, low, high))
    if w <= 1:
        return np.where(x <= c - 0.5, low, high)
    return np.asarray(np.clip(((x - (c - 0.5)) / (w - 1) + 0.5) * span + low, low, high))


def apply_lut(values: NDArray[np.generic], lut: VoiLut, low: float = 0.0, high: float = 255.0, *, over: Window | None = None) -> NDArray[np.float64]:
    """Display values in [low, high] of modality values of any shape, by a VOI LUT (D32).

    ``over``: stretched over the values of this window instead of those that it was made for.
    """
    table = np.asarray(lut.table, dtype=np.float64) * ((high - low) / ((1 << lut.bits) - 1)) + low
    position = np.asarray(values, dtype=np.float64) - (lut.first if over is None else over.low)
    if over is not None:
        position *= (len(table) - 1) / max(over.high - over.low, 1e-9)
    return np.clip(table[np.clip(np.floor(position + 0.5), 0, len(table) - 1).astype(np.intp)], low, high)


# Width and centre in HU (CONVENTIONS 3c); only for CT in HU.
CT_PRESETS: tuple[Window, ...] = (
    Window(40, 400, name=mark("Soft tissue")),
    Window(-600, 1500, name=mark("Lung")),
    Window(480, 2500, name=mark("Bone")),
    Window(40, 80, name=mark("Brain")),
    Window(50, 350, name=mark("Mediastinum")),
    Window(90, 150, name=mark("Liver")),
    Window(40, 350, name=mark("Abdomen")),
    Window(75, 200, name=mark("Subdural")),
    Window(40, 40, name=mark("Stroke")),
    Window(600, 2800, name=mark("Temporal bone")),
    Window(50, 250, name=mark("Spine")),
    Window(200, 600, name="CTA"),
)

# What other viewers have under the same names (CONVENTIONS 3c): name -> centre, width. What they do not name is ours.
_ELSEWHERE: dict[str, dict[str, tuple[float, float]]] = {
    "weasis": {"Lung": (-500, 1500), "Bone": (350, 2000), "Brain": (35, 110), "Mediastinum": (80, 400), "Abdomen": (50, 320)},
}


def presets_of(profile: str = "default") -> tuple[Window, ...]:
    """The CT presets of a profile of keys and habits, always the same names in the same order; an unknown profile has ours."""
    other = _ELSEWHERE.get(profile, {})
    return tuple(Window(*other[p.name], name=p.name) if p.name in other else p for p in CT_PRESETS)


# In SUV by body weight (CONVENTIONS 3c).
PET_PRESETS: tuple[Window, ...] = (Window(3, 6, "LINEAR_EXACT", "SUV 0–6"),)

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def parse_window(text: str, presets: tuple[Window, ...] = CT_PRESETS) -> Window:
    """``Lung``, ``W400 C50`` (or ``W400 L50``) or ``CENTRE,WIDTH``; the width must be positive."""
    wanted = text.strip()
    for preset in presets:
        if preset.name and preset.name.lower() == wanted.lower().replace("-", " ").replace("_", " "):
            return preset
    named = re.fullmatch(rf"(?i)\s*W\s*({_NUMBER})[\s,]*[CL]\s*({_NUMBER})\s*", wanted)
    plain = re.fullmatch(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*", wanted)
    if named:
        width, center = float(named[1]), float(named[2])
    elif plain:
        center, width = float(plain[1]), float(plain[2])
    else:
        names = ", ".join(p.name for p in presets if p.name)
        raise BadParameter(
            _('The window "{text}" is not understood. Write CENTRE,WIDTH or "W400 C50", or one of: {names}.').format(text=text, names=names)
        )
    if not (math.isfinite(width) and math.isfinite(center)):
        raise BadParameter(_('The window "{text}" has a number that is too large to be one.').format(text=text))
    if width <= 0:
        said = _('The window "{text}" has a width of {width:g}; it must be more than 0. The order is CENTRE,WIDTH (level first).')
        raise BadParameter(said.format(text=text, width=width))
    return Window(center, width, "LINEAR" if width >= 1 else "LINEAR_EXACT")
