"""What an operation gets and gives: one phase of an image, masks, labels, maps, and drafts of annotations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.annotation import Measure, Shape
from viewer.core.errors import GeometryMismatch
from viewer.core.geometry import Geometry, Triple
from viewer.core.report import Cell, Column
from viewer.core.volume import ValueScale, no_scale
from viewer.core.window import VoiLut, Window
from viewer.core.words import _


@dataclass(frozen=True, slots=True)
class Image:
    """One phase: always (planes, rows, columns), colour with a last axis of 3; a slice is one plane. Values are read-only."""

    values: NDArray[Any] = field(repr=False)
    geometry: Geometry
    unit: str = ""
    range: tuple[float, float] = (0.0, 0.0)
    """Smallest and largest value of the whole volume without padding, also when ``values`` is one plane of it."""
    padding: tuple[float, float] | None = None
    is_inverted: bool = False
    """MONOCHROME1: the smallest value is shown white."""
    window: Window | None = None
    """The file's own window, if it has one."""
    modality: str = ""
    body_part: str = ""
    view_position: str = ""
    patient_age: str = ""
    """As DICOM writes it: 045Y, 018M, 003W, 010D; "" if unknown."""
    scales: tuple[ValueScale, ...] = ()
    """Further units that the values can be told in: SUVbw beside Bq/mL."""
    scale_problem: str = ""
    """Why there is none, where one would be expected."""
    plane_windows: tuple[Window | VoiLut | None, ...] = field(default=(), repr=False)
    """The curve (VOI LUT), else the window, of each plane's own file, None where it gives none; () where all are alike."""
    lut: VoiLut | None = field(default=None, repr=False)
    """The file's own curve from values to brightness (VOI LUT), which goes before its windows; where planes differ that of the middle file."""
    phases: int = 1
    """How many phases the volume has; where an image is made of it, the operation is called for each of them."""
    warnings: tuple[str, ...] = ()
    """Of a result: what is to be said of how it came about, in whole sentences. Shown with it, and kept in its step."""
    facts: tuple[tuple[str, str], ...] = ()
    """Of a result: what it was made with, kept in its step."""
    crosses_windows: bool = False
    """A slice across planes whose own files give different windows or VOI LUTs: ``window`` and ``lut`` are those of the middle one."""

    @property
    def spacing_mm(self) -> Triple | None:
        """(between planes, rows, columns) in mm, None where the pixel spacing is not known.

        Where only the distance of planes is not known it is taken as 1; ask ``geometry.between_known``.
        """
        return self.geometry.spacing if self.geometry.in_plane_known else None

    @property
    def is_color(self) -> bool:
        return self.values.ndim == 4

    @property
    def is_slice(self) -> bool:
        return self.geometry.shape[0] == 1

    def like(self, values: NDArray[Any], unit: str | None = None) -> Image:
        """A result on the same grid; ``unit`` if the values mean something else now."""
        return replace(self, values=values, unit=self.unit if unit is None else unit)

    def why_not(self, unit: str) -> str:
        """Why the values cannot be told in a unit that ``scales`` does not offer, in a sentence."""
        return no_scale(self.unit, self.scales, self.scale_problem, unit)

    def mask(self, values: NDArray[Any]) -> Mask:
        """A yes/no result on the same grid."""
        return Mask(np.ascontiguousarray(values, dtype=np.bool_), self.geometry)

    def labels(self, values: NDArray[Any], names: tuple[str, ...] = ()) -> Labels:
        """Labels 1..n (0 is background) on the same grid, with names of the labels from 1 on."""
        return Labels(values, self.geometry, names)

    def overlay(self, values: NDArray[Any], name: str, unit: str = "", color_map: str = "inferno") -> Overlay:
        """A scalar map on the same grid, to be shown over the image."""
        return Overlay(np.ascontiguousarray(values, dtype=np.float32), self.geometry, name, unit, color_map)

    def valid(self) -> NDArray[np.bool_]:
        """True where a voxel carries a value: not padding, not NaN. Colour: all True."""
        if self.is_color:
            return np.ones(self.geometry.shape, dtype=np.bool_)
        good = np.ones(self.geometry.shape, dtype=np.bool_)
        if self.values.dtype.kind == "f":
            good &= np.isfinite(self.values)
        if self.padding is not None:
            good &= ~((self.values >= self.padding[0]) & (self.values <= self.padding[1]))
        return good

    def gray(self) -> NDArray[Any]:
        """The values; of a colour image its luminance (ITU-R BT.601) as float32."""
        if not self.is_color:
            return self.values
        return np.asarray(self.values @ np.asarray([0.299, 0.587, 0.114], dtype=np.float32), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Mask:
    """Yes or no for every voxel: (planes, rows, columns) of bool."""

    values: NDArray[np.bool_] = field(repr=False)
    geometry: Geometry
    name: str = ""
    """Name of the segment that it was taken from, if any."""

    def on(self, image: Image) -> NDArray[np.bool_]:
        """The values, after checking that they lie on the image's grid."""
        if not self.geometry.same_grid(image.geometry):
            raise GeometryMismatch(
                _("The mask ({own}) does not lie on the grid of the image ({image}).").format(own=_size(self.geometry), image=_size(image.geometry))
            )
        return self.values


@dataclass(frozen=True, slots=True)
class Labels:
    """A label (0 is background) for every voxel: (planes, rows, columns) of an unsigned type; ``names`` from label 1 on."""

    values: NDArray[Any] = field(repr=False)
    geometry: Geometry
    names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """As those of an :class:`Image`."""
    facts: tuple[tuple[str, str], ...] = ()

    def on(self, image: Image) -> NDArray[Any]:
        """The values, after checking that they lie on the image's grid."""
        if not self.geometry.same_grid(image.geometry):
            raise GeometryMismatch(
                _("The labels ({own}) do not lie on the grid of the image ({image}).").format(own=_size(self.geometry), image=_size(image.geometry))
            )
        return self.values


@dataclass(frozen=True, slots=True)
class Overlay:
    """A scalar map with a colour map, on a grid: energy, gradient, heat."""

    values: NDArray[np.float32] = field(repr=False)
    geometry: Geometry
    name: str
    unit: str = ""
    color_map: str = "inferno"
    method: str = ""
    """How a heat-map was made: exact, occlusion, rise."""
    score: str = ""
    """The class whose score a heat-map explains; "" for other maps."""
    model: str = ""
    """Name of the model that was asked; its newest report on the plane takes the map."""
    is_unfamiliar: bool = False
    """Of a heat-map: the model has not seen such images, at least on one plane."""
    warnings: tuple[str, ...] = ()
    """As those of an :class:`Image`."""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An annotation that an operation found; ``points`` as in :class:`viewer.core.annotation.Annotation`."""

    shape: Shape
    points: tuple[Triple, ...]
    name: str = ""
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotations:
    """Found shapes, kept as annotations of the image."""

    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A table of results: unrounded numbers, None where nothing could be measured."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a classifier says of one plane; becomes a report."""

    model: str
    version: str
    title: str
    task: str
    scores: tuple[tuple[str, float], ...]
    threshold: float | None
    positive: str
    device: str
    milliseconds: float
    index: int
    warnings: tuple[str, ...] = ()
    is_calibrated: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[float | None, ...] = ()
    """One for each score, in their order."""
    strangeness: float | None = None
    strangeness_limit: float | None = None
    maps: tuple[Overlay, ...] = ()
    """Heat-maps that came with it; they will belong to the report."""
    is_of_whole: bool = False
    """It speaks of all planes together; ``index`` is then the one in the middle."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on several planes of one image."""

    items: tuple[Verdict, ...]


Result = Image | Mask | Labels | Overlay | Annotations | Numbers | Verdicts


def _size(geometry: Geometry) -> str:
    planes, rows, columns = geometry.shape
    return f"{columns} x {rows} x {planes}"
