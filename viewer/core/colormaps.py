"""Colour maps by name: 256 colours from the lowest to the highest level."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from viewer.core.resources import resource
from viewer.core.words import mark

GREY = "grey"

# Name -> title; the order of menus. Rainbow and jet bend perception and are there for those who are used to them.
TITLES: dict[str, str] = {
    GREY: mark("Grey"),
    "inverted_grey": mark("Inverted grey"),
    "hot_iron": mark("Hot iron"),
    "hot_metal": mark("Hot metal"),
    "pet": mark("PET"),
    "viridis": mark("Viridis"),
    "magma": mark("Magma"),
    "inferno": mark("Inferno"),
    "plasma": mark("Plasma"),
    "cividis": mark("Cividis"),
    "rainbow": mark("Rainbow (not perceptual)"),
    "jet": mark("Jet (legacy)"),
}


@lru_cache(maxsize=16)
def color_map(name: str) -> NDArray[np.uint8]:
    """Colours (256, 3) as RGB, read-only; grey for a name that is not known."""
    if name == "rainbow":
        colors = _rainbow()
    elif name == "jet":
        colors = _jet()
    elif name == "inverted_grey":
        colors = np.repeat(np.arange(255, -1, -1, dtype=np.uint8)[:, None], 3, axis=1)
    elif name in TITLES and name != GREY:
        words = resource("colormaps", f"{name}.txt").read_text(encoding="ascii").split()
        colors = np.frombuffer(bytes.fromhex("".join(words)), dtype=np.uint8).reshape(256, 3).copy()
    else:
        colors = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    colors.flags.writeable = False
    return colors


@lru_cache(maxsize=16)
def rgb32(name: str) -> NDArray[np.uint32]:
    """Colours (256,) as 0xFFRRGGBB, read-only."""
    red, green, blue = color_map(name).astype(np.uint32).T
    packed = np.asarray(0xFF000000 | red << 16 | green << 8 | blue, dtype=np.uint32)
    packed.flags.writeable = False
    return packed


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green, blue of #RRGGBB."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _rainbow() -> NDArray[np.uint8]:
    """Hues from blue to red at full saturation."""
    hue = np.linspace(4.0, 0.0, 256)
    red, green, blue = np.clip(np.abs(hue - 3) - 1, 0, 1), np.clip(2 - np.abs(hue - 2), 0, 1), np.clip(2 - np.abs(hue - 4), 0, 1)
    return np.asarray(np.rint(np.stack([red, green, blue], axis=1) * 255), dtype=np.uint8)


def _jet() -> NDArray[np.uint8]:
    """Dark blue, blue, cyan, yellow, red, dark red, in straight lines."""
    level = np.linspace(0.0, 1.0, 256) * 4
    parts = [np.clip(1.5 - np.abs(level - middle), 0, 1) for middle in (3, 2, 1)]
    return np.asarray(np.rint(np.stack(parts, axis=1) * 255), dtype=np.uint8)
