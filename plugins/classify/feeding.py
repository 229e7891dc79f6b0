"""From a plane's own values to a model's input, as its card says: polarity, window, crop, size, normalisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from viewer.api import Image, ModelUnusable, Window, apply_window, gettext
from viewer.api.models import ModelCard


def plane_input(card: ModelCard, image: Image, plane: int) -> NDArray[np.float32]:
    """One plane as the model takes it: (channels, height, width), or (height, width, channels) for NHWC.

    The values are the image's own, never the screen's; MONOCHROME1 is turned bone-bright first.
    """
    gray, valid = np.asarray(image.gray()[plane]), image.valid()[plane]
    levels = _levels(card, image, gray, valid)
    if image.is_inverted and card.input.polarity == "bone-bright":
        levels = 255.0 - levels
    levels[~valid] = 0.0
    sized = _resized(card, _fitted(card, levels))
    normal = card.normalisation
    mean, spread = (np.asarray(values, dtype=np.float32)[:, None, None] for values in (normal.mean, normal.std))
    stacked = (np.repeat(sized[None], card.input.channels, axis=0) / np.float32(normal.scale) - mean) / spread
    if card.input.layout == "NHWC":
        stacked = stacked.transpose(1, 2, 0)
    return np.ascontiguousarray(stacked, dtype=np.float32)


def _is_as_is(image: Image, gray: NDArray[np.generic], card: ModelCard) -> bool:
    return image.is_color or (gray.dtype == np.uint8 and card.values.eight_bit == "as-is")


def _levels(card: ModelCard, image: Image, gray: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Values on 0..255: 8-bit pictures as they are, else by the file's window, else percentiles of the plane."""
    if _is_as_is(image, gray, card):
        return gray.astype(np.float32)
    if image.window is not None and card.values.kind == "window-or-range":
        shown = apply_window(gray, image.window)
    else:
        low, high = card.values.percentiles
        inside = np.asarray(gray[valid], dtype=np.float64)
        if not inside.size:
            raise ModelUnusable(gettext("The plane holds nothing but padding; there is nothing to classify."))
        edges = np.percentile(inside, [low, high])
        shown = apply_window(np.nan_to_num(gray, nan=float(edges[0])), Window.between(float(edges[0]), float(max(edges[1], edges[0] + 1e-6))))
    return shown.astype(np.float32)


def _fitted(card: ModelCard, levels: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = levels.shape
    fit = card.input.fit
    if fit == "squeeze" or rows == columns:
        return levels
    side = min(rows, columns)
    if fit == "crop":
        top, left = (rows - side) // 2, (columns - side) // 2
        return levels[top : top + side, left : left + side]
    side = max(rows, columns)
    top, left = (side - rows) // 2, (side - columns) // 2
    return np.pad(levels, ((top, side - rows - top), (left, side - columns - left)), mode="edge")


def _resized(card: ModelCard, levels: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = card.input.height or levels.shape[0], card.input.width or levels.shape[1]
    if levels.shape == (height, width):
        return levels
    # Pillow's bilinear is a triangle as wide as the reduction: antialiased.
    picture = Picture.fromarray(np.ascontiguousarray(levels, dtype=np.float32))
    return np.asarray(picture.resize((width, height), Picture.Resampling.BILINEAR), dtype=np.float32)
