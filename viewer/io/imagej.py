"""What ImageJ writes into a TIFF's description: the size of a pixel in a unit of length, which plain TIFF cannot say.

Source: ImageJ's TiffEncoder and FileInfo ("ImageJ=1.x", then lines of key=value; the resolution tags hold pixels per unit).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_MILLIMETRES = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4, "nm": 1e-6, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3,
                "microns": 1e-3, "micrometer": 1e-3}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calibration:
    """Millimetres between columns, rows and planes; None where it is not said."""

    columns: float | None = None
    rows: float | None = None
    planes: float | None = None
    unit: str = ""


NOTHING = Calibration()


def fields(description: str) -> dict[str, str]:
    """The lines of a description that ImageJ has written; empty for any other."""
    if not description.startswith("ImageJ="):
        return {}
    pairs = (line.split("=", 1) for line in description.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def calibration(description: str, resolution: tuple[float, float]) -> Calibration:
    """The spacing, if the description names a unit of length that is known.

    Parameters
    ----------
    resolution : (float, float)
        Pixels per unit along a row and along a column, from the tags 282 and 283; 0 where one is missing.
    """
    said = fields(description)
    # ImageJ escapes what is not ASCII: \u00B5m
    unit = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), said.get("unit", ""))
    scale = _MILLIMETRES.get(unit.lower())
    if scale is None:
        return NOTHING
    columns, rows = (_step(scale / per_unit if per_unit else 0.0) for per_unit in resolution)
    try:
        planes = _step(float(said.get("spacing", "0")) * scale)
    except ValueError:
        planes = None
    return Calibration(columns, rows, planes, unit) if columns and rows else NOTHING


def _step(value: float) -> float | None:
    return abs(value) if math.isfinite(value) and 1e-9 < abs(value) < 1e6 else None
