"""A run of a model that has not been added yet, on one plane, as a card that has not been written says. Runs in a worker."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.classify import feeding, fitness, inference, scoring
from viewer.api import Image
from viewer.api.models import ModelCard, TriedModel, card_of

_MOST_RAW, _LARGEST = 6, 256


def dry_run(path: str, card: Mapping[str, Any], image: Image, plane: int = 0, device: str = "auto") -> TriedModel:
    """Run an ONNX file on one plane of an image.

    Parameters
    ----------
    path : str
        The file, anywhere.
    card : mapping
        What its card would say.
    plane : int
        Of the image's planes.
    device : str
        As in the settings.

    Raises
    ------
    ModelUnusable
        Whatever is wrong with the file, the card or what the two give together, in one sentence.
    """
    with tempfile.TemporaryDirectory(prefix="negatoscope-") as place:
        folder = Path(place) / str(card["name"])
        folder.mkdir()
        checked = card_of(card, folder)
        _beside(Path(path), checked.model_path)
        for name in checked.external:
            _beside(Path(path).parent / name, folder / name)
        return _run(checked, image, plane, device)


def _run(card: ModelCard, image: Image, plane: int, device: str) -> TriedModel:
    runner = inference.load(card)
    began = time.perf_counter()
    fed = feeding.plane_input(card, image, plane)[None]
    outputs = inference.logits(runner, card, fed)
    spent = (time.perf_counter() - began) * 1000
    named: tuple[tuple[str, float], ...] = ()
    if card.is_classifier:
        named = tuple(zip(card.classes, map(float, scoring.scores(card, outputs)[0]), strict=True))
    return TriedModel(
        scores=named, raw=_said(outputs), device=runner.device, note=runner.note, milliseconds=spent, fed=picture_of(card, fed[0]),
        fed_size=fed.shape, warnings=fitness.warnings(card, image),
    )  # fmt: skip


def _beside(source: Path, target: Path) -> None:
    """The same file under another name, without a copy where both lie on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _said(outputs: NDArray[np.float64]) -> str:
    numbers = outputs.reshape(-1)
    words = ", ".join(f"{number:.4g}" for number in numbers[:_MOST_RAW])
    return words if numbers.size <= _MOST_RAW else f"{words}, …"


def picture_of(card: ModelCard, fed: NDArray[Any]) -> NDArray[np.uint8] | None:
    """One input as a picture to be looked at: from its lowest number to its highest; None where it is no plane."""
    values = np.asarray(fed, dtype=np.float64)
    if card.input.layout == "NF" or values.ndim < 2:
        return None
    if card.input.layout.endswith("C"):
        values = np.moveaxis(values, -1, 0)
    # Of several channels the middle one; of a block or a sequence its middle plane.
    while values.ndim > 2:
        if values.ndim == 3 and len(values) == 3 and card.input.planes == "one":
            values = values.mean(axis=0)
        else:
            values = values[len(values) // 2]
    step = max(1, max(values.shape) // _LARGEST)
    small = values[::step, ::step]
    low, high = float(np.nanmin(small)), float(np.nanmax(small))
    return np.ascontiguousarray(np.nan_to_num((small - low) / max(high - low, 1e-12)) * 255).astype(np.uint8)
