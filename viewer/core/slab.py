"""A slab: how thick a view shows its plane, and what it takes of the values across it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from viewer.core.errors import BadParameter
from viewer.core.words import _

SlabMode = Literal["mip", "minip", "mean"]
MOST_MM = 500.0
_NAMES: dict[str, str] = {"mip": "MIP", "minip": "MinIP", "mean": "MEAN"}


@dataclass(frozen=True, slots=True)
class Slab:
    """``mode``: the largest ("mip"), smallest ("minip") or mean value; ``mm``: thickness, with the plane in its middle."""

    mode: SlabMode
    mm: float

    @property
    def is_usable(self) -> bool:
        """Whether there is anything to gather: a known mode, and a thickness that is a positive number."""
        return self.mode in _NAMES and math.isfinite(self.mm) and 0 < self.mm <= MOST_MM

    @property
    def badge(self) -> str:
        """``MIP 20 mm``."""
        return f"{_NAMES[self.mode]} {self.mm:.4g} mm"


def reach(thickness: float, distance: float) -> int:
    """How many planes ``distance`` apart belong to a slab on either side of its middle: those whose centres lie within half its thickness."""
    return max(0, math.floor(thickness / 2 / distance + 1e-6))


def parse_slab(text: str) -> Slab:
    """``mip:20`` as a slab of 20 mm. Raises BadParameter with a sentence."""
    mode, _colon, length = text.strip().lower().partition(":")
    try:
        found = Slab(mode, float(length.removesuffix("mm")))  # type: ignore[arg-type]
    except ValueError:
        found = None
    if found is None or not found.is_usable:
        said = _('The slab "{text}" is not understood; write one of {modes}, a colon and the thickness in mm (up to {most:.0f}), as in mip:20.')
        raise BadParameter(said.format(text=text, modes=", ".join(get_args(SlabMode)), most=MOST_MM))
    return found
