"""A second volume over the first: what the user wishes, what links the two, and what can be shown of it.

Two images lie over each other where they have one frame of reference, or where an alignment in the document says how; else nothing is
drawn and the reason is told (C12). How they are laid over each other is view state; how they are aligned is a step of the history.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, get_args

import numpy as np

from viewer.core.alignment import SAME_PLACE, Alignment, chained, inverse, moved
from viewer.core.colormaps import GREY, TITLES
from viewer.core.geometry import Geometry, Index, Triple
from viewer.core.render import Display, auto_window, lut_window, spread
from viewer.core.volume import Volume
from viewer.core.window import Window
from viewer.core.words import _, mark

Mode = Literal["blend", "difference", "curtain"]
MODES: dict[Mode, str] = {"blend": mark("Blend"), "difference": mark("Difference"), "curtain": mark("Curtain")}
OPACITY = 0.5
"""PET over CT starts so (CONVENTIONS 3f)."""
_EMISSION = ("PT", "NM", "ST")
_SUV = "SUVbw"
_HIGHEST_SUV = 6.0
"""The preset of CONVENTIONS 3c."""
_HEAT = ("RTDOSE",)
_HEAT_UNITS = ("Gy", "GY", "cGy", "cGY")
MANUAL_LINK, OTHER_PATIENT = "MANUAL LINK", "OTHER PATIENT"
REGISTERED = "Registered by mutual information"


@dataclass(frozen=True, slots=True)
class FusionWish:
    """What the user asked to see over the image. None means: what is usual for the second one."""

    moving_id: str
    """The opened (root) volume that lies over the first."""
    mode: Mode = "blend"
    color_map: str | None = None
    opacity: float = OPACITY
    follows_value: bool | None = None
    """Whether low values are clear and high ones dense, as of a heat map; else all are alike."""
    window: Window | None = None
    window_unit: str | None = None
    is_auto: bool = False
    difference: Window | None = None
    """The window of the difference, in the unit that both have."""
    phase: int | None = None
    """None: that of the first, where both have as many of one kind; else the first."""
    curtain: float = 0.5
    """Where the curtain hangs: 0 at the left edge of the picture, 1 at the right."""
    nudge: tuple[float, ...] = SAME_PLACE
    """A move that is still in the hand: it comes on top of the alignment, and is no step yet."""
    is_shown: bool = True


class Linked(Protocol):
    """The part of a document that is read here."""

    def volume(self, volume_id: str) -> Volume: ...
    def current(self, root_id: str) -> Volume: ...
    def alignments(self) -> tuple[Alignment, ...]: ...


@dataclass(frozen=True, slots=True)
class Link:
    """Where places of a second image lie in the first, and by what right: ``alignment`` None for a common frame of reference."""

    matrix: tuple[float, ...]
    alignment: Alignment | None = None

    @property
    def badges(self) -> tuple[str, ...]:
        if self.alignment is None:
            return ()
        return (REGISTERED,) if self.alignment.method == "rigid" else (MANUAL_LINK,)


@dataclass(frozen=True, slots=True)
class ShownFusion:
    """A second volume over the first, ready to be sampled and painted.

    ``reason`` says why it is not drawn, in a sentence; "" if it is. ``note``: what else has to be said of it.
    """

    wish: FusionWish
    volume: Volume
    mode: Mode
    display: Display
    """Window and colours of the second; in the mode ``difference``, of the difference."""
    opacity: float
    follows_value: bool
    phase: int
    curtain: float
    matrix: tuple[float, ...] = SAME_PLACE
    """From the second's places to the first's, what is in the hand included."""
    link: Link | None = None
    is_auto: bool = False
    unit: str = ""
    reason: str = ""
    note: str = ""
    badges: tuple[str, ...] = ()
    _back: tuple[float, ...] = field(default=SAME_PLACE, repr=False)

    @property
    def is_drawn(self) -> bool:
        return not self.reason and self.wish.is_shown

    @property
    def back(self) -> tuple[float, ...]:
        """From the first's places to the second's."""
        return self._back

    @property
    def scale(self) -> tuple[float, str]:
        """Factor and unit in which its window is told: SUV by body weight of PET that allows it, else the unit of its values."""
        return told_scale(self.volume, self.mode)

    @property
    def told_window(self) -> Window:
        """The window of its colours, in the unit of :attr:`scale`."""
        factor, window = self.scale[0], self.display.window
        return window if factor == 1.0 else Window(window.center * factor, window.width * factor, "LINEAR_EXACT", window.name)

    def index_at(self, position: Triple) -> Index | None:
        """The voxel of the second that lies at a place of the first; None outside of it."""
        return self.volume.geometry.nearest(moved(self._back, position))

    def value_at(self, position: Triple) -> float | None:
        """The value of that voxel, not interpolated; None outside, where it is padding or no number."""
        index = self.index_at(position)
        if index is None or self.volume.is_color:
            return None
        value = float(self.volume.phase(self.phase)[index])
        return value if math.isfinite(value) and not self.volume.is_padding(value) else None

    def title(self) -> str:
        """What the second is called."""
        return named(self.volume)

    def label(self, *, identity: bool = True) -> str:
        """What it is called on the image. A title that is made from a file's name may say who it is: without ``identity`` it is left out."""
        return self.title() if identity else self.volume.identity.series_description or self.volume.identity.modality or _("Second image")

    def map_title(self) -> str:
        """What its colours are called."""
        return _(TITLES[self.display.color_map])


