"""A scalar map kept with an image and shown over it: an energy, a gradient, a heat-map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.geometry import Geometry


@dataclass(frozen=True, slots=True)
class ScalarMap:
    """``values``: (planes, rows, columns) of float32 on ``geometry``, which may be one plane of the image's grid; read-only."""

    id: str
    name: str
    volume_id: str
    """The opened (root) volume that it belongs to."""
    geometry: Geometry
    values: NDArray[Any] = field(repr=False, compare=False)
    unit: str = ""
    color_map: str = "inferno"
    phase: int = 0
    is_visible: bool = True
    report_id: str = ""
    """The report that it explains; "" for other maps."""
    method: str = ""
    """How a heat-map was made: exact, occlusion, rise."""
    score: str = ""
    """The class whose score a heat-map explains; "" for other maps."""
    model: str = ""
    """Name of the model that was asked."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", memory.freeze(self.values))
