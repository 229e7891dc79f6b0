"""The operation: a network that makes a picture of a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from plugins.classify import batching, returning
from plugins.classify.choosing import network_for
from plugins.classify.devices import ModelDevice
from plugins.classify.feeding import Feed
from plugins.classify.framing import Frame, enlarged, refined_grid, unfitted
from plugins.classify.levels import BRIGHTNESS
from plugins.classify.telling import told
from viewer.api import Help, Image, ModelOf, ModelUnusable, Progress, gettext, operation
from viewer.api.models import ModelCard


@operation(preview="none", takes_color=True, lane="model")
def network(
    image: Image,
    model: Annotated[str, ModelOf("image"), Help("A network that gives pictures: denoising, restoring, generating.", "Model")] = "",
    device: ModelDevice = "",
    progress: Progress | None = None,
) -> Image:
    """Makes a picture of each plane by a network. What it adds is made up from other images. Not for diagnosis.

    Parameters
    ----------
    model : str
        Name of an installed model whose card says ``task = "image"``; empty takes the one whose card fits the image best.
    device : str
        As the model list names it: auto, CPU, CUDA or what else is installed; empty takes that of the settings. What does not work here
        falls back to the CPU, and that is said.

    Returns
    -------
    Image
        In the unit of the image: the card's way from values to the network's numbers, gone backwards (what lay beyond its window or range
        was clipped on the way). In the card's own unit where it says that the network gives values. Padding, and what the network
        did not see, stays as it was. Of a network that gives more pixels than the image has (super-resolution), a grid of smaller pixels in
        the same place: the corners of the planes agree.

    Raises
    ------
    Refused
        No such model is installed, or it is of another kind.

    Notes
    -----
    Source: the model's own card and README.
    """
    return pictured(network_for(model, image, "image"), image, device=device, progress=progress)


def pictured(card: ModelCard, image: Image, *, device: str = "auto", progress: Progress | None = None) -> Image:
    """As :func:`network`, with a card that need not be installed."""
    feed, runner = returning.made_ready(card, image, "image", device)
    frame, made = feed.frame, dict[int, NDArray[np.float32]]()
    for answer in batching.answers(feed, runner, progress=progress):
        for plane, channels in returning.pictures(feed, answer, method="bilinear"):
            if channels is None:
                continue
            wanted = returning.frame_for(feed, *channels.shape[-2:])
            if made and wanted.plane != frame.plane:
                raise ModelUnusable(gettext('The model "{card}" gave pictures of several sizes for one image.').format(card=card.name))
            frame = wanted
            made[plane] = _values(feed, frame, plane, channels)
    values = _stacked([made[plane] if plane in made else _kept(feed, frame, plane) for plane in range(feed.planes)])
    geometry = image.geometry if frame.plane == feed.frame.plane else refined_grid(image.geometry, *frame.plane)
    result = replace(image.like(values, card.output.unit if card.output.picture == "values" else None), geometry=geometry)
    # Where values are no longer what they were, neither is the file's window or curve.
    if card.output.picture == "values" or values.ndim != image.values.ndim:
        result = replace(result, window=None, lut=None, plane_windows=())
    return told(result, feed, runner)


def _kept(feed: Feed, frame: Frame, plane: int) -> NDArray[np.float32]:
    """What stands where the network has nothing to say."""
    values = np.asarray(feed.image.values[plane], dtype=np.float32)
    return values if frame.plane == feed.frame.plane else enlarged(values, *frame.plane)


def _values(feed: Feed, frame: Frame, plane: int, channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """One plane of the result, with the network's picture in its frame."""
    kept = _kept(feed, frame, plane)
    card, image = feed.card, feed.image
    channels = wanted(feed, channels)
    if card.output.picture == "normalised":
        normal = card.normalisation
        mean, spread = (np.asarray(n, dtype=np.float32)[:, None, None] for n in (normal.mean, normal.std))
        one = slice(None) if len(channels) == card.input.channels else slice(0, 1)
        channels = (channels * spread[one] + mean[one]) * np.float32(normal.scale)
    if card.input.color_order == "BGR" and len(channels) == 3:
        channels = channels[::-1]
    if len(channels) == 3 and not image.is_color and card.input.channels == 3:
        channels = np.tensordot(BRIGHTNESS, channels, 1)[np.newaxis]
    window = feed.levels.window(feed.planes_of(0 if feed.is_whole else plane))
    if len(channels) == 3:
        low, high = card.values.out_range
        colors = [np.clip((channel - low) * np.float32(255 / (high - low)), 0, 255) for channel in channels]
        before = kept if kept.ndim == 3 else np.repeat(kept[..., np.newaxis], 3, axis=-1)
        return np.stack([unfitted(frame, c, method="bilinear", outside=before[..., n]) for n, c in enumerate(colors)], axis=-1)
    values = channels[0] if card.output.picture == "values" else feed.levels.values(channels[0], window)
    grey = kept @ BRIGHTNESS if kept.ndim == 3 else kept
    back = unfitted(frame, values, method="bilinear", outside=grey)
    valid = feed.levels.valid(plane)
    return np.where(valid if frame.plane == feed.frame.plane else enlarged(valid, *frame.plane), back, grey)


def wanted(feed: Feed, channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """One channel or three; of a model of neighbours that gives them all, the plane itself."""
    if len(channels) in (1, 3) and feed.card.input.planes != "neighbours":
        return channels
    if len(channels) == 1:
        return channels
    if feed.card.input.planes == "neighbours" and len(channels) == feed.card.input.channels:
        middle = (len(channels) - 1) // 2
        return channels[middle : middle + 1]
    raise ModelUnusable(
        gettext('The model "{card}" gave pictures of {count} channels; grey has one, colour three.').format(card=feed.card.name, count=len(channels))
    )


def _stacked(planes: list[NDArray[np.float32]]) -> NDArray[np.generic]:
    """One array; colour in 8 bits. A plane that stayed grey among coloured ones is grey in colour, one that stayed coloured its brightness."""
    depths = {plane.ndim for plane in planes}
    if depths == {2}:
        return np.stack(planes)
    colored = [plane if plane.ndim == 3 else np.repeat(plane[..., np.newaxis], 3, axis=-1) for plane in planes]
    return np.rint(np.stack(colored)).astype(np.uint8)