def told_scale(volume: Volume, mode: Mode) -> tuple[float, str]:
    """Factor and unit in which the window of a second volume is told: SUV by body weight of PET that allows it, else the unit of its values."""
    found = next((s for s in volume.scales if s.unit == _SUV), None)
    return (found.factor, found.unit) if found is not None and found.factor > 0 and mode != "difference" else (1.0, volume.unit)


def named(volume: Volume) -> str:
    """What a second image is called, in sentences and in the history."""
    return volume.identity.series_description or volume.title or _("Second image")


def link_of(document: Linked, fixed: Volume, moving: Volume) -> Link | None:
    """What brings a second image over a first: an alignment of the two (or of their frames of reference), else one frame for both.

    None where there is nothing, and laying one over the other would be a guess.
    """
    ours = {fixed.root_id, moving.root_id}
    known = document.alignments()
    for item in known:
        if {item.volume_id, item.moving_id} == ours:
            return Link(item.matrix if item.moving_id == moving.root_id else inverse(item.matrix), item)
    a, b = fixed.geometry, moving.geometry
    if a.is_patient and b.is_patient and a.frame_uid and a.frame_uid == b.frame_uid:
        return Link(SAME_PLACE)
    if a.frame_uid and b.frame_uid:
        for item in known:
            if (item.fixed_frame, item.moving_frame) == (a.frame_uid, b.frame_uid):
                return Link(item.matrix, item)
            if (item.moving_frame, item.fixed_frame) == (a.frame_uid, b.frame_uid):
                return Link(inverse(item.matrix), item)
    if not a.is_patient and not b.is_patient and a.shape == b.shape and a.same_grid(b):
        return Link(SAME_PLACE)  # pictures of one size: pixel on pixel
    return None


def why_never(fixed: Volume, moving: Volume) -> str:
    """Why two images cannot be laid over each other whatever is done, in a sentence; "" where they can."""
    name = moving.identity.series_description or moving.title or _("The second image")
    if moving.is_color:
        return _("{name} is a colour image; what lies over another image has one value in each voxel.").format(name=name)
    for volume in (moving, fixed):
        geometry = volume.geometry
        if geometry.is_patient and geometry.in_plane_known and (geometry.between_known or geometry.shape[geometry.plane_axis] == 1):
            continue
        if not fixed.geometry.is_patient and not moving.geometry.is_patient and fixed.geometry.same_grid(moving.geometry):
            continue
        title = volume.identity.series_description or volume.title or _("The image")
        return _("The file of {name} does not say where its voxels lie, so nothing can be laid over it or it over others.").format(name=title)
    return ""


def why_unlinked(fixed: Volume, moving: Volume) -> str:
    """The sentence where :func:`link_of` finds nothing, with what can be done."""
    if fixed.geometry.frame_uid and moving.geometry.frame_uid:
        return _(
            "The two series lie in different frames of reference: nothing says where one is in the other. Nudge the second into place or align it."
        )
    return _("Nothing says that the two series lie in one frame of reference. Nudge the second into place or align it.")


def is_other_patient(fixed: Volume, moving: Volume) -> bool:
    """Whether the two are of different persons, as far as both files name one."""
    a, b = fixed.identity, moving.identity
    if a.patient_id and b.patient_id:
        return a.patient_id != b.patient_id
    return bool(a.patient_name and b.patient_name) and a.patient_name != b.patient_name


