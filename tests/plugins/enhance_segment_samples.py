"""Small asymmetric images for the tests of enhance and segment, and SimpleITK twins of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from viewer.api import Geometry, Image

SPACING = (3.0, 0.7, 0.5)


def oblique(shape: tuple[int, int, int], spacing: tuple[float, float, float] = SPACING) -> Geometry:
    """A grid turned by 30 degrees about two axes, away from the origin."""
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    about_z, about_x = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return Geometry(shape, (12.0, -30.0, 45.0), spacing, tuple(float(n) for n in (about_z @ about_x).ravel()))


def image_of(values: NDArray[Any], geometry: Geometry | None = None, padding: tuple[float, float] | None = None, unit: str = "HU") -> Image:
    """An image with read-only values and the range that the host would give."""
    values = np.array(values)
    values.setflags(write=False)
    image = Image(values, geometry or oblique(values.shape), unit, (0.0, 0.0), padding)
    valid = values[image.valid()]
    return Image(values, image.geometry, unit, (float(valid.min()), float(valid.max())) if valid.size else (0.0, 0.0), padding)


def noise(shape: tuple[int, int, int] = (7, 24, 31), dtype: Any = np.int16, seed: int = 1) -> NDArray[Any]:
    """Blobs and noise between about -1000 and 2000 (0 and 250 for bytes), different along every axis."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(shape)
    smooth = 700 * np.sin(x / 4.0) + 500 * np.cos(y / 3.0 + z) + 60 * z + rng.normal(0, 60, shape)
    if dtype == np.uint8:
        return np.clip(smooth / 12 + 125, 0, 250).astype(np.uint8)
    return (smooth + (0 if np.dtype(dtype).kind == "i" else 1200 if np.dtype(dtype).kind == "u" else 0.25)).clip(-1200, None).astype(dtype)


def itk(image: Image, values: NDArray[Any] | None = None) -> Any:
    """The same as a SimpleITK image."""
    twin = sitk.GetImageFromArray(image.values if values is None else values)
    g = image.geometry
    twin.SetSpacing(g.spacing[::-1])
    twin.SetOrigin(g.origin)
    twin.SetDirection(g.direction)
    return twin


def plane_of(image: Image, plane: int) -> Image:
    """One plane of an image, as the host hands it to a preview: with the range of the whole."""
    _, rows, columns = image.geometry.shape
    return Image(
        image.values[plane : plane + 1], image.geometry.cropped((plane, 0, 0), (1, rows, columns)), image.unit, image.range, image.padding,
        image.is_inverted, image.modality,
    )  # fmt: skip
