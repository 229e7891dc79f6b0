"""Volume: read-only voxels, where they lie, their unit, and what the file said about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from viewer.core import memory
from viewer.core.errors import Refused
from viewer.core.geometry import Geometry
from viewer.core.graphics import GraphicPlane, Shutter
from viewer.core.provenance import Note
from viewer.core.window import VoiLut, Window
from viewer.core.words import _

Kind = Literal["volume", "image", "cine"]
_NUMBERS = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who and what a series is of; every field may be "". Shown in the corners, left out of exports by default."""

    patient_id: str = ""
    patient_name: str = ""
    patient_sex: str = ""
    patient_age: str = ""
    patient_birth_date: str = ""
    study_uid: str = ""
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    accession: str = ""
    institution: str = ""
    series_uid: str = ""
    series_number: str = ""
    series_description: str = ""
    modality: str = ""
    body_part: str = ""
    view_position: str = ""

    @property
    def age(self) -> str:
        """The patient's age as DICOM writes it (045Y): the file's own, else from the dates of birth and study; "" if unknown."""
        if re.fullmatch(r"\d{3}[DWMY]", self.patient_age.strip().upper()):
            return self.patient_age
        try:
            born, seen = (date.fromisoformat(day) for day in (self.patient_birth_date, self.study_date))
        except ValueError:
            return self.patient_age  # not as DICOM writes it, but all that there is
        months = (seen.year - born.year) * 12 + seen.month - born.month - (seen.day < born.day)
        if not 0 <= months < 150 * 12:
            return self.patient_age
        return f"{months:03d}M" if months < 24 else f"{months // 12:03d}Y"


@dataclass(frozen=True, slots=True)
class ValueScale:
    """A second unit that the header allows: value in ``unit`` = ``factor`` x modality value."""

    unit: str
    factor: float
    how: str = ""
    """The calculation in a sentence, with its numbers."""
    badge: str = ""
    """What the picture must say where these values are used: ``SUV est.``"""


