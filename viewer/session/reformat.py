"""Which plane a wish asks for, how it lies in the volume, and why there is none: standard planes, turned planes, slabs.

A standard plane along the array is shown as it is stored. Where the file's planes lean, are uneven or missing, only those planes
themselves are (D59, D62): everything across them is shown on the straight grid, and named so.
"""

from __future__ import annotations

from viewer.core.geometry import Geometry, Plane, Triple
from viewer.core.layout import NO_AXIS, Layout2D, SliceLayout, layout_of
from viewer.core.oblique import ObliqueLayout, Turn, oblique_of, straightened_of
from viewer.core.slab import Slab
from viewer.core.volume import Volume
from viewer.core.words import _


def why_no_mpr(volume: Volume) -> str:
    """Why planes cannot be cut through a volume, in a sentence; "" where they can."""
    geometry = volume.geometry
    if volume.is_color:
        return _("This is a colour image. Planes can be cut only through grey values.")
    if geometry.shape[geometry.plane_axis] < 2:
        return _("This series has only one plane: there is nothing to cut other planes through.")
    if not geometry.between_known and geometry.is_rectangular:  # where it is not, each plane has its own place
        return _("The file does not say where its planes lie, so no other planes can be cut through them.")
    if not geometry.in_plane_known:
        return _("The file gives no pixel spacing, so planes cut through it would have wrong proportions.")
    return ""


def layout_for(
    volume: Volume, plane: Plane, *, turn: Turn | None = None, place: Triple | None = None, slab: Slab | None = None,
    quarter_turns: int = 0, flip_horizontal: bool = False, flip_vertical: bool = False,
) -> SliceLayout:  # fmt: skip
    """How the plane lies that is asked for; a turn that is none, or of a volume that cannot be cut, is passed over."""
    geometry = volume.geometry
    layout: Layout2D | ObliqueLayout | None = None
    if turn is not None and not why_no_mpr(volume):
        layout = oblique_of(geometry, turn, place)
    if layout is None:
        layout = layout_of(geometry, plane, pixel_aspect=volume.pixel_aspect)
        is_across = not geometry.is_rectangular and (layout.axis != geometry.plane_axis or slab is not None)
        if is_across and not why_no_mpr(volume):
            layout = straightened_of(geometry, plane, pixel_aspect=volume.pixel_aspect)
    return layout.rotated(quarter_turns, flip_horizontal=flip_horizontal, flip_vertical=flip_vertical)


def slab_for(slab: Slab | None, volume: Volume) -> Slab | None:
    """The slab that can be shown of what was asked for."""
    return slab if slab is not None and slab.is_usable and not why_no_mpr(volume) else None


def plane_badges(layout: SliceLayout, geometry: Geometry, slab: Slab | None) -> tuple[str, ...]:
    """What has to be said of a plane that is not one of the file's."""
    badges = [slab.badge] if slab is not None else []
    if layout.axis == NO_AXIS and not geometry.is_rectangular:
        badges.append("RESAMPLED")
    return tuple(badges)


def why_no_slice(layout: SliceLayout, slab: Slab | None) -> str:
    """Why nothing can be drawn on, or computed from, the slice that is shown; "" where it is a plane of voxels."""
    if layout.axis == NO_AXIS:
        if isinstance(layout, ObliqueLayout) and not layout.is_turned:
            return _("This plane was resampled, because the planes of the file lean or are uneven. Draw on the acquired plane.")
        return _("This plane is turned against the voxels. Draw on the acquired plane, or on an axial, coronal or sagittal one.")
    if slab is not None:
        return _("The view shows a slab of several planes. Set the slab to one plane to draw on it.")
    return ""
