"""Colours that DICOM recommends for segments and structures, as #RRGGBB."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Bradford adaptation of XYZ from D50, the white of ICC's profile connection space, to D65, the white of sRGB.
_D50 = np.array([0.96422, 1.0, 0.82521])
_TO_D65 = np.array(
    [[0.9555766, -0.0230393, 0.0631636], [-0.0282895, 1.0099416, 0.0210077], [0.0122982, -0.0204830, 1.3299098]],
)
# XYZ (D65) to linear sRGB, IEC 61966-2-1.
_TO_SRGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]],
)


def from_cielab(values: Sequence[float]) -> str:
    """SRGB of a Recommended Display CIELab Value (three numbers to 65535; PS3.3 C.10.7.1.1), "" where it is none."""
    if len(values) != 3 or not all(0 <= v <= 65535 for v in values):
        return ""
    lightness = values[0] / 65535 * 100
    a, b = (v / 65535 * 255 - 128 for v in values[1:])
    y = (lightness + 16) / 116
    f = np.array([y + a / 500, y, y - b / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _D50
    linear = np.clip(_TO_SRGB @ (_TO_D65 @ xyz), 0.0, 1.0)
    shown = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return from_rgb([float(c) for c in shown * 255])


def from_rgb(values: Sequence[float]) -> str:
    """#RRGGBB of three numbers to 255, "" where they are none."""
    if len(values) != 3 or not all(0 <= v <= 255.5 for v in values):
        return ""
    return "#" + "".join(f"{min(255, int(v + 0.5)):02X}" for v in values)
