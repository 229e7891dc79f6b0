"""A model that has not been added yet: held against a card that has not been written, and run on one plane. In a worker."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import batching, devices, fitness, inference, label_maps, onnx_trust, pictures, returning, scoring
from plugins.classify.feeding import Feed
from viewer.api import Image
from viewer.api.models import ModelCard, TriedModel, card_of

_MOST_RAW, _LARGEST = 6, 320


def dry_run(path: str, card: Mapping[str, Any], image: Image, plane: int = 0, device: str = "auto", place: str = "") -> TriedModel:
    """Run an ONNX file on one plane of an image.

    Parameters
    ----------
    path : str
        The file, anywhere.
    card : mapping
        What its card would say.
    plane : int
        Of the image's planes; a model of all planes together gets them all.
    device : str
        As in the settings.
    place : str
        A folder to work in, which the caller removes: a run that is stopped removes nothing. "": one of its own.

    Raises
    ------
    ModelUnusable, Refused
        Whatever is wrong with the file, the card or what the two give together, in one sentence.
    """
    with _laid_out(Path(path), card, place) as checked:
        return _run(checked, image, plane, device)


def check(path: str, card: Mapping[str, Any], place: str = "") -> str:
    """Load an ONNX file as its card says, after all checks, on the CPU, which every computer has; the device. Raises ModelUnusable."""
    with _laid_out(Path(path), card, place) as checked:
        return batching.loaded(checked, devices.CPU).device


@contextmanager
def _laid_out(path: Path, card: Mapping[str, Any], place: str) -> Iterator[ModelCard]:
    """A folder as an added model has it, with the file and what belongs to it."""
    with nullcontext(place) if place else tempfile.TemporaryDirectory(prefix="negatoscope-") as parent:
        # The card is judged before its name becomes a folder's.
        checked = card_of(card, Path(parent) / str(card.get("name", "")))
        folder = checked.folder
        folder.mkdir()
        _put(path, checked.model_path)
        for name in checked.beside:
            shutil.copyfile(path.parent / name, folder / name)  # linked weights are refused
        yield checked


def _run(card: ModelCard, image: Image, plane: int, device: str) -> TriedModel:
    if not card.is_classifier:
        returning.check_task(card, card.task)
    feed, runner = batching.made_ready(card, image, device)
    card = feed.card
    began = time.perf_counter()
    inputs = feed.batch([0 if feed.is_whole else plane])
    entry, name = onnx_trust.input_name(runner.facts, card), onnx_trust.output_name(runner.facts, card)
    output = inference.per_input(card, np.asarray(runner.run([name], {entry: inputs})[0]), len(inputs))
    spent = (time.perf_counter() - began) * 1000
    scores: tuple[tuple[str, float], ...] = ()
    warnings = fitness.warnings(card, image)
    if card.is_classifier:
        raw = np.asarray(output, dtype=np.float64).reshape(len(inputs), -1)
        scores = tuple(zip(card.classes, map(float, scoring.scores(card, raw)[0]), strict=True))
        warnings += tuple(filter(None, [scoring.doubt(card, raw)]))
    else:
        _check_picture(feed, output[0])
    return TriedModel(
        scores=scores, raw=_said(output[:1]), device=runner.device, note=runner.note, milliseconds=spent, fed=_small(feed.picture(plane)),
        fed_size=inputs.shape, given=None if card.is_classifier else _picture(card, output[0]), warnings=warnings,
    )  # fmt: skip


def _check_picture(feed: Feed, output: NDArray[Any]) -> None:
    """What came out of one input can be put on the image as its operation would. Raises ModelUnusable."""
    card, channels = feed.card, returning.channels_first(feed, output)
    if card.task == "image":
        pictures.wanted(feed, channels)
    else:
        plane = channels[:, channels.shape[1] // 2] if channels.ndim > 3 else channels
        label_maps.labels_of(card, plane, {entry.output: 1 for entry in card.entries}, output.dtype.kind in "iub")


def _put(source: Path, target: Path) -> None:
    """The same file under another name, without a copy where both lie on one disk."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _said(output: NDArray[Any]) -> str:
    numbers = output.reshape(-1)
    words = ", ".join(f"{number:.4g}" for number in numbers[:_MOST_RAW])
    return words if numbers.size <= _MOST_RAW else f"{words}, …"


def _picture(card: ModelCard, output: NDArray[Any]) -> NDArray[np.uint8]:
    """What came out of one input: an image from its lowest value to its highest, labels in even greys; of a block its middle plane."""
    values = np.asarray(output, dtype=np.float64)
    if card.input.layout.endswith("C") and values.ndim > 2:
        values = np.moveaxis(values, -1, 0)
    while values.ndim > 3:
        values = values[:, values.shape[1] // 2]
    if values.ndim == 3:
        several = card.task == "segmentation" and len(values) > 1
        values = values.argmax(axis=0).astype(np.float64) if several else values[0]
    low, high = float(values.min()), float(values.max())
    return _small(np.rint((values - low) * (255.0 / max(high - low, 1e-12))).astype(np.uint8))


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """No more pixels than are looked at."""
    step = max(1, -(-max(picture.shape[:2]) // _LARGEST))
    return np.ascontiguousarray(picture[::step, ::step])
