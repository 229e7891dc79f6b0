"""Heat-maps for other programs: on the grid of their image, linear between the middles of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viewer.core.cut import Cut
from viewer.core.geometry import Geometry
from viewer.core.images import Overlay
from viewer.core.overlay import ScalarMap
from viewer.core.sample import sample
from viewer.io.write.grids import save_array
from viewer.session.heat import HasReports


def on_image_grid(maps: Sequence[ScalarMap | Overlay], geometry: Geometry) -> NDArray[np.float32]:
    """Maps of one class and method, of one plane or several, as one array (planes, rows, columns) on the image's grid; 0 where there is none."""
    found = np.zeros(geometry.shape, dtype=np.float32)
    for item in maps:
        along = geometry.to_index(item.geometry.corners())[:, 0]
        first, last = max(0, int(np.floor(along.min() + 1e-3))), min(geometry.shape[0] - 1, int(np.ceil(along.max() - 1e-3)))
        for plane in range(first, last + 1):
            values = sample(item.values, item.geometry, _plane(geometry, plane))
            np.copyto(found[plane], values, where=np.isfinite(values))
    return found


def of_all_slices(document: HasReports, item: ScalarMap) -> tuple[ScalarMap, ...]:
    """A heat-map with those of the same class, method, model and phase on other slices, the newest of each slice, itself on its own."""
    alike = (item.score, item.method, item.model, item.phase)
    newest: dict[tuple[float, ...], ScalarMap] = {}
    for other in (*document.overlays_of(item.volume_id), item):
        if (other.score, other.method, other.model, other.phase) == alike:
            newest[tuple(round(c, 3) for c in other.geometry.origin)] = other
    return tuple(newest.values())


def save_heat(
    path: Path, maps: Sequence[ScalarMap | Overlay], geometry: Geometry, *, overwrite: bool = False, is_unfamiliar: bool = False
) -> tuple[str, ...]:
    """Write maps on the image's grid as NIfTI, NRRD or MetaImage, float32. Returns what was done besides, in sentences; raises as ``save_array``.

    The file says what it is (:func:`remark_of`).
    """
    remark = remark_of(maps[0], is_unfamiliar=is_unfamiliar)
    return save_array(path, on_image_grid(maps, geometry), geometry, overwrite=overwrite, with_gaps=True, fill=0.0, remark=remark)


def remark_of(item: ScalarMap | Overlay, *, is_unfamiliar: bool) -> str:
    """What a file with a heat-map says of itself, in English; first, where short fields do not cut it, whether the image was strange to the model."""
    found = f"Heat map: {', '.join(part for part in (item.score, item.method, item.model) if part)}. Not for diagnosis."
    return f"UNFAMILIAR: model has not seen such images. {found}" if is_unfamiliar else found


def _plane(geometry: Geometry, index: int) -> Cut:
    x, y, z = (float(c) for c in geometry.to_patient((index, 0, 0)))
    right, down = (tuple(float(c) for c in geometry.vector(axis)) for axis in (2, 1))
    return Cut(
        (x, y, z), (right[0], right[1], right[2]), (down[0], down[1], down[2]), geometry.spacing[2],
        (geometry.shape[1], geometry.shape[2]), geometry.spacing[1],
    )  # fmt: skip
