"""Windows that the hand asks for beyond the drag: DICOM's functions, a region's own window, handles of a histogram, a file's window by number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.core.geometry import Triple
from viewer.core.render import plane_values
from viewer.core.volume import Volume
from viewer.core.window import VoiFunction, Window
from viewer.session import hand
from viewer.session.view import ViewState, ViewWish

# Fewer values than these have no 1st and 99th percentile worth the name.
_FEWEST = 4


def narrowest(volume: Volume, function: VoiFunction) -> float:
    """The least width that a hand may set: 1, of float values 1e-3, where the function allows it."""
    return 1e-3 if volume.data.dtype.kind == "f" and function != "LINEAR" else 1.0


def shown_plane(state: ViewState) -> NDArray[Any] | None:
    """Values (rows, columns) of the slice of a grey image in the order of its array; None for colour and for an empty view."""
    volume = state.volume
    if volume is None or volume.is_color:
        return None
    return plane_values(volume, state.phase, state.layout.axis, state.array_index)


def covered_plane(state: ViewState) -> NDArray[np.bool_] | None:
    """Pixels of :func:`shown_plane` that lie under the file's shutter; None where there is none."""
    volume = state.volume
    if volume is None or state.shutter is None or state.layout.axis != 0:
        return None
    return state.shutter.covered(*volume.geometry.shape[1:])


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
    least = narrowest(volume, function) - (1.0 if function == "LINEAR" else 0.0)
    return hand.with_window(wish, state, state.window.spanning(low, max(high, low + least)))


def with_file_window(wish: ViewWish, state: ViewState, number: int) -> ViewWish:
    """The file's window of a number from 0 on, in the file's order; the wish as it is where there are fewer."""
    volume = state.volume
    if volume is None or not 0 <= number < len(volume.windows):
        return wish
    if number == 0 and volume.plane_windows:
        return replace(wish, window=None, window_unit=None, lut=None, is_auto=False)  # each plane its own
    return hand.with_preset(wish, state, volume.windows[number])


def region_window(state: ViewState, first: Triple, second: Triple) -> Window | None:
    """The window from the 1st to the 99th percentile of a rectangle on the shown slice (padding, shutter and NaN left out).

    Parameters
    ----------
    first, second : Triple
        Fractional indices (plane, row, column) of two opposite corners; what lies outside of the slice counts not.

    Returns
    -------
    Window or None
        None where the rectangle has fewer than four values.
    """
    plane, volume = shown_plane(state), state.volume
    if plane is None or volume is None:
        return None
    box = []
    for axis in (n for n in range(3) if n != state.layout.axis):
        low, high = sorted((first[axis], second[axis]))
        # A pixel belongs if its centre is inside.
        box.append(slice(max(0, int(np.ceil(low))), max(0, int(np.floor(high)) + 1)))
    values = plane[box[0], box[1]]
    covered = covered_plane(state)
    values = values[~covered[box[0], box[1]]] if covered is not None else values.ravel()
    if volume.padding is not None:
        values = values[(values < volume.padding[0]) | (values > volume.padding[1])]
    values = values[np.isfinite(values)]
    if values.size < _FEWEST:
        return None
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    least = narrowest(volume, "LINEAR_EXACT")
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    return Window.between(low, high)
