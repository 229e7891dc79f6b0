"""From an image's planes to a model's inputs, as its card says: how many planes go in, which channels, in which order of axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import devices
from plugins.classify.framing import block_planes, film_box, fitted, frame_of, resized
from plugins.classify.levels import Levels
from viewer.api import Image, Refused, VoiLut, Window, gettext
from viewer.api.models import ModelCard

__all__ = ["Feed", "fed_picture", "film_box", "plane_input"]


class Feed:
    """The inputs of a model for one image: one a plane, or one for all of them.

    Raises
    ------
    Refused
        The image cannot be fed to this model: its unit, its colours, or a single plane where a volume is needed.
    """

    def __init__(self, card: ModelCard, image: Image) -> None:
        self.card, self.image = card, image
        self.planes = int(image.values.shape[0])
        if self.is_whole and self.planes < 2:
            raise Refused(
                gettext('The model "{model}" takes a volume of several planes; this image is one plane. Open the whole series.').format(
                    model=card.title
                )
            )
        self.levels = Levels(card, image)
        self.frame = frame_of(card, image.values.shape[1], image.values.shape[2])

    @property
    def is_whole(self) -> bool:
        """One input for all planes together."""
        return self.card.input.planes in ("volume", "sequence")

    @property
    def count(self) -> int:
        """How many inputs there are."""
        return 1 if self.is_whole else self.planes

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, without the axis of the batch, channels first."""
        spec = self.card.input
        size = (self.frame.rows, self.frame.columns)
        if spec.planes == "volume":
            return (spec.channels, block_planes(self.card, self.planes)[1], *size)
        return (len(self.planes_of(0)), spec.channels, *size) if spec.planes == "sequence" else (spec.channels, *size)

    def batch_size(self, device: str) -> int:
        """How many go in at a time: as many as the graph asks for, else what suits the device."""
        return self.card.input.batch or min(self.count, devices.at_once(int(np.prod(self.shape)), device))

    def parts(self, indices: Sequence[int], device: str) -> list[Sequence[int]]:
        """Inputs in batches."""
        size = self.batch_size(device)
        return [indices[start : start + size] for start in range(0, len(indices), size)]

    def plane_of(self, index: int) -> int:
        """The plane that an input stands for; the middle one where all go in together."""
        return self.planes // 2 if self.is_whole else index

    def planes_of(self, index: int) -> tuple[int, ...]:
        """The planes that go into an input, in their order; beyond the ends the last ones are repeated."""
        spec = self.card.input
        if spec.planes == "one":
            return (index,)
        if spec.planes == "neighbours":
            first = index - (spec.channels - 1) // 2
            return tuple(min(max(n, 0), self.planes - 1) for n in range(first, first + spec.channels))
        if spec.planes == "sequence" and spec.depth is not None:
            return tuple(round(float(place)) for place in np.linspace(0, self.planes - 1, spec.depth))
        return tuple(range(self.planes))

    def is_empty(self, index: int) -> bool:
        """Nothing but padding goes in."""
        return self.levels.is_empty(self.planes_of(index))

    def batch(self, indices: Sequence[int]) -> NDArray[Any]:
        """These inputs as the graph takes them: its order of axes, its type, normalised. A fixed batch is filled up with its last."""
        spec = self.card.input
        wanted = list(indices)
        if spec.batch is not None:
            wanted += [wanted[-1]] * (spec.batch - len(wanted))
        inputs = np.empty((len(wanted), *self.shape), dtype=np.float32)
        for place, index in enumerate(wanted):
            if place and index == wanted[place - 1]:
                inputs[place] = inputs[place - 1]
            else:
                self._fill(inputs[place], index)
        self._normalise(inputs)
        layout = self.card.fed_layout
        if layout in ("NHWC", "NTHWC", "NDHWC", "NF", "NTF"):
            inputs = np.moveaxis(inputs, 2 if spec.planes == "sequence" else 1, -1)
        if layout in ("NF", "NTF"):
            inputs = inputs.reshape(*inputs.shape[:-3], -1)
        kind = np.dtype(spec.dtype)
        if kind.kind in "iu":
            inputs = np.clip(np.rint(inputs, dtype=np.float64), np.iinfo(kind).min, np.iinfo(kind).max)
        return np.ascontiguousarray(inputs, dtype=kind)

    def picture(self, plane: int) -> NDArray[np.uint8]:
        """What the model gets of a plane, before normalisation, for people: (rows, columns), in colour with a last axis of 3."""
        low, high = self.card.values.out_range
        levels = self._plane(plane, self.levels.window(self._together(plane)))
        return np.asarray(np.clip(np.rint((levels - low) * (255.0 / (high - low))), 0, 255), dtype=np.uint8)

    def _together(self, plane: int) -> tuple[int, ...]:
        return self.planes_of(0 if self.is_whole else plane)

    def _plane(self, plane: int, window: Window | VoiLut) -> NDArray[np.float32]:
        return fitted(self.card, self.frame, self.levels.of(plane, window, self.frame.inner), pad=self.card.input.pad_value)

    def _fill(self, target: NDArray[np.float32], index: int) -> None:
        """Levels of one input, channels first."""
        planes = self.planes_of(index)
        window = self.levels.window(planes)
        if self.card.input.planes == "neighbours":
            for channel, plane in enumerate(planes):
                target[channel] = target[channel - 1] if channel and plane == planes[channel - 1] else self._plane(plane, window)
        elif self.card.input.planes == "volume":
            self._fill_block(target, window)
        elif self.card.input.planes == "sequence":
            for step, plane in enumerate(planes):
                self._fill_channels(target[step], self._plane(plane, window))
        else:
            self._fill_channels(target, self._plane(planes[0], window))

    def _fill_block(self, target: NDArray[np.float32], window: Window | VoiLut) -> None:
        first, depth, step = block_planes(self.card, self.planes)
        if step == 1.0:
            pad = self.card.input.pad_value if self.card.input.fit == "pad" else None
            for place in range(depth):
                plane = int(first) + place
                if pad is not None and not 0 <= plane < self.planes:
                    target[:, place] = pad
                else:
                    self._fill_channels(target[:, place], self._plane(min(max(plane, 0), self.planes - 1), window))
            return
        block = np.empty((target.shape[0], self.planes, *target.shape[2:]), dtype=np.float32)
        for plane in range(self.planes):
            self._fill_channels(block[:, plane], self._plane(plane, window))
        # A plane a row: what makes pictures smaller then works along the planes only.
        for channel in range(len(target)):
            flat = block[channel].reshape(self.planes, -1)
            spec = self.card.input
            target[channel] = resized(flat, depth, flat.shape[1], method=spec.interpolation, antialias=spec.antialias).reshape(target.shape[1:])

    def _fill_channels(self, target: NDArray[np.float32], levels: NDArray[np.float32]) -> None:
        """One plane into (channels, rows, columns): colours one a channel, grey into all of them."""
        if levels.ndim == 3 and self.card.input.color_order == "BGR":
            levels = levels[..., ::-1]
        target[...] = np.moveaxis(levels, -1, 0) if levels.ndim == 3 else levels

    def _normalise(self, inputs: NDArray[np.float32]) -> None:
        normal = self.card.normalisation
        shape = [1] * inputs.ndim
        shape[2 if self.card.input.planes == "sequence" else 1] = -1
        mean, spread = (np.asarray(values, dtype=np.float32).reshape(shape) for values in (normal.mean, normal.std))
        inputs /= np.float32(normal.scale)
        if normal.statistics == "input":
            own = tuple(range(2 if self.card.input.planes == "sequence" else 1, inputs.ndim))
            inputs -= inputs.mean(axis=own, keepdims=True, dtype=np.float64)
            found = inputs.std(axis=own, keepdims=True, dtype=np.float64)
            inputs /= np.where(found > 0, found, 1)  # an even picture is all zero
            return
        inputs -= mean
        inputs /= spread


def plane_input(card: ModelCard, image: Image, plane: int) -> NDArray[Any]:
    """One input as the graph takes it, without the axis of the batch: that of a plane, or of all planes together."""
    feed = Feed(card, image)
    return np.asarray(feed.batch([0 if feed.is_whole else plane])[0])


def fed_picture(card: ModelCard, image: Image, plane: int) -> NDArray[np.uint8]:
    """What a model really gets of a plane, for people: (rows, columns), or (rows, columns, 3) in colour."""
    if image.values.shape[0] == 1 and card.input.planes in ("volume", "sequence"):
        # One plane of what was a volume: fitted as all of its planes are.
        card = replace(card, input=replace(card.input, planes="one", layout="NCHW", depth=1))
    return Feed(card, image).picture(plane)
