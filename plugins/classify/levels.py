"""From an image's own values to the levels that a model's card asks for: window, range or percentiles, polarity, colour, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.api import Image, Refused, VoiLut, Window, apply_lut, apply_window, gettext
from viewer.api.models import ModelCard

_CACHED = 1 << 18
"""So many values are taken at a time: numpy widens them to 64 bits, which for a whole film would go through the memory."""
BRIGHTNESS = np.asarray([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601, as ``Image.gray``."""


class Levels:
    """Levels of an image's planes on the card's ``out_range``.

    Values are the image's own, never the screen's. A MONOCHROME1 film is brought to bone-bright first (unless the card says
    otherwise), so that it and its twin give the same. Padding and what is no number are at the lower end.

    Raises
    ------
    Refused
        The image is not what the card can be fed with: another unit, or colour where only grey is taken.
    """

    def __init__(self, card: ModelCard, image: Image) -> None:
        self.card, self.image = card, image
        self.is_turned = image.is_inverted and card.input.polarity == "bone-bright"
        self.is_colored = image.is_color and takes_color(card)
        self._factor = _unit_factor(card, image)
        self._tables: dict[tuple[str, Window | VoiLut], NDArray[np.float32]] = {}
        if image.is_color and card.input.is_grey_only:
            raise Refused(
                gettext('The model "{model}" takes grey images only; this one is in colour. Choose another model.').format(model=card.title)
            )

    @property
    def lowest(self) -> float:
        """The level of padding."""
        return self.card.values.out_range[0]

    @property
    def is_as_is(self) -> bool:
        """Pictures of 8 bits without a unit go in as they are, where the card does not ask for more."""
        return goes_as_is(self.card, self.image)

    @property
    def takes_files(self) -> bool:
        """Whether values go through what the file says of them: its VOI LUT or window."""
        return takes_files_window(self.card, self.image)

    @property
    def takes_curves(self) -> bool:
        """Of these VOI LUTs too. A picture that has to go back to values goes by a line."""
        return self.takes_files and not (self.card.task == "image" and self.card.output.picture != "values")

    def window(self, planes: Sequence[int]) -> Window | VoiLut:
        """The straight line or curve from values to levels for planes that go in together, in the values' own unit."""
        spec = self.card.values
        if self.is_as_is:
            return Window.between(0.0, 255.0)
        if spec.kind == "range":
            return Window.between(spec.low / self._factor, spec.high / self._factor)
        if spec.kind == "window":
            return Window(spec.center / self._factor, spec.width / self._factor, "LINEAR_EXACT")
        own = self.of_file(planes[len(planes) // 2]) if self.takes_files else None
        if own is not None:
            return own
        low, high = self._percentiles(planes)
        return Window.between(low, max(high, low + 1e-6))

    def is_empty(self, planes: Sequence[int]) -> bool:
        """Nothing but padding."""
        if self.image.is_color or (self.image.padding is None and self.image.values.dtype.kind != "f"):
            return False
        return not any(bool(_valid(self.image, self.image.values[plane]).any()) for plane in planes)

    def of(self, plane: int, window: Window | VoiLut, part: tuple[slice, slice] = (slice(None), slice(None))) -> NDArray[np.float32]:
        """Levels (rows, columns) of a part of a plane; (rows, columns, 3) where both the image and the model are in colour."""
        values = self.image.values[plane][part]
        if self.image.is_color and not self.is_colored:
            values = values @ BRIGHTNESS
        if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
            table = self._table(values.dtype, window)
            return _looked_up(table, values.view(np.uint8 if values.dtype.itemsize == 1 else np.uint16))
        levels = self._leveled(values, window)
        if not self.image.is_color:
            levels[~_valid(self.image, values)] = self.lowest
        return levels

    def values(self, levels: NDArray[np.float32], window: Window | VoiLut) -> NDArray[np.float32]:
        """Levels back to the image's values, the same way backwards: levels beyond the ends go on along the line."""
        assert isinstance(window, Window)  # what goes back to values is not fed by a curve
        low, high = self.card.values.out_range
        share = (levels.astype(np.float64) - low) / (high - low)
        if self.is_turned:
            share = 1 - share
        if window.function == "SIGMOID":
            share = np.clip(share, 1e-3, 1 - 1e-3)
            return np.asarray(window.center + window.width / 4 * (np.log(share) - np.log1p(-share)), dtype=np.float32)
        return np.asarray(window.low + share * (window.high - window.low), dtype=np.float32)

    def valid(self, plane: int) -> NDArray[np.bool_]:
        """True where a plane holds more than padding: (rows, columns)."""
        values = self.image.values[plane]
        return np.ones(values.shape[:2], dtype=np.bool_) if self.image.is_color else _valid(self.image, values)

    def of_file(self, plane: int) -> Window | VoiLut | None:
        """What the plane's file says that it is to be shown through, as far as the model takes it."""
        image = self.image
        if not image.plane_windows:
            return (image.lut if self.takes_curves else None) or image.window
        own = image.plane_windows[plane]
        return None if isinstance(own, VoiLut) and not self.takes_curves else own

    def _table(self, dtype: np.dtype[np.generic], window: Window | VoiLut) -> NDArray[np.float32]:
        """The level of each value that a type of up to 16 bits can have, in the order of its bits."""
        key = (dtype.str, window)
        table = self._tables.get(key)
        if table is None:
            bits = np.arange(1 << (8 * dtype.itemsize), dtype=np.uint8 if dtype.itemsize == 1 else np.uint16)
            table = self._leveled(bits.view(dtype), window)
            if not self.image.is_color:
                table[~_valid(self.image, bits.view(dtype))] = self.lowest
            if len(self._tables) > 8:
                self._tables.clear()
            self._tables[key] = table
        return table

    def _leveled(self, values: NDArray[np.generic], window: Window | VoiLut) -> NDArray[np.float32]:
        low, high = self.card.values.out_range
        if isinstance(window, VoiLut):
            levels = apply_lut(np.nan_to_num(values, nan=window.first), window, low, high)
        else:
            levels = apply_window(np.nan_to_num(values, nan=window.center), window, low, high)
        return (low + high - levels if self.is_turned else levels).astype(np.float32)

    def _percentiles(self, planes: Sequence[int]) -> tuple[float, float]:
        """Of the bone-bright values, in the image's own: those of a turned film are counted from the other end."""
        low, high = self.card.values.percentiles
        shares = [100.0 - high, 100.0 - low] if self.is_turned else [low, high]
        whole = [self.image.values[plane] for plane in dict.fromkeys(planes)]
        if whole[0].dtype.kind in "iu" and whole[0].dtype.itemsize <= 2:
            return _counted_percentiles(whole, shares, None if self.image.is_color else self.image.padding)
        inside = np.concatenate([values[_valid(self.image, values)].astype(np.float64) for values in whole])
        if not inside.size:
            return 0.0, 1.0
        ends = np.percentile(inside, shares)
        return float(ends[0]), float(ends[1])


def goes_as_is(card: ModelCard, image: Image) -> bool:
    """Whether whole values of 8 bits go in as they are."""
    return card.values.eight_bit == "as-is" and image.values.dtype == np.uint8 and not image.unit


def takes_files_window(card: ModelCard, image: Image) -> bool:
    """Whether an image's values go through the window or VOI LUT of its file, where it has one."""
    return card.values.kind == "window-or-range" and not goes_as_is(card, image)


def takes_color(card: ModelCard) -> bool:
    """Whether a colour image goes in with its colours; else with its brightness."""
    return card.input.channels == 3 and card.input.planes != "neighbours"


def _unit_factor(card: ModelCard, image: Image) -> float:
    """The card's unit over the image's: value in the card's unit = factor x value."""
    wanted = card.values.unit
    if not wanted or card.values.kind not in ("range", "window") or wanted.lower() == image.unit.lower():
        return 1.0
    for scale in image.scales:
        if scale.unit.lower() == wanted.lower():
            return scale.factor
    if not image.unit:
        raise Refused(
            gettext('The model "{model}" takes values in {wanted}; the unit of this image is not known.').format(model=card.title, wanted=wanted)
        )
    raise Refused(
        gettext('The model "{model}" takes values in {wanted}; those of this image are in {unit}.').format(
            model=card.title, wanted=wanted, unit=image.unit
        )
    )


def _valid(image: Image, values: NDArray[Any]) -> NDArray[np.bool_]:
    good = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=np.bool_)
    if image.padding is not None and not image.is_color:
        good &= ~((values >= image.padding[0]) & (values <= image.padding[1]))
    return np.asarray(good)


def _looked_up(table: NDArray[np.float32], places: NDArray[Any]) -> NDArray[np.float32]:
    """``table[places]`` for places that are all within it."""
    found = np.empty(places.shape, dtype=np.float32)
    rows = max(1, _CACHED * len(places) // max(1, places.size))
    for start in range(0, len(places), rows):
        np.take(table, places[start : start + rows], out=found[start : start + rows], mode="clip")
    return found


def _counted_percentiles(planes: Sequence[NDArray[Any]], shares: Sequence[float], padding: tuple[float, float] | None) -> tuple[float, float]:
    """As ``numpy.percentile`` of whole numbers, by counting them."""
    limits = np.iinfo(planes[0].dtype)
    counts = np.zeros(limits.max - limits.min + 1, dtype=np.int64)
    for values in planes:
        flat = values.reshape(-1)
        for start in range(0, flat.size, _CACHED):
            counted = np.bincount(flat[start : start + _CACHED].astype(np.intp) - limits.min)
            counts[: len(counted)] += counted
    if padding is not None:
        first, last = (int(np.clip(edge, limits.min - 1, limits.max + 1)) - limits.min for edge in (np.ceil(padding[0]), np.floor(padding[1])))
        counts[max(0, first) : max(0, last + 1)] = 0
    upto = np.cumsum(counts)
    total = int(upto[-1])
    if not total:
        return 0.0, 1.0
    found = []
    for share in shares:
        place = share / 100 * (total - 1)
        below = int(np.floor(place))
        low, high = (int(np.searchsorted(upto, min(n, total - 1), side="right")) + limits.min for n in (below, below + 1))
        found.append(low + (place - below) * (high - low))
    return found[0], found[1]
