"""Numbers as people read them: how many digits each quantity is shown with, and its unit. Files get the unrounded numbers.

The rules are the table "Measurement abbreviations, units, digits" of the project's conventions (4b).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from viewer.core.annotation import Measure
from viewer.core.words import _, mark

DASH = "–"
"""What stands for a number that could not be measured."""

_ENDINGS = {" at detector": mark("{unit} at detector"), " estimated": mark("{unit} estimated")}


def length(value: float | None, unit: str = "mm", *, spacing: float | None = None) -> str:
    """``12.3 mm``: one decimal, two where the spacing is under 0.2; fewer where the spacing is 10 or more.

    ``spacing`` is the smallest in the plane, in the same unit.
    """
    decimals = 1
    if spacing is not None and spacing > 0:
        decimals = 2 if spacing < 0.2 else 1
        decimals = max(0, min(decimals, 1 - math.floor(math.log10(spacing) + 1e-9)))
    return _fixed(value, decimals, unit)


def area(value: float | None, unit: str = "mm²") -> str:
    """``123.4 mm²``."""
    return _fixed(value, 1, unit)


def volume(value: float | None, unit: str = "mL") -> str:
    """``12.34 mL``: two decimals, and at least three significant digits below 1 mL (``0.0123 mL``)."""
    decimals = 2
    if unit == "mL" and value is not None and 0 < abs(value) < 1:
        decimals = min(8, max(2, 2 - math.floor(math.log10(abs(value)))))
    return _fixed(value, decimals, unit)


def intensity(value: float | None, unit: str = "", *, is_statistic: bool = False) -> str:
    """A value of the image: HU whole, means and SDs of HU with one decimal, SUV with two, others with four significant digits."""
    if unit.upper().startswith("SUV"):
        return _fixed(value, 2, unit)
    if unit == "HU":
        return _fixed(value, 1 if is_statistic else 0, unit)
    return significant(value, unit)


def significant(value: float | None, unit: str = "") -> str:
    """Four significant digits; whole numbers are written whole, and very large or small ones with a power of ten."""
    if value is None or not math.isfinite(value):
        return DASH
    number = float(value)
    if number == int(number) and abs(number) < 1e7:
        text = str(int(number))
    elif 1e-4 <= abs(number) < 1e7:
        decimals = max(0, 3 - math.floor(math.log10(abs(number))))
        text = f"{number:.{decimals}f}"
    else:
        text = f"{number:.3e}"
    return _with_unit(text, unit)


def angle(value: float | None) -> str:
    """``12.3°``."""
    text = _fixed(value, 1, "")
    return text if text == DASH else f"{text}°"


def ratio(value: float | None) -> str:
    """``0.123``: ratios, Dice."""
    return _fixed(value, 3, "")


def score(value: float | None) -> str:
    """A classifier's score 0..1 as ``12.3 %``, never nearer to certainty than ``<0.1 %`` and ``>99.9 %``."""
    if value is None or not math.isfinite(value):
        return DASH
    if value < 0.001:
        return "<0.1 %"
    if value > 0.999:
        return ">99.9 %"
    return f"{100 * value:.1f} %"


def file_size(nbytes: int) -> str:
    """``1.9 MB``; small ones in kB."""
    return _("{size:.1f} MB").format(size=nbytes / 1e6) if nbytes >= 100_000 else _("{size:.1f} kB").format(size=nbytes / 1e3)


def spacing(value: float | None, unit: str = "mm") -> str:
    """``0.781 mm``."""
    return _fixed(value, 3, unit)


def position(value: float | None, unit: str = "mm") -> str:
    """One coordinate: ``-12.3 mm``."""
    return _fixed(value, 1, unit)


def count(value: float | None, unit: str = "") -> str:
    """A number of pixels or voxels: ``1234 px``."""
    return _fixed(value, 0, unit)


def by_name(name: str, value: float | None, unit: str, *, spacing: float | None = None) -> str:
    """The text of a number by what it is called and its unit, as in a :class:`Measure` or a table's column."""
    start = unit.split(" ", 1)[0]
    if start in ("mm", "px") and name in ("Pixels", "Voxels", "Excluded", "Votes"):
        return count(value, unit)
    if name in ("x", "y", "z") or name.startswith("Centroid"):
        return position(value, unit)
    if start in ("mm", "px"):
        return length(value, unit, spacing=spacing)
    if start in ("mm²", "px²", "mm³"):
        return area(value, unit)
    if start == "mL":
        return volume(value, unit)
    if start == "°":
        return angle(value)
    if start == "%":
        return _fixed(value, 1, unit)
    return intensity(value, unit, is_statistic=name in ("Mean", "SD"))


def measure_text(measure: Measure, *, spacing: float | None = None) -> str:
    """The number and unit of a measure as shown, a dash where nothing could be measured."""
    return by_name(measure.name, measure.value, measure.unit, spacing=spacing)


def _fixed(value: float | None, decimals: int, unit: str) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")  # no "-0.0"
    return _with_unit(text, unit)


def unit_words(unit: str) -> str:
    """A unit as shown: ``mm at detector`` is said in the language in use, ``mm`` is the same in all."""
    for ending, words in _ENDINGS.items():
        if unit.endswith(ending):
            return _(words).format(unit=unit.removesuffix(ending))
    return unit


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit_words(unit)}" if unit else text


def share(value: float, ends: Sequence[float] = ()) -> str:
    """``96.4 %`` of a share of 1; with the ends of its 95 % interval ``96.4 % (95 % CI 94.3 to 98.2)``."""
    if len(ends) != 2:
        return f"{100 * value:.1f} %"
    return _("{value:.1f} % (95 % CI {low:.1f} to {high:.1f})").format(value=100 * value, low=100 * ends[0], high=100 * ends[1])
