"""Windows that the hand asks for beyond the drag: DICOM's functions, a region's own window, handles of a histogram, a file's window by number."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.layout import Point
from viewer.core.volume import Volume
from viewer.core.window import VoiFunction, Window
from viewer.session import hand
from viewer.session.view import ViewState, ViewWish

# Fewer values than these have no 1st and 99th percentile worth the name.
_FEWEST = 4


def window_warnings(volume: Volume) -> tuple[str, ...]:
    """What of the file's windows and VOI LUTs could not be used, in sentences: the image looks otherwise than its maker meant."""
    return tuple(dict.fromkeys(note.text for note in volume.notes if note.topic == "window" and note.is_warning))


def covered_plane(state: ViewState) -> NDArray[np.bool_] | None:
    """Pixels of the slice, as it is shown, that lie under the file's shutter; None where there is none."""
    volume = state.volume
    if volume is None or state.shutter is None:
        return None
    return state.layout.turned(state.shutter.covered(*volume.geometry.shape[1:]))


def with_function(wish: ViewWish, state: ViewState, function: VoiFunction) -> ViewWish:
    """The same centre and width by another of DICOM's functions; LINEAR, which has no smaller width, from 1 on."""
    volume, now = state.volume, state.window
    if volume is None or state.display is None or now.function == function:
        return wish
    width = max(now.width, 1.0) if function == "LINEAR" else now.width
    return hand.with_window(wish, state, replace(now, function=function, width=width, name=""))


def with_limits(wish: ViewWish, state: ViewState, low: float, high: float) -> ViewWish:
    """Black at ``low`` and white at ``high`` by the function in use; the ends keep their order and the least width."""
    volume = state.volume
    if volume is None:
        return wish
    function = state.window.function
    least = 0.0 if function == "LINEAR" else hand.narrowest(volume)  # a LINEAR window of width 1 has both ends in one place
    return hand.with_window(wish, state, state.window.spanning(low, max(high, low + least)))


def with_file_window(wish: ViewWish, state: ViewState, number: int) -> ViewWish:
    """The file's window of a number from 0 on, in the file's order; the wish as it is where there are fewer."""
    volume = state.volume
    if volume is None or not 0 <= number < len(volume.windows):
        return wish
    if number == 0 and volume.plane_windows and not volume.voi_luts:
        return replace(wish, window=None, window_unit=None, lut=None, is_auto=False)  # each plane its own
    return hand.with_preset(wish, state, volume.windows[number])


def region_window(state: ViewState, values: NDArray[Any], first: Point, second: Point) -> Window | None:
    """The window from the 1st to the 99th percentile of a rectangle on the shown slice (padding, shutter and NaN left out).

    Parameters
    ----------
    values : array
        The slice as it is shown (rows, columns), grey.
    first, second : Point
        Picture points of two opposite corners; what lies outside of the picture counts not.

    Returns
    -------
    Window or None
        None where the rectangle has fewer than four values.
    """
    volume = state.volume
    if volume is None or values.ndim != 2:
        return None
    width, height = state.layout.size
    box = []
    for axis, (length, count) in ((1, (height, values.shape[0])), (0, (width, values.shape[1]))):
        low, high = sorted(place * count / length - 0.5 for place in (first[axis], second[axis]))
        # A pixel belongs if its centre is inside.
        box.append(slice(max(0, math.ceil(low)), max(0, math.floor(high) + 1)))
    covered = covered_plane(state)
    inside = values[box[0], box[1]]
    inside = inside[~covered[box[0], box[1]]] if covered is not None else inside.ravel()
    if volume.padding is not None:
        inside = inside[(inside < volume.padding[0]) | (inside > volume.padding[1])]
    inside = inside[np.isfinite(inside)]
    if inside.size < _FEWEST:
        return None
    black, white = (float(v) for v in np.percentile(inside, (1, 99)))
    least = hand.narrowest(volume)
    if white - black < least:
        black, white = (black + white - least) / 2, (black + white + least) / 2
    return Window.between(black, white)
