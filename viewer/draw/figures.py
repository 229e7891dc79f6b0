"""Numbers that only stand on the image: window, scale bar, colour bar, chips. All others are :mod:`viewer.core.digits`'s."""

from __future__ import annotations

import math

from viewer.core.annotation import Measure
from viewer.core.digits import measure_text
from viewer.core.words import _

_UNNAMED = ("Length", "Area", "Distance", "")


def chip_text(measure: Measure) -> str:
    """A measure beside its shape: ``46.0 mm``, ``Mean 407.9 HU``; lengths and areas need no name."""
    text = measure_text(measure)
    return text if measure.name in _UNNAMED else f"{_(measure.name)} {text}"


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
