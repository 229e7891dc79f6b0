"""Numbers as people read them on the image: the digits of CONVENTIONS 4b, with unit."""

from __future__ import annotations

import math

from viewer.core.annotation import Measure
from viewer.core.words import _

_DECIMALS = {"mm": 1, "mm²": 1, "px": 1, "px²": 1, "°": 1, "%": 1, "SUV": 2, "mL": 2}


def measure_text(measure: Measure) -> str:
    """``46.0 mm``, ``Mean 407.9 HU``; a dash where nothing could be measured."""
    plain = measure.name.lower() in ("length", "area", "distance", "")
    name = "" if plain else f"{_(measure.name)} "
    if measure.value is None or not math.isfinite(measure.value):
        return f"{name}–"
    unit = f" {measure.unit}" if measure.unit else ""
    return f"{name}{figure(measure.value, measure.unit)}{unit}"


def figure(value: float, unit: str) -> str:
    """A number with the digits that its unit is shown with."""
    if unit in _DECIMALS:
        return f"{value:.{_DECIMALS[unit]}f}"
    if unit == "HU":
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"
    return level(value)


def level(value: float) -> str:
    """A value without a known unit: whole numbers as such, others with about four digits."""
    if float(value).is_integer() and abs(value) < 1e7:
        return f"{value:.0f}"
    if abs(value) >= 1000:
        return f"{value:.0f}" if abs(value) < 1e7 else f"{value:.3e}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"


def window_figures(center: float, width: float) -> tuple[str, str]:
    """Width and centre with as many digits as the width deserves."""
    decimals = 0 if width >= 20 else max(0, 2 - math.floor(math.log10(max(width, 1e-12))))
    return f"{width:.{decimals}f}", f"{center:.{decimals}f}"


def round_length(longest: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(longest))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= longest * (1 + 1e-9))
