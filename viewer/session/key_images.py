"""Key images in the document: marked and unmarked by one step each, found again on the slice in view, shown and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from viewer.core.geometry import Geometry, Plane, Triple
from viewer.core.ids import new_id
from viewer.core.key_image import KeyImage
from viewer.core.layout import NO_AXIS, layout_of
from viewer.core.volume import Volume
from viewer.core.words import _, mark
from viewer.session.document import Document
from viewer.session.view import ViewState, ViewWish, triple

MARKED, UNMARKED, NOTED = mark("Mark a key image"), mark("Take a key image's mark off"), mark("Note a key image")
MARKED_ALL, CLEARED = mark("Mark {number} key images"), mark("Take off the marks of {number} key images")
# Oblique images are the same if they are parallel and less than this apart, in the unit of the geometry.
_PARALLEL, _SAME_PLACE = 1 - 1e-7, 0.05
_PLANES: tuple[Plane, ...] = ("acquired", "axial", "coronal", "sagittal")
PLANE_TITLES: dict[Plane, str] = {
    "acquired": mark("As acquired"), "axial": mark("Axial"), "coronal": mark("Coronal"), "sagittal": mark("Sagittal"),
}  # fmt: skip


def key_image_of(wish: ViewWish, state: ViewState) -> KeyImage:
    """What is in view, as a key image that is in no document yet. Raises ValueError for an empty view."""
    if state.volume is None:
        raise ValueError("an empty view shows no image to be marked")
    place, normal = _where(state) if state.is_oblique else (None, None)
    turn = wish.turn if state.is_turned else None  # a turn that could not be made says nothing of what is in view
    return KeyImage(
        new_id("key_image"), state.root_id, state.plane, state.layout.axis, state.array_index, state.phase, turn, place, normal, state.slab,
        wish.window, wish.window_unit, wish.lut, wish.is_inverted, wish.quarter_turns, wish.flip_horizontal, wish.flip_vertical,
    )  # fmt: skip


def is_shown(item: KeyImage, state: ViewState) -> bool:
    """Whether a view shows this very image, in whatever window: the same plane of the same phase."""
    if state.volume is None or item.volume_id != state.root_id or item.phase != state.phase or item.axis != state.layout.axis:
        return False
    if not state.is_oblique:
        return item.index == state.array_index
    found = _slice_of(item, state)
    return found is not None and abs(found - state.index) * _spacing(state) <= _SAME_PLACE


def shown_key_image(document: Document, state: ViewState) -> KeyImage | None:
    """The key image that a view shows, None where its image is not marked."""
    return next((item for item in document.key_images_of(state.root_id) if is_shown(item, state)), None)


def toggle_key_image(document: Document, wish: ViewWish, state: ViewState) -> KeyImage | None:
    """Mark the image in view, or take its mark off: one step. Returns the new key image, None if the mark went."""
    found = shown_key_image(document, state)
    if found is not None:
        remove_key_images(document, (found.id,))
        return None
    item = key_image_of(wish, state)
    with document.edit(MARKED) as edit:
        edit.put(item)
    return item


def add_key_images(document: Document, items: Sequence[KeyImage]) -> int:
    """Mark several images by one step; those that are marked already stay as they are. Returns how many are new."""
    known = {_key(item) for item in document.items("key_image")}
    fresh = [item for item in {_key(item): item for item in reversed(items)}.values() if _key(item) not in known][::-1]
    if fresh:
        with document.edit(MARKED if len(fresh) == 1 else MARKED_ALL, number=len(fresh)) as edit:
            for item in fresh:
                edit.put(item)
    return len(fresh)


def key_images_from(places: Iterable[tuple[int, int]], volume: Volume, *, note: str = "", origin: str = "") -> tuple[KeyImage, ...]:
    """Images as (phase, plane of the array) of an opened volume, as key images that are in no document yet."""
    return tuple(
        KeyImage(new_id("key_image"), volume.id, "acquired", 0, plane, phase, note=note, origin=origin)
        for phase, plane in places
        if phase < volume.phases and plane < volume.geometry.shape[0]
    )


def remove_key_images(document: Document, ids: Iterable[str]) -> int:
    """Take marks off by one step; ids that are gone are passed over. Returns how many went."""
    there = [name for name in dict.fromkeys(ids) if document.item("key_image", name) is not None]
    if there:
        with document.edit(UNMARKED if len(there) == 1 else CLEARED, number=len(there)) as edit:
            for name in there:
                edit.remove("key_image", name)
    return len(there)


def note_key_image(document: Document, item_id: str, note: str) -> bool:
    """Write a note to a key image, as one step; False if it stays as it is."""
    item = document.item("key_image", item_id)
    if item is None or item.note == note.strip():
        return False
    with document.edit(NOTED) as edit:
        edit.put(replace(item, note=note.strip()))
    return True


def wish_for(item: KeyImage, volume: Volume, wish: ViewWish) -> ViewWish:
    """The wish that shows a key image as it was marked: its plane, phase, window and turns; what else is shown stays as it is."""
    index = None if item.turn is not None else item.index if item.axis == NO_AXIS else shown_index(item, volume.geometry)
    return replace(
        wish, volume_id=item.volume_id, plane=item.plane, index=index, turn=item.turn, place=item.place if item.turn is not None else None,
        slab=item.slab, phase=item.phase, window=item.window, window_unit=item.window_unit, lut=item.lut, is_auto=False,
        is_inverted=item.is_inverted, quarter_turns=item.quarter_turns, flip_horizontal=item.flip_horizontal, flip_vertical=item.flip_vertical,
        zoom=None, center=None,
    )  # fmt: skip


def shown_index(item: KeyImage, geometry: Geometry) -> int:
    """The slice number, from 0, that the image has in the display plane in which it was marked."""
    layout = layout_of(geometry, item.plane)
    return max(0, min(round(layout.slice_of(item.index)), layout.count - 1))


def indices_in(items: Iterable[KeyImage], state: ViewState) -> dict[int, KeyImage]:
    """Key images among the slices that a view scrolls through, by slice number from 0; frames where it walks through frames."""
    found: dict[int, KeyImage] = {}
    walks_frames = state.volume is not None and state.count == 1
    for item in items:
        if item.volume_id != state.root_id or item.axis != state.layout.axis:
            continue
        if state.is_oblique:
            along = _slice_of(item, state) if item.phase == state.phase else None
            if along is not None and -0.5 <= along < state.count - 0.5:
                found[int(np.floor(along + 0.5))] = item
        elif walks_frames:
            found[item.phase] = item
        elif item.phase == state.phase and 0 <= item.index < state.count:
            found[round(state.layout.slice_of(item.index))] = item
    return found


def place_words(item: KeyImage, volume: Volume) -> str:
    """Where a key image is: ``Slice 12 / 60``, with plane and phase where there are several."""
    layout = layout_of(volume.geometry, item.plane)
    if item.turn is not None:
        return _("Oblique")
    words = _("Frame {number} / {count}").format(number=item.phase + 1, count=volume.phases)
    if layout.count > 1 or volume.phases < 2:
        words = _("Slice {number} / {count}").format(number=shown_index(item, volume.geometry) + 1, count=layout.count)
        if volume.phases > 1:
            words = _("{slice}, phase {number}").format(slice=words, number=item.phase + 1)
    return words if item.plane == "acquired" else _("{plane}, {slice}").format(plane=_(PLANE_TITLES[item.plane]), slice=words)


def _where(state: ViewState) -> tuple[Triple, Triple]:
    """The place in the middle of what is shown, and the direction across it."""
    cut = state.cut
    return triple(cut.to_patient((cut.shape[0] - 1) / 2, (cut.shape[1] - 1) / 2)), triple(cut.normal)


def _slice_of(item: KeyImage, state: ViewState) -> float | None:
    """The fractional slice number of an oblique image among the slices of an oblique view; None unless they are parallel."""
    if item.place is None or item.normal is None or abs(float(np.dot(item.normal, state.cut.normal))) < _PARALLEL:
        return None
    return state.slice_at(item.place)


def _spacing(state: ViewState) -> float:
    """From slice to slice of an oblique view."""
    first, second = (_where(replace(state, index=n))[0] for n in (0, 1))
    return float(np.linalg.norm(np.subtract(second, first)))


def _key(item: KeyImage) -> tuple[object, ...]:
    return item.volume_id, item.phase, item.axis, item.index, item.turn, item.place
