"""From what a model gives back to the planes that it was given: order of axes, planes of a block, part and size of each plane."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from plugins.classify.batching import Answer
from plugins.classify.feeding import Feed
from plugins.classify.framing import block_planes, unfitted
from plugins.classify.onnx_trust import shape_text
from viewer.api import ModelUnusable, Refused, gettext
from viewer.api.models import ModelCard


def check_task(card: ModelCard, task: str) -> None:
    """Raises Refused for a model of another task, or one whose result belongs to no plane."""
    if card.task != task:
        raise Refused(
            gettext("{model} is not a model for this: its card names the task {found}, and {task} is needed.").format(
                model=gettext(card.title), found=card.task, task=task
            )
        )
    if card.input.planes == "sequence" or card.input.layout == "NF":
        raise Refused(
            gettext("{model} takes planes as {layout}; its result has no place in the image.").format(
                model=gettext(card.title), layout=card.input.layout
            )
        )


def pictures(feed: Feed, answer: Answer, *, method: str) -> Iterator[tuple[int, NDArray[np.float32] | None]]:
    """(plane, channels first picture) of an answer; None for planes that a model of volumes did not see.

    ``method``: nearest or bilinear, between the planes of a block that is not as deep as the volume.
    """
    for index, output in zip(answer.indices, answer.output, strict=True):
        channels = _channels_first(feed, output)
        if not feed.is_whole:
            yield index, channels
            continue
        first, depth, step = block_planes(feed.card, feed.planes)
        share = channels.shape[1] / (depth * step)
        for plane in range(feed.planes):
            if not first <= plane + 0.5 <= first + depth * step:
                yield plane, None
                continue
            place = min(max((plane + 0.5 - first) * share - 0.5, 0.0), channels.shape[1] - 1.0)
            if method == "nearest" or place == int(place):
                yield plane, channels[:, int(place + 0.5)]
            else:
                low = int(place)
                yield plane, channels[:, low] + np.float32(place - low) * (channels[:, low + 1] - channels[:, low])


def on_plane(feed: Feed, picture: NDArray[np.float32], *, method: str, outside: NDArray[np.float32] | float) -> NDArray[np.float32]:
    """One channel back on its plane.

    Raises Refused where it is finer than both the input and the plane: a derived image keeps the grid of the image.
    """
    frame = feed.frame
    if picture.shape[0] > max(frame.rows, frame.height) or picture.shape[1] > max(frame.columns, frame.width):
        raise Refused(
            gettext(
                "{model} made {rows} x {columns} pixels of {given_rows} x {given_columns}. An image keeps its grid here, so a finer one "
                "cannot take its place. Give the card a height and width that are that much smaller than the image."
            ).format(
                model=gettext(feed.card.title), rows=picture.shape[0], columns=picture.shape[1], given_rows=frame.height, given_columns=frame.width
            )
        )
    return unfitted(frame, picture, method=method, outside=outside)


def _channels_first(feed: Feed, output: NDArray[np.generic]) -> NDArray[np.float32]:
    """(channels, [planes,] rows, columns) of one output; where there is no axis of channels there is one."""
    spatial = 3 if feed.card.input.planes == "volume" else 2
    if output.ndim == spatial:
        return np.asarray(output, dtype=np.float32)[np.newaxis]
    if output.ndim != spatial + 1:
        raise ModelUnusable(
            gettext("The model {card} gave {found} for one input, which is no picture.").format(card=feed.card.name, found=shape_text(output.shape))
        )
    return np.asarray(np.moveaxis(output, -1, 0) if feed.card.input.layout.endswith("C") else output, dtype=np.float32)