def resolve_fusion(wish: FusionWish | None, document: Linked, volume: Volume, phase: int) -> ShownFusion | None:
    """What can be shown of a wish over ``volume`` (the first); None where there is no wish, or its volume is gone. Never raises on a stale wish."""
    if wish is None:
        return None
    try:
        moving = document.current(wish.moving_id)
    except LookupError:
        return None
    mode: Mode = wish.mode if wish.mode in get_args(Mode) else "blend"
    known = why_never(volume, moving)
    link = link_of(document, volume, moving) if not known else None
    reason = known or (why_unlinked(volume, moving) if link is None else "")
    if not reason and mode == "difference":
        reason = why_no_difference(volume, moving)
    number = wish.phase if wish.phase is not None else phase if volume.has_phases_like(moving) else 0
    matrix = chained(link.matrix, wish.nudge) if link is not None else SAME_PLACE
    display, is_auto = _display(wish, mode, volume, moving)
    note = ""
    if not reason and not overlap(volume.geometry, moving.geometry, matrix):
        note = _("The two images do not reach each other. Nudge the second one into place.")
    badges = (*(link.badges if link is not None else ()), *((OTHER_PATIENT,) if is_other_patient(volume, moving) else ()))
    return ShownFusion(
        wish, moving, mode, display,
        opacity=_fraction(wish.opacity, OPACITY), follows_value=is_heat(moving) if wish.follows_value is None else wish.follows_value,
        phase=max(0, min(number, moving.phases - 1)), curtain=_fraction(wish.curtain, 0.5), matrix=matrix, link=link, is_auto=is_auto,
        unit=moving.unit, reason=reason, note=note, badges=badges if not reason and wish.is_shown else (), _back=inverse(matrix),
    )  # fmt: skip


def why_no_difference(fixed: Volume, moving: Volume) -> str:
    """Why values of the two cannot be subtracted, in a sentence; "" where they can."""
    if fixed.is_color or moving.is_color:
        return _("A difference needs one value in each voxel; one of the two is a colour image.")
    if fixed.unit != moving.unit:
        return _("A difference needs one unit; the first is in {first}, the second in {second}.").format(
            first=fixed.unit or _("no unit"), second=moving.unit or _("no unit")
        )
    if not fixed.unit and fixed.identity.modality != moving.identity.modality:
        return _("A difference needs one unit; neither file names one, and they are of different modalities.")
    return ""


def overlap(fixed: Geometry, moving: Geometry, matrix: tuple[float, ...]) -> bool:
    """Whether the boxes of two grids touch, after a move of the second."""
    inside = fixed.to_index(moved(matrix, moving.corners()))
    return bool(np.all(inside.max(axis=0) > -0.5) and np.all(inside.min(axis=0) < np.asarray(fixed.shape) - 0.5))


def is_heat(volume: Volume) -> bool:
    """Whether a volume is a dose or a map, of which low values say nothing."""
    return volume.identity.modality in _HEAT or volume.unit in _HEAT_UNITS


def usual_map(volume: Volume, mode: Mode) -> str:
    """The colour map of a second volume: PET hot iron, dose and maps Inferno (CONVENTIONS 3f); grey where it stands alone."""
    if mode == "difference":
        return GREY
    if is_heat(volume):
        return "inferno"
    if mode == "curtain" and volume.identity.modality not in _EMISSION:
        return GREY
    return "hot_iron"


def usual_window(volume: Volume) -> Window:
    """SUV 0 to 6 for PET; from 0 up for doses and maps; else the file's own, else percentiles."""
    if volume.unit == _SUV:
        return Window.between(0, _HIGHEST_SUV)
    factor = next((s.factor for s in volume.scales if s.unit == _SUV), 0.0)
    if factor > 0:
        return Window.between(0, _HIGHEST_SUV / factor)
    auto = auto_window(volume)
    if is_heat(volume) or volume.identity.modality in _EMISSION:
        return Window.between(min(0.0, auto.low), auto.high)
    if volume.voi_luts:
        return replace(lut_window(volume.voi_luts[0]), name="")
    return next((w for w in volume.windows if math.isfinite(w.center) and math.isfinite(w.width) and w.width > 0), auto)


def usual_difference(volume: Volume) -> Window:
    """No difference in the middle of the greys, the spread of the first to either side."""
    found = spread(volume)
    half = max(found.high - found.low, 1e-6) / 2
    return Window.between(-half, half)


def _display(wish: FusionWish, mode: Mode, fixed: Volume, moving: Volume) -> tuple[Display, bool]:
    color_map = wish.color_map if wish.color_map in TITLES else usual_map(moving, mode)
    if mode == "difference":
        own = wish.difference if wish.difference is not None and _usable(wish.difference) else None
        return Display(own or (Window(0, 1) if fixed.is_color else usual_difference(fixed)), None, False, color_map, None), own is None
    asked = wish.window
    if asked is not None and (not _usable(asked) or wish.window_unit not in (None, moving.unit)):
        asked = None
    if moving.is_color:
        return Display(Window(127.5, 255)), False
    window = asked if asked is not None else auto_window(moving) if wish.is_auto else usual_window(moving)
    return Display(window, None, moving.is_inverted, color_map, moving.padding), wish.is_auto and asked is None


def _usable(window: Window) -> bool:
    return math.isfinite(window.center) and math.isfinite(window.width) and window.width > 0


def _fraction(value: float, otherwise: float) -> float:
    return max(0.0, min(value, 1.0)) if math.isfinite(value) else otherwise
