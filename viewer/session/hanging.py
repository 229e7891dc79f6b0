"""Which way round a picture hangs: radiological or neurological, and how an acquired one is turned to hang as its standard plane does."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Geometry
from viewer.core.layout import SliceLayout
from viewer.session.shown import ViewState
from viewer.session.wish import ViewWish

# What lies to the right and down in each standard plane, by the patient axis that it is at right angles to (C07).
_STANDARD = {0: ((0, 1, 0), (0, 0, -1)), 1: ((1, 0, 0), (0, 0, -1)), 2: ((1, 0, 0), (0, 1, 0))}


def is_radiological(layout: SliceLayout, geometry: Geometry) -> bool:
    """Whether the patient's left lies towards the right of the screen, more than any other side does."""
    if not geometry.is_patient:
        return False
    right = np.asarray(layout.cut(geometry, 0).right)
    return bool(right[0] > 0 and abs(right).argmax() == 0)


def to_standard(wish: ViewWish, state: ViewState) -> ViewWish:
    """The picture turned and mirrored so that it hangs as its standard plane does (C08); no voxel is computed anew.

    Without a patient frame nothing is known of how it should hang: the wish comes back as it was.
    """
    if state.volume is None or not state.geometry.is_patient:
        return wish
    cut = state.cut
    right, down = np.asarray(cut.right), np.asarray(cut.down)
    wanted_right, wanted_down = (np.asarray(v, dtype=np.float64) for v in _STANDARD[int(abs(cut.normal).argmax())])
    if wish.is_neurological and wanted_right[0]:
        wanted_right = -wanted_right

    def fit(option: tuple[int, bool]) -> tuple[float, int, bool]:
        moved_right, moved_down = _moved(right, down, *option)
        # Of what fits equally well, the fewest turns, and no mirroring.
        return round(float(moved_right @ wanted_right + moved_down @ wanted_down), 6), -option[0], not option[1]

    turns, is_mirrored = max(product(range(4), (False, True)), key=fit)
    quarters = (wish.quarter_turns + turns) % 4
    turned = replace(wish, quarter_turns=quarters, zoom=None, center=None)
    if not is_mirrored:
        return turned
    # Mirroring comes before turning in a wish, so on a picture on its side the other axis must be mirrored.
    if quarters % 2:
        return replace(turned, flip_vertical=not wish.flip_vertical)
    return replace(turned, flip_horizontal=not wish.flip_horizontal)


def _moved(
    right: NDArray[np.float64], down: NDArray[np.float64], turns: int, is_mirrored: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """What lies right and down after quarter turns clockwise, then mirroring left to right."""
    for _ in range(turns):
        right, down = -down, right
    return (-right if is_mirrored else right), down
