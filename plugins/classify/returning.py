"""From what a model gives back to the planes that it was given: order of axes, planes of a block, part and size of each plane."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from plugins.classify import batching
from plugins.classify.batching import Answer
from plugins.classify.feeding import Feed
from plugins.classify.framing import Frame, block_planes, refined
from plugins.classify.inference import Runner
from plugins.classify.onnx_trust import said_dims, shape_text
from viewer.api import Image, ModelUnusable, Refused, gettext
from viewer.api.models import ModelCard, memory_limit


def made_ready(card: ModelCard, image: Image, task: str, device: str) -> tuple[Feed, Runner]:
    """The inputs of an image and the loaded model, for a network of a task. Raises ModelUnusable, Refused."""
    check_task(card, task)
    return batching.made_ready(card, image, device)


def check_task(card: ModelCard, task: str) -> None:
    """Raises Refused for a model of another task, or one whose result belongs to no plane."""
    if card.task != task:
        raise Refused(
            gettext('"{model}" is not a model for this: its card names the task {found}, and {task} is needed.').format(
                model=gettext(card.title), found=card.task, task=task
            )
        )
    if card.input.layout == "NF" or 1 in (card.input.height, card.input.width):
        raise Refused(
            gettext(
                '"{model}" takes {layout} of {found}, which is no picture: it makes its own of numbers (noise) alone. Only a model that makes a '
                "picture of a picture can be run on an image."
            ).format(model=gettext(card.title), layout=card.input.layout, found=shape_text(said_dims(card)))
        )
    if card.input.planes == "sequence":
        raise Refused(
            gettext('"{model}" takes planes as {layout}; its result has no place in the image.').format(
                model=gettext(card.title), layout=card.input.layout
            )
        )


def pictures(feed: Feed, answer: Answer, *, method: str) -> Iterator[tuple[int, NDArray[np.float32] | None]]:
    """(plane, channels first picture) of an answer; None for planes that a model of volumes did not see.

    ``method``: nearest or bilinear, between the planes of a block that is not as deep as the volume.
    """
    for index, output in zip(answer.indices, answer.output, strict=True):
        channels = channels_first(feed, output)
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


def frame_for(feed: Feed, rows: int, columns: int) -> Frame:
    """Where a picture of this size goes: into its frame on the plane, or on a finer plane where it is finer than both the input and the plane.

    Raises Refused where all planes and phases together would be more than the memory allows.
    """
    frame = feed.frame
    if rows <= max(frame.rows, frame.height) and columns <= max(frame.columns, frame.width):
        return frame
    finer = refined(frame, rows, columns)
    planes = feed.planes * feed.image.phases
    if math.prod(finer.plane) * planes * 4 * (3 if feed.image.is_color else 1) > memory_limit():
        raise Refused(
            gettext('"{model}" makes {rows} x {columns} pixels of each of {count} planes, which is more than the memory allows.').format(
                model=gettext(feed.card.title), rows=finer.plane[0], columns=finer.plane[1], count=planes
            )
        )
    return finer


def channels_first(feed: Feed, output: NDArray[np.generic]) -> NDArray[np.float32]:
    """(channels, [planes,] rows, columns) of one output; where there is no axis of channels there is one."""
    spatial = 3 if feed.card.input.planes == "volume" else 2
    if output.ndim == spatial:
        return np.asarray(output, dtype=np.float32)[np.newaxis]
    if output.ndim != spatial + 1:
        raise ModelUnusable(
            gettext('The model "{card}" gave {found} for one input, which is no picture.').format(card=feed.card.name, found=shape_text(output.shape))
        )
    return np.asarray(np.moveaxis(output, -1, 0) if feed.card.input.layout.endswith("C") else output, dtype=np.float32)