@dataclass(frozen=True, slots=True)
class Volume:
    """One series in memory.

    ``data`` has the shape (phases, planes, rows, columns), colour with a last axis of 3 (RGB, uint8). Values are
    modality values: int8 to uint16 where they fit exactly, float32 otherwise. Never written after construction.
    """

    id: str
    data: NDArray[Any] = field(repr=False, compare=False)
    geometry: Geometry
    kind: Kind = "volume"
    unit: str = ""
    """Unit of the values: HU, SUV, ... "" where the file does not say."""
    title: str = ""
    identity: Identity = Identity()
    is_color: bool = False
    is_inverted: bool = False
    """MONOCHROME1: the smallest value is shown white. Values are never inverted."""
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[VoiLut, ...] = ()
    indices: NDArray[Any] | None = field(default=None, repr=False, compare=False)
    """Of a colour image made with a palette: the stored values (phases, planes, rows, columns) that stand for its colours (D41)."""
    plane_windows: tuple[tuple[Window | VoiLut | None, ...], ...] = ()
    """The first VOI LUT, else the first window, of each plane's own file, ``[phase][plane]``, None where it gives none; () where all
    are alike (D32, D34)."""
    scales: tuple[ValueScale, ...] = ()
    """Further units that the values can be told in: SUVbw beside Bq/mL."""
    scale_problem: str = ""
    """Why there is none, in a sentence, where one would be expected (PET)."""
    graphics: tuple[GraphicPlane, ...] = field(default=(), compare=False, repr=False)
    """Overlays of the file over single planes (D44)."""
    shutter: Shutter | None = None
    """What covers the picture outside of the exposed field, the same on every plane (D45); left out of the automatic window."""
    padding: tuple[float, float] | None = None
    """Range of modality values (both included) that only fill the frame; left out of statistics and auto-window."""
    pixel_aspect: float = 1.0
    """Height of a pixel over its width, where no spacing is known."""
    regions: tuple[tuple[int, int, int, int], ...] = ()
    """Parts of the picture in which lengths are those of the geometry (ultrasound): first row, first column, last row, last column, of
    each; () for all of it. A length must lie within one of them."""
    patient_orientation: tuple[str, str] | None = None
    """Letters towards the right edge and the bottom edge, for images without a patient frame (PS3.3 C.7.6.1.1.1)."""
    phase_labels: tuple[str, ...] = ()
    phase_seconds: tuple[float, ...] = ()
    """Start of each phase in seconds, for cine."""
    warnings: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """Further facts for people: transfer syntax, thickness, echo time, spacing kind ..."""
    notes: tuple[Note, ...] = field(default=(), compare=False, repr=False)
    """How the values and their places came about, in plain sentences: the page "How this image is shown"."""
    parent_id: str = ""
    """The volume that this one was computed from; "" for what was opened."""
    root_id: str = ""
    """The opened volume at the start of the chain; own id for what was opened."""

    def __post_init__(self) -> None:
        expected = (*self.geometry.shape, 3) if self.is_color else self.geometry.shape
        if self.data.ndim != len(expected) + 1 or self.data.shape[1:] != expected:
            raise ValueError(f"data of shape {self.data.shape} on a grid of {self.geometry.shape}")
        if self.data.dtype == np.float64:
            raise ValueError("voxels are never float64")
        object.__setattr__(self, "data", memory.freeze(self.data))
        if self.indices is not None:
            if self.indices.shape != self.data.shape[:4]:
                raise ValueError(f"indices of shape {self.indices.shape} for data of {self.data.shape}")
            object.__setattr__(self, "indices", memory.freeze(self.indices))
        if not self.root_id:
            object.__setattr__(self, "root_id", self.id)

    @property
    def phases(self) -> int:
        return int(self.data.shape[0])

    @property
    def values(self) -> NDArray[Any]:
        """The first phase: (planes, rows, columns[, 3]), read-only."""
        return self.phase(0)

    @property
    def is_derived(self) -> bool:
        return bool(self.parent_id)

    @property
    def nbytes(self) -> int:
        return int(self.data.nbytes)

    def phase(self, number: int) -> NDArray[Any]:
        """One phase: (planes, rows, columns[, 3]), read-only, no copy."""
        phase: NDArray[Any] = self.data[number]
        return phase

    def is_padding(self, value: float) -> bool:
        """Whether a value only fills the frame; never of a colour image."""
        return not self.is_color and self.padding is not None and self.padding[0] <= value <= self.padding[1]

    def has_phases_like(self, other: Volume) -> bool:
        """Whether phases of the same number belong together: as many, and not times here and echoes there, as far as both say what theirs are."""
        if self.phases != other.phases:
            return False
        kinds = [{_NUMBERS.sub("", label) for label in volume.phase_labels} for volume in (self, other)]
        return not all(kinds) or kinds[0] == kinds[1]

    def scale(self, unit: str) -> ValueScale:
        """The scale to a further unit. Raises Refused with the reason where there is none."""
        for scale in self.scales:
            if scale.unit.lower() == unit.lower():
                return scale
        raise Refused(no_scale(self.unit, self.scales, self.scale_problem, unit))

    def derived(self, new_id: str, data: NDArray[Any], **changes: Any) -> Volume:
        """A volume computed from this one: same place and identity, other values."""
        fresh: dict[str, Any] = {"windows": (), "voi_luts": (), "plane_windows": (), "graphics": (), "indices": None}
        if changes.get("unit", self.unit) != self.unit:
            fresh |= {"scales": (), "scale_problem": ""}
        return replace(self, id=new_id, data=data, parent_id=self.id, root_id=self.root_id, **{**fresh, **changes})


def no_scale(unit: str, scales: tuple[ValueScale, ...], problem: str, wanted: str) -> str:
    """The sentence that says why values cannot be told in another unit."""
    if unit and unit.lower() == wanted.lower():
        return _("The values are in {unit} already.").format(unit=unit)
    if problem:
        return problem
    own = unit or _("no unit")
    offered = ", ".join(s.unit for s in scales)
    text = _("The values ({own}) cannot be turned into {wanted}; the file allows: {offered}.")
    if offered:
        return text.format(own=own, wanted=wanted, offered=offered)
    return _("The values ({own}) cannot be turned into {wanted}: that is for PET with the data of the injection.").format(own=own, wanted=wanted)


def smallest_exact(values: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in the smallest of uint8, int8, uint16, int16 that holds them exactly, else float32.

    NaN and infinities count as not whole. Integers beyond 16 bits become float32 (exact up to 2**24).
    """
    if values.dtype == np.bool_:
        return values.astype(np.uint8)
    if values.size == 0:
        return values.astype(np.float32)
    if values.dtype.kind == "f":
        low, high = float(values.min()), float(values.max())
        if not (np.isfinite(low) and np.isfinite(high)) or not np.array_equal(values, np.rint(values)):
            return values.astype(np.float32, copy=False)
    else:
        low, high = int(values.min()), int(values.max())
    for kind in (np.uint8, np.int8, np.uint16, np.int16):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return values.astype(kind, copy=False)
    return values.astype(np.float32, copy=False)
